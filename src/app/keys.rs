//! Keys as text: `j`, `G`, `enter`, `ctrl-c`, `alt-x`. The keymap, the help and the tests write them this way.

use std::fmt::Write as _;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Names of keys that are not one character.
const NAMED: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

/// The key that `name` names.
#[must_use]
pub fn parse(name: &str) -> Option<KeyEvent> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = name;
    loop {
        if let Some(tail) = rest.strip_prefix("ctrl-").filter(|tail| !tail.is_empty()) {
            modifiers |= KeyModifiers::CONTROL;
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix("alt-").filter(|tail| !tail.is_empty()) {
            modifiers |= KeyModifiers::ALT;
            rest = tail;
        } else {
            break;
        }
    }
    let mut chars = rest.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(only), None) => KeyCode::Char(only),
        _ => match NAMED.iter().find(|(named, _)| *named == rest) {
            Some((_, code)) => *code,
            None => KeyCode::F(rest.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n))?),
        },
    };
    Some(KeyEvent::new(code, modifiers))
}

/// The name of a key, the way [`parse`] reads it; nothing for keys that no binding can use.
#[must_use]
pub fn name(key: KeyEvent) -> Option<String> {
    let mut text = String::new();
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        text.push_str("ctrl-");
    }
    if key.modifiers.contains(KeyModifiers::ALT) {
        text.push_str("alt-");
    }
    match key.code {
        KeyCode::F(n) => {
            let _ = write!(text, "f{n}");
        }
        code => match NAMED.iter().find(|(_, named)| *named == code) {
            Some((named, _)) => text.push_str(named),
            None => text.push(code.as_char()?),
        },
    }
    Some(text)
}

/// A script of keys: plain characters are typed, `<name>` presses a named key, `<lt>` types `<`.
///
/// # Errors
/// The name between `<` and `>` that is not a key.
pub fn script(text: &str) -> Result<Vec<KeyEvent>, String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (key, length) = match rest.strip_prefix('<').and_then(|tail| tail.split_once('>')) {
            Some(("lt", _)) => (KeyEvent::new(KeyCode::Char('<'), KeyModifiers::NONE), 4),
            Some((named, _)) => (parse(named).ok_or_else(|| named.to_owned())?, named.len() + 2),
            None => (KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE), first.len_utf8()),
        };
        keys.push(key);
        rest = &rest[length..];
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_go_both_ways() {
        for text in ["j", "G", "/", "-", "enter", "backtab", "ctrl-c", "ctrl-alt-x", "f5", "space", "pgdn"] {
            assert_eq!(name(parse(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["", "nonsense", "f13", "ctrl-"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_script_types_and_presses() {
        let keys = script("a<enter><lt>ctrl").unwrap();
        assert_eq!(keys.len(), 7);
        assert_eq!(keys[1].code, KeyCode::Enter);
        assert_eq!(keys[2].code, KeyCode::Char('<'));
        assert_eq!(script("<nope>"), Err("nope".to_owned()));
    }
}
