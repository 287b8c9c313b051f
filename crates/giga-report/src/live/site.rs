//! Sites as they are now, a line for each pool.

use giga_formats::api::{PoolView, SiteAnswer, SiteList, SiteView};
use giga_units::{Instant, Power};

use super::{ahead, limit, text};
use crate::figures::power;
use crate::table::{Side, table};

/// The sites with their pools, and what is to be known of those that are closed or only described.
#[must_use]
pub fn sites(list: &SiteList, now: Instant) -> String {
    let columns = [
        ("site", Side::Left),
        ("country", Side::Left),
        ("pool", Side::Left),
        ("accelerator", Side::Left),
        ("free", Side::Right),
        ("of", Side::Right),
        ("down", Side::Right),
        ("running", Side::Right),
        ("waiting", Side::Right),
        ("power free", Side::Right),
        ("of", Side::Right),
        ("electricity", Side::Right),
        ("carbon", Side::Right),
    ];
    let rows = list.sites.iter().flat_map(|site| {
        let pools = site.pools.iter().map(Some).chain(site.pools.is_empty().then_some(None));
        pools.enumerate().map(|(index, pool)| row(site, pool, index == 0)).collect::<Vec<_>>()
    });
    let mut out = text(table(&columns, rows));
    for site in &list.sites {
        let told = limit::remarks(site, now).into_iter();
        out.extend(told.map(|remark| format!("  {} {remark}\n", site.name)));
        if let Some(until) = site.closed_until {
            let until = ahead(until, now);
            out.push_str(&format!("  {} is out for maintenance until {until}\n", site.name));
        }
        if site.engine.is_none() {
            out.push_str(&format!(
                "  {} is only described: it has no `engine`, and nothing runs there\n",
                site.name
            ));
        }
    }
    out
}

/// The answer to an order in a few lines: what came of it, what the site runs, and what is to be known of it.
#[must_use]
pub fn ordered(answer: &SiteAnswer, now: Instant) -> String {
    let site = &answer.site;
    let runs = format!("{}: {} running, {} waiting\n", site.name, site.running, site.waiting);
    let remarks = answer.notes.iter().cloned().chain(limit::remarks(site, now));
    std::iter::once(runs).chain(remarks.map(|remark| format!("  {remark}\n"))).collect()
}

/// The line of a pool; what is the site's stands on its first only.
fn row(site: &SiteView, pool: Option<&PoolView>, first: bool) -> Vec<String> {
    let of_site = |text: String| if first { text } else { String::new() };
    let of_pool = |text: fn(&PoolView) -> String| pool.map_or_else(String::new, text);
    let watt = |milliwatt| power(Power::milliwatts(milliwatt));
    vec![
        of_site(site.name.clone()),
        of_site(site.country.clone()),
        of_pool(|pool| pool.name.clone()),
        of_pool(|pool| pool.accelerator.clone()),
        of_pool(|pool| pool.free.to_string()),
        of_pool(|pool| pool.accelerators.to_string()),
        of_pool(|pool| pool.down.to_string()),
        of_site(site.running.to_string()),
        of_site(site.waiting.to_string()),
        of_site(watt(site.power_free_milliwatt)),
        of_site(watt(site.power_headroom_milliwatt)),
        of_site(site.electricity_price.clone()),
        of_site(site.carbon_intensity.clone()),
    ]
}
