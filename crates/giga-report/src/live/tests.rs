//! What a server answered, and the screens of it, side by side.

use giga_units::Instant;

use super::*;

fn now() -> Instant {
    Instant::parse("2027-01-01T12:00:00Z").expect("a date")
}

/// This answer gives this screen.
macro_rules! check {
    ($screen:expr, $answer:expr, $expected:expr) => {
        let answer = serde_json::from_value($answer).expect("an answer of the interface");
        let shown: String = $screen(&answer);
        assert_eq!(shown, $expected, "this was shown:\n{shown}");
    };
}

fn job(id: u64, state: &str, more: serde_json::Value) -> serde_json::Value {
    let mut job = serde_json::json!({
        "id": id, "name": "train", "project": "demo", "state": state, "site": "kajaani", "pool": null,
        "accelerators": 2, "attempts": 0, "submitted": "2027-01-01T11:50:00.000Z", "started": null, "ended": null,
        "exit": null, "energy_joule": 0, "cost_microeuro": 0, "carbon_milligram": 0, "by_token": "me",
    });
    let object = job.as_object_mut().expect("an object");
    object.extend(more.as_object().expect("an object").clone());
    job
}

fn ended() -> serde_json::Value {
    serde_json::json!({
        "attempts": 2, "pool": "main", "started": "2027-01-01T11:55:00.000Z", "ended": "2027-01-01T11:56:30.000Z",
        "exit": "exit code 3", "energy_joule": 1800, "cost_microeuro": 1230, "carbon_milligram": 4200,
    })
}

#[test]
fn a_plan_says_where_when_and_how_much_at_most() {
    let place = serde_json::json!({
        "site": "kajaani", "country": "FI", "pool": "main", "accelerator": "virtual", "accelerators": 1, "nodes": 1,
    });
    let answer = serde_json::json!({
        "name": "train", "project": "demo", "place": place, "limit": "1 h", "starts": {"when": "now"},
        "choices": [], "energy_most_joule": 43_200, "cost_most_microeuro": 3_100, "notes": ["the limit is the default"],
        "refused": null,
    });
    check!(
        |view| plan(view, now()),
        answer.clone(),
        "train, charged to demo
  where    kajaani (FI), pool main
  holds    1 accelerator (virtual) on 1 node
  starts   now
  at most  1 h, 12.0 Wh, 0.0031 EUR
  note     the limit is the default
"
    );
    let mut later = answer.clone();
    later["notes"] = serde_json::json!([]);
    later["starts"] =
        serde_json::json!({"when": "waits", "reason": "all is held", "room_at": "2027-01-01T12:30:00Z"});
    check!(
        |view| plan(view, now()),
        later,
        "train, charged to demo
  where    kajaani (FI), pool main
  holds    1 accelerator (virtual) on 1 node
  starts   later: all is held; room by 2027-01-01 12:30:00 UTC (in 30.0 min) at the latest
  at most  1 h, 12.0 Wh, 0.0031 EUR
"
    );
    let mut refused = answer;
    refused["notes"] = serde_json::json!([]);
    refused["place"] = serde_json::Value::Null;
    refused["starts"] = serde_json::Value::Null;
    refused["refused"] = "no pool has 64 accelerators".into();
    check!(
        |view| plan(view, now()),
        refused,
        "train, charged to demo\n  refused  no pool has 64 accelerators\n"
    );
}

#[test]
fn jobs_stand_in_a_table() {
    let running = serde_json::json!({"attempts": 1, "started": "2027-01-01T11:59:00.000Z"});
    let nowhere = serde_json::json!({"site": null});
    let rows = [
        job(19, "refused", nowhere),
        job(18, "running", running),
        job(17, "failed", ended()),
        job(9, "waiting", serde_json::json!({})),
    ];
    check!(
        |list| jobs(list, now()),
        serde_json::json!({"jobs": rows, "next": null}),
        "  job  name   project  state    site     accelerators  submitted (UTC)        waited      ran
   19  train  demo     refused  –                   2  2027-01-01 11:50:00         –        –
   18  train  demo     running  kajaani             2  2027-01-01 11:50:00   9.0 min   60.0 s
   17  train  demo     failed   kajaani             2  2027-01-01 11:50:00   5.0 min  1.5 min
    9  train  demo     waiting  kajaani             2  2027-01-01 11:50:00  10.0 min        –
"
    );
    check!(|list| jobs(list, now()), serde_json::json!({"jobs": [], "next": null}), "");
}

#[test]
fn one_job_is_shown_with_its_attempts() {
    let attempt = |number, started: &str, ended: Option<&str>, exit: Option<&str>| {
        serde_json::json!({
            "attempt": number, "site": "kajaani", "pool": "main", "accelerators": 2, "started": started,
            "ended": ended, "exit": exit,
        })
    };
    let attempts = [
        attempt(
            1,
            "2027-01-01T11:51:00.000Z",
            Some("2027-01-01T11:52:00.000Z"),
            Some("interrupted: the node failed"),
        ),
        attempt(2, "2027-01-01T11:55:00.000Z", Some("2027-01-01T11:56:30.000Z"), Some("exit code 3")),
    ];
    let spec = serde_json::json!({
        "name": "train", "run": ["python", "train.py", "it's"], "limit": "2 h", "env": {"EPOCHS": "3"},
        "resources": {"accelerators": "virtual:2", "cpus": 2, "memory": "4 GiB"},
    });
    check!(
        |detail| super::job(detail, now()),
        serde_json::json!({"job": job(17, "failed", ended()), "spec": spec, "attempts": attempts}),
        r"job 17 (train): failed, exit code 3
  project      demo
  submitted    2027-01-01 11:50:00 UTC with key me
  site         kajaani, pool main
  asks for     virtual:2, 2 cpus, 4 GiB
  limit        2 h
  run          python train.py 'it'\''s'
  env          EPOCHS=3
  waited       5.0 min
  ran          1.5 min
  used         1800 J, 0.00123 EUR, 4.200 g CO2e

  attempt  site     pool  accelerators  started (UTC)            ran  ended
        1  kajaani  main             2  2027-01-01 11:51:00   60.0 s  interrupted: the node failed
        2  kajaani  main             2  2027-01-01 11:55:00  1.5 min  exit code 3
"
    );
    let spec = serde_json::json!({
        "run": "set -x\npython train.py\n", "data": ["scans", "notes"], "leaving": "aggregated", "assurance": 3,
        "deadline": "12 h",
    });
    check!(
        |detail| super::job(detail, now()),
        serde_json::json!({"job": job(18, "waiting", serde_json::json!({})), "spec": spec, "attempts": []}),
        "job 18 (train): waiting
  project      demo
  submitted    2027-01-01 11:50:00 UTC with key me
  site         kajaani
  asks for     1 accelerator
  limit        1 h
  reads        scans, notes; aggregated of it leaves
  assurance    3 at least
  deadline     12 h
  run          set -x
               python train.py
  waited       10.0 min
"
    );
}

#[test]
fn why_and_what_next_are_told() {
    check!(
        explain,
        serde_json::json!({
            "id": 9, "state": "waiting", "sentences": ["it waits for 2 accelerators", "it is the first in the line"],
            "room_at": "2027-01-01T12:01:00.000Z", "choices": [],
        }),
        "job 9: waiting
  it waits for 2 accelerators
  it is the first in the line
"
    );
    let range = |minute: u32| {
        let at = |more: u32| format!("2027-01-01T12:{:02}:00.000Z", minute + more);
        serde_json::json!({"earliest": at(0), "median": at(5), "latest": at(9)})
    };
    check!(
        forecast,
        serde_json::json!({
            "id": 9, "made_at": "2027-01-01T11:59:59.500Z", "futures": 16, "start": range(1), "end": range(31),
            "cost_microeuro": {"low": 1_000, "median": 2_000, "high": 300_000}, "energy_joule": null,
            "basis": "the jobs of now, each as long as its like were",
        }),
        "job 9: 16 futures from 2027-01-01 11:59:59 UTC
                               low               median                 high
  start (UTC)  2027-01-01 12:01:00  2027-01-01 12:06:00  2027-01-01 12:10:00
  end (UTC)    2027-01-01 12:31:00  2027-01-01 12:36:00  2027-01-01 12:40:00
  cost                   0.001 EUR            0.002 EUR             0.30 EUR
  the jobs of now, each as long as its like were
"
    );
    check!(
        forecast,
        serde_json::json!({
            "id": 9, "made_at": "2027-01-01T11:59:59.500Z", "futures": 1, "start": null, "end": null,
            "cost_microeuro": null, "energy_joule": null, "basis": "b",
        }),
        "job 9: 1 future from 2027-01-01 11:59:59 UTC\n  nothing is left to foresee, or no future saw it start\n  b\n"
    );
}

#[test]
fn sites_stand_with_their_pools() {
    let pool = |name: &str| serde_json::json!({"name": name, "accelerator": "virtual", "nodes": 2, "accelerators": 8, "free": 5, "down": 0});
    let site = |name: &str, pools: &[serde_json::Value], engine: Option<&str>, closed: Option<&str>| {
        serde_json::json!({
            "name": name, "country": "FI", "engine": engine, "pools": pools, "running": 1, "waiting": 0,
            "deferred": 0, "capacity": 16, "drained": false, "limit": null,
            "power_connection_milliwatt": 100_000, "power_ordered_milliwatt": 34_000,
            "power_headroom_milliwatt": 96_000, "power_free_milliwatt": 66_000, "electricity_price": "55.7 EUR/MWh",
            "carbon_intensity": "68 gCO2e/kWh", "closed_until": closed,
        })
    };
    let first = site("kajaani", &[pool("main"), pool("more")], Some("local"), None);
    let second = site("oulu", &[], None, Some("2027-01-01T12:30:00.000Z"));
    check!(
        |list| sites(list, now()),
        serde_json::json!({"sites": [first, second]}),
        "  site     country  pool  accelerator  free  of  down  running  waiting  power free      of   electricity        carbon
  kajaani  FI       main  virtual         5   8     0        1        0      66.0 W  96.0 W  55.7 EUR/MWh  68 gCO2e/kWh
                    more  virtual         5   8     0
  oulu     FI                                                1        0      66.0 W  96.0 W  55.7 EUR/MWh  68 gCO2e/kWh
  oulu is out for maintenance until 2027-01-01 12:30:00 UTC (in 30.0 min)
  oulu is only described: it has no `engine`, and nothing runs there
"
    );
}

#[test]
fn keys_are_listed_without_tokens() {
    let key = |name: &str, role: &str, projects: &[&str]| serde_json::json!({"name": name, "role": role, "projects": projects, "created": "2027-01-01T11:00:00.000Z"});
    check!(
        keys,
        serde_json::json!({"keys": [key("ci", "user", &["demo", "lm"]), key("first", "operator", &[]), key("every", "user", &["*"])]}),
        "  key    role      projects  made
  ci     user      demo, lm  2027-01-01 11:00:00
  first  operator  all       2027-01-01 11:00:00
  every  user      all       2027-01-01 11:00:00
"
    );
}

#[test]
fn a_problem_names_its_fields() {
    check!(
        problem,
        serde_json::json!({
            "type": "/problems/x", "title": "the job is faulty", "status": 422, "detail": "",
            "faults": [{"field": "", "message": "m", "help": ""}, {"field": "run", "message": "n", "help": "h"}],
        }),
        "the job is faulty\n  m\n  run: n\n    help: h\n"
    );
    check!(problem, serde_json::json!({"status": 500}), "the server answered with status 500\n");
}

/// A site under a limit, as an operator is answered.
fn limited(obeyed: &str, breach: u64) -> serde_json::Value {
    serde_json::json!({
        "name": "kajaani", "country": "FI", "engine": "local",
        "pools": [{"name": "main", "accelerator": "virtual", "nodes": 2, "accelerators": 8, "free": 8, "down": 0}],
        "running": 0, "waiting": 2, "deferred": 1, "capacity": 2, "drained": true,
        "limit": {"power_milliwatt": 30_000, "until": "2027-01-01T14:00:00.000Z", "breach_milliwatt": breach,
                  "obeyed": obeyed},
        "power_connection_milliwatt": 100_000, "power_ordered_milliwatt": 4_000, "power_headroom_milliwatt": 26_000,
        "power_free_milliwatt": 26_000, "electricity_price": "55.7 EUR/MWh", "carbon_intensity": "68 gCO2e/kWh",
        "closed_until": null,
    })
}

#[test]
fn a_limit_is_answered_by_what_it_did() {
    let answer = |site: serde_json::Value,
                  capped: &[u64],
                  sent_away: Vec<u64>,
                  short: u64,
                  notes: &[&str]| {
        serde_json::json!({
            "site": site, "capped": capped, "suspended": [], "sent_away": sent_away, "short_milliwatt": short,
            "notes": notes,
        })
    };
    check!(
        |answer| limit(answer, now()),
        answer(limited("ordered", 0), &[7], (0..13).collect(), 0, &[]),
        "kajaani: may draw 30.0 W until 2027-01-01 14:00:00 UTC (in 2.0 h)
  capped     1 job (slower, with less power): 7
  sent away  13 jobs (stopped, waiting again): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …
  power      4.0 W at most are ordered; what was sent away is not all gone yet
"
    );
    check!(
        |answer| limit(answer, now()),
        answer(limited("complied", 1_000), &[], vec![], 21_000, &["this limit was on already"]),
        "kajaani: may draw 30.0 W until 2027-01-01 14:00:00 UTC (in 2.0 h)
  power      4.0 W at most
  short      by 21.0 W with everything cut but protected work
  breach     by 1.0 W: its idle nodes alone draw more
  note       this limit was on already
"
    );
    check!(
        |site| ordered(site, now()),
        {
            let mut site = limited("complied", 1_000);
            site["notes"] = serde_json::json!(["it was drained already"]);
            site
        },
        "kajaani: 0 running, 2 waiting
  it was drained already
  may draw 30.0 W until 2027-01-01 14:00:00 UTC (in 2.0 h); 4.0 W at most, and what was sent away is gone
  is in breach by 1.0 W: its idle nodes alone draw more
  has 2 of 8 accelerators up and powered
  is drained: nothing more starts there
  keeps 1 job back for cheaper or cleaner hours
"
    );
}

#[test]
fn every_site_is_told_with_its_cost_or_its_rule() {
    let cost = |wait_ms: i64, waiting: i64, energy: i64, transfer: i64| {
        serde_json::json!({
            "wait_ms": wait_ms, "waiting_microeuro": waiting, "energy_microeuro": energy,
            "transfer_microeuro": transfer, "total_microeuro": waiting + energy + transfer,
        })
    };
    let choice = |site: &str, chosen: bool, drained: bool, cost: serde_json::Value, rule: Option<&str>| {
        let forbidden = rule.map(|rule| serde_json::json!({"rule": rule, "text": "it may not"}));
        serde_json::json!({
            "site": site, "country": "FI", "chosen": chosen, "drained": drained, "cost": cost,
            "forbidden": forbidden,
        })
    };
    let choices = [
        choice("kajaani", true, false, cost(60_000, 1_000, 3_000, 0), None),
        choice("oulu", false, false, cost(0, 0, 9_000, 250_000), None),
        choice("turku", false, false, serde_json::Value::Null, Some("data-forbids")),
        choice("vaasa", false, true, cost(1_000_000, 9_000_000, 3_000, 0), None),
    ];
    check!(
        explain,
        serde_json::json!({
            "id": 9, "state": "waiting", "sentences": ["waits"], "room_at": null, "choices": choices,
        }),
        "job 9: waiting
  waits
  site     country    wait  for waiting  energy, carbon  transfer     in all
  kajaani  FI       60.0 s    0.001 EUR       0.003 EUR  0.00 EUR  0.004 EUR  chosen
  oulu     FI            0     0.00 EUR       0.009 EUR  0.25 EUR   0.26 EUR  costs 0.26 EUR more
  turku    FI            –            –               –         –          –  data-forbids: it may not
  vaasa    FI            –            –       0.003 EUR  0.00 EUR          –  drained
"
    );
}

#[test]
fn data_is_told_as_it_is_asked_about() {
    let task = serde_json::json!({
        "task": 2, "kind": "stage", "dataset": "atlas", "site": "hall", "source": "clinic", "by_token": "anna",
        "asked": "2027-01-01T11:50:00.000Z", "ended": null, "state": "open", "bytes": 2_000_000_000_u64,
        "bytes_done": 1_500_000_000_u64, "planned_ms": 16_000, "cost_microeuro": 40_040, "said": null,
    });
    let shown = |task: &giga_formats::api::TaskView| super::task(task, now());
    let begins = "2027-01-01 11:50:00 UTC by `anna`: staged clinic to hall, ";
    check!(shown, task.clone(), format!("{begins}going on, 1.50 GB of 2.00 GB\n"));
    let over = |state: &str, said: serde_json::Value| {
        let mut task = task.clone();
        task["state"] = state.into();
        task["ended"] = "2027-01-01T11:50:05.000Z".into();
        task["said"] = said;
        task
    };
    let done = "2.00 GB in 5.0 s (planned 16.0 s, 0.04004 EUR)\n";
    check!(shown, over("done", serde_json::Value::Null), format!("{begins}{done}"));
    check!(shown, over("failed", "the disk is full".into()), format!("{begins}failed: the disk is full\n"));
}
