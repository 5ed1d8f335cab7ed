//! A clock that is set back while calls are recorded: the file has them in the order in which they came.

use super::*;
use crate::recording::recorder::tape::Tape;

#[tokio::test]
async fn calls_stand_in_the_order_in_which_they_came_whatever_the_clock_says() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    let times = ["2026-11-21T10:00:02Z", "2026-11-21T10:00:03Z", "2020-01-01T00:00:00Z", "2026-11-21T10:00:01Z"];
    for (number, at) in (0..).zip(times) {
        recorder.record(Call { at: at.parse().unwrap(), ..call(number) }).await.unwrap();
    }
    recorder.close().await;
    let found = calls_in(&path).into_iter().map(|call| (call.id, call.at.to_string())).collect::<Vec<_>>();
    let expected = (0..).zip(times).map(|(number, at)| (call(number).id, at.to_owned())).collect::<Vec<_>>();
    assert_eq!(found, expected);
}

#[test]
fn a_file_that_began_in_the_future_is_set_aside_at_its_age_all_the_same() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let begun = format::header("2030-01-01T00:00:00Z".parse().unwrap());
    fs::write(&path, [begun.as_bytes(), &encode(&call(1))].concat()).unwrap();
    let rotate = Rotation { size: None, age: Some(std::time::Duration::from_hours(24)) };
    let (mut tape, opened) = Tape::open(&path, Options { rotate, ..Options::default() }).unwrap();
    let mut is_due = |at: &str| tape.rotate(opened.end, at.parse().unwrap()).unwrap().is_some();
    // The clock was set back by three years: from then on the file is as old as that is past.
    assert!(!is_due("2027-01-01T00:00:00Z"));
    assert!(!is_due("2027-01-01T23:59:59Z"));
    assert!(is_due("2027-01-02T00:00:00Z"));
}
