//! A body as it comes in, piece by piece.

use bytes::{Bytes, BytesMut};

/// Pieces up to this many bytes are copied: else they would keep the whole buffer alive that they were read into, and another
/// would have to be found for the next call.
const COPIED: usize = 64 * 1024;

/// What came of a body so far. One that came in one large piece is kept as it is.
#[derive(Debug)]
pub(super) struct Collected {
    first: Bytes,
    rest: BytesMut,
    expected: usize,
}

impl Collected {
    /// Of a body that is to have `expected` bytes: room is made for them with the second piece.
    pub(super) fn expecting(expected: usize) -> Self {
        Self { first: Bytes::new(), rest: BytesMut::new(), expected }
    }

    /// How many bytes came.
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    /// Another piece.
    pub(super) fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = if data.len() <= COPIED { Bytes::copy_from_slice(&data) } else { data };
            return;
        }
        if self.rest.is_empty() {
            self.rest.reserve(self.expected);
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
    }

    /// All of it.
    pub(super) fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}
