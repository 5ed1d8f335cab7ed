//! What gives itself away by its look.

use std::ops::Range;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr_iter, memmem};
use regex::bytes::{Regex, RegexBuilder};

use super::MASK;
use crate::config::Filled;

/// Tokens, keys, and the numbers that name a person: the social security number of the United States, the national
/// insurance number of the United Kingdom.
const PLAIN: &[&str] = &[
    // A JSON Web Token: it begins with `{"`, in base64.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*",
    r"\A\s*(?i:bearer)\s+\S+\s*\z",
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}",
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"\b(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}",
    r"\bxox[a-z]-[A-Za-z0-9-]{10,}",
    r"\bwhsec_[A-Za-z0-9+/=]{16,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"\b(?:ya29\.|1//0|GOCSPX-)[A-Za-z0-9_-]{20,}",
    r"\b(?:npm_|hf_|dop_v1_|shp(?:at|ca|pa|ss)_)[A-Za-z0-9]{30,}",
    r"\bxapp-[A-Za-z0-9-]{10,}",
    r"\bSK[0-9a-f]{32}\b",
    // Meta. Long: images in base64 have such letters, but not so many without a sign among them.
    r"\bEAA[A-Za-z0-9]{80,}",
    // Telegram, also behind `/bot`.
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}",
    // Who has the address of a webhook may write to the channel.
    r"/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{8,}",
    r"/api/webhooks/[0-9]{15,}/[A-Za-z0-9_-]{40,}",
    r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b",
    r"\b[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
];

/// What may be the number of a payment card. Times in milliseconds are shorter, and begin with a 1.
const CARD: &str = r"\b[2-6](?:[ -]?[0-9]){13,15}\b";

/// The same in groups that something else separates.
const CARD_IN_GROUPS: &str = r"(?x)
    \b(?:[2-6][0-9]{3}(?:(?:[._]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf])[0-9]{4}){3}
    |3[47][0-9]{2}(?:[._]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf])[0-9]{6}(?:[._]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf])[0-9]{5})\b";

/// A social security number with blanks, dots or hyphens that do not break the line.
const PERSON: &str = r"(?x)
    \b[0-8][0-9]{2}(?:[\x20.]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf])[0-9]{2}(?:[\x20.]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf])[0-9]{4}\b";

/// The user and the password of an address, also where its slashes are escaped.
const LOGIN: &str = r#":(?:\\?/){2}[^\s/?\#"'<>\\]+@"#;

/// A user and a password in base64.
const BASIC: &str = r"(?i:\bbasic\s+)[A-Za-z0-9+/_-]{4,}={0,2}";

/// A token that is too short to be known by its length.
const BEARER: &str = r"(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{6,15}=*";

/// Which part of what a pattern has found is a secret, if any is: of the text, and where in it that was found.
type Check = fn(&[u8], Range<usize>) -> Option<Range<usize>>;

const CHECKED: [(&str, Check); 6] = [
    (CARD, card),
    (CARD_IN_GROUPS, card),
    (PERSON, person),
    (LOGIN, login),
    (BASIC, basic),
    (BEARER, |text, found| text[found.clone()].iter().any(u8::is_ascii_digit).then_some(found)),
];

#[derive(Clone, Debug)]
pub(super) struct Patterns {
    plain: Vec<Regex>,
    checked: Vec<(Regex, Check)>,
    filled: Filled,
}

impl Patterns {
    pub(super) fn new(defaults: bool, own: &[String], filled: Filled) -> Result<Self, regex::Error> {
        // All ASCII: that is quicker, and finds tokens among bytes that are no text.
        let common = |pattern: &str| RegexBuilder::new(pattern).unicode(false).build();
        let own = own.iter().map(|pattern| Regex::new(pattern));
        let plain = own.chain(PLAIN.iter().filter(|_| defaults).map(|pattern| common(pattern)));
        let checked = CHECKED.iter().filter(|_| defaults).map(|&(pattern, check)| Ok((common(pattern)?, check)));
        let (plain, checked) = (plain.collect::<Result<_, _>>()?, checked.collect::<Result<_, regex::Error>>()?);
        Ok(Self { plain, checked, filled })
    }

    /// What is masked of `text`, in order and apart.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let plain = self.plain.iter().flat_map(|regex| regex.find_iter(text)).map(|found| found.range());
        let checked = self
            .checked
            .iter()
            .flat_map(|(regex, check)| regex.find_iter(text).filter_map(|found| check(text, found.range())));
        // A pattern of one's own may find the mask, or a part of it.
        let meant = |found: &Range<usize>| !found.is_empty() && !is_in_mask(text, found);
        together(plain.chain(checked).chain(self.filled(text)).filter(meant).collect())
    }

    /// Where values stand that were filled in from the environment, in any order.
    pub(super) fn filled(&self, text: &[u8]) -> Vec<Range<usize>> {
        let of = |value: &String| {
            let length = value.len();
            memmem::find_iter(text, value).map(move |at| at..at + length).collect::<Vec<_>>()
        };
        self.filled.with(|values| values.iter().flat_map(of).filter(|place| !is_in_mask(text, place)).collect())
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }
}

/// The places in order, those that meet as one.
pub(super) fn together(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    places.dedup_by(|next, last| {
        let meets = next.start < last.end;
        if meets {
            last.end = last.end.max(next.end);
        }
        meets
    });
    places
}

/// Whether a place is one that was masked already.
fn is_in_mask(text: &[u8], place: &Range<usize>) -> bool {
    let from = place.end.saturating_sub(MASK.len());
    let until = (place.start + MASK.len()).min(text.len());
    place.len() <= MASK.len() && memmem::find(&text[from..until], MASK.as_bytes()).is_some()
}

/// Digits that are a card's number, and not decimals or a part of an id: by their check digit (ISO/IEC 7812, Luhn).
fn card(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    if matches!(text[..found.start].last(), Some(b'.' | b'-' | b'_')) {
        return None;
    }
    let digits = text[found.clone()].iter().rev().filter(|byte| byte.is_ascii_digit());
    let sum: u32 = digits
        .map(|byte| u32::from(byte - b'0'))
        .enumerate()
        .map(|(place, digit)| match (place % 2, 2 * digit) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10).then_some(found)
}

/// Three numbers that the office gives out, with the same between them, and no others beside them.
fn person(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let number = &text[found.clone()];
    let gap = (number.len() - 9) / 2;
    let same = number[3..3 + gap] == number[5 + gap..5 + 2 * gap];
    let given = !matches!(&number[..3], b"000" | b"666") && number[3 + gap..].get(..2) != Some(b"00");
    let given = given && !number.ends_with(b"0000");
    let between = |byte: u8| matches!(byte, b' ' | b'.' | b'-');
    let beside = |first: Option<&u8>, second: Option<&u8>| {
        first.is_some_and(|byte| between(*byte)) && second.is_some_and(u8::is_ascii_digit)
    };
    let (mut before, mut behind) = (text[..found.start].iter().rev(), text[found.end..].iter());
    let alone = !beside(before.next(), before.next()) && !beside(behind.next(), behind.next());
    (same && given && alone).then_some(found)
}

/// What stands before the `@` of an address where that is more than a user's name.
fn login(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    // Behind the second slash: where there is no user, the sign before the password follows (`redis://:pw@h`).
    let slash = memchr_iter(b'/', &text[found.clone()]).nth(1)?;
    let login = found.start + slash + 1..found.end - 1;
    let password = text.get(login.clone())?.splitn(2, |byte| *byte == b':').nth(1);
    (password.is_some_and(|password| !password.is_empty()) || login.len() >= 20).then_some(login)
}

/// What is a user and a password indeed, and not two words.
fn basic(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let coded = text[found.clone()].rsplit(u8::is_ascii_whitespace).next()?;
    let decoded = decoded(coded)?;
    (decoded.contains(&b':') && std::str::from_utf8(&decoded).is_ok()).then_some(found)
}

/// What base64 stands for, with its padding or without.
pub(super) fn decoded(coded: &[u8]) -> Option<Vec<u8>> {
    let padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let of = |alphabet| GeneralPurpose::new(alphabet, padding).decode(coded).ok();
    of(&alphabet::STANDARD).or_else(|| of(&alphabet::URL_SAFE))
}
