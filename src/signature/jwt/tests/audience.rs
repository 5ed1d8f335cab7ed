//! For whom a token was made.

use super::*;

/// The reason of the verdict on a token for `aud` at this address, which is known where it begins with a scheme.
fn reason(aud: &Value, address: &str) -> String {
    let mut claims = good();
    claims["aud"] = aud.clone();
    let mut call = bearer(&token_of(&claims));
    let (scheme, rest) = address.split_once("//").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    call.target = path.to_owned();
    call.headers.push("host", host.to_owned());
    call.public = (!scheme.is_empty()).then(|| format!("{scheme}//{host}"));
    let verdict = judged(&call);
    assert_eq!(verdict.sig, Sig::Valid);
    verdict.reason
}

#[test]
fn an_address_is_compared_with_that_of_the_call() {
    let ours = "https://a.example/hook";
    for (aud, address) in [
        (json!(ours), ours),
        (json!("https://A.example:443/hook/"), "https://a.example/hook?x=1"),
        (json!(["me", ours]), ours),
        // Behind a proxy that nobody trusts nobody knows the scheme.
        (json!(ours), "//a.example/hook"),
    ] {
        let reason = reason(&aud, address);
        assert!(reason.starts_with("signed with file:public.pem for \""), "{reason}");
        assert!(reason.ends_with("the address of this call"), "{aud} {address}: {reason}");
    }
    for (aud, address) in [
        ("https://b.example/hook", ours),
        ("https://a.example/other", ours),
        ("https://a.example:8443/hook", ours),
        ("http://a.example/hook", ours),
        ("https://b.example/hook", "//a.example/hook"),
    ] {
        let reason = reason(&json!(aud), address);
        let words = format!(", but for \"{aud}\" (`aud`), which is not the address of this call");
        assert!(reason.contains(&words), "{aud} {address}: {reason}");
    }
}

#[test]
fn any_other_name_is_told_and_that_it_was_not_compared() {
    let reason = |aud| reason(&aud, "https://a.example/hook");
    let one = reason(json!("32555940559.apps.googleusercontent.com"));
    assert!(
        one.ends_with(" for \"32555940559.apps.googleusercontent.com\" (`aud`, which was compared with nothing)"),
        "{one}"
    );
    assert!(reason(json!(["a", "b"])).contains("\"a\" or \"b\""));
    assert_eq!(reason(json!(null)), "signed with file:public.pem");
    assert!(reason(json!("x".repeat(100_000))).len() < 1000);
}

#[test]
fn a_fresh_token_is_for_the_address_that_it_is_sent_to() {
    let mut scheme = scheme();
    let Method::Jwt(rules) = &mut scheme.method else { unreachable!() };
    rules.required.push("aud".into());
    let mut call = bearer(&token_of(&good()));
    assert_eq!(verify(&scheme, &call, &[&public()], AT).sig, Sig::Invalid, "it has none");
    call.origin = Some("http://127.0.0.1:3000".into());
    call.target = "/hook?x=1".into();
    sign(&scheme, &mut call, Some(&private()), AT).unwrap();
    let claims = peek(&call, "Authorization").unwrap();
    assert_eq!(claims["aud"], "http://127.0.0.1:3000/hook");
    let verdict = verify(&scheme, &call, &[&public()], AT);
    assert!(verdict.reason.ends_with("(`aud`), the address of this call"), "{}", verdict.reason);
}
