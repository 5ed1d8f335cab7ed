//! Commands for curl: ours, those that browsers copy, and those in people's documents. None is run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;

use super::shell::{Token, tokens};
use super::{ImportError, add_host, check, foreign, place};
use crate::call::{Call, Headers, Request};

pub(super) fn calls(text: &[u8], now: Timestamp) -> Result<Vec<Call>, ImportError> {
    let tokens = tokens(text).map_err(|line| ImportError::line(line, "this quote is not closed"))?;
    let commands = tokens.split(|token| *token == Token::End).filter(|command| !command.is_empty());
    commands.map(|command| call(command, now)).collect()
}

/// One line of a shell: `curl ...`, or `printf %s BASE64 | base64 -d | curl ... --data-binary @-`.
fn call(command: &[Token], now: Timestamp) -> Result<Call, ImportError> {
    let mut parts: Vec<Vec<(&[u8], usize)>> = vec![Vec::new()];
    for token in command {
        match (token, parts.last_mut()) {
            (Token::Word(word, line), Some(part)) => part.push((word, *line)),
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
    let Some(((b"curl", _), words)) = curl.split_first() else {
        return Err(fault("this is no curl command"));
    };
    let mut reading = Reading { input, ..Reading::default() };
    let mut words = words.iter().copied();
    while let Some((word, line)) = words.next() {
        let mut argument = || words.next().map(|(word, _)| word);
        reading.word(word, &mut argument).map_err(|message| ImportError::line(line, message))?;
    }
    let request = reading.request().map_err(|message| fault(&message))?;
    check(&request, None).map_err(|message| fault(&message))?;
    Ok(foreign(now, Duration::ZERO, request, None))
}

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
    "-g",
    "--globoff",
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
struct Reading {
    /// What stands on its standard input.
    input: Option<Vec<u8>>,
    url: Option<String>,
    method: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    /// Headers that are not to be sent.
    without: Vec<String>,
    body: Option<Vec<u8>>,
    json: bool,
    get: bool,
    head: bool,
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
            "-b" | "--cookie" => self.headers.push(("cookie".into(), value()?.to_vec())),
            "-u" | "--user" => {
                self.headers.push(("authorization".into(), format!("Basic {}", BASE64.encode(value()?)).into()));
            }
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
                let text = string()?;
                let (name, content) = text.split_once('=').unwrap_or(("", &text));
                let content: String = url::form_urlencoded::byte_serialize(content.as_bytes()).collect();
                // curl writes a blank as %20.
                let content = content.replace('+', "%20");
                self.add(if name.is_empty() { content } else { format!("{name}={content}") }.as_bytes());
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

    fn request(self) -> Result<Request, String> {
        let url = self.url.ok_or("this command has no address")?;
        // As curl does.
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        let (host, mut target) = place(&url)?;
        let mut body = self.body;
        if self.get
            && let Some(parameters) = body.take()
        {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&String::from_utf8_lossy(&parameters));
        }
        let default = if self.head {
            "HEAD"
        } else if body.is_some() {
            "POST"
        } else {
            "GET"
        };
        let mut headers: Headers = self.headers.into_iter().collect();
        add_host(&mut headers, host);
        let content_type = if self.json { "application/json" } else { "application/x-www-form-urlencoded" };
        let unset = |name: &str| !self.without.iter().any(|without| without.eq_ignore_ascii_case(name));
        if body.is_some() && !headers.has("content-type") && unset("content-type") {
            headers.push("content-type", content_type);
        }
        if self.json && !headers.has("accept") && unset("accept") {
            headers.push("accept", "application/json");
        }
        Ok(Request {
            method: self.method.unwrap_or_else(|| default.to_owned()),
            target,
            headers,
            body: body.unwrap_or_default().into(),
            ..Request::default()
        })
    }
}
