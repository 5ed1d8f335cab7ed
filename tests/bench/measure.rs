//! Rounds that take turns, and what is made of them: medians, ranges, ratios.

use std::fmt;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// CPU time that this process has had, in user and kernel mode, all threads together.
pub fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap();
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// The values of one quantity, one a round.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    pub fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// Of the medians.
    pub fn ratio(&self, to: &Self) -> f64 {
        self.median() / to.median()
    }
}

/// `median (least - most)`
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median() < 100.0 { 2 } else { 0 };
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        f.pad(&format!("{:.digits$} ({least:.digits$} - {most:.digits$})", self.median()))
    }
}

/// Runs each of `count` contestants once a round, beginning with another one each time.
pub fn take_turns(rounds: usize, count: usize, mut run: impl FnMut(usize)) {
    for round in 0..rounds {
        (0..count).for_each(|turn| run((round + turn) % count));
    }
}

/// Prints how a measured ratio stands to its target.
pub fn judge(what: &str, ratio: f64, target: f64, least: bool) {
    let met = if least { ratio >= target } else { ratio <= target };
    let (sign, verdict) = (if least { ">=" } else { "<=" }, if met { "met" } else { "missed" });
    println!("  {what:<44} {ratio:>8.2}   target {sign} {target}: {verdict}");
}
