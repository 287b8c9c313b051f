//! How long jobs take of what they ask for, as those did that ended.
//!
//! Users ask for much more than they need, and how much more differs from one to the next (Tsafrir, Etsion, Feitelson
//! 2007, doi:10.1109/TPDS.2007.70606). So a run time is drawn as a part of the limit from the jobs that ended before: of
//! the project where there are enough, else of all. Where there are not enough at all, every part of the limit is as
//! likely as any other (an assumption).

use std::collections::BTreeMap;

use giga_model::ProjectId;
use giga_twin::Chance;
use giga_units::{Duration, Fraction};

/// So many ended jobs are enough to draw from (an assumption): a tenth of them are two.
const ENOUGH: usize = 20;

/// A job that ended by itself or at its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Who was charged.
    pub project: ProjectId,
    /// How long its one attempt ran.
    pub ran: Duration,
    /// What it had asked for, above zero.
    pub limit: Duration,
}

/// Parts of their limits that ended jobs ran for, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtimes {
    all: Vec<Fraction>,
    projects: BTreeMap<ProjectId, Vec<Fraction>>,
}

/// What the run time of a job of a project is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// From so many ended jobs of the project.
    Project(usize),
    /// From so many ended jobs of all projects.
    All(usize),
    /// From nothing that is known: evenly up to the limit. So many had ended.
    Prior(usize),
}

impl Runtimes {
    /// What these jobs teach. A job that ran beyond its limit counts as having reached it.
    #[must_use]
    pub fn of(ended: impl IntoIterator<Item = Ended>) -> Self {
        let mut runtimes = Self::default();
        for Ended { project, ran, limit } in ended {
            let (ran, limit) =
                (i128::from(ran.as_milliseconds()), i128::from(limit.as_milliseconds().max(1)));
            let part = (ran * 1_000_000 / limit).clamp(1, 1_000_000);
            let part = Fraction::ppm(u64::try_from(part).expect("at most a million"));
            runtimes.all.push(part);
            runtimes.projects.entry(project).or_default().push(part);
        }
        runtimes.all.sort_unstable();
        runtimes.projects.values_mut().for_each(|parts| parts.sort_unstable());
        runtimes.projects.retain(|_, parts| parts.len() >= ENOUGH);
        runtimes
    }

    /// What run times of a project are drawn from.
    #[must_use]
    pub fn basis(&self, project: ProjectId) -> Basis {
        match (self.projects.get(&project), self.all.len()) {
            (Some(parts), _) => Basis::Project(parts.len()),
            (None, count @ ENOUGH..) => Basis::All(count),
            (None, count) => Basis::Prior(count),
        }
    }

    /// A run time above `elapsed` and up to `limit`, as those had who ran that long; the limit where it is reached.
    pub(crate) fn draw(
        &self,
        chance: &mut Chance,
        project: ProjectId,
        limit: Duration,
        elapsed: Duration,
    ) -> Duration {
        if elapsed >= limit {
            return limit;
        }
        let parts = match self.basis(project) {
            Basis::Project(_) => self.projects[&project].as_slice(),
            Basis::All(_) => self.all.as_slice(),
            Basis::Prior(_) => &[],
        };
        let shorter = parts.partition_point(|part| of(*part, limit) <= elapsed);
        let longer = &parts[shorter..];
        if longer.is_empty() {
            let span = limit.saturating_sub(elapsed).as_milliseconds().unsigned_abs();
            let more = i64::try_from(chance.below(span)).expect("within the limit");
            return elapsed + Duration::milliseconds(more + 1);
        }
        let place = chance.below(longer.len() as u64);
        of(longer[usize::try_from(place).expect("a place in memory")], limit)
    }
}

/// A part of a limit, at least a millisecond.
fn of(part: Fraction, limit: Duration) -> Duration {
    let count = i128::from(part.as_ppm()) * i128::from(limit.as_milliseconds()) / 1_000_000;
    Duration::milliseconds(i64::try_from(count).expect("at most the limit").max(1))
}

#[cfg(test)]
mod tests {
    use giga_twin::Purpose;

    use super::*;

    const LIMIT: Duration = Duration::seconds(1_000);

    /// So many jobs of a project that ran for so many thousandths of their limit.
    fn ended(project: u32, count: usize, thousandths: i64) -> impl Iterator<Item = Ended> {
        let ran = Duration::seconds(thousandths);
        std::iter::repeat_n(Ended { project: ProjectId(project), ran, limit: LIMIT }, count)
    }

    #[test]
    fn a_project_with_enough_ended_jobs_speaks_for_itself() {
        let runtimes = Runtimes::of(ended(0, 20, 250).chain(ended(1, 19, 500)));
        let check = |project, basis, elapsed, expected: &[i64]| {
            assert_eq!(runtimes.basis(ProjectId(project)), basis);
            let draw = |count| {
                let mut chance = Chance::of(1, Purpose::RunTime, 0, count);
                runtimes.draw(&mut chance, ProjectId(project), LIMIT, Duration::seconds(elapsed))
            };
            let drawn: std::collections::BTreeSet<Duration> = (0..200).map(draw).collect();
            let expected = expected.iter().map(|seconds| Duration::seconds(*seconds));
            assert!(drawn.into_iter().eq(expected), "of project {project} after {elapsed} s");
        };
        check(0, Basis::Project(20), 0, &[250]);
        check(1, Basis::All(39), 0, &[250, 500]);
        check(2, Basis::All(39), 250, &[500]);
        check(0, Basis::Project(20), 1_000, &[1_000]);
        check(0, Basis::Project(20), 2_000, &[1_000]);
    }

    #[test]
    fn what_nobody_knows_may_take_any_part_of_the_limit() {
        let check = |runtimes: &Runtimes, elapsed: i64| {
            let draw = |count| {
                let mut chance = Chance::of(1, Purpose::RunTime, 0, count);
                let drawn = runtimes.draw(&mut chance, ProjectId(0), LIMIT, Duration::seconds(elapsed));
                assert!(drawn > Duration::seconds(elapsed) && drawn <= LIMIT, "{drawn:?}");
                drawn.as_milliseconds() as f64 / 1_000.0
            };
            let mean = (0..10_000).map(draw).sum::<f64>() / 10_000.0;
            let middle = (1_000 + elapsed) as f64 / 2.0;
            assert!((mean - middle).abs() < 15.0, "{mean} s where {middle} s are expected");
        };
        let few = Runtimes::of(ended(0, 19, 250));
        assert_eq!(few.basis(ProjectId(0)), Basis::Prior(19));
        check(&few, 0);
        check(&few, 900);
        let all_short = Runtimes::of(ended(0, 40, 250));
        check(&all_short, 250);
    }
}
