//! A scheme as a pack writes it, read and checked once when the pack is loaded.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256, Sha512};

use super::keys::{self, Key};
use super::message::Message;
use super::tag::{Encoding, Tag};
use super::{SignError, jwt};
use crate::call::Request;
use crate::config::Secret;

/// How a platform signs: data, read from the `[signature.NAME]` table of a pack.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Scheme {
    /// `platform/scheme` (`moveo/webhook`), filled in by the pack's reader.
    pub name: String,
    /// What makes the signature.
    pub method: Method,
    /// The header that carries it.
    pub header: String,
    /// What stands before it in the header (`sha256=`).
    pub prefix: String,
    /// What the platform calls the secret (`verification token`).
    pub secret: String,
    /// A reference to the secret, for the sentence that tells how to configure it (`env:MOVEO_TOKEN`).
    pub example: String,
    /// Completes "there is no ... header; ".
    pub missing: String,
    /// The document that prescribes all this.
    pub source: String,
}

/// What makes a signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A digest of a text made of the request.
    Digest(Digest),
    /// A JSON Web Token (RFC 7519).
    Jwt(jwt::Rules),
}

/// A digest of a text made of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    /// What makes it.
    pub algorithm: Algorithm,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// What is signed.
    pub message: Message,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    scheme: Word,
    header: String,
    #[serde(default)]
    prefix: String,
    encoding: Option<Encoding>,
    message: Option<Message>,
    #[serde(default)]
    algorithms: Vec<jwt::Algorithm>,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default = "jwt::lifetime")]
    lifetime: u64,
    #[serde(default)]
    leeway: u64,
    #[serde(default)]
    subject: Vec<jwt::Place>,
    #[serde(default = "secret")]
    secret: String,
    #[serde(default = "example")]
    example: String,
    #[serde(default = "missing")]
    missing: String,
    #[serde(default)]
    source: String,
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

impl TryFrom<Written> for Scheme {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let method = match written.scheme {
            Word::Digest(algorithm) => Method::Digest(Digest {
                algorithm,
                encoding: written.encoding.ok_or("missing field `encoding`: hex or base64")?,
                message: written.message.ok_or("missing field `message`: what is signed, such as {body}")?,
            }),
            Word::Jwt if written.encoding.is_some() || written.message.is_some() => {
                return Err("a token has neither `encoding` nor `message`".into());
            }
            Word::Jwt if written.algorithms.is_empty() => {
                return Err("missing field `algorithms`: those that a token may be signed with".into());
            }
            Word::Jwt => Method::Jwt(jwt::Rules {
                algorithms: written.algorithms,
                issuers: written.issuers,
                required: written.required,
                lifetime: written.lifetime,
                leeway: written.leeway,
                subject: written.subject,
            }),
        };
        let Written { header, prefix, secret, example, missing, source, .. } = written;
        Ok(Self { name: String::new(), method, header, prefix, secret, example, missing, source })
    }
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

    /// Whether no secret goes into it: anyone who has what is signed can sign.
    #[must_use]
    pub fn is_keyless(&self) -> bool {
        matches!(&self.method, Method::Digest(digest) if digest.algorithm.is_keyless())
    }

    /// Who may issue its tokens; none where it has none, or where anyone may.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        match &self.method {
            Method::Jwt(rules) => &rules.issuers,
            Method::Digest(_) => &[],
        }
    }

    /// Takes tokens from these issuers too; whether it has tokens with an issuer at all.
    pub fn allow_issuers(&mut self, issuers: &[String]) -> bool {
        match &mut self.method {
            Method::Jwt(rules) if !rules.issuers.is_empty() => {
                rules.issuers.extend_from_slice(issuers);
                true
            }
            _ => false,
        }
    }

    /// Whether every byte of the body is signed.
    #[must_use]
    pub fn covers_the_body(&self) -> bool {
        matches!(&self.method, Method::Digest(digest) if digest.message.covers_the_body())
    }

    /// Whether its header says nothing about the platform, for many others use it too.
    #[must_use]
    pub fn shares_its_header(&self) -> bool {
        self.header.eq_ignore_ascii_case("authorization")
    }

    /// Whether `secret` can sign, not only verify.
    #[must_use]
    pub fn can_sign_with(&self, secret: &Secret) -> bool {
        self.why_not(secret).is_none()
    }

    /// Why `secret` cannot sign, if it cannot.
    #[must_use]
    pub fn why_not(&self, secret: &Secret) -> Option<String> {
        match &self.method {
            Method::Digest(_) => self.key(secret).err(),
            Method::Jwt(rules) => Key::read(secret, &rules.algorithms).and_then(|key| key.sign("")).err(),
        }
        .map(|error| error.to_string())
    }

    /// A secret that is like no other and fits the scheme: for calls to ourselves, and for tests. For a key pair dear, some
    /// tenths of a second.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn fresh_secret(&self, label: &str) -> Result<Secret, SignError> {
        match &self.method {
            Method::Digest(_) => keys::random_text().map(|text| Secret::new(label, text)),
            Method::Jwt(rules) => rules.fresh_secret(label),
        }
    }

    /// This scheme with fresh signatures good for `lifetime` milliseconds, if they expire.
    #[must_use]
    pub fn lasting(mut self, lifetime: u64) -> Self {
        if let Method::Jwt(rules) = &mut self.method {
            rules.lifetime = lifetime;
        }
        self
    }

    /// The text that is signed, where it is put together from parts of `request` and is not simply its body. From the wire.
    #[must_use]
    pub fn signed_text(&self, request: &Request) -> Option<String> {
        match &self.method {
            Method::Digest(digest) if !digest.message.covers_the_body() => Some(digest.message.text(request)),
            _ => None,
        }
    }

    /// In words: `HMAC-SHA256 of the body, in hex, in X-Moveo-Signature; the key is the verification token`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { header, prefix, secret, .. } = self;
        let after = if prefix.is_empty() { String::new() } else { format!(" after `{prefix}`") };
        match &self.method {
            Method::Digest(Digest { algorithm, encoding, message }) => {
                let (algorithm, message, encoding) = (algorithm.title(), message.title(), encoding.word());
                let key = if self.is_keyless() {
                    "no secret goes into it, so whoever knows what is signed can make it".to_owned()
                } else {
                    format!("the key is the {secret}")
                };
                format!("{algorithm} of {message}, in {encoding}{after}, in {header}; {key}")
            }
            Method::Jwt(rules) => {
                let token = rules.describe();
                format!("{token}, in {header}{after}; the body is not covered; the key is the {secret}")
            }
        }
    }

    /// The flag that names a secret: `--secret moveo=env:MOVEO_TOKEN`.
    #[must_use]
    pub fn flag(&self) -> String {
        // A platform's token is no key, so a key is filed under its scheme.
        let name = if matches!(self.method, Method::Jwt(_)) { self.name.as_str() } else { self.platform() };
        format!("--secret {name}={}", self.example)
    }

    /// The flag as an instruction.
    pub(super) fn how_to_configure(&self) -> String {
        format!("name the {} with `{}` or in hooktape.toml", self.secret, self.flag())
    }

    /// The secret's bytes as a key of a digest.
    pub(super) fn key<'a>(&self, secret: &'a Secret) -> Result<&'a [u8], SignError> {
        match secret.value() {
            Ok([]) => Err(SignError::Secret(format!("the {} is empty", self.secret))),
            Ok(key) => Ok(key),
            Err(reason) => Err(SignError::Secret(reason.to_owned())),
        }
    }
}

impl Digest {
    /// The tag of `request` had it this `body`.
    pub(super) fn tag(&self, key: &[u8], request: &Request, body: &[u8]) -> Result<Tag, SignError> {
        self.algorithm.tag(key, self.message.parts(request, body))
    }

    /// Reads a header's value; what is wrong with it otherwise.
    pub(super) fn decode(&self, prefix: &str, value: &[u8]) -> Result<Tag, String> {
        let Some(encoded) = value.strip_prefix(prefix.as_bytes()) else {
            return Err(format!("it does not begin with `{prefix}`"));
        };
        self.encoding.decode(encoded, self.algorithm.len())
    }
}

/// What makes a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-256.
    HmacSha256,
    /// HMAC (RFC 2104) with SHA-512.
    HmacSha512,
    /// SHA-256 alone, without a key.
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::HmacSha256, Self::HmacSha512, Self::Sha256];

    /// The word a pack uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::Sha256 => "sha256",
        }
    }

    /// The name people use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Sha256 => "SHA-256",
        }
    }

    /// Whether no key goes into it.
    #[must_use]
    pub fn is_keyless(self) -> bool {
        self == Self::Sha256
    }

    /// Bytes in a digest.
    pub(super) fn len(self) -> usize {
        match self {
            Self::HmacSha256 | Self::Sha256 => 32,
            Self::HmacSha512 => 64,
        }
    }

    /// The digest of the parts, one after the other.
    pub(super) fn tag<'a>(self, key: &[u8], parts: impl Iterator<Item = Cow<'a, [u8]>>) -> Result<Tag, SignError> {
        match self {
            Self::HmacSha256 => mac::<Hmac<Sha256>>(key, parts),
            Self::HmacSha512 => mac::<Hmac<Sha512>>(key, parts),
            Self::Sha256 => {
                let mut hash = Sha256::new();
                parts.for_each(|part| hash.update(part));
                Tag::new(&hash.finalize()).ok_or_else(unfit)
            }
        }
    }
}

/// The `scheme` key of a pack.
enum Word {
    Digest(Algorithm),
    Jwt,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == "jwt" {
            return Ok(Self::Jwt);
        }
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.word() == word).map(Self::Digest).ok_or_else(|| {
            let known = Algorithm::ALL.map(Algorithm::word).join(", ");
            D::Error::custom(format!("there is no scheme {word:?}; known: {known}, jwt"))
        })
    }
}

fn mac<'a, M: Mac + KeyInit>(key: &[u8], parts: impl Iterator<Item = Cow<'a, [u8]>>) -> Result<Tag, SignError> {
    let mut mac = M::new_from_slice(key).map_err(|_| unfit())?;
    parts.for_each(|part| mac.update(&part));
    Tag::new(&mac.finalize().into_bytes()).ok_or_else(unfit)
}

fn unfit() -> SignError {
    SignError::Secret("the secret is not a key for this algorithm".into())
}
