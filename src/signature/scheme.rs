//! A scheme as a pack writes it, read and checked once when the pack is loaded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::SignError;
use crate::call::Request;
use crate::config::Secret;

/// How a platform signs: data, read from the `[signature.NAME]` table of a pack.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// `platform/scheme` (`moveo/webhook`), filled in by the pack's reader.
    #[serde(skip)]
    pub name: String,
    /// What makes the signature.
    #[serde(rename = "scheme")]
    pub algorithm: Algorithm,
    /// The header that carries it.
    pub header: String,
    /// What stands before it in the header (`sha256=`).
    #[serde(default)]
    pub prefix: String,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// What is signed.
    pub message: Message,
    /// What the platform calls the secret (`verification token`).
    #[serde(default = "secret")]
    pub secret: String,
    /// A reference to the secret, for the sentence that tells how to configure it (`env:MOVEO_TOKEN`).
    #[serde(default = "example")]
    pub example: String,
    /// Completes "there is no ... header; ".
    #[serde(default = "missing")]
    pub missing: String,
    /// The document that prescribes all this.
    #[serde(default)]
    pub source: String,
}

fn secret() -> String {
    "secret".into()
}

fn example() -> String {
    "env:WEBHOOK_SECRET".into()
}

fn missing() -> String {
    "the platform signs every call, so something else made this one or a proxy dropped the header".into()
}

impl Scheme {
    /// The platform's name, under which its secrets are configured.
    #[must_use]
    pub fn platform(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(platform, _)| platform)
    }

    /// The scheme's name within its pack.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(_, name)| name)
    }

    /// In words: `HMAC-SHA256 of the body, in hex, in X-Moveo-Signature; the key is the verification token`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { header, prefix, secret, .. } = self;
        let (algorithm, message, encoding) = (self.algorithm.title(), self.message.title(), self.encoding.word());
        let after = if prefix.is_empty() { String::new() } else { format!(" after `{prefix}`") };
        format!("{algorithm} of {message}, in {encoding}{after}, in {header}; the key is the {secret}")
    }

    /// The flag that names a secret, as an instruction: `name the verification token with ...`.
    #[must_use]
    pub fn how_to_configure(&self) -> String {
        format!("name the {} with `--secret {}={}` or in hooktape.toml", self.secret, self.platform(), self.example)
    }

    /// The secret's bytes as a key.
    pub(super) fn key<'a>(&self, secret: &'a Secret) -> Result<&'a [u8], SignError> {
        match secret.value() {
            Ok([]) => Err(SignError::Secret(format!("the {} is empty", self.secret))),
            Ok(key) => Ok(key),
            Err(reason) => Err(SignError::Secret(reason.to_owned())),
        }
    }

    /// The tag of `request` had it this `body`.
    pub(super) fn tag(&self, key: &[u8], request: &Request, body: &[u8]) -> Result<Tag, SignError> {
        let parts = self.message.parts(request, body);
        match self.algorithm {
            Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(key, parts),
            Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(key, parts),
        }
    }

    /// Reads a header's value; what is wrong with it otherwise.
    pub(super) fn decode(&self, value: &[u8]) -> Result<Tag, String> {
        let Some(encoded) = value.strip_prefix(self.prefix.as_bytes()) else {
            return Err(format!("it does not begin with `{}`", self.prefix));
        };
        self.encoding.decode(encoded, self.algorithm.len())
    }

    /// As the header's value.
    pub(super) fn encode(&self, tag: &Tag) -> String {
        self.prefix.clone() + &self.encoding.encode(tag)
    }
}

/// What makes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-256.
    HmacSha256,
    /// HMAC (RFC 2104) with SHA-512.
    HmacSha512,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::HmacSha256, Self::HmacSha512];

    /// The word a pack uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// The name people use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
        }
    }

    /// Bytes in a signature.
    pub(super) fn len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha512 => 64,
        }
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::word).join(", ");
            D::Error::custom(format!("there is no scheme {word:?}; known: {known}"))
        })
    }
}

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Two digits a byte; written in lower case, read in either.
    Hex,
    /// RFC 4648 section 4, padded.
    Base64,
}

impl Encoding {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    pub(super) fn encode(self, tag: &Tag) -> String {
        match self {
            Self::Hex => base16ct::lower::encode_string(tag.bytes()),
            Self::Base64 => STANDARD.encode(tag.bytes()),
        }
    }

    /// Reads the `len` bytes that `text` should stand for; what is wrong with it otherwise.
    pub(super) fn decode(self, text: &[u8], len: usize) -> Result<Tag, String> {
        let expected = match self {
            Self::Hex => 2 * len,
            Self::Base64 => len.div_ceil(3) * 4,
        };
        let digit = |byte: u8| match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        };
        let word = self.word();
        if let Some(at) = text.iter().position(|&byte| !digit(byte)) {
            let stranger = String::from_utf8_lossy(&text[at..]).chars().next().unwrap_or_default();
            return Err(format!("{stranger:?} at position {} is not a {word} digit", at + 1));
        }
        if text.len() != expected {
            return Err(format!("{expected} {word} digits expected, {} found", text.len()));
        }
        let mut tag = Tag { bytes: [0; Tag::MAX], len };
        let read = match self {
            Self::Hex => base16ct::mixed::decode(text, &mut tag.bytes).map(<[u8]>::len).ok(),
            // The decoder wants room for whole groups of three, which 64 bytes do not have for SHA-512: hence the Vec.
            Self::Base64 => STANDARD.decode(text).ok().filter(|bytes| bytes.len() == len).map(|bytes| {
                tag.bytes[..len].copy_from_slice(&bytes);
                len
            }),
        };
        if read == Some(len) { Ok(tag) } else { Err(format!("it is not {word} of {len} bytes")) }
    }
}

/// A signature's bytes, on the stack.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Tag {
    const MAX: usize = 64;

    /// None when there are too many bytes for any algorithm.
    pub(super) fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { bytes, len: from.len() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Compares in constant time.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}

fn mac<'a, M: Mac + KeyInit>(key: &[u8], parts: impl Iterator<Item = &'a [u8]>) -> Result<Tag, SignError> {
    let unfit = || SignError::Secret("the secret is not a key for this algorithm".into());
    let mut mac = M::new_from_slice(key).map_err(|_| unfit())?;
    parts.for_each(|part| mac.update(part));
    Tag::new(&mac.finalize().into_bytes()).ok_or_else(unfit)
}

/// What is signed: a template such as `{header:X-Time}.{body}`, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Body,
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
                Some(("header", header)) if !header.is_empty() => Segment::Header(header.to_owned()),
                _ => return Err(format!("there is no `{{{name}}}` to sign; known: {{body}}, {{header:NAME}}")),
            });
            rest = after;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        if segments.is_empty() { Err("the message is empty".into()) } else { Ok(Self(segments)) }
    }

    /// The bytes to sign, piece by piece: nothing is copied.
    fn parts<'a>(&'a self, request: &'a Request, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(move |segment| match segment {
            Segment::Text(text) => text.as_bytes(),
            Segment::Body => body,
            Segment::Header(name) => request.headers.all(name).next().map_or(&[][..], |value| value),
        })
    }

    /// The first header that is signed but not there.
    pub(super) fn missing(&self, request: &Request) -> Option<&str> {
        self.0.iter().find_map(|segment| match segment {
            Segment::Header(name) if !request.headers.has(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What is signed, in words: `the body`, `the header X-Time, ".", the body`.
    #[must_use]
    pub fn title(&self) -> String {
        let name = |segment: &Segment| match segment {
            Segment::Text(text) => format!("{text:?}"),
            Segment::Body => "the body".into(),
            Segment::Header(name) => format!("the header {name}"),
        };
        self.0.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// The same with the number of bytes.
    pub(super) fn describe(&self, request: &Request) -> String {
        let bytes: usize = self.parts(request, &request.body).map(<[u8]>::len).sum();
        format!("{}, {bytes} bytes", self.title())
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
