//! A byte-faithful reader of JSON text.
//!
//! ```text
//! text --tokens--> Token, Token, ...      any text, lossless: colours, pointers, editing
//!        |-check-> the same, judged       strict RFC 8259: printing, and the place and name of a fault
//!        `-parts-> slices                 strict too, and quick: one level, without tokens
//! ```
//!
//! Nothing here builds a value or touches a number: `1e3`, `12345678901234567890123`, `\u00e4` and duplicate keys come
//! out as they went in. All work is linear in the text, and nesting costs no stack, or is limited.

mod check;
mod duplicates;
mod extent;
mod leaves;
mod lexer;
mod number;
mod parts;
mod plain;
mod pointer;
mod print;
mod spellings;
mod string;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use check::{DEPTH_LIMIT, check};
pub use duplicates::duplicates;
pub use extent::{Extent, extent};
pub use leaves::{leaves, leaves_that};
pub use lexer::tokens;
pub use number::{canonical_number, order};
pub use parts::{each_item, each_member, is_valid, item, items, members};
pub use plain::plain;
pub use pointer::{check_pointer, escape, find, find_all, find_each, index, pointer_at, set};
pub use print::{PrintError, compact, indented, javascript_stringify, pretty, python_dumps, python_indented, spaced};
pub use spellings::spellings;
pub use string::{text, unquote};

/// Where and why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SyntaxError {
    /// Byte offset into the text.
    pub offset: usize,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What is wrong, as a sentence without the place. It may quote a few characters of the text.
    pub message: String,
}

impl SyntaxError {
    fn new(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: line_of(text, offset),
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

/// The 1-based line of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..offset]).count() + 1
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A string that names a member of an object, with its quotes.
    Key,
    /// Any other string, with its quotes.
    String,
    /// A number as it is written.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// `{`
    OpenObject,
    /// `}`
    CloseObject,
    /// `[`
    OpenArray,
    /// `]`
    CloseArray,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// A run of blanks, tabs and line ends.
    Space,
    /// What is no token of JSON: an unknown word, a malformed number, a string with a fault in it.
    Bad,
}

impl TokenKind {
    /// Whether a value begins with this token. A `Bad` one stands where a value was meant.
    pub fn begins_value(self) -> bool {
        !self.is_close() && !matches!(self, Self::Key | Self::Colon | Self::Comma | Self::Space)
    }

    fn is_open(self) -> bool {
        matches!(self, Self::OpenObject | Self::OpenArray)
    }

    fn is_close(self) -> bool {
        matches!(self, Self::CloseObject | Self::CloseArray)
    }
}

/// One token: its kind and the bytes it covers. Tokens of a text follow each other without gap or overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes in the text.
    pub span: Range<usize>,
}
