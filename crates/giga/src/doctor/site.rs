//! What carries decisions out: for each site what its engine needs. A new kind of engine adds its function here.

use std::path::Path;
use std::process::{Command, Stdio};

use giga_engine::local::Host;
use giga_engine::runtime_program;
use giga_formats::description::Description;
use giga_model::{ContainerRuntime, EngineKind, Federation, Site};
use giga_units::grouped;

use super::folder::size;
use super::{Check, slurm};

/// The checks of every site, and of this machine where one of them is local.
pub(super) fn checks(description: &Description) -> Vec<Check> {
    let federation = &description.federation;
    let local = |site: &Site| matches!(site.engine, Some(EngineKind::Local | EngineKind::LocalNvidia));
    let host = federation.sites.iter().any(local).then(Host::here);
    let mut checks = Vec::new();
    let host = match host {
        None => None,
        Some(Ok(host)) => {
            checks.extend([processes(), processors(&host)]);
            Some(host)
        }
        Some(Err(error)) => {
            checks.push(Check::fail("machine", error.to_string(), "run local sites on Linux with /proc"));
            None
        }
    };
    let mut devices = host.as_ref().map_or(0, |host| host.devices.len() as u64);
    for site in &federation.sites {
        checks.push(match site.engine {
            None => {
                let help = "write `engine = \"local\"` for it, or leave it out";
                Check::fail(name(site), "nothing carries decisions out there", help)
            }
            Some(EngineKind::Local) => Check::ok(name(site), accelerators(federation, site)),
            Some(EngineKind::LocalNvidia) => nvidia(federation, site, &mut devices),
            Some(EngineKind::Slurm) => {
                checks.extend(slurm::checks(federation, site));
                continue;
            }
        });
        checks.extend(containers(site));
    }
    checks
}

pub(super) fn name(site: &Site) -> String {
    format!("site {}", site.name)
}

fn accelerators(federation: &Federation, site: &Site) -> String {
    format!("local, {} accelerators that stand for real ones", grouped(wanted(federation, site)))
}

/// How many accelerators a site has when all its phases are open.
fn wanted(federation: &Federation, site: &Site) -> u64 {
    let per_node = |id| u64::from(federation.accelerator_of(id).per_node);
    site.pools.iter().map(|&id| u64::from(federation.nodes_of(id)) * per_node(id)).sum()
}

/// Each accelerator needs a device that no earlier site took.
fn nvidia(federation: &Federation, site: &Site, devices: &mut u64) -> Check {
    let wanted = wanted(federation, site);
    let left = *devices;
    *devices = left.saturating_sub(wanted);
    if left < wanted {
        let text =
            format!("it has {wanted} accelerators, and this machine has {left} NVIDIA devices left for them");
        let help = "install the NVIDIA driver (`nvidia-smi` lists what it sees), describe as many as there are, or write \
                    `engine = \"local\"`";
        return Check::fail(name(site), text, help);
    }
    Check::ok(name(site), format!("local, {wanted} of {left} NVIDIA devices"))
}

/// Whether what runs the containers of a site is on this machine, and may.
fn containers(site: &Site) -> Option<Check> {
    let runtime = site.containers?;
    let (name, program) = (format!("containers of {}", site.name), runtime.program());
    let Some(path) = runtime_program(runtime) else {
        let help = format!(
            "install it, put it on the `PATH` of the server, or take `containers` out of site `{}`",
            site.name
        );
        return Some(Check::fail(name, format!("there is no `{program}` on this machine"), help));
    };
    let succeeds = |program: &Path, arguments: &[&str]| {
        let (quiet, mut call) = (Stdio::null, Command::new(program));
        // One of them asks for its name, which a service may not have.
        let user = std::env::var_os("USER").unwrap_or_else(|| "giga".into());
        call.env("USER", user)
            .args(arguments)
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet())
            .status()
            .map(|status| status.success())
    };
    if !succeeds(&path, &["--version"]).unwrap_or(false) {
        let help = format!("see what `{} --version` says", path.display());
        return Some(Check::fail(name, format!("`{}` does not run", path.display()), help));
    }
    // Of the two only this one makes namespaces as the user who calls it.
    let needs = runtime == ContainerRuntime::Charliecloud;
    if needs && succeeds(Path::new("unshare"), &["-Urm", "true"]).is_ok_and(|may| !may) {
        let help = "let users make namespaces: `sysctl user.max_user_namespaces` above zero, and on Ubuntu \
                    `kernel.apparmor_restrict_unprivileged_userns=0`";
        return Some(Check::fail(name, "this user may not make namespaces", help));
    }
    Some(Check::ok(name, format!("{}, by `{}`", runtime.word(), path.display())))
}

/// The local engine tells one process from a later one of the same number by what /proc says of its start.
fn processes() -> Check {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: field 22 is the start.
    let start =
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse::<u64>().ok());
    match start {
        Some(_) => Check::ok("processes", "/proc tells when each began"),
        None => {
            let help = "mount /proc as usual (no `hidepid` for the user of the server)";
            Check::fail("processes", "/proc does not tell when a process began", help)
        }
    }
}

fn processors(host: &Host) -> Check {
    let (cpus, memory) = (host.cpus.len(), size(host.memory));
    let devices = match host.devices.len() {
        0 => "no NVIDIA devices".to_owned(),
        1 => "1 NVIDIA device".to_owned(),
        count => format!("{count} NVIDIA devices"),
    };
    Check::ok("machine", format!("{cpus} processors, {memory} of memory, {devices}"))
}
