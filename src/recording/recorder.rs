//! The only writer of a recording: what waits to be written is written in one go.
//!
//! ```text
//!  task --encode--> queue (bounded) --> turn: drain, one write a batch [, fdatasync] --> observer, in file order
//!   ^                                                                                        |
//!   +------------------------ the call, or why it is not recorded ---------------------------+
//! ```
//!
//! A write is a copy into the page cache and costs less than to wake a thread for it, so each thread that takes calls has a
//! branch of the recorder, with a queue and a turn of its own; they share one writer. What waits for the disk (with `fsync`,
//! or after a write that took long) is left to a thread that may block.
//!
//! A call is answered for only when its bytes are with the operating system (with `fsync`: on the disk). What could not be
//! written is cut off again, counted, and told; the next call tries anew.

mod aside;
mod lingering;
mod tail;
mod tape;
mod turn;
mod writer;

use std::future::Future;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinError;

pub use self::aside::set_aside;
pub(super) use self::tail::torn_path;
use self::tape::{Disk, Tape};
pub use self::tape::{Opened, Torn};
use self::turn::{Job, Message, Turn, What};
use self::writer::Shared;
use super::format::{self, Line};
use super::{Annotation, Change, OpenError, Place, Redaction};
use crate::call::{Call, micros};
use crate::config::Rotation;
use crate::sync::{read, write};

/// Calls that may wait to be written; further ones wait to get in.
const QUEUE: usize = 1024;

/// Bytes of bodies up to which a call is masked where it is handed in: a few milliseconds at worst, which is less than others of
/// that thread notice. Who calls decides what masking more takes, and others are not to wait for that.
const MASKED_AT_ONCE: usize = 64 * 1024;

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
        /// The file that has those lines now, where that is known.
        aside: Option<PathBuf>,
    },
}

/// Why a call is not recorded: a sentence with the repair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

impl RecordError {
    /// What is said of a call is not written to `path`, for the call is no longer there, but in `aside`, where that is known.
    #[must_use]
    pub fn strayed(path: &Path, aside: Option<&Path>) -> Self {
        Self(match aside {
            Some(aside) => format!("the call is in {} now: open that file to do it there", aside.display()),
            None => format!("the call is no longer in {}", path.display()),
        })
    }
}

/// How to record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Wait until each batch is on the disk rather than with the operating system.
    pub fsync: bool,
    /// When the file is set aside as `NAME-1.jsonl`, `NAME-2.jsonl`, ... and another begun in its place.
    pub rotate: Rotation,
}

/// Learns of every call that was written. Nothing is written while it runs, so it should only pass on what it hears,
/// and must ask nothing of the recorder.
pub type Observer = Box<dyn Fn(Recorded) + Send>;

/// The way into a recording. Cheap to clone; what waits is written and the file finished when the last clone is gone.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<Message>,
    /// It lives as long as there is a turn.
    shared: Weak<Shared>,
    ended: watch::Receiver<()>,
    path: Arc<Path>,
    /// That of all clones. Taken out to mask by, so that nobody who changes it waits for a mask.
    redaction: Option<Arc<RwLock<Arc<Redaction>>>>,
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

    fn start(disk: impl Disk + 'static, end: u64, path: &Path, options: Options, observer: Observer) -> Self {
        let (ending, ended) = watch::channel(());
        let path: Arc<Path> = path.into();
        let shared = Arc::new(Shared::new(Box::new(disk), end, path.clone(), options, observer, ending));
        let queue = Turn::begin(&shared);
        Self { queue, shared: Arc::downgrade(&shared), ended, path, redaction: None }
    }

    /// A way into the same recording for what runs on one thread: its calls are written from there, so that no other thread
    /// has to be woken for them. One after the other they keep their order; those of different branches mix.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which is to be that of the thread.
    #[must_use]
    pub fn branch(&self) -> Self {
        match self.shared.upgrade() {
            // Who waits for the disk waits together.
            Some(shared) if !shared.syncs() => Self { queue: Turn::begin(&shared), ..self.clone() },
            _ => self.clone(),
        }
    }

    /// This recorder, which masks every call before it is written.
    #[must_use]
    pub fn redacting(self, redaction: Redaction) -> Self {
        Self { redaction: Some(Arc::new(RwLock::new(Arc::new(redaction)))), ..self }
    }

    /// Masks like this from now on, in all clones, where it masks at all.
    pub fn mask_as(&self, redaction: &Redaction) {
        if let Some(own) = &self.redaction {
            *write(own) = Arc::new(redaction.clone());
        }
    }

    fn mask(&self) -> Option<Arc<Redaction>> {
        self.redaction.as_ref().map(|own| Arc::clone(&read(own)))
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
    /// valid JSON, in UTF-8; it is then not read again.
    ///
    /// # Errors
    /// When it cannot be written whatever happens: it is too long, or the recording is closed.
    pub fn submit(
        &self,
        call: Call,
        valid: bool,
    ) -> impl Future<Output = Result<Recording, RecordError>> + Send + use<'_> {
        let handed_in = self.hand_in(call, valid);
        async move {
            match handed_in {
                HandedIn::Ready(ready) => self.queue_call(ready?, None).await,
                HandedIn::Long(call, redaction) => Box::pin(self.mask_aside(*call, redaction, None)).await,
            }
        }
    }

    /// As [`Self::submit`], with what is said of the call at once: it stands in the file that has the call, whenever
    /// that is set aside.
    ///
    /// # Errors
    /// Those of [`Recorder::submit`].
    pub async fn submit_saying(&self, call: Call, change: Change) -> Result<Recording, RecordError> {
        let said = self.as_written(Annotation { call: call.id, at: Timestamp::now(), change });
        match self.hand_in(call, false) {
            HandedIn::Ready(ready) => self.queue_call(ready?, Some(said)).await,
            HandedIn::Long(call, redaction) => Box::pin(self.mask_aside(*call, redaction, Some(said))).await,
        }
    }

    /// Makes the call's line, unless that takes long.
    fn hand_in(&self, call: Call, valid: bool) -> HandedIn {
        match self.mask() {
            Some(redaction) if bodies(&call) > MASKED_AT_ONCE => HandedIn::Long(Box::new(call), redaction),
            Some(redaction) => HandedIn::Ready(ready(redaction.call(&call), false)),
            None => HandedIn::Ready(ready(call, valid)),
        }
    }

    async fn queue_call(&self, (call, line): Ready, said: Option<Annotation>) -> Result<Recording, RecordError> {
        let written = self.queue(What::Call(Arc::clone(&call)), line, said).await?;
        Ok(Recording { call, written })
    }

    /// Masks the call on a thread that may take its time. It has its place in the queue before that begins: so it gets into the
    /// file though nobody waits for it, and though the recording is closed meanwhile.
    async fn mask_aside(
        &self,
        call: Call,
        redaction: Arc<Redaction>,
        said: Option<Annotation>,
    ) -> Result<Recording, RecordError> {
        let closed = || closed(&self.path);
        let place = self.queue.clone().reserve_owned().await.map_err(|_| closed())?;
        // As long as there is a place, there is a turn.
        let runtime = self.shared.upgrade().ok_or_else(closed)?.runtime.clone();
        let path = Arc::clone(&self.path);
        let masking = runtime.spawn_blocking(move || {
            let (call, line) = ready(redaction.call(&call), false)?;
            let (message, written) = message(What::Call(Arc::clone(&call)), line, said, path);
            place.send(message);
            Ok(Recording { call, written })
        });
        match masking.await.map_err(JoinError::try_into_panic) {
            Ok(recording) => recording,
            Err(Ok(panic)) => resume_unwind(panic),
            // The program ends.
            Err(Err(_)) => Err(closed()),
        }
    }

    /// Writes what is said of a call behind all else; gives its line's offset and what the file has, once it is written.
    ///
    /// # Errors
    /// Those of [`Recorder::record`].
    pub async fn annotate(&self, annotation: Annotation) -> Result<(u64, Annotation), RecordError> {
        self.say(annotation, None).await
    }

    /// As [`Self::annotate`], of a call that was found at `place`, if it stands there still: what is said of it belongs
    /// in its own file.
    ///
    /// # Errors
    /// Those of [`Recorder::record`], and where its file was set aside, or changed by another hand.
    pub async fn annotate_at(&self, annotation: Annotation, place: Place) -> Result<(u64, Annotation), RecordError> {
        self.say(annotation, Some(place)).await
    }

    async fn say(&self, annotation: Annotation, place: Option<Place>) -> Result<(u64, Annotation), RecordError> {
        let annotation = self.as_written(annotation);
        let line = annotation.encode().into();
        let offset = self.queue(What::Annotation(annotation.clone().into(), place), line, None).await?.offset().await?;
        Ok((offset, annotation))
    }

    /// The annotation as the file will have it.
    fn as_written(&self, annotation: Annotation) -> Annotation {
        let mut annotation = Annotation { at: format::whole_micros(annotation.at), ..annotation };
        if let (Some(redaction), Change::Note(Some(note))) = (self.mask(), &mut annotation.change) {
            *note = redaction.prose(note).into();
        }
        annotation
    }

    async fn queue(&self, what: What, line: Line, said: Option<Annotation>) -> Result<Written, RecordError> {
        let place = self.queue.reserve().await.map_err(|_| closed(&self.path))?;
        let (message, written) = message(what, line, said, Arc::clone(&self.path));
        place.send(message);
        Ok(written)
    }

    /// Whether all calls wait for the disk together: then a [`Self::branch`] gains nothing.
    #[must_use]
    pub fn syncs(&self) -> bool {
        self.shared.upgrade().is_some_and(|shared| shared.syncs())
    }

    /// The file that is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what waits, takes no more from any clone, and returns when the file is complete, on the disk and unlocked.
    /// A file that this recorder made and that holds no call is removed.
    pub async fn close(mut self) {
        let queues = self.shared.upgrade().map(|shared| shared.leave());
        for queue in queues.into_iter().flatten() {
            // Fails when its turn has ended already, which is what we are here for.
            let _ = queue.send(Message::Close).await;
        }
        // Nothing is ever sent: this is the end of the sender, and so of the last turn.
        let _ = self.ended.changed().await;
    }
}

/// A call as the file will have it, and its line.
type Ready = (Arc<Call>, Line);

/// A call that was handed in.
enum HandedIn {
    Ready(Result<Ready, RecordError>),
    /// It is still to be masked, and that takes long.
    Long(Box<Call>, Arc<Redaction>),
}

/// Bytes of both bodies of a call.
fn bodies(call: &Call) -> usize {
    call.request.body.len() + call.response.as_ref().map_or(0, |response| response.body.len())
}

/// The call as the file will have it, and its line. `valid`: its request's body is known to be valid JSON.
fn ready(mut call: Call, valid: bool) -> Result<Ready, RecordError> {
    call.at = format::whole_micros(call.at);
    call.took = Duration::from_micros(micros(call.took));
    let line = format::encode_checked(&call, valid);
    if u32::try_from(line.len()).is_err() {
        return Err(RecordError("the call is longer than the 4 GiB that a line may have: it is not recorded".into()));
    }
    Ok((Arc::new(call), line))
}

/// What is handed to a turn, and what it will say of it.
fn message(what: What, line: Line, said: Option<Annotation>, path: Arc<Path>) -> (Message, Written) {
    let (reply, answer) = oneshot::channel();
    let said = said.map(|said| {
        let line = said.encode().into();
        // Written with the call: nobody waits for it alone.
        Box::new(Job { what: What::Annotation(said.into(), None), line, reply: oneshot::channel().0 })
    });
    (Message::Record(Job { what, line, reply }, said), Written { answer, path })
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

#[cfg(test)]
mod tests;
