//! A tree's rows, and what stands at its foot: the value that the cursor is at.

use std::ops::Range;

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::decode;
use crate::app::needle::Needle;
use crate::app::tree::{Branch, Tree};
use crate::json::{self, TokenKind};
use crate::view::{rows, theme};
use crate::visible;

/// Longest value at the foot, in bytes.
const FOOT: usize = 2000;

/// Rows of a tree. `here`: whether keys walk in it.
pub(super) fn lines(tree: &Tree, shown: Range<usize>, here: bool, needle: &Needle, width: usize) -> Vec<Line<'static>> {
    let branches = shown.map_while(|row| Some((row, tree.branch(row)?)));
    branches.map(|(row, branch)| line(&branch, here && row == tree.row(), needle, width)).collect()
}

fn line(branch: &Branch, here: bool, needle: &Needle, width: usize) -> Line<'static> {
    // However deep it is, something of the value is seen.
    let indent = (branch.depth * 2).min(width / 2);
    let marker = match (branch.count, branch.closed) {
        (0, _) => "  ",
        (_, true) => "▸ ",
        (_, false) => "▾ ",
    };
    let mark =
        |style: Style, text: &str| if needle.places(text).is_empty() { style } else { style.patch(theme::MATCH) };
    let mut spans = vec![Span::raw(" ".repeat(indent)), Span::styled(marker, theme::DIM)];
    if let Some(key) = &branch.key {
        spans.push(Span::styled(visible::line(key).into_owned(), mark(theme::KEY, key)));
        spans.push(Span::styled(": ", theme::DIM));
    }
    match branch.kind {
        TokenKind::OpenObject | TokenKind::OpenArray => {
            let close = if branch.kind == TokenKind::OpenObject { "}" } else { "]" };
            let count = if branch.count == 0 { String::new() } else { branch.count.to_string() };
            spans.push(Span::styled(format!("{}{count}{close}", branch.value), theme::DIM));
        }
        kind => {
            let value = start(branch.value, 4 * width);
            let text = visible::line(value);
            spans.push(Span::styled(visible::truncate(&text, width).into_owned(), mark(theme::token(kind), value)));
        }
    }
    let line = Line::from(spans);
    if here { line.style(theme::SELECTED) } else { line }
}

/// The beginning of a text that may be very long.
fn start(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes.min(text.len()))]
}

/// What the value at the cursor is, and what it says. `meaning`: what the contract says of it.
pub(super) fn foot(tree: &Tree, meaning: Option<&str>, width: usize) -> Vec<Line<'static>> {
    let Some(branch) = tree.branch(tree.row()) else { return Vec::new() };
    let pointer = tree.pointer();
    let kind = match branch.kind {
        TokenKind::OpenObject => format!("object of {}", branch.count),
        TokenKind::OpenArray => format!("array of {}", branch.count),
        TokenKind::String => format!("string, {} bytes", branch.value.len() - 2),
        TokenKind::Number => "number".to_owned(),
        _ => branch.value.to_owned(),
    };
    let pointer = if pointer.is_empty() { "the whole body" } else { &pointer };
    let mut head = format!("{pointer} · {kind}");
    head.extend(meaning.into_iter().flat_map(|meaning| [" · ", meaning]));
    let mut lines = rows::row(&[(&head, theme::KEY, width)]);
    let value = start(branch.value, FOOT);
    let said = match branch.kind {
        TokenKind::String => said(&json::unquote(branch.value)).unwrap_or_else(|| value.to_owned()),
        TokenKind::Number => time(branch.value).map_or_else(|| value.to_owned(), |time| format!("{value} = {time}")),
        _ => return lines,
    };
    lines.extend(rows::row(&[(&said, Style::new(), width)]));
    lines
}

/// What a string says beyond itself: the claims of a token.
fn said(text: &str) -> Option<String> {
    if text.len() > FOOT * 8 {
        return None;
    }
    decode::token(text).map(|token| format!("token: {token}"))
}

/// A number that is a time in this century, in seconds or milliseconds.
fn time(number: &str) -> Option<String> {
    let number: i64 = number.parse().ok()?;
    let this_century = 946_684_800..4_102_444_800;
    let time = match number {
        seconds if this_century.contains(&seconds) => Timestamp::from_second(seconds),
        millis if this_century.contains(&(millis / 1000)) => Timestamp::from_millisecond(millis),
        _ => return None,
    };
    time.ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_key_value_and_how_much_is_hidden() {
        let mut tree = Tree::new(r#"{"a":{"b":[1,2]},"c":"\u001bx"}"#).unwrap();
        let shown = |tree: &Tree| {
            lines(tree, 0..9, false, &Needle::default(), 40).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&tree),
            ["▾ {2}", "  ▾ a: {1}", "    ▾ b: [2]", "        1", "        2", "    c: \"\\u001bx\""]
        );
        tree.step(1);
        tree.toggle();
        assert_eq!(shown(&tree)[1], "  ▸ a: {1}");
    }

    #[test]
    fn times_and_tokens_are_read() {
        assert_eq!(time("1761045419377").as_deref(), Some("2025-10-21T11:16:59.377Z"));
        assert_eq!(time("1761045419").as_deref(), Some("2025-10-21T11:16:59Z"));
        assert_eq!((time("5"), time("1e3")), (None, None));
        let tree = Tree::new(r#"["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln"]"#).unwrap();
        let mut tree = tree;
        tree.step(1);
        assert!(foot(&tree, None, 80)[1].to_string().contains("\"sub\":\"u1\""));
    }
}
