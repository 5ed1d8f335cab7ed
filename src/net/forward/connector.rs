//! Connections that know how long they took to come about.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::Tls;
use crate::net::bounded_read::BoundedRead;
use crate::net::trust;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A connection. TLS and the client have the traits of hyper, and what bounds the reads those of tokio: hence the adapters.
pub(super) type Stream = TokioIo<BoundedRead<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>, Connected>>;

/// Connects, and takes the time.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    inner: HttpsConnector<HttpConnector>,
}

impl Timed {
    /// A connector that gives up after `patience`, and over https believes whom `tls` says.
    ///
    /// # Errors
    /// Those of [`trust::config`].
    pub(super) fn new(patience: Duration, tls: &Tls) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        http.set_connect_timeout(Some(patience));
        let builder = HttpsConnectorBuilder::new().with_tls_config(trust::config(tls)?);
        Ok(Self { inner: builder.https_or_http().enable_http1().wrap_connector(http) })
    }
}

/// How long a connection took, told to the first exchange on it only.
#[derive(Clone, Debug)]
pub(super) struct Connected(Arc<AtomicU64>);

/// Told already.
const TOLD: u64 = u64::MAX;

impl Connected {
    /// Microseconds; none where the connection was there already.
    pub(super) fn took(&self) -> Option<u64> {
        Some(self.0.swap(TOLD, Ordering::Relaxed)).filter(|took| *took != TOLD)
    }
}

impl Service<Uri> for Timed {
    type Response = Stream;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let started = Instant::now();
        let connecting = self.inner.call(to);
        Box::pin(async move {
            let stream = TokioIo::new(connecting.await?);
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(TOLD - 1);
            Ok(TokioIo::new(BoundedRead::with(stream, Connected(Arc::new(AtomicU64::new(took))))))
        })
    }
}
