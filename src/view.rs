//! The screen: a picture of the [`App`], and nothing else.
//!
//! ```text
//!  ┌ Calls ───────────────┬ Envelope  Body  Headers ... ─┐   below 110 columns the call stands under the list,
//!  │ list                 │ detail                       │   below 16 rows only the focused one is shown
//!  └──────────────────────┴──────────────────────────────┘
//!   status: the listener, the recording, the target
//!   hints, or what was said last
//! ```
//!
//! Drawing changes nothing. What was drawn where comes back as [`Regions`].

mod answering;
mod body;
mod comparing;
mod conversation;
mod detail;
mod dialogs;
mod draft;
mod editor;
mod empty;
mod envelope;
mod exporting;
mod flow;
mod hints;
mod kept;
mod list;
mod paint;
mod panel;
mod plots;
mod recordings;
mod replaying;
mod rows;
mod status;
mod theme;
mod tree;
mod webview;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Paragraph;

use crate::app::mouse::Area;
use crate::app::{App, Focus, Regions};
use crate::view::theme::Palette;
use crate::visible;

/// From this width on, list and call stand side by side.
const SIDE_BY_SIDE: u16 = 110;
/// Below this height only one of them is shown.
const STACKED: u16 = 14;

/// Draws the whole screen.
pub fn draw(app: &App, frame: &mut Frame) -> Regions {
    let area = frame.area();
    let mut regions = Regions::default();
    if area.width < 20 || area.height < 5 {
        frame.render_widget(Paragraph::new("too small"), area);
        return regions;
    }
    let [main, state, hints] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1), Constraint::Length(1)]).areas(area);
    if app.draft.is_some() {
        draft::draw(app, frame, main, &mut regions);
    } else if app.calls.total == 0 {
        empty::draw(app, frame, main, &mut regions);
    } else {
        let (list, detail) = panels(app, main);
        if let (Some(_), Some(detail)) = (list, detail) {
            let line = if detail.x > main.x { Rect { width: 1, ..detail } } else { Rect { height: 1, ..detail } };
            (regions.spots.both, regions.spots.divider) = (spot(main), spot(line));
        }
        if let Some(list) = list {
            list::draw(app, frame, list, &mut regions);
        }
        if let Some(detail) = detail {
            detail::draw(app, frame, detail, main.width >= SIDE_BY_SIDE && list.is_some(), &mut regions);
        }
    }
    status::draw(app, frame, state, hints);
    dialogs::draw(app, frame, area, &mut regions);
    status::draw_long(app, frame, area);
    finish(frame.buffer_mut(), &Palette::of(app));
    regions
}

/// Where the list and the call stand, if they have a place.
fn panels(app: &App, area: Rect) -> (Option<Rect>, Option<Rect>) {
    if app.zoom || area.height < STACKED {
        return match app.focus {
            Focus::List => (Some(area), None),
            Focus::Detail => (None, Some(area)),
        };
    }
    let halves = if area.width >= SIDE_BY_SIDE {
        let list = app.split.beside.map_or(Constraint::Percentage(45), thousandths);
        Layout::horizontal([list, Constraint::Min(0)])
    } else {
        let list = match (app.split.above, app.focus) {
            (Some(share), _) => thousandths(share),
            (None, Focus::List) => Constraint::Percentage(45),
            (None, Focus::Detail) => Constraint::Length(6),
        };
        Layout::vertical([list, Constraint::Min(0)])
    };
    let [list, detail] = halves.areas(area);
    (Some(list), Some(detail))
}

fn thousandths(share: u16) -> Constraint {
    Constraint::Ratio(share.into(), 1000)
}

/// The last look before the terminal: whatever a panel forgot to make visible is made so here, and parts get their colours.
fn finish(buffer: &mut Buffer, palette: &Palette) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if !symbol.is_ascii() && matches!(visible::line(symbol), std::borrow::Cow::Owned(_)) {
            cell.set_symbol("·");
        }
        palette.apply(cell);
    }
}

/// A time as the clock on the wall showed it, in `form` (as of strftime).
fn clock(app: &App, at: Timestamp, form: &str) -> String {
    at.to_zoned(app.setup.zone.clone()).strftime(form).to_string()
}

/// Where the mouse finds what is drawn there.
fn spot(Rect { x, y, width, height }: Rect) -> Area {
    Area { x, y, width, height }
}
