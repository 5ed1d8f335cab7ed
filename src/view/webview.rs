//! A page opened by hand: its address as text and as a QR code, and what came of it.
//!
//! It takes the whole screen, and the address whole rows of it, so that a terminal's own selection copies nothing else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};
use url::Url;

use crate::app::App;
use crate::app::action::Action;
use crate::app::event::Level;
use crate::app::webview::Launch;
use crate::config::is_loopback;
use crate::net::base_url;
use crate::view::{flow, rows, theme};
use crate::{qr, visible};

/// Columns that the text beside a code needs while there is little to say, and once the page was opened.
const LITTLE: usize = 30;
const MUCH: usize = 64;
/// Rows from which on there is room for more than how the wait stands.
const ROOMY: usize = 14;

pub(super) fn draw(app: &App, launch: &Launch, frame: &mut Frame, area: Rect) {
    // The last row says what the keys do.
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let block = Block::new().borders(Borders::TOP).title(Line::styled(format!(" {} ", launch.kind), theme::FOCUSED));
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let address: Vec<Line> = chunks(&launch.opening.url, width).map(|row| Line::styled(row, theme::HEADING)).collect();
    let above = address.len();
    frame.render_widget(Paragraph::new(address), inner);
    let top = u16::try_from(above).unwrap_or(u16::MAX).min(inner.height);
    let below = Rect { y: inner.y + top, height: inner.height - top, ..inner };

    let opened = launch.flow.wait(app.now).is_some();
    let code = qr::lines(&launch.opening.url).map(trimmed).unwrap_or_default();
    let columns = code.first().map_or(0, |row| row.chars().count());
    let needs = columns + 1 + if opened { MUCH } else { LITTLE };
    let fits = columns > 0 && needs <= width && above + code.len() <= height;
    let text_width = if fits { width - columns - 1 } else { width };
    let mut text = vec![Line::default()];
    text.extend(said(app, launch, text_width, height));
    let remark = match (fits, opened, columns) {
        (true, ..) if Url::parse(&launch.opening.url).is_ok_and(|page| is_loopback(&page)) => {
            "A phone cannot reach a loopback address: put a tunnel in front, and open the page by the tunnel's URL."
                .to_owned()
        }
        (true, ..) | (false, true, _) => String::new(),
        (false, false, 0) => "The address is too long for a QR code.".to_owned(),
        // The heading and the row of the keys stand above and below.
        (false, false, _) => format!(
            "No room for a QR code: the screen must have {needs} columns and {} rows, it has {width} and {}.",
            above + code.len() + 2,
            height + 2
        ),
    };
    text.push(Line::default());
    text.extend(rows::row(&[(&remark, theme::DIM, text_width)]));
    let cut = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX).min(below.width);
    frame.render_widget(Paragraph::new(text), Rect { width: cut(text_width), ..below });
    if fits {
        let wide = cut(columns);
        let place = Rect { x: below.right() - wide, width: wide, height: cut_height(code.len(), below), ..below };
        let light_on_dark = Style::new().fg(Color::White).bg(Color::Black);
        frame.render_widget(
            Paragraph::new(code.into_iter().map(Line::raw).collect::<Vec<_>>()).style(light_on_dark),
            place,
        );
    }
}

/// The code with half of its margin: readers do with that, and a small screen has no more.
fn trimmed(lines: Vec<String>) -> Vec<String> {
    let (rows, columns) = (lines.len(), lines.first().map_or(0, |line| line.chars().count()));
    let inner = lines.into_iter().skip(1).take(rows.saturating_sub(2));
    inner.map(|line| line.chars().skip(2).take(columns.saturating_sub(4)).collect()).collect()
}

fn cut_height(rows: usize, area: Rect) -> u16 {
    u16::try_from(rows).unwrap_or(u16::MAX).min(area.height)
}

/// ASCII text in rows of `width`.
fn chunks(text: &str, width: usize) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes().chunks(width.max(1));
    bytes.map(|row| visible::line(&String::from_utf8_lossy(row)).into_owned())
}

fn said(app: &App, launch: &Launch, width: usize, height: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let wait = launch.flow.wait(app.now);
    let served = app.serves(&launch.opening.url);
    // Where there is little room, how the wait stands comes first.
    let callback = launch.callback.as_ref().filter(|_| wait.is_none() || height >= ROOMY);
    if let Some((method, path)) = callback {
        let base = app.setup.listener.map(base_url).unwrap_or_default();
        lines.extend(rows::labelled("calls back", &format!("{method} {base}{path}"), Style::new(), width));
        lines.push(Line::default());
    }
    if !launch.opening.twice.is_empty() {
        let text =
            format!("The page's own query has {} too, and a page reads the first.", launch.opening.twice.join(", "));
        lines.extend(rows::row(&[(&text, theme::level(Level::Warning), width)]));
    }
    if let Some(wait) = wait {
        lines.extend(flow::lines(app, &launch.flow, wait, None, width));
        return lines;
    }
    let waiting = match (app.setup.listener, served) {
        (None, _) => "Nothing listens here, so nothing can come: this is a recording that was opened.",
        (Some(_), true) => "Waiting for the page to be opened …",
        (Some(_), false) => {
            "Waiting for the callback … The page is not served here, so its opening is not seen: only its callback is, \
             if it calls back to this listener."
        }
    };
    lines.extend(rows::row(&[(waiting, theme::DIM, width)]));
    if let Some(limit) = flow::limit(app, &launch.flow) {
        let text = format!("{limit} ({} changes that)", app.keymap.key(Action::WaitFor));
        lines.push(Line::default());
        lines.extend(rows::labelled("expires", &text, Style::new(), width));
    }
    lines
}
