//! Makes sure that nothing of an attempt is left whose supervisor died without a receipt.
//!
//! The kernel kills the program with its supervisor, but not what the program started. A process belongs to the attempt
//! where it is of the program's session or group, began with the claim's nonce in its environment, or writes to the
//! attempt's outputs. A second stage that has none of these marks yet ends by itself, since its parent is gone. What did
//! away with all three marks on purpose is not found; it would take control groups.

use std::io;
use std::path::PathBuf;

use giga_formats::attempt::{Body, Claim};
use nix::sys::signal::Signal;

use super::body::BODY;
use super::folder::{Folder, Found};
use super::process::{self, Stat};
use super::supervisor::{ERR, OUT};

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// Nothing is left.
    Clean,
    /// Something was, and was killed; whether it is gone has to be seen.
    Killed,
}

/// Kills what is left of an attempt. Nothing counts as left only when two looks in a row find nothing, because a
/// process can fork between being listed and being looked at.
pub(crate) fn sweep(folder: &Folder, claim: &Claim) -> io::Result<Swept> {
    let marks = Marks::of(folder, claim)?;
    for _ in 0..2 {
        let mut left = Vec::new();
        for stat in process::all()? {
            if marks.mark(&stat)? {
                left.push(stat.pid);
            }
        }
        if !left.is_empty() {
            left.into_iter().try_for_each(|pid| process::signal_number(pid, Signal::SIGKILL))?;
            return Ok(Swept::Killed);
        }
    }
    Ok(Swept::Clean)
}

/// What tells a process of the attempt from others.
struct Marks {
    nonce: Vec<u8>,
    outputs: [PathBuf; 2],
    body: Option<Body>,
}

impl Marks {
    fn of(folder: &Folder, claim: &Claim) -> io::Result<Self> {
        let body = match folder.read::<Body>(BODY)? {
            Found::Whole(body) => Some(body),
            Found::Nothing | Found::Broken(_) => None,
        };
        let nonce = format!("GIGA_NONCE={}", claim.nonce).into_bytes();
        Ok(Self { nonce, outputs: [folder.file(OUT), folder.file(ERR)], body })
    }

    fn mark(&self, stat: &Stat) -> io::Result<bool> {
        if stat.pid == std::process::id() {
            return Ok(false);
        }
        let outputs = [self.outputs[0].as_path(), self.outputs[1].as_path()];
        Ok(self.of_group(stat)?
            || process::began_with(stat.pid, &self.nonce)?
            || process::writes_to(stat.pid, &outputs)?)
    }

    /// Whether a process is of the program's session or group, unless another process leads one of that number now.
    fn of_group(&self, stat: &Stat) -> io::Result<bool> {
        let Some(Body { process: body, .. }) = &self.body else { return Ok(false) };
        if (stat.group != body.pid && stat.session != body.pid) || stat.start_ticks < body.start_ticks {
            return Ok(false);
        }
        Ok(Stat::of(body.pid)?.is_none_or(|leader| leader.start_ticks == body.start_ticks))
    }
}
