//! A real Slurm for a test, by the script of the project.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Clusters that end with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    sites: Vec<String>,
}

impl Cluster {
    /// Starts a cluster for each site, or says why there can be none.
    pub(crate) fn start(sites: &[&str], nodes: u32, accelerators: u32) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("giga-slurm-").tempdir().map_err(|e| e.to_string())?;
        let cluster = Self { folder, sites: sites.iter().map(|&site| site.to_owned()).collect() };
        let own = std::process::id().to_string();
        let (nodes, accelerators) = (nodes.to_string(), accelerators.to_string());
        let options = [
            "--sites",
            &sites.join(","),
            "--nodes",
            &nodes,
            "--accelerators",
            &accelerators,
            "--while",
            &own,
        ];
        cluster.script("up", &options)?;
        Ok(cluster)
    }

    /// Calls the script for this folder.
    pub(crate) fn script(&self, verb: &str, options: &[&str]) -> Result<(), String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/slurm-sites");
        let output = Command::new(script).arg(verb).arg(self.folder.path()).args(options).output();
        let output = output.map_err(|fault| format!("{script}: {fault}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    /// The address of the slurmrestd of the first site.
    pub(crate) fn rest(&self) -> String {
        let address = fs::read_to_string(self.folder.path().join(&self.sites[0]).join("rest"));
        format!("http://{}", address.expect("the script says where it listens").trim())
    }

    /// The key that signs tokens for it.
    pub(crate) fn key(&self) -> Vec<u8> {
        fs::read(self.folder.path().join(&self.sites[0]).join("jwt.key")).expect("the script makes a key")
    }

    /// The configuration of the first site.
    pub(crate) fn conf(&self) -> PathBuf {
        self.conf_of(&self.sites[0])
    }

    /// The configuration of a site.
    pub(crate) fn conf_of(&self, site: &str) -> PathBuf {
        self.folder.path().join(site).join("slurm.conf")
    }

    /// The process of a part of a site, if it was started.
    pub(crate) fn pid(&self, site: &str, part: &str) -> Option<i32> {
        let text = fs::read_to_string(self.folder.path().join(site).join(format!("{part}.pid"))).ok()?;
        text.trim().parse().ok()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What can not be ended is left to whoever looks for it.
        let _ = self.script("down", &[]);
    }
}

/// Whether a run without Slurm has to fail.
pub(crate) fn required() -> bool {
    std::env::var("GIGA_REQUIRE").is_ok_and(|words| words.split(',').any(|word| word == "slurm"))
}

/// Who we are.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("a user has a name");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// This program.
pub(crate) fn this() -> String {
    let this = std::env::current_exe().expect("Linux tells a program where it lies");
    this.to_str().expect("a test lies under a plain path").to_owned()
}
