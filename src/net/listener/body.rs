//! A request's body as it comes in: within its limit and its time, or as much of it as came.

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;

use crate::net::collected::Collected;
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
            Self::Stopped => 503,
        }
    }
}

/// The body, or as much of it as came, and why that is not all. With `over`, no more is waited for.
pub(super) async fn read<B>(
    mut body: B,
    limit: usize,
    patience: Duration,
    over: impl Future<Output = ()>,
) -> (Bytes, Result<(), Trouble>)
where
    B: HttpBody<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let (mut kept, mut thrown_away) = (Collected::expecting(announced.min(limit).min(BELIEVED)), 0_usize);
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| Trouble::of(&error))?.into_data() else {
                continue;
            };
            let room = limit - kept.len();
            if data.len() <= room {
                kept.add(data);
                continue;
            }
            kept.add(data.slice(..room));
            thrown_away += data.len() - room;
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
    let outcome = if thrown_away > 0 { Err(Trouble::TooLong(limit)) } else { outcome };
    (kept.into_bytes(), outcome)
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
            let (kept, outcome) = read(body, 4, Duration::ZERO, pending()).await;
            assert_eq!((&kept[..], outcome.unwrap_err().status()), (&b"0123"[..], 413));
        }
        let silent = Body::from_stream(start().chain(stream::pending::<io::Result<Bytes>>()));
        assert_eq!(read(silent, 10, Duration::ZERO, pending()).await.1.unwrap_err().status(), 408);
    }
}
