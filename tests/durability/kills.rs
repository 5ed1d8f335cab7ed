//! `kill -9` at any instant, under load: every call of which a byte of an answer came is in the recording, once, in its
//! sender's order, byte for byte.
//!
//! `HOOKTAPE_KILLS=300 cargo test --test durability kills` goes on for longer than the tests have time for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use hooktape::call::Call;

use crate::lane::Home;
use crate::lane::caller::read_message;
use crate::recorded::calls_in;

/// Connections that call at a time, each one call after the other.
const SENDERS: u64 = 8;

/// A sequence of numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, among: Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        among.start + (mixed ^ (mixed >> 31)) % (among.end - among.start)
    }
}

/// The body of a sender's call: JSON, text and bytes that are neither, mostly short, some over many writes' worth.
fn body(round: u64, sender: u64, number: u64) -> Vec<u8> {
    let mut dice = Dice(round << 40 | sender << 32 | number);
    let most = if dice.throw(0..30) == 0 { 900_000 } else { 3_000 };
    let size = usize::try_from(dice.throw(1..most)).unwrap();
    match dice.throw(0..3) {
        0 => format!("{{ \"n\":{number}, \"x\": \"{}\" }}", "é\\n".repeat(size / 4)).into_bytes(),
        1 => format!("{number}\r\n\"\u{2028}{}", "x\n".repeat(size / 2)).into_bytes(),
        _ => (0..=size / 8).flat_map(|_| dice.throw(0..u64::MAX).to_le_bytes()).collect(),
    }
}

/// Calls until nobody answers; how many calls were answered, by a byte at least.
fn send(stream: TcpStream, round: u64, sender: u64) -> u64 {
    let mut stream = BufReader::new(stream);
    for number in 0.. {
        let body = body(round, sender, number);
        let head =
            format!("POST / HTTP/1.1\r\nx-round: {round}\r\nx-sender: {sender}\r\ncontent-length: {}", body.len());
        let sent = stream.get_mut().write_all(&[head.as_bytes(), b"\r\n\r\n", &body].concat());
        if sent.is_err() || stream.fill_buf().map_or(true, <[u8]>::is_empty) {
            return number;
        }
        if read_message(&mut stream).is_err() {
            return number + 1;
        }
    }
    unreachable!("it is killed before that")
}

/// The parts that were set aside, in order, and the file itself.
fn parts(home: &Home) -> Vec<PathBuf> {
    let aside = (1..).map(|number| home.path(&format!("tape-{number}.jsonl"))).take_while(|part| part.exists());
    aside.chain(Some(home.path("tape.jsonl")).filter(|file| file.exists())).collect()
}

/// The calls of a round by sender, each with its bytes checked.
fn of_round(path: &Path, round: u64, by_sender: &mut [Vec<Call>]) {
    // Killed between making the file and writing its header: nothing of it was answered.
    if std::fs::metadata(path).unwrap().len() == 0 {
        return;
    }
    for call in calls_in(path) {
        let said = |name: &str| call.request.headers.get(name).unwrap().parse::<u64>().unwrap();
        if said("x-round") == round {
            let sender = usize::try_from(said("x-sender")).unwrap();
            by_sender[sender].push(call);
        }
    }
}

/// Kills a listener under load and looks at what it leaves: how many calls were answered.
fn kill(home: &Home, round: u64) -> u64 {
    let ways: [&[&str]; 3] = [&[], &["--fsync"], &["--rotate", "200 KiB"]];
    let mut listener = home.listen(ways[usize::try_from(round).unwrap() % ways.len()]);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let stream = TcpStream::connect(&listener.address).unwrap();
            thread::spawn(move || send(stream, round, sender))
        })
        .collect();
    // The instant is to be any: this waits for nothing.
    thread::sleep(Duration::from_micros(Dice(round).throw(200..120_000)));
    assert_eq!(listener.end("KILL").code, None);
    let answered: Vec<u64> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();

    // As it was left, and once more as the next listener has mended it.
    for mended in [false, true] {
        if mended {
            drop(home.listen(&[]));
        }
        let mut by_sender = vec![Vec::new(); answered.len()];
        for part in parts(home) {
            of_round(&part, round, &mut by_sender);
        }
        for (sender, (calls, answered)) in (0..).zip(by_sender.iter().zip(&answered)) {
            let recorded = calls.len() as u64;
            // The call that was under way may be there or not.
            let due = *answered..=answered + 1;
            assert!(
                due.contains(&recorded),
                "round {round}, sender {sender}: {recorded} recorded, {answered} answered"
            );
            for (number, call) in (0..).zip(calls) {
                assert!(call.request.body == body(round, sender, number), "round {round}, {sender}'s call {number}");
                assert!(!call.request.cut && call.response.is_some());
            }
        }
    }
    // Three rounds to a recording: reading it again and again would take longer than to kill.
    if round % 3 == 2 {
        for part in parts(home) {
            std::fs::remove_file(part).unwrap();
        }
    }
    answered.iter().sum()
}

#[test]
fn kills_at_any_instant_lose_nothing_that_was_answered() {
    let rounds = std::env::var("HOOKTAPE_KILLS").map_or(18, |rounds| rounds.parse().unwrap());
    let home = Home::new();
    let answered: Vec<u64> = (0..rounds).map(|round| kill(&home, round)).collect();
    let torn = std::fs::metadata(home.path("tape.jsonl.torn")).map_or(0, |torn| torn.len());
    println!("{rounds} kills, {} answered calls, {torn} torn bytes", answered.iter().sum::<u64>());
    assert!(answered.iter().filter(|answered| **answered > 0).count() > answered.len() / 2, "{answered:?}");
}
