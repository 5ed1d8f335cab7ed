//! What drafts and fixtures are filled with when they leave.
//!
//! ```text
//!  recorded request --literal()--> template --its user's changes--> template --fill()--> what leaves
//! ```
//!
//! Only what the user wrote is filled in: who sent a call does not choose what of the environment goes out with it.
//!
//! Time, ids, the environment and known variables, as everywhere ([`placeholders`]); a name that stands for nothing is an
//! error here. In JSON a value keeps its type where it stands alone (`"tier": {{$tier}}`), and becomes part of the text within
//! quotes.

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::variables::Variables;
use crate::call::{Headers, Packed, Request, Response};
use crate::net::placeholders::{self, Form, Value};

/// What of a value does not stand for itself in path and query. A value may be several segments of a path.
const NOT_IN_A_TARGET: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':').remove(b',');

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
        Ok(match (name.strip_prefix(placeholders::ENVIRONMENT), name.strip_prefix('$')) {
            (Some(""), _) => return Err("{{env:}}: the name is missing, as in {{env:NAME}}".to_owned()),
            (None, Some("")) => return Err("{{$}}: the name is missing, as in {{$name}}".to_owned()),
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

    /// The same as part of a path or a query.
    fn encoded(&self, name: &str) -> Result<Option<Value>, String> {
        Ok(self.of(name)?.map(|value| match value {
            Value::Braces => Value::Braces,
            value => Value::Text(utf8_percent_encode(&value.text(), NOT_IN_A_TARGET).to_string()),
        }))
    }
}

/// Whether `request` has anything to fill in.
#[must_use]
pub fn has_placeholders(request: &Request) -> bool {
    texts(request).any(|text| placeholders::find(text).any(|found| placeholders::is_known(found.name)))
}

/// What is written between double braces and stands for nothing, a sentence each: it is sent as it stands.
#[must_use]
pub fn strange(request: &Request) -> Vec<String> {
    slips(texts(request))
}

/// As [`strange`], of texts of one's own.
#[must_use]
pub fn slips<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut told = Vec::new();
    for name in texts.flat_map(placeholders::find).map(|found| found.name) {
        let meant = (!placeholders::is_known(name)).then(|| placeholders::meant(name));
        let sentence = match meant {
            None => continue,
            Some(Some(meant)) => format!("{{{{{name}}}}} is sent as it stands: did you mean {{{{{meant}}}}}?"),
            Some(None) => format!("{{{{{name}}}}} is sent as it stands: it is no placeholder"),
        };
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }
    told
}

/// Target, header values and body, those that are text.
fn texts(request: &Request) -> impl Iterator<Item = &str> {
    let headers = request.headers.iter().map(|(_, value)| value);
    let bytes = headers.chain([&request.body]).filter(|bytes| placeholders::are_in(bytes));
    std::iter::once(&*request.target).chain(bytes.filter_map(|bytes| std::str::from_utf8(bytes).ok()))
}

/// A request that came over a wire as a template that gives just this request.
#[must_use]
pub fn literal(mut request: Request) -> Request {
    request.target = placeholders::literal(&request.target);
    literal_parts(&mut request.headers, &mut request.body);
    request
}

/// A template to be edited: unpacked, where it came compressed. What it held came over the wire like the rest, be it in
/// a template.
#[must_use]
pub fn unpacked(template: Request) -> Request {
    if Packed::of(&template.headers, &template.body).is_none() {
        return template;
    }
    let mut open = template.unpacked();
    literal_parts(&mut Headers::default(), &mut open.body);
    open
}

/// As [`literal`], of an answer.
#[must_use]
pub fn literal_answer(mut response: Response) -> Response {
    literal_parts(&mut response.headers, &mut response.body);
    response
}

fn literal_parts(headers: &mut Headers, body: &mut Bytes) {
    for bytes in headers.0.iter_mut().map(|(_, value)| value).chain([body]) {
        if let (true, Ok(text)) = (placeholders::are_in(bytes), std::str::from_utf8(bytes)) {
            *bytes = placeholders::literal(text).into();
        }
    }
}

/// Fills in target, header values and body. What is not text stays.
///
/// # Errors
/// When a name stands for nothing: a sentence with the repair. The request may be filled in parts then.
pub fn fill(request: &mut Request, values: &Values<'_>) -> Result<(), String> {
    if !has_placeholders(request) {
        return Ok(());
    }
    request.target = placeholders::fill(&request.target, Form::Text, |name| values.encoded(name))?;
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

/// JSON text, filled in.
///
/// # Errors
/// When a name stands for nothing: a sentence with the repair.
pub fn fill_json(text: &str, values: &Values<'_>) -> Result<String, String> {
    filled(text, true, values)
}

/// Any other text, filled in.
///
/// # Errors
/// When a name stands for nothing: a sentence with the repair.
pub fn fill_text(text: &str, values: &Values<'_>) -> Result<String, String> {
    filled(text, false, values)
}

fn filled(text: &str, json: bool, values: &Values<'_>) -> Result<String, String> {
    placeholders::fill(text, if json { Form::Json } else { Form::Text }, |name| values.of(name))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::call::Call;
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
            target: "/at/{{$n}}?t={{$tier}}".into(),
            headers: [("X-A", "{{$tier}}")].into_iter().collect(),
            body: vec![0xff, b'{', b'{'].into(),
            ..Request::default()
        };
        let filled = fill_in(request.clone()).unwrap();
        assert_eq!((&*filled.target, filled.headers.get("x-a")), ("/at/1e3?t=go%22ld", Some("go\"ld")));
        assert_eq!(filled.body, request.body);
        assert!(has_placeholders(&request) && !has_placeholders(&Request::default()));
    }

    #[test]
    fn what_came_over_the_wire_is_not_filled_in() {
        let request = Request {
            target: "/at/{{env:HOST}}".into(),
            headers: [("X-A", "{{env:HOST}}")].into_iter().collect(),
            body: r#"{"a":"{{env:HOST}} {{uuid}}","b":{{env:HOST}},{{"#.into(),
            ..Request::default()
        };
        assert_eq!(fill_in(literal(request.clone())).unwrap(), request);
        let mut edited = literal(request.clone());
        edited.body = [&edited.body[..], b"\"{{env:HOST}}"].concat().into();
        let filled = fill_in(edited).unwrap();
        assert!(filled.body.ends_with(b",{{\"a\\\"b"), "{:?}", filled.body);
    }

    #[test]
    fn what_was_compressed_is_text_of_somebody_elses_too() {
        let held = r#"{"a":"{{env:HOST}}"}"#;
        let headers = [("content-encoding", "zstd"), ("x-a", "{{env:HOST}}")].into_iter().collect();
        let body = zstd::encode_all(held.as_bytes(), 3).unwrap().into();
        let template = Request { headers, body, ..Request::default() };
        assert_eq!(fill_in(template.clone()).unwrap().body, template.body);
        let filled = fill_in(unpacked(template)).unwrap();
        assert_eq!((&filled.body[..], filled.headers), (held.as_bytes(), [("x-a", "a\"b")].into_iter().collect()));
        let plain = Request { body: "{{env:HOST}}".into(), ..Request::default() };
        assert_eq!(unpacked(plain.clone()), plain);
    }

    #[test]
    fn a_slip_is_told_and_stays() {
        let request = Request {
            body: "{{nowms}} {{UUID}} {{now_ms+5}} {{user.name}} {{}} {{uuid}}".into(),
            ..Request::default()
        };
        let told = strange(&request).join("\n");
        for slip in [
            "mean {{now_ms}}",
            "mean {{uuid}}",
            "{{now_ms+5}} is sent as it stands: did",
            "{{user.name}} is sent as it stands: it is no",
            "{{}} is",
        ] {
            assert!(told.contains(slip), "{slip} in {told}");
        }
        assert_eq!(told.lines().count(), 5);
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_told() {
        let told = |text: &str| fill_in(Request { body: text.to_owned().into(), ..Request::default() }).unwrap_err();
        assert!(told("{{env:NONE}}").contains("no variable NONE"));
        assert!(told("{{$none}}").contains("`hooktape variables`"));
        assert!(told("{{env:}}").contains("the name is missing") && told("{{$}}").contains("the name is missing"));
    }
}
