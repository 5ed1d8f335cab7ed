//! XML and HTML: what stands in a secret element, in those within it, and where a name stands beside its value.

use std::collections::HashMap;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memmem};
use regex::Regex;

use super::Redaction;
use super::depth::Depth;
use super::spots::{Inner, Spots};

/// What has no tags of its own: where it begins and where it ends.
const SECTIONS: [(&str, &str); 2] = [("<![CDATA[", "]]>"), ("<!--", "-->")];

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
    /// What stands in the elements that are secret by their name or by the name that they give: the texts, and a `value`; and what
    /// is masked of the other texts, sections and attributes, each of them a string.
    /// The attributes that are secret by their own name are found as in any text.
    pub(super) fn markup(&self, text: &str, depth: Depth<'_>) -> Spots {
        let last = last_closing(text);
        let mut spots = Spots::default();
        // The element that is secret, and how many of its name are open.
        let mut within: Option<(&str, usize)> = None;
        // The text up to the next tag is secret: of an element that nothing closes.
        let mut once = false;
        // The element before was the name of the next one.
        let mut said = false;
        // The first text since the tag before.
        let mut words = "";
        let (mut begin, mut from) = (0, 0);
        while begin < text.len() {
            let at = memchr(b'<', &text.as_bytes()[from..]).map_or(text.len(), |at| from + at);
            let secret = within.is_some() || once;
            let section = section(text, at);
            let tag = if at < text.len() { Tag::at(text, at) } else { None };
            if section.is_none() && tag.is_none() && at < text.len() {
                from = at + 1;
                continue;
            }
            if let Some((_, end)) = section.as_ref().filter(|_| secret) {
                from = *end;
                continue;
            }
            let run = begin..at;
            let shown = text[run.clone()].trim();
            words = if words.is_empty() { shown } else { words };
            if !shown.is_empty() && secret {
                spots.add(run);
            } else if !shown.is_empty() {
                self.within(&text[run.clone()], run.start, depth, &mut spots);
            }
            if let Some((inside, end)) = section {
                let is_comment = text[at..].starts_with("<!--");
                words = if words.is_empty() && !is_comment { text[inside.clone()].trim() } else { words };
                spots.add_all(inside.start, self.value(&text[inside], depth.deeper()));
                (begin, from) = (end, end);
                continue;
            }
            let Some(tag) = tag else { break };
            (begin, from) = (tag.place.end, tag.place.end);
            once = false;
            let words = std::mem::take(&mut words);
            if tag.kind == Kind::Close {
                within = match within {
                    Some((name, 1)) if name == tag.name => None,
                    Some((name, open)) if name == tag.name => Some((name, open - 1)),
                    other => other,
                };
                said = is_naming(tag.name) && self.fields.have(&Inner::of_markup(words).text);
                continue;
            }
            let named = self.attributes(text, &tag, said || self.fields.have(tag.name), depth, &mut spots);
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

    /// Masks what is to be of a text or of an attribute's value, which begins there.
    fn within(&self, source: &str, begin: usize, depth: Depth<'_>, spots: &mut Spots) {
        let inner = Inner::of_markup(source);
        spots.add_all(begin, inner.outside(self.value(&inner.text, depth.deeper())));
    }

    /// Masks the value that a tag's attributes give a secret name, or one in a secret element, and what is to be of the others;
    /// whether they give such a name.
    fn attributes(&self, text: &str, tag: &Tag<'_>, secret: bool, depth: Depth<'_>, spots: &mut Spots) -> bool {
        let source = &text[tag.place.clone()];
        if !source.contains('=') {
            return false;
        }
        let attributes = || {
            let found = self.attribute.captures_iter(source);
            found.filter_map(|found| found.get(1).zip(found.get(2).or_else(|| found.get(3))))
        };
        let named = attributes()
            .any(|(name, value)| is_naming(name.as_str()) && self.fields.have(&Inner::of_markup(value.as_str()).text));
        for (name, value) in attributes() {
            let is_value = matches!(name.as_str(), "value" | "Value" | "content");
            let begin = tag.place.start + value.start();
            if (named || secret) && is_value && !value.is_empty() {
                spots.add(begin..begin + value.len());
            } else {
                self.within(value.as_str(), begin, depth, spots);
            }
        }
        named
    }
}

/// Whether markup stands anywhere in a text: a request that failed is quoted behind what is said of it. What only has its
/// signs (`<@U1>`) is none.
pub(super) fn stands_in(text: &str) -> bool {
    let has = |sign: &str| memmem::find(text.as_bytes(), sign.as_bytes()).is_some();
    let is_some = |at: usize| is_section(&text[at..]) || Tag::at(text, at).is_some();
    (text.trim_start().starts_with('<') || has("</") || has("/>")) && memchr_iter(b'<', text.as_bytes()).any(is_some)
}

fn is_section(text: &str) -> bool {
    SECTIONS.iter().any(|(open, _)| text.starts_with(open))
}

/// What stands in the section that begins there, and where the section ends.
fn section(text: &str, at: usize) -> Option<(Range<usize>, usize)> {
    let (open, close) = SECTIONS.into_iter().find(|(open, _)| text[at..].starts_with(open))?;
    let begin = at + open.len();
    let end = text[begin..].find(close).map(|end| begin + end);
    Some((begin..end.unwrap_or(text.len()), end.map_or(text.len(), |end| end + close.len())))
}

/// Whether what is called so is the name of a value beside it.
fn is_naming(name: &str) -> bool {
    name.eq_ignore_ascii_case("name") || name.eq_ignore_ascii_case("key")
}

/// An attribute's name and its value.
pub(super) fn attribute() -> Result<Regex, regex::Error> {
    Regex::new(r#"([\w.-]+)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')"#)
}

/// Where the last tag stands that closes an element of each name.
fn last_closing(text: &str) -> HashMap<&str, usize> {
    let closing = memmem::find_iter(text.as_bytes(), "</").filter_map(|at| Tag::at(text, at));
    closing.map(|tag| (tag.name, tag.place.start)).collect()
}
