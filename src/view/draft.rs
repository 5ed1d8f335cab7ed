//! A draft: the payload on one side, what came back on the other.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::app::action::Action;
use crate::app::draft::Draft;
use crate::app::event::Level;
use crate::app::{App, Regions};
use crate::net::outgoing::SignMode;
use crate::view::{SIDE_BY_SIDE, body, editor, panel, rows, status, theme};
use crate::visible;

/// Rows below the payload where there is room: target, JSON, contract, body, signature.
const FACTS: u16 = 6;
/// Rows that the payload has at least, its heading among them.
const PAYLOAD: u16 = 4;

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let Some(draft) = &app.draft else { return };
    let beside = area.width >= SIDE_BY_SIDE;
    let [left, right] = if beside {
        Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(area)
    } else {
        // Before the first answer the payload has the room; an answer takes half of it.
        let answer = if draft.answer.is_some() || draft.sending { area.height / 2 } else { 0 };
        Layout::vertical([Constraint::Min(0), Constraint::Length(answer)]).areas(area)
    };
    // What is typed is to be seen, however low the screen.
    let facts = FACTS.min(left.height.saturating_sub(PAYLOAD)).min((left.height / 3).max(1));
    let [payload, facts] = Layout::vertical([Constraint::Min(1), Constraint::Length(facts)]).areas(left);
    draw_payload(app, draft, frame, payload);
    frame.render_widget(Paragraph::new(fact_lines(app, draft, usize::from(facts.width))), facts);
    if right.height > 0 {
        draw_answer(app, draft, frame, right, beside, regions);
    }
}

fn draw_payload(app: &App, draft: &Draft, frame: &mut Frame, area: Rect) {
    let style = if draft.typing { theme::FOCUSED } else { theme::HEADING };
    let kind = draft.kind.as_deref().unwrap_or("call");
    let of = draft.parent.map_or_else(String::new, |parent| format!(" of {parent}"));
    let typing = if draft.typing { " · typing" } else { "" };
    let title = format!(" Draft {}{of}{typing} ", visible::line(kind));
    let title = visible::truncate(&title, area.width.into()).into_owned();
    let block = Block::new().borders(Borders::TOP).title(Line::styled(title, style));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if draft.editable() {
        editor::draw(app, draft, frame, inner);
    } else {
        let text = format!("{} bytes that are not text", draft.body().len());
        frame.render_widget(Paragraph::new(text), inner);
    }
}

fn fact_lines(app: &App, draft: &Draft, width: usize) -> Vec<Line<'static>> {
    let Some(facts) = &draft.facts else { return Vec::new() };
    let error = theme::level(Level::Error);
    let payload = match &facts.syntax_error {
        _ if draft.edits_the_target() => Some(("target", facts.target.clone(), Style::new())),
        Some(wrong) => {
            Some(("json", format!("line {}, column {}: {}", wrong.line, wrong.column, wrong.message), error))
        }
        None => draft.is_json().then(|| ("json", "fine".to_owned(), Style::new())),
    };
    let known = draft.kind.as_deref().is_some_and(|name| app.setup.platforms.kind(name).is_some());
    let (signature, signature_style) = match &facts.signature {
        Ok(signature) => (signature.clone(), Style::new()),
        Err(reason) => (reason.clone(), theme::level(Level::Warning)),
    };
    let (contract, contract_style) = match facts.findings.as_deref() {
        _ if !known => ("none: no platform claims this call".to_owned(), theme::DIM),
        None => ("not checked while typing: the payload is large".to_owned(), theme::DIM),
        Some([]) => ("kept".to_owned(), Style::new()),
        Some([first, others @ ..]) => {
            let (sign, style) = theme::severity(first.severity);
            let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
            (format!("{sign} {} {}{more}", first.pointer, first.sentence), style)
        }
    };
    let mode = match draft.mode {
        SignMode::Fresh => "fresh: signed anew as it is sent",
        SignMode::Exact => "exact: the signature stays as it was",
    };
    let target = app.target().map_or_else(|| "none yet: sending asks".to_owned(), status::target_label);
    let facts = [
        Some(("to", target, Style::new())),
        payload,
        Some(("contract", contract, contract_style)),
        Some(("body", facts.state.to_owned(), Style::new())),
        Some(("signing", mode.to_owned(), Style::new())),
        Some(("signature", signature, signature_style)),
    ];
    facts
        .into_iter()
        .flatten()
        .map(|(label, text, style)| {
            let shown = visible::line(&text);
            Line::from(vec![
                Span::styled(format!("{label:10}"), theme::DIM),
                Span::styled(visible::truncate(&shown, width.saturating_sub(10)).into_owned(), style),
            ])
        })
        .collect()
}

fn draw_answer(app: &App, draft: &Draft, frame: &mut Frame, area: Rect, beside: bool, regions: &mut Regions) {
    let borders = if beside { Borders::TOP | Borders::LEFT } else { Borders::TOP };
    let block = Block::new().borders(borders).border_style(theme::DIM).title(Line::styled(" Answer ", theme::HEADING));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let head = answer_head(app, draft, width);
    let body = draft.answer.as_ref().and_then(|answer| answer.as_ref().ok()).filter(|_| !draft.sending);
    let (above, below) = (head.len(), body.map_or(0, |answer| answer.body.len()));
    regions.answer = (height, above + below);
    regions.answer_width = width;
    let mut shown: Vec<Line> = head.into_iter().skip(draft.scroll).take(height).collect();
    if let Some(answer) = body {
        let from = draft.scroll.saturating_sub(above);
        shown.extend(body::lines(&answer.body, from..from + height - shown.len(), ""));
    }
    frame.render_widget(Paragraph::new(shown), inner);
}

/// What stands above the answer's body.
fn answer_head(app: &App, draft: &Draft, width: usize) -> Vec<Line<'static>> {
    if draft.sending {
        return vec![Line::styled("sending …", theme::DIM)];
    }
    let answer = match &draft.answer {
        None => {
            let text = format!("{} sends the draft; the answer appears here", app.keymap.key(Action::Send));
            let mut lines = vec![Line::styled(text, theme::DIM)];
            let kind = draft.kind.as_deref().and_then(|name| app.setup.platforms.kind(name));
            lines.extend(kind.map_or_else(Vec::new, |kind| panel::expected(kind, width)));
            return lines;
        }
        Some(Err(reason)) => return rows::row(&[(reason, theme::level(Level::Error), width)]),
        Some(Ok(answer)) => answer,
    };
    panel::answered(answer, width)
}
