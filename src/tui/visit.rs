//! Another recording, opened in the same terminal by another process of this program: when that ends, this one goes on as it was,
//! and its listener has not stopped meanwhile.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::app::event::Notice;
use crate::tui::filter::ourselves;

/// How this program is started again.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// What its command line has before the command: the configuration, secrets by reference.
    pub arguments: Vec<OsString>,
    /// It is such a process itself.
    pub within: bool,
}

impl Visits {
    /// Shows the recording at `path` until its user leaves it; with `follow` also what another process goes on to record
    /// there. What went wrong, if anything did.
    pub(super) fn visit(&self, path: &Path, follow: bool) -> Option<Notice> {
        visit_with(&ourselves(), &self.arguments, path, follow)
    }

    /// That the shell can be reached from the first of these processes only: it waits for the others, and a shell that saw only
    /// one of them stop would have no terminal.
    pub(super) fn no_shell(&self) -> Option<Notice> {
        let text = "another hooktape waits for this one: leave it first, then go to the background";
        self.within.then(|| Notice::warning(text))
    }
}

fn visit_with(program: &Path, arguments: &[OsString], path: &Path, follow: bool) -> Option<Notice> {
    let mut command = Command::new(program);
    command.args(arguments).args(["open", "--within"]);
    if follow {
        command.arg("--follow");
    }
    // On the terminal it would stand for no time that anyone could read it.
    command.arg("--").arg(path).stderr(Stdio::piped());
    let why = match command.spawn().and_then(std::process::Child::wait_with_output) {
        Ok(ended) if ended.status.success() => return None,
        Ok(ended) => {
            let said = String::from_utf8_lossy(&ended.stderr);
            let said =
                said.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim_start_matches("hooktape: "));
            said.map_or_else(|| format!("it ended with {}", ended.status), str::to_owned)
        }
        Err(error) => error.to_string(),
    };
    Some(Notice::error(format!("cannot show {}: {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_started_as_this_one_was_and_says_why_it_failed() {
        let given = ["-c", "echo >&2; echo hooktape: $0 $* >&2; exit 2", "--config=x"].map(OsString::from);
        let told = visit_with(Path::new("sh"), &given, Path::new("-a.jsonl"), true).unwrap();
        assert_eq!(told.text, "cannot show -a.jsonl: --config=x open --within --follow -- -a.jsonl");
        assert_eq!(visit_with(Path::new("true"), &[], Path::new("a"), false), None);
        let told = visit_with(Path::new("false"), &[], Path::new("a"), false).unwrap();
        assert!(told.text.starts_with("cannot show a: it ended with exit status"), "{}", told.text);
        assert!(visit_with(Path::new("/no/such"), &[], Path::new("a"), false).is_some());
    }
}
