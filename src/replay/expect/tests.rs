use rstest::rstest;

use super::*;
use crate::call::Request;
use crate::platform::Platforms;

fn answered(status: u16, body: &str) -> Call {
    let headers = [("X-Version", "12")].into_iter().collect();
    let response = Some(Response { status, headers, body: body.to_owned().into() });
    Call { response, took: Duration::from_millis(300), ..super::super::testing::call(1) }
}

fn unmet(call: &Call, fault: Option<Fault>, expected: &[&str]) -> Vec<String> {
    let expectations: Vec<Expectation> = expected.iter().map(|text| text.parse().unwrap()).collect();
    let recorded = answered(200, r#"{"a":1}"#).response;
    let rules = Rules::default();
    let platforms = Platforms::builtin().unwrap();
    let kind = platforms.kind("moveo/auth_validation");
    let (unmet, _) = check(&expectations, &Answered { call, fault, kind, recorded: recorded.as_ref(), rules: &rules });
    unmet.into_iter().map(|unmet| format!("{}: {}", unmet.expected, unmet.found)).collect()
}

#[rstest]
#[case("recorded", None)]
#[case("status=200", None)]
#[case("status=2xx", None)]
#[case("status!=5xx", None)]
#[case("status<200", Some("status 200"))]
#[case("status=4xx", Some("status 200"))]
#[case("took<500ms", None)]
#[case("took<=200ms", Some("300.0 ms"))]
#[case("/a", None)]
#[case("/b", Some("there is no such value"))]
#[case("/a=1.0", None)]
#[case("/a=2", Some("1"))]
#[case("/a>=1", None)]
#[case("/a<1", Some("1"))]
#[case("/a!=1", Some("1"))]
#[case("/a!=", None)]
#[case("/a>x", Some("1"))]
#[case("/a >= 1", None)]
#[case("status < 400", None)]
#[case("took < 500ms", None)]
#[case("header:x-version = 12", None)]
#[case("header:x-version>9", None)]
#[case("header:x-version*=1", None)]
#[case("header:X-Version=1", Some("12"))]
#[case("header:x-none", Some("there is no such header"))]
#[case("contract", Some("/valid"))]
fn an_answer_meets_a_demand_or_it_is_told(#[case] demand: &str, #[case] found: Option<&str>) {
    let told = unmet(&answered(200, r#"{"a":1}"#), None, &[demand]);
    match found {
        None => assert_eq!(told, [""; 0]),
        Some(found) => assert!(
            told.len() == 1 && told[0].starts_with(&format!("{demand}: {found}")) || told[0].contains(found),
            "{told:?}"
        ),
    }
}

#[test]
fn a_header_that_came_twice_is_tested_with_all_its_values() {
    let mut call = answered(200, "{}");
    let response = call.response.as_mut().unwrap();
    for value in [&b"a3"[..], b"b3", b"\xff"] {
        response.headers.0.push(("X-N".into(), value.into()));
    }
    let told = |demand: &str| unmet(&call, None, &[demand]);
    for met in ["header:x-n*=b", "header:x-n=a3", "header:x-n!=c3", "header:x-n"] {
        assert_eq!(told(met), [""; 0]);
    }
    for demand in ["header:x-n=c3", "header:x-n!=b3"] {
        assert_eq!(told(demand), [format!("{demand}: a3, b3, \u{fffd}")]);
    }
}

#[test]
fn a_value_that_is_told_says_where_it_stands_and_a_sentence_does_not() {
    let call = answered(200, r#"{"a":1}"#);
    let places = ["/a=2", "/b=2", "header:X-Version=1", "header:x-none=1", "took<1ms"].map(|text| {
        let (rules, expected) = (Rules::default(), [text.parse().unwrap()]);
        let answered = Answered { call: &call, fault: None, kind: None, recorded: None, rules: &rules };
        check(&expected, &answered).0.remove(0).place
    });
    let (json, header) = (Place::Json("/a".into()), Place::Header("x-version".into()));
    assert_eq!(places, [Some(json), None, Some(header), None, None]);
}

#[test]
fn numbers_are_compared_to_their_last_digit() {
    let call = answered(200, r#"{"id":9007199254740992,"n":0.1}"#);
    assert_eq!(unmet(&call, None, &["/id<9007199254740993", "/n<0.10000000000000001"]), [""; 0]);
    let told = unmet(&call, None, &["/id>=9007199254740993", "/n>=0.10000000000000001"]);
    assert_eq!(told, ["/id>=9007199254740993: 9007199254740992", "/n>=0.10000000000000001: 0.1"]);
}

#[test]
fn text_is_found_in_text_and_what_is_no_json_is_told() {
    let call = answered(200, r#"{"t":"say \"hi\""}"#);
    assert_eq!(unmet(&call, None, &["/t*=\"hi\"", "/t=say \"hi\"", "/t<zzz"]), [""; 0]);
    assert_eq!(unmet(&answered(200, "hi"), None, &["/t=1"]), ["/t=1: the body is not JSON"]);
    let mut packed = answered(200, "");
    if let Some(response) = &mut packed.response {
        response.body = zstd::encode_all(&br#"{"a":1}"#[..], 3).unwrap().into();
        response.headers.push("content-encoding", "zstd");
    }
    assert_eq!(unmet(&packed, None, &["recorded", "/a=1"]), [""; 0]);
    packed.response.iter_mut().for_each(|response| response.headers.set("content-encoding", "br"));
    assert!(unmet(&packed, None, &["/a=1"])[0].starts_with("/a=1: the body is br, not unpacked: hooktape cannot"));
    // What was not held against the contract is not known to meet it.
    assert!(
        unmet(&packed, None, &["contract"])[0].starts_with("contract: The body came packed as br and was not held")
    );
    let vast = answered(200, &format!("{{\"valid\":true,\"a\":[0{}]}}", ",0".repeat(60_000)));
    assert!(unmet(&vast, None, &["contract"])[0].starts_with("contract: The body has so many values"));
    let differing = unmet(&answered(201, r#"{"a":2}"#), None, &["recorded"]);
    assert_eq!(differing, ["recorded: 2 differences: status, /a"]);
}

#[test]
fn without_a_word_on_the_status_it_is_the_usual_one() {
    assert_eq!(unmet(&answered(500, ""), None, &[]), ["status=2xx: status 500"]);
    assert_eq!(unmet(&answered(500, ""), None, &["took<1s"]), ["status=2xx: status 500"]);
    assert_eq!(unmet(&answered(500, ""), None, &["status>499"]), [""; 0]);
    assert_eq!(unmet(&answered(200, ""), Some(Fault::BadSignature), &[]), ["status=4xx: status 200"]);
    assert_eq!(unmet(&answered(401, ""), Some(Fault::BadSignature), &[]), [""; 0]);
    assert_eq!(unmet(&answered(200, ""), Some(Fault::CutBody), &[]), ["no answer, or status>=400: status 200"]);
    let silent = Call { response: None, error: Some("closed".into()), ..answered(0, "") };
    assert_eq!(unmet(&silent, None, &["took<1s"]), ["status=2xx: closed"]);
    assert_eq!(unmet(&silent, None, &["status<400"]), ["an answer: closed"]);
    let nobody = ["no answer, or status>=400: closed"];
    assert_eq!(unmet(&silent, Some(Fault::CutBody), &[]), nobody, "nothing of it left");
    assert_eq!(unmet(&silent, Some(Fault::CutBody), &["status<400"]), ["an answer: closed"]);
    let cut = Call { request: Request { cut: true, ..Request::default() }, ..silent };
    assert_eq!(unmet(&cut, Some(Fault::CutBody), &[]), [""; 0]);
    for asked in ["status=400", "recorded", "/a=1", "took<1s"] {
        assert_eq!(unmet(&cut, Some(Fault::CutBody), &[asked]), ["an answer: closed"]);
    }
}

#[rstest]
#[case("recorded=1")]
#[case("status")]
#[case("status<abc")]
#[case("status<4xx")]
#[case("status=9xx")]
#[case("took<fast")]
#[case("took*=1s")]
#[case("header:")]
#[case("header:a b=1")]
#[case("/a~2b")]
#[case("/x~=o")]
#[case("/a<")]
#[case("/a *= ")]
#[case("header:x>=")]
#[case("")]
#[case("body=1")]
fn what_is_no_demand_is_refused(#[case] text: &str) {
    assert!(text.parse::<Expectation>().is_err());
}
