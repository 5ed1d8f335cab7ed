//! Where a signature stands in a request, and what stands there beside it.
//!
//! ```text
//! X-Hub-Signature-256: sha256=7571...            prefix
//! Stripe-Signature: t=1533204620,v1=2220...      separator `,`, prefix `v1=`, the field `t`
//! webhook-signature: v1,g0hM... v1,bm9l...       separator ` `, prefix `v1,`: several signatures, of which one may fit
//! ?token=...        /signature/signature         a parameter of the query, a value in the body
//! ```

use std::borrow::Cow;

use bytes::Bytes;

use super::clock::Stamp;
use super::message;
use super::{Method, Scheme, SignError};
use crate::call::Request;
use crate::json;

/// What sort of place a signature stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A header.
    Header,
    /// A parameter of the query.
    Query,
    /// A string in the body, by its JSON Pointer.
    Body,
}

impl Scheme {
    /// What stands where the signature belongs, if something does.
    #[must_use]
    pub fn given<'a>(&'a self, request: &'a Request) -> Option<Cow<'a, [u8]>> {
        match self.carrier {
            Carrier::Header => request.headers.all(&self.header).next().map(|value| Cow::Borrowed(&**value)),
            Carrier::Query => query(request, &self.header).map(|value| Cow::Owned(value.into_bytes())),
            Carrier::Body => {
                message::value(&request.body, &self.header).map(|value| Cow::Owned(value.into_owned().into()))
            }
        }
    }

    /// Whether `request` bears what is this scheme's: something where the signature belongs, and the headers that tell it
    /// from others.
    #[must_use]
    pub fn is_borne_by(&self, request: &Request) -> bool {
        self.likeness(request) > 0
    }

    /// How much `request` looks signed by this scheme: 2 where what it bears begins as this scheme's does, 0 where it bears none.
    #[must_use]
    pub fn likeness(&self, request: &Request) -> u8 {
        let Some(given) = self.given(request).filter(|_| self.is_marked_on(request)) else { return 0 };
        let prefix = self.prefix.as_bytes();
        // The name of an HTTP authentication scheme has no case (RFC 9110, 11.1).
        let begins = |item: &[u8]| item.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if self.items(&given).any(begins) { 2 } else { 1 }
    }

    /// Whether its signature stands in the same place as that of `other`.
    #[must_use]
    pub fn stands_where(&self, other: &Self) -> bool {
        // Only the names of headers have no case; no two parameters or values differ by it alone.
        self.carrier == other.carrier && self.header.eq_ignore_ascii_case(&other.header)
    }

    /// Whether the headers that tell this scheme from others are there.
    pub(super) fn is_marked_on(&self, request: &Request) -> bool {
        self.beside.iter().all(|(name, value)| request.headers.get(name) == Some(value))
    }

    /// What is there more than once and may not be, for whoever reads the one finds another signature than who reads the other:
    /// the place of the signature, or a header or a value of the body that is signed. With a sentence: `there are 2
    /// X-Signature headers`.
    pub(super) fn repeated(&self, request: &Request) -> Option<(String, String)> {
        let count = match self.carrier {
            Carrier::Header => request.headers.all(&self.header).count(),
            Carrier::Query => named(request, &self.header).count(),
            Carrier::Body => times(request, &self.header),
        };
        if count > 1 {
            return Some((self.place(), self.presence(count)));
        }
        let Method::Detached(detached) = &self.method else { return None };
        let (header, value) = match detached.clock.as_ref().map(|clock| &clock.place) {
            Some(Stamp::Header(name)) => (Some(name.as_str()), None),
            Some(Stamp::Body(pointer)) => (None, Some(pointer.as_str())),
            Some(Stamp::Field(_)) | None => (None, None),
        };
        let in_head = detached.message.headers().chain(header).find_map(|name| {
            let count = request.headers.all(name).count();
            (count > 1).then(|| (name.to_owned(), format!("there are {count} {name} headers")))
        });
        in_head.or_else(|| {
            detached.message.pointers().chain(value).find_map(|pointer| {
                let count = times(request, pointer);
                let place = || format!("`{pointer}` of the body");
                (count > 1).then(|| (place(), format!("{} is there {count} times", place())))
            })
        })
    }

    /// What to call the place in a sentence: `X-Signature`.
    pub(super) fn place(&self) -> String {
        match self.carrier {
            Carrier::Header => self.header.clone(),
            Carrier::Query => format!("`{}` of the query", self.header),
            Carrier::Body => format!("`{}` of the body", self.header),
        }
    }

    /// `there is no X-Signature header`
    pub(super) fn absence(&self) -> String {
        match self.carrier {
            Carrier::Header => format!("there is no {} header", self.header),
            Carrier::Query | Carrier::Body => format!("there is no {}", self.place()),
        }
    }

    /// `there are 2 X-Signature headers`
    pub(super) fn presence(&self, count: usize) -> String {
        match self.carrier {
            Carrier::Header => format!("there are {count} {} headers", self.header),
            Carrier::Query | Carrier::Body => format!("{} is there {count} times", self.place()),
        }
    }

    /// The signatures in what is given, without what stands before them.
    pub(super) fn signatures<'a>(&self, given: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.items(given).filter_map(|item| item.strip_prefix(self.prefix.as_bytes()))
    }

    /// The value of the field `name` (`t` of `t=1,v1=...`) in what is given.
    pub(super) fn field<'a>(&self, given: &'a [u8], name: &str) -> Option<&'a str> {
        let value = |item: &'a [u8]| item.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
        self.items(given).find_map(value).and_then(|value| std::str::from_utf8(value).ok())
    }

    fn items<'a>(&self, given: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let separator = self.separator.map(|separator| separator as u8);
        given
            .split(move |byte| Some(*byte) == separator)
            .map(move |item| if separator.is_some() { item.trim_ascii() } else { item })
    }

    /// Puts `value` where the signature belongs.
    pub(super) fn put(&self, request: &mut Request, value: &str) -> Result<(), SignError> {
        match self.carrier {
            Carrier::Header => request.headers.set(&self.header, value.to_owned()),
            Carrier::Query => set_query(request, &self.header, value),
            Carrier::Body => set_value(request, &self.header, &serde_json::Value::from(value).to_string())?,
        }
        Ok(())
    }
}

/// The first parameter of the query of that name.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    named(request, name).next().map(Cow::into_owned)
}

/// How often the value at `pointer` is in the body: of duplicate keys not every reader takes the last.
fn times(request: &Request, pointer: &str) -> usize {
    std::str::from_utf8(&request.body).map_or(0, |body| json::find_all(body, pointer).len())
}

fn named<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    let pairs = url::form_urlencoded::parse(request.query().unwrap_or_default().as_bytes());
    pairs.filter(move |(key, _)| key == name).map(|(_, value)| value)
}

/// Puts a parameter in the place of those of that name, or at the end; the others stay as they are written.
pub(super) fn set_query(request: &mut Request, name: &str, value: &str) {
    let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let named = |part: &&str| url::form_urlencoded::parse(part.as_bytes()).any(|(key, _)| key == name);
    let mut parts: Vec<&str> = request.query().unwrap_or_default().split('&').filter(|part| !part.is_empty()).collect();
    let at = parts.iter().position(named).unwrap_or(parts.len());
    parts.retain(|part| !named(part));
    parts.insert(at, &pair);
    request.target = format!("{}?{}", request.path(), parts.join("&"));
}

/// Puts the JSON text `value` in the place of the value at `pointer`; every other byte of the body stays.
pub(super) fn set_value(request: &mut Request, pointer: &str, value: &str) -> Result<(), SignError> {
    let text = std::str::from_utf8(&request.body).ok();
    let Some((text, span)) = text.and_then(|text| Some((text, json::find(text, pointer)?))) else {
        return Err(SignError::Lacking(format!("`{}` of the body", message::name(pointer))));
    };
    request.body = Bytes::from([&text[..span.start], value, &text[span.end..]].concat());
    if request.headers.has("content-length") {
        request.headers.set("content-length", request.body.len().to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_and_nothing_else_changes() {
        let mut request = Request {
            target: "/x?a=%20&token=1&b".into(),
            body: "{ \"a\" : {\"n\": 1.0} ,\n\"b\":[]}".into(),
            headers: [("content-length", "27")].into_iter().collect(),
            ..Request::default()
        };
        set_query(&mut request, "token", "x y");
        set_query(&mut request, "new", "z");
        assert_eq!(query(&request, "token").as_deref(), Some("x y"));
        request.target.push_str("&token=2");
        set_query(&mut request, "token", "x y");
        assert_eq!(request.target, "/x?a=%20&token=x+y&b&new=z");
        set_value(&mut request, "/a/n", "1700000000").unwrap();
        assert_eq!(&request.body[..], b"{ \"a\" : {\"n\": 1700000000} ,\n\"b\":[]}");
        assert_eq!(request.headers.get("content-length"), Some("35"));
        let lacking = set_value(&mut request, "/c", "1").unwrap_err();
        assert_eq!(lacking.to_string(), "the signature covers `c` of the body, which the request does not have");
        let mut bare = Request { target: "/x".into(), ..Request::default() };
        set_query(&mut bare, "token", "1");
        assert_eq!(bare.target, "/x?token=1");
    }
}
