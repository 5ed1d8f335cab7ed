//! What became different between two states of a conversation's variables, and what may have made it so.

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::json;

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

impl Change {
    /// Whether the value that the variable has now is among `values`, under the same name.
    #[must_use]
    pub fn is_brought_by(&self, values: &Variables) -> bool {
        let name = |pointer: &str| pointer.rsplit('/').next().map(ToOwned::to_owned);
        values.iter().any(|(pointer, value)| *value == self.value && name(pointer) == name(&self.pointer))
    }
}

/// The variables that the JSON text of an object holds, at most `most` of them.
#[must_use]
pub fn variables(object: &str, most: usize) -> Variables {
    let compact = |text: &str| json::compact(text).unwrap_or_else(|_| text.to_owned());
    json::leaves(object, most).into_iter().map(|(pointer, span)| (pointer, compact(&object[span]))).collect()
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
    fn a_value_is_brought_by_what_has_it_under_the_same_name() {
        let change = Change { pointer: "/user/name".into(), how: How::Added, value: "\"Zoë\"".into(), because: None };
        assert!(change.is_brought_by(&variables(r#"{"output": {"name": "Zoë"}}"#, 9)));
        assert!(!change.is_brought_by(&variables(r#"{"output": {"title": "Zoë"}}"#, 9)));
        assert!(!change.is_brought_by(&variables(r#"{"output": {"name": "Zoe"}}"#, 9)));
    }
}
