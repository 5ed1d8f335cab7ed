//! Calls that were told, kept for a moment where they were made: until whoever was told has let go of them. What is freed
//! on another thread than the one that made it has the two wait for each other in the allocator, a dozen times a call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::Call;

/// How long a call lingers. By then an observer has most often taken it in.
const MOMENT: Duration = Duration::from_millis(10);

/// Bytes of lines of calls that linger at most.
const MOST: usize = 1024 * 1024;

/// The calls of one turn, the oldest first.
#[derive(Default)]
pub(super) struct Lingering {
    calls: VecDeque<(Instant, Arc<Call>, u32)>,
    bytes: usize,
}

impl Lingering {
    /// A call whose line has so many bytes; a long one does not linger.
    pub fn add(&mut self, call: Arc<Call>, len: u32) {
        if len as usize > MOST / 16 {
            return;
        }
        self.bytes += len as usize;
        self.calls.push_back((Instant::now(), call, len));
    }

    /// Lets go of those that have been there for a moment, or are too many.
    pub fn let_go(&mut self) {
        let now = Instant::now();
        while let Some((since, _, len)) = self.calls.front()
            && (self.bytes > MOST || now.duration_since(*since) >= MOMENT)
        {
            self.bytes -= *len as usize;
            self.calls.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::testing::call;

    #[test]
    fn calls_go_in_time_and_when_they_are_too_many() {
        let mut lingering = Lingering::default();
        let calls: Vec<_> = (0..4).map(|number| Arc::new(call(number))).collect();
        let held = || calls.iter().map(|call| Arc::strong_count(call) - 1).collect::<Vec<_>>();
        lingering.add(calls[0].clone(), 1);
        lingering.let_go();
        assert_eq!(held(), [1, 0, 0, 0]);
        lingering.calls[0].0 -= MOMENT;
        lingering.add(calls[1].clone(), 1);
        lingering.let_go();
        assert_eq!(held(), [0, 1, 0, 0]);
        let most = u32::try_from(MOST / 16).unwrap();
        (0..16).for_each(|_| lingering.add(calls[2].clone(), most));
        lingering.let_go();
        assert_eq!((held(), lingering.bytes), (vec![0, 0, 16, 0], MOST));
        lingering.add(calls[3].clone(), most);
        lingering.let_go();
        assert_eq!((held(), lingering.bytes), (vec![0, 0, 15, 1], MOST));
        lingering.add(calls[0].clone(), most + 1);
        assert_eq!(held(), [0, 0, 15, 1]);
    }
}
