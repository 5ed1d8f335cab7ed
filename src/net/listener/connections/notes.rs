//! What a connection carries while a request's head is awaited: if no request comes of it, this is all that is known. It may
//! come in one go with the request before it.

use std::io::IoSlice;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Version};

use super::chunks::{Chunks, Taken};
use crate::net::refused::{Refused, Why};
use crate::sync::lock;

/// How much of it is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// What a head may take of memory while none is awaited, in bytes.
const SHORT: usize = 4 * 1024;

/// How much is kept of what went, in bytes. Hyper's refusals are shorter, and the last that goes.
const REFUSAL: usize = 1024;

/// How they go on behind their first line.
const REFUSED: &[u8] = b"connection: close\r\ncontent-length: 0\r\n";

/// Notes of a connection, which its wire takes and its service rests.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Noted>);

/// What of a request's body is still to come.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// So many bytes.
    Length(u64),
    Chunks(Chunks),
    /// Only its answer tells how much.
    UntilAnswered,
}

impl Default for Rest {
    fn default() -> Self {
        Self::Length(0)
    }
}

impl Rest {
    /// How many of the bytes that came next belong to it.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Length(length) => {
                let taken = usize::try_from(*length).unwrap_or(usize::MAX).min(bytes.len());
                *length -= taken as u64;
                taken
            }
            Self::Chunks(chunks) => match chunks.take(bytes) {
                Taken::All => bytes.len(),
                Taken::Whole(taken) => {
                    *self = Self::Length(0);
                    taken
                }
                Taken::Broken => {
                    *self = Self::UntilAnswered;
                    bytes.len()
                }
            },
            Self::UntilAnswered => bytes.len(),
        }
    }
}

/// What was noted since the last request.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// The body of that.
    body: Rest,
    /// It is not answered yet.
    asked: bool,
    /// Not all that came could be kept.
    lost: bool,
    /// When the first byte came.
    since: Option<Instant>,
    /// What came.
    pub came: Vec<u8>,
    /// The end of what went after that.
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
    /// These bytes were read.
    pub fn came(&self, bytes: &[u8]) {
        let mut noted = lock(&self.0);
        let bytes = &bytes[noted.body.take(bytes)..];
        if bytes.is_empty() {
            return;
        }
        noted.since.get_or_insert_with(Instant::now);
        let room = KEPT - noted.came.len();
        noted.lost |= bytes.len() > room;
        noted.came.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// These bytes were written.
    pub fn went(&self, bytes: &[u8]) {
        let mut noted = lock(&self.0);
        // Without anything before them they end the answer to a request.
        if !noted.came.is_empty() {
            noted.went.extend_from_slice(&bytes[bytes.len().saturating_sub(REFUSAL)..]);
            let over = noted.went.len().saturating_sub(REFUSAL);
            noted.went.drain(..over);
        }
    }

    /// What came is a request, and this is its head as hyper has it. A `Content-Length` beside `Transfer-Encoding` is not in
    /// there: who reads the one finds another end of the body than who reads the other (RFC 9112, 6.3), so it is to be seen.
    /// `body` is how long its body is, where that is known before it has come; of `HTTP/1` it is chunked otherwise.
    pub fn taken(&self, version: Version, method: &Method, headers: &mut HeaderMap, body: Option<u64>) {
        let noted = &mut *lock(&self.0);
        if headers.contains_key(TRANSFER_ENCODING) && !headers.contains_key(CONTENT_LENGTH) {
            for length in lengths(&noted.came, method).filter_map(|length| HeaderValue::from_bytes(length).ok()) {
                headers.append(CONTENT_LENGTH, length);
            }
        }
        let mut came = std::mem::take(&mut noted.came);
        let mut rest = Rest::UntilAnswered;
        // Of the streams of HTTP/2, one comes while another is answered: nothing more is noted.
        let head = head(&came, method).filter(|_| !noted.lost && version != Version::HTTP_2);
        if let Some(head) = head {
            rest = body.map_or_else(|| Rest::Chunks(Chunks::new()), Rest::Length);
            let begun = rest.take(&came[head..]);
            came.drain(..head + begun);
        } else {
            came.clear();
        }
        // Heads are short: the memory for one serves the next.
        came.shrink_to(SHORT);
        let since = (!came.is_empty()).then(Instant::now);
        *noted = Noted { body: rest, asked: version != Version::HTTP_2, came, since, ..Noted::default() };
    }

    /// It has its answer: what comes next is to be another, unless it is known what is still to come of its body.
    pub fn answered(&self) {
        let mut noted = lock(&self.0);
        noted.asked = false;
        if matches!(noted.body, Rest::UntilAnswered) {
            noted.body = Rest::default();
        }
    }

    /// Whether what is about to be written ends with hyper's refusal of what has come.
    pub fn refuses(&self, slices: &[IoSlice<'_>]) -> bool {
        const END: &[u8] = b"\r\n\r\n";
        let Some(last) = slices.iter().rfind(|slice| !slice.is_empty()).filter(|last| last.ends_with(END)) else {
            return false;
        };
        let last = &last[last.len().saturating_sub(REFUSAL)..];
        let head = &last[refusal(last)..];
        // It is a head and nothing else.
        memchr::memmem::find(head, END).is_some_and(|end| end + END.len() == head.len()) && {
            let noted = lock(&self.0);
            !noted.asked && !noted.came.is_empty()
        }
    }

    /// Whether there is a request that waits for its answer.
    pub fn is_asked(&self) -> bool {
        lock(&self.0).asked
    }

    /// What was noted last. What went is hyper's refusal or nothing.
    pub fn end(&self) -> Noted {
        let mut noted = std::mem::take(&mut *lock(&self.0));
        noted.went.drain(..refusal(&noted.went));
        noted
    }
}

/// Where hyper's refusal begins in what went: the answer to the request before may have left before it, or alone. Our own
/// answers end with other fields.
fn refusal(went: &[u8]) -> usize {
    let fields = |begin: &usize| went[*begin..].splitn(2, |byte| *byte == b'\n').nth(1);
    let begins = memchr::memmem::rfind(went, b"HTTP/1.1 4");
    let is_hypers = |begin: &usize| fields(begin).is_some_and(|fields| fields.starts_with(REFUSED));
    begins.filter(is_hypers).unwrap_or(went.len())
}

/// How long the head of a request is that begins there, with the empty line that ends it.
fn head(came: &[u8], method: &Method) -> Option<usize> {
    let blank = came.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut lines =
        came[blank..].starts_with(method.as_str().as_bytes()).then(|| came[blank..].split(|byte| *byte == b'\n'))?;
    let mut end = blank;
    lines.find_map(|line| {
        end += line.len() + 1;
        // Behind the last line there is no end of one.
        (line.trim_ascii_end().is_empty() && end <= came.len()).then_some(end)
    })
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
    fn an_answer_is_not_taken_for_a_refusal() {
        let ours = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let hypers = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        for (before, after) in [(&ours[..], &hypers[..]), (b"", hypers), (ours, b""), (b"a body", b"")] {
            let went = [before, after].concat();
            assert_eq!(&went[refusal(&went)..], after, "{}", went.escape_ascii());
        }
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        let get = |came: &str| head(came.as_bytes(), &Method::GET);
        for whole in ["GET / HTTP/1.1\r\nA: b\r\n\r\n", "\r\n\nGET / HTTP/1.1\nA: b\n\n", "GET / HTTP/1.1\n\r\n"] {
            assert_eq!(get(&format!("{whole}GET /next")), Some(whole.len()), "{whole:?}");
            assert_eq!(get(whole), Some(whole.len()), "{whole:?}");
            assert_eq!(get(&whole[..whole.len() - 1]), None, "{whole:?}");
        }
        assert_eq!(get("POST / HTTP/1.1\r\n\r\n"), None);
    }

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
