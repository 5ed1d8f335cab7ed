//! A recording that another process goes on with.

use std::path::Path;
use std::time::Duration;

use crate::recorded::calls_in;
use crate::support::{Stage, drawn, repository};
use hooktape::app::App;
use hooktape::app::event::{Effect, Event};
use hooktape::call::{Call, Id};
use hooktape::net::sender::Sender;
use hooktape::recording::backlog::backlog;
use hooktape::recording::{Annotation, Change, Options, Reader, Recorded, Recorder, compact};
use hooktape::tui::feed::feed;
use hooktape::tui::tape::Tape;
use hooktape::tui::world::{Messages, World};
use jiff::Timestamp;
use tokio::sync::mpsc::unbounded_channel;

async fn next(messages: &mut Messages) -> Event {
    messages.recv().await.unwrap().event().unwrap()
}

#[tokio::test]
async fn what_another_process_records_is_told_as_if_we_had() {
    let calls = calls_in(repository("recordings/moveo.jsonl"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.jsonl");
    let (other, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    other.record(calls[0].clone()).await.unwrap();

    let setup = Stage::size(80, 24).setup(&path, None);
    let (live, written) = backlog();
    let (events, mut messages) = unbounded_channel();
    let sender = Sender::new(setup.platforms.clone(), setup.keyring.clone());
    let world = World::new(events, Tape::resting(path.clone(), live), sender, Vec::new());
    tokio::spawn(feed(&world, None, Some(Duration::from_millis(1)), written));
    while next(&mut messages).await != Event::Indexed(Box::default()) {}

    other.record(calls[1].clone()).await.unwrap();
    let Event::Recorded(Recorded::Call(call, _)) = next(&mut messages).await else { panic!("a call was recorded") };
    assert_eq!(*call, calls[1]);
    let said = Annotation { call: calls[0].id, at: calls[0].at, change: Change::Delete(true) };
    let deleted = other.annotate(said).await.unwrap();
    assert_eq!(next(&mut messages).await, Event::Annotated(vec![deleted]));
    other.close().await;

    compact(&path, None).unwrap();
    let Event::Recorded(Recorded::Reopened { reason, kept: 0, .. }) = next(&mut messages).await else {
        panic!("the file is another one")
    };
    assert!(reason.contains("replaced"), "{reason}");
    let Event::Recorded(Recorded::Call(call, place)) = next(&mut messages).await else { panic!("it is read anew") };
    assert_eq!(*call, calls[1]);
    assert_eq!(Reader::open(&path).unwrap().call(place).unwrap(), calls[1]);

    // What we record ourselves is told in the order of the file, also beside what another adds then.
    let record = async |call: &Call| {
        let call = call.clone();
        world.tape.record(|recorder| async move { recorder.record(call).await }).await.unwrap().unwrap()
    };
    record(&calls[2]).await;
    let (other, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    other.record(calls[4].clone()).await.unwrap();
    other.close().await;
    record(&calls[3]).await;
    for expected in [2, 4, 3] {
        let Event::Recorded(Recorded::Call(call, _)) = next(&mut messages).await else { panic!("it was recorded") };
        assert_eq!(*call, calls[expected]);
    }

    // What is gone is said and stays shown; what comes in its place is read.
    let away = folder.path().join("away.jsonl");
    std::fs::rename(&path, &away).unwrap();
    let mut told = async || match next(&mut messages).await {
        Event::Told(notice) => notice.text,
        other => panic!("{other:?}"),
    };
    assert!(told().await.contains("was removed or moved"));
    std::fs::write(&path, "nonsense\n").unwrap();
    assert!(told().await.starts_with("cannot read on"));
    std::fs::rename(&away, &path).unwrap();
    assert!(told().await.contains("is there again"));
    std::fs::rename(&path, folder.path().join("tape-1.jsonl")).unwrap();
    assert!(told().await.contains("was removed or moved"));
    Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap().0.record(calls[5].clone()).await.unwrap();
    assert!(told().await.contains("is there again"));
    let Event::Recorded(Recorded::Reopened { reason, .. }) = next(&mut messages).await else { panic!("it is another") };
    assert!(reason.contains("was set aside as") && reason.contains("tape-1.jsonl"), "{reason}");
}

/// A recording of the sample's first call, each time with another id.
async fn record(path: &Path, calls: usize) {
    let call = calls_in(repository("recordings/moveo.jsonl")).remove(0);
    let (recorder, _) = Recorder::open(path, Options::default(), Box::new(|_| {})).unwrap();
    for _ in 0..calls {
        recorder.record(Call { id: Id::fresh(), ..call.clone() }).await.unwrap();
    }
    recorder.close().await;
}

#[tokio::test]
async fn another_file_in_the_place_of_a_recording_is_said_and_not_asked_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("tape.jsonl"), folder.path().join("other.jsonl"));
    record(&path, 9).await;
    record(&other, 9).await;
    let setup = Stage::size(80, 24).setup(&path, None);
    for resting in [true, false] {
        let (live, written) = backlog();
        let (events, mut messages) = unbounded_channel();
        let sender = Sender::new(setup.platforms.clone(), setup.keyring.clone());
        let tape = if resting {
            Tape::resting(path.clone(), live)
        } else {
            // What another call stands for must be told apart even where the file is ours.
            Tape::running(Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap().0, live)
        };
        let world = World::new(events, tape, sender, Vec::new());
        let mut app = App::new(setup.clone(), Timestamp::now());
        tokio::spawn(feed(&world, None, None, written));
        loop {
            let event = next(&mut messages).await;
            let last = event == Event::Indexed(Box::default());
            app.update(event, Timestamp::now());
            if last {
                break;
            }
        }
        let asked = app.settle();
        let [load @ Effect::Load(wanted)] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(wanted.len(), 9);
        std::fs::rename(&path, folder.path().join("away.jsonl")).unwrap();
        std::fs::rename(&other, &path).unwrap();
        world.perform(load.clone());
        let event = next(&mut messages).await;
        let Event::Loaded(read) = &event else { panic!("{event:?}") };
        for (_, call) in read {
            let error = call.as_ref().unwrap_err();
            assert!(error.contains("replaced"), "{error}");
        }
        app.update(event, Timestamp::now());
        assert_eq!(app.settle(), []);
        let screen = drawn(&mut app, (120, 30));
        let end = if resting { "again" } else { "replaced" };
        assert!(screen.contains("this call cannot be read") && screen.contains(end), "{screen}");
        world.tape.close().await;
        std::fs::rename(folder.path().join("away.jsonl"), &other).unwrap();
    }
}

#[tokio::test]
async fn the_status_line_says_that_a_file_is_followed() {
    let stage = Stage { follow: true, ..Stage::size(80, 24) };
    let ended = stage.open(&repository("recordings/moveo.jsonl"), "").await;
    assert!(ended.screen.contains("following the file") && ended.screen.contains("7 calls"), "{}", ended.screen);
}
