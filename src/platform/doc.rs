//! A JSON body read only as far as it is asked about, and never written anew.
//!
//! Objects are taken apart one level at a time into slices of the body's own text, so a number stays as it was written and
//! recognising a call does not pay for what no rule looks at.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use indexmap::IndexMap;
use serde::Deserialize;

use crate::json::{self, Extent, unquote};

/// A body that may be JSON.
pub(super) struct Doc<'a> {
    body: &'a [u8],
    root: OnceCell<Root<'a>>,
    /// The objects within it that were taken apart: one rule after the other asks for members of the same few.
    inner: RefCell<Vec<(&'a str, Members<'a>)>>,
}

/// What a body is.
enum Root<'a> {
    /// An object.
    Object(Members<'a>),
    /// An array: its first items.
    Array(Vec<&'a str>),
    /// Another value, or no JSON.
    Other,
}

impl<'a> Root<'a> {
    fn of(body: &'a [u8]) -> Self {
        let Ok(text) = std::str::from_utf8(body) else { return Self::Other };
        match body.trim_ascii_start().first() {
            Some(b'{') => Members::of(text).map_or(Self::Other, Self::Object),
            Some(b'[') => first_items(text).map_or(Self::Other, Self::Array),
            _ => Self::Other,
        }
    }
}

/// The first items of an array, all of which is read: rules ask for no others, and it may have millions.
fn first_items(array: &str) -> Option<Vec<&str>> {
    const MOST: usize = 64;
    let mut items = Vec::new();
    json::each_item(array, |item| {
        if items.len() < MOST {
            items.push(item);
        }
    })?;
    Some(items)
}

/// The members of an object, in their order. They are few, and looked up a few times: a map would cost more than it saves.
struct Members<'a> {
    /// Each name, and the text of its value.
    list: Vec<(Cow<'a, str>, &'a str)>,
    /// The bits of the names: most that rules ask for are not there.
    looks: u64,
}

impl<'a> Members<'a> {
    fn of(object: &'a str) -> Option<Self> {
        let mut members = Self { list: Vec::with_capacity(16), looks: 0 };
        json::each_member(object, |name, value| {
            let name = plain_name(name);
            members.looks |= look(&name);
            members.list.push((name, value));
        })?;
        Some(members)
    }

    /// Of duplicate names the last counts.
    fn get(&self, name: &str) -> Option<&'a str> {
        if self.looks & look(name) == 0 {
            return None;
        }
        self.list.iter().rfind(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// A name without its quotes and escapes. Names are short: that it has none is seen sooner than by [`unquote`].
fn plain_name(written: &str) -> Cow<'_, str> {
    let inside = &written[1..written.len() - 1];
    if inside.bytes().any(|byte| byte == b'\\') { unquote(written) } else { inside.into() }
}

/// The bit of a name: its length and its first letter.
fn look(name: &str) -> u64 {
    let first = name.bytes().next().unwrap_or_default();
    1 << (name.len().wrapping_mul(7).wrapping_add(usize::from(first)) % 64)
}

impl<'a> Doc<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, root: OnceCell::new(), inner: RefCell::default() }
    }

    fn root(&self) -> &Root<'a> {
        self.root.get_or_init(|| Root::of(self.body))
    }

    /// Whether it may have members whose bits these are. False is certain, true is not.
    pub(super) fn may_have(&self, looks: u64) -> bool {
        let there = |root: &Root<'_>| match root {
            Root::Object(members) => members.looks,
            Root::Array(_) => u64::MAX,
            Root::Other => 0,
        };
        looks == 0 || there(self.root()) & looks == looks
    }

    /// Whether it was read and is JSON.
    pub(super) fn is_known_as_json(&self) -> bool {
        matches!(self.root.get(), Some(Root::Object(_) | Root::Array(_)))
    }

    /// The text of the value that a JSON Pointer names.
    pub(super) fn find(&self, pointer: &str) -> Option<&'a str> {
        if pointer.is_empty() {
            let text = std::str::from_utf8(self.body).ok()?;
            return json::is_valid(text).then(|| text.trim_ascii());
        }
        let mut tokens = tokens(pointer);
        let first = self.member(&tokens.next()?)?;
        tokens.try_fold(first, |value, token| self.child(value, &token))
    }

    /// As [`Self::find`], for a pointer of a pack, which is taken apart already.
    pub(super) fn at(&self, pointer: &Pointer) -> Option<&'a str> {
        let Some((first, rest)) = pointer.tokens.split_first() else { return self.find("") };
        rest.iter().try_fold(self.member(first)?, |value, token| self.child(value, token))
    }

    /// A member of the root, or an item if that is an array.
    fn member(&self, name: &str) -> Option<&'a str> {
        match self.root() {
            Root::Object(members) => members.get(name),
            Root::Array(items) => items.get(json::index(name)?).copied(),
            Root::Other => None,
        }
    }

    /// A child of a value within the body.
    fn child(&self, value: &'a str, token: &str) -> Option<&'a str> {
        if !value.starts_with('{') {
            return child(value, token);
        }
        let mut inner = self.inner.borrow_mut();
        if let Some((_, members)) = inner.iter().find(|(object, _)| std::ptr::eq(*object, value)) {
            return members.get(token);
        }
        let members = Members::of(value)?;
        let found = members.get(token);
        inner.push((value, members));
        found
    }
}

/// A JSON Pointer in a pack, known to be one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pointer {
    text: String,
    tokens: Vec<String>,
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The empty one is the body itself.
        if !text.is_empty() {
            json::check_pointer(&text)?;
        }
        let tokens = tokens(&text).map(Cow::into_owned).collect();
        Ok(Self { text, tokens })
    }
}

impl Pointer {
    /// The bit of the root's member that it leads through.
    pub(super) fn look(&self) -> u64 {
        self.tokens.first().map_or(0, |name| look(name))
    }
}

impl std::ops::Deref for Pointer {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// The reference tokens of a JSON Pointer (RFC 6901), unescaped.
pub(super) fn tokens(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|token| {
        if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
    })
}

/// The members of an object, each value as the text it came as. Of duplicate names the last counts.
pub(super) fn members(value: &str) -> Option<IndexMap<Cow<'_, str>, &str>> {
    Some(json::members(value)?.into_iter().map(|(name, value)| (unquote(name), value)).collect())
}

fn child<'a>(value: &'a str, token: &str) -> Option<&'a str> {
    match value.as_bytes().first()? {
        b'{' => Members::of(value)?.get(token),
        b'[' => json::item(value, json::index(token)?)?,
        _ => None,
    }
}

/// The value at a pointer relative to `value`.
pub(super) fn within<'a>(value: &'a str, pointer: &str) -> Option<&'a str> {
    tokens(pointer).try_fold(value, |value, token| child(value, &token))
}

/// Whether a body has so many values, or such long names, that to tell of each where it stands would cost too much.
pub(super) fn is_vast(body: &str) -> bool {
    const MOST_VALUES: usize = 50_000;
    const MOST_POINTERS: usize = 8 << 20;
    const LONGEST: usize = 4096;
    // Too short to be.
    if body.len() < LONGEST {
        return false;
    }
    let Extent { values, pointers, longest } = json::extent(body);
    values > MOST_VALUES || pointers > MOST_POINTERS || longest > LONGEST
}

/// A string's content; any other value's own text.
pub(super) fn text(value: &str) -> String {
    json::text(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#" {"a": {"b": [1e3, "x\u00e4"], "~/": null}, "n": 12345678901234567890.0, "d": 1, "d": 2} "#;

    fn at(pointer: &str) -> Option<String> {
        Doc::new(BODY).find(pointer).map(text)
    }

    #[test]
    fn values_are_found_as_they_were_written() {
        assert_eq!(at("/a/b/0").as_deref(), Some("1e3"));
        assert_eq!(at("/a/b/1").as_deref(), Some("xä"));
        assert_eq!(at("/n").as_deref(), Some("12345678901234567890.0"));
        assert_eq!(at("/a/~0~1").as_deref(), Some("null"));
        assert_eq!(at("/d").as_deref(), Some("2"), "of duplicate keys the last counts");
        assert!(at("").is_some_and(|root| root.starts_with("{\"a\"")));
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        let doc = Doc::new(br#"{"\u0061":1,"b\"":{"\n":2},"c":3}"#);
        let found = ["/a", "/b\"/\n", "/c", "/b"].map(|pointer| doc.find(pointer));
        assert_eq!(found, [Some("1"), Some("2"), Some("3"), None]);
    }

    #[test]
    fn what_was_taken_apart_is_asked_again() {
        let doc = Doc::new(br#"{"a":{"x":1,"y":{"x":2}},"b":{"x":3}}"#);
        let found = ["/a/x", "/a/y/x", "/b/x", "/a/x", "/a/y", "/b/y"].map(|pointer| doc.find(pointer));
        assert_eq!(found, [Some("1"), Some("2"), Some("3"), Some("1"), Some("{\"x\":2}"), None]);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for pointer in ["/b", "/a/b/2", "/a/b/x", "/a/b/0/c", "/n/x"] {
            assert_eq!(at(pointer), None, "{pointer}");
        }
        for body in [&b""[..], b"[1]", b"{\"a\":", b"a=1", b"\xff"] {
            assert!(Doc::new(body).find("/a").is_none(), "{body:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_known_as_json_is_json(inside in "[{}\\[\\]\",:a1\\\\ue.\n \u{1}-]{0,12}") {
            let body = format!("{{\"k\":{inside}}}");
            let doc = Doc::new(body.as_bytes());
            let _ = doc.find("/k");
            proptest::prop_assert_eq!(doc.is_known_as_json(), json::check(&body).is_ok());
        }
    }
}
