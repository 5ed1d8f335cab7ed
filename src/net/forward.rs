//! Calls passed on to one's own server, as a gateway does (RFC 9110, 7.6): the body's bytes untouched, the fields of the
//! connection left out, the real answer back.

mod connector;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use uuid::Uuid;

use self::connector::{Connected, Timed};
use crate::call::{Forwarded, Headers, Request, Response, micros};
use crate::config::{Target, Tls, without_query};
use crate::net::answer::{self, Stage};
use crate::net::room::{self, Taking};
use crate::net::{IDLE, fields, hop_by_hop, named_in_connection, tells_its_length};
use crate::sync::lock;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a URL may be for the client, in bytes.
const LONGEST: usize = 65_534;

/// Why a call got no answer from the server it was forwarded to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// What the caller gets: 502, 503, 504 (RFC 9110, 15.6.3 to 15.6.5) or 508.
    pub status: u16,
    /// What happened, with whom, and what to look at.
    pub sentence: String,
    /// What it says of the server.
    pub what: What,
}

/// What a failure says of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It could not be reached.
    Down,
    /// It was reached: it may have done what the call asks for.
    Unanswered,
    /// Nothing: the call had come from here.
    Round,
    /// Nothing: no request could be made for it.
    Unmade,
    /// Nothing: it was waited for no longer.
    GivenUp,
}

/// A request as it leaves for a target.
#[derive(Debug)]
pub struct Ready {
    request: http::Request<Full<Bytes>>,
    body: Bytes,
    /// Where it goes, without its query.
    to: String,
}

impl Ready {
    /// The request as a recording has it.
    #[must_use]
    pub fn request(&self) -> Request {
        let (method, uri) = (self.request.method(), self.request.uri());
        let mut headers = fields(self.request.headers());
        if !self.body.is_empty() {
            // The client adds it.
            headers.push("content-length", self.body.len().to_string());
        }
        Request {
            method: method.to_string(),
            target: uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned(),
            origin: uri.scheme_str().zip(uri.authority()).map(|(scheme, authority)| format!("{scheme}://{authority}")),
            headers,
            body: self.body.clone(),
            ..Request::default()
        }
    }
}

/// What calls a target.
type Caller = Client<Timed, Full<Bytes>>;

/// Passes calls on. Cheap to share.
#[derive(Debug)]
pub struct Forwarder {
    clients: Arc<Mutex<HashMap<Tls, Caller>>>,
    /// What we are called in `Via` (RFC 9110, 7.6.3): a call that has it has been here.
    name: String,
}

impl Default for Forwarder {
    fn default() -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self { clients: Arc::default(), name: format!("hooktape-{}", &id[..12]) }
    }
}

impl Forwarder {
    /// Whether a request has been forwarded from here before: it would go round for ever.
    #[must_use]
    pub fn has_seen(&self, request: &Request) -> bool {
        request.headers.all("via").any(|via| memchr::memmem::find(via, self.name.as_bytes()).is_some())
    }

    /// Passes on to `target` what [`Self::prepare`] made for it, and waits for its answer, which takes of `room`. When `given_up`
    /// says why, it is waited for no longer.
    pub(super) async fn forward(
        &self,
        ready: Result<Ready, String>,
        target: &Target,
        room: &mut Taking<'_>,
        given_up: impl Future<Output = String>,
    ) -> (Result<Response, Failure>, Forwarded) {
        let mut forwarded = Forwarded { to: without_query(&target.url).to_owned(), ..Forwarded::default() };
        // Before the clock starts: what it takes to make a client is not the target's time.
        let ready = ready.and_then(|ready| Ok((self.client(&target.tls)?, ready)));
        let started = Instant::now();
        let answer = match ready {
            Ok((client, Ready { mut request, to, .. })) => {
                forwarded.to = to;
                let connection = capture_connection(&mut request);
                let exchange = exchange(&client, request, &mut forwarded, room);
                let answer = tokio::select! {
                    biased;
                    answer = tokio::time::timeout(target.timeout, exchange) => answer.ok(),
                    sentence = given_up => Some(Err(Failure { status: 503, sentence, what: What::GivenUp })),
                };
                answer.unwrap_or_else(|| {
                    let connected = connection.connection_metadata().is_some();
                    let (stage, what) = match (forwarded.first_byte_us, connected) {
                        (Some(_), _) => (Stage::Answering, What::Unanswered),
                        (None, true) => (Stage::Waiting, What::Unanswered),
                        (None, false) => (Stage::Connecting, What::Down),
                    };
                    let (status, sentence) = if room.waits {
                        (503, room::none_left(target.place(), target.timeout))
                    } else {
                        (504, answer::late(target.place(), target.timeout, stage, "the target's `timeout`"))
                    };
                    Err(Failure { status, sentence, what })
                })
            }
            Err(sentence) => Err(Failure { status: 502, sentence, what: What::Unmade }),
        };
        forwarded.total_us = micros(started.elapsed());
        forwarded.cut = answer.is_err() && forwarded.first_byte_us.is_some();
        (answer, forwarded)
    }

    /// `request`, a call of `kind`, as it leaves for `target`. Nothing leaves yet.
    ///
    /// # Errors
    /// When the target's address cannot be made for this call, or a header of it cannot be had: a sentence. It does not have the
    /// address, whose query may hold a secret.
    pub fn prepare(
        &self,
        request: &Request,
        kind: Option<&str>,
        target: &Target,
        keep_host: bool,
    ) -> Result<Ready, String> {
        if let Some(why) = target.lost() {
            return Err(why);
        }
        let name = &target.name;
        // A path of its own takes no other path; the query is part of what was said.
        let url = target.url_with_query(kind, &request.target)?;
        if url.len() > LONGEST {
            return Err(format!(
                "target {name}: with this call's path and query its URL is longer than {LONGEST} bytes"
            ));
        }
        let uri: http::Uri = url.parse().map_err(|_| {
            format!("target {name}: with this call's path and query, its `url` is no URL to forward to")
        })?;
        let authority = uri.authority().ok_or_else(|| format!("target {name}: its `url` names no host"))?.clone();
        let mut ready = http::Request::new(Full::new(request.body.clone()));
        *ready.method_mut() = http::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("{:?} is not an HTTP method", request.method))?;
        let fields = ready.headers_mut();
        // An answer in a content coding could not be read here as the contract wants it read.
        let left_out =
            |name: &str| ["accept-encoding", "content-length"].iter().any(|no| name.eq_ignore_ascii_case(no));
        for (name, value) in end_to_end(&request.headers).filter(|(name, _)| !left_out(name)) {
            if let (Ok(name), Ok(value)) =
                (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::from_maybe_shared(value.clone()))
            {
                fields.append(name, value);
            }
        }
        // HTTP/2 may carry them apart, and HTTP/1.1 may not (RFC 9113, 8.2.3).
        let cookies: Vec<_> = fields.get_all(http::header::COOKIE).iter().map(http::HeaderValue::as_bytes).collect();
        if cookies.len() > 1
            && let Ok(cookies) = http::HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
        {
            fields.insert(http::header::COOKIE, cookies);
        }
        if request.body.is_empty() && tells_its_length(request) {
            // That of a body the client adds.
            fields.insert(http::header::CONTENT_LENGTH, 0.into());
        }
        let host = request.headers.get("host").unwrap_or_default();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = http::HeaderValue::from_str(value) {
                fields.insert(name, value);
            }
        };
        set("host", if keep_host && !host.is_empty() { host } else { authority.as_str() });
        if !host.is_empty() && !request.headers.has("x-forwarded-host") {
            set("x-forwarded-host", host);
        }
        if !request.headers.has("x-forwarded-proto") {
            let secure = request.public.as_ref().is_some_and(|public| public.starts_with("https:"));
            set("x-forwarded-proto", if secure { "https" } else { "http" });
        }
        let added = |name: &'static str, value: String| {
            let before: Vec<_> = request.headers.all(name).map(|before| String::from_utf8_lossy(before)).collect();
            before.iter().map(AsRef::as_ref).chain([value.as_str()]).collect::<Vec<_>>().join(", ")
        };
        if let Some(peer) = request.peer {
            set("x-forwarded-for", &added("x-forwarded-for", peer.to_string()));
        }
        for name in &target.drop_headers {
            fields.remove(name);
        }
        for (name, value) in &target.headers {
            if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name.as_bytes()), value.parse()) {
                fields.insert(name, value);
            }
        }
        // Whatever the target says: without it a call could go round for ever.
        if let Ok(via) = added("via", format!("1.1 {}", self.name)).parse() {
            fields.insert("via", via);
        }
        let to = without_query(&url).to_owned();
        *ready.uri_mut() = uri;
        Ok(Ready { request: ready, body: request.body.clone(), to })
    }

    /// Makes what it takes to pass calls on to `target`: the first call shall not wait for it. What is wrong with it is told of
    /// each call.
    pub(super) fn get_ready_for(&self, target: &Target) {
        let _ = self.client(&target.tls);
    }

    /// The client for such a target, made when it is first needed: connections are kept, redirects are answers, nothing is
    /// decoded.
    fn client(&self, tls: &Tls) -> Result<Caller, String> {
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(tls) {
            return Ok(client.clone());
        }
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        let client = builder.build(Timed::new(CONNECT, tls)?);
        clients.insert(tls.clone(), client.clone());
        Ok(client)
    }
}

async fn exchange(
    client: &Caller,
    request: http::Request<Full<Bytes>>,
    forwarded: &mut Forwarded,
    room: &mut Taking<'_>,
) -> Result<Response, Failure> {
    let place = request.uri().authority().map_or_else(String::new, ToString::to_string);
    let started = Instant::now();
    let answer = client.request(request).await.map_err(|error| failure(&error, &place))?;
    let waited = micros(started.elapsed());
    if let Some(connected) = answer.extensions().get::<Connected>() {
        forwarded.connect_us = connected.took();
    }
    forwarded.first_byte_us = Some(waited.saturating_sub(forwarded.connect_us.unwrap_or(0)));
    let failed = |sentence| Failure { status: 502, sentence, what: What::Unanswered };
    let (head, body) = answer.into_parts();
    if head.status.is_informational() {
        let status = head.status.as_u16();
        return Err(failed(format!("{place} answered {status} and switched protocols, which was not asked of it")));
    }
    let headers = fields(&head.headers);
    let headers = end_to_end(&headers).map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let body = answer::body(body, &place, Some(room)).await.map_err(failed)?;
    Ok(Response { status: head.status.as_u16(), headers, body })
}

/// The fields that are not of one connection (RFC 9110, 7.6.1): those that `Connection` names are.
fn end_to_end(headers: &Headers) -> impl Iterator<Item = (&str, &Bytes)> {
    let named = named_in_connection(headers);
    let ours = |name: &str| hop_by_hop().any(|hop| name.eq_ignore_ascii_case(hop));
    headers.iter().filter(move |(name, _)| {
        (!ours(name) || name.eq_ignore_ascii_case("content-length"))
            && !named.iter().any(|hop| name.eq_ignore_ascii_case(hop))
    })
}

/// What became of a call that the client could not pass on.
fn failure(error: &hyper_util::client::legacy::Error, place: &str) -> Failure {
    let down = error.is_connect();
    let sentence = if down && answer::io_kind(error) == Some(ErrorKind::TimedOut) {
        format!("no connection to {place} within {CONNECT:?}")
    } else {
        answer::explain(error, place, if down { Stage::Connecting } else { Stage::Waiting })
    };
    Failure { status: 502, sentence, what: if down { What::Down } else { What::Unanswered } }
}

#[cfg(test)]
mod tests;
