//! Two calls side by side.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::action::Action;
use crate::app::comparing::{Comparison, Row};
use crate::app::event::Level;
use crate::app::text::wrapped;
use crate::app::{App, Extent, Regions};
use crate::call::Call;
use crate::replay::compare::{self, Side};
use crate::view::dialogs::extent;
use crate::view::panel::large;
use crate::view::{clock, hints, list, rows, theme};
use crate::visible;

pub(super) fn draw(app: &App, comparison: &Comparison, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let what = match comparison.side {
        Side::Request => "Requests",
        Side::Response => "Answers",
    };
    let count = comparison.differences.len();
    let ignored = app.rules.pointers.len() + app.rules.headers.len();
    let mut title = match count {
        0 if comparison.differs_in_bytes() => format!(" {what}: the same, but not byte for byte "),
        0 => format!(" {what}: no difference "),
        _ => format!(" {what}: difference {} of {count} ", comparison.selected + 1),
    };
    if comparison.rough {
        let _ = write!(title, "· {} ", compare::ROUGH);
    }
    if ignored > 0 {
        let _ = write!(title, "· {ignored} ignored ");
    }
    if app.rules.unordered {
        title.push_str("· in any order ");
    }
    let inner = large(frame, area, &title);
    let half = usize::from(inner.width).saturating_sub(3) / 2;
    let date = |call: &Call| call.at.to_zoned(app.setup.zone.clone()).date();
    // The day says something only where there are two.
    let form = if date(&comparison.left) == date(&comparison.right) { "%H:%M:%S" } else { "%m-%d %H:%M:%S" };
    let head = |call: &Call| {
        let at = clock(app, call.at, form);
        let (took, id) = (list::took(call.took), call.id.to_string());
        // Of two that were sent it matters most where to.
        let name = app.addressee(call).map(|name| format!(" to {}", visible::line(name)));
        let place =
            rows::sent_to(call).map(|place| if name.is_some() { format!(" {place}") } else { format!(" to {place}") });
        let place = [name, place].into_iter().flatten().collect::<String>();
        format!("{}{place} {} {at} · {took}", call.direction.word(), &id[id.len() - 8..])
    };
    let mut lines = rows::row(&[
        (&head(&comparison.left), theme::HEADING, half),
        ("│", theme::DIM, 1),
        (&head(&comparison.right), theme::HEADING, half),
    ]);
    let selected = comparison.differences.get(comparison.selected);
    let at = selected.map_or_else(String::new, |found| found.place.to_string());
    let mut at = wrapped(&at, inner.width.into());
    at.truncate(usize::from(inner.height) / 3);
    let (above, room) = (lines.len(), usize::from(inner.height).saturating_sub(lines.len() + at.len()));
    let begins = comparison.begins(half);
    regions.dialog = Extent { room, rows: begins.last().copied().unwrap_or(0) };
    regions.answer_width = half;
    let first = comparison.shown_from(&begins, room);
    let row = begins.partition_point(|begin| *begin <= first).saturating_sub(1);
    let shown =
        comparison.rows.iter().skip(row).take(room + 1).flat_map(|row| row_lines(row, comparison.selected, half));
    lines.extend(shown.skip(first - begins.get(row).copied().unwrap_or(0)).take(room));
    lines.resize(above + room, Line::default());
    lines.extend(at.into_iter().map(|at| Line::styled(at, theme::DIM)));
    frame.render_widget(Paragraph::new(lines), inner);
    let keys = [Action::Down, Action::Up].map(|action| hints::key(app, action)).join(" ");
    extent(frame, inner, (first, room, regions.dialog.rows), &keys);
}

/// One row: `≠` where it is of a difference, `~` where it differs in what does not count.
fn row_lines(row: &Row, selected: usize, half: usize) -> Vec<Line<'static>> {
    let (sign, style) = match row.difference {
        Some(number) if number == selected => ("≠", theme::MATCH),
        Some(_) => ("≠", theme::level(Level::Warning)),
        None if row.ignored => ("~", theme::DIM),
        None => ("│", Style::new()),
    };
    let [left, right] = row.lines(half);
    let side = |lines: &[String], n: usize| rows::pad(lines.get(n).map_or("", String::as_str), half);
    let line = |n| {
        Line::from(vec![
            Span::styled(side(&left, n), style),
            Span::styled(format!("{sign} "), if row.difference.is_some() { style } else { theme::DIM }),
            Span::styled(side(&right, n), style),
        ])
    };
    (0..left.len().max(right.len()).max(1)).map(line).collect()
}
