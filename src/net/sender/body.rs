//! A request's body on its way: at once, in pieces, or only its first half.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::net::fault::Fault;

/// How many pieces a slow body comes in at most.
const PIECES: usize = 20;

/// How long a connection stays after half a body.
const FLUSH: Duration = Duration::from_millis(20);

/// A body whose length is known, however it comes.
pub(super) struct Outbound {
    rest: Bytes,
    way: Way,
}

enum Way {
    Whole,
    Slow {
        /// None until the first of it is asked for: that there was no connection yet is not its slowness.
        pause: Option<Pin<Box<Sleep>>>,
        step: Duration,
        piece: usize,
    },
    /// `left` bytes never leave. The pause is for what left before to be written out.
    Cut {
        pause: Pin<Box<Sleep>>,
        left: usize,
        begun: Arc<AtomicBool>,
    },
}

impl Outbound {
    pub(super) fn new(body: Bytes, fault: Option<Fault>) -> Self {
        let way = match fault {
            Some(Fault::SlowBody(over)) => {
                let piece = body.len().div_ceil(PIECES).max(1);
                let pieces = u32::try_from(body.len().div_ceil(piece)).unwrap_or(u32::MAX);
                // A wait before each: with the last piece the time is over.
                let step = over / pieces.max(1);
                Way::Slow { pause: None, step, piece }
            }
            Some(Fault::CutBody) => {
                let pause = Box::pin(sleep_until(Instant::now()));
                Way::Cut { pause, left: body.len() - kept(body.len()), begun: Arc::default() }
            }
            _ => Way::Whole,
        };
        Self { rest: body, way }
    }

    /// Tells of a body that is cut whether any of it was taken: there may be no connection to cut. None: it is not cut.
    pub(super) fn begun(&self) -> Option<Arc<AtomicBool>> {
        match &self.way {
            Way::Cut { begun, .. } => Some(Arc::clone(begun)),
            Way::Whole | Way::Slow { .. } => None,
        }
    }
}

/// How much of a body of `len` bytes leaves when it is cut.
pub(super) fn kept(len: usize) -> usize {
    len / 2
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        let take = match &mut this.way {
            Way::Whole => this.rest.len(),
            Way::Slow { pause, step, piece } => {
                let pause = pause.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + *step)));
                std::task::ready!(pause.as_mut().poll(cx));
                let next = pause.deadline() + *step;
                pause.as_mut().reset(next);
                (*piece).min(this.rest.len())
            }
            Way::Cut { pause, left, begun } if this.rest.len() > *left => {
                begun.store(true, Relaxed);
                pause.as_mut().reset(Instant::now() + FLUSH);
                this.rest.len() - *left
            }
            Way::Cut { pause, .. } => {
                std::task::ready!(pause.as_mut().poll(cx));
                return Poll::Ready(Some(Err(io::Error::other("cut on purpose"))));
            }
        };
        Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(take)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_takes_its_time_from_when_it_is_asked_for() {
        let over = Duration::from_secs(1);
        let body = Outbound::new(Bytes::from_static(b"abcd"), Some(Fault::SlowBody(over)));
        tokio::time::advance(5 * over).await;
        let asked = Instant::now();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcd");
        // The timer goes by milliseconds.
        assert!(asked.elapsed() >= over && asked.elapsed() < over + Duration::from_millis(10), "{:?}", asked.elapsed());
    }
}
