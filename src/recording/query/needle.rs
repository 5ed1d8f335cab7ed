//! Finding text without regard to ASCII case, also in bytes that are no text.

use memchr::memchr2_iter;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(Vec<u8>);

impl Needle {
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into_bytes())
    }

    /// Whether it stands somewhere in `hay`.
    pub fn is_in(&self, hay: &[u8]) -> bool {
        let Some((&first, rest)) = self.0.split_first() else { return true };
        // Where the needle can still begin.
        let Some(last) = hay.len().checked_sub(self.0.len()) else { return false };
        memchr2_iter(first, first.to_ascii_uppercase(), &hay[..=last])
            .any(|at| hay[at + 1..=at + rest.len()].eq_ignore_ascii_case(rest))
    }

    /// Whether it is all of `hay`.
    pub fn is(&self, hay: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(hay)
    }
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
