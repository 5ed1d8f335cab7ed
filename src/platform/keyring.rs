//! The secrets at hand, asked by whoever checks or makes a signature.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use crate::call::{Call, Request, Response, Sig};
use crate::config::{Config, Secret, Secrets, Target};
use crate::platform::{Kind, Platforms, judging};
use crate::signature::{self, Carrier, Method, Scheme, SignError, Verdict};
use crate::sync::lock;

/// Says that a call is signed with a test secret, so that its verdict does not depend on what is configured. Whoever opens a
/// webview page gets a callback signed so: where a secret is configured, it counts only for what comes from this machine.
const TEST_HEADER: &str = "x-hooktape-test";
/// What hooktape's own test calls are signed with where no secret is configured.
const TEST_LABEL: &str = "hooktape's own test secret";
const STRANGER_LABEL: &str = "somebody else's secret";

/// The configured secrets, and one for each scheme that lives as long as this process.
///
/// The test secrets are random, so that nobody outside can sign with them; they let `demo` and simple tests show real
/// verdicts before anything is configured. Made when first needed: a key pair takes its time.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// The configured ones.
    pub secrets: Secrets,
    /// Targets that have headers of their own that no other is to get.
    targets: Vec<Target>,
    /// By the scheme's full name.
    tests: Made,
    /// Likewise, and nothing is ever checked with them.
    strangers: Made,
}

/// The secrets that stand in for the configured ones with this call: those of its route or, where it was sent from here, of the
/// targets there.
#[must_use]
pub fn own_secrets(config: &Config, call: &Call) -> Vec<Secret> {
    config.secrets_of(call.request.origin.as_deref(), call.request.path(), call.kind.as_deref())
}

/// Secrets made by this process, by the full name of the scheme that each is for.
type Made = Arc<Mutex<BTreeMap<String, Result<Secret, SignError>>>>;

impl Keyring {
    /// A keyring with test secrets of its own.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, targets: Vec::new(), tests: Made::default(), strangers: Made::default() }
    }

    /// This keyring, which knows what is these targets' own, besides those that it knows already.
    #[must_use]
    pub fn knowing(mut self, targets: &[Target]) -> Self {
        let confidential = targets.iter().filter(|target| !target.referenced.is_empty());
        let new: Vec<Target> = confidential.filter(|target| !self.targets.contains(target)).cloned().collect();
        self.targets.extend(new);
        self
    }

    /// Takes off what some target of ours put into `request`, a call of `kind`, when it was sent there, and `target` has no
    /// value of its own for.
    pub fn leave_behind(&self, request: &mut Request, kind: Option<&str>, target: &Target) {
        // What came by itself may bear the same, and is then the sender's.
        let Some(origin) = &request.origin else { return };
        let theirs = self.targets.iter().flat_map(|known| {
            // The value may be another by now.
            let there = known.is_at(origin, kind);
            let borne = |name: &str| {
                let value = known.header(name).map(str::as_bytes);
                request.headers.all(name).any(|borne| value == Some(&**borne))
            };
            known.referenced.iter().filter(move |name| there || borne(name))
        });
        let behind: Vec<&String> = theirs.filter(|name| target.header(name).is_none()).collect();
        for name in behind {
            request.headers.remove(name);
        }
    }

    /// The verdict on a request. `own` are a route's or target's secrets: they stand in for the platform's where there
    /// are any.
    #[must_use]
    pub fn judge(
        &self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &[Secret],
        at: Timestamp,
    ) -> Verdict {
        let mut verdict =
            self.with(platforms, request, kind, own, |secrets, own| platforms.verify(request, kind, secrets, own, at));
        if verdict.needs_explaining()
            && let Some(Err(why)) = self.tests_for(platforms, request, kind, own)
        {
            let _ = write!(verdict.reason, "; it says that it is a test call of hooktape's own, {why}");
        }
        verdict
    }

    /// The word of [`Self::judge`]'s verdict, without its sentences: for the path of every call.
    #[must_use]
    pub fn sig(
        &self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &[Secret],
        at: Timestamp,
    ) -> Sig {
        self.with(platforms, request, kind, own, |secrets, own| platforms.sig(request, kind, secrets, own, at))
    }

    /// Why a verdict is what it is: sentences, best first. Dear: signs the body many times.
    #[must_use]
    pub fn diagnose(
        &self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &[Secret],
        at: Timestamp,
    ) -> Vec<String> {
        self.with(platforms, request, kind, own, |secrets, own| platforms.diagnose(request, kind, secrets, own, at))
    }

    /// Asks with the secrets that count for a request.
    fn with<T>(
        &self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &[Secret],
        ask: impl FnOnce(&Secrets, &[&Secret]) -> T,
    ) -> T {
        match self.tests_for(platforms, request, kind, own) {
            Some(Ok(tests)) => ask(&tests, &[]),
            Some(Err(_)) | None => ask(&self.secrets, &own.iter().collect::<Vec<_>>()),
        }
    }

    /// What a stand-in answers to a request of `kind`; see [`Kind::answer`].
    #[must_use]
    pub fn answer(&self, kind: &Kind, request: &Request, sig: Option<Sig>, own: &[Secret]) -> Response {
        if kind.always_replies() {
            return kind.reply();
        }
        // Calls that are answered at the same time must not wait for each other.
        let is_test = request.headers.has(TEST_HEADER) && self.takes_tests(kind, request, own);
        let tests = is_test.then(|| self.made());
        let shared = kind.schemes().flat_map(|scheme| scheme.configured(&self.secrets));
        let test = kind.schemes().filter_map(|scheme| tests.as_ref()?.get(&scheme.name)?.as_ref().ok());
        let secrets: Vec<&Secret> = test.chain(own).chain(shared).collect();
        kind.answer(request, sig, &secrets)
    }

    /// The test secrets that stand in for all others where the request says that it is a test, or why they do not.
    fn tests_for(
        &self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &[Secret],
    ) -> Option<Result<Secrets, &'static str>> {
        if !request.headers.has(TEST_HEADER) {
            return None;
        }
        if !self.test_secrets_count(request, platforms.schemes(request, kind), own) {
            return Some(Err(
                "but where a secret is configured only one that comes from this machine, by no proxy, counts",
            ));
        }
        let made = self.made();
        let test = |scheme: &Scheme| Some((scheme.name.clone(), vec![made.get(&scheme.name)?.clone().ok()?]));
        let tests = Secrets(platforms.schemes(request, kind).filter_map(test).collect());
        Some(if tests.0.is_empty() { Err("whose secret only the program that made it knows") } else { Ok(tests) })
    }

    /// Whether a test secret is good for a call of `kind` that comes the way of `request`; `own` as in [`Self::judge`].
    #[must_use]
    pub fn takes_tests(&self, kind: &Kind, request: &Request, own: &[Secret]) -> bool {
        self.test_secrets_count(request, kind.schemes(), own)
    }

    fn test_secrets_count<'a>(
        &self,
        request: &Request,
        mut schemes: impl Iterator<Item = &'a Scheme>,
        own: &[Secret],
    ) -> bool {
        let own: Vec<&Secret> = own.iter().collect();
        // What has an origin was sent from here.
        request.origin.is_some()
            || request.is_from_here()
            || !schemes.any(|scheme| judging::has_a_secret(scheme, &self.secrets, &own))
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Result<Secret, SignError>>> {
        lock(&self.tests)
    }

    /// Marks a request that is going to be signed with a test secret, and takes the mark off any other.
    pub fn mark(&self, request: &mut Request, secret: &Secret) {
        if self.made().values().flatten().any(|test| test == secret) {
            request.headers.set(TEST_HEADER, "1");
        } else {
            request.headers.remove(TEST_HEADER);
        }
    }

    /// The secret to sign `request` with, a call of `kind`: the target's own, else the platform's, for the scheme that the
    /// request bears if there is one for it. It is for no other schemes than those that it is configured for. None where it
    /// is not signed, or signed without a secret. One of the target's own that was meant for this and cannot be had is never
    /// replaced.
    ///
    /// # Errors
    /// When it needs one and there is none: a sentence with the repair.
    pub fn signing(&self, kind: &Kind, request: &Request, own: &[Secret]) -> Result<Option<Secret>, String> {
        let Some(usual) = kind.scheme().filter(|scheme| !scheme.is_keyless()) else { return Ok(None) };
        let platform = kind.platform();
        let ordered = kind.by_likeness(request);
        let schemes = || ordered.iter().copied();
        let scoped = |secret: &Secret, is_its: &dyn Fn(&Scheme) -> bool| {
            if ordered.len() == 1 {
                return secret.clone();
            }
            let names = schemes().filter(|scheme| is_its(scheme)).map(|scheme| scheme.name.clone());
            secret.clone().only_for(names.collect())
        };
        // Of one that cannot be read nobody knows what it was for.
        let own_may_be = |scheme: &Scheme| !scheme.may_send_a_key() && (!scheme.apart || ordered.len() == 1);
        let fits = |scheme: &Scheme, secret: &Secret| own_may_be(scheme) && scheme.can_sign_with(secret);
        let stops = |secret: &&Secret| secret.value().is_err() || schemes().any(|scheme| fits(scheme, secret));
        let first = own.iter().find(stops);
        if let Some(secret) = first.filter(|secret| secret.value().is_ok()) {
            return Ok(Some(scoped(secret, &own_may_be)));
        }
        let meant = first.or_else(|| own.iter().find(|secret| schemes().any(|scheme| scheme.may_be_meant(secret))));
        let why = |secret: &Secret| schemes().find_map(|scheme| scheme.why_not(secret));
        if let Some((secret, why)) = meant.and_then(|secret| Some((secret, why(secret)?))) {
            return Err(format!(
                "cannot sign for {platform} with {}, the target's own: {why}; set it right, or send the signature as it is \
                 (exact)",
                secret.label()
            ));
        }
        // No other takes the place of a target's own.
        if !own.is_empty() && schemes().all(Scheme::may_send_a_key) {
            return Err(format!(
                "cannot sign for {platform} with {}, the target's own: it may be a key, which is never sent itself; take it out \
                 and start with {}, or send the signature as it is (exact)",
                own[0].label(),
                usual.flag()
            ));
        }
        let secrets = || {
            schemes().flat_map(|scheme| scheme.configured_to_sign(&self.secrets).map(move |secret| (scheme, secret)))
        };
        if let Some((_, secret)) = secrets().find(|(scheme, secret)| scheme.can_sign_with(secret)) {
            let is_its = |scheme: &Scheme| scheme.configured_to_sign(&self.secrets).any(|filed| filed == secret);
            return Ok(Some(scoped(secret, &is_its)));
        }
        let withheld = schemes().any(|scheme| {
            scheme.may_send_a_key() && own.iter().chain(scheme.configured(&self.secrets)).next().is_some()
        });
        // It would leave with a signature of what it was.
        let signed =
            schemes().find(|scheme| matches!(scheme.method, Method::Detached(_)) && scheme.likeness(request) == 2);
        if usual.optional && signed.is_none() && !withheld && secrets().next().is_none() {
            return Ok(None);
        }
        let flag = signed.filter(|_| usual.optional).unwrap_or(usual).flag();
        let repair = format!("start with {flag}, or send the signature as it is (exact)");
        // The reason of one that was meant for this says more than that there is none.
        let unfit = secrets().find_map(|(scheme, secret)| Some((secret, scheme.why_not(secret)?)));
        Err(match unfit {
            // That it is configured is not what is missing.
            Some((secret, why)) if secret.value().is_err() => format!(
                "cannot sign for {platform} with {}: {why}; set it right, or send the signature as it is (exact)",
                secret.label()
            ),
            Some((secret, why)) => format!("cannot sign for {platform} with {}: {why}; {repair}", secret.label()),
            None if withheld => format!(
                "no secret to sign for {platform} with: one of a target or for the whole of {platform} may be a key, which is \
                 never sent itself; {repair}"
            ),
            None => format!("no secret to sign for {platform} with: {repair}"),
        })
    }

    /// The secret for calls to our own listener: a configured one, else a test secret.
    ///
    /// # Errors
    /// When the system has no randomness to make one.
    pub fn signing_for_ourselves(&self, kind: &Kind, request: &Request) -> Result<Option<Secret>, String> {
        match self.signing(kind, request, &[]) {
            Ok(Some(secret)) => Ok(Some(secret)),
            Ok(None) | Err(_) => self.signing_as_a_test(kind),
        }
    }

    /// The test secret to sign a call of `kind` with. None where it needs none.
    ///
    /// # Errors
    /// When the system has no randomness to make one.
    pub fn signing_as_a_test(&self, kind: &Kind) -> Result<Option<Secret>, String> {
        kind.scheme().map_or(Ok(None), |scheme| made_for(scheme, &self.tests, TEST_LABEL))
    }

    /// Signs a call of `kind` as somebody else who has none of our secrets: by every scheme that it bears, so that no signature
    /// on it is good, else by the usual one. A header in `set` is not the call's, but a gateway's, say: it stays.
    ///
    /// # Errors
    /// When it lacks what is signed, there is no room for a signature, or the system has no randomness to make a secret.
    pub fn sign_as_a_stranger(
        &self,
        kind: &Kind,
        request: &mut Request,
        secret: Option<&Secret>,
        set: &[String],
        at: Timestamp,
    ) -> Result<(), String> {
        let is_set = |scheme: &Scheme| {
            scheme.carrier == Carrier::Header && set.iter().any(|name| name.eq_ignore_ascii_case(&scheme.header))
        };
        let mut schemes = kind.by_likeness(request);
        schemes.retain(|scheme| !is_set(scheme));
        let usual = kind.schemes().find(|scheme| !is_set(scheme));
        schemes.retain(|scheme| scheme.is_borne_by(request));
        // Two that stand in one place look alike, a token and a JWT say: our own secret says which of them its endpoint checks.
        let ours = secret.map(|secret| kind.schemes_to_sign(request, Some(secret))).unwrap_or_default();
        let ours = ours.into_iter().filter(|scheme| !is_set(scheme) && !scheme.is_keyless());
        let mut schemes: Vec<&Scheme> = ours.chain(schemes).collect();
        if schemes.is_empty() {
            let none = || format!("its headers are set where a signature of {} belongs: leave them out", kind.name);
            schemes.push(usual.ok_or_else(none)?);
        }
        let mut written: Vec<&Scheme> = Vec::new();
        for scheme in schemes {
            if written.iter().any(|known| known.stands_where(scheme)) {
                continue;
            }
            let secret = made_for(scheme, &self.strangers, STRANGER_LABEL)?;
            match signature::sign(scheme, request, secret.as_ref(), at) {
                Ok(()) => written.push(scheme),
                Err(_) if !written.is_empty() && scheme.carrier == Carrier::Header => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        // What cannot be signed anew may be good.
        for scheme in kind.schemes().filter(|scheme| scheme.carrier == Carrier::Header && !is_set(scheme)) {
            if !written.iter().any(|known| known.stands_where(scheme)) {
                request.headers.remove(&scheme.header);
            }
        }
        Ok(())
    }
}

fn made_for(scheme: &Scheme, made: &Made, label: &str) -> Result<Option<Secret>, String> {
    if scheme.is_keyless() {
        return Ok(None);
    }
    // Whoever panicked while it made a secret has left the map whole.
    let mut made = lock(made);
    let fresh = || scheme.fresh_secret(label).map(|secret| secret.only_for(vec![scheme.name.clone()]));
    let secret = made.entry(scheme.name.clone()).or_insert_with(fresh);
    secret.clone().map(Some).map_err(|error| error.to_string())
}
