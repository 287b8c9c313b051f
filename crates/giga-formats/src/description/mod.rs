//! The description of a federation: `federation.toml`, format 1.
//!
//! A file is read in steps, each of which goes on after a fault, so that all faults are reported at once:
//!
//! 1. [`decode`] holds the TOML tree against the field table in [`table`]: keys, types, units, limits, defaults;
//! 2. [`complete`] fills in what follows from other keys: zones, the catalogue, built-in classes of work;
//! 3. [`build`] turns names into indices and makes the [`Federation`];
//! 4. [`flaws`] reports where it contradicts itself.
//!
//! This module never opens a file and never prints: the hours of series come through [`Beside`]. It reads no traces;
//! those have a reader of their own.

mod beside;
mod build;
mod catalogue;
mod classes;
mod complete;
pub(crate) mod decode;
pub(crate) mod diagnostic;
mod expand;
mod field;
mod flaws;
mod hours;
mod meaning;
mod notes;
mod published;
mod record;
mod schema;
pub(crate) mod shape;
mod table;
#[cfg(test)]
mod tests;
mod warmth;
mod zones;

use giga_control::energy::Works;
use giga_model::Federation;
use toml::de::{DeTable, DeValue};

pub use beside::{Beside, Open};
pub(crate) use catalogue::{CATALOGUE, Known};
pub use diagnostic::{Diagnostic, Faults};
pub(crate) use zones::ZONES;

use decode::{Decoder, Demand};
use diagnostic::Findings;
use record::Record;
use shape::Shape;

/// A description that was read without fault.
#[derive(Debug, Clone)]
pub struct Description {
    /// What it describes, after the shocks that happen.
    pub federation: Federation,
    /// The shocks that happen, by name.
    pub shocks: Vec<String>,
    /// By site, what stands there beside its nodes.
    pub works: Vec<Works>,
    /// What was made of further files, and what is probably not meant; a sentence each.
    pub notes: Vec<String>,
    root: Record,
}

/// Reads a description that names no further files. `file` is only what messages call it.
///
/// # Errors
/// All faults of the text at once, each with place and remedy.
pub fn read(file: &str, text: &str) -> Result<Description, Faults> {
    read_with(file, text, &Beside::NOTHING)
}

/// Reads a description with what goes with it. `file` is only what messages call it.
///
/// # Errors
/// All faults at once, each with place and remedy: those of the text, then those of the files it names. A shock that the
/// description does not have is one too.
pub fn read_with(file: &str, text: &str, beside: &Beside<'_>) -> Result<Description, Faults> {
    let (mut findings, mut notes) = (Findings::default(), Vec::new());
    let read = decoded(text, &mut findings).map(|mut root| {
        complete::complete(&mut root, beside, &mut findings, &mut notes);
        let built = build::build(&root, &mut findings);
        flaws::report(&root, &built, &mut findings);
        notes.extend(built.notes);
        let (works, shocks) = (built.works, built.shocks);
        Description { federation: built.federation, shocks, works, notes, root }
    });
    findings.finish(file, text)?;
    let mut read = read.expect("a text without faults was decoded");
    read.notes.extend(notes::of(&read.federation));
    Ok(read)
}

/// Prints a complete description with every default filled in and its source as a comment. It reads back to an equal
/// federation.
#[must_use]
pub fn expand(description: &Description) -> String {
    expand::expand(&description.root)
}

/// The JSON Schema of a description.
#[must_use]
pub fn schema() -> String {
    schema::schema()
}

/// The checked root, or `None` where the text is of another format or so damaged that judging it would mislead.
fn decoded(text: &str, findings: &mut Findings) -> Option<Record> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let fault = Shape::Syntax { message: error.message().to_owned() };
        findings.add_damage(&error.span().unwrap_or(0..0), &fault);
    }
    let table = tree.get_ref();
    if !format_known(table, findings) {
        return None;
    }
    let whole = !errors.iter().any(|error| swallows(error.message()));
    let demand = if whole { Demand::All } else { Demand::Present };
    let root = Decoder { findings, demand }.record(&table::FEDERATION, table, "", 0..0);
    whole.then_some(root)
}

/// Whether damage of this kind may hide the lines below it, so that nothing can be said to be missing.
fn swallows(message: &str) -> bool {
    ["unclosed", "multi-line"].iter().any(|sign| message.contains(sign))
}

/// Judges the number of the format; an unknown one makes all other keys meaningless.
fn format_known(table: &DeTable<'_>, findings: &mut Findings) -> bool {
    let Some((key, value)) = table.get_key_value("format") else {
        return true;
    };
    if table.keys().any(|other| other.span().start < key.span().start) {
        findings.add(&key.span(), "format", &Shape::FormatNotFirst);
    }
    match value.get_ref() {
        DeValue::Integer(number) if number.to_string() != table::FORMAT.to_string() => {
            let fault = Shape::FormatUnknown { found: number.to_string(), known: table::FORMAT };
            findings.add(&value.span(), "format", &fault);
            false
        }
        _ => true,
    }
}
