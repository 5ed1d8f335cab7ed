//! The plots.
//!
//! ```text
//!  12.4/s ▁▂▃▅▇█▇▅▃▂▁▁▂▃▂▁        calls
//!         ✗     !                 failed, and with a bad signature
//!   1.2s ▂▂▃▂▂▂▅░▂▂▂▂▂▂▂▂        latency: the mean, and above it up to the slowest
//!         10:02:11        10:52
//!  kind    calls  failed ...  p50  p90  p99  max
//! ```

#![expect(clippy::cast_precision_loss, reason = "what is drawn has a few dozen steps")]

use std::time::Duration;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::action::Action;
use crate::app::plots::{self, Column, Group, OCTAVES, Plots};
use crate::app::{App, Extent, Regions};
use crate::call::{Direction, bare};
use crate::view::dialogs::extent;
use crate::view::list::{duration, status};
use crate::view::panel::large;
use crate::view::rows::{cut, pad};
use crate::view::{clock, hints, theme};
use crate::visible;

/// Columns left of the plots.
const GUTTER: usize = 9;
/// Columns of a kind's own histogram, one an octave.
const SHAPE: usize = 16;
/// From this width on, kinds have a histogram.
const ROOMY: usize = 110;
/// Columns of the counts of a kind: calls, failures, bad signatures. And of each time.
const COUNTS: [usize; 3] = [8, 7, 8];
const TIME: usize = 7;
/// Columns of a kind's name for which its counts and times stand in one row.
const LEAST: usize = 8;
/// Bars by their height in eighths.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn draw(app: &App, scroll: usize, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let sum = app.plots.sum();
    let left = app.index.len().saturating_sub(app.plots.seen);
    let state = if left > 0 { format!(", {left} more to look at") } else { String::new() };
    let inner = large(frame, area, &format!(" Plots · {} calls{state} ", app.plots.seen));
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    regions.plot_width = width.saturating_sub(GUTTER + 1);
    let columns = app.plots.timeline.columns(regions.plot_width);
    let mut lines = Vec::new();
    // Two plots, a row of signs, the axis, the selected call and what is known of it: the rest is for the kinds.
    let kinds = app.plots.groups.len() + 2;
    let tall = (height.saturating_sub(4 + kinds.min(height / 2)) / 2).clamp(1, 20);
    let at = app.calls.selected().and_then(|number| app.index.view(number)).map(|view| view.at.as_microsecond());
    let cursor = at.and_then(|at| columns.iter().rposition(|(begin, ..)| *begin <= at));
    lines.extend(calls(&columns, tall, cursor));
    lines.push(signs(&columns, cursor));
    let head = head(width);
    // The table tells of times too: it comes first where there is no room for both.
    if height >= 2 * tall + 3 + 2 * head.len() {
        lines.extend(latency(&columns, tall, cursor));
    }
    lines.push(axis(app, &columns, width));
    lines.push(selected(app, width));
    let room = height.saturating_sub(lines.len() + head.len()) / head.len();
    regions.dialog = Extent { room, rows: app.plots.groups.len() };
    if room > 0 {
        lines.extend(head);
        let first = scroll.min(regions.dialog.last());
        let octaves = octaves(&app.plots);
        let keys = [Action::MoreKinds, Action::FewerKinds].map(|action| hints::key(app, action)).join(" ");
        extent(frame, inner, (first, room, app.plots.groups.len()), &keys);
        lines.extend(app.plots.groups.iter().skip(first).take(room).flat_map(|group| row(group, octaves, width)));
    }
    if sum.calls == 0 {
        lines = vec![Line::styled("no calls yet", theme::DIM)];
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// One row of a plot: what stands left of it, then a cell a column, the cursor's on another ground.
fn plotted(
    label: &str,
    columns: &[Column],
    cursor: Option<usize>,
    cell: impl Fn(&Column) -> (char, Style),
) -> Line<'static> {
    let mut spans = vec![Span::styled(format!("{label:>GUTTER$} "), theme::DIM)];
    spans.extend(columns.iter().enumerate().map(|(number, column)| {
        let (sign, style) = cell(column);
        let style = if cursor == Some(number) { style.patch(theme::SELECTED) } else { style };
        Span::styled(sign.to_string(), style)
    }));
    Line::from(spans)
}

/// How much of a bar of so many eighths is in the row that has `below` rows below it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a few rows")]
fn part(share: f64, tall: usize, below: usize) -> usize {
    let eighths = ((share * (tall * 8) as f64).ceil() as usize).min(tall * 8);
    eighths.saturating_sub(below * 8).min(8)
}

/// So many a second, or in the unit of time in which there is one.
fn per_time(rate: f64) -> String {
    let (each, unit) = match rate {
        0.1.. => (1.0, "s"),
        0.002.. => (60.0, "min"),
        _ => (3_600.0, "h"),
    };
    format!("{:.1}/{unit}", rate * each)
}

fn calls(columns: &[Column], tall: usize, cursor: Option<usize>) -> Vec<Line<'static>> {
    let second = columns.iter().any(|(_, length, _)| *length >= 1_000_000);
    // Columns differ in length by a little: where there are many calls in one, what is drawn is calls in a time.
    let rate = |(_, length, span): &Column| span.calls as f64 / if second { (*length).max(1) as f64 } else { 1.0 };
    let most = columns.iter().map(rate).fold(0.0, f64::max);
    let busiest = columns.iter().map(|(.., span)| span.calls).max().unwrap_or(0);
    let top = if second { per_time(most * 1e6) } else { busiest.to_string() };
    let rows = (0..tall).rev().map(|below| {
        let label = if below + 1 == tall {
            top.as_str()
        } else if below == 0 {
            "calls"
        } else {
            ""
        };
        plotted(label, columns, cursor, |column| {
            (EIGHTHS[part(rate(column) / most.max(f64::MIN_POSITIVE), tall, below)], Style::new().fg(theme::ACCENT))
        })
    });
    rows.collect()
}

fn signs(columns: &[Column], cursor: Option<usize>) -> Line<'static> {
    plotted("trouble", columns, cursor, |(.., span)| match span {
        span if span.errors > 0 => ('✗', Style::new().fg(theme::BAD)),
        span if span.unproven > 0 => ('!', Style::new().fg(theme::WARNING)),
        _ => ('·', theme::DIM),
    })
}

/// Mean and slowest, on a logarithmic scale: one slow call must not flatten all others.
fn latency(columns: &[Column], tall: usize, cursor: Option<usize>) -> Vec<Line<'static>> {
    let busy = || columns.iter().map(|(.., span)| span).filter(|span| span.calls > 0);
    let mean = |span: &plots::Span| span.took_us as f64 / span.calls as f64;
    let high = busy().map(|span| span.slowest_us).max().unwrap_or(1).max(2);
    let low = busy().map(mean).fold(f64::MAX, f64::min).clamp(1.0, high as f64) / 2.0;
    let share = |value: f64| ((value.max(1.0) / low).ln() / (high as f64 / low).ln()).clamp(0.0, 1.0);
    let top = duration(high);
    let rows = (0..tall).rev().map(|below| {
        let label = if below + 1 == tall {
            top.as_str()
        } else if below == 0 {
            "latency"
        } else {
            ""
        };
        plotted(label, columns, cursor, |(.., span)| {
            if span.calls == 0 {
                return (' ', Style::new());
            }
            match (part(share(mean(span)), tall, below), part(share(span.slowest_us as f64), tall, below)) {
                (0, 0) => (' ', Style::new()),
                (0, _) => ('░', theme::DIM),
                (mean, _) => (EIGHTHS[mean], Style::new().fg(theme::GOOD)),
            }
        })
    });
    rows.collect()
}

/// The first and the last moment, and how long a column is.
fn axis(app: &App, columns: &[Column], width: usize) -> Line<'static> {
    let (begin, end) = app.plots.timeline.range();
    let days = end - begin > 86_400_000_000;
    let shown = |micros: i64| {
        let at = Timestamp::from_microsecond(micros).unwrap_or_default();
        clock(app, at, if days { "%m-%d %H:%M" } else { "%H:%M:%S" })
    };
    let (first, last) = (shown(begin), shown(end));
    let length = columns.iter().map(|(_, length, _)| *length).max().unwrap_or(0);
    let length = u64::try_from(length).unwrap_or(0);
    let long = length >= 120_000_000;
    let length = if long { visible::age(Duration::from_micros(length)) } else { duration(length) };
    let each = format!("a column is {length}");
    let room = columns.len().max(first.len() + last.len() + 1).min(width.saturating_sub(GUTTER + 1));
    let between = room.saturating_sub(first.len() + last.len());
    let each = if each.len() + 4 <= between { each } else { String::new() };
    let text = format!("{:GUTTER$} {first}{each:^between$}{last}", "");
    Line::styled(text, theme::DIM)
}

/// The selected call, which the cursor stands at.
fn selected(app: &App, width: usize) -> Line<'static> {
    let Some(number) = app.calls.selected() else { return Line::default() };
    let Some(view) = app.index.view(number) else { return Line::default() };
    let at = clock(app, view.at, "%H:%M:%S%.3f");
    let (sign, style) = view.sig.map_or(("", theme::DIM), theme::sig);
    let verdict = view.sig.map_or_else(String::new, |sig| format!("{sign} {} ", sig.word()));
    let (status, status_style) = status(view.status, view.failed);
    let what = view.kind.map_or_else(|| format!("{} {}", view.method, app.path(view.path)), str::to_owned);
    let took = duration(view.took_us);
    let fixed = GUTTER + 1 + at.len() + 1 + visible::width(&verdict) + status.len() + 1 + took.len();
    Line::from(vec![
        Span::styled(format!("{:>GUTTER$} ", format!("▸ {}", app.calls.row() + 1)), theme::KEY),
        Span::styled(format!("{at} "), theme::DIM),
        Span::raw(pad(&what, visible::width(&what).min(width.saturating_sub(fixed + 1)))),
        Span::styled(verdict, style),
        Span::styled(format!("{status} "), status_style),
        Span::styled(took, theme::DIM),
    ])
}

/// Widths of the kinds' columns that are not fixed: the kind, and its histogram.
fn widths(width: usize) -> (usize, usize) {
    let shape = if width >= ROOMY { SHAPE + 2 } else { 0 };
    let fixed = 2 + COUNTS.iter().sum::<usize>() + 4 * TIME;
    (width.saturating_sub(fixed + shape).min(40), shape)
}

/// One row, or two: where there is no room for all columns, calls and times stand below the kind.
fn head(width: usize) -> Vec<Line<'static>> {
    let (kind, shape) = widths(width);
    let [calls, failed, bad] = COUNTS;
    let ill = format!("{:>failed$}{:>bad$}", "failed", "bad sig");
    let times: String = ["p50", "p90", "p99", "max"].map(|name| format!("{name:>TIME$}")).concat();
    let rows = if kind < LEAST {
        vec![
            format!("  {:1$}{ill}", "kind", below(width)),
            format!("{:>1$}", format!("{:>calls$}{times}", "calls"), width),
        ]
    } else {
        let shape = if shape > 0 { "  how many took how long" } else { "" };
        vec![format!("  {:kind$}{:>calls$}{ill}{times}{shape}", "kind", "calls")]
    };
    rows.into_iter().map(|text| Line::styled(text, theme::DIM)).collect()
}

/// Columns of a kind's name where calls and times stand below it.
fn below(width: usize) -> usize {
    let [_, failed, bad] = COUNTS;
    width.saturating_sub(2 + failed + bad)
}

fn row(group: &Group, octaves: (usize, usize), width: usize) -> Vec<Line<'static>> {
    let (kind, shape) = widths(width);
    let arrow = match group.direction {
        Direction::Received => "↓",
        Direction::Sent => "↑",
    };
    let name = group.kind.as_deref().unwrap_or("no platform's");
    let named = |name: &str, wide: usize| {
        let name = cut(name, wide);
        let fill = " ".repeat(wide.saturating_sub(visible::width(&name)));
        Span::raw(format!("{arrow} {name}{fill}"))
    };
    let count = |count: u64, wide: usize, style: Style| {
        let shown = if count > 0 { count.to_string() } else { "-".to_owned() };
        Span::styled(format!("{shown:>wide$}"), if count > 0 { style } else { theme::DIM })
    };
    let [calls, failed, bad] = COUNTS;
    let calls = count(group.sum.calls, calls, Style::new());
    let failed = count(group.sum.errors, failed, Style::new().fg(theme::BAD));
    let bad = count(group.sum.unproven, bad, Style::new().fg(theme::WARNING));
    let times = group.latencies;
    let times = [times.p50_us, times.p90_us, times.p99_us, group.sum.slowest_us];
    let times = Span::raw(times.map(|time| format!("{:>TIME$}", duration(time))).concat());
    if kind < LEAST {
        let indent = Span::raw(" ".repeat(width.saturating_sub(calls.width() + times.width())));
        let name = named(bare(name), below(width));
        return vec![Line::from(vec![name, failed, bad]), Line::from(vec![indent, calls, times])];
    }
    let mut spans = vec![named(name, kind), calls, failed, bad, times];
    if shape > 0 {
        spans.push(Span::styled(format!("  {}", histogram(group, octaves)), Style::new().fg(theme::GOOD)));
    }
    vec![Line::from(spans)]
}

/// The octaves of durations in which any kind has calls: the first, and the one behind the last.
fn octaves(plots: &Plots) -> (usize, usize) {
    let any = |octave: &usize| plots.groups.iter().any(|group| group.octaves[*octave] > 0);
    let first = (0..OCTAVES).find(any).unwrap_or(0);
    let end = (0..OCTAVES).rev().find(any).map_or(first + 1, |last| last + 1);
    (first, end.max(first + 1))
}

/// A bar an octave, from the shortest durations there are to the longest; so many that each begins somewhere else.
fn histogram(group: &Group, (first, end): (usize, usize)) -> String {
    let shown: Vec<u64> = (first..end.min(first + SHAPE)).map(|octave| group.octaves[octave]).collect();
    let most = shown.iter().copied().max().unwrap_or(0).max(1);
    shown.iter().map(|count| EIGHTHS[part(*count as f64 / most as f64, 1, 0)]).collect()
}
