//! What may stand in a string, whatever carries it: a header, a parameter, a string of JSON, a text of XML, a body of no known kind.

use memchr::memchr2_iter;

use super::Redaction;
use super::body::is_escaped;
use super::depth::Depth;
use super::markup;
use super::spots::{Inner, Spots};

/// No more blanks stand between a bracket and what it opens.
const NEAR: usize = 16;

/// What has been escaped for XML has one of these.
const ENTITIES: [&str; 3] = ["&lt;", "&quot;", "&#"];

impl Redaction {
    /// What is masked of a string: of the JSON that it is, or of all that it may be.
    pub(super) fn value(&self, text: &str, depth: Depth<'_>) -> Spots {
        let word = text.trim();
        if word.len() < text.len() && is_word(word) {
            let mut spots = Spots::default();
            spots.add_all(text.len() - text.trim_start().len(), self.value(word, depth));
            return spots;
        }
        if text.is_empty() {
            Spots::default()
        } else if depth.is_spent() && nests(text) || self.hides(text, depth) {
            Spots::whole(text.as_bytes())
        } else if depth.is_spent() {
            self.plain(text.as_bytes())
        } else if begins_as_json(text) {
            self.json(text, depth)
        } else {
            depth.spend(text.len());
            self.any(text, depth)
        }
    }

    /// A JSON text; or what looks like one, and may be anything else as well.
    pub(super) fn json(&self, text: &str, depth: Depth<'_>) -> Spots {
        depth.spend(text.len());
        let (spots, bad) = self.tokens(text, depth);
        if bad { spots.and(self.any(text, depth)) } else { spots }
    }

    /// What is masked of a text as any of the things that it may be. It may be several, and look like others: none of them is the
    /// end of it.
    fn any(&self, text: &str, depth: Depth<'_>) -> Spots {
        let markup = if markup::stands_in(text) { self.markup(text, depth) } else { Spots::default() };
        // What has escapes is looked into without them, but where that is done piece by piece: to undo them twice, at each depth,
        // would take 32 times as long.
        let unescaped = |inner: &Inner<'_>| inner.outside(self.value(&inner.text, depth.deeper()));
        let text_of = |spots: Spots| spots.and(self.plain(text.as_bytes()));
        let spots = if is_address(text) {
            self.address(text, depth)
        } else if has_parameters(text) {
            text_of(self.parameters(text, depth))
        } else if is_word(text) && is_escaped(text) {
            text_of(unescaped(&Inner::of_form(text)))
        } else {
            text_of(Spots::default())
        };
        let entities = if has_entities(text) { unescaped(&Inner::of_markup(text)) } else { Spots::default() };
        // Values of JSON first: their masks are JSON too.
        self.json_in_lines(text, depth).and(markup).and(spots).and(entities)
    }

    /// JSON that begins behind something else in its line: an event of a stream (`data: {"a":1}`), a line of a log, a call (`f([{"a":1}])`).
    fn json_in_lines(&self, text: &str, depth: Depth<'_>) -> Spots {
        let mut spots = Spots::default();
        // What all of the text begins with has been read as such.
        let mut begin = if begins_as_json(text) { text.len() - text.trim_start().len() + 1 } else { 0 };
        for line in text[begin..].split_inclusive('\n') {
            if let Some(at) = json_in(line) {
                let (found, _) = self.tokens(&line[at..], depth);
                spots.add_all(begin + at, found);
            }
            begin += line.len();
        }
        spots
    }
}

/// Whether something may stand in a text that is masked whole where it stands too deep.
fn nests(text: &str) -> bool {
    let is_escaped = || is_word(text) && is_escaped(text);
    let has_json = || begins_as_json(text) || text.lines().any(|line| json_in(line).is_some());
    has_json() || is_address(text) || is_escaped() || markup::stands_in(text) || has_entities(text)
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// Whether JSON seems to be all of a text.
fn begins_as_json(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['{', '[']) && text.contains('"') || is_quoted(text)
}

/// Whether a text is a word that begins with a path, or with a scheme: parameters and JSON may have an address within them.
fn is_address(text: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b':');
    let begins =
        || text.starts_with('/') || text.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(is_of_scheme));
    text.contains(['?', '#']) && is_word(text) && begins()
}

/// Whether a text is a word of names and values. No name begins with a bracket or a quote, be it escaped.
fn has_parameters(text: &str) -> bool {
    let begins = |escape: &str| text.get(..escape.len()).is_some_and(|start| start.eq_ignore_ascii_case(escape));
    let is_open = || ["{", "[", "<", "\"", "%7B", "%5B", "%3C", "%22"].into_iter().any(begins);
    text.contains('=') && is_word(text) && !is_open()
}

/// Whether a text is escaped for XML, and no XML: of that, each text is looked into without its escapes.
fn has_entities(text: &str) -> bool {
    ENTITIES.iter().any(|entity| text.contains(entity)) && !markup::stands_in(text)
}

/// Where JSON seems to begin. In a cell of CSV its quotes are doubled, and what it has there is read as text.
fn json_in(line: &str) -> Option<usize> {
    let begins = |at: &usize| {
        let (open, inside) = line[*at..].split_at(1);
        let inside = &inside.as_bytes()[..inside.len().min(NEAR)];
        match inside.trim_ascii_start() {
            [b'"', b'"', ..] => false,
            [b'"', ..] => true,
            [b'{', ..] => open == "[",
            _ => false,
        }
    };
    memchr2_iter(b'{', b'[', line.as_bytes()).find(begins)
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
