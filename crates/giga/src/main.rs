//! The one binary; wiring only.

fn main() {}
