//! Replays carried out: one at a time, its outcomes back as messages.

use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::event::Event;
use crate::app::replaying::{Job, Progress, Steer};
use crate::recording::Reader;
use crate::replay::{Control, Plan, Replay, Summary, Told};
use crate::sync::lock;
use crate::tui::world::{Busy, Message, World};

/// How long the end of the program waits for a replay to record what is on its way.
const LAST: Duration = Duration::from_secs(5);

/// The replay that runs.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<Hand>>);

/// A hand on it.
#[derive(Debug)]
struct Hand {
    ticket: u64,
    control: Control,
    task: JoinHandle<()>,
}

impl Running {
    /// Ends it, once what is on its way is recorded: no answer is waited for.
    async fn end(&self) {
        let running = lock(&self.0).take();
        if let Some(Hand { control, task, .. }) = running {
            control.cancel();
            // A disk may take its time, and whoever leaves is not to be kept for ever.
            let _ = timeout(LAST, task).await;
        }
    }

    /// Does to the replay of that ticket what it is told.
    pub(super) fn steer(&self, ticket: u64, steer: Steer) {
        let running = lock(&self.0);
        let Some(Hand { control, .. }) = running.as_ref().filter(|running| running.ticket == ticket) else { return };
        match steer {
            Steer::Pause => control.pause(),
            Steer::Resume => control.resume(),
            Steer::Cancel => control.cancel(),
        }
    }
}

impl World {
    /// Counts what of a replay would leave.
    pub(super) fn count(&self, mut job: Box<Job>, busy: Busy) {
        let (events, tape, data) = (self.events.clone(), self.tape.clone(), self.data.clone());
        Handle::current().spawn_blocking(move || {
            job.plan.avoid = Self::avoid(data.as_deref(), job.plan.avoid.clone());
            let reader = Reader::open(tape.path()).map_err(|error| error.to_string());
            let leaving = reader.and_then(|reader| {
                let Job { plan, items, platforms, keyring, listener, .. } = &*job;
                plan.leaving(&reader, items, platforms, keyring, *listener)
            });
            let (ticket, progress) = (job.ticket, Progress::Counted(job, leaving));
            let _ = events.send(Message::last(Event::Replayed { ticket, progress }, busy));
        });
    }

    /// Begins a replay; one that runs still is ended.
    pub(super) fn replay(&self, job: Job, busy: Busy) {
        let (ticket, control) = (job.ticket, Control::default());
        let hand = control.clone();
        let (events, sender, tape) = (self.events.clone(), self.sender.clone(), self.tape.clone());
        let data = self.data.clone();
        let task = tokio::spawn(async move {
            let told = events.clone();
            let run = async {
                let reader = Reader::open(tape.path()).map_err(|error| error.to_string())?;
                let Job { plan, items, platforms, keyring, listener, .. } = job;
                let plan = Plan { avoid: Self::avoid(data.as_deref(), plan.avoid.clone()), ..plan };
                let tell = move |outcome: Told| {
                    // Nobody listens any more when the screen is closed.
                    let progress = Progress::Told(Box::new(outcome.into()));
                    let _ = told.send(Event::Replayed { ticket, progress }.into());
                };
                let replay = |recorder| {
                    Replay { plan, reader, sender, recorder, platforms, keyring, listener }.run(items, control, tell)
                };
                tape.record(replay).await.map_err(|error| error.to_string())?
            };
            let result: Result<Summary, String> = run.await;
            let progress = Progress::Ended(result.map(Box::new));
            let _ = events.send(Message::last(Event::Replayed { ticket, progress }, busy));
        });
        if let Some(before) = lock(&self.running.0).replace(Hand { ticket, control: hand, task }) {
            before.control.cancel();
        }
    }

    /// The end of the screen: what has left is recorded, then the recording is closed.
    pub async fn end(&self) {
        self.running.end().await;
        self.tape.close().await;
    }
}
