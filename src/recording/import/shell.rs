//! A shell's text as words: quotes, escapes, comments, pipes. Nothing is expanded or run: where that would have to be, it is
//! a fault.

use super::ImportError;
use crate::recording::export::MASKED;

/// What a shell's text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without its quotes, and the line it begins on.
    Word(Vec<u8>, usize),
    /// `|`
    Pipe,
    /// `>`, `>>`, `2>`: the file is the word behind it.
    Output,
    /// `<`, and the line it stands on.
    Input(usize),
    /// The end of a command: of its line, or `;`.
    End,
    /// Our comment that the command behind it is masked.
    Masked,
}

/// What is wrong with a quote that begins on that line.
pub(super) fn unclosed(line: usize) -> ImportError {
    ImportError::line(line, "this quote is not closed")
}

/// The tokens of `text`, or what keeps it from being read: a quote that is not closed, a variable.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token>, ImportError> {
    let mut shell = Shell { text, at: 0, line: 1, word: None, tokens: Vec::new() };
    while let Some(byte) = shell.next() {
        match byte {
            b'\\' => match shell.next() {
                // A line that goes on.
                Some(b'\n') | None => {}
                Some(b'\r') if shell.peek() == Some(b'\n') => drop(shell.next()),
                Some(byte) => shell.push(byte),
            },
            b'\'' => shell.single()?,
            b'"' => shell.double()?,
            b'$' if shell.peek() == Some(b'\'') => {
                shell.next();
                shell.escaped()?;
            }
            b'#' if shell.word.is_none() => {
                let begin = shell.at;
                while shell.peek().is_some_and(|byte| byte != b'\n') {
                    shell.next();
                }
                if text[begin..shell.at].trim_ascii() == MASKED.as_bytes() {
                    shell.tokens.push(Token::Masked);
                }
            }
            b'$' | b'`' => {
                shell.unexpanded(byte)?;
                shell.push(byte);
            }
            b' ' | b'\t' | b'\r' => shell.end(),
            b'|' => {
                shell.end();
                shell.tokens.push(Token::Pipe);
            }
            b'<' => {
                shell.end();
                shell.tokens.push(Token::Input(shell.line));
            }
            b'>' => shell.output(),
            b'\n' | b';' => {
                shell.end();
                shell.tokens.push(Token::End);
            }
            b'&' if shell.word.is_none() && shell.peek() != Some(b'>') => shell.tokens.push(Token::End),
            byte => shell.push(byte),
        }
    }
    shell.end();
    Ok(shell.tokens)
}

struct Shell<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    /// The word that has begun, and its line.
    word: Option<(Vec<u8>, usize)>,
    tokens: Vec<Token>,
}

impl Shell<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// The word that has begun, or begins here.
    fn word(&mut self) -> &mut Vec<u8> {
        let line = self.line;
        &mut self.word.get_or_insert_with(|| (Vec::new(), line)).0
    }

    fn push(&mut self, byte: u8) {
        self.word().push(byte);
    }

    fn end(&mut self) {
        self.tokens.extend(self.word.take().map(|(word, line)| Token::Word(word, line)));
    }

    /// `>`, of which `2` and `&` say what goes there.
    fn output(&mut self) {
        if self.word.as_ref().is_some_and(|(word, _)| matches!(&word[..], [b'0'..=b'9' | b'&'])) {
            self.word = None;
        }
        self.end();
        while matches!(self.peek(), Some(b'>' | b'&' | b'|')) {
            self.next();
        }
        self.tokens.push(Token::Output);
    }

    /// What a shell would put something in the place of, of which nobody here knows what.
    fn unexpanded(&self, byte: u8) -> Result<(), ImportError> {
        let rest = &self.text[self.at..];
        let what = match (byte, rest.first()) {
            (b'`', _) | (_, Some(b'(')) => {
                "what the shell puts here is the output of a command, which is not run".to_owned()
            }
            (_, Some(b'{' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) => {
                let named = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                let name =
                    rest.strip_prefix(b"{").unwrap_or(rest).iter().take_while(named).map(|byte| char::from(*byte));
                let name: String = name.collect();
                format!("${name} is a variable of the shell, whose value is not known here")
            }
            (_, Some(b'?' | b'!' | b'#' | b'@' | b'*' | b'$' | b'-')) => {
                format!("${} is a variable of the shell, whose value is not known here", char::from(rest[0]))
            }
            _ => return Ok(()),
        };
        let repair = "write it out, or put what is meant as it stands between '...'";
        Err(ImportError::line(self.line, format!("{what}: {repair}")))
    }

    /// `'...'`: all as it is.
    fn single(&mut self) -> Result<(), ImportError> {
        let line = self.line;
        self.word();
        loop {
            match self.next().ok_or_else(|| unclosed(line))? {
                b'\'' => return Ok(()),
                byte => self.push(byte),
            }
        }
    }

    /// `"..."`: a backslash escapes what has a meaning there.
    fn double(&mut self) -> Result<(), ImportError> {
        let line = self.line;
        self.word();
        loop {
            match self.next().ok_or_else(|| unclosed(line))? {
                b'"' => return Ok(()),
                b'\\' => match self.next().ok_or_else(|| unclosed(line))? {
                    b'\n' => {}
                    byte @ (b'"' | b'\\' | b'$' | b'`') => self.push(byte),
                    byte => self.word().extend([b'\\', byte]),
                },
                byte => {
                    if matches!(byte, b'$' | b'`') {
                        self.unexpanded(byte)?;
                    }
                    self.push(byte);
                }
            }
        }
    }

    /// `$'...'`: escapes as in C.
    fn escaped(&mut self) -> Result<(), ImportError> {
        let line = self.line;
        self.word();
        loop {
            let byte = match self.next().ok_or_else(|| unclosed(line))? {
                b'\'' => return Ok(()),
                b'\\' => match self.next().ok_or_else(|| unclosed(line))? {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'v' => 11,
                    b'f' => 12,
                    b'e' | b'E' => 27,
                    b'x' => self.digits(16, 2, 0).try_into().unwrap_or_default(),
                    digit @ b'0'..=b'7' => (self.digits(8, 2, u32::from(digit - b'0')) & 0xff).try_into().unwrap_or(0),
                    letter @ (b'u' | b'U') => {
                        let code = self.digits(16, if letter == b'u' { 4 } else { 8 }, 0);
                        let char = self.pair(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                        self.word().extend(char.encode_utf8(&mut [0; 4]).bytes());
                        continue;
                    }
                    byte @ (b'\\' | b'\'' | b'"' | b'?') => byte,
                    byte => {
                        self.push(b'\\');
                        byte
                    }
                },
                byte => byte,
            };
            self.push(byte);
        }
    }

    /// A character beyond the first 65536, which browsers write as two halves.
    fn pair(&mut self, high: u32) -> Option<char> {
        let second = (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with(b"\\u");
        if !second {
            return char::from_u32(high);
        }
        self.at += 2;
        let low = self.digits(16, 4, 0);
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low.checked_sub(0xdc00)?)
    }

    /// A number of at most `most` more digits.
    fn digits(&mut self, radix: u32, most: usize, mut number: u32) -> u32 {
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(radix)) else { break };
            number = number * radix + digit;
            self.at += 1;
        }
        number
    }
}
