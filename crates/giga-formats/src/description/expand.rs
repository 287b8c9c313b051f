//! The expanded form: a complete description with every default filled in and its source beside it.
//!
//! What is printed reads back to an equal federation. Nothing is decided here: the records are complete already.

use std::fmt::Write as _;

use super::field::{Field, Kind, Preset};
use super::record::{Entry, Origin, Record, Value};

/// Prints a completed description.
pub(crate) fn expand(root: &Record) -> String {
    let mut text = String::new();
    keys(root, &mut text);
    below(root, "", &mut text);
    text
}

/// The keys of a table that stand on one line each.
fn keys(record: &Record, text: &mut String) {
    for field in record.section.fields.iter().filter(|field| in_line(field)) {
        match record.entry(field.key) {
            Some(entry) => {
                let _ = writeln!(text, "{} = {}{}", field.key, written(entry), comment(entry));
            }
            None if matches!(field.preset, Preset::Absent) => {
                let _ = writeln!(text, "# {}: not set; {}", field.key, field.doc);
            }
            None => {}
        }
    }
}

fn in_line(field: &Field) -> bool {
    !matches!(field.kind, Kind::Table(_) | Kind::Tables(..) | Kind::Shares)
}

/// The tables below a table, each under its header.
fn below(record: &Record, path: &str, text: &mut String) {
    for field in record.section.fields.iter().filter(|field| !in_line(field)) {
        let path = if path.is_empty() { field.key.to_owned() } else { format!("{path}.{}", field.key) };
        match record.entry(field.key) {
            Some(entry) => tables(entry, &path, text),
            None => {
                let _ = writeln!(text, "\n# {path}: not set; {}", field.doc);
            }
        }
    }
}

fn tables(entry: &Entry, path: &str, text: &mut String) {
    match &entry.value {
        Value::Table(record) => table(record, &format!("[{path}]"), path, &entry.origin, text),
        Value::Tables(records) => {
            for record in records {
                table(record, &format!("[[{path}]]"), path, &record.origin, text);
            }
        }
        Value::Shares(shares) => {
            let _ = writeln!(text, "\n[{path}]{}", remark(&entry.origin));
            for share in shares {
                let _ = writeln!(text, "{} = {}", quoted(&share.name), quoted(&share.text));
            }
        }
        _ => unreachable!("only tables have headers"),
    }
}

fn table(record: &Record, header: &str, path: &str, origin: &Origin, text: &mut String) {
    let _ = writeln!(text, "\n{header}{}", remark(origin));
    keys(record, text);
    below(record, path, text);
}

fn comment(entry: &Entry) -> String {
    remark(&entry.origin)
}

fn remark(origin: &Origin) -> String {
    match origin {
        Origin::Written => String::new(),
        Origin::Filled(source) => format!("  # default: {}", source.replace(char::is_control, " ")),
    }
}

fn written(entry: &Entry) -> String {
    match &entry.value {
        Value::Text(text) => quoted(text),
        Value::Flag(flag) => flag.to_string(),
        Value::Count(count) => count.to_string(),
        Value::Factor(ppm) => factor(*ppm),
        Value::Amount(amount) => quoted(&amount.text),
        Value::Date(date) => date.to_string(),
        Value::Names(names) => list(names.iter().map(|(name, _)| quoted(name))),
        Value::Amounts(amounts) => list(amounts.iter().map(|amount| quoted(&amount.text))),
        Value::Numbers(numbers) => list_of_thousandths(numbers),
        Value::Tables(records) => list(records.iter().map(inline)),
        Value::Shares(_) | Value::Table(_) => unreachable!("they stand under a header of their own"),
        Value::Broken => unreachable!("a faulty description is not printed"),
    }
}

fn inline(record: &Record) -> String {
    let entries = record.section.fields.iter().filter_map(|field| record.entry(field.key));
    let pairs: Vec<String> =
        entries.map(|entry| format!("{} = {}", entry.field.key, written(entry))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Some descriptions have a million of them.
fn list_of_thousandths(numbers: &[i64]) -> String {
    let mut text = String::with_capacity(numbers.len() * 8 + 2);
    text.push('[');
    for (at, number) in numbers.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ", " });
        push_thousandths(&mut text, *number);
    }
    text.push(']');
    text
}

/// Millionths as a plain decimal number.
pub(crate) fn factor(ppm: u64) -> String {
    let (whole, rest) = (ppm / 1_000_000, ppm % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:06}").trim_end_matches('0'))
}

/// Thousandths as a plain decimal number.
pub(crate) fn thousandths(count: i64) -> String {
    let mut text = String::new();
    push_thousandths(&mut text, count);
    text
}

fn push_thousandths(text: &mut String, count: i64) {
    if count < 0 {
        text.push('-');
    }
    let (whole, rest) = (count.unsigned_abs() / 1_000, count.unsigned_abs() % 1_000);
    let _ = write!(text, "{whole}");
    if rest > 0 {
        let digits = [rest / 100, rest / 10 % 10, rest % 10].map(|digit| char::from(b'0' + digit as u8));
        text.push('.');
        text.extend(digits);
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
