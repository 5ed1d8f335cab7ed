//! What is said of a call after it was recorded: marks, notes and deletions, each a line of its own behind the call's.
//!
//! ```text
//! {"mark":ID,"at":"2026-11-21T10:02:11.120331Z","on":true,"colour":"red"}
//! {"note":ID,"at":..,"text":"the customer's own test"}          an empty text takes the note away
//! {"delete":ID,"at":..,"on":true}
//! ```
//!
//! A later line wins, so taking something back is a line too and nothing is ever rewritten; `hooktape compact` leaves out
//! what was deleted.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::format;
use crate::call::Id;

/// One line that says something of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The call.
    pub call: Id,
    /// When it was said; microseconds.
    pub at: Timestamp,
    /// What was said.
    pub change: Change,
}

/// What an [`Annotation`] changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The call is marked, or no longer.
    Mark(Option<Mark>),
    /// The call has this note, or no longer one. Never empty.
    Note(Option<Arc<str>>),
    /// The call is deleted, or no longer.
    Delete(bool),
}

/// A mark, and the colour that was given to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// None: marked, and that is all. So is a colour that this version does not know.
    pub colour: Option<Colour>,
}

/// The colour of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are colours")]
pub enum Colour {
    Red,
    Yellow,
    Green,
    Blue,
    Magenta,
}

impl Colour {
    /// Every colour, in the order they are gone through.
    pub const ALL: [Self; 5] = [Self::Red, Self::Yellow, Self::Green, Self::Blue, Self::Magenta];

    /// Its name, as it is recorded and asked for.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
        }
    }
}

impl Annotation {
    /// Its line, with the newline.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let at = format!("{:.6}", format::whole_micros(self.at));
        let line = match &self.change {
            Change::Mark(mark) => {
                let colour = mark.and_then(|mark| mark.colour).map(Colour::word);
                json!({ "mark": self.call, "at": at, "on": mark.is_some(), "colour": colour })
            }
            Change::Note(text) => json!({ "note": self.call, "at": at, "text": text.as_deref().unwrap_or_default() }),
            Change::Delete(on) => json!({ "delete": self.call, "at": at, "on": on }),
        };
        format!("{line}\n").into_bytes()
    }

    /// What a line says of a call; None if it is another kind of line.
    #[must_use]
    pub fn decode(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Line {
            mark: Option<Id>,
            note: Option<Id>,
            delete: Option<Id>,
            #[serde(default)]
            at: Timestamp,
            on: Option<bool>,
            colour: Option<String>,
            text: Option<String>,
        }
        let line: Line = serde_json::from_slice(line).ok()?;
        let on = line.on.unwrap_or(true);
        let colour = || Colour::ALL.into_iter().find(|colour| line.colour.as_deref() == Some(colour.word()));
        let (call, change) = match (line.mark, line.note, line.delete) {
            (Some(call), None, None) => (call, Change::Mark(on.then(|| Mark { colour: colour() }))),
            (None, Some(call), None) => (call, Change::Note(line.text.filter(|text| !text.is_empty()).map(Arc::from))),
            (None, None, Some(call)) => (call, Change::Delete(on)),
            _ => return None,
        };
        Some(Self { call, at: line.at, change })
    }
}

/// All that stands said of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remarks {
    /// How it is marked.
    pub mark: Option<Mark>,
    /// The note it has.
    pub note: Option<Arc<str>>,
    /// It is deleted: hidden, until the file is compacted.
    pub deleted: bool,
}

impl Remarks {
    /// What would bring back what stands now, after `change`.
    #[must_use]
    pub fn inverse(&self, change: &Change) -> Change {
        match change {
            Change::Mark(_) => Change::Mark(self.mark),
            Change::Note(_) => Change::Note(self.note.clone()),
            Change::Delete(_) => Change::Delete(self.deleted),
        }
    }

    /// What each of them would be said by.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let mark = self.mark.map(|mark| Change::Mark(Some(mark)));
        let note = self.note.clone().map(|note| Change::Note(Some(note)));
        let deleted = self.deleted.then_some(Change::Delete(true));
        mark.into_iter().chain(note).chain(deleted)
    }

    /// What stands said of the call, for people, a sentence each: `marked red`. A note is as it was written.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        self.changes().map(|change| match change {
            Change::Mark(mark) => {
                mark.and_then(|mark| mark.colour).map_or("marked".into(), |colour| format!("marked {}", colour.word()))
            }
            Change::Note(text) => format!("note: {}", text.as_deref().unwrap_or_default()),
            Change::Delete(_) => "deleted: `hooktape compact` leaves it out".into(),
        })
    }

    /// What stands after `change`.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Mark(mark) => self.mark = *mark,
            Change::Note(note) => self.note.clone_from(note),
            Change::Delete(on) => self.deleted = *on,
        }
    }
}

/// When each of the [`Remarks`] of a call was said, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    mark: Option<Timestamp>,
    note: Option<Timestamp>,
    deleted: Option<Timestamp>,
}

impl Times {
    /// When this was said.
    #[must_use]
    pub fn of(&self, change: &Change) -> Option<Timestamp> {
        match change {
            Change::Mark(_) => self.mark,
            Change::Note(_) => self.note,
            Change::Delete(_) => self.deleted,
        }
    }

    fn set(&mut self, change: &Change, at: Timestamp) {
        *match change {
            Change::Mark(_) => &mut self.mark,
            Change::Note(_) => &mut self.note,
            Change::Delete(_) => &mut self.deleted,
        } = Some(at);
    }
}

/// What stands said of one call, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Standing {
    remarks: Remarks,
    times: Times,
}

/// What stands said of the calls of a recording. Calls of which nothing is said take no room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    standing: HashMap<Id, Standing>,
    deleted: usize,
    /// Where each line stands, in file order: what remains when the file is cut short.
    lines: Vec<(u64, Annotation)>,
}

impl Marks {
    /// What stands said of a call.
    #[must_use]
    pub fn of(&self, call: Id) -> Option<&Remarks> {
        self.standing(call).map(|standing| &standing.remarks)
    }

    /// When what stands said of a call was said.
    #[must_use]
    pub fn times(&self, call: Id) -> Times {
        self.standing(call).map(|standing| standing.times).unwrap_or_default()
    }

    fn standing(&self, call: Id) -> Option<&Standing> {
        // Most recordings have no marks at all, and a filter asks for every call.
        if self.standing.is_empty() { None } else { self.standing.get(&call) }
    }

    /// The calls that have a note as asked for.
    pub fn noted(&self, is: impl Fn(&str) -> bool) -> impl Iterator<Item = Id> {
        let fits = move |standing: &Standing| standing.remarks.note.as_deref().is_some_and(&is);
        self.standing.iter().filter(move |(_, standing)| fits(standing)).map(|(call, _)| *call)
    }

    /// How many calls are deleted.
    #[must_use]
    pub fn deleted(&self) -> usize {
        self.deleted
    }

    /// Whether nothing is said of any call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    /// Adds the line at `offset`, in whatever order lines are heard of. False if it is here already.
    pub fn add(&mut self, offset: u64, annotation: Annotation) -> bool {
        match self.lines.binary_search_by_key(&offset, |(at, _)| *at) {
            Ok(_) => return false,
            Err(at) if at == self.lines.len() => {
                self.apply(&annotation);
                self.lines.push((offset, annotation));
            }
            Err(at) => {
                let call = annotation.call;
                // One that was said while the file is still being read stands behind all others.
                if self.lines[at..].iter().any(|(_, later)| later.call == call) {
                    self.lines.insert(at, (offset, annotation));
                    self.apply_anew(call);
                } else {
                    self.apply(&annotation);
                    self.lines.insert(at, (offset, annotation));
                }
            }
        }
        true
    }

    fn apply_anew(&mut self, call: Id) {
        let before = self.standing.remove(&call);
        self.deleted -= usize::from(before.is_some_and(|standing| standing.remarks.deleted));
        let lines = std::mem::take(&mut self.lines);
        lines.iter().filter(|(_, said)| said.call == call).for_each(|(_, said)| self.apply(said));
        self.lines = lines;
    }

    fn apply(&mut self, annotation: &Annotation) {
        let Standing { remarks, times } = self.standing.entry(annotation.call).or_default();
        let was = remarks.deleted;
        remarks.apply(&annotation.change);
        times.set(&annotation.change, annotation.at);
        self.deleted = self.deleted + usize::from(remarks.deleted) - usize::from(was);
        if *remarks == Remarks::default() {
            self.standing.remove(&annotation.call);
        }
    }

    /// Forgets the lines that stand at `offset` or behind it: they are no longer in the file.
    pub fn truncate(&mut self, offset: u64) {
        let lines = std::mem::take(self).lines;
        for (at, annotation) in lines.into_iter().take_while(|(at, _)| *at < offset) {
            self.apply(&annotation);
            self.lines.push((at, annotation));
        }
    }
}

impl FromIterator<(u64, Annotation)> for Marks {
    fn from_iter<I: IntoIterator<Item = (u64, Annotation)>>(lines: I) -> Self {
        let mut marks = Self::default();
        for (offset, annotation) in lines {
            marks.add(offset, annotation);
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn id(number: u128) -> Id {
        Id(uuid::Uuid::from_u128(number))
    }

    fn says(call: u128, change: Change) -> Annotation {
        Annotation { call: id(call), at: AT, change }
    }

    #[test]
    fn lines_are_as_written_here_and_read_back() {
        let red = Mark { colour: Some(Colour::Red) };
        for (change, line) in [
            (Change::Mark(Some(red)), r#""mark":"ID","at":"AT","on":true,"colour":"red""#),
            (Change::Mark(Some(Mark::default())), r#""mark":"ID","at":"AT","on":true,"colour":null"#),
            (Change::Mark(None), r#""mark":"ID","at":"AT","on":false,"colour":null"#),
            (Change::Note(Some("a \"b\"\nc".into())), r#""note":"ID","at":"AT","text":"a \"b\"\nc""#),
            (Change::Note(None), r#""note":"ID","at":"AT","text":"""#),
            (Change::Delete(true), r#""delete":"ID","at":"AT","on":true"#),
            (Change::Delete(false), r#""delete":"ID","at":"AT","on":false"#),
        ] {
            let annotation = says(7, change);
            let line = line.replace("ID", &id(7).to_string()).replace("AT", "1970-01-01T00:00:00.000000Z");
            assert_eq!(String::from_utf8(annotation.encode()).unwrap(), format!("{{{line}}}\n"));
            assert_eq!(Annotation::decode(&annotation.encode()), Some(annotation));
        }
    }

    #[test]
    fn what_is_left_out_is_the_plain_thing_and_other_lines_are_none() {
        let read = |line: &str| Annotation::decode(line.replace("ID", &id(1).to_string()).as_bytes());
        let marked = Some(Change::Mark(Some(Mark::default())));
        assert_eq!(read(r#"{"mark":"ID"}"#).map(|said| said.change), marked);
        assert_eq!(read(r#"{"mark":"ID","colour":"taupe","by":"me"}"#).map(|said| said.change), marked);
        assert_eq!(read(r#"{"delete":"ID"}"#).map(|said| said.change), Some(Change::Delete(true)));
        for other in [r#"{"mark":7}"#, r#"{"mark":"ID","note":"ID"}"#, r#"{"pin":"ID"}"#, "{}", "mark", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn the_later_line_wins_and_a_shorter_file_says_less() {
        let mark = || Change::Mark(Some(Mark { colour: Some(Colour::Blue) }));
        let all: Marks = [
            (10, says(1, Change::Delete(true))),
            (20, says(2, Change::Delete(true))),
            (30, says(1, mark())),
            (40, says(2, Change::Delete(false))),
            (50, says(1, Change::Note(Some("x".into())))),
        ]
        .into_iter()
        .collect();
        assert_eq!(all.deleted(), 1);
        assert_eq!(all.of(id(2)), None, "nothing stands said of it any more");
        let first = all.of(id(1)).unwrap();
        assert_eq!((first.deleted, first.note.as_deref()), (true, Some("x")));
        assert_eq!(first.inverse(&Change::Mark(None)), mark());
        let mut heard_late = Marks::default();
        for (offset, annotation) in all.lines.iter().rev().chain(&all.lines) {
            heard_late.add(*offset, annotation.clone());
        }
        assert_eq!(heard_late, all);
        let mut shorter = all.clone();
        shorter.truncate(40);
        assert_eq!(shorter.deleted(), 2);
        assert_eq!(shorter.of(id(1)).unwrap().note, None);
        shorter.truncate(0);
        assert!(shorter.is_empty() && shorter == Marks::default());
    }

    #[test]
    fn what_was_said_last_tells_when_and_no_other_remark_does() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let red = Change::Mark(Some(Mark { colour: Some(Colour::Red) }));
        let note = Change::Note(Some("x".into()));
        let said = [(1_i64, red.clone()), (2, note.clone()), (3, Change::Delete(true)), (4, red.clone())];
        let lines = said.map(|(time, change)| (time.unsigned_abs(), Annotation { call: id(1), at: at(time), change }));
        let mut marks: Marks = lines.into_iter().collect();
        let times = |marks: &Marks| [&red, &note, &Change::Delete(true)].map(|change| marks.times(id(1)).of(change));
        assert_eq!(times(&marks), [Some(at(4)), Some(at(2)), Some(at(3))]);
        marks.truncate(3);
        assert_eq!(times(&marks), [Some(at(1)), Some(at(2)), None]);
        assert_eq!(marks.times(id(2)), Times::default());
    }

    #[test]
    fn when_much_was_said_of_many_calls_is_told_at_once() {
        let remarks = 10_000_u64;
        let line = |number: u64| (number, says(number.into(), Change::Delete(true)));
        let marks: Marks = (0..remarks).map(line).collect();
        let begun = std::time::Instant::now();
        let known = (0..1_000_000).filter(|call| marks.times(id(*call)).of(&Change::Delete(true)).is_some());
        assert_eq!(known.count(), 10_000);
        // Looked for among all that was said, it would take minutes.
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_said_while_much_is_still_read_costs_no_more() {
        let begun = std::time::Instant::now();
        let mut marks = Marks::default();
        marks.add(1_000_000, says(0, Change::Delete(true)));
        (0..30_000_u64).for_each(|number| assert!(marks.add(number, says(number.into(), Change::Delete(true)))));
        assert_eq!(marks.deleted(), 30_000);
        // If each had all of them put in anew, it would take minutes.
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn in_whatever_order_it_is_heard_the_same_stands() {
        let changes = [
            Change::Note(Some("x".into())),
            Change::Mark(None),
            Change::Delete(true),
            Change::Mark(Some(Mark::default())),
            Change::Delete(false),
            Change::Note(None),
        ];
        let said = |(number, change): (u64, &Change)| {
            let at = Timestamp::from_second(number.cast_signed()).unwrap();
            (number, Annotation { at, ..says(u128::from(number % 2), change.clone()) })
        };
        let lines: Vec<_> = (0..).zip(changes.iter().chain(&changes[1..4])).map(said).collect();
        let all: Marks = lines.iter().cloned().collect();
        for step in [2, 4, 5, 7, 8] {
            let heard: Marks = (0..lines.len()).map(|number| lines[number * step % lines.len()].clone()).collect();
            assert_eq!(heard, all, "{step}");
        }
    }
}
