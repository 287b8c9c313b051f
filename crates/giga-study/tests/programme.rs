//! The bound of the bench of binding against cases that are solved by hand.

#[path = "../benches/binding/programme.rs"]
mod programme;

use programme::{Problem, Task};

/// A task of one accelerator that comes at once, with its length and what it costs at each site.
fn task(length: f64, costs: &[f64]) -> Task {
    Task { arrives: 0.0, size: 1.0, length, places: costs.iter().copied().enumerate().collect() }
}

/// Tasks on sites with so many free accelerator-hours in each hour; an hour of waiting costs 10.
fn problem(tasks: Vec<Task>, free: &[&[f64]]) -> Problem {
    Problem {
        tasks,
        ends: (1..=free[0].len()).map(|hour| hour as f64).collect(),
        free: free.iter().map(|hours| hours.to_vec()).collect(),
        waiting_price: 10.0,
    }
}

fn check(problem: &Problem, expected: f64) {
    let found = problem.least().expect("there is room");
    assert!((found - expected).abs() < 1e-4, "{found} where {expected} is right");
}

#[test]
fn work_alone_costs_what_its_cheapest_place_costs() {
    check(&problem(vec![task(1.0, &[5.0, 3.0])], &[&[1.0, 1.0], &[1.0, 1.0]]), 3.0);
    check(&problem(vec![task(1.5, &[5.0])], &[&[1.0, 1.0]]), 5.0);
    // What comes within an hour has only the rest of it.
    let late = Task { arrives: 0.25, size: 2.0, length: 1.25, places: vec![(0, 7.0)] };
    check(&problem(vec![late], &[&[2.0, 2.0]]), 7.0);
}

#[test]
fn what_comes_to_a_full_site_waits() {
    // Nothing is free in the first hour: two accelerators wait for an hour at 10 each.
    let pair = Task { size: 2.0, ..task(1.0, &[3.0]) };
    check(&problem(vec![pair], &[&[0.0, 2.0]]), 23.0);
}

#[test]
fn a_dear_place_is_weighed_against_waiting() {
    // Two jobs of an hour; the cheap site has room for one, and an hour of waiting costs 10. Of each job a half is done at once
    // at the cheap site, `f` there an hour later, and the rest at once at the dear site: for both 2 + 2·(3·(1/2 − f) + 10·f²)
    // where that costs 3 more, with f = 0.15.
    let two = |dear: f64| vec![task(1.0, &[1.0, dear]), task(1.0, &[1.0, dear])];
    check(&problem(two(4.0), &[&[1.0, 1.0], &[1.0, 1.0]]), 4.55);
    // Where it costs 30 more, all is done at the cheap site: f = 1/2. The best schedule costs 12.
    check(&problem(two(31.0), &[&[1.0, 1.0], &[1.0, 1.0]]), 7.0);
}

#[test]
fn shorter_spans_bring_the_bound_nearer() {
    // The same in quarters of an hour, each job at half its pace: waiting 10 · 2 · (7/8 + 1/16 − 1/2) = 8.75.
    let two = || vec![task(1.0, &[1.0, 31.0]), task(1.0, &[1.0, 31.0])];
    let quarters = (1..=8).map(|quarter| f64::from(quarter) / 4.0).collect();
    check(&Problem { ends: quarters, ..problem(two(), &[&[0.25; 8], &[0.25; 8]]) }, 10.75);
}

#[test]
fn fractions_make_the_bound_lower() {
    // One accelerator, jobs of one and of two hours. The best schedule runs the short one first, and the long one waits for an
    // hour: 10. In parts, with `d` of the short one in the second hour, it is 10 · (1 − d + 3/2·d²), which is 25/3 at d = 1/3.
    check(&problem(vec![task(1.0, &[0.0]), task(2.0, &[0.0])], &[&[1.0, 1.0, 1.0]]), 25.0 / 3.0);
}

#[test]
fn what_has_no_room_has_no_bound() {
    assert!(problem(vec![task(2.0, &[1.0])], &[&[1.0]]).least().is_none());
    assert!(problem(vec![task(1.0, &[1.0]), task(1.0, &[1.0])], &[&[1.0]]).least().is_none());
}
