//! What a JSON text being typed may go on with, at the place of the cursor.
//!
//! ```text
//! {"context": {"ti|          a key: members that the contract names, known variables; not those that are there
//!  "lang": "e|               a value: what the contract allows, known variables
//!  "text": "Hi {{na|"        a text: what is filled in as it leaves
//! ```

use crate::json::{self, TokenKind};
use crate::net::placeholders;
use crate::platform::Help;
use crate::replay::variables::{PLACES, Variable};
use crate::visible;

/// Most offers.
const MOST: usize = 24;
/// Longest text that is looked through at each key, in bytes.
const LONGEST: usize = 256 << 10;

/// What may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The JSON text that is put in.
    pub text: String,
    /// What it means.
    pub note: String,
}

/// What may stand at the cursor instead of the bytes `begin..end`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Where the word begins that is being typed.
    pub begin: usize,
    /// Where it ends.
    pub end: usize,
    /// What it may become, the likeliest first.
    pub list: Vec<Offer>,
    /// Which one is meant.
    pub selected: usize,
    /// They are yet to be worked out.
    pub wanted: bool,
}

/// What is known at the place: the contract's words on a pointer, and the known variables.
pub struct Known<'a> {
    /// What the contract says of a place.
    pub help: &'a dyn Fn(&str) -> Option<Help>,
    /// The known variables.
    pub variables: &'a [(&'a str, &'a Variable)],
}

/// What may stand at byte `cursor` of `text`.
#[must_use]
pub fn offers(text: &str, cursor: usize, known: &Known<'_>) -> Offers {
    if text.len() > LONGEST || !text.is_char_boundary(cursor) {
        return Offers::default();
    }
    let Some(at) = AtCursor::bare(text, cursor).or_else(|| AtCursor::of(text, cursor)) else {
        return Offers::default();
    };
    let mut list = if at.bare {
        bare(&at, text, cursor, known)
    } else if at.key {
        keys(&at, text, known)
    } else {
        values(&at, text, cursor, known)
    };
    let typed = &text[at.begin..cursor];
    list.retain(|offer| offer.text != typed && offer.text != text[at.begin..at.end]);
    list.dedup_by(|one, other| one.text == other.text);
    list.truncate(MOST);
    Offers { begin: at.begin, end: at.end, list, ..Offers::default() }
}

/// What stands at the cursor.
struct AtCursor {
    /// Of the object that gets the key, or of the value.
    pointer: String,
    key: bool,
    /// A placeholder is being typed that stands for a value.
    bare: bool,
    begin: usize,
    end: usize,
    /// The keys before it in the same object.
    names: Vec<String>,
}

/// An open container before the cursor.
struct Level {
    array: bool,
    index: usize,
    names: Vec<String>,
    expects: Expects,
}

#[derive(PartialEq)]
enum Expects {
    Key,
    Colon,
    Value,
    Comma,
}

impl Level {
    fn segment(&self) -> String {
        let name = || json::escape(self.names.last().map_or("", String::as_str));
        if self.array { format!("/{}", self.index) } else { format!("/{}", name()) }
    }
}

impl AtCursor {
    /// Where a placeholder is being typed outside of a string: `"tier": {{$ti|`.
    fn bare(text: &str, cursor: usize) -> Option<Self> {
        let begin = text[..cursor].rfind("{{")?;
        if text[begin + 2..cursor].contains(['{', '}', '"', '\n', ',']) {
            return None;
        }
        let at = Self::of(text, begin).filter(|at| !at.key && at.begin == begin)?;
        let typed_on = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | ':');
        let rest = text[cursor..].trim_start_matches(typed_on).trim_start_matches('}');
        // Of the braces behind it but two are its own.
        let behind = &text[cursor..text.len() - rest.len()];
        let own = behind.trim_end_matches('}');
        let end = cursor + own.len() + (behind.len() - own.len()).min(2);
        let end = if behind.starts_with('}') || behind.contains("}}") { end } else { cursor };
        Some(Self { bare: true, end, ..at })
    }

    fn of(text: &str, cursor: usize) -> Option<Self> {
        let mut levels: Vec<Level> = Vec::new();
        let mut begin = cursor;
        for token in json::tokens(&text[..cursor]) {
            let ends_here = token.span.end == cursor;
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::Bad | TokenKind::True | TokenKind::False | TokenKind::Null if ends_here => {
                    begin = token.span.start;
                    break;
                }
                // What is whole needs nothing more.
                TokenKind::Key | TokenKind::String | TokenKind::Number if ends_here => return None,
                TokenKind::CloseObject | TokenKind::CloseArray => drop(levels.pop()),
                _ => {}
            }
            let Some(level) = levels.last_mut() else {
                levels.extend(opened(token.kind));
                continue;
            };
            match token.kind {
                TokenKind::Key => {
                    level.names.push(json::unquote(&text[token.span]).into_owned());
                    level.expects = Expects::Colon;
                }
                TokenKind::Colon => level.expects = Expects::Value,
                TokenKind::Comma => {
                    level.index += 1;
                    level.expects = if level.array { Expects::Value } else { Expects::Key };
                }
                kind => {
                    level.expects = Expects::Comma;
                    levels.extend(opened(kind));
                }
            }
        }
        let (level, outer) = levels.split_last()?;
        let above: String = outer.iter().map(Level::segment).collect();
        let (pointer, key) = match level.expects {
            Expects::Key => (above, true),
            Expects::Value => (above + &level.segment(), false),
            Expects::Colon | Expects::Comma => return None,
        };
        // Of a string that is closed behind the cursor all is meant; of one that is not, what is before it.
        let whole = json::tokens(text).find(|token| token.span.start == begin && begin < cursor);
        let end = whole.filter(|token| token.kind != TokenKind::Bad).map_or(cursor, |token| token.span.end);
        Some(Self { pointer, key, bare: false, begin, end: end.max(cursor), names: level.names.clone() })
    }
}

fn opened(kind: TokenKind) -> Option<Level> {
    let array = match kind {
        TokenKind::OpenArray => true,
        TokenKind::OpenObject => false,
        _ => return None,
    };
    let expects = if array { Expects::Value } else { Expects::Key };
    Some(Level { array, index: 0, names: Vec::new(), expects })
}

/// The keys that follow in the object around `end`.
fn names_after(text: &str, end: usize, whole: bool) -> Vec<String> {
    // An open string takes the rest of its line with it.
    let from = if whole { end } else { text[end..].find('\n').map_or(text.len(), |line| end + line) };
    let rest = format!("{{{}", &text[from..]);
    let (mut depth, mut names) = (0_usize, Vec::new());
    for token in json::tokens(&rest) {
        match token.kind {
            TokenKind::OpenObject | TokenKind::OpenArray => depth += 1,
            TokenKind::CloseObject | TokenKind::CloseArray if depth == 1 => break,
            TokenKind::CloseObject | TokenKind::CloseArray => depth -= 1,
            TokenKind::Key if depth == 1 => names.push(json::unquote(&rest[token.span]).into_owned()),
            _ => {}
        }
    }
    names
}

fn keys(at: &AtCursor, text: &str, known: &Known<'_>) -> Vec<Offer> {
    let word = &text[at.begin..at.end];
    // Without a beginning every blank line would have its offers.
    if word.is_empty() {
        return Vec::new();
    }
    let there = names_after(text, at.end, word.len() > 1 && word.ends_with('"'));
    let typed = word.trim_matches('"').to_lowercase();
    let fits = |name: &str| {
        let is_there = at.names.iter().chain(&there).any(|known| known == name);
        !is_there && name.to_lowercase().starts_with(&typed)
    };
    let colon = if text[at.end..].trim_start().starts_with(':') { "" } else { ": " };
    let offer = |name: &str, note: String| Offer { text: format!("{}{colon}", serde_json::Value::from(name)), note };
    let members = (known.help)(&at.pointer).map(|help| help.members).unwrap_or_default();
    let members = members.iter().filter(|name| fits(name)).map(|name| {
        let pointer = format!("{}/{}", at.pointer, json::escape(name));
        offer(name, (known.help)(&pointer).map(|help| note(&help)).unwrap_or_default())
    });
    // An endpoint's variables are members of the context from then on.
    let holds = |variable: &Variable| variable.place.rsplit_once('/').is_some_and(|(holder, _)| holder == at.pointer);
    let context = PLACES.iter().any(|name| at.pointer.strip_prefix('/') == Some(name));
    let variables = known.variables.iter().filter(|(name, variable)| fits(name) && (context || holds(variable)));
    members.chain(variables.map(|(name, variable)| offer(name, value_of(variable)))).collect()
}

/// What a placeholder outside of a string may be.
fn bare(at: &AtCursor, text: &str, cursor: usize, known: &Known<'_>) -> Vec<Offer> {
    let typed = text[at.begin..cursor].trim_start_matches('{').trim_start();
    let offer = |name: &str, note: String| Offer { text: format!("{{{{{name}}}}}"), note };
    let wanted = typed.trim_start_matches('$');
    let variables = known.variables.iter().filter(|(name, _)| name.starts_with(wanted));
    let variables = variables.map(|(name, variable)| offer(&format!("${name}"), value_of(variable)));
    let common =
        placeholders::NAMES.iter().filter(|(name, _)| *name != placeholders::BRACES && name.starts_with(typed));
    variables.chain(common.map(|(name, meaning)| offer(name, (*meaning).to_owned()))).collect()
}

fn values(at: &AtCursor, text: &str, cursor: usize, known: &Known<'_>) -> Vec<Offer> {
    let typed = &text[at.begin..cursor];
    let help = (known.help)(&at.pointer).unwrap_or_default();
    let kinds = help.json_type.as_deref().unwrap_or_default();
    let is = |name: &str| kinds.split(" or ").any(|one| one == name);
    let words = [("boolean", "true"), ("boolean", "false"), ("null", "null")];
    let words = words.into_iter().filter(|(kind, _)| is(kind)).map(|(_, word)| word.to_owned());
    let fits = |candidate: &str| candidate.to_lowercase().starts_with(&typed.to_lowercase());
    let meaning = help.meaning.clone().unwrap_or_default();
    let allowed = help.allowed.iter().cloned().chain(words).filter(|text| fits(text));
    let mut list: Vec<Offer> = allowed.map(|text| Offer { text, note: meaning.clone() }).collect();
    if !typed.is_empty() && !typed.starts_with('"') {
        return list;
    }
    // What stands before the braces stays, and what is behind the cursor.
    let (before, name) = match typed.rfind("{{") {
        Some(braces) => (&typed[..braces], &typed[braces + 2..]),
        None if typed.is_empty() => ("\"", ""),
        None => ("\"", &typed[1..]),
    };
    let name = name.trim_start_matches('$');
    let after = if at.end > cursor { text[cursor..at.end].trim_start_matches('}') } else { "\"" };
    let filled = |name: &str, note: String| Offer { text: format!("{before}{{{{{name}}}}}{after}"), note };
    let alone = before == "\"" && after == "\"";
    for (name, variable) in known.variables.iter().filter(|(known, _)| known.starts_with(name)) {
        let text = filled(&format!("${name}"), value_of(variable));
        // Within quotes any value becomes text: one that is none stands there without them, first.
        let keeps = alone && variable.json_type() != "string" && (kinds.is_empty() || !is("string"));
        let bare = Offer { text: format!("{{{{${name}}}}}"), note: text.note.clone() };
        if keeps || (typed.is_empty() && !kinds.is_empty() && !is("string")) {
            list.push(bare);
        }
        if !typed.is_empty() || !keeps && (kinds.is_empty() || is("string")) {
            list.push(if keeps { Offer { note: format!("{}, as text", text.note), ..text } } else { text });
        }
    }
    if typed.contains("{{") {
        let common = placeholders::NAMES.iter().filter(|(known, _)| known.starts_with(name));
        list.extend(common.map(|(name, meaning)| filled(name, (*meaning).to_owned())));
    }
    list
}

fn note(help: &Help) -> String {
    let parts = [help.json_type.as_deref(), help.meaning.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn value_of(variable: &Variable) -> String {
    format!("known: {}", visible::truncate(&variable.value, 40))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::call::Id;
    use crate::platform::Platforms;

    /// What is offered at the `|` of a text, as texts.
    fn offered(kind: &str, marked: &str) -> Vec<String> {
        let cursor = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let found = found(kind, &text, cursor);
        found
            .list
            .into_iter()
            .map(|offer| format!("{}{}{}", &text[..found.begin], offer.text, &text[found.end..]))
            .collect()
    }

    fn found(kind: &str, text: &str, cursor: usize) -> Offers {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind(kind).unwrap();
        let variable = |value: &str, place: &str| Variable {
            value: value.into(),
            place: place.into(),
            kind: None,
            call: Id::NIL,
            at: Timestamp::UNIX_EPOCH,
        };
        let (tier, name) = (variable("\"gold\"", "/context/tier"), variable("\"Ann\"", "/output/name"));
        let num = variable("1", "/x/num");
        let variables = [("num", &num), ("tier", &tier), ("name", &name)];
        offers(text, cursor, &Known { help: &|pointer| kind.help(pointer), variables: &variables })
    }

    #[rstest]
    #[case::a_key(r#"{"sess|"#, &[r#"{"session_id": "#])]
    #[case::a_bare_word(r"{sess|}", &[r#"{"session_id": }"#])]
    #[case::a_whole_key(r#"{"sess|x": 1}"#, &[][..])]
    #[case::renamed(r#"{"sess|": 1}"#, &[r#"{"session_id": 1}"#])]
    #[case::not_twice("{\"session_id\": 1,\n\"sess|\n}", &[][..])]
    #[case::not_twice_below("{\n\"sess|\n\"session_id\": 1}", &[][..])]
    #[case::below_another_object("{\n\"sess|\n\"context\": {\"session_id\": 1}}", &["{\n\"session_id\": \n\"context\": {\"session_id\": 1}}"])]
    #[case::inside(r#"{"input": {"te|"#, &[r#"{"input": {"text": "#])]
    #[case::known_as_a_member(r#"{"context": {"ti|"#, &[r#"{"context": {"tier": "#])]
    #[case::nothing_without_a_beginning(r"{|}", &[][..])]
    #[case::nothing_behind_a_value(r#"{"lang": "en" |"#, &[][..])]
    #[case::nothing_in_what_is_whole(r#"{"lang": "en"|"#, &[][..])]
    #[case::a_boolean(r#"{"context": {"user": {"verified": t|"#, &[r#"{"context": {"user": {"verified": true"#])]
    #[case::a_variable(r#"{"lang": "{{ti|"#, &[r#"{"lang": "{{$tier}}""#])]
    #[case::a_variable_by_its_name(r#"{"lang": "na|"#, &[r#"{"lang": "{{$name}}""#])]
    #[case::in_a_text(r#"{"input": {"text": "Hi {{$na| there"}}"#, &[r#"{"input": {"text": "Hi {{$name}} there"}}"#])]
    #[case::a_number_keeps_its_type(r#"{"tie": |"#, &[r#"{"tie": {{$num}}"#, r#"{"tie": "{{$tier}}""#, r#"{"tie": "{{$name}}""#])]
    #[case::within_quotes_too(r#"{"tie": "{{nu|"#, &[r#"{"tie": {{$num}}"#, r#"{"tie": "{{$num}}""#])]
    #[case::without_quotes(r#"{"tie": {{$nu|, "x": 1}"#, &[r#"{"tie": {{$num}}, "x": 1}"#])]
    #[case::without_quotes_and_closed(r#"{"tie": {{now_m|}}}"#, &[r#"{"tie": {{now_ms}}}"#])]
    #[case::behind_another(r#"{"d": {{now}}, "n": {{uu|"#, &[r#"{"d": {{now}}, "n": {{uuid}}"#])]
    #[case::the_time(r#"{"lang": "{{uu|}}""#, &[r#"{"lang": "{{uuid}}""#])]
    fn what_may_stand_there_is_offered(#[case] marked: &str, #[case] expected: &[&str]) {
        assert_eq!(offered("moveo/dialog", marked), expected);
    }

    #[test]
    fn what_the_contract_names_comes_with_what_it_means() {
        let offers = found("moveo/dialog", r#"{"inten"#, 7).list;
        assert!(offers[0].text == "\"intents\": " && offers[0].note.starts_with("array · "), "{offers:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_is_too_odd(text in "([{}\\[\\]\":, \na-zé$]|\\{\\{){0,24}", at in 0usize..30) {
            let cursor = text.floor_char_boundary(at);
            let found = found("moveo/dialog", &text, cursor);
            prop_assert!(found.begin <= cursor && cursor <= found.end.max(cursor) && found.end <= text.len());
        }
    }
}
