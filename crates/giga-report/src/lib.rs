//! Shows what a run came to, and what a live system answered. Recomputes nothing: every figure is shown as it came.

pub mod compare;
mod figures;
pub mod live;
mod observe;
pub mod page;
mod plants;
mod screen;
mod series;
mod story;
mod supply;
mod table;
mod worth;

pub use observe::observe;
pub use screen::{beside_partition, screen};
pub use series::{Signs, series};
pub use story::{reason, sentence, story};
pub use worth::worth;
