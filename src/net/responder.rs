//! What answers received calls, switchable while calls come.
//!
//! ```text
//!  call --> the kind's slot | the route's slot | the rest --> Respond { source, hold, fault } --> Outcome
//! ```
//!
//! [`Responders`] is shared by the listener, which asks it, and the shell, which changes it and lets held calls go. What
//! happens between is told to one observer as [`Told`].

mod alone;
mod choose;
mod harm;
mod hold;
mod pass;
mod pulse;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::call::{Forwarded, HUNG_UP, Headers, Id, Request, Response, Sig};
use crate::config::{Config, Fault, Respond, Route, Secret, Source};
use crate::net::forward::{Failure, Forwarder, What};
use crate::net::refused::Refused;
use crate::net::room::{Room, Taken};
use crate::net::template::Known;
use crate::platform::{Keyring, Kind, Platforms};
use crate::recording::{Query, Reading, Recorder};
use crate::sync::{lock, read, write};

pub use choose::{OF_ITS_TIME, like};
pub(super) use harm::trickle;
pub use hold::{Held, Release, Stage};
pub use pulse::{Beat, Health, Pulse};

/// Why a call was not answered that the listener did not wait for at its end.
pub(super) const STOPPED: &str = "hooktape was stopped before the answer was ready";

/// Whose calls a responder answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of a kind: set while running, it comes before the routes.
    Kind(String),
    /// Those of the route with this path.
    Route(String),
    /// All others.
    Rest,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(name) => write!(f, "every {name}"),
            Self::Route(path) => f.write_str(path),
            Self::Rest => f.write_str("everything else"),
        }
    }
}

/// A responder in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Whose calls it answers.
    pub whose: Whose,
    /// What it does.
    pub respond: Respond,
}

/// What is told while calls are answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A call waits for the user.
    Held(Arc<Held>),
    /// A held call waits no more.
    Gone(Id, Parting),
    /// A fault that hits so many calls and no more has hit one.
    Hit {
        /// Whose responder it is.
        whose: Whose,
        /// Calls it will still hit.
        left: u32,
    },
    /// How a target does has changed.
    Target(String, Health),
    /// Callers cannot be let in: a sentence with the repair.
    Deaf(String),
    /// Something came to the listener that is no request.
    Refused(Box<Refused>),
}

/// Why a held call waits no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The user let it go.
    Released,
    /// Its time was up: it went on by itself.
    TimeUp,
    /// Its caller hung up: nobody is there to be answered.
    HungUp,
}

/// Learns what is [`Told`]. It is called where calls are answered, so it should only pass on what it hears.
pub type Observer = Box<dyn Fn(Told) + Send + Sync>;

/// What came of asking for an answer.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The answer; none where the connection is to be reset.
    pub response: Option<Response>,
    /// Why it is not what was meant.
    pub error: Option<String>,
    /// Where it comes from.
    pub forwarded: Option<Forwarded>,
    /// How long its body takes to leave.
    pub slow: Option<Duration>,
    /// What its body takes of the room for answers.
    pub room: Taken,
}

impl Outcome {
    pub(super) fn of(response: Response) -> Self {
        Self { response: Some(response), ..Self::default() }
    }
}

/// A received call that wants an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanting<'a> {
    pub id: Id,
    pub at: Timestamp,
    pub request: &'a Request,
    pub kind: Option<&'a Kind>,
    pub sig: Option<Sig>,
    pub conversation: Option<&'a str>,
    pub route: Option<&'a Route>,
    /// Cancelled once the caller has hung up.
    pub gone: &'a CancellationToken,
}

/// The secrets that a route has of its own.
pub(super) fn own_secrets(route: Option<&Route>) -> &[Secret] {
    route.map_or(&[], |route| &route.secrets)
}

/// A slot at work: what it says, and how far it has come.
pub(super) struct Active {
    slot: Slot,
    /// The conditions' queries, parsed; those that cannot be hold for no call.
    queries: Vec<Option<Query>>,
    /// The next reply of a sequence.
    turn: AtomicUsize,
    /// Calls that the fault will still hit.
    left: AtomicU32,
}

impl Active {
    fn new(slot: Slot, before: Option<&Self>, config: &Config, platforms: &Arc<Platforms>) -> Self {
        let query = |text: &Option<String>| {
            let text = text.as_ref()?;
            let (now, zone) = (Timestamp::now(), TimeZone::system());
            let by = Reading { now, zone, saved: &config.queries, targets: &config.targets };
            Some(Query::parse_with(text, &by).ok()?.by(platforms))
        };
        let queries = match &slot.respond.source {
            Source::Reply(replies) => replies.cases.iter().map(|case| query(&case.when.query)).collect(),
            _ => Vec::new(),
        };
        // A fault that stays what it was is as far as it was, whatever else becomes of the responder.
        let before = before.filter(|before| before.slot.respond.fault == slot.respond.fault);
        let left = slot.respond.fault.and_then(|fault| fault.next).unwrap_or(u32::MAX);
        let left = before.map_or(left, |before| before.left.load(Ordering::Relaxed));
        Self { slot, queries, turn: AtomicUsize::new(0), left: AtomicU32::new(left) }
    }

    /// Whether it does nothing but answer as the platform would.
    pub(super) fn is_plain(&self) -> bool {
        let Respond { source, hold, fault } = &self.slot.respond;
        *source == Source::Platform && hold.is_none() && fault.is_none()
    }

    /// Whether calls go to another server, which then answers for itself also where browsers ask (CORS).
    pub(super) fn forwards(&self) -> bool {
        matches!(self.slot.respond.source, Source::Forward(_))
    }

    /// Whether it has replies of its own.
    pub(super) fn replies(&self) -> bool {
        matches!(self.slot.respond.source, Source::Reply(_))
    }

    /// The fault, if it hits this call.
    fn strike(&self) -> Option<Fault> {
        let fault = self.slot.respond.fault?;
        if fault.probability < 1.0 && harm::chance() >= fault.probability {
            return None;
        }
        if fault.next.is_some() {
            let take = |left: u32| left.checked_sub(1);
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        }
        Some(fault)
    }
}

/// All responders.
pub struct Responders {
    config: RwLock<Arc<Config>>,
    platforms: Arc<Platforms>,
    keyring: Arc<Keyring>,
    recorder: Recorder,
    slots: RwLock<Arc<[Arc<Active>]>>,
    forwarder: Arc<Forwarder>,
    /// What goes on at other servers though nobody waits for it.
    alone: alone::Alone,
    held: hold::Waiting,
    health: Mutex<Vec<(String, Health)>>,
    observer: OnceLock<Observer>,
    /// What replies may name apart from the call.
    known: OnceLock<Known>,
    /// The pages that were handed out.
    handed_out: Mutex<HashSet<String>>,
    /// Calls may wait for a user: there is one.
    pub(super) holds: std::sync::atomic::AtomicBool,
    /// What of the listener can be seen from outside.
    pub pulse: Pulse,
    /// What there is for the bodies of calls under way.
    pub(super) room: Room,
    /// What there is for the answers of servers that calls are passed on to.
    answers: Arc<Room>,
    /// What goes on though its caller may be gone.
    pub(super) under_way: TaskTracker,
    /// The listener has waited for them: what still waits is recorded as it is.
    pub(super) over: CancellationToken,
}

impl fmt::Debug for Responders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responders").field("slots", &self.slots()).finish_non_exhaustive()
    }
}

impl Responders {
    /// Those that are configured.
    pub fn new(config: Arc<Config>, platforms: Arc<Platforms>, keyring: Arc<Keyring>, recorder: Recorder) -> Self {
        let slots: Vec<_> = Self::configured(&config)
            .into_iter()
            .map(|slot| Arc::new(Active::new(slot, None, &config, &platforms)))
            .collect();
        Self {
            config: RwLock::new(config),
            platforms,
            keyring,
            recorder,
            slots: RwLock::new(slots.into()),
            forwarder: Arc::default(),
            alone: alone::Alone::default(),
            held: hold::Waiting::default(),
            health: Mutex::default(),
            observer: OnceLock::new(),
            known: OnceLock::new(),
            handed_out: Mutex::default(),
            holds: false.into(),
            pulse: Pulse::default(),
            room: Room::default(),
            answers: Arc::default(),
            under_way: TaskTracker::new(),
            over: CancellationToken::new(),
        }
    }

    /// What is configured: each route, and all the rest.
    #[must_use]
    pub fn configured(config: &Config) -> Vec<Slot> {
        let routes = config.routes.iter().map(|route| Slot {
            whose: Whose::Route(route.path.clone()),
            respond: route.respond.clone().unwrap_or_else(|| config.respond.clone()),
        });
        routes.chain([Slot { whose: Whose::Rest, respond: config.respond.clone() }]).collect()
    }

    /// Routes, and queries by name, as they are now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        read(&self.config).clone()
    }

    /// Puts another configuration in place of that one. What answers stays: [`Self::set`] changes it.
    pub fn reconfigure(&self, config: Arc<Config>) {
        *write(&self.config) = config;
    }

    /// Names who is told, once, and whether calls may wait for a user.
    pub fn observe(&self, observer: Observer, holds: bool) {
        // Only a second observer is refused.
        let _ = self.observer.set(observer);
        self.holds.store(holds, Ordering::Relaxed);
    }

    /// Says that the user was given this page to open, by its path and query: who asks for it was told of it here. So it is to
    /// hold something that nobody else can guess.
    pub fn hand_out(&self, target: String) {
        lock(&self.handed_out).insert(target);
    }

    /// Whether the user was given this page.
    pub(super) fn was_handed_out(&self, target: &str) -> bool {
        lock(&self.handed_out).contains(target)
    }

    /// Says, once, what replies may name apart from the call.
    pub fn know(&self, known: Known) {
        // Only a second one is refused.
        let _ = self.known.set(known);
    }

    /// The slots as they are.
    #[must_use]
    pub fn slots(&self) -> Vec<Slot> {
        self.actives().iter().map(|active| active.slot.clone()).collect()
    }

    /// Puts `slots` in place of those there are. One that stays what it was goes on where it is.
    pub fn set(&self, slots: Vec<Slot>) {
        let (before, config) = (self.actives(), self.config());
        let fresh = |slot: Slot| match before.iter().find(|active| active.slot.whose == slot.whose) {
            Some(same) if same.slot == slot => same.clone(),
            before => Arc::new(Active::new(slot, before.map(Arc::as_ref), &config, &self.platforms)),
        };
        let slots: Vec<_> = slots.into_iter().map(fresh).collect();
        *write(&self.slots) = slots.into();
        self.forget_unused();
    }

    fn actives(&self) -> Arc<[Arc<Active>]> {
        read(&self.slots).clone()
    }

    /// The responder of a call.
    pub(super) fn of(&self, kind: Option<&Kind>, route: Option<&Route>) -> Option<Arc<Active>> {
        let rank = |active: &Arc<Active>| match &active.slot.whose {
            Whose::Kind(name) => kind.is_some_and(|kind| kind.name == *name).then_some(0),
            Whose::Route(path) => route.is_some_and(|route| route.path == *path).then_some(1),
            Whose::Rest => Some(2),
        };
        let slots = read(&self.slots);
        slots
            .iter()
            .filter_map(|active| Some((rank(active)?, active)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, a)| a.clone())
    }

    /// Passes on what is told.
    pub(super) fn tell(&self, told: Told) {
        if let Some(observer) = self.observer.get() {
            observer(told);
        }
    }

    /// The answer to a call; `usual` is what the platform would say.
    pub(super) async fn answer(&self, active: &Active, call: Wanting<'_>, usual: impl Fn() -> Response) -> Outcome {
        let respond = &active.slot.respond;
        let fault = active.strike();
        // Else it is as it was: who shows it need not know, and may be slow to take what is told.
        if fault.is_some_and(|fault| fault.next.is_some()) {
            let left = active.left.load(Ordering::Relaxed);
            self.tell(Told::Hit { whose: active.slot.whose.clone(), left });
        }
        let set = call.route.and_then(|route| route.timeout);
        let patience = set.or_else(|| call.kind.and_then(Kind::timeout));
        let hold = respond.hold.filter(|_| self.holds.load(Ordering::Relaxed)).map(|hold| hold.time(patience));
        let outcome = match (&respond.source, hold) {
            (Source::Forward(forward), hold) => self.pass_on(call, forward, hold).await,
            (source, hold) => {
                let answer = match source {
                    Source::Reply(replies) => {
                        choose::reply(active, replies, call, self.known.get_or_init(Known::default))
                            .unwrap_or_else(usual)
                    }
                    _ => usual(),
                };
                match hold {
                    None => Outcome::of(answer),
                    Some(time) => self.hold_answer(call, time, Outcome::of(answer)).await,
                }
            }
        };
        match fault {
            None => outcome,
            Some(fault) => harm::apply(fault, call.kind, outcome).await,
        }
    }

    /// Holds an answer until the user lets it go.
    async fn hold_answer(&self, call: Wanting<'_>, time: Duration, outcome: Outcome) -> Outcome {
        let Some(answer) = &outcome.response else { return outcome };
        let Some(release) = self.hold(call, time, Stage::Answer(answer.clone())).await else {
            return Outcome { error: abandoned().error, ..outcome };
        };
        match release {
            Release::AsIs | Release::Forward { .. } => outcome,
            Release::Answer(response) => Outcome { response: Some(response), ..outcome },
            // Where it was forwarded to, and what came of that, is kept.
            Release::Refuse => Outcome { forwarded: outcome.forwarded, ..refused() },
        }
    }

    /// How a held call goes on; none: its caller has hung up.
    async fn hold(&self, call: Wanting<'_>, time: Duration, stage: Stage) -> Option<Release> {
        let waiting = self.held.wait(call.id);
        let until = Timestamp::now().checked_add(time).unwrap_or(Timestamp::MAX);
        let held = Arc::new(Held {
            id: call.id,
            at: call.at,
            until,
            kind: call.kind.map(|kind| kind.name.clone()),
            sig: call.sig,
            request: call.request.clone(),
            stage,
        });
        // It lives as long as it waits: whoever is told may be too late to look at it.
        self.tell(Told::Held(held.clone()));
        let (parting, release) = tokio::select! {
            // Without a release, no one is left who could let it go.
            release = waiting => (Parting::Released, Some(release.unwrap_or(Release::AsIs))),
            () = tokio::time::sleep(time) => (Parting::TimeUp, Some(Release::AsIs)),
            () = call.gone.cancelled() => (Parting::HungUp, None),
        };
        self.held.forget(call.id);
        drop(held);
        self.tell(Told::Gone(call.id, parting));
        release
    }

    /// Lets a held call go. False if it does not wait any more.
    pub fn release(&self, id: Id, release: Release) -> bool {
        self.held.release(id, release)
    }
}

/// What the caller gets whose call could not be forwarded, or has no answer of whom it was forwarded to.
fn failed(failure: &Failure) -> Outcome {
    let Failure { status, sentence, what } = failure;
    let kept = |told: &str| format!("hooktape could not forward this call: {told}");
    let (told, error) = match what {
        // It is of this machine's configuration.
        What::Unmade => (kept("its recording says why"), format!("not forwarded: {sentence}")),
        What::Down | What::Round => (kept(sentence), format!("not forwarded: {sentence}")),
        // Whoever sends it again should know that it may have been done already.
        What::Unanswered => {
            (format!("hooktape forwarded this call, but {sentence}"), format!("forwarded, but {sentence}"))
        }
        What::GivenUp => (sentence.clone(), sentence.clone()),
    };
    let response = plain(*status, &told);
    Outcome { error: Some(error), ..Outcome::of(response) }
}

fn refused() -> Outcome {
    let response = plain(503, "refused by hand at hooktape");
    Outcome { error: Some("refused by hand".to_owned()), ..Outcome::of(response) }
}

/// Nobody is there any more to be answered.
fn abandoned() -> Outcome {
    Outcome { error: Some(format!("{HUNG_UP} while the call was held, and got no answer")), ..Outcome::default() }
}

/// An answer that says why it is none.
pub(super) fn plain(status: u16, sentence: &str) -> Response {
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    Response { status, headers, body: serde_json::json!({ "error": sentence }).to_string().into() }
}

#[cfg(test)]
mod tests;
