//! Holds a TOML tree against the field table: unknown keys, types, units, limits and defaults.
//!
//! This is the only place that looks at TOML values. It goes on after every fault, so that one reading finds all.

use std::ops::Range;

use giga_units::{Amount, Fraction, Instant};
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Findings, nearest};
use super::field::{AmountKind, Field, Kind, Preset, Section};
use super::record::{Entry, Origin, Record, Share, Value, Written, join};
use super::shape::Shape;

/// The most characters of a text.
pub(crate) const TEXT_MAX: usize = 200;
/// The most characters of a name.
pub(crate) const NAME_MAX: usize = 100;

/// Whether keys that have to be written are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// They are.
    All,
    /// They are not: the file is damaged, and they may stand in the damaged part.
    Present,
}

/// Reads tables against the field table.
pub(crate) struct Decoder<'f> {
    pub(crate) findings: &'f mut Findings,
    pub(crate) demand: Demand,
}

/// Where a value stands and what it is called.
struct Place<'p> {
    key: &'p str,
    /// What it means.
    doc: &'static str,
    path: &'p str,
    span: Range<usize>,
}

impl Decoder<'_> {
    /// Checks one table.
    pub(crate) fn record(
        &mut self,
        section: &'static Section,
        table: &DeTable<'_>,
        path: &str,
        span: Range<usize>,
    ) -> Record {
        let mut record = Record::new(section, path.to_owned(), span, Origin::Written);
        for (key, value) in table {
            let Some(field) = section.field(key.get_ref()) else {
                self.unknown(key.get_ref(), &key.span(), table, &mut record);
                continue;
            };
            let path = join(path, field.key);
            let place = Place { key: field.key, doc: field.doc, path: &path, span: value.span() };
            let value = self.value(&field.kind, value.get_ref(), &place);
            record.put(Entry { field, value, span: place.span, origin: Origin::Written });
        }
        for field in section.fields.iter().filter(|field| !table.contains_key(field.key)) {
            if record.has(field.key) {
                continue;
            }
            self.absent(field, &mut record);
        }
        record
    }

    /// Reports a key that is none. The key that was probably meant counts as there and faulty, so that neither it is
    /// asked for nor its default used.
    fn unknown(&mut self, key: &str, span: &Range<usize>, table: &DeTable<'_>, record: &mut Record) {
        let section = record.section;
        let names = || section.fields.iter().map(|field| field.key);
        let known = names().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let nearest = nearest(key, names().filter(|name| !table.contains_key(*name)));
        let fault = Shape::UnknownKey { key: key.to_owned(), section: section.name, nearest, known };
        self.findings.add(span, record.path_of(key), &fault);
        record.broken = true;
        if let Some(field) = nearest.and_then(|nearest| section.field(nearest)) {
            record.put(Entry { field, value: Value::Broken, span: span.clone(), origin: Origin::Written });
        }
    }

    fn absent(&mut self, field: &'static Field, record: &mut Record) {
        match field.preset {
            Preset::Is(text) => {
                let (value, source) = (literal(field, text, &record.path, &record.span), field.source);
                record.fill(field.key, value, source);
            }
            Preset::Required(example) if self.demand == Demand::All => {
                let (section, doc) = (record.section.name, field.doc);
                let fault = Shape::Missing { key: field.key, section, doc, example };
                self.findings.add(&record.span, record.path_of(field.key), &fault);
                record.broken = true;
            }
            Preset::Required(_) => record.broken = true,
            Preset::Rule | Preset::Absent => {}
        }
    }

    fn value(&mut self, kind: &Kind, value: &DeValue<'_>, place: &Place<'_>) -> Value {
        let result = match kind {
            Kind::Table(section) => return self.table(section, value, place),
            Kind::Tables(section, max) | Kind::Inline(section, max) => {
                return self.tables(section, *max, value, place);
            }
            Kind::Shares => return self.shares(value, place),
            Kind::Names { max } => return self.names(*max, value, place),
            Kind::Amounts { of, min, max } => return self.amounts(of, (min, max), value, place),
            &Kind::Numbers { min, max, most } => return self.numbers((min, max), most, value, place),
            plain => scalar(plain, value, place.key),
        };
        result.unwrap_or_else(|fault| self.broken(&place.span, place.path, &fault))
    }

    fn broken(&mut self, span: &Range<usize>, path: &str, fault: &Shape) -> Value {
        self.findings.add(span, path, fault);
        Value::Broken
    }

    fn table(&mut self, section: &'static Section, value: &DeValue<'_>, place: &Place<'_>) -> Value {
        match value {
            DeValue::Table(table) => {
                Value::Table(self.record(section, table, place.path, place.span.clone()))
            }
            DeValue::Array(_) => {
                let fault = Shape::NotOneTable { key: place.key.to_owned() };
                self.broken(&place.span, place.path, &fault)
            }
            other => self.broken(&place.span, place.path, &mismatch(place.key, section.name, other, "{ … }")),
        }
    }

    /// The elements of a list with the right number of them, or the fault noted.
    fn list<'v, 'i>(
        &mut self,
        value: &'v DeValue<'i>,
        max: usize,
        place: &Place<'_>,
    ) -> Option<&'v DeArray<'i>> {
        let key = || place.key.to_owned();
        let fault = match value {
            DeValue::Array(list) if list.is_empty() => Shape::Empty { key: key() },
            DeValue::Array(list) if list.len() > max => {
                Shape::TooMany { key: key(), found: list.len(), most: max }
            }
            DeValue::Array(list) => return Some(list),
            other => mismatch(place.key, "a list", other, "[ … ]"),
        };
        self.findings.add(&place.span, place.path, &fault);
        None
    }

    fn tables(
        &mut self,
        section: &'static Section,
        max: usize,
        value: &DeValue<'_>,
        place: &Place<'_>,
    ) -> Value {
        if let DeValue::Table(_) = value {
            if self.demand == Demand::Present {
                return Value::Broken;
            }
            let fault = mismatch(place.key, &format!("a list of tables {}", section.name), value, "[{ … }]");
            return self.broken(&place.span, place.path, &fault);
        }
        let Some(list) = self.list(value, max, place) else { return Value::Broken };
        let mut records = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let path = format!("{}[{index}]", place.path);
            let below = Place { key: place.key, doc: place.doc, path: &path, span: item.span() };
            match self.table(section, item.get_ref(), &below) {
                Value::Table(record) => records.push(record),
                _ => return Value::Broken,
            }
        }
        Value::Tables(records)
    }

    fn names(&mut self, max: usize, value: &DeValue<'_>, place: &Place<'_>) -> Value {
        let Some(list) = self.list(value, max, place) else { return Value::Broken };
        let mut names = Vec::new();
        for item in list {
            match scalar(&Kind::Text, item.get_ref(), place.key) {
                Ok(Value::Text(name)) => names.push((name, item.span())),
                Ok(_) => unreachable!("a text kind gives texts"),
                Err(fault) => return self.broken(&item.span(), place.path, &fault),
            }
        }
        Value::Names(names)
    }

    fn amounts(
        &mut self,
        of: &'static AmountKind,
        (min, max): (&'static str, &'static str),
        value: &DeValue<'_>,
        place: &Place<'_>,
    ) -> Value {
        let Some(list) = self.list(value, 100, place) else { return Value::Broken };
        let mut amounts = Vec::new();
        for item in list {
            match amount(of, min, max, item.get_ref(), place.key) {
                Ok(written) => amounts.push(written),
                Err(fault) => return self.broken(&item.span(), place.path, &fault),
            }
        }
        Value::Amounts(amounts)
    }

    fn numbers(
        &mut self,
        (min, max): (i64, i64),
        most: usize,
        value: &DeValue<'_>,
        place: &Place<'_>,
    ) -> Value {
        let Some(list) = self.list(value, most, place) else { return Value::Broken };
        let mut numbers = Vec::new();
        for item in list {
            match number(item.get_ref(), place.key, (min, max)) {
                Ok(number) => numbers.push(number),
                Err(fault) => {
                    return self.broken(&item.span(), place.path, &fault.with_meaning(place.doc));
                }
            }
        }
        Value::Numbers(numbers)
    }

    fn shares(&mut self, value: &DeValue<'_>, place: &Place<'_>) -> Value {
        let DeValue::Table(table) = value else {
            let fault = mismatch(place.key, "a table of owners", value, "{ union = \"40 %\" }");
            return self.broken(&place.span, place.path, &fault);
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut shares = Vec::new();
        let mut sound = true;
        for (name, part) in entries {
            let path = join(place.path, name.get_ref());
            match amount(&super::field::FRACTION, "0 %", "100 %", part.get_ref(), name.get_ref()) {
                Ok(Written { count, text }) => {
                    let part = Fraction::from_smallest(count).expect("a checked fraction fits");
                    shares.push(Share { name: name.get_ref().to_string(), span: name.span(), part, text });
                }
                Err(fault) => {
                    self.findings.add(&part.span(), path, &fault);
                    sound = false;
                }
            }
        }
        if sound { Value::Shares(shares) } else { Value::Broken }
    }
}

/// Reads a default or another built-in text as the value of a field.
pub(crate) fn literal(field: &'static Field, text: &str, path: &str, span: &Range<usize>) -> Value {
    let mut findings = Findings::default();
    let mut decoder = Decoder { findings: &mut findings, demand: Demand::All };
    let parsed = DeValue::parse(text).expect("a built-in value is TOML");
    let path = join(path, field.key);
    let place = Place { key: field.key, doc: field.doc, path: &path, span: span.clone() };
    let mut value = decoder.value(&field.kind, parsed.get_ref(), &place);
    findings.finish("built in", text).expect("a built-in value fits its field");
    settle(&mut value, span);
    value
}

/// Gives a built-in value the place of what it stands for.
fn settle(value: &mut Value, span: &Range<usize>) {
    match value {
        Value::Table(record) => record.span = span.clone(),
        Value::Tables(records) => records.iter_mut().for_each(|record| record.span = span.clone()),
        Value::Names(names) => names.iter_mut().for_each(|(_, place)| *place = span.clone()),
        _ => {}
    }
}

fn scalar(kind: &Kind, value: &DeValue<'_>, key: &str) -> Result<Value, Shape> {
    match kind {
        Kind::Text => text(value, key).map(Value::Text),
        Kind::Name => name(value, key).map(Value::Text),
        Kind::Word(words) => word(value, key, words).map(Value::Text),
        Kind::Flag => match value {
            DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
            other => Err(mismatch(key, "true or false", other, "true")),
        },
        Kind::Count { min, max } => count(value, key, *min, *max).map(Value::Count),
        Kind::Factor { min, max } => factor(value, key, *min, *max).map(Value::Factor),
        Kind::Amount { of, min, max } => amount(of, min, max, value, key).map(Value::Amount),
        Kind::AmountOr { words, of, min, max } => match value {
            DeValue::String(text) if words.contains(&text.trim()) => Ok(Value::Text(text.trim().to_owned())),
            other => amount(of, min, max, other, key)
                .map(Value::Amount)
                .map_err(|fault| fault.or_word(of.what, words)),
        },
        Kind::Date => date(value, key).map(Value::Date),
        Kind::Names { .. } | Kind::Amounts { .. } | Kind::Numbers { .. } | Kind::Shares => {
            unreachable!("lists are read by the decoder")
        }
        Kind::Table(_) | Kind::Tables(..) | Kind::Inline(..) => {
            unreachable!("tables are read by the decoder")
        }
    }
}

fn text(value: &DeValue<'_>, key: &str) -> Result<String, Shape> {
    match value {
        DeValue::String(text) if text.trim().is_empty() => Err(Shape::Empty { key: key.to_owned() }),
        DeValue::String(text) if text.chars().count() > TEXT_MAX => {
            Err(Shape::TooLong { key: key.to_owned(), found: text.chars().count(), most: TEXT_MAX })
        }
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(mismatch(key, "a text in quotes", other, "\"a name\"")),
    }
}

/// A name: sites and pools give folders theirs, and all stand in lines and lists.
fn name(value: &DeValue<'_>, key: &str) -> Result<String, Shape> {
    let name = text(value, key)?;
    let length = name.chars().count();
    if length > NAME_MAX {
        return Err(Shape::TooLong { key: key.to_owned(), found: length, most: NAME_MAX });
    }
    if name.chars().any(|char| char.is_control() || char == '/') || [".", "..", "*"].contains(&name.trim()) {
        return Err(Shape::NotAName { text: name.escape_debug().to_string() });
    }
    Ok(name)
}

/// One of several words.
fn word(value: &DeValue<'_>, key: &str, words: &'static [&'static str]) -> Result<String, Shape> {
    let example = || format!("\"{}\"", words[0]);
    let DeValue::String(text) = value else {
        return Err(mismatch(key, "a word in quotes", value, &example()));
    };
    if words.contains(&text.trim()) {
        return Ok(text.trim().to_owned());
    }
    let known = super::complete::quoted(words.iter().copied());
    let begin = text.chars().take(60).collect();
    Err(Shape::NotAWord { key: key.to_owned(), text: begin, known, example: example() })
}

fn count(value: &DeValue<'_>, key: &str, min: u64, max: u64) -> Result<u64, Shape> {
    let DeValue::Integer(number) = value else {
        return Err(mismatch(key, "a whole number", value, &min.max(1).to_string()));
    };
    let parsed = i128::from_str_radix(number.as_str(), number.radix()).ok();
    let inside = parsed.and_then(|number| u64::try_from(number).ok()).filter(|n| (min..=max).contains(n));
    inside.ok_or_else(|| Shape::OutOfRange {
        key: key.to_owned(),
        found: number.as_str().to_owned(),
        least: min.to_string(),
        most: max.to_string(),
    })
}

/// A plain number; `None` where it is too large for any.
fn plain(value: &DeValue<'_>, key: &str) -> Result<Option<f64>, Shape> {
    match value {
        DeValue::Integer(number) => {
            Ok(i128::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n as f64))
        }
        DeValue::Float(number) => Ok(number.as_str().parse().ok()),
        other => Err(mismatch(key, "a plain number", other, "1.5")),
    }
}

/// A plain number in thousandths.
fn number(value: &DeValue<'_>, key: &str, (min, max): (i64, i64)) -> Result<i64, Shape> {
    let number = plain(value, key)?;
    let count = number.map_or(f64::NAN, |number| libm::round(number * 1e3));
    if count >= min as f64 && count <= max as f64 {
        return Ok(count as i64);
    }
    let found = number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
    let [least, most] = [min, max].map(super::expand::thousandths);
    Err(Shape::OutOfRange { key: key.to_owned(), found, least, most })
}

fn factor(value: &DeValue<'_>, key: &str, min: u64, max: u64) -> Result<u64, Shape> {
    let number = plain(value, key)?;
    let ppm = number.map_or(f64::NAN, |number| libm::round(number * 1e6));
    if ppm >= min as f64 && ppm <= max as f64 {
        return Ok(ppm as u64);
    }
    let shown = |ppm: u64| super::expand::factor(ppm);
    let found = number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
    Err(Shape::OutOfRange { key: key.to_owned(), found, least: shown(min), most: shown(max) })
}

fn amount(of: &AmountKind, min: &str, max: &str, value: &DeValue<'_>, key: &str) -> Result<Written, Shape> {
    let unit = of.units[0].0;
    let units = || of.units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join(", ");
    let text = match value {
        DeValue::String(text) => text,
        DeValue::Integer(_) | DeValue::Float(_) => {
            let number = match value {
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.to_string(),
                _ => unreachable!("only numbers get here"),
            };
            let example = example(of, &number);
            return Err(Shape::NoUnit { key: key.to_owned(), what: of.what, example, units: units() });
        }
        other => {
            return Err(mismatch(key, &format!("a {} in quotes", of.what), other, &format!("\"1 {unit}\"")));
        }
    };
    let count = (of.read)(text).map_err(|error| {
        let digits: String = text.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Shape::Amount { key: key.to_owned(), error, example: example(of, &digits) }
    })?;
    if (of.limit(min)..=of.limit(max)).contains(&count) {
        return Ok(Written { count, text: text.trim().to_owned() });
    }
    let [found, least, most] = [text.trim(), min, max].map(|text| format!("`{text}`"));
    Err(Shape::OutOfRange { key: key.to_owned(), found, least, most })
}

fn date(value: &DeValue<'_>, key: &str) -> Result<Instant, Shape> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        other => return Err(mismatch(key, "a date", other, "2027-01-01")),
    };
    let end = Instant::parse("2200-01-01").expect("a date");
    let inside = |at: &Instant| *at >= Instant::unix_milliseconds(0) && *at <= end;
    Instant::parse(&text).filter(inside).ok_or(Shape::NotADate { text })
}

/// The fault of a value of another type.
/// An amount as it should be written: with the number that was meant, where it can be read.
fn example(of: &AmountKind, number: &str) -> String {
    let unit = of.units[0].0;
    let meant = format!("{number} {unit}");
    if (of.read)(&meant).is_ok() { format!("\"{meant}\"") } else { format!("\"1 {unit}\"") }
}

pub(crate) fn mismatch(key: &str, expected: &str, found: &DeValue<'_>, example: &str) -> Shape {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Shape::WrongType {
        key: key.to_owned(),
        expected: expected.to_owned(),
        found,
        example: example.to_owned(),
    }
}
