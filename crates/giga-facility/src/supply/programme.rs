//! The same optimum as a linear programme, solved by Clarabel's interior-point method: for several batteries, and as a judge of
//! the dynamic programme, with which it shares nothing but the parts and the hours.
//!
//! Energies are in MWh and prices in €/MWh, so that the solver sees numbers of like sizes.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

use super::merit::{fixed, produced};
use super::optimum::Optimum;
use super::part::{Battery, Parts, Terms};
use super::run::{End, RunError};
use super::{HOUR, Hour, Order, Supply};
use crate::quantity::{Euros, EurosPerJoule, Joules, Watts};

/// The cheapest orders by the linear programme, for any number of batteries.
///
/// # Errors
/// Names what can not be, or what the solver ended as.
pub fn programme(supply: &Supply, hours: &[Hour], end: &End) -> Result<Optimum, RunError> {
    supply.check_hours(hours)?;
    supply.check_levels("end", &end.levels)?;
    let hours: Vec<&Hour> = hours.iter().collect();
    solve(supply.parts(), &hours, &supply.begin(), end)
}

/// The same for hours and levels that were checked.
pub(super) fn solve(
    parts: &Parts,
    hours: &[&Hour],
    levels: &[Joules],
    end: &End,
) -> Result<Optimum, RunError> {
    let mut system = System::new(hours.len() * (1 + parts.batteries.len()));
    let mut bus = 0;
    let mut before = levels.iter().map(|level| Before::Given(level.as_megawatt_hours())).collect::<Vec<_>>();
    let mut stored = Vec::with_capacity(hours.len());
    for hour in hours {
        system.supply(parts, hour, bus);
        let mut of_hour = Vec::with_capacity(parts.batteries.len());
        for (index, battery) in parts.batteries.iter().enumerate() {
            let columns = system.battery(battery, &before[index], bus, bus + 1 + index);
            before[index] = Before::Column(columns.level);
            of_hour.push(columns);
        }
        stored.push(of_hour);
        bus += 1 + parts.batteries.len();
    }
    for (before, asked) in before.iter().zip(&end.levels) {
        system.missing(before, *asked, end.price);
    }
    let (values, cost) = system.solve()?;
    let power = |column: Option<usize>| column.map_or(0.0, |column| values[column].max(0.0) * 1e6);
    let order = |columns: &Columns| Order {
        charge: Watts(power(columns.charge)),
        discharge: Watts(power(columns.discharge)),
    };
    let orders = stored.iter().map(|of_hour| of_hour.iter().map(order).collect()).collect();
    let fixed: Euros = hours.iter().map(|hour| fixed(parts, hour)).sum();
    Ok(Optimum { orders, cost: Euros(cost) + fixed })
}

/// The columns of a battery in an hour.
struct Columns {
    charge: Option<usize>,
    discharge: Option<usize>,
    level: usize,
}

/// The level before an hour, in MWh.
enum Before {
    Given(f64),
    Column(usize),
}

/// The programme as it grows: rows that are equal to their right side come first, then bounds.
struct System {
    costs: Vec<f64>,
    equal: Vec<f64>,
    at_most: Vec<f64>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    factors: Vec<f64>,
}

impl System {
    fn new(equal: usize) -> Self {
        let [rows, columns] = [Vec::new(), Vec::new()];
        let [costs, at_most, factors] = [Vec::new(), Vec::new(), Vec::new()];
        Self { costs, equal: vec![0.0; equal], at_most, rows, columns, factors }
    }

    fn entry(&mut self, row: usize, column: usize, factor: f64) {
        self.rows.push(row);
        self.columns.push(column);
        self.factors.push(factor);
    }

    fn bound(&mut self, column: usize, factor: f64, most: f64) {
        self.entry(self.equal.len() + self.at_most.len(), column, factor);
        self.at_most.push(most);
    }

    /// A column from nothing to the most.
    fn column(&mut self, most: f64, cost: f64) -> usize {
        let column = self.costs.len();
        self.costs.push(cost);
        self.bound(column, -1.0, 0.0);
        if most.is_finite() {
            self.bound(column, 1.0, most);
        }
        column
    }

    /// Energy that comes to the bus, or leaves it where the factor is below zero.
    fn flow(&mut self, bus: usize, factor: f64, most: Joules, cost: EurosPerJoule) -> Option<usize> {
        let column = (most > Joules::ZERO)
            .then(|| self.column(most.as_megawatt_hours(), cost.as_per_megawatt_hour() * factor.abs()))?;
        self.entry(bus, column, factor);
        Some(column)
    }

    /// All but batteries.
    fn supply(&mut self, parts: &Parts, hour: &Hour, bus: usize) {
        let (connection, available) = (&parts.connection, &hour.available);
        let import = connection.firm * available.firm + connection.interruptible * available.interruptible;
        self.equal[bus] = (hour.load * HOUR).as_megawatt_hours();
        self.flow(bus, 1.0, import * HOUR, hour.prices.import);
        self.flow(bus, -1.0, connection.export * available.firm * HOUR, -hour.prices.export);
        for (source, factor) in parts.sources.iter().zip(&hour.factors) {
            let made = produced(source.rated, *factor);
            match source.terms {
                Terms::Own(running) => self.flow(bus, 1.0, made, running),
                Terms::Contracted(_) => self.flow(bus, 1.0, made, EurosPerJoule::ZERO),
                Terms::Settled(_) => None,
            };
        }
        if let Some(backup) = parts.backup {
            self.flow(bus, 1.0, backup.power * HOUR, backup.price);
        }
        self.flow(bus, 1.0, hour.load * HOUR, parts.lost_load);
    }

    /// Level = what is left of that before + what is charged − what is let out.
    fn battery(&mut self, battery: &Battery, before: &Before, bus: usize, row: usize) -> Columns {
        let charge = self.flow(bus, -1.0, battery.charge * HOUR, EurosPerJoule::ZERO);
        let discharge = self.flow(bus, 1.0, battery.discharge * HOUR, battery.wear);
        let level = self.column(battery.capacity.as_megawatt_hours(), 0.0);
        self.entry(row, level, 1.0);
        match before {
            Before::Given(level) => self.equal[row] = battery.kept() * level,
            Before::Column(column) => self.entry(row, *column, -battery.kept()),
        }
        if let Some(charge) = charge {
            self.entry(row, charge, -battery.charge_efficiency);
        }
        if let Some(discharge) = discharge {
            self.entry(row, discharge, 1.0 / battery.discharge_efficiency);
        }
        Columns { charge, discharge, level }
    }

    /// Level + missing is at least what is asked for.
    fn missing(&mut self, before: &Before, asked: Joules, price: EurosPerJoule) {
        if let Before::Column(level) = before {
            let missing = self.column(f64::INFINITY, price.as_per_megawatt_hour());
            let row = self.equal.len() + self.at_most.len();
            self.entry(row, *level, -1.0);
            self.entry(row, missing, -1.0);
            self.at_most.push(-asked.as_megawatt_hours());
        }
    }

    /// All columns, and the cost.
    fn solve(self) -> Result<(Vec<f64>, f64), RunError> {
        let count = self.costs.len();
        let height = self.equal.len() + self.at_most.len();
        let cones = [ZeroConeT(self.equal.len()), NonnegativeConeT(self.at_most.len())];
        let sides: Vec<f64> = self.equal.into_iter().chain(self.at_most).collect();
        let matrix = CscMatrix::new_from_triplets(height, count, self.rows, self.columns, self.factors);
        let linear = CscMatrix::zeros((count, count));
        let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
        let ended = |status: String| RunError::Unsolved { status };
        let mut solver = DefaultSolver::new(&linear, &self.costs, &matrix, &sides, &cones, settings)
            .map_err(|error| ended(error.to_string()))?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved => Ok((solver.solution.x, solver.solution.obj_val)),
            status => Err(ended(status.to_string())),
        }
    }
}
