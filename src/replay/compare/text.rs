//! Text line by line.

use std::time::Instant;

use similar::{Algorithm, DiffOp, TextDiff};

use super::{Difference, Place, Side, excerpt};

/// There is time for texts of so many bytes, however little is left.
const SHORT: usize = 4096;

/// Adds the lines that differ. From `deadline` on a less exact answer will do.
pub(super) fn compare(side: Side, left: &str, right: &str, deadline: Instant, found: &mut Vec<Difference>) {
    let short = left.len().max(right.len()) <= SHORT;
    let mut configured = TextDiff::configure();
    if !short {
        configured.deadline(deadline);
    }
    let diff = configured.algorithm(Algorithm::Myers).diff_lines(left, right);
    let rough = !short && Instant::now() >= deadline;
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
