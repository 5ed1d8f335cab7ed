//! JSON text with other white space, or as another program would have written it.

use std::fmt::Write as _;

use super::check::significant;
use super::string::{chars, inner};
use super::{SyntaxError, TokenKind};

/// How much longer than a text it may be when it is written anew: each line of deeply nested JSON is indented, so that some
/// megabytes would take gigabytes.
const TIMES_LONGER: usize = 7;
const MOST_LONGER: usize = 64 << 20;
/// A short text may be indented as it likes.
const FREE: usize = 1 << 20;

/// Why a JSON text is not written anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// It is not JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It would be too long.
    #[error("nested too deep to be laid out")]
    Long,
}

/// Two-space indentation, one member a line, tokens untouched (`1e3`, `\u00e4`, duplicate keys stay as they are). Empty
/// containers stay `{}` and `[]`. No line end after the last line.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn pretty(text: &str) -> Result<String, PrintError> {
    let mut depth = 0;
    print(text, copy, |out, before, after| {
        depth += usize::from(before.is_open());
        depth -= usize::from(after.is_close());
        if before == TokenKind::Colon {
            out.push(' ');
        } else if before == TokenKind::Comma || before.is_open() != after.is_close() {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    })
}

/// All insignificant white space removed, tokens untouched.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn compact(text: &str) -> Result<String, PrintError> {
    print(text, copy, |_, _, _| ())
}

/// On one line, spaced as Python's `json.dumps` does (`", "` and `": "`), tokens untouched.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn spaced(text: &str) -> Result<String, PrintError> {
    print(text, copy, python_space)
}

/// What `json.dumps(json.loads(text))` of Python probably gives: its spacing, and every character but printable ASCII
/// escaped. An approximation, for telling that a body was re-serialised: numbers and duplicate keys stay as they are,
/// where Python would write `1e3` as `1000.0` and keep the last of the duplicates.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn python_dumps(text: &str) -> Result<String, PrintError> {
    let string = |out: &mut String, literal: &str| {
        rewrite(out, literal, |char| matches!(char, ' '..='~'));
    };
    print(text, string, python_space)
}

/// What `JSON.stringify(JSON.parse(text))` of JavaScript probably gives: no white space, and only quotes, backslashes,
/// control characters and lone surrogates escaped. An approximation, for telling that a body was re-serialised: numbers
/// and members stay as they are, where JavaScript would write `1e3` as `1000`, keep the last of duplicate keys and move
/// keys such as `"7"` to the front.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn javascript_stringify(text: &str) -> Result<String, PrintError> {
    let string = |out: &mut String, literal: &str| {
        rewrite(out, literal, |char| char >= ' ');
    };
    print(text, string, |_, _, _| ())
}

/// Writes the significant tokens: strings and keys by `string`, the others as they are, and by `gap` what stands between
/// two of them.
fn print(
    text: &str,
    string: impl Fn(&mut String, &str),
    mut gap: impl FnMut(&mut String, TokenKind, TokenKind),
) -> Result<String, PrintError> {
    let most = text.len() + (TIMES_LONGER * text.len() + FREE).min(MOST_LONGER);
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for token in significant(text) {
        if out.len() > most {
            return Err(PrintError::Long);
        }
        let token = token?;
        if let Some(before) = before {
            gap(&mut out, before, token.kind);
        }
        let source = &text[token.span];
        match token.kind {
            TokenKind::Key | TokenKind::String => string(&mut out, source),
            _ => out.push_str(source),
        }
        before = Some(token.kind);
    }
    Ok(out)
}

fn copy(out: &mut String, literal: &str) {
    out.push_str(literal);
}

fn python_space(out: &mut String, before: TokenKind, _after: TokenKind) {
    if matches!(before, TokenKind::Comma | TokenKind::Colon) {
        out.push(' ');
    }
}

/// Writes a string literal anew, with escapes for quotes, backslashes and what is not `plain`. Both languages use the
/// short escapes where there is one, and lower-case hexadecimal digits.
fn rewrite(out: &mut String, literal: &str, plain: impl Fn(char) -> bool) {
    let inner = inner(literal);
    if !inner.contains('\\') && inner.chars().all(&plain) {
        return out.push_str(literal);
    }
    let unicode = |out: &mut String, unit: u16| {
        // Writing to a String does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    };
    out.push('"');
    for char in chars(inner) {
        match char {
            Ok('"') => out.push_str("\\\""),
            Ok('\\') => out.push_str("\\\\"),
            Ok('\u{8}') => out.push_str("\\b"),
            Ok('\u{c}') => out.push_str("\\f"),
            Ok('\n') => out.push_str("\\n"),
            Ok('\r') => out.push_str("\\r"),
            Ok('\t') => out.push_str("\\t"),
            Ok(char) if plain(char) => out.push(char),
            Ok(char) => char.encode_utf16(&mut [0; 2]).iter().for_each(|&unit| unicode(out, unit)),
            Err(lone) => unicode(out, lone),
        }
    }
    out.push('"');
}
