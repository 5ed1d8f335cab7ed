//! What is kept of the results of a replay: there may be more than memory should hold.

use super::{Replay, Sent};
use crate::replay::compare::Difference;

/// Most results kept for the list; of those beyond, only the ones that are not as expected, and as many again.
const MOST_RESULTS: usize = 10_000;
/// Most bytes of differences that are kept: those of the newest results.
pub(super) const MOST_BYTES: usize = 16 << 20;

impl Sent {
    /// Bytes that its differences take, about.
    fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let found = self.differences.iter().chain(&self.between);
        let found = found.chain(self.judged.iter().flat_map(|judged| judged.found()));
        found.map(|found| size_of::<Difference>() + text(&found.left) + text(&found.right)).sum()
    }

    fn forget(&mut self) {
        self.forgotten = !(self.differences.is_empty() && self.between.is_empty());
        (self.differences, self.between, self.judged) = (Vec::new(), Vec::new(), None);
    }
}

impl Replay {
    pub(super) fn keep(&mut self, sent: Sent) {
        if self.results.len() < if sent.is_fine() { MOST_RESULTS } else { 2 * MOST_RESULTS } {
            self.weight += sent.weight();
            self.results.push(sent);
        }
        self.trim();
    }

    /// Weighs all of them anew.
    pub(super) fn weigh(&mut self) {
        self.weight = self.results.iter().map(Sent::weight).sum();
        self.trim();
    }

    fn trim(&mut self) {
        // They can be worked out anew, call by call.
        while self.weight > MOST_BYTES && self.lean + 1 < self.results.len() {
            let old = &mut self.results[self.lean];
            self.weight -= old.weight();
            old.forget();
            self.lean += 1;
        }
    }
}
