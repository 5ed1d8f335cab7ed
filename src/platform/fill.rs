//! Answers with something of the call in them: what a platform asks for before it trusts an endpoint.
//!
//! ```text
//! { challenge = "{/challenge}" }               a value of the document
//! "{query:hub.challenge}"                      a parameter of the query; also {header:NAME}
//! { encryptedToken = "{sign:/plainToken}" }    a value signed as the kind's scheme signs, with the secret that the call is signed with
//! ```

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::doc::{Doc, text};
use crate::call::Request;
use crate::config::Secret;
use crate::signature::{self, Place, Scheme};

/// What placeholders are filled from.
pub(super) struct Filler<'a> {
    pub request: &'a Request,
    pub doc: &'a Doc<'a>,
    pub scheme: Option<&'a Scheme>,
    pub secrets: &'a [&'a Secret],
}

/// What stands in braces as a placeholder with a word in front does, and is none: `seal:/a`.
pub(super) fn unknown(template: &str) -> impl Iterator<Item = &str> {
    let names = template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.filter(|name| {
        name.split_once(':').is_some_and(|(word, place)| {
            let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
            let is_known = matches!(word, "query" | "header") || (word == "sign" && place.starts_with('/'));
            is_word && !place.is_empty() && !place.contains(char::is_whitespace) && !is_known
        })
    })
}

impl Filler<'_> {
    /// The value with the placeholders in its strings filled.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(template) => Value::String(self.text(template)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(members) => {
                let filled = |(name, value): (&String, &Value)| (name.clone(), self.value(value));
                Value::Object(members.iter().map(filled).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    /// The text with its placeholders filled; what is no placeholder stays.
    pub(super) fn text(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            filled.push_str(before);
            let known = after[1..].split_once('}').and_then(|(name, rest)| Some((self.placeholder(name)?, rest)));
            if let Some((value, after)) = known {
                filled.push_str(&value);
                rest = after;
            } else {
                filled.push('{');
                rest = &after[1..];
            }
        }
        filled + rest
    }

    /// Of several secrets the one that the call is signed with: the platform may know one that was replaced here, or not yet.
    fn signer(&self) -> Option<&Secret> {
        let scheme = self.scheme.filter(|_| self.secrets.len() > 1)?;
        let signed = |secret: &&&Secret| {
            // Out of its time it is authentic still, so the time does not matter.
            signature::sig(scheme, self.request, &[**secret], Timestamp::UNIX_EPOCH).is_authentic()
        };
        self.secrets.iter().find(signed).copied()
    }

    /// None: it is no placeholder. What is not there is empty.
    fn placeholder(&self, name: &str) -> Option<String> {
        let value = |pointer: &str| self.doc.find(pointer).map(text).unwrap_or_default();
        match name.split_once(':') {
            Some(("query", name)) => Some(Place::Query(name.to_owned()).read(self.request).unwrap_or_default()),
            Some(("header", name)) => Some(self.request.headers.get(name).unwrap_or_default().to_owned()),
            Some(("sign", pointer)) if pointer.starts_with('/') => {
                let signed = |secret: &Secret| signature::sign_text(self.scheme?, &value(pointer), secret).ok();
                let any = || self.secrets.iter().find_map(|secret| signed(secret));
                Some(self.signer().and_then(signed).or_else(any).unwrap_or_default())
            }
            None if name.starts_with('/') => Some(value(name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_placeholder_and_is_none_is_found() {
        let found = |template| unknown(template).collect::<Vec<_>>();
        assert_eq!(found("{seal:/a} {sign:a} {sign:/a} {query:x} {header:y} {/a}"), ["seal:/a", "sign:a"]);
        assert_eq!(found(r#"{"a":{"b":"{ x: y }"},"c":"{}"}"#), [""; 0]);
    }

    #[test]
    fn placeholders_are_filled_and_braces_stay() {
        let request = Request { target: "/?hub.challenge=11%2058".into(), ..Request::default() };
        let doc = Doc::new(br#"{"a":{"b":"x\"y"},"n":1.50}"#);
        let filler = Filler { request: &request, doc: &doc, scheme: None, secrets: &[] };
        assert_eq!(
            filler.text("{query:hub.challenge}|{/a/b}|{/n}|{/none}|{sign:/n}|{ \"x\": {} }"),
            "11 58|x\"y|1.50|||{ \"x\": {} }"
        );
        let value = serde_json::json!({ "c": ["{/a/b}", 1], "{/n}": null });
        assert_eq!(filler.value(&value), serde_json::json!({ "c": ["x\"y", 1], "{/n}": null }));
    }
}
