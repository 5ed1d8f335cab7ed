//! Calls, findings and verdicts as text and as JSON lines.

use serde_json::{Value, json};

use crate::call::{Call, Direction, Headers};
use crate::cli::{Context, Format};
use crate::platform::{Finding, Platforms};
use crate::recording::Entry;
use crate::visible;

/// Columns of the user's text in a line.
const TEXT: usize = 48;

/// One line for a call: what a list shows of it.
pub(super) fn call_line(entry: &Entry, call: Option<&Call>, platforms: &Platforms, format: Format) -> String {
    let text = call.and_then(|call| {
        let kind = platforms.kind(call.kind.as_deref()?)?;
        kind.read(&call.request).text
    });
    let error = call.and_then(|call| call.error.as_deref());
    match format {
        Format::Json => {
            let mut value = summary(entry);
            value["event"] = "call".into();
            value["text"] = text.into();
            value["error"] = error.into();
            value.to_string()
        }
        Format::Text => {
            let direction = match entry.direction {
                Direction::Received => "↓",
                Direction::Sent => "↑",
            };
            let kind =
                entry.kind.as_deref().map_or_else(|| format!("{} {}", entry.method, entry.path), ToOwned::to_owned);
            let status = entry.status.map_or_else(|| "ERR".to_owned(), |status| status.to_string());
            let said = text.map(|text| format!("“{text}”")).or(error.map(ToOwned::to_owned)).unwrap_or_default();
            let said = visible::line(&said);
            format!(
                "{} {} {direction} {:22} {:9} {status} {:>9} {}",
                short(&entry.id.to_string()),
                entry.at.strftime("%H:%M:%SZ"),
                visible::truncate(&visible::line(&kind), 40),
                entry.sig.map_or("", crate::call::Sig::word),
                millis(entry.took_us),
                visible::truncate(&said, TEXT),
            )
            .trim_end()
            .to_owned()
        }
    }
}

/// The part of an id that is enough to name a call of one recording: its time, and the first of its random digits.
pub(super) fn short(id: &str) -> String {
    id.get(..18).unwrap_or(id).to_owned()
}

/// `1.8 ms`.
pub(super) fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

/// The summary fields of a call.
pub(super) fn summary(entry: &Entry) -> Value {
    json!({
        "schema": 1,
        "id": entry.id,
        "at": entry.at,
        "dir": entry.direction,
        "kind": entry.kind.as_deref(),
        "conv": entry.conversation.as_deref(),
        "sig": entry.sig,
        "method": &*entry.method,
        "path": &*entry.path,
        "status": entry.status,
        "took_us": entry.took_us,
        "size": entry.size,
        "parent": entry.parent,
    })
}

/// A body as a recording has it: parsed where it is JSON, as text where it is text, else in base64.
pub(super) fn body(bytes: &[u8]) -> (&'static str, Value) {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text", text.into()),
        Err(_) => ("base64", base64::engine::general_purpose::STANDARD.encode(bytes).into()),
    }
}

/// A message's headers and body as a JSON object.
pub(super) fn message(headers: &Headers, bytes: &[u8]) -> Value {
    let fields: Vec<Value> = headers.iter().map(|(name, value)| json!([name, visible::bytes(value)])).collect();
    let (form, text) = body(bytes);
    json!({ "headers": fields, form: text })
}

/// Findings, one a line, with place and source.
pub(super) fn findings(found: &[Finding]) -> String {
    let mut text = String::new();
    for finding in found {
        let place = if finding.pointer.is_empty() { String::new() } else { format!("{}: ", finding.pointer) };
        let source = if finding.source.is_empty() { String::new() } else { format!(" ({})", finding.source) };
        let line = format!("  {:8} {place}{}{source}", finding.severity.word(), finding.sentence);
        text.push_str(&visible::line(&line));
        text.push('\n');
    }
    text
}

/// Header fields, one a line.
pub(super) fn headers(headers: &Headers) -> String {
    let lines = headers.iter().map(|(name, value)| format!("  {}: {}\n", visible::line(name), visible::bytes(value)));
    lines.collect::<Vec<_>>().concat()
}

/// A line to standard output.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn out(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{line}")
}

/// A duration in whole microseconds, as recordings have it.
pub(super) fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A sent call and what came back.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn sent(context: &Context, call: &Call) -> std::io::Result<()> {
    if context.format == Format::Json {
        return out(&sent_json(context, call).to_string());
    }
    eprintln!("{} {} ({})", call.request.method, visible::line(&call.request.url()), signed(call));
    if let Some(error) = &call.error {
        eprintln!("{}", visible::line(error));
    }
    let Some(response) = &call.response else { return Ok(()) };
    out(&format!("{} in {}, {} bytes", response.status, millis(micros(call.took)), response.body.len()))?;
    if !response.body.is_empty() {
        let shown = match std::str::from_utf8(&response.body) {
            Ok(body) => visible::text(body),
            Err(_) => visible::bytes(&response.body),
        };
        out(&shown)?;
    }
    eprint!("{}", findings(&response_findings(context, call)));
    Ok(())
}

/// A sent call and what came back, as a JSON object.
pub(super) fn sent_json(context: &Context, call: &Call) -> Value {
    let mut value = summary(&Entry::from_call(call, crate::recording::Place { offset: 0, len: 0 }));
    value["url"] = call.request.url().into();
    value["error"] = call.error.clone().into();
    value["response"] = call.response.as_ref().map(|response| message(&response.headers, &response.body)).into();
    value["findings"] = json!(response_findings(context, call));
    value
}

fn response_findings(context: &Context, call: &Call) -> Vec<Finding> {
    let kind = call.kind.as_deref().and_then(|name| context.platforms.kind(name));
    match (kind, &call.response) {
        (Some(kind), Some(response)) => kind.check_response(response),
        _ => Vec::new(),
    }
}

fn signed(call: &Call) -> String {
    call.sig.map_or_else(|| "no contract".to_owned(), |sig| format!("signature {}", sig.word()))
}
