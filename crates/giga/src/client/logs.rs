//! `giga job logs`: what a job wrote, once or as it comes. Following survives a restart of the server.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use giga_formats::api::{EVENT_END, EVENT_ERROR, EVENT_LOG, JobState, JobView, LogPiece};
use giga_report::live;

use super::Refused;
use super::events::Events;
use super::reach::{Reach, parsed};
use super::server::Server;

/// How long a server that is gone is waited for.
const GONE_MAX: Duration = Duration::from_secs(120);
/// A stream that lasted so long was a sound one, whatever came over it.
const SOUND: Duration = Duration::from_secs(10);
/// The shortest and the longest time between two tries to reach it.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// How many of the last lines of standard error are shown of a job that failed, and in how many pieces they are looked for.
const LINES: usize = 10;
const PIECES_MOST: usize = 16;

/// What `giga job logs` was asked.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The number of the job.
    id: u64,
    /// Go on as it writes, until it is over; then end with 0 where it completed, else with 1.
    #[arg(short, long)]
    follow: bool,
    /// What it wrote to standard error, instead of standard output.
    #[arg(long)]
    stderr: bool,
    /// Of this attempt, from 1; the latest unless given.
    #[arg(long, value_name = "N", conflicts_with = "follow")]
    attempt: Option<u32>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Prints it.
pub(super) fn run(call: &Logs) -> Result<ExitCode, Refused> {
    let server = Server::open(&call.reach)?;
    let stream = if call.stderr { "stderr" } else { "stdout" };
    let mut place = Place { id: call.id, stream, attempt: call.attempt, ..Place::default() };
    if call.follow {
        return follow(&server, &call.reach, place);
    }
    let mut out = std::io::stdout().lock();
    loop {
        let text = server.get(&place.path())?;
        let piece: LogPiece = parsed(&text)?;
        if call.reach.json {
            writeln!(out, "{}", text.trim_end())?;
        } else {
            write!(out, "{}", piece.text)?;
        }
        if piece.over || piece.next <= place.from {
            return Ok(out.flush().map(|()| ExitCode::SUCCESS)?);
        }
        (place.attempt, place.from) = (Some(piece.attempt), piece.next);
    }
}

/// Follows the standard output of a job.
pub(super) fn follow_output(server: &Server, reach: &Reach, id: u64) -> Result<ExitCode, Refused> {
    follow(server, reach, Place { id, stream: "stdout", ..Place::default() })
}

/// How far the output was read.
#[derive(Debug, Default)]
struct Place {
    id: u64,
    stream: &'static str,
    attempt: Option<u32>,
    from: u64,
    /// The id of the last event. With it alone the server finds the place again: an attempt in the query would be the
    /// only one that is followed.
    last: Option<String>,
    /// Why the server broke the stream off.
    error: Option<String>,
}

/// How a stream ended.
enum Ended {
    /// The job is over.
    Over(Box<JobView>),
    /// The connection was lost.
    Lost,
}

impl Place {
    fn path(&self) -> String {
        let attempt = self.attempt.map_or_else(String::new, |attempt| format!("&attempt={attempt}"));
        format!("/v1/jobs/{}/logs?stream={}&from={}{attempt}", self.id, self.stream, self.from)
    }

    /// Where the output is followed from the last event on, over all attempts to come.
    fn follow_path(&self) -> String {
        format!("/v1/jobs/{}/logs?stream={}&follow=true", self.id, self.stream)
    }

    /// What of a piece is new; pieces may come again after a break.
    fn take(&mut self, piece: &LogPiece) -> bool {
        if self.attempt == Some(piece.attempt) && piece.next <= self.from {
            return false;
        }
        (self.attempt, self.from) = (Some(piece.attempt), piece.next);
        true
    }

    /// Reads a stream to its end, printing what is new.
    fn read(&mut self, stream: impl BufRead, json: bool, out: &mut impl Write) -> Result<Ended, Refused> {
        let mut events = Events::new(stream);
        // A break of the line and its end are the same here: the stream is opened again.
        while let Ok(Some(event)) = events.next() {
            match event.name.as_str() {
                EVENT_LOG => {
                    let piece: LogPiece = parsed(&event.data)?;
                    let again = self.attempt.is_some_and(|attempt| attempt > 0 && attempt < piece.attempt);
                    if again && !json {
                        eprintln!("giga: attempt {} begins", piece.attempt);
                    }
                    if self.take(&piece) {
                        let text = if json { format!("{}\n", event.data) } else { piece.text };
                        out.write_all(text.as_bytes())?;
                        out.flush()?;
                    }
                }
                EVENT_END => {
                    if json {
                        writeln!(out, "{}", event.data)?;
                    }
                    return Ok(Ended::Over(Box::new(parsed(&event.data)?)));
                }
                EVENT_ERROR => self.error = Some(event.data),
                _ => {}
            }
            self.last = event.id.or_else(|| self.last.take());
        }
        Ok(Ended::Lost)
    }
}

/// Follows until the job is over. A server that goes away is waited for once it was reached.
fn follow(server: &Server, reach: &Reach, mut place: Place) -> Result<ExitCode, Refused> {
    let mut out = std::io::stdout().lock();
    let (mut reached, mut patience) = (false, Patience::new());
    loop {
        let begun = Instant::now();
        match server.events(&place.follow_path(), place.last.as_deref()) {
            Ok(stream) => {
                let before = place.last.clone();
                if let Ended::Over(job) = place.read(stream, reach.json, &mut out)? {
                    if place.stream == "stdout" && job.state == JobState::Failed && !reach.json {
                        eprint!("{}", complaint(server, place.id));
                    }
                    return Ok(over(reach, &job));
                }
                reached = true;
                if place.last != before || begun.elapsed() >= SOUND {
                    patience = Patience::new();
                }
            }
            Err(refused) if reached && is_passing(&refused) && patience.is_left() => {}
            Err(refused) => return Err(refused),
        }
        if !patience.is_left() {
            let why = place.error.unwrap_or_else(|| "it says not why".to_owned());
            return Err(anyhow::anyhow!("the server breaks off the output of job {}: {why}", place.id).into());
        }
        patience.wait();
    }
}

/// The last that a job wrote to standard error, for those who only followed the other; nothing where that can not be had.
fn complaint(server: &Server, id: u64) -> String {
    let mut place = Place { id, stream: "stderr", ..Place::default() };
    let mut text = String::new();
    for _ in 0..PIECES_MOST {
        let Ok(piece) = server.get(&place.path()).and_then(|text| parsed::<LogPiece>(&text)) else { break };
        text.push_str(&piece.text);
        if piece.over || piece.next <= place.from {
            return last_lines(&text);
        }
        (place.attempt, place.from) = (Some(piece.attempt), piece.next);
    }
    String::new()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(LINES)..];
    if shown.is_empty() {
        return String::new();
    }
    let begin = if shown.len() < lines.len() { "ends" } else { "says" };
    format!("giga: its standard error {begin}:\n{}\n", shown.join("\n"))
}

/// How long a server that does not answer well is tried again.
struct Patience {
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { since: None, pause: PAUSE.0 }
    }

    fn is_left(&self) -> bool {
        self.since.is_none_or(|since| since.elapsed() <= GONE_MAX)
    }

    /// Waits a while, longer each time, and says once that it does.
    fn wait(&mut self) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            eprintln!("giga: the server is gone; waiting for it");
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(PAUSE.1);
    }
}

/// Whether a later try may do better.
pub(super) fn is_passing(refused: &Refused) -> bool {
    match refused {
        Refused::Lost { .. } => true,
        Refused::Answer { status, .. } => [502, 503, 504].contains(status),
        _ => false,
    }
}

fn over(reach: &Reach, job: &JobView) -> ExitCode {
    if !reach.json {
        eprintln!("giga: {}", live::headline(job));
    }
    ExitCode::from(u8::from(job.state != JobState::Completed))
}

#[cfg(test)]
mod tests {
    use giga_formats::api::{LogStream, Stamp};
    use giga_units::Instant;

    use super::*;

    fn log(attempt: u32, from: u64, text: &str) -> String {
        let piece = LogPiece::of(LogStream::Stdout, attempt, from, text.as_bytes(), true);
        let data = serde_json::to_string(&piece).expect("plain values");
        format!("event: log\nid: {attempt}:{}\ndata: {data}\n\n", piece.next)
    }

    fn end(state: JobState) -> String {
        let job = JobView {
            id: 7,
            name: "train".into(),
            project: "demo".into(),
            state,
            site: None,
            pool: None,
            accelerators: 1,
            attempts: 1,
            submitted: Stamp(Instant::unix_milliseconds(0)),
            started: None,
            ended: None,
            exit: None,
            energy_joule: 0,
            cost_microeuro: 0,
            carbon_milligram: 0,
            by_token: "k".into(),
            idle: None,
        };
        format!("event: end\ndata: {}\n\n", serde_json::to_string(&job).expect("plain values"))
    }

    /// These streams, one after the other, print this, and the last one ends in this state.
    #[track_caller]
    fn check(streams: &[String], printed: &str, state: Option<JobState>) -> Place {
        let (mut place, mut out, mut last) =
            (Place { id: 7, stream: "stdout", ..Place::default() }, Vec::new(), None);
        for stream in streams {
            last = match place.read(stream.as_bytes(), false, &mut out).expect("a sound stream") {
                Ended::Over(job) => Some(job.state),
                Ended::Lost => None,
            };
        }
        assert_eq!((String::from_utf8(out).expect("UTF-8").as_str(), last), (printed, state));
        place
    }

    #[test]
    fn what_comes_is_printed_until_the_end() {
        let stream =
            [log(1, 0, "a\n"), ": alive\n\n".into(), log(1, 2, "b\n"), end(JobState::Completed)].concat();
        check(&[stream], "a\nb\n", Some(JobState::Completed));
        check(&[end(JobState::Failed)], "", Some(JobState::Failed));
    }

    #[test]
    fn a_complaint_is_the_last_lines() {
        assert_eq!(last_lines(""), "");
        assert_eq!(last_lines("no such file\n"), "giga: its standard error says:\nno such file\n");
        let many: String = (0..30).map(|line| format!("{line}\n")).collect();
        let told = last_lines(&many);
        assert!(
            told.starts_with("giga: its standard error ends:\n20\n") && told.ends_with("\n29\n"),
            "{told}"
        );
    }

    #[test]
    fn after_a_break_nothing_is_lost_and_nothing_printed_twice() {
        let first = [log(1, 0, "a\n"), "event: log\ndata: {\"brok".into()].concat();
        let place = check(std::slice::from_ref(&first), "a\n", None);
        assert_eq!(place.last.as_deref(), Some("1:2"));
        assert_eq!(place.path(), "/v1/jobs/7/logs?stream=stdout&from=2&attempt=1");
        assert_eq!(place.follow_path(), "/v1/jobs/7/logs?stream=stdout&follow=true");
        let place = check(&["event: error\ndata: the engine is gone\n\n".into()], "", None);
        assert_eq!(place.error.as_deref(), Some("the engine is gone"));
        let second =
            [log(1, 0, "a\n"), log(1, 2, "b\n"), log(2, 0, "c\n"), end(JobState::Completed)].concat();
        check(&[first, second], "a\nb\nc\n", Some(JobState::Completed));
    }
}
