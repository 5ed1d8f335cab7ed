//! Flows that wait for a page: opened, and ended by its callback or by time.
//!
//! ```text
//! opened --> waiting --callback--> success | error     further ones: duplicate, or again
//!                    --time-----> expired              later ones: late
//! ```

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::doc::Doc;
use super::pack::CloseSpec;
use super::{Kind, Platforms};
use crate::call::{Call, Direction, Id};

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// For a callback.
    Waiting,
    /// The callback said that it went well, or need not say.
    Success,
    /// The callback said that it did not.
    Error,
    /// No callback came in time.
    Expired,
}

impl Outcome {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Success, Self::Error, Self::Expired];

    /// The word used on the screen and in output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Success => "success",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }
}

/// What a callback did to its wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It ended it.
    Ended,
    /// Nothing: it came so long after the time was over.
    Late(SignedDuration),
    /// Nothing: another one had ended it.
    Duplicate,
    /// Another one had ended it, and the platform may be called so again.
    Again,
    /// Nothing: it was not answered with 2xx, or does not say whether it went well.
    Refused,
}

impl Fate {
    /// The word used on the screen and in output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Late(_) => "late",
            Self::Duplicate => "duplicate",
            Self::Again => "again",
            Self::Refused => "refused",
        }
    }
}

/// One callback of a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The call.
    pub call: Id,
    /// When it came.
    pub at: Timestamp,
    /// What it did.
    pub fate: Fate,
}

/// A wait: the calls that open a page and call back from it, by the key of their conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What was opened: `jelou/webview_open`.
    pub kind: String,
    /// The key that ties its calls together.
    pub conversation: String,
    /// The call that opened it first, and when; none where only a callback was seen.
    pub opened: Option<(Id, Timestamp)>,
    /// When the time is over, if there is a limit.
    pub until: Option<Timestamp>,
    /// How it stands.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The JSON that the callback brought, as it was written.
    pub data: Option<String>,
    /// Every callback, in order.
    pub callbacks: Vec<Callback>,
}

impl Wait {
    /// What a callback of it did; none where the call is not one of its callbacks.
    #[must_use]
    pub fn fate_of(&self, call: Id) -> Option<Fate> {
        self.callbacks.iter().find(|callback| callback.call == call).map(|callback| callback.fate)
    }

    fn new(kind: &str, conversation: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            conversation: conversation.to_owned(),
            opened: None,
            until: None,
            outcome: Outcome::Waiting,
            ended: None,
            data: None,
            callbacks: Vec::new(),
        }
    }

    fn open(&mut self, call: &Call, limit: Option<Duration>) {
        // A page that is loaded again goes on with the wait that there is.
        if self.opened.is_none() && self.callbacks.is_empty() {
            self.opened = Some((call.id, call.at));
            self.until = limit.and_then(|limit| call.at.checked_add(limit).ok());
        }
    }

    fn close(&mut self, call: &Call, kind: &Kind) {
        let fate = self.fate(call, kind);
        self.callbacks.push(Callback { call: call.id, at: call.at, fate });
    }

    fn fate(&mut self, call: &Call, kind: &Kind) -> Fate {
        self.expire(call.at);
        // What is refused does nothing whenever it comes.
        let taken = call.status().is_some_and(|status| (200..300).contains(&status));
        let Some((outcome, data)) = said(call, kind).filter(|_| taken) else { return Fate::Refused };
        let once = kind.spec.closes.as_ref().is_none_or(|closes| closes.once);
        match (self.outcome, self.until) {
            (Outcome::Expired, Some(until)) => return Fate::Late(call.at.duration_since(until)),
            (Outcome::Waiting, _) => {}
            _ if once => return Fate::Duplicate,
            _ => return Fate::Again,
        }
        self.outcome = outcome;
        self.ended = Some(call.at);
        self.data = data;
        Fate::Ended
    }

    /// Whether it has ended by `now`.
    fn is_over(&self, now: Timestamp) -> bool {
        self.outcome != Outcome::Waiting || self.until.is_some_and(|until| until <= now)
    }

    /// Ends it if its time is over at `now`.
    fn expire(&mut self, now: Timestamp) {
        if self.outcome == Outcome::Waiting && self.is_over(now) {
            self.outcome = Outcome::Expired;
            self.ended = self.until;
        }
    }
}

/// Whether a sent call came to our own listener: it is then among the calls that came `after` it, and counts once.
fn arrives(sent: &Call, after: &[&Call]) -> bool {
    let answered = sent.at.checked_add(sent.took).unwrap_or(Timestamp::MAX);
    let same = |call: &&&Call| {
        call.direction == Direction::Received
            && call.kind == sent.kind
            && call.request.target == sent.request.target
            && call.request.body == sent.request.body
    };
    sent.direction == Direction::Sent && after.iter().take_while(|call| call.at <= answered).any(|call| same(&call))
}

/// How a callback says that it went, and what it brings.
fn said(call: &Call, kind: &Kind) -> Option<(Outcome, Option<String>)> {
    let closes = kind.spec.closes.as_ref()?;
    let document = kind.document(&call.request);
    let doc = Doc::new(&document);
    let outcome = match &closes.success {
        None => Outcome::Success,
        Some(pointer) => match doc.find(pointer)? {
            "true" => Outcome::Success,
            "false" => Outcome::Error,
            _ => return None,
        },
    };
    let data = closes.data.as_ref().and_then(|pointer| doc.find(pointer)).map(str::to_owned);
    Some((outcome, data))
}

impl Platforms {
    /// The waits that `calls` tell of as they stand at `now`, in the order of their first calls. `limit` is the expiration
    /// time that is set at the platform for waits that a call of that kind begins, if it has one.
    #[must_use]
    pub fn waits<'a>(
        &self,
        calls: impl IntoIterator<Item = &'a Call>,
        limit: impl Fn(&str) -> Option<Duration>,
        now: Timestamp,
    ) -> Vec<Wait> {
        // A call is recorded when it is answered, which is not the order in which they came.
        let mut calls: Vec<&Call> = calls.into_iter().collect();
        calls.sort_by_key(|call| call.at);
        let calls =
            (0..calls.len()).filter(|index| !arrives(calls[*index], &calls[index + 1..])).map(|index| calls[index]);
        let mut waits: Vec<Wait> = Vec::new();
        let mut known: HashMap<(String, &str), usize> = HashMap::new();
        for call in calls {
            let kind = self.kind(call.kind.as_deref());
            let (Some(kind), Some(conversation)) = (kind, call.conversation.as_deref()) else { continue };
            let closes = kind.closes();
            let opens = self.closing(kind);
            let Some(opening) = self.opening(kind) else { continue };
            let key = (opening, conversation);
            let again = |last: &usize| opens.is_some_and(|spec| spec.again) && waits[*last].is_over(call.at);
            let index = match known.get(&key) {
                Some(last) if !again(last) => *last,
                _ => {
                    waits.push(Wait::new(&key.0, conversation));
                    known.insert(key, waits.len() - 1);
                    waits.len() - 1
                }
            };
            match closes {
                Some(_) => waits[index].close(call, kind),
                None => waits[index].open(call, limit(&kind.name)),
            }
        }
        for wait in &mut waits {
            wait.expire(now);
        }
        waits
    }

    /// What the platform does where a wait that a call of `kind` began stands so: a sentence of the pack.
    #[must_use]
    pub fn then(&self, kind: &Kind, outcome: Outcome) -> Option<&str> {
        let then = &self.closing(kind)?.then;
        match outcome {
            Outcome::Waiting => then.waiting.as_deref(),
            Outcome::Success => then.success.as_deref(),
            Outcome::Error => then.error.as_deref(),
            Outcome::Expired => then.expired.as_deref(),
        }
    }

    /// Whether a call of `kind` begins a wait or ends one.
    #[must_use]
    pub fn takes_part_in_a_wait(&self, kind: &Kind) -> bool {
        kind.closes().is_some() || self.closing(kind).is_some()
    }

    /// The kind that begins the wait to which a call of `kind` belongs, if it belongs to any.
    #[must_use]
    pub fn opening(&self, kind: &Kind) -> Option<String> {
        kind.closes().or_else(|| self.closing(kind).map(|_| kind.name.clone()))
    }

    /// How the wait ends that a call of `kind` begins, if it begins one.
    fn closing(&self, kind: &Kind) -> Option<&CloseSpec> {
        let closing = self.kinds().find(|other| other.closes().as_ref() == Some(&kind.name));
        closing.and_then(|other| other.spec.closes.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Request, Response};

    const PACK: &str = r#"
        [platform]
        name = "acme"
        title = "Acme"

        [[kind]]
        name = "open"
        title = "Page opened"
        recognise = { method = "GET", query = ["run"] }
        reads = "query"
        conversation = "query:run"
        sample = "open.json"

        [[kind]]
        name = "back"
        title = "Callback"
        recognise = { method = "POST", has = ["/run"] }
        conversation = "/run"
        sample = "back.json"
        closes = { kind = "open", success = "/ok", data = "/data" }
    "#;

    fn platforms() -> Platforms {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in
            [("pack.toml", PACK), ("open.json", r#"{"run":"1"}"#), ("back.json", r#"{"run":"1","ok":true}"#)]
        {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        let mut platforms = Platforms::builtin().unwrap();
        platforms.add_dir(dir.path()).unwrap();
        platforms
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn call(kind: &str, second: i64, body: &str, status: u16) -> Call {
        Call {
            kind: Some(kind.into()),
            conversation: Some("1".into()),
            response: Some(Response { status, ..Response::default() }),
            ..Call::new(
                Id::fresh(),
                Direction::Received,
                at(second),
                Request { body: body.to_owned().into(), ..Request::default() },
            )
        }
    }

    fn open(second: i64) -> Call {
        call("acme/open", second, "", 200)
    }

    fn back(second: i64, body: &str) -> Call {
        call("acme/back", second, body, 200)
    }

    /// The only wait of these calls, with ten seconds of patience.
    fn wait(calls: &[Call], now: i64) -> Wait {
        let mut waits = platforms().waits(calls, |_| Some(Duration::from_secs(10)), at(now));
        assert_eq!(waits.len(), 1);
        waits.remove(0)
    }

    fn fates(wait: &Wait) -> Vec<Fate> {
        wait.callbacks.iter().map(|callback| callback.fate).collect()
    }

    #[test]
    fn it_waits_until_its_time_is_over() {
        let calls = [open(100), open(105)];
        let waiting = wait(&calls, 109);
        assert_eq!((waiting.outcome, waiting.until, waiting.ended), (Outcome::Waiting, Some(at(110)), None));
        assert_eq!(waiting.opened, Some((calls[0].id, at(100))));
        let over = wait(&calls, 110);
        assert_eq!((over.outcome, over.ended), (Outcome::Expired, Some(at(110))));
        let patient = platforms().waits(&calls, |_| None, at(1_000_000));
        assert_eq!(patient[0].outcome, Outcome::Waiting);
    }

    #[test]
    fn the_first_callback_in_time_ends_it() {
        let ended = wait(&[open(100), back(103, r#"{"run":"1","ok":true,"data":{"n": 1.0}}"#)], 200);
        assert_eq!((ended.outcome, ended.ended), (Outcome::Success, Some(at(103))));
        assert_eq!(ended.data.as_deref(), Some(r#"{"n": 1.0}"#));
        let failed = wait(&[open(100), back(103, r#"{"run":"1","ok":false}"#)], 200);
        assert_eq!((failed.outcome, failed.data), (Outcome::Error, None));
    }

    #[test]
    fn duplicate_and_late_ones_change_nothing() {
        let (good, bad) = (r#"{"run":"1","ok":true}"#, r#"{"run":"1","ok":false}"#);
        // Recorded in another order than they came.
        let twice = wait(&[back(104, bad), open(100), back(103, good)], 200);
        assert_eq!(twice.outcome, Outcome::Success);
        assert_eq!(fates(&twice), [Fate::Ended, Fate::Duplicate]);
        let late = wait(&[open(100), back(113, good)], 200);
        assert_eq!((late.outcome, late.ended), (Outcome::Expired, Some(at(110))));
        assert_eq!(fates(&late), [Fate::Late(SignedDuration::from_secs(3))]);
    }

    #[test]
    fn what_was_refused_ends_nothing() {
        let calls = [
            open(100),
            call("acme/back", 101, r#"{"run":"1","ok":true}"#, 401),
            back(102, r#"{"run":"1","ok":"yes"}"#),
            back(103, r#"{"run":"1"}"#),
            back(104, r#"{"run":"1","ok":true}"#),
            call("acme/back", 105, r#"{"run":"1","ok":true}"#, 401),
        ];
        let wait = wait(&calls, 106);
        assert_eq!(fates(&wait), [Fate::Refused, Fate::Refused, Fate::Refused, Fate::Ended, Fate::Refused]);
        assert_eq!(wait.ended, Some(at(104)));
    }

    #[test]
    fn a_callback_without_an_opening_is_a_wait_too() {
        let wait = wait(&[back(103, r#"{"run":"1","ok":true}"#), open(104)], 200);
        assert_eq!((wait.opened, wait.outcome), (None, Outcome::Success));
    }

    #[test]
    fn a_conversation_may_wait_again_where_the_pack_says_so() {
        let opened = |kind: &str, second| Call { kind: Some(kind.into()), ..open(second) };
        let posted = |kind: &str, second| Call { kind: Some(kind.into()), ..back(second, r#"{"success":true}"#) };
        let outcomes = |open: &str, back: &str| {
            let calls = [opened(open, 100), posted(back, 101), opened(open, 200), posted(back, 201), posted(back, 202)];
            let waits = platforms().waits(&calls, |_| None, at(300));
            waits.iter().map(fates).collect::<Vec<_>>()
        };
        let twice = [vec![Fate::Ended], vec![Fate::Ended, Fate::Again]];
        assert_eq!(outcomes("moveo/webview_open", "moveo/webview_callback"), twice);
        assert_eq!(outcomes("liveperson/webview_open", "liveperson/webview"), twice);
        let once = [vec![Fate::Ended, Fate::Duplicate, Fate::Duplicate]];
        assert_eq!(outcomes("jelou/webview_open", "jelou/webview_callback"), once);
    }

    #[test]
    fn the_pack_says_what_comes_of_it() {
        let platforms = platforms();
        let then = |kind: &str, outcome| platforms.then(platforms.kind(kind).unwrap(), outcome);
        let expired = then("jelou/webview_open", Outcome::Expired).unwrap();
        assert!(expired.contains("the flow continues through the expiration output"), "{expired}");
        for outcome in [Outcome::Waiting, Outcome::Success, Outcome::Error] {
            assert!(then("jelou/webview_open", outcome).is_some(), "{outcome:?}");
        }
        assert_eq!(then("jelou/webview_callback", Outcome::Expired), None);
        assert_eq!(then("acme/open", Outcome::Expired), None);
        let takes_part = |kind: &str| platforms.takes_part_in_a_wait(platforms.kind(kind).unwrap());
        assert!(takes_part("acme/open") && takes_part("acme/back") && !takes_part("moveo/dialog"));
    }

    #[test]
    fn what_was_sent_to_our_own_listener_counts_once() {
        let good = r#"{"run":"1","ok":true}"#;
        let sent =
            |second, took| Call { direction: Direction::Sent, took: Duration::from_secs(took), ..back(second, good) };
        assert_eq!(fates(&wait(&[open(100), sent(102, 2), back(103, good)], 200)), [Fate::Ended]);
        let apart = [open(100), sent(102, 1), back(104, good)];
        assert_eq!(fates(&wait(&apart, 200)), [Fate::Ended, Fate::Duplicate]);
    }

    #[test]
    fn other_calls_and_other_conversations_are_apart() {
        let mut other = open(101);
        other.conversation = Some("2".into());
        let mut stranger = open(102);
        stranger.kind = Some("moveo/dialog".into());
        let waits = platforms().waits(&[open(100), other, stranger], |_| None, at(200));
        let keys: Vec<&str> = waits.iter().map(|wait| wait.conversation.as_str()).collect();
        assert_eq!(keys, ["1", "2"]);
    }
}
