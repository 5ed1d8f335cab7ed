//! The order in which a call reaches the disk and its sender, as the kernel sees it: written, on the disk, answered.
//!
//! Needs Debian's `strace`: `cargo test --features strace --test syscalls`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[expect(dead_code, reason = "what other tests do with a listener")]
#[path = "support/lane.rs"]
mod lane;

use std::collections::{HashMap, HashSet};
use std::thread;

use lane::{HOOKTAPE, Home, Listener};

/// The ids in what a system call was given.
fn ids(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split(r#"\"id\":\""#).skip(1).map(|rest| &rest[..36])
}

/// A system call under way that makes calls safer when it returns.
enum Step<'a> {
    /// Writes these.
    Write(Vec<&'a str>),
    /// Puts these on the disk: what was written before it began.
    Synchronise(HashSet<&'a str>),
}

/// How many calls were answered in a trace (`strace -f`), each once it was written and then on the disk.
fn answered_in_order(trace: &str) -> usize {
    let (mut written, mut on_disk, mut answered) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut under_way = HashMap::new();
    for line in trace.lines() {
        let (thread, event) = line.split_once(' ').unwrap();
        let event = event.trim_start();
        if event.starts_with("write(") && event.contains(r#", "{\"id\":"#) {
            under_way.insert(thread, Step::Write(ids(event).collect()));
        } else if event.starts_with("fdatasync(") {
            under_way.insert(thread, Step::Synchronise(written.clone()));
        } else if event.contains("HTTP/1.1 200") {
            for id in ids(event) {
                assert!(written.contains(id), "{id} was answered before it was written");
                assert!(on_disk.contains(id), "{id} was answered before it was on the disk");
                assert!(answered.insert(id), "{id} was answered twice");
            }
        }
        if event.ends_with("<unfinished ...>") {
            continue;
        }
        match under_way.remove(thread) {
            Some(Step::Write(ids)) => written.extend(ids),
            Some(Step::Synchronise(ids)) => on_disk.extend(ids),
            None => {}
        }
    }
    answered.len()
}

#[test]
fn with_fsync_a_call_is_on_the_disk_before_its_answer_leaves() {
    let home = Home::new();
    let strace = ["-f", "-o", "trace", "-s", "1000000", "-e", "trace=write,writev,sendto,sendmsg,fdatasync,fsync"];
    let listen = [HOOKTAPE, "listen", "--listen", "127.0.0.1:0", "--record", "tape.jsonl", "--fsync"];
    let listener = Listener::start(home.command("strace", &[&strace[..], &listen].concat()));
    thread::scope(|scope| {
        for sender in 0..4 {
            let mut caller = listener.call();
            scope.spawn(move || {
                for number in 0..25 {
                    assert_eq!(caller.post("/", "", format!("{sender} {number}").as_bytes()).unwrap().0, 200);
                }
            });
        }
    });
    drop(listener);
    assert_eq!(answered_in_order(&std::fs::read_to_string(home.path("trace")).unwrap()), 100);
}

#[test]
#[should_panic(expected = "b was answered before it was on the disk")]
fn an_answer_that_overtakes_the_disk_is_noticed() {
    let id = |letter: &str| letter.repeat(36);
    let call = |letter| format!(r#"write(9, "{{\"id\":\"{}\"", 40) = 40"#, id(letter));
    let answer = |letter| format!(r#"writev(3, [{{iov_base="HTTP/1.1 200 \"id\":\"{}\""}}], 2) = 40"#, id(letter));
    let trace = [
        format!("1 {}", call("a")),
        "1 fdatasync(9 <unfinished ...>".to_owned(),
        format!("2 {}", call("b")),
        "1 <... fdatasync resumed>) = 0".to_owned(),
        format!("1 {}", answer("a")),
        format!("1 {}", answer("b")),
    ];
    answered_in_order(&trace.join("\n"));
}
