//! What is signed: a template such as `{header:X-Time}.{body}`, parsed once when the pack is loaded.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::public;
use crate::call::Request;
use crate::config::instead;
use crate::json;

/// What is signed: a template.
///
/// | segment | stands for |
/// | --- | --- |
/// | `{body}` | the body's exact bytes |
/// | `{body:/pointer}` | the content of the string there (RFC 6901), or the text of another value |
/// | `{header:NAME}` | the header's first value |
/// | `{timestamp}` | the time of signing, as it stands where the scheme says |
/// | `{method}` | `POST` |
/// | `{url}` | the public address that was called, with its query; see [`Request::url`] |
/// | `{url:decoded}` | the same with the reserved characters of its path and query decoded |
/// | `{form}` | each name and value of a form body, sorted by name and then value, without repetition; nothing of another body |
/// | `{crc32}` | the CRC-32 of the body (ISO 3309, as in zlib) in decimal |
/// | `{secret}` | the secret's own text |
/// | `{secret:NAME}` | what stands after `NAME:` on a line before the PEM block of the secret |
/// | anything else | itself |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Vec<Segment>);

/// The body, in words.
const BODY: &str = "the body";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Text(String),
    Body,
    Pointer(String),
    Header(String),
    Timestamp,
    Method,
    Url,
    DecodedUrl,
    Form,
    Crc32,
    Secret,
    SecretLine(String),
}

/// What a template is filled from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub request: &'a Request,
    /// The body, which a diagnosis may hold for another than the request's.
    pub body: &'a [u8],
    /// What the caller called.
    pub url: &'a str,
    /// As it stands in the request.
    pub timestamp: &'a str,
    /// The text of the secret.
    pub secret: &'a [u8],
}

impl<'a> Source<'a> {
    /// What stands in `request`, which the caller reached at `url`, without a secret yet.
    pub(super) fn of(request: &'a Request, url: &'a str, timestamp: &'a str) -> Self {
        Self { request, body: &request.body, url, timestamp, secret: b"" }
    }
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
            segments.push(Segment::parse(name)?);
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
        self.0.iter().any(|segment| matches!(segment, Segment::Body | Segment::Crc32 | Segment::Form))
    }

    /// Whether the address that was called is signed.
    pub(super) fn covers_the_url(&self) -> bool {
        self.0.iter().any(|segment| matches!(segment, Segment::Url | Segment::DecodedUrl))
    }

    /// Whether the body stands in it whole.
    pub(super) fn contains_the_body(&self) -> bool {
        self.0.contains(&Segment::Body)
    }

    pub(super) fn covers_the_time(&self) -> bool {
        self.0.contains(&Segment::Timestamp)
    }

    /// Whether the secret's text is part of it.
    pub(super) fn has_the_secret(&self) -> bool {
        self.0.contains(&Segment::Secret)
    }

    /// What must stand on lines before a key.
    pub(super) fn secret_lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::SecretLine(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The JSON Pointers into the body whose values are signed. None: the body as a whole, or nothing of it.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Pointer(pointer) => Some(pointer.as_str()),
            _ => None,
        })
    }

    /// The headers whose values are signed.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Header(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The bytes to sign, piece by piece; the body is not copied.
    pub(super) fn parts<'a>(&'a self, from: Source<'a>) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.0.iter().map(move |segment| segment.bytes(from))
    }

    /// The first thing that is signed but not there, in words.
    pub(super) fn missing(&self, request: &Request) -> Option<String> {
        self.0.iter().find_map(|segment| match segment {
            Segment::Header(name) if !request.headers.has(name) => Some(format!("the header {name}")),
            Segment::Pointer(pointer) if value(&request.body, pointer).is_none() => {
                Some(format!("`{}` of the body", name(pointer)))
            }
            Segment::Form if request.has_a_form() && is_overlong(&request.body) => {
                Some(format!("a form of at most {MOST_PARAMETERS} parameters"))
            }
            _ => None,
        })
    }

    /// What of a call is signed, in words, each once: what may be another than the sender signed.
    pub(super) fn covered(&self, request: &Request) -> Vec<String> {
        let mut covered: Vec<String> = Vec::new();
        for segment in &self.0 {
            let part = match segment {
                Segment::Text(_) | Segment::Secret | Segment::SecretLine(_) => continue,
                Segment::Form if !request.has_a_form() => continue,
                Segment::Body | Segment::Crc32 | Segment::Form => BODY.to_owned(),
                Segment::DecodedUrl => Segment::Url.title(),
                Segment::Pointer(pointer) => format!("`{}` of the body", name(pointer)),
                other => other.title(),
            };
            if !covered.contains(&part) {
                covered.push(part);
            }
        }
        covered
    }

    /// What is signed, in words: `the body`, `the header X-Time, ".", the body`.
    #[must_use]
    pub fn title(&self) -> String {
        self.0.iter().map(Segment::title).collect::<Vec<_>>().join(", ")
    }

    /// What is signed, as text, but for the secret.
    pub(super) fn text(&self, from: Source<'_>) -> String {
        let hidden = |segment: &&Segment| !matches!(segment, Segment::Secret | Segment::SecretLine(_));
        let shown = self.0.iter().filter(hidden);
        shown.map(|segment| String::from_utf8_lossy(&segment.bytes(from)).into_owned()).collect()
    }

    /// What is signed in words, as in [`Self::title`], with the number of bytes.
    pub(super) fn describe(&self, from: Source<'_>) -> String {
        let bytes: usize = self.parts(from).map(|part| part.len()).sum();
        format!("{}, {bytes} bytes", self.title())
    }
}

impl Segment {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name.split_once(':') {
            None if name == "body" => Self::Body,
            None if name == "timestamp" => Self::Timestamp,
            None if name == "method" => Self::Method,
            None if name == "url" => Self::Url,
            None if name == "form" => Self::Form,
            None if name == "crc32" => Self::Crc32,
            None if name == "secret" => Self::Secret,
            Some(("url", "decoded")) => Self::DecodedUrl,
            Some(("body", pointer)) if pointer.starts_with('/') => Self::Pointer(pointer.to_owned()),
            Some(("header", header)) if !header.is_empty() => Self::Header(header.to_owned()),
            Some(("secret", line)) if !line.is_empty() => Self::SecretLine(line.to_owned()),
            _ => {
                let known = [
                    "{body}",
                    "{body:/POINTER}",
                    "{header:NAME}",
                    "{timestamp}",
                    "{method}",
                    "{url}",
                    "{url:decoded}",
                    "{form}",
                    "{crc32}",
                    "{secret}",
                    "{secret:NAME}",
                ];
                let part = format!("{{{name}}}");
                return Err(format!("there is no {part:?} to sign: {}", instead(&part, &known)));
            }
        })
    }

    pub(super) fn bytes<'a>(&'a self, from: Source<'a>) -> Cow<'a, [u8]> {
        let text = |text: Cow<'a, str>| match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        match self {
            Self::Text(own) => Cow::Borrowed(own.as_bytes()),
            Self::Body => Cow::Borrowed(from.body),
            Self::Pointer(pointer) => text(value(from.body, pointer).unwrap_or_default()),
            Self::Header(name) => Cow::Borrowed(from.request.headers.all(name).next().map_or(&[][..], |value| value)),
            Self::Timestamp => Cow::Borrowed(from.timestamp.as_bytes()),
            Self::Method => Cow::Borrowed(from.request.method.as_bytes()),
            Self::Url => Cow::Borrowed(from.url.as_bytes()),
            Self::DecodedUrl => text(Cow::Owned(public::decoded(from.url))),
            Self::Form => Cow::Owned(form(from.request, from.body).into_bytes()),
            Self::Crc32 => Cow::Owned(crc32fast::hash(from.body).to_string().into_bytes()),
            Self::Secret => Cow::Borrowed(from.secret),
            Self::SecretLine(name) => Cow::Borrowed(line(from.secret, name).unwrap_or_default()),
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Body => BODY.into(),
            Self::Pointer(pointer) => name(pointer).to_owned(),
            Self::Header(name) => format!("the header {name}"),
            Self::Timestamp => "the timestamp".into(),
            Self::Method => "the method".into(),
            Self::Url => "the URL".into(),
            Self::DecodedUrl => "the URL (its reserved characters decoded)".into(),
            Self::Form => "the form's names and values, sorted".into(),
            Self::Crc32 => "the body's CRC-32 in decimal".into(),
            Self::Secret => "the secret".into(),
            Self::SecretLine(name) => format!("the {name}"),
        }
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
    Some(json::text(&text[json::find(text, pointer)?]))
}

/// What stands after `name:` on a line of its own before a key.
pub(super) fn line<'a>(secret: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let text = std::str::from_utf8(secret).ok()?;
    let mut lines =
        text.lines().take_while(|line| !line.starts_with("-----BEGIN")).filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().as_bytes())
}

/// Most parameters of a form that is signed: no platform has as many, and each is held.
const MOST_PARAMETERS: usize = 4096;

/// Whether a form is too long to be a platform's.
fn is_overlong(form: &[u8]) -> bool {
    memchr::memchr_iter(b'&', form).count() >= MOST_PARAMETERS
}

/// Names and values of a form, each once, in order. Nothing of one that is too long, which [`Message::missing`] tells: else a
/// signature of nothing would do for it.
fn form(request: &Request, body: &[u8]) -> String {
    if !request.has_a_form() || is_overlong(body) {
        return String::new();
    }
    let mut pairs: Vec<_> = url::form_urlencoded::parse(body).collect();
    pairs.sort();
    pairs.dedup();
    pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
}
