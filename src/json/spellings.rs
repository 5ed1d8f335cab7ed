//! The ways in which writers of JSON spell a text: `é` is `\u00e9` to Python and PHP, `/` is `\/` to PHP, `<` is `\u003c` to
//! Go. Whoever looks for a word means all of them.

use std::fmt::Write as _;

/// A regular expression that finds `text` in JSON, however it is spelled there and without regard to case; none where it has
/// one spelling only. What stands in JSON within a string, where each backslash is doubled, is found too.
pub fn spellings(text: &str) -> Option<String> {
    if text.chars().all(has_one_spelling) {
        return None;
    }
    let mut pattern = "(?i)".to_owned();
    for letter in text.chars() {
        spell(letter, &mut pattern);
    }
    Some(pattern)
}

/// Whether common writers leave it as it is. (All may escape any letter; hardly one does that.)
fn has_one_spelling(letter: char) -> bool {
    matches!(letter, ' '..='~') && !r#""\/<>&'+=`"#.contains(letter)
}

fn spell(letter: char, pattern: &mut String) {
    let literal = regex::escape(letter.encode_utf8(&mut [0; 4]));
    if has_one_spelling(letter) {
        pattern.push_str(&literal);
        return;
    }
    let short = match letter {
        '\\' => Some(r"\\+"),
        '"' => Some(r#"\\+""#),
        '/' => Some(r"\\+/"),
        '\n' => Some(r"\\+n"),
        '\r' => Some(r"\\+r"),
        '\t' => Some(r"\\+t"),
        '\u{8}' => Some(r"\\+b"),
        '\u{c}' => Some(r"\\+f"),
        _ => None,
    };
    pattern.push_str("(?:");
    pattern.push_str(&literal);
    if let Some(short) = short {
        pattern.push('|');
        pattern.push_str(short);
    }
    for letter in cases(letter) {
        pattern.push('|');
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(pattern, r"\\+u{unit:04x}");
        }
    }
    pattern.push(')');
}

/// The letter in its cases: escaped, they differ in more than `(?i)` knows of.
fn cases(letter: char) -> Vec<char> {
    let upper = only(letter.to_uppercase()).unwrap_or(letter);
    let mut cases = vec![letter, upper];
    cases.extend([only(letter.to_lowercase()), only(upper.to_lowercase())].into_iter().flatten());
    // At the end of a word it has a form of its own.
    cases.extend((upper == 'Σ').then_some('ς'));
    cases.sort_unstable();
    cases.dedup();
    cases
}

fn only(mut letters: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if letters.len() == 1 { letters.next() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::{Regex, RegexBuilder};

    use super::*;
    use crate::json::python_dumps;

    fn finds(text: &str, json: &str) -> bool {
        let pattern = spellings(text).unwrap_or_else(|| format!("(?i){}", regex::escape(text)));
        RegexBuilder::new(&pattern).build().unwrap().is_match(json)
    }

    #[test]
    fn a_text_is_found_as_each_writer_spells_it() {
        let text = "Qué tal \"amigo\"? 日本\nzwei / drei 😀";
        for json in [
            r#"{"t":"¿Qué tal \"amigo\"? 日本\nzwei / drei 😀"}"#,
            r#"{"t": "\u00bfQu\u00e9 tal \"amigo\"? \u65e5\u672c\nzwei / drei \ud83d\ude00"}"#,
            r#"{"t":"\u00BFQu\u00E9 tal \u0022amigo\u0022? \u65E5\u672C\nzwei \/ drei \uD83D\uDE00"}"#,
            r#"{"t":"{\"t\":\"\\u00bfQu\\u00e9 tal \\\"amigo\\\"? 日本\\nzwei \\/ drei 😀\"}"}"#,
        ] {
            for part in [text, "Qué", "QUÉ TAL", "日本", "😀", "zwei / drei", "\"amigo\"", "日本\nzwei"] {
                assert!(finds(part, json), "{part} in {json}");
            }
            for part in ["Que", "/ zwei", "日x", "😁", "amigo\n"] {
                assert!(!finds(part, json), "{part} in {json}");
            }
        }
        assert!(finds("ς", r"\u03a3") && finds("Σ", r"\u03c2") && finds("<b>", r"\u003Cb\u003e"));
        assert!(finds(r"C:\new", r#""C:\\new""#) && finds(r"\u00e9", r"\u00e9") && finds("c:\\", r"C:\u005c"));
    }

    #[test]
    fn what_no_writer_escapes_has_one_spelling() {
        assert_eq!(spellings("needle CL-20418: {x} (1.5, 2)?"), None);
        assert_eq!(spellings(""), None);
    }

    proptest! {
        #[test]
        fn every_part_of_a_string_is_found(before in ".{0,5}", text in "\\PC{0,5}|.{0,5}|[\"/\\\\\n\tΣéA]{0,5}", behind in ".{0,5}") {
            let whole = format!("{before}{text}{behind}");
            let json = serde_json::to_string(&whole).unwrap();
            let nested = serde_json::to_string(&json).unwrap();
            let dumped = python_dumps(&json).unwrap();
            // Of the newest letters the regular expressions do not know yet that they are cases of each other.
            let upper = text.to_uppercase();
            let alike = Regex::new(&format!("(?is)^{}$", regex::escape(&upper))).unwrap().is_match(&text);
            for json in [&whole, &json, &nested, &dumped, &python_dumps(&nested).unwrap()] {
                prop_assert!(finds(&text, json), "{text:?} in {json}");
                prop_assert!(finds(&upper, json) || upper.to_lowercase() != text || !alike, "{text:?} in {json}");
            }
        }
    }
}
