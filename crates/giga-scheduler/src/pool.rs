//! The nodes of a pool: which are free, where a gang is placed, and when nodes come back.

mod nodes;
mod place;

pub(crate) use nodes::{NodeIndex, Pool, Tag, only_node};
