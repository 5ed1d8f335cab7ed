//! What keys mean while a dialog lies over the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::App;
use crate::app::action::{Action, Scope};
use crate::app::answering::Answering;
use crate::app::complete::complete;
use crate::app::dialog::{Dialog, Input, matching};
use crate::app::draft::Draft;
use crate::app::event::Effect;
use crate::app::mouse::TURN;
use crate::app::panel::Panel;

/// Choices that a page key passes.
const PAGE: usize = 10;

/// A key, and what it means on the screen that takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Press {
    /// The key, where it is typed.
    pub key: KeyEvent,
    /// What it means.
    pub action: Option<Action>,
}

/// What a key in a list of choices means.
pub(super) enum Choice {
    /// The choice moved, or nothing happened.
    Stay,
    /// This one.
    Take,
    /// None of them.
    Leave,
}

impl Dialog {
    /// Whether the wheel scrolls a text there.
    fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Help { .. }
                | Self::Log { .. }
                | Self::Answering(Answering::Held { .. })
                | Self::Panel(Panel::Comparison(_) | Panel::Tester(_))
        )
    }

    /// Takes pasted text where there is a line to type in.
    fn paste(&mut self, text: &str) {
        match self {
            Self::Palette { input, selected } => {
                input.paste(text);
                *selected = 0;
            }
            Self::Prompt(prompt) => prompt.paste(text),
            Self::Panel(panel) => panel.paste(text),
            Self::Answering(Answering::Edit(edit)) => edit.paste(text),
            Self::Help { search, typing: true, .. } => search.paste(text),
            _ => {}
        }
    }
}

impl Draft {
    /// A key while typing: it goes into the payload, but for those few that leave or mean the draft itself.
    pub(super) fn type_key(&mut self, press: Press) -> Option<Action> {
        if self.offer_key(press.action) {
            return None;
        }
        match press.action {
            Some(Action::LeaveTyping) => self.typing = false,
            Some(Action::SendTyped) => return Some(Action::Send),
            Some(Action::UndoTyping) => self.step_back(),
            Some(Action::RedoTyping) => self.step_forth(),
            Some(Action::ClearLine) => self.clear_line(),
            // Of what has another meaning in a line, a text makes its own.
            None | Some(Action::Take | Action::Complete | Action::NextOffer | Action::PreviousOffer) => {
                self.input(press.key);
            }
            action => return action,
        }
        None
    }
}

impl App {
    /// The top dialog takes the key.
    pub(super) fn dialog_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(scope) = self.dialogs.last().map(Dialog::scope) else { return Vec::new() };
        self.dialog_press(Press { key, action: self.keymap.action(key, scope) }, scope)
    }

    /// The wheel moves in the top dialog as keys would.
    pub(super) fn dialog_wheel(&mut self, down: bool) {
        let Some(top) = self.dialogs.last() else { return };
        let scope = top.scope();
        // A text is scrolled as fast as elsewhere; of choices none is to be passed over.
        let turns = if top.is_text() { TURN.unsigned_abs() } else { 1 };
        let action = match scope {
            // Any key that is no yes would be a no.
            Scope::Question => return,
            Scope::Typing if down => Action::NextOffer,
            Scope::Typing => Action::PreviousOffer,
            Scope::Tester if down => Action::TestDown,
            Scope::Tester => Action::TestUp,
            Scope::Held if down => Action::HeldDown,
            Scope::Held => Action::HeldUp,
            _ if down => Action::Down,
            _ => Action::Up,
        };
        let key = KeyEvent::new(KeyCode::Null, KeyModifiers::NONE);
        for _ in 0..turns {
            self.dialog_press(Press { key, action: Some(action) }, scope);
        }
    }

    fn dialog_press(&mut self, press: Press, scope: Scope) -> Vec<Effect> {
        let action = press.action;
        // Other keys that mean something everywhere close the help, and the log its own.
        let anywhere = match action {
            Some(Action::Mouse | Action::Redraw | Action::Suspend) => true,
            Some(Action::Log) if matches!(self.dialogs.last(), Some(Dialog::Log { .. })) => false,
            Some(Action::Help | Action::Log | Action::Mask) => scope != Scope::Help,
            _ => false,
        };
        if let Some(action) = action.filter(|_| anywhere) {
            return self.act(action);
        }
        // Each puts itself back where it stays.
        match self.dialogs.pop() {
            None => Vec::new(),
            Some(Dialog::Help { scroll, search, typing }) => self.help_key(press, scroll, search, typing),
            Some(Dialog::Log { scroll }) => self.log_key(action, scroll),
            Some(Dialog::Yank { selected }) => self.yank_key(action, selected),
            Some(Dialog::Plots { scroll }) => self.plots_key(press, scroll),
            Some(Dialog::Palette { input, selected }) => self.palette_key(press, input, selected),
            Some(filter @ Dialog::Filter { .. }) => self.filter_key(press, filter),
            Some(Dialog::Prompt(prompt)) => self.prompt_key(press, prompt),
            Some(Dialog::Question(question)) => self.question_key(action, question),
            Some(Dialog::Conversations { choices, selected }) => self.conversations_key(action, choices, selected),
            Some(Dialog::Targets { selected, then }) => self.targets_key(action, selected, then),
            Some(Dialog::Pages { selected }) => self.pages_key(action, selected),
            Some(Dialog::Webview { launch }) => self.webview_key(action, launch),
            Some(Dialog::Recordings(stored)) => self.shelf_key(action, stored),
            Some(Dialog::Answering(answering)) => self.answering_key(press, answering),
            Some(Dialog::Panel(panel)) => self.panel_key(press, panel),
        }
    }

    fn help_key(&mut self, press: Press, mut scroll: usize, mut search: Input, mut typing: bool) -> Vec<Effect> {
        match press.action {
            _ if typing => match line_key(press, &mut search) {
                Choice::Leave => (search, typing) = (Input::new(""), false),
                Choice::Take => typing = false,
                Choice::Stay => scroll = 0,
            },
            Some(Action::SearchHelp) => typing = true,
            Some(action) if self.regions.dialog.scroll(&mut scroll, action) => {}
            _ => return Vec::new(),
        }
        self.dialogs.push(Dialog::Help { scroll, search, typing });
        Vec::new()
    }

    fn log_key(&mut self, action: Option<Action>, mut scroll: usize) -> Vec<Effect> {
        if action.is_some_and(|action| self.regions.dialog.scroll(&mut scroll, action)) {
            self.dialogs.push(Dialog::Log { scroll });
        }
        Vec::new()
    }

    fn palette_key(&mut self, press: Press, mut input: Input, mut selected: usize) -> Vec<Effect> {
        let found = matching(input.text(), self.scope());
        match typed(press, &mut input, &mut selected, found.len()) {
            Choice::Leave => return Vec::new(),
            Choice::Take => return found.get(selected).map_or_else(Vec::new, |action| self.act(*action)),
            Choice::Stay => self.dialogs.push(Dialog::Palette { input, selected }),
        }
        Vec::new()
    }

    /// The filter narrows the list with every key; enter keeps it, esc goes back to what was before.
    fn filter_key(&mut self, press: Press, dialog: Dialog) -> Vec<Effect> {
        let Dialog::Filter { mut input, before, mut selected, error } = dialog else { return Vec::new() };
        let was = input.text().to_owned();
        let (begin, found) = complete(&was, &self.setup.platforms, &self.setup.config.queries, &self.targets);
        if let (Some(Action::Complete), Some((chosen, _))) = (press.action, found.get(selected)) {
            return self.narrow(Input::new(&format!("{}{chosen}", &was[..begin])), before);
        }
        match typed(press, &mut input, &mut selected, found.len()) {
            Choice::Leave if self.calls.filter_text() == before => {}
            // Its hits are not kept aside: a search ends where another begins, and calls that came went to that one.
            Choice::Leave => return self.filter_again(&before),
            Choice::Take if error.is_none() => {}
            Choice::Stay if input.text() != was => return self.narrow(input, before),
            Choice::Take | Choice::Stay => self.dialogs.push(Dialog::Filter { input, before, selected, error }),
        }
        Vec::new()
    }

    /// Filters by what was typed so far, and goes on asking.
    fn narrow(&mut self, input: Input, before: String) -> Vec<Effect> {
        let (effects, error) = match self.filter(input.text()) {
            Ok(effects) => (effects, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        self.dialogs.push(Dialog::Filter { input, before, selected: 0, error });
        effects
    }

    /// Pasted text goes where typed text would.
    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        // Only the same key again drops its edits.
        self.draft.iter_mut().for_each(|draft| draft.leaving = false);
        match self.dialogs.pop() {
            Some(Dialog::Filter { mut input, before, .. }) => {
                input.paste(text);
                return self.narrow(input, before);
            }
            Some(mut dialog) => {
                dialog.paste(text);
                if let Dialog::Answering(Answering::Edit(edit)) = &mut dialog {
                    self.check(edit);
                }
                self.dialogs.push(dialog);
            }
            None => {
                if let Some(draft) = self.draft.as_mut().filter(|draft| draft.typing) {
                    draft.paste(text);
                }
            }
        }
        Vec::new()
    }
}

/// A key in a list of `count` choices.
pub(super) fn picked(action: Option<Action>, selected: &mut usize, count: usize) -> Choice {
    match action {
        Some(Action::Down) => *selected = (*selected + 1).min(count.saturating_sub(1)),
        Some(Action::Up) => *selected = selected.saturating_sub(1),
        Some(Action::PageDown) => *selected = (*selected + PAGE).min(count.saturating_sub(1)),
        Some(Action::PageUp) => *selected = selected.saturating_sub(PAGE),
        Some(Action::Top) => *selected = 0,
        Some(Action::Bottom) => *selected = count.saturating_sub(1),
        Some(Action::Open) => return Choice::Take,
        Some(Action::Back | Action::Fold | Action::Quit) => return Choice::Leave,
        _ => {}
    }
    Choice::Stay
}

/// A key in a line of text.
pub(super) fn line_key(press: Press, input: &mut Input) -> Choice {
    typed(press, input, &mut 0, 0)
}

/// A key in a line of text, with `count` choices below it.
pub(super) fn typed(press: Press, input: &mut Input, selected: &mut usize, count: usize) -> Choice {
    match press.action {
        Some(Action::Take) => return Choice::Take,
        Some(Action::LeaveTyping) => return Choice::Leave,
        Some(Action::NextOffer) if count > 0 => *selected = (*selected + 1).min(count - 1),
        Some(Action::PreviousOffer) if count > 0 => *selected = selected.saturating_sub(1),
        Some(Action::ClearLine) => *selected = if input.0.delete_line_by_head() { 0 } else { *selected },
        Some(Action::UndoTyping) => *selected = if input.0.undo() { 0 } else { *selected },
        Some(Action::RedoTyping) => *selected = if input.0.redo() { 0 } else { *selected },
        // What there is to take was taken before; with nothing, blanks would be typed.
        Some(Action::Complete) => {}
        _ => {
            let KeyEvent { code, modifiers, .. } = press.key;
            let ctrl = modifiers.contains(KeyModifiers::CONTROL);
            // A line has no second one.
            let breaks = code == KeyCode::Enter || (ctrl && matches!(code, KeyCode::Char('m' | 'j')));
            if !breaks && input.0.input(press.key) {
                *selected = 0;
            }
        }
    }
    Choice::Stay
}
