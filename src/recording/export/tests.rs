use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::call::{Response, Sig};
use crate::config::Redact;
use crate::platform::Platforms;
use crate::recording::testing::{call, wire_call};
use crate::recording::{Colour, Mark, Redaction, Remarks};
use crate::signature::{self, Verdict};

fn export(reports: &[Report], format: Format) -> String {
    let mut text = Vec::new();
    let mut exporter = Exporter::new(&mut text, format, "a <session>", Timestamp::UNIX_EPOCH).unwrap();
    for report in reports {
        exporter.write(report).unwrap();
    }
    exporter.finish().unwrap();
    String::from_utf8(text).unwrap()
}

fn report(call: Call) -> Report {
    let verdict = Verdict { sig: Sig::Invalid, reason: "it does not <fit>".into(), ..signature::unsigned() };
    Report::new(call, None, Some(Judgement { verdict, why: vec!["because *so*".into()] }), remarks())
}

fn remarks() -> Remarks {
    let mark = Some(Mark { colour: Some(Colour::Red) });
    Remarks { mark, note: Some("seen *twice*".into()), deleted: false }
}

fn with_body(body: &str) -> Call {
    let mut call = call(1);
    call.request.body = Bytes::from(body.to_owned());
    call
}

#[test]
fn no_call_puts_requests_of_its_own_into_a_file_for_editors() {
    let mut odd = call(1);
    odd.request.method = "POST http://evil.example/first\n\n###\nGET".into();
    odd.request.target = "/a\r\n\n###\nGET http://evil.example/second".into();
    odd.request
        .headers
        .push("x\n\n###\nDELETE http://evil.example/third\nx", "y\n\n###\nGET http://evil.example/fourth");
    let text = export(&[report(odd)], Format::Http);
    let begun = text.lines().filter(|line| line.starts_with("###")).count();
    assert_eq!(begun, 2, "the request and its response: {text}");
    assert!(!text.lines().any(|line| line.starts_with("GET") || line.starts_with("DELETE")), "{text}");
}

#[test]
fn a_command_is_quoted_for_a_shell() {
    let body = |body: &'static [u8]| {
        let mut call = call(1);
        call.request.body = Bytes::from_static(body);
        curl::command(&call)
    };
    assert!(body(b"it's\n$x").contains("--data-raw 'it'\\''s\n$x'"));
    assert!(body(b"a\x1b\t\\'1").contains(r"--data-raw $'a\033\t\\\'1'"));
    assert!(body(b"\0\xff").contains("printf %s AP8= | base64 -d | curl 'http://localhost/hooks/moveo?n=1'"));
    assert!(body(b"").contains("curl -X POST"));
}

#[test]
fn an_archive_has_what_the_specification_asks_for() {
    let har: serde_json::Value =
        serde_json::from_str(&export(&[report(call(1)), report(call(2))], Format::Har)).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), 2));
    for member in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
        assert!(!entries[0][member].is_null(), "{member}");
    }
    for member in ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"] {
        assert!(!entries[0]["request"][member].is_null(), "{member}");
    }
    for member in ["status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"] {
        assert!(!entries[0]["response"][member].is_null(), "{member}");
    }
    assert_eq!(entries[0]["_hooktape"]["verdict"]["sig"], "invalid");
    assert_eq!(entries[0]["comment"], "seen *twice*");
    assert_eq!(entries[0]["request"]["queryString"][0]["name"], "n");
}

#[test]
fn markdown_stays_within_its_fences() {
    let text = export(&[report(with_body("````\n<script>\n```"))], Format::Markdown);
    assert!(text.contains("\n`````text\n````\n<script>\n```\n`````\n"), "{text}");
    assert!(text.contains("signature **invalid**: it does not \\<fit\\>\n  - because \\*so\\*\n"), "{text}");
    assert!(text.contains("\n- marked red\n- note: seen \\*twice\\*\n"), "{text}");
    let laid_out = export(&[report(with_body("{\"a\":1}"))], Format::Markdown);
    assert!(laid_out.contains("Body, 7 bytes, JSON, laid out here:\n\n```json\n{\n  \"a\": 1\n}\n```"), "{laid_out}");
}

#[test]
fn a_masked_body_is_as_long_as_it_came() {
    let redaction = Redaction::new(&Redact { fields: vec!["a".into()], ..Redact::default() }).unwrap();
    let mut call = with_body(r#"{"a":"long enough to be told apart","b":1}"#);
    call.response = Some(Response { status: 200, body: r#"{"a":"as a mask."}"#.into(), ..Response::default() });
    let masked = export(&[report(call).redacted(&redaction, None)], Format::Markdown);
    for said in ["Body, 42 bytes, parts masked, JSON", "Body, 18 bytes, parts masked, JSON"] {
        assert!(masked.contains(said), "{masked}");
    }
    let unmasked = report(with_body(r#"{"b":1}"#)).redacted(&redaction, None);
    assert!(export(&[unmasked], Format::Markdown).contains("Body, 7 bytes, JSON"));
}

#[test]
fn a_page_asks_for_nothing_and_shows_all() {
    let mut hostile = with_body("{\"a\":\"</pre><script>alert('1')</script>\"}");
    hostile.conversation = Some("<img src=x onerror=alert(1)>".into());
    hostile.request.target = "/\"><b>".into();
    hostile.response = Some(Response { status: 500, ..Response::default() });
    let page = export(&[report(call(1)), report(hostile)], Format::Html);
    for never in ["<script", "<img", "\"><b>", "http-equiv=\"refresh", "src=", "@import", "url(", "<link"] {
        assert!(!page.replace("&lt;img src=x", "").contains(never), "{never}");
    }
    assert!(page.contains("<title>a &lt;session&gt;</title>"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(page.contains("<p>marked red\n<p>note: seen *twice*\n"));
    assert!(page.contains("2 invalid") && page.contains("<b>1 × 500</b>"));
    assert_eq!(page.matches("<circle ").count(), 2);
    assert_eq!(page.matches("<details>").count(), 2);
    assert!(page.contains("&lt;/pre&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    assert!(export(&[], Format::Html).contains("No calls."));
}

#[test]
fn what_is_masked_is_quoted_nowhere() {
    let platforms = Platforms::builtin().unwrap();
    let kind = platforms.kind("moveo/pre_message").unwrap();
    let patterns = vec!["hush+hush".into()];
    let redact = Redact { fields: vec!["lang".into(), "text".into()], patterns, ..Redact::default() };
    let redaction = Redaction::new(&redact).unwrap();
    let mut call = with_body(r#"{"lang":"hushhush","input":{"text":"hushhush"},"context":{},"session_id":7}"#);
    call.request.headers.push("authorization", "hushhush");
    let remarks = Remarks { note: Some("key hushhush".into()), ..remarks() };
    call.request.target = "/hooks?lang=hushhush&x=1".into();
    let mut judgement = report(self::call(1)).judgement;
    // An address that was signed instead is told whole.
    let signed = "The signature is made for https://h/hooks?lang=hushhush&x=1, and the call came to \
                  http://h/hooks?x=1&lang=hushhush. Let both use it.";
    judgement.as_mut().unwrap().why.push(signed.into());
    let bare = Report::new(call, Some(kind), judgement, remarks);
    assert!(bare.reading.text.as_deref() == Some("hushhush") && !bare.request.is_empty());
    let masked = bare.clone().redacted(&redaction, Some(kind));
    assert_eq!(masked.request.len(), bare.request.len());
    assert_eq!(
        masked.judgement.as_ref().unwrap().why[1],
        "The signature is made for https://h/hooks?lang=[redacted]&x=1, and the call came to \
         http://h/hooks?x=1&lang=[redacted]. Let both use it."
    );
    for format in Format::ALL {
        let text = export(std::slice::from_ref(&masked), format);
        assert!(!text.contains("hushhush") && text.contains("redacted"), "{format}: {text}");
    }
}

proptest! {
    // Enough: a case is dear without optimisation.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_call_can_be_shown_to_people(call in wire_call()) {
        for format in [Format::Markdown, Format::Html] {
            let text = export(&[report(call.clone())], format);
            prop_assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{}", text);
        }
    }
}
