//! Quantities with their units, as integers: power, energy, money, carbon, time, bytes and flops.
//!
//! Every quantity is a newtype over an integer of one small unit (mW, J, µEUR, mg, ms), built and read by unit.
//! Only the operators that physics allows exist: power times duration is energy, energy times a tariff is money.
//! This crate never does input or output and never rounds twice: what has to be rounded is rounded where it is read.

mod amount;
mod fraction;
mod quantity;
mod rate;
mod time;

pub use amount::{Amount, AmountError, grouped, several};
pub use fraction::Fraction;
pub use quantity::{Bytes, Carbon, DataRate, Energy, EnergyMeter, Flops, Money, Power};
pub use rate::{CarbonIntensity, CarbonPrice, EnergyPrice};
pub use time::{AcceleratorTime, Duration, Instant};
