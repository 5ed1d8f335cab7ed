//! What becomes of the recording while one looks at it: a call is in it, or could not be written, or another hand changed it.

use std::path::Path;
use std::sync::Arc;

use super::dialog::Dialog;
use super::event::{Effect, Notice};
use super::panel::Panel;
use super::question::Yes;
use super::{App, Focus};
use crate::call::{Call, Direction};
use crate::recording::{Place, View};
use crate::visible::count;

impl App {
    /// A call was recorded: it is the newest.
    pub(super) fn came(&mut self, call: Arc<Call>, place: Place) {
        let view = View::of(&call, place);
        let number = self.index.len();
        if matches!(self.dialogs.last(), Some(Dialog::Webview { .. })) {
            // It may say that nothing has come yet.
            self.notice = None;
        }
        if let Some(filter) = &mut self.calls.filter
            && filter.query.matches(&view, &call)
        {
            filter.came(number);
        }
        self.index.push(&view);
        self.calls.total = self.index.len();
        if call.direction == Direction::Received {
            // In a file that is followed, and above all in one that takes its place, stands also what came long ago.
            let recorded = || call.at.checked_add(call.took).unwrap_or(call.at).min(self.now);
            self.arrivals.came(if self.setup.listener.is_some() { self.now } else { recorded() });
        }
        let awaited = self.sending.awaited == Some(call.id);
        self.cache.put(number, Ok(call));
        if awaited {
            self.show_awaited();
        }
    }

    pub(super) fn not_recorded(&mut self, unrecorded: u64, reason: String) {
        let (calls, are) = (count(unrecorded, "call"), if unrecorded == 1 { "is" } else { "are" });
        self.tell(Notice::error(format!("{calls} {are} not in the recording: {reason}")));
        self.unrecorded = Some((unrecorded, reason));
    }

    /// The file was set aside, or another hand changed it: what it held behind `kept` is gone, to `aside` where that is known.
    /// The filter stays. Whoever reads a call that is gone is brought back to the list: keys would mean another one.
    pub(super) fn reopened(&mut self, reason: &str, kept: u64, aside: Option<&Path>) -> Vec<Effect> {
        let selected = self.selected_id();
        self.index.truncate(kept);
        self.calls.total = self.index.len();
        self.stray(aside);
        self.renumbered();
        let text = self.calls.filter_text().to_owned();
        let effects = self.filter_again(&text);
        let gone = selected.is_some_and(|id| self.index.row_of(id).is_none());
        let mut told = reason.to_owned();
        if self.close_questions(kept) {
            told.push_str("; what was asked about calls that went with them is closed");
        }
        if gone {
            self.calls.follow = true;
            if self.leave_call() {
                told.push_str("; this is the list again, for the call that was read went with them");
            }
        }
        self.tell(Notice::error(told));
        effects
    }

    /// Goes from a call that is gone to the list, with what would copy of it; whether that call was being read.
    pub(super) fn leave_call(&mut self) -> bool {
        self.dialogs.retain(|dialog| !matches!(dialog, Dialog::Yank { .. }));
        std::mem::replace(&mut self.focus, Focus::List) == Focus::Detail
    }

    /// Closes what asks about calls behind `kept`, which are gone: a yes could do nothing. Whether anything did.
    fn close_questions(&mut self, kept: u64) -> bool {
        let here = |place: &Place| place.offset < kept;
        let before = self.dialogs.len();
        self.dialogs.retain_mut(|dialog| match dialog {
            Dialog::Question(question) => match &question.yes {
                Yes::Replay(job) => job.items.iter().all(|item| here(&item.place)),
                Yes::Export { job, .. } => job.calls.iter().all(|(_, place)| here(place)),
                Yes::Send { .. } | Yes::Keep(_) => true,
            },
            Dialog::Panel(Panel::Options(options)) => {
                // What was being counted may be gone as well.
                options.counting = None;
                true
            }
            _ => true,
        });
        self.dialogs.len() < before
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::app::Setup;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::question::GUARDED;
    use crate::app::replaying::Job;
    use crate::app::tests::{app, call, happen, recorded};
    use crate::config::Target;
    use crate::recording::Recorded;
    use crate::replay::Item;

    fn press(app: &mut App, keys: &str) -> Vec<Effect> {
        script(keys).unwrap().into_iter().flat_map(|key| happen(app, Event::Key(key))).collect()
    }

    fn set_aside(app: &mut App, aside: Option<&str>) -> Vec<Effect> {
        let (reason, aside) = ("it has reached its size".to_owned(), aside.map(PathBuf::from));
        happen(app, Event::Recorded(Recorded::Reopened { reason, kept: 0, aside }))
    }

    fn told(app: &App) -> &str {
        app.notice.as_ref().map_or("", |notice| &notice.text)
    }

    #[test]
    fn what_was_said_is_neither_taken_back_nor_noted_in_another_file() {
        let mut app = app();
        app.setup.recording = PathBuf::from("rot.jsonl");
        let first = call("/a");
        recorded(&mut app, &first);
        assert!(matches!(&press(&mut app, "gmMd")[..], [_, _, Effect::Annotate { said, .. }] if said.call == first.id));
        press(&mut app, ";a note");
        set_aside(&mut app, Some("rot-1.jsonl"));
        recorded(&mut app, &call("/b"));
        set_aside(&mut app, Some("rot-2.jsonl"));
        recorded(&mut app, &call("/c"));
        assert_eq!((press(&mut app, "<enter>"), app.dialogs.len()), (vec![], 1), "what was typed is not lost");
        assert_eq!(told(&app), "not kept: the call is in rot-1.jsonl now: open that file to do it there");
        assert_eq!(press(&mut app, "<esc>u"), []);
        assert_eq!(told(&app), "not taken back: the call is in rot-1.jsonl now: open that file to do it there");
        press(&mut app, "u");
        assert_eq!(told(&app), "there is no mark, note or deletion to take back");
        press(&mut app, "m");
        set_aside(&mut app, None);
        assert_eq!(press(&mut app, "u"), []);
        assert_eq!(told(&app), "not taken back: the call is no longer in rot.jsonl");
    }

    #[test]
    fn a_question_about_calls_that_are_gone_is_closed() {
        let mut app = app();
        app.choose(Target { guard: true, ..Target::new("prod", "http://127.0.0.1:1") });
        recorded(&mut app, &call("/a"));
        recorded(&mut app, &call("/b"));
        let (all, one) = (2, 1);
        for (kept, calls, closed) in [(250, all, false), (150, one, false), (150, all, true), (0, one, true)] {
            let items = (0..calls).filter_map(|row| app.index.get(row)).map(|entry| Item::from(&entry)).collect();
            let plan = app.plan_to_target().unwrap();
            let Setup { platforms, keyring, .. } = app.setup.clone();
            let job = Box::new(Job { ticket: 9, plan, items, platforms, keyring, listener: None });
            app.ask_first(String::new(), GUARDED, Yes::Replay(job));
            assert_eq!((app.close_questions(kept), app.dialogs.is_empty()), (closed, closed), "{kept}, {calls}");
            app.dialogs.clear();
        }
    }

    #[test]
    fn what_is_in_the_file_again_can_be_taken_back() {
        let mut app = app();
        let first = call("/a");
        recorded(&mut app, &first);
        press(&mut app, "m");
        set_aside(&mut app, None);
        recorded(&mut app, &first);
        assert!(matches!(&press(&mut app, "u")[..], [Effect::Annotate { said, .. }] if said.call == first.id));
    }

    #[test]
    fn what_is_read_anew_does_not_come_now() {
        let mut app = app();
        let now = jiff::Timestamp::from_second(172_800).unwrap();
        let came = |app: &mut App, at: jiff::Timestamp| {
            let took = std::time::Duration::from_secs(20);
            let call = Call { at, took, direction: Direction::Received, ..call("/") };
            let place = Place { offset: 100 * (app.index.len() as u64 + 1), len: 99 };
            app.update(Event::Recorded(Recorded::Call(Arc::new(call), place)), now);
        };
        came(&mut app, jiff::Timestamp::from_second(100).unwrap());
        assert_eq!((app.arrivals.rate(now).to_string().as_str(), app.arrivals.age(now)), ("0", Some(172_680)));
        came(&mut app, jiff::Timestamp::from_second(172_775).unwrap());
        assert_eq!((app.arrivals.rate(now).to_string().as_str(), app.arrivals.age(now)), ("0.1", Some(5)));
        app.setup.listener = Some(([127, 0, 0, 1], 4747).into());
        came(&mut app, jiff::Timestamp::from_second(100).unwrap());
        assert_eq!((app.arrivals.rate(now).to_string().as_str(), app.arrivals.age(now)), ("0.2", Some(0)));
    }

    #[test]
    fn the_filter_stays_and_no_other_call_is_read_than_before() {
        let mut app = app();
        for path in ["/a", "/b", "/a"] {
            recorded(&mut app, &call(path));
        }
        press(&mut app, "/path:/a<enter>g<enter>y");
        assert_eq!(app.focus, Focus::Detail);
        set_aside(&mut app, Some("rot-1.jsonl"));
        assert_eq!((app.focus, app.dialogs.len()), (Focus::List, 0));
        assert!(told(&app).starts_with("it has reached its size; this is the list again"), "{}", told(&app));
        recorded(&mut app, &call("/b"));
        recorded(&mut app, &call("/a"));
        assert_eq!((app.calls.filter_text(), app.calls.len(), app.calls.selected()), ("path:/a", 1, Some(1)));
        press(&mut app, "/<space>body:x<enter>");
        assert!(matches!(&set_aside(&mut app, None)[..], [Effect::Search { places, .. }] if places.is_empty()));
        assert_eq!(told(&app), "it has reached its size");
    }

    #[test]
    fn one_long_path_has_no_other_call_looked_through() {
        let mut app = app();
        let long = format!("/pay?token={}abcd", "x".repeat(600));
        for number in 0..1000 {
            recorded(&mut app, &call(if number == 500 { &long } else { "/hooks" }));
        }
        assert_eq!(app.filter("path:/hooks").unwrap().len(), 1);
        assert_eq!((app.calls.len(), app.calls.filter.as_ref().unwrap().finished), (999, false));
        for (text, calls) in [("path:/pay", 1), ("-path:/PAY?token=x", 999), ("path:/hooks status:500", 0)] {
            assert_eq!((app.filter(text).unwrap(), app.calls.len()), (Vec::new(), calls), "{text}");
        }
        let effects = app.filter("path:abcd | path:/hooks").unwrap();
        let [Effect::Search { search, places, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(places[..], [app.index.place(500).unwrap()]);
        happen(&mut app, Event::Found { search: *search, hits: vec![0], scanned: 1, finished: true });
        assert_eq!((app.calls.len(), app.calls.row_of(500)), (1000, Some(500)));
        assert_eq!(app.calls.filter.as_ref().unwrap().scanned, 1000);
    }
}
