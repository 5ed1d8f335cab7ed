//! Text to tokens.

use std::ops::Range;

use super::{Token, TokenKind, plain};

/// The tokens of any text, also one that is not JSON (what does not fit is `Bad`). Never panics, never loses a byte.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> + '_ {
    Lexer::new(text)
}

/// Every valid token is recognised as such, so a text is JSON when none is `Bad` and their order is right.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The containers around `at`, outermost first: whether each is an object.
    objects: Vec<bool>,
    /// Whether a string would be a key here.
    key_next: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, objects: Vec::new(), key_next: false }
    }

    /// The end of the run of bytes from `start` on that satisfy `belongs`.
    fn run(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[start..];
        start + rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len())
    }

    fn open(&mut self, object: bool) {
        self.objects.push(object);
        self.key_next = object;
    }

    /// Closes the innermost container, whether or not it is of this kind: in a text that lacks a bracket, what follows
    /// is then more often read as it was meant.
    fn close(&mut self) {
        self.objects.pop();
        self.key_next = false;
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let single = start + 1;
        let (kind, end) = match *bytes.get(start)? {
            b'{' => (TokenKind::OpenObject, single),
            b'}' => (TokenKind::CloseObject, single),
            b'[' => (TokenKind::OpenArray, single),
            b']' => (TokenKind::CloseArray, single),
            b':' => (TokenKind::Colon, single),
            b',' => (TokenKind::Comma, single),
            b'"' => match string(bytes, start) {
                Ok(end) if self.key_next => (TokenKind::Key, end),
                Ok(end) => (TokenKind::String, end),
                Err(fault) => (TokenKind::Bad, fault.token_end),
            },
            byte if is_space(byte) => (TokenKind::Space, self.run(start, is_space)),
            _ => {
                let end = self.run(start, |byte| !is_delimiter(byte));
                (word(&bytes[start..end]), end)
            }
        };
        match kind {
            TokenKind::OpenObject => self.open(true),
            TokenKind::OpenArray => self.open(false),
            TokenKind::CloseObject | TokenKind::CloseArray => self.close(),
            TokenKind::Comma => self.key_next = self.objects.last() == Some(&true),
            TokenKind::Space => {}
            _ => self.key_next = false,
        }
        self.at = end;
        Some(Token { kind, span: start..end })
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a word ends before this byte. All are ASCII, so tokens end at character boundaries.
pub(super) fn is_delimiter(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"')
}

fn word(word: &[u8]) -> TokenKind {
    match word {
        b"true" => TokenKind::True,
        b"false" => TokenKind::False,
        b"null" => TokenKind::Null,
        _ if is_number(word) => TokenKind::Number,
        _ => TokenKind::Bad,
    }
}

/// RFC 8259, section 6: `[-] int [frac] [exp]`.
pub(super) fn is_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let [b'.', fraction @ ..] = rest {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let ([b'+' | b'-', exponent @ ..] | exponent) = exponent;
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// What is wrong with a string.
pub(super) enum StringFault {
    /// It has no closing quote before the end of its line.
    Unclosed,
    /// A control character stands in it unescaped.
    Control,
    /// A backslash and a character that is no escape.
    Escape,
    /// `\u` without four hexadecimal digits.
    Unicode,
}

/// The first fault of a string.
pub(super) struct FaultyString {
    pub(super) fault: StringFault,
    /// Where it stands; an unclosed string is at fault where it begins.
    pub(super) at: usize,
    /// Where the string, or its line, ends.
    token_end: usize,
}

/// The end of the string that opens at `start`, after its closing quote.
pub(super) fn string(bytes: &[u8], start: usize) -> Result<usize, FaultyString> {
    let mut at = start + 1;
    let mut first: Option<(StringFault, usize)> = None;
    loop {
        at += plain(&bytes[at..]);
        let fault = match bytes.get(at) {
            None | Some(b'\n' | b'\r') => {
                let (fault, place) = first.unwrap_or((StringFault::Unclosed, start));
                return Err(FaultyString { fault, at: place, token_end: at });
            }
            Some(b'"') => {
                let token_end = at + 1;
                return first.map_or(Ok(token_end), |(fault, at)| Err(FaultyString { fault, at, token_end }));
            }
            Some(b'\\') => match bytes.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                    at += 2;
                    continue;
                }
                Some(b'u') if hex(bytes, at + 2..at + 6) => {
                    at += 6;
                    continue;
                }
                Some(b'u') => StringFault::Unicode,
                _ => StringFault::Escape,
            },
            Some(_) => StringFault::Control,
        };
        first = first.or(Some((fault, at)));
        at += 1;
    }
}

fn hex(bytes: &[u8], range: Range<usize>) -> bool {
    bytes.get(range).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
