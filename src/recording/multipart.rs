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

/// The parts, without what is none, as they are asked for: a body may have very many.
pub fn split<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = Part> + use<'a> {
    let delimiter = format!("--{boundary}");
    let starts = memmem::find_iter(body, &delimiter).into_owned();
    let mut starts = starts.filter(|&at| at == 0 || body[at - 1] == b'\n').peekable();
    let between = std::iter::from_fn(move || {
        let from = starts.next()? + delimiter.len();
        Some(from..starts.peek().copied().unwrap_or(body.len()))
    });
    between
        .take_while(|part| body.get(part.clone()).is_some_and(|part| !part.starts_with(b"--")))
        .filter_map(|place| part(body, place))
}

/// The part that stands there, if it has a head.
fn part(body: &[u8], Range { start, end }: Range<usize>) -> Option<Part> {
    let start = start + line_end(&body[start..end], <[u8]>::starts_with);
    let part = &body[start..end];
    let bare = line_end(part, <[u8]>::starts_with);
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let headed = || ends.iter().find_map(|end| Some((memmem::find(part, end)?, end.len())));
    let (head, gap) = if bare > 0 { (0, bare) } else { headed()? };
    let content = start + head + gap..end - line_end(&part[head + gap..], <[u8]>::ends_with);
    Some(Part { head: start..start + head, content })
}

/// How many bytes the line's end has that stands there.
fn line_end(text: &[u8], stands: fn(&[u8], &[u8]) -> bool) -> usize {
    if stands(text, b"\r\n") { 2 } else { usize::from(stands(text, b"\n")) }
}
