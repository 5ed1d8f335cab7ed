use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc as channel;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::call::Request;
use crate::recording::testing::call;
use crate::recording::{Change, Position, Reader, encode};

mod aside;
mod clock;
mod faults;
mod found;
mod masked;
mod meddling;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/calls.jsonl");
    (folder, path)
}

/// A recorder whose observer fills a channel.
fn open(path: &Path) -> (Recorder, Opened, channel::Receiver<Recorded>) {
    let (heard, events) = channel::channel();
    let tell = Box::new(move |event| heard.send(event).unwrap_or_default());
    let (recorder, opened) = Recorder::open(path, Options::default(), tell).unwrap();
    (recorder, opened, events)
}

fn calls_in(path: &Path) -> Vec<Call> {
    let reader = Reader::open(path).unwrap();
    reader.entries(Position::default()).map(|entry| reader.call(entry.unwrap().place).unwrap()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_call_is_in_the_file_when_record_returns() {
    let (_folder, path) = folder();
    for fsync in [false, true] {
        let (recorder, _) = Recorder::open(&path, Options { fsync, ..Options::default() }, Box::new(|_| {})).unwrap();
        let stored = recorder.record(call(1)).await.unwrap();
        assert_eq!(calls_in(&path).last(), Some(&*stored));
        recorder.close().await;
    }
    assert_eq!(calls_in(&path), [call(1), call(1)], "a recording is gone on with");
}

#[tokio::test]
async fn what_record_returns_and_the_observer_hears_is_what_the_file_has() {
    let (_folder, path) = folder();
    let (recorder, opened, events) = open(&path);
    assert!(opened.created && opened.torn.is_none());
    let mut fine = call(1);
    fine.at = "2026-11-21T10:02:11.123456789Z".parse().unwrap();
    fine.took = std::time::Duration::from_nanos(1999);
    let stored = recorder.record(fine).await.unwrap();
    recorder.record(call(2)).await.unwrap();
    assert_eq!(stored.at.subsec_nanosecond(), 123_456_000);
    let reader = Reader::open(&path).unwrap();
    for (number, event) in events.try_iter().enumerate() {
        let Recorded::Call(call, place) = event else { panic!("{event:?}") };
        assert_eq!(reader.call(place).unwrap(), *call);
        assert!(number > 0 || (call == stored && place.offset == opened.end));
    }
}

#[tokio::test]
async fn large_bodies_stand_whole_between_small_ones() {
    let (_folder, path) = folder();
    let (recorder, opened, events) = open(&path);
    let many = 300 * 1024;
    let bodies = [
        "1".repeat(many).into_bytes(),
        format!("[\"{}\"]", "x".repeat(many)).into_bytes(),
        "\"\n\u{1}ä\\".repeat(many / 4).into_bytes(),
        vec![b'x'; 9],
        (0..=255_u8).cycle().take(many + 1).collect(),
    ];
    let large = |number: usize| {
        let mut call = call(number as u64);
        let body: bytes::Bytes = bodies[number % bodies.len()].clone().into();
        call.request.body = body.clone();
        call.response = call.response.map(|response| crate::call::Response { body, ..response });
        call
    };
    let calls: Vec<Call> = (0..20).map(large).collect();
    // All are on their way before anyone waits for one.
    let stored = futures_util::future::join_all(calls.iter().cloned().map(|call| recorder.record(call))).await;
    assert!(stored.iter().all(Result::is_ok));
    assert_eq!(calls_in(&path), calls);
    let places = events.try_iter().map(|event| match event {
        Recorded::Call(_, place) => place,
        other => panic!("{other:?}"),
    });
    let end = places.fold(opened.end, |end, place| {
        assert_eq!(place.offset, end);
        end + u64::from(place.len) + 1
    });
    assert_eq!(end, fs::metadata(&path).unwrap().len());
    let text = fs::read(&path).unwrap();
    assert!(text.ends_with(&encode(calls.last().unwrap())), "a line is the same in one piece");
}

#[tokio::test]
async fn file_and_directories_are_for_their_owner_only() {
    let (folder, path) = folder();
    let (recorder, opened, _) = open(&path);
    assert!(opened.remarks().is_empty());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    recorder.record(call(1)).await.unwrap();
    recorder.close().await;
    // What someone else made stays as it is, and that is said.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let (_recorder, opened, _) = open(&path);
    assert!(opened.remarks()[0].contains("chmod 600"));
    assert_eq!(mode(&path), 0o644);
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_has_closed() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let clone = recorder.clone();
    recorder.record(call(1)).await.unwrap();
    let error = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap_err();
    assert!(matches!(&error, OpenError::InUse(named) if *named == path));
    assert!(error.to_string().ends_with("stop that one first, or name another file"), "{error}");
    recorder.close().await;
    let error = clone.record(call(2)).await.unwrap_err();
    assert_eq!(error.0, format!("the recording {} is closed", path.display()));
    clone.close().await;
    let (recorder, opened, _) = open(&path);
    assert!(!opened.created);
    recorder.close().await;
    assert_eq!(calls_in(&path), [call(1)]);
}

#[tokio::test]
async fn a_file_without_a_call_is_removed_only_by_who_made_it() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    recorder.close().await;
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    let (recorder, opened, _) = open(&path);
    assert!(!opened.created);
    recorder.close().await;
    assert!(path.exists());
    let (recorder, opened, _) = open(&path);
    assert!(!opened.created && opened.torn.is_none());
    recorder.record(call(1)).await.unwrap();
    recorder.close().await;
    assert_eq!(calls_in(&path), [call(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_senders_leave_every_call_in_the_order_of_each() {
    const EACH: u64 = 5000;
    let (_folder, path) = folder();
    let (recorder, _, events) = open(&path);
    let send = |base: u64| {
        let recorder = recorder.clone();
        tokio::spawn(async move {
            for number in base..base + EACH {
                recorder.record(call(number)).await.unwrap();
            }
        })
    };
    let (left, right) = (send(0), send(1_000_000));
    left.await.unwrap();
    right.await.unwrap();
    recorder.close().await;
    let content = fs::read(&path).unwrap();
    assert_eq!(memchr::memchr_iter(b'\n', &content).count(), 10_001);
    let reader = Reader::open(&path).unwrap();
    let entries: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
    let (right, left): (Vec<_>, Vec<_>) =
        entries.iter().map(|entry| entry.id).partition(|id| *id >= call(1_000_000).id);
    assert!(left.len() == 5000 && left.is_sorted() && right.len() == 5000 && right.is_sorted());
    let heard = events.iter().map(|event| match event {
        Recorded::Call(call, place) => (call.id, place),
        other => panic!("{other:?}"),
    });
    assert!(heard.eq(entries.iter().map(|entry| (entry.id, entry.place))), "observed in file order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_on_other_threads_write_to_the_same_file_and_end_with_it() {
    const EACH: u64 = 100;
    let (_folder, path) = folder();
    for fsync in [false, true] {
        let (heard, events) = channel::channel();
        let tell = Box::new(move |event| heard.send(event).unwrap_or_default());
        let (recorder, _) = Recorder::open(&path, Options { fsync, ..Options::default() }, tell).unwrap();
        let send = |base: u64| {
            let recorder = recorder.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let branch = recorder.branch();
                    for number in base..base + EACH {
                        branch.record(call(number)).await.unwrap();
                    }
                    branch
                })
            })
        };
        let others = [send(0), send(1_000_000)];
        recorder.record(call(2_000_000)).await.unwrap();
        let joined = tokio::task::spawn_blocking(|| others.map(|thread| thread.join().unwrap()));
        let [left, _right] = joined.await.unwrap();
        recorder.clone().close().await;
        for closed in [&left, &recorder, &recorder.branch()] {
            let error = closed.record(call(9)).await.unwrap_err();
            assert_eq!(error.0, format!("the recording {} is closed", path.display()));
        }
        let reader = Reader::open(&path).unwrap();
        let entries: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
        let of = |base: u64| -> Vec<_> {
            let ids: Vec<_> = (base..base + EACH).map(|number| call(number).id).collect();
            entries.iter().map(|entry| entry.id).filter(|id| ids.contains(id)).collect()
        };
        for base in [0, 1_000_000] {
            assert!(of(base).len() == 100 && of(base).is_sorted());
        }
        let heard = events.iter().map(|event| match event {
            Recorded::Call(call, place) => (call.id, place),
            other => panic!("{other:?}"),
        });
        assert!(heard.eq(entries.iter().map(|entry| (entry.id, entry.place))), "observed in file order");
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn what_is_said_of_a_call_stands_behind_it_and_is_read_with_the_calls() {
    let (_folder, path) = folder();
    let (recorder, _, events) = open(&path);
    recorder.record(call(1)).await.unwrap();
    let said = Annotation { call: call(1).id, at: call(1).at, change: Change::Delete(true) };
    let (offset, said) = recorder.annotate(said).await.unwrap();
    recorder.record(call(2)).await.unwrap();
    recorder.close().await;
    assert_eq!(events.iter().nth(1), Some(Recorded::Annotated(offset, said.clone())));
    assert!(fs::read(&path).unwrap()[usize::try_from(offset).unwrap()..].starts_with(&said.encode()));
    assert_eq!(calls_in(&path), [call(1), call(2)]);
    let mut heard = Vec::new();
    let read = |batch: crate::recording::Batch| {
        heard.extend(batch.annotations);
        std::ops::ControlFlow::Continue(())
    };
    crate::recording::scan(&Reader::open(&path).unwrap(), None, read).unwrap();
    assert_eq!(heard, [(offset, said)]);
    assert_eq!(Reader::open(&path).unwrap().marks().deleted(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_the_queue_holds_all_get_through() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let waiting: Vec<_> = (0..3 * QUEUE as u64).map(|number| recorder.record(call(number))).collect();
    let done = futures_util::future::join_all(waiting).await;
    assert!(done.iter().all(Result::is_ok));
    drop(recorder.clone());
    recorder.close().await;
    assert_eq!(calls_in(&path).len(), 3 * QUEUE);
}

#[tokio::test]
async fn a_call_on_its_way_is_recorded_though_nobody_waits() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let mut abandoned = Box::pin(recorder.record(call(1)));
    // It may be written already by the time it is looked at.
    let _ = futures_util::poll!(&mut abandoned);
    drop(abandoned);
    recorder.close().await;
    assert_eq!(calls_in(&path), [call(1)]);
}

#[tokio::test]
async fn a_file_at_its_limit_is_set_aside_and_another_begun() {
    let (folder, path) = folder();
    let (heard, events) = channel::channel();
    let observer = Box::new(move |event| heard.send(event).unwrap());
    let rotate = Rotation { size: Some(1000), age: None };
    let options = Options { rotate, ..Options::default() };
    let (recorder, _) = Recorder::open(&path, options, observer).unwrap();
    for number in 0..4 {
        recorder.record(call(number)).await.unwrap();
    }
    assert!(matches!(Recorder::open(&path, options, Box::new(|_| {})), Err(OpenError::InUse(_))));
    recorder.close().await;
    let aside = |number: u8| path.with_file_name(format!("{}-{number}.jsonl", path.file_stem().unwrap().display()));
    let numbers = |path: &Path| calls_in(path).iter().map(|call| call.id).collect::<Vec<_>>();
    let (first, second) = (numbers(&aside(1)), numbers(&path));
    assert!(first.len() > 1 && !second.is_empty(), "{first:?} {second:?}");
    assert_eq!([first, second].concat(), (0..4).map(|number| call(number).id).collect::<Vec<_>>());
    assert_eq!((mode(&aside(1)), mode(&path)), (0o600, 0o600));
    assert!(!aside(2).exists());
    let told: Vec<_> = events.try_iter().filter(|event| matches!(event, Recorded::Reopened { .. })).collect();
    let [Recorded::Reopened { reason, kept: 0, aside: Some(_) }] = &told[..] else { panic!("{told:?}") };
    assert!(reason.contains("has reached its size: its calls are in ") && reason.contains("-1.jsonl now"), "{reason}");
    drop(folder);
}

#[tokio::test]
async fn what_is_said_of_a_call_does_not_go_into_another_file() {
    let (_folder, path) = folder();
    let (heard, events) = channel::channel();
    let observer = Box::new(move |event| heard.send(event).unwrap());
    let rotate = Rotation { size: Some(1), age: None };
    let (recorder, _) = Recorder::open(&path, Options { rotate, ..Options::default() }, observer).unwrap();
    let place = || {
        events.try_iter().find_map(|event| match event {
            Recorded::Call(_, place) => Some(place),
            _ => None,
        })
    };
    let said = |number| Annotation { call: call(number).id, at: call(number).at, change: Change::Delete(true) };
    recorder.record(call(1)).await.unwrap();
    let first = place().unwrap();
    recorder.annotate_at(said(1), first).await.expect("it is no reason to set the file aside");
    recorder.record(call(2)).await.unwrap();
    let second = place().unwrap();
    let refused = recorder.annotate_at(said(1), first).await.unwrap_err().0;
    assert!(refused.contains("the call is in ") && refused.contains("-1.jsonl now"), "{refused}");
    recorder.annotate_at(said(2), second).await.unwrap();
    recorder.record(call(3)).await.unwrap();
    recorder.record(call(4)).await.unwrap();
    let refused = recorder.annotate_at(said(1), first).await.unwrap_err().0;
    assert_eq!(refused, format!("the call is no longer in {}", path.display()), "the file before has it");
    recorder.close().await;
    let stem = path.file_stem().unwrap().display().to_string();
    let marks = |name: String| Reader::open(&path.with_file_name(name)).unwrap().marks().deleted();
    assert_eq!([1, 2, 3].map(|number| marks(format!("{stem}-{number}.jsonl"))), [1, 1, 0]);
    assert!(Reader::open(&path).unwrap().marks().is_empty());
}

#[tokio::test]
async fn an_old_file_is_set_aside_before_the_first_call() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let old = format::header("2020-01-01T00:00:00Z".parse().unwrap());
    fs::write(&path, [old.as_bytes(), &encode(&call(1))].concat()).unwrap();
    let rotate = Rotation { size: None, age: Some(std::time::Duration::from_hours(24)) };
    let (recorder, opened) = Recorder::open(&path, Options { rotate, ..Options::default() }, Box::new(|_| {})).unwrap();
    recorder.record(call(2)).await.unwrap();
    recorder.record(call(3)).await.unwrap();
    recorder.close().await;
    assert!(opened.end > 0);
    assert_eq!(calls_in(&path).iter().map(|call| call.id).collect::<Vec<_>>(), [call(2).id, call(3).id]);
}
