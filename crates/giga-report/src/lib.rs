//! Shows what a run came to. Recomputes nothing: every figure comes from the summary as it is.

mod figures;
mod screen;
mod story;

pub use screen::screen;
pub use story::{reason, sentence, story};
