use std::fs;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::call::Call;
use crate::config::Rotation;
use crate::recording::testing::call;
use crate::recording::{Annotation, Change, Options, Recorder};

/// Room for two heavy calls.
const MOST: usize = 64 * 1024;

/// A call with a body of a third of what may be held.
fn heavy(number: u64) -> Call {
    let mut heavy = call(number);
    heavy.request.body = Bytes::from(vec![b'x'; MOST / 3]);
    heavy
}

fn recorder(rotate: Rotation) -> (TempDir, Recorder, Backlog) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.jsonl");
    let (teller, told) = holding(MOST);
    let options = Options { rotate, ..Options::default() };
    let (recorder, _) = Recorder::open(&path, options, Box::new(move |event| teller.tell(event))).unwrap();
    (folder, recorder, told.of(&path))
}

/// What waits: the bytes of calls that do as they are, and how many pieces there are.
fn waiting(told: &Backlog) -> (usize, usize) {
    let queue = lock(&told.shared.queue);
    let calls = queue.waiting.iter().map(|waiting| match waiting {
        Waiting::Told(Recorded::Call(_, place)) => weight(*place),
        _ => 0,
    });
    assert_eq!(queue.held, calls.sum::<usize>());
    (queue.held, queue.waiting.len())
}

/// The numbers of the calls in the order they are told, with a word for what else is told.
async fn heard(mut told: Backlog) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(event) = told.next().await {
        heard.push(match event {
            Recorded::Call(call, place) => {
                assert!(call.request.body.len() < weight(place));
                (call.id.0.as_u128() & 0xffff).to_string()
            }
            Recorded::Annotated(..) => "said".to_owned(),
            Recorded::Failed { unrecorded, .. } => format!("{unrecorded} failed"),
            Recorded::Reopened { .. } => "reopened".to_owned(),
            Recorded::Unread { reason } | Recorded::Trouble { reason } => reason,
        });
    }
    heard
}

#[tokio::test]
async fn calls_that_nobody_takes_in_are_read_back_in_their_order() {
    let (_folder, recorder, told) = recorder(Rotation::default());
    for number in 0..20 {
        recorder.record(heavy(number)).await.unwrap();
    }
    let (held, pieces) = waiting(&told);
    assert!(held <= MOST && pieces <= 4, "{held} bytes in {pieces} pieces");
    let said = || Annotation { call: call(1).id, at: call(1).at, change: Change::Delete(true) };
    for number in 20..30 {
        recorder.annotate(said()).await.unwrap();
        recorder.record(heavy(number)).await.unwrap();
    }
    recorder.annotate(said()).await.unwrap();
    assert_eq!(waiting(&told).1, pieces, "nor does what is said of calls take room");
    recorder.close().await;
    let calls = (0..20).map(|number| number.to_string());
    let noted = (20..30).flat_map(|number| ["said".to_owned(), number.to_string()]);
    let expected: Vec<String> = calls.chain(noted).chain(["said".to_owned()]).collect();
    assert_eq!(heard(told).await, expected);
}

#[tokio::test]
async fn what_is_read_back_is_what_was_told() {
    let (_folder, recorder, mut told) = recorder(Rotation::default());
    let mut stored = Vec::new();
    for number in 0..6 {
        stored.push(recorder.record(heavy(number)).await.unwrap());
    }
    for stored in stored {
        assert!(matches!(told.next().await, Some(Recorded::Call(call, _)) if call == stored));
    }
    // What comes after a pause is told as it is.
    let stored = recorder.record(call(7)).await.unwrap();
    assert!(matches!(told.next().await, Some(Recorded::Call(call, _)) if Arc::ptr_eq(&call, &stored)));
    recorder.close().await;
    assert_eq!(told.next().await, None);
}

#[tokio::test]
async fn files_that_were_set_aside_meanwhile_are_found() {
    let size = Some(MOST as u64);
    let (_folder, recorder, told) = recorder(Rotation { size, age: None });
    for number in 0..12 {
        recorder.record(heavy(number)).await.unwrap();
    }
    recorder.close().await;
    let heard = heard(told).await;
    let (reopened, calls): (Vec<String>, Vec<String>) = heard.into_iter().partition(|word| word == "reopened");
    assert_eq!(calls, (0..12).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(reopened.len() >= 3);
}

#[tokio::test]
async fn calls_whose_file_is_gone_are_counted() {
    let (folder, recorder, told) = recorder(Rotation::default());
    for number in 0..5 {
        recorder.record(heavy(number)).await.unwrap();
    }
    recorder.close().await;
    fs::rename(folder.path().join("tape.jsonl"), folder.path().join("moved.jsonl")).unwrap();
    let heard = heard(told).await;
    assert_eq!(heard[..2], ["0", "1"]);
    assert!(heard[2].contains("3 were removed") && heard.len() == 3, "{heard:?}");
}

#[tokio::test]
async fn of_failures_for_the_same_reason_the_last_one_counts() {
    let (teller, told) = backlog();
    for unrecorded in 1..100 {
        teller.tell(Recorded::Failed { unrecorded, reason: "full".into() });
    }
    drop(teller);
    assert_eq!(heard(told).await, ["99 failed"]);
}

#[tokio::test]
async fn nothing_is_kept_for_somebody_who_is_gone() {
    let (_folder, recorder, told) = recorder(Rotation::default());
    let shared = told.shared.clone();
    recorder.record(heavy(0)).await.unwrap();
    drop(told);
    recorder.record(heavy(1)).await.unwrap();
    assert!(lock(&shared.queue).waiting.is_empty());
    recorder.close().await;
}

#[tokio::test(start_paused = true)]
async fn calls_are_told_at_once_until_they_come_thick() {
    let (teller, mut told) = backlog();
    let tell = || teller.tell(Recorded::Trouble { reason: String::new() });
    let begun = Instant::now();
    for _ in 0..THICK {
        let mut next = std::pin::pin!(told.next());
        assert!(futures_util::poll!(&mut next).is_pending());
        tell();
        assert!(next.await.is_some());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
    {
        let mut next = std::pin::pin!(told.next());
        assert!(futures_util::poll!(&mut next).is_pending());
        tell();
        tell();
        assert!(next.await.is_some());
        assert_eq!(begun.elapsed(), PAUSE);
    }
    assert!(told.next().await.is_some());
    // Once they are few again, no timer runs.
    let mut next = std::pin::pin!(told.next());
    assert!(tokio::time::timeout(10 * PAUSE, &mut next).await.is_err());
    let before = Instant::now();
    tell();
    assert!(next.await.is_some());
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_when_half_of_the_room_is_taken_and_with_the_last_word() {
    let (teller, mut told) = holding(4 * CALL);
    let tell = |number: u64| teller.tell(Recorded::Call(Arc::new(call(number)), Place { offset: 0, len: 9 }));
    let begun = Instant::now();
    for number in 0..THICK as u64 {
        tell(number);
        assert!(told.next().await.is_some());
    }
    {
        let mut next = std::pin::pin!(told.next());
        assert!(futures_util::poll!(&mut next).is_pending());
        (1..=3).for_each(tell);
        assert!(next.await.is_some());
    }
    for _ in 0..2 {
        assert!(told.next().await.is_some());
    }
    {
        let mut next = std::pin::pin!(told.next());
        assert!(futures_util::poll!(&mut next).is_pending());
        drop(teller);
        assert!(next.await.is_none());
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
