//! The list of calls. Only the rows on the screen are built.

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

use crate::app::action::Action;
use crate::app::cache::ROW;
use crate::app::{App, Focus, Regions};
use crate::call::{Direction, bare, micros};
use crate::recording::{Entry, Remarks};
use crate::view::rows::pad;
use crate::view::{paint, spot, theme};
use crate::visible;

/// From this width on, verdicts are words.
const WORDS: usize = 60;
/// From this width on, kinds have their platform's name.
const ROOMY: usize = 100;

/// Columns that a filter has before the day has any.
const FILTER: usize = 12;

/// Widths of the columns: kind, what was said, verdict.
struct Columns {
    kind: usize,
    text: usize,
    sig: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let sig = if width >= WORDS { 11 } else { 1 };
        // Time, direction, verdict, status, duration, and a space between each and around kind and text.
        let rest = width.saturating_sub(8 + 1 + sig + 3 + 7 + 6);
        let kind = if width >= ROOMY { 24 } else { 16.min(rest) };
        let text = rest - kind;
        Self { kind, text, sig }
    }

    /// Whether there is room for more than what is needed most.
    fn is_roomy(&self) -> bool {
        self.kind > 16
    }
}

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let block = Block::new().borders(Borders::TOP).title(title(app, area.width.into()));
    let inner = block.inner(area);
    paint::edges(frame.buffer_mut(), block, area);
    let height = usize::from(inner.height.saturating_sub(1));
    regions.list_height = height;
    regions.spots.list =
        spot(Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner });
    let width = usize::from(inner.width);
    let columns = Columns::of(width);
    let mut lines = vec![header(&columns)];
    let selected = app.calls.row();
    let day = |at| app.setup.zone.to_datetime(at).date();
    for row in app.calls.top..app.calls.top + height {
        let Some((number, view)) = app.calls.at(row).and_then(|n| Some((n, app.index.view(n)?))) else { break };
        let note = view.remarks.and_then(|remarks| remarks.note.as_deref()).map(|note| app.noted(note));
        let text = app.cache.text(number).unwrap_or("…");
        let before = row.checked_sub(1).filter(|_| row > app.calls.top).and_then(|row| app.calls.at(row));
        let before = before.and_then(|before| app.index.view(before));
        let sent_to = app.cache.sent_to(number).filter(|to| columns.is_roomy() || app.place_in_use() != Some(*to));
        let parts = [
            before.and_then(|before| (day(before.at) != day(view.at)).then(|| day(view.at).to_string())),
            sent_to.map(|to| format!("→ {to}")),
            note.map(|note| format!("✎ {}", visible::excerpt(&note, ROW))),
            Some(text.to_owned()).filter(|text| !text.is_empty()),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let what = kind(app, &view.entry, &columns);
        let line = line(&view.entry, &what, view.remarks, &text, &columns, &app.setup.zone);
        let style = if row == selected { theme::SELECTED } else { Style::new() };
        lines.push(line.style(style));
    }
    if app.calls.is_empty() {
        let over = app.calls.filter.as_ref().is_none_or(|filter| filter.finished);
        let text = match (over, app.calls.filter_text()) {
            (true, "") => format!("all calls are deleted: {}deleted shows them", app.keymap.key(Action::Filter)),
            (true, _) if app.calls.filter.as_ref().is_some_and(|filter| filter.stopped) => {
                format!("none found: {} drops the filter", app.keymap.key(Action::Back))
            }
            (true, _) => format!("no call fits the filter: {} drops it", app.keymap.key(Action::Back)),
            (false, _) => format!("searching … {} ends that", app.keymap.key(Action::Back)),
        };
        lines.push(Line::styled(text, theme::DIM));
    }
    paint::lines(frame.buffer_mut(), &lines, inner);
}

fn title(app: &App, width: usize) -> Line<'static> {
    let style = if app.focus == Focus::List { theme::FOCUSED } else { theme::HEADING };
    let mut spans = vec![Span::styled(" Calls ", style)];
    let mut searched = None;
    if let Some(filter) = app.calls.filter.as_ref().filter(|filter| !filter.text.is_empty()) {
        let state = match (filter.finished, filter.stopped) {
            (false, _) => format!(", {} searched", filter.scanned),
            (true, true) => format!(", ended after {}", filter.scanned),
            (true, false) => String::new(),
        };
        spans.push(Span::raw(format!("{} of {}{state}  ", app.calls.len(), app.calls.total)));
        searched = Some((spans.len(), filter.text.as_str()));
    } else {
        spans.push(Span::styled(format!("{} ", app.calls.len()), theme::DIM));
        let deleted = app.index.marks().deleted();
        if deleted > 0 {
            spans.push(Span::styled(format!("and {deleted} deleted "), theme::DIM));
        }
    }
    if let Some(percent) = app.arriving.percent() {
        let these = if app.arriving.newest_only() { "the newest; " } else { "" };
        spans.push(Span::styled(format!("{these}reading {percent} % "), theme::DIM));
    }
    // To a file that is only looked at, no newer calls come.
    if app.calls.follow && (app.setup.listener.is_some() || app.setup.follow) {
        spans.push(Span::styled("following ", theme::DIM));
    }
    let clock = clock(app);
    if let Some((place, text)) = searched {
        let text = visible::line(text);
        let rest = width.saturating_sub(spans.iter().map(Span::width).sum::<usize>() + "/ ".len());
        let beside = rest.saturating_sub(clock.as_deref().map_or(0, visible::width));
        // A long one gives way to the day, but not all of it.
        let room = if beside >= FILTER.min(visible::width(&text)) { beside } else { rest };
        spans.insert(place, Span::raw(format!("/{} ", visible::truncate(&text, room))));
    }
    let mut title = Line::from(spans);
    if let Some(clock) = clock.filter(|clock| title.width() + visible::width(clock) <= width) {
        title.push_span(Span::styled(clock, theme::DIM));
    }
    title
}

/// The zone of the rows' times; where a file is looked at, or calls came on another day, also the day of the first row.
fn clock(app: &App) -> Option<String> {
    let first = app.calls.at(app.calls.top).and_then(|number| app.index.view(number))?;
    let [first, today] = [first.at, app.now].map(|at| at.to_zoned(app.setup.zone.clone()));
    let dated = app.setup.listener.is_none() || first.date() != today.date();
    Some(first.strftime(if dated { "· %Y-%m-%d %Z " } else { "· %Z " }).to_string())
}

fn header(columns: &Columns) -> Line<'static> {
    let sig = if columns.sig > 1 { "verdict" } else { "" };
    let said = if columns.text >= 4 { "text" } else { "" };
    let text = format!(
        "{:8}   {:kind$} {said:text$} {sig:verdict$} {:3} {:>7}",
        "time",
        "kind",
        "st",
        "took",
        kind = columns.kind,
        text = columns.text,
        verdict = columns.sig,
    );
    Line::styled(text, theme::DIM)
}

/// How a call ended, and its colour: the same wherever one call is told in a line.
pub(super) fn status(status: Option<u16>, failed: bool) -> (String, Style) {
    match status {
        // Who set a fault was answered as well: an answer that reached nobody has no status.
        Some(status) => (status.to_string(), theme::status(status)),
        // Nothing failed: the answer is not known, of an imported request say.
        None if !failed => ("-".to_owned(), theme::DIM),
        _ => ("ERR".to_owned(), theme::unanswered()),
    }
}

fn line(
    entry: &Entry<&str>,
    what: &str,
    remarks: Option<&Remarks>,
    text: &str,
    columns: &Columns,
    zone: &TimeZone,
) -> Line<'static> {
    let at = zone.to_datetime(entry.at);
    let at = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    let direction = match entry.direction {
        Direction::Received => "↓",
        Direction::Sent => "↑",
    };
    let (sign, sig_style) = entry.sig.map_or(("", theme::DIM), theme::sig);
    let verdict = match entry.sig {
        Some(sig) if columns.sig > 1 => format!("{sign} {}", sig.word()),
        _ => sign.to_owned(),
    };
    let (status, status_style) = status(entry.status, entry.failed);
    let (mark, mark_style) = remarks.map_or((" ", Style::new()), theme::remarks);
    let line = Line::from(vec![
        Span::styled(at, theme::DIM),
        Span::styled(mark, mark_style),
        Span::raw(format!("{direction} ")),
        Span::raw(pad(what, columns.kind)),
        Span::raw(pad(text, columns.text)),
        Span::styled(pad(&verdict, columns.sig), sig_style),
        Span::styled(pad(&status, 3), status_style),
        Span::styled(format!("{:>7}", duration(entry.took_us)), theme::DIM),
    ]);
    if remarks.is_some_and(|remarks| remarks.deleted) { line.patch_style(theme::DELETED) } else { line }
}

/// The kind; of calls that no platform claims, method and path.
fn kind(app: &App, entry: &Entry<&str>, columns: &Columns) -> String {
    match entry.kind {
        None => format!("{} {}", entry.method, app.path(entry.path)),
        Some(kind) if columns.is_roomy() => kind.to_owned(),
        Some(kind) => bare(kind).to_owned(),
    }
}

/// [`duration`] of what is not counted in microseconds.
pub(super) fn took(time: Duration) -> String {
    duration(micros(time))
}

/// `980µs`, `1.8ms`, `12ms`, `1.2s`, `83s`.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros}µs"),
        1_000..10_000 => format!("{}.{}ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{}ms", micros / 1_000),
        1_000_000..10_000_000 => format!("{}.{}s", micros / 1_000_000, micros % 1_000_000 / 100_000),
        _ => format!("{}s", micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_answer_failed_only_if_it_did() {
        let word = |code, failed| status(code, failed).0;
        assert_eq!(word(None, false), "-");
        assert_eq!(word(None, true), "ERR");
        assert_eq!(word(Some(200), true), "200", "a fault, a delay say, that was answered");
        assert_eq!(word(Some(503), true), "503");
    }

    #[test]
    fn durations_are_short() {
        let shown: Vec<String> = [0, 999, 1_843, 12_345, 999_999, 1_250_000, 83_000_000].map(duration).into();
        assert_eq!(shown, ["0µs", "999µs", "1.8ms", "12ms", "999ms", "1.2s", "83s"]);
    }
}
