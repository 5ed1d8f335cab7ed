//! A line on its way into the file. Large bodies stand in it as they are and are spelled piece by piece while it is
//! written, so that none is held in memory twice.
//!
//! ```text
//! {"id":..,"request":{..,"text":"   body, shared with the call   "},"response":{..}}
//! '----------- plain ----------''--------- spelled -------------''----- plain ----'
//! ```

use std::io;

use base64::Engine as _;
use bytes::Bytes;

use super::BASE64;
use crate::json;

/// Bytes from which on a body is spelled only when it is written.
pub(super) const LARGE: usize = 256 * 1024;

/// Bytes from which on a body that stands in its line as it is becomes a piece of its own: copying it would cost more.
pub(super) const SHARED: usize = 4 * 1024;

/// Bytes of a body that are spelled at a time: a multiple of three, so that no piece of Base64 is padded but the last.
const PIECE: usize = 48 * 1024;

/// One line, with its newline.
#[derive(Debug, Default)]
pub struct Line {
    parts: Vec<Part>,
    /// All their bytes, spelled: to count those of a large text takes its time.
    len: u64,
}

/// A part of a line.
#[derive(Debug)]
pub enum Part {
    /// Bytes of the line.
    Plain(Vec<u8>),
    /// A body, and how it is spelled in the line.
    Spelled(Spelling, Bytes),
}

impl Part {
    /// Its bytes, if they need not be spelled.
    pub fn as_it_is(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Spelled(Spelling::Json, body) => Some(body),
            Self::Spelled(Spelling::Text | Spelling::Base64, _) => None,
        }
    }

    /// Gives it away in pieces.
    ///
    /// # Errors
    /// Those of `write`, which then is not called any more.
    pub fn write(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let (how, body) = match self {
            Self::Plain(text) => return write(text),
            Self::Spelled(Spelling::Json, body) => return write(body),
            Self::Spelled(how, body) => (how, body),
        };
        let mut piece = Vec::new();
        for bytes in body.chunks(PIECE) {
            piece.clear();
            match how {
                Spelling::Base64 => {
                    piece.resize(bytes.len().div_ceil(3) * 4, 0);
                    BASE64.encode_slice(bytes, &mut piece).map_err(io::Error::other)?;
                }
                _ => escape(bytes, &mut piece),
            }
            write(&piece)?;
        }
        Ok(())
    }
}

/// How a body's bytes stand in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As they are.
    Json,
    /// As the inside of a JSON string.
    Text,
    /// In Base64.
    Base64,
}

impl From<Vec<u8>> for Line {
    fn from(line: Vec<u8>) -> Self {
        let mut whole = Self::default();
        whole.plain(line);
        whole
    }
}

impl Line {
    pub(super) fn plain(&mut self, text: Vec<u8>) {
        self.len += text.len() as u64;
        self.parts.push(Part::Plain(text));
    }

    pub(super) fn spelled(&mut self, how: Spelling, body: Bytes) {
        self.len += match how {
            Spelling::Json => body.len() as u64,
            Spelling::Text => body.iter().map(|byte| u64::from(width(*byte))).sum(),
            Spelling::Base64 => body.len().div_ceil(3) as u64 * 4,
        };
        self.parts.push(Part::Spelled(how, body));
    }

    /// What it is put together of.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// All of it in one piece.
    pub fn into_bytes(self) -> Vec<u8> {
        let Self { mut parts, len } = self;
        if let [Part::Plain(line)] = parts.as_mut_slice() {
            return std::mem::take(line);
        }
        let mut line = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
        // Writing to a vector does not fail.
        let mut add = |piece: &[u8]| {
            line.extend_from_slice(piece);
            Ok(())
        };
        let _ = parts.iter().try_for_each(|part| part.write(&mut add));
        line
    }
}

/// How many bytes a byte takes in a JSON string.
fn width(byte: u8) -> u8 {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..b' ' => 6,
        _ => 1,
    }
}

/// The bytes of a text as the inside of a JSON string. They may be any part of it: what is escaped is one byte long.
pub(super) fn escape(bytes: &[u8], to: &mut Vec<u8>) {
    let mut rest = bytes;
    loop {
        let (plain, other) = rest.split_at(json::plain(rest));
        to.extend_from_slice(plain);
        let Some((&byte, behind)) = other.split_first() else { return };
        rest = behind;
        match byte {
            b'"' | b'\\' => to.extend_from_slice(&[b'\\', byte]),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            b'\t' => to.extend_from_slice(b"\\t"),
            _ => to.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn what_is_spelled_in_pieces_is_what_is_spelled_at_once(text in ".{0,40}", times in 1..3000_usize, cut in 0..9_usize) {
            let text = text.repeat(times);
            let body = Bytes::from(text.clone().into_bytes());
            let quoted = |how, body: Bytes| {
                let mut line = Line::from(b"\"".to_vec());
                line.spelled(how, body);
                line.plain(b"\"".to_vec());
                let len = line.len();
                let bytes = line.into_bytes();
                assert_eq!(bytes.len() as u64, len);
                serde_json::from_slice::<Value>(&bytes).unwrap()
            };
            prop_assert_eq!(quoted(Spelling::Text, body.clone()), Value::from(&*text));
            let body = body.slice(..body.len().saturating_sub(cut));
            prop_assert_eq!(quoted(Spelling::Base64, body.clone()), Value::from(BASE64.encode(&body)));
        }
    }
}
