//! Which calls of a recording are meant.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::call::{Call, Direction, Id};
use crate::platform::{Platforms, Turns};
use crate::recording::{Damage, Entry, Place, Position, Query, Reader};
use crate::visible;

/// Most conversations that a sentence names.
const MOST_NAMED: usize = 4;

/// What a replay needs to know of a call before it reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub id: Id,
    /// When it was made.
    pub at: Timestamp,
    /// Whose contract it follows.
    pub kind: Option<Arc<str>>,
    /// The conversation it belongs to.
    pub conversation: Option<Arc<str>>,
}

impl From<&Entry> for Item {
    fn from(entry: &Entry) -> Self {
        let Entry { place, id, at, .. } = *entry;
        Self { place, id, at, kind: entry.kind.as_deref().map(Into::into), conversation: entry.conversation.clone() }
    }
}

/// Which calls of a recording are meant: those that everything said here fits.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Those that the query finds.
    pub query: Query,
    /// How it was asked for, for a sentence: `--marked`.
    pub asked: String,
    /// Calls that were sent from here count as well.
    pub sent: bool,
    /// The one whose id begins or ends so, whichever way it went.
    pub id: Option<String>,
    /// The call whose id begins or ends so, and what came after it in its conversation.
    pub from: Option<String>,
    /// The conversation whose key is or begins so.
    pub conversation: Option<String>,
    /// Of each conversation the calls from this [turn](Turns) on, counted from 1 in all of it. A call of no conversation has
    /// no turn: it is only meant where this is 1.
    pub turn: usize,
}

/// Picks calls, in file order; lines that cannot be read are passed over and told.
///
/// # Errors
/// When a call cannot be read, what should be one call or conversation is none or several, or nothing is left: a sentence that
/// says by what.
pub fn select(reader: &Reader, selection: &Selection, platforms: &Platforms) -> Result<(Vec<Item>, Damage), String> {
    let marks = reader.marks();
    let mut found: Vec<Entry> = Vec::new();
    let mut damaged = Damage::default();
    let mut met = Met::default();
    let named = |entry: &Entry, part: &Option<String>| part.as_deref().is_some_and(|part| is_called(entry.id, part));
    let mut entries = reader.entries(Position::default());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                damaged.push(error);
                continue;
            }
        };
        if selection.id.is_some() {
            if named(&entry, &selection.id) {
                found.push(entry);
            }
            continue;
        }
        let asked_for = named(&entry, &selection.from);
        met.calls += 1;
        if entry.direction == Direction::Sent && !selection.sent && !asked_for {
            met.sent += 1;
            continue;
        }
        let view = entry.view().with(&marks);
        let fits = if let Some(fits) = selection.query.matches_view(&view) {
            fits
        } else {
            match reader.decode(entry.place).map_err(|error| error.to_string())? {
                Ok(call) => selection.query.matches(&view, &call),
                Err(damage) => {
                    damaged.push(entries.damaged(&damage));
                    continue;
                }
            }
        };
        let ours = |key: &String| entry.conversation.as_deref().is_some_and(|own| own.starts_with(key.as_str()));
        if fits && selection.conversation.as_ref().is_none_or(ours) {
            found.push(entry);
        } else if fits {
            met.others.extend(entry.conversation.clone());
        }
        met.fits += usize::from(fits);
    }
    if let Some(part) = &selection.id {
        found = vec![one(&found, part)?.clone()];
    }
    if let Some(key) = &selection.conversation {
        keep_conversation(&mut found, key)?;
    }
    if let Some(part) = &selection.from {
        keep_from(&mut found, part)?;
    }
    if found.is_empty() {
        let unread = damaged
            .first()
            .first()
            .map(|first| format!("; {} could not be read: {first}", visible::count(damaged.count(), "line")));
        return Err(met.why_none(selection) + &unread.unwrap_or_default());
    }
    if selection.turn > 1 {
        keep_from_turn(&mut found, selection.turn, reader, platforms)?;
    }
    Ok((found.iter().map(Item::from).collect(), damaged))
}

/// Of conversations whose keys begin with `key` keeps the one that is called just so, else the only one.
fn keep_conversation(found: &mut Vec<Entry>, key: &str) -> Result<(), String> {
    let mut keys: Vec<&str> = found.iter().filter_map(|entry| entry.conversation.as_deref()).collect();
    keys.sort_unstable();
    keys.dedup();
    if let Some(exact) = keys.iter().find(|found| **found == key).map(|exact| Arc::<str>::from(*exact)) {
        found.retain(|entry| entry.conversation.as_ref() == Some(&exact));
    } else if let [first, second, ..] = keys[..] {
        return Err(format!("{key:?} could be the conversation {first} or {second}: write more of it"));
    }
    Ok(())
}

/// Keeps the call whose id has `part`, and what follows it in its conversation.
fn keep_from(found: &mut Vec<Entry>, part: &str) -> Result<(), String> {
    let first = one_of(found.iter().filter(|entry| is_called(entry.id, part)), part)?.clone();
    let mut begun = false;
    found.retain(|entry| {
        begun |= entry.id == first.id;
        begun && (entry.id == first.id || first.conversation.is_some() && entry.conversation == first.conversation)
    });
    Ok(())
}

/// Keeps of each conversation the calls from a turn on.
fn keep_from_turn(found: &mut Vec<Entry>, wanted: usize, reader: &Reader, platforms: &Platforms) -> Result<(), String> {
    let turns = turns_of(reader, found, platforms)?;
    let turn = |entry: &Entry| turns.get(&entry.place.offset).copied().unwrap_or(0);
    let most = found.iter().map(turn).max().unwrap_or(0);
    found.retain(|entry| turn(entry) >= wanted);
    if found.is_empty() {
        return Err(format!(
            "no call to send: no conversation of these calls has {wanted} turns, the longest has {most}"
        ));
    }
    Ok(())
}

/// The turns of these calls, by where their lines begin. They are counted in all of a conversation, as it is shown, though not
/// all of it is meant.
fn turns_of(reader: &Reader, found: &[Entry], platforms: &Platforms) -> Result<HashMap<u64, usize>, String> {
    let mut talks: HashMap<Arc<str>, Turns> =
        found.iter().filter_map(|entry| Some((entry.conversation.clone()?, Turns::default()))).collect();
    let mut places = HashMap::new();
    for entry in reader.entries(Position::default()).flatten() {
        let Some(turns) = entry.conversation.as_ref().and_then(|talk| talks.get_mut(talk)) else { continue };
        let call = reader.decode(entry.place).map_err(|error| error.to_string())?;
        // What cannot be read says nothing.
        let turn = call.map_or(turns.number(), |call| platforms.turn(turns, &call));
        places.insert(entry.place.offset, turn);
    }
    Ok(places)
}

/// What was met while calls were picked.
#[derive(Default)]
struct Met {
    calls: usize,
    /// Those of them that were sent from here and do not count.
    sent: usize,
    /// Those of the others that the query finds.
    fits: usize,
    /// The conversations of these that were not asked for.
    others: BTreeSet<Arc<str>>,
}

impl Met {
    /// What left nothing, and what to do.
    fn why_none(&self, selection: &Selection) -> String {
        let others = if self.sent > 0 { "; --sent takes those that were sent from here, too" } else { "" };
        let left = visible::count(self.calls - self.sent, "call");
        match &selection.conversation {
            _ if self.calls == 0 => "no call to send: the recording has none".to_owned(),
            _ if self.calls == self.sent => {
                format!("no call to send{others}")
            }
            Some(key) if self.fits > 0 => {
                let mut names: Vec<&str> = self.others.iter().map(AsRef::as_ref).take(MOST_NAMED).collect();
                names.extend((self.others.len() > MOST_NAMED).then_some("…"));
                let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                format!("no call to send: {key:?} begins no conversation's key; there are {there}{others}")
            }
            _ => format!("no call to send: {} finds none of {left}{others}", selection.asked),
        }
    }
}

/// The one call of a recording whose id begins or ends with `part`.
///
/// # Errors
/// When there is none, or more than one, or it cannot be read.
pub fn call_of(reader: &Reader, part: &str) -> Result<Call, String> {
    // A damaged line has no id that could be meant.
    let entries: Vec<Entry> =
        reader.entries(Position::default()).flatten().filter(|entry| is_called(entry.id, part)).collect();
    let none = || format!("{} has no call whose id begins or ends with {part:?}", reader.path().display());
    if entries.is_empty() {
        return Err(none());
    }
    reader.call(one(&entries, part)?.place).map_err(|error| error.to_string())
}

/// Whether an id begins or ends so. Of what stands for it in a list, its last eight digits, the beginning will do as well.
fn is_called(id: Id, part: &str) -> bool {
    let (id, part) = (id.to_string(), part.to_ascii_lowercase());
    let shown = id.len().saturating_sub(8);
    id.starts_with(&part) || id.ends_with(&part) || id[shown..].starts_with(&part)
}

fn one<'a>(found: &'a [Entry], part: &str) -> Result<&'a Entry, String> {
    one_of(found.iter(), part)
}

fn one_of<'a>(mut found: impl Iterator<Item = &'a Entry>, part: &str) -> Result<&'a Entry, String> {
    let first = found.next();
    // A call that stands twice in the file is one, and nothing could tell the two apart.
    match (first, found.find(|entry| first.is_some_and(|first| entry.id != first.id))) {
        (Some(first), Some(second)) => {
            Err(format!("{part:?} could be {} or {}: write more of it", first.id, second.id))
        }
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("no call to send has an id that begins or ends with {part:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Annotation, Change, Mark, Options, Recorder};
    use crate::replay::testing::call;

    /// Of conversations `aa`, `ab` and none: received 0 to 4 and 6, sent 5; 3 is marked. Nobody says a word in them.
    async fn tape() -> (tempfile::TempDir, Reader, Vec<Id>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
        let mut ids = Vec::new();
        for (number, talk) in (0..).zip(["aa", "ab", "aa", "ab", "", "aa", ""]) {
            let conversation = (!talk.is_empty()).then(|| talk.to_owned());
            let direction = if number == 5 { Direction::Sent } else { Direction::Received };
            let call = recorder.record(Call { direction, conversation, ..call(number) }).await.unwrap();
            ids.push(call.id);
        }
        let mark = Annotation { call: ids[3], at: Timestamp::now(), change: Change::Mark(Some(Mark::default())) };
        recorder.annotate(mark).await.unwrap();
        recorder.close().await;
        (folder, Reader::open(&path).unwrap(), ids)
    }

    fn all() -> Selection {
        Selection {
            query: query(""),
            asked: "--query x".into(),
            sent: false,
            id: None,
            from: None,
            conversation: None,
            turn: 1,
        }
    }

    fn query(text: &str) -> Query {
        Query::parse(text, Timestamp::now()).unwrap()
    }

    #[tokio::test]
    async fn calls_are_picked_by_what_is_said_of_them() {
        let (_folder, reader, ids) = tape().await;
        let picked = |selection: Selection| -> Vec<usize> {
            let (items, _) = select(&reader, &selection, &Platforms::builtin().unwrap()).unwrap();
            items.iter().map(|item| ids.iter().position(|id| *id == item.id).unwrap()).collect()
        };
        let part = |number: usize| Some(ids[number].to_string()[20..].to_uppercase());
        assert_eq!(picked(all()), [0, 1, 2, 3, 4, 6]);
        assert_eq!(picked(Selection { sent: true, ..all() }), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(picked(Selection { query: query("marked"), ..all() }), [3]);
        assert_eq!(picked(Selection { query: query("body:\"4\""), ..all() }), [4]);
        assert_eq!(picked(Selection { id: part(5), ..all() }), [5]);
        assert_eq!(picked(Selection { conversation: Some("ab".into()), ..all() }), [1, 3]);
        assert_eq!(picked(Selection { from: part(2), sent: true, ..all() }), [2, 5]);
        assert_eq!(picked(Selection { from: part(4), ..all() }), [4], "what is of no conversation has no turns");
    }

    #[tokio::test]
    async fn what_is_not_one_thing_is_told() {
        let (folder, reader, ids) = tape().await;
        let told = |selection: Selection| select(&reader, &selection, &Platforms::builtin().unwrap()).unwrap_err();
        assert!(told(Selection { conversation: Some("a".into()), ..all() }).contains("aa or ab"));
        let nothing = [
            (
                Selection { conversation: Some("c".into()), ..all() },
                "\"c\" begins no conversation's key; there are aa, ab; --sent takes those that were sent from here, too",
            ),
            (Selection { query: query("body:nowhere"), sent: true, ..all() }, "--query x finds none of 7 calls"),
            (Selection { turn: 9, ..all() }, "no conversation of these calls has 9 turns, the longest has 0"),
        ];
        for (selection, why) in nothing {
            assert_eq!(told(selection), format!("no call to send: {why}"));
        }
        assert!(told(Selection { id: Some("zz".into()), ..all() }).contains("\"zz\""));
        assert!(told(Selection { from: Some("zz".into()), ..all() }).contains("\"zz\""));
        assert!(told(Selection { id: Some("0".into()), ..all() }).contains("write more of it"));
        assert_eq!(call_of(&reader, &ids[4].to_string()).unwrap().request.body, "4");
        assert!(call_of(&reader, "zz").unwrap_err().contains("has no call"));
        assert!(call_of(&reader, "0").unwrap_err().contains("write more of it"));
        let twice = folder.path().join("twice.jsonl");
        std::fs::write(&twice, std::fs::read(reader.path()).unwrap().repeat(2)).unwrap();
        let reader = Reader::open(&twice).unwrap();
        let id = ids[4].to_string();
        assert_eq!(call_of(&reader, &id).unwrap().request.body, "4", "nothing more could be written of it");
        assert_eq!(
            select(&reader, &Selection { id: Some(id), ..all() }, &Platforms::builtin().unwrap()).unwrap().0.len(),
            1
        );
    }
}
