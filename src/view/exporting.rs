//! Exports: what is asked before one, and how far one is.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::event::Level;
use crate::app::exporting::{Export, Field, Options};
use crate::app::which::Which;
use crate::view::dialogs::{boxed, inner_width, line_input};
use crate::view::panel::{OPTION, option_row};
use crate::view::{rows, theme};
use crate::visible;

/// Columns that the dialogs would like.
const WIDTH: u16 = 76;

pub(super) fn options(app: &App, options: &Options, frame: &mut Frame, area: Rect) {
    let width = inner_width(area, WIDTH);
    let row = |field: &Field| {
        let (label, value, style) = match field {
            Field::Which => ("calls", calls(app, options), Style::new()),
            Field::Form => ("form", format!("{}, {}", options.form, options.form.purpose()), Style::new()),
            Field::Masked if options.masked => ("masked", "secrets, personal data".to_owned(), Style::new()),
            Field::Masked => ("masked", "nothing: keep it to yourself".to_owned(), theme::level(Level::Warning)),
            Field::File => ("file", tail(&options.file, width.saturating_sub(OPTION)), Style::new()),
        };
        option_row(label, &value, if *field == options.field() { theme::SELECTED } else { style }, width)
    };
    let mut lines: Vec<Line> = Field::ALL.iter().map(row).collect();
    if let Some(error) = &options.error {
        lines.push(Line::default());
        lines.extend(rows::row(&[(error, theme::level(Level::Error), width)]));
    }
    boxed(frame, area, " Export ", lines);
    if let Some(input) = &options.typing {
        line_input(frame, area, "file ", input, None);
    }
}

/// A path, or its end where it is too long: the name matters most.
fn tail(path: &str, columns: usize) -> String {
    let path = visible::line(path);
    if visible::width(&path) <= columns {
        return path.into_owned();
    }
    let mut ends = path.char_indices().map(|(at, _)| &path[at..]);
    ends.find(|end| visible::width(end) < columns).map_or_else(String::new, |end| format!("…{end}"))
}

/// `12 so far, the calls the filter shows`.
fn calls(app: &App, options: &Options) -> String {
    let words = options.which.words();
    // A filter goes on looking while the dialog is there.
    match app.calls.filter.as_ref().filter(|_| options.which == Which::Listed) {
        Some(filter) if !filter.finished => format!("{} so far, {words}", app.calls.len()),
        Some(_) => format!("{}, {words}", app.calls.len()),
        None => format!("{}, {words}", options.count()),
    }
}

/// `████░░░░ 120 of 1000 calls`, and where to.
pub(super) fn progress(export: &Export, frame: &mut Frame, area: Rect) {
    let width = inner_width(area, WIDTH);
    let bar = (width / 3).clamp(4, 30);
    let filled = (export.done * bar / export.total.max(1)).min(bar);
    let state = if export.cancelled { ", ending …" } else { "" };
    let total = visible::count(export.total, "call");
    let mut lines = vec![Line::from(vec![
        Span::styled("█".repeat(filled), theme::FOCUSED),
        Span::styled("░".repeat(bar - filled), theme::DIM),
        Span::raw(format!(" {} of {total}{state}", export.done)),
    ])];
    let what = format!("{} to {}", export.options.form, export.options.file);
    lines.extend(rows::row(&[(&what, theme::DIM, width)]));
    boxed(frame, area, " Export under way ", lines);
}
