//! `giga shell`: a job that somebody types to. What is typed is handed in piece by piece, what it prints is followed.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use giga_formats::api::{Accepted, InputView, JobDetail, JobState};
use giga_formats::job::{JobBody, RunBody};
use nix::sys::termios::{self, SetArg, Termios};

use super::reach::{Reach, parsed};
use super::server::Server;
use super::submit::{Asked, drawn, plain, send};
use super::{Refused, logs};

/// What `giga shell` was asked.
#[derive(Debug, Args)]
pub(crate) struct Shell {
    /// Go on with this job, which `giga shell` began.
    #[arg(long, value_name = "ID", conflicts_with_all = ["command", "name"])]
    attach: Option<u64>,
    #[command(flatten)]
    asked: Asked,
    /// The program to type to and its arguments; a shell unless given.
    #[arg(last = true)]
    command: Vec<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// How often it is asked whether the job runs, and how long a piece that can not be handed in is tried.
const LOOK: Duration = Duration::from_millis(300);
const TRIES: u32 = 100;
/// What a terminal sends for the end of input, and how often that is said.
const END: &[u8] = b"\x04";
const AGAIN: Duration = Duration::from_secs(1);

/// Gives a program a terminal of its own that reads what is handed in: `script` of util-linux makes one.
fn in_terminal(command: &[String], size: Option<(u16, u16)>) -> String {
    let program = if command.is_empty() {
        "if command -v bash >/dev/null; then exec bash -i; else exec sh -i; fi".to_owned()
    } else {
        let words: Vec<String> = command.iter().map(|word| giga_formats::slurm::shell_word(word)).collect();
        format!("exec {}", words.join(" "))
    };
    let (rows, columns) = size.unwrap_or((24, 80));
    let inside = format!("stty rows {rows} cols {columns}; {program}");
    // `tail` looks at a network file system each tenth of a second, and hears of a local one at once.
    format!(
        ": >> \"$GIGA_INPUT\"\n\
         pipe=$(mktemp -u /tmp/giga-XXXXXXXX)\n\
         mkfifo -m 600 \"$pipe\"\n\
         tail -c +1 -s 0.1 -f \"$GIGA_INPUT\" > \"$pipe\" 2>/dev/null &\n\
         reader=$!\n\
         trap 'kill $reader 2>/dev/null; rm -f \"$pipe\"' EXIT\n\
         export TERM=\"${{TERM:-xterm-256color}}\"\n\
         script -qefc {} /dev/null < \"$pipe\"\n",
        giga_formats::slurm::shell_word(&inside)
    )
}

/// Submits it, waits until it runs, and connects it with the terminal.
pub(super) fn run(call: &Shell) -> Result<ExitCode, Refused> {
    let reach = &call.reach;
    let server = Server::open(reach)?;
    let id = match call.attach {
        Some(id) => id,
        None => submit(call, &server)?,
    };
    let begun = wait(&server, id)?;
    if begun.is_over() {
        return logs::follow_output(&server, reach, id);
    }
    let raw = Raw::begin();
    let typist = { Server::open(reach)? };
    // It ends with the program: a read of a terminal can not be broken off.
    std::thread::spawn(move || hand_in(&typist, id));
    let ended = logs::follow_output(&server, reach, id);
    drop(raw);
    ended
}

fn submit(call: &Shell, server: &Server) -> Result<u64, Refused> {
    if call.asked.array.is_some() {
        return Err(Refused::input("a shell is one job: leave out `--array`"));
    }
    let body = plain(RunBody::Script(in_terminal(&call.command, size())));
    let mut body = call.asked.completed(JobBody { name: Some("shell".to_owned()), ..body })?;
    body.env.entry("TERM".to_owned()).or_insert_with(|| {
        std::env::var("TERM")
            .ok()
            .filter(|term| !term.is_empty())
            .unwrap_or_else(|| "xterm-256color".to_owned())
    });
    let sent = serde_json::to_string(&body).expect("plain values can be written");
    let accepted: Accepted = parsed(&send(server, &sent, &drawn())?)?;
    let (id, options) = (accepted.id, call.reach.options());
    if accepted.state == JobState::Refused {
        let text =
            format!("giga: job {id} is refused; `giga job explain {id}{options}` says by which rule\n");
        return Err(Refused::Input(text));
    }
    let at = accepted.site.map_or_else(String::new, |site| format!(" at {site}"));
    eprintln!(
        "giga: job {id}{at}; `giga shell --attach {id}{options}` comes back to it, `giga job cancel {id}{options}` ends it"
    );
    Ok(id)
}

/// Waits until a job runs or is over, and says once that it waits.
fn wait(server: &Server, id: u64) -> Result<JobState, Refused> {
    let mut said = false;
    loop {
        let detail: JobDetail = parsed(&server.get(&format!("/v1/jobs/{id}"))?)?;
        if detail.job.state != JobState::Waiting {
            return Ok(detail.job.state);
        }
        if !std::mem::replace(&mut said, true) {
            eprintln!("giga: it waits; `giga job explain {id}` says for what");
        }
        std::thread::sleep(LOOK);
    }
}

/// Hands in what is typed until the end of input, and tells the program of that end: again and again until it ends, because what
/// comes before it has set its terminal up is lost.
fn hand_in(server: &Server, id: u64) {
    let mut place = None;
    let mut piece = [0; 4_096];
    loop {
        let length = std::io::stdin().lock().read(&mut piece).unwrap_or(0);
        if length == 0 {
            break;
        }
        place = tell(server, id, place, &piece[..length]);
        if place.is_none() {
            return;
        }
    }
    while let Some(next) = tell(server, id, place, END) {
        place = Some(next);
        std::thread::sleep(AGAIN);
    }
}

/// Hands in one piece, again where the line breaks; where the next begins, or `None` where nothing more can be.
fn tell(server: &Server, id: u64, place: Option<InputView>, typed: &[u8]) -> Option<InputView> {
    let mut place = place;
    for _ in 0..TRIES {
        // Without a place a piece that is sent again could come twice: an empty one finds it out.
        let answer = match place {
            None => server.hand_in(&format!("/v1/jobs/{id}/input"), &[]),
            Some(InputView { attempt, next }) => {
                server.hand_in(&format!("/v1/jobs/{id}/input?attempt={attempt}&at={next}"), typed)
            }
        };
        match answer.map(|text| serde_json::from_str::<InputView>(&text)) {
            Ok(Ok(view)) if place.is_some() => return Some(view),
            Ok(Ok(view)) => place = Some(view),
            Ok(Err(_)) => return None,
            // It does not run any more, or not yet; a later attempt has heard nothing so far.
            Err(Refused::Answer { status: 409, .. }) => {
                place = None;
                std::thread::sleep(LOOK);
            }
            Err(Refused::Answer { status, .. }) if status < 500 => return None,
            Err(_) => std::thread::sleep(LOOK),
        }
    }
    None
}

/// Rows and columns of the terminal, where there is one.
fn size() -> Option<(u16, u16)> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let output =
        std::process::Command::new("stty").arg("size").stdin(std::process::Stdio::inherit()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (rows, columns) = text.trim().split_once(' ')?;
    Some((rows.parse().ok()?, columns.parse().ok()?)).filter(|size: &(u16, u16)| size.0 > 0 && size.1 > 0)
}

/// A terminal that hands on every key as it is; as it was before when this is dropped.
struct Raw(Option<Termios>);

impl Raw {
    fn begin() -> Self {
        let before = termios::tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            termios::cfmakeraw(&mut raw);
            let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, &raw);
        }
        Self(before)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
        }
    }
}
