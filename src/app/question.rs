//! A question before something is done: one key is a yes, any other a no.

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Notice};
use crate::app::kept::Keep;
use crate::app::panel::Panel;
use crate::app::{exporting, replaying};
use crate::net::outgoing::Outgoing;

/// A question.
#[derive(Debug)]
pub struct Question {
    /// What is asked, naming what it is about.
    pub text: String,
    /// What is said around it.
    pub words: Words,
    /// What is done if the answer is yes.
    pub yes: Yes,
}

/// What is said around a question.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Above it.
    pub title: &'static str,
    /// What a yes does, below it.
    pub does: &'static str,
    /// What a yes does, as a hint.
    pub hint: &'static str,
    /// After a no.
    pub no: &'static str,
}

/// Before calls go to a guarded target.
pub(super) const GUARDED: Words =
    Words { title: " Guarded target ", does: "sends", hint: "send", no: "nothing was sent" };
/// Before an export takes the place of a file.
pub(super) const OVERWRITE: Words = Words {
    title: " The file is there ",
    does: "replaces it",
    hint: "replace it",
    no: "nothing was written: the file stays",
};
/// Before a fixture takes the place of another.
pub(super) const REPLACE: Words =
    Words { title: " Sure? ", does: "replaces it", hint: "replace it", no: "all is kept as it was" };
/// Before a fixture goes.
pub(super) const REMOVE: Words = Words { does: "removes it", hint: "remove it", ..REPLACE };
/// Before a variable goes.
pub(super) const FORGET: Words = Words { does: "forgets it", hint: "forget it", ..REPLACE };

/// What is done if the answer is yes.
#[derive(Debug)]
pub enum Yes {
    /// Send a call.
    Send {
        /// Names it.
        ticket: u64,
        /// The call.
        outgoing: Box<Outgoing>,
    },
    /// Begin a replay.
    Replay(Box<replaying::Job>),
    /// Write an export over the file that is there.
    Export {
        /// The export.
        job: Box<exporting::Job>,
        /// What was asked for: shown again after a no.
        options: Box<exporting::Options>,
    },
    /// Change what is kept.
    Keep(Keep),
}

impl App {
    /// Asks before something is done.
    pub(super) fn ask_first(&mut self, text: String, words: Words, yes: Yes) {
        self.dialogs.push(Dialog::Question(Question { text, words, yes }));
    }

    pub(super) fn question_key(&mut self, action: Option<Action>, question: Question) -> Vec<Effect> {
        if action != Some(Action::Yes) {
            if let Yes::Export { options, .. } = question.yes {
                self.show_panel(Panel::Export(options));
            }
            self.tell(Notice::info(question.words.no));
            return Vec::new();
        }
        match question.yes {
            Yes::Send { ticket, outgoing } => self.send_now(ticket, outgoing),
            Yes::Replay(job) => self.start_replay(job),
            Yes::Export { mut job, options } => {
                job.replace = true;
                self.start_export(job, options)
            }
            Yes::Keep(keep) => vec![Effect::Keep(keep)],
        }
    }
}
