//! Datasets with their policies, and the network.

use giga_model::{
    Assurance, Country, DataPolicy, Dataset, DatasetId, JobClass, Leaving, Network, Project, Site, SiteId,
    Wan,
};
use giga_units::Fraction;

use super::{AllNames, Names};
use crate::description::complete::quoted;
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;

/// What connects the sites.
pub(super) fn network(root: &Record, names: &AllNames<'_>, findings: &mut Findings) -> Network {
    let common = root.table("network").map_or_else(Wan::default, wan);
    let mut links = Vec::<(SiteId, SiteId, Wan)>::new();
    for link in root.tables("link") {
        let mut ends = Vec::new();
        for (name, span) in link.names("sites") {
            ends.extend(names.sites.find(name, span, link.path_of("sites"), findings).map(SiteId::at));
        }
        let fault = match (ends.as_slice(), link.names("sites").len()) {
            (&[a, b], _) if a != b => {
                let same = |other: &&(SiteId, SiteId, Wan)| [(a, b), (b, a)].contains(&(other.0, other.1));
                if links.iter().find(same).is_none() {
                    links.push((a, b, wan(link)));
                    continue;
                }
                Meaning::LinkTwice
            }
            (_, 2) if ends.len() < 2 => continue,
            (_, 0) => continue,
            _ => Meaning::LinkEnds,
        };
        findings.add(&link.span_of("sites"), link.path_of("sites"), &fault);
    }
    Network { common, links }
}

fn wan(record: &Record) -> Wan {
    Wan { rate: record.amount_or_zero("rate"), cost_per_terabyte: record.amount_or_zero("cost_per_terabyte") }
}

/// The assurance level at a key; the lowest where there is no sound one.
pub(super) fn assurance(record: &Record) -> Assurance {
    level(record).unwrap_or(Assurance::LOWEST)
}

fn level(record: &Record) -> Option<Assurance> {
    record.count("assurance").and_then(|level| u8::try_from(level).ok()).and_then(Assurance::level)
}

/// The datasets. One whose policy forbids a place that holds it is reported.
pub(super) fn datasets(
    root: &Record,
    names: &AllNames<'_>,
    sites: &[Site],
    findings: &mut Findings,
) -> Vec<Dataset> {
    let mut datasets = Vec::new();
    for record in root.tables("dataset") {
        let dataset = dataset(record, names, findings);
        if !record.broken {
            forbidden(root, record, &dataset, sites, findings);
        }
        datasets.push(dataset);
    }
    datasets
}

fn dataset(record: &Record, names: &AllNames<'_>, findings: &mut Findings) -> Dataset {
    let policy = DataPolicy {
        countries: countries(record, findings),
        sites: sites_at(record, "sites", names, findings),
        may_leave: record.text("may_leave").and_then(Leaving::parse).unwrap_or_default(),
        assurance: assurance(record),
    };
    Dataset {
        name: record.text("name").unwrap_or_default().to_owned(),
        holder: record.text("holder").unwrap_or_default().to_owned(),
        size: record.amount_or_zero("size"),
        places: sites_at(record, "places", names, findings),
        policy,
    }
}

fn countries(record: &Record, findings: &mut Findings) -> Vec<Country> {
    let mut countries = Vec::new();
    for (code, span) in record.names("countries") {
        match Country::parse(code) {
            Some(country) => countries.push(country),
            None => {
                let fault = Meaning::Country { code: code.clone() };
                findings.add(span, record.path_of("countries"), &fault);
            }
        }
    }
    countries
}

/// The sites of a list; one that stands there twice is reported.
pub(super) fn sites_at(
    record: &Record,
    key: &str,
    names: &AllNames<'_>,
    findings: &mut Findings,
) -> Vec<SiteId> {
    let mut sites = Vec::new();
    for (name, span) in record.names(key) {
        match names.sites.find(name, span, record.path_of(key), findings).map(SiteId::at) {
            Some(site) if sites.contains(&site) => {
                let fault = Meaning::NameTwice { what: "site", name: name.clone() };
                findings.add(span, record.path_of(key), &fault);
            }
            site => sites.extend(site),
        }
    }
    sites
}

/// Reports places of a dataset that its own policy forbids.
fn forbidden(root: &Record, record: &Record, dataset: &Dataset, sites: &[Site], findings: &mut Findings) {
    let known = |site: &SiteId| {
        let site = &root.tables("site")[site.index()];
        !site.broken_at("country") && !site.broken_at("assurance")
    };
    for &place in dataset.places.iter().filter(|place| known(place)) {
        let site = &sites[place.index()];
        if !dataset.may_be_read(place, site.country, site.assurance) {
            let span = record.names("places").iter().find(|(name, _)| *name == site.name);
            let span = span.map_or_else(|| record.span_of("places"), |(_, span)| span.clone());
            let fault = Meaning::PlaceForbidden { dataset: dataset.name.clone(), site: site.name.clone() };
            findings.add(&span, record.path_of("places"), &fault);
        }
    }
}

/// What classes of work are held against: the sites, the data, and who sends them.
pub(super) struct World<'w> {
    pub(super) sites: &'w [Site],
    pub(super) datasets: &'w [Dataset],
    pub(super) projects: &'w [Project],
    /// Whether sites and datasets were read without fault, so that it can be said where nothing may run.
    pub(super) sound: bool,
}

/// What a class asks of the place and the time.
pub(super) struct Terms {
    pub(super) data: Vec<DatasetId>,
    pub(super) leaving: Leaving,
    pub(super) assurance: Option<Assurance>,
    pub(super) slack: Option<Fraction>,
}

/// Reads the terms of a class.
pub(super) fn terms(class: &Record, datasets: &Names<'_>, findings: &mut Findings) -> Terms {
    let mut data = Vec::new();
    for (name, span) in class.names("data") {
        match datasets.find(name, span, class.path_of("data"), findings).map(DatasetId::at) {
            Some(id) if data.contains(&id) => {
                let fault = Meaning::NameTwice { what: "dataset", name: name.clone() };
                findings.add(span, class.path_of("data"), &fault);
            }
            id => data.extend(id),
        }
    }
    Terms {
        data,
        leaving: class.text("leaving").and_then(Leaving::parse).unwrap_or_default(),
        assurance: level(class),
        slack: class.factor("slack"),
    }
}

impl World<'_> {
    /// Reports a class whose jobs could run nowhere, because of data, assurance and the sites of its projects.
    pub(super) fn judge(&self, record: &Record, class: &JobClass, findings: &mut Findings) {
        if !self.sound {
            return;
        }
        let datasets = || class.data.iter().map(|id| &self.datasets[id.index()]);
        for dataset in datasets().filter(|dataset| class.leaving > dataset.policy.may_leave) {
            let fault = Meaning::LeavesTooMuch {
                class: class.name.clone(),
                leaving: class.leaving.word(),
                dataset: dataset.name.clone(),
                most: dataset.policy.may_leave.word(),
            };
            findings.add(&record.span_of("leaving"), record.path_of("leaving"), &fault);
        }
        if class.data.is_empty() && class.assurance.is_none() {
            return;
        }
        if !(0..self.sites.len()).map(SiteId::at).any(|site| self.allows(class, site)) {
            let key = if class.data.is_empty() { "assurance" } else { "data" };
            let data = quoted(datasets().map(|dataset| dataset.name.as_str()));
            let asks = match (class.data.is_empty(), class.assurance) {
                (true, level) => format!("a site of assurance {}", level.unwrap_or(Assurance::LOWEST).get()),
                (_, Some(level)) => format!("a site of assurance {} that may read {data}", level.get()),
                (_, None) => format!("a site that may read {data}"),
            };
            let fault = Meaning::RunsNowhere { class: class.name.clone(), asks };
            findings.add(&record.span_of(key), record.path_of(key), &fault);
        }
    }

    /// Whether a site may run the class for any of the projects that send it.
    fn allows(&self, class: &JobClass, id: SiteId) -> bool {
        let site = &self.sites[id.index()];
        let mut data = class.data.iter().map(|data| &self.datasets[data.index()]);
        let mut senders =
            self.projects.iter().filter(|project| project.programme == class.programme).peekable();
        class.assurance.is_none_or(|least| site.assurance >= least)
            && data.all(|dataset| dataset.may_be_read(id, site.country, site.assurance))
            && (senders.peek().is_none()
                || senders.any(|project| project.sites.is_empty() || project.sites.contains(&id)))
    }
}

/// The accelerator time of a share of one site as a share of another, times a rate, rounded to millionths; at most what a
/// fraction can hold. `None` where the other has no accelerators.
pub(super) fn exchanged(share: Fraction, rate: Fraction, from: u64, to: u64) -> Option<Fraction> {
    let time = u128::from(share.as_ppm()) * u128::from(rate.as_ppm()) * u128::from(from);
    let whole = u128::from(to) * 1_000_000;
    let ppm = (time + whole / 2).checked_div(whole)?;
    Some(Fraction::ppm(u64::try_from(ppm).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_exchanged_by_accelerators_and_rate() {
        let ppm = Fraction::ppm;
        assert_eq!(exchanged(ppm(100_000), ppm(1_000_000), 500, 1_000), Some(ppm(50_000)));
        assert_eq!(exchanged(ppm(100_000), ppm(1_500_000), 1_000, 1_000), Some(ppm(150_000)));
        assert_eq!(exchanged(ppm(1), ppm(1_000_000), 1, 2), Some(ppm(1)));
        assert_eq!(exchanged(ppm(1), ppm(1_000_000), 1, 0), None);
        let most = exchanged(ppm(1_000_000), ppm(1_000_000_000), 1 << 40, 1);
        assert!(most > Some(ppm(1_000_000_000_000)));
    }
}
