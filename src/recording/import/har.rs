//! HTTP Archive 1.2, of any program that writes it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{ImportError, Imported, add_host, check, foreign, place};
use crate::call::{Call, Headers, Request, Response};
use crate::recording::facts::Facts;
use crate::recording::{Annotation, Remarks};

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Imported, ImportError> {
    let archive: Value = serde_json::from_slice(text).map_err(|error| {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        ImportError::new(format!("line {}, column {}", error.line(), error.column()), message)
    })?;
    let Some(entries) = archive.pointer("/log/entries").and_then(Value::as_array) else {
        return Err(ImportError::new("/log/entries", "there is no such list, so this is no HTTP Archive"));
    };
    let mut found = Imported::default();
    for (index, entry) in entries.iter().enumerate() {
        let (call, remarks) =
            call(entry, now).and_then(|call| Ok((call, remarks(entry)?))).map_err(|(pointer, message)| {
                ImportError::new(format!("entry {}, /log/entries/{index}{pointer}", index + 1), message)
            })?;
        found.said.extend(remarks.changes().map(|change| Annotation { call: call.id, at: now, change }));
        found.calls.push(call);
    }
    Ok(found)
}

/// What was said of the call: by us, or in the comment that the specification has a place for.
fn remarks(entry: &Value) -> Result<Remarks, Fault> {
    if let Some(ours) = entry.pointer("/_hooktape/remarks") {
        return serde_json::from_value(ours.clone()).map_err(|error| fault("/_hooktape/remarks", error.to_string()));
    }
    let comment = entry.get("comment").and_then(Value::as_str).filter(|comment| !comment.is_empty());
    Ok(Remarks { note: comment.map(Into::into), ..Remarks::default() })
}

/// Where in an entry, and what.
type Fault = (String, String);

fn fault(pointer: &str, message: impl Into<String>) -> Fault {
    (pointer.to_owned(), message.into())
}

fn call(entry: &Value, now: Timestamp) -> Result<Call, Fault> {
    let url = text(entry, "/request/url")?;
    let mut request = Request {
        method: text(entry, "/request/method")?.to_owned(),
        headers: headers(entry, "/request/headers")?,
        body: body(entry, "/request/postData")?,
        ..Request::default()
    };
    let facts = match entry.get("_hooktape") {
        None => None,
        Some(ours) => {
            let facts: Facts =
                serde_json::from_value(ours.clone()).map_err(|error| fault("/_hooktape", error.to_string()))?;
            Some((facts, ours.get("answered") == Some(&Value::Bool(true))))
        }
    };
    let status = entry.pointer("/response/status").and_then(Value::as_u64).unwrap_or_default();
    let answered = facts.as_ref().map_or(status > 0, |(_, answered)| *answered);
    let response = if answered {
        Some(Response {
            status: u16::try_from(status).map_err(|_| fault("/response/status", "this is no status"))?,
            headers: headers(entry, "/response/headers")?,
            body: body(entry, "/response/content")?,
        })
    } else {
        None
    };
    let call = if let Some((facts, _)) = facts {
        facts.call(request, response)
    } else {
        let (host, target) = place(url).map_err(|message| fault("/request/url", message))?;
        request.target = target;
        add_host(&mut request.headers, host);
        let at = match entry.get("startedDateTime") {
            None => now,
            Some(at) => at
                .as_str()
                .and_then(|at| at.parse().ok())
                .ok_or_else(|| fault("/startedDateTime", "this is no time: write 2026-11-21T10:02:11.120Z"))?,
        };
        let millis = entry.get("time").and_then(Value::as_f64).unwrap_or_default();
        let took = Duration::try_from_secs_f64((millis * 1000.0).round() / 1e6).unwrap_or_default();
        foreign(at, took, request, response)
    };
    check(&call.request, call.response.as_ref()).map_err(|message| fault("", message))?;
    Ok(call)
}

fn text<'a>(entry: &'a Value, pointer: &str) -> Result<&'a str, Fault> {
    entry.pointer(pointer).and_then(Value::as_str).ok_or_else(|| fault(pointer, "there is no such string"))
}

fn headers(entry: &Value, pointer: &str) -> Result<Headers, Fault> {
    let mut headers = Headers::default();
    for (index, field) in entry.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let member = |name: &str| field.get(name).and_then(Value::as_str);
        let (Some(name), Some(value)) = (member("name"), member("value")) else {
            return Err(fault(&pointer, "a header has a `name` and a `value`, both strings"));
        };
        // HTTP/2 has the request line there.
        if name.starts_with(':') {
            continue;
        }
        let value = match member("_base64") {
            Some(bytes) => Bytes::from(decode(bytes).map_err(|error| fault(&pointer, error))?),
            // Browsers join what came in several fields.
            None => value.to_owned().into(),
        };
        headers.push(name, value);
    }
    Ok(headers)
}

fn body(entry: &Value, pointer: &str) -> Result<Bytes, Fault> {
    let Some(content) = entry.pointer(pointer) else { return Ok(Bytes::new()) };
    let member = |name: &str| content.get(name).and_then(Value::as_str);
    match (member("text"), member("encoding").or(member("_encoding"))) {
        (None, _) => match content.get("params").and_then(Value::as_array) {
            Some(params) if !params.is_empty() => Ok(form(params).into()),
            _ => Ok(Bytes::new()),
        },
        (Some(text), Some("base64")) => {
            decode(text).map(Bytes::from).map_err(|error| fault(&format!("{pointer}/text"), error))
        }
        (Some(text), None | Some("")) => Ok(text.to_owned().into()),
        (Some(_), Some(other)) => Err(fault(pointer, format!("{other:?} is no encoding known here: base64 is"))),
    }
}

/// A form of which only the fields are kept.
fn form(params: &[Value]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for param in params {
        let member = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or_default();
        form.append_pair(member("name"), member("value"));
    }
    form.finish()
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    BASE64.decode(text).map_err(|error| format!("this is not base64: {error}"))
}
