//! An engine for every site that has one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use giga_engine::Engine;
use giga_engine::local::{Host, LocalEngine, LocalPool, READINGS};
use giga_engine::slurm::protocol::Rules;
use giga_engine::slurm::{self, Cli, Rest, SlurmEngine, SlurmPool, SlurmSite, Transport};
use giga_formats::attempt::readings;
use giga_model::{EngineKind, Federation, PoolId, Site, SiteId, SlurmAccess, SlurmMode};

/// How often a Slurm is asked what became of our jobs: an assumption, a list of a thousand takes it some 50 ms.
const POLL: Duration = Duration::from_secs(1);

pub(super) fn open(
    federation: &Federation,
    folder: &Path,
) -> anyhow::Result<BTreeMap<SiteId, Arc<dyn Engine>>> {
    if let Some(path) = std::env::var_os(READINGS).map(PathBuf::from) {
        let told = || format!("`{}`, which `{READINGS}` names", path.display());
        readings(&std::fs::read_to_string(&path).with_context(told)?).with_context(told)?;
    }
    let host = Host::here()?;
    let mut engines: BTreeMap<SiteId, Arc<dyn Engine>> = BTreeMap::new();
    let mut devices = host.devices.iter().map(|device| device.uuid.clone());
    for (index, site) in federation.sites.iter().enumerate() {
        let Some(kind) = site.engine else { continue };
        let engine: Arc<dyn Engine> = match (kind, &site.slurm) {
            (EngineKind::Slurm, Some(access)) => {
                let told = || format!("the Slurm of site `{}`", site.name);
                Arc::new(by_slurm(federation, site, access, folder).with_context(told)?)
            }
            _ => {
                // Sites that share a machine each count all of it as theirs: they stand for sites that do not.
                let mut pools = host.divide(&pools(federation, site).collect::<Vec<_>>());
                if kind == EngineKind::LocalNvidia {
                    give_devices(&site.name, &mut pools, &mut devices)?;
                }
                // The path of this program by the kernel's word: it stays right when the file is replaced.
                let supervisor = vec![OsString::from("/proc/self/exe"), OsString::from("attempt")];
                Arc::new(LocalEngine::open(&area(site, folder), pools, supervisor)?)
            }
        };
        engines.insert(SiteId::at(index), engine);
    }
    Ok(engines)
}

/// The folder of each site, in which its engine and its data lie: this machine sees those of all engines there are.
pub(super) fn areas(federation: &Federation, folder: &Path) -> BTreeMap<SiteId, PathBuf> {
    let sites = federation.sites.iter().enumerate().filter(|(_, site)| site.engine.is_some());
    sites.map(|(index, site)| (SiteId::at(index), area(site, folder))).collect()
}

/// The folder of a site: in one that its nodes share with this machine, or in the data folder.
fn area(site: &Site, folder: &Path) -> PathBuf {
    shared(site, folder).join("sites").join(&site.name)
}

fn shared<'a>(site: &'a Site, folder: &'a Path) -> &'a Path {
    let shared = site.slurm.as_ref().and_then(|access| access.folder.as_deref());
    shared.map_or(folder, Path::new)
}

/// Name, nodes and accelerators of a node of each pool.
fn pools<'a>(federation: &'a Federation, site: &'a Site) -> impl Iterator<Item = (&'a str, u32, u32)> {
    let pool = |&id: &PoolId| {
        let per_node = u32::from(federation.accelerator_of(id).per_node);
        (federation.pools[id.index()].name.as_str(), federation.nodes_of(id), per_node)
    };
    site.pools.iter().map(pool)
}

/// The pools of a site as they lie in its Slurm.
pub(crate) fn slurm_pools(federation: &Federation, site: &Site, access: &SlurmAccess) -> Vec<SlurmPool> {
    let pool = |(name, nodes, accelerators_per_node): (&str, u32, u32)| {
        let own = access.pools.iter().find(|(pool, ..)| pool == name);
        SlurmPool {
            name: name.to_owned(),
            nodes,
            accelerators_per_node,
            partition: own.and_then(|own| own.1.clone()).unwrap_or_else(|| access.partition.clone()),
            constraint: own.and_then(|own| own.2.clone()),
            gres: access.gres.clone(),
        }
    };
    pools(federation, site).map(pool).collect()
}

fn by_slurm(
    federation: &Federation,
    site: &Site,
    access: &SlurmAccess,
    folder: &Path,
) -> anyhow::Result<SlurmEngine> {
    let described = SlurmSite {
        pools: slurm_pools(federation, site, access),
        account: access.account.clone(),
        qos: access.qos.clone(),
        reservation: access.reservation.clone(),
        guest: access.mode == SlurmMode::Guest,
        poll: POLL,
        rules: Rules::default(),
    };
    let transport = transport(access)?;
    let shared = shared(site, folder);
    let program = match &access.program {
        Some(program) => PathBuf::from(program),
        None => slurm::program(&shared.join("bin")).with_context(|| format!("`{}`", shared.display()))?,
    };
    let program = program.to_str().context("the path of the program is not UTF-8")?.to_owned();
    let home = area(site, folder);
    Ok(SlurmEngine::open(&home, described, transport, vec![program, "attempt".to_owned()])?)
}

/// The way to ask the Slurm of a site.
pub(crate) fn transport(access: &SlurmAccess) -> anyhow::Result<Box<dyn Transport>> {
    let user = access.user.clone().unwrap_or_else(slurm::user);
    let (Some(address), Some(file)) = (&access.rest, &access.jwt_key) else {
        return Ok(Box::new(Cli { conf: access.conf.as_ref().map(PathBuf::from), user }));
    };
    anyhow::ensure!(
        ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)),
        "`rest = \"{address}\"` is no address of a slurmrestd; write for example `http://127.0.0.1:6820`"
    );
    let key = std::fs::read(file).with_context(|| format!("`jwt_key = \"{file}\"`"))?;
    Ok(Box::new(Rest::new(address, key, &user)))
}

/// Gives each accelerator of these pools a device of its own; no device is given twice.
fn give_devices(
    site: &str,
    pools: &mut [LocalPool],
    devices: &mut impl Iterator<Item = String>,
) -> anyhow::Result<()> {
    for pool in pools {
        let wanted = u64::from(pool.nodes) * u64::from(pool.accelerators_per_node);
        pool.devices = devices.by_ref().take(usize::try_from(wanted)?).collect();
        let found = pool.devices.len();
        anyhow::ensure!(
            found as u64 == wanted,
            "pool `{}` of site `{site}` has {wanted} accelerators and this machine has {found} NVIDIA devices left for \
             them; describe as many as there are, or write `engine = \"local\"` for virtual ones",
            pool.name
        );
    }
    Ok(())
}
