//! An image that tests run containers of: the root of a system with nothing in it but busybox.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file that only the image has.
pub(crate) const MARK: &str = "made-by-a-test";

/// Makes an image; why there is none where a part of it is missing.
///
/// # Panics
/// Panics there where `GIGA_REQUIRE` names `container`.
pub(crate) fn image() -> Result<TempDir, String> {
    let made = busybox().and_then(|busybox| {
        on_path("ch-run").ok_or("there is no `ch-run` (of charliecloud-runtime)")?;
        let made = made(&busybox).map_err(|fault| format!("no image can be made: {fault}"))?;
        runs(made.path()).map(|()| made)
    });
    let required =
        std::env::var("GIGA_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "container"));
    match made {
        Err(why) if required => panic!("{why}, and GIGA_REQUIRE forbids to skip containers"),
        made => made,
    }
}

/// Whether the runtime can do its work on this machine: some allow no namespaces.
fn runs(root: &Path) -> Result<(), String> {
    let tried = Command::new("ch-run").env("USER", "root").arg(root).args(["--", "/bin/true"]).output();
    let tried = tried.map_err(|fault| format!("`ch-run`: {fault}"))?;
    let said = String::from_utf8_lossy(&tried.stderr);
    if tried.status.success() { Ok(()) } else { Err(format!("`ch-run` runs nothing here: {}", said.trim())) }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Where a busybox is that needs no other file.
fn busybox() -> Result<PathBuf, String> {
    let path = on_path("busybox").ok_or("there is no `busybox` (of busybox-static)")?;
    let bytes = fs::read(&path).map_err(|fault| fault.to_string())?;
    let loader = b"/ld-linux";
    if bytes.windows(loader.len()).any(|window| window == loader) {
        return Err(format!("`{}` is not static; install busybox-static", path.display()));
    }
    Ok(path)
}

fn made(busybox: &Path) -> std::io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    for name in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        fs::create_dir(root.join(name))?;
    }
    for name in ["etc/group", "etc/hosts", "etc/passwd", "etc/resolv.conf", MARK] {
        fs::write(root.join(name), "")?;
    }
    fs::copy(busybox, root.join("bin/busybox"))?;
    let applets = Command::new(busybox).arg("--list").output()?.stdout;
    for name in String::from_utf8_lossy(&applets).lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name))?;
    }
    Ok(folder)
}
