//! What gives itself away by its look.

use std::ops::Range;

use memchr::memmem;
use regex::bytes::{Match, Regex, RegexBuilder};

use super::MASK;

/// Tokens, keys, and the numbers that name a person: the social security number of the United States, the national
/// insurance number of the United Kingdom.
const PLAIN: &[&str] = &[
    // A JSON Web Token: it begins with `{"`, in base64.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}",
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"\b(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}",
    r"\bxox[a-z]-[A-Za-z0-9-]{10,}",
    r"\bwhsec_[A-Za-z0-9+/=]{16,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b",
    r"\b[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
];

/// What may be the number of a payment card. Times in milliseconds are shorter, and begin with a 1.
const CARD: &str = r"\b[2-6](?:[ -]?[0-9]){13,15}\b";

#[derive(Clone, Debug)]
pub(super) struct Patterns {
    plain: Vec<Regex>,
    card: Option<Regex>,
}

impl Patterns {
    pub(super) fn new(defaults: bool, own: &[String]) -> Result<Self, regex::Error> {
        // All ASCII: that is quicker, and finds tokens among bytes that are no text.
        let common = |pattern: &str| RegexBuilder::new(pattern).unicode(false).build();
        let own = own.iter().map(|pattern| Regex::new(pattern));
        let plain = own.chain(PLAIN.iter().filter(|_| defaults).map(|pattern| common(pattern)));
        Ok(Self { plain: plain.collect::<Result<_, _>>()?, card: defaults.then(|| common(CARD)).transpose()? })
    }

    /// What is masked of `text`, in order and apart.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let plain = self.plain.iter().flat_map(|regex| regex.find_iter(text));
        let cards = self.card.iter().flat_map(|regex| regex.find_iter(text));
        let cards = cards.filter(|found| is_card(&text[..found.start()], found.as_bytes()));
        // A pattern of one's own may find the mask, or a part of it.
        let meant = |found: &Match<'_>| !found.is_empty() && !is_in_mask(text, &found.range());
        let mut places: Vec<Range<usize>> = plain.chain(cards).filter(meant).map(|found| found.range()).collect();
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

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }
}

/// Whether a place is one that was masked already.
fn is_in_mask(text: &[u8], place: &Range<usize>) -> bool {
    let from = place.end.saturating_sub(MASK.len());
    let until = (place.start + MASK.len()).min(text.len());
    place.len() <= MASK.len() && memmem::find(&text[from..until], MASK.as_bytes()).is_some()
}

/// Whether digits are a card's number, and not decimals or a part of an id: by their check digit (ISO/IEC 7812, Luhn).
fn is_card(before: &[u8], found: &[u8]) -> bool {
    if matches!(before.last(), Some(b'.' | b'-' | b'_')) {
        return false;
    }
    let digits = found.iter().rev().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, 2 * digit) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
