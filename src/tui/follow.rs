//! Reads on in a recording that another process appends to, or we ourselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::event::{Event, Notice};
use crate::recording::{Identity, Position, Reader, Recorded};
use crate::tui::tape::{Shown, Tape, look};

/// Most calls read at once, so that the screen shows how it goes on.
const MOST: usize = 512;

/// Bytes of them that are enough.
const MOST_BYTES: u64 = 4 << 20;

/// How far a recording was read.
#[derive(Debug)]
pub struct Follower {
    tape: Arc<Tape>,
    position: Position,
    /// What is wrong: said once.
    trouble: Option<String>,
}

impl Follower {
    /// A follower that has read nothing yet.
    #[must_use]
    pub fn new(tape: Arc<Tape>) -> Self {
        Self { tape, position: Position::default(), trouble: None }
    }

    /// Goes on from `position`, up to which another has read.
    pub fn skip_to(&mut self, position: Position) {
        self.position = position;
    }

    /// Some of what was written since. Empty when there is no more.
    #[must_use]
    pub fn read_on(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let path = self.tape.path().display();
        let Some((identity, size)) = look(self.tape.path()) else {
            let gone = format!("{path} was removed or moved: what was read of it stays here until there is one again");
            self.say(gone, &mut events);
            return events;
        };
        let replaced = |file| self.tape.shown().is_none_or(|shown| shown.file != file);
        if self.position.offset == size && !replaced(identity) && self.trouble.is_none() {
            return events;
        }
        // By now it may be yet another file that is there.
        let opened = Reader::open(self.tape.path()).and_then(|reader| Ok((reader.size()?, reader)));
        let (size, reader) = match opened {
            Ok(opened) => opened,
            // Whoever begins another one is about to.
            Err(_) if size == 0 && replaced(identity) => return events,
            Err(error) => {
                self.say(format!("cannot read on: {error}"), &mut events);
                return events;
            }
        };
        if self.trouble.take().is_some() {
            events.push(Event::Told(Notice::info(format!("{path} is there again: it is read on"))));
        }
        let now = Shown::of(&reader);
        let (replaced, shorter) = (replaced(now.file), size < self.position.offset);
        let another = self.tape.shown().is_none_or(|shown| shown.differs(&now));
        // Only now: as long as there is nothing to show instead, what was read stays.
        if another || shorter {
            let aside = self.tape.shown().filter(|_| replaced).and_then(|shown| beside(self.tape.path(), shown.file));
            let what = match &aside {
                Some(aside) => format!("was set aside as {}, and another begun", aside.display()),
                None if another && !replaced => "was overwritten with another".to_owned(),
                None if another => "was replaced by another file".to_owned(),
                None => "was cut short".to_owned(),
            };
            events.push(Event::Recorded(Recorded::Reopened {
                reason: format!("{path} {what}: read anew"),
                kept: 0,
                aside,
            }));
            self.tape.show(now);
            self.position = Position::default();
        }
        self.read(&reader, size, &mut events);
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
            let read = found.map_err(|damage| format!("{}, {damage}", reader.path().display())).and_then(|entry| {
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
        if self.trouble.as_ref() != Some(&trouble) {
            events.push(Event::Told(Notice::error(trouble.clone())));
            self.trouble = Some(trouble);
        }
    }
}

/// Where in its folder the file is that was at `path`.
fn beside(path: &Path, wanted: Identity) -> Option<PathBuf> {
    // A link leads to the folder that it is in.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut paths = std::fs::read_dir(folder).ok()?.flatten().map(|entry| path.with_file_name(entry.file_name()));
    paths.find(|path| look(path).is_some_and(|(identity, _)| identity == wanted))
}
