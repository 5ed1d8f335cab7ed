//! A branch of the recorder: what was handed in on one thread, written from it.
//!
//! ```text
//!  calls of a thread --> queue (bounded) --> drain --+
//!                                                    +--one at a time--> Writer
//!  calls of another  --> queue (bounded) --> drain --+
//! ```

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task;

use super::lingering::Lingering;
use super::writer::{LONG, Shared};
use super::{Annotation, Line, Place, QUEUE, RecordError};
use crate::call::Call;

/// A batch is written when it has this many bytes, even if more calls wait.
const BATCH: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) enum Message {
    /// With what is said of the call at once: both are in one batch, and so in one file.
    Record(Job, Option<Box<Job>>),
    Close,
}

#[derive(Debug)]
pub(super) struct Job {
    pub what: What,
    pub line: Line,
    pub reply: oneshot::Sender<Result<u64, RecordError>>,
}

/// What a line is about.
#[derive(Debug)]
pub(super) enum What {
    Call(Arc<Call>),
    /// With the place of its call, where that is known: it must stand there still.
    Annotation(Box<Annotation>, Option<Place>),
}

/// What is written in one go.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    bytes: u64,
}

impl Batch {
    /// Adds `first` and what waits behind it.
    fn take(&mut self, first: Message, messages: &mut mpsc::Receiver<Message>) {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Record(job, said) => {
                    for job in std::iter::once(job).chain(said.map(|said| *said)) {
                        self.bytes = job.line.len().saturating_add(self.bytes);
                        self.jobs.push(job);
                    }
                }
                // What waits already still comes out, and then the end.
                Message::Close => messages.close(),
            }
            next = if self.bytes < BATCH { messages.try_recv().ok() } else { None };
        }
    }
}

/// One round after the other: what waits is taken and written. Whatever ends it, what waits then is still written.
pub(super) struct Turn {
    messages: mpsc::Receiver<Message>,
    batch: Batch,
    lingering: Lingering,
    /// With the last turn's end, the file is finished.
    shared: Arc<Shared>,
}

impl Turn {
    /// Spawns a turn on the present runtime; the queue to it.
    pub fn begin(shared: &Arc<Shared>) -> mpsc::Sender<Message> {
        let (queue, mut messages) = mpsc::channel(QUEUE);
        if !shared.enter(&queue) {
            messages.close();
        }
        tokio::spawn(
            Self { messages, batch: Batch::default(), lingering: Lingering::default(), shared: Arc::clone(shared) }
                .run(),
        );
        queue
    }

    async fn run(mut self) {
        while let Some(first) = self.messages.recv().await {
            self.batch.take(first, &mut self.messages);
            // Others may be about to hand in theirs, and one write for many calls costs little more than for one.
            task::yield_now().await;
            if let Ok(next) = self.messages.try_recv() {
                self.batch.take(next, &mut self.messages);
            }
            if !self.shared.waits_for_the_disk() && self.write_soon().await {
                continue;
            }
            let blocking = self.shared.runtime.clone().spawn_blocking(move || {
                // What came while the disk was at work is written before the thread is given back.
                loop {
                    self.write();
                    let Ok(next) = self.messages.try_recv() else { return self };
                    self.batch.take(next, &mut self.messages);
                }
            });
            // Fails when the program ends: then this was dropped, and all is written.
            let Ok(back) = blocking.await else { return };
            self = back;
        }
    }

    /// Writes as soon as no other branch does; false: one has been at it for long.
    async fn write_soon(&mut self) -> bool {
        let mut since = None;
        while !self.batch.jobs.is_empty() && !self.shared.try_record(&mut self.batch.jobs, &mut self.lingering) {
            if since.get_or_insert_with(Instant::now).elapsed() >= LONG {
                return false;
            }
            task::yield_now().await;
        }
        self.written();
        true
    }

    fn write(&mut self) {
        if !self.batch.jobs.is_empty() {
            self.shared.record(&mut self.batch.jobs, &mut self.lingering);
        }
        self.written();
    }

    fn written(&mut self) {
        self.batch.bytes = 0;
        self.lingering.let_go();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Also where a panic ends it: whoever waits has to hear what became of his call.
        self.messages.close();
        self.write();
        while let Ok(next) = self.messages.try_recv() {
            self.batch.take(next, &mut self.messages);
            self.write();
        }
    }
}
