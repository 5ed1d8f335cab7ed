//! What a connection carries while a request's head is awaited: if no request comes of it, this is all that is known.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};

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

    /// What came is a request, and this is its head as hyper has it. A `Content-Length` beside `Transfer-Encoding` is not in
    /// there: who reads the one finds another end of the body than who reads the other (RFC 9112, 6.3), so it is to be seen.
    pub fn taken(&self, method: &Method, headers: &mut HeaderMap) {
        let noted = &mut *self.lock();
        if headers.contains_key(TRANSFER_ENCODING) && !headers.contains_key(CONTENT_LENGTH) {
            for length in lengths(&noted.came, method).filter_map(|length| HeaderValue::from_bytes(length).ok()) {
                headers.append(CONTENT_LENGTH, length);
            }
        }
        let mut came = std::mem::take(&mut noted.came);
        came.clear();
        // Heads are short: the memory for one serves the next.
        came.shrink_to(SHORT);
        *noted = Noted { resting: true, came, ..Noted::default() };
    }

    /// It has its answer: what comes next is to be another.
    pub fn answered(&self) {
        self.lock().resting = false;
    }

    /// What was noted last.
    pub fn end(&self) -> Noted {
        std::mem::take(&mut *self.lock())
    }
}

/// The values of `Content-Length` in a head of HTTP/1.1, if that is what came.
fn lengths<'a>(came: &'a [u8], method: &Method) -> impl Iterator<Item = &'a [u8]> {
    let lines = came.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut lines = lines.skip_while(|line| line.is_empty());
    let begins = lines.next().is_some_and(|line| line.starts_with(method.as_str().as_bytes()));
    let fields = lines.take_while(move |line| begins && !line.is_empty());
    fields.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str().as_bytes()).then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_found_in_a_head_alone() {
        let found = |came: &'static str| -> Vec<&[u8]> { lengths(came.as_bytes(), &Method::POST).collect() };
        let head = "\r\nPOST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\nA: Content-Length: 6\r\nContent-Length:7\r\n\r\n";
        assert_eq!(found(head), [b"5", b"7"]);
        for other in ["", "POST / HTTP/1.1\r\n\r\nContent-Length: 5\r\n", "rest\nContent-Length: 5\r\n\r\n"] {
            assert_eq!(found(other), [b""; 0], "{other}");
        }
    }
}
