//! The federation of a first try, on Slurm clusters in the place of local processes.

use std::path::PathBuf;

/// Its sites.
pub(crate) const SITES: [&str; 3] = ["kajaani", "stuttgart", "barcelona"];

/// Its description, where each site is the cluster that this configuration chooses; with lines of its own for each.
pub(crate) fn description(conf: impl Fn(&str) -> PathBuf, more: impl Fn(&str) -> String) -> String {
    let local = include_str!("../../src/up/local.toml");
    let mut text = String::new();
    let mut sites = SITES.iter();
    for part in local.split_inclusive("[site.failures]\n") {
        let Some(before) = part.strip_suffix("[site.failures]\n") else {
            text += part;
            continue;
        };
        let site = sites.next().expect("as many sites as are named");
        let (conf, more) = (conf(site), more(site));
        text += &before.replace("engine = \"local\"", "engine = \"slurm\"");
        text += &format!(
            "[site.slurm]\npartition = \"giga\"\nconf = \"{}\"\n{more}[site.failures]\n",
            conf.display()
        );
    }
    text
}
