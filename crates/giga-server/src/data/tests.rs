//! Data at sites as a person would try it: registered, changed, staged, refused.

use std::fs;

use giga_formats::description;
use giga_model::JobId;
use giga_store::Beginning;
use giga_units::Instant;
use tempfile::TempDir;

use super::*;

/// Three sites; `open` may go anywhere in FI and DE with assurance 2, `kept` may not leave the north, `shared` lies at two sites and
/// may leave neither.
const TEXT: &str = r#"
format = 1
name = "three"
start = 2026-01-01
[[accelerator]]
name = "A"
per_node = 4
node_idle = "1 kW"
node_max = "5 kW"
cost = "1000 EUR"
SITES[network]
rate = "8 Mbit/s"
cost_per_terabyte = "1000000 EUR"
[[dataset]]
name = "open"
holder = "archive"
size = "1 MB"
places = ["north"]
countries = ["FI", "DE"]
may_leave = "everything"
assurance = 2
[[dataset]]
name = "picky"
holder = "archive"
size = "1 MB"
places = ["north"]
may_leave = "everything"
assurance = 3
[[dataset]]
name = "named"
holder = "archive"
size = "1 MB"
places = ["north"]
sites = ["north", "south"]
may_leave = "everything"
[[dataset]]
name = "kept"
holder = "clinic"
size = "1 MB"
places = ["north"]
may_leave = "derived"
[[dataset]]
name = "shared"
holder = "clinic"
size = "1 MB"
places = ["north", "middle"]
may_leave = "aggregated"
"#;

/// The sites of the description: name, country and price zone, and how far each is trusted.
const SITES: [(&str, &str, &str, u8); 3] =
    [("north", "FI", "FI", 3), ("middle", "DE", "DE-LU", 2), ("south", "ES", "ES", 1)];

fn site((name, country, zone, assurance): (&str, &str, &str, u8)) -> String {
    format!(
        r#"[[site]]
name = "{name}"
country = "{country}"
zone = "{zone}"
assurance = {assurance}
engine = "local"
[[site.phase]]
power = "7 kW"
[[site.phase.pool]]
name = "main"
accelerator = "A"
accelerators = 4
"#
    )
}

const NORTH: SiteId = SiteId(0);
const MIDDLE: SiteId = SiteId(1);
const SOUTH: SiteId = SiteId(2);

struct Scene {
    home: TempDir,
    store: Arc<Store>,
    data: Data,
}

fn open(home: &TempDir) -> (Arc<Store>, Data) {
    let text = TEXT.replace("SITES", &SITES.map(site).concat());
    let federation = description::read("three.toml", &text).expect("it has no fault").federation;
    let start = Instant::unix_milliseconds(0);
    let beginning = Beginning { file: "f".into(), text: "t".into(), expanded: "t".into(), start };
    let store = Arc::new(Store::open(&home.path().join("home"), &beginning).unwrap().0);
    let area = |(at, site): (usize, &giga_model::Site)| {
        (SiteId::at(at), home.path().join("home/sites").join(&site.name))
    };
    let areas = federation.sites.iter().enumerate().map(area).collect();
    (Arc::clone(&store), Data::open(Arc::new(federation), store, areas).unwrap())
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (store, data) = open(&home);
        let scene = Self { home, store, data };
        for name in ["open", "picky", "named", "kept", "shared"] {
            scene.put("north", name, "a/b.txt", "some bytes");
        }
        scene
    }

    /// What a server that was killed and started again finds.
    fn again(self) -> Self {
        let Self { home, store, data } = self;
        drop((store, data));
        let (store, data) = open(&home);
        Self { home, store, data }
    }

    fn put(&self, site: &str, dataset: &str, path: &str, text: &str) -> PathBuf {
        let path = self.home.path().join("home/sites").join(site).join("data").join(dataset).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn dataset(&self, name: &str) -> &Dataset {
        self.data.federation.datasets.iter().find(|data| data.name == name).unwrap()
    }

    /// Does what waits, as the workers would.
    fn work(&self) {
        while let Some(task) = { self.data.line().waiting.pop_front() } {
            let moved = Arc::new(AtomicU64::new(0));
            self.data.perform(task, &moved).unwrap();
        }
    }

    fn add(&self, name: &str, site: SiteId) -> TaskRow {
        self.data.add(self.dataset(name), site, "", "anna").unwrap();
        self.work();
        self.store.tasks_of(name, 1).unwrap().remove(0)
    }

    fn stage(&self, name: &str, site: SiteId) -> Result<Option<TaskRow>, String> {
        let (_, task) =
            self.data.stage(self.dataset(name), site, "anna").map_err(|error| error.to_string())?;
        self.work();
        Ok(task.map(|_| self.store.tasks_of(name, 1).unwrap().remove(0)))
    }
}

#[test]
fn what_lies_there_is_registered_and_what_changed_is_found() {
    let scene = Scene::new();
    let task = scene.add("open", NORTH);
    assert_eq!((task.state, task.bytes, task.said), (TaskState::Done, 10, None));
    let content = scene.store.content("open").unwrap().unwrap();
    assert_eq!((content.files, content.bytes, content.by.as_str()), (1, 10, "anna"));
    // As `printf 'giga manifest 1\n%s 10 a/b.txt\n' $(printf 'some bytes' | sha256sum | cut -c-64) | sha256sum` says.
    assert_eq!(content.digest, "c34820c13602a16928c7150579970a3e385deb52541bd276af7233e2f3a0d16e");
    assert_eq!(scene.add("open", NORTH).state, TaskState::Done, "nothing changed");
    scene.put("north", "open", "a/b.txt", "other byte");
    let task = scene.add("open", NORTH);
    assert_eq!(task.state, TaskState::Failed);
    let said = task.said.unwrap();
    assert!(said.contains("`a/b.txt` has other bytes; put the registered bytes back"), "{said}");
    let gate = scene.data.gate(NORTH, JobId(1), &["open".into()]).unwrap();
    assert!(matches!(&gate, Gate::Never(why) if why.contains("is not what is registered")), "{gate:?}");
    let refused = scene.stage("open", MIDDLE).unwrap_err();
    assert!(refused.contains("no copy of it is sound"), "{refused}");
    scene.put("north", "open", "a/b.txt", "some bytes");
    assert_eq!(scene.add("open", NORTH).state, TaskState::Done);
    assert_eq!(scene.store.content("open").unwrap().unwrap(), content, "what came first stays");
}

#[test]
fn a_copy_is_planned_made_verified_and_not_made_twice() {
    let scene = Scene::new();
    scene.add("open", NORTH);
    let plan = scene.data.plan(scene.dataset("open"), MIDDLE).unwrap();
    assert_eq!((plan.source, plan.there, plan.bytes()), (NORTH, false, Bytes::of(10)));
    assert_eq!((plan.time(), plan.cost()), (Duration::milliseconds(1), Money::microeuro(10)));
    let task = scene.stage("open", MIDDLE).unwrap().unwrap();
    assert_eq!((task.state, task.bytes, task.cost), (TaskState::Done, 10, Money::microeuro(10)));
    let copy = scene.home.path().join("home/sites/middle/data/open/a/b.txt");
    assert_eq!(fs::read(&copy).unwrap(), b"some bytes");
    assert!(fs::metadata(&copy).unwrap().permissions().readonly());
    assert_eq!(scene.stage("open", MIDDLE), Ok(None), "it is there");
    assert!(scene.data.plan(scene.dataset("open"), MIDDLE).unwrap().there);
    let gate = scene.data.gate(MIDDLE, JobId(1), &["open".into()]).unwrap();
    let folder = copy.ancestors().nth(2).unwrap().to_str().unwrap().to_owned();
    assert_eq!(gate, Gate::Open(BTreeMap::from([("GIGA_DATA_OPEN".into(), folder.clone())])));
    // What was taken away is brought again, to whoever asks.
    fs::remove_dir_all(&folder).unwrap();
    assert!(!scene.data.plan(scene.dataset("open"), MIDDLE).unwrap().there);
    assert_eq!(scene.data.gate(MIDDLE, JobId(2), &["open".into()]).unwrap(), Gate::Wait);
    scene.work();
    assert!(copy.is_file());
    let source = scene.home.path().join("home/sites/north/data/open");
    fs::rename(&source, scene.home.path().join("away")).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(scene.stage("open", MIDDLE).unwrap_err().contains("no copy of it is sound"));
    let gate = scene.data.gate(NORTH, JobId(2), &["open".into()]).unwrap();
    assert!(matches!(&gate, Gate::Never(why) if why.contains("is not at site `north`")), "{gate:?}");
}

#[test]
fn each_part_of_a_policy_refuses_by_its_name() {
    let scene = Scene::new();
    for name in ["open", "picky", "named", "kept", "shared"] {
        scene.add(name, NORTH);
    }
    let check = |name: &str, site, piece: &str| {
        let refused = scene.stage(name, site).unwrap_err();
        assert!(refused.contains(piece), "{refused}");
        let plan = scene.data.plan(scene.dataset(name), site).unwrap_err().to_string();
        assert_eq!(plan, refused, "the plan says the same");
    };
    check("open", SOUTH, "by `countries` of its policy, data `open` may be read in FI, DE only");
    check("picky", MIDDLE, "by `assurance` of its policy, data `picky` asks for assurance level 3");
    check("named", MIDDLE, "by `sites` of its policy, data `named` may be read at north, south only");
    for site in [NORTH, MIDDLE, SOUTH] {
        check("kept", site, "by `may_leave` of its policy, data `kept` has `may_leave = \"derived\"`");
        check("shared", site, "by `may_leave` of its policy, data `shared` has `may_leave = \"aggregated\"`");
    }
    let declined = scene.data.add(scene.dataset("open"), SOUTH, "", "anna").unwrap_err();
    assert!(matches!(declined, Declined::Forbidden { .. }), "{declined}");
}

#[test]
fn what_may_not_leave_leaves_by_no_way() {
    let scene = Scene::new();
    scene.add("kept", NORTH);
    scene.add("shared", NORTH);
    // Not by a job, whether the core would send it there or not.
    for (name, site) in [("kept", MIDDLE), ("kept", SOUTH), ("shared", MIDDLE), ("shared", SOUTH)] {
        let gate = scene.data.gate(site, JobId(3), &[name.into()]).unwrap();
        assert!(matches!(gate, Gate::Never(_)), "{name}: {gate:?}");
    }
    // Not by a line in the store, as an older or a patched server might have left it.
    let planted = TaskRow {
        kind: TaskKind::Stage,
        dataset: "kept".into(),
        site: "south".into(),
        source: Some("north".into()),
        by: "mallory".into(),
        ..nothing(scene.store.last_task().unwrap() + 1)
    };
    scene.store.add_task(&planted).unwrap();
    let scene = scene.again();
    scene.work();
    let task = scene.store.tasks_of("kept", 1).unwrap().remove(0);
    assert_eq!(task.state, TaskState::Failed);
    assert!(task.said.unwrap().contains("`may_leave`"));
    for site in ["middle", "south"] {
        let home = scene.home.path().join("home/sites").join(site);
        assert!(
            !home.join("data").exists() && !home.join("staging").exists(),
            "not a byte of it is at {site}"
        );
    }
    // Its holder may bring a copy to a place of its own.
    scene.put("middle", "shared", "a/b.txt", "some bytes");
    assert_eq!(scene.add("shared", MIDDLE).state, TaskState::Done);
    assert!(matches!(scene.data.gate(MIDDLE, JobId(3), &["shared".into()]).unwrap(), Gate::Open(_)));
}

#[test]
fn a_job_waits_for_its_data_and_hears_why_it_never_comes() {
    let scene = Scene::new();
    let gate = |site| scene.data.gate(site, JobId(4), &["open".into()]).unwrap();
    assert_eq!(gate(MIDDLE), Gate::Open(BTreeMap::new()), "nothing is registered, so nothing is promised");
    scene.add("open", NORTH);
    assert_eq!((gate(MIDDLE), gate(MIDDLE)), (Gate::Wait, Gate::Wait));
    assert_eq!(scene.data.line().waiting.len(), 1, "asked twice, brought once");
    let told = scene.data.on_its_way("middle", &["open".into(), "kept".into()]);
    assert!(told.len() == 1 && told[0].starts_with("data `open` is being copied to middle"), "{told:?}");
    assert!(scene.data.on_its_way("south", &["open".into()]).is_empty());
    let source = scene.put("north", "open", "a/b.txt", "some bytez");
    scene.work();
    let Gate::Never(why) = gate(MIDDLE) else { panic!("what changed at its source is not brought") };
    assert!(
        why.contains("could not be brought to site `middle`: `a/b.txt` is not what is registered"),
        "{why}"
    );
    fs::write(source, "some bytes").unwrap();
    let other = |site| scene.data.gate(site, JobId(5), &["open".into()]).unwrap();
    assert!(
        matches!(other(MIDDLE), Gate::Never(why) if why.contains("is not what is registered where it comes from"))
    );
    assert_eq!(scene.add("open", NORTH).state, TaskState::Done, "its holder looked through it again");
    assert_eq!(other(MIDDLE), Gate::Wait, "another job tries again");
    scene.work();
    assert!(matches!(other(MIDDLE), Gate::Open(variables) if variables.len() == 1));
    assert!(matches!(gate(MIDDLE), Gate::Open(_)));
}

#[test]
fn a_start_goes_on_with_what_was_not_over() {
    let scene = Scene::new();
    scene.add("open", NORTH);
    scene.data.stage(scene.dataset("open"), MIDDLE, "anna").unwrap();
    scene.data.close();
    scene.work();
    assert_eq!(scene.store.tasks_open().unwrap().len(), 1, "who is told to stop leaves it open");
    let scene = scene.again();
    scene.work();
    assert_eq!(scene.store.tasks_of("open", 1).unwrap()[0].state, TaskState::Done);
    assert!(scene.home.path().join("home/sites/middle/data/open/a/b.txt").is_file());
}

#[test]
fn the_servers_own_files_are_no_dataset() {
    let scene = Scene::new();
    let check = |path: &Path, piece: &str| {
        let declined =
            scene.data.add(scene.dataset("open"), NORTH, path.to_str().unwrap(), "anna").unwrap_err();
        assert!(declined.to_string().contains(piece), "{declined}");
    };
    let home = scene.home.path().join("home");
    check(&home, "it belongs to the server");
    check(&home.join("sites/north"), "it belongs to the server");
    check(Path::new("/"), "it belongs to the server");
    check(Path::new("a"), "name it from the root on");
    check(Path::new("/nothing/here"), "there is no such folder");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "y").unwrap();
    std::os::unix::fs::symlink(&home, scene.home.path().join("link")).unwrap();
    check(&scene.home.path().join("link"), "it belongs to the server");
    // The folder of another dataset of the same site, and one above it, have another policy.
    let data = home.join("sites/north/data");
    check(&data, "it belongs to the server");
    check(&data.join("kept"), "it belongs to the server");
    let path = outside.path().to_str().unwrap();
    scene.data.add(scene.dataset("open"), NORTH, path, "anna").unwrap();
    scene.work();
    let copies = scene.store.copies_of("open").unwrap();
    assert_eq!((copies[0].path.as_str(), copies[0].sound), (path, true));
    // A folder that is named by mistake does not take the place of a sound one.
    assert_eq!(scene.add("open", NORTH).state, TaskState::Failed);
    assert_eq!(scene.store.copies_of("open").unwrap(), copies);
}

#[test]
fn what_is_registered_of_one_dataset_is_not_registered_of_another() {
    let scene = Scene::new();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("records")).unwrap();
    fs::write(outside.path().join("records/x"), "y").unwrap();
    let records = outside.path().join("records");
    scene.data.add(scene.dataset("kept"), NORTH, records.to_str().unwrap(), "anna").unwrap();
    scene.work();
    assert!(scene.store.copies_of("kept").unwrap()[0].sound);
    for path in [records.as_path(), outside.path()] {
        let declined =
            scene.data.add(scene.dataset("open"), NORTH, path.to_str().unwrap(), "anna").unwrap_err();
        assert!(declined.to_string().contains("it is registered as data `kept`"), "{declined}");
    }
    // Nor by a link in the place of its own folder, when it is asked for or after that.
    let own = scene.home.path().join("home/sites/north/data/open");
    let task = scene.data.add(scene.dataset("open"), NORTH, "", "anna").unwrap();
    fs::remove_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(&records, &own).unwrap();
    scene.work();
    let task =
        scene.store.tasks_of("open", 1).unwrap().into_iter().find(|row| row.task == task.task).unwrap();
    assert!(task.said.is_some_and(|said| said.contains("it is registered as data `kept`")));
    assert_eq!(scene.store.content("open").unwrap(), None);
    assert!(scene.data.add(scene.dataset("open"), NORTH, "", "anna").is_err());
}

#[test]
fn a_copy_that_is_no_data_any_more_is_read_by_no_job() {
    let scene = Scene::new();
    scene.add("open", NORTH);
    let file = scene.home.path().join("home/sites/north/data/open/a/b.txt");
    let never = |piece: &str| {
        let gate = scene.data.gate(NORTH, JobId(1), &["open".into()]).unwrap();
        assert!(matches!(&gate, Gate::Never(why) if why.contains(piece)), "{gate:?}");
    };
    // A link in the place of a file, and nothing at all.
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &file).unwrap();
    assert_eq!(scene.add("open", NORTH).state, TaskState::Failed);
    never("neither a plain file nor a folder");
    fs::remove_file(&file).unwrap();
    assert_eq!(scene.add("open", NORTH).state, TaskState::Failed);
    never("there is no file");
    // A staging finds by itself that its source is not what was registered.
    scene.put("north", "open", "a/b.txt", "some bytes");
    assert_eq!(scene.add("open", NORTH).state, TaskState::Done);
    scene.put("north", "open", "a/b.txt", "same bytes");
    assert_eq!(scene.stage("open", MIDDLE).unwrap().unwrap().state, TaskState::Failed);
    never("is not what is registered where it comes from");
}

#[test]
fn what_was_brought_ahead_in_vain_is_tried_again_when_the_job_starts() {
    let scene = Scene::new();
    scene.add("open", NORTH);
    // Something is in the way for a while.
    let blocked = scene.put("middle", "open", "strange", "x");
    scene.data.bring(MIDDLE, JobId(1), &["open".into()]).unwrap();
    scene.work();
    assert_eq!(scene.store.tasks_of("open", 1).unwrap()[0].state, TaskState::Failed);
    fs::remove_dir_all(blocked.parent().unwrap()).unwrap();
    assert_eq!(scene.data.gate(MIDDLE, JobId(1), &["open".into()]).unwrap(), Gate::Wait);
    scene.work();
    assert!(matches!(scene.data.gate(MIDDLE, JobId(1), &["open".into()]).unwrap(), Gate::Open(_)));
}
