//! Connections that know how long they took to come about.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected as Facts, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::Tls;
use crate::net::sips::Sips;
use crate::net::trust;

type Error = Box<dyn std::error::Error + Send + Sync>;

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
            let inner = connecting.await?;
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(TOLD - 1);
            let inner = TokioIo::new(Sips::of(TokioIo::new(inner)));
            Ok(Stream { inner, connected: Connected(Arc::new(AtomicU64::new(took))) })
        })
    }
}

/// A connection.
pub(super) struct Stream {
    inner: TokioIo<Sips<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>>,
    connected: Connected,
}

impl Connection for Stream {
    fn connected(&self) -> Facts {
        self.inner.inner().inner().inner().connected().extra(self.connected.clone())
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }
}
