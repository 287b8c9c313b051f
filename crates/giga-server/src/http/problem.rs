//! How a request is refused: one kind of problem for each reason, in the form of RFC 9457.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use giga_formats::api::{FieldFault, PROBLEM_JSON, Problem, meant};
use giga_store::StoreError;

use super::BODY_MAX;

/// A request that is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    cause: Cause,
}

/// Whose the cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The caller's, the core's or an engine's.
    Other,
    /// The store's.
    Store,
}

/// Marks an answer that says so little because the store could not be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faulty;

pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        let problem = Box::new(Problem {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
            faults: Vec::new(),
        });
        Self { problem, cause: Cause::Other }
    }

    pub(crate) fn no_token() -> Self {
        let detail = "send `Authorization: Bearer TOKEN`; an operator makes tokens with `giga key create`";
        Self::new(StatusCode::UNAUTHORIZED, "no-token", "There is no token that opens this", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The token does not allow this", detail)
    }

    pub(crate) fn unknown(what: &str, name: &str) -> Self {
        let detail = format!("there is no {what} `{name}`, or none that this token may see");
        Self::new(StatusCode::NOT_FOUND, &format!("unknown-{what}"), &format!("Unknown {what}"), detail)
    }

    pub(crate) fn unknown_site<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Self {
        let help = match meant(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("there are {}", known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
        };
        let detail = format!("there is no site `{name}`; {help}");
        Self::new(StatusCode::NOT_FOUND, "unknown-site", "Unknown site", detail)
    }

    /// A new one can not be registered while a federation lives, so it says where that would be.
    pub(crate) fn unknown_dataset<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Self {
        let names = || known.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = match (meant(name, known.clone()), known.clone().next()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(_)) => format!("there are {}", names()),
            (None, None) => "there are none".to_owned(),
        };
        let detail = format!(
            "there is no dataset `{name}` that this token may see; {help}; to describe a new one while a federation lives is not \
             supported: begin anew, in another folder, with a description that has a `[[dataset]]` of that name"
        );
        Self::new(StatusCode::NOT_FOUND, "unknown-dataset", "Unknown dataset", detail)
    }

    pub(crate) fn no_route(path: &str) -> Self {
        let detail = format!("`{path}` is no address here; `/v1/openapi.json` lists all there are");
        Self::new(StatusCode::NOT_FOUND, "unknown-address", "Unknown address", detail)
    }

    pub(crate) fn no_method(method: &str, path: &str) -> Self {
        let detail = format!("`{path}` does not take {method}; `/v1/openapi.json` lists what it takes");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Wrong method", detail)
    }

    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unreadable", "The request can not be read", detail)
    }

    /// What the layers around the handlers refuse in words of their own: a body that is too large, an address that is no
    /// text.
    pub(crate) fn plain(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("The request can not be taken");
        let kind = reason.to_ascii_lowercase().replace(' ', "-");
        let detail = format!("a body may have {BODY_MAX} bytes at most, and an address has to be UTF-8");
        Self::new(status, &kind, reason, detail)
    }

    pub(crate) fn faulty(what: &str, faults: Vec<FieldFault>) -> Self {
        let count = faults.len();
        let detail = format!("{count} {} in the {what}", if count == 1 { "fault" } else { "faults" });
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut refusal =
            Self::new(status, &format!("faulty-{what}"), &format!("The {what} has faults"), detail);
        refusal.problem.faults = faults;
        refusal
    }

    pub(crate) fn other_request(job: u64) -> Self {
        let detail = format!(
            "this Idempotency-Key was sent with another request, which led to job {job}; take a new key for new work"
        );
        let title = "The key was used for another request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "other-request", title, detail)
    }

    pub(crate) fn name_taken(name: &str) -> Self {
        let detail = format!("there is a key `{name}` already; take another name, or revoke it first");
        Self::new(StatusCode::CONFLICT, "name-taken", "The name is taken", detail)
    }

    /// Something with data that can not be done now, or never.
    pub(crate) fn data(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self::new(status, kind, title, detail)
    }

    pub(crate) fn over(job: u64, state: &str) -> Self {
        let detail = format!("job {job} is over: {state}");
        Self::new(StatusCode::CONFLICT, "job-over", "The job is over", detail)
    }

    pub(crate) fn not_running(job: u64, attempts: u32) -> Self {
        let detail = match attempts {
            0 => format!("job {job} waits; try again once it runs"),
            latest => format!(
                "attempt {latest} of job {job} is the latest, and only that can be asked while it runs"
            ),
        };
        Self::new(StatusCode::CONFLICT, "job-not-running", "The job does not run", detail)
    }

    /// Where it was to begin, something else lies, or there is no more room.
    pub(crate) fn input(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "input-elsewhere", "It can not be handed in at this place", detail)
    }

    pub(crate) fn engine(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "engine", "The engine of the site did not answer", detail)
    }

    /// All that a stranger may know of it.
    pub(crate) fn not_ready() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready", "core")
    }

    /// The core is gone or can not keep up. Whether the request was taken is not known: it may be sent again with the
    /// same Idempotency-Key.
    pub(crate) fn unavailable() -> Self {
        let detail = "the server stops or its journal can not be written; send the same request again with the same \
                      Idempotency-Key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server can not answer now", detail)
    }
}

/// Refuses a number that the store can not count to: it has 63 bits, as the document says.
///
/// # Errors
/// Says so.
pub(crate) fn countable(name: &str, number: Option<u64>) -> Answer<()> {
    match number.map(i64::try_from) {
        Some(Err(_)) => Err(Refusal::unreadable(format!("`{name}` is more than {}", i64::MAX))),
        _ => Ok(()),
    }
}

/// Gives every refusal the same form, also those that never reached a handler.
pub(crate) async fn uniform(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == PROBLEM_JSON);
    if (status.is_client_error() || status.is_server_error()) && !is_problem {
        return Refusal::plain(status).into_response();
    }
    response
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(cause = %error, "the store can not be read");
        Self { cause: Cause::Store, ..Self::unavailable() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).expect("it was made from a status");
        let mut response = (status, axum::Json(self.problem)).into_response();
        if self.cause == Cause::Store {
            response.extensions_mut().insert(Faulty);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl Refusal {
    /// What happened, and the next step.
    pub(crate) fn detail(&self) -> &str {
        &self.problem.detail
    }
}
