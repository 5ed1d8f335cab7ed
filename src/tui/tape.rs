//! The recording that the TUI writes to: at once while it listens; in an opened recording only when the first call is
//! sent, or something is said of one, so that looking at a file never changes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;

use crate::recording::{Options, RecordError, Recorded, Recorder};

/// Where sent calls, and what is said of calls, are recorded.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    recorder: OnceCell<Recorder>,
    told: UnboundedSender<Recorded>,
    begins: AtomicU64,
}

impl Tape {
    /// A recording that is being written.
    #[must_use]
    pub fn running(recorder: Recorder, told: UnboundedSender<Recorded>) -> Self {
        Self {
            path: recorder.path().to_owned(),
            recorder: OnceCell::new_with(Some(recorder)),
            told,
            begins: AtomicU64::new(u64::MAX),
        }
    }

    /// A recording that is only looked at so far. What is written to it is told to `told`.
    #[must_use]
    pub fn resting(path: PathBuf, told: UnboundedSender<Recorded>) -> Self {
        Self { path, recorder: OnceCell::new(), told, begins: AtomicU64::new(u64::MAX) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
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
                Recorder::open(&self.path, Options::default(), Box::new(move |event| drop(told.send(event))))
                    .map(|(recorder, opened)| {
                        self.begins.store(opened.end, Ordering::SeqCst);
                        recorder
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
