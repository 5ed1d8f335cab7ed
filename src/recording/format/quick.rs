//! The head of a line as this version writes it, read without a JSON parser: opening a long recording is little more than
//! this and finding newlines. What is spelled in any other way is left to serde; to what is read here, both give one
//! meaning.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Head, Text};
use crate::call::{Direction, Id, Sig};
use crate::json;

/// The head, if its members stand in [`encode()`](super::encode())'s order without white space or escapes.
pub fn head(line: &[u8]) -> Option<Head<'_>> {
    Some(head_and_more(line)?.0)
}

/// What of a head an index does without.
#[derive(Debug, Default)]
pub(super) struct More<'a> {
    pub origin: Option<&'a [u8]>,
    pub public: Option<&'a [u8]>,
    pub peer: Option<&'a [u8]>,
    pub error: Option<&'a [u8]>,
    /// The object, as it is written.
    pub forwarded: Option<&'a [u8]>,
    /// Where the request's first member begins.
    pub end: usize,
}

/// The head, and the rest of it.
pub(super) fn head_and_more(line: &[u8]) -> Option<(Head<'_>, More<'_>)> {
    // The last member is a message. Where another program has put one behind it, an error say, it is left to be read with care.
    if !line.ends_with(b"}}") {
        return None;
    }
    let mut rest = Rest(line);
    rest.skip(br#"{"id":"#)?;
    let id = rest.id()?;
    rest.skip(br#","at":""#)?;
    let at = time(rest.take()?)?;
    rest.skip(br#"","dir":""#)?;
    let received = rest.skip(br#"received""#).is_some();
    let dir = if received { Direction::Received } else { rest.skip(br#"sent""#).map(|()| Direction::Sent)? };
    let strings = rest.0;
    rest.skip(br#","kind":"#)?;
    let kind = rest.or_null(Rest::bytes).ok()?;
    rest.skip(br#","conv":"#)?;
    let conv = rest.or_null(Rest::bytes).ok()?;
    rest.skip(br#","sig":"#)?;
    let sig = rest.or_null(Rest::sig).ok()?;
    rest.skip(br#","method":"#)?;
    let method = rest.bytes()?;
    rest.skip(br#","path":"#)?;
    let path = rest.bytes()?;
    let strings = Utf8::new(&strings[..strings.len() - rest.0.len()])?;
    rest.skip(br#","status":"#)?;
    let status = rest.or_null(|rest| u16::try_from(rest.number()?).ok()).ok()?;
    rest.skip(br#","took_us":"#)?;
    let took_us = rest.number()?;
    rest.skip(br#","size":"#)?;
    let size = rest.number()?;
    rest.skip(br#","parent":"#)?;
    let parent = rest.or_null(Rest::id).ok()?;
    let mut more = More::default();
    rest.member(br#","origin":"#, Rest::bytes, &mut more.origin)?;
    rest.member(br#","public":"#, Rest::bytes, &mut more.public)?;
    rest.member(br#","peer":"#, Rest::bytes, &mut more.peer)?;
    rest.member(br#","error":"#, Rest::bytes, &mut more.error)?;
    rest.member(br#","forwarded":"#, Rest::flat, &mut more.forwarded)?;
    rest.skip(br#","request":{"#)?;
    more.end = line.len() - rest.0.len();
    let text = |bytes| Some(Text(Cow::Borrowed(strings.part(bytes)?)));
    let head = Head {
        id,
        at,
        dir,
        kind: kind.and_then(text),
        conv: conv.and_then(text),
        sig,
        method: text(method)?,
        path: text(path)?,
        status,
        took_us,
        size,
        parent,
        error: more.error.map(|_| serde::de::IgnoredAny),
    };
    Some((head, more))
}

/// Bytes found to be UTF-8, once for all strings among them: for each it would cost more than to find its end.
struct Utf8<'a>(&'a str);

impl<'a> Utf8<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(Self)
    }

    /// What of it these bytes, a slice of it, mean.
    fn part(&self, slice: &[u8]) -> Option<&'a str> {
        let begin = (slice.as_ptr() as usize).checked_sub(self.0.as_ptr() as usize)?;
        self.0.get(begin..begin + slice.len())
    }
}

/// It is spelled otherwise.
struct Otherwise;

/// What of a line is not read yet.
pub(super) struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn skip<const LEN: usize>(&mut self, text: &[u8; LEN]) -> Option<()> {
        self.0.starts_with(text).then(|| self.0 = &self.0[LEN..])
    }

    fn take<const LEN: usize>(&mut self) -> Option<&'a [u8; LEN]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    /// What stands in a string without escapes, whatever its bytes mean.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(b"\"")?;
        let (text, rest) = rest.split_at(json::plain(rest));
        self.0 = rest.strip_prefix(b"\"")?;
        Some(text)
    }

    /// A string without escapes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn or_null<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<Option<T>, Otherwise> {
        if self.skip(b"null").is_some() { Ok(None) } else { read(self).map(Some).ok_or(Otherwise) }
    }

    fn sig(&mut self) -> Option<Sig> {
        let word = self.bytes()?;
        Sig::ALL.into_iter().find(|sig| sig.word().as_bytes() == word)
    }

    /// An object whose values are strings without escapes, and numbers.
    fn flat(&mut self) -> Option<&'a [u8]> {
        let whole = self.0;
        self.skip(b"{")?;
        loop {
            self.bytes()?;
            self.skip(b":")?;
            match self.0.first()? {
                b'"' => self.bytes().map(drop),
                b't' => self.skip(b"true"),
                _ => self.number().map(drop),
            }?;
            if self.skip(b"}").is_some() {
                return whole.get(..whole.len() - self.0.len());
            }
            self.skip(b",")?;
        }
    }

    /// Reads the value of a member, if that comes next.
    fn member<T, const LEN: usize>(
        &mut self,
        name: &[u8; LEN],
        read: impl FnOnce(&mut Self) -> Option<T>,
        to: &mut Option<T>,
    ) -> Option<()> {
        if self.skip(name).is_some() {
            *to = Some(read(self)?);
        }
        Some(())
    }

    /// Digits, as JSON has them.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        let mut count = 0;
        while let Some(digit) = self.0.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            count += 1;
            // 19 digits always fit.
            if count > 19 {
                return None;
            }
            number = 10 * number + u64::from(digit);
        }
        // JSON has no leading zeros.
        if count == 0 || (count > 1 && self.0[0] == b'0') {
            return None;
        }
        self.0 = &self.0[count..];
        Some(number)
    }

    fn id(&mut self) -> Option<Id> {
        self.skip(b"\"")?;
        let id = Uuid::try_parse_ascii(self.take::<36>()?).ok()?;
        self.skip(b"\"")?;
        Some(Id(id))
    }
}

/// `2026-11-21T10:02:11.120331Z`
fn time(text: &[u8; 27]) -> Option<Timestamp> {
    #[rustfmt::skip]
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, b'.', micros @ .., b'Z'] = text
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[*y1, *y2, *y3, *y4])?, number(&[*mo1, *mo2])?, number(&[*d1, *d2])?);
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*mi1, *mi2])?, number(&[*s1, *s2])?);
    let short = |number: i64| i8::try_from(number).ok();
    Date::new(i16::try_from(year).ok()?, short(month)?, short(day)?).ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Timestamp::from_microsecond(seconds * 1_000_000 + number(micros)?).ok()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: years that begin in March put the leap day last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}
