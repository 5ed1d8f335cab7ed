//! A conversation: its calls gathered from the recording as they come, and what they tell together.
//!
//! ```text
//! Index --follow()--> places to read --Effect::Load, Event::Loaded--> loaded() --settle()--> Turn, Turn, ...
//! ```
//!
//! Of each call only what the timeline shows is kept: what it holds, and how many calls there are, says whoever calls.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::cache::Cache;
use crate::app::changes::{self, Change, Variables};
use crate::app::event::Wanted;
use crate::call::{Call, Direction, Id, Response, Sig, micros};
use crate::json;
use crate::platform::{Kind, Outcome, Platforms, Row, Section, Spoken, Turns, Wait};
use crate::recording::Index;

/// Calls that are shown before and behind the one it was opened at.
const AROUND: usize = 200;
/// Most bytes of the lines of those before, and of those behind.
const MOST_BYTES: u64 = 32 << 20;
/// Bytes of calls that are on their way: further ones are asked for when those are there.
const MOST_ASKED: u64 = 16 << 20;
/// Rows of the recording that are looked at for them, either way: the recording may be large, and the screen must not wait.
const LOOK: usize = 200_000;
/// Most values that are looked at in a response.
const MOST_VALUES: usize = 500;
/// Most bytes of them that are kept.
const MOST_KEPT: usize = 128 << 10;
/// Most things of one call that were recognised and are shown.
const MOST_RECOGNISED: usize = 4;
/// Most characters of a value that are shown.
pub const VALUE: usize = 200;
/// Most characters of what the user said that are shown.
pub const SAID: usize = 1000;

/// What one call tells.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub id: Id,
    /// When it came or left.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// Its kind, else method and path.
    pub kind: String,
    /// It repeats another.
    pub repeat: bool,
    /// What the user said, told briefly.
    pub said: Option<String>,
    /// What the call is about where the user said nothing, told briefly.
    pub summary: Option<String>,
    /// What was recognised in it: what, and how surely, from 0 to 1. The surest first.
    pub recognised: Vec<(String, f64)>,
    /// What the signature check found.
    pub sig: Option<Sig>,
    /// The response's status.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// What went wrong.
    pub error: Option<String>,
    /// What the agent answered.
    pub answers: Vec<Row>,
    /// What the platform was told, which the agent does not say.
    pub results: Vec<Row>,
    /// What became different in the context since the call before that has one.
    pub changes: Vec<Change>,
    /// The context it came with.
    context: Option<Variables>,
    /// Every value it brought in: of a response, or of what a page sent.
    brought: Variables,
    /// The whole call, where it has a part in a wait for a page.
    page: Option<Arc<Call>>,
}

impl Told {
    fn new(call: &Arc<Call>, platforms: &Platforms) -> Self {
        let kind = platforms.kind(call.kind.as_deref());
        let envelope = kind.map(|kind| kind.envelope(&call.request)).unwrap_or_default();
        let rows = envelope.sections.iter().flat_map(|section| &section.rows);
        let surely = |row: &Row| {
            let value = if row.score.is_some_and(|score| row.value == score.to_string()) { "" } else { &row.value };
            let what = if value.is_empty() { row.label.clone() } else { format!("{} {value}", row.label) };
            row.score.map(|score| (brief(&what, VALUE), score))
        };
        let mut recognised: Vec<(String, f64)> = rows.filter_map(surely).collect();
        recognised.sort_by(|a, b| b.1.total_cmp(&a.1));
        recognised.truncate(MOST_RECOGNISED);
        let answered = |sections: fn(&Kind, &Response) -> Vec<Section>| {
            let sections = kind.zip(call.response.as_ref()).map(|(kind, response)| sections(kind, response));
            let rows = sections.into_iter().flatten().flat_map(|section| section.rows).take(MOST_VALUES);
            rows.map(|row| Row { label: brief(&row.label, VALUE), value: brief(&row.value, VALUE), ..row }).collect()
        };
        let from_a_page = kind.is_some_and(Kind::is_from_a_browser);
        let readable = call.readable();
        let brought = match (&readable.response, from_a_page) {
            (_, true) => std::str::from_utf8(&readable.request.body).unwrap_or_default(),
            (Some(response), false) => std::str::from_utf8(&response.body).unwrap_or_default(),
            (None, false) => "",
        };
        let shown = format!("{} {}", call.request.method, call.request.path());
        Self {
            id: call.id,
            at: call.at,
            direction: call.direction,
            kind: call.kind.clone().unwrap_or_else(|| brief(&shown, VALUE)),
            repeat: call.parent.is_some(),
            said: envelope.text.map(|said| brief(&said, SAID)),
            summary: envelope.summary.map(|summary| brief(&summary, VALUE)),
            recognised,
            sig: call.sig,
            status: call.status(),
            took_us: micros(call.took),
            error: call.error.as_deref().map(|error| brief(error, SAID)),
            answers: answered(Kind::said_in),
            results: answered(Kind::told_in),
            changes: Vec::new(),
            context: kind
                .filter(|_| !from_a_page)
                .and_then(|kind| kind.context(&readable.request))
                .map(|text| kept(changes::variables(text, MOST_VALUES))),
            brought: kept(json::leaves(brought, MOST_VALUES).into_iter().map(|(at, span)| (at, &brought[span]))),
            page: kind.filter(|kind| platforms.takes_part_in_a_wait(kind)).map(|_| call.clone()),
        }
    }
}

/// As much of these variables as is compared and shown.
fn kept(values: impl IntoIterator<Item = (String, impl AsRef<str>)>) -> Variables {
    let mut bytes = 0;
    let values = values.into_iter().map(|(pointer, value)| (brief(&pointer, VALUE), brief(value.as_ref(), VALUE)));
    let fits = |(pointer, value): &(String, String)| {
        bytes += pointer.len() + value.len();
        bytes <= MOST_KEPT
    };
    values.take_while(fits).collect()
}

/// The first `most` characters of `text`; where there is more, with what tells it from others that begin alike.
fn brief(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{}…{:016x}", &text[..end], hasher.finish())
}

/// What the user said, and the calls that were made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What the user said; none in calls before the first word.
    pub said: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The numbers of its calls.
    pub calls: Vec<usize>,
}

/// A call's place in a conversation.
#[derive(Clone, Debug)]
struct Slot {
    /// How long its line is.
    bytes: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// It is to be read.
    New,
    /// It is being read.
    Asked,
    /// It was read, or could not be.
    Read(Box<Result<Told, String>>),
}

/// A conversation, as far as it is near the call that it was opened at.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its key.
    pub key: String,
    /// The call that keys mean: a number of the recording.
    pub cursor: usize,
    /// There are calls before the first, or behind the last, that are not shown.
    pub cut: (bool, bool),
    /// Its turns.
    pub turns: Vec<Turn>,
    /// Its waits for a page.
    pub waits: Vec<Wait>,
    /// By their numbers.
    calls: BTreeMap<usize, Slot>,
    reading: bool,
    /// Calls of the index that were looked at.
    seen: usize,
    changed: bool,
}

impl Conversation {
    /// The conversation of the call `number`, if it belongs to one.
    #[must_use]
    pub fn of(index: &Index, number: usize) -> Option<Self> {
        let key = index.view(number)?.conversation?.to_owned();
        let (before, behind) = (number.saturating_sub(LOOK)..number, number + 1..number.saturating_add(LOOK));
        let most = (AROUND, MOST_BYTES);
        let (earlier, earlier_cut) = first(index, index.same_conversation(number, before).rev(), most);
        let (later, later_cut) = first(index, index.same_conversation(number, behind), most);
        Some(Self {
            key,
            cursor: number,
            cut: (earlier_cut, later_cut),
            turns: Vec::new(),
            waits: Vec::new(),
            calls: earlier.into_iter().chain([(number, slot(index, number))]).chain(later).collect(),
            reading: false,
            seen: index.len(),
            changed: true,
        })
    }

    /// Whether it shows the call `number`.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        self.calls.contains_key(&number)
    }

    /// One of its calls, once it is read; or why it could not be.
    #[must_use]
    pub fn call(&self, number: usize) -> Option<&Result<Told, String>> {
        match &self.calls.get(&number)?.state {
            State::Read(told) => Some(told),
            State::New | State::Asked => None,
        }
    }

    /// The numbers of its calls.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.calls.keys().copied()
    }

    /// Moves the cursor by `steps` calls.
    pub fn step(&mut self, steps: isize) {
        let numbers: Vec<usize> = self.numbers().collect();
        let at = numbers.iter().position(|&number| number == self.cursor).unwrap_or(0);
        let to = at.saturating_add_signed(steps).min(numbers.len().saturating_sub(1));
        self.cursor = numbers.get(to).copied().unwrap_or(self.cursor);
    }

    /// Moves the cursor to the call `number`; of those before it no more stay than are shown.
    pub fn point(&mut self, number: usize) {
        self.cursor = number;
        let mut earlier = self.calls.range(..number).count();
        let mut bytes: u64 = self.calls.range(..number).map(|(_, slot)| slot.bytes).sum();
        while earlier > AROUND || (earlier > 0 && bytes > MOST_BYTES) {
            bytes -= self.calls.pop_first().map_or(0, |(_, slot)| slot.bytes);
            earlier -= 1;
            (self.cut.0, self.changed) = (true, true);
        }
    }

    /// Looks through what came to the index since; gives the calls that must be read.
    pub fn follow(&mut self, index: &Index, cache: &Cache, platforms: &Platforms) -> Vec<Wanted> {
        if self.seen < index.len() && !self.cut.1 {
            let behind = self.calls.range((Excluded(self.cursor), Unbounded));
            let (count, bytes) = behind.fold((0, 0), |(count, bytes), (_, slot)| (count + 1, bytes + slot.bytes));
            let room = (AROUND.saturating_sub(count), MOST_BYTES.saturating_sub(bytes));
            let new = index.same_conversation(self.cursor, self.seen..usize::MAX);
            let (new, cut) = first(index, new, room);
            self.cut.1 = cut;
            self.changed |= !new.is_empty();
            self.calls.extend(new);
        }
        self.seen = index.len();
        let asked = self.calls.values().filter(|slot| matches!(slot.state, State::Asked));
        let mut asked: u64 = asked.map(|slot| slot.bytes).sum();
        let new = self.calls.iter_mut().filter(|(_, slot)| matches!(slot.state, State::New));
        let mut new: Vec<(usize, &mut Slot)> = new.map(|(&number, slot)| (number, slot)).collect();
        // What is looked at is wanted first.
        new.sort_by_key(|(number, _)| number.abs_diff(self.cursor));
        let mut missing = Vec::new();
        for (number, slot) in new {
            if let Some(cached) = cache.get(number) {
                slot.state = read(&cached.call, platforms);
                self.changed = true;
            } else if asked < MOST_ASKED {
                slot.state = State::Asked;
                asked += slot.bytes;
                missing.extend(Wanted::of(index, number));
            }
        }
        missing
    }

    /// Whether calls of its own were not there yet when this was asked last.
    pub fn was_reading(&mut self) -> bool {
        let now = self.calls.values().any(|slot| !matches!(slot.state, State::Read(_)));
        std::mem::replace(&mut self.reading, now)
    }

    /// Takes in a call that was read, if it is one of its own.
    pub fn loaded(&mut self, number: usize, call: &Result<Arc<Call>, String>, platforms: &Platforms) {
        if let Some(slot) = self.calls.get_mut(&number).filter(|slot| !matches!(slot.state, State::Read(_))) {
            slot.state = read(call, platforms);
            self.changed = true;
        }
    }

    /// Works out turns, changes and waits at `now`, where they may have changed. `limit`: how long a kind of flow waits.
    pub fn settle(&mut self, platforms: &Platforms, limit: impl Fn(&str) -> Option<Duration>, now: Timestamp) {
        let over = |wait: &Wait| wait.outcome == Outcome::Waiting && wait.until.is_some_and(|until| until <= now);
        if !std::mem::take(&mut self.changed) && !self.waits.iter().any(over) {
            return;
        }
        let pages: Vec<Arc<Call>> = self.told().filter_map(|(_, told)| told.page.clone()).collect();
        self.waits = platforms.waits(pages.iter().map(|call| &**call), limit, now);
        self.tell_changes();
        self.turns = self.take_turns();
    }

    /// Whether calls that are not shown may have begun or ended that wait.
    #[must_use]
    pub fn is_partial(&self, wait: &Wait) -> bool {
        self.cut.0 && self.waits.iter().find(|first| first.kind == wait.kind) == Some(wait)
    }

    /// Says that how long flows wait is another time.
    pub fn expires_anew(&mut self) {
        self.changed = true;
    }

    /// Whether the time runs for one of its waits.
    #[must_use]
    pub fn counts_down(&self) -> bool {
        let waits = |wait: &Wait| wait.outcome == Outcome::Waiting && wait.until.is_some();
        self.waits.iter().any(waits)
    }

    /// Its calls as far as they are read.
    fn told(&self) -> impl Iterator<Item = (usize, &Told)> {
        self.calls.keys().filter_map(|number| Some((*number, self.call(*number)?.as_ref().ok()?)))
    }

    fn tell_changes(&mut self) {
        let mut found: Vec<(usize, Vec<Change>)> = Vec::new();
        let mut before: Option<&Variables> = None;
        // What was brought in since the context was seen last, and by which call last.
        let mut brought: HashMap<(&str, &str), &Told> = HashMap::new();
        for (number, told) in self.told() {
            if let Some(context) = &told.context {
                let changed = before.map_or_else(Vec::new, |before| changes::between(before, context));
                let because = |change: Change| {
                    let by = brought.get(&(changes::name(&change.pointer), &*change.value));
                    Change { because: by.map(|told| (told.kind.clone(), told.at)), ..change }
                };
                found.push((number, changed.into_iter().map(because).collect()));
                before = Some(context);
                brought.clear();
            }
            brought.extend(changes::named(&told.brought).map(|named| (named, told)));
        }
        for (number, changes) in found {
            if let Some(Slot { state: State::Read(told), .. }) = self.calls.get_mut(&number)
                && let Ok(told) = &mut **told
            {
                told.changes = changes;
            }
        }
    }

    fn take_turns(&self) -> Vec<Turn> {
        let (mut turns, mut heard): (Vec<Turn>, Turns) = Default::default();
        for number in self.numbers() {
            let told = self.call(number).and_then(|told| told.as_ref().ok());
            let begins = told.is_some_and(|told| {
                let Told { kind, at, repeat, said, .. } = told;
                heard.begins(Spoken { kind, at: *at, repeat: *repeat, said: said.as_deref() })
            });
            if begins || turns.is_empty() {
                let said = told.and_then(|told| told.said.clone());
                turns.push(Turn { said, at: told.map_or(Timestamp::UNIX_EPOCH, |told| told.at), calls: Vec::new() });
            }
            if let Some(turn) = turns.last_mut() {
                turn.calls.push(number);
            }
        }
        turns
    }
}

/// The first of these calls, and whether there are more: how many are wanted, and how many bytes of them at most.
fn first(index: &Index, numbers: impl Iterator<Item = usize>, most: (usize, u64)) -> (Vec<(usize, Slot)>, bool) {
    let (most, mut room) = most;
    let mut found = Vec::new();
    for number in numbers {
        let slot = slot(index, number);
        if found.len() >= most || slot.bytes > room {
            return (found, true);
        }
        room -= slot.bytes;
        found.push((number, slot));
    }
    (found, false)
}

/// A call that is to be read.
fn slot(index: &Index, number: usize) -> Slot {
    Slot { bytes: index.place(number).map_or(0, |place| place.len.into()), state: State::New }
}

fn read(call: &Result<Arc<Call>, String>, platforms: &Platforms) -> State {
    State::Read(Box::new(call.as_ref().map(|call| Told::new(call, platforms)).map_err(Clone::clone)))
}

#[cfg(test)]
mod tests;
