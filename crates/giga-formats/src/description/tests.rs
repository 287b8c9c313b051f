//! Examples of sound and faulty descriptions, and the laws that hold for all.

mod cooling;
mod shocks;
mod supply;
mod weather;
mod wider;

use giga_model::{Arrivals, EngineKind, JobClass, Length, Workload};
use giga_units::{CarbonIntensity, Duration, EnergyPrice, Fraction, Money, Power};
use proptest::prelude::*;

use super::field::{Field, Kind, Preset, Section};
use super::{expand, read, schema};

const SMALL: &str = r#"format = 1
name = "small"

[[site]]
name = "kajaani"
country = "FI"

[[site.phase]]
power = "1 MW"
[[site.phase.pool]]
name = "main"
accelerator = "GB300-NVL72"
accelerators = 360
"#;

/// Reads a text and lists its faults as `line:column key: message (help)`.
fn faults(text: &str) -> Vec<String> {
    let Err(faults) = read("federation.toml", text) else { return Vec::new() };
    let line =
        |d: &super::Diagnostic| format!("{}:{} {}: {} ({})", d.line, d.column, d.key, d.message, d.help);
    faults.diagnostics().iter().map(line).collect()
}

/// Every expected piece stands in the fault at its place in the list, and there are no other faults.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = faults(text);
    let listed = found.join("\n");
    assert_eq!(found.len(), expected.len(), "these were found:\n{listed}");
    for (fault, pieces) in found.iter().zip(expected) {
        for piece in pieces.split(" … ") {
            assert!(fault.contains(piece), "`{piece}` is not in `{fault}`; all faults:\n{listed}");
        }
    }
}

fn scenarios() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the scenarios are there").collect();
    files.sort_by_key(|file| file.as_ref().map(std::fs::DirEntry::path).ok());
    let paths = files.into_iter().map(|file| file.expect("a readable folder").path());
    let tomls = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let text = |path: &std::path::Path| std::fs::read_to_string(path).expect("a readable file");
    tomls.map(|path| (path.display().to_string(), text(&path))).collect()
}

#[test]
fn a_small_file_gets_all_defaults() {
    let federation = read("federation.toml", SMALL).expect("a sound file").federation;
    let site = &federation.sites[0];
    assert_eq!(site.facility_factor, Fraction::ppm(1_360_000));
    assert_eq!(site.electricity_price, EnergyPrice::microeuro_per_kwh(55_700));
    assert_eq!(site.carbon_intensity, CarbonIntensity::milligrams_per_kwh(68_000));
    assert_eq!(site.phases[0].power, Power::megawatts(1));
    assert_eq!(site.phases[0].opens, federation.start);
    assert_eq!(site.phases[0].nodes[0].1, 90);
    assert_eq!(site.failures.map(|f| f.accelerator_mtbf), Some(Duration::hours(50_676)));
    assert_eq!(site.shares[0].1, Fraction::ONE);
    assert_eq!(federation.owners[0].name, "everyone");
    assert_eq!(federation.projects[0].name, "all");
    // 41,556 EUR over 5 years at 7 %: a recovery factor of 0.243891.
    assert_eq!(federation.accelerators[0].cost_per_hour, Money::microeuro(1_156_977));
    assert_eq!(federation.workload, None);
}

#[test]
fn every_kind_of_fault_of_a_file_is_reported_at_once() {
    check(
        include_str!("tests/faulty.toml"),
        &[
            "3:16 carbon_price: … has no unit … `carbon_price = \"75 EUR/t\"`",
            "9:1 site[0].colour: `colour` is not a key of [[site]] … the keys here are `name`, `country`",
            "12:1 site[0].shares: the shares of `north` are together 111 % … take 11 % away",
            "15:1 site[0].shares.swedn: there is no owner called `swedn` … did you mean `sweden`?",
            "18:9 site[0].phase[0].power: the pools of `north` need up to 217 MW, and its connection has 200 MW … \
             raise `power` of this phase to at least 217 MW, or lower `accelerators` of pool `main` to 92,188, or set \
             `oversubscribed = true`",
            "28:9 site[1].phase[0].power: 1 GW for 100,000 accelerators is 10 kW each … lower `power` to about \
             268.3 MW, raise `accelerators`",
            "35:8 site[2].name: there are two sites called `press`",
            "36:11 site[2].country: `fi` is not a country code",
            "37:19 site[2].facility_factor: … takes a plain number, and here is a text",
            "39:9 : this is not TOML: invalid date",
            "41:10 site[2].maintenance.length: `kW` is not a unit of duration",
            "43:9 site[2].phase[0].power: `MWh` is not a unit of power … write for example `power = \"3 MW\"`",
            "46:15 site[2].phase[0].pool[0].accelerator: there is no accelerator … did you mean `GB300-NVL72`?",
            "50:8 site[3].electricity_price: no price of electricity is known for IT without a `zone`",
            "50:8 site[3].carbon_intensity: no carbon intensity is known for IT",
            "52:10 site[3].engine: `k8s` is no word for `engine`, which takes `local` … `engine = \"local\"`",
            "53:1 site[3].maintenance: a maintenance window of `south` is as long as the time between two",
            "62:16 site[3].phase[0].pool[0].accelerators: 1001 accelerators are not a whole number of nodes of 8 … \
             `accelerators = 1000` or `accelerators = 1008`",
            "75:9 site[4].phase[1].opens: this phase of `late` opens before",
            "90:9 project[0].owner: there is no owner called `unoin` … did you mean `union`?",
            "91:1 project[1].owner: [[project]] needs `owner`",
            "96:8 workload.seed: `seed` is -1, outside 0 to",
            "98:8 workload.class[0].like: `pretrainig` is not a built-in class … did you mean `pretraining`?",
            "101:13 workload.class[1].programme: there is no programme called `opn` … did you mean `open`?",
        ],
    );
}

#[test]
fn a_fault_is_shown_with_its_line_and_its_remedy() {
    let text = SMALL.replace("power = \"1 MW\"", "powr = \"1 MW\"");
    let shown = read("a/federation.toml", &text).expect_err("a faulty file").to_string();
    let expected = "error: `powr` is not a key of [[site.phase]]
 --> a/federation.toml:9:1
  |
9 | powr = \"1 MW\"
  | ^^^^
  |
  = help: did you mean `power`?

1 fault in a/federation.toml
";
    assert_eq!(shown, expected);
}

#[test]
fn a_name_can_be_part_of_a_path_a_line_and_a_list() {
    let named = |name: &str| SMALL.replace("\"kajaani\"", name);
    for sound in ["\"Kajaani II (new)\"", "\"Île-de-France\"", "\"a.b\"", "\"…\""] {
        check(&named(sound), &[]);
    }
    let fault = |name: &str, shown: &str| {
        let expected = format!("5:8 site[0].name: `{shown}` can not be a name … no `/`");
        check(&named(name), &[&expected]);
    };
    fault("\"../../../x\"", "../../../x");
    fault("\"..\"", "..");
    fault("\" .\"", " .");
    fault("\"*\"", "*");
    fault(r#""a\nb""#, r"a\nb");
    fault(r#""a\u001b[2Jb""#, r"a\u{1b}[2Jb");
    check(&named("\"\""), &["5:8 site[0].name: `name` is empty"]);
    let long = format!("\"{}\"", "é".repeat(101));
    check(&named(&long), &["5:8 site[0].name: `name` has 101 characters, above the 100 that fit"]);
    let pool = SMALL.replace("\"main\"", "\"a/b\"");
    check(&pool, &["11:8 site[0].phase[0].pool[0].name: `a/b` can not be a name"]);
    let parties = "[[owner]]\nname = \"a/o\"\n[[programme]]\nname = \"a/g\"\n[[project]]\nname = \"a/p\"\n";
    let found = faults(&format!("{SMALL}{parties}"));
    for name in ["a/o", "a/g", "a/p"] {
        let told = format!("`{name}` can not be a name");
        assert!(found.iter().any(|fault| fault.contains(&told)), "{name}: {found:?}");
    }
}

#[test]
fn the_format_comes_first_and_is_known() {
    check("name = \"x\"", &["1:1 format: the file needs `format`", "1:1 site: the file needs `site`"]);
    check("format = 2\nnonsense = 1", &["1:10 format: format 2 is not known … write `format = 1`"]);
    let swapped = SMALL.replacen("format = 1\nname = \"small\"", "name = \"small\"\nformat = 1", 1);
    check(&swapped, &["2:1 format: `format` is not the first key"]);
}

#[test]
fn damage_does_not_hide_faults_and_makes_none_up() {
    let text = SMALL.replace("country = \"FI\"", "country = \"FI").replace("\"1 MW\"", "1");
    check(&text, &["6:14 : this is not TOML", "9:9 site[0].phase[0].power: `power` has no unit"]);
    check(&SMALL.replace("[[site.phase]]", "[[site.phase]"), &["8:14 : this is not TOML: unclosed"]);
}

#[test]
fn a_word_of_a_closed_vocabulary_is_read() {
    let with = |line: &str| SMALL.replace("country", &format!("{line}\ncountry"));
    let engine = |text: &str| read("federation.toml", text).expect("a sound file").federation.sites[0].engine;
    assert_eq!(engine(SMALL), None);
    assert_eq!(engine(&with("engine = \"local\"")), Some(EngineKind::Local));
    check(&with("engine = true"), &["6:10 site[0].engine: `engine` takes a word in quotes"]);
    let words = match super::table::SITE.field("engine").map(|field| field.kind) {
        Some(Kind::Word(words)) => words,
        other => panic!("`engine` holds {other:?}"),
    };
    assert!(words.iter().copied().eq(EngineKind::ALL.map(EngineKind::word)));
}

#[test]
fn numbers_beyond_all_bounds_are_faults() {
    let with = |from: &str, to: &str| SMALL.replace(from, to);
    check(&with("360", "4_000_000_000"), &["accelerators` is 4000000000, outside 1 to 2550000000"]);
    check(&with("360", "2_550_000_000"), &["would have over 10000000 nodes"]);
    check(&with("360", "99999999999999999999"), &["outside"]);
    check(&with("360", "0"), &["outside 1"]);
    check(&with("360", "-4"), &["is -4, outside 1"]);
    check(&with("\"1 MW\"", "\"999999999999 GW\""), &["is out of range for a power"]);
    check(&with("\"1 MW\"", "\"101 GW\""), &["`101 GW`, outside `0 W` to `100 GW`"]);
    check(&with("country", "facility_factor = inf\ncountry"), &["is inf, outside 1 to 10"]);
    check(&with("country", "facility_factor = nan\ncountry"), &["outside 1 to 10"]);
    let many =
        format!("{SMALL}[[project]]\nname = \"p\"\ncount = 1000000\n[[project]]\nname = \"q\"\ncount = 9\n");
    check(&many, &["over 1000000 projects … lower `count`"]);
}

#[test]
fn pools_grow_by_phases_and_keep_their_kind() {
    let grown = |kind: &str| {
        let more =
            "[[site.phase]]\nopens = 2028-01-01\npower = \"1 MW\"\n[[site.phase.pool]]\nname = \"main\"\n";
        format!("{SMALL}{more}accelerator = \"{kind}\"\naccelerators = 72\n")
    };
    let federation = read("federation.toml", &grown("GB300-NVL72")).expect("a sound file").federation;
    assert_eq!((federation.pools.len(), federation.accelerators_total()), (1, 432));
    check(&grown("H100-HGX"), &["holds `GB300-NVL72` since an earlier phase, and here `H100-HGX`"]);
}

#[test]
fn pools_of_a_slurm_site_are_apart() {
    let with = |slurm: &str| {
        let second =
            "[[site.phase.pool]]\nname = \"other\"\naccelerator = \"GB300-NVL72\"\naccelerators = 72\n";
        let text = format!("{SMALL}{second}[site.slurm]\npartition = \"gpu\"\n{slurm}");
        text.replace("name = \"kajaani\"", "name = \"kajaani\"\nengine = \"slurm\"").replace("1 MW", "2 MW")
    };
    check(
        &with(""),
        &["pools `main` and `other` would be the same nodes … a partition of its own, or a `constraint`"],
    );
    let own = "[[site.slurm.pool]]\nname = \"other\"\n";
    check(&with(&format!("{own}partition = \"big\"\n")), &[]);
    check(&with(&format!("{own}constraint = \"ib\"\n")), &[]);
    check(&with(&format!("{own}constraint = \"ib&a100\"\n")), &["`ib&a100` is not one feature"]);
}

#[test]
fn classes_say_when_and_how_long() {
    let with = |class: &str| format!("{SMALL}[workload]\n[[workload.class]]\nname = \"c\"\n{class}");
    let sized = |class: &str| with(&format!("sizes = [{{ accelerators = 8 }}]\n{class}"));
    check(&sized("share = \"100 %\"\nlength = \"1 h\""), &[]);
    check(&sized("every = \"1 min\"\ncount = 5\nmedian = \"1 h\"\nsigma = 1.5"), &[]);
    check(&sized("share = \"90 %\"\nlength = \"1 h\""), &["together 90 %"]);
    check(&sized("share = \"100 %\"\nevery = \"1 s\"\nlength = \"1 h\""), &["`share` and also"]);
    check(&sized("length = \"1 h\""), &["does not say when"]);
    check(&sized("share = \"100 %\""), &["does not say how long"]);
    check(&sized("every = \"1 s\"\nlength = \"1 h\""), &["only one of `every` and `count`"]);
    check(&sized("share = \"100 %\"\nlength = \"1 h\"\nswing = \"10 %\""), &["only one of `peak_hour`"]);
    check(&with("share = \"100 %\"\nlength = \"1 h\""), &["class `c` has no `sizes`"]);
    check(&with("like = \"inference\"\nshare = \"100 %\"\nlength = \"1 h\""), &[]);
    check(&with("like = \"inference\"\nevery = \"1 h\"\ncount = 3\naccelerators = [\"H100-HGX\"]"), &[]);
    check(
        &with("like = \"inference\"\nshare = \"100 %\"\ncheckpoint = \"yong\""),
        &["`yong` is neither a duration nor one of `none`, `young`"],
    );
}

#[test]
fn built_in_sizes_fit_the_site() {
    let text = format!("{SMALL}[workload]\n");
    let workload =
        read("federation.toml", &text).expect("a sound file").federation.workload.expect("a workload");
    let largest = workload.classes.iter().flat_map(|class| &class.sizes).map(|size| size.accelerators).max();
    assert_eq!(largest, Some(128), "half of 360 accelerators, and the largest power of two for pretraining");
    assert_eq!(workload.classes.len(), 5);
}

#[test]
fn every_scenario_reads_without_fault() {
    let names: Vec<String> = scenarios().into_iter().map(|(name, text)| sound(&name, &text)).collect();
    assert_eq!(names.len(), 13, "{names:?}");
}

fn sound(file: &str, text: &str) -> String {
    read(file, text).unwrap_or_else(|faults| panic!("{faults}")).federation.name
}

#[test]
fn the_expanded_form_reads_back_to_the_same() {
    let work = format!("{SMALL}[workload]\n");
    let quotes = SMALL.replace("\"small\"", "'a \"quoted\" \\ name'");
    let own = [SMALL, &work, &quotes].map(|text| ("federation.toml".to_owned(), text.to_owned()));
    for (file, text) in own.into_iter().chain(scenarios()) {
        let first = read(&file, &text).unwrap_or_else(|faults| panic!("{faults}"));
        let printed = expand(&first);
        let second = read(&file, &printed).unwrap_or_else(|faults| panic!("{faults}\n{printed}"));
        assert_eq!(first.federation, second.federation, "{file}");
        assert_eq!(uncommented(&printed), uncommented(&expand(&second)), "{file}");
    }
}

/// The expanded form of a release is kept, so that a change of it is seen. After a change that is meant, the new form
/// is what `giga check --expand` prints for `small.toml`.
#[test]
fn the_expanded_form_is_the_kept_one() {
    let small = read("small.toml", include_str!("tests/small.toml")).expect("a sound file");
    assert_eq!(expand(&small), include_str!("tests/small-expanded.toml"));
}

/// What a print says without its remarks on what is a default: after reading back, nothing is.
fn uncommented(text: &str) -> String {
    text.lines().map(|line| line.split("  # default").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_year_of_a_scenario_has_about_as_many_jobs_as_it_says() {
    let check = |name: &str, least: f64, most: f64| {
        let (file, text) =
            scenarios().into_iter().find(|(file, _)| file.ends_with(name)).expect("a scenario");
        let federation = read(&file, &text).expect("a sound file").federation;
        let workload = federation.workload.as_ref().expect("a workload");
        let offered = federation.accelerators_total() as f64 * 8_760.0 * workload.load.as_f64();
        let jobs = offered * per_accelerator_hour(workload);
        assert!((least..most).contains(&jobs), "{name}: {jobs}");
    };
    check("narvik.toml", 1.0e6, 1.2e6);
    check("europe.toml", 9.5e6, 10.5e6);
}

/// Expected jobs for every offered accelerator-hour.
fn per_accelerator_hour(workload: &Workload) -> f64 {
    let share = |class: &JobClass| match class.arrivals {
        Arrivals::Random { share, .. } => share.as_f64(),
        Arrivals::Regular { .. } => 0.0,
    };
    workload.classes.iter().map(|class| share(class) / (mean_gang(class) * mean_hours(class))).sum()
}

fn mean_gang(class: &JobClass) -> f64 {
    let weights: f64 = class.sizes.iter().map(|size| size.weight.as_f64()).sum();
    class.sizes.iter().map(|size| f64::from(size.accelerators) * size.weight.as_f64()).sum::<f64>() / weights
}

/// The mean of a log-normal length that is cut at both ends.
fn mean_hours(class: &JobClass) -> f64 {
    let Length::LogNormal { median, sigma } = class.length else { panic!("a log-normal class") };
    let (median, sigma) = (median.as_hours_f64(), sigma.as_f64());
    let [least, most] = [class.length_range.0, class.length_range.1].map(Duration::as_hours_f64);
    let normal = |x: f64| 0.5 * (1.0 + libm::erf(x / libm::sqrt(2.0)));
    let [a, b] = [least, most].map(|end| (libm::log(end) - libm::log(median)) / sigma);
    let middle = median * libm::exp(sigma * sigma / 2.0) * (normal(b - sigma) - normal(a - sigma));
    least * normal(a) + middle + most * (1.0 - normal(b))
}

#[test]
fn the_example_of_the_guide_is_sound() {
    let guide = include_str!("../../../../docs/description.md");
    let example =
        guide.split("```").nth(1).and_then(|block| block.strip_prefix("toml\n")).expect("an example");
    check(example, &[]);
    assert_eq!(example, SMALL);
}

#[test]
fn the_schema_names_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).expect("JSON");
    let site = &schema["properties"]["site"]["items"]["properties"];
    assert_eq!(site["facility_factor"]["default"], serde_json::json!(1.36));
    assert_eq!(site["phase"]["items"]["properties"]["power"]["x-maximum"], "100 GW");
    assert_eq!(schema["required"], serde_json::json!(["format", "name", "site"]));
}

#[test]
fn the_field_table_keeps_its_own_rules() {
    fn walk(section: &'static Section) {
        for field in section.fields {
            limits(field);
            if let Preset::Is(text) = field.preset {
                assert!(!field.source.is_empty(), "`{}` has a default without a source", field.key);
                super::decode::literal(field, text, "", &(0..0));
            }
            if let Kind::Table(below) | Kind::Tables(below, _) | Kind::Inline(below, _) = field.kind {
                walk(below);
            }
        }
    }
    fn limits(field: &Field) {
        if let Kind::Amount { of, min, max } | Kind::Amounts { of, min, max } = field.kind {
            assert!(of.limit(min) < of.limit(max), "`{}` has no room", field.key);
        }
    }
    walk(&super::table::FEDERATION);
}

#[test]
fn every_entry_of_the_catalogue_stands_in_a_federation() {
    for known in super::catalogue::CATALOGUE {
        let roomy = "oversubscribed = true\nspare_power = true\ncountry";
        let text = SMALL.replace("GB300-NVL72", known.name).replace("country", roomy);
        let federation = read("federation.toml", &text).expect("a sound file").federation;
        assert_eq!(federation.accelerators[0].name, known.name);
        assert!(known.figures.iter().all(|(_, _, source)| !source.is_empty()), "{}", known.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to a description, reading it ends with a federation or with faults, and a federation that is
    /// read survives its expanded form.
    #[test]
    fn reading_never_panics(
        pick in 0_usize..1_000,
        edits in prop::collection::vec((0_usize..100_000, 0_usize..8, "[a-z0-9\"= .\\[\\]{}%-]{0,6}"), 1..6),
    ) {
        let mut texts: Vec<String> = scenarios().into_iter().map(|(_, text)| text).collect();
        texts.retain(|text| text.len() < 8_000);
        texts.push(include_str!("tests/wider.toml").to_owned());
        let mut text = texts[pick % texts.len()].clone();
        for (at, cut, with) in edits {
            let from = (0..=at % text.len().max(1)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let to = (from + cut..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
            text.replace_range(from..to, &with);
        }
        if let Ok(description) = read("federation.toml", &text) {
            let again = read("federation.toml", &expand(&description)).map(|read| read.federation);
            prop_assert_eq!(Ok(description.federation), again);
        }
    }
}
