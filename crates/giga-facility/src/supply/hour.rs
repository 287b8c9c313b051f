//! What an hour brings: load, prices, carbon of the grid, how much of the connection there is, wind, sun and water.

use super::Supply;
use super::part::{carbon, power, price};
use crate::quantity::{EurosPerJoule, KilogramsPerJoule, Watts};
use crate::range::{OutOfRange, within};

/// An hour as it comes to a supply.
#[derive(Debug, Clone, PartialEq)]
pub struct Hour {
    /// What the site draws at its meter.
    pub load: Watts,
    /// Prices of energy.
    pub prices: Prices,
    /// Carbon of energy from the grid.
    pub carbon: Intensity,
    /// How much of the connection there is.
    pub available: Available,
    /// For each source, what it could make of what it is rated for: 0 to 1.
    pub factors: Vec<f64>,
}

/// Prices of energy in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// On the exchange: contracts are settled at it.
    pub spot: EurosPerJoule,
    /// Of what is taken.
    pub import: EurosPerJoule,
    /// Of what is fed in; not above that of what is taken.
    pub export: EurosPerJoule,
}

/// What lies between the exchange and the site.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tariff {
    /// Added to the spot price of what is taken: grid, taxes, the trader's fee.
    pub surcharge: EurosPerJoule,
    /// Taken off the spot price of what is fed in.
    pub deduction: EurosPerJoule,
}

impl Tariff {
    /// The prices at a spot price.
    #[must_use]
    pub fn at(&self, spot: EurosPerJoule) -> Prices {
        Prices { spot, import: spot + self.surcharge, export: spot - self.deduction }
    }
}

/// Carbon of energy from the grid.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Intensity {
    /// On average, where the site is.
    pub grid: KilogramsPerJoule,
    /// Of what nobody has claimed by contract: the residual mix, or the grid's where there is none.
    pub residual: KilogramsPerJoule,
}

/// Shares of a connection that there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Available {
    /// Of the firm power, and of what may be fed in: 1 but where the connection is cut.
    pub firm: f64,
    /// Of the interruptible power: 0 where it is called off.
    pub interruptible: f64,
}

impl Available {
    /// All of it.
    pub const ALL: Self = Self { firm: 1.0, interruptible: 1.0 };
    /// The interruptible part is called off.
    pub const CALLED_OFF: Self = Self { firm: 1.0, interruptible: 0.0 };
}

/// An hour is outside what the model holds for.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum HourError {
    /// A value is outside its range.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// What is fed in is paid better than what is taken costs: energy would be passed round for money without end.
    #[error(
        "`export` pays {export} EUR/MWh and `import` costs {import} EUR/MWh; it may not pay more than that"
    )]
    ExportAboveImport {
        /// In €/MWh.
        export: f64,
        /// In €/MWh.
        import: f64,
    },
    /// There is not one capacity factor for each source.
    #[error("`factors` has {found} values for {sources} sources; give one for each")]
    Factors {
        /// Values that there are.
        found: usize,
        /// Sources that there are.
        sources: usize,
    },
}

impl Supply {
    /// Whether an hour can come to this supply.
    ///
    /// # Errors
    /// Names what of it can not be.
    pub fn check(&self, hour: &Hour) -> Result<(), HourError> {
        power("load", hour.load)?;
        let Prices { spot, import, export } = hour.prices;
        price("spot", spot)?;
        price("import", import)?;
        price("export", export)?;
        if export > import {
            let [export, import] = [export, import].map(EurosPerJoule::as_per_megawatt_hour);
            return Err(HourError::ExportAboveImport { export, import });
        }
        carbon("grid", hour.carbon.grid)?;
        carbon("residual", hour.carbon.residual)?;
        within("firm", hour.available.firm, 0.0..=1.0, "")?;
        within("interruptible", hour.available.interruptible, 0.0..=1.0, "")?;
        let (found, sources) = (hour.factors.len(), self.parts().sources.len());
        if found != sources {
            return Err(HourError::Factors { found, sources });
        }
        hour.factors.iter().try_for_each(|factor| within("factor", *factor, 0.0..=1.0, ""))?;
        Ok(())
    }
}
