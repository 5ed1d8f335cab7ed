//! Why a signature is not valid: what people get wrong is tried until something fits.
//!
//! ```text
//! readings  every header's value, read as the scheme writes it and as it should not   \
//! keys      the secrets at hand, the others, and their usual corruptions               > a tag that fits a reading
//! bodies    as it came, re-serialised, with its line ends changed                     /
//! ```
//!
//! A tag has 256 bits or more, so whatever fits is what happened. Tried are every body with every key as configured, and
//! the body as it came with every corrupted key, each against all readings at once.

mod keyless;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::tag::{Encoding, Tag};
use super::{Digest, Scheme};
use crate::call::{Request, Sig};
use crate::config::Secret;
use crate::json;

/// As [`super::diagnose()`], for a digest whose verdict is `sig`.
pub(super) fn diagnose(
    scheme: &Scheme,
    digest: &Digest,
    request: &Request,
    sig: Sig,
    secrets: &[&Secret],
    others: &[(&str, &Secret)],
) -> Vec<String> {
    if matches!(sig, Sig::Valid | Sig::Unsigned | Sig::Stale) {
        return Vec::new();
    }
    if request.cut {
        return vec!["Raise `max_body` under `[listen]` in hooktape.toml and let the call be sent again.".into()];
    }
    let readings = readings(scheme, digest, request);
    if scheme.is_keyless() {
        let tags: Vec<(&Tag, &[String])> =
            readings.iter().map(|reading| (&reading.tag, reading.slips.as_slice())).collect();
        let found = keyless::fitting(digest, request, &tags);
        return if found.is_empty() { keyless::unexplained(scheme, digest, request, sig) } else { found };
    }
    let keys = keys(scheme, secrets, others);
    let bodies = bodies(&request.body);
    let mut found = fitting(digest, request, &readings, &keys, &bodies);
    if found.is_empty() {
        found.extend(unexplained(scheme, digest, request, sig, &keys, bodies.len()));
    }
    found
}

/// A header's value understood in some way, and what is wrong with that way.
struct Reading {
    tag: Tag,
    slips: Vec<String>,
}

/// A key and what is wrong with it.
struct Key<'a> {
    bytes: Cow<'a, [u8]>,
    slip: Option<String>,
    /// As configured for this platform or another.
    whole: bool,
}

/// A body and what is wrong with it.
struct Body<'a> {
    bytes: Cow<'a, [u8]>,
    slip: Option<String>,
}

fn fitting(
    digest: &Digest,
    request: &Request,
    readings: &[Reading],
    keys: &[Key<'_>],
    bodies: &[Body<'_>],
) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    if readings.is_empty() {
        return Vec::new();
    }
    for key in keys {
        for body in &bodies[..if key.whole { bodies.len() } else { 1 }] {
            let Ok(tag) = digest.tag(&key.bytes, request, &body.bytes) else { continue };
            for reading in readings.iter().filter(|reading| reading.tag.fits(&tag)) {
                let slips: Vec<&str> =
                    reading.slips.iter().chain(&key.slip).chain(&body.slip).map(String::as_str).collect();
                // No slip at all: the header is merely malformed in a way that decoding forgives.
                if !slips.is_empty() {
                    found.push((slips.len(), slips.join(" Besides: ")));
                }
            }
        }
    }
    fewest_first(found)
}

/// The sentences without repetition, those with the fewest slips first.
fn fewest_first(mut found: Vec<(usize, String)>) -> Vec<String> {
    found.sort_by_key(|(slips, _)| *slips);
    let mut sentences: Vec<String> = Vec::new();
    for (_, sentence) in found {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// The honest answer when nothing fits, and the repair where there was nothing to try.
fn unexplained(
    scheme: &Scheme,
    digest: &Digest,
    request: &Request,
    sig: Sig,
    keys: &[Key<'_>],
    bodies: usize,
) -> Vec<String> {
    let header = &scheme.header;
    match sig {
        Sig::Missing => vec![format!(
            "Let the sender add {header} ({}); if it does, something between it and here drops the header. A call sent from \
             here is signed once its secret is configured: {}.",
            scheme.describe(),
            scheme.how_to_configure()
        )],
        Sig::NoSecret => vec![format!("To have the signature checked, {}.", scheme.how_to_configure())],
        Sig::Malformed if request.headers.all(header).nth(1).is_some() => {
            vec![format!("Let the sender, and every proxy on the way, send {header} once.")]
        }
        Sig::Malformed => match digest.message.missing(request) {
            Some(what) => vec![format!("Let the sender add {what}: it is part of what is signed.")],
            None => vec![format!("Write {header} as the contract has it: {}.", scheme.describe())],
        },
        _ => {
            let whole = keys.iter().filter(|key| key.whole).count();
            vec![format!(
                "Nothing fits: tried {whole} secret(s) as configured, {} corrupted form(s) of them, and {bodies} form(s) of \
                 the body, in hex and in base64. Either the sender uses another {}, or the body was changed on its way, \
                 for example by a proxy.",
                keys.len() - whole,
                scheme.secret
            )]
        }
    }
}

fn readings(scheme: &Scheme, digest: &Digest, request: &Request) -> Vec<Reading> {
    // Longer ones are cookies and tokens.
    const LONGEST: usize = 200;
    let mut readings = Vec::new();
    for (name, value) in request.headers.iter().filter(|(_, value)| value.len() <= LONGEST) {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        let Some((tag, mut slips)) = read(scheme, digest, text) else { continue };
        if !name.eq_ignore_ascii_case(&scheme.header) {
            slips.insert(0, format!("The signature stands in {name}: send it in {}.", scheme.header));
        }
        readings.push(Reading { tag, slips });
    }
    readings
}

/// A tag of the right length in whatever writing, and how that departs from the scheme's.
fn read(scheme: &Scheme, digest: &Digest, text: &str) -> Option<(Tag, Vec<String>)> {
    let mut slips = Vec::new();
    let bare = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    if bare.len() != text.len() {
        slips.push("The signature has white space or quotation marks around it: remove them.".to_owned());
    }
    let (prefix, digits) = split_prefix(bare);
    if prefix != scheme.prefix {
        slips.push(match (prefix, scheme.prefix.as_str()) {
            (given, "") => format!("The signature has `{given}` before it: leave that out."),
            ("", wanted) => format!("The signature lacks `{wanted}` before it: add that."),
            (given, wanted) => format!("The signature has `{given}` before it: write `{wanted}`."),
        });
    }
    let (encoding, tag) = decode_any(digits, digest.algorithm.len())?;
    if encoding != digest.encoding {
        let (given, wanted) = (encoding.word(), digest.encoding.word());
        slips.push(format!("The signature is written in {given}: write its bytes in {wanted}."));
    }
    Some((tag, slips))
}

/// Splits `sha256=` and its like off. The `=` that pad base64 are not taken for one.
fn split_prefix(text: &str) -> (&str, &str) {
    // `Bearer ` and other words before a blank.
    if let Some(at) = text.find(' ').filter(|at| *at < 12) {
        return text.split_at(at + 1);
    }
    match text.find(['=', ',', ':']) {
        Some(at) if at < 12 && !text[at + 1..].trim_matches('=').is_empty() => text.split_at(at + 1),
        _ => ("", text),
    }
}

fn decode_any(digits: &str, len: usize) -> Option<(Encoding, Tag)> {
    if let Ok(tag) = Encoding::Hex.decode(digits.as_bytes(), len) {
        return Some((Encoding::Hex, tag));
    }
    let bytes = decode_base64(digits)?;
    Some((Encoding::Base64, Tag::new(&bytes).filter(|tag| tag.bytes().len() == len)?))
}

/// Either alphabet, padded or not.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}

fn keys<'a>(scheme: &Scheme, secrets: &[&'a Secret], others: &[(&str, &'a Secret)]) -> Vec<Key<'a>> {
    let mut keys: Vec<Key<'a>> = Vec::new();
    let mut add = |bytes: Cow<'a, [u8]>, slip: Option<String>, whole: bool| {
        if !keys.iter().any(|key| key.bytes == bytes) {
            keys.push(Key { bytes, slip, whole });
        }
    };
    for key in secrets.iter().filter_map(|secret| scheme.key(secret).ok()) {
        add(Cow::Borrowed(key), None, true);
    }
    for (name, secret) in others {
        if let Ok(key) = scheme.key(secret) {
            let (label, platform) = (secret.label(), scheme.platform());
            let slip = format!(
                "It is signed with {label}, which is configured for {name}: configure it for {platform} too \
                 (`--secret {platform}={label}`), or let the sender use the right {}.",
                scheme.secret
            );
            add(Cow::Borrowed(key), Some(slip), true);
        }
    }
    for secret in secrets {
        if let Ok(key) = scheme.key(secret) {
            for (bytes, slip) in corrupted(key, secret.label()) {
                add(Cow::Owned(bytes), Some(slip), false);
            }
        }
    }
    let slip = format!("It is signed with an empty {}: the sender's is not set, so set it there.", scheme.secret);
    add(Cow::Borrowed(&[]), Some(slip), false);
    keys
}

/// What a key turns into on its way through shells, `.env` files and dashboards.
fn corrupted(key: &[u8], label: &str) -> Vec<(Vec<u8>, String)> {
    let text = String::from_utf8_lossy(key);
    let unquoted = text.trim().trim_matches(|c| c == '"' || c == '\'');
    let mut forms = vec![
        (
            key.trim_ascii().to_vec(),
            format!("{label} has white space at its ends that the sender does not sign with: remove it."),
        ),
        (
            unquoted.as_bytes().to_vec(),
            format!("{label} is in quotation marks that the sender does not sign with: remove them."),
        ),
        (
            [key, b"\n"].concat(),
            format!("The sender signs with {label} and a line end after it (`echo` adds one): remove it there."),
        ),
        (
            [key, b"\r\n"].concat(),
            format!("The sender signs with {label} and a CRLF after it (a file from Windows): remove it there."),
        ),
        ([key, b" "].concat(), format!("The sender signs with {label} and a space after it: remove it there.")),
        (
            [b"\"", key, b"\""].concat(),
            format!("The sender signs with {label} in quotation marks: remove them there (a `.env` file keeps them)."),
        ),
    ];
    let decoded = |how: &str| format!("The sender signs with {label} decoded from {how}: use its text as it stands.");
    forms.extend(decode_base64(unquoted).map(|bytes| (bytes, decoded("base64"))));
    forms.extend(base16ct::mixed::decode_vec(unquoted).ok().map(|bytes| (bytes, decoded("hex"))));
    forms.retain(|(bytes, _)| !bytes.is_empty());
    forms
}

fn bodies(body: &[u8]) -> Vec<Body<'_>> {
    const RAW: &str = "sign (and verify) the raw bytes";
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let mut bodies = vec![Body { bytes: Cow::Borrowed(body), slip: None }];
    let mut add = |bytes: Vec<u8>, slip: String| {
        if !bodies.iter().any(|body| *body.bytes == *bytes) {
            bodies.push(Body { bytes: Cow::Owned(bytes), slip: Some(slip) });
        }
    };
    let echo = "(`echo` adds one, `curl -d @file` removes it: use `printf` and `--data-binary`)";
    let added = |what: &str| format!("The signature fits the body with {what} at its end: {RAW} {echo}.");
    add([body, b"\n"].concat(), added("one more line end"));
    add([body, b"\r\n"].concat(), added("one more CRLF"));
    let shorter = body.strip_suffix(b"\n").map(|body| body.strip_suffix(b"\r").unwrap_or(body));
    if let Some(shorter) = shorter {
        let slip = format!("The signature fits the body without the line end that it came with: {RAW} {echo}.");
        add(shorter.to_vec(), slip);
    }
    add(lf(body), format!("The signature fits the body with LF for CRLF; something turned its line ends: {RAW}."));
    add(crlf(body), format!("The signature fits the body with CRLF for LF; something turned its line ends: {RAW}."));
    if let Some(rest) = body.strip_prefix(BOM) {
        add(rest.to_vec(), format!("The signature fits the body without its byte order mark: {RAW}."));
    }
    add([BOM, body].concat(), format!("The signature fits the body with a byte order mark before it: {RAW}."));
    if let Ok(text) = std::str::from_utf8(body) {
        let forms = [
            (json::javascript_stringify(text), "as JavaScript's `JSON.stringify` writes it"),
            (json::compact(text), "compactly, without white space"),
            (json::python_dumps(text), "as Python's `json.dumps` writes it"),
            (json::spaced(text), "with a space after every comma and colon, as Python does with `ensure_ascii=False`"),
            (json::pretty(text), "pretty-printed with two spaces"),
        ];
        for (form, how) in forms {
            if let Ok(form) = form {
                for (end, more) in [("", ""), ("\n", ", and a line end after it")] {
                    let slip = format!("The signature fits the body re-serialised {how}{more}: {RAW}.");
                    add(format!("{form}{end}").into_bytes(), slip);
                }
            }
        }
    }
    add(
        Vec::new(),
        "The signature fits an empty body: the sender signs before it has one, or its middleware has eaten it; sign the raw \
         bytes that are sent."
            .into(),
    );
    bodies
}

/// Every CRLF made LF.
fn lf(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        if !(byte == b'\r' && body.get(at + 1) == Some(&b'\n')) {
            bytes.push(byte);
        }
    }
    bytes
}

/// Every LF made CRLF.
fn crlf(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    for byte in lf(body) {
        if byte == b'\n' {
            bytes.push(b'\r');
        }
        bytes.push(byte);
    }
    bytes
}
