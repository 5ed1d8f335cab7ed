//! A message's head, read as far as it goes.

use bytes::Bytes;

use crate::call::{Headers, Request, Response};

/// The request that these bytes begin, its body what follows the last line that can be read; none if the first line names
/// no method and no target.
pub(super) fn request(bytes: &[u8]) -> Option<Request> {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let (line, rest) = line(&bytes[blank..]);
    let (method, rest_of_line) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    // Blanks do not belong into a target, but where they are, they are what it has.
    let target = rest_of_line.rsplit_once(" HTTP/").map_or(rest_of_line, |(target, _)| target);
    let is_target = target.starts_with('/') || target == "*" || target.contains("://");
    // HTTP/2 begins with a request line, lest others go on reading (RFC 9113, 3.4).
    if !is_token(method.as_bytes()) || !is_target || method == "PRI" {
        return None;
    }
    let (headers, body) = fields(rest);
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body),
        ..Request::default()
    })
}

/// The response that these bytes are.
pub(super) fn response(bytes: &[u8]) -> Option<Response> {
    let (line, rest) = line(bytes);
    let status = std::str::from_utf8(line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?).ok()?.parse().ok()?;
    let (headers, body) = fields(rest);
    Some(Response { status, headers, body: Bytes::copy_from_slice(body) })
}

/// The header fields that can be read, and what follows them: behind the empty line, or from the first line that is none.
fn fields(mut bytes: &[u8]) -> (Headers, &[u8]) {
    let mut headers = Headers::default();
    loop {
        let (line, rest) = line(bytes);
        if line.is_empty() {
            return (headers, rest);
        }
        if line.len() == bytes.len() {
            // Its end has not come.
            return (headers, bytes);
        }
        let field = line.iter().position(|byte| *byte == b':').map(|colon| (&line[..colon], &line[colon + 1..]));
        let Some((name, value)) = field.filter(|(name, value)| is_token(name) && is_value(value)) else {
            return (headers, bytes);
        };
        headers.push(String::from_utf8_lossy(name).to_ascii_lowercase(), Bytes::copy_from_slice(value.trim_ascii()));
        bytes = rest;
    }
}

/// The first line without its end, and what follows it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// RFC 9110, 5.6.2.
fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// RFC 9110, 5.5.
fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 127))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_is_read_up_to_the_line_that_is_wrong() {
        let bytes = b"\r\nPOST /a b?c HTTP/1.1\r\nHost: a\r\nX-B:\xff \nX A: no\r\nX-C: 1\r\n\r\nbody";
        let read = request(bytes).unwrap();
        assert_eq!((read.method.as_str(), read.target.as_str()), ("POST", "/a b?c"));
        assert_eq!(read.headers, [("host", &b"a"[..]), ("x-b", b"\xff")].into_iter().collect());
        assert_eq!(read.body, &b"X A: no\r\nX-C: 1\r\n\r\nbody"[..]);
        let whole = request(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nbody").unwrap();
        assert_eq!((whole.headers.get("host"), whole.body.as_ref()), (Some("a"), &b"body"[..]));
        assert_eq!(request(b"GET /long").unwrap().target, "/long");
    }

    #[test]
    fn what_names_no_method_and_target_is_no_request() {
        for bytes in
            [&b""[..], b"GET", b"\x16\x03\x01 /", b"SSH-2.0-OpenSSH_9 Debian", b"PROXY TCP4 1.2.3.4 /", b"{} /"]
        {
            assert_eq!(request(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_answer_has_its_status() {
        let answer = response(b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.headers.get("content-length")), (431, Some("0")));
        assert_eq!(response(b"HTTP/1.1 4"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0..60_usize) {
            let head = b"POST /a?b HTTP/1.1\r\nHost: a\r\nX-B: c\r\n\r\nbody and more";
            let mixed = [&head[..cut.min(head.len())], &bytes].concat();
            for bytes in [&bytes, &mixed] {
                let kept = request(bytes).map_or(0, |request| request.body.len());
                prop_assert!(kept <= bytes.len());
                let _ = response(bytes);
            }
        }
    }
}
