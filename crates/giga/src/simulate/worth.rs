//! What one more megawatt at a site is worth.

use giga_model::{Federation, SiteId};
use giga_study::worth::{Change, Outcome, Pair, Worth, with_power};
use giga_units::{Amount as _, Power};

use super::call::{Outset, Refused};
use super::{Simulate, again};

/// A site, and by how much power runs differ there.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    site: String,
    by: Power,
}

impl Asked {
    /// Where.
    pub(super) fn site(&self) -> &str {
        &self.site
    }
}

/// Reads `SITE`, or `SITE=POWER`.
pub(super) fn asked(text: &str) -> Result<Asked, String> {
    let (site, by) = text.split_once('=').map_or((text, "1 MW"), |(site, by)| (site, by));
    let by = Power::parse(by.trim()).map_err(|error| error.to_string())?;
    if by == Power::ZERO {
        return Err("a difference of nothing tells nothing; write for example `narvik=1 MW`".to_owned());
    }
    Ok(Asked { site: site.trim().to_owned(), by })
}

/// Refuses a site that is not there, or has no more power than what is to be taken from it.
pub(super) fn find(asked: &Asked, federation: &Federation) -> Result<SiteId, Refused> {
    let Some(index) = federation.sites.iter().position(|site| site.name == asked.site) else {
        let names: Vec<&str> = federation.sites.iter().take(8).map(|site| site.name.as_str()).collect();
        let names = names.join("`, `");
        return Err(Refused::input(format_args!(
            "there is no site called `{}`; sites are `{names}`",
            asked.site
        )));
    };
    let site = SiteId::at(index);
    if with_power(federation, site, Change::Less, asked.by).is_none() {
        return Err(Refused::input(format_args!(
            "the first phase of `{}` has no more than {}; write a smaller difference, such as `--worth \"{}=100 kW\"`",
            asked.site,
            asked.by.written(),
            asked.site
        )));
    }
    Ok(site)
}

/// Runs the pairs.
pub(super) fn run(call: &Simulate, outset: &Outset, asked: &Asked) -> Result<Worth, Refused> {
    let site = find(asked, &outset.federation)?;
    let mut pairs = Vec::new();
    for turn in 0..u64::from(call.pairs) {
        let seed = outset.seed.wrapping_add(turn);
        let with = |change| {
            let federation = with_power(&outset.federation, site, change, asked.by).expect("it was found");
            Ok::<_, Refused>(Outcome::of(&again::run(call, outset, federation, seed)?))
        };
        pairs.push(Pair { seed, less: with(Change::Less)?, more: with(Change::More)? });
    }
    Ok(Worth::of(asked.by, pairs).expect("there is a pair"))
}
