//! The end of a recording whose writer was killed: found, kept aside, cut off.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use memchr::memrchr;

use super::Torn;
use crate::recording::format::{self, OpenError};

/// No header that a killed writer left is longer, in bytes.
pub(super) const TORN_HEADER: u64 = 4096;

/// Checks that `file` is a recording (or empty) and makes it end with a whole line. What is cut off is first added to
/// `PATH.torn`. `file` must be open for appending, and locked.
pub fn mend(mut file: &File, path: &Path) -> Result<Option<Torn>, OpenError> {
    let len = file.metadata().map_err(OpenError::io("read", path))?.len();
    if len == 0 {
        return Ok(None);
    }
    let header = match format::read_header(file, path) {
        Ok(header) => header,
        Err(error) => {
            // In a longer file there is more than a header, and nothing of that may be cut off.
            if len > TORN_HEADER {
                return Err(error);
            }
            let content = read(file, 0, len).map_err(OpenError::io("read", path))?;
            let torn = !content.contains(&b'\n') && format::is_torn_header(&content);
            return if torn { cut(file, path, 0, &content).map(Some) } else { Err(error) };
        }
    };
    let (start, line) = last_line(file, len).map_err(OpenError::io("read", path))?;
    if start < header || format::is_whole(&line) {
        if !line.ends_with(b"\n") {
            // Only the newline is missing: the call is whole.
            file.write_all(b"\n").map_err(OpenError::io("write to", path))?;
        }
        return Ok(None);
    }
    cut(file, path, start, &line).map(Some)
}

/// Where what is cut off a recording's end is kept.
pub fn torn_path(path: &Path) -> PathBuf {
    let mut kept_in = OsString::from(path);
    kept_in.push(".torn");
    kept_in.into()
}

/// The last line with its newline, if it has one, and where it begins.
fn last_line(file: &File, len: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut start = len;
    let mut line = Vec::new();
    let mut step = 64 * 1024;
    while start > 0 {
        let from = start.saturating_sub(step);
        let mut bytes = read(file, from, start - from)?;
        // The newline at the very end is this line's own.
        let searched = if start == len { &bytes[..bytes.len() - 1] } else { &bytes };
        let found = memrchr(b'\n', searched);
        let tail = bytes.split_off(found.map_or(0, |newline| newline + 1));
        start -= tail.len() as u64;
        line.splice(..0, tail);
        if found.is_some() {
            break;
        }
        step *= 2;
    }
    Ok((start, line))
}

fn read(file: &File, from: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

/// Cuts `torn`, the end of the file, off at `start`, after it is safe elsewhere.
fn cut(file: &File, path: &Path, start: u64, torn: &[u8]) -> Result<Torn, OpenError> {
    let kept_in = torn_path(path);
    let mut kept = torn.to_vec();
    if !torn.ends_with(b"\n") {
        kept.push(b'\n');
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&kept_in)
        .and_then(|mut aside| aside.write_all(&kept).and_then(|()| aside.sync_data()))
        .map_err(OpenError::io("keep the torn last line in", &kept_in))?;
    file.set_len(start).map_err(OpenError::io("cut the torn last line off", path))?;
    Ok(Torn { bytes: torn.len() as u64, kept_in })
}
