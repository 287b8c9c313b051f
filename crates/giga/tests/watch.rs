//! What whoever watches a live server is told, and that the key for it opens nothing else.
#![cfg(feature = "live")]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use live::{Answer, Live};
use serde_json::json;

/// Makes a key and gives its token.
fn key(live: &Live, body: &serde_json::Value) -> String {
    let answer = live.send("POST", "/v1/keys", &[], &body.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["token"].as_str().expect("a token").to_owned()
}

fn ask(live: &Live, token: &str, verb: &str, path: &str) -> Answer {
    live.send_bare(verb, path, &[("Authorization", &format!("Bearer {token}"))], "{}")
}

/// The value of one sample.
#[track_caller]
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("`{sample}` is not in:\n{text}"));
    line.parse().expect("a number")
}

#[test]
fn a_key_that_watches_opens_the_figures_and_nothing_else() {
    let live = Live::start();
    let watcher = key(&live, &json!({"name": "prometheus", "role": "metrics"}));
    let user = key(&live, &json!({"name": "anna", "role": "user", "projects": ["*"]}));
    assert_eq!(ask(&live, &watcher, "GET", "/metrics").status, 200);
    assert_eq!(live.send("GET", "/metrics", &[], "").status, 200, "an operator's too");
    assert_eq!(ask(&live, &user, "GET", "/metrics").status, 403, "figures of everybody");
    let document = live.send("GET", "/v1/openapi.json", &[], "").json();
    let mut closed = 0;
    for (path, verbs) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{id}", "0").replace("{name}", "anna").replace("{site}", "kajaani");
        for verb in verbs.as_object().expect("verbs").keys() {
            if !["/metrics", "/livez", "/readyz"].contains(&path.as_str()) {
                let answer = ask(&live, &watcher, &verb.to_uppercase(), &path);
                assert_eq!(answer.status, 403, "{verb} {path}: {answer:?}");
                closed += 1;
            }
        }
    }
    assert!(closed >= 16, "{closed}");
    assert_eq!(ask(&live, &watcher, "GET", "/v1/openapi.json").status, 403);
    let body = json!({"name": "other", "role": "metrics", "projects": ["demo"]}).to_string();
    assert_eq!(live.send("POST", "/v1/keys", &[], &body).status, 422, "it charges nothing");
    let made = live.verb(&["key", "create", "grafana", "--role", "metrics"]);
    assert!(made.status.success() && made.stdout.starts_with(b"giga_"), "{made:?}");
}

#[test]
fn the_figures_are_those_of_the_books() {
    let mut live = Live::start();
    let done = live.submit(r#"{"project":"demo","run":"true"}"#);
    live.wait(done, &["completed"]);
    let body = json!({"project": "demo", "run": "sleep 60", "resources": {"accelerators": 8}}).to_string();
    let site = live.wait(live.submit(&body), &["running"])["site"].as_str().expect("a site").to_owned();
    let answer = live.send("GET", "/metrics", &[], "");
    assert_eq!(answer.kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = &answer.body;
    assert!(text.ends_with("# EOF\n") && !text.contains(&live.access.token));
    let at = |name: &str, rest: &str| value(text, &format!("{name}{{site=\"{site}\"{rest}}}"));
    assert_eq!((value(text, "giga_ready"), value(text, "giga_violations_total")), (1.0, 0.0));
    assert_eq!(value(text, "giga_jobs_submitted_total"), 2.0);
    assert_eq!(value(text, "giga_jobs_ended_total{outcome=\"completed\"}"), 1.0);
    assert_eq!(at("giga_jobs", ",state=\"running\""), 1.0);
    let pool = ",pool=\"main\",accelerator=\"virtual\",state=";
    assert_eq!(at("giga_pool_accelerators", &format!("{pool}\"held\"")), 8.0);
    assert_eq!(at("giga_pool_accelerators", &format!("{pool}\"free\"")), 0.0);
    let sites = live.send("GET", "/v1/sites", &[], "").json();
    let view = sites["sites"].as_array().expect("sites").iter().find(|view| view["name"] == site.as_str());
    let ordered = view.expect("the site")["power_ordered_milliwatt"].as_f64().expect("a number") / 1e3;
    assert_eq!(at("giga_site_power_ordered_watts", ""), ordered);
    let records = value(text, "giga_journal_records_total");
    assert!(records >= 3.0 && value(text, "giga_commit_seconds_count") >= 1.0);
    assert!(at("giga_engine_look_timestamp_seconds", "") > 1.7e9);
    assert_eq!(at("giga_engine_unclear_attempts", ""), 0.0);
    let answered = "giga_http_requests_total{method=\"POST\",route=\"/v1/jobs\",status=\"2xx\"}";
    assert_eq!(value(text, answered), 2.0);
    // What strangers write makes no new series.
    for path in ["/a", "/b", "/v1/jobs/1/x"] {
        live.send_bare("GET", path, &[], "");
    }
    live.send_bare("BREW", "/v1/jobs", &[], "");
    let text = live.send("GET", "/metrics", &[], "").body;
    assert_eq!(value(&text, "giga_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"}"), 3.0);
    assert_eq!(
        value(&text, "giga_http_requests_total{method=\"other\",route=\"/v1/jobs\",status=\"4xx\"}"),
        1.0
    );
    // Figures of the core are state: a crash changes none of them.
    let of_core = |text: &str| -> Vec<String> {
        let kept = ["giga_jobs_", "giga_owner_", "giga_queue_wait_seconds_count", "giga_journal_records"];
        let lines = text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect()
    };
    let before = of_core(&text);
    assert!(before.len() > 10, "{before:?}");
    live.kill_and_start();
    assert_eq!(of_core(&live.send("GET", "/metrics", &[], "").body), before);
}

/// The words of a text that begin with `begin` and go on with plain letters.
fn words<'t>(text: &'t str, begin: &str) -> std::collections::BTreeSet<&'t str> {
    let all = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    all.filter(|word| word.starts_with(begin) && word.len() > begin.len()).collect()
}

#[test]
fn alerts_are_of_figures_that_there_are_and_each_has_its_page() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    let (alerts, page) = (read("dist/alerts.yml"), read("docs/operate.md"));
    let live = Live::start();
    live.send("GET", "/v1/nothing", &[], "");
    let text = live.send("GET", "/metrics", &[], "").body;
    let samples = words(&text, "giga_");
    let missing: Vec<&str> = words(&alerts, "giga_").difference(&samples).copied().collect();
    assert_eq!(missing, [""; 0], "no sample is called so");
    let told: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let pages: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(told.len() >= 20 && told == pages, "{told:?} and {pages:?} are the same, in one order");
}
