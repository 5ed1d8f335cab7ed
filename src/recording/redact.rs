//! What is secret or personal, masked: so that a call can be shown to others.
//!
//! ```text
//! headers      by name                      Authorization, Cookie, *token*, *signature*, ...
//! fields       by name, wherever they are   JSON members, parameters of queries and forms: password, access_token, ...
//! pointers     by place                     /context/user
//! patterns     by look                      tokens, private keys, card numbers, social security numbers
//! ```
//!
//! All other bytes stay what they were: a JSON body is masked span by span and never written anew.

mod body;
mod pattern;

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use memchr::memmem;

use self::pattern::Patterns;
use crate::call::{Call, Headers, Request};
use crate::config::Redact;

/// What stands where something was masked.
pub const MASK: &str = "[redacted]";

/// Headers that are masked unless the configuration says otherwise. A signature is one of them: without a time in it,
/// whoever has it can send the call again.
pub const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-auth*",
    "*api-key*",
    "*apikey*",
    "*password*",
    "*secret*",
    "*signature*",
    "*token*",
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// Fields that are masked unless the configuration says otherwise: credentials, and what names a person.
pub const FIELDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "client_secret",
    "api_key",
    "authorization",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "session_token",
    "signature",
    "ssn",
    "email",
    "phone",
    "phone_number",
    "user_id",
];

/// Places that are masked unless the configuration says otherwise.
pub const POINTERS: &[&str] = &["/context/user"];

/// What to mask. Masks the same in every call, and masking twice changes nothing.
#[derive(Clone, Debug)]
pub struct Redaction {
    headers: Vec<String>,
    /// As [`plain`] has them.
    fields: HashSet<String>,
    pointers: Vec<String>,
    patterns: Patterns,
}

impl Redaction {
    /// The redaction that `[redact]` describes.
    ///
    /// # Errors
    /// When a pattern is no regular expression, which the reader of the configuration rules out.
    pub fn new(config: &Redact) -> Result<Self, regex::Error> {
        let with = |common: &[&str], own: &[String]| -> Vec<String> {
            let common = common.iter().filter(|_| config.defaults).map(|name| (*name).to_owned());
            common.chain(own.iter().cloned()).collect()
        };
        Ok(Self {
            headers: with(HEADERS, &config.headers).iter().map(|name| name.to_ascii_lowercase()).collect(),
            fields: with(FIELDS, &config.fields).iter().map(|name| plain(name)).collect(),
            pointers: with(POINTERS, &config.pointers),
            patterns: Patterns::new(config.defaults, &config.patterns)?,
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
        request.body = self.body(&call.request.headers, &request.body);
        request.redacted |= request.target != call.request.target
            || request.headers != call.request.headers
            || request.body != call.request.body;
        // The address of a person's browser, as the headers that a proxy writes it to.
        request.peer = request.peer.filter(|_| !self.masks_header("forwarded"));
        if let Some((response, original)) = response.as_mut().zip(call.response.as_ref()) {
            self.headers(&mut response.headers);
            response.body = self.body(&original.headers, &response.body);
        }
        *error = error.as_deref().map(|text| self.text(text).into_owned());
        if let Some(forwarded) = forwarded {
            forwarded.to = self.text(&forwarded.to).into_owned();
        }
        // Masked in the request, it must not stand beside it.
        if let Some(key) = conversation
            && says(&call.request, key)
            && !says(request, key)
        {
            MASK.clone_into(key);
        }
        masked
    }

    /// A text that is not of a call, such as a finding: masked by its look only.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.patterns.mask(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Whether a header's value is masked whatever it is.
    #[must_use]
    pub fn masks_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.headers.iter().any(|pattern| fits(pattern, &name))
    }

    fn masks_field(&self, name: &str) -> bool {
        self.fields.contains(&plain(name))
    }

    fn headers(&self, headers: &mut Headers) {
        for (name, value) in &mut headers.0 {
            if value.is_empty() {
                continue;
            }
            let masked = if self.masks_header(name) {
                Bytes::from_static(MASK.as_bytes())
            } else {
                match std::str::from_utf8(value) {
                    // A `Referer` or `Location` has a query too.
                    Ok(text) => self.target(text).into(),
                    Err(_) => self.patterns.mask(value).into_owned().into(),
                }
            };
            if masked != *value {
                *value = masked;
            }
        }
    }

    /// A path or an address with its query, whose parameters are masked by their names.
    #[must_use]
    pub fn target(&self, target: &str) -> String {
        match target.split_once('?') {
            Some((path, query)) => format!("{}?{}", self.text(path), self.parameters(query)),
            None => self.text(target).into_owned(),
        }
    }
}

/// Whether a request holds a text anywhere.
fn says(request: &Request, text: &str) -> bool {
    let finder = memmem::Finder::new(text);
    let holds = |bytes: &[u8]| finder.find(bytes).is_some();
    holds(request.target.as_bytes()) || request.headers.iter().any(|(_, value)| holds(value)) || holds(&request.body)
}

/// A name without what people write differently: `access_token`, `accessToken`, `Access-Token`.
fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether `name` fits `pattern`, in which a `*` at either end stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

#[cfg(test)]
mod tests;
