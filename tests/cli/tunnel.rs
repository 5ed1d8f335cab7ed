//! A tunnel program of one's own: a shell script that prints the address of a pipe to the listener.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use crate::lane::{Caller, Home, Listener};
use crate::support::{SAMPLE, run};

const BODY: &str = r#"{"session_id":"s","input":{"text":"hi"},"business_closed":false,"context":{}}"#;

/// The far end of a tunnel: whoever connects there is connected to `to`.
pub fn pipe(far: TcpListener, to: String) {
    thread::spawn(move || {
        for from in far.incoming() {
            let (from, to) = (from.unwrap(), TcpStream::connect(&to));
            // A listener that is gone ends the connection.
            let Ok(to) = to else { continue };
            let pair = [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)];
            for (mut one, mut other) in pair {
                thread::spawn(move || {
                    let _ = io::copy(&mut one, &mut other);
                    let _ = other.shutdown(Shutdown::Write);
                });
            }
        }
    });
}

/// The next line that it prints.
fn line(listener: &mut Listener) -> String {
    let mut line = String::new();
    listener.out.read_line(&mut line).unwrap();
    line
}

#[test]
fn the_address_that_leads_back_is_the_public_one_and_calls_by_it_bear_it() {
    let home = Home::new();
    let (far, wrong) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (url, other) = (far.local_addr().unwrap(), wrong.local_addr().unwrap());
    drop(wrong);
    let command =
        format!("echo 'see http://{other}/docs, then {{url}} {{port}}' >&2; echo '| http://{url} |'; sleep 999");
    let mut listener = home.listen(&["--tunnel", &command]);
    pipe(far, listener.address.clone());
    assert_eq!(line(&mut listener), format!("public http://{url}\n"));
    let mut caller = Caller::to(&url.to_string());
    assert_eq!(caller.post("/hooks", "x-forwarded-for: 192.0.2.1\r\n", BODY.as_bytes()).unwrap().0, 200);
    assert_eq!(listener.call().post("/hooks", "", BODY.as_bytes()).unwrap().0, 200);
    let ended = listener.end("TERM");
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 2), "{}", ended.out);
    let calls = std::fs::read_to_string(home.path("tape.jsonl")).unwrap();
    let public: Vec<_> = calls.lines().filter(|line| line.contains(&format!("\"public\":\"http://{url}\""))).collect();
    // The way here was checked by a call that is on no tape.
    assert!(public.len() == 1 && calls.lines().count() == 3 && !calls.contains(".hooktape"), "{calls}");
}

#[test]
fn another_process_leaves_the_tunnels_address_alone() {
    let home = Home::new();
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = far.local_addr().unwrap();
    let mut listener = home.listen(&["--tunnel", &format!("echo http://{url}; sleep 999")]);
    pipe(far, listener.address.clone());
    assert_eq!(line(&mut listener), format!("public http://{url}\n"));
    let to = format!("http://{url}");
    let args = ["replay", SAMPLE, "--query", "kind:dialog", "--to", &to, "--record", "sent.jsonl", "--sign", "exact"];
    let refused = run(&home, &args);
    let said = format!("is hooktape's own listener ({}): --to-listener", listener.address);
    assert!(refused.code != 0 && refused.err.contains(&said), "{} {}", refused.out, refused.err);
    let sent = run(&home, &[&args[..], &["--to-listener"]].concat());
    assert!(!sent.err.contains(&said), "{}", sent.err);
    assert_eq!(listener.end("TERM").out.lines().count(), 1);
}

#[test]
fn a_program_that_ends_is_started_again_and_its_last_words_are_told() {
    let home = Home::new();
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = far.local_addr().unwrap();
    let command = format!(
        "[ -e tried ] || {{ touch tried; printf 'bad \\033[31mtoken\\n' >&2; exit 7; }}; echo http://{url}; sleep 999"
    );
    let mut listener = home.listen(&["--tunnel", &command, "--format", "json"]);
    pipe(far, listener.address.clone());
    assert_eq!(line(&mut listener), format!("{{\"schema\":1,\"event\":\"public\",\"url\":\"http://{url}\"}}\n"));
    let ended = listener.end("TERM");
    let expected = "hooktape: the tunnel program ended (exit status: 7), its last words: bad ␛[31mtoken; it starts again in 500ms\n";
    assert!(ended.err.contains(expected), "{}", ended.err);
}

#[test]
fn nothing_of_the_program_outlives_the_listener_however_that_ends() {
    for signal in ["TERM", "KILL"] {
        let home = Home::new();
        let fifo = home.path("alive");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut listener = home.listen(&["--tunnel", "(exec 9>alive; echo up >&9; sleep 999) & sleep 999"]);
        let (tell, told) = mpsc::channel();
        let reading = thread::spawn(move || {
            let mut alive = BufReader::new(File::open(fifo).unwrap());
            alive.read_line(&mut String::new()).unwrap();
            tell.send(()).unwrap();
            // Its end comes when nobody holds the other one any more.
            alive.read_to_end(&mut Vec::new()).unwrap()
        });
        told.recv().unwrap();
        listener.end(signal);
        assert_eq!(reading.join().unwrap(), 0, "{signal}");
    }
}
