//! Those who want work done: they send, lose connections, send again, send twice at once and long after, and cancel, all
//! through the kills.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use giga_formats::api::{Accepted, JobList, JobState};

use crate::chance::Chance;
use crate::client::{Answer, Request};
use crate::laws::{Sent, Told};
use crate::server::Place;
use crate::work::{Kind, Work};

/// Those who send hold back while more jobs than this wait.
const WAITING_MOST: u64 = 50;
const LOOK: Duration = Duration::from_millis(5);
/// How often the line is counted.
const COUNT: Duration = Duration::from_millis(60);
/// A job is cancelled so long after it was accepted, at most.
const CHANGE_OF_MIND: Duration = Duration::from_millis(900);

/// What is shared by those who send and the one who kills.
pub(crate) struct Load<'a> {
    place: &'a Place,
    data: PathBuf,
    seed: u64,
    next: AtomicU64,
    over: AtomicBool,
    /// Requests that are sent however many wait.
    pub(crate) pressing: AtomicU64,
    /// Jobs that waited when the server was last asked.
    pub(crate) waiting: AtomicU64,
    /// Submissions that were answered.
    pub(crate) answered: AtomicU64,
    /// Servers so far: what is sent again waits for another.
    pub(crate) lives: AtomicU64,
    sent: Mutex<Vec<Sent>>,
    later: Mutex<VecDeque<Later>>,
    faults: Mutex<Vec<String>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    twice_at_once: AtomicU64,
    hung_up: AtomicU64,
    later: AtomicU64,
    other_body: AtomicU64,
    cancels: AtomicU64,
}

/// Ends the sending when it is dropped.
pub(crate) struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A request that is to be sent again by another life of the server.
struct Later {
    life: u64,
    request: Request,
    job: u64,
}

#[derive(Debug, Clone, Copy)]
enum Manner {
    Plain,
    TwiceAtOnce,
    HangUpFirst,
    AgainLater,
    OtherBody,
}

const MANNERS: &[(u64, Manner)] = &[
    (10, Manner::Plain),
    (3, Manner::TwiceAtOnce),
    (3, Manner::HangUpFirst),
    (3, Manner::AgainLater),
    (1, Manner::OtherBody),
];

pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn once_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl<'a> Load<'a> {
    pub(crate) fn new(place: &'a Place, seed: u64) -> Self {
        Self {
            place,
            data: place.data(),
            seed,
            next: AtomicU64::new(0),
            over: AtomicBool::new(false),
            pressing: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            lives: AtomicU64::new(0),
            sent: Mutex::default(),
            later: Mutex::default(),
            faults: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Nothing new is sent once this is dropped.
    pub(crate) fn over_at_the_end(&self) -> Over<'_> {
        Over(&self.over)
    }

    /// How often which way of sending was taken.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        let Counts { twice_at_once, hung_up, later, other_body, cancels } = &self.counts;
        let counts = [
            ("requests sent twice at once", twice_at_once),
            ("requests whose first answer was not waited for", hung_up),
            ("requests sent again to a later server", later),
            ("words used again for another request", other_body),
            ("jobs taken back", cancels),
        ];
        counts.into_iter().map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// What was sent, and what was answered as it should not be.
    pub(crate) fn outcome(self) -> (Vec<Sent>, Vec<String>) {
        let inner = |fault: PoisonError<_>| fault.into_inner();
        (self.sent.into_inner().unwrap_or_else(inner), self.faults.into_inner().unwrap_or_default())
    }

    /// Counts the line, as long as somebody sends, and looks for what lives although it is over.
    pub(crate) fn watch(&self) {
        let request = Request::get(format!("/v1/jobs?state=waiting&limit={}", 2 * WAITING_MOST));
        while !self.is_over() {
            let answer = request.once(&self.data).filter(|answer| answer.status == 200);
            if let Some(list) = answer.and_then(|answer| serde_json::from_str::<JobList>(&answer.body).ok()) {
                self.waiting.store(list.jobs.len() as u64, Ordering::Relaxed);
            }
            let ghosts =
                self.place.ghosts().into_iter().map(|ghost| format!("lives although it is over: {ghost}"));
            hold(&self.faults).extend(ghosts);
            std::thread::sleep(COUNT);
        }
    }

    /// Sends one after the other.
    pub(crate) fn submit(&self, lane: u64) {
        let mut chance = Chance::of(self.seed, "submit", lane);
        while !self.is_over() {
            if self.waiting.load(Ordering::Relaxed) >= WAITING_MOST && !self.presses() {
                std::thread::sleep(LOOK);
                continue;
            }
            self.one(&mut chance);
            let life = self.lives.load(Ordering::Relaxed);
            let mut later = hold(&self.later);
            let due = later.front().is_some_and(|again| again.life < life);
            if let Some(again) = due.then(|| later.pop_front()).flatten() {
                drop(later);
                self.again(&again);
            }
        }
    }

    /// Takes one of the requests that are sent however many wait.
    fn presses(&self) -> bool {
        let taken = |left: u64| left.checked_sub(1);
        self.pressing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// Sends again what still waits for that.
    pub(crate) fn finish(&self) {
        while let Some(again) = { hold(&self.later).pop_front() } {
            self.again(&again);
        }
    }

    fn one(&self, chance: &mut Chance) {
        let word = format!("w{}", self.next.fetch_add(1, Ordering::Relaxed));
        let kind = Kind::draw(chance);
        let (mark, lines) = (self.place.mark(), self.place.lines());
        let body = kind.body(&word, &Work { mark: &mark, lines: &lines }, chance);
        let request = Request { word: Some(word.clone()), body, ..Request::post("/v1/jobs") };
        let manner = chance.weighted(MANNERS);
        let answers = match manner {
            Manner::TwiceAtOnce => {
                once_more(&self.counts.twice_at_once);
                std::thread::scope(|scope| {
                    let other = scope.spawn(|| request.until_answered(&self.data));
                    let here = request.until_answered(&self.data);
                    vec![here, other.join().expect("the other one who sends")]
                })
            }
            Manner::HangUpFirst => {
                once_more(&self.counts.hung_up);
                request.hang_up(&self.data);
                vec![request.until_answered(&self.data)]
            }
            Manner::Plain | Manner::AgainLater | Manner::OtherBody => {
                vec![request.until_answered(&self.data)]
            }
        };
        once_more(&self.answered);
        let told: Vec<Told> = answers.iter().filter_map(|answer| self.told(&word, answer)).collect();
        let first = told.first().copied();
        hold(&self.sent).push(Sent { word, kind, told });
        let Some(Told { job, .. }) = first else { return };
        self.follow(manner, request, job);
        if kind == Kind::Cancelled {
            self.cancel(job, chance);
        }
    }

    /// What a manner of sending does once there was an answer.
    fn follow(&self, manner: Manner, request: Request, job: u64) {
        match manner {
            Manner::AgainLater => {
                let life = self.lives.load(Ordering::Relaxed);
                hold(&self.later).push_back(Later { life, request, job });
            }
            Manner::OtherBody => {
                once_more(&self.counts.other_body);
                let body = request.body.replacen("\"limit\":\"1 ", "\"limit\":\"2 ", 1);
                assert_ne!(body, request.body, "it is another request");
                let answer = Request { body, ..request }.until_answered(&self.data);
                if answer.status != 422 {
                    self.fault(format!("another request with the word of job {job}: {answer:?}"));
                }
            }
            Manner::Plain | Manner::TwiceAtOnce | Manner::HangUpFirst => {}
        }
    }

    fn again(&self, again: &Later) {
        once_more(&self.counts.later);
        let word = again.request.word.as_deref().unwrap_or("");
        let answer = again.request.until_answered(&self.data);
        let told = self.told(word, &answer);
        if !told.is_some_and(|told| told.replayed && told.job == again.job) {
            self.fault(format!("`{word}` was job {} and is sent again: {answer:?}", again.job));
        }
    }

    fn cancel(&self, job: u64, chance: &mut Chance) {
        once_more(&self.counts.cancels);
        std::thread::sleep(chance.up_to(CHANGE_OF_MIND));
        let answer = Request::post(format!("/v1/jobs/{job}/cancel")).until_answered(&self.data);
        if ![200, 409].contains(&answer.status) {
            self.fault(format!("job {job} is cancelled: {answer:?}"));
        }
    }

    fn told(&self, word: &str, answer: &Answer) -> Option<Told> {
        let accepted = serde_json::from_str::<Accepted>(&answer.body).ok();
        let right = |accepted: &Accepted| {
            let fresh = [JobState::Waiting, JobState::Running, JobState::Refused].contains(&accepted.state);
            match answer.status {
                201 => !accepted.replayed && fresh,
                200 => accepted.replayed,
                _ => false,
            }
        };
        let accepted = accepted.filter(right);
        if accepted.is_none() {
            self.fault(format!("`{word}` is submitted: {answer:?}"));
        }
        accepted.map(|accepted| Told { job: accepted.id, replayed: accepted.replayed })
    }

    fn fault(&self, text: String) {
        hold(&self.faults).push(text);
    }
}
