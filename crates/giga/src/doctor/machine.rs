//! The machine: the port, the clock, how many files may be open.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use giga_engine::tls;
use giga_formats::access;
use giga_server::may_listen;
use nix::sys::resource::{Resource, getrlimit};

use super::Check;

/// With fewer open files there is room for few connections.
const FILES_LEAST: u64 = 1_024;
const FILES_GOOD: u64 = 4_096;
/// How long the two clocks are watched, and by how much they may differ then.
const WATCH: Duration = Duration::from_millis(200);
const DRIFT: Duration = Duration::from_millis(20);

/// The address of the server that the access file leads to, where it answers.
pub(super) fn server(folder: &Path) -> Option<String> {
    let url = access::read(folder).ok()?.url;
    // No token is sent.
    let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(5)));
    let config = config.max_redirects(0).tls_config(tls::trusting(&url));
    let answer = config.build().new_agent().get(format!("{url}/readyz")).call();
    answer.is_ok().then_some(url)
}

pub(super) fn checks(listen: SocketAddr, server: Option<&str>) -> Vec<Check> {
    let mut checks = vec![port(listen, server)];
    checks.push(clocks());
    checks.extend(synchronised());
    checks.push(files());
    checks
}

fn port(listen: SocketAddr, server: Option<&str>) -> Check {
    const NAME: &str = "port";
    if let Err(error) = may_listen(listen) {
        return Check::fail(NAME, error.to_string(), "listen on 127.0.0.1");
    }
    if let Some(url) = server {
        return Check::ok(NAME, format!("the server of the data folder answers at {url}"));
    }
    match TcpListener::bind(listen) {
        Ok(_) => Check::ok(NAME, format!("{listen} is free")),
        Err(error) => {
            let help = "stop what listens there (`ss -ltnp`), or listen elsewhere with `--listen`";
            Check::fail(NAME, format!("{listen} can not be listened on: {error}"), help)
        }
    }
}

/// Whether both clocks go at one pace: the time of day is set by others, the monotone one is not.
fn clocks() -> Check {
    const NAME: &str = "clock";
    let (steady, day) = (Instant::now(), SystemTime::now());
    std::thread::sleep(WATCH);
    let (steady, day) = (steady.elapsed(), day.elapsed());
    match day {
        Ok(day) if day.abs_diff(steady) <= DRIFT => Check::ok(NAME, "goes steadily"),
        _ => {
            let text = "the time of day jumped while it was watched";
            Check::warn(
                NAME,
                text,
                "let one service set it, and let that slew it (chrony, systemd-timesyncd)",
            )
        }
    }
}

/// What the system says of its time, where it says anything.
fn synchronised() -> Option<Check> {
    let mut call = Command::new("timedatectl");
    call.args(["show", "--property=NTPSynchronized", "--value"]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = call.output().ok().filter(|output| output.status.success())?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Some(Check::ok("time of day", "set by a time server")),
        "no" => {
            let help = "let chrony or systemd-timesyncd set it; limits and prices go by the time of day";
            Some(Check::warn("time of day", "no time server sets it", help))
        }
        _ => None,
    }
}

fn files() -> Check {
    const NAME: &str = "open files";
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return Check::warn(NAME, "the system does not say how many", "see `ulimit -Hn`");
    };
    let help = "raise it: `LimitNOFILE=16384` in the unit, or in /etc/security/limits.conf";
    let text = format!("up to {hard}; half of them, at most 8192, go to connections");
    if hard < FILES_LEAST {
        Check::fail(NAME, text, help)
    } else if hard < FILES_GOOD {
        Check::warn(NAME, text, help)
    } else {
        Check::ok(NAME, text)
    }
}
