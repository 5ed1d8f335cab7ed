mod audience;
mod key_forms;

use std::sync::LazyLock;

use rstest::rstest;

use super::*;
use crate::signature::keys::{KeyPair, mint as mint_with, new_rsa};
use crate::signature::{AtHand, Method, pem, sign, verify};

/// When the calls come: 1700000000.5 s.
const AT: Timestamp = Timestamp::constant(1_700_000_000, 500_000_000);

/// Made once, for an RSA key takes its time. Keys are never stored.
static PAIR: LazyLock<KeyPair> = LazyLock::new(|| new_rsa().unwrap());
static OTHER: LazyLock<KeyPair> = LazyLock::new(|| new_rsa().unwrap());

/// The public key of moveo-ai/integration-guides, README.md.
const PUBLISHED_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnhZar+5yfwp+9VSr61/U
5VKQDd6z2kdKn+mHRB+SlJA7840nSbZieA4t0g2xls2N+OcJZP1CkZdCkDR2M8bv
tKkIexc9UCnWEM9SSoOKt+XcePUxBhqgYwmuHmk6tI0afePhNagrgdntoi54dKmA
cnHAtKsxqRuDZZoQTeGO/ZqMyI+ygidXhY5Bw2a+bD1Z9LlTqhWAcIlkqZO3c7gc
t565X3eoCByuzIncQZqG+vFvpg2WhTSayeALLVD3XlZPvQZC92jvmAcdukuPvbo7
JkPAVpD/yvBb3i3Txt+Zy2vNfP3knHwZyyvh0o1xEJSLwSd/iF+r9vhNetpq6JE4
JwIDAQAB
-----END PUBLIC KEY-----
";

/// Signed with its other half by Python, OpenSSL and Node.js alike: iat 1700000000, exp 1700000004.
const PUBLISHED_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwMTIzNDU2IiwiaXNzIjoid3d3LndlYnZpZXdzLm1vdmVvLmFpIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAwMDR9.bQtTfHU3cLpvzURvycHciHO7ObSB19Raa4rTrtn41M2wsgwBZBOaedm7b293oNbX9H1GZUFlwFf-BMcDabrsKYbbBds5awgp1-NLh211251KhFEz_F1dyvSqTn_tNhJY_gO5ojx4CuHxnTOXJaGI_zho7ZSGd2_DNVzwpe7S-ikiQe4vLYim0z6d4FWPUHwRAPWsVyj4ilXOgbuOhoiCNlktfAQnjEDTKmHJk00L5zkuFYGzOM8fKcFR6b9inc43JG3PhqCd-_HQ5ctMnADcCno4JDDt_82MYF9P-1kcC6BW3ZgBIopybpT6K6rGEHYXMixGbZxwU30LcfiylkP4yQ";

fn scheme() -> Scheme {
    let toml = "
        scheme = 'jwt'
        header = 'Authorization'
        prefix = 'Bearer '
        algorithms = ['RS256']
        issuers = ['www.webviews.moveo.ai']
        required = ['sub', 'iss', 'exp']
        lifetime = 4000
        leeway = 1000
        subject = ['/user_id', 'query:user_id', 'header:X-User']
        secret = 'public key'
        example = 'file:public.pem'";
    Scheme { name: "moveo/webview".into(), ..toml::from_str(toml).unwrap() }
}

fn rules() -> Rules {
    match scheme().method {
        Method::Jwt(rules) => rules,
        _ => unreachable!("it is a token's scheme"),
    }
}

fn public() -> Secret {
    Secret::new("file:public.pem", PAIR.public_pem.as_bytes())
}

fn private() -> Secret {
    Secret::new("file:private.pem", PAIR.private_pem.as_bytes())
}

/// What a correct sender puts into a token at `AT`.
fn good() -> Value {
    json!({ "sub": "u-1", "iss": "www.webviews.moveo.ai", "iat": 1_700_000_000, "exp": 1_700_000_004 })
}

/// A token with this header and these claims, whatever they are.
fn token_with(header: &Value, claims: &Value, key: &Key) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn token_of(claims: &Value) -> String {
    let key = Key::read(&private(), &[Algorithm::Rs256]).unwrap();
    token_with(&json!({ "alg": "RS256", "typ": "JWT" }), claims, &key)
}

fn request(authorization: &str) -> Request {
    Request {
        method: "POST".into(),
        target: "/v1/webview/i-1".into(),
        headers: [("Authorization", authorization.to_owned())].into_iter().collect(),
        body: "{}".into(),
        ..Request::default()
    }
}

fn bearer(token: &str) -> Request {
    request(&format!("Bearer {token}"))
}

fn judged(request: &Request) -> Verdict {
    verify(&scheme(), request, &[&public()], AT)
}

fn why(request: &Request) -> Vec<String> {
    crate::signature::diagnose(&scheme(), request, AtHand::only(&[&public()]), AT)
}

#[test]
fn the_published_key_verifies_what_three_other_programs_signed() {
    let key = Secret::new("env:KEY", PUBLISHED_KEY);
    let verdict = verify(&scheme(), &bearer(PUBLISHED_TOKEN), &[&key], AT);
    assert_eq!((verdict.sig, verdict.reason.as_str()), (Sig::Valid, "signed with env:KEY"));
    let at = |second| verify(&scheme(), &bearer(PUBLISHED_TOKEN), &[&key], Timestamp::from_second(second).unwrap());
    assert_eq!((at(1_700_000_003).sig, at(1_700_000_004).sig), (Sig::Valid, Sig::Stale));
    assert!(at(1_700_000_604).reason.contains("it expired 10 minutes before the call"), "{}", at(1_700_000_604).reason);
    assert_eq!(at(1_699_999_990).sig, Sig::Stale, "issued ten seconds after the call");
}

#[test]
fn a_good_token_is_valid_and_says_what_it_says() {
    let verdict = judged(&bearer(&token_of(&good())));
    assert_eq!((verdict.sig, verdict.secret.as_deref()), (Sig::Valid, Some("file:public.pem")));
    let note = |name: &str| {
        let found = verdict.notes.iter().find(|(label, _)| label == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    assert_eq!(note("token header"), r#"{"alg":"RS256","typ":"JWT"}"#);
    assert_eq!(note("token claims"), good().to_string());
    assert_eq!(note("exp"), "2023-11-14T22:13:24Z, 3.5 s after the call");
    assert!(verdict.signed.unwrap().ends_with("; not the body"));
    assert!(why(&bearer(&token_of(&good()))).is_empty());
}

#[test]
fn the_name_of_the_scheme_has_no_case() {
    let token = token_of(&good());
    for word in ["bearer", "BEARER"] {
        assert_eq!(judged(&request(&format!("{word} {token}"))).sig, Sig::Valid);
    }
}

#[rstest]
#[case::expired(json!({ "exp": 1_699_999_820 }), Sig::Stale, "it expired 3 minutes before the call", "sign right before sending")]
#[case::expired_at_that_moment(json!({ "exp": 1_700_000_000.5 }), Sig::Stale, "at the moment of the call", "good for 4 s")]
#[case::not_yet(json!({ "nbf": 1_700_000_060 }), Sig::Stale, "`nbf` is 59.5 s after the call", "clock is ahead")]
#[case::from_the_future(json!({ "iat": 1_700_000_060 }), Sig::Stale, "comes from the future", "clock is ahead")]
#[case::milliseconds(json!({ "exp": 1_700_000_004_000_i64 }), Sig::Invalid, "`exp` is in milliseconds", "Divide by 1000")]
#[case::text_for_a_time(json!({ "exp": "1700000004" }), Sig::Invalid, "which is no time", "number of seconds")]
#[case::no_exp(json!({ "exp": null }), Sig::Invalid, "has no `exp`", "expiresIn: '4000ms'")]
#[case::no_sub(json!({ "sub": null }), Sig::Invalid, "has no `sub`", "user's id")]
#[case::empty_sub(json!({ "sub": "" }), Sig::Invalid, "`sub` is empty", "user's id")]
#[case::sub_a_number(json!({ "sub": 7 }), Sig::Invalid, "`sub` is not a string", "user's id")]
#[case::no_iss(json!({ "iss": null }), Sig::Invalid, "has no `iss`", "Put www.webviews.moveo.ai there")]
#[case::wrong_iss(json!({ "iss": "me" }), Sig::Invalid, "`iss`) is \"me\"", "under [issuers] in hooktape.toml")]
#[case::nearly_iss(json!({ "iss": "https://www.webviews.moveo.ai/" }), Sig::Invalid, "is expected", "Nearly right")]
fn claims_are_judged_at_the_time_of_the_call(
    #[case] change: Value,
    #[case] sig: Sig,
    #[case] reason: &str,
    #[case] repair: &str,
) {
    let mut claims = good();
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let call = bearer(&token_of(&claims));
    let verdict = judged(&call);
    assert_eq!(verdict.sig, sig, "{}", verdict.reason);
    assert!(verdict.reason.starts_with("signed with file:public.pem, but ") && verdict.reason.contains(reason));
    let why = why(&call);
    assert!(why.len() == 1 && why[0].contains(repair), "{why:?}");
}

#[test]
fn the_gravest_of_several_faults_gives_the_verdict_and_all_are_told() {
    let call = bearer(&token_of(&json!({ "iss": "me", "exp": 1_600_000_000 })));
    let verdict = judged(&call);
    assert_eq!(verdict.sig, Sig::Invalid);
    assert!(["no `sub`", "`iss`", "it expired"].iter().all(|part| verdict.reason.contains(part)), "{}", verdict.reason);
    assert_eq!(why(&call).len(), 3);
}

#[test]
fn the_token_does_not_choose_its_algorithm() {
    let claims = good();
    let none = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let odd = format!("{}.{}.", part(&json!({ "alg": "nOnE" })), part(&claims));
    for token in [none, odd] {
        let verdict = judged(&bearer(&token));
        assert_eq!(verdict.sig, Sig::Invalid);
        assert!(verdict.reason.contains("anyone can make such a one"), "{}", verdict.reason);
    }
    // The public key is known to everyone: as the secret of an HMAC it proves nothing.
    let forged = token_with(&json!({ "alg": "HS256" }), &claims, &Key::Text(PAIR.public_pem.clone().into_bytes()));
    let call = bearer(&forged);
    assert_eq!(judged(&call).sig, Sig::Invalid);
    assert!(judged(&call).reason.contains("algorithm is HS256, RS256 is expected"));
    assert!(why(&call)[0].contains("algorithm confusion"), "{:?}", why(&call));

    let lied = token_with(&json!({ "alg": "RS512" }), &claims, &Key::read(&private(), &[Algorithm::Rs256]).unwrap());
    assert!(judged(&bearer(&lied)).reason.contains("algorithm is RS512"));
    let demanding = token_with(
        &json!({ "alg": "RS256", "crit": ["b64"], "b64": false }),
        &claims,
        &Key::read(&private(), &[Algorithm::Rs256]).unwrap(),
    );
    assert!(judged(&bearer(&demanding)).reason.contains("`crit`"));
}

#[test]
fn keys_that_a_token_names_are_ignored_and_mentioned() {
    let header = json!({ "alg": "RS256", "kid": "../../dev/null", "jku": "https://evil.example/keys" });
    let theirs = Secret::new("theirs", OTHER.private_pem.as_bytes());
    let forged = token_with(&header, &good(), &Key::read(&theirs, &[Algorithm::Rs256]).unwrap());
    let verdict = judged(&bearer(&forged));
    assert_eq!(verdict.sig, Sig::Invalid);
    assert!(
        verdict
            .notes
            .contains(&("ignored".into(), "kid, jku: only configured keys count, whatever a token names".into()))
    );
}

#[test]
fn another_elliptic_algorithm_is_named() {
    let ec = Secret::new("ec", keys::new_ec().unwrap());
    let key = Key::read(&ec, &[Algorithm::Es256]).unwrap();
    let call = bearer(&token_with(&json!({ "alg": "ES256" }), &good(), &key));
    assert_eq!(judged(&call).sig, Sig::Invalid);
    assert!(judged(&call).reason.contains("algorithm is ES256, RS256 is expected"));
    assert!(why(&call)[0].contains("algorithm: 'RS256'"));
    // Where the scheme allows it, it verifies; and a key of the other sort is refused by name.
    let toml = "scheme = 'jwt'\nheader = 'Authorization'\nprefix = 'Bearer '\nalgorithms = ['ES256']";
    let elliptic = Scheme { name: "acme/token".into(), ..toml::from_str(toml).unwrap() };
    assert_eq!(verify(&elliptic, &call, &[&ec], AT).sig, Sig::Valid);
    let verdict = verify(&elliptic, &call, &[&public()], AT);
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("it is a key for RS256, not for ES256"), "{}", verdict.reason);
}

#[test]
fn hs256_is_a_scheme_of_its_own() {
    let toml = "scheme = 'jwt'\nheader = 'Authorization'\nprefix = 'Bearer '\nalgorithms = ['HS256']\nsubject = ['/u']";
    let shared = Scheme { name: "acme/token".into(), ..toml::from_str(toml).unwrap() };
    let secret = Secret::new("env:SHARED", "s3cret");
    let mut call = request("");
    sign(&shared, &mut call, Some(&secret), AT).unwrap();
    assert_eq!(verify(&shared, &call, &[&secret], AT).sig, Sig::Valid);
    assert_eq!(verify(&shared, &call, &[&Secret::new("x", "other")], AT).sig, Sig::Invalid);
}

#[test]
fn any_changed_bit_of_header_claims_and_signature_is_noticed() {
    let token = token_of(&good());
    let header = token.find('.').unwrap();
    let claims = token.rfind('.').unwrap();
    for place in [0, 3, header + 1, header + 9, claims - 1, claims + 1, claims + 100, token.len() - 2] {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let sig = judged(&bearer(std::str::from_utf8(&changed).unwrap())).sig;
        assert!(matches!(sig, Sig::Invalid | Sig::Malformed), "{place}: {sig:?}");
    }
}

#[test]
fn a_token_of_another_key_is_invalid_and_the_other_key_is_found() {
    let theirs = Secret::new("env:OLD_KEY", OTHER.public_pem.as_bytes());
    let call = bearer(&token_of(&good()));
    let verdict = verify(&scheme(), &call, &[&theirs], AT);
    assert_eq!(verdict.sig, Sig::Invalid);
    assert!(verdict.reason.contains("does not fit the key at hand (env:OLD_KEY)"), "{}", verdict.reason);
    let diagnose = |others: &[(&str, &Secret)]| {
        crate::signature::diagnose(&scheme(), &call, AtHand { secrets: &[&theirs], others, own: false }, AT)
    };
    assert!(diagnose(&[])[0].contains("another private key"), "{:?}", diagnose(&[]));
    let found = diagnose(&[("acme/login", &public())]);
    assert!(found[0].contains("file:public.pem, which is configured for acme/login"), "{found:?}");
    assert!(found[0].contains("--secret moveo/webview=file:public.pem"));
}

#[test]
fn rotation_any_of_several_keys_will_do() {
    let old = Secret::new("env:OLD", OTHER.public_pem.as_bytes());
    let verdict = verify(&scheme(), &bearer(&token_of(&good())), &[&old, &public()], AT);
    assert_eq!((verdict.sig, verdict.secret.as_deref()), (Sig::Valid, Some("file:public.pem")));
}

#[test]
fn what_a_token_says_itself_no_key_makes_good() {
    let judged = |claims: Value| {
        let call = bearer(&token_of(&claims));
        let why = crate::signature::diagnose(&scheme(), &call, AtHand::default(), AT);
        (verify(&scheme(), &call, &[], AT), why)
    };
    for (claim, value, told) in [
        ("exp", json!(4), "it expired"),
        ("iss", json!("x"), "its issuer (`iss`) is \"x\""),
        ("sub", json!(null), "the token has no `sub`"),
    ] {
        let mut claims = good();
        claims[claim] = value;
        let (verdict, why) = judged(claims);
        assert_eq!(verdict.sig, Sig::Invalid, "{claim}");
        assert!(verdict.reason.contains(told) && verdict.reason.contains("there is no key"), "{}", verdict.reason);
        assert!(why[0].starts_with("To have the token checked") && why.len() == 2, "{why:?}");
    }
    assert_eq!(judged(good()).0.sig, Sig::NoSecret);
}

#[test]
fn without_a_key_it_tells_how_to_name_one() {
    let call = bearer(&token_of(&good()));
    let verdict = verify(&scheme(), &call, &[], AT);
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("`--secret moveo/webview=file:public.pem`"), "{}", verdict.reason);
    let text = Secret::new("env:MOVEO_TOKEN", "123456789");
    let verdict = verify(&scheme(), &call, &[&text], AT);
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("not usable: env:MOVEO_TOKEN: it is neither PEM"), "{}", verdict.reason);
    let another = Secret::new("env:OLD_KEY", OTHER.public_pem.as_bytes());
    let verdict = verify(&scheme(), &call, &[&another, &text], AT);
    assert!(
        verdict.reason.contains("the key at hand (env:OLD_KEY); not usable: env:MOVEO_TOKEN"),
        "{}",
        verdict.reason
    );
}

#[rstest]
#[case::empty("", "does not begin with `Bearer `", "There is `` where the token should be")]
#[case::no_prefix("{token}", "does not begin with `Bearer `", "no `Bearer` before the token")]
#[case::other_prefix("JWT {token}", "does not begin with `Bearer `", "no `Bearer` before the token")]
#[case::twice("Bearer Bearer {token}", "not base64url", "stands there more than once")]
#[case::two_spaces("Bearer  {token}", "not base64url", "comes one space")]
#[case::no_space("Bearer{token}", "does not begin with `Bearer `", "comes one space")]
#[case::in_quotes("Bearer \"{token}\"", "not base64url", "in quotation marks")]
#[case::all_in_quotes("\"Bearer {token}\"", "does not begin with `Bearer `", "in quotation marks")]
#[case::undefined("Bearer undefined", "it is no token", "`undefined` where the token should be")]
#[case::promise("Bearer [object Promise]", "it is no token", "await")]
#[case::template("Bearer ${signature}", "it is no token", "never filled in")]
#[case::placeholder("Bearer <hunter2>", "it is no token", "What stands where the token should be was never filled in")]
#[case::two_parts("Bearer {head}", "it has 2 parts", "whole and unchanged")]
#[case::cut("Bearer {head}.", "", "the signature was cut off")]
#[case::encrypted("Bearer a.b.c.d.e", "encrypted token (JWE)", "whole and unchanged")]
#[case::garbage("Bearer {head}.!!!", "its signature is not base64url", "whole and unchanged")]
#[case::no_json("Bearer e30.bm8.AAAA", "its claims is no JSON object", "whole and unchanged")]
#[case::wrapped("Bearer {token}\\n", "not base64url", "wrapped when it was copied")]
#[case::percent("Bearer {percent}", "", "percent-encoded")]
#[case::padded("Bearer {token}==", "not base64url", "without padding")]
#[case::the_key("Bearer {key}", "it is no token", "That is the key itself")]
fn what_is_no_token_says_what_it_is(#[case] given: &str, #[case] reason: &str, #[case] repair: &str) {
    let token = token_of(&good());
    let head = token.rsplit_once('.').unwrap().0;
    let given = given
        .replace("{token}", &token)
        .replace("{head}", head)
        .replace("{percent}", &token.replace('.', "%2E"))
        .replace("{key}", &PAIR.private_base64);
    let call = request(&given);
    let verdict = judged(&call);
    assert!(matches!(verdict.sig, Sig::Malformed | Sig::Invalid), "{verdict:?}");
    assert!(verdict.reason.contains(reason), "{}", verdict.reason);
    assert!(why(&call).iter().any(|why| why.contains(repair)), "{:?}", why(&call));
}

#[test]
fn a_missing_token_is_looked_for_elsewhere() {
    let mut call = request("");
    call.headers.remove("Authorization");
    assert_eq!(judged(&call).sig, Sig::Missing);
    assert!(why(&call)[0].starts_with("Let the sender add `Authorization: Bearer TOKEN`"), "{:?}", why(&call));
    let token = token_of(&good());
    call.headers.push("X-Moveo-Signature", token.clone());
    assert!(
        why(&call)[0].contains("A token stands in the header X-Moveo-Signature: send it as `Authorization: Bearer")
    );
    call.headers.remove("X-Moveo-Signature");
    call.target = format!("/v1/webview/i-1?token={token}");
    assert!(why(&call)[0].contains("A token stands in the query, as `token`"));
}

#[test]
fn two_tokens_are_malformed() {
    let mut call = bearer(&token_of(&good()));
    call.headers.push("authorization", "Bearer x");
    assert_eq!(judged(&call).sig, Sig::Malformed);
    assert!(why(&call)[0].contains("send Authorization once"));
}

#[test]
fn a_key_used_as_text_is_recognised_in_every_form() {
    let escaped = PAIR.private_pem.replace('\n', "\\n");
    for (text, words) in [
        (PAIR.private_pem.as_str(), "the text"),
        (PAIR.private_pem.trim_end(), "the text"),
        (PAIR.private_base64.as_str(), "the base64, not decoded,"),
        (escaped.as_str(), "line breaks written as `\\n`"),
    ] {
        let call = bearer(&token_with(&json!({ "alg": "HS256" }), &good(), &Key::Text(text.as_bytes().to_vec())));
        let why = crate::signature::diagnose(&scheme(), &call, AtHand::only(&[&private()]), AT);
        assert!(why[0].contains(words) && why[0].contains("algorithm: 'RS256'"), "{words}: {why:?}");
    }
}

#[test]
fn a_fresh_token_says_what_the_old_one_said_and_is_good_at_its_time() {
    let mut call = bearer(&token_of(&json!({ "sub": "u-7", "iss": "me", "exp": 1, "iat": 1, "extra": [1] })));
    sign(&scheme(), &mut call, Some(&private()), AT).unwrap();
    assert_eq!(judged(&call).sig, Sig::Valid);
    let claims = peek(&call, "authorization").unwrap();
    assert_eq!(
        Value::Object(claims),
        json!({ "sub": "u-7", "iss": "www.webviews.moveo.ai", "exp": 1_700_000_004, "iat": 1_700_000_000, "extra": [1] })
    );
}

#[rstest]
#[case::body("/x", r#"{"user_id":"u-1"}"#, "", Ok("u-1"))]
#[case::body_before_query("/x?user_id=u-2", r#"{"user_id":"u-1"}"#, "u-3", Ok("u-1"))]
#[case::query("/x?user_id=u%202", "{}", "u-3", Ok("u 2"))]
#[case::header("/x", r#"{"user_id":null}"#, "u-3", Ok("u-3"))]
#[case::nowhere("/x?user_id=", r#"{"user_id":""}"#, "", Err(SignError::Claim("sub".into())))]
fn the_subject_is_found_in_the_request(
    #[case] target: &str,
    #[case] body: &str,
    #[case] header: &str,
    #[case] subject: Result<&str, SignError>,
) {
    let mut call = request("");
    call.target = target.into();
    call.body = body.to_owned().into();
    call.headers.set("X-User", header.to_owned());
    let signed = sign(&scheme(), &mut call, Some(&private()), AT);
    match subject {
        Ok(subject) => assert_eq!(peek(&call, "authorization").unwrap()["sub"], json!(subject)),
        Err(error) => assert_eq!(signed, Err(error)),
    }
}

#[test]
fn only_a_private_key_signs() {
    let mut call = bearer(&token_of(&good()));
    let error = sign(&scheme(), &mut call, Some(&public()), AT).unwrap_err();
    assert!(error.to_string().contains("only the private key can sign"), "{error}");
    assert_eq!(call, bearer(&token_of(&good())));
    assert!(!scheme().can_sign_with(&public()) && scheme().can_sign_with(&private()));
    let preview = crate::signature::preview(&scheme(), &call, Some(&private())).unwrap();
    assert_eq!(
        preview,
        "Bearer a fresh RS256 token for u-1 from www.webviews.moveo.ai, good for 4 s from the moment of sending"
    );
}

#[test]
fn minting_counts_like_jsonwebtoken_in_whole_seconds() {
    const RS256: &[Algorithm] = &[Algorithm::Rs256];
    let claims = Map::from_iter([("sub".to_owned(), json!("u-1"))]);
    let token = mint_with(&private(), RS256, claims.clone(), 4000, AT).unwrap();
    let claims_of = Token::parse(&token).unwrap().claims;
    assert_eq!((&claims_of["iat"], &claims_of["exp"]), (&json!(1_700_000_000), &json!(1_700_000_004)));
    assert_eq!(mint_with(&private(), RS256, claims, 999, AT), Err(SignError::Lifetime(999)));
}

#[test]
fn a_scheme_of_tokens_is_read_strictly() {
    for (toml, words) in [
        ("scheme = 'jwt'\nheader = 'A'", "missing field `algorithms`"),
        ("scheme = 'jwt'\nheader = 'A'\nalgorithms = ['RS256']\nencoding = 'hex'", "neither `encoding` nor `message`"),
        ("scheme = 'jwt'\nheader = 'A'\nalgorithms = ['none']", "RS256"),
        ("scheme = 'jwt'\nheader = 'A'\nalgorithms = ['RS256']\nsubject = ['user']", "is no place"),
        ("scheme = 'jwt'\nheader = 'A'\nalgorithms = ['RS256']\nsubject = ['/a~b']", "is no JSON Pointer"),
    ] {
        let error = toml::from_str::<Scheme>(toml).unwrap_err().to_string();
        assert!(error.contains(words), "{toml}: {error}");
    }
    assert_eq!(
        scheme().describe(),
        "a JSON Web Token signed with RS256, with the claims sub, iss, exp, issued by www.webviews.moveo.ai, good for 4 s \
         after it was made, in Authorization after `Bearer `; the body is not covered; the key is the public key"
    );
}

#[test]
fn what_stands_there_a_thousand_times_is_said_once() {
    let call = request(&format!("{}x", "Bearer ".repeat(1000)));
    assert_eq!(why(&call).iter().filter(|sentence| sentence.contains("more than once")).count(), 1);
}
