//! The proof by killing. A real server is killed again and again while real jobs come, run and end; then every promise is
//! checked: a body begins at most once for each attempt, an accepted job is never lost and never doubled and ends exactly
//! once, and the journal says the same when all is decided again.
//!
//! On Slurm the controllers fail as well, the disks under the server and under its nodes get full, and its clock is set forwards and
//! back. That takes the rights to mount, and libfaketime; where they are not had, that trouble is skipped, unless `GIGA_REQUIRE` names
//! `full-disk` or `clock`.
//!
//! `GIGA_KILLS` says how often (20 unless set), `GIGA_SEED` with which choices, `GIGA_KILL_LOG` where the log goes as well.
//! `proof/kill.sh` makes a long run. The seed fixes what is done; when it happens is the machine's, so a seed that found
//! a fault is worth several tries.
#![cfg(all(feature = "live", target_os = "linux"))]

mod books;
mod chance;
mod client;
mod clock;
#[expect(dead_code, reason = "other programs use other parts")]
#[path = "../../../giga-engine/tests/bench/cluster.rs"]
mod cluster;
mod disk;
mod killer;
mod laws;
mod load;
#[path = "../on_slurm/mod.rs"]
mod on_slurm;
mod report;
mod server;
mod sites;
#[expect(dead_code, reason = "the proof does not look at content types")]
#[path = "../live/wire.rs"]
mod wire;
mod work;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::killer::Killer;
use crate::laws::Evidence;
use crate::load::Load;
use crate::report::{Report, Run};
use crate::server::{Place, Server};

/// Threads that submit.
const LANES: u64 = 6;
/// How long the work that is left may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long the engines may take to put away what is over.
const TIDY: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` is a whole number, not `{text}`")))
}

#[test]
fn nothing_is_lost_or_doubled_however_often_the_server_is_killed() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let seed = number("GIGA_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    let kills = number("GIGA_KILLS").unwrap_or(20);
    report::say(&format!("seed {seed}: GIGA_SEED={seed} makes the same choices again\n"));
    let report = prove(seed, kills, Place::new());
    report.keep("kill");
    assert!(report.broken().is_empty(), "seed {seed}: {}", report.broken().join("; "));
}

#[test]
fn nothing_is_lost_or_doubled_on_slurm_however_often_it_fails() {
    let sites = match sites::Sites::start() {
        Ok(sites) => sites,
        Err(why) if cluster::required() => panic!("{why}"),
        Err(why) => return report::say(&format!("SKIPPED: nothing_is_lost_or_doubled_on_slurm: {why}\n")),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let seed = number("GIGA_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    report::say(&format!("seed {seed}: GIGA_SEED={seed} makes the same choices again\n"));
    let place = Place::on(sites);
    place.skipped.iter().for_each(|line| report::say(&format!("{line}\n")));
    let report = prove(seed, number("GIGA_SLURM_KILLS").unwrap_or(12), place);
    report.keep("slurm");
    assert!(report.broken().is_empty(), "seed {seed}: {}", report.broken().join("; "));
}

fn prove(seed: u64, kills: u64, place: Place) -> Report {
    let load = Load::new(&place, seed);
    let mut killer = Killer::new(&place, &load, seed);
    let from = Instant::now();
    let server = under_load(&load, &mut killer, kills);
    let killed_for = from.elapsed();
    let data = place.data();
    wait_for("jobs that are not over", PATIENCE, || books::live(&data), || books::which_live(&data));
    wait_for(
        "attempts that an engine has not put away",
        TIDY,
        || place.attempts("live").len(),
        || format!("{:?}", place.attempts("live")),
    );
    let processes = place.left();
    let mut jobs = books::jobs(&data);
    books::witness(&place, &mut jobs);
    let status = server.stop();
    killer.check_stop(status);
    let audit = books::audit(&data, &jobs);
    let others = place.sites.as_ref().map(sites::Sites::others);
    let troubles = place.sites.as_ref().map(sites::Sites::troubles).unwrap_or_default();
    let done = killer.done;
    let counts = load.counts();
    let (sent, faults) = load.outcome();
    let lines = books::lines(&place.lines());
    let seen = Evidence { sent, jobs, lines, slain: done.slain.clone(), troubles };
    let skipped = place.skipped.clone();
    let took = from.elapsed();
    Run { seed, took, killed_for, counts, faults, done, seen, audit, processes, others, skipped }.report()
}

/// Kills while work comes in, and leaves a server that stays up and has answered everybody.
fn under_load(load: &Load<'_>, killer: &mut Killer<'_>, kills: u64) -> Server {
    std::thread::scope(|scope| {
        // Also where this fails, nobody goes on sending for ever.
        let over = load.over_at_the_end();
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || load.submit(lane))).collect();
        let watch = scope.spawn(|| load.watch());
        killer.run(kills);
        killer.wait_for_controllers();
        drop(over);
        let server = killer.up();
        lanes.into_iter().for_each(|lane| lane.join().expect("one who submits"));
        watch.join().expect("the one who counts");
        load.finish();
        server
    })
}

/// Waits until there is nothing left of something.
fn wait_for(what: &str, most: Duration, left: impl Fn() -> usize, which: impl Fn() -> String) {
    let from = Instant::now();
    loop {
        let count = left();
        if count == 0 {
            return;
        }
        assert!(from.elapsed() < most, "{what}: {count} left after {most:?}: {}", which());
        std::thread::sleep(LOOK);
    }
}
