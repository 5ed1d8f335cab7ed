//! `.http` files of editors, and requests as they crossed the wire.

use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem;
use serde::Deserialize;

use super::{ImportError, add_host, check, foreign, place};
use crate::call::{Call, Headers, Request, Response};
use crate::recording::facts::Facts;

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Vec<Call>, ImportError> {
    let mut text = Text { text, at: 0 };
    let mut calls: Vec<Call> = Vec::new();
    while let Some(block) = text.block()? {
        let line = block.line;
        let fault = |message: String| ImportError::line(line, message);
        if let Some(status) = block.start.strip_prefix("HTTP/") {
            let status = status.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
            let status = status.ok_or_else(|| fault("this status line has no status".into()))?;
            let response = Response { status, headers: block.headers, body: block.body };
            let Some(call) = calls.last_mut().filter(|call| call.response.is_none()) else {
                return Err(fault("this response follows no request".into()));
            };
            check(&call.request, Some(&response)).map_err(fault)?;
            call.response = Some(response);
            continue;
        }
        calls.push(request(block, now).map_err(fault)?);
    }
    Ok(calls)
}

fn request(block: Block, now: Timestamp) -> Result<Call, String> {
    let mut words = block.start.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    // Editors take a bare URL for a GET.
    let (method, url) = match words.next() {
        Some(url) if !url.starts_with("HTTP/") => (first, url),
        _ => ("GET", first),
    };
    let (host, target) = place(url).map_err(|error| format!("{error}: a request begins as POST http://HOST/PATH"))?;
    let mut request =
        Request { method: method.to_owned(), target, headers: block.headers, body: block.body, ..Request::default() };
    let call = if let Some(facts) = block.facts {
        facts.call(request, None)
    } else {
        add_host(&mut request.headers, host);
        foreign(now, std::time::Duration::ZERO, request, None)
    };
    check(&call.request, None)?;
    Ok(call)
}

/// A request or a response.
struct Block {
    /// The number of its first line.
    line: usize,
    /// The request or status line.
    start: String,
    headers: Headers,
    body: Bytes,
    facts: Option<Facts>,
}

/// What stands in our comment.
#[derive(Deserialize)]
struct Comment {
    /// The body's length.
    body: usize,
    #[serde(flatten)]
    facts: Option<Facts>,
}

struct Text<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    /// The next line without its end, and where the one behind it begins.
    fn peek(&self) -> Option<(&'a [u8], usize)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = (self.at + end + 1).min(self.text.len());
        Some((rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]), next))
    }

    fn line_number(&self) -> usize {
        memchr::memchr_iter(b'\n', &self.text[..self.at]).count() + 1
    }

    fn fault(&self, message: impl Into<String>) -> ImportError {
        ImportError::line(self.line_number(), message)
    }

    fn block(&mut self) -> Result<Option<Block>, ImportError> {
        let mut comment: Option<Comment> = None;
        let (line, start) = loop {
            let Some((line, next)) = self.peek() else { return Ok(None) };
            if let Some(json) = line.strip_prefix(b"# @hooktape ") {
                let read = serde_json::from_slice(json).map_err(|error| self.fault(format!("our comment: {error}")))?;
                comment = Some(read);
            } else if !(line.trim_ascii().is_empty() || line.starts_with(b"#") || line.starts_with(b"//")) {
                let start = std::str::from_utf8(line).map_err(|_| self.fault("this line is not UTF-8"))?;
                let start = start.trim().to_owned();
                let number = self.line_number();
                self.at = next;
                break (number, start);
            }
            self.at = next;
        };
        let mut headers = Headers::default();
        while let Some((line, next)) = self.peek() {
            if line.starts_with(b"###") {
                break;
            }
            let here = self.at;
            self.at = next;
            if line.is_empty() {
                break;
            }
            let colon = memchr::memchr(b':', line).filter(|colon| *colon > 0);
            let name = colon.and_then(|colon| std::str::from_utf8(&line[..colon]).ok());
            let (Some(colon), Some(name)) = (colon, name) else {
                self.at = here;
                return Err(self.fault("this is no header: write NAME: VALUE, and an empty line before the body"));
            };
            headers.push(name, Bytes::copy_from_slice(line[colon + 1..].trim_ascii()));
        }
        let body = self.body(comment.as_ref().map(|comment| comment.body), &headers)?;
        Ok(Some(Block { line, start, headers, body, facts: comment.and_then(|comment| comment.facts) }))
    }

    /// As long as our comment says, else as `content-length` does if that can be, else up to the next `###`.
    fn body(&mut self, length: Option<usize>, headers: &Headers) -> Result<Bytes, ImportError> {
        let rest = &self.text[self.at..];
        if length.is_some_and(|length| length > rest.len()) {
            return Err(self.fault("the body is shorter than its comment says: take the comment out, or put it right"));
        }
        let told = headers.get("content-length").and_then(|length| length.trim().parse().ok());
        let ends = |length: &usize| rest.get(*length..).is_some_and(|rest| matches!(rest, [] | [b'\r' | b'\n', ..]));
        if let Some(length) = length.or(told.filter(ends)) {
            self.at += length;
            return Ok(Bytes::copy_from_slice(&rest[..length]));
        }
        if rest.starts_with(b"< ") {
            return Err(self.fault("a body that stands in a file is not read: put it here"));
        }
        let end = if rest.starts_with(b"###") { 0 } else { memmem::find(rest, b"\n###").unwrap_or(rest.len()) };
        self.at += end;
        let blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let trailing = rest[..end].iter().rev().take_while(blank).count();
        Ok(Bytes::copy_from_slice(&rest[..end - trailing]))
    }
}
