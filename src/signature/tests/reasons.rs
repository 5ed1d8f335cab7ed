//! What is said of a signature that does not fit is true.

use super::engine::{URL, at, call, scheme, secret};
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
