//! Agreements: shares that owners exchange between sites, at a rate.

use giga_model::{Federation, OwnerId, SiteId};
use giga_units::{Amount as _, Fraction};

use super::data::exchanged;
use super::{AllNames, Names};
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;

/// What one owner hands to another at a site.
struct Handed {
    site: usize,
    from: OwnerId,
    to: OwnerId,
    share: Fraction,
}

/// Moves the shares of all agreements, in their order.
pub(super) fn apply(
    root: &Record,
    names: &AllNames<'_>,
    federation: &mut Federation,
    findings: &mut Findings,
) {
    Names::of(root, "agreement", findings);
    for record in root.tables("agreement") {
        let Some((given, back)) = agreement(root, record, names, federation, findings) else { continue };
        for (handed, key) in [(given, "gives"), (back, "takes")] {
            if let Err(fault) = hand(federation, &handed) {
                findings.add(&record.span_of(key), record.path_of(key), &fault);
            }
        }
    }
}

/// What goes each way.
fn agreement(
    root: &Record,
    record: &Record,
    names: &AllNames<'_>,
    federation: &Federation,
    findings: &mut Findings,
) -> Option<(Handed, Handed)> {
    let (gives, takes) = (record.table("gives")?, record.table("takes")?);
    let [giver, taker] = [gives, takes].map(|side| names.owners.at(side, "owner", findings));
    let [there, back] = [gives, takes].map(|side| names.sites.at(side, "site", findings));
    let (giver, taker, there, back) = (OwnerId::at(giver?), OwnerId::at(taker?), there?, back?);
    if giver == taker || there == back {
        findings.add(&record.span_of("takes"), record.path_of("takes"), &Meaning::AgreementWithSelf);
        return None;
    }
    let share = gives.amount::<Fraction>("share")?;
    let rate = record.factor("rate")?;
    let [from, to] = [there, back].map(|site| accelerators(federation, site));
    let (Some(returned), true) = (exchanged(share, rate, from, to), from > 0) else {
        // Pools that could not be read are reported already.
        if root.tables("site").iter().all(|site| !site.broken) {
            findings.add(&record.span, record.path.clone(), &Meaning::NothingToExchange);
        }
        return None;
    };
    let given = Handed { site: there, from: giver, to: taker, share };
    Some((given, Handed { site: back, from: taker, to: giver, share: returned }))
}

/// Accelerators of a site once all phases are open.
fn accelerators(federation: &Federation, site: usize) -> u64 {
    let pools = (0..federation.pools.len()).map(giga_model::PoolId::at);
    let there = pools.filter(|pool| federation.pools[pool.index()].site == SiteId::at(site));
    there.map(|pool| federation.accelerators_in(pool)).sum()
}

fn hand(federation: &mut Federation, handed: &Handed) -> Result<(), Meaning> {
    let owner = federation.owners[handed.from.index()].name.clone();
    let site = &mut federation.sites[handed.site];
    let short = |has: Fraction| Meaning::ShareTooSmall {
        owner: owner.clone(),
        site: site.name.clone(),
        has: has.written(),
        needs: handed.share.written(),
    };
    let mine = site.shares.iter().position(|&(owner, _)| owner == handed.from);
    let Some(mine) = mine else { return Err(short(Fraction::ZERO)) };
    let has = site.shares[mine].1;
    let Some(left) = has.as_ppm().checked_sub(handed.share.as_ppm()) else { return Err(short(has)) };
    site.shares[mine].1 = Fraction::ppm(left);
    match site.shares.iter_mut().find(|(owner, _)| *owner == handed.to) {
        Some((_, share)) => *share = Fraction::ppm(share.as_ppm() + handed.share.as_ppm()),
        None => site.shares.push((handed.to, handed.share)),
    }
    Ok(())
}
