//! A request's body as it comes in: within its limit and its time, or as much of it as came.

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::task::coop::consume_budget;

use crate::net::collected::Collected;
use crate::net::room::{self, Room, Taken};
use crate::net::root;

/// How much of a body over the limit is read and thrown away, in multiples of the limit, so that the caller gets to
/// read its 413: a connection closed on unread bytes is reset, and the answer lost with it.
const DRAIN: usize = 10;

/// Bytes for which room is made because the caller says that they come.
const BELIEVED: usize = 1024 * 1024;

/// Why a body is not whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(
        "the body is longer than the limit of {0} bytes; its beginning is recorded (listen.max_body sets the limit)"
    )]
    TooLong(usize),
    #[error("the body did not come whole within {0:?}; what came is recorded (listen.body_timeout sets the time)")]
    TooSlow(Duration),
    #[error(
        "the body did not come whole within {0:?}, because those of other calls under way took all the room that there is ({size} \
         MiB); what came is recorded, and the caller should send it again",
        size = room::MOST >> 20
    )]
    NoRoom(Duration),
    #[error("the caller went away in the middle of the body: {0}")]
    Broken(String),
    #[error("hooktape was stopped before the body had come whole; what came is recorded")]
    Stopped,
    #[error("the body is not framed as HTTP has it: {0}; what came before is recorded")]
    Malformed(String),
}

impl Trouble {
    /// Why reading ended.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let root = root(error);
        // Hyper says so of chunks that are none.
        match root.downcast_ref().map(io::Error::kind) {
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Self::Malformed(root.to_string()),
            _ => Self::Broken(root.to_string()),
        }
    }

    /// What the caller is answered.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::TooLong(_) => 413,
            Self::TooSlow(_) => 408,
            Self::Broken(_) | Self::Malformed(_) => 400,
            Self::NoRoom(_) | Self::Stopped => 503,
        }
    }
}

/// What came of a body.
#[derive(Debug)]
pub(super) struct Read {
    /// The body, or as much of it as came.
    pub(super) body: Bytes,
    /// What it takes in memory as long as it is there.
    pub(super) taken: Taken,
    /// Why it is not all.
    pub(super) whole: Result<(), Trouble>,
}

/// Reads a body as there is room for it. With `over`, no more is waited for.
pub(super) async fn read<B>(
    mut body: B,
    limit: usize,
    patience: Duration,
    over: impl Future<Output = ()>,
    room: &Room,
) -> Read
where
    B: HttpBody<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let (mut kept, mut thrown_away) = (Collected::expecting(announced.min(limit).min(BELIEVED)), 0_usize);
    let (mut taken, mut no_room) = (Taken::default(), false);
    let reading = async {
        while let Some(frame) = body.frame().await {
            // Where each one is there at once, neither the clock nor another caller would have a turn.
            consume_budget().await;
            let Ok(data) = frame.map_err(|error| Trouble::of(&error))?.into_data() else {
                continue;
            };
            let more = data.len().min(limit - kept.len());
            no_room = true;
            room.make(&mut taken, kept.len() + more).await;
            no_room = false;
            if data.len() == more {
                kept.add(data);
                continue;
            }
            kept.add(data.slice(..more));
            thrown_away += data.len() - more;
            if thrown_away > limit.saturating_mul(DRAIN) {
                break;
            }
        }
        Ok(())
    };
    let outcome = tokio::select! {
        // Most bodies are there, and nothing else is looked at.
        biased;
        read = tokio::time::timeout(patience, reading) => read.unwrap_or(Err(Trouble::TooSlow(patience))),
        () = over => Err(Trouble::Stopped),
    };
    // It is too long whatever becomes of the rest.
    let whole = match outcome {
        _ if thrown_away > 0 => Err(Trouble::TooLong(limit)),
        Err(Trouble::TooSlow(patience)) if no_room => Err(Trouble::NoRoom(patience)),
        outcome => outcome,
    };
    Read { body: kept.into_bytes(), taken, whole }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::body::Body;
    use futures_util::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_that_also_when_its_rest_does_not_come() {
        let start = || stream::iter([Ok(Bytes::from_static(b"0123456789"))]);
        let silent = Body::from_stream(start().chain(stream::pending::<io::Result<Bytes>>()));
        let broken = Body::from_stream(start().chain(stream::iter([Err(io::Error::other("gone"))])));
        for body in [silent, broken] {
            let read = read(body, 4, Duration::ZERO, pending(), &Room::default()).await;
            assert_eq!((&read.body[..], read.whole.unwrap_err().status()), (&b"0123"[..], 413));
        }
        let silent = Body::from_stream(start().chain(stream::pending::<io::Result<Bytes>>()));
        let read = read(silent, 10, Duration::ZERO, pending(), &Room::default()).await;
        assert_eq!(read.whole.unwrap_err().status(), 408);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_finds_no_room_waits_for_it() {
        const SIZE: usize = 100_000;
        let room = Room::new(3 * SIZE / 2);
        let pieces = || [(); 2].map(|()| Ok::<_, io::Error>(Bytes::from(vec![b'a'; SIZE / 2])));
        let read = || read(Body::from_stream(stream::iter(pieces())), SIZE, Duration::from_mins(1), pending(), &room);
        let (first, beyond) = (read().await, read().await);
        let late = read().await;
        assert_eq!(late.whole.as_ref().unwrap_err().status(), 503);
        assert!(late.whole.unwrap_err().to_string().contains("within 60s, because those of other calls"));
        assert!(late.body.len() < SIZE && first.whole.is_ok() && beyond.whole.is_ok());
        drop((late.taken, beyond.taken));
        assert_eq!(read().await.body.len(), SIZE);
    }
}
