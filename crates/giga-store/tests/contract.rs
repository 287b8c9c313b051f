//! What every store must keep: each law holds on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a law that is broken panics")]

#[expect(dead_code, reason = "not every test restarts a server")]
mod postgres;

use giga_formats::api::Role;
use giga_formats::journal::{self, Record, Snapshot};
use giga_model::JobId;
use giga_store::{
    Batch, Beginning, Change, ContentRow, CopyRow, Entry, JobFilter, Key, NewJob, Opened, Standing, Store,
    StoreError, TaskEnd, TaskKind, TaskRow, TaskState, Url,
};
use giga_units::{Carbon, Duration, Energy, Instant, Money};
use tempfile::TempDir;

fn at(milliseconds: i64) -> Instant {
    Instant::unix_milliseconds(milliseconds)
}

fn beginning() -> Beginning {
    Beginning {
        file: "federation.toml".into(),
        text: "format = 1".into(),
        expanded: "format = 1 #".into(),
        start: at(5),
    }
}

/// Where a store lies: in the folder, or in a database that the folder belongs to.
struct Place {
    folder: TempDir,
    url: Option<Url>,
}

impl Place {
    fn new(url: Option<Url>) -> Self {
        Self { folder: folder(), url }
    }

    fn open(&self, beginning: &Beginning) -> Result<(Store, Opened), StoreError> {
        match &self.url {
            None => Store::open(self.folder.path(), beginning),
            Some(url) => Store::connect(url, self.folder.path(), beginning),
        }
    }

    fn read_only(&self) -> Result<(Store, Beginning), StoreError> {
        match &self.url {
            None => Store::read_only(self.folder.path()),
            Some(url) => Store::connect_read_only(url),
        }
    }

    #[track_caller]
    fn new_store(&self) -> Store {
        let (store, opened) = self.open(&beginning()).expect("a new store");
        assert_eq!(opened, Opened::New);
        store
    }
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// The laws, each on both.
macro_rules! on_both {
    ($($law:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $law() { super::$law(&super::Place::new(None)); })*
        }
        mod on_postgres {
            $(#[test] fn $law() {
                let url = super::postgres::database(stringify!($law));
                url.into_iter().for_each(|url| super::$law(&super::Place::new(Some(url))));
            })*
        }
    };
}

on_both! {
    what_was_appended_is_there_after_opening_again
    a_batch_is_kept_whole_or_not_at_all
    a_missing_or_damaged_record_is_named
    one_server_at_a_time_and_readers_beside_it
    the_way_of_a_job_is_kept
    what_is_queued_begins_later
    the_jobs_that_ended_last_tell_how_long_they_took
    jobs_are_listed_as_they_are_asked_for
    the_two_latest_snapshots_are_kept_for_their_version
    keys_open_by_their_digest
    many_changes_share_a_commit_in_their_order
    any_text_is_kept
    a_chain_tells_each_cause_once
    one_asks_from_within_an_asynchronous_host
    who_gave_it_back_writes_and_acts_no_more
    what_is_known_of_data_is_kept_together
}

fn entry(seq: u64) -> Entry {
    let record = Record { seq, decisions: 1, now: at(9), inputs: Vec::new(), events: Vec::new() };
    Entry { seq, record: journal::write(&record) }
}

fn came(job: u64, idempotency: Option<&str>) -> Change {
    Change::Came(Box::new(NewJob {
        job: JobId(job),
        project: if job.is_multiple_of(2) { "even".into() } else { "odd".into() },
        name: format!("job-{job}"),
        by: "anna".into(),
        body: format!("{{\"run\":\"{job}\"}}"),
        idempotency: idempotency.map(str::to_owned),
        at: at(10),
        site: Some("north".into()),
        refusal: None,
        accelerators: 2,
    }))
}

fn batch(seq: u64, changes: Vec<Change>) -> Batch {
    Batch { entries: vec![entry(seq)], changes }
}

fn what_was_appended_is_there_after_opening_again(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, vec![came(0, None)]), batch(2, vec![came(1, Some("k"))])]).unwrap();
    drop(store);
    let other = Beginning { text: "other".into(), ..beginning() };
    let (store, opened) = place.open(&other).unwrap();
    assert_eq!(opened, Opened::Found(beginning()), "the first beginning stays");
    let seqs: Vec<u64> = store.records(0, 10).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(seqs, [1, 2]);
    assert_eq!(store.records(1, 10).unwrap().len(), 1);
    assert_eq!(store.submitted("anna", "k").unwrap(), Some((JobId(1), "{\"run\":\"1\"}".into())));
    assert_eq!(store.submitted("berta", "k").unwrap(), None, "a word counts for one key only");
}

fn a_batch_is_kept_whole_or_not_at_all(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, vec![came(0, Some("k"))])]).unwrap();
    let twice = store.append(&[batch(2, vec![came(1, None), came(2, Some("k"))])]);
    assert!(matches!(twice, Err(StoreError::Database(_))), "the same word twice");
    assert_eq!(store.records(0, 10).unwrap().len(), 1);
    assert_eq!(store.job(JobId(1)).unwrap(), None);
}

fn a_missing_or_damaged_record_is_named(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, Vec::new()), batch(3, Vec::new())]).unwrap();
    assert!(matches!(store.records(0, 10), Err(StoreError::Gap { before: 1, after: 3 })));
    let mut damaged = entry(4);
    damaged.record[7] ^= 1;
    store.append(&[Batch { entries: vec![damaged], changes: Vec::new() }]).unwrap();
    assert!(matches!(store.records(3, 10), Err(StoreError::Record { seq: 4, .. })));
    let misplaced = Entry { seq: 5, record: entry(6).record };
    store.append(&[Batch { entries: vec![misplaced], changes: Vec::new() }]).unwrap();
    assert!(matches!(store.records(4, 10), Err(StoreError::Record { seq: 5, .. })));
}

fn one_server_at_a_time_and_readers_beside_it(place: &Place) {
    let store = place.new_store();
    let second = place.open(&beginning()).map(drop).unwrap_err();
    match place.url {
        None => assert!(matches!(second, StoreError::InUse { .. })),
        Some(_) => assert!(matches!(second, StoreError::Leased { .. }), "{second}"),
    }
    assert_eq!(store.standing(), Standing::Held);
    store.append(&[batch(1, Vec::new())]).unwrap();
    let (beside, found) = place.read_only().unwrap();
    assert_eq!((found, beside.records(0, 10).unwrap().len()), (beginning(), 1));
    store.append(&[batch(2, Vec::new())]).unwrap();
    assert_eq!(beside.records(0, 10).unwrap().len(), 2, "it sees what came later");
    store.fold().unwrap();
}

fn the_way_of_a_job_is_kept(place: &Place) {
    let store = place.new_store();
    let (job, pool) = (JobId(0), "main".to_owned());
    let started = |attempt, when| Change::Started {
        job,
        attempt,
        at: at(when),
        pool: pool.clone(),
        held: 4,
        queued: false,
    };
    let lost = Change::Interrupted { job, at: at(30), cause: "the node failed".into() };
    store.append(&[batch(1, vec![came(0, None), started(1, 20), lost])]).unwrap();
    assert_eq!(store.job(job).unwrap().unwrap().state, "waiting");
    let result = Change::Result { job, attempt: 2, text: "exit code 0".into(), receipt: Some("{}".into()) };
    store.append(&[batch(2, vec![started(2, 40), Change::Stopping { job }, result])]).unwrap();
    assert_eq!(store.job(job).unwrap().unwrap().state, "stopping");
    let (energy, cost, carbon) = (Energy::joules(7), Money::microeuro(8), Carbon::milligrams(9));
    let ended = Change::Ended { job, at: at(50), state: "completed", energy, cost, carbon };
    store.append(&[batch(3, vec![ended])]).unwrap();
    let row = store.job(job).unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.attempts, row.accelerators), ("completed", 2, 4));
    assert_eq!((row.started, row.ended), (Some(at(40)), Some(at(50))));
    assert_eq!((row.energy, row.cost, row.carbon), (Some(energy), Some(cost), Some(carbon)));
    assert_eq!(row.result.as_deref(), Some("exit code 0"));
    let attempts = store.attempts(job).unwrap();
    let told: Vec<_> = attempts.iter().map(|row| (row.attempt, row.ended, row.result.as_deref())).collect();
    assert_eq!(told, [(1, Some(at(30)), Some("the node failed")), (2, Some(at(50)), Some("exit code 0"))]);
}

/// What a site has in a line of its own begins when that site says so, and then its time counts.
fn what_is_queued_begins_later(place: &Place) {
    let store = place.new_store();
    let (job, pool) = (JobId(0), "main".to_owned());
    let started = Change::Started { job, attempt: 1, at: at(20), pool, held: 4, queued: true };
    let begun = |when| Change::Begun { job, at: at(when) };
    store.append(&[batch(1, vec![came(0, None), started])]).unwrap();
    assert_eq!(store.job(job).unwrap().unwrap().state, "queued");
    store.append(&[batch(2, vec![begun(25)])]).unwrap();
    let row = store.job(job).unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.started), ("running", Some(at(25))));
    assert_eq!(store.attempts(job).unwrap()[0].started, at(25));
    // One that was told to stop in its line stays so.
    store.append(&[batch(3, vec![Change::Stopping { job }, begun(27)])]).unwrap();
    assert_eq!(store.job(job).unwrap().unwrap().state, "stopping");
}

fn the_jobs_that_ended_last_tell_how_long_they_took(place: &Place) {
    let store = place.new_store();
    let pool = "main".to_owned();
    let started = |job, attempt, when| Change::Started {
        job: JobId(job),
        attempt,
        at: at(when),
        pool: pool.clone(),
        held: 2,
        queued: false,
    };
    let ended = |job, when, state| Change::Ended {
        job: JobId(job),
        at: at(when),
        state,
        energy: Energy::ZERO,
        cost: Money::ZERO,
        carbon: Carbon::ZERO,
    };
    store.append(&[batch(1, (0..6).map(|job| came(job, None)).collect())]).unwrap();
    let course = vec![
        started(0, 1, 20),
        ended(0, 90, "completed"),
        started(1, 1, 20),
        ended(1, 50, "failed"),
        started(2, 1, 30),
        ended(2, 60, "timed-out"),
        // Not by itself; never started; in two attempts; not over.
        started(3, 1, 20),
        ended(3, 70, "cancelled"),
        ended(4, 80, "failed"),
        started(5, 1, 20),
        Change::Interrupted { job: JobId(5), at: at(40), cause: "the node failed".into() },
        started(5, 2, 45),
    ];
    store.append(&[batch(2, course)]).unwrap();
    let told = |most| {
        let rows = store.ended(most).unwrap().into_iter();
        rows.map(|row| (row.project, row.started, row.ended)).collect::<Vec<_>>()
    };
    let (even, odd) = ("even".to_owned(), "odd".to_owned());
    let all = vec![(even.clone(), at(20), at(90)), (even, at(30), at(60)), (odd, at(20), at(50))];
    assert_eq!(told(10), all);
    assert_eq!(told(2), all[..2]);
    store.append(&[batch(3, vec![ended(5, 99, "completed")])]).unwrap();
    assert_eq!(told(10), all, "more than one attempt tells little");
    assert_eq!(store.ended(1).unwrap()[0].body, "{\"run\":\"0\"}");
}

fn jobs_are_listed_as_they_are_asked_for(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, (0..6).map(|job| came(job, None)).collect())]).unwrap();
    let started = Change::Started {
        job: JobId(4),
        attempt: 1,
        at: at(20),
        pool: "main".into(),
        held: 2,
        queued: false,
    };
    store.append(&[batch(2, vec![started])]).unwrap();
    let check = |filter: JobFilter, expected: &[u64]| {
        let found: Vec<u64> = store.jobs(&filter).unwrap().iter().map(|row| row.job.0).collect();
        assert_eq!(found, expected);
    };
    let all = JobFilter { most: 10, ..JobFilter::default() };
    check(all.clone(), &[5, 4, 3, 2, 1, 0]);
    check(JobFilter { most: 2, before: Some(JobId(4)), ..all.clone() }, &[3, 2]);
    check(JobFilter { projects: Some(vec!["even".into()]), ..all.clone() }, &[4, 2, 0]);
    check(JobFilter { projects: Some(Vec::new()), ..all.clone() }, &[]);
    check(JobFilter { states: vec!["running".into()], live: true, ..all.clone() }, &[4]);
    let states = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let some = JobFilter { states: states(&["waiting", "running", "failed"]), ..all };
    check(some.clone(), &[5, 4, 3, 2, 1, 0]);
    check(JobFilter { most: 3, before: Some(JobId(5)), ..some.clone() }, &[4, 3, 2]);
    let both = Some(vec!["even".into(), "odd".into()]);
    check(JobFilter { projects: both, most: 4, ..some.clone() }, &[5, 4, 3, 2]);
    check(JobFilter { projects: Some(vec!["even".into()]), ..some.clone() }, &[4, 2, 0]);
    check(JobFilter { projects: Some(vec!["none".into()]), ..some.clone() }, &[]);
    check(JobFilter { projects: Some(Vec::new()), ..some.clone() }, &[]);
    let many =
        (0..100).map(|number| if number == 50 { "odd".into() } else { format!("p{number}") }).collect();
    check(JobFilter { projects: Some(many), ..some }, &[5, 3, 1]);
}

fn the_two_latest_snapshots_are_kept_for_their_version(place: &Place) {
    let store = place.new_store();
    for seq in 1..5 {
        store.keep_snapshot(&Snapshot { seq, control: vec![0; 9] }, "0.1.0").unwrap();
    }
    let seqs = |version| store.snapshots(version).unwrap().iter().map(|snap| snap.seq).collect::<Vec<_>>();
    assert_eq!((seqs("0.1.0"), seqs("0.2.0")), (vec![4, 3], vec![]));
    if place.url.is_none() {
        std::fs::write(place.folder.path().join(format!("snapshot-{:020}", 4)), "torn").unwrap();
        assert_eq!(seqs("0.1.0"), [3], "a damaged one is left aside");
    }
    assert_eq!(store.last().unwrap(), 0);
}

fn keys_open_by_their_digest(place: &Place) {
    let store = place.new_store();
    let projects = vec!["even".to_owned(), "odd\nor not".to_owned(), String::new()];
    let key = Key { name: "anna".into(), role: Role::User, projects, created: at(3) };
    assert!(store.add_key(&key, &[1; 32]).unwrap());
    assert!(!store.add_key(&key, &[2; 32]).unwrap(), "the name is taken");
    assert_eq!(store.key(&[1; 32]).unwrap(), Some(key.clone()));
    assert_eq!(store.key(&[2; 32]).unwrap(), None);
    assert_eq!(store.keys().unwrap(), [key]);
    assert!(store.remove_key("anna").unwrap());
    assert!(!store.remove_key("anna").unwrap());
    assert_eq!(store.key(&[1; 32]).unwrap(), None);
}

/// As much as one commit brings when many wait, beyond what is under way at once.
fn many_changes_share_a_commit_in_their_order(place: &Place) {
    let store = place.new_store();
    let started = |job, attempt| Change::Started {
        job: JobId(job),
        attempt,
        at: at(20 + i64::from(attempt)),
        pool: format!("pool-{attempt}"),
        held: 2,
        queued: false,
    };
    let jobs = 0..500;
    let mut changes: Vec<Change> = jobs.clone().map(|job| came(job, None)).collect();
    for attempt in 1..=3 {
        changes.extend(jobs.clone().map(|job| started(job, attempt)));
    }
    store.append(&[batch(1, changes)]).unwrap();
    for job in jobs {
        let row = store.job(JobId(job)).unwrap().unwrap();
        assert_eq!((row.attempts, row.pool.as_deref(), row.started), (3, Some("pool-3"), Some(at(23))));
        assert_eq!(store.attempts(JobId(job)).unwrap().len(), 3);
    }
}

/// What people write comes back as it was, but for what PostgreSQL can not hold.
fn any_text_is_kept(place: &Place) {
    let store = place.new_store();
    let text = "ä € 🦀 \\ ' \" $1 %s\n\t\u{1}";
    let Change::Came(mut new) = came(0, Some(text)) else { unreachable!("it is that") };
    new.body = text.into();
    new.name = "zero: \0".into();
    store.append(&[batch(1, vec![Change::Came(new)])]).unwrap();
    assert_eq!(store.submitted("anna", text).unwrap(), Some((JobId(0), text.into())));
    assert!(store.job(JobId(0)).unwrap().unwrap().name.starts_with("zero: "));
}

/// A server asks from its handlers, and drops its store there.
fn one_asks_from_within_an_asynchronous_host(place: &Place) {
    let host = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    host.block_on(async {
        let store = place.new_store();
        store.append(&[batch(1, vec![came(0, None)])]).unwrap();
        let told = tokio::spawn(async move { store.job(JobId(0)).map(|job| job.is_some()) }).await.unwrap();
        assert!(told.unwrap());
    });
    assert_eq!(place.open(&beginning()).unwrap().1, Opened::Found(beginning()), "the lease was given back");
}

fn who_gave_it_back_writes_and_acts_no_more(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, vec![came(0, None)])]).unwrap();
    assert_eq!(store.standing(), Standing::Held);
    store.release();
    assert!(matches!(store.standing(), Standing::Over { .. }));
    assert!(matches!(store.append(&[batch(2, Vec::new())]), Err(StoreError::Fenced { .. })));
    assert!(matches!(store.remove_key("anna"), Err(StoreError::Fenced { .. })));
    assert_eq!(store.last().unwrap(), 1, "it can be read");
}

#[test]
fn keys_of_earlier_versions_are_read() {
    let place = Place::new(None);
    let store = place.new_store();
    let earlier = rusqlite::Connection::open(place.folder.path().join("giga.db")).unwrap();
    let sql = "INSERT INTO access_key VALUES ('berta', x'03', 'user', ?1, 3)";
    earlier.execute(sql, ["even\nodd"]).unwrap();
    assert_eq!(store.key(&[3]).unwrap().unwrap().projects, ["even", "odd"]);
    earlier.execute("UPDATE access_key SET projects = ''", []).unwrap();
    assert_eq!(store.key(&[3]).unwrap().unwrap().projects, ["*"], "none was all then");
}

#[test]
fn a_folder_without_a_store_is_told() {
    let folder = folder();
    assert!(matches!(Store::read_only(&folder.path().join("x")), Err(StoreError::Absent { .. })));
    let Some(url) = postgres::database("a_folder_without_a_store_is_told") else { return };
    assert!(matches!(Store::connect_read_only(&url), Err(StoreError::Empty { .. })));
}

/// With another folder, what runs would not be seen and begin twice.
#[test]
fn a_database_and_the_folder_of_its_engines_belong_together() {
    let name = "a_database_and_the_folder_of_its_engines_belong_together";
    let (Some(url), Some(other)) = (postgres::database(name), postgres::database(name)) else { return };
    let (home, away) = (folder(), folder());
    let connect = |url: &Url, folder: &TempDir| Store::connect(url, folder.path(), &beginning()).map(drop);
    connect(&url, &home).unwrap();
    connect(&url, &home).unwrap();
    assert!(matches!(connect(&url, &away), Err(StoreError::Unbound { .. })));
    assert!(matches!(connect(&other, &home), Err(StoreError::Elsewhere { .. })));
    assert!(matches!(Store::open(home.path(), &beginning()), Err(StoreError::Elsewhere { .. })));
    let sqlite = folder();
    drop(Store::open(sqlite.path(), &beginning()).unwrap());
    assert!(matches!(connect(&other, &sqlite), Err(StoreError::Elsewhere { .. })));
    std::fs::copy(home.path().join("store"), away.path().join("store")).unwrap();
    connect(&url, &away).unwrap();
}

#[cfg(unix)]
#[test]
fn a_folder_is_closed_to_others_and_never_one_that_is_theirs_too() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let check = |inside: &[&str], expected: Option<u32>| {
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        inside.iter().for_each(|name| fs::write(folder.path().join(name), "").unwrap());
        let opened = Store::open(folder.path(), &beginning()).map(drop);
        match expected {
            None => assert!(matches!(opened, Err(StoreError::Shared { .. })), "{opened:?}"),
            Some(_) => opened.unwrap(),
        }
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, expected.unwrap_or(0o755), "{inside:?}");
    };
    check(&[], Some(0o700));
    check(&["lock"], Some(0o700));
    check(&["giga.db"], Some(0o700));
    check(&["notes.txt"], None);
    let above = TempDir::new().unwrap();
    let new = above.path().join("a/b");
    drop(Store::open(&new, &beginning()).unwrap());
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o700, "a new one");
}

fn a_chain_tells_each_cause_once(place: &Place) {
    let store = place.new_store();
    store.append(&[batch(1, Vec::new())]).unwrap();
    let mut error: &dyn std::error::Error = &store.append(&[batch(1, Vec::new())]).unwrap_err();
    let mut told = error.to_string();
    while let Some(cause) = error.source() {
        told += &format!(": {cause}");
        error = cause;
    }
    let told = told.to_lowercase();
    assert_eq!(told.matches("unique").count(), 1, "{told}");
}

fn task(number: u64, by: &str) -> TaskRow {
    TaskRow {
        task: number,
        kind: TaskKind::Stage,
        dataset: "scans".into(),
        site: "south".into(),
        source: Some("north".into()),
        path: "/data/scans".into(),
        by: by.into(),
        asked: at(5),
        ended: None,
        state: TaskState::Open,
        bytes: 7,
        planned: Some(Duration::seconds(2)),
        cost: Money::microeuro(9),
        said: None,
    }
}

fn what_is_known_of_data_is_kept_together(place: &Place) {
    let store = place.new_store();
    assert_eq!((store.last_task().unwrap(), store.contents().unwrap()), (0, Vec::new()));
    let first = TaskRow { kind: TaskKind::Add, source: None, planned: None, ..task(1, "anna") };
    store.add_task(&first).unwrap();
    store.add_task(&task(2, "job 7")).unwrap();
    assert!(store.add_task(&task(2, "anna")).is_err(), "a number is taken once");
    drop(store);
    let (store, _) = place.open(&beginning()).unwrap();
    assert_eq!(store.tasks_open().unwrap(), [first.clone(), task(2, "job 7")], "a start goes on with them");
    let (dataset, digest) = ("scans".to_owned(), "ab".to_owned());
    let content = ContentRow { dataset, digest, files: 2, bytes: 7, by: "anna".into(), at: at(6) };
    let (dataset, site, path) = ("scans".to_owned(), "north".to_owned(), "/x".to_owned());
    let copy = CopyRow { dataset, site, path, sound: true, checked: at(6), said: None };
    let done = TaskRow { state: TaskState::Done, ended: Some(at(6)), ..first };
    let end = TaskEnd { task: &done, content: Some((&content, b"m\0")), copy: Some(&copy) };
    store.end_task(&end).unwrap();
    assert!(store.end_task(&end).is_err(), "what is registered stays");
    let worse = CopyRow { sound: false, checked: at(8), said: Some("`a` is missing".into()), ..copy };
    let failed = TaskRow { state: TaskState::Failed, said: Some("no".into()), bytes: 0, ..task(2, "job 7") };
    store.end_task(&TaskEnd { task: &failed, content: None, copy: Some(&worse) }).unwrap();
    assert_eq!(store.content("scans").unwrap(), Some(content.clone()));
    assert_eq!(store.contents().unwrap(), [content]);
    assert_eq!(store.manifest("scans").unwrap(), Some(b"m\0".to_vec()));
    assert_eq!(store.copies().unwrap(), std::slice::from_ref(&worse), "one for a site");
    assert_eq!(store.copies_of("scans").unwrap(), [worse]);
    assert_eq!((store.copies_of("x").unwrap(), store.manifest("x").unwrap()), (Vec::new(), None));
    assert_eq!(store.tasks_of("scans", 9).unwrap(), [failed.clone(), done]);
    assert_eq!(store.tasks_of("scans", 1).unwrap(), std::slice::from_ref(&failed));
    assert_eq!(store.task_by("scans", "south", "job 7").unwrap(), Some(failed));
    assert_eq!(store.task_by("scans", "south", "job 8").unwrap(), None);
    assert_eq!((store.tasks_open().unwrap(), store.last_task().unwrap()), (Vec::new(), 2));
}
