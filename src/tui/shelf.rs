//! The recordings of the data directory, looked up and removed off the loop.

use std::path::Path;

use tokio::runtime::Handle;

use crate::app::event::{Event, Notice};
use crate::recording::{self, Kept};
use crate::tui::world::{Busy, Message, World};
use crate::visible;

impl World {
    /// Removes a recording, and lists those that are there then.
    pub(super) fn shelf(&self, remove: Option<Kept>, busy: Busy) {
        let (events, tape, data) = (self.events.clone(), self.tape.clone(), self.data.clone());
        Handle::current().spawn_blocking(move || {
            if let Some(kept) = remove {
                let _ = events.send(Event::Told(removed(&kept, tape.path())).into());
            }
            let found = match data {
                Some(data) => recording::recordings_in(&recording::folder(&data)).map_err(|error| error.to_string()),
                None => Err("there is no home directory that recordings are kept in".to_owned()),
            };
            let _ = events.send(Message::last(Event::Shelf(found), busy));
        });
    }
}

/// Removes a recording unless it is the one that is shown, by whatever name; says what was done.
fn removed(kept: &Kept, shown: &Path) -> Notice {
    let same =
        std::fs::canonicalize(&kept.path).is_ok_and(|path| std::fs::canonicalize(shown).is_ok_and(|s| s == path));
    let name = kept.name();
    if same {
        return Notice::warning(format!("{name} stays: it is on this screen"));
    }
    match kept.remove() {
        Ok(()) => {
            let beside = kept.beside().map_or_else(String::new, |beside| format!(" ({beside})"));
            Notice::info(format!("removed {name}, {}{beside}", visible::size(kept.bytes)))
        }
        Err(error) => Notice::error(format!("not removed: {error}")),
    }
}
