use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
    tokens(text).map(|token| (token.kind, &text[token.span])).collect()
}

fn significant(text: &str) -> Vec<(TokenKind, &str)> {
    kinds(text).into_iter().filter(|(kind, _)| *kind != TokenKind::Space).collect()
}

#[test]
fn tokens_know_keys_from_strings() {
    use TokenKind::{CloseObject, Colon, Comma, Key, Number, OpenObject, Space, String};
    assert_eq!(
        kinds(r#"{"a": "b","c":-1e3}"#),
        [
            (OpenObject, "{"),
            (Key, r#""a""#),
            (Colon, ":"),
            (Space, " "),
            (String, r#""b""#),
            (Comma, ","),
            (Key, r#""c""#),
            (Colon, ":"),
            (Number, "-1e3"),
            (CloseObject, "}"),
        ]
    );
}

#[test]
fn an_unclosed_string_ends_with_its_line() {
    assert_eq!(
        kinds("[\"ä\n1"),
        [(TokenKind::OpenArray, "["), (TokenKind::Bad, "\"ä"), (TokenKind::Space, "\n"), (TokenKind::Number, "1")]
    );
}

/// Text, where the fault is (line:column), what it is called.
const FAULTS: &[(&str, &str)] = &[
    ("", "1:1 there is no JSON value here"),
    ("  ", "1:3 there is no JSON value here"),
    ("{\n\"a\": 1,\n\"b\": 2", "3:7 the text ends inside the object that opens on line 1"),
    ("[1, [2,", "1:8 the text ends inside the array that opens on line 1"),
    ("{\"a\": 1 \"b\": 2}", "1:9 a comma is missing before this string"),
    ("[1 2]", "1:4 a comma is missing before this number"),
    ("[{} {}]", "1:5 a comma is missing before this object"),
    ("{\"a\" 1}", "1:6 a colon is missing before this number"),
    ("{\"ä\": 1,\n}", "1:8 trailing comma: nothing follows it"),
    ("[1,]", "1:3 trailing comma: nothing follows it"),
    ("[1,,2]", "1:4 there is one comma too many"),
    ("[,1]", "1:2 nothing stands before this comma"),
    ("{\"a\":,}", "1:6 a value is missing before this comma"),
    ("{\"a\",}", "1:5 a colon and a value are missing before this comma"),
    ("{\"a\":}", "1:6 a value is missing before this `}`"),
    ("{\"a\"}", "1:5 a value is missing before this `}`"),
    ("{:1}", "1:2 a key is missing before this colon"),
    ("{\"a\"::1}", "1:6 this colon is out of place"),
    ("[\"a\":1]", "1:5 a colon does not belong in an array"),
    ("{1:2}", "1:2 a key must be a string in double quotes, not this number"),
    ("{a:2}", "1:2 a key must stand in double quotes"),
    ("[1}", "1:3 this `}` does not match the `[` of line 1"),
    ("{\"a\":1]", "1:7 this `]` does not match the `{` of line 1"),
    ("{}}", "1:3 this `}` closes nothing"),
    ("]", "1:1 this `]` closes nothing"),
    ("{} {}", "1:4 the JSON value has ended, but more text follows"),
    ("[\"abc\n]", "1:2 this string is not closed"),
    ("\"abc", "1:1 this string is not closed"),
    ("\"a\tb\"", "1:3 control character in string: write U+0009 as an escape, `\\u0009`"),
    (r#""a\xb""#, "1:3 `\\x` is no escape of JSON: a backslash itself is written `\\\\`"),
    (r#""\u12g4""#, "1:2 `\\u` needs four hexadecimal digits"),
    ("{'a': 1}", "1:2 single quotes are not JSON: use double quotes"),
    ("[\u{201c}a\u{201d}]", "1:2 typographic quotes are not JSON: use \""),
    ("[1, // one\n2]", "1:5 JSON has no comments"),
    ("[True]", "1:2 JSON writes `true`, in small letters"),
    ("[None]", "1:2 JSON writes `null` for no value"),
    ("[NaN]", "1:2 JSON has no number for this: write `null` or a string"),
    ("[01]", "1:2 a number has no leading zero in JSON"),
    ("[+1]", "1:2 a number has no plus sign in JSON"),
    ("[.5]", "1:2 a number begins with a digit: write 0.5, not .5"),
    ("[5.]", "1:2 digits are missing after the decimal point"),
    ("[5e+]", "1:2 digits are missing in the exponent"),
    ("[0x1F]", "1:2 JSON has only decimal numbers"),
    ("[1-2]", "1:2 this is not a number: text needs double quotes"),
    ("[hello]", "1:2 this is not JSON: text needs double quotes"),
    ("[\u{202e}x]", "1:2 this is not JSON: text needs double quotes"),
    ("\u{feff}{}", "1:1 a byte order mark (U+FEFF) does not belong in JSON"),
    ("[\u{a0}1]", "1:2 the character U+00A0 is not white space in JSON"),
];

#[test]
fn every_fault_has_its_place_and_name() {
    for (text, expected) in FAULTS {
        let error = check(text).unwrap_err();
        assert_eq!(format!("{}:{} {}", error.line, error.column, error.message), *expected, "{text}");
    }
}

/// It is told where the text itself is masked.
#[test]
fn no_fault_quotes_the_text() {
    for text in
        ["password=hunter2", r#"{"password": hunter2}"#, "{hunter2:1}", "['hunter2']", "[-hunter2]", "[1hunter2]"]
    {
        let error = set(text, "/a", "1").unwrap_err();
        assert!(error.starts_with("the text is not JSON: line 1, column ") && !error.contains("hunter"), "{error}");
    }
}

#[test]
fn depth_is_limited_in_check_only() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(check(&nested(DEPTH_LIMIT)), Ok(()));
    assert_eq!(check(&nested(DEPTH_LIMIT + 1)).unwrap_err().message, "nested more than 512 levels deep");
    let deep = nested(200_000);
    assert_eq!(tokens(&deep).count(), 400_000);
    assert_eq!(find(&deep, "/0/0/0"), Some(3..deep.len() - 3));
    assert_eq!(pointer_at(&deep, 200_000).map(|pointer| pointer.len()), Some(2 * 199_999));
}

#[test]
fn printing_moves_only_white_space() {
    let text = " {\"a\" :[ ],\"b\":[1e3,{\"\\u00e4\":{ }}],\"a\":12345678901234567890123}\n";
    let pretty = "{\n  \"a\": [],\n  \"b\": [\n    1e3,\n    {\n      \"\\u00e4\": {}\n    }\n  ],\n  \"a\": 12345678901234567890123\n}";
    assert_eq!(super::pretty(text).unwrap(), pretty);
    assert_eq!(compact(text).unwrap(), r#"{"a":[],"b":[1e3,{"\u00e4":{}}],"a":12345678901234567890123}"#);
    assert_eq!(spaced(text).unwrap(), r#"{"a": [], "b": [1e3, {"\u00e4": {}}], "a": 12345678901234567890123}"#);
    assert!(matches!(super::pretty("[1,]"), Err(PrintError::Syntax(error)) if error.column == 3));
}

#[test]
fn what_would_be_too_long_is_not_laid_out() {
    let numbers = |depth: usize, count: usize| "[".repeat(depth) + &"1,".repeat(count) + "1" + &"]".repeat(depth);
    assert_eq!(super::pretty(&numbers(DEPTH_LIMIT - 1, 100_000)), Err(PrintError::Long));
    // What people and programs write is.
    assert!(super::pretty(&numbers(DEPTH_LIMIT - 1, 500)).is_ok());
    assert!(super::pretty(&numbers(4, 1_000_000)).is_ok());
    assert!(compact(&numbers(DEPTH_LIMIT - 1, 100_000)).is_ok());
    assert!(python_dumps(&format!("\"{}\"", "\u{7f}".repeat(1 << 20))).is_ok());
}

#[test]
fn other_programs_write_strings_their_way() {
    let text = r#"{"é\/":"😀\ud83d\ude00\ud800\u001F\t\u0041","d":"\u007f\u2028"}"#;
    assert_eq!(
        python_dumps(text).unwrap(),
        r#"{"\u00e9/": "\ud83d\ude00\ud83d\ude00\ud800\u001f\tA", "d": "\u007f\u2028"}"#
    );
    assert_eq!(python_indented(r#"["é",{}]"#, 4).unwrap(), "[\n    \"\\u00e9\",\n    {}\n]");
    assert_eq!(javascript_stringify(text).unwrap(), "{\"é/\":\"😀😀\\ud800\\u001f\\tA\",\"d\":\"\u{7f}\u{2028}\"}");
}

#[test]
fn javascript_writes_numbers_its_way() {
    for (number, written) in [
        ("1.0", "1"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("0.10", "0.1"),
        ("12345678901234567890", "12345678901234567000"),
        ("1e20", "100000000000000000000"),
        ("-15E20", "-1.5e+21"),
        ("0.000001", "0.000001"),
        ("0.00000015", "1.5e-7"),
        ("1e999", "1e999"),
    ] {
        assert_eq!(javascript_stringify(number).unwrap(), written);
    }
}

#[test]
fn unquote_decodes_what_it_can() {
    assert_eq!(unquote(r#""a""#), "a");
    assert_eq!(unquote(r#""\ud83d\ude00\ud800x\q\u12""#), "😀\u{fffd}x\\q\\u12");
}

#[test]
fn find_follows_the_pointer() {
    let text = r#"{"a":{"b":1},"x":[10,[20,{"y/~":30}]],"a":{"c":2,"é":3,"":4},"e\u0301":5}"#;
    for (pointer, expected) in [
        ("", Some(text)),
        ("/a", Some(r#"{"c":2,"é":3,"":4}"#)),
        ("/a/b", None),
        ("/a/c", Some("2")),
        ("/a/é", Some("3")),
        ("/a/", Some("4")),
        ("/e\u{301}", Some("5")),
        ("/x/0", Some("10")),
        ("/x/1/0", Some("20")),
        ("/x/1/1/y~1~0", Some("30")),
        ("/x/1/1/y~2~0", None),
        ("/x/01", None),
        ("/x/2", None),
        ("/x/-", None),
        ("/x/0/0", None),
        ("a", None),
    ] {
        assert_eq!(find(text, pointer).map(|span| &text[span]), expected, "{pointer}");
    }
    assert_eq!(find(r#"{"a": 1, "b": [2"#, "/a"), Some(6..7));
}

#[test]
fn pointer_at_names_the_innermost_value() {
    let text = r#" {"a/b": [1, {"c":"de"} ], "f": null}"#;
    for (at, expected) in [
        (" ", None),
        ("{\"a", Some("")),
        ("\"a/b", Some("/a~1b")),
        (": [", Some("/a~1b")),
        (" [1", Some("/a~1b")),
        ("[1", Some("/a~1b")),
        ("1,", Some("/a~1b/0")),
        (", {", Some("/a~1b")),
        ("{\"c", Some("/a~1b/1")),
        ("\"c", Some("/a~1b/1/c")),
        ("e\"", Some("/a~1b/1/c")),
        ("} ]", Some("/a~1b/1")),
        (" ],", Some("/a~1b")),
        ("], ", Some("/a~1b")),
        (" \"f", Some("")),
        ("ull", Some("/f")),
        ("l}", Some("/f")),
    ] {
        assert_eq!(pointer_at(text, text.find(at).unwrap()).as_deref(), expected, "{at}");
    }
    assert_eq!(pointer_at(text, text.len()), None);
    assert_eq!(pointer_at(r#"{"a": , "b": {"c": "#, 18).as_deref(), Some("/b/c"));
}

#[test]
fn set_touches_nothing_else() {
    for (text, pointer, value, expected) in [
        (" {\"a\" : 1e3 , \"b\":2}\n", "/a", " 7 ", " {\"a\" : 7 , \"b\":2}\n"),
        (r#"{"a":1,"a":2}"#, "/a", "3", r#"{"a":1,"a":3}"#),
        (" 1 ", "", "[]", " [] "),
        ("{}", "/a~1\"", "1", r#"{"a/\"":1}"#),
        (r#"{"a":1}"#, "/b", "2", r#"{"a":1,"b":2}"#),
        (r#"{"a": 1}"#, "/b", "2", r#"{"a": 1, "b": 2}"#),
        (r#"{"a": {}}"#, "/a/b", "2", r#"{"a": {"b": 2}}"#),
        (r#"{"a": 1,"c":[ ]}"#, "/b", "2", r#"{"a": 1,"c":[ ],"b":2}"#),
        ("{\n  \"a\": 1\n}\n", "/b", "2", "{\n  \"a\": 1,\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": [\n    1\n  ]\n}", "/a/-", "2", "{\n  \"a\": [\n    1,\n    2\n  ]\n}"),
        ("[1, 2]", "/2", "3", "[1, 2, 3]"),
        ("[]", "/0", "{}", "[{}]"),
        ("[[1,2] ]", "/1", "3", "[[1,2],3 ]"),
    ] {
        assert_eq!(set(text, pointer, value).as_deref(), Ok(expected), "{text} {pointer}");
    }
}

#[test]
fn set_says_why_it_cannot() {
    for (text, pointer, value, expected) in [
        ("[1,]", "/0", "1", "the text is not JSON: line 1, column 3: trailing comma: nothing follows it"),
        ("[1]", "/0", "x", "the value is not JSON: line 1, column 1: this is not JSON: text needs double quotes"),
        (
            "[1]",
            "0",
            "1",
            "\"0\" is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`",
        ),
        ("{}", "/a/b", "1", "`/a` does not exist, so `/a/b` cannot be put into it"),
        (r#"{"a":1}"#, "/a/b", "1", "`/a` is neither object nor array, so `/a/b` cannot be put into it"),
        ("[1]", "/5", "1", "`` has 1 elements: `/5` is neither one of them nor the next, `/1`"),
    ] {
        assert_eq!(set(text, pointer, value), Err(expected.to_owned()), "{text} {pointer}");
    }
}

/// JSON text of all shapes: odd spacing, escapes, numbers no float can hold, duplicate keys.
pub(super) fn json() -> impl Strategy<Value = String> {
    let space = || "[ \t\r\n]{0,2}";
    let string = || r#""([a-c~/é😀]|\\[bfnrt"\\/]|\\u[0-9a-fA-F]{4}){0,4}""#;
    let scalar = prop_oneof![
        string(),
        "-?(0|[1-9][0-9]{0,25})([.][0-9]{1,4})?([eE][+-]?[0-9]{1,3})?",
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    scalar.prop_recursive(5, 40, 5, move |inner| {
        let member = (space(), string(), space(), space(), inner.clone(), space())
            .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
        let element = (space(), inner, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        prop_oneof![
            vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
            vec(element, 0..5).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

/// JSON with one character put in, taken out or replaced.
fn nearly_json() -> impl Strategy<Value = String> {
    let character = prop::sample::select(r#"{}[],:"\ux019.-+eE truefalsn	'é"#.chars().collect::<Vec<_>>());
    (json(), any::<prop::sample::Index>(), prop::option::of(character), any::<bool>()).prop_map(
        |(text, place, character, replace)| {
            let mut chars: Vec<char> = text.chars().collect();
            let place = place.index(chars.len());
            chars.splice(place..place + usize::from(replace), character);
            chars.into_iter().collect()
        },
    )
}

/// `IgnoredAny` judges the grammar only: neither depth, nor lone surrogates, nor numbers too large for a float.
fn serde_accepts(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn assert_lossless(text: &str) {
    let mut end = 0;
    for token in tokens(text) {
        assert_eq!(token.span.start, end);
        assert!(token.span.end > end && text.is_char_boundary(token.span.end));
        end = token.span.end;
    }
    assert_eq!(end, text.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn tokens_cover_any_text(text in any::<String>()) {
        assert_lossless(&text);
    }

    #[test]
    fn nothing_panics_on_nearly_json(text in nearly_json(), at in 0_usize..200, pointer in "(/[a0-2~]{0,2}){0,3}") {
        assert_lossless(&text);
        pointer_at(&text, at);
        let _ = set(&text, &pointer, "1");
        if let Err(error) = check(&text) {
            prop_assert!(error.offset <= text.len() && !error.message.is_empty());
        }
    }

    #[test]
    fn check_agrees_with_serde(good in json(), text in nearly_json()) {
        prop_assert!(serde_accepts(&good));
        prop_assert_eq!(check(&good), Ok(()));
        prop_assert_eq!(check(&text).is_ok(), serde_accepts(&text), "{}", text);
    }

    #[test]
    fn printing_keeps_the_tokens(text in json()) {
        for print in [pretty, compact, spaced] {
            let printed = print(&text).unwrap();
            prop_assert_eq!(significant(&printed), significant(&text));
            prop_assert_eq!(print(&printed).unwrap(), printed);
        }
    }

    #[test]
    fn other_programs_mean_the_same(text in json()) {
        let units = |text: &str| -> Vec<Vec<Result<char, u16>>> {
            let strings = significant(text).into_iter().filter(|(kind, _)| matches!(kind, TokenKind::Key | TokenKind::String));
            strings.map(|(_, source)| string::chars(string::inner(source)).collect()).collect()
        };
        for print in [python_dumps, javascript_stringify] {
            prop_assert_eq!(units(&print(&text).unwrap()), units(&text));
        }
        prop_assert!(python_dumps(&text).unwrap().is_ascii());
    }

    #[test]
    fn find_and_pointer_at_are_inverse(text in json(), at in any::<prop::sample::Index>()) {
        let at = at.index(text.len());
        if let Some(pointer) = pointer_at(&text, at)
            && serde_json::from_str::<serde_json::Value>(&text).is_ok()
            && let Some(span) = find(&text, &pointer)
        {
            // An earlier duplicate of a key has a pointer that finds the later one.
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let found: serde_json::Value = serde_json::from_str(&text[span]).unwrap();
            prop_assert_eq!(value.pointer(&pointer), Some(&found));
        }
    }

    #[test]
    fn a_value_set_is_found(text in json(), at in any::<prop::sample::Index>(), value in json()) {
        if let Some(pointer) = pointer_at(&text, at.index(text.len()))
            && let Some(span) = find(&text, &pointer)
        {
            let new = set(&text, &pointer, &value).unwrap();
            prop_assert_eq!(&new[..span.start], &text[..span.start]);
            prop_assert!(new.ends_with(&text[span.end..]));
            prop_assert_eq!(find(&new, &pointer).map(|span| &new[span]), Some(value.trim()));
        }
    }
}
