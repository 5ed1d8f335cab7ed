//! A recording, read back.

use std::path::Path;

use hooktape::call::Call;
use hooktape::recording::{Position, Reader};

/// The calls of a recording in which no line is damaged.
pub fn calls_in(path: impl AsRef<Path>) -> Vec<Call> {
    let reader = Reader::open(path.as_ref()).unwrap();
    reader.entries(Position::default()).map(|entry| reader.call(entry.unwrap().place).unwrap()).collect()
}
