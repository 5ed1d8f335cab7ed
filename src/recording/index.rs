//! What is kept in memory of a recording: 40 bytes a call, and each kind, path and conversation once, of very long ones the
//! beginning.

mod pages;
mod rows;
mod table;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use jiff::Timestamp;

use self::rows::{Few, Row, Rows};
use self::table::{Interned, Table};
use super::{Annotation, Entry, Marks, Place, Query, View, cores, failed_or_refused};
use crate::call::{Direction, Id, Sig, short};

/// The rows of the calls that fit a query, as far as heads tell. Both rise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Those that fit.
    pub hits: Vec<usize>,
    /// Those of which only the call can tell.
    pub open: Vec<usize>,
}

/// The entries of a recording in file order.
#[derive(Clone, Debug, Default)]
pub struct Index {
    rows: Rows,
    shapes: Table<Shape>,
    fates: Table<Fate>,
    conversations: Table<Arc<str>>,
    /// Of those that repeat another.
    parents: Few<Id>,
    marks: Marks,
}

/// The calls that share a conversation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The key.
    pub key: &'a str,
    /// How many there are.
    pub calls: usize,
    /// The row of the first.
    pub first: usize,
    /// The row of the last.
    pub last: usize,
    /// How many of them failed, were answered with an error, or have a signature that is missing or not good.
    pub ill: usize,
}

/// What the calls of one kind to one path have in common.
#[derive(Clone, Debug)]
struct Shape {
    kind: Option<Arc<str>>,
    method: Arc<str>,
    path: Arc<str>,
}

impl Interned for Shape {
    type Key<'a> = (Option<&'a str>, &'a str, &'a str);

    fn new((kind, method, path): Self::Key<'_>) -> Self {
        Self { kind: kind.map(Arc::from), method: method.into(), path: path.into() }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.kind.as_deref(), &self.method, &self.path)
    }

    fn is(&self, key: Self::Key<'_>) -> bool {
        self.key() == key
    }
}

/// What those of them have in common that went alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fate {
    /// The number of their shape.
    shape: u32,
    status: Option<u16>,
    sig: Option<Sig>,
    direction: Direction,
    failed: bool,
    /// They repeat other calls.
    repeat: bool,
}

impl Fate {
    fn is_ill(self) -> bool {
        failed_or_refused(self.failed, self.status) || self.sig.is_some_and(Sig::is_bad)
    }
}

impl Interned for Fate {
    type Key<'a> = Self;

    fn new(fate: Self) -> Self {
        fate
    }

    fn key(&self) -> Self {
        *self
    }

    fn is(&self, fate: Self) -> bool {
        *self == fate
    }
}

/// Rows that one core looks at at a time: more than most recordings have, and those need no other core.
const RUN: usize = 32 * 1024;

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the call that stands next in the file.
    pub fn push(&mut self, entry: &Entry<&str>) {
        if let Some(parent) = entry.parent {
            self.parents.push(self.rows.len(), parent);
        }
        let (kind, method, path) = (entry.kind.map(short), short(entry.method), short(entry.path));
        let fate = Fate {
            shape: self.shapes.number((kind.as_deref(), &*method, &*path)),
            status: entry.status,
            sig: entry.sig,
            direction: entry.direction,
            failed: entry.failed,
            repeat: entry.parent.is_some(),
        };
        self.rows.push(Row {
            place: entry.place,
            id: entry.id,
            at_us: entry.at.as_microsecond(),
            took_us: entry.took_us,
            size: entry.size,
            fate: self.fates.number(fate),
            conversation: entry.conversation.map(|name| self.conversations.number(&short(name))),
        });
    }

    /// Adds what the line at `offset` says of a call. False if that was known.
    pub fn annotate(&mut self, offset: u64, annotation: Annotation) -> bool {
        self.marks.add(offset, annotation)
    }

    /// What is said of the calls.
    #[must_use]
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Adds the calls of an index of what stands next in the file.
    pub fn append(&mut self, part: &Self) {
        let before = self.rows.len();
        let shapes = self.shapes.take_in(&part.shapes);
        let conversations = self.conversations.take_in(&part.conversations);
        let fates = part.fates.values.iter().map(|fate| Fate { shape: shapes[fate.shape as usize], ..*fate });
        let fates: Vec<u32> = fates.map(|fate| self.fates.number(fate)).collect();
        let number = |numbers: &[u32], number| numbers[number as usize];
        self.rows.append(&part.rows, |fate| number(&fates, fate), |name| number(&conversations, name));
        self.parents.append(&part.parents, before);
    }

    /// How many calls there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// The call at `row`, counted from 0 in file order; of a very long string it has only the beginning.
    #[must_use]
    pub fn view(&self, row: usize) -> Option<View<'_>> {
        self.rows.get(row).map(|found| self.show(row, found))
    }

    /// The call at `row` as in [`Self::view`], to keep.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Entry> {
        self.rows.get(row).map(|found| self.entry(row, found, Arc::clone))
    }

    /// Where the call at `row` stands: what is asked of very many.
    #[must_use]
    pub fn place(&self, row: usize) -> Option<Place> {
        self.rows.place(row)
    }

    /// The row of the call with this id. Looks from the end: what is asked for is mostly recent.
    #[must_use]
    pub fn row_of(&self, id: Id) -> Option<usize> {
        self.rows.find(id)
    }

    /// Those of the rows `among` whose calls are of the same conversation as that of `row`.
    pub fn same_conversation(&self, row: usize, among: Range<usize>) -> impl DoubleEndedIterator<Item = usize> {
        let number = self.rows.conversation(row);
        let among = among.start.min(self.rows.len())..among.end.min(self.rows.len());
        among.filter(move |&other| number.is_some() && self.rows.conversation(other) == number)
    }

    /// The conversations, in the order of their last calls, the newest first.
    #[must_use]
    pub fn conversations(&self) -> Vec<Conversation<'_>> {
        let mut found: Vec<Option<Conversation>> = vec![None; self.conversations.values.len()];
        for (row, call) in self.rows.iter().enumerate() {
            let Some(number) = call.conversation.map(|number| number as usize) else { continue };
            let (Some(slot), Some(key)) = (found.get_mut(number), self.conversations.values.get(number)) else {
                continue;
            };
            let group = slot.get_or_insert(Conversation { key, calls: 0, first: row, last: row, ill: 0 });
            group.calls += 1;
            group.last = row;
            group.ill += usize::from(self.fate(call).is_ill());
        }
        let mut found: Vec<Conversation> = found.into_iter().flatten().collect();
        found.sort_unstable_by_key(|group| std::cmp::Reverse(group.last));
        found
    }

    /// All calls in file order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = View<'_>> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(row, found)| self.show(row, found))
    }

    /// The rows of the calls that match, and those that heads leave open. On every core, for it is waited for.
    #[must_use]
    pub fn matching(&self, query: &Query) -> Matching {
        let look = |run: usize| {
            let mut found = Matching::default();
            for row in run * RUN..self.rows.len().min((run + 1) * RUN) {
                match self.view(row).map(|view| query.matches_view(&view)) {
                    Some(Some(true)) => found.hits.push(row),
                    Some(None) => found.open.push(row),
                    Some(Some(false)) | None => {}
                }
            }
            found
        };
        let mut found = Matching::default();
        cores::in_order(self.rows.len().div_ceil(RUN), look, |run| {
            found.hits.extend(run.hits);
            found.open.extend(run.open);
            ControlFlow::Continue(())
        });
        found
    }

    /// The number of the call whose line stands at `offset`.
    #[must_use]
    pub fn at_offset(&self, offset: u64) -> Option<usize> {
        self.rows.at_offset(offset).ok()
    }

    /// Forgets the calls whose lines stand at `offset` or behind it: they are no longer in the file.
    pub fn truncate(&mut self, offset: u64) {
        let (Ok(kept) | Err(kept)) = self.rows.at_offset(offset);
        self.rows.truncate(kept);
        self.parents.truncate(kept);
        self.marks.truncate(offset);
    }

    fn conversation(&self, row: Row) -> Option<&Arc<str>> {
        self.conversations.values.get(row.conversation? as usize)
    }

    fn fate(&self, row: Row) -> Fate {
        self.fates.values[row.fate as usize]
    }

    fn shape(&self, fate: Fate) -> &Shape {
        &self.shapes.values[fate.shape as usize]
    }

    fn show(&self, number: usize, row: Row) -> View<'_> {
        View { entry: self.entry(number, row, |text| &**text), remarks: self.marks.of(row.id) }
    }

    /// The head of the call with that number, its strings held as `hold` gives them.
    fn entry<'a, T>(&'a self, number: usize, row: Row, hold: impl Fn(&'a Arc<str>) -> T) -> Entry<T> {
        let fate @ Fate { status, sig, direction, failed, repeat, .. } = self.fate(row);
        let shape = self.shape(fate);
        Entry {
            place: row.place,
            id: row.id,
            at: Timestamp::from_microsecond(row.at_us).unwrap_or_default(),
            direction,
            kind: shape.kind.as_ref().map(&hold),
            conversation: self.conversation(row).map(&hold),
            sig,
            method: hold(&shape.method),
            path: hold(&shape.path),
            status,
            took_us: row.took_us,
            size: row.size,
            parent: if repeat { self.parents.get(number) } else { None },
            failed,
        }
    }
}

impl PartialEq for Index {
    /// Whether they have the same calls; how their strings are numbered does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a> FromIterator<&'a Entry> for Index {
    fn from_iter<T: IntoIterator<Item = &'a Entry>>(entries: T) -> Self {
        let mut index = Self::new();
        entries.into_iter().for_each(|entry| index.push(&entry.view()));
        index
    }
}

#[cfg(test)]
mod tests;
