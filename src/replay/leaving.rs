//! What of a replay would leave, before anything does: for the question that a guarded target asks.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Item, Plan, Refusal};
use crate::platform::{Keyring, Platforms};
use crate::recording::Reader;

/// Calls that would leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// How many, for each target.
    pub count: u64,
    /// Their kinds, each once.
    pub kinds: Vec<Option<Arc<str>>>,
    /// How many cannot be sent so.
    pub refused: u64,
    /// Why the first of these cannot.
    pub why: Option<String>,
}

impl Leaving {
    /// The kinds, as [`Target::templates`](crate::config::Target::templates) and
    /// [`Target::places`](crate::config::Target::places) take them.
    pub fn kinds(&self) -> impl Iterator<Item = Option<&str>> {
        self.kinds.iter().map(Option::as_deref)
    }

    /// ` (3 others cannot be sent: ...)`, or nothing: what a question adds to how many leave.
    #[must_use]
    pub fn others(&self) -> String {
        let Some(why) = self.why.as_ref().filter(|_| self.refused > 0) else { return String::new() };
        let others = if self.refused == 1 { "1 other".to_owned() } else { format!("{} others", self.refused) };
        format!(" ({others} cannot be sent: {why})")
    }
}

impl Plan {
    /// Why a target takes none of these calls, if one does not: a sentence.
    #[must_use]
    pub fn why_none(&self, items: &[Item]) -> Option<String> {
        let kinds = || items.iter().map(|item| item.kind.as_deref());
        let all = |why: &dyn Fn(Option<&str>) -> Option<String>| {
            if kinds().all(|kind| why(kind).is_some()) { kinds().find_map(why) } else { None }
        };
        self.targets().find_map(|target| all(&|kind| target.why_not(kind)))
    }

    /// What would leave of these calls.
    ///
    /// # Errors
    /// Where nothing would: why the first would not.
    pub fn leaving(
        &self,
        reader: &Reader,
        items: &[Item],
        platforms: &Platforms,
        keyring: &Keyring,
        listener: Option<SocketAddr>,
    ) -> Result<Leaving, String> {
        let (mut leaving, mut kinds) = (Leaving::default(), HashSet::new());
        let each = (1 + u64::from(self.duplicate)) * u64::from(self.schedule.repeat);
        for item in items {
            let call = match reader.call_of(item.id, item.place) {
                Ok(call) => call,
                Err(damage) => {
                    leaving.refused += each * self.deliveries().count() as u64;
                    leaving.why.get_or_insert(damage.to_string());
                    continue;
                }
            };
            for fault in self.deliveries() {
                match self.outgoing(&call, fault, Timestamp::now(), platforms, keyring, listener) {
                    Ok(_) => {
                        leaving.count += each;
                        if kinds.insert(&item.kind) {
                            leaving.kinds.push(item.kind.clone());
                        }
                    }
                    Err(Refusal::Fault(why) | Refusal::Call(why)) => {
                        leaving.refused += each;
                        leaving.why.get_or_insert(why);
                    }
                }
            }
        }
        match &leaving.why {
            Some(why) if leaving.count == 0 => Err(format!("none of these calls can be sent so: {why}")),
            _ => Ok(leaving),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Request};
    use crate::config::{Secrets, Target};
    use crate::net::fault::Fault;
    use crate::net::outgoing::SignMode;
    use crate::recording::{Options, Position, Recorder};
    use crate::replay::testing::call;

    #[tokio::test]
    async fn what_can_leave_is_counted_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
        let cut = Call { request: Request { cut: true, ..call(2).request }, ..call(2) };
        let kind = |name: &str, number| Call { kind: Some(name.to_owned()), ..call(number) };
        for call in [kind("jelou/webview_callback", 1), cut, kind("moveo/dialog", 3)] {
            recorder.record(call).await.unwrap();
        }
        recorder.close().await;
        let reader = Reader::open(&path).unwrap();
        let items: Vec<Item> = reader.entries(Position::default()).map(|entry| Item::from(&entry.unwrap())).collect();
        let (platforms, keyring) = (Platforms::builtin().unwrap(), Keyring::new(Secrets::default()));
        let leaving = |plan: &Plan| plan.leaving(&reader, &items, &platforms, &keyring, None);
        let only = |name: &str| Target { kinds: vec![name.to_owned()], ..Target::new("here", "http://127.0.0.1:1") };
        let mut plan = Plan::new(only("jelou/webview_callback"));
        (plan.mode, plan.duplicate, plan.schedule.repeat) = (SignMode::Exact, true, 3);
        let found = leaving(&plan).unwrap();
        assert_eq!(found.refused, 12);
        assert!(found.others().starts_with(" (12 others cannot be sent: "), "{}", found.others());
        assert_eq!((found.count, found.kinds().collect::<Vec<_>>()), (6, vec![Some("jelou/webview_callback")]));
        plan.faults = vec![Fault::CutBody, Fault::BadSignature];
        assert!(leaving(&plan).unwrap_err().starts_with("none of these calls can be sent so: "), "one byte is no body");
        (plan.faults, plan.against) = (Vec::new(), Some(only("moveo/dialog")));
        assert!(leaving(&plan).unwrap_err().contains("takes moveo/dialog only"), "both targets get it, or none");
        assert_eq!(plan.why_none(&items), None);
        plan.against = Some(only("moveo/post_message"));
        assert!(plan.why_none(&items).unwrap().contains("takes moveo/post_message only"));
    }
}
