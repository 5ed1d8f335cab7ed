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

mod diagnose;
mod jwt;
pub mod keys;
mod message;
mod pem;
mod scheme;
mod tag;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::call::{Request, Sig};
use crate::config::Secret;

pub use jwt::{Algorithm as TokenAlgorithm, Place, Rules};
pub use message::Message;
pub use scheme::{Algorithm, Digest, Method, Scheme};
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

/// Checks the signature of `request` with each of `secrets` (several: rotation; a keyless scheme needs none). `at` is the
/// time the call came, by which schemes with a time rule judge.
///
/// Cheap, for it is on the path of every call: the body is not copied, and parsed only as far as the scheme signs parts of
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
    let digest = match &scheme.method {
        Method::Jwt(rules) => return jwt::judge(scheme, rules, request, secrets, at),
        Method::Digest(digest) => digest,
    };
    let (sig, reason, secret) = judge(scheme, digest, request, secrets);
    Verdict {
        sig,
        reason,
        header: Some(scheme.header.clone()),
        given: request.headers.all(&scheme.header).next().map(|given| String::from_utf8_lossy(given).into_owned()),
        signed: Some(digest.message.describe(request)),
        secret,
        notes: Vec::new(),
    }
}

fn judge(scheme: &Scheme, digest: &Digest, request: &Request, secrets: &[&Secret]) -> (Sig, String, Option<String>) {
    let header = &scheme.header;
    let malformed = |reason: String| (Sig::Malformed, reason, None);
    let mut values = request.headers.all(header);
    let Some(given) = values.next() else {
        return (Sig::Missing, format!("there is no {header} header; {}", scheme.missing), None);
    };
    let more = values.count();
    if more > 0 {
        let reason = format!("there are {} {header} headers; which one a receiver reads is a matter of luck", more + 1);
        return malformed(reason);
    }
    if request.cut {
        return malformed("the body was cut at the listener's limit, so its signature cannot be checked".into());
    }
    let given = match digest.decode(&scheme.prefix, given) {
        Ok(tag) => tag,
        Err(reason) => return malformed(format!("{header} is malformed: {reason}")),
    };
    if let Some(what) = digest.message.missing(request) {
        return malformed(SignError::Lacking(what).to_string());
    }
    let message = digest.message.title();
    if scheme.is_keyless() {
        return match digest.tag(&[], request, &request.body) {
            Ok(tag) if tag.fits(&given) => (Sig::Valid, format!("{header} fits {message}"), None),
            _ => (Sig::Invalid, format!("{header} does not fit {message}"), None),
        };
    }
    let mut unread = Vec::new();
    let mut tried = Vec::new();
    for secret in secrets {
        match scheme.key(secret).and_then(|key| digest.tag(key, request, &request.body)) {
            Ok(tag) if tag.fits(&given) => {
                let label = secret.label().to_owned();
                return (Sig::Valid, format!("signed with {label}"), Some(label));
            }
            Ok(_) => tried.push(secret.label()),
            Err(error) => unread.push(format!("{}: {error}", secret.label())),
        }
    }
    let sig = if tried.is_empty() { Sig::NoSecret } else { Sig::Invalid };
    let mut reason = match tried.as_slice() {
        [] => format!("there is no secret to check {header} with: {}", scheme.how_to_configure()),
        [one] => format!("{header} does not fit {message} with the secret at hand ({one})"),
        many => format!(
            "{header} does not fit {message} with any of the {} secrets at hand ({})",
            many.len(),
            many.join(", ")
        ),
    };
    if !unread.is_empty() {
        let _ = write!(reason, "; not usable: {}", unread.join(", "));
    }
    (sig, reason, None)
}

/// Why the signature of `request` is not valid, best explanation first; each is a sentence that names the mistake and the
/// repair. Empty when it is valid. `others`: every other secret at hand with the name it is filed under.
///
/// Dear: the body is signed some twenty times for every secret.
#[must_use]
pub fn diagnose(
    scheme: &Scheme,
    request: &Request,
    secrets: &[&Secret],
    others: &[(&str, &Secret)],
    at: Timestamp,
) -> Vec<String> {
    if request.redacted {
        return Vec::new();
    }
    match &scheme.method {
        Method::Jwt(rules) => jwt::diagnose(scheme, rules, request, secrets, others, at),
        Method::Digest(digest) => {
            let sig = verify(scheme, request, secrets, at).sig;
            diagnose::diagnose(scheme, digest, request, sig, secrets, others)
        }
    }
}

/// The signature that belongs on `request` at the time `at`, as it stands in the header. A keyless scheme needs no `secret`.
///
/// # Errors
/// When the secret cannot be used or is not there, or the request lacks what the scheme signs.
pub fn compute(
    scheme: &Scheme,
    request: &Request,
    secret: Option<&Secret>,
    at: Timestamp,
) -> Result<String, SignError> {
    let digest = match &scheme.method {
        Method::Jwt(rules) => return jwt::compute(scheme, rules, request, needed(scheme, secret)?, at),
        Method::Digest(digest) => digest,
    };
    if let Some(what) = digest.message.missing(request) {
        return Err(SignError::Lacking(what));
    }
    let key = if scheme.is_keyless() { &[] } else { scheme.key(needed(scheme, secret)?)? };
    let tag = digest.tag(key, request, &request.body)?;
    Ok(scheme.prefix.clone() + &digest.encoding.encode(&tag))
}

/// What [`compute`] will give, before there is a time: itself where time does not matter, else in words.
///
/// # Errors
/// As [`compute`].
pub fn preview(scheme: &Scheme, request: &Request, secret: Option<&Secret>) -> Result<String, SignError> {
    match &scheme.method {
        Method::Jwt(rules) => jwt::preview(scheme, rules, request, needed(scheme, secret)?),
        Method::Digest(_) => compute(scheme, request, secret, Timestamp::UNIX_EPOCH),
    }
}

fn needed<'a>(scheme: &Scheme, secret: Option<&'a Secret>) -> Result<&'a Secret, SignError> {
    secret.ok_or_else(|| SignError::Secret(format!("there is no secret: {}", scheme.how_to_configure())))
}

/// Puts a fresh signature on the request, in the place of the one it has. `at` is the time of signing, for schemes that
/// sign it.
///
/// # Errors
/// As [`compute`]; the request is unchanged then.
pub fn sign(scheme: &Scheme, request: &mut Request, secret: Option<&Secret>, at: Timestamp) -> Result<(), SignError> {
    let signature = compute(scheme, request, secret, at)?;
    request.headers.set(&scheme.header, signature);
    // This signature is of what is there now.
    request.redacted = false;
    Ok(())
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
