//! The head of a line as this version writes it, read without a JSON parser: opening a long recording is little more than
//! this and finding newlines. What is spelled in any other way is left to serde; to what is read here, both give one
//! meaning.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Head, Text};
use crate::call::{Direction, Id, Sig};

/// Where a head has ended at the latest: what follows is not looked at.
const LONGEST: usize = 512;

/// The head, if its members stand in [`encode()`](super::encode())'s order without white space or escapes.
pub fn head(line: &[u8]) -> Option<Head<'_>> {
    Some(head_and_more(line)?.0)
}

/// What of a head an index does without.
#[derive(Debug, Default)]
pub(super) struct More<'a> {
    pub origin: Option<&'a str>,
    pub public: Option<&'a str>,
    pub peer: Option<&'a str>,
    pub error: Option<&'a str>,
    /// The object, as it is written.
    pub forwarded: Option<&'a str>,
    /// Where the request's first member begins.
    pub end: usize,
}

/// The head, and the rest of it.
pub(super) fn head_and_more(line: &[u8]) -> Option<(Head<'_>, More<'_>)> {
    if !line.ends_with(b"}") {
        return None;
    }
    // Once for all strings, for each would cost more than what is in it.
    let beginning = &line[..line.len().min(LONGEST)];
    let beginning = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&beginning[..error.valid_up_to()]).ok()?,
    };
    let mut rest = Rest(beginning);
    rest.skip("{\"id\":")?;
    let id = rest.id()?;
    rest.skip(",\"at\":")?;
    let at = time(rest.string_of(27)?)?;
    rest.skip(",\"dir\":")?;
    let dir = rest.string()?;
    rest.skip(",\"kind\":")?;
    let kind = rest.or_null(Rest::string).ok()?;
    rest.skip(",\"conv\":")?;
    let conv = rest.or_null(Rest::string).ok()?;
    rest.skip(",\"sig\":")?;
    let sig = rest.or_null(Rest::sig).ok()?;
    rest.skip(",\"method\":")?;
    let method = rest.string()?;
    rest.skip(",\"path\":")?;
    let path = rest.string()?;
    rest.skip(",\"status\":")?;
    let status = rest.or_null(|rest| u16::try_from(rest.number()?).ok()).ok()?;
    rest.skip(",\"took_us\":")?;
    let took_us = rest.number()?;
    rest.skip(",\"size\":")?;
    let size = rest.number()?;
    rest.skip(",\"parent\":")?;
    let parent = rest.or_null(Rest::id).ok()?;
    let mut more = More::default();
    rest.member(",\"origin\":", Rest::string, &mut more.origin)?;
    rest.member(",\"public\":", Rest::string, &mut more.public)?;
    rest.member(",\"peer\":", Rest::string, &mut more.peer)?;
    rest.member(",\"error\":", Rest::string, &mut more.error)?;
    rest.member(",\"forwarded\":", Rest::flat, &mut more.forwarded)?;
    rest.skip(",\"request\":{")?;
    more.end = beginning.len() - rest.0.len();
    let text = |text| Text(Cow::Borrowed(text));
    let head = Head {
        id,
        at,
        dir: [Direction::Received, Direction::Sent].into_iter().find(|known| known.word() == dir)?,
        kind: kind.map(text),
        conv: conv.map(text),
        sig,
        method: text(method),
        path: text(path),
        status,
        took_us,
        size,
        parent,
        error: more.error.map(|_| serde::de::IgnoredAny),
    };
    Some((head, more))
}

/// It is spelled otherwise.
struct Otherwise;

/// What of a line is not read yet.
pub(super) struct Rest<'a>(pub &'a str);

impl<'a> Rest<'a> {
    pub(super) fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A string without escapes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.skip("\"")?;
        let end = self.0.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// A string of so many bytes, to be read by someone who takes neither quotes nor escapes.
    fn string_of(&mut self, len: usize) -> Option<&'a str> {
        self.skip("\"")?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    fn or_null<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<Option<T>, Otherwise> {
        if self.skip("null").is_some() { Ok(None) } else { read(self).map(Some).ok_or(Otherwise) }
    }

    fn sig(&mut self) -> Option<Sig> {
        let word = self.string()?;
        Sig::ALL.into_iter().find(|sig| sig.word() == word)
    }

    /// An object whose values are strings without escapes, and numbers.
    fn flat(&mut self) -> Option<&'a str> {
        let whole = self.0;
        self.skip("{")?;
        loop {
            self.string()?;
            self.skip(":")?;
            if self.0.starts_with('"') { self.string().map(drop) } else { self.number().map(drop) }?;
            if self.skip("}").is_some() {
                return whole.get(..whole.len() - self.0.len());
            }
            self.skip(",")?;
        }
    }

    /// Reads the value of a member, if that comes next.
    fn member<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>, to: &mut Option<T>) -> Option<()> {
        if self.skip(name).is_some() {
            *to = Some(read(self)?);
        }
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(count);
        let digits = digits.as_bytes();
        // JSON has no leading zeros, and 19 digits always fit.
        if !(1..=19).contains(&count) || (count > 1 && digits[0] == b'0') {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| 10 * number + u64::from(digit - b'0')))
    }

    fn id(&mut self) -> Option<Id> {
        Uuid::try_parse_ascii(self.string_of(36)?.as_bytes()).ok().map(Id)
    }
}

/// `2026-11-21T10:02:11.120331Z`
fn time(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
    if (bytes[4], bytes[7], bytes[10], bytes[13], bytes[16], bytes[19], bytes[26])
        != (b'-', b'-', b'T', b':', b':', b'.', b'Z')
    {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = bytes[from..to].iter();
        digits
            .copied()
            .try_fold(0_i64, |number, digit| digit.is_ascii_digit().then(|| 10 * number + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second, micros) = (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 26)?);
    let short = |number: i64| i8::try_from(number).ok();
    Date::new(i16::try_from(year).ok()?, short(month)?, short(day)?).ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Timestamp::from_microsecond(seconds * 1_000_000 + micros).ok()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: years that begin in March put the leap day last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}
