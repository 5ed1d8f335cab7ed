//! Text line by line.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, TextDiff};

use super::{Difference, EXCERPT, Place, Side, excerpt};

/// How many bytes of what is alike are kept before a difference that stands further behind.
const BEFORE: usize = 64;

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
        let text = |lines: &[&str]| (!lines.is_empty()).then(|| lines.concat());
        let (left, right) = (text(&diff.old_slices()[old.clone()]), text(&diff.new_slices()[new.clone()]));
        let [left, right] = excerpts([left, right]);
        found.push(Difference { side, place: Place::Lines(old, new), left, right, rough });
    }
}

/// What is kept of the lines that stand left and right. Where both are alike for longer than that, it is what stands where they
/// differ. Of what is to be masked yet nothing may be left out: its beginning may say that it is to be.
pub(in crate::replay) fn excerpts(texts: [Option<String>; 2]) -> [Option<String>; 2] {
    let [Some(left), Some(right)] = &texts else { return texts.map(|text| text.as_deref().map(excerpt)) };
    let alike = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    let from = if alike < EXCERPT { 0 } else { left.floor_char_boundary(alike - BEFORE) };
    let more = if from > 0 { "…" } else { "" };
    [left, right].map(|text| Some(format!("{more}{}", excerpt(&text[from..]))))
}
