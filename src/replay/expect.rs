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
            (pointer, _) if pointer.starts_with('/') => {
                json::check_pointer(pointer).map_err(|why| format!("{demand:?}: {why}"))?;
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
    /// It is the second target's answer.
    pub against: bool,
}

impl Unmet {
    /// A demand that is not met by what stands at no place.
    pub(super) fn new(expected: impl Into<String>, found: String) -> Self {
        Self { expected: expected.into(), found, place: None, against: false }
    }

    /// Whose answer it is, where that is to be told.
    #[must_use]
    pub fn whose(&self) -> &'static str {
        if self.against { " of the second target" } else { "" }
    }
}

/// `took<500ms: 1200.0 ms`, `status=2xx of the second target: status 500`.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.expected, self.whose(), self.found)
    }
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
            unmet.push(Unmet::new("an answer", found));
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
                (!test.holds(&took, limit)).then(|| said(visible::took(took)))
            }
            What::Value(pointer, test) => value(response, pointer, test.as_ref()),
            What::Header(name, test) => header(response, name, test.as_ref()),
        };
        unmet.extend(found.map(|(found, place)| Unmet { place, ..Unmet::new(&expectation.text, found) }));
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
    (!met).then(|| Unmet::new(expected, found()))
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
    let findings = match kind.hold_response(response) {
        Ok(findings) => findings,
        Err(unheld) => return Some(unheld.sentence),
    };
    let broken: Vec<String> = findings
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
mod tests;
