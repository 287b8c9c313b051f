//! Studies: questions that are answered by running the twin, such as what may become of the work of a live federation.
//!
//! Nothing here decides about work, reads a clock or a file, or touches the state it sets out from. What it knows of
//! chance stays here and in the twin; the cores are told inputs, as ever.

mod forecast;
pub mod observe;
mod partition;
mod runtimes;
mod spread;
pub mod worth;

pub use forecast::{Forecast, JobForecast, forecast};
pub use partition::partitioned;
pub use runtimes::{Basis, Ended, Runtimes};
pub use spread::Spread;
