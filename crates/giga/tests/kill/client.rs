//! One request on one connection, over plain sockets, so that a connection can be lost where the test wants it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use giga_formats::access;

pub(crate) use crate::wire::Answer;
use crate::wire::{request, whole};

/// How long one answer may take. A server that is being killed never answers; one that lives does at once.
const ANSWER: Duration = Duration::from_secs(20);
/// Between two tries at a server that is not there.
const AGAIN: Duration = Duration::from_millis(5);
/// How long a request may go unanswered over all tries, while servers come and go.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request as it is sent, as often as it takes.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) word: Option<String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), word: None, body: String::new() }
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self { method: "POST", path: path.into(), word: None, body: String::new() }
    }

    /// Sends it to whatever server the folder names; nothing where no whole answer came.
    pub(crate) fn once(&self, data: &Path) -> Option<Answer> {
        let mut stream = self.begin(data)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        whole(&bytes)
    }

    /// Sends it and hangs up: whether it was taken nobody hears.
    pub(crate) fn hang_up(&self, data: &Path) {
        // A server that is not there takes nothing, which is as good.
        drop(self.begin(data).map(|stream| stream.shutdown(Shutdown::Both)));
    }

    /// Sends the same until it is answered for good.
    pub(crate) fn until_answered(&self, data: &Path) -> Answer {
        let from = Instant::now();
        loop {
            // 503 asks to send it again; 401 is another program that was given the port of a killed server.
            if let Some(answer) = self.once(data).filter(|answer| ![401, 503].contains(&answer.status)) {
                return answer;
            }
            assert!(from.elapsed() < PATIENCE, "{} {} was never answered", self.method, self.path);
            std::thread::sleep(AGAIN);
        }
    }

    fn begin(&self, data: &Path) -> Option<TcpStream> {
        let access = access::read(data).ok()?;
        let host = access.url.strip_prefix("http://")?;
        let mut stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(ANSWER)).ok()?;
        let Self { method, path, word, body } = self;
        let bearer = format!("Bearer {}", access.token);
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(word.as_ref().map(|word| ("Idempotency-Key", word.as_str())));
        stream.write_all(request(method, path, host, &headers, body).as_bytes()).ok()?;
        Some(stream)
    }
}

#[test]
fn half_an_answer_is_none() {
    let check = |text: &str, expected: Option<(u16, &str)>| {
        let found = whole(text.as_bytes()).map(|answer| (answer.status, answer.body));
        assert_eq!(found, expected.map(|(status, body)| (status, body.to_owned())), "{text}");
    };
    check("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", Some((201, "{}")));
    check("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{", None);
    check("HTTP/1.1 201 Created\r\ncontent-le", None);
    check("", None);
}
