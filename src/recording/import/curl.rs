//! Commands for curl: ours, those that browsers copy, and those in people's documents. None is run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use memchr::memmem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::shell::{Token, tokens, unclosed};
use super::{Foreign, ImportError, Imported, address, check, cmd};
use crate::call::{Call, Request};
use crate::recording::redact::MASK;

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Imported, ImportError> {
    let tokens = if cmd::is_cmd(text) { cmd::tokens(text).map_err(unclosed) } else { tokens(text) }?;
    let (mut found, mut masked) = (Imported::default(), false);
    let mut foreign = Foreign::new(now);
    for command in tokens.split(|token| *token == Token::End) {
        match command {
            [] => {}
            [Token::Masked] => masked = true,
            _ => match call(command, std::mem::take(&mut masked), &mut foreign) {
                Ok(call) => found.calls.push(call),
                Err(error) => found.leave_out(error),
            },
        }
    }
    Ok(found)
}

/// One line of a shell: `curl ...`, or `printf %s BASE64 | base64 -d | curl ... --data-binary @-`.
fn call(command: &[Token], masked: bool, foreign: &mut Foreign) -> Result<Call, ImportError> {
    let mut parts: Vec<Vec<(&[u8], usize)>> = vec![Vec::new()];
    let mut tokens = command.iter();
    while let Some(token) = tokens.next() {
        match (token, parts.last_mut()) {
            (Token::Word(word, line), Some(part)) => part.push((word, *line)),
            // Where the answer went says nothing of the request, no more than `--output` does.
            (Token::Output, _) => drop(tokens.next()),
            (Token::Masked, _) => {}
            (Token::Input(line), _) => {
                return Err(ImportError::line(*line, "`<` reads a file: put its content here, with --data-raw"));
            }
            _ => parts.push(Vec::new()),
        }
    }
    let line = parts.iter().flatten().map(|(_, line)| *line).next().unwrap_or(1);
    let fault = |message: &str| ImportError::line(line, message);
    // A prompt that was copied as well.
    if let Some(first) = parts.first_mut()
        && matches!(first.first(), Some((b"$", _)))
    {
        first.remove(0);
    }
    let (input, curl) = match parts.as_slice() {
        [curl] => (None, curl),
        [printf, base64, curl] => match (printf.as_slice(), base64.as_slice()) {
            ([(b"printf", _), (b"%s", _), (text, _)], [(b"base64", _), (b"-d" | b"--decode", _)]) => {
                let bytes = BASE64.decode(text).map_err(|error| fault(&format!("this is not base64: {error}")))?;
                (Some(bytes), curl)
            }
            _ => return Err(fault("only `printf %s BASE64 | base64 -d |` is understood before curl")),
        },
        _ => return Err(fault("a pipe is not understood here: leave only the curl command")),
    };
    let Some(((b"curl" | b"curl.exe", _), words)) = curl.split_first() else {
        return Err(fault("this is no curl command"));
    };
    let mut reading = Reading { input, ..Reading::default() };
    let mut words = words.iter().copied();
    while let Some((word, line)) = words.next() {
        let mut argument = || words.next().map(|(word, _)| word);
        reading.word(word, &mut argument).map_err(|message| ImportError::line(line, message))?;
    }
    let mut request = reading.request().map_err(|message| fault(&message))?;
    request.redacted = masked || is_masked(&request);
    check(&request, None, false).map_err(|message| fault(&message))?;
    Ok(foreign.call(None, Duration::ZERO, request, None))
}

/// Whether our mask stands where no platform writes one. A text in a body may say anything.
fn is_masked(request: &Request) -> bool {
    let is_in = |text: &[u8]| memmem::find(text, MASK.as_bytes()).is_some();
    is_in(request.target.as_bytes()) || request.headers.iter().any(|(_, value)| is_in(value))
}

/// What curl escapes in a form: all but `A-Z a-z 0-9 - . _ ~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Options that say how to send and not what, with an argument.
const ARGUMENT: &[&str] = &[
    "-o",
    "--output",
    "-w",
    "--write-out",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "-x",
    "--proxy",
    "--cacert",
    "--capath",
    "-E",
    "--cert",
    "--key",
    "--resolve",
    "--connect-to",
    "-D",
    "--dump-header",
    "-c",
    "--cookie-jar",
    "--limit-rate",
    "--interface",
    "--stderr",
    "--trace",
    "--trace-ascii",
    "--ciphers",
    "--tls-max",
    "--max-redirs",
    "--unix-socket",
    "--dns-servers",
];

/// Options of that sort without one.
const FLAG: &[&str] = &[
    "-s",
    "--silent",
    "-S",
    "--show-error",
    "-k",
    "--insecure",
    "-L",
    "--location",
    "-v",
    "--verbose",
    "-i",
    "--include",
    "--show-headers",
    "-f",
    "--fail",
    "--fail-with-body",
    "--compressed",
    "--http1.0",
    "--http1.1",
    "-0",
    "--http2",
    "--http2-prior-knowledge",
    "--http3",
    "--path-as-is",
    "-N",
    "--no-buffer",
    "-#",
    "--progress-bar",
    "-O",
    "--remote-name",
    "-J",
    "--tlsv1.2",
    "--tlsv1.3",
    "-4",
    "--ipv4",
    "-6",
    "--ipv6",
    "--no-progress-meter",
    "--no-keepalive",
    "--location-trusted",
    "--post301",
    "--post302",
    "--post303",
    "-q",
    "--disable",
];

/// What a command's words have said so far.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "options of curl that are there or not")]
struct Reading {
    /// What stands on its standard input.
    input: Option<Vec<u8>>,
    url: Option<String>,
    method: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    /// What `--user` says.
    user: Option<Vec<u8>>,
    cookies: Vec<Vec<u8>>,
    /// What stands in the request line in place of the address's path.
    target: Option<String>,
    /// Headers that are not to be sent.
    without: Vec<String>,
    body: Option<Vec<u8>>,
    json: bool,
    get: bool,
    head: bool,
    /// Brackets and braces in the address are meant as they stand.
    plain: bool,
}

impl Reading {
    fn word<'a>(&mut self, word: &'a [u8], argument: &mut dyn FnMut() -> Option<&'a [u8]>) -> Result<(), String> {
        let text = || str::from_utf8(word).map_err(|_| "this option is not UTF-8".to_owned());
        if word.len() < 2 || !word.starts_with(b"-") {
            if self.url.is_some() {
                return Err("this is a second address: write a command for each".into());
            }
            self.url = Some(text()?.to_owned());
            return Ok(());
        }
        if word.starts_with(b"--") {
            let option = text()?;
            let (option, own) = match option.split_once('=') {
                Some((option, own)) => (option, Some(own.as_bytes())),
                None => (option, None),
            };
            return self.option(option, &mut || own.or_else(&mut *argument));
        }
        // Several letters in one word; what follows a letter that takes an argument is that.
        for (index, letter) in word.iter().enumerate().skip(1) {
            let option = format!("-{}", char::from(*letter));
            let rest = &word[index + 1..];
            let mut taken = false;
            let mut own = || {
                taken = true;
                if rest.is_empty() { argument() } else { Some(rest) }
            };
            self.option(&option, &mut own)?;
            if taken {
                break;
            }
        }
        Ok(())
    }

    fn option<'a>(&mut self, option: &str, argument: &mut dyn FnMut() -> Option<&'a [u8]>) -> Result<(), String> {
        if FLAG.contains(&option) {
            return Ok(());
        }
        if matches!(option, "-G" | "--get") {
            self.get = true;
            return Ok(());
        }
        if matches!(option, "-g" | "--globoff") {
            self.plain = true;
            return Ok(());
        }
        if matches!(option, "-I" | "--head") {
            self.head = true;
            return Ok(());
        }
        let mut value = || argument().ok_or_else(|| format!("{option} has no argument"));
        let mut string = || Ok::<_, String>(String::from_utf8_lossy(value()?).into_owned());
        match option {
            "-X" | "--request" => self.method = Some(string()?),
            "--url" => self.url = Some(string()?),
            "-H" | "--header" => self.header(value()?)?,
            "-A" | "--user-agent" => self.headers.push(("user-agent".into(), value()?.to_vec())),
            "-e" | "--referer" => self.headers.push(("referer".into(), value()?.to_vec())),
            "-b" | "--cookie" => match value()? {
                [] => {}
                cookies if cookies.contains(&b'=') => self.cookies.push(cookies.to_vec()),
                _ => return Err(format!("{option} names a file, which is not read: give its cookies as NAME=VALUE")),
            },
            "-u" | "--user" => self.user = Some(value()?.to_vec()),
            "--request-target" => self.target = Some(string()?),
            "--oauth2-bearer" => self.headers.push(("authorization".into(), [b"Bearer ", value()?].concat())),
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let bytes = self.data(value()?)?;
                self.add(&bytes);
            }
            "--data-raw" => self.add(value()?),
            "--json" => {
                let bytes = self.data(value()?)?;
                self.body.get_or_insert_default().extend(bytes);
                self.json = true;
            }
            "--data-urlencode" => {
                let text = value()?;
                let (name, content) = match text.iter().position(|byte| *byte == b'=') {
                    Some(at) => (&text[..at], &text[at + 1..]),
                    None if text.contains(&b'@') => {
                        return Err(format!(
                            "{option} names a file, which is not read: give its content as NAME=CONTENT"
                        ));
                    }
                    None => (&[][..], text),
                };
                // curl writes a blank as a plus since 7.75.
                let content = percent_encode(content, ESCAPED).to_string().replace("%20", "+");
                let equals: &[u8] = if name.is_empty() { b"" } else { b"=" };
                self.add(&[name, equals, content.as_bytes()].concat());
            }
            _ if ARGUMENT.contains(&option) => drop(value()?),
            "-F" | "--form" | "-T" | "--upload-file" => {
                return Err(format!("{option} is not understood here: give the body with --data-raw"));
            }
            _ => return Err(format!("curl's option {option} is not known here: leave it out if it changes nothing")),
        }
        Ok(())
    }

    fn header(&mut self, field: &[u8]) -> Result<(), String> {
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match field.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let value = field[colon + 1..].trim_ascii();
                if value.is_empty() {
                    self.without.push(name(&field[..colon]));
                } else {
                    self.headers.push((name(&field[..colon]), value.to_vec()));
                }
                Ok(())
            }
            None => match field.strip_suffix(b";") {
                Some(field) => {
                    self.headers.push((name(field), Vec::new()));
                    Ok(())
                }
                None => Err(format!("{:?} is no header: write NAME: VALUE", name(field))),
            },
        }
    }

    /// What `@-` means, or the text itself.
    fn data(&mut self, text: &[u8]) -> Result<Vec<u8>, String> {
        match text {
            b"@-" => self.input.take().ok_or_else(|| "what stands on standard input is not known here".to_owned()),
            [b'@', ..] => Err("a file is not read: put its content here, with --data-raw".to_owned()),
            _ => Ok(text.to_vec()),
        }
    }

    /// Parts of a form stand behind each other.
    fn add(&mut self, bytes: &[u8]) {
        let body = self.body.get_or_insert_default();
        if !body.is_empty() {
            body.push(b'&');
        }
        body.extend(bytes);
    }

    /// Adds what curl makes itself of an option, unless a header says it.
    fn add_made(&mut self, name: &str, value: Vec<u8>) {
        if !self.has(name) && !self.without.iter().any(|without| without.eq_ignore_ascii_case(name)) {
            self.headers.push((name.to_owned(), value));
        }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn request(mut self) -> Result<Request, String> {
        let url = self.url.take().ok_or("this command has no address")?;
        let url = if self.plain { url } else { unglobbed(&url)? };
        // As curl does.
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        let mut address = address(&url)?;
        let user = self.user.take().or_else(|| {
            let user = address.user?;
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let [name, password] = [name, password].map(|part| percent_decode_str(part).collect::<Vec<u8>>());
            Some([name, b":".to_vec(), password].concat())
        });
        if let Some(user) = user {
            self.add_made("authorization", format!("Basic {}", BASE64.encode(user)).into());
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.join(&b';');
            self.add_made("cookie", cookies);
        }
        let mut body = self.body.take();
        if self.get
            && let Some(parameters) = body.take()
        {
            address.target.push(if address.target.contains('?') { '&' } else { '?' });
            address.target.push_str(&String::from_utf8_lossy(&parameters));
        }
        if let Some(target) = self.target.take() {
            address.target = target;
        }
        let default = if self.head {
            "HEAD"
        } else if body.is_some() {
            "POST"
        } else {
            "GET"
        };
        if body.is_some() {
            let form = "application/x-www-form-urlencoded";
            let content_type = if self.json { "application/json" } else { form };
            self.add_made("content-type", content_type.into());
        }
        if self.json {
            self.add_made("accept", "application/json".into());
        }
        let mut request = Request {
            method: self.method.unwrap_or_else(|| default.to_owned()),
            headers: self.headers.into_iter().collect(),
            body: body.unwrap_or_default().into(),
            ..Request::default()
        };
        address.put(&mut request);
        Ok(request)
    }
}

/// The address as curl calls it: a backslash has a bracket or a brace stand for itself, which else make several addresses.
fn unglobbed(url: &str) -> Result<String, String> {
    let begin = url.find("://").map_or(0, |at| at + 3);
    // An address of IPv6 is no range.
    let host = if url[begin..].starts_with('[') { url[begin..].find(']').map_or(0, |end| end + 1) } else { 0 };
    let (before, rest) = url.split_at(begin + host);
    let mut plain = before.to_owned();
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(|next| "[]{}".contains(*next)) => plain.extend(letters.next()),
            '[' | ']' | '{' | '}' => {
                return Err(format!(
                    "curl makes several addresses of the {letter} in {url:?}: write a command for each, or --globoff if it is meant as it stands"
                ));
            }
            _ => plain.push(letter),
        }
    }
    Ok(plain)
}
