//! What a sound description probably does not mean: it can be so, and a run shows it only late.

use giga_model::{
    Checkpoint, Federation, GridLimit, JobClass, OwnerId, Preempt, ProgrammeId, Sharing, Site, SiteId,
};
use giga_units::{Amount as _, Power, grouped};

use super::complete::quoted;

/// A sentence for each, in the order of sites, programmes and classes.
pub(crate) fn of(federation: &Federation) -> Vec<String> {
    let mut notes: Vec<String> =
        federation.sites.iter().filter_map(|site| below_idle(federation, site)).collect();
    if federation.policy.sharing == Sharing::Floors {
        let programmes = (0..federation.programmes.len()).map(ProgrammeId::at);
        notes.extend(programmes.filter_map(|programme| programme_above_floors(federation, programme)));
        let classes = federation.workload.iter().flat_map(|work| &work.classes);
        notes.extend(classes.filter_map(|class| class_above_floors(federation, class)));
    }
    notes
}

/// Of the limits that idle nodes alone exceed, how many there are and what the first of them asks for.
fn below_idle(federation: &Federation, site: &Site) -> Option<String> {
    let broken = |limit: &&GridLimit| idle_most(federation, site, limit) > limit.power;
    let mut limits = site.limits.iter().filter(broken);
    let first = limits.next()?;
    let more = match limits.count() {
        0 => String::new(),
        count => format!(", and so do {count} more"),
    };
    Some(format!(
        "`{}`: the limit from {} until {} leaves {}, and its idle nodes alone draw {}{more}; nothing runs then, and the rest \
         is a breach that nothing can cut",
        site.name,
        first.from,
        first.until,
        first.power.written(),
        idle_most(federation, site, first).written(),
    ))
}

/// The most that the open nodes of a site draw idle while a limit is on, at the meter.
fn idle_most(federation: &Federation, site: &Site, limit: &GridLimit) -> Power {
    let open = site.phases.iter().filter(|phase| phase.opens < limit.until).flat_map(|phase| &phase.nodes);
    let idle = open.map(|&(pool, nodes)| federation.accelerator_of(pool).node_idle.times(u64::from(nodes)));
    site.shown_at_most(idle.sum())
}

/// A programme without preemption that lets larger gangs in than some of its owners may ever claim.
fn programme_above_floors(federation: &Federation, id: ProgrammeId) -> Option<String> {
    let programme = &federation.programmes[id.index()];
    if programme.preempt != Preempt::Never {
        return None;
    }
    let most = programme.gang_max.unwrap_or(1);
    let owners = too_small(federation, id, most, |_| true)?;
    let gangs = match programme.gang_max {
        Some(most) => format!("lets gangs of {} accelerators in", grouped(most.into())),
        None => "lets work in".to_owned(),
    };
    Some(format!("programme `{}` {gangs} that can not be told to leave, {owners}", programme.name))
}

/// A class whose largest gangs can not be told to leave and are larger than some of their owners may ever claim.
fn class_above_floors(federation: &Federation, class: &JobClass) -> Option<String> {
    let saves = class.checkpoint != Checkpoint::None;
    if federation.programmes[class.programme.index()].preempt.allows(saves) {
        return None;
    }
    let largest = class.sizes.iter().map(|size| size.accelerators).max()?;
    let runs = |id: SiteId| {
        let site = &federation.sites[id.index()];
        let mut data = class.data.iter().map(|data| &federation.datasets[data.index()]);
        class.assurance.is_none_or(|least| site.assurance >= least)
            && data.all(|dataset| dataset.may_be_read(id, site.country, site.assurance))
    };
    let owners = too_small(federation, class.programme, largest, runs)?;
    let gangs = grouped(largest.into());
    Some(format!(
        "class `{}` sends gangs of {gangs} accelerators that can not be told to leave, {owners}",
        class.name
    ))
}

/// The owners of a programme whose work fits their floor at no site, and what helps.
fn too_small(
    federation: &Federation,
    programme: ProgrammeId,
    gang: u32,
    runs: impl Fn(SiteId) -> bool,
) -> Option<String> {
    let mut floors = Vec::<(OwnerId, u64)>::new();
    for project in federation.projects.iter().filter(|project| project.programme == programme) {
        let sites = (0..federation.sites.len()).map(SiteId::at).filter(|site| runs(*site));
        let sites = sites.filter(|site| project.sites.is_empty() || project.sites.contains(site));
        let floor = sites.map(|site| floor_most(federation, site, project.owner)).max().unwrap_or(0);
        if floor < gang.into() && floors.iter().all(|(owner, _)| *owner != project.owner) {
            floors.push((project.owner, floor));
        }
    }
    let &(_, largest) = floors.iter().max_by_key(|(_, floor)| *floor)?;
    let owners = quoted(floors.iter().map(|(owner, _)| federation.owners[owner.index()].name.as_str()));
    Some(format!(
        "and the floor of {owners} holds {} at most where it may run: larger gangs are refused (`above-floor`); raise the \
         share, let the gangs be smaller, or let `preempt` of the programme allow them to leave",
        grouped(largest)
    ))
}

/// The most accelerators that an owner may claim at a site, once every phase is open; fewer where power is short.
fn floor_most(federation: &Federation, id: SiteId, owner: OwnerId) -> u64 {
    let site = &federation.sites[id.index()];
    if site.shares.is_empty() {
        return u64::MAX;
    }
    let all = site.pools.iter().map(|pool| federation.accelerators_in(*pool)).sum();
    let share = site.shares.iter().find(|(of, _)| *of == owner);
    share.map_or(0, |(_, share)| share.of_count(all))
}
