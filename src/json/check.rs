//! The strict grammar over the tokens, and a name for every way to break it.

use std::ops::Range;

use super::lexer::{Lexer, StringFault, string};
use super::{SyntaxError, Token, TokenKind, line_of};

/// How deep containers may stand in each other.
pub const DEPTH_LIMIT: usize = 512;

/// Strict RFC 8259 check of the whole text.
///
/// # Errors
/// The first fault, with its place. Nesting beyond [`DEPTH_LIMIT`] is one.
pub fn check(text: &str) -> Result<(), SyntaxError> {
    significant(text).try_for_each(|token| token.map(drop))
}

/// The tokens of a text without its white space, each checked to be in its place. The first fault is the last item.
pub(super) fn significant(text: &str) -> impl Iterator<Item = Result<Token, SyntaxError>> + '_ {
    Grammar { text, lexer: Lexer::new(text), open: Vec::new(), expect: Expect::Value, last: None, done: false }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    CommaOrClose,
    End,
}

struct Grammar<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The brackets that are open, outermost first: where each stands.
    open: Vec<usize>,
    expect: Expect,
    /// The significant token before.
    last: Option<Token>,
    done: bool,
}

impl Iterator for Grammar<'_> {
    type Item = Result<Token, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let Some(token) = self.lexer.find(|token| token.kind != TokenKind::Space) else {
            self.done = true;
            return (self.expect != Expect::End).then(|| Err(self.unfinished()));
        };
        let Some(next) = self.accept(&token) else {
            self.done = true;
            return Some(Err(self.fault(&token)));
        };
        self.expect = next;
        self.last = Some(token.clone());
        Some(Ok(token))
    }
}

impl Grammar<'_> {
    /// Takes a token and tells what may follow it, unless it is out of place.
    fn accept(&mut self, token: &Token) -> Option<Expect> {
        let may_close = matches!(self.expect, Expect::ValueOrClose | Expect::KeyOrClose | Expect::CommaOrClose);
        match token.kind {
            TokenKind::Bad | TokenKind::Space => None,
            TokenKind::Key => matches!(self.expect, Expect::Key | Expect::KeyOrClose).then_some(Expect::Colon),
            TokenKind::Colon => (self.expect == Expect::Colon).then_some(Expect::Value),
            TokenKind::Comma => match (self.expect, self.in_object()) {
                (Expect::CommaOrClose, Some(true)) => Some(Expect::Key),
                (Expect::CommaOrClose, Some(false)) => Some(Expect::Value),
                _ => None,
            },
            TokenKind::CloseObject | TokenKind::CloseArray => {
                if !may_close || self.in_object()? != (token.kind == TokenKind::CloseObject) {
                    return None;
                }
                self.open.pop();
                Some(self.after_value())
            }
            _ if !matches!(self.expect, Expect::Value | Expect::ValueOrClose) => None,
            TokenKind::OpenObject | TokenKind::OpenArray => {
                if self.open.len() == DEPTH_LIMIT {
                    return None;
                }
                self.open.push(token.span.start);
                Some(if token.kind == TokenKind::OpenObject { Expect::KeyOrClose } else { Expect::ValueOrClose })
            }
            TokenKind::String | TokenKind::Number | TokenKind::True | TokenKind::False | TokenKind::Null => {
                Some(self.after_value())
            }
        }
    }

    fn after_value(&self) -> Expect {
        if self.open.is_empty() { Expect::End } else { Expect::CommaOrClose }
    }

    /// Whether the innermost container is an object; none at the top.
    fn in_object(&self) -> Option<bool> {
        self.open.last().map(|&start| self.text.as_bytes()[start] == b'{')
    }

    fn error(&self, offset: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.text, offset, message)
    }

    /// Why the text may not end here.
    fn unfinished(&self) -> SyntaxError {
        let message = match (self.open.last(), self.in_object()) {
            (Some(&start), Some(object)) => {
                let what = if object { "object" } else { "array" };
                format!("the text ends inside the {what} that opens on line {}", line_of(self.text, start))
            }
            _ => "there is no JSON value here".to_owned(),
        };
        self.error(self.text.len(), message)
    }

    /// Why a token may not stand here.
    fn fault(&self, token: &Token) -> SyntaxError {
        let start = token.span.start;
        let what = noun(token.kind);
        let after_comma = self.last.as_ref().filter(|last| last.kind == TokenKind::Comma);
        let key_expected = matches!(self.expect, Expect::Key | Expect::KeyOrClose);
        let message = match (token.kind, self.expect) {
            (TokenKind::Bad, _) => return self.bad(token, key_expected),
            (kind, _) if kind.is_close() => match (after_comma, self.in_object()) {
                (_, None) => format!("this {what} closes nothing"),
                (Some(comma), _) => return self.error(comma.span.start, "trailing comma: nothing follows it"),
                (_, Some(object)) if object != (kind == TokenKind::CloseObject) => {
                    let opener = if object { "{" } else { "[" };
                    let line = line_of(self.text, *self.open.last().unwrap_or(&0));
                    format!("this {what} does not match the `{opener}` of line {line}")
                }
                _ => format!("a value is missing before this {what}"),
            },
            (_, Expect::End) => "the JSON value has ended, but more text follows".to_owned(),
            (TokenKind::Comma, _) if after_comma.is_some() => "there is one comma too many".to_owned(),
            (TokenKind::Comma, Expect::KeyOrClose | Expect::ValueOrClose) => {
                "nothing stands before this comma".to_owned()
            }
            (TokenKind::Comma, Expect::Colon) => "a colon and a value are missing before this comma".to_owned(),
            (TokenKind::Comma, _) => "a value is missing before this comma".to_owned(),
            (TokenKind::Colon, Expect::CommaOrClose) if self.in_object() == Some(false) => {
                "a colon does not belong in an array".to_owned()
            }
            (TokenKind::Colon, _) if key_expected => "a key is missing before this colon".to_owned(),
            (TokenKind::Colon, _) => "this colon is out of place".to_owned(),
            (_, Expect::CommaOrClose) => format!("a comma is missing before this {what}"),
            (_, Expect::Colon) => format!("a colon is missing before this {what}"),
            (_, Expect::Key | Expect::KeyOrClose) => {
                format!("a key must be a string in double quotes, not this {what}")
            }
            (_, Expect::Value | Expect::ValueOrClose) => format!("nested more than {DEPTH_LIMIT} levels deep"),
        };
        self.error(start, message)
    }

    /// What is wrong with a token that is none.
    fn bad(&self, token: &Token, key_expected: bool) -> SyntaxError {
        let source = &self.text[token.span.clone()];
        if source.starts_with('"') {
            return self.bad_string(&token.span);
        }
        let first = source.chars().next().unwrap_or_default();
        let message = match source {
            _ if first == '\u{feff}' => "a byte order mark (U+FEFF) does not belong in JSON".to_owned(),
            _ if first == '\'' => "single quotes are not JSON: use double quotes".to_owned(),
            _ if "\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}".contains(first) => {
                "typographic quotes are not JSON: use \"".to_owned()
            }
            _ if source.starts_with("//") || source.starts_with("/*") || first == '#' => {
                "JSON has no comments".to_owned()
            }
            _ if first.is_control() || first.is_whitespace() => {
                format!("the character U+{:04X} is not white space in JSON", u32::from(first))
            }
            _ if key_expected => "a key must stand in double quotes".to_owned(),
            "True" | "False" => format!("JSON writes `{}`, in small letters", source.to_lowercase()),
            "None" | "nil" | "NULL" | "Null" | "undefined" => "JSON writes `null` for no value".to_owned(),
            "NaN" | "Infinity" | "-Infinity" => "JSON has no number for this: write `null` or a string".to_owned(),
            _ if first.is_ascii_digit() || "+-.".contains(first) => bad_number(source).to_owned(),
            // Not the text itself: what says this may be told where the text is masked.
            _ => "this is not JSON: text needs double quotes".to_owned(),
        };
        self.error(token.span.start, message)
    }

    fn bad_string(&self, span: &Range<usize>) -> SyntaxError {
        // A `Bad` token with an opening quote is a string with a fault: the lexer asked the same function.
        let Err(fault) = string(self.text.as_bytes(), span.start) else {
            return self.error(span.start, "this string is faulty");
        };
        let mut there = self.text[fault.at..].chars();
        let message = match fault.fault {
            StringFault::Unclosed => "this string is not closed".to_owned(),
            StringFault::Control => {
                let code = u32::from(there.next().unwrap_or_default());
                format!("control character in string: write U+{code:04X} as an escape, `\\u{code:04x}`")
            }
            StringFault::Escape => match there.nth(1) {
                Some(escaped) if !escaped.is_control() => {
                    let escaped = escaped.escape_debug();
                    format!("`\\{escaped}` is no escape of JSON: a backslash itself is written `\\\\`")
                }
                _ => "a backslash itself is written `\\\\`".to_owned(),
            },
            StringFault::Unicode => "`\\u` needs four hexadecimal digits".to_owned(),
        };
        self.error(fault.at, message)
    }
}

fn bad_number(source: &str) -> &'static str {
    let unsigned = source.trim_start_matches(['-', '+']);
    let digit_after = |mark: char| {
        unsigned
            .split_once(mark)
            .is_none_or(|(_, rest)| rest.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit()))
    };
    if source.starts_with('+') {
        "a number has no plus sign in JSON"
    } else if unsigned.starts_with('.') {
        "a number begins with a digit: write 0.5, not .5"
    } else if unsigned.starts_with(['x', 'X']) || unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        "JSON has only decimal numbers"
    } else if unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit() {
        "a number has no leading zero in JSON"
    } else if !digit_after('.') {
        "digits are missing after the decimal point"
    } else if unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) && !digit_after('e') {
        "digits are missing in the exponent"
    } else {
        "this is not a number: text needs double quotes"
    }
}

fn noun(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Key | TokenKind::String => "string",
        TokenKind::Number => "number",
        TokenKind::True => "`true`",
        TokenKind::False => "`false`",
        TokenKind::Null => "`null`",
        TokenKind::OpenObject => "object",
        TokenKind::OpenArray => "array",
        TokenKind::CloseObject => "`}`",
        TokenKind::CloseArray => "`]`",
        TokenKind::Colon => "colon",
        TokenKind::Comma => "comma",
        TokenKind::Space | TokenKind::Bad => "text",
    }
}
