//! Templates: `{{...}}` in a text stands for something of the call that is answered.
//!
//! | written | stands for |
//! | --- | --- |
//! | `{{request:/input/text}}` | what a JSON Pointer names in the request |
//! | `{{header:X-Request-Id}}`, `{{query:lang}}` | a header, a parameter of the query |
//! | `{{row:name}}` | a column of the row that was looked up |
//! | `{{now}}`, `{{uuid}}`, `{{env:NAME}}`, `{{$name}}` | as everywhere ([`placeholders`]) |
//!
//! In JSON, a value that stands alone between its quotes keeps its type: `"{{request:/context}}"` becomes the object itself;
//! inside a longer string it is text, escaped as JSON wants it. What is not known stays as it is: `{{$name}}` is Moveo's own
//! where no variable of that name is known here.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use crate::call::Request;
use crate::json;
use crate::net::placeholders::{self, Form, Value};

/// What placeholders can stand for.
pub struct Scope<'a> {
    /// The request.
    pub request: &'a Request,
    /// The JSON document that pointers are into: its body, or its query as an object.
    pub document: &'a str,
    /// The row that was looked up.
    pub row: Option<&'a HashMap<&'a str, &'a str>>,
    /// The present time.
    pub now: Timestamp,
    /// What known variables and those of the environment hold.
    pub known: &'a Known,
}

/// Values that are known apart from any call.
pub struct Known {
    /// The JSON text of a known variable.
    pub variable: Lookup,
    /// A variable of the environment.
    pub environment: Lookup,
}

/// What a name stands for.
pub type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Default for Known {
    fn default() -> Self {
        Self { variable: Box::new(|_| None), environment: Box::new(|name| std::env::var(name).ok()) }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What they hold may be secret.
        f.write_str("Known")
    }
}

/// The text with its placeholders filled in: as JSON where it is JSON.
#[must_use]
pub fn fill(text: &Bytes, scope: &Scope<'_>) -> Bytes {
    match std::str::from_utf8(text) {
        Ok(template) if placeholders::are_in(text) => {
            let form = if placeholders::is_json(template) { Form::JsonAlone } else { Form::Text };
            fill_as(template, form, scope).into()
        }
        _ => text.clone(),
    }
}

/// The text with its placeholders filled in as they are.
#[must_use]
pub fn fill_text(template: &str, scope: &Scope<'_>) -> String {
    fill_as(template, Form::Text, scope)
}

fn fill_as(template: &str, form: Form, scope: &Scope<'_>) -> String {
    let Ok(text) = placeholders::fill(template, form, |name| Ok::<_, Infallible>(scope.value(name)));
    text
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
            ("env", name) => (self.known.environment)(name).map_or(Value::Nothing, Value::Text),
            _ => match name.strip_prefix('$') {
                Some(name) => Value::Json((self.known.variable)(name)?),
                None => return placeholders::common(name, self.now),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known() -> Known {
        let variable = |name: &str| (name == "tier").then(|| r#"{"gold":1e0}"#.to_owned());
        let environment = |name: &str| (name == "HOST").then(|| "a\"b".to_owned());
        Known { variable: Box::new(variable), environment: Box::new(environment) }
    }

    fn filled(template: &str) -> String {
        let body = r#"{"input":{"text":"say \"hi\" é"},"n":1.0,"o":{"a":[1e3]},"nil":null}"#;
        let request = Request {
            target: "/x?lang=e%20n".into(),
            headers: [("X-Id", "7\"")].into_iter().collect(),
            body: body.into(),
            ..Request::default()
        };
        let row = [("name", "Zoë")].into_iter().collect();
        let scope =
            Scope { request: &request, document: body, row: Some(&row), now: Timestamp::UNIX_EPOCH, known: &known() };
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
        assert_eq!(filled("{{now}}"), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_known_apart_from_calls_is_filled_in_and_moveos_own_variables_stay() {
        let template = r#"{"a":"{{$tier}}","b":"{{env:HOST}} {{$name}}","c":"{{env:NONE}}","d":{{now_s}}}"#;
        assert_eq!(filled(template), r#"{"a":{"gold":1e0},"b":"a\"b {{$name}}","c":null,"d":0}"#);
    }

    proptest! {
        #[test]
        fn whatever_the_caller_says_json_stays_json(text in "\\PC*", around in "[a-z ]{0,3}") {
            let body = serde_json::json!({ "text": text }).to_string();
            let request = Request { body: body.clone().into(), ..Request::default() };
            let scope = Scope { request: &request, document: &body, row: None, now: Timestamp::UNIX_EPOCH, known: &known() };
            let template = format!(r#"{{"a":"{around}{{{{request:/text}}}}"}}"#);
            let filled = fill(&template.into(), &scope);
            let value: serde_json::Value = serde_json::from_slice(&filled).unwrap();
            prop_assert_eq!(value["a"].as_str().unwrap(), format!("{around}{text}"));
        }
    }
}
