//! Finding text without regard to case, also in bytes that are no text.

use memchr::memchr2_iter;
use regex::bytes::{Regex, RegexBuilder};

use crate::json;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Needle {
    lower: Vec<u8>,
    /// Where its rarest byte stands: the one to look for first.
    rarest: usize,
    /// What finds it where it has letters beyond ASCII, whose cases differ in more than a bit.
    folded: Option<Regex>,
    /// What finds it in JSON where that may spell it otherwise.
    spelled: Option<Regex>,
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Needle {
    pub fn new(text: &str) -> Self {
        let lower = text.to_ascii_lowercase().into_bytes();
        let rarest = (0..lower.len()).min_by_key(|&at| commonness(lower[at])).unwrap_or(0);
        let folded = (!text.is_ascii()).then(|| RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build());
        let spelled = json::spellings(text).map(|all| RegexBuilder::new(&all).unicode(!text.is_ascii()).build());
        // One that is too long for that is found as it is written.
        Self { lower, rarest, folded: folded.and_then(Result::ok), spelled: spelled.and_then(Result::ok) }
    }

    /// Its bytes, in lower case.
    pub fn bytes(&self) -> &[u8] {
        &self.lower
    }

    /// Whether it stands somewhere in `hay`.
    pub fn is_in(&self, hay: &[u8]) -> bool {
        if let Some(folded) = &self.folded {
            return folded.is_match(hay);
        }
        let Some(&byte) = self.lower.get(self.rarest) else { return true };
        // Where the needle can still begin.
        let Some(last) = hay.len().checked_sub(self.lower.len()) else { return false };
        memchr2_iter(byte, byte.to_ascii_uppercase(), &hay[self.rarest..=last + self.rarest])
            .any(|at| hay[at..at + self.lower.len()].eq_ignore_ascii_case(&self.lower))
    }

    /// Whether it stands somewhere in `body`, which may be JSON with escapes.
    pub fn is_in_body(&self, body: &[u8]) -> bool {
        self.spelled.as_ref().map_or_else(|| self.is_in(body), |spelled| spelled.is_match(body))
    }

    /// Whether it is all of `hay`.
    pub fn is(&self, hay: &[u8]) -> bool {
        match &self.folded {
            Some(folded) => folded.find(hay).is_some_and(|found| found.len() == hay.len()),
            None => self.lower.eq_ignore_ascii_case(hay),
        }
    }
}

/// How often a byte is met in recorded calls, roughly: JSON's own marks and the digits of ids, then English.
fn commonness(byte: u8) -> usize {
    const COMMON: &[u8] = b"jqzxvkwbygpmufhlscdrnoita-e0123456789:,\" ";
    COMMON.iter().position(|&known| known == byte).map_or(0, |place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(hay in "[abAB\u{e9}\u{c9}]{0,12}", needle in "[abAB\u{e9}\u{c9}]{0,3}") {
            let plain = hay.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_in(hay.as_bytes()), plain);
        }
    }

    #[test]
    fn letters_of_all_alphabets_have_cases() {
        for (needle, hay) in [("καλημέρα", "x Καλημέρα"), ("MÜLLER", "müller"), ("привет", "ПРИВЕТ!")]
        {
            assert!(Needle::new(needle).is_in(hay.as_bytes()), "{needle}");
        }
        assert!(Needle::new("MÜLLER").is("müller".as_bytes()) && !Needle::new("müller").is("müllers".as_bytes()));
        assert!(Needle::new("é").is_in(b"\xff\xc3\x89") && !Needle::new("é").is_in(b"e"));
    }

    #[test]
    fn in_a_body_it_is_found_as_json_spells_it() {
        for (needle, body) in
            [("Qué", &br"qu\u00c9"[..]), ("a/b", br"A\/B"), ("é", b"\xff \xc3\x89"), ("\"x", br#"\"X"#)]
        {
            assert!(Needle::new(needle).is_in_body(body), "{needle}");
        }
        assert!(Needle::new("a/b").is_in_body(b"\xff\x81a/b") && !Needle::new("a/b").is_in_body(br"a\b"));
        let plain = Needle::new("needle CL-1");
        assert!(plain.spelled.is_none() && plain.is_in_body(b"needle cl-1"), "found as quickly as ever");
    }

    #[test]
    fn takes_bytes_that_are_no_text() {
        assert!(Needle::new("PNG").is_in(b"\x89png\xff"));
        assert!(!Needle::new("PNG").is_in(b"\x89pn\xff"));
    }
}
