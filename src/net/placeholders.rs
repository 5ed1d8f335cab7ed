//! Placeholders, `{{name}}`, filled in: the one way of drafts, fixtures and replies. Each says what its names stand for; these
//! mean the same everywhere:
//!
//! | written | stands for |
//! | --- | --- |
//! | `{{now_ms}}`, `{{now_s}}`, `{{now}}` | the time: milliseconds or seconds since 1970, RFC 3339 |
//! | `{{uuid}}` | a random UUID, another one at each place |
//! | `{{env:NAME}}` | a variable of the environment |
//! | `{{$name}}` | a known variable |
//! | `{{braces}}` | `{{` itself: what came over a wire with such braces is written so where it becomes a template ([`literal`]) |
//!
//! Anything else between double braces stays: it may be meant for who gets it.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use uuid::Uuid;

use crate::config::closest;
use crate::json;

/// The names that mean the same everywhere, each with what it stands for.
pub const NAMES: [(&str, &str); 5] = [
    ("now_ms", "milliseconds since 1970"),
    ("now_s", "seconds since 1970"),
    ("now", "the time, as RFC 3339 has it"),
    ("uuid", "a random UUID"),
    (BRACES, "two braces as text: what follows is not filled in"),
];

/// The name that stands for two braces.
pub const BRACES: &str = "braces";
/// What the name of a variable of the environment stands behind.
pub const ENVIRONMENT: &str = "env:";
/// Around a placeholder that stands for a JSON value, where the text is to be read as JSON: nobody writes these.
const HIDDEN: [char; 2] = ['\u{f_fff0}', '\u{f_fff1}'];

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// JSON text.
    Json(String),
    /// Any other text.
    Text(String),
    /// Nothing: `null` in JSON, nothing in a text.
    Nothing,
    /// `{{`, wherever it stands.
    Braces,
}

/// A placeholder in a text: a name between double braces, whether or not it stands for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// With its braces.
    pub span: Range<usize>,
    /// The name, without white space around it.
    pub name: &'a str,
    /// Whether it stands within a JSON string, where the text is JSON.
    pub quoted: bool,
}

/// What a text is, and so how values stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Values stand there as they are.
    Text,
    /// Values keep their type, and are escaped text within quotes.
    Json,
    /// As [`Self::Json`], but a value that is alone between its quotes takes their place: `"{{request:/context}}"` is
    /// an object.
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
        BRACES => Value::Braces,
        _ => return None,
    })
}

/// The placeholders of a text.
pub fn find(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let (mut at, mut quoted) = (0, false);
    std::iter::from_fn(move || {
        loop {
            let begin = at + text[at..].find("{{")?;
            quoted = ends_quoted(&text[at..begin], quoted);
            let inner = &text[begin + 2..];
            let length = inner.find(['{', '}', '"', '\n']).unwrap_or(inner.len());
            at = begin + 1;
            if inner[length..].starts_with("}}") {
                at = begin + 2 + length + 2;
                return Some(Placeholder { span: begin..at, name: inner[..length].trim(), quoted });
            }
        }
    })
}

/// Whether something of the environment is filled in: a secret, for all one knows.
#[must_use]
pub fn ask_the_environment(text: &str) -> bool {
    find(text).any(|found| found.name.starts_with(ENVIRONMENT))
}

/// The text as a template that gives just this text: its braces are no placeholders any more.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace("{{", "{{braces}}")
}

/// Whether a name is one that drafts know, be there a value for it or not.
#[must_use]
pub fn is_known(name: &str) -> bool {
    name.starts_with('$') || name.starts_with(ENVIRONMENT) || NAMES.iter().any(|(known, _)| *known == name)
}

/// The name that a word between double braces may be a slip of.
#[must_use]
pub fn meant(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let known = NAMES.map(|(known, _)| known);
    let head = word.split(['+', '-', ' ', '|', '(']).next().unwrap_or_default();
    closest(&word, &known).or_else(|| closest(head, &known))
}

/// Where placeholders stand for JSON values, and are none themselves.
fn values(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    find(text).filter(|found| !found.quoted && found.name != BRACES && is_known(found.name))
}

/// A template of JSON as JSON: what stands for a value is a string. [`shown`] is the way back.
#[must_use]
pub fn hidden(text: &str) -> Cow<'_, str> {
    if !are_in(text.as_bytes()) || text.contains(HIDDEN) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut done) = (String::with_capacity(text.len() + 16), 0);
    for Placeholder { span, .. } in values(text) {
        out.push_str(&text[done..span.start]);
        done = span.end;
        out.extend(['"', HIDDEN[0]]);
        out.push_str(&text[span]);
        out.extend([HIDDEN[1], '"']);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// What [`hidden`] made a string as it was.
#[must_use]
pub fn shown(text: String) -> String {
    if !text.contains(HIDDEN) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for Placeholder { span, .. } in find(&text).filter(|found| is_known(found.name) && found.name != BRACES) {
        let begin = text[done..span.start].strip_suffix(HIDDEN[0]).and_then(|before| before.strip_suffix('"'));
        let end = text[span.end..].strip_prefix(HIDDEN[1]).and_then(|after| after.strip_prefix('"'));
        if let (Some(before), Some(after)) = (begin, end) {
            shown.push_str(before);
            shown.push_str(&text[span]);
            done = text.len() - after.len();
        }
    }
    shown.push_str(&text[done..]);
    shown
}

/// A template of JSON as JSON of the same length: what stands for a value is a number. Faults have the same place in it.
#[must_use]
pub fn levelled(text: &str) -> Cow<'_, str> {
    if !are_in(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for Placeholder { span, .. } in values(text) {
        out.push_str(&text[done..span.start]);
        done = span.end;
        out.push('0');
        out.extend(std::iter::repeat_n(' ', text[span].chars().count() - 1));
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The text with its placeholders filled in. `value` gives what a name stands for; none: it is no name of ours and stays.
///
/// # Errors
/// Those of `value`.
pub fn fill<E>(text: &str, form: Form, mut value: impl FnMut(&str) -> Result<Option<Value>, E>) -> Result<String, E> {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for Placeholder { span, name, quoted } in find(text) {
        let Some(value) = value(name)? else { continue };
        let (before, after) = (&text[done..span.start], &text[span.end..]);
        out.push_str(before);
        done = span.end;
        match (form, value) {
            (_, Value::Braces) => out.push_str("{{"),
            (Form::Text, value) => out.push_str(&value.text()),
            (_, value) if !quoted => out.push_str(&value.json()),
            (Form::JsonAlone, value) if opens_a_string(before) && after.starts_with('"') => {
                out.pop();
                out.push_str(&value.json());
                done += 1;
            }
            (_, value) => {
                let literal = serde_json::Value::String(value.text()).to_string();
                out.push_str(&literal[1..literal.len() - 1]);
            }
        }
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// Whether JSON text that ends within a string has just begun it.
fn opens_a_string(text: &str) -> bool {
    text.ends_with('"') && !text.ends_with("\\\"")
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
            Self::Braces => "{{".to_owned(),
        }
    }

    /// As part of a text.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Json(value) => json::text(&value).into_owned(),
            Self::Text(text) => text,
            Self::Nothing => String::new(),
            Self::Braces => "{{".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> String {
        let form = if is_json(text) { Form::Json } else { Form::Text };
        let value = |name: &str| {
            Ok(match name {
                "env:SECRET" | "$x" => Some(Value::Text("secret".to_owned())),
                name => common(name, Timestamp::UNIX_EPOCH),
            })
        };
        fill::<()>(text, form, value).unwrap()
    }

    #[test]
    fn placeholders_are_names_between_two_braces() {
        let found = |text| find(text).map(|found| (found.name, found.quoted)).collect::<Vec<_>>();
        assert_eq!(found(r#"{"a":{{ now }},"b":"{{{uuid}}","c":{{}}}"#), [("now", false), ("uuid", true), ("", false)]);
        assert_eq!(found("{{a\nb}} {{a\"b}} {{a{b}} {{a"), []);
    }

    #[test]
    fn a_template_of_json_is_laid_out_and_checked_like_json() {
        let text = r#"{"d":{{now_ms}},"t":"{{$x}}","n": {{$x}}}"#;
        assert_eq!(shown(crate::json::compact(&hidden(text)).unwrap()), text.replace(": ", ":"));
        assert_eq!(levelled(text).len(), text.len());
        assert!(crate::json::check(&levelled(text)).is_ok());
        assert!(crate::json::check(&levelled(r#"{"d":{{nowms}}}"#)).is_err(), "nothing takes its place");
    }

    proptest! {
        #[test]
        fn what_was_made_literal_is_filled_with_nothing(
            text in "([{}\"\\\\: a\n]|\\{\\{|\\{\\{(env:SECRET|\\$x|now|braces)\\}\\}){0,12}",
        ) {
            prop_assert_eq!(filled(&literal(&text)), text);
        }
    }
}
