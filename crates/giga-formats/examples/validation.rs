//! Prints what the facility model and the readers of weather come to beside what others reckon and what was published, as tables in
//! Markdown. Verification has the same inputs as the other side; validation has inputs of its own. Nothing is fitted.
//!
//! `cargo run --release -p giga-formats --example validation -- FOLDER`, with the folder of published weather and telemetry (else
//! that of `GIGA_DATA`); without one only what needs no data is printed.
#![expect(clippy::print_stdout, reason = "what an example prints is what it is for")]

use std::path::{Path, PathBuf};

use giga_facility::air::Air;
use giga_facility::chain::{Use, frontier};
use giga_facility::cooling::Mode;
use giga_facility::indicators::{Category, Indicators, Sums, Supply, ramps};
use giga_facility::quantity::{Celsius, Pascals, Seconds, Watts};
use giga_facility::{Inputs, Preset};
use giga_formats::climate::Climate;
use giga_formats::series::{self, Quantity, Table};

/// What the nodes draw at full load; ratios do not depend on it.
const FULL: Watts = Watts(100e6);
/// Of the design, as many halls are filled: an assumption.
const LOW: f64 = 0.3;
const HOUR: Seconds = Seconds(3_600.0);
/// GB300 NVL72: 142 kW for 72 accelerators, the upper end of what vendors state.
const KILOWATTS_PER_ACCELERATOR: f64 = 142.0 / 72.0;

/// Weather years, with the hours above 24 and 32 °C that another program counted in them.
const YEARS: [(&str, Option<(usize, usize)>); 9] = [
    ("dwd-potsdam-2015.dat", Some((365, 0))),
    ("dwd-mannheim-2015.dat", Some((590, 5))),
    ("dwd-mannheim-2045.dat", Some((859, 17))),
    ("dwd-muehldorf-2015.dat", None),
    ("frankfurt-2023-openmeteo.json", None),
    ("lyon-tmyx-2004-2018.epw", Some((866, 67))),
    ("north-italy-pvgis-tmy.epw", Some((913, 32))),
    ("lisbon-ineti.epw", Some((1_057, 39))),
    ("granada-swec.epw", Some((1_278, 331))),
];

/// Weather years, and the built-in climate of the same place or of the nearest.
const CLIMATES: [(&str, &str); 6] = [
    ("dwd-potsdam-2015.dat", "berlin"),
    ("frankfurt-2023-openmeteo.json", "frankfurt"),
    ("lyon-tmyx-2004-2018.epw", "lyon"),
    ("north-italy-pvgis-tmy.epw", "milan"),
    ("lisbon-ineti.epw", "lisbon"),
    ("granada-swec.epw", "granada"),
];

const HEAD: &str = "# Verification and validation of the facility model

Printed by `cargo run --release -p giga-formats --example validation -- FOLDER > docs/validation.md`, with published weather and telemetry ([series.md](series.md)) in \
FOLDER. Verification has the same inputs as the other side, validation has inputs of its own; no constant is fitted to a case \
that it is judged on, and misses stay in. The model is in [facility.md](facility.md).
";

/// A weather year that was read, or that a built-in climate gives.
struct Weather {
    name: &'static str,
    counted: Option<(usize, usize)>,
    airs: Vec<Air>,
}

impl Weather {
    fn built_in(name: &str) -> Self {
        let climate = Climate::find(name).expect("it is built in");
        let year = climate.year();
        let air = |(dry_bulb, humidity): (&Celsius, &f64)| {
            Air::new(*dry_bulb, *humidity, year.pressure).expect("it is within the range of the model")
        };
        let airs = year.dry_bulb.iter().zip(&year.humidity).map(air).collect();
        Self { name: climate.name, counted: None, airs }
    }

    fn above(&self, limit: f64) -> usize {
        self.airs.iter().filter(|air| air.dry_bulb() > Celsius(limit)).count()
    }

    fn mean(&self) -> f64 {
        self.airs.iter().map(|air| air.dry_bulb().0).sum::<f64>() / self.airs.len() as f64
    }

    /// The dry bulb that so many of a thousand hours do not exceed.
    fn quantile(&self, part: usize) -> f64 {
        let mut hours: Vec<f64> = self.airs.iter().map(|air| air.dry_bulb().0).collect();
        hours.sort_by(f64::total_cmp);
        hours[(hours.len() * part / 1_000).min(hours.len() - 1)]
    }
}

fn main() {
    let folder = std::env::args_os().nth(1).or_else(|| std::env::var_os("GIGA_DATA")).map(PathBuf::from);
    let weather: Vec<Weather> = folder.iter().flat_map(|folder| read_all(folder)).collect();
    println!("{HEAD}");
    verification(&weather);
    let year = |preset, load| weather.iter().map(move |year| Year::of(preset, year, load));
    let years: Vec<Year> = Preset::ALL.into_iter().flat_map(|preset| year(preset, 1.0)).collect();
    let low: Vec<Year> = year(Preset::ChilledAir, LOW).collect();
    climates(&years);
    built_in(&weather, &years);
    validation(&years, &low, folder.as_deref());
}

fn read_all(folder: &Path) -> Vec<Weather> {
    let read = |&(name, counted): &(&'static str, _)| {
        let table = table(&folder.join("weather").join(name))?;
        Some(Weather { name, counted, airs: airs(&table) })
    };
    YEARS.iter().filter_map(read).collect()
}

/// What a file holds; `None`, with a line that says so, where it is not there.
fn table(path: &Path) -> Option<Table> {
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: `{}` is not there\n", path.display());
        return None;
    };
    Some(series::read(&path.display().to_string(), &text).unwrap_or_else(|faults| panic!("{faults}")))
}

fn verification(weather: &[Weather]) {
    println!("## Verification\n\n| figure | other side | ours | difference | asked |\n|---|---|---|---|---|");
    let chain = frontier::chain().expect("the stages are sound");
    let busy = Use { accelerators: 1.0, processors: 1.0 };
    for (what, busy, megawatts, conversion) in
        [("idle", Use::default(), 7.31, 92.2), ("peak", busy, 28.23, 93.6)]
    {
        let supplied = chain.supply(frontier::nodes(busy), frontier::cooling_units());
        let row = |what: String, unit: &str, other: f64, ours: f64| {
            let difference = (ours / other - 1.0) * 100.0;
            println!("| {what} | {other} {unit} | {ours:.3} {unit} | {difference:+.3} % | 0.1 % |");
        };
        row(format!("Frontier, {what}, by RAPS"), "MW", megawatts, supplied.meter.0 / 1e6);
        row(format!("its conversion, {what}"), "%", conversion, supplied.efficiency() * 100.0);
    }
    for year in weather {
        let (name, Some((warm, hot))) = (year.name, year.counted) else { continue };
        let (found_warm, found_hot) = (year.above(24.0), year.above(32.0));
        let difference = found_warm.abs_diff(warm) + found_hot.abs_diff(hot);
        println!(
            "| hours above 24 and 32 °C, `{name}` | {warm}, {hot} | {found_warm}, {found_hot} | {difference} h | 0 |"
        );
    }
    println!("\nMoist air beside PsychroLib: `.ci/outside psychrometrics`.\n");
}

/// A plant at full load through a year.
struct Year {
    preset: Preset,
    name: &'static str,
    indicators: Indicators,
    /// The least and the most that the meter shows for each power of the nodes.
    meter: (f64, f64),
    /// Hours in which a loop is warmer than it is meant to be.
    short: usize,
}

impl Year {
    fn of(preset: Preset, weather: &Weather, load: f64) -> Self {
        let nodes = FULL * load;
        let facility = preset.facility(FULL).expect("the preset is sound");
        let (mut sums, mut meter, mut short) = (Sums::default(), (f64::MAX, 0.0_f64), 0);
        for air in &weather.airs {
            let flows = facility.draw(nodes, air);
            sums.add(&flows, HOUR, Category::Three, &Supply::default());
            let ratio = flows.meter() / nodes;
            meter = (meter.0.min(ratio), meter.1.max(ratio));
            short += usize::from(flows.circuits().any(|circuit| circuit.mode == Mode::Short));
        }
        let indicators = Indicators::new(&sums, Category::Three).expect("a year has hours");
        Self { preset, name: weather.name, indicators, meter, short }
    }
}

/// The air of each hour. A file without a pressure is taken at that of the sea.
fn airs(table: &Table) -> Vec<Air> {
    let column = |quantity| table.column(quantity).map(|column| &column.values);
    let dry_bulb = column(Quantity::DryBulb).expect("weather has a temperature");
    let humidity = column(Quantity::RelativeHumidity).expect("weather has a humidity");
    let pressure = column(Quantity::Pressure);
    let air = |hour: usize| {
        let pressure = Pascals(pressure.map_or(101_325.0, |values| values[hour]));
        let humidity = (humidity[hour] / 100.0).clamp(0.01, 1.0);
        Air::new(Celsius(dry_bulb[hour]), humidity, pressure).expect("it is within the range of the model")
    };
    (0..table.len()).map(air).collect()
}

fn climates(years: &[Year]) {
    println!("## Plants at full load through published weather years\n");
    println!("| plant | weather | PUE | WUE [L/kWh] | no compressor | a loop too warm | meter over nodes |");
    println!("|---|---|---|---|---|---|---|");
    for Year { preset, name, indicators, meter, short } in years {
        let Indicators { pue, wue, free, .. } = indicators;
        let (free, least, most) = (free * 100.0, meter.0, meter.1);
        println!(
            "| {preset:?} | `{name}` | {pue:.3} | {wue:.2} | {free:.1} % | {short} h | {least:.3} to {most:.3} |"
        );
    }
    println!("\nPUE of category 3: equipment is measured where it takes its power.\n");
}

/// Built-in climates beside the published years of the same places: the air, and what plants come to in it.
fn built_in(weather: &[Weather], years: &[Year]) {
    println!("## Built-in climates beside published weather years\n");
    println!(
        "Each figure: the published year, then the built-in climate of the place or of the nearest; nothing was fitted.\n"
    );
    println!(
        "| weather, climate | mean [°C] | hours above 24 °C | above 32 °C | 99 % hour [°C] | hottest [°C] | PUE warm water | tower | \
         chilled air | WUE tower [L/kWh] | warm-water loop too warm |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (file, name) in CLIMATES {
        let Some(published) = weather.iter().find(|year| year.name == file) else { continue };
        let ours = Weather::built_in(name);
        let both = |of: &dyn Fn(&Weather) -> String| format!("{}, {}", of(published), of(&ours));
        let plant = |preset: Preset, of: &dyn Fn(&Year) -> String| {
            let theirs = years.iter().find(|year| year.preset == preset && year.name == file);
            let theirs = theirs.map_or_else(String::new, of);
            format!("{theirs}, {}", of(&Year::of(preset, &ours, 1.0)))
        };
        let pue = |preset| plant(preset, &|year| format!("{:.3}", year.indicators.pue));
        println!(
            "| `{file}`, {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            both(&|year| format!("{:.1}", year.mean())),
            both(&|year| year.above(24.0).to_string()),
            both(&|year| year.above(32.0).to_string()),
            both(&|year| format!("{:.1}", year.quantile(990))),
            both(&|year| format!("{:.1}", year.quantile(1_000))),
            pue(Preset::WarmWater),
            pue(Preset::Tower),
            pue(Preset::ChilledAir),
            plant(Preset::Tower, &|year| format!("{:.2}", year.indicators.wue)),
            plant(Preset::WarmWater, &|year| format!("{} h", year.short)),
        );
    }
    println!();
}

/// Sites and papers of which no weather year is at hand: ours through the built-in climate, or over the published years.
fn elsewhere(years: &[Year]) {
    let range = |preset: Preset, of| span(years.iter().filter(|year| year.preset == preset), of);
    let through = |preset, climate| Year::of(preset, &Weather::built_in(climate), 1.0).indicators.pue;
    println!(
        "| PUE of LUMI | 1.04 (from memory; no page with it could be read) | {:.3} in the built-in climate of Kajaani | warm water at full load; LUMI's \
         heat goes to the town by heat pumps, which are not in ours |",
        through(Preset::WarmWater, "kajaani")
    );
    println!(
        "| PUE of JUPITER | none found | {:.3} in the built-in climate of Frankfurt | warm water; pages of Jülich and the press say how it is cooled, and \
         give no figure |",
        through(Preset::WarmWater, "frankfurt")
    );
    if years.is_empty() {
        return;
    }
    println!(
        "| PUE of NREL's ESIF, a year | 1.036 (as a public repository with its data states) | {} over these years | towers behind warm water; ours has an \
         uninterruptible supply and two transformations; no weather of Golden at hand |",
        range(Preset::Tower, |year| year.indicators.pue)
    );
    println!(
        "| PUE of large sites of Google and Facebook, which Lei and Masanet reckon (Energy 201 (2020) 117556) | 1.06 to 1.18 as reported (from memory; of the \
         paper only the abstract could be read) | {} towers, {} chilled air | these sites take outside air or water without chillers, which is none of our kinds |",
        range(Preset::Tower, |year| year.indicators.pue),
        range(Preset::ChilledAir, |year| year.indicators.pue)
    );
    println!(
        "| mean of US data centres in 2023, by the model of Lei and Masanet (Shehabi and others, LBNL 2024) | PUE 1.4, WUE 0.36 L/kWh (from memory) | PUE {}, \
         no water, chilled air; WUE {} L/kWh, towers | of all kinds, ages and sizes, most of them without water |",
        range(Preset::ChilledAir, |year| year.indicators.pue),
        range(Preset::Tower, |year| year.indicators.wue)
    );
}

fn validation(years: &[Year], low: &[Year], folder: Option<&Path>) {
    println!("## Validation\n\n| figure | published | ours | remark |\n|---|---|---|---|");
    let range = |preset: Preset, of| span(years.iter().filter(|year| year.preset == preset), of);
    if !years.is_empty() {
        println!(
            "| PUE of MareNostrum 5 | down to 1.08 (press) | {} over these years | warm water, full load; no weather of Barcelona at hand |",
            range(Preset::WarmWater, |year| year.indicators.pue)
        );
        println!(
            "| mean PUE of the European data centres that reported | 1.36 (Regulation (EU) 2024/1364) | {}; {} at 30 % of the design | room air with chillers; the reported ones are of all kinds, ages and loads, ours is new |",
            range(Preset::ChilledAir, |year| year.indicators.pue),
            span(low.iter(), |year| year.indicators.pue)
        );
        println!(
            "| connection for each accelerator, Narvik [kW] | 2.3: 230 MW for 100,000 | {} in the worst hour | GB300 at 142 kW a rack, all at full draw, warm water; all of these years are warmer than Narvik's |",
            range(Preset::WarmWater, |year| year.meter.1 * KILOWATTS_PER_ACCELERATOR)
        );
        println!(
            "| water of a tower [L/kWh] | 1.47 where all heat becomes vapour | {} | with blow-down at five cycles; air takes a part of the heat dry |",
            range(Preset::Tower, |year| year.indicators.wue)
        );
    }
    let hours = years.iter().filter(|year| year.preset == Preset::WarmWater);
    let hours: Vec<String> = hours.map(|Year { name, short, .. }| format!("`{name}` {short}")).collect();
    println!(
        "| hours in which dry coolers alone leave the loop too warm | with a loop of 40 °C they nearly suffice outside southern Spain | {} | the loop is meant to be 37 °C here |",
        hours.join(", ")
    );
    elsewhere(years);
    match folder.and_then(|folder| table(&folder.join("telemetry/frontier-cdu-2024-04-07-15s.csv"))) {
        Some(day) => frontier_day(&day),
        None => println!("| Frontier's day of cooling units | – | skipped | needs the telemetry |"),
    }
    println!(
        "\nNot compared: PUE and WUE by climate and technology of Lei and Masanet (Resources, Conservation and Recycling 182 (2022) 106323): its \
         tables could not be read, and no figure of them is known here."
    );
}

/// The least and the most of something over years.
fn span<'y>(years: impl Iterator<Item = &'y Year>, of: fn(&Year) -> f64) -> String {
    let bounds = |(least, most): (f64, f64), value: f64| (least.min(value), most.max(value));
    let (least, most) = years.map(of).fold((f64::MAX, f64::MIN), bounds);
    format!("{least:.3} to {most:.3}")
}

/// A measured day of Frontier's heat through a tower plant: heat in, loop and fans out.
fn frontier_day(day: &Table) {
    let step = Seconds(day.step.as_milliseconds() as f64 / 1e3);
    let units: Vec<_> = day.columns.iter().filter(|column| column.quantity == Quantity::Power).collect();
    let wet_bulb = &day.column(Quantity::WetBulb).expect("the file has the wet bulb").values;
    let heat: Vec<Watts> =
        (0..day.len()).map(|at| Watts(units.iter().map(|unit| unit.values[at]).sum())).collect();
    for (what, published, seconds) in [("15 s", 3.1, 15.0), ("a minute", 8.4, 60.0)] {
        let found = ramps(&heat, step, Seconds(seconds));
        let (up, down) = (found.up.0 / 1e6, found.down.0 / 1e6);
        println!(
            "| Frontier's units, largest change in {what} | {published} MW | {up:.2} MW up, {down:.2} MW down | all units together, of this file |"
        );
    }
    let facility = Preset::Tower.facility(Watts(28.23e6)).expect("the preset is sound");
    // Of each watt of the nodes, and 0.06 beside them, 94.5 % go into the liquid.
    let nodes = |heat: Watts| heat * (1.0 / (1.06 * 0.945));
    let inputs = |at: usize| {
        let air = Air::new(Celsius(wet_bulb[at]), 1.0, Pascals(98_000.0)).expect("a mild day");
        Inputs::new(nodes(heat[at]), &air)
    };
    let mut state = facility.rest(&inputs(0));
    let (mut sums, mut plant, mut warmest) = (Sums::default(), Vec::new(), Celsius(0.0));
    for at in 0..heat.len() {
        let (next, flows) = facility.step(&state, &inputs(at), step);
        state = next;
        sums.add(&flows, step, Category::Three, &Supply::default());
        plant.push(flows.plant());
        warmest = flows.liquid.map_or(warmest, |circuit| warmest.max(circuit.supply));
    }
    let bounds = |values: &[Watts]| {
        let least = values.iter().fold(Watts(f64::MAX), |least, value| least.min(*value));
        (least.0, values.iter().fold(0.0, |most: f64, value| most.max(value.0)))
    };
    let ((low, high), (least, most)) = (bounds(&heat), bounds(&plant));
    let minute = ramps(&plant, step, Seconds(60.0));
    let pue = Indicators::new(&sums, Category::Three).expect("a day has steps").pue;
    println!(
        "| the day through a tower plant | not published with its inputs | heat {:.1} to {:.1} MW; plant {:.0} to {:.0} kW, at most {:.0} kW up and {:.0} kW down in a minute; supply at most {:.1} °C; PUE {pue:.3} | the file has the wet bulb alone: air is taken as saturated |",
        low / 1e6,
        high / 1e6,
        least / 1e3,
        most / 1e3,
        minute.up.0 / 1e3,
        minute.down.0 / 1e3,
        warmest.0
    );
}
