//! How much there is in a text, told before anything is built of it.

use super::{TokenKind, tokens};

/// How much whoever names every value of a text by its JSON Pointer has to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many values there are, containers among them.
    pub values: usize,
    /// The bytes of all their pointers, about: names count as they are written.
    pub pointers: usize,
    /// The bytes of the longest of them.
    pub longest: usize,
}

/// Counts the values of a text and the lengths of their pointers. The text may be any.
#[must_use]
pub fn extent(text: &str) -> Extent {
    /// Bytes of an item's number, about.
    const NUMBER: usize = 4;
    let mut found = Extent::default();
    // The pointers' lengths: of the containers that are open, each with whether it is an array, and of the member that is next.
    let (mut open, mut member): (Vec<(usize, bool)>, usize) = (Vec::new(), 0);
    for token in tokens(text) {
        match token.kind {
            TokenKind::Key => member = open.last().map_or(0, |(length, _)| *length) + token.span.len() - 1,
            kind if kind.is_close() => drop(open.pop()),
            kind if kind.begins_value() => {
                let length = match open.last() {
                    Some((length, true)) => length + NUMBER,
                    Some((_, false)) => member,
                    None => 0,
                };
                found.values += 1;
                found.pointers += length;
                found.longest = found.longest.max(length);
                if kind.is_open() {
                    open.push((length, kind == TokenKind::OpenArray));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_pointers_are_counted() {
        for (text, values, pointers, longest) in [
            ("", 0, 0, 0),
            ("1", 1, 0, 0),
            (r#"{"a":1,"bc":2}"#, 3, 2 + 3, 3),
            (r#"{"a":{"b":[1,2]},"c":null}"#, 6, 2 + 4 + 8 + 8 + 2, 8),
            (r#"[[],{"a":{}}]"#, 4, 4 + 4 + 6, 6),
            (r#"}{"a":[1"#, 3, 2 + 6, 6),
        ] {
            assert_eq!(extent(text), Extent { values, pointers, longest }, "{text}");
        }
    }
}
