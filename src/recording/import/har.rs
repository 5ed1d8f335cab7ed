//! HTTP Archive 1.2, of any program that writes it.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Foreign, ImportError, Imported, address, check, is_no_call, ours};
use crate::call::{Call, Headers, Request, Response};
use crate::recording::facts::Facts;
use crate::recording::format::without_place;
use crate::recording::{Annotation, Remarks};
use crate::visible;

/// Longest name, in bytes, of a header of which one value makes several fields: each of them has it again.
const LONGEST_NAME: usize = 64;

/// Longest text between the parts of a form (RFC 2046, 5.1.1): it stands before each of them.
const LONGEST_BOUNDARY: usize = 70;

/// An archive, its entries unread: one of them may hold what is no text, half a character say.
#[derive(Deserialize)]
struct Archive {
    log: Option<Log>,
}

#[derive(Deserialize)]
struct Log {
    entries: Option<Vec<Box<RawValue>>>,
}

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Imported, ImportError> {
    let archive: Archive = serde_json::from_slice(text).map_err(|error| {
        ImportError::new(format!("line {}, column {}", error.line(), error.column()), without_place(&error))
    })?;
    let Some(entries) = archive.log.and_then(|log| log.entries) else {
        return Err(ImportError::new("/log/entries", "there is no such list, so this is no HTTP Archive"));
    };
    let mut found = Imported::default();
    let mut foreign = Foreign::new(now);
    for (index, entry) in entries.iter().enumerate() {
        let read = serde_json::from_str::<Value>(entry.get())
            .map_err(|error| fault("", without_place(&error)))
            .and_then(|entry| Ok((call(&entry, &mut foreign)?, remarks(&entry)?)));
        let place = |pointer: &str| format!("entry {}, /log/entries/{index}{pointer}", index + 1);
        match read {
            Ok((call, remarks)) => {
                found.said.extend(remarks.changes().map(|change| Annotation { call: call.id, at: now, change }));
                found.calls.push(call);
            }
            Err(Unread { pointer, message }) => found.leave_out(ImportError::new(place(&pointer), message)),
        }
    }
    Ok(found)
}

/// What was said of the call: by us, or in the comment that the specification has a place for.
fn remarks(entry: &Value) -> Result<Remarks, Unread> {
    if let Some(ours) = entry.pointer("/_hooktape/remarks") {
        return serde_json::from_value(ours.clone()).map_err(|error| fault("/_hooktape/remarks", error.to_string()));
    }
    let comment = entry.get("comment").and_then(Value::as_str).filter(|comment| !comment.is_empty());
    Ok(Remarks { note: comment.map(Into::into), ..Remarks::default() })
}

/// Why there is no call of an entry: it was none, the archive does not have all of it, or it is wrong.
struct Unread {
    /// Where in it.
    pointer: String,
    message: String,
}

fn fault(pointer: &str, message: impl Into<String>) -> Unread {
    Unread { pointer: pointer.to_owned(), message: message.into() }
}

fn call(entry: &Value, foreign: &mut Foreign) -> Result<Call, Unread> {
    let url = text(entry, "/request/url")?;
    if is_no_call(url) {
        let shown: String = url.chars().take(60).collect();
        return Err(fault("", format!("{shown:?} is not called with HTTP")));
    }
    let mut request = Request {
        method: text(entry, "/request/method")?.to_owned(),
        headers: headers(entry, "/request/headers")?,
        body: request_body(entry)?,
        ..Request::default()
    };
    if request.body.is_empty() {
        // Where a browser has not kept it, the size is 0. Ours may be a call that was cut.
        let length = request.headers.get("content-length").filter(|_| entry.get("_hooktape").is_none());
        let length = length.and_then(|length| length.trim().parse().ok());
        is_held("request", size(entry, "/request/bodySize").max(length))?;
    }
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
    let mut response = if answered {
        Some(Response {
            status: u16::try_from(status).map_err(|_| fault("/response/status", "this is no status"))?,
            headers: headers(entry, "/response/headers")?,
            body: body(entry, "/response/content")?,
        })
    } else {
        None
    };
    if let Some(response) = response.as_ref().filter(|response| response.body.is_empty())
        && request.method != "HEAD"
        && response.status != 304
    {
        is_held("response", size(entry, "/response/content/size").or_else(|| size(entry, "/response/bodySize")))?;
    }
    let at = match entry.get("startedDateTime") {
        None => None,
        Some(at) => Some(
            at.as_str()
                .and_then(|at| at.parse().ok())
                .ok_or_else(|| fault("/startedDateTime", "this is no time: write 2026-11-21T10:02:11.120Z"))?,
        ),
    };
    let call = if let Some((facts, _)) = facts {
        ours(facts, request, response, url).map_err(|message| fault("/request/url", message))?
    } else {
        address(url).map_err(|message| fault("/request/url", message))?.put(&mut request);
        if let Some(response) = &mut response {
            forget_coding(response);
        }
        let millis = entry.get("time").and_then(Value::as_f64).unwrap_or_default();
        let took = Duration::try_from_secs_f64((millis * 1000.0).round() / 1e6).unwrap_or_default();
        foreign.call(at, took, request, response)
    };
    check(&call.request, call.response.as_ref(), call.is_no_request()).map_err(|message| fault("", message))?;
    Ok(call)
}

fn text<'a>(entry: &'a Value, pointer: &str) -> Result<&'a str, Unread> {
    entry.pointer(pointer).and_then(Value::as_str).ok_or_else(|| fault(pointer, "there is no such string"))
}

fn headers(entry: &Value, pointer: &str) -> Result<Headers, Unread> {
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
        if let Some(bytes) = member("_base64") {
            headers.push(name, decode(bytes).map_err(|error| fault(&pointer, error))?);
            continue;
        }
        // Browsers join what came in several fields, with line ends where a comma would not do.
        if value.contains('\n') && name.len() > LONGEST_NAME {
            let shown = visible::excerpt(name, LONGEST_NAME);
            let message = format!("the header {shown} has several lines, and a name of more than {LONGEST_NAME} bytes");
            return Err(fault(&pointer, message));
        }
        for value in value.split('\n') {
            headers.push(name, value.trim_end_matches('\r').to_owned());
        }
    }
    Ok(headers)
}

/// The body of a request: its text, or what its form holds.
fn request_body(entry: &Value) -> Result<Bytes, Unread> {
    let pointer = "/request/postData";
    let told = body(entry, pointer)?;
    let member = |name: &str| entry.pointer(pointer).and_then(|data| data.get(name));
    match member("params").and_then(Value::as_array) {
        Some(params) if told.is_empty() && !params.is_empty() => {
            let kind = member("mimeType").and_then(Value::as_str).unwrap_or_default();
            let multipart = kind.trim_start().to_ascii_lowercase().starts_with("multipart/");
            Ok(if multipart { parts(params, kind)? } else { form(params) }.into())
        }
        _ => Ok(told),
    }
}

/// How many bytes a body has, where the archive tells: what it does not know is -1.
fn size(entry: &Value, pointer: &str) -> Option<u64> {
    entry.pointer(pointer).and_then(Value::as_u64)
}

/// Whether a body is empty of which that is told: programs leave bodies out, too.
fn is_held(side: &str, told: Option<u64>) -> Result<(), Unread> {
    let Some(bytes) = told.filter(|bytes| *bytes > 0) else { return Ok(()) };
    let bytes = visible::count(bytes, "byte");
    Err(fault(
        "",
        format!(
            "its {side} has a body of {bytes}, which the archive does not hold: save it again with the bodies in it"
        ),
    ))
}

fn body(entry: &Value, pointer: &str) -> Result<Bytes, Unread> {
    let Some(content) = entry.pointer(pointer) else { return Ok(Bytes::new()) };
    let member = |name: &str| content.get(name).and_then(Value::as_str);
    match (member("text"), member("encoding").or(member("_encoding"))) {
        (None, _) => Ok(Bytes::new()),
        (Some(text), Some("base64")) => {
            decode(text).map(Bytes::from).map_err(|error| fault(&format!("{pointer}/text"), error))
        }
        (Some(text), None | Some("")) => Ok(text.to_owned().into()),
        (Some(_), Some(other)) => Err(fault(pointer, format!("{other:?} is no encoding known here: base64 is"))),
    }
}

/// Takes away a `content-encoding` that the body has no longer: an archive has bodies as they are once unpacked.
fn forget_coding(response: &mut Response) {
    let packed = [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd"].iter().any(|magic| response.body.starts_with(magic));
    // Brotli and deflate begin with anything, but neither is text.
    if !packed && !response.body.is_empty() && str::from_utf8(&response.body).is_ok() {
        response.headers.remove("content-encoding");
    }
}

/// A form in parts (RFC 7578), as browsers put it together.
fn parts(params: &[Value], kind: &str) -> Result<String, Unread> {
    let boundary = kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    });
    let boundary = boundary.filter(|boundary| !boundary.is_empty()).ok_or_else(|| {
        fault("", "its body is a form in parts, and the archive does not say what stands between them")
    })?;
    if boundary.len() > LONGEST_BOUNDARY {
        let why = format!(
            "its body is a form in parts with a boundary of more than {LONGEST_BOUNDARY} characters, which no form may have"
        );
        return Err(fault("", why));
    }
    let mut body = String::new();
    for param in params {
        let member = |name: &str| param.get(name).and_then(Value::as_str);
        let escaped = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let name = member("name").unwrap_or_default();
        let file = member("fileName").filter(|file| !file.is_empty());
        let value = match (member("value"), file) {
            (Some(value), None) => value,
            (Some(value), Some(_)) if !value.is_empty() => value,
            (None, None) => "",
            (_, Some(file)) => {
                return Err(fault("", format!("its body has the file {file:?}, which the archive does not hold")));
            }
        };
        let _ = write!(body, "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escaped(name));
        if let Some(file) = file {
            let kind = member("contentType").filter(|kind| !kind.is_empty()).unwrap_or("application/octet-stream");
            let _ = write!(body, "; filename=\"{}\"\r\nContent-Type: {kind}", escaped(file));
        }
        let _ = write!(body, "\r\n\r\n{value}\r\n");
    }
    let _ = write!(body, "--{boundary}--\r\n");
    Ok(body)
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
