//! Moving about in conversations.

use crate::app::conversation::Conversation;
use crate::app::dialog::{Dialog, Gathered};
use crate::app::event::{Notice, Wanted};
use crate::app::shown::Tab;
use crate::app::{App, Focus};

/// Most conversations to choose from: the newest.
const MOST: usize = 1000;

impl App {
    /// Brings the conversation in line with the selected call, where it is looked at; gives what must be read for it.
    pub(super) fn follow_conversation(&mut self) -> Vec<Wanted> {
        let Some(number) = self.calls.selected().filter(|_| self.tab == Tab::Conversation) else { return Vec::new() };
        let Self { index, cache, setup, waits, now, conversation, .. } = self;
        let key = index.view(number).and_then(|view| view.conversation);
        // It stays while it has the call, unless there is more of it than it shows.
        let stays = conversation.as_ref().is_some_and(|is| Some(is.key.as_str()) == key && is.has(number));
        if !stays {
            *conversation = Conversation::of(index, number);
            self.cursor.centre();
        }
        let Some(conversation) = conversation else { return Vec::new() };
        if self.cursor.pointed != Some(number) {
            self.cursor.pointed = Some(number);
            conversation.cursor = number;
            self.cursor.centre();
        }
        let missing = conversation.follow(index, cache, &setup.platforms);
        if conversation.was_reading() {
            self.cursor.centre();
        }
        let limit = |kind: &str| waits.iter().find(|wait| wait.kind == kind).and_then(|wait| wait.expires);
        conversation.settle(&setup.platforms, limit, *now);
        missing
    }

    /// Moves the cursor in the timeline.
    pub(super) fn step_in_conversation(&mut self, steps: isize) {
        if let Some(conversation) = &mut self.conversation {
            conversation.step(steps);
            self.cursor.chase = true;
        }
    }

    /// Looks into the call that the timeline's cursor is at.
    pub(super) fn open_in_conversation(&mut self) {
        if let Some(number) = self.conversation.as_ref().map(|conversation| conversation.cursor) {
            self.go_to(number);
            self.show_tab(Tab::Envelope);
        }
    }

    /// Selects the next or previous call of the selected call's conversation.
    pub(super) fn in_conversation(&mut self, step: isize) {
        let Some(number) = self.calls.selected() else { return };
        if self.index.view(number).is_none_or(|view| view.conversation.is_none()) {
            self.tell(Notice::info("this call belongs to no conversation"));
            return;
        }
        let mut hidden = false;
        let mut is_shown = |other: &usize| {
            let shown = self.calls.row_of(*other).is_some();
            hidden |= !shown;
            shown
        };
        let found = if step > 0 {
            self.index.same_conversation(number, number + 1..usize::MAX).find(&mut is_shown)
        } else {
            self.index.same_conversation(number, 0..number).rev().find(&mut is_shown)
        };
        match found {
            Some(found) => drop(self.calls.select(found)),
            None if hidden => self.tell(Notice::info("the filter hides the further calls of this conversation")),
            None => self.tell(Notice::info("no further call of this conversation that way")),
        }
    }

    /// Shows the timeline of the conversation of that call.
    pub(super) fn open_conversation(&mut self, number: usize) {
        self.go_to(number);
        self.focus = Focus::Detail;
        self.calls.follow = false;
        self.show_tab(Tab::Conversation);
    }

    /// Asks which conversation to look at.
    pub(super) fn ask_conversation(&mut self) {
        let gathered = |group: &crate::recording::Conversation| Gathered {
            key: group.key.to_owned(),
            calls: group.calls,
            ill: group.ill,
            last: group.last,
        };
        let choices: Vec<Gathered> = self.index.conversations().iter().take(MOST).map(gathered).collect();
        if choices.is_empty() {
            self.tell(Notice::info("no call here belongs to a conversation"));
            return;
        }
        let here = self.calls.selected().and_then(|number| self.index.view(number)?.conversation);
        let selected = choices.iter().position(|choice| Some(&*choice.key) == here).unwrap_or(0);
        self.dialogs.push(Dialog::Conversations { choices, selected });
    }
}
