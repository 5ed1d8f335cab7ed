//! Calls exported from the screen: which, in which form, masked or not, and to which file; then how far it is.
//!
//! ```text
//!  x --> Options --enter--> Effect::Export(Job) --> the shell writes it
//!           ^                                          |
//!           +-- failed <-- Export <-- Event::Exported -+-- the file is there: a question, and again
//! ```

mod options;

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::question::{OVERWRITE, Yes};
use crate::call::Id;
use crate::recording::export::{Format, Reporter};
use crate::recording::{Marks, Place};
use crate::visible;

pub use self::options::{Field, Options};

/// Calls for the shell to write.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names it.
    pub ticket: u64,
    /// The calls, and where they are.
    pub calls: Vec<(Id, Place)>,
    /// What is said of them.
    pub marks: Marks,
    /// In which form they leave.
    pub form: Format,
    /// What is said of each, and what is masked in it.
    pub reporter: Reporter,
    /// What a page about them is called.
    pub title: String,
    /// Where to, as it was typed.
    pub file: String,
    /// It may take the place of a file that is there.
    pub replace: bool,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        (self.ticket, &self.calls, self.form, &self.file, self.replace)
            == (other.ticket, &other.calls, other.form, &other.file, other.replace)
            && self.reporter.redaction.is_some() == other.reporter.redaction.is_some()
    }
}

/// How an export goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// There is a file of that name, with so many bytes. Nothing was written.
    Taken(Box<Job>, u64),
    /// So many calls are written.
    Written(usize),
    /// It is over.
    Ended(Ended),
}

/// What became of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The file is there.
    Whole {
        /// Its calls.
        calls: usize,
        /// Its length.
        bytes: u64,
        /// How many calls could not be read, and why the first could not.
        unread: Option<(usize, String)>,
    },
    /// It was cancelled: there is no file.
    Cancelled,
    /// There is no file, and why.
    Failed(String),
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    /// Names it.
    pub ticket: u64,
    /// What was asked for.
    pub options: Box<Options>,
    /// How many calls there are to write.
    pub total: usize,
    /// How many are written.
    pub done: usize,
    /// It is to end.
    pub cancelled: bool,
}

impl Export {
    /// Per cent of its calls that are written.
    #[must_use]
    pub fn percent(&self) -> usize {
        self.done * 100 / self.total.max(1)
    }
}

impl App {
    pub(super) fn start_export(&mut self, job: Box<Job>, options: Box<Options>) -> Vec<Effect> {
        let (ticket, total) = (job.ticket, job.calls.len());
        self.export = Some(Export { ticket, options, total, done: 0, cancelled: false });
        self.show_panel(Panel::Exporting);
        vec![Effect::Export(job)]
    }

    /// Takes in how an export goes on.
    pub(super) fn exported(&mut self, ticket: u64, progress: Progress) {
        let Some(export) = self.export.as_mut().filter(|export| export.ticket == ticket) else { return };
        if let Progress::Written(done) = progress {
            export.done = done;
            return;
        }
        let Some(Export { mut options, .. }) = self.export.take() else { return };
        let place = self.dialogs.iter().position(|dialog| matches!(dialog, Dialog::Panel(Panel::Exporting)));
        if let Some(place) = place {
            self.dialogs.remove(place);
        }
        match progress {
            Progress::Written(_) => {}
            Progress::Taken(job, bytes) => {
                let text = format!("{} is there already, {}. Replace it?", job.file, visible::size(bytes));
                self.ask_first(text, OVERWRITE, Yes::Export { job, options });
            }
            Progress::Ended(Ended::Cancelled) => self.tell(Notice::info("export cancelled: nothing was written")),
            Progress::Ended(Ended::Failed(reason)) => {
                if let Some(place) = place {
                    // To be mended where it was asked for.
                    options.error = Some(reason.clone());
                    self.dialogs.insert(place, Dialog::Panel(Panel::Export(options)));
                }
                self.tell(Notice::error(format!("not exported: {reason}")));
            }
            Progress::Ended(Ended::Whole { calls, bytes, unread }) => {
                let (calls, size) = (visible::count(calls, "call"), visible::size(bytes));
                let masked = if options.masked { "masked" } else { "not masked: keep it to yourself" };
                let told = format!("exported {calls} to {}, {size}, {masked}", options.file);
                self.tell(match unread {
                    None => Notice::info(told),
                    Some((count, why)) => Notice::warning(format!("{told}; {count} could not be read: {why}")),
                });
            }
        }
    }

    /// A key while an export is under way.
    pub(super) fn exporting_key(&mut self, action: Option<Action>) -> Vec<Effect> {
        let Some(export) = &mut self.export else { return Vec::new() };
        match action {
            Some(Action::Meanwhile | Action::Quit) => return Vec::new(),
            Some(Action::CancelExport) if !export.cancelled => {
                export.cancelled = true;
                let ticket = export.ticket;
                self.show_panel(Panel::Exporting);
                return vec![Effect::CancelExport { ticket }];
            }
            _ => {}
        }
        self.show_panel(Panel::Exporting);
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
