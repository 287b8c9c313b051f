//! A program in a container: what the second stage of a supervisor becomes in the place of the program.
//!
//! The runtime is called by its command line and takes the place of the stage: its session, its group, its signals and its
//! exit code are those of the program. No service of a machine stands between, so that nothing outlives its supervisor.
//!
//! Inside are the working directory, the folder of the attempt and the data, each under its own path, the last two to be
//! read only. Apptainer does that by itself. Charliecloud has mounts that can be written only, and only on folders that the
//! image has; so the stage makes the mounts before, in namespaces of its own, and lays an empty layer over the image.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use giga_model::{Container, ContainerRuntime, Launch};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{User, getgid, getuid};

use super::folder::{Folder, make_folder};

/// Is there where NVIDIA's driver is.
const NVIDIA: &str = "/dev/nvidiactl";

/// Where the layer over an image is mounted: beside the folders of the attempts, and seen by one of them only.
const ROOT: &str = "root";

/// Where the program of a runtime is, by the `PATH` of this process.
#[must_use]
pub fn runtime_program(runtime: ContainerRuntime) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(runtime.program())).find(is_program)
}

/// Why a container can never run a launch, with the way out.
pub(super) fn fault(launch: &Launch) -> Option<String> {
    let container = launch.container.as_ref()?;
    let image = &container.image;
    let is_reference = image.contains("://");
    if image.contains(|c: char| c.is_control()) || !(image.starts_with('/') || is_reference) {
        return Some(format!(
            "`{image}` is no image; name an absolute path or a reference such as `docker://debian:12`"
        ));
    }
    if is_reference && container.runtime == ContainerRuntime::Charliecloud {
        return Some(format!(
            "Charliecloud runs folders and no references: unpack `{image}` there (`ch-image pull`, `ch-convert`), and name the folder"
        ));
    }
    let named = launch.workdir.iter().chain(&container.reads);
    named.into_iter().find_map(|path| unmountable(path))
}

/// Why a folder can not be told to a runtime.
fn unmountable(path: &Path) -> Option<String> {
    let shown = path.display();
    let text = path.to_str().unwrap_or("\0");
    if text.contains([':', ',', '"', '\\']) || text.contains(char::is_control) {
        return Some(format!(
            "`{shown}` can not be mounted in a container; name it without `:`, `,`, `\"` and `\\`"
        ));
    }
    let is_root = path.components().all(|part| part == Component::RootDir);
    is_root.then(|| format!("`{shown}` in a container would hide its image; name a folder"))
}

/// A program in its container, ready to be executed. From here on this process may live in namespaces of its own.
pub(super) struct Inside<'a> {
    pub(super) container: &'a Container,
    pub(super) workdir: &'a Path,
    pub(super) folder: &'a Folder,
}

impl Inside<'_> {
    /// The call of the runtime, after whatever it needs was done; the cause where that failed.
    pub(super) fn command(
        &self,
        program: &[String],
        environment: &mut BTreeMap<String, String>,
    ) -> Result<Command, String> {
        let Container { runtime, image, .. } = self.container;
        let host = super::host_name();
        let Some(call) = runtime_program(*runtime) else {
            let name = runtime.program();
            return Err(format!(
                "`{name}` is not on `{host}`, whose site has `containers = \"{}\"`; install it there, or put it on the `PATH` of \
                 the server",
                runtime.word()
            ));
        };
        let is_path = image.starts_with('/');
        if is_path && let Err(fault) = fs::metadata(image) {
            return Err(format!("image `{image}` on `{host}`: {fault}; put it there, or name another"));
        }
        if let Some(cause) = self.mounts().find_map(unmountable) {
            return Err(cause);
        }
        let arguments = match runtime {
            ContainerRuntime::Apptainer => self.apptainer(Path::new(NVIDIA).exists()),
            ContainerRuntime::Charliecloud => {
                // It asks for its name.
                environment.entry("USER".to_owned()).or_insert_with(user);
                self.layered().map(|root| self.charliecloud(&root))?
            }
        };
        let mut command = Command::new(call);
        command.args(arguments).args(program);
        Ok(command)
    }

    /// The folders that are there inside.
    fn mounts(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.workdir).chain(self.reads())
    }

    /// Those of them that are to be read only.
    fn reads(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.folder.path()).chain(self.container.reads.iter().map(PathBuf::as_path))
    }

    fn apptainer(&self, nvidia: bool) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["exec".into(), "--pwd".into(), self.workdir.into()];
        if nvidia {
            all.push("--nv".into());
        }
        all.extend(["--bind".into(), self.workdir.into()]);
        for path in self.reads() {
            let path = path.display();
            all.extend(["--bind".into(), format!("{path}:{path}:ro").into()]);
        }
        all.push(self.container.image.clone().into());
        all
    }

    fn charliecloud(&self, root: &Path) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["--cd".into(), self.workdir.into()];
        for path in self.mounts() {
            all.extend(["--bind".into(), path.into()]);
        }
        all.extend([root.into(), "--".into()]);
        all
    }

    /// The root of the image under an empty layer in which there is a folder for every mount, and the mounts that are to be
    /// read only. Nobody else sees any of it, and it is gone with the last process that does.
    fn layered(&self) -> Result<PathBuf, String> {
        let image = Path::new(&self.container.image);
        if !image.is_dir() {
            let image = image.display();
            return Err(format!(
                "`{image}` is no folder, and Charliecloud runs folders: unpack it there (`ch-convert`)"
            ));
        }
        let home = self.folder.path().parent().and_then(Path::parent);
        let over = home.ok_or("the attempt lies in no engine's folder")?.join(ROOT);
        make_folder(&over).map_err(told("make a folder to mount on"))?;
        own_namespaces().map_err(told("make namespaces of its own"))?;
        for path in self.reads() {
            to_read_only(path).map_err(told("mount what is to be read"))?;
        }
        layer(image, &over).map_err(told("lay an empty layer over the image"))?;
        let root = over.join(IMAGE);
        self.mounts().try_for_each(|path| make_inside(&root, path))?;
        Ok(root)
    }
}

fn told(what: &'static str) -> impl Fn(io::Error) -> String {
    move |fault| {
        format!(
            "{what}: {fault}; Charliecloud needs Linux 5.11 or later, and users who may make namespaces (`unshare -Urm true` \
             tells)"
        )
    }
}

/// A namespace of users, in which this one may mount, and one of mounts, which only its own processes see.
fn own_namespaces() -> io::Result<()> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    // What changes who a process is may take this from it.
    set_pdeathsig(Signal::SIGKILL)?;
    Ok(mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)?)
}

const NONE: Option<&str> = None;

/// Makes a folder one that can only be read, for whoever lives in this namespace.
fn to_read_only(path: &Path) -> io::Result<()> {
    mount(Some(path), path, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    // What is not allowed already has to stay so, or the kernel refuses.
    let has = statvfs(path)?.flags();
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    let kept = kept.into_iter().filter(|(there, _)| has.contains(*there)).map(|(_, flag)| flag);
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    Ok(mount(NONE, path, NONE, kept.fold(flags, |all, flag| all | flag), NONE)?)
}

/// The folder below the mount in which image and layer are one.
const IMAGE: &str = "image";

fn layer(image: &Path, over: &Path) -> io::Result<()> {
    mount(Some("giga"), over, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=0700"))?;
    for name in ["lower", "upper", "work", IMAGE] {
        fs::create_dir(over.join(name))?;
    }
    mount(Some(image), &over.join("lower"), NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    // By short names: no path has to be written in a list in which `:` and `,` mean something.
    env::set_current_dir(over)?;
    let layers = Some("lowerdir=lower,upperdir=upper,workdir=work");
    Ok(mount(Some("giga"), IMAGE, Some("overlay"), MsFlags::MS_NODEV, layers)?)
}

/// Makes a folder below the root of an image. A link on the way would lead out of that.
fn make_inside(root: &Path, path: &Path) -> Result<(), String> {
    let mut place = root.to_owned();
    for part in path.components().filter(|part| *part != Component::RootDir) {
        place.push(part);
        let told = |what: &dyn Display| format!("`{}` can not be mounted: {what}", path.display());
        match fs::symlink_metadata(&place) {
            Ok(about) if about.is_dir() => {}
            Ok(_) => return Err(told(&"a part of it is no folder in the image; name another `workdir`")),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&place).map_err(|fault| told(&fault))?;
            }
            Err(fault) => return Err(told(&fault)),
        }
    }
    Ok(())
}

fn user() -> String {
    let known = User::from_uid(getuid()).ok().flatten();
    known.map_or_else(|| getuid().to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(nvidia: bool, expected: &str) {
        let container = Container {
            runtime: ContainerRuntime::Apptainer,
            image: "/images/torch.sif".to_owned(),
            reads: vec!["/data/scans".into()],
        };
        let folder = Folder::at(Path::new("/srv/live/giga-1-1"));
        let inside = Inside { container: &container, workdir: Path::new("/srv/work/1"), folder: &folder };
        let words = inside.apptainer(nvidia);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn apptainer_is_called_by_its_command_line() {
        const MOUNTS: &str = "--bind /srv/work/1 --bind /srv/live/giga-1-1:/srv/live/giga-1-1:ro --bind \
                              /data/scans:/data/scans:ro /images/torch.sif";
        check(false, &format!("exec --pwd /srv/work/1 {MOUNTS}"));
        check(true, &format!("exec --pwd /srv/work/1 --nv {MOUNTS}"));
    }

    #[test]
    fn what_no_runtime_can_mount_is_told() {
        for bad in ["/a:b", "/a,b", "/a\nb", "/a\"b", "/", "//"] {
            assert!(unmountable(Path::new(bad)).is_some(), "{bad}");
        }
        assert_eq!(unmountable(Path::new("/srv/with space/ä")), None);
    }
}
