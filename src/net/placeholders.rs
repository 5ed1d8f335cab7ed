//! Placeholders, `{{name}}`, filled in: the one way of drafts, fixtures and replies. Each says what its names stand for; these
//! mean the same everywhere:
//!
//! | written | stands for |
//! | --- | --- |
//! | `{{now_ms}}`, `{{now_s}}`, `{{now}}` | the time: milliseconds or seconds since 1970, RFC 3339 |
//! | `{{uuid}}` | a random UUID, another one at each place |
//! | `{{env:NAME}}` | a variable of the environment |
//! | `{{$name}}` | a known variable |
//!
//! Anything else between double braces stays: it may be meant for who gets it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::json::unquote;

/// The names that mean the same everywhere, each with what it stands for.
pub const NAMES: [(&str, &str); 4] = [
    ("now_ms", "milliseconds since 1970"),
    ("now_s", "seconds since 1970"),
    ("now", "the time, as RFC 3339 has it"),
    ("uuid", "a random UUID"),
];

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// JSON text.
    Json(String),
    /// Any other text.
    Text(String),
    /// Nothing: `null` in JSON, nothing in a text.
    Nothing,
}

/// What a text is, and so how values stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Values stand there as they are.
    Text,
    /// Values keep their type, and are escaped text within quotes.
    Json,
    /// The same, but a value that is alone between its quotes takes their place: `"{{request:/context}}"` is an object.
    JsonAlone,
}

/// Whether there is anything to fill in.
#[must_use]
pub fn are_in(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"{{").is_some()
}

/// Whether a text with placeholders is meant to be JSON. One that begins with a placeholder is not.
#[must_use]
pub fn is_json(text: &str) -> bool {
    let beginning = text.trim_start();
    beginning.starts_with(['{', '[', '"']) && !beginning.starts_with("{{")
}

/// What means the same everywhere and needs no more than the time.
#[must_use]
pub fn common(name: &str, now: Timestamp) -> Option<Value> {
    Some(match name {
        "now_ms" => Value::Json(now.as_millisecond().to_string()),
        "now_s" => Value::Json(now.as_second().to_string()),
        "now" => Value::Text(format!("{now:.3}")),
        "uuid" => Value::Text(Uuid::new_v4().to_string()),
        _ => return None,
    })
}

/// The text with its placeholders filled in. `value` gives what a name stands for; none: it is no name of ours and stays.
///
/// # Errors
/// Those of `value`.
pub fn fill<E>(text: &str, form: Form, mut value: impl FnMut(&str) -> Result<Option<Value>, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find("{{") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        quoted = ends_quoted(before, quoted);
        let inner = after[2..].split_once("}}");
        let found = inner.map(|(name, tail)| Ok((value(name.trim())?, tail))).transpose()?;
        let Some((Some(value), tail)) = found else {
            out.push('{');
            rest = &after[1..];
            continue;
        };
        rest = tail;
        match form {
            Form::Text => out.push_str(&value.text()),
            _ if !quoted => out.push_str(&value.json()),
            Form::JsonAlone if before.ends_with('"') && tail.starts_with('"') => {
                out.pop();
                out.push_str(&value.json());
                rest = &tail[1..];
                quoted = false;
            }
            _ => {
                let literal = serde_json::Value::String(value.text()).to_string();
                out.push_str(&literal[1..literal.len() - 1]);
            }
        }
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
            Self::Json(json) if json.starts_with('"') => unquote(&json).into_owned(),
            Self::Json(text) | Self::Text(text) => text,
            Self::Nothing => String::new(),
        }
    }
}
