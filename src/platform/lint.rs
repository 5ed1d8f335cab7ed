//! Values that do not belong into a call: personal and card data that the platform would keep unmasked.
//!
//! What looks like one is a warning, never more, and its value is never repeated: a finding goes into reports.

use serde::Deserialize;
use serde_json::Value;

use super::doc::is_vast;
use super::{Finding, Severity};
use crate::json::escape;

/// `lint = { find = ["card"], why = "..." }` of a kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lint {
    find: Vec<Sort>,
    /// The document's sentence.
    why: String,
    #[serde(default)]
    source: String,
}

/// Values that are told one by one.
const MOST: usize = 50;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    /// A payment card's number: 13 to 19 digits, alone or in groups, whose check digit fits (ISO/IEC 7812).
    Card,
    /// A social security number, written `ddd-dd-dddd`.
    Ssn,
    /// An e-mail address.
    Email,
}

impl Sort {
    fn title(self) -> &'static str {
        match self {
            Self::Card => "the number of a payment card (its check digit fits)",
            Self::Ssn => "a social security number",
            Self::Email => "an e-mail address",
        }
    }

    fn is_in(self, text: &str) -> bool {
        match self {
            Self::Card => runs(text).any(is_card),
            Self::Ssn => runs(text).any(is_ssn),
            Self::Email => text.split(|char: char| char.is_whitespace() || "<>()[]\",;:".contains(char)).any(is_email),
        }
    }
}

impl Lint {
    /// The values in the JSON text `document` that look like what does not belong there.
    pub(super) fn check(&self, document: &[u8], source: &str) -> Vec<Finding> {
        let source = if self.source.is_empty() { source } else { &self.source };
        if std::str::from_utf8(document).is_ok_and(is_vast) {
            let sentence =
                "The body has so many values, or such long names, that nobody looked for personal data in it.";
            return vec![Finding::of_all(Severity::Note, sentence.into(), source)];
        }
        let Ok(value) = serde_json::from_slice(document) else { return Vec::new() };
        let (mut found, mut left_out) = (Vec::new(), 0_usize);
        self.walk(&value, &mut String::new(), &mut |pointer, sort| {
            if found.len() == MOST {
                left_out += 1;
                return;
            }
            found.push(Finding {
                pointer: pointer.to_owned(),
                severity: Severity::Warning,
                sentence: format!("This looks like {}. {}", sort.title(), self.why),
                source: source.to_owned(),
            });
        });
        found.extend(Finding::left_out(left_out, source));
        found
    }

    /// Calls `found` with the place of every value that looks so, and with what it looks like.
    fn walk(&self, value: &Value, pointer: &mut String, found: &mut impl FnMut(&str, Sort)) {
        let length = pointer.len();
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    pointer.extend(["/", &escape(name)]);
                    self.walk(value, pointer, found);
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    pointer.extend(["/", &index.to_string()]);
                    self.walk(value, pointer, found);
                    pointer.truncate(length);
                }
            }
            Value::String(text) => self.text(text, pointer, found),
            Value::Number(number) => self.text(&number.to_string(), pointer, found),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn text(&self, text: &str, pointer: &str, found: &mut impl FnMut(&str, Sort)) {
        if let Some(sort) = self.find.iter().find(|sort| sort.is_in(text)) {
            found(pointer, *sort);
        }
    }
}

/// Runs of digits with single blanks or dashes between, which no letter or digit touches.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let part = |char: char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_');
    text.split(move |char| !part(char)).flat_map(|piece| {
        // A word with a letter in it is an id, and so is what hangs on to it by a dash.
        let words = piece.split(' ').collect::<Vec<_>>();
        let digits = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let mut runs = Vec::new();
        let mut start = 0;
        for group in words.chunk_by(|a, b| digits(a) && digits(b)) {
            let len = group.iter().map(|word| word.len() + 1).sum::<usize>();
            if group.first().is_some_and(digits) {
                runs.push(&piece[start..start + len - 1]);
            }
            start += len;
        }
        runs
    })
}

fn is_card(run: &str) -> bool {
    let groups: Vec<&str> = run.split([' ', '-']).collect();
    let digits: Vec<u32> = run.chars().filter_map(|char| char.to_digit(10)).collect();
    // Times in milliseconds begin with 1; no card does, nor with 0, 7 or 9.
    groups.iter().all(|group| !group.is_empty())
        && (13..=19).contains(&digits.len())
        && digits.first().is_some_and(|first| [2, 3, 4, 5, 6, 8].contains(first))
        && digits.iter().any(|digit| Some(digit) != digits.first())
        && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_ssn(run: &str) -> bool {
    let groups: Vec<&str> = run.split('-').collect();
    let [area, group, serial] = groups.as_slice() else { return false };
    // What was never issued is none (SSA, 2011).
    (area.len(), group.len(), serial.len()) == (3, 2, 4)
        && run.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        && !matches!(*area, "000" | "666")
        && !area.starts_with('9')
        && *group != "00"
        && *serial != "0000"
}

fn is_email(word: &str) -> bool {
    let Some((local, domain)) = word.trim_matches(|char| matches!(char, '.' | '\'' | '!' | '?')).split_once('@') else {
        return false;
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let label = |label: &&str| !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || char == '-');
    !local.is_empty()
        && !local.contains('@')
        && labels.len() >= 2
        && labels.iter().all(label)
        && labels.last().is_some_and(|last| last.len() >= 2 && last.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn found(text: &str) -> Vec<Sort> {
        [Sort::Card, Sort::Ssn, Sort::Email].into_iter().filter(|sort| sort.is_in(text)).collect()
    }

    #[rstest]
    #[case::visa("4111111111111111", &[Sort::Card])]
    #[case::in_groups("paid with 4111 1111 1111 1111.", &[Sort::Card])]
    #[case::with_dashes("5555-5555-5555-4444", &[Sort::Card])]
    #[case::fifteen("378282246310005", &[Sort::Card])]
    #[case::thirteen("4222222222222", &[Sort::Card])]
    #[case::nineteen("6304000000000000000", &[Sort::Card])]
    #[case::beside_others("id 12 card:6011111111111117", &[Sort::Card])]
    #[case::wrong_check_digit("4111111111111112", &[])]
    #[case::twenty("41111111111111111110", &[])]
    #[case::twelve("411111111116", &[])]
    #[case::time("1761045302529", &[])]
    #[case::in_an_id("a4111111111111111", &[])]
    #[case::uuid("a845678d-fe5a-429e-bc46-b25d524b9fa7", &[])]
    #[case::bot("795bb1534e34fc89050304e6f6827c41c50410d7", &[])]
    #[case::ssn("my number is 123-45-6789", &[Sort::Ssn])]
    #[case::never_issued("000-45-6789 666-45-6789 900-45-6789 123-00-6789 123-45-0000", &[])]
    #[case::phone("123-456-7890", &[])]
    #[case::email("write to <jo.doe+x@mail.example.com>.", &[Sort::Email])]
    #[case::handle("@example me@localhost a@b.c1", &[])]
    #[case::nothing("", &[])]
    fn what_looks_like_personal_data_is_found(#[case] text: &str, #[case] sorts: &[Sort]) {
        assert_eq!(found(text), sorts);
    }

    #[test]
    fn findings_name_the_place_and_never_the_value() {
        let lint: Lint = toml::from_str("find = ['card', 'email']\nwhy = 'Not masked.'\nsource = 'doc'").unwrap();
        let body =
            r#"{"a":[{"v/w":"4111111111111111"}],"n":5555555555554444,"m":"a@b.io","s":"123-45-6789","ok":true}"#;
        let findings = lint.check(body.as_bytes(), "");
        let places: Vec<&str> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
        assert_eq!(places, ["/a/0/v~1w", "/n", "/m"]);
        for finding in &findings {
            assert!(finding.severity == Severity::Warning && finding.sentence.ends_with(". Not masked."));
            assert!(!finding.sentence.contains("4111") && !finding.sentence.contains("a@b.io"));
        }
        assert!(lint.check(b"{", "").is_empty());
    }

    #[test]
    fn the_first_of_very_many_are_told() {
        let lint: Lint = toml::from_str("find = ['email']\nwhy = 'Not masked.'").unwrap();
        let body = format!("[{}]", vec![r#""a@b.io""#; MOST + 7].join(","));
        let findings = lint.check(body.as_bytes(), "doc");
        assert_eq!((findings.len(), &*findings[MOST].sentence), (MOST + 1, "7 more departures are not listed."));
        let name = "k".repeat(100_000);
        let findings = lint.check(format!(r#"{{"{name}":"a@b.io"}}"#).as_bytes(), "doc");
        assert!(matches!(findings.as_slice(), [one] if one.pointer.is_empty() && one.sentence.contains("long names")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn one_wrong_digit_is_no_card(at in 1_usize..16, add in 1_u8..9) {
            let mut digits = *b"4111111111111111";
            digits[at] = b'0' + (digits[at] - b'0' + add) % 10;
            prop_assert!(!Sort::Card.is_in(std::str::from_utf8(&digits).unwrap()));
        }

        #[test]
        fn no_text_upsets_it(text in ".{0,60}") {
            let _ = found(&text);
        }
    }
}
