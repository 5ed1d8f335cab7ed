//! What an endpoint's answer shall be.
//!
//! ```text
//!  recorded                 the answer that was recorded, but for what is ignored
//!  contract                 an answer that the kind's contract allows
//!  status<400  status=2xx   the status
//!  took<500ms               the time to the end of the answer
//!  /output/name=Ana         a value of the body: = != < <= > >= and *= (contains); alone: it is there
//!  header:Cache-Control=..  a header, likewise
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::change::json_of;
use super::compare::{self, Difference, Place, Rules};
use crate::call::{Call, Packed, Response};
use crate::config::parse_duration;
use crate::net::fault::{Fault, Wanted};
use crate::platform::{Kind, Severity};
use crate::{json, visible};

/// One demand on an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// As it was written.
    text: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Recorded,
    Contract,
    Status(Test, u16),
    /// `2xx`, and whether it shall be one.
    StatusClass(bool, u16),
    Took(Test, Duration),
    Value(String, Option<(Test, String)>),
    Header(String, Option<(Test, String)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Contains,
}

impl Test {
    /// How it is written; longer ones first.
    const ALL: [(&'static str, Self); 7] = [
        ("!=", Self::Unequal),
        ("<=", Self::LessOrEqual),
        (">=", Self::MoreOrEqual),
        ("*=", Self::Contains),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::More),
    ];

    /// Place, test and value of `place<value`, with or without spaces around the test.
    fn split(demand: &str) -> Option<(&str, Self, &str)> {
        let at = |(word, _): &&(&str, Self)| demand.find(*word).unwrap_or(usize::MAX);
        // Of those that begin first the longest, which stands first.
        let (word, test) = Self::ALL.iter().min_by_key(at).filter(|found| at(found) != usize::MAX)?;
        let (place, value) = demand.split_once(word)?;
        Some((place.trim_end(), *test, value.trim()))
    }

    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::More => left > right,
            Self::MoreOrEqual => left >= right,
            Self::Contains => false,
        }
    }

    /// Whether it holds for two JSON texts: numbers by size, strings by letters, anything by what it means.
    fn holds_for_json(self, left: &str, right: &str) -> bool {
        match self {
            Self::Equal => compare::same(left, right),
            Self::Unequal => !compare::same(left, right),
            Self::Contains => json::unquote(left).contains(&*json::unquote(right)),
            _ => match json::order(left, right) {
                Some(order) => self.holds(&order, &Ordering::Equal),
                None if left.starts_with('"') && right.starts_with('"') => {
                    self.holds(&json::unquote(left), &json::unquote(right))
                }
                None => false,
            },
        }
    }

    fn holds_for_text(self, left: &str, right: &str) -> bool {
        match self {
            Self::Contains => left.contains(right),
            Self::Equal | Self::Unequal => self.holds(&left, &right),
            _ => match json::order(left, right) {
                Some(order) => self.holds(&order, &Ordering::Equal),
                None => self.holds(&left, &right),
            },
        }
    }
}

impl Expectation {
    /// How the one is written that asks for what the kind's contract allows.
    pub const CONTRACT: &str = "contract";

    /// As it was written, but for a value that `shown` makes another of.
    pub(super) fn written(&self, shown: impl Fn(&Place, &str) -> String) -> String {
        let (place, given) = match &self.what {
            What::Value(pointer, Some((_, value))) => (Place::Json(pointer.clone()), value),
            What::Header(name, Some((_, value))) => (Place::Header(name.to_ascii_lowercase()), value),
            _ => return self.text.clone(),
        };
        let shown = shown(&place, given);
        let value = Test::split(&self.text).map_or("", |(_, _, value)| value);
        match self.text.trim_end().strip_suffix(value) {
            Some(rest) if shown != *given => format!("{rest}{shown}"),
            _ => self.text.clone(),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(demand: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{demand:?}: {why}"));
        let split = Test::split(demand);
        let tested = |place: &str| (place.to_owned(), split.map(|(_, test, value)| (test, value.to_owned())));
        let place = split.map_or(demand.trim_end(), |(place, ..)| place);
        let ordered = |test| !matches!(test, Test::Equal | Test::Unequal);
        if matches!(split, Some((_, test, "")) if ordered(test)) {
            return wrong("what shall it be compared with? As in /a<5");
        }
        let what = match (place, split) {
            ("recorded", None) => What::Recorded,
            (Self::CONTRACT, None) => What::Contract,
            ("status", Some((_, test, value))) => match (test, value.strip_suffix("xx"), value.parse()) {
                (Test::Equal | Test::Unequal, Some(class), _) => match class.parse() {
                    Ok(class @ 1..=5) => What::StatusClass(test == Test::Equal, class),
                    _ => return wrong("a class of statuses is 1xx to 5xx"),
                },
                (Test::Contains, ..) | (_, _, Err(_)) => return wrong("a status is a number, as in status<400"),
                (test, None, Ok(status)) => What::Status(test, status),
                (_, Some(_), Ok(_)) => return wrong("a class is compared by = or !="),
            },
            ("took", Some((_, test, value))) if test != Test::Contains => {
                What::Took(test, parse_duration(value).map_err(|why| format!("{demand:?}: {why}"))?)
            }
            (pointer, _) if pointer.starts_with('/') && !json::is_pointer(pointer) => {
                return wrong("this is no JSON Pointer: `~` is written `~0`, and `/` in a name `~1`");
            }
            (pointer, _) if pointer.starts_with('/') => {
                let (pointer, test) = tested(pointer);
                What::Value(pointer, test.map(|(test, value)| (test, json_of(&value))))
            }
            (header, _) if header.strip_prefix("header:").is_some_and(compare::is_header) => {
                let (name, test) = tested(&header["header:".len()..]);
                What::Header(name, test)
            }
            _ => {
                return wrong(
                    "this is no expectation: recorded, contract, status<400, took<500ms, /pointer=value, header:NAME=value",
                );
            }
        };
        Ok(Self { text: demand.to_owned(), what })
    }
}

/// A demand that an answer does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The demand, as it was written.
    pub expected: String,
    /// What was found instead.
    pub found: String,
    /// Where in the answer that stands, if it is a value of it.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// An answer with what it is held against.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The call with its answer.
    pub call: &'a Call,
    /// What is wrong with its delivery on purpose.
    pub fault: Option<Fault>,
    /// Its kind.
    pub kind: Option<&'a Kind>,
    /// The answer that was recorded.
    pub recorded: Option<&'a Response>,
    /// What does not count as a difference to it.
    pub rules: &'a Rules,
}

/// Everything that an answer does not meet, and what differs from the recorded one where that is expected. Where no
/// expectation says which status shall come, it is 2xx, or what a sound endpoint makes of a faulty delivery.
#[must_use]
pub fn check(expectations: &[Expectation], answered: &Answered<'_>) -> (Vec<Unmet>, Vec<Difference>) {
    let call = answered.call;
    let mut unmet = Vec::new();
    let mut differences = Vec::new();
    let says_status = |what: &What| matches!(what, What::Recorded | What::Status(..) | What::StatusClass(..));
    let by_default = !expectations.iter().any(|expectation| says_status(&expectation.what));
    if let Some(found) = by_default.then(|| default_status(call, answered.fault)).flatten() {
        unmet.push(found);
    }
    let Some(response) = &call.response else {
        // A call that was cut need not get one, unless something is asked of it.
        if unmet.is_empty() && !expectations.is_empty() {
            let found = call.error.clone().unwrap_or_else(|| "no answer".to_owned());
            unmet.push(Unmet { expected: "an answer".to_owned(), found, place: None });
        }
        return (unmet, differences);
    };
    let said = |found: String| (found, None);
    for expectation in expectations {
        let found = match &expectation.what {
            What::Recorded => match answered.recorded {
                None => Some(said("no answer was recorded that this one could be compared with".to_owned())),
                recorded => {
                    differences = compare::responses(recorded, Some(response), answered.kind, answered.rules);
                    summary(&differences).map(said)
                }
            },
            What::Contract => against_contract(answered.kind, response).map(said),
            What::Status(test, status) => {
                (!test.holds(&response.status, status)).then(|| said(format!("status {}", response.status)))
            }
            What::StatusClass(shall, class) => {
                ((response.status / 100 == *class) != *shall).then(|| said(format!("status {}", response.status)))
            }
            What::Took(test, limit) => {
                let took = Fault::own(answered.fault, call.took);
                (!test.holds(&took, limit)).then(|| said(format!("{took:.1?}")))
            }
            What::Value(pointer, test) => value(response, pointer, test.as_ref()),
            What::Header(name, test) => header(response, name, test.as_ref()),
        };
        unmet.extend(found.map(|(found, place)| Unmet { expected: expectation.text.clone(), found, place }));
    }
    (unmet, differences)
}

/// What is found of a header that is not as it shall be: one of its values may be, where it came with several.
fn header(response: &Response, name: &str, test: Option<&(Test, String)>) -> Option<(String, Option<Place>)> {
    let values: Vec<_> = response.headers.all(name).map(|value| String::from_utf8_lossy(value)).collect();
    if values.is_empty() {
        return Some(("there is no such header".to_owned(), None));
    }
    let (test, value) = test?;
    let holds = |found: &Cow<'_, str>| test.holds_for_text(found, value);
    let fine = if *test == Test::Unequal { values.iter().all(holds) } else { values.iter().any(holds) };
    (!fine).then(|| (values.join(", "), Some(Place::Header(name.to_ascii_lowercase()))))
}

fn default_status(call: &Call, fault: Option<Fault>) -> Option<Unmet> {
    let status = call.status();
    let (expected, met) = match fault.map_or(Wanted::Taken, Fault::wanted) {
        Wanted::Taken => ("status=2xx", status.is_some_and(|status| status / 100 == 2)),
        Wanted::Refused => ("status=4xx", status.is_some_and(|status| status / 100 == 4)),
        Wanted::NotTaken => ("no answer, or status>=400", status.map_or(call.request.cut, |status| status >= 400)),
    };
    let found = || match (&call.error, status) {
        (Some(error), _) => error.clone(),
        (None, Some(status)) => format!("status {status}"),
        (None, None) => "no answer".to_owned(),
    };
    (!met).then(|| Unmet { expected: expected.to_owned(), found: found(), place: None })
}

/// `2 differences: status, /output/name`; none where there are none.
#[must_use]
pub fn summary(differences: &[Difference]) -> Option<String> {
    const NAMED: usize = 5;
    let places: Vec<String> = differences.iter().take(NAMED).map(|found| found.place.to_string()).collect();
    let more = if differences.len() > NAMED { ", ..." } else { "" };
    let count = visible::count(differences.len(), "difference");
    let rough =
        if differences.iter().any(|found| found.rough) { format!(" ({})", compare::ROUGH) } else { String::new() };
    (!differences.is_empty()).then(|| format!("{count}: {}{more}{rough}", places.join(", ")))
}

fn against_contract(kind: Option<&Kind>, response: &Response) -> Option<String> {
    let Some(kind) = kind else { return Some("nobody knows the contract of this call".to_owned()) };
    let broken: Vec<String> = kind
        .check_response(response)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let place = if finding.pointer.is_empty() { String::new() } else { format!("{}: ", finding.pointer) };
            format!("{place}{}", finding.sentence)
        })
        .collect();
    (!broken.is_empty()).then(|| broken.join(" "))
}

/// What is found at `pointer` where that is not what is wanted, and its place if it is a value.
fn value(response: &Response, pointer: &str, test: Option<&(Test, String)>) -> Option<(String, Option<Place>)> {
    let readable = response.readable();
    let json_text = match std::str::from_utf8(&readable.body) {
        Ok(body) if json::is_valid(body) => body,
        _ => {
            let why = Packed::why_not(&response.headers, &response.body);
            return Some((
                why.map_or_else(|| "the body is not JSON".to_owned(), |why| format!("the body is {why}")),
                None,
            ));
        }
    };
    let Some(span) = json::find(json_text, pointer) else { return Some(("there is no such value".to_owned(), None)) };
    let found = &json_text[span];
    match test {
        Some((test, value)) if !test.holds_for_json(found, value) => {
            Some((compare::excerpt(found), Some(Place::Json(pointer.to_owned()))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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
        let (unmet, _) =
            check(&expectations, &Answered { call, fault, kind, recorded: recorded.as_ref(), rules: &rules });
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
    #[case("took<=200ms", Some("300.0ms"))]
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
}
