//! The recording that the TUI writes to: at once while it listens; in an opened recording only when the first call is
//! sent, or something is said of one, so that looking at a file never changes it.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;

use crate::recording::{Options, RecordError, Recorded, Recorder};

/// Where sent calls, and what is said of calls, are recorded.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    recorder: OnceCell<Recorder>,
    told: UnboundedSender<Recorded>,
}

impl Tape {
    /// A recording that is being written.
    #[must_use]
    pub fn running(recorder: Recorder, told: UnboundedSender<Recorded>) -> Self {
        Self { path: recorder.path().to_owned(), recorder: OnceCell::new_with(Some(recorder)), told }
    }

    /// A recording that is only looked at so far. What is written to it is told to `told`.
    #[must_use]
    pub fn resting(path: PathBuf, told: UnboundedSender<Recorded>) -> Self {
        Self { path, recorder: OnceCell::new(), told }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
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
                    .map(|(recorder, _)| recorder)
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
