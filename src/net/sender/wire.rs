//! One connection that is kept from call to call: what each worker of a replay has of its own.
//!
//! A pool of connections that all workers share costs a third of the rate. Only plain HTTP goes this way; TLS and proxies
//! are left to the client that knows them.

use std::sync::Arc;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use super::body::Outbound;

/// A place for a connection.
#[derive(Debug, Default)]
pub struct Wire {
    open: Option<(Arc<str>, SendRequest<Outbound>)>,
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

impl Wire {
    /// Sends `request` to the host of `url` and gives the head of the answer.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        mut request: http::Request<Outbound>,
    ) -> Result<http::Response<hyper::body::Incoming>, WireError> {
        let origin = &url[..url::Position::BeforePath];
        loop {
            // Taken out: an exchange that is given up leaves a connection that nobody can use.
            let kept = self.open.take().filter(|(place, sender)| **place == *origin && !sender.is_closed());
            let (place, mut sender, fresh) = match kept {
                Some((place, sender)) => (place, sender, false),
                None => (Arc::from(origin), connect(url).await?, true),
            };
            let ready = sender.ready().await;
            if ready.is_err() && !fresh {
                continue;
            }
            ready.map_err(WireError::Http)?;
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.open = Some((place, sender));
                    return Ok(response);
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

async fn connect(url: &Url) -> Result<SendRequest<Outbound>, WireError> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await.map_err(WireError::Connect)?;
    stream.set_nodelay(true).map_err(WireError::Connect)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(WireError::Http)?;
    // It ends when the sender is dropped; what goes wrong with it is told to whoever sends.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
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
