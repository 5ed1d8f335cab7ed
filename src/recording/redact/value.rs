//! What may stand in a string, whatever carries it: a header, a parameter, a string of JSON, a text of XML, a body of no known kind.

use memchr::memchr2_iter;

use super::Redaction;
use super::body::{DEEPEST, is_escaped};
use super::markup;
use super::spots::{Inner, Spots};

/// What has been escaped for XML has one of these.
const ENTITIES: [&str; 3] = ["&lt;", "&quot;", "&#"];

impl Redaction {
    /// What is masked of a string: of JSON, an address, parameters, XML, what is one of these and escaped, or just of its text.
    pub(super) fn value(&self, text: &str, depth: usize) -> Spots {
        let word = text.trim();
        let is_word = !word.contains(char::is_whitespace);
        if is_word && word.len() < text.len() {
            let mut spots = Spots::default();
            spots.add_all(text.len() - text.trim_start().len(), self.value(word, depth));
            return spots;
        }
        let is_json = word.starts_with(['{', '[']) && word.contains('"') || is_quoted(word);
        let is_address = is_word && text.contains(['?', '#']) && begins_as_an_address(text);
        let is_escaped = is_word && is_escaped(text);
        let has_markup = markup::stands_in(text.as_bytes());
        // Those of markup are looked into piece by piece: to undo them twice, at each depth, would take 32 times as long.
        let has_entities = !has_markup && ENTITIES.iter().any(|entity| text.contains(entity));
        let nests = || is_json || is_address || is_escaped || has_entities || has_markup;
        if depth > DEEPEST && nests() || self.hides(text, depth) {
            Spots::whole(text.as_bytes())
        } else if depth > DEEPEST {
            self.look(text.as_bytes(), depth)
        } else if is_json {
            self.json(text, depth)
        } else if is_address {
            self.address(text, depth)
        } else if word.starts_with('<') {
            self.look(text.as_bytes(), depth)
        } else if is_word && text.contains('=') && !begins_escaped(text) {
            self.parameters(text, depth).and(self.json_in_lines(text, depth)).and(self.look(text.as_bytes(), depth))
        } else if is_escaped || has_entities {
            let inner = if is_escaped { Inner::of_form(text) } else { Inner::of_markup(text) };
            inner.outside(self.value(&inner.text, depth + 1)).and(self.look(text.as_bytes(), depth))
        } else {
            self.json_in_lines(text, depth).and(self.look(text.as_bytes(), depth))
        }
    }

    /// JSON that begins behind something else in its line: an event of a stream (`data: {"a":1}`), a line of a log, a call (`f([{"a":1}])`).
    fn json_in_lines(&self, text: &str, depth: usize) -> Spots {
        let mut spots = Spots::default();
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            if let Some(at) = json_in(line) {
                spots.add_all(begin + at, self.json(&line[at..], depth));
            }
            begin += line.len();
        }
        spots
    }
}

/// Where JSON seems to begin. In a cell of CSV its quotes are doubled, and what it has there is read as text.
fn json_in(line: &str) -> Option<usize> {
    let begins = |at: &usize| match &line.as_bytes()[*at..] {
        [b'{' | b'[', b'"', b'"', ..] => false,
        [b'{' | b'[', b'"', ..] | [b'[', b'{', ..] => true,
        _ => false,
    };
    memchr2_iter(b'{', b'[', line.as_bytes()).find(begins)
}

/// With a bracket or a quote that is escaped: no name of a parameter does.
fn begins_escaped(text: &str) -> bool {
    let begins = |escape: &str| text.get(..escape.len()).is_some_and(|start| start.eq_ignore_ascii_case(escape));
    ["%7B", "%5B", "%3C", "%22"].into_iter().any(begins)
}

/// With a path, or with a scheme: parameters and JSON may have an address within them.
fn begins_as_an_address(text: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b':');
    text.starts_with('/') || text.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(is_of_scheme))
}

/// Whether a text is one string of JSON, with something escaped in it.
fn is_quoted(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut escaped = false;
    for byte in inside.bytes() {
        // One that is not escaped ends the string before the text.
        if byte == b'"' && !escaped {
            return false;
        }
        escaped = byte == b'\\' && !escaped;
    }
    inside.contains('\\') && !escaped
}
