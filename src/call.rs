//! What went over the wire, byte for byte.
//!
//! A [`Call`] is one HTTP exchange: a [`Request`] and, once there is one, its [`Response`]. Everything else in hooktape
//! is a view of these values, so nothing here interprets a body or judges a header: it keeps them.

mod caller;
mod coding;
mod id;
mod short;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::coding::{CONTENT_ENCODING, Packed, is_coded};
pub use self::id::Id;
pub use self::short::{beginning, short, short_key};

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It came to the listener.
    Received,
    /// It left from here.
    Sent,
}

impl Direction {
    /// The word used in recordings, queries and on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// What a signature check found, in one word: what a recording keeps of a verdict. The reasons are in
/// `signature::Verdict`, which is worked out again whenever a call is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sig {
    /// Made with a secret that is at hand, over exactly these bytes.
    Valid,
    /// There is a signature and it does not fit.
    Invalid,
    /// Authentic, but outside the time its scheme allows.
    Stale,
    /// The contract asks for a signature and the call has none.
    Missing,
    /// There is a signature, but no secret to check it with.
    NoSecret,
    /// The contract has no signature.
    Unsigned,
    /// The signature is not of the form that its scheme prescribes, or the request is not whole: cut, or masked in parts.
    Malformed,
}

impl Sig {
    /// Every word, in the order of their declaration.
    pub const ALL: [Self; 7] =
        [Self::Valid, Self::Invalid, Self::Stale, Self::Missing, Self::NoSecret, Self::Unsigned, Self::Malformed];

    /// The word used in recordings, queries and on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::NoSecret => "no-secret",
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed",
        }
    }

    /// Whether the call bears a signature that was made with a secret at hand, be it out of its time by now.
    #[must_use]
    pub fn is_authentic(self) -> bool {
        matches!(self, Self::Valid | Self::Stale)
    }

    /// Whether the check found something wrong with the call: its signature is not good, or it has none and its contract asks for
    /// one, as with what anybody could have sent. Where no secret is at hand nothing was found.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Invalid | Self::Stale | Self::Missing | Self::Malformed)
    }
}

/// Header fields in the order they came, duplicates kept. Names compare without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(CompactString, Bytes)>);

impl Headers {
    /// The first value of `name`, if it is text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .find_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether there is a field of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    /// Puts `value` where the first field of that name stands and drops the others, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        let value = value.into();
        let Some(first) = self.0.iter().position(|(key, _)| key.eq_ignore_ascii_case(name)) else {
            self.0.push((name.into(), value));
            return;
        };
        self.0[first].1 = value;
        let mut index = 0;
        self.0.retain(|(key, _)| {
            let keep = index <= first || !key.eq_ignore_ascii_case(name);
            index += 1;
            keep
        });
    }

    /// Adds a field, also where there is one of that name already.
    pub fn push(&mut self, name: impl Into<CompactString>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// Drops every field of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<N: Into<CompactString>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(fields: T) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One HTTP request, as it came or as it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, ... as written.
    pub method: String,
    /// Path and query exactly as in the request line (RFC 9112, origin-form): `/hooks/moveo?x=1`.
    pub target: String,
    /// Scheme, host and port that a sent request went to: `http://127.0.0.1:3000`. Received requests have none: their
    /// `host` header says what the caller called.
    pub origin: Option<String>,
    /// The address by which the caller of a received request reached it, without the target, where that is known better than
    /// from its `host` header: `https://hooks.example.com`.
    pub public: Option<String>,
    /// Where a received request's connection came from, which may be a proxy.
    pub peer: Option<IpAddr>,
    /// The header fields.
    pub headers: Headers,
    /// The body's exact bytes.
    pub body: Bytes,
    /// `body` is its beginning: the rest was beyond the listener's limit, did not come or, where the request was sent, did not leave.
    /// The call's error says which.
    pub cut: bool,
    /// Something of it was masked by a redaction, so that its signature can no longer be checked.
    pub redacted: bool,
}

impl Request {
    /// Why its body is only the beginning of one, as sentences begin, if that is so.
    #[must_use]
    pub fn cut_words(&self) -> Option<&'static str> {
        let words = if self.origin.is_some() {
            "only the beginning of the body was sent"
        } else {
            "only the beginning of the body is recorded"
        };
        self.cut.then_some(words)
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// What follows the first `?` of the target.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Whether its body is a form's: names and values as in a query.
    #[must_use]
    pub fn has_a_form(&self) -> bool {
        let form = "application/x-www-form-urlencoded";
        let begins = |given: &str| given.get(..form.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(form));
        self.headers.get("content-type").is_some_and(begins)
    }

    /// The whole address: where it was sent, what it is publicly known by, or what the `host` header says it was called by.
    #[must_use]
    pub fn url(&self) -> String {
        match (self.origin.as_ref().or(self.public.as_ref()), self.headers.get("host")) {
            (Some(origin), _) => format!("{origin}{}", self.target),
            (None, Some(host)) => format!("http://{host}{}", self.target),
            (None, None) => self.target.clone(),
        }
    }
}

/// One HTTP response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The body's exact bytes.
    pub body: Bytes,
}

/// What HTTP calls a status code: `OK`, `Not Found`; nothing where it has no name.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()).unwrap_or_default()
}

/// The name of a kind without its platform: `dialog` of `moveo/dialog`.
#[must_use]
pub fn bare(kind: &str) -> &str {
    kind.split_once('/').map_or(kind, |(_, bare)| bare)
}

/// How an answer was had from another server: where the call was forwarded to, and how long that took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Scheme, host, port and path of the server: what its query says is the caller's.
    pub to: String,
    /// Until there was a connection, in microseconds; none where one was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_us: Option<u64>,
    /// From the first byte sent until the answer's head had come, in microseconds; none if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<u64>,
    /// Until the answer had come whole, or had failed, in microseconds.
    pub total_us: u64,
    /// Whether it had begun to come and did not come whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// One HTTP exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub id: Id,
    /// When the request's head had come, or when the request left.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// `platform/kind`, when it was recognised.
    pub kind: Option<String>,
    /// The conversation it belongs to, by its platform's key.
    pub conversation: Option<String>,
    /// What the signature check found at the time, if there was one to make.
    pub sig: Option<Sig>,
    /// From the request's first byte to the last byte of the answer being ready.
    pub took: Duration,
    /// The call this one repeats.
    pub parent: Option<Id>,
    /// Why there is no response, or what went wrong with this call.
    pub error: Option<String>,
    /// Where its response comes from, if it was forwarded.
    pub forwarded: Option<Forwarded>,
    /// The request.
    pub request: Request,
    /// The response, once there is one.
    pub response: Option<Response>,
}

/// How the error of a received call begins whose caller did not wait: its answer, if it has one, reached nobody.
pub const HUNG_UP: &str = "the caller hung up";

/// How the error of one begins that HTTP refused: its head was too long, not HTTP, or not whole, and what could not be read of it is
/// in its body.
pub const REFUSED: &str = "refused as no request";

/// A time in whole microseconds, as it is recorded and told; of a longer one, as many as there can be.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap_or(u64::MAX)
}

impl Call {
    /// A call of which nothing else is known yet: without an answer, in no time.
    #[must_use]
    pub fn new(id: Id, direction: Direction, at: Timestamp, request: Request) -> Self {
        Self {
            id,
            at,
            direction,
            kind: None,
            conversation: None,
            sig: None,
            took: Duration::ZERO,
            parent: None,
            error: None,
            forwarded: None,
            request,
            response: None,
        }
    }

    /// Whether its caller was gone before the answer was there.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.starts_with(HUNG_UP))
    }

    /// Whether lines of its head may be in its body.
    #[must_use]
    pub fn is_no_request(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.starts_with(REFUSED))
    }

    /// The answer that the caller got; what was ready for one that was gone by then is none.
    #[must_use]
    pub fn answer(&self) -> Option<&Response> {
        self.response.as_ref().filter(|_| !self.is_abandoned())
    }

    /// What is to be said of an answer to what left from here that sends it elsewhere: nothing is sent there.
    #[must_use]
    pub fn redirect(&self) -> Option<String> {
        let answer = self.response.as_ref().filter(|answer| matches!(answer.status, 300..=303 | 305..=399))?;
        let location = answer.headers.all("location").next().filter(|_| self.direction == Direction::Sent)?;
        Some(format!("redirects are not followed: it points to {}", String::from_utf8_lossy(location)))
    }

    /// The status code of [`Self::answer`].
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.status)
    }

    /// The platform's name: what stands before the `/` of its kind.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        self.kind.as_deref().and_then(|kind| kind.split_once('/')).map(|(platform, _)| platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_in_place_and_drops_duplicates() {
        let mut headers: Headers = [("A", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.set("a", "9");
        assert_eq!(headers, [("A", "9"), ("b", "2")].into_iter().collect());
        headers.set("c", "4");
        assert_eq!(headers.get("C"), Some("4"));
    }

    #[test]
    fn every_word_of_sig_is_its_serialised_form() {
        for sig in Sig::ALL {
            assert_eq!(serde_json::to_string(&sig).unwrap(), format!("\"{}\"", sig.word()));
        }
    }

    #[test]
    fn of_what_left_a_redirect_is_told() {
        let call = |direction, status, fields: &[(&str, &'static str)]| {
            let response = Response { status, headers: fields.iter().copied().collect(), ..Response::default() };
            let at = Timestamp::UNIX_EPOCH;
            Call { response: Some(response), ..Call::new(Id::fresh(), direction, at, Request::default()) }
        };
        let away = &[("Location", "/away")][..];
        let told = call(Direction::Sent, 302, away).redirect();
        assert_eq!(told.as_deref(), Some("redirects are not followed: it points to /away"));
        for (direction, status, fields) in [
            (Direction::Received, 302, away),
            (Direction::Sent, 201, away),
            (Direction::Sent, 304, away),
            (Direction::Sent, 302, &[]),
        ] {
            assert_eq!(call(direction, status, fields).redirect(), None, "{status}");
        }
    }

    #[test]
    fn a_target_splits_at_its_first_question_mark() {
        let request = Request { target: "/a?b=c?d".into(), ..Request::default() };
        assert_eq!((request.path(), request.query()), ("/a", Some("b=c?d")));
    }
}
