//! The only one who writes to a recording, whichever thread asks: a batch at a time, all of it or nothing.

use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::lingering::Lingering;
use super::tape::{Disk, Rotated};
use super::turn::{Job, Message, What};
use super::{Observer, Options, RecordError, Recorded};
use crate::recording::{Place, Position, Reader};
use crate::sync::lock;
use crate::visible::count;

/// A write that takes longer waits for the disk; the next one is not made where others are kept from their work.
pub(super) const LONG: Duration = Duration::from_millis(2);

/// How often a batch is written before it is given up, where another hand does something to the file at that moment.
const TRIES: usize = 3;

/// Most bytes by which a batch is known: behind a line's id and time.
const BEGIN: usize = 256;

/// The writer, for all branches.
pub(super) struct Shared {
    writer: Mutex<Writer>,
    fsync: bool,
    /// The last write took long.
    long: AtomicBool,
    /// Those of all branches; none once they are closed.
    queues: Mutex<Option<Vec<mpsc::WeakSender<Message>>>>,
    /// Whose threads may wait for the disk: that of a branch may end before it.
    pub runtime: Handle,
}

impl Shared {
    /// The writer of `disk`, which has `end` bytes. `ending` is dropped when the file is finished.
    pub fn new(
        disk: Box<dyn Disk>,
        end: u64,
        path: Arc<Path>,
        Options { fsync, .. }: Options,
        observer: Observer,
        ending: watch::Sender<()>,
    ) -> Self {
        let ours = Ours { from: end, calls: 0 };
        let writer =
            Writer { disk, end, behind: 0, ours, path, aside: None, fsync, unrecorded: 0, observer, _ending: ending };
        Self {
            writer: Mutex::new(writer),
            fsync,
            long: AtomicBool::new(false),
            queues: Mutex::new(Some(Vec::new())),
            runtime: Handle::current(),
        }
    }

    /// Whether each batch is to be on the disk before it is told.
    pub fn syncs(&self) -> bool {
        self.fsync
    }

    /// Whether the next write is to be made by a thread that may wait.
    pub fn waits_for_the_disk(&self) -> bool {
        self.fsync || self.long.load(Ordering::Relaxed)
    }

    /// Writes the batch as one and tells everyone; false where another branch writes.
    pub fn try_record(&self, batch: &mut Vec<Job>, lingering: &mut Lingering) -> bool {
        match self.writer.try_lock() {
            Ok(writer) => self.record_with(writer, batch, lingering),
            Err(TryLockError::Poisoned(poisoned)) => self.record_with(poisoned.into_inner(), batch, lingering),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }

    /// As [`Self::try_record`], and waits for the other.
    pub fn record(&self, batch: &mut Vec<Job>, lingering: &mut Lingering) {
        // Whoever panicked may have left half a line: the file is then not as long as it should be, which is found.
        self.record_with(lock(&self.writer), batch, lingering);
    }

    fn record_with(&self, mut writer: MutexGuard<'_, Writer>, batch: &mut Vec<Job>, lingering: &mut Lingering) {
        let begun = Instant::now();
        writer.record(batch, lingering);
        self.long.store(begun.elapsed() >= LONG, Ordering::Relaxed);
    }

    /// Remembers a queue that is to be closed with the others; false: they are closed.
    pub fn enter(&self, queue: &mpsc::Sender<Message>) -> bool {
        let mut queues = lock(&self.queues);
        let Some(queues) = queues.as_mut() else { return false };
        queues.retain(|queue| queue.strong_count() > 0);
        queues.push(queue.downgrade());
        true
    }

    /// The queues that are to be closed. None is entered any more.
    pub fn leave(&self) -> Vec<mpsc::Sender<Message>> {
        let queues = lock(&self.queues).take();
        queues.iter().flatten().filter_map(mpsc::WeakSender::upgrade).collect()
    }
}

/// The file and how far it is written.
struct Writer {
    disk: Box<dyn Disk>,
    end: u64,
    /// Bytes of ours that stand behind `end`: of a batch that is being written, or failed and could not be cut off.
    behind: u64,
    ours: Ours,
    path: Arc<Path>,
    /// The file that was set aside last.
    aside: Option<PathBuf>,
    fsync: bool,
    unrecorded: u64,
    observer: Observer,
    _ending: watch::Sender<()>,
}

/// The calls that this writer put into the file that is there.
struct Ours {
    /// They stand behind this offset.
    from: u64,
    calls: u64,
}

impl Ours {
    /// What became of them when the file was opened anew and holds only `kept` bytes of what it was, as a sentence.
    fn missing(&mut self, path: &Path, kept: u64, end: u64) -> Option<String> {
        let before = self.calls;
        let there = || {
            let reader = Reader::open(path).ok()?;
            let from = Position { offset: self.from, ..Position::default() };
            Some(reader.entries_until(from, kept).flatten().count() as u64)
        };
        self.calls = if kept > self.from { there().unwrap_or(before).min(before) } else { 0 };
        if self.calls == 0 {
            self.from = end;
        }
        let gone = before - self.calls;
        (gone > 0).then(|| format!("{} that had been recorded since it was opened went with that", count(gone, "call")))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        // What can still not be cut off is too rare to be told here.
        let _ = self.cut_off();
        if let Err(error) = self.disk.finish(self.end) {
            let reason = format!("cannot finish {}: {error}", self.path.display());
            self.tell(Recorded::Trouble { reason });
        }
    }
}

impl Writer {
    /// Writes the batch as one and tells everyone. Does not panic: whoever waits is told what became of his calls.
    fn record(&mut self, batch: &mut Vec<Job>, lingering: &mut Lingering) {
        // What was left half done is found as what another hand would have done.
        let written =
            catch_unwind(AssertUnwindSafe(|| self.append(batch))).unwrap_or_else(|_| Err(self.failed(&fallen())));
        match written {
            Ok(()) => {
                self.behind = 0;
                for Job { what, line, reply } in batch.drain(..) {
                    let len = u32::try_from(line.len() - 1).unwrap_or(u32::MAX);
                    let place = Place { offset: self.end, len };
                    self.end += line.len();
                    let told = match what {
                        What::Call(call) => {
                            self.ours.calls += 1;
                            lingering.add(call.clone(), place.len);
                            Recorded::Call(call, place)
                        }
                        What::Annotation(annotation, _) => Recorded::Annotated(place.offset, *annotation),
                    };
                    self.tell(told);
                    // Whoever asked may have gone.
                    let _ = reply.send(Ok(place.offset));
                }
            }
            Err(reason) => {
                let calls = batch.iter().filter(|job| matches!(job.what, What::Call(_))).count() as u64;
                // Whoever wanted to say something of a call is told; only calls are counted.
                if calls > 0 {
                    self.unrecorded += calls;
                    self.tell(Recorded::Failed { unrecorded: self.unrecorded, reason: reason.clone() });
                }
                for job in batch.drain(..) {
                    let _ = job.reply.send(Err(RecordError(reason.clone())));
                }
            }
        }
    }

    /// Puts the lines behind what is written; all of them or none.
    fn append(&mut self, batch: &mut Vec<Job>) -> Result<(), String> {
        // Else whole lines of calls whose callers were told that they are not recorded would pass for recorded ones.
        self.cut_off().map_err(|error| {
            let path = self.path.display();
            format!("what was not recorded cannot be cut off {path}: {error}; record to another file")
        })?;
        // What is said of a call is to be in its file, not to be why that is set aside.
        let calls = batch.iter().any(|job| matches!(job.what, What::Call(_)));
        match if calls { self.disk.rotate(self.end, Timestamp::now()) } else { Ok(None) } {
            Ok(None) => {}
            Ok(Some(Rotated { reason, aside, end })) => {
                self.end = end;
                self.ours = Ours { from: end, calls: 0 };
                self.aside = Some(aside.clone());
                self.tell(Recorded::Reopened { reason, kept: 0, aside: Some(aside) });
            }
            Err(reason) => self.tell(Recorded::Trouble { reason }),
        }
        for _ in 0..TRIES {
            self.follow()?;
            // The file ends where it should.
            self.behind = 0;
            self.refuse(batch);
            let write = || self.put(batch);
            let written = catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_| Err(fallen())).map_err(|error| {
                // If this fails too, it is tried again before the next call.
                if self.disk.truncate(self.end).is_ok() {
                    self.behind = 0;
                }
                self.failed(&error)
            })?;
            if written {
                return Ok(());
            }
            self.behind = 0;
        }
        Err(format!("{} is changed by another program whenever it is recorded to: end that", self.path.display()))
    }

    /// Opens the file anew, if another hand did something to it.
    fn follow(&mut self) -> Result<(), String> {
        let Some(reason) = self.disk.changed(self.end) else { return Ok(()) };
        let opened = self.disk.reopen().map_err(|error| format!("{reason}; {error}"))?;
        let kept = opened.kept.min(self.end);
        // Where it only grew, all of them are there.
        let gone = if kept < self.end { self.ours.missing(&self.path, kept, opened.end) } else { None };
        self.end = opened.end;
        let now = format!("calls are recorded to {} from now on", self.path.display());
        let told: Vec<String> = [reason].into_iter().chain(gone).chain(opened.remarks).chain([now]).collect();
        self.tell(Recorded::Reopened { reason: told.join("; "), kept, aside: None });
        Ok(())
    }

    /// Writes the lines behind `end`, and to the disk where that is asked for. False: another hand did something to the file
    /// meanwhile, and nothing of them is left.
    fn put(&mut self, jobs: &[Job]) -> io::Result<bool> {
        self.write_all(jobs)?;
        let begin = jobs.first().and_then(|job| job.line.parts().next()?.as_it_is());
        if let Some(begin) = begin
            && !self.disk.stands(self.end, self.behind, &begin[..begin.len().min(BEGIN)])?
        {
            return Ok(false);
        }
        if self.fsync {
            self.disk.sync()?;
        }
        Ok(true)
    }

    /// Takes out what is said of calls that are no longer in the file; whoever said it is told.
    fn refuse(&self, batch: &mut Vec<Job>) {
        for Job { what, reply, .. } in batch.extract_if(.., |job| !stands(&self.path, &job.what)) {
            let aside = self.aside.as_deref().filter(|aside| stands(aside, &what));
            // Whoever asked may have gone.
            let _ = reply.send(Err(RecordError::strayed(&self.path, aside)));
        }
    }

    /// Cuts off what a batch left behind that failed. What else stands there is another hand's, and is found to be.
    fn cut_off(&mut self) -> io::Result<()> {
        if self.behind > 0 && self.disk.changed(self.end + self.behind).is_none() {
            self.disk.truncate(self.end)?;
            self.behind = 0;
        }
        Ok(())
    }

    /// Why a call is not recorded, as a sentence with the repair.
    fn failed(&self, error: &io::Error) -> String {
        let path = self.path.display();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("no space left for {path}: make room, and calls are recorded again")
            }
            io::ErrorKind::FileTooLarge => {
                format!("{path} is as large as a file may get here (ulimit -f, or the file system): record to another")
            }
            _ => format!("cannot write to {path}: {error}"),
        }
    }

    /// Tells the observer. Whether that falls over or not, the file has what it has, and the next call is written and told.
    fn tell(&self, what: Recorded) {
        let tell = |what| catch_unwind(AssertUnwindSafe(|| (self.observer)(what)));
        if tell(what).is_err() {
            let reason = format!("what is recorded to {} may not all be shown: {}", self.path.display(), fallen());
            // Then nobody listens.
            let _ = tell(Recorded::Trouble { reason });
        }
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
                Ok(count) => {
                    self.behind += count as u64;
                    IoSlice::advance_slices(&mut pieces, count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether the call of which something is said stands in that file where it was found.
fn stands(path: &Path, what: &What) -> bool {
    let What::Annotation(said, Some(place)) = what else { return true };
    let Ok(reader) = Reader::open(path) else { return false };
    let from = Position { offset: place.offset, ..Position::default() };
    let found = reader.entries_until(from, place.offset + u64::from(place.len) + 1).next();
    found.is_some_and(|found| found.is_ok_and(|found| found.id == said.call && found.place == *place))
}

/// What is said of a panic; its own message is on standard error.
fn fallen() -> io::Error {
    io::Error::other("hooktape fell over, which is a defect of it")
}
