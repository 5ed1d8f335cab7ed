//! Bodies that came compressed (`Content-Encoding`, RFC 9110, 8.4), unpacked to be read. What is kept, signed and sent again
//! are always the bytes that crossed the wire.
//!
//! Who calls decides what it unpacks to: so no more is unpacked than `MOST`, and not much more than came.

use std::borrow::Cow;
use std::io::Read as _;

use bytes::Bytes;
use miniz_oxide::inflate::{self, DecompressError, TINFLStatus};

use super::{Call, Headers, Request, Response};

/// Bytes that a body may have, unpacked.
const MOST: usize = 4 << 20;

/// How many times what came it may have; JSON gets nowhere near.
const RATIO: usize = 50;

/// So many it may have in any case.
const LEAST: usize = 64 << 10;

/// Codings that may have been put one on the other.
const MOST_CODINGS: usize = 3;

/// The largest window of Zstandard in HTTP, as a power of two (RFC 9659).
const WINDOW: u32 = 23;

/// The header that says how a body is packed.
pub const CONTENT_ENCODING: &str = "content-encoding";

/// A body that came compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// How, as its header says: `gzip`.
    pub coding: String,
    /// What it is, or why that cannot be told.
    pub content: Result<Bytes, String>,
}

impl Packed {
    /// What a message with these headers packed; none if it did not. A body that is text is taken for what it says: archives
    /// have bodies unpacked beside the headers that they came with, and what is masked is no longer packed.
    #[must_use]
    pub fn of(headers: &Headers, body: &Bytes) -> Option<Self> {
        let coding = &*coding_of(headers).filter(|coding| is_packed(coding, body))?;
        let names = || codings(coding);
        let limit = limit(body);
        // The last one was put on last.
        let content = match names().count() {
            0..=MOST_CODINGS => names().rev().try_fold(body.clone(), |body, name| undo(name, &body, limit)),
            count => Err(format!("{count} codings are put one on the other")),
        };
        Some(Self { coding: coding.trim().to_owned(), content })
    }

    /// Why what a message with these headers packed cannot be read, if it cannot: `br, not unpacked: ...`.
    #[must_use]
    pub fn why_not(headers: &Headers, body: &Bytes) -> Option<String> {
        let Self { coding, content } = Self::of(headers, body)?;
        content.err().map(|why| Self::unread(&coding, &why))
    }

    /// What is said of one that cannot be unpacked.
    #[must_use]
    pub fn unread(coding: &str, why: &str) -> String {
        format!("{coding}, not unpacked: {why}")
    }

    /// Bytes that a body may have to be read, without unpacking it.
    #[must_use]
    pub fn at_most(headers: &Headers, body: &Bytes) -> usize {
        let packed = coding_of(headers).is_some_and(|coding| is_packed(&coding, body));
        if packed { limit(body).max(body.len()) } else { body.len() }
    }
}

/// The list of codings, of however many fields it is made (RFC 9110, 5.2).
fn coding_of(headers: &Headers) -> Option<Cow<'_, str>> {
    let mut lists = headers.all(CONTENT_ENCODING).map(|list| String::from_utf8_lossy(list));
    let first = lists.next()?;
    Some(lists.fold(first, |all, list| format!("{all}, {list}").into()))
}

/// The codings that change anything, in the order in which they were put on.
fn codings(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty() && !is("identity", name))
}

/// Whether the headers name a coding that changes a body, in whichever of several fields.
#[must_use]
pub fn is_coded(headers: &Headers) -> bool {
    coding_of(headers).is_some_and(|coding| codings(&coding).next().is_some())
}

fn is_packed(coding: &str, body: &[u8]) -> bool {
    codings(coding).next().is_some() && !body.is_empty() && std::str::from_utf8(body).is_err()
}

/// Bytes that this may unpack to.
fn limit(body: &[u8]) -> usize {
    body.len().saturating_mul(RATIO).clamp(LEAST, MOST)
}

impl Request {
    /// The request to be read: with its body unpacked, where it can be.
    #[must_use]
    pub fn readable(&self) -> Cow<'_, Self> {
        match Packed::of(&self.headers, &self.body) {
            Some(Packed { content: Ok(body), .. }) => Cow::Owned(Self { body, ..self.clone() }),
            _ => Cow::Borrowed(self),
        }
    }

    /// The request to be edited: with its body unpacked, where it can be, and without a word that it is packed.
    #[must_use]
    pub fn unpacked(self) -> Self {
        match Packed::of(&self.headers, &self.body) {
            Some(Packed { content: Ok(body), .. }) => {
                let mut headers = self.headers;
                headers.remove(CONTENT_ENCODING);
                Self { headers, body, ..self }
            }
            _ => self,
        }
    }
}

impl Response {
    /// The response to be read: with its body unpacked, where it can be.
    #[must_use]
    pub fn readable(&self) -> Cow<'_, Self> {
        match Packed::of(&self.headers, &self.body) {
            Some(Packed { content: Ok(body), .. }) => Cow::Owned(Self { body, ..self.clone() }),
            _ => Cow::Borrowed(self),
        }
    }
}

impl Call {
    /// The call to be read: with its bodies unpacked, where they can be.
    #[must_use]
    pub fn readable(&self) -> Cow<'_, Self> {
        let request = self.request.readable();
        let response = self.response.as_ref().map(Response::readable);
        if matches!((&request, &response), (Cow::Borrowed(_), None | Some(Cow::Borrowed(_)))) {
            return Cow::Borrowed(self);
        }
        let (request, response) = (request.into_owned(), response.map(Cow::into_owned));
        Cow::Owned(Self { request, response, ..self.clone() })
    }
}

fn is(name: &str, given: &str) -> bool {
    name.eq_ignore_ascii_case(given)
}

/// Takes one coding off.
fn undo(coding: &str, body: &[u8], limit: usize) -> Result<Bytes, String> {
    let inflated = |result: Result<Vec<u8>, DecompressError>| {
        result.map_err(|error| match error.status {
            TINFLStatus::HasMoreOutput => too_large(limit),
            _ => "it is damaged, or was cut".to_owned(),
        })
    };
    let content = if is("gzip", coding) || is("x-gzip", coding) {
        let (data, sum) = gzip(body).ok_or("it does not begin as gzip does, or was cut")?;
        let content = inflated(inflate::decompress_to_vec_with_limit(data, limit))?;
        if crc32fast::hash(&content) != sum {
            return Err("its check sum is another: it is damaged, was cut, or has more than one member".to_owned());
        }
        content
    } else if is("deflate", coding) {
        // Some leave out the wrapper (RFC 9110, 8.4.1.2).
        inflated(match inflate::decompress_to_vec_zlib_with_limit(body, limit) {
            Err(error) if error.status != TINFLStatus::HasMoreOutput => {
                inflate::decompress_to_vec_with_limit(body, limit)
            }
            result => result,
        })?
    } else if is("zstd", coding) {
        let mut content = Vec::new();
        let read = zstd::Decoder::with_buffer(body).and_then(|mut packed| {
            packed.window_log_max(WINDOW)?;
            packed.take(limit as u64 + 1).read_to_end(&mut content)
        });
        read.map_err(|error| format!("it is damaged, or was cut: {error}"))?;
        if content.len() > limit {
            return Err(too_large(limit));
        }
        content
    } else {
        return Err("hooktape cannot unpack that: gzip, deflate and zstd it can".to_owned());
    };
    Ok(content.into())
}

fn too_large(limit: usize) -> String {
    format!("it has more than {} KiB, which are not unpacked", limit >> 10)
}

/// What is deflated in a file of gzip with one member, and the check sum of its content (RFC 1952, 2.3).
fn gzip(body: &[u8]) -> Option<(&[u8], u32)> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = body else { return None };
    let mut rest = rest;
    if flags & 4 != 0 {
        let (len, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    // A name and a comment, each up to a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = &rest[memchr::memchr(0, rest)? + 1..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    let (rest, _length) = rest.split_last_chunk::<4>()?;
    let (data, sum) = rest.split_last_chunk()?;
    Some((data, u32::from_le_bytes(*sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(coding: &str, body: Vec<u8>) -> Option<Result<Bytes, String>> {
        let headers = [("Content-Encoding", coding.to_owned())].into_iter().collect();
        Packed::of(&headers, &body.into()).map(|packed| packed.content)
    }

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let deflated = miniz_oxide::deflate::compress_to_vec(text, 6);
        let len = u32::try_from(text.len()).unwrap();
        let sum = crc32fast::hash(text);
        [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], &deflated[..], &sum.to_le_bytes(), &len.to_le_bytes()].concat()
    }

    const TEXT: &[u8] = "{\"text\":\"good morning, καλημέρα\"}".as_bytes();

    #[test]
    fn each_coding_is_undone() {
        let content = Some(Ok(Bytes::from_static(TEXT)));
        assert_eq!(packed("gzip", gzipped(TEXT)), content);
        assert_eq!(packed("X-GZIP", gzipped(TEXT)), content);
        assert_eq!(packed("deflate", miniz_oxide::deflate::compress_to_vec_zlib(TEXT, 6)), content);
        assert_eq!(packed("deflate", miniz_oxide::deflate::compress_to_vec(TEXT, 6)), content);
        assert_eq!(packed("zstd", zstd::encode_all(TEXT, 3).unwrap()), content);
        let twice = gzipped(&zstd::encode_all(TEXT, 3).unwrap());
        assert_eq!(packed("identity, zstd, gzip", twice.clone()), content);
        let fields: Headers = [("content-encoding", "zstd"), ("content-encoding", "gzip")].into_iter().collect();
        assert_eq!(Packed::of(&fields, &twice.into()).map(|packed| packed.content), content);
        // With all that may stand at its beginning.
        let plain = gzipped(TEXT);
        let more =
            [&plain[..3], &[2 | 4 | 8 | 16], &plain[4..10], b"\x02\x00xxname\0comment\0cc", &plain[10..]].concat();
        assert_eq!(packed("gzip", more), content);
    }

    #[test]
    fn what_is_no_such_thing_is_left_and_said() {
        for (coding, body) in
            [("gzip", TEXT.to_vec()), ("identity", gzipped(TEXT)), ("", gzipped(TEXT)), ("gzip", vec![])]
        {
            assert_eq!(packed(coding, body), None, "{coding}");
        }
        let why = |coding, body| packed(coding, body).unwrap().unwrap_err();
        assert!(why("br", gzipped(TEXT)).contains("cannot unpack that"));
        assert!(why("gzip, gzip, gzip, gzip", gzipped(TEXT)).contains("4 codings"));
        let whole = gzipped(TEXT);
        for cut in 2..whole.len() {
            why("gzip", whole[..cut].to_vec());
        }
        for coding in ["gzip", "deflate", "zstd"] {
            assert!(!why(coding, vec![0xff; 40]).is_empty());
        }
    }

    #[test]
    fn no_more_is_unpacked_than_is_allowed() {
        let zeros = |len: usize| vec![0; len];
        let bomb = gzipped(&zeros(2 * MOST));
        assert!(bomb.len() < 40_000, "{}", bomb.len());
        assert!(packed("gzip", bomb).unwrap().unwrap_err().contains("KiB, which are not unpacked"));
        let bomb = zstd::encode_all(&zeros(2 * MOST)[..], 3).unwrap();
        assert!(packed("zstd", bomb).unwrap().unwrap_err().contains("KiB"));
        let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&zeros(2 * MOST), 6);
        assert!(packed("deflate", bomb).unwrap().unwrap_err().contains("KiB"));
        assert_eq!(packed("gzip", gzipped(&zeros(LEAST))).unwrap().unwrap().len(), LEAST);
    }

    #[test]
    fn a_call_is_read_unpacked_and_stays_as_it_came() {
        let headers: Headers = [("content-encoding", "gzip")].into_iter().collect();
        let request = Request { headers: headers.clone(), body: gzipped(TEXT).into(), ..Request::default() };
        let response = Response { status: 200, headers, body: gzipped(b"{}").into() };
        let at = jiff::Timestamp::UNIX_EPOCH;
        let mut call = Call::new(crate::call::Id::fresh(), crate::call::Direction::Received, at, request);
        assert_eq!(call.readable().request.body, TEXT);
        call.response = Some(response);
        let read = call.readable();
        assert_eq!((&read.request.body[..], &read.response.as_ref().unwrap().body[..]), (TEXT, &b"{}"[..]));
        let at_most = |call: &Call| Packed::at_most(&call.request.headers, &call.request.body);
        assert_eq!(at_most(&call), LEAST);
        let open = call.request.clone().unpacked();
        assert_eq!((&open.body[..], open.headers.has(CONTENT_ENCODING)), (TEXT, false));
        let cut = Request { body: call.request.body.slice(..9), ..call.request.clone() };
        assert_eq!(cut.clone().unpacked(), cut);
        assert!(Packed::why_not(&cut.headers, &cut.body).unwrap().starts_with("gzip, not unpacked: "));
        assert_eq!(Packed::why_not(&call.request.headers, &call.request.body), None);
        call.request.headers = Headers::default();
        assert_eq!(at_most(&call), call.request.body.len());
        call.response = None;
        assert!(matches!(call.readable(), Cow::Borrowed(_)));
    }
}
