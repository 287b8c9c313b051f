//! What Slurm is asked, word by word. Nothing of it changes anything there.

use giga_units::Duration;

use crate::slurm::shell_word;

/// A call of one of Slurm's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The program.
    pub program: &'static str,
    /// What stands behind it.
    pub arguments: Vec<String>,
}

const NODES: &str = "--format=%N|%P|%T|%G";
const QUEUE: &str = "--Format=JobArrayID:64|,State:24|,Account:128|,Partition:256|,NumNodes:24|,tres-alloc:512|,\
                     TimeLimit:24|,TimeUsed:24|,StartTime:24|,SubmitTime:24|,PriorityLong:24|,Reason:64";
const JOBS: &str = "--format=Cluster,JobID,Account,Partition,State,Submit,Eligible,Start,End,TimelimitRaw,NNodes,ReqTRES,\
                    AllocTRES,ConsumedEnergyRaw";

/// The three calls: `sinfo`, `squeue`, `sacct`, for all partitions or for these, and so far back.
#[must_use]
pub fn questions(partitions: &[String], back: Duration) -> [Question; 3] {
    let only = (!partitions.is_empty()).then(|| format!("--partition={}", partitions.join(",")));
    let question = |program, arguments: &[&str]| {
        let mut arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        arguments.extend(only.clone());
        Question { program, arguments }
    };
    let seconds = back.as_milliseconds() / 1_000;
    let start = match seconds % 86_400 {
        0 => format!("--starttime=now-{}days", seconds / 86_400),
        _ => format!("--starttime=now-{seconds}seconds"),
    };
    let past = ["--allusers", "--allocations", "--duplicates", "--parsable2", "--noconvert", &start, JOBS];
    [
        question("sinfo", &["--all", "--Node", NODES]),
        question("squeue", &["--all", "--array", QUEUE]),
        question("sacct", &past),
    ]
}

impl std::fmt::Display for Question {
    /// As a shell reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.program)?;
        for argument in &self.arguments {
            let plain = argument.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_=.,:%".contains(sign));
            if plain { write!(f, " {argument}") } else { write!(f, " {}", shell_word(argument)) }?;
        }
        Ok(())
    }
}
