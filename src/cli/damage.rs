//! Lines of a recording that cannot be read: told and passed over.

use std::fmt::Display;
use std::io;

use crate::cli::print;
use crate::visible;

/// Most that are told one by one.
const MOST: u64 = 100;

/// The damaged lines that were met so far.
#[derive(Debug, Default)]
pub(super) struct Damaged(u64);

impl Damaged {
    /// Tells of one, unless very many were told.
    pub(super) fn tell(&mut self, damage: &dyn Display) {
        self.0 += 1;
        if self.0 <= MOST {
            print::note(&format!("hooktape: {damage}"));
        }
    }

    /// What was read; none where the line is damaged, which is told.
    pub(super) fn passed_over<T>(&mut self, read: io::Result<T>) -> io::Result<Option<T>> {
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.tell(&error);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Tells how many more there were. Whether there was none at all.
    pub(super) fn end(&self) -> bool {
        let more = self.0.saturating_sub(MOST);
        if more > 0 {
            print::note(&format!("hooktape: {} cannot be read", visible::count(more, "more line")));
        }
        self.0 == 0
    }
}
