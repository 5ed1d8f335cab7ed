//! Templates: `{{...}}` in a text stands for something of the call that is answered.
//!
//! | written | stands for |
//! | --- | --- |
//! | `{{request:/input/text}}` | what a JSON Pointer names in the request |
//! | `{{header:X-Request-Id}}`, `{{query:lang}}` | a header, a parameter of the query |
//! | `{{row:name}}` | a column of the row that was looked up |
//! | `{{now}}`, `{{now_ms}}`, `{{uuid}}` | the time (RFC 3339, or milliseconds since 1970), a random id |
//!
//! In JSON, a value that stands alone between its quotes keeps its type: `"{{request:/context}}"` becomes the object itself;
//! inside a longer string it is text, escaped as JSON wants it. What is not known stays as it is: `{{$name}}` is Moveo's own.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem;
use uuid::Uuid;

use crate::call::Request;
use crate::json;

/// What placeholders can stand for.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The request.
    pub request: &'a Request,
    /// The JSON document that pointers are into: its body, or its query as an object.
    pub document: &'a str,
    /// The row that was looked up.
    pub row: Option<&'a HashMap<&'a str, &'a str>>,
    /// The present time.
    pub now: Timestamp,
}

/// What a placeholder stands for.
enum Value {
    /// JSON text.
    Json(String),
    /// Any other text.
    Text(String),
    /// Nothing: `null` in JSON, nothing in a text.
    Nothing,
}

/// Whether there is anything to fill in.
#[must_use]
pub fn is_template(text: &[u8]) -> bool {
    memmem::find(text, b"{{").is_some()
}

/// The text with its placeholders filled in: as JSON where it is JSON.
#[must_use]
pub fn fill(text: &Bytes, scope: &Scope<'_>) -> Bytes {
    match std::str::from_utf8(text) {
        Ok(template) if is_template(text) => {
            let beginning = template.trim_start();
            let is_json = beginning.starts_with(['{', '[', '"']) && !beginning.starts_with("{{");
            if is_json { fill_json(template, scope).into() } else { fill_text(template, scope).into() }
        }
        _ => text.clone(),
    }
}

/// The text with its placeholders filled in as they are.
#[must_use]
pub fn fill_text(template: &str, scope: &Scope<'_>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = next(rest) {
        out.push_str(before);
        match scope.value(name) {
            Some(value) => out.push_str(&value.text()),
            None => out.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    out + rest
}

fn fill_json(template: &str, scope: &Scope<'_>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut quoted = false;
    while let Some((before, name, after)) = next(rest) {
        quoted = ends_quoted(before, quoted);
        out.push_str(before);
        match scope.value(name) {
            None => out.push_str(&rest[before.len()..rest.len() - after.len()]),
            Some(value) if !quoted => out.push_str(&value.json()),
            // Alone between its quotes, which go: what stands there is a value of its own.
            Some(value) if before.ends_with('"') && after.starts_with('"') => {
                out.pop();
                out.push_str(&value.json());
                rest = &after[1..];
                quoted = false;
                continue;
            }
            Some(value) => {
                let literal = serde_json::Value::String(value.text()).to_string();
                out.push_str(&literal[1..literal.len() - 1]);
            }
        }
        rest = after;
    }
    out + rest
}

/// Whether a JSON text is inside a string at its end, if it was (`quoted`) at its beginning.
fn ends_quoted(text: &str, mut quoted: bool) -> bool {
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

/// What stands before the next placeholder, its name, and what stands after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name.trim(), after))
}

impl Value {
    fn json(self) -> String {
        match self {
            Self::Json(json) => json,
            Self::Text(text) => serde_json::Value::String(text).to_string(),
            Self::Nothing => "null".to_owned(),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Json(json) => serde_json::from_str::<String>(&json).unwrap_or(json),
            Self::Text(text) => text,
            Self::Nothing => String::new(),
        }
    }
}

impl Scope<'_> {
    /// The value of a placeholder; none if there is no such placeholder.
    fn value(&self, name: &str) -> Option<Value> {
        let text = |text: Option<&str>| text.map_or(Value::Nothing, |text| Value::Text(text.to_owned()));
        Some(match name.split_once(':').unwrap_or((name, "")) {
            ("request", pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                json::find(self.document, pointer)
                    .and_then(|span| self.document.get(span))
                    .map_or(Value::Nothing, |json| Value::Json(json.to_owned()))
            }
            ("header", name) => text(self.request.headers.get(name)),
            ("query", wanted) => {
                let query = self.request.query().unwrap_or_default();
                let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
                found.map_or(Value::Nothing, |(_, value)| Value::Text(value.into_owned()))
            }
            ("row", column) => text(self.row.and_then(|row| row.get(column).copied())),
            ("now", "") => Value::Text(self.now.to_string()),
            ("now_ms", "") => Value::Json(self.now.as_millisecond().to_string()),
            ("uuid", "") => Value::Text(Uuid::new_v4().to_string()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str) -> String {
        let body = r#"{"input":{"text":"say \"hi\" é"},"n":1.0,"o":{"a":[1e3]},"nil":null}"#;
        let request = Request {
            target: "/x?lang=e%20n".into(),
            headers: [("X-Id", "7\"")].into_iter().collect(),
            body: body.into(),
            ..Request::default()
        };
        let row = [("name", "Zoë")].into_iter().collect();
        let scope = Scope { request: &request, document: body, row: Some(&row), now: Timestamp::UNIX_EPOCH };
        String::from_utf8(fill(&template.to_owned().into(), &scope).to_vec()).unwrap()
    }

    #[test]
    fn alone_between_quotes_a_value_keeps_its_type_and_its_spelling() {
        assert_eq!(filled(r#"{"a":"{{request:/n}}","b":"{{ request:/o }}"}"#), r#"{"a":1.0,"b":{"a":[1e3]}}"#);
        assert_eq!(filled(r#"{"a":"{{request:/input/text}}"}"#), r#"{"a":"say \"hi\" é"}"#);
        assert_eq!(filled(r#"["{{request:/nope}}","{{now_ms}}","{{row:name}}"]"#), r#"[null,0,"Zoë"]"#);
    }

    #[test]
    fn inside_a_string_it_is_escaped_text() {
        assert_eq!(filled(r#"{"a":"you {{request:/input/text}}!"}"#), r#"{"a":"you say \"hi\" é!"}"#);
        assert_eq!(filled(r#"{"a":"\"{{header:x-id}}{{request:/o}}\""}"#), r#"{"a":"\"7\"{\"a\":[1e3]}\""}"#);
        assert_eq!(filled(r#"{"a":{{request:/n}},"b":{{query:lang}}}"#), r#"{"a":1.0,"b":"e n"}"#);
    }

    #[test]
    fn other_texts_are_filled_in_as_they_are_and_what_is_not_known_stays() {
        assert_eq!(filled("<p>{{request:/input/text}} {{request:/nope}}</p>"), "<p>say \"hi\" é </p>");
        assert_eq!(filled(r#"{"a":"Dear {{$name}}, {{ {{}}"}"#), r#"{"a":"Dear {{$name}}, {{ {{}}"}"#);
        assert_eq!(filled("{{now}}"), "1970-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn whatever_the_caller_says_json_stays_json(text in "\\PC*", around in "[a-z ]{0,3}") {
            let body = serde_json::json!({ "text": text }).to_string();
            let request = Request { body: body.clone().into(), ..Request::default() };
            let scope = Scope { request: &request, document: &body, row: None, now: Timestamp::UNIX_EPOCH };
            let template = format!(r#"{{"a":"{around}{{{{request:/text}}}}"}}"#);
            let filled = fill(&template.into(), &scope);
            let value: serde_json::Value = serde_json::from_slice(&filled).unwrap();
            prop_assert_eq!(value["a"].as_str().unwrap(), format!("{around}{text}"));
        }
    }
}
