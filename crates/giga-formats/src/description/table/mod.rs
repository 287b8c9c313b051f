//! The field table: every key of a description with its kind, limits, default, source and meaning.
//!
//! Limits are set so that no sum that is later made of described values can overflow: at most 100 GW a phase, ten
//! million nodes a site, 1 MW a node, 65,000 pools.

mod cooling;
mod data;
mod over_time;
mod parties;
mod site;
mod slurm;
mod supply;
mod work;

use super::field::{
    CARBON_PRICE, DURATION, FRACTION, Field, Kind, MONEY, Section, optional, preset, required, ruled,
};

#[cfg(test)]
pub(crate) use data::LEAVING;
pub(crate) use over_time::HOURS_MAX;
pub(crate) use parties::{OWNER, PROGRAMME, PROJECT};
pub(crate) use site::{ACCELERATOR, SITE};
pub(crate) use work::WORKLOAD;

/// The number of the format that this release reads.
pub(crate) const FORMAT: u64 = 1;
/// Most pools in a federation: a pool's number is 16 bits wide.
pub(crate) const POOLS_MAX: usize = 65_000;
/// Most nodes at a site, all phases together.
pub(crate) const NODES_MAX: u64 = 10_000_000;
/// Most projects, those made by `count` included.
pub(crate) const PROJECTS_MAX: u64 = 1_000_000;

/// The whole file.
pub(crate) static FEDERATION: Section = Section {
    name: "the file",
    doc: "a federation: its sites, their owners, and the rules they agreed on",
    fields: &[
        required(
            "format",
            Kind::Count { min: 1, max: 1 },
            "1",
            "number of the format; the first key of the file",
        ),
        required("name", Kind::Text, "\"my site\"", "what people call the federation"),
        preset(
            "start",
            Kind::Date,
            "2027-01-01",
            "assumption: a full year ahead",
            "when a simulation begins",
        ),
        preset(
            "carbon_price",
            Kind::Amount { of: &CARBON_PRICE, min: "0 EUR/t", max: "10000 EUR/t" },
            "\"75 EUR/t\"",
            "assumption: middle of the range in which EU allowances traded in 2024 and 2025",
            "price put on emissions in every cost",
        ),
        preset(
            "discount_rate",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "\"7 %\"",
            "assumption: cost of capital of infrastructure with a mixed public and private fund",
            "yearly rate that turns capital into yearly cost, CRF = r(1+r)^n/((1+r)^n - 1)",
        ),
        optional("shocked", Kind::Names { max: 1_000 }, "shocks that happen, by name; without it none"),
        POLICY_FIELD,
        preset("network", Kind::Table(&data::NETWORK), "{}", "every key has one", "what connects the sites"),
        optional("link", Kind::Tables(&data::LINK, 10_000), "what connects pairs of sites"),
        optional("accelerator", Kind::Tables(&ACCELERATOR, 1_000), "kinds of accelerators defined here"),
        required(
            "site",
            Kind::Tables(&SITE, 4_000),
            "[[site]]",
            "the sites, in the order in which work tries them",
        ),
        ruled(
            "owner",
            Kind::Tables(&OWNER, 1_000),
            "no owner is written: one who owns everything",
            "who paid",
        ),
        ruled(
            "programme",
            Kind::Tables(&PROGRAMME, 1_000),
            "no programme is written: one open door",
            "the doors for users",
        ),
        ruled(
            "project",
            Kind::Tables(&PROJECT, 100_000),
            "no project is written: one for each owner under each programme",
            "the allocations",
        ),
        optional(
            "limit",
            Kind::Tables(&over_time::LIMIT, 10_000),
            "times in which the grid gives several sites less",
        ),
        data::DATASETS,
        optional("agreement", Kind::Tables(&data::AGREEMENT, 1_000), "shares that owners exchange"),
        optional("shock", Kind::Tables(&over_time::SHOCK, 1_000), "what may happen, by name"),
        optional("workload", Kind::Table(&WORKLOAD), "work to generate; without it a run needs a trace"),
    ],
};

const POLICY_FIELD: Field =
    preset("policy", Kind::Table(&POLICY), "{}", "every key has one", "how the scheduler behaves");

static POLICY: Section = Section {
    name: "[policy]",
    doc: "how the scheduler behaves",
    fields: &[
        preset(
            "half_life",
            Kind::Amount { of: &DURATION, min: "1 s", max: "100 y" },
            "\"7 d\"",
            "Slurm: PriorityDecayHalfLife defaults to 7-0",
            "after how long past use counts half among projects",
        ),
        preset(
            "sharing",
            Kind::Word(&["floors", "order"]),
            "\"floors\"",
            "owners paid for what they can claim at once",
            "what a share means: a floor that comes back when it is wanted, or only a place in the order",
        ),
        preset(
            "grace",
            Kind::Amount { of: &DURATION, min: "1 ms", max: "1 d" },
            "\"120 s\"",
            "assumption: as long as one checkpoint of the built-in work",
            "how long work that is told to leave may take to save itself",
        ),
        preset(
            "waiting_price",
            Kind::Amount { of: &MONEY, min: "0 EUR", max: "1 m EUR" },
            "\"1 EUR\"",
            "assumption: somewhat below what an accelerator-hour costs",
            "what an hour of waiting costs for each accelerator that is asked for, where sites are compared",
        ),
        preset(
            "rebind_gain",
            Kind::Amount { of: &FRACTION, min: "0 %", max: "100 %" },
            "\"10 %\"",
            "assumption: less is within the error of an estimate",
            "what another site must be cheaper by, of the cost here, before waiting work moves there",
        ),
        preset(
            "rebinds_max",
            Kind::Count { min: 0, max: 255 },
            "3",
            "assumption: more would be restlessness",
            "how often a job may be moved while it waits",
        ),
        preset(
            "reservations",
            Kind::Count { min: 1, max: 1_000 },
            "1",
            "EASY backfill: Lifka, JSSPP 1995",
            "how many of the first in the line keep a start that nothing behind them delays; more than one is \
             conservative backfill to that depth",
        ),
    ],
};
