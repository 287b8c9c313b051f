//! The scheduler: which work starts where and when, under owners' shares, power and time.
//!
//! A pure core. [`Scheduler::advance`] turns an [`Input`] into [`Event`]s and holds all policy; [`State::apply`] carries
//! events into the state and holds none. Nothing here reads a clock, a file or chance; a host brings all of that in.
//! It never carries anything out, and it knows no units but integers.

mod admit;
mod ahead;
mod apply;
mod bind;
mod decide;
mod event;
mod explain;
mod fit;
mod floors;
mod grid;
mod holdings;
mod hour;
mod image;
mod job;
mod pass;
mod places;
mod plan;
mod pool;
mod queue;
mod state;
mod store;
mod witness;

use std::sync::Arc;

pub use bind::Cost;
pub use decide::{DECISION_VERSION, decide};
pub use event::{Ending, Event, Input, Interruption, Pace, Piece, Rule};
pub use explain::{Because, Explanation, Lack, Preview};
use giga_model::Federation;
use giga_units::Instant;
pub use job::{Job, Leaving, Run, Status};
use pass::Scratch;
pub use plan::{Need, Plan};
pub use state::State;
pub use witness::Witness;

/// A plan, a state under it, and working memory.
#[derive(Debug, Clone)]
pub struct Scheduler {
    plan: Arc<Plan>,
    state: State,
    scratch: Scratch,
}

impl Scheduler {
    /// A scheduler that knows of no work and has nothing open yet.
    #[must_use]
    pub fn new(federation: &Federation) -> Self {
        let plan = Plan::new(federation);
        let state = State::new(&plan);
        Self::with_state(Arc::new(plan), state)
    }

    /// Goes on from a state under the plan it belongs to.
    #[must_use]
    pub fn with_state(plan: Arc<Plan>, state: State) -> Self {
        let scratch = Scratch::new(plan.sites.len());
        Self { plan, state, scratch }
    }

    /// What it knows.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Carries a recorded event into the state without deciding anything.
    pub fn apply(&mut self, now: Instant, event: &Event) {
        self.state.apply(&self.plan, now, event);
    }
}
