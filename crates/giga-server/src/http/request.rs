//! From what a user wrote to what the scheduler is asked: names become ids, processors and memory become accelerators.

use std::sync::Arc;

use giga_engine::Carried;
use giga_formats::api::{FieldFault, JobState};
use giga_formats::job::{AskSpec, JobBody, JobSpec};
use giga_model::{
    AcceleratorId, Ask, Asks, DatasetId, Federation, JobRequest, Predecessor, ProjectId, Terms,
};
use giga_units::{Amount as _, Bytes, Fraction, Instant};

use super::App;
use super::key::Caller;
use super::problem::{Answer, Refusal};
use crate::live::core::clock;

/// A request that was understood.
pub(crate) struct Understood {
    pub(crate) spec: JobSpec,
    pub(crate) request: JobRequest,
    pub(crate) project: String,
    /// What the user should know of how it was understood, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Understands a body on behalf of a caller.
///
/// # Errors
/// Names every fault of the body, or refuses a project that the caller may not charge.
pub(crate) fn understand(app: &App, caller: &Caller, body: &JobBody) -> Answer<Understood> {
    let spec = body.check().map_err(|faults| Refusal::faulty("job", faults))?;
    let federation = &app.federation;
    let mut faults = Vec::new();
    let mut notes = Vec::new();
    let project =
        project(federation, caller, spec.project.as_deref()).map_err(|fault| faults.push(fault)).ok();
    let mut asks = Vec::new();
    for ask in &spec.asks {
        match resolve(app, &spec, ask, &mut notes) {
            Ok(ask) => asks.push(ask),
            Err(fault) => faults.push(fault),
        }
    }
    let terms = terms(federation, &spec, clock()).map_err(|found| faults.extend(found)).ok();
    let (Some(project), Some(terms), true) = (project, terms, faults.is_empty()) else {
        return Err(Refusal::faulty("job", faults));
    };
    let name = federation.projects[project.index()].name.clone();
    if !caller.may_use(&name) {
        let detail = format!("key `{}` may not charge project `{name}`", caller.name());
        return Err(Refusal::forbidden(detail));
    }
    let first = asks.remove(0);
    let asks = match spec.asks[0].least {
        Some(least) => Asks::elastic(first, least),
        None => Asks::any_of(first, asks),
    };
    let request = JobRequest {
        project,
        asks,
        limit: spec.limit,
        checkpoint: spec.checkpoint,
        draw: Fraction::ONE,
        terms,
    };
    Ok(Understood { spec, request, project: name, notes })
}

/// Looks up the jobs that a request comes after, and leaves in it those that are not over.
///
/// # Errors
/// Names those that are not there, and those that ended otherwise than they had to.
pub(crate) async fn come_after(app: &Arc<App>, caller: &Caller, understood: &mut Understood) -> Answer<()> {
    let after = understood.spec.after.clone();
    if after.is_empty() {
        return Ok(());
    }
    let (store, wanted) = (Arc::clone(&app.store), after.clone());
    let look = move || wanted.iter().map(|before| store.job(before.job)).collect::<Result<Vec<_>, _>>();
    let rows = super::blocking(look).await??;
    let (mut live, mut faults) = (Vec::new(), Vec::new());
    for (before, row) in after.iter().zip(rows) {
        let Predecessor { job, any } = *before;
        let field = if any { "after_any" } else { "after" };
        let fault = |message, help: &str| FieldFault { field: field.into(), message, help: help.into() };
        match row.filter(|row| caller.may_use(&row.project)).map(|row| super::view::state(&row)) {
            None => faults.push(fault(
                format!("there is no job `{job}`, or none that this token may see"),
                "write numbers as `giga jobs` shows them",
            )),
            Some(state) if !state.is_over() => live.push(*before),
            Some(state) if any || state == JobState::Completed => {}
            Some(state) => faults.push(fault(
                format!("job {job} ended as {state}, so it will never be completed"),
                "drop it, name a new try of it, or say `after_any`",
            )),
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::faulty("job", faults));
    }
    let terms = understood.request.terms.take().unwrap_or_default();
    let terms = Terms { after: live, ..Arc::unwrap_or_clone(terms) };
    understood.request.terms = Some(terms).filter(|terms| *terms != Terms::default()).map(Arc::new);
    Ok(())
}

/// What it asks of place and time; every dataset that is not there is a fault.
fn terms(
    federation: &Federation,
    spec: &JobSpec,
    now: Instant,
) -> Result<Option<Arc<Terms>>, Vec<FieldFault>> {
    let (mut data, mut faults) = (Vec::new(), Vec::new());
    for (at, name) in spec.data.iter().enumerate() {
        match federation.datasets.iter().position(|dataset| dataset.name == *name) {
            Some(place) => data.push(DatasetId::at(place)),
            None => faults.push(no_dataset(federation, at, name)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let deadline = spec.deadline.map(|deadline| deadline.at(now));
    let terms = Terms {
        data,
        leaving: spec.leaving,
        assurance: spec.assurance,
        deadline,
        after: Vec::new(),
        container: spec.container.is_some(),
    };
    Ok(Some(terms).filter(|terms| *terms != Terms::default()).map(Arc::new))
}

fn no_dataset(federation: &Federation, at: usize, name: &str) -> FieldFault {
    let names = federation.datasets.iter().map(|dataset| dataset.name.as_str());
    let help = match federation.datasets.len() {
        0 => "drop `data`: no data is registered here".into(),
        _ => one_of(names),
    };
    FieldFault { field: format!("data[{at}]"), message: format!("there is no dataset `{name}`"), help }
}

/// The project that is charged: the one that is named, or the only one there is for this caller.
fn project(federation: &Federation, caller: &Caller, named: Option<&str>) -> Result<ProjectId, FieldFault> {
    let find = |name: &str| federation.projects.iter().position(|project| project.name == name);
    let fault = |message: String| {
        let projects = federation.projects.iter().map(|project| project.name.as_str());
        let help = one_of(projects.filter(|name| caller.may_use(name)));
        FieldFault { field: "project".into(), message, help }
    };
    match named {
        Some(name) => find(name).ok_or_else(|| fault(format!("there is no project `{name}`"))),
        None => {
            let mut usable = (0..federation.projects.len())
                .filter(|&index| caller.may_use(&federation.projects[index].name));
            match (usable.next(), usable.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(fault("it does not say which project is charged".into())),
            }
        }
    }
    .map(ProjectId::at)
}

/// One way to run. Where processors or memory are asked for that more accelerators bring with them, so many are taken.
fn resolve(app: &App, spec: &JobSpec, ask: &AskSpec, notes: &mut Vec<String>) -> Result<Ask, FieldFault> {
    let field = "resources.accelerators".to_owned();
    let kinds = &app.federation.accelerators;
    let accelerator = match &ask.accelerator {
        None => None,
        Some(name) => {
            let Some(place) = kinds.iter().position(|kind| kind.name == *name) else {
                let message = format!("no site has accelerators called `{name}`");
                let help = one_of(kinds.iter().map(|kind| kind.name.as_str()));
                return Err(FieldFault { field, message, help });
            };
            Some(AcceleratorId::at(place))
        }
    };
    let carried = carried(app, accelerator);
    let mut accelerators = ask.accelerators;
    if let Some(cpus) = spec.cpus {
        let each = carried.cpus_thousandths;
        accelerators = accelerators.max(share("resources.cpus", u64::from(cpus) * 1000, each)?);
    }
    if let Some(memory) = spec.memory {
        let each = carried.memory.as_bytes();
        accelerators = accelerators.max(share("resources.memory", memory.as_bytes(), each)?);
    }
    if accelerators > ask.accelerators {
        notes.push(format!(
            "it takes {accelerators} accelerators instead of {}, because each brings {} processors and {} of memory",
            ask.accelerators,
            thousandths(carried.cpus_thousandths),
            Bytes::mebibytes(carried.memory.as_bytes() >> 20).written(),
        ));
    }
    Ok(Ask { accelerator, accelerators })
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    format!("name one of {}", names.join(", "))
}

fn thousandths(count: u64) -> String {
    let text = format!("{}.{:03}", count / 1000, count % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn share(field: &str, wanted: u64, each: u64) -> Result<u32, FieldFault> {
    let count = wanted.div_ceil(each.max(1));
    u32::try_from(count).ok().filter(|_| each > 0).ok_or_else(|| FieldFault {
        field: field.into(),
        message: "no site says how much of this comes with an accelerator".into(),
        help: "leave it out, and ask for accelerators only".into(),
    })
}

/// What an accelerator of a kind brings with it at least, wherever it is.
fn carried(app: &App, kind: Option<AcceleratorId>) -> Carried {
    let pools = app.federation.pools.iter().filter_map(|pool| {
        let engine = app.engines.get(&pool.site)?;
        kind.is_none_or(|kind| kind == pool.accelerator).then(|| engine.carries(&pool.name))
    });
    let least = |one: Carried, other: Carried| Carried {
        cpus_thousandths: one.cpus_thousandths.min(other.cpus_thousandths),
        memory: one.memory.min(other.memory),
    };
    pools.reduce(least).unwrap_or_default()
}
