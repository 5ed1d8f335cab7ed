//! Marks, notes and deletions, through the real loop and into the file.

use std::path::PathBuf;

use crate::support::{Ended, Stage, repository};
use hooktape::recording::{Reader, Remarks};
use insta::assert_snapshot;
use tempfile::TempDir;

/// A recording that may be written to.
fn copy() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moveo.jsonl");
    std::fs::copy(repository("recordings/moveo.jsonl"), &path).unwrap();
    (folder, path)
}

async fn play(script: &str) -> (Ended, Reader, TempDir) {
    let (folder, path) = copy();
    let ended = Stage::size(80, 24).open(&path, script).await;
    (ended, Reader::open(&path).unwrap(), folder)
}

/// What the file says of the call of that number.
fn remarks(ended: &Ended, reader: &Reader, number: usize) -> Remarks {
    let marks = reader.marks();
    assert_eq!(&marks, ended.app.index.marks(), "the screen shows what the file says");
    marks.of(ended.app.index.get(number).unwrap().id).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_mark_a_note_and_a_deletion_are_on_the_screen_and_in_the_file() {
    let (ended, reader, _folder) = play("gMj;the customer's test<enter>mjdj/deleted | marked<enter>g").await;
    assert_snapshot!(ended.screen);
    assert_eq!(remarks(&ended, &reader, 0).mark.unwrap().colour.unwrap().word(), "red");
    let second = remarks(&ended, &reader, 1);
    assert_eq!((second.note.as_deref(), second.mark.unwrap().colour), (Some("the customer's test"), None));
    assert!(remarks(&ended, &reader, 2).deleted);
    // Another run finds what this one left.
    let again = Stage::size(80, 24).open(reader.path(), "g").await;
    assert!(again.screen.contains("marked red") && again.screen.contains("and 1 deleted"), "{}", again.screen);
}

#[tokio::test]
async fn a_deleted_call_is_hidden_and_the_next_one_takes_its_place() {
    let (ended, ..) = play("gjd").await;
    assert_eq!((ended.app.calls.len(), ended.app.calls.selected()), (6, Some(2)));
    let (ended, ..) = play("/kind:message<enter>gd").await;
    assert_eq!(ended.app.calls.row(), 0);
    let (ended, ..) = play("/windscreen<enter>gd").await;
    assert_eq!((ended.app.calls.len(), ended.app.calls.row()), (1, 0), "{}", ended.screen);
    let (ended, ..) = play("ddddddd").await;
    assert!(ended.screen.contains("all calls are deleted"), "{}", ended.screen);
}

#[tokio::test]
async fn a_note_is_masked_with_the_calls_and_what_is_edited_is_said_not_to_be() {
    let (shown, ..) = play("g;card 4111111111111111<enter>").await;
    assert_eq!(shown.screen.matches("card 4111111111111111").count(), 2, "{}", shown.screen);
    let (masked, ..) = play("g;card 4111111111111111<enter>*").await;
    assert_eq!(masked.screen.matches("card [redacted]").count(), 2, "{}", masked.screen);
    assert!(!masked.screen.contains("4111111111111111"));
    let (edited, ..) = play("*e").await;
    assert!(edited.screen.contains("nothing of it is masked"), "{}", edited.screen);
}

#[tokio::test]
async fn everything_said_can_be_taken_back() {
    let (ended, reader, _folder) = play("gjm;x<enter>ddGuuuuu").await;
    assert!(reader.marks().of(ended.app.index.get(1).unwrap().id).is_none());
    assert_eq!(reader.marks().of(ended.app.index.get(2).unwrap().id), None);
    assert_eq!(ended.app.calls.len(), 7);
    assert!(ended.screen.contains("there is no mark, note or deletion"), "{}", ended.screen);
    let (ended, ..) = play("gmGu").await;
    let id = ended.app.index.get(0).unwrap().id.to_string();
    let told = format!("the mark of moveo/first_message {} is as it was", &id[id.len() - 8..]);
    assert!(ended.screen.contains(&told), "{}", ended.screen);
    let (ended, ..) = play("gjjdGu").await;
    assert_eq!(ended.app.calls.selected(), Some(2), "the call that is back is the selected one");
    let (ended, reader, _folder) = play("gd/deleted<enter>d<esc>").await;
    assert!(reader.marks().is_empty());
    assert_eq!((ended.app.calls.len(), ended.app.calls.filter_text()), (7, ""));
}

#[tokio::test]
async fn looking_at_notes_changes_nothing() {
    let (ended, reader, _folder) = play("g;<esc>;<enter>u").await;
    assert_eq!(std::fs::read(reader.path()).unwrap(), std::fs::read(repository("recordings/moveo.jsonl")).unwrap());
    assert!(ended.screen.contains("there is no mark, note or deletion to take back"), "{}", ended.screen);
}

#[tokio::test]
async fn a_file_that_another_process_records_to_is_not_written() {
    let (_folder, path) = copy();
    let options = hooktape::recording::Options::default();
    let (recorder, _) = hooktape::recording::Recorder::open(&path, options, Box::new(|_| {})).unwrap();
    let ended = Stage::size(120, 24).open(&path, "gm").await;
    assert!(ended.screen.contains("not kept: "), "{}", ended.screen);
    assert!(ended.app.index.marks().is_empty());
    recorder.close().await;
}
