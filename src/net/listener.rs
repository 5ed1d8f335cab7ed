//! Calls in: read, recognised, checked, answered by the contract, recorded, and only then acknowledged.

mod body;
mod connections;
mod cors;
mod page;
mod refusals;

use std::borrow::Cow;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, Direction, HUNG_UP, Headers, Id, Request, Response};
use crate::config::{Config, OnFull, Route};
use crate::net::fields;
use crate::net::responder::{Outcome, Responders, STOPPED, Wanting, own_secrets, plain, trickle};
use crate::net::room;
use crate::net::tls::Identity;
use crate::net::tunnel::Reach;
use crate::platform::{Keyring, Kind, Platforms, Seen};
use crate::recording::{RecordError, Recorder, Recording};
use body::{Read, Trouble};
use connections::Peer;
use refusals::Refusals;

/// Bytes from which on a body is long.
const LONG: u64 = 1024 * 1024;

/// Why the listener could not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has the port.
    #[error(
        "{0} is taken by another program: stop it, or choose another address (--listen 127.0.0.1:0 takes a free port)"
    )]
    Taken(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, std::io::Error),
}

/// What a request needs to become a recorded call.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Limits; the routes are those of [`Responders::config`], which may change.
    pub config: Arc<Config>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// Where calls go before they are answered.
    pub recorder: Recorder,
    /// What answers them.
    pub responders: Arc<Responders>,
    /// What answers TLS handshakes; none: there is no TLS.
    pub tls: Option<Identity>,
    /// What proves that a public address leads here.
    pub reach: Arc<Reach>,
}

impl Lane {
    /// A lane whose responders are those that are configured.
    #[must_use]
    pub fn new(config: Arc<Config>, platforms: Arc<Platforms>, keyring: Arc<Keyring>, recorder: Recorder) -> Self {
        let responders = Responders::new(config.clone(), platforms.clone(), keyring.clone(), recorder.clone());
        let responders = Arc::new(responders);
        Self { config, platforms, keyring, recorder, responders, tls: None, reach: Arc::default() }
    }

    /// The same for one thread, whose calls are written from there.
    fn branch(&self) -> Self {
        Self { recorder: self.recorder.branch(), ..self.clone() }
    }
}

/// Takes `address`; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other(address, error),
    })
}

/// Answers calls until `stop` resolves; calls under way then get two seconds to finish.
pub async fn serve(listener: TcpListener, lane: Arc<Lane>, stop: impl Future<Output = ()> + Send + 'static) {
    let responders = lane.responders.clone();
    let _serving = responders.pulse.serve();
    let refusals = Arc::new(Refusals::new(lane.clone()));
    let elsewhere = Handle::current();
    // Calls that wait for the disk together are best answered where they can all be woken at once.
    let spread = !lane.recorder.syncs();
    let app = move || {
        let (lane, elsewhere) = (Arc::new(lane.branch()), elsewhere.clone());
        move |incoming, peer| handle(lane.clone(), elsewhere.clone(), incoming, peer)
    };
    connections::serve(listener, app, spread, refusals.clone(), (&responders.under_way, &responders.over), stop).await;
    refusals.tell_rest();
}

/// A connection drops this future when its caller goes away, and the call is recorded all the same: what has not come whole
/// at once is read and recorded in a task of its own, and what is on its way to the recorder stays on it. Long bodies, which
/// take their time to be looked at, are taken `elsewhere`, so that other calls of this thread need not wait for that.
///
/// No `async fn`, and no large future: those of all calls are moved about several times.
fn handle(
    lane: Arc<Lane>,
    elsewhere: Handle,
    incoming: http::Request<Incoming>,
    peer: Peer,
) -> impl Future<Output = http::Response<Body>> + Send {
    let proof = lane.reach.answer(incoming.uri().path()).map(str::to_owned);
    let (head, body) = incoming.into_parts();
    let long = body.size_hint().lower() > LONG;
    let gone = CancellationToken::new();
    let taking = lane.clone().take(lane.request(&head, &peer), body, gone.clone());
    let mut taking = Box::pin(AssertUnwindSafe(taking).catch_unwind());
    async move {
        if let Some(proof) = proof {
            let headers = [("content-type", "text/plain")].into_iter().collect();
            return into_http(&Response { status: 200, headers, body: proof.into() }, None, room::Taken::default());
        }
        let taken = match poll_once(&mut taking).await {
            Poll::Ready(taken) => taken.ok(),
            Poll::Pending => {
                let _here = gone.drop_guard();
                let runtime = if long { elsewhere } else { Handle::current() };
                let taking = async move {
                    let taken = taking.await;
                    // As many go on without their callers as there may be calls with them.
                    drop((peer.place, peer.stream));
                    taken
                };
                lane.responders.under_way.spawn_on(taking, &runtime).await.ok().and_then(Result::ok)
            }
        };
        let Some(Taken { recording, answer }) = taken else {
            return into_http(
                &plain(500, "hooktape failed at this call; its own output says how"),
                None,
                room::Taken::default(),
            );
        };
        let recorded = match recording {
            Ok(Some(recording)) => recording.done().await.map(drop),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match (recorded, answer) {
            // Why is for its user to know: the reason names a file of this machine.
            (Err(_), _) if lane.config.record.on_full == OnFull::Refuse => into_http(
                &plain(503, "hooktape could not record this call and so did not take it; its own output says why"),
                None,
                room::Taken::default(),
            ),
            (_, Some(answer)) => answer,
            (_, None) => connections::reset(),
        }
    }
}

/// As far as a future gets without waiting.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

/// A call that was read and answered, on its way into the file.
struct Taken {
    /// None: it is in the file already.
    recording: Result<Option<Recording>, RecordError>,
    /// What it gets once it is recorded; none: the connection's end.
    answer: Option<http::Response<Body>>,
}

impl Lane {
    /// The request of which the body is still to come.
    fn request(&self, head: &http::request::Parts, peer: &Peer) -> Request {
        let target =
            head.uri.path_and_query().map_or_else(|| head.uri.to_string(), |target| target.as_str().to_owned());
        let mut request = Request {
            method: head.method.as_str().to_owned(),
            target,
            peer: Some(peer.ip),
            headers: headers(head),
            ..Request::default()
        };
        let listen = &self.config.listen;
        let secure = || Some(format!("https://{}", request.headers.get("host").filter(|_| peer.tls)?));
        request.public = listen
            .public_url
            .clone()
            .or_else(|| self.reach.public(&request))
            .or_else(|| request.said_by_trusted(&listen.trusted_proxies))
            .or_else(secure);
        request
    }

    /// Reads the call, has it answered, and hands it to the recorder. `gone` is cancelled when the caller hangs up meanwhile.
    #[expect(
        clippy::manual_async_fn,
        reason = "each call's future goes to the heap, and that of an `async fn` is larger"
    )]
    fn take(
        self: Arc<Self>,
        mut request: Request,
        body: Incoming,
        gone: CancellationToken,
    ) -> impl Future<Output = Taken> + Send {
        async move {
            let _under_way = self.responders.pulse.call();
            let at = Timestamp::now();
            let started = Instant::now();
            let listen = &self.config.listen;
            let over = self.responders.over.cancelled();
            let room = &self.responders.room;
            let Read { body, taken: room, whole } =
                body::read(body, listen.max_body, listen.body_timeout, over, room).await;
            let trouble = whole.err();
            (request.body, request.cut) = (body, trouble.is_some());
            let config = self.responders.config();
            let route = config.route(request.path());
            let recognised = self.recognise(&request, route);
            let kind = recognised.kind;
            let own = own_secrets(route);
            let sig = kind.map(|kind| self.keyring.sig(&self.platforms, &request, Some(kind), own, at));
            let id = Id::fresh();
            let conversation = recognised.conversation.as_deref();
            let wanting = Wanting { id, at, request: &request, kind, sig, conversation, route, gone: &gone };
            let outcome = self.answer(wanting, &recognised, trouble.as_ref()).await;
            let Outcome { response, error, forwarded, slow, room: answered } = outcome;
            let took = started.elapsed();
            let error = if gone.is_cancelled() { Some(hung_up(error, took)) } else { error };
            let error = trouble.map(|trouble| trouble.to_string()).or(error);
            let response = response.map(|answer| as_it_leaves(answer, &request.method, Timestamp::now()));
            // Written before its body has left, but what the caller waits for is known.
            let dripped = slow.filter(|_| response.as_ref().is_some_and(|answer| !answer.body.is_empty()));
            let took = took + dripped.unwrap_or_default();
            let answer = response.as_ref().map(|answer| into_http(answer, slow, answered));
            let call = Call {
                id,
                at,
                direction: Direction::Received,
                kind: kind.map(|kind| kind.name.clone()),
                conversation: recognised.conversation,
                sig,
                took,
                parent: None,
                error,
                forwarded,
                request,
                response,
            };
            let recording = match self.recorder.submit(call, recognised.is_json).await {
                // It takes its room until it is written, also where its caller does not wait for that.
                Ok(recording) if room.is_some() => recording.done().await.map(|_| None),
                submitted => submitted.map(Some),
            };
            Taken { recording, answer }
        }
    }

    fn recognise(&self, request: &Request, route: Option<&Route>) -> Recognised<'_> {
        let asked = cors::asked_method(request);
        let routed = self.platforms.kind(route.and_then(|route| route.kind.as_deref()));
        let readable = request.readable();
        let seen = Seen::new(&readable);
        // A preflight is not yet the call that it asks about.
        let kind = match asked {
            Some(_) => None,
            None => routed.or_else(|| self.platforms.recognise_seen(&seen).kind),
        };
        let method = asked.unwrap_or(&request.method);
        let caller = routed.or(kind).or_else(|| self.platforms.called_by_pages(method, request.path()));
        Recognised {
            kind,
            conversation: kind.and_then(|kind| kind.conversation(&seen)),
            of_a_page: caller.filter(|kind| kind.is_from_a_browser()),
            is_preflight: asked.is_some(),
            // The recording has the body as it came.
            is_json: matches!(readable, Cow::Borrowed(_)) && seen.is_known_as_json(),
        }
    }

    /// What a call gets for an answer.
    async fn answer(&self, call: Wanting<'_>, recognised: &Recognised<'_>, trouble: Option<&Trouble>) -> Outcome {
        let Wanting { id, at, request, kind, sig, route, .. } = call;
        let own = own_secrets(route);
        let responder = self.responders.of(kind, route).filter(|responder| !responder.is_plain());
        let forwards = responder.as_ref().is_some_and(|responder| responder.forwards());
        // A server that calls are forwarded to says itself who may read its answers.
        let of_a_page = recognised.of_a_page.filter(|_| !forwards);
        let across = |mut answer| {
            if of_a_page.is_some() {
                cors::open(&mut answer, request);
            }
            answer
        };
        // What the platform would say. The stand-in page bears a signature: no page from elsewhere may read it.
        let usual = || {
            let ours = self.responders.was_handed_out(&request.target);
            let page = kind.and_then(|kind| page::page(&self.platforms, &self.keyring, kind, request, ours, at));
            page.unwrap_or_else(|| {
                across(kind.map_or_else(|| recorded(id), |kind| self.keyring.answer(kind, request, sig, own)))
            })
        };
        match (trouble, of_a_page.filter(|_| recognised.is_preflight), responder) {
            // Any other answer would have the connection become a tunnel.
            _ if request.method == "CONNECT" => Outcome::of(plain(501, "hooktape is no proxy")),
            (Some(trouble), ..) => Outcome::of(across(plain(trouble.status(), &trouble.to_string()))),
            (None, Some(kind), _) => Outcome::of(across(cors::preflight(request, kind))),
            (None, None, None) => Outcome::of(usual()),
            (None, None, Some(responder)) => {
                // Most calls do without, and are not to be moved about with the room that it takes.
                let answering = Box::pin(self.responders.answer(&responder, call, usual));
                let mut outcome = tokio::select! {
                    biased;
                    // It is asked once more: what was passed on says where to.
                    outcome = answering => outcome,
                    () = self.responders.over.cancelled() => {
                        return Outcome { error: Some(STOPPED.to_owned()), ..Outcome::of(plain(503, STOPPED)) };
                    }
                };
                outcome.response =
                    outcome.response.map(|answer| if responder.replies() { across(answer) } else { answer });
                outcome
            }
        }
    }
}

/// What is known of a request by its look and its route.
struct Recognised<'a> {
    kind: Option<&'a Kind>,
    conversation: Option<String>,
    /// The kind of call that a page makes with it, or asks about.
    of_a_page: Option<&'a Kind>,
    /// A browser asks whether a page may make the call (CORS).
    is_preflight: bool,
    /// Its body was found to be valid JSON.
    is_json: bool,
}

/// The fields in order. HTTP/2 carries the host outside of them: it is put back where HTTP/1.1 has it. What the request line says
/// counts (RFC 9112, 3.2.2; RFC 9113, 8.3.1); another `host` is kept behind it, for that is to be seen.
fn headers(head: &http::request::Parts) -> Headers {
    let mut headers = fields(&head.headers);
    if let Some(authority) = head.uri.authority()
        && headers.get("host").is_none_or(|host| !host.eq_ignore_ascii_case(authority.as_str()))
    {
        headers.0.insert(0, ("host".into(), Bytes::copy_from_slice(authority.as_str().as_bytes())));
    }
    headers
}

/// What a call that no platform claims is answered with.
fn recorded(id: Id) -> Response {
    let headers = [("content-type", "application/json")].into_iter().collect();
    Response { status: 200, headers, body: format!(r#"{{"recorded":true,"id":"{id}"}}"#).into() }
}

/// What is wrong with a call whose caller went away while it was answered, with what else is: whatever there is for an answer,
/// nobody got it.
fn hung_up(error: Option<String>, took: Duration) -> String {
    let hung_up = format!("{HUNG_UP} before the answer was ready, after {:.1} s", took.as_secs_f64());
    match error {
        Some(error) if error.starts_with(HUNG_UP) => error,
        Some(error) => format!("{hung_up}; {error}"),
        None => hung_up,
    }
}

/// The answer with what HTTP adds to it and takes from it (RFC 9110, 6.4.1, 6.6.1 and 8.6), so that what is recorded is
/// what the caller gets.
fn as_it_leaves(mut answer: Response, method: &str, at: Timestamp) -> Response {
    let bodiless = matches!(answer.status, 204 | 304);
    // What answers a HEAD elsewhere says how long its body would be.
    let says = method == "HEAD" && answer.body.is_empty() && answer.headers.has("content-length");
    if bodiless {
        // Of another server's 304, that of the body that is not there.
        answer.headers.remove("content-length");
    } else if says {
        match length_said(&answer.headers) {
            Some(length) => answer.headers.set("content-length", length),
            None => answer.headers.remove("content-length"),
        }
    } else {
        answer.headers.set("content-length", answer.body.len().to_string());
    }
    if bodiless || method == "HEAD" {
        answer.body = Bytes::new();
    }
    if !answer.headers.has("date") {
        answer.headers.push("date", httpdate::fmt_http_date(at.into()));
    }
    answer
}

/// The length that is said. Several that say the same are one (RFC 9110, 8.6); of others none is true.
fn length_said(headers: &Headers) -> Option<String> {
    let mut lengths = headers.all("content-length");
    let first = lengths.next().filter(|first| first.iter().all(u8::is_ascii_digit))?;
    lengths.all(|length| length == first).then(|| String::from_utf8_lossy(first).into_owned())
}

/// `room`: what the body takes, until it has left.
fn into_http(response: &Response, slow: Option<Duration>, room: room::Taken) -> http::Response<Body> {
    let body = room.with(response.body.clone());
    let body = match slow {
        Some(time) => Body::from_stream(trickle(body, time)),
        None => Body::from(body),
    };
    let mut http = http::Response::new(body);
    http.headers_mut().reserve(response.headers.0.len());
    *http.status_mut() = http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers.iter() {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::from_maybe_shared(value.clone()))
        {
            http.headers_mut().append(name, value);
        }
    }
    http
}

#[cfg(test)]
mod tests;
