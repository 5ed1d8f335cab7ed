//! What was found of calls, masked as a redaction masks the calls themselves: it stands outside of them, in pieces.
//!
//! ```text
//!  a value of JSON     within objects named as those around it
//!  a header, the path  by its name, or what it holds
//!  lines               those lines of the masked text: the name of what they hold may stand in another line
//! ```
//!
//! What cannot be told without the call it is of, or was cut, is masked whole.

use std::ops::Range;

use jiff::Timestamp;

use super::compare::{Difference, Place, Side, excerpts};
use super::expect::{Expectation, Unmet};
use crate::call::{Call, Direction, Headers, Id, Request, Response};
use crate::recording::{Redaction, redact::MASK};

/// What differs between two calls, whose texts are at hand or not.
#[derive(Clone, Copy, Debug)]
pub struct Masking<'a> {
    redaction: &'a Redaction,
    /// The calls that were compared.
    between: Option<(&'a Call, &'a Call)>,
}

impl<'a> Masking<'a> {
    /// That of something whose calls are not at hand.
    #[must_use]
    pub fn new(redaction: &'a Redaction) -> Self {
        Self { redaction, between: None }
    }

    /// That of what was found between two calls; what is expected is expected of the second.
    #[must_use]
    pub fn between(redaction: &'a Redaction, left: &'a Call, right: &'a Call) -> Self {
        Self { redaction, between: Some((left, right)) }
    }

    /// Masks both sides of each as they are masked in their place.
    pub fn differences<'d>(&self, found: impl IntoIterator<Item = &'d mut Difference>) {
        // Made once a side, and only where they are asked for.
        let mut known: Vec<(Side, [Vec<String>; 2])> = Vec::new();
        for Difference { side, place, left, right, .. } in found {
            if let Place::Lines(from, to) = place {
                let at = known.iter().position(|(of, _)| of == side).unwrap_or_else(|| {
                    known.push((*side, self.lines(*side)));
                    known.len() - 1
                });
                let [ours, theirs] = &known[at].1;
                let masked = |text: &Option<String>, lines: &[String], range: &Range<usize>| {
                    let lines = lines.get(range.clone()).map(<[String]>::concat);
                    text.as_ref().map(|_| lines.unwrap_or_else(|| MASK.to_owned()))
                };
                [*left, *right] = excerpts([masked(left, ours, from), masked(right, theirs, to)]);
                continue;
            }
            for text in [left, right].into_iter().flatten() {
                *text = self.value(Some(place), text);
            }
        }
    }

    /// Masks what was found instead of what was expected, and what that was.
    pub fn unmet(&self, unmet: &mut Unmet) {
        let Unmet { expected, found, place, .. } = unmet;
        *found = if *expected == Expectation::CONTRACT && !self.is_bare_of_secrets() {
            "the answer departs from it; what it says is masked".to_owned()
        } else {
            self.value(place.as_ref(), found)
        };
        if let Ok(expectation) = expected.parse::<Expectation>() {
            *expected = self.expectation(&expectation);
        }
    }

    /// What is expected, without the value if that would be masked in its place.
    #[must_use]
    pub fn expectation(&self, expectation: &Expectation) -> String {
        expectation.written(|place, value| self.value(Some(place), value))
    }

    /// Whether nothing of the answer is masked.
    fn is_bare_of_secrets(&self) -> bool {
        let answer = self.between.and_then(|(_, call)| call.response.as_ref());
        answer.is_some_and(|answer| self.answer(answer.clone()) == *answer)
    }

    /// The lines of both masked texts, as they are compared. None where one has not as many as before.
    fn lines(&self, side: Side) -> [Vec<String>; 2] {
        let Some((left, right)) = self.between else { return Default::default() };
        [left, right].map(|call| {
            let (headers, body) = match (side, &call.response) {
                (Side::Request, _) => {
                    let Request { headers, body, .. } = call.request.readable().into_owned();
                    (headers, body)
                }
                (Side::Response, Some(response)) => {
                    let Response { headers, body, .. } = response.readable().into_owned();
                    (headers, body)
                }
                (Side::Response, None) => return Vec::new(),
            };
            let masked = self.answer(Response { status: 200, headers, body: body.clone() }).body;
            let (Ok(bare), Ok(masked)) = (std::str::from_utf8(&body), std::str::from_utf8(&masked)) else {
                return Vec::new();
            };
            let lines = split(masked);
            if lines.len() == split(bare).len() { lines } else { Vec::new() }
        })
    }

    fn answer(&self, response: Response) -> Response {
        let nobody = Call::new(Id::NIL, Direction::Sent, Timestamp::UNIX_EPOCH, Request::default());
        self.redaction.call(&Call { response: Some(response), ..nobody }).response.unwrap_or_default()
    }

    fn value(&self, place: Option<&Place>, text: &str) -> String {
        match place {
            Some(Place::Header(_) | Place::Target | Place::Lines(..)) if text.ends_with('…') => MASK.to_owned(),
            Some(Place::Header(name)) => self.header(name, text),
            Some(Place::Target) => self.redaction.target(text),
            Some(Place::Json(pointer)) => self.at(pointer, text),
            Some(Place::Lines(..)) => MASK.to_owned(),
            _ => self.redaction.text(text).into_owned(),
        }
    }

    /// The values of a header, one behind the other.
    fn header(&self, name: &str, text: &str) -> String {
        let masked = |text: &str| {
            let headers: Headers = [(name, text.to_owned())].into_iter().collect();
            let answer = self.answer(Response { headers, ..Response::default() });
            answer.headers.get(name).unwrap_or(MASK).to_owned()
        };
        let whole = masked(text);
        if whole == text { text.split(", ").map(masked).collect::<Vec<_>>().join(", ") } else { whole }
    }

    /// The JSON text as a redaction leaves it where it stands at `pointer`. What was cut is no JSON and goes as a whole.
    fn at(&self, pointer: &str, text: &str) -> String {
        if crate::json::check(text).is_err() {
            return MASK.to_owned();
        }
        let names: Vec<String> =
            pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        // Of an array a redaction's pointers and names see no more than of an object with such a member.
        let body = names
            .iter()
            .rev()
            .fold(text.to_owned(), |value, name| format!("{{{}:{value}}}", serde_json::Value::from(name.as_str())));
        let body = self.answer(Response { status: 200, body: body.into(), ..Response::default() }).body;
        let body = String::from_utf8_lossy(&body);
        crate::json::find(&body, pointer).map_or_else(|| MASK.to_owned(), |span| body[span].to_owned())
    }
}

/// The lines of a text as they are compared.
fn split(text: &str) -> Vec<String> {
    similar::TextDiff::from_lines(text, "").old_slices().iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::Redact;
    use crate::replay::compare::{Rules, responses};

    fn answered(body: &str) -> Call {
        let response = Response { status: 200, body: body.to_owned().into(), ..Response::default() };
        Call { response: Some(response), ..super::super::testing::call(1) }
    }

    fn redaction() -> Redaction {
        Redaction::new(&Redact { pointers: vec!["/mine".into()], ..Redact::default() }).unwrap()
    }

    #[rstest]
    #[case::form("name=ana&password=hunter1", "name=bea&password=hunter2", "name=bea&password=[redacted]")]
    #[case::table("name,password\nana,hunter1\n", "name,password\nana,hunter2\n", "ana,[redacted]\n")]
    #[case::element("<authToken>\nsecretx1\n</authToken>", "<authToken>\nhunter2\n</authToken>", "[redacted]")]
    #[case::sentence("a\nyour password: hunter1", "a\nyour password: hunter2", "your password: [redacted]")]
    #[case::plain("a\nb", "a\nc", "c")]
    fn lines_are_masked_by_what_stands_around_them(#[case] left: &str, #[case] right: &str, #[case] shown: &str) {
        let (left, right) = (answered(left), answered(right));
        let find = || responses(left.response.as_ref(), right.response.as_ref(), None, &Rules::default());
        let mask = redaction();
        let mut found = find();
        Masking::between(&mask, &left, &right).differences(&mut found);
        let told: String = found.iter().filter_map(|found| found.right.as_deref()).collect();
        assert_eq!(told, shown);
        assert!(!format!("{found:?}").contains("hunter") && !format!("{found:?}").contains("secretx1"));
        let mut found = find();
        Masking::new(&mask).differences(&mut found);
        assert!(found.iter().all(|found| found.right.as_deref() == Some(MASK)), "without them nothing is known");
    }

    #[rstest]
    #[case("/password=hunter9", "\"hunter1\"", "/password=\"[redacted]\"", "\"[redacted]\"")]
    #[case("/mine*= hunter9 ", "\"hunter1\"", "/mine*= \"[redacted]\"", "\"[redacted]\"")]
    #[case("/output/name=Ana", "\"Bea\"", "/output/name=Ana", "\"Bea\"")]
    #[case("header:X-Api-Key=hunter9", "hunter1", "header:X-Api-Key=[redacted]", "[redacted]")]
    #[case("header:x-v=1", "2", "header:x-v=1", "2")]
    #[case("header:x-b=1", "eyJwYXNzd29yZCI6Imh1bnRlcjEifQ==", "header:x-b=1", "[redacted]")]
    #[case("header:x-b=1", "a, eyJwYXNzd29yZCI6Imh1bnRlcjEifQ==", "header:x-b=1", "a, [redacted]")]
    fn what_is_expected_is_masked_as_what_is_found(
        #[case] expected: &str,
        #[case] found: &str,
        #[case] left: &str,
        #[case] right: &str,
    ) {
        let place = match expected.strip_prefix("header:").and_then(|rest| rest.split_once('=')) {
            Some((name, _)) => Place::Header(name.to_ascii_lowercase()),
            None => Place::Json(expected.split(['*', '=']).next().unwrap().to_owned()),
        };
        let mut unmet = Unmet { place: Some(place), ..Unmet::new(expected, found.into()) };
        Masking::new(&redaction()).unmet(&mut unmet);
        assert_eq!((&*unmet.expected, &*unmet.found), (left, right));
    }

    #[test]
    fn what_the_contract_says_of_an_answer_is_kept_where_nothing_of_it_is_masked() {
        let told = |body: &str| {
            let found = "`lang` is the string \"hunter1\"; known: en.".to_owned();
            let mut unmet = Unmet::new("contract", found);
            let call = answered(body);
            Masking::between(&redaction(), &call, &call).unmet(&mut unmet);
            unmet.found
        };
        assert!(told(r#"{"lang":"hunter1"}"#).contains("hunter1"));
        assert!(!told(r#"{"mine":"hunter1"}"#).contains("hunter1"));
    }
}
