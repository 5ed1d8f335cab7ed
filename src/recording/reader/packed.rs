//! Recordings that were compressed to be kept (`zstd tape.jsonl`): unpacked into a file without a name, which is gone with
//! its reader. A reader jumps to the calls that are shown, and in a compressed file there is no jumping.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::recording::format::{BEGINNING, OpenError, ZSTD, read_header};

/// A file of some KiB can unpack to more than any disk holds. So much room is left on it, in bytes.
const SPARE: u64 = 256 << 20;

/// How much is unpacked before the room is looked at again, in bytes.
const STEP: u64 = 16 << 20;

/// What the library says where something else than a frame begins: all before it was whole.
const NO_FRAME: &str = "Unknown frame descriptor";

/// What is wrong with the end of a compressed recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is missing.
    Early,
    /// It is not what was compressed.
    Damaged,
    /// Something else stands behind it.
    Followed,
}

impl Fault {
    fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Early
        } else if error.to_string() == NO_FRAME {
            Self::Followed
        } else {
            Self::Damaged
        }
    }

    /// What is said of it behind the last call that could be had.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Early => {
                "the compressed file ends too early: whatever stood here and behind it is missing, one call or many; if there \
                 is a whole copy, read that"
            }
            Self::Damaged => {
                "the compressed file cannot be unpacked from here on: whatever stands here and behind it is missing, one call \
                 or many; if there is a whole copy, read that"
            }
            Self::Followed => {
                "the calls before this are whole; behind them the file goes on with something that is not compressed with \
                 Zstandard, and is not read"
            }
        }
    }
}

/// What is packed in the file, with what is wrong with its end; none where it is not compressed.
pub(super) fn unpacked(file: &File, path: &Path) -> Result<Option<(File, Option<Fault>)>, OpenError> {
    if !is_packed(file).map_err(OpenError::io("read", path))? {
        return Ok(None);
    }
    let plain = tempfile::tempfile().map_err(OpenError::io("make a temporary file to unpack", path))?;
    let unpacked = zstd::Decoder::new(file).and_then(|packed| unpack(packed, &plain, room));
    let fault = unpacked.map_err(OpenError::io("unpack", path))?;
    Ok(Some((plain, fault)))
}

/// Whether a file is a recording, as its beginning has it: nothing more of it is unpacked.
pub fn is_recording(path: &Path) -> bool {
    let looked = regular(path)
        .and_then(|file| if is_packed(&file)? { begins(&file) } else { Ok(read_header(&file, path)?).map(|_| true) });
    looked.unwrap_or(false)
}

/// Whether a file begins as recordings do, also where it cannot be read as one: it is of a later version, say.
pub fn begins_as_recording(path: &Path) -> bool {
    regular(path).and_then(|file| begins(&file)).unwrap_or(false)
}

/// The file, if it is a regular one: to open a pipe is to wait for who writes to it.
fn regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn begins(mut file: &File) -> io::Result<bool> {
    let mut beginning = [0; BEGINNING.len()];
    if is_packed(file)? {
        zstd::Decoder::new(file)?.read_exact(&mut beginning)?;
    } else {
        file.read_exact(&mut beginning)?;
    }
    Ok(beginning == BEGINNING)
}

pub(super) fn is_packed(file: &File) -> io::Result<bool> {
    let mut beginning = [0; ZSTD.len()];
    match file.read_exact_at(&mut beginning, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| beginning == ZSTD),
    }
}

/// Copies all of `packed` as long as there is room. Where its end is missing or damaged, or something else stands behind it, what
/// can be had is what there is.
fn unpack(
    mut packed: impl Read,
    mut plain: &File,
    room: impl Fn(&File) -> io::Result<u64>,
) -> io::Result<Option<Fault>> {
    while room(plain)? > SPARE + STEP {
        match io::copy(&mut packed.by_ref().take(STEP), &mut plain) {
            Ok(STEP) => {}
            Ok(_) => return Ok(None),
            // What the system says, of a disk say, is no fault of what is packed.
            Err(error) if error.raw_os_error().is_none() && plain.metadata()?.len() > 0 => {
                return Ok(Some(Fault::of(&error)));
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
        use std::ops::ControlFlow;

        use crate::recording::{Position, Reader, encode, format, scan, testing::call};

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
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        let first = text.split_inclusive(|byte| *byte == b'\n').take(lines / 2).map(<[u8]>::len).sum();
        let framed = [&text[..first], &text[first..]].map(|part| zstd::encode_all(part, 0).unwrap());
        // Cut within a line, and between two: one frame is whole then.
        for cut in [&packed[..packed.len() / 2], &framed.concat()[..framed[0].len() + 9]] {
            std::fs::write(&path, cut).unwrap();
            assert!(is_recording(&path) && Reader::check(&path).unwrap());
            let reader = Reader::open(&path).unwrap();
            let mut entries = reader.entries(Position::default());
            let (calls, damaged): (Vec<_>, Vec<_>) = entries.by_ref().partition(Result::is_ok);
            assert!((1..2000).contains(&calls.len()) && entries.unfinished() == 0, "{}", calls.len());
            let [Err(told)] = &damaged[..] else { panic!("{damaged:?}") };
            assert!(told.message.contains("the compressed file ends too early"), "{told}");
            let (mut count, mut scanned) = (0, Vec::new());
            scan(&reader, None, |batch| {
                count += if batch.newest { 0 } else { batch.calls.len() };
                scanned.extend_from_slice(batch.damaged.first());
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!((count, &scanned), (calls.len(), &vec![told.clone()]));
        }
        // Whole, and something else behind it.
        for junk in [&b"\n"[..], b"junk\n", &text[..500]] {
            std::fs::write(&path, [&packed[..], junk].concat()).unwrap();
            let reader = Reader::open(&path).unwrap();
            let (calls, damaged): (Vec<_>, Vec<_>) = reader.entries(Position::default()).partition(Result::is_ok);
            let [Err(told)] = &damaged[..] else { panic!("{damaged:?}") };
            assert_eq!((calls.len(), &*told.message), (2000, Fault::Followed.sentence()));
            assert!(is_recording(&path) && Reader::check(&path).unwrap());
        }
        // Damaged in the middle.
        let mut damaged = packed.clone();
        damaged[packed.len() / 2..packed.len() / 2 + 64].fill(0xff);
        std::fs::write(&path, damaged).unwrap();
        let last = Reader::open(&path).unwrap().entries(Position::default()).last().unwrap();
        assert_eq!(last.unwrap_err().message, Fault::Damaged.sentence());
        // Nothing of it can be had.
        std::fs::write(&path, &packed[..20]).unwrap();
        assert!(Reader::open(&path).is_err() && !is_recording(&path) && Reader::check(&path).is_err());
        std::fs::write(&path, text).unwrap();
        assert!(!Reader::check(&path).unwrap());
        for (text, (begins, reads)) in
            [("{\"hooktape\":9}\n", (true, false)), ("{\"hoo", (false, false)), ("{\"schema\":1}\n", (false, false))]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!((begins_as_recording(&path), is_recording(&path)), (begins, reads), "{text}");
        }
    }
}
