//! Which kind a request is: the rule a pack writes, and who wins when several fit.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use smallvec::SmallVec;

use super::doc::{Doc, Pointer};
use crate::call::Request;
use crate::json;

/// Bytes that the name of a form's parameter may have.
const LONGEST_NAME: usize = 1024;

/// Parameters of a form that are looked at.
pub(super) const MOST_NAMES: usize = 4096;

/// A request that is looked at several times: its body and query are read at most once, and only if something asks.
pub struct Seen<'a> {
    pub(super) request: &'a Request,
    pub(super) doc: Doc<'a>,
    /// The path, cut at its slashes.
    pub(super) path: Segments<'a>,
    /// How long the headers' names are, a bit a length: most that are asked for are not there.
    lengths: u64,
    /// How many segments the path has, as a bit.
    depth: u64,
    has_query: bool,
    query: OnceCell<Vec<Cow<'a, str>>>,
    form: OnceCell<Vec<Cow<'a, str>>>,
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

impl<'a> Seen<'a> {
    /// A request of which nothing is read yet.
    #[must_use]
    pub fn new(request: &'a Request) -> Self {
        let path = segments(request.path());
        Self {
            request,
            doc: Doc::new(&request.body),
            depth: bit(path.len()),
            has_query: request.query().is_some(),
            path,
            lengths: request.headers.iter().fold(0, |lengths, (name, _)| lengths | length(name)),
            query: OnceCell::new(),
            form: OnceCell::new(),
        }
    }

    /// Whether the body is known to be a JSON object, because something asked for a value in it.
    #[must_use]
    pub fn is_known_as_json(&self) -> bool {
        self.doc.is_known_as_json()
    }

    /// Whether there is a header of that name.
    pub(super) fn bears(&self, name: &str) -> bool {
        self.lengths & length(name) != 0 && self.request.headers.has(name)
    }

    /// Whether there is a parameter of that name in the query.
    fn asks(&self, name: &str) -> bool {
        let read = || {
            let query = self.request.query().unwrap_or_default();
            url::form_urlencoded::parse(query.as_bytes()).map(|(key, _)| key).collect()
        };
        self.query.get_or_init(read).iter().any(|key| key == name)
    }

    /// Whether there is a parameter of that name in a form.
    fn fills_in(&self, name: &str) -> bool {
        let request = self.request;
        let read = || {
            let form = if request.has_a_form() { &request.body[..] } else { &[] };
            // What is longer is no name, and what has more is no form: neither is worth a copy.
            let pairs = form.split(|byte| *byte == b'&').take(MOST_NAMES);
            let names = pairs.filter_map(|pair| pair.split(|byte| *byte == b'=').next());
            let short = names.filter(|name| name.len() <= LONGEST_NAME);
            short.flat_map(|name| url::form_urlencoded::parse(name)).map(|(key, _)| key).collect()
        };
        self.form.get_or_init(read).iter().any(|key| key == name)
    }
}

/// `recognise = { ... }` of a kind, or a list of such of which one must fit.
#[derive(Debug)]
pub(super) struct Rules {
    list: Vec<Rule>,
    /// Of each, beside one another: they are looked at for every call.
    needs: SmallVec<[Needs; 3]>,
    /// How many segments the paths have that they name, in bits.
    depths: u64,
}

/// What a rule needs, in bits: enough to pass by most rules without a look at them.
#[derive(Debug)]
struct Needs {
    /// The lengths of headers' names.
    headers: u64,
    /// The looks of the body's members.
    members: u64,
    /// How many segments the path has, of which one must be.
    paths: u64,
    /// Whether there is a query.
    query: bool,
}

impl Needs {
    fn of(rule: &Rule) -> Self {
        let paths = rule.path.iter().fold(0, |bits, Pattern(segments)| bits | bit(segments.len()));
        Self {
            headers: rule.headers.iter().fold(0, |bits, name| bits | length(name)),
            members: rule.has.iter().chain(rule.equal.keys()).fold(0, |bits, pointer| bits | pointer.look()),
            paths: if rule.path.is_empty() { u64::MAX } else { paths },
            query: !rule.query.is_empty() || rule.query_of.as_ref().is_some_and(|of| of.least > 0),
        }
    }

    /// Whether they may be met. False is certain, true is not. The body is asked last: it may have to be read for it.
    fn may_be_met(&self, seen: &Seen<'_>) -> bool {
        self.paths & seen.depth != 0
            && seen.lengths & self.headers == self.headers
            && (!self.query || seen.has_query)
            && seen.doc.may_have(self.members)
    }
}

impl Rules {
    fn new(list: Vec<Rule>) -> Self {
        let needs = list.iter().map(Needs::of).collect();
        let depths = list.iter().flat_map(|rule| &rule.path).fold(0, |bits, Pattern(path)| bits | bit(path.len()));
        Self { list, needs, depths }
    }

    /// The method of a sample.
    pub(super) fn method(&self) -> Option<&str> {
        self.list.iter().find_map(|rule| rule.method.as_deref())
    }

    /// Whether one fits; how many segments of the path it names.
    pub(super) fn fit(&self, seen: &Seen<'_>) -> Option<usize> {
        let met = self.needs.iter().zip(&self.list).filter(|(needs, _)| needs.may_be_met(seen));
        met.filter_map(|(_, rule)| rule.fit(seen)).max()
    }

    /// Whether a request of this method may be meant.
    pub(super) fn takes(&self, method: &str) -> bool {
        self.list.iter().any(|rule| rule.takes(method))
    }

    /// How many segments of the path are named by one that takes the method, if any are.
    pub(super) fn lead(&self, method: &str, path: &[&str]) -> Option<usize> {
        if self.depths & bit(path.len()) == 0 {
            return None;
        }
        let patterns = self.list.iter().filter(|rule| rule.takes(method)).flat_map(|rule| &rule.path);
        patterns.filter_map(|pattern| pattern.literals(path)).max().filter(|segments| *segments > 0)
    }

    /// What stands in `path` where a pattern has `{name}`.
    pub(super) fn captured<'a>(&self, path: &'a str, name: &str) -> Option<&'a str> {
        let path = segments(path);
        let mut patterns =
            self.list.iter().flat_map(|rule| &rule.path).filter(|pattern| pattern.literals(&path).is_some());
        patterns.find_map(|Pattern(pattern)| {
            let named = |segment: &Segment| matches!(segment, Segment::Any(Some(known)) if known == name);
            pattern.iter().zip(&path).find(|(pattern, _)| named(pattern)).map(|(_, segment)| *segment)
        })
    }

    /// Every JSON Pointer that must lead somewhere.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .flat_map(|rule| rule.has.iter().chain(&rule.any).chain(rule.equal.keys()))
            .map(|pointer| &**pointer)
    }
}

impl<'de> Deserialize<'de> for Rules {
    /// By hand, for an untagged enum would not say what is wrong with a rule.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Rules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule, or a list of rules")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rules, A::Error> {
                Rule::deserialize(MapAccessDeserializer::new(map)).map(|rule| Rules::new(vec![rule]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Rules, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Rules::new)
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// One rule. Everything that is named must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rule {
    /// `GET`, `POST`, ...
    method: Option<String>,
    /// Paths, of which one must fit. A segment that is `*` or `{name}` fits any one segment.
    path: Vec<Pattern>,
    /// Headers that are present.
    headers: Vec<String>,
    /// Query parameters that are present.
    query: Vec<String>,
    /// Parameters that are present in a form body.
    form: Vec<String>,
    /// Query parameters of which some are present: a call that lacks one shall still be known.
    query_of: Option<Several>,
    /// JSON Pointers that exist in the body.
    has: Vec<Pointer>,
    /// JSON Pointers of which one exists.
    any: Vec<Pointer>,
    /// JSON Pointers that do not exist.
    lacks: Vec<Pointer>,
    /// JSON Pointers with the value that stands there.
    equal: BTreeMap<Pointer, Value>,
}

/// At least so many of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    least: usize,
    names: Vec<String>,
}

impl Rule {
    fn takes(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
    }

    /// Whether it fits; how many segments of the path it names. What is cheap is asked first.
    fn fit(&self, seen: &Seen<'_>) -> Option<usize> {
        let request = seen.request;
        if !self.takes(&request.method) {
            return None;
        }
        let path = match self.path.as_slice() {
            [] => 0,
            patterns => patterns.iter().filter_map(|pattern| pattern.literals(&seen.path)).max()?,
        };
        let asked = |name: &&String| seen.asks(name);
        let there = |pointer: &Pointer| seen.doc.at(pointer).is_some();
        let equal =
            |(pointer, wanted): (&Pointer, &Value)| seen.doc.at(pointer).is_some_and(|found| means(found, wanted));
        let fits = self.headers.iter().all(|name| seen.bears(name))
            && self.query.iter().all(|name| seen.asks(name))
            && self.query_of.as_ref().is_none_or(|of| of.names.iter().filter(asked).count() >= of.least)
            && self.form.iter().all(|name| seen.fills_in(name))
            && self.has.iter().all(there)
            && (self.any.is_empty() || self.any.iter().any(there))
            && !self.lacks.iter().any(there)
            && self.equal.iter().all(equal);
        fits.then_some(path)
    }
}

/// Whether the JSON text `found` is the value `wanted`. A rule asks this of every call, so nothing is built of what is too long
/// to be it.
fn means(found: &str, wanted: &Value) -> bool {
    /// Bytes that may write a value which is no string.
    const LONGEST: usize = 1024;
    match wanted {
        // A byte takes six at the most: `\u0061`.
        Value::String(text) => {
            found.starts_with('"') && found.len() <= 6 * text.len() + 2 && json::unquote(found) == text.as_str()
        }
        _ => found.len() <= LONGEST && serde_json::from_str::<Value>(found).is_ok_and(|found| found == *wanted),
    }
}

/// A pattern of a path, cut at its slashes when the pack is read: rules are tried on every call.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern(Vec<Segment>);

/// What may stand between two slashes.
#[derive(Debug)]
enum Segment {
    /// Just this.
    Literal(String),
    /// Anything but nothing: `*`, or `{name}`.
    Any(Option<String>),
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Segment::Any(Some(name.to_owned())),
            None if text == "*" => Segment::Any(None),
            None => Segment::Literal(text.to_owned()),
        };
        Self(text.split('/').map(segment).collect())
    }
}

impl Pattern {
    /// If it fits, how many segments it spells out.
    fn literals(&self, path: &[&str]) -> Option<usize> {
        let Self(pattern) = self;
        let fits = |(wanted, found): (&Segment, &&str)| match wanted {
            Segment::Literal(text) => text == found,
            Segment::Any(_) => !found.is_empty(),
        };
        let spelt = |segment: &&Segment| matches!(segment, Segment::Literal(text) if !text.is_empty());
        (pattern.len() == path.len() && pattern.iter().zip(path).all(fits))
            .then(|| pattern.iter().filter(spelt).count())
    }
}

/// The bit of a name's length.
fn length(name: &str) -> u64 {
    bit(name.len())
}

/// The bit of a number; those that are 64 apart share one.
fn bit(number: usize) -> u64 {
    1 << (number % 64)
}

/// What stands between the slashes of a path.
pub(super) type Segments<'a> = SmallVec<[&'a str; 8]>;

/// A path, cut at its slashes.
pub(super) fn segments(path: &str) -> Segments<'_> {
    path.split('/').collect()
}

/// Whether `name` stands as a segment of `path`; `-` and `_` are the same, and so are cases.
pub(super) fn names(path: &[&str], name: &str) -> bool {
    let same = |(a, b): (u8, u8)| a.eq_ignore_ascii_case(&b) || (a == b'-' && b == b'_');
    path.iter().any(|segment| segment.len() == name.len() && segment.bytes().zip(name.bytes()).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(toml: &str) -> Rules {
        toml::from_str(toml).unwrap()
    }

    fn fits(rule: &Rules, method: &str, target: &str, body: &str) -> bool {
        let request = Request {
            method: method.into(),
            target: target.into(),
            headers: [("X-Mark", "1")].into_iter().collect(),
            body: body.to_owned().into(),
            ..Request::default()
        };
        rule.fit(&Seen::new(&request)).is_some()
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
        let equal = self::rule(r#"equal = { '/a"' = "é\"x", '/n' = [1, {a = true}] }"#);
        for body in [r#"{"a\"":"é\"x","n":[1,{"a":true}]}"#, r#"{"a\"":"\u00e9\"\u0078","n":[ 1, { "a" : true } ]}"#] {
            assert!(fits(&equal, "", "", body), "{body}");
        }
        for body in [r#"{"a\"":"é","n":[1,{"a":true}]}"#, r#"{"a\"":"é\"x","n":[1,{"a":1}]}"#, r#"{"a\"":0,"n":0}"#] {
            assert!(!fits(&equal, "", "", body), "{body}");
        }
    }

    #[test]
    fn a_name_in_a_path_is_a_whole_segment() {
        for path in ["/hooks/acme/first_message", "/api/first-message/x", "/First_Message"] {
            assert!(names(&segments(path), "first_message"), "{path}");
        }
        for path in ["/first", "/first_messages", "/", ""] {
            assert!(!names(&segments(path), "first_message"), "{path}");
        }
    }
}
