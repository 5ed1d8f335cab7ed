//! The recording that the TUI writes to: all the time while it listens; an opened recording only while a call is sent, or
//! something is said of one, so that looking at a file never changes it, and keeps nobody from it.

use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as Held, OnceLock, PoisonError};

use tokio::sync::Mutex;

use crate::recording::backlog::Teller;
use crate::recording::{Options, Reader, RecordError, Recorder, Redaction};

/// Device and inode of a file.
pub type Identity = (u64, u64);

/// Where sent calls, and what is said of calls, are recorded.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    writing: Mutex<Writing>,
    told: Teller,
    /// The file that is shown; none while there is none, or it does not matter.
    shown: Held<Option<Identity>>,
    packed: OnceLock<Arc<Reader>>,
    redaction: Option<Redaction>,
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
        Self { path, writing, told, shown, packed: OnceLock::new(), redaction: None }
    }

    /// A recording that is being written: whoever writes it tells when another file takes its place.
    #[must_use]
    pub fn running(recorder: Recorder, told: Teller) -> Self {
        Self::new(recorder.path().to_owned(), Writing { recorder: Some(recorder), users: 1 }, told)
    }

    /// A recording that is looked at. That something was written to it is told to `told`.
    #[must_use]
    pub fn resting(path: PathBuf, told: Teller) -> Self {
        let shown = Held::new(look(&path).map(|(identity, _)| identity));
        Self { shown, ..Self::new(path, Writing::default(), told) }
    }

    /// The same, that masks what it records once it begins to write.
    #[must_use]
    pub fn redacting(self, redaction: Option<Redaction>) -> Self {
        Self { redaction, ..self }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that is shown.
    #[must_use]
    pub fn shown(&self) -> Option<Identity> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that another file is shown now.
    pub fn show(&self, identity: Identity) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
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
        if let Some((now, _)) = look(&self.path) {
            self.check(now).map_err(io::Error::other)?;
        }
        Ok(if reader.is_packed() { self.packed.get_or_init(|| reader).clone() } else { reader })
    }

    /// Whether the file that is there `now` is the one that is shown.
    fn check(&self, now: Identity) -> Result<(), String> {
        let another = self.shown().is_some_and(|shown| shown != now);
        if another {
            Err(format!("{} was replaced by another file: open it again", self.path.display()))
        } else {
            Ok(())
        }
    }

    /// Does `work` with the recorder, which is started if need be and ended when nobody needs it any more.
    ///
    /// # Errors
    /// When the file cannot be written: another process records to it, or it is not the one that is shown.
    pub async fn record<T, F: Future<Output = T>>(&self, work: impl FnOnce(Recorder) -> F) -> Result<T, RecordError> {
        let recorder = self.begin().await?;
        let done = work(recorder).await;
        let mut writing = self.writing.lock().await;
        writing.users = writing.users.saturating_sub(1);
        if writing.users == 0
            && let Some(recorder) = writing.recorder.take()
        {
            recorder.close().await;
        }
        Ok(done)
    }

    async fn begin(&self) -> Result<Recorder, RecordError> {
        let mut writing = self.writing.lock().await;
        let recorder = if let Some(recorder) = &writing.recorder {
            recorder.clone()
        } else {
            let gone = || RecordError(format!("{} was removed", self.path.display()));
            let (identity, _) = look(&self.path).ok_or_else(gone)?;
            self.check(identity).map_err(RecordError)?;
            let told = self.told.clone();
            let (recorder, opened) =
                Recorder::open(&self.path, Options::default(), Box::new(move |event| told.tell(event)))
                    .map_err(|error| RecordError(error.to_string()))?;
            if opened.created {
                // Removed while we looked: closed without a call, it is gone again.
                recorder.close().await;
                return Err(gone());
            }
            match self.redaction.clone() {
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
    Some(((about.dev(), about.ino()), about.len()))
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
        let said = || Annotation {
            call: crate::call::Id(uuid::Uuid::nil()),
            at: jiff::Timestamp::UNIX_EPOCH,
            change: Change::Delete(true),
        };
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

        std::fs::rename(&path, folder.path().join("away.jsonl")).unwrap();
        assert!(say().await.unwrap_err().to_string().ends_with("was removed"));
        assert!(!path.exists());
        std::fs::copy(folder.path().join("away.jsonl"), &path).unwrap();
        assert!(say().await.unwrap_err().to_string().contains("replaced by another file"));
        tape.show(look(&path).unwrap().0);
        say().await.unwrap().unwrap();
    }
}
