//! JSON Web Tokens (RFC 7519, 7515): judged at the time of the call, minted at the time of sending.
//!
//! ```text
//! Bearer eyJhbGci....eyJzdWIi....c2lnbmF0...  --Token::parse--> header, claims, signature
//!                                              1. the header: pinned algorithm, nothing critical   \
//!                                              2. the signature, with each key at hand              > Verdict
//!                                              3. the claims: who, from whom, and when             /
//! ```
//!
//! What a token's header says never chooses the key: `kid`, `jku`, `x5u` and their like are ignored and mentioned. And it
//! chooses the algorithm only among those that the scheme allows and the key is made for.

mod audience;
mod diagnose;
mod fault;
#[cfg(test)]
mod tests;
mod time;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::keys::{self, Key};
use super::{Scheme, SignError, Verdict, carrier, message, place};
use crate::call::{Request, Sig};
use crate::config::Secret;

pub(super) use diagnose::diagnose;
use time::span;
use token::Token;

/// What a token of a scheme must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Those that a token may be signed with. A fresh one is signed with the one that fits the key.
    pub algorithms: Vec<Algorithm>,
    /// Of which `iss` must be one; a fresh token has the first. Empty: any.
    pub issuers: Vec<String>,
    /// Claims that must be there.
    pub required: Vec<String>,
    /// How long a fresh token is good for, in milliseconds.
    pub lifetime: u64,
    /// How far ahead the signer's clock may be, in milliseconds: for `iat` and `nbf`. For `exp` there is no mercy.
    pub leeway: u64,
    /// Where the subject of a fresh token is found in the request, if it bears no token that says.
    pub subject: Vec<Place>,
}

/// One minute.
pub(super) fn lifetime() -> u64 {
    60_000
}

/// A signature algorithm of RFC 7518.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// HMAC with SHA-256.
    Hs256,
}

impl Algorithm {
    /// As in a token's `alg`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }

    pub(super) fn takes(self, key: &Key) -> bool {
        key.algorithm() == self
    }
}

/// Where a value is found in a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Place {
    /// A JSON Pointer into the body.
    Body(String),
    /// A parameter of the query.
    Query(String),
    /// A header.
    Header(String),
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match place(&text, &["query", "header"])? {
            Some(("query", name)) => Self::Query(name.to_owned()),
            Some((_, name)) => Self::Header(name.to_owned()),
            None => Self::Body(text),
        })
    }
}

impl Place {
    /// The value, if it is there and not empty.
    #[must_use]
    pub fn read(&self, request: &Request) -> Option<String> {
        let value = match self {
            Self::Body(pointer) => message::value(&request.body, pointer).filter(|value| value != "null")?.into_owned(),
            Self::Header(name) => request.headers.get(name)?.to_owned(),
            Self::Query(name) => carrier::query(request, name)?,
        };
        Some(value).filter(|value| !value.is_empty())
    }
}

impl Rules {
    /// A new private key of the first algorithm.
    pub(super) fn fresh_secret(&self, label: &str) -> Result<Secret, SignError> {
        match self.algorithms.first() {
            Some(Algorithm::Hs256) => keys::random_text().map(|text| Secret::new(label, text)),
            Some(Algorithm::Es256) => keys::new_ec().map(|pem| Secret::new(label, pem)),
            Some(Algorithm::Rs256) | None => keys::new_rsa().map(|pair| Secret::new(label, pair.private_pem)),
        }
    }

    /// In words: `a JSON Web Token signed with RS256, with the claims sub and iss, issued by www.example.com, good for 4 s
    /// after it was made`.
    pub(super) fn describe(&self) -> String {
        let algorithms: Vec<&str> = self.algorithms.iter().map(|algorithm| algorithm.word()).collect();
        let required = match self.required.as_slice() {
            [] => String::new(),
            names => format!(", with the claims {}", names.join(", ")),
        };
        let issued = match self.issuers.as_slice() {
            [] => String::new(),
            issuers => format!(", issued by {}", issuers.join(" or ")),
        };
        let (signed, lifetime) = (algorithms.join(" or "), span(self.lifetime.into()));
        format!("a JSON Web Token signed with {signed}{required}{issued}, good for {lifetime} after it was made")
    }
}

/// The verdict on the token of `request` at the time `at`.
pub(super) fn judge(scheme: &Scheme, rules: &Rules, request: &Request, secrets: &[&Secret], at: Timestamp) -> Verdict {
    let header = &scheme.header;
    let mut values = request.headers.all(header);
    let given = values.next().map(|given| String::from_utf8_lossy(given).into_owned());
    let more = values.count();
    let verdict = |sig: Sig, reason: String| Verdict {
        sig,
        reason,
        header: Some(header.clone()),
        given: given.clone(),
        signed: None,
        secret: None,
        notes: Vec::new(),
    };
    let Some(text) = &given else {
        return verdict(Sig::Missing, format!("there is no {header} header; {}", scheme.missing));
    };
    if more > 0 {
        let many = format!("there are {} {header} headers; which one a receiver reads is a matter of luck", more + 1);
        return verdict(Sig::Malformed, many);
    }
    let token = match strip(text, &scheme.prefix) {
        Some(text) => Token::parse(text),
        None => Err(format!("it does not begin with `{}`", scheme.prefix)),
    };
    let token = match token {
        Ok(token) => token,
        Err(reason) => return verdict(Sig::Malformed, format!("{header} is malformed: {reason}")),
    };
    let found = |sig: Sig, reason: String, secret: Option<String>| Verdict {
        signed: Some(format!("header and claims of the token, {} bytes; not the body", token.signed.len())),
        secret,
        notes: token.notes(at),
        ..verdict(sig, reason)
    };
    if let Some(fault) = fault::of_header(rules, &token) {
        return found(Sig::Invalid, fault.what, None);
    }
    let outcome = try_keys(rules, &token, secrets);
    let is_unchecked = outcome.is_unchecked();
    let Outcome { fits, tried, unread } = outcome;
    let how = scheme.unless_unread(&unread);
    let unread = if unread.is_empty() { String::new() } else { format!("; not usable: {}", unread.join(", ")) };
    let faults = fault::of_claims(rules, &token, at);
    let whats: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    let whats = whats.join("; and ");
    let Some(label) = fits else {
        if is_unchecked {
            let reason = format!("there is no key to check {header} with{how}{unread}");
            // What the token says itself no key makes good.
            if faults.is_empty() {
                return found(Sig::NoSecret, reason, None);
            }
            return found(Sig::Invalid, format!("whoever signed it, {whats}; {reason}"), None);
        }
        let keys = match tried.len() {
            1 => "the key at hand".to_owned(),
            many => format!("any of the {many} keys at hand"),
        };
        let reason = format!("the token's signature does not fit {keys} ({}){unread}", tried.join(", "));
        return found(Sig::Invalid, reason, None);
    };
    let Some(worst) =
        faults.iter().map(|fault| fault.sig).find(|sig| *sig == Sig::Invalid).or(faults.first().map(|fault| fault.sig))
    else {
        let reason = format!("signed with {label}{}", audience::words(&token, request));
        return found(Sig::Valid, reason, Some(label));
    };
    found(worst, format!("signed with {label}, but {whats}"), Some(label))
}

/// The label of the first key that fits, and what is wrong with those that are none.
fn try_keys<'a>(rules: &Rules, token: &Token, secrets: &[&'a Secret]) -> Outcome<'a> {
    let mut all = Outcome::default();
    for secret in secrets {
        match Key::read(secret, &rules.algorithms) {
            Ok(key) if token.is_signed_by(&key) => {
                return Outcome { fits: Some(secret.label().to_owned()), ..Outcome::default() };
            }
            Ok(_) => all.tried.push(secret.label()),
            Err(reason) => all.unread.push(format!("{}: {reason}", secret.label())),
        }
    }
    all
}

/// What came of trying keys, by their labels.
#[derive(Default)]
struct Outcome<'a> {
    /// The one that fits.
    fits: Option<String>,
    /// Where none does: those that were tried.
    tried: Vec<&'a str>,
    /// And those that are no such key, and why.
    unread: Vec<String>,
}

impl Outcome<'_> {
    /// Whether there was no key to check with.
    fn is_unchecked(&self) -> bool {
        self.fits.is_none() && self.tried.is_empty()
    }
}

/// What follows the prefix. The name of an HTTP authentication scheme has no case (RFC 9110, 11.1).
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (before, after) = text.split_at_checked(prefix.len())?;
    before.eq_ignore_ascii_case(prefix).then_some(after)
}

/// A fresh token for `request`, as it stands in the header. It says what the one it replaces said; else who it is about is
/// looked for in the request.
pub(super) fn compute(
    scheme: &Scheme,
    rules: &Rules,
    request: &Request,
    secret: &Secret,
    at: Timestamp,
) -> Result<String, SignError> {
    let key = Key::read(secret, &rules.algorithms)?;
    let claims = claims(scheme, rules, request)?;
    Ok(scheme.prefix.clone() + &mint(&key, key.algorithm(), claims, rules.lifetime, at)?)
}

/// What a fresh token would be, in words.
pub(super) fn preview(scheme: &Scheme, rules: &Rules, request: &Request, secret: &Secret) -> Result<String, SignError> {
    let key = Key::read(secret, &rules.algorithms)?;
    key.sign(b"")?;
    let claims = claims(scheme, rules, request)?;
    let said = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    Ok(format!(
        "{}a fresh {} token for {} from {}, good for {} from the moment of sending",
        scheme.prefix,
        key.algorithm().word(),
        said("sub"),
        said("iss"),
        span(rules.lifetime.into())
    ))
}

/// What a fresh token for `request` says, but for its times.
fn claims(scheme: &Scheme, rules: &Rules, request: &Request) -> Result<Map<String, Value>, SignError> {
    let mut claims = peek(request, &scheme.header).unwrap_or_default();
    for time in ["iat", "nbf", "exp"] {
        claims.remove(time);
    }
    let said = claims.get("sub").and_then(Value::as_str).is_some_and(|sub| !sub.is_empty());
    if !said && let Some(subject) = rules.subject.iter().find_map(|place| place.read(request)) {
        claims.insert("sub".into(), subject.into());
    }
    let known = |iss: &str| rules.issuers.iter().any(|known| known == iss);
    if let Some(issuer) = rules.issuers.first()
        && !claims.get("iss").and_then(Value::as_str).is_some_and(known)
    {
        claims.insert("iss".into(), issuer.clone().into());
    }
    if rules.required.iter().any(|name| name == "aud") && !claims.contains_key("aud") {
        let url = request.url();
        claims.insert("aud".into(), url.split('?').next().unwrap_or_default().into());
    }
    let lacking = |name: &&String| !matches!(name.as_str(), "iat" | "exp") && !claims.contains_key(name.as_str());
    match rules.required.iter().find(lacking) {
        Some(name) => Err(SignError::Claim(name.clone())),
        None => Ok(claims),
    }
}

/// The claims of the token in `header`, whoever signed it.
pub(super) fn peek(request: &Request, header: &str) -> Option<Map<String, Value>> {
    let text = request.headers.get(header)?;
    claims_of(text.rsplit(' ').next()?)
}

/// What a token says, whoever signed it.
pub(super) fn claims_of(token: &str) -> Option<Map<String, Value>> {
    Token::parse(token).ok().map(|token| token.claims)
}

/// A token that nobody has signed, to carry `claims` until somebody does.
pub(super) fn unsigned(claims: &Map<String, Value>) -> String {
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&Value::Object(claims.clone())))
}

/// Signs `claims` with `iat` and `exp` added.
pub(super) fn mint(
    key: &Key,
    algorithm: Algorithm,
    mut claims: Map<String, Value>,
    lifetime: u64,
    at: Timestamp,
) -> Result<String, SignError> {
    if lifetime < 1000 {
        return Err(SignError::Lifetime(lifetime));
    }
    let now = at.as_second();
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), now.saturating_add_unsigned(lifetime / 1000).into());
    let header = json!({ "alg": algorithm.word(), "typ": "JWT" });
    let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
