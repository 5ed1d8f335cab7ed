//! The screen before the first call: what to do next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

use crate::app::App;
use crate::app::action::Action;
use crate::net::base_url;
use crate::view::theme;
use crate::visible;

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let block = Block::new().borders(Borders::TOP).title(Line::styled(" hooktape ", theme::FOCUSED));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lines = match app.setup.listener {
        Some(address) => listening(&base_url(address), app),
        None => vec![
            Line::default(),
            Line::raw(format!("  {} holds no calls.", visible::line(&app.setup.recording.display().to_string()))),
        ],
    };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

fn listening(url: &str, app: &App) -> Vec<Line<'static>> {
    let secrets = app.setup.keyring.secrets.all().count();
    let secret = match secrets {
        0 => "  No secret yet: --secret moveo=env:MOVEO_TOKEN lets hooktape check signatures.".to_owned(),
        1 => "  1 secret is at hand: signatures are checked as calls come.".to_owned(),
        count => format!("  {count} secrets are at hand: signatures are checked as calls come."),
    };
    let recording = visible::line(&app.setup.recording.display().to_string()).into_owned();
    vec![
        Line::default(),
        Line::raw("  Waiting for the first call. Send it to any path of"),
        Line::default(),
        Line::styled(format!("    {url}"), theme::HEADING),
        Line::default(),
        hint(Action::Test, "sends a built-in, signed call of any kind"),
        hint(Action::Demo, "plays a whole built-in conversation"),
        hint(Action::Help, "shows every key"),
        hint(Action::Quit, "leaves"),
        Line::default(),
        Line::raw("  Or from another terminal:"),
        Line::styled(format!("    curl {url}/hooks/moveo -d '{{\"channel\":\"web\",\"context\":{{}}}}'"), Style::new()),
        Line::default(),
        Line::styled(secret, theme::DIM),
        Line::styled(format!("  {}", reach(app)), theme::DIM),
        Line::styled(format!("  Recording to {recording}"), theme::DIM),
    ]
}

/// How platforms reach the listener, or why they do not.
fn reach(app: &App) -> String {
    let text = app.unreachable().or_else(|| Some(format!("Platforms call {} (P copies it).", app.public_url()?)));
    visible::line(&text.unwrap_or_default()).into_owned()
}

fn hint(action: Action, does: &str) -> Line<'static> {
    Line::from(vec![Span::styled(format!("    {:3}", action.entry().keys[0]), theme::KEY), Span::raw(does.to_owned())])
}
