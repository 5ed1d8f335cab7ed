//! What is different between two calls: status, headers, JSON field by field, other text line by line.
//!
//! ```text
//!  left, right --Rules (what does not count)--> [Difference { side, place, left, right, .. }, ...]
//! ```
//!
//! What is another every time does not count: dates and trace ids among the headers, what a pack calls volatile, what the
//! user ignores. Values are compared as JSON means them (`1.0` is `1`, `"\u0061"` is `"a"`, members have no order) but kept
//! as they are written, and no number is ever rounded.

mod json;
pub mod recordings;
mod text;

use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use indexmap::IndexMap;
use serde::{Serialize, Serializer};

pub use self::json::same;
pub(super) use self::text::excerpts;
pub use self::text::matched;
use crate::call::{CONTENT_ENCODING, Call, Headers, Packed, Request, Response};
use crate::config::Compare;
use crate::net::hop_by_hop;
use crate::platform::Kind;
use crate::visible;

/// After this time a less exact answer will do: two texts of many lines, or two long arrays, can take for ever.
const PATIENCE: Duration = Duration::from_millis(500);

/// There is time for arrays of so many elements, however little is left.
const SHORT: usize = 64;

/// What is to be said of differences of which one [is rough](Difference::rough).
pub const ROUGH: &str = "too long to compare exactly, so there may be fewer";

/// Longest text of a value that a [`Difference`] keeps, in bytes.
const EXCERPT: usize = 1024;

/// Headers that are another with every message, or follow from the body.
const VOLATILE: [&str; 24] = [
    "accept",
    "accept-encoding",
    "age",
    "alt-svc",
    "cf-ray",
    "date",
    "etag",
    "expires",
    "forwarded",
    "last-modified",
    "nel",
    "report-to",
    "server-timing",
    "set-cookie",
    "traceparent",
    "tracestate",
    "via",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-hooktape-test",
    "x-request-id",
    "x-response-time",
    "x-runtime",
];

/// Whose difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The request's.
    Request,
    /// The response's.
    Response,
}

/// Where two messages differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One call has an answer and the other has none.
    Answer,
    /// The status.
    Status,
    /// The request's method.
    Method,
    /// The request's path and query.
    Target,
    /// The header of that name, in small letters.
    Header(String),
    /// The value at a JSON Pointer (RFC 6901) of the body.
    Json(String),
    /// Lines of a body that is text, counted from 0.
    Lines(Range<usize>, Range<usize>),
    /// A body that is no text.
    Bytes,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("answer"),
            Self::Status => f.write_str("status"),
            Self::Method => f.write_str("method"),
            Self::Target => f.write_str("path"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Json(pointer) if pointer.is_empty() => f.write_str("body"),
            Self::Json(pointer) => f.write_str(pointer),
            Self::Lines(left, right) => write!(f, "line {}", left.start.min(right.start) + 1),
            Self::Bytes => f.write_str("body"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One difference: what stands left and right, as it is written there; none where there is nothing. Long values are cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whose.
    pub side: Side,
    /// Where.
    pub place: Place,
    /// What stands left.
    pub left: Option<String>,
    /// What stands right.
    pub right: Option<String>,
    /// Time or room ran out in what it is in: of what differs there may be less.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rough: bool,
}

/// What does not count as a difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// JSON Pointers: what stands there or below; `*` stands for any index or name.
    pub pointers: Vec<String>,
    /// Headers, besides those that are another with every message; `*` stands for any.
    pub headers: Vec<String>,
    /// Whether the order of an array's elements does not count.
    pub unordered: bool,
}

impl Rules {
    /// Those of the configuration.
    #[must_use]
    pub fn configured(compare: &Compare) -> Self {
        let mut rules = Self { unordered: compare.unordered, ..Self::default() };
        // The configuration has none that is no place.
        compare.ignore.iter().for_each(|place| drop(rules.ignore(place)));
        rules
    }

    /// Whether a difference there does not count, as far as the place alone tells.
    #[must_use]
    pub fn ignores(&self, place: &Place) -> bool {
        match place {
            Place::Json(pointer) => {
                let way: Vec<String> = pointer.split('/').skip(1).map(json::unescaped).collect();
                self.pointers.iter().any(|pattern| json::covers(pattern, &way))
            }
            Place::Header(name) => ignored(name, &self.headers),
            _ => false,
        }
    }

    /// Adds what does not count either: a JSON Pointer, or `header:NAME`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn ignore(&mut self, place: &str) -> Result<(), String> {
        match place.strip_prefix("header:") {
            Some(name) if is_header(name) => self.headers.push(name.to_owned()),
            None if place.starts_with('/') => {
                crate::json::check_pointer(place)?;
                self.pointers.push(place.to_owned());
            }
            _ => return Err(format!("{place:?} is neither a JSON Pointer, as /context/at, nor header:NAME")),
        }
        Ok(())
    }
}

/// What differs between two answers to calls of `kind`.
#[must_use]
pub fn responses(
    left: Option<&Response>,
    right: Option<&Response>,
    kind: Option<&Kind>,
    rules: &Rules,
) -> Vec<Difference> {
    let side = Side::Response;
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (None, None) => return Vec::new(),
        (left, right) => {
            let status = |answer: Option<&Response>| answer.map(|answer| answer.status.to_string());
            let (left, right) = (status(left), status(right));
            return vec![Difference { side, place: Place::Answer, left, right, rough: false }];
        }
    };
    let mut found = Vec::new();
    if left.status != right.status {
        found.push(difference(side, Place::Status, &left.status.to_string(), &right.status.to_string()));
    }
    let bodies = Bodies::of((&left.headers, &left.body), (&right.headers, &right.body));
    let ignored = |name: &str| ignored(name, &rules.headers) || bodies.explain(name);
    headers(side, &left.headers, &right.headers, &ignored, &mut found);
    let volatile: Vec<&str> = kind.into_iter().flat_map(Kind::volatile).collect();
    bodies.compare(side, &volatile, rules, &mut found);
    found
}

/// What differs between two requests of `kind`. What every call has anew does not count, nor the signature.
#[must_use]
pub fn requests(left: &Request, right: &Request, kind: Option<&Kind>, rules: &Rules) -> Vec<Difference> {
    let side = Side::Request;
    let mut found = lines(left, right);
    let (fresh, volatile) = kind.map(Kind::fresh_places).unwrap_or_default();
    let bodies = Bodies::of((&left.headers, &left.body), (&right.headers, &right.body));
    let ignored = |name: &str| {
        ignored(name, &rules.headers)
            || bodies.explain(name)
            || name == "user-agent"
            || fresh.iter().any(|fresh| fresh.eq_ignore_ascii_case(name))
    };
    headers(side, &left.headers, &right.headers, &ignored, &mut found);
    bodies.compare(side, &volatile, rules, &mut found);
    found
}

/// What differs between two calls: their requests, and their answers.
#[must_use]
pub fn calls(left: &Call, right: &Call, kind: Option<&Kind>, rules: &Rules) -> Vec<Difference> {
    let mut found = requests(&left.request, &right.request, kind, rules);
    found.extend(responses(left.response.as_ref(), right.response.as_ref(), kind, rules));
    found
}

/// Whether the bodies of one side are other bytes, though they may say the same: a signature is made over bytes.
#[must_use]
pub fn bytes_differ(left: &Call, right: &Call, side: Side) -> bool {
    let body = |call: &Call| match side {
        Side::Request => call.request.body.clone(),
        Side::Response => call.response.as_ref().map(|response| response.body.clone()).unwrap_or_default(),
    };
    body(left) != body(right)
}

/// Everything that a request leaves with otherwise than it was recorded, except for what belongs to the connection (host and
/// length). A host that is not its address's is one that was asked for.
#[must_use]
pub fn changed(recorded: &Request, sent: &Request) -> Vec<Difference> {
    let mut found = lines(recorded, sent);
    let connection = |name: &str| hop_by_hop().any(|own| own == name);
    headers(Side::Request, &recorded.headers, &sent.headers, &connection, &mut found);
    let (host, origin) = (sent.headers.get("host"), sent.origin.as_deref().and_then(|origin| origin.split_once("://")));
    if let (Some(host), Some((_, address))) = (host, origin)
        && host != address
    {
        let before = recorded.headers.get("host").unwrap_or_default();
        found.push(difference(Side::Request, Place::Header("host".to_owned()), before, host));
    }
    let bodies = Bodies::of((&recorded.headers, &recorded.body), (&sent.headers, &sent.body));
    bodies.compare(Side::Request, &[], &Rules::default(), &mut found);
    found
}

fn lines(left: &Request, right: &Request) -> Vec<Difference> {
    let both = [(Place::Method, &left.method, &right.method), (Place::Target, &left.target, &right.target)];
    let other = both.into_iter().filter(|(_, left, right)| left != right);
    other.map(|(place, left, right)| difference(Side::Request, place, left, right)).collect()
}

fn difference(side: Side, place: Place, left: &str, right: &str) -> Difference {
    Difference { side, place, left: Some(excerpt(left)), right: Some(excerpt(right)), rough: false }
}

/// The text, or its beginning.
pub(super) fn excerpt(text: &str) -> String {
    visible::excerpt(text, EXCERPT).into_owned()
}

fn ignored(name: &str, own: &[String]) -> bool {
    VOLATILE.binary_search(&name).is_ok()
        || hop_by_hop().any(|own| own == name)
        || own.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(name))
}

/// Whether a header can be called so.
pub(super) fn is_header(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

fn headers(side: Side, left: &Headers, right: &Headers, ignored: &dyn Fn(&str) -> bool, found: &mut Vec<Difference>) {
    if left == right {
        return;
    }
    let (left, right) = (by_name(left), by_name(right));
    let text = |values: &Vec<&Bytes>| {
        let texts: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
        excerpt(&texts.join(", "))
    };
    for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
        let (left, right) = (left.get(name), right.get(name));
        if left != right && !ignored(name) {
            let (left, right) = (left.map(text), right.map(text));
            found.push(Difference { side, place: Place::Header(name.clone()), left, right, rough: false });
        }
    }
}

/// The values of each header by its name in small letters. A recording may have very many.
fn by_name(headers: &Headers) -> IndexMap<String, Vec<&Bytes>> {
    let mut all: IndexMap<String, Vec<&Bytes>> = IndexMap::new();
    for (name, value) in headers.iter() {
        all.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    all
}

/// Two bodies as they are compared: by what they hold, where they came compressed. None where they are the same bytes.
struct Bodies(Option<[Content; 2]>);

struct Content {
    body: Bytes,
    /// Nothing is packed, or was unpacked.
    open: bool,
    /// Why it is compared as it came.
    packed: Option<String>,
}

impl Content {
    fn of((headers, body): (&Headers, &Bytes)) -> Self {
        match Packed::of(headers, body) {
            None => Self { body: body.clone(), open: !headers.has(CONTENT_ENCODING), packed: None },
            Some(Packed { content: Ok(content), .. }) => Self { body: content, open: true, packed: None },
            Some(_) => Self { body: body.clone(), open: false, packed: Packed::why_not(headers, body) },
        }
    }

    fn length(&self) -> String {
        let packed = self.packed.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        format!("{} bytes{packed}", self.body.len())
    }
}

impl Bodies {
    fn of(left: (&Headers, &Bytes), right: (&Headers, &Bytes)) -> Self {
        Self((left.1 != right.1).then(|| [left, right].map(Content::of)))
    }

    /// Whether that header says no more than how they were packed, which was undone.
    fn explain(&self, name: &str) -> bool {
        name == CONTENT_ENCODING && self.0.as_ref().is_some_and(|both| both.iter().all(|one| one.open))
    }

    fn compare(&self, side: Side, volatile: &[&str], rules: &Rules, found: &mut Vec<Difference>) {
        let Some([left, right]) = &self.0 else { return };
        if left.body == right.body {
            return;
        }
        let (Ok(left), Ok(right)) = (std::str::from_utf8(&left.body), std::str::from_utf8(&right.body)) else {
            found.push(difference(side, Place::Bytes, &left.length(), &right.length()));
            return;
        };
        let deadline = Instant::now() + PATIENCE;
        if !json::compare(side, (left, right), volatile, rules, deadline, found) {
            text::compare(side, left, right, deadline, found);
        }
    }
}

#[cfg(test)]
mod tests;
