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
    indented(text, 2)
}

/// As [`pretty`], with `by` spaces.
///
/// # Errors
/// As of it.
pub fn indented(text: &str, by: usize) -> Result<String, PrintError> {
    print(text, copy, lines(by))
}

/// As [`python_dumps`], with its `indent`.
///
/// # Errors
/// As of it.
pub fn python_indented(text: &str, indent: usize) -> Result<String, PrintError> {
    print(text, ascii, lines(indent))
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
    print(text, ascii, python_space)
}

/// What `JSON.stringify(JSON.parse(text))` of JavaScript probably gives: no white space, and only quotes, backslashes,
/// control characters and lone surrogates escaped; `1.0` and `1e3` become `1` and `1000`. An approximation, for telling that a
/// body was re-serialised: members stay as they are, where JavaScript would keep the last of duplicate keys and move keys such
/// as `"7"` to the front.
///
/// # Errors
/// If the text is not JSON, or too long when it is written so.
pub fn javascript_stringify(text: &str) -> Result<String, PrintError> {
    let literal = |out: &mut String, kind: TokenKind, literal: &str| match kind {
        TokenKind::Number => number(out, literal),
        _ => rewrite(out, literal, |char| char >= ' '),
    };
    print(text, literal, |_, _, _| ())
}

/// Writes the significant tokens: strings, keys and numbers by `literal`, the others as they are, and by `gap` what stands
/// between two of them.
fn print(
    text: &str,
    literal: impl Fn(&mut String, TokenKind, &str),
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
            TokenKind::Key | TokenKind::String | TokenKind::Number => literal(&mut out, token.kind, source),
            _ => out.push_str(source),
        }
        before = Some(token.kind);
    }
    Ok(out)
}

fn copy(out: &mut String, _kind: TokenKind, literal: &str) {
    out.push_str(literal);
}

/// Every character but printable ASCII escaped.
fn ascii(out: &mut String, kind: TokenKind, literal: &str) {
    match kind {
        TokenKind::Number => out.push_str(literal),
        _ => rewrite(out, literal, |char| matches!(char, ' '..='~')),
    }
}

/// As JavaScript writes it: the shortest digits that mean the same number, with an exponent from 1e21 on and below 1e-6.
fn number(out: &mut String, literal: &str) {
    // Writing to a String does not fail.
    let _ = match literal.parse::<f64>() {
        Ok(0.0) => write!(out, "0"),
        Ok(number) if (1e-6..1e21).contains(&number.abs()) => write!(out, "{number}"),
        Ok(number) if number.is_finite() => {
            write!(out, "{}", format!("{number:e}").replace('e', if number.abs() < 1.0 { "e" } else { "e+" }))
        }
        _ => write!(out, "{literal}"),
    };
}

/// One member a line, each level `by` spaces further in.
fn lines(by: usize) -> impl FnMut(&mut String, TokenKind, TokenKind) {
    let mut depth = 0;
    move |out, before, after| {
        depth += usize::from(before.is_open());
        depth -= usize::from(after.is_close());
        if before == TokenKind::Colon {
            out.push(' ');
        } else if before == TokenKind::Comma || before.is_open() != after.is_close() {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', by * depth));
        }
    }
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
