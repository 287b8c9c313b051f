//! Nodes, as `sinfo` lists them: one line for each node and partition.

use std::collections::BTreeMap;

use super::bars::{Read, Unread, table};
use super::cells::word;
use crate::slurm::NodeUse;
use crate::slurm::cell::gres;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The partitions that it is in, in the order of the table.
    pub partitions: Vec<String>,
    /// What Slurm calls its accelerators; empty where it gives no type.
    pub kind: String,
    /// How many it has.
    pub accelerators: u32,
    /// Whether work can run there.
    pub usage: NodeUse,
    /// Whether something runs there.
    pub busy: bool,
}

/// Reads the table of `sinfo`.
///
/// # Errors
/// Fails where there is no header, or columns are missing.
pub fn read_nodes(text: &str) -> Result<Read<Node>, Unread> {
    let read = table(text, &["NODELIST", "PARTITION", "STATE", "GRES"], |row, _| {
        let counted = row.cell("GRES", gres)?;
        let partition = word(row.text("PARTITION").trim_end_matches('*'));
        Ok(Some(Node {
            name: word(row.text("NODELIST")),
            partitions: vec![partition],
            kind: counted.kind,
            accelerators: counted.accelerators,
            usage: NodeUse::parse(row.text("STATE")),
            busy: ["alloc", "mix"]
                .iter()
                .any(|word| row.text("STATE").to_ascii_lowercase().starts_with(word)),
        }))
    })?;
    let (mut nodes, mut places) = (Vec::<Node>::new(), BTreeMap::new());
    for node in read.rows {
        match places.get(&node.name) {
            Some(&place) => {
                let known: &mut Node = &mut nodes[place];
                let new = node.partitions.into_iter().filter(|name| !known.partitions.contains(name));
                let new: Vec<String> = new.collect();
                known.partitions.extend(new);
            }
            None => {
                places.insert(node.name.clone(), nodes.len());
                nodes.push(node);
            }
        }
    }
    Ok(Read { rows: nodes, faults: read.faults, faulty: read.faulty, zoneless: 0 })
}
