//! What was answered is in the file: under load, after `kill -9`, and after SIGTERM.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod day;
mod kills;
#[path = "../support/lane.rs"]
mod lane;
mod load;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/recorded.rs"]
mod recorded;
mod weight;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use lane::{Home, Listener};
use recorded::calls_in;

/// How often each numbered call stands in a recording that has no damaged line.
fn recorded(path: &Path) -> BTreeMap<u32, u32> {
    let mut times = BTreeMap::new();
    for call in calls_in(path) {
        let number = std::str::from_utf8(&call.request.body).unwrap().parse().unwrap();
        *times.entry(number).or_default() += 1;
    }
    times
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().matches('\n').count()
}

/// Two senders call with numbers from `first` on, until nobody answers; `end` comes after `enough` answers. Returns the
/// numbers that were answered, and the first that nobody used.
fn under_load(listener: &mut Listener, first: u32, enough: usize, signal: &str) -> (Vec<u32>, u32, lane::Ended) {
    let (answered, answers) = mpsc::channel();
    let senders: Vec<_> = (0..2)
        .map(|sender| {
            let (mut caller, answered) = (listener.call(), answered.clone());
            thread::spawn(move || {
                let mut number = first + sender;
                while let Ok((200, _)) = caller.post("/load", "", number.to_string().as_bytes()) {
                    answered.send(number).unwrap();
                    number += 2;
                }
                number
            })
        })
        .collect();
    drop(answered);
    let mut numbers: Vec<u32> = answers.iter().take(enough).collect();
    let ended = listener.end(signal);
    let next = senders.into_iter().map(|sender| sender.join().unwrap() + 2).max().unwrap();
    numbers.extend(answers);
    (numbers, next, ended)
}

#[test]
fn two_senders_and_ten_thousand_calls_leave_a_line_each() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    thread::scope(|scope| {
        for sender in 0..2 {
            let mut caller = listener.call();
            scope.spawn(move || {
                for number in (sender..10_000).step_by(2) {
                    assert_eq!(caller.post("/load", "", number.to_string().as_bytes()).unwrap().0, 200);
                }
            });
        }
    });
    // The lines that it printed are read only now: a slow reader holds nobody up.
    let ended = listener.end("TERM");
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 10_000), "{}", ended.err);
    let tape = home.path("tape.jsonl");
    assert_eq!(lines(&tape), 10_001);
    assert_eq!(recorded(&tape), (0..10_000).map(|number| (number, 1)).collect());
}

#[test]
fn a_killed_listener_has_recorded_whatever_it_answered() {
    let home = Home::new();
    let tape = home.path("tape.jsonl");
    let (mut answered, mut next) = (Vec::new(), 0);
    for round in 1..=5 {
        let mut listener = home.listen(&[]);
        let (numbers, unused, ended) = under_load(&mut listener, next, 100 * round, "KILL");
        assert_eq!(ended.code, None);
        answered.extend(numbers);
        next = unused;
    }
    drop(home.listen(&[]));
    let times = recorded(&tape);
    assert!(answered.len() >= 1500);
    let lost: Vec<_> = answered.iter().filter(|number| !times.contains_key(number)).collect();
    assert!(lost.is_empty(), "answered, but not recorded: {lost:?}");
    assert!(times.values().all(|times| *times == 1));
    assert_eq!(lines(&tape), times.len() + 1);
}

#[test]
fn a_torn_last_line_is_cut_off_kept_and_reported() {
    let home = Home::new();
    let tape = home.path("tape.jsonl");
    let mut listener = home.listen(&[]);
    let (answered, next, _) = under_load(&mut listener, 0, 20, "KILL");
    // What a write leaves that did not come to its end.
    let whole = std::fs::read_to_string(&tape).unwrap();
    let last = whole.lines().last().unwrap();
    let torn = &last[..last.len() - 7];
    std::fs::OpenOptions::new().append(true).open(&tape).unwrap().write_all(torn.as_bytes()).unwrap();

    let mut listener = home.listen(&[]);
    listener.call().post("/load", "", next.to_string().as_bytes()).unwrap();
    let ended = listener.end("TERM");
    let report = format!("its {} bytes were cut off and are kept in tape.jsonl.torn", torn.len());
    assert!(ended.err.contains(&report), "{}", ended.err);
    assert_eq!(std::fs::read_to_string(home.path("tape.jsonl.torn")).unwrap(), format!("{torn}\n"));
    assert!(std::fs::read_to_string(&tape).unwrap().starts_with(&whole));
    let times = recorded(&tape);
    assert!(answered.iter().chain([&next]).all(|number| times.get(number) == Some(&1)));
}

#[test]
fn sigterm_under_load_ends_clean_with_everything_recorded() {
    let home = Home::new();
    let mut listener = home.listen(&["--fsync"]);
    let (answered, _, ended) = under_load(&mut listener, 0, 200, "TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let times = recorded(&home.path("tape.jsonl"));
    assert!(answered.iter().all(|number| times.get(number) == Some(&1)));
    assert_eq!(ended.out.lines().count(), times.len(), "every call has its line on standard output too");
    assert!(!home.path("tape.jsonl.torn").exists());
}

#[test]
fn a_recording_that_is_set_aside_under_load_loses_nothing() {
    let home = Home::new();
    let mut listener = home.listen(&["--rotate", "20 KiB"]);
    let (answered, _, ended) = under_load(&mut listener, 0, 200, "TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let said = format!("tape.jsonl has reached its size: its calls are in {} now", home.path("tape-1.jsonl").display());
    assert!(ended.err.contains(&said), "{}", ended.err);
    let parts: Vec<_> =
        (1..1000).map(|number| home.path(&format!("tape-{number}.jsonl"))).take_while(|part| part.exists()).collect();
    assert!(parts.len() > 1, "{parts:?}");
    let mut times = BTreeMap::new();
    for part in parts.iter().chain([&home.path("tape.jsonl")]) {
        for (number, count) in recorded(part) {
            *times.entry(number).or_insert(0) += count;
        }
    }
    let lost: Vec<_> = answered.iter().filter(|number| !times.contains_key(number)).collect();
    assert!(lost.is_empty(), "answered, but in none of the files: {lost:?}");
    assert!(times.values().all(|count| *count == 1), "each stands in one of the files");
}
