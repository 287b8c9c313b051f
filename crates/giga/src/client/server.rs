//! One server over HTTP: sends a request with the token, and gives the answer or the refusal.
//!
//! It follows no redirect and uses no proxy, so that the token goes where the address says and nowhere else.

use std::io::{BufReader, Read};
use std::time::Duration;

use giga_engine::tls;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::Refused;
use super::reach::{Reach, Way, is_here};

/// Longest answer that is read.
const ANSWER_MAX: u64 = 64 << 20;
/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an open stream may be silent. A server that has nothing to say still sends a sign of life.
const SILENCE: Duration = Duration::from_secs(60);

/// A server and what opens it.
pub(super) struct Server {
    agent: Agent,
    way: Way,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Server {
    /// Finds out how the server is reached; nothing is sent yet.
    pub(super) fn open(reach: &Reach) -> Result<Self, Refused> {
        let way = reach.way()?;
        if !way.url.starts_with("https://") && !is_here(&way.url) {
            eprintln!(
                "giga: warning: the token goes to `{}` unencrypted; better use `https` or a tunnel",
                way.url
            );
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(SILENCE))
            .user_agent(concat!("giga/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls::trusting(&way.url))
            .build();
        Ok(Self { agent: config.new_agent(), way })
    }

    /// Asks for something.
    pub(super) fn get(&self, path: &str) -> Result<String, Refused> {
        self.settle(self.agent.get(self.at(path)).header("authorization", self.bearer()).call())
    }

    /// Takes something away.
    pub(super) fn delete(&self, path: &str) -> Result<String, Refused> {
        self.settle(self.agent.delete(self.at(path)).header("authorization", self.bearer()).call())
    }

    /// Sends a body.
    pub(super) fn post(&self, path: &str, body: &str) -> Result<String, Refused> {
        self.settle(self.send(path, body, None))
    }

    /// Sends bytes as they are.
    pub(super) fn hand_in(&self, path: &str, bytes: &[u8]) -> Result<String, Refused> {
        let request = self.agent.post(self.at(path)).header("authorization", self.bearer());
        self.settle(request.header("content-type", "application/octet-stream").send(bytes))
    }

    /// Sends a body under a key, once: the same key again leads to nothing new.
    pub(super) fn post_once(&self, path: &str, body: &str, key: &str) -> Result<Answer, Refused> {
        self.whole(self.send(path, body, Some(key)))
    }

    /// Opens a stream of events, behind the event of this id.
    pub(super) fn events(
        &self,
        path: &str,
        last: Option<&str>,
    ) -> Result<BufReader<impl Read + use<>>, Refused> {
        let request = self.agent.get(self.at(path)).header("authorization", self.bearer());
        let request = request.header("accept", "text/event-stream");
        let request = match last {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let answer = request.call().map_err(|error| self.lost(error))?;
        if answer.status().as_u16() == 200 {
            return Ok(BufReader::new(answer.into_body().into_reader()));
        }
        let Answer { status, text } = self.whole(Ok(answer))?;
        Err(Refused::Answer { status, text })
    }

    /// Opens what is sent as it is.
    pub(super) fn bytes(&self, path: &str) -> Result<impl Read + use<>, Refused> {
        let request = self.agent.get(self.at(path)).header("authorization", self.bearer());
        let answer = request.call().map_err(|error| self.lost(error))?;
        if answer.status().as_u16() == 200 {
            return Ok(answer.into_body().into_reader());
        }
        let Answer { status, text } = self.whole(Ok(answer))?;
        Err(Refused::Answer { status, text })
    }

    fn send(&self, path: &str, body: &str, key: Option<&str>) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.post(self.at(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/json");
        match key {
            Some(key) => request.header("idempotency-key", key).send(body),
            None => request.send(body),
        }
    }

    fn settle(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<String, Refused> {
        let Answer { status, text } = self.whole(answer)?;
        if (200..300).contains(&status) { Ok(text) } else { Err(Refused::Answer { status, text }) }
    }

    fn whole(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Answer, Refused> {
        let mut answer = answer.map_err(|error| self.lost(error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).lossy_utf8(true);
        let text = body.read_to_string().map_err(|error| self.lost(error))?;
        Ok(Answer { status, text })
    }

    fn lost(&self, error: ureq::Error) -> Refused {
        Refused::Lost { url: self.way.url.clone(), error }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.way.url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.way.token)
    }
}

/// A text as a part of a path or a query: all but plain letters and digits becomes `%` and two digits.
pub(super) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        plain if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => char::from(plain).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn names_can_not_change_the_path() {
        assert_eq!(encoded("ci-1.x_y~"), "ci-1.x_y~");
        assert_eq!(encoded("a/../b?c d"), "a%2F..%2Fb%3Fc%20d");
        assert_eq!(encoded("ü"), "%C3%BC");
    }
}
