//! Calls out: signed at the moment of sending, sent byte for byte, recorded with what came back.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use url::Url;

use crate::call::{Call, Direction, Headers, Id, Request, Response};
use crate::net::HOP_BY_HOP;
use crate::net::outgoing::{Outgoing, Signing};
use crate::platform::{Keyring, Platforms};
use crate::recording::{RecordError, Recorder};

/// Longest response body that is kept, in bytes.
const MAX_RESPONSE: usize = 64 * 1024 * 1024;

/// The HTTP client.
#[derive(Clone, Debug)]
pub struct Sender {
    client: reqwest::Client,
    /// For endpoints on this machine, which no proxy of the environment should see.
    local: reqwest::Client,
    platforms: Arc<Platforms>,
    keyring: Arc<Keyring>,
}

impl Sender {
    /// A client that follows no redirect and decodes nothing.
    ///
    /// # Errors
    /// When the TLS library cannot start.
    pub fn new(platforms: Arc<Platforms>, keyring: Arc<Keyring>) -> Result<Self, reqwest::Error> {
        let builder = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tcp_nodelay(true);
        Ok(Self { client: builder().build()?, local: builder().no_proxy().build()?, platforms, keyring })
    }

    /// Sends, waits for the answer, records both, and gives the call back.
    ///
    /// # Errors
    /// When the call could not be recorded. That the endpoint could not be reached is no error: it is in the call.
    pub async fn deliver(&self, outgoing: Outgoing, recorder: &Recorder) -> Result<Arc<Call>, RecordError> {
        let call = self.send(outgoing).await;
        recorder.record(call).await
    }

    /// Sends and waits for the answer.
    pub async fn send(&self, outgoing: Outgoing) -> Call {
        let Outgoing { mut request, url, kind, signing, secrets, parent, timeout } = outgoing;
        address(&mut request, &url);
        let known = kind.as_deref().and_then(|name| self.platforms.kind(name));
        let at = Timestamp::now();
        let signed = match (&signing, known) {
            (Signing::Fresh(secret), Some(kind)) => {
                kind.sign(&mut request, secret.as_ref(), at).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        };
        let ready = signed.and_then(|()| fields(&mut request));
        let own = match signing {
            Signing::Fresh(secret) => secret.into_iter().collect(),
            Signing::Exact => secrets,
        };
        let sig = known.map(|kind| self.keyring.judge(&self.platforms, &request, Some(kind), &own, at).sig);
        let conversation = known.and_then(|kind| kind.read(&request).conversation);
        let started = Instant::now();
        let answer = match ready {
            Ok(fields) => self.exchange(&request, fields, &url, timeout).await,
            Err(reason) => Err(format!("not sent: {reason}")),
        };
        let took = started.elapsed();
        let (response, error) = match answer {
            Ok(response) => (Some(response), None),
            Err(reason) => (None, Some(reason)),
        };
        Call {
            id: Id::fresh(),
            at,
            direction: Direction::Sent,
            kind,
            conversation,
            sig,
            took,
            parent,
            error,
            forwarded: None,
            request,
            response,
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        headers: http::HeaderMap,
        url: &Url,
        timeout: Duration,
    ) -> Result<Response, String> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("not sent: {:?} is not an HTTP method", request.method))?;
        let local = url.host_str().is_some_and(|host| {
            host == "localhost"
                || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        });
        let client = if local { &self.local } else { &self.client };
        let sending = client.request(method, url.clone()).headers(headers).body(request.body.clone()).timeout(timeout);
        let mut answer = sending.send().await.map_err(|error| explain(&error, url, timeout, false))?;
        let status = answer.status().as_u16();
        let headers = kept(answer.headers());
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| explain(&error, url, timeout, true))? {
            if body.len() + chunk.len() > MAX_RESPONSE {
                return Err(format!("the response is longer than {MAX_RESPONSE} bytes; it was not kept"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: body.freeze() })
    }
}

/// Points `request` at `url`, dropping what belonged to the connection that it came by.
fn address(request: &mut Request, url: &Url) {
    let named: Vec<String> = request
        .headers
        .all("connection")
        .flat_map(|value| {
            String::from_utf8_lossy(value).split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    for name in HOP_BY_HOP.into_iter().chain(named.iter().map(String::as_str)) {
        request.headers.remove(name);
    }
    // An answer in a content coding could not be read here as the contract wants it read.
    request.headers.remove("accept-encoding");
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    request.headers.0.insert(0, ("host".to_owned(), Bytes::copy_from_slice(host.as_bytes())));
    if !request.headers.has("accept") {
        request.headers.push("accept", "*/*");
    }
    if !request.body.is_empty() {
        request.headers.push("content-length", request.body.len().to_string());
    }
    url[url::Position::BeforePath..url::Position::AfterQuery].clone_into(&mut request.target);
    request.origin = Some(url[..url::Position::BeforePath].to_owned());
    request.public = None;
    request.peer = None;
}

/// The header fields as the client takes them. It writes names in small letters and fields of one name together, so the
/// request gets them in that form too: what is recorded is what leaves.
fn fields(request: &mut Request) -> Result<http::HeaderMap, String> {
    let mut fields = http::HeaderMap::new();
    for (name, value) in request.headers.iter() {
        let field = http::HeaderName::from_bytes(name.as_bytes()).ok();
        let (Some(field), Ok(value)) = (field, http::HeaderValue::from_bytes(value)) else {
            return Err(format!("the header {name:?} cannot be sent over HTTP"));
        };
        fields.append(field, value);
    }
    request.headers = kept(&fields);
    Ok(fields)
}

fn kept(fields: &http::HeaderMap) -> Headers {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    fields.iter().map(text).collect()
}

/// A sentence for a failed exchange: what happened, with whom, and what to look at. `begun`: the head of an answer had come.
fn explain(error: &reqwest::Error, url: &Url, timeout: Duration, begun: bool) -> String {
    let place = format!("{}:{}", url.host_str().unwrap_or("?"), url.port_or_known_default().unwrap_or(0));
    if error.is_timeout() {
        let what = if begun { "finish its answer" } else { "answer" };
        return format!("{place} did not {what} within {timeout:?}");
    }
    let mut cause: &dyn std::error::Error = error;
    let mut kind = None;
    while let Some(next) = cause.source() {
        cause = next;
        kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
    }
    let closed = cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
        || matches!(kind, Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe));
    match kind {
        Some(ErrorKind::ConnectionRefused) => {
            format!("nothing listens at {place} (connection refused): is the server running?")
        }
        _ if closed && begun => format!("{place} closed the connection in the middle of its answer"),
        _ if closed => format!("{place} closed the connection before it had answered"),
        _ if error.is_connect() => format!("cannot connect to {place}: {cause}"),
        _ => format!("no whole answer from {place}: {cause}"),
    }
}

#[cfg(test)]
mod tests;
