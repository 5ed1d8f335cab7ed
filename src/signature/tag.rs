//! A signature's bytes and how they are written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use smallvec::SmallVec;
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

    /// Reads the bytes that `text` stands for, `len` of them where that is fixed; what is wrong with it otherwise.
    pub(super) fn decode(self, text: &[u8], len: Option<usize>) -> Result<Tag, String> {
        let digit = |byte: u8| match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        };
        let word = self.word();
        if let Some(at) = text.iter().position(|&byte| !digit(byte)) {
            let stranger = String::from_utf8_lossy(&text[at..]).chars().next().unwrap_or_default();
            return Err(format!("{stranger:?} at position {} is not a {word} digit", at + 1));
        }
        let expected = len.map(|len| match self {
            Self::Hex => 2 * len,
            Self::Base64 => len.div_ceil(3) * 4,
        });
        if let Some(expected) = expected.filter(|expected| text.len() != *expected) {
            return Err(format!("{expected} {word} digits expected, {} found", text.len()));
        }
        let mut room = Bytes::from_elem(0, text.len());
        let read = match self {
            Self::Hex => base16ct::mixed::decode(text, &mut room).map(<[u8]>::len).ok(),
            Self::Base64 => STANDARD.decode_slice(text, &mut room).ok(),
        };
        let whole = read.filter(|read| *read > 0 && len.is_none_or(|len| *read == len));
        whole.map(|read| Tag::new(&room[..read])).ok_or_else(|| match len {
            Some(len) => format!("it is not {word} of {len} bytes"),
            None => format!("it is not {word}"),
        })
    }
}

/// Either alphabet, padded or not.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}

/// Room for all but the longest signatures, and for what most are written in.
type Bytes = SmallVec<[u8; 64]>;

/// A signature's bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tag(Bytes);

impl Tag {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compares in constant time.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}
