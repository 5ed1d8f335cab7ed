//! Rows made of wrapped columns, headings and findings: what the tabs are put together from.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::addressee;
use crate::call::Call;
use crate::platform::Finding;
use crate::view::theme;
use crate::visible;

/// One column of a row: its text, its look, and its width.
pub type Column<'a> = (&'a str, Style, usize);

/// A row of columns, each wrapped within its own width, with a space between them.
pub fn row(columns: &[Column]) -> Vec<Line<'static>> {
    let wrapped: Vec<Vec<String>> = columns.iter().map(|(text, _, width)| wrap(text, *width)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|n| {
            let mut spans = Vec::with_capacity(columns.len() * 2);
            for ((_, style, width), lines) in columns.iter().zip(&wrapped) {
                let text = lines.get(n).map_or("", String::as_str);
                let rest = width.saturating_sub(visible::width(text)) + 1;
                spans.push(Span::styled(text.to_owned(), *style));
                spans.push(Span::raw(" ".repeat(rest)));
            }
            Line::from(spans)
        })
        .collect()
}

/// A label and what it stands for.
pub fn labelled(label: &str, value: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    let first = 14.min(width / 3);
    row(&[(label, theme::DIM, first), (value, style, width.saturating_sub(first + 1))])
}

/// A heading with an empty line above it.
pub fn heading(text: &str) -> [Line<'static>; 2] {
    [Line::default(), Line::styled(visible::line(text).into_owned(), theme::HEADING)]
}

/// Findings, each with its sign, its place, and where the rule stands.
pub fn findings<'a>(found: impl IntoIterator<Item = &'a Finding>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for finding in found {
        let (sign, style) = theme::severity(finding.severity);
        let place = if finding.pointer.is_empty() { String::new() } else { format!("{}: ", finding.pointer) };
        let text = format!("{place}{}", finding.sentence);
        lines.extend(row(&[(sign, style, 1), (&text, style, width.saturating_sub(2))]));
        if !finding.source.is_empty() {
            lines.extend(row(&[("", theme::DIM, 1), (&finding.source, theme::DIM, width.saturating_sub(2))]));
        }
    }
    lines
}

/// `text`, safe for a terminal, cut to `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    // No language has more bytes a column: what is behind them is not made safe only to be cut off, frame by frame.
    let text = visible::excerpt(text, (width + 1) * 128);
    visible::truncate(&visible::line(&text), width).into_owned()
}

/// As [`cut`], filled to `width` columns, and a space.
pub fn pad(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let fill = width.saturating_sub(visible::width(&cut)) + 1;
    format!("{cut}{}", " ".repeat(fill))
}

/// `text` made visible and broken at spaces where it can be, anywhere where it must.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in visible::text(text).split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let wide = visible::width(word.trim_end_matches(' '));
            if used > 0 && used + wide > width {
                lines.push(std::mem::take(&mut line).trim_end_matches(' ').to_owned());
                used = 0;
            }
            if wide <= width {
                line.push_str(word);
                used += visible::width(word);
                continue;
            }
            for character in word.chars() {
                let columns = visible::width(character.encode_utf8(&mut [0; 4]));
                if used + columns > width && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += columns;
            }
        }
        lines.push(line.trim_end_matches(' ').to_owned());
    }
    lines
}

/// Where a call was sent, if it was: host and port.
pub(super) fn sent_to(call: &Call) -> Option<String> {
    addressee::address(call).map(|address| visible::line(address).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_and_inside_words_only_where_it_must() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a abcdefgh", 4), ["a", "abcd", "efgh"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn padding_counts_columns_and_escapes() {
        assert_eq!(pad("日本語", 5), "日本… ");
        assert_eq!(pad("a\x1bb", 4), "a␛b  ");
        let marked = format!("a{}b", "\u{301}".repeat(30));
        assert_eq!((cut(&marked, 1), cut(&marked, 2)), ("…".to_owned(), marked));
        assert_eq!(cut(&"x".repeat(9 << 20), 4), "xxx…");
    }

    #[test]
    fn columns_wrap_each_for_itself() {
        let lines: Vec<String> = row(&[("ab", Style::new(), 3), ("one two", Style::new(), 3)])
            .iter()
            .map(|line| line.to_string().trim_end().to_owned())
            .collect();
        assert_eq!(lines, ["ab  one", "    two"]);
    }
}
