//! The file of calls: JSON Lines, append-only, one writer.
//!
//! ```text
//!  Call --> Recorder --> format::encode --> recorder's task --one write a batch--> FILE.jsonl
//!                                               |                                     |
//!            observer <--Recorded, in file order+        Index <--Batch-- scan (heads only, every core)
//!                                                          |                          |
//!                                       Query <--View------+        Call <-- Reader::call (one line, when it is shown)
//! ```
//!
//! Whoever takes in slowly what a recorder tells has a [`backlog`] between. [`Recorder`] is the only writer; [`Reader`] never
//! locks and never writes. A recording is never loaded: an [`Index`] keeps a small fixed record a call, and bodies are read
//! where they are shown.

pub mod backlog;
mod compact;
mod cores;
pub mod export;
mod facts;
pub mod fixtures;
mod format;
pub mod import;
mod index;
mod interner;
mod marks;
pub mod multipart;
mod query;
mod reader;
mod recorder;
pub mod redact;
mod search;
mod shelf;
#[cfg(test)]
mod testing;

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use self::compact::{Compacted, compact};
pub use self::format::{DamagedLine, OpenError, VERSION, decode, encode};
pub use self::index::{Conversation, Index, Matching};
pub use self::marks::{Annotation, Change, Colour, Mark, Marks, Remarks, Times};
pub use self::query::{KEYS, Key, Query, QueryError, Reading};
pub use self::reader::{Batch, Damage, Entries, Identity, LineError, Position, Reader, identity, scan};
pub use self::recorder::{Observer, Opened, Options, RecordError, Recorded, Recorder, Recording, Torn, set_aside};
pub use self::redact::Redaction;
pub use self::search::{Found, search};
pub use self::shelf::{Kept, recordings_in};
use crate::call::{Call, Direction, Id, Sig, micros};

/// Where a call's line stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the file's beginning to the line's first.
    pub offset: u64,
    /// The line's length in bytes, without its newline.
    pub len: u32,
}

/// The head of one line: what an index keeps of a call, with its strings as a `Text` holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<Text = Arc<str>> {
    /// Where the whole call stands.
    pub place: Place,
    /// The call's name.
    pub id: Id,
    /// When the request came or left; microseconds.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// `platform/kind`, when it was recognised.
    pub kind: Option<Text>,
    /// The conversation it belongs to.
    pub conversation: Option<Text>,
    /// What the signature check found at the time.
    pub sig: Option<Sig>,
    /// `GET`, `POST`, ... as written.
    pub method: Text,
    /// The request's target: path and query, as in the request line.
    pub path: Text,
    /// The response's status code.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The request body's length in bytes.
    pub size: u64,
    /// The call this one repeats.
    pub parent: Option<Id>,
    /// Whether something went wrong with it: the call has the reason.
    pub failed: bool,
}

/// Whether a call of which that is known failed or was answered with an error.
fn failed_or_refused(failed: bool, status: Option<u16>) -> bool {
    failed || status.is_some_and(|status| status >= 400)
}

impl<Text> Entry<Text> {
    /// Whether something went wrong with it, or its answer is an error.
    #[must_use]
    pub fn failed_or_refused(&self) -> bool {
        failed_or_refused(self.failed, self.status)
    }

    /// The same with each string held as `hold` gives it.
    fn map<'a, T>(&'a self, mut hold: impl FnMut(&'a Text) -> T) -> Entry<T> {
        Entry {
            kind: self.kind.as_ref().map(&mut hold),
            conversation: self.conversation.as_ref().map(&mut hold),
            method: hold(&self.method),
            path: hold(&self.path),
            place: self.place,
            id: self.id,
            at: self.at,
            direction: self.direction,
            sig: self.sig,
            status: self.status,
            took_us: self.took_us,
            size: self.size,
            parent: self.parent,
            failed: self.failed,
        }
    }
}

impl Entry {
    /// The entry that a reader will find for `call` at `place`.
    #[cfg(test)]
    pub(crate) fn from_call(call: &Call, place: Place) -> Self {
        View::of(call, place).entry.map(|text| Arc::from(*text))
    }

    /// The entry, borrowed. What was said of the call later is not known here: [`View::with`] adds it.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        self.map(|text| &**text).into()
    }
}

/// An [`Entry`] borrowed from an entry, an index or a call, at no cost, and what is said of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// The head; its fields are those of the view as well.
    pub entry: Entry<&'a str>,
    /// What stands said of the call since it was recorded.
    pub remarks: Option<&'a Remarks>,
}

impl<'a> Deref for View<'a> {
    type Target = Entry<&'a str>;

    fn deref(&self) -> &Self::Target {
        &self.entry
    }
}

impl<'a> From<Entry<&'a str>> for View<'a> {
    /// What nothing is known to be said of.
    fn from(entry: Entry<&'a str>) -> Self {
        Self { entry, remarks: None }
    }
}

impl<'a> View<'a> {
    /// The view that a reader will have of `call` at `place`, but for what was said of it.
    #[must_use]
    pub fn of(call: &'a Call, place: Place) -> Self {
        let entry = Entry {
            place,
            id: call.id,
            at: format::whole_micros(call.at),
            direction: call.direction,
            kind: call.kind.as_deref(),
            conversation: call.conversation.as_deref(),
            sig: call.sig,
            method: &*call.request.method,
            path: &*call.request.target,
            status: call.status(),
            took_us: micros(call.took),
            size: call.request.body.len() as u64,
            parent: call.parent,
            failed: call.error.is_some(),
        };
        entry.into()
    }

    /// The view with what `marks` say of the call.
    #[must_use]
    pub fn with(self, marks: &'a Marks) -> Self {
        Self { remarks: marks.of(self.id), ..self }
    }
}

/// Makes a directory, and those above it that are missing, for their owner alone (0700). One that is there stays as it is.
///
/// # Errors
/// The system's.
pub fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Puts a file with this content at `path`, in the place of what is there: for its owner only from the beginning, and whole at
/// any time. Its folder is made, too, where it is missing.
///
/// # Errors
/// The system's.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

/// The file at `path`, which `open` opens, locked: as long as it is open here no other process records to it, sets it aside or
/// puts another in its place.
///
/// # Errors
/// When one does already.
fn locked(path: &Path, mut open: impl FnMut() -> Result<File, OpenError>) -> Result<File, OpenError> {
    let until = Instant::now() + GLANCE;
    loop {
        let file = open()?;
        lock(&file, path)?;
        // Whoever had the lock before may have set the file aside meanwhile: then it is not the one that is at the path.
        if leads_to(path, &file)? {
            return Ok(file);
        }
        if Instant::now() >= until {
            return Err(OpenError::InUse(path.to_owned()));
        }
    }
}

/// Whether it is this file that is at `path` now.
fn leads_to(path: &Path, file: &File) -> Result<bool, OpenError> {
    let ours = file.metadata().map_err(OpenError::io("read", path))?;
    match std::fs::metadata(path) {
        Ok(about) => Ok(identity(&about) == identity(&ours)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::io("read", path)(error)),
    }
}

/// Keeps every other process from recording to the file as long as it is open here.
///
/// # Errors
/// When one does already.
fn lock(file: &File, path: &Path) -> Result<(), OpenError> {
    let until = Instant::now() + GLANCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(GLANCE / 10),
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(OpenError::io("lock", path)(error)),
        }
    }
}

/// How long whoever wants to record waits for one who only looks, as [`is_recorded_to`] does, and is gone at once.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether a process records to the file. Two who look do not take each other for one.
fn is_recorded_to(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The folder that a file is in, or will be.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder of a data directory that new recordings go to.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("recordings")
}

/// A new recording's path, named by the time it begins: `DATA_DIR/recordings/2026-11-21T10-02-11Z.jsonl`, with `-2`,
/// `-3`, ... before the ending where there is such a file already.
#[must_use]
pub fn default_path(data_dir: &Path, now: Timestamp) -> PathBuf {
    let folder = folder(data_dir);
    let stem = now.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
    let first = folder.join(format!("{stem}.jsonl"));
    let others = (2_u64..).map(|number| folder.join(format!("{stem}-{number}.jsonl")));
    std::iter::once(first.clone()).chain(others).find(|path| !path.exists()).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_recording_is_named_by_its_time_and_never_an_existing_file() {
        let data = tempfile::tempdir().unwrap();
        let now = "2026-11-21T10:02:11.9Z".parse().unwrap();
        let first = default_path(data.path(), now);
        assert_eq!(first, data.path().join("recordings/2026-11-21T10-02-11Z.jsonl"));
        std::fs::create_dir_all(first.parent().unwrap()).unwrap();
        std::fs::write(&first, "").unwrap();
        let second = default_path(data.path(), now);
        assert_eq!(second, data.path().join("recordings/2026-11-21T10-02-11Z-2.jsonl"));
        std::fs::write(&second, "").unwrap();
        assert_eq!(default_path(data.path(), now), data.path().join("recordings/2026-11-21T10-02-11Z-3.jsonl"));
    }
}
