//! A kind: one call of a platform, and everything its pack knows of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use toml::Spanned;

use super::doc::Doc;
use super::fill::Filler;
use super::pack::{AnswerSpec, Caller, ConversationSpec, HeaderSpec, KindSpec, Reads, SectionSpec, When};
use super::refresh::RefreshSpec;
use super::schema::{Help, Library, Schema};
use super::{Envelope, Finding, Section, Seen, Severity, envelope, recognise};
use crate::call::{Headers, Request, Response, Sig};
use crate::config::Secret;
use crate::json;
use crate::signature::{self, Carrier, Scheme, SignError};

/// How many of the names that a body has twice are told.
const MOST_DUPLICATES: usize = 5;

/// What the kinds of one pack share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub platform: String,
    pub schemes: BTreeMap<String, Scheme>,
    pub refresh: Vec<RefreshSpec>,
    pub sections: Vec<SectionSpec>,
    pub conversation: ConversationSpec,
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

/// One row of a document's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// A header's name, or a JSON Pointer in which `*` stands for any index.
    pub place: String,
    /// `header`, `query`, `form`, `body` or `response`.
    pub part: &'static str,
    /// Its JSON type (`string`, `object or null`), where the contract fixes it.
    pub json_type: Option<String>,
    /// Whether the contract is broken without it.
    pub required: bool,
    /// What the document says of it.
    pub meaning: Option<String>,
}

/// What the listener answers instead of [`Kind::reply`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// When, in words that go on from "when".
    pub when: String,
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
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
    /// How long the platform waits for an answer, in milliseconds, where its documents say so.
    pub timeout_ms: Option<u64>,
    /// How it is signed, in words; none where it is not.
    pub signed: Option<String>,
    /// What the platform calls where this one is not configured: `platform/kind`.
    pub instead: Option<String>,
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
    /// The body of [`Self::reply`].
    reply: OnceLock<Bytes>,
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
            reply: OnceLock::new(),
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

    /// The scheme's name in its pack and the scheme; none where the contract has no signature. Of several the first.
    #[must_use]
    pub fn scheme(&self) -> Option<(&str, &Scheme)> {
        self.schemes().next()
    }

    /// Every scheme of which one signs it, the usual one first, with its name in the pack.
    pub fn schemes(&self) -> impl Iterator<Item = (&str, &Scheme)> {
        let names = self.spec.signature.iter().flat_map(|names| names.as_ref().iter());
        names.filter_map(|name| self.shared.schemes.get_key_value(name).map(|(name, scheme)| (name.as_str(), scheme)))
    }

    /// The scheme by which `request` is signed, as far as can be told without a secret: the first that it bears, else the
    /// first.
    #[must_use]
    pub fn scheme_of(&self, request: &Request) -> Option<&Scheme> {
        let borne = self.schemes().map(|(_, scheme)| scheme).find(|scheme| scheme.is_borne_by(request));
        borne.or_else(|| self.scheme().map(|(_, scheme)| scheme))
    }

    /// The scheme to sign `request` by with `secret`: the one that it bears, else the first; of those that the secret is for.
    /// None where it is not signed, or need not be.
    fn scheme_to_sign(&self, request: &Request, secret: Option<&Secret>) -> Option<&Scheme> {
        if secret.is_none() && self.scheme().is_some_and(|(_, scheme)| scheme.optional) {
            return None;
        }
        let fits = |scheme: &&Scheme| secret.is_none_or(|secret| scheme.can_sign_with(secret));
        let borne = self.scheme_of(request).filter(fits);
        borne.or_else(|| self.schemes().map(|(_, scheme)| scheme).find(fits)).or_else(|| self.scheme_of(request))
    }

    /// The full name of the kind whose wait this one ends.
    #[must_use]
    pub fn closes(&self) -> Option<String> {
        self.spec.closes.as_ref().map(|closes| self.sibling(&closes.kind))
    }

    fn sibling(&self, bare: &Spanned<String>) -> String {
        format!("{}/{}", self.shared.platform, bare.as_ref())
    }

    /// Whether a web page makes this call, or what serves it, and not the platform's servers.
    #[must_use]
    pub fn is_from_a_browser(&self) -> bool {
        self.spec.caller == Caller::Browser
    }

    /// Whether schema and pointers are about the query, not about the body.
    #[must_use]
    pub fn reads_the_query(&self) -> bool {
        self.spec.reads == Reads::Query
    }

    /// What schema and pointers are about: the body, or the parameters of the query or of a form as a JSON object. Of several parameters with
    /// one name the first counts, as for a page's `URLSearchParams.get`.
    #[must_use]
    pub fn document<'a>(&self, request: &'a Request) -> Cow<'a, [u8]> {
        let pairs = match self.spec.reads {
            Reads::Body => return Cow::Borrowed(&request.body),
            Reads::Query => request.query().unwrap_or_default().as_bytes(),
            Reads::Form => &request.body,
        };
        let mut object = Map::new();
        for (name, value) in url::form_urlencoded::parse(pairs) {
            object.entry(name).or_insert_with(|| value.into());
        }
        Cow::Owned(Value::Object(object).to_string().into_bytes())
    }

    /// Itself with a rank, if `method` on `path` names it whatever the body is: by a path of its rules, or, where the path is
    /// known to be the platform's (`ours`), by the kind's name.
    pub(super) fn named_by(&self, method: &str, path: &[&str], ours: bool) -> Option<(usize, &Self)> {
        let rules = &self.spec.recognise;
        let by_name = ours && recognise::names(path, self.bare()) && rules.takes(method);
        let rank = if by_name { Some(usize::MAX) } else { rules.lead(method, path) };
        rank.map(|rank| (rank, self))
    }

    /// Conversation, user and text.
    #[must_use]
    pub fn read(&self, request: &Request) -> Reading {
        let rules = &self.spec.recognise;
        self.with_doc(&Seen::new(request), |doc| Reading {
            conversation: self.spec.conversation.read(request, doc, rules),
            user: self.spec.user.read(request, doc, rules),
            text: self.spec.text.read(request, doc, rules),
        })
    }

    /// The conversation's key. Cheap: on the path of every call.
    #[must_use]
    pub fn conversation(&self, seen: &Seen<'_>) -> Option<String> {
        self.with_doc(seen, |doc| self.spec.conversation.read(seen.request, doc, &self.spec.recognise))
    }

    /// Looks at [`Self::document`], which is mostly the body that was read already.
    fn with_doc<T>(&self, seen: &Seen<'_>, look: impl FnOnce(&Doc<'_>) -> T) -> T {
        match self.document(seen.request) {
            Cow::Borrowed(_) => look(&seen.doc),
            Cow::Owned(query) => look(&Doc::new(&query)),
        }
    }

    /// The request decoded. Pointers are into [`Self::document`]; a body that is not a JSON object has no sections.
    #[must_use]
    pub fn envelope(&self, request: &Request) -> Envelope {
        let Reading { conversation, user, text } = self.read(request);
        let document = self.document(request);
        let sections = envelope::sections(&self.shared.sections, &document, self.request.as_ref());
        Envelope { text, conversation, user, sections }
    }

    /// The conversation's variables as the request has them, as JSON text. What a page sends are updates of them.
    #[must_use]
    pub fn context<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let pointer = self.shared.conversation.context.as_ref().filter(|_| self.spec.reads == Reads::Body)?;
        Doc::new(&request.body).find(pointer).map(RawValue::get)
    }

    /// Whether its requests have the conversation's variables, all of them.
    #[must_use]
    pub fn bears_the_context(&self) -> bool {
        !self.is_from_a_browser() && self.context(&self.sample()).is_some()
    }

    /// What the agent says in a response.
    #[must_use]
    pub fn said_in(&self, response: &Response) -> Vec<Section> {
        envelope::sections(&self.shared.conversation.answer, &response.body, self.response.as_ref())
    }

    /// The JSON Pointer of the conversation's variables.
    #[must_use]
    pub fn context_pointer(&self) -> Option<&str> {
        self.shared.conversation.context.as_deref()
    }

    /// What the contract says of the value at a JSON Pointer of the request's body.
    #[must_use]
    pub fn meaning(&self, pointer: &str) -> Option<&str> {
        self.request.as_ref()?.meaning(pointer)
    }

    /// The same with all else that the contract says of it.
    #[must_use]
    pub fn help(&self, pointer: &str) -> Option<Help> {
        self.request.as_ref()?.help(pointer)
    }

    /// The same of the answer.
    #[must_use]
    pub fn response_help(&self, pointer: &str) -> Option<Help> {
        self.response.as_ref()?.help(pointer)
    }

    /// Where the request departs from the contract, the gravest first.
    #[must_use]
    pub fn check_request(&self, request: &Request) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            self.spec.headers.iter().filter_map(|header| self.check_header(header, request)).collect();
        let document = self.document(request);
        if let Some(schema) = &self.request {
            if request.cut {
                let sentence = "The body was cut at the listener's limit, so it was not held against the contract.";
                findings.push(self.finding(Severity::Note, sentence));
            } else if document.is_empty() {
                findings.push(self.finding(Severity::Error, "The body is empty; a JSON object is expected."));
            } else {
                findings.extend(self.check(schema, &document));
            }
        }
        if let Some(lint) = &self.spec.lint {
            findings.extend(lint.check(&document, self.source()));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    fn check_header(&self, spec: &HeaderSpec, request: &Request) -> Option<Finding> {
        let HeaderSpec { name, description, required, value, finding } = spec;
        let severity = (*required)?;
        let sentence = match (request.headers.get(name).filter(|given| !given.is_empty()), value) {
            (None, _) => format!("The header {name} is missing ({description}). {finding}"),
            (Some(given), Some(wanted)) if !given.to_ascii_lowercase().starts_with(&wanted.to_ascii_lowercase()) => {
                format!("The header {name} is {given:?}, {wanted} is expected. {finding}")
            }
            _ => return None,
        };
        Some(self.finding(severity, sentence.trim_end()))
    }

    /// Where the response departs from the contract, the gravest first.
    #[must_use]
    pub fn check_response(&self, response: &Response) -> Vec<Finding> {
        let Some(schema) = &self.response else { return Vec::new() };
        if !(200..300).contains(&response.status) {
            let sentence = format!("The status is {}; 2xx is expected.", response.status);
            return vec![self.finding(Severity::Error, &sentence)];
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
        let twice = json::duplicates(text, MOST_DUPLICATES).into_iter().map(|pointer| Finding {
            severity: Severity::Warning,
            sentence: "This name is there twice in its object: some readers take the first value, most the last."
                .into(),
            source: "RFC 8259, section 4".into(),
            pointer,
        });
        match serde_json::from_str::<Value>(text) {
            Ok(instance) => twice.chain(schema.check(&instance, self.source())).collect(),
            // Well-formed, but nested too deeply, or with a number that no double holds.
            Err(error) => {
                let sentence = format!("The body could not be held against the contract: {error}.");
                vec![self.finding(Severity::Warning, &sentence)]
            }
        }
    }

    fn source(&self) -> &str {
        if self.spec.source.is_empty() { &self.shared.source } else { &self.spec.source }
    }

    fn finding(&self, severity: Severity, sentence: &str) -> Finding {
        Finding { pointer: String::new(), severity, sentence: sentence.into(), source: self.source().into() }
    }

    /// An unsigned request from the pack's sample: method, target (`/hooks/moveo/pre_message`, or where the platform has it),
    /// headers, body on one line. A token says whom it is about and is signed by nobody.
    #[must_use]
    pub fn sample(&self) -> Request {
        let shared = self.shared.sample_headers.iter().filter(|_| !self.is_from_a_browser());
        let mut headers: Headers = shared.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in &self.spec.sample_headers {
            headers.set(name, value.clone());
        }
        if !self.spec.sample_claims.is_empty()
            && let Some((_, scheme)) = self.scheme()
            && let Some(token) = signature::carry(scheme, &self.spec.sample_claims)
        {
            headers.set(&scheme.header, token);
        }
        let sample = self.one_line(self.spec.sample.as_ref());
        let target = self.spec.sample_target.clone().unwrap_or_else(|| format!("/hooks/{}", self.name));
        let (target, body) = match self.spec.reads {
            Reads::Body => (target, sample),
            Reads::Query => (format!("{target}?{}", as_query(&sample)), Bytes::new()),
            Reads::Form => (target, as_query(&sample).into()),
        };
        let method = self.method().to_owned();
        Request { method, target, headers, body, ..Request::default() }
    }

    /// What the listener answers where nothing is wrong: status 200 and a body that the contract allows.
    #[must_use]
    pub fn reply(&self) -> Response {
        let Some(file) = &self.spec.reply else { return Response { status: 200, ..Response::default() } };
        let file: &str = file.as_ref();
        let media = match file.rsplit_once('.') {
            Some((_, "xml")) => "text/xml; charset=utf-8",
            Some((_, "txt")) => "text/plain; charset=utf-8",
            _ => "application/json",
        };
        let headers = [("content-type", media)].into_iter().collect();
        let body = self.reply.get_or_init(|| self.one_line(file)).clone();
        Response { status: 200, headers, body }
    }

    /// What the listener answers to `request` with the verdict `sig`: what the platform would where something is wrong that the
    /// pack knows of, else [`Self::reply`]; `secrets` seal what it asks to have sealed. Why the verdict is what it is stays here.
    #[must_use]
    pub fn answer(&self, request: &Request, sig: Option<Sig>, secrets: &[&Secret]) -> Response {
        let document = self.document(request);
        let doc = Doc::new(&document);
        let there = |value: &RawValue| !matches!(value.get(), "null" | "\"\"");
        let holds = |when: &When| {
            let lacks_header = |name: &String| request.headers.get(name).unwrap_or_default().is_empty();
            (when.sig.is_empty() || sig.is_some_and(|sig| when.sig.contains(&sig)))
                && when.lacks_header.as_ref().is_none_or(lacks_header)
                && when.lacks.as_ref().is_none_or(|pointer| !doc.at(pointer).is_some_and(there))
        };
        match self.spec.answer.iter().find(|answer| holds(&answer.when)) {
            Some(answer) => {
                let scheme = self.scheme().map(|(_, scheme)| scheme);
                let filler = Filler { request, doc: &doc, scheme, secrets };
                let (media, body) = match (&answer.text, &answer.body) {
                    (Some(text), _) => ("text/plain; charset=utf-8", filler.text(text)),
                    (None, Some(body)) => ("application/json", filler.value(body).to_string()),
                    (None, None) => return Response { status: answer.status, ..Response::default() },
                };
                let headers = [("content-type", media)].into_iter().collect();
                Response { status: answer.status, headers, body: body.into() }
            }
            None => self.reply(),
        }
    }

    /// What [`Self::answer`] gives where something is wrong, in the order of trying.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        let when = |when: &When| {
            let sig = if when.sig.is_empty() {
                None
            } else {
                let words: Vec<&str> = when.sig.iter().map(|sig| sig.word()).collect();
                Some(format!("the signature is {}", words.join(" or ")))
            };
            let header = when.lacks_header.as_ref().map(|name| format!("there is no {name}"));
            let lacks = when.lacks.as_ref().map(|pointer| format!("there is no {}", &**pointer));
            let all: Vec<String> = [sig, header, lacks].into_iter().flatten().collect();
            if all.is_empty() { "it is called".to_owned() } else { all.join(" and ") }
        };
        let answers = self.spec.answer.iter();
        let body = |spec: &AnswerSpec| spec.text.clone().map(Value::from).or(spec.body.clone()).unwrap_or_default();
        answers.map(|spec| Answer { when: when(&spec.when), status: spec.status, body: body(spec) }).collect()
    }

    /// The headers and fields of the request as the documents' tables have them.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let signed = |name: &str| self.schemes().any(|(_, scheme)| scheme.header.eq_ignore_ascii_case(name));
        let headers = self.spec.headers.iter().map(|header| Field {
            place: header.name.clone(),
            part: "header",
            json_type: None,
            required: header.required == Some(Severity::Error) || signed(&header.name),
            meaning: Some(header.description.clone()),
        });
        let part = match self.spec.reads {
            Reads::Body => "body",
            Reads::Query => "query",
            Reads::Form => "form",
        };
        let schema = self.request.iter().flat_map(|schema| schema.fields(part));
        headers.chain(schema).collect()
    }

    /// The fields of the response, likewise.
    #[must_use]
    pub fn response_fields(&self) -> Vec<Field> {
        self.response.iter().flat_map(|schema| schema.fields("response")).collect()
    }

    /// `GET`, `POST`, ...
    #[must_use]
    pub fn method(&self) -> &str {
        self.spec.recognise.method().unwrap_or("POST")
    }

    /// The headers that its contract knows: those of the signature and of the table, and what says that a body is JSON.
    #[must_use]
    pub fn header_names(&self) -> Vec<&str> {
        let in_a_header = |(_, scheme): &(&str, &Scheme)| scheme.carrier == Carrier::Header;
        let signature = self.schemes().filter(in_a_header).map(|(_, scheme)| scheme.header.as_str());
        let table = self.spec.headers.iter().map(|header| header.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in signature.into_iter().chain(table).chain(["Content-Type"]) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
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
    pub fn sign(&self, request: &mut Request, secret: Option<&Secret>, at: Timestamp) -> Result<(), SignError> {
        let Some(scheme) = self.scheme_to_sign(request, secret) else { return Ok(()) };
        let borne = self.schemes().any(|(_, scheme)| scheme.is_borne_by(request));
        let whole = |other: &&Scheme| other.carrier == Carrier::Header && (!borne || other.is_borne_by(request));
        let mut others: Vec<&Scheme> = self.schemes().map(|(_, other)| other).filter(whole).collect();
        signature::sign(scheme, request, secret, at)?;
        // Where a platform signs in several headers, so does this.
        let mut places = vec![scheme.header.to_ascii_lowercase()];
        others.retain(|other| {
            let place = other.header.to_ascii_lowercase();
            let first = !places.contains(&place);
            places.push(place);
            first && !other.optional && secret.is_some_and(|secret| other.can_sign_with(secret))
        });
        others.into_iter().try_for_each(|other| signature::sign(other, request, secret, at))
    }

    /// What [`Self::sign`] would write, before there is a time; none where the contract has no signature.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn preview(&self, request: &Request, secret: Option<&Secret>) -> Option<Result<String, SignError>> {
        self.scheme_to_sign(request, secret).map(|scheme| signature::preview(scheme, request, secret))
    }

    /// As [`Self::sign`], good for `lifetime` milliseconds where the scheme's signatures expire.
    ///
    /// # Errors
    /// As [`signature::sign`].
    pub fn sign_lasting(
        &self,
        request: &mut Request,
        secret: Option<&Secret>,
        at: Timestamp,
        lifetime: u64,
    ) -> Result<(), SignError> {
        let scheme = self.scheme_to_sign(request, secret);
        scheme.map_or(Ok(()), |scheme| signature::sign(&scheme.clone().lasting(lifetime), request, secret, at))
    }

    /// What the pack says of this kind, for people.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description {
            name: self.name.clone(),
            title: self.title.clone(),
            fires: self.spec.fires.clone(),
            returns: self.spec.returns.clone(),
            failure: self.failure(),
            timeout_ms: self.spec.timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            signed: self.schemes().map(|(_, scheme)| scheme.describe()).reduce(|all, one| format!("{all}. Or {one}")),
            instead: self.spec.instead.as_ref().map(|kind| self.sibling(kind)),
            source: self.source().to_owned(),
        }
    }
}

/// A JSON object as a query.
fn as_query(object: &[u8]) -> String {
    let object: Map<String, Value> = serde_json::from_slice(object).unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(object.iter().map(|(name, value)| (name, text(value))))
        .finish()
}
