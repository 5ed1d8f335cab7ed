//! Members whose name an object has twice: RFC 8259 leaves open which one counts, and parsers differ.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{TokenKind, pointer_at, tokens, unquote};

/// JSON Pointers of members that come after another of the same name in the same object, in order, `limit` at most.
pub fn duplicates(text: &str, limit: usize) -> Vec<String> {
    let mut open: Vec<HashSet<Cow<'_, str>>> = Vec::new();
    let mut found = Vec::new();
    for token in tokens(text) {
        match token.kind {
            TokenKind::OpenObject | TokenKind::OpenArray => open.push(HashSet::new()),
            TokenKind::CloseObject | TokenKind::CloseArray => drop(open.pop()),
            TokenKind::Key => {
                let fresh = open.last_mut().is_none_or(|names| names.insert(unquote(&text[token.span.clone()])));
                if !fresh {
                    found.push(token.span.start);
                }
            }
            _ => {}
        }
        if found.len() == limit {
            break;
        }
    }
    found.into_iter().filter_map(|at| pointer_at(text, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_once_an_object() {
        for (text, expected) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}"#, &[][..]),
            (r#"{"a":1,"a":2}"#, &["/a"]),
            (r#"{"x":{"a/b":1,"y":0,"a/b":1}}"#, &["/x/a~1b"]),
            (r#"[{"é":1,"\u00e9":2}]"#, &["/0/é"]),
            (r#"{"a":1,"a":2,"a":3}"#, &["/a", "/a"]),
            ("", &[]),
            ("{", &[]),
            (r#""a""#, &[]),
        ] {
            assert_eq!(duplicates(text, 9), expected, "{text}");
        }
        assert_eq!(duplicates(r#"{"a":1,"a":2,"a":3}"#, 1).len(), 1);
    }
}
