//! The order in which a call reaches the disk and its sender, as the kernel sees it: written, on the disk, answered. And what
//! comes of it where the kernel says no.
//!
//! Needs Debian's `strace`: `cargo test --features strace --test syscalls`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[expect(dead_code, reason = "what other tests do with a listener")]
#[path = "support/lane.rs"]
mod lane;

use std::collections::{HashMap, HashSet};
use std::thread;

use hooktape::recording::{Entry, Position, Reader};
use lane::{HOOKTAPE, Home, Listener};

/// Ends the listener that strace runs, and strace with it, which a signal to strace would not; gives what it said.
fn end(mut listener: Listener) -> String {
    let strace = listener.child.id();
    let children = std::fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    let ended = listener.end_process("TERM", children.trim());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.err
}

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
        if event.starts_with("write") && event.contains(r#""{\"id\":"#) {
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
    end(listener);
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

/// A listener whose system calls on its recording fail as `inject` says (strace(1)), counted for each thread.
struct Failing {
    home: Home,
    listener: Listener,
}

impl Failing {
    fn new(inject: &str, on_full: &str, args: &[&str]) -> Self {
        let home = Home::new();
        std::fs::write(home.path("hooktape.toml"), format!("[record]\non_full = \"{on_full}\"\n")).unwrap();
        let inject = format!("inject={inject}");
        let tape = home.path("tape.jsonl");
        // What strace looks at is the path as it is given.
        let tape = tape.to_str().unwrap();
        let strace = ["-f", "-o", "trace", "-P", tape, "-e", &inject];
        let listen = [HOOKTAPE, "listen", "--listen", "127.0.0.1:0", "--record", tape];
        let mut command = home.command("strace", &[&strace[..], &listen, args].concat());
        // strace counts by thread: one makes all writes.
        command.env("TOKIO_WORKER_THREADS", "1");
        Self { listener: Listener::start(command), home }
    }

    /// Ends it; gives what it said and the bodies that are in the file.
    fn end(self) -> (String, Vec<String>) {
        let said = end(self.listener);
        let reader = Reader::open(&self.home.path("tape.jsonl")).unwrap();
        let entries: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
        assert!(!self.home.path("tape.jsonl.torn").exists(), "nothing is torn");
        let body = |entry: &Entry| String::from_utf8(reader.call(entry.place).unwrap().request.body.to_vec()).unwrap();
        (said, entries.iter().map(body).collect())
    }
}

/// The second and the third write, or what puts them on the disk, fail; what comes before and after does not.
#[test]
fn a_failing_disk_loses_no_call_silently_and_tears_nothing() {
    let eio = "tape.jsonl: Input/output error";
    for (inject, args, why) in [
        ("writev:error=EIO:when=2..3", &[][..], eio),
        ("writev:error=ENOSPC:when=2..3", &[], "no space left for "),
        ("writev:error=EIO:when=2..3", &["--fsync"], eio),
        ("fdatasync:error=EIO:when=2..3", &["--fsync"], eio),
    ] {
        for (on_full, lost) in [("refuse", 503), ("answer", 200)] {
            let failing = Failing::new(inject, on_full, args);
            let mut caller = failing.listener.call();
            let mut post = |body: &str| caller.post("/", "", body.as_bytes()).unwrap().0;
            let statuses = ["one", "two", "three", "four", "five"].map(&mut post);
            assert_eq!(statuses, [200, lost, lost, 200, 200], "{inject} {on_full}");
            let (said, recorded) = failing.end();
            assert_eq!(recorded, ["one", "four", "five"], "{inject} {on_full}: {said}");
            let told: Vec<&str> = said.lines().filter(|line| line.contains("not in the recording")).collect();
            assert_eq!(told.len(), 2, "{said}");
            assert!(told[0].contains("1 call is not") && told[1].contains("2 calls are not"), "{said}");
            assert!(told.iter().all(|line| line.contains(why)), "{said}");
        }
    }
}

#[test]
fn a_file_system_that_cannot_be_written_is_told_at_the_start() {
    let home = Home::new();
    let tape = home.path("tape.jsonl");
    let tape = tape.to_str().unwrap();
    let strace = ["-f", "-o", "trace", "-P", tape, "-e", "inject=openat:error=EROFS"];
    let listen = [HOOKTAPE, "listen", "--listen", "127.0.0.1:0", "--record", tape];
    let ended = home.command("strace", &[&strace[..], &listen].concat()).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("tape.jsonl") && said.contains("Read-only file system"), "{said}");
}
