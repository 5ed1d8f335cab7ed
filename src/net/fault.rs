//! Faulty deliveries: what goes wrong on the way from a platform to an endpoint, done on purpose to see what the endpoint
//! makes of it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::call::{Call, Request};
use crate::json::{self, TokenKind};
use crate::platform::Kind;
use crate::signature::{Method, Scheme};
use crate::visible;

/// How long before now a stale call was made.
pub const STALE: Duration = Duration::from_hours(1);
/// Over what time a slow body is sent where nothing is said of it.
pub const SLOW: Duration = Duration::from_secs(5);

/// What is wrong with a call itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Made and signed an hour ago: its times are old, its token has expired.
    Stale,
    /// Signed by someone else.
    BadSignature,
    /// Changed after it was signed.
    Tampered,
    /// The body comes in small pieces over this time.
    SlowBody(Duration),
    /// The connection ends in the middle of the body.
    CutBody,
}

/// All that is wrong with one delivery: what is wrong with the call, and with when it comes. The latter is no reason to
/// refuse it, and what is refused when it comes once is refused when it comes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What is wrong with the call.
    pub fault: Option<Fault>,
    /// It comes after the call that should have followed it.
    pub late: bool,
    /// It is the same bytes once more.
    pub again: bool,
}

impl Delivery {
    /// What stands beside it, if anything is wrong: `tampered body, duplicate`.
    #[must_use]
    pub fn label(self) -> Option<String> {
        let words =
            [self.fault.map(Fault::word), self.late.then_some("out of order"), self.again.then_some("duplicate")];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// As [`Self::label`], of a delivery that is through, with how long the answer took where the delivery was slow on
    /// purpose.
    #[must_use]
    pub fn told(self, call: &Call) -> Option<String> {
        let slow = self.fault.and_then(Fault::slowness).filter(|_| call.response.is_some());
        let after = slow.map(|slow| match call.took.checked_sub(slow) {
            Some(own) => format!(", answered {} after it", visible::took(own)),
            None => ", answered before its end".to_owned(),
        });
        self.label().map(|label| label + &after.unwrap_or_default())
    }

    /// What a delivery of the same bytes once more does.
    pub const AGAIN: &str = "Send each call twice, byte for byte";
    /// What a delivery that comes late does.
    pub const LATE: &str = "Of two neighbours in a conversation, the second first";
}

/// What an endpoint should make of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An answer of 2xx.
    Taken,
    /// An answer of 4xx: it noticed.
    Refused,
    /// Anything but 2xx, and be it no answer at all.
    NotTaken,
}

impl Fault {
    /// Each of them, in the order in which a call is sent with them.
    pub const ALL: [Self; 5] = [Self::Stale, Self::BadSignature, Self::Tampered, Self::SlowBody(SLOW), Self::CutBody];

    /// What it does, and what a sound endpoint makes of it, where that is not the usual.
    #[must_use]
    pub const fn does(self) -> &'static str {
        match self {
            Self::Stale => "Make and sign it an hour ago; it should be refused",
            Self::BadSignature => "Sign as someone else; it should be refused",
            Self::Tampered => "Change the body after signing; it should be refused",
            Self::SlowBody(_) => "Send the body in small pieces over this time",
            Self::CutBody => "End the connection in the middle of the body",
        }
    }

    /// What stands beside a delivery: `bad signature`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stale => "stale timestamp",
            Self::BadSignature => "bad signature",
            Self::Tampered => "tampered body",
            Self::SlowBody(_) => "slow body",
            Self::CutBody => "cut body",
        }
    }

    /// What a sound endpoint makes of it.
    #[must_use]
    pub fn wanted(self) -> Wanted {
        match self {
            Self::SlowBody(_) => Wanted::Taken,
            Self::Stale | Self::BadSignature | Self::Tampered => Wanted::Refused,
            Self::CutBody => Wanted::NotTaken,
        }
    }

    /// How long it takes on purpose.
    #[must_use]
    pub fn slowness(self) -> Option<Duration> {
        match self {
            Self::SlowBody(time) => Some(time),
            _ => None,
        }
    }

    /// What the endpoint itself took of the time that a delivery took: what is slow on purpose is not its own, unless it did not
    /// wait for its end.
    #[must_use]
    pub fn own(fault: Option<Self>, took: Duration) -> Duration {
        took.checked_sub(fault.and_then(Self::slowness).unwrap_or_default()).unwrap_or(took)
    }

    /// Why a call cannot have this fault, if it cannot. The request is as it would be sent without it.
    #[must_use]
    pub fn why_not(self, kind: Option<&Kind>, request: &Request) -> Option<String> {
        let name = kind.map_or("a call that was not recognised", |kind| kind.name.as_str());
        let scheme = kind.and_then(|kind| kind.scheme_of(request));
        let no_scheme = || format!("{name} is not signed");
        match self {
            Self::Stale => {
                let timed = scheme.is_some_and(tells_the_time) || kind.is_some_and(|kind| kind.tells_the_time(request));
                (!timed).then(|| format!("neither the body nor the signature of {name} says when it was made"))
            }
            Self::BadSignature => scheme.is_none().then(no_scheme),
            Self::Tampered => match scheme {
                None => Some(no_scheme()),
                Some(scheme) => tampered(scheme, &request.body).is_none().then(|| match covered(scheme).as_slice() {
                    _ if scheme.covers_the_body() => "the body is empty".to_owned(),
                    [] => format!("the signature of {name} does not cover the body"),
                    pointers => format!("there is no text at {} of the body", pointers.join(" or ")),
                }),
            },
            Self::SlowBody(_) | Self::CutBody => (request.body.len() < 2).then(|| "there is no body".to_owned()),
        }
    }

    /// Why a call of `kind` that bears what is made by these `schemes` as it leaves cannot have this fault, though it could if it
    /// were signed otherwise: its endpoint has nothing to refuse it by.
    pub(super) fn why_not_with<'a>(
        self,
        kind: &Kind,
        mut schemes: impl Iterator<Item = &'a Scheme>,
        request: &Request,
    ) -> Option<String> {
        let name = &kind.name;
        match self {
            Self::Stale if !kind.tells_the_time(request) && !schemes.any(tells_the_time) => {
                Some(format!("as it leaves, neither the body nor a signature of {name} says when it was made"))
            }
            Self::Tampered if !schemes.any(|scheme| scheme.covers_the_body() || !covered(scheme).is_empty()) => {
                Some(format!("as it leaves, it bears no signature of {name} that covers the body"))
            }
            _ => None,
        }
    }

    /// What it does to a request that is signed and ready.
    pub(super) fn spoil(self, kind: Option<&Kind>, request: &mut Request) {
        match self {
            // Whoever signs without a secret has none to get wrong.
            Self::BadSignature => {
                let schemes = kind.into_iter().flat_map(Kind::schemes);
                for scheme in schemes.filter(|scheme| scheme.is_keyless()) {
                    if let Some(value) = request.headers.get(&scheme.header).map(|value| forged(value, &scheme.prefix))
                    {
                        request.headers.set(&scheme.header, value);
                    }
                }
            }
            Self::Tampered => {
                let scheme = kind.and_then(|kind| kind.scheme_of(request));
                if let Some(body) = scheme.and_then(|scheme| tampered(scheme, &request.body)) {
                    request.body = body.into();
                }
            }
            _ => {}
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether a signature is good for a time only.
fn tells_the_time(scheme: &Scheme) -> bool {
    match &scheme.method {
        Method::Jwt(_) => true,
        Method::Detached(detached) => detached.clock.is_some(),
        Method::Shared(_) => false,
    }
}

/// The same form, another signature: its first character is another one.
fn forged(value: &str, prefix: &str) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let start = if value.starts_with(prefix) { prefix.len() } else { 0 };
    if let Some(byte) = bytes.get_mut(start) {
        *byte = if *byte == b'a' { b'b' } else { b'a' };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The places in a body whose values it signs, where it does not sign the whole of it.
fn covered(scheme: &Scheme) -> Vec<&str> {
    match &scheme.method {
        Method::Detached(detached) => detached.message.pointers().collect(),
        _ => Vec::new(),
    }
}

/// The body with one character of a value that is signed changed, so that only a signature tells; none if there is nothing to
/// change.
fn tampered(scheme: &Scheme, body: &[u8]) -> Option<Vec<u8>> {
    if scheme.covers_the_body() {
        return changed(body);
    }
    let text = std::str::from_utf8(body).ok()?;
    covered(scheme).into_iter().find_map(|pointer| {
        let span = json::find(text, pointer).filter(|span| text[span.clone()].starts_with('"'))?;
        let at = span.start + changeable(&body[span])?;
        let mut changed = body.to_vec();
        exchange(&mut changed[at]);
        Some(changed)
    })
}

/// The body with one character of a value changed.
fn changed(body: &[u8]) -> Option<Vec<u8>> {
    let mut changed = body.to_vec();
    let text = std::str::from_utf8(body).ok().filter(|text| json::is_valid(text));
    let in_value = text.and_then(|text| {
        let mut values = json::tokens(text).filter(|token| token.kind == TokenKind::String);
        values.find_map(|token| changeable(&body[token.span.clone()]).map(|at| token.span.start + at))
    });
    let at = in_value.or_else(|| if text.is_some() { None } else { changeable(body) });
    match (at, changed.last_mut()) {
        (Some(at), _) => exchange(&mut changed[at]),
        // Of JSON without any text: a space, which changes nothing but the bytes.
        (None, Some(_)) => changed.push(b' '),
        (None, None) => return None,
    }
    Some(changed)
}

/// Puts another letter there.
fn exchange(byte: &mut u8) {
    *byte = if *byte == b'x' { b'y' } else { b'x' };
}

/// The last letter or digit that is not part of an escape.
fn changeable(text: &[u8]) -> Option<usize> {
    if text.contains(&b'\\') { None } else { text.iter().rposition(u8::is_ascii_alphanumeric) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platforms;

    #[test]
    fn a_tampered_body_is_as_valid_as_before() {
        for (body, expected) in [
            (r#"{"a":"he\u0020", "b":"καlό1!"}"#, r#"{"a":"he\u0020", "b":"καlόx!"}"#),
            (r#"{"a":"x"}"#, r#"{"a":"y"}"#),
            ("[1,true]", "[1,true] "),
            ("a=1&b=2", "a=1&b=x"),
        ] {
            assert_eq!(changed(body.as_bytes()).unwrap(), expected.as_bytes());
        }
        assert_eq!(changed(b""), None);
    }

    #[test]
    fn of_a_body_that_is_signed_in_part_that_part_is_tampered_with() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("liveperson/webview").unwrap();
        let mut request = kind.sample();
        assert_eq!(Fault::Tampered.why_not(Some(kind), &request), None);
        Fault::Tampered.spoil(Some(kind), &mut request);
        let (before, after) = (kind.read(&kind.sample()).conversation, kind.read(&request).conversation);
        assert!(before != after && before.unwrap().len() == after.unwrap().len());
        request.body = r#"{"conversationId":1,"botId":""}"#.into();
        let why = Fault::Tampered.why_not(Some(kind), &request).unwrap();
        assert_eq!(why, "there is no text at /conversationId or /botId of the body");
    }

    #[test]
    fn a_forged_signature_keeps_its_form() {
        assert_eq!(forged("sha256=ab12", "sha256="), "sha256=bb12");
        assert_eq!(forged("a=", ""), "b=");
        assert_eq!(forged("", ""), "");
    }

    #[test]
    fn a_fault_that_a_call_cannot_have_is_told() {
        let platforms = Platforms::builtin().unwrap();
        let why = |fault: Fault, name: &str| {
            let kind = platforms.kind(name).unwrap();
            fault.why_not(Some(kind), &kind.sample())
        };
        assert_eq!(why(Fault::Stale, "moveo/dialog"), None);
        assert_eq!(why(Fault::Stale, "moveo/webview_callback"), None);
        assert!(why(Fault::Stale, "moveo/auth_validation").unwrap().contains("says when it was made"));
        assert!(why(Fault::Tampered, "moveo/webview_callback").unwrap().contains("does not cover the body"));
        assert!(why(Fault::BadSignature, "jelou/webview_callback").unwrap().contains("is not signed"));
        assert!(why(Fault::CutBody, "jelou/webview_open").unwrap().contains("no body"));
        assert!(Fault::BadSignature.why_not(None, &Request::default()).unwrap().contains("not recognised"));
    }

    #[test]
    fn all_that_is_wrong_stands_beside_a_delivery() {
        let label = |fault, late, again| Delivery { fault, late, again }.label();
        assert_eq!(label(None, false, false), None);
        assert_eq!(label(None, true, true).as_deref(), Some("out of order, duplicate"));
        assert_eq!(label(Some(Fault::Tampered), false, true).as_deref(), Some("tampered body, duplicate"));
    }

    #[test]
    fn what_was_slow_on_purpose_says_how_long_the_answer_took() {
        let slow = Fault::SlowBody(Duration::from_secs(2));
        let (at, request) = (jiff::Timestamp::UNIX_EPOCH, Request::default());
        let mut call = Call::new(crate::call::Id::fresh(), crate::call::Direction::Sent, at, request);
        call.took = Duration::from_millis(2_012);
        let told = |fault, call: &Call| Delivery { fault: Some(fault), ..Delivery::default() }.told(call);
        assert_eq!(told(slow, &call).as_deref(), Some("slow body"), "there was no answer");
        call.response = Some(crate::call::Response::default());
        assert_eq!(told(slow, &call).as_deref(), Some("slow body, answered 12.0 ms after it"));
        assert_eq!(told(Fault::Stale, &call).as_deref(), Some("stale timestamp"));
        call.took = Duration::from_millis(5);
        assert_eq!(told(slow, &call).as_deref(), Some("slow body, answered before its end"));
        assert_eq!(Fault::own(Some(slow), call.took), call.took);
    }
}
