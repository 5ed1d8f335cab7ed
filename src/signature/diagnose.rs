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

mod bodies;
mod keyless;

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;

use self::bodies::{Body, bodies_that_count};
use super::clock::Untimely;
use super::detached::PreparedKey;
use super::message::Source;
use super::tag::{Encoding, Tag, decode_base64};
use super::{AtHand, Detached, MOST_SIGNATURES, Scheme, public, stamp};
use crate::call::{Packed, Request, Sig};
use crate::config::Secret;
use crate::signature::message::Segment;

/// As [`super::diagnose()`], for a detached signature whose verdict is `sig` at that time.
pub(super) fn diagnose(
    scheme: &Scheme,
    detached: &Detached,
    request: &Request,
    (sig, at): (Sig, Timestamp),
    at_hand: AtHand<'_>,
) -> Vec<String> {
    let untimely = || detached.clock.as_ref()?.judge(&stamp(scheme, detached, request).ok()?, at).err();
    match sig {
        Sig::Valid | Sig::Unsigned => return Vec::new(),
        Sig::Stale => return stale(untimely().as_ref()),
        _ => {}
    }
    if request.cut {
        if request.origin.is_some() {
            return vec!["Send the whole body: a fault that was asked for leaves half of it out.".into()];
        }
        let why = "Let the call be sent again; where it was longer than `max_body` under `[listen]`, raise that in hooktape.toml.";
        return vec![why.into()];
    }
    if let Some((place, _)) = scheme.repeated(request).filter(|_| sig == Sig::Malformed) {
        return vec![format!("Let the sender, and every proxy on the way, send {place} once.")];
    }
    if let Some((_, fault)) = detached.body_fault(request) {
        return vec![format!("Let the sender sign the body that it sends: {fault}.")];
    }
    let readings = readings(scheme, detached, request);
    // Where the signature is written as it should be, it is the time that is malformed.
    let written = readings.iter().any(|reading| reading.slips.is_empty());
    if let Some(clock) = detached.clock.as_ref().filter(|_| sig == Sig::Malformed && written)
        && let Some(Untimely::NoTime(_)) = untimely()
    {
        return vec![clock.repair()];
    }
    if scheme.is_keyless() {
        let tags: Vec<(&Tag, &[String])> =
            readings.iter().map(|reading| (&reading.tag, reading.slips.as_slice())).collect();
        let found = keyless::fitting(detached, request, &tags);
        return if found.is_empty() { keyless::unexplained(scheme, detached, request, sig) } else { found };
    }
    let keys = keys(scheme, detached, at_hand);
    // Without a signature to explain no form of the body is made: each is as large as the body.
    let bodies = if readings.is_empty() { Vec::new() } else { bodies_that_count(detached, request) };
    let texts = texts(scheme, detached, request);
    let mut found = fitting(detached, request, &readings, &keys, &bodies, &texts);
    if found.is_empty() {
        found.extend(unexplained(scheme, detached, request, (sig, at_hand), &keys, (bodies.len(), texts.len())));
    }
    found
}

/// A call that is authentic and not of now.
fn stale(untimely: Option<&Untimely>) -> Vec<String> {
    vec![if matches!(untimely, Some(Untimely::Old(_))) {
        "It is authentic: replayed as it was, or kept waiting on its way. To send it again, let it be signed anew (`--sign fresh`)."
            .into()
    } else {
        "It is authentic: set the clocks of the sender and of this machine.".into()
    }]
}

/// A header's value understood in some way, and what is wrong with that way.
struct Reading {
    tag: Tag,
    slips: Vec<String>,
}

/// A key and what is wrong with it.
struct Key<'a> {
    made: PreparedKey<'a>,
    slip: Option<String>,
    /// As configured for this platform or another.
    whole: bool,
}

/// What goes into the message besides the body, and what is wrong with it.
struct Text {
    url: String,
    timestamp: String,
    slip: Option<String>,
}

/// The addresses that may have been signed, the right ones first.
fn texts(scheme: &Scheme, detached: &Detached, request: &Request) -> Vec<Text> {
    let timestamp = stamp(scheme, detached, request).unwrap_or_default();
    let mut texts: Vec<Text> = Vec::new();
    let mut add = |url: String, slip: Option<String>| {
        if !texts.iter().any(|text| text.url == url) {
            texts.push(Text { url, timestamp: timestamp.clone(), slip });
        }
    };
    detached.urls(request).into_iter().for_each(|url| add(url, None));
    if !detached.message.covers_the_url() {
        return texts;
    }
    let url = request.url();
    for (wrong, how) in public::slips(request) {
        let repair = match public::split(&wrong) {
            Some((scheme, host, _)) if how == public::Slip::Origin => format!(
                "If that is its public address, write `public_url = \"{scheme}://{host}\"` under `[listen]` in hooktape.toml"
            ),
            _ => "Let both use the address as it is called".to_owned(),
        };
        add(wrong.clone(), Some(format!("The signature is made for {wrong}, and the call came to {url}. {repair}.")));
    }
    texts
}

fn fitting(
    detached: &Detached,
    request: &Request,
    readings: &[Reading],
    keys: &[Key<'_>],
    bodies: &[Body<'_>],
    texts: &[Text],
) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for key in keys {
        for (index, body) in bodies.iter().take(if key.whole { bodies.len() } else { 1 }).enumerate() {
            for text in texts.iter().filter(|text| text.slip.is_none() || key.whole && index == 0) {
                let source =
                    Source { request, body: &body.bytes, url: &text.url, timestamp: &text.timestamp, secret: b"" };
                for reading in fitting_readings(detached, &key.made, source, readings) {
                    let slips = reading.slips.iter().chain(&key.slip).chain(&body.slip).chain(&text.slip);
                    let slips: Vec<&str> = slips.map(String::as_str).collect();
                    // No slip at all: the header is merely malformed in a way that decoding forgives.
                    if !slips.is_empty() {
                        found.push((slips.len(), slips.join(" Besides: ")));
                    }
                }
                found.extend(forgotten(detached, key, body, readings));
            }
        }
    }
    fewest_first(found)
}

/// The readings whose tag fits; a digest is made but once.
fn fitting_readings<'a>(
    detached: &Detached,
    key: &PreparedKey<'_>,
    source: Source<'_>,
    readings: &'a [Reading],
) -> Vec<&'a Reading> {
    if detached.algorithm.has_pairs() {
        return readings
            .iter()
            .filter(|reading| detached.fits(key, source, std::slice::from_ref(&reading.tag)))
            .collect();
    }
    let Ok(own) = detached.tag(key, source) else { return Vec::new() };
    readings.iter().filter(|reading| reading.tag.fits(&own)).collect()
}

/// Where more than the body is signed: that only the body was.
fn forgotten(detached: &Detached, key: &Key<'_>, body: &Body<'_>, readings: &[Reading]) -> Option<(usize, String)> {
    if detached.message.segments() == [Segment::Body]
        || detached.algorithm.has_pairs()
        || body.slip.is_some()
        || !key.whole
    {
        return None;
    }
    let own = detached.algorithm.digest(key.made.bytes(), std::iter::once(Cow::Borrowed(&*body.bytes))).ok()?;
    let reading = readings.iter().find(|reading| reading.tag.fits(&own))?;
    let slip = format!("Only the body was signed: what is signed is {}, in this order.", detached.message.title());
    let slips: Vec<&str> = reading.slips.iter().chain(&key.slip).chain([&slip]).map(String::as_str).collect();
    Some((slips.len(), slips.join(" Besides: ")))
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
    detached: &Detached,
    request: &Request,
    (sig, at_hand): (Sig, AtHand<'_>),
    keys: &[Key<'_>],
    tried: (usize, usize),
) -> Vec<String> {
    let header = scheme.place();
    match sig {
        Sig::Missing => {
            let sender = format!(
                "Let the sender add {header} ({}); if it does, something between it and here drops the header.",
                scheme.describe()
            );
            let ours = format!(
                " A call sent from here is signed once its secret is configured: {}.",
                scheme.how_to_configure()
            );
            vec![if keys.iter().any(|key| key.whole) { sender } else { sender + &ours }]
        }
        Sig::NoSecret => vec![format!("To have the signature checked, {}.", scheme.how_to_be_checked(at_hand.secrets))],
        Sig::Malformed => match detached.message.missing(request) {
            Some(what) => vec![format!("Let the sender send {what}: it is part of what is signed.")],
            None => vec![format!("Write {header} as the contract has it: {}.", scheme.describe())],
        },
        _ => vec![nothing_fits(scheme, detached, request, keys, tried)],
    }
}

/// What was tried, and what else may have happened: `bodies` forms of the body and `urls` addresses were among it.
fn nothing_fits(
    scheme: &Scheme,
    detached: &Detached,
    request: &Request,
    keys: &[Key<'_>],
    (bodies, urls): (usize, usize),
) -> String {
    let whole = keys.iter().filter(|key| key.whole).count();
    let mut tried =
        vec![format!("{whole} secret(s) as configured"), format!("{} corrupted form(s) of them", keys.len() - whole)];
    let covered = detached.message.covered(request);
    if bodies > 1 {
        tried.push(format!("{bodies} form(s) of the body"));
    }
    let mut unread = String::new();
    if covered.iter().any(|part| part.contains("body"))
        && Packed::of(&request.headers, &request.body).is_none()
        && let Err(error) = std::str::from_utf8(&request.body)
    {
        unread = format!(
            " Byte {} of the body is not UTF-8, as text would be: something on its way may have turned its encoding.",
            error.valid_up_to() + 1
        );
    }
    let mut address = String::new();
    if detached.message.covers_the_url() {
        tried.push(format!("{urls} address(es)"));
        address = format!(
            " Where the platform calls another address than {}, write that one as `public_url` under `[listen]` in \
             hooktape.toml.",
            request.url()
        );
    }
    let changed = match covered.as_slice() {
        [one] => format!(", or {one} was changed on its way, for example by a proxy"),
        several => format!(
            ", or one of these is not as it was signed, for example because a proxy changed it: {}",
            several.join(", ")
        ),
    };
    format!(
        "Nothing fits: tried {}, in hex and in base64. Either the sender uses another {}{changed}.{unread}{address}",
        tried.join(", "),
        scheme.secret
    )
}

fn readings(scheme: &Scheme, detached: &Detached, request: &Request) -> Vec<Reading> {
    // Longer ones are cookies and tokens.
    const LONGEST: usize = 200;
    let mut readings = Vec::new();
    let given = scheme.given(request);
    if let Some(given) = &given {
        let decoded = scheme.signatures(given).take(MOST_SIGNATURES).filter_map(|text| detached.decode(text).ok());
        readings.extend(decoded.map(|tag| Reading { tag, slips: Vec::new() }));
        if readings.is_empty()
            && let Ok(text) = std::str::from_utf8(given)
        {
            readings.extend(read(scheme, detached, text).map(|(tag, slips)| Reading { tag, slips }));
        }
    }
    for (name, value) in request.headers.iter().filter(|(_, value)| value.len() <= LONGEST) {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        if given.as_deref() == Some(&**value) {
            continue;
        }
        let Some((tag, mut slips)) = read(scheme, detached, text) else { continue };
        slips.insert(0, format!("The signature stands in {name}: send it in {}.", scheme.place()));
        readings.push(Reading { tag, slips });
    }
    readings
}

/// A tag of the right length in whatever writing, and how that departs from the scheme's.
fn read(scheme: &Scheme, detached: &Detached, text: &str) -> Option<(Tag, Vec<String>)> {
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
    let (encoding, tag) = decode_any(digits, detached.algorithm.len()?)?;
    if encoding != detached.encoding {
        let (given, wanted) = (encoding.word(), detached.encoding.word());
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
    if let Ok(tag) = Encoding::Hex.decode(digits.as_bytes(), Some(len)) {
        return Some((Encoding::Hex, tag));
    }
    let bytes = decode_base64(digits).filter(|bytes| bytes.len() == len)?;
    Some((Encoding::Base64, Tag::new(&bytes)))
}

fn keys<'a>(scheme: &Scheme, detached: &Detached, AtHand { secrets, others, own }: AtHand<'a>) -> Vec<Key<'a>> {
    let mut keys: Vec<Key<'a>> = Vec::new();
    // One secret may be filed under many names.
    let mut known: HashSet<&[u8]> = HashSet::new();
    let mut key = |secret: &'a Secret| {
        let bytes = scheme.bytes(secret).ok().filter(|bytes| known.insert(bytes))?;
        detached.key(bytes).ok()
    };
    for key in secrets.iter().filter_map(|secret| key(secret)) {
        keys.push(Key { made: key, slip: None, whole: true });
    }
    for (name, secret) in others {
        if let Some(key) = key(secret) {
            let repair = scheme.how_to_let_count(secret, name, own);
            let slip = format!(
                "It is signed with {}, {repair}, or let the sender use the right {}.",
                secret.label(),
                scheme.secret
            );
            keys.push(Key { made: key, slip: Some(slip), whole: true });
        }
    }
    // A key pair that is damaged is none.
    if detached.algorithm.has_pairs() {
        return keys;
    }
    let mut add = |key: PreparedKey<'a>, slip: String| {
        if !keys.iter().any(|known| known.made.bytes() == key.bytes()) {
            keys.push(Key { made: key, slip: Some(slip), whole: false });
        }
    };
    for secret in secrets {
        if let Ok(bytes) = scheme.bytes(secret) {
            for (bytes, slip) in corrupted(bytes, secret.label()) {
                add(PreparedKey::own(bytes), slip);
            }
        }
    }
    let slip = format!("It is signed with an empty {}: the sender's is not set, so set it there.", scheme.secret);
    add(PreparedKey::raw(b""), slip);
    keys
}

/// What a key turns into on its way through shells, `.env` files and dashboards.
fn corrupted(key: &[u8], label: &str) -> Vec<(Vec<u8>, String)> {
    let text = String::from_utf8_lossy(key);
    let unquoted = text.trim().trim_matches(|c| c == '"' || c == '\'');
    let mut forms = vec![
        (
            key.to_vec(),
            format!("The sender signs with the text of {label} as it stands: decode it as the contract has it."),
        ),
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
        ([b" ", key].concat(), format!("The sender signs with {label} and a space before it: remove it there.")),
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
