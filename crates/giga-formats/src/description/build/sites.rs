//! Accelerators, sites, phases and pools.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use giga_control::energy::Sourcing;
use giga_model::{
    Accelerator, AcceleratorId, ContainerRuntime, Country, EngineKind, Failures, Flexibility, Maintenance,
    OwnerId, Phase, Pool, PoolId, Site, SiteId, SlurmAccess, SlurmMode,
};
use giga_units::{CarbonIntensity, EnergyPrice, Fraction, Instant, Money, Power};

use super::cooling::{self, Cooled, Nodes};
use super::cost::per_hour;
use super::data::assurance;
use super::series::{prices, series, weather};
use super::supply;
use super::{AllNames, Sound};
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;
use crate::description::table::{NODES_MAX, POOLS_MAX};

/// Keys of a site on which its power balance depends.
const POWER_KEYS: &[&str] = &["facility_factor", "oversubscribed", "spare_power", "phase"];

/// Sites and pools with their places.
#[derive(Default)]
pub(super) struct Placed {
    pub(super) sites: Vec<Site>,
    pub(super) pools: Vec<Pool>,
    pub(super) places: Vec<(Range<usize>, String)>,
    pub(super) sound: Vec<Sound>,
    /// By site, what cools it.
    pub(super) cooled: Vec<Option<Cooled>>,
    /// By site, where its energy comes from.
    pub(super) sourcing: Vec<Option<Sourcing>>,
    /// What readers should know, a sentence each.
    pub(super) notes: Vec<String>,
}

/// The kinds of accelerators.
pub(super) fn accelerators(root: &Record, rate: Fraction, findings: &mut Findings) -> Vec<Accelerator> {
    root.tables("accelerator").iter().map(|record| accelerator(record, rate, findings)).collect()
}

fn accelerator(record: &Record, rate: Fraction, findings: &mut Findings) -> Accelerator {
    let small = |key| record.count(key).and_then(|count| u16::try_from(count).ok()).unwrap_or(1);
    let built = Accelerator {
        name: record.text("name").unwrap_or_default().to_owned(),
        per_node: small("per_node"),
        nodes_per_rack: small("nodes_per_rack"),
        node_idle: record.amount_or_zero("node_idle"),
        node_max: record.amount_or_zero("node_max"),
        memory: record.amount_or_zero("memory"),
        speed: record.amount_or_zero("speed"),
        cost_per_hour: per_hour(record.amount_or_zero("cost"), rate, record.amount_or_zero("life")),
    };
    if built.node_idle > built.node_max && !record.broken {
        let fault = Meaning::IdleAboveMax { name: built.name.clone() };
        findings.add(&record.span_of("node_idle"), record.path_of("node_idle"), &fault);
    }
    built
}

/// The sites with their pools.
pub(super) fn sites(
    root: &Record,
    names: &AllNames<'_>,
    accelerators: &[Accelerator],
    rate: Fraction,
    findings: &mut Findings,
) -> Placed {
    let mut placed = Placed::default();
    for (index, record) in root.tables("site").iter().enumerate() {
        let mut builder = Builder {
            id: SiteId::at(index),
            root,
            names,
            accelerators,
            pools: BTreeMap::new(),
            nodes: 0,
            power: POWER_KEYS.iter().all(|key| !record.broken_at(key)),
            placed: &mut placed,
            findings,
        };
        let site = builder.site(record, rate);
        let phases = record.tables("phase");
        let sound =
            Sound { power: builder.power, dates: phases.iter().all(|phase| phase.date("opens").is_some()) };
        placed.sites.push(site);
        placed.sound.push(sound);
    }
    placed
}

/// Builds one site.
struct Builder<'r, 'w> {
    id: SiteId,
    root: &'r Record,
    names: &'w AllNames<'r>,
    accelerators: &'w [Accelerator],
    /// The pools of the site by name.
    pools: BTreeMap<&'r str, PoolId>,
    /// Nodes of all phases so far.
    nodes: u64,
    /// Whether the power balance can be judged so far.
    power: bool,
    placed: &'w mut Placed,
    findings: &'w mut Findings,
}

impl<'r> Builder<'r, '_> {
    fn site(&mut self, record: &'r Record, rate: Fraction) -> Site {
        let phases: Vec<Phase> = record.tables("phase").iter().map(|phase| self.phase(phase)).collect();
        let cooled = self.cooled(record, &phases);
        let overheads = cooled.as_ref().map(|cooled| Arc::new(cooled.overheads()));
        let factor = cooled.as_ref().map(Cooled::factor).or(record.factor("facility_factor"));
        self.placed.cooled.push(cooled);
        let sourcing = self.sourcing(record, &phases);
        self.placed.sourcing.push(sourcing);
        let capital = record.amount_or_zero::<Money>("facility_cost");
        let start = self.root.date("start").unwrap_or_default();
        let price: EnergyPrice = record.amount_or_zero("electricity_price");
        let carbon: CarbonIntensity = record.amount_or_zero("carbon_intensity");
        Site {
            name: record.text("name").unwrap_or_default().to_owned(),
            country: self.country(record),
            phases,
            pools: self
                .pools
                .values()
                .copied()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect(),
            facility_factor: factor.unwrap_or(Fraction::ONE),
            overheads,
            electricity_price: price,
            price_series: prices(record.table("price_series"), price.as_microeuro_per_kwh(), start),
            carbon_intensity: carbon,
            carbon_series: series(record.table("carbon_series"), carbon.as_milligrams_per_kwh()),
            weather: record.table("weather").and_then(weather),
            assurance: assurance(record),
            flexibility: self.flexibility(record),
            limits: Vec::new(),
            facility_cost_per_megawatt_hour: per_hour(capital, rate, record.amount_or_zero("facility_life")),
            oversubscribed: record.flag("oversubscribed"),
            spare_power: record.flag("spare_power"),
            shares: self.shares(record),
            failures: record.table("failures").and_then(failures),
            maintenance: record.table("maintenance").and_then(maintenance),
            engine: record.text("engine").and_then(EngineKind::parse),
            slurm: self.slurm(record).map(Box::new),
            containers: record.text("containers").and_then(ContainerRuntime::parse),
            ramp_most: record.amount("ramp_most"),
        }
    }

    /// What cools it, where it says so.
    fn cooled(&mut self, site: &Record, phases: &[Phase]) -> Option<Cooled> {
        let plant = site.table("cooling")?;
        // Where there is none, that is reported.
        let weather = site.table("weather");
        let Some(weather) = weather.filter(|_| !site.broken_at("weather")) else {
            self.power = false;
            return None;
        };
        if weather.broken || plant.broken || !self.power {
            self.power = false;
            return None;
        }
        let sum = |phases: &[Phase], of: fn(&Accelerator) -> Power| {
            let draw = |&(pool, nodes): &(PoolId, u32)| {
                let kind = self.placed.pools[pool.index()].accelerator;
                of(&self.accelerators[kind.index()]).times(u64::from(nodes))
            };
            phases.iter().flat_map(|phase| &phase.nodes).map(draw).sum::<Power>()
        };
        let idle = sum(phases.get(..1)?, |kind| kind.node_idle);
        let nodes = Nodes { idle, most: sum(phases, Accelerator::node_ceiling) };
        if nodes.most == Power::ZERO {
            return None;
        }
        let Some(cooled) = cooling::cooled(plant, weather, nodes) else {
            self.fault(site, "cooling", &Meaning::NoPlant);
            return None;
        };
        let name = site.text("name").unwrap_or_default();
        self.placed.notes.push(format!("`{name}`, cooling: {}", cooled.about()));
        Some(cooled)
    }

    /// Where its energy comes from, where it says so.
    fn sourcing(&mut self, site: &Record, phases: &[Phase]) -> Option<Sourcing> {
        let record = site.table("supply").filter(|record| !record.broken)?;
        let connection: Power = phases.iter().map(|phase| phase.power).sum();
        let start = self.root.date("start").unwrap_or_default();
        let interruptible = record.amount_or_zero::<Power>("interruptible");
        let firm = record.amount::<Power>("firm").unwrap_or(connection.saturating_sub(interruptible));
        if self.power && firm + interruptible != connection {
            let said = firm + interruptible;
            match record.has("firm") {
                true => self.fault(record, "firm", &Meaning::OtherConnection { said, connection }),
                false => self.fault(record, "interruptible", &Meaning::AllInterruptible { connection }),
            }
        }
        if record.amount_or_zero::<Fraction>("reserve") > Fraction::ZERO && !record.has("battery") {
            self.fault(record, "reserve", &Meaning::NoBattery);
        }
        match supply::supply(record, firm, start) {
            Ok(sourcing) => Some(sourcing),
            Err(error) => {
                self.fault(site, "supply", &Meaning::NoSupply { error });
                None
            }
        }
    }

    fn slurm(&mut self, site: &Record) -> Option<SlurmAccess> {
        let kind = site.text("engine").and_then(EngineKind::parse);
        let Some(record) = site.table("slurm") else {
            if kind == Some(EngineKind::Slurm) {
                self.fault(site, "engine", &Meaning::SlurmUnsaid);
            }
            return None;
        };
        if kind != Some(EngineKind::Slurm) {
            self.fault(site, "slurm", &Meaning::SlurmIdle);
        }
        let text = |key: &str| record.text(key).map(str::to_owned);
        for key in ["conf", "jwt_key", "folder", "program"] {
            if let Some(path) = text(key).filter(|path| !path.starts_with('/')) {
                self.fault(record, key, &Meaning::NotAbsolute { path });
            }
        }
        match (record.has("rest"), record.has("jwt_key")) {
            (true, false) => self.fault(record, "rest", &Meaning::SlurmRest { missing: "jwt_key" }),
            (false, true) => self.fault(record, "jwt_key", &Meaning::SlurmRest { missing: "rest" }),
            _ => {}
        }
        let pool = |pool: &Record| {
            let text = |key: &str| pool.text(key).map(str::to_owned);
            (text("name").unwrap_or_default(), text("partition"), text("constraint"))
        };
        let pools: Vec<_> = record.tables("pool").iter().map(pool).collect();
        for (pool, (name, ..)) in record.tables("pool").iter().zip(&pools) {
            if !self.pools.contains_key(name.as_str()) {
                let known = self.pools.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let (what, name) = ("pool", name.clone());
                self.fault(pool, "name", &Meaning::UnknownName { what, name, nearest: None, known });
            }
        }
        self.apart(record, &pools);
        Some(SlurmAccess {
            mode: record.text("mode").and_then(SlurmMode::parse).unwrap_or_default(),
            partition: text("partition").unwrap_or_default(),
            pools,
            gres: text("gres").filter(|gres| gres != "none").unwrap_or_default(),
            conf: text("conf"),
            rest: text("rest"),
            jwt_key: text("jwt_key"),
            user: text("user"),
            account: text("account"),
            qos: text("qos"),
            reservation: text("reservation"),
            folder: text("folder"),
            program: text("program"),
        })
    }

    /// Nodes of Slurm that two pools would share are counted twice.
    fn apart(&mut self, record: &Record, pools: &[(String, Option<String>, Option<String>)]) {
        for pool in record.tables("pool") {
            let is_one =
                |text: &str| text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.=:".contains(sign));
            if let Some(feature) = pool.text("constraint").filter(|text| text.is_empty() || !is_one(text)) {
                self.fault(pool, "constraint", &Meaning::OneFeature { text: feature.to_owned() });
            }
        }
        let mut places: BTreeMap<(Option<&str>, Option<&str>), &str> = BTreeMap::new();
        for &name in self.pools.keys() {
            let own = pools.iter().find(|(known, ..)| known == name);
            let partition =
                own.and_then(|(_, partition, _)| partition.as_deref()).or(record.text("partition"));
            let place = (partition, own.and_then(|(.., constraint)| constraint.as_deref()));
            if let Some(one) = places.insert(place, name) {
                let (one, other) = (one.to_owned(), name.to_owned());
                self.findings.add(
                    &record.span_of("partition"),
                    record.path_of("partition"),
                    &Meaning::SameNodes { one, other },
                );
            }
        }
    }

    fn fault(&mut self, record: &Record, key: &str, fault: &Meaning) {
        self.findings.add(&record.span_of(key), record.path_of(key), fault);
    }

    fn flexibility(&mut self, record: &Record) -> Flexibility {
        let about = flexibility(record);
        if let Some(engine) = record.text("engine").and_then(EngineKind::parse) {
            let keys = [("cap_power", about.caps()), ("suspends", about.suspends)];
            for (key, _) in keys.into_iter().filter(|(_, asked)| *asked) {
                self.fault(record, key, &Meaning::EngineCanNot { engine: engine.word() });
            }
        }
        about
    }

    fn country(&mut self, record: &Record) -> Country {
        let code = record.text("country").unwrap_or("XX");
        Country::parse(code).unwrap_or_else(|| {
            self.fault(record, "country", &Meaning::Country { code: code.to_owned() });
            Country::parse("XX").expect("two capital letters")
        })
    }

    fn shares(&mut self, record: &Record) -> Vec<(OwnerId, Fraction)> {
        let mut shares = Vec::new();
        for share in record.shares("shares") {
            let path = format!("{}.{}", record.path_of("shares"), share.name);
            let owner = self.names.owners.find(&share.name, &share.span, path, self.findings);
            shares.extend(owner.map(|owner| (OwnerId::at(owner), share.part)));
        }
        shares
    }

    fn phase(&mut self, record: &'r Record) -> Phase {
        let mut nodes = Vec::<(PoolId, u32)>::new();
        self.power &= !record.broken_at("power") && !record.broken_at("pool") && record.has("power");
        for pool in record.tables("pool") {
            let Some((id, count)) = self.pool(pool) else {
                self.power = false;
                continue;
            };
            if nodes.iter().any(|&(other, _)| other == id) {
                let name = pool.text("name").unwrap_or_default().to_owned();
                self.fault(pool, "name", &Meaning::PoolTwice { pool: name });
            } else {
                nodes.push((id, count));
            }
        }
        let opens = record.date("opens").unwrap_or(Instant::unix_milliseconds(0));
        Phase { opens, power: record.amount_or_zero("power"), nodes }
    }

    /// The pool that an entry names, new or grown, and the nodes it gains.
    fn pool(&mut self, record: &'r Record) -> Option<(PoolId, u32)> {
        let kind = self.names.accelerators.at(record, "accelerator", self.findings)?;
        let (name, count) = (record.text("name")?, record.count("accelerators")?);
        if self.root.tables("accelerator")[kind].broken {
            return None;
        }
        let nodes = self.nodes_for(record, count, kind)?;
        let kind = AcceleratorId::at(kind);
        let id = match self.pools.get(name) {
            Some(&id) => id,
            None => self.new_pool(record, name, kind)?,
        };
        let first = self.placed.pools[id.index()].accelerator;
        if first != kind {
            let called = |id: AcceleratorId| self.accelerators[id.index()].name.clone();
            let fault =
                Meaning::PoolChanged { pool: name.to_owned(), first: called(first), now: called(kind) };
            self.fault(record, "accelerator", &fault);
            return None;
        }
        Some((id, nodes))
    }

    fn new_pool(&mut self, record: &Record, name: &'r str, accelerator: AcceleratorId) -> Option<PoolId> {
        if self.placed.pools.len() >= POOLS_MAX {
            self.fault(record, "name", &Meaning::TooManyPools);
            return None;
        }
        let id = PoolId::at(self.placed.pools.len());
        self.placed.pools.push(Pool { site: self.id, name: name.to_owned(), accelerator });
        self.placed.places.push((record.span_of("name"), record.path.clone()));
        self.pools.insert(name, id);
        Some(id)
    }

    fn nodes_for(&mut self, record: &Record, count: u64, kind: usize) -> Option<u32> {
        let per_node = u64::from(self.accelerators[kind].per_node);
        let nodes = count / per_node;
        if !count.is_multiple_of(per_node) {
            let (below, above) = (nodes * per_node, (nodes + 1) * per_node);
            self.fault(record, "accelerators", &Meaning::NotWholeNodes { count, per_node, below, above });
            return None;
        }
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            let site = self.root.tables("site")[self.id.index()].text("name").unwrap_or_default().to_owned();
            self.fault(record, "accelerators", &Meaning::TooManyNodes { site });
            return None;
        }
        u32::try_from(nodes).ok()
    }
}

fn flexibility(record: &Record) -> Flexibility {
    let part = |key| record.amount(key).unwrap_or(Fraction::ONE);
    Flexibility {
        cap_power: part("cap_power"),
        cap_speed: part("cap_speed"),
        suspends: record.flag("suspends"),
    }
}

fn failures(record: &Record) -> Option<Failures> {
    let failures = Failures {
        accelerator_mtbf: record.amount_or_zero("accelerator_mtbf"),
        repair: record.amount_or_zero("repair"),
    };
    record.flag("enabled").then_some(failures)
}

fn maintenance(record: &Record) -> Option<Maintenance> {
    Some(Maintenance {
        first: record.date("first")?,
        every: record.amount("every")?,
        length: record.amount("length")?,
    })
}
