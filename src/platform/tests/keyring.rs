//! Which secret signs.

use super::*;
use crate::config::{Secret, Secrets};
use crate::platform::Keyring;
use crate::signature::{self, keys};

fn keyring(shared: &[(&str, Secret)]) -> Keyring {
    let filed = shared.iter().map(|(name, secret)| ((*name).to_owned(), vec![secret.clone()]));
    Keyring::new(Secrets(filed.collect()))
}

#[test]
fn a_targets_own_secret_that_cannot_be_had_is_not_replaced_by_another() {
    let platforms = platforms();
    let keyring = keyring(&[("moveo", Secret::new("env:MOVEO_TOKEN", "shared"))]);
    let kind = platforms.kind("moveo/dialog").unwrap();
    let unset = Secret::unresolved("env:OWN", "the variable OWN is not set");
    let own = Secret::new("env:OTHER", "other");
    assert_eq!(keyring.signing(kind, &kind.sample(), &[]).unwrap().unwrap().label(), "env:MOVEO_TOKEN");
    assert_eq!(
        keyring.signing(kind, &kind.sample(), &[own.clone(), unset.clone()]).unwrap().unwrap().label(),
        "env:OTHER"
    );
    for own in [vec![unset.clone()], vec![unset, own]] {
        let why = keyring.signing(kind, &kind.sample(), &own).unwrap_err();
        assert!(
            why.starts_with("cannot sign for moveo with env:OWN, the target's own: the variable OWN is not set"),
            "{why}"
        );
        assert!(!why.contains("MOVEO_TOKEN"), "{why}");
    }
}

#[test]
fn what_is_configured_and_cannot_be_had_is_to_be_set_right() {
    let platforms = platforms();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let unset = keyring(&[("moveo", Secret::unresolved("env:TOKEN", "the variable TOKEN is not set"))]);
    let why = unset.signing(kind, &kind.sample(), &[]).unwrap_err();
    assert!(why.contains("TOKEN is not set; set it right") && !why.contains("--secret"), "{why}");
    assert!(keyring(&[]).signing(kind, &kind.sample(), &[]).unwrap_err().contains("--secret"));
    let unsigned = kind.sample();
    let diagnose = |keyring: &Keyring| keyring.diagnose(&platforms, &unsigned, Some(kind), &[], Timestamp::UNIX_EPOCH);
    assert!(diagnose(&keyring(&[]))[0].contains("once its secret is configured"));
    assert!(!diagnose(&keyring(&[("moveo", Secret::new("env:TOKEN", "x"))]))[0].contains("configured"));
}

#[test]
fn a_targets_own_secret_for_another_scheme_leaves_the_platforms_in_its_place() {
    let platforms = platforms();
    let pair = keys::new_rsa().unwrap();
    let keyring = keyring(&[("moveo/webview", Secret::new("file:shared.pem", pair.private_pem.clone()))]);
    let kind = platforms.kind("moveo/webview_callback").unwrap();
    let token = Secret::new("env:TOKEN", "a token of webhooks");
    assert_eq!(
        keyring.signing(kind, &kind.sample(), std::slice::from_ref(&token)).unwrap().unwrap().label(),
        "file:shared.pem"
    );
    let public = Secret::new("file:public.pem", pair.public_pem);
    let why = keyring.signing(kind, &kind.sample(), &[token.clone(), public]).unwrap_err();
    assert!(why.contains("with file:public.pem, the target's own: it is a public key"), "{why}");
    let private = Secret::new("file:own.pem", pair.private_pem);
    assert_eq!(keyring.signing(kind, &kind.sample(), &[token, private]).unwrap().unwrap().label(), "file:own.pem");
}

/// What stands in these headers of `kind`'s sample, given `bears`, once it is signed with what is configured so.
fn signed(name: &str, bears: &[(&str, &str)], shared: &[(&str, &str)], own: &[Secret]) -> Result<Request, String> {
    let platforms = platforms();
    let kind = platforms.kind(name).unwrap();
    let shared: Vec<_> =
        shared.iter().map(|(name, value)| (*name, Secret::new(format!("env:{value}"), *value))).collect();
    let keyring = keyring(&shared);
    let mut request = kind.sample();
    for (name, value) in bears {
        request.headers.set(name, (*value).to_owned());
    }
    let secret = keyring.signing(kind, &request, own)?;
    kind.sign(&mut request, secret.as_ref(), Timestamp::UNIX_EPOCH).map_err(|error| error.to_string())?;
    let own: Vec<Secret> = secret.into_iter().collect();
    let sig = keyring.sig(&platforms, &request, Some(kind), &own, Timestamp::UNIX_EPOCH);
    assert_eq!(sig, Sig::Valid, "{request:?}");
    Ok(request)
}

#[test]
fn a_key_signs_by_the_scheme_that_it_is_configured_for_and_is_never_sent_itself() {
    let key = "a key that is long enough to sign with";
    let bearer = [("authorization", "Bearer of-the-platform")];
    let header = |request: &Request, name: &str| request.headers.get(name).map(str::to_owned);
    let token = signed("watsonx/premessage", &bearer, &[("watsonx/jwt", key)], &[]).unwrap();
    let token = header(&token, "authorization").unwrap();
    assert!(token.starts_with("Bearer ey") && !token.contains(key), "{token}");
    for shared in [&[("vapi/hmac", key)][..], &[("vapi/hmac", key), ("vapi/secret", "s")]] {
        let request = signed("vapi/message", &bearer, shared, &[]).unwrap();
        assert_eq!(header(&request, "authorization").as_deref(), Some(bearer[0].1));
        assert_eq!(header(&request, "x-vapi-signature").map(|hex| hex.len()), Some(64));
    }
    // The scheme that a call bears comes first, where there is a secret for it.
    let shared = [("vapi/hmac", key), ("vapi/bearer", "new")];
    let request = signed("vapi/message", &bearer, &shared, &[]).unwrap();
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer new"));
    assert_eq!(header(&request, "x-vapi-signature"), None);
    let request = signed("vapi/message", &[], &shared, &[]).unwrap();
    assert!(header(&request, "x-vapi-signature").is_some());
}

#[test]
fn an_old_signature_does_not_pass_for_a_fresh_one_where_no_secret_is_at_hand() {
    let platforms = platforms();
    let signing = |name: &str, bears: &[(&str, &str)]| {
        let kind = platforms.kind(name).unwrap();
        let mut request = kind.sample();
        for (name, value) in bears {
            request.headers.set(name, (*value).to_owned());
        }
        keyring(&[]).signing(kind, &request, &[])
    };
    for (name, header, flag) in [
        ("vapi/message", "x-vapi-signature", "start with --secret vapi/hmac="),
        ("calendly/event", "calendly-webhook-signature", "start with --secret calendly="),
    ] {
        let why = signing(name, &[(header, "t=1,v1=ab")]).unwrap_err();
        assert!(why.contains(flag) && why.ends_with("(exact)"), "{why}");
        assert!(signing(name, &[]).unwrap().is_none(), "signed only where the platform is told to");
    }
    assert!(signing("vapi/message", &[("x-vapi-secret", "a token")]).unwrap().is_none(), "it says nothing of the rest");
}

#[test]
fn what_may_be_a_key_is_never_sent_itself_whatever_a_call_bears() {
    let key = "a key that is long enough to sign with";
    let own = [Secret::new("env:OWN", key)];
    let platforms = platforms();
    for kind in platforms.kinds().filter(|kind| kind.schemes().any(Scheme::may_send_a_key)) {
        let generic = keyring(&[(kind.platform(), own[0].clone())]);
        for borne in kind.schemes().filter(|scheme| scheme.may_send_a_key()) {
            let mut call = kind.sample();
            let stranger = borne.fresh_secret("a stranger's").unwrap();
            signature::sign(borne, &mut call, Some(&stranger), Timestamp::UNIX_EPOCH).unwrap();
            for (keyring, own) in [(&generic, &[][..]), (&keyring(&[]), &own)] {
                let Ok(secret) = keyring.signing(kind, &call, own) else { continue };
                let mut sent = call.clone();
                kind.sign(&mut sent, secret.as_ref(), Timestamp::UNIX_EPOCH).unwrap();
                assert!(!format!("{sent:?}").contains(key), "{} {}: {sent:?}", kind.name, borne.name);
                // A token in the very place of the signature is replaced.
                let replaced = kind.schemes().any(|scheme| {
                    !scheme.may_send_a_key()
                        && scheme.stands_where(borne)
                        && scheme.can_sign_with(secret.as_ref().unwrap())
                });
                assert_eq!(borne.given(&sent) == borne.given(&call), !replaced, "{} {}", kind.name, borne.name);
            }
        }
        let usual = kind.scheme().unwrap().flag();
        assert!(usual.contains(&format!("--secret {}/", kind.platform())), "{usual}");
    }
    for name in ["vapi/message", "meta/verify", "watsonx/premessage"] {
        let mut schemes = platforms.kind(name).unwrap().schemes();
        assert!(schemes.any(Scheme::may_send_a_key), "{name}");
    }
    let token = platforms.kind("meta/verify").unwrap();
    let theirs = keyring(&[("meta/verify", Secret::new("env:PROD", "of-production"))]);
    for keyring in [keyring(&[]), theirs] {
        // Nor does another take the place of a target's own.
        let why = keyring.signing(token, &token.sample(), &own).unwrap_err();
        assert!(
            why.contains("env:OWN, the target's own: it may be a key") && why.contains("--secret meta/verify="),
            "{why}"
        );
    }
    // Where a platform has no keys, what is filed for the whole of it is the token.
    let bearer = [("authorization", "Bearer of-the-platform")];
    let request = signed("dialogflow-cx/webhook", &bearer, &[("dialogflow-cx", "new")], &[]).unwrap();
    assert_eq!(request.headers.get("authorization"), Some("Bearer new"));
}

#[test]
fn a_token_is_signed_with_a_key_that_is_a_targets_own_or_its_whole_platforms() {
    let key = "a key that is long enough to sign with";
    for (shared, own) in [(vec![("watsonx", key)], vec![]), (vec![], vec![Secret::new("env:OWN", key)])] {
        let request = signed("watsonx/premessage", &[], &shared, &own).unwrap();
        let token = request.headers.get("authorization").unwrap();
        assert!(token.starts_with("Bearer ey") && !token.contains(key), "{token}");
    }
    let request = signed("watsonx/premessage", &[], &[("watsonx/bearer", "token")], &[]).unwrap();
    assert_eq!(request.headers.get("authorization"), Some("Bearer token"));
}

/// Every kind with each one and each two of its schemes, by which its sample is signed.
fn borne_together(ask: impl Fn(&Kind, &[&signature::Scheme], &Request, &Secrets)) {
    let platforms = platforms();
    for kind in platforms.kinds() {
        let schemes: Vec<_> = kind.schemes().filter(|scheme| !scheme.is_keyless()).collect();
        let made = |scheme: &&signature::Scheme| (scheme.name.clone(), vec![scheme.fresh_secret("ours").unwrap()]);
        let secrets = Secrets(schemes.iter().map(made).collect());
        for (index, first) in schemes.iter().enumerate() {
            for second in &schemes[index..] {
                let mut call = kind.sample();
                for scheme in [first, second] {
                    let secret = secrets.0[&scheme.name].first();
                    signature::sign(scheme, &mut call, secret, Timestamp::UNIX_EPOCH).unwrap();
                }
                ask(kind, &[*first, *second], &call, &secrets);
            }
        }
    }
}

#[test]
fn of_a_call_that_a_stranger_signed_no_signature_is_good() {
    let platforms = platforms();
    borne_together(|kind, schemes, call, secrets| {
        let keyring = Keyring::new(secrets.clone());
        let sig = |request| keyring.sig(&platforms, request, Some(kind), &[], Timestamp::UNIX_EPOCH);
        assert_eq!(sig(call), Sig::Valid, "{}: {call:?}", kind.name);
        let mut sent = call.clone();
        keyring.sign_as_a_stranger(kind, &mut sent, None, &[], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(sig(&sent), Sig::Invalid, "{}: {sent:?}", kind.name);
        for scheme in schemes.iter().filter(|scheme| scheme.is_borne_by(call)) {
            assert_ne!(scheme.given(&sent), scheme.given(call), "{}: {sent:?}", scheme.name);
        }
    });
}

#[test]
fn a_stranger_signs_by_the_scheme_that_our_secret_is_for() {
    let (platforms, key) = (platforms(), "a key that is long enough to sign with");
    let kind = platforms.kind("watsonx/premessage").unwrap();
    for (name, begins) in [("watsonx/jwt", "Bearer ey"), ("watsonx/bearer", "Bearer "), ("watsonx/basic", "Basic ")] {
        let keyring =
            keyring(&[(name, Secret::new("env:OURS", if begins == "Basic " { "user:password" } else { key }))]);
        for borne in [None, Some("Bearer old"), Some("Basic b2xk")] {
            let mut call = kind.sample();
            if let Some(borne) = borne {
                call.headers.set("authorization", borne);
            }
            let secret = keyring.signing(kind, &call, &[]).unwrap();
            keyring.sign_as_a_stranger(kind, &mut call, secret.as_ref(), &[], Timestamp::UNIX_EPOCH).unwrap();
            let made = call.headers.get("authorization").unwrap();
            assert!(made.starts_with(begins) && Some(made) != borne, "{name}: {made}");
            assert_eq!(made.starts_with("Bearer ey"), name == "watsonx/jwt", "{made}");
            let sig = keyring.sig(&platforms, &call, Some(kind), &[], Timestamp::UNIX_EPOCH);
            assert_ne!(sig, Sig::Valid, "{name}: {made}");
        }
    }
}

#[test]
fn a_header_that_is_set_stays_where_a_stranger_signs() {
    let platforms = platforms();
    let kind = platforms.kind("vapi/message").unwrap();
    let keyring = keyring(&[]);
    let mut call = kind.sample();
    call.headers.set("authorization", "Bearer of-the-gateway");
    let set = ["Authorization".to_owned()];
    keyring.sign_as_a_stranger(kind, &mut call, None, &set, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(call.headers.get("authorization"), Some("Bearer of-the-gateway"));
    assert!(call.headers.has("x-vapi-signature"));
    let github = platforms.kind("github/event").unwrap();
    let set: Vec<String> = github.schemes().map(|scheme| scheme.header.clone()).collect();
    let why = keyring.sign_as_a_stranger(github, &mut github.sample(), None, &set, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(why.contains("leave them out"), "{why}");
}

#[test]
fn a_signature_that_is_not_made_anew_does_not_leave_with_one_that_is() {
    let both = [("x-hub-signature-256", "sha256=00"), ("x-hub-signature", "sha1=00")];
    for (name, leaves) in [("github/webhook", false), ("github", true)] {
        let request = signed("github/event", &both, &[(name, "key")], &[]).unwrap();
        assert_eq!(request.headers.has("x-hub-signature"), leaves, "{name}: {:?}", request.headers);
    }
    // What a platform signs only where it is told to is made anew where it is there.
    let both = [("x-shopify-hmac-sha256", "old"), ("shopify-hmac-sha256", "old")];
    let request = signed("shopify/event", &both, &[("shopify", "key")], &[]).unwrap();
    assert_ne!(request.headers.get("shopify-hmac-sha256"), Some("old"));
}

#[test]
fn what_a_platform_asks_to_have_signed_is_signed_with_the_secret_that_it_signs_with() {
    let platforms = platforms();
    let kind = platforms.kind("zoom/url_validation").unwrap();
    let made = |name: &str| Secret::new(format!("env:{name}"), name);
    let answered = |signed: &str, at_hand: &[&str]| {
        let mut request = kind.sample();
        kind.sign(&mut request, Some(&made(signed)), Timestamp::now()).unwrap();
        let secrets = [("zoom".to_owned(), at_hand.iter().map(|name| made(name)).collect())];
        Keyring::new(Secrets(secrets.into_iter().collect())).answer(kind, &request, Some(Sig::Valid), &[]).body
    };
    let old = answered("OLD", &["OLD"]);
    assert_eq!(answered("OLD", &["NEW", "OLD"]), old);
    assert_ne!(answered("NEW", &["NEW", "OLD"]), old);
    assert_eq!(answered("OTHER", &["NEW", "OLD"]), answered("NEW", &["NEW"]));
}

#[test]
fn a_private_key_is_no_token() {
    use base64::Engine as _;
    let pem = keys::new_rsa().unwrap().private_pem;
    let coded = base64::engine::general_purpose::STANDARD.encode(&pem);
    for value in [pem, coded] {
        let own = Secret::new("file:private.pem", value);
        let refused = signed("telegram/update", &[], &[("telegram", "t")], std::slice::from_ref(&own));
        let token = refused.map(|request| request.headers.get("x-telegram-bot-api-secret-token").map(str::to_owned));
        assert_eq!(token, Ok(Some("t".to_owned())), "what cannot be meant for this is passed over");
    }
}

#[test]
fn a_repair_names_the_place_where_the_secret_is_asked_for() {
    let platforms = platforms();
    let why = |kind: &str, by: &str, shared: &[(&str, &str)], own: &[Secret]| {
        let kind = platforms.kind(kind).unwrap();
        let scheme = kind.schemes().find(|scheme| scheme.name == by).unwrap();
        let mut call = kind.sample();
        signature::sign(scheme, &mut call, Some(&Secret::new("theirs", "V")), Timestamp::UNIX_EPOCH).unwrap();
        let filed: Vec<_> =
            shared.iter().map(|(name, value)| (*name, Secret::new(format!("env:{value}"), *value))).collect();
        let keyring = keyring(&filed);
        let reason = keyring.judge(&platforms, &call, Some(kind), own, Timestamp::UNIX_EPOCH).reason;
        let why = keyring.diagnose(&platforms, &call, Some(kind), own, Timestamp::UNIX_EPOCH);
        format!("{reason}. {}", why.join(" "))
    };
    let own = [Secret::new("env:RT", "of the route")];
    let said = why("moveo/dialog", "moveo/webhook", &[("moveo", "V")], &own);
    assert!(said.contains("env:V, which is configured for moveo, but the route or the target"), "{said}");
    assert!(said.contains("write `secret = \"env:V\"` there") && !said.contains("--secret"), "{said}");
    let said = why("meta/verify", "meta/verify", &[("meta", "V"), ("meta/verify", "W")], &[]);
    assert!(
        said.contains("configured for meta: configure it for meta/verify too (`--secret meta/verify=env:V`)"),
        "{said}"
    );
    let unset = [Secret::unresolved("env:RT", "the variable RT is not set")];
    let said = why("moveo/dialog", "moveo/webhook", &[("moveo", "V")], &unset);
    assert!(
        said.contains("with; not usable: env:RT: the variable RT is not set") && !said.contains("--secret"),
        "{said}"
    );
}
