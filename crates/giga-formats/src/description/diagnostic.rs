//! What is wrong with a file, as plain values and as text that points at the place.
//!
//! Every fault of a file is kept until the whole file is read. Nothing here knows what a fault means: message and
//! remedy come from the enum of the operation that found it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One fault with its place and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as the caller called it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Path of the key, such as `site[0].phase[1].power`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    excerpt: Excerpt,
}

/// The line that a diagnostic shows, with the marked part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    line: String,
    marked: Range<usize>,
}

/// All faults of a file in the order of their places, then those of the files it names; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Diagnostic>);

impl Faults {
    /// The faults as values.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// All faults as plain text, each with the line it is on and a `help:` line.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for diagnostic in &self.0 {
            text.push_str(&diagnostic.render());
            text.push_str("\n\n");
        }
        let count = self.0.len();
        let mut files: Vec<&str> = self.0.iter().map(|diagnostic| diagnostic.file.as_str()).collect();
        files.dedup();
        let plural = if count == 1 { "" } else { "s" };
        let _ = writeln!(text, "{count} fault{plural} in {}", files.join(", "));
        text
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render())
    }
}

impl std::error::Error for Faults {}

impl Diagnostic {
    /// The fault as plain text with the line it is on.
    #[must_use]
    pub fn render(&self) -> String {
        let snippet = Snippet::source(self.excerpt.line.as_str())
            .line_start(self.line)
            .path(self.file.as_str())
            .annotation(AnnotationKind::Primary.span(self.excerpt.marked.clone()));
        let group = Level::ERROR.primary_title(self.message.as_str()).element(snippet);
        Renderer::plain().render(&[group.element(Level::HELP.message(self.help.as_str()))])
    }
}

/// What a fault of any operation can say about itself.
pub(crate) trait Explain: std::fmt::Display {
    /// How to mend it.
    fn help(&self) -> String;
}

/// Faults as they are found, before the places are counted in lines.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    own: Vec<Finding>,
    /// Those of further files, whose places are known already.
    elsewhere: Vec<Diagnostic>,
}

/// A place in a further file.
#[derive(Debug, Clone)]
pub(crate) struct Elsewhere<'p> {
    pub(crate) file: &'p str,
    pub(crate) text: &'p str,
    /// From 1.
    pub(crate) line: usize,
    /// Bytes of that line.
    pub(crate) marked: Range<usize>,
}

#[derive(Debug)]
struct Finding {
    damage: bool,
    span: Range<usize>,
    /// A further place that the message ends with.
    beside: Option<usize>,
    key: String,
    message: String,
    help: String,
}

impl Findings {
    /// Notes a fault at a place.
    pub(crate) fn add(&mut self, span: &Range<usize>, key: impl Into<String>, fault: &impl Explain) {
        let (message, help) = (fault.to_string(), fault.help());
        let key = key.into();
        self.own.push(Finding { damage: false, span: span.clone(), beside: None, key, message, help });
    }

    /// Notes a fault at a place that another place makes one; the message ends with the line of the other.
    pub(crate) fn add_beside(
        &mut self,
        span: &Range<usize>,
        other: &Range<usize>,
        key: impl Into<String>,
        fault: &impl Explain,
    ) {
        self.add(span, key, fault);
        if let Some(finding) = self.own.last_mut() {
            finding.beside = Some(other.start);
        }
    }

    /// Notes damage to the text itself. Other faults on the same line follow from it and are not reported.
    pub(crate) fn add_damage(&mut self, span: &Range<usize>, fault: &impl Explain) {
        let (message, help) = (fault.to_string(), fault.help());
        let key = String::new();
        self.own.push(Finding { damage: true, span: span.clone(), beside: None, key, message, help });
    }

    /// Notes a fault at a place of a further file, which the key names.
    pub(crate) fn add_elsewhere(
        &mut self,
        place: &Elsewhere<'_>,
        key: impl Into<String>,
        fault: &dyn Explain,
    ) {
        let (message, help) = (fault.to_string(), fault.help());
        let lines = Lines::of(place.text);
        let begin = lines.starts.get(place.line - 1).copied().unwrap_or(0);
        let span = begin + place.marked.start..begin + place.marked.end;
        let finding = Finding { damage: false, span, beside: None, key: key.into(), message, help };
        self.elsewhere.push(lines.place(place.file, finding));
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.own.len() + self.elsewhere.len()
    }

    /// Nothing, or all faults in the order of their places.
    pub(crate) fn finish(mut self, file: &str, text: &str) -> Result<(), Faults> {
        if self.count() == 0 {
            return Ok(());
        }
        self.own.sort_by_key(|finding| (finding.span.start, finding.span.end));
        let lines = Lines::of(text);
        let line = |finding: &Finding| lines.line_of(lines.boundary(finding.span.start));
        let damaged: BTreeSet<usize> = self.own.iter().filter(|finding| finding.damage).map(line).collect();
        self.own.retain(|finding| finding.damage || !damaged.contains(&line(finding)));
        let own = self.own.into_iter().map(|finding| lines.place(file, finding));
        Err(Faults(own.chain(self.elsewhere).collect()))
    }
}

/// Where the lines of a text begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The line that holds a place, from 1.
    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|&begin| begin <= at)
    }

    fn place(&self, file: &str, finding: Finding) -> Diagnostic {
        let start = self.boundary(finding.span.start);
        let line = self.line_of(start);
        let begin = self.starts[line - 1];
        let content = self.text[begin..].lines().next().unwrap_or("");
        let from = (start - begin).min(content.len());
        let to = self.boundary(finding.span.end).saturating_sub(begin).clamp(from, content.len());
        let Finding { key, mut message, help, beside, .. } = finding;
        if let Some(other) = beside {
            let _ = write!(message, " in line {}", self.line_of(self.boundary(other)));
        }
        let column = content[..from].chars().count() + 1;
        let excerpt = Excerpt { line: content.to_owned(), marked: from..to };
        Diagnostic { file: file.to_owned(), line, column, key, message, help, excerpt }
    }

    /// The nearest place at or before `at` where a character begins.
    fn boundary(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|&place| self.text.is_char_boundary(place)).unwrap_or(0)
    }
}

/// The known name that is nearest to a wrong one, where one is near enough to be meant.
pub(crate) fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (wrong.chars().count() / 3).max(1) + 1;
    let wrong = wrong.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    // What somebody broke off is meant before what merely looks alike: `GB300` for `GB300-NVL72`.
    let begun = |name: &&&str| wrong.len() >= 3 && name.to_lowercase().starts_with(&wrong);
    if let Some(name) = known.iter().find(begun) {
        return Some(name);
    }
    let distances = known.into_iter().map(|name| (distance(&wrong, &name.to_lowercase(), limit), name));
    distances
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// How many letters have to be added, dropped or changed (Levenshtein); `limit + 1` where it is surely more.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    if a.len().abs_diff(b.len()) > 4 * limit || a.len() > 200 {
        return limit + 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
