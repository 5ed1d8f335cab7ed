//! Replays carried out: one at a time, its outcomes back as messages.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::app::event::Event;
use crate::app::replaying::{Job, Progress, Steer};
use crate::recording::Reader;
use crate::replay::{Control, Plan, Replay, Summary, Told};
use crate::tui::world::{Busy, Message, World};

/// The replay that runs.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<(u64, Control)>>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, Option<(u64, Control)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does to the replay of that ticket what it is told.
    pub(super) fn steer(&self, ticket: u64, steer: Steer) {
        let running = self.lock();
        let Some((_, control)) = running.as_ref().filter(|(running, _)| *running == ticket) else { return };
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
        if let Some((_, before)) = self.running.lock().replace((ticket, control.clone())) {
            before.cancel();
        }
        let (events, sender, tape) = (self.events.clone(), self.sender.clone(), self.tape.clone());
        let data = self.data.clone();
        tokio::spawn(async move {
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
    }
}
