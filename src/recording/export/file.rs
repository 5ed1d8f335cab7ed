//! The file that is exported to: only its owner may read it, and it has its name once it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::recording::reader::begins_as_recording;
use crate::recording::{folder_of, is_recorded_to};

/// A file that is being written beside its place. Dropped, it was never there.
#[derive(Debug)]
pub struct ExportFile {
    path: PathBuf,
    replace: bool,
    /// Whether it takes no recording's place, whatever else it replaces.
    spares_recordings: bool,
    out: BufWriter<NamedTempFile>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is a file of that name, which nobody wants replaced.
    #[error("{} is there already: remove it, or write to another", .0.display())]
    Taken(PathBuf),
    /// There is a recording of that name, to which a process records now.
    #[error("{} is being recorded to: write to another", .0.display())]
    InUse(PathBuf),
    /// There is a recording of that name.
    #[error("{} is a recording, and calls are removed only when that is asked for: write to another", .0.display())]
    Recording(PathBuf),
    /// There is something of that name that a file cannot take the place of.
    #[error("{} is no file: name one, say one in it", .0.display())]
    NoFile(PathBuf),
    /// The directory is not there.
    #[error("there is no directory {}: make it, or choose another", .0.display())]
    NoFolder(PathBuf),
    /// The directory does not let us write.
    #[error("{} cannot be written to: choose another directory", .0.display())]
    Denied(PathBuf),
    /// The disk is full.
    #[error("{} is not written, for the disk is full: make room, or choose another", .0.display())]
    Full(PathBuf),
    /// Something else is wrong with it.
    #[error("cannot create {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl ExportFile {
    /// Begins a file for `path`; with `replace` it takes the place of one that is there by then.
    ///
    /// # Errors
    /// When it cannot be there: why, and what to do.
    pub fn begin(path: &Path, replace: bool) -> Result<Self, FileError> {
        match path.metadata() {
            Ok(about) if !about.is_file() => return Err(FileError::NoFile(path.to_owned())),
            Ok(_) if !replace => return Err(FileError::Taken(path.to_owned())),
            // Whoever records to it would go on with a file that has no name any more.
            Ok(_) if File::open(path).is_ok_and(|there| is_recorded_to(&there)) => {
                return Err(FileError::InUse(path.to_owned()));
            }
            _ => {}
        }
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(FileError::NoFile(path.to_owned()));
        }
        let file = NamedTempFile::new_in(folder_of(path)).map_err(|error| FileError::of(path, error))?;
        Ok(Self { path: path.to_owned(), replace, spares_recordings: false, out: BufWriter::new(file) })
    }

    /// Begins a report for `path`: it takes the place of an older one that is there by then, but of no recording.
    ///
    /// # Errors
    /// Those of [`ExportFile::begin`], and when there is a recording.
    pub fn begin_report(path: &Path) -> Result<Self, FileError> {
        let begun = Self::begin(path, true)?;
        spare_recording(path)?;
        Ok(Self { spares_recordings: true, ..begun })
    }

    /// Gives it its name, once it is whole; its length in bytes.
    ///
    /// # Errors
    /// When it cannot have it: another file has it by now, say.
    pub fn keep(self) -> Result<u64, FileError> {
        let Self { path, replace, spares_recordings, out } = self;
        if spares_recordings {
            // A replay sets its own recording aside under names that nobody knows beforehand.
            spare_recording(&path)?;
        }
        let named = |error| FileError::of(&path, error);
        let file = out.into_inner().map_err(|error| named(error.into_error()))?;
        let bytes = file.as_file().metadata().map_err(named)?.len();
        let kept = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        kept.map_err(|error| named(error.error))?;
        Ok(bytes)
    }

    /// What an error in writing it means.
    #[must_use]
    pub fn error(&self, error: io::Error) -> FileError {
        FileError::of(&self.path, error)
    }
}

fn spare_recording(path: &Path) -> Result<(), FileError> {
    if begins_as_recording(path) { Err(FileError::Recording(path.to_owned())) } else { Ok(()) }
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl FileError {
    /// What an error in writing the file at `path` means.
    #[must_use]
    pub fn of(path: &Path, error: io::Error) -> Self {
        let folder = || folder_of(path).to_owned();
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Taken(path.to_owned()),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoFolder(folder()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied(folder()),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path.to_owned()),
            _ => Self::Io { path: path.to_owned(), error },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_there_once_it_is_whole_and_replaces_only_what_it_may() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out.har");
        let write = |replace, keep: bool| {
            let mut file = ExportFile::begin(&path, replace)?;
            file.write_all(b"new").unwrap();
            if keep { file.keep() } else { Ok(0) }
        };
        assert_eq!(write(false, false).unwrap(), 0);
        assert_eq!(home.path().read_dir().unwrap().count(), 0, "what was not kept was never there");
        assert_eq!(write(false, true).unwrap(), 3);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(write(false, true), Err(FileError::Taken(_))));
        std::fs::write(&path, "old and longer").unwrap();
        assert_eq!(write(true, false).unwrap(), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old and longer");
        assert_eq!(write(true, true).unwrap(), 3);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        let recording = std::fs::File::open(&path).unwrap();
        recording.lock().unwrap();
        assert!(matches!(write(true, true), Err(FileError::InUse(_))));
        let late = ExportFile::begin(&home.path().join("late"), false).unwrap();
        std::fs::write(home.path().join("late"), "another's").unwrap();
        assert!(matches!(late.keep(), Err(FileError::Taken(_))), "it came meanwhile");
    }

    #[test]
    fn a_report_takes_the_place_of_another_and_of_no_recording() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("report.json");
        let report = |meanwhile: &str| {
            let mut file = ExportFile::begin_report(&path)?;
            file.write_all(b"{\"schema\":1}").unwrap();
            std::fs::write(&path, meanwhile).unwrap();
            file.keep()
        };
        assert_eq!(report("an older one").unwrap(), 12);
        let recording = "{\"hooktape\":1,\"created\":\"2026-11-21T10:00:00Z\"}\n";
        assert!(matches!(report(recording), Err(FileError::Recording(_))), "it was set aside there meanwhile");
        assert!(matches!(report(""), Err(FileError::Recording(_))), "it was there before");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), recording);
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let error = |path: &str| ExportFile::begin(&home.path().join(path), true).unwrap_err().to_string();
        assert!(error("").ends_with("is no file: name one, say one in it"));
        assert!(error("none/").ends_with("is no file: name one, say one in it"));
        assert!(error("none/x.har").contains("there is no directory"));
        std::fs::write(home.path().join("plain"), "").unwrap();
        assert!(error("plain/x.har").contains("there is no directory"));
        let of = |kind: io::ErrorKind| FileError::of(Path::new("/a/x"), kind.into()).to_string();
        assert_eq!(of(io::ErrorKind::PermissionDenied), "/a cannot be written to: choose another directory");
        assert!(of(io::ErrorKind::StorageFull).contains("the disk is full"));
        assert!(of(io::ErrorKind::InvalidData).starts_with("cannot create /a/x: "));
    }
}
