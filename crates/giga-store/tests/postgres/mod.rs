//! A PostgreSQL of the tests' own: one server for a test process, a database for each test. It lies in a temporary folder,
//! listens on a socket there, and is gone when the process is, however that ends.

use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use giga_store::Url;

/// A server of PostgreSQL.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// Ends the server once its input is closed: this process is gone, or nobody needs it any more.
    guard: Child,
}

/// Where the socket lies; the port is part of its name.
const PORT: &str = "5432";
const USER: &str = "giga";

/// The database of a test, or `None` where PostgreSQL is not installed: then the test is skipped by name, or fails where
/// `GIGA_REQUIRE` names `postgres`.
pub(crate) fn database(test: &str) -> Option<Url> {
    Some(Url::parse(&shared(test)?.new_database(), None).expect("a URL"))
}

/// The server that the tests of this process share.
pub(crate) fn shared(test: &str) -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = SHARED.get_or_init(Cluster::start).as_ref();
    if cluster.is_none() {
        skip(test);
    }
    cluster
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(test: &str) {
    let required =
        std::env::var("GIGA_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "postgres"));
    assert!(!required, "`{test}` needs PostgreSQL, and GIGA_REQUIRE forbids to skip it");
    eprintln!("skipped: {test} needs PostgreSQL (`apt-get install postgresql`)");
}

impl Cluster {
    /// Starts one, or `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("giga-pg-").tempdir().expect("a folder").keep();
        if let Some((user, group)) = other_user() {
            chown(&folder, Some(user), Some(group)).expect("a change of owner");
        }
        let data = folder.join("data");
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let made = as_user(&text(&programs.join("initdb")))
            .args(["-D", &text(&data), "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C", "--no-sync"])
            .output();
        succeeded(&made.expect("initdb runs"));
        let settings = format!("listen_addresses = ''\nunix_socket_directories = '{}'\n", text(&folder));
        let mut file =
            std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).expect("a file");
        file.write_all(settings.as_bytes()).expect("a write");
        let guard = as_user("sh")
            .args([
                "-c",
                "cat >/dev/null; \"$1/pg_ctl\" -D \"$2/data\" -m immediate stop; rm -rf \"$2\"",
                "guard",
            ])
            .args([&text(&programs), &text(&folder)])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell runs");
        let cluster = Self { programs, folder, guard };
        cluster.control(&["start"]);
        Some(cluster)
    }

    /// Calls `pg_ctl`, and waits for what it does.
    pub(crate) fn control(&self, arguments: &[&str]) {
        let program = self.programs.join("pg_ctl");
        let mut call = as_user(program.to_str().expect("UTF-8"));
        call.arg("-D")
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(["-w", "-t", "60"]);
        succeeded(&call.args(arguments).output().expect("pg_ctl runs"));
    }

    /// A database of its own, as a URL.
    pub(crate) fn new_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A template can not be copied by two at once.
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        drop(one);
        let folder = self.folder.to_str().expect("UTF-8").replace('/', "%2F");
        format!("postgres://{USER}@{folder}/{name}")
    }

    /// Starts it again with encryption, on a port of this machine: the port, and the certificate to trust.
    pub(crate) fn encrypt(&self) -> (u16, PathBuf) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let place = |name: &str| self.folder.join("data").join(name).to_str().expect("UTF-8").to_owned();
        let made = as_user("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ])
            .args(["-keyout", &place("server.key"), "-out", &place("server.crt")])
            .output();
        succeeded(&made.expect("openssl runs"));
        self.control(&["restart", "-o", &format!("-c ssl=on -c listen_addresses=localhost -c port={port}")]);
        let trusted = self.folder.join("server.crt");
        std::fs::copy(place("server.crt"), &trusted).expect("a copy");
        (port, trusted)
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{PORT}"))
    }

    /// What a statement answers, as text.
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        let mut call = Command::new(self.programs.join("psql"));
        call.arg("-h").arg(&self.folder).args(["-p", PORT, "-U", USER, "-d", database, "-qAtXc", sql]);
        let output = call.output().expect("psql runs");
        succeeded(&output);
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

#[track_caller]
fn succeeded(output: &Output) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// Where the programs of PostgreSQL lie: the latest version as Debian has it, or those on the path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin"));
    let latest = installed.filter(|programs| programs.join("initdb").is_file()).max_by_key(|programs| {
        let version =
            programs.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok());
        version.unwrap_or(0)
    });
    let paths = std::env::var_os("PATH").unwrap_or_default();
    latest.or_else(|| std::env::split_paths(&paths).find(|programs| programs.join("initdb").is_file()))
}

/// Whom PostgreSQL runs as where the tests run as root, which it refuses.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

/// A program as that user, from a folder that everybody may enter.
fn as_user(program: &str) -> Command {
    let mut command = match other_user() {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid",
                &user.to_string(),
                "--regid",
                &group.to_string(),
                "--clear-groups",
                program,
            ]);
            command
        }
    };
    command.current_dir("/");
    command
}
