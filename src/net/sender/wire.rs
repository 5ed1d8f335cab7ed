//! One connection that is kept from call to call: what each worker of a replay has of its own.
//!
//! A pool of connections that all workers share costs a third of the rate. Only plain HTTP goes this way; TLS and proxies
//! are left to the client that knows them.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use super::body::Outbound;

/// A place for a connection.
#[derive(Debug, Default)]
pub struct Wire {
    open: Option<Line>,
}

type Connection = http1::Connection<TokioIo<TcpStream>, Outbound>;

/// A connection. It moves only while something is awaited of it: a task of its own would have to be woken for every call. So
/// the rest of a body whose answer came before its end leaves with the next call.
#[derive(Debug)]
struct Line {
    /// Scheme, host and port.
    place: String,
    sender: SendRequest<Outbound>,
    /// None: it is over. What went wrong with it is told to whoever sends.
    moving: Option<Pin<Box<Connection>>>,
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// There is no connection.
    #[error(transparent)]
    Connect(std::io::Error),
    /// It failed.
    #[error(transparent)]
    Http(hyper::Error),
}

impl Line {
    async fn open(url: &Url) -> Result<Self, WireError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host, port)).await.map_err(WireError::Connect)?;
        stream.set_nodelay(true).map_err(WireError::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(WireError::Http)?;
        let place = url[..url::Position::BeforePath].to_owned();
        Ok(Self { place, sender, moving: Some(Box::pin(connection)) })
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

    /// Whether it can take another call: its other end may have closed it meanwhile.
    async fn is_open(&mut self) -> bool {
        poll_fn(|context| {
            self.poll(context);
            Poll::Ready(())
        })
        .await;
        !self.sender.is_closed()
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
    /// Sends `request` to the host of `url` and gives the head of the answer.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        mut request: http::Request<Outbound>,
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
                    let line = self.open.insert(line);
                    return Ok(response.map(|body| Answer { line, body }));
                }
                Err(mut error) => match error.take_message() {
                    // The endpoint had closed it before anything of this left.
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(WireError::Http(error.into_error())),
                },
            }
        }
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
