use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::call::{Id, Request, Response};
use crate::config::{Secrets, Target};
use crate::net::outgoing::SignMode;
use crate::net::testing::{read_message, server};
use crate::recording::{Options, Position};
use crate::replay::compare::{Difference, Place};
use crate::replay::{Change as Put, Pace, Schedule};

/// An endpoint that answers each call with the status that its body is, and says the most calls it had at a time.
struct Endpoint {
    url: String,
    most: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// It answers once so many calls are there, or at once. To 0 and 99 it says nothing.
    async fn new(together: usize) -> Self {
        Self::saying(None, together).await
    }

    /// One that takes every body for this one.
    async fn always(body: &'static str) -> Self {
        Self::saying(Some(body), 1).await
    }

    async fn saying(always: Option<&'static str>, together: usize) -> Self {
        let (socket, url) = server().await;
        let (now, most, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::default());
        let endpoint = Self { url, most: most.clone(), seen: Arc::clone(&seen) };
        let barrier = Arc::new(tokio::sync::Barrier::new(together));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = socket.accept().await.unwrap();
                let (now, most, seen, barrier) = (now.clone(), most.clone(), Arc::clone(&seen), barrier.clone());
                tokio::spawn(async move {
                    while let Some((_, body)) = read_message(&mut stream).await {
                        let body = String::from_utf8(body).unwrap();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        lock(&seen).push(body.clone());
                        barrier.wait().await;
                        now.fetch_sub(1, Ordering::SeqCst);
                        let body = always.unwrap_or(&body);
                        if matches!(body, "0" | "99") {
                            std::future::pending::<()>().await;
                        }
                        let answer = format!("HTTP/1.1 {body} -\r\ncontent-length: 2\r\n\r\n{{}}");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        endpoint
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.seen))
    }
}

/// A recording of calls, `conversation status` each (those of `moveo` need a secret), and what is told of their replay.
struct Tape {
    folder: tempfile::TempDir,
    items: Vec<Item>,
}

impl Tape {
    async fn new(calls: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, _) =
            Recorder::open(&folder.path().join("tape.jsonl"), Options::default(), Box::new(|_| {})).unwrap();
        for text in calls {
            let (talk, status) = text.split_once(' ').unwrap();
            let conversation = (talk != "-").then(|| talk.to_owned());
            let kind = (talk == "moveo").then(|| "moveo/dialog".to_owned());
            let response = Some(Response { status: 200, body: "{}".into(), ..Response::default() });
            let call = super::super::testing::call(status.parse().unwrap());
            recorder.record(Call { kind, conversation, response, ..call }).await.unwrap();
        }
        recorder.close().await;
        let reader = Reader::open(&folder.path().join("tape.jsonl")).unwrap();
        let items = reader.entries(Position::default()).map(|entry| Item::from(&entry.unwrap())).collect();
        Self { folder, items }
    }

    async fn replay(&self, plan: Plan, control: Control) -> (Result<Summary, String>, Vec<Outcome>) {
        let (result, told) = self.replay_all(plan, control).await;
        let sent = told.into_iter().map(|what| match what {
            Told::Sent(outcome) => *outcome,
            Told::Skipped(skipped) => panic!("{skipped:?}"),
        });
        (result, sent.collect())
    }

    fn ready(&self, plan: Plan) -> (Recorder, Replay) {
        let (recorder, _) =
            Recorder::open(&self.folder.path().join("sent.jsonl"), Options::default(), Box::new(|_| {})).unwrap();
        let platforms = Arc::new(Platforms::builtin().unwrap());
        let keyring = Arc::new(Keyring::new(Secrets::default()));
        let replay = Replay {
            plan,
            reader: Reader::open(&self.folder.path().join("tape.jsonl")).unwrap(),
            sender: Sender::new(platforms.clone(), keyring.clone()),
            recorder: recorder.clone(),
            platforms,
            keyring,
            listener: None,
        };
        (recorder, replay)
    }

    async fn replay_all(&self, plan: Plan, control: Control) -> (Result<Summary, String>, Vec<Told>) {
        let (recorder, replay) = self.ready(plan);
        let outcomes = Arc::new(Mutex::new(Vec::new()));
        let told = outcomes.clone();
        let tell = move |what| lock(&told).push(what);
        let result = replay.run(self.items.clone(), control, tell).await;
        recorder.close().await;
        let outcomes = std::mem::take(&mut *lock(&outcomes));
        (result, outcomes)
    }

    /// What the file of results holds.
    fn recorded(&self) -> Vec<Call> {
        let reader = Reader::open(&self.folder.path().join("sent.jsonl")).unwrap();
        reader.entries(Position::default()).map(|entry| reader.call(entry.unwrap().place).unwrap()).collect()
    }
}

fn plan(endpoint: &Endpoint, schedule: Schedule) -> Plan {
    Plan { mode: SignMode::Exact, schedule, ..Plan::new(Target::new("x", &endpoint.url)) }
}

fn workers(concurrency: usize) -> Schedule {
    Schedule { concurrency, ..Schedule::default() }
}

#[tokio::test]
async fn calls_go_out_in_order_and_are_judged_and_recorded() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "a 500", "a 204", "b 302"]).await;
    let (summary, outcomes) = tape.replay(plan(&endpoint, workers(1)), Control::default()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.fine, summary.failed, summary.took.count, summary.late), (2, 2, 4, None));
    assert_eq!(summary.statuses.into_iter().collect::<Vec<_>>(), [(200, 1), (204, 1), (302, 1), (500, 1)]);
    assert_eq!(endpoint.seen(), ["200", "500", "204", "302"]);
    assert!(outcomes.iter().map(|outcome| outcome.original.id).eq(tape.items.iter().map(|item| item.id)));
    assert!(outcomes.iter().all(|outcome| outcome.call.parent == Some(outcome.original.id)));
    assert_eq!(outcomes.iter().map(|outcome| (*outcome.call).clone()).collect::<Vec<_>>(), tape.recorded());
    let changed: Vec<String> = outcomes[0].changed().iter().map(|change| change.place.to_string()).collect();
    assert_eq!(changed, ["header:accept"], "an exact call is what was recorded, but for what is put in where it lacks");
}

#[tokio::test]
async fn nothing_leaves_for_a_call_whose_file_was_replaced() {
    let endpoint = Endpoint::new(1).await;
    let mut tape = Tape::new(&["- 200", "- 201"]).await;
    tape.items = Tape::new(&["- 202", "- 203"]).await.items;
    let (result, _) = tape.replay_all(plan(&endpoint, workers(1)), Control::default()).await;
    assert!(result.unwrap_err().contains("no longer stands there, for the file was replaced"));
    assert_eq!(endpoint.seen(), [""; 0]);
}

#[tokio::test]
async fn conversations_run_side_by_side() {
    let endpoint = Endpoint::new(3).await;
    let tape = Tape::new(&["a 200", "a 201", "b 200", "b 201", "- 200", "- 201"]).await;
    let (summary, _) = tape.replay(plan(&endpoint, workers(3)), Control::default()).await;
    assert_eq!((summary.unwrap().fine, endpoint.most.load(Ordering::SeqCst)), (6, 3));
    let seen = endpoint.seen();
    let first = |status: &str| seen.iter().position(|body| body == status).unwrap();
    assert!(first("200") < first("201"));
}

#[tokio::test]
async fn the_first_failure_ends_it_when_asked() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "- 500", "- 200"]).await;
    let schedule = Schedule { stop_on_failure: true, repeat: 9, ..workers(1) };
    let (summary, _) = tape.replay(plan(&endpoint, schedule), Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed)), Ok((1, 1)));
    assert_eq!(endpoint.seen().len(), 2);
}

#[tokio::test]
async fn a_cancelled_replay_does_not_wait_for_an_answer() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "- 0", "- 200"]).await;
    let control = Control::default();
    let (ending, seen) = (control.clone(), Arc::clone(&endpoint.seen));
    tokio::spawn(async move {
        while lock(&seen).len() < 2 {
            tokio::task::yield_now().await;
        }
        ending.cancel();
    });
    let (summary, outcomes) = tape.replay(plan(&endpoint, workers(1)), control).await;
    let summary = summary.unwrap();
    assert_eq!((summary.fine, summary.failed, summary.unfinished, summary.cancelled), (1, 0, 1, true));
    assert!(!summary.statuses.contains_key(&0), "it did not fail to answer: {summary:?}");
    assert!(outcomes[1].given_up && outcomes[1].unmet.is_empty() && !outcomes[1].is_fine());
    let error = outcomes[1].call.error.clone().unwrap();
    assert!(error.ends_with("had not answered when hooktape was told to stop"), "{error}");
    assert_eq!(tape.recorded().len(), 2, "what left is recorded");
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_is_a_failure_and_it_goes_on() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["moveo 200", "- 201", "moveo 202", "- 203"]).await;
    let fresh =
        |stop_on_failure| Plan { mode: SignMode::Fresh, ..plan(&endpoint, Schedule { stop_on_failure, ..workers(1) }) };
    let (summary, told) = tape.replay_all(fresh(false), Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed, summary.skipped)), Ok((2, 2, 0)));
    assert_eq!(endpoint.seen(), ["201", "203"]);
    let mut unsent: Vec<Id> = Vec::new();
    for what in &told {
        if let Told::Skipped(skipped) = what {
            assert!(skipped.is_failure() && skipped.reason.contains("no secret"), "{skipped:?}");
            unsent.push(skipped.original);
        }
    }
    assert_eq!((unsent, told.len()), (vec![tape.items[0].id, tape.items[2].id], 4));
    let tape = Tape::new(&["- 200", "moveo 201", "- 202"]).await;
    let (summary, told) = tape.replay_all(fresh(true), Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed)), Ok((1, 1)));
    assert_eq!((endpoint.seen().len(), told.len()), (1, 2));
    // That the first cannot be sent says nothing of those that were not tried.
    let tape = Tape::new(&["moveo 200", "- 201", "- 202"]).await;
    let (summary, told) = tape.replay_all(fresh(true), Control::default()).await;
    let counts = summary.map(|summary| (summary.fine, summary.failed, summary.left, summary.error));
    assert_eq!((counts, told.len()), (Ok((0, 1, 2, None)), 1));
}

#[tokio::test]
async fn what_cannot_be_sent_or_recorded_ends_it() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "- 200"]).await;
    let changes = vec!["/x=1".parse::<Put>().unwrap()];
    // One round tells of all that follow.
    let forever = Schedule { repeat: u32::MAX, ..workers(2) };
    let (result, _) = tape.replay(Plan { changes, ..plan(&endpoint, forever) }, Control::default()).await;
    assert!(result.unwrap_err().starts_with(&format!("{}: ", tape.items[0].id)), "and says which");
    let schedule = Schedule { out_of_order: true, ..workers(1) };
    let (result, _) = tape.replay(plan(&endpoint, schedule), Control::default()).await;
    assert!(result.unwrap_err().contains("could change places"));
    assert!(endpoint.seen().is_empty());
    let closed = Tape::new(&["- 200"; 3]).await;
    let (recorder, replay) = closed.ready(plan(&endpoint, workers(1)));
    recorder.close().await;
    let summary = replay.run(closed.items.clone(), Control::default(), |_| {}).await.unwrap();
    assert_eq!((summary.fine, summary.failed, summary.left, summary.is_fine()), (0, 0, 3, false));
    assert!(summary.error.is_some() && endpoint.seen().len() == 1, "{summary:?}");
}

#[tokio::test]
async fn what_was_held_back_until_a_call_left_is_told_as_often_as_it_was_refused() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["moveo 200", "- 201"]).await;
    let fresh =
        Plan { mode: SignMode::Fresh, duplicate: true, ..plan(&endpoint, Schedule { repeat: 3, ..workers(1) }) };
    let (summary, told) = tape.replay_all(fresh, Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed, summary.left)), Ok((6, 6, 0)));
    assert_eq!(told.iter().filter(|told| matches!(told, Told::Skipped(_))).count(), 6);
}

#[tokio::test]
async fn rounds_in_which_no_call_can_have_its_fault_are_not_gone_through() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "- 201"]).await;
    let faults = vec![crate::net::fault::Fault::Stale];
    let schedule = Schedule { repeat: 1000, ..workers(1) };
    let exact = Plan { mode: SignMode::Exact, faults, ..plan(&endpoint, schedule) };
    let (summary, told) = tape.replay_all(exact, Control::default()).await;
    assert_eq!(told.iter().filter(|told| matches!(told, Told::Skipped(_))).count(), 2, "{summary:?}");
    assert_eq!(endpoint.seen(), [""; 0]);
}

#[tokio::test]
async fn duplicates_and_late_calls_are_labelled_also_where_they_are_recorded() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["a 200", "a 201"]).await;
    let schedule = Schedule { out_of_order: true, pace: Pace::Rate(1e6), ..workers(1) };
    let (summary, outcomes) =
        tape.replay(Plan { duplicate: true, ..plan(&endpoint, schedule) }, Control::default()).await;
    assert_eq!(summary.unwrap().late.map(|late| late.count), Some(2));
    assert_eq!(endpoint.seen(), ["201", "201", "200", "200"]);
    let labels: Vec<_> = outcomes.iter().map(|outcome| outcome.delivery.label()).collect();
    let expected = [None, Some("duplicate"), Some("out of order"), Some("out of order, duplicate")];
    assert_eq!(labels, expected.map(|label| label.map(str::to_owned)));
    let reader = Reader::open(&tape.folder.path().join("sent.jsonl")).unwrap();
    let marks = reader.marks();
    let notes = outcomes.iter().map(|outcome| marks.of(outcome.call.id).and_then(|remarks| remarks.note.clone()));
    let expected = expected.map(|word| word.map(|word| format!("replayed with a fault: {word}").into()));
    assert_eq!(notes.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn answers_are_compared_with_the_recorded_and_with_another_targets() {
    let (endpoint, other) = (Endpoint::new(1).await, Endpoint::new(1).await);
    let tape = Tape::new(&["- 200", "- 201"]).await;
    let expect = vec!["recorded".parse().unwrap()];
    let (summary, outcomes) = tape.replay(Plan { expect, ..plan(&endpoint, workers(1)) }, Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed)), Ok((1, 1)));
    assert_eq!(outcomes[1].unmet[0].found, "1 difference: status");
    assert_eq!(outcomes[1].differences.len(), 1);
    let against = Some(Target::new("y", &other.url));
    let (summary, outcomes) = tape.replay(Plan { against, ..plan(&endpoint, workers(1)) }, Control::default()).await;
    assert_eq!(summary.map(|summary| (summary.fine, summary.failed)), Ok((2, 0)));
    assert_eq!(outcomes[1].against.as_ref().and_then(|call| call.status()), Some(201));
    assert_eq!((endpoint.seen().len(), other.seen().len()), (4, 2));
}

#[tokio::test]
async fn what_is_expected_is_expected_of_both_targets_and_the_summary_tells_them_apart() {
    let (endpoint, other) = (Endpoint::new(1).await, Endpoint::always("500").await);
    let tape = Tape::new(&["- 200", "- 201"]).await;
    let against = Some(Target::new("y", &other.url));
    let (summary, outcomes) = tape.replay(Plan { against, ..plan(&endpoint, workers(1)) }, Control::default()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.fine, summary.failed), (0, 2));
    let unmet: Vec<String> = outcomes[0].unmet.iter().map(ToString::to_string).collect();
    assert_eq!(unmet, ["status=2xx of the second target: status 500", "the same answer: 1 difference: status"]);
    let second = summary.against.unwrap();
    assert_eq!(summary.statuses.into_iter().collect::<Vec<_>>(), [(200, 1), (201, 1)]);
    assert_eq!(second.statuses.into_iter().collect::<Vec<_>>(), [(500, 2)]);
    assert_eq!((summary.took.count, second.took.count), (2, 2));
}

#[tokio::test]
async fn where_one_target_was_not_waited_for_the_other_ones_answer_is_counted_as_nothing_else() {
    let (endpoint, silent) = (Endpoint::new(1).await, Endpoint::always("0").await);
    let tape = Tape::new(&["- 200"]).await;
    let control = Control::default();
    let (ending, recorded) = (control.clone(), Arc::clone(&endpoint.seen));
    let (first, second) = (recorded, Arc::clone(&silent.seen));
    tokio::spawn(async move {
        while lock(&first).is_empty() || lock(&second).is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        ending.cancel();
    });
    let against = Some(Target::new("y", &silent.url));
    let (summary, _) = tape.replay(Plan { against, ..plan(&endpoint, workers(1)) }, control).await;
    let summary = summary.unwrap();
    assert_eq!((summary.unfinished, summary.took.count, summary.statuses.len()), (1, 0, 0));
    assert_eq!(summary.against, Some(Answers::default()));
}

#[tokio::test]
async fn pauses_are_no_part_of_the_time_and_the_rate() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200", "- 200", "- 200"]).await;
    let control = Control::default();
    let (pausing, seen) = (control.clone(), Arc::clone(&endpoint.seen));
    let rest = tokio::spawn(async move {
        while lock(&seen).is_empty() {
            tokio::task::yield_now().await;
        }
        pausing.pause();
        let since = Instant::now();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let rest = since.elapsed();
        pausing.resume();
        rest
    });
    let began = Instant::now();
    let schedule = Schedule { pace: Pace::Rate(20.0), ..workers(1) };
    let (summary, _) = tape.replay(plan(&endpoint, schedule), control).await;
    let (all, rest, summary) = (began.elapsed(), rest.await.unwrap(), summary.unwrap());
    assert!(summary.elapsed + rest <= all, "{:?} of {all:?}, {rest:?} of which were a pause", summary.elapsed);
    assert!(summary.rate > 14.0, "three calls in two intervals of 50 ms, but for the pause: {}", summary.rate);
}

#[tokio::test]
async fn what_is_slow_on_purpose_is_not_among_the_percentiles() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200"]).await;
    let slow = Duration::from_millis(300);
    let faults = vec![Fault::SlowBody(slow)];
    let (summary, outcomes) = tape.replay(Plan { faults, ..plan(&endpoint, workers(1)) }, Control::default()).await;
    let (all, own) = (outcomes[0].call.took, summary.unwrap().took);
    assert_eq!(own.count, 1);
    // Three digits of a time count.
    let own = Duration::from_micros(own.max_us);
    assert!(all >= slow && own < all.saturating_sub(slow) + all / 500, "{own:?} of {all:?}");
}

#[tokio::test]
async fn the_deliveries_of_one_call_are_ended_like_those_of_many() {
    let endpoint = Endpoint::new(1).await;
    let faults = vec![Fault::SlowBody(Duration::ZERO); 3];
    let plan = |stop_on_failure| Plan {
        faults: faults.clone(),
        duplicate: true,
        ..plan(&endpoint, Schedule { stop_on_failure, ..workers(1) })
    };
    let tape = Tape::new(&["- 500", "- 200"]).await;
    let (summary, outcomes) = tape.replay(plan(true), Control::default()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.total, summary.failed, summary.left, outcomes.len()), (12, 1, 11, 1));
    assert_eq!(endpoint.seen().len(), 1);

    let tape = Tape::new(&["- 99"]).await;
    let control = Control::default();
    let (ending, seen) = (control.clone(), Arc::clone(&endpoint.seen));
    tokio::spawn(async move {
        while lock(&seen).is_empty() {
            tokio::task::yield_now().await;
        }
        ending.cancel();
    });
    let (summary, _) = tape.replay(plan(false), control).await;
    assert_eq!(summary.map(|summary| (summary.unfinished, summary.cancelled, summary.left)), Ok((1, true, 5)));
    assert_eq!((endpoint.seen().len(), tape.recorded().len()), (1, 1), "what did not leave is not recorded");
}

#[tokio::test]
async fn a_duplicate_has_the_fault_of_the_first_and_what_cannot_have_it_is_counted() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200"]).await;
    let faults = vec![Fault::SlowBody(Duration::ZERO), Fault::Tampered];
    let plan = Plan { faults, duplicate: true, ..plan(&endpoint, workers(1)) };
    let (summary, told) = tape.replay_all(plan, Control::default()).await;
    let labels = told.iter().map(|told| match told {
        Told::Sent(outcome) => outcome.delivery.label(),
        Told::Skipped(skipped) => skipped.fault.map(|fault| fault.to_string()),
    });
    // An outcome may be told after what is decided meanwhile.
    let mut labels: Vec<String> = labels.flatten().collect();
    labels.sort();
    assert_eq!(labels, ["slow body", "slow body, duplicate", "tampered body", "tampered body"]);
    let summary = summary.unwrap();
    assert_eq!((summary.total, summary.fine, summary.skipped, summary.left), (4, 2, 2, 0));
}

#[tokio::test]
async fn what_was_changed_in_a_body_that_is_cut_is_told_of_all_of_it() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200"]).await;
    let plan = Plan { faults: vec![Fault::CutBody], ..plan(&endpoint, workers(1)) };
    let (_, outcomes) = tape.replay(plan, Control::default()).await;
    assert!(outcomes[0].call.request.cut);
    let in_body = |found: &Difference| !matches!(found.place, Place::Header(_) | Place::Target);
    assert!(!outcomes[0].changed().iter().any(in_body), "{:?}", outcomes[0].changed());
}

#[tokio::test]
async fn the_rate_of_paced_calls_is_the_pace() {
    let endpoint = Endpoint::new(1).await;
    let tape = Tape::new(&["- 200"; 4]).await;
    let schedule = Schedule { pace: Pace::Rate(20.0), ..workers(1) };
    let (summary, _) = tape.replay(plan(&endpoint, schedule), Control::default()).await;
    let rate = summary.unwrap().rate;
    assert!(rate > 10.0 && rate < 21.0, "of 4 calls in three intervals: {rate}");
}

#[tokio::test]
async fn masks_that_leave_are_told() {
    let endpoint = Endpoint::new(1).await;
    let mut tape = Tape::new(&["- 201"]).await;
    let path = tape.folder.path().join("tape.jsonl");
    let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    let headers = [("authorization", "[redacted]")].into_iter().collect();
    let call = super::super::testing::call(200);
    let call = Call { request: Request { headers, redacted: true, ..call.request.clone() }, ..call };
    recorder.record(call).await.unwrap();
    recorder.close().await;
    let reader = Reader::open(&path).unwrap();
    tape.items = reader.entries(Position::default()).map(|entry| Item::from(&entry.unwrap())).collect();
    let plan = Plan { mode: SignMode::Fresh, ..plan(&endpoint, workers(1)) };
    let (_, outcomes) = tape.replay(plan, Control::default()).await;
    assert_eq!(outcomes[1].masked, [Place::Header("authorization".into())]);
}
