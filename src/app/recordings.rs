//! The recordings of the data directory: listed, opened, and removed one by one, each asked for by its name.

use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::{Choice, picked};
use crate::app::event::{Effect, Notice};
use crate::app::{App, Setup};
use crate::config::Target;
use crate::recording::export::curl::quote;
use crate::recording::{Kept, Redaction};

/// What the dialog shows.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The recordings, the newest first; none until they are looked up.
    pub kept: Option<Vec<Kept>>,
    /// Which one is meant.
    pub selected: usize,
    /// It is asked whether that one shall go.
    pub removing: bool,
}

impl Shelf {
    /// The recording that is meant.
    #[must_use]
    pub fn chosen(&self) -> Option<&Kept> {
        self.kept.as_ref()?.get(self.selected)
    }
}

/// The command that opens a recording, as a shell reads it.
#[must_use]
pub fn command(kept: &Kept) -> String {
    format!("hooktape open {}", quote(kept.path.as_os_str().as_encoded_bytes()))
}

impl App {
    /// Whether it is the recording on the screen.
    #[must_use]
    pub fn shows(&self, kept: &Kept) -> bool {
        kept.path == self.setup.recording
    }

    pub(super) fn ask_recordings(&mut self) -> Vec<Effect> {
        self.dialogs.push(Dialog::Recordings(Shelf::default()));
        vec![Effect::Shelf { remove: None }]
    }

    /// The recordings are looked up.
    pub(super) fn shelved(&mut self, found: Result<Vec<Kept>, String>) {
        let stored = self.dialogs.iter_mut().find_map(|dialog| match dialog {
            Dialog::Recordings(stored) => Some(stored),
            _ => None,
        });
        let Some(stored) = stored else { return };
        match found {
            Ok(kept) => {
                stored.selected = stored.selected.min(kept.len().saturating_sub(1));
                // What is asked about may be another one now.
                stored.removing = false;
                stored.kept = Some(kept);
            }
            Err(reason) => {
                self.dialogs.retain(|dialog| !matches!(dialog, Dialog::Recordings(_)));
                self.tell(Notice::error(reason));
            }
        }
    }

    /// Shows another recording until the user comes back; by then it may have been marked, or have grown.
    fn visit(&mut self, kept: &Kept) -> Vec<Effect> {
        if self.shows(kept) {
            self.tell(Notice::info("that one is on this screen"));
            return Vec::new();
        }
        // To one that is compressed nothing comes.
        let follow = kept.in_use && kept.path.extension().is_some_and(|extension| extension == "jsonl");
        vec![Effect::Visit { path: kept.path.clone(), follow, to: self.said_target() }, Effect::Shelf { remove: None }]
    }

    /// The chosen target as a command line says it; none where that would give away a password or a token to all who see it.
    fn said_target(&self) -> Option<String> {
        let Target { name, url, .. } = self.target()?;
        let Setup { config, platforms, .. } = &self.setup;
        if config.target(name).is_some() || platforms.endpoints().any(|endpoint| endpoint.name == *name) {
            return Some(name.clone());
        }
        let tells = |redaction: &Redaction| redaction.target(url) != *url;
        (!url.contains(['@', '?']) && !self.redaction.as_deref().is_some_and(tells)).then(|| url.clone())
    }

    pub(super) fn shelf_key(&mut self, action: Option<Action>, mut stored: Shelf) -> Vec<Effect> {
        let removing = std::mem::take(&mut stored.removing);
        let mut effects = Vec::new();
        match (action, stored.chosen().cloned()) {
            (Some(Action::Yes), remove) if removing => effects.push(Effect::Shelf { remove }),
            _ if removing => self.tell(Notice::info("nothing was removed")),
            (Some(Action::RemoveRecording), Some(kept)) if self.shows(&kept) => {
                self.tell(Notice::warning("not removed: it is on this screen"));
            }
            (Some(Action::RemoveRecording), Some(kept)) if kept.in_use => {
                self.tell(Notice::warning("not removed: another process records to it now"));
            }
            (Some(Action::RemoveRecording), chosen) => stored.removing = chosen.is_some(),
            (Some(Action::CopyCommand), chosen) => effects.extend(chosen.map(|kept| Effect::Copy(command(&kept)))),
            (_, chosen) => match picked(action, &mut stored.selected, stored.kept.as_ref().map_or(0, Vec::len)) {
                Choice::Leave => return Vec::new(),
                Choice::Take => effects = chosen.map_or_else(Vec::new, |kept| self.visit(&kept)),
                Choice::Stay => {}
            },
        }
        self.dialogs.push(Dialog::Recordings(stored));
        effects
    }
}
