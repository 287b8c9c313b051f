//! Shows what a run came to, and what a live system answered. Recomputes nothing: every figure is shown as it came.

pub mod compare;
mod figures;
pub mod live;
mod observe;
pub mod page;
mod screen;
mod series;
mod story;
mod table;

pub use observe::observe;
pub use screen::{beside_partition, screen};
pub use series::{Signs, series};
pub use story::{reason, sentence, story};
