//! `>100`, `>=2.5`, `<-3`, `<=1e3`: what a number of a body is held against.

use std::cmp::Ordering;

use crate::json;

/// A bound, which numbers are on one side of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    side: Ordering,
    /// Whether the number itself is meant too.
    included: bool,
    number: String,
}

impl Bound {
    /// The bound that a text is, or why it is none. None where it is no attempt at one, but a text such as `<b>`.
    pub fn read(text: &str) -> Option<Result<Self, String>> {
        let (side, rest) = match (text.strip_prefix('>'), text.strip_prefix('<')) {
            (Some(rest), _) => (Ordering::Greater, rest),
            (None, rest) => (Ordering::Less, rest?),
        };
        let number = rest.strip_prefix('=').unwrap_or(rest);
        let is_meant =
            number.is_empty() || number.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char));
        if !is_meant {
            return None;
        }
        let digits = number.strip_prefix('-').unwrap_or(number);
        // `f64` reads `inf` too.
        let known = digits.starts_with(|char: char| char.is_ascii_digit()) && number.parse::<f64>().is_ok();
        let bound = || Self { side, included: rest != number, number: number.to_owned() };
        Some(if known { Ok(bound()) } else { Err("a number behind its sign (>100, >=2.5, <-3, <=1e3)".to_owned()) })
    }

    /// Whether a number, as JSON writes it, is within it.
    pub fn holds(&self, number: &str) -> bool {
        let order = json::order(number, &self.number);
        order == Some(self.side) || self.included && order == Some(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_size() {
        let holds = |bound: &str, number: &str| Bound::read(bound).unwrap().unwrap().holds(number);
        for (bound, within, without) in [
            (">100", "100.5", "100"),
            (">=100", "1e2", "99"),
            ("<-3", "-3.01", "-3"),
            ("<=1e3", "1000", "1001"),
            (">9", "10", "9"),
            (">12345678901234567890", "12345678901234567891", "12345678901234567890"),
            (">0.1", "0.10000000000000001", "0.1"),
            ("<0", "-0.1", "-0"),
        ] {
            assert!(holds(bound, within) && !holds(bound, without), "{bound}");
        }
        for word in ["null", "true", "\"101\"", "", "inf"] {
            assert!(!holds(">100", word), "{word}");
        }
    }

    #[test]
    fn a_text_that_is_no_bound_is_left_and_a_wrong_one_told() {
        for text in ["100", "", "=5", "<b>", ">none", "> 5"] {
            assert_eq!(Bound::read(text), None, "{text}");
        }
        for text in [">", "<=", ">1x", ">-", "<1,5", ">+1", ">.5", ">-inf"] {
            assert!(Bound::read(text).is_some_and(|read| read.is_err()), "{text}");
        }
    }
}
