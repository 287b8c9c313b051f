//! Kills at every byte, torn parts, changed bytes: what has the name of the dataset is the source, or is not there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A folder that gives so many bytes, one piece after another, and then breaks as a killed process does.
struct Breaking {
    folder: PathBuf,
    left: Rc<Cell<u64>>,
    piece: usize,
}

struct Reading {
    file: Box<dyn Read>,
    left: Rc<Cell<u64>>,
    piece: usize,
}

impl Mover for Breaking {
    fn open(&self, path: &str, from: u64) -> io::Result<Box<dyn Read>> {
        let file = FromFolder(self.folder.clone()).open(path, from)?;
        Ok(Box::new(Reading { file, left: Rc::clone(&self.left), piece: self.piece }))
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.piece.min(buffer.len()).min(usize::try_from(self.left.get()).unwrap());
        if most == 0 {
            return Err(io::Error::other("killed"));
        }
        let read = self.file.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        Ok(read)
    }
}

/// A dataset, and a place for it.
struct Scene {
    home: TempDir,
    manifest: Manifest,
}

fn go_on(_: u64) -> Result<(), TreeError> {
    Ok(())
}

impl Scene {
    fn new(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = home.path().join("source").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let manifest = tree::scan(&home.path().join("source"), &go_on).unwrap();
        Self { home, manifest }
    }

    fn small() -> Self {
        let text = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_vec());
        Self::new(&BTreeMap::from([text("a/1", b"first"), text("a/2", b"second"), text("b", b"")]))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A try that ends behind so many bytes of the source.
    fn run(&self, bytes: u64, piece: usize) -> Result<Staged, TreeError> {
        let left = Rc::new(Cell::new(bytes));
        let mover = Breaking { folder: self.at("source"), left, piece };
        self.with(&mover, &go_on)
    }

    fn with(&self, mover: &dyn Mover, pulse: Pulse<'_>) -> Result<Staged, TreeError> {
        let (aside, target) = (self.at("staging/scans"), self.at("data/scans"));
        let staging = Staging { manifest: &self.manifest, aside: &aside, target: &target };
        staging.bring(mover, pulse).and_then(|staged| staging.clean().map(|()| staged))
    }

    /// What has the name is whole, or nothing has it.
    #[track_caller]
    fn is_whole_or_absent(&self) {
        if self.at("data/scans").exists() {
            let found = tree::scan(&self.at("data/scans"), &go_on).unwrap();
            assert_eq!(tree::difference(&self.manifest, &found), None);
        }
    }

    /// The files that a kill left aside; what is not whole comes first.
    fn parts(&self) -> Vec<PathBuf> {
        let all = tree::list(&self.at("staging/scans")).unwrap_or_default();
        all.into_iter().map(|(path, _)| self.at("staging/scans").join(path)).collect()
    }
}

#[test]
fn a_kill_at_every_byte_loses_nothing() {
    let bytes = Scene::small().manifest.bytes();
    for first in 0..=bytes {
        for second in 0..=bytes {
            let scene = Scene::small();
            for budget in [first, second, u64::MAX] {
                let done = scene.run(budget, 2);
                assert_eq!(done.is_ok(), scene.at("data/scans").exists(), "{first}, {second}");
                scene.is_whole_or_absent();
            }
            assert!(scene.at("data/scans").is_dir() && !scene.at("staging/scans").exists());
        }
    }
}

#[test]
fn what_is_there_is_not_brought_again() {
    let scene = Scene::small();
    assert_eq!(scene.run(u64::MAX, 9).unwrap(), Staged::Here);
    assert_eq!(scene.run(0, 9).unwrap(), Staged::Before, "not a byte is asked for");
    fs::set_permissions(scene.at("data/scans/a/1"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    fs::write(scene.at("data/scans/a/1"), "fIrst").unwrap();
    let refused = scene.run(u64::MAX, 9).unwrap_err().to_string();
    assert!(refused.contains("`a/1` has other bytes; move it away and stage again"), "{refused}");
    assert_eq!(fs::read(scene.at("data/scans/a/1")).unwrap(), b"fIrst", "nobody's files are thrown away");
}

#[test]
fn a_kill_costs_only_what_was_not_moved() {
    let scene = Scene::small();
    scene.run(7, 1).unwrap_err();
    let left = Rc::new(Cell::new(100));
    let mover = Breaking { folder: scene.at("source"), left: Rc::clone(&left), piece: 3 };
    scene.with(&mover, &go_on).unwrap();
    assert_eq!(100 - left.get(), scene.manifest.bytes() - 7);
}

#[test]
fn a_source_that_changed_is_found_and_nothing_gets_the_name() {
    for other in ["sEcond", "secon", "seconds"] {
        let scene = Scene::small();
        scene.run(5, 1).unwrap_err();
        fs::write(scene.at("source/a/2"), other).unwrap();
        // What grew is cut to what is registered, which is sound.
        let done = scene.run(u64::MAX, 9);
        scene.is_whole_or_absent();
        assert_eq!(done.is_ok(), other == "seconds", "{other}");
        assert_eq!(scene.at("data/scans").exists(), other == "seconds");
        if let Err(error) = done {
            assert!(
                error.to_string().contains("`a/2` is not what is registered where it comes from"),
                "{error}"
            );
        }
    }
}

#[test]
fn who_is_told_to_stop_stops_and_what_is_another_content_is_not_mixed() {
    let scene = Scene::small();
    let mover = FromFolder(scene.at("source"));
    let stopped = scene.with(&mover, &|_| Err(TreeError::Stopped)).unwrap_err();
    assert!(matches!(stopped, TreeError::Stopped));
    scene.run(7, 1).unwrap_err();
    fs::create_dir_all(scene.at("staging/scans/0123456789abcdef/whole")).unwrap();
    fs::write(scene.at("staging/scans/0123456789abcdef/whole/z"), "other").unwrap();
    scene.run(u64::MAX, 9).unwrap();
    scene.is_whole_or_absent();
    assert!(!scene.at("staging/scans").exists());
}

#[test]
fn what_somebody_adds_aside_does_not_come_in() {
    let scene = Scene::small();
    scene.run(7, 1).unwrap_err();
    let whole = scene.parts()[0].parent().unwrap().join("whole");
    fs::write(whole.join("z"), "added").unwrap();
    assert!(matches!(scene.run(u64::MAX, 9), Err(TreeError::Differs { .. })));
    scene.run(u64::MAX, 9).unwrap();
    scene.is_whole_or_absent();
}

/// What happens between two tries.
#[derive(Debug, Clone)]
enum Harm {
    Nothing,
    /// A file aside loses its end, as when the power goes before it is on the disk.
    Torn(usize, u64),
    /// A byte of a file aside is another.
    Flipped(usize, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        3 => Just(Harm::Nothing),
        2 => (0..9_usize, 0..40_u64).prop_map(|(file, length)| Harm::Torn(file, length)),
        2 => (0..9_usize, 0..40_usize).prop_map(|(file, byte)| Harm::Flipped(file, byte)),
    ]
}

fn harmed(scene: &Scene, harm: &Harm) {
    let parts = scene.parts();
    let (Harm::Torn(at, _) | Harm::Flipped(at, _)) = harm else { return };
    let Some(path) = parts.get(at % parts.len().max(1)) else { return };
    let mut bytes = fs::read(path).unwrap();
    match harm {
        Harm::Torn(_, length) => bytes.truncate(usize::try_from(*length).unwrap()),
        Harm::Flipped(_, byte) => {
            let length = bytes.len().max(1);
            bytes.iter_mut().skip(byte % length).take(1).for_each(|byte| *byte ^= 1);
        }
        Harm::Nothing => {}
    }
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn after_any_kills_it_is_the_source_or_absent(
        files in proptest::collection::btree_map("[a-c]/[a-d]|[x-z]", proptest::collection::vec(any::<u8>(), 0..40), 1..6),
        tries in proptest::collection::vec((0..90_u64, 1..9_usize, harm()), 0..6),
    ) {
        let scene = Scene::new(&files);
        for (bytes, piece, harm) in &tries {
            let done = scene.run(*bytes, *piece);
            prop_assert_eq!(done.is_ok(), scene.at("data/scans").exists());
            scene.is_whole_or_absent();
            if done.is_err() {
                harmed(&scene, harm);
            }
        }
        scene.run(u64::MAX, 7).unwrap();
        prop_assert!(scene.at("data/scans").is_dir() && !scene.at("staging/scans").exists());
        scene.is_whole_or_absent();
    }
}
