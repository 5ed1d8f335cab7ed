//! What a platform does with an answer: it takes it, or the call has failed, and the pack says what that means.
//!
//! ```text
//!  answer --in time, 2xx, as the contract has it--> taken
//!     +-- else --> `failure`, `unreadable`, or what a setting of the webhook decides: `fail_on_error`
//! ```

use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Kind, Severity};
use crate::call::{Call, Direction};
use crate::config::{Config, parse_duration};

/// What follows where a pack has no word on it.
const UNKNOWN: &str = "the documents do not say what follows";

/// How the error of a call begins that never left, for it could not be signed, say.
const NOT_SENT: &str = "not sent: ";

/// `fail_on_error` of a kind: the setting of a webhook that says what its failure does. Sentences without their end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailOnError {
    /// What the platform calls it: `Fail on error`.
    pub setting: String,
    /// What a failure does where it is on.
    pub on: String,
    /// What it does where it is off.
    pub off: String,
}

impl FailOnError {
    /// What a failure does, as far as the setting is known.
    fn then(&self, setting: Option<bool>) -> String {
        let Self { setting: name, on, off } = self;
        match setting {
            Some(true) => format!("{on}, for {name} is on"),
            Some(false) => format!("{off}, for {name} is off"),
            None => format!("with {name} {on}; without it {off}"),
        }
    }
}

/// What the platform does with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// Why the call has failed; none where the answer is taken.
    pub failed: Option<String>,
    /// What follows.
    pub then: String,
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failed {
            Some(why) => write!(f, "{why}: {}", self.then),
            None => f.write_str(&self.then),
        }
    }
}

impl Kind {
    /// How long the platform waits for an answer, where its documents say so.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.spec.timeout
    }

    /// What an answer other than 2xx does, as a sentence without its end; empty where the pack does not know.
    pub(super) fn failure(&self) -> String {
        self.spec.fail_on_error.as_ref().map_or_else(|| self.spec.failure.clone(), |setting| setting.then(None))
    }

    /// What the platform does with the answer to `call`; the route that it came by says how the webhook is set there. None
    /// where the documents do not say. That a sent call's answer is taken goes without saying, and the answer to a page is
    /// none that the platform takes.
    #[must_use]
    pub fn consequence(&self, call: &Call, config: &Config) -> Option<Consequence> {
        // Who cuts a call off himself gets no answer, whatever the platform would do; and what never left gets none.
        let unsent = || call.error.as_ref().is_some_and(|error| error.starts_with(NOT_SENT));
        if call.direction == Direction::Sent && call.response.is_none() && (call.request.cut || unsent()) {
            return None;
        }
        let route = (call.direction == Direction::Received).then(|| config.route(call.request.path())).flatten();
        let patience = route.and_then(|route| route.timeout).or(self.spec.timeout);
        let failed = match (&call.response, patience.filter(|patience| call.took > *patience)) {
            (None, _) => "there was no answer".to_owned(),
            _ if call.is_abandoned() => "the caller hung up before the answer was there".to_owned(),
            (_, Some(patience)) => {
                let took = Duration::from_millis(u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX));
                format!("the answer took {took:?}, and the platform waits {patience:?}")
            }
            (Some(response), _) if !(200..300).contains(&response.status) => {
                format!("the status is {}", response.status)
            }
            (Some(response), _) => {
                let broken = self.check_response(response).iter().any(|found| found.severity == Severity::Error);
                let failed = broken.then(|| "the body is not as the contract has it".to_owned());
                let then = match (broken, call.direction) {
                    (true, Direction::Received) => self.spec.unreadable.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
                    (true, Direction::Sent) => self.spec.unreadable.clone()?,
                    (false, Direction::Received) if !self.is_from_a_browser() => "the answer is taken".to_owned(),
                    (false, _) => return None,
                };
                return Some(Consequence { failed, then });
            }
        };
        let setting = route.and_then(|route| route.fail_on_error);
        let then =
            self.spec.fail_on_error.as_ref().map_or_else(|| self.spec.failure.clone(), |name| name.then(setting));
        (!then.is_empty()).then_some(Consequence { failed: Some(failed), then })
    }
}

/// A `timeout` as configurations write durations: `30s`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::call::{Id, Response};
    use crate::config::Route;
    use crate::platform::Platforms;

    fn call(kind: &Kind, took: u64, answer: Option<(u16, &str)>) -> Call {
        Call {
            kind: Some(kind.name.clone()),
            took: Duration::from_millis(took),
            response: answer.map(|(status, body)| Response {
                status,
                body: body.to_owned().into(),
                ..Response::default()
            }),
            ..Call::new(Id::fresh(), Direction::Received, Timestamp::UNIX_EPOCH, kind.sample())
        }
    }

    fn set(fail_on_error: Option<bool>, timeout: Option<u64>) -> Config {
        let timeout = timeout.map(Duration::from_secs);
        let route = Route { path: "/hooks/*".into(), fail_on_error, timeout, ..Route::default() };
        Config { routes: vec![route], ..Config::default() }
    }

    #[rstest]
    #[case::taken("moveo/dialog", 1, Some((200, "{}")), None, None, Some("the answer is taken"))]
    #[case::both("moveo/dialog", 1, Some((500, "{}")), None, None, Some(
        "the status is 500: with Fail on error the conversation is interrupted; without it the agent goes on with the \
         context it has"
    ))]
    #[case::on("moveo/dialog", 1, Some((500, "{}")), Some(true), None, Some(
        "the status is 500: the conversation is interrupted, for Fail on error is on"
    ))]
    #[case::off(
        "moveo/pre_message",
        1,
        None,
        Some(false),
        None,
        Some("there was no answer: the agent goes on with the context it has, for Fail on error is off")
    )]
    #[case::late_as_set("moveo/dialog", 10_020, Some((500, "{}")), Some(false), Some(10), Some(
        "the answer took 10.02s, and the platform waits 10s: the agent goes on with the context it has, for Fail on error \
         is off"
    ))]
    #[case::in_time_as_far_as_is_known("moveo/dialog", 600_000, Some((200, "{}")), Some(true), None, Some("the answer is taken"))]
    #[case::late_as_published("moveo/custom_event", 30_001, Some((200, "")), None, None, Some(
        "the answer took 30.001s, and the platform waits 30s: 4xx is a permanent failure; 5xx and a timeout are tried again \
         up to 5 times, after 250 ms to 2 s"
    ))]
    #[case::longer_as_set("dialogflow-cx/webhook", 6_000, Some((200, "{}")), None, Some(20), Some("the answer is taken"))]
    #[case::failure_node("moveo/auth_pre_enter", 1, Some((503, "")), Some(false), None, Some(
        "the status is 503: the authentication flow exits with a system failure and goes to the failure node; the \
         verification step never starts"
    ))]
    #[case::malformed("moveo/auth_pre_enter", 1, Some((200, "{")), None, None, Some(
        "the body is not as the contract has it: the authentication flow exits with a system failure and goes to the failure \
         node; the verification step never starts"
    ))]
    #[case::as_of_other_webhooks("moveo/auth_validation", 1, Some((500, "")), Some(false), None, Some(
        "the status is 500: the agent goes on with the context it has, for Fail on error is off"
    ))]
    #[case::no_third_state("moveo/auth_validation", 1, Some((200, r#"{"valid":"yes"}"#)), Some(true), None, Some(
        "the body is not as the contract has it: the authentication flow takes it for a system error, not for a wrong answer"
    ))]
    #[case::a_page_takes_it("moveo/webview_callback", 1, Some((200, "OK")), None, None, None)]
    #[case::a_browser_takes_it("jelou/webview_open", 1, Some((200, "<html>")), None, None, None)]
    #[case::not_taken_from_a_page("moveo/webview_callback", 1, Some((401, "")), None, None, Some(
        "the status is 401: Moveo did not take the context, and the flow does not go on"
    ))]
    #[case::not_told("moveo/dialog", 1, Some((200, r#"{"context":1}"#)), Some(true), None, Some(
        "the body is not as the contract has it: the documents do not say what follows"
    ))]
    fn what_follows_is_told(
        #[case] kind: &str,
        #[case] took: u64,
        #[case] answer: Option<(u16, &str)>,
        #[case] fail_on_error: Option<bool>,
        #[case] timeout: Option<u64>,
        #[case] told: Option<&str>,
    ) {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind(kind).unwrap();
        let told_now = kind.consequence(&call(kind, took, answer), &set(fail_on_error, timeout));
        assert_eq!(told_now.map(|told| told.to_string()).as_deref(), told);
    }

    #[test]
    fn an_answer_to_a_sent_call_is_told_of_where_it_fails() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/dialog").unwrap();
        let sent = |answer| Call { direction: Direction::Sent, ..call(kind, 1, answer) };
        assert_eq!(kind.consequence(&sent(Some((200, "{}"))), &set(None, None)), None);
        assert!(kind.consequence(&sent(None), &set(None, None)).is_some());
        let mut cut = sent(None);
        cut.request.cut = true;
        assert_eq!(kind.consequence(&cut, &set(None, None)), None);
        let failed = |error: &str| Call { error: Some(error.to_owned()), ..sent(None) };
        assert_eq!(kind.consequence(&failed("not sent: there is no body to sign"), &set(None, None)), None);
        assert!(kind.consequence(&failed("cannot connect to 127.0.0.1:1"), &set(None, None)).is_some());
        assert!(
            kind.consequence(&sent(Some((404, "{}"))), &set(Some(true), None))
                .unwrap()
                .then
                .starts_with("with Fail on error ")
        );
    }

    #[test]
    fn an_answer_that_nobody_waited_for_is_not_taken() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/dialog").unwrap();
        let error = Some(format!("{} before the answer was ready", crate::call::HUNG_UP));
        let call = Call { error, ..call(kind, 1, Some((200, "{}"))) };
        let told = kind.consequence(&call, &set(Some(true), None)).unwrap().to_string();
        assert!(
            told.starts_with("the caller hung up before the answer was there: the conversation is interrupted"),
            "{told}"
        );
    }
}
