//! Series, limits, shocks, datasets, links and agreements: what is read, and what is wrong.

use giga_model::{
    Assurance, Country, DatasetId, Flexibility, GridLimit, Leaving, OwnerId, Preempt, Sharing, SiteId,
};
use giga_units::{Bytes, DataRate, Duration, Fraction, Instant, Money, Power};

use super::super::field::Kind;
use super::super::{Beside, Description, Faults, read_with, table};
use super::{SMALL, check};

const WIDER: &str = include_str!("wider.toml");

const EXPORT: &str = "\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\",\"Currency\",\"BZN|XX\"\n\
    \"26.03.2023 01:00 - 26.03.2023 02:00\",\"41.5\",\"EUR\"\n\"26.03.2023 02:00 - 26.03.2023 03:00\",\"\",\"\"\n\
    \"26.03.2023 03:00 - 26.03.2023 04:00\",\"-3\",\"EUR\"\n\"26.03.2023 05:00 - 26.03.2023 06:00\",\"7\",\"EUR\"\n";

/// A folder with some files.
fn open(name: &str) -> Result<String, String> {
    let hours = "time,zone,intensity\n2023-01-01T00:00,FI,70\n2023-01-01T01:00,FI,80.5\n";
    let text = match name {
        "carbon.csv" => hours.to_owned(),
        "export.csv" => EXPORT.to_owned(),
        "broken.csv" => hours.replace("80.5", "much"),
        _ => return Err("no such file".to_owned()),
    };
    Ok(text)
}

fn wider(text: &str, shocks: &[&str]) -> Result<Description, Faults> {
    read_with("wider.toml", text, &Beside { open: &open, shocks })
}

fn sound(text: &str, shocks: &[&str]) -> Description {
    wider(text, shocks).unwrap_or_else(|faults| panic!("{faults}"))
}

fn date(text: &str) -> Instant {
    Instant::parse(text).expect("a date")
}

fn percent(percent: u64) -> Fraction {
    Fraction::ppm(percent * 10_000)
}

/// What is said of a text that is read without fault, beside the files it names.
fn noted(text: &str) -> Vec<String> {
    let notes = sound(text, &[]).notes;
    notes.into_iter().filter(|note| !note.contains("_series")).collect()
}

#[test]
fn what_is_probably_not_meant_is_said() {
    assert_eq!(noted(WIDER), [""; 0]);
    let dark = WIDER.replace("power = \"300 kW\"", "power = \"1 kW\"");
    let [note] = noted(&dark).try_into().expect("one note");
    let text = "`kajaani`: the limit from 2027-02-01T00:00:00Z until 2027-02-03T00:00:00Z leaves 1 kW, and its idle nodes alone draw ";
    assert!(note.starts_with(text), "{note}");

    // The clinic's floor is 216 of 360 accelerators in the north, less what is exchanged, and nothing elsewhere.
    let floors = WIDER.replace("sharing = \"order\"", "sharing = \"floors\"");
    assert_eq!(noted(&floors), [""; 0]);
    let gangs =
        |most: u32| floors.replace("protected = true", &format!("protected = true\ngang_max = {most}"));
    assert_eq!(noted(&gangs(144)), [""; 0]);
    let [note] = noted(&gangs(200)).try_into().expect("one note");
    let text = "programme `service` lets gangs of 200 accelerators in that can not be told to leave, and the floor of `finland` \
                holds 144 at most where it may run: larger gangs are refused (`above-floor`)";
    assert!(note.starts_with(text), "{note}");
    let sizes = "sizes = [{ accelerators = 8 }, { accelerators = 256 }]\nslack = 4";
    let [note] = noted(&floors.replace("slack = 4", sizes)).try_into().expect("one note");
    assert!(
        note.starts_with("class `experiments` sends gangs of 256 accelerators that can not be told"),
        "{note}"
    );
    assert!(note.contains("the floor of `finland`, `germany` holds"), "{note}");
    // Work that may be told to leave is bound by no floor.
    assert_eq!(noted(&gangs(200).replace("preempt = \"never\"", "preempt = \"always\"")), [""; 0]);
    assert_eq!(noted(&gangs(200).replace("sharing = \"floors\"", "sharing = \"order\"")), [""; 0]);
}

#[test]
fn prices_and_carbon_follow_the_hour() {
    let read = sound(WIDER, &[]);
    let site = &read.federation.sites[0];
    let price = |hour| site.price_at(date(&format!("2027-05-04T{hour}:30"))).as_microeuro_per_kwh();
    // A mean of 55.7 EUR/MWh, 30 % more at 19 h and 30 % less at 7 h.
    assert_eq!([price("19"), price("07"), price("13")], [72_410, 38_990, 55_700]);
    let carbon = |at| site.intensity_at(date(at)).as_milligrams_per_kwh();
    assert_eq!([carbon("2027-01-01T00:10"), carbon("2027-01-01T01:00")], [70_000, 80_500]);
    assert_eq!(carbon("2027-01-01T02:00"), 70_000, "what lies beyond begins again");
    let [series, flat] = read.notes.as_slice() else { panic!("{:?}", read.notes) };
    assert!(series.starts_with("`kajaani`, carbon_series: 2 hours of `carbon.csv`"), "{series}");
    let told = "electricity: prices by the built-in shape of a zone in 2023 (months, hours, weekends, no spikes) around the site's mean at \
                `stuttgart (DE-LU)`; one carbon intensity (Electricity Maps, yearly life-cycle mean of 2025 in its zone) in every hour at \
                `stuttgart`; hours come with `price_series` and `carbon_series`";
    assert_eq!(flat, told);
}

#[test]
fn without_a_price_the_shape_of_the_zone_serves() {
    let price =
        |text: &str, at| sound(text, &[]).federation.sites[1].price_at(date(at)).as_microeuro_per_kwh();
    let (noon, evening, sunday) = ("2027-06-16T11:30", "2027-06-16T17:30", "2027-06-20T11:30");
    // The factors of the month, of the hour in summer time and of the day, over what they come to in the mean of 2027.
    let is = |text: &str, at, mean: f64, factors: [f64; 3]| {
        let (found, expected) = (price(text, at) as f64, mean * factors.iter().product::<f64>() / 1e6);
        assert!((found / expected - 1.0).abs() < 0.003, "{found} of {expected}");
    };
    is(WIDER, noon, 95.2, [996.0, 567.0, 1_090.0]);
    is(WIDER, evening, 95.2, [996.0, 1_540.0, 1_090.0]);
    is(WIDER, sunday, 95.2, [996.0, 567.0, 775.0]);
    let site = &sound(WIDER, &[]).federation.sites[1];
    let mean = site.mean_price(date("2027-01-01"), date("2028-01-01")).as_microeuro_per_kwh();
    assert!((mean - 95_200).abs() <= 1, "{mean}");
    // What is written holds in every hour, or takes the shape that is named.
    let written = WIDER.replace("country = \"DE\"", "country = \"DE\"\nelectricity_price = \"60 EUR/MWh\"");
    assert_eq!([noon, evening].map(|at| price(&written, at)), [60_000; 2]);
    let named = written.replace("60 EUR/MWh\"", "60 EUR/MWh\"\nprice_series = { shape = \"FR\" }");
    is(&named, noon, 60.0, [945.0, 698.0, 1_089.0]);
    let late = WIDER.replace("start = 2027-01-01", "start = 2026-12-31T17:20");
    is(&late, evening, 95.2, [996.0, 1_540.0, 1_090.0]);
}

#[test]
fn an_export_of_prices_may_be_named_as_it_was_published() {
    let text = WIDER.replace(
        "price_series = { peak_hour = 19, swing = \"30 %\" }",
        "price_series = { file = \"export.csv\" }",
    );
    let read = sound(&text, &[]);
    let price = |at| read.federation.sites[0].price_at(date(at)).as_microeuro_per_kwh();
    let year = ["2027-03-26T00:00", "2027-03-26T01:00", "2027-03-26T02:00", "2027-03-26T03:00"];
    assert_eq!(year.map(price), [41_500, -3_000, -3_000, 7_000], "spring skips an hour, and one is missing");
    let note = "`kajaani`, price_series: 4 hours of `export.csv` from 2023-03-26T00:00:00Z, used from 2027-03-26T00:00:00Z; \
                ENTSO-E price export (CET/CEST); 1 from 2023-03-26T02:00:00Z filled by the value before";
    assert_eq!(read.notes[0], note);
}

#[test]
fn the_expanded_form_needs_neither_files_nor_the_call() {
    let read = sound(WIDER, &["never"]);
    assert_eq!(read.shocks, ["late", "hot", "gone", "never"]);
    let printed = super::expand(&read);
    let again = super::read("wider.toml", &printed).unwrap_or_else(|faults| panic!("{faults}\n{printed}"));
    assert_eq!(again.federation, read.federation);
    assert!(
        matches!(again.notes.as_slice(), [shape] if shape.contains("stuttgart (DE-LU)")),
        "{:?}",
        again.notes
    );
    assert_eq!(again.shocks, read.shocks);
    assert!(printed.contains("values = [70, 80.5]"), "{printed}");
}

#[test]
fn limits_and_shocks_are_laid_over_each_other() {
    let read = sound(WIDER, &[]);
    let limit = |from, until, kilowatts: u64| GridLimit {
        from: date(from),
        until: date(until),
        power: Power::watts(kilowatts * 1_000),
    };
    let [kajaani, stuttgart] = [0, 1].map(|site| &read.federation.sites[site]);
    let expected = [
        limit("2027-02-01", "2027-02-03", 300),
        limit("2027-02-03", "2027-02-04", 500),
        limit("2027-07-12", "2027-07-19", 700),
    ];
    assert_eq!(kajaani.limits, expected);
    assert_eq!(stuttgart.limits, [limit("2027-02-02", "2027-02-04", 1_000)]);
    assert_eq!(
        stuttgart.phases[0].opens,
        date("2027-01-11"),
        "no phase opens after the start, so all come later"
    );
    let until: Vec<_> = read.federation.projects.iter().map(|project| project.until).collect();
    assert_eq!(until, [Some(date("2027-06-01")), None]);
    let calm = sound(&WIDER.replace("shocked = ", "# "), &[]).federation;
    assert_eq!((calm.sites[0].limits.len(), calm.sites[1].phases[0].opens), (2, calm.start));
    assert_eq!(calm.projects[0].until, Some(date("2027-09-01")));
}

#[test]
fn later_phases_alone_come_later_where_there_are_any() {
    let more = "[[site.phase]]\nopens = 2027-06-01\npower = \"100 kW\"\n[[shock]]\nname = \"late\"\ndelay = { site = \
                \"kajaani\", by = \"1 y\" }\n";
    let read = sound(&format!("{SMALL}{more}"), &["late"]);
    let opens: Vec<Instant> = read.federation.sites[0].phases.iter().map(|phase| phase.opens).collect();
    assert_eq!(opens, [date("2027-01-01"), date("2028-05-31")]);
}

#[test]
fn a_shock_that_is_not_there_is_a_fault() {
    let faults = wider(WIDER, &["cold"]).expect_err("an unknown shock");
    let fault = &faults.diagnostics()[0];
    assert_eq!((fault.key.as_str(), fault.message.as_str()), ("shocked", "there is no shock called `cold`"));
    assert!(fault.help.contains("write one of `gone`, `hot`, `late`, `never`"), "{}", fault.help);
    assert!(faults.to_string().contains("[[shock]]"), "it is shown where the shocks begin:\n{faults}");
}

#[test]
fn a_remedy_is_one() {
    let check = |from: &str, to: &str, expected: &str| {
        let faults = wider(&WIDER.replacen(from, to, 1), &[]).expect_err("a fault").to_string();
        assert!(faults.contains(expected), "`{expected}` is not in:\n{faults}");
    };
    check("[network]", "[[network]]", "`network` stands once, and here is a list");
    check("[network]", "[[network]]", "write its head in single brackets, or `network = { … }`");
    // The number that was meant, but where none was.
    check("power = \"1 MW\"", "power = \"3\"", "`power = \"3 MW\"`");
    check("power = \"1 MW\"", "power = 3", "`power = \"3 MW\"`");
    check("power = \"1 MW\"", "power = \"99999999999999999999 GW\"", "`power = \"1 MW\"`");
    check("power = \"1 MW\"", "power = nan", "`power = \"1 MW\"`");
    let cosine = "peak_hour = 19, swing = \"30 %\"";
    check(cosine, "shape = \"DELU\"", "`DELU` is no built-in shape of prices");
    check(cosine, "shape = \"DELU\"", "did you mean `DE-LU`?");
    check(cosine, "shape = \"NO4\"", "did you mean");
    check(cosine, "shape = \"Narvik\"", "write one of `AT`, `BE`, `CH`, `DE-LU`");
    check(cosine, "shape = \"FR\", swing = \"3 %\"", "and here are several");
    check("column = \"intensity\"", "shape = \"FR\"", "`shape` is not a key of [site.carbon_series]");
}

#[test]
fn what_work_and_owners_may_is_read() {
    let federation = sound(WIDER, &[]).federation;
    let caps = Flexibility { cap_power: percent(60), cap_speed: Fraction::ppm(936_000), suspends: true };
    assert_eq!([0, 1].map(|site| federation.sites[site].flexibility), [caps, Flexibility::NONE]);
    assert_eq!([0, 1].map(|site| federation.sites[site].assurance.get()), [3, 1]);
    let policy = federation.policy;
    assert_eq!((policy.sharing, policy.grace), (Sharing::Order, Duration::seconds(300)));
    assert_eq!(
        (policy.waiting_price, policy.rebind_gain, policy.rebinds_max),
        (Money::euro(2), percent(5), 1)
    );
    let service = &federation.programmes[0];
    assert_eq!(
        (service.preempt, service.protected, service.use_max),
        (Preempt::Never, true, Some(percent(25)))
    );
    assert_eq!(service.price_per_hour, Some(Money::microeuro(1_800_000)));
    let class = &federation.workload.as_ref().expect("a workload").classes[0];
    assert_eq!((class.data.as_slice(), class.leaving), (&[DatasetId(0)][..], Leaving::Aggregated));
    assert_eq!((class.assurance.map(Assurance::get), class.slack), (Some(3), Some(percent(400))));
}

#[test]
fn data_links_and_agreements_are_read() {
    let federation = sound(WIDER, &[]).federation;
    let scans = &federation.datasets[0];
    assert_eq!((scans.size, scans.places.as_slice()), (Bytes::gigabytes(12_000), &[SiteId(0)][..]));
    assert_eq!(scans.policy.countries.iter().map(Country::code).collect::<Vec<_>>(), ["FI", "SE"]);
    assert_eq!((scans.policy.may_leave, scans.policy.assurance.get()), (Leaving::Derived, 2));
    let wan = federation.network.between(SiteId(1), SiteId(0));
    assert_eq!(
        (wan.rate, wan.cost_per_terabyte),
        (DataRate::bits_per_second(100_000_000_000), Money::euro(3))
    );
    assert_eq!(federation.network.common.rate, DataRate::bits_per_second(40_000_000_000));
    // Finland gives 20 % of 360 accelerators and gets 1.5 times that, 108 of 720.
    assert_eq!(federation.sites[0].shares, [(OwnerId(0), percent(40)), (OwnerId(1), percent(60))]);
    assert_eq!(federation.sites[1].shares, [(OwnerId(1), percent(85)), (OwnerId(0), percent(15))]);
}

#[test]
fn every_fault_of_these_tables_is_reported_at_once() {
    check(
        include_str!("wider_faulty.toml"),
        &[
            "3:20 shocked: there is no shock called `hott` … did you mean `hot`?",
            "8:13 site[0].assurance: `assurance` is 5, outside 1 to 4",
            "9:16 site[0].price_series: … only one of `peak_hour` and `swing`",
            "10:17 site[0].carbon_series: … and here are several",
            "11:1 site[0].limit[0]: this limit says neither `power` nor `part` … `part = \"65 %\"`",
            "24:12 site[1].suspends: the engine `local` can neither cap nor suspend work … leave `cap_power`",
            "26:16 site[1].price_series: … here is none of them … { file = \"prices.csv\" }",
            "27:26 site[1].carbon_series.file: `nowhere.csv` can not be read",
            "36:11 policy.sharing: `flors` is no word for `sharing`, which takes `floors`, `order`",
            "39:9 link[0].sites: a link has two different sites",
            "43:9 link[2].sites: these two sites have a link already",
            "46:11 limit[0].country: no site is in SE",
            "50:1 limit[1]: it is not said which sites",
            "50:1 limit[1]: this limit has `power` and also `part`",
            "65:11 dataset[0].places: `b` holds `scans`, and its policy forbids",
            "65:16 dataset[0].places: there is no site called `c`",
            "71:9 agreement[0].gives: `x` has 50 % of `a`, and this agreement takes 60 %",
            "72:9 agreement[0].takes: `y` has 50 % of `b`, and this agreement takes 60 %",
            "76:9 agreement[1].takes: an agreement is between two owners",
            "80:29 shock[0].heat.countries: `fi` is not a country code",
            "81:1 shock[1]: shock `late` has 0 kinds",
            "83:1 shock[2]: shock `late` has 2 kinds",
            "84:8 shock[2].name: there are two shocks called `late`",
        ],
    );
}

#[test]
fn a_fault_of_a_further_file_names_its_line() {
    let text = SMALL
        .replace("country", "carbon_series = { file = \"broken.csv\", column = \"intensity\" }\ncountry");
    let shown = wider(&text, &[]).expect_err("a faulty file").to_string();
    let expected = "error: `much` is not a number
 --> broken.csv:3:21
  |
3 | 2023-01-01T01:00,FI,much
  |                     ^^^^
  |
  = help: write for example `35.2`, or nothing where there is no value

1 fault in broken.csv
";
    assert_eq!(shown, expected);
}

#[test]
fn a_class_that_can_run_nowhere_is_a_fault() {
    let with = |from: &str, to: &str| WIDER.replace(from, to);
    let fault = |text: &str, expected: &str| {
        let faults = wider(text, &[]).expect_err("a faulty file");
        let told: Vec<String> =
            faults.diagnostics().iter().map(|d| format!("{}: {} ({})", d.key, d.message, d.help)).collect();
        assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
    };
    fault(
        &with("assurance = 3\nslack", "assurance = 4\nslack"),
        "class[0].data: jobs of class `experiments` can run nowhere: they need a site of assurance 4 that may read `scans`",
    );
    fault(
        &with("data = [\"scans\"]\nleaving = \"aggregated\"\nassurance = 3", "assurance = 4"),
        "class[0].assurance: jobs of class `experiments` can run nowhere: they need a site of assurance 4, and",
    );
    let bound = with("until = 2027-09-01", "sites = [\"stuttgart\"]");
    fault(&bound.replace("name = \"shop\"", "name = \"shop\"\nsites = [\"stuttgart\"]"), "can run nowhere");
    assert!(wider(&bound, &[]).is_ok(), "one of the projects may use a site that allows it");
    fault(
        &with("leaving = \"aggregated\"", "leaving = \"everything\""),
        "let `everything` leave, and of `scans` at most `derived` may",
    );
    fault(
        &with("data = [\"scans\"]", "data = [\"scan\"]"),
        "there is no dataset called `scan` (did you mean `scans`?)",
    );
}

#[test]
fn the_words_are_those_of_the_model() {
    let words = |kind: Option<Kind>| match kind {
        Some(Kind::Word(words)) => words.to_vec(),
        other => panic!("{other:?} holds no words"),
    };
    let sorted = |mut words: Vec<&'static str>| {
        words.sort_unstable();
        words
    };
    let preempt = words(table::PROGRAMME.field("preempt").map(|field| field.kind));
    assert_eq!(sorted(preempt), sorted(Preempt::ALL.map(Preempt::word).to_vec()));
    let Some(Kind::Table(policy)) = table::FEDERATION.field("policy").map(|field| field.kind) else {
        panic!("there is a policy")
    };
    let sharing = words(policy.field("sharing").map(|field| field.kind));
    assert_eq!(sharing, Sharing::ALL.map(Sharing::word));
    assert_eq!(words(Some(table::LEAVING)), Leaving::ALL.map(Leaving::word));
}
