//! Effects performed: off the loop, and back as messages.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use crate::app::bodies::Job;
use crate::app::event::{Effect, Event, Notice, Read, Wanted};
use crate::app::why::Question;
use crate::config::Filled;
use crate::net::avoid::Avoid;
use crate::net::outgoing::Outgoing;
use crate::net::presence;
use crate::net::responder::{Beat, Held, Release, Responders, Told};
use crate::net::sender::Sender;
use crate::recording::{self, Annotation, Found, Marks, Place, Query, RecordError, Redaction};
use crate::sync::lock;
use crate::tui::exports::Exporting;
use crate::tui::filter::{Filtering, ourselves};
use crate::tui::replays::Running;
use crate::tui::tape::Tape;

/// An event on its way to the loop. While it is, the world is busy.
#[derive(Debug)]
pub struct Message {
    /// What happened.
    pub content: Content,
    _busy: Option<Busy>,
    _room: Option<OwnedSemaphorePermit>,
}

/// What a message is about.
#[derive(Debug)]
pub enum Content {
    /// An event as it is.
    Event(Event),
    /// A call waits for the user. It may wait no more when the loop gets to hear of it, and is not kept for that.
    Held(Weak<Held>),
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Self { content: Content::Event(event), _busy: None, _room: None }
    }
}

impl From<Told> for Message {
    fn from(told: Told) -> Self {
        match told {
            Told::Held(held) => Self { content: Content::Held(Arc::downgrade(&held)), _busy: None, _room: None },
            told => Event::Responding(told).into(),
        }
    }
}

impl Message {
    /// What happened; none if it is over.
    #[must_use]
    pub fn event(self) -> Option<Event> {
        match self.content {
            Content::Event(event) => Some(event),
            Content::Held(held) => held.upgrade().map(|held| Event::Responding(Told::Held(held))),
        }
    }

    /// The last event of something that was under way.
    #[must_use]
    pub fn last(event: Event, busy: Busy) -> Self {
        Self { _busy: Some(busy), ..event.into() }
    }

    /// This event, which takes up room until it was taken in.
    #[must_use]
    pub fn taking(self, room: OwnedSemaphorePermit) -> Self {
        Self { _room: Some(room), ..self }
    }
}

/// Where messages come from.
pub type Messages = UnboundedReceiver<Message>;

/// Something is under way as long as this lives.
#[derive(Debug)]
pub struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What takes many times the memory of its call: one at a time, and of those that wait the newest, for nobody looks at the
/// others any more.
#[derive(Debug)]
struct Newest<T> {
    one: Arc<tokio::sync::Mutex<()>>,
    next: Arc<Mutex<Option<(T, Busy)>>>,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self { one: Arc::default(), next: Arc::default() }
    }
}

impl<T: Send + 'static> Newest<T> {
    /// Has `work` done on what is `asked`, once what is under way is over, unless something newer is asked by then.
    fn ask(&self, asked: T, busy: Busy, events: UnboundedSender<Message>, work: fn(T) -> Event) {
        let (one, next) = (self.one.clone(), self.next.clone());
        *lock(&next) = Some((asked, busy));
        tokio::spawn(async move {
            let one = one.lock_owned().await;
            let asked = lock(&next).take();
            // A newer one was done in its place.
            let Some((asked, busy)) = asked else { return };
            Handle::current().spawn_blocking(move || {
                let event = work(asked);
                drop(one);
                let _ = events.send(Message::last(event, busy));
            });
        });
    }
}

/// What effects need.
#[derive(Debug)]
pub struct World {
    /// Where events go.
    pub events: UnboundedSender<Message>,
    /// The recording: calls are read from it, and sent ones recorded in it.
    pub tape: Arc<Tape>,
    /// The HTTP client.
    pub sender: Sender,
    /// What answers calls, where they come.
    pub responders: Option<Arc<Responders>>,
    /// What the demo sends.
    pub demo: Vec<Outgoing>,
    /// Where recordings, variables and fixtures are kept.
    pub data: Option<PathBuf>,
    /// What placeholders took from the environment, for what masks to know.
    pub filled: Filled,
    /// Where files are written that are named without a directory; empty: in the current one.
    pub folder: PathBuf,
    /// This program, to run filters with; in a test, which is a program of its own, another one.
    pub program: PathBuf,
    pub(super) filtering: Filtering,
    /// What was last to be said of a call, as long as it is being written.
    saying: Mutex<Option<JoinHandle<()>>>,
    /// Verdicts being explained.
    explaining: Newest<Box<Question>>,
    /// Large calls being worked out.
    preparing: Newest<Box<Job>>,
    pub(super) running: Running,
    pub(super) exporting: Exporting,
    busy: Arc<AtomicUsize>,
    /// The newest search: an older one gives up.
    search: Arc<AtomicU64>,
}

impl World {
    /// A world in which nothing is under way.
    #[must_use]
    pub fn new(events: UnboundedSender<Message>, tape: Tape, sender: Sender, demo: Vec<Outgoing>) -> Self {
        Self {
            events,
            tape: Arc::new(tape),
            sender,
            responders: None,
            demo,
            data: None,
            filled: Filled::default(),
            folder: PathBuf::new(),
            program: ourselves(),
            filtering: Filtering::default(),
            saying: Mutex::default(),
            explaining: Newest::default(),
            preparing: Newest::default(),
            running: Running::default(),
            exporting: Exporting::default(),
            busy: Arc::default(),
            search: Arc::default(),
        }
    }

    /// This world with what answers calls, which from now on tells its events, and may hold calls.
    #[must_use]
    pub fn answering(self, responders: Arc<Responders>) -> Self {
        let events = self.events.clone();
        let observer = move |told: Told| drop(events.send(told.into()));
        responders.observe(Box::new(observer), true);
        Self { responders: Some(responders), ..self }
    }

    /// The listeners that get nothing, those of other processes among them.
    pub(super) fn avoid(data: Option<&Path>, avoid: Option<Arc<Avoid>>) -> Option<Arc<Avoid>> {
        let Some(data) = data else { return avoid };
        avoid.map(|avoid| Arc::new(avoid.beside(presence::all(data))))
    }

    /// This world with a place for what is kept between runs.
    #[must_use]
    pub fn keeping(self, data: Option<PathBuf>) -> Self {
        Self { data, ..self }
    }

    /// This world, which tells what placeholders take from the environment to what masks.
    #[must_use]
    pub fn telling(self, filled: Filled) -> Self {
        Self { filled, ..self }
    }

    /// The listener's pulse; that of one that is not there without it.
    #[must_use]
    pub fn beat(&self) -> Beat {
        self.responders.as_ref().map_or_else(Beat::default, |responders| responders.pulse.beat())
    }

    /// Counts what is under way.
    #[must_use]
    pub fn busy(&self) -> Arc<AtomicUsize> {
        self.busy.clone()
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.busy.load(Ordering::SeqCst) == 0
    }

    /// Says that something is under way, until what is given back is dropped.
    #[must_use]
    pub fn hold(&self) -> Busy {
        Busy::new(&self.busy)
    }

    /// Starts what the app asked for. What comes of it comes as a message.
    pub fn perform(&self, effect: Effect) {
        let busy = self.hold();
        match effect {
            Effect::Load(wanted) => self.load(wanted, move |calls| Message::last(Event::Loaded(calls), busy)),
            // Nobody waits for what serves the next key.
            Effect::ReadAhead(wanted) => self.load(wanted, |calls| Event::ReadAhead(calls).into()),
            Effect::WorkAhead(job) => {
                let events = self.events.clone();
                Handle::current().spawn_blocking(move || {
                    let shown = job.clone().run();
                    let _ = events.send(Event::WorkedAhead(Box::new((*job, shown))).into());
                });
            }
            Effect::Search { search, query, places, marks } => self.look_through(search, query, places, marks, busy),
            // Tickets begin at 1.
            Effect::EndSearch => self.search.store(0, Ordering::SeqCst),
            Effect::Prepare(job) => {
                let run = |job: Box<Job>| Event::Prepared(Box::new(job.run()));
                self.preparing.ask(job, busy, self.events.clone(), run);
            }
            Effect::Explain(question) => {
                let answer = |question: Box<Question>| {
                    let why = question.answer();
                    Event::Explained(Box::new((*question, why)))
                };
                self.explaining.ask(question, busy, self.events.clone(), answer);
            }
            Effect::Jq { ticket, body, filter } => self.filter(ticket, body, filter, busy),
            Effect::EndJq => self.filtering.end(),
            Effect::Annotate { said, place } => self.annotate(said, place, busy),
            Effect::Send { ticket, outgoing } => self.send(ticket, *outgoing, busy),
            Effect::Count(job) => self.count(job, busy),
            Effect::Replay(job) => self.replay(*job, busy),
            Effect::Steer { ticket, steer } => self.running.steer(ticket, steer),
            Effect::Export(job) => self.export(job, busy),
            Effect::CancelExport { ticket } => self.exporting.cancel(ticket),
            Effect::Keep(keep) => self.keep(keep, busy),
            Effect::Configure(config) => {
                self.responders.iter().for_each(|responders| responders.reconfigure(config.clone()));
                let tape = self.tape.clone();
                tokio::spawn(async move {
                    if let Ok(redaction) = Redaction::new(&config.redact) {
                        tape.mask_as(&redaction).await;
                    }
                    drop(busy);
                });
            }
            Effect::HandOut(page) => self.responders.iter().for_each(|responders| responders.hand_out(page.clone())),
            Effect::Respond(slots) => self.responders.iter().for_each(|responders| responders.set(slots.clone())),
            Effect::Release { id, release } => {
                // One that was only let go has gone on as it was to.
                let says = matches!(*release, Release::Answer(_) | Release::Forward { request: Some(_), .. });
                let waits = self.responders.as_ref().is_none_or(|responders| responders.release(id, *release));
                if says && !waits {
                    let told = Notice::warning("the call waits no more: it went on without what was said just now");
                    let _ = self.events.send(Event::Told(told).into());
                }
            }
            Effect::Shelf { remove } => self.shelf(remove, busy),
            Effect::GoOn => drop(self.events.send(Message::last(Event::Tick, busy))),
            Effect::Demo => self.play_demo(busy),
            // The loop does these itself: they need the terminal.
            Effect::Edit { .. }
            | Effect::Visit { .. }
            | Effect::Copy(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Mouse(_) => {}
        }
    }

    fn load(&self, wanted: Vec<Wanted>, told: impl FnOnce(Read) -> Message + Send + 'static) {
        let (events, tape) = (self.events.clone(), self.tape.clone());
        Handle::current().spawn_blocking(move || {
            let reader = tape.reader().map_err(|error| error.to_string());
            let read = |wanted: &Wanted| {
                let reader = reader.as_ref().map_err(Clone::clone)?;
                reader.call_of(wanted.id, wanted.place).map(Arc::new).map_err(|error| error.to_string())
            };
            let calls = wanted.into_iter().map(|wanted| (wanted, read(&wanted))).collect();
            let _ = events.send(told(calls));
        });
    }

    fn look_through(&self, search: u64, query: Query, places: Vec<Place>, marks: Marks, busy: Busy) {
        self.search.store(search, Ordering::SeqCst);
        let (events, newest, tape) = (self.events.clone(), self.search.clone(), self.tape.clone());
        Handle::current().spawn_blocking(move || {
            let mut busy = Some(busy);
            let total = places.len();
            let reader = match tape.reader() {
                Ok(reader) => reader,
                Err(error) => {
                    let told = Notice::error(format!("cannot search: {error}"));
                    let _ = events.send(Event::Told(told).into());
                    let over = Event::Found { search, hits: Vec::new(), scanned: 0, finished: true };
                    let _ = events.send(over.into());
                    return;
                }
            };
            recording::search(&reader, &query, &marks, &places, |Found { hits, scanned }| {
                if newest.load(Ordering::SeqCst) != search {
                    return ControlFlow::Break(());
                }
                let finished = scanned == total;
                let event = Event::Found { search, hits, scanned, finished };
                let busy = if finished { busy.take() } else { None };
                match events.send(Message { _busy: busy, ..event.into() }) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
        });
    }

    fn annotate(&self, annotation: Annotation, place: Place, busy: Busy) {
        let (events, tape) = (self.events.clone(), self.tape.clone());
        let mut last = lock(&self.saying);
        let before = last.take();
        *last = Some(tokio::spawn(async move {
            // Of two things that are said of a call, the later one counts.
            if let Some(before) = before {
                let _ = before.await;
            }
            let there = tape.clone();
            let call = annotation.call;
            let refused = annotation.clone();
            let looking = tokio::task::spawn_blocking(move || there.holds(call, place));
            let said = match looking.await.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(()) => {
                    tape.record(|recorder| async move { recorder.annotate_at(annotation, place).await }).await.flatten()
                }
                Err(reason) => Err(RecordError(reason)),
            };
            let event = match said {
                Ok(line) => Event::Annotated(vec![line]),
                Err(error) => Event::NotKept(refused, error.to_string()),
            };
            let _ = events.send(Message::last(event, busy));
        }));
    }

    fn send(&self, ticket: u64, outgoing: Outgoing, busy: Busy) {
        let (events, sender, tape) = (self.events.clone(), self.sender.clone(), self.tape.clone());
        let data = self.data.clone();
        tokio::spawn(async move {
            let outgoing = Outgoing { avoid: Self::avoid(data.as_deref(), outgoing.avoid.clone()), ..outgoing };
            let sent = tape.record(|recorder| async move { sender.deliver(outgoing, &recorder).await }).await;
            let result = match sent {
                Ok(result) => result.map_err(|error| format!("sent, but not recorded: {error}")),
                Err(error) => Err(format!("nothing was sent, because it could not be recorded: {error}")),
            };
            let _ = events.send(Message::last(Event::Sent { ticket, result }, busy));
        });
    }

    /// One call after the other, as a conversation goes.
    fn play_demo(&self, busy: Busy) {
        let (events, sender, calls) = (self.events.clone(), self.sender.clone(), self.demo.clone());
        tokio::spawn(async move {
            let count = calls.len();
            let mut told = Notice::info(format!("the demo sent {count} calls, the last one tampered with"));
            for call in calls {
                if let Some(error) = sender.send(call).await.error {
                    told = Notice::error(format!("the demo stopped: {error}"));
                    break;
                }
            }
            let _ = events.send(Message::last(Event::Told(told), busy));
        });
    }
}

#[cfg(test)]
mod tests;
