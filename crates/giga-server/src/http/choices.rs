//! Where a job could go: what each site is expected to cost it, or by which rule it may not run there.

use giga_control::Control;
use giga_control::record::Refusal as RuleName;
use giga_formats::api::{ChoiceView, CostView, ForbiddenView};
use giga_model::{DatasetId, Federation, Site, SiteId};
use giga_scheduler::{Cost, Rule};

use super::view::small;
use crate::data::why;

/// Every site, in the order of the description; nothing where nothing was asked.
pub(crate) fn choices(
    control: &Control,
    places: &[(SiteId, Result<Cost, Rule>)],
    chosen: Option<SiteId>,
) -> Vec<ChoiceView> {
    let federation = control.federation();
    if places.is_empty() {
        return Vec::new();
    }
    let view = |(index, site): (usize, &Site)| {
        let id = SiteId::at(index);
        let place = places.iter().find(|(place, _)| *place == id).map(|(_, place)| *place);
        let forbidden = match place {
            Some(Ok(_)) => None,
            Some(Err(rule)) => Some(forbidden(federation, (id, site), rule)),
            None => Some(not_its_sites()),
        };
        ChoiceView {
            site: site.name.clone(),
            country: site.country.code().to_owned(),
            chosen: chosen == Some(id),
            drained: control.state().is_drained(id),
            silent: control.state().is_silent(id),
            cost: place.and_then(Result::ok).map(cost),
            forbidden,
        }
    };
    federation.sites.iter().enumerate().map(view).collect()
}

fn cost(cost: Cost) -> CostView {
    CostView {
        wait_ms: cost.wait.as_milliseconds(),
        waiting_microeuro: small(cost.waiting.as_microeuro()),
        energy_microeuro: small(cost.energy.as_microeuro()),
        transfer_microeuro: small(cost.transfer.as_microeuro()),
        total_microeuro: small(cost.total().as_microeuro()),
    }
}

fn not_its_sites() -> ForbiddenView {
    ForbiddenView { rule: "project-sites".into(), text: "the project uses other sites only".into() }
}

fn forbidden(federation: &Federation, (id, site): (SiteId, &Site), rule: Rule) -> ForbiddenView {
    let text = match rule {
        Rule::DataForbids { dataset } => by_data(federation, (id, site), dataset),
        Rule::LeavingForbidden { dataset } => {
            let name = &federation.datasets[dataset.index()].name;
            format!("the policy of data `{name}` does not let that much of it leave")
        }
        Rule::AssuranceTooLow { needed } => {
            format!(
                "its assurance is level {}, and level {} is asked for",
                site.assurance.get(),
                needed.get()
            )
        }
        Rule::NoContainers => "it runs no containers".to_owned(),
        Rule::NoSuchAccelerator => "it has no such accelerators".to_owned(),
        rule => rule.to_string(),
    };
    ForbiddenView { rule: RuleName::from(rule).word().to_owned(), text }
}

/// Which part of the policy of a dataset forbids a site.
fn by_data(federation: &Federation, (id, site): (SiteId, &Site), dataset: DatasetId) -> String {
    let data = &federation.datasets[dataset.index()];
    let part = data.reading_forbidden(id, site.country, site.assurance);
    let why = part.map_or_else(|| "forbids it".to_owned(), |part| why(federation, data, site, part));
    format!("by its policy, data `{}` {why}", data.name)
}
