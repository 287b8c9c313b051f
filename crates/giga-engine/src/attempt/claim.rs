//! The claim of an attempt: one process takes it, once and for all, whoever else tries at the same moment.
//!
//! The claim is written aside and linked to its name, which the file system lets happen once; there is never half a
//! claim. It is read back and its nonce compared, because a network file system can repeat a link that worked and then
//! say that it was there before.

use std::fs::File;
use std::io::{self, Read};

use giga_formats::attempt::{Claim, Claimant};
use giga_model::AttemptId;

use super::folder::{Folder, Found};
use super::now;

pub(crate) const CLAIM: &str = "claim.json";

/// Who has the attempt.
#[derive(Debug)]
pub(crate) enum Taken {
    Here(Claim),
    ByOther,
}

/// A claim that nobody made before.
pub(crate) fn by(attempt: AttemptId, by: Claimant) -> io::Result<Claim> {
    let batch = std::env::var("SLURM_JOB_ID").ok().and_then(|id| id.parse().ok());
    // An engine that fences is of no batch job, even where its server runs in one.
    let batch = batch.filter(|_| by != Claimant::Fence);
    Ok(Claim { attempt, nonce: nonce()?, at: now(), by, batch })
}

/// Takes an attempt so that it never begins, or learns that it is taken.
pub(crate) fn fence(folder: &Folder, attempt: AttemptId) -> io::Result<Taken> {
    take(folder, &by(attempt, Claimant::Fence)?)
}

/// Takes an attempt, or learns that it is taken. A try of the same claim that failed may have taken it.
pub(crate) fn take(folder: &Folder, claim: &Claim) -> io::Result<Taken> {
    folder.make(CLAIM, claim)?;
    match folder.read::<Claim>(CLAIM)? {
        Found::Whole(found) if found.nonce == claim.nonce => Ok(Taken::Here(found)),
        Found::Whole(_) | Found::Broken(_) => Ok(Taken::ByOther),
        Found::Nothing => Err(io::Error::other("the claim is gone; someone removed it")),
    }
}

/// 128 random bits as hexadecimal digits.
fn nonce() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use giga_model::JobId;

    #[test]
    fn of_many_at_once_one_takes_it() {
        let home = tempfile::tempdir().unwrap();
        let attempt = AttemptId { job: JobId(1), number: 1 };
        let one = || {
            let taken = fence(&Folder::at(home.path()), attempt).unwrap();
            usize::from(matches!(taken, Taken::Here(_)))
        };
        let winners = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(winners, 1);
    }
}
