//! Bodies as they look on the wire, and the places of pieces of output.

use giga_units::Instant;
use serde::Serialize;

use super::*;

fn stamp(text: &str) -> Stamp {
    Stamp(Instant::parse(text).expect("a date"))
}

/// A value is written as this JSON and read back from it.
#[track_caller]
fn check<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, json: &str) {
    assert_eq!(serde_json::to_string(value).expect("plain values"), json);
    assert_eq!(&serde_json::from_str::<T>(json).expect("its own JSON"), value);
}

#[test]
fn times_have_milliseconds_always() {
    check(&stamp("2027-01-01"), "\"2027-01-01T00:00:00.000Z\"");
    check(&stamp("2027-01-01T10:00:00.5+02:00"), "\"2027-01-01T08:00:00.500Z\"");
    check(&Stamp(Instant::unix_milliseconds(-1)), "\"1969-12-31T23:59:59.999Z\"");
    assert_eq!(Stamp(Instant::FAR).to_string(), "never");
    assert!(serde_json::from_str::<Stamp>("\"soon\"").is_err());
}

#[test]
fn words_are_written_with_dashes_and_read_back() {
    check(&JobState::TimedOut, "\"timed-out\"");
    check(&Role::Operator, "\"operator\"");
    check(&Starts::Now, "{\"when\":\"now\"}");
    let waits = Starts::Waits { reason: "it is full".into(), room_at: None };
    check(&waits, "{\"when\":\"waits\",\"reason\":\"it is full\",\"room_at\":null}");
    check(&JobEventKind::Interrupted, "\"interrupted\"");
    for state in JobState::ALL {
        assert_eq!(serde_json::to_string(&state).expect("a word"), format!("\"{}\"", state.word()));
        assert_eq!(JobState::parse(state.word()), Ok(state));
    }
    for role in [Role::User, Role::Operator] {
        assert_eq!(serde_json::to_string(&role).expect("a word"), format!("\"{}\"", role.word()));
    }
}

#[test]
fn a_problem_needs_only_its_status() {
    let bare: Problem = serde_json::from_str("{\"status\": 404}").expect("a problem");
    assert_eq!((bare.kind.as_str(), bare.status), ("about:blank", 404));
    let faults = vec![FieldFault { field: "run".into(), message: "m".into(), help: "h".into() }];
    let kind = "/problems/faulty-job".to_owned();
    let whole = Problem { kind, title: "t".into(), status: 422, detail: "d".into(), instance: None, faults };
    check(
        &whole,
        "{\"type\":\"/problems/faulty-job\",\"title\":\"t\",\"status\":422,\"detail\":\"d\",\
         \"faults\":[{\"field\":\"run\",\"message\":\"m\",\"help\":\"h\"}]}",
    );
}

#[test]
fn states_are_asked_for_with_commas() {
    let query = |state: &str| JobQuery { state: Some(state.into()), ..JobQuery::default() }.states();
    assert_eq!(query("waiting, timed-out"), Ok(vec![JobState::Waiting, JobState::TimedOut]));
    assert_eq!(JobQuery::default().states(), Ok(vec![]));
    assert!(query("done").is_err_and(|error| error.to_string().contains("`completed`")));
}

#[test]
fn a_token_is_in_no_debug_text() {
    let created = stamp("2027-01-01");
    let token = Some("secret".to_owned());
    let key = KeyView { name: "k".into(), role: Role::User, projects: vec![], created, token };
    assert!(!format!("{key:?}").contains("secret"));
}

#[test]
fn a_cut_character_waits_for_its_rest() {
    let piece = |bytes: &[u8], over| {
        let piece = LogPiece::of(LogStream::Stdout, 1, 100, bytes, over);
        (piece.text, piece.next)
    };
    assert_eq!(piece("grün".as_bytes(), false), ("grün".into(), 105));
    assert_eq!(piece(b"gr\xc3", false), ("gr".into(), 102));
    assert_eq!(piece(b"gr\xe2\x82", false), ("gr".into(), 102));
    assert_eq!(piece(b"gr\xc3", true), ("gr\u{fffd}".into(), 103));
    assert_eq!(piece(b"gr\xff", false), ("gr\u{fffd}".into(), 103));
    assert_eq!(piece(b"", false), (String::new(), 100));
}
