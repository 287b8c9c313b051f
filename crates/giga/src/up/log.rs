//! What a server says of itself on standard error: lines for people, or one JSON object a line for programs.
//!
//! Only our own crates speak below a warning: what libraries tell of requests could hold tokens.

use std::io::Write as _;
use std::str::FromStr;

use giga_formats::description::Faults;
use giga_formats::settings::{LOG, LOG_LEVEL};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use crate::settings::Settings;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// Time, level, message, fields.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write `text` or `json`".into()),
        }
    }
}

/// The least that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(LevelFilter);

impl Default for Level {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "error" => Ok(Self(LevelFilter::ERROR)),
            "warn" => Ok(Self(LevelFilter::WARN)),
            "info" => Ok(Self(LevelFilter::INFO)),
            "debug" => Ok(Self(LevelFilter::DEBUG)),
            _ => Err("write `error`, `warn`, `info` or `debug`".into()),
        }
    }
}

/// The log of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    form: Form,
}

impl Log {
    /// Begins it, as the call says, or the settings, which were checked.
    pub(crate) fn begin(form: Option<Form>, level: Option<Level>, settings: &Settings) -> Self {
        let form = form.or_else(|| settings.text(&LOG)?.parse().ok()).unwrap_or_default();
        let Level(level) = level.or_else(|| settings.text(&LOG_LEVEL)?.parse().ok()).unwrap_or_default();
        let ours = Targets::new().with_target("giga", level).with_default(level.min(LevelFilter::WARN));
        let lines = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
        match form {
            Form::Text => registry().with(lines.with_filter(ours)).init(),
            Form::Json => {
                registry().with(lines.json().flatten_event(true).with_filter(ours)).init();
                std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
            }
        }
        Self { form }
    }

    pub(crate) fn is_json(self) -> bool {
        self.form == Form::Json
    }

    /// Why it ends.
    pub(crate) fn fail(self, text: &str) {
        match self.form {
            Form::Json => tracing::error!("{text}"),
            Form::Text => line(format_args!("giga: {text}")),
        }
    }

    /// What is wrong with a description: as a text, or a line for each fault.
    pub(crate) fn fault(self, faults: &Faults) {
        match self.form {
            Form::Text => line(format_args!("{}", faults.to_string().trim_end())),
            Form::Json => faults.diagnostics().iter().for_each(|fault| {
                let (file, help) = (&fault.file, &fault.help);
                tracing::error!(file, line = fault.line, key = fault.key, help, "{}", fault.message);
            }),
        }
    }

    /// What is good to know.
    pub(crate) fn note(self, text: &str) {
        match self.form {
            Form::Json => tracing::info!("{text}"),
            Form::Text => line(format_args!("giga: {text}")),
        }
    }
}

/// A server does not end because nobody reads what it says.
fn line(text: std::fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
