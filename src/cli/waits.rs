//! The waits that a recording tells of: pages that were opened, and how that ended.

use std::collections::HashMap;
use std::fmt::Write as _;

use color_eyre::eyre;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::{Call, Id};
use crate::cli::{Context, print};
use crate::platform::{Fate, Outcome, Platforms, Wait};
use crate::recording::{Entry, Place, Reader};
use crate::visible;

/// The waits of a recording, by the calls that take part in them.
#[derive(Debug, Default)]
pub(super) struct Waits {
    waits: Vec<Wait>,
    of: HashMap<Id, usize>,
}

/// Whether a call takes part in a wait, as far as its summary tells.
pub(super) fn takes_part(platforms: &Platforms, entry: &Entry) -> bool {
    let kind = platforms.kind(entry.kind.as_deref());
    entry.conversation.is_some() && kind.is_some_and(|kind| platforms.takes_part_in_a_wait(kind))
}

impl Waits {
    /// Those that the calls of conversations tell of, each given by their places: one conversation after the other, for all
    /// their bodies may be more than fits into memory. A call that cannot be read tells of none.
    pub(super) fn read<'a>(
        context: &Context,
        reader: &Reader,
        talks: impl IntoIterator<Item = &'a [Place]>,
    ) -> eyre::Result<Self> {
        let (mut all, now) = (Self::default(), Timestamp::now());
        for places in talks {
            let calls: Vec<Result<Call, _>> =
                places.iter().map(|place| reader.decode(*place)).collect::<Result<_, _>>()?;
            let calls: Vec<Call> = calls.into_iter().flatten().collect();
            all.add(context, &calls, now);
        }
        Ok(all)
    }

    /// Adds those of one conversation.
    fn add(&mut self, context: &Context, calls: &[Call], now: Timestamp) {
        let limit = |kind: &str| context.config.wait(kind)?.expires;
        let before = self.waits.len();
        self.waits.extend(context.platforms.waits(calls, limit, now));
        let mut taking_part = HashMap::new();
        for (number, wait) in self.waits.iter().enumerate().skip(before) {
            let opened = wait.opened.map(|(id, _)| id);
            for call in opened.into_iter().chain(wait.callbacks.iter().map(|callback| callback.call)) {
                taking_part.entry(call).or_insert(number);
            }
        }
        for call in calls {
            // A page that is loaded again belongs to the last wait that was there.
            let again = |wait: &Wait| {
                Some(&wait.kind) == call.kind.as_ref() && wait.opened.is_some_and(|(_, opened)| opened <= call.at)
            };
            let reloaded = || self.waits[before..].iter().rposition(again).map(|place| before + place);
            let place = taking_part.get(&call.id).copied().or_else(reloaded);
            self.of.extend(place.map(|place| (call.id, place)));
        }
    }

    /// The wait that a call takes part in.
    pub(super) fn get(&self, call: Id) -> Option<&Wait> {
        self.waits.get(*self.of.get(&call)?)
    }
}

/// How a call's wait stands, in a word: for a callback, what it did.
pub(super) fn word(wait: &Wait, call: Id) -> &'static str {
    match wait.fate_of(call) {
        Some(Fate::Ended) | None => wait.outcome.word(),
        Some(fate) => fate.word(),
    }
}

/// A call's wait as JSON.
pub(super) fn to_json(wait: &Wait, call: Id) -> Value {
    json!({
        "state": wait.outcome.word(), "fate": wait.fate_of(call).map(Fate::word),
        "opened": wait.opened.map(|(id, _)| id), "until": wait.until, "ended": wait.ended,
        "callbacks": wait.callbacks.iter().map(|callback| json!({ "id": callback.call, "fate": callback.fate.word() }))
            .collect::<Vec<_>>(),
    })
}

/// What a wait that a call of `kind` began stands at, and what the platform does then, as it is set there.
pub(super) fn standing(context: &Context, kind: &str, outcome: Outcome) -> String {
    let then = context.platforms.kind(kind).and_then(|kind| context.platforms.then(kind, outcome));
    let mut text = outcome.word().to_owned();
    if let Some(then) = then {
        let _ = write!(text, ": {}", visible::line(then));
    }
    let set = context.config.wait(kind);
    if let (Outcome::Waiting, Some(message)) = (outcome, set.and_then(|set| set.message.as_ref())) {
        let _ = write!(text, " (“{}”)", visible::line(message));
    }
    text
}

/// What the callback brought, and where it goes.
pub(super) fn brought(context: &Context, kind: &str, data: &str) -> String {
    let variable = context.config.wait(kind).and_then(|set| set.variable.as_ref());
    let variable = variable.map_or_else(String::new, |name| format!(" for {}", visible::line(name)));
    format!("data{variable} {}", visible::line(data))
}

/// How a call's wait stands, in sentences.
pub(super) fn text(context: &Context, wait: &Wait, call: &Call) -> String {
    let mut text = format!("wait {}", standing(context, &wait.kind, wait.outcome));
    if let Some(data) = &wait.data {
        let _ = write!(text, "\n  {}", brought(context, &wait.kind, data));
    }
    match wait.opened {
        Some((id, at)) => {
            let _ = write!(text, "\n  opened   {} {at}", print::short(id));
        }
        None => text.push_str("\n  opened   not in this recording"),
    }
    if let Some(until) = wait.until {
        let _ = write!(text, "\n  expires  {until}");
    }
    for callback in &wait.callbacks {
        let _ = write!(text, "\n  callback {} {} {}", print::short(callback.call), callback.at, callback.fate.word());
    }
    match wait.fate_of(call.id) {
        Some(Fate::Ended) | None => {}
        Some(fate) => {
            let _ = write!(text, "\nthis callback is {}", print::fate(fate, call));
        }
    }
    text + "\n"
}
