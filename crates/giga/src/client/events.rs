//! Server-sent events as they come over the line (WHATWG HTML, "Server-sent events").

use std::io::{self, BufRead};

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name; empty where it has none.
    pub(super) name: String,
    /// The latest id up to it.
    pub(super) id: Option<String>,
    /// Its body.
    pub(super) data: String,
}

/// Reads events from a stream.
pub(super) struct Events<R> {
    lines: R,
    id: Option<String>,
}

impl<R: BufRead> Events<R> {
    pub(super) fn new(lines: R) -> Self {
        Self { lines, id: None }
    }

    /// The next event, or `None` at the end of the stream. One that is broken off does not count.
    pub(super) fn next(&mut self) -> io::Result<Option<Event>> {
        let (mut name, mut data) = (String::new(), Vec::<String>::new());
        loop {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if data.is_empty() {
                    name.clear();
                    continue;
                }
                return Ok(Some(Event { name, id: self.id.clone(), data: data.join("\n") }));
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push(value.to_owned()),
                "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
                // Also comments, whose field is empty: the server's signs of life.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream holds these events, as name, id and data.
    #[track_caller]
    fn check(stream: &str, expected: &[(&str, Option<&str>, &str)]) {
        let mut events = Events::new(stream.as_bytes());
        for (name, id, data) in expected {
            let event = Event { name: (*name).into(), id: id.map(str::to_owned), data: (*data).into() };
            assert_eq!(events.next().expect("a sound stream"), Some(event));
        }
        assert_eq!(events.next().expect("a sound stream"), None);
    }

    #[test]
    fn events_have_a_name_an_id_and_a_body() {
        check("event: log\nid: 1:7\ndata: {}\n\n", &[("log", Some("1:7"), "{}")]);
        check("data:a\r\ndata: b\r\n\r\ndata\n\n", &[("", None, "a\nb"), ("", None, "")]);
        check("id: 3\ndata: a\n\ndata: b\n\n", &[("", Some("3"), "a"), ("", Some("3"), "b")]);
    }

    #[test]
    fn signs_of_life_and_pieces_are_no_events() {
        check(": alive\n\n:\n\nretry: 10\n\n", &[]);
        check("event: log\n\ndata: a\n\n", &[("", None, "a")]);
        check("data: a\n\ndata: broken off\n", &[("", None, "a")]);
        check("data: a\n\ndata: broken", &[("", None, "a")]);
    }
}
