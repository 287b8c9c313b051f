//! Power over the run: mean and highest of each step, below the connection.

use giga_model::{Federation, Site};
use giga_units::{Energy, Instant, Power};

use super::Report;
use super::axis::{Span, date, length};
use super::chart::{Field, Scale, drawing, line, short, words};
use super::frame::Section;
use super::hours::{Curve, Hours};
use super::part::{Column, begin, behind, legend, sorted, table};
use super::sites::connection;
use super::tag::{Tag, classed, said, tag};
use crate::figures::power;

/// A connection beyond this many times the highest power is named and not drawn, so that the power can be seen.
const FAR: f64 = 2.5;

/// More sites than this are drawn behind a word that opens them.
const SHOWN: usize = 12;

/// What one chart is drawn from.
struct Course<'a> {
    name: &'a str,
    curve: &'a Curve,
    /// What the connection may carry, from when on.
    limits: Vec<(Instant, Power)>,
}

/// Milliwatt in a unit, and its word.
const UNITS: [(f64, &str); 4] = [(1e12, "GW"), (1e9, "MW"), (1e6, "kW"), (1e3, "W")];

/// The section.
pub(super) fn section(report: &Report<'_>) -> Section {
    let (federation, hours) = (report.federation, report.hours);
    let one = federation.sites.len() == 1;
    let step = length(hours.step);
    let highest = if one {
        "the highest power"
    } else {
        "the highest sum of the sites' hourly peaks, which the true peak does not exceed,"
    };
    let limited = federation.sites.iter().any(|site| !site.limits.is_empty());
    let lower = if limited { ", lower while the grid gives less" } else { "" };
    let about = format!(
        "At the meter, in steps of {step}: the mean of each step and {highest} in it. The dashed line is the connection{lower}."
    );
    let course = Course {
        name: if one { &federation.sites[0].name } else { "all sites" },
        curve: &hours.all,
        limits: summed(&federation.sites.iter().map(given).collect::<Vec<_>>()),
    };
    let marks =
        [("mean", "mean".to_owned()), ("most", "highest".to_owned()), ("limit", "connection".to_owned())];
    let tag = begin("power", "Power", &about)
        .put(legend(marks))
        .put(chart(hours, &course, 190.0))
        .put(behind("table of power", values(hours, &course)))
        .put((!one).then(|| each_site(federation, hours)));
    Section::new("power", "Power", tag)
}

fn each_site(federation: &Federation, hours: &Hours) -> Tag {
    let courses = federation.sites.iter().zip(&hours.sites);
    let charts = courses.map(|(site, curve)| {
        let course = Course { name: &site.name, curve, limits: given(site) };
        chart(hours, &course, 84.0)
    });
    let rows = federation.sites.iter().zip(&hours.sites).map(|(site, curve)| {
        let (mean, most) = (mean(curve.energy.iter().copied().sum(), hours.span), highest(curve));
        let limit = connection(site);
        let cell = |value: Power| sorted(power(value), value.as_milliwatts() as f64);
        [site.name.as_str().into(), cell(mean), cell(most), cell(limit)]
    });
    let columns = ["mean", "peak", "connection"].map(Column::Figures);
    let table = table("power by site", &[&[Column::Words("site")], &columns[..]].concat(), rows);
    let charts = classed("div", "small").all(charts);
    let (few, all) =
        (federation.sites.len() <= SHOWN, format!("each of the {} sites", federation.sites.len()));
    tag("div")
        .put(few.then(|| said("h3", "Each site")))
        .put(if few { charts } else { behind(&all, charts) })
        .put(behind("table of power by site", table))
}

/// What the grid gives a site from each date on: the connection of the phases that are open, or what a described limit leaves.
fn given(site: &Site) -> Vec<(Instant, Power)> {
    let first = site.phases.iter().map(|phase| phase.opens).min().unwrap_or(Instant::FAR);
    let mut dates: Vec<Instant> = site.phases.iter().map(|phase| phase.opens).collect();
    dates.extend(site.limits.iter().flat_map(|limit| [limit.from, limit.until]).filter(|at| *at > first));
    dates.sort_unstable();
    dates.dedup();
    let given = |at: Instant| {
        let open = site.phases.iter().filter(|phase| phase.opens <= at).map(|phase| phase.power).sum();
        let limit = site.limits.iter().find(|limit| limit.from <= at && at < limit.until);
        limit.map_or(open, |limit| limit.power.min(open))
    };
    dates.into_iter().map(|at| (at, given(at))).collect()
}

/// What all sites are given together, from each date on.
fn summed(sites: &[Vec<(Instant, Power)>]) -> Vec<(Instant, Power)> {
    let mut changes: Vec<(Instant, usize, Power)> = Vec::new();
    for (site, given) in sites.iter().enumerate() {
        changes.extend(given.iter().map(|(at, power)| (*at, site, *power)));
    }
    changes.sort_unstable();
    let mut now = vec![Power::ZERO; sites.len()];
    let mut whole = Vec::<(Instant, Power)>::new();
    for (at, site, power) in changes {
        now[site] = power;
        let sum = now.iter().copied().sum();
        match whole.last_mut() {
            Some(last) if last.0 == at => last.1 = sum,
            _ => whole.push((at, sum)),
        }
    }
    whole
}

fn highest(curve: &Curve) -> Power {
    curve.peak.iter().copied().max().unwrap_or(Power::ZERO)
}

/// The mean power of an energy over a time.
fn mean(energy: Energy, span: Span) -> Power {
    let length = i128::from(span.length().as_milliseconds().max(1));
    Power::milliwatts(u64::try_from(energy.as_joules() * 1_000_000 / length).unwrap_or(0))
}

fn chart(hours: &Hours, course: &Course<'_>, height: f64) -> Tag {
    let steps: Vec<Span> = hours.steps().collect();
    let limit = course.limits.iter().filter(|(at, _)| *at < hours.span.end).map(|(_, power)| *power).max();
    let limit = limit.unwrap_or(Power::ZERO);
    let top = highest(course.curve).as_milliwatts() as f64;
    let drawn = limit.as_milliwatts() as f64 <= top * FAR;
    let most = if drawn { top.max(limit.as_milliwatts() as f64) } else { top };
    let (size, unit) = UNITS.into_iter().find(|(size, _)| most >= *size).unwrap_or((1e3, "W"));
    let of = |power: Power| power.as_milliwatts() as f64 / size;
    let field = Field { height, scale: Scale { most: most / size * 1.02, unit } };
    let means: Vec<f64> =
        steps.iter().zip(&course.curve.energy).map(|(step, energy)| of(mean(*energy, *step))).collect();
    let peaks: Vec<f64> = course.curve.peak.iter().take(steps.len()).map(|peak| of(*peak)).collect();
    let words = format!(
        "Highest {}, mean {}, connection {}.",
        power(highest(course.curve)),
        power(mean(course.curve.energy.iter().copied().sum(), hours.span)),
        power(limit)
    );
    let drawing = drawing(field.whole(), &format!("Power of {} in {unit}", course.name), &words)
        .all(field.grid(hours.span))
        .put(curves(&field, hours, &means, &peaks))
        .all(limits(&field, hours.span, course, drawn.then_some(size)));
    let drawing = followed(drawing, hours, unit, [("mean", &means), ("highest", &peaks)]);
    let head = classed("div", "row")
        .put(said("span", course.name))
        .put(classed("span", "value").text(words.trim_end_matches('.')));
    tag("figure").put(head).put(field.framed(drawing))
}

fn curves(field: &Field, hours: &Hours, means: &[f64], peaks: &[f64]) -> Tag {
    let width = hours.span.length().as_milliseconds() as f64 / hours.step.as_milliseconds().max(1) as f64;
    let (mean, peak) = (field.stairs(means), field.stairs(peaks));
    let path = |class: &str, path: String| classed("path", class).set("d", path);
    let below = format!("{mean}V1000H0Z");
    field
        .stretched(width.max(f64::MIN_POSITIVE))
        .put(path("mean", below))
        .put(path("mean-line", mean))
        .put(path("most", peak))
}

/// The line of the connection, or its words where it is far above.
fn limits(field: &Field, span: Span, course: &Course<'_>, size: Option<f64>) -> Vec<Tag> {
    let Some(size) = size else {
        let limit = course.limits.last().map_or(Power::ZERO, |(_, power)| *power);
        return vec![words("note end over", 1.0, 12.0, &format!("connection {}, far above", power(limit)))];
    };
    let ends = course.limits.iter().skip(1).map(|(at, _)| *at).chain([span.end]);
    let parts = course.limits.iter().zip(ends).filter(|((from, _), to)| *to > span.begin && *from < span.end);
    parts
        .map(|((from, limit), to)| {
            let y = field.y(limit.as_milliwatts() as f64 / size);
            line("limit", (span.along(*from), y), (span.along(to).min(1.0), y))
        })
        .collect()
}

/// A chart that tells its values where it is pointed at: the script reads them off here.
fn followed(drawing: Tag, hours: &Hours, unit: &str, series: [(&str, &[f64]); 2]) -> Tag {
    let values = |values: &[f64]| values.iter().map(|value| short(*value, 2)).collect::<Vec<_>>().join(" ");
    let series = series.map(|(name, all)| tag("g").set("data-name", name).set("data-values", values(all)));
    drawing
        .set("data-begin", hours.span.begin.as_unix_milliseconds())
        .set("data-end", hours.span.end.as_unix_milliseconds())
        .set("data-step", hours.step.as_milliseconds())
        .set("data-unit", unit)
        .set("tabindex", 0)
        .put(classed("line", "cursor").set("y1", 0).set("y2", "100%").set("visibility", "hidden"))
        .all(series)
}

fn values(hours: &Hours, course: &Course<'_>) -> Tag {
    let steps = hours.steps().zip(course.curve.energy.iter().zip(&course.curve.peak));
    let rows = steps.map(|(step, (energy, peak))| {
        let mean = mean(*energy, step);
        let cell = |value: Power| sorted(power(value), value.as_milliwatts() as f64);
        [Into::into(date(step.begin)), cell(mean), cell(*peak)]
    });
    table(
        "power by step",
        &[Column::Words("from (UTC)"), Column::Figures("mean"), Column::Figures("highest")],
        rows,
    )
}

#[cfg(test)]
mod tests {
    use giga_model::sample::{accelerator, add_site, empty};
    use giga_model::{GridLimit, Phase};
    use giga_units::Duration;

    use super::*;

    #[test]
    fn a_limit_lowers_what_is_given_while_it_is_on() {
        let mut federation = empty();
        let hour = |hours: i64| Instant::unix_milliseconds(0) + Duration::hours(hours);
        let kw = |count: u64| Power::watts(count * 1_000);
        for name in ["north", "south"] {
            add_site(&mut federation, name, &[(accelerator("A", 8, 1), 1)]);
        }
        let phase = |opens, power| Phase { opens: hour(opens), power: kw(power), nodes: Vec::new() };
        federation.sites[0].phases = vec![phase(1, 2000), phase(5, 3000)];
        federation.sites[1].phases = vec![phase(0, 1000)];
        // One that begins before the site opens, and one that leaves more than there is.
        let limit = |from, until, power| GridLimit { from: hour(from), until: hour(until), power: kw(power) };
        federation.sites[0].limits = vec![limit(0, 2, 1000), limit(4, 6, 4000), limit(7, 8, 500)];
        let check = |found: Vec<(Instant, Power)>, expected: &[(i64, u64)]| {
            assert_eq!(found, expected.iter().map(|(at, power)| (hour(*at), kw(*power))).collect::<Vec<_>>());
        };
        let north = [(1, 1000), (2, 2000), (4, 2000), (5, 4000), (6, 5000), (7, 500), (8, 5000)];
        check(given(&federation.sites[0]), &north);
        let both = [(0, 1000), (1, 2000), (2, 3000), (4, 3000), (5, 5000), (6, 6000), (7, 1500), (8, 6000)];
        check(summed(&[given(&federation.sites[0]), given(&federation.sites[1])]), &both);
    }
}
