//! A recording without what was deleted: written anew beside it, and put in its place in one step.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::format::{self, OpenError};
use super::{Annotation, Marks, Reader, folder_of, leads_to, locked};

/// What a compaction left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Deleted calls.
    pub calls: u64,
    /// The recording's length in bytes before.
    pub before: u64,
    /// And after.
    pub after: u64,
}

/// Leaves the deleted calls out of the recording at `path`, and all that was said of them. Every other line stays as it is,
/// byte for byte. With `out` the result is a new file there; without, it takes the recording's place, in one step and only
/// once it is on the disk. Where nothing is deleted the recording stays untouched.
///
/// # Errors
/// When a file cannot be read, written or locked (another process records to it), when it is no recording or a compressed
/// one, when another hand changes it meanwhile, or when there is something at `out` already. Then the recording is what it was.
pub fn compact(path: &Path, out: Option<&Path>) -> Result<Compacted, OpenError> {
    // A link stays a link, to the new file.
    let path = path.canonicalize().map_err(OpenError::io("open", path))?;
    let file = locked(&path, || File::open(&path).map_err(OpenError::io("open", &path)))?;
    // What is read below may be unpacked first; what is copied is these bytes.
    format::read_header(&file, &path)?;
    let about = file.metadata().map_err(OpenError::io("read", &path))?;
    // Of the very file that is copied.
    let held =
        file.try_clone().and_then(|file| Reader::of(file, &about, &path)).map_err(OpenError::io("read", &path))?;
    let marks = held.marks();
    let unchanged = Compacted { calls: 0, before: about.len(), after: about.len() };
    if marks.deleted() == 0 && out.is_none() {
        return Ok(unchanged);
    }
    let to = out.unwrap_or(&path);
    let folder = folder_of(to);
    let mut new = NamedTempFile::new_in(folder).map_err(|error| OpenError::io("write to", folder)(refused(error)))?;
    let (calls, after) = copy(&file, &mut new, &marks).map_err(OpenError::io("write to", to))?;
    let safe = new.as_file().set_permissions(about.permissions()).and_then(|()| new.as_file().sync_all());
    safe.map_err(OpenError::io("write to", to))?;
    // Another program does not ask for the lock.
    let len = file.metadata().map_err(OpenError::io("read", &path))?.len();
    if len != about.len() || !leads_to(&path, &file)? {
        return Err(OpenError::Changed(path));
    }
    let put = if out.is_some() { new.persist_noclobber(to) } else { new.persist(to) };
    put.map_err(|error| OpenError::io("write to", to)(refused(error.error)))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(OpenError::io("write to", folder))?;
    // Only now: whoever waits to record would else find the old file.
    drop(file);
    Ok(Compacted { calls, after, ..unchanged })
}

/// Why there is no file, with the repair: the system's own words name one that nobody has asked for.
fn refused(error: io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::AlreadyExists => "it is there already: remove it, or write to another",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            "there is no such directory: make it, or choose another"
        }
        io::ErrorKind::PermissionDenied => "that is not allowed: choose another directory",
        _ => return error,
    };
    io::Error::new(error.kind(), why)
}

/// Copies the lines that stay; how many calls did not, and how many bytes did.
fn copy(from: &File, to: &mut NamedTempFile, marks: &Marks) -> io::Result<(u64, u64)> {
    let deleted = |call| marks.of(call).is_some_and(|remarks| remarks.deleted);
    let mut lines = BufReader::with_capacity(256 * 1024, from);
    let mut to = BufWriter::with_capacity(256 * 1024, to);
    let (mut line, mut scratch) = (Vec::new(), Vec::new());
    let (mut calls, mut bytes) = (0, 0);
    while lines.read_until(b'\n', &mut line)? > 0 {
        let head = format::head(&line, &mut scratch).ok().flatten().map(|head| head.id);
        let gone = match head {
            Some(call) => deleted(call),
            None => Annotation::decode(&line).is_some_and(|said| deleted(said.call)),
        };
        if gone {
            calls += u64::from(head.is_some());
        } else {
            to.write_all(&line)?;
            bytes += line.len() as u64;
        }
        line.clear();
    }
    to.flush()?;
    Ok((calls, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::testing::call;
    use crate::recording::{Change, Options, Recorder};

    /// Three calls, the second one deleted, both the others annotated, with a line that nobody knows.
    async fn recording(path: &Path) -> Vec<String> {
        let (recorder, _) = Recorder::open(path, Options::default(), Box::new(|_| {})).unwrap();
        for number in 1..=3 {
            recorder.record(call(number)).await.unwrap();
        }
        let say = |number, change| Annotation { call: call(number).id, at: call(number).at, change };
        recorder.annotate(say(2, Change::Note(Some("away".into())))).await.unwrap();
        recorder.annotate(say(2, Change::Delete(true))).await.unwrap();
        recorder.annotate(say(3, Change::Delete(true))).await.unwrap();
        recorder.annotate(say(3, Change::Delete(false))).await.unwrap();
        recorder.close().await;
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{ \"later\" : 1.0e0 }\n{\"torn").unwrap();
        std::fs::read_to_string(path).unwrap().split_inclusive('\n').map(ToOwned::to_owned).collect()
    }

    #[tokio::test]
    async fn what_was_deleted_is_gone_and_every_other_byte_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let lines = recording(&path).await;
        let wanted: String = [0, 1, 3, 6, 7, 8, 9].map(|line| lines[line].as_str()).concat();
        let before = std::fs::read(&path).unwrap();
        let copy = folder.path().join("copy.jsonl");
        let done = compact(&path, Some(&copy)).unwrap();
        assert_eq!(done, Compacted { calls: 1, before: before.len() as u64, after: wanted.len() as u64 });
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), wanted);
        assert_eq!(std::fs::read(&path).unwrap(), before, "the recording itself is as it was");
        let told = |out: &Path| compact(&path, Some(out)).unwrap_err().to_string();
        assert!(
            told(&copy).ends_with("copy.jsonl: it is there already: remove it, or write to another"),
            "{}",
            told(&copy)
        );
        let nowhere = folder.path().join("none/copy.jsonl");
        assert!(
            told(&nowhere).ends_with("none: there is no such directory: make it, or choose another"),
            "{}",
            told(&nowhere)
        );
        assert_eq!(compact(&path, None).unwrap(), done);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), wanted);
        assert_eq!(compact(&path, None).unwrap().calls, 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left behind");
    }

    #[tokio::test]
    async fn a_packed_recording_is_refused_with_the_repair() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        recording(&path).await;
        let packed = folder.path().join("calls.jsonl.zst");
        std::fs::write(&packed, zstd::encode_all(File::open(&path).unwrap(), 0).unwrap()).unwrap();
        for out in [None, Some(folder.path().join("copy.jsonl"))] {
            let error = compact(&packed, out.as_deref()).unwrap_err().to_string();
            assert!(error.contains("unpack it with `zstd -d`"), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is written");
    }
}
