//! Calls of a kind signed as its platform signs them.

use jiff::Timestamp;

use super::Kind;
use crate::call::Request;
use crate::config::Secret;
use crate::signature::{self, Carrier, Method, Scheme, SignError, Stamp};

impl Kind {
    /// The scheme to sign `request` by with `secret`: the one that it looks most like being signed by, of those that the secret
    /// is for. None where it is not signed, or need not be.
    fn scheme_to_sign(&self, request: &Request, secret: Option<&Secret>) -> Option<&Scheme> {
        if secret.is_none() && self.scheme().is_some_and(|(_, scheme)| scheme.optional) {
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
        let Some(scheme) = self.scheme_to_sign(request, secret) else { return Ok(()) };
        let borne = self.schemes().any(|(_, scheme)| scheme.is_borne_by(request));
        let whole = |other: &&Scheme| other.carrier == Carrier::Header && (!borne || other.is_borne_by(request));
        let mut others: Vec<&Scheme> = self.schemes().map(|(_, other)| other).filter(whole).collect();
        signature::sign(scheme, request, secret, at)?;
        // Where a platform signs in several headers, so does this.
        let mut places = vec![scheme.header.to_ascii_lowercase()];
        others.retain(|other| {
            let place = other.header.to_ascii_lowercase();
            let first = !places.contains(&place);
            places.push(place);
            first && !other.optional && secret.is_some_and(|secret| other.can_sign_with(secret))
        });
        others.into_iter().try_for_each(|other| signature::sign(other, request, secret, at))
    }

    /// Where [`Self::sign`] would write: headers, and JSON Pointers into the body.
    #[must_use]
    pub fn signs_in(&self, request: &Request, secret: Option<&Secret>) -> (Vec<&str>, Vec<&str>) {
        let (mut headers, mut pointers) = (Vec::new(), Vec::new());
        let Some(scheme) = self.scheme_to_sign(request, secret) else { return (headers, pointers) };
        match scheme.carrier {
            Carrier::Header => headers.push(scheme.header.as_str()),
            Carrier::Body => pointers.push(scheme.header.as_str()),
            Carrier::Query => {}
        }
        let clock = if let Method::Seal(seal) = &scheme.method { seal.clock.as_ref() } else { None };
        match clock.map(|clock| &clock.place) {
            Some(Stamp::Header(name)) => headers.push(name),
            Some(Stamp::Body(pointer)) => pointers.push(pointer),
            Some(Stamp::Field(_)) | None => {}
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
