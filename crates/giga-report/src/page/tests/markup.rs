//! A reader of our own pages that takes nothing amiss: every element has to be closed in its turn, every attribute to
//! be quoted. It knows no more of HTML than our pages use.

use sha2::{Digest as _, Sha256};

/// An element with what is inside it; text is an element without a name.
#[derive(Debug)]
pub(super) struct Markup {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    inside: Vec<Markup>,
    words: String,
}

/// Elements that are never closed.
const VOID: [&str; 1] = ["meta"];
/// Elements in which nothing is an element.
const RAW: [&str; 2] = ["style", "script"];

impl Markup {
    /// The whole of a page.
    pub(super) fn read(page: &str) -> Self {
        let mut rest = page.strip_prefix("<!doctype html>\n").expect("a page says what it is");
        let mut open = vec![Self::new("page")];
        while !rest.is_empty() {
            rest = step(rest, &mut open);
        }
        assert_eq!(open.len(), 1, "`{}` is not closed", open.last().expect("the page").name);
        open.pop().expect("the page")
    }

    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), inside: Vec::new(), words: String::new() }
    }

    /// All elements inside, in the order of the page.
    pub(super) fn everything(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        let below = self.inside.iter().filter(|tag| !tag.name.is_empty());
        Box::new(below.flat_map(|tag| std::iter::once(tag).chain(tag.everything())))
    }

    /// All elements of a name inside.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.everything().filter(move |tag| tag.name == name)
    }

    /// An attribute, or nothing.
    pub(super) fn attribute(&self, key: &str) -> &str {
        self.attributes.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// All text inside, with a blank between elements.
    pub(super) fn text(&self) -> String {
        if self.name.is_empty() || RAW.contains(&self.name.as_str()) {
            return self.words.clone();
        }
        self.inside.iter().map(Self::text).collect::<Vec<_>>().join(if self.inside.len() > 1 {
            " "
        } else {
            ""
        })
    }
}

/// Reads one tag or text, and gives what is left.
fn step<'a>(rest: &'a str, open: &mut Vec<Markup>) -> &'a str {
    let last = open.last_mut().expect("the page is open");
    if RAW.contains(&last.name.as_str()) && !rest.starts_with("</") {
        let end = rest.find("</").expect("it ends");
        last.words = rest[..end].to_owned();
        return &rest[end..];
    }
    if let Some(closed) = rest.strip_prefix("</") {
        let (name, rest) = closed.split_once('>').expect("a tag ends");
        let tag = open.pop().expect("something is open");
        assert_eq!(tag.name, name, "closed in turn");
        open.last_mut().expect("the page stays open").inside.push(tag);
        return rest;
    }
    if let Some(tag) = rest.strip_prefix('<') {
        let (tag, rest) = opened(tag);
        if VOID.contains(&tag.name.as_str()) {
            last.inside.push(tag);
        } else {
            open.push(tag);
        }
        return rest;
    }
    let end = rest.find('<').unwrap_or(rest.len());
    assert!(!rest[..end].contains('>'), "a bare `>` in `{}`", &rest[..end]);
    last.inside.push(Markup { words: unescaped(&rest[..end]), ..Markup::new("") });
    &rest[end..]
}

/// A tag behind its `<`: the name and `key="value"` for each attribute.
fn opened(text: &str) -> (Markup, &str) {
    let name = text.find([' ', '>']).expect("a tag has an end");
    let mut tag = Markup::new(&text[..name]);
    let letters = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    assert!(!tag.name.is_empty() && letters(&tag.name), "`{}` is a name", tag.name);
    let mut rest = &text[name..];
    while let Some(attribute) = rest.strip_prefix(' ') {
        let (key, value) = attribute.split_once("=\"").expect("an attribute is quoted");
        let (value, behind) = value.split_once('"').expect("a quote ends");
        assert!(letters(key) && !value.contains('<'), "`{key}` is `{value}`");
        assert!(tag.attributes.iter().all(|(known, _)| known != key), "`{key}` is set twice");
        tag.attributes.push((key.to_owned(), unescaped(value)));
        rest = behind;
    }
    (tag, rest.strip_prefix('>').expect("a tag ends"))
}

fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let bare = named.iter().fold(text.to_owned(), |text, (escape, _)| text.replace(escape, ""));
    assert!(!bare.contains('&'), "a bare `&` in `{text}`");
    named.iter().fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

/// The SHA-256 of a text as policies of pages write it.
pub(super) fn digest(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(bytes);
    let mut out = String::new();
    for three in digest.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}
