//! What the screen costs: the program in a pseudo-terminal of 200x50, and the time until what was asked for is painted.

use std::io::{Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use crate::measure::{self, Sample};
use crate::process::status;

/// The terminal's columns and rows.
const SIZE: (u16, u16) = (200, 50);

/// Keys that are timed in a round.
const KEYS: usize = 100;

/// Nothing more is painted if nothing was for so long.
const QUIET: Duration = Duration::from_millis(40);

/// Prints the figures for a small recording, for the large one at `path`, and for a listener under load.
pub fn run(folder: &Path, path: &Path, rounds: usize) {
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/moveo.jsonl");
    let [mut start, mut start_large, mut key, mut busy_key] = [(); 4].map(|()| Sample::default());
    let [mut start_bare, mut key_bare] = [(); 2].map(|()| Sample::default());
    let [mut half, mut half_bare] = [(); 2].map(|()| Sample::default());
    let [mut empty, mut large, mut wakes] = [(); 3].map(|()| Sample::default());
    measure::take_turns(rounds, 4, |turn| match turn {
        0 => start.push(Probe::open(&small, folder).shows("calls").as_secs_f64() * 1e3),
        1 => {
            let mut probe = Probe::open(path, folder);
            start_large.push(probe.shows("calls").as_secs_f64() * 1e3);
            // All of them are read, and the terminal is at rest.
            probe.rest(Duration::from_millis(500));
            large.push(probe.resident());
            let before = probe.wakes();
            probe.rest(Duration::from_secs(1));
            wakes.push(probe.wakes() - before);
            let times = probe.walk();
            half.push(of(&times, 50));
            key.push(of(&times, 99));
        }
        2 => {
            let mut probe = Probe::bare();
            start_bare.push(probe.shows("call 0").as_secs_f64() * 1e3);
            probe.rest(Duration::from_millis(500));
            let times = probe.walk();
            half_bare.push(of(&times, 50));
            key_bare.push(of(&times, 99));
        }
        _ => {
            let mut probe = Probe::listen(folder);
            probe.shows("Waiting");
            empty.push(probe.resident());
            let address = probe.address.clone();
            let mut load = Command::new(std::env::current_exe().unwrap())
                .args(["--load", &address, "2000", "4000"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            probe.shows("moveo");
            let press = |probe: &mut Probe, number| {
                // Help comes, and goes: what else is painted meanwhile is not what was asked for.
                let (keys, there) = if number % 2 == 0 { ("?", true) } else { ("\u{1b}", false) };
                probe.send(keys);
                let took = probe.until(|screen| screen.contains("╭ Help ") == there);
                std::thread::sleep(Duration::from_millis(10));
                took
            };
            busy_key.push(of(&sorted((0..KEYS).map(|number| press(&mut probe, number))), 99));
            load.wait().unwrap();
        }
    });
    println!("\nScreen: {}x{}, {rounds} rounds; the 99th percentile of {KEYS} keys", SIZE.0, SIZE.1);
    println!("  {:<42}{start_bare}", "a bare list: start to first frame, ms");
    println!("  {:<42}{key_bare}", "a bare list: key to last byte, ms");
    println!("  {:<42}{half_bare}", "the same, the median");
    println!("  {:<42}{half}", "large recording, the median");
    for (what, sample, target) in [
        ("start to first frame, ms", &start, 25.0),
        ("the same with the large recording, ms", &start_large, 60.0),
        ("key to last byte, large recording, ms", &key, 5.0),
        ("key to its frame while capturing, ms", &busy_key, 16.0),
        ("resident when empty, MB", &empty, 20.0),
        ("resident with the large recording, MB", &large, 120.0),
        ("wake-ups of an idle second", &wakes, 0.0),
    ] {
        measure::judge(what, sample, target, false);
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times
}

/// A percentile of sorted times, in milliseconds.
fn of(times: &[Duration], percent: usize) -> f64 {
    times[times.len() * percent / 100 - 1].as_secs_f64() * 1e3
}

/// The program in a terminal of its own.
struct Probe {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    painted: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    /// When it was started, or the last key was pressed.
    since: Instant,
    address: String,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Drop for Probe {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Probe {
    fn open(path: &Path, folder: &Path) -> Self {
        Self::start(&["open".as_ref(), path.as_os_str()], folder, String::new())
    }

    fn listen(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let path = folder.join("screen.jsonl");
        // There is none the first time.
        let _ = std::fs::remove_file(&path);
        let args = ["--listen".as_ref(), address.as_ref(), "--record".as_ref(), path.as_os_str()];
        Self::start(&args, folder, address.clone())
    }

    fn start(args: &[&std::ffi::OsStr], folder: &Path, address: String) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hooktape"));
        command.args(args);
        Self::run(command, folder, address)
    }

    fn bare() -> Self {
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.arg("--bare");
        Self::run(command, Path::new("."), String::new())
    }

    fn run(mut command: CommandBuilder, folder: &Path, address: String) -> Self {
        command.env("TERM", "xterm-256color");
        command.env("XDG_CONFIG_HOME", folder);
        command.env("COLORFGBG", "15;0");
        let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let since = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (tell, painted) = channel();
        std::thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if tell.send((Instant::now(), chunk[..length].to_vec())).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(SIZE.1.try_into().unwrap(), SIZE.0.try_into().unwrap(), 0);
        Self { child, keys, painted, parser, since, address, _master: pair.master }
    }

    /// How long it took until the screen was so.
    fn until(&mut self, fits: impl Fn(&str) -> bool) -> Duration {
        loop {
            let (at, chunk) = self.painted.recv_timeout(Duration::from_secs(20)).unwrap();
            self.parser.process(&chunk);
            if fits(&self.parser.screen().contents()) {
                return at - self.since;
            }
        }
    }

    fn shows(&mut self, text: &str) -> Duration {
        self.until(|screen| screen.contains(text))
    }

    fn send(&mut self, keys: &str) {
        self.since = Instant::now();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// How long it takes until all that a key changes is painted.
    fn press(&mut self, key: &str) -> Duration {
        self.send(key);
        let mut last = self.since;
        while let Ok((at, _)) = self.painted.recv_timeout(QUIET) {
            last = at;
        }
        last - self.since
    }

    /// What each of a hundred keys takes, the shortest first, mostly down and now and then to the first row.
    fn walk(&mut self) -> Vec<Duration> {
        sorted((0..KEYS).map(|number| self.press(if number % 7 == 0 { "g" } else { "j" })))
    }

    /// Returns when nothing was painted for so long.
    fn rest(&self, time: Duration) {
        while self.painted.recv_timeout(time).is_ok() {}
    }

    /// What of it is in memory, in MB.
    fn resident(&self) -> f64 {
        status(self.child.process_id().unwrap(), "VmRSS:").unwrap() as f64 / 1000.0
    }

    /// How often its threads have gone to sleep so far.
    fn wakes(&self) -> f64 {
        let id = self.child.process_id().unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let switches = |task: std::fs::DirEntry| {
            let task = task.file_name().into_string().unwrap();
            status(format!("{id}/task/{task}"), "voluntary_ctxt_switches:").unwrap_or_default() as f64
        };
        tasks.flatten().map(switches).sum()
    }
}
