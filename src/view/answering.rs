//! What answers calls, calls that wait, and an answer being edited.

use bytes::Bytes;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::app::action::Action;
use crate::app::answering::{Answering, Edit, Offer, Open, Purpose};
use crate::app::event::Level;
use crate::app::needle::Needle;
use crate::app::shown;
use crate::app::text::Text;
use crate::app::{App, Extent, Regions};
use crate::call::Headers;
use crate::config::Source;
use crate::net::responder::{Held, Slot, Stage, Whose};
use crate::view::dialogs::{Pick, WIDE, boxed, extent, inner_width, picker};
use crate::view::{body, editor, hints, rows, theme};
use crate::visible;

pub(super) fn draw(app: &App, answering: &Answering, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    match answering {
        Answering::List { selected } => {
            picker(frame, area, " What answers ", &slots(app, area), *selected);
        }
        Answering::Sources { slot, selected } => {
            let theirs = app.answers.slots.get(*slot).map_or_else(String::new, |slot| whose(app, slot));
            let title = format!(" What answers {theirs}? ");
            let picks: Vec<Pick> =
                app.offers(*slot).iter().map(|offer| Pick::Choice(offered(app, offer, area))).collect();
            picker(frame, area, &title, &picks, *selected);
        }
        Answering::Held { selected, scroll } => held(app, frame, area, (*selected, *scroll), regions),
        Answering::Edit(edit) => edited(app, edit, frame, area),
    }
}

/// Whose calls a responder answers: where it is the only one, everyone's.
pub(super) fn whose(app: &App, slot: &Slot) -> String {
    match slot.whose {
        Whose::Rest if app.answers.slots.len() == 1 => "every call".to_owned(),
        ref whose => whose.to_string(),
    }
}

fn slots(app: &App, area: Rect) -> Vec<Pick> {
    let whose = |slot: &Slot| whose(app, slot);
    let first = app.answers.slots.iter().map(|slot| visible::width(&whose(slot))).max().unwrap_or(0).min(34);
    let room = inner_width(area, WIDE);
    let row = |slot: &Slot| {
        let left = app.answers.faults().find(|(known, ..)| known.whose == slot.whose).and_then(|(.., left)| left);
        let spent = slot.respond.fault.is_some() && !app.answers.faults().any(|(known, ..)| known.whose == slot.whose);
        let more = match (spent, left) {
            (true, _) => " (spent)".to_owned(),
            (false, Some(left)) => format!(" ({left} left)"),
            (false, None) => String::new(),
        };
        let respond = slot.respond.to_string();
        let text = format!("{:first$}  {}{more}", whose(slot), app.sentence(&respond));
        Pick::Choice(visible::truncate(&visible::line(&text), room).into_owned())
    };
    app.answers.slots.iter().map(row).collect()
}

fn offered(app: &App, offer: &Offer, area: Rect) -> String {
    let text = match offer {
        Offer::Typed => "a reply typed here …".to_owned(),
        Offer::Address => "forward to another address …".to_owned(),
        Offer::Source(Source::Reply(replies)) if !replies.title.is_empty() => {
            format!("{:24} {}", replies.name.as_deref().unwrap_or_default(), replies.title)
        }
        Offer::Source(source) => app.sentence(&source.to_string()).into_owned(),
    };
    visible::truncate(&visible::line(&text), inner_width(area, WIDE)).into_owned()
}

/// How long a held call still waits.
pub(super) fn remaining(app: &App, held: &Held) -> String {
    let left = held.until.duration_since(app.now).as_millis().max(0);
    format!("{} s", (left + 999) / 1000)
}

fn held(app: &App, frame: &mut Frame, area: Rect, (selected, scroll): (usize, usize), regions: &mut Regions) {
    let width = inner_width(area, WIDE);
    let selected = selected.min(app.answers.held.len().saturating_sub(1));
    // The one that is meant is seen, and there is room to see what it is.
    let most = usize::from(area.height / 3).max(1);
    let first = (selected + 1).saturating_sub(most);
    let mut lines = Vec::new();
    for (number, held) in app.answers.held.iter().enumerate().skip(first).take(most) {
        let glance = app.answers.waiting.glance(held);
        let target = glance.map_or("", |glance| &glance.target);
        let what = held.kind.clone().unwrap_or_else(|| format!("{} {}", held.request.method, app.path(target)));
        let text = glance.and_then(|glance| glance.said.as_ref());
        let said = text.map_or_else(String::new, |text| format!(" {text}"));
        let style = if number == selected { theme::SELECTED } else { Style::new() };
        lines.push(Line::styled(rows::pad(&format!("{:>5}  {what}{said}", remaining(app, held)), width), style));
    }
    regions.answer_width = width;
    let open = app.answers.held.get(selected).and_then(|held| Some((held, app.answers.waiting.open(held)?)));
    let parts = open.map_or_else(Vec::new, |(held, open)| parts(held, open, width));
    let total = parts.iter().map(Part::len).sum();
    let room = usize::from(area.height).saturating_sub(lines.len() + 3);
    regions.dialog = Extent { room, rows: total };
    let top = scroll.min(regions.dialog.last());
    let (mut skipped, full) = (top, lines.len() + room);
    for part in parts {
        let rows = part.len();
        lines.extend(part.lines(skipped, full - lines.len()));
        skipped = skipped.saturating_sub(rows);
    }
    let below = app.answers.held.len().saturating_sub(first + most);
    let title = match below {
        0 => " Calls that wait for you: in time they go on by themselves ".to_owned(),
        below => format!(" Calls that wait for you: in time they go on by themselves · {below} more below "),
    };
    let inner = boxed(frame, area, &title, lines);
    let keys = [Action::HeldDown, Action::HeldUp].map(|action| hints::key(app, action)).join(" ");
    extent(frame, inner, (top, room, total), &keys);
}

/// Some lines, and a body below them.
struct Part<'a> {
    head: Vec<Line<'static>>,
    body: &'a Text,
}

impl Part<'_> {
    fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// At most `room` lines behind the first `skipped`.
    fn lines(self, skipped: usize, room: usize) -> Vec<Line<'static>> {
        let above = self.head.len();
        let mut lines: Vec<Line> = self.head.into_iter().skip(skipped).take(room).collect();
        let from = skipped.saturating_sub(above);
        lines.extend(body::lines(self.body, from..from + room - lines.len(), &Needle::default()));
        lines
    }
}

/// What a held call holds, what waits first.
fn parts<'a>(held: &Held, open: &'a Open, width: usize) -> Vec<Part<'a>> {
    let mut above = Vec::new();
    if let Some(sig) = held.sig {
        let (sign, style) = theme::sig(sig);
        above.extend(rows::labelled("signature", &format!("{sign} {}", sig.word()), style, width));
    }
    let Open { request, answer, request_body, answer_body } = open;
    let mut parts = Vec::new();
    match (&held.stage, answer) {
        (Stage::Forward(target), _) => above.extend(rows::labelled("goes to", target, Style::new(), width)),
        (Stage::Answer(_), None) => {}
        (Stage::Answer(_), Some(answer)) => {
            above.extend(rows::heading(&format!("Answer {}{}", answer.status, of(&answer.body))));
            above.extend(packing(&answer.headers, &answer.body, width));
            parts.push(Part { head: std::mem::take(&mut above), body: answer_body });
        }
    }
    above.extend(rows::heading(&format!("Request{}", of(&request.body))));
    above.extend(packing(&request.headers, &request.body, width));
    parts.push(Part { head: above, body: request_body });
    parts
}

/// What a heading says of a body that is none.
fn of(body: &[u8]) -> &'static str {
    if body.is_empty() { ": no body" } else { "" }
}

/// What is to be said of a body that came compressed.
fn packing(headers: &Headers, body: &Bytes, width: usize) -> Vec<Line<'static>> {
    shown::packed(headers, body).map_or_else(Vec::new, |text| rows::row(&[(&text, theme::DIM, width)]))
}

fn edited(app: &App, edit: &Edit, frame: &mut Frame, area: Rect) {
    let title = match &edit.purpose {
        Purpose::Answer(id) | Purpose::Request(id) => {
            let held = app.answers.held.iter().find(|held| held.id == *id);
            let left = held.map_or_else(String::new, |held| format!(" · {} left", remaining(app, held)));
            let what = if edit.is_request() { "Request before it is forwarded" } else { "Answer to the held call" };
            format!(" {what}{left} ")
        }
        Purpose::Slot(slot) => {
            let theirs = app.answers.slots.get(*slot).map_or_else(String::new, |slot| whose(app, slot));
            format!(" What answers {} ", visible::line(&theirs))
        }
        Purpose::Kind(kind) => format!(" Every {} is answered like this from now on ", visible::line(kind)),
    };
    let block = Block::bordered().border_type(BorderType::Rounded).title(Line::styled(title, theme::FOCUSED));
    let place = Rect { height: area.height.saturating_sub(2), ..area };
    let inner = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    let width = usize::from(inner.width);
    let facts = facts(edit, width);
    let below = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(inner.height / 2);
    let head = u16::from(!edit.is_request());
    let [status, body, facts_place] =
        Layout::vertical([Constraint::Length(head), Constraint::Min(1), Constraint::Length(below)]).areas(inner);
    if head > 0 {
        let label = if edit.on_status { theme::FOCUSED } else { theme::DIM };
        frame.render_widget(Paragraph::new(Span::styled("status ", label)), status);
        let line = Rect { x: status.x + 7, width: status.width.saturating_sub(7), ..status };
        frame.render_widget(&edit.status.0, line);
    }
    editor::draw(app, &edit.draft, frame, body);
    frame.render_widget(Paragraph::new(facts), facts_place);
}

/// What is wrong with it, as one types.
fn facts(edit: &Edit, width: usize) -> Vec<Line<'static>> {
    let error = theme::level(Level::Error);
    let mut lines = Vec::new();
    if let Err(reason) = edit.status() {
        lines.extend(rows::row(&[(&reason, error, width)]));
    }
    if let Some(packing) = edit.draft.packing() {
        lines.extend(rows::row(&[(&packing, theme::DIM, width)]));
    }
    if let Some(wrong) = &edit.syntax_error {
        let text = format!("not JSON at line {}, column {}: {}", wrong.line, wrong.column, wrong.message);
        lines.extend(rows::row(&[(&text, error, width)]));
    } else if edit.kind.is_none() {
        lines.push(Line::styled("no contract to hold it against", theme::DIM));
    } else if edit.findings.is_empty() {
        lines.push(Line::styled("✓ satisfies the contract", theme::level(Level::Info)));
    } else {
        lines.extend(rows::findings(&edit.findings, width));
    }
    if matches!(edit.purpose, Purpose::Slot(_) | Purpose::Kind(_)) {
        let text = "{{request:/pointer}} fills in what the request has there";
        lines.extend(rows::row(&[(text, theme::DIM, width)]));
    }
    lines
}
