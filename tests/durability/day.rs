//! A day's traffic as fast as it goes, without a screen and with one: nothing is lost, and memory does not grow with it.
//!
//! `HOOKTAPE_DAY_GB=24 cargo test --release --test durability day -- --nocapture --test-threads 1` sends a day of 1 GB an hour
//! instead of some MB, and prints how it went. The disk needs room for 2 GB: what was set aside is looked at and removed.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use hooktape::recording::{Position, Reader};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::lane::{Caller, HOOKTAPE, Home};
use crate::process::status;

/// Connections that call at a time, each one call after the other.
const SENDERS: u64 = 16;

/// How much is sent, and when a recording is set aside: in bytes.
fn amount() -> (u64, u64) {
    let gigabytes = std::env::var("HOOKTAPE_DAY_GB").ok().map(|gigabytes| gigabytes.parse::<u64>().unwrap());
    gigabytes.map_or((200_000_000, 16_000_000), |gigabytes| (gigabytes * 1_000_000_000, 256_000_000))
}

/// Bodies of 2 KB, every tenth of 20 KB, every hundredth of 200 KB.
fn body(sender: u64, number: u64) -> String {
    let size = match number {
        _ if number % 100 == 99 => 200_000,
        _ if number % 10 == 9 => 20_000,
        _ => 2_000,
    };
    format!("{{\"sender\":{sender},\"number\":{number},\"text\":\"{}\"}}", "lorem ipsum ".repeat(size / 12))
}

/// How a day goes on.
#[derive(Default)]
struct Progress {
    bytes: AtomicU64,
    calls: AtomicU64,
    /// The longest that an answer took since this was asked last, in microseconds.
    slowest: AtomicU64,
    over: AtomicBool,
}

/// What goes on until it is over: also when the test has failed meanwhile, which else would wait for it for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Calls until all is sent; how often.
fn send(address: &str, sender: u64, progress: &Progress) -> u64 {
    let mut caller = Caller::to(address);
    for number in 0.. {
        if progress.bytes.load(Ordering::Relaxed) >= amount().0 {
            return number;
        }
        let (body, begun) = (body(sender, number), Instant::now());
        assert_eq!(caller.post("/hooks/moveo", "", body.as_bytes()).unwrap().0, 200);
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
        progress.slowest.fetch_max(took, Ordering::Relaxed);
        progress.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        progress.calls.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("there are numbers enough")
}

/// Which calls were recorded, by sender, each once.
#[derive(Default)]
struct Recorded(HashMap<u64, Vec<bool>>);

impl Recorded {
    fn look(&mut self, path: &Path) {
        let reader = Reader::open(path).unwrap();
        for entry in reader.entries(Position::default()) {
            let call = reader.call(entry.unwrap().place).unwrap();
            let text = std::str::from_utf8(&call.request.body).unwrap();
            let said = |name: &str| {
                let rest = text.split_once(name).unwrap().1;
                rest.split([':', ',']).nth(1).unwrap().parse::<u64>().unwrap()
            };
            let (sender, number) = (said("\"sender\""), said("\"number\""));
            assert!(text == body(sender, number), "{sender}'s call {number}");
            let (seen, number) = (self.0.entry(sender).or_default(), usize::try_from(number).unwrap());
            seen.resize(seen.len().max(number + 1), false);
            assert!(!std::mem::replace(&mut seen[number], true), "{sender}'s call {number} is there twice");
        }
    }

    fn calls(&self) -> u64 {
        self.0.values().flatten().map(|seen| u64::from(*seen)).sum()
    }
}

/// The files that were set aside.
fn aside(home: &Home) -> Vec<PathBuf> {
    let files = std::fs::read_dir(home.path(".")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("tape-")).collect()
}

/// Sends the day, looks at what is set aside and removes it, and prints how it goes; what was recorded is complete once
/// `end` has ended the process. How often was called, and what it weighed in MB: at most in the
/// first tenth, and at most from then on.
fn day(home: &Home, address: &str, process: u32, end: impl FnOnce()) -> (usize, u64, u64) {
    let progress = Progress::default();
    let (total, begun) = (amount().0, Instant::now());
    let before = status(process, "VmRSS:").unwrap() / 1000;
    println!("  sent MB   calls/s   MB in memory (at most)   slowest answer");
    let (mut settled, mut most) = (0, 0);
    let (sent, mut recorded): (u64, Recorded) = thread::scope(|scope| {
        let (progress, ends) = (&progress, Ends(&progress.over));
        let senders: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || send(address, sender, progress))).collect();
        let looking = scope.spawn(move || {
            let mut recorded = Recorded::default();
            while !progress.over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
                for path in aside(home) {
                    recorded.look(&path);
                    std::fs::remove_file(path).unwrap();
                }
            }
            recorded
        });
        let mut calls = 0;
        for tenth in 1..=10 {
            let since = Instant::now();
            while progress.bytes.load(Ordering::Relaxed) < total / 10 * tenth {
                thread::sleep(Duration::from_millis(5));
                most = most.max(status(process, "VmRSS:").unwrap() / 1000);
            }
            if tenth == 1 {
                (settled, most) = (most, 0);
            }
            let now = progress.calls.load(Ordering::Relaxed);
            println!(
                "  {:7}   {:7}   {:4} ({:4})              {} ms",
                progress.bytes.load(Ordering::Relaxed) / 1_000_000,
                u128::from(now - calls) * 1000 / since.elapsed().as_millis().max(1),
                status(process, "VmRSS:").unwrap() / 1000,
                status(process, "VmHWM:").unwrap() / 1000,
                progress.slowest.swap(0, Ordering::Relaxed) / 1000,
            );
            calls = now;
        }
        let sent = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        end();
        drop(ends);
        (sent, looking.join().unwrap())
    });
    for path in aside(home).iter().chain(&[home.path("tape.jsonl")]) {
        recorded.look(path);
    }
    println!(
        "  {sent} calls in {:.0} s, {} of them recorded; {before} MB before",
        begun.elapsed().as_secs_f64(),
        recorded.calls()
    );
    assert_eq!(recorded.calls(), sent);
    (usize::try_from(sent).unwrap(), settled, most)
}

/// Ends the process with SIGTERM.
fn terminate(process: u32) {
    assert!(Command::new("kill").args(["-s", "TERM", &process.to_string()]).status().unwrap().success());
}

/// The arguments that a day is recorded with.
fn arguments() -> Vec<String> {
    let rotate = format!("{} B", amount().1);
    ["--listen", "127.0.0.1:0", "--record", "tape.jsonl", "--rotate", &rotate].map(str::to_owned).to_vec()
}

#[test]
fn a_day_loses_no_call_and_memory_stays_as_it_is() {
    let home = Home::new();
    let arguments = arguments();
    let arguments: Vec<&str> = ["listen"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let mut child = home.command(HOOKTAPE, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = out.next().unwrap().unwrap();
    let address = first.split_once("http://").unwrap().1;
    let printed = thread::spawn(move || out.map(Result::unwrap).count());
    let (sent, settled, most) = day(&home, address, child.id(), || {
        terminate(child.id());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
    assert_eq!(printed.join().unwrap(), sent, "each call has its line");
    assert!(most <= settled + 30, "{settled} MB in the first tenth, {most} later");
}

/// A terminal in which keys are pressed for as long as a day goes on.
struct Screen {
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    parser: vt100::Parser,
}

impl Screen {
    /// Takes in what is drawn until the screen fits; how long that took.
    fn until(&mut self, fits: impl Fn(&str) -> bool) -> Duration {
        let begun = Instant::now();
        while !fits(&self.parser.screen().contents()) {
            self.parser.process(&self.output.recv_timeout(Duration::from_secs(30)).unwrap());
        }
        begun.elapsed()
    }

    /// Opens help and leaves it again, until told that it is over; how long each of these took.
    fn press_until(mut self, over: &AtomicBool) -> Vec<Duration> {
        let mut took = Vec::new();
        while !over.load(Ordering::SeqCst) {
            for (key, there) in [("?", true), ("\x1b", false)] {
                self.keys.write_all(key.as_bytes()).unwrap();
                took.push(self.until(|screen| screen.contains("╭ Help ") == there));
                while let Ok(chunk) = self.output.recv_timeout(Duration::from_millis(20)) {
                    self.parser.process(&chunk);
                    if took.len() % 2 == 0 || over.load(Ordering::SeqCst) {
                        break;
                    }
                }
            }
        }
        // It goes on drawing until it ends.
        thread::spawn(move || self.output.iter().count());
        took
    }
}

#[test]
fn a_day_on_the_screen_loses_no_call_and_keys_are_answered() {
    let home = Home::new();
    let mut command = CommandBuilder::new(HOOKTAPE);
    command.args(arguments());
    command.cwd(home.path("."));
    command.env_clear();
    command.env("TERM", "xterm-256color");
    for (name, folder) in [("HOOKTAPE_DATA", "data"), ("HOME", "."), ("XDG_CONFIG_HOME", ".")] {
        command.env(name, home.path(folder));
    }
    let pair = native_pty_system().openpty(PtySize { rows: 50, cols: 160, ..PtySize::default() }).unwrap();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (chunks, output) = channel();
    thread::spawn(move || {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut chunk) {
            if chunks.send(chunk[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let parser = vt100::Parser::new(50.try_into().unwrap(), 160.try_into().unwrap(), 0);
    let mut screen = Screen { output, keys: pair.master.take_writer().unwrap(), parser };
    screen.until(|screen| screen.contains("http://127.0.0.1:"));
    let shown = screen.parser.screen().contents();
    let port = shown.split_once("http://127.0.0.1:").unwrap().1.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let process = child.process_id().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let pressing = thread::spawn({
        let over = over.clone();
        move || screen.press_until(&over)
    });
    let (ends, mut took) = (Ends(&over), Vec::new());
    let (_, settled, most) = day(&home, &format!("127.0.0.1:{port}"), process, || {
        drop(ends);
        took = pressing.join().unwrap();
        terminate(process);
        assert_eq!(child.wait().unwrap().exit_code(), 0);
    });
    took.sort_unstable();
    let percentile = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!(
        "  {} keys: {:?} to the frame at the median, {:?} at the 99th percentile",
        took.len(),
        percentile(50),
        percentile(99)
    );
    assert!(!took.is_empty());
    // It keeps 64 MB of calls for the next look at them, which takes a while to fill.
    assert!(most <= settled + 100, "{settled} MB in the first tenth, {most} later");
}
