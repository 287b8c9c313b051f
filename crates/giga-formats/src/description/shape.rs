//! What can be wrong with the form of a file, whatever it means: keys, types, units, limits.

use giga_units::AmountError;
use thiserror::Error;

use super::diagnostic::Explain;

/// A fault of form.
#[derive(Debug, Error)]
pub(crate) enum Shape {
    #[error("this is not TOML: {message}")]
    Syntax { message: String },
    #[error("`format` is not the first key")]
    FormatNotFirst,
    #[error("format {found} is not known; this release reads format {known}")]
    FormatUnknown { found: String, known: u64 },
    #[error("`{key}` is not a key of {section}")]
    UnknownKey { key: String, section: &'static str, nearest: Option<&'static str>, known: String },
    #[error("{section} needs `{key}`: {doc}")]
    Missing { key: &'static str, section: &'static str, doc: &'static str, example: &'static str },
    #[error("`{key}` stands once, and here is a list")]
    NotOneTable { key: String },
    #[error("`{key}` takes {expected}, and here is {found}")]
    WrongType { key: String, expected: String, found: &'static str, example: String },
    #[error("{error}")]
    Amount { key: String, error: AmountError, example: String },
    #[error("{text} is neither a {what} nor one of {words}")]
    Word { key: String, text: String, what: &'static str, words: String, example: String },
    #[error("`{text}` is no word for `{key}`, which takes {known}")]
    NotAWord { key: String, text: String, known: String, example: String },
    #[error("`{key}` has no unit: a {what} needs one")]
    NoUnit { key: String, what: &'static str, example: String, units: String },
    #[error("`{key}` is {found}, outside {least} to {most}")]
    OutOfRange { key: String, found: String, least: String, most: String },
    #[error("{fault}")]
    OfMeaning { fault: Box<Shape>, doc: &'static str },
    #[error("`{key}` has {found} entries, above the {most} that fit")]
    TooMany { key: String, found: usize, most: usize },
    #[error("`{key}` has {found} characters, above the {most} that fit")]
    TooLong { key: String, found: usize, most: usize },
    #[error("`{text}` can not be a name")]
    NotAName { text: String },
    #[error("`{key}` is empty")]
    Empty { key: String },
    #[error("`{text}` is not a date between 1970 and 2200")]
    NotADate { text: String },
}

impl Shape {
    /// The fault where words would have done as well as an amount.
    pub(crate) fn or_word(self, what: &'static str, words: &[&str]) -> Self {
        let words = super::complete::quoted(words.iter().copied());
        match self {
            Self::Amount { key, error: AmountError::UnknownUnit { unit, .. }, example } => {
                Self::Word { key, text: format!("`{unit}`"), what, words, example }
            }
            Self::Amount { key, error: AmountError::NoUnit { text, .. }, example } => {
                Self::Word { key, text: format!("`{text}`"), what, words, example }
            }
            other => other,
        }
    }
}

impl Shape {
    /// The same fault, with what the value means.
    pub(crate) fn with_meaning(self, doc: &'static str) -> Self {
        Self::OfMeaning { fault: Box::new(self), doc }
    }
}

impl Explain for Shape {
    fn help(&self) -> String {
        match self {
            Self::Syntax { .. } => "see toml.io for the syntax; texts and amounts stand in quotes".into(),
            Self::FormatNotFirst => {
                "move `format` above all other keys, so that every release can read it".into()
            }
            Self::FormatUnknown { known, .. } => {
                format!("write `format = {known}`, or read the file with the release of giga that wrote it")
            }
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownKey { known, .. } => format!("drop it; the keys here are {known}"),
            Self::Missing { key, example, .. } if example.starts_with('[') => {
                format!("add a table {example} for `{key}`")
            }
            Self::Missing { key, example, .. } => format!("add it, for example `{key} = {example}`"),
            Self::NotOneTable { key } => {
                format!("write its head in single brackets, or `{key} = {{ … }}`")
            }
            Self::WrongType { key, example, .. } => format!("write for example `{key} = {example}`"),
            Self::Amount { key, example, .. }
            | Self::Word { key, example, .. }
            | Self::NotAWord { key, example, .. } => {
                format!("write for example `{key} = {example}`")
            }
            Self::NoUnit { key, example, units, .. } => {
                format!("write the unit in quotes, such as `{key} = {example}`; units are {units}")
            }
            Self::OutOfRange { least, most, .. } => format!("write a value from {least} to {most}"),
            Self::OfMeaning { fault, doc } => format!("{}; it is {doc}", fault.help()),
            Self::TooMany { most, .. } => format!("write at most {most}"),
            Self::TooLong { .. } => "write a shorter text".into(),
            Self::Empty { key } => format!("write at least one, or drop `{key}`"),
            Self::NotAName { .. } => {
                "write letters, digits and signs; no `/`, no control characters, and not `.`, `..` or `*` alone".into()
            }
            Self::NotADate { .. } => "write for example `2027-01-01` or `2027-01-01T06:00`; it is UTC".into(),
        }
    }
}
