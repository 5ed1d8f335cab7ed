//! A pseudo-terminal with a program in it, whose screen is read the way a terminal reads it.

use std::ffi::OsStr;
use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::process::status;

/// How long anything may take before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Terminal {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Box<dyn MasterPty + Send>,
    pub keys: Box<dyn Write + Send>,
    pub output: Receiver<Vec<u8>>,
    pub parser: vt100::Parser,
    pub raw: Vec<u8>,
    /// The terminal's modes before the program began.
    pub modes: String,
    pub folder: tempfile::TempDir,
}

pub fn modes(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap().local_flags)
}

/// A program that has nothing of the tester's environment: not their data, nor their taste in colours.
pub fn program(path: impl AsRef<OsStr>) -> CommandBuilder {
    let mut command = CommandBuilder::new(path);
    command.env_clear();
    command
}

impl Terminal {
    /// Starts the program in a terminal of 80x24, listening on a free port.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(env!("CARGO_BIN_EXE_hooktape"));
        command.args(["--listen", "127.0.0.1:0", "--record"]);
        command.arg(folder.path().join("pty.jsonl"));
        command.cwd(folder.path());
        Self::run(command, folder)
    }

    pub fn run(mut command: CommandBuilder, folder: tempfile::TempDir) -> Self {
        command.env("TERM", "xterm-256color");
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            command.env(name, folder.path());
        }
        command.env("HOOKTAPE_DATA", folder.path().join("data"));
        let pair =
            native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let modes = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        // A terminal whose output nobody takes stands still.
        let (chunks, output) = sync_channel(0);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if chunks.send(chunk[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        Self { child, master: pair.master, keys, output, parser, raw: Vec::new(), modes, folder }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Reads until the screen fits; says what it showed if it never does.
    pub fn wait(&mut self, what: &str, fits: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !fits(self) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    self.parser.process(&chunk);
                    self.raw.extend(chunk);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never saw {what}; the screen:\n{}", self.screen());
                }
            }
        }
    }

    pub fn sees(&mut self, text: &str) {
        self.wait(text, |terminal| terminal.screen().contains(text));
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads to the end; gives the exit code.
    pub fn end(&mut self) -> u32 {
        while let Ok(chunk) = self.output.recv_timeout(PATIENCE) {
            self.parser.process(&chunk);
            self.raw.extend(chunk);
        }
        self.child.wait().unwrap().exit_code()
    }

    pub fn wrote(&self, sequence: &str) -> bool {
        String::from_utf8_lossy(&self.raw).contains(sequence)
    }

    /// Whether everything that was taken was given back: the main screen, the cursor, plain pasting, the mouse, its modes.
    pub fn restored(&self) -> bool {
        !self.parser.screen().alternate_screen()
            && !self.parser.screen().hide_cursor()
            && self.wrote("\x1b[?2004l")
            && self.wrote("\x1b[?1002l")
            && modes(&*self.master) == self.modes
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.process_id().unwrap(), name);
    }

    /// The process that was started last by the program.
    pub fn visitor(&self) -> u32 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.process_id().unwrap())).unwrap();
        let children = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap();
        let children: String = tasks.map(|task| children(task.unwrap())).collect();
        children.split_whitespace().next_back().unwrap().parse().unwrap()
    }

    /// The port that it listens on, as the screen says.
    pub fn port(&mut self) -> u16 {
        self.sees("http://127.0.0.1:");
        let screen = self.screen();
        let (_, rest) = screen.split_once("http://127.0.0.1:").unwrap();
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    }

    /// The most memory that the process ever had, in MB.
    pub fn peak(&self) -> u64 {
        status(self.child.process_id().unwrap(), "VmHWM:").unwrap() / 1000
    }

    /// The process's state as Linux has it: `S` sleeping, `T` stopped.
    pub fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id().unwrap())).unwrap();
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap()
    }
}

pub fn signal(process: u32, name: &str) {
    assert!(std::process::Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap().success());
}
