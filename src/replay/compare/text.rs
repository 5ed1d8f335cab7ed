//! Text line by line.

use std::time::Duration;

use similar::{Algorithm, DiffOp, TextDiff};

use super::{Difference, Place, Side, excerpt};

/// After this time a less exact answer will do: two texts of many lines can take for ever.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) fn compare(side: Side, left: &str, right: &str, found: &mut Vec<Difference>) {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_lines(left, right);
    for op in diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        let (old, new) = (op.old_range(), op.new_range());
        let text = |lines: &[&str]| (!lines.is_empty()).then(|| excerpt(&lines.concat()));
        found.push(Difference {
            side,
            left: text(&diff.old_slices()[old.clone()]),
            right: text(&diff.new_slices()[new.clone()]),
            place: Place::Lines(old, new),
        });
    }
}
