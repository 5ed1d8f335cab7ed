//! Values put into a payload before it is sent.

use crate::call::Request;

/// One value put into a payload before it is sent: a JSON Pointer and JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub pointer: String,
    /// What, as JSON text.
    pub value: String,
}

impl std::str::FromStr for Change {
    type Err = String;

    /// `/pointer=value`. A value that is not JSON is meant as a string.
    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, value) = text
            .split_once('=')
            .filter(|(pointer, _)| pointer.starts_with('/'))
            .ok_or_else(|| format!("{text:?} is not of the form /pointer=value, as in /input/text=hello"))?;
        Ok(Self { pointer: pointer.to_owned(), value: json_of(value) })
    }
}

/// The text if it is JSON, else the JSON string that it is.
pub(super) fn json_of(value: &str) -> String {
    match crate::json::check(value) {
        Ok(()) => value.to_owned(),
        Err(_) => serde_json::Value::from(value).to_string(),
    }
}

/// Puts `changes` into the request's body; every other byte stays.
///
/// # Errors
/// When the body is no JSON text, or a pointer leads nowhere.
pub fn change(request: &mut Request, changes: &[Change]) -> Result<(), String> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut text = std::str::from_utf8(&request.body).map_err(|_| "the body is not text")?.to_owned();
    for change in changes {
        text = crate::json::set(&text, &change.pointer, &change.value)?;
    }
    request.body = text.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_json_or_a_string() {
        let change: Change = "/input/text=hello".parse().unwrap();
        assert_eq!(change.value, "\"hello\"");
        let change: Change = "/a=[1, 2]".parse().unwrap();
        assert_eq!((change.pointer.as_str(), change.value.as_str()), ("/a", "[1, 2]"));
        assert!("input=1".parse::<Change>().is_err());
    }

    #[test]
    fn changing_leaves_every_other_byte() {
        let body = br#"{"a": 1e3,  "b":"x"}"#.to_vec();
        let mut request = Request { body: body.into(), ..Request::default() };
        change(&mut request, &["/b=y".parse().unwrap()]).unwrap();
        assert_eq!(request.body, r#"{"a": 1e3,  "b":"y"}"#);
    }
}
