//! What a replay tells: of each call what was sent and came back, or why it was not sent.

use std::sync::Arc;

use bytes::Bytes;

use super::Refusal;
use super::compare::{self, Difference, Place};
use super::expect::Unmet;
use super::mask::Masking;
use crate::call::{Call, Id, Request};
use crate::net::fault::{Delivery, Fault};
use crate::recording::Redaction;

/// What became of one call that was sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The recorded call.
    pub original: Arc<Call>,
    /// Which time it was sent, counted from 1.
    pub round: u32,
    /// What was wrong on purpose.
    pub delivery: Delivery,
    /// What was sent and came back, as it is recorded.
    pub call: Arc<Call>,
    /// As `call`, of the other target.
    pub against: Option<Arc<Call>>,
    /// How the answer differs from the recorded one, where that is expected.
    pub differences: Vec<Difference>,
    /// How the other target's answer differs from it.
    pub between: Vec<Difference>,
    /// Where masks left, for the recording has nothing else there.
    pub masked: Vec<Place>,
    /// What was expected and did not come. None: it is fine.
    pub unmet: Vec<Unmet>,
    /// The body that was made of the recorded one, where not all of it left.
    pub whole: Option<Bytes>,
    /// Its answer was not waited for, because the replay was ended: it neither failed nor was it fine.
    pub given_up: bool,
}

impl Outcome {
    /// Whether the answer was as expected.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.unmet.is_empty() && !self.given_up
    }

    /// Whether it was not.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !self.unmet.is_empty() && !self.given_up
    }

    /// What masks what was found of its answer, and how the other target's differs from it.
    #[must_use]
    pub fn maskings<'a>(&'a self, redaction: &'a Redaction) -> (Masking<'a>, Masking<'a>) {
        let between = |against: &'a Arc<Call>| Masking::between(redaction, &self.call, against);
        let of_other = self.against.as_ref().map_or_else(|| Masking::new(redaction), between);
        (Masking::between(redaction, &self.original, &self.call), of_other)
    }

    /// Masks `unmet`, which is of it: what was expected of each answer.
    pub fn mask_unmet(&self, redaction: &Redaction, unmet: &mut [Unmet]) {
        for unmet in unmet {
            let call = self.against.as_ref().filter(|_| unmet.against).unwrap_or(&self.call);
            Masking::between(redaction, &self.original, call).unmet(unmet);
        }
    }

    /// How what left differs from what was recorded. Worked out anew each time, for most outcomes are only counted.
    #[must_use]
    pub fn changed(&self) -> Vec<Difference> {
        self.changed_in(&self.call)
    }

    /// As [`Self::changed`], of what left for the other target.
    #[must_use]
    pub fn changed_against(&self) -> Vec<Difference> {
        self.against.as_ref().map_or_else(Vec::new, |call| self.changed_in(call))
    }

    /// A cut body is no JSON, and half of it says nothing of the rest: the whole one is looked at.
    fn changed_in(&self, call: &Call) -> Vec<Difference> {
        let Some(whole) = &self.whole else { return compare::changed(&self.original.request, &call.request) };
        let made = Request { body: whole.clone(), ..call.request.clone() };
        compare::changed(&self.original.request, &made)
    }
}

/// A call that was not sent: it cannot have the fault that was asked for or, which counts as a failure, cannot be sent at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The recorded call.
    pub original: Id,
    /// Its kind.
    pub kind: Option<String>,
    /// The fault that it cannot have; none: it cannot be sent at all.
    pub fault: Option<Fault>,
    /// Why, as a sentence.
    pub reason: String,
}

impl Skipped {
    /// A delivery of `call` that a plan refuses, with the fault that it should have had.
    #[must_use]
    pub fn new(call: &Call, fault: Option<Fault>, refusal: Refusal) -> Self {
        let (fault, reason) = match refusal {
            Refusal::Fault(reason) => (fault, reason),
            Refusal::Call(reason) => (None, reason),
        };
        Self { original: call.id, kind: call.kind.clone(), fault, reason }
    }

    /// Whether it counts as a failure.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.fault.is_none()
    }
}

/// What a replay tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A call was sent.
    Sent(Box<Outcome>),
    /// A call was not sent.
    Skipped(Skipped),
}
