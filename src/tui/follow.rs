//! Reads on in a recording that another process appends to.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::app::event::{Event, Notice};
use crate::recording::{Position, Reader, Recorded};
use crate::tui::tape::Tape;

/// Most calls read at once, so that the screen shows how it goes on.
const MOST: usize = 512;

/// Bytes of them that are enough.
const MOST_BYTES: u64 = 4 << 20;

/// How far a recording was read, and which file that was.
#[derive(Debug)]
pub struct Follower {
    tape: Arc<Tape>,
    position: Position,
    /// Device and inode; none while there is no such file.
    identity: Option<(u64, u64)>,
    /// What was wrong last: said once.
    trouble: String,
}

impl Follower {
    /// A follower that has read nothing yet.
    #[must_use]
    pub fn new(tape: Arc<Tape>) -> Self {
        let identity = look(tape.path()).map(|(identity, _)| identity);
        Self { tape, position: Position::default(), identity, trouble: String::new() }
    }

    /// Goes on from `position`, up to which another has read.
    pub fn skip_to(&mut self, position: Position) {
        self.position = position;
    }

    /// Some of what was written since, but for what our own recorder writes, which tells of it itself. Empty when there is
    /// no more.
    #[must_use]
    pub fn read_on(&mut self) -> Vec<Event> {
        let Some((identity, size)) = look(self.tape.path()) else { return Vec::new() };
        let path = self.tape.path().display();
        let another = self.identity != Some(identity);
        let mut events = Vec::new();
        if another || size < self.position.offset {
            let what = if another { "was replaced by another file" } else { "was cut short" };
            events.push(Event::Recorded(Recorded::Reopened { reason: format!("{path} {what}: read anew"), kept: 0 }));
            self.identity = Some(identity);
            self.position = Position::default();
        }
        // In this order: what our recorder had written when the size was taken stands behind its beginning.
        let until = size.min(self.tape.begins());
        if self.position.offset >= until {
            return events;
        }
        match Reader::open(self.tape.path()) {
            Ok(reader) => self.read(&reader, until, &mut events),
            Err(error) => self.say(error.to_string(), &mut events),
        }
        events
    }

    fn read(&mut self, reader: &Reader, until: u64, events: &mut Vec<Event>) {
        let mut entries = reader.entries_until(self.position, until);
        let begun = self.position.offset;
        for _ in 0..MOST {
            if entries.position().offset > begun + MOST_BYTES {
                break;
            }
            let Some(found) = entries.next() else { break };
            let read = found.map_err(|damage| damage.to_string()).and_then(|entry| {
                let call = reader.call(entry.place).map_err(|error| error.to_string())?;
                Ok(Recorded::Call(Arc::new(call), entry.place))
            });
            events.push(match read {
                Ok(call) => Event::Recorded(call),
                Err(damage) => Event::Told(Notice::warning(damage)),
            });
        }
        let said = entries.take_annotations();
        if !said.is_empty() {
            events.push(Event::Annotated(said));
        }
        self.position = entries.position();
    }

    fn say(&mut self, trouble: String, events: &mut Vec<Event>) {
        if self.trouble != trouble {
            events.push(Event::Told(Notice::error(format!("cannot read on: {trouble}"))));
            self.trouble = trouble;
        }
    }
}

/// Which file there is, and its length in bytes.
fn look(path: &Path) -> Option<((u64, u64), u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some(((about.dev(), about.ino()), about.len()))
}
