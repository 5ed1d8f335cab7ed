//! A connection that is read in sips.
//!
//! What is read at once is worked on at once, before anybody else has a turn: what a server says of its answer in advance
//! (`100 Continue`) or tiny chunks, without end, would keep a thread busy beyond every timeout.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

/// Most bytes of a sip.
const SIP: u64 = 16 * 1024;

/// A connection of which no more than a sip is read at a time.
#[derive(Debug)]
pub(super) struct Sips<S>(Take<S>);

impl<S: AsyncRead> Sips<S> {
    pub(super) fn of(stream: S) -> Self {
        Self(stream.take(SIP))
    }

    pub(super) fn inner(&self) -> &S {
        self.0.get_ref()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sips<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.set_limit(SIP);
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Sips<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.0.get_mut()).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.0.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.0.get_mut()).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.get_ref().is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.0.get_mut()).poll_write_vectored(context, slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_read_is_a_sip() {
        let bytes = vec![0; 40_000];
        let mut sips = Sips::of(&bytes[..]);
        let mut buffer = vec![0; 40_000];
        let mut lengths = Vec::new();
        for _ in 0..4 {
            lengths.push(sips.read(&mut buffer).await.unwrap());
        }
        assert_eq!(lengths, [16_384, 16_384, 7_232, 0]);
    }
}
