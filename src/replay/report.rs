//! The result of a replay for others to read: `JUnit` for a build server, JSON for a program, HTML for people.

mod html;
mod junit;

use std::io::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use super::compare::{Difference, Place, Side};
use super::expect::Unmet;
use super::mask::Masking;
use super::{Outcome, Plan, Skipped, Summary, Told};
use crate::call::{Call, Id, micros};
use crate::net::fault::Fault;
use crate::recording::Redaction;
use crate::visible;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `JUnit`'s XML, as build servers read it.
    Junit,
    /// One JSON object with `schema: 1`.
    Json,
    /// A page of its own.
    Html,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "junit" => Ok(Self::Junit),
            "json" => Ok(Self::Json),
            "html" => Ok(Self::Html),
            _ => Err(format!("{text:?} is no form of a report: junit, json, html")),
        }
    }
}

/// One delivery in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The recorded call.
    pub original: Id,
    /// What was sent, if it was.
    pub call: Option<Id>,
    /// Which time, counted from 1.
    pub round: u32,
    /// The kind.
    pub kind: Option<String>,
    /// What was wrong on purpose.
    pub fault: Option<String>,
    /// Where it went.
    pub url: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// How long the answer took, in microseconds.
    pub took_us: u64,
    /// Where what left differs from what was recorded.
    pub changed: Vec<Place>,
    /// What of it is only masks, for the recording has nothing else there.
    pub masked: Vec<Place>,
    /// What became of it at the other target.
    pub against: Option<Other>,
    /// How the answer differs from those that it was compared with: the recorded one, then the other target's.
    pub differences: Vec<Difference>,
    /// How many of them are to the recorded one.
    #[serde(skip)]
    pub to_recorded: usize,
    /// What was expected and did not come.
    pub unmet: Vec<Unmet>,
    /// Why it was not sent, or its answer not waited for.
    pub skipped: Option<String>,
}

/// What the call of a [`Case`] became at the other target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Other {
    /// What was sent.
    pub call: Id,
    /// Where it went.
    pub url: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// How long the answer took, in microseconds.
    pub took_us: u64,
    /// Why there is no answer.
    pub error: Option<String>,
    /// Where what left differs from what was recorded.
    pub changed: Vec<Place>,
}

/// A report that is being gathered.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it is about: the recording's name.
    pub title: String,
    /// Where the calls went.
    pub target: String,
    /// Where else they went.
    pub against: Option<String>,
    /// How they were sent and what was expected, in words.
    pub how: String,
    /// When the replay began.
    pub at: Timestamp,
    /// What was sent.
    pub cases: Vec<Case>,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new(title: String, target: String, against: Option<String>, at: Timestamp) -> Self {
        Self { title, target, against, how: String::new(), at, cases: Vec::new() }
    }

    /// This report, which says how `plan` sends and what it expects, masked by `redaction` if there is one.
    #[must_use]
    pub fn of(self, plan: &Plan, redaction: Option<&Redaction>) -> Self {
        let terms = plan.terms(redaction).map(|terms| format!("; {terms}")).unwrap_or_default();
        Self { how: format!("{}{terms}", plan.mode()), ..self }
    }

    /// `staging.example.com`, or `A and B`.
    fn targets(&self) -> String {
        self.against.as_ref().map_or_else(|| self.target.clone(), |against| format!("{} and {against}", self.target))
    }

    /// Adds what became of a call, masked by `redaction` if there is one.
    pub fn add(&mut self, told: &Told, redaction: Option<&Redaction>) {
        let mut case = match told {
            Told::Sent(outcome) => sent(outcome),
            Told::Skipped(skipped) => skipped_case(skipped),
        };
        if let Some(redaction) = redaction {
            case.url = redaction.target(&case.url);
            if let Some(other) = &mut case.against {
                other.url = redaction.target(&other.url);
                other.error = other.error.take().map(|error| redaction.text(&error).into_owned());
            }
            case.skipped = case.skipped.map(|reason| redaction.text(&reason).into_owned());
            match told {
                Told::Sent(outcome) => {
                    let (of_answer, between) = outcome.maskings(redaction);
                    outcome.mask_unmet(redaction, &mut case.unmet);
                    let (to_recorded, to_other) = case.differences.split_at_mut(case.to_recorded);
                    of_answer.differences(to_recorded);
                    between.differences(to_other);
                }
                Told::Skipped(_) => case.unmet.iter_mut().for_each(|unmet| Masking::new(redaction).unmet(unmet)),
            }
        }
        self.cases.push(case);
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, form: Form, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
        match form {
            Form::Junit => junit::write(self, summary, out),
            Form::Html => html::write(self, summary, out),
            Form::Json => {
                let value = serde_json::json!({
                    "schema": 1, "title": self.title, "target": self.target, "against": self.against, "how": self.how, "at": self.at,
                    "summary": summary, "shortfall": summary.shortfall(), "cases": self.cases,
                });
                writeln!(out, "{value}")
            }
        }
    }
}

impl Case {
    /// What it is called: the call's kind, and the fault.
    fn name(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or("unknown");
        let fault = self.fault.as_ref().map(|fault| format!(", {fault}")).unwrap_or_default();
        let round = if self.round > 1 { format!(", round {}", self.round) } else { String::new() };
        format!("{kind} {}{fault}{round}", self.original)
    }

    /// What is wrong, one a line; empty where nothing is.
    fn trouble(&self) -> String {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        let unmet = self.unmet.iter().map(|unmet| format!("expected {unmet}"));
        let differences = self.differences.iter().enumerate().map(|(number, found)| {
            let whose = if number < self.to_recorded { "" } else { "between the targets, " };
            format!("{whose}{}: {} -> {}", found.place, side(&found.left), side(&found.right))
        });
        unmet.chain(differences).collect::<Vec<_>>().join("\n")
    }
}

fn sent(outcome: &Outcome) -> Case {
    let (call, fault) = (&outcome.call, outcome.delivery.fault);
    Case {
        original: outcome.original.id,
        call: Some(call.id),
        round: outcome.round,
        kind: call.kind.clone(),
        fault: outcome.delivery.label(),
        url: call.request.url(),
        status: call.status(),
        took_us: took_us(call, fault),
        changed: places(outcome.changed()),
        masked: outcome.masked.clone(),
        against: outcome.against.as_ref().map(|other| Other {
            call: other.id,
            url: other.request.url(),
            status: other.status(),
            took_us: took_us(other, fault),
            error: other.error.clone(),
            changed: places(outcome.changed_against()),
        }),
        differences: outcome.differences.iter().chain(&outcome.between).cloned().collect(),
        to_recorded: outcome.differences.len(),
        unmet: outcome.unmet.clone(),
        skipped: outcome.given_up.then(|| call.error.clone().unwrap_or_default()),
    }
}

/// How long the answer took. What a fault made slow is not the endpoint's.
fn took_us(call: &Call, fault: Option<Fault>) -> u64 {
    micros(Fault::own(fault, call.took))
}

fn places(differences: Vec<Difference>) -> Vec<Place> {
    differences.into_iter().map(|difference| difference.place).collect()
}

fn skipped_case(skipped: &Skipped) -> Case {
    let reason = skipped.reason.clone();
    Case {
        original: skipped.original,
        call: None,
        round: 1,
        kind: skipped.kind.clone(),
        fault: skipped.fault.map(|fault| fault.word().to_owned()),
        url: String::new(),
        status: None,
        took_us: 0,
        changed: Vec::new(),
        masked: Vec::new(),
        against: None,
        differences: Vec::new(),
        to_recorded: 0,
        unmet: if skipped.is_failure() { vec![Unmet::new("it to be sent", reason.clone())] } else { Vec::new() },
        skipped: (!skipped.is_failure()).then_some(reason),
    }
}

/// Text in XML or HTML; what is no character of theirs is made visible.
fn escape(text: &str) -> String {
    visible::markup(&visible::text(text))
}

/// Which side of a difference is whose, for people.
fn side(side: Side) -> &'static str {
    match side {
        Side::Request => "request",
        Side::Response => "response",
    }
}

#[cfg(test)]
mod tests;
