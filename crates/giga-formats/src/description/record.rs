//! A table of a description after it was held against the field table: checked values with their places.
//!
//! What was faulty is marked broken and reads as nothing, so that the rest of the file can still be judged. A record
//! never holds a value outside the limits of its field.

use std::collections::BTreeMap;
use std::ops::Range;

use giga_units::{Amount, Fraction, Instant};

use super::field::{Field, Section};

/// A checked value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    Count(u64),
    /// Millionths.
    Factor(u64),
    Amount(Written),
    Date(Instant),
    Names(Vec<(String, Range<usize>)>),
    Amounts(Vec<Written>),
    /// Thousandths.
    Numbers(Vec<i64>),
    /// Names with millionths.
    Shares(Vec<Share>),
    Table(Record),
    Tables(Vec<Record>),
    /// It was faulty, and that is reported.
    Broken,
}

/// An amount as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The count of the smallest unit of the field's quantity.
    pub(crate) count: i128,
    /// Number and unit.
    pub(crate) text: String,
}

/// A name with its fraction.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) part: Fraction,
    pub(crate) text: String,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It stands in the file.
    Written,
    /// It was filled in, on the word of this source.
    Filled(String),
}

/// A value with its field, place and origin.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) field: &'static Field,
    pub(crate) value: Value,
    pub(crate) span: Range<usize>,
    pub(crate) origin: Origin,
}

/// A checked table.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) section: &'static Section,
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    pub(crate) origin: Origin,
    /// Whether anything in it or below was faulty.
    pub(crate) broken: bool,
    entries: BTreeMap<&'static str, Entry>,
}

impl Record {
    pub(crate) fn new(section: &'static Section, path: String, span: Range<usize>, origin: Origin) -> Self {
        Self { section, path, span, origin, broken: false, entries: BTreeMap::new() }
    }

    /// Puts a value at a key.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.broken |= match &entry.value {
            Value::Broken => true,
            Value::Table(record) => record.broken,
            Value::Tables(records) => records.iter().any(|record| record.broken),
            _ => false,
        };
        self.entries.insert(entry.field.key, entry);
    }

    /// Fills a key that is not there; one that is, even if faulty, stays.
    pub(crate) fn fill(&mut self, key: &str, value: Value, source: &str) {
        let field = self.section.field(key).expect("only keys of the section are filled");
        if !self.entries.contains_key(key) {
            let (span, origin) = (self.span.clone(), Origin::Filled(source.to_owned()));
            self.put(Entry { field, value, span, origin });
        }
    }

    /// Takes away what stands at a key.
    pub(crate) fn drop(&mut self, key: &str) {
        self.entries.remove(key);
    }

    /// Whether anything stands at the key, faulty or not.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// What stands at the key, faulty or not.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Whether what stands at the key was faulty.
    pub(crate) fn broken_at(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Broken))
    }

    fn value(&self, key: &str) -> Option<&Value> {
        debug_assert!(self.section.field(key).is_some(), "`{key}` is no key of {}", self.section.name);
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The place of a key's value, or of the record where nothing is written.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.entries.get(key).map_or_else(|| self.span.clone(), |entry| entry.span.clone())
    }

    /// The path of a key.
    pub(crate) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// A text, where there is a sound one.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A flag; `false` where there is none.
    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Flag(true)))
    }

    /// A count, where there is a sound one.
    pub(crate) fn count(&self, key: &str) -> Option<u64> {
        match self.value(key) {
            Some(&Value::Count(count)) => Some(count),
            _ => None,
        }
    }

    /// A factor, where there is a sound one.
    pub(crate) fn factor(&self, key: &str) -> Option<Fraction> {
        match self.value(key) {
            Some(&Value::Factor(ppm)) => Some(Fraction::ppm(ppm)),
            _ => None,
        }
    }

    /// An amount, where there is a sound one.
    pub(crate) fn amount<A: Amount>(&self, key: &str) -> Option<A> {
        match self.value(key) {
            Some(Value::Amount(written)) => A::from_smallest(written.count),
            _ => None,
        }
    }

    /// An amount, or zero of it where there is none.
    pub(crate) fn amount_or_zero<A: Amount>(&self, key: &str) -> A {
        let zero = || A::from_smallest(0).expect("zero fits every quantity");
        self.amount(key).unwrap_or_else(zero)
    }

    /// A date, where there is a sound one.
    pub(crate) fn date(&self, key: &str) -> Option<Instant> {
        match self.value(key) {
            Some(&Value::Date(date)) => Some(date),
            _ => None,
        }
    }

    /// A list of names with their places; empty where there is none.
    pub(crate) fn names(&self, key: &str) -> &[(String, Range<usize>)] {
        match self.value(key) {
            Some(Value::Names(names)) => names,
            _ => &[],
        }
    }

    /// A list of amounts; empty where there is none.
    pub(crate) fn amounts<A: Amount>(&self, key: &str) -> Vec<A> {
        match self.value(key) {
            Some(Value::Amounts(all)) => all.iter().filter_map(|one| A::from_smallest(one.count)).collect(),
            _ => Vec::new(),
        }
    }

    /// A list of numbers in thousandths; empty where there is none.
    pub(crate) fn numbers(&self, key: &str) -> &[i64] {
        match self.value(key) {
            Some(Value::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    /// Shares by name; empty where there are none.
    pub(crate) fn shares(&self, key: &str) -> &[Share] {
        match self.value(key) {
            Some(Value::Shares(shares)) => shares,
            _ => &[],
        }
    }

    /// A table below, where there is one.
    pub(crate) fn table(&self, key: &str) -> Option<&Record> {
        match self.value(key) {
            Some(Value::Table(record)) => Some(record),
            _ => None,
        }
    }

    /// The tables below; empty where there are none.
    pub(crate) fn tables(&self, key: &str) -> &[Record] {
        match self.value(key) {
            Some(Value::Tables(records)) => records,
            _ => &[],
        }
    }

    /// The table below, to be filled.
    pub(crate) fn table_mut(&mut self, key: &str) -> Option<&mut Record> {
        match self.entries.get_mut(key).map(|entry| &mut entry.value) {
            Some(Value::Table(record)) => Some(record),
            _ => None,
        }
    }

    /// The tables below, to be filled; empty where there are none.
    pub(crate) fn tables_mut(&mut self, key: &str) -> &mut [Record] {
        match self.entries.get_mut(key).map(|entry| &mut entry.value) {
            Some(Value::Tables(records)) => records,
            _ => &mut [],
        }
    }

    /// Adds tables behind those that are there.
    pub(crate) fn append(&mut self, key: &str, more: Vec<Record>, source: &str) {
        if let Some(Value::Tables(records)) = self.entries.get_mut(key).map(|entry| &mut entry.value) {
            records.extend(more);
        } else if !more.is_empty() {
            self.fill(key, Value::Tables(more), source);
        }
    }
}

/// The path of a key below another.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
