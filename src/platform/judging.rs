//! Whether a call is authentic: which scheme it is signed by, and with which secrets that is looked at.

use std::fmt::Write as _;

use jiff::Timestamp;
use smallvec::SmallVec;

use super::{Kind, Platforms};
use crate::call::{Request, Sig};
use crate::config::{Carriers, Secret, Secrets};
use crate::signature::{self, AtHand, Carrier, Method, Scheme, Verdict};

impl Platforms {
    /// Checks a request's signature: by the scheme of its kind, or, when it was not recognised, by the scheme whose header it
    /// bears. `route`: the secrets of the route it came by, which count instead of the platform's when there are any.
    #[must_use]
    pub fn verify(
        &self,
        request: &Request,
        kind: Option<&Kind>,
        secrets: &Secrets,
        route: &[&Secret],
        at: Timestamp,
    ) -> Verdict {
        let judged = self.judged(request, kind, secrets, route, |scheme, secrets| {
            let verdict = signature::verify(scheme, request, secrets, at);
            (verdict.sig, verdict)
        });
        match judged {
            Some(Judged { said: mut verdict, beside, .. }) => {
                if let Some(other) = beside {
                    let _ = write!(verdict.reason, "; {} is good, but a receiver may look at either", other.header);
                }
                if kind.is_none()
                    && let Some(why) = self.stranger(request)
                {
                    let _ = write!(verdict.reason, "; {why}");
                }
                verdict
            }
            None if kind.is_some() => signature::unsigned(),
            None => Verdict {
                reason: "not recognised as a platform's call, so there is no signature to check".into(),
                ..signature::unsigned()
            },
        }
    }

    /// The word of [`Self::verify`]'s verdict, without its sentences.
    #[must_use]
    pub fn sig(
        &self,
        request: &Request,
        kind: Option<&Kind>,
        secrets: &Secrets,
        route: &[&Secret],
        at: Timestamp,
    ) -> Sig {
        let sig = |scheme: &Scheme, secrets: &[&Secret]| (signature::sig(scheme, request, secrets, at), ());
        self.judged(request, kind, secrets, route, sig).map_or(Sig::Unsigned, |judged| judged.sig)
    }

    /// Why a request's signature is not valid, as [`signature::diagnose`] has it; picks scheme and secrets as
    /// [`Self::verify`] does and tries every other secret besides.
    #[must_use]
    pub fn diagnose(
        &self,
        request: &Request,
        kind: Option<&Kind>,
        secrets: &Secrets,
        route: &[&Secret],
        at: Timestamp,
    ) -> Vec<String> {
        let sig = |scheme: &Scheme, secrets: &[&Secret]| (signature::sig(scheme, request, secrets, at), ());
        let Some(Judged { scheme, .. }) = self.judged(request, kind, secrets, route, sig) else { return Vec::new() };
        let ours = at_hand(scheme, secrets, route);
        let others: Vec<(&str, &Secret)> = secrets.all().filter(|(_, secret)| !ours.contains(secret)).collect();
        let at_hand = AtHand { secrets: &ours, others: &others, own: !route.is_empty() };
        signature::diagnose(scheme, request, at_hand, at)
    }

    /// Where the calls of all platforms carry tokens and signatures, be it under names that nobody would take for such.
    #[must_use]
    pub fn carriers(&self) -> Carriers {
        let mut carriers = Carriers::default();
        for scheme in self.packs.iter().flat_map(|pack| pack.schemes().values()) {
            let places = match scheme.carrier {
                Carrier::Header => &mut carriers.headers,
                Carrier::Query => &mut carriers.parameters,
                Carrier::Body => &mut carriers.pointers,
            };
            if !places.contains(&scheme.header) {
                places.push(scheme.header.clone());
            }
        }
        carriers
    }

    /// What `judge` says of a request, and the scheme that it is by: of several the one that says most for the request. But
    /// where it bears signatures in several places, one that is wrong or old counts before a good one: a platform makes all
    /// of them good, and nobody knows at which a receiver looks.
    fn judged<'a, T>(
        &'a self,
        request: &Request,
        kind: Option<&'a Kind>,
        secrets: &Secrets,
        route: &[&Secret],
        judge: impl Fn(&Scheme, &[&Secret]) -> (Sig, T),
    ) -> Option<Judged<'a, T>> {
        // Of equals the one that it looks like.
        let says = |judged: &Judged<'a, T>| (weight(judged.sig), judged.scheme.likeness(request));
        // The best of each place.
        let mut all: SmallVec<[Judged<'a, T>; 2]> = SmallVec::new();
        for scheme in self.schemes(request, kind) {
            let known = all.iter().position(|known| known.scheme.stands_where(scheme));
            if known.is_some_and(|known| all[known].sig == Sig::Valid) {
                continue;
            }
            let (sig, said) = judge(scheme, &at_hand(scheme, secrets, route));
            let judged = Judged { scheme, sig, said, beside: None };
            match known {
                Some(known) if says(&judged) > says(&all[known]) => all[known] = judged,
                Some(_) => {}
                None => all.push(judged),
            }
        }
        let is_bad = |judged: &Judged<'a, T>| {
            matches!(judged.scheme.method, Method::Detached(_)) && judged.sig.is_bad() && judged.sig != Sig::Missing
        };
        // Of equals the first.
        let best = (0..all.len()).rev().max_by_key(|&at| weight(all[at].sig))?;
        let good = (all[best].sig == Sig::Valid).then(|| all[best].scheme);
        let bad = (0..all.len()).filter(|&at| is_bad(&all[at])).min_by_key(|&at| weight(all[at].sig));
        let mut judged = all.swap_remove(bad.unwrap_or(best));
        judged.beside = good.filter(|_| bad.is_some());
        Some(judged)
    }

    /// The schemes that a request may be signed by: those of its kind or, of no kind, all whose signatures stand in the first
    /// header of such that it bears.
    pub(super) fn schemes<'a>(
        &'a self,
        request: &Request,
        kind: Option<&'a Kind>,
    ) -> impl Iterator<Item = &'a Scheme> + use<'a> {
        let packs = if kind.is_none() { &self.packs[..] } else { &[] };
        let mut all = packs.iter().flat_map(|pack| pack.schemes().values());
        let first = all.find(|scheme| !scheme.shares_its_header() && request.headers.has(&scheme.header));
        let others = all.filter(move |scheme| first.is_some_and(|first| scheme.stands_where(first)));
        kind.into_iter().flat_map(Kind::schemes).chain(first).chain(others)
    }
}

/// What was found of a request.
struct Judged<'a, T> {
    scheme: &'a Scheme,
    sig: Sig,
    said: T,
    /// By which it is good where by `scheme` it is not.
    beside: Option<&'a Scheme>,
}

/// How much a verdict says for a request, compared with that by another scheme.
fn weight(sig: Sig) -> u8 {
    match sig {
        Sig::Valid => 6,
        Sig::Stale => 5,
        Sig::Invalid => 4,
        Sig::NoSecret => 3,
        Sig::Malformed => 2,
        Sig::Missing => 1,
        Sig::Unsigned => 0,
    }
}

fn at_hand<'a>(scheme: &Scheme, secrets: &'a Secrets, route: &[&'a Secret]) -> SmallVec<[&'a Secret; 4]> {
    if route.is_empty() || scheme.apart {
        scheme.configured(secrets).collect()
    } else {
        route.iter().copied().filter(|secret| secret.is_for(&scheme.name)).collect()
    }
}

/// Whether a secret is configured for `scheme`, be it one that cannot be read.
pub(super) fn has_a_secret(scheme: &Scheme, secrets: &Secrets, route: &[&Secret]) -> bool {
    !scheme.is_keyless() && at_hand(scheme, secrets, route).into_iter().any(|secret| scheme.may_be_meant(secret))
}
