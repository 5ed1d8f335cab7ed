//! The panels around sending: which draws what, and the test panel.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Padding, Paragraph};

use crate::app::action::Action;
use crate::app::draft::Answer;
use crate::app::event::Level;
use crate::app::needle::Needle;
use crate::app::panel::Panel;
use crate::app::tester::Tester;
use crate::app::{App, Extent, Regions};
use crate::platform::Kind;
use crate::view::dialogs::framed;
use crate::view::{body, clock, comparing, detail, exporting, hints, kept, list, replaying, rows, status, theme};
use crate::visible;

/// Columns of a kind's name before its title.
const KIND: usize = 27;
/// Rows of the newest sends below the kinds, and the least with which there is more of them than a heading.
const HISTORY: u16 = 8;
const SENDS: u16 = 3;

pub(super) fn draw(app: &App, panel: &Panel, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    match panel {
        Panel::Options(options) => replaying::options(app, options, frame, area),
        Panel::Running => {
            if let Some(replay) = &app.replay {
                replaying::running(app, replay, frame, area);
            }
        }
        Panel::Export(options) => exporting::options(app, options, frame, area),
        Panel::Exporting => {
            if let Some(export) = &app.export {
                exporting::progress(export, frame, area);
            }
        }
        Panel::Comparison(comparison) => comparing::draw(app, comparison, frame, area, regions),
        Panel::Tester(tester) => tests(app, tester, frame, area, regions),
        Panel::Variables { selected } => kept::variables(app, frame, area, *selected),
        Panel::Fixtures { selected } => kept::fixtures(app, frame, area, *selected),
    }
}

/// Columns before a value that is gone through.
pub(super) const OPTION: usize = 12;

/// A row whose value is gone through.
pub(super) fn option_row(label: &str, value: &str, style: Style, width: usize) -> Line<'static> {
    let value = visible::line(value);
    Line::from(vec![
        Span::styled(format!("{label:OPTION$}"), theme::DIM),
        Span::styled(visible::truncate(&value, width.saturating_sub(OPTION)).into_owned(), style),
    ])
}

/// A box over most of the screen.
pub(super) fn large(frame: &mut Frame, area: Rect, title: &str) -> Rect {
    framed(frame, Rect { height: area.height.saturating_sub(2), ..area }, title)
}

fn tests(app: &App, tester: &Tester, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let target = match app.target() {
        Some(target) => status::target_label(app, target),
        None if app.setup.listener.is_some() => "this listener".to_owned(),
        None => "a target to choose".to_owned(),
    };
    let inner = large(frame, area, &format!(" Test call to {target} "));
    let main = inner;
    let beside = main.width >= 100;
    let [left, right] = if beside {
        let widest = app.setup.platforms.kinds().map(|kind| KIND + visible::width(&kind.title)).max().unwrap_or(0);
        let wanted = u16::try_from(widest + 4).unwrap_or(u16::MAX).clamp(46, (main.width * 2 / 5).max(46));
        Layout::horizontal([Constraint::Length(wanted), Constraint::Min(0)]).areas(main)
    } else {
        Layout::vertical([Constraint::Percentage(45), Constraint::Min(0)]).areas(main)
    };
    // Where there is no room for both, the keys have theirs.
    let history = match (app.sends.newest_first().next().is_some(), left.height >= 3 * SENDS) {
        (false, _) => 0,
        (true, true) => HISTORY.min(left.height / 3),
        (true, false) if tester.in_history => left.height,
        (true, false) => 1,
    };
    let [kinds, sends] = Layout::vertical([Constraint::Min(0), Constraint::Length(history)]).areas(left);
    kind_list(app, tester, frame, kinds);
    send_list(app, tester, frame, sends);
    let borders = if beside { Borders::LEFT } else { Borders::TOP };
    let block = Block::new().borders(borders).border_style(theme::DIM).padding(Padding::left(u16::from(beside)));
    let place = block.inner(right);
    frame.render_widget(block, right);
    let (width, height) = (usize::from(place.width), usize::from(place.height));
    let answer = app.tested(tester);
    let kind = match answer.and_then(|answer| answer.call.kind.as_deref()) {
        Some(name) => app.setup.platforms.kind(name),
        None => app.setup.platforms.kinds().nth(tester.kind),
    };
    let head = answer.map_or_else(
        || {
            let key = hints::key(app, Action::Open);
            // Where a search is typed, it sends nothing.
            let does = if tester.typing { String::new() } else { format!(": {key} sends the built-in call") };
            vec![Line::styled(format!("not sent yet{does}"), theme::DIM)]
        },
        |answer| answered(answer, width),
    );
    let tail = kind.map_or_else(Vec::new, |kind| expected(kind, width));
    let (above, rows) = (head.len(), answer.map_or(0, |answer| answer.body.len()));
    regions.answer_width = width;
    regions.dialog = Extent { room: height, rows: above + rows + tail.len() };
    let mut shown: Vec<Line> = head.into_iter().skip(tester.scroll).take(height).collect();
    if let Some(answer) = answer {
        let from = tester.scroll.saturating_sub(above).min(rows);
        shown.extend(body::lines(&answer.body, from..rows.min(from + height - shown.len()), &Needle::default()));
    }
    let from = tester.scroll.saturating_sub(above + rows);
    let room = height - shown.len();
    shown.extend(tail.into_iter().skip(from).take(room));
    frame.render_widget(Paragraph::new(shown), place);
}

/// What the kinds are narrowed to, where they are; gives what is left below it.
fn search(tester: &Tester, frame: &mut Frame, area: Rect) -> Rect {
    if !tester.typing && tester.search.text().is_empty() {
        return area;
    }
    let [line, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let style = if tester.typing { theme::FOCUSED } else { theme::DIM };
    let [sign, text] = Layout::horizontal([Constraint::Length(2), Constraint::Min(0)]).areas(line);
    frame.render_widget(Line::styled("/ ", style), sign);
    if tester.typing {
        frame.render_widget(&tester.search.0, text);
    } else {
        frame.render_widget(Line::raw(visible::line(tester.search.text()).into_owned()), text);
    }
    rest
}

fn kind_list(app: &App, tester: &Tester, frame: &mut Frame, area: Rect) {
    let mut lines: Vec<(Option<usize>, String)> = Vec::new();
    let area = search(tester, frame, area);
    let mut platform = None;
    let found = app.kinds_found(tester.search.text());
    for (number, kind) in app.setup.platforms.kinds().enumerate().filter(|(number, _)| found.contains(number)) {
        if platform.replace(kind.platform()) != Some(kind.platform()) {
            let title = app.setup.platforms.title_of(kind.platform());
            lines.push((None, title.to_owned()));
        }
        lines.push((Some(number), format!("{:wide$} {}", kind.name, kind.title, wide = KIND - 1)));
    }
    let chosen = lines.iter().position(|(number, _)| *number == Some(tester.kind)).unwrap_or(0);
    let room = usize::from(area.height);
    let first = (chosen + 1).saturating_sub(room);
    let width = usize::from(area.width).saturating_sub(1);
    let lines = lines.iter().skip(first).take(room);
    let shown: Vec<Line> = lines
        .map(|(number, text)| {
            let style = match number {
                None => theme::DIM,
                Some(number) if *number == tester.kind && tester.in_history => theme::HEADING,
                Some(number) if *number == tester.kind => theme::SELECTED,
                Some(_) => Style::new(),
            };
            Line::styled(rows::pad(text, width.saturating_sub(1)), style)
        })
        .collect();
    frame.render_widget(Paragraph::new(shown), area);
}

fn send_list(app: &App, tester: &Tester, frame: &mut Frame, area: Rect) {
    let title = format!(" {} sent so far ", app.sends.newest_first().count());
    let block = Block::new().borders(Borders::TOP).border_style(theme::DIM).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let room = usize::from(inner.height);
    let first = if tester.in_history { (tester.send + 1).saturating_sub(room) } else { 0 };
    let width = usize::from(inner.width).saturating_sub(2);
    let shown: Vec<Line> = app
        .sends
        .newest_first()
        .enumerate()
        .skip(first)
        .take(room)
        .map(|(number, answer)| {
            let call = &answer.call;
            let status = call.status().map_or("---".to_owned(), |status| status.to_string());
            let took = list::took(call.took);
            let time = clock(app, call.at, "%H:%M:%S");
            let kind = call.kind.as_deref().map_or_else(|| app.path(call.request.path()), Cow::Borrowed);
            let text = format!("{status} {took:>6} {kind}");
            // What was sent matters more than where to, and that more than when.
            let place = rows::sent_to(call).unwrap_or_else(|| "?".to_owned());
            let name = kind.rsplit('/').next().unwrap_or(&kind);
            let [placed, short] = [&kind, name].map(|kind| format!("{status} {took:>6} {kind} → {place}"));
            let timed = format!("{time} {placed}");
            let fits = |text: &&String| visible::width(text) <= width;
            let text = rows::pad([&timed, &placed, &short].into_iter().find(fits).unwrap_or(&text), width);
            Line::styled(text, if tester.in_history && number == tester.send { theme::SELECTED } else { Style::new() })
        })
        .collect();
    frame.render_widget(Paragraph::new(shown), inner);
}

/// What stands above an answer's body: status, time, what is wrong with it.
pub(super) fn answered(answer: &Answer, width: usize) -> Vec<Line<'static>> {
    let call = &answer.call;
    let took = list::took(call.took);
    // The target that is chosen may be another one by now.
    let place = rows::sent_to(call);
    let mut lines: Vec<Line> =
        place.iter().flat_map(|place| rows::labelled("sent to", place, Style::new(), width)).collect();
    if let Some(response) = &call.response {
        lines.extend(detail::status_line(response.status, &took, response.body.len()));
    }
    for note in answer.redirect.iter().chain(&answer.packed) {
        lines.extend(rows::row(&[(note, theme::DIM, width)]));
    }
    if let Some(error) = &call.error {
        lines.extend(rows::row(&[(error, theme::level(Level::Error), width)]));
    }
    if let Some(sig) = call.sig {
        let (sign, style) = theme::sig(sig);
        lines.extend(rows::labelled("left signed", &format!("{sign} {}", sig.word()), style, width));
    }
    if call.response.is_some() {
        lines.extend(rows::findings(&answer.findings, width));
        lines.push(Line::default());
    }
    lines
}

/// The shape that an answer to this kind shall have: field, type, what it means.
pub(super) fn expected(kind: &Kind, width: usize) -> Vec<Line<'static>> {
    let fields = kind.response_fields();
    if fields.is_empty() {
        return Vec::new();
    }
    let mut lines = rows::heading("Expected answer").to_vec();
    let first = fields.iter().map(|field| visible::width(&field.place)).max().unwrap_or(0).min(width / 3);
    let second = 20.min(width / 4);
    for field in &fields {
        let json_type = field.json_type.as_deref().unwrap_or("any");
        let needed = match field.need.strip_prefix("optional") {
            Some(case) => format!("{json_type}{case}"),
            None => format!("{json_type}, {}", field.need),
        };
        let known = (!field.allowed.is_empty()).then(|| format!("({})", field.allowed.join(", ")));
        let meaning: Vec<&str> = field.meaning.as_deref().into_iter().chain(known.as_deref()).collect();
        let rest = width.saturating_sub(first + second + 2);
        lines.extend(rows::row(&[
            (&field.place, theme::KEY, first),
            (&needed, theme::DIM, second),
            (&meaning.join(" "), Style::new(), rest),
        ]));
    }
    lines
}
