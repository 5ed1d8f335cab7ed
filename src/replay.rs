//! Recorded calls sent again, one after the other, in the order they came.
//!
//! ```text
//!  recording --Query--> Plan --Step by Step--> net::sender --> Outcome
//! ```

pub mod compare;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::call::{Call, Request};
use crate::config::Target;
use crate::net::outgoing::{Outgoing, SignMode};
use crate::platform::{Keyring, Platforms};

/// When each call leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As soon as the one before it is answered.
    Asap,
    /// At the recorded distances from the first call, divided by this factor; at once where the one before took longer.
    Original(f64),
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "asap" => Ok(Self::Asap),
            "original" => Ok(Self::Original(1.0)),
            other => other
                .strip_suffix('x')
                .and_then(|factor| factor.parse().ok())
                .filter(|factor: &f64| factor.is_finite() && *factor > 0.0)
                .map(Self::Original)
                .ok_or_else(|| format!("{other:?} is no pace: asap, original, or a factor such as 2x")),
        }
    }
}

/// One value put into a payload before it is sent: a JSON Pointer and JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub pointer: String,
    /// What, as JSON text.
    pub value: String,
}

impl std::str::FromStr for Change {
    type Err = String;

    /// `/pointer=value`. A value that is not JSON is meant as a string.
    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, value) = text
            .split_once('=')
            .filter(|(pointer, _)| pointer.starts_with('/'))
            .ok_or_else(|| format!("{text:?} is not of the form /pointer=value, as in /input/text=hello"))?;
        let value = match crate::json::check(value) {
            Ok(()) => value.to_owned(),
            Err(_) => serde_json::Value::from(value).to_string(),
        };
        Ok(Self { pointer: pointer.to_owned(), value })
    }
}

/// Puts `changes` into the request's body; every other byte stays.
///
/// # Errors
/// When the body is no JSON text, or a pointer leads nowhere.
pub fn change(request: &mut Request, changes: &[Change]) -> Result<(), String> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut text = std::str::from_utf8(&request.body).map_err(|_| "the body is not text")?.to_owned();
    for change in changes {
        text = crate::json::set(&text, &change.pointer, &change.value)?;
    }
    request.body = text.into();
    Ok(())
}

/// How recorded calls are sent again.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// With which signature.
    pub mode: SignMode,
    /// What is changed in each payload.
    pub changes: Vec<Change>,
    /// When each leaves.
    pub pace: Pace,
    /// Whether the first failure ends it.
    pub stop_on_failure: bool,
}

impl Plan {
    /// What would be sent for a recorded call.
    ///
    /// # Errors
    /// A sentence: why this call cannot be sent so.
    pub fn outgoing(
        &self,
        call: &Call,
        platforms: &Platforms,
        keyring: &Keyring,
        listener: Option<SocketAddr>,
    ) -> Result<Outgoing, String> {
        let kind = call.kind.as_deref().and_then(|name| platforms.kind(name));
        let mut request = call.request.clone();
        change(&mut request, &self.changes)?;
        Ok(Outgoing::aim(request, kind, &self.target, self.mode, keyring, listener)?.repeating(Some(call.id)))
    }

    /// How long after the first call one leaves that came `offset` after it.
    #[must_use]
    pub fn delay(&self, offset: Duration) -> Duration {
        match self.pace {
            Pace::Asap => Duration::ZERO,
            Pace::Original(factor) => {
                Duration::try_from_secs_f64(offset.as_secs_f64() / factor).unwrap_or(LONGEST).min(LONGEST)
            }
        }
    }
}

/// No call waits longer, however slow the pace: a year.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// How many calls went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered with 2xx.
    pub fine: u64,
    /// Answered otherwise, or not at all.
    pub failed: u64,
}

/// Whether an endpoint took a call: an answer of 2xx.
#[must_use]
pub fn took(call: &Call) -> bool {
    call.status().is_some_and(|status| (200..300).contains(&status))
}

/// Sends `calls` by `plan`. `send` does the sending; `report` hears of each call before the next leaves.
///
/// # Errors
/// The first thing that is neither a call nor an answer: a call that cannot be read, sent or recorded.
pub async fn run<S, F>(
    plan: &Plan,
    calls: impl Iterator<Item = Result<Call, String>>,
    prepare: impl Fn(&Call) -> Result<Outgoing, String>,
    send: S,
    mut report: impl FnMut(&Call, &Arc<Call>),
) -> Result<Tally, String>
where
    S: Fn(Outgoing) -> F,
    F: Future<Output = Result<Arc<Call>, String>>,
{
    let mut tally = Tally::default();
    let mut began = None;
    for call in calls {
        let call = call?;
        let (start, first) = *began.get_or_insert_with(|| (Instant::now(), call.at));
        let offset = Duration::try_from(call.at.duration_since(first)).unwrap_or_default();
        tokio::time::sleep_until(start + plan.delay(offset)).await;
        let answer = send(prepare(&call)?).await?;
        report(&call, &answer);
        if took(&answer) {
            tally.fine += 1;
        } else {
            tally.failed += 1;
            if plan.stop_on_failure {
                break;
            }
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests;
