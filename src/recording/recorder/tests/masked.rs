//! Calls that are masked before they are written.

use super::*;

fn redaction() -> Redaction {
    Redaction::new(&crate::config::Redact::default()).unwrap()
}

#[tokio::test]
async fn what_is_to_be_masked_is_never_written() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let recorder = recorder.redacting(redaction());
    let stored = recorder.clone().record(call(1)).await.unwrap();
    let note = Change::Note(Some("his card: 4111 1111 1111 1111".into()));
    recorder.annotate(Annotation { call: stored.id, at: stored.at, change: note }).await.unwrap();
    recorder.close().await;
    assert_eq!(calls_in(&path), [Call::clone(&stored)]);
    let file = fs::read_to_string(&path).unwrap();
    assert!(stored.request.redacted && !file.contains("7b2e") && !file.contains("1111"), "{file}");
}

/// A call that is not masked at once.
fn long(number: u64) -> Call {
    let mut call = call(number);
    call.request.body = format!(r#"{{"password":"s3cret","text":"{}"}}"#, "x".repeat(MASKED_AT_ONCE)).into();
    call
}

#[test]
fn others_do_not_wait_for_the_masks_of_a_long_one_which_is_recorded_though_nobody_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (_folder, path) = folder();
    runtime.block_on(async {
        let (recorder, ..) = open(&path);
        let recorder = recorder.redacting(redaction());
        // The only thread that may take its time is taken.
        let (go_on, waits) = channel::channel::<()>();
        let taken = tokio::task::spawn_blocking(move || waits.recv());
        let mut abandoned = Box::pin(recorder.record(long(1)));
        assert!(futures_util::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        let change = Change::Note(Some("his password=s3cret".into()));
        let mut said = Box::pin(recorder.submit_saying(long(2), change));
        assert!(futures_util::poll!(&mut said).is_pending());
        drop(said);
        let stored = recorder.record(call(3)).await.unwrap();
        assert_eq!(calls_in(&path), [Call::clone(&stored)]);
        let mut closing = Box::pin(recorder.close());
        assert!(futures_util::poll!(&mut closing).is_pending(), "two are on their way");
        go_on.send(()).unwrap();
        closing.await;
        taken.await.unwrap().unwrap();
    });
    let ids = calls_in(&path).iter().map(|call| call.id).collect::<Vec<_>>();
    assert_eq!(ids, [3, 1, 2].map(|number| call(number).id));
    let file = fs::read_to_string(&path).unwrap();
    assert!(!file.contains("s3cret") && Reader::open(&path).unwrap().marks().of(call(2).id).is_some(), "{file}");
}

#[tokio::test]
async fn a_long_call_is_written_when_record_returns_and_before_what_comes_after_it() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let recorder = recorder.redacting(redaction());
    let stored = recorder.record(long(1)).await.unwrap();
    assert_eq!(calls_in(&path), [Call::clone(&stored)]);
    let first = recorder.submit(long(2), false).await.unwrap();
    recorder.record(call(3)).await.unwrap();
    first.done().await.unwrap();
    let clone = recorder.clone();
    recorder.close().await;
    assert!(clone.record(long(4)).await.unwrap_err().0.ends_with("is closed"));
    let ids = calls_in(&path).iter().map(|call| call.id).collect::<Vec<_>>();
    assert_eq!(ids, [1, 2, 3].map(|number| call(number).id));
}
