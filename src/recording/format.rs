//! One line a call, and back: the only place that knows how a recording is spelled.
//!
//! ```text
//! {"hooktape":1,"created":"2026-11-21T10:02:11.000000Z","by":"hooktape 0.1.0"}
//! {"id":..,"at":..,"dir":..,"kind":..,"conv":..,"sig":..,"method":..,"path":..,"status":..,"took_us":..,"size":..,
//!  "parent":..[,"origin":..][,"public":..][,"peer":..][,"error":..][,"forwarded":..],"request":{..}[,"response":{..}]}
//! '--------------------------- the head -------------------------------''------ bodies, never re-written ------'
//! ```
//!
//! A body stands in the first form that gives back its exact bytes: `"json"`, its own text, when that is JSON on one line;
//! `"text"`, any other UTF-8; `"base64"`. An empty body has no field. An answer that was ready for a caller who was gone by then
//! has its `"status"` itself: that of the head is null, for nobody got it.

mod encode;
mod header;
mod line;
mod quick;
mod whole;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use self::encode::encode;
pub(super) use self::encode::{encode_checked, whole_micros};
pub(super) use self::header::{BEGINNING, ZSTD, begun, header, is_torn_header, read_header};
pub use self::header::{OpenError, VERSION};
pub(super) use self::line::Line;
use super::{Entry, Place};
use crate::call::{Call, Direction, Forwarded, Headers, Id, Request, Response, Sig};

/// Why a line is not a call: a sentence without the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DamagedLine(pub String);

impl From<serde_json::Error> for DamagedLine {
    fn from(error: serde_json::Error) -> Self {
        // A line of a recording is one line of JSON: only the column says something.
        Self(format!("{} (column {})", without_place(&error), error.column()))
    }
}

/// What is wrong, without line and column.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The summary fields of a line, borrowed from it.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    pub id: Id,
    pub at: Timestamp,
    pub dir: Direction,
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub conv: Option<Text<'a>>,
    pub sig: Option<Sig>,
    #[serde(borrow)]
    pub method: Text<'a>,
    #[serde(borrow)]
    pub path: Text<'a>,
    pub status: Option<u16>,
    #[serde(default)]
    pub took_us: u64,
    #[serde(default)]
    pub size: u64,
    pub parent: Option<Id>,
    pub error: Option<IgnoredAny>,
}

/// A string that is borrowed unless it has escapes. (A bare `Option<Cow>` would always copy.)
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Head<'_> {
    /// The call that begins so; of its messages, what a head has is taken from here.
    pub(super) fn call(
        self,
        error: Option<String>,
        forwarded: Option<Forwarded>,
        request: Request,
        response: Option<Response>,
    ) -> Call {
        Call {
            id: self.id,
            at: self.at,
            direction: self.dir,
            kind: self.kind.map(|kind| kind.0.into_owned()),
            conversation: self.conv.map(|conversation| conversation.0.into_owned()),
            sig: self.sig,
            took: Duration::from_micros(self.took_us),
            parent: self.parent,
            error,
            forwarded,
            request: Request { method: self.method.0.into_owned(), target: self.path.0.into_owned(), ..request },
            response: response.map(|response| Response { status: self.status.unwrap_or(response.status), ..response }),
        }
    }

    /// What an index keeps of the call at `place`.
    pub fn entry(&self, place: Place) -> Entry<&str> {
        Entry {
            place,
            id: self.id,
            at: whole_micros(self.at),
            direction: self.dir,
            kind: self.kind.as_ref().map(|kind| &*kind.0),
            conversation: self.conv.as_ref().map(|conversation| &*conversation.0),
            sig: self.sig,
            method: &self.method.0,
            path: &self.path.0,
            status: self.status,
            took_us: self.took_us,
            size: self.size,
            parent: self.parent,
            failed: self.error.is_some(),
        }
    }
}

/// The head of a line. None if it is no call: an empty line, the file's header, or a kind of line that this version does
/// not know.
///
/// A line as [`encode()`] writes it is not read beyond its head; so damage in the bodies shows only in [`decode`].
pub(super) fn head<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Option<Head<'a>>, DamagedLine> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    if let Some(head) = quick::head(line) {
        return Ok(Some(head));
    }
    careful_head(line, scratch)
}

/// The same by a JSON parser.
fn careful_head<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Option<Head<'a>>, DamagedLine> {
    // Inside a string the quotes would be escaped, so the first of these is a member's name.
    if line.ends_with(b"}")
        && let Some(end) = memmem::find(line, b",\"request\":{")
    {
        scratch.clear();
        scratch.extend_from_slice(&line[..end]);
        scratch.push(b'}');
        if serde_json::from_slice::<Always>(scratch).is_ok()
            && let Ok(head) = serde_json::from_slice::<Head<'_>>(scratch)
            // It need not stand there at all: so it may stand behind the request.
            && (head.error.is_some() || memmem::find(&line[end..], b",\"error\":").is_none())
        {
            return Ok(Some(head));
        }
    }
    // Members in another order, another kind of line, or damage: read it all.
    if is_call(line)? { Ok(Some(serde_json::from_slice(line)?)) } else { Ok(None) }
}

/// What [`encode()`] writes in every head, null where there is nothing to say. Where one of them is missing, as after `jq -S`, it
/// may stand behind the request.
#[derive(Deserialize)]
struct Always {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    #[serde(rename = "conv")]
    _conversation: IgnoredAny,
    #[serde(rename = "sig")]
    _sig: IgnoredAny,
    #[serde(rename = "status")]
    _status: IgnoredAny,
    #[serde(rename = "took_us")]
    _took: IgnoredAny,
    #[serde(rename = "size")]
    _size: IgnoredAny,
    #[serde(rename = "parent")]
    _parent: IgnoredAny,
}

/// Whether a line is about a call rather than, say, a mark. Reads it to its end.
fn is_call(line: &[u8]) -> Result<bool, DamagedLine> {
    #[derive(Deserialize)]
    struct Probe {
        request: Option<IgnoredAny>,
    }
    Ok(serde_json::from_slice::<Probe>(line)?.request.is_some())
}

/// Whether a line can stand in a recording: a whole call, or another whole JSON object, or nothing. A call is whole where it
/// can be read, be it with damage in its body.
pub(super) fn is_whole(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let reads = || decode_shared(line.to_vec()).is_ok();
    line.is_empty() || (line.starts_with(b"{") && is_call(line).map_or_else(|_| reads(), |call| !call || reads()))
}

/// What stands behind the head, and the fields of it that an index does without.
#[derive(Deserialize)]
struct Rest<'a> {
    origin: Option<String>,
    public: Option<String>,
    peer: Option<IpAddr>,
    error: Option<String>,
    forwarded: Option<Forwarded>,
    #[serde(borrow)]
    request: Message<'a>,
    #[serde(borrow)]
    response: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    /// Of an answer that reached nobody; that of another is in the head.
    #[serde(default)]
    status: u16,
    #[serde(default)]
    headers: Vec<(String, Value)>,
    #[serde(default)]
    cut: bool,
    #[serde(default)]
    redacted: bool,
    /// Not `Option`'s own reading, which takes the body `null` for none.
    #[serde(borrow, default, deserialize_with = "present")]
    json: Option<&'a RawValue>,
    text: Option<String>,
    base64: Option<Binary>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Message<'_> {
    fn into_parts(self) -> (Headers, Bytes) {
        let body = match (self.json, self.text, self.base64) {
            (Some(json), ..) => Bytes::copy_from_slice(json.get().as_bytes()),
            (_, Some(text), _) => text.into(),
            (.., Some(Binary(bytes))) => bytes,
            (None, None, None) => Bytes::new(),
        };
        (self.headers.into_iter().map(|(name, Value(value))| (name, value)).collect(), body)
    }
}

/// Bytes that are not UTF-8.
struct Binary(Bytes);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map(|bytes| Self(bytes.into())).map_err(D::Error::custom)
    }
}

/// A header field's value: a string, or `{"base64":"..."}` where it is not UTF-8.
struct Value(Bytes);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header value: a string or {\"base64\":\"...\"}")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value(Bytes::copy_from_slice(text.as_bytes())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut value = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "base64" {
                        value = Some(map.next_value::<Binary>()?.0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                value.map(Value).ok_or_else(|| A::Error::missing_field("base64"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The call of a line, byte for byte what [`encode()`] was given (times in whole microseconds).
///
/// # Errors
/// When the line is not a whole call: broken JSON, a summary field that is missing or not of its form, bad base64.
pub fn decode(line: &[u8]) -> Result<Call, DamagedLine> {
    let mut scratch = Vec::new();
    let head = head(line, &mut scratch)?.ok_or_else(|| DamagedLine("not a call".into()))?;
    let Rest { origin, public, peer, error, forwarded, request, response } = serde_json::from_slice(line)?;
    let (cut, redacted) = (request.cut, request.redacted);
    let (headers, body) = request.into_parts();
    let request = Request { origin, public, peer, headers, body, cut, redacted, ..Request::default() };
    let response = response.map(|response| {
        let status = response.status;
        let (headers, body) = response.into_parts();
        Response { status, headers, body }
    });
    Ok(head.call(error, forwarded, request, response))
}

/// As [`decode`], for a line that nobody else needs: the call's values are slices of it where they can be. A JSON body
/// is not parsed, so damage in it shows only where it breaks the line.
pub(super) fn decode_shared(line: Vec<u8>) -> Result<Call, DamagedLine> {
    let line = Bytes::from(line);
    match whole::call(&line) {
        Some(call) => Ok(call),
        None => decode(&line),
    }
}

#[cfg(test)]
mod tests;
