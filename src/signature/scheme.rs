//! A scheme as a pack writes it, read and checked once when the pack is loaded.

mod written;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::detached::Detached;
use super::judge::stamp;
use super::keys::Key;
use super::message::Source;
use super::shared::Shared;
use super::{Carrier, SignError, jwt, pair};
use crate::call::{Request, bare};
use crate::config::{Secret, Secrets};

/// How a platform signs: data, read from the `[signature.NAME]` table of a pack.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "written::Written")]
pub struct Scheme {
    /// `platform/scheme` (`moveo/webhook`), filled in by the pack's reader.
    pub name: String,
    /// What makes the signature.
    pub method: Method,
    /// Where it stands: the name of a header; or, as `carrier` has it, of a parameter, or a JSON Pointer.
    pub header: String,
    /// What sort of place that is.
    pub carrier: Carrier,
    /// What stands before it there (`sha256=`), and before other signatures beside it.
    pub prefix: String,
    /// What stands between several things there (`,` in `t=1,v1=...`).
    pub separator: Option<char>,
    /// Headers that tell this scheme from another of the platform, with their values.
    pub beside: BTreeMap<String, String>,
    /// Whether the platform signs only where it is told to.
    pub optional: bool,
    /// Whether its secret is none of the platform's others: it is filed under `PLATFORM/SCHEME` only.
    pub apart: bool,
    /// Whether its platform has schemes of another sort, so that a secret which is not filed under `PLATFORM/SCHEME` may be
    /// theirs: a key, where this one sends its secret itself, or the reverse. The pack's reader finds out.
    pub mixed: bool,
    /// What the platform calls the secret (`verification token`).
    pub secret: String,
    /// A reference to the secret, for the sentence that tells how to configure it (`env:MOVEO_TOKEN`).
    pub example: String,
    /// Completes "there is no ... header; ".
    pub missing: String,
    /// The document that prescribes all this.
    pub source: String,
}

/// How a platform signs, in the cells of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What is signed.
    pub signed: String,
    /// The algorithm, and what the key is.
    pub by: String,
    /// Where the signature stands.
    pub place: String,
    /// How it is written.
    pub encoding: String,
    /// How old it may be.
    pub time: String,
}

/// What makes a signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A signature over a text made of the request, and sent beside it.
    Detached(Detached),
    /// The secret itself.
    Shared(Shared),
    /// A JSON Web Token (RFC 7519).
    Jwt(jwt::Rules),
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
        bare(&self.name)
    }

    /// Whether no secret goes into it: anyone who has what is signed can sign.
    #[must_use]
    pub fn is_keyless(&self) -> bool {
        matches!(&self.method, Method::Detached(detached) if detached.is_keyless())
    }

    /// Who may issue its tokens; none where it has none, or where anyone may.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        match &self.method {
            Method::Jwt(rules) => &rules.issuers,
            Method::Detached(_) | Method::Shared(_) => &[],
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
        matches!(&self.method, Method::Detached(detached) if detached.message.covers_the_body())
    }

    /// Whether its place says nothing about the platform, for many others use it too.
    #[must_use]
    pub fn shares_its_header(&self) -> bool {
        self.carrier != Carrier::Header || self.header.eq_ignore_ascii_case("authorization")
    }

    /// The configured secrets that may be its: its own, then its platform's.
    pub fn configured<'a>(&self, secrets: &'a Secrets) -> impl Iterator<Item = &'a Secret> + use<'a> {
        self.filed(secrets, self.apart)
    }

    /// Those of them that it may sign with. What is filed under the platform verifies; but where it may be a key, it is not sent
    /// itself because a call asks for a token.
    pub fn configured_to_sign<'a>(&self, secrets: &'a Secrets) -> impl Iterator<Item = &'a Secret> + use<'a> {
        self.filed(secrets, self.apart || self.may_send_a_key())
    }

    fn filed<'a>(&self, secrets: &'a Secrets, alone: bool) -> impl Iterator<Item = &'a Secret> + use<'a> {
        let names = [Some(&*self.name), (!alone).then(|| self.platform())];
        names.map(|name| name.and_then(|name| secrets.0.get(name))).into_iter().flatten().flatten()
    }

    /// Whether a secret that is not filed under its own name may be a key, which it would send itself.
    #[must_use]
    pub fn may_send_a_key(&self) -> bool {
        self.mixed && matches!(self.method, Method::Shared(_))
    }

    /// Whether one of its secrets is text that another scheme could send: a key, and no pair in PEM.
    fn has_a_key(&self) -> bool {
        match &self.method {
            Method::Detached(detached) => !detached.is_keyless(),
            Method::Jwt(rules) => rules.algorithms.contains(&jwt::Algorithm::Hs256),
            Method::Shared(_) => false,
        }
    }

    /// Sets [`Self::mixed`] of a platform's schemes.
    pub fn tell_apart<'a>(schemes: impl Iterator<Item = &'a mut Self>) {
        let mut schemes: Vec<&mut Self> = schemes.collect();
        let is_shared = |scheme: &Self| matches!(scheme.method, Method::Shared(_));
        // What is a target's own, or filed for the whole platform, may be meant for any: a key that stands apart too.
        let keys = schemes.iter().any(|scheme| scheme.has_a_key());
        let tokens = schemes.iter().any(|scheme| !scheme.apart && is_shared(scheme));
        for scheme in &mut schemes {
            scheme.mixed = if is_shared(scheme) { keys } else { tokens && scheme.has_a_key() };
        }
    }

    /// Whether `secret` can sign, not only verify.
    #[must_use]
    pub fn can_sign_with(&self, secret: &Secret) -> bool {
        secret.is_for(&self.name) && self.why_not(secret).is_none()
    }

    /// Why `secret` cannot sign, if it cannot.
    #[must_use]
    pub fn why_not(&self, secret: &Secret) -> Option<String> {
        match &self.method {
            Method::Detached(detached) => self.bytes(secret).and_then(|bytes| detached.try_key(bytes)).err(),
            Method::Shared(shared) => self.bytes(secret).and_then(|bytes| shared.write(bytes)).err(),
            Method::Jwt(rules) => Key::read(secret, &rules.algorithms).and_then(|key| key.sign(b"")).err(),
        }
        .map(|error| error.to_string())
    }

    /// Whether `secret` looks as if it had been meant for this scheme, be it one that cannot sign: unread, a public key,
    /// damaged.
    #[must_use]
    pub fn may_be_meant(&self, secret: &Secret) -> bool {
        let Ok(bytes) = secret.value() else { return true };
        let of_a_pair = pair::is_one(bytes);
        match &self.method {
            // Any text may be theirs, unless it is a key for something else.
            _ if !self.takes_pairs() => !of_a_pair,
            Method::Jwt(rules) => of_a_pair || Key::read(secret, &rules.algorithms).is_ok(),
            Method::Detached(detached) => of_a_pair || detached.key(bytes).is_ok(),
            Method::Shared(_) => false,
        }
    }

    /// Whether its keys come in pairs, of which one half is known to all.
    fn takes_pairs(&self) -> bool {
        match &self.method {
            Method::Jwt(rules) => rules.algorithms.iter().any(|algorithm| *algorithm != jwt::Algorithm::Hs256),
            Method::Detached(detached) => detached.algorithm.has_pairs(),
            Method::Shared(_) => false,
        }
    }

    /// A secret that is like no other and fits the scheme: for calls to ourselves, and for tests. For a key pair dear, some
    /// tenths of a second.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn fresh_secret(&self, label: &str) -> Result<Secret, SignError> {
        match &self.method {
            Method::Detached(detached) => detached.fresh_secret(label),
            Method::Shared(shared) => shared.fresh_secret(label),
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

    /// The text that is signed, where it is put together from parts of `request` and has not the whole body in it. From the wire,
    /// without the secret.
    #[must_use]
    pub fn signed_text(&self, request: &Request) -> Option<String> {
        match &self.method {
            Method::Detached(detached) if !detached.message.contains_the_body() => {
                let (url, timestamp) = (request.url(), stamp(self, detached, request).unwrap_or_default());
                Some(detached.message.text(Source::of(request, &url, &timestamp)))
            }
            _ => None,
        }
    }

    /// In words: `HMAC-SHA256 of the body, in hex, in X-Moveo-Signature; the key is the verification token`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { prefix, secret, .. } = self;
        let place = self.place();
        let after = if prefix.is_empty() { String::new() } else { format!(" after `{prefix}`") };
        let beside =
            self.beside.iter().fold(String::new(), |all, (name, value)| all + ", beside " + name + ": " + value);
        let optional = if self.optional { "; only where the platform is told to" } else { "" };
        let how = match &self.method {
            Method::Detached(detached) => {
                let (algorithm, message, encoding) =
                    (detached.algorithm.title(), detached.message.title(), detached.encoding.word());
                let key = if self.is_keyless() {
                    "no secret goes into it, so whoever knows what is signed can make it".to_owned()
                } else if detached.message.has_the_secret() {
                    format!("the secret is the {secret}")
                } else {
                    format!("the key is the {secret}{}", detached.key.describe(&detached.key_prefix))
                };
                let clock = detached.clock.as_ref().map_or_else(String::new, |clock| format!("; {}", clock.describe()));
                format!("{algorithm} of {message}, in {encoding}{after}, in {place}{beside}; {key}{clock}")
            }
            Method::Shared(shared) => {
                format!("{}{after}, in {place}{beside}; nothing of the call is signed", shared.describe(secret))
            }
            Method::Jwt(rules) => {
                let token = rules.describe();
                format!("{token}, in {place}{after}; the body is not covered; the key is the {secret}")
            }
        };
        how + optional
    }

    /// As [`Self::describe`], in the cells of a table.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let beside =
            self.beside.iter().fold(String::new(), |all, (name, value)| all + ", beside " + name + ": " + value);
        let before = if self.prefix.is_empty() { String::new() } else { format!(" after `{}`", self.prefix) };
        let several = self.separator.map_or_else(String::new, |separator| format!(", several by `{separator}`"));
        let place = format!("{}{before}{several}{beside}", self.place());
        let none = || "none".to_owned();
        match &self.method {
            Method::Detached(detached) => {
                let key = if self.is_keyless() {
                    none()
                } else {
                    self.secret.clone() + &detached.key.describe(&detached.key_prefix)
                };
                Summary {
                    signed: detached.message.title(),
                    by: format!("{}; key: {key}", detached.algorithm.title()),
                    place,
                    encoding: detached.encoding.word().to_owned(),
                    time: detached
                        .clock
                        .as_ref()
                        .map_or_else(none, |clock| clock.describe().replacen("its time is ", "", 1)),
                }
            }
            Method::Shared(shared) => Summary {
                signed: "nothing of the call".into(),
                by: shared.describe(&self.secret),
                place,
                encoding: "as it is".into(),
                time: none(),
            },
            Method::Jwt(rules) => Summary {
                signed: "the token's header and claims".into(),
                by: format!("{}; key: {}", rules.describe(), self.secret),
                place,
                encoding: "JWT".into(),
                time: "`exp` of the token".into(),
            },
        }
    }

    /// The flag that names a secret: `--secret moveo=env:MOVEO_TOKEN`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--secret {}={}", self.filed_under(), self.example)
    }

    /// The name that a secret for it is best filed under.
    fn filed_under(&self) -> &str {
        // A platform's token is no key, so a key is filed under its scheme.
        let own = self.apart || self.mixed || matches!(self.method, Method::Jwt(_));
        if own { &self.name } else { self.platform() }
    }

    /// The flag as an instruction.
    pub(super) fn how_to_configure(&self) -> String {
        format!("name the {} with `{}` or in hooktape.toml", self.secret, self.flag())
    }

    /// As [`Self::how_to_configure`], behind a sentence that goes on with the secrets that are not usable, where there
    /// are any: those are there, and another would not be asked.
    pub(super) fn unless_unread(&self, unread: &[String]) -> String {
        if unread.is_empty() { format!(": {}", self.how_to_configure()) } else { String::new() }
    }

    /// What to do where none of `secrets` can check.
    pub(super) fn how_to_be_checked(&self, secrets: &[&Secret]) -> String {
        let labels: Vec<&str> = secrets.iter().map(|secret| secret.label()).collect();
        if labels.is_empty() { self.how_to_configure() } else { format!("set {} right", labels.join(" and ")) }
    }

    /// What to do with a secret that fits and does not count, for it is filed under `name`. `own`: others are the route's or the
    /// target's own.
    pub(super) fn how_to_let_count(&self, secret: &Secret, name: &str, own: bool) -> String {
        let label = secret.label();
        if own && !self.apart {
            return format!(
                "which is configured for {name}, but the route or the target of this call has a `secret` of its own, beside \
                 which no other counts: write `secret = \"{label}\"` there"
            );
        }
        let place = self.filed_under();
        format!("which is configured for {name}: configure it for {place} too (`--secret {place}={label}`)")
    }

    /// The secret's bytes; none of a key pair where the secret is a shared one. A platform, a route or a target may have
    /// both, and a public key that counted as the secret of an HMAC would let anybody sign (algorithm confusion).
    pub(super) fn bytes<'a>(&self, secret: &'a Secret) -> Result<&'a [u8], SignError> {
        match secret.value() {
            Ok([]) => Err(SignError::Secret(format!("the {} is empty", self.secret))),
            Ok(key) if !self.takes_pairs() && pair::is_one(key) => Err(SignError::Secret(pair::no_shared_secret())),
            Ok(key) => Ok(key),
            Err(reason) => Err(SignError::Secret(reason.to_owned())),
        }
    }
}
