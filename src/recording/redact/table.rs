//! Columns of CSV whose heading is a secret's name: `name,password`, and a row a line below it (RFC 4180).

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem};

/// What separates cells, of which a table has one. With bars it is one of Markdown.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A heading's line is no longer, in bytes.
const LONGEST_HEADING: usize = 16 << 10;

/// Nor is the name of a column, in characters and in words.
const LONGEST_NAME: (usize, usize) = (64, 4);

/// The cells of columns with secret names, in order and apart. A text that is not `said` to be a table is taken for one where its
/// first line has nothing but names, and its next one has as many cells.
pub(super) fn find(text: &[u8], said: bool, is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let begin = text.len() - text.trim_ascii_start().len();
    let line = &text[begin..];
    let line = &line[..memchr2(b'\n', b'\r', &line[..line.len().min(LONGEST_HEADING)]).unwrap_or(0)];
    let count = |separator: &u8| memchr_iter(*separator, line).count();
    let separator = SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',');
    if line.is_empty() || count(&separator) == 0 && !said {
        return Vec::new();
    }
    let mut rows = Rows { text, at: begin, separator, quotes: true };
    let mut cells = Vec::new();
    rows.next(&mut cells);
    let names: Option<Vec<&str>> = cells.iter().map(|cell| name(&text[cell.clone()])).collect();
    let Some(names) = names else { return Vec::new() };
    let secret: Vec<bool> = names.iter().map(|name| is_secret(name)).collect();
    // Words of a sentence are separated so, too.
    let spaced = memmem::find(line, b", ").is_some() || memmem::find(line, b"; ").is_some();
    if !secret.contains(&true) || spaced && secret.len() < 3 && !said {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut first = true;
    while rows.next(&mut cells) {
        if std::mem::take(&mut first) && cells.len() != secret.len() && !said {
            return Vec::new();
        }
        // A cell that has a separator in it, and should have quotes, moves those behind it.
        let more = cells.len().saturating_sub(secret.len());
        let mut moved = 0_usize;
        for (column, cell) in cells.iter().enumerate() {
            moved = if secret.get(column) == Some(&true) { more + 1 } else { moved };
            if moved > 0 && text[cell.clone()].iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
                found.push(cell.clone());
            }
            moved = moved.saturating_sub(1);
        }
    }
    found
}

/// What a cell of a heading says, if it can be a name.
fn name(cell: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(cell).ok()?;
    let (letters, words) = LONGEST_NAME;
    let odd = |char: char| char.is_control() || matches!(char, '=' | ':' | '<' | '>' | '{' | '}' | '"' | '\\');
    let fits =
        !name.contains(odd) && name.chars().nth(letters).is_none() && name.split_whitespace().nth(words).is_none();
    fits.then_some(name)
}

/// The rows from a place on.
struct Rows<'a> {
    text: &'a [u8],
    at: usize,
    separator: u8,
    /// Whether a quote may still have another behind it.
    quotes: bool,
}

impl<'a> Rows<'a> {
    /// The cells of the next row with anything in it, without what stands around them; false: there is none.
    fn next(&mut self, cells: &mut Vec<Range<usize>>) -> bool {
        cells.clear();
        let ends_line = |byte: &u8| matches!(byte, b'\n' | b'\r');
        self.at += self.text[self.at..].iter().take_while(|byte| ends_line(byte)).count();
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
                return Some(quote);
            }
            at = quote + 2;
        }
    }
}
