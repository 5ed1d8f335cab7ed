//! The file itself: made or found, locked, mended, and watched for other hands.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;

use super::aside::{self, Aside, Begun};
use super::{Options, tail};
use crate::config::Rotation;
use crate::recording::format::{self, OpenError};
use crate::recording::{Identity, folder_of, identity, locked, make_private};

/// What a recorder found at its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// There was no such file.
    pub created: bool,
    /// The file's length in bytes: calls recorded from now on stand here and behind.
    pub end: u64,
    /// What was cut off its end.
    pub torn: Option<Torn>,
    /// It was there, and every user of this machine can read it.
    pub exposed: bool,
}

impl Opened {
    /// What should be known of it, as sentences.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let exposed = "every user of this machine can read what is recorded here: chmod 600 it";
        let torn = self.torn.iter().map(ToString::to_string);
        torn.chain(self.exposed.then(|| exposed.to_owned())).collect()
    }
}

/// A last line that was not whole, cut off: a writer was killed while it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Its length.
    pub bytes: u64,
    /// The file that its bytes were added to.
    pub kept_in: PathBuf,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, kept_in } = self;
        write!(f, "the last line was not whole: its {bytes} bytes were cut off and are kept in {}", kept_in.display())
    }
}

/// What the recorder needs of a file; a trait so that tests can have it fail.
pub(super) trait Disk: Send {
    /// Writes some of the bytes, one piece after the other, behind all others; how many.
    fn write(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Returns when all that was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// What another hand did to the file since it was `end` bytes long, if anything.
    fn changed(&self, end: u64) -> Option<String>;
    /// Whether the `len` bytes that were written last, and begin so, stand behind `end` for all to read. Where another hand was
    /// quicker they do not, and nothing of them is left.
    fn stands(&mut self, end: u64, len: u64, begin: &[u8]) -> io::Result<bool>;
    /// Opens what is at the path now.
    fn reopen(&mut self) -> Result<Reopened, OpenError>;
    /// Sets the file aside and begins another if it is time for that, which is `now`.
    ///
    /// # Errors
    /// Why it was not set aside, as a sentence, said once. It goes on as it is then, and is tried again after a while.
    fn rotate(&mut self, end: u64, now: Timestamp) -> Result<Option<Rotated>, String>;
    /// Leaves a complete file of `end` bytes behind, or none if it has nothing to tell.
    fn finish(&mut self, end: u64) -> io::Result<()>;
}

/// A file that was opened again.
pub(super) struct Reopened {
    /// Up to here it may be what it was before; 0 if it is another file.
    pub kept: u64,
    /// Its length.
    pub end: u64,
    /// What should be known of it, as sentences.
    pub remarks: Vec<String>,
}

/// Another file in the place of one that was set aside.
pub(super) struct Rotated {
    /// What happened, as a sentence.
    pub reason: String,
    /// Where that one is now.
    pub aside: PathBuf,
    /// The new one's length; 0 where there is none.
    pub end: u64,
}

/// A recording's file, open for appending and locked.
#[derive(Debug)]
pub(super) struct Tape {
    file: File,
    path: PathBuf,
    /// Device and inode: whether the path still leads here.
    identity: Identity,
    /// With `fsync`, a new file's name has to be on the disk too.
    options: Options,
    /// When the file began, and the length of its header.
    begun: (Timestamp, u64),
    /// The length of the file as we made it; none if it was there.
    blank: Option<u64>,
    /// Neither locked nor to be written: opening it again has failed.
    lost: bool,
    /// When it could not be set aside, and why.
    stuck: Option<(Timestamp, String)>,
    /// Writes to the disk what was set aside last.
    settling: Option<Settling>,
}

/// A file that was set aside, on its way to the disk: that may take long, and calls are recorded meanwhile.
#[derive(Debug)]
struct Settling {
    path: PathBuf,
    writing: JoinHandle<io::Result<()>>,
}

impl Settling {
    /// Begins to write the file that is at `path` now.
    fn begin(file: &File, path: &Path) -> io::Result<Self> {
        let file = file.try_clone()?;
        let writing = thread::Builder::new().name("set aside".into()).spawn(move || file.sync_data())?;
        Ok(Self { path: path.to_owned(), writing })
    }

    /// Waits until it is on the disk.
    fn end(self) -> Result<(), String> {
        let fallen = |_| Err(io::Error::other("its thread fell over"));
        let written = self.writing.join().unwrap_or_else(fallen);
        written.map_err(|error| format!("{} may not be on the disk whole: {error}", self.path.display()))
    }
}

/// How long it is before a file that could not be set aside is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

impl Tape {
    /// Makes the file or opens what is there, as [`super::Recorder::open`] describes.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Opened), OpenError> {
        let folder = folder_of(path);
        make_private(folder).map_err(OpenError::io("create the directory", folder))?;
        let mut how = OpenOptions::new();
        how.read(true).append(true).mode(0o600);
        let mut created = false;
        let mut file = locked(path, || {
            let new = how.clone().create_new(true).open(path);
            created = new.is_ok();
            let file = match new {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // A link may lead to where nothing is yet.
                    how.clone().create(true).open(path).map_err(OpenError::io("record to", path))?
                }
                Err(error) => return Err(OpenError::io("create", path)(error)),
            };
            if !file.metadata().map_err(OpenError::io("read", path))?.is_file() {
                return Err(OpenError::NotARecording { path: path.to_owned(), why: "it is not a regular file" });
            }
            Ok(file)
        })?;
        let about = file.metadata().map_err(OpenError::io("read", path))?;
        // Where the link leads to, as when it is set aside.
        aside::clear(&path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        let torn = tail::mend(&file, path)?;
        let mut end = file.metadata().map_err(OpenError::io("read", path))?.len();
        let mut blank = None;
        if end == 0 {
            let header = format::header(Timestamp::now());
            file.write_all(header.as_bytes()).map_err(|error| {
                // A header that is not whole is mended when the file is opened next; an empty file is nicer, and none where
                // there was none.
                let _ = if created { fs::remove_file(path) } else { file.set_len(0) };
                OpenError::io("write to", path)(error)
            })?;
            end = header.len() as u64;
            blank = created.then_some(end);
        }
        if created && options.fsync {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(OpenError::io("write to", folder))?;
        }
        let begun = format::begun(&file, path)?;
        let exposed = about.mode() & 0o004 != 0;
        let (path, identity) = (path.to_owned(), identity(&about));
        let tape = Self { file, path, identity, options, begun, blank, lost: false, stuck: None, settling: None };
        Ok((tape, Opened { created, end, torn, exposed }))
    }
}

impl Disk for Tape {
    fn write(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.file.write_vectored(pieces)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn changed(&self, end: u64) -> Option<String> {
        let path = self.path.display();
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(format!("{path} was removed or moved while it was recorded to"))
            }
            Err(error) => Some(format!("{path} can no longer be reached: {error}")),
            Ok(about) if identity(&about) != self.identity => {
                Some(format!("{path} was replaced by another file while it was recorded to"))
            }
            Ok(about) if about.len() < end => Some(format!("{path} was cut short while it was recorded to")),
            Ok(about) if about.len() > end => Some(format!("{path} was written to by another program")),
            Ok(_) => self.lost.then(|| format!("{path} was not to be had")),
        }
    }

    fn stands(&mut self, end: u64, len: u64, begin: &[u8]) -> io::Result<bool> {
        let about = self.file.metadata()?;
        let (is, due) = (about.len(), end + len);
        // Nobody finds what is written to a file that was removed.
        if is == due || about.nlink() == 0 {
            return Ok(about.nlink() > 0);
        }
        let begins = |at: &u64, with: &[u8]| {
            let mut bytes = vec![0; with.len()];
            self.file.read_exact_at(&mut bytes, *at).is_ok() && bytes == with
        };
        let found = [Some(end), is.checked_sub(len)].into_iter().flatten().find(|at| begins(at, begin));
        // It is longer by what another hand wrote behind that.
        if is > due && found == Some(end) {
            return Ok(true);
        }
        // A file without its header was emptied: what stands in it now was written since.
        let emptied = || (!begins(&0, &format::BEGINNING)).then_some(0);
        if let Some(from) = found.or_else(emptied) {
            self.file.set_len(from)?;
        }
        Ok(false)
    }

    fn reopen(&mut self) -> Result<Reopened, OpenError> {
        self.lost = true;
        // The new handle is to have the lock. If the file is gone, so is the lock's use.
        let _ = self.file.unlock();
        let (tape, opened) = Self::open(&self.path, self.options)?;
        // The old handle is still open, so its inode cannot be another file's by now.
        let same = tape.identity == self.identity;
        *self = Self { settling: self.settling.take(), ..tape };
        // Of the file that it was, it is known who can read it.
        let opened = Opened { exposed: opened.exposed && !same, ..opened };
        Ok(Reopened { kept: if same { opened.end } else { 0 }, end: opened.end, remarks: opened.remarks() })
    }

    fn rotate(&mut self, end: u64, now: Timestamp) -> Result<Option<Rotated>, String> {
        // After a clock that was ahead has been set back, its age counts from then on.
        self.begun.0 = self.begun.0.min(now);
        let (begun, header) = self.begun;
        let Rotation { size, age } = self.options.rotate;
        // A file without a call stays: there is nothing to set aside.
        if end <= header || self.lost {
            return Ok(None);
        }
        let why = if size.is_some_and(|size| end >= size) {
            "has reached its size"
        } else if age.is_some_and(|age| Duration::try_from(now.duration_since(begun)).is_ok_and(|since| since >= age)) {
            "has reached its age"
        } else {
            return Ok(None);
        };
        let since = |at: &Timestamp| Duration::try_from(now.duration_since(*at)).unwrap_or(PATIENCE);
        if self.stuck.as_ref().is_some_and(|(at, _)| since(at) < PATIENCE) {
            return Ok(None);
        }
        // What another hand did to the file is found and told where it is looked for.
        if self.changed(end).is_some() {
            return Ok(None);
        }
        // One file after the other: where they are full sooner than they are written, that is waited for.
        self.settling.take().map_or(Ok(()), Settling::end)?;
        // A link stays a link, to the new file.
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let Aside { path: aside, next } = match aside::replace(&path, now) {
            Ok(aside) => aside,
            Err(error) => {
                let reason = format!(
                    "{} {why}, but cannot be set aside: {error}; it goes on, and is set aside when that can be",
                    self.path.display()
                );
                let told = self.stuck.replace((now, reason.clone())).is_some_and(|(_, told)| told == reason);
                return if told { Ok(None) } else { Err(reason) };
            }
        };
        let mut reason = format!("{} {why}: its calls are in {} now", self.path.display(), aside.display());
        // It is nobody's now. With `fsync` all of it is on the disk already.
        let _ = self.file.unlock();
        if !self.options.fsync {
            // Where there is no thread to be had, the system writes it when it sees fit.
            self.settling = Settling::begin(&self.file, &aside).ok();
        }
        let placed = next.and_then(|Begun { file, len }| {
            let about = file.metadata().map_err(OpenError::io("read", &path))?;
            (self.identity, self.file) = (identity(&about), file);
            Ok(len)
        });
        let end = placed.as_ref().copied().unwrap_or_default();
        (self.begun, self.blank, self.lost, self.stuck) = ((now, end), Some(end), placed.is_err(), None);
        let named = || File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        match placed {
            // Opening what is there is tried with every call.
            Err(error) => reason = format!("{reason}; {error}"),
            Ok(_) if self.options.fsync => {
                if let Err(error) = named() {
                    reason = format!("{reason}; that the new file is there may not be on the disk: {error}");
                }
            }
            Ok(_) => {}
        }
        Ok(Some(Rotated { reason, aside, end }))
    }

    fn finish(&mut self, end: u64) -> io::Result<()> {
        let settled = self.settling.take().map_or(Ok(()), Settling::end).map_err(io::Error::other);
        if self.lost {
            return settled;
        }
        if self.blank == Some(end) && self.changed(end).is_none() {
            fs::remove_file(self.path.canonicalize()?)?;
            return settled;
        }
        self.file.sync_data()?;
        // A process that is being started just now has the handle a moment longer than we.
        let _ = self.file.unlock();
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{encode, testing::call};

    #[test]
    fn a_file_that_cannot_be_set_aside_is_tried_again_and_told_once() {
        let folder = tempfile::tempdir().unwrap();
        // No longer name can be.
        let path = folder.path().join("x".repeat(255));
        let options = Options { rotate: Rotation { size: Some(1), age: None }, ..Options::default() };
        let (mut tape, opened) = Tape::open(&path, options).unwrap();
        let mut line = encode(&call(1));
        line.push(b'\n');
        tape.file.write_all(&line).unwrap();
        let end = opened.end + line.len() as u64;
        let now = Timestamp::now();
        let reason = tape.rotate(end, now).map(|_| ()).unwrap_err();
        assert!(reason.contains("cannot be set aside") && reason.contains("it goes on"), "{reason}");
        assert!(tape.rotate(end, now + PATIENCE).unwrap().is_none(), "it is told once");
        // As if it had become possible.
        tape.path = folder.path().join("x.jsonl");
        fs::rename(&path, &tape.path).unwrap();
        assert!(tape.rotate(end, now + PATIENCE).unwrap().is_none(), "not so soon");
        assert!(tape.rotate(end, now + 2 * PATIENCE).unwrap().is_some());
        assert!(folder.path().join("x-1.jsonl").exists());
    }

    #[test]
    fn a_file_goes_on_as_long_as_there_can_be_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.jsonl");
        let options = Options { rotate: Rotation { size: Some(1), age: None }, ..Options::default() };
        let (mut tape, opened) = Tape::open(&path, options).unwrap();
        // As one that could not be made.
        let next = folder.path().join("t.jsonl.next");
        fs::create_dir(&next).unwrap();
        let line = encode(&call(1));
        let write = |tape: &mut Tape| {
            let mut rest = &line[..];
            while !rest.is_empty() {
                let count = tape.write(&[IoSlice::new(rest)]).unwrap();
                rest = &rest[count..];
            }
        };
        write(&mut tape);
        let (end, now) = (opened.end + line.len() as u64, Timestamp::now());
        let reason = tape.rotate(end, now).map(|_| ()).unwrap_err();
        assert!(reason.contains("cannot be set aside: cannot create ") && reason.contains("it goes on"), "{reason}");
        assert_eq!(tape.changed(end), None);
        write(&mut tape);
        let end = end + line.len() as u64;
        assert_eq!((tape.changed(end), fs::metadata(&path).unwrap().len()), (None, end));
        assert!(super::super::set_aside(&path).is_empty());
        fs::remove_dir(&next).unwrap();
        let rotated = tape.rotate(end, now + PATIENCE).unwrap().unwrap();
        assert_eq!((tape.changed(rotated.end), fs::metadata(&rotated.aside).unwrap().len()), (None, end));
        assert!(!next.exists());
    }

    #[test]
    fn what_a_link_leads_to_is_set_aside_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let [link, real] = ["link", "real"].map(|name| folder.path().join(name));
        for folder in [&link, &real] {
            fs::create_dir(folder).unwrap();
        }
        let path = link.join("t.jsonl");
        std::os::unix::fs::symlink("../real/t.jsonl", &path).unwrap();
        let options = Options { rotate: Rotation { size: Some(1), age: None }, ..Options::default() };
        let (mut tape, mut opened) = Tape::open(&path, options).unwrap();
        for number in 1..3 {
            tape.file.write_all(&encode(&call(1))).unwrap();
            opened.end += encode(&call(1)).len() as u64;
            let rotated = tape.rotate(opened.end, Timestamp::now()).unwrap().unwrap();
            assert_eq!(rotated.aside, real.canonicalize().unwrap().join(format!("t-{number}.jsonl")));
            opened.end = rotated.end;
            assert!(tape.changed(opened.end).is_none());
        }
        tape.finish(opened.end).unwrap();
        let there = |folder: &Path| fs::read_dir(folder).unwrap().count();
        assert_eq!((there(&link), there(&real)), (1, 2), "the link is there, and no file without a call");
        assert!(path.is_symlink());
    }
}
