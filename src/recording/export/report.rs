//! A call with what is to be said of it.

use std::sync::Arc;

use crate::call::{Call, Request, Response, Sig};
use crate::config::Config;
use crate::platform::{Consequence, Finding, Keyring, Kind, Platforms, Reading, own_secrets};
use crate::recording::{Marks, Redaction, Remarks, Times};
use crate::signature::Verdict;

/// What the signature check found, and sentences on why it is no better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it found.
    pub verdict: Verdict,
    /// Why, best first.
    pub why: Vec<String>,
}

/// A call with what is to be said of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The call.
    pub call: Call,
    /// How many bytes the bodies of request and response have, also where what is shown of them is masked.
    pub bytes: [usize; 2],
    /// Whether parts of them are masked here.
    pub masked: [bool; 2],
    /// The signature check, where there is one to make.
    pub judgement: Option<Judgement>,
    /// Where the request departs from its contract.
    pub request: Vec<Finding>,
    /// Where the response does.
    pub response: Vec<Finding>,
    /// What the platform does with the response.
    pub consequence: Option<Consequence>,
    /// What the user said in it, or what it is about.
    pub reading: Reading,
    /// What was said of the call since it was recorded.
    pub remarks: Remarks,
    /// When each of that was said.
    pub said_at: Times,
}

impl Report {
    /// What is to be said of `call`, which is of `kind`.
    #[must_use]
    pub fn new(call: Call, kind: Option<&Kind>, judgement: Option<Judgement>, remarks: Remarks) -> Self {
        let (request, response) = findings(&call, kind);
        let reading = kind.map(|kind| kind.read(&call.request)).unwrap_or_default();
        let bytes = [call.request.body.len(), call.response.as_ref().map_or(0, |response| response.body.len())];
        Self {
            call,
            bytes,
            masked: [false; 2],
            judgement,
            request,
            response,
            consequence: None,
            reading,
            remarks,
            said_at: Times::default(),
        }
    }

    /// The report with everything masked, also where it is quoted. A finding that only the bare call shows stays,
    /// without what it says of the value.
    #[must_use]
    pub fn redacted(mut self, redaction: &Redaction, kind: Option<&Kind>) -> Self {
        let call = redaction.call(&self.call);
        let (request, response) = findings(&call, kind);
        hush(&mut self.request, &request);
        hush(&mut self.response, &response);
        if let Some(Judgement { verdict, why }) = &mut self.judgement {
            verdict.given = None;
            verdict.notes.clear();
            for sentence in why.iter_mut().chain([&mut verdict.reason]) {
                *sentence = redaction.text(sentence).into_owned();
            }
        }
        self.reading = kind.map(|kind| kind.read(&call.request)).unwrap_or_default();
        let answer = |call: &Call| call.response.as_ref().map(|response| response.body.clone());
        self.masked = [self.call.request.body != call.request.body, answer(&self.call) != answer(&call)];
        self.call = call;
        self.remarks.note = self.remarks.note.map(|note| redaction.prose(&note).into());
        self
    }
}

/// What it takes to say of a call what is to be said.
#[derive(Clone, Debug)]
pub struct Reporter {
    /// The secrets of routes.
    pub config: Arc<Config>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// What is masked; none: nothing is.
    pub redaction: Option<Arc<Redaction>>,
}

impl Reporter {
    /// Checks the signature of a recorded call as its listener would.
    #[must_use]
    pub fn judge(&self, call: &Call, kind: Option<&Kind>) -> Option<Judgement> {
        let request = &call.request;
        if !self.platforms.judges(call, kind) {
            return None;
        }
        let own = own_secrets(&self.config, call);
        let verdict = self.keyring.judge(&self.platforms, request, kind, &own, call.at);
        // Without a secret there is no more to say than the verdict does.
        let why = if verdict.needs_explaining() && verdict.sig != Sig::NoSecret {
            self.keyring.diagnose(&self.platforms, request, kind, &own, call.at)
        } else {
            Vec::new()
        };
        Some(Judgement { verdict, why })
    }

    /// What is to be said of a call of which `marks` say the rest.
    #[must_use]
    pub fn report(&self, call: Call, marks: &Marks) -> Report {
        let kind = self.platforms.kind(call.kind.as_deref());
        // What cannot be checked here and now was checked when it was recorded.
        let judgement = self.judge(&call, kind).filter(|now| {
            let unknown = call.request.redacted || now.verdict.sig == Sig::NoSecret;
            call.sig.is_none() || !unknown
        });
        let consequence = kind.and_then(|kind| kind.consequence(&call, &self.config));
        let remarks = marks.of(call.id).cloned().unwrap_or_default();
        let said_at = marks.times(call.id);
        let report = Report { consequence, said_at, ..Report::new(call, kind, judgement, remarks) };
        match &self.redaction {
            Some(redaction) => report.redacted(redaction, kind),
            None => report,
        }
    }
}

fn findings(call: &Call, kind: Option<&Kind>) -> (Vec<Finding>, Vec<Finding>) {
    let of_request = |kind: &Kind, request: &Request| kind.check_request(request);
    let of_response = |kind: &Kind, response: &Response| kind.check_response(response);
    let request = kind.map(|kind| of_request(kind, &call.request));
    let response = kind.zip(call.response.as_ref()).map(|(kind, response)| of_response(kind, response));
    (request.unwrap_or_default(), response.unwrap_or_default())
}

/// Takes out of `found` what is not also said of the masked call: it may quote what was masked.
fn hush(found: &mut [Finding], masked: &[Finding]) {
    for finding in found.iter_mut().filter(|finding| !masked.contains(finding)) {
        "This departs from the contract; what it says is masked.".clone_into(&mut finding.sentence);
    }
}
