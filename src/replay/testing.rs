//! Calls for tests.

use crate::call::{Call, Direction, Id, Request};

/// A received call whose body is its number; it is of no kind.
pub fn call(number: u16) -> Call {
    Call::new(
        Id::fresh(),
        Direction::Received,
        "2026-11-21T10:02:11Z".parse().unwrap(),
        Request { method: "POST".into(), target: "/x".into(), body: number.to_string().into(), ..Request::default() },
    )
}
