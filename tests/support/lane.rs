//! The program as its users run it: in a home of its own, with a listener to call.

pub mod caller;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use tempfile::TempDir;

pub use self::caller::Caller;

/// What `env:MOVEO_TOKEN` holds. It must never be seen again.
pub const TOKEN: &str = "a-token-nobody-may-see";

/// A directory that is the program's home, its working directory and its data directory.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program, or another one, here and with nothing of the tester's own environment.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.0.path())
            .env("HOOKTAPE_DATA", self.path("data"))
            .env("MOVEO_TOKEN", TOKEN)
            .env("PUBLISHED", "123456789");
        command
    }

    /// `hooktape listen` on a free port, recording to `tape.jsonl`.
    pub fn listen(&self, args: &[&str]) -> Listener {
        let usual = ["listen", "--listen", "127.0.0.1:0", "--record", "tape.jsonl"];
        Listener::start(self.command(HOOKTAPE, &[&usual, args].concat()))
    }
}

pub const HOOKTAPE: &str = env!("CARGO_BIN_EXE_hooktape");

/// A listener at work. Killed when a test drops it.
pub struct Listener {
    /// The program.
    pub child: Child,
    /// What it prints.
    pub out: BufReader<ChildStdout>,
    err: ChildStderr,
    /// The line that says where it listens.
    pub first: String,
    /// `127.0.0.1:PORT`
    pub address: String,
}

/// How a listener ended.
pub struct Ended {
    pub code: Option<i32>,
    /// Whatever it had printed that was not read before.
    pub out: String,
    pub err: String,
}

impl Listener {
    /// Waits until it says where it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut err = child.stderr.take().unwrap();
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let Some((_, url)) = first.split_once("http://") else {
            let mut why = String::new();
            err.read_to_string(&mut why).unwrap();
            panic!("no listener: {first}{why}");
        };
        let address = url.split(['"', '\n']).next().unwrap().to_owned();
        Self { child, out, err, first, address }
    }

    pub fn call(&self) -> Caller {
        Caller::to(&self.address)
    }

    /// Ends it with a signal, `TERM` or `KILL`.
    pub fn end(&mut self, signal: &str) -> Ended {
        self.end_process(signal, &self.child.id().to_string())
    }

    /// The same, by a signal to another process: the one that it started itself.
    pub fn end_process(&mut self, signal: &str, id: &str) -> Ended {
        assert!(Command::new("kill").args(["-s", signal, id]).status().unwrap().success());
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.err.read_to_string(&mut err).unwrap();
        assert!(!format!("{}{out}{err}", self.first).contains(TOKEN), "the token was printed");
        Ended { code: self.child.wait().unwrap().code(), out, err }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Most have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
