//! What drafts and fixtures are filled with when they leave.
//!
//! Time, ids, the environment and known variables, as everywhere ([`placeholders`]); a name that stands for nothing is an
//! error here. In JSON a value keeps its type where it stands alone (`"tier": {{$tier}}`), and becomes part of the text within
//! quotes.

use bytes::Bytes;
use jiff::Timestamp;

use super::variables::Variables;
use crate::call::Request;
use crate::net::placeholders::{self, Form, Value};

/// Where the values come from.
pub struct Values<'a> {
    /// The time.
    pub now: Timestamp,
    /// Known variables.
    pub variables: &'a Variables,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Values<'_> {
    /// What a name stands for; none where it is no name of ours.
    fn of(&self, name: &str) -> Result<Option<Value>, String> {
        Ok(match (name.strip_prefix("env:"), name.strip_prefix('$')) {
            (Some(name), _) => {
                Some(Value::Text((self.environment)(name).ok_or_else(|| {
                    format!("{{{{env:{name}}}}}: the environment has no variable {name} that is text")
                })?))
            }
            (None, Some(name)) => {
                let known = self.variables.get(name).map(|variable| Value::Json(variable.value.clone()));
                Some(known.ok_or_else(|| {
                    format!("{{{{${name}}}}}: no such variable is known: `hooktape variables` lists them")
                })?)
            }
            (None, None) => placeholders::common(name, self.now),
        })
    }
}

/// Whether `request` has anything to fill in.
#[must_use]
pub fn has_places(request: &Request) -> bool {
    let body = placeholders::are_in(&request.body);
    let headers = || request.headers.iter().any(|(_, value)| placeholders::are_in(value));
    body || placeholders::are_in(request.target.as_bytes()) || headers()
}

/// Fills in target, header values and body. What is not text stays.
///
/// # Errors
/// When a name stands for nothing: a sentence with the repair. The request may be filled in parts then.
pub fn fill(request: &mut Request, values: &Values<'_>) -> Result<(), String> {
    if !has_places(request) {
        return Ok(());
    }
    request.target = filled(&request.target, false, values)?;
    for (_, value) in &mut request.headers.0 {
        if let Ok(text) = std::str::from_utf8(value) {
            *value = Bytes::from(filled(text, false, values)?);
        }
    }
    if let Ok(text) = std::str::from_utf8(&request.body) {
        request.body = filled(text, placeholders::is_json(text), values)?.into();
    }
    Ok(())
}

fn filled(text: &str, json: bool, values: &Values<'_>) -> Result<String, String> {
    placeholders::fill(text, if json { Form::Json } else { Form::Text }, |name| values.of(name))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::call::{Call, Response};
    use crate::config::Redact;
    use crate::recording::Redaction;
    use crate::replay::testing::call;

    fn fill_in(request: Request) -> Result<Request, String> {
        let mut variables = Variables::default();
        let body = r#"{"context":{"tier":"go\"ld","n":1e3,"list":["a"]}}"#;
        let response = Some(Response { status: 200, body: body.into(), ..Response::default() });
        variables.register(&Call { response, ..call(1) }, &Redaction::new(&Redact::default()).unwrap());
        let environment = |name: &str| (name == "HOST").then(|| "a\"b".to_owned());
        let now = Timestamp::new(1_700_000_000, 5_000_000).unwrap();
        let mut request = request;
        fill(&mut request, &Values { now, variables: &variables, environment: &environment }).map(|()| request)
    }

    fn body(text: &str) -> String {
        let request = fill_in(Request { body: text.to_owned().into(), ..Request::default() }).unwrap();
        String::from_utf8(request.body.to_vec()).unwrap()
    }

    #[test]
    fn a_value_keeps_its_type_or_becomes_part_of_a_text() {
        for (template, expected) in [
            (r#"{"t": {{now_ms}}, "s":"at {{ now_s }}"}"#, r#"{"t": 1700000000005, "s":"at 1700000000"}"#),
            (r#"{"t": {{now}}}"#, r#"{"t": "2023-11-14T22:13:20.005Z"}"#),
            (r#"{"a":{{$tier}},"b":"is {{$tier}}"}"#, r#"{"a":"go\"ld","b":"is go\"ld"}"#),
            (r#"{"a":{{$n}},"b":"{{$list}}"}"#, r#"{"a":1e3,"b":"[\"a\"]"}"#),
            (r#"{"a":"\"{{env:HOST}}"}"#, r#"{"a":"\"a\"b"}"#),
            ("{{now}} hello", "2023-11-14T22:13:20.005Z hello"),
            ("tier={{$tier}}&host={{env:HOST}}", "tier=go\"ld&host=a\"b"),
            (r#"{"a":"{{user.name}} {{{now_s}} {{"}"#, r#"{"a":"{{user.name}} {1700000000 {{"}"#),
            (r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"b":{"c":1}}}"#),
        ] {
            assert_eq!(body(template), expected);
        }
        let ids = body(r#"["{{uuid}}","{{uuid}}"]"#);
        let ids: Vec<Uuid> = serde_json::from_str(&ids).unwrap();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn headers_and_path_are_filled_and_bytes_stay() {
        let request = Request {
            target: "/at/{{$n}}".into(),
            headers: [("X-A", "{{$tier}}")].into_iter().collect(),
            body: vec![0xff, b'{', b'{'].into(),
            ..Request::default()
        };
        let filled = fill_in(request.clone()).unwrap();
        assert_eq!((&*filled.target, filled.headers.get("x-a")), ("/at/1e3", Some("go\"ld")));
        assert_eq!(filled.body, request.body);
        assert!(has_places(&request) && !has_places(&Request::default()));
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_told() {
        let told = |text: &str| fill_in(Request { body: text.to_owned().into(), ..Request::default() }).unwrap_err();
        assert!(told("{{env:NONE}}").contains("no variable NONE"));
        assert!(told("{{$none}}").contains("`hooktape variables`"));
    }
}
