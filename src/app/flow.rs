//! The flow around a page: those calls of a conversation that open it and call back from it, gathered from the recording
//! as they come, and what they tell of the wait.
//!
//! ```text
//! Index --follow()--> places to read --Effect::Load, Event::Loaded--> loaded() --settle()--> Wait
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::cache::Cache;
use crate::app::event::Wanted;
use crate::call::{Call, Id};
use crate::platform::{Kind, Outcome, Platforms, Wait};
use crate::recording::Index;

/// Most calls of one flow that are read: the newest.
const MOST: usize = 512;
/// Most bytes of their lines, but for the newest call, which is read whatever its size.
const MOST_BYTES: u64 = 16 << 20;

/// The calls of one conversation that open a page of one kind and call back from it.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The kind that opens the page.
    pub opening: String,
    /// The conversation's key.
    pub conversation: String,
    kinds: Vec<String>,
    /// Calls of the index that were looked at.
    seen: usize,
    /// By their numbers.
    calls: BTreeMap<usize, Slot>,
    /// There are earlier ones, which are not read.
    cut: bool,
    waits: Vec<Wait>,
    changed: bool,
}

/// A call's place in a flow.
#[derive(Clone, Debug)]
struct Slot {
    /// How long its line is.
    bytes: u64,
    /// None until it is read.
    call: Option<Arc<Call>>,
}

impl Flow {
    /// The flow of `conversation` that a call of `kind` belongs to, if it belongs to any.
    #[must_use]
    pub fn of(platforms: &Platforms, kind: &Kind, conversation: &str) -> Option<Self> {
        let opening = platforms.opening(kind)?;
        let closing = platforms.kinds().filter(|kind| kind.closes().as_ref() == Some(&opening));
        let kinds = closing.map(|kind| kind.name.clone()).chain([opening.clone()]).collect();
        let conversation = conversation.to_owned();
        let (calls, waits) = (BTreeMap::new(), Vec::new());
        Some(Self { opening, conversation, kinds, seen: 0, calls, cut: false, waits, changed: true })
    }

    /// Whether it is the same flow.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.opening, &self.conversation) == (&other.opening, &other.conversation)
    }

    /// Forgets what it knows: the recording is another one.
    pub fn forget(&mut self) {
        (self.seen, self.cut) = (0, false);
        self.calls.clear();
        self.changed = true;
    }

    /// Looks through what came to the index since; gives the calls that must be read.
    pub fn follow(&mut self, index: &Index, cache: &Cache) -> Vec<Wanted> {
        let mut missing = Vec::new();
        let ours = |number: &usize| {
            index.view(*number).is_some_and(|view| {
                view.conversation == Some(&*self.conversation)
                    && view.kind.is_some_and(|kind| self.kinds.iter().any(|known| known == kind))
            })
        };
        let found: Vec<usize> = (self.seen..index.len()).filter(ours).collect();
        let len = |number: usize| index.place(number).map_or(0, |place| u64::from(place.len));
        // Of those that came, the newest that there is room for; they make room among those that were there.
        let mut bytes = 0;
        let fits = |number: &&usize| {
            bytes += len(**number);
            bytes <= MOST_BYTES
        };
        let fitting = found.iter().rev().take(MOST).take_while(fits).count().max(1);
        let left_out = found.len().saturating_sub(fitting);
        for number in found.into_iter().skip(left_out) {
            self.calls.insert(number, Slot { bytes: len(number), call: None });
            match cache.get(number) {
                Some(cached) => self.loaded(number, &cached.call),
                None => missing.extend(Wanted::of(index, number)),
            }
        }
        let mut bytes: u64 = self.calls.values().map(|slot| slot.bytes).sum();
        self.cut |= left_out > 0;
        while self.calls.len() > 1 && (self.calls.len() > MOST || bytes > MOST_BYTES) {
            bytes -= self.calls.pop_first().map_or(0, |(_, slot)| slot.bytes);
            self.cut = true;
        }
        self.seen = index.len();
        missing
    }

    /// Takes in a call that was read, if it is one of its own.
    pub fn loaded(&mut self, number: usize, call: &Result<Arc<Call>, String>) {
        if let (Some(slot), Ok(call)) = (self.calls.get_mut(&number), call) {
            slot.call = Some(call.clone());
            self.changed = true;
        }
    }

    /// Works out how its waits stand at `now`, where that may have changed. `limit`: its expiration time.
    pub fn settle(&mut self, platforms: &Platforms, limit: Option<Duration>, now: Timestamp) {
        let over = |wait: &Wait| wait.outcome == Outcome::Waiting && wait.until.is_some_and(|until| until <= now);
        if std::mem::take(&mut self.changed) || self.waits.iter().any(over) {
            self.waits = platforms.waits(self.read(), |_| limit, now);
        }
    }

    /// Says that the expiration time is another one.
    pub fn expires_anew(&mut self) {
        self.changed = true;
    }

    /// The wait that stood at the time `at`; the first one where none did yet, unless there were some before it.
    #[must_use]
    pub fn wait(&self, at: Timestamp) -> Option<&Wait> {
        let began = |wait: &Wait| wait.opened.map(|(_, at)| at).or_else(|| Some(wait.callbacks.first()?.at));
        self.waits
            .iter()
            .rev()
            .find(|wait| began(wait).is_some_and(|began| began <= at))
            .or(self.waits.first().filter(|_| !self.cut))
    }

    /// Whether it has earlier calls, which are not read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether earlier calls, which are not read, may have begun or ended that wait.
    #[must_use]
    pub fn is_partial(&self, wait: &Wait) -> bool {
        self.cut && self.waits.first() == Some(wait)
    }

    /// Whether the time runs for one of its waits.
    #[must_use]
    pub fn counts_down(&self) -> bool {
        self.waits.iter().any(|wait| wait.outcome == Outcome::Waiting && wait.until.is_some())
    }

    /// One of its calls.
    #[must_use]
    pub fn call(&self, id: Id) -> Option<&Call> {
        self.read().find(|call| call.id == id)
    }

    /// Those that were read.
    fn read(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().filter_map(|slot| slot.call.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Direction, Request, Response};
    use crate::recording::{Place, View};

    fn call(kind: &str, second: i64, key: &str) -> Arc<Call> {
        let body = r#"{"success":true}"#.to_owned().into();
        Arc::new(Call {
            kind: Some(kind.into()),
            conversation: Some(key.into()),
            response: Some(Response { status: 200, ..Response::default() }),
            ..Call::new(
                Id::fresh(),
                Direction::Received,
                Timestamp::from_second(second).unwrap(),
                Request { body, ..Request::default() },
            )
        })
    }

    #[test]
    fn it_asks_once_for_its_own_calls_and_grows_as_they_come() {
        let platforms = Platforms::builtin().unwrap();
        let (mut index, cache) = (Index::new(), Cache::default());
        let calls = [
            call("jelou/webview_open", 100, "a"),
            call("jelou/webview_open", 101, "b"),
            call("moveo/webview_open", 102, "a"),
            call("jelou/webview_callback", 103, "a"),
        ];
        let mut push = |call: &Arc<Call>, offset| index.push(&View::of(call, Place { offset, len: 1 }));
        (0..3).for_each(|number| push(&calls[number], number as u64));
        let mut flow = Flow::of(&platforms, platforms.kind("jelou/webview_callback").unwrap(), "a").unwrap();
        assert_eq!(flow.follow(&index, &cache), [Wanted::of(&index, 0).unwrap()]);
        assert_eq!(flow.follow(&index, &cache), []);
        let at = |second| Timestamp::from_second(second).unwrap();
        flow.loaded(0, &Ok(calls[0].clone()));
        flow.loaded(1, &Ok(calls[1].clone()));
        flow.settle(&platforms, Some(Duration::from_secs(10)), at(102));
        assert_eq!(flow.wait(at(102)).unwrap().outcome, Outcome::Waiting);
        assert!(flow.counts_down());

        index.push(&View::of(&calls[3], Place { offset: 3, len: 1 }));
        assert_eq!(flow.follow(&index, &cache), [Wanted::of(&index, 3).unwrap()]);
        flow.loaded(3, &Ok(calls[3].clone()));
        flow.settle(&platforms, Some(Duration::from_secs(10)), at(104));
        assert_eq!(flow.wait(at(104)).unwrap().outcome, Outcome::Success);
        assert!(!flow.counts_down() && flow.call(calls[3].id).is_some() && flow.call(calls[1].id).is_none());
    }

    #[test]
    fn of_many_calls_the_newest_are_read_and_no_other_wait_is_taken_for_an_earlier_one() {
        let platforms = Platforms::builtin().unwrap();
        let (mut index, mut cache) = (Index::new(), Cache::default());
        let mut flow = Flow::of(&platforms, platforms.kind("liveperson/webview").unwrap(), "a").unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let last = i64::try_from(MOST).unwrap() + 9;
        for second in 0..=last {
            let kind = if second % 2 == 0 { "liveperson/webview_open" } else { "liveperson/webview" };
            let call = call(kind, second, "a");
            index.push(&View::of(&call, Place { offset: second.unsigned_abs(), len: 1 }));
            cache.put(index.len() - 1, Ok(call));
            // All at once, and as they come.
            if second == 5 || second > last - 5 {
                flow.follow(&index, &cache);
            }
        }
        flow.settle(&platforms, None, at(last));
        let opened = |second| flow.wait(at(second)).and_then(|wait| wait.opened).map(|(_, at)| at);
        assert_eq!((opened(last), opened(0)), (Some(at(last - 1)), None));
        let partial = |second| flow.wait(at(second)).map(|wait| flow.is_partial(wait));
        let first = last + 1 - i64::try_from(MOST).unwrap();
        assert_eq!((partial(last), partial(first), partial(0)), (Some(false), Some(true), None));
    }

    #[test]
    fn large_calls_are_read_as_far_as_there_is_room_and_the_newest_whatever_its_size() {
        let platforms = Platforms::builtin().unwrap();
        let (mut index, cache) = (Index::new(), Cache::default());
        let mut flow = Flow::of(&platforms, platforms.kind("jelou/webview_callback").unwrap(), "a").unwrap();
        let mut offset = 0;
        let mut asked = |sizes: &[u64], flow: &mut Flow| {
            for size in sizes {
                let len = u32::try_from(*size).unwrap();
                index.push(&View::of(&call("jelou/webview_callback", 100, "a"), Place { offset, len }));
                offset += size;
            }
            let asked = flow.follow(&index, &cache).into_iter().map(|wanted| wanted.number).collect::<Vec<_>>();
            (asked, flow.calls.keys().copied().collect::<Vec<_>>(), flow.cut)
        };
        let third = MOST_BYTES / 3;
        assert_eq!(asked(&[third; 3], &mut flow), (vec![0, 1, 2], vec![0, 1, 2], false));
        assert_eq!(asked(&[third; 1], &mut flow), (vec![3], vec![1, 2, 3], true), "as they come");
        flow.forget();
        assert_eq!(asked(&[9, third], &mut flow), (vec![3, 4, 5], vec![3, 4, 5], true), "all at once");
        assert_eq!(asked(&[MOST_BYTES + 1], &mut flow), (vec![6], vec![6], true));
        assert_eq!(asked(&[9], &mut flow), (vec![7], vec![7], true));
    }

    #[test]
    fn what_opens_no_page_has_no_flow() {
        let platforms = Platforms::builtin().unwrap();
        assert!(Flow::of(&platforms, platforms.kind("moveo/dialog").unwrap(), "a").is_none());
    }
}
