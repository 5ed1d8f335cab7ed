//! A payload being typed: coloured where it is JSON, with what it may go on with beside the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use tui_textarea::{DataCursor, TextArea};

use crate::app::App;
use crate::app::action::Action;
use crate::app::completion::Offers;
use crate::app::draft::Draft;
use crate::json;
use crate::view::theme;
use crate::visible;

/// Longest text that is coloured, in bytes: it is looked through in each frame.
const COLOURED: usize = 256 << 10;
/// Most offers that are seen at a time.
const OFFERS: usize = 6;
/// Columns that an offer has at most.
const WIDEST: usize = 64;

pub(super) fn draw(app: &App, draft: &Draft, frame: &mut Frame, area: Rect) {
    frame.render_widget(&draft.editor, area);
    if draft.is_json() && draft.editor.lines().iter().map(String::len).sum::<usize>() <= COLOURED {
        colour(&draft.editor, frame, area);
    }
    if draft.typing && !draft.offers.list.is_empty() {
        let keys = [Action::Complete, Action::LeaveTyping].map(|action| app.keymap.key(action));
        let keys = format!(" {} takes it · {} ", keys[0], keys[1]);
        draw_offers(&draft.editor, &draft.offers, keys, frame, area);
    }
}

/// Colours the JSON that is on the screen: the cells tell what of a line is in them.
fn colour(editor: &TextArea<'_>, frame: &mut Frame, area: Rect) {
    let text = editor.lines().join("\n");
    let mut begins: Vec<usize> = Vec::with_capacity(editor.lines().len());
    let mut at = 0;
    for line in editor.lines() {
        begins.push(at);
        at += line.len() + 1;
    }
    let tokens: Vec<json::Token> = json::tokens(&text).filter(|token| token.kind != json::TokenKind::Space).collect();
    let (top, left) = editor.scroll_offset();
    let mut last = None;
    for y in 0..area.height {
        let row = usize::from(top) + usize::from(y);
        let DataCursor(line, first) = editor.screen_to_data(row, left.into());
        // Below the text the last row comes again.
        if last.replace((line, first)) == Some((line, first)) && y > 0 {
            break;
        }
        let Some((content, begin)) = editor.lines().get(line).zip(begins.get(line)) else { break };
        let mut token = tokens.partition_point(|token| token.span.end <= *begin);
        let mut x = 0_u16;
        for (offset, char) in content.char_indices().skip(first) {
            let place = begin + offset;
            let wide = match char {
                '\t' => editor.tab_length().into(),
                _ => visible::width(char.encode_utf8(&mut [0; 4])),
            };
            while tokens.get(token).is_some_and(|token| token.span.end <= place) {
                token += 1;
            }
            let style =
                tokens.get(token).filter(|token| token.span.contains(&place)).map(|token| theme::token(token.kind));
            let wide = u16::try_from(wide).unwrap_or(1);
            if x + wide > area.width {
                break;
            }
            if let Some(style) = style {
                frame.buffer_mut().set_style(Rect { x: area.x + x, y: area.y + y, width: wide, height: 1 }, style);
            }
            x += wide;
        }
    }
}

/// A box below the cursor or, where there is more room, above it.
fn draw_offers(editor: &TextArea<'_>, offers: &Offers, keys: String, frame: &mut Frame, area: Rect) {
    let (top, left) = editor.scroll_offset();
    let cursor = editor.screen_cursor();
    let (Ok(row), Ok(column)) =
        (u16::try_from(cursor.row.saturating_sub(top.into())), u16::try_from(cursor.col.saturating_sub(left.into())))
    else {
        return;
    };
    let (above, below) = (row.min(area.height), area.height.saturating_sub(row + 1));
    let room = above.max(below);
    if room < 3 || area.width < 12 {
        return;
    }
    let seen = offers.list.len().min(OFFERS).min(usize::from(room) - 2);
    let width = offers.list.iter().map(|offer| visible::width(&offer.text) + visible::width(&offer.note) + 5).max();
    let width = width.unwrap_or(0).clamp(24, WIDEST).min(area.width.into());
    let inner = width - 2;
    let first = (offers.selected + 1).saturating_sub(seen);
    let lines = offers.list.iter().enumerate().skip(first).take(seen).map(|(number, offer)| {
        let text = visible::line(&offer.text);
        let text = visible::truncate(&text, inner.saturating_sub(2)).into_owned();
        let rest = inner.saturating_sub(visible::width(&text) + 3);
        let note = visible::line(&offer.note);
        let note = visible::truncate(&note, rest).into_owned();
        let style = if number == offers.selected { theme::SELECTED } else { Style::new() };
        Line::from(vec![Span::styled(format!(" {text} "), style), Span::styled(format!(" {note}"), theme::DIM)])
    });
    let lines: Vec<Line> = lines.collect();
    let (Ok(height), Ok(width)) = (u16::try_from(seen + 2), u16::try_from(width)) else { return };
    let x = area.x + column.min(area.width - width);
    let y = if height <= below { area.y + row + 1 } else { area.y + above.saturating_sub(height) };
    let place = Rect { x, y, width, height }.intersection(area);
    let keys = Line::styled(keys, theme::DIM);
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(theme::DIM).title_bottom(keys);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block), place);
}
