//! Bodies, queries and forms: what is masked of them, whatever stands in what.

use bytes::Bytes;
use memchr::{memchr_iter, memmem};

use super::depth::{Budget, Depth};
use super::pattern::{decoded, together};
use super::spots::{Inner, Spots, readable};
use super::{Redaction, markup, pairs, prose, table};
use crate::call::{Headers, is_coded};
use crate::json::{self, Token, TokenKind};
use crate::recording::multipart;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A parameter's name is no longer: what is may be base64 with its padding.
const LONGEST_NAME: usize = 100;

/// What is shorter is no base64 of anything that has a name and a value, in bytes.
const SHORTEST_CODED: usize = 12;

/// What is longer, and begins as base64 of text, is masked whole.
const LONGEST_CODED: usize = 4 << 20;

/// So much of it shows whether it is text: a multiple of four.
const BEGINNING: usize = 64;

impl Redaction {
    /// A body with everything masked that is to be. One that is compressed cannot be looked into, so it is masked whole. One that may
    /// be `of_head` may begin within the request's head: with the first line of it that could not be read.
    pub(super) fn body(&self, headers: &Headers, body: &Bytes, of_head: bool) -> Bytes {
        let spots = if is_coded(headers) && !is_text(body) {
            Spots::whole(body)
        } else {
            let budget = Budget::of(body.len());
            self.content(headers.get("content-type").unwrap_or_default(), body, budget.top())
        };
        let spots = if of_head { self.rest_of_head(headers, body).and(spots) } else { spots };
        match spots.masked(body) {
            Some(masked) if *body != masked => masked.into(),
            _ => body.clone(),
        }
    }

    /// What is masked of a body, or of a part of one.
    pub(super) fn content(&self, content_type: &str, body: &[u8], depth: Depth<'_>) -> Spots {
        if body.is_empty() {
            return Spots::default();
        }
        if depth.is_spent() || is_utf16(body) || is_compressed(body) {
            return Spots::whole(body);
        }
        let claims = content_type.trim().to_ascii_lowercase();
        let begin = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let text = readable(&body[begin..]);
        let start = text.trim_start();
        let spots = if claims.contains("json") || start.starts_with(['{', '[']) {
            if text.contains('\0') {
                return Spots::whole(body);
            }
            self.json(&text, depth)
        } else if let Some(boundary) = multipart::boundary(content_type, body) {
            self.parts(&body[begin..], &boundary, depth)
        } else if claims.starts_with("application/x-www-form-urlencoded") {
            self.parameters(&text, depth).and(self.filled(&text))
        } else if claims.contains("csv") || claims.contains("tab-separated") {
            let cells =
                table::find(text.as_bytes(), true, |name| self.fields.have(name), |cell| self.hides(cell, depth));
            self.value(&text, depth).and(Spots::of(cells))
        } else {
            self.value(&text, depth)
        };
        let mut all = Spots::default();
        all.add_all(begin, spots);
        all
    }

    /// The parts of a body of several.
    fn parts(&self, body: &[u8], boundary: &str, depth: Depth<'_>) -> Spots {
        let mut parts = multipart::split(body, boundary).peekable();
        if parts.peek().is_none() {
            return self.look(body, depth);
        }
        let mut spots = Spots::default();
        for part in parts {
            let head = readable(&body[part.head.clone()]);
            spots.add_all(part.head.start, self.lines(&head, false, depth).and(self.look(head.as_bytes(), depth)));
            let content = &body[part.content.clone()];
            if !content.is_empty() && multipart::name(&head).is_some_and(|name| self.is_meant(&name, depth)) {
                spots.add_all(part.content.start, Spots::whole(content));
                continue;
            }
            let content_type = multipart::header(&head, "content-type").unwrap_or_default();
            let coding = multipart::header(&head, "content-transfer-encoding").unwrap_or_default();
            let decoded = coding.eq_ignore_ascii_case("base64").then(|| decoded(&without_space(content))).flatten();
            if decoded.is_some_and(|bytes| self.content(&content_type, &bytes, depth.deeper()).has_any()) {
                spots.add_all(part.content.start, Spots::whole(content));
            } else {
                spots.add_all(part.content.start, self.content(&content_type, content, depth.deeper()));
            }
        }
        // What is no part stands around them.
        spots.and(self.look(body, depth))
    }

    /// Whether what has this name in a form or a query is masked. Of the outermost a pointer may say so, for that is what packs
    /// call it by: `/From`.
    fn is_meant(&self, name: &str, depth: Depth<'_>) -> bool {
        let is_it = |pointer: &String| pointer.strip_prefix('/').is_some_and(|inside| inside == json::escape(name));
        self.fields.have(name) || self.parameters.have(name) || depth.is_top() && self.pointers.iter().any(is_it)
    }

    /// The parameters of a query or a form.
    pub(super) fn parameters(&self, text: &str, depth: Depth<'_>) -> Spots {
        let mut spots = Spots::default();
        let mut begin = 0;
        for parameter in text.split('&') {
            let place = begin..begin + parameter.len();
            begin = place.end + 1;
            let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
            let named = self.look(name.as_bytes(), depth);
            // Without an `=`, there is only a name.
            let value = (place.start + name.len() + 1).min(place.end)..place.end;
            // Base64 may have a name in it by chance, and ends with two of them.
            if matches!(&text[value.clone()], "" | "=") {
                // What is escaped may be all that is sent: JSON, say.
                let inner = Inner::of_form(name);
                let value = || inner.outside(self.value(&inner.text, depth.deeper()));
                spots.add_all(place.start, if is_escaped(name) { value().and(named) } else { named });
                continue;
            }
            spots.add_all(place.start, named);
            // Some separate by `;` too.
            let last = name.rsplit_once(';').map(|(_, last)| last);
            if last.is_some_and(|last| self.is_meant(&Inner::of_form(last).text, depth)) {
                let end = text[value.clone()].find(';').map_or(value.end, |end| value.start + end);
                spots.add(value.start..end);
                let inner = Inner::of_form(&text[end..value.end]);
                spots.add_all(end, inner.outside(self.value(&inner.text, depth.deeper())));
            } else if self.is_meant(&Inner::of_form(name).text, depth) {
                spots.add(value);
            } else {
                let inner = Inner::of_form(&text[value.clone()]);
                spots.add_all(value.start, inner.outside(self.value(&inner.text, depth.deeper())));
            }
        }
        spots
    }

    /// A path or an address: its query, and its fragment where that has parameters too.
    pub(super) fn address(&self, text: &str, depth: Depth<'_>) -> Spots {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let mut spots = self.path(&text[..end], depth);
        let fragment = end + text[end..].find('#').unwrap_or(text.len() - end);
        if end < fragment {
            spots.add_all(end + 1, self.parameters(&text[end + 1..fragment], depth));
        }
        if let Some(inside) = text.get(fragment + 1..) {
            // `#/path?name=value` beside `#name=value`.
            let path = inside.find(['?', '=']).filter(|&at| inside[at..].starts_with('?')).map_or(0, |at| at + 1);
            spots.add_all(fragment + 1, self.look(&inside.as_bytes()[..path], depth));
            spots.add_all(fragment + 1 + path, self.parameters(&inside[path..], depth));
        }
        spots.and(self.filled(text))
    }

    /// What was filled in from the environment, as it is: in a parameter it may not be escaped as it should be.
    fn filled(&self, text: &str) -> Spots {
        Spots::of(together(self.patterns.filled(text.as_bytes())))
    }

    /// The addresses among the words of a sentence, without the signs that belong to the sentence.
    pub(super) fn addresses(&self, text: &str) -> Spots {
        const SIGNS: &[char] = &[',', '.', ':', ';', '(', ')', '`', '"', '\''];
        let mut spots = Spots::default();
        if !text.contains("://") {
            return spots;
        }
        let budget = Budget::of(text.len());
        let mut begin = 0;
        for word in text.split(|char: char| char.is_ascii_whitespace()) {
            let inner = word.trim_start_matches(SIGNS);
            let start = begin + word.len() - inner.len();
            let inner = inner.trim_end_matches(SIGNS);
            if inner.contains("://") {
                spots.add_all(start, self.address(inner, budget.top()));
            }
            begin += word.len() + 1;
        }
        spots
    }

    /// The path of an address, or all of one without a query. Its steps have parameters too: `/a;token=.../b`.
    fn path(&self, text: &str, depth: Depth<'_>) -> Spots {
        let mut inside = Spots::default();
        let mut begin = 0;
        for step in text.split('/') {
            if step.len() >= SHORTEST_CODED && self.hides(step, depth) {
                inside.add(begin..begin + step.len());
            } else if step.len() >= SHORTEST_CODED && is_escaped(step) {
                let inner = Inner::of_form(step);
                inside.add_all(begin, inner.outside(self.value(&inner.text, depth.deeper())));
            }
            begin += step.len() + 1;
        }
        let spots = inside.and(self.steps(text, depth));
        if !text.contains('%') {
            return spots;
        }
        // What gives itself away may do so without its escapes only.
        let inner = Inner::of_form(text);
        spots.and(inner.outside(self.pattern(inner.text.as_bytes())))
    }

    fn steps(&self, text: &str, depth: Depth<'_>) -> Spots {
        if !text.contains(';') || text.contains(char::is_whitespace) {
            return self.look(text.as_bytes(), depth);
        }
        let mut places = self.patterns.find(text.as_bytes());
        let mut begin = 0;
        for step in text.split('/') {
            let found = prose::find(step.as_bytes(), |name| self.fields.have(name));
            places.extend(found.into_iter().map(|place| begin + place.start..begin + place.end));
            begin += step.len() + 1;
        }
        Spots::of(together(places))
    }

    /// The addresses of a `Link` header, each between `<` and `>`, and what stands around them.
    pub(super) fn links(&self, text: &str, depth: Depth<'_>) -> Spots {
        let mut spots = Spots::default();
        let mut begin = 0;
        while begin < text.len() {
            let end = text[begin..].find('>').map_or(text.len(), |end| begin + end);
            let open = text[begin..end].find('<').map_or(end, |open| begin + open);
            spots.add_all(begin, self.look(&text.as_bytes()[begin..open], depth));
            spots.add_all(open, self.address(&text[open..end], depth));
            begin = end + 1;
        }
        spots
    }

    /// JSON, or what looks like it, token by token, and whether some of it is none.
    pub(super) fn tokens(&self, text: &str, depth: Depth<'_>) -> (Spots, bool) {
        let mut places = pairs::find(text, |name| self.fields.have(name) || self.masks_header(name));
        places.extend(self.pointers.iter().flat_map(|pointer| json::find_all(text, pointer)));
        let places = together(places);
        let mut spots = Spots::default();
        let mut way = Way::default();
        let mut bad = false;
        for token in json::tokens(text) {
            let source = &text[token.span.clone()];
            let meant = pairs::have(&places, token.span.start);
            let named = way.take(&token, || self.fields.have(&json::unquote(source)));
            match token.kind {
                _ if token.kind != TokenKind::Key && (meant || named) && tells(&token, source) => {
                    spots.add_value(token.span);
                }
                TokenKind::Key | TokenKind::String => {
                    let inner = Inner::of_string(source);
                    let is_key = token.kind == TokenKind::Key;
                    let found = if is_key {
                        self.look(inner.text.as_bytes(), depth)
                    } else {
                        self.value(&inner.text, depth.deeper())
                    };
                    spots.add_all(token.span.start, inner.outside(found));
                }
                // Digits, without the sign.
                TokenKind::Number if self.patterns.is_match(source.as_bytes()) => spots.add_value(token.span),
                TokenKind::Bad => bad = true,
                _ => {}
            }
        }
        // What was filled in may be JSON itself.
        let mut filled = self.patterns.filled(text.as_bytes());
        filled.retain(|place| text.as_bytes()[place.clone()].contains(&b'"'));
        (spots.and(Spots::of(together(filled))), bad)
    }

    /// What gives itself away by its look, or by the name before it or around it.
    pub(super) fn look(&self, text: &[u8], depth: Depth<'_>) -> Spots {
        let spots = self.plain(text);
        if !text.contains(&b'<') || depth.is_spent() {
            return spots;
        }
        let text = readable(text);
        if markup::stands_in(&text) { self.markup(&text, depth).and(spots) } else { spots }
    }

    /// The same, where no markup is.
    pub(super) fn plain(&self, text: &[u8]) -> Spots {
        let mut places = self.patterns.find(text);
        places.extend(prose::find(text, |name| self.fields.have(name)));
        places.extend(table::all(text, |name| self.fields.have(name)));
        Spots::of(together(places))
    }

    /// Whether a text is base64, or a `data:` address of it, and stands for one in which something is masked. It has no places
    /// to mask but itself.
    pub(super) fn hides(&self, text: &str, depth: Depth<'_>) -> bool {
        let coded = match text.get(..5) {
            Some(scheme) if scheme.eq_ignore_ascii_case("data:") => {
                let head = &text.as_bytes()[..text.len().min(LONGEST_NAME)];
                memmem::find(head, b";base64,").map_or("", |at| &text[at + 8..])
            }
            _ => text,
        };
        let of_it =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n');
        if coded.len() < SHORTEST_CODED || !coded.bytes().all(of_it) {
            return false;
        }
        let coded = without_space(coded.as_bytes());
        // An image, say, is known by its beginning, and need not be read.
        let Some(beginning) = decoded(&coded[..coded.len().min(BEGINNING)]) else { return false };
        if !begins_as_text(&beginning) {
            return is_compressed(&beginning);
        }
        coded.len() > LONGEST_CODED
            || decoded(&coded)
                .is_some_and(|bytes| is_text(&bytes) && self.content("", &bytes, depth.deeper()).has_any())
    }

    /// What gives itself away by its look.
    pub(super) fn pattern(&self, text: &[u8]) -> Spots {
        Spots::of(self.patterns.find(text))
    }
}

/// Whether it is text of two bytes a letter, by its mark or its first letter.
fn is_utf16(body: &[u8]) -> bool {
    matches!(body, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{' | b'[' | b'<', ..] | [b'{' | b'[' | b'<', 0, ..])
}

/// Whether it is a file of gzip, zstd or zip, whoever says so: what stands in it cannot be looked into.
fn is_compressed(body: &[u8]) -> bool {
    [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd", b"PK\x03\x04"].iter().any(|magic| body.starts_with(magic))
}

/// Whether it has escapes as a form has them.
pub(super) fn is_escaped(text: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    memchr_iter(b'%', bytes).any(|at| is_digit(bytes.get(at + 1)) && is_digit(bytes.get(at + 2)))
}

/// Whether bytes are not compressed, whatever is said of them: what a browser saves is what it has unpacked.
fn is_text(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| !text.contains(is_control))
}

/// The same of the first bytes of something, the last of which may be the first of a character.
fn begins_as_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => error.valid_up_to(),
        Ok(text) => text.len(),
    };
    is_text(&bytes[..valid])
}

fn is_control(char: char) -> bool {
    char.is_control() && !matches!(char, '\t' | '\n' | '\r')
}

/// The bytes but for line ends and blanks.
fn without_space(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// Whether a token is a value that tells something.
fn tells(token: &Token, source: &str) -> bool {
    match token.kind {
        TokenKind::String | TokenKind::Bad => source != "\"\"",
        TokenKind::Number | TokenKind::True | TokenKind::False => true,
        _ => false,
    }
}

/// Follows the tokens to the values of fields that are masked.
#[derive(Default)]
struct Way {
    /// The key before was such a field's.
    named: bool,
    /// How many containers are open in its value.
    depth: usize,
}

impl Way {
    /// Whether this token is of such a value. `is_field`: whether it is such a key.
    fn take(&mut self, token: &Token, is_field: impl FnOnce() -> bool) -> bool {
        let inside = self.named || self.depth > 0;
        match token.kind {
            TokenKind::Space | TokenKind::Colon => return inside,
            TokenKind::Key if self.depth == 0 => self.named = is_field(),
            TokenKind::Key | TokenKind::Comma => {}
            TokenKind::OpenObject | TokenKind::OpenArray if inside => {
                self.depth += 1;
                self.named = false;
            }
            TokenKind::CloseObject | TokenKind::CloseArray => {
                self.depth = self.depth.saturating_sub(1);
                self.named = false;
            }
            _ => self.named = false,
        }
        inside
    }
}
