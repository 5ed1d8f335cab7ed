//! Whose turn it is on a connection: ours while a call of it is being answered, and else its caller's, who is not waited for
//! without end.
//!
//! ```text
//!  caller's --a request comes--> ours --its answer, or a piece of it, is handed over--> caller's
//!      |  ^                                                                               |
//!      |  +--------------------------------- it takes the next piece ---------------------+
//!      +--too long--> the connection ends
//! ```
//!
//! That is for HTTP/2, whose caller could else keep a connection for ever with pings, or with a stream that takes nothing. Of
//! HTTP/1, hyper sees to it as soon as it knows that it is spoken.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::sync::lock;

/// So much of an answer is handed over at a time, in bytes: who takes that within the time is at it.
const PIECE: usize = 64 * 1024;

/// Whose turn it is on a connection.
#[derive(Debug)]
pub(super) struct Turn(Mutex<State>);

#[derive(Debug)]
struct State {
    /// A request has come, by this HTTP.
    asked: Option<http::Version>,
    /// What we are at.
    ours: usize,
    /// Since when it is the caller's turn, if we are at nothing.
    since: Instant,
}

impl Turn {
    /// That of a connection by which nothing has come.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { asked: None, ours: 0, since: Instant::now() })))
    }

    /// A request came: it is our turn until what is given back is dropped.
    pub(super) fn asked(self: &Arc<Self>, version: http::Version) -> Ours {
        lock(&self.0).asked = Some(version);
        self.ours()
    }

    /// Whether a request has come.
    pub(super) fn was_asked(&self) -> bool {
        lock(&self.0).asked.is_some()
    }

    fn ours(self: &Arc<Self>) -> Ours {
        lock(&self.0).ours += 1;
        Ours(self.clone())
    }

    /// Gives the caller its time anew.
    pub(super) fn renew(&self) {
        lock(&self.0).since = Instant::now();
    }

    /// Returns once it has been the caller's turn for so long.
    pub(super) async fn lapsed(&self, patience: Duration) {
        loop {
            let now = Instant::now();
            let end = match &*lock(&self.0) {
                State { asked: None | Some(http::Version::HTTP_2), ours: 0, since } => Some(*since + patience),
                State { asked: Some(http::Version::HTTP_2), .. } => Some(now + patience),
                State { .. } => None,
            };
            match end {
                Some(end) if end <= now => return,
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// Something that we are at on a connection, as long as it lives.
#[derive(Debug)]
pub(super) struct Ours(Arc<Turn>);

impl Drop for Ours {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.ours -= 1;
        state.since = Instant::now();
    }
}

/// The body of an answer, piece by piece: while one is awaited it is our turn, and while one waits to leave its caller's.
#[derive(Debug)]
pub(super) struct Leaving {
    body: Body,
    /// What is left of a frame.
    rest: Bytes,
    turn: Arc<Turn>,
    /// A frame is awaited.
    ours: Option<Ours>,
}

impl Leaving {
    /// The answer, whose body leaves so.
    pub(super) fn of(answer: http::Response<Body>, turn: &Arc<Turn>) -> http::Response<Body> {
        answer.map(|body| Body::new(Self { body, rest: Bytes::new(), turn: turn.clone(), ours: None }))
    }

    fn next(&mut self) -> Frame<Bytes> {
        Frame::data(self.rest.split_to(self.rest.len().min(PIECE)))
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if !this.rest.is_empty() {
            this.turn.renew();
            return Poll::Ready(Some(Ok(this.next())));
        }
        this.ours.get_or_insert_with(|| this.turn.ours());
        let frame = std::task::ready!(Pin::new(&mut this.body).poll_frame(context));
        this.ours = None;
        Poll::Ready(match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                this.rest = data;
                Some(Ok(this.next()))
            }
            Some(Ok(Err(other))) => Some(Ok(other)),
            Some(Err(error)) => Some(Err(error)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}
