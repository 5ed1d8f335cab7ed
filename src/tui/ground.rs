//! The terminal's background, light or dark. It is asked for (OSC 11) without waiting for the answer, for there may be
//! none, or a slow one: the answer comes among the keys, and is picked out there.
//!
//! ```text
//!  j  alt-]  1 1 ; r g b : 1 e 1 e / ... alt-\  k     what the terminal's reader makes of what comes
//!  j  [the background is dark]                  k     what is left of it
//! ```

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::event::Event;

/// Asks for the background's colour.
pub const QUESTION: &str = "\x1b]11;?\x1b\\";
/// An answer that comes later than this after the question is not waited for.
pub const LATE: Duration = Duration::from_millis(500);
/// Longer than any answer: `11;rgba:ffff/ffff/ffff/ffff`.
const LONGEST: usize = 28;

/// Picks the answer out of the keys.
#[derive(Debug, Default)]
pub struct Sifter {
    /// The question was asked and is open.
    asked: bool,
    /// What may be the answer so far, its opening first.
    held: Vec<KeyEvent>,
    /// The answer was ended by an escape whose second half is due.
    half: bool,
}

impl Sifter {
    /// A sifter of what comes after the question, if that was `asked`. Otherwise every key is one.
    #[must_use]
    pub fn new(asked: bool) -> Self {
        Self { asked, held: Vec::new(), half: false }
    }

    /// Whether the answer may still come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.asked || self.half
    }

    /// What a key amounts to: itself, the answer, nothing yet, or all that was taken for an answer and is none.
    pub fn sift(&mut self, key: KeyEvent) -> Vec<Event> {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if std::mem::take(&mut self.half) && key.code == KeyCode::Char('\\') {
            return Vec::new();
        }
        if !self.asked {
            return vec![Event::Key(key)];
        }
        if self.held.is_empty() {
            if alt && key.code == KeyCode::Char(']') {
                self.held.push(key);
                return Vec::new();
            }
            return vec![Event::Key(key)];
        }
        let ends = match key.code {
            KeyCode::Char('\\') => alt,
            KeyCode::Char('g') => key.modifiers.contains(KeyModifiers::CONTROL),
            KeyCode::Esc => true,
            _ => false,
        };
        let text: String = self.held[1..].iter().filter_map(|key| key.code.as_char()).collect();
        if ends && let Some(light) = light(&text) {
            *self = Self { half: key.code == KeyCode::Esc, ..Self::default() };
            return vec![Event::Ground { light }];
        }
        self.held.push(key);
        let goes_on = key.code.as_char().is_some_and(|c| may_be(&format!("{text}{c}")));
        if goes_on && self.held.len() <= LONGEST + 1 {
            return Vec::new();
        }
        self.held.drain(..).map(Event::Key).collect()
    }
}

/// Whether an answer may begin like this.
fn may_be(text: &str) -> bool {
    ["11;rgb:", "11;rgba:"].iter().any(|opening| match text.strip_prefix(opening) {
        Some(rest) => rest.chars().all(|c| c.is_ascii_hexdigit() || c == '/'),
        None => opening.starts_with(text),
    })
}

/// Whether the colour of an answer is a light one; nothing if it is no answer.
fn light(text: &str) -> Option<bool> {
    let colour = text.strip_prefix("11;rgb:").or_else(|| text.strip_prefix("11;rgba:"))?;
    let share = |part: &str| {
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok()?)?.checked_sub(1).filter(|most| *most > 0)?;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    };
    let mut parts = colour.split('/').map(share);
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    Some(0.299 * red + 0.587 * green + 0.114 * blue > 0.5)
}

/// What `COLORFGBG` says of the background, which some terminals set and others pass on: `15;0` is a dark one.
#[must_use]
pub fn hint(variable: &str) -> Option<bool> {
    let number: u8 = variable.rsplit(';').next()?.parse().ok()?;
    (number < 16).then_some(matches!(number, 7 | 9..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keys::script;

    fn sift(sifter: &mut Sifter, text: &str) -> Vec<Event> {
        script(text).unwrap().into_iter().flat_map(|key| sifter.sift(key)).collect()
    }

    fn keys(text: &str) -> Vec<Event> {
        script(text).unwrap().into_iter().map(Event::Key).collect()
    }

    #[test]
    fn the_answer_is_picked_out_and_no_key_is_lost() {
        for (answer, is_light) in [
            ("<alt-]>11;rgb:1e1e/1E1e/2e2e<alt-\\>", false),
            ("<alt-]>11;rgb:ffff/ffff/ffff<ctrl-g>", true),
            ("<alt-]>11;rgb:fd/f6/e3<esc>\\", true),
            ("<alt-]>11;rgba:0000/0000/0000/ffff<alt-\\>", false),
        ] {
            let mut sifter = Sifter::new(true);
            let mut wanted = keys("jr<esc>");
            wanted.push(Event::Ground { light: is_light });
            wanted.extend(keys("k<alt-]>11"));
            assert_eq!(sift(&mut sifter, &format!("jr<esc>{answer}k<alt-]>11")), wanted, "{answer}");
        }
    }

    #[test]
    fn what_is_no_answer_is_keys() {
        for typed in ["<alt-]>j", "<alt-]>11;rgx", "<alt-]>11;rgb:<alt-\\>", "<alt-]>10;", "<alt-]>11;rgb:1/2<esc>"] {
            assert_eq!(sift(&mut Sifter::new(true), typed), keys(typed), "{typed}");
        }
        let endless = format!("<alt-]>11;rgb:{}", "f".repeat(40));
        assert_eq!(sift(&mut Sifter::new(true), &endless), keys(&endless));
        let unasked = "<alt-]>11;rgb:0/0/0<ctrl-g>";
        assert_eq!(sift(&mut Sifter::new(false), unasked), keys(unasked));
    }

    #[test]
    fn a_variable_may_tell_it_too() {
        assert_eq!(
            ["15;0", "0;15", "0;default;7", "12;8", "", "0;default", "1;99"].map(hint),
            [Some(false), Some(true), Some(true), Some(false), None, None, None]
        );
    }
}
