//! Where a site's energy comes from.

use giga_control::energy::Sourcing;
use giga_facility::quantity::{EurosPerJoule, Joules, KilogramsPerJoule, Watts};
use giga_facility::supply::{
    Backup, Battery, Connection, Contract, Kind, Origin, Parts, Source, Supply, SupplyError, Tariff, Terms,
};
use giga_model::{GridLimit, Series, Site};
use giga_units::{CarbonIntensity, Duration, Energy, EnergyPrice, Fraction, Instant, Power};

use crate::description::record::Record;

/// Hours in the month of `self_discharge`.
const MONTH: f64 = 730.0;

/// What a site says of its supply.
///
/// # Errors
/// Names a part that the model does not hold for, which the field table should not let through.
pub(super) fn supply(record: &Record, firm: Power, start: Instant) -> Result<Sourcing, SupplyError> {
    let interruptible = power(record, "interruptible");
    let sources = record.tables("source");
    let parts = Parts {
        connection: Connection { firm: firm.into(), interruptible, export: power(record, "export") },
        contracts: record.tables("contract").iter().map(contract).collect(),
        sources: sources.iter().map(source).collect(),
        batteries: record.table("battery").map(battery).into_iter().collect(),
        backup: record.table("backup").map(backup),
        lost_load: price(record, "lost_load"),
    };
    Ok(Sourcing {
        supply: Supply::new(parts)?,
        tariff: Tariff { surcharge: price(record, "surcharge"), deduction: price(record, "deduction") },
        factors: sources.iter().map(|source| factors(source, start)).collect(),
        residual: record.amount("residual_carbon"),
        reserve: part(record, "reserve"),
        backup_bridges: record.table("backup").is_some_and(|backup| backup.flag("bridges")),
        limits: Vec::new(),
    })
}

/// What a site pays for what it takes from the grid: the price of the exchange and what lies on top of it.
pub(super) fn surcharged(site: &mut Site, supply: &Record) {
    let surcharge: EnergyPrice = supply.amount_or_zero("surcharge");
    let paid = |price: i64| price + surcharge.as_microeuro_per_kwh();
    site.electricity_price =
        EnergyPrice::microeuro_per_kwh(paid(site.electricity_price.as_microeuro_per_kwh()));
    site.price_series = site.price_series.take().map(|series| series.map(paid));
}

/// Raises the limits of a site by what its battery and engines add, and keeps those of the grid beside them. Gives what readers
/// should know of it.
pub(super) fn bridge(site: &mut Site, sourcing: &mut Sourcing) -> Option<String> {
    let given = site.limits.clone();
    let bridged = sourcing.bridged(site, &given);
    let note = if site.engine.is_none() {
        site.limits = bridged;
        told(site, &given)
    } else {
        // Nothing here gives orders to the battery of a live site.
        let name = &site.name;
        (bridged != given).then(|| {
            format!("`{name}`, supply: it has an `engine`, so nothing bridges its limits: nobody gives orders to its battery")
        })
    };
    sourcing.limits = given;
    note
}

/// What there is to say of limits that are bridged; nothing where none is.
fn told(site: &Site, given: &[GridLimit]) -> Option<String> {
    let added = |(limit, given): (&GridLimit, &GridLimit)| limit.power.saturating_sub(given.power);
    let added = site.limits.iter().zip(given).map(added).filter(|added| *added > Power::ZERO);
    let (count, most) = (added.clone().count(), added.max()?);
    Some(format!(
        "`{}`, supply: in {count} of {} times in which the grid gives less, battery and engines add up to {:.2} MW; what the battery did not have \
         then is `unserved` after the run",
        site.name,
        given.len(),
        most.as_milliwatts() as f64 / 1e9
    ))
}

fn power(record: &Record, key: &str) -> Watts {
    record.amount_or_zero::<Power>(key).into()
}

fn price(record: &Record, key: &str) -> EurosPerJoule {
    record.amount_or_zero::<EnergyPrice>(key).into()
}

fn part(record: &Record, key: &str) -> f64 {
    record.amount::<Fraction>(key).map_or(0.0, Fraction::as_f64)
}

fn contract(record: &Record) -> Contract {
    let is_renewable = record.flag("origin_renewable");
    let of_origin = record.amount::<CarbonIntensity>("origin_carbon").map(KilogramsPerJoule::from);
    let origin = of_origin
        .or(is_renewable.then_some(KilogramsPerJoule::ZERO))
        .map(|carbon| Origin { carbon, is_renewable });
    Contract { power: power(record, "power"), price: price(record, "price"), origin }
}

fn source(record: &Record) -> Source {
    let paid = price(record, "price");
    Source {
        kind: kind(record.text("kind").unwrap_or_default()),
        rated: power(record, "power"),
        terms: match record.text("terms") {
            Some("own") => Terms::Own(paid),
            Some("settled") => Terms::Settled(paid),
            _ => Terms::Contracted(paid),
        },
        carbon: record.amount_or_zero::<CarbonIntensity>("carbon").into(),
    }
}

/// What a source lives on, by its word.
pub(super) fn kind(word: &str) -> Kind {
    match word {
        "sun" => Kind::Sun,
        "hydro" => Kind::Hydro,
        _ => Kind::Wind,
    }
}

/// Capacity factors by the hour in thousandths of a percent; a mean holds always.
fn factors(source: &Record, start: Instant) -> Series {
    let hours = source.table("factors").and_then(|factors| {
        Series::new(factors.date("first")?, Duration::hours(1), factors.numbers("values").to_vec())
    });
    hours.unwrap_or_else(|| {
        let mean = libm::round(part(source, "mean") * 1e5) as i64;
        Series::new(start, Duration::hours(1), vec![mean]).expect("there is a value")
    })
}

fn battery(record: &Record) -> Battery {
    let capacity = Joules(record.amount_or_zero::<Energy>("capacity").as_joules() as f64);
    let efficiency = part(record, "efficiency");
    Battery {
        charge_efficiency: efficiency,
        discharge_efficiency: efficiency,
        self_discharge: (part(record, "self_discharge") / MONTH).min(0.5),
        wear: price(record, "wear"),
        ..Battery::lithium(capacity, power(record, "power"))
    }
}

fn backup(record: &Record) -> Backup {
    Backup {
        power: power(record, "power"),
        price: price(record, "price"),
        carbon: record.amount_or_zero::<CarbonIntensity>("carbon").into(),
    }
}
