//! Many callers, slow callers, and fewer file descriptors than callers: nobody is lost, and memory stays bounded.

use std::collections::BTreeSet;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;

use crate::lane::caller::read_message;
use crate::lane::{HOOKTAPE, Home, Listener};
use crate::process;
use crate::recorded::calls_in;

fn request(number: usize) -> Vec<u8> {
    let body = format!("{{\"number\":{number}}}");
    format!("POST /load HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn connect(listener: &Listener) -> TcpStream {
    let stream = TcpStream::connect(&listener.address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn status(stream: &TcpStream) -> String {
    let (head, _) = read_message(&mut BufReader::new(stream.try_clone().unwrap())).unwrap();
    head[9..12].to_owned()
}

/// What was recorded, each body once.
fn bodies(home: &Home) -> BTreeSet<Vec<u8>> {
    let calls = calls_in(home.path("tape.jsonl"));
    let bodies: Vec<Vec<u8>> = calls.iter().map(|call| call.request.body.to_vec()).collect();
    let once: BTreeSet<_> = bodies.iter().cloned().collect();
    assert_eq!(once.len(), bodies.len());
    once
}

fn whole(number: usize) -> Vec<u8> {
    request(number).split(|byte| *byte == b'\n').next_back().unwrap().to_vec()
}

/// The most memory that a process ever had, in MiB.
fn peak(listener: &Listener) -> u64 {
    process::status(listener.child.id(), "VmHWM:").unwrap() / 1024
}

#[test]
fn nine_hundred_connections_at_a_time_are_all_answered_and_recorded() {
    const CALLERS: usize = 900;
    let home = Home::new();
    let listener = home.listen(&[]);
    let mut callers: Vec<TcpStream> = (0..CALLERS).map(|_| connect(&listener)).collect();
    // All of them are under way before any is whole.
    for half in 0..2 {
        for (number, caller) in callers.iter_mut().enumerate() {
            let request = request(number);
            let (first, second) = request.split_at(request.len() - 5);
            caller.write_all([first, second][half]).unwrap();
        }
    }
    assert!(callers.iter().all(|caller| status(caller) == "200"));
    let peak = peak(&listener);
    assert!(peak < 200, "{peak} MiB");
    drop(listener);
    assert_eq!(bodies(&home), (0..CALLERS).map(whole).collect());
}

#[test]
fn who_sends_byte_by_byte_holds_nobody_up() {
    const CALLERS: usize = 50;
    let home = Home::new();
    let listener = home.listen(&[]);
    let mut slow: Vec<TcpStream> = (0..CALLERS).map(|_| connect(&listener)).collect();
    let mut quick = listener.call();
    for byte in 0..request(100).len() {
        for (number, caller) in slow.iter_mut().enumerate() {
            caller.write_all(&request(100 + number)[byte..=byte]).unwrap();
        }
        assert_eq!(quick.post("/quick", "", format!("{byte}").as_bytes()).unwrap().0, 200);
    }
    assert!(slow.iter().all(|caller| status(caller) == "200"));
    drop(listener);
    let recorded = bodies(&home);
    assert!((100..100 + CALLERS).all(|number| recorded.contains(&whole(number))));
}

#[test]
fn callers_beyond_the_file_descriptors_wait_for_their_turn() {
    const CALLERS: usize = 80;
    let home = Home::new();
    let script = "ulimit -n 48; exec \"$0\" listen --listen 127.0.0.1:0 --record tape.jsonl";
    let mut listener = Listener::start(home.command("sh", &["-c", script, HOOKTAPE]));
    let mut callers: Vec<TcpStream> = (0..CALLERS).map(|_| connect(&listener)).collect();
    for (number, caller) in callers.iter_mut().enumerate() {
        caller.write_all(&request(number)).unwrap();
    }
    // Whoever has its answer makes room for another.
    for caller in callers {
        assert_eq!(status(&caller), "200");
    }
    assert_eq!(listener.end("TERM").code, Some(0));
    assert_eq!(bodies(&home), (0..CALLERS).map(whole).collect());
}

#[test]
fn callers_leave_file_descriptors_to_be_forwarded_by() {
    const CALLERS: usize = 120;
    let home = Home::new();
    let backend = home.listen(&[]);
    let target = format!("[[target]]\nname = \"backend\"\nurl = \"http://{}/\"\n", backend.address);
    let route = "[[route]]\npath = \"/*\"\nrespond = { forward = \"backend\" }\n";
    std::fs::write(home.path("hooktape.toml"), target + route).unwrap();
    // Few at first, and few at all.
    for limit in ["-S -n 64", "-n 96"] {
        let script = format!(
            "ulimit {limit}; exec \"$0\" listen --config hooktape.toml --listen 127.0.0.1:0 --record {}.jsonl",
            limit.len()
        );
        let listener = Listener::start(home.command("sh", &["-c", &script, HOOKTAPE]));
        let mut callers: Vec<TcpStream> = (0..CALLERS).map(|_| connect(&listener)).collect();
        for (number, caller) in callers.iter_mut().enumerate() {
            caller.write_all(&request(number)).unwrap();
        }
        for caller in callers {
            assert_eq!(status(&caller), "200", "ulimit {limit}");
        }
    }
}
