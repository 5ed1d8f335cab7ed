//! What a look at the detached signature of a request finds: whether it fits, with which secret, and why (not).

use std::borrow::Cow;

use jiff::Timestamp;
use smallvec::SmallVec;

use super::clock::Untimely;
use super::detached::{Detached, PreparedKey};
use super::message::Source;
use super::tag::Tag;
use super::{Scheme, SignError};
use crate::call::{Request, Sig};
use crate::config::Secret;

/// What stands where the one signature belongs; the verdict where it does not.
pub(super) fn there<'a>(scheme: &'a Scheme, request: &'a Request) -> Result<Cow<'a, [u8]>, (Sig, String)> {
    let Some(given) = scheme.given(request) else {
        return Err((Sig::Missing, format!("{}; {}", scheme.absence(), scheme.missing)));
    };
    match scheme.repeated(request) {
        None => Ok(given),
        Some((_, presence)) => {
            Err((Sig::Malformed, format!("{presence}; which one a receiver reads is a matter of luck")))
        }
    }
}

/// The time that is signed, as it is written.
pub(super) fn stamp(scheme: &Scheme, detached: &Detached, request: &Request) -> Result<String, String> {
    let given = scheme.given(request).unwrap_or_default();
    detached.clock.as_ref().map_or_else(|| Ok(String::new()), |clock| clock.read(scheme, request, &given))
}

/// Signatures that may stand beside one another. No platform sends more than a few, and with a key pair each is dear to check.
pub(super) const MOST_SIGNATURES: usize = 16;

/// The tags in what is given, of which one shall fit; what is wrong where there is none, or too many.
fn tags(scheme: &Scheme, detached: &Detached, given: &[u8]) -> Result<SmallVec<[Tag; 1]>, String> {
    let mut tags = SmallVec::new();
    let mut first_fault = None;
    for (number, signature) in scheme.signatures(given).enumerate() {
        if number == MOST_SIGNATURES {
            return Err(format!("there are more than {MOST_SIGNATURES} signatures in it"));
        }
        match detached.decode(signature) {
            Ok(tag) => tags.push(tag),
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    if !tags.is_empty() {
        return Ok(tags);
    }
    Err(first_fault.unwrap_or_else(|| {
        let place = if scheme.separator.is_some() { "nothing in it begins" } else { "it does not begin" };
        format!("{place} with `{}`", scheme.prefix)
    }))
}

/// What a look at a detached signature found.
pub(super) enum Found<'a> {
    /// It fits, with this secret if it takes one; and what is wrong with it all the same.
    Fits(Option<&'a Secret>, Option<(Sig, String)>),
    /// It does not, or cannot be looked at: why.
    Not(Sig, String),
}

impl Found<'_> {
    pub(super) fn sig(&self) -> Sig {
        match self {
            Self::Fits(_, None) => Sig::Valid,
            Self::Fits(_, Some((sig, _))) | Self::Not(sig, _) => *sig,
        }
    }

    /// The word, the sentence, and the label of the secret that fits.
    pub(super) fn told(self, scheme: &Scheme, detached: &Detached) -> (Sig, String, Option<String>) {
        let sig = self.sig();
        match self {
            Self::Fits(secret, but) => {
                let fits = match secret {
                    Some(secret) => format!("signed with {}", secret.label()),
                    None => format!("{} fits {}", scheme.place(), detached.message.title()),
                };
                let reason = but.map_or_else(|| fits.clone(), |(_, but)| format!("{fits}, but {but}"));
                (sig, reason, secret.map(|secret| secret.label().to_owned()))
            }
            Self::Not(_, reason) => (sig, reason, None),
        }
    }
}

/// The secrets that a call was checked with, none of which fits.
#[derive(Default)]
pub(super) struct Tried<'a> {
    /// The labels of those that could be used.
    pub used: Vec<&'a str>,
    /// The labels of the others, and why they could not.
    pub unread: Vec<String>,
}

impl Tried<'_> {
    /// What a sentence says at its end of those that could not be used; nothing where there are none.
    pub(super) fn more(&self) -> String {
        if self.unread.is_empty() { String::new() } else { format!("; not usable: {}", self.unread.join(", ")) }
    }
}

/// The first of `secrets` whose bytes fit.
pub(super) fn fitting<'a>(
    scheme: &Scheme,
    secrets: &[&'a Secret],
    fits: impl Fn(&'a [u8]) -> Result<bool, SignError>,
) -> Result<&'a Secret, Tried<'a>> {
    let mut tried = Tried::default();
    for secret in secrets {
        match scheme.bytes(secret).and_then(&fits) {
            Ok(true) => return Ok(secret),
            Ok(false) => tried.used.push(secret.label()),
            Err(error) => tried.unread.push(format!("{}: {error}", secret.label())),
        }
    }
    Err(tried)
}

/// Holds what stands where the signature belongs against what is signed, with each secret.
pub(super) fn judge<'a>(
    scheme: &Scheme,
    detached: &Detached,
    request: &Request,
    secrets: &[&'a Secret],
    at: Timestamp,
) -> Found<'a> {
    let (place, message) = (|| scheme.place(), || detached.message.title());
    let malformed = |reason: String| Found::Not(Sig::Malformed, reason);
    let given = match there(scheme, request) {
        Ok(given) => given,
        Err((sig, reason)) => return Found::Not(sig, reason),
    };
    if let Some((name, value)) = scheme.beside.iter().find(|(name, value)| request.headers.get(name) != Some(value)) {
        return malformed(format!("{} is of another scheme: {name} is not {value}", place()));
    }
    if let Some(why) = request.cut_words() {
        return malformed(format!("{why}, so its signature cannot be checked"));
    }
    let tags = match tags(scheme, detached, &given) {
        Ok(tags) => tags,
        Err(reason) => return malformed(format!("{} is malformed: {reason}", place())),
    };
    let timestamp = match stamp(scheme, detached, request) {
        Ok(timestamp) => timestamp,
        Err(reason) => return malformed(format!("the time that is signed is missing: {reason}")),
    };
    let untimely = detached.clock.as_ref().and_then(|clock| clock.judge(&timestamp, at).err());
    if let Some(Untimely::NoTime(reason)) = &untimely {
        return malformed(format!("the time that is signed is malformed: {reason}"));
    }
    if let Some(what) = detached.message.missing(request) {
        return malformed(SignError::Lacking(what).to_string());
    }
    let body_fault = detached.body_fault(request);
    if let Some((true, reason)) = body_fault {
        return malformed(reason);
    }
    let urls = detached.urls(request);
    let fits =
        |key: &PreparedKey<'_>| urls.iter().any(|url| detached.fits(key, Source::of(request, url, &timestamp), &tags));
    let but = || match &body_fault {
        Some((_, fault)) => Some((Sig::Invalid, fault.clone())),
        None => untimely.clone().map(|untimely| (Sig::Stale, untimely.reason())),
    };
    if scheme.is_keyless() {
        return if fits(&PreparedKey::raw(b"")) {
            Found::Fits(None, but())
        } else {
            Found::Not(Sig::Invalid, format!("{} does not fit {}", place(), message()))
        };
    }
    let tried = match fitting(scheme, secrets, |bytes| Ok(fits(&detached.key(bytes)?))) {
        Ok(secret) => return Found::Fits(Some(secret), but()),
        Err(tried) => tried,
    };
    let sig = if tried.used.is_empty() { Sig::NoSecret } else { Sig::Invalid };
    let reason = match tried.used.as_slice() {
        [] => format!("there is no secret to check {} with{}", place(), scheme.unless_unread(&tried.unread)),
        [one] => format!("{} does not fit {} with the secret at hand ({one})", place(), message()),
        many => format!(
            "{} does not fit {} with any of the {} secrets at hand ({})",
            place(),
            message(),
            many.len(),
            many.join(", ")
        ),
    };
    Found::Not(sig, reason + &tried.more())
}
