//! The secrets at hand, asked by whoever checks or makes a signature.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::call::Request;
use crate::config::{Secret, Secrets};
use crate::platform::{Kind, Platforms};
use crate::signature::{Method, Scheme, SignError, TokenAlgorithm, Verdict};

/// Says that a call is signed with a test secret, so that its verdict does not depend on what is configured. Nobody
/// gains anything by sending it: without the secret the signature is invalid.
const TEST_HEADER: &str = "x-hooktape-test";
/// What hooktape's own test calls are signed with where no secret is configured.
const TEST_LABEL: &str = "hooktape's own test secret";

/// The configured secrets, and one of each sort that lives as long as this process.
///
/// The test secrets are random, so that nobody outside can sign with them; they let `demo` and simple tests show real
/// verdicts before anything is configured. Made when first needed: a key pair takes its time.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// The configured ones.
    pub secrets: Secrets,
    text: Test,
    rsa: Test,
    ec: Test,
}

type Test = Arc<OnceLock<Result<Secret, SignError>>>;

impl Keyring {
    /// A keyring with test secrets of its own.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, text: Test::default(), rsa: Test::default(), ec: Test::default() }
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
        platforms.verify(request, kind, &self.secrets, &self.own(platforms, request, kind, own), at)
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
        platforms.diagnose(request, kind, &self.secrets, &self.own(platforms, request, kind, own), at)
    }

    /// The secrets that stand in for the platform's.
    fn own<'a>(
        &'a self,
        platforms: &Platforms,
        request: &Request,
        kind: Option<&Kind>,
        own: &'a [Secret],
    ) -> Vec<&'a Secret> {
        let ours = || self.test(platforms.scheme(request, kind)?).get()?.as_ref().ok();
        match request.headers.has(TEST_HEADER).then(ours).flatten() {
            Some(test) => vec![test],
            None => own.iter().collect(),
        }
    }

    /// Marks a request that is going to be signed with a test secret, and takes the mark off any other.
    pub fn mark(&self, request: &mut Request, secret: &Secret) {
        let same = |test: &Test| matches!(test.get(), Some(Ok(test)) if test == secret);
        if [&self.text, &self.rsa, &self.ec].into_iter().any(same) {
            request.headers.set(TEST_HEADER, "1");
        } else {
            request.headers.remove(TEST_HEADER);
        }
    }

    /// The secret to sign a call of `kind` with: the target's own, else the platform's. None where it is not signed, or
    /// signed without a secret.
    ///
    /// # Errors
    /// When it needs one and there is none: a sentence with the repair.
    pub fn signing(&self, kind: &Kind, own: &[Secret]) -> Result<Option<Secret>, String> {
        let Some((name, scheme)) = kind.scheme().filter(|(_, scheme)| !scheme.is_keyless()) else { return Ok(None) };
        let shared = || self.secrets.of(kind.platform(), name);
        let fit = own.iter().chain(shared()).find(|secret| scheme.can_sign_with(secret));
        if let Some(secret) = fit {
            return Ok(Some(secret.clone()));
        }
        let platform = kind.platform();
        let repair = format!("start with {}, or send the signature as it is (exact)", scheme.flag());
        // The reason of one that was meant for this says more than that there is none.
        let meant = own.iter().chain(shared()).find_map(|secret| Some((secret, scheme.why_not(secret)?)));
        Err(match meant {
            Some((secret, why)) => format!("cannot sign for {platform} with {}: {why}; {repair}", secret.label()),
            None => format!("no secret to sign for {platform} with: {repair}"),
        })
    }

    /// The secret for calls to our own listener: a configured one, else a test secret.
    ///
    /// # Errors
    /// When the system has no randomness to make one.
    pub fn signing_for_ourselves(&self, kind: &Kind) -> Result<Option<Secret>, String> {
        self.signing(kind, &[]).or_else(|_| self.signing_as_a_test(kind))
    }

    /// The test secret to sign a call of `kind` with. None where it needs none.
    ///
    /// # Errors
    /// When the system has no randomness to make one.
    pub fn signing_as_a_test(&self, kind: &Kind) -> Result<Option<Secret>, String> {
        let Some((_, scheme)) = kind.scheme().filter(|(_, scheme)| !scheme.is_keyless()) else { return Ok(None) };
        let made = self.test(scheme).get_or_init(|| scheme.fresh_secret(TEST_LABEL));
        made.clone().map(Some).map_err(|error| error.to_string())
    }

    /// The test secret of the sort that [`Scheme::fresh_secret`] makes for `scheme`.
    fn test(&self, scheme: &Scheme) -> &OnceLock<Result<Secret, SignError>> {
        match &scheme.method {
            Method::Digest(_) => &self.text,
            Method::Jwt(rules) => match rules.algorithms.first() {
                Some(TokenAlgorithm::Hs256) => &self.text,
                Some(TokenAlgorithm::Es256) => &self.ec,
                Some(TokenAlgorithm::Rs256) | None => &self.rsa,
            },
        }
    }
}
