//! What `squeue`, `sacct` and `sinfo` print, in the forms that we ask for.

use super::record::{JobState, NodeRecord, Record, accelerators};

/// A line `id|user|submitted|state|nodes|reason|name`; only the name may hold another bar.
#[must_use]
pub fn job_line(line: &str) -> Option<Record> {
    let mut fields = line.splitn(7, '|').map(str::trim);
    let mut next = || fields.next();
    let (id, user, submitted, state) = (next()?, next()?, next()?, next()?);
    let (nodes, reason, name) = (next()?, next()?, next()?);
    Some(Record {
        id: number(id)?,
        name: name.to_owned(),
        user: user.to_owned(),
        submitted: submitted.parse().ok()?,
        state: JobState::parse(state),
        reason: Record::why(state, reason),
        // The accounting's words for none.
        nodes: if nodes == "None assigned" { String::new() } else { nodes.to_owned() },
    })
}

/// The number of a job, also of one that is part of an array or of several together: `17_3`, `17_[4-9]`, `901+0`.
fn number(id: &str) -> Option<u64> {
    id.split(['_', '+']).next()?.parse().ok()
}

/// A line `name|cpus|memory|state|features|gres`.
#[must_use]
pub fn node_line(line: &str) -> Option<NodeRecord> {
    let mut fields = line.splitn(6, '|').map(str::trim);
    let mut next = || fields.next();
    let (name, cpus, memory, state) = (next()?, next()?, next()?, next()?);
    let (features, gres) = (next()?, next()?);
    Some(NodeRecord {
        name: name.to_owned(),
        cpus: cpus.trim_end_matches('+').parse().ok()?,
        memory: memory.trim_end_matches('+').parse().ok()?,
        accelerators: accelerators(gres),
        state: state.to_owned(),
        features: features.split(',').map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_and_sacct_are_read() {
        let read = job_line("17|anna|1795348352|RUNNING|a[0-1]|None|giga-4-1-00ff").expect("a line");
        assert_eq!((read.id, read.state, read.name.as_str()), (17, JobState::Lives, "giga-4-1-00ff"));
        let read = job_line("18|anna|1795348352|CANCELLED by 0|a0||giga-4-2|x").expect("a line");
        assert_eq!((read.reason.as_str(), read.name.as_str()), ("CANCELLED by 0", "giga-4-2|x"));
        for id in ["17_3", "17_[3-9:2,12%4]", "17+0"] {
            let read = job_line(&format!("{id}|anna|1795348352|PENDING||Priority|array")).expect("a line");
            assert_eq!(read.id, 17, "{id}");
        }
        assert_eq!(job_line("17|anna|yesterday|RUNNING|a||x"), None);
        assert_eq!(job_line(""), None);
    }
}
