//! A request on its way out: where it goes, and what signature it leaves with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::call::{Id, Request};
use crate::config::{Secret, Target, Tls, without_query};
use crate::net::avoid::Avoid;
use crate::net::fault::Fault;
use crate::net::is_ourselves;
use crate::platform::{Keyring, Kind, Platforms};
use crate::signature::Verdict;

/// How a call that is sent again is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignMode {
    /// Signed anew at the moment of sending.
    #[default]
    Fresh,
    /// With the signature it has, whether that still fits or not.
    Exact,
}

impl SignMode {
    /// The word used on the screen and the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Exact => "exact",
        }
    }

    /// The word with what becomes of the signature of a call that is sent so.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Fresh => "fresh: signed anew as it is sent",
            Self::Exact => "exact: the signature stays as it was",
        }
    }

    /// The one that a switch between the two turns to.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Fresh => Self::Exact,
            Self::Exact => Self::Fresh,
        }
    }
}

/// What signature a request leaves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// The one it has, or none: header and bytes as they are.
    Exact,
    /// A new one, made at the moment of sending with this secret; none where the scheme needs none.
    Fresh(Option<Secret>),
}

/// A request on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What is sent; its target and origin are replaced by `url`'s.
    pub request: Request,
    /// Where to.
    pub url: Url,
    /// The `host` that it names; none: the one of `url`.
    pub virtual_host: Option<String>,
    /// Whose contract it follows.
    pub kind: Option<String>,
    /// Its signature.
    pub signing: Signing,
    /// The target's own secrets, to judge the signature it leaves with.
    pub secrets: Vec<Secret>,
    /// The call that it repeats.
    pub parent: Option<Id>,
    /// The conversation that it belongs to, where that need not be read in it.
    pub conversation: Option<String>,
    /// How long the endpoint may take.
    pub timeout: Duration,
    /// Whom it believes to be the endpoint, over https.
    pub tls: Tls,
    /// What is wrong with it on purpose.
    pub fault: Option<Fault>,
    /// Listeners that it must not come to.
    pub avoid: Option<Arc<Avoid>>,
    /// Headers that it leaves without, whatever would add them.
    pub dropped: Vec<String>,
    /// Headers that are set for it, as by its target: no signature, not even a bad one, takes their place.
    pub set: Vec<String>,
}

impl Outgoing {
    /// Aims `request` at `target`. `listener` is our own address, if there is one: calls to it may be signed with the
    /// keyring's test secret.
    ///
    /// # Errors
    /// When the target's address cannot be made for this call, a header of it cannot be had, or it shall be signed and there is no secret: a sentence
    /// with the repair.
    pub fn aim(
        mut request: Request,
        kind: Option<&Kind>,
        target: &Target,
        mode: SignMode,
        keyring: &Keyring,
        listener: Option<SocketAddr>,
    ) -> Result<Self, String> {
        if let Some(why) = target.lost() {
            return Err(why);
        }
        let name = kind.map(|kind| kind.name.as_str());
        // A target with a path of its own takes no other path; but what some calls say is their query.
        let address = if kind.is_some_and(Kind::reads_the_query) {
            target.url_with_query(name, &request.target)?
        } else {
            target.url_for(name, &request.target)?
        };
        // Its query may hold a secret.
        let shown = without_query(&address);
        let url = Url::parse(&address).map_err(|error| format!("{shown:?} is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("{shown:?} is not an http or https address"));
        }
        keyring.leave_behind(&mut request, kind.map(|kind| kind.name.as_str()), target);
        for name in &target.drop_headers {
            request.headers.remove(name);
        }
        let signed = kind.filter(|kind| mode == SignMode::Fresh && kind.scheme().is_some());
        // By what the call bears: a header of the target's that stands in such a place is its gateway's, say.
        let secret = match signed {
            None => None,
            Some(kind)
                if target.secrets.is_empty() && listener.is_some_and(|listener| is_ourselves(&url, listener)) =>
            {
                keyring.signing_for_ourselves(kind, &request)?
            }
            Some(kind) => keyring.signing(kind, &request, &target.secrets)?,
        };
        for (name, value) in &target.headers {
            request.headers.set(name, value.clone());
        }
        // What the target has a value for is there.
        let dropped = target.drop_headers.iter().filter(|name| target.header(name).is_none()).cloned().collect();
        let signing = match signed {
            None => Signing::Exact,
            Some(kind) => {
                if let Some(secret) = &secret {
                    keyring.mark(&mut request, secret);
                }
                let (places, _) = kind.signs_in(&request, secret.as_ref());
                if let Some(place) = places.into_iter().find(|place| target.header(place).is_some()) {
                    return Err(format!(
                        "{place} cannot be set for {}: the new signature of {} belongs there; leave that header out, or send the \
                         signature as it is (exact)",
                        target.name, kind.name
                    ));
                }
                Signing::Fresh(secret)
            }
        };
        Ok(Self {
            request,
            url,
            virtual_host: target.header("host").map(str::to_owned),
            kind: kind.map(|kind| kind.name.clone()),
            signing,
            secrets: target.secrets.clone(),
            parent: None,
            conversation: None,
            timeout: target.timeout,
            tls: target.tls.clone(),
            fault: None,
            avoid: None,
            dropped,
            set: target.headers.iter().map(|(name, _)| name.clone()).collect(),
        })
    }

    /// Why a header that `header` is true of, or a value of the body by its `pointer`, cannot be set: a new signature belongs
    /// there, or its time.
    #[must_use]
    pub fn why_not_set(
        &self,
        platforms: &Platforms,
        header: impl Fn(&str) -> bool,
        pointer: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let (Signing::Fresh(secret), Some(kind)) = (&self.signing, platforms.kind(self.kind.as_deref())) else {
            return None;
        };
        let (headers, pointers) = kind.signs_in(&self.request, secret.as_ref());
        let mut headers = headers.into_iter().filter(|name| header(name));
        let place = headers.next().or_else(|| pointers.into_iter().find(|place| pointer(place)))?;
        Some(format!(
            "{place} cannot be set: the new signature belongs there; leave it out, or send the signature as it is (exact)"
        ))
    }

    /// Why it cannot have this fault with the signature that it leaves with, if so: where none has to be there, its endpoint
    /// would rightly take it.
    #[must_use]
    pub fn why_not_faulty(&self, fault: Fault, platforms: &Platforms) -> Option<String> {
        let kind = platforms.kind(self.kind.as_deref())?;
        kind.scheme().filter(|usual| usual.optional)?;
        match &self.signing {
            Signing::Fresh(secret) => {
                fault.why_not_with(kind, kind.bears_then(&self.request, secret.as_ref()), &self.request)
            }
            Signing::Exact => {
                let schemes = kind.schemes();
                let borne = schemes.filter(|scheme| scheme.is_borne_by(&self.request));
                fault.why_not_with(kind, borne, &self.request)
            }
        }
    }

    /// What its endpoint will find at the time `at` if it is sent with the signature it has: that a token has expired, say, and
    /// by how much. None where it is signed anew or nobody knows its contract.
    #[must_use]
    pub fn verdict(&self, platforms: &Platforms, keyring: &Keyring, at: Timestamp) -> Option<Verdict> {
        let kind = platforms.kind(self.kind.as_deref())?;
        let exact = self.signing == Signing::Exact;
        exact.then(|| keyring.judge(platforms, &self.request, Some(kind), &self.secrets, at))
    }

    /// This call as a repetition of `parent`.
    #[must_use]
    pub fn repeating(self, parent: Option<Id>) -> Self {
        Self { parent, ..self }
    }

    /// Host and port, as a question before sending names them.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secrets;

    /// What leaves for `target` of a call that bears `headers`, with the secret filed under `name`.
    fn aimed(kind: &str, name: &str, headers: &[(&str, &str)], target: &Target) -> Result<Outgoing, String> {
        let platforms = Platforms::builtin().unwrap();
        let secrets = [(name.to_owned(), vec![Secret::new("env:KEY", "key")])];
        let keyring = Keyring::new(Secrets(secrets.into_iter().collect()));
        let kind = platforms.kind(kind).unwrap();
        let mut request = kind.sample();
        for (name, value) in headers {
            request.headers.set(name, (*value).to_owned());
        }
        Outgoing::aim(request, Some(kind), target, SignMode::Fresh, &keyring, None)
    }

    #[test]
    fn a_header_of_the_targets_does_not_choose_how_a_call_is_signed() {
        let gateway = Target {
            headers: vec![("Authorization".to_owned(), "Bearer of-the-gateway".to_owned())],
            ..Target::new("gateway", "http://127.0.0.1:1")
        };
        for name in ["vapi", "vapi/hmac"] {
            let sent = aimed("vapi/message", name, &[], &gateway).unwrap();
            assert_eq!(sent.request.headers.get("authorization"), Some("Bearer of-the-gateway"));
        }
        let why = aimed("vapi/message", "vapi/bearer", &[("authorization", "Bearer old")], &gateway).unwrap_err();
        assert!(why.starts_with("Authorization cannot be set for gateway: "), "{why}");
    }

    #[test]
    fn what_leaves_unsigned_cannot_be_stale_or_tampered_with() {
        let platforms = Platforms::builtin().unwrap();
        let target = Target::new("here", "http://127.0.0.1:1");
        let why = |name: &str, secrets: &[(&str, &str)], bears: &[(&str, &str)], mode, fault: Fault| {
            let kind = platforms.kind(name).unwrap();
            let secret = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![Secret::new("env:KEY", *value)]);
            let keyring = Keyring::new(Secrets(secrets.iter().map(secret).collect()));
            let mut request = kind.sample();
            for (name, value) in bears {
                request.headers.set(name, (*value).to_owned());
            }
            let sent = Outgoing::aim(request, Some(kind), &target, mode, &keyring, None).unwrap();
            sent.why_not_faulty(fault, &platforms)
        };
        let (fresh, exact) = (SignMode::Fresh, SignMode::Exact);
        let key = [("calendly", "a key")];
        for (fault, said) in [(Fault::Stale, "says when it was made"), (Fault::Tampered, "covers the body")] {
            assert!(why("calendly/event", &[], &[], fresh, fault).unwrap().contains(said));
            assert!(why("calendly/event", &[], &[], exact, fault).unwrap().contains(said));
            assert_eq!(why("calendly/event", &key, &[], fresh, fault), None);
            let signed = [("calendly-webhook-signature", "t=1,v1=ab")];
            assert_eq!(why("calendly/event", &[], &signed, exact, fault), None);
            // One that has to be there is missed, whatever else is wrong.
            assert_eq!(why("moveo/dialog", &[], &[], exact, fault), None);
        }
        // A token says nothing of the body.
        assert!(why("vapi/message", &[("vapi/secret", "s")], &[], fresh, Fault::Tampered).is_some());
        assert_eq!(why("vapi/message", &[("vapi/hmac", "s")], &[], fresh, Fault::Tampered), None);
        assert_eq!(why("calendly/event", &[], &[], fresh, Fault::BadSignature), None, "a stranger signs it");
    }

    #[test]
    fn the_opening_of_a_page_keeps_its_query_wherever_it_goes() {
        let platforms = Platforms::builtin().unwrap();
        let keyring = Keyring::new(Secrets::default());
        let kind = platforms.kind("jelou/webview_open");
        let request = Request { method: "GET".into(), target: "/pay?a=%20&executionId=e".into(), ..Request::default() };
        let sent = |url: &str| {
            let target = Target::new("page", url);
            let aimed = Outgoing::aim(request.clone(), kind, &target, SignMode::Fresh, &keyring, None);
            aimed.unwrap().url.to_string()
        };
        assert_eq!(sent("http://localhost:3000"), "http://localhost:3000/pay?a=%20&executionId=e");
        assert_eq!(sent("http://localhost:3000{path}"), "http://localhost:3000/pay?a=%20&executionId=e");
        assert_eq!(sent("http://localhost:3000/form"), "http://localhost:3000/form?a=%20&executionId=e");
        assert_eq!(sent("http://localhost:3000/form?x=1"), "http://localhost:3000/form?x=1&a=%20&executionId=e");
    }

    #[test]
    fn what_one_target_got_by_reference_no_other_gets() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let staging = Target {
            headers: vec![header("Authorization", "of-staging"), header("X-Env", "staging")],
            referenced: vec!["Authorization".to_owned()],
            ..Target::new("staging", "http://127.0.0.1:1")
        };
        let keyring = Keyring::new(Secrets::default()).knowing(std::slice::from_ref(&staging));
        let aimed = |request: &Request, target: &Target| {
            let aimed = Outgoing::aim(request.clone(), None, target, SignMode::Exact, &keyring, None).unwrap();
            aimed.request.headers.get("authorization").map(str::to_owned)
        };
        let local = Target::new("local", "http://127.0.0.1:2");
        let came = Request { method: "POST".into(), target: "/".into(), ..Request::default() };
        let mut sent = Outgoing::aim(came.clone(), None, &staging, SignMode::Exact, &keyring, None).unwrap().request;
        sent.origin = Some("http://127.0.0.1:1".to_owned());
        assert_eq!(aimed(&sent, &staging).as_deref(), Some("of-staging"));
        assert_eq!(aimed(&sent, &local), None);
        // Nor where the reference has another value by now, or none.
        let mut then = sent.clone();
        then.headers.set("authorization", "of-staging-then".to_owned());
        assert_eq!(aimed(&then, &local), None);
        let own = Target { headers: vec![header("authorization", "of-local")], ..local.clone() };
        assert_eq!(aimed(&sent, &own).as_deref(), Some("of-local"));
        // Another's stays, and so does what the platform itself sent.
        let mut others = sent.clone();
        others.headers.set("authorization", "typed".to_owned());
        others.origin = Some("http://127.0.0.1:3".to_owned());
        assert_eq!(aimed(&others, &local).as_deref(), Some("typed"));
        let came = Request { origin: None, ..sent };
        assert_eq!(aimed(&came, &local).as_deref(), Some("of-staging"));
    }
}
