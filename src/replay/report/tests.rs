use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::call::Request;
use crate::call::Response;
use crate::config::{Redact, Target};
use crate::net::fault::{Delivery, Fault};
use crate::replay::testing::call;

/// What came of `original`, with nothing more to say of it.
fn outcome(original: Call, call: Call) -> Outcome {
    Outcome {
        original: Arc::new(original),
        round: 1,
        delivery: Delivery::default(),
        call: Arc::new(call),
        against: None,
        differences: Vec::new(),
        between: Vec::new(),
        masked: Vec::new(),
        unmet: Vec::new(),
        whole: None,
        given_up: false,
    }
}

/// A call that went well, one that did not, one that was not sent as it was asked for, one that could not be sent.
fn report(redaction: Option<&Redaction>) -> Report {
    let json = |pointer: &str, left: &str, right: &str| Difference {
        side: Side::Response,
        place: Place::Json(pointer.to_owned()),
        left: Some(left.to_owned()),
        right: Some(right.to_owned()),
        rough: false,
    };
    let request = |body: &'static str| Request { body: body.into(), ..call(1).request };
    let header = Place::Header("set-cookie".to_owned());
    let fine = outcome(
        Call { id: Id::NIL, request: request("{\"timestamp\":1}"), ..call(1) },
        Call {
            kind: Some("moveo/dialog".into()),
            took: Duration::from_micros(1_234_567),
            request: Request {
                origin: Some("http://x".into()),
                target: "/?access_token=t-2".into(),
                ..request("{\"timestamp\":2}")
            },
            response: Some(Response { status: 200, ..Response::default() }),
            ..call(1)
        },
    );
    let failed = Outcome {
        round: 2,
        delivery: Delivery { again: true, ..Delivery::default() },
        differences: vec![
            json("/a<b/password", "\"hunter2\"", "{\"x\":\"hunter3\"}"),
            json("/items/0", "{\"token\":\"t-1\",\"n\":1}", "{\"n\":…"),
            Difference { side: Side::Response, place: header, left: Some("s-1".into()), right: None, rough: false },
            Difference {
                side: Side::Response,
                place: Place::Header("location".into()),
                left: Some("https://y/?token=t-3".into()),
                right: None,
                rough: false,
            },
            Difference {
                side: Side::Request,
                place: Place::Target,
                left: Some("/x?token=t-4".into()),
                right: None,
                rough: false,
            },
        ],
        unmet: vec![
            Unmet::new("took<1s", "\u{1b}[31m1.2s & more".into()),
            Unmet { place: Some(Place::Json("/email".into())), ..Unmet::new("/email=x", "\"ana\"".into()) },
        ],
        ..fine.clone()
    };
    let skipped =
        Skipped { original: Id::NIL, kind: None, fault: Some(Fault::Stale), reason: "it says no time".into() };
    let plan = Plan { expect: vec!["header:x<\"2\"".parse().unwrap()], ..Plan::new(Target::new("x", "http://x")) };
    let report = Report::new("tape \"1\".jsonl".into(), "http://x".into(), None, Timestamp::UNIX_EPOCH);
    let mut report = report.of(&plan, redaction);
    let unsent = Skipped { fault: None, reason: "no secret".into(), ..skipped.clone() };
    for told in [Told::Sent(fine.into()), Told::Sent(failed.into()), Told::Skipped(skipped), Told::Skipped(unsent)] {
        report.add(&told, redaction);
    }
    report
}

fn written(report: &Report, form: &str) -> String {
    let summary = Summary { fine: 1, failed: 1, skipped: 1, elapsed: Duration::from_secs(2), ..Summary::default() };
    let mut out = Vec::new();
    report.write(form.parse().unwrap(), &summary, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_form_tells_all_and_escapes_it() {
    let report = report(None);
    let junit = written(&report, "junit");
    assert!(junit.contains("tests=\"4\" failures=\"2\" skipped=\"1\""), "{junit}");
    assert!(junit.contains("classname=\"moveo.dialog\"") && junit.contains("time=\"1.234567\""), "{junit}");
    assert!(junit.contains("<skipped message=\"it says no time\"/>"), "{junit}");
    let how = "fresh: signed anew, with new ids and times; expected: header:x&lt;&quot;2&quot;";
    assert!(junit.contains(&format!("<property name=\"how\" value=\"{how}\"/>")), "{junit}");
    assert!(junit.contains("<failure message=\"expected it to be sent: no secret\">"), "{junit}");
    let html = written(&report, "html");
    assert!(html.contains(how), "{html}");
    for text in [&junit, &html] {
        assert!(text.contains("&lt;b/password") && !text.contains("a<b"), "{text}");
        assert!(text.contains("␛[31m1.2s &amp; more") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("tape &quot;1&quot;.jsonl") && text.contains(", duplicate, round 2"), "{text}");
    }
    assert!(!html.contains("<script") && !html.contains("src="), "{html}");
    let json: serde_json::Value = serde_json::from_str(&written(&report, "json")).unwrap();
    assert_eq!((&json["schema"], &json["summary"]["failed"]), (&1.into(), &1.into()));
    assert_eq!(json["summary"]["elapsed"], 2.0, "as the last line of a replay says it");
    let failed = &json["cases"][1];
    assert_eq!((&failed["fault"], &failed["differences"][1]["place"]), (&"duplicate".into(), &"/items/0".into()));
    assert_eq!(failed["changed"], serde_json::json!(["path", "/timestamp"]));
    assert!("pdf".parse::<Form>().is_err());
}

#[test]
fn both_targets_are_told_of_and_what_is_not_whole_is_an_error() {
    let one = report(None).cases.remove(0);
    let place = |name: &str| Place::Json(format!("/{name}"));
    let found =
        |name: &str| Difference { side: Side::Response, place: place(name), left: None, right: None, rough: false };
    let other = Other {
        call: one.original,
        url: "http://b/?<".into(),
        status: Some(503),
        took_us: 2_500,
        error: None,
        changed: vec![Place::Header("x-env".into())],
    };
    let differences = vec![found("old"), found("other")];
    let case = Case { against: Some(other), differences, to_recorded: 1, masked: vec![place("email")], ..one };
    let mut report = Report::new("t".into(), "http://a".into(), Some("http://b".into()), Timestamp::UNIX_EPOCH);
    report.cases.push(case);
    let junit = written(&report, "junit");
    assert!(junit.contains("name=\"t to http://a and http://b\" tests=\"1\""), "{junit}");
    assert!(junit.contains("200 in 1.234567 s\nhttp://b/?&lt;: 503 in 0.002500 s</system-out>"), "{junit}");
    let html = written(&report, "html");
    let heads = ["<th>Recorded</th><th>Answered</th>", "<th>http://a</th><th>http://b</th>"];
    let all = ["200<br>503", "<br>2.5 ms", "header:x-env", "masked when it was recorded: /email"];
    for part in heads.iter().chain(&all) {
        assert!(html.contains(part), "{part}: {html}");
    }
    let json: serde_json::Value = serde_json::from_str(&written(&report, "json")).unwrap();
    assert_eq!((&json["against"], &json["shortfall"]), (&"http://b".into(), &serde_json::Value::Null));
    assert_eq!(json["cases"][0]["against"]["status"], 503);

    let summary = Summary { total: 12, fine: 1, left: 11, ..Summary::default() };
    let of = |form: Form| {
        let mut out = Vec::new();
        report.write(form, &summary, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let junit = of(Form::Junit);
    assert!(junit.contains("tests=\"2\" failures=\"0\" skipped=\"0\" errors=\"1\""), "{junit}");
    for form in [Form::Junit, Form::Html, Form::Json] {
        assert!(of(form).contains("ended at the first failure: 11 calls not sent"), "{form:?}");
    }
}

#[test]
fn what_was_not_sent_and_what_was_not_waited_for_are_no_failures_and_add_up() {
    let mut report = report(None);
    let call = Call { error: Some("x:1 had not answered".to_owned()), response: None, ..call(1) };
    let given_up = Outcome { given_up: true, ..outcome(call.clone(), call) };
    report.cases.clear();
    report.add(&Told::Sent(given_up.into()), None);
    let of = |form: Form, summary: &Summary| {
        let mut out = Vec::new();
        report.write(form, summary, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let summary = Summary { total: 60, fine: 14, unfinished: 2, left: 44, cancelled: true, ..Summary::default() };
    let page = of(Form::Html, &summary);
    let told =
        "<p>14 fine, 0 failed, 2 not finished, 0.0 calls a second, ended before its end: 44 of 60 calls not sent. ";
    assert!(page.contains(told) && page.contains("<td class=\"skip\">not finished</td>"), "{page}");
    let junit = of(Form::Junit, &summary);
    assert!(junit.contains("failures=\"0\" skipped=\"1\"") && junit.contains("x:1 had not answered"), "{junit}");
    let stopped = Summary { total: 7, failed: 1, left: 6, ..Summary::default() };
    let page = of(Form::Html, &stopped);
    assert!(
        page.contains("<p>0 fine, 1 failed, 0.0 calls a second, ended at the first failure: 6 calls not sent. "),
        "{page}"
    );
}

#[test]
fn what_is_secret_is_masked_in_its_place() {
    let report = report(Some(&Redaction::new(&Redact::default()).unwrap()));
    for form in ["junit", "html", "json"] {
        let text = written(&report, form);
        for secret in ["hunter2", "hunter3", "t-1", "s-1", "t-2", "t-3", "t-4", "ana"] {
            assert!(!text.contains(secret), "{form}: {secret}");
        }
    }
    let url = "http://x/?access_token=[redacted]";
    assert!(report.cases[1].url == url, "{}", report.cases[1].url);
    let differences = &report.cases[1].differences;
    assert_eq!(differences[1].left.as_deref(), Some(r#"{"token":"[redacted]","n":1}"#));
}

#[test]
fn the_time_of_a_slow_body_is_not_the_answers() {
    let slow = Delivery { fault: Some(Fault::SlowBody(Duration::from_secs(1))), ..Delivery::default() };
    let took = |delivery| {
        let sent = outcome(call(1), Call { took: Duration::from_micros(1_013_849), ..call(1) });
        super::sent(&Outcome { delivery, against: Some(sent.call.clone()), ..sent })
    };
    let case = took(slow);
    assert_eq!((case.took_us, case.against.unwrap().took_us), (13_849, 13_849));
    assert_eq!(took(Delivery::default()).took_us, 1_013_849);
}
