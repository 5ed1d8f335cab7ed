//! Calls that go on at other servers though nobody waits for them here: few at a time, whatever strangers do, since each takes
//! a connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::lock;
use crate::call::HUNG_UP;
use crate::config::Target;

/// How many whose callers have gone, and how many at each further target.
const MOST: usize = 64;

/// The places there are for them.
pub(super) struct Alone {
    left: Semaphore,
    /// By the target's name.
    further: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Default for Alone {
    fn default() -> Self {
        Self { left: Semaphore::new(MOST), further: Mutex::default() }
    }
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

    /// A place at a target that does not answer the caller.
    ///
    /// # Errors
    /// When it has so many calls that it does not keep up: a sentence.
    pub(super) fn further(&self, target: &Target) -> Result<OwnedSemaphorePermit, String> {
        let mut further = lock(&self.further);
        let places = further.entry(target.name.clone()).or_insert_with(|| Arc::new(Semaphore::new(MOST)));
        places.clone().try_acquire_owned().map_err(|_| {
            let place = target.place();
            format!(
                "not sent: {place} has not answered {MOST} calls that went before this one: it is too slow, or hangs"
            )
        })
    }
}
