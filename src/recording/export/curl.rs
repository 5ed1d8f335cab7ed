//! A request as a command for a shell (`sh` for text, `bash`, `zsh` or `ksh` where there are characters that do not show).

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{caveats, url};
use crate::call::Call;
use crate::visible;

/// What curl works out itself.
pub(in crate::recording) const CURLS_OWN: &[&str] =
    &["host", "content-length", "transfer-encoding", "connection", "expect"];

/// What curl adds unless it is told not to.
const ADDED: &[&str] = &["user-agent", "accept"];

/// Linux takes no argument longer than 128 KiB.
const LONGEST: usize = 100_000;

/// The command, on lines of its own, behind a comment that says which call it is.
pub(super) fn command(call: &Call) -> String {
    let request = &call.request;
    let kind = call.kind.as_deref().unwrap_or("not recognised");
    let mut text = format!("# {} {} {}\n", call.id, visible::line(kind), call.at);
    for caveat in caveats(call) {
        let _ = writeln!(text, "# {caveat}");
    }
    let mut words = Vec::new();
    let has_body = !request.body.is_empty();
    match (request.method.as_str(), has_body) {
        ("GET", false) | ("POST", true) => {}
        ("HEAD", false) => words.push("--head".to_owned()),
        (method, _) => words.push(format!("-X {}", quote(method.as_bytes()))),
    }
    let url = url(call);
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if url.contains("/.") {
        words.push("--path-as-is".to_owned());
    }
    // What curl would not send as it stands in an address.
    if !request.target.starts_with('/') || request.target.contains('#') {
        words.push(format!("--request-target {}", quote(request.target.as_bytes())));
    }
    words.push(quote(url.as_bytes()).into_owned());
    // The address says the host, unless it went elsewhere than it says.
    let host = request.headers.get("host").filter(|host| !same_host(&url, host));
    words.extend(host.map(|host| field("host", host.as_bytes())));
    for (name, value) in request.headers.iter() {
        if CURLS_OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        words.push(field(name, value));
    }
    for name in ADDED.iter().chain(has_body.then_some(&"content-type")) {
        if !request.headers.has(name) {
            words.push(format!("-H {name}:"));
        }
    }
    let body = &request.body;
    if body.len() > LONGEST || body.contains(&0) || std::str::from_utf8(body).is_err() {
        let _ = write!(text, "printf %s {} | base64 -d | ", BASE64.encode(body));
        words.push("--data-binary @-".to_owned());
    } else if has_body {
        words.push(format!("--data-raw {}", quote(body)));
    }
    let _ = writeln!(text, "curl {}", words.join(" \\\n  "));
    text
}

/// A header, which curl has a form of its own for if it is empty.
fn field(name: &str, value: &[u8]) -> String {
    let field =
        if value.is_empty() { format!("{name};").into_bytes() } else { [name.as_bytes(), b": ", value].concat() };
    format!("-H {}", quote(&field))
}

fn same_host(url: &str, host: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| rest.split(['/', '?']).next() == Some(host))
}

/// Bytes without a NUL as one word of a shell.
pub(crate) fn quote(bytes: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(plain) => Cow::Borrowed(text),
        Ok(text) if visible::text(text) == text => format!("'{}'", text.replace('\'', r"'\''")).into(),
        _ => {
            let mut word = String::from("$'");
            for &byte in bytes {
                let _ = match byte {
                    b'\n' => write!(word, "\\n"),
                    b'\r' => write!(word, "\\r"),
                    b'\t' => write!(word, "\\t"),
                    b'\'' | b'\\' => write!(word, "\\{}", char::from(byte)),
                    b' '..=b'~' => write!(word, "{}", char::from(byte)),
                    // Three octal digits end by themselves, whatever follows.
                    _ => write!(word, "\\{byte:03o}"),
                };
            }
            word.push('\'');
            word.into()
        }
    }
}
