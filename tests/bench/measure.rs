//! Rounds that take turns, and what is made of them: medians, ranges, ratios.

use std::fmt;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// CPU seconds that this process has had, in user and kernel mode, all threads together.
pub fn cpu() -> f64 {
    cpu_of(UsageWho::RUSAGE_SELF)
}

fn cpu_of(who: UsageWho) -> f64 {
    let usage = getrusage(who).unwrap();
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// The values of one quantity, one a round.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// What was measured only once.
    pub fn one(value: f64) -> Self {
        Self(vec![value])
    }

    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub fn median(&self) -> f64 {
        self.sorted()[self.0.len() / 2]
    }

    /// Round by round, for what else the machine does changes between rounds.
    pub fn ratio(&self, to: &Self) -> Self {
        Self(self.0.iter().zip(&to.0).map(|(own, other)| own / other).collect())
    }

    /// The same in another unit.
    pub fn times(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|value| value * factor).collect())
    }
}

/// How long something takes, in ms.
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub wall: Sample,
    /// CPU time of this process and of those that it waited for.
    pub cpu: Sample,
}

impl Times {
    pub fn add<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let cpu = || cpu() + cpu_of(UsageWho::RUSAGE_CHILDREN);
        let (started, before) = (Instant::now(), cpu());
        let result = run();
        self.wall.push(started.elapsed().as_secs_f64() * 1e3);
        self.cpu.push((cpu() - before) * 1e3);
        result
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<26}{}", self.wall, self.cpu)
    }
}

/// `median (least - most)`
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median() < 100.0 { 2 } else { 0 };
        let sorted = self.sorted();
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        f.pad(&format!("{:.digits$} ({least:.digits$} - {most:.digits$})", self.median()))
    }
}

/// Runs each of `count` contestants once a round, beginning with another one each time.
pub fn take_turns(rounds: usize, count: usize, mut run: impl FnMut(usize)) {
    for round in 0..rounds {
        (0..count).for_each(|turn| run((round + turn) % count));
    }
}

/// Prints how the median of what was measured stands to its target.
pub fn judge(what: &str, measured: &Sample, target: f64, least: bool) {
    let met = if least { measured.median() >= target } else { measured.median() <= target };
    let (sign, verdict) = (if least { ">=" } else { "<=" }, if met { "met" } else { "missed" });
    println!("  {what:<44}{measured:<26}target {sign} {target}: {verdict}");
}
