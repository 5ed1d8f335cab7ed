//! What drafts and fixtures are filled with when they leave.
//!
//! | in the draft | becomes |
//! | --- | --- |
//! | `{{now_ms}}`, `{{now_s}}`, `{{now}}` | the time: milliseconds or seconds since 1970, RFC 3339 |
//! | `{{uuid}}` | a random UUID, another one at each place |
//! | `{{env:NAME}}` | a variable of the environment |
//! | `{{$name}}` | a known variable |
//!
//! In JSON a value keeps its type where it stands alone (`"tier": {{$tier}}`), and becomes part of the text within quotes.
//! Anything else between double braces stays: it may be meant for the endpoint.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::variables::Variables;
use crate::call::Request;
use crate::json::unquote;

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
    /// The JSON text that a name stands for; none where it is no name of ours.
    fn of(&self, name: &str) -> Result<Option<String>, String> {
        let text = |text: String| serde_json::Value::from(text).to_string();
        Ok(Some(match name {
            "now_ms" => self.now.as_millisecond().to_string(),
            "now_s" => self.now.as_second().to_string(),
            "now" => text(format!("{:.3}", self.now)),
            "uuid" => text(Uuid::new_v4().to_string()),
            _ => match (name.strip_prefix("env:"), name.strip_prefix('$')) {
                (Some(name), _) => text((self.environment)(name).ok_or_else(|| {
                    format!("{{{{env:{name}}}}}: the environment has no variable {name} that is text")
                })?),
                (None, Some(name)) => {
                    self.variables.get(name).map(|variable| variable.value.clone()).ok_or_else(|| {
                        format!("{{{{${name}}}}}: no such variable is known: `hooktape variables` lists them")
                    })?
                }
                (None, None) => return Ok(None),
            },
        }))
    }
}

/// Whether `request` has anything to fill in.
#[must_use]
pub fn has_places(request: &Request) -> bool {
    let body = memchr::memmem::find(&request.body, b"{{").is_some();
    let headers = || request.headers.iter().any(|(_, value)| memchr::memmem::find(value, b"{{").is_some());
    body || request.target.contains("{{") || headers()
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
        let json = text.trim_start().starts_with(['{', '[']);
        request.body = filled(text, json, values)?.into();
    }
    Ok(())
}

fn filled(text: &str, json: bool, values: &Values<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find("{{") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        quoted = ends_quoted(before, quoted);
        let inner = after[2..].split_once("}}");
        let found = inner.map(|(name, tail)| Ok::<_, String>((values.of(name.trim())?, tail))).transpose()?;
        let Some((Some(value), tail)) = found else {
            out.push('{');
            rest = &after[1..];
            continue;
        };
        match (json, quoted) {
            (true, true) if value.starts_with('"') => out.push_str(&value[1..value.len() - 1]),
            (true, true) => {
                let escaped = serde_json::Value::from(value).to_string();
                out.push_str(&escaped[1..escaped.len() - 1]);
            }
            (false, _) if value.starts_with('"') => out.push_str(&unquote(&value)),
            _ => out.push_str(&value),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether the end of JSON text is within a string, if its beginning is or is not.
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

#[cfg(test)]
mod tests {
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
