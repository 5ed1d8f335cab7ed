//! What lies over the screen where calls leave in numbers, and where what came back is held against what was: replays, exports,
//! comparisons, tests, variables, fixtures. A panel takes the keys as a dialog does.

use crate::app::App;
use crate::app::action::{Action, Scope};
use crate::app::comparing::Comparison;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::Press;
use crate::app::event::{Effect, Notice};
use crate::app::exporting;
use crate::app::kept::Keep;
use crate::app::replaying::{Job, Options};
use crate::app::tester::Tester;

/// One of them.
#[derive(Debug)]
pub enum Panel {
    /// What to replay, and how.
    Options(Box<Options>),
    /// Whether a replay may go to a guarded target.
    Sure {
        /// The question, naming host and count.
        question: String,
        /// What is done if the answer is yes.
        job: Box<Job>,
    },
    /// The replay that runs or ran: the app's `replay`.
    Running,
    /// What to export, and how.
    Export(Box<exporting::Options>),
    /// Whether an export may take the place of a file.
    Replace {
        /// What is done if the answer is yes.
        job: Box<exporting::Job>,
        /// The length of the file that is there, in bytes.
        bytes: u64,
        /// What was asked for.
        options: Box<exporting::Options>,
    },
    /// The export that is under way: the app's `export`.
    Exporting,
    /// Two calls side by side.
    Comparison(Box<Comparison>),
    /// Test calls, their answers, and what was sent so far.
    Tester(Tester),
    /// The known variables.
    Variables {
        /// Which one is meant.
        selected: usize,
    },
    /// The fixtures.
    Fixtures {
        /// Which one is meant.
        selected: usize,
    },
    /// Whether something kept may go.
    Certain {
        /// The question, naming it.
        question: String,
        /// What a yes does.
        does: &'static str,
        /// What is done if the answer is yes.
        keep: Keep,
    },
}

impl Panel {
    /// The screen that the keymap is for while it lies on top.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Options(options) if options.typing.is_some() => Scope::Typing,
            Self::Options(_) => Scope::Options,
            Self::Export(options) if options.typing.is_some() => Scope::Typing,
            Self::Export(_) => Scope::Export,
            Self::Exporting => Scope::Exporting,
            Self::Sure { .. } | Self::Replace { .. } | Self::Certain { .. } => Scope::Question,
            Self::Running => Scope::Running,
            Self::Comparison(_) => Scope::Comparison,
            Self::Tester(_) => Scope::Tester,
            Self::Variables { .. } => Scope::Variables,
            Self::Fixtures { .. } => Scope::Fixtures,
        }
    }

    /// Takes pasted text where there is a line to type in.
    pub(super) fn paste(&mut self, text: &str) {
        match self {
            Self::Options(options) => options.paste(text),
            Self::Export(options) => options.paste(text),
            _ => {}
        }
    }
}

impl App {
    /// The top panel takes the key.
    pub(super) fn panel_key(&mut self, key: Press, panel: Panel) -> Vec<Effect> {
        match panel {
            Panel::Options(options) => self.options_key(key, options),
            Panel::Sure { job, .. } => {
                if key.action == Some(Action::Yes) {
                    // What was asked for is done: its rows are of no more use. After a no they are there still.
                    self.dialogs.retain(|dialog| !matches!(dialog, Dialog::Panel(Panel::Options(_))));
                    return self.start_replay(job);
                }
                self.tell(Notice::info("nothing was sent"));
                Vec::new()
            }
            Panel::Running => self.running_key(key.action),
            Panel::Export(options) => self.export_key(key, options),
            Panel::Replace { job, options, .. } => self.replace_key(key.action, job, options),
            Panel::Exporting => self.exporting_key(key.action),
            Panel::Comparison(comparison) => self.comparison_key(key, comparison),
            Panel::Tester(tester) => self.tester_key(key.action, tester),
            Panel::Variables { selected } => self.variables_key(key.action, selected),
            Panel::Fixtures { selected } => self.fixtures_key(key.action, selected),
            Panel::Certain { keep, .. } => self.certain_key(key.action, keep),
        }
    }

    /// Lays a panel over the screen.
    pub(super) fn show_panel(&mut self, panel: Panel) {
        self.dialogs.push(Dialog::Panel(panel));
    }
}
