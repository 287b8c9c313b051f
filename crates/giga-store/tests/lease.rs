//! What only a database can do to a server: be lost, come back, and let another take over.
#![expect(clippy::unwrap_used, reason = "a law that is broken panics")]

mod postgres;

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use giga_formats::journal::{self, Record};
use giga_store::{Batch, Beginning, Entry, Standing, Store, StoreError, Url};
use giga_units::Instant;
use tempfile::TempDir;

use postgres::Cluster;

fn beginning() -> Beginning {
    let (file, text) = ("federation.toml".to_owned(), "format = 1".to_owned());
    Beginning { file, expanded: text.clone(), text, start: Instant::unix_milliseconds(5) }
}

fn batch(seq: u64) -> Batch {
    let now = Instant::unix_milliseconds(9);
    let record = Record { seq, decisions: 1, now, inputs: Vec::new(), events: Vec::new() };
    Batch { entries: vec![Entry { seq, record: journal::write(&record) }], changes: Vec::new() }
}

fn connect(url: &Url, folder: &Path) -> Result<Store, StoreError> {
    Store::connect(url, folder, &beginning()).map(|(store, _)| store)
}

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

/// Waits for something to become true.
#[track_caller]
fn soon(what: impl Fn() -> bool) {
    let until = Clock::now() + Duration::from_secs(20);
    while !what() {
        assert!(Clock::now() < until, "it does not come true");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn who_slept_through_a_lease_never_writes_again() {
    let Some(cluster) = postgres::shared("who_slept_through_a_lease_never_writes_again") else { return };
    let text = cluster.new_database();
    let name = text.rsplit('/').next().unwrap();
    // Renewed each 20 s, so not while this test takes.
    let url = Url::parse(&text, None).unwrap().with_lease(Duration::from_secs(60));
    let folder = folder();
    let first = connect(&url, folder.path()).unwrap();
    first.append(&[batch(1)]).unwrap();
    cluster.query(name, "UPDATE lease SET expires = clock_timestamp()");
    let second = connect(&url, folder.path()).unwrap();
    let fenced = first.append(&[batch(2)]).unwrap_err();
    assert!(matches!(&fenced, StoreError::Fenced { holder, .. } if holder.contains("process")), "{fenced}");
    assert!(matches!(first.standing(), Standing::Over { .. }));
    assert!(matches!(first.append(&[batch(2)]), Err(StoreError::Fenced { .. })));
    assert!(matches!(first.remove_key("x"), Err(StoreError::Fenced { .. })));
    assert_eq!(second.last().unwrap(), 1);
    second.append(&[batch(2)]).unwrap();
    first.release();
    drop(first);
    second.append(&[batch(3)]).unwrap();
    assert_eq!(second.standing(), Standing::Held, "who is fenced gives nothing back");
}

#[test]
fn a_lease_is_renewed_and_given_back() {
    let Some(url) = postgres::database("a_lease_is_renewed_and_given_back") else { return };
    let (url, folder) = (url.with_lease(Duration::from_secs(2)), folder());
    let store = connect(&url, folder.path()).unwrap();
    let from = Clock::now();
    let refused = connect(&url, folder.path()).map(drop).unwrap_err();
    assert!(matches!(&refused, StoreError::Leased { holder, .. } if holder.contains("process")), "{refused}");
    assert!(from.elapsed() < Duration::from_secs(3), "one that lives renews it: {:?}", from.elapsed());
    // Longer than it holds: it was renewed.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(store.standing(), Standing::Held);
    store.append(&[batch(1)]).unwrap();
    drop(store);
    let from = Clock::now();
    drop(connect(&url, folder.path()).unwrap());
    assert!(from.elapsed() < Duration::from_secs(1), "what was given back needs no waiting");
}

#[test]
fn a_database_that_is_started_again_is_ridden_out() {
    let Some(cluster) = Cluster::start() else {
        assert!(postgres::shared("a_database_that_is_started_again_is_ridden_out").is_none());
        return;
    };
    let url = Url::parse(&cluster.new_database(), None).unwrap();
    let folder = folder();
    let store = Arc::new(connect(&url, folder.path()).unwrap());
    let done = Arc::new(AtomicU64::new(0));
    let (writing, count) = (Arc::clone(&store), Arc::clone(&done));
    let writer = thread::spawn(move || {
        let mut seq = 0;
        while count.load(Ordering::Relaxed) != u64::MAX {
            seq += 1;
            writing.append(&[batch(seq)]).unwrap();
            let _ = count.compare_exchange(seq - 1, seq, Ordering::Relaxed, Ordering::Relaxed);
        }
        seq
    });
    for mode in ["fast", "immediate", "immediate"] {
        let before = done.load(Ordering::Relaxed);
        soon(|| done.load(Ordering::Relaxed) > before + 20);
        cluster.control(&["restart", "-m", mode]);
        assert!(store.last().unwrap() >= before, "questions ride it out too");
    }
    let before = done.load(Ordering::Relaxed);
    soon(|| done.load(Ordering::Relaxed) > before + 20);
    done.store(u64::MAX, Ordering::Relaxed);
    let last = writer.join().unwrap();
    let kept = store.records(0, usize::MAX >> 1).unwrap();
    assert_eq!(kept.len() as u64, last, "each once, and none is missing");
    assert_eq!(store.standing(), Standing::Held);
}

#[test]
fn nobody_may_act_while_the_database_is_away_for_long() {
    let Some(cluster) = Cluster::start() else {
        assert!(postgres::shared("nobody_may_act_while_the_database_is_away_for_long").is_none());
        return;
    };
    let url = Url::parse(&cluster.new_database(), None).unwrap().with_lease(Duration::from_secs(2));
    let folder = folder();
    let store = connect(&url, folder.path()).unwrap();
    cluster.control(&["stop", "-m", "immediate"]);
    soon(|| store.standing() == Standing::Unsure);
    cluster.control(&["start"]);
    soon(|| store.standing() == Standing::Held);
    store.append(&[batch(1)]).unwrap();
}

/// What stands between a store and its database, and cuts the line at the worst moments.
struct Between {
    folder: TempDir,
    cut: Arc<AtomicU8>,
    sleeping: Arc<AtomicBool>,
}

/// The next commit passes; or does not arrive; or arrives, and its answer does not come back; or falls asleep on its way,
/// with everything behind it, until it is woken.
const WHOLE: u8 = 0;
const BEFORE: u8 = 1;
const BEHIND: u8 = 2;
const ASLEEP: u8 = 3;

impl Between {
    fn open(socket: PathBuf) -> Self {
        let folder = folder();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let cut = Arc::new(AtomicU8::new(WHOLE));
        let sleeping = Arc::new(AtomicBool::new(false));
        let orders = (Arc::clone(&cut), Arc::clone(&sleeping));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&socket).unwrap();
                let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut back, &mut to));
                let (order, sleeping) = orders.clone();
                thread::spawn(move || Self::pass(client, server, &order, &sleeping));
            }
        });
        Self { folder, cut, sleeping }
    }

    fn pass(mut client: UnixStream, mut server: UnixStream, order: &AtomicU8, sleeping: &AtomicBool) {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            let commits = bytes[..count].windows(6).any(|word| word == b"COMMIT");
            while order.load(Ordering::SeqCst) == ASLEEP && (commits || sleeping.load(Ordering::SeqCst)) {
                sleeping.store(true, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
            }
            let order = if commits { order.swap(WHOLE, Ordering::SeqCst) } else { WHOLE };
            if order != WHOLE {
                // No answer finds its way back.
                client.shutdown(std::net::Shutdown::Both).unwrap();
            }
            if order == BEFORE || server.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        drop(server.shutdown(std::net::Shutdown::Both));
        drop(client.shutdown(std::net::Shutdown::Both));
    }
}

/// A server that stops between the fence and the commit keeps others out no longer than its lease.
#[test]
fn who_sleeps_in_the_middle_of_a_commit_is_overtaken() {
    let Some(cluster) = postgres::shared("who_sleeps_in_the_middle_of_a_commit_is_overtaken") else { return };
    let text = cluster.new_database();
    let (_, database) = text.rsplit_once('/').unwrap();
    let between = Between::open(cluster.socket());
    let place = between.folder.path().to_str().unwrap().replace('/', "%2F");
    let length = Duration::from_secs(2);
    let near = Url::parse(&format!("postgres://giga@{place}/{database}"), None).unwrap().with_lease(length);
    let far = Url::parse(&text, None).unwrap().with_lease(length);
    let folder = folder();
    let first = connect(&near, folder.path()).unwrap();
    first.append(&[batch(1)]).unwrap();
    between.cut.store(ASLEEP, Ordering::SeqCst);
    thread::scope(|scope| {
        let late = scope.spawn(|| first.append(&[batch(2)]));
        soon(|| between.sleeping.load(Ordering::SeqCst));
        let second = connect(&far, folder.path()).unwrap();
        assert_eq!(second.last().unwrap(), 1);
        assert_eq!(first.standing(), Standing::Unsure, "it can not know yet");
        second.append(&[batch(2), batch(3)]).unwrap();
        between.cut.store(WHOLE, Ordering::SeqCst);
        let late = late.join().unwrap().unwrap_err();
        assert!(matches!(late, StoreError::Fenced { .. }), "{late}");
        assert!(matches!(first.standing(), Standing::Over { .. }));
        assert_eq!(second.last().unwrap(), 3);
    });
}

/// Whoever takes over reads a journal to which nothing is added any more but by itself.
#[test]
fn a_commit_on_its_way_is_over_before_another_takes_over() {
    let Some(cluster) = postgres::shared("a_commit_on_its_way_is_over_before_another_takes_over") else {
        return;
    };
    let text = cluster.new_database();
    let (_, database) = text.rsplit_once('/').unwrap();
    let between = Between::open(cluster.socket());
    let place = between.folder.path().to_str().unwrap().replace('/', "%2F");
    let length = Duration::from_secs(60);
    let near = Url::parse(&format!("postgres://giga@{place}/{database}"), None).unwrap().with_lease(length);
    let far = Url::parse(&text, None).unwrap().with_lease(length);
    let folder = folder();
    let first = connect(&near, folder.path()).unwrap();
    between.cut.store(ASLEEP, Ordering::SeqCst);
    thread::scope(|scope| {
        let late = scope.spawn(|| first.append(&[batch(1)]));
        soon(|| between.sleeping.load(Ordering::SeqCst));
        cluster.query(database, "UPDATE lease SET expires = clock_timestamp()");
        let second = scope.spawn(|| {
            let second = connect(&far, folder.path()).unwrap();
            (second.last().unwrap(), second)
        });
        thread::sleep(Duration::from_millis(500));
        assert!(!second.is_finished(), "it waits");
        between.cut.store(WHOLE, Ordering::SeqCst);
        late.join().unwrap().unwrap();
        let (last, _second) = second.join().unwrap();
        assert_eq!(last, 1);
        assert!(matches!(first.append(&[batch(2)]), Err(StoreError::Fenced { .. })));
    });
}

#[test]
fn a_commit_whose_answer_was_lost_is_made_once() {
    let Some(cluster) = postgres::shared("a_commit_whose_answer_was_lost_is_made_once") else { return };
    let text = cluster.new_database();
    let (_, database) = text.rsplit_once('/').unwrap();
    let between = Between::open(cluster.socket());
    let place = between.folder.path().to_str().unwrap().replace('/', "%2F");
    let url = Url::parse(&format!("postgres://giga@{place}/{database}"), None).unwrap();
    let folder = folder();
    let store = connect(&url, folder.path()).unwrap();
    for (seq, cut) in (1..).zip([WHOLE, BEHIND, BEFORE, BEHIND, BEHIND, WHOLE, BEFORE]) {
        between.cut.store(cut, Ordering::SeqCst);
        store.append(&[batch(seq)]).unwrap();
        assert_eq!(between.cut.load(Ordering::SeqCst), WHOLE, "it came to a commit");
        assert_eq!(store.records(0, 100).unwrap().len() as u64, seq);
    }
    // What can not be looked up is told, not guessed.
    between.cut.store(BEHIND, Ordering::SeqCst);
    let unknown = store.remove_key("x").unwrap_err();
    assert!(unknown.to_string().contains("may have been made or not"), "{unknown}");
    store.remove_key("x").unwrap();
}

#[test]
fn an_encrypted_connection_trusts_only_whom_it_should() {
    let Some(cluster) = Cluster::start() else {
        assert!(postgres::shared("an_encrypted_connection_trusts_only_whom_it_should").is_none());
        return;
    };
    let name = cluster.new_database();
    let name = name.rsplit('/').next().unwrap();
    let (port, trusted) = cluster.encrypt();
    let check = |host: &str, mode: &str, expected: &str| {
        let url = Url::parse(&format!("postgres://giga@{host}:{port}/{name}?{mode}"), None);
        let told = match url {
            Err(error) => error.to_string(),
            Ok(url) => Store::connect_read_only(&url).map(drop).unwrap_err().to_string(),
        };
        assert!(told.contains(expected), "{host} {mode}: {told}");
    };
    // It came as far as to see that there is nothing.
    let connected = "holds no journal";
    let root = format!("sslrootcert={}", trusted.display());
    check("localhost", &format!("sslmode=require&{root}"), connected);
    check("localhost", &format!("sslmode=verify-full&{root}"), connected);
    check("localhost", "sslmode=disable", connected);
    check("127.0.0.1", &format!("sslmode=require&{root}"), "certificate");
    // A machine without roots of its own refuses before it connects.
    check("localhost", "sslmode=require", "certificate");
}
