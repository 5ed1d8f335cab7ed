//! Values put into a payload before it is sent.

use crate::call::{Packed, Request};
use crate::net::placeholders;

/// One value put into a payload before it is sent: a JSON Pointer and JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub pointer: String,
    /// What, as JSON text.
    pub value: String,
}

impl Change {
    /// Whether it puts the value there that stands at `place`: itself, or with what it is in.
    #[must_use]
    pub fn covers(&self, place: &str) -> bool {
        place.strip_prefix(&*self.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl std::str::FromStr for Change {
    type Err = String;

    /// `/pointer=value`. A value that is not JSON is meant as a string.
    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, value) = text
            .split_once('=')
            .filter(|(pointer, _)| pointer.starts_with('/'))
            .ok_or("this is not of the form /pointer=value, as in /input/text=hello")?;
        Ok(Self { pointer: pointer.to_owned(), value: template_of(value) })
    }
}

/// The same where placeholders are filled in later: one that stands alone stands for a JSON value.
fn template_of(value: &str) -> String {
    match crate::json::check(&placeholders::hidden(value)) {
        Ok(()) => value.to_owned(),
        Err(_) => json_of(value),
    }
}

/// The text if it is JSON, else the JSON string that it is.
pub(super) fn json_of(value: &str) -> String {
    match crate::json::check(value) {
        Ok(()) => value.to_owned(),
        Err(_) => serde_json::Value::from(value).to_string(),
    }
}

/// Puts `changes` into the request's body; every other byte stays. One that came compressed is unpacked for it, and leaves so.
///
/// # Errors
/// When the body is no JSON text, or a pointer leads nowhere.
pub fn change(request: &mut Request, changes: &[Change]) -> Result<(), String> {
    if changes.is_empty() {
        return Ok(());
    }
    if let Some(why) = Packed::why_not(&request.headers, &request.body) {
        return Err(format!("the body is {why}"));
    }
    *request = std::mem::take(request).unpacked();
    let text = std::str::from_utf8(&request.body).map_err(|_| "the body is not text")?;
    let mut text = placeholders::hidden(text).into_owned();
    for change in changes {
        text = crate::json::set(&text, &change.pointer, &placeholders::hidden(&change.value))?;
    }
    request.body = placeholders::shown(text).into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_covers_its_place_and_what_is_in_it() {
        let change: Change = "/a/b=1".parse().unwrap();
        let covered = ["/a/b", "/a/b/c", "/a", "/a/bc", ""].map(|place| change.covers(place));
        assert_eq!(covered, [true, true, false, false, false]);
    }

    #[test]
    fn a_change_is_json_or_a_string() {
        let change: Change = "/input/text=hello".parse().unwrap();
        assert_eq!(change.value, "\"hello\"");
        let change: Change = "/a=[1, 2]".parse().unwrap();
        assert_eq!((change.pointer.as_str(), change.value.as_str()), ("/a", "[1, 2]"));
        for (value, json) in [
            ("{{now_ms}}", "{{now_ms}}"),
            ("at {{now}}", "\"at {{now}}\""),
            ("[{{$n}}]", "[{{$n}}]"),
            ("{{x}}", "\"{{x}}\""),
        ] {
            assert_eq!(format!("/a={value}").parse::<Change>().unwrap().value, json);
        }
        assert!("input=1".parse::<Change>().is_err());
    }

    #[test]
    fn changing_leaves_every_other_byte() {
        let body = br#"{"a": 1e3,  "b":"x"}"#.to_vec();
        let mut request = Request { body: body.into(), ..Request::default() };
        change(&mut request, &["/b=y".parse().unwrap()]).unwrap();
        assert_eq!(request.body, r#"{"a": 1e3,  "b":"y"}"#);
        change(&mut request, &["/b={{now_ms}}".parse().unwrap(), "/a=2".parse().unwrap()]).unwrap();
        assert_eq!(request.body, r#"{"a": 2,  "b":{{now_ms}}}"#, "a placeholder is put in for its value");
    }
    #[test]
    fn what_came_compressed_leaves_unpacked_once_it_is_changed() {
        let body = zstd::encode_all(&br#"{"a": 1e3,  "b":"{{x}}"}"#[..], 3).unwrap();
        let headers = [("content-encoding", "zstd"), ("x-a", "1")].into_iter().collect();
        let came = Request { body: body.into(), headers, ..Request::default() };
        let mut request = came.clone();
        change(&mut request, &[]).unwrap();
        assert_eq!(request, came, "byte for byte");
        change(&mut request, &["/a=2".parse().unwrap()]).unwrap();
        assert_eq!(request.body, r#"{"a": 2,  "b":"{{x}}"}"#);
        assert_eq!(request.headers, [("x-a", "1")].into_iter().collect());
        let mut closed = came;
        closed.headers.set("content-encoding", "br");
        let why = change(&mut closed, &["/a=2".parse().unwrap()]).unwrap_err();
        assert!(why.starts_with("the body is br, not unpacked: "), "{why}");
    }
}
