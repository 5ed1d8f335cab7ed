//! The process that a filter of the screen runs in.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::lane::{HOOKTAPE, Home};

/// Starts it, and hands it a filter and a body.
fn filter(home: &Home, filter: &str, body: &str) -> Child {
    let mut command = home.command(HOOKTAPE, &["jq"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.as_ref().unwrap();
    write!(input, "{}\n{}\n{filter}{body}", filter.len(), body.len()).unwrap();
    child
}

#[test]
fn it_answers_while_its_input_is_open_and_ends_with_it() {
    let home = Home::new();
    for (text, said, code) in [(".a", "1", 0), (".a.b", "cannot", 1)] {
        let mut child = filter(&home, text, "{\"a\":1}");
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert!(out.contains(said), "{out}");
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
    let mut endless = filter(&home, "last(repeat(1))", "1");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(endless.try_wait().unwrap(), None, "it computes");
    drop(endless.stdin.take());
    let since = Instant::now();
    // Its own limit is half a minute.
    while endless.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(10), "nobody waits for it, and it goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
