//! JSON field by field, each level taken apart only where its text differs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::{Difference, PATIENCE, Place, Rules, SHORT, Side, excerpt};

/// Deeper than this, values are compared as text.
const DEPTH: usize = 128;

/// Bytes that the pointers of what differs may have together: a name may be as long as a body, and each difference in it would
/// have it whole.
const MOST_BYTES: usize = 8 << 20;

/// The members of an object in order. Of those of one name readers take the first or the last, so all of them count.
#[derive(Default)]
struct Members<'a> {
    /// The first of each name.
    first: IndexMap<String, &'a RawValue>,
    /// The others, which there seldom are.
    more: IndexMap<String, Vec<&'a RawValue>>,
}

impl<'a> Members<'a> {
    fn more(&self, name: &str) -> &[&'a RawValue] {
        self.more.get(name).map_or(&[], Vec::as_slice)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    match members.first.entry(name) {
                        Entry::Vacant(entry) => drop(entry.insert(value)),
                        Entry::Occupied(entry) => members.more.entry(entry.key().clone()).or_default().push(value),
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Reading)
    }
}

/// Whether two JSON texts mean the same, whatever the order of members.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    let mut found = Vec::new();
    // Whether anything differs is known however little time there is to say what.
    within(None, Side::Response, (left, right), &[], &Rules::default(), &mut found) && found.is_empty()
}

/// Adds what differs; false, and nothing added, where one of the two is not JSON. Within arrays of different lengths a less
/// exact answer will do from `deadline` on, and some time later any: what is in them is read anew for each of them that it is
/// in. All else is read once a level, however long that takes: what does not count is no difference on a slow machine either.
pub(super) fn compare(
    side: Side,
    (left, right): (&str, &str),
    volatile: &[&str],
    rules: &Rules,
    deadline: Instant,
    found: &mut Vec<Difference>,
) -> bool {
    within(Some(deadline), side, (left, right), volatile, rules, found)
}

fn within(
    deadline: Option<Instant>,
    side: Side,
    (left, right): (&str, &str),
    volatile: &[&str],
    rules: &Rules,
    found: &mut Vec<Difference>,
) -> bool {
    let raw = |text| serde_json::from_str::<&RawValue>(text).ok();
    let (Some(left), Some(right)) = (raw(left), raw(right)) else { return false };
    let (whole, hurried, rough, cut) = ((left.get(), right.get()), false, false, false);
    let (room, way) = (Some(MOST_BYTES), Vec::new());
    Comparison { side, whole, volatile, rules, deadline, hurried, rough, cut, room, way, found }
        .values(left.get(), right.get());
    true
}

struct Comparison<'a> {
    side: Side,
    /// All that is compared.
    whole: (&'a str, &'a str),
    volatile: &'a [&'a str],
    rules: &'a Rules,
    /// None where it does not matter what differs.
    deadline: Option<Instant>,
    /// What is looked at is in arrays of different lengths: they differ whatever is in them, and the deadline counts.
    hurried: bool,
    /// What is looked at is in an array for which there was no time.
    rough: bool,
    /// A text stood for what it means, for there was no time.
    cut: bool,
    /// What is left of [`MOST_BYTES`]. None: it was not enough, and no more is told.
    room: Option<usize>,
    /// From the root to here, unescaped.
    way: Vec<String>,
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn values(&mut self, left: &str, right: &str) {
        if self.room.is_none() || left == right {
            return;
        }
        if self.is_late(PATIENCE) {
            let before = std::mem::replace(&mut self.rough, true);
            self.tell(Some(left), Some(right));
            self.rough = before;
            return;
        }
        match (left.as_bytes().first(), right.as_bytes().first()) {
            (Some(b'{'), Some(b'{')) if self.way.len() < DEPTH => {
                match (serde_json::from_str(left), serde_json::from_str(right)) {
                    (Ok(left), Ok(right)) => self.objects(&left, &right),
                    // Half a surrogate pair in a name is JSON, but no text to find a member by.
                    _ => self.tell(Some(left), Some(right)),
                }
            }
            (Some(b'['), Some(b'[')) if self.way.len() < DEPTH => {
                match (serde_json::from_str(left), serde_json::from_str(right)) {
                    (Ok(left), Ok(right)) => self.arrays(left, right),
                    _ => self.tell(Some(left), Some(right)),
                }
            }
            (Some(b'{' | b'['), _) | (_, Some(b'{' | b'[')) => self.tell(Some(left), Some(right)),
            _ if self.canonical(left) == self.canonical(right) => {}
            _ => self.tell(Some(left), Some(right)),
        }
    }

    fn objects(&mut self, left: &Members<'_>, right: &Members<'_>) {
        for (name, value) in &left.first {
            match right.first.get(name) {
                Some(other) => self.at(name, |this| this.values(value.get(), other.get())),
                None => self.at(name, |this| this.tell(Some(value.get()), None)),
            }
        }
        for (name, value) in right.first.iter().filter(|(name, _)| !left.first.contains_key(*name)) {
            self.at(name, |this| this.tell(None, Some(value.get())));
        }
        let only_right = right.more.keys().filter(|name| !left.more.contains_key(*name));
        for name in left.more.keys().chain(only_right) {
            let (left, right) = (left.more(name), right.more(name));
            for number in 0..left.len().max(right.len()) {
                self.at(name, |this| match (left.get(number), right.get(number)) {
                    (Some(one), Some(other)) => this.values(one.get(), other.get()),
                    (one, other) => this.tell(one.map(|one| one.get()), other.map(|other| other.get())),
                });
            }
        }
    }

    fn arrays(&mut self, left: Vec<&RawValue>, right: Vec<&RawValue>) {
        if self.rules.unordered {
            return self.bags(&left, &right);
        }
        if left.len() == right.len() {
            for (index, (left, right)) in left.into_iter().zip(right).enumerate() {
                self.at(&index.to_string(), |this| this.values(left.get(), right.get()));
            }
            return;
        }
        // Of arrays of different lengths it is told what came or went, not that all behind it has moved.
        let Some(deadline) = self.deadline else { return self.tell(None, None) };
        let before = (self.hurried, self.rough);
        (self.hurried, self.cut) = (true, false);
        let (old, new) = (self.canonicals(&left), self.canonicals(&right));
        let deadline = (old.len().max(new.len()) > SHORT).then_some(deadline);
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline);
        self.rough |= self.cut || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        for op in ops {
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let (mut old, mut new) = (op.old_range(), op.new_range());
            loop {
                match (old.next(), new.next()) {
                    (Some(l), Some(r)) => {
                        self.at(&l.to_string(), |this| this.values(left[l].get(), right[r].get()));
                    }
                    (Some(l), None) => self.at(&l.to_string(), |this| this.tell(Some(left[l].get()), None)),
                    (None, Some(r)) => self.at(&r.to_string(), |this| this.tell(None, Some(right[r].get()))),
                    (None, None) => break,
                }
            }
        }
        (self.hurried, self.rough) = before;
    }

    /// Arrays whose order does not count: what one has more of than the other.
    fn bags(&mut self, left: &[&RawValue], right: &[&RawValue]) {
        let before = (self.hurried, self.rough);
        (self.hurried, self.cut) = (left.len() != right.len(), false);
        let mut there: HashMap<Cow<'_, str>, Vec<usize>> = HashMap::new();
        for (index, key) in self.canonicals(right).into_iter().enumerate().rev() {
            there.entry(key).or_default().push(index);
        }
        let mut only_left = Vec::new();
        for (index, key) in self.canonicals(left).into_iter().enumerate() {
            if there.get_mut(&key).and_then(Vec::pop).is_none() {
                only_left.push(index);
            }
        }
        let mut only_right: Vec<usize> = there.into_values().flatten().collect();
        only_right.sort_unstable();
        self.rough |= self.cut;
        for index in only_left {
            self.at(&index.to_string(), |this| this.tell(Some(left[index].get()), None));
        }
        for index in only_right {
            self.at(&index.to_string(), |this| this.tell(None, Some(right[index].get())));
        }
        (self.hurried, self.rough) = before;
    }

    /// Whether it must come to an end: so much time is over since the deadline, where it counts.
    fn is_late(&self, patience: Duration) -> bool {
        self.hurried && self.deadline.is_some_and(|deadline| Instant::now() >= deadline + patience)
    }

    fn at(&mut self, token: &str, work: impl FnOnce(&mut Self)) {
        self.way.push(token.to_owned());
        work(self);
        self.way.pop();
    }

    fn canonicals<'t>(&mut self, values: &[&'t RawValue]) -> Vec<Cow<'t, str>> {
        let mut all = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            self.way.push(index.to_string());
            all.push(self.canonical(value.get()));
            self.way.pop();
        }
        all
    }

    /// One text for all texts that mean the same here: strings escaped in one way, members sorted, what does not count left
    /// out. A text with half a surrogate pair stands for itself, and so does what there is no time for.
    fn canonical<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let first = text.as_bytes().first();
        if matches!(first, Some(b'{' | b'[')) && self.is_late(Duration::ZERO) {
            self.cut = true;
            return Cow::Borrowed(text);
        }
        match first {
            Some(b'"') if text.contains('\\') => match serde_json::from_str::<String>(text) {
                // Quoted and escaped in one way, so that no string is another value.
                Ok(meant) => Cow::Owned(serde_json::Value::from(meant).to_string()),
                Err(_) => Cow::Borrowed(text),
            },
            Some(b'{') if self.way.len() < DEPTH => {
                let Ok(members) = serde_json::from_str::<Members<'_>>(text) else { return Cow::Borrowed(text) };
                let mut parts = Vec::new();
                for (name, value) in &members.first {
                    self.way.push(name.clone());
                    if !self.is_ignored() {
                        let values =
                            std::iter::once(value).chain(members.more(name)).map(|value| self.canonical(value.get()));
                        parts.push(format!("{name:?}:{}", values.collect::<Vec<_>>().join(":")));
                    }
                    self.way.pop();
                }
                parts.sort_unstable();
                Cow::Owned(format!("{{{}}}", parts.join(",")))
            }
            Some(b'[') if self.way.len() < DEPTH => {
                let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return Cow::Borrowed(text) };
                let mut parts = self.canonicals(&items);
                if self.rules.unordered {
                    parts.sort_unstable();
                }
                Cow::Owned(format!("[{}]", parts.join(",")))
            }
            Some(b'-' | b'0'..=b'9') => crate::json::canonical_number(text),
            _ => Cow::Borrowed(text),
        }
    }

    fn tell(&mut self, left: Option<&str>, right: Option<&str>) {
        let Some(room) = self.room.filter(|_| !self.is_ignored()) else { return };
        let pointer = self.way.iter().fold(String::new(), |pointer, token| pointer + "/" + &crate::json::escape(token));
        self.room = room.checked_sub(pointer.len());
        // All that differs besides is told as one.
        let ((left, right), pointer, rough) = match self.room {
            Some(_) => ((left, right), pointer, self.rough),
            None => ((Some(self.whole.0), Some(self.whole.1)), String::new(), true),
        };
        let (left, right) = (left.map(excerpt), right.map(excerpt));
        self.found.push(Difference { side: self.side, place: Place::Json(pointer), left, right, rough });
    }

    fn is_ignored(&self) -> bool {
        let own = self.rules.pointers.iter().map(String::as_str);
        own.chain(self.volatile.iter().copied()).any(|pattern| covers(pattern, &self.way))
    }
}

/// Whether `way` leads to what `pattern` names, or below it.
pub(super) fn covers(pattern: &str, way: &[String]) -> bool {
    let mut rest = way.iter();
    pattern.split('/').skip(1).all(|token| rest.next().is_some_and(|name| token == "*" || unescaped(token) == *name))
}

/// The name that a token of a JSON Pointer stands for (RFC 6901, 4).
pub(super) fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
