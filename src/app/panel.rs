//! What lies over the screen where calls leave in numbers, and where what came back is held against what was: replays, exports,
//! comparisons, tests, variables, fixtures. A panel takes the keys as a dialog does.

use crate::app::App;
use crate::app::action::Scope;
use crate::app::comparing::Comparison;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::Press;
use crate::app::event::Effect;
use crate::app::exporting;
use crate::app::replaying::Options;
use crate::app::tester::Tester;

/// One of them.
#[derive(Debug)]
pub enum Panel {
    /// What to replay, and how.
    Options(Box<Options>),
    /// The replay that runs or ran: the app's `replay`.
    Running,
    /// What to export, and how.
    Export(Box<exporting::Options>),
    /// The export that is under way: the app's `export`.
    Exporting,
    /// Two calls side by side.
    Comparison(Box<Comparison>),
    /// Test calls, their answers, and what was sent so far.
    Tester(Box<Tester>),
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
            Self::Running => Scope::Running,
            Self::Comparison(_) => Scope::Comparison,
            Self::Tester(tester) if tester.typing => Scope::Typing,
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
            Self::Tester(tester) if tester.typing => tester.search.paste(text),
            _ => {}
        }
    }
}

impl App {
    /// The top panel takes the key.
    pub(super) fn panel_key(&mut self, key: Press, panel: Panel) -> Vec<Effect> {
        match panel {
            Panel::Options(options) => self.options_key(key, options),
            Panel::Running => self.running_key(key.action),
            Panel::Export(options) => self.export_key(key, options),
            Panel::Exporting => self.exporting_key(key.action),
            Panel::Comparison(comparison) => self.comparison_key(key, comparison),
            Panel::Tester(tester) => self.tester_key(key, tester),
            Panel::Variables { selected } => self.variables_key(key.action, selected),
            Panel::Fixtures { selected } => self.fixtures_key(key.action, selected),
        }
    }

    /// Lays a panel over the screen.
    pub(super) fn show_panel(&mut self, panel: Panel) {
        self.dialogs.push(Dialog::Panel(panel));
    }
}
