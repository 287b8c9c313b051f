//! The policy of a dataset in words: which part of it forbids a site, and what it is as a whole.

use giga_model::{Country, Dataset, Federation, Forbidding, Leaving, Site};

/// Why a part of the policy of a dataset forbids a site, as the end of a sentence that begins with the dataset.
pub(crate) fn why(federation: &Federation, data: &Dataset, site: &Site, part: Forbidding) -> String {
    match part {
        Forbidding::Countries => format!("may be read in {} only", countries(data)),
        Forbidding::Sites => format!("may be read at {} only", sites(federation, data)),
        Forbidding::Assurance => {
            let (needed, found) = (data.policy.assurance.get(), site.assurance.get());
            format!("asks for assurance level {needed}, and this site has {found}")
        }
        Forbidding::MayLeave => "may not leave its places, and this site has no copy".to_owned(),
    }
}

/// The same for a copy that somebody wants there: a whole sentence, with the part of the policy that says it.
pub(crate) fn why_not_copied(
    federation: &Federation,
    data: &Dataset,
    site: &Site,
    part: Forbidding,
) -> String {
    let why = match part {
        Forbidding::MayLeave => {
            let leaves = data.policy.may_leave.word();
            format!(
                "has `may_leave = \"{leaves}\"`: the data itself does not leave its places, and is copied by nobody; run the work \
                 where it lies, or let its holder bring a copy and register it there with `giga dataset add`"
            )
        }
        part => why(federation, data, site, part),
    };
    forbidden(data, part, &why)
}

/// A whole sentence of a part of the policy of a dataset, and why it forbids something.
pub(crate) fn forbidden(data: &Dataset, part: Forbidding, why: &str) -> String {
    format!("by `{}` of its policy, data `{}` {why}", part.word(), data.name)
}

/// What may be done with a dataset, a sentence each.
pub(crate) fn words(federation: &Federation, data: &Dataset) -> Vec<String> {
    let policy = &data.policy;
    let place = match (policy.countries.is_empty(), policy.sites.is_empty()) {
        (true, true) => "it may be processed in any country, at any site".to_owned(),
        (false, true) => format!("it may be processed in {} only", countries(data)),
        (true, false) => format!("it may be processed at {} only", sites(federation, data)),
        (false, false) => {
            let (countries, sites) = (countries(data), sites(federation, data));
            format!("it may be processed in {countries} only, and there at {sites} only")
        }
    };
    let assured = format!("a site that processes it has assurance level {} or above", policy.assurance.get());
    vec![place, assured, leaves(policy.may_leave).to_owned()]
}

/// What may leave the places of data.
const fn leaves(leaving: Leaving) -> &'static str {
    match leaving {
        Leaving::Nothing => "nothing of it may leave its places, neither the data nor what is made of it",
        Leaving::Aggregated => "the data may not leave its places; aggregates over many records may",
        Leaving::Derived => "the data may not leave its places; what is derived from it may, such as a model",
        Leaving::Everything => {
            "the data itself may leave its places, and be copied to sites that may process it"
        }
    }
}

fn countries(data: &Dataset) -> String {
    data.policy.countries.iter().map(Country::code).collect::<Vec<_>>().join(", ")
}

fn sites(federation: &Federation, data: &Dataset) -> String {
    let names = data.policy.sites.iter().map(|id| federation.sites[id.index()].name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
