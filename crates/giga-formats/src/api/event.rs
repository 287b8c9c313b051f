//! What is told as it happens, by server-sent events: the course of jobs, and their output.
//!
//! An event has a name, an id with which a client goes on after a break (`Last-Event-ID`), and one of these bodies.

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// The name of an event whose body is a [`JobEvent`].
pub const EVENT_JOB: &str = "job";
/// The name of an event whose body is a [`SiteEvent`].
pub const EVENT_SITE: &str = "site";
/// The name of an event whose body is a [`LogPiece`].
pub const EVENT_LOG: &str = "log";
/// The name of the last event of a followed log; its body is a [`super::JobView`] of the job, which is over.
pub const EVENT_END: &str = "end";
/// The name of the event with which a server breaks a stream off; its body is a sentence that says why.
pub const EVENT_ERROR: &str = "error";

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobEvent {
    /// The record of the journal that tells of it. The id of the event is more: `SEQ:INDEX`, the place in that record.
    pub seq: u64,
    /// When it happened.
    pub at: Stamp,
    /// The job.
    pub job: u64,
    /// What happened.
    pub kind: JobEventKind,
    /// Where, or nothing where no site had to do with it.
    pub site: Option<String>,
    /// The same as a sentence.
    pub text: String,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobEventKind {
    /// It came and waits.
    Submitted,
    /// An attempt started, or was given to a site that decides itself when it begins.
    Started,
    /// One began that was given to such a site.
    Begun,
    /// It ended for good.
    Ended,
    /// An attempt was interrupted; it waits again.
    Interrupted,
    /// It was told to stop.
    Stopping,
    /// No rule lets it run.
    Refused,
    /// It was told to save itself and leave; it waits again once it has.
    Leaving,
    /// It goes on at another pace: capped, suspended, or as it would by itself.
    Paced,
    /// It is kept back for cheaper or cleaner hours.
    Deferred,
    /// It was kept back and takes its place in the line.
    Due,
    /// It waits at another site from here on.
    Moved,
    /// Accelerators that others were told to leave are kept for it.
    Claimed,
    /// Nothing is kept for it any more.
    Unclaimed,
}

/// Something that happened to a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteEvent {
    /// The record of the journal that tells of it.
    pub seq: u64,
    /// When it happened.
    pub at: Stamp,
    /// The site.
    pub site: String,
    /// What happened.
    pub kind: SiteEventKind,
    /// The same as a sentence.
    pub text: String,
}

/// What can happen to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SiteEventKind {
    /// It may draw less at the meter.
    Limited,
    /// It may draw again what its connection has.
    Unlimited,
    /// A limit is below what protected work and idle nodes draw.
    Short,
    /// Nothing more starts there.
    Drained,
    /// It takes work again.
    Undrained,
    /// It does not answer, and nothing starts there.
    Silent,
    /// It answers again.
    Heard,
}

/// One of the two streams a command writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogStream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// The query of `POST /v1/jobs/{id}/input`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct InputQuery {
    /// To this attempt, from 1; the latest unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(format = "uint32", minimum = 0, maximum = 4294967295_u32))]
    pub attempt: Option<u32>,
    /// So many bytes into what was handed in so far; behind all of it unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(minimum = 0, maximum = 9223372036854775807_i64))]
    pub at: Option<u64>,
}

/// The answer to `POST /v1/jobs/{id}/input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputView {
    /// To which attempt it was handed in.
    pub attempt: u32,
    /// Where the next piece begins.
    pub next: u64,
}

/// The query of `GET /v1/jobs/{id}/logs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Which stream; standard output unless given.
    #[serde(default)]
    pub stream: LogStream,
    /// Of which attempt, from 1; the latest unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(format = "uint32", minimum = 0, maximum = 4294967295_u32))]
    pub attempt: Option<u32>,
    /// From which byte on.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 0, maximum = 9223372036854775807_i64))]
    pub from: u64,
    /// Whether to send server-sent events until the job is over, instead of one piece.
    #[serde(default)]
    pub follow: bool,
}

/// One event of a stream, by its fields as they stand in the text. It exists for the document only.
#[cfg(feature = "openapi")]
#[derive(Debug, Clone, utoipa::ToSchema)]
pub struct StreamEvent {
    /// What kind it is: `log`, `end` or `error`.
    pub event: Option<String>,
    /// Where to go on behind it, for `Last-Event-ID`.
    pub id: Option<String>,
    /// The body as JSON: of a `log` a `LogPiece`, of an `end` a `JobView`.
    pub data: Option<String>,
}

/// A piece of a command's output. Bytes that are no UTF-8 are shown as `�`; the places count bytes as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPiece {
    /// Which stream it is of.
    pub stream: LogStream,
    /// Of which attempt, from 1; 0 where none started yet.
    pub attempt: u32,
    /// The place of its first byte in the output of that attempt.
    pub from: u64,
    /// The place behind its last byte: what to ask for next.
    pub next: u64,
    /// The output.
    pub text: String,
    /// Whether nothing will come behind it.
    pub over: bool,
}

impl LogPiece {
    /// A piece that begins with these bytes. A character that is cut at the end is left for the next piece, unless
    /// the output is `over`, so that reading piece by piece shows what reading at once does.
    #[must_use]
    pub fn of(stream: LogStream, attempt: u32, from: u64, bytes: &[u8], over: bool) -> Self {
        let kept = if over { bytes } else { &bytes[..whole(bytes)] };
        let next = from + kept.len() as u64;
        let text = String::from_utf8_lossy(kept).into_owned();
        Self { stream, attempt, from, next, text, over }
    }
}

/// How many of the bytes are left when a character that is cut at the end is taken off.
fn whole(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let cut = last.map_or(&[][..], |chunk| chunk.invalid());
    // Only at the end may more bytes still make a character of these; then the error has no length of its own.
    match std::str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => bytes.len() - cut.len(),
        _ => bytes.len(),
    }
}
