//! `--send`: files beside the call become files of the job.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use giga_formats::job::{FileBody, SENT_MAX};

use super::Refused;

/// The files that paths name, by their places in the job's folder: what lies below `here` keeps its place, and what lies
/// elsewhere goes by its name. A folder stands for all that is in it but what begins with a dot.
///
/// # Errors
/// Names what can not be read, has no name in UTF-8 or is too much.
pub(super) fn gather(paths: &[PathBuf], here: &Path) -> Result<BTreeMap<String, FileBody>, Refused> {
    let mut gathered = Gathered { files: BTreeMap::new(), bytes: 0 };
    for path in paths {
        let from = here.join(path);
        let about = fs::metadata(&from).map_err(unreadable(path))?;
        gathered.take(path, &from, &place(path, &from, here)?, &about)?;
    }
    Ok(gathered.files)
}

struct Gathered {
    files: BTreeMap<String, FileBody>,
    bytes: u64,
}

impl Gathered {
    fn take(&mut self, shown: &Path, from: &Path, to: &Path, about: &Metadata) -> Result<(), Refused> {
        if about.is_dir() {
            return self.folder(shown, from, to);
        }
        if !about.is_file() {
            return Err(Refused::input(format_args!("`{}` is neither a file nor a folder", shown.display())));
        }
        self.bytes = self.bytes.saturating_add(about.len());
        if self.bytes > SENT_MAX as u64 {
            return Err(Refused::input(format_args!(
                "with `{}` there are over {} KiB to send; register what is large by `giga dataset add`",
                shown.display(),
                SENT_MAX >> 10
            )));
        }
        let name = to.to_str().ok_or_else(|| {
            Refused::input(format_args!("`{}` has no name in UTF-8; give it one", shown.display()))
        })?;
        let bytes = fs::read(from).map_err(unreadable(shown))?;
        let executable = about.permissions().mode() & 0o100 != 0;
        self.files.insert(name.to_owned(), FileBody::of(&bytes, executable));
        Ok(())
    }

    fn folder(&mut self, shown: &Path, from: &Path, to: &Path) -> Result<(), Refused> {
        let entries = fs::read_dir(from).map_err(unreadable(shown))?;
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable(shown))?;
        names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
        names.sort();
        for name in names {
            let (shown, from, to) = (shown.join(&name), from.join(&name), to.join(&name));
            let link = fs::symlink_metadata(&from).map_err(unreadable(&shown))?.is_symlink();
            let about = fs::metadata(&from).map_err(unreadable(&shown))?;
            if link && about.is_dir() {
                return Err(Refused::input(format_args!(
                    "`{}` is a link to a folder, which may lead back; name that folder itself",
                    shown.display()
                )));
            }
            self.take(&shown, &from, &to, &about)?;
        }
        Ok(())
    }
}

/// Where something goes in the job's folder.
fn place(path: &Path, from: &Path, here: &Path) -> Result<PathBuf, Refused> {
    let inside = path.is_relative() && !path.components().any(|part| part == Component::ParentDir);
    if inside {
        return Ok(path.components().filter(|part| *part != Component::CurDir).collect());
    }
    let whole = from.canonicalize().map_err(unreadable(path))?;
    if let Some(below) =
        here.canonicalize().ok().and_then(|here| whole.strip_prefix(here).ok().map(Path::to_owned))
    {
        return Ok(below);
    }
    let name = whole.file_name().map(PathBuf::from);
    name.ok_or_else(|| Refused::input(format_args!("`{}` has no name; name what is in it", path.display())))
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Refused {
    move |fault| Refused::input(format_args!("`{}` can not be sent: {fault}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_lies_below_the_call_keeps_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path().join("here");
        let put = |name: &str, text: &[u8]| {
            let path = here.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, text).expect("a write");
        };
        put("train.py", b"print(1)");
        put("conf/a.toml", b"a = 1");
        put("conf/.hidden", b"secret");
        put("conf/deep/run.sh", b"true");
        put("../aside/x", b"x");
        put("../large", &vec![0; SENT_MAX + 1]);
        fs::set_permissions(here.join("conf/deep/run.sh"), fs::Permissions::from_mode(0o755))
            .expect("rights");
        let check = |paths: &[&str], expected: Result<&[&str], &str>| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            match (gather(&paths, &here), expected) {
                (Ok(files), Ok(names)) => assert_eq!(files.keys().collect::<Vec<_>>(), names),
                (Err(Refused::Input(text)), Err(piece)) => assert!(text.contains(piece), "{text}"),
                (found, _) => panic!("{paths:?} gave {:?}", found.map(|files| files.len())),
            }
        };
        check(&["train.py", "./conf"], Ok(&["conf/a.toml", "conf/deep/run.sh", "train.py"]));
        check(&["."], Ok(&["conf/a.toml", "conf/deep/run.sh", "train.py"]));
        check(&["../aside", "conf/.hidden"], Ok(&["aside/x", "conf/.hidden"]));
        check(&[here.join("conf/a.toml").to_str().expect("UTF-8")], Ok(&["conf/a.toml"]));
        check(&["none"], Err("`none` can not be sent: No such file"));
        check(&["../large"], Err("over 512 KiB to send; register what is large"));
        check(&["/dev/null"], Err("neither a file nor a folder"));
        symlink("..", here.join("conf/up")).expect("a link");
        check(&["conf"], Err("`conf/up` is a link to a folder"));
        let files = gather(&["conf/deep".into()], &here);
        let Ok(files) = files else { panic!("a folder can be sent") };
        assert_eq!(files["conf/deep/run.sh"], FileBody::of(b"true", true));
    }
}
