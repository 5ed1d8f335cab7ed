//! The secrets at hand, asked by whoever checks or makes a signature.

use jiff::Timestamp;
use uuid::Uuid;

use crate::call::Request;
use crate::config::{Secret, Secrets};
use crate::platform::{Kind, Platforms};
use crate::signature::Verdict;

/// Says that a call is signed with the test secret, so that its verdict does not depend on what is configured. Nobody
/// gains anything by sending it: without the secret the signature is invalid.
const TEST_HEADER: &str = "x-hooktape-test";
/// What hooktape's own test calls are signed with where no secret is configured.
const TEST_LABEL: &str = "hooktape's own test secret";

/// The configured secrets, and one that lives as long as this process.
///
/// The test secret is random, so that nobody outside can sign with it; it lets `demo` and simple tests show real
/// verdicts before anything is configured.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// The configured ones.
    pub secrets: Secrets,
    test: Secret,
}

impl Keyring {
    /// A keyring with a fresh test secret.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        let random = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self { secrets, test: Secret::new(TEST_LABEL, random) }
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
        platforms.verify(request, kind, &self.secrets, &self.own(request, own), at)
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
        platforms.diagnose(request, kind, &self.secrets, &self.own(request, own), at)
    }

    /// The secrets that stand in for the platform's.
    fn own<'a>(&'a self, request: &Request, own: &'a [Secret]) -> Vec<&'a Secret> {
        if request.headers.has(TEST_HEADER) { vec![&self.test] } else { own.iter().collect() }
    }

    /// Marks a request that is going to be signed with the test secret.
    pub fn mark(&self, request: &mut Request, secret: &Secret) {
        if *secret == self.test {
            request.headers.set(TEST_HEADER, "1");
        }
    }

    /// The secret to sign a call of `kind` with: the target's own, else the platform's.
    #[must_use]
    pub fn signing(&self, kind: Option<&Kind>, own: &[Secret]) -> Option<Secret> {
        let kind = kind?;
        let (name, _) = kind.scheme()?;
        let usable = |secret: &&Secret| secret.value().is_ok();
        own.iter().find(usable).or_else(|| self.secrets.of(kind.platform(), name).into_iter().find(usable)).cloned()
    }

    /// The secret for calls to our own listener: a configured one, else the test secret.
    #[must_use]
    pub fn signing_for_ourselves(&self, kind: Option<&Kind>) -> Option<Secret> {
        kind.and_then(Kind::scheme)?;
        Some(self.signing(kind, &[]).unwrap_or_else(|| self.test.clone()))
    }
}
