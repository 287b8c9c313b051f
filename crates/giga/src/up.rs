//! `giga up`: a live federation on this machine. It wires server and engines, prints what to type next, and waits.

pub(crate) mod engines;
mod log;

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use clap::Args;
use giga_formats::settings::{DATA, FEDERATION, LISTEN, STORE};
use giga_model::{Federation, Site};
use giga_server::{Call, Found, Home, Server, ServerError, Stopped, may_listen};
use giga_store::{Store, StoreError, Url, UrlError};
use giga_units::{Instant, grouped};

use self::log::{Form, Level, Log};
use crate::settings::Settings;
use crate::{beside, home};

/// The federation of a first try: three small sites in three countries, all on this machine.
pub(crate) const LOCAL: &str = include_str!("up/local.toml");
/// Where it is said to be from.
pub(crate) const LOCAL_NAME: &str = "(built in)";

/// What `giga up` was asked.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The description; `GIGA_FEDERATION` unless given. Without one, that of the data folder, or three small sites in three countries on this machine.
    federation: Option<PathBuf>,
    /// The folder that keeps everything, or with `--store` what engines keep; `GIGA_HOME`, or `giga` in the user's data
    /// folder unless given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen, on this machine only; `GIGA_LISTEN`, or 127.0.0.1:7474, unless given.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// A database of PostgreSQL, `postgres://USER@HOST/DATABASE`, in the place of SQLite in the data folder, `GIGA_STORE` unless
    /// given; the password may be in `PGPASSWORD`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How it writes what it says of itself on standard error: `text` or `json`; `GIGA_LOG` unless given.
    #[arg(long, value_name = "FORM")]
    log: Option<Form>,
    /// The least that it says: `error`, `warn`, `info` or `debug`; `GIGA_LOG_LEVEL` unless given.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<Level>,
    /// File of settings; `GIGA_CONFIG`, or `giga/giga.toml` in the user's folder of settings, unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where a server listens unless it is told otherwise.
pub(crate) const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7474);

impl Up {
    /// The call with what is set outside of it, where it says nothing itself.
    fn filled(&self, settings: &Settings) -> Filled {
        let listen = || settings.text(&LISTEN).and_then(|word| word.parse().ok());
        let federation = || settings.text(&FEDERATION).map(PathBuf::from);
        Filled {
            federation: self.federation.clone().or_else(federation),
            data: home::folder(self.data.as_deref(), settings),
            named: self.data.is_some() || settings.text(&DATA).is_some(),
            listen: self.listen.or_else(listen).unwrap_or(HERE),
            store: self.store.clone().or_else(|| settings.text(&STORE)),
        }
    }
}

/// What counts, wherever it was said.
struct Filled {
    federation: Option<PathBuf>,
    /// The data folder, or `None` where there is none.
    data: Option<PathBuf>,
    /// Whether somebody named it.
    named: bool,
    listen: SocketAddr,
    store: Option<String>,
}

/// What the local engine calls.
#[derive(Debug, Args)]
pub(crate) struct Attempt {
    /// The folder of the attempt.
    folder: PathBuf,
}

pub(crate) fn attempt(call: &Attempt) -> ExitCode {
    giga_engine::local::supervise(&call.folder)
}

/// Keeps a federation up until it is told to stop.
pub(crate) fn run(call: &Up) -> anyhow::Result<ExitCode> {
    let settings = match Settings::open(call.config.as_deref()) {
        Ok(settings) => settings,
        Err(text) => {
            writeln!(std::io::stderr(), "{text}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let log = Log::begin(call.log, call.log_level, &settings);
    // In lines for programs, the last one too.
    match live(&call.filled(&settings), log) {
        Err(error) if log.is_json() => {
            log.fail(&format!("{error:#}"));
            Ok(ExitCode::from(1))
        }
        ended => ended,
    }
}

fn live(call: &Filled, log: Log) -> anyhow::Result<ExitCode> {
    let refused = |text: String| {
        log.fail(&text);
        Ok(ExitCode::from(2))
    };
    let store = match call.store.as_deref().map(store).transpose() {
        Ok(store) => store,
        Err(error) => return refused(why(error)),
    };
    if let Err(error) = may_listen(call.listen) {
        return refused(why(error));
    }
    // What may go away by itself is no fault of the set-up: a service manager tries again.
    let ended = |error: ServerError| {
        let code = if error.passes() { 1 } else { 2 };
        log.fail(&why(error));
        Ok(ExitCode::from(code))
    };
    let (file, text) = match &call.federation {
        None => match begun(call.data.as_deref(), store.as_ref()) {
            Ok(begun) => begun.unwrap_or_else(|| (LOCAL_NAME.to_owned(), LOCAL.to_owned())),
            Err(error) => return ended(error.into()),
        },
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => (path.display().to_string(), text),
            Err(error) => return refused(format!("`{}` can not be read: {error}", path.display())),
        },
    };
    let description = match beside::read(Path::new(&file), &text, &[]) {
        Ok(description) => description,
        Err(faults) => {
            log.fault(&faults);
            return Ok(ExitCode::from(2));
        }
    };
    description.notes.iter().for_each(|note| log.note(&note.to_string()));
    let Some(folder) = &call.data else {
        return refused("there is no home folder; name one with `--data DIR`".into());
    };
    let folder = std::path::absolute(folder).with_context(|| format!("`{}`", folder.display()))?;
    let home = match Home::open(folder, store.as_ref(), &file, &text, description) {
        Ok(home) => home,
        Err(error) => return ended(error),
    };
    let (federation, folder) = (Arc::clone(home.federation()), home.folder().to_owned());
    let engines = match engines::open(&federation, &folder) {
        Ok(engines) => engines,
        // A service manager tries again, and by then there may be room.
        Err(error) if is_full(&error) => return Err(error),
        Err(error) => return refused(why(error)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let version = env!("CARGO_PKG_VERSION");
    let (listen, connections) = (call.listen, connections());
    let areas = engines::areas(&federation, &folder);
    runtime.block_on(async {
        let told = told_to_stop()?;
        let server = match Server::start(Call { home, listen, connections, engines, areas, version }).await {
            Ok(server) => server,
            Err(error) => return ended(error),
        };
        // A server does not end because nobody reads its greeting.
        drop(greet(&federation, &server, (&folder, store.as_ref()), call.named));
        last_words(server.serve(told).await, &log)
    })
}

/// Whether a full disk is what was in the way.
fn is_full(error: &anyhow::Error) -> bool {
    let full =
        |fault: &std::io::Error| matches!(fault.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    error.chain().any(|cause| cause.downcast_ref().is_some_and(full))
}

/// What there is to say of an end.
fn last_words(how: Stopped, log: &Log) -> anyhow::Result<ExitCode> {
    match how {
        Stopped::Told => {
            log.note("stopped; what runs goes on, and `giga up` takes it over again");
            Ok(ExitCode::SUCCESS)
        }
        Stopped::Broken => anyhow::bail!(
            "a part of the server broke, which is a fault of this program; nothing that was answered is lost, and \
             `giga up` goes on from the journal"
        ),
        Stopped::Journal(error @ StoreError::Fenced { .. }) => {
            Err(anyhow::Error::from(error)
                .context("another server took over; nothing that was answered is lost"))
        }
        Stopped::Journal(error) => Err(anyhow::Error::from(error).context(
            "the journal can not be written, so nothing more is promised; nothing that was answered is lost; \
             free the disk, or see to the database, and start again",
        )),
    }
}

/// What went wrong, down to its cause.
fn why(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// The most files that are asked for; jobs inherit the limit, and some programs look at each file up to it.
const FILES_MAX: u64 = 16_384;
/// The files that are counted on where the system does not say.
const FILES: u64 = 256;

/// How many connections may be open: half of the files this process may have, after it took as many as it is allowed. The
/// others are for the store, the engines and what jobs print.
fn connections() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let files = match getrlimit(Resource::RLIMIT_NOFILE) {
        Err(_) => FILES,
        Ok((soft, hard)) => {
            let wanted = hard.min(FILES_MAX).max(soft);
            if setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() { wanted } else { soft }
        }
    };
    usize::try_from(files.min(FILES_MAX) / 2).map_or(1, |half| half.max(1))
}

/// Where a database is. A password in `PGPASSWORD` does not stand in the list of processes.
pub(crate) fn store(url: &str) -> Result<Url, UrlError> {
    Url::parse(url, std::env::var("PGPASSWORD").ok().as_deref())
}

/// The description that a data folder or database was begun with: whoever names no other wants that one to go on.
fn begun(data: Option<&Path>, store: Option<&Url>) -> Result<Option<(String, String)>, StoreError> {
    let found = match (store, data) {
        (Some(url), _) => Store::connect_read_only(url),
        (None, Some(data)) => Store::read_only(data),
        (None, None) => return Ok(None),
    };
    match found {
        Ok((_, beginning)) => Ok(Some((beginning.file, beginning.text))),
        Err(StoreError::Absent { .. } | StoreError::Empty { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says what is up, and what to type next.
fn greet(
    federation: &Federation,
    server: &Server,
    (folder, store): (&Path, Option<&Url>),
    named: bool,
) -> std::io::Result<()> {
    let sites = federation.sites.iter().map(|site| format!("{} ({})", site.name, site.country.code()));
    let sites: Vec<String> = sites.collect();
    let project = federation.projects.first().map_or("", |project| project.name.as_str());
    let giga = program();
    let mut out = std::io::stdout().lock();
    writeln!(out, "federation `{}` is up: {}", federation.name, sites.join(", "))?;
    writeln!(out, "{} accelerators in all", grouped(federation.accelerators_total()))?;
    match store {
        None => writeln!(out, "listens on {}; keeps everything in {}", server.url(), folder.display())?,
        Some(store) => {
            writeln!(out, "listens on {}; keeps its journal in {store}", server.url())?;
            writeln!(out, "keeps what runs in {}", folder.display())?;
        }
    }
    if let Some(Found { records, running, waiting }) = server.found() {
        let (running, waiting) = (grouped(running), grouped(waiting));
        writeln!(out, "goes on behind record {records} of its journal: {running} jobs run, {waiting} wait")?;
    }
    for site in not_open(federation, Instant::from(SystemTime::now())) {
        writeln!(out, "{site}")?;
    }
    writeln!(out, "\ntype next, in another terminal:")?;
    if named {
        writeln!(out, "  export GIGA_HOME={}", folder.display())?;
    }
    writeln!(out, "  {giga} submit --project {project} --follow -- sh -c 'echo hello from $GIGA_SITE'")?;
    writeln!(out, "  {giga} jobs --all")?;
    writeln!(out, "  {giga} sites")?;
    writeln!(out, "\nCtrl-C stops the server; what runs goes on, and the next `giga up` takes it over")?;
    out.flush()
}

/// The sites of which nothing is open yet, a line each: a description without `start` begins in a year to come.
fn not_open(federation: &Federation, now: Instant) -> Vec<String> {
    let opens = |site: &Site| site.phases.iter().map(|phase| phase.opens).min().unwrap_or(Instant::FAR);
    let later = federation.sites.iter().filter(|site| opens(site) > now);
    let line = |site: &Site| {
        format!(
            "{} opens {}, and nothing starts there before; for work at once begin anew, in another folder, with an earlier \
             `start` or `opens`",
            site.name,
            opens(site)
        )
    };
    later.map(line).collect()
}

/// How to call this program from a shell: by its name if that finds it, else by its path.
fn program() -> String {
    let Ok(this) = std::env::current_exe() else { return "giga".into() };
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|folder| folder.join("giga")).find(|path| path.is_file());
    if found.is_some_and(|path| path.canonicalize().ok() == this.canonicalize().ok()) {
        return "giga".into();
    }
    let here = std::env::current_dir().ok();
    let near = here.and_then(|here| this.strip_prefix(here).ok().map(Path::to_path_buf));
    near.unwrap_or(this).display().to_string()
}

/// Done when somebody presses Ctrl-C or the system asks to end. Both are listened for from this call on, so that a server
/// that is told to stop while it comes up stops as well as later.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_opens_later_is_told() {
        let federation =
            giga_formats::description::read("local.toml", LOCAL).expect("it has no fault").federation;
        let at = |date: &str| not_open(&federation, Instant::parse(date).expect("a date"));
        assert_eq!(at("2026-01-01"), [""; 0]);
        let told = at("2025-12-31");
        assert!(
            told.len() == 3 && told[0].starts_with("kajaani opens 2026-01-01T00:00:00Z, and"),
            "{told:?}"
        );
    }
}
