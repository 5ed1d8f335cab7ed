//! What answers calls, and calls that wait for the user: the dialogs that change both.
//!
//! ```text
//!  a --> What answers --enter--> the platform | a reply by name | one typed here | forward to ...
//!             |  f fault   i hold   x as configured
//!  i --> Held calls --enter lets go | e answer | r request | F forward, hold the answer | x refuse
//! ```

mod keys;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::App;
use crate::app::action::{Action, Scope};
use crate::app::dialog::{Dialog, Input};
use crate::app::draft::Draft;
use crate::app::event::{Effect, Notice};
use crate::call::{Id, Request, Response};
use crate::config::{Fault, Forward, Hold, Replies, Source};
use crate::json::SyntaxError;
use crate::net::responder::{Beat, Health, Held, OF_ITS_TIME, Parting, Responders, Slot, Told, Whose};
use crate::platform::Finding;
use crate::replay::template;

pub use self::waiting::{Glance, Open, Waiting};

/// What answers, as the app knows it.
#[derive(Debug, Default)]
pub struct Answers {
    /// The responders in their places.
    pub slots: Vec<Slot>,
    /// How many calls limited faults will still hit.
    pub left: Vec<(Whose, u32)>,
    /// Calls that wait for the user, the oldest first.
    pub held: Vec<Arc<Held>>,
    /// How the targets do that calls are forwarded to.
    pub health: Vec<(String, Health)>,
    /// The listener's pulse, as it was felt last.
    pub beat: Beat,
    /// When a call last waited no more without the user's doing.
    pub gone: Option<Timestamp>,
    /// How long no key must have been pressed before a held call opens its dialog by itself: else a key that was meant for
    /// what is on the screen could let the call go, or refuse it, unseen.
    pub calm: Duration,
    /// What is shown of the calls that wait.
    pub waiting: Waiting,
    /// The call whose answer was asked for, and when that key was pressed.
    pub(super) awaited: Option<(Id, Option<Timestamp>)>,
}

/// For how long hands that have stopped are still.
pub(super) const CALM: Duration = Duration::from_secs(1);

impl Answers {
    /// The faults that still hit calls, with how many more they hit.
    pub fn faults(&self) -> impl Iterator<Item = (&Slot, &Fault, Option<u32>)> {
        self.slots.iter().filter_map(|slot| {
            let fault = slot.respond.fault.as_ref()?;
            let told = self.left.iter().find(|(whose, _)| *whose == slot.whose).map(|(_, left)| *left);
            let left = told.or(fault.next);
            (left != Some(0)).then_some((slot, fault, left))
        })
    }

    /// Whether calls are held as they come.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.slots.iter().any(|slot| slot.respond.hold.is_some())
    }
}

/// A dialog about answers.
#[derive(Debug)]
pub enum Answering {
    /// The responders.
    List {
        /// Which one is meant.
        selected: usize,
    },
    /// Where a responder's answers come from.
    Sources {
        /// The responder.
        slot: usize,
        /// Which source is meant.
        selected: usize,
    },
    /// Calls that wait.
    Held {
        /// Which one is meant.
        selected: usize,
        /// First row shown of what it holds.
        scroll: usize,
    },
    /// An answer or a request being edited.
    Edit(Box<Edit>),
}

impl Answering {
    /// The screen that the keymap is for while it lies on top.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::List { .. } => Scope::Answers,
            Self::Sources { .. } => Scope::Moving,
            Self::Held { .. } => Scope::Held,
            Self::Edit(_) => Scope::Typing,
        }
    }
}

/// What an edit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The answer to a held call.
    Answer(Id),
    /// The request of a held call, before it is forwarded.
    Request(Id),
    /// The reply of a responder.
    Slot(usize),
    /// The reply to every call of a kind from now on.
    Kind(String),
}

/// An answer or a request being edited, held against its contract as one types.
#[derive(Debug)]
pub struct Edit {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose contract it follows.
    pub kind: Option<String>,
    /// The body.
    pub draft: Draft,
    /// The status.
    pub status: Input,
    /// Keys go to the status.
    pub on_status: bool,
    /// Where it departs from the contract.
    pub findings: Vec<Finding>,
    /// Where it is not JSON.
    pub syntax_error: Option<SyntaxError>,
}

impl Edit {
    /// The answer as it would leave.
    ///
    /// # Errors
    /// A sentence: what is wrong with the status.
    pub fn response(&self) -> Result<Response, String> {
        let status = self.status()?;
        let Request { headers, body, .. } = self.draft.request();
        Ok(Response { status, headers, body })
    }

    /// The status that it would leave with.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn status(&self) -> Result<u16, String> {
        let status = self.status.text().trim().parse().ok().filter(|status| (200..=599).contains(status));
        status.ok_or_else(|| "a status is a number from 200 to 599".to_owned())
    }

    /// Takes pasted text where typed text would go.
    pub(super) fn paste(&mut self, text: &str) {
        if self.on_status {
            self.status.paste(text);
        } else {
            self.draft.paste(text);
        }
    }

    /// Whether a request is edited, which has no status.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.purpose, Purpose::Request(_))
    }
}

/// A source to choose from.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// This one.
    Source(Source),
    /// A reply to be typed.
    Typed,
    /// An address to be typed.
    Address,
}

impl App {
    /// Takes in what the responders tell.
    pub(super) fn told(&mut self, told: Told) {
        match told {
            Told::Held(held) => {
                // Whoever has pressed no key since is waiting for it.
                let awaited = self.answers.awaited == Some((held.id, self.touched));
                self.answers.held.push(held);
                if !self.dialogs.is_empty() || self.draft.is_some() {
                    // The state line says that it waits.
                } else if awaited || self.is_calm() {
                    // What was told before hides what the keys do here.
                    self.notice = None;
                    let selected = if awaited { self.answers.held.len() - 1 } else { 0 };
                    self.dialogs.push(Dialog::Answering(Answering::Held { selected, scroll: 0 }));
                } else {
                    self.tell(Notice::warning("a call waits for you").key(Action::Hold, "shows it"));
                }
            }
            Told::Gone(id, parting) => {
                let place = self.answers.held.iter().position(|held| held.id == id);
                self.answers.held.retain(|held| held.id != id);
                self.answers.gone = (parting != Parting::Released).then_some(self.now);
                self.keep_held_selection(place, parting);
                let about = |dialog: &Dialog| match dialog {
                    Dialog::Answering(Answering::Edit(edit)) => {
                        edit.purpose == Purpose::Answer(id) || edit.purpose == Purpose::Request(id)
                    }
                    _ => false,
                };
                if self.dialogs.iter().any(about) {
                    self.dialogs.retain(|dialog| !about(dialog));
                    self.tell(Notice::warning(match parting {
                        Parting::HungUp => "the caller hung up: nobody is there to be answered, the edit is dropped",
                        _ => "the call's time was up: it went on as it was, without the edit",
                    }));
                }
                if self.answers.held.is_empty() {
                    self.dialogs.retain(|dialog| !matches!(dialog, Dialog::Answering(Answering::Held { .. })));
                }
            }
            Told::Hit { whose, left } => {
                self.answers.left.retain(|(known, _)| *known != whose);
                self.answers.left.push((whose, left));
            }
            Told::Target(name, health) => {
                if let Health::Down(why) = &health {
                    self.tell(Notice::warning(format!("{name} is down: {why}")));
                }
                self.answers.health.retain(|(known, _)| *known != name);
                self.answers.health.push((name, health));
            }
            Told::Deaf(why) => self.tell(Notice::warning(why)),
            Told::Refused(refused) => {
                // What is masked before it is recorded is not shown otherwise here.
                let counts = self.masked || self.setup.config.record.redact;
                let told = refused.told(self.redaction.as_deref().filter(|_| counts));
                self.tell(Notice::warning(told));
            }
        }
    }

    /// The call that is meant among those that wait stays meant, also when one before it goes. When it goes itself, unasked, a
    /// key that is on its way must not mean the next one: the dialog closes.
    fn keep_held_selection(&mut self, gone: Option<usize>, parting: Parting) {
        let Some(gone) = gone else { return };
        let mut lost = false;
        self.dialogs.retain_mut(|dialog| {
            let Dialog::Answering(Answering::Held { selected, .. }) = dialog else { return true };
            let its = *selected == gone && parting != Parting::Released;
            if *selected > gone {
                *selected -= 1;
            }
            lost |= its;
            !its
        });
        if lost && !self.answers.held.is_empty() {
            self.tell(Notice::info("the call that was selected waits no more").key(Action::Hold, "shows the others"));
        }
    }

    /// Whether the last key was pressed long enough ago that the next one is an answer to what the screen shows by then.
    pub(super) fn is_calm(&self) -> bool {
        self.touched.is_none_or(|at| self.now.duration_since(at).unsigned_abs() >= self.answers.calm)
    }

    /// Whether the screen changes with time: the listener's pulse is on it, the age of the last call, a time that runs down; or
    /// whether a large draft is to be looked at once nobody types, or calls are still to be counted.
    #[must_use]
    pub fn ticks(&self) -> bool {
        self.setup.listener.is_some()
            || self.counts_down()
            || self.uncounted().is_some()
            || self.draft.as_ref().is_some_and(|draft| draft.facts.is_none())
            || self.replay.as_ref().is_some_and(super::replaying::Replay::runs)
    }

    /// Opens the list of responders.
    pub(super) fn ask_answers(&mut self) {
        if self.setup.listener.is_none() {
            self.tell(Notice::warning("nothing is answered here: start hooktape without `open`"));
            return;
        }
        self.dialogs.push(Dialog::Answering(Answering::List { selected: 0 }));
    }

    /// Shows the calls that wait; without any, holds calls from now on, or holds them no more.
    pub(super) fn hold_key(&mut self) -> Vec<Effect> {
        if self.setup.listener.is_none() {
            self.tell(Notice::warning("no calls come here: start hooktape without `open`"));
            return Vec::new();
        }
        if self.answers.held.is_empty() {
            // Whoever meant the call that has just gone does not mean holding.
            let just = |at: Timestamp| self.now.duration_since(at).unsigned_abs() < self.answers.calm;
            if self.answers.gone.take().is_some_and(just) {
                self.tell(Notice::info("the call waits no more"));
                return Vec::new();
            }
            return self.toggle_holds();
        }
        self.dialogs.push(Dialog::Answering(Answering::Held { selected: 0, scroll: 0 }));
        Vec::new()
    }

    fn toggle_holds(&mut self) -> Vec<Effect> {
        let hold = if self.answers.holds() { None } else { Some(Hold::Patience) };
        self.answers.slots.iter_mut().for_each(|slot| slot.respond.hold = hold);
        self.tell(match hold {
            Some(hold) => {
                Notice::info(format!("calls wait for you now, each {hold}")).key(Action::Hold, "lets them through")
            }
            None if self.answers.held.is_empty() => Notice::info("calls are answered at once again"),
            None => Notice::info("new calls are answered at once again; these go on waiting"),
        });
        self.respond()
    }

    /// Has the world answer as the app says.
    fn respond(&self) -> Vec<Effect> {
        vec![Effect::Respond(self.answers.slots.clone())]
    }

    /// Opens the selected call's answer, to answer its kind so from now on.
    pub(super) fn answer_so(&mut self) {
        let Some(call) = self.shown.as_ref().and_then(|shown| self.cache.original(shown.number)) else {
            return self.tell_unread();
        };
        let refusal = match (&call.kind, &call.response, self.setup.listener) {
            (_, _, None) => "nothing is answered here: start hooktape without `open`",
            (None, ..) => "no platform claims this call: a route in hooktape.toml can answer its path",
            (_, None, _) => "this call has no answer",
            (Some(kind), Some(response), _) => {
                // What is kept to answer with is a template; what once came back was none.
                let response = template::literal_answer(response.clone());
                let edit = self.edit_answer(Purpose::Kind(kind.clone()), Some(kind.clone()), &response);
                self.dialogs.push(edit);
                return self.tell_bare();
            }
        };
        self.tell(Notice::info(refusal));
    }

    fn edit_answer(&mut self, purpose: Purpose, kind: Option<String>, response: &Response) -> Dialog {
        let mut headers = response.headers.clone();
        for name in OF_ITS_TIME {
            headers.remove(name);
        }
        let request = Request { method: "POST".to_owned(), headers, body: response.body.clone(), ..Request::default() };
        self.edit(purpose, kind, request, response.status)
    }

    fn edit(&mut self, purpose: Purpose, kind: Option<String>, request: Request, status: u16) -> Dialog {
        let ticket = self.ticket();
        let draft = match purpose {
            // What waits leaves as it is typed; what is kept to answer with is filled in each time.
            Purpose::Answer(_) | Purpose::Request(_) => Draft::verbatim(ticket, request, kind.clone()),
            Purpose::Slot(_) | Purpose::Kind(_) => Draft::new(ticket, request, kind.clone(), None),
        };
        let status = Input::new(&status.to_string());
        let mut edit =
            Edit { purpose, kind, draft, status, on_status: false, findings: Vec::new(), syntax_error: None };
        self.check(&mut edit);
        Dialog::Answering(Answering::Edit(Box::new(edit)))
    }

    /// Holds an edit against its contract.
    pub(super) fn check(&self, edit: &mut Edit) {
        edit.syntax_error = edit.draft.syntax_error();
        let Some(kind) = self.setup.platforms.kind(edit.kind.as_deref()) else { return };
        edit.findings = match edit.response() {
            _ if edit.is_request() => kind.check_request(&edit.draft.request()),
            Ok(response) => kind.check_response(&response),
            Err(_) => Vec::new(),
        };
    }

    /// What a responder's answers can come from.
    #[must_use]
    pub fn offers(&self, slot: usize) -> Vec<Offer> {
        let Some(slot) = self.answers.slots.get(slot) else { return Vec::new() };
        let kind = self.kind_of(slot);
        let fits = |replies: &&Arc<Replies>| {
            replies.kinds.is_empty() || kind.as_ref().is_none_or(|kind| replies.kinds.contains(kind))
        };
        let replies = self.setup.config.replies.iter().filter(fits).map(|replies| Source::Reply(replies.clone()));
        let targets = self.setup.config.targets.iter().filter(|target| !target.guard);
        let forward = |target: &crate::config::Target| {
            Source::Forward(Arc::new(Forward { targets: vec![target.clone()], keep_host: false }))
        };
        let mut configured = Responders::configured(&self.setup.config).into_iter();
        let configured = configured.find(|known| known.whose == slot.whose).map(|slot| slot.respond.source);
        let own = configured.filter(|source| *source != Source::Platform);
        let first = [Source::Platform].into_iter().chain(own).map(Offer::Source);
        first
            .chain([Offer::Typed, Offer::Address])
            .chain(targets.map(forward).map(Offer::Source))
            .chain(replies.map(Offer::Source))
            .collect()
    }

    /// The one kind that a responder answers, if it is one.
    fn kind_of(&self, slot: &Slot) -> Option<String> {
        match &slot.whose {
            Whose::Kind(name) => Some(name.clone()),
            Whose::Route(path) => self.setup.config.routes.iter().find(|route| route.path == *path)?.kind.clone(),
            Whose::Rest => None,
        }
    }
}

#[cfg(test)]
mod tests;
