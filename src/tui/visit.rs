//! Another recording, opened in the same terminal by another process of this program: when that ends, this one goes on as it was,
//! and its listener has not stopped meanwhile.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::event::Notice;
use crate::tui::filter::ourselves;

/// More than what it says when it fails: that is a line.
const SAID: usize = 4096;

/// How this program is started again.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// What its command line has before the command: the configuration, secrets by reference.
    pub arguments: Vec<OsString>,
    /// What it records is masked, whatever the configuration says.
    pub redact: bool,
    /// It is such a process itself.
    pub within: bool,
}

impl Visits {
    /// Shows the recording at `path` until its user leaves it; with `follow` also what another process goes on to record
    /// there. What is sent from it goes to the target `to`, unless another is chosen. What went wrong, if anything did.
    pub(super) async fn visit(&self, path: &Path, follow: bool, to: Option<&str>) -> Option<Notice> {
        self.visit_with(&ourselves(), path, follow, to).await
    }

    async fn visit_with(&self, program: &Path, path: &Path, follow: bool, to: Option<&str>) -> Option<Notice> {
        let mut command = Command::new(program);
        command.args(&self.arguments).args(["open", "--within"]);
        command.args(follow.then_some("--follow")).args(self.redact.then_some("--redact"));
        command.args(to.map(|to| format!("--to={to}"))).arg("--").arg(path);
        let why = match run(command).await {
            Ok((status, _)) if status.success() => return None,
            Ok((status, said)) => {
                let line = said.lines().find(|line| !line.trim().is_empty());
                line.map_or_else(
                    || format!("it ended with {status}"),
                    |line| line.trim_start_matches("hooktape: ").to_owned(),
                )
            }
            Err(error) => error.to_string(),
        };
        Some(Notice::error(format!("cannot show {}: {why}", path.display())))
    }

    /// That the shell can be reached from the first of these processes only: it waits for the others, and a shell that saw only
    /// one of them stop would have no terminal.
    pub(super) fn no_shell(&self) -> Option<Notice> {
        let text = "another hooktape waits for this one: leave it first, then go to the background";
        self.within.then(|| Notice::warning(text))
    }
}

/// Runs it to its end: how it ended, and the beginning of what it said. Whoever asks us to end asks it too, as it has the terminal.
async fn run(mut command: Command) -> io::Result<(ExitStatus, String)> {
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    // On the terminal it would stand for no time that anyone could read it. Not a pipe: an editor that outlives it would hold
    // that open.
    let said = tempfile::tempfile()?;
    let mut child = command.stderr(said.try_clone()?).spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok((status?, beginning(&said)?)),
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if let Some(id) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process(id, Signal::TERM);
        }
    }
}

fn beginning(file: &File) -> io::Result<String> {
    let mut said = [0; SAID];
    let length = file.read_at(&mut said, 0)?;
    Ok(String::from_utf8_lossy(&said[..length]).into_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn given(script: &str, more: &[&str]) -> Visits {
        let arguments = ["-c", script].iter().chain(more).map(OsString::from).collect();
        Visits { arguments, redact: true, within: false }
    }

    #[tokio::test]
    async fn it_is_started_as_this_one_was_and_says_why_it_failed() {
        let visits = given("echo >&2; echo hooktape: $0 $* >&2; exit 2", &["--config=x"]);
        let told = visits.visit_with(Path::new("sh"), Path::new("-a.jsonl"), true, Some("x")).await.unwrap();
        assert_eq!(told.text, "cannot show -a.jsonl: --config=x open --within --follow --redact --to=x -- -a.jsonl");
        let plain = Visits::default();
        assert_eq!(plain.visit_with(Path::new("true"), Path::new("a"), false, None).await, None);
        let told = plain.visit_with(Path::new("false"), Path::new("a"), false, None).await.unwrap();
        assert!(told.text.starts_with("cannot show a: it ended with exit status"), "{}", told.text);
        assert!(plain.visit_with(Path::new("/no/such"), Path::new("a"), false, None).await.is_some());
    }

    #[tokio::test]
    async fn what_it_leaves_behind_is_not_waited_for_and_what_it_says_has_an_end() {
        // Like an editor that goes to the background: it has the same standard error.
        let folder = tempfile::tempdir().unwrap();
        let ended = folder.path().join("ended");
        std::process::Command::new("mkfifo").arg(&ended).status().unwrap();
        let script = format!("(cat {}) & head -c 9000000 /dev/zero | tr '\\0' x >&2; exit 2", ended.display());
        let visits = given(&script, &[]);
        let visit = visits.visit_with(Path::new("sh"), Path::new("a"), false, None);
        let told = timeout(Duration::from_secs(20), visit).await.unwrap().unwrap();
        assert_eq!(told.text, format!("cannot show a: {}", "x".repeat(SAID)));
        std::fs::write(&ended, "").unwrap();
    }
}
