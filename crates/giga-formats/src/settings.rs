//! What can be set outside of a call: in a file `giga.toml`, or by variables of the environment.
//!
//! One table says what there is, what it takes and what its variable is called, for the file, the environment and the pages
//! alike. Which of them counts is the caller's to say.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::net::SocketAddr;

use toml::de::{DeTable, DeValue};

use crate::description::Faults;
use crate::description::decode::mismatch;
use crate::description::diagnostic::{Explain, Findings, nearest};
use crate::description::shape::Shape;

/// Something that can be set.
#[derive(Debug)]
pub struct Setting {
    /// The table of the file that it stands in; none for the top.
    table: &'static str,
    /// Its key there.
    key: &'static str,
    /// The variable of the environment.
    pub variable: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Any text; with an example.
    Text(&'static str),
    /// `true` or `false`.
    Flag,
    /// An address with a port.
    Address,
    /// One of these.
    Word(&'static [&'static str]),
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $table:literal $key:literal $variable:literal $kind:expr;)*) => {
        $($(#[$doc])* pub const $name: Setting =
            Setting { table: $table, key: $key, variable: $variable, kind: $kind };)*
        /// All of them, in the order of the pages.
        pub const ALL: &[Setting] = &[$($name),*];
    };
}
settings! {
    /// The address of the server that a client asks.
    SERVER: "" "server" "GIGA_SERVER" Kind::Text("\"http://127.0.0.1:7474\"");
    /// The data folder.
    DATA: "" "data" "GIGA_HOME" Kind::Text("\"/srv/giga\"");
    /// The file with the token.
    TOKEN_FILE: "" "token_file" "GIGA_TOKEN_FILE" Kind::Text("\"/home/anna/.giga-token\"");
    /// Whether clients print JSON.
    JSON: "" "json" "GIGA_JSON" Kind::Flag;
    /// The description of a server.
    FEDERATION: "up" "federation" "GIGA_FEDERATION" Kind::Text("\"/etc/giga/federation.toml\"");
    /// Where a server listens.
    LISTEN: "up" "listen" "GIGA_LISTEN" Kind::Address;
    /// The store of a server.
    STORE: "up" "store" "GIGA_STORE" Kind::Text("\"postgres:///giga\"");
    /// The form of what a server says of itself.
    LOG: "up" "log" "GIGA_LOG" Kind::Word(&["text", "json"]);
    /// The least that a server says.
    LOG_LEVEL: "up" "log_level" "GIGA_LOG_LEVEL" Kind::Word(&["error", "warn", "info", "debug"]);
}

impl Setting {
    /// Its key with its table, as it stands in messages.
    #[must_use]
    pub fn path(&self) -> String {
        if self.table.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.table, self.key) }
    }

    /// Whether a text will do, wherever it stands.
    ///
    /// # Errors
    /// Says what would.
    pub fn check(&self, text: &str) -> Result<(), SettingFault> {
        let help = match self.kind {
            Kind::Text(_) if !text.trim().is_empty() => return Ok(()),
            Kind::Flag if ["true", "false"].contains(&text) => return Ok(()),
            Kind::Address if text.parse::<SocketAddr>().is_ok() => return Ok(()),
            Kind::Word(words) if words.contains(&text) => return Ok(()),
            Kind::Text(example) => format!("write for example {example}"),
            Kind::Flag => "write `true` or `false`".into(),
            Kind::Address => "write an address with a port, such as `127.0.0.1:7474`".into(),
            Kind::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("write {}", words.join(" or "))
            }
        };
        Err(SettingFault { text: text.to_owned(), help })
    }

    fn expected(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Text(example) => ("a text in quotes", example),
            Kind::Flag => ("`true` or `false`", "true"),
            Kind::Address => ("an address in quotes", "\"127.0.0.1:7474\""),
            Kind::Word(_) => ("a word in quotes", "\"json\""),
        }
    }
}

/// A text that will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    text: String,
    help: String,
}

impl Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` will not do", self.text)
    }
}

impl Explain for SettingFault {
    fn help(&self) -> String {
        self.help.clone()
    }
}

impl SettingFault {
    /// What would do.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }
}

/// What a file sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Reads a file. `file` is what messages call it.
    ///
    /// # Errors
    /// All faults of the text at once, each with place and remedy.
    pub fn read(file: &str, text: &str) -> Result<Self, Faults> {
        let (mut findings, mut values) = (Findings::default(), BTreeMap::new());
        let (tree, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let fault = Shape::Syntax { message: error.message().to_owned() };
            findings.add_damage(&error.span().unwrap_or(0..0), &fault);
        }
        table(tree.get_ref(), "", &mut findings, &mut values);
        findings.finish(file, text)?;
        Ok(Self(values))
    }

    /// What the file says of a setting.
    #[must_use]
    pub fn get(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.variable).map(String::as_str)
    }
}

fn table(
    here: &DeTable<'_>,
    name: &str,
    findings: &mut Findings,
    values: &mut BTreeMap<&'static str, String>,
) {
    for (key, value) in here {
        let (word, span) = (key.get_ref().as_ref(), value.span());
        let known = ALL.iter().find(|setting| setting.table == name && setting.key == word);
        match (known, value.get_ref()) {
            (Some(setting), DeValue::String(text)) if !matches!(setting.kind, Kind::Flag) => {
                if let Err(fault) = setting.check(text) {
                    findings.add(&span, setting.path(), &fault);
                }
                values.insert(setting.variable, text.to_string());
            }
            (Some(Setting { kind: Kind::Flag, variable, .. }), DeValue::Boolean(flag)) => {
                values.insert(variable, flag.to_string());
            }
            (Some(setting), other) => {
                let (expected, example) = setting.expected();
                findings.add(&span, setting.path(), &mismatch(word, expected, other, example));
            }
            (None, DeValue::Table(inner)) if name.is_empty() && word == "up" => {
                table(inner, "up", findings, values);
            }
            (None, other) if name.is_empty() && word == "up" => {
                findings.add(&span, "up", &mismatch(word, "a table", other, "{ log = \"json\" }"));
            }
            (None, _) => findings.add(&key.span(), word, &unknown(name, word)),
        }
    }
}

fn unknown(table: &str, key: &str) -> Shape {
    let keys = ALL.iter().filter(|setting| setting.table == table).map(|setting| setting.key);
    let keys: Vec<&str> = keys.chain(table.is_empty().then_some("up")).collect();
    let known = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let section = if table.is_empty() { "a file of settings" } else { "[up]" };
    Shape::UnknownKey { key: key.to_owned(), section, nearest: nearest(key, keys), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_what_it_says() {
        let text = "server = \"http://a:1\"\njson = true\n[up]\nlisten = \"127.0.0.1:80\"\nlog = \"json\"\n";
        let read = Settings::read("giga.toml", text).expect("it has no fault");
        assert_eq!(read.get(&SERVER), Some("http://a:1"));
        assert_eq!((read.get(&JSON), read.get(&LISTEN)), (Some("true"), Some("127.0.0.1:80")));
        assert_eq!((read.get(&LOG), read.get(&DATA)), (Some("json"), None));
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let text = "serve = \"x\"\njson = \"yes\"\ndata = \"\"\nlisten = 1\n[up]\nlisten = \"here\"\nlog = \"xml\"\ntoken = 1\n";
        let faults = Settings::read("giga.toml", text).expect_err("it has faults");
        let found: Vec<(usize, &str, &str)> = faults
            .diagnostics()
            .iter()
            .map(|fault| (fault.line, fault.key.as_str(), fault.help.as_str()))
            .collect();
        let expected = [
            (1, "serve", "did you mean `server`?"),
            (2, "json", "write for example `json = true`"),
            (3, "data", "write for example \"/srv/giga\""),
            (4, "listen", "drop it; the keys here are `server`, `data`, `token_file`, `json`, `up`"),
            (6, "up.listen", "write an address with a port, such as `127.0.0.1:7474`"),
            (7, "up.log", "write `text` or `json`"),
            (8, "token", "drop it; the keys here are `federation`, `listen`, `store`, `log`, `log_level`"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn no_two_settings_share_a_name() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|setting| setting.variable).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
