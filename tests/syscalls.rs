//! The order in which a call reaches the disk and its sender, as the kernel sees it: written, on the disk, answered. And what
//! comes of it where the kernel says no.
//!
//! Needs Debian's `strace`: `cargo test --features strace --test syscalls`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[expect(dead_code, reason = "what other tests do with a listener")]
#[path = "support/lane.rs"]
mod lane;

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

/// While it lives, system calls of a listener on its recording fail as `inject` says (strace(1)).
///
/// It comes and goes beside a listener that runs, since strace counts by thread and which of them writes is open.
struct Failing(Child);

impl Failing {
    fn new(home: &Home, listener: &Listener, inject: &str) -> Self {
        let (id, inject) = (listener.child.id().to_string(), format!("inject={inject}"));
        // What strace looks at is the path as it is given.
        let tape = home.path("tape.jsonl");
        let strace = ["-f", "-o", "trace", "-P", tape.to_str().unwrap(), "-e", &inject, "-p", &id];
        let mut strace = home.command("strace", &strace).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(strace.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains("attached"), "{said}");
        Self(strace)
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

/// The bodies of the calls in a recording.
fn bodies(tape: &Path) -> Vec<String> {
    let reader = Reader::open(tape).unwrap();
    let entries = reader.entries(Position::default()).map(Result::unwrap);
    let body = |entry: Entry| String::from_utf8(reader.call(entry.place).unwrap().request.body.to_vec()).unwrap();
    entries.map(body).collect()
}

/// The second and the third write, or what puts them on the disk, fail; what comes before and after does not.
#[test]
fn a_failing_disk_loses_no_call_silently_and_tears_nothing() {
    let eio = "tape.jsonl: Input/output error";
    for (inject, args, why) in [
        ("writev:error=EIO", &[][..], eio),
        ("writev:error=ENOSPC", &[], "no space left for "),
        ("writev:error=EIO", &["--fsync"], eio),
        ("fdatasync:error=EIO", &["--fsync"], eio),
    ] {
        for (on_full, lost) in [("refuse", 503), ("answer", 200)] {
            let home = Home::new();
            std::fs::write(home.path("hooktape.toml"), format!("[record]\non_full = \"{on_full}\"\n")).unwrap();
            let mut listener = home.listen(args);
            let mut caller = listener.call();
            let mut post = |body: &str| caller.post("/", "", body.as_bytes()).unwrap().0;
            assert_eq!(post("one"), 200);
            let failing = Failing::new(&home, &listener, inject);
            assert_eq!(["two", "three"].map(&mut post), [lost, lost], "{inject} {on_full}");
            drop(failing);
            assert_eq!(["four", "five"].map(&mut post), [200, 200], "{inject} {on_full}");
            let said = listener.end("TERM").err;
            assert!(!home.path("tape.jsonl.torn").exists(), "nothing is torn");
            assert_eq!(bodies(&home.path("tape.jsonl")), ["one", "four", "five"], "{inject} {on_full}: {said}");
            let told: Vec<&str> = said.lines().filter(|line| line.contains("not in the recording")).collect();
            // Each at once, or both where the second failed before the first was told.
            assert!(told.last().unwrap().contains("2 calls are not"), "{said}");
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
    assert!(said.contains("tape.jsonl: the file system is read-only: name a file elsewhere\n"), "{said}");
}
