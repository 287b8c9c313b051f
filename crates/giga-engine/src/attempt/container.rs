//! A program in a container: what the second stage of a supervisor becomes in the place of the program.
//!
//! The runtime is called by its command line and takes the place of the stage: its session, its group, its signals and its
//! exit code are those of the program. No service of a machine stands between, so that nothing outlives its supervisor.
//!
//! Inside are the working directory, the folder of the attempt with what is handed in, and the data, each under its own path,
//! the data to be read only. Apptainer does that by itself. Charliecloud mounts what can be written only, and only on folders that the image
//! has; so the stage puts the root together before, out of mounts in namespaces of its own.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
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

/// Where the root of a container is mounted: beside the folders of the attempts, and seen by one of them only.
const ROOT: &str = "root";

/// What Charliecloud shares with the machine unless told otherwise.
const SHARED: [&str; 4] = ["dev", "proc", "sys", "tmp"];

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
    let is_option = image.starts_with('-');
    if image.contains(|c: char| c.is_control()) || is_option || !(image.starts_with('/') || is_reference) {
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
    let leads_up = path.components().any(|part| part == Component::ParentDir);
    if text.contains([':', ',', '"', '\\']) || text.contains(char::is_control) || leads_up {
        return Some(format!(
            "`{shown}` can not be mounted in a container; name it without `:`, `,`, `\"`, `\\` and `..`"
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
        if let Some(cause) = self.mounts().into_iter().find_map(unmountable) {
            return Err(cause);
        }
        let arguments = match runtime {
            ContainerRuntime::Apptainer => self.apptainer(Path::new(NVIDIA).exists()),
            ContainerRuntime::Charliecloud => {
                // It asks for its name.
                environment.entry("USER".to_owned()).or_insert_with(user);
                self.assembled().map(|root| self.charliecloud(&root))?
            }
        };
        let mut command = Command::new(call);
        command.args(arguments).args(program);
        Ok(command)
    }

    /// The folders that are there inside, those around others before them.
    fn mounts(&self) -> Vec<&Path> {
        let mut all: Vec<&Path> =
            [self.workdir, self.folder.path()].into_iter().chain(self.reads()).collect();
        all.sort();
        all
    }

    /// Those of them that are to be read only.
    fn reads(&self) -> impl Iterator<Item = &Path> {
        self.container.reads.iter().map(PathBuf::as_path)
    }

    fn apptainer(&self, nvidia: bool) -> Vec<OsString> {
        let mut all: Vec<OsString> = ["exec", "--no-mount", "home,cwd", "--pwd"].map(OsString::from).to_vec();
        all.push(self.workdir.into());
        if nvidia {
            all.push("--nv".into());
        }
        for path in self.mounts() {
            let reads = self.reads().any(|read| read == path);
            let (shown, rights) = (path.display(), if reads { "ro" } else { "rw" });
            all.extend(["--bind".into(), format!("{shown}:{shown}:{rights}").into()]);
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

    /// The root of the image with a folder for every mount, and the mounts that are to be read only. Nobody else sees any of
    /// it, and it is gone with the last process that does.
    fn assembled(&self) -> Result<PathBuf, String> {
        let image = Path::new(&self.container.image);
        if !image.is_dir() {
            let image = image.display();
            return Err(format!(
                "`{image}` is no folder, and Charliecloud runs folders: unpack it there (`ch-convert`)"
            ));
        }
        let home = self.folder.path().parent().and_then(Path::parent);
        let root = home.ok_or("the attempt lies in no engine's folder")?.join(ROOT);
        make_folder(&root).map_err(told("make a folder to mount on"))?;
        own_namespaces().map_err(told("make namespaces of its own, as `unshare -Urm` does"))?;
        for path in self.reads().chain([image]) {
            to_read_only(path).map_err(told("mount what is to be read"))?;
        }
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("giga"), &root, Some("tmpfs"), flags, Some("mode=0755"))
            .map_err(|errno| told("mount the root of the container")(errno.into()))?;
        let mounts = self.mounts();
        let wanted = mounts.iter().filter_map(|path| path.strip_prefix("/").ok());
        // These the runtime takes from the machine, with all that is in them.
        let wanted = wanted.filter(|path| !SHARED.iter().any(|shared| path.starts_with(shared)));
        assemble(image, &root, &wanted.collect::<Vec<_>>())
            .map_err(told("put the root of the container together"))?;
        Ok(root)
    }
}

fn told(what: &'static str) -> impl Fn(io::Error) -> String {
    move |fault| format!("{what}: {fault}")
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

/// Puts in a folder what is in another one, and a folder for every path below it that is wanted. What leads to none of these
/// is mounted as it is: that asks for no right to write in an image, and for nothing of its kernel.
fn assemble(from: &Path, to: &Path, wanted: &[&Path]) -> io::Result<()> {
    let mut below: BTreeMap<OsString, Vec<&Path>> = BTreeMap::new();
    for path in wanted {
        let mut parts = path.components();
        if let Some(Component::Normal(first)) = parts.next() {
            let rest = parts.as_path();
            let rests = below.entry(first.to_owned()).or_default();
            rests.extend(Some(rest).filter(|rest| !rest.as_os_str().is_empty()));
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !below.contains_key(&entry.file_name()) {
            appear(&entry.path(), &to.join(entry.file_name()), entry.file_type()?)?;
        }
    }
    for (name, rests) in below {
        let (source, place) = (from.join(&name), to.join(&name));
        fs::create_dir(&place)?;
        match fs::symlink_metadata(&source) {
            Ok(about) if about.is_dir() => assemble(&source, &place, &rests)?,
            Ok(_) => {
                let cause = format!("`{}` is no folder; name another `workdir`", source.display());
                return Err(io::Error::other(cause));
            }
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                rests.iter().try_for_each(|rest| fs::create_dir_all(place.join(rest)))?;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Makes a file, a folder or a link of an image appear at a place.
fn appear(source: &Path, place: &Path, kind: fs::FileType) -> io::Result<()> {
    if kind.is_symlink() {
        return symlink(fs::read_link(source)?, place);
    }
    if kind.is_dir() {
        fs::create_dir(place)?;
    } else {
        fs::write(place, "")?;
    }
    Ok(mount(Some(source), place, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?)
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
        const MOUNTS: &str = "--bind /data/scans:/data/scans:ro --bind /srv/live/giga-1-1:/srv/live/giga-1-1:rw \
                              --bind /srv/work/1:/srv/work/1:rw /images/torch.sif";
        check(false, &format!("exec --no-mount home,cwd --pwd /srv/work/1 {MOUNTS}"));
        check(true, &format!("exec --no-mount home,cwd --pwd /srv/work/1 --nv {MOUNTS}"));
    }

    #[test]
    fn what_no_runtime_can_mount_is_told() {
        for bad in ["/a:b", "/a,b", "/a\nb", "/a\"b", "/", "//", "/a/../b"] {
            assert!(unmountable(Path::new(bad)).is_some(), "{bad}");
        }
        assert_eq!(unmountable(Path::new("/srv/with space/ä")), None);
    }
}
