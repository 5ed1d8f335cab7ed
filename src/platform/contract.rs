//! The contract of a pack with itself: what `platforms check` and the test over the built-in packs hold it to.
//!
//! Every sample is recognised as its own kind and no other, satisfies its schema and signs to a valid verdict that any
//! flipped byte spoils; every reply is allowed; every vector holds; every pointer leads somewhere.

use bytes::Bytes;
use jiff::Timestamp;

use super::doc::Doc;
use super::{Kind, Pack, PackError, Platforms, Severity};
use crate::call::{Request, Sig};
use crate::config::Secret;
use crate::signature;

/// Everything `pack`, which is one of `platforms`, does not keep.
pub(super) fn problems(platforms: &Platforms, pack: &Pack) -> Vec<PackError> {
    let mut report = Report { folder: &pack.folder, problems: Vec::new() };
    for kind in &pack.kinds {
        report.schemas(kind);
        report.recognition(platforms, kind);
        report.bodies(kind);
        report.signature(kind);
        report.pointers(pack, kind);
    }
    report.sections(pack);
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

    fn schemas(&mut self, kind: &Kind) {
        for schema in [&kind.request, &kind.response].into_iter().flatten() {
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
        let rule = &kind.spec.recognise;
        if !rule.body(&Doc::new(&sample.body)) {
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

    fn signature(&mut self, kind: &Kind) {
        let Some((name, scheme)) = kind.scheme() else { return };
        let at = Timestamp::UNIX_EPOCH;
        let secret = Secret::new("test", *b"a secret of the contract test");
        let mut sample = kind.sample();
        if let Err(error) = kind.sign(&mut sample, &secret, at) {
            self.add("pack.toml", format!("{} cannot be signed by [signature.{name}]: {error}", kind.name));
            return;
        }
        let judge = |request: &Request| signature::verify(scheme, request, &[&secret], at);
        let verdict = judge(&sample);
        if verdict.sig != Sig::Valid {
            self.add(
                "pack.toml",
                format!("{}, freshly signed by [signature.{name}], is not valid: {}", kind.name, verdict.reason),
            );
        }
        let len = sample.body.len();
        for place in [0, len / 4, len / 2, len.saturating_sub(1)] {
            let Some(flipped) = flipped(&sample.body, place) else { continue };
            let verdict = judge(&Request { body: flipped, ..sample.clone() });
            if verdict.sig != Sig::Invalid {
                let message = format!("[signature.{name}] does not notice a change of byte {place} of {}", kind.name);
                self.add("pack.toml", message);
            }
        }
    }

    fn pointers(&mut self, pack: &Pack, kind: &Kind) {
        let spec = &kind.spec;
        let own = spec.conversation.pointers().chain(spec.user.pointers()).chain(spec.text.pointers());
        for pointer in own {
            if !leads_somewhere(kind, pointer) {
                self.add("pack.toml", format!("{}: {pointer} is in neither its sample nor its schema", kind.name));
            }
        }
        // A rule also names what only other calls have.
        for pointer in spec.recognise.pointers() {
            let ours = pack.kinds.iter().any(|other| leads_somewhere(other, pointer));
            if !ours && !spec.recognise.lacks.iter().any(|lacking| **lacking == *pointer) {
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

    fn vectors(&mut self, pack: &Pack) {
        for vector in &pack.vectors {
            let Some(scheme) = pack.schemes().get(vector.signature.as_ref()) else { continue };
            let headers = vector.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let request = Request { headers, body: vector.body.clone().into(), ..Request::default() };
            let secret = Secret::new("vector", vector.secret.as_bytes());
            let verdict = signature::verify(scheme, &request, &[&secret], Timestamp::UNIX_EPOCH);
            if verdict.sig != vector.expect {
                let (found, wanted, source) = (verdict.sig.word(), vector.expect.word(), &vector.source);
                self.add("pack.toml", format!("the vector of {source:?} is {found}, not {wanted}: {}", verdict.reason));
            }
        }
    }
}

fn leads_somewhere(kind: &Kind, pointer: &str) -> bool {
    Doc::new(&kind.sample().body).find(pointer).is_some()
        || kind.request.as_ref().is_some_and(|schema| schema.knows(pointer))
}

fn flipped(body: &Bytes, place: usize) -> Option<Bytes> {
    let mut bytes = body.to_vec();
    *bytes.get_mut(place)? ^= 1;
    Some(bytes.into())
}
