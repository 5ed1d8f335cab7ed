//! Names with their values in any text: `password=...`, `api_key: ...`, `"token": "..."`, `Authorization: Bearer ...`.

use std::ops::Range;

use memchr::{memchr2, memmem};

use super::MASK;

/// How far a name or what stands around it is looked for: each sign that may stand behind a name costs as much.
const NEAR: usize = 64;

/// Quotes that were escaped for XML.
const ENTITIES: [&[u8]; 4] = [b"&quot;", b"&#34;", b"&#39;", b"&apos;"];

/// What stands before a credential that it is not.
const SCHEMES: [&str; 7] = ["bearer", "basic", "digest", "token", "negotiate", "apikey", "hmac"];

/// The values of secret names, in order and apart.
pub(super) fn find(text: &[u8], is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut line_end = 0;
    while let Some(at) = text.get(from..).and_then(|rest| memchr2(b'=', b':', rest)).map(|at| from + at) {
        from = at + 1;
        let Some(name) = Name::before(text, at, &is_secret) else { continue };
        let Some(value) = value(text, at, &name, &mut line_end) else { continue };
        from = from.max(value.end);
        found.push(value);
    }
    found
}

/// A secret name that ends before the sign.
struct Name {
    begin: usize,
    /// No word of a sentence stands behind it.
    strong: bool,
    /// It has quotes or blanks between it and the sign.
    apart: bool,
    /// How many quotes stand right behind it.
    quotes: usize,
}

impl Name {
    fn before(text: &[u8], at: usize, is_secret: impl Fn(&str) -> bool) -> Option<Self> {
        let floor = at.saturating_sub(NEAR);
        let mut end = at;
        while end > floor {
            let entity = ENTITIES.iter().find(|entity| text[floor..end].ends_with(entity));
            end -= match (entity, text[end - 1]) {
                (Some(entity), _) => entity.len(),
                (None, b' ' | b'\t' | b'"' | b'\'' | b'`' | b']' | b'*' | b'\\') => 1,
                _ => break,
            };
        }
        let begin = word_before(text, end);
        let name = std::str::from_utf8(&text[begin..end]).ok()?;
        if !name.contains(|char: char| char.is_ascii_alphabetic()) {
            return None;
        }
        let mut first = begin;
        if !is_secret(name) {
            // `api key: ...`
            let spaced = text[at] == b':' && begin > 0 && text[begin - 1] == b' ';
            first = word_before(text, begin.saturating_sub(1));
            let two = std::str::from_utf8(&text[first..end]).ok()?;
            if !spaced || first + 1 >= begin || !is_secret(two) {
                return None;
            }
        }
        let lower = name.to_ascii_lowercase();
        let strong = ["pass", "pwd", "secret"].iter().any(|word| lower.contains(word));
        Some(Self { begin: first, strong, apart: end < at, quotes: quotes(&text[end..at]) })
    }
}

/// Where the word begins that ends there.
fn word_before(text: &[u8], end: usize) -> usize {
    let floor = end.saturating_sub(NEAR);
    let of_it = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'[' | b']');
    end - text[floor..end].iter().rev().take_while(|byte| of_it(byte)).count()
}

/// The value behind the sign. `line_end`: where the line ends of the sign before, that a long one is read through but once.
fn value(text: &[u8], at: usize, name: &Name, line_end: &mut usize) -> Option<Range<usize>> {
    let colon = text[at] == b':';
    let next = text.get(at + 1).copied();
    let before = name.begin.checked_sub(1).map(|before| text[before]);
    let begin = match (colon, next) {
        // A path of names (`a::token`), a scheme (`token://`).
        (true, Some(b':')) => return None,
        (true, Some(b'/')) if text.get(at + 2) == Some(&b'/') => return None,
        // `urn:a:token:b`, `https://token.example:443`.
        (true, Some(byte)) if !name.apart && !byte.is_ascii_whitespace() => {
            if matches!(before, Some(b':' | b'/' | b'@' | b'.')) {
                return None;
            }
            at + 1
        }
        (false, Some(b'>' | b'=')) | (true, Some(b'=')) => at + 2,
        _ => at + 1,
    };
    let begin = begin + blanks(text.get(begin..)?);
    if *line_end < begin {
        *line_end = memchr2(b'\n', b'\r', &text[begin..]).map_or(text.len(), |end| begin + end);
    }
    let line = &text[begin..*line_end];
    let starts_line = colon && starts_line(text, name.begin);
    let len = if let Some((open, len)) = quoted(line, name.quotes) {
        let inside = begin + open..begin + open + len;
        return (!text[inside.clone()].is_empty() && &text[inside.clone()] != MASK.as_bytes()).then_some(inside);
    } else if starts_line && is_block(line) {
        return block(text, name.begin, begin + line.len());
    } else if colon && !name.strong && is_sentence(line) {
        return None;
    } else if starts_line {
        let line = line.trim_ascii_end();
        if line.starts_with(MASK.as_bytes()) { 0 } else { line.len() }
    } else {
        word(line)
    };
    let value = begin..begin + len;
    text[value.clone()].iter().any(u8::is_ascii_alphanumeric).then_some(value)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Whether what stands there is the first of its line, but for signs of YAML, Markdown or the shell.
fn starts_line(text: &[u8], at: usize) -> bool {
    let floor = at.saturating_sub(NEAR);
    let before = &text[floor..at];
    let sign = |byte: &u8| matches!(byte, b' ' | b'\t' | b'-' | b'*' | b'>' | b'"' | b'\'' | b'#');
    let signs = before.iter().rev().take_while(|byte| sign(byte)).count();
    match before[..before.len() - signs].last() {
        None => floor == 0,
        Some(byte) => matches!(byte, b'\n' | b'\r'),
    }
}

/// What stands in the quotes that the line begins with, or behind the one that has no other: where, and how long it is.
/// `closing`: how many quotes close the name.
fn quoted(line: &[u8], closing: usize) -> Option<(usize, usize)> {
    let slashes = line.iter().take_while(|byte| **byte == b'\\').count();
    let entity = ENTITIES.iter().find(|entity| line.starts_with(entity)).map(|entity| entity.len());
    let doubled = doubled(line, closing);
    let open = match (entity, line.get(slashes)) {
        (Some(len), _) => len,
        _ if doubled > 0 => doubled,
        (None, Some(b'"' | b'\'' | b'`')) => slashes + 1,
        _ => return None,
    };
    let (quote, inside) = line.split_at(open);
    let len = if open == 1 {
        let mut escaped = false;
        inside.iter().position(|&byte| {
            let closes = byte == quote[0] && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        })
    } else {
        // Where the quotes are escaped, more of them are in what they enclose; elsewhere a backslash makes one a letter.
        memmem::find_iter(inside, quote).find(|&at| {
            let escapes = inside[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
            if slashes == 0 { escapes.is_multiple_of(2) } else { escapes == 0 }
        })
    };
    Some((open, len.unwrap_or(inside.len())))
}

/// How many quotes open a value that has more than one, as JSON in a cell of CSV (`""a""`) and texts of Python do; 0: they do not,
/// or close it at once.
fn doubled(line: &[u8], closing: usize) -> usize {
    let opening = quotes(line);
    let behind = |byte: &u8| byte.is_ascii_whitespace() || b",;:&|<>)]}\\'`".contains(byte);
    if closing > 1 && (closing..2 * closing).contains(&opening) {
        // As many as the name has: only twice that are an empty value, whatever stands behind.
        closing
    } else if opening > 1 && line.get(opening).is_some_and(|byte| opening == 3 || !behind(byte)) {
        opening
    } else {
        0
    }
}

/// How many quotes the text begins with.
fn quotes(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'"').count()
}

/// Whether a word of small letters begins the line, and others follow: no secret, but what is said of it.
fn is_sentence(line: &[u8]) -> bool {
    // Not to the line's end: a line may have as many names as it has words.
    let first = line.iter().take(NEAR).take_while(|byte| byte.is_ascii_lowercase() || **byte == b',').count();
    let (first, behind) = line.split_at(first);
    let is_word = !first.is_empty() && behind.first().is_some_and(u8::is_ascii_whitespace);
    let scheme = || SCHEMES.iter().any(|scheme| first == scheme.as_bytes());
    is_word && !scheme() && behind.iter().any(|byte| !byte.is_ascii_whitespace())
}

/// How long the word is that the line begins with; with a scheme, the two.
fn word(line: &[u8]) -> usize {
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'&' | b';' | b',' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
    };
    let masked = if line.starts_with(MASK.as_bytes()) { MASK.len() } else { 0 };
    let mut len = masked + line[masked..].iter().take_while(|byte| !ends(byte)).count();
    let is_scheme = SCHEMES.iter().any(|scheme| line[..len].eq_ignore_ascii_case(scheme.as_bytes()));
    let behind = len + blanks(&line[len..]);
    if is_scheme && behind > len {
        len = behind + line[behind..].iter().take_while(|byte| !ends(byte)).count();
    }
    while len > masked && matches!(line[len - 1], b')' | b']' | b'}' | b'.' | b'!' | b'?') {
        len -= 1;
    }
    if len == masked { 0 } else { len }
}

/// Whether YAML says that the value stands in the next lines.
fn is_block(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.len() <= 3 && line.starts_with(b"|") || matches!(line, b">" | b">-" | b">+")
}

/// The lines behind that are further in than the name's.
fn block(text: &[u8], name: usize, end: usize) -> Option<Range<usize>> {
    let start = memchr::memrchr2(b'\n', b'\r', &text[name.saturating_sub(NEAR)..name]);
    let indent = start.map_or(name, |start| name - (name.saturating_sub(NEAR) + start + 1));
    let mut value: Option<Range<usize>> = None;
    let mut at = end;
    while at < text.len() {
        at += if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
        let rest = &text[at.min(text.len())..];
        let line = &rest[..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
        let inside = blanks(line);
        if inside < line.len() && inside <= indent {
            break;
        }
        if inside < line.len() {
            value = Some(value.map_or(at + inside, |value| value.start)..at + line.len());
        }
        at += line.len();
    }
    value.filter(|value| &text[value.clone()] != MASK.as_bytes())
}
