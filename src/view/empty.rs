//! The screen before the first call: what to do next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

use crate::app::App;
use crate::app::action::Action;
use crate::net::base_url;
use crate::view::{rows, theme};
use crate::visible;

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let block = Block::new().borders(Borders::TOP).title(Line::styled(" hooktape ", theme::FOCUSED));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lines = match app.setup.listener {
        Some(address) => listening(&base_url(address), app, usize::from(inner.width)),
        None => vec![
            Line::default(),
            Line::raw(format!("  {} holds no calls.", visible::line(&app.setup.recording.display().to_string()))),
        ],
    };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

fn listening(url: &str, app: &App, width: usize) -> Vec<Line<'static>> {
    let secrets = app.setup.keyring.secrets.all().count();
    let secret = match secrets {
        0 => "No secret yet: --secret moveo=env:MOVEO_TOKEN lets hooktape check signatures.".to_owned(),
        1 => "1 secret is at hand: signatures are checked as calls come.".to_owned(),
        count => format!("{count} secrets are at hand: signatures are checked as calls come."),
    };
    let recording = visible::line(&app.setup.recording.display().to_string()).into_owned();
    let mut lines = vec![
        Line::default(),
        Line::raw("  Waiting for the first call. Send it to any path of"),
        Line::default(),
        Line::styled(format!("    {url}"), theme::HEADING),
        Line::default(),
        hint(app, Action::Test, "sends a built-in, signed call of any kind"),
        hint(app, Action::Demo, "plays a whole built-in conversation"),
        hint(app, Action::Help, "shows every key"),
        hint(app, Action::Quit, "leaves"),
        Line::default(),
        Line::raw("  Or from another terminal:"),
        Line::styled(format!("    curl {url}/hooks/moveo -d '{{\"channel\":\"web\",\"context\":{{}}}}'"), Style::new()),
        Line::default(),
    ];
    for text in [secret, reach(app), format!("Recording to {recording}")] {
        lines.extend(rows::row(&[("", theme::DIM, 1), (&text, theme::DIM, width.saturating_sub(4))]));
    }
    lines
}

/// How platforms reach the listener, or why they do not.
fn reach(app: &App) -> String {
    let text = app.unreachable().or_else(|| {
        Some(format!("Platforms call {} ({} copies it).", app.public_url()?, app.keymap.key(Action::Public)))
    });
    visible::line(&text.unwrap_or_default()).into_owned()
}

fn hint(app: &App, action: Action, does: &str) -> Line<'static> {
    Line::from(vec![Span::styled(format!("    {:3}", app.keymap.key(action)), theme::KEY), Span::raw(does.to_owned())])
}
