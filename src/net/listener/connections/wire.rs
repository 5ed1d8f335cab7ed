//! A connection, plain or in TLS, of which notes are taken, and that can be reset: the caller sees it break instead of end
//! (RFC 9293, 3.5.2).

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::notes::Notes;
use crate::net::refused::Why;
use crate::net::tls::Identity;
use crate::sync::lock;

/// A caller's connection.
#[derive(Debug)]
pub(super) struct Wire {
    line: Arc<Mutex<Line>>,
    broken: Arc<AtomicBool>,
    notes: Arc<Notes>,
    first: First,
    /// How it ended. Hyper lets go of a request whose caller has gone, and would do so before anybody has seen it where both
    /// are found in one go: so it learns of the end a moment later. Who has ended only its sending side still reads the answer.
    end: Option<io::Result<()>>,
    /// For as long as that, where a call is being answered.
    held_back: Option<Pin<Box<Sleep>>>,
    /// Runs while nothing of what is written can leave.
    stuck: Option<Pin<Box<Sleep>>>,
    /// How long that may be.
    patience: Duration,
    /// Since when there has always been something that waited to leave.
    leaving: Option<Instant>,
}

/// The first bytes. Little is asked for at first, to find out by which HTTP the caller speaks; all that has come is read, to
/// be known if it speaks none.
#[derive(Debug)]
enum First {
    Unread,
    Read(Bytes),
    HandedOn,
}

/// What a wire leaves behind: hyper lets go of one when it has refused what came, and that is answered when it is recorded.
#[derive(Debug)]
pub(super) struct Line {
    stream: Stream,
    /// What hyper wrote last, if that is a refusal: it has not left.
    refusal: Vec<u8>,
}

impl Line {
    /// Sends the refusal that was kept back, if there is one, and ends the connection. Nobody else may use it any more.
    pub(super) async fn end(line: Arc<Mutex<Self>>, patience: Duration) {
        let Some(line) = Arc::into_inner(line) else { return };
        let Self { mut stream, refusal } = line.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !refusal.is_empty() {
            let leaving = async {
                stream.write_all(&refusal).await?;
                stream.shutdown().await
            };
            // Its caller may have gone.
            let _ = tokio::time::timeout(patience, leaving).await;
        }
    }
}

/// How long an answer may take to leave, however it moves: as long, it takes room that others wait for.
const LEAVE: Duration = Duration::from_mins(5);

/// How long a caller's end is held back while a call of it is answered: longer than most answers take, and shorter than anyone
/// needs to be told of it.
const MOMENT: Duration = Duration::from_millis(250);

/// How many first bytes are read.
const FIRST: usize = 8 * 1024;

/// Plain, or in TLS.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// How a TLS handshake begins (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

impl Wire {
    /// The connection, once its handshake is over. With TLS, callers that speak plain HTTP are served too.
    ///
    /// # Errors
    /// When the handshake fails or takes longer than `patience`. So long may a write, too, take to move.
    pub(super) async fn open(stream: TcpStream, tls: Option<&Identity>, patience: Duration) -> Result<Self, Why> {
        let stream = match tls {
            Some(identity) => tokio::time::timeout(patience, accept(stream, identity))
                .await
                .map_err(|_| Why::Handshake(format!("it was not over within {} seconds", patience.as_secs())))??,
            None => Either::Left(stream),
        };
        Ok(Self {
            line: Arc::new(Mutex::new(Line { stream, refusal: Vec::new() })),
            broken: Arc::default(),
            notes: Arc::default(),
            first: First::Unread,
            end: None,
            held_back: None,
            stuck: None,
            patience,
            leaving: None,
        })
    }

    /// Whether it is encrypted.
    pub(super) fn is_tls(&self) -> bool {
        matches!(lock(&self.line).stream, Either::Right(_))
    }

    /// What is left of it once it is dropped.
    pub(super) fn line(&self) -> Arc<Mutex<Line>> {
        self.line.clone()
    }

    /// Set, it has the connection break where it would end.
    pub(super) fn broken(&self) -> Arc<AtomicBool> {
        self.broken.clone()
    }

    /// What is noted of it.
    pub(super) fn notes(&self) -> Arc<Notes> {
        self.notes.clone()
    }

    /// The same, or an error where that has been pending for too long: its caller reads nothing, or too slowly.
    fn in_time<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.stuck = None;
            return done;
        }
        let patience = self.patience;
        if self.leaving.get_or_insert_with(Instant::now).elapsed() > LEAVE {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Writes `slices` with `write`, or keeps them back where they end with a refusal.
    fn send(
        &mut self,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
        write: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>, &[io::IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = {
            let Line { stream, refusal } = &mut *lock(&self.line);
            if self.notes.refuses(slices) {
                let before = refusal.len();
                for slice in slices {
                    refusal.extend_from_slice(slice);
                }
                Poll::Ready(Ok(refusal.len() - before))
            } else {
                // Nothing follows a refusal: it was an answer that looks like one.
                loop {
                    if refusal.is_empty() {
                        break write(Pin::new(stream), context, slices);
                    }
                    match Pin::new(&mut *stream).poll_write(context, refusal) {
                        Poll::Ready(Ok(count)) if count > 0 => drop(refusal.drain(..count)),
                        Poll::Ready(Ok(_)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        other => break other,
                    }
                }
            }
        };
        self.note(&written, slices);
        self.in_time(context, written)
    }

    /// Notes what was written of `slices`.
    fn note(&self, written: &Poll<io::Result<usize>>, slices: &[io::IoSlice<'_>]) {
        let Poll::Ready(Ok(mut left)) = *written else { return };
        for slice in slices {
            let part = &slice[..slice.len().min(left)];
            self.notes.went(part);
            left -= part.len();
        }
    }
}

/// The connection in TLS, once its handshake is over, or as it is where it does not begin with one.
async fn accept(stream: TcpStream, identity: &Identity) -> Result<Stream, Why> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [HANDSHAKE] => match identity.acceptor.accept(stream).await {
            Ok(stream) => Ok(Either::Right(Box::new(stream))),
            Err(error) => Err(Why::of_handshake(&error, &identity.certificate)),
        },
        _ => Ok(Either::Left(stream)),
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.broken.load(Ordering::Relaxed) {
            // Nothing that waits to leave is waited for. Where that cannot be had, the connection just ends.
            let line = lock(&self.line);
            let stream = match &line.stream {
                Either::Left(stream) => stream,
                Either::Right(stream) => stream.get_ref().0,
            };
            let _ = stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { line, notes, first, end, held_back, leaving, .. } = &mut *self;
        if let First::Unread = first {
            let mut room = [0; FIRST];
            let mut room = ReadBuf::new(&mut room);
            std::task::ready!(Pin::new(&mut lock(line).stream).poll_read(context, &mut room))?;
            notes.came(room.filled());
            *first = First::Read(Bytes::copy_from_slice(room.filled()));
        }
        if let First::Read(bytes) = first {
            let count = buffer.remaining().min(bytes.len());
            buffer.put_slice(&bytes.split_to(count));
            if bytes.is_empty() {
                *first = First::HandedOn;
            }
            return Poll::Ready(Ok(()));
        }
        if let Some(told) = end {
            while let Some(rest) = held_back {
                std::task::ready!(rest.as_mut().poll(context));
                match leaving {
                    Some(_) => rest.as_mut().reset(Instant::now() + MOMENT),
                    None => *held_back = None,
                }
            }
            return Poll::Ready(std::mem::replace(told, Ok(())));
        }
        let before = buffer.filled().len();
        let read = std::task::ready!(Pin::new(&mut lock(line).stream).poll_read(context, buffer));
        let came = &buffer.filled()[before..];
        if read.is_err() || (came.is_empty() && buffer.remaining() > 0) {
            *held_back = (read.is_ok() && notes.is_asked()).then(|| Box::pin(sleep(MOMENT)));
            *end = Some(read);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        notes.came(came);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.send(context, &[io::IoSlice::new(bytes)], |stream, context, _| stream.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut lock(&self.line).stream).poll_flush(context);
        if flushed.is_ready() {
            self.leaving = None;
        }
        self.in_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let shut = {
            let line = &mut *lock(&self.line);
            // The end comes behind that.
            if !line.refusal.is_empty() {
                return Poll::Ready(Ok(()));
            }
            Pin::new(&mut line.stream).poll_shutdown(context)
        };
        self.in_time(context, shut)
    }

    fn is_write_vectored(&self) -> bool {
        lock(&self.line).stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.send(context, slices, Stream::poll_write_vectored)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_too_slowly_is_left_however_it_moves() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut wire = Wire::open(listener.accept().await.unwrap().0, None, LEAVE).await.unwrap();
        let bytes = vec![0; 64 * 1024];
        let write = async |wire: &mut Wire| {
            std::future::poll_fn(|context| {
                loop {
                    match Pin::new(&mut *wire).poll_write(context, &bytes) {
                        Poll::Ready(Ok(_)) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Some(error.kind())),
                        Poll::Pending => return Poll::Ready(None),
                    }
                }
            })
            .await
        };
        assert_eq!(write(&mut wire).await, None);
        tokio::time::advance(LEAVE * 2 / 3).await;
        caller.read_exact(&mut vec![0; 1 << 20]).await.unwrap();
        assert_eq!(write(&mut wire).await, None);
        std::future::poll_fn(|context| Pin::new(&mut wire).poll_flush(context)).await.unwrap();
        assert_eq!(write(&mut wire).await, None, "another answer");
        tokio::time::advance(LEAVE * 2 / 3).await;
        caller.read_exact(&mut vec![0; 1 << 20]).await.unwrap();
        assert_eq!(write(&mut wire).await, None);
        tokio::time::advance(LEAVE / 2).await;
        assert_eq!(write(&mut wire).await, Some(io::ErrorKind::TimedOut));
    }

    #[tokio::test]
    async fn a_refusal_waits_until_it_is_let_go() {
        const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut caller = caller.into_std().unwrap();
        let mut wire = Wire::open(listener.accept().await.unwrap().0, None, LEAVE).await.unwrap();
        let has = |caller: &mut std::net::TcpStream| {
            let mut room = [0; 1024];
            io::Read::read(caller, &mut room).map(|count| room[..count].to_vec()).unwrap_or_default()
        };
        wire.write_all(REFUSAL).await.unwrap();
        assert_eq!(has(&mut caller), REFUSAL, "nothing has come that it could refuse");
        wire.notes().came(b"GET /a b HTTP/1.1\r\n\r\n");
        wire.write_all(REFUSAL).await.unwrap();
        assert_eq!(has(&mut caller), b"");
        wire.write_all(b"more").await.unwrap();
        assert_eq!(has(&mut caller), [REFUSAL, b"more"].concat(), "it was an answer's end");
        wire.write_all(REFUSAL).await.unwrap();
        wire.shutdown().await.unwrap();
        let line = wire.line();
        drop(wire);
        assert_eq!(has(&mut caller), b"");
        Line::end(line, LEAVE).await;
        assert_eq!(has(&mut caller), REFUSAL);
    }
}
