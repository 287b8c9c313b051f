//! `giga shell`: a job that somebody types to. What is typed is handed in piece by piece, what it prints is followed.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use giga_formats::api::{Accepted, InputView, JobDetail, JobState};
use giga_formats::job::{JobBody, RunBody};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::{self, SetArg, Termios};

use super::reach::{Reach, parsed};
use super::server::Server;
use super::submit::{Asked, drawn, plain, send};
use super::{Refused, logs};

/// What `giga shell` was asked.
#[derive(Debug, Args)]
pub(crate) struct Shell {
    /// Go on with this job, which `giga shell` began.
    #[arg(long, value_name = "ID", conflicts_with_all = ["Asked", "command"])]
    attach: Option<u64>,
    #[command(flatten)]
    asked: Asked,
    /// The program to type to and its arguments; a shell unless given.
    #[arg(last = true)]
    command: Vec<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// How often it is asked whether the job runs, and how long is waited before a piece is handed in again.
const LOOK: Duration = Duration::from_millis(300);
/// How often others may be quicker in a row.
const ELSEWHERE: u32 = 20;
/// The variable that names the file with what is typed.
const INPUT: &str = "GIGA_INPUT";
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
        "exec 2>&1\n\
         : >> \"$GIGA_INPUT\"\n\
         aside=$(mktemp -d)\n\
         mkfifo \"$aside/typed\"\n\
         exec 3<> \"$aside/typed\"\n\
         rm -r \"$aside\"\n\
         tail -c +1 -s 0.1 -f \"$GIGA_INPUT\" >&3 2>/dev/null &\n\
         reader=$!\n\
         trap 'kill $reader 2>/dev/null' EXIT\n\
         export TERM=\"${{TERM:-xterm-256color}}\"\n\
         script -qefc {} /dev/null <&3 3<&-\n",
        giga_formats::slurm::shell_word(&inside)
    )
}

/// Submits it, waits until it runs, and connects it with the terminal.
pub(super) fn run(call: &Shell) -> Result<ExitCode, Refused> {
    // What is printed is for a person, whatever the settings say.
    let reach = &Reach { json: false, ..call.reach.clone() };
    let server = Server::open(reach)?;
    let id = match call.attach {
        Some(id) => attach(&server, id)?,
        None => submit(call, &server)?,
    };
    if wait(&server, reach, id)?.is_over() {
        return logs::follow_output(&server, reach, id);
    }
    let typist = Server::open(reach)?;
    let raw = Raw::begin();
    if raw.0 {
        eprintln!("giga: `~.` at the beginning of a line leaves it running\r");
    }
    // It ends with the program: a read of a terminal can not be broken off.
    std::thread::spawn(move || {
        let over = hand_in(&typist, id);
        restore();
        match over {
            Over::Left => {
                eprintln!("\ngiga: left; job {id} goes on");
                std::process::exit(0);
            }
            Over::Refused(why) => eprintln!("\ngiga: nothing more can be typed: {why}"),
            Over::Ended => {}
        }
    });
    let ended = logs::follow_output(&server, reach, id);
    drop(raw);
    ended
}

/// A job that was begun by `giga shell`, or reads what is typed by itself.
fn attach(server: &Server, id: u64) -> Result<u64, Refused> {
    let detail: JobDetail = parsed(&server.get(&format!("/v1/jobs/{id}"))?)?;
    let reads = match &detail.spec.run {
        RunBody::Script(script) => script.contains(INPUT),
        RunBody::Command(words) => words.iter().any(|word| word.contains(INPUT)),
    };
    let why = format_args!("job {id} does not read `{INPUT}`, so nobody would hear what is typed");
    if reads { Ok(id) } else { Err(Refused::input(why)) }
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

/// Waits until a job runs or is over, and says once that it waits. A server that is away is waited for.
fn wait(server: &Server, reach: &Reach, id: u64) -> Result<JobState, Refused> {
    let mut said = false;
    loop {
        let state = match server.get(&format!("/v1/jobs/{id}")) {
            Ok(text) => parsed::<JobDetail>(&text)?.job.state,
            Err(refused) if logs::is_passing(&refused) => JobState::Waiting,
            Err(refused) => return Err(refused),
        };
        if !matches!(state, JobState::Waiting | JobState::Queued) {
            return Ok(state);
        }
        if !std::mem::replace(&mut said, true) {
            let options = reach.options();
            eprintln!(
                "giga: it waits; `giga job explain {id}{options}` says for what. Ctrl-C leaves it in the line, and \
                 `giga job cancel {id}{options}` takes it out"
            );
        }
        std::thread::sleep(LOOK);
    }
}

/// Why nothing more is handed in.
enum Over {
    /// The job is over.
    Ended,
    /// The server does not take it.
    Refused(String),
    /// Somebody wants to go.
    Left,
}

/// Hands in what is typed until the end of input, and tells the program of that end: again and again until it ends, because what
/// comes before it has set its terminal up is lost.
fn hand_in(server: &Server, id: u64) -> Over {
    let mut typist = Typist { server, id, place: None };
    let mut escape = Escape { watches: std::io::stdin().is_terminal(), line: true, held: false };
    let mut piece = [0; 4_096];
    loop {
        let length = std::io::stdin().lock().read(&mut piece).unwrap_or(0);
        let (typed, leaves) = escape.read(&piece[..length]);
        let done = if typed.is_empty() { Ok(()) } else { typist.tell(&typed) };
        match done {
            Err(over) => return over,
            Ok(()) if leaves => return Over::Left,
            Ok(()) if length == 0 => break,
            Ok(()) => {}
        }
    }
    loop {
        if let Err(over) = typist.tell(END) {
            return over;
        }
        std::thread::sleep(AGAIN);
    }
}

/// Finds `~.` at the beginning of a line, as ssh has it.
struct Escape {
    watches: bool,
    /// Whether a line begins.
    line: bool,
    /// Whether a `~` came that may begin it.
    held: bool,
}

impl Escape {
    /// What of some keys is typed, and whether somebody wants to go behind it.
    fn read(&mut self, keys: &[u8]) -> (Vec<u8>, bool) {
        let mut typed = Vec::with_capacity(keys.len() + 1);
        for &key in keys {
            if std::mem::take(&mut self.held) {
                if key == b'.' {
                    return (typed, true);
                }
                typed.push(b'~');
            } else if self.watches && self.line && key == b'~' {
                self.held = true;
                continue;
            }
            typed.push(key);
            self.line = matches!(key, b'\r' | b'\n');
        }
        (typed, false)
    }
}

/// Who hands in, and where the next piece begins.
struct Typist<'s> {
    server: &'s Server,
    id: u64,
    place: Option<InputView>,
}

impl Typist<'_> {
    /// Hands in one piece, for as long as the server is away or the job is not there yet.
    fn tell(&mut self, typed: &[u8]) -> Result<(), Over> {
        let mut elsewhere = 0;
        loop {
            // Without a place a piece that is sent again could come twice: an empty one finds it out.
            let path = format!("/v1/jobs/{}/input", self.id);
            let answer = match self.place {
                None => self.server.hand_in(&path, &[]),
                Some(InputView { attempt, next }) => {
                    self.server.hand_in(&format!("{path}?attempt={attempt}&at={next}"), typed)
                }
            };
            match answer.map(|text| serde_json::from_str::<InputView>(&text)) {
                Ok(Ok(view)) => {
                    if self.place.replace(view).is_some() {
                        return Ok(());
                    }
                }
                Ok(Err(fault)) => return Err(Over::Refused(fault.to_string())),
                Err(Refused::Answer { status: 409, text }) if text.contains("/problems/job-over") => {
                    return Err(Over::Ended);
                }
                // Somebody else typed meanwhile: it goes behind that.
                Err(Refused::Answer { status: 409, text }) if text.contains("/problems/input-elsewhere") => {
                    elsewhere += 1;
                    if elsewhere > ELSEWHERE {
                        return Err(Over::Refused(super::problem(409, &text)));
                    }
                    self.place = None;
                }
                // It does not run yet, or waits again: a later attempt has heard nothing so far.
                Err(Refused::Answer { status: 409, .. }) => {
                    self.place = None;
                    std::thread::sleep(LOOK);
                }
                Err(Refused::Answer { status, text }) if super::is_callers(status) => {
                    return Err(Over::Refused(super::problem(status, &text)));
                }
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }
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

/// The terminal as it was before.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Puts the terminal back, once.
fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, &before);
    }
}

/// A terminal that hands on every key as it is; as it was before when this is dropped, or a signal ends the program.
struct Raw(bool);

impl Raw {
    fn begin() -> Self {
        let Ok(before) = termios::tcgetattr(std::io::stdin()) else { return Self(false) };
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let signals: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        if signals.thread_block().is_ok() {
            std::thread::spawn(move || {
                let _ = signals.wait();
                restore();
                std::process::exit(1);
            });
        }
        let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, &raw);
        Self(true)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_is_found_at_the_beginning_of_a_line_only() {
        let check = |watches: bool, pieces: &[&str], expected: (&str, bool)| {
            let mut escape = Escape { watches, line: true, held: false };
            let (mut all, mut leaves) = (Vec::new(), false);
            for piece in pieces {
                let (typed, left) = escape.read(piece.as_bytes());
                all.extend(typed);
                leaves |= left;
            }
            assert_eq!((String::from_utf8_lossy(&all).as_ref(), leaves), expected, "{pieces:?}");
        };
        check(true, &["~."], ("", true));
        check(true, &["ls\r~", "."], ("ls\r", true));
        check(true, &["ls ~."], ("ls ~.", false));
        check(true, &["~/x\r", "~~\r"], ("~/x\r~~\r", false));
        check(false, &["~."], ("~.", false));
    }
}
