//! The recording that the TUI writes to: all the time while it listens; an opened recording only while a call is sent, or
//! something is said of one, so that looking at a file never changes it, and keeps nobody from it.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as Held, OnceLock};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::call::Id;
use crate::recording::backlog::Teller;
use crate::recording::{
    Identity, OpenError, Options, Place, Reader, RecordError, Recorded, Recorder, Redaction, identity,
};
use crate::sync::lock;

/// A recording, told apart from another that takes its place, or is written over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The file.
    pub file: Identity,
    /// When the recording began, as its header says; none while it is not known.
    pub begun: Option<Timestamp>,
}

impl Shown {
    /// What is read there.
    #[must_use]
    pub fn of(reader: &Reader) -> Self {
        Self { file: reader.identity(), begun: Some(reader.begun()) }
    }

    /// Whether what `now` is read from is another recording.
    #[must_use]
    pub fn differs(&self, now: &Self) -> bool {
        self.file != now.file || self.begun.is_some_and(|begun| now.begun.is_some_and(|now| now != begun))
    }
}

/// Where sent calls, and what is said of calls, are recorded.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    writing: Mutex<Writing>,
    told: Teller,
    /// What is shown; none while there is none, or it does not matter.
    shown: Held<Option<Shown>>,
    packed: OnceLock<Arc<Reader>>,
    redaction: Held<Option<Redaction>>,
}

/// What writes, and for how many.
#[derive(Debug, Default)]
struct Writing {
    recorder: Option<Recorder>,
    users: usize,
}

impl Tape {
    fn new(path: PathBuf, writing: Writing, told: Teller) -> Self {
        let (writing, shown) = (Mutex::new(writing), Held::default());
        Self { path, writing, told, shown, packed: OnceLock::new(), redaction: Held::default() }
    }

    /// A recording that is being written: whoever writes it tells when another file takes its place.
    #[must_use]
    pub fn running(recorder: Recorder, told: Teller) -> Self {
        Self::new(recorder.path().to_owned(), Writing { recorder: Some(recorder), users: 1 }, told)
    }

    /// A recording that is looked at. That something was written to it is told to `told`.
    #[must_use]
    pub fn resting(path: PathBuf, told: Teller) -> Self {
        let shown = Held::new(look(&path).map(|(file, _)| Shown { file, begun: begun(&path) }));
        Self { shown, ..Self::new(path, Writing::default(), told) }
    }

    /// This recording, which masks what it records once it begins to write.
    #[must_use]
    pub fn redacting(self, redaction: Option<Redaction>) -> Self {
        Self { redaction: Held::new(redaction), ..self }
    }

    /// Masks like this from now on, where it masks what it records.
    pub async fn mask_as(&self, redaction: &Redaction) {
        let writing = self.writing.lock().await;
        if let Some(own) = &mut *lock(&self.redaction) {
            own.clone_from(redaction);
        }
        writing.recorder.iter().for_each(|recorder| recorder.mask_as(redaction));
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The recording that is shown.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        *lock(&self.shown)
    }

    /// Says that another recording is shown now.
    pub fn show(&self, now: Shown) {
        *lock(&self.shown) = Some(now);
    }

    /// The recording to read from. A compressed one is unpacked but once.
    ///
    /// # Errors
    /// Those of [`Reader::open`], and when the file is not the one that is shown.
    pub fn reader(&self) -> io::Result<Arc<Reader>> {
        if let Some(reader) = self.packed.get() {
            return Ok(reader.clone());
        }
        // Another one may have taken the place of a plain file.
        let reader = Arc::new(Reader::open(&self.path)?);
        self.check(Shown::of(&reader)).map_err(io::Error::other)?;
        Ok(if reader.is_packed() { self.packed.get_or_init(|| reader).clone() } else { reader })
    }

    /// Whether what is there `now` is the recording that is shown.
    fn check(&self, now: Shown) -> Result<(), String> {
        let path = self.path.display();
        match self.shown() {
            Some(shown) if shown.file != now.file => Err(format!("{path} was replaced by another file: open it again")),
            Some(shown) if shown.differs(&now) => Err(format!("{path} was overwritten with another: open it again")),
            _ => Ok(()),
        }
    }

    /// What became of the file that is shown, as a sentence; none: it is there, and the same.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        match look(&self.path) {
            Some((file, _)) => self.check(Shown { file, begun: begun(&self.path) }).err(),
            None => Some(format!(
                "{} was removed or moved: only what was read of it already can still be shown",
                self.path.display()
            )),
        }
    }

    /// Whether the call still stands where it was found: what is said of it belongs in its own recording. Whoever writes a
    /// recording knows it by itself.
    ///
    /// # Errors
    /// When another call stands there, or none, as a sentence.
    pub fn holds(&self, call: Id, place: Place) -> Result<(), String> {
        // What is gone is said where it is to be written.
        if self.shown().is_none() || look(&self.path).is_none() {
            return Ok(());
        }
        let reader = self.reader().map_err(|error| error.to_string())?;
        match reader.call(place) {
            Ok(found) if found.id == call => Ok(()),
            _ => Err(format!(
                "{} was changed by another program, and the call is no longer where it was: open it again",
                self.path.display()
            )),
        }
    }

    /// Does `work` with the recorder, which is started if need be and ended when nobody needs it any more.
    ///
    /// # Errors
    /// When the file cannot be written: another process records to it, or it is not the one that is shown.
    pub async fn record<T, F: Future<Output = T>>(&self, work: impl FnOnce(Recorder) -> F) -> Result<T, RecordError> {
        let recorder = self.begin().await?;
        // Should it fall over, the recording is let go of all the same.
        let done = AssertUnwindSafe(async { work(recorder).await }).catch_unwind().await;
        let mut writing = self.writing.lock().await;
        writing.users = writing.users.saturating_sub(1);
        if writing.users == 0
            && let Some(recorder) = writing.recorder.take()
        {
            recorder.close().await;
        }
        Ok(done.unwrap_or_else(|fallen| resume_unwind(fallen)))
    }

    async fn begin(&self) -> Result<Recorder, RecordError> {
        let mut writing = self.writing.lock().await;
        let recorder = if let Some(recorder) = &writing.recorder {
            recorder.clone()
        } else {
            let gone = || RecordError(format!("{} was removed", self.path.display()));
            let (file, _) = look(&self.path).ok_or_else(gone)?;
            self.check(Shown { file, begun: begun(&self.path) }).map_err(RecordError)?;
            let told = self.told.clone();
            let (recorder, opened) =
                Recorder::open(&self.path, Options::default(), Box::new(move |event| told.tell(event))).map_err(
                    |error| {
                        RecordError(match error {
                            OpenError::InUse(path) => {
                                format!(
                                    "another hooktape records to {}: say it there, or when that one has ended",
                                    path.display()
                                )
                            }
                            error => error.to_string(),
                        })
                    },
                )?;
            if opened.created {
                // Removed while we looked: closed without a call, it is gone again.
                recorder.close().await;
                return Err(gone());
            }
            if let Some(torn) = &opened.torn {
                let reason = format!("{}: {torn}", self.path.display());
                self.told.tell(Recorded::Trouble { reason });
            }
            let redaction = lock(&self.redaction).clone();
            match redaction {
                Some(redaction) => recorder.redacting(redaction),
                None => recorder,
            }
        };
        writing.users += 1;
        writing.recorder = Some(recorder.clone());
        Ok(recorder)
    }

    /// Ends the recording, if it was ever begun.
    pub async fn close(&self) {
        if let Some(recorder) = self.writing.lock().await.recorder.take() {
            recorder.close().await;
        }
    }
}

/// Which file there is, and its length in bytes.
pub(super) fn look(path: &Path) -> Option<(Identity, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((identity(&about), about.len()))
}

/// When the recording at `path` began; none where it cannot be told, as of a compressed one.
fn begun(path: &Path) -> Option<Timestamp> {
    Reader::check(path)
        .is_ok_and(|packed| !packed)
        .then(|| Reader::open(path).ok())
        .flatten()
        .map(|reader| reader.begun())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::backlog::backlog;
    use crate::recording::{Annotation, Change};

    #[tokio::test]
    async fn a_file_is_held_only_while_it_is_written_and_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let open = || Recorder::open(&path, Options::default(), Box::new(|_| {}));
        let said = || Annotation { call: Id::NIL, at: jiff::Timestamp::UNIX_EPOCH, change: Change::Delete(true) };
        let (other, _) = open().unwrap();
        other.annotate(said()).await.unwrap();
        let tape = Tape::resting(path.clone(), backlog().0);
        let say = || tape.record(async |recorder: Recorder| recorder.annotate(said()).await);
        assert!(say().await.unwrap_err().to_string().contains("another hooktape records to"));
        other.close().await;
        // One within the other: the lock goes with the last.
        let both = tape.record(async |_| {
            say().await.unwrap().unwrap();
            open().is_err()
        });
        assert!(both.await.unwrap());
        let (other, _) = open().unwrap();
        other.close().await;
        // Whatever becomes of the work.
        let falls = AssertUnwindSafe(tape.record(async |_: Recorder| -> () { panic!("as the test says") }));
        falls.catch_unwind().await.unwrap_err();
        let (other, _) = open().unwrap();
        other.close().await;

        std::fs::rename(&path, folder.path().join("away.jsonl")).unwrap();
        assert!(say().await.unwrap_err().to_string().ends_with("was removed"));
        assert!(!path.exists());
        std::fs::copy(folder.path().join("away.jsonl"), &path).unwrap();
        assert!(say().await.unwrap_err().to_string().contains("replaced by another file"));
        tape.show(Shown { file: look(&path).unwrap().0, begun: None });
        say().await.unwrap().unwrap();
    }

    fn recorded(number: u128) -> crate::call::Call {
        let (id, at) = (Id(uuid::Uuid::from_u128(number)), jiff::Timestamp::UNIX_EPOCH);
        crate::call::Call::new(id, crate::call::Direction::Received, at, crate::call::Request::default())
    }

    #[tokio::test]
    async fn what_is_written_over_a_recording_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let made = async |name: &str, number: u128| {
            let call = recorded(number);
            let path = folder.path().join(name);
            let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
            recorder.record(call).await.unwrap();
            recorder.close().await;
            std::fs::read(&path).unwrap()
        };
        let (first, other) = (made("tape.jsonl", 1).await, made("other.jsonl", 2).await);
        let tape = Tape::resting(path.clone(), backlog().0);
        let entry = tape.reader().unwrap().entries(crate::recording::Position::default()).next().unwrap().unwrap();
        assert_eq!(tape.holds(entry.id, entry.place), Ok(()));
        // The file is the same one, its recording is not.
        std::fs::write(&path, &other).unwrap();
        let error = tape.record(async |_| ()).await.unwrap_err().to_string();
        assert!(error.contains("tape.jsonl was overwritten with another"), "{error}");
        assert!(tape.reader().unwrap_err().to_string().contains("overwritten"));
        assert!(tape.holds(entry.id, entry.place).unwrap_err().contains("overwritten"));
        // As if it had begun at the same time: then the call tells.
        let header = memchr::memchr(b'\n', &first).unwrap();
        let line = memchr::memchr(b'\n', &other).unwrap();
        std::fs::write(&path, [&first[..header], &other[line..]].concat()).unwrap();
        let error = tape.holds(entry.id, entry.place).unwrap_err();
        assert!(error.contains("tape.jsonl was changed by another program"), "{error}");
        std::fs::write(&path, &first).unwrap();
        assert_eq!(tape.holds(entry.id, entry.place), Ok(()));
    }

    #[tokio::test]
    async fn a_torn_tail_that_is_cut_off_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
        recorder.record(recorded(1)).await.unwrap();
        recorder.close().await;
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"id\":"].concat()).unwrap();
        let (told, mut heard) = backlog();
        let tape = Tape::resting(path.clone(), told);
        tape.record(async |_| ()).await.unwrap();
        let Some(Recorded::Trouble { reason }) = heard.next().await else { panic!("it is told") };
        assert!(
            reason.contains("6 bytes were cut off and are kept in") && reason.ends_with("tape.jsonl.torn"),
            "{reason}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
}
