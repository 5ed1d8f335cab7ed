//! Calls in: read, recognised, checked, answered by the contract, recorded, and only then acknowledged.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::call::{Call, Direction, Headers, Id, Request, Response};
use crate::config::{Config, OnFull, Route};
use crate::platform::{Keyring, Platforms};
use crate::recording::Recorder;

/// How much of a body over the limit is read and thrown away, in multiples of the limit, so that the caller gets to
/// read its 413: a connection closed on unread bytes is reset, and the answer lost with it.
const DRAIN: usize = 10;

/// How long calls under way may take once the listener is told to stop.
const GRACE: Duration = Duration::from_secs(2);

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
#[derive(Debug)]
pub struct Lane {
    /// Limits and routes.
    pub config: Arc<Config>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// Where calls go before they are answered.
    pub recorder: Recorder,
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
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: TcpListener,
    lane: Arc<Lane>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    use axum::serve::ListenerExt;
    let listener = listener.tap_io(|stream| {
        // Without this, an answer in two writes waits for the caller's delayed acknowledgement. Failing is harmless.
        let _ = stream.set_nodelay(true);
    });
    let app = axum::Router::new().fallback(handle).with_state(lane);
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        let _ = stopping.send(());
    };
    let server = axum::serve(listener, app).with_graceful_shutdown(stop);
    let deadline = async move {
        match stopped.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = server.into_future() => result,
        () = deadline => Ok(()),
    }
}

async fn handle(State(lane): State<Arc<Lane>>, incoming: axum::extract::Request) -> http::Response<Body> {
    let at = Timestamp::now();
    let started = Instant::now();
    let (head, body) = incoming.into_parts();
    let (body, whole) = read_body(body, lane.config.listen.max_body, lane.config.listen.body_timeout).await;
    let request = Request {
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string),
        origin: None,
        headers: headers(&head),
        body,
        cut: whole.is_err(),
    };
    let (call, answer) = lane.receive(request, whole.err(), at, started);
    let refuse = lane.config.record.on_full == OnFull::Refuse;
    match lane.recorder.record(call).await {
        Err(error) if refuse => into_http(&plain(
            503,
            &format!("hooktape could not record this call and did not take it: {error}. Its user sees the cause."),
        )),
        Ok(_) | Err(_) => into_http(&answer),
    }
}

impl Lane {
    /// The call that `request` is, with the answer it gets.
    fn receive(&self, request: Request, trouble: Option<Trouble>, at: Timestamp, started: Instant) -> (Call, Response) {
        let route = self.config.route(request.path());
        let kind = match route.and_then(|route| route.kind.as_deref()) {
            Some(name) => self.platforms.kind(name),
            None => self.platforms.recognise(&request).kind,
        };
        let own = route.map_or(&[][..], |route| &route.secrets);
        let sig = kind.map(|kind| self.keyring.judge(&self.platforms, &request, Some(kind), own, at).sig);
        let id = Id::fresh();
        let answer = match &trouble {
            Some(trouble) => plain(trouble.status(), &trouble.to_string()),
            None => route.and_then(Route::answer).unwrap_or_else(|| match kind {
                Some(kind) => kind.reply(),
                None => recorded(id),
            }),
        };
        let call = Call {
            id,
            at,
            direction: Direction::Received,
            kind: kind.map(|kind| kind.name.clone()),
            conversation: kind.and_then(|kind| kind.read(&request).conversation),
            sig,
            took: started.elapsed(),
            parent: None,
            error: trouble.map(|trouble| trouble.to_string()),
            request,
            response: Some(answer.clone()),
        };
        (call, answer)
    }
}

impl Route {
    /// The configured reply, if there is one.
    fn answer(&self) -> Option<Response> {
        let reply = self.reply.as_ref()?;
        let mut headers: Headers =
            reply.headers.iter().map(|(name, value)| (name.clone(), Bytes::from(value.clone()))).collect();
        headers.set("content-length", reply.body.len().to_string());
        Some(Response { status: reply.status, headers, body: reply.body.clone().into() })
    }
}

/// Why a body is not whole.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(
        "the body is longer than the limit of {0} bytes; its beginning is recorded (listen.max_body sets the limit)"
    )]
    TooLong(usize),
    #[error("the body did not come whole within {0:?}; what came is recorded (listen.body_timeout sets the time)")]
    TooSlow(Duration),
    #[error("the caller went away in the middle of the body: {0}")]
    Broken(String),
}

impl Trouble {
    fn status(&self) -> u16 {
        match self {
            Self::TooLong(_) => 413,
            Self::TooSlow(_) => 408,
            Self::Broken(_) => 400,
        }
    }
}

/// The body, or as much of it as came, and why that is not all.
async fn read_body(mut body: Body, limit: usize, patience: Duration) -> (Bytes, Result<(), Trouble>) {
    let mut kept = Collected::default();
    let reading = async {
        let mut thrown_away = 0_usize;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| Trouble::Broken(error.to_string()))?.into_data() else { continue };
            let room = limit - kept.len();
            if data.len() <= room {
                kept.add(data);
                continue;
            }
            kept.add(data.slice(..room));
            thrown_away += data.len() - room;
            if thrown_away > limit.saturating_mul(DRAIN) {
                break;
            }
        }
        if thrown_away > 0 { Err(Trouble::TooLong(limit)) } else { Ok(()) }
    };
    let outcome = tokio::time::timeout(patience, reading).await;
    (kept.into_bytes(), outcome.unwrap_or(Err(Trouble::TooSlow(patience))))
}

/// A body as it comes in. Most come in one piece, which is then kept as it is instead of copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    rest: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn add(&mut self, data: Bytes) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

/// The fields in order. HTTP/2 carries the host outside of them: it is put back where HTTP/1.1 has it.
fn headers(head: &http::request::Parts) -> Headers {
    let mut headers: Headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
        .collect();
    if let (false, Some(authority)) = (headers.has("host"), head.uri.authority()) {
        headers.0.insert(0, ("host".to_owned(), Bytes::copy_from_slice(authority.as_str().as_bytes())));
    }
    headers
}

/// What a call that no platform claims is answered with.
fn recorded(id: Id) -> Response {
    json(200, format!(r#"{{"recorded":true,"id":"{id}"}}"#))
}

fn plain(status: u16, sentence: &str) -> Response {
    json(status, serde_json::json!({ "error": sentence }).to_string())
}

fn json(status: u16, body: String) -> Response {
    let headers = [("content-type", "application/json".to_owned()), ("content-length", body.len().to_string())];
    Response { status, headers: headers.into_iter().collect(), body: body.into() }
}

fn into_http(response: &Response) -> http::Response<Body> {
    let mut http = http::Response::new(Body::from(response.body.clone()));
    *http.status_mut() = http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers.iter() {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::from_bytes(value))
        {
            http.headers_mut().append(name, value);
        }
    }
    http
}
