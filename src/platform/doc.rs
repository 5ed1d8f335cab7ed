//! A JSON body read only as far as it is asked about, and never written anew.
//!
//! Objects are taken apart one level at a time into slices of the body's own text, so a number stays as it was written and
//! recognising a call does not pay for what no rule looks at.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use indexmap::IndexMap;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object, each value as the text it came as. Of duplicate keys the last counts.
pub(super) type Members<'a> = IndexMap<String, &'a RawValue>;

/// A body that may be JSON.
pub(super) struct Doc<'a> {
    body: &'a [u8],
    root: OnceCell<Option<Root<'a>>>,
}

/// The members of the outermost object in their order. Few, and looked up a few times: a map would cost more than it saves.
struct Root<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Doc<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, root: OnceCell::new() }
    }

    /// The root's members, if the body is a JSON object. A body that cannot be one is not parsed.
    fn root(&self) -> Option<&Root<'a>> {
        let read = || {
            if self.body.trim_ascii_start().starts_with(b"{") { serde_json::from_slice(self.body).ok() } else { None }
        };
        self.root.get_or_init(read).as_ref()
    }

    /// Whether it was read and is a JSON object.
    pub(super) fn is_known_as_json(&self) -> bool {
        matches!(self.root.get(), Some(Some(_)))
    }

    /// The value a JSON Pointer names.
    pub(super) fn find(&self, pointer: &str) -> Option<&'a RawValue> {
        if pointer.is_empty() {
            return serde_json::from_slice(self.body).ok();
        }
        let mut tokens = tokens(pointer);
        let first = self.member(&tokens.next()?)?;
        tokens.try_fold(first, |value, token| child(value, &token))
    }

    /// The same for a pointer of a pack, which is taken apart already.
    pub(super) fn at(&self, pointer: &Pointer) -> Option<&'a RawValue> {
        let Some((first, rest)) = pointer.tokens.split_first() else { return self.find("") };
        rest.iter().try_fold(self.member(first)?, |value, token| child(value, token))
    }

    /// A member of the root, or an item if that is an array.
    fn member(&self, name: &str) -> Option<&'a RawValue> {
        if self.body.trim_ascii_start().starts_with(b"[") {
            return child(self.find("")?, name);
        }
        self.root()?.0.iter().rfind(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Root<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Root<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Root(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The name of a member, borrowed unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

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
        if text.is_empty() || text.starts_with('/') {
            let tokens = tokens(&text).map(Cow::into_owned).collect();
            return Ok(Self { text, tokens });
        }
        Err(format!("{text:?} is not a JSON Pointer: it begins with `/`, as in \"/input/text\""))
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
        b'{' => Member(token).deserialize(&mut serde_json::Deserializer::from_str(value.get())).ok(),
        b'[' => items(value)?.get(token.parse::<usize>().ok()?).copied(),
        _ => None,
    }
}

/// The value of one member of an object.
struct Member<'t>(&'t str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = &'de RawValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = &'de RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the member {:?}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Name(name)) = map.next_key()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("there is no such member"))
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

    proptest::proptest! {
        #[test]
        fn what_is_known_as_json_is_json(inside in "[{}\\[\\]\",:a1\\\\ue.\n \u{1}-]{0,12}") {
            let body = format!("{{\"k\":{inside}}}");
            let doc = Doc::new(body.as_bytes());
            let _ = doc.find("/k");
            proptest::prop_assert!(!doc.is_known_as_json() || serde_json::from_str::<IgnoredAny>(&body).is_ok());
        }
    }
}
