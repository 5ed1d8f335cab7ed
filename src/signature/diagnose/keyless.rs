//! Why a digest without a key does not fit: what it was made of instead.
//!
//! Every value that is signed is tried as other things, with the text between them written differently, in the other order,
//! with something after it; a tag has 256 bits, so what fits is what happened.

use super::bodies::bodies;
use super::fewest_first;
use crate::call::{Request, Sig};
use crate::signature::message::{Segment, Source, name, value};
use crate::signature::tag::Tag;
use crate::signature::{Detached, Scheme};

/// A piece of the text, and what is wrong with it.
type Piece = (String, Option<String>);

/// Longest value, in bytes, that other texts are made of: a longer one is no id, and each text has every value again.
const LONGEST: usize = 256;

/// What fits one of `readings`, each a tag and what is wrong with the way it is written, with the fewest mistakes.
pub(super) fn fitting(detached: &Detached, request: &Request, readings: &[(&Tag, &[String])]) -> Vec<String> {
    if readings.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut attempt = |text: &[u8], slips: &[&str]| {
        let Ok(tag) = detached.algorithm.digest(&[], std::iter::once(text.into())) else { return };
        for (_, reading) in readings.iter().filter(|(given, _)| given.fits(&tag)) {
            let all: Vec<&str> = reading.iter().map(String::as_str).chain(slips.iter().copied()).collect();
            if !all.is_empty() {
                found.push((all.len(), all.join(" Besides: ")));
            }
        }
    };
    if too_long(detached, request).is_empty() {
        each_text(detached, request, &mut attempt);
    }
    let slip = format!(
        "The hash is that of the whole body: hash only {}, with nothing else around it.",
        detached.message.title()
    );
    for body in bodies(&request.body) {
        attempt(&body.bytes, &[&slip]);
    }
    // One text was hashed. What explains it with more mistakes than need be did not happen.
    let fewest = found.iter().map(|(slips, _)| *slips).min();
    found.retain(|(slips, _)| Some(*slips) == fewest);
    fewest_first(found)
}

/// The names of the values that are hashed and too long to be tried.
fn too_long<'a>(detached: &'a Detached, request: &Request) -> Vec<&'a str> {
    let long = |pointer: &&str| value(&request.body, pointer).is_some_and(|value| value.len() > LONGEST);
    detached.message.pointers().filter(long).map(name).collect()
}

/// Hands each text that may have been hashed to `attempt`, with its mistakes.
fn each_text(detached: &Detached, request: &Request, mut attempt: impl FnMut(&[u8], &[&str])) {
    let pieces: Vec<Vec<Piece>> = detached.message.segments().iter().map(|segment| forms(segment, request)).collect();
    let mut ways: Vec<Vec<&Piece>> = vec![Vec::new()];
    for piece in &pieces {
        let mut longer = Vec::new();
        for way in &ways {
            // More than two mistakes at once are not made, and would be too many to try.
            let full = way.iter().filter(|(_, slip)| slip.is_some()).count() == 2;
            let tried = piece.iter().filter(|(_, slip)| slip.is_none() || !full);
            longer.extend(tried.map(|form| way.iter().copied().chain([form]).collect::<Vec<&Piece>>()));
        }
        ways = longer;
    }
    for pointer in detached.message.pointers() {
        let slip = format!("Only {} was hashed: the text is {}.", name(pointer), detached.message.title());
        endings(&value(&request.body, pointer).unwrap_or_default(), &[&slip], &mut attempt);
    }
    let order = format!("The parts are swapped: the text is {}, in this order.", detached.message.title());
    for way in ways {
        let text: String = way.iter().map(|(part, _)| part.as_str()).collect();
        let mut slips: Vec<&str> = way.iter().filter_map(|(_, slip)| slip.as_deref()).collect();
        endings(&text, &slips, &mut attempt);
        if way.len() > 1 {
            let turned: String = way.iter().rev().map(|(part, _)| part.as_str()).collect();
            slips.push(&order);
            endings(&turned, &slips, &mut attempt);
        }
    }
}

/// The text as it is, and with what may have been hashed around it.
fn endings(text: &str, slips: &[&str], attempt: &mut impl FnMut(&[u8], &[&str])) {
    attempt(text.as_bytes(), slips);
    let around = [
        (format!("{text}\n"), "A line end was hashed with it (`echo` adds one): use `printf` or `echo -n`."),
        (format!("{text}\r\n"), "A CRLF was hashed with it: remove it."),
        (format!("\"{text}\""), "Quotation marks were hashed with it: remove them."),
    ];
    for (text, slip) in around {
        let slips: Vec<&str> = slips.iter().copied().chain([slip]).collect();
        attempt(text.as_bytes(), &slips);
    }
}

/// What a segment may have become.
fn forms(segment: &Segment, request: &Request) -> Vec<Piece> {
    let pointer = match segment {
        Segment::Text(text) => return separators(text),
        Segment::Pointer(pointer) => pointer,
        other => {
            let url = request.url();
            let bytes = other.bytes(Source::of(request, &url, ""));
            return vec![(String::from_utf8_lossy(&bytes).into_owned(), None)];
        }
    };
    let label = name(pointer);
    let own = value(&request.body, pointer).unwrap_or_default().into_owned();
    let mut forms: Vec<Piece> = vec![(own.clone(), None)];
    let mut add = |text: String, slip: String| {
        if !forms.iter().any(|(known, _)| *known == text) {
            forms.push((text, Some(slip)));
        }
    };
    add(
        String::new(),
        format!(
            "The hash is that of an empty {label}: it was not there yet when the hash was made, so make it once it is known."
        ),
    );
    for word in ["undefined", "null", "None"] {
        add(
            word.into(),
            format!("`{word}` was hashed for {label}: it was not there yet, so make the hash once it is known."),
        );
    }
    add(own.to_uppercase(), format!("{label} was made upper-case before it was hashed: leave it as it is."));
    add(own.to_lowercase(), format!("{label} was made lower-case before it was hashed: leave it as it is."));
    add(own.replace('-', ""), format!("The dashes of {label} were left out: leave it as it is."));
    add(format!("\"{own}\""), format!("{label} was hashed with its quotation marks: leave those out."));
    for (other, text) in members(&request.body) {
        add(text, format!("The hash is made with {other} in the place of {label}."));
    }
    forms
}

fn separators(text: &str) -> Vec<Piece> {
    let bare = text.trim();
    let mut forms = vec![(text.to_owned(), None)];
    if bare.len() != text.len() {
        let slip = format!("The spaces around `{bare}` are missing: the text between is {text:?}.");
        forms.push((bare.to_owned(), Some(slip)));
        for (side, one) in [("before", text.trim_start()), ("after", text.trim_end())] {
            if one.len() != text.len() && one.len() != bare.len() {
                let slip = format!("The space {side} `{bare}` is missing: the text between is {text:?}.");
                forms.push((one.to_owned(), Some(slip)));
            }
        }
    }
    if let Some(half) = bare.get(..bare.len() / 2).filter(|half| !half.is_empty() && half.repeat(2) == bare) {
        let slip = format!("`{half}` stands between once, twice is right: {text:?}.");
        forms.push((text.replace(bare, half), Some(slip.clone())));
        forms.push((half.to_owned(), Some(slip)));
    }
    forms.push((String::new(), Some(format!("The text between, {text:?}, is missing."))));
    forms
}

/// The strings at the top of the body that may be ids, by name.
fn members(body: &[u8]) -> Vec<(String, String)> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).unwrap_or_default();
    // More would multiply beyond reason, and an id stands among the first.
    let ids = object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    ids.filter(|(_, text)| text.len() <= LONGEST).take(6).collect()
}

/// The honest answer when nothing fits, and the repair where there was nothing to try.
pub(super) fn unexplained(scheme: &Scheme, detached: &Detached, request: &Request, sig: Sig) -> Vec<String> {
    let header = scheme.place();
    vec![match sig {
        Sig::Missing => format!("Let the sender add {header}: {}.", scheme.describe()),
        Sig::Malformed => match detached.message.missing(request) {
            Some(what) => format!("Let the sender add {what}: it is part of what is hashed."),
            None => format!("Write {header} as the contract has it: {}.", scheme.describe()),
        },
        _ if !too_long(detached, request).is_empty() => format!(
            "Nothing fits: tried the whole body alone, for no id has more than {LONGEST} bytes ({}). The signature is {}.",
            too_long(detached, request).join(", "),
            scheme.describe()
        ),
        _ => format!(
            "Nothing fits: tried empty, missing and swapped values, other ones of the body, either case, other text between, \
             line ends, and the whole body. The hash was made for other values than the body has; it is {}.",
            scheme.describe()
        ),
    }]
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;
    use rstest::rstest;
    use sha2::Digest as _;

    use super::*;
    use crate::config::Secret;
    use crate::signature::{AtHand, compute, diagnose, verify};

    const CONVERSATION: &str = "a845678d-fe5a-429e-bc46-b25d524b9fa7";
    const BOT: &str = "795bb1534e34fc89050304e6f6827c41c50410d7";
    const USER: &str = "b849678d-fe4a-439e-bc46-b25d524b9fa7";
    /// What LivePerson's documentation prints beside these ids: made with an empty conversationId.
    const PRINTED: &str = "F8488E6143818BB0364717A91F235F7F7F0FE91C464EC6FAC7ECF0D3393EBBAF";
    /// What its recipe gives.
    const RIGHT: &str = "b922c0082c713607b2537d2dbf7c2d35f60281af71ec432abf57ba1ef99b6e8d";

    fn scheme() -> Scheme {
        let toml = "
            scheme = 'sha256'
            header = 'Authorization'
            encoding = 'hex'
            message = '{body:/conversationId} || {body:/botId}'
            missing = 'without it nothing is posted'";
        Scheme { name: "liveperson/webview".into(), ..toml::from_str(toml).unwrap() }
    }

    fn request(authorization: &str) -> Request {
        let body = serde_json::json!({ "botId": BOT, "conversationId": CONVERSATION, "userId": USER, "message": "hi" });
        Request {
            headers: [("authorization", authorization.to_owned())].into_iter().collect(),
            body: body.to_string().into(),
            ..Request::default()
        }
    }

    fn judged(request: &Request) -> Sig {
        verify(&scheme(), request, &[], Timestamp::UNIX_EPOCH).sig
    }

    fn why(request: &Request) -> Vec<String> {
        diagnose(&scheme(), request, AtHand::default(), Timestamp::UNIX_EPOCH)
    }

    fn hash(text: &str) -> String {
        base16ct::lower::encode_string(&sha2::Sha256::digest(text))
    }

    #[test]
    fn the_recipe_holds_in_either_case_and_needs_no_secret() {
        assert_eq!(hash("abcd || xyz"), "a0d9cf69fa7c6ddb2f361277d26953dd1e0cf367c238a0079ee02494b3ee3200");
        assert_eq!(compute(&scheme(), &request(""), None, Timestamp::UNIX_EPOCH).unwrap(), RIGHT);
        for given in [RIGHT.to_owned(), RIGHT.to_uppercase()] {
            assert_eq!(judged(&request(&given)), Sig::Valid);
            assert!(why(&request(&given)).is_empty());
        }
        // A secret at hand changes nothing.
        let secret = Secret::new("env:X", "x");
        assert_eq!(verify(&scheme(), &request(RIGHT), &[&secret], Timestamp::UNIX_EPOCH).sig, Sig::Valid);
    }

    #[test]
    fn the_printed_example_is_the_hash_of_an_empty_conversation_id() {
        let call = request(PRINTED);
        assert_eq!(judged(&call), Sig::Invalid);
        let why = why(&call);
        assert!(why.len() == 1 && why[0].starts_with("The hash is that of an empty conversationId"), "{why:?}");
    }

    #[rstest]
    #[case::no_spaces(format!("{CONVERSATION}||{BOT}"), "The spaces around `||` are missing")]
    #[case::no_space_before(format!("{CONVERSATION}|| {BOT}"), "The space before `||` is missing")]
    #[case::no_space_after(format!("{CONVERSATION} ||{BOT}"), "The space after `||` is missing")]
    #[case::one_bar(format!("{CONVERSATION} | {BOT}"), "`|` stands between once, twice is right")]
    #[case::one_bar_no_spaces(format!("{CONVERSATION}|{BOT}"), "`|` stands between once")]
    #[case::nothing_between(format!("{CONVERSATION}{BOT}"), "The text between, \" || \", is missing.")]
    #[case::swapped(format!("{BOT} || {CONVERSATION}"), "The parts are swapped")]
    #[case::user_for_conversation(format!("{USER} || {BOT}"), "made with userId in the place of conversationId")]
    #[case::user_for_bot(format!("{CONVERSATION} || {USER}"), "made with userId in the place of botId")]
    #[case::undefined(format!("undefined || {BOT}"), "`undefined` was hashed for conversationId")]
    #[case::null(format!("{CONVERSATION} || null"), "`null` was hashed for botId")]
    #[case::no_bot(format!("{CONVERSATION} || "), "that of an empty botId")]
    #[case::upper(format!("{} || {BOT}", CONVERSATION.to_uppercase()), "conversationId was made upper-case")]
    #[case::no_dashes(format!("{} || {BOT}", CONVERSATION.replace('-', "")), "dashes of conversationId were left out")]
    #[case::line_end(format!("{CONVERSATION} || {BOT}\n"), "A line end was hashed with it")]
    #[case::crlf(format!("{CONVERSATION} || {BOT}\r\n"), "A CRLF was hashed with it")]
    #[case::quoted(format!("\"{CONVERSATION} || {BOT}\""), "Quotation marks were hashed with it")]
    #[case::each_quoted(format!("\"{CONVERSATION}\" || {BOT}"), "conversationId was hashed with its quotation marks")]
    #[case::only_one(CONVERSATION.to_owned(), "Only conversationId was hashed")]
    #[case::the_body(request("").body.iter().map(|byte| char::from(*byte)).collect(), "that of the whole body")]
    fn every_usual_mistake_with_the_text_is_named(#[case] text: String, #[case] words: &str) {
        let call = request(&hash(&text));
        assert_eq!(judged(&call), Sig::Invalid);
        let why = why(&call);
        assert!(why[0].contains(words), "{why:?}");
    }

    #[test]
    fn two_mistakes_are_told_together() {
        let why = why(&request(&hash(&format!("{BOT}||{CONVERSATION}\n"))));
        assert!(["spaces around", "swapped", "line end"].iter().all(|words| why[0].contains(words)), "{why:?}");
        assert_eq!(why[0].matches(" Besides: ").count(), 2);
    }

    #[rstest]
    #[case::bearer(format!("Bearer {RIGHT}"), "Bearer")]
    #[case::prefix(format!("sha256={RIGHT}"), "`sha256=` before it")]
    #[case::base64("uSLACCxxNgeyU30tv3wtNfYCga9x7EMqv1e6Hvmbbo0=".into(), "in base64: write its bytes in hex")]
    #[case::quotes(format!("\"{RIGHT}\""), "quotation marks")]
    #[case::empty(String::new(), "as the contract has it")]
    fn every_usual_mistake_with_the_header_is_named(#[case] given: String, #[case] words: &str) {
        let call = request(&given);
        assert_eq!(judged(&call), Sig::Malformed);
        assert!(why(&call)[0].contains(words), "{:?}", why(&call));
    }

    #[test]
    fn what_is_not_there_is_asked_for() {
        let mut call = request(RIGHT);
        call.headers.remove("authorization");
        assert_eq!(judged(&call), Sig::Missing);
        assert!(why(&call)[0].contains("Let the sender add Authorization: SHA-256 of conversationId, \" || \", botId"));
        let mut call = request(RIGHT);
        call.body = r#"{"botId":"b"}"#.into();
        assert_eq!(judged(&call), Sig::Malformed);
        assert!(why(&call)[0].contains("add `conversationId` of the body"), "{:?}", why(&call));
        assert_eq!(
            compute(&scheme(), &call, None, Timestamp::UNIX_EPOCH).unwrap_err().to_string(),
            "the signature covers `conversationId` of the body, which the request does not have"
        );
    }

    #[test]
    fn values_longer_than_ids_are_not_put_together_in_every_way() {
        let long = "x".repeat(1 << 20);
        let body: Bytes = serde_json::json!({ "botId": long, "conversationId": long }).to_string().into();
        let mut call = Request { body, ..request(&hash("something else")) };
        assert_eq!(judged(&call), Sig::Invalid);
        assert!(why(&call)[0].contains("(conversationId, botId)"), "{:?}", why(&call));
        call.headers.set("authorization", hash(std::str::from_utf8(&call.body).unwrap()));
        assert!(why(&call)[0].contains("that of the whole body"), "{:?}", why(&call));
        call.headers.remove("authorization");
        assert!(why(&call)[0].starts_with("Let the sender add Authorization"), "{:?}", why(&call));
        // Another long string of the body is no id either.
        let mut body: serde_json::Value = serde_json::from_slice(&request("").body).unwrap();
        body["about"] = long.into();
        let call = Request { body: body.to_string().into(), ..request(&hash(&format!("{USER} || {BOT}"))) };
        assert!(why(&call)[0].contains("made with userId in the place of conversationId"), "{:?}", why(&call));
    }

    #[test]
    fn a_hash_of_something_else_is_said_to_be_one() {
        let why = why(&request(&hash("something else")));
        assert!(
            why.len() == 1 && why[0].starts_with("Nothing fits: tried empty, missing and swapped values"),
            "{why:?}"
        );
    }
}
