//! How a platform opens a page, and what the page sends back: `[kind.page]` of a pack.
//!
//! ```text
//! https://shop.example/page?mine=1   --Kind::open_page()-->      https://shop.example/page?mine=1&session_id=S&...
//! GET /page?mine=1&session_id=S&...  --Platforms::page_call()--> POST /v1/webview/I, X-Moveo-Session-Id: S, {"context": {}}
//! ```
//!
//! `{NAME}` stands for a parameter of the query, `{ONE|OTHER}` for the first of them that is there. What is nothing but
//! such a place is left out where the query has none of them: the callback then lacks what a real one would.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;
use url::Url;

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
    /// The parameters that the platform appends to the page's URL, in its order. Their values are those of the sample.
    #[serde(default)]
    pub appends: Vec<String>,
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

/// A page's URL as a platform opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The URL.
    pub url: String,
    /// The request that it makes.
    pub request: Request,
    /// The key that ties the page's callback to it.
    pub conversation: Option<String>,
    /// Whether the URL bears the conversation that it was asked for: nobody else knows it if that is a random word.
    pub is_its_own: bool,
    /// Parameters that the page's URL has already: of two the page reads the first, so that of the platform is lost.
    pub twice: Vec<String>,
}

impl Kind {
    /// Whether a page is opened by this call.
    #[must_use]
    pub fn opens_a_page(&self) -> bool {
        self.spec.page.is_some()
    }

    /// The parameters that the platform appends to the URL of a page, in its order.
    #[must_use]
    pub fn appends(&self) -> &[String] {
        self.spec.page.as_ref().map_or(&[], |page| &page.appends)
    }

    /// The URL `page` as the platform opens it: its own query and fragment stay, the platform's parameters are appended with
    /// `?` or `&`. The conversation's is `conversation`, the others are those of the sample; `set` has other values for them (an
    /// empty one leaves it out) and more parameters, which come before them.
    ///
    /// # Errors
    /// When `page` is no URL of a web page, or the call opens none.
    pub fn open_page(&self, page: &str, conversation: &str, set: &[(String, String)]) -> Result<Opening, String> {
        let spec = self.spec.page.as_ref().ok_or_else(|| format!("{} opens no page", self.name))?;
        let parsed = Url::parse(page).map_err(|error| format!("{page:?} is no URL: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(format!("{page:?} is no web page: its URL begins with https:// or http://"));
        }
        let sample = self.sample();
        let usual: Vec<(String, String)> = pairs(sample.query());
        let value = |name: &str| {
            let is_key = self.spec.conversation.pointers().any(|pointer| pointer.strip_prefix('/') == Some(name));
            let usual = || usual.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let given = set.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
            given.or_else(|| if is_key { usual().and(Some(conversation)) } else { usual() })
        };
        let more = set.iter().filter(|(name, _)| !spec.appends.contains(name));
        let more = more.map(|(name, value)| (name.as_str(), value.as_str()));
        let added: Vec<(&str, &str)> = more
            .chain(spec.appends.iter().filter_map(|name| Some((name.as_str(), value(name)?))))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let (before, fragment) = page.split_at(page.find('#').unwrap_or(page.len()));
        let mut url = before.to_owned();
        for (name, value) in &added {
            if !url.contains('?') {
                url.push('?');
            } else if !url.ends_with(['?', '&']) {
                url.push('&');
            }
            url += &[&escape(name), "=", &escape(value)].concat();
        }
        url += fragment;
        let opened = Url::parse(&url).map_err(|error| format!("{url:?} is no URL: {error}"))?;
        let target = opened[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        let request = Request { method: sample.method, target, headers: sample.headers, ..Request::default() };
        let own = pairs(parsed.query());
        let twice = own.into_iter().map(|(name, _)| name).filter(|own| added.iter().any(|(name, _)| name == own));
        let is_its_own = request.target.contains(&escape(conversation));
        Ok(Opening { twice: twice.collect(), conversation: self.read(&request).conversation, is_its_own, request, url })
    }
}

/// The parameters of a query.
fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

impl Platforms {
    /// What a page opened by `open`, a call of `kind`, calls back with. None where `kind` opens no page.
    #[must_use]
    pub fn page_call<'a>(&'a self, kind: &'a Kind, open: &Request) -> Option<PageCall<'a>> {
        let spec = kind.spec.page.as_ref()?;
        let calls = self.kind(format!("{}/{}", kind.platform(), spec.calls.as_ref()).as_str())?;
        let query = pairs(open.query());
        let sample = calls.sample();
        let mut headers = Headers::default();
        headers.push("content-type", "application/json");
        for (name, text) in &spec.headers {
            if let Some(value) = fill(text, &query) {
                headers.set(name, value);
            }
        }
        if let Some(scheme) = calls.scheme()
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
    use rstest::rstest;

    use super::*;

    const MOVEO: &str = "channel=web&integration_id=91c7d2e4-5a3b-4f68-b9d0-3e1c8f7a2b56&lang=en&session_id=S&\
                         trigger_node_id=2b9e7c41-8d3f-4a60-95c2-6f1e0d8b7a39&user_id=visitor-O44vJC-TuXiJXh8hkXvlZ";

    fn open(kind: &str, page: &str, set: &[(&str, &str)]) -> Result<Opening, String> {
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Platforms::builtin().unwrap().kind(kind).unwrap().open_page(page, "S", &set)
    }

    #[rstest]
    #[case("moveo/webview_open", "https://a.example/x", &format!("https://a.example/x?{MOVEO}"))]
    #[case("moveo/webview_open", "https://a.example/x?a=1#top", &format!("https://a.example/x?a=1&{MOVEO}#top"))]
    #[case("jelou/webview_open", "https://your-domain.com?foo=1", "https://your-domain.com?foo=1&executionId=S")]
    #[case("jelou/webview_open", "http://a/?", "http://a/?executionId=S")]
    #[case("jelou/webview_open", "http://a/?b&", "http://a/?b&executionId=S")]
    #[case("jelou/webview_open", "http://a/#/route?x=1", "http://a/?executionId=S#/route?x=1")]
    #[case(
        "liveperson/webview_open",
        "https://a/form",
        "https://a/form?userId=b849678d-fe4a-439e-bc46-b25d524b9fa7&convId=S&botId=795bb1534e34fc89050304e6f6827c41c50410d7"
    )]
    fn a_page_is_opened_as_the_platform_does(#[case] kind: &str, #[case] page: &str, #[case] url: &str) {
        let opening = open(kind, page, &[]).unwrap();
        assert_eq!((opening.url.as_str(), opening.conversation.as_deref()), (url, Some("S")));
        assert!(opening.twice.is_empty());
        let known = Platforms::builtin().unwrap();
        assert_eq!(known.recognise(&opening.request).kind.unwrap().name, kind);
    }

    #[test]
    fn parameters_stand_in_the_documents_order_whatever_is_set() {
        let names =
            |opening: Opening| pairs(opening.request.query()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let set = [("page_id", "1234567890123456"), ("lang", ""), ("channel", "facebook")];
        let opening = open("moveo/webview_open", "https://webviews.moveo.ai/Company/webview-name", &set).unwrap();
        let documented = ["channel", "integration_id", "page_id", "session_id", "trigger_node_id", "user_id"];
        assert!(opening.url.starts_with("https://webviews.moveo.ai/Company/webview-name?channel=facebook&"));
        assert_eq!(names(opening), documented);
        let opening = open("jelou/webview_open", "https://a/", &[("order", "a b&c"), ("executionId", "e")]).unwrap();
        assert_eq!(
            (opening.url.as_str(), opening.conversation.as_deref()),
            ("https://a/?order=a%20b%26c&executionId=e", Some("e"))
        );
    }

    #[test]
    fn what_the_page_has_already_is_told() {
        let opening = open("jelou/webview_open", "https://a/?executionId=mine", &[]).unwrap();
        assert_eq!(opening.url, "https://a/?executionId=mine&executionId=S");
        assert_eq!((opening.twice, opening.conversation.as_deref()), (vec!["executionId".to_owned()], Some("mine")));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (kind, page, said) in [
            ("moveo/dialog", "https://a/", "moveo/dialog opens no page"),
            ("jelou/webview_open", "a/b", "is no URL"),
            ("jelou/webview_open", "file:///etc/passwd", "is no web page"),
        ] {
            let error = open(kind, page, &[]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

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
