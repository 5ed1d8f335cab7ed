//! A pack as it is written: `pack.toml` and the files beside it, read and checked.
//!
//! The reader is strict, so that a slip of the pen is an error with its line and not a rule that never fires: a key that is
//! not told here is refused. (*) marks what a table must have. A PLACE is a JSON Pointer (RFC 6901) into the document,
//! `header:NAME`, `query:NAME`, `path:NAME` (what stands where `recognise` has `{NAME}`) or `claim:NAME` (of the bearer token);
//! of a list of places the first counts that has a value. FILE is a path in the pack's folder. The *document* of a kind is
//! its body or, if it `reads` the query or a form, the parameters as a JSON object of strings.
//!
//! | `[platform]` | |
//! | --- | --- |
//! | `name` (*), `title` (*) | `name` as in `platform/kind`: lower-case letters, digits, `_`, `-` |
//! | `order` | where it stands among the built-in platforms: smaller numbers come first (100), then by name |
//! | `headers` | headers that only this platform's calls have: a call with one of them is no other platform's |
//! | `story` | the kinds in the order in which a conversation meets them |
//! | `source` | the document all this is from, where nothing nearer is named |
//!
//! | `[signature.NAME]` | |
//! | --- | --- |
//! | `scheme` (*) | a signature over a text of the call: `hmac-sha1`, `hmac-sha256`, `hmac-sha512`, `sha256` (no secret goes into it, unless the message has `{secret}`), `ed25519`, `ecdsa-p256`, `rsa-sha256`; the secret itself: `token`, `basic` (`user:password`, RFC 7617); or `jwt` |
//! | `header`, `query`, `field` (* one) | where it stands: a header, a parameter of the query, a JSON Pointer into the body |
//! | `prefix`, `separator` | what stands before it (`sha256=`, `Bearer `, `v1=`); what stands between several things there (`,` in `t=1,v1=...`; one signature may fit of several) |
//! | `beside` | headers with their values that tell it from the platform's other schemes (`{ X-Signature-Version = "v2" }`) |
//! | `encoding` (*), `message` (*) | of such a signature: `hex` or `base64`; what is signed: `{body}`, `{body:/pointer}`, `{header:NAME}`, `{timestamp}`, `{method}`, `{url}`, `{url:decoded}`, `{form}`, `{crc32}`, `{secret}`, `{secret:NAME}` and text; `signature/message.rs` tells each |
//! | `timestamp`, `unit` | of such a signature: where its time stands: `header:NAME`, `field:t` (of `t=1,v1=...`), `/pointer`; how it is written: `s`, `ms`, `rfc3339` |
//! | `tolerance`, `window` | how far that time may be from the call, in seconds; `both` ways (left out) or `past` only |
//! | `key`, `key_prefix` | how the key is written in the secret: `text` (left out), `base64`, `hex`; what may stand before it (`["whsec_"]`). A key pair may always be PEM, a public one a certificate |
//! | `either_port`, `body_hash` | of such a signature over `{url}`: the default port may stand in it or not; the query's parameter with the SHA-256 of a body that is no form |
//! | `optional` | the platform signs only where it is told to: no signature and no secret is `unsigned` |
//! | `apart` | its secret is none of the platform's others: filed under PLATFORM/SCHEME only. A `token` or `basic` of a pack that has keys too is sent from there only |
//! | `algorithms` (*) | of a `jwt`: those of `RS256`, `ES256`, `HS256` that a token may be signed with |
//! | `issuers` | of a `jwt`: what `iss` may be, the first for fresh ones (none: anything); the configuration may add to them |
//! | `required` | of a `jwt`: claims that must be there |
//! | `lifetime`, `leeway` | of a `jwt`, in ms: how long a fresh one is good for (60000); how far ahead the signer's clock may be (0) |
//! | `subject` | of a `jwt`: list of `/pointer`, `query:NAME`, `header:NAME`: whom a fresh one is about, if the old one does not say |
//! | `secret`, `example` | what the platform calls the secret; a reference to it (`env:MOVEO_TOKEN`) |
//! | `missing` | completes "there is no ... header; " |
//! | `source` | the document |
//!
//! | `[[kind]]` | |
//! | --- | --- |
//! | `name` (*), `title` (*) | |
//! | `recognise` (*) | a rule or a list of rules of which one fits. Of a rule holds everything it names: `method`, `path` (patterns of which one fits; `*` or `{name}` for a segment), `headers`, `query`, `form` (there), `query_of` (`{ least, names }`), `has`, `any`, `lacks`, `equal` (pointers into the body: there, one there, not there, with this value) |
//! | `reads` | what the document is: `body`, `query`, or `form` (names and values in the body, as in a query) |
//! | `caller` | who makes the call: `platform`, or `browser` (a page or what serves it: no `sample_headers` of the platform, CORS applies) |
//! | `signature` | the scheme it is signed by, or a list of which one signs it, the usual one first |
//! | `conversation`, `user`, `text` | PLACE or list of such; `text`: what the user said, which begins a turn |
//! | `summary` | likewise: what the call is about, in words that are not the user's or were not said to the agent; begins no turn |
//! | `request`, `response` | FILE: the JSON Schema of the document, and of the answer's body; `schema.rs` has the added keywords |
//! | `error_response` | FILE: that of the body of an answer with 400 or above |
//! | `headers` | list of `{ name, description, required, value, finding }`: `required` is the severity of its missing (left out: it may), `value` what it begins with, `finding` a sentence on what its missing or being wrong means |
//! | `lint` | `{ find, why, source }`: what does not belong into the document (`card`, `ssn`, `email`), and the document's sentence on it |
//! | `sample` (*) | FILE: the document of a sample |
//! | `sample_target`, `sample_headers`, `sample_claims` | its path (`/hooks/platform/kind`), its own headers, what its token says |
//! | `reply` | FILE: the body of a stand-in's answer with 200; JSON, `.xml` or `.txt` |
//! | `answer` | list of `{ when, status, body, text }`: given instead of `reply`, the first whose `when` holds (left out: always); JSON or plain text, with placeholders (`{/pointer}`, `{query:NAME}`, `{header:NAME}`, `{sign:/pointer}`; see `fill.rs`). Of `when`: `sig` (list of verdicts), `lacks_header`, `lacks` (a pointer; null and "" are as good as nothing), `wrong` (a pointer to what lacks or is an error to the contract) |
//! | `instead` | the kind that the platform calls where this one is not configured |
//! | `closes` | `{ kind, success, data, again, once, then }`: it ends a wait that a call of `kind` with the same conversation began; pointers to the boolean that says how, and to what it brings; `again`: one conversation may have many waits, one after the other; `once`: one such call ends it for good (left out: yes); `then`: what the flow does, a sentence for each of `waiting`, `success`, `error`, `expired` |
//! | `page` | the page that it opens: the parameters it `appends` to the URL, in order, and what the page calls back with: `calls` (*: a kind), `target` (*), `headers`, `claims`, `body`, `form` (*); see `page.rs` |
//! | `volatile` | list of pointers into the answer where each answer has another value (`*`: any index or name) |
//! | `fires`, `returns` | sentences: when the platform calls, what one may answer |
//! | `failure`, `empty` | completes "the status is 500: "; the severity of an empty answer |
//! | `fail_on_error` | `{ setting, on, off }` instead of `failure`: the webhook's setting that says what a failure does |
//! | `unreadable` | likewise of an answer that is not as the contract has it; left out: not published |
//! | `timeout` | how long the platform waits for an answer (`"30s"`); left out: not published |
//! | `source` | the document |
//!
//! | other tables | |
//! | --- | --- |
//! | `[sample_headers]` | what every sample of the platform's own calls bears |
//! | `[[refresh]]` | what every call has anew: `places` (*: list of `header:NAME` and pointers, which get one value where they are there), `value`: `uuid`, `now_ms`, `now_s`, `now` (RFC 3339); left out: it is sent again as it is, and only does not count where calls are compared |
//! | `[[section]]` | of the envelope: `title` (*), `pointer` (*), `form` (*: `fields`, `list`, `path`, `count`), `only`, `except` (keys, or beginnings with `*`), `label`, `value`, `score` (pointers into an item) |
//! | `[conversation]` | `context` (pointer: the variables that live from turn to turn), `answer` (sections of a response: what the agent says), `result` (likewise: what it tells the platform) |
//! | `[[vector]]` | a published example: `signature` (*), `secret`, `at` (when the call came), `method`, `url`, `headers`, `body`, `expect` (*: a verdict), `source` (*) |
//! | `[[endpoint]]` | a place that calls go to: `name` (*: what `--to` takes), `title` (*), `url` (*: `{path}`, `{kind}` as of a target), `source` (*) |
//! | `[[table]]` | a table of a document that is about no field: `title` (*), `columns` (*), `rows` (*), `source` (*) |
//! | `[webhook]` | what is taken as a webhook's address and headers: `public_https`, `max_custom_headers`, `forbidden_headers`, `doubtful_headers` (names, or beginnings with `*`), `known_headers` (name to `{ value, meaning }`), `egress` (addresses), `source` (*) |

mod answer;
mod closes;
mod files;
mod places;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::advice::Advice;
use super::consequence::{self, FailOnError};
use super::doc::Pointer;
use super::lint::Lint;
use super::page::PageSpec;
use super::recognise::Rules;
use super::refresh::RefreshSpec;
use super::{Endpoint, PackError, Severity, Table};
use crate::call::Sig;
use crate::config::instead;
use crate::signature::Scheme;

pub(super) use answer::{AnswerSpec, When};
pub(super) use closes::CloseSpec;
pub(super) use files::{Files, embedded, on_disk};
pub(super) use places::Places;

/// `pack.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub platform: PlatformSpec,
    #[serde(default)]
    pub signature: BTreeMap<String, Scheme>,
    #[serde(default)]
    pub sample_headers: BTreeMap<String, String>,
    #[serde(default)]
    pub kind: Vec<KindSpec>,
    #[serde(default)]
    pub refresh: Vec<RefreshSpec>,
    #[serde(default)]
    pub section: Vec<SectionSpec>,
    #[serde(default)]
    pub conversation: ConversationSpec,
    #[serde(default)]
    pub vector: Vec<VectorSpec>,
    #[serde(default)]
    pub endpoint: Vec<Endpoint>,
    #[serde(default)]
    pub table: Vec<Table>,
    pub webhook: Option<Advice>,
}

/// `[platform]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlatformSpec {
    pub name: Spanned<String>,
    pub title: String,
    /// Where it stands among the built-in platforms: smaller numbers come first.
    #[serde(default = "order")]
    pub order: u32,
    /// Headers of which a call of this platform bears at least one.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The kinds in the order in which a conversation meets them; those left out come last.
    #[serde(default)]
    pub story: Vec<Spanned<String>>,
    /// The document all this is from, where nothing nearer is named.
    #[serde(default)]
    pub source: String,
}

fn order() -> u32 {
    100
}

/// `[[kind]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindSpec {
    pub name: Spanned<String>,
    pub title: String,
    /// The schemes of which one signs it.
    pub signature: Option<Spanned<Names>>,
    pub recognise: Rules,
    /// What schema and pointers are about.
    #[serde(default)]
    pub reads: Reads,
    /// Who makes the call.
    #[serde(default)]
    pub caller: Caller,
    #[serde(default)]
    pub conversation: Places,
    #[serde(default)]
    pub user: Places,
    #[serde(default)]
    pub text: Places,
    #[serde(default)]
    pub summary: Places,
    /// The schema of the request's body.
    pub request: Option<Spanned<String>>,
    /// The schema of the response's body.
    pub response: Option<Spanned<String>>,
    /// The schema of the body of a response with 400 or above.
    pub error_response: Option<Spanned<String>>,
    pub sample: Spanned<String>,
    #[serde(default)]
    pub sample_headers: BTreeMap<String, String>,
    /// Where a sample goes, if the path matters; without the query.
    pub sample_target: Option<String>,
    /// What the token of a sample says.
    #[serde(default)]
    pub sample_claims: serde_json::Map<String, serde_json::Value>,
    /// The headers that matter, besides the signature's.
    #[serde(default)]
    pub headers: Vec<HeaderSpec>,
    /// Values that do not belong there.
    pub lint: Option<Lint>,
    /// What the page that it opens calls back with.
    pub page: Option<PageSpec>,
    /// What a stand-in answers with 200.
    pub reply: Option<Spanned<String>>,
    /// What it answers instead: the first whose condition holds.
    #[serde(default)]
    pub answer: Vec<AnswerSpec>,
    /// The kind that is called where this one is not configured.
    pub instead: Option<Spanned<String>>,
    /// The wait that it ends.
    pub closes: Option<CloseSpec>,
    /// Where each answer has another value.
    #[serde(default)]
    pub volatile: Vec<Pointer>,
    #[serde(default)]
    pub fires: String,
    #[serde(default)]
    pub returns: String,
    /// What a status other than 2xx does, to complete "the status is ...: ".
    #[serde(default)]
    pub failure: String,
    /// What says so instead.
    pub fail_on_error: Option<FailOnError>,
    /// What an answer does that is not as the contract has it.
    pub unreadable: Option<String>,
    /// How long the platform waits for an answer.
    #[serde(default, deserialize_with = "consequence::duration")]
    pub timeout: Option<Duration>,
    /// How grave an empty response is.
    #[serde(default = "error")]
    pub empty: Severity,
    #[serde(default)]
    pub source: String,
}

fn error() -> Severity {
    Severity::Error
}

/// One name, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
        .iter()
        .map(String::as_str)
    }
}

/// What a kind's schema, sections and pointers are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reads {
    /// The body.
    #[default]
    Body,
    /// The parameters of the query, as an object of strings.
    Query,
    /// The parameters of a form in the body, as an object of strings.
    Form,
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Caller {
    /// The platform's servers.
    #[default]
    Platform,
    /// A web page, or what serves it: none of the platform's headers, and CORS applies.
    Browser,
}

/// One of `headers` of a kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderSpec {
    pub name: String,
    pub description: String,
    /// How grave it is that it is not there; left out: it may be missing.
    pub required: Option<Severity>,
    /// What it must be, or begin with.
    pub value: Option<String>,
    /// What its being missing or wrong means, as a sentence.
    #[serde(default)]
    pub finding: String,
}

/// `[conversation]`: what the calls of one conversation tell together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConversationSpec {
    /// The variables that live from turn to turn: whole in what the platform sends, updates of them in what it is answered
    /// and in what a page sends.
    pub context: Option<Pointer>,
    /// What an agent says: sections of a response.
    #[serde(default)]
    pub answer: Vec<SectionSpec>,
    /// What a response tells the platform: sections of it.
    #[serde(default)]
    pub result: Vec<SectionSpec>,
}

/// `[[section]]` of the envelope.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionSpec {
    pub title: String,
    /// The value it shows.
    pub pointer: Pointer,
    pub form: Form,
    /// Keys to show, or all: a name, or a beginning followed by `*`.
    #[serde(default)]
    pub only: Vec<String>,
    /// Keys not to show.
    #[serde(default)]
    pub except: Vec<String>,
    /// Where an item's label is; the first that exists.
    #[serde(default)]
    pub label: Vec<Pointer>,
    /// Where an item's value is; the first that exists, or the whole item.
    #[serde(default)]
    pub value: Vec<Pointer>,
    /// Where an item's score from 0 to 1 is.
    pub score: Option<Pointer>,
}

/// How a section lays its value out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// An object: a row a member.
    Fields,
    /// An array: a row an item, with a score if there is one.
    List,
    /// An array: one row, the labels joined by arrows.
    Path,
    /// An array: one row, the number of its items.
    Count,
}

/// `[[vector]]`: a published example and what its check must find.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorSpec {
    pub signature: Spanned<String>,
    /// Published test data, hence in the clear. A keyless scheme has none.
    #[serde(default)]
    pub secret: String,
    /// When the call came, where that matters.
    pub at: Option<jiff::Timestamp>,
    /// Method and address of the call, where they matter.
    #[serde(default = "post")]
    pub method: String,
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    pub expect: Sig,
    pub source: String,
}

fn post() -> String {
    "POST".into()
}

/// Whether a platform, a kind or a scheme can be called so.
///
/// # Errors
/// A sentence that says what a name may have.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("{name:?}: a name has lower-case letters, digits, `_` and `-`"))
}

/// Reads `pack.toml` and sees that what it refers to is there. `folder` is for the errors.
pub(super) fn read(folder: &str, files: &Files) -> Result<PackFile, PackError> {
    let file = format!("{folder}/pack.toml");
    let whole = |message: String| PackError { file: file.clone(), message };
    let bytes = files.get("pack.toml").ok_or_else(|| whole("there is no such file: a pack begins with one".into()))?;
    let toml = std::str::from_utf8(bytes).map_err(|error| whole(error.to_string()))?;
    let at = |span: Option<Range<usize>>, message: &str| {
        whole(span.map_or_else(|| message.to_owned(), |span| format!("{}: {message}", place(toml, span.start))))
    };
    let pack: PackFile = toml::from_str(toml).map_err(|error| at(error.span(), error.message()))?;

    let name_fits =
        |name: &Spanned<String>| check_name(name.as_ref()).map_err(|message| at(Some(name.span()), &message));
    let scheme_there = |name: &str, span: Range<usize>| {
        if pack.signature.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = pack.signature.keys().map(String::as_str).collect();
        Err(at(Some(span), &format!("there is no [signature.{name}]: {}", instead(name, &known))))
    };
    let file_there = |name: &Spanned<String>| {
        if files.contains_key(name.as_ref()) {
            return Ok(());
        }
        Err(at(Some(name.span()), &format!("there is no file {} in the pack", name.as_ref())))
    };
    let kind_there = |name: &Spanned<String>| {
        if pack.kind.iter().any(|kind| kind.name.as_ref() == name.as_ref()) {
            return Ok(());
        }
        Err(at(Some(name.span()), &format!("{} is no kind of this pack", name.as_ref())))
    };
    name_fits(&pack.platform.name)?;
    for (index, kind) in pack.kind.iter().enumerate() {
        name_fits(&kind.name)?;
        if pack.kind[..index].iter().any(|other| other.name == kind.name) {
            return Err(at(Some(kind.name.span()), &format!("there are two kinds {}", kind.name.as_ref())));
        }
        if let Some(names) = &kind.signature {
            names.as_ref().iter().try_for_each(|name| scheme_there(name, names.span()))?;
        }
        let schemas = [&kind.request, &kind.response, &kind.error_response].into_iter().flatten();
        [&kind.sample].into_iter().chain(schemas).chain(&kind.reply).try_for_each(file_there)?;
        kind.instead.iter().chain(kind.closes.as_ref().map(|closes| &closes.kind)).try_for_each(kind_there)?;
    }
    pack.platform.story.iter().try_for_each(kind_there)?;
    for endpoint in &pack.endpoint {
        let unknown = endpoint.kinds.iter().find(|name| pack.kind.iter().all(|kind| kind.name.as_ref() != *name));
        if let Some(unknown) = unknown {
            return Err(at(None, &format!("endpoint {}: {unknown} is no kind of this pack", endpoint.name)));
        }
    }
    let vectors = pack.vector.iter().map(|vector| &vector.signature);
    vectors.into_iter().try_for_each(|name| scheme_there(name.as_ref(), name.span()))?;
    Ok(pack)
}

/// Where byte `offset` is, as its line and the key on it.
fn place(toml: &str, offset: usize) -> String {
    let before = toml.get(..offset).unwrap_or(toml);
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let text = toml.lines().nth(line - 1).unwrap_or_default();
    match text.split_once('=') {
        Some((key, _)) => format!("line {line}, `{}`", key.trim()),
        None => format!("line {line}, `{}`", text.trim()),
    }
}
