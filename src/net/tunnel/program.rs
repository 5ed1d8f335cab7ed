//! A program with all that it starts, in a process group of its own.
//!
//! Its group holds a guard: a shell that waits for the end of a pipe which only we hold, and then ends the group. So the
//! program ends when it is let go, and also when hooktape is killed.

use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

/// `$1` is the command. A `sleep` that is short, for what ignores a polite request.
const SCRIPT: &str = r#"exec 3<&0 </dev/null
{ trap '' TERM; cat <&3; kill -TERM 0; sleep 1; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
exec sh -c "$1""#;

/// The longest line that is read whole, in bytes.
const LONGEST: u64 = 16 * 1024;

/// How long output may still come after the program has ended.
const LATE: Duration = Duration::from_millis(500);

/// How long an end may take: longer than the guard is polite.
const END: Duration = Duration::from_secs(3);

/// A program at work. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Program {
    /// What the guard waits for the end of.
    leash: Option<ChildStdin>,
    said: Receiver<String>,
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    status: Option<io::Result<ExitStatus>>,
}

impl Program {
    /// Starts a command of the shell.
    pub(super) fn start(command: &str) -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "sh", command])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (say, said) = mpsc::channel(256);
        if let Some(out) = child.stdout.take() {
            listen(out, say.clone());
        }
        if let Some(err) = child.stderr.take() {
            listen(err, say);
        }
        let leash = child.stdin.take();
        let (tell, ended) = oneshot::channel();
        std::thread::spawn(move || drop(tell.send(child.wait())));
        Ok(Self { leash, said, ended, status: None })
    }

    /// The next line of its output, of either kind; none when it has ended and said all.
    pub(super) async fn line(&mut self) -> Option<String> {
        if self.status.is_none() {
            tokio::select! {
                biased;
                Some(line) = self.said.recv() => return Some(line),
                ended = &mut self.ended => self.status = Some(ended.unwrap_or_else(|_| Err(io::Error::other("lost")))),
            }
            // What it started and left behind goes with it.
            self.leash = None;
        }
        tokio::time::timeout(LATE, self.said.recv()).await.ok().flatten()
    }

    /// Ends it and says how it ended.
    pub(super) async fn end(mut self) -> String {
        self.leash = None;
        let status = match self.status.take() {
            Some(status) => Some(status),
            None => tokio::time::timeout(END, &mut self.ended).await.ok().and_then(Result::ok),
        };
        match status {
            Some(Ok(status)) => format!("ended ({status})"),
            Some(Err(error)) => format!("ended ({error})"),
            None => "does not end".to_owned(),
        }
    }
}

/// Reads lines until there are no more, or nobody wants them.
fn listen(from: impl Read + Send + 'static, say: Sender<String>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!((&mut from).take(LONGEST).read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            // Programs that draw begin their line anew.
            for part in text.split(['\n', '\r']).filter(|part| !part.trim().is_empty()) {
                if say.blocking_send(part.to_owned()).is_err() {
                    return;
                }
            }
            line.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_outputs_are_read_and_the_end_is_told() {
        let mut program = Program::start("echo a; echo b >&2; exit 3").unwrap();
        let mut lines = Vec::new();
        while let Some(line) = program.line().await {
            lines.push(line);
        }
        lines.sort();
        assert_eq!((lines.join(" "), program.end().await), ("a b".into(), "ended (exit status: 3)".into()));
    }

    #[tokio::test]
    async fn what_it_started_ends_with_it_also_when_it_does_not_want_to() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("alive");
        // Who holds the pipe's end open is alive: reading it ends when all are gone.
        let command = format!(
            "mkfifo {0}; (trap '' TERM; exec 9>{0}; echo up; while :; do sleep 0.1; done) & wait",
            fifo.display()
        );
        let mut program = Program::start(&command).unwrap();
        let reading = loop {
            if fifo.exists() {
                break std::thread::spawn(move || std::fs::read(fifo).unwrap());
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(program.line().await.as_deref(), Some("up"));
        assert!(program.end().await.starts_with("ended (signal: 15"));
        assert_eq!(tokio::task::spawn_blocking(|| reading.join().unwrap()).await.unwrap(), b"");
    }
}
