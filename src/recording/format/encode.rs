//! A call as one line: straight into what is written, without a tree of values between.

use std::io::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use memchr::{memchr2, memchr2_iter, memmem};
use uuid::fmt::Hyphenated;

use super::BASE64;
use super::line::{LARGE, Line, SHARED, Spelling, escape};
use crate::call::{Call, Headers, Id, Sig, micros};
use crate::json;

/// How deep a body may nest to stand in its line as JSON. Common readers stop at 128 levels, and the line adds two.
const DEEPEST: usize = 120;

/// A time as a recording keeps it.
pub fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// The line of a call, with its newline: the only one in it.
#[must_use]
pub fn encode(call: &Call) -> Vec<u8> {
    encode_checked(call, false).into_bytes()
}

/// As [`encode`], with large bodies still to be spelled; with `valid`, the request's body was found to be valid JSON by
/// someone else already.
pub fn encode_checked(call: &Call, valid: bool) -> Line {
    let Call { request, response, .. } = call;
    let small = |body: &Bytes| if body.len() < SHARED { body.len() } else { 0 };
    let bodies = small(&request.body) + response.as_ref().map_or(0, |response| small(&response.body));
    let fields = request.headers.0.len() + response.as_ref().map_or(0, |response| response.headers.0.len());
    let mut line =
        Spelled { before: Line::default(), text: Vec::with_capacity(512 + 48 * fields + bodies + bodies / 8) };
    line.raw("{\"id\":");
    line.id(Some(call.id));
    line.raw(",\"at\":\"");
    line.display(format_args!("{:.6}", whole_micros(call.at)));
    line.raw("\",\"dir\":");
    line.string(call.direction.word());
    line.raw(",\"kind\":");
    line.string_or_null(call.kind.as_deref());
    line.raw(",\"conv\":");
    line.string_or_null(call.conversation.as_deref());
    line.raw(",\"sig\":");
    line.string_or_null(call.sig.map(Sig::word));
    line.raw(",\"method\":");
    line.string(&request.method);
    line.raw(",\"path\":");
    line.string(&request.target);
    line.raw(",\"status\":");
    match call.status() {
        Some(status) => line.display(format_args!("{status}")),
        None => line.raw("null"),
    }
    line.display(format_args!(",\"took_us\":{},\"size\":{}", micros(call.took), request.body.len()));
    line.raw(",\"parent\":");
    line.id(call.parent);
    if let Some(origin) = &request.origin {
        line.raw(",\"origin\":");
        line.string(origin);
    }
    if let Some(public) = &request.public {
        line.raw(",\"public\":");
        line.string(public);
    }
    if let Some(peer) = request.peer {
        line.display(format_args!(",\"peer\":\"{peer}\""));
    }
    if let Some(error) = &call.error {
        line.raw(",\"error\":");
        line.string(error);
    }
    if let Some(forwarded) = &call.forwarded {
        line.raw(",\"forwarded\":{\"to\":");
        line.string(&forwarded.to);
        for (name, time) in [("connect_us", forwarded.connect_us), ("first_byte_us", forwarded.first_byte_us)] {
            if let Some(time) = time {
                line.display(format_args!(",\"{name}\":{time}"));
            }
        }
        line.display(format_args!(",\"total_us\":{}", forwarded.total_us));
        line.raw(if forwarded.cut { ",\"cut\":true}" } else { "}" });
    }
    line.raw(",\"request\":{");
    line.headers(&request.headers);
    line.flag("cut", request.cut);
    line.flag("redacted", request.redacted);
    line.body(&request.body, valid);
    if let Some(response) = response {
        line.raw("},\"response\":{");
        // Of an answer that reached nobody the head says nothing.
        if call.is_abandoned() {
            line.display(format_args!("\"status\":{},", response.status));
        }
        line.headers(&response.headers);
        line.body(&response.body, false);
    }
    line.raw("}}\n");
    line.before.plain(line.text);
    line.before
}

/// A line as far as it is put together.
struct Spelled {
    before: Line,
    /// What comes behind that.
    text: Vec<u8>,
}

impl Spelled {
    fn raw(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn display(&mut self, value: std::fmt::Arguments<'_>) {
        // Writing to a vector does not fail.
        let _ = self.text.write_fmt(value);
    }

    fn id(&mut self, id: Option<Id>) {
        match id {
            Some(Id(uuid)) => self.string(uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH])),
            None => self.raw("null"),
        }
    }

    fn string_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.raw("null"),
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push(b'"');
        escape(text.as_bytes(), &mut self.text);
        self.text.push(b'"');
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.display(format_args!("\"{}\"", base64::display::Base64Display::new(bytes, &BASE64)));
    }

    fn headers(&mut self, headers: &Headers) {
        self.raw("\"headers\":[");
        for (index, (name, value)) in headers.iter().enumerate() {
            self.raw(if index == 0 { "[" } else { ",[" });
            self.string(name);
            self.raw(",");
            if let Ok(text) = std::str::from_utf8(value) {
                self.string(text);
            } else {
                self.raw("{\"base64\":");
                self.base64(value);
                self.raw("}");
            }
            self.raw("]");
        }
        self.raw("]");
    }

    /// A member that is there only when it is true.
    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.display(format_args!(",\"{name}\":true"));
        }
    }

    fn body(&mut self, body: &Bytes, valid: bool) {
        if body.is_empty() {
            return;
        }
        if fits_a_line(body) && (valid || is_json(body)) {
            self.raw(",\"json\":");
            if !self.is_left(Spelling::Json, body) {
                self.text.extend_from_slice(body);
            }
            return;
        }
        if let Ok(text) = std::str::from_utf8(body) {
            self.raw(",\"text\":");
            if !self.is_left(Spelling::Text, body) {
                self.string(text);
            }
        } else {
            self.raw(",\"base64\":");
            if !self.is_left(Spelling::Base64, body) {
                self.base64(body);
            }
        }
    }

    /// Leaves a large body to be spelled when it is written; false: it is not large.
    fn is_left(&mut self, how: Spelling, body: &Bytes) -> bool {
        let (large, quote) = if how == Spelling::Json { (SHARED, "") } else { (LARGE, "\"") };
        if body.len() < large {
            return false;
        }
        self.raw(quote);
        self.before.plain(std::mem::take(&mut self.text));
        self.before.spelled(how, body.clone());
        self.raw(quote);
        true
    }
}

/// Whether a body, if it is JSON, can stand in a line as it is and be found again byte for byte: without white space around
/// it (a reader would drop that), on one line, no deeper than common readers go, without half a character (`jq` would end
/// there).
fn fits_a_line(body: &[u8]) -> bool {
    body.first().is_some_and(|byte| !byte.is_ascii_whitespace())
        && body.last().is_some_and(|byte| !byte.is_ascii_whitespace())
        && memchr2(b'\n', b'\r', body).is_none()
        && (memchr2_iter(b'{', b'[', body).count() <= DEEPEST || depth(body) <= DEEPEST)
        && surrogates_pair(body)
}

/// Whether each `\u` of a high surrogate stands before one of a low one, and the other way round (RFC 8259, 7). What is
/// written so behind an escaped backslash counts too: that body just stands as text.
fn surrogates_pair(json: &[u8]) -> bool {
    let half = |at: usize| match json.get(at..at + 4)? {
        [b'\\', b'u', b'd' | b'D', digit] => Some(digit.to_ascii_lowercase()),
        _ => None,
    };
    let is_low = |at: usize| matches!(half(at), Some(b'c'..=b'f'));
    let mut pair = None;
    memmem::find_iter(json, b"\\u").all(|at| match half(at) {
        Some(b'8' | b'9' | b'a' | b'b') => {
            pair = Some(at + 6);
            is_low(at + 6)
        }
        Some(b'c'..=b'f') => pair == Some(at),
        _ => true,
    })
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(json::is_valid)
}

/// How deep a JSON text nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
