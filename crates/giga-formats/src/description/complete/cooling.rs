//! Plants: what a description does not say of one is as in the preset of its kind; what would be without effect is refused.

use giga_facility::{Design, Preset, district};
use thiserror::Error;

use super::fill;
use crate::description::diagnostic::{Explain, Findings};
use crate::description::field;
use crate::description::record::{Origin, Record};
use crate::description::warmth::{Difference, Temperature};
use giga_facility::quantity::{Celsius, Kelvin, Watts};
use giga_units::{Amount as _, Fraction};

/// What can be wrong with a plant.
#[derive(Debug, Error)]
enum PlantFault {
    #[error("`facility_factor` has no effect beside `[site.cooling]`, from which the overhead follows,")]
    Factor,
    #[error("`{key}` has no effect where liquid takes no heat")]
    NoLiquid { key: &'static str },
    #[error("`cycles` has no effect where no water evaporates")]
    NoWater,
    #[error("`carnot` has no effect without chillers")]
    NoChillers,
    #[error("pads and chillers can not work behind one loop")]
    PadsAndChillers,
    #[error("it is not said how much heat the network takes")]
    NoReuse,
    #[error("the network takes `power` and also a `share`")]
    TwoReuses,
    #[error("`carnot` has no effect without a heat pump")]
    NoPump,
    #[error(
        "the liquid comes back with {back} °C, and the network asks for {asked} °C: without a heat pump it takes nothing"
    )]
    TooCold { back: String, asked: String },
}

impl Explain for PlantFault {
    fn help(&self) -> String {
        match self {
            Self::Factor => "keep one of the two".into(),
            Self::NoLiquid { key } => format!("drop `{key}`, or write `liquid_share`"),
            Self::NoWater => "drop it, or write `kind = \"tower\"` or `kind = \"warm-water-wet\"`".into(),
            Self::NoChillers => "drop it, or write `chillers = \"rooms\"`".into(),
            Self::PadsAndChillers => "write `chillers = \"rooms\"`, or `kind = \"warm-water\"`".into(),
            Self::NoReuse => {
                "write `power = \"5 MW\"`, or `share = \"30 %\"` of what the liquid takes at full load".into()
            }
            Self::TwoReuses => "keep one of the two".into(),
            Self::NoPump => "drop it, or write `heat_pump = true`".into(),
            Self::TooCold { .. } => {
                "write `heat_pump = true`, a lower `temperature`, or a warmer `supply`".into()
            }
        }
    }
}

/// Fills in the plants of all sites, and judges them.
pub(super) fn complete(root: &mut Record, findings: &mut Findings, notes: &mut Vec<String>) {
    for site in root.tables_mut("site") {
        if !site.has("cooling") {
            continue;
        }
        factor(site, findings, notes);
        let Some(plant) = site.table_mut("cooling").filter(|plant| !plant.broken) else { continue };
        judge(plant, findings);
        if !plant.broken {
            defaults(plant);
        }
    }
}

/// The preset of a kind, by its word.
pub(crate) fn preset(kind: &str) -> Preset {
    match kind {
        "tower" => Preset::Tower,
        "warm-water-wet" => Preset::WarmWaterWet,
        "chilled-air" => Preset::ChilledAir,
        _ => Preset::WarmWater,
    }
}

/// A factor that stands beside a plant is not used. That of before it was refused, an expanded default, is let through.
fn factor(site: &mut Record, findings: &mut Findings, notes: &mut Vec<String>) {
    let is_written = site.entry("facility_factor").is_some_and(|entry| entry.origin == Origin::Written);
    let field = site.section.field("facility_factor").expect("a site has one");
    let default = match field.preset {
        field::Preset::Is(text) => text.parse().ok(),
        _ => None,
    };
    let is_default = site.factor("facility_factor").map(Fraction::as_f64) == default;
    if is_written && !is_default && !site.broken_at("facility_factor") {
        let (span, path) = (site.span_of("facility_factor"), site.path_of("facility_factor"));
        findings.add_beside(&span, &site.span_of("cooling"), path, &PlantFault::Factor);
        site.broken = true;
    } else if is_written && is_default {
        let name = site.text("name").unwrap_or_default();
        notes.push(format!("`{name}`: `facility_factor` has no effect beside `[site.cooling]`, from which the overhead follows"));
    }
    if !site.broken_at("facility_factor") {
        site.drop("facility_factor");
    }
}

/// Refuses what has no effect, and what can not be.
fn judge(plant: &mut Record, findings: &mut Findings) {
    let kind = preset(plant.text("kind").unwrap_or_default());
    let mut faults = Vec::new();
    let share = plant.amount::<Fraction>("liquid_share").map_or(kind.design().liquid_share, Fraction::as_f64);
    for key in ["supply", "rise", "reuse"] {
        if share <= 0.0 && plant.has(key) {
            faults.push((key, PlantFault::NoLiquid { key }));
        }
    }
    let chillers = plant.text("chillers");
    if plant.has("cycles") && !has_water(kind, share) {
        faults.push(("cycles", PlantFault::NoWater));
    }
    if plant.has("carnot") && chillers == Some("none") {
        faults.push(("carnot", PlantFault::NoChillers));
    }
    if kind == Preset::WarmWaterWet && chillers == Some("all") && share > 0.0 {
        faults.push(("chillers", PlantFault::PadsAndChillers));
    }
    for (key, fault) in &faults {
        findings.add(&plant.span_of(key), plant.path_of(key), fault);
    }
    plant.broken |= !faults.is_empty();
    let design = kind.design();
    let supply = plant.amount::<Temperature>("supply").map_or(design.supply, Celsius::from);
    let back = supply + plant.amount::<Difference>("rise").map_or(design.rise, Kelvin::from);
    if !plant.broken && plant.table("reuse").is_some_and(|reuse| !network_is_sound(reuse, back, findings)) {
        plant.broken = true;
    }
}

fn has_water(kind: Preset, liquid_share: f64) -> bool {
    kind == Preset::Tower || (kind == Preset::WarmWaterWet && liquid_share > 0.0)
}

fn network_is_sound(reuse: &Record, back: Celsius, findings: &mut Findings) -> bool {
    let usual = district(Watts::ZERO);
    let asked = reuse.amount::<Temperature>("temperature").map_or(usual.network, Celsius::from);
    let approach = reuse.amount::<Difference>("approach").map_or(usual.approach, Kelvin::from);
    let (key, fault) = match (reuse.has("power"), reuse.has("share"), reuse.flag("heat_pump")) {
        (false, false, _) => ("power", PlantFault::NoReuse),
        (true, true, _) => ("power", PlantFault::TwoReuses),
        (.., false) if reuse.has("carnot") => ("carnot", PlantFault::NoPump),
        (.., false) if back - approach < asked => {
            let [back, asked] = [back, asked + approach].map(|degrees| degrees.0.to_string());
            ("temperature", PlantFault::TooCold { back, asked })
        }
        _ => return true,
    };
    findings.add(&reuse.span_of(key), reuse.path_of(key), &fault);
    false
}

/// What the preset of the kind has, each with who says so.
fn defaults(plant: &mut Record) {
    let kind = preset(plant.text("kind").unwrap_or_default());
    let Design { supply, rise, approach, liquid_share, carnot_share, cycles, spare, .. } = kind.design();
    let is_tower = kind == Preset::Tower;
    let percent = |part: f64| format!("\"{}\"", Fraction::ppm(libm::round(part * 1e6) as u64).written());
    let loops = if is_tower {
        "Frontier: 30 to 38 °C (Sun and others 2024, Scientific Data 11:1077)"
    } else {
        "Leonardo: 37 to 47 °C"
    };
    let machines = if is_tower {
        "ASHRAE 90.1-2019, table 6.8.1-3: 6.28 for large centrifugal machines, at the rating of AHRI 550/590"
    } else {
        "ASHRAE 90.1-2019, table 6.8.1-3: 2.96 for large air-cooled machines, at the rating of AHRI 550/590"
    };
    let shared = match kind {
        Preset::Tower => "RAPS model of Frontier: `cooling_efficiency`",
        Preset::ChilledAir => "room air by definition",
        _ => "assumption: power supplies, network and disks stay in air",
    };
    fill(plant, "liquid_share", &percent(liquid_share), shared);
    let share = plant.amount::<Fraction>("liquid_share").map_or(0.0, Fraction::as_f64);
    if share > 0.0 {
        fill(plant, "supply", &format!("\"{} °C\"", supply.0), loops);
        fill(plant, "rise", &format!("\"{} K\"", rise.0), loops);
    }
    fill(plant, "approach", &format!("\"{} K\"", approach.0), "assumption");
    fill(plant, "chillers", "\"rooms\"", "assumption: liquid is warm enough for the air outside");
    if plant.text("chillers") != Some("none") {
        fill(plant, "carnot", &percent(carnot_share), machines);
    }
    if has_water(kind, share) {
        fill(plant, "cycles", &cycles.to_string(), "assumption");
    }
    fill(plant, "spare", &percent(spare), "assumption");
    if let Some(reuse) = plant.table_mut("reuse").filter(|reuse| reuse.flag("heat_pump")) {
        let source = "large heat pumps reach 40 to 60 % (Arpagaus and others 2018, Energy 152)";
        fill(reuse, "carnot", "\"50 %\"", source);
    }
}
