//! Two calls side by side.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::comparing::{Comparison, Row, shown_from};
use crate::app::event::Level;
use crate::app::{App, Regions};
use crate::call::Call;
use crate::replay::compare::Side;
use crate::view::panel::large;
use crate::view::{list, rows, theme};

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
    if ignored > 0 {
        let _ = write!(title, "· {ignored} ignored ");
    }
    let inner = large(frame, area, &title);
    let half = usize::from(inner.width).saturating_sub(3) / 2;
    let head = |call: &Call| {
        let at = call.at.to_zoned(app.setup.zone.clone()).strftime("%m-%d %H:%M:%S");
        let took = list::took(call.took);
        format!("{} {at} · {took}", call.direction.word())
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(rows::pad(&head(&comparison.left), half), theme::HEADING),
        Span::styled("│ ", theme::DIM),
        Span::styled(rows::pad(&head(&comparison.right), half), theme::HEADING),
    ])];
    let selected = comparison.differences.get(comparison.selected);
    let at = selected.map_or_else(String::new, |found| found.place.to_string());
    let room = usize::from(inner.height).saturating_sub(lines.len() + 1);
    regions.dialog = (room, comparison.rows.len());
    let first = shown_from(comparison, room).min(comparison.rows.len().saturating_sub(room));
    let shown = comparison.rows.iter().skip(first).take(room);
    lines.extend(shown.map(|row| line(row, comparison.selected, half)));
    let fill = usize::from(inner.height).saturating_sub(lines.len() + 1);
    lines.extend(std::iter::repeat_n(Line::default(), fill));
    lines.push(Line::styled(rows::pad(&at, usize::from(inner.width)), theme::DIM));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// One row: `≠` where it is of a difference, `~` where it differs in what does not count.
fn line(row: &Row, selected: usize, half: usize) -> Line<'static> {
    let (sign, style) = match row.difference {
        Some(number) if number == selected => ("≠", theme::MATCH),
        Some(_) => ("≠", theme::level(Level::Warning)),
        None if row.ignored => ("~", theme::DIM),
        None => ("│", Style::new()),
    };
    let side = |text: &Option<String>| {
        let label = if row.label.is_empty() { String::new() } else { format!("{}: ", row.label) };
        text.as_ref().map_or_else(String::new, |text| format!("{label}{text}"))
    };
    Line::from(vec![
        Span::styled(rows::pad(&side(&row.left), half), style),
        Span::styled(format!("{sign} "), if row.difference.is_some() { style } else { theme::DIM }),
        Span::styled(rows::pad(&side(&row.right), half), style),
    ])
}
