//! Which of several schemes and secrets a verdict is by.

use super::*;
use crate::signature::{self, Method};

const AT: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// A public key stands where a route, a target or a platform has the secrets of all its schemes.
#[test]
fn a_public_key_is_the_shared_secret_of_no_platform() {
    let platforms = platforms();
    let public = signature::keys::new_rsa().unwrap();
    for kind in platforms.kinds() {
        for (_, scheme) in kind.schemes() {
            let shared = match &scheme.method {
                Method::Shared(_) => true,
                Method::Seal(seal) => !scheme.is_keyless() && seal.algorithm.word().starts_with(['h', 's']),
                Method::Jwt(rules) => rules.algorithms == [signature::TokenAlgorithm::Hs256],
            };
            if !shared {
                continue;
            }
            let mut call = kind.sample();
            let theirs = scheme.fresh_secret("theirs").unwrap();
            signature::sign(scheme, &mut call, Some(&theirs), AT).unwrap();
            for key in [&public.public_pem, &public.public_base64] {
                let secret = Secret::new("file:public.pem", key.as_bytes());
                let verdict = signature::verify(scheme, &call, &[&secret], AT);
                assert_eq!(verdict.sig, Sig::NoSecret, "{}: {}", scheme.name, verdict.reason);
                assert!(verdict.reason.contains("it is a key of a pair"), "{}: {}", scheme.name, verdict.reason);
                assert!(signature::sign(scheme, &mut call.clone(), Some(&secret), AT).is_err(), "{}", scheme.name);
            }
        }
    }
}
