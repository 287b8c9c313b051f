//! The work to generate.

use giga_model::{
    AcceleratorId, Arrivals, Checkpoint, DailyCurve, JobClass, Length, Programme, ProgrammeId, Project, Size,
    Workload,
};
use giga_units::{Amount, Duration, Fraction};

use super::AllNames;
use super::data::{World, terms};
use crate::description::diagnostic::Findings;
use crate::description::meaning::Meaning;
use crate::description::record::Record;

/// The work to generate, where the file has any.
pub(super) fn workload(
    root: &Record,
    names: &AllNames<'_>,
    programmes: &[Programme],
    world: &World<'_>,
    findings: &mut Findings,
) -> Option<Workload> {
    let record = root.table("workload")?;
    let limits: Vec<Duration> = record.amounts("limits");
    if !limits.is_sorted_by(|a, b| a < b) {
        findings.add(&record.span_of("limits"), record.path_of("limits"), &Meaning::LimitsOrder);
    }
    let mut classes = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for class in record.tables("class") {
        let name = class.text("name").unwrap_or_default();
        let mut builder = Builder { record: class, name, findings };
        if !name.is_empty() && !taken.insert(name) {
            builder.fault("name", &Meaning::NameTwice { what: "class", name: name.to_owned() });
        }
        let built = builder.class(names);
        if let Some(built) = &built {
            builder.check_programme(built, programmes, world.projects);
            world.judge(class, built, findings);
        }
        classes.extend(built);
    }
    let seed = record.count("seed").unwrap_or_default();
    let workload = Workload { seed, load: record.amount_or_zero("load"), classes, limits };
    check_shares(record, &workload, findings);
    Some(workload)
}

/// The random classes have to share the whole.
fn check_shares(record: &Record, workload: &Workload, findings: &mut Findings) {
    let share = |class: &JobClass| match class.arrivals {
        Arrivals::Random { share, .. } => Some(share.as_ppm()),
        Arrivals::Regular { .. } => None,
    };
    let shares: Vec<u64> = workload.classes.iter().filter_map(share).collect();
    let total: u64 = shares.iter().sum();
    let whole = workload.classes.len() == record.tables("class").len() && !record.broken;
    if whole && !shares.is_empty() && total != Fraction::ONE.as_ppm() {
        let last = record.tables("class").iter().rfind(|class| class.has("share"));
        let last = last.expect("a class has a share where shares have a sum");
        let fault = Meaning::ClassShares { total: Fraction::ppm(total).written() };
        findings.add(&last.span_of("share"), last.path_of("share"), &fault);
    }
}

/// Builds one class.
struct Builder<'r, 'f> {
    record: &'r Record,
    name: &'r str,
    findings: &'f mut Findings,
}

impl Builder<'_, '_> {
    fn fault(&mut self, key: &str, fault: &Meaning) {
        self.findings.add(&self.record.span_of(key), self.record.path_of(key), fault);
    }

    fn class(&mut self, names: &AllNames<'_>) -> Option<JobClass> {
        let record = self.record;
        let programme = names.programmes.at(record, "programme", self.findings);
        let mut accelerators = Vec::new();
        for (name, span) in record.names("accelerators") {
            let kind = names.accelerators.find(name, span, record.path_of("accelerators"), self.findings);
            accelerators.extend(kind.map(AcceleratorId::at));
        }
        if accelerators.len() > 1 && record.amount::<Fraction>("elastic").is_some() {
            self.fault("elastic", &Meaning::ElasticKinds { class: self.name.to_owned() });
        }
        let terms = terms(record, &names.datasets, self.findings);
        if record.broken {
            return None;
        }
        let (arrivals, length) = (self.arrivals(), self.length());
        Some(JobClass {
            name: self.name.to_owned(),
            programme: ProgrammeId::at(programme?),
            arrivals: arrivals?,
            sizes: record.tables("sizes").iter().map(size).collect(),
            length: length?,
            length_range: (record.amount("length_min")?, record.amount("length_max")?),
            guess_max: record.factor("guess_max")?,
            checkpoint: checkpoint(record),
            draw: record.amount("draw")?,
            accelerators,
            data: terms.data,
            leaving: terms.leaving,
            assurance: terms.assurance,
            slack: terms.slack,
            elastic: record.amount("elastic"),
        })
    }

    fn arrivals(&mut self) -> Option<Arrivals> {
        let (record, class) = (self.record, self.name.to_owned());
        let (share, daily) = (record.amount("share"), self.daily()?);
        let fault = match (share, record.amount("every"), record.count("count")) {
            (Some(share), None, None) => return Some(Arrivals::Random { share, daily }),
            (None, Some(_), Some(_)) if daily.is_some() => Meaning::RegularCurve { class },
            (None, Some(every), Some(count)) => {
                return Some(Arrivals::Regular { every, count: u32::try_from(count).ok()? });
            }
            (Some(_), ..) => Meaning::TwoArrivals { class },
            (None, None, None) => Meaning::NoArrivals { class },
            (None, ..) => Meaning::HalfRegular { class },
        };
        self.fault("name", &fault);
        None
    }

    /// The daily curve, `Some(None)` where there is none, `None` where it is faulty.
    fn daily(&mut self) -> Option<Option<DailyCurve>> {
        match (self.record.count("peak_hour"), self.record.amount("swing")) {
            (None, None) => Some(None),
            (Some(hour), Some(swing)) => {
                Some(Some(DailyCurve { peak_hour: u8::try_from(hour).ok()?, swing }))
            }
            _ => {
                self.fault("name", &Meaning::HalfCurve { class: self.name.to_owned() });
                None
            }
        }
    }

    fn length(&mut self) -> Option<Length> {
        let (record, class) = (self.record, self.name.to_owned());
        let (least, most) =
            (record.amount::<Duration>("length_min")?, record.amount::<Duration>("length_max")?);
        if least > most {
            self.fault("length_min", &Meaning::LengthRange { class });
            return None;
        }
        match (record.amount("length"), record.amount("median"), record.factor("sigma")) {
            (Some(length), None, None) if length < least || length > most => {
                self.fault("length", &Meaning::LengthOutside { class });
                None
            }
            (Some(length), None, None) => Some(Length::Fixed(length)),
            (None, Some(median), Some(sigma)) => Some(Length::LogNormal { median, sigma }),
            (Some(_), ..) => {
                self.fault("length", &Meaning::TwoLengths { class });
                None
            }
            _ => {
                self.fault("name", &Meaning::NoLength { class });
                None
            }
        }
    }

    /// A class has to fit the programme that sends it.
    fn check_programme(&mut self, class: &JobClass, programmes: &[Programme], projects: &[Project]) {
        let programme = &programmes[class.programme.index()];
        let largest = class.sizes.iter().map(|size| size.accelerators).max().unwrap_or(0);
        let called = || (class.name.clone(), programme.name.clone());
        if let Some(most) = programme.gang_max.filter(|&most| largest > most) {
            let (class, programme) = called();
            self.fault("sizes", &Meaning::GangTooLarge { class, gang: largest, programme, most });
        }
        if !projects.is_empty() && !projects.iter().any(|project| project.programme == class.programme) {
            let (class, programme) = called();
            self.fault("programme", &Meaning::NoProject { class, programme });
        }
    }
}

fn size(record: &Record) -> Size {
    let accelerators = record.count("accelerators").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    Size { accelerators, weight: record.factor("weight").unwrap_or(Fraction::ONE) }
}

fn checkpoint(record: &Record) -> Checkpoint {
    match (record.text("checkpoint"), record.amount("checkpoint")) {
        (Some("young"), _) => Checkpoint::Young { cost: record.amount_or_zero("checkpoint_cost") },
        (_, Some(every)) => Checkpoint::Every(every),
        _ => Checkpoint::None,
    }
}
