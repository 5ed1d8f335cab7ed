//! XML and HTML: what stands in a secret element, in those within it, and where a name stands beside its value.

use std::collections::HashMap;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};
use regex::Regex;

use super::Redaction;
use super::spots::Spots;

const SECTION: &str = "<![CDATA[";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Empty,
}

struct Tag<'a> {
    place: Range<usize>,
    kind: Kind,
    /// Without its prefix.
    name: &'a str,
}

impl<'a> Tag<'a> {
    /// The tag that begins there, at a `<`.
    fn at(text: &'a str, begin: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let closes = usize::from(bytes.get(begin + 1) == Some(&b'/'));
        let start = begin + 1 + closes;
        let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
        let end = start + bytes[start..].iter().take_while(|byte| of_name(byte)).count();
        let close = start + memchr2(b'<', b'>', &bytes[start..]).filter(|&at| bytes[start + at] == b'>')?;
        if end == start || !matches!(bytes[end], b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r') {
            return None;
        }
        let kind = match (closes, bytes[close - 1]) {
            (1, _) => Kind::Close,
            (_, b'/') => Kind::Empty,
            _ => Kind::Open,
        };
        let name = &text[start..end];
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        Some(Self { place: begin..close + 1, kind, name })
    }
}

impl Redaction {
    /// What stands in the elements that are secret by their name or by the name that they give: the texts, and a `value`; and texts
    /// that hide something.
    /// The attributes that are secret by their own name are found as in any text.
    pub(super) fn markup(&self, text: &str, depth: usize) -> Spots {
        let last = last_closing(text);
        let mut spots = Spots::default();
        // The element that is secret, and how many of its name are open.
        let mut within: Option<(&str, usize)> = None;
        // The text up to the next tag is secret: of an element that nothing closes.
        let mut once = false;
        // The element before was the name of the next one.
        let mut said = false;
        let (mut begin, mut from) = (0, 0);
        while begin < text.len() {
            let at = memchr(b'<', &text.as_bytes()[from..]).map_or(text.len(), |at| from + at);
            let secret = within.is_some() || once;
            if secret && text[at..].starts_with(SECTION) {
                from = text[at..].find("]]>").map_or(text.len(), |end| at + end + 3);
                continue;
            }
            let tag = if at < text.len() { Tag::at(text, at) } else { None };
            if tag.is_none() && at < text.len() {
                from = at + 1;
                continue;
            }
            let run = begin..at;
            let said_now = text[run.clone()].trim();
            let section = said_now.strip_prefix(SECTION).and_then(|inside| inside.strip_suffix("]]>"));
            if !said_now.is_empty() && (secret || self.hides(section.unwrap_or(said_now), depth)) {
                spots.add(run);
            }
            let Some(tag) = tag else { break };
            (begin, from) = (tag.place.end, tag.place.end);
            once = false;
            if tag.kind == Kind::Close {
                within = match within {
                    Some((name, 1)) if name == tag.name => None,
                    Some((name, open)) if name == tag.name => Some((name, open - 1)),
                    other => other,
                };
                said = is_naming(tag.name) && self.fields.have(said_now);
                continue;
            }
            let named = self.attributes(text, &tag, said || self.fields.have(tag.name), &mut spots);
            let named = named || std::mem::take(&mut said) || self.fields.have(tag.name);
            match &mut within {
                Some((name, open)) if *name == tag.name && tag.kind == Kind::Open => *open += 1,
                None if named && tag.kind == Kind::Open => {
                    if last.get(tag.name).is_some_and(|last| *last > begin) {
                        within = Some((tag.name, 1));
                    } else {
                        once = true;
                    }
                }
                _ => {}
            }
        }
        spots
    }

    /// Masks the value that a tag's attributes give a secret name, or one in a secret element; whether they give such a name.
    fn attributes(&self, text: &str, tag: &Tag<'_>, secret: bool, spots: &mut Spots) -> bool {
        let source = &text[tag.place.clone()];
        if !source.contains('=') {
            return false;
        }
        let attributes =
            || Some(self.attribute.captures_iter(source).filter_map(|found| found.get(1).zip(found.get(2))));
        let named = attributes()
            .into_iter()
            .flatten()
            .any(|(name, value)| is_naming(name.as_str()) && self.fields.have(value.as_str()));
        for (name, value) in attributes().into_iter().flatten() {
            let is_value = matches!(name.as_str(), "value" | "Value" | "content");
            if (named || secret) && is_value && !value.is_empty() {
                spots.add(tag.place.start + value.start()..tag.place.start + value.end());
            }
        }
        named
    }
}

/// Whether what is called so is the name of a value beside it.
fn is_naming(name: &str) -> bool {
    name.eq_ignore_ascii_case("name") || name.eq_ignore_ascii_case("key")
}

/// An attribute's name and its value.
pub(super) fn attribute() -> Result<Regex, regex::Error> {
    Regex::new(r#"([\w.-]+)\s*=\s*["']([^"'<>]*)["']"#)
}

/// Where the last tag stands that closes an element of each name.
fn last_closing(text: &str) -> HashMap<&str, usize> {
    let closing = memmem::find_iter(text.as_bytes(), "</").filter_map(|at| Tag::at(text, at));
    closing.map(|tag| (tag.name, tag.place.start)).collect()
}
