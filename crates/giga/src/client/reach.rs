//! How a server is reached: its address and a token, from the call, the environment or the data folder.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use giga_formats::access::{self, AccessError};
use giga_formats::settings::{DATA, JSON, SERVER, TOKEN_FILE};
use serde::de::DeserializeOwned;

use super::Refused;
use crate::home;
use crate::settings::{Settings, variable};

/// What every verb can be told.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reach {
    /// Address of the server; `GIGA_SERVER`, or the server of the data folder, unless given.
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// Data folder of a server on this machine; `GIGA_HOME`, or `giga` in the user's data folder, unless given.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// File that holds the token; `GIGA_TOKEN`, or the token in the data folder, unless given.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Print what the server answers, as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// File of settings; `GIGA_CONFIG`, or `giga/giga.toml` in the user's folder of settings, unless given.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// What is set outside of the call.
    #[arg(skip)]
    pub(super) settings: Settings,
}

/// An address and what opens it.
#[derive(PartialEq, Eq)]
pub(super) struct Way {
    pub(super) url: String,
    pub(super) token: String,
}

impl Reach {
    /// Takes what is set outside of the call.
    ///
    /// # Errors
    /// Says what of it can not be read.
    pub(super) fn open(&mut self) -> Result<(), Refused> {
        self.settings = Settings::open(self.config.as_deref()).map_err(|text| Refused::Input(text + "\n"))?;
        self.json |= self.settings.flag(&JSON);
        Ok(())
    }

    /// Whether the file of settings says which server is asked, and with what: not where a nearer word names a server or a folder,
    /// so that the token of the one never goes to another.
    fn by_file(&self) -> bool {
        let set = |setting| Settings::variable(setting).is_some();
        self.server.is_none() && self.data.is_none() && !set(&SERVER) && !set(&DATA)
    }

    /// The file that holds the token, where one is named.
    fn token_path(&self) -> Option<PathBuf> {
        let by_file = || self.settings.file(&TOKEN_FILE).filter(|_| self.by_file());
        let set = || Settings::variable(&TOKEN_FILE).or_else(by_file).map(PathBuf::from);
        self.token_file.clone().or_else(|| variable(TOKEN).is_none().then(set)?)
    }

    /// Finds address and token.
    ///
    /// # Errors
    /// Says which of them is missing, and where it could stand.
    pub(super) fn way(&self) -> Result<Way, Refused> {
        let token = match self.token_path() {
            None => variable(TOKEN),
            Some(path) => Some(std::fs::read_to_string(&path).map_err(|error| {
                Refused::input(format_args!("`{}` can not be read: {error}", path.display()))
            })?),
        };
        let by_file = || self.settings.file(&SERVER).filter(|_| self.by_file());
        let url = self.server.clone().or_else(|| Settings::variable(&SERVER)).or_else(by_file);
        self.choose(url, token)
    }

    /// Where the token of [`Reach::way`] comes from.
    pub(super) fn token_from(&self) -> String {
        match self.token_path() {
            Some(file) => format!("`{}`", file.display()),
            None if variable(TOKEN).is_some() => format!("`{TOKEN}`"),
            None => "the `access.json` of the data folder".to_owned(),
        }
    }

    fn choose(&self, url: Option<String>, token: Option<String>) -> Result<Way, Refused> {
        let url = url.map(|url| address(&url)).transpose()?;
        let (url, token) = match (url, token) {
            (Some(url), Some(token)) => (url, token),
            (None, token) => {
                let local = self.local()?;
                (address(&local.url)?, token.unwrap_or(local.token))
            }
            // The token of the data folder opens the server of the data folder, and goes to no other.
            (Some(url), None) => match self.local() {
                Ok(local) if address(&local.url)? == url => (url, local.token),
                _ => return Err(Refused::input(NO_TOKEN)),
            },
        };
        let token = token.trim().to_owned();
        if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(Refused::input(
                "the token is empty or holds blanks: it is one line of letters and digits",
            ));
        }
        Ok(Way { url, token })
    }

    fn local(&self) -> Result<access::Access, Refused> {
        let Some(folder) = home::folder(self.data.as_deref(), &self.settings) else {
            return Err(Refused::input(
                "no server is known: neither `GIGA_HOME` nor `HOME` is set; name one with `--server`, or a folder with `--data`",
            ));
        };
        access::read(&folder).map_err(|error| match error {
            AccessError::Absent { .. } => {
                let folder = folder.display();
                Refused::Failed(anyhow::anyhow!(
                    "no server was started in `{folder}`; start one with `giga up`, or name another with `--server` or `--data`"
                ))
            }
            error => Refused::Failed(error.into()),
        })
    }

    /// Prints an answer: as it is with `--json`, else as a screen.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        text: &str,
        screen: impl FnOnce(T) -> String,
    ) -> Result<ExitCode, Refused> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", text.trim_end())?;
        } else {
            write!(out, "{}", screen(parsed(text)?))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The options that lead a next command to the same server.
    pub(super) fn options(&self) -> String {
        let server = self.server.iter().map(|url| format!(" --server {url}"));
        let data = self.data.iter().map(|folder| format!(" --data {}", folder.display()));
        let token = self.token_file.iter().map(|file| format!(" --token-file {}", file.display()));
        let config = self.config.iter().map(|file| format!(" --config {}", file.display()));
        server.chain(data).chain(token).chain(config).collect()
    }
}

/// The variable that holds the token itself; it has no place in a file of settings.
const TOKEN: &str = "GIGA_TOKEN";

const NO_TOKEN: &str = "there is no token for this server: set `GIGA_TOKEN`, or name a file with `--token-file`; an operator \
                        makes one with `giga key create`";

/// Reads an answer.
///
/// # Errors
/// Says that the server speaks another language, which another release does.
pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, Refused> {
    serde_json::from_str(text).map_err(|error| {
        Refused::Failed(anyhow::anyhow!(
            "the answer can not be read ({error}); is it giga, and of the same release? `--json` prints it as it is"
        ))
    })
}

/// An address without the slash at its end.
fn address(url: &str) -> Result<String, Refused> {
    let url = url.trim().trim_end_matches('/');
    match url.split_once("://") {
        Some(("http" | "https", host)) if !host.is_empty() && !host.contains(['?', '#', '@', ' ']) => {
            Ok(url.to_owned())
        }
        _ => Err(Refused::input(format_args!(
            "`{url}` is no address of a server; write for example `https://giga.example.org` or `http://127.0.0.1:7474`"
        ))),
    }
}

/// Whether an address is on this machine, so that what is sent there stays on it.
pub(super) fn is_here(url: &str) -> bool {
    let host = url.trim_start_matches("http://").split('/').next().unwrap_or("");
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    let name = name.unwrap_or("");
    let four = |name: &str| name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    name == "localhost" || name == "[::1]" || four(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(reach: &Reach, url: Option<&str>, token: Option<&str>) -> Result<(String, String), String> {
        match reach.choose(url.map(str::to_owned), token.map(str::to_owned)) {
            Ok(way) => Ok((way.url, way.token)),
            Err(Refused::Input(text)) => Err(text),
            Err(Refused::Failed(error)) => Err(error.to_string()),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn address_and_token_come_from_the_call_or_from_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let reach = Reach { data: Some(folder.path().to_owned()), ..Reach::default() };
        let check =
            |url, token, expected: Result<(&str, &str), &str>| match (ways(&reach, url, token), expected) {
                (Ok((url, token)), Ok(expected)) => assert_eq!((url.as_str(), token.as_str()), expected),
                (Err(text), Err(piece)) => assert!(text.contains(piece), "{text}"),
                (found, expected) => panic!("{found:?} is not {expected:?}"),
            };
        check(None, None, Err("start one with `giga up`"));
        check(Some("http://a:1"), None, Err("set `GIGA_TOKEN`"));
        let local = access::Access { url: "http://127.0.0.1:7474".into(), token: "local".into() };
        access::write(folder.path(), &local).expect("a write");
        check(None, None, Ok(("http://127.0.0.1:7474", "local")));
        check(None, Some("mine\n"), Ok(("http://127.0.0.1:7474", "mine")));
        check(Some("http://127.0.0.1:7474/"), None, Ok(("http://127.0.0.1:7474", "local")));
        check(Some("http://a:1/"), Some("mine"), Ok(("http://a:1", "mine")));
        // The local token does not leak to another server.
        check(Some("http://a:1"), None, Err("set `GIGA_TOKEN`"));
        check(Some("https://a/"), Some("mine"), Ok(("https://a", "mine")));
        check(Some("https://127.0.0.1:7474"), None, Err("set `GIGA_TOKEN`"));
        check(Some("ftp://a:1"), Some("mine"), Err("is no address"));
        check(Some("a:1"), Some("mine"), Err("is no address"));
        check(Some("http://a:1"), Some("a b"), Err("holds blanks"));
    }

    #[test]
    fn an_address_is_on_this_machine_or_not() {
        let check = |url, expected| assert_eq!(is_here(url), expected, "{url}");
        check("http://127.0.0.1:7474", true);
        check("http://127.8.0.1/giga", true);
        check("http://[::1]:7474", true);
        check("http://localhost", true);
        check("http://localhost.example.org", false);
        check("http://10.0.0.1:7474", false);
        check("http://[2001:db8::1]:7474", false);
    }
}
