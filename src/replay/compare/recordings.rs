//! Two recordings side by side: which call of one is which of the other.
//!
//! A call that both have belongs to itself, and one that repeats one that only the other recording has, to that. Of two replays
//! of a third recording, those that repeat the same call belong together, in the order they left. Else conversations are laid
//! beside each other, by their keys or, where they have others, in the order they begin; and within a conversation the first
//! call of a kind belongs to the first of that kind, and so on.

use std::collections::{HashMap, VecDeque};

use crate::call::Id;
use crate::recording::Entry;

/// A call of one recording and its fellow in the other, by their numbers in the lists that were aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The left one.
    pub left: Option<usize>,
    /// The right one.
    pub right: Option<usize>,
}

/// What the calls of one conversation have in common with those of another, by which they find each other.
type Turn<'a> = (&'a str, &'a str);

/// Lays two recordings beside each other, in the order of the left one; what only the right one has comes last.
#[must_use]
pub fn align(left: &[Entry], right: &[Entry]) -> Vec<Pair> {
    let mut fellows: Vec<Vec<usize>> = vec![Vec::new(); left.len()];
    let mut free_right = vec![true; right.len()];
    let places: HashMap<Id, usize> = left.iter().enumerate().map(|(number, entry)| (entry.id, number)).collect();
    let repeated: HashMap<Id, usize> = right.iter().enumerate().map(|(number, entry)| (entry.id, number)).collect();
    for (number, entry) in right.iter().enumerate() {
        if let Some(same) = places.get(&entry.id).filter(|same| fellows[**same].is_empty()) {
            fellows[*same].push(number);
            free_right[number] = false;
        }
    }
    let in_both = |id: &Id| places.contains_key(id) && repeated.contains_key(id);
    let parent = |entry: &Entry| entry.parent.filter(|parent| !in_both(&entry.id) && !in_both(parent));
    for (number, entry) in right.iter().enumerate() {
        if let Some(original) = parent(entry).and_then(|parent| places.get(&parent)) {
            fellows[*original].push(number);
            free_right[number] = false;
        }
    }
    for (entry, fellows) in left.iter().zip(&mut fellows).filter(|(_, fellows)| fellows.is_empty()) {
        if let Some(original) = parent(entry).and_then(|parent| repeated.get(&parent)) {
            fellows.push(*original);
            free_right[*original] = false;
        }
    }
    let mut free_left: Vec<bool> = fellows.iter().map(Vec::is_empty).collect();
    let (ours, theirs) = (Repeats::of(left, &free_left), Repeats::of(right, &free_right));
    for (parent, ours) in &ours.0 {
        let Some(theirs) = theirs.0.get(parent) else { continue };
        for (number, fellow) in ours.iter().zip(theirs) {
            fellows[*number].push(*fellow);
        }
        // Where one was repeated more often, the rest have no fellow: what repeats another call is none.
        for number in ours {
            free_left[*number] = false;
        }
        for number in theirs {
            free_right[*number] = false;
        }
    }
    let (left_talks, right_talks) = (Talks::of(left, &free_left), Talks::of(right, &free_right));
    for (ours, theirs) in left_talks.beside(&right_talks) {
        let mut turns: HashMap<Turn<'_>, VecDeque<usize>> = HashMap::new();
        for number in theirs {
            turns.entry(turn(&right[*number])).or_default().push_back(*number);
        }
        for number in ours {
            if let Some(fellow) = turns.get_mut(&turn(&left[*number])).and_then(VecDeque::pop_front) {
                fellows[*number].push(fellow);
            }
        }
    }
    let mut paired = vec![false; right.len()];
    fellows.iter().flatten().for_each(|number| paired[*number] = true);
    let mut pairs = Vec::with_capacity(left.len().max(right.len()));
    for (number, fellows) in fellows.into_iter().enumerate() {
        if fellows.is_empty() {
            pairs.push(Pair { left: Some(number), right: None });
        }
        pairs.extend(fellows.into_iter().map(|right| Pair { left: Some(number), right: Some(right) }));
    }
    let rest = paired.iter().enumerate().filter(|(_, paired)| !**paired);
    pairs.extend(rest.map(|(number, _)| Pair { left: None, right: Some(number) }));
    pairs
}

/// The kind, or method and path of a call that was not recognised.
fn turn(entry: &Entry) -> Turn<'_> {
    match &entry.kind {
        Some(kind) => (kind, ""),
        None => (&entry.method, entry.path.split('?').next().unwrap_or_default()),
    }
}

/// The calls of a recording that repeat others, by those and in the order they left. Of calls that were under way at the same
/// time the one that was answered first stands first in the file.
struct Repeats(HashMap<Id, Vec<usize>>);

impl Repeats {
    fn of(entries: &[Entry], free: &[bool]) -> Self {
        let mut repeats: HashMap<Id, Vec<usize>> = HashMap::new();
        for (number, entry) in entries.iter().enumerate().filter(|(number, _)| free[*number]) {
            if let Some(parent) = entry.parent {
                repeats.entry(parent).or_default().push(number);
            }
        }
        for numbers in repeats.values_mut() {
            numbers.sort_by_key(|number| entries[*number].at);
        }
        Self(repeats)
    }
}

/// The conversations of a recording in the order they begin.
struct Talks<'a> {
    talks: Vec<(Option<&'a str>, Vec<usize>)>,
    by_key: HashMap<Option<&'a str>, usize>,
}

impl<'a> Talks<'a> {
    fn of(entries: &'a [Entry], free: &[bool]) -> Self {
        let mut talks: Vec<(Option<&'a str>, Vec<usize>)> = Vec::new();
        let mut by_key = HashMap::new();
        for (number, entry) in entries.iter().enumerate().filter(|(number, _)| free[*number]) {
            let key = entry.conversation.as_deref();
            let talk = *by_key.entry(key).or_insert_with(|| {
                talks.push((key, Vec::new()));
                talks.len() - 1
            });
            talks[talk].1.push(number);
        }
        Self { talks, by_key }
    }

    /// Which of them belong together: those with the same key, then those that are left, in order.
    fn beside<'b>(&'b self, other: &'b Self) -> Vec<(&'b [usize], &'b [usize])> {
        let mut together = Vec::new();
        let mut alone = Vec::new();
        for (key, calls) in &self.talks {
            match other.by_key.get(key) {
                Some(fellow) => together.push((calls.as_slice(), other.talks[*fellow].1.as_slice())),
                None => alone.push(calls.as_slice()),
            }
        }
        let theirs =
            other.talks.iter().filter(|(key, _)| !self.by_key.contains_key(key)).map(|(_, calls)| calls.as_slice());
        together.extend(alone.into_iter().zip(theirs));
        together
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Direction, Request};
    use crate::recording::Place;

    /// `conversation kind`, or `- path` for a call of neither.
    fn entries(calls: &[&str]) -> Vec<Entry> {
        let entry = |text: &&str| {
            let (conversation, kind) = text.split_once(' ').unwrap();
            let known = !kind.starts_with('/');
            let call = Call {
                kind: known.then(|| kind.to_owned()),
                conversation: (conversation != "-").then(|| conversation.to_owned()),
                ..Call::new(
                    Id::fresh(),
                    Direction::Received,
                    jiff::Timestamp::UNIX_EPOCH,
                    Request { method: "POST".into(), target: kind.into(), ..Request::default() },
                )
            };
            Entry::from_call(&call, Place { offset: 0, len: 0 })
        };
        calls.iter().map(entry).collect()
    }

    fn numbers(pairs: &[Pair]) -> Vec<(i32, i32)> {
        let number = |side: Option<usize>| side.map_or(-1, |number| i32::try_from(number).unwrap());
        pairs.iter().map(|pair| (number(pair.left), number(pair.right))).collect()
    }

    #[test]
    fn conversations_find_each_other_by_key_and_then_by_order() {
        let left = entries(&["a pre", "b pre", "a dialog", "- /x?1", "b post"]);
        let right = entries(&["z pre", "a pre", "a post", "a dialog", "- /x?2", "z post", "y pre"]);
        let pairs = align(&left, &right);
        assert_eq!(numbers(&pairs), [(0, 1), (1, 0), (2, 3), (3, 4), (4, 5), (-1, 2), (-1, 6)]);
    }

    #[test]
    fn what_both_have_belongs_to_itself() {
        let mut left = entries(&["a pre", "a pre", "a post"]);
        left[1].parent = Some(left[0].id);
        assert_eq!(numbers(&align(&left, &left.clone())), [(0, 0), (1, 1), (2, 2)]);
        let mut later = [entries(&["a new"]), left.clone()].concat();
        later[0].parent = Some(left[0].id);
        assert_eq!(numbers(&align(&left, &later)), [(0, 1), (1, 2), (2, 3), (-1, 0)]);
        assert_eq!(numbers(&align(&left, &left[..1])), [(0, 0), (1, -1), (2, -1)], "what was left of it");
    }

    #[test]
    fn a_repetition_belongs_to_its_original_wherever_it_stands() {
        let left = entries(&["a pre", "a pre", "a post"]);
        let mut right = entries(&["a pre", "a pre", "a pre"]);
        right[0].parent = Some(left[1].id);
        right[1].parent = Some(left[1].id);
        assert_eq!(numbers(&align(&left, &right)), [(0, 2), (1, 0), (1, 1), (2, -1)]);
        assert_eq!(numbers(&align(&right, &left)), [(0, 1), (1, 1), (2, 0), (-1, 2)]);
    }

    #[test]
    fn two_replays_of_one_recording_are_paired_by_what_they_repeat() {
        let played = entries(&["- /x", "- /x", "- /x", "a pre", "a pre"]);
        let replay = |order: &[usize]| {
            let repeat = |(second, number): (i64, &usize)| Entry {
                id: Id::fresh(),
                parent: Some(played[*number].id),
                at: jiff::Timestamp::from_second(second).unwrap(),
                ..played[*number].clone()
            };
            (0..).zip(order).map(repeat).collect::<Vec<_>>()
        };
        let (left, right) = (replay(&[0, 1, 2, 3, 4]), replay(&[2, 4, 0, 3, 1]));
        assert_eq!(numbers(&align(&left, &right)), [(0, 2), (1, 4), (2, 0), (3, 3), (4, 1)]);
        let (twice, once) = (replay(&[1, 0, 1, 0]), replay(&[0, 1, 2]));
        assert_eq!(numbers(&align(&twice, &once)), [(0, 1), (1, 0), (2, -1), (3, -1), (-1, 2)]);
        let mut answered = twice.clone();
        answered.swap(0, 2);
        assert_eq!(numbers(&align(&twice, &answered)), [(0, 2), (1, 1), (2, 0), (3, 3)], "in the order they left");
        let later = [replay(&[1]), entries(&["- /x"])].concat();
        assert_eq!(
            numbers(&align(&later, &replay(&[0, 1]))),
            [(0, 1), (1, 0)],
            "what repeats nothing goes by its place"
        );
    }
}
