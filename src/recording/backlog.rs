//! What a recorder tells, on its way to somebody who may be slow to take it in: a terminal that stands still, a pipe that
//! nobody reads.
//!
//! ```text
//!  recorder --Teller--> [ call, call, ..., calls from byte A to B of the file ] --Backlog--> whoever takes it in
//! ```
//!
//! As long as they are few, calls wait as they are. Beyond [`MOST_HELD`] bytes of them only the stretch of the file is kept
//! that they stand in, and they are read back from it when it is their turn: in the same order, each once, with what is said
//! of calls among them. So what waits costs the same whether it is a thousand calls or a billion.
//!
//! Whoever takes them in hears of each call at once, unless they come thick: then of all that came in a pause, for to be
//! woken for every call would take more of the machine than to take it in.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::{Annotation, Place, Position, Reader, Recorded, folder_of};
use crate::call::Id;
use crate::sync::lock;

/// Bytes of calls that wait as they are.
pub const MOST_HELD: usize = 4 << 20;

/// How long a pause is: less than anyone sees.
const PAUSE: Duration = Duration::from_millis(4);

/// So many calls in a pause's time come thick.
const THICK: usize = 16;

/// What a call takes in memory besides its line's length, in bytes.
const CALL: usize = 1024;

/// Bytes of a file in which calls are found at a time.
const LOOKED_THROUGH: u64 = 1 << 20;

/// The two ends of a backlog.
#[must_use]
pub fn backlog() -> (Teller, Backlog) {
    holding(MOST_HELD)
}

/// The same with room for so many bytes of calls.
fn holding(most: usize) -> (Teller, Backlog) {
    let queue = Queue { most, waiting: VecDeque::new(), held: 0, closed: false };
    let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Notify::new(), filled: Notify::new() });
    let backlog =
        Backlog { shared: shared.clone(), file: PathBuf::new(), read_back: None, since: Instant::now(), taken: 0 };
    (Teller(Arc::new(CloseOnDrop(shared))), backlog)
}

/// About what a call takes in memory, in bytes, whose line is at that place.
#[must_use]
pub fn weight(place: Place) -> usize {
    CALL + place.len as usize
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Notify,
    /// Half of the room is taken, or that was all: there is nothing to wait for.
    filled: Notify,
}

#[derive(Debug)]
struct Queue {
    /// Bytes of calls that wait as they are.
    most: usize,
    waiting: VecDeque<Waiting>,
    /// The weight of the calls among them that wait as they are.
    held: usize,
    /// One of the ends is gone.
    closed: bool,
}

#[derive(Debug)]
enum Waiting {
    Told(Recorded),
    Stretch(Stretch),
}

/// Calls that stand one behind the other in a file, and what is said of calls among and behind them.
#[derive(Debug)]
struct Stretch {
    /// The first one's, to know the file by: it may have another name by now.
    first: Id,
    from: u64,
    /// Where the last line ends.
    until: u64,
    calls: u64,
}

/// Where a recorder's observer puts what it hears. When the last clone is gone, that was all.
#[derive(Clone, Debug)]
pub struct Teller(Arc<CloseOnDrop>);

#[derive(Debug)]
struct CloseOnDrop(Arc<Shared>);

impl Teller {
    /// Puts `event` behind all others. To nobody, once the other end is gone.
    pub fn tell(&self, event: Recorded) {
        let CloseOnDrop(shared) = &*self.0;
        let mut queue = lock(&shared.queue);
        if !queue.closed {
            queue.push(event);
        }
        let filled = queue.held > queue.most / 2;
        drop(queue);
        shared.changed.notify_one();
        if filled {
            shared.filled.notify_one();
        }
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        lock(&self.0.queue).closed = true;
        self.0.changed.notify_one();
        self.0.filled.notify_one();
    }
}

impl Queue {
    fn push(&mut self, event: Recorded) {
        if let Recorded::Call(call, place) = &event {
            let room = self.held + weight(*place) <= self.most;
            if !room && !self.waiting.is_empty() {
                return self.put_off(call.id, *place);
            }
            self.held += weight(*place);
        } else if let (Recorded::Annotated(offset, said), Some(Waiting::Stretch(stretch))) =
            (&event, self.waiting.back_mut())
        {
            stretch.until = offset + said.encode().len() as u64;
            return;
        } else if let (Recorded::Failed { reason: new, .. }, Some(Waiting::Told(Recorded::Failed { reason: old, .. }))) =
            (&event, self.waiting.back())
            && new == old
        {
            // It counts the calls of the one before, too.
            self.waiting.pop_back();
        }
        self.waiting.push_back(Waiting::Told(event));
    }

    fn put_off(&mut self, id: Id, place: Place) {
        let until = place.offset + u64::from(place.len) + 1;
        match self.waiting.back_mut() {
            // Whatever else is told ends a stretch, a file that was set aside above all.
            Some(Waiting::Stretch(stretch)) => {
                stretch.until = until;
                stretch.calls += 1;
            }
            _ => self.waiting.push_back(Waiting::Stretch(Stretch { first: id, from: place.offset, until, calls: 1 })),
        }
    }

    fn pop(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front();
        if let Some(Waiting::Told(Recorded::Call(_, place))) = &next {
            self.held -= weight(*place);
        }
        next
    }
}

/// What was told and not taken in yet.
#[derive(Debug)]
pub struct Backlog {
    shared: Arc<Shared>,
    file: PathBuf,
    read_back: Option<ReadBack>,
    /// When what was counted last began to come, and how much it is.
    since: Instant,
    taken: usize,
}

impl Backlog {
    /// The backlog of what the recorder of `file` tells: there it is read back.
    #[must_use]
    pub fn of(mut self, file: &Path) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    /// The next of what was told, in its order; none when the teller is gone and that was all. Dropping the future takes
    /// nothing out.
    pub async fn next(&mut self) -> Option<Recorded> {
        loop {
            if let Some(event) = self.read_back.as_mut().and_then(ReadBack::next) {
                return Some(event);
            }
            let (next, closed) = {
                let mut queue = lock(&self.shared.queue);
                (queue.pop(), queue.closed)
            };
            match next {
                Some(Waiting::Told(event)) => {
                    self.taken += 1;
                    return Some(event);
                }
                Some(Waiting::Stretch(stretch)) => {
                    let reader = self.read_back.take().and_then(|read| read.reader);
                    self.read_back = Some(ReadBack::new(stretch, reader, &self.file));
                }
                None if closed => return None,
                None => {
                    self.read_back = None;
                    self.more().await;
                }
            }
        }
    }

    /// Returns when there may be more.
    async fn more(&mut self) {
        let pause_ends = self.since + PAUSE;
        if self.taken >= THICK && Instant::now() < pause_ends {
            // Fails when the pause is over.
            let _ = timeout_at(pause_ends, self.shared.filled.notified()).await;
        } else {
            self.shared.changed.notified().await;
        }
        let now = Instant::now();
        if now >= pause_ends {
            (self.since, self.taken) = (now, 0);
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        queue.closed = true;
        queue.waiting.clear();
    }
}

/// A stretch being read back.
#[derive(Debug)]
struct ReadBack {
    /// None where the file is not to be found.
    reader: Option<Reader>,
    stretch: Stretch,
    found: VecDeque<Found>,
}

/// What stands in a stretch.
#[derive(Debug)]
enum Found {
    Call(Place),
    Said(u64, Annotation),
}

impl ReadBack {
    /// With the reader of the stretch before, which most often fits.
    fn new(stretch: Stretch, reader: Option<Reader>, file: &Path) -> Self {
        let fits = |reader: &Reader| stretch.is_in(reader);
        let reader = reader.filter(fits).or_else(|| Reader::open(file).ok().filter(fits)).or_else(|| {
            // It was set aside since, or moved.
            beside(file).iter().filter_map(|path| Reader::open(path).ok()).find(fits)
        });
        Self { reader, stretch, found: VecDeque::new() }
    }

    fn next(&mut self) -> Option<Recorded> {
        let Self { reader, stretch, found } = self;
        if let Some(reader) = reader {
            while !found.is_empty() || stretch.look_on(reader, found) {
                let place = match found.pop_front()? {
                    Found::Call(place) => place,
                    Found::Said(offset, said) => return Some(Recorded::Annotated(offset, said)),
                };
                if let Ok(call) = reader.call(place) {
                    stretch.calls = stretch.calls.saturating_sub(1);
                    return Some(Recorded::Call(Arc::new(call), place));
                }
            }
        }
        let missing = std::mem::take(&mut stretch.calls);
        (missing > 0).then(|| Recorded::Unread {
            reason: format!("calls that waited here can no longer be read from the recording: {missing} were removed by another hand"),
        })
    }
}

impl Stretch {
    fn position(&self) -> Position {
        Position { offset: self.from, ..Position::default() }
    }

    /// Finds some of what stands next in it. False where there is no more.
    fn look_on(&mut self, reader: &Reader, found: &mut VecDeque<Found>) -> bool {
        let mut entries = reader.entries_until(self.position(), self.until);
        while found.is_empty() || entries.position().offset < self.from + LOOKED_THROUGH {
            let entry = entries.next();
            // It stands before that call.
            found.extend(entries.take_annotations().into_iter().map(|(offset, said)| Found::Said(offset, said)));
            let Some(entry) = entry else { break };
            // What was damaged since is missing in the end.
            found.extend(entry.ok().map(|entry| Found::Call(entry.place)));
        }
        self.from = entries.position().offset;
        !found.is_empty()
    }

    fn is_in(&self, reader: &Reader) -> bool {
        let first = reader.entries_until(self.position(), self.until).next();
        first.is_some_and(|first| first.is_ok_and(|first| first.id == self.first && first.place.offset == self.from))
    }
}

/// The files of the same folder whose names begin alike; of a link, where it leads to.
fn beside(file: &Path) -> Vec<PathBuf> {
    let file = &file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let stem = file.file_stem().unwrap_or_default().as_encoded_bytes();
    let Ok(found) = fs::read_dir(folder_of(file)) else { return Vec::new() };
    let alike = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(stem));
    found.filter_map(|entry| Some(entry.ok()?.path())).filter(alike).collect()
}

#[cfg(test)]
mod tests;
