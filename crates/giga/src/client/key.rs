//! `giga key create | list | revoke`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use giga_formats::api::{ALL_PROJECTS, KeyBody, KeyView, Role};
use giga_report::live;

use super::Refused;
use super::reach::Reach;
use super::server::{Server, encoded};

/// What can be done about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Makes a key and prints its token, which is shown only now.
    Create(Create),
    /// Lists the keys, without their tokens.
    List(List),
    /// Makes a key useless at once.
    Revoke(Revoke),
}

/// What `giga key create` was asked.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it.
    name: String,
    /// What it may do: `user`, `operator`, or `metrics`, which reads `/metrics` only.
    #[arg(long, default_value = "user", value_parser = role)]
    role: Role,
    /// A project it may charge; may be given several times. The other roles need none.
    #[arg(long = "project", value_name = "NAME")]
    projects: Vec<String>,
    /// It may charge all projects.
    #[arg(long, conflicts_with = "projects")]
    all_projects: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What `giga key list` was asked.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    reach: Reach,
}

/// What `giga key revoke` was asked.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The name of the key.
    name: String,
    #[command(flatten)]
    reach: Reach,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "write `user`, `operator` or `metrics`".to_owned())
}

impl KeyVerb {
    pub(super) fn reach(&mut self) -> &mut Reach {
        match self {
            Self::Create(call) => &mut call.reach,
            Self::List(call) => &mut call.reach,
            Self::Revoke(call) => &mut call.reach,
        }
    }
}

/// Does it.
pub(super) fn run(verb: &KeyVerb) -> Result<ExitCode, Refused> {
    match verb {
        KeyVerb::Create(call) => create(call),
        KeyVerb::List(call) => {
            let text = Server::open(&call.reach)?.get("/v1/keys")?;
            call.reach.show(&text, |list| live::keys(&list))
        }
        KeyVerb::Revoke(call) => {
            let text = Server::open(&call.reach)?.delete(&format!("/v1/keys/{}", encoded(&call.name)))?;
            // The answer may have no body, and then there is nothing to print as it is.
            let said = if call.reach.json { text } else { format!("key `{}` is revoked", call.name) };
            let mut out = std::io::stdout().lock();
            said.lines().try_for_each(|line| writeln!(out, "{line}"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Makes a key. The token alone goes to standard output, so that it can be caught in a variable or a file.
fn create(call: &Create) -> Result<ExitCode, Refused> {
    let mut projects = call.projects.clone();
    if call.all_projects {
        projects.push(ALL_PROJECTS.to_owned());
    }
    if call.role == Role::User && projects.is_empty() {
        return Err(Refused::input(
            "a user's key needs the projects it may charge; name them with `--project`, or give `--all-projects`",
        ));
    }
    let body = KeyBody { name: call.name.clone(), role: call.role, projects };
    let body = serde_json::to_string(&body).expect("plain values can be written");
    let text = Server::open(&call.reach)?.post("/v1/keys", &body)?;
    if !call.reach.json {
        let (name, role) = (&call.name, call.role.word());
        eprintln!("giga: key `{name}` is made ({role}); its token is shown only now, keep it safe");
        eprintln!("  use it with `GIGA_TOKEN`, or in a file of yours with `--token-file`");
    }
    call.reach.show(&text, |key: KeyView| key.token.unwrap_or_default() + "\n")
}
