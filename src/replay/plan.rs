//! How recorded calls are sent again.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::compare::Rules;
use super::expect::Expectation;
use super::mask::Masking;
use super::{Change, Meter, Pace, Schedule, change, masked};
use crate::call::{Call, Request};
use crate::config::Target;
use crate::net::avoid::Avoid;
use crate::net::fault::{Delivery, Fault, SLOW, STALE};
use crate::net::outgoing::{Outgoing, SignMode};
use crate::platform::{Keyring, Platforms};
use crate::recording::Redaction;
use crate::visible;

/// How recorded calls are sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// A second target that gets the same calls, so that its answers can be compared with the first one's.
    pub against: Option<Target>,
    /// With which signature, and whether with new ids and times.
    pub mode: SignMode,
    /// What is changed in each payload.
    pub changes: Vec<Change>,
    /// Whether headers are set in each, which are the targets' then.
    pub headers_set: bool,
    /// What goes wrong on purpose: each call is sent once for each of these, or once as it should be where there is none.
    pub faults: Vec<Fault>,
    /// Whether each delivery is followed by the same bytes once more.
    pub duplicate: bool,
    /// When each leaves.
    pub schedule: Schedule,
    /// What the answers shall be.
    pub expect: Vec<Expectation>,
    /// What does not count as a difference between answers.
    pub rules: Rules,
    /// Our own listeners, which nothing is sent to unless that was asked for.
    pub avoid: Option<Arc<Avoid>>,
}

/// Why a call is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This one cannot have this fault: a sentence. Others can.
    Fault(String),
    /// It cannot be sent so at all: a sentence with the repair.
    Call(String),
}

impl Plan {
    /// Every call once, as soon as the one before it is answered, signed anew.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            against: None,
            mode: SignMode::Fresh,
            changes: Vec::new(),
            headers_set: false,
            faults: Vec::new(),
            duplicate: false,
            schedule: Schedule::default(),
            expect: Vec::new(),
            rules: Rules::default(),
            avoid: None,
        }
    }

    /// Where calls go: to the target and, where there is one, to the one beside it.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.target).chain(&self.against)
    }

    /// How a call is delivered, one after the other.
    pub fn deliveries(&self) -> impl Iterator<Item = Option<Fault>> {
        let plain = self.faults.is_empty().then_some(None);
        plain.into_iter().chain(self.faults.iter().copied().map(Some))
    }

    /// How many calls leave for `items` recorded ones, to one target.
    #[must_use]
    pub fn total(&self, items: usize) -> u64 {
        items as u64 * u64::from(self.schedule.repeat) * u64::from(self.each())
    }

    /// Deliveries of a call.
    fn each(&self) -> u32 {
        u32::try_from(self.faults.len().max(1)).unwrap_or(u32::MAX) * (1 + u32::from(self.duplicate))
    }

    /// What tells how far it is, at its beginning.
    #[must_use]
    pub fn meter(&self, items: usize) -> Meter {
        // A call has its turn with all its deliveries.
        let set = self.schedule.pace.rate().map(|rate| rate * f64::from(self.each()));
        Meter { total: self.total(items), set, ..Meter::default() }
    }

    /// How calls are signed, in words.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        mode(self.mode, self.headers_set || !self.changes.is_empty())
    }

    /// What is wrong on purpose, in words; none: nothing is.
    #[must_use]
    pub fn wrong(&self) -> Option<String> {
        let fault = |fault: &Fault| match fault.slowness().filter(|time| *time != SLOW) {
            Some(time) => format!("{fault} ({time:?})"),
            None => fault.to_string(),
        };
        let order = Delivery { fault: None, late: self.schedule.out_of_order, again: self.duplicate }.label();
        let wrong: Vec<String> = self.faults.iter().map(fault).chain(order).collect();
        (!wrong.is_empty()).then(|| wrong.join(", "))
    }

    /// What is not as usual, in words: what is wrong on purpose first; none: all is as usual. With a redaction what is expected
    /// is masked.
    #[must_use]
    pub fn terms(&self, redaction: Option<&Redaction>) -> Option<String> {
        let Schedule { pace, concurrency, repeat, stop_on_failure, .. } = self.schedule;
        let shown = |expected: &Expectation| {
            redaction.map_or_else(|| expected.to_string(), |redaction| Masking::new(redaction).expectation(expected))
        };
        let expected: Vec<String> = self.expect.iter().map(shown).collect();
        let terms = [
            self.wrong(),
            (repeat > 1).then(|| format!("all of it {repeat} times")),
            (pace != Pace::Asap).then(|| format!("pace {pace}")),
            (concurrency > 1).then(|| format!("{concurrency} at a time")),
            (!expected.is_empty()).then(|| format!("expected: {}", expected.join(", "))),
            stop_on_failure.then(|| "the first failure ends it".to_owned()),
        ];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        (!terms.is_empty()).then(|| terms.join("; "))
    }

    /// `12 calls to staging and next, fresh`: so many recorded ones on their way, for titles.
    #[must_use]
    pub fn title(&self, items: usize) -> String {
        let calls = visible::count(self.total(items), "call");
        let names: Vec<&str> = self.targets().map(|target| target.name.as_str()).collect();
        format!("{calls} to {}, {}", names.join(" and "), self.mode.word())
    }

    /// What is sent for a recorded call at the time `at`: to the target and, where there is one, to the one beside it. Both
    /// get the same ids and times.
    ///
    /// # Errors
    /// Why this call cannot be sent so.
    pub fn outgoing(
        &self,
        call: &Call,
        fault: Option<Fault>,
        at: Timestamp,
        platforms: &Platforms,
        keyring: &Keyring,
        listener: Option<SocketAddr>,
    ) -> Result<(Outgoing, Option<Outgoing>), Refusal> {
        let kind = platforms.kind(call.kind.as_deref());
        if call.request.cut {
            let kept = visible::count(call.request.body.len(), "byte");
            return Err(Refusal::Call(format!(
                "its body was cut when it was recorded: the {kept} there are would pass for all of it. Send a draft of it with a whole body"
            )));
        }
        let places: Vec<String> = masked(&call.request, &call.request).iter().map(ToString::to_string).collect();
        if self.mode == SignMode::Exact && !places.is_empty() {
            return Err(Refusal::Call(format!(
                "it was masked when it was recorded, so it cannot leave as it came: {}. Send it signed anew",
                places.join(", ")
            )));
        }
        let mut request = call.request.clone();
        if !self.changes.is_empty() {
            request = request.unpacked();
        }
        match (self.mode, kind) {
            (SignMode::Fresh, Some(kind)) => {
                kind.refresh(&mut request, if fault == Some(Fault::Stale) { at - STALE } else { at });
            }
            (SignMode::Exact, _) if fault == Some(Fault::Stale) => {
                return Err(Refusal::Fault("a call that is sent exactly is as old as it is".to_owned()));
            }
            _ => {}
        }
        // What is asked for stands, also where it would be renewed.
        change(&mut request, &self.changes).map_err(Refusal::Call)?;
        if let Some(why) = fault.and_then(|fault| fault.why_not(kind, &request)) {
            return Err(Refusal::Fault(why));
        }
        let aim = |target: &Target, request: Request| {
            let aimed = Outgoing::aim(request, kind, target, self.mode, keyring, listener)
                .map_err(Refusal::Call)?
                .repeating(Some(call.id));
            let set = |pointer: &str| self.changes.iter().any(|change| change.covers(pointer));
            if !self.changes.is_empty()
                && let Some(why) = aimed.why_not_set(platforms, |_| false, set)
            {
                return Err(Refusal::Call(why));
            }
            if let Some(why) = fault.and_then(|fault| aimed.why_not_faulty(fault, platforms)) {
                return Err(Refusal::Fault(why));
            }
            let avoid = self.avoid.clone().filter(|avoid| avoid.applies_to(&target.name));
            if let Some(why) = avoid.as_ref().and_then(|avoid| avoid.why_not(&target.name, &aimed.url)) {
                return Err(Refusal::Call(why));
            }
            // New ids and times leave a call in its conversation; what is set in it might not.
            let conversation = call.conversation.clone().filter(|_| self.changes.is_empty());
            Ok(Outgoing { conversation, fault, avoid, ..aimed })
        };
        let second = self.against.as_ref().map(|target| aim(target, request.clone())).transpose()?;
        Ok((aim(&self.target, request)?, second))
    }
}

/// What a mode does, with its name; `changed`: values or headers are set.
#[must_use]
pub fn mode(mode: SignMode, changed: bool) -> &'static str {
    match mode {
        SignMode::Exact if changed => "exact: signature as recorded, bytes but for the changes",
        SignMode::Fresh => "fresh: signed anew, with new ids and times",
        SignMode::Exact => "exact: signature and bytes as recorded",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Secrets;
    use crate::net::avoid::Own;
    use crate::replay::testing::call;

    fn outgoing(plan: &Plan, call: &Call, fault: Option<Fault>) -> Result<(Outgoing, Option<Outgoing>), Refusal> {
        let platforms = Platforms::builtin().unwrap();
        let keyring = Keyring::new(Secrets::default());
        plan.outgoing(call, fault, Timestamp::UNIX_EPOCH, &platforms, &keyring, None)
    }

    #[test]
    fn our_own_listener_gets_nothing_unless_asked() {
        let mut plan = Plan::new(Target::new("x", "http://localhost:4747"));
        let address = "127.0.0.1:4747".parse().unwrap();
        let own = Own { address, public: None };
        let avoid = Avoid {
            listeners: vec![own],
            repair: "ask for it".to_owned(),
            others: Vec::new(),
            spared: Some("ours".to_owned()),
        };
        plan.avoid = Some(Arc::new(avoid));
        let Err(Refusal::Call(why)) = outgoing(&plan, &call(1), None) else { panic!("it was sent") };
        assert_eq!(why, "x is hooktape's own listener (127.0.0.1:4747): ask for it");
        assert!(outgoing(&Plan { avoid: None, ..plan.clone() }, &call(1), None).is_ok());
        plan.target = Target::new("x", "http://127.0.0.1:1");
        plan.against = Some(Target::new("y", "http://[::1]:4747"));
        assert!(outgoing(&plan, &call(1), None).is_err());
        plan.against = Some(Target::new("ours", "http://[::1]:4747"));
        let (first, second) = outgoing(&plan, &call(1), None).unwrap();
        assert!(first.avoid.is_some() && second.unwrap().avoid.is_none(), "what was asked for is asked for of one");
    }

    #[test]
    fn what_is_set_is_said_in_deliveries() {
        let mut plan = Plan::new(Target::new("x", "http://127.0.0.1:1"));
        plan.schedule.pace = Pace::Rate(4.0);
        (plan.duplicate, plan.faults) = (true, vec![Fault::Stale, Fault::Tampered]);
        assert_eq!((plan.meter(3).set, plan.meter(3).total), (Some(16.0), 12));
    }

    #[test]
    fn two_targets_get_the_same_call_and_an_exact_one_is_untouched() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/dialog").unwrap();
        let recorded = Call { kind: Some(kind.name.clone()), request: kind.sample(), ..call(1) };
        let secret = vec![crate::config::Secret::new("env:X", "x")];
        let target =
            |port: u16| Target { secrets: secret.clone(), ..Target::new("t", format!("http://127.0.0.1:{port}")) };
        let mut plan = Plan { against: Some(target(2)), ..Plan::new(target(1)) };
        let (first, second) = outgoing(&plan, &recorded, None).unwrap();
        let second = second.unwrap();
        assert_eq!((first.request.clone(), first.parent), (second.request, Some(recorded.id)));
        assert_ne!(first.request.body, recorded.request.body);
        assert_ne!(first.url, second.url);
        plan.mode = SignMode::Exact;
        let (exact, _) = outgoing(&plan, &recorded, None).unwrap();
        assert_eq!(exact.request, recorded.request);
        let stale = outgoing(&plan, &recorded, Some(Fault::Stale));
        assert!(matches!(stale, Err(Refusal::Fault(_))), "{stale:?}");
    }

    #[test]
    fn what_is_set_stands_though_it_would_be_renewed() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/dialog").unwrap();
        let sample = Call { kind: Some(kind.name.clone()), request: kind.sample(), ..call(1) };
        let secrets = vec![crate::config::Secret::new("env:X", "x")];
        let mut plan = Plan::new(Target { secrets, ..Target::new("t", "http://127.0.0.1:1") });
        plan.changes = vec!["/timestamp=5".parse().unwrap()];
        let (aimed, _) = outgoing(&plan, &sample, None).unwrap();
        assert_eq!(
            crate::json::find(std::str::from_utf8(&aimed.request.body).unwrap(), "/timestamp")
                .map(|at| &aimed.request.body[at]),
            Some(&b"5"[..])
        );
        let id = |request: &Request| request.headers.get("x-moveo-request-id").map(str::to_owned);
        assert_ne!(id(&aimed.request), id(&sample.request), "all else is renewed");
        // Where the new signature belongs, there is no room for anything else.
        plan.target.headers.push(("X-Moveo-Signature".to_owned(), "abc".to_owned()));
        let Err(Refusal::Call(why)) = outgoing(&plan, &sample, None) else { panic!("it was sent") };
        assert!(why.contains("X-Moveo-Signature") && why.contains("(exact)"), "{why}");
        plan.mode = SignMode::Exact;
        assert!(outgoing(&plan, &sample, None).is_ok());
        // Nor where its time belongs, or a signature in the body.
        let kind = platforms.kind("mailgun/event").unwrap();
        let sample = Call { kind: Some(kind.name.clone()), request: kind.sample(), ..call(1) };
        (plan.mode, plan.target.headers) = (SignMode::Fresh, Vec::new());
        for set in ["/signature/timestamp=1", "/signature/signature=x", "/signature={}"] {
            plan.changes = vec![set.parse().unwrap()];
            let Err(Refusal::Call(why)) = outgoing(&plan, &sample, None) else { panic!("{set} was sent") };
            assert!(why.contains("cannot be set: the new signature belongs there"), "{why}");
        }
        // Nor in any of several headers.
        let kind = platforms.kind("github/event").unwrap();
        let sample = Call { kind: Some(kind.name.clone()), request: kind.sample(), ..call(1) };
        plan.changes = Vec::new();
        plan.target.headers = vec![("x-hub-signature".to_owned(), "mine".to_owned())];
        let Err(Refusal::Call(why)) = outgoing(&plan, &sample, None) else { panic!("it was sent") };
        assert!(why.contains("X-Hub-Signature cannot be set"), "{why}");
    }

    #[test]
    fn what_the_recording_has_not_is_not_sent_for_what_came() {
        let mut plan = Plan::new(Target::new("x", "http://127.0.0.1:1"));
        let cut = Call { request: Request { cut: true, ..call(1).request }, ..call(1) };
        let Err(Refusal::Call(why)) = outgoing(&plan, &cut, None) else { panic!("it was sent") };
        assert!(why.contains("the 1 byte there are would pass"), "{why}");
        let headers = [("authorization", "[redacted]")].into_iter().collect();
        let masked = Call { request: Request { redacted: true, headers, ..call(1).request }, ..call(1) };
        assert!(outgoing(&plan, &masked, None).is_ok(), "the masks are told of, and leave");
        plan.mode = SignMode::Exact;
        let Err(Refusal::Call(why)) = outgoing(&plan, &masked, None) else { panic!("it was sent") };
        assert!(why.contains("as it came: header:authorization. Send"), "{why}");
    }

    #[test]
    fn deliveries_are_counted() {
        let mut plan = Plan::new(Target::new("x", "http://127.0.0.1:1"));
        assert_eq!((plan.deliveries().count(), plan.total(3)), (1, 3));
        plan.faults = vec![Fault::Tampered, Fault::Stale];
        plan.duplicate = true;
        plan.schedule.repeat = 5;
        assert_eq!((plan.deliveries().count(), plan.total(3)), (2, 60));
        plan.against = Some(Target::new("y", "http://127.0.0.1:2"));
        assert_eq!(plan.title(3), "60 calls to x and y, fresh");
    }
    #[test]
    fn bytes_that_are_changed_are_not_said_to_be_as_recorded() {
        assert_eq!(mode(SignMode::Exact, false), "exact: signature and bytes as recorded");
        assert!(mode(SignMode::Exact, true).ends_with("but for the changes"));
        assert_eq!(mode(SignMode::Fresh, true), mode(SignMode::Fresh, false));
    }

    #[test]
    fn what_is_not_as_usual_is_told() {
        let mut plan = Plan::new(Target::new("x", "http://127.0.0.1:1"));
        assert_eq!(plan.terms(None), None);
        plan.faults = vec![Fault::BadSignature, Fault::SlowBody(SLOW), Fault::SlowBody(Duration::from_millis(500))];
        plan.duplicate = true;
        plan.schedule.out_of_order = true;
        let wrong = "bad signature, slow body, slow body (500ms), out of order, duplicate";
        assert_eq!(plan.terms(None).as_deref(), Some(wrong));
        plan.schedule = Schedule { pace: Pace::Rate(5.0), concurrency: 2, repeat: 3, ..Schedule::default() };
        plan.schedule.stop_on_failure = true;
        (plan.faults, plan.duplicate) = (Vec::new(), false);
        plan.expect = vec!["recorded".parse().unwrap(), "took<1s".parse().unwrap()];
        let terms = "all of it 3 times; pace 5/s; 2 at a time; expected: recorded, took<1s; the first failure ends it";
        assert_eq!(plan.terms(None).as_deref(), Some(terms));
    }
}
