//! Which kind a request is: the rule a pack writes, and who wins when several fit.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::doc::{Doc, Pointer};
use crate::call::Request;

/// `recognise = { ... }` of a kind. Everything that is named must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rule {
    /// `GET`, `POST`, ...
    pub method: Option<String>,
    /// Paths, of which one must fit. A segment that is `*` or `{name}` fits any one segment.
    pub path: Vec<String>,
    /// Headers that are present.
    pub headers: Vec<String>,
    /// Query parameters that are present.
    pub query: Vec<String>,
    /// JSON Pointers that exist in the body.
    pub has: Vec<Pointer>,
    /// JSON Pointers of which one exists.
    pub any: Vec<Pointer>,
    /// JSON Pointers that do not exist.
    pub lacks: Vec<Pointer>,
    /// JSON Pointers with the value that stands there.
    pub equal: BTreeMap<Pointer, Value>,
}

impl Rule {
    /// The cheap part: everything but the body.
    pub(super) fn head(&self, request: &Request) -> bool {
        let fits = |pattern: &String| path_fits(pattern, request.path());
        let asked = |name: &String| {
            let query = request.query().unwrap_or_default();
            url::form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name.as_str())
        };
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && (self.path.is_empty() || self.path.iter().any(fits))
            && self.headers.iter().all(|name| request.headers.has(name))
            && self.query.iter().all(asked)
    }

    /// The part that reads the body.
    pub(super) fn body(&self, doc: &Doc<'_>) -> bool {
        let there = |pointer: &Pointer| doc.find(pointer).is_some();
        let equal = |(pointer, wanted): (&Pointer, &Value)| {
            doc.find(pointer).and_then(|found| serde_json::from_str::<Value>(found.get()).ok()).as_ref() == Some(wanted)
        };
        self.has.iter().all(there)
            && (self.any.is_empty() || self.any.iter().any(there))
            && !self.lacks.iter().any(there)
            && self.equal.iter().all(equal)
    }

    /// Every JSON Pointer the rule looks at.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.has, &self.any, &self.lacks].into_iter().flatten();
        lists.chain(self.equal.keys()).map(|pointer| &**pointer)
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let free = |segment: &str| segment == "*" || (segment.starts_with('{') && segment.ends_with('}'));
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || (free(wanted) && !found.is_empty()) => {}
            _ => return false,
        }
    }
}

/// Whether `name` stands as a segment of `path`; `-` and `_` are the same, and so are cases.
pub(super) fn names(path: &str, name: &str) -> bool {
    let same = |(a, b): (u8, u8)| a.eq_ignore_ascii_case(&b) || (a == b'-' && b == b'_');
    path.split('/').any(|segment| segment.len() == name.len() && segment.bytes().zip(name.bytes()).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(toml: &str) -> Rule {
        toml::from_str(toml).unwrap()
    }

    fn fits(rule: &Rule, method: &str, target: &str, body: &str) -> bool {
        let request = Request {
            method: method.into(),
            target: target.into(),
            headers: [("X-Mark", "1")].into_iter().collect(),
            body: body.to_owned().into(),
            ..Request::default()
        };
        rule.head(&request) && rule.body(&Doc::new(&request.body))
    }

    #[test]
    fn the_head_is_method_path_headers_and_query() {
        let rule =
            rule("method = 'GET'\npath = ['/page/{id}', '/w/*/open']\nheaders = ['x-mark']\nquery = ['user id']");
        assert!(fits(&rule, "GET", "/page/7?user+id=1", ""));
        assert!(fits(&rule, "get", "/w/a/open?x=1&user%20id=", ""));
        for (method, target) in [
            ("POST", "/page/7?user+id=1"),
            ("GET", "/page/?user+id=1"),
            ("GET", "/page/7/8?user+id=1"),
            ("GET", "/page/7?user=1"),
            ("GET", "/page/7"),
        ] {
            assert!(!fits(&rule, method, target, ""), "{method} {target}");
        }
        assert!(!fits(&super::tests::rule("headers = ['x-other']"), "GET", "/", ""));
    }

    #[test]
    fn the_body_is_pointers_and_values() {
        let rule = rule("has = ['/a']\nany = ['/b', '/c/d']\nlacks = ['/e']\nequal = { '/n' = 1, '/s/t' = 'x' }");
        let body = |more: &str| format!(r#"{{"a":0,"n":1,"s":{{"t":"x"}}{more}}}"#);
        assert!(fits(&rule, "", "", &body(r#","b":null"#)));
        assert!(fits(&rule, "", "", &body(r#","c":{"d":1}"#)));
        assert!(!fits(&rule, "", "", &body("")));
        assert!(!fits(&rule, "", "", &body(r#","b":1,"e":1"#)));
        assert!(!fits(&rule, "", "", &body(r#","b":1,"n":2"#)));
        assert!(!fits(&rule, "", "", "not json"));
    }

    #[test]
    fn a_name_in_a_path_is_a_whole_segment() {
        for path in ["/hooks/acme/first_message", "/api/first-message/x", "/First_Message"] {
            assert!(names(path, "first_message"), "{path}");
        }
        for path in ["/first", "/first_messages", "/", ""] {
            assert!(!names(path, "first_message"), "{path}");
        }
    }
}
