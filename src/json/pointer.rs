//! JSON Pointer (RFC 6901) over text: where a value stands, what stands at a place, and one value put for another.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::{Token, TokenKind, check, each_member, item, tokens, unquote};

/// A name as it stands in a JSON Pointer (RFC 6901, 3).
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether it is a JSON Pointer (RFC 6901, 3) that leads into a text: each name after a `/`, and a `~` in it part of `~0` or `~1`.
///
/// # Errors
/// A sentence that says how one is written.
pub fn check_pointer(text: &str) -> Result<(), String> {
    if text.starts_with('/') && segments(text).is_some() { Ok(()) } else { Err(no_pointer(text)) }
}

fn no_pointer(text: &str) -> String {
    format!("{text:?} is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`")
}

/// The span of the value a JSON Pointer (RFC 6901) names. Of duplicate keys the last one counts, as in `serde_json`.
/// Where the text is not JSON this is the best guess.
pub fn find(text: &str, pointer: &str) -> Option<Range<usize>> {
    let segments = segments(pointer)?;
    if segments.iter().any(|segment| cannot_be_in(text, segment)) {
        return None;
    }
    in_json(text, &segments).unwrap_or_else(|| by_tokens(text, &segments))
}

/// What [`find`] gives for each of `pointers`; the object around them is read once.
pub fn find_each(text: &str, pointers: &[&str]) -> Vec<Option<Range<usize>>> {
    let ways: Vec<_> = pointers.iter().map(|pointer| segments(pointer).unwrap_or_default()).collect();
    let mut members = vec![None; ways.len()];
    let object = each_member(text, |name, value| {
        let name = unquote(name);
        members.iter_mut().zip(&ways).filter(|(_, way)| way.first() == Some(&name)).for_each(|(member, _)| {
            *member = Some(value);
        });
    });
    let each = members.into_iter().zip(&ways).zip(pointers);
    each.map(|((member, way), pointer)| match (object, way.split_first()) {
        (Some(()), Some((_, rest))) => below(text, member?, rest),
        _ => find(text, pointer),
    })
    .collect()
}

/// The spans of all values that a JSON Pointer may name: of duplicate keys each counts, for readers differ on which one does.
pub fn find_all(text: &str, pointer: &str) -> Vec<Range<usize>> {
    match segments(pointer) {
        Some(segments) if !segments.iter().any(|segment| cannot_be_in(text, segment)) => {
            values_by_tokens(text, &segments, true)
        }
        _ => Vec::new(),
    }
}

/// The same as [`find`] of a text that is JSON, found sooner: the objects and arrays on the way are taken apart one after the other. The
/// outer none: this is no JSON, or no container.
#[expect(clippy::option_option, reason = "what is no container is told from what lacks the value")]
fn in_json(text: &str, segments: &[Cow<'_, str>]) -> Option<Option<Range<usize>>> {
    let (first, rest) = segments.split_first()?;
    Some(child(text, first)?.and_then(|value| below(text, value, rest)))
}

/// The span in `text` of what is to be found in `value`, which is a part of it.
fn below(text: &str, value: &str, segments: &[Cow<'_, str>]) -> Option<Range<usize>> {
    let value = segments.iter().try_fold(value, |value, segment| child(value, segment)?)?;
    let start = value.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + value.len())
}

/// The value in a container by its name or index, of duplicates the last. The outer none: it is no container, or no JSON.
#[expect(clippy::option_option, reason = "what is no container is told from what lacks the value")]
fn child<'a>(container: &'a str, segment: &str) -> Option<Option<&'a str>> {
    let mut found = None;
    if container.trim_ascii_start().starts_with('[') {
        found = item(container, index(segment).unwrap_or(usize::MAX))?;
    } else {
        each_member(container, |name, value| {
            if unquote(name) == segment {
                found = Some(value);
            }
        })?;
    }
    Some(found)
}

/// The same of any text.
fn by_tokens(text: &str, segments: &[Cow<'_, str>]) -> Option<Range<usize>> {
    values_by_tokens(text, segments, false).pop()
}

/// The values there; without `every` at most the one that counts.
fn values_by_tokens(text: &str, segments: &[Cow<'_, str>], every: bool) -> Vec<Range<usize>> {
    let mut search = Search { text, segments, every, way: Vec::new(), off: 0, target: None, found: Vec::new() };
    tokens(text).for_each(|token| search.take(&token));
    search.found
}

/// Whether nothing in `text` is called so: which can be seen without reading it as JSON where a name can be spelled in one
/// way only.
fn cannot_be_in(text: &str, segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    segment.bytes().all(plain)
        && index(segment).is_none()
        && memmem::find(text.as_bytes(), segment.as_bytes()).is_none()
        && memmem::find(text.as_bytes(), b"\\u").is_none()
}

/// One pass over the tokens in search of a value. Only containers on the way to it are looked into.
struct Search<'a> {
    text: &'a str,
    segments: &'a [Cow<'a, str>],
    /// Whether earlier duplicates count too.
    every: bool,
    /// The open containers on the way, outermost first.
    way: Vec<Step>,
    /// How many containers are open below those.
    off: usize,
    /// Where the value begins, while it is an open container.
    target: Option<usize>,
    found: Vec<Range<usize>>,
}

/// An open container on the way.
struct Step {
    /// The elements that ended before, in an array.
    index: usize,
    array: bool,
    /// Whether the next value is the one that the pointer goes through.
    here: bool,
}

impl Search<'_> {
    fn take(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Space | TokenKind::Colon => {}
            kind if self.off > 0 => {
                self.off += usize::from(kind.is_open());
                self.off -= usize::from(kind.is_close());
                if self.off == 0
                    && let Some(start) = self.target.take()
                {
                    self.found.push(start..token.span.end);
                }
            }
            TokenKind::CloseObject | TokenKind::CloseArray => drop(self.way.pop()),
            TokenKind::Key => {
                let depth = self.way.len();
                if let Some(step) = self.way.last_mut() {
                    step.here = unquote(&self.text[token.span.clone()]) == self.segments[depth - 1];
                }
            }
            TokenKind::Comma => {
                let depth = self.way.len();
                if let Some(step) = self.way.last_mut() {
                    step.index += 1;
                    step.here = step.array && Some(step.index) == index(&self.segments[depth - 1]);
                }
            }
            _ => self.value(token),
        }
    }

    /// A value begins in the innermost container on the way.
    fn value(&mut self, token: &Token) {
        let here = self.way.last().is_none_or(|step| step.here);
        if here && !self.every {
            // What an earlier duplicate held does not count any more.
            self.found.clear();
        }
        let Some(segment) = self.segments.get(self.way.len()).filter(|_| here) else {
            self.off = usize::from(token.kind.is_open());
            if here && token.kind.is_open() {
                self.target = Some(token.span.start);
            } else if here {
                self.found.push(token.span.clone());
            }
            return;
        };
        if token.kind.is_open() {
            let array = token.kind == TokenKind::OpenArray;
            self.way.push(Step { index: 0, array, here: array && index(segment) == Some(0) });
        }
    }
}

/// The pointer of the innermost value that covers byte `offset`; a key, its colon and the space about it belong to the
/// value they name. Where the text is not JSON this is the best guess.
pub fn pointer_at(text: &str, offset: usize) -> Option<String> {
    let mut open: Vec<Open> = Vec::new();
    for token in tokens(text) {
        if token.kind == TokenKind::Key
            && let Some(innermost) = open.last_mut()
        {
            innermost.key = Some(&text[token.span.clone()]);
        }
        if token.span.contains(&offset) {
            let in_value = match token.kind {
                TokenKind::Key | TokenKind::Colon | TokenKind::Space => {
                    open.last().is_some_and(|last| last.key.is_some())
                }
                kind => kind.begins_value(),
            };
            if !in_value {
                open.pop()?;
            }
            return Some(open.iter().filter_map(Open::segment).collect());
        }
        match token.kind {
            TokenKind::Key | TokenKind::Colon | TokenKind::Space => continue,
            TokenKind::OpenObject | TokenKind::OpenArray => {
                open.push(Open { array: token.kind == TokenKind::OpenArray, index: 0, key: None });
                continue;
            }
            TokenKind::CloseObject | TokenKind::CloseArray => drop(open.pop()),
            _ => {}
        }
        if let Some(innermost) = open.last_mut() {
            innermost.key = None;
            innermost.index += usize::from(token.kind == TokenKind::Comma);
        }
    }
    None
}

/// A container around a place.
struct Open<'a> {
    array: bool,
    /// The elements that ended before.
    index: usize,
    /// The key of the member that has begun, as written.
    key: Option<&'a str>,
}

impl Open<'_> {
    /// What the pointer says of this container: which of its values it goes through.
    fn segment(&self) -> Option<String> {
        if self.array {
            return Some(format!("/{}", self.index));
        }
        self.key.map(|key| format!("/{}", escape(&unquote(key))))
    }
}

/// `text` with the value at `pointer` replaced by `value` (JSON text), all other bytes untouched. Where only the last
/// member of the way is missing it is added, spaced as its neighbours are; to an array the index after the last, or `-`,
/// appends.
///
/// # Errors
/// A sentence: text, pointer or value is not what it should be, or there is nothing that the value could be put into.
pub fn set(text: &str, pointer: &str, value: &str) -> Result<String, String> {
    check(text).map_err(|error| format!("the text is not JSON: {error}"))?;
    check(value).map_err(|error| format!("the value is not JSON: {error}"))?;
    let value = value.trim();
    if let Some(span) = find(text, pointer) {
        return Ok(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
    }
    let segments = segments(pointer).ok_or_else(|| no_pointer(pointer))?;
    let (parent, key) = match (pointer.rfind('/'), segments.last()) {
        (Some(slash), Some(key)) => (&pointer[..slash], key),
        _ => return Err("there is no value to replace".to_owned()),
    };
    let span =
        find(text, parent).ok_or_else(|| format!("`{parent}` does not exist, so `{pointer}` cannot be put into it"))?;
    let container = Container::read(text, span);
    let new = match container.array {
        None => return Err(format!("`{parent}` is neither object nor array, so `{pointer}` cannot be put into it")),
        Some(false) => {
            let key = serde_json::Value::from(&**key);
            format!("{key}:{}{value}", container.after_colon)
        }
        Some(true) if key == "-" || index(key) == Some(container.len) => value.to_owned(),
        Some(true) => {
            let len = container.len;
            return Err(format!(
                "`{parent}` has {len} elements: `{pointer}` is neither one of them nor the next, `{parent}/{len}`"
            ));
        }
    };
    let comma = if container.len == 0 { "" } else { "," };
    let (before, after) = text.split_at(container.end);
    Ok(format!("{before}{comma}{}{new}{after}", container.before_member))
}

/// How the values of a container are written.
struct Container<'a> {
    /// `None`: a value that contains none.
    array: Option<bool>,
    len: usize,
    /// Where its last value ends, or its opening bracket if it has none.
    end: usize,
    /// The space before a further value, or its key.
    before_member: &'a str,
    after_colon: &'a str,
}

impl<'a> Container<'a> {
    fn read(text: &'a str, span: Range<usize>) -> Self {
        // Without a neighbour to imitate, the space after the first colon of the text tells the style.
        let colon = tokens(text).find(|token| token.kind == TokenKind::Colon);
        let style = colon.map_or("", |colon| space_at(text, colon.span.end));
        let (mut array, mut depth, mut commas, mut end) = (None, 0_usize, 0, span.start);
        let (mut opening, mut after_comma, mut after_colon) = ("", None, style);
        for token in tokens(&text[span.clone()]).filter(|token| token.kind != TokenKind::Space) {
            let token_end = span.start + token.span.end;
            depth -= usize::from(token.kind.is_close());
            match (depth, token.kind) {
                (0, TokenKind::OpenObject | TokenKind::OpenArray) => {
                    array = Some(token.kind == TokenKind::OpenArray);
                    opening = space_at(text, token_end);
                }
                (0, _) => break,
                (1, TokenKind::Comma) => {
                    commas += 1;
                    after_comma = Some(space_at(text, token_end));
                }
                (1, TokenKind::Colon) => after_colon = space_at(text, token_end),
                _ => {}
            }
            depth += usize::from(token.kind.is_open());
            end = token_end;
        }
        let empty = end == span.start + 1;
        let before_member = match after_comma {
            Some(space) => space,
            None if empty || opening.contains('\n') => opening,
            None => style,
        };
        Self { array, len: commas + usize::from(!empty), end, before_member, after_colon }
    }
}

/// The white space that begins at a place.
fn space_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()]
}

/// The decoded parts of a pointer, if it is one.
fn segments(pointer: &str) -> Option<Vec<Cow<'_, str>>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer.strip_prefix('/')?.split('/').map(segment).collect()
}

fn segment(written: &str) -> Option<Cow<'_, str>> {
    if !written.contains('~') {
        return Some(Cow::Borrowed(written));
    }
    let escapes_are_known = written.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes_are_known.then(|| Cow::Owned(written.replace("~1", "/").replace("~0", "~")))
}

/// The array index that a segment of a pointer is, if it is one: digits without a leading zero.
#[must_use]
pub fn index(segment: &str) -> Option<usize> {
    let canonical = segment == "0" || !segment.starts_with('0');
    (canonical && segment.bytes().all(|byte| byte.is_ascii_digit())).then(|| segment.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::json;
    use super::*;

    proptest! {
        #[test]
        fn what_is_found_sooner_is_what_the_tokens_say(text in json(), at in any::<prop::sample::Index>(), any in "(/[a-c0-2]{0,2}){1,3}") {
            let at = pointer_at(&text, at.index(text.len()));
            for pointer in at.into_iter().chain([any]) {
                let segments = segments(&pointer).unwrap();
                let expected = by_tokens(&text, &segments);
                prop_assert_eq!(find(&text, &pointer), expected.clone(), "{} in {}", &pointer, &text);
                let each = find_each(&text, &[&pointer, "", "/a"]);
                prop_assert_eq!(each, [expected.clone(), find(&text, ""), find(&text, "/a")], "{} in {}", &pointer, &text);
                if let Some(found) = in_json(&text, &segments) {
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}
