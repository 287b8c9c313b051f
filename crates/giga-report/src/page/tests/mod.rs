//! Pages as their readers and their browsers need them.

mod markup;

use std::sync::Arc;

use giga_control::record::{HourRecord, JobRecord, Outcome, TimeUse};
use giga_control::{Control, DataRead, Summary};
use giga_formats::description;
use giga_formats::summary::RunFacts;
use giga_model::{
    Assurance, DataPolicy, Dataset, DatasetId, Federation, JobId, Leaving, OwnerId, PoolId, ProgrammeId,
    ProjectId, SiteId,
};
use giga_units::{AcceleratorTime, Bytes, Carbon, Duration, Energy, Instant, Money, Power};

use super::*;
use markup::Markup;

const TWO_SITES: &str = r#"format = 1
name = "NAME"
start = 2027-01-01
[[site]]
name = "SITE-1"
country = "FI"
[[site.phase]]
power = "200 kW"
[[site.phase.pool]]
name = "POOL"
accelerator = "GB300-NVL72"
accelerators = 72
[[site]]
name = "SITE-2"
country = "DE"
[[site.phase]]
power = "200 kW"
[[site.phase.pool]]
name = "POOL"
accelerator = "GB300-NVL72"
accelerators = 72
[[owner]]
name = "OWNER"
[[programme]]
name = "PROGRAMME"
[[project]]
name = "PROJECT"
programme = "PROGRAMME"
owner = "OWNER"
"#;

/// Two days of two sites, all written with a word before each name.
struct Scene {
    federation: Federation,
    summary: Summary,
    facts: RunFacts,
    hours: Hours,
    sample: Option<Sample>,
}

fn start() -> Instant {
    Instant::parse("2027-01-01").unwrap()
}

fn time(accelerators: u64, hours: i64) -> AcceleratorTime {
    AcceleratorTime::of(accelerators, Duration::hours(hours))
}

fn hour(count: i64, site: usize) -> HourRecord {
    let delivered = time(if count == 30 && site == 1 { 70 } else { 50 }, 1);
    HourRecord {
        hour: start() + Duration::hours(count),
        site: SiteId::at(site),
        time: TimeUse {
            installed: time(72, 1),
            delivered,
            no_work: time(72, 1) - delivered - time(1, 1),
            failure: time(1, 1),
            ..TimeUse::default()
        },
        node_energy: Energy::ZERO,
        energy: Energy::joules(360_000_000),
        peak: Power::watts(110_000 + if count == 30 { 5_000 } else { 0 }),
        cost: Money::euro(10),
        carbon: Carbon::milligrams(1_000_000),
        running: 3,
        waiting: 1,
    }
}

fn job(number: u64) -> JobRecord {
    let started = start() + Duration::hours(24) + Duration::seconds(60 * number as i64);
    JobRecord {
        job: JobId(number),
        project: ProjectId::at(0),
        programme: ProgrammeId::at(0),
        owner: OwnerId::at(0),
        site: Some(SiteId::at(1)),
        pool: Some(PoolId::at(1)),
        accelerators: if number.is_multiple_of(2) { 4 } else { 72 },
        held: 72,
        submitted: started - Duration::seconds(600),
        started: Some(started),
        ended: Some(started + Duration::hours(1)),
        attempts: 1 + u32::from(number == 4),
        waited: Duration::seconds(600),
        outcome: Outcome::Completed,
        refusal: None,
        useful: time(72, 1),
        lost: AcceleratorTime::ZERO,
        energy: Energy::ZERO,
        cost: Money::ZERO,
        carbon: Carbon::ZERO,
    }
}

impl Scene {
    fn new(before: &str) -> Self {
        let read = description::read("test.toml", TWO_SITES).unwrap_or_else(|faults| panic!("{faults}"));
        let mut federation = read.federation;
        let names = [&mut federation.name].into_iter();
        let names = names.chain(federation.sites.iter_mut().map(|site| &mut site.name));
        let names = names.chain(federation.pools.iter_mut().map(|pool| &mut pool.name));
        let names = names.chain(federation.owners.iter_mut().map(|owner| &mut owner.name));
        let names = names.chain(federation.programmes.iter_mut().map(|programme| &mut programme.name));
        names
            .chain(federation.projects.iter_mut().map(|project| &mut project.name))
            .for_each(|name| name.insert_str(0, before));
        let mut summary = Control::new(Arc::new(federation.clone()), start()).summary();
        summary.end = start() + Duration::days(2);
        (summary.submitted, summary.completed) = (1_234_567, 1_234_000);
        let mut hours = Hours::new(&federation, summary.start, summary.end, summary.submitted);
        for (count, site) in (0..48).flat_map(|count| [(count, 0), (count, 1)]) {
            let row = hour(count, site);
            hours.add(&row);
            summary.time += row.time;
            summary.sites[site].time += row.time;
            summary.energy += row.energy;
            summary.cost += row.cost;
        }
        summary.owners[0].used = summary.time.delivered;
        let sample = hours.busiest().map(|window| {
            let mut sample = Sample::new(window, summary.end);
            (0..2_000).for_each(|number| sample.add(&job(number)));
            sample
        });
        let work = format!("{before}read from a file");
        let facts = RunFacts {
            seed: Some(77),
            work,
            offered: Some(summary.time.delivered),
            shocks: Vec::new(),
            notes: Vec::new(),
            energy: Vec::new(),
        };
        Self { federation, summary, facts, hours, sample }
    }

    fn page(&self) -> String {
        let Self { federation, summary, facts, hours, sample } = self;
        report(&Report { federation, summary, facts, version: "9.8.7", hours, sample: sample.as_ref() })
    }
}

const SECTIONS: [&str; 7] = ["headline", "power", "owners", "waits", "jobs", "sites", "losses"];

#[test]
fn every_section_is_there_with_a_heading_a_figure_and_a_table() {
    let page = Markup::read(&Scene::new("").page());
    let ids: Vec<&str> = page.all("section").map(|section| section.attribute("id")).collect();
    assert_eq!(ids, SECTIONS);
    for section in page.all("section") {
        assert_eq!(section.all("h2").count(), 1);
        assert!(section.all("table").count() >= 1, "{} has a table", section.attribute("id"));
        let drawn = section.all("svg").filter(|svg| svg.attribute("role") == "img").count();
        // Nothing started in this scene, so that there are no waits to draw.
        assert!(drawn >= 1 || section.attribute("id") == "waits", "{} has a figure", section.attribute("id"));
    }
    let ways: Vec<&str> = page.all("a").map(|way| way.attribute("href")).collect();
    assert_eq!(ways, SECTIONS.map(|id| format!("#{id}")));
}

#[test]
fn where_figures_come_from_is_told_where_something_was_left_open() {
    let mut scene = Scene::new("");
    let notes = ["`<b>north`, weather: the built-in climate of Paris serves", "3 values were filled"];
    scene.facts.notes = notes.map(str::to_owned).to_vec();
    let page = Markup::read(&scene.page());
    let section = page.all("section").last().expect("there are sections");
    assert_eq!(section.attribute("id"), "origins");
    let told: Vec<String> = section.all("li").map(Markup::text).collect();
    assert_eq!(told, notes);
}

#[test]
fn the_reads_of_data_are_told_where_data_is_described() {
    let mut scene = Scene::new("");
    let policy = DataPolicy {
        countries: Vec::new(),
        sites: Vec::new(),
        may_leave: Leaving::Derived,
        assurance: Assurance::LOWEST,
    };
    let data = |name: &str| Dataset {
        name: name.to_owned(),
        holder: "clinic".to_owned(),
        size: Bytes::mebibytes(1),
        places: vec![SiteId(0)],
        policy: policy.clone(),
    };
    scene.federation.datasets = vec![data("<scans>"), data("slides")];
    scene.summary.reads = vec![DataRead {
        dataset: DatasetId(0),
        site: SiteId(0),
        project: ProjectId(0),
        leaving: Leaving::Derived,
        attempts: 1_234,
        held: time(7, 1),
    }];
    let page = Markup::read(&scene.page());
    let section = page.all("section").find(|section| section.attribute("id") == "data");
    let text = section.expect("data is described").text();
    let has = |word: &str| assert!(text.contains(word), "{word} in {text}");
    ["<scans>", "derived", "1,234", "7", "Never read: slides."].into_iter().for_each(has);
    let screen = crate::screen(&scene.federation, &scene.summary, &scene.facts);
    assert!(screen.contains("<scans>") && screen.contains("1,234"), "{screen}");
    assert!(screen.contains("nowhere"), "{screen}");
}

#[test]
fn a_shock_stands_in_the_head() {
    let mut scene = Scene::new("");
    let head = |scene: &Scene| Markup::read(&scene.page()).all("header").next().unwrap().text();
    assert!(!head(&scene).contains("shocks"));
    scene.facts.shocks = vec!["dry".into(), "<hot>".into()];
    assert!(head(&scene).contains("dry, <hot>"), "{}", head(&scene));
}

#[test]
fn who_does_not_see_can_read_it() {
    let page = Markup::read(&Scene::new("").page());
    assert_eq!(page.all("html").next().unwrap().attribute("lang"), "en");
    assert_eq!(page.all("title").next().unwrap().text(), "NAME: report");
    assert_eq!(page.all("h1").count(), 1);
    let mut level = 1;
    for heading in page.everything().filter(|tag| matches!(tag.name.as_str(), "h1" | "h2" | "h3" | "h4")) {
        let next = heading.name[1..].parse::<u32>().unwrap();
        assert!(next <= level + 1, "`{}` skips a level", heading.text());
        level = next;
    }
    for image in page.all("svg").filter(|svg| svg.attribute("role") == "img") {
        assert!(image.all("title").count() == 1 && image.all("desc").count() == 1);
        assert!(!image.attribute("aria-label").is_empty());
    }
    let unseen = |svg: &&Markup| svg.attribute("role") != "img" && svg.attribute("aria-hidden") != "true";
    assert_eq!(page.all("svg").filter(unseen).count(), 0, "what is no figure is hidden from who reads aloud");
    for table in page.all("table") {
        assert!(
            table.all("caption").count() == 1 && table.all("th").all(|head| head.attribute("scope") == "col")
        );
    }
    let meta: Vec<&str> = page.all("meta").map(|meta| meta.attribute("content")).collect();
    assert!(meta.contains(&"width=device-width, initial-scale=1"), "{meta:?}");
}

#[test]
fn the_figures_are_those_of_the_summary() {
    let scene = Scene::new("");
    let page = Markup::read(&scene.page());
    let section =
        |id: &str| page.all("section").find(|section| section.attribute("id") == id).unwrap().text();
    let has = |id: &str, words: &[&str]| {
        let text = section(id);
        words.iter().for_each(|word| assert!(text.contains(word), "`{word}` in {id}: {text}"));
    };
    // 96 hours of 72 accelerators, all but 20 of which delivered 50 of them.
    has(
        "headline",
        &["1,234,567", "1,234,000 completed", "4,820", "69.73 %", "9600.00 kWh", "960.00 EUR", "0.1992 EUR"],
    );
    has("power", &["SITE-1", "100.00 kW", "115.00 kW", "400.00 kW", "2027-01-02"]);
    has("owners", &["OWNER", "4,820", "100.00 %"]);
    has("sites", &["SITE-2 (DE)", "70.02 %", "200.00 kW", "FI"]);
    has("losses", &["failure: 96 h, 1.39 %", "no work: 1,996 h, 28.88 %"]);
    has("jobs", &["SITE-2", "2027-01-02", "job"]);
    let head = page.all("header").next().unwrap().text();
    for word in ["NAME", "77", "giga 9.8.7", "2027-01-01 to 2027-01-03", "144 accelerators at 2 sites"] {
        assert!(head.contains(word), "`{word}` in {head}");
    }
}

#[test]
fn a_hostile_name_stays_a_name() {
    for hostile in
        ["<script>alert(1)</script>", "\"><svg onload=alert(1)>", "'--></style><img src=x onerror=alert(1)>&"]
    {
        let plain = Markup::read(&Scene::new("").page());
        let page = Markup::read(&Scene::new(hostile).page());
        let shape = |page: &Markup| page.everything().map(|tag| tag.name.clone()).collect::<Vec<_>>();
        assert!(shape(&page) == shape(&plain), "no element came of {hostile}");
        let handlers =
            |tag: &Markup| tag.attributes.iter().any(|(key, _)| key.starts_with("on") || key == "style");
        assert!(!page.everything().any(handlers));
        assert_eq!(page.all("h1").next().unwrap().text(), format!("{hostile}NAME"));
    }
}

#[test]
fn the_page_loads_nothing_and_runs_only_its_own() {
    let text = Scene::new("").page();
    for load in
        ["http:", "https:", "//cdn", "@import", "src=", "<link", "<iframe", "<object", "fetch(", "XMLHttp"]
    {
        assert!(!text.contains(load), "`{load}`");
    }
    assert!(text.match_indices("url(").all(|(at, _)| text[at..].starts_with("url(#")));
    let page = Markup::read(&text);
    let policy =
        page.all("meta").map(|meta| meta.attribute("content")).find(|text| text.contains("default-src"));
    let policy = policy.expect("a policy");
    assert!(policy.starts_with("default-src 'none'"));
    for (name, kind) in [("style", "style-src"), ("script", "script-src")] {
        let inside: Vec<String> = page.all(name).map(Markup::text).collect();
        let [inside] = inside.as_slice() else { panic!("one {name}") };
        let due = format!("{kind} 'sha256-{}'", markup::digest(inside.as_bytes()));
        assert!(policy.contains(&due), "write into frame.rs: {due}");
    }
}

#[test]
fn lending_and_the_grid_have_a_section_where_there_was_some() {
    let mut scene = Scene::new("");
    let section = |scene: &Scene| {
        let page = Markup::read(&scene.page());
        let found = page.all("section").find(|section| section.attribute("id") == "lending");
        found.map(Markup::text)
    };
    assert_eq!(section(&scene), None);
    (scene.summary.owners[0].lent, scene.summary.owners[0].borrowed) = (time(1_000, 7), time(3, 1));
    let told = section(&scene).unwrap();
    assert!(told.contains("7,000") && !told.contains("Limits of the grid"), "{told}");
    (scene.summary.recalls, scene.summary.recall_lost) = (12, time(5, 1));
    let told = section(&scene).unwrap();
    assert!(
        told.contains("Called back") && told.contains("12") && told.contains("5 accelerator-h"),
        "{told}"
    );
    scene.summary.owners[0].borrowed = AcceleratorTime::ZERO;
    scene.summary.recalls = 0;
    scene.summary.grid.events = 3;
    scene.summary.grid.excess_at_most = Energy::joules(36_000_000_000);
    (scene.summary.grid.shorts, scene.summary.grid.short_most) = (1, Power::watts(2_500));
    scene.summary.programmes[0].lost_to_grid = time(77, 1);
    let told = section(&scene).unwrap();
    for piece in ["Limits of the grid", "10.0 MWh", "2.50 kW", "77"] {
        assert!(told.contains(piece), "{piece} is not in {told}");
    }
    assert!(!told.contains("table of lending"), "{told}");
}

#[test]
fn what_a_recall_undid_is_a_part_of_the_whole() {
    let mut scene = Scene::new("");
    scene.summary.time.recall = time(11, 1);
    let page = scene.page();
    assert!(page.contains("lost: recall") && page.contains("woven-recall"));
}

#[test]
fn the_busiest_window_is_found_and_its_sample_is_bounded() {
    let scene = Scene::new("");
    let window = scene.hours.busiest().unwrap();
    // 617,000 jobs came to each site in two days: a window of an hour has 13,000.
    let due = Window {
        site: SiteId::at(1),
        begin: start() + Duration::hours(30),
        end: start() + Duration::hours(31),
    };
    assert_eq!(window, due);
    let sample = scene.sample.as_ref().unwrap();
    // Those that started between 29:00 and 31:00, numbered by minutes from 24:00; the first had ended at 30:00.
    assert_eq!(sample.jobs, 119);
    let mut many = Sample::new(window, scene.summary.end);
    let at = |number| JobRecord { job: JobId(number), ..job(301) };
    (0..100_000).for_each(|number| many.add(&at(number)));
    let drawn = many.drawn();
    assert_eq!((many.jobs, drawn.len()), (100_000, 1));
    assert_eq!(drawn[0].1.len(), 9, "a lane for each, as all run at once");
}

#[test]
fn a_run_of_any_length_has_a_page_of_bounded_size() {
    let federation = Scene::new("").federation;
    for (length, step) in [(1, 1), (400, 3), (8_760, 24), (262_800, 24 * 28), (8_760 * 5_000, 24 * 56 * 128)]
    {
        let hours = Hours::new(&federation, start(), start() + Duration::hours(length), 10);
        assert!(hours.steps().count() <= 400 && hours.columns.len() <= 36, "{length} h");
        assert_eq!(hours.step, Duration::hours(step), "{length} h");
    }
    let nothing = Hours::new(&federation, start(), start(), 0);
    assert_eq!((nothing.steps().count(), nothing.busiest()), (0, None));
}

#[test]
fn a_run_in_which_nothing_happened_has_a_page() {
    let mut scene = Scene::new("");
    scene.summary = Control::new(Arc::new(scene.federation.clone()), start()).summary();
    scene.hours = Hours::new(&scene.federation, start(), start(), 0);
    scene.sample = None;
    let page = Markup::read(&scene.page());
    assert_eq!(page.all("section").count(), SECTIONS.len() - 1);
    let text = page.all("main").next().unwrap().text();
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}
