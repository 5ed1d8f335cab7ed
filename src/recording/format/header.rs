//! The first line of a recording, and why a file cannot be opened as one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use memchr::memchr;
use serde::Deserialize;

/// The version of the format this program writes, and the newest that it reads.
pub const VERSION: u64 = 1;

/// A header line is short; a file whose first newline is further off is something else.
const LONGEST: usize = 64 * 1024;

#[derive(Deserialize)]
struct Header {
    hooktape: u64,
    #[serde(default)]
    created: serde_json::Value,
}

/// How every header begins.
pub const BEGINNING: [u8; 12] = *b"{\"hooktape\":";

/// How a file that is compressed with Zstandard begins (RFC 8878, section 3.1.1).
pub const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why a file cannot be opened as a recording.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error("cannot {doing} {path}: {}", reason(doing, error))]
    Io {
        /// What was tried: `create`, `lock`, ...
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Another process is recording to it.
    #[error("another hooktape records to {0}: stop that one first, or name another file")]
    InUse(PathBuf),
    /// It is not what it was when it was looked at.
    #[error("{0} was recorded to or replaced since it was looked at, and stays as it is: look at it again")]
    Changed(PathBuf),
    /// It is something else.
    #[error("{path} is not a recording: {why}")]
    NotARecording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It was made by a later version of this program.
    #[error(
        "{path} is in recording format {version}, which is newer than this hooktape reads ({VERSION}): update hooktape"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format's version.
        version: u64,
    },
}

/// The system's reason, with the repair where there is one.
fn reason(doing: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "no space left: make room, and try again".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem if doing == "remove" => {
            "the file system is read-only: mount it to be written to first".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem if doing == "create" => {
            "the file system is read-only: name a file elsewhere".to_owned()
        }
        // Who has opened a recording can name no other: a copy of it can be opened.
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: name a file elsewhere, a copy of this one say".to_owned()
        }
        _ => error.to_string(),
    }
}

impl OpenError {
    /// Makes an [`OpenError::Io`] of the system's reason.
    pub(in crate::recording) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), error }
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            OpenError::Io { error, .. } => error.kind(),
            OpenError::InUse(_) | OpenError::Changed(_) => io::ErrorKind::WouldBlock,
            OpenError::NotARecording { .. } | OpenError::Newer { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// A recording's first line, with its newline.
pub fn header(created: Timestamp) -> String {
    let by = concat!("hooktape ", env!("CARGO_PKG_VERSION"));
    format!("{{\"hooktape\":{VERSION},\"created\":\"{created:.6}\",\"by\":\"{by}\"}}\n")
}

/// Reads and checks the header; its length with the newline.
pub fn read_header(file: &File, path: &Path) -> Result<u64, OpenError> {
    Ok(begun(file, path)?.1)
}

/// Reads and checks the header: when the recording began, which is long ago if it does not say so, and the header's length
/// with the newline.
pub fn begun(file: &File, path: &Path) -> Result<(Timestamp, u64), OpenError> {
    let not = |why| OpenError::NotARecording { path: path.to_owned(), why };
    let mut line = vec![0; LONGEST];
    let mut filled = 0;
    let end = loop {
        let count = match file.read_at(&mut line[filled..], filled as u64) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(OpenError::io("read", path))?,
        };
        if let Some(end) = memchr(b'\n', &line[filled..filled + count]) {
            break filled + end;
        }
        filled += count;
        if count == 0 {
            return Err(not(if filled == 0 { "it is empty" } else { no_header(&line) }));
        }
    };
    match serde_json::from_slice(&line[..end]) {
        Ok(Header { hooktape: 0, .. }) | Err(_) => Err(not(no_header(&line))),
        Ok(Header { hooktape: 1..=VERSION, created }) => {
            let created = created.as_str().and_then(|created| created.parse().ok());
            Ok((created.unwrap_or_default(), end as u64 + 1))
        }
        Ok(Header { hooktape: version, .. }) => Err(OpenError::Newer { path: path.to_owned(), version }),
    }
}

/// What to say of a file that begins with something else.
fn no_header(beginning: &[u8]) -> &'static str {
    if beginning.starts_with(&ZSTD) {
        "it is compressed, and only to be read so: unpack it with `zstd -d` to record to it"
    } else {
        "its first line is not a header"
    }
}

/// Whether a file's whole content is the beginning of a header of this version: its writer was killed at once.
pub fn is_torn_header(content: &[u8]) -> bool {
    let version = format!("{VERSION},");
    match content.strip_prefix(&BEGINNING) {
        Some(rest) => version.as_bytes().starts_with(rest) || rest.starts_with(version.as_bytes()),
        None => BEGINNING.starts_with(content),
    }
}
