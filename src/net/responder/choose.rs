//! Which reply a call gets, and what its placeholders stand for.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{Active, Wanting};
use crate::call::{Call, Direction, Response};
use crate::config::{Expected, Replies, Reply, When};
use crate::json;
use crate::net::placeholders;
use crate::net::template::{self, Known, Scope};
use crate::recording::{Place, Query, View};

/// The reply to a call; none if no case fits.
pub(super) fn reply(active: &Active, replies: &Replies, call: Wanting<'_>, known: &Known) -> Option<Response> {
    let readable = call.request.readable();
    let document = call.kind.map_or((&readable.body[..]).into(), |kind| kind.document(&readable));
    let document = std::str::from_utf8(&document).unwrap_or_default();
    let row = replies.lookup.as_ref().and_then(|lookup| {
        let value = at(document, &lookup.by)?;
        lookup.table.find(&lookup.column, &value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    });
    let case = if replies.in_turn {
        let last = replies.cases.len().checked_sub(1)?;
        let turn = active.turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |turn| Some((turn + 1).min(last)));
        replies.cases.get(turn.unwrap_or_default().min(last))
    } else {
        let mut cases = replies.cases.iter().zip(&active.queries);
        cases.find(|(case, query)| fits(&case.when, query.as_ref(), call, document, row.as_ref())).map(|(case, _)| case)
    };
    let scope = Scope { request: call.request, document, row: row.as_ref(), now: Timestamp::now(), known };
    case.map(|case| fill(&case.reply, &scope))
}

fn fill(reply: &Reply, scope: &Scope<'_>) -> Response {
    let headers = reply.headers.iter().map(|(name, value)| {
        let value = if placeholders::are_in(value.as_bytes()) {
            // A line end in a header would be another header.
            template::fill_text(value, scope).replace(|char: char| char.is_control(), " ")
        } else {
            value.clone()
        };
        (name.to_ascii_lowercase(), value)
    });
    let body = template::fill(&reply.body, scope);
    Response { status: reply.status, headers: headers.collect(), body }
}

/// The value that a JSON Pointer names.
fn at(document: &str, pointer: &str) -> Option<Value> {
    json::find(document, pointer).and_then(|span| serde_json::from_str(document.get(span)?).ok())
}

fn fits(
    when: &When,
    query: Option<&Query>,
    call: Wanting<'_>,
    document: &str,
    row: Option<&HashMap<&str, &str>>,
) -> bool {
    when.kind.as_deref().is_none_or(|name| call.kind.is_some_and(|kind| kind.name == name))
        && when.found.is_none_or(|found| found == row.is_some())
        && when.pointers.iter().all(|(pointer, expected)| match (expected, at(document, pointer)) {
            (Expected::There(there), value) => *there == value.is_some_and(|value| !value.is_null()),
            (Expected::Equal(wanted), value) => value.as_ref() == Some(wanted),
        })
        && (when.query.is_none() || query.is_some_and(|query| answers(query, call)))
}

/// Whether the call fits a query, as far as it goes without its answer.
fn answers(query: &Query, call: Wanting<'_>) -> bool {
    let call = Call {
        kind: call.kind.map(|kind| kind.name.clone()),
        conversation: call.conversation.map(ToOwned::to_owned),
        sig: call.sig,
        ..Call::new(call.id, Direction::Received, call.at, call.request.clone())
    };
    query.matches(&View::of(&call, Place { offset: 0, len: 0 }), &call)
}

/// Headers of an answer that belong to its own way over the wire.
pub const OF_ITS_TIME: [&str; 4] = ["content-length", "date", "transfer-encoding", "connection"];

/// The reply's bytes as a captured answer has them, for answering so from now on.
#[must_use]
pub fn like(response: &Response) -> Reply {
    let headers = response.headers.iter().filter(|(name, _)| !OF_ITS_TIME.contains(name));
    Reply {
        status: response.status,
        headers: headers.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned())).collect(),
        body: Bytes::clone(&response.body),
    }
}
