//! What can be wrong with the meaning of a file whose form is right: names, counts and classes of work.

use giga_facility::supply::SupplyError;
use thiserror::Error;

use super::diagnostic::Explain;
use super::table::{NODES_MAX, POOLS_MAX, PROJECTS_MAX};

/// A fault of meaning.
#[derive(Debug, Error)]
pub(crate) enum Meaning {
    #[error("there are two {what}s called `{name}`")]
    NameTwice { what: &'static str, name: String },
    #[error("there is no {what} called `{name}`")]
    UnknownName { what: &'static str, name: String, nearest: Option<String>, known: String },
    #[error("`{code}` is not a country code")]
    Country { code: String },
    #[error("`node_idle` of `{name}` is above its `node_max`")]
    IdleAboveMax { name: String },
    #[error("{count} accelerators are not a whole number of nodes of {per_node}")]
    NotWholeNodes { count: u64, per_node: u64, below: u64, above: u64 },
    #[error("pool `{pool}` holds `{first}` since an earlier phase, and here `{now}`")]
    PoolChanged { pool: String, first: String, now: String },
    #[error("pool `{pool}` stands twice in this phase")]
    PoolTwice { pool: String },
    #[error("site `{site}` would have over {NODES_MAX} nodes")]
    TooManyNodes { site: String },
    #[error("the federation would have over {POOLS_MAX} pools")]
    TooManyPools,
    #[error("the federation would have over {PROJECTS_MAX} projects")]
    TooManyProjects,
    #[error("`limits` do not ascend")]
    LimitsOrder,
    #[error("the shares of the classes are together {total}")]
    ClassShares { total: String },
    #[error("class `{class}` has `share` and also `every` or `count`")]
    TwoArrivals { class: String },
    #[error("class `{class}` does not say when its jobs come")]
    NoArrivals { class: String },
    #[error("class `{class}` has only one of `every` and `count`")]
    HalfRegular { class: String },
    #[error("class `{class}` is elastic and names several kinds of accelerators")]
    ElasticKinds { class: String },
    #[error("class `{class}` has only one of `peak_hour` and `swing`")]
    HalfCurve { class: String },
    #[error("class `{class}` comes at equal distances and can not follow the day")]
    RegularCurve { class: String },
    #[error("class `{class}` has `length` and also `median` or `sigma`")]
    TwoLengths { class: String },
    #[error("class `{class}` does not say how long its jobs take")]
    NoLength { class: String },
    #[error("`length_min` of class `{class}` is above its `length_max`")]
    LengthRange { class: String },
    #[error("`length` of class `{class}` is outside `length_min` to `length_max`")]
    LengthOutside { class: String },
    #[error("class `{class}` asks for gangs of {gang}, and programme `{programme}` lets in at most {most}")]
    GangTooLarge { class: String, gang: u32, programme: String, most: u32 },
    #[error("class `{class}` comes from programme `{programme}`, which has no project")]
    NoProject { class: String, programme: String },
    #[error("the engine `{engine}` can neither cap nor suspend work")]
    EngineCanNot { engine: &'static str },
    #[error("`engine = \"slurm\"` without `[site.slurm]`, which says how it is reached")]
    SlurmUnsaid,
    #[error("no plant can be reckoned in this weather for this site")]
    NoPlant,
    #[error("`[site.slurm]` at a site whose engine is another")]
    SlurmIdle,
    #[error("slurmrestd needs tokens, and `{missing}` is not written")]
    SlurmRest { missing: &'static str },
    #[error("`{path}` is no absolute path")]
    NotAbsolute { path: String },
    #[error("`{text}` is not one feature of nodes")]
    OneFeature { text: String },
    #[error("pools `{one}` and `{other}` would be the same nodes of Slurm")]
    SameNodes { one: String, other: String },
    #[error("this limit says neither `power` nor `part`")]
    NoPower,
    #[error("this limit has `power` and also `part`")]
    PowerTwice,
    #[error("`every` is shorter than `for`")]
    EveryShort,
    #[error("this would be {count} limits, and 10,000 are the most")]
    EveryMany { count: i64 },
    #[error("heat needs either `warmer` or `part`")]
    HeatKinds,
    #[error("`{site}` says nothing of its cooling, so that warmer air or an outage means nothing there")]
    NoCooling { site: String },
    #[error("none of these sites has such a source in its `supply`")]
    NoSources,
    #[error("it lies more than ten years behind the start, or before it")]
    ShockFar,
    #[error("what is firm and what is interruptible come to {said}, and all phases to {connection}")]
    OtherConnection { said: giga_units::Power, connection: giga_units::Power },
    #[error("more is interruptible than the {connection} of all phases")]
    AllInterruptible { connection: giga_units::Power },
    #[error("a part of a battery is kept, and there is no battery")]
    NoBattery,
    #[error("it changes nothing")]
    ShockIdle,
    #[error("`until` says when the last of several begins, and there is no `every`")]
    UntilAlone,
    #[error("`until` is before `from`")]
    UntilEarly,
    #[error("this supply can not be: {error}")]
    NoSupply { error: SupplyError },
    #[error("it is not said which sites it concerns")]
    NoPlaces,
    #[error("no site is in {code}")]
    NoSiteThere { code: String },
    #[error("shock `{name}` has {count} kinds, and takes exactly one")]
    ShockKinds { name: String, count: usize },
    #[error("a link has two different sites")]
    LinkEnds,
    #[error("these two sites have a link already")]
    LinkTwice,
    #[error("`{site}` holds `{dataset}`, and its policy forbids to process it there")]
    PlaceForbidden { dataset: String, site: String },
    #[error("jobs of class `{class}` let `{leaving}` leave, and of `{dataset}` at most `{most}` may")]
    LeavesTooMuch { class: String, leaving: &'static str, dataset: String, most: &'static str },
    #[error(
        "jobs of class `{class}` can run nowhere: they need {asks}, and no site their projects may use is one"
    )]
    RunsNowhere { class: String, asks: String },
    #[error("an agreement is between two owners and two sites")]
    AgreementWithSelf,
    #[error("one of the sites of this agreement has no accelerators")]
    NothingToExchange,
    #[error("`{owner}` has {has} of `{site}`, and this agreement takes {needs}")]
    ShareTooSmall { owner: String, site: String, has: String, needs: String },
}

impl Explain for Meaning {
    fn help(&self) -> String {
        match self {
            Self::NameTwice { .. } => "give one of them another name, or drop it".into(),
            Self::UnknownName { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownName { what, known, .. } if known.is_empty() => format!("add the {what} first"),
            Self::UnknownName { what, known, .. } => format!("add the {what}, or write one of {known}"),
            Self::Country { .. } => "write the two capital letters of ISO 3166-1, such as `NO`".into(),
            Self::IdleAboveMax { .. } => "swap the two, or write the right figures".into(),
            Self::NotWholeNodes { below: 0, above, .. } => format!("write `accelerators = {above}`"),
            Self::NotWholeNodes { below, above, .. } => {
                format!("write `accelerators = {below}` or `accelerators = {above}`")
            }
            Self::PoolChanged { first, .. } => format!("write `accelerator = \"{first}\"`, or give the pool a new name"),
            Self::PoolTwice { .. } => "write one entry with the sum, or give one of them another name".into(),
            Self::TooManyNodes { .. } => "lower `accelerators`, or split the site".into(),
            Self::TooManyPools => "join pools of the same accelerator".into(),
            Self::TooManyProjects => "lower `count`".into(),
            Self::LimitsOrder => "write the shortest first".into(),
            Self::ClassShares { .. } => {
                "change `share` in [[workload.class]] so that they add up to 100 %; how much work there is says `load`"
                    .into()
            }
            _ => self.place_help().map_or_else(|| self.class_help(), str::to_owned),
        }
    }
}

impl Meaning {
    /// The remedy of what concerns sites, times and data.
    fn place_help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoPower | Self::PowerTwice => {
                "write `power = \"150 MW\"`, or `part = \"65 %\"` of the connection that is open then"
            }
            Self::EngineCanNot { .. } => {
                "leave `cap_power` and `suspends` out where `engine` is written: work is then sent away when power is short"
            }
            Self::SlurmUnsaid => "add `[site.slurm]` with `partition = \"…\"`, a partition that is lent",
            Self::NoPlant => {
                "look for hours outside -60 to 60 degC and 60 to 110 kPa, and for nodes of over 100 GW"
            }
            Self::SlurmIdle => "write `engine = \"slurm\"`, or leave the table out",
            Self::SlurmRest { .. } => "write `rest` and `jwt_key` both, or neither to use Slurm's commands",
            Self::OneFeature { .. } => "name a single feature, without `&`, `|` and other signs",
            Self::SameNodes { .. } => {
                "give each a partition of its own, or a `constraint` that tells its nodes, in `[[site.slurm.pool]]`"
            }
            Self::NotAbsolute { .. } => "write it from `/` on: servers and nodes begin in other folders",
            Self::OtherConnection { .. } => {
                "leave `firm` out: it is what is not `interruptible` of all phases"
            }
            Self::AllInterruptible { .. } => "write less, or more `power` in the phases",
            Self::NoBattery => "add `[site.supply.battery]`, or leave `reserve` out",
            Self::ShockIdle => "write what it changes, or leave the shock out",
            Self::UntilAlone => "add `every = \"56 h\"`, or write a longer `for`",
            Self::UntilEarly => "write a later `until`",
            Self::NoSupply { .. } => "write a value within the range that is named",
            Self::EveryShort => "write a longer `every`, or a shorter `for`",
            Self::EveryMany { .. } => "write a longer `every`, or an earlier `until`",
            Self::HeatKinds => {
                "write `warmer = \"6 K\"` for sites with cooling, or `part = \"70 %\"` for others"
            }
            Self::NoCooling { .. } => {
                "add `cooling` and `weather` to the site, name other sites, or write `heat` with `part`"
            }
            Self::NoSources => {
                "add a `[[site.supply.source]]` of that `kind`, name other sites, or another `kind`"
            }
            Self::ShockFar => "write a date between the start and ten years later",
            Self::NoPlaces => {
                "write `country = \"DE\"`, `countries = [\"ES\", \"PT\"]` or `sites = [\"a\", \"b\"]`"
            }
            Self::NoSiteThere { .. } => "write the country of a site, or name `sites`",
            Self::ShockKinds { .. } => {
                "write one of `limit`, `delay`, `leave`, `heat`, `plant`, `price`, `sources`; several shocks can happen in one run"
            }
            Self::LinkEnds => "write for example `sites = [\"kajaani\", \"stuttgart\"]`",
            Self::LinkTwice => "keep one of the two; a link holds both ways",
            Self::PlaceForbidden { .. } => {
                "take the site out of `places`, or change `countries`, `sites` or `assurance` of the dataset or the site"
            }
            Self::LeavesTooMuch { .. } => {
                "let less leave, drop the dataset, or ask its holder for another `may_leave`"
            }
            Self::RunsNowhere { .. } => {
                "ask for less, add a site or a place that allows it, or send the class by projects that may use one"
            }
            Self::AgreementWithSelf => "write two different owners, and two different sites",
            Self::NothingToExchange => "name two sites with pools",
            Self::ShareTooSmall { .. } => "lower `share` or `rate`, or raise the owner's share of that site",
            _ => return None,
        })
    }

    fn class_help(&self) -> String {
        match self {
            Self::TwoArrivals { .. } => "keep `share` for random arrivals, or `every` and `count` for regular ones",
            Self::NoArrivals { .. } => {
                "write `share = \"100 %\"` for random arrivals, or `every` and `count` for regular ones"
            }
            Self::HalfRegular { .. } => "write both, such as `every = \"1 min\"` and `count = 100`",
            Self::ElasticKinds { .. } => "keep one kind, or drop `elastic`",
            Self::HalfCurve { .. } => "write both, such as `peak_hour = 14` and `swing = \"40 %\"`",
            Self::RegularCurve { .. } => "drop `peak_hour` and `swing`, or write `share` instead of `every`",
            Self::TwoLengths { .. } => "keep `length` for equal jobs, or `median` and `sigma` for a log-normal length",
            Self::NoLength { .. } => {
                "write `length = \"1 h\"` for equal jobs, or `median = \"1 h\"` and `sigma = 1` for a log-normal length"
            }
            Self::LengthRange { .. } => "swap the two, or write the right figures",
            Self::LengthOutside { .. } => "drop `length_min` and `length_max`: all jobs take `length`",
            Self::GangTooLarge { .. } => "drop the size, raise `gang_max`, or send the class by another programme",
            Self::NoProject { .. } => "add a [[project]] under that programme, or send the class by another programme",
            _ => "write the right figures",
        }
        .to_owned()
    }
}
