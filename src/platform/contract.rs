//! The contract of a pack with itself: what `platforms check` and the test over the built-in packs hold it to.
//!
//! Every sample is recognised as its own kind and no other, satisfies its schema and signs to a valid verdict that any
//! flipped byte of what is signed and of the signature spoils; every reply is allowed; every vector holds; every pointer
//! leads somewhere; every table has its columns.

use bytes::Bytes;
use jiff::Timestamp;

use super::doc::Doc;
use super::fill;
use super::recognise::Seen;
use super::{Kind, Pack, PackError, PageCall, Platforms, Severity};
use crate::call::{Request, Response, Sig};
use crate::config::Secret;
use crate::json;
use crate::signature::{self, Method, Scheme};

/// When the calls of the test come: any time at which clocks ran.
const AT: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// Everything `pack`, which is one of `platforms`, does not keep.
pub(super) fn problems(platforms: &Platforms, pack: &Pack) -> Vec<PackError> {
    let mut report = Report { folder: &pack.folder, problems: Vec::new() };
    for kind in &pack.kinds {
        report.schemas(kind);
        report.recognition(platforms, kind);
        report.bodies(kind);
        report.signature(kind);
        report.answers(kind);
        report.page(platforms, kind);
        report.pointers(pack, kind);
    }
    report.sections(pack);
    report.conversation(pack);
    report.tables(pack);
    report.vectors(pack);
    report.problems
}

struct Report<'a> {
    folder: &'a str,
    problems: Vec<PackError>,
}

impl Report<'_> {
    fn add(&mut self, file: &str, message: String) {
        self.problems.push(PackError { file: format!("{}/{file}", self.folder), message });
    }

    /// What a page calls back with is the kind that it says, and keeps its contract.
    fn page(&mut self, platforms: &Platforms, kind: &Kind) {
        let Some(spec) = &kind.spec.page else { return };
        let Some(PageCall { kind: calls, mut request, form }) = platforms.page_call(kind, &kind.sample()) else {
            return self.add("pack.toml", format!("page of {}: {} is no kind of it", kind.name, spec.calls.as_ref()));
        };
        let secret = calls.scheme().and_then(|scheme| scheme.fresh_secret("test").ok());
        if let Err(error) = calls.sign(&mut request, secret.as_ref(), AT) {
            self.add("pack.toml", format!("page of {}: its callback cannot be signed: {error}", kind.name));
        }
        let found = platforms.recognise(&request).kind.map_or("nothing", |kind| &kind.name);
        if found != calls.name {
            self.add("pack.toml", format!("page of {}: its callback is recognised as {found}", kind.name));
        }
        for finding in calls.check_request(&request).iter().filter(|finding| finding.severity > Severity::Note) {
            self.add("pack.toml", format!("page of {}: its callback departs: {}", kind.name, finding.sentence));
        }
        let form = [Some(&form.variables), form.success.as_ref(), form.message.as_ref()];
        for pointer in form.into_iter().flatten().filter(|pointer| calls.meaning(pointer).is_none()) {
            self.add("pack.toml", format!("page of {}: {} has no {pointer}", kind.name, calls.name));
        }
    }

    fn schemas(&mut self, kind: &Kind) {
        for schema in kind.schemas() {
            if let Err(reason) = schema.compile() {
                self.add(&schema.file, format!("is no JSON Schema: {reason}"));
            }
        }
    }

    fn recognition(&mut self, platforms: &Platforms, kind: &Kind) {
        let file = kind.spec.sample.as_ref();
        let sample = kind.sample();
        let found = platforms.recognise(&sample);
        match found.kind {
            Some(found) if found.name == kind.name => {}
            Some(other) => self.add(file, format!("is recognised as {}, not as {}", other.name, kind.name)),
            None => self.add(file, format!("is not recognised as {}", kind.name)),
        }
        if !found.also.is_empty() {
            self.add(file, format!("is also recognised as {:?}", found.also));
        }
        if kind.spec.recognise.fit(&Seen::new(&sample)).is_none() {
            self.add(file, format!("does not satisfy `recognise` of {}", kind.name));
        }
    }

    fn bodies(&mut self, kind: &Kind) {
        let file = kind.spec.sample.as_ref();
        for finding in kind.check_request(&kind.sample()) {
            if finding.severity > Severity::Note {
                self.add(file, format!("departs from its contract at {:?}: {}", finding.pointer, finding.sentence));
            }
        }
        if let Some(file) = &kind.spec.reply {
            for finding in kind.check_response(&kind.reply()) {
                let message = format!("departs from its contract at {:?}: {}", finding.pointer, finding.sentence);
                self.add(file.as_ref(), message);
            }
        }
    }

    fn answers(&mut self, kind: &Kind) {
        let sample = kind.sample();
        let at_best = if kind.scheme().is_some() { Sig::Valid } else { Sig::Unsigned };
        if kind.spec.reply.is_some() && kind.answer(&sample, Some(at_best), &[]) != kind.reply() {
            self.add("pack.toml", format!("{}: its own sample is not answered with its reply", kind.name));
        }
        for answer in &kind.spec.answer {
            if !(100..600).contains(&answer.status) {
                self.add("pack.toml", format!("{}: {} is no status of an answer", kind.name, answer.status));
            }
        }
        for answer in kind.answers() {
            for name in fill::unknown(&answer.body.to_string()) {
                let known = "{/pointer}, {query:NAME}, {header:NAME} and {sign:/pointer}";
                self.add(
                    "pack.toml",
                    format!("{}: {{{name}}} in an answer is no placeholder: those are {known}", kind.name),
                );
            }
        }
        for answer in kind.answers().into_iter().filter(|_| kind.error_response.is_some()) {
            let body = answer.body.to_string().into();
            let response = Response { status: answer.status, body, ..Response::default() };
            // That it is an error is meant.
            for finding in kind.check_response(&response).iter().filter(|finding| !finding.pointer.is_empty()) {
                let (name, status, pointer) = (&kind.name, answer.status, &finding.pointer);
                self.add(
                    "pack.toml",
                    format!("{name}: its answer {status} departs at {pointer:?}: {}", finding.sentence),
                );
            }
        }
    }

    fn signature(&mut self, kind: &Kind) {
        for scheme in kind.schemes() {
            self.scheme(kind, scheme);
        }
    }

    /// What a fresh signature is worth: it fits, and no longer when a byte is flipped.
    fn scheme(&mut self, kind: &Kind, scheme: &Scheme) {
        let name = scheme.bare();
        let mut sample = kind.sample();
        let secret = if scheme.is_keyless() { None } else { scheme.fresh_secret("test").ok() };
        if let Err(error) = signature::sign(scheme, &mut sample, secret.as_ref(), AT) {
            self.add("pack.toml", format!("{} cannot be signed by [signature.{name}]: {error}", kind.name));
            return;
        }
        let secrets: Vec<&Secret> = secret.iter().collect();
        let judge = |request: &Request| signature::verify(scheme, request, &secrets, AT);
        let taken = |request: &Request| judge(request).sig.is_authentic();
        let verdict = judge(&sample);
        if verdict.sig != Sig::Valid {
            self.add(
                "pack.toml",
                format!("{}, freshly signed by [signature.{name}], is not valid: {}", kind.name, verdict.reason),
            );
            return;
        }
        for place in signed_bytes(scheme, &sample) {
            let Some(flipped) = flipped(&sample.body, place) else { continue };
            if taken(&Request { body: flipped, ..sample.clone() }) {
                let message = format!("[signature.{name}] does not notice a change of byte {place} of {}", kind.name);
                self.add("pack.toml", message);
            }
        }
        for changed in signature::spoiled(scheme, &sample) {
            if taken(&changed) {
                let message = format!("[signature.{name}] does not notice a change of {}", scheme.header);
                self.add("pack.toml", message);
            }
        }
    }

    fn pointers(&mut self, pack: &Pack, kind: &Kind) {
        let spec = &kind.spec;
        for places in [&spec.conversation, &spec.user, &spec.text, &spec.summary] {
            let lost: Vec<&str> = places.pointers().filter(|pointer| !leads_somewhere(kind, pointer)).collect();
            // Without a schema, a sample can show but one of several forms.
            let excused = kind.request.is_none() && lost.len() < places.pointers().count();
            for pointer in lost.into_iter().filter(|_| !excused) {
                self.add("pack.toml", format!("{}: {pointer} is in neither its sample nor its schema", kind.name));
            }
        }
        // A rule may name what only another of the platform's calls has.
        for pointer in spec.recognise.pointers() {
            if !pack.kinds.iter().any(|other| leads_somewhere(other, pointer)) {
                self.add("pack.toml", format!("{}: {pointer} is in no sample and no schema of the pack", kind.name));
            }
        }
    }

    fn sections(&mut self, pack: &Pack) {
        for section in pack.sections().iter().filter(|section| !section.pointer.is_empty()) {
            if !pack.kinds.iter().any(|kind| leads_somewhere(kind, &section.pointer)) {
                let (title, pointer) = (&section.title, &*section.pointer);
                self.add("pack.toml", format!("section {title}: {pointer} is in no sample and no schema of the pack"));
            }
        }
    }

    /// The conversation's variables are in some request, and what an agent says is in some response.
    fn conversation(&mut self, pack: &Pack) {
        let spec = pack.conversation();
        if let Some(pointer) = &spec.context
            && !pack.kinds.iter().any(|kind| leads_somewhere(kind, pointer))
        {
            self.add("pack.toml", format!("conversation: {:?} is in no sample and no schema of the pack", &**pointer));
        }
        for section in spec.answer.iter().filter(|section| !section.pointer.is_empty()) {
            let answered = |kind: &Kind| {
                let reply = kind.reply();
                Doc::new(&reply.body).find(&section.pointer).is_some()
                    || kind.response.as_ref().is_some_and(|schema| schema.knows(&section.pointer))
            };
            if !pack.kinds.iter().any(answered) {
                let (title, pointer) = (&section.title, &*section.pointer);
                self.add("pack.toml", format!("answer {title}: {pointer} is in no reply and no schema of the pack"));
            }
        }
    }

    fn tables(&mut self, pack: &Pack) {
        for table in &pack.tables {
            if table.rows.iter().any(|row| row.len() != table.columns.len()) {
                let message = format!("table {:?}: a row has not as many cells as there are columns", table.title);
                self.add("pack.toml", message);
            }
        }
    }

    fn vectors(&mut self, pack: &Pack) {
        for vector in &pack.vectors {
            let Some(scheme) = pack.schemes().get(vector.signature.as_ref()) else { continue };
            let headers = vector.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let at = vector.url.find("://").and_then(|scheme| Some(scheme + 3 + vector.url[scheme + 3..].find('/')?));
            let (origin, target) = vector.url.split_at(at.unwrap_or_default());
            let request = Request {
                method: vector.method.clone(),
                public: at.map(|_| origin.to_owned()),
                target: target.to_owned(),
                headers,
                body: vector.body.clone().into(),
                ..Request::default()
            };
            let secret = Secret::new("vector", vector.secret.as_bytes());
            let verdict = signature::verify(scheme, &request, &[&secret], vector.at.unwrap_or(AT));
            if verdict.sig != vector.expect {
                let (found, wanted, source) = (verdict.sig.word(), vector.expect.word(), &vector.source);
                self.add("pack.toml", format!("the vector of {source:?} is {found}, not {wanted}: {}", verdict.reason));
            }
        }
    }
}

/// Which bytes of the body are flipped to see whether it is noticed: of each value that is signed of it, else of all.
fn signed_bytes(scheme: &Scheme, sample: &Request) -> Vec<usize> {
    let Method::Detached(detached) = &scheme.method else { return Vec::new() };
    let four = |start: usize, len: usize| [0, len / 4, len / 2, len.saturating_sub(1)].map(|place| start + place);
    let body = std::str::from_utf8(&sample.body).unwrap_or_default();
    let values = detached.message.pointers().filter_map(|pointer| json::find(body, pointer));
    // Between the quotation marks, so that it stays JSON.
    let within: Vec<usize> = values.flat_map(|span| four(span.start + 1, span.len().saturating_sub(2))).collect();
    if within.is_empty() { four(0, sample.body.len()).into() } else { within }
}

fn leads_somewhere(kind: &Kind, pointer: &str) -> bool {
    Doc::new(&kind.document(&kind.sample())).find(pointer).is_some()
        || kind.request.as_ref().is_some_and(|schema| schema.knows(pointer))
}

fn flipped(body: &Bytes, place: usize) -> Option<Bytes> {
    let mut bytes = body.to_vec();
    *bytes.get_mut(place)? ^= 1;
    Some(bytes.into())
}
