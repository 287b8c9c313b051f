//! `giga limit` and `giga drain`: what operators tell a site.

use std::process::ExitCode;

use clap::Args;
use giga_formats::api::{LimitBody, SiteAnswer};
use giga_report::live;

use super::reach::Reach;
use super::server::{Server, encoded};
use super::{Refused, now};

/// What `giga limit` was asked.
#[derive(Debug, Args)]
pub(crate) struct Limit {
    /// The name of the site.
    site: String,
    /// What it may draw at the meter, such as `100W` or `2.5MW`.
    #[arg(required_unless_present = "end", conflicts_with = "end", allow_hyphen_values = true)]
    power: Option<String>,
    /// For how long, such as `30min` or `2h`.
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, required_unless_present_any = ["end", "until"])]
    lasts: Option<String>,
    /// Until when, such as `2027-03-01T08:00Z`, instead of `--for`.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["lasts", "end"])]
    until: Option<String>,
    /// End the limit that is on.
    #[arg(long, conflicts_with = "lasts")]
    end: bool,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// What `giga drain` was asked.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// The name of the site.
    site: String,
    /// Let it take work again.
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Limits a site, or ends that.
pub(super) fn limit(call: &Limit) -> Result<ExitCode, Refused> {
    let path = format!("/v1/sites/{}/limit", encoded(&call.site));
    let (Some(power), false) = (call.power.clone(), call.end) else {
        return end(&call.reach, &path);
    };
    let body = LimitBody { power, lasts: call.lasts.clone(), until: call.until.clone() };
    let sent = serde_json::to_string(&body).expect("plain values can be written");
    let text = Server::open(&call.reach)?.post(&path, &sent)?;
    call.reach.show(&text, |answer| live::limit(&answer, now()))
}

/// Drains a site, or ends that.
pub(super) fn drain(call: &Drain) -> Result<ExitCode, Refused> {
    let path = format!("/v1/sites/{}/drain", encoded(&call.site));
    if call.end {
        return end(&call.reach, &path);
    }
    let text = Server::open(&call.reach)?.post(&path, "")?;
    call.reach.show(&text, |answer: SiteAnswer| live::ordered(&answer, now()))
}

fn end(reach: &Reach, path: &str) -> Result<ExitCode, Refused> {
    let text = Server::open(reach)?.delete(path)?;
    reach.show(&text, |answer: SiteAnswer| live::ordered(&answer, now()))
}
