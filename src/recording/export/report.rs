//! A call with what is to be said of it.

use crate::call::{Call, Request, Response};
use crate::platform::{Consequence, Finding, Kind};
use crate::recording::{Redaction, Remarks};
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
    /// The signature check, where there is one to make.
    pub judgement: Option<Judgement>,
    /// Where the request departs from its contract.
    pub request: Vec<Finding>,
    /// Where the response does.
    pub response: Vec<Finding>,
    /// What the platform does with the response.
    pub consequence: Option<Consequence>,
    /// What the user said.
    pub text: Option<String>,
    /// What was said of the call since it was recorded.
    pub remarks: Remarks,
}

impl Report {
    /// What is to be said of `call`, which is of `kind`.
    #[must_use]
    pub fn new(call: Call, kind: Option<&Kind>, judgement: Option<Judgement>, remarks: Remarks) -> Self {
        let (request, response) = findings(&call, kind);
        let text = kind.and_then(|kind| kind.read(&call.request).text);
        Self { call, judgement, request, response, consequence: None, text, remarks }
    }

    /// The same with everything masked, also where it is quoted. A finding that only the bare call shows stays, without
    /// what it says of the value.
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
        self.text = kind.and_then(|kind| kind.read(&call.request).text);
        self.call = call;
        self.remarks.note = self.remarks.note.map(|note| redaction.text(&note).into());
        self
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
