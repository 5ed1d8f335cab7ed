//! Lines that cannot be read: a file may have as many as it has bytes, and nobody reads what is wrong with each.

use super::Position;
use crate::visible;

/// Most lines of which it is kept, or told, what is wrong with them.
const MOST: usize = 100;

/// A line that could not be read; the lines behind it are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} (byte {offset}): {message}")]
pub struct LineError {
    /// From 1, counted from where reading began.
    pub line: u64,
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// What is wrong, as a sentence without the place.
    pub message: String,
}

impl LineError {
    pub(super) fn new(at: Position, message: String) -> Self {
        Self { line: at.line, offset: at.offset, message }
    }
}

/// Lines that could not be read: what is wrong with the first of them, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    first: Vec<LineError>,
    count: u64,
}

impl Damage {
    /// Adds a line. Whether what is wrong with it is kept: it is one of the first.
    pub fn push(&mut self, error: LineError) -> bool {
        let kept = self.first.len() < MOST;
        self.count += 1;
        if kept {
            self.first.push(error);
        }
        kept
    }

    /// Adds those of what was read behind these.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = MOST - self.first.len();
        self.first.extend(other.first.into_iter().take(room));
    }

    /// What is wrong with the first of them.
    #[must_use]
    pub fn first(&self) -> &[LineError] {
        &self.first
    }

    /// How many lines there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many there are besides the first, as a sentence; none if these are all.
    #[must_use]
    pub fn more(&self) -> Option<String> {
        Self::beyond(self.count)
    }

    /// Whether what is wrong with a line is to be told that comes behind so many others.
    #[must_use]
    pub fn is_told(others: u64) -> bool {
        others < MOST as u64
    }

    /// How many of so many lines are not told, as a sentence; none if all are.
    #[must_use]
    pub fn beyond(count: u64) -> Option<String> {
        let more = count.saturating_sub(MOST as u64);
        (more > 0).then(|| format!("{} cannot be read", visible::count(more, "more line")))
    }

    /// These lines where the first one read is line `first` of the file, not its first.
    pub(super) fn counted_from(mut self, first: u64) -> Self {
        for error in &mut self.first {
            error.line += first - 1;
        }
        self
    }
}
