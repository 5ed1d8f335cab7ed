//! A detached signature: made over a text of the request, and sent beside it.
//!
//! ```text
//! secret --key form--> PreparedKey --+
//! request --Message--> text ---------+--> tag, written in hex or base64
//! ```

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use smallvec::SmallVec;

use super::clock::Clock;
use super::message::{self, Message, Source};
use super::pair::{self, Curve, Pair};
use super::tag::{Encoding, Tag, decode_base64};
use super::{SignError, carrier, keys, public};
use crate::call::Request;
use crate::config::Secret;

/// A signature over a text made of the request, which it is sent with.
#[derive(Clone, Debug, PartialEq)]
pub struct Detached {
    /// What makes it.
    pub algorithm: Algorithm,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// What is signed.
    pub message: Message,
    /// How the key is written in the secret.
    pub key: KeyForm,
    /// What may stand before the key in the secret (`whsec_`); of a key pair, the private one's first.
    pub key_prefix: Vec<String>,
    /// The time that is signed with it.
    pub clock: Option<Clock>,
    /// Whether the default port may stand in the URL that is signed, or not.
    pub either_port: bool,
    /// The parameter of the query with the SHA-256 of the body in hex, of calls whose body is no form.
    pub body_hash: Option<String>,
}

/// How a key is written in a secret. A key pair may always be PEM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyForm {
    /// The secret's text is the key.
    #[default]
    Text,
    /// RFC 4648 section 4, padded or not.
    Base64,
    /// Two digits a byte.
    Hex,
}

impl KeyForm {
    pub(super) fn describe(self, prefixes: &[String]) -> String {
        let after = if prefixes.is_empty() { String::new() } else { format!(" after `{}`", prefixes.join("` or `")) };
        match self {
            Self::Text => after,
            Self::Base64 => format!(", decoded from base64{after}"),
            Self::Hex => format!(", decoded from hex{after}"),
        }
    }

    fn decode(self, text: &[u8]) -> Result<Cow<'_, [u8]>, SignError> {
        let (bytes, word) = match self {
            Self::Text => return Ok(Cow::Borrowed(text)),
            Self::Base64 => (std::str::from_utf8(text).ok().and_then(decode_base64), "base64"),
            Self::Hex => (base16ct::mixed::decode_vec(text).ok(), "hex"),
        };
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        bytes.map(Cow::Owned).ok_or_else(|| SignError::Secret(format!("it is not {word}")))
    }
}

/// A secret made ready.
pub(super) struct PreparedKey<'a> {
    /// Its own text, for templates that sign it.
    text: Cow<'a, [u8]>,
    bytes: Cow<'a, [u8]>,
    pair: Option<Pair>,
}

impl<'a> PreparedKey<'a> {
    /// These bytes as a key, and as the text of a secret.
    pub(super) fn raw(bytes: &'a [u8]) -> Self {
        Self { text: Cow::Borrowed(bytes), bytes: Cow::Borrowed(bytes), pair: None }
    }

    /// As [`Self::raw`], of bytes that nobody else has.
    pub(super) fn own(bytes: Vec<u8>) -> Self {
        Self { text: Cow::Owned(bytes.clone()), bytes: Cow::Owned(bytes), pair: None }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Detached {
    /// Whether no secret goes into it.
    #[must_use]
    pub fn is_keyless(&self) -> bool {
        self.algorithm == Algorithm::Sha256 && !self.message.has_the_secret()
    }

    /// Makes the text of a secret ready.
    pub(super) fn key<'a>(&self, text: &'a [u8]) -> Result<PreparedKey<'a>, SignError> {
        if let Some(name) = self.message.secret_lines().find(|name| message::line(text, name).is_none()) {
            return Err(SignError::Secret(format!("it needs a line `{name}: ...` before its PEM block")));
        }
        let stripped = |text: &'a [u8]| self.key_prefix.iter().find_map(|prefix| text.strip_prefix(prefix.as_bytes()));
        let Some(curve) = self.algorithm.curve() else {
            let bytes = self.key.decode(stripped(text).unwrap_or(text))?;
            return Ok(PreparedKey { text: Cow::Borrowed(text), bytes, pair: None });
        };
        let is_raw = curve == Curve::Ed25519 && self.key != KeyForm::Text && !text.starts_with(b"-----BEGIN");
        let raw = || {
            let text = text.trim_ascii();
            let bare = stripped(text).or_else(|| self.key_prefix.is_empty().then_some(text));
            // Bytes alone might as well be the shared secret of another scheme of the platform.
            let no_prefix =
                || SignError::Secret(format!("it does not begin with `{}`", self.key_prefix.join("` or `")));
            let key = self.key.decode(bare.ok_or_else(no_prefix)?)?;
            Pair::raw_ed25519(&key).map_err(SignError::Secret)
        };
        let pem = || Pair::read(curve, text).map_err(SignError::Secret);
        let pair = if is_raw { raw().or_else(|reason| pem().map_err(|_| reason))? } else { pem()? };
        Ok(PreparedKey { text: Cow::Borrowed(text), bytes: Cow::Borrowed(&[]), pair: Some(pair) })
    }

    /// Whether the text of a secret can sign.
    pub(super) fn try_key(&self, text: &[u8]) -> Result<(), SignError> {
        let key = self.key(text)?;
        key.pair.as_ref().map_or(Ok(()), |pair| pair.sign(b"").map(drop))
    }

    /// The tag of what is signed, as it is filled from `from`.
    pub(super) fn tag(&self, key: &PreparedKey<'_>, from: Source<'_>) -> Result<Tag, SignError> {
        let parts = self.message.parts(Source { secret: &key.text, ..from });
        match &key.pair {
            Some(pair) => pair.sign(&joined(parts)).map(|bytes| Tag::new(&bytes)),
            None => self.algorithm.digest(&key.bytes, parts),
        }
    }

    /// Whether one of `tags` is that of what is signed, which is gone through once; compares in constant time.
    pub(super) fn fits(&self, key: &PreparedKey<'_>, from: Source<'_>, tags: &[Tag]) -> bool {
        match &key.pair {
            Some(pair) => {
                let text = joined(self.message.parts(Source { secret: &key.text, ..from }));
                tags.iter().any(|tag| pair.verifies(&text, tag.bytes()))
            }
            None => self.tag(key, from).is_ok_and(|own| tags.iter().any(|tag| own.fits(tag))),
        }
    }

    /// Reads a tag as it is written; what is wrong with it otherwise.
    pub(super) fn decode(&self, text: &[u8]) -> Result<Tag, String> {
        self.encoding.decode(text, self.algorithm.len())
    }

    /// The addresses that a receiver tries, if one is signed: else none matters.
    pub(super) fn urls(&self, request: &Request) -> SmallVec<[String; 1]> {
        if !self.message.covers_the_url() {
            return SmallVec::from_buf([String::new()]);
        }
        public::urls(request, self.either_port).into()
    }

    /// What is wrong with the hash of the body that the query bears.
    pub(super) fn body_fault(&self, request: &Request) -> Option<(bool, String)> {
        let name = self.body_hash.as_ref()?;
        match carrier::query(request, name) {
            None if request.body.is_empty() || request.has_a_form() => None,
            None => Some((true, format!("the body is no form, and the query has no `{name}` that would sign it"))),
            Some(given) if given.eq_ignore_ascii_case(&hash(&request.body)) => None,
            Some(_) => Some((false, format!("`{name}` of the query is not the SHA-256 of the body"))),
        }
    }

    /// Puts what is signed besides into `request`: the time, the body's hash.
    pub(super) fn prepare(&self, request: &mut Request, at: Timestamp) -> Result<(), SignError> {
        if let Some(clock) = &self.clock {
            clock.put(request, at)?;
        }
        if let Some(name) = &self.body_hash
            && !request.body.is_empty()
            && !request.has_a_form()
        {
            let hash = hash(&request.body);
            carrier::set_query(request, name, &hash);
        }
        Ok(())
    }

    pub(super) fn fresh_secret(&self, label: &str) -> Result<Secret, SignError> {
        let lines = self.message.secret_lines().fold(String::new(), |all, name| all + name + ": test\n");
        let prefix = self.key_prefix.first().map_or("", String::as_str);
        let write = |bytes: &[u8]| match self.key {
            KeyForm::Base64 => STANDARD.encode(bytes),
            KeyForm::Hex | KeyForm::Text => base16ct::lower::encode_string(bytes),
        };
        let text = match self.algorithm.curve() {
            None => {
                let random = keys::random_bytes()?;
                prefix.to_owned() + &write(&random)
            }
            Some(Curve::Ed25519) if self.key != KeyForm::Text => prefix.to_owned() + &write(&pair::new_ed25519()?),
            Some(Curve::Ed25519) => keys::new_ed25519_pem()?,
            Some(Curve::P256) => keys::new_ec()?,
            Some(Curve::Rsa) => keys::new_rsa()?.private_pem,
        };
        Ok(Secret::new(label, lines + &text))
    }
}

/// What makes a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-1.
    HmacSha1,
    /// HMAC (RFC 2104) with SHA-256.
    HmacSha256,
    /// HMAC (RFC 2104) with SHA-512.
    HmacSha512,
    /// SHA-256 alone: without a key, unless the secret is part of the message.
    Sha256,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA with P-256 and SHA-256, in DER.
    EcdsaP256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 7] = [
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::Sha256,
        Self::Ed25519,
        Self::EcdsaP256,
        Self::RsaSha256,
    ];

    /// The word a pack uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::Sha256 => "sha256",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::RsaSha256 => "rsa-sha256",
        }
    }

    /// The name people use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Sha256 => "SHA-256",
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256 => "ECDSA P-256 with SHA-256",
            Self::RsaSha256 => "RSA with SHA-256",
        }
    }

    pub(super) fn curve(self) -> Option<Curve> {
        match self {
            Self::Ed25519 => Some(Curve::Ed25519),
            Self::EcdsaP256 => Some(Curve::P256),
            Self::RsaSha256 => Some(Curve::Rsa),
            Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha512 | Self::Sha256 => None,
        }
    }

    /// Whether one key signs and another verifies.
    pub(super) fn has_pairs(self) -> bool {
        self.curve().is_some()
    }

    /// Bytes in a tag, where that is fixed.
    pub(super) fn len(self) -> Option<usize> {
        match self {
            Self::HmacSha1 => Some(20),
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::HmacSha512 | Self::Ed25519 => Some(64),
            Self::EcdsaP256 | Self::RsaSha256 => None,
        }
    }

    /// The digest of the parts, one after the other, where there is no key pair.
    pub(super) fn digest<'a>(self, key: &[u8], parts: impl Iterator<Item = Cow<'a, [u8]>>) -> Result<Tag, SignError> {
        match self {
            Self::HmacSha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::HmacSha256 => mac::<Hmac<Sha256>>(key, parts),
            Self::HmacSha512 => mac::<Hmac<Sha512>>(key, parts),
            Self::Sha256 => {
                let mut hash = Sha256::new();
                parts.for_each(|part| hash.update(part));
                Ok(Tag::new(&hash.finalize()))
            }
            Self::Ed25519 | Self::EcdsaP256 | Self::RsaSha256 => Err(unfit()),
        }
    }
}

fn mac<'a, M: Mac + KeyInit>(key: &[u8], parts: impl Iterator<Item = Cow<'a, [u8]>>) -> Result<Tag, SignError> {
    let mut mac = M::new_from_slice(key).map_err(|_| unfit())?;
    parts.for_each(|part| mac.update(&part));
    Ok(Tag::new(&mac.finalize().into_bytes()))
}

fn joined<'a>(parts: impl Iterator<Item = Cow<'a, [u8]>>) -> Vec<u8> {
    parts.fold(Vec::new(), |mut text, part| {
        text.extend_from_slice(&part);
        text
    })
}

fn hash(body: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(body))
}

fn unfit() -> SignError {
    SignError::Secret("the secret is not a key for this algorithm".into())
}
