//! Recordings that were compressed to be kept (`zstd tape.jsonl`): unpacked into a file without a name, which is gone with
//! its reader. A reader jumps to the calls that are shown, and in a compressed file there is no jumping.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::recording::format::{OpenError, ZSTD};

/// What is packed in the file; none where it is not compressed.
pub(super) fn unpacked(file: &File, path: &Path) -> Result<Option<File>, OpenError> {
    let mut beginning = [0; ZSTD.len()];
    match file.read_exact_at(&mut beginning, 0) {
        Ok(()) if beginning == ZSTD => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(OpenError::io("read", path)(error)),
        _ => return Ok(None),
    }
    let plain = tempfile::tempfile().map_err(OpenError::io("make a temporary file to unpack", path))?;
    zstd::stream::copy_decode(file, &plain).map_err(OpenError::io("unpack", path))?;
    Ok(Some(plain))
}
