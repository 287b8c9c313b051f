//! HTTP by hand: a request as text, and an answer where it came whole. A test loses connections and sends nonsense as no
//! client would.

/// An answer that came whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its content type, or nothing where it has none.
    pub(crate) kind: String,
    pub(crate) body: String,
}

/// A request on a connection that is closed behind it.
pub(crate) fn request(method: &str, path: &str, host: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// The answer, unless the connection broke in the middle of it. One without a length has no body.
pub(crate) fn whole(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let value = |wanted: &str| {
        let pairs = head.lines().filter_map(|line| line.split_once(':'));
        let mut found = pairs.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    let length = value("content-length").map_or(Some(0), |length| length.parse::<usize>().ok())?;
    let kind = value("content-type").unwrap_or_default();
    (body.len() == length).then(|| Answer { status, kind, body: body.to_owned() })
}
