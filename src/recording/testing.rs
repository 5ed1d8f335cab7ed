//! Calls for tests.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use crate::call::{Call, Direction, Headers, Id, Request, Response, Sig};

/// A call with every field filled in; `number` is in its id, conversation and body.
pub fn call(number: u64) -> Call {
    Call {
        id: Id(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))),
        at: "2026-11-21T10:02:11.120331Z".parse().unwrap(),
        direction: Direction::Received,
        kind: Some("moveo/pre_message".into()),
        conversation: Some(format!("8563dcdf-{number}")),
        sig: Some(Sig::Valid),
        took: Duration::from_micros(1843),
        parent: Some(Id(Uuid::from_u128(9))),
        error: None,
        forwarded: None,
        request: Request {
            method: "POST".into(),
            target: "/hooks/moveo?n=1".into(),
            origin: None,
            public: None,
            peer: None,
            headers: headers(&[("host", b"localhost"), ("x-moveo-signature", b"7b2e")]),
            body: Bytes::from(format!(r#"{{"input":{{"text":"Good morning"}},"number":{number},"big":1e3}}"#)),
            cut: false,
            redacted: false,
        },
        response: Some(Response {
            status: 200,
            headers: headers(&[("content-type", b"text/plain")]),
            body: "done\n".into(),
        }),
    }
}

pub fn headers(fields: &[(&str, &'static [u8])]) -> Headers {
    fields.iter().map(|(name, value)| (*name, Bytes::from_static(value))).collect()
}

fn wire_headers() -> impl Strategy<Value = Headers> {
    let value = prop_oneof![
        "([!-~]([ -~]{0,12}[!-~])?)?".prop_map(Bytes::from),
        "[!-~äé]([\t 'äé\\\\$`\"]{0,4}[!-~])?".prop_map(Bytes::from),
        vec(0x80_u8.., 0..4).prop_map(Bytes::from),
    ];
    vec(("[A-Za-z][A-Za-z0-9-]{0,7}", value), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// Bodies that are JSON, text that a format could stumble over, or bytes.
fn wire_body() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        r#"\{"a":(1e3|"[ -~&&[^"\\]]{0,4}")\}[ \n]{0,2}"#.prop_map(Bytes::from),
        "(\n###|###|\r\n|\n|'|\\\\|\\$|@-|@|# @hooktape |HTTP/1.1 200|```|\u{202e}|\t|\u{1b}|a|é){0,8}"
            .prop_map(Bytes::from),
        vec(any::<u8>(), 0..40).prop_map(Bytes::from),
    ]
}

fn any_headers() -> impl Strategy<Value = Headers> {
    let name = prop_oneof!["[a-z-]{1,8}", any::<String>()];
    let value = prop_oneof!["[ -~]{0,12}".prop_map(Bytes::from), vec(any::<u8>(), 0..12).prop_map(Bytes::from)];
    vec((name, value), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// Bodies that are JSON, nearly JSON, text, or bytes.
fn any_body() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        r#"[ \n]?[\[{]("[a-z\\"]{0,3}":)?(1e3|-0|true|nul|"[ -~]{0,4}"|,)?[\]}][ \r]?"#.prop_map(Bytes::from),
        any::<String>().prop_map(Bytes::from),
        vec(any::<u8>(), 0..40).prop_map(Bytes::from),
    ]
}

/// What generated calls differ in; the rest of them is anything.
struct Parts {
    /// When, in microseconds.
    at: RangeInclusive<i64>,
    /// Most microseconds that it took.
    took: u64,
    method: BoxedStrategy<String>,
    target: BoxedStrategy<String>,
    origin: BoxedStrategy<Option<String>>,
    public: BoxedStrategy<Option<String>>,
    host: BoxedStrategy<Option<String>>,
    headers: BoxedStrategy<Headers>,
    body: BoxedStrategy<Bytes>,
    status: RangeInclusive<u16>,
}

prop_compose! {
    fn call_of(parts: Parts)(
        (id, parent) in (any::<u128>(), option::of(any::<u128>())),
        (error, kind, conversation) in (option::of(any::<String>()), option::of(any::<String>()), option::of(any::<String>())),
        (origin, public, peer) in (parts.origin, parts.public, option::of(any::<std::net::IpAddr>())),
        (at, took) in (parts.at, 0..=parts.took),
        (sent, cut, redacted) in (any::<bool>(), any::<bool>(), any::<bool>()),
        sig in option::of(proptest::sample::select(&Sig::ALL[..])),
        (method, target, host) in (parts.method, parts.target, parts.host),
        (headers, body) in (parts.headers.clone(), parts.body.clone()),
        response in option::of((parts.status, parts.headers, parts.body)),
    ) -> Call {
        let host = host.map(|host| ("Host".into(), Bytes::from(host)));
        Call {
            id: Id(Uuid::from_u128(id)),
            at: Timestamp::from_microsecond(at).unwrap(),
            direction: if sent { Direction::Sent } else { Direction::Received },
            kind,
            conversation,
            sig,
            took: Duration::from_micros(took),
            parent: parent.map(|id| Id(Uuid::from_u128(id))),
            error,
            forwarded: None,
            request: Request {
                method,
                target,
                origin,
                public,
                peer,
                headers: host.into_iter().chain(headers.0).collect(),
                body,
                cut,
                redacted,
            },
            response: response.map(|(status, headers, body)| Response { status, headers, body }),
        }
    }
}

/// A call as it can cross a wire.
pub fn wire_call() -> impl Strategy<Value = Call> {
    call_of(Parts {
        at: 0..=253_402_207_200_000_000,
        took: 999_999_999_999,
        method: proptest::sample::select(&["GET", "POST", "HEAD", "PUT", "X-Y"][..]).prop_map(str::to_owned).boxed(),
        target: "/([a-z./%'\\[\\]{}$!&*~-]{0,6}(\\?[a-z=&%?'\"$`;()]{0,6})?)".boxed(),
        origin: option::of(Just("https://h.example:8443".to_owned())).boxed(),
        public: Just(None).boxed(),
        host: option::of("[a-z]{1,4}(:[1-9])?").boxed(),
        headers: wire_headers().boxed(),
        body: wire_body().boxed(),
        status: 100..=999,
    })
}

/// A call as a recording can hold it, whether or not it can cross a wire.
pub fn any_call() -> impl Strategy<Value = Call> {
    call_of(Parts {
        at: -377_705_023_201_000_000..=253_402_207_200_000_000,
        took: u64::MAX,
        method: any::<String>().boxed(),
        target: any::<String>().boxed(),
        origin: option::of(any::<String>()).boxed(),
        public: option::of(any::<String>()).boxed(),
        host: Just(None).boxed(),
        headers: any_headers().boxed(),
        body: any_body().boxed(),
        status: 0..=u16::MAX,
    })
}
