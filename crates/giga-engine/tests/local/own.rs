//! Promises of the local engine that other engines need not make.

use super::LocalBench;

pub(super) const CASES: &[(&str, fn(&LocalBench))] = &[];
