//! Calls passed on: to one's own server and back, and to others that only listen.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::hold::{Release, Stage};
use super::pulse::{self, Health};
use super::{Active, Outcome, Responders, STOPPED, Told, Wanting, abandoned, failed, own_secrets, refused};
use crate::call::{Call, Direction, Forwarded, Id, Request, Sig};
use crate::config::{Forward, Source, Target};
use crate::json;
use crate::net::forward::{Failure, Ready, What};
use crate::net::room::Taking;
use crate::sync::lock;

impl Responders {
    /// Passes a call on: the first target answers, the others get it too.
    pub(super) async fn pass_on(&self, call: Wanting<'_>, forward: &Arc<Forward>, hold: Option<Duration>) -> Outcome {
        if self.forwarder.has_seen(call.request) {
            let error = "this call was forwarded from here and came back: the target leads to this listener again";
            return failed(&Failure { status: 508, sentence: error.to_owned(), what: What::Round });
        }
        let Some(first) = forward.targets.first() else { return refused() };
        let mut edited = None;
        let mut sig = call.sig;
        let mut again = None;
        if let Some(time) = hold {
            // Without a caller: its platform has given up on it, and what it would set going must not happen after all.
            let Some(release) = self.hold(call, time, Stage::Forward(first.name.clone())).await else {
                return abandoned();
            };
            match release {
                Release::AsIs => {}
                Release::Forward { request, hold_answer } => {
                    edited = request.map(|request| self.signed_anew(*request, call));
                    sig = edited.as_ref().map_or(sig, |request| self.judged(request, call));
                    again = Some(time).filter(|_| hold_answer);
                }
                Release::Answer(response) => return Outcome::of(response),
                Release::Refuse => return refused(),
            }
        }
        let call = Wanting { request: edited.as_ref().unwrap_or(call.request), sig, ..call };
        for target in &forward.targets[1..] {
            self.also(call, target, forward.keep_host);
        }
        let ready = self.prepare(call, first, forward.keep_host);
        // What leaves here where it was edited is not what came: it is a call of its own.
        let sent = edited.is_some().then(|| self.sent(call, first, &ready));
        let mut room = Taking::of(&self.answers);
        let given_up = async {
            tokio::select! {
                () = self.over.cancelled() => STOPPED.to_owned(),
                why = self.alone.too_many(call.gone) => why,
            }
        };
        let (answer, forwarded) = self.forwarder.forward(ready, first, &mut room, given_up).await;
        self.note(first, answer.as_ref().err());
        let mut outcome = match answer {
            Ok(response) => Outcome::of(response),
            Err(failure) => failed(&failure),
        };
        if let Some(sent) = sent {
            let error = outcome.error.clone();
            let response = outcome.response.clone().filter(|_| error.is_none());
            let _ = self.recorder.record(ended(Call { error, response, ..sent }, forwarded.clone())).await;
        }
        (outcome.forwarded, outcome.room) = (Some(forwarded), room.taken);
        match again {
            Some(time) => self.hold_answer(call, time, outcome).await,
            None => outcome,
        }
    }

    /// The request as its kind signs it, with the secret that the route checks with.
    fn signed_anew(&self, mut request: Request, call: Wanting<'_>) -> Request {
        if (request.body != call.request.body || self.judged(&request, call) != call.sig)
            && let Some(kind) = call.kind
            && let Ok(secret) = self.keyring.signing(kind, &request, own_secrets(call.route))
        {
            let mut signed = request.clone();
            let (_, pointers) = kind.signs_in(&signed, secret.as_ref());
            let edited = |pointer: &&str| value(call.request, pointer) != value(&request, pointer);
            // Without a signature that fits, the old one is as good as any; and one that was written by hand, or a time, is
            // meant.
            if kind.sign(&mut signed, secret.as_ref(), Timestamp::now()).is_ok()
                && fields_edited(call.request, &request).all(|name| alike(name, &request, &signed))
                && pointers
                    .into_iter()
                    .filter(edited)
                    .all(|pointer| value(&request, pointer) == value(&signed, pointer))
            {
                request = signed;
            }
        }
        request
    }

    /// What the signature of an edited request is worth to who has the route's secrets.
    fn judged(&self, request: &Request, call: Wanting<'_>) -> Option<Sig> {
        let own = own_secrets(call.route);
        call.kind.map(|kind| self.keyring.sig(&self.platforms, request, Some(kind), own, Timestamp::now()))
    }

    fn prepare(&self, call: Wanting<'_>, target: &Target, keep_host: bool) -> Result<Ready, String> {
        self.forwarder.prepare(call.request, call.kind.map(|kind| kind.name.as_str()), target, keep_host)
    }

    /// The call that leaves here for the one that came: what leaves, or what should have left where nothing can.
    fn sent(&self, call: Wanting<'_>, target: &Target, ready: &Result<Ready, String>) -> Call {
        let request = ready.as_ref().map_or_else(|_| Request { peer: None, ..call.request.clone() }, Ready::request);
        let sig = if target.headers.is_empty() && target.drop_headers.is_empty() {
            call.sig
        } else {
            // The signature may be among what the target has put in or taken out. It was made for the address that was called.
            let mut seen = Request { headers: request.headers.clone(), ..call.request.clone() };
            if let Some(host) = call.request.headers.get("host") {
                seen.headers.set("host", host.to_owned());
            }
            self.judged(&seen, call)
        };
        Call {
            kind: call.kind.map(|kind| kind.name.clone()),
            conversation: call.conversation.map(ToOwned::to_owned),
            sig,
            parent: Some(call.id),
            ..Call::new(Id::fresh(), Direction::Sent, Timestamp::now(), request)
        }
    }

    /// Sends a call to a target that does not answer it, and records what comes back.
    fn also(&self, call: Wanting<'_>, target: &Target, keep_host: bool) {
        let ready = self.prepare(call, target, keep_host);
        let (sent, target) = (self.sent(call, target, &ready), target.clone());
        let (recorder, client) = (self.recorder.clone(), self.forwarder.clone());
        let (over, answers) = (self.over.clone(), self.answers.clone());
        let place = self.alone.further(&target, call.request.body.len());
        self.under_way.spawn(async move {
            let mut taking = Taking::of(&answers);
            let call = if let Err(why) = &place {
                Call { error: Some(why.clone()), ..sent }
            } else {
                let stopped = async {
                    over.cancelled().await;
                    STOPPED.to_owned()
                };
                let (answer, forwarded) = client.forward(ready, &target, &mut taking, stopped).await;
                let (response, error) = match answer {
                    Ok(response) => (Some(response), None),
                    Err(failure) => (None, Some(failure.sentence)),
                };
                ended(Call { error, response, ..sent }, forwarded)
            };
            let _ = recorder.record(call).await;
            // Until then its bodies are there.
            drop((place, taking));
        });
    }

    /// Keeps how a target does; tells when that changes.
    fn note(&self, target: &Target, failure: Option<&Failure>) {
        let health = match failure {
            None => Health::Up,
            Some(failure) if failure.what == What::Down => Health::Down(failure.sentence.clone()),
            // It does not say whether the target can be reached.
            Some(_) => return,
        };
        let mut all = lock(&self.health);
        let known = all.iter_mut().find(|(name, _)| *name == target.name);
        match known {
            Some((_, known)) if *known == health => return,
            Some((_, known)) => *known = health.clone(),
            None => all.push((target.name.clone(), health.clone())),
        }
        drop(all);
        self.tell(Told::Target(target.name.clone(), health));
    }

    /// The servers that calls are passed on to.
    fn targets(&self) -> Vec<Target> {
        let of = |active: &Arc<Active>| match &active.slot.respond.source {
            Source::Forward(forward) => forward.targets.clone(),
            Source::Platform | Source::Reply(_) => Vec::new(),
        };
        self.actives().iter().flat_map(of).collect()
    }

    /// Forgets how servers do that nothing is passed on to any more: should they be again, it is told anew.
    pub(super) fn forget_unused(&self) {
        let used = self.targets();
        lock(&self.health).retain(|(name, _)| used.iter().any(|target| target.name == *name));
    }

    /// Looks every `pause` whether the targets can be reached, for as long as it is polled.
    pub async fn watch(&self, pause: Duration) {
        loop {
            for target in &self.targets() {
                self.forwarder.get_ready_for(target);
                let failure = pulse::knock(target).await.err();
                let failure = failure.map(|sentence| Failure { status: 502, sentence, what: What::Down });
                self.note(target, failure.as_ref());
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// The names of the header fields that differ.
fn fields_edited<'a>(before: &'a Request, after: &'a Request) -> impl Iterator<Item = &'a str> {
    let names = before.headers.iter().chain(after.headers.iter()).map(|(name, _)| name);
    names.filter(|name| !alike(name, before, after))
}

/// What stands at a JSON Pointer of the body.
fn value<'a>(request: &'a Request, pointer: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(&request.body).ok()?;
    json::find(text, pointer).map(|span| &text[span])
}

/// Whether two requests have the same in the header fields of a name.
fn alike(name: &str, one: &Request, other: &Request) -> bool {
    one.headers.all(name).eq(other.headers.all(name))
}

/// The same with where it went and how long it took.
fn ended(call: Call, forwarded: Forwarded) -> Call {
    Call { took: Duration::from_micros(forwarded.total_us), forwarded: Some(forwarded), ..call }
}
