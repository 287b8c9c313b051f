//! The live loop: commands in, decisions made durable, answers and effects out.

pub(crate) mod command;
pub(crate) mod core;
pub(crate) mod effect;
mod limit;
pub(crate) mod resume;
pub(crate) mod writer;

#[cfg(test)]
mod tests;
