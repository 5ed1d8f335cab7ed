//! A long text cut into screen rows. Built once when a call is opened, so that drawing touches only the rows it shows.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::app::needle::Needle;
use crate::{json, visible};

/// A text as it is shown: safe for a terminal, cut into rows of at most `width` columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    shown: String,
    rows: Vec<Range<usize>>,
    /// Where each line begins.
    lines: Vec<usize>,
    width: usize,
    /// It is JSON, so rows are coloured as such.
    pub json: bool,
    /// It is JSON nested too deep to be laid out, and shown as it is.
    pub too_deep: bool,
}

impl Text {
    /// `bytes` for the screen. JSON is laid out when `pretty`; anything else, and everything when not, is shown as it is.
    #[must_use]
    pub fn new(bytes: &[u8], pretty: bool) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self { shown: visible::bytes(bytes).into_owned(), ..Self::default() };
        };
        let json = json::is_valid(text);
        let laid_out = if json && pretty { json::pretty(text).ok() } else { None };
        let too_deep = json && pretty && laid_out.is_none();
        let shown = visible::text(laid_out.as_deref().unwrap_or(text)).into_owned();
        Self { shown, json, too_deep, ..Self::default() }
    }

    /// Cuts it into rows of `width` columns, unless it is cut so already.
    pub fn wrap(&mut self, width: usize) {
        let width = width.max(1);
        if self.width == width {
            return;
        }
        self.width = width;
        self.rows.clear();
        self.lines.clear();
        let mut start = 0;
        for line in self.shown.split('\n') {
            self.lines.push(start);
            wrap_line(line, start, width, &mut self.rows);
            start += line.len() + 1;
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Row `n`, and the line it belongs to with the row's place in it.
    #[must_use]
    pub fn row(&self, n: usize) -> Option<(&str, &str, Range<usize>)> {
        let row = self.rows.get(n)?.clone();
        let next = self.lines.partition_point(|start| *start <= row.start);
        let start = *self.lines.get(next.checked_sub(1)?)?;
        let end = self.lines.get(next).map_or(self.shown.len(), |next| next - 1);
        Some((&self.shown[row.clone()], &self.shown[start..end], row.start - start..row.end - start))
    }

    /// The rows in which `needle` begins.
    #[must_use]
    pub fn find(&self, needle: &Needle) -> Vec<usize> {
        let mut rows: Vec<usize> = needle
            .places(&self.shown)
            .into_iter()
            .map(|at| self.rows.partition_point(|row| row.start <= at.start).saturating_sub(1))
            .collect();
        rows.dedup();
        rows
    }
}

/// `text` for the screen, in lines of at most `width` columns.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let shown = visible::text(text);
    let (mut rows, mut start) = (Vec::new(), 0);
    for line in shown.split('\n') {
        wrap_line(line, start, width.max(1), &mut rows);
        start += line.len() + 1;
    }
    rows.into_iter().map(|row| shown[row].to_owned()).collect()
}

/// Adds the rows of one line that starts at `start`.
fn wrap_line(line: &str, start: usize, width: usize, rows: &mut Vec<Range<usize>>) {
    if line.len() <= width {
        rows.push(start..start + line.len());
        return;
    }
    if line.is_ascii() {
        rows.extend((0..line.len()).step_by(width).map(|at| start + at..start + line.len().min(at + width)));
        return;
    }
    let (mut from, mut columns) = (0, 0);
    for (at, character) in line.char_indices() {
        let wide = character.width().unwrap_or(0);
        if columns + wide > width && at > from {
            rows.push(start + from..start + at);
            (from, columns) = (at, 0);
        }
        columns += wide;
    }
    rows.push(start + from..start + line.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, width: usize) -> Vec<String> {
        let mut text = Text::new(text.as_bytes(), false);
        text.wrap(width);
        (0..text.len()).map(|n| text.row(n).unwrap().0.to_owned()).collect()
    }

    #[test]
    fn long_lines_break_at_the_width_and_wide_characters_stay_whole() {
        assert_eq!(rows("abcdef\ng\n", 4), ["abcd", "ef", "g", ""]);
        assert_eq!(rows("日本語", 4), ["日本", "語"]);
        assert_eq!(rows("日本", 1), ["日", "本"]);
    }

    #[test]
    fn a_row_knows_its_line() {
        let mut text = Text::new(b"first\n\nsecond\n", false);
        text.wrap(4);
        assert_eq!(text.row(1), Some(("t", "first", 4..5)));
        assert_eq!(text.row(2), Some(("", "", 0..0)));
        assert_eq!(text.row(4), Some(("nd", "second", 4..6)));
        assert_eq!((text.row(5), text.row(6)), (Some(("", "", 0..0)), None));
    }

    #[test]
    fn finds_rows_without_regard_to_case() {
        let mut text = Text::new(b"one two\nTWO\nthree", false);
        text.wrap(80);
        assert_eq!(text.find(&Needle::new("two")), [0, 1]);
        assert_eq!(text.find(&Needle::new("")), Vec::<usize>::new());
    }

    #[test]
    fn what_is_nested_too_deep_is_shown_as_it_is() {
        let deep = "[".repeat(500) + &"1,".repeat(5000) + "1" + &"]".repeat(500);
        let text = Text::new(deep.as_bytes(), true);
        assert!(text.too_deep && text.json && text.shown == deep);
        assert!(!Text::new(deep.as_bytes(), false).too_deep && !Text::new(b"[1]", true).too_deep);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        let mut text = Text::new(b"\xff\x1b[2J", true);
        text.wrap(80);
        assert!(!text.row(0).unwrap().0.contains('\x1b'));
    }
}
