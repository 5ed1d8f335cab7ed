//! Calls that go on at other servers though nobody waits for them here: few at a time, whatever strangers do, since each takes
//! a connection, and its body memory that no caller may have to wait for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::call::HUNG_UP;
use crate::config::Target;
use crate::sync::lock;

/// How many whose callers have gone, and how many at each further target.
const MOST: usize = 64;

/// Bytes that the bodies of calls at all further targets may have together. A longer one has all of them.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The places there are for them.
pub(super) struct Alone {
    left: Semaphore,
    /// By the target's name.
    further: Mutex<HashMap<String, Arc<Semaphore>>>,
    bodies: Arc<Semaphore>,
}

impl Default for Alone {
    fn default() -> Self {
        Self { left: Semaphore::new(MOST), further: Mutex::default(), bodies: Arc::new(Semaphore::new(MOST_BYTES)) }
    }
}

/// What a call at a further target has for as long as it is there.
pub(super) struct Further {
    _place: OwnedSemaphorePermit,
    _body: OwnedSemaphorePermit,
}

impl Alone {
    /// Why a call does not go on whose caller has `gone`, once that is so: it has a place for as long as this is polled, or there
    /// is none.
    pub(super) async fn too_many(&self, gone: &CancellationToken) -> String {
        gone.cancelled().await;
        let Ok(_place) = self.left.try_acquire() else {
            return format!("{HUNG_UP}, and as {MOST} other calls go on without their callers, this one was ended");
        };
        std::future::pending().await
    }

    /// A place at a target that does not answer the caller, for a call with a body of `length` bytes.
    ///
    /// # Errors
    /// When it has so many calls, or they have such bodies, that it does not keep up: a sentence.
    pub(super) fn further(&self, target: &Target, length: usize) -> Result<Further, String> {
        let mut further = lock(&self.further);
        let places = further.entry(target.name.clone()).or_insert_with(|| Arc::new(Semaphore::new(MOST)));
        let at = target.place();
        let place = places.clone().try_acquire_owned().map_err(|_| {
            format!("not sent: {at} has not answered {MOST} calls that went before this one: it is too slow, or hangs")
        })?;
        let length = u32::try_from(length.min(MOST_BYTES)).unwrap_or(u32::MAX);
        let body = self.bodies.clone().try_acquire_many_owned(length).map_err(|_| {
            let most = MOST_BYTES >> 20;
            format!(
                "not sent: the bodies of calls that {at}, or another of the further targets, has not answered are {most} MiB \
                 already: it is too slow, or hangs"
            )
        })?;
        Ok(Further { _place: place, _body: body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_further_targets_do_not_answer_are_bounded_together() {
        let alone = Alone::default();
        let targets = ["a", "b"].map(|name| Target::new(name, format!("http://{name}:1")));
        let (first, second) = (alone.further(&targets[0], MOST_BYTES - 1), alone.further(&targets[1], 1));
        let Err(refused) = alone.further(&targets[1], 1) else { panic!("there was none left") };
        assert!(
            refused.starts_with("not sent: ") && refused.contains("b:1") && refused.contains("64 MiB"),
            "{refused}"
        );
        assert!(alone.further(&targets[1], 0).is_ok(), "what has no body takes none");
        drop((first, second));
        assert!(alone.further(&targets[0], usize::MAX).is_ok(), "a longer one has all");
    }
}
