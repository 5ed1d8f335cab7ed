//! What is set aside, and what stands in which file then.

use std::fs;

use super::*;

#[tokio::test]
async fn what_is_said_of_a_call_at_once_stands_in_its_file() {
    let (_folder, path) = folder();
    let rotate = Rotation { size: Some(1), age: None };
    let (recorder, _) = Recorder::open(&path, Options { rotate, ..Options::default() }, Box::new(|_| {})).unwrap();
    // Longer than a batch, so that one may end between any two of them.
    let long = |number| {
        let mut call = call(number);
        call.request.body = "x".repeat(3 << 20).into();
        call
    };
    let note = |number: u64| Change::Note(Some(format!("{number}").into()));
    let said = (0..8).map(|number| recorder.submit_saying(long(number), note(number)));
    for written in futures_util::future::join_all(said).await {
        written.unwrap().done().await.unwrap();
    }
    recorder.close().await;
    let (mut files, mut noted) = (0, 0);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let reader = Reader::open(&entry.unwrap().path()).unwrap();
        let marks = reader.marks();
        for entry in reader.entries(Position::default()) {
            assert!(marks.of(entry.unwrap().id).is_some_and(|remarks| remarks.note.is_some()));
            noted += 1;
        }
        files += 1;
    }
    assert!(files > 2 && noted == 8, "{noted} in {files}");
}
