//! The recordings of a folder: listed, and removed when someone says so. Nothing goes by itself.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::format::OpenError;
use super::reader::is_recording;
use super::recorder::torn_path;
use super::{Identity, identity, is_recorded_to, locked};
use crate::visible;

/// One recording of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// Its length, and that of what was cut off its end, in bytes.
    pub bytes: u64,
    /// Those of them that were cut off, which stand in a file of their own.
    pub torn: u64,
    /// When it was last recorded to.
    pub changed: Timestamp,
    /// A process records to it now.
    pub in_use: bool,
    /// Which file it is.
    pub identity: Identity,
}

impl Kept {
    /// Its name in its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What is kept and goes with it, for people: `with tape.jsonl.torn, 5 B`.
    #[must_use]
    pub fn beside(&self) -> Option<String> {
        let name = torn_path(Path::new(&self.name()));
        (self.torn > 0).then(|| format!("with {}, {}", name.display(), visible::size(self.torn)))
    }

    /// For how long nothing was recorded to it at `now`. A file from the future is new.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.changed)).unwrap_or_default()
    }

    /// Removes the recording, and what was cut off its end.
    ///
    /// # Errors
    /// When a process records to it, when it is no longer what it was when it was found, or the system refuses. Then it stays.
    pub fn remove(&self) -> Result<(), OpenError> {
        // It is held until it is gone.
        let file = locked(&self.path, || File::open(&self.path).map_err(OpenError::io("open", &self.path)))?;
        let about = file.metadata().map_err(OpenError::io("read", &self.path))?;
        let found = (self.identity, self.bytes - self.torn, self.changed);
        if (identity(&about), about.len(), changed(&about)) != found {
            return Err(OpenError::Changed(self.path.clone()));
        }
        std::fs::remove_file(&self.path).map_err(OpenError::io("remove", &self.path))?;
        let torn = torn_path(&self.path);
        match std::fs::remove_file(&torn) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::io("remove", &torn)(error)),
            _ => Ok(()),
        }
    }
}

/// When a file was last written to; long ago where the system does not say so.
fn changed(about: &Metadata) -> Timestamp {
    about.modified().ok().and_then(|time| time.try_into().ok()).unwrap_or_default()
}

/// The recordings in a folder, the newest first; none if there is no such folder. Other files are passed over.
///
/// # Errors
/// When the folder cannot be read.
pub fn recordings_in(folder: &Path) -> Result<Vec<Kept>, OpenError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(OpenError::io("read", folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(OpenError::io("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if !(name.ends_with(b".jsonl") || name.ends_with(b".jsonl.zst")) || !is_recording(&path) {
            continue;
        }
        // A file may go while we look: then it is not there.
        let Ok(file) = File::open(&path) else { continue };
        let Ok(about) = file.metadata() else { continue };
        let torn = std::fs::metadata(torn_path(&path)).map_or(0, |about| about.len());
        let (changed, identity, in_use) = (changed(&about), identity(&about), is_recorded_to(&file));
        found.push(Kept { path, bytes: about.len() + torn, torn, changed, in_use, identity });
    }
    found.sort_by(|a, b| (b.changed, &b.path).cmp(&(a.changed, &a.path)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::testing::call;
    use crate::recording::{Options, Recorder, compact, default_path};

    #[tokio::test]
    async fn a_recording_in_use_is_neither_compacted_nor_removed() {
        let data = tempfile::tempdir().unwrap();
        let path = default_path(data.path(), jiff::Timestamp::UNIX_EPOCH);
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
        recorder.record(call(1)).await.unwrap();
        assert!(matches!(compact(&path, None), Err(OpenError::InUse(_))));
        let folder = path.parent().unwrap();
        std::fs::write(folder.join("other.jsonl"), "no recording").unwrap();
        std::fs::write(torn_path(&path), "torn\n").unwrap();
        let [kept] = &recordings_in(folder).unwrap()[..] else { panic!("there is one recording") };
        assert_eq!(kept.bytes, std::fs::metadata(&path).unwrap().len() + 5);
        assert_eq!(kept.beside().unwrap(), format!("with {}.torn, {}", kept.name(), visible::size(5)));
        assert!(kept.in_use && matches!(kept.remove(), Err(OpenError::InUse(_))));
        recorder.close().await;
        // Somebody else looks just now, and somebody begins to record meanwhile.
        let look = File::open(&path).unwrap();
        look.lock_shared().unwrap();
        assert!(recordings_in(folder).unwrap().iter().all(|kept| !kept.in_use));
        let gone = std::thread::spawn(move || drop(look));
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
        gone.join().unwrap();
        recorder.close().await;
        let packed = folder.join("packed.jsonl.zst");
        std::fs::write(&packed, zstd::encode_all(File::open(&path).unwrap(), 0).unwrap()).unwrap();
        std::fs::write(folder.join("other.jsonl.zst"), zstd::encode_all(&b"something else"[..], 0).unwrap()).unwrap();
        assert!(recordings_in(folder).unwrap().iter().any(|kept| kept.path == packed));
        std::fs::remove_file(&packed).unwrap();
        std::fs::remove_file(folder.join("other.jsonl.zst")).unwrap();
        kept.remove().unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "only what is no recording is left");
        assert_eq!(recordings_in(&folder.join("none")).unwrap(), []);
    }

    #[tokio::test]
    async fn a_recording_that_changed_since_it_was_listed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let record = async |number| {
            let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
            recorder.record(call(number)).await.unwrap();
            recorder.close().await;
        };
        let listed = || recordings_in(folder.path()).unwrap().remove(0);
        record(1).await;
        let before = listed();
        record(2).await;
        let error = before.remove().unwrap_err().to_string();
        assert!(error.contains("was recorded to or replaced since it was looked at"), "{error}");
        let before = listed();
        let copy = folder.path().join("copy");
        std::fs::copy(&path, &copy).unwrap();
        let time = File::open(&path).unwrap().metadata().unwrap().modified().unwrap();
        File::options().append(true).open(&copy).unwrap().set_modified(time).unwrap();
        std::fs::rename(&copy, &path).unwrap();
        assert!(matches!(before.remove(), Err(OpenError::Changed(_))), "as long and as old, but another file");
        listed().remove().unwrap();
        assert!(!path.exists());
    }

    /// What a recorder does that sets its file aside while another process waits for the lock.
    #[test]
    fn a_file_that_was_set_aside_meanwhile_is_not_taken_for_the_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let [path, aside] = ["r.jsonl", "r-1.jsonl"].map(|name| folder.path().join(name));
        std::fs::write(&path, "old").unwrap();
        let old = File::open(&path).unwrap();
        let mut live = None;
        let opened = locked(&path, || {
            let file = File::open(&path).map_err(OpenError::io("open", &path))?;
            if live.is_none() {
                std::fs::rename(&path, &aside).unwrap();
                std::fs::write(&path, "live").unwrap();
                let file = File::open(&path).unwrap();
                file.try_lock().unwrap();
                live = Some(file);
            }
            Ok(file)
        });
        assert!(matches!(opened, Err(OpenError::InUse(_))), "{opened:?}");
        drop((old, live));
        let file = locked(&path, || File::open(&path).map_err(OpenError::io("open", &path))).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4);
    }
}
