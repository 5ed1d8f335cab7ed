//! What stands between the quotes of a JSON string.

use std::borrow::Cow;

/// The text that a string token (with or without its quotes) means. Lone surrogates become U+FFFD, and what is no escape
/// of JSON stays as it is.
pub fn unquote(literal: &str) -> Cow<'_, str> {
    let inner = inner(literal);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    Cow::Owned(chars(inner).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// A value as text: what a string says, and any other value as it is written.
pub fn text(value: &str) -> Cow<'_, str> {
    if value.starts_with('"') { unquote(value) } else { Cow::Borrowed(value) }
}

/// A string literal without its quotes.
pub(super) fn inner(literal: &str) -> &str {
    literal.strip_prefix('"').map_or(literal, |rest| rest.strip_suffix('"').unwrap_or(rest))
}

/// The characters that the inside of a string literal means; a lone surrogate is an `Err`.
pub(super) fn chars(inner: &str) -> impl Iterator<Item = Result<char, u16>> + '_ {
    let mut rest = inner;
    let mut second = None;
    let units = std::iter::from_fn(move || {
        if let Some(unit) = second.take() {
            return Some(unit);
        }
        if let Some((unit, len)) = escape(rest) {
            rest = &rest[len..];
            return Some(unit);
        }
        let next = rest.chars().next()?;
        rest = &rest[next.len_utf8()..];
        let mut buffer = [0; 2];
        let units = next.encode_utf16(&mut buffer);
        second = units.get(1).copied();
        Some(units[0])
    });
    char::decode_utf16(units).map(|unit| unit.map_err(|lone| lone.unpaired_surrogate()))
}

/// If `text` begins with an escape: the UTF-16 unit it means, and its length in bytes.
fn escape(text: &str) -> Option<(u16, usize)> {
    let [b'\\', letter, ..] = text.as_bytes() else { return None };
    let unit = match letter {
        b'"' | b'\\' | b'/' => u16::from(*letter),
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => 0x0a,
        b'r' => 0x0d,
        b't' => 0x09,
        b'u' => {
            let digits = text.get(2..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            return Some((u16::from_str_radix(digits, 16).ok()?, 6));
        }
        _ => return None,
    };
    Some((unit, 2))
}
