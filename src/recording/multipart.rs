//! Bodies of several parts (RFC 2046, 5.1; RFC 7578): where their parts stand.

use std::ops::Range;

use memchr::memmem;
use percent_encoding::percent_decode_str;

/// Where a part's head and its content stand in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its headers.
    pub head: Range<usize>,
    /// What it holds.
    pub content: Range<usize>,
}

/// What stands between the parts: as the content type says, or the body's first line where that must be one.
#[must_use]
pub fn boundary(content_type: &str, body: &[u8]) -> Option<String> {
    let said = content_type.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    let named = parameter(content_type, "boundary").filter(|boundary| said && !boundary.is_empty());
    named.or_else(|| {
        let (first, rest) = body.strip_prefix(b"--")?.split_at_checked(memchr::memchr(b'\n', body)?.checked_sub(2)?)?;
        let next = rest.trim_ascii_start().get(..8)?;
        let first = std::str::from_utf8(first.trim_ascii_end()).ok()?;
        (next.eq_ignore_ascii_case(b"content-") && !first.is_empty()).then(|| first.to_owned())
    })
}

/// A parameter of a header's value, without its quotes.
#[must_use]
pub fn parameter(value: &str, wanted: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// A header of a part, its lines as one.
#[must_use]
pub fn header(head: &str, wanted: &str) -> Option<String> {
    let mut lines = head.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.trim().eq_ignore_ascii_case(wanted) {
            let mut value = value.trim().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
                value.push(' ');
                value.push_str(more.trim());
            }
            return Some(value);
        }
    }
    None
}

/// The field that a part is of, also where its name is escaped (RFC 5987).
#[must_use]
pub fn name(head: &str) -> Option<String> {
    let disposition = header(head, "content-disposition")?;
    let escaped = || {
        let value = parameter(&disposition, "name*")?;
        let name = value.splitn(3, '\'').nth(2)?;
        Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
    };
    escaped().or_else(|| parameter(&disposition, "name"))
}

/// The parts, without what is none.
#[must_use]
pub fn split(body: &[u8], boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> =
        memmem::find_iter(body, &delimiter).filter(|&at| at == 0 || body[at - 1] == b'\n').collect();
    let mut found = Vec::new();
    for (number, &start) in starts.iter().enumerate() {
        let mut from = start + delimiter.len();
        let mut to = starts.get(number + 1).copied().unwrap_or(body.len());
        let Some(part) = body.get(from..to).filter(|part| !part.starts_with(b"--")) else { break };
        from += line_end(part, <[u8]>::starts_with);
        let part = &body[from..to];
        let ends = [&b"\r\n\r\n"[..], b"\n\n"];
        let bare = line_end(part, <[u8]>::starts_with);
        let end = || ends.iter().find_map(|end| Some((memmem::find(part, end)?, end.len())));
        let headed = if bare > 0 { Some((0, bare)) } else { end() };
        let Some((head, gap)) = headed else { continue };
        to -= line_end(&part[head + gap..], <[u8]>::ends_with);
        found.push(Part { head: from..from + head, content: from + head + gap..to });
    }
    found
}

/// How many bytes the line's end has that stands there.
fn line_end(text: &[u8], stands: fn(&[u8], &[u8]) -> bool) -> usize {
    if stands(text, b"\r\n") { 2 } else { usize::from(stands(text, b"\n")) }
}
