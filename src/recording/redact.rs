//! What is secret or personal, masked: so that a call can be shown to others.
//!
//! ```text
//! headers      by name                      Authorization, Cookie, *token*, *signature*, ...
//! fields       by name, wherever they are   JSON members, parameters, parts of forms, XML, any text: password, access_token, ...
//! pointers     by place                     /context/user
//! patterns     by look                      tokens, private keys, card numbers, social security numbers
//! values       as they are                  what {{env:NAME}} was filled in with
//! ```
//!
//! All other bytes stay what they were: a body is masked span by span and never written anew, and so is what stands in it
//! (JSON in a form, say).

mod body;
mod depth;
mod head;
mod markup;
mod names;
mod pairs;
mod pattern;
mod prose;
mod spots;
mod table;
mod value;

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};
use percent_encoding::percent_decode;
use regex::Regex;

use self::depth::Budget;
use self::names::{FIELDS, HEADERS, IDS, Names, SECRETS};
use self::pattern::Patterns;
use self::spots::{Spots, readable};
use crate::call::{Call, Headers, Request};
use crate::config::{Carriers, Redact};
use crate::json;

/// What stands where something was masked.
pub const MASK: &str = "[redacted]";

/// Places that are masked unless the configuration says otherwise.
pub const POINTERS: &[&str] = &["/context/user"];

/// What to mask: the same in every call.
#[derive(Clone, Debug)]
pub struct Redaction {
    headers: Names,
    fields: Names,
    /// Of queries and forms alone: elsewhere such a name may mean something else.
    parameters: Names,
    pointers: Vec<String>,
    patterns: Patterns,
    /// An attribute of XML.
    attribute: Regex,
}

impl Redaction {
    /// The redaction that `[redact]` describes.
    ///
    /// # Errors
    /// When a pattern is no regular expression, which the reader of the configuration rules out.
    pub fn new(config: &Redact) -> Result<Self, regex::Error> {
        let common = |lists: &[&'static [&'static str]]| -> Vec<&str> {
            if config.defaults { lists.concat() } else { Vec::new() }
        };
        let names = |lists: &[&'static [&'static str]], own: &[String]| {
            Names::new(common(lists).into_iter().chain(own.iter().map(String::as_str)))
        };
        // What the user names is masked, whatever it is.
        let own = Names::new(config.fields.iter().map(String::as_str));
        let ids = IDS.iter().copied().filter(|name| !own.have(name));
        let none = Carriers::default();
        let carriers = if config.defaults { &config.carriers } else { &none };
        let pointers = carriers.pointers.iter().chain(&config.pointers).map(String::as_str);
        Ok(Self {
            headers: names(&[SECRETS, HEADERS], &[&config.headers, &config.referenced, &carriers.headers[..]].concat()),
            fields: names(&[SECRETS, FIELDS], &config.fields).but(ids),
            parameters: Names::new(carriers.parameters.iter().map(String::as_str)),
            pointers: common(&[POINTERS]).into_iter().chain(pointers).map(str::to_owned).collect(),
            patterns: Patterns::new(config.defaults, &config.patterns, config.filled.clone())?,
            attribute: markup::attribute()?,
        })
    }

    /// `call` with everything masked. One whose request is touched says so: its signature can no longer be checked, and
    /// what the check found at the time stays in it.
    #[must_use]
    pub fn call(&self, call: &Call) -> Call {
        let mut masked = call.clone();
        let Call { request, response, conversation, error, forwarded, .. } = &mut masked;
        request.target = self.target(&request.target);
        self.headers(&mut request.headers);
        request.body = self.body(&call.request.headers, &request.body, call.is_no_request());
        for place in [&mut request.origin, &mut request.public].into_iter().flatten() {
            *place = self.target(place);
        }
        let touched = request.target != call.request.target
            || request.headers != call.request.headers
            || request.body != call.request.body;
        request.redacted |= touched;
        // The address of a person's browser, as the headers that a proxy writes it to.
        request.peer = request.peer.filter(|_| !self.masks_header("forwarded"));
        if let Some((response, original)) = response.as_mut().zip(call.response.as_ref()) {
            self.headers(&mut response.headers);
            response.body = self.body(&original.headers, &response.body, false);
        }
        *error = error.as_deref().map(|text| self.text(text).into_owned());
        if let Some(forwarded) = forwarded {
            forwarded.to = self.target(&forwarded.to);
        }
        // What was masked in the request must not stand beside it. It was read there through escapes, or out of a token, so what
        // counts is whether it can still be read.
        if let Some(key) = conversation
            && touched
            && !says(&request.readable(), key)
        {
            MASK.clone_into(key);
        }
        masked
    }

    /// A text that hooktape says, such as a finding: masked by its look only, as it names what is secret, but for the addresses
    /// in it, which it quotes.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::masked(text, &self.addresses(text).and(self.pattern(text.as_bytes())))
    }

    /// A text of somebody else's, such as a note: what it names is masked too.
    #[must_use]
    pub fn prose<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::masked(text, &self.value(text, Budget::of(text.len()).top()))
    }

    /// The first bytes of what should have been a request, and whose head cannot be read.
    #[must_use]
    pub fn beginning<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let budget = Budget::of(text.len());
        Self::masked(text, &self.lines(text, false, budget.top()).and(self.value(text, budget.top())))
    }

    /// Whether something that was filled in from the environment stands in a text, or in what it is as JSON.
    #[must_use]
    pub fn has_filled(&self, text: &str) -> bool {
        let filled = |text: &str| !self.patterns.filled(text.as_bytes()).is_empty();
        filled(text) || text.contains('\\') && filled(&json::unquote(text))
    }

    fn masked<'a>(text: &'a str, spots: &Spots) -> Cow<'a, str> {
        match spots.masked(text.as_bytes()) {
            None => Cow::Borrowed(text),
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Whether a header's value is masked whatever it is.
    #[must_use]
    pub fn masks_header(&self, name: &str) -> bool {
        self.headers.have(name)
    }

    fn headers(&self, headers: &mut Headers) {
        for (name, value) in &mut headers.0 {
            if value.is_empty() {
                continue;
            }
            let text = readable(value);
            let login = if name.eq_ignore_ascii_case("host") { head::login(&text) } else { Spots::default() };
            let masked =
                if self.masks_header(name) { Some(MASK.into()) } else { login.and(self.field(&text)).masked(value) };
            if let Some(masked) = masked.filter(|masked| value != masked) {
                *value = masked.into();
            }
        }
    }

    /// A path or an address with its query, whose parameters are masked by their names.
    #[must_use]
    pub fn target(&self, target: &str) -> String {
        Self::masked(target, &self.address(target, Budget::of(target.len()).top())).into_owned()
    }
}

/// Whether a request holds a text anywhere, as it is or with escapes of JSON, of parameters, or of both. Of a long text its
/// beginning counts: so much of one may be a key.
fn says(request: &Request, text: &str) -> bool {
    const ENOUGH: usize = 256;
    let finder = memmem::Finder::new(&text[..text.floor_char_boundary(ENOUGH)]);
    let holds = |bytes: &[u8]| finder.find(bytes).is_some();
    let unescaped = |text: &[u8]| memchr(b'\\', text).is_some() && holds(json::unquote(&readable(text)).as_bytes());
    let decoded = |text: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).collect()
    };
    let reads = |text: &[u8]| {
        holds(text)
            || unescaped(text)
            || memchr2(b'%', b'+', text).is_some() && {
                let decoded = decoded(text);
                holds(&decoded) || unescaped(&decoded)
            }
    };
    reads(request.target.as_bytes()) || request.headers.iter().any(|(_, value)| reads(value)) || reads(&request.body)
}

#[cfg(test)]
mod tests;
