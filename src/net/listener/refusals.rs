//! What comes of what is no request: it is told, though a flood of it only now and then, and recorded as far as it can be read.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use super::Lane;
use crate::call::{Call, Direction, Id, REFUSED};
use crate::net::refused::{Refused, Why};
use crate::net::responder::Told;
use crate::net::tls::Identity;
use crate::sync::lock;

/// How long after one was told the next of its sort is, with how many there were.
const PAUSE: Duration = Duration::from_secs(10);

/// How long it is waited for that one is recorded before it is answered: as long as the disk may take where others are kept
/// waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes what the connections refuse.
#[derive(Debug)]
pub(super) struct Refusals {
    lane: Arc<Lane>,
    /// The sorts of which one was told lately, and the last one since then.
    pauses: Mutex<HashMap<Discriminant<Why>, Option<Refused>>>,
}

impl Refusals {
    pub(super) fn new(lane: Arc<Lane>) -> Self {
        Self { lane, pauses: Mutex::default() }
    }

    /// What answers TLS handshakes.
    pub(super) fn tls(&self) -> Option<&Identity> {
        self.lane.tls.as_ref()
    }

    /// Records `refused` if its request line can be read, which is not waited for without end, and tells it. Whether it may be
    /// answered: not while nobody knows whether it is recorded.
    pub(super) async fn take(self: Arc<Self>, refused: Refused) -> bool {
        let known = match call(&refused) {
            // The recorder itself says when it fails.
            Some(call) => tokio::time::timeout(PATIENCE, self.lane.recorder.record(call)).await.is_ok(),
            None => true,
        };
        self.tell(refused);
        known
    }

    /// Tells that no connection can be accepted.
    pub(super) fn tell_deaf(&self, error: &std::io::Error) {
        self.lane.responders.tell(Told::Deaf(format!(
            "no connection can be accepted: {error}; callers wait until others have ended. Is the limit of open files too low \
             (ulimit -n)?"
        )));
    }

    fn tell(self: Arc<Self>, refused: Refused) {
        let sort = discriminant(&refused.why);
        {
            let mut pauses = self.pauses();
            if let Some(last) = pauses.get_mut(&sort) {
                let more = last.as_ref().map_or(0, |last| last.more) + 1;
                *last = Some(Refused { more, ..refused });
                return;
            }
            pauses.insert(sort, None);
        }
        self.lane.responders.tell(Told::Refused(Box::new(refused)));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                let Some(last) = self.go_on(sort) else { return };
                self.lane.responders.tell(Told::Refused(Box::new(last)));
            }
        });
    }

    /// Tells what a pause has kept back, where no more will come.
    pub(super) fn tell_rest(&self) {
        let rest = std::mem::take(&mut *self.pauses());
        for last in rest.into_values().flatten() {
            self.lane.responders.tell(Told::Refused(Box::new(last)));
        }
    }

    /// The last of a sort since one was told; none: the pause is over.
    fn go_on(&self, sort: Discriminant<Why>) -> Option<Refused> {
        let mut pauses = self.pauses();
        let last = pauses.get_mut(&sort)?.take();
        if last.is_none() {
            pauses.remove(&sort);
        }
        last
    }

    fn pauses(&self) -> MutexGuard<'_, HashMap<Discriminant<Why>, Option<Refused>>> {
        lock(&self.pauses)
    }
}

/// The call that it would have been.
fn call(refused: &Refused) -> Option<Call> {
    Some(Call {
        took: refused.took,
        error: Some(format!("{REFUSED}: its caller {}", refused.why)),
        response: refused.response(),
        ..Call::new(Id::fresh(), Direction::Received, Timestamp::now() - refused.took, refused.request()?)
    })
}

#[cfg(test)]
mod tests;
