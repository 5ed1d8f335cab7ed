//! Why a token is not good: what people get wrong is looked for, the first cause first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::token::Token;
use super::{Rules, fault, strip, try_keys};
use crate::call::{Request, Sig};
use crate::config::Secret;
use crate::signature::keys::{Key, hs256_fits};
use crate::signature::{AtHand, Scheme, verify};

/// Other algorithms that a key may have been used with.
const FAMILY: [&str; 5] = ["RS384", "RS512", "PS256", "PS384", "PS512"];

/// Sentences, best first; each names the mistake and the repair.
pub(in crate::signature) fn diagnose(
    scheme: &Scheme,
    rules: &Rules,
    request: &Request,
    at_hand: AtHand<'_>,
    at: Timestamp,
) -> Vec<String> {
    let verdict = verify(scheme, request, at_hand.secrets, at);
    match verdict.sig {
        Sig::Valid | Sig::Unsigned => return Vec::new(),
        Sig::Missing => return missing(scheme, request),
        _ => {}
    }
    if request.headers.all(&scheme.header).nth(1).is_some() {
        return vec![format!("Let the sender, and every proxy on the way, send {} once.", scheme.header)];
    }
    let given = verdict.given.unwrap_or_default();
    let (text, mut found) = cleaned(scheme, &given);
    let token = match Token::parse(&text) {
        Ok(token) => token,
        Err(reason) => {
            found.extend(broken(scheme, &text, &reason));
            return found;
        }
    };
    if let Some(fault) = fault::of_header(rules, &token) {
        found.extend(confused(&token, at_hand));
        found.push(fault.sentence());
    } else if try_keys(rules, &token, at_hand.secrets).is_unchecked() {
        found.push(format!("To have the token checked, {}.", scheme.how_to_be_checked(at_hand.secrets)));
    } else {
        found.extend(unsigned_by(scheme, rules, &token, at_hand));
    }
    found.extend(fault::of_claims(rules, &token, at).iter().map(fault::Fault::sentence));
    found
}

fn missing(scheme: &Scheme, request: &Request) -> Vec<String> {
    let Scheme { header, prefix, .. } = scheme;
    let is_token = |text: &str| Token::parse(text.rsplit(' ').next().unwrap_or(text)).is_ok();
    let elsewhere = request
        .headers
        .iter()
        .find(|(_, value)| std::str::from_utf8(value).is_ok_and(is_token))
        .map(|(name, _)| format!("the header {name}"));
    let in_query = || {
        let query = request.query().unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(_, value)| is_token(value)).map(|(name, _)| format!("the query, as `{name}`"))
    };
    if let Some(place) = elsewhere.or_else(in_query) {
        return vec![format!("A token stands in {place}: send it as `{header}: {prefix}TOKEN`.")];
    }
    vec![format!(
        "Let the sender add `{header}: {prefix}TOKEN` ({}); if it does, something between it and here drops the header. A \
         call sent from here gets a token once its key is configured: {}.",
        scheme.describe(),
        scheme.how_to_configure()
    )]
}

/// The token without what was put around it and into it, and a sentence on each.
fn cleaned(scheme: &Scheme, given: &str) -> (String, Vec<String>) {
    let mut slips = Vec::new();
    let inner = unwrapped(scheme, given, &mut slips);
    (mended(inner, &mut slips), slips)
}

/// Takes off the prefix, and what else stands around the token.
fn unwrapped<'a>(scheme: &Scheme, given: &'a str, slips: &mut Vec<String>) -> &'a str {
    const QUOTES: [char; 3] = ['"', '\'', '`'];
    let Scheme { header, prefix, .. } = scheme;
    let word = prefix.trim_end();
    let trimmed = given.trim();
    if trimmed != given {
        slips.push("There is white space around the token: remove it.".into());
    }
    let mut text = trimmed.trim_matches(QUOTES);
    let mut in_quotes = text != trimmed;
    if let Some(rest) = strip(text, prefix).or_else(|| strip(text, word)) {
        if rest.len() + prefix.len() != text.len() || rest.starts_with(' ') {
            slips.push(format!("After `{word}` comes one space, then the token."));
        }
        text = rest.trim_start();
    } else {
        slips.push(format!("There is no `{word}` before the token: write `{header}: {prefix}TOKEN`."));
        // `JWT eyJ...`, `Token eyJ...`
        text = text.split_once(' ').filter(|(word, _)| word.len() < 10).map_or(text, |(_, rest)| rest);
    }
    let first = text;
    while let Some(rest) = strip(text, prefix).filter(|_| !prefix.is_empty()) {
        text = rest.trim_start();
    }
    if text.len() != first.len() {
        slips.push(format!("`{word}` stands there more than once: once is enough."));
    }
    let token = text.trim().trim_matches(QUOTES);
    in_quotes |= token != text.trim();
    if in_quotes {
        slips.push("The token is in quotation marks: remove them (JSON.stringify and `.env` files add such).".into());
    }
    token
}

/// Takes back what copying and encoding do to the token itself.
fn mended(text: &str, slips: &mut Vec<String>) -> String {
    let mut bare = text.replace("\\r", "").replace("\\n", "");
    bare.retain(|char| !char.is_whitespace());
    if !bare.contains('.') && !bare.contains('%') {
        // No token at all, whose words a reader shall recognise.
        return text.to_owned();
    }
    if bare != text {
        let slip =
            "There are blanks or line breaks within the token: it was wrapped when it was copied; put it on one line.";
        slips.push(slip.into());
    }
    if ["%2E", "%2e", "%3D", "%3d"].iter().any(|code| bare.contains(code)) {
        slips.push("The token is percent-encoded as if it stood in a URL: send it as it is.".into());
        bare = url::form_urlencoded::parse(bare.as_bytes()).next().map_or(String::new(), |(text, _)| text.into_owned());
    }
    if bare.contains(['=', '+', '/']) && !bare.contains('$') {
        let slip =
            "The token is written in base64 with `+`, `/` or `=`: a token's alphabet is base64url, without padding.";
        slips.push(slip.into());
        bare = bare.replace('+', "-").replace('/', "_").replace('=', "");
    }
    bare
}

/// What stands where a token should, if it is none.
fn broken(scheme: &Scheme, text: &str, reason: &str) -> Vec<String> {
    let is_key =
        text.contains("-----BEGIN") || STANDARD.decode(text).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN"));
    if is_key {
        return vec![
            "That is the key itself, not a token made with it. If it is the private one it is no secret any more: make a new \
             pair (`hooktape keys new`), and send what `sign` returns."
                .into(),
        ];
    }
    // These words are nobody's; anything else in this place may be a secret, and is not quoted.
    if matches!(text, "undefined" | "null" | "NaN" | "" | "None" | "[object Object]" | "[object Promise]") {
        return vec![format!(
            "There is `{text}` where the token should be: it was not there yet when the header was made, so wait for it \
             (`await`)."
        )];
    }
    if text.contains("${") || (text.starts_with('<') && text.ends_with('>')) {
        return vec![format!(
            "What stands where the token should be was never filled in: a template literal stands between backticks, as in \
             `{}${{signature}}`.",
            scheme.prefix
        )];
    }
    vec![format!("Cannot be read as a token: {reason}. Send what the signer returned, whole and unchanged.")]
}

/// Why the signature fits no key at hand.
fn unsigned_by(
    scheme: &Scheme,
    rules: &Rules,
    token: &Token,
    AtHand { secrets, others, own }: AtHand<'_>,
) -> Option<String> {
    let read = |secret: &Secret| Key::read(secret, &rules.algorithms).ok();
    if secrets.iter().filter_map(|secret| read(secret)).any(|key| token.is_signed_by(&key)) {
        return None;
    }
    let other = others.iter().find(|(_, secret)| read(secret).is_some_and(|key| token.is_signed_by(&key)));
    if let Some((name, secret)) = other {
        let repair = scheme.how_to_let_count(secret, name, own);
        return Some(format!("It is signed with {}, {repair}, or let the signer use the right key.", secret.label()));
    }
    if token.signature.is_empty() {
        return Some("The token ends with its last dot: the signature was cut off. Send it whole.".into());
    }
    let bits = token.signature.len() * 8;
    if token.algorithm().starts_with("RS") && bits < 2048 {
        return Some(format!(
            "Its signature has {bits} bits: the signer's key is too small, at least 2048 are needed (RFC 7518), or the token \
             was cut. `hooktape keys new` makes a key."
        ));
    }
    Some(format!(
        "Either it is signed with another private key than the one whose public half is configured here (compare them: \
         `openssl pkey -in private.pem -pubout`), or its header or claims were changed after signing. {}",
        if secrets.len() > 1 { "All keys at hand were tried." } else { "The one key at hand was tried." }
    ))
}

/// An algorithm that is not allowed, and how it came to be used.
fn confused(token: &Token, AtHand { secrets, others, .. }: AtHand<'_>) -> Option<String> {
    let (signed, signature) = (token.signed.as_bytes(), token.signature.as_slice());
    let all = secrets.iter().copied().chain(others.iter().map(|(_, secret)| *secret));
    for secret in all {
        let Ok(bytes) = secret.value() else { continue };
        let label = secret.label();
        for (form, what) in texts(bytes) {
            if token.algorithm() == "HS256" && hs256_fits(&form, signed, signature) {
                let text = String::from_utf8_lossy(&form);
                return Some(if text.contains("PUBLIC KEY") {
                    format!(
                        "It is signed by HMAC with the text of the public key {label} as the secret: an algorithm confusion, \
                         for the public key is known to everyone. A verifier that lets the token choose falls for it: pin RS256."
                    )
                } else {
                    format!(
                        "It is signed by HMAC with {what} of {label} as the secret: `sign` takes a text that is no PEM for such, \
                         and HS256 is its default. Decode the key to PEM (`Buffer.from(key, 'base64').toString()`), with real \
                         line breaks, and pass `{{ algorithm: 'RS256' }}`."
                    )
                });
            }
        }
        if let Ok(key) = Key::read(secret, &[super::Algorithm::Rs256])
            && FAMILY.contains(&token.algorithm())
            && token.is_signed_by(&key)
        {
            return Some(format!("The key is right ({label}), the algorithm is not: sign with RS256."));
        }
    }
    None
}

/// The texts that a key turns into on its way into a signer, and what they are.
fn texts(bytes: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let text = String::from_utf8_lossy(bytes).trim().to_owned();
    let compact: String = text.split_whitespace().collect();
    let pem = if text.contains("-----BEGIN") {
        text.clone()
    } else {
        STANDARD
            .decode(&compact)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let with_end = format!("{pem}\n");
    vec![
        (bytes.to_vec(), "the text"),
        (text.clone().into_bytes(), "the text"),
        (pem.clone().into_bytes(), "the PEM text"),
        (with_end.clone().into_bytes(), "the PEM text"),
        (STANDARD.encode(&pem).into_bytes(), "the base64, not decoded,"),
        (STANDARD.encode(&with_end).into_bytes(), "the base64, not decoded,"),
        (pem.replace('\n', "\\n").into_bytes(), "the PEM text with its line breaks written as `\\n`"),
        (with_end.replace('\n', "\\n").into_bytes(), "the PEM text with its line breaks written as `\\n`"),
    ]
}
