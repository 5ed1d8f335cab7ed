//! A recording that is being opened: of a long one the newest calls are there at once, and the others around them in the end.
//!
//! ```text
//! Newest --> shown as if they were all --+
//! Indexed, Indexed, ... --> put aside ---+--> the end: all of them, with the same call selected
//! ```

use crate::app::App;
use crate::app::cache::Cache;
use crate::app::dialog::{Dialog, Then};
use crate::app::event::{Effect, Notice};
use crate::app::flow::Flow;
use crate::app::plots::{Plots, Troubles};
use crate::app::prompt::{Ask, Prompt};
use crate::call::Call;
use crate::recording::{Annotation, Change, Index};

/// How far the reading is.
#[derive(Debug, Default)]
pub struct Arriving {
    /// What was read, while only the newest calls are shown.
    aside: Option<Index>,
    /// Bytes read, and bytes there are; none when nothing is being read.
    progress: Option<(u64, u64)>,
}

impl Arriving {
    /// Per cent of the recording that were read, while it is being read.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        self.progress.map(|(done, total)| done.saturating_mul(100) / total.max(1))
    }

    /// Whether the newest calls alone are shown.
    #[must_use]
    pub fn newest_only(&self) -> bool {
        self.aside.is_some()
    }

    pub(super) fn reading(&mut self, done: u64, total: u64) {
        self.progress = Some((done, total));
    }
}

impl App {
    /// Shows the newest calls of a recording whose others are still to come.
    pub(super) fn newest(&mut self, calls: Index) {
        self.index = calls;
        self.calls.total = self.index.len();
        self.arriving.aside = Some(Index::new());
    }

    /// Takes in the next calls of a recording in file order; none when they are all there.
    pub(super) fn indexed(&mut self, calls: &Index) -> Vec<Effect> {
        if calls.is_empty() {
            return self.all_there();
        }
        if let Some(aside) = &mut self.arriving.aside {
            aside.append(calls);
        } else {
            self.index.append(calls);
            self.calls.total = self.index.len();
        }
        Vec::new()
    }

    /// Takes in what a recording that is being opened says of calls.
    pub(super) fn said(&mut self, said: Vec<(u64, Annotation)>) -> Vec<Effect> {
        let selected = self.selected_id();
        let mut lost = false;
        for (_, annotation) in &said {
            let ours = self.is_said(annotation).is_some();
            lost |= !ours && annotation.change == Change::Delete(true) && Some(annotation.call) == selected;
        }
        let Some(aside) = &mut self.arriving.aside else {
            let effects = self.annotated(said);
            if lost && self.selected_id() != selected {
                self.leave_lost();
            }
            return effects;
        };
        for (offset, annotation) in said {
            aside.annotate(offset, annotation);
        }
        Vec::new()
    }

    /// Another hand has deleted the call that was selected: whoever reads it is brought back to the list, for keys would mean
    /// another one.
    fn leave_lost(&mut self) {
        if self.leave_call() {
            self.tell(Notice::warning("the call that was read was deleted elsewhere: this is the list again"));
        }
    }

    fn all_there(&mut self) -> Vec<Effect> {
        let aside = std::mem::take(&mut self.arriving).aside;
        let selected = self.calls.selected().and_then(|number| self.index.view(number)).map(|view| view.place.offset);
        if let Some(all) = aside {
            self.index = all;
            self.calls.total = self.index.len();
            self.renumbered();
        }
        // A filter that was set before has looked at some of them only.
        let text = self.calls.filter_text().to_owned();
        let follow = self.calls.follow;
        let effects = self.filter_again(&text);
        if let Some(number) = selected.filter(|_| !follow).and_then(|offset| self.index.at_offset(offset)) {
            self.calls.select(number);
        }
        effects
    }

    /// Forgets whatever names calls by numbers that are no longer theirs.
    pub(super) fn renumbered(&mut self) {
        (self.plots, self.troubles) = (Plots::default(), Troubles::default());
        self.jq.running = None;
        self.asked.clear();
        self.cache = Cache::default();
        self.cache.set_mask(self.redaction.clone().filter(|_| self.masked));
        (self.shown, self.preparing, self.conversation, self.comparing) = (None, None, None, None);
        self.dialogs.retain(|dialog| match dialog {
            Dialog::Targets { then, .. } | Dialog::Prompt(Prompt { ask: Ask::Address(then), .. }) => {
                !matches!(then, Then::Replay(_))
            }
            Dialog::Conversations { .. } => false,
            _ => true,
        });
        self.flows().for_each(Flow::forget);
    }

    /// Whether `call` is the one of that number: what was asked for before numbers changed comes back late.
    pub(super) fn is_number(&self, number: usize, call: &Call) -> bool {
        self.index.view(number).is_some_and(|view| view.id == call.id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::event::{Event, Wanted};
    use crate::app::keys::script;
    use crate::app::tests::{app, call, happen};
    use crate::recording::{Entry, Place};

    #[test]
    fn the_newest_calls_are_shown_first_and_the_selected_one_stays() {
        let mut app = app();
        let calls: Vec<_> = (0..9).map(|number| call(&format!("/{number}"))).collect();
        let place = |number: usize| Place { offset: 100 * (number as u64 + 1), len: 99 };
        let some = |range: std::ops::Range<usize>| -> Box<Index> {
            let entries: Vec<_> = range.map(|number| Entry::from_call(&calls[number], place(number))).collect();
            Box::new(entries.iter().collect())
        };
        happen(&mut app, Event::Newest(some(6..9)));
        app.settle();
        assert_eq!((app.calls.len(), app.calls.selected(), app.arriving.newest_only()), (3, Some(2), true));
        for key in script("k").unwrap() {
            happen(&mut app, Event::Key(key));
        }
        let loaded = |wanted: Wanted, call: &Call| Event::Loaded(vec![(wanted, Ok(Arc::new(call.clone())))]);
        let early = Wanted::of(&app.index, 1).unwrap();
        happen(&mut app, loaded(early, &calls[7]));
        assert!(app.cache.has(1));
        happen(&mut app, Event::Indexed(some(0..5)));
        happen(&mut app, Event::Reading { done: 1, total: 2 });
        happen(&mut app, Event::Indexed(some(5..9)));
        assert_eq!((app.calls.len(), app.arriving.percent()), (3, Some(50)));
        for key in script("R").unwrap() {
            happen(&mut app, Event::Key(key));
        }
        assert!(app.dialogs.is_empty() && app.notice.as_ref().unwrap().text.contains("still being read"));
        happen(&mut app, Event::Indexed(Box::default()));
        assert_eq!((app.calls.len(), app.calls.selected(), app.arriving.percent()), (9, Some(7), None));
        // What was read for a number that is another call's now comes too late.
        happen(&mut app, loaded(early, &calls[7]));
        happen(&mut app, Event::Loaded(vec![(early, Err("it was too late then, too".to_owned()))]));
        assert!(!app.cache.has(1));
        let now = Wanted::of(&app.index, 7).unwrap();
        happen(&mut app, loaded(now, &calls[7]));
        assert!(app.cache.has(7));
    }
}
