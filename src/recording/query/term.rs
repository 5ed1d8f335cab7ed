//! The smallest parts of a query: what each key takes, and what it is held against.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use bytes::Bytes;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::bound::Bound;
use super::needle::Needle;
use super::receiver::Receiver;
use super::{Held, Reading};
use crate::call::{Call, Direction, Headers, Sig, beginning, micros};
use crate::config::{duration, meant, size};
use crate::json;
use crate::platform::Severity;
use crate::recording::{Change, Colour, View};

/// One key of the query language: what help and completion show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What stands before the colon.
    pub name: &'static str,
    /// A value it takes.
    pub example: &'static str,
    /// What it asks.
    pub meaning: &'static str,
}

const fn key(name: &'static str, example: &'static str, meaning: &'static str) -> Key {
    Key { name, example, meaning }
}

impl Key {
    /// How it is written: `kind:dialog`, or `deleted` where it takes no value.
    #[must_use]
    pub fn written(&self) -> String {
        if self.example.is_empty() { self.name.to_owned() } else { format!("{}:{}", self.name, self.example) }
    }
}

/// Every key but `/pointer`, which holds the value at that JSON Pointer, in either body, against its text, or a number against
/// a bound.
pub const KEYS: [Key; 21] = [
    key("kind", "dialog", "part of platform/kind; none: not recognised"),
    key("platform", "moveo", "part of the platform's name"),
    key("sig", "invalid", "what the signature check found; none: not checked"),
    key("status", ">=500", "the response's status: 404, 4xx, >=500, 200..299; none: no response"),
    key("conv", "8563", "part of the conversation's key; none: belongs to none"),
    key("path", "/hooks", "part of path and query"),
    key("dir", "sent", "received or sent"),
    key("to", "staging", "where it was sent: part of a target's name, or of the address; none: it was not sent"),
    key("method", "POST", "the method"),
    key("took", ">1s", "how long it took: >1s, <=200ms, 1s..2s"),
    key("size", ">10kb", "the request body's length in bytes; kb, mb, gb (1000) or kib, mib, gib (1024): >10kb, <512"),
    key("since", "10m", "not before: so long ago, or a time (yours, or with a zone: 10:02Z)"),
    key("until", "2026-11-21", "not after: so long ago, or such a time; a date has all of its day"),
    key("id", "0193", "part of the call's id"),
    key("parent", "0193", "part of the id of the call that it repeats; none: repeats none"),
    key("body", "\"x\"", "somewhere in a body of either side"),
    key("header", "\"x-name: x\"", "somewhere in a header line of either side"),
    key("finding", "error", "departs from the contract of its kind by an error, a warning or a note; none: by nothing"),
    key("marked", "red", "marked in that colour; `marked` alone: in any; to look for the word, quote it"),
    key("note", "\"own test\"", "part of the note; none: has no note"),
    key("deleted", "", "deleted calls, which are hidden else"),
];

/// What stands behind a colon, or alone.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    pub text: Cow<'a, str>,
    pub quoted: bool,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Word(Needle),
    Kind(Part),
    Platform(Needle),
    Sig(Option<Sig>),
    /// None: there is no response.
    Status(Option<RangeInclusive<u64>>),
    Conversation(Part),
    Path(Needle),
    Direction(Direction),
    /// None: it was not sent.
    To(Option<Receiver>),
    Method(Needle),
    /// Microseconds.
    Took(RangeInclusive<u64>),
    /// Bytes.
    Size(RangeInclusive<u64>),
    Since(Timestamp),
    Until(Timestamp),
    Id(Needle),
    Parent(Part),
    /// None: in any colour, or in none.
    Marked(Option<Colour>),
    Note(Part),
    Deleted,
    /// None: no finding at all.
    Finding(Option<Severity>),
    Body(Needle),
    Header(Needle),
    /// What stands at a JSON Pointer.
    Pointer(String, At),
}

/// What the value at a JSON Pointer is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// It only has to be there.
    Anything,
    Text(Needle),
    Number(Bound),
}

impl At {
    fn new(value: &Value<'_>) -> Result<Self, String> {
        match Bound::read(&value.text).filter(|_| !value.quoted) {
            Some(bound) => bound.map(Self::Number),
            None if value.text.is_empty() && !value.quoted => Ok(Self::Anything),
            None => Ok(Self::Text(Needle::new(&value.text))),
        }
    }
}

/// What an optional text is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// It is not there.
    None,
    /// This is in it.
    Has(Needle),
}

impl Part {
    fn new(value: &Value<'_>) -> Self {
        if is_none(value) { Self::None } else { Self::Has(Needle::new(&value.text)) }
    }

    fn matches(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::None, text) => text.is_none(),
            (Self::Has(needle), Some(text)) => needle.is_in(text.as_bytes()),
            (Self::Has(_), None) => false,
        }
    }
}

fn is_none(value: &Value<'_>) -> bool {
    !value.quoted && value.text == "none"
}

impl Term {
    pub fn word(value: &Value<'_>) -> Self {
        match &*value.text {
            "marked" if !value.quoted => Self::Marked(None),
            "deleted" if !value.quoted => Self::Deleted,
            text => Self::Word(Needle::new(text)),
        }
    }

    /// The condition of a pointer, or a sentence that says what it takes.
    pub fn pointer(pointer: &str, value: &Value<'_>) -> Result<Self, String> {
        let at = At::new(value)
            .map_err(|what| format!("{pointer}: takes {what}; to look for the text, quote it: \"{}\"", value.text))?;
        Ok(Self::Pointer(pointer.to_owned(), at))
    }

    /// The condition of one of [`KEYS`], or a sentence that says what it takes.
    pub fn keyed(key: &Key, value: &Value<'_>, by: &Reading<'_>) -> Result<Self, String> {
        let text = &*value.text;
        let needle = || Needle::new(text);
        let takes = |what: &str| format!("{}: takes {what}, as in {}:{}", key.name, key.name, key.example);
        Ok(match key.name {
            "kind" => Self::Kind(Part::new(value)),
            "platform" => Self::Platform(needle()),
            "sig" if is_none(value) => Self::Sig(None),
            "sig" => {
                let words = Sig::ALL.map(|sig| (sig.word(), sig));
                Self::Sig(Some(one_of(&words, text).map_err(|words| takes(&format!("none or {words}")))?))
            }
            "status" if is_none(value) => Self::Status(None),
            "status" => {
                Self::Status(Some(status(text).ok_or_else(|| {
                    takes("none, a status (404), a class (4xx), a bound (>=500) or a range (200..299)")
                })?))
            }
            "conv" => Self::Conversation(Part::new(value)),
            "path" => Self::Path(needle()),
            "dir" => {
                let words = [Direction::Received, Direction::Sent].map(|direction| (direction.word(), direction));
                Self::Direction(one_of(&words, text).map_err(|words| takes(&words))?)
            }
            "to" if is_none(value) => Self::To(None),
            "to" => Self::To(Some(Receiver::new(text, by.targets))),
            "method" => Self::Method(needle()),
            "took" => {
                // No call takes a second to the microsecond.
                let bounds = text.contains(['<', '>']) || text.contains("..");
                let range = range(text, |text| duration(text).map(micros)).filter(|_| bounds);
                Self::Took(range.ok_or_else(|| takes("a bound (>1s, <200ms; us, ms, s, m, h, d) or a range (1s..2s)"))?)
            }
            "size" => Self::Size(range(text, size).ok_or_else(|| {
                let known = "a bound in bytes (>10kb, <512; b, kb, kib, mb, mib, gb, gib)";
                let unit = text.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
                takes(&match unit {
                    // Which of the two is meant differs from program to program.
                    "k" | "K" | "m" | "M" | "g" | "G" => {
                        format!("{known}: for {unit:?} write {unit}b (by 1000) or {unit}ib (by 1024)")
                    }
                    _ => known.to_owned(),
                })
            })?),
            "since" | "until" => {
                let takes =
                    || takes("how long ago (90s, 10m, 2h, 3d) or a time (2026-11-21, 2026-11-21T10:02, 10:02, 10:02Z)");
                if key.name == "since" {
                    Self::Since(time(text, by).ok_or_else(takes)?)
                } else {
                    Self::Until(until(text, by).ok_or_else(takes)?)
                }
            }
            "id" => Self::Id(needle()),
            "parent" => Self::Parent(Part::new(value)),
            "finding" if is_none(value) => Self::Finding(None),
            "finding" => {
                let words = [Severity::Error, Severity::Warning, Severity::Note].map(|grade| (grade.word(), grade));
                Self::Finding(Some(one_of(&words, text).map_err(|words| takes(&format!("none or {words}")))?))
            }
            "marked" => {
                let words = Colour::ALL.map(|colour| (colour.word(), colour));
                Self::Marked(Some(one_of(&words, text).map_err(|words| takes(&words))?))
            }
            "note" => Self::Note(Part::new(value)),
            "deleted" => return Err("deleted takes no value: write it alone, or -deleted".to_owned()),
            "body" => Self::Body(needle()),
            "header" => Self::Header(needle()),
            other => return Err(format!("{other}: is not known")),
        })
    }

    pub fn needs_call(&self) -> bool {
        matches!(
            self,
            Self::Word(_) | Self::To(_) | Self::Finding(_) | Self::Body(_) | Self::Header(_) | Self::Pointer(..)
        )
    }

    /// Whether what it finds depends on what this changes.
    pub fn depends_on(&self, change: &Change) -> bool {
        match change {
            Change::Mark(_) => matches!(self, Self::Marked(_)),
            Change::Note(_) => matches!(self, Self::Note(_) | Self::Word(_)),
            Change::Delete(_) => matches!(self, Self::Deleted),
        }
    }

    /// Whether it is a word that stands in a note.
    pub fn is_noted(&self, note: &str) -> bool {
        matches!(self, Self::Word(needle) if needle.is_in(note.as_bytes()))
    }

    /// What of a head it is held against that may be long: an index has only the beginning of it then.
    fn texts<'a>(&self, view: &View<'a>) -> [Option<&'a str>; 4] {
        let (kind, talk, path, method) = (view.kind, view.conversation, Some(view.path), Some(view.method));
        match self {
            Self::Word(_) => [kind, talk, path, method],
            Self::Kind(_) | Self::Platform(_) => [kind, None, None, None],
            Self::Conversation(_) => [talk, None, None, None],
            Self::Path(_) => [path, None, None, None],
            Self::Method(_) => [method, None, None, None],
            _ => [None; 4],
        }
    }

    /// Whether it is found in what an index has of a long text, and so in all of that.
    fn is_in_beginning(&self, view: &View<'_>) -> bool {
        let (needle, text) = match self {
            Self::Path(needle) => (needle, Some(view.path)),
            Self::Kind(Part::Has(needle)) => (needle, view.kind),
            Self::Conversation(Part::Has(needle)) => (needle, view.conversation),
            _ => return false,
        };
        text.and_then(beginning).is_some_and(|text| needle.is_in(text.as_bytes()))
    }

    /// None if only the call could tell and it is not given.
    pub fn matches(&self, held: Held<'_>) -> Option<bool> {
        let Held { view, call, contracts } = held;
        if call.is_none() && self.texts(view).into_iter().flatten().any(|text| beginning(text).is_some()) {
            return self.is_in_beginning(view).then_some(true);
        }
        Some(match self {
            Self::Word(needle) if in_head(needle, view) => true,
            Self::Word(needle) => in_call(needle, call?),
            Self::Kind(part) => part.matches(view.kind),
            Self::Platform(needle) => view
                .kind
                .and_then(|kind| kind.split_once('/'))
                .is_some_and(|(platform, _)| needle.is_in(platform.as_bytes())),
            Self::Sig(sig) => view.sig == *sig,
            Self::Status(None) => view.status.is_none(),
            Self::Status(Some(range)) => view.status.is_some_and(|status| range.contains(&status.into())),
            Self::Conversation(part) => part.matches(view.conversation),
            Self::Path(needle) => needle.is_in(view.path.as_bytes()),
            Self::Direction(direction) => view.direction == *direction,
            Self::To(to) if view.direction == Direction::Received => to.is_none(),
            Self::To(to) => {
                let call = call?;
                to.as_ref().map_or(call.request.origin.is_none(), |to| to.got(call))
            }
            Self::Method(needle) => needle.is(view.method.as_bytes()),
            Self::Took(range) => range.contains(&view.took_us),
            Self::Size(range) => range.contains(&view.size),
            Self::Since(time) => view.at >= *time,
            Self::Until(time) => view.at <= *time,
            Self::Id(needle) => needle.is_in(view.id.to_string().as_bytes()),
            Self::Parent(part) => part.matches(view.parent.map(|id| id.to_string()).as_deref()),
            Self::Marked(colour) => view
                .remarks
                .and_then(|remarks| remarks.mark)
                .is_some_and(|mark| colour.is_none() || mark.colour == *colour),
            Self::Note(part) => part.matches(view.remarks.and_then(|remarks| remarks.note.as_deref())),
            Self::Finding(grade) => contracts.depart(*grade, view, call)?,
            Self::Deleted => view.remarks.is_some_and(|remarks| remarks.deleted),
            Self::Body(needle) => bodies(call?).any(|body| needle.is_in_body(&body)),
            Self::Header(needle) => headers(call?).any(|(name, value)| in_header(needle, name, value)),
            Self::Pointer(pointer, at) => bodies(call?).any(|body| at_pointer(&body, pointer, at)),
        })
    }
}

/// Characters of a word that may be part of an id: shorter ones would find ids by chance.
const SHORT_ID: usize = 8;

fn in_head(needle: &Needle, view: &View<'_>) -> bool {
    let note = view.remarks.and_then(|remarks| remarks.note.as_deref());
    let texts = [view.kind, view.conversation, Some(view.path), Some(view.method), note];
    texts.into_iter().flatten().any(|text| needle.is_in(text.as_bytes()))
        || view.status.is_some_and(|status| needle.is(status.to_string().as_bytes()))
        || (needle.bytes().len() >= SHORT_ID && needle.is_in(view.id.to_string().as_bytes()))
}

fn in_call(needle: &Needle, call: &Call) -> bool {
    let texts = [call.error.as_deref(), call.request.origin.as_deref()];
    texts.into_iter().flatten().any(|text| needle.is_in(text.as_bytes()))
        || headers(call).any(|(name, value)| in_header(needle, name, value))
        || bodies(call).any(|body| needle.is_in_body(&body))
}

/// Unpacked where they came compressed: what is compressed is no text, so its line has it in base64 and is always looked into.
fn bodies(call: &Call) -> impl Iterator<Item = Bytes> {
    let answer = call.response.as_ref().map(|response| response.readable().body.clone());
    std::iter::once_with(|| call.request.readable().body.clone()).chain(answer)
}

fn headers(call: &Call) -> impl Iterator<Item = (&str, &[u8])> {
    let response = call.response.as_ref().map(|response| &response.headers);
    std::iter::once(&call.request.headers).chain(response).flat_map(Headers::iter).map(|(name, value)| (name, &**value))
}

/// In the field as it is written: `name: value`.
fn in_header(needle: &Needle, name: &str, value: &[u8]) -> bool {
    needle.is_in(&[name.as_bytes(), b": ", value].concat())
}

/// Strings are searched, objects and arrays by their text; numbers and the three words must be equal. Only numbers are within
/// bounds.
fn at_pointer(body: &[u8], pointer: &str, at: &At) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let Some(value) = json::find(text, pointer).map(|span| &text[span]) else { return false };
    let needle = match at {
        At::Anything => return true,
        At::Number(bound) => return bound.holds(value),
        At::Text(needle) => needle,
    };
    match value.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(value) {
            Ok(string) => needle.is_in(string.as_bytes()),
            Err(_) => needle.is_in(value.as_bytes()),
        },
        Some(b'{' | b'[') => needle.is_in_body(value.as_bytes()),
        _ => needle.is(value.as_bytes()),
    }
}

/// The meaning of a word, or a sentence part that lists them all.
fn one_of<T: Copy>(words: &[(&'static str, T)], text: &str) -> Result<T, String> {
    let names = || words.iter().map(|(word, _)| *word);
    words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<&str> = names().collect();
        let meant = meant(&text.to_ascii_lowercase(), &known).map_or_else(String::new, |meant| format!(" ({meant})"));
        format!("one of {}{meant}", list(names()))
    })
}

/// `a, b, c`.
pub fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// `>x`, `>=x`, `<x`, `<=x`, `=x`, `x..y` (both included), or `x` alone.
fn range(text: &str, number: impl Fn(&str) -> Option<u64>) -> Option<RangeInclusive<u64>> {
    let least = |bound: &str| number(bound).map(|from| from..=u64::MAX);
    if let Some(bound) = text.strip_prefix(">=") {
        least(bound)
    } else if let Some(bound) = text.strip_prefix("<=") {
        number(bound).map(|to| 0..=to)
    } else if let Some(bound) = text.strip_prefix('>') {
        number(bound)?.checked_add(1).map(|from| from..=u64::MAX)
    } else if let Some(bound) = text.strip_prefix('<') {
        number(bound)?.checked_sub(1).map(|to| 0..=to)
    } else if let Some((from, to)) = text.split_once("..") {
        number(from).zip(number(to)).map(|(from, to)| from..=to).filter(|range| !range.is_empty())
    } else {
        number(text.strip_prefix('=').unwrap_or(text)).map(|value| value..=value)
    }
}

fn status(text: &str) -> Option<RangeInclusive<u64>> {
    match text.as_bytes() {
        [class @ b'1'..=b'9', b'x' | b'X', b'x' | b'X'] => {
            let from = u64::from(class - b'0') * 100;
            Some(from..=from + 99)
        }
        _ => range(text, |number| number.parse().ok()),
    }
}

/// The last instant of what a text names: of a day, where that is all that it says, else of a second.
fn until(text: &str, by: &Reading<'_>) -> Option<Timestamp> {
    let is_date = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if let Some(date) = text.parse::<Date>().ok().filter(|_| is_date) {
        return Some(date.at(23, 59, 59, 999_999_999).to_zoned(by.zone.clone()).ok()?.timestamp());
    }
    let time = time(text, by)?;
    // A list shows no parts of seconds: what it shows at a time is not after that.
    let whole = text.contains(':') && time.subsec_nanosecond() == 0;
    time.checked_add(SignedDuration::from_nanos(if whole { 999_999_999 } else { 0 })).ok()
}

/// So long before now, or a time of its own; without a zone it is of the reader's, without a date it is today.
fn time(text: &str, by: &Reading<'_>) -> Option<Timestamp> {
    if let Some(ago) = duration(text) {
        return by.now.checked_sub(SignedDuration::try_from(ago).ok()?).ok();
    }
    // What names UTC names no date that it is of.
    let (text, zone) = match text.strip_suffix(['Z', 'z']).filter(|text| text.parse::<Time>().is_ok()) {
        Some(text) => (text, TimeZone::UTC),
        None => (text, by.zone.clone()),
    };
    let civil = || {
        let date = || text.parse::<Date>().map(|date| date.at(0, 0, 0, 0));
        let today = || text.parse::<Time>().map(|time| by.now.to_zoned(zone.clone()).date().to_datetime(time));
        let whole = text.parse::<DateTime>().or_else(|_| date()).ok();
        // An hour alone is more often a span whose unit was left out.
        if text.contains(':') { whole.or_else(|| today().ok()) } else { whole }
    };
    text.parse().ok().or_else(|| civil()?.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp()))
}
