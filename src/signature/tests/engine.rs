//! The parameters by which the engine grows, each held to what is published where something is.

use rstest::rstest;

use super::*;

/// A scheme from its table, its fields separated by `;`.
pub(super) fn scheme(table: &str) -> Scheme {
    let toml = format!("{}\n", table.replace("; ", "\n"));
    Scheme { name: "acme/webhook".into(), ..toml::from_str(&toml).unwrap() }
}

pub(super) fn call(url: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let at = url.find("://").map_or(0, |scheme| scheme + 3 + url[scheme + 3..].find('/').unwrap());
    let (origin, target) = url.split_at(at);
    Request {
        method: "POST".into(),
        target: target.into(),
        public: (at > 0).then(|| origin.to_owned()),
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        body: body.to_owned().into(),
        ..Request::default()
    }
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new("env:SECRET", text)
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn sig(scheme: &Scheme, call: &Request, key: &str, seconds: i64) -> Sig {
    verify(scheme, call, &[&secret(key)], at(seconds)).sig
}

/// What [`diagnose`] says first.
fn why(scheme: &Scheme, call: &Request, key: &str, seconds: i64) -> String {
    diagnose(scheme, call, AtHand::only(&[&secret(key)]), at(seconds)).into_iter().next().unwrap_or_default()
}

pub(super) const PAIRS: &str = r#"scheme = "hmac-sha256"; header = "Sig"; separator = ","; prefix = "v1="; encoding = "hex"; message = "{timestamp}.{body}"; timestamp = "field:t"; tolerance = 300; window = "past""#;
pub(super) const LIST: &str = r#"scheme = "hmac-sha256"; header = "webhook-signature"; separator = " "; prefix = "v1,"; encoding = "base64"; message = "{header:webhook-id}.{timestamp}.{body}"; timestamp = "header:webhook-timestamp"; tolerance = 300; key = "base64"; key_prefix = ["whsec_"]"#;
pub(super) const URL: &str = r#"scheme = "hmac-sha1"; header = "Sig"; encoding = "base64"; message = "{url}{form}"; either_port = true; body_hash = "bodySHA256""#;
const ED: &str = r#"scheme = "ed25519"; header = "Sig"; encoding = "hex"; message = "{timestamp}{body}"; timestamp = "header:Time"; key = "hex""#;

#[test]
fn fields_and_several_signatures_stand_in_one_header() {
    let scheme = scheme(PAIRS);
    let mut request = call("", &[], "{}");
    sign(&scheme, &mut request, Some(&secret("k")), at(1000)).unwrap();
    let signed = request.headers.get("Sig").unwrap().to_owned();
    assert!(signed.starts_with("t=1000,v1="), "{signed}");
    let other = "0".repeat(64);
    for (given, expected) in [
        (signed.clone(), Sig::Valid),
        (signed.replace(',', ", "), Sig::Valid),
        (signed.replace("v1=", &format!("v1={other},v0=ab,v1=")), Sig::Valid),
        (signed.replace("t=1000", "t=1001"), Sig::Invalid),
        (format!("t=1000,v1={other}"), Sig::Invalid),
        (signed.replace("v1=", "v2="), Sig::Malformed),
        (signed.replace("t=1000,", ""), Sig::Malformed),
        (signed.replace("t=", "t= "), Sig::Invalid),
    ] {
        request.headers.set("Sig", given.clone());
        assert_eq!(sig(&scheme, &request, "k", 1000), expected, "{given}");
    }
}

#[test]
fn what_is_authentic_and_not_of_now_is_stale() {
    let scheme = scheme(PAIRS);
    let mut request = call("", &[], "{}");
    sign(&scheme, &mut request, Some(&secret("k")), at(100_000)).unwrap();
    assert_eq!(sig(&scheme, &request, "k", 100_300), Sig::Valid);
    assert_eq!(sig(&scheme, &request, "k", 100_301), Sig::Stale);
    assert_eq!(sig(&scheme, &request, "k", 1), Sig::Valid);
    assert_eq!(sig(&scheme, &request, "other", 100_301), Sig::Invalid);
    let verdict = verify(&scheme, &request, &[&secret("k")], at(101_000));
    assert!(
        verdict.reason.starts_with("signed with env:SECRET, but it was made 16 min 40 s before"),
        "{}",
        verdict.reason
    );
    assert!(why(&scheme, &request, "k", 101_000).contains("--sign fresh"));
}

/// Standard Webhooks, libraries/javascript/src/webhook.test.ts.
#[test]
fn a_list_of_versions_is_read_and_its_secret_decoded() {
    let scheme = scheme(LIST);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    for given in [right.to_owned(), format!("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,x {right}")] {
        let headers = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", &given),
        ];
        let request = call("", &headers, r#"{"test": 2432232314}"#);
        assert_eq!(sig(&scheme, &request, key, 1_614_265_330), Sig::Valid, "{given}");
        assert_eq!(sig(&scheme, &request, &key[6..], 1_614_265_330), Sig::Valid);
        assert_eq!(sig(&scheme, &request, "whsec_not/base64!", 1_614_265_330), Sig::NoSecret);
        assert_eq!(sig(&scheme, &request, key, 1_614_265_330 + 301), Sig::Stale);
        assert_eq!(sig(&scheme, &request, key, 1_614_265_330 - 301), Sig::Stale);
    }
    // The commonest mistake: the secret's text is taken for the key.
    let mut plain = scheme.clone();
    let Method::Detached(detached) = &mut plain.method else { unreachable!("it has a detached signature") };
    detached.key = KeyForm::Text;
    detached.key_prefix.clear();
    let mut request = call("", &[("webhook-id", "msg_1")], "{}");
    sign(&plain, &mut request, Some(&secret(key)), at(5)).unwrap();
    assert_eq!(sig(&scheme, &request, key, 5), Sig::Invalid);
    assert!(why(&scheme, &request, key, 5).contains("signs with the text of env:SECRET as it stands"));
}

/// twilio/twilio-python, `tests/unit/test_request_validator.py`.
#[test]
fn the_address_is_signed_with_the_form_and_any_port() {
    const FORM: &str =
        "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    let (scheme, token) = (scheme(URL), "12345");
    let form = |url: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("Sig", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")];
        call(url, &headers, FORM)
    };
    let right = "https://mycompany.com/myapp.php?foo=1&bar=2";
    for url in
        [right, "https://mycompany.com:443/myapp.php?foo=1&bar=2", "https://mycompany.com:1234/myapp.php?foo=1&bar=2"]
    {
        assert_eq!(sig(&scheme, &form(url), token, 0), Sig::Valid, "{url}");
    }
    let repeated = Request { body: format!("Digits=1234&{FORM}").into(), ..form(right) };
    assert_eq!(sig(&scheme, &repeated, token, 0), Sig::Valid);
    for (url, words) in [
        ("http://mycompany.com/myapp.php?foo=1&bar=2", "public_url = \"https://mycompany.com\""),
        ("https://mycompany.com/myapp.php/?foo=1&bar=2", "Nothing fits"),
    ] {
        assert_eq!(sig(&scheme, &form(url), token, 0), Sig::Invalid);
        let why = why(&scheme, &form(url), token, 0);
        assert!(why.contains(words), "{url}: {why}");
    }
    // Behind a tunnel that nobody trusts, what it says is a guess and no proof.
    let mut tunnelled = form("http://127.0.0.1:4747/myapp.php?foo=1&bar=2");
    tunnelled.headers.push("X-Forwarded-Proto", "https");
    tunnelled.headers.push("X-Forwarded-Host", "mycompany.com");
    assert_eq!(sig(&scheme, &tunnelled, token, 0), Sig::Invalid);
    let why = why(&scheme, &tunnelled, token, 0);
    assert!(why.contains("write `public_url = \"https://mycompany.com\"` under `[listen]`"), "{why}");
}

#[test]
fn a_body_that_is_no_form_is_signed_by_its_hash_in_the_query() {
    let (scheme, token) = (scheme(URL), "12345");
    let mut request = call("https://a.example/x?y=1", &[("content-type", "application/json")], r#"{"a":1}"#);
    sign(&scheme, &mut request, Some(&secret(token)), at(0)).unwrap();
    assert!(request.target.starts_with("/x?y=1&bodySHA256="), "{}", request.target);
    assert_eq!(sig(&scheme, &request, token, 0), Sig::Valid);
    let changed = Request { body: r#"{"a":2}"#.into(), ..request.clone() };
    assert_eq!(sig(&scheme, &changed, token, 0), Sig::Invalid);
    assert!(why(&scheme, &changed, token, 0).contains("not the SHA-256 of the body"));
    let unsigned = Request { target: "/x?y=1".into(), ..request };
    assert_eq!(sig(&scheme, &unsigned, token, 0), Sig::Malformed);
}

#[rstest]
#[case::secret_in_the_text(
    r#"scheme = "sha256"; header = "Sig"; encoding = "hex"; message = "{secret}{method}{url}{body}""#,
    "GET",
    "https://www.example.com/webhook_uri",
    "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
    "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
)] // HubSpot/hubspot-api-nodejs test/unit/signature.spec.ts
fn parts_of_the_call_are_signed(
    #[case] table: &str,
    #[case] method: &str,
    #[case] url: &str,
    #[case] key: &str,
    #[case] given: &str,
) {
    let mut request = call(url, &[("Sig", given)], "");
    request.method = method.into();
    let scheme = scheme(table);
    assert!(!scheme.is_keyless());
    assert_eq!(sig(&scheme, &request, key, 0), Sig::Valid);
    let verdict = verify(&scheme, &request, &[&secret(key)], at(0));
    assert_eq!(scheme.signed_text(&request), None);
    assert!(!format!("{verdict:?}").contains(key));
    request.method = "POST".into();
    assert_eq!(sig(&scheme, &request, key, 0), Sig::Invalid);
}

#[test]
fn a_signature_in_the_body_is_read_and_written_there() {
    let scheme = scheme(
        r#"scheme = "hmac-sha256"; field = "/signature/signature"; encoding = "hex"; message = "{timestamp}{body:/signature/token}"; timestamp = "/signature/timestamp""#,
    );
    let body = |signature: &str| {
        format!(
            r#"{{"signature": {{"timestamp":"1529006854", "token":"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0","signature":"{signature}"}}, "x":1.0}}"#
        )
    };
    let request = call("", &[], &body("789244a146c6637126bae16cc09e8755be4ea925e0cff2854851cd2b3f9dfcaf"));
    assert_eq!(sig(&scheme, &request, "signing-key", 0), Sig::Valid);
    let mut fresh = call("", &[], &body(""));
    assert_eq!(sig(&scheme, &fresh, "signing-key", 0), Sig::Malformed);
    sign(&scheme, &mut fresh, Some(&secret("signing-key")), at(1_529_006_854)).unwrap();
    assert_eq!(fresh.body, request.body);
    assert_eq!(sig(&scheme, &call("", &[], "{}"), "signing-key", 0), Sig::Missing);
}

#[test]
fn a_key_pair_signs_with_one_half_and_verifies_with_either() {
    // RFC 8032, 7.1, test 1; the text is made up.
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let private = format!("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60{public}");
    let given = "1695961a47c91a1ec033b819b7e87e3dbc583dd0cee6d1fd0216f58ac87b6228ae531ddbf91fb7bc28d7edf7f08604da16f54624f38a6bc0614e4dc13cd47f0f";
    let scheme = scheme(ED);
    let mut request = call("", &[("Sig", given), ("Time", "1700000000")], r#"{"type":1}"#);
    for key in [public, private.as_str()] {
        assert_eq!(sig(&scheme, &request, key, 0), Sig::Valid);
    }
    assert!(scheme.can_sign_with(&secret(&private)) && !scheme.can_sign_with(&secret(public)));
    sign(&scheme, &mut request, Some(&secret(&private)), at(1_700_000_000)).unwrap();
    assert_eq!(request.headers.get("Sig"), Some(given));
    let refused = sign(&scheme, &mut request, Some(&secret(public)), at(0)).unwrap_err();
    assert!(refused.to_string().contains("only the private key can sign"));
    request.body = r#"{"type":2}"#.into();
    assert_eq!(sig(&scheme, &request, public, 0), Sig::Invalid);
    assert_eq!(sig(&scheme, &request, "zz", 0), Sig::NoSecret);
}

#[rstest]
#[case::ed25519_pem(r#"scheme = "ed25519"; header = "Sig"; encoding = "hex"; message = "{body}""#)]
#[case::ed25519_base64(r#"scheme = "ed25519"; header = "Sig"; prefix = "v1a,"; encoding = "base64"; message = "{body}"; key = "base64"; key_prefix = ["whsk_", "whpk_"]"#)]
#[case::p256(r#"scheme = "ecdsa-p256"; header = "Sig"; encoding = "base64"; message = "{body}""#)]
#[case::rsa(r#"scheme = "rsa-sha256"; header = "Sig"; encoding = "base64"; message = "{secret:id}|{crc32}""#)]
#[case::sha1(r#"scheme = "hmac-sha1"; header = "Sig"; prefix = "sha1="; encoding = "hex"; message = "{body}""#)]
#[case::token(r#"scheme = "token"; header = "Sig"; prefix = "Bearer ""#)]
#[case::token_in_the_query(r#"scheme = "token"; query = "token""#)]
#[case::basic(r#"scheme = "basic"; header = "Authorization"; prefix = "Basic ""#)]
fn a_fresh_secret_signs_for_every_scheme(#[case] table: &str) {
    let scheme = scheme(table);
    let (one, two) = (scheme.fresh_secret("one").unwrap(), scheme.fresh_secret("two").unwrap());
    let mut request = call("http://a.example/x", &[], "body");
    sign(&scheme, &mut request, Some(&one), at(0)).unwrap();
    assert_eq!(verify(&scheme, &request, &[&two, &one], at(0)).secret.as_deref(), Some("one"));
    assert_eq!(verify(&scheme, &request, &[&two], at(0)).sig, Sig::Invalid);
    assert_eq!(verify(&scheme, &request, &[], at(0)).sig, Sig::NoSecret);
    assert!(!diagnose(&scheme, &request, AtHand::only(&[&two]), at(0)).is_empty());
    let others =
        diagnose(&scheme, &request, AtHand { secrets: &[&two], others: &[("other", &one)], own: false }, at(0));
    assert!(others[0].contains("one, which is configured for other"), "{others:?}");
    for spoiled in spoiled(&scheme, &request) {
        assert_ne!(verify(&scheme, &spoiled, &[&one], at(0)).sig, Sig::Valid);
    }
    let bare = call("http://a.example/x", &[], "body");
    assert_eq!(verify(&scheme, &bare, &[&one], at(0)).sig, Sig::Missing);
    assert!(!diagnose(&scheme, &bare, AtHand::only(&[&one]), at(0)).is_empty());
    let optional = Scheme { optional: true, ..scheme };
    assert_eq!(verify(&optional, &bare, &[], at(0)).sig, Sig::Unsigned);
    assert_eq!(verify(&optional, &bare, &[&one], at(0)).sig, Sig::Missing);
}

#[test]
fn lines_before_a_key_are_part_of_what_is_signed() {
    let scheme =
        scheme(r#"scheme = "rsa-sha256"; header = "Sig"; encoding = "base64"; message = "{secret:id}|{crc32}""#);
    let pem = keys::new_rsa().unwrap();
    let mut request = call("", &[], "123456789");
    let with = |id: &str, pem: &str| secret(&format!("id: {id}\n{pem}"));
    sign(&scheme, &mut request, Some(&with("a", &pem.private_pem)), at(0)).unwrap();
    // The check value of CRC-32 is CBF43926.
    assert_eq!(scheme.signed_text(&request).as_deref(), Some("|3421780262"));
    let judged = |secret: &Secret| verify(&scheme, &request, &[secret], at(0));
    assert_eq!(judged(&with("a", &pem.public_pem)).sig, Sig::Valid);
    assert_eq!(judged(&with("b", &pem.public_pem)).sig, Sig::Invalid);
    let without = judged(&secret(&pem.public_pem));
    assert_eq!(without.sig, Sig::NoSecret);
    assert!(without.reason.contains("it needs a line `id: ...` before its PEM block"), "{}", without.reason);
}

#[test]
fn headers_tell_one_scheme_from_another() {
    let scheme = scheme(
        r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "hex"; message = "{body}"; beside = { Sig-Version = "v2" }"#,
    );
    let mut request = call("", &[("Sig-Version", "v1")], "x");
    sign(&scheme, &mut request, Some(&secret("k")), at(0)).unwrap();
    assert_eq!(request.headers.get("Sig-Version"), Some("v2"));
    assert_eq!(sig(&scheme, &request, "k", 0), Sig::Valid);
    request.headers.set("Sig-Version", "v1");
    assert!(!scheme.is_borne_by(&request));
    assert_eq!(sig(&scheme, &request, "k", 0), Sig::Malformed);
}

#[test]
fn that_only_the_body_was_signed_is_told() {
    let scheme = scheme(PAIRS);
    let plain = made(&plain(), "{}", b"k");
    let request = call("", &[("Sig", &format!("t=1,v1={plain}"))], "{}");
    let why = why(&scheme, &request, "k", 1);
    assert!(why.starts_with("Only the body was signed: what is signed is the timestamp, \".\", the body"), "{why}");
}

#[rstest]
#[case("scheme = \"token\"", "missing field `header`")]
#[case("scheme = \"token\"; header = \"a\"; query = \"b\"", "stands in one place")]
#[case("scheme = \"token\"; field = \"b\"", "begins with `/`")]
#[case("scheme = \"token\"; header = \"a\"; encoding = \"hex\"", "a shared secret has neither")]
#[case("scheme = \"token\"; header = \"a\"; unit = \"ms\"", "say where it stands")]
#[case("scheme = \"token\"; header = \"a\"; separator = \"é\"", "one ASCII character")]
#[case(
    "scheme = \"hmac-sha256\"; header = \"a\"; encoding = \"hex\"; message = \"{body}\"; timestamp = \"t\"",
    "\"t\" is no place: write \"header:NAME\", \"field:NAME\" or \"/pointer\""
)]
#[case(
    "scheme = \"hmac-sha256\"; header = \"a\"; encoding = \"hex\"; message = \"{body}\"; timestamp = \"/a~b\"",
    "\"/a~b\" is no JSON Pointer"
)]
fn what_cannot_be_meant_is_refused(#[case] table: &str, #[case] said: &str) {
    let error = toml::from_str::<Scheme>(&table.replace("; ", "\n")).unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_time_that_cannot_be_read_is_malformed_whatever_it_says() {
    let scheme = scheme(LIST);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for time in ["2026-11-23T05:00:00Z", "before the call came"] {
        let mut request = call("", &[("webhook-id", "msg_1"), ("webhook-timestamp", time)], "{}");
        let signed = compute(&scheme, &request, Some(&secret(key)), at(5)).unwrap();
        request.headers.set("webhook-signature", signed);
        let verdict = verify(&scheme, &request, &[&secret(key)], at(5));
        assert_eq!(verdict.sig, Sig::Malformed, "{}", verdict.reason);
        assert!(verdict.reason.contains(&format!("{time:?} is not seconds since 1970")), "{}", verdict.reason);
        assert!(why(&scheme, &request, key, 5).contains("write the time in webhook-timestamp as seconds since 1970"));
        // The header comes first where that is written wrong too.
        request.headers.set("webhook-signature", "v2,x");
        assert!(why(&scheme, &request, key, 5).contains("webhook-signature as the contract has it"));
    }
}

#[test]
fn a_call_from_ahead_is_not_told_to_be_an_old_one() {
    let scheme = scheme(LIST);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut request = call("", &[("webhook-id", "msg_1")], "{}");
    sign(&scheme, &mut request, Some(&secret(key)), at(1000)).unwrap();
    assert!(why(&scheme, &request, key, 1).contains("set the clocks"));
    assert!(why(&scheme, &request, key, 2000).contains("--sign fresh"));
}

#[test]
fn a_damaged_secret_is_recognised_where_it_is_part_of_the_text() {
    let scheme = scheme(r#"scheme = "sha256"; header = "Sig"; encoding = "hex"; message = "{secret}{body}""#);
    for (key, words) in [
        ("k\n", "a line end after it"),
        ("k\r\n", "a CRLF after it"),
        ("k ", "a space after it"),
        ("\"k\"", "in quotation marks"),
    ] {
        let mut request = call("", &[], "{}");
        sign(&scheme, &mut request, Some(&secret(key)), at(5)).unwrap();
        let found = diagnose(&scheme, &request, AtHand::only(&[&secret("k")]), at(5));
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    }
    // An empty secret and none in the text make the same.
    let of_the_body = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let found = diagnose(&scheme, &call("", &[("Sig", of_the_body)], "{}"), AtHand::only(&[&secret("k")]), at(5));
    assert!(found.len() == 2 && found[0].starts_with("Only the body") && found[1].contains("empty"), "{found:?}");
}

#[test]
fn a_signature_that_stands_twice_in_the_query_is_malformed() {
    let scheme = scheme(r#"scheme = "token"; query = "token"; secret = "token"; example = "env:T"; missing = "m""#);
    let mut request = call("https://a.example/x?a=1&token=k&token=k", &[], "{}");
    let verdict = verify(&scheme, &request, &[&secret("k")], at(5));
    assert_eq!(verdict.sig, Sig::Malformed, "{}", verdict.reason);
    assert!(verdict.reason.starts_with("`token` of the query is there 2 times"), "{}", verdict.reason);
    assert!(why(&scheme, &request, "k", 5).contains("send `token` of the query once"));
    sign(&scheme, &mut request, Some(&secret("k")), at(5)).unwrap();
    assert_eq!((request.target.as_str(), sig(&scheme, &request, "k", 5)), ("/x?a=1&token=k", Sig::Valid));
}

#[test]
fn a_signed_header_that_stands_twice_is_malformed() {
    let text = r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "hex"; message = "{header:Id}.{timestamp}"; timestamp = "header:Time"; secret = "s"; example = "env:S"; missing = "m""#;
    let scheme = scheme(text);
    let mut good = call("", &[("Id", "1")], "{}");
    sign(&scheme, &mut good, Some(&secret("k")), at(5)).unwrap();
    assert_eq!(sig(&scheme, &good, "k", 5), Sig::Valid);
    for name in ["Id", "Time"] {
        let mut request = good.clone();
        request.headers.push(name, "5");
        let verdict = verify(&scheme, &request, &[&secret("k")], at(5));
        assert_eq!(verdict.sig, Sig::Malformed, "{}", verdict.reason);
        assert!(verdict.reason.starts_with(&format!("there are 2 {name} headers")), "{}", verdict.reason);
        assert!(why(&scheme, &request, "k", 5).contains(&format!("send {name} once")));
    }
}

#[test]
fn a_signed_value_that_stands_twice_in_the_body_is_malformed() {
    let signed = r#"scheme = "hmac-sha256"; header = "Sig"; encoding = "hex"; message = "{body:/call/id}.{timestamp}"; timestamp = "/time"; secret = "s"; example = "env:S"; missing = "m""#;
    let borne = r#"scheme = "token"; field = "/call/id"; secret = "s"; example = "env:S"; missing = "m""#;
    for (table, twice, place) in [
        (signed, r#"{"call":{"id":"B"},"call":{"id":"k"},"time":5}"#, "`/call/id` of the body"),
        (signed, r#"{"call":{"id":"B","id":"k"},"time":5}"#, "`/call/id` of the body"),
        (signed, r#"{"call":{"id":"k"},"time":4,"time":5}"#, "`/time` of the body"),
        (borne, r#"{"call":{"id":"B","id":"k"}}"#, "`/call/id` of the body"),
    ] {
        let scheme = scheme(table);
        let mut request = call("", &[], r#"{"call":{"id":"k"},"time":5}"#);
        sign(&scheme, &mut request, Some(&secret("k")), at(5)).unwrap();
        assert_eq!(sig(&scheme, &request, "k", 5), Sig::Valid);
        request.body = twice.into();
        let verdict = verify(&scheme, &request, &[&secret("k")], at(5));
        assert_eq!(verdict.sig, Sig::Malformed, "{}", verdict.reason);
        assert!(verdict.reason.starts_with(&format!("{place} is there 2 times")), "{}", verdict.reason);
        assert!(why(&scheme, &request, "k", 5).contains(&format!("send {place} once")));
    }
}

#[test]
fn a_form_that_is_too_long_is_not_taken_for_none() {
    let scheme = scheme(URL);
    let url = "https://mycompany.com/myapp.php";
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let mut empty = call(url, &form, "");
    sign(&scheme, &mut empty, Some(&secret("k")), at(0)).unwrap();
    let long = format!("Body=forged{}", "&a=".repeat(4096));
    let forged = Request { body: long.into(), ..empty.clone() };
    assert_eq!((sig(&scheme, &empty, "k", 0), sig(&scheme, &forged, "k", 0)), (Sig::Valid, Sig::Malformed));
    assert!(verify(&scheme, &forged, &[&secret("k")], at(0)).reason.contains("a form of at most 4096 parameters"));
    let refused = sign(&scheme, &mut forged.clone(), Some(&secret("k")), at(0)).unwrap_err().to_string();
    assert!(refused.contains("at most 4096 parameters"), "{refused}");
    let mut longest = call(url, &form, &"a=&".repeat(4095));
    sign(&scheme, &mut longest, Some(&secret("k")), at(0)).unwrap();
    assert_eq!(sig(&scheme, &longest, "k", 0), Sig::Valid);
}

#[test]
fn very_many_signatures_are_not_checked() {
    let pair = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    for (table, key) in [(PAIRS, "k"), (ED, pair)] {
        let scheme = Scheme { separator: Some(','), ..scheme(table) };
        let mut request = call("", &[("Time", "1000")], "{}");
        sign(&scheme, &mut request, Some(&secret(key)), at(1000)).unwrap();
        let signed = request.headers.get("Sig").unwrap().to_owned();
        let one = signed.rsplit(',').next().unwrap();
        let other: String =
            one.chars().map(|char| if char.is_ascii_digit() && char != '1' { '0' } else { char }).collect();
        for (others, expected) in [(15, Sig::Valid), (16, Sig::Malformed), (5000, Sig::Malformed)] {
            let given = signed.replace(one, &format!("{}{one}", format!("{other},").repeat(others)));
            request.headers.set("Sig", given);
            let verdict = verify(&scheme, &request, &[&secret(key)], at(1000));
            assert_eq!(verdict.sig, expected, "{others} {}", verdict.reason);
            assert_eq!(expected == Sig::Malformed, verdict.reason.contains("more than 16 signatures"));
        }
    }
}
