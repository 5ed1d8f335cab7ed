//! The recording that the TUI writes to: at once while it listens; in an opened recording only when the first call is
//! sent, or something is said of one, so that looking at a file never changes it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;

use crate::recording::backlog::Teller;
use crate::recording::{Options, Reader, RecordError, Recorder, Redaction};

/// Where sent calls, and what is said of calls, are recorded.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    recorder: OnceCell<Recorder>,
    told: Teller,
    begins: AtomicU64,
    packed: OnceLock<Arc<Reader>>,
    redaction: Option<Redaction>,
}

impl Tape {
    /// A recording that is being written.
    #[must_use]
    pub fn running(recorder: Recorder, told: Teller) -> Self {
        Self {
            path: recorder.path().to_owned(),
            recorder: OnceCell::new_with(Some(recorder)),
            told,
            begins: AtomicU64::new(u64::MAX),
            packed: OnceLock::new(),
            redaction: None,
        }
    }

    /// A recording that is only looked at so far. What is written to it is told to `told`.
    #[must_use]
    pub fn resting(path: PathBuf, told: Teller) -> Self {
        Self {
            path,
            recorder: OnceCell::new(),
            told,
            begins: AtomicU64::new(u64::MAX),
            packed: OnceLock::new(),
            redaction: None,
        }
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

    /// The recording to read from. A compressed one is unpacked but once.
    ///
    /// # Errors
    /// Those of [`Reader::open`].
    pub fn reader(&self) -> io::Result<Arc<Reader>> {
        if let Some(reader) = self.packed.get() {
            return Ok(reader.clone());
        }
        // Another one may have taken the place of a plain file.
        let reader = Arc::new(Reader::open(&self.path)?);
        Ok(if reader.is_packed() { self.packed.get_or_init(|| reader).clone() } else { reader })
    }

    /// Where in an opened recording our own lines begin: `u64::MAX` as long as we have not begun to write.
    #[must_use]
    pub fn begins(&self) -> u64 {
        self.begins.load(Ordering::SeqCst)
    }

    /// The recorder, started if need be.
    ///
    /// # Errors
    /// When the file cannot be written: another process records to it, say.
    pub async fn recorder(&self) -> Result<&Recorder, RecordError> {
        self.recorder
            .get_or_try_init(|| async {
                let told = self.told.clone();
                Recorder::open(&self.path, Options::default(), Box::new(move |event| told.tell(event)))
                    .map(|(recorder, opened)| {
                        self.begins.store(opened.end, Ordering::SeqCst);
                        match self.redaction.clone() {
                            Some(redaction) => recorder.redacting(redaction),
                            None => recorder,
                        }
                    })
                    .map_err(|error| RecordError(error.to_string()))
            })
            .await
    }

    /// Ends the recording, if it was ever begun.
    pub async fn close(&self) {
        if let Some(recorder) = self.recorder.get() {
            recorder.clone().close().await;
        }
    }
}
