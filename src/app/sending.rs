//! Calls on their way out: replays, drafts, test calls.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::dialog::{Dialog, Then};
use crate::app::dialog_keys::{Choice, picked};
use crate::app::draft::{Answer, Draft, Facts};
use crate::app::event::{Effect, Notice};
use crate::app::kept::Keep;
use crate::app::panel::Panel;
use crate::app::prompt::Ask;
use crate::app::question::{GUARDED, Yes};
use crate::app::shown::Tab;
use crate::app::{App, Setup};
use crate::call::{Call, Id, Request};
use crate::config::Target;
use crate::net::base_url;
use crate::net::outgoing::{Outgoing, SignMode};
use crate::platform::Endpoint;
use crate::replay::template::{self, Values};
use crate::replay::variables::Variables;
use crate::visible;

/// Longest body of a draft that is held against its contract: the screen waits for it.
const CHECKED: usize = 256 << 10;
/// What our own listener is called as a target.
pub(super) const OURSELVES: &str = "this listener";

/// Calls on their way out, and what becomes of the screen when they are back.
#[derive(Debug, Default)]
pub struct Sending {
    /// How many there are.
    pub calls: usize,
    /// The draft that is being filled in, to be sent then.
    filling: Option<u64>,
    /// What was sent last outside of a draft, and the last key before that.
    pub(super) last: Option<(u64, Option<Timestamp>)>,
    /// A call that came back before the recorder said that it is in the recording: it is selected when it is.
    pub(super) awaited: Option<Id>,
}

/// Whether a target is our own listener by name.
pub(super) fn is_ours(target: &Target) -> bool {
    target.name == OURSELVES
}

/// Our own listener as a target: for trying things out.
pub(super) fn ourselves(address: SocketAddr) -> Target {
    Target::new(OURSELVES, format!("{}{{path}}", base_url(address)))
}

impl App {
    /// Sends the selected call again.
    pub(super) fn replay_selected(&mut self) -> Vec<Effect> {
        self.calls.selected().map_or_else(Vec::new, |number| self.replay(number))
    }

    /// Sends the call of that number again, asking where to if that was never said.
    pub(super) fn replay(&mut self, number: usize) -> Vec<Effect> {
        let Some(call) = self.cache.original(number) else {
            self.tell_unread();
            return Vec::new();
        };
        if self.target.is_none() {
            self.ask_target(Then::Replay(number));
            return Vec::new();
        }
        match self.again(&call) {
            Ok((outgoing, warning)) => {
                if let Some(warning) = warning {
                    self.tell(warning);
                }
                self.send(outgoing)
            }
            Err(reason) => {
                self.tell(Notice::error(reason));
                Vec::new()
            }
        }
    }

    /// Sends the draft, asking where to if that was never said.
    pub(super) fn send_draft(&mut self) -> Vec<Effect> {
        let Some(draft) = &self.draft else { return Vec::new() };
        if draft.sending || self.sending.filling == Some(draft.ticket) {
            return Vec::new();
        }
        if self.target.is_none() {
            self.ask_target(Then::SendDraft);
            return Vec::new();
        }
        let (ticket, request) = (draft.ticket, draft.request());
        if draft.is_template() {
            self.sending.filling = Some(ticket);
            return vec![Effect::Keep(Keep::Fill { ticket, request: Box::new(request) })];
        }
        self.send_filled(ticket, request)
    }

    /// The draft of that ticket was filled in, or could not be.
    pub(super) fn filled(&mut self, ticket: u64, result: Result<Box<Request>, String>) -> Vec<Effect> {
        self.sending.filling.take_if(|filling| *filling == ticket);
        match result {
            Ok(request) => self.send_filled(ticket, *request),
            Err(reason) => {
                self.tell(Notice::error(reason));
                Vec::new()
            }
        }
    }

    /// Sends what became of the draft of that ticket.
    fn send_filled(&mut self, ticket: u64, request: Request) -> Vec<Effect> {
        let Some(draft) = self.draft.as_ref().filter(|draft| draft.ticket == ticket) else { return Vec::new() };
        match self.aim(request, draft.kind.as_deref(), draft.parent, draft.mode) {
            Ok(outgoing) => self.send_as(ticket, outgoing),
            Err(reason) => {
                self.tell(Notice::error(reason));
                Vec::new()
            }
        }
    }

    /// Sends a built-in call of `kind`: to the chosen target, else to our own listener.
    pub(super) fn send_sample(&mut self, kind: &str) -> Vec<Effect> {
        self.aim_at_ourselves();
        if self.target.is_none() {
            self.ask_target(Then::Test(kind.to_owned()));
            return Vec::new();
        }
        let Some(sample) = self.setup.platforms.kind(kind).map(crate::platform::Kind::sample) else {
            return Vec::new();
        };
        match self.aim(sample, Some(kind), None, SignMode::Fresh) {
            Ok(outgoing) => self.send(outgoing),
            Err(reason) => {
                self.tell(Notice::error(reason));
                Vec::new()
            }
        }
    }

    /// Opens a draft of the built-in call of `kind`.
    pub(super) fn draft_sample(&mut self, kind: &str) {
        let Some(sample) = self.setup.platforms.kind(kind).map(crate::platform::Kind::sample) else { return };
        self.aim_at_ourselves();
        let ticket = self.ticket();
        self.draft = Some(Draft::new(ticket, sample, Some(kind.to_owned()), None));
    }

    /// Plays the built-in conversation.
    pub(super) fn demo(&mut self) -> Vec<Effect> {
        if self.setup.listener.is_some() {
            return vec![Effect::Demo];
        }
        self.tell(Notice::warning("the demo needs the listener: start hooktape without `open`"));
        Vec::new()
    }

    /// Chooses our own listener, if there is one, where no target was chosen: a test call should need no set-up.
    fn aim_at_ourselves(&mut self) {
        if self.target.is_none() {
            self.target = self.targets.iter().position(|target| target.name == OURSELVES);
        }
    }

    /// The platform's own place that a target is, if it is one.
    #[must_use]
    pub fn endpoint(&self, target: &Target) -> Option<&Endpoint> {
        self.setup.platforms.endpoints().find(|place| place.name == target.name && place.url == target.url)
    }

    /// What there is to choose from: one's own targets by their numbers, none for an address to be typed, and last the
    /// platforms' own places.
    #[must_use]
    pub fn target_choices(&self) -> Vec<Option<usize>> {
        let numbers = |real: bool| {
            (0..self.targets.len()).filter(move |number| self.endpoint(&self.targets[*number]).is_some() == real)
        };
        numbers(false).map(Some).chain([None]).chain(numbers(true).map(Some)).collect()
    }

    /// Asks where to send, beginning at the chosen target.
    pub(super) fn ask_target(&mut self, then: Then) {
        self.ask_target_from(self.target, then);
    }

    /// As [`Self::ask_target`], beginning at the target of that number.
    pub(super) fn ask_target_from(&mut self, number: Option<usize>, then: Then) {
        let chosen = self.target_choices().iter().position(|choice| choice.is_some() && *choice == number);
        self.dialogs.push(Dialog::Targets { selected: chosen.unwrap_or(0), then });
    }

    pub(super) fn targets_key(&mut self, action: Option<Action>, mut selected: usize, then: Then) -> Vec<Effect> {
        let choices = self.target_choices();
        match picked(action, &mut selected, choices.len()) {
            Choice::Leave => {}
            Choice::Stay => self.dialogs.push(Dialog::Targets { selected, then }),
            Choice::Take => match choices.get(selected).copied().flatten() {
                Some(number) => return self.choose_target(number, &then),
                None => self.prompt(Ask::Address(then), ""),
            },
        }
        Vec::new()
    }

    /// Takes the target of that number, for what it was asked for.
    pub(super) fn choose_target(&mut self, number: usize, then: &Then) -> Vec<Effect> {
        if *then == Then::Against {
            self.choose_against(number);
            return Vec::new();
        }
        self.target = Some(number);
        match then {
            Then::Stay | Then::Against => Vec::new(),
            Then::Test(kind) => self.send_sample(kind),
            Then::Replay(number) => self.replay(*number),
            Then::SendDraft => self.send_draft(),
        }
    }

    /// Chooses a target, adding it to those there are.
    pub fn choose(&mut self, target: Target) {
        let known = self.targets.iter().position(|known| known.url == target.url && known.name == target.name);
        self.target = known.or_else(|| {
            self.targets.push(target);
            Some(self.targets.len() - 1)
        });
    }

    /// Adds an address typed by the user to the targets.
    pub(super) fn add_target(&mut self, address: &str) -> Result<usize, String> {
        let target = Target::from_address(address.trim())?;
        if let Some(known) = self.targets.iter().position(|known| known.url == target.url) {
            return Ok(known);
        }
        self.targets.push(target.told_apart(&self.targets).guarded_with(&self.targets));
        Ok(self.targets.len() - 1)
    }

    /// Works out what is to be said of the draft, where that is not known for it as it stands.
    pub(super) fn weigh_draft(&mut self) {
        let Some(draft) = &self.draft else { return };
        let of = (draft.mode, self.target);
        if draft.facts.as_ref().is_some_and(|facts| facts.of == of) {
            return;
        }
        // The next tick comes when hands are still.
        if draft.typing && draft.is_large() && !self.is_calm() {
            return;
        }
        let kind = self.setup.platforms.kind(draft.kind.as_deref());
        let request = draft.request();
        let small = request.body.len() <= CHECKED;
        let is_template = draft.is_template();
        let mut strange = if is_template || draft.touched() { template::strange(&draft.request()) } else { Vec::new() };
        // Held against the contract is what would leave.
        let filled = (is_template && small).then(|| self.as_filled(&request));
        let request = match filled {
            Some(Ok(filled)) => filled,
            Some(Err(reason)) => {
                strange.insert(0, reason);
                request
            }
            None => request,
        };
        let facts = Facts {
            strange,
            syntax_error: draft.syntax_error(),
            state: draft.state(),
            target: draft.target(),
            signature: self.draft_signature(),
            findings: small.then(|| kind.map_or_else(Vec::new, |kind| kind.check_request(&request))),
            of,
        };
        if let Some(draft) = &mut self.draft {
            draft.facts = Some(facts);
        }
    }

    /// The request with values like those that it would be sent with: of the environment only the names are known here.
    ///
    /// # Errors
    /// Which name stands for nothing.
    fn as_filled(&self, request: &Request) -> Result<Request, String> {
        let known = Variables::default();
        let values = Values {
            now: self.now,
            variables: self.variables.as_ref().unwrap_or(&known),
            environment: &|name| self.setup.environment.contains(name).then(|| format!("({name})")),
        };
        let mut filled = request.clone();
        template::fill(&mut filled, &values).map(|()| filled)
    }

    /// What a draft would leave with: the signature.
    ///
    /// # Errors
    /// A sentence: why there is none.
    fn draft_signature(&self) -> Result<String, String> {
        let Some(draft) = &self.draft else { return Err(String::new()) };
        let kind = self.setup.platforms.kind(draft.kind.as_deref());
        let request = draft.request();
        let Some((kind, scheme)) = kind.and_then(|kind| Some((kind, kind.scheme_of(&request)?))) else {
            return Ok("this kind of call is not signed".to_owned());
        };
        if draft.mode == SignMode::Exact {
            let given = scheme.given(&request).unwrap_or(Cow::Borrowed(b"none"));
            return Ok(format!("{} (as it was)", String::from_utf8_lossy(&given)));
        }
        if draft.is_template() {
            return Ok("made as it is sent, once what stands between {{ and }} is filled in".to_owned());
        }
        let keyring = &self.setup.keyring;
        let secret = match self.target() {
            Some(target) if target.name == OURSELVES => keyring.signing_for_ourselves(kind, &request)?,
            target => keyring.signing(kind, &request, target.map_or(&[], |target| &target.secrets))?,
        };
        let Some(signature) = kind.preview(&request, secret.as_ref()) else {
            return Ok("not signed: the platform signs only where it is told to".to_owned());
        };
        let signature = signature.map_err(|error| error.to_string())?;
        Ok(match secret {
            Some(secret) => format!("{signature} ({})", secret.label()),
            None => signature,
        })
    }

    fn aim(
        &self,
        request: Request,
        kind: Option<&str>,
        parent: Option<Id>,
        mode: SignMode,
    ) -> Result<Outgoing, String> {
        let target = self.target().ok_or_else(|| self.no_target())?;
        let kind = self.setup.platforms.kind(kind);
        let aimed = Outgoing::aim(request, kind, target, mode, &self.setup.keyring, self.setup.listener)?;
        let avoid = self.avoid();
        match avoid.as_ref().and_then(|avoid| avoid.why_not(&target.name, &aimed.url)) {
            Some(why) => Err(why),
            None => Ok(Outgoing { avoid, ..aimed.repeating(parent) }),
        }
    }

    /// That there is none, and the key that chooses one.
    pub(super) fn no_target(&self) -> String {
        format!("no target is chosen: {} chooses one", self.keymap.key(Action::Target))
    }

    fn send(&mut self, outgoing: Outgoing) -> Vec<Effect> {
        let ticket = self.ticket();
        self.send_as(ticket, outgoing)
    }

    fn send_as(&mut self, ticket: u64, outgoing: Outgoing) -> Vec<Effect> {
        let outgoing = Box::new(outgoing);
        let Some(target) = self.target().filter(|target| target.guard) else { return self.send_now(ticket, outgoing) };
        let question = format!("Send 1 call to {}, at {}?", target.name, outgoing.host());
        self.ask_first(question, GUARDED, Yes::Send { ticket, outgoing });
        Vec::new()
    }

    pub(super) fn send_now(&mut self, ticket: u64, outgoing: Box<Outgoing>) -> Vec<Effect> {
        self.sending.calls += 1;
        self.sending.last = Some((ticket, self.touched));
        if let Some(draft) = self.draft.as_mut().filter(|draft| draft.ticket == ticket) {
            draft.sending = true;
            draft.sent = Some(draft.text());
        }
        vec![Effect::Send { ticket, outgoing }]
    }

    /// A sent call came back: to the draft it was sent from, or as the new selection.
    pub(super) fn sent(&mut self, ticket: u64, result: Result<Arc<Call>, String>) {
        self.sending.calls = self.sending.calls.saturating_sub(1);
        let platforms = self.setup.platforms.clone();
        let mask = self.redaction.clone().filter(|_| self.masked);
        let answered = result.map(|call| Answer::new(call, &platforms, mask.as_deref()));
        if let Ok(answer) = &answered {
            self.sends.push(answer.clone());
            // Whoever walks in what was sent stays where he is, which is one further from the newest.
            let last = self.sends.newest_first().count() - 1;
            for dialog in &mut self.dialogs {
                if let Dialog::Panel(Panel::Tester(tester)) = dialog
                    && tester.in_history
                {
                    tester.send = (tester.send + 1).min(last);
                }
            }
        }
        let recorded = self.recorded_in().filter(|_| answered.is_ok());
        if let Some(draft) = self.draft.as_mut().filter(|draft| draft.ticket == ticket) {
            draft.sending = false;
            if answered.is_err() {
                draft.sent = None;
            }
            draft.scroll = 0;
            draft.answer = Some(answered);
            if let Some(file) = recorded {
                self.tell(Notice::info(file));
            }
            return;
        }
        let (call, redirect) = match answered {
            Ok(answer) => (answer.call, answer.redirect),
            Err(reason) => return self.tell(Notice::error(reason)),
        };
        let mut told = outcome(&call);
        told.text.extend(redirect.map(|redirect| format!("; {redirect}")));
        told.text.push_str(&self.told_changes(&call));
        told.text.extend(recorded.map(|file| format!(" · {file}")));
        self.tell(told);
        if self.draft.is_none() && self.sending.last.is_some_and(|(last, _)| last == ticket) {
            // The recorder's word of it comes another way, and may still be on it.
            self.sending.awaited = Some(call.id);
            self.show_awaited();
        }
    }

    /// Where what is sent is recorded, as is said where that is a file that was only opened.
    pub(super) fn recorded_in(&self) -> Option<String> {
        let Setup { listener: None, recording, .. } = &self.setup else { return None };
        Some(format!("recorded in {}, the file that is open", recording.file_name()?.to_string_lossy()))
    }

    /// Selects the call that was sent, once it is recorded. Whoever has pressed a key since, or has a question before him, means
    /// the call that he sees: he is told only.
    pub(super) fn show_awaited(&mut self) {
        let Some(number) = self.sending.awaited.and_then(|id| self.index.row_of(id)) else { return };
        self.sending.awaited = None;
        let waits = self.sending.last.is_some_and(|(_, touched)| touched == self.touched);
        let asked = self.dialogs.iter().any(|dialog| !matches!(dialog, Dialog::Panel(Panel::Tester(_))));
        if waits && !asked && self.calls.select(number) {
            self.show_tab(Tab::Response);
        }
    }
}

/// What became of a sent call, in a sentence.
fn outcome(call: &Call) -> Notice {
    let place = call.request.origin.as_deref().unwrap_or_default();
    match (&call.error, call.status()) {
        (Some(error), _) => Notice::error(error.clone()),
        (None, status) => {
            let status = status.unwrap_or_default();
            let text = format!("{status} from {place} in {}", visible::took(call.took));
            if status < 400 { Notice::info(text) } else { Notice::warning(text) }
        }
    }
}
