//! Answers broken on purpose.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Outcome;
use crate::call::Response;
use crate::config::{Fault, Harm};
use crate::platform::{Kind, Severity};

/// A number from 0 to 1 (without it), by chance.
pub(super) fn chance() -> f64 {
    let bits = u32::try_from(Uuid::new_v4().as_u128() & 0xffff_ffff).unwrap_or_default();
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

/// Waits, and breaks the answer.
pub(super) async fn apply(fault: Fault, kind: Option<&Kind>, mut outcome: Outcome) -> Outcome {
    let delay = fault.delay + fault.jitter.mul_f64(chance());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let fault_is = |what: &str| Some(format!("fault: {what}"));
    let Some(response) = &mut outcome.response else { return outcome };
    let error = match fault.harm {
        None => fault_is(&format!("answered {delay:?} late")),
        Some(Harm::Status(status)) => {
            response.status = status;
            fault_is(&format!("status {status}"))
        }
        Some(Harm::Empty) => {
            response.body = Bytes::new();
            fault_is("empty body")
        }
        Some(Harm::Malformed) => {
            response.body = halved(&response.body);
            fault_is("malformed body")
        }
        Some(Harm::Contradict) => {
            response.body = contradicting(kind, response);
            fault_is("body that contradicts the contract")
        }
        Some(Harm::Slow(time)) => {
            outcome.slow = Some(time);
            fault_is(&format!("body takes {time:?}"))
        }
        Some(Harm::Reset) => {
            outcome.response = None;
            fault_is("connection reset")
        }
    };
    outcome.error = outcome.error.or(error);
    outcome
}

/// The first half of a body; of none, the beginning of an object.
fn halved(body: &Bytes) -> Bytes {
    if body.len() < 2 { Bytes::from_static(b"{\"") } else { body.slice(..body.len().div_ceil(2)) }
}

/// How long an answer may be that is contradicted by a copy of it, and how many of its values are tried.
const LONG: usize = 64 * 1024;
const TRIED: usize = 32;

/// A body of valid JSON that the contract of `kind` does not allow: the answer's own with one value of another type, if that
/// is enough.
fn contradicting(kind: Option<&Kind>, response: &Response) -> Bytes {
    let list = || Bytes::from_static(b"[]");
    // Nothing contradicts what is not known.
    let Some(kind) = kind else { return list() };
    // Each try is a copy of it: of a long one nothing is kept.
    let own: Map<String, Value> = match response.body.len() {
        ..=LONG => serde_json::from_slice(&response.body).unwrap_or_default(),
        _ => Map::new(),
    };
    let other = |value: &Value| if value.is_string() { 7.into() } else { Value::from("not what the contract says") };
    let turned = own.keys().take(TRIED).map(|name| {
        let mut turned = own.clone();
        turned.insert(name.clone(), other(&own[name]));
        Value::Object(turned)
    });
    // Every name that a contract has for what it wants as an object, a list or a boolean, and what is no object at all.
    let named = ["context", "responses", "output", "valid", "input"].map(|name| {
        let mut turned = own.clone();
        turned.insert(name.to_owned(), "not what the contract says".into());
        Value::Object(turned)
    });
    let candidates = turned.chain(named).chain([Value::Array(Vec::new()), Value::Null]);
    let breaks = |body: &Bytes| {
        let response = Response { status: 200, body: body.clone(), ..Response::default() };
        kind.check_response(&response).iter().any(|found| found.severity == Severity::Error)
    };
    candidates.map(|body| Bytes::from(body.to_string())).find(breaks).unwrap_or_else(list)
}

/// A body in pieces that takes `time` to leave.
pub(in crate::net) fn trickle(
    body: Bytes,
    time: Duration,
) -> impl futures_util::Stream<Item = Result<Bytes, std::convert::Infallible>> {
    const PIECES: usize = 10;
    let size = body.len().div_ceil(PIECES).max(1);
    let pieces = u32::try_from(body.len().div_ceil(size).max(1)).unwrap_or(1);
    futures_util::stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(time / pieces).await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok(piece), rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platforms;

    #[test]
    fn a_long_answer_is_contradicted_at_once() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/dialog");
        let answer = |members: usize| {
            let members: Vec<_> = (0..members).map(|member| format!("\"{member}\":{member}")).collect();
            Response { status: 200, body: format!("{{{}}}", members.join(",")).into(), ..Response::default() }
        };
        for (members, kept) in [(100, true), (700_000, false)] {
            let body = contradicting(kind, &answer(members));
            let findings =
                kind.unwrap().check_response(&Response { status: 200, body: body.clone(), ..Response::default() });
            assert!(findings.iter().any(|found| found.severity == Severity::Error), "{members}");
            assert_eq!(body.len() > members, kept);
            assert_eq!(contradicting(None, &answer(members)), "[]");
        }
    }
}
