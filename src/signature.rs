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
mod scheme;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::call::{Request, Sig};
use crate::config::Secret;

pub use diagnose::diagnose;
pub use scheme::{Algorithm, Encoding, Message, Scheme};

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
}

impl Verdict {
    /// Whether a user would ask why.
    #[must_use]
    pub fn needs_explaining(&self) -> bool {
        !matches!(self.sig, Sig::Valid | Sig::Unsigned)
    }
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignError {
    /// The secret could not be read, is empty, or is no key for the algorithm.
    #[error("{0}")]
    Secret(String),
    /// The scheme signs a header that the request does not have.
    #[error("the signature covers the header {0}, which the request does not have")]
    Header(String),
}

/// Checks the signature of `request` with each of `secrets` (several: rotation). `at` is the time the call came, by
/// which schemes with a time rule judge.
///
/// Cheap, for it is on the path of every call: the body is neither copied nor parsed. Signatures compare in constant
/// time, hexadecimal ones without regard to case. An empty secret never fits: anyone could sign with it.
#[must_use]
pub fn verify(scheme: &Scheme, request: &Request, secrets: &[&Secret], at: Timestamp) -> Verdict {
    let _ = at; // no scheme with a time rule yet
    let (sig, reason, secret) = judge(scheme, request, secrets);
    Verdict {
        sig,
        reason,
        header: Some(scheme.header.clone()),
        given: request.headers.all(&scheme.header).next().map(|given| String::from_utf8_lossy(given).into_owned()),
        signed: Some(scheme.message.describe(request)),
        secret,
    }
}

fn judge(scheme: &Scheme, request: &Request, secrets: &[&Secret]) -> (Sig, String, Option<String>) {
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
    let given = match scheme.decode(given) {
        Ok(tag) => tag,
        Err(reason) => return malformed(format!("{header} is malformed: {reason}")),
    };
    if let Some(name) = scheme.message.missing(request) {
        return malformed(SignError::Header(name.to_owned()).to_string());
    }
    let mut unread = Vec::new();
    let mut tried = Vec::new();
    for secret in secrets {
        match scheme.key(secret).and_then(|key| scheme.tag(key, request, &request.body)) {
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
        [one] => format!("{header} does not fit {} with the secret at hand ({one})", scheme.message.title()),
        many => format!(
            "{header} does not fit {} with any of the {} secrets at hand ({})",
            scheme.message.title(),
            many.len(),
            many.join(", ")
        ),
    };
    if !unread.is_empty() {
        let _ = write!(reason, "; not usable: {}", unread.join(", "));
    }
    (sig, reason, None)
}

/// The signature that belongs on `request`, as it stands in the header.
///
/// # Errors
/// When the secret cannot be used, or the request lacks a header that the scheme signs.
pub fn compute(scheme: &Scheme, request: &Request, secret: &Secret) -> Result<String, SignError> {
    if let Some(name) = scheme.message.missing(request) {
        return Err(SignError::Header(name.to_owned()));
    }
    let tag = scheme.tag(scheme.key(secret)?, request, &request.body)?;
    Ok(scheme.encode(&tag))
}

/// Puts a fresh signature on the request, in the place of the one it has. `at` is the time of signing, for schemes that
/// sign it.
///
/// # Errors
/// As [`compute`]; the request is unchanged then.
pub fn sign(scheme: &Scheme, request: &mut Request, secret: &Secret, at: Timestamp) -> Result<(), SignError> {
    let _ = at; // no scheme that signs the time yet
    let signature = compute(scheme, request, secret)?;
    request.headers.set(&scheme.header, signature);
    Ok(())
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
    }
}
