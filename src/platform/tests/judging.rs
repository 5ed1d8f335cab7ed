//! Which of several schemes and secrets a verdict is by.

use super::*;
use crate::platform::Keyring;
use crate::signature::{self, Method, Scheme};

const AT: Timestamp = Timestamp::constant(1_700_000_000, 0);

fn scheme<'a>(platforms: &'a Platforms, kind: &str, name: &str) -> &'a Scheme {
    let mut schemes = platforms.kind(kind).unwrap().schemes();
    schemes.find(|scheme| scheme.bare() == name).unwrap()
}

#[test]
fn a_wrong_or_old_signature_counts_before_a_good_one_in_another_place() {
    let platforms = platforms();
    let secret = Secret::new("env:SECRET", "s3cret");
    let secrets = Secrets(["github", "hubspot"].map(|name| (name.to_owned(), vec![secret.clone()])).into());
    let old = AT - jiff::SignedDuration::from_hours(30 * 24);
    for (name, worse, good, spoil, expected, header) in [
        ("github/event", "webhook", "sha1", true, Sig::Invalid, "X-Hub-Signature"),
        ("github/event", "sha1", "webhook", true, Sig::Invalid, "X-Hub-Signature-256"),
        ("hubspot/events", "v3", "v1", true, Sig::Invalid, "X-HubSpot-Signature"),
        ("hubspot/events", "v3", "v1", false, Sig::Stale, "X-HubSpot-Signature"),
    ] {
        let kind = platforms.kind(name).unwrap();
        let mut call = kind.sample();
        call.public = Some("https://a.example".into());
        let (worse, good) = (scheme(&platforms, name, worse), scheme(&platforms, name, good));
        signature::sign(good, &mut call, Some(&secret), AT).unwrap();
        signature::sign(worse, &mut call, Some(&secret), AT).unwrap();
        let verdict = |call: &Request| platforms.verify(call, Some(kind), &secrets, &[], AT);
        assert_eq!(verdict(&call).sig, Sig::Valid, "{name}: {}", verdict(&call).reason);
        signature::sign(worse, &mut call, Some(&secret), old).unwrap();
        if spoil {
            call = signature::spoiled(worse, &call).swap_remove(0);
        }
        let found = verdict(&call);
        assert_eq!((found.sig, platforms.sig(&call, Some(kind), &secrets, &[], AT)), (expected, expected), "{name}");
        assert_eq!(found.header.as_deref(), Some(worse.header.as_str()));
        assert!(found.reason.ends_with(&format!("; {header} is good, but a receiver may look at either")), "{found:?}");
        assert!(!platforms.diagnose(&call, Some(kind), &secrets, &[], AT).is_empty());
        call.headers.set(&worse.header, "zz");
        assert_eq!(verdict(&call).sig, Sig::Malformed, "{name}");
    }
}

#[test]
fn of_schemes_that_fit_as_little_the_one_that_is_named_beside_is_told_of() {
    let platforms = platforms();
    let secrets = Secrets([("hubspot".to_owned(), vec![Secret::new("env:SECRET", "s3cret")])].into());
    let kind = platforms.kind("hubspot/events").unwrap();
    for version in ["v1", "v2"] {
        let mut call = kind.sample();
        call.headers.set("X-HubSpot-Signature", "zz");
        call.headers.set("X-HubSpot-Signature-Version", version);
        let verdict = platforms.verify(&call, Some(kind), &secrets, &[], AT);
        assert_eq!(verdict.sig, Sig::Malformed);
        assert!(verdict.reason.starts_with("X-HubSpot-Signature is malformed: "), "{version}: {}", verdict.reason);
    }
}

/// A public key stands where a route, a target or a platform has the secrets of all its schemes.
#[test]
fn a_public_key_is_the_shared_secret_of_no_platform() {
    let platforms = platforms();
    let public = signature::keys::new_rsa().unwrap();
    for kind in platforms.kinds() {
        for scheme in kind.schemes() {
            let shared = match &scheme.method {
                Method::Shared(_) => true,
                Method::Detached(detached) => !scheme.is_keyless() && detached.algorithm.word().starts_with(['h', 's']),
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

#[test]
fn a_stranger_whose_header_two_platforms_use_is_judged_by_both() {
    let platforms = platforms();
    let meta = platforms.pack("meta").unwrap().schemes().values().next().unwrap();
    let secret = Secret::new("env:META", "m");
    let request =
        Request { method: "POST".into(), target: "/x".into(), body: "{\"object\":1}".into(), ..Request::default() };
    let mut call = request;
    signature::sign(meta, &mut call, Some(&secret), AT).unwrap();
    let sig = |names: &[&str]| {
        let own = |name: &str| if name == "meta" { secret.clone() } else { Secret::new("env:OTHER", "o") };
        let secrets = names.iter().map(|name| ((*name).to_owned(), vec![own(name)]));
        Keyring::new(Secrets(secrets.collect())).sig(&platforms, &call, None, &[], AT)
    };
    let found = [&["meta"][..], &["meta", "github"], &["github"], &[]].map(sig);
    assert_eq!(found, [Sig::Valid, Sig::Valid, Sig::Invalid, Sig::NoSecret]);
}

#[test]
fn a_test_secret_counts_from_this_machine_only_where_one_is_configured() {
    let platforms = platforms();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let theirs = |keyring: &Keyring| {
        let secret = keyring.signing_as_a_test(kind).unwrap().unwrap();
        let mut call = kind.sample();
        kind.sign(&mut call, Some(&secret), AT).unwrap();
        keyring.mark(&mut call, &secret);
        call
    };
    let from_here = |call: &Request| {
        let mut call = Request { peer: Some([127, 0, 0, 1].into()), ..call.clone() };
        call.headers.set("host", "127.0.0.1:4747");
        call
    };
    let sig = |keyring: &Keyring, call: &Request, own: &[Secret]| keyring.sig(&platforms, call, Some(kind), own, AT);
    let none = Keyring::new(Secrets::default());
    let call = theirs(&none);
    assert_eq!(sig(&none, &call, &[]), Sig::Valid);
    let own = [Secret::new("env:ROUTE", "s")];
    assert_eq!(sig(&none, &call, &own), Sig::Invalid, "a route's own is configured too");
    assert_eq!(sig(&none, &from_here(&call), &own), Sig::Valid);
    // A key for the webviews is none for the webhooks.
    let public = Secret::new("file:public.pem", signature::keys::new_rsa().unwrap().public_pem);
    assert_eq!(sig(&none, &call, &[public]), Sig::Valid);
    let secrets = Secrets([("moveo".to_owned(), vec![Secret::new("env:TOKEN", "t")])].into_iter().collect());
    let keyring = Keyring::new(secrets);
    let call = theirs(&keyring);
    assert_eq!(sig(&keyring, &call, &[]), Sig::Invalid);
    assert_eq!(sig(&keyring, &from_here(&call), &[]), Sig::Valid);
    assert_eq!(sig(&keyring, &Request { origin: Some("http://a.example".into()), ..call.clone() }, &[]), Sig::Valid);
    let verdict = keyring.judge(&platforms, &call, Some(kind), &[], AT);
    assert!(verdict.reason.contains("; it says that it is a test call of hooktape's own, but"), "{}", verdict.reason);
    let mut passed_on = from_here(&call);
    passed_on.headers.set("X-Forwarded-For", "203.0.113.7");
    assert_eq!(sig(&keyring, &passed_on, &[]), Sig::Invalid);
}
