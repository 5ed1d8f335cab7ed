//! An answer typed by hand for a call that waits no more: it is there for the next one of its kind.

use super::{Edit, Purpose};
use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Input;
use crate::app::event::Notice;
use crate::net::responder::Parting;

impl App {
    /// The call of an edit is gone. Whoever typed an answer to it did not do so for nothing.
    pub(super) fn keep_answer(&mut self, edit: Box<Edit>, parting: Parting) {
        let why = match parting {
            Parting::HungUp => "the caller hung up: nobody is there to be answered",
            _ => "the call's time was up: it went on as it was, without the edit",
        };
        let Purpose::Answer(_) = edit.purpose else {
            return self.tell(Notice::warning(format!("{why}; the edit is dropped")));
        };
        let next = edit.kind.as_deref().unwrap_or("call of no kind");
        let key = self.keymap.key(Action::EditAnswer);
        let told = format!("{why}; what was typed is kept: {key} has it at the next {next} that waits");
        self.answers.kept = Some(edit);
        self.tell(Notice::warning(told));
    }

    /// Puts the answer that is kept, if one is of that kind, in place of the one that waits. Undo brings that back.
    pub(super) fn take_up_answer(&mut self, edit: &mut Edit) {
        let fits = |kept: &mut Box<Edit>| kept.kind == edit.kind && edit.draft.editable();
        let Some(kept) = self.answers.kept.take_if(fits) else { return };
        edit.draft.replace(&kept.draft.text(), false);
        edit.status = Input::new(kept.status.text());
        self.check(edit);
        let told = Notice::info("this was typed for the call that is gone, and its status");
        self.tell(told.key(Action::UndoTyping, "brings back the text that waits here"));
    }
}
