//! Reading `summary.json` back: every figure in it, whatever later versions added, with its unit.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use super::FORMAT;

/// A summary that was read back: which run it was, and what it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSummary {
    /// The name of the federation.
    pub federation: String,
    /// Where the work came from, in words.
    pub work: String,
    /// The seed of all chance, or `None` where there was none.
    pub seed: Option<u64>,
    /// When the run began, as written.
    pub from: String,
    /// When it ended, as written.
    pub until: String,
    /// The shocks that happened, by name.
    pub shocks: Vec<String>,
    /// Its figures, in the order of the file.
    pub figures: Vec<Figure>,
}

/// One figure of a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it belongs to: the key of a list or an object, `jobs` for counts of jobs, or nothing.
    pub group: String,
    /// Which of a list, by its words: the name of a site, or programme and size.
    pub of: String,
    /// The key without its unit, words apart.
    pub what: String,
    /// The unit, or nothing for a count.
    pub unit: &'static str,
    /// How much.
    pub value: f64,
}

/// Why a text is no summary.
#[derive(Debug, Error)]
pub enum SummaryError {
    /// It is no JSON, or does not nest as a summary does.
    #[error("it is not what a run writes: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Something that every summary has is not there.
    #[error("it is not what a run writes: `{key}` is missing")]
    Missing {
        /// What.
        key: &'static str,
    },
    /// Another version wrote it.
    #[error(
        "it has format {found}, and this version reads format {FORMAT}; read it with the version that wrote it"
    )]
    OtherFormat {
        /// Which it has.
        found: u64,
    },
}

/// How a key ends, and the unit that it so says; the longer of two that fit comes first.
const UNITS: [(&str, &str); 14] = [
    ("_accelerator_hours", "accelerator-h"),
    ("_eur_per_useful_accelerator_hour", "EUR per accelerator-h"),
    ("_l_per_kwh", "L/kWh"),
    ("_kg_per_kwh", "kg/kWh"),
    ("_mwh", "MWh"),
    ("_kwh", "kWh"),
    ("_mw", "MW"),
    ("_kw", "kW"),
    ("_t", "t"),
    ("_eur", "EUR"),
    ("_m3", "m³"),
    ("_h", "h"),
    ("_s", "s"),
    ("_percent", "%"),
];

/// Reads the text of `summary.json`. What a later version of the same format added is read as well: its keys say what
/// it is.
///
/// # Errors
/// Fails where it is no summary, or one of another format.
pub fn read(text: &str) -> Result<ReadSummary, SummaryError> {
    let Node::Map(keys) = serde_json::from_str(text)? else {
        return Err(SummaryError::Missing { key: "format" });
    };
    let find = |key: &str| keys.iter().find(|(name, _)| name == key).map(|(_, node)| node);
    let text = |key: &'static str| match find(key) {
        Some(Node::Text(text)) => Ok(text.clone()),
        _ => Err(SummaryError::Missing { key }),
    };
    match find("format") {
        Some(Node::Count(format)) if *format == u64::from(FORMAT) => {}
        Some(Node::Count(format)) => return Err(SummaryError::OtherFormat { found: *format }),
        _ => return Err(SummaryError::Missing { key: "format" }),
    }
    let seed = match find("seed") {
        Some(Node::Count(seed)) => Some(*seed),
        _ => None,
    };
    let shocks = match find("shocks") {
        Some(Node::List(names)) => names.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let mut figures = Vec::new();
    for (key, node) in keys.iter().filter(|(key, _)| key != "format" && key != "seed") {
        add(&mut figures, key, node);
    }
    Ok(ReadSummary {
        federation: text("federation")?,
        work: text("work")?,
        seed,
        from: text("from")?,
        until: text("until")?,
        shocks,
        figures,
    })
}

/// The figures under a key of the whole.
fn add(figures: &mut Vec<Figure>, key: &str, node: &Node) {
    match node {
        Node::Number(_) | Node::Count(_) => {
            let (group, key) = key.strip_prefix("jobs_").map_or(("", key), |rest| ("jobs", rest));
            figures.extend(node.number().map(|value| figure(group, "", key, value)));
        }
        Node::Map(parts) => inside(figures, key, "", parts),
        Node::List(rows) => {
            let rows =
                rows.iter().filter_map(|row| if let Node::Map(parts) = row { Some(parts) } else { None });
            rows.for_each(|parts| inside(figures, key, &name_of(parts), parts));
        }
        Node::Text(_) | Node::Other => {}
    }
}

/// The figures of one object; those of an object inside it come under the same name.
fn inside(figures: &mut Vec<Figure>, group: &str, of: &str, parts: &[(String, Node)]) {
    let time = |group: &str| if group == "accelerator_hours" { "_accelerator_hours" } else { "" };
    for (key, node) in parts {
        if let Node::Map(parts) = node {
            let numbers = parts.iter().filter_map(|(key, node)| node.number().map(|value| (key, value)));
            let unit = time(key);
            figures.extend(numbers.map(|(key, value)| figure(group, of, &format!("{key}{unit}"), value)));
        }
        let unit = time(group);
        figures.extend(node.number().map(|value| figure(group, of, &format!("{key}{unit}"), value)));
    }
}

/// What a row of a list is called: all its words.
fn name_of(parts: &[(String, Node)]) -> String {
    let words = parts.iter().filter_map(|(_, node)| node.text());
    words.collect::<Vec<_>>().join(" ")
}

fn figure(group: &str, of: &str, key: &str, value: f64) -> Figure {
    let unit = UNITS.iter().find_map(|(end, unit)| key.strip_suffix(end).map(|rest| (rest, *unit)));
    let (what, unit) = unit.unwrap_or((key, ""));
    let words = |key: &str| plain(&key.replace('_', " "));
    Figure { group: words(group), of: of.to_owned(), what: words(what), unit, value }
}

/// A text as it can stand on a screen: what is no letter there is shown as such.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// JSON with its keys in the order of the text.
#[derive(Debug)]
enum Node {
    Number(f64),
    Count(u64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// Nothing, or yes or no.
    Other,
}

impl Node {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Count(count) => Some(*count as f64),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Count(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }
    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(plain(text)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(row) = rows.next_element()? {
            all.push(row);
        }
        Ok(Node::List(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = keys.next_entry()? {
            all.push(entry);
        }
        Ok(Node::Map(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{
        "format": 1, "violations": 0, "jobs_submitted": 7, "refusals": {"gang-too-large": 2}, "federation": "small",
        "work": "generated", "seed": 18446744073709551615, "from": "2027-01-01", "until": "2027-01-02", "offered_load": null,
        "accelerator_hours": {"installed": 24.0, "no_work": 1.5}, "energy_mwh": 1.25,
        "cost_eur_per_useful_accelerator_hour": 1.5,
        "sites": [{"name": "narvik", "peak_mw": 2, "accelerator_hours": {"delivered": 3}}],
        "waits": [{"programme": "fast", "accelerators": "1-8", "p95_s": 60}], "first_violations": [], "later_kwh": 4
    }"#;

    #[test]
    fn every_figure_is_read_with_its_unit_in_the_order_of_the_file() {
        let read = read(SMALL).unwrap();
        assert_eq!((read.federation.as_str(), read.seed), ("small", Some(u64::MAX)));
        let rows = read.figures.iter();
        let rows: Vec<String> = rows
            .map(|row| {
                format!("{}/{}/{}={} {}", row.group, row.of, row.what, row.value, row.unit).trim().to_owned()
            })
            .collect();
        let expected = [
            "//violations=0",
            "jobs//submitted=7",
            "refusals//gang-too-large=2",
            "accelerator hours//installed=24 accelerator-h",
            "accelerator hours//no work=1.5 accelerator-h",
            "//energy=1.25 MWh",
            "//cost=1.5 EUR per accelerator-h",
            "sites/narvik/peak=2 MW",
            "sites/narvik/delivered=3 accelerator-h",
            "waits/fast 1-8/p95=60 s",
            "//later=4 kWh",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_name_can_not_command_a_screen() {
        let text =
            SMALL.replace("\"narvik\"", "\"nar\\u001b[2J\\nvik\"").replace("later_kwh", "la\\u0007ter_kwh");
        let figures = read(&text).unwrap().figures;
        let words = figures.iter().flat_map(|row| [&row.of, &row.what, &row.group]);
        assert!(words.into_iter().all(|word| !word.contains(char::is_control)));
        assert!(figures.iter().any(|row| row.of == "nar\u{fffd}[2J\u{fffd}vik"));
    }

    #[test]
    fn what_is_no_summary_is_refused_in_words() {
        let check = |text: &str, words: &str| {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check("", "not what a run writes");
        check("[1]", "`format` is missing");
        check("{}", "`format` is missing");
        check(&SMALL.replace("\"format\": 1", "\"format\": 2"), "format 2, and this version reads format 1");
        check(&SMALL.replace("\"work\"", "\"wrok\""), "`work` is missing");
        check(&"[".repeat(100_000), "recursion");
    }
}
