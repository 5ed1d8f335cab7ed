//! Where a recorded request has a mask for what came.

use super::compare::Place;
use crate::call::Request;
use crate::json;
use crate::recording::redact::MASK;

/// The places of a recorded request that a redaction has masked, as far as the masks still stand in what is sent for it.
/// (What is signed anew is not said to be redacted any more, but a mask does not become what it masked.)
#[must_use]
pub fn masked(recorded: &Request, request: &Request) -> Vec<Place> {
    if !recorded.redacted {
        return Vec::new();
    }
    let has = |bytes: &[u8]| memchr::memmem::find(bytes, MASK.as_bytes()).is_some();
    let mut found = Vec::new();
    if has(request.target.as_bytes()) {
        found.push(Place::Target);
    }
    for (name, _) in request.headers.iter().filter(|(_, value)| has(value)) {
        let place = Place::Header(name.to_ascii_lowercase());
        if !found.contains(&place) {
            found.push(place);
        }
    }
    if has(&request.body) {
        let text = std::str::from_utf8(&request.body).unwrap_or_default();
        let before = found.len();
        let values = json::leaves_that(text, usize::MAX, |value| has(value.as_bytes()));
        found.extend(values.into_iter().map(|(pointer, _)| Place::Json(pointer)));
        if found.len() == before {
            found.push(Place::Bytes);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(body: &'static str, redacted: bool) -> Vec<String> {
        let headers = [("Authorization", MASK), ("x", "y")].into_iter().collect();
        let target = "/a?token=[redacted]".to_owned();
        let request = Request { target, headers, body: body.into(), redacted, ..Request::default() };
        masked(&request, &request).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn masks_are_found_where_they_stand() {
        let body = r#"{"a":{"email":"[redacted]","n":1},"l":[1,{"b":"[redacted]"}]}"#;
        assert_eq!(places(body, true), ["path", "header:authorization", "/a/email", "/l"]);
        assert_eq!(places("a=[redacted]", true), ["path", "header:authorization", "body"]);
        assert_eq!(places(body, false), [""; 0], "what came so is no mask");
    }
}
