//! What the same jobs would have cost, the largest put first, each where and when it is cheapest by someone who knows all run
//! times: a schedule that could have been, but for the shape of nodes and for shares. It is no optimum: the cheaper
//! of this and the choice lies above it, the bound below.
//!
//! Time goes in steps. A job takes every step that it touches, and so does other work, so nothing overlaps.

use crate::programme::Task;

/// Steps in an hour.
pub(crate) const STEPS: f64 = 120.0;

/// Free accelerators by site and step; beyond the last step every site is empty.
pub(crate) struct Room {
    free: Vec<Vec<f64>>,
    whole: Vec<f64>,
}

impl Room {
    /// Empty sites with so many accelerators.
    pub(crate) fn new(whole: Vec<f64>) -> Self {
        Self { free: vec![Vec::new(); whole.len()], whole }
    }

    /// Takes accelerators at a site for some hours.
    pub(crate) fn take(&mut self, site: usize, (from, until): (f64, f64), size: f64) {
        let (first, end) = ((from * STEPS).floor() as usize, (until * STEPS).ceil() as usize);
        let free = &mut self.free[site];
        free.resize(free.len().max(end), self.whole[site]);
        free[first..end].iter_mut().for_each(|free| *free -= size);
    }

    /// From when on a site has so many accelerators free for so long.
    fn start(&self, site: usize, task: &Task) -> f64 {
        let steps = (task.length * STEPS).ceil() as usize;
        let mut start = (task.arrives * STEPS).ceil() as usize;
        loop {
            let mut rest = self.free[site].iter().enumerate().skip(start).take(steps);
            match rest.rfind(|(_, free)| **free < task.size) {
                Some((taken, _)) => start = taken + 1,
                None => return start as f64 / STEPS,
            }
        }
    }

    /// What all tasks cost, the largest put first.
    pub(crate) fn place(mut self, tasks: &[Task], waiting_price: f64) -> f64 {
        let mut sum = 0.0;
        let mut order: Vec<&Task> = tasks.iter().collect();
        order.sort_by(|a, b| b.size.total_cmp(&a.size));
        for task in order {
            let at = |&(site, cost): &(usize, f64)| {
                let start = self.start(site, task);
                (cost + (start - task.arrives) * task.size * waiting_price, site, start)
            };
            let best = task.places.iter().map(at).min_by(|a, b| a.0.total_cmp(&b.0));
            let (cost, site, start) = best.expect("a task may be somewhere");
            self.take(site, (start, start + task.length), task.size);
            sum += cost;
        }
        sum
    }
}
