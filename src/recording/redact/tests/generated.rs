//! What nobody would write by hand: texts that take time, and properties of all texts.

use proptest::prelude::*;

use super::super::depth::Budget;
use super::{body, redaction, with};

/// No text is looked into more often than this many times its length: its budget is 16 times, and what is begun within that may
/// go beyond it.
const MOST: usize = 32;

/// How much of a body is looked into, in bytes, and whether it was no more than may be.
fn looked_into(text: &str) -> (usize, bool) {
    let budget = Budget::of(text.len());
    let _ = redaction().content("", text.as_bytes(), budget.top());
    (budget.spent(), budget.suffices())
}

#[test]
fn hostile_texts_are_masked_in_time() {
    for piece in [
        "password=\"",
        "token='\\",
        "a:",
        "token=;",
        "=",
        ":",
        "<password>",
        "<a><password><![CDATA[",
        "a<password></",
        "a<b>eyJhIjoiYiJ9</b>",
        "%7B%22a%22&",
        "<name>password</name>",
        "https://",
        "://a:",
        "secret: |\n ",
        "{\"name\":\"password\",\"value\":[",
        "%3D",
        "a=%25",
        "a,token:b,",
        "a,token\n",
        "a,token\n\n",
        "\n\r\n",
        "a,token\n\",\"\"\n",
        "token,token\n\"",
        "a,token\n\"a,b\n\",x\n",
        "a,b,c,token\n\",x,\"a,b\n",
        "YXNk",
        "[\"eyJhIjoiYiJ9",
        "<a>&lt;a&gt;&amp;lt;a&amp;gt;",
        "<a>x=&amp;",
        "<a>x<![CDATA[",
        "<![CDATA[]]><!--",
        "a='{\"a\":'<b>",
        "x {\"a\":\n",
        "={\"a\":\"<b>x=%3Cb%3E</b>",
        "={\"a\":\"&#60;</b>=\"<!--",
        "={\"a\":\"&#60;</b></b>==[\"<!--",
        "={\"a\":\"&#60;</b><!--",
        "{\"a\":\"%7B%22&quot;=<b>",
    ] {
        let text = piece.repeat(50_000 / piece.len());
        let (spent, _) = looked_into(&text);
        assert!(spent <= MOST * text.len(), "{piece}: {spent}");
        let call = with(&[], &text);
        // Of this thread: the machine may do other things.
        let now = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
        let begun = now();
        assert!(!redaction().call(&call).request.body.is_empty());
        // Without optimisation: what is not linear within one look takes minutes.
        assert!(now() - begun < 20, "{piece}");
    }
}

/// What programs send, much of it and one thing within another: its budget suffices.
#[test]
fn ordinary_bodies_are_never_masked_whole() {
    let inner =
        r#"{\"id\":17,\"tags\":[\"a\",\"b\"],\"url\":\"https://h/p?q=1&r=2\",\"raw\":\"{\\\"a\\\":\\\"b\\\"}\"}"#;
    let json = format!(r#"{{"id":"evt_1","text":"Hello, \u00e9 <b>you</b> &amp; me","payload":"{inner}"}},"#);
    let log = format!("2026-11-24T10:00:00Z INFO [main] GET /a/b?c=d&e=%7B%22f%22%3A1%7D 200 {{\"in\":\"{inner}\"}}\n");
    let html = "<div class=\"a b\" data-x='{&quot;id&quot;:1}'><a href=\"/p?q=1&amp;r=2\">x &lt;y&gt;</a><br/></div>\n";
    let part = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\na=1&b=2\r\n\
                --x\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n{\"a\":[\"b\"]}\r\n";
    for (before, piece, behind) in [
        ("[", json.as_str(), "0]"),
        ("", log.as_str(), ""),
        ("<!DOCTYPE html><html><body>", html, "</body></html>"),
        ("", part, "--x--\r\n"),
    ] {
        let text = format!("{before}{}{behind}", piece.repeat(250_000 / piece.len()));
        let (spent, suffices) = looked_into(&text);
        assert!(suffices, "{spent} of {}: {piece}", text.len());
        assert!(body(&text) == text, "{piece}");
    }
}

proptest! {
    // Enough: a case is dear without optimisation.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_piece_that_is_repeated_is_looked_into_more_than_so_often(
        piece in proptest::collection::vec(proptest::sample::select(&[
            "<a>", "<b>", "</b>", "<!--", "<![CDATA[", "&lt;", "&#60;", "&quot;", "&", "=", "a=", "?", "#", "/", ";", ",", ":", "://",
            "{\"a\":", "[\"", "{", "[", "\"", "\\\"", "'", "%7B%22", "%3D", "%253D", "\n", "\n\n", " ", "password", "token", "x",
            "YXNk", "eyJhIjoiYiJ9",
        ][..]), 1..=6),
    ) {
        let piece = piece.concat();
        let text = piece.repeat((64 << 10) / piece.len());
        let (spent, _) = looked_into(&text);
        prop_assert!(spent <= MOST * text.len(), "{:?}: {}", piece, spent);
    }
}

proptest! {
    // Enough: a case is dear without optimisation.
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_it_panic(
        pieces in proptest::collection::vec(proptest::sample::select(&[
            "password", "token", "authorization", "name", "value", "api key", "=", ": ", ":", "\"", "\\\"", "\\", "'", "&quot;", "&",
            ";", ",", "\n", "\r\n", " ", "  ", "|", ">", "<", "</", "/>", "<password>", "</password>", "<name>", "</name>",
            "<![CDATA[", "]]>", "<!--", "-->", "&lt;", "&gt;", "&amp;", "&#", "<a>", "</a>", "{", "}", "[", "]", "%3D", "%22", "%253D", "?", "#", "https://", "@", "u:p@h", "Bearer ", "Basic ",
            "\u{e9}", "\u{a0}", "SECRET", "x1", "lower", "a,token\n", "sep=;\n", "\"\"", "\t", "eyJwYXNzd29yZCI6", "IlNFQ1JFVCJ9", "==", "data:;base64,", "4111.1111.1111.1111", "123 45 6789", "[redacted]",
        ][..]), 0..24),
    ) {
        let text = pieces.concat();
        for kind in ["", "application/json", "application/x-www-form-urlencoded"] {
            let call = with(&[("content-type", kind), ("link", &text), ("x-a", &text)], &text);
            let _ = redaction().call(&call);
        }
        let _ = redaction().prose(&text);
    }

    #[test]
    fn a_column_with_a_secret_name_is_masked_and_no_other(
        rows in proptest::collection::vec(("[a-z ,;\"\n\u{e9}]{0,6}", "[a-z ,;\"\n\u{e9}]{0,6}", 0_u32..100), 1..6),
        separator in proptest::sample::select(vec![",", ";", "\t"]),
        end in proptest::sample::select(vec!["\n", "\r\n"]),
    ) {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let table = |secret: &dyn Fn(&str) -> String| {
            let heading = ["city", "password", "n"].join(separator) + end;
            let row = |(city, secret_one, n): &(String, String, u32)| {
                [quoted(city), quoted(&secret(secret_one)), n.to_string()].join(separator) + end
            };
            rows.iter().map(row).fold(heading, |all, row| all + &row)
        };
        let shown = |cell: &str| cell.contains(|char: char| char.is_alphanumeric());
        let from = table(&|cell| cell.to_owned());
        let to = table(&|cell| if shown(cell) { "[redacted]".to_owned() } else { cell.to_owned() });
        prop_assert_eq!(body(&from), &*to);
        prop_assert_eq!(body(&to), &*to);
    }

    #[test]
    fn what_is_masked_is_masked_in_base64_too(
        value in "[a-zA-Z0-9\u{e9} ]{1,12}",
        name in proptest::sample::select(vec!["password", "text"]),
        url_safe in any::<bool>(),
        times in 1..3_usize,
    ) {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

        let mut coded = format!(r#"{{"{name}":"{value}"}}"#);
        for _ in 0..times {
            coded = if url_safe { URL_SAFE_NO_PAD.encode(coded) } else { STANDARD.encode(coded) };
        }
        let from = format!(r#"{{"a":1,"data":"{coded}"}}"#);
        let to = if name == "password" { r#"{"a":1,"data":"[redacted]"}"# } else { &from };
        prop_assert_eq!(body(&from), to);
    }
}
