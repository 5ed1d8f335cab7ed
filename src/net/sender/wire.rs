//! One connection, which may be kept from call to call: each worker of a replay has one of its own.
//!
//! A pool of connections that all workers share costs a third of the rate. Only plain HTTP goes this way; TLS and proxies
//! are left to the client that knows them.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tower_service::Service as _;
use url::Url;

use super::body::Outbound;
use crate::net::IDLE;
use crate::net::answer::Progress;
use crate::net::bounded_read::BoundedRead;

/// A place for a connection.
#[derive(Debug, Default)]
pub struct Wire {
    open: Option<Line>,
}

type Connection = http1::Connection<TokioIo<BoundedRead<TcpStream>>, Outbound>;

/// A connection. It moves only while something is awaited of it: a task of its own would have to be woken for every call. So
/// the rest of a body whose answer came before its end leaves no more: the next call has a connection of its own.
#[derive(Debug)]
struct Line {
    /// Scheme, host and port.
    place: String,
    sender: SendRequest<Outbound>,
    /// When its last answer came.
    used: Instant,
    /// None: it is over. What went wrong with it is told to whoever sends.
    moving: Option<Pin<Box<Connection>>>,
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// There is no connection.
    #[error(transparent)]
    Connect(Box<dyn Error + Send + Sync>),
    /// It failed.
    #[error(transparent)]
    Http(hyper::Error),
    /// It failed, and was one that had been kept from an earlier call.
    #[error(transparent)]
    Kept(hyper::Error),
}

impl Line {
    /// A host with several addresses is tried at all of them, those of IPv6 and IPv4 side by side (RFC 8305).
    async fn open(url: &Url) -> Result<Self, WireError> {
        let place = url[..url::Position::BeforePath].to_owned();
        let to = place.parse::<Uri>().map_err(|error| WireError::Connect(error.into()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let stream = connector.call(to).await.map_err(|error| WireError::Connect(error.into()))?.into_inner();
        let (sender, connection) =
            http1::handshake(TokioIo::new(BoundedRead::of(stream))).await.map_err(WireError::Http)?;
        Ok(Self { place, sender, used: Instant::now(), moving: Some(Box::pin(connection)) })
    }

    /// Moves it as far as it goes now.
    fn poll(&mut self, context: &mut Context<'_>) {
        self.moving.take_if(|moving| moving.as_mut().poll(context).is_ready());
    }

    /// Awaits what comes of it.
    async fn drive<D>(&mut self, doing: impl Future<Output = D>) -> D {
        let mut doing = pin!(doing);
        poll_fn(|context| {
            if let Poll::Ready(done) = doing.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            self.poll(context);
            doing.as_mut().poll(context)
        })
        .await
    }

    /// Whether it can take another call: its other end may have closed it meanwhile, or it still has to carry what the endpoint
    /// did not wait for, in a time that would be the next call's.
    async fn is_open(&mut self) -> bool {
        poll_fn(|context| {
            self.poll(context);
            Poll::Ready(())
        })
        .await;
        self.sender.is_ready() && self.used.elapsed() < IDLE
    }
}

/// The body of an answer, for which its connection moves.
pub(super) struct Answer<'a> {
    line: &'a mut Line,
    body: Incoming,
}

impl Body for Answer<'_> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Self { line, body } = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        line.poll(context);
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Wire {
    /// Sends `request` to the host of `url` and gives the head of the answer. Tells once there is a connection.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        mut request: http::Request<Outbound>,
        progress: &Progress,
    ) -> Result<http::Response<Answer<'_>>, WireError> {
        loop {
            // Taken out: an exchange that is given up leaves a connection that nobody can use.
            let kept = match self.open.take() {
                Some(mut line) if line.place == url[..url::Position::BeforePath] => {
                    line.is_open().await.then_some(line)
                }
                _ => None,
            };
            let fresh = kept.is_none();
            let mut line = match kept {
                Some(line) => line,
                // Made once for many calls: its size should not be every call's.
                None => Box::pin(Line::open(url)).await?,
            };
            progress.connected();
            let ready = poll_fn(|context| {
                line.poll(context);
                line.sender.poll_ready(context)
            });
            let ready = ready.await;
            if ready.is_err() && !fresh {
                continue;
            }
            ready.map_err(WireError::Http)?;
            let sending = line.sender.try_send_request(request);
            match line.drive(sending).await {
                Ok(response) => {
                    line.used = Instant::now();
                    let line = self.open.insert(line);
                    return Ok(response.map(|body| Answer { line, body }));
                }
                Err(mut error) => match error.take_message() {
                    // The endpoint had closed it before anything of this left.
                    Some(unsent) if !fresh => request = unsent,
                    _ if fresh => return Err(WireError::Http(error.into_error())),
                    _ => return Err(WireError::Kept(error.into_error())),
                },
            }
        }
    }

    /// Waits for no longer than `patience` until a body has left whole whose answer came before its end.
    pub async fn finish(mut self, patience: Duration) {
        let Some(line) = &mut self.open else { return };
        let gone = poll_fn(|context| {
            line.poll(context);
            line.sender.poll_ready(context).map(drop)
        });
        let _ = timeout(patience, gone).await;
    }

    /// Ends the connection.
    pub(super) fn close(&mut self) {
        self.open = None;
    }
}

/// A request line of origin-form and the header fields as they are.
pub(super) fn request(
    method: http::Method,
    target: &str,
    headers: http::HeaderMap,
    body: Outbound,
) -> Result<http::Request<Outbound>, http::Error> {
    let mut request = http::Request::builder().method(method).uri(target).body(body)?;
    *request.headers_mut() = headers;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::net::testing::server;

    async fn status(wire: &mut Wire, url: &Url) -> Result<u16, WireError> {
        let body = Outbound::new(Bytes::new(), None);
        let request = request(http::Method::GET, "/", http::HeaderMap::new(), body).unwrap();
        let response = wire.send(url, request, &Progress::default()).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        Ok(status)
    }

    #[tokio::test]
    async fn what_an_answer_came_before_leaves_behind_it() {
        let (listener, url) = server().await;
        let url: Url = url.parse().unwrap();
        let (answered, mut go_on) = tokio::sync::mpsc::unbounded_channel();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 1]).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            go_on.recv().await;
            let mut rest = Vec::new();
            while !rest.ends_with(b"!") && stream.read_buf(&mut rest).await.unwrap() > 0 {}
            rest.ends_with(b"!")
        });
        // More than the system keeps of it.
        let mut long = vec![b'a'; 16 << 20];
        long.push(b'!');
        let length = [(http::header::CONTENT_LENGTH, long.len().into())].into_iter().collect();
        let request = request(http::Method::POST, "/", length, Outbound::new(long.into(), None)).unwrap();
        let mut wire = Wire::default();
        let response = wire.send(&url, request, &Progress::default()).await.unwrap();
        response.into_body().collect().await.unwrap();
        answered.send(()).unwrap();
        wire.finish(Duration::from_secs(20)).await;
        assert!(serving.await.unwrap());
    }

    #[tokio::test]
    async fn a_connection_is_kept_for_a_while() {
        let (listener, url) = server().await;
        let url: Url = url.parse().unwrap();
        let (tell, mut connections) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tell.send(()).unwrap();
                tokio::spawn(async move {
                    let mut came = [0; 1024];
                    // The third call on a connection gets no answer.
                    for number in 0..3 {
                        if stream.read(&mut came).await.unwrap() > 0 && number < 2 {
                            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                        }
                    }
                });
            }
        });
        let mut wire = Wire::default();
        let mut opened = || std::iter::from_fn(|| connections.try_recv().ok()).count();
        for _ in 0..2 {
            assert_eq!(status(&mut wire, &url).await.unwrap(), 200);
        }
        assert_eq!(opened(), 1);
        wire.open.as_mut().unwrap().used -= IDLE;
        assert_eq!(status(&mut wire, &url).await.unwrap(), 200);
        assert_eq!(opened(), 1, "another one");
        assert_eq!(status(&mut wire, &url).await.unwrap(), 200);
        let ended = status(&mut wire, &url).await.unwrap_err();
        assert!(matches!(ended, WireError::Kept(_)), "{ended:?}");
    }
}
