//! What can be said of a launch on every engine.

use std::io;

use giga_formats::attempt::Claim;
use giga_model::{AttemptId, End, Launch, Receipt};
use giga_units::Duration;

use super::host_name;
use crate::{EngineError, Seen};

/// Why no process can be made of a launch, with the way out.
pub(crate) fn fault(launch: &Launch) -> Option<String> {
    let texts = launch.command.iter().chain(launch.env.keys()).chain(launch.env.values());
    let workdir = launch.workdir.as_ref();
    if launch.command.first().is_none_or(String::is_empty) {
        Some("its command is empty; name a program".to_owned())
    } else if texts.into_iter().any(|text| text.contains('\0')) {
        Some("its command or environment holds a zero byte; leave it out".to_owned())
    } else if launch.env.keys().any(|name| name.is_empty() || name.contains('=')) {
        Some("a name in its environment is empty or holds `=`; name it otherwise".to_owned())
    } else if launch.limit < Duration::ZERO || launch.grace < Duration::ZERO {
        Some("its limit or grace is below zero".to_owned())
    } else if workdir
        .is_some_and(|path| !path.is_absolute() || path.to_str().is_none_or(|p| p.contains('\0')))
    {
        Some("its working directory is no absolute path in UTF-8; give one".to_owned())
    } else {
        super::container::fault(launch)
    }
}

/// The receipt of an attempt that never began, because its claim was taken by the engine.
pub(crate) fn never_began(claim: &Claim, end: End) -> Receipt {
    Receipt {
        attempt: claim.attempt,
        nonce: claim.nonce.clone(),
        started: claim.at,
        ended: claim.at,
        end,
        host: host_name(),
        cpu_time: Duration::ZERO,
        memory_peak: None,
        energy: None,
    }
}

/// Whether there is something to forget of an attempt that is seen so; one that is not over for certain can not be forgotten.
pub(crate) fn is_over(attempt: AttemptId, seen: Option<Seen>) -> Result<bool, EngineError> {
    match seen {
        None => Ok(false),
        Some(Seen::Ended(_) | Seen::Lost { .. }) => Ok(true),
        Some(Seen::Pending | Seen::Running { .. }) => {
            let cause = "it is not over and can not be forgotten; stop it first".to_owned();
            Err(EngineError::Refused { attempt, cause })
        }
        Some(Seen::Unclear { cause }) => {
            Err(EngineError::Unavailable { what: "forget an attempt", cause, source: None })
        }
    }
}

pub(crate) fn unavailable(what: &'static str) -> impl Fn(io::Error) -> EngineError {
    move |fault| EngineError::Unavailable { what, cause: fault.to_string(), source: Some(fault) }
}
