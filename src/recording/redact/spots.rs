//! The places of a text that are masked, also where the text stands encoded in another.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use super::MASK;
use crate::json;

/// What is masked of a text: where, in order and apart, and what stands there instead.
#[derive(Debug, Default)]
pub(super) struct Spots(Vec<(Range<usize>, Cow<'static, str>)>);

impl Spots {
    /// All of a text.
    pub(super) fn whole(text: &[u8]) -> Self {
        let mut spots = Self::default();
        spots.add(0..text.len());
        spots
    }

    /// These places, in order and apart.
    pub(super) fn of(places: Vec<Range<usize>>) -> Self {
        Self(places.into_iter().map(|place| (place, MASK.into())).collect())
    }

    /// Adds a place behind the others.
    pub(super) fn add(&mut self, place: Range<usize>) {
        self.0.push((place, MASK.into()));
    }

    /// Adds a value of JSON behind the others.
    pub(super) fn add_value(&mut self, place: Range<usize>) {
        self.0.push((place, format!("\"{MASK}\"").into()));
    }

    /// Adds those of a part that begins at `begin`, behind the others.
    pub(super) fn add_all(&mut self, begin: usize, part: Self) {
        self.0.extend(part.0.into_iter().map(|(place, mask)| (begin + place.start..begin + place.end, mask)));
    }

    /// Whether there are any.
    pub(super) fn has_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// These and those of the same text. Where two meet, the first one's mask stands for both.
    pub(super) fn and(self, other: Self) -> Self {
        if self.0.is_empty() || other.0.is_empty() {
            return Self([self.0, other.0].concat());
        }
        let mut all = [self.0, other.0].concat();
        all.sort_by_key(|(place, _)| place.start);
        let mut spots: Vec<(Range<usize>, Cow<'static, str>)> = Vec::with_capacity(all.len());
        for (place, mask) in all {
            match spots.last_mut() {
                Some((last, _)) if place.start < last.end => last.end = last.end.max(place.end),
                _ => spots.push((place, mask)),
            }
        }
        Self(spots)
    }

    /// `text`, masked; none where nothing is to be.
    pub(super) fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let (last, _) = self.0.last()?;
        let end = last.end;
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (place, mask) in &self.0 {
            out.extend_from_slice(&text[copied..place.start]);
            out.extend_from_slice(mask.as_bytes());
            copied = place.end;
        }
        out.extend_from_slice(&text[end..]);
        Some(out)
    }
}

/// A text that stands encoded in another.
pub(super) struct Inner<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where in the other it begins.
    begin: usize,
    /// How far behind that each of its bytes stands, and its end; empty: as far as in itself.
    at: Vec<usize>,
    /// How a mask is written there.
    write: fn(&str) -> String,
}

impl<'a> Inner<'a> {
    /// A name or a value of a query or a form.
    pub(super) fn of_form(source: &'a str) -> Self {
        let write = |mask: &str| mask.replace('"', "%22");
        if !source.contains(['%', '+']) {
            return Self { text: source.into(), begin: 0, at: Vec::new(), write };
        }
        let (mut bytes, mut at) = (Vec::with_capacity(source.len()), Vec::with_capacity(source.len() + 1));
        let mut begin = 0;
        while let Some(&byte) = source.as_bytes().get(begin) {
            let escape = source.get(begin..begin + 3).filter(|_| byte == b'%');
            let decoded = escape.and_then(|escape| percent_decode_str(escape).next().filter(|_| is_escape(escape)));
            bytes.push(decoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
            at.push(begin);
            begin += if decoded.is_some() { 3 } else { 1 };
        }
        at.push(begin);
        Self { text: readable(&bytes).into_owned().into(), begin: 0, at, write }
    }

    /// A string of JSON, with its quotes as far as it has them.
    pub(super) fn of_string(literal: &'a str) -> Self {
        let write = |mask: &str| mask.replace('\\', "\\\\").replace('"', "\\\"");
        let quote = usize::from(literal.starts_with('"'));
        let source = literal[quote..].strip_suffix('"').unwrap_or(&literal[quote..]);
        if !source.contains('\\') {
            return Self { text: source.into(), begin: quote, at: Vec::new(), write };
        }
        let (mut text, mut at) = (String::with_capacity(source.len()), Vec::with_capacity(source.len() + 1));
        let mut begin = 0;
        while let Some(first) = source[begin..].chars().next() {
            let rest = &source[begin..];
            let len = if first == '\\' { escape_len(rest) } else { first.len_utf8() };
            text.push_str(&json::unquote(&rest[..len]));
            at.resize(text.len(), begin);
            begin += len;
        }
        at.push(begin);
        Self { text: text.into(), begin: quote, at, write }
    }

    /// What is masked of this text, as places of the other.
    pub(super) fn outside(&self, spots: Spots) -> Spots {
        let at = |place: usize| self.begin + self.at.get(place).copied().unwrap_or(place);
        let outside = |(place, mask): (Range<usize>, Cow<'static, str>)| {
            (at(place.start)..at(place.end), (self.write)(&mask).into())
        };
        Spots(spots.0.into_iter().map(outside).collect())
    }
}

fn is_escape(text: &str) -> bool {
    text.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit())
}

/// How long the escape is that `text` begins with: two of them may mean one character.
fn escape_len(text: &str) -> usize {
    let unicode = |text: &str| text.starts_with("\\u") && text.get(2..6).is_some();
    match (unicode(text), text.get(6..)) {
        (true, Some(rest)) if unicode(rest) && is_pair(text) => 12,
        (true, _) => 6,
        // A backslash, and whatever one character it is put before.
        _ => 1 + text[1..].chars().next().map_or(0, char::len_utf8),
    }
}

/// Whether the escape is the first half of a character.
fn is_pair(text: &str) -> bool {
    text.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok()).is_some_and(|unit| unit & 0xfc00 == 0xd800)
}

/// The bytes as text in which each stands where it stood: one that is not UTF-8 becomes a character that means nothing.
pub(super) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{7f}'));
    }
    text.into()
}
