//! When calls came: how long ago the last one, and how many a second.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Seconds over which calls a second are counted.
const SPAN: i64 = 10;

/// When received calls came, as far as that is needed.
#[derive(Debug, Default)]
pub struct Arrivals {
    last: Option<Timestamp>,
    /// Seconds since 1970 and the calls that came in each.
    seconds: VecDeque<(i64, u32)>,
}

impl Arrivals {
    /// A call came then, perhaps before others that were told already.
    pub fn came(&mut self, at: Timestamp) {
        let newest = self.last.map_or(at, |last| last.max(at));
        self.last = Some(newest);
        let second = at.as_second();
        if let Some((_, count)) = self.seconds.iter_mut().rev().find(|(known, _)| *known == second) {
            *count += 1;
            return;
        }
        self.seconds.push_back((second, 1));
        self.seconds.retain(|(known, _)| newest.as_second() - known < SPAN);
    }

    /// How many seconds ago the last call came.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        self.last.map(|last| (now.as_second() - last.as_second()).max(0))
    }

    /// Calls a second over the last ten seconds.
    #[must_use]
    pub fn rate(&self, now: Timestamp) -> f64 {
        let recent = |(second, count): &(i64, u32)| (now.as_second() - second < SPAN).then_some(*count);
        f64::from(self.seconds.iter().filter_map(recent).sum::<u32>()) / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_came_within_ten_seconds() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.age(at(5)), None);
        for second in [0, 1, 1, 9, 11, 11] {
            arrivals.came(at(second));
        }
        assert_eq!(arrivals.age(at(14)), Some(3));
        assert!((arrivals.rate(at(11)) - 0.3).abs() < 1e-9);
        assert!(arrivals.rate(at(30)).abs() < 1e-9);
        for second in [1, 10, 9, 10] {
            arrivals.came(at(second));
        }
        assert_eq!((arrivals.age(at(14)), arrivals.seconds.len()), (Some(3), 3), "others came first");
        assert!((arrivals.rate(at(11)) - 0.6).abs() < 1e-9);
    }
}
