//! A line on the terminal that tells how far a replay is. In a pipe there is none.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::replay::Meter;

/// How often it is drawn anew.
const EVERY: Duration = Duration::from_millis(100);

/// Columns of the bar.
const BAR: u64 = 20;

/// The line.
pub(super) struct Progress {
    meter: Meter,
    began: Instant,
    /// None: standard error is no terminal.
    drawn: Option<Drawn>,
}

struct Drawn {
    last: Option<Instant>,
    visible: bool,
}

impl Progress {
    pub fn new(meter: Meter) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let drawn = terminal.then_some(Drawn { last: None, visible: false });
        Self { meter, began: Instant::now(), drawn }
    }

    /// One more is done.
    pub fn step(&mut self, fine: bool, skipped: bool) {
        self.meter.done += 1;
        self.meter.skipped += u64::from(skipped);
        self.meter.failed += u64::from(!fine);
        let Some(drawn) = &mut self.drawn else { return };
        if drawn.last.is_none_or(|last| last.elapsed() >= EVERY) {
            *drawn = Drawn { last: Some(Instant::now()), visible: true };
            // That nobody sees it is no reason to stop.
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", line(self.meter, self.began.elapsed()));
        }
    }

    /// Takes the line away, for something else to be printed.
    pub fn clear(&mut self) {
        if let Some(drawn) = self.drawn.as_mut().filter(|drawn| drawn.visible) {
            *drawn = Drawn { last: None, visible: false };
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(meter: Meter, elapsed: Duration) -> String {
    let full = (meter.done * BAR).checked_div(meter.total).unwrap_or(BAR).min(BAR);
    let bar: String = (0..BAR).map(|column| if column < full { '█' } else { '░' }).collect();
    let left = meter.left(elapsed).map_or_else(|| "?".to_owned(), |left| format!("{} s", left.as_secs()));
    let Meter { total, done, failed, .. } = meter;
    format!("{bar} {done}/{total}, {failed} failed, {:.0} a second, {left} left", meter.rate(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_how_fast_and_how_long() {
        let meter = Meter { total: 100, done: 25, failed: 2, ..Meter::default() };
        let told = line(meter, Duration::from_secs(5));
        assert_eq!(told, "█████░░░░░░░░░░░░░░░ 25/100, 2 failed, 5 a second, 15 s left");
        assert!(line(Meter { total: 0, ..meter }, Duration::ZERO).ends_with("? left"));
    }
}
