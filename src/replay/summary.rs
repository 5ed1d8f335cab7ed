//! What became of many calls, in a few numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use crate::call::micros;
use crate::visible::count;

/// How long things took: percentiles exact to three digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latencies {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer, in microseconds.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// All.
    pub max_us: u64,
}

/// What takes longer than this many microseconds counts as this.
const DAY: u64 = 86_400_000_000;

/// Times, gathered.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

impl Times {
    /// Of up to a day; three digits count.
    ///
    /// # Errors
    /// Never: the bounds are good ones.
    pub fn new() -> Result<Self, String> {
        Histogram::new_with_bounds(1, DAY, 3).map(Self).map_err(|error| error.to_string())
    }

    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.saturating_record(micros(time));
    }

    /// What they come to.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        let at = |quantile| self.0.value_at_quantile(quantile);
        Latencies { count: self.0.len(), p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), max_us: self.0.max() }
    }
}

/// What came of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// How many answers had which status; 0 stands for no answer.
    pub statuses: BTreeMap<u16, u64>,
    /// How long they took.
    pub took: Latencies,
}

/// `3 of 12 answered`, where not all were: what is said of times is of those. `statuses`: as [`Answers`] has them.
#[must_use]
pub fn answered(statuses: &BTreeMap<u16, u64>) -> Option<String> {
    let (none, all) = (statuses.get(&0)?, statuses.values().sum::<u64>());
    Some(format!("{} of {all} answered", all - none))
}

/// What became of a replay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Calls that were to be sent.
    pub total: u64,
    /// Those of them that were not, because it ended before.
    pub left: u64,
    /// Calls whose answer was as expected; with a second target both answers were, and were the same.
    pub fine: u64,
    /// The others.
    pub failed: u64,
    /// Calls that cannot have the fault that was asked for, and were not sent.
    pub skipped: u64,
    /// Calls that were sent, and whose answer was not waited for: it was ended before.
    pub unfinished: u64,
    /// How many answers had which status; 0 stands for no answer. Of two targets it is the first one's.
    pub statuses: BTreeMap<u16, u64>,
    /// How long those answers took.
    pub took: Latencies,
    /// The answers of the second target, if there is one.
    pub against: Option<Answers>,
    /// How much later than due the calls left, where they were due at some time.
    pub late: Option<Latencies>,
    /// Calls sent a second, pauses left out.
    pub rate: f64,
    /// How long all of it took, pauses left out; seconds, where it is JSON.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Lines of the recording that could not be read: what stood there was not sent.
    pub unread: u64,
    /// It was ended before its end.
    pub cancelled: bool,
    /// What it failed at before its end, as a sentence.
    pub error: Option<String>,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Summary {
    /// Whether it went well: all was sent that could be, something at all, and each answer was as expected.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.fine > 0 && self.failed == 0 && !self.cancelled && self.error.is_none() && self.unread == 0
    }

    /// `3 fine, 1 failed`, and what else there was.
    #[must_use]
    pub fn counts(&self) -> String {
        let more = [(self.skipped, "skipped"), (self.unfinished, "not finished")];
        let more = more.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {number} {what}"));
        format!("{} fine, {} failed{}", self.fine, self.failed, more.collect::<String>())
    }

    /// Why this says less than was asked for, if it does: it ended before its end, or nothing was sent.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        if let Some(error) = self.error.as_ref().filter(|_| self.left == 0) {
            Some(error.clone())
        } else if let Some(error) = &self.error {
            // Of a call that could not be recorded, nobody knows but its endpoint.
            Some(format!("{} of {} not sent, or not recorded: {error}", self.left, count(self.total, "call")))
        } else if self.cancelled && self.left == 0 {
            Some("ended before its end".to_owned())
        } else if self.cancelled {
            Some(format!("ended before its end: {} of {} not sent", self.left, count(self.total, "call")))
        } else if self.fine + self.failed + self.unfinished == 0 {
            // Not a success: a slip in a flag would else pass for a replay that went well.
            Some("nothing was sent: none of these calls can be sent so".to_owned())
        } else if self.left > 0 {
            Some(format!("ended at the first failure: {} not sent", count(self.left, "call")))
        } else if self.unread > 0 {
            Some(format!(
                "{} of the recording cannot be read: what stood there was not sent",
                count(self.unread, "line")
            ))
        } else {
            None
        }
    }
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Calls there are to send.
    pub total: u64,
    /// Those that were sent, or skipped.
    pub done: u64,
    /// Those of them that were skipped.
    pub skipped: u64,
    /// Those of them whose answer was not as expected.
    pub failed: u64,
    /// How many shall leave a second, where that is set.
    pub set: Option<f64>,
}

impl Meter {
    /// Calls a second, `elapsed` after the beginning.
    #[must_use]
    pub fn rate(&self, elapsed: Duration) -> f64 {
        self.bounded(rate(self.done - self.skipped, elapsed))
    }

    /// How long the rest will take if it goes on so; none before anything is known.
    #[must_use]
    pub fn left(&self, elapsed: Duration) -> Option<Duration> {
        let rate = self.bounded(rate(self.done, elapsed));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rest = self.total.saturating_sub(self.done) as f64;
        (rate > 0.0).then(|| Duration::try_from_secs_f64(rest / rate).ok()).flatten()
    }

    /// The set rate where one above it was found: the first call leaves at once, and of few it is a large part.
    fn bounded(&self, found: f64) -> f64 {
        self.set.map_or(found, |set| found.min(set))
    }
}

/// So many in that time, a second.
pub(super) fn rate(count: u64, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate of three digits")]
    let count = count as f64;
    if elapsed.is_zero() { 0.0 } else { count / elapsed.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_added() {
        let mut times = Times::new().unwrap();
        assert_eq!(times.latencies(), Latencies::default());
        (1..=100).for_each(|millis| times.add(Duration::from_millis(millis)));
        times.add(Duration::MAX);
        let found = times.latencies();
        assert_eq!(found.count, 101);
        let near = |us: u64, millis: u64| us.abs_diff(millis * 1000) <= millis * 2;
        assert!(near(found.p50_us, 51) && near(found.p90_us, 91) && near(found.p99_us, 100), "{found:?}");
        assert!(found.max_us >= DAY);
    }

    #[test]
    fn what_sent_nothing_or_not_all_is_no_success() {
        let fine = Summary { total: 3, fine: 2, skipped: 1, ..Summary::default() };
        assert_eq!((fine.is_fine(), fine.shortfall()), (true, None));
        let told = |summary: Summary| {
            assert!(!summary.is_fine());
            summary.shortfall().unwrap()
        };
        assert!(told(Summary { fine: 0, skipped: 3, ..fine.clone() }).starts_with("nothing was sent"));
        assert!(told(Summary { failed: 1, left: 2, ..fine.clone() }).ends_with("first failure: 2 calls not sent"));
        assert!(told(Summary { fine: 0, skipped: 3, left: 2, ..fine.clone() }).starts_with("nothing was sent"));
        assert!(told(Summary { unread: 1, ..fine.clone() }).starts_with("1 line of the recording cannot be read"));
        let ended = Summary { cancelled: true, total: 9, left: 4, unfinished: 2, ..fine };
        assert_eq!(ended.counts(), "2 fine, 0 failed, 1 skipped, 2 not finished");
        assert_eq!(told(Summary { left: 0, ..ended.clone() }), "ended before its end");
        assert!(told(ended.clone()).ends_with("end: 4 of 9 calls not sent"));
        let failed = Summary { error: Some("no space left".to_owned()), cancelled: false, ..ended };
        assert_eq!(told(failed), "4 of 9 calls not sent, or not recorded: no space left");
    }

    #[test]
    fn what_is_left_is_told_by_the_rate() {
        let meter = Meter { total: 100, done: 25, failed: 1, ..Meter::default() };
        let second = Duration::from_secs(1);
        assert_eq!(meter.left(second), Some(3 * second));
        assert!((meter.rate(5 * second) - 5.0).abs() < 1e-9);
        let skipping = Meter { skipped: 20, ..meter };
        assert_eq!(skipping.left(second), meter.left(second), "what is skipped is done, too");
        assert!((skipping.rate(second) - 5.0).abs() < 1e-9, "but not sent");
        assert_eq!(Meter { done: 0, ..meter }.left(second), None);
        assert_eq!(meter.left(Duration::ZERO), None);
        assert_eq!(Meter { done: 100, ..meter }.left(second), Some(Duration::ZERO));
        let paced = Meter { set: Some(5.0), ..meter };
        assert_eq!(paced.left(second), Some(15 * second), "no faster than it is set");
        assert_eq!(paced.left(25 * second), Some(75 * second), "but slower, where the target is");
        assert!((paced.rate(second) - 5.0).abs() < 1e-9);
    }
}
