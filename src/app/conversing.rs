//! Moving about in conversations.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::app::action::Action;
use crate::app::conversation::Conversation;
use crate::app::dialog::{Dialog, Gathered};
use crate::app::dialog_keys::{Choice, picked};
use crate::app::event::{Effect, Notice, Wanted};
use crate::app::shown::Tab;
use crate::app::{App, Focus};
use crate::call::{Call, Direction, Id};
use crate::recording::Redaction;
use crate::recording::redact::MASK;
use crate::visible;

/// Most conversations to choose from: the newest.
const MOST: usize = 1000;
/// Most bytes of their keys that are shown there: each is whatever a caller says.
const KEY: usize = 200;

impl App {
    /// Brings the conversation in line with the selected call, where it is looked at; gives what must be read for it.
    pub(super) fn follow_conversation(&mut self) -> Vec<Wanted> {
        let Some(number) = self.calls.selected().filter(|_| self.tab == Tab::Conversation) else { return Vec::new() };
        let Self { index, cache, setup, waits, now, conversation, .. } = self;
        let key = index.view(number).and_then(|view| view.conversation);
        // It stays while it has the call, also one that has just come, unless there is more of it than it shows.
        let its = conversation.as_mut().filter(|is| Some(is.key.as_str()) == key);
        let mut missing = its.map_or_else(Vec::new, |its| its.follow(index, cache, &setup.platforms));
        let stays = conversation.as_ref().is_some_and(|is| Some(is.key.as_str()) == key && is.has(number));
        if !stays {
            *conversation = Conversation::of(index, number);
            missing = conversation.as_mut().map_or_else(Vec::new, |its| its.follow(index, cache, &setup.platforms));
            self.cursor.centre();
        }
        let Some(conversation) = conversation else { return Vec::new() };
        if self.cursor.pointed != Some(number) {
            self.cursor.pointed = Some(number);
            conversation.point(number);
            self.cursor.centre();
        }
        if conversation.was_reading() {
            self.cursor.centre();
        }
        let limit = |kind: &str| waits.iter().find(|wait| wait.kind == kind).and_then(|wait| wait.expires);
        conversation.settle(&setup.platforms, limit, *now);
        missing
    }

    /// The key of the conversation that is looked at, as it may be shown: what is masked in its calls is no heading either.
    #[must_use]
    pub fn heading(&self) -> Cow<'_, str> {
        let Some(Conversation { key, cursor, .. }) = &self.conversation else { return Cow::Borrowed("") };
        let Some(mask) = self.mask() else { return Cow::Borrowed(key) };
        let call = self.cache.get(*cursor).and_then(|cached| cached.call.as_ref().ok());
        let kind = self.index.view(*cursor).and_then(|view| view.kind);
        match call.and_then(|call| call.conversation.as_deref()) {
            Some(masked) => mask.text(masked),
            None if self.hides_conversations(mask, kind) => Cow::Borrowed(MASK),
            None => mask.text(key),
        }
    }

    /// Whether a mask covers what calls of a kind take for their conversation's key, as it does in the built-in one.
    fn hides_conversations(&self, mask: &Redaction, kind: Option<&str>) -> bool {
        let Some(kind) = self.setup.platforms.kind(kind) else { return false };
        let sample = Call::new(Id::NIL, Direction::Received, self.now, kind.sample());
        let conversation = kind.read(&sample.request).conversation;
        mask.call(&Call { conversation, ..sample }).conversation.as_deref() == Some(MASK)
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
    fn open_conversation(&mut self, number: usize) {
        self.go_to(number);
        self.focus = Focus::Detail;
        self.calls.follow = false;
        self.show_tab(Tab::Conversation);
    }

    pub(super) fn conversations_key(
        &mut self,
        action: Option<Action>,
        choices: Vec<Gathered>,
        mut selected: usize,
    ) -> Vec<Effect> {
        match picked(action, &mut selected, choices.len()) {
            Choice::Leave => {}
            Choice::Take => choices.get(selected).into_iter().for_each(|chosen| self.open_conversation(chosen.last)),
            Choice::Stay => self.dialogs.push(Dialog::Conversations { choices, selected }),
        }
        Vec::new()
    }

    /// Asks which conversation to look at.
    pub(super) fn ask_conversation(&mut self) {
        let cut = |key: &str| visible::excerpt(key, KEY).into_owned();
        let mut hidden = HashMap::new();
        let mut masked = |group: &crate::recording::Conversation| {
            let Some(mask) = &self.redaction else { return cut(group.key) };
            let kind = self.index.view(group.last).and_then(|view| view.kind);
            let hidden = *hidden.entry(kind).or_insert_with(|| self.hides_conversations(mask, kind));
            if hidden { MASK.to_owned() } else { cut(&mask.text(group.key)) }
        };
        let gathered = |group: &crate::recording::Conversation| Gathered {
            key: cut(group.key),
            masked: masked(group),
            calls: group.calls,
            ill: group.ill,
            last: group.last,
        };
        let groups = self.index.conversations();
        let groups = &groups[..groups.len().min(MOST)];
        let choices: Vec<Gathered> = groups.iter().map(gathered).collect();
        if choices.is_empty() {
            self.tell(Notice::info("no call here belongs to a conversation"));
            return;
        }
        let here = self.calls.selected().and_then(|number| self.index.view(number)?.conversation);
        let selected = groups.iter().position(|group| Some(group.key) == here).unwrap_or(0);
        self.dialogs.push(Dialog::Conversations { choices, selected });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::tests::{app, happen, recorded};

    #[test]
    fn a_key_that_is_masked_in_its_calls_is_masked_above_them() {
        for (kind, hidden) in [("typeform/response", true), ("moveo/dialog", false)] {
            let mut app = app();
            let request = app.setup.platforms.kind(kind).unwrap().sample();
            let conversation = app.setup.platforms.kind(kind).unwrap().read(&request).conversation;
            let key = conversation.clone().unwrap();
            let call = Call::new(Id::fresh(), Direction::Received, app.now, request);
            recorded(&mut app, &Call { kind: Some(kind.to_owned()), conversation, ..call });
            let press = |app: &mut App, keys: &str| {
                script(keys).unwrap().into_iter().for_each(|key| drop(happen(app, Event::Key(key))));
                app.settle();
            };
            press(&mut app, "6");
            assert_eq!(app.heading(), key);
            press(&mut app, "*");
            let shown = if hidden { MASK } else { &key };
            assert_eq!(app.heading(), shown);
            // Also of one that is not read.
            app.cache = crate::app::cache::Cache::default();
            assert_eq!(app.heading(), shown);
            app.ask_conversation();
            let Some(Dialog::Conversations { choices, .. }) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
            assert_eq!((&*choices[0].key, &*choices[0].masked), (&*key, shown));
        }
    }
}
