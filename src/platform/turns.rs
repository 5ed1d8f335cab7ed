//! Which turn of its conversation a call belongs to: a turn is what the user said, and the calls that were made for it.

use jiff::{SignedDuration, Timestamp};

use super::Platforms;
use crate::call::Call;

/// Who says the same twice within this time has not said it twice: several webhooks run for one sentence.
const SAME: SignedDuration = SignedDuration::from_secs(1);

/// What of a call tells whether it begins a turn.
#[derive(Clone, Copy, Debug)]
pub struct Spoken<'a> {
    /// Its kind, else something else that tells kinds of calls apart.
    pub kind: &'a str,
    /// When it came or left.
    pub at: Timestamp,
    /// It repeats another.
    pub repeat: bool,
    /// What the user said in it.
    pub said: Option<&'a str>,
}

/// Tells the turns of one conversation apart, whose calls are put to it in the order of the recording.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// What was said in the turn that runs.
    said: Option<String>,
    /// The kind of the call that it began with, and when that was seen last.
    opener: Option<(String, Timestamp)>,
    number: usize,
}

impl Turns {
    /// Whether the user says something in this call that was not said yet: it begins a turn.
    pub fn begins(&mut self, call: Spoken<'_>) -> bool {
        let Some(said) = call.said else { return false };
        let again = self
            .opener
            .as_ref()
            .is_some_and(|(kind, seen)| call.kind == kind && !call.repeat && call.at.duration_since(*seen) > SAME);
        let begins = again || self.said.as_deref() != Some(said);
        if begins {
            self.number += 1;
            self.said = Some(said.to_owned());
            self.opener = Some((call.kind.to_owned(), call.at));
        } else if let Some((_, seen)) = self.opener.as_mut().filter(|(kind, _)| kind == call.kind) {
            *seen = call.at;
        }
        begins
    }

    /// The number of the turn that runs, counted from 1; 0 before the first word.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }
}

impl Platforms {
    /// Puts the next call of a conversation to its turns; the number of the turn that it belongs to.
    pub fn turn(&self, turns: &mut Turns, call: &Call) -> usize {
        let kind = self.kind(call.kind.as_deref());
        let said = kind.and_then(|kind| kind.read(&call.request).text);
        let name = call.kind.as_deref().unwrap_or(&call.request.target);
        turns.begins(Spoken { kind: name, at: call.at, repeat: call.parent.is_some(), said: said.as_deref() });
        turns.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Direction, Id, Request};

    #[test]
    fn what_the_user_did_not_say_begins_no_turn() {
        let platforms = Platforms::builtin().unwrap();
        let mut turns = Turns::default();
        let mut turn = |kind: &str, body: &str| {
            let request = Request { method: "POST".into(), body: body.to_owned().into(), ..Request::default() };
            let call = Call::new(Id::fresh(), Direction::Received, Timestamp::UNIX_EPOCH, request);
            platforms.turn(&mut turns, &Call { kind: Some(kind.into()), ..call })
        };
        let sentence = r#"{"input":{"text":"Sure, it's QQ 12 34 56 C"},"output":{}}"#;
        assert_eq!(turn("moveo/pre_message", sentence), 1);
        assert_eq!(turn("moveo/auth_validation", r#"{"value":"QQ123456C"}"#), 1, "what the agent made of it");
        assert_eq!(turn("moveo/post_message", sentence), 1);
        assert_eq!(turn("moveo/webview_survey", r#"{"feedback":"Great"}"#), 1, "said to the page");
        assert_eq!(turn("moveo/pre_message", r#"{"input":{"text":"Thanks"}}"#), 2);
    }

    #[test]
    fn a_turn_begins_with_what_was_not_said_yet() {
        let mut turns = Turns::default();
        let mut turn = |kind: &str, second, said: Option<&str>, repeat| {
            let at = Timestamp::from_second(second).unwrap();
            turns.begins(Spoken { kind, at, repeat, said });
            turns.number()
        };
        assert_eq!(turn("auth", 0, None, false), 0, "nothing was said yet");
        assert_eq!(turn("pre", 1, Some("hi"), false), 1);
        assert_eq!(turn("dialog", 2, Some("hi"), false), 1, "another webhook of the same sentence");
        assert_eq!(turn("auth", 3, None, false), 1);
        assert_eq!(turn("pre", 9, Some("hi"), false), 2, "said again");
        assert_eq!(turn("pre", 99, Some("hi"), true), 2, "sent again, not said");
        assert_eq!(turn("pre", 100, Some("yes"), false), 3);
    }
}
