//! The recordings of the data directory: `1.2 MiB  3d  2026-11-18.jsonl  in use`.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::action::Action;
use crate::app::recordings::{Shelf, command};
use crate::recording::Kept;
use crate::view::dialogs::{NARROW, WIDE, boxed, inner_width, question};
use crate::view::{hints, rows, theme};
use crate::visible;

/// Rows of the box that are no recording: its border, what the keys do below them, the line that leaves them below.
const AROUND: u16 = 7;

pub(super) fn draw(app: &App, shelf: &Shelf, frame: &mut Frame, area: Rect) {
    let width = inner_width(area, WIDE);
    if let (true, Some(kept)) = (shelf.removing, shelf.chosen()) {
        let asked = format!("Remove {} ({}) for good?", kept.name(), visible::size(kept.bytes));
        question(app, frame, area, " Remove a recording ", &asked, "removes it");
        return;
    }
    let Some(kept) = &shelf.kept else {
        boxed(frame, area, " Recordings ", vec![Line::styled("looking …", theme::DIM)]);
        return;
    };
    let count = visible::count(kept.len(), "recording");
    let sum = visible::size(kept.iter().map(|one| one.bytes).sum());
    let room = usize::from(area.height.saturating_sub(AROUND)).max(1);
    let first = (shelf.selected + 1).saturating_sub(room);
    let command = shelf.chosen().map(command).unwrap_or_default();
    let shown: Vec<String> = kept.iter().map(|one| line(app, one)).collect();
    let widest = shown.iter().map(|line| visible::width(line)).chain([visible::width(&command) + 13]).max();
    let width = widest.unwrap_or(0).max(inner_width(area, NARROW)).min(width);
    let mut lines: Vec<Line> = shown
        .iter()
        .enumerate()
        .skip(first)
        .take(room)
        .map(|(row, one)| {
            let style = if row == shelf.selected { theme::SELECTED } else { Style::new() };
            Line::styled(rows::pad(one, width), style)
        })
        .collect();
    if shelf.chosen().is_some() {
        lines.push(Line::default());
        let does = |action, verb: &str, what: &str| {
            let key = format!("{} {verb}", hints::key(app, action));
            let room = width.saturating_sub(visible::width(&key) + 1);
            Line::from(vec![
                Span::styled(key, theme::KEY),
                Span::styled(format!(" {}", rows::cut(what, room)), theme::DIM),
            ])
        };
        lines.push(does(Action::Open, "opens", "it; leaving it comes back here"));
        lines.push(does(Action::CopyCommand, "copies", &command));
    } else {
        lines.push(Line::styled("no recording is kept yet", theme::DIM));
    }
    let title = format!(" {count}, {sum} ");
    boxed(frame, area, &title, lines);
}

fn line(app: &App, kept: &Kept) -> String {
    let state = match (app.shows(kept), kept.in_use) {
        (true, _) => "  (on this screen)",
        (false, true) => "  (being recorded to)",
        (false, false) => "",
    };
    format!("{:>10}  {:>5}  {}{state}", visible::size(kept.bytes), visible::age(kept.age(app.now)), kept.name())
}
