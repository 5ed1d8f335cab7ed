//! A kind: one call of a platform, and everything its pack knows of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use toml::Spanned;

use super::doc::Doc;
use super::pack::{KindSpec, SectionSpec};
use super::schema::{Library, Schema};
use super::{Envelope, Finding, Severity, envelope};
use crate::call::{Headers, Request, Response};
use crate::config::Secret;
use crate::json;
use crate::signature::{self, Scheme, SignError};

/// What the kinds of one pack share.
#[derive(Debug)]
pub(super) struct Shared {
    pub platform: String,
    pub schemes: BTreeMap<String, Scheme>,
    pub sections: Vec<SectionSpec>,
    pub sample_headers: BTreeMap<String, String>,
    pub library: Arc<Library>,
    pub source: String,
}

/// Conversation, user and text of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The conversation's key.
    pub conversation: Option<String>,
    /// The user's id.
    pub user: Option<String>,
    /// What the user said.
    pub text: Option<String>,
}

/// What a pack says of a kind, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// `platform/kind`
    pub name: String,
    /// What people call it.
    pub title: String,
    /// When the platform makes this call.
    pub fires: String,
    /// What an endpoint may answer.
    pub returns: String,
    /// What an answer other than 2xx does.
    pub failure: String,
    /// How it is signed, in words; none where it is not.
    pub signed: Option<String>,
    /// The document that says so.
    pub source: String,
}

/// One call that a platform makes.
pub struct Kind {
    /// `platform/kind`
    pub name: String,
    /// What people call it: `Pre message webhook`.
    pub title: String,
    pub(super) spec: KindSpec,
    pub(super) shared: Arc<Shared>,
    pub(super) request: Option<Schema>,
    pub(super) response: Option<Schema>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

impl Kind {
    pub(super) fn new(spec: KindSpec, shared: &Arc<Shared>) -> Self {
        let schema = |file: &Option<Spanned<String>>| {
            file.as_ref().map(|file| Schema::new(file.as_ref().clone(), shared.library.clone()))
        };
        Self {
            name: format!("{}/{}", shared.platform, spec.name.as_ref()),
            title: spec.title.clone(),
            request: schema(&spec.request),
            response: schema(&spec.response),
            shared: shared.clone(),
            spec,
        }
    }

    /// The platform's name: what stands before the `/`.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.shared.platform
    }

    /// The kind's name within its platform: what stands after the `/`.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.spec.name.as_ref()
    }

    /// The scheme's name in its pack and the scheme; none where the contract has no signature.
    #[must_use]
    pub fn scheme(&self) -> Option<(&str, &Scheme)> {
        let name = self.spec.signature.as_ref()?.as_ref();
        self.shared.schemes.get_key_value(name).map(|(name, scheme)| (name.as_str(), scheme))
    }

    /// Conversation, user and text. Cheap: on the path of every call.
    #[must_use]
    pub fn read(&self, request: &Request) -> Reading {
        let doc = Doc::new(&request.body);
        Reading {
            conversation: self.spec.conversation.read(request, &doc),
            user: self.spec.user.read(request, &doc),
            text: self.spec.text.read(request, &doc),
        }
    }

    /// The request decoded. A body that is not a JSON object has no sections.
    #[must_use]
    pub fn envelope(&self, request: &Request) -> Envelope {
        let Reading { conversation, user, text } = self.read(request);
        let sections = envelope::sections(&self.shared.sections, &request.body, self.request.as_ref());
        Envelope { text, conversation, user, sections }
    }

    /// What the contract says of the value at a JSON Pointer of the request's body.
    #[must_use]
    pub fn meaning(&self, pointer: &str) -> Option<&str> {
        self.request.as_ref()?.meaning(pointer)
    }

    /// Where the request departs from the contract, the gravest first.
    #[must_use]
    pub fn check_request(&self, request: &Request) -> Vec<Finding> {
        let Some(schema) = &self.request else { return Vec::new() };
        if request.cut {
            let sentence = "The body was cut at the listener's limit, so it was not held against the contract.";
            return vec![self.finding(Severity::Note, sentence)];
        }
        if request.body.is_empty() {
            return vec![self.finding(Severity::Error, "The body is empty; a JSON object is expected.")];
        }
        self.check(schema, &request.body)
    }

    /// Where the response departs from the contract, the gravest first.
    #[must_use]
    pub fn check_response(&self, response: &Response) -> Vec<Finding> {
        let Some(schema) = &self.response else { return Vec::new() };
        if !(200..300).contains(&response.status) {
            let failure = if self.spec.failure.is_empty() { "2xx is expected" } else { &self.spec.failure };
            return vec![self.finding(Severity::Error, &format!("The status is {}: {failure}.", response.status))];
        }
        if response.body.is_empty() {
            return vec![self.finding(self.spec.empty, "The body is empty; a JSON object is expected.")];
        }
        self.check(schema, &response.body)
    }

    fn check(&self, schema: &Schema, body: &[u8]) -> Vec<Finding> {
        let not_json = |why: String| vec![self.finding(Severity::Error, &format!("The body is not JSON: {why}."))];
        let text = match std::str::from_utf8(body) {
            Ok(text) => text,
            Err(error) => return not_json(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
        };
        if let Err(error) = json::check(text) {
            return not_json(format!("line {}, column {}: {}", error.line, error.column, error.message));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(instance) => schema.check(&instance, self.source()),
            // Well-formed, but for example nested too deeply.
            Err(error) => not_json(error.to_string()),
        }
    }

    fn source(&self) -> &str {
        if self.spec.source.is_empty() { &self.shared.source } else { &self.spec.source }
    }

    fn finding(&self, severity: Severity, sentence: &str) -> Finding {
        Finding { pointer: String::new(), severity, sentence: sentence.into(), source: self.source().into() }
    }

    /// An unsigned request from the pack's sample: method, target `/hooks/moveo/pre_message`, headers, body on one line.
    #[must_use]
    pub fn sample(&self) -> Request {
        let mut headers: Headers =
            self.shared.sample_headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in &self.spec.sample_headers {
            headers.set(name, value.clone());
        }
        Request {
            method: self.spec.recognise.method.clone().unwrap_or_else(|| "POST".into()),
            target: format!("/hooks/{}", self.name),
            headers,
            body: self.one_line(self.spec.sample.as_ref()),
            ..Request::default()
        }
    }

    /// What the listener answers by default: status 200 and a body that the contract allows.
    #[must_use]
    pub fn reply(&self) -> Response {
        let Some(file) = &self.spec.reply else { return Response { status: 200, ..Response::default() } };
        Response {
            status: 200,
            headers: [("content-type", "application/json")].into_iter().collect(),
            body: self.one_line(file.as_ref()),
        }
    }

    /// A file of the pack as a platform would send it: without the white space that people like.
    fn one_line(&self, file: &str) -> Bytes {
        let bytes = self.shared.library.file(file).unwrap_or_default();
        let compact = std::str::from_utf8(bytes).ok().and_then(|text| json::compact(text).ok());
        compact.map_or_else(|| Bytes::copy_from_slice(bytes), Bytes::from)
    }

    /// Puts a fresh signature on the request; does nothing where the contract has none.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn sign(&self, request: &mut Request, secret: &Secret, at: Timestamp) -> Result<(), SignError> {
        self.scheme().map_or(Ok(()), |(_, scheme)| signature::sign(scheme, request, secret, at))
    }

    /// What the pack says of this kind, for people.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description {
            name: self.name.clone(),
            title: self.title.clone(),
            fires: self.spec.fires.clone(),
            returns: self.spec.returns.clone(),
            failure: self.spec.failure.clone(),
            signed: self.scheme().map(|(_, scheme)| scheme.describe()),
            source: self.source().to_owned(),
        }
    }
}
