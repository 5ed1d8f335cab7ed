//! The screen before the first call: what to do next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::app::action::Action;
use crate::app::{App, Regions};
use crate::net::base_url;
use crate::view::{rows, spot, theme};
use crate::visible;

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let (width, room) = (usize::from(area.width), usize::from(area.height.saturating_sub(1)));
    let lines = if let Some(address) = app.setup.listener {
        listening(&base_url(address), app, width)
    } else {
        let text = format!("{} holds no calls.", app.setup.recording.display());
        [Line::default()].into_iter().chain(told(&text, Style::new(), width)).collect()
    };
    // It is scrolled as a call would be.
    (regions.detail_height, regions.detail_rows) = (room, lines.len());
    regions.spots.detail = spot(area);
    let last = lines.len().saturating_sub(room);
    let first = app.scroll[app.tab as usize].min(last);
    let keys = [Action::Down, Action::Up].map(|action| app.keymap.key(action)).join(" ");
    let part = format!("· {} to {} of {} ({keys}) ", first + 1, first + room, lines.len());
    let title = format!(" hooktape {}", if last > 0 { &part } else { "" });
    let block = Block::new().borders(Borders::TOP).title(Line::styled(title, theme::FOCUSED));
    let shown: Vec<Line> = lines.into_iter().skip(first).take(room).collect();
    frame.render_widget(Paragraph::new(shown).block(block), area);
}

/// A sentence with a margin.
fn told(text: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    rows::row(&[("", style, 1), (text, style, width.saturating_sub(4))])
}

fn listening(url: &str, app: &App, width: usize) -> Vec<Line<'static>> {
    let secrets = app.setup.keyring.secrets.all().count();
    let secret = match secrets {
        0 => "No secret yet: --secret moveo=env:MOVEO_TOKEN lets hooktape check signatures.".to_owned(),
        1 => "1 secret is at hand: signatures are checked as calls come.".to_owned(),
        count => format!("{count} secrets are at hand: signatures are checked as calls come."),
    };
    let recording = visible::line(&app.setup.recording.display().to_string()).into_owned();
    let blank = || vec![Line::default()];
    let plain = |text: &str| told(text, Style::new(), width);
    let hints = [
        (Action::Test, "sends a built-in, signed call of any kind"),
        (Action::Demo, "plays a whole built-in conversation"),
        (Action::Help, "shows every key"),
        (Action::Quit, "leaves"),
    ];
    let wide = hints.iter().map(|(action, _)| visible::width(app.keymap.key(*action))).max().unwrap_or(0).max(2);
    let hint = |(action, does): &(Action, &str)| {
        let does = (*does, Style::new(), width.saturating_sub(6 + wide));
        rows::row(&[("", theme::DIM, 3), (app.keymap.key(*action), theme::KEY, wide), does])
    };
    let curl = format!("curl {url}/hooks/moveo -d '{{\"channel\":\"web\",\"context\":{{}}}}'");
    let parts = [
        blank(),
        plain("Waiting for the first call. Send it to any path of"),
        blank(),
        vec![Line::styled(format!("    {url}"), theme::HEADING)],
        blank(),
        hints.iter().flat_map(hint).collect(),
        blank(),
        plain("Or from another terminal:"),
        rows::row(&[("", theme::DIM, 3), (&curl, Style::new(), width.saturating_sub(4))]),
        blank(),
        told(&secret, theme::DIM, width),
        told(&reach(app), theme::DIM, width),
        told(&format!("Recording to {recording}"), theme::DIM, width),
    ];
    parts.concat()
}

/// How platforms reach the listener, or why they do not.
fn reach(app: &App) -> String {
    let text = app.unreachable().or_else(|| {
        Some(format!("Platforms call {} ({} copies it).", app.public_url()?, app.keymap.key(Action::Public)))
    });
    visible::line(&text.unwrap_or_default()).into_owned()
}
