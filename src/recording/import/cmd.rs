//! The text of a Windows prompt (`cmd`) as words, as browsers copy commands for it. Two read it, one after the other: the
//! prompt takes carets out and splits commands, and the program splits its own line into words, by quotes and backslashes.

use super::shell::Token;

/// Whether a text seems to be written for it: carets quote or end lines, before any quote of another shell.
pub(super) fn is_cmd(text: &[u8]) -> bool {
    let text = text.split(|byte| *byte == b'\'').next().unwrap_or_default();
    // What stands before another shell's quote ends there, not its line.
    let goes_on = |line: &[u8]| line.ends_with(b"\n") && line.trim_ascii_end().ends_with(b" ^");
    text.windows(3).any(|three| three == b" ^\"") || text.split_inclusive(|byte| *byte == b'\n').any(goes_on)
}

/// The tokens of `text`, or the line of a quote that is not closed.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token>, usize> {
    let mut tokens = Vec::new();
    let mut command = Vec::new();
    let (mut at, mut line, mut quoted) = (0, 1, false);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'^' if !quoted => {
                // A line that goes on: what its next begins with is taken as it is, a second line end too.
                let rest = &text[at..];
                let end = [&b"\r\n"[..], b"\n"].into_iter().find(|end| rest.starts_with(end));
                if let Some(end) = end {
                    at += end.len();
                    line += 1;
                    if text[at..].starts_with(b"\r\n") {
                        at += 1;
                    }
                }
                if let Some(&byte) = text.get(at) {
                    at += 1;
                    command.push((byte, line));
                    line += usize::from(byte == b'\n');
                }
            }
            b'\r' if text.get(at) == Some(&b'\n') => {}
            b'\n' => {
                words(&command, &mut tokens)?;
                command.clear();
                tokens.push(Token::End);
                (quoted, line) = (false, line + 1);
            }
            b'&' | b'|' | b'<' | b'>' if !quoted => {
                if byte == b'>' && matches!(command.as_slice(), [.., (b' ', _), (b'0'..=b'9', _)]) {
                    command.pop();
                }
                words(&command, &mut tokens)?;
                command.clear();
                match byte {
                    b'|' => tokens.push(Token::Pipe),
                    b'<' => tokens.push(Token::Input(line)),
                    b'>' => {
                        tokens.push(Token::Output);
                        // `>>`, `>&1`
                        at += text[at..].iter().take_while(|byte| matches!(byte, b'>' | b'&')).count();
                    }
                    _ => tokens.push(Token::End),
                }
            }
            _ => {
                quoted ^= byte == b'"';
                command.push((byte, line));
            }
        }
    }
    words(&command, &mut tokens)?;
    Ok(tokens)
}

/// A program's line as words, as C's library for Windows splits it: `\"` and, between quotes, `""` are a quote, and
/// backslashes stand for themselves unless a quote follows.
fn words(command: &[(u8, usize)], tokens: &mut Vec<Token>) -> Result<(), usize> {
    let mut word: Option<(Vec<u8>, usize)> = None;
    let mut open = None;
    let mut at = 0;
    while let Some(&(byte, line)) = command.get(at) {
        if open.is_none() && matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            tokens.extend(word.take().map(|(word, line)| Token::Word(word, line)));
            at += 1;
            continue;
        }
        let (word, _) = word.get_or_insert_with(|| (Vec::new(), line));
        let slashes = command[at..].iter().take_while(|(byte, _)| *byte == b'\\').count();
        let next = command.get(at + slashes).map(|(byte, _)| *byte);
        at += slashes;
        if slashes > 0 && next == Some(b'"') {
            word.resize(word.len() + slashes / 2, b'\\');
            if slashes % 2 == 1 {
                word.push(b'"');
                at += 1;
            }
        } else if slashes > 0 {
            word.resize(word.len() + slashes, b'\\');
        } else if byte == b'"' {
            at += 1;
            if open.is_some() && matches!(command.get(at), Some((b'"', _))) {
                word.push(b'"');
                at += 1;
            } else {
                open = if open.is_some() { None } else { Some(line) };
            }
        } else {
            word.push(byte);
            at += 1;
        }
    }
    tokens.extend(word.map(|(word, line)| Token::Word(word, line)));
    open.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let word = |token| match token {
            Token::Word(word, _) => String::from_utf8(word).unwrap(),
            other => format!("{other:?}"),
        };
        tokens(text.as_bytes()).unwrap().into_iter().map(word).collect()
    }

    #[test]
    fn what_browsers_copy_is_split() {
        assert_eq!(read("curl \"http://h/x\" ^\r\n  -d \"{\\\"a\\\":1}\""), ["curl", "http://h/x", "-d", "{\"a\":1}"]);
        let chrome = "curl ^\"http://h/x?a=1^&b=^%^41^\" ^\n  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"1^\n\n2^\\^\"^}^\"";
        assert_eq!(read(chrome), ["curl", "http://h/x?a=1&b=%41", "--data-raw", "{\"a\":\"1\n2\"}"]);
        assert_eq!(
            read("curl -d \"{\"\"a\"\":1}\" \"\" c:\\x\\\\ > out 2>&1"),
            ["curl", "-d", "{\"a\":1}", "", "c:\\x\\\\", "Output", "out", "Output", "1"]
        );
        assert_eq!(tokens(b"curl\ncurl \"a"), Err(2));
    }

    #[test]
    fn another_shells_text_is_told_apart() {
        assert!(is_cmd(b"curl \"h\" ^\r\n -v") && is_cmd(b"curl ^\"h^\""));
        assert!(
            !is_cmd(b"curl 'h' -d '{\"re\": ^\"x\"}'") && !is_cmd(b"curl h -d ^'x'") && !is_cmd(b"curl \"h\" \\\n -v")
        );
    }
}
