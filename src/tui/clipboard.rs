//! The clipboard: of the terminal (OSC 52, which works over ssh), then of the system, by its own programs; else a file.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::app::action::Action;
use crate::app::event::Notice;
use crate::visible;

/// The longest text that terminals take by OSC 52, in bytes: xterm stops reading at 100 000 characters of base64.
const LONGEST: usize = 74_000;
/// How long a program may take for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Programs that take a text for the system's clipboard on their input, with what they need: a display.
const PROGRAMS: [(&str, &[&str], &str); 5] = [
    ("pbcopy", &[], ""),
    ("wl-copy", &[], "WAYLAND_DISPLAY"),
    ("xclip", &["-selection", "clipboard"], "DISPLAY"),
    ("xsel", &["--clipboard", "--input"], "DISPLAY"),
    ("clip.exe", &[], "WSL_DISTRO_NAME"),
];

/// Copies a text; says what was used. `terminal` hands it to the terminal.
pub fn copy(text: &str, terminal: impl FnOnce(&str) -> std::io::Result<()>) -> Notice {
    let size = visible::count(text.len(), "byte");
    let handed = text.len() <= LONGEST && terminal(text).is_ok();
    let system = programs(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let taken = system.into_iter().find(|(program, args)| pipe(program, args, text));
    match (handed, taken) {
        (true, Some((program, _))) => Notice::info(format!("copied {size}: to the terminal (OSC 52) and by {program}")),
        (false, Some((program, _))) => Notice::info(format!("copied {size} by {program}")),
        (true, None) => Notice::info(format!("handed {size} to the terminal's clipboard (OSC 52)"))
            .key(Action::Mouse, "frees the mouse for selecting"),
        (false, None) => match keep(text) {
            Ok(path) if text.len() > LONGEST => {
                Notice::warning(format!("{size} are too much for the terminal's clipboard: they are in {path}"))
            }
            Ok(path) => Notice::warning(format!("no clipboard takes them: {size} are in {path}")),
            Err(error) => Notice::error(format!("not copied: no clipboard takes it, and no file: {error}")),
        },
    }
}

/// The programs worth trying where those variables are set. Over ssh the system's clipboard is the wrong one.
fn programs(is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static [&'static str])> {
    if is_set("SSH_CONNECTION") {
        return Vec::new();
    }
    let usable = PROGRAMS.iter().filter(|(program, _, needs)| match *needs {
        "" => *program == "pbcopy" && cfg!(target_os = "macos"),
        needs => is_set(needs),
    });
    usable.map(|(program, args, _)| (*program, *args)).collect()
}

/// Whether the program took the text. One that does not end is ended: the screen stands meanwhile.
fn pipe(program: &str, args: &[&str], text: &str) -> bool {
    let quiet = || Stdio::null();
    let child = Command::new(program).args(args).stdin(Stdio::piped()).stdout(quiet()).stderr(quiet()).spawn();
    let Ok(mut child) = child else { return false };
    let (stdin, text, until) = (child.stdin.take(), text.to_owned(), Instant::now() + PATIENCE);
    let (tell, written) = mpsc::channel();
    // It may never read all of it.
    thread::spawn(move || tell.send(stdin.is_some_and(|mut stdin| stdin.write_all(text.as_bytes()).is_ok())));
    let ended = loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => thread::sleep(PATIENCE / 200),
            Ok(Some(status)) => break status.success(),
            _ => {
                let _ = child.kill().and_then(|()| child.wait());
                break false;
            }
        }
    };
    ended && written.recv_timeout(PATIENCE).unwrap_or(false)
}

/// Writes the text to a file that only its owner may read.
fn keep(text: &str) -> std::io::Result<String> {
    let mut file = tempfile::Builder::new().prefix("hooktape-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_ssh_only_the_terminal_is_asked() {
        assert!(programs(|_| true).is_empty());
        let names = |set: &'static str| programs(move |name| name == set).into_iter().map(|(name, _)| name).collect();
        let names: Vec<&str> = names("DISPLAY");
        assert!(names.contains(&"xclip") && names.contains(&"xsel") && !names.contains(&"wl-copy"));
    }

    #[test]
    fn a_text_that_nothing_takes_is_in_a_file_of_its_owner() {
        let path = keep("secret").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        }
        std::fs::remove_file(path).unwrap();
        assert!(pipe("cat", &[], "x") && !pipe("false", &[], "") && !pipe("/no/such/program", &[], ""));
    }

    #[test]
    fn a_program_that_does_not_read_or_end_holds_up_nobody() {
        let begun = Instant::now();
        let long = "x".repeat(1_000_000);
        assert!(pipe("cat", &[], &long) && !pipe("true", &[], &long));
        assert!(!pipe("sleep", &["60"], &long) && !pipe("sleep", &["60"], "x"));
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
