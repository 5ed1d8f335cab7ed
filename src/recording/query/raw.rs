//! The prefilter of searches: whether a line can match at all, told from its bytes, so that only lines that can are taken apart.
//!
//! A body stands in its line as it is (`"json"`), with some letters escaped (`"text"`), or in base64; what a needle is held
//! against otherwise stands there as a string. So a needle without letters that get escaped stands in the line too, unless
//! there is base64 or an escape that this program would not have written. In JSON it may be spelled with such escapes.

use memchr::{memchr, memchr_iter, memmem};

use super::needle::Needle;
use super::term::Term;
use super::{Node, Query};

impl Query {
    /// Whether the call of this line may match, or one of these lines. False is certain, true is not.
    #[must_use]
    pub fn may_match(&self, line: &[u8]) -> bool {
        self.root.may_match(line)
    }
}

impl Node {
    fn may_match(&self, line: &[u8]) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.may_match(line)),
            Self::Any(nodes) => nodes.iter().any(|node| node.may_match(line)),
            Self::Term(Term::Body(needle)) => needle.is_in_body(line) || has_base64(line) || has_escaped_body(line),
            Self::Term(Term::Word(needle) | Term::Header(needle)) => {
                !is_verbatim(needle) || needle.is_in(line) || has_base64(line) || has_foreign_escape(line)
            }
            Self::Not(_) | Self::Term(_) => true,
        }
    }
}

/// Whether it stands in a line as it stands in what the line is about: no letter is escaped, and it does not reach across
/// the colon between a header's name and its value.
fn is_verbatim(needle: &Needle) -> bool {
    let bytes = needle.bytes();
    !bytes.starts_with(b" ") && !bytes.iter().any(|byte| matches!(byte, b'"' | b'\\' | b':') || *byte < b' ')
}

fn has_base64(line: &[u8]) -> bool {
    memmem::find(line, b"\"base64\":").is_some()
}

fn has_escaped_body(line: &[u8]) -> bool {
    memchr(b'\\', line).is_some() && memmem::find(line, b"\"text\":").is_some()
}

/// `\u` and `\/`: nothing but control characters needs them.
fn has_foreign_escape(line: &[u8]) -> bool {
    memchr_iter(b'\\', line).any(|at| matches!(line.get(at + 1), Some(b'u' | b'/')))
}
