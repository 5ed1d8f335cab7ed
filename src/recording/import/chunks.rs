//! Bodies in chunks (RFC 9112, 7.1), as they crossed the wire.

use std::collections::HashSet;
use std::ops::Range;

use memchr::memchr;

/// Longest line with a chunk's size, in bytes.
const LONGEST: usize = 256;

/// Reads bodies in chunks out of one text.
#[derive(Default)]
pub(super) struct Chunks {
    /// Where chunks begin that lead to no end: many a body may go on as one did that was none.
    dead: HashSet<usize>,
}

impl Chunks {
    /// The content of the body that begins at `begin`, and where in the text it ends with all that is around it. None if it is
    /// not in chunks.
    pub(super) fn body(&mut self, text: &[u8], begin: usize) -> Option<(Vec<u8>, usize)> {
        let (mut begins, mut chunks) = (Vec::new(), Vec::new());
        let mut at = begin;
        while !self.dead.contains(&at) {
            begins.push(at);
            match chunk(text, at) {
                Some(Chunk::Content(chunk, next)) => {
                    chunks.push(chunk);
                    at = next;
                }
                Some(Chunk::Last(behind)) => {
                    let body = chunks.into_iter().map(|chunk| &text[chunk]).collect::<Vec<_>>().concat();
                    return Some((body, behind_trailers(text, behind)));
                }
                None => break,
            }
        }
        self.dead.extend(begins);
        None
    }
}

enum Chunk {
    /// Where its content stands, and where the next one begins.
    Content(Range<usize>, usize),
    /// The last one, and where what is behind its line begins.
    Last(usize),
}

fn chunk(text: &[u8], at: usize) -> Option<Chunk> {
    let near = &text[at..text.len().min(at + LONGEST)];
    let to_the_end = at + near.len() == text.len();
    let end = memchr(b'\n', near).or(to_the_end.then_some(near.len()))?;
    let begin = text.len().min(at + end + 1);
    let size = near[..end].split(|byte| *byte == b';').next()?.trim_ascii();
    let digits = size.iter().all(u8::is_ascii_hexdigit);
    let size = usize::from_str_radix(str::from_utf8(size).ok().filter(|_| digits)?, 16).ok()?;
    if size == 0 {
        return Some(Chunk::Last(begin));
    }
    let content = begin..begin.checked_add(size)?;
    text.get(content.clone())?;
    let next = match &text[content.end..] {
        [] => content.end,
        [b'\n', ..] | [b'\r'] => content.end + 1,
        [b'\r', b'\n', ..] => content.end + 2,
        _ => return None,
    };
    Some(Chunk::Content(content, next))
}

/// Trailers are passed over; where a file was tidied up, the empty line behind them is gone.
fn behind_trailers(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let rest = &text[at..];
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        if rest.starts_with(b"###") {
            break;
        }
        at = text.len().min(at + end + 1);
        if matches!(&rest[..end], [] | [b'\r']) {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn chunks_are_put_together_and_what_has_none_is_not() {
        let body = |text: &str| {
            let (body, end) = Chunks::default().body(text.as_bytes(), 0)?;
            Some((String::from_utf8(body).unwrap(), text[end..].to_owned()))
        };
        let whole = |behind: &str| Some(("{\"a\":1}".to_owned(), behind.to_owned()));
        assert_eq!(body("5\r\n{\"a\":\r\n2;x=y\r\n1}\r\n0\r\nt: 1\r\n\r\nGET"), whole("GET"));
        assert_eq!(body("7\n{\"a\":1}\n0\n### next"), whole("### next"));
        assert_eq!(body("0"), Some((String::new(), String::new())));
        let overlong = format!("1;{}\nx\n0\n", "y".repeat(LONGEST));
        for none in ["", "{}", "2\nabc\n0\n", "1\na\n", "ffffffffffffffff\na", "1\na\r", &overlong] {
            assert_eq!(body(none), None, "{none}");
        }
    }

    #[test]
    fn what_leads_to_no_end_is_gone_through_once() {
        // The first chunk of each holds what stands before the many that all have in common.
        let bodies = 20_000;
        let first = |number: usize| format!("{:08x}\n", 9 * (bodies - 1 - number) + 1);
        let text: String = (0..bodies).map(first).collect::<String>() + "x\n" + &"1\nx\n".repeat(200_000);
        let (mut chunks, begun) = (Chunks::default(), Instant::now());
        for number in 0..bodies {
            assert_eq!(chunks.body(text.as_bytes(), 9 * number), None);
            assert!(begun.elapsed() < Duration::from_secs(20), "{number}");
        }
        assert_eq!(chunks.dead.len(), bodies + 200_001);
    }
}
