//! What a connection carries while a request's head is awaited: if no request comes of it, this is all that is known.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::net::refused::{Refused, Why};

/// How much of it is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// What a head may take of memory while none is awaited, in bytes.
const SHORT: usize = 4 * 1024;

/// Notes of a connection, which its wire takes and its service rests.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Noted>);

/// What was noted since the last request was answered.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// A request is being answered: what comes is its body.
    resting: bool,
    /// A request has come at all.
    pub asked: bool,
    /// When the first byte came.
    since: Option<Instant>,
    /// What came.
    pub came: Vec<u8>,
    /// What went after that.
    pub went: Vec<u8>,
}

impl Noted {
    /// It is no request, for this reason.
    pub fn refused(self, peer: IpAddr, why: Why) -> Refused {
        Refused {
            peer,
            why,
            came: self.came.into(),
            answer: self.went.into(),
            took: self.since.map_or(Duration::ZERO, |since| since.elapsed()),
            more: 0,
        }
    }
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These bytes were read.
    pub fn came(&self, bytes: &[u8]) {
        let mut noted = self.lock();
        if noted.resting || bytes.is_empty() {
            return;
        }
        noted.since.get_or_insert_with(Instant::now);
        let room = KEPT - noted.came.len();
        noted.came.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// These bytes were written.
    pub fn went(&self, bytes: &[u8]) {
        let mut noted = self.lock();
        // Without anything before them they end the answer to a request.
        if !noted.resting && !noted.came.is_empty() {
            let room = KEPT - noted.went.len();
            noted.went.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// What came is a request.
    pub fn taken(&self) {
        let noted = &mut *self.lock();
        let mut came = std::mem::take(&mut noted.came);
        came.clear();
        // Heads are short: the memory for one serves the next.
        came.shrink_to(SHORT);
        *noted = Noted { resting: true, asked: true, came, ..Noted::default() };
    }

    /// It has its answer: what comes next is to be another.
    pub fn answered(&self) {
        self.lock().resting = false;
    }

    /// Whether a request has come.
    pub fn asked(&self) -> bool {
        self.lock().asked
    }

    /// What was noted last.
    pub fn end(&self) -> Noted {
        std::mem::take(&mut *self.lock())
    }
}
