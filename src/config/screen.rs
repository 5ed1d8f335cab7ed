//! `[screen]` and `[keys]`: how the terminal program looks and what its keys mean.

use std::time::Duration;

use super::document::{Table, Value};
use super::units::parse_duration;
use super::{Error, instead, meant};

/// How the terminal program looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Which colours.
    pub theme: Theme,
    /// Single colours that are other than the theme's.
    pub colours: Vec<(Part, Colour)>,
    /// What takes this long is a slow call: 1 s.
    pub slow: Duration,
}

impl Default for Screen {
    fn default() -> Self {
        Self { theme: Theme::Auto, colours: Vec::new(), slow: Duration::from_secs(1) }
    }
}

/// Which colours the screen has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those that fit the terminal's background; where that is not known, [`Theme::Ansi`].
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// The terminal's own sixteen.
    Ansi,
    /// None at all.
    None,
}

const THEMES: [(&str, Theme); 5] = [
    ("auto", Theme::Auto),
    ("dark", Theme::Dark),
    ("light", Theme::Light),
    ("ansi", Theme::Ansi),
    ("none", Theme::None),
];

/// What has a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Labels, hints, what matters less.
    Dim,
    /// What has the keys, and the keys themselves.
    Accent,
    /// Valid, answered, as it should be.
    Good,
    /// What deserves a look.
    Warning,
    /// Invalid, failed, broken.
    Bad,
    /// Remarks.
    Note,
    /// Names in JSON.
    Name,
    /// Strings in JSON.
    String,
    /// Numbers in JSON.
    Number,
    /// `true`, `false` and `null`.
    Literal,
    /// The background of what is selected.
    Selected,
}

impl Part {
    /// All of them, each at its own number, with what it is called.
    pub const ALL: [(&str, Self); 11] = [
        ("dim", Self::Dim),
        ("accent", Self::Accent),
        ("good", Self::Good),
        ("warning", Self::Warning),
        ("bad", Self::Bad),
        ("note", Self::Note),
        ("name", Self::Name),
        ("string", Self::String),
        ("number", Self::Number),
        ("literal", Self::Literal),
        ("selected", Self::Selected),
    ];
}

/// A colour of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One of the palette: the first sixteen are the terminal's own.
    Indexed(u8),
    /// Red, green, blue. Not every terminal has these.
    Rgb(u8, u8, u8),
}

/// The names of the first sixteen colours, in their order.
const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// What `[keys]` says of one action. Which actions and keys there are, the terminal program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The action, as written.
    pub action: String,
    /// Its keys, as written; none: it has no key.
    pub keys: Vec<String>,
    /// Where it stands, with nothing said yet.
    place: Error,
}

impl Binding {
    /// A fault of it.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { message: message.into(), ..self.place.clone() }
    }
}

pub(super) fn screen(table: &Table<'_>) -> Screen {
    let mut screen = Screen {
        theme: table.read("theme", |value| value.parse(|text| word(text, &THEMES))).unwrap_or_default(),
        slow: table.read("slow", |value| value.parse(parse_duration)).unwrap_or(Screen::default().slow),
        ..Screen::default()
    };
    let names = Part::ALL.map(|(name, _)| name);
    let Some(colours) = table.read("colours", |value| value.table(&names)) else { return screen };
    let read = |value: &Value<'_>| match value.integer::<u8>() {
        Some(number) => Ok(Colour::Indexed(number)),
        None => value.parse(colour),
    };
    let coloured = |(name, part)| Some((part, colours.read(name, read)?));
    screen.colours = Part::ALL.into_iter().filter_map(coloured).collect();
    screen
}

pub(super) fn keys(table: &Table<'_>) -> Vec<Binding> {
    let binding = |(action, value): (&str, Value<'_>)| {
        let keys = value.each(|key| Ok(key.string()?.to_owned()));
        Binding { action: action.to_owned(), keys, place: value.error("") }
    };
    table.entries().into_iter().map(binding).collect()
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Err(instead(text, &known))
}

fn colour(text: &str) -> Result<Colour, String> {
    if let Some(index) = NAMES.iter().position(|name| *name == text) {
        return Ok(Colour::Indexed(u8::try_from(index).unwrap_or_default()));
    }
    if let Some(digits) = text.strip_prefix('#')
        && digits.len() == 6
        && let Ok(number) = u32::from_str_radix(digits, 16)
    {
        let [_, red, green, blue] = number.to_be_bytes();
        return Ok(Colour::Rgb(red, green, blue));
    }
    let meant = meant(text, &NAMES);
    let forms =
        || format!("a colour is \"#rrggbb\", a number of the palette (0 to 255), or one of {}", NAMES.join(", "));
    Err(meant.unwrap_or_else(forms))
}
