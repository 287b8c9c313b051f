//! What surrounds the sections of a page: head, style, script, the way to each section.

use super::tag::{Tag, classed, said, tag};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a browser is told before anything else. The page may load nothing, and apply and run nothing but the style and
/// the script of these digests (SHA-256).
const META: &str = concat!(
    "<meta charset=\"utf-8\">",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    "<meta name=\"color-scheme\" content=\"light dark\">",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; ",
    "style-src 'sha256-0pRxiMRq3LSl/wEOFyy9tx23YFUVX6TObXhgzpHGQbQ='; ",
    "script-src 'sha256-7UHRcDy//W6o88k3ZMUbvDnhmpObbBd6v2b04JPJ3dU='\">",
);

/// Patterns beside the colours of losses and jobs, so that no colour alone tells them apart.
const PATTERNS: [(&str, &str, &str); 5] = [
    ("hatch", "lost-fragmentation", "M-1 1l2-2M0 6l6-6M5 7l2-2"),
    ("dots", "lost-power", "M2 2h1.5M5 5h1.5"),
    ("bands", "lost-maintenance", "M0 1.5h6M0 4.5h6"),
    ("crosses", "lost-recall", "M0 0l6 6M6 0l-6 6"),
    ("again", "job", "M-1 5l2 2M0 0l6 6M5-1l2 2"),
];

/// A section, and how it is called in the list of them.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) tag: Tag,
}

impl Section {
    pub(crate) fn new(id: &str, name: &str, tag: Tag) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), tag }
    }
}

/// A whole page.
pub(crate) fn page(title: &str, top: Tag, sections: &[Section]) -> String {
    let head = tag("head").raw(META).put(said("title", title)).put(tag("style").raw(STYLE));
    let main =
        tag("main").put(top).put(ways(sections)).all(sections.iter().map(|section| section.tag.clone()));
    let tip = tag("div").set("id", "tip").set("role", "status").set("hidden", "");
    let body = tag("body").put(patterns()).put(theme()).put(main).put(tip).put(tag("script").raw(SCRIPT));
    format!("<!doctype html>\n{}\n", tag("html").set("lang", "en").put(head).put(body))
}

fn ways(sections: &[Section]) -> Tag {
    let way = |section: &Section| said("a", &section.name).set("href", format_args!("#{}", section.id));
    let all = sections.iter().map(|section| tag("li").put(way(section)));
    tag("nav").set("aria-label", "sections").put(tag("ul").all(all))
}

/// The switch between light and dark; without the script the page keeps to what the system prefers.
fn theme() -> Tag {
    said("button", "light / dark").set("id", "theme").set("type", "button").set("hidden", "")
}

fn patterns() -> Tag {
    let pattern = |(id, class, path): (&str, &str, &str)| {
        tag("pattern")
            .set("id", id)
            .set("width", 6)
            .set("height", 6)
            .set("patternUnits", "userSpaceOnUse")
            .put(classed("rect", class).set("width", 6).set("height", 6))
            .put(classed("path", "weave").set("d", path))
    };
    let all = tag("defs").all(PATTERNS.map(pattern));
    classed("svg", "patterns").set("width", 0).set("height", 0).set("aria-hidden", "true").put(all)
}
