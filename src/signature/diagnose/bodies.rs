//! What people sign in the place of the body that they send.

use std::borrow::Cow;

use crate::call::Request;
use crate::json;
use crate::signature::Detached;
use crate::signature::message::Source;

/// Longest body, in bytes, of which the rarer forms are tried.
const LONGEST: usize = 1 << 20;

/// A body and what is wrong with it.
pub(super) struct Body<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub slip: Option<String>,
}

/// Those forms of the body of which something else would be signed than of the body as it came: no other explains anything.
pub(super) fn bodies_that_count<'a>(detached: &Detached, request: &'a Request) -> Vec<Body<'a>> {
    let mut bodies = bodies(&request.body);
    bodies.retain(|Body { bytes, slip }| {
        slip.is_none() || !signed_of(detached, request, bytes).eq(signed_of(detached, request, &request.body))
    });
    bodies
}

/// What would be signed of that body, with what is the same whatever the body.
fn signed_of<'a>(detached: &'a Detached, request: &'a Request, body: &'a [u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
    detached.message.parts(Source { request, body, url: "", timestamp: "", secret: b"" })
}

/// What a body may have been before it came, first as it came.
pub(super) fn bodies(body: &[u8]) -> Vec<Body<'_>> {
    const RAW: &str = "sign (and verify) the raw bytes";
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let mut bodies = vec![Body { bytes: Cow::Borrowed(body), slip: None }];
    let mut add = |bytes: Vec<u8>, slip: String| {
        if !bodies.iter().any(|body| *body.bytes == *bytes) {
            bodies.push(Body { bytes: Cow::Owned(bytes), slip: Some(slip) });
        }
    };
    let echo = "(`echo` adds one, `curl -d @file` removes it: use `printf` and `--data-binary`)";
    let added = |what: &str| format!("The signature fits the body with {what} at its end: {RAW} {echo}.");
    add([body, b"\n"].concat(), added("one more line end"));
    add([body, b"\r\n"].concat(), added("one more CRLF"));
    let shorter = body.strip_suffix(b"\n").map(|body| body.strip_suffix(b"\r").unwrap_or(body));
    if let Some(shorter) = shorter {
        let slip = format!("The signature fits the body without the line end that it came with: {RAW} {echo}.");
        add(shorter.to_vec(), slip);
    }
    add(lf(body), format!("The signature fits the body with LF for CRLF; something turned its line ends: {RAW}."));
    add(crlf(body), format!("The signature fits the body with CRLF for LF; something turned its line ends: {RAW}."));
    if let Some(rest) = body.strip_prefix(BOM) {
        add(rest.to_vec(), format!("The signature fits the body without its byte order mark: {RAW}."));
    }
    add([BOM, body].concat(), format!("The signature fits the body with a byte order mark before it: {RAW}."));
    if std::str::from_utf8(body).is_err() {
        // Each byte of Latin-1 is the character of its number.
        let text: String = body.iter().copied().map(char::from).collect();
        let slip = "The signature fits the body in UTF-8, and it came in Latin-1: something on the way turned its encoding; \
                    pass the raw bytes on.";
        add(text.into_bytes(), slip.to_owned());
    }
    if let Ok(text) = std::str::from_utf8(body) {
        // Each form is as large as the body or larger, and all are at hand at once: of a long one the usual ones are.
        let short = Some(text).filter(|text| text.len() <= LONGEST);
        let sorted = short.and_then(sorted);
        let (short, sorted) = (short.unwrap_or_default(), sorted.as_deref().unwrap_or_default());
        let forms = [
            (json::javascript_stringify(text).ok(), "as JavaScript's `JSON.stringify` writes it"),
            (json::compact(text).ok(), "compactly, without white space"),
            (json::python_dumps(text).ok(), "as Python's `json.dumps` writes it"),
            (
                json::spaced(text).ok(),
                "with a space after every comma and colon, as Python does with `ensure_ascii=False`",
            ),
            (json::pretty(text).ok(), "pretty-printed with two spaces"),
            (json::python_indented(short, 2).ok(), "as Python's `json.dumps` writes it with `indent=2`"),
            (json::python_indented(short, 4).ok(), "as Python's `json.dumps` writes it with `indent=4`"),
            (json::indented(short, 4).ok(), "pretty-printed with four spaces"),
            (json::python_dumps(sorted).ok(), "as Python's `json.dumps` writes it with `sort_keys=True`"),
            (json::compact(sorted).ok(), "compactly, its members sorted"),
        ];
        for (form, how) in forms {
            if let Some(form) = form {
                for (end, more) in [("", ""), ("\n", ", and a line end after it")] {
                    let slip = format!(
                        "The signature fits the body re-serialised {how}{more}: {RAW}. Where the sender does sign them, \
                         something on the way, a proxy say, wrote the body anew."
                    );
                    add(format!("{form}{end}").into_bytes(), slip);
                }
            }
        }
    }
    add(
        Vec::new(),
        "The signature fits an empty body: the sender signs before it has one, or its middleware has eaten it; sign the raw \
         bytes that are sent."
            .into(),
    );
    bodies
}

/// The same with the members of every object in the order of their names.
fn sorted(text: &str) -> Option<String> {
    let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.sort_all_objects();
    Some(value.to_string())
}

/// Every CRLF made LF.
fn lf(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        if !(byte == b'\r' && body.get(at + 1) == Some(&b'\n')) {
            bytes.push(byte);
        }
    }
    bytes
}

/// Every LF made CRLF.
fn crlf(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    for byte in lf(body) {
        if byte == b'\n' {
            bytes.push(b'\r');
        }
        bytes.push(byte);
    }
    bytes
}
