//! A JSON body read only as far as it is asked about, and never written anew.
//!
//! Objects are taken apart one level at a time into slices of the body's own text, so a number stays as it was written and
//! recognising a call does not pay for what no rule looks at.

use std::cell::OnceCell;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The members of an object, each value as the text it came as. Of duplicate keys the last counts.
pub(super) type Members<'a> = IndexMap<String, &'a RawValue>;

/// A body that may be JSON.
pub(super) struct Doc<'a> {
    body: &'a [u8],
    root: OnceCell<Option<Members<'a>>>,
}

impl<'a> Doc<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, root: OnceCell::new() }
    }

    /// The root's members, if the body is a JSON object. A body that cannot be one is not parsed.
    pub(super) fn root(&self) -> Option<&Members<'a>> {
        let read = || {
            if self.body.trim_ascii_start().starts_with(b"{") { serde_json::from_slice(self.body).ok() } else { None }
        };
        self.root.get_or_init(read).as_ref()
    }

    /// The value a JSON Pointer names.
    pub(super) fn find(&self, pointer: &str) -> Option<&'a RawValue> {
        if pointer.is_empty() {
            return serde_json::from_slice(self.body).ok();
        }
        if self.body.trim_ascii_start().starts_with(b"[") {
            return within(serde_json::from_slice(self.body).ok()?, pointer);
        }
        let mut tokens = tokens(pointer);
        let first = *self.root()?.get(&tokens.next()?)?;
        tokens.try_fold(first, |value, token| child(value, &token))
    }
}

/// A JSON Pointer in a pack, known to be one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(Self(text));
        }
        Err(format!("{text:?} is not a JSON Pointer: it begins with `/`, as in \"/input/text\""))
    }
}

impl std::ops::Deref for Pointer {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The reference tokens of a JSON Pointer (RFC 6901), unescaped.
pub(super) fn tokens(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// `key` as a reference token.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

pub(super) fn members(value: &RawValue) -> Option<Members<'_>> {
    if value.get().starts_with('{') { serde_json::from_str(value.get()).ok() } else { None }
}

pub(super) fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    if value.get().starts_with('[') { serde_json::from_str(value.get()).ok() } else { None }
}

fn child<'a>(value: &'a RawValue, token: &str) -> Option<&'a RawValue> {
    match value.get().as_bytes().first()? {
        b'{' => members(value)?.swap_remove(token),
        b'[' => items(value)?.get(token.parse::<usize>().ok()?).copied(),
        _ => None,
    }
}

/// The value at a pointer relative to `value`.
pub(super) fn within<'a>(value: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    tokens(pointer).try_fold(value, |value, token| child(value, &token))
}

/// A string's content; any other value's own text.
pub(super) fn text(value: &RawValue) -> String {
    let json = value.get();
    if json.starts_with('"') {
        return serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
    }
    json.to_owned()
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
    fn what_is_not_there_is_not_found() {
        for pointer in ["/b", "/a/b/2", "/a/b/x", "/a/b/0/c", "/n/x"] {
            assert_eq!(at(pointer), None, "{pointer}");
        }
        for body in [&b""[..], b"[1]", b"{\"a\":", b"a=1", b"\xff"] {
            assert!(Doc::new(body).find("/a").is_none() && Doc::new(body).root().is_none());
        }
    }
}
