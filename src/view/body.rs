//! The rows of a body: of a long text, coloured where it is JSON, or of bytes.

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::needle::Needle;
use crate::app::text::Text;
use crate::json;
use crate::view::theme;

/// Longest line that is coloured, in bytes: the tokens of a row depend on all of its line before it.
const COLOURED: usize = 64 * 1024;

/// Rows `rows` of `text`, with the places marked where `needle` stands.
pub(super) fn lines(text: &Text, rows: Range<usize>, needle: &Needle) -> Vec<Line<'static>> {
    rows.map_while(|n| text.row(n)).map(|(row, line, span)| styled(row, line, span, text.json, needle)).collect()
}

/// Rows of bytes: where they stand, what they are, and as characters where they are ASCII.
pub(super) fn bytes(bytes: &[u8], rows: Range<usize>, width: usize) -> Vec<Line<'static>> {
    let line = |row: usize| {
        let line = bytes.get(row * 16..)?;
        let line = &line[..line.len().min(16)];
        let hex: String = line.iter().enumerate().fold(String::new(), |mut hex, (at, byte)| {
            let gap = if at == 8 { "  " } else { " " };
            let _ = write!(hex, "{gap}{byte:02x}");
            hex
        });
        let ascii: String =
            line.iter().map(|byte| if matches!(byte, b' '..=b'~') { *byte as char } else { '·' }).collect();
        let mut spans = vec![Span::styled(format!("{:08x} ", row * 16), theme::DIM), Span::raw(format!("{hex:49}"))];
        if width >= 76 {
            spans.push(Span::styled(format!("  {ascii}"), theme::token(json::TokenKind::String)));
        }
        Some(Line::from(spans))
    };
    rows.map_while(line).collect()
}

fn styled(row: &str, line: &str, span: Range<usize>, json: bool, needle: &Needle) -> Line<'static> {
    let mut pieces: Vec<(Range<usize>, Style)> = if json && line.len() <= COLOURED {
        json::tokens(line)
            .map(|token| (token.span.start.max(span.start)..token.span.end.min(span.end), theme::token(token.kind)))
            .filter(|(piece, _)| piece.start < piece.end)
            .map(|(piece, style)| (piece.start - span.start..piece.end - span.start, style))
            .collect()
    } else {
        vec![(0..row.len(), Style::new())]
    };
    if !needle.is_empty() {
        pieces = mark(row, pieces, needle);
    }
    Line::from(pieces.into_iter().map(|(piece, style)| Span::styled(row[piece].to_owned(), style)).collect::<Vec<_>>())
}

/// The pieces with the matches of `needle` cut out and marked.
fn mark(row: &str, pieces: Vec<(Range<usize>, Style)>, needle: &Needle) -> Vec<(Range<usize>, Style)> {
    let hits = needle.places(row);
    let mut marked = Vec::new();
    for (piece, style) in pieces {
        let mut at = piece.start;
        for hit in hits.iter().filter(|hit| hit.start < piece.end && hit.end > piece.start) {
            let (start, end) = (hit.start.max(piece.start), hit.end.min(piece.end));
            marked.push((at..start, style));
            marked.push((start..end, theme::MATCH));
            at = end;
        }
        marked.push((at..piece.end, style));
    }
    marked.retain(|(piece, _)| !piece.is_empty());
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str, width: usize) -> Text {
        let mut text = Text::new(body.as_bytes(), false);
        text.wrap(width);
        text
    }

    #[test]
    fn a_wrapped_row_keeps_the_colours_of_its_line() {
        let lines = lines(&text(r#"{"key":"value"}"#, 10), 0..2, &Needle::default());
        assert_eq!(lines.iter().map(ToString::to_string).collect::<Vec<_>>(), [r#"{"key":"va"#, r#"lue"}"#]);
        assert_eq!(lines[1].spans[0].style, theme::token(crate::json::TokenKind::String));
    }

    #[test]
    fn bytes_are_shown_sixteen_a_row() {
        let shown: Vec<String> = bytes(b"0123456789abcdef\x00\xff", 0..9, 80).iter().map(ToString::to_string).collect();
        assert_eq!(shown[0], "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef");
        assert!(shown[1].starts_with("00000010  00 ff") && shown[1].ends_with("··"), "{shown:?}");
        assert_eq!(shown.len(), 2);
    }

    #[test]
    fn matches_are_marked_without_losing_text() {
        let lines = lines(&text("aXbxa", 80), 0..1, &Needle::new("x"));
        assert_eq!(lines[0].to_string(), "aXbxa");
        assert_eq!(lines[0].spans.iter().filter(|span| span.style == theme::MATCH).count(), 2);
    }
}
