//! Convex piecewise-linear functions of energy, and what a change of a battery's level costs in an hour as one of them.
//!
//! A change is reached by charging c and discharging d, with c·ηc − d/ηd = change. At the site's bus that adds c − d to the
//! demand, whose cost is the merit order. Doing both at once only turns energy at the bus into loss, (1 − ηc·ηd) for each joule
//! charged, at the wear of ηc·ηd. That pays only where another joule at the bus costs less than −wear·ηc·ηd / (1 − ηc·ηd), or
//! where the site can not get rid of what is discharged. Elsewhere the function follows the merit order with its slopes scaled by
//! the efficiencies. Where it pays, the function is the lower hull of the vertices of the linear programme with both allowed.

use super::merit::Merit;
use super::part::Battery;
use super::{HOUR, Hour, Order};
use crate::quantity::{Euros, EurosPerJoule, Joules, Watts};

/// A part of a convex function: so long, so steep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub(super) length: Joules,
    pub(super) slope: EurosPerJoule,
}

/// A convex function from a point on, with slopes that grow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Convex {
    pub(super) from: Joules,
    /// At that point.
    pub(super) cost: Euros,
    pub(super) pieces: Vec<Piece>,
}

impl Convex {
    /// Where it ends.
    pub(super) fn to(&self) -> Joules {
        self.from + self.pieces.iter().map(|piece| piece.length).sum()
    }

    /// Its value at its end.
    pub(super) fn cost_at_end(&self) -> Euros {
        self.pieces.iter().fold(self.cost, |cost, piece| cost + piece.slope * piece.length)
    }

    /// Its value; that of the nearest end for what lies beyond.
    pub(super) fn at(&self, energy: Joules) -> Euros {
        let mut left = energy - self.from;
        self.pieces.iter().fold(self.cost, |cost, piece| {
            let part = piece.length.min(left).max(Joules::ZERO);
            left = left - part;
            cost + piece.slope * part
        })
    }

    fn push(&mut self, length: Joules, slope: EurosPerJoule) {
        match self.pieces.last_mut() {
            _ if length <= Joules::ZERO => {}
            Some(last) if last.slope == slope => last.length += length,
            _ => self.pieces.push(Piece { length, slope }),
        }
    }
}

/// The price of energy at the bus below which burning it pays.
fn burning_pays_below(battery: &Battery) -> EurosPerJoule {
    let lost = 1.0 - battery.round_trip();
    if lost > 0.0 { -(battery.wear * battery.round_trip()) / lost } else { EurosPerJoule(f64::NEG_INFINITY) }
}

/// What a change of the level costs, for the changes that the hour allows.
pub(super) fn change(battery: &Battery, hour: &Hour, merit: &Merit) -> Convex {
    let load = hour.load * HOUR;
    let least = load - (battery.discharge * HOUR).min(battery.capacity * battery.discharge_efficiency);
    let pays = burning_pays_below(battery);
    let burns = least < merit.from || merit.below(pays) > least;
    if burns { hull(vertices(battery, load, merit)) } else { along(battery, load, least, merit) }
}

/// The change along the merit order, by charging or discharging alone, from the least demand on.
fn along(battery: &Battery, load: Joules, least: Joules, merit: &Merit) -> Convex {
    let most = load + (battery.charge * HOUR).min(battery.capacity / battery.charge_efficiency);
    let discharged = load - least;
    let mut change = Convex {
        from: -(discharged / battery.discharge_efficiency),
        cost: merit.cost_of(least) + battery.wear * discharged,
        pieces: Vec::with_capacity(merit.rungs.len() + 1),
    };
    let mut at = merit.from;
    for rung in &merit.rungs {
        let (begin, end) = (at.max(least), (at + rung.energy).min(most));
        at += rung.energy;
        let discharging = end.min(load) - begin;
        let slope = (rung.price - battery.wear) * battery.discharge_efficiency;
        change.push(discharging / battery.discharge_efficiency, slope);
        let charging = end - begin.max(load);
        change.push(charging * battery.charge_efficiency, rung.price / battery.charge_efficiency);
    }
    change
}

/// Changes with their costs at all vertices of what charging, discharging and the merit order allow.
fn vertices(battery: &Battery, load: Joules, merit: &Merit) -> Vec<(Joules, Euros)> {
    let (most_charge, most_discharge) = (battery.charge * HOUR, battery.discharge * HOUR);
    let mut points = Vec::with_capacity(4 * merit.rungs.len() + 8);
    let (from, to) = (merit.from - load, merit.to() - load);
    let mut add = |charge: Joules, discharge: Joules| {
        let within = |energy: Joules, most: Joules| (0.0..=most.0).contains(&energy.0);
        let net = charge - discharge;
        // The last bits of a sum may put an end outside.
        let slack = Joules(1e-12 * (load.0 + most_charge.0 + most_discharge.0));
        if within(charge, most_charge)
            && within(discharge, most_discharge)
            && net >= from - slack
            && net <= to + slack
        {
            let change = charge * battery.charge_efficiency - discharge / battery.discharge_efficiency;
            points.push((change, merit.cost_of(load + net) + battery.wear * discharge));
        }
    };
    for charge in [Joules::ZERO, most_charge] {
        add(charge, Joules::ZERO);
        add(charge, most_discharge);
    }
    let mut net = from;
    let ends = merit.rungs.iter().map(|rung| {
        net += rung.energy;
        net
    });
    for net in std::iter::once(from).chain(ends) {
        add(Joules::ZERO, -net);
        add(net, Joules::ZERO);
        add(most_charge, most_charge - net);
        add(net + most_discharge, most_discharge);
    }
    points
}

/// The greatest convex function that is above none of the points.
fn hull(mut points: Vec<(Joules, Euros)>) -> Convex {
    points.sort_by(|a, b| a.0.0.total_cmp(&b.0.0).then(a.1.0.total_cmp(&b.1.0)));
    let span = points.last().map_or(0.0, |last| last.0.0) - points.first().map_or(0.0, |first| first.0.0);
    let mut kept: Vec<(Joules, Euros)> = Vec::with_capacity(points.len());
    for point in points {
        // Of points nearer than rounding the cheapest stands for all.
        if let Some(last) = kept.last_mut()
            && (point.0 - last.0).0 <= 1e-12 * span
        {
            last.1 = last.1.min(point.1);
            continue;
        }
        while let [.., a, b] = kept[..]
            && slope(a, b) >= slope(b, point)
        {
            kept.pop();
        }
        kept.push(point);
    }
    let (from, cost) = kept.first().copied().unwrap_or_default();
    let mut convex = Convex { from, cost, pieces: Vec::with_capacity(kept.len()) };
    for pair in kept.windows(2) {
        convex.push(pair[1].0 - pair[0].0, slope(pair[0], pair[1]));
    }
    convex
}

fn slope(a: (Joules, Euros), b: (Joules, Euros)) -> EurosPerJoule {
    (b.1 - a.1) / (b.0 - a.0)
}

/// The order that makes a change for the least cost: burning as much as pays.
pub(super) fn order(battery: &Battery, hour: &Hour, merit: &Merit, change: Joules) -> Order {
    let mut charge = change.max(Joules::ZERO) / battery.charge_efficiency;
    let mut discharge = (-change).max(Joules::ZERO) * battery.discharge_efficiency;
    let lost = 1.0 - battery.round_trip();
    let room = (battery.charge * HOUR - charge)
        .min((battery.discharge * HOUR - discharge) / battery.round_trip())
        .max(Joules::ZERO);
    let wanted = merit.below(burning_pays_below(battery)) - (hour.load * HOUR + charge - discharge);
    if lost > 0.0 && wanted > Joules::ZERO {
        let more = (wanted / lost).min(room);
        charge += more;
        discharge += more * battery.round_trip();
    }
    let power = |energy: Joules| Watts(energy / (Watts(1.0) * HOUR));
    Order { charge: power(charge), discharge: power(discharge) }
}
