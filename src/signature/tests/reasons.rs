//! What is said of a signature that does not fit is true.

use super::engine::{LIST, PAIRS, URL, at, call, scheme, secret};
use super::*;

#[test]
fn no_form_of_a_body_explains_a_signature_that_does_not_cover_it() {
    let of_an_id = r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "base64"; message = "{body:/id}""#;
    for (table, body) in [(of_an_id, r#"{"id": "a", "n": 1}"#), (URL, "")] {
        let scheme = scheme(table);
        let mut request = call("https://a.example/x", &[], body);
        sign(&scheme, &mut request, Some(&secret("k")), at(0)).unwrap();
        let tag = request.headers.get("Sig").unwrap().to_owned();
        request.headers.set("Sig", format!("v1={tag}"));
        let found = diagnose(&scheme, &request, AtHand::only(&[&secret("k")]), at(0));
        assert!(found.len() == 1 && found[0].starts_with("The signature has `v1=` before it"), "{found:?}");
    }
}

#[test]
fn where_nothing_fits_all_that_is_signed_may_be_another() {
    let id = r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "base64"; message = "{body:/id}""#;
    let address = "Where the platform calls another address than https://a.example/x, write that one as `public_url`";
    for (table, tried, said) in [
        (PAIRS, "form(s) of the body, in hex", "because a proxy changed it: the timestamp, the body."),
        (LIST, "form(s) of the body, in hex", "changed it: the header webhook-id, the timestamp, the body."),
        (URL, "corrupted form(s) of them, 5 address(es), in hex", "or the URL was changed on its way"),
        (URL, "5 address(es), in hex", address),
        (id, "them, 2 form(s) of the body, in hex", "or `id` of the body was changed on its way"),
    ] {
        let scheme = scheme(table);
        let mut request = call("https://a.example/x", &[("webhook-id", "1")], r#"{"id":"a"}"#);
        sign(&scheme, &mut request, Some(&secret("b3RoZXI=")), at(0)).unwrap();
        request.target = "/x".into();
        request.body = if table == URL { "".into() } else { request.body };
        let found = diagnose(&scheme, &request, AtHand::only(&[&secret("MfKQ")]), at(0));
        assert!(found.len() == 1 && found[0].contains(tried) && found[0].contains(said), "{found:?}");
    }
}

#[test]
fn a_secret_that_is_filed_under_many_names_is_one() {
    let scheme = scheme(r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "hex"; message = "{body}""#);
    let mut request = call("", &[], "{}");
    sign(&scheme, &mut request, Some(&secret("third")), at(0)).unwrap();
    let (own, other) = (secret("own"), secret("other"));
    let at_hand = AtHand { secrets: &[&own], others: &[("a", &own), ("b", &other), ("c", &other)], own: false };
    let found = diagnose(&scheme, &request, at_hand, at(0));
    assert!(found[0].starts_with("Nothing fits: tried 2 secret(s) as configured"), "{found:?}");
    sign(&scheme, &mut request, Some(&other), at(0)).unwrap();
    let found = diagnose(&scheme, &request, at_hand, at(0));
    assert!(found.len() == 1 && found[0].contains("which is configured for b"), "{found:?}");
}

#[test]
fn what_need_not_be_signed_is_not_said_to_be_signed_always() {
    for (optional, said) in
        [(false, "the platform signs every call"), (true, "signs only where it is told to; where it is")]
    {
        let scheme = scheme(&format!(r#"scheme = "token"; header = "Sig"; optional = {optional}"#));
        let verdict = verify(&scheme, &call("", &[], "{}"), &[&secret("k")], at(0));
        assert_eq!(verdict.sig, Sig::Missing);
        assert!(verdict.reason.contains(said), "{}", verdict.reason);
    }
}
