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

/// An entity is no longer, in bytes: a number may have zeros before it.
const LONGEST_ENTITY: usize = 32;

/// How long the first piece is of what is encoded, and how long of the text.
type Piece = fn(&str) -> (usize, usize);

/// A text that stands encoded in another.
pub(super) struct Inner<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where in the other it begins.
    begin: usize,
    /// How it stands there, from where it begins.
    source: &'a str,
    /// How that is taken apart; none: it is the text itself.
    piece: Option<Piece>,
    /// How a mask is written there.
    write: fn(&str) -> String,
}

impl<'a> Inner<'a> {
    /// A name or a value of a query or a form.
    pub(super) fn of_form(source: &'a str) -> Self {
        let write = |mask: &str| mask.replace('"', "%22");
        if !source.contains(['%', '+']) {
            return Self { text: source.into(), begin: 0, source, piece: None, write };
        }
        let mut bytes = Vec::with_capacity(source.len());
        let mut begin = 0;
        while let Some(&byte) = source.as_bytes().get(begin) {
            let escape = source.get(begin..begin + 3).filter(|escape| is_escape(escape));
            let decoded = escape.and_then(|escape| percent_decode_str(escape).next());
            bytes.push(decoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
            begin += if decoded.is_some() { 3 } else { 1 };
        }
        let piece: Piece = |rest| match rest.get(..3) {
            Some(escape) if is_escape(escape) => (3, 1),
            _ => first(rest),
        };
        Self { text: readable(&bytes).into_owned().into(), begin: 0, source, piece: Some(piece), write }
    }

    /// A text of XML or HTML, or the value of an attribute.
    pub(super) fn of_markup(source: &'a str) -> Self {
        // As its own quotes are: what stands in quotes has none of their kind.
        let bare = source.contains('"');
        let write = if bare { |mask: &str| mask.to_owned() } else { |mask: &str| mask.replace('"', "&quot;") };
        if !source.contains('&') {
            return Self { text: source.into(), begin: 0, source, piece: None, write };
        }
        let mut text = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(at) = rest.find('&') {
            let (plain, behind) = rest.split_at(at);
            let (len, char) = entity(behind).unwrap_or((1, '&'));
            text.push_str(plain);
            text.push(char);
            rest = &behind[len..];
        }
        text.push_str(rest);
        let piece: Piece = |rest| entity(rest).map_or_else(|| first(rest), |(len, char)| (len, char.len_utf8()));
        Self { text: text.into(), begin: 0, source, piece: Some(piece), write }
    }

    /// A string of JSON, with its quotes as far as it has them.
    pub(super) fn of_string(literal: &'a str) -> Self {
        let write = |mask: &str| mask.replace('\\', "\\\\").replace('"', "\\\"");
        let quote = usize::from(literal.starts_with('"'));
        let source = literal[quote..].strip_suffix('"').unwrap_or(&literal[quote..]);
        if !source.contains('\\') {
            return Self { text: source.into(), begin: quote, source, piece: None, write };
        }
        let mut text = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(escape) = rest.find('\\') {
            let (plain, behind) = rest.split_at(escape);
            let (escape, behind) = behind.split_at(escape_len(behind));
            text.push_str(plain);
            text.push_str(&json::unquote(escape));
            rest = behind;
        }
        text.push_str(rest);
        let piece: Piece = |rest| match rest.starts_with('\\').then(|| escape_len(rest)) {
            Some(len) => (len, json::unquote(&rest[..len]).len()),
            None => first(rest),
        };
        Self { text: text.into(), begin: quote, source, piece: Some(piece), write }
    }

    /// What is masked of this text, as places of the other. Where they are is found anew: kept for each byte it would take many
    /// times the room of a text that stands in a text in a text.
    pub(super) fn outside(&self, spots: Spots) -> Spots {
        let (mut inside, mut outside) = (0, 0);
        let mut at = |place: usize| {
            let Some(piece) = self.piece else { return self.begin + place };
            while outside < self.source.len() {
                let (length, of_text) = piece(&self.source[outside..]);
                if inside + of_text > place {
                    break;
                }
                (inside, outside) = (inside + of_text, outside + length);
            }
            self.begin + outside
        };
        let spots = spots.0.into_iter().map(|(place, mask)| {
            let place = at(place.start)..at(place.end);
            (place, (self.write)(&mask).into())
        });
        Spots(spots.collect())
    }
}

/// The first character, which stands for itself.
fn first(rest: &str) -> (usize, usize) {
    let len = rest.chars().next().map_or(0, char::len_utf8);
    (len, len)
}

/// How long the entity is that `text` begins with, and what it stands for: those of XML, and characters by their number.
fn entity(text: &str) -> Option<(usize, char)> {
    let inside = text.strip_prefix('&')?;
    let end = inside.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let char = match &inside[..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let digits = number.strip_prefix('#')?;
            let code = digits
                .strip_prefix(['x', 'X'])
                .map_or_else(|| digits.parse(), |hexadecimal| u32::from_str_radix(hexadecimal, 16));
            char::from_u32(code.ok()?)?
        }
    };
    Some((end + 2, char))
}

fn is_escape(text: &str) -> bool {
    text.strip_prefix('%').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
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
