//! Composes the cores and is the one thing that a host calls.

pub mod record;
