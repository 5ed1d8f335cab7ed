//! Reads a recording while it may still be written: heads in one pass, a whole call where it is shown.

mod damage;
mod entries;
mod packed;
mod scan;

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use self::damage::{Damage, LineError};
pub use self::entries::{Entries, Position};
pub(super) use self::packed::{begins_as_recording, is_recording};
pub use self::scan::{Batch, scan};
use super::format::{self, DamagedLine, OpenError};
use super::{Marks, Place};
use crate::call::{Call, Id};

/// Which file it is, whatever it is called: device and inode.
pub type Identity = (u64, u64);

/// A recording opened for reading. Takes no lock and never writes.
#[derive(Debug)]
pub struct Reader {
    file: File,
    path: PathBuf,
    identity: Identity,
    begun: Timestamp,
    packed: bool,
    /// What is wrong with the end of what was compressed.
    fault: Option<packed::Fault>,
}

impl Reader {
    /// Opens the recording at `path` and checks its header. One that is compressed with Zstandard is unpacked into the
    /// temporary directory, for as long as it is read.
    ///
    /// # Errors
    /// An [`OpenError`] inside the [`io::Error`]: the file cannot be read, is no recording, or is of a later format.
    pub fn open(path: &Path) -> Result<Self, io::Error> {
        let (file, about) = opened(path)?;
        Self::of(file, &about, path)
    }

    /// As [`Self::open`], of a file that is open already, whatever stands at `path` by now.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub(super) fn of(file: File, about: &Metadata, path: &Path) -> Result<Self, io::Error> {
        let identity = identity(about);
        let unpacked = packed::unpacked(&file, path)?;
        let packed = unpacked.is_some();
        let (file, fault) = unpacked.unwrap_or((file, None));
        let (begun, _) = format::begun(&file, path)?;
        Ok(Self { file, path: path.to_owned(), identity, begun, packed, fault })
    }

    /// Whether the recording at `path` is compressed: as [`Self::open`], but nothing more than its beginning is unpacked.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn check(path: &Path) -> Result<bool, io::Error> {
        let (file, _) = opened(path)?;
        let packed = packed::is_packed(&file).map_err(OpenError::io("read", path))?;
        if packed && is_recording(path) { Ok(true) } else { Self::open(path).map(|reader| reader.is_packed()) }
    }

    /// Whether the recording is compressed. Such a one does not grow.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// Which file was opened: another may stand at its path by now.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the recording began, as its header says; long ago where it does not.
    #[must_use]
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The file's length in bytes, as of now.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn size(&self) -> Result<u64, io::Error> {
        self.file.metadata().map(|about| about.len())
    }

    /// The calls from a position on ([`Position::default`] is the beginning), heads only, in file order.
    #[must_use]
    pub fn entries(&self, from: Position) -> Entries<'_> {
        Entries::new(&self.file, from, u64::MAX).ending_with(self.fault)
    }

    /// As [`Self::entries`], up to `until`: lines that begin at that offset or behind it are left to another.
    #[must_use]
    pub fn entries_until(&self, from: Position, until: u64) -> Entries<'_> {
        Entries::new(&self.file, from, until)
    }

    /// What the whole recording says of its calls. Damage is passed over: whoever reads the calls is told of it.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let mut entries = self.entries(Position::default());
        while entries.next().is_some() {}
        entries.take_annotations().into_iter().collect()
    }

    /// The whole call at `place`.
    ///
    /// # Errors
    /// When it cannot be read, or ([`io::ErrorKind::InvalidData`]) when the line there is damaged; the error names file and
    /// offset.
    pub fn call(&self, place: Place) -> Result<Call, io::Error> {
        self.decode(place)?.map_err(|damage| io::Error::new(io::ErrorKind::InvalidData, self.named(place, &damage)))
    }

    /// The whole call at `place`, or what is wrong with its line.
    ///
    /// # Errors
    /// When it cannot be read; the error names file and offset.
    pub fn decode(&self, place: Place) -> Result<Result<Call, DamagedLine>, io::Error> {
        let mut line = vec![0; place.len as usize];
        self.file
            .read_exact_at(&mut line, place.offset)
            .map_err(|error| io::Error::new(error.kind(), self.named(place, &error)))?;
        Ok(format::decode_shared(line))
    }

    fn named(&self, place: Place, error: &dyn std::fmt::Display) -> String {
        format!("{}, byte {}: {error}", self.path.display(), place.offset)
    }

    /// As [`Self::call`], of a call that was chosen before: `place` is another call's once the file is another one,
    /// `id` never is.
    ///
    /// # Errors
    /// Those of [`Self::call`], and when another call stands there.
    pub fn call_of(&self, id: Id, place: Place) -> Result<Call, io::Error> {
        let another = || {
            let (path, offset) = (self.path.display(), place.offset);
            let told = format!("{path}, byte {offset}: {id} no longer stands there, for the file was replaced");
            io::Error::new(io::ErrorKind::NotFound, told)
        };
        match self.call(place) {
            Ok(call) if call.id == id => Ok(call),
            Ok(_) => Err(another()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof || !self.is_line(place) => Err(another()),
            Err(error) => Err(error),
        }
    }

    /// Whether a line begins and ends where `place` does.
    fn is_line(&self, place: Place) -> bool {
        let is_break = |at: u64| {
            let mut byte = [0];
            self.file.read_exact_at(&mut byte, at).is_ok() && byte == *b"\n"
        };
        place.offset.checked_sub(1).is_none_or(is_break) && is_break(place.offset + u64::from(place.len))
    }
}

/// The file at `path`, if it is one in which one can go back and forth.
fn opened(path: &Path) -> Result<(File, Metadata), OpenError> {
    // Before it is opened: to open a pipe is to wait for who writes to it.
    let is_stream = |about: &Metadata| !about.is_file() && !about.is_dir();
    if std::fs::metadata(path).is_ok_and(|about| is_stream(&about)) {
        let why = "it is a pipe or a device, and there is no going back in it: write what it gives to a file first";
        return Err(OpenError::NotARecording { path: path.to_owned(), why });
    }
    let file = File::open(path).map_err(OpenError::io("open", path))?;
    let about = file.metadata().map_err(OpenError::io("read", path))?;
    Ok((file, about))
}

/// Which file `about` is said of.
#[must_use]
pub fn identity(about: &Metadata) -> Identity {
    (about.dev(), about.ino())
}

#[cfg(test)]
mod tests;
