//! What is signed: a template such as `{header:X-Time}.{body}`, parsed once when the pack is loaded.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::call::Request;
use crate::json;

/// What is signed: a template.
///
/// | segment | stands for |
/// | --- | --- |
/// | `{body}` | the body's exact bytes |
/// | `{body:/pointer}` | the content of the string there (RFC 6901), or the text of another value |
/// | `{header:NAME}` | the header's first value |
/// | anything else | itself |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Text(String),
    Body,
    Pointer(String),
    Header(String),
}

impl Message {
    /// Parses a template; what is wrong with it otherwise.
    fn parse(template: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                segments.push(Segment::Text(rest[..open].to_owned()));
            }
            let (name, after) =
                rest[open + 1..].split_once('}').ok_or_else(|| format!("a `{{` is not closed in {template:?}"))?;
            segments.push(match name.split_once(':') {
                None if name == "body" => Segment::Body,
                Some(("body", pointer)) if pointer.starts_with('/') => Segment::Pointer(pointer.to_owned()),
                Some(("header", header)) if !header.is_empty() => Segment::Header(header.to_owned()),
                _ => {
                    let known = "{body}, {header:NAME}, {body:/POINTER}";
                    return Err(format!("there is no `{{{name}}}` to sign; known: {known}"));
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        if segments.is_empty() { Err("the message is empty".into()) } else { Ok(Self(segments)) }
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub(super) fn covers_the_body(&self) -> bool {
        self.0.contains(&Segment::Body)
    }

    /// The JSON Pointers into the body whose values are signed. None: the body as a whole, or nothing of it.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Pointer(pointer) => Some(pointer.as_str()),
            _ => None,
        })
    }

    /// The bytes to sign, piece by piece; the body is not copied.
    pub(super) fn parts<'a>(&'a self, request: &'a Request, body: &'a [u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.0.iter().map(move |segment| match segment {
            Segment::Text(text) => Cow::Borrowed(text.as_bytes()),
            Segment::Body => Cow::Borrowed(body),
            Segment::Pointer(pointer) => match value(body, pointer).unwrap_or_default() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            Segment::Header(name) => Cow::Borrowed(request.headers.all(name).next().map_or(&[][..], |value| value)),
        })
    }

    /// The first thing that is signed but not there, in words.
    pub(super) fn missing(&self, request: &Request) -> Option<String> {
        self.0.iter().find_map(|segment| match segment {
            Segment::Header(name) if !request.headers.has(name) => Some(format!("the header {name}")),
            Segment::Pointer(pointer) if value(&request.body, pointer).is_none() => {
                Some(format!("`{}` of the body", name(pointer)))
            }
            _ => None,
        })
    }

    /// What is signed, in words: `the body`, `the header X-Time, ".", the body`.
    #[must_use]
    pub fn title(&self) -> String {
        let title = |segment: &Segment| match segment {
            Segment::Text(text) => format!("{text:?}"),
            Segment::Body => "the body".into(),
            Segment::Pointer(pointer) => name(pointer).to_owned(),
            Segment::Header(name) => format!("the header {name}"),
        };
        self.0.iter().map(title).collect::<Vec<_>>().join(", ")
    }

    /// What is signed, as text.
    pub(super) fn text(&self, request: &Request) -> String {
        self.parts(request, &request.body).map(|part| String::from_utf8_lossy(&part).into_owned()).collect()
    }

    /// The same with the number of bytes.
    pub(super) fn describe(&self, request: &Request) -> String {
        let bytes: usize = self.parts(request, &request.body).map(|part| part.len()).sum();
        format!("{}, {bytes} bytes", self.title())
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What people call the value at a pointer: its last token.
pub(super) fn name(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// A string's content, or the text of any other value.
pub(super) fn value<'a>(body: &'a [u8], pointer: &str) -> Option<Cow<'a, str>> {
    let text = std::str::from_utf8(body).ok()?;
    let found = &text[json::find(text, pointer)?];
    Some(if found.starts_with('"') { json::unquote(found) } else { Cow::Borrowed(found) })
}
