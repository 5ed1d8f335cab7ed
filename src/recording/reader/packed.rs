//! Recordings that were compressed to be kept (`zstd tape.jsonl`): unpacked into a file without a name, which is gone with
//! its reader. A reader jumps to the calls that are shown, and in a compressed file there is no jumping.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::recording::format::{OpenError, ZSTD};

/// A file of some KiB can unpack to more than any disk holds. So much room is left on it, in bytes.
const SPARE: u64 = 256 << 20;

/// How much is unpacked before the room is looked at again, in bytes.
const STEP: u64 = 16 << 20;

/// What is packed in the file; none where it is not compressed.
pub(super) fn unpacked(file: &File, path: &Path) -> Result<Option<File>, OpenError> {
    let mut beginning = [0; ZSTD.len()];
    match file.read_exact_at(&mut beginning, 0) {
        Ok(()) if beginning == ZSTD => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(OpenError::io("read", path)(error)),
        _ => return Ok(None),
    }
    let plain = tempfile::tempfile().map_err(OpenError::io("make a temporary file to unpack", path))?;
    let unpacked = zstd::Decoder::new(file).and_then(|packed| unpack(packed, &plain, room));
    unpacked.map_err(OpenError::io("unpack", path))?;
    Ok(Some(plain))
}

/// Copies all of `packed` as long as there is room.
fn unpack(mut packed: impl Read, mut plain: &File, room: impl Fn(&File) -> io::Result<u64>) -> io::Result<()> {
    while room(plain)? > SPARE + STEP {
        if io::copy(&mut packed.by_ref().take(STEP), &mut plain)? < STEP {
            return Ok(());
        }
    }
    let folder = std::env::temp_dir();
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        format!("it would fill up {}: set TMPDIR to a directory with more room", folder.display()),
    ))
}

/// What may still be written to the disk that `file` is on, in bytes.
fn room(file: &File) -> io::Result<u64> {
    let disk = rustix::fs::fstatvfs(file)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fill_up_the_disk_is_not_unpacked() {
        let bomb = zstd::encode_all(io::repeat(b'\n').take(8 * STEP), 3).unwrap();
        assert!(bomb.len() < 20_000, "{}", bomb.len());
        let plain = tempfile::tempfile().unwrap();
        let small = SPARE + 3 * STEP;
        let error = unpack(zstd::Decoder::new(&bomb[..]).unwrap(), &plain, |file| Ok(small - file.metadata()?.len()));
        assert!(error.unwrap_err().to_string().contains("set TMPDIR"));
        assert_eq!(plain.metadata().unwrap().len(), 2 * STEP);
    }
}
