//! What a filter being typed may go on with.

use indexmap::IndexMap;

use crate::call::Sig;
use crate::config::Target;
use crate::platform::Platforms;
use crate::recording::{Colour, KEYS};

/// Most candidates.
const MOST: usize = 24;

/// Where the word that is being typed begins, and what it may become, each with what it means.
#[must_use]
pub fn complete(
    text: &str,
    platforms: &Platforms,
    saved: &IndexMap<String, String>,
    targets: &[Target],
) -> (usize, Vec<(String, String)>) {
    // Within quotes there is nothing to complete.
    if text.matches('"').count() % 2 == 1 {
        return (text.len(), Vec::new());
    }
    let begin = text.rfind([' ', '(', '|']).map_or(0, |at| at + 1);
    // A minus before a word negates it; within one it belongs to it.
    let begin = begin + usize::from(text[begin..].starts_with('-'));
    let word = &text[begin..];
    let mut found: Vec<(String, String)> = if word.starts_with('@') {
        saved.iter().map(|(name, query)| (format!("@{name}"), query.clone())).collect()
    } else if let Some((key, _)) = word.split_once(':') {
        values(&key.to_lowercase(), platforms, targets)
            .into_iter()
            .map(|value| (format!("{key}:{value}"), String::new()))
            .collect()
    } else {
        let end = |key: &crate::recording::Key| if key.example.is_empty() { "" } else { ":" };
        KEYS.iter().map(|key| (format!("{}{}", key.name, end(key)), key.meaning.to_owned())).collect()
    };
    // Upper case means the same.
    let begins = |candidate: &str| candidate.to_lowercase().starts_with(&word.to_lowercase());
    found.retain(|(candidate, _)| begins(candidate) && candidate != word);
    found.truncate(MOST);
    (begin, found)
}

fn values(key: &str, platforms: &Platforms, targets: &[Target]) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match key {
        "kind" => platforms.kinds().flat_map(|kind| [kind.name.clone(), kind.bare().to_owned()]).collect(),
        "platform" => platforms.packs().map(|pack| pack.name.clone()).collect(),
        // Within a text nothing stands for a quotation mark.
        "to" => {
            let names = targets.iter().map(|target| &target.name).filter(|name| !name.contains('"'));
            names.map(|name| quoted(name)).chain(["none".to_owned()]).collect()
        }
        "sig" => Sig::ALL.iter().map(|sig| sig.word().to_owned()).chain(["none".to_owned()]).collect(),
        "dir" => words(&["received", "sent"]),
        "status" => words(&["2xx", "4xx", "5xx", ">=400", "none"]),
        "method" => words(&["POST", "GET", "PUT", "PATCH", "DELETE"]),
        "took" => words(&[">100ms", ">1s", ">5s"]),
        "since" | "until" => words(&["1m", "10m", "1h", "1d"]),
        "finding" => words(&["error", "warning", "note", "none"]),
        "marked" => Colour::ALL.iter().map(|colour| colour.word().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// A value as it stands in a query.
fn quoted(value: &str) -> String {
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | '|');
    if value.contains(ends) { format!("\"{value}\"") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let saved = IndexMap::from([("bad".to_owned(), "sig:invalid".to_owned())]);
        let targets = ["local", "at home", "http://127.0.0.1:3000"].map(|name| Target::new(name, "http://x"));
        let (begin, found) = complete(text, &Platforms::builtin().unwrap(), &saved, &targets);
        found.into_iter().map(|(candidate, _)| format!("{}{candidate}", &text[..begin])).collect()
    }

    #[test]
    fn keys_values_and_saved_queries_are_completed() {
        assert_eq!(of("st"), ["status:"]);
        assert_eq!(of("x -si"), ["x -sig:", "x -size:", "x -since:"]);
        assert_eq!(of("sig:inv"), ["sig:invalid"]);
        assert_eq!(of("platform:standard-"), ["platform:standard-webhooks"], "a minus within a word belongs to it");
        assert_eq!(of("a (kind:auth_v"), ["a (kind:auth_validation"]);
        assert_eq!(of("@"), ["@bad"]);
        assert_eq!(of("to:"), ["to:local", "to:\"at home\"", "to:http://127.0.0.1:3000", "to:none"]);
        assert_eq!(of("-to:LO"), ["-to:local"]);
        assert_eq!(of("KIND:Auth_v"), ["KIND:auth_validation"]);
        assert_eq!(of("method:p"), ["method:POST", "method:PUT", "method:PATCH"]);
        assert_eq!(of("body:\"st"), [""; 0]);
        assert_eq!(of("deleted"), [""; 0], "what is whole is not offered");
    }

    #[test]
    fn what_is_offered_is_understood() {
        for text in ["", "kind:", "to:", "sig:", "dir:", "status:", "took:", "since:", "finding:", "marked:"] {
            for offered in of(text).iter().filter(|offered| !offered.ends_with(':')) {
                crate::recording::Query::parse(offered, jiff::Timestamp::UNIX_EPOCH).expect(offered);
            }
        }
    }
}
