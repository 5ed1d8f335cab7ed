//! A recording that another process goes on with.

use std::time::Duration;

use crate::support::{Stage, repository};
use hooktape::app::event::Event;
use hooktape::call::Call;
use hooktape::net::sender::Sender;
use hooktape::recording::backlog::backlog;
use hooktape::recording::{Annotation, Change, Options, Position, Reader, Recorded, Recorder, compact};
use hooktape::tui::feed::feed;
use hooktape::tui::tape::Tape;
use hooktape::tui::world::{Messages, World};
use tokio::sync::mpsc::unbounded_channel;

async fn next(messages: &mut Messages) -> Event {
    messages.recv().await.unwrap().event
}

#[tokio::test]
async fn what_another_process_records_is_told_as_if_we_had() {
    let sample = Reader::open(&repository("recordings/moveo.jsonl")).unwrap();
    let calls: Vec<_> =
        sample.entries(Position::default()).map(|entry| sample.call(entry.unwrap().place).unwrap()).collect();
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
    let Event::Recorded(Recorded::Reopened { reason, kept: 0 }) = next(&mut messages).await else {
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

#[tokio::test]
async fn the_status_line_says_that_a_file_is_followed() {
    let stage = Stage { follow: true, ..Stage::size(80, 24) };
    let ended = stage.open(&repository("recordings/moveo.jsonl"), "").await;
    assert!(ended.screen.contains("following the file") && ended.screen.contains("7 calls"), "{}", ended.screen);
}
