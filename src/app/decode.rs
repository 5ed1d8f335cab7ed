//! What a body is that is not JSON: a form, a form of several parts, a token. Decoded, each is shown as JSON.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::recording::multipart;
use crate::visible;

/// Most parts of a body that are shown: no form has as many, and each takes many times the room that it has in the body.
const MOST_PARTS: usize = 4096;

/// What was decoded, in words, and as JSON text; none where it is shown best as it is.
#[must_use]
pub fn decode(body: &[u8], content_type: Option<&str>) -> Option<(&'static str, String)> {
    let content_type = content_type.unwrap_or_default();
    let is = |name: &str| content_type.trim_start().get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    if is("application/x-www-form-urlencoded") && !body.is_empty() {
        return Some(("form", form(body)));
    }
    if is("multipart/") {
        return parts(body, &multipart::boundary(content_type, body)?).map(|text| ("parts", text));
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    token(text).map(|text| ("token", text))
}

/// The header and the claims of a JSON Web Token, as JSON text, if `text` is one. Whether it is genuine is not looked at.
#[must_use]
pub fn token(text: &str) -> Option<String> {
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    let mut parts = text.split('.');
    let (header, claims) = (parts.next()?, parts.next()?);
    if parts.next().is_none() || parts.next().is_some() || !header.starts_with("ey") {
        return None;
    }
    let part = |part: &str| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    };
    Some(json!({ "header": part(header)?, "claims": part(claims)? }).to_string())
}

/// A name that is there several times has an array of its values.
fn form(body: &[u8]) -> String {
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        let value = Value::from(value.into_owned());
        match members.get_mut(&*name) {
            None => drop(members.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(members).to_string()
}

/// The parts of a form (RFC 7578), where there are not too many.
fn parts(body: &[u8], boundary: &str) -> Option<String> {
    let found: Vec<_> = multipart::split(body, boundary).take(MOST_PARTS + 1).collect();
    let shown = found.iter().map(|part| Part::of(&body[part.head.clone()], &body[part.content.clone()]));
    let few = (1..=MOST_PARTS).contains(&found.len());
    few.then(|| serde_json::to_string(&shown.collect::<Vec<_>>()).ok()).flatten()
}

/// Where in a form the value stands that [`decode`] shows at `pointer`, as it is encoded.
#[must_use]
pub fn in_form(form: &str, pointer: &str) -> Option<Range<usize>> {
    let mut tokens = pointer.strip_prefix('/')?.split('/');
    let name = tokens.next()?.replace("~1", "/").replace("~0", "~");
    let wanted: usize = tokens.next().map_or(Some(0), |number| number.parse().ok())?;
    let mut begin = 0;
    let mut values = form.split('&').filter_map(|member| {
        let place = begin..begin + member.len();
        begin = place.end + 1;
        let (found, _) = url::form_urlencoded::parse(member.as_bytes()).next()?;
        // One that says no more than its name counts, but has no place for a value.
        let value = || member.find('=').map(|equals| place.start + equals + 1..place.end);
        (found == name).then(value)
    });
    values.nth(wanted)?
}

/// Where in a body of several parts the content stands that [`decode`] shows at `pointer`.
#[must_use]
pub fn in_parts(body: &[u8], content_type: &str, pointer: &str) -> Option<Range<usize>> {
    let number: usize = pointer.strip_prefix('/')?.strip_suffix("/content")?.parse().ok()?;
    Some(multipart::split(body, &multipart::boundary(content_type, body)?).nth(number)?.content)
}

/// A part with its name, its file's name, its type and its size.
#[derive(Serialize)]
struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    bytes: usize,
    content: Content<'a>,
}

/// What a part holds.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    /// An object, as it is written.
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

impl<'a> Part<'a> {
    fn of(head: &[u8], content: &'a [u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let disposition = multipart::header(&head, "content-disposition").unwrap_or_default();
        let extended = multipart::parameter(&disposition, "filename*").map(|name| {
            let name = name.rsplit('\'').next().unwrap_or_default().to_owned();
            percent_decode(name.as_bytes()).decode_utf8_lossy().into_owned()
        });
        Self {
            name: multipart::parameter(&disposition, "name"),
            filename: extended.or_else(|| multipart::parameter(&disposition, "filename")),
            content_type: multipart::header(&head, "content-type"),
            bytes: content.len(),
            content: match std::str::from_utf8(content) {
                Ok(text) => object(text).map_or(Content::Text(text.into()), Content::Json),
                Err(_) => Content::Text(visible::bytes(content.get(..256).unwrap_or(content))),
            },
        }
    }
}

/// A JSON text that is an object.
fn object(text: &str) -> Option<&RawValue> {
    serde_json::from_str::<&RawValue>(text).ok().filter(|value| value.get().starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &[u8], content_type: &str) -> String {
        decode(body, Some(content_type)).unwrap().1
    }

    #[test]
    fn forms_are_objects() {
        let text = decoded(b"a=1&b=x+y&a=%C3%A4", "application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(text, r#"{"a":["1","ä"],"b":"x y"}"#);
    }

    #[test]
    fn parts_are_told_apart() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--X\r\ncontent-disposition: form-data; name=j\r\n\r\n{\"a\":1}\r\n--X--\r\n";
        let text = decoded(body, "multipart/form-data; boundary=\"X\"");
        let wanted = r#"[{"name":"f","filename":"a.txt","content_type":"text/plain","bytes":2,"content":"hi"},{"name":"j","bytes":7,"content":{"a":1}}]"#;
        assert_eq!(text, wanted);
        let exact =
            decoded(b"--X\n\n{\"a\": 12345678901234567890123, \"b\": 1.50}\n--X--", "multipart/form-data; boundary=X");
        assert!(exact.ends_with(r#""content":{"a": 12345678901234567890123, "b": 1.50}}]"#), "{exact}");
        for torn in 0..body.len() {
            drop(decode(&body[..torn], Some("multipart/form-data; boundary=X")));
        }
    }

    #[test]
    fn very_many_parts_are_not_shown_as_such() {
        let parts = |count: usize| decode("--X\n\n".repeat(count).as_bytes(), Some("multipart/form-data; boundary=X"));
        assert!(parts(MOST_PARTS).is_some());
        assert_eq!(parts(MOST_PARTS + 1), None);
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let form = "a=1&b=x+y&a=%C3%A4&c";
        for (pointer, raw) in [("/a/0", "1"), ("/a/1", "%C3%A4"), ("/b", "x+y")] {
            assert_eq!(&form[in_form(form, pointer).unwrap()], raw);
        }
        assert_eq!((in_form("a&a=1", "/a/0"), in_form("a&a=1", "/a/1")), (None, Some(4..5)));
        assert_eq!([in_form(form, "/c"), in_form(form, "/a/2"), in_form(form, "")], [None, None, None]);
        let body = b"--X\r\nA: b\r\n\r\nhi\r\n--X\nC: d\n\n{}\n--X--\r\n";
        let found = |pointer| in_parts(body, "multipart/form-data; boundary=X", pointer).map(|place| &body[place]);
        assert_eq!([found("/0/content"), found("/1/content")], [Some(&b"hi"[..]), Some(&b"{}"[..])]);
        assert_eq!([found("/2/content"), found("/0/name"), found("/0")], [None, None, None]);
    }

    #[test]
    fn tokens_are_opened() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSIsImV4cCI6MX0.c2ln";
        assert_eq!(
            decoded(token.as_bytes(), "text/plain"),
            r#"{"header":{"alg":"RS256"},"claims":{"sub":"u1","exp":1}}"#
        );
        for text in ["", "a.b", "ey.ey.ey", "1.2.3.4", "{}"] {
            assert_eq!(decode(text.as_bytes(), None), None, "{text}");
        }
    }
}
