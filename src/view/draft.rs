//! A draft: the payload on one side, what came back on the other.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::app::action::Action;
use crate::app::draft::Draft;
use crate::app::event::Level;
use crate::app::needle::Needle;
use crate::app::{App, Extent, Regions};
use crate::view::{SIDE_BY_SIDE, body, editor, panel, rows, spot, status, theme};
use crate::visible;

/// Rows that the payload has at least, its heading among them.
const PAYLOAD: u16 = 4;
/// Columns before a fact.
const LABEL: usize = 9;

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
    let mut facts = facts(app, draft);
    let mut lines = fact_lines(&facts, left.width.into());
    // What is typed is to be seen, however low the screen.
    let share = left.height / if draft.typing { 3 } else { 2 };
    let room = left.height.saturating_sub(PAYLOAD).min(share.max(1));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(room);
    let [payload, place] = Layout::vertical([Constraint::Min(1), Constraint::Length(height)]).areas(left);
    draw_payload(app, draft, frame, payload, regions);
    let room = usize::from(height);
    let more = lines.len() - room;
    if more > 0 {
        // What is wrong comes first then. All of it stands below the answer, or is scrolled to where there is none.
        facts.sort_by_key(|fact| !fact.wrong);
        lines = fact_lines(&facts, left.width.into());
    }
    let first = if right.height > 0 {
        draw_answer(app, draft, frame, right, if more > 0 { &lines } else { &[] }, regions);
        0
    } else {
        (regions.answer, regions.spots.answer) = (Extent { room, rows: lines.len() }, spot(place));
        if draft.typing { 0 } else { draft.scroll.min(more) }
    };
    let mut shown: Vec<Line> = lines.into_iter().skip(first).take(room).collect();
    if first < more
        && let Some(last) = shown.last_mut()
    {
        let keys = [Action::ScrollDown, Action::ScrollUp].map(|action| app.keymap.key(action)).join(" ");
        let how = match (right.height > 0, draft.typing) {
            (true, _) => " below the answer".to_owned(),
            (false, true) => String::new(),
            (false, false) => format!(": {keys}"),
        };
        *last = Line::styled(format!("… {} more{how}", more - first + 1), theme::DIM);
    }
    frame.render_widget(Paragraph::new(shown), place);
}

fn draw_payload(app: &App, draft: &Draft, frame: &mut Frame, area: Rect, regions: &mut Regions) {
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
        regions.spots.payload = spot(inner);
        editor::draw(app, draft, frame, inner);
    } else {
        let text = format!("{} bytes that are not text", draft.body().len());
        frame.render_widget(Paragraph::new(text), inner);
    }
}

/// Something that is so of a draft.
struct Fact {
    label: &'static str,
    text: String,
    style: Style,
    wrong: bool,
}

impl Fact {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), style: Style::new(), wrong: false }
    }

    fn wrong(label: &'static str, text: impl Into<String>, style: Style) -> Self {
        Self { style, wrong: true, ..Self::new(label, text) }
    }
}

fn facts(app: &App, draft: &Draft) -> Vec<Fact> {
    let Some(facts) = &draft.facts else {
        return vec![Fact { style: theme::DIM, ..Fact::new("body", "large: looked at when no key is pressed") }];
    };
    let payload = match &facts.syntax_error {
        _ if draft.edits_the_target() => Some(Fact::new("target", facts.target.clone())),
        Some(wrong) => {
            let text = format!("line {}, column {}: {}", wrong.line, wrong.column, wrong.message);
            Some(Fact::wrong("json", text, theme::level(Level::Error)))
        }
        None => draft.is_json().then(|| Fact::new("json", "fine")),
    };
    let signature = match &facts.signature {
        Ok(signature) => Fact::new("signature", signature.clone()),
        Err(reason) => Fact::wrong("signature", reason.clone(), theme::level(Level::Warning)),
    };
    let known = draft.kind.as_deref().is_some_and(|name| app.setup.platforms.kind(name).is_some());
    let unchecked = |why: &str| Fact { style: theme::DIM, ..Fact::new("contract", why) };
    let contract = match facts.findings.as_deref() {
        _ if !known => unchecked("none: no platform claims this call"),
        None => unchecked("not checked here, for the payload is large: the call that is sent is"),
        Some([]) => Fact::new("contract", "kept"),
        Some([first, others @ ..]) => {
            let (sign, style) = theme::severity(first.severity);
            let place = if first.pointer.is_empty() { String::new() } else { format!("{} ", first.pointer) };
            let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
            Fact::wrong("contract", format!("{sign} {place}{}{more}", first.sentence), style)
        }
    };
    let target = app.target();
    let target = target.map_or_else(|| "none yet: sending asks".to_owned(), |target| status::target_label(app, target));
    let all = [
        Some(Fact::new("to", target)),
        payload,
        Some(contract),
        Some(Fact::new("body", &facts.state)),
        facts.strange.first().map(|first| Fact::wrong("braces", first.clone(), theme::level(Level::Warning))),
        Some(Fact::new("signing", draft.mode.sentence())),
        Some(signature),
    ];
    all.into_iter().flatten().collect()
}

fn fact_lines(facts: &[Fact], width: usize) -> Vec<Line<'static>> {
    let row = |fact: &Fact| {
        rows::row(&[(fact.label, theme::DIM, LABEL), (&fact.text, fact.style, width.saturating_sub(LABEL + 1))])
    };
    facts.iter().flat_map(row).collect()
}

/// The answer, and below it those facts for which there was no room elsewhere.
fn draw_answer(
    app: &App,
    draft: &Draft,
    frame: &mut Frame,
    area: Rect,
    facts: &[Line<'static>],
    regions: &mut Regions,
) {
    let borders = if area.x > 0 { Borders::TOP | Borders::LEFT } else { Borders::TOP };
    let block = Block::new().borders(borders).border_style(theme::DIM).title(Line::styled(" Answer ", theme::HEADING));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let head = answer_head(app, draft, width);
    let body = draft.answer.as_ref().and_then(|answer| answer.as_ref().ok()).filter(|_| !draft.sending);
    let mut tail = facts.to_vec();
    if !tail.is_empty() {
        tail.splice(0..0, rows::heading("Draft"));
    }
    let (above, rows) = (head.len(), body.map_or(0, |answer| answer.body.len()));
    regions.answer = Extent { room: height, rows: above + rows + tail.len() };
    regions.answer_width = width;
    regions.spots.answer = spot(area);
    let mut shown: Vec<Line> = head.into_iter().skip(draft.scroll).take(height).collect();
    if let Some(answer) = body {
        let from = draft.scroll.saturating_sub(above).min(rows);
        shown.extend(body::lines(&answer.body, from..rows.min(from + height - shown.len()), &Needle::default()));
    }
    let room = height - shown.len();
    shown.extend(tail.into_iter().skip(draft.scroll.saturating_sub(above + rows)).take(room));
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
            let kind = app.setup.platforms.kind(draft.kind.as_deref());
            lines.extend(kind.map_or_else(Vec::new, |kind| panel::expected(kind, width)));
            return lines;
        }
        Some(Err(reason)) => return rows::row(&[(reason, theme::level(Level::Error), width)]),
        Some(Ok(answer)) => answer,
    };
    panel::answered(answer, width)
}
