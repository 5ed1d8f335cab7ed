//! What the program weighs while much comes: with many connections, and with long bodies.
//!
//! `HOOKTAPE_BODY_MB=100 cargo test --release --test durability weight -- --nocapture --test-threads 1` sends bodies of 100 MB
//! instead of 30, and prints what it finds.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hooktape::recording::{Position, Reader};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::lane::caller::read_message;
use crate::lane::{HOOKTAPE, Home, Listener};
use crate::process::status;

/// The megabytes of a long body.
fn megabytes() -> usize {
    std::env::var("HOOKTAPE_BODY_MB").map_or(30, |megabytes| megabytes.parse().unwrap())
}

/// Memory now, and the most there ever was, in MB.
fn weight(listener: &Listener) -> (u64, u64) {
    let id = listener.child.id();
    (status(id, "VmRSS:").unwrap() / 1000, status(id, "VmHWM:").unwrap() / 1000)
}

/// The calls in the recordings of a home.
fn recorded(home: &Home) -> usize {
    let files = std::fs::read_dir(home.path(".")).unwrap().map(|entry| entry.unwrap().path());
    let tapes = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    tapes.map(|path| Reader::open(&path).unwrap().entries(Position::default()).map(Result::unwrap).count()).sum()
}

/// A JSON body of about this many bytes.
fn body(size: usize) -> Vec<u8> {
    format!("{{\"text\":\"{}\"}}", "lorem ipsum ".repeat(size / 12)).into_bytes()
}

#[test]
fn a_long_body_is_held_once_and_given_back() {
    let home = Home::new();
    std::fs::write(home.path("hooktape.toml"), "[listen]\nmax_body = \"200 MB\"\n").unwrap();
    let listener = home.listen(&[]);
    let (before, _) = weight(&listener);
    let body = body(megabytes() * 1_000_000);
    let size = body.len() as u64 / 1_000_000;
    let mut caller = listener.call();
    let (mut small, mut after) = (0, before);
    for _ in 0..3 {
        assert_eq!(caller.post("/", "", &body).unwrap().0, 200);
        // What was written lingers for some milliseconds: calls go on until it has gone.
        for _ in 0..1000 {
            (after, _) = weight(&listener);
            if after < before + size / 2 + 10 {
                break;
            }
            assert_eq!(caller.post("/", "", b"{}").unwrap().0, 200);
            small += 1;
        }
    }
    let (_, peak) = weight(&listener);
    drop(listener);
    println!("three bodies of {size} MB: {before} MB before, at most {peak}, {after} after");
    assert_eq!(recorded(&home), 3 + small);
    assert!(peak < before + size + size / 2 + 10, "held once: {before} MB, then {peak} MB");
    assert!(after < before + size / 2 + 10, "given back: {before} MB, then {after} MB");
}

#[test]
fn a_thousand_slow_callers_are_all_answered() {
    const CALLERS: usize = 1000;
    // Of its own 1,024 file descriptors this process would have too few left for the tests beside it.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let home = Home::new();
    let listener = home.listen(&[]);
    let (before, _) = weight(&listener);
    let mut callers: Vec<TcpStream> = (0..CALLERS).map(|_| TcpStream::connect(&listener.address).unwrap()).collect();
    // Head and body in drips, everybody's at once; in between, one who is quick.
    let request = b"POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";
    let (mut quick, mut slowest) = (listener.call(), Duration::ZERO);
    for drip in request.chunks(7) {
        for caller in &mut callers {
            caller.write_all(drip).unwrap();
        }
        let begun = Instant::now();
        assert_eq!(quick.post("/quick", "", b"{}").unwrap().0, 200);
        slowest = slowest.max(begun.elapsed());
    }
    let held = weight(&listener).0;
    for caller in callers {
        assert!(read_message(&mut std::io::BufReader::new(caller)).unwrap().0.starts_with("HTTP/1.1 200 "));
    }
    let (after, peak) = weight(&listener);
    drop(listener);
    println!(
        "{CALLERS} callers in drips: {before} MB before, {held} while they send, at most {peak}, {after} after; the slowest \
         answer to a quick one after {slowest:?}"
    );
    assert_eq!(recorded(&home), CALLERS + request.chunks(7).count());
    assert!(peak < before + 100, "{before} MB, then {peak} MB");
}

#[test]
fn calls_that_nobody_reads_of_weigh_nothing_and_are_not_lost() {
    const CALLS: usize = 200;
    let home = Home::new();
    // Of the second, each line is 200 KB: three of them are more than a pipe takes.
    for format in ["text", "json"] {
        let record = format!("{format}.jsonl");
        let mut listener = Listener::start(home.command(
            HOOKTAPE,
            &["--format", format, "listen", "--listen", "127.0.0.1:0", "--rotate", "10 MB", "--record", &record],
        ));
        let (before, _) = weight(&listener);
        let mut caller = listener.call();
        for number in 0..CALLS {
            let body = format!("{{\"number\":{number},\"text\":\"{}\"}}", "lorem ipsum ".repeat(200_000 / 12));
            assert_eq!(caller.post("/", "", body.as_bytes()).unwrap().0, 200);
        }
        let (after, peak) = weight(&listener);
        println!(
            "{CALLS} calls of 200 KB and nobody reads, {format}: {before} MB before, at most {peak}, {after} after"
        );
        assert!(peak < before + 25, "{format}: {before} MB, then {peak} MB");
        // A reader that comes late has all of them, in order.
        let ended = listener.end("TERM");
        assert_eq!((ended.code, ended.out.lines().count()), (Some(0), CALLS), "{}", ended.err);
        if format == "json" {
            let numbers = ended.out.lines().map(|line| line.split_once("{\"number\":").unwrap().1);
            assert!(numbers.enumerate().all(|(number, rest)| rest.starts_with(&format!("{number},"))));
        }
    }
    assert_eq!(recorded(&home), 2 * CALLS);
}

#[test]
fn a_second_signal_ends_what_waits_for_a_reader() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let mut caller = listener.call();
    for _ in 0..3 {
        assert_eq!(caller.post("/", "", &body(100_000)).unwrap().0, 200);
    }
    let id = listener.child.id().to_string();
    // The first one ends the listening; whoever waits for the lines of the rest is asked again until it has gone.
    while listener.child.try_wait().unwrap().is_none() {
        Command::new("kill").args(["-s", "INT", &id]).status().unwrap();
        thread::yield_now();
    }
    assert_eq!(listener.child.wait().unwrap().code(), Some(0));
    assert_eq!(recorded(&home), 3);
}
