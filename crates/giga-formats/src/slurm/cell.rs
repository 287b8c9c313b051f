//! Cells of Slurm's tables: counts, and accelerators as it lists them of nodes, of each node of a job, and among what it tracks.

/// The most accelerators, nodes or tasks that a row may state.
pub(crate) const COUNT_MAX: u64 = 10_000_000;

/// Characters of a faulty cell that a message repeats.
const QUOTED_MAX: usize = 40;

/// Repeats a cell in a message: shortened, and harmless to a terminal.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        short.push('…');
    }
    short
}

/// A word as a shell reads it, whatever is in it.
#[must_use]
pub fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Whether a cell says that there is nothing.
pub(crate) fn is_none(text: &str) -> bool {
    let words = ["", "Unknown", "None", "N/A", "NONE", "INVALID", "(null)", "NOT_SET"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A count such as `12`; Slurm shortens those of nodes to `2K`.
pub(crate) fn count(text: &str) -> Result<u32, String> {
    let (digits, factor) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1_024.0),
        None => (text, 1.0),
    };
    if is_none(text) {
        return Ok(0);
    }
    let wrong = || format!("`{}` is no count up to {COUNT_MAX}", quoted(text));
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let number = (number * factor).round();
    if (0.0..=COUNT_MAX as f64).contains(&number) { Ok(number as u32) } else { Err(wrong()) }
}

/// Accelerators, of one kind where the kind is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) accelerators: u32,
    /// Empty where it is not told, or there are several.
    pub(crate) kind: String,
}

/// The accelerators of a node, or of each node of a job, in a list such as `gpu:a100:8(S:0-1),shard:4` or `gres:gpu:2`.
pub(crate) fn gres(list: &str) -> Result<Counted, String> {
    let (mut all, mut kinds) = (0_u32, Vec::new());
    for part in parts(list, ('(', ')')).0 {
        let plain = part.split('(').next().unwrap_or("").trim();
        let plain = plain.strip_prefix("gres:").or_else(|| plain.strip_prefix("gres/")).unwrap_or(plain);
        let Some(rest) = plain.strip_prefix("gpu").filter(|rest| rest.is_empty() || rest.starts_with(':'))
        else {
            continue;
        };
        let mut words = rest.split(':').skip(1);
        let (kind, number) = match (words.next(), words.next()) {
            (None, _) => ("", "1"),
            (Some(word), None) if word.starts_with(|first: char| first.is_ascii_digit()) => ("", word),
            (Some(word), None) => (word, "1"),
            (Some(kind), Some(number)) => (kind, number),
        };
        all = all.saturating_add(count(number)?);
        kinds.push(kind);
    }
    kinds.dedup();
    let kind = match kinds[..] {
        [kind] => kind.to_owned(),
        [] => String::new(),
        _ => kinds.join("+"),
    };
    Ok(Counted { accelerators: all.min(COUNT_MAX as u32), kind })
}

/// The parts between commas that stand outside brackets, as in `gpu:a:2(IDX:0,2),gpu:b:1`; and whether no bracket stands in another
/// or stays open.
pub(crate) fn parts(list: &str, (open, close): (char, char)) -> (Vec<&str>, bool) {
    let (mut parts, mut from, mut deep, mut flat) = (Vec::new(), 0, 0_u32, true);
    for (at, sign) in list.char_indices() {
        if sign == open {
            deep += 1;
            flat &= deep == 1;
        } else if sign == close {
            deep = deep.saturating_sub(1);
        } else if sign == ',' && deep == 0 {
            parts.push(&list[from..at]);
            from = at + 1;
        }
    }
    parts.push(&list[from..]);
    (parts, flat && deep == 0)
}

/// The accelerators in a list such as `billing=64,cpu=64,gres/gpu:a100=4,gres/gpu=4,node=1`: their type where one is named, and how
/// many. Where one names none, it is the whole.
pub(crate) fn tracked(list: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    list.split(',').filter_map(|resource| {
        let (name, number) = resource.split_once('=')?;
        match name.trim().strip_prefix("gres/gpu")? {
            "" => Some((None, number)),
            kind => Some((Some(kind.strip_prefix(':')?), number)),
        }
    })
}
