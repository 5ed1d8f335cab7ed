//! What is ignored while a replay is looked at counts no more in its results.

use super::{MOST_NAMED, Replay, Sent};
use crate::app::App;
use crate::replay::Summary;
use crate::replay::compare::{Difference, Rules};
use crate::replay::expect::{Unmet, summary};

/// What a result was found to be by the rules that it was replayed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    differences: Vec<Difference>,
    between: Vec<Difference>,
    unmet: Vec<Unmet>,
    failed: bool,
}

impl Judged {
    pub(super) fn found(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().chain(&self.between)
    }
}

impl Sent {
    /// Judges it by what counts now. Of what is no longer kept, or not all of it, nobody knows more than before.
    pub(super) fn heed(&mut self, rules: &Rules) {
        if let Some(judged) = self.judged.take() {
            let Judged { differences, between, unmet, failed } = *judged;
            (self.differences, self.between, self.unmet, self.failed) = (differences, between, unmet, failed);
        }
        let counts = |found: &Difference| !rules.ignores(&found.place);
        if self.differences.iter().chain(&self.between).all(counts) {
            return;
        }
        let (differences, between, unmet) = (self.differences.clone(), self.between.clone(), self.unmet.clone());
        self.judged = Some(Box::new(Judged { differences, between, unmet, failed: self.failed }));
        for (found, demand) in [(&mut self.differences, "recorded"), (&mut self.between, "the same answer")] {
            let all = found.len();
            if all == MOST_NAMED {
                continue;
            }
            found.retain(counts);
            let said = summary(found);
            self.unmet.retain_mut(|unmet| {
                if unmet.expected != demand || unmet.against || found.len() == all {
                    return true;
                }
                if let Some(said) = &said {
                    unmet.found.clone_from(said);
                }
                said.is_some()
            });
        }
        self.failed &= !self.unmet.is_empty();
    }
}

impl Replay {
    /// Counts in the end what counts by now.
    pub(super) fn heed(&self, summary: &mut Summary) {
        let ignored = self.failed.saturating_sub(self.meter.failed).min(summary.failed);
        summary.failed -= ignored;
        summary.fine += ignored;
    }
}

impl App {
    /// Judges the results of the replay by what counts now.
    pub(in crate::app) fn heed_rules(&mut self) {
        let Some(replay) = &mut self.replay else { return };
        let failed = |results: &[Sent]| results.iter().filter(|sent| sent.is_failure()).count() as u64;
        let before = failed(&replay.results);
        replay.results.iter_mut().for_each(|sent| sent.heed(&self.rules));
        // What each was found to be before is kept beside it.
        replay.weigh();
        // Those beyond what is kept failed as they did.
        replay.meter.failed = replay.meter.failed + failed(&replay.results) - before;
    }
}
