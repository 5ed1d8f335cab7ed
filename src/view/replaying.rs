//! Recorded calls sent again: what is asked before, how far it is, and what came of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::App;
use crate::app::action::Action;
use crate::app::event::Level;
use crate::app::replaying::{Answered, Field, Options, Replay, Sent, changes, masks};
use crate::app::which::Which;
use crate::call::{Direction, Sig};
use crate::config::Target;
use crate::net::fault::{Delivery, Fault};
use crate::replay::compare::Difference;
use crate::replay::mask::Masking;
use crate::replay::{self, Latencies, answered};
use crate::view::dialogs::{NARROW, boxed, extent, inner_width, line_input};
use crate::view::panel::{large, option_row};
use crate::view::{clock, hints, list, rows, status, theme};
use crate::visible;

/// Columns of the word for a fault.
const FAULT: usize = 16;
/// Columns of a status and how long it took: `200    12ms`.
const ANSWER: usize = 11;
/// Columns of when it left, with those before it.
const CLOCK: usize = 10;
/// Fewer lines than these are little room.
const LOW: u16 = 12;
/// Columns of a screen on which a result has room for when it left, whatever else there is to say of it.
const ROOMY: usize = 100;

pub(super) fn options(app: &App, options: &Options, frame: &mut Frame, area: Rect) {
    let width = inner_width(area, NARROW);
    let plan = app.plan(options).ok();
    let mut foot = Vec::new();
    // A heading stands above what goes wrong.
    let all = Field::ALL.len() + 1;
    // The frame, and the two lines below.
    let room = usize::from(area.height.saturating_sub(4));
    if let Some(terms) = plan.as_ref().and_then(|plan| plan.terms(app.mask())).filter(|_| room < all) {
        foot.extend(rows::row(&[(&terms, theme::level(Level::Warning), width)]));
    }
    if options.counting.is_some() {
        foot.push(Line::styled("counting the calls that would leave …", theme::DIM));
    }
    if let Some(error) = &options.error {
        foot.push(Line::default());
        foot.extend(rows::row(&[(error, theme::level(Level::Error), width)]));
    }
    let mut lines = Vec::with_capacity(all);
    let mut chosen = 0;
    for (number, field) in Field::ALL.into_iter().enumerate() {
        if field.is_faulty() && lines.len() == number {
            let heading = "what goes wrong on purpose; with several, each call is sent with each";
            lines.push(Line::styled(rows::cut(heading, width), theme::DIM));
        }
        if field == options.field() {
            chosen = lines.len();
        }
        lines.push(row(app, options, field, width));
    }
    let room = room.saturating_sub(foot.len()).max(1);
    // What is above the selected row is seen sooner than what is below it.
    let first = (chosen + 1).saturating_sub(room).min(all.saturating_sub(room));
    let mut shown: Vec<Line> = lines.into_iter().skip(first).take(room).collect();
    shown.extend(foot);
    let title = plan.map(|plan| format!(": {}", app.sentence(&plan.title(options.count)))).unwrap_or_default();
    let inner = boxed(frame, area, &format!(" Replay{title} "), shown);
    let keys = [Action::Down, Action::Up].map(|action| hints::key(app, action)).join(" ");
    extent(frame, inner, (first, room, all), &keys);
    if let Some(input) = &options.typing {
        line_input(frame, area, "value ", input, None);
    }
}

/// Which of the calls that were sent themselves are meant.
fn sent_ones(app: &App, options: &Options) -> &'static str {
    // Another may be selected by now.
    let chosen = options.this.filter(|_| matches!(options.which, Which::This | Which::FromHere));
    let row = chosen.and_then(|id| app.index.row_of(id));
    match row.and_then(|row| app.index.view(row)).map(|view| view.direction) {
        _ if options.sent => "too",
        Some(Direction::Sent) => "no, but the selected one",
        _ => "no, only received ones",
    }
}

fn row(app: &App, options: &Options, field: Field, width: usize) -> Line<'static> {
    let label = |target: &Target| status::target_label(app, target);
    let (label, value) = match field {
        Field::Which => {
            let so_far = if app.still_seeks(options.which) { " so far" } else { "" };
            ("calls", format!("{}{so_far}, {}", options.count, options.which.words()))
        }
        Field::Sent => ("sent ones", sent_ones(app, options).to_owned()),
        Field::To => {
            ("target", app.target().map_or_else(|| format!("none yet ({})", app.keymap.key(Action::Target)), label))
        }
        Field::Against => ("against", options.against.as_ref().map_or_else(|| "no second target".to_owned(), label)),
        Field::Mode => ("mode", replay::mode(options.mode, false).to_owned()),
        Field::Pace => ("pace", options.pace.clone()),
        Field::Concurrency => ("at a time", options.concurrency.clone()),
        Field::Repeat => (
            "repeat",
            match options.repeat.as_str() {
                "1" => "no".to_owned(),
                times => format!("all of it {times} times"),
            },
        ),
        Field::Expect => (
            "expect",
            match options.expect.as_str() {
                "" if options.faults.contains(&true) => "status=2xx, or what a sound endpoint makes of the fault",
                "" => "status=2xx",
                expect => expect,
            }
            .to_owned(),
        ),
        Field::Stop => ("a failure", if options.stop { "ends it" } else { "is told, and it goes on" }.to_owned()),
        Field::Fault(number) => return fault(options, field, number, width),
        Field::Duplicate | Field::OutOfOrder => return order(options, field, width),
    };
    let guarded = match field {
        Field::To => app.target().is_some_and(|target| target.guard),
        Field::Against => options.against.as_ref().is_some_and(|target| target.guard),
        _ => false,
    };
    let selected = if field == options.field() { theme::SELECTED } else { Style::new() };
    option_row(label, &value, if guarded { selected.patch(theme::GUARDED) } else { selected }, width)
}

/// A fault that calls are sent with, or not.
fn fault(options: &Options, field: Field, number: usize, width: usize) -> Line<'static> {
    let fault = Fault::ALL[number];
    let time = fault.slowness().map(|_| format!(": {}", options.slow)).unwrap_or_default();
    let does = format!("{}{time}", fault.does());
    checked(options.faults[number], fault.word(), &does, field == options.field(), width)
}

/// The same of when they come.
fn order(options: &Options, field: Field, width: usize) -> Line<'static> {
    let late = field == Field::OutOfOrder;
    let word = Delivery { fault: None, late, again: !late }.label().unwrap_or_default();
    let (on, does) = if late { (options.out_of_order, Delivery::LATE) } else { (options.duplicate, Delivery::AGAIN) };
    checked(on, &word, does, field == options.field(), width)
}

/// `✓ bad signature   Sign as someone else; it should be refused`.
fn checked(on: bool, word: &str, does: &str, selected: bool, width: usize) -> Line<'static> {
    let (sign, style) = if on { ("✓", theme::level(Level::Warning)) } else { ("·", theme::DIM) };
    let shown = if selected { theme::SELECTED } else { style };
    let does = visible::line(does);
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(format!("{word:FAULT$}"), shown),
        Span::styled(visible::truncate(&does, width.saturating_sub(FAULT + 2)).into_owned(), theme::DIM),
    ])
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

pub(super) fn running(app: &App, replay: &Replay, frame: &mut Frame, area: Rect) {
    let inner = large(frame, area, &format!(" Replay: {} ", app.sentence(&replay.plan.title(replay.items))));
    let width = usize::from(inner.width);
    // Where there is little room, results have it.
    let low = inner.height < LOW;
    let mut head = Vec::new();
    if let Some(terms) = replay.plan.terms(app.mask()) {
        let style = theme::level(Level::Warning);
        head.extend(if low {
            vec![Line::styled(rows::cut(&terms, width), style)]
        } else {
            rows::row(&[(&terms, style, width)])
        });
    }
    head.push(meter(app, replay, width));
    match &replay.ended {
        Some(Ok(summary)) => {
            let times = |took: &Latencies, statuses: &BTreeMap<u16, u64>| {
                let [half, most, nearly, all] =
                    [took.p50_us, took.p90_us, took.p99_us, took.max_us].map(list::duration);
                // Where it is to be said of how many, there is room for less.
                match answered(statuses) {
                    Some(answered) => format!("{answered} · p50 {half} · p99 {nearly} · longest {all}"),
                    None => format!("took p50 {half} · p90 {most} · p99 {nearly} · longest {all}"),
                }
            };
            let second = replay.plan.against.as_ref().zip(summary.against.as_ref());
            let first = second.map_or_else(String::new, |_| format!("{} ", app.sentence(&replay.plan.target.name)));
            // Without an answer none took any time.
            let told = (summary.took.count > 0).then(|| format!("{first}{}", times(&summary.took, &summary.statuses)));
            let told: Vec<&str> = told.as_deref().into_iter().chain(summary.cancelled.then_some("cancelled")).collect();
            head.push(Line::styled(rows::cut(&told.join(" · "), width), theme::DIM));
            if let Some((Target { name, .. }, answers)) = second.filter(|(_, answers)| answers.took.count > 0 && !low) {
                let told = format!("{} {}", app.sentence(name), times(&answers.took, &answers.statuses));
                head.push(Line::styled(rows::cut(&told, width), theme::DIM));
            }
            let short = summary.shortfall();
            let level = if summary.error.is_some() { Level::Error } else { Level::Warning };
            head.extend(short.iter().flat_map(|short| rows::row(&[(short, theme::level(level), width)])));
        }
        Some(Err(error)) => head.extend(rows::row(&[(error, theme::level(Level::Error), width)])),
        None => head.push(Line::default()),
    }
    if !low || replay.plan.terms(app.mask()).is_none() {
        head.push(Line::default());
    }
    let listed: Vec<&Sent> = replay.listed().collect();
    let chosen = replay.selected.min(listed.len().saturating_sub(1));
    let mut foot = listed.get(chosen).map_or_else(Vec::new, |sent| told(app, replay, sent, width));
    foot.truncate(usize::from(inner.height) / 3);
    let room = usize::from(inner.height).saturating_sub(head.len() + foot.len() + 1);
    let first = (chosen + 1).saturating_sub(room);
    let mut lines = head;
    let table = &listed[first..listed.len().min(first + room)];
    let columns = Columns::of(replay, table, width);
    lines.extend((first..).zip(table).map(|(n, sent)| result(app, sent, columns, n == chosen)));
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

/// What results have columns for.
#[derive(Clone, Copy)]
struct Columns {
    /// All there are.
    width: usize,
    /// When it left has some.
    time: bool,
    /// Those of what came back.
    answers: usize,
    /// Those of what was wrong on purpose.
    label: usize,
}

impl Columns {
    fn of(replay: &Replay, shown: &[&Sent], width: usize) -> Self {
        let label = shown.iter().filter_map(|sent| sent.label.as_deref()).map(visible::width).max().unwrap_or(0);
        let plain = label == 0 && replay.plan.against.is_none();
        let answers = if replay.plan.against.is_some() { 2 * ANSWER + " | ".len() } else { ANSWER };
        Self { width, time: plain || width >= ROOMY, answers, label }
    }
}

/// `✗ 503   12ms  moveo/dialog  2 fields differ`; with a second target `✗ 503   12ms | 200   10ms  …`.
fn result(app: &App, sent: &Sent, columns: Columns, selected: bool) -> Line<'static> {
    let (sign, style) = if sent.is_fine() {
        ("✓", theme::sig(Sig::Valid).1)
    } else if sent.is_failure() {
        ("✗", theme::level(Level::Error))
    } else {
        ("–", theme::DIM)
    };
    let (label, unmet) = (sent.label.as_deref().unwrap_or_default(), sent.unmet(app.mask()).next().unwrap_or_default());
    let label = if columns.label == 0 { String::new() } else { format!("{label:0$}  ", columns.label) };
    let what = app.path(&sent.what);
    let text = match &sent.call {
        Some(call) => {
            let answer = |call: &Answered| {
                let status = call.status.map_or("---".to_owned(), |status| status.to_string());
                format!("{status}  {:>6}", list::took(call.took))
            };
            let against = sent.against.as_ref().map(|call| format!(" | {}", answer(call))).unwrap_or_default();
            let time = clock(app, call.at, "%H:%M:%S  ");
            let time = if columns.time { time } else { String::new() };
            format!(" {}{against}  {time}{label}{what:24}  {unmet}", answer(call))
        }
        None if sent.label.is_some() => {
            let wide = columns.answers + if columns.time { CLOCK } else { 0 };
            format!(" {:wide$}  {label}{what}: {unmet}", "skipped")
        }
        None => format!(" not sent: {unmet}"),
    };
    let shown = rows::pad(&text, columns.width.saturating_sub(2));
    let rest = if selected { theme::SELECTED } else { Style::new() };
    Line::from(vec![Span::styled(sign, style), Span::styled(shown, rest)])
}

/// Everything that is not as expected, and what was changed before it left.
fn told(app: &App, replay: &Replay, sent: &Sent, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for unmet in sent.unmet(app.mask()) {
        let sign = ("✗", theme::level(Level::Error), 1);
        lines.extend(rows::row(&[sign, (&unmet, Style::new(), width.saturating_sub(2))]));
    }
    let masked = |text: &str| app.mask().map_or_else(|| text.to_owned(), |redaction| redaction.text(text).into_owned());
    let aside = |text: &str| rows::row(&[("", theme::DIM, 1), (&masked(text), theme::DIM, width.saturating_sub(2))]);
    for redirect in sent.call.iter().chain(&sent.against).filter_map(|call| call.redirect.as_ref()) {
        lines.extend(aside(redirect));
    }
    let second = replay.plan.against.as_ref().filter(|_| !sent.between.is_empty());
    if let Some(Target { name, .. }) = second {
        let key = hints::key(app, Action::CompareTargets);
        let [first, second] = [&replay.plan.target.name, name].map(|name| app.sentence(name));
        let text = format!("{first} → {second} ({key} lays them side by side)");
        lines.extend(rows::row(&[("", theme::DIM, 1), (&text, Style::new(), width.saturating_sub(2))]));
        if let Some(error) = sent.against.as_ref().and_then(|call| call.error.as_ref()) {
            lines.extend(aside(error));
        }
        lines.extend(differing(app, &sent.between, width));
    }
    if second.is_some() && !sent.differences.is_empty() {
        lines.extend(rows::row(&[("", theme::DIM, 1), ("recorded → now", Style::new(), width.saturating_sub(2))]));
    }
    lines.extend(differing(app, &sent.differences, width));
    if sent.forgotten {
        let key = hints::key(app, Action::Open);
        lines.extend(aside(&format!("where the answers differ is no longer kept here: {key} lays them side by side")));
    }
    if sent.call.is_some() {
        lines.extend(rows::labelled("left with", &changes(sent.changed.iter()), Style::new(), width));
    }
    if let Some(there) = &sent.changed_against {
        lines.extend(rows::labelled("and there", &changes(there.iter()), Style::new(), width));
    }
    if let Some(masks) = masks(&sent.masked) {
        lines.extend(rows::labelled("", &masks, theme::level(Level::Warning), width));
    }
    lines
}

/// Where two answers differ, a line each.
fn differing(app: &App, found: &[Difference], width: usize) -> impl Iterator<Item = Line<'static>> {
    found.iter().flat_map(move |found| {
        let mut found = found.clone();
        if let Some(redaction) = app.mask() {
            Masking::new(redaction).differences([&mut found]);
        }
        let of = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
        let text = format!("{}: {} → {}", found.place, of(found.left), of(found.right));
        rows::row(&[("", theme::DIM, 1), (&text, theme::DIM, width.saturating_sub(2))])
    })
}
