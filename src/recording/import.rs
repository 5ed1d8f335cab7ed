//! Calls from the forms of others: what [`export`](super::export) writes comes back byte for byte, and what browsers,
//! editors and people write is read as far as it says what was sent.
//!
//! ```text
//! har | curl | http | json --calls()--> Call, Call, ...   unjudged where the form does not know: kind, signature
//! ```
//!
//! All or nothing: a fault is an error with its place and a repair, and then there are no calls.

mod curl;
mod har;
mod http;
mod json;
mod shell;

use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use uuid::{NoContext, Uuid};

use super::Annotation;
use super::export::Format;
use crate::call::{Call, Direction, Headers, Id, Request, Response};

/// Why a text cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ImportError {
    /// Line, entry, pointer.
    pub place: String,
    /// What is wrong there and how to repair it. May quote the text: not made safe for a terminal.
    pub message: String,
}

impl ImportError {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    fn line(line: usize, message: impl Into<String>) -> Self {
        Self::new(format!("line {line}"), message)
    }
}

/// The forms that can be read.
pub const FORMATS: [Format; 4] = [Format::Har, Format::Curl, Format::Http, Format::Json];

/// The form that a text seems to be in, if it is one of [`FORMATS`].
#[must_use]
pub fn recognise(text: &[u8]) -> Option<Format> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    if text.starts_with(b"{") {
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        // A whole object on the first line that is no archive is the first of several.
        let whole = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line);
        return Some(if whole.is_ok_and(|object| !object.contains_key("log")) { Format::Json } else { Format::Har });
    }
    // The first line that says something.
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|line| !line.is_empty() && (!line.starts_with(b"#") || line.starts_with(b"###")));
    let line = String::from_utf8_lossy(lines.next()?).into_owned();
    let line = line.strip_prefix("$ ").unwrap_or(&line);
    let mut words = line.split_ascii_whitespace();
    match (words.next()?, words.next()) {
        ("curl", _) => Some(Format::Curl),
        ("printf", _) if line.contains("| curl ") => Some(Format::Curl),
        (word, _) if word.starts_with("###") || is_url(word) => Some(Format::Http),
        (method, Some(target)) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            (target.starts_with('/') || is_url(target)).then_some(Format::Http)
        }
        _ => None,
    }
}

fn is_url(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The calls, in its order.
    pub calls: Vec<Call>,
    /// What it says of them.
    pub said: Vec<Annotation>,
}

/// The calls of a text in the form `from`. Where it does not say when, they came `now`; where it does not say which way
/// they went, they were received, so that they are checked and can be sent.
///
/// # Errors
/// The first fault; nothing is to be imported then.
pub fn calls(text: &[u8], from: Format, now: Timestamp) -> Result<Imported, ImportError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match from {
        Format::Har => har::calls(text, now),
        Format::Curl => Ok(Imported { calls: curl::calls(text, now)?, said: Vec::new() }),
        Format::Http => Ok(Imported { calls: http::calls(text, now)?, said: Vec::new() }),
        Format::Json => json::calls(text),
        Format::Markdown | Format::Html => {
            Err(ImportError::line(1, format!("{from} is for people: export the calls as json or har")))
        }
    }
}

/// A call that another program saw.
fn foreign(at: Timestamp, took: Duration, request: Request, response: Option<Response>) -> Call {
    let at = super::format::whole_micros(at);
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
    let id = Id(Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos)));
    Call { took, response, ..Call::new(id, Direction::Received, at, request) }
}

/// Takes a URL apart into a received request's target and `host`, by its text: nothing in it is written anew.
fn place(url: &str) -> Result<(Option<&str>, String), String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with('/') { Ok((None, url.to_owned())) } else { Err(format!("{url:?} is no URL")) };
    };
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(format!("{url:?} is not called with HTTP"));
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() {
        return Err(format!("{url:?} names no host"));
    }
    Ok((Some(host), if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }))
}

/// Puts the host that was called first, unless the headers say one.
fn add_host(headers: &mut Headers, host: Option<&str>) {
    if let Some(host) = host.filter(|_| !headers.has("host")) {
        headers.0.insert(0, ("host".into(), host.to_owned().into()));
    }
}

/// Whether a call could have crossed a wire: else it could not be written or sent again as it is.
fn check(request: &Request, response: Option<&Response>) -> Result<(), String> {
    if Method::from_bytes(request.method.as_bytes()).is_err() {
        return Err(format!("{:?} is no method", request.method));
    }
    let target = &request.target;
    if target.is_empty() || target.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(format!("{target:?} is no path: write blanks as %20"));
    }
    if let Some(status) = response.map(|response| response.status).filter(|status| !(100..1000).contains(status)) {
        return Err(format!("{status} is no status"));
    }
    let fields = request.headers.iter().chain(response.iter().flat_map(|response| response.headers.iter()));
    for (name, value) in fields {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!("{name:?} is no header name"));
        }
        if HeaderValue::from_bytes(value).is_err() {
            return Err(format!("the header {name} has a line end or another control character"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
