//! HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>). What it has no place for stands in `_hooktape`, and
//! bytes that are no text in base64.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use serde_json::{Map, Value, json};

use super::{Report, url};
use crate::call::{Call, Headers, reason};
use crate::recording::facts::Facts;

pub(super) fn begin(out: &mut impl Write) -> io::Result<()> {
    let creator = json!({ "name": "hooktape", "version": env!("CARGO_PKG_VERSION") });
    writeln!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")
}

pub(super) fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"\n]}}\n")
}

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer(out, &entry(report)).map_err(io::Error::from)
}

fn entry(report: &Report) -> Value {
    let call = &report.call;
    let millis = call.took.as_secs_f64() * 1000.0;
    let facts = serde_json::to_value(Facts::of(call)).unwrap_or_default();
    let mut ours = json!({ "answered": call.response.is_some() });
    if let (Value::Object(ours), Value::Object(facts)) = (&mut ours, facts) {
        ours.extend(facts);
        if let Some(judgement) = &report.judgement {
            let verdict = &judgement.verdict;
            let verdict = json!({ "sig": verdict.sig, "reason": verdict.reason, "why": judgement.why });
            ours.insert("verdict".into(), verdict);
        }
        ours.insert("findings".into(), json!({ "request": report.request, "response": report.response }));
        ours.insert("remarks".into(), json!(report.remarks));
    }
    let mut entry = json!({
        "startedDateTime": format!("{:.6}", call.at),
        "time": millis,
        "request": request(call),
        "response": response(call),
        "cache": {},
        "timings": { "send": 0, "wait": millis, "receive": 0 },
        "_hooktape": ours,
    });
    if let Some(note) = &report.remarks.note {
        entry["comment"] = json!(note);
    }
    entry
}

fn request(call: &Call) -> Value {
    let request = &call.request;
    let query = request.query().unwrap_or_default();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let mut object = json!({
        "method": request.method,
        "url": url(call),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&request.headers),
        "queryString": pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": request.body.len(),
    });
    if !request.body.is_empty()
        && let Value::Object(object) = &mut object
    {
        // The specification has no encoding here, so it is one of our own names.
        object.insert("postData".into(), content(&request.headers, &request.body, "_encoding").into());
    }
    object
}

/// HAR has no call without a response: one that got none has the status 0.
fn response(call: &Call) -> Value {
    let none = crate::call::Response::default();
    let response = call.response.as_ref().unwrap_or(&none);
    let mut content = content(&response.headers, &response.body, "encoding");
    content.insert("size".into(), response.body.len().into());
    json!({
        "status": response.status,
        "statusText": reason(response.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&response.headers),
        "content": content,
        "redirectURL": response.headers.get("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": response.body.len(),
    })
}

fn headers(headers: &Headers) -> Vec<Value> {
    let field = |(name, value): (&str, &bytes::Bytes)| match std::str::from_utf8(value) {
        Ok(text) => json!({ "name": name, "value": text }),
        Err(_) => {
            json!({ "name": name, "value": String::from_utf8_lossy(value), "_base64": BASE64.encode(value) })
        }
    };
    headers.iter().map(field).collect()
}

fn content(headers: &Headers, body: &[u8], encoding: &str) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert("mimeType".into(), headers.get("content-type").unwrap_or_default().into());
    if let Ok(text) = std::str::from_utf8(body) {
        content.insert("text".into(), text.into());
    } else {
        content.insert("text".into(), BASE64.encode(body).into());
        content.insert(encoding.into(), "base64".into());
    }
    content
}
