//! What classes of work take from the built-in ones.

use super::{Gap, fill, made, names, quoted};
use crate::description::classes::{CLASSES, Class, find};
use crate::description::diagnostic::{Findings, nearest};
use crate::description::record::{Record, Value};

/// Keys of which a written one keeps the built-in class from giving any of the group.
const GROUPS: &[&[&str]] = &[
    &["share", "every", "count"],
    &["peak_hour", "swing", "every", "count"],
    &["length", "median", "sigma"],
];

/// Fills in the mix where no class is written, and the keys of classes that are.
pub(super) fn complete(root: &mut Record, findings: &mut Findings) {
    let Some(first) = names(root, "programme").into_iter().next() else { return };
    let gangs = gang_limits(root);
    let mix = |root: &Record| -> Vec<Record> { CLASSES.iter().map(|class| mixed(root, class)).collect() };
    let built = match root.table("workload") {
        Some(workload) if !workload.has("class") => mix(workload),
        _ => Vec::new(),
    };
    let Some(workload) = root.table_mut("workload") else { return };
    workload.append("class", built, "no class is written: the built-in mix");
    for class in workload.tables_mut("class") {
        one(class, &first, &gangs, findings);
    }
}

fn mixed(workload: &Record, class: &Class) -> Record {
    made(workload, "class", "the built-in mix", &[("name", class.name), ("like", class.name)])
}

fn one(class: &mut Record, first: &str, gangs: &Gangs, findings: &mut Findings) {
    let base = match base_of(class) {
        Ok(base) => base,
        Err(fault) => {
            findings.add(&class.span_of("like"), class.path_of("like"), &fault);
            class.broken = true;
            return;
        }
    };
    class.fill("programme", Value::Text(first.to_owned()), "the first programme");
    match (class.has("name"), base) {
        (true, _) => {}
        (false, Some(base)) => class.fill("name", Value::Text(base.name.to_owned()), "the name in `like`"),
        (false, None) => {
            findings.add(&class.span, class.path_of("name"), &Gap::NoName);
            class.broken = true;
        }
    }
    if let Some(base) = base {
        inherit(class, base, gangs);
    }
    rest(class, findings);
}

fn base_of(class: &Record) -> Result<Option<&'static Class>, Gap> {
    let Some(name) = class.text("like") else { return Ok(None) };
    let known = || CLASSES.iter().map(|class| class.name);
    let unknown = || Gap::UnknownClass {
        name: name.to_owned(),
        nearest: nearest(name, known()),
        known: quoted(known()),
    };
    find(name).map(Some).ok_or_else(unknown)
}

/// Takes from the built-in class what is not written, unless something written says it in another way.
fn inherit(class: &mut Record, base: &Class, gangs: &Gangs) {
    let written: Vec<&str> =
        class.section.fields.iter().map(|f| f.key).filter(|key| class.has(key)).collect();
    let blocked = |key: &str| GROUPS.iter().any(|group| group.contains(&key) && clash(key, group, &written));
    let fixed = written.contains(&"length");
    for (key, text, source) in base.figures {
        let length = fixed && key.starts_with("length_");
        let cost = *key == "checkpoint_cost" && written.contains(&"checkpoint");
        if written.contains(key) || blocked(key) || length || cost {
            continue;
        }
        if *key == "sizes" {
            let most = gangs.most(class);
            sizes(class, text, source, most);
        } else {
            fill(class, key, text, source);
        }
    }
}

/// Whether a written key of the group says the same thing in another way.
fn clash(key: &str, group: &[&str], written: &[&str]) -> bool {
    let other = |name: &&&str| written.contains(*name);
    match key {
        "share" | "peak_hour" | "swing" => {
            group.iter().filter(|k| ["every", "count"].contains(k)).any(|k| other(&k))
        }
        _ => group.iter().filter(|k| **k == "length").any(|k| other(&k)),
    }
}

/// Fills in the built-in sizes that fit; where none does, the largest power of two that fits.
fn sizes(class: &mut Record, text: &str, source: &str, most: u64) {
    fill(class, "sizes", text, source);
    let fitting: Vec<Record> = class
        .tables("sizes")
        .iter()
        .filter(|size| size.count("accelerators") <= Some(most))
        .cloned()
        .collect();
    if fitting.len() == class.tables("sizes").len() {
        return;
    }
    let note =
        format!("{source}; cut to gangs of at most {most}: the programme's bound, or half the largest pool");
    let field = class.section.field("sizes").expect("a class has sizes");
    let value = if fitting.is_empty() {
        let power = 1_u64 << most.max(1).ilog2();
        crate::description::decode::literal(
            field,
            &format!("[{{ accelerators = {power} }}]"),
            &class.path,
            &class.span,
        )
    } else {
        Value::Tables(fitting)
    };
    let (span, origin) = (class.span.clone(), crate::description::record::Origin::Filled(note));
    class.put(crate::description::record::Entry { field, value, span, origin });
}

/// Fills in what every class has, and asks for what no rule gives.
fn rest(class: &mut Record, findings: &mut Findings) {
    let fixed = class.entry("length").map(|entry| entry.value.clone());
    if let Some(length) = fixed {
        for key in ["length_min", "length_max"] {
            class.fill(key, length.clone(), "`length`");
        }
    }
    fill(class, "length_min", "\"1 min\"", "assumption");
    fill(class, "length_max", "\"60 d\"", "assumption");
    fill(class, "guess_max", "2.5", "Tsafrir et al. 2005: users ask for more than they need; an assumption");
    fill(class, "checkpoint", "\"none\"", "nothing is said of it");
    fill(class, "draw", "\"70 %\"", "assumption");
    if class.text("checkpoint") == Some("young") {
        fill(class, "checkpoint_cost", "\"2 min\"", "assumption");
    }
    if !class.has("sizes") {
        let name = class.text("name").unwrap_or("without name").to_owned();
        let fault = Gap::NoClassKey { class: name, key: "sizes", example: "[{ accelerators = 8 }]" };
        findings.add(&class.span, class.path_of("sizes"), &fault);
        class.broken = true;
    }
}

/// The largest gang that makes sense: what a programme lets in, and half the largest pool.
struct Gangs {
    programmes: Vec<(String, Option<u64>)>,
    half_pool: u64,
}

impl Gangs {
    fn most(&self, class: &Record) -> u64 {
        let name = class.text("programme");
        let bound = self.programmes.iter().find(|(programme, _)| Some(programme.as_str()) == name);
        bound.and_then(|(_, most)| *most).unwrap_or(u64::MAX).min(self.half_pool).max(1)
    }
}

fn gang_limits(root: &Record) -> Gangs {
    let programme = |record: &Record| Some((record.text("name")?.to_owned(), record.count("gang_max")));
    let programmes = root.tables("programme").iter().filter_map(programme).collect();
    let mut pools = std::collections::BTreeMap::<(usize, &str), u64>::new();
    for (site, record) in root.tables("site").iter().enumerate() {
        for pool in record.tables("phase").iter().flat_map(|phase| phase.tables("pool")) {
            if let (Some(name), Some(count)) = (pool.text("name"), pool.count("accelerators")) {
                let sum = pools.entry((site, name)).or_default();
                *sum = sum.saturating_add(count);
            }
        }
    }
    let largest = pools.values().max().copied().unwrap_or(u64::MAX);
    Gangs { programmes, half_pool: largest / 2 }
}
