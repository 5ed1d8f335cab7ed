//! Recordings that were compressed to be kept (`zstd tape.jsonl`): unpacked into a file without a name, which is gone with
//! its reader. A reader jumps to the calls that are shown, and in a compressed file there is no jumping.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::recording::format::{BEGINNING, OpenError, ZSTD, read_header};

/// A file of some KiB can unpack to more than any disk holds. So much room is left on it, in bytes.
const SPARE: u64 = 256 << 20;

/// How much is unpacked before the room is looked at again, in bytes.
const STEP: u64 = 16 << 20;

/// What is packed in the file; none where it is not compressed.
pub(super) fn unpacked(file: &File, path: &Path) -> Result<Option<File>, OpenError> {
    if !is_packed(file).map_err(OpenError::io("read", path))? {
        return Ok(None);
    }
    let plain = tempfile::tempfile().map_err(OpenError::io("make a temporary file to unpack", path))?;
    let unpacked = zstd::Decoder::new(file).and_then(|packed| unpack(packed, &plain, room));
    unpacked.map_err(OpenError::io("unpack", path))?;
    Ok(Some(plain))
}

/// Whether a file is a recording, as its beginning has it: nothing more of it is unpacked.
pub fn is_recording(path: &Path) -> bool {
    let looked = File::open(path).and_then(|file| {
        if !is_packed(&file)? {
            return Ok(read_header(&file, path)?).map(|_| true);
        }
        let mut beginning = [0; BEGINNING.len()];
        zstd::Decoder::new(&file)?.read_exact(&mut beginning)?;
        Ok(beginning == BEGINNING)
    });
    looked.unwrap_or(false)
}

pub(super) fn is_packed(file: &File) -> io::Result<bool> {
    let mut beginning = [0; ZSTD.len()];
    match file.read_exact_at(&mut beginning, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| beginning == ZSTD),
    }
}

/// Copies all of `packed` as long as there is room. Where its end is missing, what can be had is what there is: it ends
/// within a line, as a recording does whose writer was killed, and is told so.
fn unpack(mut packed: impl Read, mut plain: &File, room: impl Fn(&File) -> io::Result<u64>) -> io::Result<()> {
    while room(plain)? > SPARE + STEP {
        match io::copy(&mut packed.by_ref().take(STEP), &mut plain) {
            Ok(STEP) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && plain.metadata()?.len() > 0 => {
                // The first of the next line, if the cut is between two.
                return plain.write_all(b"{");
            }
            Err(error) => return Err(error),
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

    #[test]
    fn of_a_file_without_its_end_the_whole_calls_are_read() {
        use crate::recording::{Position, Reader, encode, format, testing::call};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl.zst");
        let mut text = format::header(jiff::Timestamp::UNIX_EPOCH).into_bytes();
        for number in 0..2000_u64 {
            let mut call = call(1);
            // What does not shrink to nothing.
            let noise: String =
                (0..40).map(|at| (number * 977 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()).collect();
            call.request.body = noise.into();
            text.extend(encode(&call));
            text.push(b'\n');
        }
        let packed = zstd::encode_all(&text[..], 0).unwrap();
        std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        assert!(is_recording(&path) && Reader::check(&path).unwrap());
        let reader = Reader::open(&path).unwrap();
        let mut entries = reader.entries(Position::default());
        let count = entries.by_ref().map(Result::unwrap).count();
        assert!((1..2000).contains(&count) && entries.unfinished() > 0, "{count}");
        // Nothing of it can be had.
        std::fs::write(&path, &packed[..20]).unwrap();
        assert!(Reader::open(&path).is_err() && !is_recording(&path) && Reader::check(&path).is_err());
        std::fs::write(&path, text).unwrap();
        assert!(!Reader::check(&path).unwrap());
    }
}
