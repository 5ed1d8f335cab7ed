//! How a file is set aside, and which ones were.
//!
//! ```text
//!  NAME.jsonl.next   made, locked, its header written     where that fails, all is as it was
//!  NAME.jsonl        becomes NAME-3.jsonl
//!  NAME.jsonl.next   becomes NAME.jsonl                   where that fails, NAME-3.jsonl becomes NAME.jsonl again
//! ```
//!
//! So there is always a file to write to. Whoever is killed in the middle leaves a `.next` with no call in it, which the next one
//! to open the recording removes.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::recording::format::{self, OpenError};
use crate::recording::{folder_of, lock};

/// A file that holds nothing but its header, open for appending and locked.
#[derive(Debug)]
pub(super) struct Begun {
    pub file: File,
    /// The header's length.
    pub len: u64,
}

/// A file that is no longer at its path.
#[derive(Debug)]
pub(super) struct Aside {
    /// Where it is now.
    pub path: PathBuf,
    /// The one in its place, or why there is none: somebody else has put one there.
    pub next: Result<Begun, OpenError>,
}

/// The files that the recording at `path` was set aside as, the oldest first; compressed since or not.
#[must_use]
pub fn set_aside(path: &Path) -> Vec<PathBuf> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut found = numbered(&path).unwrap_or_default();
    found.sort_unstable();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Those files with their numbers, in no order.
fn numbered(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let number = |other: &Path| -> Option<u64> {
        let plain = other.extension().filter(|extension| *extension == "zst").map(|_| other.with_extension(""));
        let other = plain.as_deref().unwrap_or(other);
        let stem = other.file_stem()?.as_encoded_bytes();
        let number = stem.strip_prefix(path.file_stem()?.as_encoded_bytes())?.strip_prefix(b"-")?;
        let number = str::from_utf8(number).ok().filter(|_| other.extension() == path.extension())?;
        number.parse().ok()
    };
    let beside = fs::read_dir(folder_of(path))?.map(|entry| entry.map(|entry| entry.path()));
    beside.filter_map(|path| path.map(|path| Some((number(&path)?, path))).transpose()).collect()
}

/// `NAME-N.jsonl` with a number above all that there are, so that their order is that of their calls; what was compressed counts.
fn free(path: &Path) -> io::Result<PathBuf> {
    let highest = numbered(path)?.into_iter().map(|(number, _)| number).max().unwrap_or_default();
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", highest.saturating_add(1)));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Ok(path.with_file_name(name))
}

/// Where the file is made that is to be at `path`.
fn next(path: &Path) -> PathBuf {
    let mut next = OsString::from(path);
    next.push(".next");
    next.into()
}

/// Sets the recording at `path`, which is locked here, aside, and puts another in its place.
///
/// # Errors
/// When either cannot be. Then it is where it was.
pub(super) fn replace(path: &Path, now: Timestamp) -> Result<Aside, OpenError> {
    let next = next(path);
    let begun = begin(&next, now)?;
    let aside = free(path).map_err(OpenError::io("read", folder_of(path)));
    let moved = aside.and_then(|aside| {
        rename(path, &aside).map_err(OpenError::io("rename it to", &aside))?;
        Ok(aside)
    });
    let aside = moved.inspect_err(|_| drop(fs::remove_file(&next)))?;
    let Err(error) = rename(&next, path).map_err(OpenError::io("create", path)) else {
        return Ok(Aside { path: aside, next: Ok(begun) });
    };
    let _ = fs::remove_file(&next);
    match rename(&aside, path) {
        Ok(()) => Err(error),
        Err(_) => Ok(Aside { path: aside, next: Err(error) }),
    }
}

/// Makes a recording without a call where nothing is.
fn begin(path: &Path, now: Timestamp) -> Result<Begun, OpenError> {
    let how = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path);
    let mut file = how.map_err(OpenError::io("create", path))?;
    let header = format::header(now);
    let written =
        lock(&file, path).and_then(|()| file.write_all(header.as_bytes()).map_err(OpenError::io("write to", path)));
    written.inspect_err(|_| drop(fs::remove_file(path)))?;
    Ok(Begun { file, len: header.len() as u64 })
}

/// Renames a file where nothing is called so.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows how.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// Removes what somebody who was killed has made to put it in the place of the recording at `path`, which is locked here.
pub(super) fn clear(path: &Path) {
    let next = next(path);
    if is_blank(&next).unwrap_or(false) {
        // It is in the way only when this recording is to be set aside, and then it is told.
        let _ = fs::remove_file(next);
    }
}

/// Whether a file is a recording without a call, whole or not, that nobody has locked.
fn is_blank(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(false);
    }
    let file = File::open(path)?;
    if file.try_lock().is_err() {
        return Ok(false);
    }
    let mut content = Vec::new();
    (&file).take(super::tail::TORN_HEADER).read_to_end(&mut content)?;
    let line = content.strip_suffix(b"\n").unwrap_or(&content);
    Ok(file.metadata()?.len() == content.len() as u64 && !line.contains(&b'\n') && format::is_torn_header(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_above_all_that_there_are() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name(&free(&path).unwrap()), "w-1.jsonl");
        for other in ["w-2.jsonl", "w-10.jsonl.zst", "w-x.jsonl", "w-99.txt", "v-50.jsonl", "w-77.jsonl.torn"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        assert_eq!(name(&free(&path).unwrap()), "w-11.jsonl");
        assert_eq!(set_aside(&path).iter().map(|path| name(path)).collect::<Vec<_>>(), ["w-2.jsonl", "w-10.jsonl.zst"]);
        let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.jsonl"));
        let first = free(&odd).unwrap();
        fs::write(&first, "").unwrap();
        assert_ne!(free(&odd).unwrap(), first, "what a name has need not be text");
    }

    #[test]
    fn where_no_other_can_be_made_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        fs::write(&path, "calls").unwrap();
        fs::write(next(&path), "somebody's own").unwrap();
        clear(&path);
        let error = replace(&path, Timestamp::now()).unwrap_err().to_string();
        assert!(error.contains("cannot create ") && error.contains("w.jsonl.next: "), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "calls");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_killed_one_leaves_is_cleared_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        let header = format::header(Timestamp::now());
        for end in [0, 5, header.len() - 1, header.len()] {
            fs::write(next(&path), &header[..end]).unwrap();
            clear(&path);
            assert!(!next(&path).exists(), "{end}");
        }
        fs::write(next(&path), &header).unwrap();
        let held = File::open(next(&path)).unwrap();
        held.try_lock().unwrap();
        clear(&path);
        assert!(next(&path).exists(), "somebody is about to put it in its place");
        drop(held);
        fs::write(next(&path), format!("{header}{{}}\n")).unwrap();
        clear(&path);
        assert!(next(&path).exists(), "there may be a call in it");
    }
}
