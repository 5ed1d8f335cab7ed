//! Calls for tests.

use std::time::Duration;

use crate::call::{Call, Direction, Id, Request};

/// A received call whose body is its number; it is of no kind.
pub fn call(number: u16) -> Call {
    Call {
        id: Id::fresh(),
        at: "2026-11-21T10:02:11Z".parse().unwrap(),
        direction: Direction::Received,
        kind: None,
        conversation: None,
        sig: None,
        took: Duration::ZERO,
        parent: None,
        error: None,
        forwarded: None,
        request: Request {
            method: "POST".into(),
            target: "/x".into(),
            body: number.to_string().into(),
            ..Request::default()
        },
        response: None,
    }
}
