//! Calls of a kind signed as its platform signs them.

use jiff::Timestamp;
use smallvec::SmallVec;

use super::Kind;
use crate::call::Request;
use crate::config::Secret;
use crate::signature::{self, Carrier, Method, Scheme, SignError, Stamp};

impl Kind {
    /// The scheme to sign `request` by with `secret`: the one that it looks most like being signed by, of those that the secret
    /// is for. None where it is not signed, or need not be.
    fn scheme_to_sign(&self, request: &Request, secret: Option<&Secret>) -> Option<&Scheme> {
        if secret.is_none() && self.scheme().is_some_and(|scheme| scheme.optional) {
            return None;
        }
        let fits = |scheme: &&Scheme| secret.is_none_or(|secret| scheme.can_sign_with(secret));
        let ordered = self.by_likeness(request);
        ordered.iter().copied().find(fits).or_else(|| ordered.first().copied())
    }

    /// Puts a fresh signature on the request; does nothing where the contract has none.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn sign(&self, request: &mut Request, secret: Option<&Secret>, at: Timestamp) -> Result<(), SignError> {
        let schemes = self.schemes_to_sign(request, secret);
        schemes.iter().try_for_each(|scheme| signature::sign(scheme, request, secret, at))?;
        self.schemes_to_take_off(&schemes).for_each(|scheme| request.headers.remove(&scheme.header));
        Ok(())
    }

    /// What a request bears once [`Self::sign`] is through with it: what it was signed by, and what was left on it.
    pub fn bears_then<'a>(&'a self, request: &Request, secret: Option<&Secret>) -> impl Iterator<Item = &'a Scheme> {
        let anew = self.schemes_to_sign(request, secret);
        let gone: SmallVec<[&Scheme; 4]> = self.schemes_to_take_off(&anew).collect();
        let stays = |scheme: &&Scheme| scheme.is_borne_by(request) && !gone.iter().any(|one| one.stands_where(scheme));
        let left: SmallVec<[&Scheme; 4]> = self.schemes().filter(stays).collect();
        anew.into_iter().chain(left)
    }

    /// Those that [`Self::sign`] writes by: where a platform signs in several headers, it does so too.
    pub(in crate::platform) fn schemes_to_sign(
        &self,
        request: &Request,
        secret: Option<&Secret>,
    ) -> SmallVec<[&Scheme; 4]> {
        let mut all: SmallVec<[&Scheme; 4]> = self.scheme_to_sign(request, secret).into_iter().collect();
        let Some(secret) = secret.filter(|_| !all.is_empty()) else { return all };
        let borne = self.schemes().any(|scheme| scheme.is_borne_by(request));
        for other in self.schemes().filter(|scheme| scheme.carrier == Carrier::Header) {
            let wanted = if borne { other.is_borne_by(request) } else { !other.optional };
            let free = !all.iter().any(|scheme| scheme.stands_where(other));
            if wanted && free && other.can_sign_with(secret) {
                all.push(other);
            }
        }
        all
    }

    /// Those whose signatures it would not make anew and takes off, if it makes any: they may be another call's by then.
    fn schemes_to_take_off(&self, anew: &[&Scheme]) -> impl Iterator<Item = &Scheme> {
        let old = |scheme: &&Scheme| {
            matches!(scheme.method, Method::Detached(_))
                && !scheme.shares_its_header()
                && !anew.is_empty()
                && !anew.iter().any(|one| one.stands_where(scheme))
        };
        let old: SmallVec<[&Scheme; 4]> = self.schemes().filter(old).collect();
        old.into_iter()
    }

    /// Where [`Self::sign`] would write, or take something off: headers, and JSON Pointers into the body.
    #[must_use]
    pub fn signs_in(&self, request: &Request, secret: Option<&Secret>) -> (Vec<&str>, Vec<&str>) {
        let (mut headers, mut pointers) = (Vec::new(), Vec::new());
        let schemes = self.schemes_to_sign(request, secret);
        headers.extend(self.schemes_to_take_off(&schemes).map(|scheme| scheme.header.as_str()));
        for scheme in schemes {
            match scheme.carrier {
                Carrier::Header => headers.push(scheme.header.as_str()),
                Carrier::Body => pointers.push(scheme.header.as_str()),
                Carrier::Query => {}
            }
            headers.extend(scheme.beside.keys().map(String::as_str));
            let clock = if let Method::Detached(detached) = &scheme.method { detached.clock.as_ref() } else { None };
            match clock.map(|clock| &clock.place) {
                Some(Stamp::Header(name)) => headers.push(name),
                Some(Stamp::Body(pointer)) => pointers.push(pointer),
                Some(Stamp::Field(_)) | None => {}
            }
        }
        (headers, pointers)
    }

    /// What [`Self::sign`] would write, before there is a time; none where the contract has no signature.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn preview(&self, request: &Request, secret: Option<&Secret>) -> Option<Result<String, SignError>> {
        self.scheme_to_sign(request, secret).map(|scheme| signature::preview(scheme, request, secret))
    }

    /// As [`Self::sign`], good for `lifetime` milliseconds where the scheme's signatures expire.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn sign_lasting(
        &self,
        request: &mut Request,
        secret: Option<&Secret>,
        at: Timestamp,
        lifetime: u64,
    ) -> Result<(), SignError> {
        let scheme = self.scheme_to_sign(request, secret);
        scheme.map_or(Ok(()), |scheme| signature::sign(&scheme.clone().lasting(lifetime), request, secret, at))
    }
}
