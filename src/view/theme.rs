//! What things look like: panels paint in [`Part`]s, and the [`Palette`] of the chosen theme says what colour each is.
//! A meaning is never told by colour alone.
//!
//! ```text
//!  BAD = Indexed(Part::Bad) --panel--> cell --Palette::apply--> Indexed(203), Red, ... or none
//! ```

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier, Style};

use crate::app::event::Level;
use crate::app::{App, Colours};
use crate::call::Sig;
use crate::config::{Colour as Chosen, Part, Theme};
use crate::json::TokenKind;
use crate::platform::Severity;
use crate::recording::{Colour, Remarks};

/// What has the keys, and the keys themselves.
pub const ACCENT: Color = paint(Part::Accent);
/// Valid, answered, as it should be.
pub const GOOD: Color = paint(Part::Good);
/// What deserves a look.
pub const WARNING: Color = paint(Part::Warning);
/// Invalid, failed, broken.
pub const BAD: Color = paint(Part::Bad);
/// Remarks.
pub const NOTE: Color = paint(Part::Note);

/// Labels, meanings, hints.
pub const DIM: Style = Style::new().fg(paint(Part::Dim));
/// Headings.
pub const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// The heading of what has the keys.
pub const FOCUSED: Style = Style::new().fg(ACCENT).add_modifier(Modifier::BOLD);
/// What is selected.
pub const SELECTED: Style = Style::new().bg(paint(Part::Selected));
/// Keys in hints.
pub const KEY: Style = Style::new().fg(ACCENT);
/// Matches of a search.
pub const MATCH: Style = Style::new().fg(WARNING).add_modifier(Modifier::REVERSED);
/// What must not be overlooked.
pub const ALARM: Style = Style::new().fg(BAD).add_modifier(Modifier::REVERSED.union(Modifier::BOLD));
/// What should not be.
pub const CAUTION: Style = Style::new().fg(WARNING).add_modifier(Modifier::REVERSED.union(Modifier::BOLD));
/// A target that asks before anything is sent to it, wherever it is named.
pub const GUARDED: Style = Style::new().fg(BAD);
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
        Sig::Valid => ("✓", Style::new().fg(GOOD)),
        Sig::Invalid => ("✗", Style::new().fg(BAD).add_modifier(Modifier::BOLD)),
        Sig::Stale => ("~", Style::new().fg(WARNING)),
        Sig::Missing => ("∅", Style::new().fg(WARNING)),
        Sig::NoSecret => ("?", Style::new().fg(WARNING)),
        Sig::Unsigned => ("-", DIM),
        Sig::Malformed => ("!", Style::new().fg(BAD)),
    }
}

/// The colour of a status code.
#[must_use]
pub fn status(status: u16) -> Style {
    match status {
        200..300 => Style::new().fg(GOOD),
        300..400 => Style::new().fg(ACCENT),
        400..500 => Style::new().fg(WARNING),
        _ => Style::new().fg(BAD),
    }
}

/// A sign for a finding, and its colour.
#[must_use]
pub fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Error => ("✗", Style::new().fg(BAD)),
        Severity::Warning => ("!", Style::new().fg(WARNING)),
        Severity::Note => ("i", Style::new().fg(NOTE)),
    }
}

/// The colour of a notice.
#[must_use]
pub fn level(level: Level) -> Style {
    match level {
        Level::Info => Style::new(),
        Level::Warning => Style::new().fg(WARNING),
        Level::Error => Style::new().fg(BAD).add_modifier(Modifier::BOLD),
    }
}

/// A sign for a notice, and its colour.
#[must_use]
pub fn notice(level: Level) -> (&'static str, Style) {
    let sign = match level {
        Level::Info => " ",
        Level::Warning => "!",
        Level::Error => "✗",
    };
    (sign, self::level(level))
}

/// The colour of what has no answer.
#[must_use]
pub const fn unanswered() -> Style {
    Style::new().fg(BAD)
}

/// The colour of a piece of JSON.
#[must_use]
pub fn token(kind: TokenKind) -> Style {
    match kind {
        TokenKind::Key => Style::new().fg(paint(Part::Name)),
        TokenKind::String => Style::new().fg(paint(Part::String)),
        TokenKind::Number => Style::new().fg(paint(Part::Number)),
        TokenKind::True | TokenKind::False | TokenKind::Null => Style::new().fg(paint(Part::Literal)),
        TokenKind::Bad => Style::new().fg(BAD).add_modifier(Modifier::UNDERLINED),
        _ => DIM,
    }
}

/// How a part stands in a cell until the palette has its way.
const fn paint(part: Part) -> Color {
    Color::Indexed(part as u8)
}

/// Which colour each part has.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// By the number of the part; none: it is told by other means.
    colours: [Option<Color>; Part::ALL.len()],
    plain: bool,
}

/// For a dark ground, of the 256 colours that are the same everywhere.
const DARK: [u8; Part::ALL.len()] = [246, 80, 114, 221, 203, 111, 117, 150, 183, 216, 238];
/// For a light one.
const LIGHT: [u8; Part::ALL.len()] = [242, 30, 28, 130, 160, 26, 24, 22, 91, 130, 253];
/// The terminal's own. No ground of them fits every text on it.
const ANSI: [Option<Color>; Part::ALL.len()] = [
    Some(Color::DarkGray),
    Some(Color::Cyan),
    Some(Color::Green),
    Some(Color::Yellow),
    Some(Color::Red),
    Some(Color::Blue),
    Some(Color::Cyan),
    Some(Color::Green),
    Some(Color::Magenta),
    Some(Color::Yellow),
    None,
];

impl Palette {
    /// That of the configured theme, as far as the terminal has the colours.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let screen = &app.setup.config.screen;
        let many = |palette: [u8; Part::ALL.len()]| palette.map(|index| Some(Color::Indexed(index)));
        let plain = screen.theme == Theme::None || app.setup.colours == Colours::None;
        let mut colours = match (screen.theme, app.light) {
            _ if plain => [None; Part::ALL.len()],
            (Theme::Dark, _) => many(DARK),
            (Theme::Light, _) => many(LIGHT),
            (Theme::Auto, Some(light)) if app.setup.colours == Colours::Many => many(if light { LIGHT } else { DARK }),
            _ => ANSI,
        };
        for (part, colour) in screen.colours.iter().filter(|_| !plain) {
            colours[*part as usize] = Some(terminal(*colour));
        }
        Self { colours, plain }
    }

    /// Gives a cell its colours.
    pub fn apply(&self, cell: &mut Cell) {
        if let Some(part) = part(cell.fg) {
            cell.set_fg(self.colours[part].unwrap_or(Color::Reset));
        }
        if let Some(part) = part(cell.bg) {
            cell.set_bg(self.colours[part].unwrap_or(Color::Reset));
            if self.colours[part].is_none() {
                cell.modifier.insert(Modifier::REVERSED);
            }
        }
        if self.plain {
            cell.set_fg(Color::Reset).set_bg(Color::Reset);
        }
    }
}

/// The number of the part that a cell was painted in.
fn part(painted: Color) -> Option<usize> {
    let Color::Indexed(number) = painted else { return None };
    Some(usize::from(number)).filter(|number| *number < Part::ALL.len())
}

fn terminal(colour: Chosen) -> Color {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour {
        Chosen::Indexed(index) => NAMED.get(usize::from(index)).copied().unwrap_or(Color::Indexed(index)),
        Chosen::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_own_number() {
        for (number, (_, part)) in Part::ALL.iter().enumerate() {
            assert_eq!(*part as usize, number);
        }
    }

    #[test]
    fn what_is_selected_is_told_from_the_rest_without_colour_too() {
        let selected = |palette: &Palette| {
            let mut cell = Cell::default();
            cell.set_style(SELECTED.fg(BAD));
            palette.apply(&mut cell);
            cell
        };
        let plain = selected(&Palette { colours: [None; Part::ALL.len()], plain: true });
        assert_eq!((plain.fg, plain.bg, plain.modifier), (Color::Reset, Color::Reset, Modifier::REVERSED));
        let ansi = selected(&Palette { colours: ANSI, plain: false });
        assert_eq!((ansi.fg, ansi.bg, ansi.modifier), (Color::Red, Color::Reset, Modifier::REVERSED));
        let dark = selected(&Palette { colours: DARK.map(|index| Some(Color::Indexed(index))), plain: false });
        assert_eq!((dark.fg, dark.bg, dark.modifier), (Color::Indexed(203), Color::Indexed(238), Modifier::empty()));
    }

    #[test]
    fn every_colour_of_the_themes_can_be_read_on_its_ground() {
        // The relative luminance of one of the 256 colours, and the contrast of two, as WCAG 2 has them.
        fn luminance(index: u8) -> f64 {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
            let rgb = match index {
                232.. => [8 + 10 * u32::from(index - 232); 3],
                _ => [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(level),
            };
            let linear = |value: u32| {
                let value = f64::from(value) / 255.0;
                if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
        }
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        // Dark grounds are up to #1e1e2e or so, light ones down to #fdf6e3.
        for (theme, ground) in [(DARK, 0.014), (LIGHT, 0.92)] {
            let [texts @ .., selected] = theme;
            for text in texts {
                assert!(contrast(luminance(text), ground) > 4.0, "{text} on the ground");
                assert!(contrast(luminance(text), luminance(selected)) > 3.0, "{text} on {selected}");
            }
        }
    }
}
