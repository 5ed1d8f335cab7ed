//! Where a chunked body ends (RFC 9112, 7.1), by what comes of it: what stands behind it belongs to the next request.
//!
//! ```text
//! 4;name=x\r\n data \r\n   ...   0\r\n  A: b\r\n  \r\n
//! '- Size -''Data''End'          Size  '-- Trailer --'
//! ```
//!
//! It takes what hyper takes, and gives up where hyper ends the connection.

/// A chunked body of which not all has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// What is left of the chunk, or its size as far as that was read.
    left: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// A size, and whether a digit of it has come.
    Size(bool),
    /// White space behind a size.
    Space,
    Extension,
    /// The end of the line with the size.
    SizeEnd,
    Data,
    /// The end of a chunk's data.
    Return,
    Newline,
    /// The beginning of a line behind the last chunk.
    Line,
    Trailer,
    TrailerEnd,
    /// The end of the empty line.
    LastEnd,
}

/// Of bytes that came, how many belong to the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All, and more is to come.
    All,
    /// So many: it is whole.
    Whole(usize),
    /// It is none, so nobody can tell.
    Broken,
}

impl Chunks {
    /// One of which nothing has come.
    pub(super) fn new() -> Self {
        Self { at: At::Size(false), left: 0 }
    }

    /// Takes what came next.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Taken {
        let mut taken = 0;
        while let Some(&byte) = bytes.get(taken) {
            self.at = match (self.at, byte) {
                (At::Data, _) => {
                    let data = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - taken);
                    self.left -= data as u64;
                    taken += data;
                    if self.left == 0 {
                        self.at = At::Return;
                    }
                    continue;
                }
                (At::Size(_), _) if byte.is_ascii_hexdigit() => {
                    let digit = char::from(byte).to_digit(16).unwrap_or_default();
                    let Some(size) = self.left.checked_mul(16) else { return Taken::Broken };
                    self.left = size + u64::from(digit);
                    At::Size(true)
                }
                (At::Size(true) | At::Space, b' ' | b'\t') => At::Space,
                (At::Size(true) | At::Space | At::Extension, b'\r') => At::SizeEnd,
                (At::SizeEnd, b'\n') if self.left == 0 => At::Line,
                (At::SizeEnd, b'\n') => At::Data,
                (At::Return, b'\r') => At::Newline,
                (At::Newline, b'\n') => At::Size(false),
                (At::Line, b'\r') => At::LastEnd,
                (At::Trailer, b'\r') => At::TrailerEnd,
                (At::TrailerEnd, b'\n') => At::Line,
                (At::LastEnd, b'\n') => return Taken::Whole(taken + 1),
                (At::Extension, b'\n') => return Taken::Broken,
                (At::Size(true) | At::Space, b';') | (At::Extension, _) => At::Extension,
                (At::Line | At::Trailer, _) => At::Trailer,
                _ => return Taken::Broken,
            };
            taken += 1;
        }
        Taken::All
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_ends_with_its_empty_line() {
        let bodies = [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "00A ;x=\"y\"\r\n0123\r\n6789\r\n00000000000000000000;z\r\nA: b\r\nC:d\r\n\r\n",
        ];
        for body in bodies {
            assert_eq!(Chunks::new().take(format!("{body}GET /").as_bytes()), Taken::Whole(body.len()), "{body:?}");
            assert_eq!(Chunks::new().take(&body.as_bytes()[..body.len() - 1]), Taken::All, "{body:?}");
        }
    }

    #[test]
    fn what_hyper_refuses_has_no_end() {
        for broken in [
            "x",
            "\r\n",
            "3\nabc",
            "3\r\nabcd",
            "3;x\n",
            "-1\r\n",
            "11111111111111111\r\n",
            "0\n",
            "3 1\r\n",
            "0\r\n\rx",
        ] {
            assert_eq!(Chunks::new().take(broken.as_bytes()), Taken::Broken, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_it_comes(chunks in proptest::collection::vec("[a-z0\r\n]{1,20}", 0..4), cut in any::<prop::sample::Index>()) {
            let chunks: Vec<String> =
                chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            let body = chunks.concat() + "0\r\n\r\n";
            let (begin, end) = body.as_bytes().split_at(cut.index(body.len()));
            let mut chunks = Chunks::new();
            prop_assert_eq!(chunks.take(begin), Taken::All);
            prop_assert_eq!(chunks.take(&[end, b"0\r\n\r\n"].concat()), Taken::Whole(end.len()));
        }
    }
}
