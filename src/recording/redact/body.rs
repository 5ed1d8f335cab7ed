//! Bodies, queries and forms.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use percent_encoding::percent_decode;

use super::{MASK, Redaction};
use crate::call::Headers;
use crate::json::{self, Token, TokenKind};

impl Redaction {
    /// A body with everything masked that is to be. One that is compressed cannot be looked into, so it is masked whole.
    pub(super) fn body(&self, headers: &Headers, body: &Bytes) -> Bytes {
        if body.is_empty() {
            return Bytes::new();
        }
        let coding = headers.get("content-encoding").map(str::trim).filter(|coding| !coding.is_empty());
        if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Bytes::from_static(MASK.as_bytes());
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return owned(body, self.patterns.mask(body));
        };
        let content_type = headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
        let masked = if content_type.contains("json") || text.trim_start().starts_with(['{', '[']) {
            self.json(text)
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            self.parameters(text)
        } else {
            self.text(text).into_owned()
        };
        if masked == text { body.clone() } else { masked.into() }
    }

    /// The parameters of a query or a form.
    pub(super) fn parameters(&self, text: &str) -> String {
        let mask = |parameter: &str| match parameter.split_once('=') {
            Some((name, value)) if !value.is_empty() => {
                let decoded = |text: &str| -> Vec<u8> {
                    Cow::from(percent_decode(text.replace('+', " ").as_bytes())).into_owned()
                };
                let secret = self.masks_field(&String::from_utf8_lossy(&decoded(name)));
                let value = if secret || self.patterns.is_match(&decoded(value)) { MASK } else { value };
                format!("{name}={value}")
            }
            _ => self.text(parameter).into_owned(),
        };
        text.split('&').map(mask).collect::<Vec<_>>().join("&")
    }

    /// A JSON text, or what looks like one, masked token by token.
    fn json(&self, text: &str) -> String {
        let places: Vec<Range<usize>> = self.pointers.iter().filter_map(|pointer| json::find(text, pointer)).collect();
        let mut out = String::with_capacity(text.len());
        let mut way = Way::default();
        for token in json::tokens(text) {
            let source = &text[token.span.clone()];
            let meant = places.iter().any(|place| place.contains(&token.span.start));
            let named = way.take(&token, || self.masks_field(&json::unquote(source)));
            match token.kind {
                _ if token.kind != TokenKind::Key && (meant || named) && tells(&token, source) => {
                    push_masked(&mut out);
                }
                TokenKind::Key | TokenKind::String => self.push_string(&mut out, source),
                // Digits, without the sign.
                TokenKind::Number if self.patterns.is_match(source.as_bytes()) => push_masked(&mut out),
                TokenKind::Bad => out.push_str(&self.text(source)),
                _ => out.push_str(source),
            }
        }
        out
    }

    fn push_string(&self, out: &mut String, literal: &str) {
        // An escape can hide what is looked for, and cannot be cut in two.
        let meaning = json::unquote(literal);
        match literal.contains('\\') {
            true if self.patterns.is_match(meaning.as_bytes()) => push_masked(out),
            true => out.push_str(literal),
            false => out.push_str(&self.text(literal)),
        }
    }
}

/// Whether a token is a value that tells something.
fn tells(token: &Token, source: &str) -> bool {
    match token.kind {
        TokenKind::String | TokenKind::Bad => source != "\"\"",
        TokenKind::Number | TokenKind::True | TokenKind::False => true,
        _ => false,
    }
}

fn push_masked(out: &mut String) {
    out.push('"');
    out.push_str(MASK);
    out.push('"');
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

fn owned(body: &Bytes, masked: Cow<'_, [u8]>) -> Bytes {
    match masked {
        Cow::Borrowed(_) => body.clone(),
        Cow::Owned(masked) => masked.into(),
    }
}
