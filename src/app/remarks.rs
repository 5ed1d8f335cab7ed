//! What the user says of calls: marks, notes, deletions, and taking them back. Each becomes a line of the recording first;
//! the screen shows it once the recorder has it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Notice};
use crate::app::prompt::{Ask, Prompt};
use crate::call::Id;
use crate::recording::{Annotation, Change, Colour, Mark, RecordError, Remarks};

/// What the user says of calls.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What would take back what was said, the newest last.
    undo: Vec<(Id, Change)>,
    /// What is being written, the oldest first.
    writing: Vec<Saying>,
    /// Calls that are no longer in the recording and that something was said of, or is about to be; and the file that has
    /// them now, where that is known.
    strayed: HashMap<Id, Option<PathBuf>>,
    /// A call of which something is being taken back: it is selected when that is recorded.
    restored: Option<Id>,
}

/// What is being written of a call.
#[derive(Debug)]
pub(super) struct Saying {
    call: Id,
    change: Change,
    /// What takes it back.
    before: Change,
    /// It takes back what was said before: what that would be said by again is not remembered.
    is_back: bool,
}

impl App {
    /// Takes in what is said of calls, each with the offset of its line.
    pub(super) fn annotated(&mut self, said: Vec<(u64, Annotation)>) -> Vec<Effect> {
        let mut again = false;
        let mut back = None;
        for (offset, annotation) in said {
            let filter = self.calls.filter.as_ref();
            let touched = matches!(annotation.change, Change::Delete(_))
                || filter.is_some_and(|filter| filter.query.depends_on(&annotation.change));
            let call = annotation.call;
            if self.index.annotate(offset, annotation) {
                again |= touched;
                back = back.or(self.said.restored.take_if(|restored| *restored == call));
            }
        }
        if !again {
            return Vec::new();
        }
        let (row, number) = (self.calls.row(), self.calls.selected());
        let text = self.calls.filter_text().to_owned();
        let effects = self.filter_again(&text);
        if let Some(number) = back.and_then(|call| self.index.row_of(call)) {
            self.calls.select(number);
        } else if self.calls.selected() != number {
            // The call is no longer shown: the one that stood behind it takes its place.
            self.calls.stay_at(row, number);
        }
        effects
    }

    /// Takes back what could not be written. A note stays as it was typed.
    pub(super) fn not_kept(&mut self, said: &Annotation, why: &str) {
        if let Some(Saying { call, change, before, is_back }) = self.is_said(said) {
            if is_back {
                self.said.undo.push((call, change));
            } else if let Some(last) = self.said.undo.iter().rposition(|undo| *undo == (call, before.clone())) {
                self.said.undo.remove(last);
            }
        }
        if let (Change::Note(Some(text)), true) = (&said.change, self.dialogs.is_empty() && self.draft.is_none()) {
            self.prompt(Ask::Note(said.call), text);
        }
        self.tell(Notice::error(format!("not kept: {why}")));
    }

    /// Forgets that this is being written.
    pub(super) fn is_said(&mut self, said: &Annotation) -> Option<Saying> {
        let is_it = |saying: &Saying| saying.call == said.call && saying.change == said.change;
        self.said.writing.iter().position(is_it).map(|at| self.said.writing.remove(at))
    }

    /// What will be said of a call once all is written that is being written.
    fn remarks_of(&self, call: Id) -> Remarks {
        let mut remarks = self.index.marks().of(call).cloned().unwrap_or_default();
        self.said.writing.iter().filter(|saying| saying.call == call).for_each(|saying| remarks.apply(&saying.change));
        remarks
    }

    /// Marks the selected call, or takes its mark away.
    pub(super) fn toggle_mark(&mut self) -> Vec<Effect> {
        self.say(|remarks| Change::Mark(if remarks.mark.is_some() { None } else { Some(Mark::default()) }))
    }

    /// Marks the selected call in the next colour; behind the last one comes none.
    pub(super) fn colour_mark(&mut self) -> Vec<Effect> {
        self.say(|remarks| {
            let next = match remarks.mark.and_then(|mark| mark.colour) {
                None => 0,
                Some(colour) => colour as usize + 1,
            };
            Change::Mark(Some(Mark { colour: Colour::ALL.get(next).copied() }))
        })
    }

    /// Deletes the selected call, or brings a deleted one back.
    pub(super) fn toggle_deleted(&mut self) -> Vec<Effect> {
        // One that is on its way out of the list is not meant: its key was pressed again for the next one.
        let leaving =
            |saying: &Saying| Some(saying.call) == self.selected_id() && saying.change == Change::Delete(true);
        if self.said.writing.iter().any(leaving) {
            return Vec::new();
        }
        let effects = self.say(|remarks| Change::Delete(!remarks.deleted));
        if let [Effect::Annotate { said: Annotation { change: Change::Delete(true), .. }, .. }] = &effects[..] {
            let told = Notice::info("deleted: `hooktape compact` removes it for good");
            self.tell(told.key(Action::TakeBack, "brings it back"));
        }
        effects
    }

    /// Asks for the selected call's note.
    pub(super) fn ask_note(&mut self) {
        let Some((call, remarks)) = self.selected_remarks() else { return };
        self.prompt(Ask::Note(call), remarks.note.as_deref().unwrap_or_default());
        self.tell_bare();
    }

    /// Notes `text` on a call; an empty one takes its note away.
    pub(super) fn note(&mut self, call: Id, text: &str) -> Vec<Effect> {
        if let Some(why) = self.why_not(call) {
            self.tell(Notice::error(format!("not kept: {why}")));
            // What was typed stays where it cannot be noted.
            self.prompt(Ask::Note(call), text);
            return Vec::new();
        }
        let text = text.trim();
        self.say_of(call, Change::Note((!text.is_empty()).then(|| text.into())))
    }

    /// Takes back what was said last.
    pub(super) fn unsay(&mut self) -> Vec<Effect> {
        let Some((call, change)) = self.said.undo.pop() else {
            self.tell(Notice::info("there is no mark, note or deletion to take back"));
            return Vec::new();
        };
        if let Some(why) = self.why_not(call) {
            // The same holds of all that was said before: it is told once.
            let index = &self.index;
            self.said.undo.retain(|(call, _)| index.row_of(*call).is_some());
            self.tell(Notice::error(format!("not taken back: {why}")));
            return Vec::new();
        }
        let name = self.name_of(call);
        // It may be none of those that are on the screen.
        self.tell(Notice::info(match change {
            Change::Mark(_) => format!("the mark of {name} is as it was"),
            Change::Note(_) => format!("the note on {name} is as it was"),
            Change::Delete(true) => format!("{name} is deleted again"),
            Change::Delete(false) => format!("{name} is brought back"),
        }));
        self.said.restored = Some(call);
        self.put_down(call, change, true)
    }

    /// What a call is called in a sentence: its kind, or else method and path, and the end of its id.
    fn name_of(&self, call: Id) -> String {
        let id = call.to_string();
        let view = self.index.row_of(call).and_then(|row| self.index.view(row));
        let what = view.map_or_else(String::new, |view| match view.kind {
            Some(kind) => format!("{kind} "),
            None => format!("{} {} ", view.method, self.path(view.path)),
        });
        format!("{what}{}", &id[id.len() - 8..])
    }

    fn selected_remarks(&self) -> Option<(Id, Remarks)> {
        let call = self.selected_id()?;
        Some((call, self.remarks_of(call)))
    }

    fn say(&mut self, change: impl FnOnce(&Remarks) -> Change) -> Vec<Effect> {
        let Some((call, remarks)) = self.selected_remarks() else { return Vec::new() };
        self.say_of(call, change(&remarks))
    }

    /// Says something of a call, and remembers how to take it back. What stands already is not said again.
    fn say_of(&mut self, call: Id, change: Change) -> Vec<Effect> {
        let before = self.remarks_of(call).inverse(&change);
        if before == change {
            return Vec::new();
        }
        self.said.undo.push((call, before));
        self.put_down(call, change, false)
    }

    fn put_down(&mut self, call: Id, change: Change, is_back: bool) -> Vec<Effect> {
        let place = self.index.row_of(call).and_then(|row| self.index.place(row));
        let Some(place) = place else { return Vec::new() };
        let before = self.remarks_of(call).inverse(&change);
        self.said.writing.push(Saying { call, change: change.clone(), before, is_back });
        vec![Effect::Annotate { said: Annotation { call, at: self.now, change }, place }]
    }

    /// Why nothing can be said of a call, as a sentence: it is no longer in this recording.
    fn why_not(&self, call: Id) -> Option<RecordError> {
        let gone = self.index.row_of(call).is_none();
        let aside = self.said.strayed.get(&call).and_then(Option::as_deref);
        gone.then(|| RecordError::strayed(&self.setup.recording, aside))
    }

    /// Remembers where the calls are now that are no longer in the recording, of those that something may be said of yet.
    pub(super) fn stray(&mut self, aside: Option<&Path>) {
        let noted = self.dialogs.iter().filter_map(|dialog| match dialog {
            Dialog::Prompt(Prompt { ask: Ask::Note(call), .. }) => Some(*call),
            _ => None,
        });
        let about = self.said.undo.iter().map(|(call, _)| *call).chain(noted);
        for call in about.filter(|call| self.index.row_of(*call).is_none()) {
            self.said.strayed.entry(call).or_insert_with(|| aside.map(Path::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Focus;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::tests::{app, call, happen, recorded};

    fn press(app: &mut App, keys: &str) -> Vec<Annotation> {
        let effects = script(keys).unwrap().into_iter().flat_map(|key| happen(app, Event::Key(key)));
        let said = effects.filter_map(|effect| match effect {
            Effect::Annotate { said, .. } => Some(said),
            _ => None,
        });
        said.collect()
    }

    fn listed() -> App {
        let mut app = app();
        for path in ["/a", "/b"] {
            recorded(&mut app, &call(path));
        }
        app
    }

    #[test]
    fn what_is_not_written_yet_counts() {
        let mut app = listed();
        let said = press(&mut app, "gmm");
        let changes: Vec<&Change> = said.iter().map(|said| &said.change).collect();
        assert_eq!(changes, [&Change::Mark(Some(Mark::default())), &Change::Mark(None)]);
        let deleted = press(&mut app, "ddd");
        assert_eq!(deleted.len(), 1, "it is on its way out of the list");
        happen(&mut app, Event::Annotated(said.into_iter().chain(deleted).map(|said| (0, said)).collect()));
        assert!(app.said.writing.is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_neither_taken_back_nor_lost_as_typed() {
        let mut app = listed();
        for said in press(&mut app, "gmd;a note<enter>") {
            happen(&mut app, Event::NotKept(said, "the disk is full".to_owned()));
        }
        assert!(app.notice.as_ref().unwrap().text.contains("not kept: the disk is full"));
        assert!(matches!(app.dialogs.last(), Some(Dialog::Prompt(typed)) if typed.input.text() == "a note"));
        assert!(press(&mut app, "<esc>u").is_empty() && app.said.undo.is_empty(), "nothing was said");
        let marked = press(&mut app, "m").remove(0);
        happen(&mut app, Event::Annotated(vec![(0, marked)]));
        let back = press(&mut app, "u").remove(0);
        happen(&mut app, Event::NotKept(back, "the disk is full".to_owned()));
        assert_eq!(press(&mut app, "u").len(), 1, "it can be tried again");
    }

    #[test]
    fn whoever_reads_a_call_that_another_hand_deletes_is_brought_back_to_the_list() {
        for (ours, keys, focus) in [(false, "g<enter>", Focus::List), (true, "g<enter>d", Focus::Detail)] {
            let mut app = listed();
            let said = press(&mut app, keys).pop();
            let call = app.selected_id().unwrap();
            let theirs = Annotation { call, at: app.now, change: Change::Delete(true) };
            happen(&mut app, Event::Annotated(vec![(900, said.unwrap_or(theirs))]));
            assert_ne!(app.selected_id(), Some(call));
            assert_eq!(app.focus, focus, "{ours}");
            let told = app.notice.as_ref().is_some_and(|notice| notice.text.contains("deleted elsewhere"));
            assert_eq!(told, !ours);
        }
    }
}
