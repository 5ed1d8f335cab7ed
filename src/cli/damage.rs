//! Lines of a recording that cannot be read: told and passed over.

use std::fmt::Display;
use std::io;

use crate::cli::print;
use crate::recording::{Damage, Entry, LineError};

/// The damaged lines that were met so far.
#[derive(Debug, Default)]
pub(super) struct Damaged(u64);

impl Damaged {
    /// Tells of one, unless very many were told.
    pub(super) fn tell(&mut self, damage: &dyn Display) {
        if Damage::is_told(self.0) {
            print::note(&format!("hooktape: {damage}"));
        }
        self.0 += 1;
    }

    /// The entry of a line; none where that is damaged, which is told.
    pub(super) fn entry(&mut self, read: Result<Entry, LineError>) -> Option<Entry> {
        read.map_err(|damage| self.tell(&damage)).ok()
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
        if let Some(more) = Damage::beyond(self.0) {
            print::note(&format!("hooktape: {more}"));
        }
        self.0 == 0
    }
}
