//! The form of the field table: what a key is called, what it holds, what stands there by default and who says so.
//!
//! One table drives decoding, diagnostics, the expanded form and the schema, so that they can not disagree. This
//! module knows no key by name; the keys themselves are in [`super::table`].

use giga_units::{
    Amount, AmountError, Bytes, CarbonIntensity, CarbonPrice, DataRate, Duration, Energy, EnergyPrice, Flops,
    Fraction, Money, Power,
};

use super::warmth::{Difference, Temperature};

/// A table of the description: its keys and what it is for.
#[derive(Debug)]
pub(crate) struct Section {
    /// What people call it in messages.
    pub(crate) name: &'static str,
    /// What it is for, in one line.
    pub(crate) doc: &'static str,
    /// Its keys in the order in which they are printed.
    pub(crate) fields: &'static [Field],
}

impl Section {
    /// The field of this key, if the section has one.
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// One key of a section.
#[derive(Debug)]
pub(crate) struct Field {
    /// How it is written.
    pub(crate) key: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What stands there where nothing is written.
    pub(crate) preset: Preset,
    /// Who says so; empty where there is no default.
    pub(crate) source: &'static str,
    /// What it means, in one line.
    pub(crate) doc: &'static str,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A text, not empty.
    Text,
    /// A text that names a thing: it can be part of a path, a line and a list.
    Name,
    /// `true` or `false`.
    Flag,
    /// A whole number in these limits.
    Count { min: u64, max: u64 },
    /// A plain decimal number, held and limited in millionths.
    Factor { min: u64, max: u64 },
    /// A number with a unit, in these limits as they would be written.
    Amount { of: &'static AmountKind, min: &'static str, max: &'static str },
    /// An amount, or one of these words.
    AmountOr { of: &'static AmountKind, min: &'static str, max: &'static str, words: &'static [&'static str] },
    /// A date, with or without a time, UTC.
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Names { max: usize },
    /// A list of amounts.
    Amounts { of: &'static AmountKind, min: &'static str, max: &'static str },
    /// A list of plain decimal numbers in these limits, held and limited in thousandths.
    Numbers { min: i64, max: i64, most: usize },
    /// Names with a fraction each.
    Shares,
    /// One table.
    Table(&'static Section),
    /// A list of tables, `[[…]]`.
    Tables(&'static Section, usize),
    /// A list of small tables, printed in line.
    Inline(&'static Section, usize),
}

/// What stands at a key where nothing is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Preset {
    /// Nothing can: it has to be written. The text is an example.
    Required(&'static str),
    /// This, as it would be written.
    Is(&'static str),
    /// What the rule in `source` says; filled in when the file is complete.
    Rule,
    /// Nothing, which has a meaning of its own.
    Absent,
}

/// A quantity by its functions, so that a table can hold all quantities alike.
#[derive(Debug)]
pub(crate) struct AmountKind {
    /// What the quantity is called.
    pub(crate) what: &'static str,
    /// Its units, the preferred one first.
    pub(crate) units: &'static [(&'static str, i128)],
    /// Reads a text into a count of the smallest unit.
    pub(crate) read: fn(&str) -> Result<i128, AmountError>,
}

impl AmountKind {
    const fn of<A: Amount>() -> Self {
        Self { what: A::WHAT, units: A::UNITS, read: read::<A> }
    }

    /// The count behind a limit of the table.
    pub(crate) fn limit(&self, text: &str) -> i128 {
        (self.read)(text).expect("a limit in the field table is an amount of its field")
    }
}

fn read<A: Amount>(text: &str) -> Result<i128, AmountError> {
    A::parse(text).map(A::to_smallest)
}

pub(crate) static POWER: AmountKind = AmountKind::of::<Power>();
pub(crate) static MONEY: AmountKind = AmountKind::of::<Money>();
pub(crate) static DURATION: AmountKind = AmountKind::of::<Duration>();
pub(crate) static FRACTION: AmountKind = AmountKind::of::<Fraction>();
pub(crate) static BYTES: AmountKind = AmountKind::of::<Bytes>();
pub(crate) static FLOPS: AmountKind = AmountKind::of::<Flops>();
pub(crate) static ENERGY: AmountKind = AmountKind::of::<Energy>();
pub(crate) static ENERGY_PRICE: AmountKind = AmountKind::of::<EnergyPrice>();
pub(crate) static CARBON_INTENSITY: AmountKind = AmountKind::of::<CarbonIntensity>();
pub(crate) static DATA_RATE: AmountKind = AmountKind::of::<DataRate>();
pub(crate) static CARBON_PRICE: AmountKind = AmountKind::of::<CarbonPrice>();

pub(crate) static TEMPERATURE: AmountKind = AmountKind::of::<Temperature>();
pub(crate) static DIFFERENCE: AmountKind = AmountKind::of::<Difference>();

/// A key that has to be written.
pub(crate) const fn required(
    key: &'static str,
    kind: Kind,
    example: &'static str,
    doc: &'static str,
) -> Field {
    Field { key, kind, preset: Preset::Required(example), source: "", doc }
}

/// A key with a default and its source.
pub(crate) const fn preset(
    key: &'static str,
    kind: Kind,
    value: &'static str,
    source: &'static str,
    doc: &'static str,
) -> Field {
    Field { key, kind, preset: Preset::Is(value), source, doc }
}

/// A key whose default follows from other keys.
pub(crate) const fn ruled(key: &'static str, kind: Kind, rule: &'static str, doc: &'static str) -> Field {
    Field { key, kind, preset: Preset::Rule, source: rule, doc }
}

/// A key that may be missing.
pub(crate) const fn optional(key: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { key, kind, preset: Preset::Absent, source: "", doc }
}
