//! An object or array taken apart one level deep, into slices of its own text. All of it is checked on the way, in one pass
//! that makes no tokens: this is done to every call that comes in.

use super::DEPTH_LIMIT;
use super::lexer::{is_delimiter, is_number, is_space, string};
use super::plain;

/// The members of the object that is all of `text`, in their order and with duplicates: each name as it is written, with
/// its quotes, and its value's text. None if that is not JSON, no object, or nested beyond [`DEPTH_LIMIT`].
pub fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut members = Vec::with_capacity(16);
    each_member(text, |name, value| members.push((name, value)))?;
    Some(members)
}

/// As [`members`], one after the other. That there was none, or that this is no JSON, may be known only after some of
/// them.
pub fn each_member<'a>(text: &'a str, member: impl FnMut(&'a str, &'a str)) -> Option<()> {
    whole(text, |reader| reader.object(0, member))
}

/// The items of the array that is all of `text`, in their order: the text of each. None as for [`members`].
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    each_item(text, |item| items.push(item))?;
    Some(items)
}

/// As [`items`], one after the other, and otherwise as [`each_member`].
pub fn each_item<'a>(text: &'a str, item: impl FnMut(&'a str)) -> Option<()> {
    whole(text, |reader| reader.array(0, item))
}

/// Its item of that number, if it has as many. The others are read and not kept.
pub fn item(text: &str, number: usize) -> Option<Option<&str>> {
    let (mut at, mut found) = (0, None);
    each_item(text, |item| {
        if at == number {
            found = Some(item);
        }
        at += 1;
    })?;
    Some(found)
}

/// Whether [`check`](super::check()) finds no fault, found sooner.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    whole(text, |reader| reader.value(0).map(drop)).is_some()
}

/// Reads all of the text as one value.
fn whole<'a>(text: &'a str, read: impl FnOnce(&mut Reader<'a>) -> Option<()>) -> Option<()> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    read(&mut reader)?;
    reader.space();
    (reader.at == text.len()).then_some(())
}

/// What of a text is read. Whatever it expects and does not find is `None`, and ends the reading.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.next().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// An object in so many containers, and what follows it is next.
    fn object(&mut self, depth: usize, mut member: impl FnMut(&'a str, &'a str)) -> Option<()> {
        self.skip(b'{')?;
        self.list(b'}', |reader| {
            let start = reader.at;
            reader.string()?;
            let name = &reader.text[start..reader.at];
            reader.space();
            reader.skip(b':')?;
            reader.space();
            member(name, reader.value(depth + 1)?);
            Some(())
        })
    }

    fn array(&mut self, depth: usize, mut item: impl FnMut(&'a str)) -> Option<()> {
        self.skip(b'[')?;
        self.list(b']', |reader| {
            item(reader.value(depth + 1)?);
            Some(())
        })
    }

    /// What is between brackets and commas, up to behind the bracket that closes.
    fn list(&mut self, close: u8, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.space();
        if self.skip(close).is_some() {
            return Some(());
        }
        loop {
            each(self)?;
            self.space();
            if self.skip(close).is_some() {
                return Some(());
            }
            self.skip(b',')?;
            self.space();
        }
    }

    fn value(&mut self, depth: usize) -> Option<&'a str> {
        let start = self.at;
        match self.next()? {
            b'"' => self.string()?,
            b'{' | b'[' if depth == DEPTH_LIMIT => return None,
            b'{' => self.object(depth, |_, _| {})?,
            b'[' => self.array(depth, |_| {})?,
            _ => {
                while self.next().is_some_and(|byte| !is_delimiter(byte)) {
                    self.at += 1;
                }
                let word = &self.text.as_bytes()[start..self.at];
                (matches!(word, b"true" | b"false" | b"null") || is_number(word)).then_some(())?;
            }
        }
        Some(&self.text[start..self.at])
    }

    fn string(&mut self) -> Option<()> {
        let bytes = &self.text.as_bytes()[self.at..];
        let inside = bytes.strip_prefix(b"\"")?;
        let end = plain(inside);
        self.at = match inside.get(end)? {
            b'"' => self.at + end + 2,
            _ => string(self.text.as_bytes(), self.at).ok()?,
        };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::json::check;

    #[test]
    fn one_level_is_taken_apart_as_it_is_written() {
        let text = " {\"a\" : [1e3, {\"x\":\"}\"}] ,\"\\u0061\":\"\\\"\",\"a\":-0.50} ";
        assert_eq!(
            members(text).unwrap(),
            [("\"a\"", "[1e3, {\"x\":\"}\"}]"), ("\"\\u0061\"", "\"\\\"\""), ("\"a\"", "-0.50")]
        );
        assert_eq!(items("[1e3, {\"x\":\"]\"} , null]").unwrap(), ["1e3", "{\"x\":\"]\"}", "null"]);
        assert!(members("{}").unwrap().is_empty() && items(" [ ] ").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_json_has_no_parts() {
        for text in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1}x",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "[1]",
        ] {
            assert_eq!(members(text), None, "{text}");
        }
        for text in ["[", "[1,]", "[1 2]", "[]]", "{}", "[\"\\x\"]", "[\"\\u12g4\"]"] {
            assert_eq!(items(text), None, "{text}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(items(&nested(DEPTH_LIMIT)).is_some());
        assert!(items(&nested(DEPTH_LIMIT + 1)).is_none() && items(&nested(1_000_000)).is_none());
    }

    proptest! {
        #[test]
        fn what_has_parts_is_what_is_json(inside in "[{}\\[\\]\",:a1\\\\ue.\n \u{1}-]{0,12}|[a-z\"\\\\ ü]{20,60}") {
            for text in [format!("{{\"k\":{inside}}}"), format!("[{inside}]"), inside] {
                let parts = members(&text).is_some() || items(&text).is_some();
                let container = text.trim_start().starts_with(['{', '[']);
                prop_assert_eq!(parts, container && check(&text).is_ok(), "{}", text);
                prop_assert_eq!(is_valid(&text), check(&text).is_ok(), "{}", text);
                prop_assert!(!parts || serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }
}
