//! The cheapest orders for hours that are all known: for one battery by an exact dynamic programme.
//!
//! What the hours from one on cost at least, as a function of the level before it, is convex and piecewise linear: the infimal
//! convolution of that of the next hour with what a change of level costs in this one, which merges the pieces of both by slope,
//! cut to the battery's capacity and stretched by its self-discharge. No grid of levels comes in. For the way forward an hour
//! keeps no such function but, for each piece of its own cost, the level at which that slope and the worth of a level meet: where
//! to aim at. The orders are the optimum of the linear programme in which the battery may charge and discharge at once.

use super::convex::{Convex, Piece, change, order};
use super::merit::{Merit, fixed};
use super::part::{Battery, Parts};
use super::run::{End, RunError};
use super::{Hour, Order, Supply};
use crate::quantity::{Euros, EurosPerJoule, Joules};

/// The cheapest orders, and what they come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// For each hour and battery.
    pub orders: Vec<Vec<Order>>,
    /// What all hours cost with them, and what is missing at the end.
    pub cost: Euros,
}

/// The orders with which hours that are all known cost the least, with what is missing at the end. One battery is solved exactly;
/// several need the feature `clarabel`.
///
/// # Errors
/// Names what can not be, or what the solver ended as.
pub fn optimum(supply: &Supply, hours: &[Hour], end: &End) -> Result<Optimum, RunError> {
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
    match (&parts.batteries[..], levels, &end.levels[..]) {
        ([], ..) => Ok(without(parts, hours)),
        ([battery], [level], [asked]) => {
            Ok(one(parts, battery, hours, *level, Asked { level: *asked, price: end.price }))
        }
        #[cfg(feature = "clarabel")]
        _ => super::programme::solve(parts, hours, levels, end),
        #[cfg(not(feature = "clarabel"))]
        (batteries, ..) => Err(RunError::Batteries { batteries: batteries.len() }),
    }
}

fn without(parts: &Parts, hours: &[&Hour]) -> Optimum {
    let cost = |hour: &&Hour| fixed(parts, hour) + Merit::new(parts, hour).cost_of(hour.load * super::HOUR);
    Optimum { orders: vec![Vec::new(); hours.len()], cost: hours.iter().map(cost).sum() }
}

/// What a battery should hold at the end, and what a missing joule costs.
struct Asked {
    level: Joules,
    price: EurosPerJoule,
}

fn one(parts: &Parts, battery: &Battery, hours: &[&Hour], begin: Joules, end: Asked) -> Optimum {
    let merits: Vec<Merit> = hours.iter().map(|hour| Merit::new(parts, hour)).collect();
    let mut cost = Value::at_end(battery, &end);
    let mut aims = Aims::default();
    for (hour, merit) in hours.iter().zip(&merits).rev() {
        cost.step_back(battery, &change(battery, hour, merit), &mut aims);
    }
    let mut level = begin;
    let mut orders = Vec::with_capacity(hours.len());
    for (index, (hour, merit)) in hours.iter().zip(&merits).enumerate() {
        let rest = battery.rest(level);
        let aim = aims.next(hours.len() - 1 - index, rest);
        level = aim.max(Joules::ZERO).min(battery.capacity);
        orders.push(vec![order(battery, hour, merit, level - rest)]);
    }
    let fixed: Euros = hours.iter().map(|hour| fixed(parts, hour)).sum();
    Optimum { orders, cost: cost.now.at(begin) + fixed }
}

/// What the hours from one on cost at least, by the level before it, from empty to full.
struct Value {
    now: Convex,
    /// Room for the next.
    next: Vec<Piece>,
}

impl Value {
    fn at_end(battery: &Battery, end: &Asked) -> Self {
        let missing = Piece { length: end.level, slope: -end.price };
        let beyond = Piece { length: battery.capacity - end.level, slope: EurosPerJoule::ZERO };
        let pieces = [missing, beyond].into_iter().filter(|piece| piece.length > Joules::ZERO).collect();
        let now = Convex { from: Joules::ZERO, cost: end.price * end.level, pieces };
        Self { now, next: Vec::new() }
    }

    /// From before the next hour to before this one, whose cost of a change comes in.
    fn step_back(&mut self, battery: &Battery, change: &Convex, aims: &mut Aims) {
        // Turned round, the cost of a change begins at the largest one, with slopes of the other sign.
        let mut cut = Cut {
            skip: change.to(),
            room: battery.capacity * battery.kept(),
            kept: battery.kept(),
            cost: self.now.cost + change.cost_at_end(),
            pieces: &mut self.next,
        };
        cut.pieces.clear();
        let mut pieces = self.now.pieces.iter().peekable();
        let mut level = self.now.from;
        aims.begin(change.from);
        let mut end = change.to();
        for turned in change.pieces.iter().rev() {
            while let Some(piece) = pieces.next_if(|piece| piece.slope < -turned.slope) {
                level += piece.length;
                cut.push(piece.length, piece.slope);
            }
            aims.add(Aim { end, level });
            end = end - turned.length;
            cut.push(turned.length, -turned.slope);
        }
        pieces.for_each(|piece| cut.push(piece.length, piece.slope));
        self.now.cost = cut.cost;
        std::mem::swap(&mut self.now.pieces, &mut self.next);
    }
}

/// Cuts a function to what a battery can hold, and stretches it by what it loses by itself.
struct Cut<'a> {
    /// What still lies below empty.
    skip: Joules,
    /// What still fits.
    room: Joules,
    kept: f64,
    /// At the beginning of what is not skipped.
    cost: Euros,
    pieces: &'a mut Vec<Piece>,
}

impl Cut<'_> {
    fn push(&mut self, length: Joules, slope: EurosPerJoule) {
        let skipped = length.min(self.skip);
        self.skip = self.skip - skipped;
        self.cost += slope * skipped;
        let taken = (length - skipped).min(self.room);
        self.room = self.room - taken;
        if taken <= Joules::ZERO {
            return;
        }
        let (length, slope) = (taken / self.kept, slope * self.kept);
        match self.pieces.last_mut() {
            Some(last) if last.slope == slope => last.length += length,
            _ => self.pieces.push(Piece { length, slope }),
        }
    }
}

/// Up to this change of level it pays to go on to this level.
#[derive(Debug, Clone, Copy)]
struct Aim {
    end: Joules,
    level: Joules,
}

/// Where each hour aims at, the last hour first; in an hour the largest change first.
#[derive(Debug, Default)]
struct Aims {
    /// For each hour its least change, and where its aims begin.
    hours: Vec<(Joules, usize)>,
    aims: Vec<Aim>,
}

impl Aims {
    fn begin(&mut self, least: Joules) {
        self.hours.push((least, self.aims.len()));
    }

    fn add(&mut self, aim: Aim) {
        self.aims.push(aim);
    }

    /// The level after an hour, counted from the last, from what is left of the level before.
    fn next(&self, hour: usize, rest: Joules) -> Joules {
        let (least, begin) = self.hours[hour];
        let end = self.hours.get(hour + 1).map_or(self.aims.len(), |next| next.1);
        let mut at = rest + least;
        for aim in self.aims[begin..end].iter().rev() {
            // Slopes grow, so that levels to aim at fall.
            if rest + aim.end >= aim.level {
                return at.max(aim.level);
            }
            at = rest + aim.end;
        }
        at
    }
}
