//! What became different between two states of a conversation's variables, and what may have made it so.

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::app::cache::Cache;
use crate::app::event::Wanted;
use crate::call::Call;
use crate::json;
use crate::platform::{Kind, Platforms};
use crate::recording::Index;

/// Most variables that are compared.
const MOST: usize = 2000;
/// Rows of the recording that are looked at for the call before: the screen must not wait.
const LOOK: usize = 100_000;

/// Variables by their JSON Pointers, each as the JSON text it came as, without white space between.
pub type Variables = IndexMap<String, String>;

/// How a variable changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It was not there before.
    Added,
    /// It had this value before.
    Changed(String),
    /// It is not there any more; it had this value.
    Removed(String),
}

/// One variable that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it stands among the variables.
    pub pointer: String,
    /// How it changed.
    pub how: How,
    /// Its value now; empty where it is gone.
    pub value: String,
    /// The kind of the call whose response (or which itself, if a page made it) has this value, and when it was made.
    pub because: Option<(String, Timestamp)>,
}

/// The name and the value of each variable: by them it is known again, wherever a response has it.
pub fn named(values: &Variables) -> impl Iterator<Item = (&str, &str)> {
    values.iter().map(|(pointer, value)| (name(pointer), value.as_str()))
}

/// The name of the variable at `pointer`.
#[must_use]
pub fn name(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

/// The variables that the JSON text of an object holds, at most `most` of them.
#[must_use]
pub fn variables(object: &str, most: usize) -> Variables {
    let compact = |text: &str| json::compact(text).unwrap_or_else(|_| text.to_owned());
    json::leaves(object, most).into_iter().map(|(pointer, span)| (pointer, compact(&object[span]))).collect()
}

/// The variables of a call, and what became different in them since the call before that has any.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Where they stand in the body; none where the call has none.
    pub pointer: Option<String>,
    /// What is different; none until the call before is read, or where there is none.
    pub changes: Option<Vec<Change>>,
    variables: Variables,
    before: Before,
}

/// The call before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Unknown,
    /// Its number. It is being read.
    Asked(usize),
    /// There is none, or it was read.
    Settled,
}

impl Context {
    /// Those of `call`.
    #[must_use]
    pub fn of(kind: Option<&Kind>, call: &Call) -> Self {
        let request = call.request.readable();
        let text = kind.filter(|kind| !kind.is_from_a_browser()).and_then(|kind| kind.context(&request));
        let (Some(pointer), Some(text)) = (kind.and_then(Kind::context_pointer), text) else { return Self::default() };
        Self { pointer: Some(pointer.to_owned()), variables: variables(text, MOST), ..Self::default() }
    }

    /// Compares with the call before `number`; gives that where it must be read first.
    pub fn compare(&mut self, number: usize, index: &Index, cache: &Cache, platforms: &Platforms) -> Option<Wanted> {
        self.pointer.as_ref()?;
        let asked = matches!(self.before, Before::Asked(_));
        let before = match self.before {
            Before::Settled => return None,
            Before::Asked(before) => before,
            Before::Unknown => {
                let bears = |row: &usize| {
                    let kind = platforms.kind(index.view(*row).and_then(|view| view.kind));
                    kind.is_some_and(Kind::bears_the_context)
                };
                let earlier = index.same_conversation(number, number.saturating_sub(LOOK)..number).rev().find(bears);
                let Some(before) = earlier else {
                    self.before = Before::Settled;
                    return None;
                };
                before
            }
        };
        let Some(cached) = cache.get(before) else {
            self.before = Before::Asked(before);
            return Wanted::of(index, before).filter(|_| !asked);
        };
        self.before = Before::Settled;
        if let Ok(call) = &cached.call {
            let kind = platforms.kind(call.kind.as_deref());
            let request = call.request.readable();
            let text = kind.and_then(|kind| kind.context(&request)).unwrap_or("{}");
            self.changes = Some(between(&variables(text, MOST), &self.variables));
        }
        None
    }

    /// What became different in the value at `pointer` of the body, and in the values in it.
    pub fn changes_in<'a>(&'a self, pointer: &'a str) -> impl Iterator<Item = &'a Change> + 'a {
        let place = self.pointer.as_deref().and_then(|context| pointer.strip_prefix(context));
        let changes = self.changes.iter().flatten().filter(move |_| place.is_some_and(|place| !place.is_empty()));
        changes.filter(move |change| {
            let under = place.and_then(|place| change.pointer.strip_prefix(place));
            under.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The variables that are gone.
    pub fn gone(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().flatten().filter(|change| matches!(change.how, How::Removed(_)))
    }
}

/// What is different in `now`, in its order, and then what is gone.
#[must_use]
pub fn between(before: &Variables, now: &Variables) -> Vec<Change> {
    let change = |pointer: &String, how, value: &str| Change {
        pointer: pointer.clone(),
        how,
        value: value.to_owned(),
        because: None,
    };
    let different = now.iter().filter_map(|(pointer, value)| match before.get(pointer) {
        None => Some(change(pointer, How::Added, value)),
        Some(was) if was != value => Some(change(pointer, How::Changed(was.clone()), value)),
        Some(_) => None,
    });
    let gone = before.iter().filter(|(pointer, _)| !now.contains_key(*pointer));
    different.chain(gone.map(|(pointer, was)| change(pointer, How::Removed(was.clone()), ""))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_changed_and_removed_are_told_apart() {
        let before = variables(r#"{"a": 1, "user": {"name": "x", "id": 7}, "list": [1, 2]}"#, 100);
        let now = variables(r#"{"user": {"name": "y", "id": 7}, "list": [1,2], "b": null}"#, 100);
        let found: Vec<(String, How)> =
            between(&before, &now).into_iter().map(|change| (change.pointer, change.how)).collect();
        let wanted = [
            ("/user/name".to_owned(), How::Changed("\"x\"".to_owned())),
            ("/b".to_owned(), How::Added),
            ("/a".to_owned(), How::Removed("1".to_owned())),
        ];
        assert_eq!(found, wanted);
        assert_eq!(between(&now, &now), []);
    }

    #[test]
    fn a_call_is_compared_with_the_one_before_that_has_variables() {
        let platforms = Platforms::builtin().unwrap();
        let (mut index, mut cache) = (Index::new(), Cache::default());
        let call = |kind: &str, body: &str| {
            let request =
                crate::call::Request { body: body.to_owned().into(), ..platforms.kind(kind).unwrap().sample() };
            std::sync::Arc::new(Call {
                kind: Some(kind.into()),
                conversation: Some("c".into()),
                ..Call::new(crate::call::Id::fresh(), crate::call::Direction::Received, Timestamp::UNIX_EPOCH, request)
            })
        };
        let packed = |call: &Call| {
            let mut packed = call.clone();
            packed.request.body = zstd::encode_all(&call.request.body[..], 3).unwrap().into();
            packed.request.headers.push("content-encoding", "zstd");
            std::sync::Arc::new(packed)
        };
        let calls = [
            packed(&call("moveo/dialog", r#"{"context":{"a":1,"user":{"id":1,"name":"x"}}}"#)),
            call("moveo/webview_open", ""),
            call("moveo/post_message", r#"{"context":{"user":{"id":1,"name":"y"},"b":2}}"#),
        ];
        for (number, call) in calls.iter().enumerate() {
            index.push(&crate::recording::View::of(call, crate::recording::Place { offset: number as u64, len: 1 }));
        }
        let mut context = Context::of(platforms.kind("moveo/post_message"), &calls[2]);
        assert_eq!(context.compare(2, &index, &cache, &platforms), Wanted::of(&index, 0), "the page has no variables");
        assert_eq!(context.compare(2, &index, &cache, &platforms), None, "it is not asked for twice");
        cache.put(0, Ok(calls[0].clone()));
        assert_eq!(context.compare(2, &index, &cache, &platforms), None);
        assert_eq!(context.changes_in("/context/user").count(), 1);
        assert_eq!(context.changes_in("/context/b").next().unwrap().how, How::Added);
        assert_eq!(context.changes_in("/context/use").count() + context.changes_in("/context").count(), 0);
        assert_eq!(context.gone().map(|change| &*change.pointer).collect::<Vec<_>>(), ["/a"]);
        let mut first = Context::of(platforms.kind("moveo/dialog"), &calls[0]);
        assert_eq!(first.compare(0, &index, &cache, &platforms), None);
        assert!(first.changes.is_none());
    }

    #[test]
    fn a_variable_is_known_by_its_name_and_its_value() {
        let values = variables(r#"{"output": {"name": "Zoë", "a/b": 1}}"#, 9);
        assert_eq!(named(&values).collect::<Vec<_>>(), [("name", "\"Zoë\""), ("a~1b", "1")]);
        assert_eq!(name("/user/name"), "name");
    }
}
