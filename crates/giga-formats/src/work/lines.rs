//! Lines of a text, one at a time, with bounded memory whatever the bytes are.

use std::borrow::Cow;
use std::io::{self, BufRead};

use super::fault::Cause;

/// The longest line that is read; no real trace comes near.
pub(super) const LINE_MAX: usize = 64 * 1024;

/// A text being read by lines.
pub(super) struct Lines<B> {
    input: B,
    buffer: Vec<u8>,
    line: u64,
}

impl<B: BufRead> Lines<B> {
    pub(super) fn new(input: B) -> Self {
        Self { input, buffer: Vec::new(), line: 0 }
    }

    /// The next line without its end and its number from 1, or `None` at the end of the text.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<&str, Cause>)>> {
        self.buffer.clear();
        let length = self.fill()?;
        if length == 0 {
            return Ok(None);
        }
        self.line += 1;
        if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.buffer.drain(..3);
        }
        if length > LINE_MAX {
            return Ok(Some((self.line, Err(Cause::TooLong { max: LINE_MAX }))));
        }
        let text = std::str::from_utf8(&self.buffer).map_err(|_| Cause::NotUtf8);
        Ok(Some((self.line, text.map(|text| text.trim_end_matches(['\n', '\r'])))))
    }

    /// Takes bytes up to the end of the line; keeps at most [`LINE_MAX`] of them and counts all.
    fn fill(&mut self) -> io::Result<usize> {
        let mut length = 0;
        loop {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = chunk.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            let taken = end.unwrap_or(chunk.len());
            let kept = taken.min(LINE_MAX.saturating_sub(self.buffer.len()));
            self.buffer.extend_from_slice(&chunk[..kept]);
            self.input.consume(taken);
            length += taken;
            if end.is_some() || taken == 0 {
                return Ok(length);
            }
        }
    }
}

/// The cells of a line of comma-separated values. Quotes may hold commas and doubled quotes, never a line end.
pub(super) fn comma_cells(line: &str) -> Result<Vec<Cow<'_, str>>, Cause> {
    if !line.contains('"') {
        return Ok(line.split(',').map(|cell| Cow::Borrowed(cell.trim())).collect());
    }
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, behind) = first_cell(rest)?;
        cells.push(cell);
        match behind {
            None => return Ok(cells),
            Some(behind) => rest = behind,
        }
    }
}

/// The first cell, and what stands behind its comma where there is one.
fn first_cell(text: &str) -> Result<(Cow<'_, str>, Option<&str>), Cause> {
    let Some(inside) = text.trim_start().strip_prefix('"') else {
        let (cell, behind) = text.split_once(',').map_or((text, None), |(cell, behind)| (cell, Some(behind)));
        let plain = !cell.contains('"');
        return if plain { Ok((Cow::Borrowed(cell.trim()), behind)) } else { Err(Cause::LoneQuote) };
    };
    let mut from = 0;
    loop {
        let at = from + inside[from..].find('"').ok_or(Cause::LoneQuote)?;
        let behind = &inside[at + 1..];
        if behind.starts_with('"') {
            from = at + 2;
            continue;
        }
        let cell = &inside[..at];
        let cell = if cell.contains('"') { cell.replace("\"\"", "\"").into() } else { cell.into() };
        let behind = behind.trim_start();
        return match behind.strip_prefix(',') {
            Some(behind) => Ok((cell, Some(behind))),
            None if behind.is_empty() => Ok((cell, None)),
            None => Err(Cause::LoneQuote),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: &[Result<&str, Cause>]) {
        let mut lines = Lines::new(io::BufReader::with_capacity(7, text));
        let mut found = Vec::new();
        while let Some((_, line)) = lines.next().unwrap() {
            found.push(line.map(str::to_owned));
        }
        let expected: Vec<_> = expected.iter().cloned().map(|line| line.map(str::to_owned)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_end_in_every_way() {
        check(b"one\r\ntwo\n\nlast", &[Ok("one"), Ok("two"), Ok(""), Ok("last")]);
        check(b"\xef\xbb\xbfa\n", &[Ok("a")]);
        check(b"", &[]);
    }

    #[test]
    fn a_bad_line_does_not_hide_the_next() {
        check(b"\xff\xfe\nok\n", &[Err(Cause::NotUtf8), Ok("ok")]);
        let mut long = vec![b'x'; LINE_MAX * 3];
        long.extend(b"\nok");
        check(&long, &[Err(Cause::TooLong { max: LINE_MAX }), Ok("ok")]);
    }

    #[test]
    fn cells_may_be_quoted() {
        assert_eq!(comma_cells(r#"a, b ,"c,d","e""f""#).unwrap(), ["a", "b", "c,d", "e\"f"]);
        assert_eq!(comma_cells(",").unwrap(), ["", ""]);
        for bad in [r#"a,"b"#, r#"a"b,c"#, r#""a"b,c"#, "\""] {
            assert_eq!(comma_cells(bad), Err(Cause::LoneQuote), "{bad}");
        }
    }
}
