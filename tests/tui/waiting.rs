//! Work that takes its time, on the screen: how far it is, what is there so far, and how it is ended.

use std::sync::Arc;

use crate::support::{SIZES, Stage, drawn, long, repository};
use hooktape::app::event::{Event, Wanted};
use hooktape::app::{App, Leaving, keys};
use hooktape::recording::{Index, Position, Reader};
use insta::assert_snapshot;
use jiff::Timestamp;

fn press(app: &mut App, script: &str) {
    for key in keys::script(script).unwrap() {
        app.update(Event::Key(key), Timestamp::now());
    }
}

/// The calls of a recording: all of them, and the last three.
fn read() -> (Reader, Index, Index) {
    let reader = Reader::open(&repository("recordings/moveo.jsonl")).unwrap();
    let entries: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
    let (all, newest) = (entries.iter().collect(), entries[entries.len() - 3..].iter().collect());
    (reader, all, newest)
}

#[test]
fn how_far_a_long_recording_is_read_at_three_sizes() {
    let (reader, all, newest) = read();
    for size in SIZES {
        let stage = Stage::size(size.0, size.1);
        let mut app = App::new(stage.setup(&repository("recordings/moveo.jsonl"), None), Timestamp::now());
        app.update(Event::Newest(Box::new(newest.clone())), Timestamp::now());
        app.update(Event::Reading { done: 42, total: 100 }, Timestamp::now());
        app.settle();
        let read = |row| reader.call(newest.place(row).unwrap()).map(Arc::new).map_err(|error| error.to_string());
        let wanted = |row| Wanted::of(&newest, row).unwrap();
        app.update(Event::Loaded((0..3).map(|row| (wanted(row), read(row))).collect()), Timestamp::now());
        assert_snapshot!(format!("reading_{}x{}", size.0, size.1), drawn(&mut app, size));
        // A call that fills the screen hides the list, but not that it is being read.
        press(&mut app, "<enter>z");
        assert_snapshot!(format!("reading_zoomed_{}x{}", size.0, size.1), drawn(&mut app, size));
        press(&mut app, "z<esc>");
        app.update(Event::Indexed(Box::new(all.clone())), Timestamp::now());
        app.update(Event::Indexed(Box::default()), Timestamp::now());
        assert_eq!((app.calls.len(), app.arriving.percent()), (7, None));
        assert!(!drawn(&mut app, size).contains("42 %"));
    }
}

#[tokio::test]
async fn a_recording_that_is_being_read_is_left_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Stage::size(80, 24).open(&long(folder.path(), 1000), "<now q>").await;
    assert!(ended.app.leaving == Leaving::Yes && ended.app.calls.total < 7000);
}

#[tokio::test]
async fn how_far_a_search_is_at_three_sizes() {
    for size in SIZES {
        let ended = Stage::size(size.0, size.1).open(&repository("recordings/moveo.jsonl"), "").await;
        let mut app = ended.app;
        let name = |what: &str| format!("search_{what}_{}x{}", size.0, size.1);
        press(&mut app, "/body:claim");
        let search = app.calls.filter.as_ref().unwrap().search;
        let found = |hits: &[usize], scanned| Event::Found { search, hits: hits.to_vec(), scanned, finished: false };
        assert_snapshot!(name("typing"), drawn(&mut app, size));
        press(&mut app, "<enter>");
        assert_snapshot!(name("none_yet"), drawn(&mut app, size));
        app.update(found(&[0, 2], 4), Timestamp::now());
        assert_snapshot!(name("so_far"), drawn(&mut app, size));
        press(&mut app, "<esc>");
        assert_snapshot!(name("ended"), drawn(&mut app, size));
        app.update(found(&[5], 7), Timestamp::now());
        assert_eq!(app.calls.len(), 2, "what comes late is not taken");
        press(&mut app, "<esc>");
        assert_eq!((app.calls.filter_text(), app.calls.len()), ("", 7));
        press(&mut app, "/body:zzz<enter><esc>");
        assert_snapshot!(name("ended_with_nothing"), drawn(&mut app, size));
    }
}

#[tokio::test]
async fn a_search_is_ended_and_keeps_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let recording = long(folder.path(), 2000);
    let ended = Stage::size(80, 24).open(&recording, "/z<now z><now enter><now esc>").await;
    let filter = ended.app.calls.filter.as_ref().unwrap();
    assert!(filter.stopped && filter.scanned < 14_000, "{}", ended.screen);
    assert!(ended.screen.contains("ended after"), "{}", ended.screen);
    let ended = Stage::size(80, 24).open(&recording, "/z<now z><now enter><now esc><now esc>").await;
    assert_eq!((ended.app.calls.filter_text(), ended.app.calls.len()), ("", 14_000), "{}", ended.screen);
}
