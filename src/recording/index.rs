//! What is kept in memory of a recording: one cache line a call, and each kind, path and conversation once.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use jiff::Timestamp;

use super::{Annotation, Entry, Marks, Place, Query, View, cores};
use crate::call::{Direction, Id, Sig};

/// The entries of a recording in file order.
#[derive(Clone, Debug, Default)]
pub struct Index {
    rows: Vec<Row>,
    shapes: Table<Shape>,
    conversations: Table<Arc<str>>,
    /// By row, because few calls are repeats.
    parents: HashMap<usize, Id>,
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
    /// How many of them failed, were answered with an error, or have a signature that is not good.
    pub ill: usize,
}

/// What the calls of one kind to one path have in common.
#[derive(Clone, Debug)]
struct Shape {
    kind: Option<Arc<str>>,
    method: Arc<str>,
    path: Arc<str>,
}

impl Kept for Shape {
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

impl Kept for Arc<str> {
    type Key<'a> = &'a str;

    fn new(key: &str) -> Self {
        key.into()
    }

    fn key(&self) -> &str {
        self
    }

    fn is(&self, key: &str) -> bool {
        **self == *key
    }
}

/// One call. At most 64 bytes, so that a filter touches one cache line a call.
#[derive(Clone, Copy, Debug)]
struct Row {
    offset: u64,
    at_us: i64,
    took_us: u64,
    len: u32,
    size: u32,
    /// Its number in `shapes`.
    shape: u32,
    /// 0 is none; else one more than its number in `conversations`.
    conversation: u32,
    id: Id,
    status: Option<u16>,
    sig: Option<Sig>,
    direction: Direction,
    failed: bool,
    repeat: bool,
}

/// Rows that one core looks at at a time: more than most recordings have, and those need no other core.
const RUN: usize = 32 * 1024;

const _: () = assert!(size_of::<Row>() <= 64, "a call outgrew its cache line");

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the entry that stands next in the file.
    pub fn push(&mut self, entry: &Entry) {
        self.add(&entry.view());
    }

    /// The same, borrowed.
    pub(super) fn add(&mut self, entry: &View<'_>) {
        if let Some(parent) = entry.parent {
            self.parents.insert(self.rows.len(), parent);
        }
        self.rows.push(Row {
            offset: entry.place.offset,
            at_us: entry.at.as_microsecond(),
            took_us: entry.took_us,
            len: entry.place.len,
            // A body is no longer than its line, whose length is a u32 too.
            size: entry.size.try_into().unwrap_or(u32::MAX),
            shape: self.shapes.number((entry.kind, entry.method, entry.path)),
            conversation: entry.conversation.map_or(0, |name| self.conversations.number(name) + 1),
            id: entry.id,
            status: entry.status,
            sig: entry.sig,
            direction: entry.direction,
            failed: entry.failed,
            repeat: entry.parent.is_some(),
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
        self.rows.extend(part.rows.iter().map(|row| Row {
            shape: shapes[row.shape as usize],
            conversation: row.conversation.checked_sub(1).map_or(0, |number| conversations[number as usize] + 1),
            ..*row
        }));
        self.parents.extend(part.parents.iter().map(|(row, id)| (before + row, *id)));
    }

    /// How many calls there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The call at `row`, counted from 0 in file order.
    #[must_use]
    pub fn view(&self, row: usize) -> Option<View<'_>> {
        self.rows.get(row).map(|found| self.show(row, found))
    }

    /// The same, to keep.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Entry> {
        let view = self.view(row)?;
        let Row { shape, .. } = self.rows[row];
        let Shape { kind, method, path } = self.shapes.values[shape as usize].clone();
        Some(Entry {
            place: view.place,
            id: view.id,
            at: view.at,
            direction: view.direction,
            kind,
            conversation: self.conversation(&self.rows[row]).cloned(),
            sig: view.sig,
            method,
            path,
            status: view.status,
            took_us: view.took_us,
            size: view.size,
            parent: view.parent,
            failed: view.failed,
        })
    }

    /// Where the call at `row` stands: what is asked of very many.
    #[must_use]
    pub fn place(&self, row: usize) -> Option<Place> {
        self.rows.get(row).map(|found| Place { offset: found.offset, len: found.len })
    }

    /// The row of the call with this id. Looks from the end: what is asked for is mostly recent.
    #[must_use]
    pub fn row_of(&self, id: Id) -> Option<usize> {
        self.rows.iter().rposition(|row| row.id == id)
    }

    /// Those of the rows `among` whose calls are of the same conversation as that of `row`.
    pub fn same_conversation(&self, row: usize, among: Range<usize>) -> impl DoubleEndedIterator<Item = usize> {
        let number = self.rows.get(row).map_or(0, |row| row.conversation);
        let among = among.start.min(self.rows.len())..among.end.min(self.rows.len());
        among.filter(move |&other| number > 0 && self.rows[other].conversation == number)
    }

    /// The conversations, in the order of their last calls, the newest first.
    #[must_use]
    pub fn conversations(&self) -> Vec<Conversation<'_>> {
        let mut found: Vec<Option<Conversation>> = vec![None; self.conversations.values.len()];
        for (row, call) in self.rows.iter().enumerate() {
            let Some(number) = call.conversation.checked_sub(1).map(|number| number as usize) else { continue };
            let (Some(slot), Some(key)) = (found.get_mut(number), self.conversations.values.get(number)) else {
                continue;
            };
            let group = slot.get_or_insert(Conversation { key, calls: 0, first: row, last: row, ill: 0 });
            group.calls += 1;
            group.last = row;
            let ill = call.failed || call.status.is_some_and(|status| status >= 400);
            group.ill += usize::from(ill || matches!(call.sig, Some(Sig::Invalid | Sig::Stale | Sig::Malformed)));
        }
        let mut found: Vec<Conversation> = found.into_iter().flatten().collect();
        found.sort_unstable_by_key(|group| std::cmp::Reverse(group.last));
        found
    }

    /// All calls in file order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = View<'_>> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(row, found)| self.show(row, found))
    }

    /// The rows of the calls that match, as far as heads tell. On every core, for it is waited for.
    #[must_use]
    pub fn matching(&self, query: &Query) -> Vec<usize> {
        let look = |run: usize| {
            let rows = run * RUN..self.rows.len().min((run + 1) * RUN);
            let matches = |row: &usize| query.matches_view(&self.show(*row, &self.rows[*row])) == Some(true);
            rows.filter(matches).collect::<Vec<_>>()
        };
        let mut found = Vec::new();
        cores::in_order(self.rows.len().div_ceil(RUN), look, |rows| {
            found.extend(rows);
            ControlFlow::Continue(())
        });
        found
    }

    /// The number of the call whose line stands at `offset`.
    #[must_use]
    pub fn at_offset(&self, offset: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&offset, |row| row.offset).ok()
    }

    /// Forgets the calls whose lines stand at `offset` or behind it: they are no longer in the file.
    pub fn truncate(&mut self, offset: u64) {
        let kept = self.rows.partition_point(|row| row.offset < offset);
        self.rows.truncate(kept);
        self.parents.retain(|row, _| *row < kept);
        self.marks.truncate(offset);
    }

    fn conversation(&self, row: &Row) -> Option<&Arc<str>> {
        let number = row.conversation.checked_sub(1)?;
        self.conversations.values.get(number as usize)
    }

    fn show(&self, number: usize, row: &Row) -> View<'_> {
        let shape = &self.shapes.values[row.shape as usize];
        View {
            place: Place { offset: row.offset, len: row.len },
            id: row.id,
            at: Timestamp::from_microsecond(row.at_us).unwrap_or_default(),
            direction: row.direction,
            kind: shape.kind.as_deref(),
            conversation: self.conversation(row).map(|name| &**name),
            sig: row.sig,
            method: &shape.method,
            path: &shape.path,
            status: row.status,
            took_us: row.took_us,
            size: row.size.into(),
            parent: if row.repeat { self.parents.get(&number).copied() } else { None },
            failed: row.failed,
            remarks: self.marks.of(row.id),
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
        entries.into_iter().for_each(|entry| index.push(entry));
        index
    }
}

/// A value that is kept once, and looked up without being made.
trait Kept {
    type Key<'a>: Copy + Hash;

    fn new(key: Self::Key<'_>) -> Self;
    fn key(&self) -> Self::Key<'_>;
    fn is(&self, key: Self::Key<'_>) -> bool;
}

/// Values numbered in the order they first came.
#[derive(Clone, Debug)]
struct Table<T> {
    values: Vec<T>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T: Kept> Table<T> {
    fn number(&mut self, key: T::Key<'_>) -> u32 {
        self.number_or(key, || T::new(key))
    }

    /// The number of the value with this key; of the one that `new` gives, if there was none.
    fn number_or(&mut self, key: T::Key<'_>, new: impl FnOnce() -> T) -> u32 {
        let Self { values, numbers, hasher } = self;
        let hash = hasher.hash_one(key);
        if let Some(&number) = numbers.find(hash, |&number| values[number as usize].is(key)) {
            return number;
        }
        // Four thousand million distinct values do not fit into memory beside their rows.
        let number = u32::try_from(values.len()).unwrap_or(u32::MAX - 1);
        values.push(new());
        numbers.insert_unique(hash, number, |&number| hasher.hash_one(values[number as usize].key()));
        number
    }
}

impl<T: Kept + Clone> Table<T> {
    /// Adds the values of another table; which numbers they have here.
    fn take_in(&mut self, other: &Self) -> Vec<u32> {
        other.values.iter().map(|value| self.number_or(value.key(), || value.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            place: Place { offset: 100 * (number + 1), len: 99 },
            id: Id(uuid::Uuid::from_u128(number.into())),
            at: Timestamp::from_microsecond(-5 + i64::try_from(number).unwrap()).unwrap(),
            direction: if number.is_multiple_of(2) { Direction::Received } else { Direction::Sent },
            kind: (!number.is_multiple_of(3)).then(|| "moveo/dialog".into()),
            conversation: (!number.is_multiple_of(4)).then(|| format!("c{}", number % 7).into()),
            sig: Sig::ALL.get(usize::try_from(number % 9).unwrap()).copied(),
            method: "POST".into(),
            path: format!("/{}", number % 5).into(),
            status: (number % 2 == 1).then_some(200),
            took_us: u64::MAX - number,
            size: number,
            parent: (number % 10 == 9).then(|| Id(uuid::Uuid::from_u128(7))),
            failed: number.is_multiple_of(6),
        }
    }

    #[test]
    fn conversations_are_gathered_and_walked_both_ways() {
        let mut index = Index::new();
        (0..100).for_each(|number| index.push(&entry(number)));
        let rows = |key: &str| -> Vec<usize> {
            (0..100).filter(|&row| index.view(row).unwrap().conversation == Some(key)).collect()
        };
        let wanted = rows("c3");
        assert_eq!(index.same_conversation(wanted[1], 0..1000).collect::<Vec<_>>(), wanted);
        assert_eq!(index.same_conversation(wanted[1], 0..wanted[3]).next_back(), Some(wanted[2]));
        assert_eq!(index.same_conversation(0, 0..100).count(), 0, "the first call belongs to none");
        assert_eq!(index.same_conversation(500, 0..100).count(), 0);
        let all = index.conversations();
        assert_eq!(all.len(), 7);
        assert!(all.is_sorted_by_key(|group| std::cmp::Reverse(group.last)));
        let group = all.iter().find(|group| group.key == "c3").unwrap();
        assert_eq!((group.calls, group.first, Some(&group.last)), (wanted.len(), wanted[0], wanted.last()));
    }

    #[test]
    fn gives_back_what_was_pushed_and_keeps_each_string_once() {
        let entries: Vec<_> = (0..100).map(entry).collect();
        let mut index = Index::new();
        for entry in &entries {
            index.push(entry);
        }
        assert_eq!(index.len(), 100);
        assert!((0..100).all(|row| index.get(row).as_ref() == Some(&entries[row])));
        assert!(index.iter().eq(entries.iter().map(Entry::view)));
        assert_eq!(index.get(100), None);
        assert_eq!(index.row_of(entries[42].id), Some(42));
        assert_eq!(index.row_of(Id(uuid::Uuid::max())), None);
        assert_eq!(index.conversations.values.len(), 7);
        assert!(Arc::ptr_eq(&index.get(1).unwrap().path, &index.get(31).unwrap().path));
    }

    #[test]
    fn parts_make_the_same_index_wherever_they_are_cut() {
        let entries: Vec<_> = (0..40).map(entry).collect();
        let whole: Index = entries.iter().collect();
        for cut in 0..=40 {
            let mut parts: Index = entries[..cut].iter().collect();
            parts.append(&entries[cut..].iter().collect());
            assert_eq!(parts, whole);
            assert_eq!(parts.conversations.values.len(), 7);
        }
    }

    #[test]
    fn forgets_from_an_offset_on() {
        let mut index = Index::new();
        (0..30).for_each(|number| index.push(&entry(number)));
        index.truncate(entry(20).place.offset);
        assert_eq!(index.len(), 20);
        (20..25).for_each(|number| index.push(&entry(number + 1)));
        assert_eq!(index.get(20), Some(entry(21)), "and takes no parent from the row that was there");
    }
}
