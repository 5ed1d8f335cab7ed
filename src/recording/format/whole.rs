//! A whole line as this version writes it, read without a JSON parser. What it holds are slices of the line: nothing of a
//! body is copied, and what would have to be unescaped is left to serde. Where both read a line, both give the same call, but
//! for a body of which the line, changed by hand, says another length than it has.

use bytes::Bytes;

use super::quick::{self, More, Rest};
use crate::call::{Call, Headers, Request, Response};
use crate::json;

/// The call of a line without its newline; none if it is spelled in another way.
///
/// A JSON body ends where its recorded length says; whether it is JSON is not looked at again.
pub fn call(line: &Bytes) -> Option<Call> {
    // A control character is damage, and serde says where. (All are looked at, for that goes many at a time.)
    if std::str::from_utf8(line).is_err() || line.iter().fold(0, |found, &byte| found | u8::from(byte < b' ')) != 0 {
        return None;
    }
    let (head, More { origin, public, peer, error, forwarded, end }) = quick::head_and_more(line)?;
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| std::str::from_utf8(bytes).map(str::to_owned)).transpose();
    let mut rest = Message { line, rest: Rest(&line[end..]) };
    let headers = rest.headers()?;
    let body = rest.body(Some(usize::try_from(head.size).ok()?))?;
    let request = Request {
        origin: text(origin).ok()?,
        public: text(public).ok()?,
        peer: text(peer).ok()?.map(|peer| peer.parse()).transpose().ok()?,
        headers,
        body,
        ..Request::default()
    };
    let response = if rest.rest.skip(br#"},"response":{"#).is_some() {
        let mut status = 0;
        if rest.rest.skip(br#""status":"#).is_some() {
            status = u16::try_from(rest.rest.number()?).ok()?;
            rest.rest.skip(b",")?;
        }
        let headers = rest.headers()?;
        Some(Response { status, headers, body: rest.body(None)? })
    } else {
        None
    };
    (rest.rest.0 == b"}}").then_some(())?;
    let forwarded = forwarded.map(serde_json::from_slice).transpose().ok()?;
    Some(head.call(text(error).ok()?, forwarded, request, response))
}

/// What of a line is not read yet.
struct Message<'a> {
    line: &'a Bytes,
    rest: Rest<'a>,
}

impl<'a> Message<'a> {
    /// `"headers":[["name","value"],...]`
    fn headers(&mut self) -> Option<Headers> {
        self.rest.skip(br#""headers":["#)?;
        let mut fields = Vec::with_capacity(16);
        while (fields.is_empty() || self.rest.skip(b",").is_some()) && self.rest.skip(b"[").is_some() {
            let name = self.rest.string()?;
            self.rest.skip(b",")?;
            let value = self.string()?;
            self.rest.skip(b"]")?;
            fields.push((name.into(), value));
        }
        self.rest.skip(b"]")?;
        Some(Headers(fields))
    }

    /// The body, of `size` bytes where that is known; without, it is the line's last member.
    fn body(&mut self, size: Option<usize>) -> Option<Bytes> {
        if self.rest.0.starts_with(b"}") {
            return (size.unwrap_or(0) == 0).then(Bytes::new);
        }
        if self.rest.skip(br#","json":"#).is_some() {
            let (body, rest) =
                self.rest.0.split_at_checked(size.or_else(|| self.rest.0.len().checked_sub("}}".len()))?)?;
            self.rest.0 = rest;
            // What a later version may write behind it is no part of it.
            let whole = size.is_some() || std::str::from_utf8(body).is_ok_and(json::is_valid);
            return (whole && !body.is_empty() && rest.starts_with(b"}")).then(|| self.slice(body));
        }
        self.rest.skip(br#","text":"#)?;
        let body = self.string()?;
        size.is_none_or(|size| size == body.len()).then_some(body)
    }

    fn string(&mut self) -> Option<Bytes> {
        let quoted = self.rest.0;
        if let Some(text) = self.rest.bytes() {
            return Some(self.slice(text));
        }
        let mut read = serde_json::Deserializer::from_slice(quoted).into_iter::<String>();
        let text = read.next()?.ok()?;
        self.rest.0 = &quoted[read.byte_offset()..];
        Some(text.into())
    }

    fn slice(&self, text: &'a [u8]) -> Bytes {
        self.line.slice_ref(text)
    }
}
