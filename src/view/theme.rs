//! What things look like. The sixteen colours of the terminal itself, so that dark and light both work; a meaning is
//! never told by colour alone.

use ratatui::style::{Color, Modifier, Style};

use crate::app::event::Level;
use crate::call::Sig;
use crate::json::TokenKind;
use crate::platform::Severity;
use crate::recording::{Colour, Remarks};

/// Labels, meanings, hints.
pub const DIM: Style = Style::new().fg(Color::DarkGray);
/// Headings.
pub const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// The heading of what has the keys.
pub const FOCUSED: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
/// What is selected.
pub const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Keys in hints.
pub const KEY: Style = Style::new().fg(Color::Cyan);
/// Matches of a search.
pub const MATCH: Style = Style::new().fg(Color::Black).bg(Color::Yellow);
/// What the user said.
pub const SAID: Style = Style::new().add_modifier(Modifier::BOLD);

/// A call that is deleted.
pub const DELETED: Style = Style::new().add_modifier(Modifier::CROSSED_OUT);

/// A sign for what is said of a call, one column wide, and its colour.
#[must_use]
pub fn remarks(remarks: &Remarks) -> (&'static str, Style) {
    let colour = |colour| match colour {
        Colour::Red => Color::Red,
        Colour::Yellow => Color::Yellow,
        Colour::Green => Color::Green,
        Colour::Blue => Color::Blue,
        Colour::Magenta => Color::Magenta,
    };
    match remarks.mark {
        _ if remarks.deleted => ("×", DIM),
        Some(mark) => ("◆", mark.colour.map_or(Style::new(), |name| Style::new().fg(colour(name)))),
        None => (" ", Style::new()),
    }
}

/// A sign for a verdict, and its colour.
#[must_use]
pub fn sig(sig: Sig) -> (&'static str, Style) {
    match sig {
        Sig::Valid => ("✓", Style::new().fg(Color::Green)),
        Sig::Invalid => ("✗", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)),
        Sig::Stale => ("~", Style::new().fg(Color::Yellow)),
        Sig::Missing => ("∅", Style::new().fg(Color::Yellow)),
        Sig::NoSecret => ("?", Style::new().fg(Color::Yellow)),
        Sig::Unsigned => ("-", DIM),
        Sig::Malformed => ("!", Style::new().fg(Color::Red)),
    }
}

/// The colour of a status code.
#[must_use]
pub fn status(status: u16) -> Style {
    match status {
        200..300 => Style::new().fg(Color::Green),
        300..400 => Style::new().fg(Color::Cyan),
        400..500 => Style::new().fg(Color::Yellow),
        _ => Style::new().fg(Color::Red),
    }
}

/// A sign for a finding, and its colour.
#[must_use]
pub fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Error => ("✗", Style::new().fg(Color::Red)),
        Severity::Warning => ("!", Style::new().fg(Color::Yellow)),
        Severity::Note => ("i", Style::new().fg(Color::Blue)),
    }
}

/// The colour of a notice.
#[must_use]
pub fn level(level: Level) -> Style {
    match level {
        Level::Info => Style::new(),
        Level::Warning => Style::new().fg(Color::Yellow),
        Level::Error => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

/// The colour of a piece of JSON.
#[must_use]
pub fn token(kind: TokenKind) -> Style {
    match kind {
        TokenKind::Key => Style::new().fg(Color::Cyan),
        TokenKind::String => Style::new().fg(Color::Green),
        TokenKind::Number => Style::new().fg(Color::Magenta),
        TokenKind::True | TokenKind::False | TokenKind::Null => Style::new().fg(Color::Yellow),
        TokenKind::Bad => Style::new().fg(Color::Red).add_modifier(Modifier::UNDERLINED),
        _ => DIM,
    }
}
