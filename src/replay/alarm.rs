//! Wakes tasks when they are due, to a tenth of a millisecond: the runtime's own timer counts in whole ones.
//!
//! ```text
//!  tasks --(when, whom to tell)--> heap --> a thread that sleeps until the earliest is due
//! ```

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::sync::lock;

/// The thread that wakes. It ends with this.
#[derive(Debug)]
pub(super) struct Alarm(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    due: BinaryHeap<Reverse<Wake>>,
    over: bool,
}

#[derive(Debug)]
struct Wake {
    at: Instant,
    tell: oneshot::Sender<()>,
}

impl Alarm {
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        thread::Builder::new().name("alarm".to_owned()).spawn(move || own.run())?;
        Ok(Self(shared))
    }

    /// Returns at `at`, or at once if that is over.
    pub async fn at(&self, at: Instant) {
        let (tell, told) = oneshot::channel();
        self.0.wait(Wake { at, tell });
        // Fails when the thread has ended, which it does after us.
        let _ = told.await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock(&self.0.waiting).over = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn wait(&self, wake: Wake) {
        let mut waiting = lock(&self.waiting);
        let first = waiting.due.peek().is_none_or(|Reverse(next)| wake < *next);
        waiting.due.push(Reverse(wake));
        drop(waiting);
        // Else the thread wakes early enough by itself.
        if first {
            self.changed.notify_one();
        }
    }

    fn run(&self) {
        let mut waiting = lock(&self.waiting);
        while !waiting.over {
            let now = Instant::now();
            let mut due = Vec::new();
            while let Some(next) = waiting.due.peek_mut().filter(|next| next.0.at <= now) {
                due.push(std::collections::binary_heap::PeekMut::pop(next).0.tell);
            }
            if !due.is_empty() {
                drop(waiting);
                for tell in due {
                    // Fails for those who do not wait any more.
                    let _ = tell.send(());
                }
                waiting = lock(&self.waiting);
                continue;
            }
            let next = waiting.due.peek().map(|Reverse(next)| next.at.saturating_duration_since(now));
            waiting = match next {
                Some(time) => self.changed.wait_timeout(waiting, time).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl PartialEq for Wake {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Wake {}

impl PartialOrd for Wake {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wake {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn each_is_woken_when_it_is_due_whoever_asked_first() {
        let alarm = Alarm::start().unwrap();
        let now = Instant::now();
        let [past, soon, later] = [0, 3, 9].map(|millis| now + Duration::from_millis(millis));
        let order = Mutex::new(Vec::new());
        let woken = async |at| {
            alarm.at(at).await;
            assert!(Instant::now() >= at);
            order.lock().unwrap().push(at);
        };
        tokio::join!(woken(later), woken(soon), woken(past));
        // On a busy machine several are due by the time that anyone looks.
        order.lock().unwrap().sort();
        assert_eq!(*order.lock().unwrap(), [past, soon, later]);
    }

    #[tokio::test]
    async fn whoever_waits_no_more_keeps_nobody_from_being_woken() {
        let alarm = Alarm::start().unwrap();
        let at = Instant::now() + Duration::from_millis(5);
        // On a busy machine it may be due already.
        let _ = timeout(Duration::ZERO, alarm.at(at)).await;
        alarm.at(at).await;
        assert!(Instant::now() >= at);
    }
}
