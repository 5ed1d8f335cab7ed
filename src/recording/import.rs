//! Calls from the forms of others: what [`export`](super::export) writes comes back byte for byte, and what browsers,
//! editors and people write is read as far as it says what was sent.
//!
//! ```text
//! har | curl | http | json --calls()--> Call, Call, ...   unjudged where the form does not know: kind, signature
//! ```
//!
//! A call that cannot be read is left out and named with its place, and so is what was no HTTP call, as a browser's archive has
//! some. Where it cannot be seen how far the fault goes there are no calls.

mod chunks;
mod cmd;
mod curl;
mod har;
mod http;
mod json;
mod shell;

use std::collections::HashMap;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Annotation;
use super::export::{Format, in_line, url};
use super::facts::Facts;
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
        ("curl" | "curl.exe", _) => Some(Format::Curl),
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
    /// What is left out, each with its place and why: it was no HTTP call, the text does not have the whole of it, or it is wrong.
    /// Of very much the beginning.
    pub skipped: Vec<ImportError>,
    /// How much is left out besides.
    pub more: u64,
}

/// Most of what is left out that is told one by one: a text may be nothing but faults.
const MOST_SKIPPED: usize = 100;

impl Imported {
    /// Leaves out what has this fault.
    fn leave_out(&mut self, fault: ImportError) {
        if self.skipped.len() < MOST_SKIPPED {
            self.skipped.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// The calls of a text in the form `from`. Where it does not say when, they came `now`; where it does not say which way
/// they went, they were received, so that they are checked and can be sent.
///
/// # Errors
/// A fault of the whole text, or of a part whose end cannot be told by it; nothing is to be imported then.
pub fn calls(text: &[u8], from: Format, now: Timestamp) -> Result<Imported, ImportError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match from {
        Format::Har => har::calls(text, now),
        Format::Curl => curl::calls(text, now),
        Format::Http => http::calls(text, now),
        Format::Json => json::calls(text),
        Format::Markdown | Format::Html => {
            Err(ImportError::line(1, format!("{from} is for people: export the calls as json or har")))
        }
    }
}

/// Names calls that another program saw. The same text always gets the same names, but for the time in those of calls of
/// which it does not say when they came: so that what was imported before can be known again.
struct Foreign {
    now: Timestamp,
    /// How often each request came up.
    seen: HashMap<[u8; 32], u32>,
}

impl Foreign {
    fn new(now: Timestamp) -> Self {
        Self { now, seen: HashMap::new() }
    }

    /// A call that came at `at`, if the text says so.
    fn call(&mut self, at: Option<Timestamp>, took: Duration, request: Request, response: Option<Response>) -> Call {
        let mut content = Sha256::new();
        let mut part = |bytes: &[u8]| {
            content.update(bytes.len().to_le_bytes());
            content.update(bytes);
        };
        part(at.map(|at| at.to_string()).unwrap_or_default().as_bytes());
        part(request.method.as_bytes());
        part(request.url().as_bytes());
        part(&request.body);
        for (name, value) in request.headers.iter() {
            part(name.as_bytes());
            part(value);
        }
        let content: [u8; 32] = content.finalize().into();
        let again = self.seen.entry(content).or_default();
        let digest = Sha256::new().chain_update(content).chain_update(again.to_le_bytes()).finalize();
        *again += 1;
        let mut name = [0; 10];
        name.copy_from_slice(&digest[..10]);
        let at = super::format::whole_micros(at.unwrap_or(self.now));
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let id = Id(uuid::Builder::from_unix_timestamp_millis(millis, &name).into_uuid());
        Call { took, response, ..Call::new(id, Direction::Received, at, request) }
    }
}

/// What two ids have in common that name the same call, imported twice: all but the time, where there is one in it.
#[must_use]
pub fn name_of(id: Id) -> u128 {
    let name = id.0.as_u128();
    if id.0.get_version_num() == 7 { name & u128::from(u64::MAX) } else { name }
}

/// A call of ours: what its summary says, unless the address beside it was changed by hand, and not only where a line cannot hold
/// it. That is to be seen, and what was found of the call was found of another then.
fn ours(facts: Facts, request: Request, response: Option<Response>, seen: &str) -> Result<Call, String> {
    let mut call = facts.call(request, response);
    let own = url(&call);
    if own == seen || in_line(own.as_bytes()) == seen.as_bytes() {
        return Ok(call);
    }
    let Address { origin, target, .. } = address(seen)?;
    (call.kind, call.conversation, call.sig) = (None, None, None);
    call.request.target = "/".into();
    let old = url(&call);
    call.request.target = target;
    if let Some((scheme, authority)) = origin
        && old != format!("{scheme}://{authority}/")
    {
        let origin = Some(format!("{scheme}://{authority}"));
        match call.direction {
            Direction::Sent => call.request.origin = origin,
            Direction::Received => (call.request.origin, call.request.public) = (None, origin),
        }
    }
    Ok(call)
}

/// An address, taken apart.
struct Address<'a> {
    /// The scheme, in small letters, and host and port as they were written. A bare path has none.
    origin: Option<(String, &'a str)>,
    /// `name:password`, if it has them.
    user: Option<&'a str>,
    target: String,
}

impl Address<'_> {
    /// Puts into a received request what it was called by: the target, the `host`, and what that does not say.
    fn put(self, request: &mut Request) {
        request.target = self.target;
        if let Some((scheme, authority)) = self.origin {
            add_host(&mut request.headers, authority);
            request.public = (scheme == "https").then(|| format!("https://{authority}"));
        }
    }
}

/// Whether an address is called with another protocol than HTTP, or not at all: `wss:`, `data:`.
fn is_no_call(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &&str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    scheme
        .filter(is_scheme)
        .is_some_and(|scheme| !["http", "https"].iter().any(|http| http.eq_ignore_ascii_case(scheme)))
}

/// Takes a URL apart by its text: nothing in it is written anew.
fn address(url: &str) -> Result<Address<'_>, String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with('/') || url == "*" {
            Ok(Address { origin: None, user: None, target: url.to_owned() })
        } else {
            Err(format!("{url:?} is no URL"))
        };
    };
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(&*scheme, "http" | "https") {
        return Err(format!("{url:?} is not called with HTTP"));
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if host.is_empty() {
        return Err(format!("{url:?} names no host"));
    }
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Ok(Address { origin: Some((scheme, host)), user, target })
}

/// Puts the host that was called first, unless the headers say one.
fn add_host(headers: &mut Headers, host: &str) {
    if !headers.has("host") {
        headers.0.insert(0, ("host".into(), host.to_owned().into()));
    }
}

/// Whether a call could have crossed a wire: else it could not be written again as it is. Of a target, all that a line can hold
/// did: where a listener refuses what has blanks in it, say, that is recorded. What it `refused` may have more than any request.
fn check(request: &Request, response: Option<&Response>, refused: bool) -> Result<(), String> {
    let never: &[char] = if refused { &['\n'] } else { &['\r', '\n', '\0'] };
    if Method::from_bytes(request.method.as_bytes()).is_err() {
        return Err(format!("{:?} is no method", request.method));
    }
    let target = &request.target;
    if target.is_empty() || target.contains(never) {
        return Err(format!("{target:?} is no path: write a line end as %0A"));
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
