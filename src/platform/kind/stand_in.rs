//! What a platform would send and answer: the sample of a kind, and the reply of a stand-in.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Answer, Kind};
use crate::call::{Headers, Request, Response, Sig};
use crate::config::Secret;
use crate::platform::doc::{Doc, Pointer};
use crate::platform::fill::Filler;
use crate::platform::pack::{AnswerSpec, Reads, When};
use crate::platform::{Finding, Severity};
use crate::{json, signature};

impl Kind {
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
            && let Some(scheme) = self.scheme()
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

    /// Whether that is answered whatever comes.
    #[must_use]
    pub fn always_replies(&self) -> bool {
        self.spec.answer.is_empty()
    }

    /// What the listener answers to `request` with the verdict `sig`: what the platform would where something is wrong that the
    /// pack knows of, else [`Self::reply`]; `secrets` sign what it asks to have signed. Why the verdict is what it is stays here.
    #[must_use]
    pub fn answer(&self, request: &Request, sig: Option<Sig>, secrets: &[&Secret]) -> Response {
        let document = self.document(request);
        let doc = Doc::new(&document);
        let there = |value: &str| !matches!(value, "null" | "\"\"");
        let lacking = |pointer: &Pointer| !doc.at(pointer).is_some_and(there);
        let is_error =
            |found: &Finding, pointer: &Pointer| found.severity == Severity::Error && found.pointer == **pointer;
        let wrong = |pointer: &Pointer| {
            lacking(pointer) || self.check_request(request).iter().any(|found| is_error(found, pointer))
        };
        let holds = |when: &When| {
            let lacks_header = |name: &String| request.headers.get(name).unwrap_or_default().is_empty();
            (when.sig.is_empty() || sig.is_some_and(|sig| when.sig.contains(&sig)))
                && when.lacks_header.as_ref().is_none_or(lacks_header)
                && when.lacks.as_ref().is_none_or(lacking)
                && when.wrong.as_ref().is_none_or(wrong)
        };
        match self.spec.answer.iter().find(|answer| holds(&answer.when)) {
            Some(answer) => {
                let scheme = self.scheme();
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
            let wrong =
                when.wrong.as_ref().map(|pointer| format!("{} is missing or not as the contract has it", &**pointer));
            let all: Vec<String> = [sig, header, lacks, wrong].into_iter().flatten().collect();
            if all.is_empty() { "it is called".to_owned() } else { all.join(" and ") }
        };
        let answers = self.spec.answer.iter();
        let body = |spec: &AnswerSpec| spec.text.clone().map(Value::from).or(spec.body.clone()).unwrap_or_default();
        answers.map(|spec| Answer { when: when(&spec.when), status: spec.status, body: body(spec) }).collect()
    }

    /// A file of the pack as a platform would send it: without the white space that people like.
    fn one_line(&self, file: &str) -> Bytes {
        let bytes = self.shared.library.file(file).unwrap_or_default();
        let compact = std::str::from_utf8(bytes).ok().and_then(|text| json::compact(text).ok());
        compact.map_or_else(|| Bytes::copy_from_slice(bytes), Bytes::from)
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
