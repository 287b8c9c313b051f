//! The least that a set of jobs could have cost: a convex programme over fractions of jobs, solved by clarabel.
//!
//! Time is cut into spans. `x[job, site, span]` is the part of a job's work that is done at a site in a span. Every job is done in
//! full, no job is done faster than all its accelerators can, and no site gives more than what is free there. The cost of a place
//! counts by the part of the work that is done there.
//!
//! Waiting follows from the mean instant of a job's work: work without a break that begins at `s` and takes `p` has its mean at
//! `s + p/2`. A part `f` of a job in a span from `a` on has its mean at `a + f·p/2` at the earliest, which is exact where
//! the span is filled and where work begins with it. So the waiting of a job is at least `Σ f·(a + f·p/2) − p/2 − arrival`, which
//! is zero for work that begins as it comes and never below: the square in it is what keeps it from being below.
//!
//! Times are hours since any instant, money is in euro.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

/// A job, with what it costs at each place where it may be, waiting left out.
pub(crate) struct Task {
    pub(crate) arrives: f64,
    /// Accelerators.
    pub(crate) size: f64,
    /// How long its work takes.
    pub(crate) length: f64,
    /// Sites with costs.
    pub(crate) places: Vec<(usize, f64)>,
}

/// A set of jobs and the room that there is for them.
pub(crate) struct Problem {
    pub(crate) tasks: Vec<Task>,
    /// The ends of the spans of time; the first begins at zero.
    pub(crate) ends: Vec<f64>,
    /// By site and span: free accelerator-hours.
    pub(crate) free: Vec<Vec<f64>>,
    /// What an hour of waiting costs for each accelerator.
    pub(crate) waiting_price: f64,
}

impl Problem {
    /// A lower bound of what the jobs cost however they are placed: the value of the dual. `None` where there is no room for them,
    /// or no answer.
    pub(crate) fn least(&self) -> Option<f64> {
        let mut system = System::new(self);
        for task in &self.tasks {
            system.add(self, task);
        }
        system.solve()
    }

    fn spans(&self) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        let begins = std::iter::once(0.0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).enumerate().map(|(span, (begin, end))| (span, begin, *end))
    }
}

/// One entry of a sparse row: variable and factor.
type Entry = (usize, f64);

/// The programme as it grows: rows that are equal to their right side, and rows that are at most that.
struct System {
    linear: Vec<f64>,
    square: Vec<f64>,
    constant: f64,
    equal: Vec<(Vec<Entry>, f64)>,
    at_most: Vec<(Vec<Entry>, f64)>,
    /// By site and span: what is taken of what is free.
    taken: Vec<Vec<Vec<Entry>>>,
    free: Vec<Vec<f64>>,
}

impl System {
    fn new(problem: &Problem) -> Self {
        Self {
            linear: Vec::new(),
            square: Vec::new(),
            constant: 0.0,
            equal: Vec::new(),
            at_most: Vec::new(),
            taken: vec![vec![Vec::new(); problem.ends.len()]; problem.free.len()],
            free: problem.free.clone(),
        }
    }

    /// A new variable, not below zero, with its linear and its squared cost.
    fn variable(&mut self, linear: f64, square: f64) -> usize {
        let variable = self.linear.len();
        self.linear.push(linear);
        self.square.push(square);
        self.at_most.push((vec![(variable, -1.0)], 0.0));
        variable
    }

    fn add(&mut self, problem: &Problem, task: &Task) {
        let price = problem.waiting_price * task.size;
        let mut whole = Vec::new();
        for (span, begin, end) in problem.spans().filter(|(_, _, end)| *end > task.arrives) {
            let from = begin.max(task.arrives);
            let mut parts = Vec::new();
            for &(site, cost) in task.places.iter().filter(|(site, _)| problem.free[*site][span] > 0.0) {
                let part = self.variable(cost, 0.0);
                self.taken[site][span].push((part, task.size * task.length));
                parts.push((part, 1.0));
            }
            if parts.is_empty() {
                continue;
            }
            // The part of the work that is done in this span, wherever it is.
            let done = self.variable(price * from, price * task.length / 2.0);
            if end - from < task.length {
                self.at_most.push((vec![(done, 1.0)], (end - from) / task.length));
            }
            parts.push((done, -1.0));
            self.equal.push((parts, 0.0));
            whole.push((done, 1.0));
        }
        self.equal.push((whole, 1.0));
        self.constant -= price * (task.length / 2.0 + task.arrives);
    }

    fn solve(mut self) -> Option<f64> {
        for (taken, free) in self.taken.iter().flatten().zip(self.free.iter().flatten()) {
            if !taken.is_empty() {
                self.at_most.push((taken.clone(), *free));
            }
        }
        let count = self.linear.len();
        let cones = [ZeroConeT(self.equal.len()), NonnegativeConeT(self.at_most.len())];
        let rows: Vec<_> = self.equal.into_iter().chain(self.at_most).collect();
        let (mut row, mut column, mut factor) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (entries, _)) in rows.iter().enumerate() {
            for &(variable, value) in entries {
                row.push(index);
                column.push(variable);
                factor.push(value);
            }
        }
        let sides: Vec<f64> = rows.iter().map(|(_, side)| *side).collect();
        let matrix = CscMatrix::new_from_triplets(rows.len(), count, row, column, factor);
        let diagonal = (0..count).collect::<Vec<_>>();
        // The solver halves the quadratic form.
        let squares = self.square.iter().map(|square| 2.0 * square).collect();
        let squares = CscMatrix::new_from_triplets(count, count, diagonal.clone(), diagonal, squares);
        let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
        let mut solver =
            DefaultSolver::new(&squares, &self.linear, &matrix, &sides, &cones, settings).ok()?;
        solver.solve();
        let solved = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
        solved.then_some(solver.solution.obj_val_dual + self.constant)
    }
}
