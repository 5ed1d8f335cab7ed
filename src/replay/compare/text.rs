//! Text line by line.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, TextDiff};

use super::{Difference, Place, Side, excerpt};

/// There is time for texts of so many bytes, however little is left.
const SHORT: usize = 4096;

/// The texts matched line by line, and whether `patience` was too short for the best match.
#[must_use]
pub fn matched<'a>(left: &'a str, right: &'a str, patience: Duration) -> (TextDiff<'a, 'a, 'a, str>, bool) {
    matched_until(left, right, Instant::now() + patience)
}

fn matched_until<'a>(left: &'a str, right: &'a str, deadline: Instant) -> (TextDiff<'a, 'a, 'a, str>, bool) {
    let short = left.len().max(right.len()) <= SHORT;
    let mut configured = TextDiff::configure();
    if !short {
        configured.deadline(deadline);
    }
    let diff = configured.algorithm(Algorithm::Myers).diff_lines(left, right);
    (diff, !short && Instant::now() >= deadline)
}

/// Adds the lines that differ. From `deadline` on a less exact answer will do.
pub(super) fn compare(side: Side, left: &str, right: &str, deadline: Instant, found: &mut Vec<Difference>) {
    let (diff, rough) = matched_until(left, right, deadline);
    for op in diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        let (old, new) = (op.old_range(), op.new_range());
        let text = |lines: &[&str]| (!lines.is_empty()).then(|| excerpt(&lines.concat()));
        found.push(Difference {
            side,
            left: text(&diff.old_slices()[old.clone()]),
            right: text(&diff.new_slices()[new.clone()]),
            place: Place::Lines(old, new),
            rough,
        });
    }
}
