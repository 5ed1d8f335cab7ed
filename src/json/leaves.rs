//! What an object holds, value by value.

use std::ops::Range;

use super::{TokenKind, escape, tokens, unquote};

/// Bytes that the pointers may have together: a name may be as long as a body, and each value in it would have it whole.
const MOST_BYTES: usize = 1 << 20;

/// The JSON Pointer and the span of every value in an object: objects in it are gone through, arrays and empty objects
/// count as one value. At most `most`, and no more than their pointers leave room for; none where the text is no object. Of
/// duplicate keys each is there.
pub fn leaves(text: &str, most: usize) -> Vec<(String, Range<usize>)> {
    leaves_that(text, most, |_| true)
}

/// As [`leaves`], of those values whose text `wanted` takes; the others do not count.
pub fn leaves_that(text: &str, most: usize, wanted: impl Fn(&str) -> bool) -> Vec<(String, Range<usize>)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let mut room = MOST_BYTES;
    // The pointer of the innermost object, and how long it is without its last segment.
    let (mut pointer, mut lengths) = (String::new(), Vec::new());
    // How deep in an array we are, and where it begins.
    let (mut depth, mut start) = (0_usize, 0);
    // Where the object begins that was opened last.
    let mut opened = 0;
    let mut before = TokenKind::Space;
    for token in tokens(text).filter(|token| token.kind != TokenKind::Space) {
        if found.len() >= most || (lengths.is_empty() && token.span.start > 0 && token.kind != TokenKind::OpenObject) {
            break;
        }
        let mut value = None;
        match token.kind {
            kind if depth > 0 => {
                depth += usize::from(kind.is_open());
                depth -= usize::from(kind.is_close());
                value = (depth == 0).then_some(start..token.span.end);
            }
            TokenKind::OpenArray => (depth, start) = (1, token.span.start),
            TokenKind::OpenObject => {
                if lengths.is_empty() {
                    pointer.clear();
                }
                opened = token.span.start;
                lengths.push(pointer.len());
            }
            TokenKind::Key => {
                pointer.truncate(lengths.last().copied().unwrap_or_default());
                let key = escape(&unquote(&text[token.span.clone()]));
                pointer.extend(["/", &key]);
            }
            TokenKind::CloseObject => {
                lengths.pop();
                value = (before == TokenKind::OpenObject && !pointer.is_empty()).then_some(opened..token.span.end);
            }
            kind if kind.begins_value() && !lengths.is_empty() => value = Some(token.span.clone()),
            _ => {}
        }
        before = token.kind;
        if let Some(span) = value.filter(|span| wanted(&text[span.clone()])) {
            let Some(left) = room.checked_sub(pointer.len()) else { break };
            room = left;
            found.push((pointer.clone(), span));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(String, &str)> {
        leaves(text, 100).into_iter().map(|(pointer, span)| (pointer, &text[span])).collect()
    }

    #[test]
    fn objects_are_gone_through_and_arrays_are_not() {
        let text = r#"{"a": 1e3, "b": {"c/d": "x", "e": { }, "f": [1, {"g": []}]}, "h": null}"#;
        let wanted =
            [("/a", "1e3"), ("/b/c~1d", "\"x\""), ("/b/e", "{ }"), ("/b/f", r#"[1, {"g": []}]"#), ("/h", "null")];
        assert_eq!(of(text), wanted.map(|(pointer, value)| (pointer.to_owned(), value)));
        assert_eq!(leaves(text, 2).len(), 2);
    }

    #[test]
    fn a_long_name_is_not_held_for_every_value_in_it() {
        let name = "k".repeat(MOST_BYTES / 10);
        let values: Vec<String> = (0..150).map(|number| format!(r#""a{number}":{number}"#)).collect();
        let text = format!(r#"{{"x":1,"{name}":{{{}}},"y":2}}"#, values.join(","));
        let found = leaves(&text, 2000);
        assert_eq!(found.len(), 10);
        assert!(found.iter().map(|(pointer, _)| pointer.len()).sum::<usize>() <= MOST_BYTES);
        let wanted = leaves_that(&text, usize::MAX, |value| value == "149" || value == "2");
        let ends: Vec<&str> = wanted.iter().filter_map(|(pointer, _)| pointer.rsplit('/').next()).collect();
        assert_eq!(ends, ["a2", "a149", "y"]);
    }

    #[test]
    fn what_is_no_object_has_no_values() {
        for text in ["", "[1]", "1", "{}", "{", "\"x\"", "nonsense"] {
            assert_eq!(of(text), [], "{text}");
        }
    }
}
