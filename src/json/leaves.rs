//! What an object holds, value by value.

use std::ops::Range;

use super::{TokenKind, escape, tokens, unquote};

/// The JSON Pointer and the span of every value in an object: objects in it are gone through, arrays and empty objects
/// count as one value. At most `most`; none where the text is no object. Of duplicate keys each is there.
pub fn leaves(text: &str, most: usize) -> Vec<(String, Range<usize>)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
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
        match token.kind {
            kind if depth > 0 => {
                depth += usize::from(kind.is_open());
                depth -= usize::from(kind.is_close());
                if depth == 0 {
                    found.push((pointer.clone(), start..token.span.end));
                }
            }
            TokenKind::OpenArray => (depth, start) = (1, token.span.start),
            TokenKind::OpenObject => {
                opened = token.span.start;
                lengths.push(pointer.len());
            }
            TokenKind::Key => {
                pointer.truncate(lengths.last().copied().unwrap_or_default());
                let key = escape(&unquote(&text[token.span.clone()]));
                pointer.extend(["/", &key]);
            }
            TokenKind::CloseObject => {
                let length = lengths.pop().unwrap_or_default();
                if before == TokenKind::OpenObject && !pointer.is_empty() {
                    found.push((pointer.clone(), opened..token.span.end));
                }
                pointer.truncate(length);
            }
            kind if kind.begins_value() && !lengths.is_empty() => found.push((pointer.clone(), token.span.clone())),
            _ => {}
        }
        before = token.kind;
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
    fn what_is_no_object_has_no_values() {
        for text in ["", "[1]", "1", "{}", "{", "\"x\"", "nonsense"] {
            assert_eq!(of(text), [], "{text}");
        }
    }
}
