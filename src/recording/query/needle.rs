//! Finding text without regard to ASCII case, also in bytes that are no text.

use memchr::memchr2_iter;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    lower: Vec<u8>,
    /// Where its rarest byte stands: the one to look for first.
    rarest: usize,
}

impl Needle {
    pub fn new(text: &str) -> Self {
        let lower = text.to_ascii_lowercase().into_bytes();
        let rarest = (0..lower.len()).min_by_key(|&at| commonness(lower[at])).unwrap_or(0);
        Self { lower, rarest }
    }

    /// Its bytes, in lower case.
    pub fn bytes(&self) -> &[u8] {
        &self.lower
    }

    /// Whether it stands somewhere in `hay`.
    pub fn is_in(&self, hay: &[u8]) -> bool {
        let Some(&byte) = self.lower.get(self.rarest) else { return true };
        // Where the needle can still begin.
        let Some(last) = hay.len().checked_sub(self.lower.len()) else { return false };
        memchr2_iter(byte, byte.to_ascii_uppercase(), &hay[self.rarest..=last + self.rarest])
            .any(|at| hay[at..at + self.lower.len()].eq_ignore_ascii_case(&self.lower))
    }

    /// Whether it is all of `hay`.
    pub fn is(&self, hay: &[u8]) -> bool {
        self.lower.eq_ignore_ascii_case(hay)
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
        fn finds_what_a_plain_search_finds(hay in "[abAB\u{e9}]{0,12}", needle in "[abAB\u{e9}]{0,3}") {
            let plain = hay.to_ascii_lowercase().contains(&needle.to_ascii_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_in(hay.as_bytes()), plain);
        }
    }

    #[test]
    fn takes_bytes_that_are_no_text() {
        assert!(Needle::new("PNG").is_in(b"\x89png\xff"));
        assert!(!Needle::new("PNG").is_in(b"\x89pn\xff"));
    }
}
