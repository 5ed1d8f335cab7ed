//! Columns of CSV whose heading is a secret's name: `name,password`, and a row a line below it (RFC 4180).

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem};

use super::pattern::together;

/// What separates cells, of which a table has one. With bars it is one of Markdown.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A heading's line is no longer, in bytes.
const LONGEST_HEADING: usize = 16 << 10;

/// Nor is the name of a column, in characters and in words.
const LONGEST_NAME: (usize, usize) = (64, 4);

/// So many rows are looked at for one that has as many cells as the heading.
const FIRST_ROWS: usize = 8;

/// The cells of columns with secret names, and those that are `secret` themselves, in order and apart. A text that is not `said` to
/// be a table is taken for one where its first line has nothing but names, and those below it have as many cells.
pub(super) fn find(
    text: &[u8],
    said: bool,
    is_secret: impl Fn(&str) -> bool,
    hides: impl Fn(&str) -> bool,
) -> Vec<Range<usize>> {
    let begin = text.len() - text.trim_ascii_start().len();
    let line = first_line(&text[begin..]);
    // What Excel writes for itself says it, too.
    let stated = stated(line);
    let said = said || stated.is_some();
    let begin = if stated.is_some() { begin + line.len() } else { begin };
    let begin = text.len() - text[begin..].trim_ascii_start().len();
    let line = first_line(&text[begin..]);
    let count = |separator: &u8| memchr_iter(*separator, line).count();
    let separator = stated.or_else(|| SEPARATORS.into_iter().rev().max_by_key(count)).unwrap_or(b',');
    if line.is_empty() || count(&separator) == 0 && !said {
        return Vec::new();
    }
    let mut rows = Rows { text, at: begin, separator, quotes: true };
    let mut cells = Vec::new();
    rows.next(&mut cells);
    let names: Vec<Option<&str>> = cells.iter().map(|cell| name(&text[cell.clone()], said)).collect();
    let secret: Vec<bool> = names.iter().map(|name| name.is_some_and(&is_secret)).collect();
    if !said && (!secret.contains(&true) || names.contains(&None) || !rows.fit(&names, &secret, line)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut mask = |cells: &[Range<usize>], secret: &[bool]| {
        // A cell that has a separator in it, and should have quotes, moves those behind it.
        let more = cells.len().saturating_sub(secret.len());
        let mut moved = 0_usize;
        for (column, cell) in cells.iter().enumerate() {
            moved = if secret.get(column) == Some(&true) { more + 1 } else { moved };
            let tells = || text[cell.clone()].iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
            if moved > 0 && tells() || std::str::from_utf8(&text[cell.clone()]).is_ok_and(&hides) {
                found.push(cell.clone());
            }
            moved = moved.saturating_sub(1);
        }
    };
    mask(&cells, &[]);
    // How much may still be read once more.
    let mut again = text.len();
    while rows.next(&mut cells) {
        mask(&cells, &secret);
        let begin = cells.first().map_or(rows.at, |cell| cell.start);
        let Some(len) = memchr2(b'\n', b'\r', &text[begin..rows.at]).filter(|_| cells.len() != secret.len()) else {
            continue;
        };
        // A quote that none should have closed takes the rows behind it into its cell: they are masked by themselves as well.
        let behind = rows.at - begin - len;
        rows.quotes &= behind <= again;
        again = again.saturating_sub(behind);
        let quotes = std::mem::replace(&mut rows.quotes, false);
        rows.at = begin;
        rows.next(&mut cells);
        rows.quotes = quotes;
        mask(&cells, &secret);
    }
    together(found)
}

/// As [`find`], of the tables anywhere in a text: behind its beginning one begins behind an empty line, or a line after
/// that, and ends before the next empty line.
pub(super) fn all(text: &[u8], is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found = find(text, false, &is_secret, |_| false);
    let mut begin = 0;
    for end in empty_lines(text).chain([text.len()]).filter(|end| *end > 0) {
        // Of several empty lines the first has ended it.
        let Some(paragraph) = text.get(begin..end) else { continue };
        let title = first_line(paragraph).len();
        for start in [begin, begin + title + line_ends(&paragraph[title..])] {
            // From the beginning of all it was looked at as a whole.
            let cells = if start == 0 { Vec::new() } else { find(&text[start..end], false, &is_secret, |_| false) };
            found.extend(cells.into_iter().map(|cell| cell.start + start..cell.end + start));
        }
        begin = end + line_ends(&text[end..]);
    }
    together(found)
}

/// How many bytes of line ends it begins with.
fn line_ends(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count()
}

/// Where lines end behind which an empty one is.
fn empty_lines(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr_iter(b'\n', text).filter(|at| {
        let rest = &text[at + 1..];
        rest.first() == Some(&b'\n') || rest.starts_with(b"\r\n")
    })
}

/// The first line, if it is no longer than a heading.
fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr2(b'\n', b'\r', &text[..text.len().min(LONGEST_HEADING)]).unwrap_or(0)]
}

/// The separator that a line before the heading states, as Excel does: `sep=;`.
fn stated(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [head @ .., separator] if head.eq_ignore_ascii_case(b"sep=") => Some(*separator),
        _ => None,
    }
}

/// What a cell of a heading says, if it can be a name: where a table is said to be one, also with signs that names do not have.
fn name(cell: &[u8], said: bool) -> Option<&str> {
    let name = std::str::from_utf8(cell).ok()?;
    let (letters, words) = LONGEST_NAME;
    let odd = |char: char| char.is_control() || matches!(char, '=' | ':' | '<' | '>' | '{' | '}' | '"' | '\\');
    let fits = (said || !name.contains(odd))
        && name.chars().nth(letters).is_none()
        && name.split_whitespace().nth(words).is_none();
    fits.then_some(name)
}

/// Whether a cell can be a credential by its look: one word with a digit or a capital in it.
fn is_mixed(cell: &[u8]) -> bool {
    !cell.contains(&b' ') && (cell.iter().any(u8::is_ascii_digit) || cell.iter().skip(1).any(u8::is_ascii_uppercase))
}

/// The rows from a place on.
#[derive(Clone, Copy)]
struct Rows<'a> {
    text: &'a [u8],
    at: usize,
    separator: u8,
    /// Whether a quote may still have another behind it.
    quotes: bool,
}

impl<'a> Rows<'a> {
    /// Whether these rows are those of a table with such a heading, and not lines of sentences with signs between their words.
    fn fit(self, names: &[Option<&str>], secret: &[bool], heading: &[u8]) -> bool {
        let width = secret.len();
        // Words of a sentence are separated so, too.
        let spaced = memmem::find(heading, b", ").is_some() || memmem::find(heading, b"; ").is_some();
        let worded = spaced && names.iter().flatten().any(|name| name.contains(' '));
        let fits = |cells: &[Range<usize>]| match cells.len() {
            len if len == width && (!worded || width > 2) => true,
            len if len == width => {
                cells.iter().zip(secret).any(|(cell, secret)| *secret && is_mixed(&self.text[cell.clone()]))
            }
            // One that has a cell too many or too few.
            len => !worded && len > 1 && len.abs_diff(width) == 1,
        };
        let mut cells = Vec::new();
        // Also without quotes: one of them may be closed where it should not.
        [true, false].into_iter().any(|quotes| {
            let mut rows = Self { quotes, ..self };
            (0..if spaced { 1 } else { FIRST_ROWS }).any(|_| rows.next(&mut cells) && fits(&cells))
        })
    }

    /// The cells of the next row with anything in it, without what stands around them; false: there is none.
    fn next(&mut self, cells: &mut Vec<Range<usize>>) -> bool {
        cells.clear();
        self.at += line_ends(&self.text[self.at..]);
        if self.at == self.text.len() {
            return false;
        }
        loop {
            let cell = self.cell();
            cells.push(cell);
            let separated = self.text.get(self.at) == Some(&self.separator);
            self.at += usize::from(separated);
            if !separated {
                return true;
            }
        }
    }

    /// The cell that begins here; then what ends it is next.
    fn cell(&mut self) -> Range<usize> {
        let blank = |byte: &u8| *byte == b' ' || *byte == b'\t' && self.separator != b'\t';
        let begin = self.at + self.text[self.at..].iter().take_while(|byte| blank(byte)).count();
        let closed = if self.quotes && self.text.get(begin) == Some(&b'"') { self.closed(begin + 1) } else { None };
        if let Some(end) = closed {
            self.at = end + 1 + self.rest(end + 1).len();
            return begin + 1..end;
        }
        let rest = self.rest(begin);
        self.at = begin + rest.len();
        begin..begin + rest.trim_ascii_end().len()
    }

    /// What stands from there to the end of the cell.
    fn rest(&self, from: usize) -> &'a [u8] {
        let rest = &self.text[from..];
        let end = memchr3(self.separator, b'\n', b'\r', rest).unwrap_or(rest.len());
        &rest[..end]
    }

    /// Where the quote is that closes the cell; one that is doubled is a letter of it. Without one it stands for itself, and so do
    /// all others.
    fn closed(&mut self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let Some(quote) = memchr(b'"', &self.text[at..]).map(|quote| at + quote) else {
                self.quotes = false;
                return None;
            };
            if self.text.get(quote + 1) != Some(&b'"') {
                // What stands behind it is blank, or it closes nothing.
                return self.rest(quote + 1).iter().all(u8::is_ascii_whitespace).then_some(quote);
            }
            at = quote + 2;
        }
    }
}
