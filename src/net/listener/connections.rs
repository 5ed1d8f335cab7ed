//! The connections that calls come by: how many there may be, how long each may keep silent, and how they end.

mod chunks;
mod notes;
mod turn;
mod wire;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use self::notes::{Noted, Notes};
use self::turn::{Leaving, Turn};
use self::wire::{Line, Wire};
use super::refusals::Refusals;
use crate::net::descriptors;
use crate::net::refused::{Refused, Why};
use crate::net::worker_pool::{Handler, WorkerPool};

/// Connections that may be open at a time, fewer where the system gives few file descriptors; further ones wait to be accepted.
const MOST: usize = 1024;

/// How many calls HTTP/2 may have under way on one of them. Each may take a head and the beginning of a body in memory.
const STREAMS: u32 = 16;

/// How long a head may be there, in bytes: many more than a platform sends, and few enough for all streams.
const FIELDS: u32 = 64 * 1024;

/// How much of what it carries may wait on such a connection to be looked at, in bytes.
const WINDOW: u32 = 256 * 1024;

/// How long a caller may take for a request's head, and keep a connection without one.
const HEAD: Duration = Duration::from_secs(30);

/// How long calls under way may take once the listener is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long after it was told that no connection can be accepted it is told again.
const DEAF: Duration = Duration::from_mins(1);

/// How long what is then left may take to be recorded as it is.
const END: Duration = Duration::from_millis(500);

/// An answer that is none: the connection is reset instead.
#[derive(Clone, Copy, Debug)]
struct Reset;

/// What has the connection reset instead of answering.
pub(super) fn reset() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    answer.extensions_mut().insert(Reset);
    answer
}

/// The connection that a request came by.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Whose it is.
    pub ip: IpAddr,
    /// Whether it is encrypted.
    pub tls: bool,
    /// Its place among the connections. A call that goes on without its caller keeps it.
    pub place: Option<Arc<OwnedSemaphorePermit>>,
    /// Its place among the calls of a connection that carries several at a time, kept so, too.
    pub stream: Option<Arc<OwnedSemaphorePermit>>,
}

/// A connection that nobody has looked at.
struct Accepted {
    stream: std::net::TcpStream,
    ip: IpAddr,
    /// Cancelled when the listener is to stop.
    ending: CancellationToken,
    /// Given back when it and all of its calls have ended.
    place: Option<OwnedSemaphorePermit>,
    token: TaskTrackerToken,
}

/// Lets what `app` makes on each thread answer until `stop` resolves; calls under way then get `GRACE` to finish. `spread`:
/// each connection is to have a thread to stay on. `under_way`: what is waited for as long as for connections; `over` tells what
/// still waits then to make an end.
pub(super) async fn serve<A, F>(
    listener: TcpListener,
    app: impl Fn() -> A + Send + Sync + 'static,
    spread: bool,
    refusals: Arc<Refusals>,
    (under_way, over): (&TaskTracker, &CancellationToken),
    stop: impl Future<Output = ()>,
) where
    A: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let telling = refusals.clone();
    let new_handler = move || -> Handler<Accepted> {
        let (app, refusals) = (app(), refusals.clone());
        let mut server = Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        let mut http2 = server.http2();
        http2.timer(TokioTimer::new()).keep_alive_interval(HEAD).keep_alive_timeout(HEAD);
        http2.max_concurrent_streams(STREAMS).max_header_list_size(FIELDS);
        http2.initial_connection_window_size(WINDOW).initial_stream_window_size(WINDOW);
        Box::new(move |accepted: Accepted| {
            let (app, server, refusals) = (app.clone(), server.clone(), refusals.clone());
            let Accepted { stream, ip, ending, place, token } = accepted;
            Box::pin(async move {
                if let Ok(stream) = TcpStream::from_std(stream) {
                    connection(stream, ip, place.map(Arc::new), app, &server, refusals, ending).await;
                }
                drop(token);
            })
        })
    };
    let mut pool = if spread { WorkerPool::new(new_handler) } else { WorkerPool::on_this_runtime(new_handler) };
    let room = Arc::new(Semaphore::new(descriptors::callers(MOST)));
    let ending = CancellationToken::new();
    let (mut stop, mut deaf) = (pin!(stop), None);
    loop {
        let admitted = async {
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, accept(&listener, &mut deaf, &telling).await)
        };
        let (place, (stream, ip)) = tokio::select! {
            admitted = admitted => admitted,
            () = &mut stop => break,
        };
        // It is another runtime that looks after it from now on.
        if let Ok(stream) = stream.into_std() {
            pool.dispatch(Accepted { stream, ip, ending: ending.clone(), place, token: under_way.token() });
        }
    }
    // Nobody is to connect to a listener that is going.
    drop(listener);
    under_way.close();
    ending.cancel();
    if tokio::time::timeout(GRACE, under_way.wait()).await.is_err() {
        over.cancel();
        let _ = tokio::time::timeout(END, under_way.wait()).await;
    }
}

/// Has `app` answer what comes by one connection, until that ends, is kept for nothing, or is to end with the listener.
async fn connection<F>(
    stream: TcpStream,
    ip: IpAddr,
    place: Option<Arc<OwnedSemaphorePermit>>,
    app: impl Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
    server: &Builder<TokioExecutor>,
    refusals: Arc<Refusals>,
    ending: CancellationToken,
) where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let wire = match Wire::open(stream, refusals.tls(), HEAD).await {
        Ok(wire) => wire,
        Err(why) => {
            refusals.take(Noted::default().refused(ip, why)).await;
            return;
        }
    };
    let (broken, notes, line) = (wire.broken(), wire.notes(), wire.line());
    let peer = Peer { ip, tls: wire.is_tls(), place: place.clone(), stream: None };
    // A stream that its caller takes back makes room for another, while its call goes on.
    let streams = Arc::new(Semaphore::new(STREAMS as usize));
    let turn = Turn::new();
    let (noting, turns) = (notes.clone(), turn.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        let bodiless = request.method() == http::Method::HEAD;
        let method = request.method().clone();
        let (version, body) = (request.version(), request.body().size_hint().exact());
        noting.taken(version, &method, request.headers_mut(), body);
        let ours = turns.asked(version);
        let (app, mut peer, streams) = (app.clone(), peer.clone(), streams.clone());
        let (broken, noting, turn) = (broken.clone(), noting.clone(), turns.clone());
        async move {
            let _ours = ours;
            if version == http::Version::HTTP_2 {
                peer.stream = streams.acquire_owned().await.ok().map(Arc::new);
            }
            let mut answer = app(request, peer).await;
            if bodiless {
                // HTTP/2 would send it (RFC 9110, 9.3.2).
                *answer.body_mut() = Body::empty();
            }
            if answer.extensions().get::<Reset>().is_some() {
                broken.store(true, Ordering::Relaxed);
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            if version == http::Version::HTTP_2 {
                return Ok(Leaving::of(answer, &turn));
            }
            noting.answered();
            Ok(answer)
        }
    });
    let ended = {
        let mut connection = pin!(server.serve_connection(TokioIo::new(wire), service));
        let mut last_calls = false;
        loop {
            tokio::select! {
                ended = &mut connection => break Some(ended),
                () = ending.cancelled(), if !last_calls => {}
                // A second more: where hyper knows that HTTP/1 is spoken, it is to be the one that ends it.
                () = turn.lapsed(HEAD + Duration::from_secs(1)) => {
                    if last_calls || !turn.was_asked() {
                        break None;
                    }
                }
            }
            // The caller is told, and what it has sent by then is answered.
            last_calls = true;
            turn.renew();
            connection.as_mut().graceful_shutdown();
        }
    };
    let refused = match ended {
        Some(ended) => ended.err().and_then(|error| refused(ip, &*error, &notes)),
        None => too_slow(ip, &notes),
    };
    // What goes wrong with a connection apart from that is its caller's affair: the calls that came by it are recorded.
    let known = match refused {
        Some(refused) => refusals.take(refused).await,
        None => true,
    };
    if known {
        Line::end(line, HEAD).await;
    }
    drop(place);
}

/// What came on a connection that ended with an error, if it is no request.
fn refused(peer: IpAddr, error: &(dyn Error + 'static), notes: &Notes) -> Option<Refused> {
    if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
        return too_slow(peer, notes);
    }
    let end = notes.end();
    let why = Why::of(error, &end.came, &end.went)?;
    Some(end.refused(peer, why))
}

/// Half a head. Where nothing came at all, its caller may have kept the connection for later.
fn too_slow(peer: IpAddr, notes: &Notes) -> Option<Refused> {
    let end = notes.end();
    (!end.came.is_empty()).then(|| end.refused(peer, Why::Slow(HEAD)))
}

/// The next connection. `deaf`: when it was last told that there can be none.
async fn accept(listener: &TcpListener, deaf: &mut Option<Instant>, refusals: &Refusals) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without this, an answer in two writes waits for the caller's delayed acknowledgement. Failing is harmless.
                let _ = stream.set_nodelay(true);
                return (stream, peer.ip().to_canonical());
            }
            Err(error) if is_of_the_caller(&error) => {}
            // Out of file descriptors, most likely: there may be some when other connections have ended.
            Err(error) => {
                if deaf.is_none_or(|told| told.elapsed() > DEAF) {
                    *deaf = Some(Instant::now());
                    refusals.tell_deaf(&error);
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Whether the one connection failed, not the listener.
fn is_of_the_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests;
