mod generated;
mod leaks;

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::call::{Request, Response};
use crate::platform::Platforms;
use crate::recording::testing::call;
use crate::recording::{decode, encode};
use crate::signature::Carrier;

/// Made once: without optimisation that takes a while.
pub(super) fn redaction() -> &'static Redaction {
    static COMMON: LazyLock<Redaction> = LazyLock::new(|| Redaction::new(&Redact::default()).unwrap());
    &COMMON
}

pub(super) fn with(headers: &[(&str, &str)], body: &str) -> Call {
    let mut call = call(1);
    call.request.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    call.request.body = body.to_owned().into();
    call
}

fn body(text: &str) -> String {
    String::from_utf8(redaction().call(&with(&[], text)).request.body.to_vec()).unwrap()
}

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl";

#[rstest]
#[case::names(r#"{"password":"hunter2", "n": 1.0}"#, r#"{"password":"[redacted]", "n": 1.0}"#)]
#[case::other_spelling(r#"{"accessToken":"a","Api-Key":7}"#, r#"{"accessToken":"[redacted]","Api-Key":"[redacted]"}"#)]
#[case::escaped_name(r#"{"pass\u0077ord":"a"}"#, r#"{"pass\u0077ord":"[redacted]"}"#)]
#[case::containers(
    r#"{"token":{"a":["x",1,true,null,""]},"b":2}"#,
    r#"{"token":{"a":["[redacted]","[redacted]","[redacted]",null,""]},"b":2}"#
)]
#[case::place(
    r#"{"context":{"user":{"name":"Ann","age":1e1},"lang":"el"}}"#,
    r#"{"context":{"user":{"name":"[redacted]","age":"[redacted]"},"lang":"el"}}"#
)]
#[case::card(r#"["4111 1111 1111 1111", 4111111111111111]"#, r#"["[redacted]", "[redacted]"]"#)]
#[case::no_card(
    r#"["4111 1111 1111 1112", 1761045302529, 0.4111111111111111]"#,
    r#"["4111 1111 1111 1112", 1761045302529, 0.4111111111111111]"#
)]
#[case::person(r#"{"text":"it is 078-05-1120, or QQ 12 34 56 C."}"#, r#"{"text":"it is [redacted], or [redacted]."}"#)]
#[case::hidden_by_escapes(r#"["\ud83d\ude00 078\u002d05-1120 \n"]"#, r#"["\ud83d\ude00 [redacted] \n"]"#)]
#[case::key(r#"{"078-05-1120":1}"#, r#"{"[redacted]":1}"#)]
#[case::json_in_json(
    r#"{"body":"{\"password\":\"hunter2\", \"n\":[1]}"}"#,
    r#"{"body":"{\"password\":\"[redacted]\", \"n\":[1]}"}"#
)]
#[case::deep(
    r#"["{\"a\":\"[\\\"\",{\\\"token\\\":7}]\"}", "{\"a\":\"{\\\"token\\\":7}\"}"]"#,
    r#"["{\"a\":\"[\\\"\",{\\\"token\\\":[redacted]\"}", "{\"a\":\"{\\\"token\\\":\\\"[redacted]\\\"}\"}"]"#
)]
#[case::address(r#"["https:\/\/h\/?a=1&sig=x#b", "/a?b"]"#, r#"["https:\/\/h\/?a=1&sig=[redacted]#b", "/a?b"]"#)]
#[case::too_deep(r#"["/a?b=/a?b=/a?b=/a?b=/a?b=/a?b=c"]"#, r#"["/a?b=/a?b=/a?b=/a?b=[redacted]"]"#)]
#[case::byte_order_mark("\u{feff}{\"password\":\"hunter2\"}", "\u{feff}{\"password\":\"[redacted]\"}")]
#[case::form("password=hunter2&a=1\n", "password=[redacted]&a=1\n")]
#[case::xml(
    "<a><w:Password Type=\"t\">hunter2</w:Password><b token='t'/><secret><![CDATA[<x>]]></secret><c>d</c></a>",
    "<a><w:Password Type=\"t\">[redacted]</w:Password><b token='[redacted]'/><secret>[redacted]</secret><c>d</c></a>"
)]
#[case::cut(r#"{"a":"078-05-1120","password":"hun"#, r#"{"a":"[redacted]","password":"[redacted]""#)]
#[case::text("call 078-05-1120\r\n", "call [redacted]\r\n")]
#[case::untouched("{\"a\" :1e3,\"a\":\"\\u00e4\"}\n", "{\"a\" :1e3,\"a\":\"\\u00e4\"}\n")]
fn what_is_secret_in_a_body_is_masked_and_the_rest_stays(#[case] from: &str, #[case] to: &str) {
    assert_eq!(body(from), to);
}

#[test]
fn names_of_credentials_are_known_in_fields_and_headers() {
    let secret = "auth_token authToken accessKey x-api-key privateKey user_password newPassword credentials jwt otp \
                  passphrase cvv Ocp-Apim-Subscription-Key x-functions-key x-access-key private-key x-csrf user[password] \
                  x-shopify-hmac-sha256";
    for name in secret.split(' ').filter(|name| !name.is_empty()) {
        assert!(redaction().fields.have(name) && redaction().masks_header(name), "{name}");
    }
    let kept = "session_id X-Moveo-Session-Id token_count max_tokens token_type intents author key idempotency_key pin \
                signed_at sign design passed auth_validation user-agent desktop";
    for name in kept.split(' ').filter(|name| !name.is_empty()) {
        assert!(!redaction().fields.have(name), "{name}");
    }
    assert!(!redaction().masks_header("x-moveo-session-id") && !redaction().masks_header("idempotency-key"));
}

#[test]
fn names_within_names_are_known() {
    for name in "user[ssn] login[pass] pass[0] emails[][email] a[auth][x] user.iban user[home].phone items.0.email.1 \
                 http://schemas.example/claims/email"
        .split_whitespace()
    {
        assert!(redaction().fields.have(name), "{name}");
    }
    for name in "email.verified auth/kind user[name] [1] . a.b[c] [auth]\u{a0}kind".split(' ') {
        assert!(!redaction().fields.have(name), "{name}");
    }
    assert_eq!(
        body("login[pass]=hunter2&user%5Bssn%5D=1&a[b]=2"),
        "login[pass]=[redacted]&user%5Bssn%5D=[redacted]&a[b]=2"
    );
    assert_eq!(body("id,user.iban\n1,DE00\n"), "id,user.iban\n1,[redacted]\n");
    assert_eq!(body("2026 [auth] kind: failed Twice\n"), "2026 [auth] kind: failed Twice\n");
}

#[test]
fn ids_that_are_called_tokens_are_kept_unless_the_user_names_them() {
    let text = r#"{"message_token":4912661846655238145,"events":[{"replyToken":"nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"}]}"#;
    assert_eq!(body(text), text);
    assert_eq!(redaction().target("/?reply_token=a&token=b"), "/?reply_token=a&token=[redacted]");
    let secret = "token access_token verify_token auth_token refresh_token id_token user_message_token my_reply_token \
                  reply_token_secret";
    for name in secret.split_whitespace() {
        assert!(redaction().fields.have(name), "{name}");
    }
    assert!(redaction().masks_header("x-reply-token") && redaction().masks_header("reply-token"));
    assert_eq!(body(&format!(r#"{{"replyToken":"{JWT}"}}"#)), r#"{"replyToken":"[redacted]"}"#, "by its look");
    for own in ["replyToken", "*token", "reply*"] {
        let redact = Redact { fields: vec![own.into()], ..Redact::default() };
        assert!(Redaction::new(&redact).unwrap().fields.have("reply_token"), "{own}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_hide_nothing() {
    let mut call = with(&[("content-type", "application/json")], "");
    let mask = |call: &Call| redaction().call(call).request.body;
    call.request.body = Bytes::from_static(b"{\"password\":\"hunt\xe9r2\",\"name\":\"J\xe9r\"}");
    assert_eq!(mask(&call), &b"{\"password\":\"[redacted]\",\"name\":\"J\xe9r\"}"[..]);
    // UTF-16.
    call.request.body = Bytes::from_static(b"{\0\"\0a\0\"\0:\x001\0}\0");
    assert_eq!(mask(&call), MASK);
    call.request.headers = [("content-type", "application/x-www-form-urlencoded")].into_iter().collect();
    call.request.body =
        Bytes::from_static(b"a=\xe9&token=t%zz%e9&payload=%7B%22token%22:+%22x%22,%22a%22:%221%e9%22%7D&b=");
    assert_eq!(
        mask(&call),
        &b"a=\xe9&token=[redacted]&payload=%7B%22token%22:+%22[redacted]%22,%22a%22:%221%e9%22%7D&b="[..]
    );
}

#[rstest]
#[case::said("multipart/form-data; boundary=\"X\"")]
#[case::seen("")]
fn parts_are_masked_by_their_names(#[case] content_type: &str) {
    let body = |secrets: [&str; 2]| {
        let [password, token] = secrets;
        format!(
            "--X\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{password}\r\n\
             --X\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{{\"token\": {token}}}\r\n\
             --X\r\nContent-Disposition: form-data; name=otp\r\n\r\n\r\n\
             --X\r\nContent-Disposition: form-data; name=name\r\n\r\nAnn\r\n--X--\r\n"
        )
    };
    let call = with(&[("content-type", content_type)], &body(["hunter2", "7"]));
    let masked = redaction().call(&call);
    assert_eq!(masked.request.body, body([MASK, "\"[redacted]\""]));
    assert_eq!(redaction().call(&masked), masked);
    let torn = with(&[("content-type", content_type)], "--X\r\nContent-Disposition: form-data; name=otp\r\n\r\n1");
    assert!(redaction().call(&torn).request.body.ends_with(b"\r\n[redacted]"));
}

#[rstest]
#[case("https://x/#access_token=a?b&c=1", "https://x/#access_token=[redacted]&c=1")]
#[case("/a?b=1#/c?token=t", "/a?b=1#/c?token=[redacted]")]
#[case("/a?otp=1#b", "/a?otp=[redacted]#b")]
#[case("/a#", "/a#")]
#[case("/a?", "/a?")]
#[case("/?next=https%3A%2F%2Fh%2F%3Ftoken%3Dt", "/?next=https%3A%2F%2Fh%2F%3Ftoken%3D[redacted]")]
fn addresses_are_masked_up_to_their_end(#[case] from: &str, #[case] to: &str) {
    assert_eq!(redaction().target(from), to);
}

#[test]
fn tokens_are_known_by_their_look() {
    for token in [
        JWT,
        "Bearer 0123456789abcdef",
        "sk_live_0123456789abcdef",
        "ghp_0123456789abcdef0123",
        "xoxb-0123456789-abcdef",
        "AKIA0123456789ABCDEF",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----",
    ] {
        assert_eq!(redaction().text(&format!("a {token}")), "a [redacted]", "{token}");
    }
    assert!(matches!(redaction().text("the bearer of bad news"), Cow::Borrowed(_)));
}

#[test]
fn headers_and_parameters_are_masked() {
    let mut call = with(
        &[
            ("Authorization", "Basic YTpi"),
            ("x-moveo-signature", "7b2e"),
            ("X-Hub-Signature-256", "sha256=00"),
            ("x-gitlab-token", "t"),
            ("x-api-key", "k"),
            ("referer", "http://h/?a=1&token=t"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-empty-token", ""),
        ],
        "name=Ann&pass%77ord=x+y&card=4111%201111+11111111&empty=&password",
    );
    call.request.target = format!("/open?jwt={JWT}&access_token=abc&q=1");
    call.response = Some(Response {
        status: 302,
        headers: [("Set-Cookie", "a=b"), ("location", "/x?token=t")].into_iter().collect(),
        body: r#"{"token":"t"}"#.into(),
    });
    let masked = redaction().call(&call);
    assert_eq!(masked.request.target, "/open?jwt=[redacted]&access_token=[redacted]&q=1");
    let headers: Vec<_> = masked.request.headers.iter().map(|(_, value)| std::str::from_utf8(value).unwrap()).collect();
    let kept = "application/x-www-form-urlencoded; charset=utf-8";
    assert_eq!(headers, [[MASK; 5].as_slice(), &["http://h/?a=1&token=[redacted]", kept, ""]].concat());
    assert_eq!(masked.request.body, "name=Ann&pass%77ord=[redacted]&card=[redacted]&empty=&password");
    let response = masked.response.unwrap();
    assert_eq!(response.headers, [("Set-Cookie", MASK), ("location", "/x?token=[redacted]")].into_iter().collect());
    assert_eq!(response.body, r#"{"token":"[redacted]"}"#);
}

#[test]
fn a_masked_request_says_so_in_its_line_and_keeps_what_was_found_at_the_time() {
    let plain = with(&[("host", "h")], "{}");
    assert_eq!(redaction().call(&plain), plain);
    let masked = redaction().call(&call(1));
    assert!(masked.request.redacted);
    assert_eq!(masked.sig, call(1).sig);
    assert_eq!(decode(&encode(&masked)), Ok(masked.clone()));
    let only_the_answer =
        Call { response: Some(Response { body: "078-05-1120".into(), ..Response::default() }), ..plain };
    assert!(!redaction().call(&only_the_answer).request.redacted);
}

#[test]
fn what_was_masked_does_not_stand_in_the_summary() {
    let redact = Redact { fields: vec!["session_id".into()], ..Redact::default() };
    let mut call = with(&[], r#"{"session_id":"ann@example.com"}"#);
    call.conversation = Some("ann@example.com".into());
    call.error = Some(format!("no answer from http://h/?t={JWT}"));
    let masked = Redaction::new(&redact).unwrap().call(&call);
    assert_eq!(masked.conversation.as_deref(), Some(MASK));
    assert_eq!(masked.error.as_deref(), Some("no answer from http://h/?t=[redacted]"));
    assert_eq!(redaction().call(&call).conversation, call.conversation);
}

#[rstest]
#[case::form("MessageSid=SM1&From=whatsapp%3A%2B15551234567", "whatsapp:+15551234567")]
#[case::blank("a=1&From=Ann+Lee", "Ann Lee")]
#[case::letter(r#"{"From":"jos\u00e9@x"}"#, "jos\u{e9}@x")]
#[case::slash(r#"{"From":"exec\/1"}"#, "exec/1")]
#[case::json_in_form("payload=%7B%22From%22%3A%22exec%5C%2F1%22%7D", "exec/1")]
fn a_key_that_was_read_through_escapes_goes_with_what_was_masked(#[case] body: &str, #[case] key: &str) {
    let redact = Redact { fields: vec!["From".into()], ..Redact::default() };
    let mut call = with(&[("authorization", "hunter2")], body);
    call.conversation = Some(key.into());
    let masked = Redaction::new(&redact).unwrap().call(&call);
    assert_eq!(masked.conversation.as_deref(), Some(MASK));
    // Nothing masks it here, and the header is masked.
    let kept = redaction().call(&call);
    assert!(kept.request.redacted);
    assert_eq!(kept.conversation.as_deref(), Some(key));
    assert_eq!(redaction().call(&kept), kept);
}

#[test]
fn the_key_that_only_a_masked_token_says_is_masked() {
    let mut call = with(&[("authorization", &format!("Bearer {JWT}"))], "{}");
    call.conversation = Some("123".into());
    assert_eq!(redaction().call(&call).conversation.as_deref(), Some(MASK));
    let long = "k".repeat(600);
    let mut call = with(&[("authorization", "x")], &format!("{{\"id\":\"{long}\"}}"));
    call.conversation = Some(format!("{}...5f3a", &long[..500]));
    assert_eq!(redaction().call(&call).conversation, call.conversation, "its beginning is in clear");
}

#[test]
fn pointers_name_parameters_too_and_every_one_of_doubled_members() {
    let redact = Redact { pointers: vec!["/From".into(), "/a~1b".into()], ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    let body = |text: &str| redaction.call(&with(&[], text)).request.body;
    assert_eq!(body("SID=1&From=%2B15&a%2fb=x&c=From"), "SID=1&From=[redacted]&a%2fb=[redacted]&c=From");
    assert_eq!(body("c=%7B%22d%22%3A%22From=1%22%7D&x=From%3D1"), "c=%7B%22d%22%3A%22From=1%22%7D&x=From%3D1");
    assert_eq!(redaction.target("/x?From=1&to=2"), "/x?From=[redacted]&to=2");
    let part =
        |value: &str| format!("--X\r\nContent-Disposition: form-data; name=\"From\"\r\n\r\n{value}\r\n--X--\r\n");
    assert_eq!(body(&part("Ann")), part("[redacted]"));
    assert_eq!(
        body(r#"{"context":{"user":"A"},"From":[1],"context":{"user":"B","user":{"a":"C"}},"From":2}"#),
        r#"{"context":{"user":"[redacted]"},"From":["[redacted]"],"context":{"user":"[redacted]","user":{"a":"[redacted]"}},"From":"[redacted]"}"#
    );
}

#[test]
fn a_compressed_body_is_masked_whole() {
    let first = [("content-encoding", "gzip")];
    let second = [("content-encoding", "identity"), ("Content-Encoding", "x, gzip")];
    for codings in [&first[..], &second[..]] {
        let call = with(codings, "\u{1f}");
        assert_eq!(redaction().call(&call).request.body, MASK, "{codings:?}");
    }
    // As a browser saves what it has unpacked.
    let call = with(&[("content-encoding", "br")], "{\"token\":\"t\",\"a\":1}");
    assert_eq!(redaction().call(&call).request.body, "{\"token\":\"[redacted]\",\"a\":1}");
    let call = with(&[("content-encoding", "identity")], "a");
    assert_eq!(redaction().call(&call).request.body, "a");
}

#[test]
fn what_is_masked_with_a_compressed_body_does_not_stand_in_the_summary() {
    let mut call = with(&[("content-encoding", "zstd")], "");
    call.request.body = zstd::encode_all(&br#"{"session_id":"ann"}"#[..], 3).unwrap().into();
    call.conversation = Some("ann".into());
    let masked = redaction().call(&call);
    assert_eq!((masked.request.body, masked.conversation.as_deref()), (Bytes::from(MASK), Some(MASK)));
}

#[test]
fn the_configuration_adds_to_the_defaults_or_replaces_them() {
    let own = Redact {
        defaults: false,
        headers: vec!["X-Mine*".into()],
        fields: vec!["claim".into()],
        pointers: vec!["/input/text".into()],
        patterns: vec!["CL-[0-9]+".into()],
        ..Redact::default()
    };
    let call = with(
        &[("x-mine-too", "1"), ("cookie", "c")],
        r#"{"input":{"text":"hi"},"claim":1,"about":"CL-20418 078-05-1120"}"#,
    );
    let masked = Redaction::new(&own).unwrap().call(&call).request;
    assert_eq!(masked.headers, [("x-mine-too", MASK), ("cookie", "c")].into_iter().collect());
    assert_eq!(masked.body, r#"{"input":{"text":"[redacted]"},"claim":"[redacted]","about":"[redacted] 078-05-1120"}"#);
    let both = Redaction::new(&Redact { defaults: true, ..own }).unwrap().call(&call).request;
    assert_eq!(both.headers.get("cookie"), Some(MASK));
}

#[test]
fn what_is_filled_in_from_the_environment_is_masked_from_then_on_however_it_is_written() {
    let redact = Redact { defaults: false, ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    let secret = "pa\"ss+w=/rd";
    let json = r#"{"a":"is pa\"ss+w=/rd.","b":[1]}"#;
    let mut call = with(&[("x-mine", "pa\"ss+w=/rd!")], json);
    call.request.target = "/a/pa%22ss%2Bw%3D/rd/b?q=pa%22ss%2Bw%3D/rd&c=d".into();
    call.error = Some(format!("no {secret}"));
    assert_eq!(redaction.call(&call), call);
    redact.filled.add(secret);
    let masked = redaction.call(&call);
    assert_eq!(masked.request.body, r#"{"a":"is [redacted].","b":[1]}"#);
    assert_eq!(masked.request.headers.get("x-mine"), Some("[redacted]!"));
    assert_eq!(masked.request.target, "/a/[redacted]/b?q=[redacted]&c=d");
    assert_eq!((masked.request.redacted, masked.error.as_deref()), (true, Some("no [redacted]")));
    assert_eq!(redaction.call(&masked), masked);
    let form = |text: &str| redaction.call(&with(&[("content-type", "application/x-www-form-urlencoded")], text));
    assert_eq!(form(&format!("a={secret}&b=c")).request.body, "a=[redacted]&b=c");
    redact.filled.add("dacted");
    assert_eq!(redaction.call(&masked), masked, "a part of the mask");
}

#[test]
fn what_is_filled_in_may_be_json_or_escaped_as_it_pleases() {
    let redact = Redact { defaults: false, ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    let key = r#"{"type":"account","id":7}"#;
    for value in ["true", key, r#"["a","b"]"#, "Zq^xx"] {
        redact.filled.add(value);
    }
    let body = |text: &str| redaction.call(&with(&[], text)).request.body;
    assert_eq!(body(key), MASK);
    assert_eq!(body(r#"{"a":{"type":"account","id":7},"b":true}"#), r#"{"a":[redacted],"b":true}"#);
    assert_eq!(body(r#"{"a":"my {\"type\":\"account\",\"id\":7}"}"#), r#"{"a":"my [redacted]"}"#);
    assert_eq!(body(r#"{"a":"{\"b\":[\"a\",\"b\"]}","true":1}"#), r#"{"a":"{\"b\":[redacted]}","[redacted]":1}"#);
    assert_eq!(body(r#"{"path":"/x/Zq%5Exx/y"}"#), r#"{"path":"/x/[redacted]/y"}"#);
    let header = redaction.call(&with(&[("x-mine", key), ("x-path", "/Zq%5exx")], "")).request.headers;
    assert_eq!((header.get("x-mine"), header.get("x-path")), (Some(MASK), Some("/[redacted]")));
}

#[test]
fn what_schemes_carry_is_masked_under_whatever_name_in_its_place() {
    let carriers = Carriers {
        headers: vec!["X-Acme-Verify".into()],
        parameters: vec!["k".into()],
        pointers: vec!["/proof/of".into()],
    };
    let redact = Redact { carriers, ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    let mut call = with(&[("x-acme-verify", "a"), ("k", "a")], r#"{"k":"a","proof":{"of":"a","at":1}}"#);
    call.request.target = "/?a=1&k=a".into();
    let masked = redaction.call(&call).request;
    assert_eq!((masked.headers.get("x-acme-verify"), masked.headers.get("k")), (Some(MASK), Some("a")));
    assert_eq!(masked.target, "/?a=1&k=[redacted]");
    assert_eq!(masked.body, r#"{"k":"a","proof":{"of":"[redacted]","at":1}}"#);
    let bare = Redaction::new(&Redact { defaults: false, ..redact }).unwrap();
    assert_eq!(bare.call(&call), call);
}

#[test]
fn no_platform_carries_a_token_or_a_signature_that_is_not_masked() {
    let platforms = Platforms::builtin().unwrap();
    let redact = Redact { carriers: platforms.carriers(), ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    for scheme in platforms.packs().flat_map(|pack| pack.schemes().values()) {
        let header = scheme.header.as_str();
        let mut request = Request { body: r#"{"signature":{"signature":"hush"}}"#.into(), ..with(&[], "").request };
        match scheme.carrier {
            Carrier::Header => request.headers.set(header, "hush".to_owned()),
            Carrier::Query => request.target = format!("/?{header}=hush"),
            Carrier::Body => assert!(json::find(std::str::from_utf8(&request.body).unwrap(), header).is_some()),
        }
        let masked = redaction.call(&Call { request, ..call(1) }).request;
        assert_eq!(scheme.given(&masked).as_deref(), Some(MASK.as_bytes()), "{}", scheme.name);
    }
}

proptest! {
    // Enough: a case is dear without optimisation.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn masking_twice_changes_nothing_and_json_stays_json(
        name in prop_oneof![Just("token"), Just("a")],
        text in r"[a-z]{0,3}(078-05-1120|4111 1111 1111 1111|\\n|\\u0041| ){0,3}",
        number in any::<u64>(),
    ) {
        let from = format!(r#"{{"{name}":["{text}",{number}],"context":{{"user":[{number}, true]}}}}"#);
        let once = body(&from);
        prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&once).is_ok(), "{}", once);
        prop_assert_eq!(body(&once), once);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            proptest::collection::vec(proptest::sample::select(&br#"{"token\u0x:,}[]&=%2%7B?/#-<>"#[..]), 0..60),
        ],
        kind in proptest::sample::select(vec!["", "application/json", "application/x-www-form-urlencoded", "multipart/x; boundary=x"]),
    ) {
        let headers = [("content-type", kind)].into_iter().collect();
        let request = Request { headers, body: bytes.into(), ..Request::default() };
        let masked = redaction().call(&Call { request, ..call(1) });
        prop_assert_eq!(redaction().call(&masked), masked);
    }
}

#[test]
fn what_is_compressed_is_masked_whole_wherever_it_stands() {
    use base64::Engine as _;

    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabV*";
    let mut call = with(&[("content-type", "application/gzip")], "");
    call.request.body = packed.to_vec().into();
    assert_eq!(redaction().call(&call).request.body, MASK);
    let part = [&b"--x\r\ncontent-type: application/gzip\r\n\r\n"[..], packed, b"\r\n--x--\r\n"].concat();
    call.request.headers = [("content-type", "multipart/mixed; boundary=x")].into_iter().collect();
    call.request.body = part.into();
    let masked = redaction().call(&call).request.body;
    assert_eq!(masked, "--x\r\ncontent-type: application/gzip\r\n\r\n[redacted]\r\n--x--\r\n");
    let coded = base64::engine::general_purpose::STANDARD.encode(packed);
    assert_eq!(body(&format!(r#"{{"awslogs":{{"data":"{coded}"}}}}"#)), r#"{"awslogs":{"data":"[redacted]"}}"#);
}

#[test]
fn a_host_has_neither_user_nor_password() {
    for (host, masked) in [("bob:SECRET@h:80", "[redacted]@h:80"), ("h:80", "h:80"), ("@h", "@h")] {
        assert_eq!(redaction().call(&with(&[("Host", host)], "")).request.headers.get("host"), Some(masked));
    }
}

/// What people and programs send, much of it: it is looked into, never masked whole.
#[test]
fn long_texts_are_looked_into_to_their_end() {
    let inner = r#"{\"a\":\"b\",\"n\":[1,\"c\"],\"password\":\"SECRET\"}"#;
    let masked = inner.replace("SECRET", MASK);
    for (before, piece, behind) in [
        ("[", format!(r#""a","b",{{"text":"{inner}","q":"x=1&y=%7B%22a%22%3A%22b%22%7D"}},"#), "0]"),
        ("", format!(r#"2026-11-24 INFO [main] said "x" to https://h/a?b=c: {{"id":"1","in":"{inner}"}}{}"#, '\n'), ""),
        ("<r>", "<a b='c' d=\"e\">f &lt;g&gt; h</a><i/><password>SECRET</password>".to_owned(), "</r>"),
        ("", "a=1&b=2&c=%7B%22d%22%3A%22e%22%7D&password=SECRET&".to_owned(), "f=3"),
    ] {
        let times = 100_000 / piece.len();
        let from = format!("{before}{}{behind}", piece.repeat(times));
        let to = format!("{before}{}{behind}", piece.replace(inner, &masked).replace("SECRET", MASK).repeat(times));
        assert!(body(&from) == to, "{piece}");
    }
}

#[test]
fn what_stands_in_itself_without_end_is_masked_in_time() {
    let address = format!("/{}", "?=/".repeat(20_000));
    let parts: String =
        (0..2_000).fold(String::new(), |all, number| all + "--a" + &number.to_string() + "b\ncontent-:\n\n");
    let sections = "<a>x<![CDATA[".repeat(20_000);
    for text in [address, parts, sections] {
        let call = with(&[("referer", &text)], &text);
        assert_eq!(redaction().call(&redaction().call(&call)), redaction().call(&call));
    }
}

#[test]
fn what_stands_around_parts_is_looked_at_too() {
    let text = format!(
        "{JWT}\r\n--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\r\n{JWT}\r\n--x--\r\n{JWT}"
    );
    let call = with(&[("content-type", "multipart/mixed; boundary=x")], &text);
    let masked = String::from_utf8(redaction().call(&call).request.body.to_vec()).unwrap();
    assert!(!masked.contains(JWT) && masked.matches(MASK).count() == 3, "{masked}");
}
