//! What is searched for in a text that is shown.

use std::ops::Range;

use regex::Regex;

use crate::json;

/// Most matches that a search finds.
const MOST_PLACES: usize = 100_000;

/// A word, found without regard to case (where it has one spelling in JSON: of ASCII) and as JSON may spell it.
#[derive(Clone, Debug, Default)]
pub struct Needle {
    lower: String,
    /// What finds it where JSON may spell it otherwise.
    spelled: Option<Regex>,
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for Needle {}

impl Needle {
    /// Looks for `text`. One that is too long for an expression is found as it is written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let spelled = json::spellings(text).and_then(|all| Regex::new(&all).ok());
        Self { lower: text.to_ascii_lowercase(), spelled }
    }

    /// Whether nothing is searched for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// Where it stands in `text`, so far as there are not too many; an empty one nowhere.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        match &self.spelled {
            _ if self.is_empty() => Vec::new(),
            Some(spelled) => spelled.find_iter(text).take(MOST_PLACES).map(|found| found.range()).collect(),
            None => {
                let text = text.to_ascii_lowercase();
                let found = memchr::memmem::find_iter(text.as_bytes(), &self.lower).take(MOST_PLACES);
                found.map(|at| at..at + self.lower.len()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_where_it_is_spelled_otherwise_too() {
        let text = r#"{"a":"Qu\u00e9 tal","b":"qUÉ \/"}"#;
        let found = |word: &str| Needle::new(word).places(text).into_iter().map(|at| &text[at]).collect::<Vec<_>>();
        assert_eq!(found("qué"), [r"Qu\u00e9", "qUÉ"]);
        assert_eq!(found("QU"), ["Qu", "qU"]);
        assert_eq!(found("é /"), [r"É \/"]);
        assert_eq!((found("no"), found("")), (vec![], vec![]));
    }
}
