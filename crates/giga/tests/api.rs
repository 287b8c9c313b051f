//! The HTTP interface of a real server: who is let in, what is refused and how, what is promised.
#![cfg(feature = "live")]

#[expect(dead_code, reason = "not every test describes its federation")]
mod live;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use live::{Answer, Live, giga};
use serde_json::{Value, json};

const HELLO: &str = r#"{"project":"demo","run":"echo hello"}"#;

/// A job that holds a whole site of the built-in federation.
fn whole_site(command: &str) -> String {
    json!({"project": "demo", "run": command, "resources": {"accelerators": 8}}).to_string()
}

#[track_caller]
fn problem(answer: &Answer, status: u16, kind: &str) -> Value {
    assert_eq!((answer.status, answer.kind.as_str()), (status, "application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["type"]),
        (&json!(status), &json!(format!("/problems/{kind}"))),
        "{body}"
    );
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
    body
}

/// Every route of the document that asks for a token, with a number or name where it takes one.
fn routes(live: &Live) -> Vec<(String, String)> {
    let closed = all_routes(live).into_iter().filter(|(_, _, open)| !open);
    let closed = closed.map(|(verb, path, _)| (verb, path));
    closed.chain([("GET".into(), "/v1/openapi.json".into())]).collect()
}

/// Every route of the document, and whether the document says that it is open.
fn all_routes(live: &Live) -> Vec<(String, String, bool)> {
    let document = live.send("GET", "/v1/openapi.json", &[], "").json();
    assert_eq!(document["security"], json!([{"token": []}]), "where a route says nothing else");
    let paths = document["paths"].as_object().expect("an object").clone();
    let routes = paths.iter().flat_map(|(path, verbs)| {
        let path = path
            .replace("{id}", "0")
            .replace("{dataset}", "nothing")
            .replace("{name}", "nobody")
            .replace("{site}", "nowhere");
        let verbs = verbs.as_object().expect("verbs").iter();
        let route = move |(verb, about): (&String, &Value)| {
            (verb.to_uppercase(), path.clone(), about["security"] == json!([{}]))
        };
        verbs.map(route).collect::<Vec<_>>()
    });
    routes.collect()
}

#[test]
fn no_route_is_open_but_two() {
    let live = Live::start();
    let open = all_routes(&live).into_iter().filter(|(_, _, open)| *open);
    let open: Vec<(String, String)> = open.map(|(verb, path, _)| (verb, path)).collect();
    assert_eq!(open, [("GET".into(), "/livez".into()), ("GET".into(), "/readyz".into())]);
    for (verb, path) in &open {
        let answer = live.send_bare(verb, path, &[], "");
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"), "{path}: nothing worth knowing");
    }
    let routes = routes(&live);
    assert!(routes.len() >= 16, "{routes:?}");
    let other = format!("Bearer {}", live.access.token.replace("giga_", "giga-"));
    let basic = format!("Basic {}", live.access.token);
    let headers: [&[(&str, &str)]; 5] = [
        &[],
        &[("Authorization", "Bearer ")],
        &[("Authorization", "Bearer giga_0000")],
        &[("Authorization", &other)],
        &[("Authorization", &basic)],
    ];
    for (verb, path) in
        routes.iter().chain([&("GET".into(), "/".into()), &("GET".into(), "/v1/nothing".into())])
    {
        for headers in headers {
            problem(&live.send_bare(verb, path, headers, "{}"), 401, "no-token");
        }
    }
}

#[test]
fn nonsense_is_refused_and_never_breaks_the_server() {
    let live = Live::start();
    for (verb, path) in routes(&live) {
        for body in ["", "{", "[]", "null", "\"x\"", "{\"run\": 5}", "{\"a\": {\"b\": []}}", "\u{0}"] {
            let path = if path == "/v1/events" { "/v1/events?".to_owned() } else { path.clone() };
            if path == "/v1/events?" {
                continue;
            }
            let answer = live.send(&verb, &path, &[("Idempotency-Key", "n")], body);
            assert!(answer.status < 500, "{verb} {path} {body}: {answer:?}");
        }
    }
    let get = |path: &str| live.send("GET", path, &[], "");
    problem(&get("/v1/nothing"), 404, "unknown-address");
    problem(&get("/v1/plan"), 405, "wrong-method");
    for path in [
        "/v1/jobs/99",
        "/v1/jobs/x",
        "/v1/jobs/-1",
        "/v1/jobs/99999999999999999999999",
        "/v1/jobs/9223372036854775808",
        "/v1/jobs/0/explain",
    ] {
        problem(&get(path), 404, "unknown-job");
    }
    problem(&get("/v1/jobs/%ff"), 400, "bad-request");
    for query in ["?limit=x", "?nothing=1", "?state=asleep", "?before=-1", "?before=9223372036854775808"] {
        problem(&get(&format!("/v1/jobs{query}")), 400, "unreadable");
    }
    let post = |body: &str| live.send("POST", "/v1/jobs", &[], body);
    problem(&post("{"), 400, "unreadable");
    problem(&post(&format!("{{\"run\": \"{}\"}}", "x".repeat(2 << 20))), 413, "payload-too-large");
    let long = "k".repeat(300);
    problem(&live.send("POST", "/v1/jobs", &[("Idempotency-Key", &long)], HELLO), 400, "unreadable");
    assert_eq!(get("/v1/jobs").json()["jobs"], json!([]), "nothing of it became a job");
}

#[test]
fn every_fault_of_a_job_is_named_with_its_remedy() {
    let live = Live::start();
    let body = json!({"project": "dmo", "run": "", "limit": "2 parsecs", "resources": {"accelerators": "H100:8", "cpus": 0}});
    let answer = live.send("POST", "/v1/jobs", &[], &body.to_string());
    let body = problem(&answer, 422, "faulty-job");
    let fields: Vec<&str> =
        body["faults"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["run", "limit", "resources.cpus"], "form first");
    let body =
        json!({"project": "dmo", "run": "true", "data": ["scans"], "resources": {"accelerators": "H100:8"}});
    let body = body.to_string();
    let body = problem(&live.send("POST", "/v1/jobs", &[], &body), 422, "faulty-job");
    let helps: Vec<&str> =
        body["faults"].as_array().unwrap().iter().map(|fault| fault["help"].as_str().unwrap()).collect();
    let data = "drop `data`: no data is registered here";
    assert_eq!(helps, ["name one of `demo`, `try-out`, `clinic`", "name one of `virtual`", data]);
    let late = json!({"project": "demo", "run": "true", "deadline": "2020-01-01"}).to_string();
    let plan = live.send("POST", "/v1/plan", &[], &late).json();
    assert!(plan["refused"].to_string().contains("deadline"), "{plan}");
}

#[test]
fn the_same_request_leads_to_one_job() {
    let mut live = Live::start();
    let key = [("Idempotency-Key", "one")];
    let first = live.send("POST", "/v1/jobs", &key, HELLO);
    assert_eq!((first.status, &first.json()["replayed"]), (201, &json!(false)));
    let again = live.send("POST", "/v1/jobs", &key, HELLO);
    assert_eq!(
        (again.status, &again.json()["replayed"], &again.json()["id"]),
        (200, &json!(true), &first.json()["id"])
    );
    let spaced = r#"{ "run" : "echo hello", "project" : "demo" }"#;
    assert_eq!(live.send("POST", "/v1/jobs", &key, spaced).status, 200, "what counts is what is asked for");
    let other = r#"{"project":"demo","run":"echo other"}"#;
    problem(&live.send("POST", "/v1/jobs", &key, other), 422, "other-request");

    let ids: Vec<u64> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    live.send("POST", "/v1/jobs", &[("Idempotency-Key", "many")], HELLO).json()["id"]
                        .as_u64()
                        .unwrap()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    live.kill_and_start();
    let later = live.send("POST", "/v1/jobs", &[("Idempotency-Key", "many")], HELLO);
    assert_eq!((later.status, later.json()["id"].as_u64()), (200, Some(ids[0])), "also after a crash");
    assert_eq!(live.send("GET", "/v1/jobs", &[], "").json()["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_user_sees_and_charges_only_its_projects() {
    let mut live = Live::start();
    let made = live.send("POST", "/v1/keys", &[], r#"{"name":"anna","role":"user","projects":["clinic"]}"#);
    assert_eq!(made.status, 201, "{made:?}");
    let bearer = format!("Bearer {}", made.json()["token"].as_str().unwrap());
    let hers = live.submit(r#"{"project":"clinic","run":"true"}"#);
    let other = live.submit(HELLO);
    let anna = |live: &Live, verb: &str, path: &str, body: &str| {
        live.send_bare(verb, path, &[("Authorization", bearer.as_str())], body)
    };
    let listed = anna(&live, "GET", "/v1/jobs", "").json();
    let ids: Vec<&Value> = listed["jobs"].as_array().unwrap().iter().map(|job| &job["id"]).collect();
    assert_eq!(ids, [&json!(hers)]);
    assert_eq!(anna(&live, "GET", &format!("/v1/jobs/{hers}"), "").status, 200);
    for path in ["", "/explain", "/logs", "/forecast"] {
        let answer = anna(&live, "GET", &format!("/v1/jobs/{other}{path}"), "");
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    problem(&anna(&live, "POST", &format!("/v1/jobs/{other}/cancel"), ""), 404, "unknown-job");
    problem(&anna(&live, "POST", "/v1/jobs", HELLO), 403, "forbidden");
    problem(&anna(&live, "POST", "/v1/plan", HELLO), 403, "forbidden");
    let own = anna(&live, "POST", "/v1/jobs", r#"{"run":"true"}"#);
    assert_eq!(own.status, 201, "her only project need not be named: {own:?}");
    problem(&anna(&live, "GET", "/v1/keys", ""), 403, "forbidden");
    problem(&anna(&live, "POST", "/v1/keys", r#"{"name":"x","role":"operator"}"#), 403, "forbidden");
    problem(&anna(&live, "DELETE", "/v1/keys/giga-up:operator", ""), 403, "forbidden");

    problem(
        &live.send("POST", "/v1/keys", &[], r#"{"name":"anna","role":"user","projects":["*"]}"#),
        409,
        "name-taken",
    );
    let none = live.send("POST", "/v1/keys", &[], r#"{"name":"berta","role":"user"}"#);
    let fault = problem(&none, 422, "faulty-key")["faults"][0].clone();
    assert_eq!(fault["field"], "projects", "none is not all: {fault}");
    problem(
        &live.send("POST", "/v1/keys", &[], r#"{"name":"b c","role":"user","projects":["x"]}"#),
        422,
        "faulty-key",
    );
    problem(&live.send("DELETE", "/v1/keys/giga-up:operator", &[], ""), 403, "forbidden");
    let listed = live.send("GET", "/v1/keys", &[], "").json();
    assert!(!listed.to_string().contains("token\""), "{listed}");
    live.kill_and_start();
    assert_eq!(anna(&live, "GET", "/v1/jobs", "").status, 200, "keys outlive a crash");
    assert_eq!(live.send("DELETE", "/v1/keys/anna", &[], "").status, 204);
    problem(&anna(&live, "GET", "/v1/jobs", ""), 401, "no-token");
    problem(&live.send("DELETE", "/v1/keys/anna", &[], ""), 404, "unknown-key");
}

#[test]
fn the_way_of_a_job_from_plan_to_end() {
    let live = Live::start();
    let plan = |body: &str| live.send("POST", "/v1/plan", &[], body).json();
    assert_eq!(plan(HELLO)["starts"], json!({"when": "now"}));
    let holders: Vec<u64> = (0..3).map(|_| live.submit(&whole_site("sleep 60"))).collect();
    assert_eq!(plan(HELLO)["starts"]["when"], "waits", "all three sites are held");
    let large = json!({"project": "demo", "run": "true", "resources": {"accelerators": 9}}).to_string();
    let refused = plan(&large)["refused"].as_str().unwrap().to_owned();
    assert_eq!(refused, "the largest pool it could use has 8 accelerators");
    assert_eq!(live.send("POST", "/v1/jobs", &[], &large).json()["state"], "refused");

    let waiting = live.submit(&whole_site("echo one; echo two >&2; exit 3"));
    let told = live.send("GET", &format!("/v1/jobs/{waiting}/explain"), &[], "").json();
    assert!(told["sentences"][0].as_str().unwrap().starts_with("waits: "), "{told}");
    live.wait(holders[0], &["running"]);
    let stopping = live.send("POST", &format!("/v1/jobs/{}/cancel", holders[0]), &[], "");
    assert_eq!(stopping.status, 200, "{stopping:?}");
    assert_eq!(
        live.send("POST", &format!("/v1/jobs/{}/cancel", holders[0]), &[], "").status,
        200,
        "twice is no mistake"
    );
    assert_eq!(live.wait(holders[0], &["cancelled"])["exit"], "it was stopped");

    let failed = live.wait(waiting, &["failed"]);
    assert_eq!((&failed["exit"], &failed["attempts"]), (&json!("exit code 3"), &json!(1)));
    let log =
        |stream: &str| live.send("GET", &format!("/v1/jobs/{waiting}/logs?stream={stream}"), &[], "").json();
    assert_eq!((&log("stdout")["text"], &log("stdout")["over"]), (&json!("one\n"), &json!(true)));
    assert_eq!(log("stderr")["text"], "two\n");
    let over = live.send("POST", &format!("/v1/jobs/{waiting}/cancel"), &[], "");
    problem(&over, 409, "job-over");
    let lost = live.submit(r#"{"project":"demo","run":["no-such-program"],"resources":{"accelerators":8}}"#);
    let text = live.wait(lost, &["failed"])["exit"].as_str().unwrap().to_owned();
    assert!(text.contains("no-such-program"), "{text}");
    let slow =
        live.submit(r#"{"project":"demo","run":"sleep 30","limit":"1 s","resources":{"accelerators":8}}"#);
    assert_eq!(live.wait(slow, &["timed-out"])["exit"], "it reached its limit");
}

#[test]
fn output_is_followed_over_a_crash_and_events_are_told() {
    let mut live = Live::start();
    let bearer = format!("Bearer {}", live.access.token);
    let stream = live.open("GET", "/v1/events", &[("Authorization", &bearer), ("Last-Event-ID", "0")], "");
    let job = live.submit(r#"{"project":"demo","run":"for n in 1 2 3 4 5 6; do echo $n; sleep 0.3; done"}"#);
    let mut follower = giga()
        .args(["job", "logs", &job.to_string(), "-f"])
        .env("GIGA_HOME", live.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(follower.stdout.take().unwrap());
    let mut followed = String::new();
    output.read_line(&mut followed).unwrap();
    let lines = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let kinds: Vec<String> = lines.take(2).map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["submitted", "started"]);
    // The same port, so that who follows finds it again.
    let port = live.access.url.rsplit_once(':').unwrap().1.to_owned();
    live.kill_and_start_at(&port);
    live.wait(job, &["completed"]);
    output.read_to_string(&mut followed).unwrap();
    assert_eq!(followed, "1\n2\n3\n4\n5\n6\n");
    assert!(follower.wait().unwrap().success());
}

#[test]
fn a_server_begins_only_where_it_may() {
    let live = Live::start();
    let ends = |code: i32, arguments: &[&str], expected: &str| {
        let output = giga().args(["up"]).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
    };
    let refused = |arguments: &[&str], expected: &str| ends(2, arguments, expected);
    let here = live.folder.path().to_str().unwrap();
    let other = tempfile::tempdir().unwrap();
    let there = other.path().to_str().unwrap();
    // What may pass is worth another try by a service manager.
    ends(1, &["--data", here, "--listen", "127.0.0.1:0"], "another server works in");
    refused(&["--data", there, "--listen", "0.0.0.0:0"], "can be reached from other machines");
    assert!(!other.path().join("giga.db").exists(), "nothing was begun");
    let taken = live.access.url.trim_start_matches("http://");
    ends(1, &["--data", there, "--listen", taken], "can not be listened on");
    refused(&["--data", there, "--store", "mysql://x"], "a store is named as `postgres://");
    let shared = tempfile::tempdir().unwrap();
    std::fs::write(shared.path().join("notes.txt"), "").unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(shared.path(), open).unwrap();
    refused(&["--data", shared.path().to_str().unwrap(), "--listen", "127.0.0.1:0"], "open to others");
    refused(&["--data", there, "nothing.toml"], "`nothing.toml` can not be read");
    let narvik = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/narvik.toml");
    refused(&["--data", there, "--listen", "127.0.0.1:0", narvik], "site `narvik` has no engine");
    if !std::path::Path::new("/proc/driver/nvidia").exists() {
        let other = tempfile::tempdir().unwrap();
        let there = other.path().to_str().unwrap();
        let beside = tempfile::tempdir().unwrap();
        let file = beside.path().join("nvidia.toml");
        let text = include_str!("../src/up/local.toml");
        std::fs::write(&file, text.replace("engine = \"local\"", "engine = \"local-nvidia\"")).unwrap();
        let file = file.to_str().unwrap();
        refused(
            &["--data", there, "--listen", "127.0.0.1:0", file],
            "this machine has 0 NVIDIA devices left",
        );
    }
    let mut live = live;
    assert!(live.end("TERM"));
    let text = include_str!("../src/up/local.toml").replace("priority = 10", "priority = 11");
    let file = live.folder.path().join("other.toml");
    std::fs::write(&file, text).unwrap();
    let folder = live.folder.path().to_str().unwrap().to_owned();
    refused(
        &["--data", &folder, "--listen", "127.0.0.1:0", file.to_str().unwrap()],
        "was begun with another description",
    );
}

#[test]
fn a_restart_knows_what_was_known() {
    let mut live = Live::start();
    let holders: Vec<u64> = (0..3).map(|_| live.submit(&whole_site("sleep 60"))).collect();
    live.submit(&whole_site("true"));
    holders.iter().for_each(|job| drop(live.wait(*job, &["running"])));
    let picture = |live: &Live| {
        let of = |path: &str| live.send("GET", path, &[], "").json();
        (of("/v1/jobs"), of("/v1/sites"), of("/v1/jobs/3/explain")["state"].clone())
    };
    let before = picture(&live);
    live.kill_and_start();
    assert_eq!(picture(&live), before, "from the journal alone");
    live.stop_and_start();
    assert_eq!(picture(&live), before, "from a snapshot");
    assert!(live.end("TERM"));
    let snapshots = std::fs::read_dir(live.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let snapshots: Vec<_> = snapshots.filter(|path| path.to_string_lossy().contains("snapshot-")).collect();
    assert!(!snapshots.is_empty());
    snapshots.iter().for_each(|path| std::fs::write(path, "torn").unwrap());
    live.stop_and_start();
    assert_eq!(picture(&live), before, "where the snapshots are torn");
    let output = live.verb(&["jobs", "--json"]);
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 4);
}

#[test]
fn a_federation_keeps_the_defaults_it_began_with() {
    let mut live = Live::start();
    let price =
        |live: &Live| live.send("GET", "/v1/sites", &[], "").json()["sites"][0]["electricity_price"].clone();
    let before = price(&live);
    assert!(live.end("TERM"));
    // As an earlier version with another default would have left it.
    let connection = rusqlite::Connection::open(live.folder.path().join("giga.db")).unwrap();
    let kept: String = connection
        .query_row("SELECT value FROM about WHERE name = 'expanded'", [], |row| row.get(0))
        .unwrap();
    let other =
        kept.replacen("electricity_price = \"55.7 EUR/MWh\"", "electricity_price = \"44 EUR/MWh\"", 1);
    assert_ne!(kept, other);
    connection.execute("UPDATE about SET value = ?1 WHERE name = 'expanded'", [other]).unwrap();
    drop(connection);
    live.stop_and_start();
    assert_eq!((before, price(&live)), (json!("5.57 ct/kWh"), json!("4.4 ct/kWh")));
}
