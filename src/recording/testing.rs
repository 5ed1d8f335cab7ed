//! Calls for tests.

use std::time::Duration;

use bytes::Bytes;
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
        request: Request {
            method: "POST".into(),
            target: "/hooks/moveo?n=1".into(),
            origin: None,
            peer: None,
            headers: headers(&[("host", b"localhost"), ("x-moveo-signature", b"7b2e")]),
            body: Bytes::from(format!(r#"{{"input":{{"text":"Good morning"}},"number":{number},"big":1e3}}"#)),
            cut: false,
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
