//! What to export, and how: asked in a dialog whose rows go through values by arrow keys; the file is typed.

use jiff::Timestamp;

use super::Job;
use crate::app::action::Action;
use crate::app::dialog::Input;
use crate::app::dialog_keys::{Choice, Press, line_key, picked};
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::which::{Countable, STILL_SEEKS, Which};
use crate::app::{App, Focus};
use crate::call::Id;
use crate::recording::Place;
use crate::recording::export::{Format, Reporter};

/// Which calls can be exported.
const WHICH: [Which; 5] = [Which::This, Which::Conversation, Which::Marked, Which::Listed, Which::All];

/// A row of the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// [`Options::which`].
    Which,
    /// [`Options::form`].
    Form,
    /// [`Options::masked`].
    Masked,
    /// [`Options::file`].
    File,
}

impl Field {
    /// In the order they stand in.
    pub const ALL: [Self; 4] = [Self::Which, Self::Form, Self::Masked, Self::File];
}

/// What to export, and how.
#[derive(Debug)]
pub struct Options {
    /// Which calls.
    pub which: Which,
    /// In which form.
    pub form: Format,
    /// What is secret or personal is masked.
    pub masked: bool,
    /// Where to.
    pub file: String,
    /// The row that the keys are for.
    pub selected: usize,
    /// The file being typed.
    pub typing: Option<Input>,
    /// Why it cannot begin so.
    pub error: Option<String>,
    /// The call that was selected when this was asked.
    this: Option<Id>,
    /// Of what there are calls, and how many.
    choices: Vec<(Which, usize)>,
    /// What there was to count, and when.
    pub(in crate::app) counted: Option<(Countable, Timestamp)>,
}

impl Options {
    /// The row that the keys are for.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::ALL[self.selected.min(Field::ALL.len() - 1)]
    }

    /// How many calls that are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.choices.iter().find(|(which, _)| *which == self.which).map_or(0, |(_, count)| *count)
    }

    /// Takes pasted text where the file is typed.
    pub(in crate::app) fn paste(&mut self, text: &str) {
        if let Some(input) = &mut self.typing {
            input.paste(text);
        }
    }

    /// The next value of the row, or the one before.
    fn turn(&mut self, steps: isize) {
        fn next<T: Copy + PartialEq>(all: &[T], now: T, steps: isize) -> T {
            let at = all.iter().position(|value| *value == now).unwrap_or(0);
            all.get((at + all.len()).saturating_add_signed(steps) % all.len().max(1)).copied().unwrap_or(now)
        }
        match self.field() {
            Field::Which => {
                let which: Vec<Which> = self.choices.iter().map(|(which, _)| *which).collect();
                self.which = next(&which, self.which, steps);
            }
            Field::Form => {
                let before = self.form.extension();
                self.form = next(&Format::ALL, self.form, steps);
                // The name goes along, unless it says something else.
                if let Some(stem) = self.file.strip_suffix(before).filter(|stem| stem.ends_with('.')) {
                    self.file = format!("{stem}{}", self.form.extension());
                }
            }
            Field::Masked => self.masked = !self.masked,
            Field::File => {}
        }
    }
}

impl App {
    /// Asks what to export and how; shows the export that is under way, if one is.
    pub(in crate::app) fn ask_export(&mut self) {
        if self.export.is_some() {
            return self.show_panel(Panel::Exporting);
        }
        if self.arriving.percent().is_some() {
            return self
                .tell(Notice::warning("the recording is still being read: ask again when all its calls are there"));
        }
        let this = self.selected_id();
        let choices = self.exportable(this, None);
        let has = |wanted: Which| choices.iter().any(|(which, _)| *which == wanted);
        let listed = [Which::Marked, Which::Listed, Which::All];
        let nearest = if self.focus == Focus::Detail { &WHICH[..] } else { &listed };
        let Some(which) = nearest.iter().chain(&WHICH).copied().find(|which| has(*which)) else {
            return self.tell(Notice::info("there is no call to export"));
        };
        let form = Format::ALL[0];
        let time = self.now.to_zoned(self.setup.zone.clone()).strftime("%Y%m%d-%H%M%S");
        self.show_panel(Panel::Export(Box::new(Options {
            which,
            form,
            masked: true,
            file: format!("hooktape-{time}.{}", form.extension()),
            selected: 0,
            typing: None,
            error: None,
            this,
            choices,
            counted: Some(self.countable()),
        })));
    }

    /// Counts the calls of what can be exported.
    pub(in crate::app) fn count_exportable(&self, options: &mut Options) {
        options.choices = self.exportable(options.this, Some(options.which));
        options.counted = Some(self.countable());
    }

    /// What can be exported, and how many calls each is. What is the same as something before is left out, but for what is
    /// chosen already.
    fn exportable(&self, this: Option<Id>, chosen: Option<Which>) -> Vec<(Which, usize)> {
        let count = |which| match which {
            // Of many calls it is known without looking at each.
            Which::Listed if self.calls.filter_text().is_empty() => 0,
            Which::Listed => self.calls.len(),
            Which::All if self.index.marks().deleted() == 0 => self.index.len(),
            which => self.rows_of(which, this).len(),
        };
        let choices = WHICH.iter().map(|which| (*which, count(*which)));
        let some = |(which, count): &(Which, usize)| *count > usize::from(*which == Which::Conversation);
        choices.filter(|choice| Some(choice.0) == chosen || some(choice)).collect()
    }

    pub(in crate::app) fn export_key(&mut self, press: Press, mut options: Box<Options>) -> Vec<Effect> {
        if let Some(mut input) = options.typing.take() {
            match line_key(press, &mut input) {
                Choice::Leave => {}
                Choice::Take => {
                    input.text().trim().clone_into(&mut options.file);
                    options.error = None;
                }
                Choice::Stay => options.typing = Some(input),
            }
            self.show_panel(Panel::Export(options));
            return Vec::new();
        }
        match press.action {
            Some(Action::Begin) => return self.begin_export(options),
            Some(Action::TypeValue) => {
                options.selected = Field::ALL.len() - 1;
                options.typing = Some(Input::new(&options.file));
            }
            Some(turn @ (Action::NextValue | Action::PreviousValue)) => {
                options.turn(if turn == Action::NextValue { 1 } else { -1 });
                options.error = None;
            }
            action => {
                if let Choice::Leave = picked(action, &mut options.selected, Field::ALL.len()) {
                    return Vec::new();
                }
            }
        }
        self.show_panel(Panel::Export(options));
        Vec::new()
    }

    fn begin_export(&mut self, mut options: Box<Options>) -> Vec<Effect> {
        match self.export_job(&options) {
            Ok(job) => {
                options.error = None;
                self.start_export(Box::new(job), options)
            }
            Err(error) => {
                options.error = Some(error);
                self.show_panel(Panel::Export(options));
                Vec::new()
            }
        }
    }

    fn export_job(&mut self, options: &Options) -> Result<Job, String> {
        let Options { which, form, masked, ref file, this, .. } = *options;
        if file.is_empty() {
            return Err("there is no name for the file: type one".to_owned());
        }
        // It may have gone while the dialog was there.
        if which == Which::Listed && self.calls.filter_text().is_empty() {
            return Err("there is no filter any more: choose other calls".to_owned());
        }
        if self.still_seeks(which) {
            return Err(STILL_SEEKS.to_owned());
        }
        let redaction = if masked {
            let reason = "nothing can be masked, for [redact] of the configuration is not understood: mend it first";
            Some(self.redaction.clone().ok_or(reason)?)
        } else {
            None
        };
        let views = self.rows_of(which, this).into_iter().filter_map(|row| self.index.view(row));
        let calls: Vec<(Id, Place)> = views.map(|view| (view.id, view.place)).collect();
        if calls.is_empty() {
            return Err(format!("{}: there are none to export", which.words()));
        }
        let name = self.setup.recording.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Job {
            ticket: self.ticket(),
            calls,
            marks: self.index.marks().clone(),
            form,
            reporter: Reporter {
                config: self.setup.config.clone(),
                platforms: self.setup.platforms.clone(),
                keyring: self.setup.keyring.clone(),
                redaction,
            },
            title: name.unwrap_or_default(),
            file: file.clone(),
            replace: false,
        })
    }
}
