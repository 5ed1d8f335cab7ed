//! The panels around sending: replay options and progress, the test panel.

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Padding, Paragraph};

use crate::app::action::Action;
use crate::app::draft::Answer;
use crate::app::event::Level;
use crate::app::panel::Panel;
use crate::app::replaying::{Field, Options, Replay, Sent, changes, masks};
use crate::app::tester::Tester;
use crate::app::{App, Regions};
use crate::platform::Kind;
use crate::view::dialogs::{boxed, framed, inner_width, line_input, question};
use crate::view::{body, comparing, detail, exporting, hints, kept, list, rows, status, theme};
use crate::visible;

/// Columns of a kind's name before its title.
const KIND: usize = 27;
/// Rows of the newest sends below the kinds, and the least with which there is more of them than a heading.
const HISTORY: u16 = 8;
const SENDS: u16 = 3;

pub(super) fn draw(app: &App, panel: &Panel, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    match panel {
        Panel::Options(options) => draw_options(app, options, frame, area),
        Panel::Sure { question: asked, .. } => question(app, frame, area, " Guarded target ", asked, "sends"),
        Panel::Running => {
            if let Some(replay) = &app.replay {
                running(app, replay, frame, area);
            }
        }
        Panel::Export(options) => exporting::options(app, options, frame, area),
        Panel::Replace { job, bytes, .. } => exporting::replace(app, job, *bytes, frame, area),
        Panel::Exporting => {
            if let Some(export) = &app.export {
                exporting::progress(export, frame, area);
            }
        }
        Panel::Comparison(comparison) => comparing::draw(app, comparison, frame, area, regions),
        Panel::Tester(tester) => tests(app, tester, frame, area, regions),
        Panel::Variables { selected } => kept::variables(app, frame, area, *selected),
        Panel::Fixtures { selected } => kept::fixtures(app, frame, area, *selected),
        Panel::Certain { question: asked, does, .. } => question(app, frame, area, " Sure? ", asked, does),
        Panel::Name { input, error } => line_input(frame, area, "keep the draft as ", input, error.as_deref()),
    }
}

fn draw_options(app: &App, options: &Options, frame: &mut Frame, area: Rect) {
    let width = inner_width(area, 76);
    let row = |field: &Field| {
        let guarded = app.target().is_some_and(|target| target.guard);
        let (label, value) = match field {
            Field::Which => ("calls", format!("{}, {}", options.count, options.which.words())),
            Field::Sent => ("sent ones", if options.sent { "too" } else { "no, only received ones" }.to_owned()),
            Field::To => (
                "target",
                app.target()
                    .map_or_else(|| format!("none yet ({})", app.keymap.key(Action::Target)), status::target_label),
            ),
            Field::Mode => ("mode", mode_words(options.mode).to_owned()),
            Field::Pace => ("pace", options.pace.clone()),
            Field::Concurrency => ("at a time", options.concurrency.clone()),
            Field::Expect => ("expect", options.expect.clone()),
            Field::Stop => ("a failure", if options.stop { "ends it" } else { "is told, and it goes on" }.to_owned()),
        };
        let selected = if *field == options.field() { theme::SELECTED } else { Style::new() };
        let style = if *field == Field::To && guarded { selected.patch(theme::GUARDED) } else { selected };
        option_row(label, &value, style, width)
    };
    let mut lines: Vec<Line> = Field::ALL.iter().map(row).collect();
    if let Some(error) = &options.error {
        lines.push(Line::default());
        lines.extend(rows::row(&[(error, theme::level(Level::Error), width)]));
    }
    boxed(frame, area, " Replay ", lines);
    if let Some(input) = &options.typing {
        line_input(frame, area, "value ", input, None);
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

fn mode_words(mode: crate::net::outgoing::SignMode) -> &'static str {
    match mode {
        crate::net::outgoing::SignMode::Fresh => "fresh: new signature, ids and times",
        crate::net::outgoing::SignMode::Exact => "exact: signature and bytes as recorded",
    }
}

/// A box over most of the screen.
pub(super) fn large(frame: &mut Frame, area: Rect, title: &str) -> Rect {
    framed(frame, Rect { height: area.height.saturating_sub(2), ..area }, title)
}

/// `████░░░░ 12 of 40 · 31.0/s · 2 failed · 1s left`.
fn meter(app: &App, replay: &Replay, width: usize) -> Line<'static> {
    let elapsed = replay.elapsed(app.now);
    let meter = &replay.meter;
    let bar = (width / 4).clamp(4, 30);
    let filled = usize::try_from(meter.done * bar as u64 / meter.total.max(1)).unwrap_or(bar).min(bar);
    let mut text = format!(" {} of {} · {:.1}/s", meter.done, meter.total, meter.rate(elapsed));
    let left = meter.left(elapsed).filter(|_| replay.runs() && replay.paused.is_none());
    if let Some(left) = left {
        let left = Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        let _ = write!(text, " · {} left", visible::age(left));
    }
    if replay.paused.is_some() {
        text.push_str(" · paused");
    }
    let failed = if meter.failed > 0 { theme::level(Level::Error) } else { theme::DIM };
    Line::from(vec![
        Span::styled("█".repeat(filled), theme::FOCUSED),
        Span::styled("░".repeat(bar - filled), theme::DIM),
        Span::raw(text),
        Span::styled(format!(" · {} failed", meter.failed), failed),
    ])
}

fn running(app: &App, replay: &Replay, frame: &mut Frame, area: Rect) {
    let inner = large(frame, area, &format!(" Replay: {replay} "));
    let width = usize::from(inner.width);
    let mut head = vec![meter(app, replay, width)];
    match &replay.ended {
        Some(Ok(summary)) => {
            let took = &summary.took;
            let cancelled = if summary.cancelled { "cancelled" } else { "" };
            let times = format!(
                "took p50 {} · p90 {} · p99 {} · longest {}{}{cancelled}",
                list::duration(took.p50_us),
                list::duration(took.p90_us),
                list::duration(took.p99_us),
                list::duration(took.max_us),
                if summary.cancelled { " · " } else { "" },
            );
            // Without an answer none took any time.
            let told = if took.count > 0 { times } else { cancelled.to_owned() };
            head.push(Line::styled(told, theme::DIM));
            let short = summary.shortfall();
            head.extend(short.iter().flat_map(|short| rows::row(&[(short, theme::level(Level::Warning), width)])));
        }
        Some(Err(error)) => head.extend(rows::row(&[(error, theme::level(Level::Error), width)])),
        None => head.push(Line::default()),
    }
    head.push(Line::default());
    let listed: Vec<&Sent> = replay.listed().collect();
    let chosen = replay.selected.min(listed.len().saturating_sub(1));
    let mut foot = listed.get(chosen).map_or_else(Vec::new, |sent| told(sent, width));
    foot.truncate(usize::from(inner.height) / 3);
    let room = usize::from(inner.height).saturating_sub(head.len() + foot.len() + 1);
    let first = (chosen + 1).saturating_sub(room);
    let mut lines = head;
    let table = listed.iter().enumerate().skip(first).take(room);
    lines.extend(table.map(|(n, sent)| result(app, sent, width, n == chosen)));
    if listed.is_empty() {
        lines.extend(rows::row(&[(&nothing_listed(app, replay), theme::DIM, width)]));
    }
    let fill = usize::from(inner.height).saturating_sub(lines.len() + foot.len());
    lines.extend(std::iter::repeat_n(Line::default(), fill));
    lines.extend(foot);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Why no result is listed.
fn nothing_listed(app: &App, replay: &Replay) -> String {
    match (replay.results.is_empty(), replay.runs()) {
        (false, _) => format!("all is as expected: {} lists it", hints::key(app, Action::OnlyFailures)),
        (true, true) => "nothing has come back yet".to_owned(),
        (true, false) => "nothing was sent".to_owned(),
    }
}

/// `✗ 503   12ms  moveo/dialog  2 fields differ`.
fn result(app: &App, sent: &Sent, width: usize, selected: bool) -> Line<'static> {
    let (sign, style) = if sent.is_fine() {
        ("✓", theme::sig(crate::call::Sig::Valid).1)
    } else if sent.is_failure() {
        ("✗", theme::level(Level::Error))
    } else {
        ("–", theme::DIM)
    };
    let text = match &sent.call {
        Some(call) => {
            let status = call.status.map_or("---".to_owned(), |status| status.to_string());
            let took = list::took(call.took);
            let kind = &call.what;
            let time = call.at.to_zoned(app.setup.zone.clone()).strftime("%H:%M:%S");
            let unmet = sent.unmet.first().map_or("", String::as_str);
            format!(" {status}  {took:>6}  {time}  {kind:24}  {unmet}")
        }
        None => format!(" not sent: {}", sent.unmet.first().map_or("", String::as_str)),
    };
    let shown = rows::pad(&text, width.saturating_sub(2));
    let rest = if selected { theme::SELECTED } else { Style::new() };
    Line::from(vec![Span::styled(sign, style), Span::styled(shown, rest)])
}

/// What was changed before it left, and everything that is not as expected.
fn told(sent: &Sent, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if sent.call.is_some() {
        lines.extend(rows::labelled("left with", &changes(sent.changed.iter()), Style::new(), width));
    }
    if let Some(masks) = masks(&sent.masked) {
        lines.extend(rows::labelled("", &masks, theme::level(Level::Warning), width));
    }
    for unmet in &sent.unmet {
        lines
            .extend(rows::row(&[("✗", theme::level(Level::Error), 1), (unmet, Style::new(), width.saturating_sub(2))]));
    }
    for found in &sent.differences {
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        let text = format!("{}: {} → {}", found.place, of(&found.left), of(&found.right));
        lines.extend(rows::row(&[("", theme::DIM, 1), (&text, theme::DIM, width.saturating_sub(2))]));
    }
    lines
}

fn tests(app: &App, tester: &Tester, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let target = match app.target() {
        Some(target) => status::target_label(target),
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
    let name = answer.and_then(|answer| answer.call.kind.clone());
    let kind = match name {
        Some(name) => app.setup.platforms.kind(&name),
        None => app.setup.platforms.kinds().nth(tester.kind),
    };
    let head = answer.map_or_else(
        || {
            let text = format!("not sent yet: {} sends the built-in call", hints::key(app, Action::Open));
            vec![Line::styled(text, theme::DIM)]
        },
        |answer| answered(answer, width),
    );
    let tail = kind.map_or_else(Vec::new, |kind| expected(kind, width));
    let (above, rows) = (head.len(), answer.map_or(0, |answer| answer.body.len()));
    regions.answer_width = width;
    regions.dialog = (height, above + rows + tail.len());
    let mut shown: Vec<Line> = head.into_iter().skip(tester.scroll).take(height).collect();
    if let Some(answer) = answer {
        let from = tester.scroll.saturating_sub(above).min(rows);
        shown.extend(body::lines(&answer.body, from..rows.min(from + height - shown.len()), ""));
    }
    let from = tester.scroll.saturating_sub(above + rows);
    let room = height - shown.len();
    shown.extend(tail.into_iter().skip(from).take(room));
    frame.render_widget(Paragraph::new(shown), place);
}

fn kind_list(app: &App, tester: &Tester, frame: &mut Frame, area: Rect) {
    let mut lines: Vec<(Option<usize>, String)> = Vec::new();
    let mut platform = None;
    for (number, kind) in app.setup.platforms.kinds().enumerate() {
        if platform.replace(kind.platform()) != Some(kind.platform()) {
            let title = app.setup.platforms.pack(kind.platform()).map_or(kind.platform(), |pack| &pack.title);
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
            let time = call.at.to_zoned(app.setup.zone.clone()).strftime("%H:%M:%S");
            let kind = call.kind.as_deref().unwrap_or_else(|| call.request.path());
            let text = format!("{status} {took:>6} {kind}");
            // What was sent matters more than where to, and that more than when.
            let place = rows::sent_to(call).unwrap_or_else(|| "?".to_owned());
            let name = kind.rsplit('/').next().unwrap_or(kind);
            let [placed, short] = [kind, name].map(|kind| format!("{status} {took:>6} {kind} → {place}"));
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
    let second = 16.min(width / 4);
    for field in &fields {
        let json_type = field.json_type.as_deref().unwrap_or("any");
        let needed = if field.required { format!("{json_type}, required") } else { json_type.to_owned() };
        let meaning = field.meaning.as_deref().unwrap_or_default();
        let rest = width.saturating_sub(first + second + 2);
        lines.extend(rows::row(&[
            (&field.place, theme::KEY, first),
            (&needed, theme::DIM, second),
            (meaning, Style::new(), rest),
        ]));
    }
    lines
}
