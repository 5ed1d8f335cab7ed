//! Objects of JSON that name a value beside it: `{"name": "password", "value": "..."}`.

use std::ops::Range;

use crate::json::{self, TokenKind};

/// An object that is open.
#[derive(Default)]
struct Object {
    secret: bool,
    /// Where its value stands.
    value: Option<Range<usize>>,
    member: Member,
}

/// What the member is that stands there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Name,
    Value,
}

impl Member {
    fn of(key: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        if is(&["name", "key", "field", "header"]) {
            Self::Name
        } else if is(&["value", "val", "values"]) {
            Self::Value
        } else {
            Self::Other
        }
    }
}

/// Where the values of secret names stand, in order and apart.
pub(super) fn find(text: &str, is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    // Most texts have none, and are read once less.
    if !text.contains("val") && !text.contains("Val") && !text.contains("VAL") && !text.contains("\\u") {
        return Vec::new();
    }
    let mut found = Vec::new();
    // An array has none.
    let mut open: Vec<Option<Object>> = Vec::new();
    let close = |open: &mut Vec<Option<Object>>, found: &mut Vec<Range<usize>>| {
        found.extend(open.pop().flatten().filter(|object| object.secret).and_then(|object| object.value));
    };
    for token in json::tokens(text) {
        let source = &text[token.span.clone()];
        if matches!(token.kind, TokenKind::CloseObject | TokenKind::CloseArray) {
            close(&mut open, &mut found);
        }
        if let Some(Some(object)) = open.last_mut() {
            match (token.kind, object.member) {
                (TokenKind::Key, _) => object.member = Member::of(&json::unquote(source)),
                (TokenKind::Comma, _) => object.member = Member::Other,
                (TokenKind::String, Member::Name) => object.secret |= is_secret(&json::unquote(source)),
                (TokenKind::Space | TokenKind::Colon, _) => {}
                // A container's first and last token.
                (_, Member::Value) => {
                    let begin = object.value.take().map_or(token.span.start, |value| value.start);
                    object.value = Some(begin..token.span.end);
                }
                _ => {}
            }
        }
        match token.kind {
            TokenKind::OpenObject => open.push(Some(Object::default())),
            TokenKind::OpenArray => open.push(None),
            _ => {}
        }
    }
    // What was cut.
    while !open.is_empty() {
        if let Some(Some(Object { member: Member::Value, value: Some(value), .. })) = open.last_mut() {
            value.end = text.len();
        }
        close(&mut open, &mut found);
    }
    super::pattern::together(found)
}

/// Whether one of the places, in order and apart, has this in it.
pub(super) fn have(places: &[Range<usize>], at: usize) -> bool {
    let behind = places.partition_point(|place| place.start <= at);
    behind.checked_sub(1).is_some_and(|last| places[last].contains(&at))
}
