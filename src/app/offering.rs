//! What a draft being typed may go on with: when it is worked out, and the keys that take it.
//!
//! ```text
//!  a key that edits --> offers at the cursor --tab--> put in      up, down: another one      esc: none
//!  a key that moves --> none
//! ```

use tui_textarea::{CursorMove, DataCursor};

use crate::app::App;
use crate::app::action::Action;
use crate::app::answering::{Answering, Edit};
use crate::app::completion::{Known, Offers, offers};
use crate::app::dialog::Dialog;
use crate::app::draft::Draft;
use crate::app::event::Effect;
use crate::app::kept::Keep;
use crate::platform::{Help, Kind};
use crate::replay::variables::Variables;

/// What the platform says of a place of the document that is typed.
type Says = fn(&Kind, &str) -> Option<Help>;

impl Draft {
    /// What a key means for what is offered; false where it is none, and means what it always does.
    pub(super) fn offer_key(&mut self, action: Option<Action>) -> bool {
        let count = self.offers.list.len();
        if count == 0 {
            return false;
        }
        let selected = &mut self.offers.selected;
        match action {
            Some(Action::Complete) => self.take_offer(),
            Some(Action::NextOffer) => *selected = (*selected + 1) % count,
            Some(Action::PreviousOffer) => *selected = (*selected + count - 1) % count,
            Some(Action::LeaveTyping) => self.offers = Offers::default(),
            _ => return false,
        }
        true
    }

    /// After a key: an edit asks for offers, anything else ends them. One that only moves the cursor leaves the facts as they
    /// are.
    pub(super) fn typed(&mut self, edited: bool) {
        if edited {
            self.changed();
        }
        self.offers = Offers { wanted: edited, ..Offers::default() };
    }

    /// What was worked out for the text holds no more.
    pub(super) fn changed(&mut self) {
        self.facts = None;
        self.offers = Offers::default();
    }

    fn take_offer(&mut self) {
        let Offers { begin, end, list, selected, .. } = std::mem::take(&mut self.offers);
        let text = self.text();
        let (Some(offer), Some(word)) = (list.get(selected), text.get(begin..end)) else { return };
        let before = &text[..begin];
        let row = before.matches('\n').count();
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count();
        let (Ok(row), Ok(column)) = (u16::try_from(row), u16::try_from(column)) else { return };
        self.editor.cancel_selection();
        self.editor.move_cursor(CursorMove::Jump(row, column));
        self.editor.delete_str(word.chars().count());
        self.editor.insert_str(&offer.text);
        self.typed(true);
    }

    /// Works out what may stand at the cursor, where an edit asked for it.
    fn offer(&mut self, known: &Known<'_>) {
        self.offers.wanted = false;
        if self.typing && self.is_json() && !self.is_large() {
            let DataCursor(row, column) = self.editor.cursor();
            let lines = self.editor.lines();
            let above: usize = lines[..row].iter().map(|line| line.len() + 1).sum();
            let within = lines[row].char_indices().nth(column).map_or(lines[row].len(), |(at, _)| at);
            self.offers = offers(&self.text(), above + within, known);
        }
    }
}

impl App {
    /// Works out what the draft or the answer being typed may go on with; the first one asks for the known variables.
    pub(super) fn offer(&mut self) -> Option<Effect> {
        let mut draft = self.draft.take();
        let mut dialog = self.dialogs.pop();
        let answer = match &mut dialog {
            Some(Dialog::Answering(Answering::Edit(edit))) => Some(&mut **edit),
            _ => None,
        };
        let any = draft.is_some() || answer.is_some();
        let request: Says = Kind::help;
        if let Some(draft) = &mut draft {
            self.offer_to(draft, request);
        }
        if let Some(edit) = answer {
            let says = if edit.is_request() { request } else { Kind::response_help };
            let Edit { draft, .. } = edit;
            self.offer_to(draft, says);
        }
        self.draft = draft;
        self.dialogs.extend(dialog);
        if !any || self.variables.is_some() {
            return None;
        }
        self.variables = Some(Variables::default());
        Some(Effect::Keep(Keep::Refresh))
    }

    fn offer_to(&self, draft: &mut Draft, says: Says) {
        if !draft.offers.wanted {
            return;
        }
        let kind = self.setup.platforms.kind(draft.kind.as_deref());
        let help = |pointer: &str| kind.and_then(|kind| says(kind, pointer));
        draft.offer(&Known { help: &help, variables: &self.known() });
    }
}
