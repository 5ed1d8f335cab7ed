//! The pass over a file that finds its calls: a window of bytes that moves from newline to newline.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use memchr::memchr;

use super::damage::{Damage, LineError};
use super::packed::Fault;
use crate::recording::format::{self, DamagedLine};
use crate::recording::interner::Interner;
use crate::recording::{Annotation, Entry, Index, Place};

/// What is read at once. A longer line makes the window grow to its length.
const WINDOW: usize = 256 * 1024;

/// Bytes of the longest line: a place has no room for more.
const LONGEST: usize = u32::MAX as usize;

/// Between two lines of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// The number of the line that begins there, from 1.
    pub line: u64,
}

impl Default for Position {
    fn default() -> Self {
        Self { offset: 0, line: 1 }
    }
}

/// The calls of a recording, heads only. After None it may be asked again: it goes on when the file has grown.
///
/// Lines that say something of a call are set aside for [`Entries::take_annotations`]; others that are no calls are passed
/// over. A last line without its newline counts as soon as it is a whole call; until then it is not there yet.
#[derive(Debug)]
pub struct Entries<'a> {
    file: &'a File,
    /// Where the next line begins: in the file, and in the window.
    position: Position,
    start: usize,
    /// Where the line begins that was read last.
    last: Position,
    /// Up to where the window holds bytes of the file, and up to where they have no newline.
    filled: usize,
    searched: usize,
    window: Vec<u8>,
    /// What stands at this offset or behind it is not read.
    until: u64,
    longest: usize,
    names: Interner,
    annotations: Vec<(u64, Annotation)>,
    scratch: Vec<u8>,
    /// Reading failed: that was said, and it would only fail again.
    broken: bool,
    /// What is wrong with the end of what was unpacked, and is not said yet.
    fault: Option<Fault>,
}

/// A whole line.
struct Line {
    /// Its bytes in the window.
    window: Range<usize>,
    /// Those in the file.
    place: Place,
    at: Position,
}

impl<'a> Entries<'a> {
    pub(super) fn new(file: &'a File, from: Position, until: u64) -> Self {
        Self {
            file,
            position: from,
            start: 0,
            last: from,
            filled: 0,
            searched: 0,
            window: vec![0; WINDOW],
            until,
            longest: LONGEST,
            names: Interner::default(),
            annotations: Vec::new(),
            scratch: Vec::new(),
            broken: false,
            fault: None,
        }
    }

    /// Says at the end what is wrong with it, if anything is: it is no writer's then.
    pub(super) fn ending_with(self, fault: Option<Fault>) -> Self {
        Self { fault, ..self }
    }

    /// Where the next line begins, or will: what to hand to [`Reader::entries`] to go on from here.
    ///
    /// [`Reader::entries`]: super::Reader::entries
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The call that was given last cannot be read whole, for this is wrong with its line.
    #[must_use]
    pub fn damaged(&self, damage: &DamagedLine) -> LineError {
        LineError::new(self.last, damage.to_string())
    }

    /// What the lines passed so far say of calls, each with its offset, since this was asked last.
    pub fn take_annotations(&mut self) -> Vec<(u64, Annotation)> {
        std::mem::take(&mut self.annotations)
    }

    /// How many bytes of a line that is not whole stand at the end, after None was returned: one being written, or the
    /// torn last line of a writer that was killed.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        (self.filled - self.start) as u64
    }

    /// The next line's end in the window, and whether it has its newline; of a line that is too long, where it is. None at the
    /// end of the file.
    fn find_line(&mut self) -> io::Result<Option<(usize, bool)>> {
        loop {
            if let Some(found) = memchr(b'\n', &self.window[self.searched..self.filled]) {
                return Ok(Some((self.searched + found, true)));
            }
            self.searched = self.filled;
            if self.filled - self.start > self.longest || self.fill()? == 0 {
                return Ok((self.start < self.filled).then_some((self.filled, false)));
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.filled == self.window.len() {
            if self.start == 0 {
                let most = self.longest.max(WINDOW).saturating_add(1);
                self.window.resize(most.min(2 * self.window.len()), 0);
            } else {
                self.window.copy_within(self.start..self.filled, 0);
                self.filled -= self.start;
                self.searched -= self.start;
                self.start = 0;
            }
        }
        let offset = self.position.offset + (self.filled - self.start) as u64;
        let room = (self.window.len() - self.filled) as u64;
        let room = usize::try_from(room.min(self.until.saturating_sub(offset))).unwrap_or(usize::MAX);
        loop {
            match self.file.read_at(&mut self.window[self.filled..self.filled + room], offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.filled += count;
                    return Ok(count);
                }
            }
        }
    }

    /// Passes over the line that begins here, or rather its rest, as far as that stands before the offset `until` (and what is
    /// read with it). The line's number stays. Nothing of it is held. False: it goes on there.
    pub(super) fn skip_rest(&mut self, until: u64) -> Result<bool, LineError> {
        while self.position.offset < until {
            if let Some(found) = memchr(b'\n', &self.window[self.searched..self.filled]) {
                self.pass(self.searched + found + 1);
                return Ok(true);
            }
            self.pass(self.filled);
            if self.fill().map_err(|error| self.break_off(&error))? == 0 {
                break;
            }
        }
        Ok(false)
    }

    /// Whether reading has failed: that was said, and it would only fail again.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    fn break_off(&mut self, error: &io::Error) -> LineError {
        self.broken = true;
        LineError::new(self.position, format!("cannot read on: {error}"))
    }

    /// The next whole line, or what is wrong with it. The position is behind it then.
    fn line(&mut self) -> Option<Result<Line, LineError>> {
        self.whole_line().or_else(|| {
            let fault = self.fault.take().filter(|_| !self.broken)?;
            let error = LineError::new(self.position, fault.sentence().to_owned());
            self.pass(self.filled);
            Some(Err(error))
        })
    }

    fn whole_line(&mut self) -> Option<Result<Line, LineError>> {
        if self.broken {
            return None;
        }
        let (end, terminated) = match self.find_line() {
            Ok(found) => found?,
            Err(error) => return Some(Err(self.break_off(&error))),
        };
        let line = self.start..end;
        let here = self.position;
        self.last = here;
        if line.len() > self.longest {
            self.pass(end);
            let passed = self.skip_rest(u64::MAX);
            self.position.line += u64::from(matches!(passed, Ok(true)));
            return Some(Err(passed.err().unwrap_or_else(|| LineError::new(here, "longer than 4 GiB".into()))));
        }
        if !terminated {
            let line = &self.window[line.clone()];
            if !line.ends_with(b"}") || !format::is_whole(line) {
                return None;
            }
        }
        self.pass(end + usize::from(terminated));
        self.position.line += u64::from(terminated);
        let len = u32::try_from(line.len()).unwrap_or(u32::MAX);
        Some(Ok(Line { window: line, place: Place { offset: here.offset, len }, at: here }))
    }

    fn pass(&mut self, next: usize) {
        self.position.offset += (next - self.start) as u64;
        self.start = next;
        self.searched = next;
    }

    /// Sets aside what a line says of a call, if it does.
    fn note(&mut self, line: Range<usize>, place: Place) {
        let said = Annotation::decode(&self.window[line]);
        self.annotations.extend(said.map(|said| (place.offset, said)));
    }

    /// Adds the call of the next line to `index`, or what is wrong with it to `damaged`. False at the end of the file,
    /// and where it cannot be read on.
    pub(super) fn add_next(&mut self, index: &mut Index, damaged: &mut Damage) -> bool {
        match self.line() {
            None => return false,
            Some(Err(error)) => drop(damaged.push(error)),
            Some(Ok(Line { window, place, at })) => match format::head(&self.window[window.clone()], &mut self.scratch)
            {
                Ok(Some(head)) => index.push(&head.entry(place)),
                Ok(None) => self.note(window, place),
                Err(error) => drop(damaged.push(LineError::new(at, error.to_string()))),
            },
        }
        !self.broken
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Line { window, place, at } = match self.line()? {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            match format::head(&self.window[window.clone()], &mut self.scratch) {
                Ok(Some(head)) => return Some(Ok(head.entry(place).map(|text| self.names.share(text)))),
                Ok(None) => self.note(window, place),
                Err(error) => return Some(Err(LineError::new(at, error.to_string()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::recording::testing::call;
    use crate::recording::{encode, format};

    fn file(lines: &[&[u8]]) -> (File, u64) {
        let header = format::header(Timestamp::UNIX_EPOCH).into_bytes();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [header.clone(), lines.concat()].concat()).unwrap();
        (File::open(file.path()).unwrap(), header.len() as u64)
    }

    #[test]
    fn of_a_line_that_is_too_long_nothing_more_is_held_than_is_allowed() {
        let long = "x".repeat(3_000_000);
        for (end, after) in [("\n", 4), ("", 3)] {
            let (file, header) = file(&[&encode(&call(1)), long.as_bytes(), end.as_bytes()]);
            let mut entries = Entries { longest: 300_000, ..Entries::new(&file, Position::default(), u64::MAX) };
            assert_eq!(entries.next().unwrap().unwrap().id, call(1).id);
            let told = entries.next().unwrap().unwrap_err();
            let offset = header + encode(&call(1)).len() as u64;
            assert_eq!((told.line, told.offset, &*told.message), (3, offset, "longer than 4 GiB"));
            assert_eq!((entries.window.len(), entries.position().line), (300_001, after));
            assert!(entries.next().is_none() && entries.unfinished() == 0);
        }
        let (file, _) = file(&[long.as_bytes(), b"\n", &encode(&call(2))]);
        let mut entries = Entries { longest: 300_000, ..Entries::new(&file, Position::default(), u64::MAX) };
        assert_eq!(entries.by_ref().filter_map(Result::ok).map(|entry| entry.id).collect::<Vec<_>>(), [call(2).id]);
        assert_eq!(entries.position().line, 4);
    }

    #[test]
    fn what_is_passed_over_is_neither_held_nor_read_to_its_end() {
        let long = "x".repeat(3_000_000);
        let (file, header) = file(&[long.as_bytes(), b"\n", &encode(&call(2))]);
        let mut entries = Entries::new(&file, Position { offset: header, line: 1 }, u64::MAX);
        assert_eq!(entries.skip_rest(1_000_000), Ok(false));
        assert!((1_000_000..1_500_000).contains(&entries.position().offset), "{:?}", entries.position());
        assert_eq!(entries.skip_rest(u64::MAX), Ok(true));
        assert_eq!((entries.position().line, entries.window.len()), (1, WINDOW));
        assert_eq!(entries.next().unwrap().unwrap().id, call(2).id);
    }
}
