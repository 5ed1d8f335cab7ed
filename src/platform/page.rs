//! What a page sends back to the platform that opened it: `[kind.page]` of a pack, filled in from the page's query.
//!
//! ```text
//! GET /page?session_id=S&...   --Platforms::page_call()-->   POST /v1/webview/I, X-Moveo-Session-Id: S, {"context": {}}
//! ```
//!
//! `{NAME}` stands for a parameter of the query, `{ONE|OTHER}` for the first of them that is there. What is nothing but
//! such a place is left out where the query has none of them: the callback then lacks what a real one would.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use super::{Kind, Platforms};
use crate::call::{Headers, Request};
use crate::signature;

/// What does not stand for itself in a segment of a path: all but the unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `[kind.page]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageSpec {
    /// The kind that the page calls back with.
    pub calls: Spanned<String>,
    /// The path that it calls.
    pub target: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What its token says.
    #[serde(default)]
    pub claims: Map<String, Value>,
    #[serde(default)]
    pub body: Map<String, Value>,
    pub form: Form,
}

/// What one fills in, and where in the body it goes: JSON Pointers to members of the whole body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Where the variables go.
    pub variables: String,
    /// Whether they are an object, or a list of `{name, value}` whose values are text.
    #[serde(default)]
    pub list: bool,
    /// Where it says whether the page succeeded, if it does.
    pub success: Option<String>,
    /// Where a message goes, if there can be one.
    pub message: Option<String>,
}

/// A page's callback, but for what one fills in.
#[derive(Clone, Debug)]
pub struct PageCall<'a> {
    /// What it is.
    pub kind: &'a Kind,
    /// The request, signed by nobody.
    pub request: Request,
    /// What is to be filled in.
    pub form: &'a Form,
}

impl Platforms {
    /// What a page opened by `open`, a call of `kind`, calls back with. None where `kind` opens no page.
    #[must_use]
    pub fn page_call<'a>(&'a self, kind: &'a Kind, open: &Request) -> Option<PageCall<'a>> {
        let spec = kind.spec.page.as_ref()?;
        let calls = self.kind(&format!("{}/{}", kind.platform(), spec.calls.as_ref()))?;
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(open.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let sample = calls.sample();
        let mut headers = Headers::default();
        headers.push("content-type", "application/json");
        for (name, text) in &spec.headers {
            if let Some(value) = fill(text, &query) {
                headers.set(name, value);
            }
        }
        if let Some((_, scheme)) = calls.scheme()
            && !spec.claims.is_empty()
            && let Some(token) = signature::carry(scheme, &filled(&spec.claims, &query))
        {
            headers.set(&scheme.header, token);
        }
        let escaped: Vec<(String, String)> = query.iter().map(|(name, value)| (name.clone(), escape(value))).collect();
        let target = fill(&spec.target, &escaped).unwrap_or_default();
        let body = Value::Object(filled(&spec.body, &query)).to_string().into();
        let request = Request { method: sample.method, target, headers, body, ..Request::default() };
        Some(PageCall { kind: calls, request, form: &spec.form })
    }
}

/// A value as one segment of a path (RFC 3986, 3.3).
fn escape(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, SEGMENT).to_string()
}

/// The members whose text is there.
fn filled(members: &Map<String, Value>, query: &[(String, String)]) -> Map<String, Value> {
    let fill = |value: &Value| match value {
        Value::String(text) => fill(text, query).map(Value::String),
        other => Some(other.clone()),
    };
    members.iter().filter_map(|(name, value)| Some((name.clone(), fill(value)?))).collect()
}

/// `text` with its places filled in. None where it is but one place, and that is empty.
fn fill(text: &str, query: &[(String, String)]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, place, after)) = split(rest) {
        let value =
            place.split('|').find_map(|wanted| query.iter().find(|(name, value)| name == wanted && !value.is_empty()));
        if value.is_none() && before.is_empty() && after.is_empty() && filled.is_empty() {
            return None;
        }
        filled += before;
        filled += value.map_or("", |(_, value)| value);
        rest = after;
    }
    Some(filled + rest)
}

/// What stands before the first `{...}`, in it, and after it.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_from_the_query_and_left_out_where_it_has_none() {
        let query = [("a".to_owned(), "1".to_owned()), ("c".to_owned(), String::new())];
        for (text, expected) in [
            ("x", Some("x")),
            ("{a}", Some("1")),
            ("{b|a}", Some("1")),
            ("{b}", None),
            ("{c}", None),
            ("/v1/{a}/{b}/z", Some("/v1/1//z")),
            ("/{b", Some("/{b")),
        ] {
            assert_eq!(fill(text, &query).as_deref(), expected, "{text}");
        }
    }
}
