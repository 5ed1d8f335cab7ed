//! A kind: one call of a platform, and everything its pack knows of it.

mod contract;
mod signing;
mod stand_in;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use smallvec::SmallVec;
use toml::Spanned;

use super::doc::Doc;
use super::pack::{Caller, ConversationSpec, KindSpec, Reads, SectionSpec};
use super::refresh::RefreshSpec;
use super::schema::{Help, Library, Schema};
use super::{Envelope, Section, Seen, envelope, recognise};
use crate::call::{Packed, Request, Response};
use crate::signature::{Carrier, Scheme};

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

/// Conversation, user and text of a call, or what stands for the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The conversation's key.
    pub conversation: Option<String>,
    /// The user's id.
    pub user: Option<String>,
    /// What the user said.
    pub text: Option<String>,
    /// What the call is about where the user said nothing: that begins no turn.
    pub summary: Option<String>,
}

impl Reading {
    /// What a line says of the call: the user's words in quotation marks, else what it is about.
    #[must_use]
    pub fn line(self) -> Option<String> {
        self.text.map(|text| format!("“{text}”")).or(self.summary)
    }
}

/// One row of a document's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// A header's name, or a JSON Pointer in which `*` stands for any index.
    pub place: String,
    /// `header`, `query`, `form`, `body`, `response` or `error response`.
    pub part: &'static str,
    /// Its JSON type (`string`, `object or null`), where the contract fixes it.
    pub json_type: Option<String>,
    /// Whether every call has it.
    pub required: bool,
    /// The same in words, with when that holds: `optional`, `required for type text`, `required unless convId is there`,
    /// `not in the contract`.
    pub need: String,
    /// The values that the contract names, where these are all.
    pub allowed: Vec<String>,
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
    pub(super) error_response: Option<Schema>,
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
            error_response: schema(&spec.error_response),
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

    /// The scheme that signs it; none where the contract has no signature. Of several the first.
    #[must_use]
    pub fn scheme(&self) -> Option<&Scheme> {
        self.schemes().next()
    }

    /// Every scheme of which one signs it, the usual one first.
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        let names = self.spec.signature.iter().flat_map(|names| names.as_ref().iter());
        names.filter_map(|name| self.shared.schemes.get(name))
    }

    /// Its schemes, the one first that `request` looks most like being signed by, as far as can be told without a secret; of
    /// those that it looks alike for, the usual one.
    #[must_use]
    pub fn by_likeness(&self, request: &Request) -> SmallVec<[&Scheme; 4]> {
        let mut ordered: SmallVec<[&Scheme; 4]> = self.schemes().collect();
        if ordered.len() > 1 {
            ordered.sort_by_key(|scheme| Reverse(scheme.likeness(request)));
        }
        ordered
    }

    /// The first of them.
    #[must_use]
    pub fn scheme_of(&self, request: &Request) -> Option<&Scheme> {
        self.by_likeness(request).into_iter().next()
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

    /// What schema and pointers are about: the body, unpacked where it came compressed, or the parameters of the query or of a
    /// form as a JSON object. Of several parameters with one name the first counts, as for a page's `URLSearchParams.get`. No
    /// platform has thousands of them: this is on the path of every call, and those beyond that are left out.
    #[must_use]
    pub fn document<'a>(&self, request: &'a Request) -> Cow<'a, [u8]> {
        let body = || match Packed::of(&request.headers, &request.body) {
            Some(Packed { content: Ok(body), .. }) => Cow::Owned(body.into()),
            _ => Cow::Borrowed(&request.body[..]),
        };
        let pairs = match self.spec.reads {
            Reads::Body => return body(),
            Reads::Query => Cow::Borrowed(request.query().unwrap_or_default().as_bytes()),
            Reads::Form => body(),
        };
        let mut object = Map::new();
        for (name, value) in url::form_urlencoded::parse(&pairs).take(recognise::MOST_NAMES) {
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

    /// Conversation, user, text and summary.
    #[must_use]
    pub fn read(&self, request: &Request) -> Reading {
        let rules = &self.spec.recognise;
        let request = &*request.readable();
        self.with_doc(&Seen::new(request), |doc| {
            let text = self.spec.text.read(request, doc, rules);
            let summary = || self.spec.summary.read(request, doc, rules);
            Reading {
                conversation: self.spec.conversation.read_key(request, doc, rules),
                user: self.spec.user.read(request, doc, rules),
                summary: text.is_none().then(summary).flatten(),
                text,
            }
        })
    }

    /// The conversation's key. Cheap: on the path of every call.
    #[must_use]
    pub fn conversation(&self, seen: &Seen<'_>) -> Option<String> {
        self.with_doc(seen, |doc| self.spec.conversation.read_key(seen.request, doc, &self.spec.recognise))
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
        let request = &*request.readable();
        let Reading { conversation, user, text, summary } = self.read(request);
        let document = self.document(request);
        let sections = envelope::sections(&self.shared.sections, &document, self.request.as_ref());
        Envelope { text, summary, conversation, user, sections }
    }

    /// The conversation's variables as the request has them, as JSON text. What a page sends are updates of them.
    #[must_use]
    pub fn context<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let pointer = self.shared.conversation.context.as_ref().filter(|_| self.spec.reads == Reads::Body)?;
        Doc::new(&request.body).find(pointer)
    }

    /// Whether its requests have the conversation's variables, all of them.
    #[must_use]
    pub fn bears_the_context(&self) -> bool {
        !self.is_from_a_browser() && self.context(&self.sample()).is_some()
    }

    /// What the agent says in a response.
    #[must_use]
    pub fn said_in(&self, response: &Response) -> Vec<Section> {
        envelope::sections(&self.shared.conversation.answer, &response.readable().body, self.response.as_ref())
    }

    /// What a response tells the platform, which the agent does not say.
    #[must_use]
    pub fn told_in(&self, response: &Response) -> Vec<Section> {
        envelope::sections(&self.shared.conversation.result, &response.readable().body, self.response.as_ref())
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

    /// As [`Self::meaning`], with all else that the contract says of the value.
    #[must_use]
    pub fn help(&self, pointer: &str) -> Option<Help> {
        self.request.as_ref()?.help(pointer)
    }

    /// As [`Self::help`], of a value of the answer.
    #[must_use]
    pub fn response_help(&self, pointer: &str) -> Option<Help> {
        self.response.as_ref().or(self.error_response.as_ref())?.help(pointer)
    }

    fn source(&self) -> &str {
        if self.spec.source.is_empty() { &self.shared.source } else { &self.spec.source }
    }

    /// The headers and fields of the request as the documents' tables have them.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let signed = |name: &str| self.schemes().any(|scheme| scheme.header.eq_ignore_ascii_case(name));
        let headers = self.spec.headers.iter().map(|header| {
            let required = header.required.is_some() || signed(&header.name);
            Field {
                place: header.name.clone(),
                part: "header",
                json_type: None,
                required,
                need: if required { "required" } else { "optional" }.to_owned(),
                allowed: Vec::new(),
                meaning: Some(header.description.clone()),
            }
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

    /// The fields of a response that tells of an error, likewise.
    #[must_use]
    pub fn error_fields(&self) -> Vec<Field> {
        self.error_response.iter().flat_map(|schema| schema.fields("error response")).collect()
    }

    /// Every schema that it has.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &Schema> {
        [&self.request, &self.response, &self.error_response].into_iter().flatten()
    }

    /// `GET`, `POST`, ...
    #[must_use]
    pub fn method(&self) -> &str {
        self.spec.recognise.method().unwrap_or("POST")
    }

    /// The headers that its contract knows: those of the signature and of the table, and what says that a body is JSON.
    #[must_use]
    pub fn header_names(&self) -> Vec<&str> {
        let in_a_header = |scheme: &&Scheme| scheme.carrier == Carrier::Header;
        let signature = self.schemes().filter(in_a_header).map(|scheme| scheme.header.as_str());
        let table = self.spec.headers.iter().map(|header| header.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in signature.into_iter().chain(table).chain(["Content-Type"]) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
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
            signed: self.schemes().map(Scheme::describe).reduce(|all, one| format!("{all}. Or {one}")),
            instead: self.spec.instead.as_ref().map(|kind| self.sibling(kind)),
            source: self.source().to_owned(),
        }
    }
}
