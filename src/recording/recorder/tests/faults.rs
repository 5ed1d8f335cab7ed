//! What the recorder does when the disk does not do as it should.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex, mpsc as channel};
use std::time::Instant;

use futures_util::FutureExt as _;

use crate::recording::encode;
use crate::recording::recorder::tape::{Disk, Reopened, Rotated};
use crate::recording::recorder::writer::LONG;
use crate::recording::recorder::{OpenError, Options, RecordError, Recorded, Recorder};
use crate::recording::testing::call;

/// A file in memory that does as the test says, and then as it should.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    content: Vec<u8>,
    /// What the next writes do: take so many bytes, or fail.
    writes: VecDeque<Result<usize, io::ErrorKind>>,
    syncs: VecDeque<Result<(), io::ErrorKind>>,
    truncates: VecDeque<Result<(), io::ErrorKind>>,
    /// Why it cannot be set aside.
    rotations: VecDeque<String>,
    synced: usize,
    /// The next write falls over when it has taken so many bytes.
    panic: Option<usize>,
    /// A writer waits for this before each write.
    gate: Option<channel::Receiver<()>>,
    written: usize,
}

impl Disk for Fake {
    fn write(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let gate = self.0.lock().unwrap().gate.take();
        if let Some(gate) = gate {
            let _ = gate.recv();
        }
        let mut state = self.0.lock().unwrap();
        state.written += 1;
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        if let Some(count) = state.panic.take() {
            state.content.extend(&bytes[..count]);
            drop(state);
            panic!("as the test says");
        }
        let count = state.writes.pop_front().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
        state.content.extend(&bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.synced = state.content.len();
        Ok(state.syncs.pop_front().unwrap_or(Ok(()))?)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.truncates.pop_front().unwrap_or(Ok(()))?;
        state.content.truncate(usize::try_from(len).unwrap());
        Ok(())
    }

    fn changed(&self, end: u64) -> Option<String> {
        (self.0.lock().unwrap().content.len() as u64 != end).then(|| "the tape changed".to_owned())
    }

    fn stands(&mut self, end: u64, len: u64, _begin: &[u8]) -> io::Result<bool> {
        Ok(self.0.lock().unwrap().content.len() as u64 >= end + len)
    }

    fn reopen(&mut self) -> Result<Reopened, OpenError> {
        let mut state = self.0.lock().unwrap();
        let end = memchr::memrchr(b'\n', &state.content).map_or(0, |newline| newline + 1);
        state.content.truncate(end);
        Ok(Reopened { kept: end as u64, end: end as u64, remarks: Vec::new() })
    }

    fn rotate(&mut self, _end: u64, _now: jiff::Timestamp) -> Result<Option<Rotated>, String> {
        self.0.lock().unwrap().rotations.pop_front().map_or(Ok(None), Err)
    }

    fn finish(&mut self, _end: u64) -> io::Result<()> {
        self.sync()
    }
}

impl Fake {
    fn start(&self, fsync: bool) -> (Recorder, channel::Receiver<Recorded>) {
        let (heard, events) = channel::channel();
        let tell = Box::new(move |event| heard.send(event).unwrap_or_default());
        let recorder =
            Recorder::start(self.clone(), 0, Path::new("/tape"), Options { fsync, ..Options::default() }, tell);
        (recorder, events)
    }

    fn script(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.0.lock().unwrap());
    }

    fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().content.clone()
    }
}

#[tokio::test]
async fn a_full_disk_is_told_counted_and_leaves_no_half_line() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(false);
    recorder.record(call(1)).await.unwrap();
    fake.script(|state| {
        state.writes.extend([Ok(10), Ok(5), Err(io::ErrorKind::StorageFull), Err(io::ErrorKind::StorageFull)]);
    });
    for unrecorded in 1..=2 {
        let reason = "no space left for /tape: make room, and calls are recorded again".to_owned();
        assert_eq!(recorder.record(call(2)).await, Err(RecordError(reason.clone())));
        assert_eq!(events.try_iter().last(), Some(Recorded::Failed { unrecorded, reason }));
        assert_eq!(fake.content(), encode(&call(1)));
    }
    recorder.record(call(3)).await.unwrap();
    assert_eq!(fake.content(), [encode(&call(1)), encode(&call(3))].concat());
}

#[tokio::test]
async fn a_file_that_cannot_be_set_aside_or_finished_is_no_call_lost() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(false);
    fake.script(|state| state.writes.push_back(Err(io::ErrorKind::StorageFull)));
    recorder.record(call(1)).await.unwrap_err();
    fake.script(|state| {
        state.rotations.push_back("cannot be set aside".to_owned());
        state.syncs.push_back(Err(io::ErrorKind::Other));
    });
    recorder.record(call(2)).await.unwrap();
    recorder.close().await;
    let told: Vec<_> = events.iter().collect();
    let [Recorded::Failed { unrecorded: 1, .. }, aside, Recorded::Call(..), Recorded::Trouble { reason }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*aside, Recorded::Trouble { reason: "cannot be set aside".to_owned() });
    assert!(reason.starts_with("cannot finish /tape: "), "{reason}");
}

#[tokio::test]
async fn calls_whose_write_falls_over_are_told_and_counted_and_the_next_is_recorded() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(false);
    recorder.record(call(1)).await.unwrap();
    fake.script(|state| state.panic = Some(10));
    let failed = futures_util::future::join_all((2..=4).map(|number| recorder.record(call(number)))).await;
    let reason = "cannot write to /tape: hooktape fell over, which is a defect of it".to_owned();
    assert_eq!(failed, vec![Err(RecordError(reason.clone())); 3]);
    assert_eq!(events.try_iter().last(), Some(Recorded::Failed { unrecorded: 3, reason }));
    let branch = recorder.branch();
    branch.record(call(5)).await.unwrap();
    recorder.record(call(6)).await.unwrap();
    assert_eq!(fake.content(), [1, 5, 6].map(|number| encode(&call(number))).concat());
    let events: Vec<_> = events.try_iter().collect();
    assert!(matches!(events[..], [Recorded::Call(..), Recorded::Call(..)]), "{events:?}");
}

#[tokio::test]
async fn an_observer_that_falls_over_costs_nobody_a_call() {
    let fake = Fake::default();
    let (heard, events) = channel::channel();
    let tell = Box::new(move |event: Recorded| {
        assert!(!matches!(&event, Recorded::Call(told, _) if **told == call(2)), "as the test says");
        heard.send(event).unwrap_or_default();
    });
    let recorder = Recorder::start(fake.clone(), 0, Path::new("/tape"), Options::default(), tell);
    let stored = futures_util::future::join_all((1..=3).map(|number| recorder.record(call(number)))).await;
    assert!(stored.iter().all(Result::is_ok), "{stored:?}");
    recorder.branch().record(call(4)).await.unwrap();
    assert_eq!(fake.content(), [1, 2, 3, 4].map(|number| encode(&call(number))).concat());
    let events: Vec<_> = events.try_iter().collect();
    let [Recorded::Call(..), Recorded::Trouble { reason }, Recorded::Call(..), Recorded::Call(..)] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(reason.starts_with("what is recorded to /tape may not all be shown"), "{reason}");
}

#[test]
fn what_waits_where_a_thread_falls_over_is_written() {
    let fake = Fake::default();
    let falling = fake.clone();
    let fallen = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (recorder, _) = falling.start(false);
            recorder.submit(call(1), false).await.unwrap();
        });
        panic!("as the test says");
    });
    fallen.join().unwrap_err();
    assert_eq!(fake.content(), encode(&call(1)));
}

#[tokio::test]
async fn a_short_or_interrupted_write_goes_on_where_it_stopped() {
    let fake = Fake::default();
    let (recorder, _) = fake.start(false);
    fake.script(|state| state.writes.extend([Ok(1), Err(io::ErrorKind::Interrupted), Ok(100)]));
    recorder.record(call(1)).await.unwrap();
    assert_eq!(fake.content(), encode(&call(1)));
    fake.script(|state| state.writes.extend([Ok(7), Ok(0)]));
    let error = recorder.record(call(2)).await.unwrap_err();
    assert!(error.0.starts_with("cannot write to /tape: "), "{error}");
    assert_eq!(fake.content(), encode(&call(1)));
}

#[tokio::test]
async fn with_fsync_a_call_counts_when_it_is_on_the_disk() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(true);
    recorder.record(call(1)).await.unwrap();
    assert_eq!(fake.0.lock().unwrap().synced, encode(&call(1)).len());
    fake.script(|state| state.syncs.push_back(Err(io::ErrorKind::Other)));
    let error = recorder.record(call(2)).await.unwrap_err();
    assert!(error.0.starts_with("cannot write to /tape: "), "{error}");
    assert_eq!(fake.content(), encode(&call(1)));
    assert!(matches!(events.try_iter().last(), Some(Recorded::Failed { unrecorded: 1, .. })));
}

#[tokio::test]
async fn a_half_line_that_could_not_be_cut_off_is_cut_off_before_the_next_call() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(false);
    recorder.record(call(1)).await.unwrap();
    fake.script(|state| {
        state.writes.extend([Ok(10), Err(io::ErrorKind::Other)]);
        state.truncates.push_back(Err(io::ErrorKind::Other));
    });
    recorder.record(call(2)).await.unwrap_err();
    assert_eq!(fake.content().len(), encode(&call(1)).len() + 10);
    recorder.record(call(3)).await.unwrap();
    assert_eq!(fake.content(), [encode(&call(1)), encode(&call(3))].concat());
    let events: Vec<_> = events.try_iter().collect();
    assert!(matches!(events[..], [Recorded::Call(..), Recorded::Failed { .. }, Recorded::Call(..)]), "{events:?}");
}

#[tokio::test]
async fn whole_lines_of_calls_that_were_refused_are_cut_off_too_and_no_others() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(true);
    recorder.record(call(1)).await.unwrap();
    let stays = |times: usize| {
        fake.script(|state| {
            state.syncs.push_back(Err(io::ErrorKind::Other));
            state.truncates.extend(vec![Err(io::ErrorKind::Other); times]);
        });
    };
    let of = |numbers: &[u64]| numbers.iter().map(|number| encode(&call(*number))).collect::<Vec<_>>().concat();
    stays(2);
    recorder.record(call(2)).await.unwrap_err();
    assert_eq!(fake.content(), of(&[1, 2]));
    let error = recorder.record(call(3)).await.unwrap_err();
    assert!(error.0.starts_with("what was not recorded cannot be cut off /tape: "), "{error}");
    recorder.record(call(4)).await.unwrap();
    assert_eq!(fake.content(), of(&[1, 4]));
    // Behind it stands what another hand wrote, and nothing of that is ours to cut.
    stays(1);
    recorder.record(call(5)).await.unwrap_err();
    fake.script(|state| state.content.extend(encode(&call(6))));
    recorder.record(call(7)).await.unwrap();
    assert_eq!(fake.content(), of(&[1, 4, 5, 6, 7]));
    stays(1);
    recorder.record(call(8)).await.unwrap_err();
    recorder.close().await;
    assert_eq!(fake.content(), of(&[1, 4, 5, 6, 7]), "also where no other call came");
    let reopened = events.try_iter().filter(|event| matches!(event, Recorded::Reopened { .. }));
    assert_eq!(reopened.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_written_in_one_go_and_fails_as_one() {
    let fake = Fake::default();
    let (open_gate, gate) = channel::channel();
    fake.script(|state| {
        state.gate = Some(gate);
        state.writes.extend([Ok(usize::MAX), Err(io::ErrorKind::StorageFull)]);
    });
    let (recorder, events) = fake.start(false);
    // The first write stands at the gate; ten calls queue up behind it.
    let first = tokio::spawn({
        let recorder = recorder.clone();
        async move { recorder.record(call(0)).await }
    });
    while fake.0.lock().unwrap().gate.is_some() {
        tokio::task::yield_now().await;
    }
    let mut waiting: Vec<_> = (1..=10).map(|number| Box::pin(recorder.record(call(number)))).collect();
    for call in &mut waiting {
        assert!(futures_util::poll!(call).is_pending());
    }
    open_gate.send(()).unwrap();
    first.await.unwrap().unwrap();
    let failed = futures_util::future::join_all(waiting).await;
    assert!(failed.iter().all(|result| result.as_ref().is_err_and(|error| error.0.starts_with("no space left"))));
    recorder.close().await;
    assert_eq!(fake.0.lock().unwrap().written, 2);
    assert_eq!(fake.content(), encode(&call(0)));
    let events: Vec<_> = events.iter().collect();
    assert!(matches!(events[..], [Recorded::Call(..), Recorded::Failed { unrecorded: 10, .. }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_write_others_are_not_kept_from_their_work() {
    let fake = Fake::default();
    let (recorder, _) = fake.start(false);
    let gated = || {
        let (open_gate, gate) = channel::channel();
        fake.script(|state| state.gate = Some(gate));
        open_gate
    };
    for number in 1..=3 {
        let open_gate = gated();
        let mut recording = Box::pin(recorder.record(call(number)));
        assert!(futures_util::poll!(&mut recording).is_pending());
        while fake.0.lock().unwrap().gate.is_some() {
            tokio::task::yield_now().await;
        }
        let standing = Instant::now();
        while standing.elapsed() < LONG {
            tokio::task::yield_now().await;
        }
        // From the second on, both workers of the runtime are free meanwhile.
        let workers = if number == 1 { 1 } else { 2 };
        let meeting = Arc::new(Barrier::new(workers));
        let both = (0..workers).map(|_| {
            let meeting = meeting.clone();
            tokio::spawn(async move { meeting.wait().is_leader() })
        });
        let leaders = futures_util::future::join_all(both.collect::<Vec<_>>()).await;
        assert_eq!(leaders.iter().filter(|leader| *leader.as_ref().unwrap()).count(), 1);
        open_gate.send(()).unwrap();
        recording.await.unwrap();
    }
}

#[test]
fn what_waits_when_the_runtime_ends_is_written() {
    // Before the task has seen any of it, and while it waits for more.
    for turns in 0..2 {
        let fake = Fake::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let recordings: Vec<_> = runtime.block_on(async {
            let (recorder, _) = fake.start(false);
            let recordings =
                futures_util::future::join_all((1..=3).map(|number| recorder.submit(call(number), false))).await;
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            recordings
        });
        assert!(fake.content().is_empty());
        drop(runtime);
        assert_eq!(fake.content(), [1, 2, 3].map(|number| encode(&call(number))).concat());
        for recording in recordings {
            assert!(matches!(recording.unwrap().done().now_or_never(), Some(Ok(_))));
        }
    }
}

#[tokio::test]
async fn the_task_ends_when_the_last_clone_is_gone() {
    let fake = Fake::default();
    let (recorder, events) = fake.start(false);
    recorder.record(call(1)).await.unwrap();
    drop(recorder.clone());
    assert!(events.recv().is_ok());
    let mut ended = recorder.ended.clone();
    drop(recorder);
    ended.changed().await.unwrap_err();
    assert!(events.recv().is_err(), "the observer is gone with its task");
    assert_eq!(fake.0.lock().unwrap().synced, encode(&call(1)).len(), "written through before it ended");
}
