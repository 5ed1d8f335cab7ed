//! A signature's bytes and how they are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Two digits a byte; written in lower case, read in either.
    Hex,
    /// RFC 4648 section 4, padded.
    Base64,
}

impl Encoding {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    pub(super) fn encode(self, tag: &Tag) -> String {
        match self {
            Self::Hex => base16ct::lower::encode_string(tag.bytes()),
            Self::Base64 => STANDARD.encode(tag.bytes()),
        }
    }

    /// Reads the `len` bytes that `text` should stand for; what is wrong with it otherwise.
    pub(super) fn decode(self, text: &[u8], len: usize) -> Result<Tag, String> {
        let expected = match self {
            Self::Hex => 2 * len,
            Self::Base64 => len.div_ceil(3) * 4,
        };
        let digit = |byte: u8| match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        };
        let word = self.word();
        if let Some(at) = text.iter().position(|&byte| !digit(byte)) {
            let stranger = String::from_utf8_lossy(&text[at..]).chars().next().unwrap_or_default();
            return Err(format!("{stranger:?} at position {} is not a {word} digit", at + 1));
        }
        if text.len() != expected {
            return Err(format!("{expected} {word} digits expected, {} found", text.len()));
        }
        let mut tag = Tag { bytes: [0; Tag::MAX], len };
        let read = match self {
            Self::Hex => base16ct::mixed::decode(text, &mut tag.bytes).map(<[u8]>::len).ok(),
            // The decoder wants room for whole groups of three, which 64 bytes do not have for SHA-512: hence the Vec.
            Self::Base64 => STANDARD.decode(text).ok().filter(|bytes| bytes.len() == len).map(|bytes| {
                tag.bytes[..len].copy_from_slice(&bytes);
                len
            }),
        };
        if read == Some(len) { Ok(tag) } else { Err(format!("it is not {word} of {len} bytes")) }
    }
}

/// A signature's bytes, on the stack.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Tag {
    const MAX: usize = 64;

    /// None when there are too many bytes for any algorithm.
    pub(super) fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { bytes, len: from.len() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Compares in constant time.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}
