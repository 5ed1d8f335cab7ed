//! Signatures: the only crypto.
//!
//! ```text
//! pack.toml --> Scheme --+
//! the call  --> Request -+--> verify()   --> Verdict     is it authentic, and why (not)
//! config    --> Secret --+--> diagnose() --> sentences   what went wrong, and the repair
//!                        +--> sign()     --> Request     with a fresh signature
//! ```
//!
//! A [`Scheme`] is data that a platform's pack holds; a new platform that signs in a known way needs no code here.
//! Nothing here writes the right signature into a sentence: whoever can read a verdict must not be able to forge one.

mod carrier;
mod clock;
mod detached;
mod diagnose;
mod judge;
mod jwt;
pub mod keys;
mod message;
mod pair;
mod pem;
mod public;
mod scheme;
mod shared;
mod tag;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::call::{Request, Sig};
use crate::config::Secret;
use crate::json;
use detached::PreparedKey;
use judge::{MOST_SIGNATURES, judge, stamp, there};
use message::Source;

pub use carrier::Carrier;
pub use clock::{Clock, Stamp, Unit, Window};
pub use detached::{Algorithm, Detached, KeyForm};
pub use jwt::{Algorithm as TokenAlgorithm, Place, Rules};
pub use message::Message;
pub use scheme::{Method, Scheme, Summary};
pub use shared::Shared;
pub use tag::Encoding;

/// What a check found and why. Stays on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The finding in one word.
    pub sig: Sig,
    /// One sentence: what was found and, unless valid, what to do.
    pub reason: String,
    /// Where the signature stood, as the scheme names it (`X-Moveo-Signature`).
    pub header: Option<String>,
    /// What stood there: text from the wire, not made safe for a terminal.
    pub given: Option<String>,
    /// What was signed, in words (`the body, 612 bytes`).
    pub signed: Option<String>,
    /// The label of the secret that fitted.
    pub secret: Option<String>,
    /// What a token says, with labels: header, claims, times beside the time of the call. Text from the wire.
    pub notes: Vec<(String, String)>,
}

impl Verdict {
    /// Whether a user would ask why.
    #[must_use]
    pub fn needs_explaining(&self) -> bool {
        !matches!(self.sig, Sig::Valid | Sig::Unsigned)
    }
}

/// Why a request could not be signed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignError {
    /// The secret could not be read, is empty, or is no key for the algorithm.
    #[error("{0}")]
    Secret(String),
    /// The scheme signs something that the request does not have.
    #[error("the signature covers {0}, which the request does not have")]
    Lacking(String),
    /// A token needs a claim that neither the request nor the token it replaces holds.
    #[error("a fresh token needs `{0}`, and the request does not say it: mint one with `hooktape keys jwt`")]
    Claim(String),
    /// A token's lifetime, in milliseconds, is under a second.
    #[error("a token of {0} ms has expired when it is made, for its times are whole seconds: give it 1000 ms or more")]
    Lifetime(u64),
}

/// Where a pack says that something stands: `sort:NAME`, of a sort among `sorts`, as the sort and the name; or nothing where it is a
/// JSON Pointer into the body.
///
/// # Errors
/// A sentence that shows how a place is written.
pub fn place<'a>(text: &'a str, sorts: &[&str]) -> Result<Option<(&'a str, &'a str)>, String> {
    if text.starts_with('/') {
        return json::check_pointer(text).map(|()| None);
    }
    let named = text.split_once(':').filter(|(sort, name)| sorts.contains(sort) && !name.is_empty());
    let sorts = || sorts.iter().map(|sort| format!("\"{sort}:NAME\"")).collect::<Vec<_>>().join(", ");
    named.map(Some).ok_or_else(|| format!("{text:?} is no place: write {} or \"/pointer\"", sorts()))
}

/// Checks the signature of `request` with each of `secrets` (several: rotation; a keyless scheme needs none). `at` is the
/// time the call came, by which schemes with a time rule judge.
///
/// Cheap, for it is on the path of every call: the body is not copied but for key pairs, and parsed only as far as the scheme signs parts of
/// it. Signatures compare in constant time, hexadecimal ones without regard to case. An empty secret never fits: anyone
/// could sign with it.
#[must_use]
pub fn verify(scheme: &Scheme, request: &Request, secrets: &[&Secret], at: Timestamp) -> Verdict {
    if request.redacted {
        return Verdict {
            sig: Sig::Malformed,
            reason: "parts of this call are masked, so its signature can no longer be checked".into(),
            header: Some(scheme.header.clone()),
            ..unsigned()
        };
    }
    let found = |(sig, reason, secret): (Sig, String, Option<String>), signed: Option<String>| Verdict {
        sig,
        reason,
        header: Some(scheme.header.clone()),
        given: scheme.given(request).map(|given| String::from_utf8_lossy(&given).into_owned()),
        signed,
        secret,
        notes: Vec::new(),
    };
    if need_not_be(scheme, request, secrets) {
        let reason = format!("{}: the platform signs only where it is told to", scheme.absence());
        return Verdict { reason, ..unsigned() };
    }
    match &scheme.method {
        Method::Jwt(rules) => jwt::judge(scheme, rules, request, secrets, at),
        Method::Shared(shared) => {
            let judged = match there(scheme, request) {
                Ok(given) => shared.judge(scheme, &given, secrets),
                Err((sig, reason)) => (sig, reason, None),
            };
            found(judged, Some("nothing: the secret itself is sent".into()))
        }
        Method::Detached(detached) => {
            let (url, timestamp) = (request.url(), stamp(scheme, detached, request).unwrap_or_default());
            let source = Source::of(request, &url, &timestamp);
            let judged = judge(scheme, detached, request, secrets, at).told(scheme, detached);
            found(judged, Some(detached.message.describe(source)))
        }
    }
}

/// The word of [`verify`]'s verdict without its sentences, which cost more than most signatures.
#[must_use]
pub fn sig(scheme: &Scheme, request: &Request, secrets: &[&Secret], at: Timestamp) -> Sig {
    match &scheme.method {
        Method::Detached(detached) if !request.redacted && !need_not_be(scheme, request, secrets) => {
            judge(scheme, detached, request, secrets, at).sig()
        }
        _ => verify(scheme, request, secrets, at).sig,
    }
}

/// Whether there is no signature, and none was to be expected.
fn need_not_be(scheme: &Scheme, request: &Request, secrets: &[&Secret]) -> bool {
    scheme.optional && secrets.is_empty() && scheme.given(request).is_none()
}

/// The secrets by which a bad signature is explained.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtHand<'a> {
    /// Those that the signature is checked with.
    pub secrets: &'a [&'a Secret],
    /// Every other with the name that it is filed under.
    pub others: &'a [(&'a str, &'a Secret)],
    /// Whether they are a route's or target's own, beside which none that is filed counts.
    pub own: bool,
}

/// Why the signature of `request` is not valid, best explanation first; each is a sentence that names the mistake and the
/// repair. Empty when it is valid.
///
/// Dear: the body is signed some twenty times for every secret.
#[must_use]
pub fn diagnose(scheme: &Scheme, request: &Request, at_hand: AtHand<'_>, at: Timestamp) -> Vec<String> {
    if request.redacted {
        return Vec::new();
    }
    match &scheme.method {
        Method::Jwt(rules) => jwt::diagnose(scheme, rules, request, at_hand, at),
        Method::Shared(shared) => {
            let Verdict { sig, .. } = verify(scheme, request, at_hand.secrets, at);
            shared::diagnose(scheme, *shared, request, sig, at_hand)
        }
        Method::Detached(detached) => {
            let Verdict { sig, .. } = verify(scheme, request, at_hand.secrets, at);
            diagnose::diagnose(scheme, detached, request, (sig, at), at_hand)
        }
    }
}

/// The signature that belongs on `request` at the time `at`, as it stands in its place. What is signed besides stands in the
/// request already; see [`sign`]. A keyless scheme needs no `secret`.
///
/// # Errors
/// When the secret cannot be used or is not there, or the request lacks what the scheme signs.
pub fn compute(
    scheme: &Scheme,
    request: &Request,
    secret: Option<&Secret>,
    at: Timestamp,
) -> Result<String, SignError> {
    let detached = match &scheme.method {
        Method::Jwt(rules) => return jwt::compute(scheme, rules, request, needed(scheme, secret)?, at),
        Method::Shared(shared) => {
            return Ok(scheme.prefix.clone() + &shared.write(scheme.bytes(needed(scheme, secret)?)?)?);
        }
        Method::Detached(detached) => detached,
    };
    if let Some(what) = detached.message.missing(request) {
        return Err(SignError::Lacking(what));
    }
    let key = if scheme.is_keyless() {
        PreparedKey::raw(b"")
    } else {
        detached.key(scheme.bytes(needed(scheme, secret)?)?)?
    };
    let timestamp = match &detached.clock {
        Some(Clock { place: Stamp::Field(_), .. }) | None => detached.clock.as_ref().map(|clock| clock.write(at)),
        Some(_) => stamp(scheme, detached, request).ok(),
    };
    let (url, timestamp) = (request.url(), timestamp.unwrap_or_default());
    let source = Source::of(request, &url, &timestamp);
    let tag = scheme.prefix.clone() + &detached.encoding.encode(&detached.tag(&key, source)?);
    Ok(match (&detached.clock, scheme.separator) {
        (Some(Clock { place: Stamp::Field(name), .. }), Some(separator)) => {
            format!("{name}={timestamp}{separator}{tag}")
        }
        _ => tag,
    })
}

/// What [`sign`] will write, before there is a time: itself where time does not matter, else in words.
///
/// # Errors
/// As [`sign`].
pub fn preview(scheme: &Scheme, request: &Request, secret: Option<&Secret>) -> Result<String, SignError> {
    match &scheme.method {
        Method::Jwt(rules) => jwt::preview(scheme, rules, request, needed(scheme, secret)?),
        // A secret is not for looking at.
        Method::Shared(shared) => {
            shared.write(scheme.bytes(needed(scheme, secret)?)?)?;
            Ok(format!("{}{}", scheme.prefix, shared.describe(&scheme.secret)))
        }
        Method::Detached(detached) => {
            let mut request = request.clone();
            sign(scheme, &mut request, secret, Timestamp::UNIX_EPOCH)?;
            let moving = detached.clock.is_some()
                || detached.message.covers_the_url()
                || detached.algorithm == Algorithm::EcdsaP256;
            let given =
                scheme.given(&request).map(|given| String::from_utf8_lossy(&given).into_owned()).unwrap_or_default();
            Ok(if moving {
                format!("{} of {}, made when it is sent", detached.algorithm.title(), detached.message.title())
            } else {
                given
            })
        }
    }
}

fn needed<'a>(scheme: &Scheme, secret: Option<&'a Secret>) -> Result<&'a Secret, SignError> {
    let usable = secret.filter(|secret| secret.is_for(&scheme.name));
    usable.ok_or_else(|| SignError::Secret(format!("there is no secret: {}", scheme.how_to_configure())))
}

/// Puts a fresh signature on the request, in the place of the one it has, with what is signed besides it: `at`, the time of
/// signing, for schemes that sign it, and the headers that tell the scheme from others.
///
/// # Errors
/// As [`compute`]; the request is unchanged then.
pub fn sign(scheme: &Scheme, request: &mut Request, secret: Option<&Secret>, at: Timestamp) -> Result<(), SignError> {
    let mut signed = request.clone();
    for (name, value) in &scheme.beside {
        signed.headers.set(name, value.clone());
    }
    if let Method::Detached(detached) = &scheme.method {
        detached.prepare(&mut signed, at)?;
    }
    let signature = compute(scheme, &signed, secret, at)?;
    scheme.put(&mut signed, &signature)?;
    // This signature is of what is there now.
    signed.redacted = false;
    *request = signed;
    Ok(())
}

/// `request` four times, each with a flipped bit in its signature: what must not pass.
#[must_use]
pub fn spoiled(scheme: &Scheme, request: &Request) -> Vec<Request> {
    let given = scheme.given(request).unwrap_or_default().into_owned();
    let digits = match &scheme.method {
        Method::Jwt(_) | Method::Shared(_) => given.len() - scheme.prefix.len().min(given.len()),
        Method::Detached(_) => scheme.signatures(&given).last().map_or(0, <[u8]>::len),
    };
    let places = (0..4).map(|quarter| given.len() - digits + digits.saturating_sub(1) * quarter / 3);
    let spoil = |place: usize| {
        let mut bytes = given.clone();
        *bytes.get_mut(place)? ^= 1;
        let mut changed = request.clone();
        scheme.put(&mut changed, std::str::from_utf8(&bytes).ok()?).ok()?;
        Some(changed)
    };
    places.filter_map(spoil).collect()
}

/// `text` signed as `scheme` signs a message, without what stands before it: how some platforms ask whether an endpoint has
/// the secret.
///
/// # Errors
/// When the secret cannot be used, or the scheme makes no detached signature.
pub fn sign_text(scheme: &Scheme, text: &str, secret: &Secret) -> Result<String, SignError> {
    let Method::Detached(detached) = &scheme.method else {
        return Err(SignError::Secret(format!("{} signs no text", scheme.name)));
    };
    let key = detached.key(scheme.bytes(secret)?)?;
    let tag = detached.algorithm.digest(key.bytes(), std::iter::once(Cow::Borrowed(text.as_bytes())))?;
    Ok(detached.encoding.encode(&tag))
}

/// What a bearer token in `Authorization` says under `claim`, whoever signed it: for showing, never for trusting.
#[must_use]
pub fn claim(request: &Request, claim: &str) -> Option<String> {
    let claims = jwt::peek(request, "authorization")?;
    match claims.get(claim)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What a token says, whoever signed it: for showing, never for trusting. None where it is no token.
#[must_use]
pub fn claims(token: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    jwt::claims_of(token)
}

/// The value of `scheme`'s header that carries `claims` to whoever signs them; none where the scheme has no token.
#[must_use]
pub fn carry(scheme: &Scheme, claims: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    matches!(scheme.method, Method::Jwt(_)).then(|| scheme.prefix.clone() + &jwt::unsigned(claims))
}

/// The verdict where a kind's contract has no signature.
#[must_use]
pub fn unsigned() -> Verdict {
    Verdict {
        sig: Sig::Unsigned,
        reason: "the contract of this call has no signature".into(),
        header: None,
        given: None,
        signed: None,
        secret: None,
        notes: Vec::new(),
    }
}
