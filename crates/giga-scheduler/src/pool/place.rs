//! Where a gang goes: the fewest racks first, the fullest fit, the lowest number.

use std::sync::Arc;

use crate::event::Piece;
use crate::plan::Need;
use crate::pool::{NodeIndex, Pool};
use crate::store::{BitSet, ones};

impl NodeIndex {
    /// The node as a placement.
    pub(crate) fn piece(self) -> Piece {
        Piece { word: u32::try_from(self.0 / 64).expect("words fit"), mask: 1 << (self.0 % 64) }
    }
}

impl Pool {
    /// Whether the need fits into what is free.
    pub(crate) fn fits(&self, need: &Need) -> bool {
        if self.is_part(need) {
            self.whole_free > 0 || self.part_node(need.each).is_some()
        } else {
            self.whole_free >= need.nodes
        }
    }

    /// Whether a node that is shared already has so many accelerators free.
    pub(crate) fn has_part(&self, each: u16) -> bool {
        self.part_node(each).is_some()
    }

    /// The nodes for a need that fits.
    ///
    /// A part of a node goes to the node with the fewest accelerators free that still has enough; a whole node is
    /// broken only in the rack with the fewest whole ones. Whole nodes go into one rack where one has enough, the one
    /// with the fewest; otherwise into the racks with the most, which is the smallest number of racks.
    pub(crate) fn place(&self, need: &Need) -> Arc<[Piece]> {
        if self.is_part(need) {
            let node = self.place_part(need.each);
            return Arc::new([node.piece()]);
        }
        let mut left = need.nodes as usize;
        let mut pieces = Vec::new();
        for (count, rack) in self.racks_fullest_first() {
            if count >= left {
                let snug = self.racks[left..count].iter().find_map(BitSet::first);
                self.take_from(snug.unwrap_or(rack), left, &mut pieces);
                break;
            }
            self.take_from(rack, count, &mut pieces);
            left -= count;
        }
        pieces.into()
    }

    /// The node for a part of one that fits.
    pub(crate) fn place_part(&self, each: u16) -> NodeIndex {
        self.part_node(each).or_else(|| self.lone_whole()).expect("the need fits")
    }

    /// Whether whole nodes for a need would include this one.
    pub(crate) fn takes(&self, need: &Need, node: NodeIndex) -> bool {
        let (word, bit) = (node.0 / 64, 1 << (node.0 % 64));
        let is_free = self.whole[word] & bit != 0;
        is_free && self.place(need).iter().any(|piece| piece.word as usize == word && piece.mask & bit != 0)
    }

    /// Racks with wholly free nodes and their count of these, the most first.
    fn racks_fullest_first(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let counts = (1..self.racks.len()).rev();
        counts.flat_map(|count| self.racks[count].iter().map(move |rack| (count, rack)))
    }

    fn take_from(&self, rack: usize, mut nodes: usize, pieces: &mut Vec<Piece>) {
        for word in rack * self.words_per_rack..(rack + 1) * self.words_per_rack {
            let free = self.whole[word];
            let mask = if free.count_ones() as usize <= nodes { free } else { lowest(free, nodes) };
            if mask != 0 {
                nodes -= mask.count_ones() as usize;
                pieces.push(Piece { word: u32::try_from(word).expect("words fit"), mask });
            }
        }
    }

    fn part_node(&self, each: u16) -> Option<NodeIndex> {
        self.partly[usize::from(each)..].iter().find_map(BitSet::first).map(NodeIndex)
    }

    /// The lowest wholly free node of the rack with the fewest.
    pub(crate) fn lone_whole(&self) -> Option<NodeIndex> {
        let rack = self.racks[1..].iter().find_map(BitSet::first)?;
        let words = rack * self.words_per_rack..(rack + 1) * self.words_per_rack;
        words.into_iter().flat_map(|word| ones(self.whole[word], word * 64)).next().map(NodeIndex)
    }
}

/// The lowest `count` set bits.
fn lowest(mut bits: u64, count: usize) -> u64 {
    let all = bits;
    for _ in 0..count {
        bits &= bits - 1;
    }
    all & !bits
}
