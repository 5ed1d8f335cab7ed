//! A hand on a replay that runs: pause, go on, end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::alarm::Alarm;

/// A hand on a replay. Clones are of the same replay.
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    paused: Option<Instant>,
    /// How long it was paused before.
    shift: Duration,
    cancelled: bool,
}

impl Default for Control {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Control {
    /// Lets nothing leave until [`Self::resume`]. What is on its way comes to its end.
    pub fn pause(&self) {
        self.0.send_modify(|state| state.paused = state.paused.or_else(|| Some(Instant::now())));
    }

    /// Goes on: what was due meanwhile is due that much later.
    pub fn resume(&self) {
        self.0.send_modify(|state| {
            state.shift += state.paused.take().map_or(Duration::ZERO, |since| since.elapsed());
        });
    }

    /// How long it has been going on since `start`, pauses left out.
    pub(super) fn worked(&self, start: Instant) -> Duration {
        let State { paused, shift, .. } = *self.0.borrow();
        let rested = shift + paused.map_or(Duration::ZERO, |since| since.elapsed());
        start.elapsed().saturating_sub(rested)
    }

    /// Ends it: nothing leaves any more, and no answer is waited for.
    pub fn cancel(&self) {
        self.0.send_modify(|state| state.cancelled = true);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.borrow().cancelled
    }

    /// Returns when it is cancelled.
    pub async fn cancelled(&self) {
        // The sender lives as long as we do.
        let _ = self.0.subscribe().wait_for(|state| state.cancelled).await;
    }

    /// Waits until a step may leave that is due so long after `start`, not counting pauses. The moment it was due, or none
    /// when nothing may leave any more. Without an alarm it is as exact as the runtime's timer.
    pub(super) async fn turn(&self, start: Instant, due: Option<Duration>, alarm: Option<&Alarm>) -> Option<Instant> {
        loop {
            let state = *self.0.borrow();
            let at = due.map_or(start, |due| start + due + state.shift);
            if state.cancelled {
                return None;
            }
            if state.paused.is_none() && at <= Instant::now() {
                return Some(at);
            }
            let mut changes = self.0.subscribe();
            // Between reading and subscribing something may have happened.
            if *changes.borrow_and_update() != state {
                continue;
            }
            if state.paused.is_some() {
                let _ = changes.changed().await;
            } else {
                let at = async {
                    match alarm {
                        Some(alarm) => alarm.at(at.into_std()).await,
                        None => sleep_until(at).await,
                    }
                };
                tokio::select! {
                    () = at => {}
                    _ = changes.changed() => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_comes_when_it_is_due_and_later_by_a_pause() {
        let control = Control::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(control.turn(start, None, None).await, Some(start));
        assert_eq!(control.turn(start, Some(second), None).await, Some(start + second));
        assert_eq!(start.elapsed().as_secs(), 1);
        control.pause();
        let other = control.clone();
        let waiting = tokio::spawn(async move { other.turn(start, Some(2 * second), None).await });
        tokio::time::sleep(5 * second).await;
        assert!(!waiting.is_finished());
        assert_eq!(control.worked(start), second, "also while it is paused");
        control.resume();
        assert_eq!(waiting.await.unwrap(), Some(start + 7 * second));
        assert_eq!((start.elapsed().as_secs(), control.worked(start).as_secs()), (7, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_replay_waits_for_nothing() {
        let control = Control::default();
        let (other, start) = (control.clone(), Instant::now());
        let waiting = tokio::spawn(async move { other.turn(start, Some(Duration::from_secs(9)), None).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        control.cancel();
        assert_eq!(waiting.await.unwrap(), None);
        control.cancelled().await;
        control.pause();
        assert_eq!(control.turn(start, None, None).await, None);
        assert!(control.is_cancelled());
    }
}
