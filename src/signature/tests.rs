mod confusion;
mod engine;
mod reasons;

use proptest::prelude::*;

use super::*;

/// The published example: moveo-ai/integration-guides, README.md (its spacing proves that raw bytes are signed).
const BODY: &str = r#"{"lang": "el", "channel":"web", "context": {"firstname": "John", "lastname": "Snow"}}"#;
const SIGNED: &str = "7b2e526f80d3ad094ee0a2ccc2501afdab7044f89839f9fcba9466d15a967774";
/// What a receiver gets that re-serialises the example, or that gets a line end with it.
const SIGNED_COMPACT: &str = "c5afb7d9397265ed6f87c55005dbae7b72abff0f32a4e40f12c48f4bc809dfc7";
const SIGNED_LINE_END: &str = "3add53d8f3bd7b11eee84092bd21ba58d5e214bfbbd51542e8fdc95d49f8d503";

const PLAIN: &str = r#"
    scheme = "hmac-sha256"
    header = "X-Signature"
    encoding = "hex"
    message = "{body}"
    secret = "token"
    example = "env:TOKEN"
    missing = "acme signs every call"
"#;

impl<'a> AtHand<'a> {
    /// These and no others.
    pub(super) fn only(secrets: &'a [&'a Secret]) -> Self {
        Self { secrets, ..Self::default() }
    }
}

fn scheme(toml: &str) -> Scheme {
    Scheme { name: "acme/webhook".into(), ..toml::from_str(toml).unwrap() }
}

fn plain() -> Scheme {
    scheme(PLAIN)
}

fn request(body: &str, signature: &str) -> Request {
    Request {
        method: "POST".into(),
        headers: [("content-type", "application/json".to_owned()), ("x-signature", signature.to_owned())]
            .into_iter()
            .collect(),
        body: body.to_owned().into(),
        ..Request::default()
    }
}

fn token() -> Secret {
    Secret::new("env:TOKEN", *b"123456789")
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn verdict(request: &Request) -> Verdict {
    verify(&plain(), request, &[&token()], now())
}

fn why(request: &Request) -> Vec<String> {
    diagnose(&plain(), request, AtHand::only(&[&token()]), now())
}

/// Signs `body` with `key` in the way of `scheme`.
fn made(scheme: &Scheme, body: &str, key: &[u8]) -> String {
    compute(scheme, &request(body, ""), Some(&Secret::new("key", key)), now()).unwrap()
}

#[test]
fn the_published_example_is_valid_in_either_case_of_hex() {
    for signature in [SIGNED.to_owned(), SIGNED.to_uppercase()] {
        let verdict = verdict(&request(BODY, &signature));
        assert_eq!(verdict.sig, Sig::Valid);
        assert_eq!(verdict.reason, "signed with env:TOKEN");
        assert_eq!(verdict.secret.as_deref(), Some("env:TOKEN"));
        assert_eq!(verdict.header.as_deref(), Some("X-Signature"));
        assert_eq!(verdict.given, Some(signature));
        assert_eq!(verdict.signed.as_deref(), Some("the body, 85 bytes"));
    }
}

#[test]
fn its_two_negatives_are_invalid_and_explained() {
    for (signature, word) in [(SIGNED_COMPACT, "JSON.stringify"), (SIGNED_LINE_END, "line end")] {
        let request = request(BODY, signature);
        assert_eq!(verdict(&request).sig, Sig::Invalid);
        let why = why(&request);
        assert_eq!(why.len(), 1, "{why:?}");
        assert!(why[0].contains(word) && why[0].contains("raw bytes"), "{why:?}");
    }
}

#[test]
fn an_invalid_one_says_what_does_not_fit_and_never_what_would() {
    let mut request = request(BODY, SIGNED);
    request.body = BODY.replace("John", "Joan").into();
    let (one, two) = (token(), Secret::new("file:old", *b"old"));
    assert_eq!(
        verify(&plain(), &request, &[&one], now()).reason,
        "X-Signature does not fit the body with the secret at hand (env:TOKEN)"
    );
    let verdict = verify(&plain(), &request, &[&one, &two], now());
    assert_eq!(verdict.sig, Sig::Invalid);
    assert_eq!(
        verdict.reason,
        "X-Signature does not fit the body with any of the 2 secrets at hand (env:TOKEN, file:old)"
    );
    let right = compute(&plain(), &request, Some(&one), now()).unwrap();
    let said = format!("{verdict:?}{:?}", why(&request));
    assert!(!said.contains(&right) && !said.contains("123456789"));
    assert!(said.contains("another token") && said.contains("proxy"), "{said}");
}

#[test]
fn rotation_any_of_several_secrets_will_do() {
    let (old, new) = (Secret::new("env:OLD", *b"old"), token());
    let verdict = verify(&plain(), &request(BODY, SIGNED), &[&old, &new], now());
    assert_eq!((verdict.sig, verdict.secret.as_deref()), (Sig::Valid, Some("env:TOKEN")));
}

#[test]
fn a_missing_signature_is_told_in_the_words_of_the_pack() {
    let mut bare = request(BODY, "");
    bare.headers.remove("X-Signature");
    let verdict = verdict(&bare);
    assert_eq!(verdict.sig, Sig::Missing);
    assert_eq!(verdict.reason, "there is no X-Signature header; acme signs every call");
    assert_eq!(verdict.given, None);
    assert!(why(&bare)[0].contains("HMAC-SHA256 of the body, in hex, in X-Signature; the key is the token"));
}

#[test]
fn without_a_secret_it_tells_how_to_name_one() {
    let call = request(BODY, SIGNED);
    let verdict = verify(&plain(), &call, &[], now());
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("`--secret acme=env:TOKEN`"), "{}", verdict.reason);
    assert!(diagnose(&plain(), &call, AtHand::default(), now())[0].contains("--secret acme=env:TOKEN"));
}

#[test]
fn an_empty_secret_is_none() {
    let forged = request(BODY, &made_with_empty_key());
    let verdict = verify(&plain(), &forged, &[&Secret::new("env:EMPTY", *b"")], now());
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("not usable: env:EMPTY: the token is empty"), "{}", verdict.reason);
    assert_eq!(
        sign(&plain(), &mut forged.clone(), Some(&Secret::new("env:EMPTY", *b"")), now()),
        Err(SignError::Secret("the token is empty".into()))
    );
    assert!(why(&forged)[0].contains("signed with an empty token"));
}

fn made_with_empty_key() -> String {
    let Method::Detached(detached) = plain().method else { unreachable!("plain() has a detached signature") };
    let request = request(BODY, "");
    let source = Source { request: &request, body: &request.body, url: "", timestamp: "", secret: b"" };
    detached.encoding.encode(&detached.tag(&PreparedKey::raw(b""), source).unwrap())
}

#[test]
fn malformed_ones_say_what_was_expected() {
    for (given, reason) in [
        (&SIGNED[1..], "X-Signature is malformed: 64 hex digits expected, 63 found"),
        ("", "X-Signature is malformed: 64 hex digits expected, 0 found"),
        ("7b2g", "X-Signature is malformed: 'g' at position 4 is not a hex digit"),
        ("7b\u{1b}", "X-Signature is malformed: '\\u{1b}' at position 3 is not a hex digit"),
    ] {
        let verdict = verdict(&request(BODY, given));
        assert_eq!((verdict.sig, verdict.reason.as_str()), (Sig::Malformed, reason));
    }
    assert!(why(&request(BODY, "7b2g"))[0].contains("as the contract has it"));
}

#[test]
fn two_signatures_are_malformed() {
    let mut double = request(BODY, SIGNED);
    double.headers.push("X-Signature", SIGNED);
    assert_eq!(verdict(&double).sig, Sig::Malformed);
    assert!(why(&double)[0].contains("send X-Signature once"));
}

#[test]
fn a_cut_body_cannot_be_judged() {
    let mut cut = request(BODY, SIGNED);
    cut.cut = true;
    assert_eq!(verdict(&cut).sig, Sig::Malformed);
    assert!(verdict(&cut).reason.contains("only the beginning of the body is recorded"));
    assert!(why(&cut)[0].contains("max_body"));
    cut.origin = Some("http://127.0.0.1:1".to_owned());
    assert!(verdict(&cut).reason.starts_with("only the beginning of the body was sent"));
    assert!(why(&cut)[0].starts_with("Send the whole body"), "no listener cut it");
}

#[test]
fn signing_replaces_in_place_and_verifies() {
    let mut call = request("changed", SIGNED);
    call.headers.push("Accept", "*/*");
    sign(&plain(), &mut call, Some(&token()), now()).unwrap();
    assert_eq!(
        call.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["content-type", "x-signature", "Accept"]
    );
    assert_eq!(verdict(&call).sig, Sig::Valid);
}

#[test]
fn templates_sign_headers_and_text() {
    let scheme = scheme(
        "scheme = 'hmac-sha512'\nheader = 'X-Sig'\nprefix = 'v1='\nencoding = 'base64'\nmessage = '{header:X-Time}.{body}'",
    );
    let mut call = request(BODY, "");
    assert_eq!(sign(&scheme, &mut call, Some(&token()), now()), Err(SignError::Lacking("the header X-Time".into())));
    call.headers.push("X-Time", "1700");
    sign(&scheme, &mut call, Some(&token()), now()).unwrap();
    assert!(call.headers.get("X-Sig").unwrap().starts_with("v1="));
    let verdict = verify(&scheme, &call, &[&token()], now());
    assert_eq!(verdict.sig, Sig::Valid);
    assert_eq!(verdict.signed.as_deref(), Some("the header X-Time, \".\", the body, 90 bytes"));
    call.headers.set("X-Time", "1701");
    assert_eq!(verify(&scheme, &call, &[&token()], now()).sig, Sig::Invalid);
    call.headers.remove("X-Time");
    assert_eq!(verify(&scheme, &call, &[&token()], now()).sig, Sig::Malformed);
    call.headers.set("X-Sig", "v0=AAAA");
    assert!(verify(&scheme, &call, &[&token()], now()).reason.contains("does not begin with `v1=`"));
}

#[test]
fn a_scheme_that_is_not_built_is_refused_by_name() {
    for (from, to, words) in [
        ("hmac-sha256", "hmac-md5", "known are \"hmac-sha1\", \"hmac-sha256\", \"hmac-sha512\""),
        ("{body}", "{uri}", "did you mean \"{url}\"?"),
        ("{body}", "{content}", "known are \"{body}\", \"{body:/POINTER}\", \"{header:NAME}\""),
        ("{body}", "{timestamp}", "say with `timestamp`"),
        ("{body}", "{body", "not closed"),
        ("{body}", "", "empty"),
        ("\"hex\"", "\"base32\"", "base64"),
        ("header =", "heading =", "heading"),
    ] {
        let error = toml::from_str::<Scheme>(&PLAIN.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(words), "{to}: {error}");
    }
}

#[test]
fn every_usual_mistake_with_the_body_is_named() {
    let came = "{\"name\": \"Zoë\",\n \"n\": 1}";
    for (signed, words) in [
        (r#"{"name":"Zoë","n":1}"#, "JSON.stringify"),
        (r#"{"name": "Zo\u00eb", "n": 1}"#, "json.dumps"),
        (r#"{"name": "Zoë", "n": 1}"#, "ensure_ascii=False"),
        ("{\n  \"name\": \"Zoë\",\n  \"n\": 1\n}", "pretty-printed"),
        ("{\n    \"name\": \"Zo\\u00eb\",\n    \"n\": 1\n}", "`indent=4`"),
        ("{\n    \"name\": \"Zoë\",\n    \"n\": 1\n}", "four spaces"),
        (r#"{"n": 1, "name": "Zo\u00eb"}"#, "`sort_keys=True`"),
        (r#"{"n":1,"name":"Zoë"}"#, "its members sorted"),
        ("{\"name\":\"Zoë\",\"n\":1}\n", "and a line end after it"),
        ("{\"name\": \"Zoë\",\n \"n\": 1}\n", "one more line end"),
        ("{\"name\": \"Zoë\",\n \"n\": 1}\r\n", "one more CRLF"),
        ("{\"name\": \"Zoë\",\r\n \"n\": 1}", "CRLF for LF"),
        ("\u{feff}{\"name\": \"Zoë\",\n \"n\": 1}", "with a byte order mark"),
        ("", "an empty body"),
    ] {
        let why = why(&request(came, &made(&plain(), signed, b"123456789")));
        assert!(why.len() == 1 && why[0].contains(words), "{words}: {why:?}");
    }
    let mut latin1 = request("", &made(&plain(), "{\"name\":\"Zoë\"}", b"123456789"));
    latin1.body = b"{\"name\":\"Zo\xeb\"}"[..].into();
    let found = why(&latin1);
    assert!(found.len() == 1 && found[0].contains("in UTF-8, and it came in Latin-1"), "{found:?}");
    latin1.body = b"\xff\xfe{\0}\0"[..].into();
    let found = why(&latin1);
    assert!(found[0].contains(" Byte 1 of the body is not UTF-8, "), "{found:?}");
    for (came, signed, words) in [
        ("{}\r\n", "{}", "without the line end"),
        (r#"{"a":1.0}"#, r#"{"a":1}"#, "JSON.stringify"),
        ("a\r\nb", "a\nb", "LF for CRLF"),
        ("\u{feff}a", "a", "without its byte order mark"),
    ] {
        let why = why(&request(came, &made(&plain(), signed, b"123456789")));
        assert!(why.iter().any(|why| why.contains(words)), "{words}: {why:?}");
    }
}

#[test]
fn every_usual_mistake_with_the_secret_is_named() {
    for (ours, theirs, words) in [
        ("tok ", "tok", "white space at its ends"),
        ("\"tok\"", "tok", "in quotation marks that the sender does not"),
        ("tok", "tok\n", "line end after it"),
        ("tok", "tok\r\n", "CRLF after it"),
        ("tok", "tok ", "a space after it"),
        ("tok", "\"tok\"", "signs with env:TOKEN in quotation marks"),
        ("c2VjcmV0", "secret", "decoded from base64"),
        ("736563726574", "secret", "decoded from hex"),
    ] {
        let call = request(BODY, &made(&plain(), BODY, theirs.as_bytes()));
        let why = diagnose(&plain(), &call, AtHand::only(&[&Secret::new("env:TOKEN", ours)]), now());
        assert!(why.len() == 1 && why[0].contains(words), "{words}: {why:?}");
    }
}

#[test]
fn the_secret_of_another_platform_is_recognised_also_with_a_changed_body() {
    let other = Secret::new("env:OTHER", *b"other");
    let call = request(BODY, &made(&plain(), &format!("{BODY}\n"), b"other"));
    for secrets in [&[][..], &[&token()]] {
        let why = diagnose(&plain(), &call, AtHand { secrets, others: &[("umbrella", &other)], own: false }, now());
        assert_eq!(why.len(), 1, "{why:?}");
        assert!(why[0].contains("env:OTHER, which is configured for umbrella") && why[0].contains("one more line end"));
        assert!(why[0].contains("--secret acme=env:OTHER"));
    }
}

#[test]
fn every_usual_mistake_with_the_header_is_named() {
    let base64 = "ey5Sb4DTrQlO4KLMwlAa/atwRPiYOfn8upRm0VqWd3Q=";
    for (given, words) in [
        (base64.to_owned(), "in base64: write its bytes in hex"),
        (base64.replace('/', "_").replace('=', ""), "in base64"),
        (format!("sha256={SIGNED}"), "`sha256=` before it"),
        (
            format!("sha256={base64}"),
            "`sha256=` before it: leave that out. Besides: The signature is written in base64",
        ),
        (format!(" {SIGNED} "), "white space"),
        (format!("\"{SIGNED}\""), "quotation marks around it"),
    ] {
        let call = request(BODY, &given);
        assert_eq!(verdict(&call).sig, Sig::Malformed, "{given}");
        let why = why(&call);
        assert!(why.len() == 1 && why[0].contains(words), "{given}: {why:?}");
    }
    let prefixed = scheme(&format!("{PLAIN}\nprefix = 'sha256='\n").replace("\"hex\"", "\"base64\""));
    let why = diagnose(&prefixed, &request(BODY, SIGNED), AtHand::only(&[&token()]), now());
    assert!(why[0].contains("lacks `sha256=`") && why[0].contains("in hex: write its bytes in base64"), "{why:?}");
}

#[test]
fn a_signature_under_another_header_is_found() {
    let mut call = request(BODY, "");
    call.headers.remove("X-Signature");
    call.headers.push("X-Hub-Signature-256", format!("sha256={SIGNED}"));
    let why = why(&call);
    assert!(why[0].contains("stands in X-Hub-Signature-256: send it in X-Signature"), "{why:?}");
}

#[test]
fn a_valid_one_needs_no_diagnosis() {
    assert!(why(&request(BODY, SIGNED)).is_empty());
}

#[test]
fn an_unsigned_contract_has_its_verdict() {
    assert_eq!(unsigned().sig, Sig::Unsigned);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// RFC 4231 says what HMAC is; this says that ours covers every bit of body, key and signature.
    #[test]
    fn any_flipped_bit_is_noticed(body in prop::collection::vec(any::<u8>(), 1..200), key in "[ -~]{1,40}", bit: prop::sample::Index) {
        let secret = Secret::new("key", key.clone());
        let mut call = Request { body: body.clone().into(), ..Request::default() };
        sign(&plain(), &mut call, Some(&secret), now()).unwrap();
        prop_assert_eq!(verify(&plain(), &call, &[&secret], now()).sig, Sig::Valid);

        let bit = bit.index(body.len() * 8);
        let mut flipped = body;
        flipped[bit / 8] ^= 1 << (bit % 8);
        call.body = flipped.into();
        prop_assert_eq!(verify(&plain(), &call, &[&secret], now()).sig, Sig::Invalid);
    }

    #[test]
    fn no_header_value_and_no_body_upset_it(value in prop::collection::vec(any::<u8>(), 0..80), body in prop::collection::vec(any::<u8>(), 0..60)) {
        let call = Request { headers: [("X-Signature", value)].into_iter().collect(), body: body.into(), ..Request::default() };
        let sig = verify(&plain(), &call, &[&token()], now()).sig;
        prop_assert!(matches!(sig, Sig::Malformed | Sig::Invalid));
        prop_assert!(!diagnose(&plain(), &call, AtHand::only(&[&token()]), now()).is_empty());
    }
}
