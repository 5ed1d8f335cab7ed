//! A connection of which only so much is read at a time.
//!
//! What is read at once is worked on at once, before anybody else has a turn: what a server says of its answer in advance
//! (`100 Continue`) or tiny chunks, without end, would keep a thread busy beyond every timeout.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

/// Most bytes of a read.
const MOST: u64 = 16 * 1024;

/// A connection of which no more than that is read at a time, and what the client is told of it beside its addresses.
#[derive(Debug)]
pub(super) struct BoundedRead<S, E = ()> {
    stream: Take<S>,
    extra: E,
}

impl<S: AsyncRead> BoundedRead<S> {
    pub(super) fn of(stream: S) -> Self {
        BoundedRead::with(stream, ())
    }
}

impl<S: AsyncRead, E> BoundedRead<S, E> {
    /// One that the client finds `extra` of: in the extensions of an answer that came by it.
    pub(super) fn with(stream: S, extra: E) -> Self {
        Self { stream: stream.take(MOST), extra }
    }
}

impl<S: AsyncRead + Connection, E: Clone + Send + Sync + 'static> Connection for BoundedRead<S, E> {
    fn connected(&self) -> Connected {
        self.stream.get_ref().connected().extra(self.extra.clone())
    }
}

impl<S: AsyncRead + Unpin, E: Unpin> AsyncRead for BoundedRead<S, E> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.set_limit(MOST);
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, E: Unpin> AsyncWrite for BoundedRead<S, E> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write_vectored(context, slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_read_is_bounded() {
        let bytes = vec![0; 40_000];
        let mut stream = BoundedRead::of(&bytes[..]);
        let mut buffer = vec![0; 40_000];
        let mut lengths = Vec::new();
        for _ in 0..4 {
            lengths.push(stream.read(&mut buffer).await.unwrap());
        }
        assert_eq!(lengths, [16_384, 16_384, 7_232, 0]);
    }
}
