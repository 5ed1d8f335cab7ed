//! Wire text made safe for a terminal.
//!
//! ```text
//! ESC NUL TAB   ->  ␛ ␀ ␉          control characters: their picture
//! U+0085        ->  \u{85}         control characters that have none
//! U+202E        ->  ⟨U+202E⟩       what would be invisible, or reorder what is not
//! ```
//!
//! Safe first: only what an emoji needs of the invisible characters stays, and only inside an emoji. So Persian and Indic
//! text shows its joiners, and the flags of England, Scotland and Wales their tags. Of marks that are put on one character
//! a few stay and the others are shown one by one: a letter with a million of them would be one column of megabytes.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Most characters that are joined to the one before them: as many as no language goes beyond (UAX #15, section 13).
const MOST_MARKS: usize = 30;

/// `text` with every control character, escape, bidi control, zero-width or otherwise invisible or format character
/// replaced by a visible symbol, newlines and tabs too (one-line use). Unchanged text is borrowed.
pub fn line(text: &str) -> Cow<'_, str> {
    shown(text, Layout::Line)
}

/// As [`line()`], for text of several lines: `\n` stays, a tab becomes four blanks. A carriage return is shown.
pub fn text(text: &str) -> Cow<'_, str> {
    shown(text, Layout::Text)
}

/// [`line()`] for bytes: what is not UTF-8 is shown as `\xNN`.
pub fn bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return line(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&line(chunk.valid()));
        for byte in chunk.invalid() {
            push(&mut out, format_args!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(out)
}

/// `text` as a text of HTML or XML. It should have gone through [`line()`] or [`text()`]: not every character may stand there.
pub fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// `1 call`, `2 calls`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, what: &str) -> String {
    format!("{number} {what}{}", if number == N::from(1) { "" } else { "s" })
}

/// Bytes as people say them: `512 bytes`, `1.5 KiB`, `2.0 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return count(bytes, "byte");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// An age as people say it: `40s`, `12m`, `5h`, `30d`.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// How long something took, as a sentence says it: `372 µs`, `1.8 ms`, `1843.2 ms`.
#[must_use]
pub fn took(time: Duration) -> String {
    let micros = time.as_micros();
    if micros < 1000 { format!("{micros} µs") } else { format!("{}.{} ms", micros / 1000, micros % 1000 / 100) }
}

/// The columns a line takes on a terminal: the widths of its grapheme clusters, as ratatui lays them out. For text that
/// went through [`line()`].
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// `text` if it fits into `columns`, else as many of its grapheme clusters as do with a `…` after them.
pub fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    // No character takes more columns than it has bytes.
    if text.len() <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let (mut used, mut keep) = (0, 0);
    for (start, cluster) in text.grapheme_indices(true) {
        used += cluster.width();
        if used > columns {
            return Cow::Owned(format!("{}…", &text[..keep]));
        }
        if used < columns {
            keep = start + cluster.len();
        }
    }
    Cow::Borrowed(text)
}

/// `text` as a sentence quotes it: of a long one the beginning. A value of the wire may have megabytes.
pub fn quoted(text: &str) -> Cow<'_, str> {
    truncate(text, 200)
}

/// `text` if it has no more than `most` bytes, else its beginning with a `…` after it: for what would be cut anyway.
pub fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(most)]))
}

/// Two texts that differ, in `columns` each: where both would be cut before they do, what is before that is left out.
pub fn apart(left: &str, right: &str, columns: usize) -> (String, String) {
    let alike = left.graphemes(true).zip(right.graphemes(true)).take_while(|(left, right)| left == right);
    // What stands before the difference tells where it is.
    let before = columns / 4;
    let (mut used, mut starts) = (0, Vec::new());
    for (cluster, _) in alike {
        starts.push(used);
        used += cluster.len();
    }
    let from = match starts.len().checked_sub(before) {
        Some(from) if width(&left[..used]) + 1 >= columns => starts.get(from).copied().unwrap_or(used),
        _ => 0,
    };
    let cut = |text: &str| match from {
        0 => truncate(text, columns).into_owned(),
        _ => truncate(&format!("…{}", &text[from..]), columns).into_owned(),
    };
    (cut(left), cut(right))
}

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Line,
    Text,
}

fn shown(text: &str, layout: Layout) -> Cow<'_, str> {
    let harmless = |byte: u8| matches!(byte, b' '..=b'~') || (byte == b'\n' && layout == Layout::Text);
    if text.bytes().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    // Where the part begins that is not copied yet.
    let mut copied = 0;
    let mut chars = text.char_indices().peekable();
    let mut in_emoji = false;
    let mut before = None;
    let (mut joins, mut marks) = (false, 0);
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let keep = match char {
            '\n' => layout == Layout::Text,
            // Joins two emoji into one.
            '\u{200d}' => in_emoji && next.is_some_and(is_emoji),
            // Asks for the coloured form of the emoji before it.
            '\u{fe0f}' => {
                before.is_some_and(|before| is_emoji(before) || (is_keycap(before) && next == Some('\u{20e3}')))
            }
            _ => !is_hidden(char),
        };
        marks = if joins || char.width() == Some(0) { marks + 1 } else { 0 };
        let keep = keep && marks <= MOST_MARKS;
        joins = keep && char == '\u{200d}';
        in_emoji = is_emoji(char) || (char == '\u{fe0f}' && keep && in_emoji);
        before = Some(char);
        if !keep {
            out.push_str(&text[copied..at]);
            copied = at + char.len_utf8();
            push_symbol(&mut out, char, layout);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn push_symbol(out: &mut String, char: char, layout: Layout) {
    let code = u32::from(char);
    match char {
        '\t' if layout == Layout::Text => out.push_str("    "),
        // The block of control pictures repeats the order of the control characters.
        '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + code)),
        '\u{7f}' => out.push('␡'),
        _ if char.is_control() => push(out, format_args!("\\u{{{code:x}}}")),
        _ => push(out, format_args!("⟨U+{code:04X}⟩")),
    }
}

fn push(out: &mut String, symbol: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(symbol);
}

/// Whether a character has no sign of its own: control and format characters, and the default ignorable ones
/// (Unicode 16, `DerivedCoreProperties.txt`), reserved places included. Format characters that do have a sign, such as
/// the Arabic number signs, are not hidden.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}' // soft hyphen
            | '\u{34f}' // combining grapheme joiner
            | '\u{61c}' // Arabic letter mark
            | '\u{70f}' // Syriac abbreviation mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width space, joiners, direction marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separators, bidi controls
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates, deprecated ones
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{fff0}'..='\u{fffb}' // reserved, interlinear annotation
            | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph format controls
            | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
            | '\u{1d173}'..='\u{1d17a}' // musical format controls
            | '\u{e0000}'..='\u{e0fff}' // tags, more variation selectors
        )
        || is_noncharacter(char)
}

/// U+FDD0..=U+FDEF and the last two of every plane.
fn is_noncharacter(char: char) -> bool {
    matches!(char, '\u{fdd0}'..='\u{fdef}') || u32::from(char) & 0xfffe == 0xfffe
}

/// Whether a character can be (part of) an emoji. The blocks hold other pictures too, all of them visible.
fn is_emoji(char: char) -> bool {
    matches!(
        char,
        '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '〰' | '〽' | '㊗' | '㊙'
            | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{2460}'..='\u{27bf}'
            | '\u{2900}'..='\u{297f}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

fn is_keycap(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '#' | '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_character_has_marks_without_end() {
        let few = format!("a{}b", "\u{301}".repeat(MOST_MARKS));
        assert_eq!(line(&few), few);
        for (first, mark) in [("a", "\u{301}"), ("👩", "\u{200d}👩"), ("", "\u{20dd}"), ("क", "\u{94d}")] {
            let many = format!("{first}{}", mark.repeat(100_000));
            let shown = line(&many);
            let longest = shown.graphemes(true).map(str::len).max().unwrap();
            assert!(longest < 300, "{mark:?}: {longest} bytes");
            assert!(truncate(&shown, 40).len() < 40 * 300);
        }
    }

    #[test]
    fn sizes_and_ages_are_short() {
        assert_eq!([1, 1023, 1536, 2 << 30].map(size), ["1 byte", "1023 bytes", "1.5 KiB", "2.0 GiB"]);
        assert_eq!([119, 120, 7_200, 400_000].map(Duration::from_secs).map(age), ["119s", "2m", "2h", "4d"]);
        let shown = [0, 49, 999, 1_843, 1_843_299].map(Duration::from_micros).map(took);
        assert_eq!(shown, ["0 µs", "49 µs", "999 µs", "1.8 ms", "1843.2 ms"]);
    }

    #[test]
    fn what_could_act_on_a_terminal_is_shown() {
        for (raw, expected) in [
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "␛[2J␛]0;x␇"),
            ("a\r\n\tb\0\u{7f}", "a␍␊␉b␀␡"),
            ("\u{85}\u{9b}31m", "\\u{85}\\u{9b}31m"),
            ("a\u{202e}b\u{2066}", "a⟨U+202E⟩b⟨U+2066⟩"),
            ("\u{feff}a\u{200b}\u{ad}\u{2028}", "⟨U+FEFF⟩a⟨U+200B⟩⟨U+00AD⟩⟨U+2028⟩"),
            ("a\u{fe0f}b\u{fe00}\u{e0100}\u{e0041}", "a⟨U+FE0F⟩b⟨U+FE00⟩⟨U+E0100⟩⟨U+E0041⟩"),
            ("a\u{200d}b 👍\u{200d}b \u{200d}👍", "a⟨U+200D⟩b 👍⟨U+200D⟩b ⟨U+200D⟩👍"),
            ("❤\u{fe0f}\u{fe0f}\u{200d}👍 1\u{fe0f}2", "❤\u{fe0f}⟨U+FE0F⟩⟨U+200D⟩👍 1⟨U+FE0F⟩2"),
            ("\u{ffff}\u{1fffe}", "⟨U+FFFF⟩⟨U+1FFFE⟩"),
        ] {
            assert_eq!(line(raw), expected);
        }
    }

    #[test]
    fn what_people_write_is_borrowed() {
        for plain in [
            "",
            "plain",
            "Καλημέρα, ñandú, 你好, e\u{301}",
            "👩🏽\u{200d}🚀 🏳\u{fe0f}\u{200d}🌈 1\u{fe0f}\u{20e3} ❤\u{fe0f}",
            "a\u{a0}b",
        ] {
            assert!(matches!(line(plain), Cow::Borrowed(same) if same == plain), "{plain}");
        }
        assert!(matches!(text("a\nb"), Cow::Borrowed("a\nb")));
    }

    #[test]
    fn text_keeps_its_lines() {
        assert_eq!(text("{\r\n\t\"a\": \u{1b}\n}"), "{␍\n    \"a\": ␛\n}");
    }

    #[test]
    fn bytes_outside_utf8_are_named() {
        assert_eq!(bytes(b"caf\xe9\n\xff\xc3"), "caf\\xe9␊\\xff\\xc3");
        assert!(matches!(bytes(b"ok"), Cow::Borrowed("ok")));
    }

    #[test]
    fn truncate_cuts_between_clusters() {
        for (columns, expected) in
            [(0, ""), (1, "…"), (2, "a…"), (3, "a…"), (4, "a你…"), (5, "a你e\u{301}…"), (6, "a你e\u{301}👍🏽")]
        {
            assert_eq!(truncate("a你e\u{301}👍🏽", columns), expected, "{columns}");
        }
        assert_eq!(width("a你e\u{301}👍🏽"), 6);
        assert!(matches!(truncate("12345", 5), Cow::Borrowed("12345")));
        assert_eq!((excerpt("a你", 4), excerpt("a你", 3)), ("a你".into(), "a…".into()));
    }

    #[test]
    fn what_differs_late_is_shown_where_it_differs() {
        let told = |left: &str, right: &str| apart(left, right, 8);
        assert_eq!(told("one", "two"), ("one".into(), "two".into()));
        assert_eq!(told("0123456789", "x123456789"), ("0123456…".into(), "x123456…".into()));
        assert_eq!(told("0123456789a", "0123456789b"), ("…89a".into(), "…89b".into()));
        assert_eq!(told("0123456789", "0123456789你你你你"), ("…89".into(), "…89你你…".into()));
        assert_eq!(told("0123456789", "0123456789"), ("…89".into(), "…89".into()));
    }

    /// Mostly the characters that matter.
    fn wild() -> impl Strategy<Value = String> {
        let hidden = "[\\x00-\\x1f\\x7f-\u{9f}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{2069}\u{fe0f}\u{feff}a1❤👍🏽你\u{301}\u{20e3}]{0,12}";
        prop_oneof![hidden.prop_map(String::from), any::<String>()]
    }

    fn is_bidi_control(char: char) -> bool {
        matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }

    proptest! {
        #[test]
        fn nothing_shown_controls(raw in wild()) {
            for (shown, newline) in [(line(&raw), false), (text(&raw), true)] {
                for char in shown.chars() {
                    prop_assert!(!char.is_control() || (newline && char == '\n'), "{:?}", char);
                    prop_assert!(!is_bidi_control(char), "{:?}", char);
                }
            }
        }

        #[test]
        fn showing_twice_changes_nothing(raw in wild()) {
            let once = line(&raw);
            prop_assert_eq!(line(&once), &*once);
        }

        #[test]
        fn truncated_text_fits(raw in wild(), columns in 0_usize..12) {
            let shown = line(&raw);
            let cut = truncate(&shown, columns);
            prop_assert!(width(&cut) <= columns);
            prop_assert_eq!(matches!(cut, Cow::Borrowed(_)) && columns > 0, width(&shown) <= columns && columns > 0);
        }

        #[test]
        fn bytes_never_control(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!bytes(&raw).chars().any(|char| char.is_control() || is_bidi_control(char)));
        }
    }
}
