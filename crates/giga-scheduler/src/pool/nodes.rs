//! The book of a pool's nodes.

use std::collections::{BTreeMap, BTreeSet};

use giga_model::JobId;
use giga_units::Instant;

use crate::event::Piece;
use crate::plan::{Need, PoolPlan};
use crate::store::{BitSet, Releases, ones};

/// A node by its bit: word times 64 plus the place within the word. A rack begins at a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeIndex(pub(crate) usize);

/// Under which tag an amount of nodes comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// The whole nodes of a job.
    Job(JobId),
    /// A node that jobs share, with the last of them.
    Shared(NodeIndex),
    /// A node that is down.
    Down(NodeIndex),
    /// Nodes of a phase that is not open yet.
    Phase(usize),
    /// What a limit of the grid takes; only power has it.
    Limit,
}

const KIND: u32 = 60;

impl Tag {
    pub(crate) const fn bits(self) -> u64 {
        match self {
            Self::Job(job) => job.0,
            Self::Shared(node) => (1 << KIND) | node.0 as u64,
            Self::Down(node) => (2 << KIND) | node.0 as u64,
            Self::Phase(phase) => (3 << KIND) | phase as u64,
            Self::Limit => 4 << KIND,
        }
    }
    pub(crate) const fn from_bits(bits: u64) -> Self {
        let rest = bits & ((1 << KIND) - 1);
        match bits >> KIND {
            0 => Self::Job(JobId(rest)),
            1 => Self::Shared(NodeIndex(rest as usize)),
            2 => Self::Down(NodeIndex(rest as usize)),
            3 => Self::Phase(rest as usize),
            _ => Self::Limit,
        }
    }
}

/// A part of a node that a job holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) job: JobId,
    pub(crate) each: u16,
    pub(crate) release: Instant,
}

/// The nodes of a pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) per_node: u16,
    nodes_per_rack: u32,
    pub(super) words_per_rack: usize,
    /// Free accelerators by node; none on nodes that are down or not open.
    pub(crate) free: Vec<u16>,
    /// The wholly free nodes, a bit each.
    pub(super) whole: Vec<u64>,
    /// Wholly free nodes by rack.
    pub(super) rack_whole: Vec<u32>,
    /// Racks by how many wholly free nodes they have.
    pub(super) racks: Vec<BitSet>,
    /// Partly free nodes by how many accelerators are free.
    pub(super) partly: Vec<BitSet>,
    /// Who holds which node as a whole; stale where the node is free or shared.
    holder: Vec<JobId>,
    /// Who holds parts of which node.
    pub(crate) shared: BTreeMap<NodeIndex, Vec<Part>>,
    /// Parts in the order in which they come back.
    pub(crate) part_ends: BTreeSet<(Instant, JobId)>,
    /// When whole nodes come back.
    pub(crate) releases: Releases,
    /// How many nodes are wholly free.
    pub(crate) whole_free: u32,
    /// Nodes that are down, with the time they are expected back.
    pub(crate) down: BTreeMap<NodeIndex, Instant>,
    /// How many nodes are open, down ones included.
    pub(crate) open: u32,
}

impl Pool {
    /// All nodes closed.
    pub(crate) fn new(plan: &PoolPlan) -> Self {
        let nodes_per_rack = u32::from(plan.nodes_per_rack);
        let words_per_rack = nodes_per_rack.div_ceil(64) as usize;
        let racks = plan.nodes.div_ceil(nodes_per_rack) as usize;
        let bits = racks * words_per_rack * 64;
        Self {
            per_node: plan.per_node,
            nodes_per_rack,
            words_per_rack,
            free: vec![0; bits],
            whole: vec![0; racks * words_per_rack],
            rack_whole: vec![0; racks],
            racks: (0..=nodes_per_rack).map(|_| BitSet::new(racks)).collect(),
            partly: (0..plan.per_node).map(|_| BitSet::new(bits)).collect(),
            holder: vec![JobId(0); bits],
            shared: BTreeMap::new(),
            part_ends: BTreeSet::new(),
            releases: Releases::default(),
            whole_free: 0,
            down: BTreeMap::new(),
            open: 0,
        }
    }

    /// The place of a node that is counted from zero without gaps.
    pub(crate) fn index_of(&self, node: u32) -> NodeIndex {
        let (rack, within) = (node / self.nodes_per_rack, node % self.nodes_per_rack);
        NodeIndex(rack as usize * self.words_per_rack * 64 + within as usize)
    }

    /// The count of a node, without gaps.
    pub(crate) fn count_of(&self, node: NodeIndex) -> u32 {
        let rack = node.0 / (self.words_per_rack * 64);
        let within = node.0 % (self.words_per_rack * 64);
        u32::try_from(rack).expect("racks fit") * self.nodes_per_rack
            + u32::try_from(within).expect("nodes fit")
    }

    /// Whether the need is a part of a node.
    pub(crate) fn is_part(&self, need: &Need) -> bool {
        need.each < self.per_node
    }

    /// Opens the next `count` nodes.
    pub(crate) fn open(&mut self, count: u32) {
        for node in self.open..self.open + count {
            let node = self.index_of(node);
            self.set_free(node, self.per_node);
        }
        self.open += count;
    }

    /// Whether these nodes can be booked for a need: as many as it wants, open, and free.
    pub(crate) fn has(&self, need: &Need, pieces: &[Piece]) -> bool {
        if self.is_part(need) {
            let [piece] = pieces else { return false };
            let node = only_node(pieces).0;
            return piece.mask.count_ones() == 1
                && self.free.get(node).is_some_and(|&free| free >= need.each);
        }
        let free = |piece: &Piece| {
            self.whole.get(piece.word as usize).is_some_and(|&whole| whole & piece.mask == piece.mask)
        };
        let mut words: Vec<u32> = pieces.iter().map(|piece| piece.word).collect();
        words.sort_unstable();
        let count: u32 = pieces.iter().map(|piece| piece.mask.count_ones()).sum();
        words.windows(2).all(|pair| pair[0] < pair[1]) && pieces.iter().all(free) && count == need.nodes
    }

    /// Books a job's nodes.
    ///
    /// # Panics
    /// Panics when one of them is not free: an accelerator would be held twice.
    pub(crate) fn occupy(&mut self, job: JobId, need: &Need, pieces: &[Piece], release: Instant) {
        if self.is_part(need) {
            let node = only_node(pieces);
            self.add_part(node, Part { job, each: need.each, release });
            return;
        }
        self.releases.insert(release, Tag::Job(job).bits(), u64::from(need.nodes));
        for piece in pieces {
            let word = piece.word as usize;
            assert!(
                self.whole[word] & piece.mask == piece.mask,
                "job {job} is placed on nodes that are not free"
            );
            self.take_whole(word, piece.mask);
            for node in ones(piece.mask, word * 64) {
                self.free[node] = 0;
                self.holder[node] = job;
            }
        }
    }

    /// Gives a job's nodes back.
    pub(crate) fn vacate(&mut self, job: JobId, need: &Need, pieces: &[Piece], release: Instant) {
        if self.is_part(need) {
            self.remove_part(only_node(pieces), job);
            return;
        }
        self.releases.remove(release, Tag::Job(job).bits());
        for piece in pieces {
            let word = piece.word as usize;
            self.give_whole(word, piece.mask);
            ones(piece.mask, word * 64).for_each(|node| self.free[node] = self.per_node);
        }
    }

    /// Who holds a node or parts of it.
    pub(crate) fn holders(&self, node: NodeIndex) -> Vec<JobId> {
        if let Some(parts) = self.shared.get(&node) {
            return parts.iter().map(|part| part.job).collect();
        }
        let held = self.free[node.0] == 0 && !self.down.contains_key(&node);
        if held { vec![self.holder[node.0]] } else { Vec::new() }
    }

    /// Takes an idle node out.
    ///
    /// # Panics
    /// Panics when something still runs on it.
    pub(crate) fn fail(&mut self, node: NodeIndex, until: Instant) {
        assert_eq!(self.free[node.0], self.per_node, "a node goes down only after its jobs are gone");
        self.set_free(node, 0);
        self.down.insert(node, until);
        self.releases.insert(until, Tag::Down(node).bits(), 1);
    }

    /// Brings a node back.
    pub(crate) fn repair(&mut self, node: NodeIndex) {
        let until = self.down.remove(&node).expect("only a node that is down is repaired");
        self.releases.remove(until, Tag::Down(node).bits());
        self.set_free(node, self.per_node);
    }

    fn add_part(&mut self, node: NodeIndex, part: Part) {
        assert!(
            self.free[node.0] >= part.each,
            "job {} is placed on accelerators that are not free",
            part.job
        );
        let parts = self.shared.entry(node).or_default();
        let before = parts.iter().map(|part| part.release).max();
        parts.push(part);
        let after = before.map_or(part.release, |before| before.max(part.release));
        if before != Some(after) {
            if let Some(before) = before {
                self.releases.remove(before, Tag::Shared(node).bits());
            }
            self.releases.insert(after, Tag::Shared(node).bits(), 1);
        }
        self.part_ends.insert((part.release, part.job));
        self.set_free(node, self.free[node.0] - part.each);
    }

    fn remove_part(&mut self, node: NodeIndex, job: JobId) {
        let parts = self.shared.get_mut(&node).expect("a part is on a shared node");
        let before = parts.iter().map(|part| part.release).max().expect("a shared node has parts");
        let place = parts.iter().position(|part| part.job == job).expect("the job holds a part");
        let part = parts.remove(place);
        let after = parts.iter().map(|part| part.release).max();
        if after.is_none() {
            self.shared.remove(&node);
        }
        if after != Some(before) {
            self.releases.remove(before, Tag::Shared(node).bits());
            if let Some(after) = after {
                self.releases.insert(after, Tag::Shared(node).bits(), 1);
            }
        }
        self.part_ends.remove(&(part.release, job));
        self.set_free(node, self.free[node.0] + part.each);
    }

    /// Moves a node between the books of free, partly free and taken nodes.
    fn set_free(&mut self, node: NodeIndex, free: u16) {
        let before = std::mem::replace(&mut self.free[node.0], free);
        let (word, bit) = (node.0 / 64, 1 << (node.0 % 64));
        if before == self.per_node {
            self.take_whole(word, bit);
        } else if before > 0 {
            self.partly[usize::from(before)].remove(node.0);
        }
        if free == self.per_node {
            self.give_whole(word, bit);
        } else if free > 0 {
            self.partly[usize::from(free)].insert(node.0);
        }
    }

    fn take_whole(&mut self, word: usize, mask: u64) {
        self.whole[word] &= !mask;
        self.move_rack(word, |whole| whole - mask.count_ones());
        self.whole_free -= mask.count_ones();
    }

    fn give_whole(&mut self, word: usize, mask: u64) {
        self.whole[word] |= mask;
        self.move_rack(word, |whole| whole + mask.count_ones());
        self.whole_free += mask.count_ones();
    }

    fn move_rack(&mut self, word: usize, change: impl Fn(u32) -> u32) {
        let rack = word / self.words_per_rack;
        let before = self.rack_whole[rack];
        let after = change(before);
        self.rack_whole[rack] = after;
        self.racks[before as usize].remove(rack);
        if after > 0 {
            self.racks[after as usize].insert(rack);
        }
    }
}

/// The node of a placement that is a part of one.
pub(crate) fn only_node(pieces: &[Piece]) -> NodeIndex {
    let piece = pieces.first().expect("a placement has a node");
    NodeIndex(piece.word as usize * 64 + piece.mask.trailing_zeros() as usize)
}
