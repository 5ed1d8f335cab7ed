//! The only writer of a recording: a task of its own that writes what waits for it in one go.
//!
//! ```text
//!  task --encode--> queue (bounded) --> writer: drain, one write a batch [, fdatasync] --> observer, in file order
//!   ^                                                                                          |
//!   +------------------------- the call, or why it is not recorded ----------------------------+
//! ```
//!
//! A write is a copy into the page cache and costs less than to wake a thread for it, so the task makes it itself. What
//! waits for the disk (with `fsync`, or after a write that took long) is left to a thread that may block.
//!
//! A call is answered for only when its bytes are with the operating system (with `fsync`: on the disk). What could not be
//! written is cut off again, counted, and told; the next call tries anew.

mod tail;
mod tape;

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task;

pub(super) use self::tail::torn_path;
use self::tape::{Disk, Rotated, Tape};
pub use self::tape::{Opened, Torn};
use super::format::{self, Line};
use super::{Annotation, Change, OpenError, Place, Redaction};
use crate::call::Call;
use crate::config::Rotation;

/// Calls that may wait to be written; further ones wait to get in.
const QUEUE: usize = 1024;

/// A batch is written when it has this many bytes, even if more calls wait.
const BATCH: u64 = 4 * 1024 * 1024;

/// A write that takes longer waits for the disk; the next one is not made where others are kept from their work.
const LONG: Duration = Duration::from_millis(2);

/// What the recorder tells its observer, in file order, after the write.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// A call is in the file.
    Call(Arc<Call>, Place),
    /// Something that is said of a call is in the file, at this offset.
    Annotated(u64, Annotation),
    /// Calls could not be written.
    Failed {
        /// How many since the recording was opened.
        unrecorded: u64,
        /// Why, as a sentence with the repair.
        reason: String,
    },
    /// Something is wrong with the file, and no call is lost by it.
    Trouble {
        /// What, as a sentence.
        reason: String,
    },
    /// Calls that waited in a [`Backlog`](super::backlog::Backlog) can no longer be read back.
    Unread {
        /// How many and why, as a sentence.
        reason: String,
    },
    /// The file was set aside, or was changed, moved or removed by another hand, and was opened anew. Nothing that this
    /// recorder is asked to write from now on is affected.
    Reopened {
        /// What happened, as a sentence.
        reason: String,
        /// Up to this offset the file is what it was; what was known of lines behind it no longer holds.
        kept: u64,
    },
}

/// Why a call is not recorded: a sentence with the repair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// How to record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Wait until each batch is on the disk rather than with the operating system.
    pub fsync: bool,
    /// When the file is set aside as `NAME-1.jsonl`, `NAME-2.jsonl`, ... and another begun in its place.
    pub rotate: Rotation,
}

/// Learns of every call that was written. Runs in the recorder's task, so it should only pass on what it hears.
pub type Observer = Box<dyn Fn(Recorded) + Send>;

/// The way to the recorder's task. Cheap to clone; the task writes what waits and ends when the last clone is gone.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<Message>,
    ended: watch::Receiver<()>,
    path: Arc<Path>,
    redaction: Option<Arc<Redaction>>,
}

#[derive(Debug)]
enum Message {
    Record(Job),
    Close,
}

#[derive(Debug)]
struct Job {
    what: What,
    line: Line,
    reply: oneshot::Sender<Result<u64, RecordError>>,
}

/// What a line is about.
#[derive(Debug)]
enum What {
    Call(Arc<Call>),
    Annotation(Annotation),
}

impl Recorder {
    /// Begins a recording at `path`, or goes on with the one that is there. Directories that are missing are made (0700),
    /// the file is for its owner only (0600) and locked against a second writer. A last line that is not whole is cut
    /// off, kept in `PATH.torn` and reported.
    ///
    /// # Errors
    /// When the file cannot be made, read or locked, or is no recording that this version can go on with.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(path: &Path, options: Options, observer: Observer) -> Result<(Self, Opened), OpenError> {
        let (tape, opened) = Tape::open(path, options)?;
        let recorder = Self::start(tape, opened.end, path, options, observer);
        Ok((recorder, opened))
    }

    fn start(
        disk: impl Disk + 'static,
        end: u64,
        path: &Path,
        Options { fsync, .. }: Options,
        observer: Observer,
    ) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let (ending, ended) = watch::channel(());
        let writer = Writer { disk, end, path: path.into(), fsync, unrecorded: 0, observer };
        tokio::spawn(Turn { writer, messages, batch: Batch::default(), last: Duration::ZERO, ending }.run());
        Self { queue, ended, path: path.into(), redaction: None }
    }

    /// The same recorder, which masks every call before it is written.
    #[must_use]
    pub fn redacting(self, redaction: Redaction) -> Self {
        Self { redaction: Some(Arc::new(redaction)), ..self }
    }

    /// Writes `call` behind all others; returns once it is written. Times are cut to whole microseconds, as the file has
    /// them. Dropping the future does not take back a call that is on its way.
    ///
    /// # Errors
    /// When it could not be written: the disk is full, say, or the recording is closed. Then nothing of it is in the file.
    pub async fn record(&self, call: Call) -> Result<Arc<Call>, RecordError> {
        self.submit(call, false).await?.done().await
    }

    /// Puts `call` behind all others that wait to be written, which waits itself only where they are too many. From then on
    /// it will be written, whether anyone waits for that or not. With `valid`, the caller has found the request's body to be
    /// valid JSON; it is then not read again.
    ///
    /// # Errors
    /// When it cannot be written whatever happens: it is too long, or the recording is closed.
    pub async fn submit(&self, mut call: Call, valid: bool) -> Result<Recording, RecordError> {
        let valid = valid && self.redaction.is_none();
        if let Some(redaction) = &self.redaction {
            call = redaction.call(&call);
        }
        call.at = format::whole_micros(call.at);
        call.took = Duration::from_micros(format::micros(call.took));
        let line = format::encode_checked(&call, valid);
        if u32::try_from(line.len()).is_err() {
            return Err(RecordError(
                "the call is longer than the 4 GiB that a line may have: it is not recorded".into(),
            ));
        }
        let call = Arc::new(call);
        let written = self.queue(What::Call(Arc::clone(&call)), line).await?;
        Ok(Recording { call, written })
    }

    /// Writes what is said of a call behind all else; gives its line's offset and what the file has, once it is written.
    ///
    /// # Errors
    /// Those of [`Recorder::record`].
    pub async fn annotate(&self, annotation: Annotation) -> Result<(u64, Annotation), RecordError> {
        let mut annotation = Annotation { at: format::whole_micros(annotation.at), ..annotation };
        if let (Some(redaction), Change::Note(Some(note))) = (&self.redaction, &mut annotation.change) {
            *note = redaction.text(note).into();
        }
        let line = annotation.encode().into();
        let offset = self.queue(What::Annotation(annotation.clone()), line).await?.offset().await?;
        Ok((offset, annotation))
    }

    async fn queue(&self, what: What, line: Line) -> Result<Written, RecordError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Record(Job { what, line, reply })).await.map_err(|_| closed(&self.path))?;
        Ok(Written { answer, path: Arc::clone(&self.path) })
    }

    /// The file that is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what waits, takes no more from any clone, and returns when the file is complete, on the disk and unlocked.
    /// A file that this recorder made and that holds no call is removed.
    pub async fn close(mut self) {
        // Fails when the task has ended already, which is what we are here for.
        let _ = self.queue.send(Message::Close).await;
        // Nothing is ever sent: this is the end of the sender, and so of the task.
        let _ = self.ended.changed().await;
    }
}

/// A call on its way into the file.
#[derive(Debug)]
pub struct Recording {
    call: Arc<Call>,
    written: Written,
}

impl Recording {
    /// The call, as the file will have it.
    #[must_use]
    pub fn call(&self) -> &Arc<Call> {
        &self.call
    }

    /// The call, as the file has it, once it is written.
    ///
    /// # Errors
    /// Those of [`Recorder::record`].
    pub async fn done(self) -> Result<Arc<Call>, RecordError> {
        self.written.offset().await?;
        Ok(self.call)
    }
}

/// What the recorder will say of a line.
#[derive(Debug)]
struct Written {
    answer: oneshot::Receiver<Result<u64, RecordError>>,
    path: Arc<Path>,
}

impl Written {
    /// Where it stands, once it is written.
    async fn offset(self) -> Result<u64, RecordError> {
        let Self { answer, path } = self;
        answer.await.map_err(|_| closed(&path))?
    }
}

fn closed(path: &Path) -> RecordError {
    RecordError(format!("the recording {} is closed", path.display()))
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
                Message::Record(job) => {
                    self.bytes = job.line.len().saturating_add(self.bytes);
                    self.jobs.push(job);
                }
                // What waits already still comes out, and then the end.
                Message::Close => messages.close(),
            }
            next = if self.bytes < BATCH { messages.try_recv().ok() } else { None };
        }
    }
}

/// One round after the other: what waits is taken and written. Whatever ends it, what waits then is still written.
struct Turn<D: Disk> {
    writer: Writer<D>,
    messages: mpsc::Receiver<Message>,
    batch: Batch,
    /// How long the last write took.
    last: Duration,
    /// Held until all is done.
    #[expect(dead_code, reason = "its end is what is waited for")]
    ending: watch::Sender<()>,
}

impl<D: Disk + 'static> Turn<D> {
    async fn run(mut self) {
        while let Some(first) = self.messages.recv().await {
            self.batch.take(first, &mut self.messages);
            // Others may be about to hand in theirs, and one write for many calls costs little more than for one.
            task::yield_now().await;
            if let Ok(next) = self.messages.try_recv() {
                self.batch.take(next, &mut self.messages);
            }
            if !self.writer.fsync && self.last < LONG {
                self.write();
                continue;
            }
            let blocking = task::spawn_blocking(move || {
                // What came while the disk was at work is written before the thread is given back.
                loop {
                    self.write();
                    let Ok(next) = self.messages.try_recv() else { return self };
                    self.batch.take(next, &mut self.messages);
                }
            });
            // Fails when the program ends: then it was dropped, and all is written.
            let Ok(back) = blocking.await else { return };
            self = back;
        }
    }
}

impl<D: Disk> Turn<D> {
    fn write(&mut self) {
        let begun = Instant::now();
        if !self.batch.jobs.is_empty() {
            self.writer.record(&mut self.batch.jobs);
        }
        self.batch.bytes = 0;
        self.last = begun.elapsed();
    }
}

impl<D: Disk> Drop for Turn<D> {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        self.messages.close();
        self.write();
        while let Ok(next) = self.messages.try_recv() {
            self.batch.take(next, &mut self.messages);
            self.write();
        }
        self.writer.finish();
    }
}

/// The file and how far it is written.
struct Writer<D> {
    disk: D,
    end: u64,
    path: Arc<Path>,
    fsync: bool,
    unrecorded: u64,
    observer: Observer,
}

impl<D: Disk> Writer<D> {
    fn finish(&mut self) {
        if let Err(error) = self.disk.finish(self.end) {
            let reason = format!("cannot finish {}: {error}", self.path.display());
            (self.observer)(Recorded::Trouble { reason });
        }
    }

    /// Writes the batch as one and tells everyone.
    fn record(&mut self, batch: &mut Vec<Job>) {
        match self.append(batch) {
            Ok(()) => {
                for Job { what, line, reply } in batch.drain(..) {
                    let len = u32::try_from(line.len() - 1).unwrap_or(u32::MAX);
                    let place = Place { offset: self.end, len };
                    self.end += line.len();
                    (self.observer)(match what {
                        What::Call(call) => Recorded::Call(call, place),
                        What::Annotation(annotation) => Recorded::Annotated(place.offset, annotation),
                    });
                    // Whoever asked may have gone.
                    let _ = reply.send(Ok(place.offset));
                }
            }
            Err(reason) => {
                let calls = batch.iter().filter(|job| matches!(job.what, What::Call(_))).count() as u64;
                // Whoever wanted to say something of a call is told; only calls are counted.
                if calls > 0 {
                    self.unrecorded += calls;
                    (self.observer)(Recorded::Failed { unrecorded: self.unrecorded, reason: reason.clone() });
                }
                for job in batch.drain(..) {
                    let _ = job.reply.send(Err(RecordError(reason.clone())));
                }
            }
        }
    }

    /// Puts the lines behind what is written; all of them or none.
    fn append(&mut self, batch: &[Job]) -> Result<(), String> {
        match self.disk.rotate(self.end, Timestamp::now()) {
            Ok(None) => {}
            Ok(Some(Rotated { reason, end })) => {
                self.end = end;
                (self.observer)(Recorded::Reopened { reason, kept: 0 });
            }
            Err(reason) => (self.observer)(Recorded::Trouble { reason }),
        }
        if let Some(reason) = self.disk.changed(self.end) {
            let opened = self.disk.reopen().map_err(|error| format!("{reason}; {error}"))?;
            let kept = opened.kept.min(self.end);
            self.end = opened.end;
            (self.observer)(Recorded::Reopened { reason, kept });
        }
        let written = self.write_all(batch);
        let written = if self.fsync { written.and_then(|()| self.disk.sync()) } else { written };
        written.map_err(|error| {
            // If this fails too, the file has another length than it should: the next call sees that it has changed.
            let _ = self.disk.truncate(self.end);
            let path = self.path.display();
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    format!("no space left for {path}: make room, and calls are recorded again")
                }
                io::ErrorKind::FileTooLarge => {
                    format!(
                        "{path} is as large as a file may get here (ulimit -f, or the file system): record to another"
                    )
                }
                _ => format!("cannot write to {path}: {error}"),
            }
        })
    }

    /// Writes the lines with as few writes as can be, and without putting them together first.
    fn write_all(&mut self, jobs: &[Job]) -> io::Result<()> {
        let mut pieces = Vec::with_capacity(jobs.len());
        for part in jobs.iter().flat_map(|job| job.line.parts()) {
            if let Some(bytes) = part.as_it_is() {
                pieces.push(IoSlice::new(bytes));
                continue;
            }
            self.write(&mut pieces)?;
            pieces.clear();
            part.write(|piece| self.write(&mut [IoSlice::new(piece)]))?;
        }
        self.write(&mut pieces)
    }

    fn write(&mut self, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
        IoSlice::advance_slices(&mut pieces, 0);
        while !pieces.is_empty() {
            match self.disk.write(pieces) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => IoSlice::advance_slices(&mut pieces, count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
