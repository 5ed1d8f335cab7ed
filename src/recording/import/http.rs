//! `.http` files of editors, and requests as they crossed the wire.

use std::time::Duration;

use ::http::HeaderName;
use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use super::chunks::Chunks;
use super::{Foreign, ImportError, Imported, address, check, ours};
use crate::call::{Call, Headers, Request, Response};
use crate::recording::facts::Facts;
use crate::recording::{Annotation, Remarks};

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Imported, ImportError> {
    let mut text = Source { text, at: 0, counted: (0, 1), chunks: Chunks::default() };
    let mut found = Imported::default();
    let mut foreign = Foreign::new(now);
    // Its response is no other's.
    let mut left_out = false;
    while let Some(block) = text.block()? {
        let line = block.line;
        let fault = |message: String| ImportError::line(line, message);
        if let Some(status) = block.start.strip_prefix("HTTP/") {
            if left_out {
                continue;
            }
            let status = status.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
            let status = status.ok_or_else(|| fault("this status line has no status".into()))?;
            let response = Response { status, headers: block.headers, body: block.body };
            let Some(call) = found.calls.last_mut().filter(|call| call.response.is_none()) else {
                return Err(fault("this response follows no request".into()));
            };
            check(&call.request, Some(&response), call.is_no_request()).map_err(fault)?;
            call.response = Some(response);
            continue;
        }
        let remarks = block.remarks.clone();
        let call = request(block, &mut foreign);
        left_out = call.is_err();
        match call {
            Ok(call) => {
                found.said.extend(remarks.changes().map(|change| Annotation { call: call.id, at: now, change }));
                found.calls.push(call);
            }
            Err(message) => found.leave_out(fault(message)),
        }
    }
    Ok(found)
}

fn request(block: Block, foreign: &mut Foreign) -> Result<Call, String> {
    // Blanks do not belong into a target, but where ours has them, they are what it has.
    let version = |word: &str| word.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("HTTP/"));
    let last = block.start.trim_ascii_end().rsplit_once([' ', '\t']);
    let line = last.filter(|(_, word)| version(word)).map_or(&*block.start, |(line, _)| line);
    // Editors take a bare URL for a GET.
    let (method, url) = line.split_once([' ', '\t']).unwrap_or(("GET", line));
    let url = if block.facts.is_some() { url } else { url.trim_ascii() };
    if block.facts.is_none() && url.contains([' ', '\t']) {
        return Err(format!("what follows the URL in {line:?}? A blank in it is written %20"));
    }
    let address = address(url).map_err(|error| format!("{error}: a request begins as POST http://HOST/PATH"))?;
    let mut request =
        Request { method: method.to_owned(), headers: block.headers, body: block.body, ..Request::default() };
    let call = if let Some(facts) = block.facts {
        ours(facts, request, None, url)?
    } else {
        address.put(&mut request);
        foreign.call(None, Duration::ZERO, request, None)
    };
    check(&call.request, None, call.is_no_request())?;
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
    remarks: Remarks,
}

/// What stands in our comment.
#[derive(Deserialize)]
struct Comment {
    /// The body's length.
    body: usize,
    #[serde(default)]
    remarks: Remarks,
    /// Of a request.
    #[serde(skip)]
    facts: Option<Facts>,
}

impl Comment {
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        let comment: Self = serde_json::from_slice(json)?;
        // What names a call is to be all of what we write of one.
        let value: Value = serde_json::from_slice(json)?;
        let facts = value.get("id").map(|_| serde_json::from_slice(json)).transpose()?;
        Ok(Self { facts, ..comment })
    }
}

struct Source<'a> {
    text: &'a [u8],
    at: usize,
    /// Up to where lines were counted, and the number of the one that begins there.
    counted: (usize, usize),
    chunks: Chunks,
}

impl<'a> Source<'a> {
    /// The next line without its end, and where the one behind it begins.
    fn peek(&self) -> Option<(&'a [u8], usize)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = (self.at + end + 1).min(self.text.len());
        Some((rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]), next))
    }

    fn line_number(&self) -> usize {
        let (at, line) = self.counted;
        line + memchr::memchr_iter(b'\n', &self.text[at..self.at]).count()
    }

    fn fault(&self, message: impl Into<String>) -> ImportError {
        ImportError::line(self.line_number(), message)
    }

    fn block(&mut self) -> Result<Option<Block>, ImportError> {
        let mut comment: Option<Comment> = None;
        // A method may begin as a comment does: what we write begins on the line behind ours.
        let mut behind = false;
        let (line, start) = loop {
            let Some((line, next)) = self.peek() else { return Ok(None) };
            let begins = std::mem::take(&mut behind) && line.ends_with(b" HTTP/1.1");
            let passed = line.trim_ascii().is_empty() || line.starts_with(b"#") || line.starts_with(b"//");
            if let Some(json) = line.strip_prefix(b"# @hooktape ") {
                let read = Comment::read(json).map_err(|error| self.fault(format!("our comment: {error}")))?;
                comment = Some(read);
                behind = true;
            } else if begins || !passed {
                let start = std::str::from_utf8(line).map_err(|_| self.fault("this line is not UTF-8"))?;
                let start = start.trim_ascii().to_owned();
                let number = self.line_number();
                self.counted = (self.at, number);
                self.at = next;
                break (number, start);
            }
            self.at = next;
        };
        let mut headers = Headers::default();
        while let Some((line, next)) = self.peek() {
            // An empty line ends what we write, and a header's name may begin so.
            let named = || {
                let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
                name.len() < line.len() && HeaderName::from_bytes(name).is_ok()
            };
            if line.starts_with(b"###") && !(comment.is_some() && named()) {
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
        let (facts, remarks) = comment.map(|comment| (comment.facts, comment.remarks)).unwrap_or_default();
        Ok(Some(Block { line, start, headers, body, facts, remarks }))
    }

    /// As long as our comment says, as long as it does so rightly; in chunks, if it says so and has them; as long as
    /// `content-length` says if that can be; else up to the next `###`.
    fn body(&mut self, length: Option<usize>, headers: &Headers) -> Result<Bytes, ImportError> {
        let rest = &self.text[self.at..];
        if length.is_some_and(|length| length > rest.len()) {
            return Err(self.fault("the body is shorter than its comment says: take the comment out, or put it right"));
        }
        let ends = |length: &usize| rest.get(*length..).is_some_and(|rest| matches!(rest, [] | [b'\r' | b'\n', ..]));
        // Nothing or another block follows what we write: a body that was changed by hand has another length.
        let length = length.filter(|length| ends(length) && is_end(&rest[*length..]));
        if length.is_none()
            && headers.get("transfer-encoding").is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
            && let Some((body, end)) = self.chunks.body(self.text, self.at)
        {
            self.at = end;
            return Ok(body.into());
        }
        let told = headers.get("content-length").and_then(|length| length.trim().parse().ok());
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

/// Whether nothing or another block stands there, but for white space: many a block may say that it ends before the same.
fn is_end(text: &[u8]) -> bool {
    const NEAR: usize = 4096;
    let blank = text.iter().take(NEAR).take_while(|byte| byte.is_ascii_whitespace()).count();
    blank == text.len() || text[blank..].starts_with(b"###")
}
