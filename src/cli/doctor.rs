//! `hooktape doctor`: whether everything that hooktape needs is there, a line for each, with the repair.
//!
//! It works where a configuration is broken, says so, and goes on with the defaults.

mod holder;

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, IsTerminal as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use color_eyre::eyre;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{Access, access, statvfs};
use serde_json::json;

use crate::cli::context::{Context, data_dir};
use crate::cli::{Common, Format, Outcome, print, sentence};
use crate::config::{Config, Secret, exposure, parse_address};
use crate::recording::{self, Kept, Position, Reader};
use crate::visible;

/// Its arguments: those that a start takes from the environment too.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The address to try [default: the configured one]
    #[arg(long, value_name = "ADDR", env = "HOOKTAPE_LISTEN", value_parser = parse_address)]
    listen: Option<SocketAddr>,
    /// The file that would be recorded to [default: the configured one]
    #[arg(long, value_name = "PATH", env = "HOOKTAPE_RECORD")]
    record: Option<PathBuf>,
}

/// Less room than this is soon used up, in bytes.
const LITTLE: u64 = 1 << 30;

/// Less room than this is none for a call of some size, in bytes.
const NONE: u64 = 64 << 20;

/// The smallest terminal that the screens are made for: columns and rows.
const SMALLEST: (u16, u16) = (40, 12);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Warning,
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    state: State,
    says: String,
    /// What to do, unless all is well.
    repair: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Ok, says: says.into(), repair: None }
    }

    fn warning(check: &'static str, says: impl Into<String>, repair: impl Into<String>) -> Self {
        Self { check, state: State::Warning, says: says.into(), repair: Some(repair.into()) }
    }

    fn problem(check: &'static str, says: impl Into<String>, repair: impl Into<String>) -> Self {
        Self { state: State::Problem, ..Self::warning(check, says, repair) }
    }

    /// What stands in it comes from the environment: names of files and variables, other programs' names.
    fn line(&self, format: Format) -> String {
        let (says, repair) = (visible::line(&self.says), self.repair.as_deref().map(visible::line));
        if format == Format::Json {
            return json!({
                "schema": 1, "check": self.check, "state": self.state.word(), "message": says, "repair": repair,
            })
            .to_string();
        }
        let repair = repair.map_or_else(String::new, |repair| format!(": {repair}"));
        format!("{:8} {:9} {says}{repair}", self.state.word(), self.check)
    }
}

pub(super) fn run(common: &Common, args: &Args) -> eyre::Result<Outcome> {
    let loaded = Context::load(common, None);
    let default = Config::default();
    let config = loaded.as_ref().map_or(&default, |context| &context.config);
    let mut found = vec![terminal(), port(args.listen.unwrap_or(config.listen.address))];
    match &loaded {
        Ok(_) => {
            found.extend(configuration(config));
            found.extend(secrets(config));
        }
        Err(report) => {
            found.push(Finding::problem(
                "config",
                sentence(report),
                "mend what it names; the rest is told as by default",
            ));
            found.push(Finding::warning("secrets", "not looked at", "mend the configuration first"));
        }
    }
    let now = Timestamp::now();
    let kept = match data_dir() {
        Ok(data) => {
            let kept = recording::recordings_in(&recording::folder(&data));
            found.push(data_directory(&data, kept.as_deref().map_err(ToString::to_string)));
            kept.unwrap_or_default()
        }
        Err(report) => {
            found.push(Finding::problem("data", sentence(&report), "set HOME, or HOOKTAPE_DATA to a directory"));
            Vec::new()
        }
    };
    let own = args.record.as_ref().or(config.record.path.as_ref());
    let place = own.cloned().or_else(|| Some(recording::folder(&data_dir().ok()?).join("new.jsonl")));
    if let Some(place) = place {
        found.push(disk(place.parent().unwrap_or(Path::new("."))));
    }
    found.push(clock(now, own.into_iter().chain(kept.first().map(|one| &one.path))));
    for finding in &found {
        print::result(&finding.line(common.format))?;
    }
    Ok(found.iter().all(|finding| finding.state != State::Problem).into())
}

/// The terminal as the environment and the system describe it.
fn terminal() -> Finding {
    let out = std::io::stdout();
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten();
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    judge_terminal(variable, out.is_terminal(), size.map(|size| (size.ws_col, size.ws_row)))
}

fn judge_terminal(variable: impl Fn(&str) -> Option<String>, is_terminal: bool, size: Option<(u16, u16)>) -> Finding {
    const CHECK: &str = "terminal";
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    let colours = if set("NO_COLOR").is_some() {
        "no colours (NO_COLOR)"
    } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
        "16 million colours"
    } else if term.contains("256color") {
        "256 colours"
    } else {
        "16 colours"
    };
    if !is_terminal {
        let says = format!("standard output is no terminal; TERM is {term:?}, {colours}");
        return Finding::warning(CHECK, says, "the screens need one; here hooktape is `hooktape listen`");
    }
    if term.is_empty() || term == "dumb" {
        let says = format!("TERM is {term:?}, which promises nothing");
        return Finding::problem(CHECK, says, "set it as your terminal's manual says, often xterm-256color");
    }
    let (columns, rows) = SMALLEST;
    match size.filter(|&(width, height)| width > 0 && height > 0) {
        None => Finding::warning(CHECK, format!("{term}, {colours}, size unknown"), "try `stty rows 24 columns 80`"),
        Some((width, height)) if width < columns || height < rows => {
            let says = format!("{term}, {colours}, {width}x{height}");
            Finding::warning(CHECK, says, format!("make it at least {columns}x{rows}"))
        }
        Some((width, height)) => Finding::ok(CHECK, format!("{term}, {colours}, {width}x{height}")),
    }
}

/// Whether the address can be listened on.
fn port(address: SocketAddr) -> Finding {
    const CHECK: &str = "port";
    let Err(error) = TcpListener::bind(address) else {
        let free = if address.port() == 0 { "any free port will do" } else { "free" };
        return match exposure(address) {
            Some(exposed) => Finding::warning(CHECK, exposed, "listen on 127.0.0.1 unless that is meant"),
            None => Finding::ok(CHECK, format!("{address}: {free}")),
        };
    };
    match error.kind() {
        ErrorKind::AddrInUse => {
            let who = match holder::of(address) {
                Some(who) => format!("{address} is taken by {who}"),
                None => format!("{address} is taken, by whom cannot be told from here (`ss -ltnp` as root can)"),
            };
            Finding::problem(CHECK, who, "end that program, or take another port with --listen")
        }
        ErrorKind::PermissionDenied => {
            let says = format!("{address} is not allowed to you: {error}");
            Finding::problem(CHECK, says, "take a port above 1023 with --listen")
        }
        ErrorKind::AddrNotAvailable => {
            Finding::problem(CHECK, format!("{address} is no address of this machine"), "listen on 127.0.0.1")
        }
        _ => Finding::problem(CHECK, format!("{address}: {error}"), "take another address with --listen"),
    }
}

/// What was read, and what it warns of that no other check does.
fn configuration(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "config";
    let first = match &config.file {
        Some(file) => Finding::ok(CHECK, format!("{} is understood", file.display())),
        None => Finding::ok(CHECK, "no file, and none is needed (`hooktape init` writes one)"),
    };
    let elsewhere: Vec<String> = exposure(config.listen.address)
        .into_iter()
        .chain(secrets_of(config).filter_map(|(_, secret)| secret.warning().map(ToOwned::to_owned)))
        .collect();
    let rest = config.warnings.iter().filter(|warning| !elsewhere.contains(warning));
    std::iter::once(first)
        .chain(rest.map(|warning| Finding::warning(CHECK, warning, "`hooktape config check` has the whole")))
        .collect()
}

/// Every secret that the configuration refers to, with the place.
fn secrets_of(config: &Config) -> impl Iterator<Item = (String, &Secret)> {
    let shared = config.secrets.all().map(|(name, secret)| (name.to_owned(), secret));
    let routes =
        config.routes.iter().flat_map(|route| route.secrets.iter().map(|s| (format!("route {}", route.path), s)));
    let targets =
        config.targets.iter().flat_map(|target| target.secrets.iter().map(|s| (format!("target {}", target.name), s)));
    shared.chain(routes).chain(targets)
}

/// Whether each reference leads to a secret. What it leads to is not shown.
fn secrets(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "secrets";
    let mut seen = HashSet::new();
    let found: Vec<Finding> = secrets_of(config)
        .filter(|(_, secret)| seen.insert(secret.label()))
        .map(|(place, secret)| {
            let label = secret.label();
            match (secret.value(), secret.warning()) {
                (Err(why), _) => {
                    let repair = match label.strip_prefix("env:") {
                        Some(name) => format!("export {name}=..., in the shell that starts hooktape"),
                        None => "put the secret there, or mend the path".to_owned(),
                    };
                    Finding::problem(CHECK, format!("{place} = {label}: {why}"), repair)
                }
                (Ok(_), Some(_)) => {
                    let says = format!("{place} = {label}: every user of this machine can read it");
                    Finding::warning(CHECK, says, format!("chmod 600 {}", label.trim_start_matches("file:")))
                }
                (Ok(_), None) => Finding::ok(CHECK, format!("{place} = {label}: readable")),
            }
        })
        .collect();
    if found.is_empty() {
        let says = "none is named, so no signature can be checked";
        return vec![Finding::warning(CHECK, says, "`hooktape init` asks for one, or --secret moveo=env:MOVEO_TOKEN")];
    }
    found
}

/// Whether recordings can be kept in the data directory, for the user alone.
fn data_directory(data: &Path, kept: Result<&[Kept], String>) -> Finding {
    const CHECK: &str = "data";
    let shown = data.display();
    let other = "mend that, or set HOOKTAPE_DATA to another directory";
    let about = match fs::metadata(data) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (there, writable) = standing(data);
            return if writable {
                Finding::ok(CHECK, format!("{shown} is not there yet: the first recording makes it"))
            } else {
                Finding::problem(CHECK, format!("{shown} cannot be made: {} is not writable", there.display()), other)
            };
        }
        Err(error) => return Finding::problem(CHECK, format!("{shown}: {error}"), other),
    };
    if !about.is_dir() || !standing(data).1 {
        let why = if about.is_dir() { "is not writable" } else { "is no directory" };
        return Finding::problem(CHECK, format!("{shown} {why}"), other);
    }
    let kept = match kept {
        Ok(kept) => kept,
        Err(why) => return Finding::problem(CHECK, why, other),
    };
    let (bytes, count) = (kept.iter().map(|one| one.bytes).sum(), kept.len() as u64);
    let says = format!("{shown}: {}, {}", visible::count(count, "recording"), visible::size(bytes));
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let says = format!("{says}; others may look into it (mode {mode:o})");
        return Finding::warning(CHECK, says, format!("chmod 700 {shown}"));
    }
    Finding::ok(CHECK, says)
}

/// The next directory upwards that is there, and whether one may write in it.
fn standing(path: &Path) -> (&Path, bool) {
    // What is relative ends with nothing: the working directory.
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    (there, access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok())
}

/// The room where recordings go.
fn disk(folder: &Path) -> Finding {
    const CHECK: &str = "disk";
    const REPAIR: &str = "`hooktape prune` removes old recordings; --record PATH takes another disk";
    let (there, writable) = standing(folder);
    let shown = there.display();
    if !writable {
        return Finding::problem(
            CHECK,
            format!("{shown}, where recordings go, is not writable"),
            "--record PATH elsewhere",
        );
    }
    let free = match statvfs(there) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize),
        Err(error) => return Finding::warning(CHECK, format!("{shown}: room unknown: {error}"), "see `df`"),
    };
    let says = format!("{} free in {shown}, where recordings go", visible::size(free));
    match free {
        ..NONE => Finding::problem(CHECK, says, REPAIR),
        NONE..LITTLE => Finding::warning(CHECK, says, REPAIR),
        _ => Finding::ok(CHECK, says),
    }
}

/// Whether the time is possible. Which time it is only a time server knows, and nobody is asked.
fn clock<'a>(now: Timestamp, recordings: impl Iterator<Item = &'a PathBuf>) -> Finding {
    let newest = recordings
        .filter_map(|path| Reader::open(path).ok())
        .filter_map(|reader| reader.entries(Position::default()).flatten().map(|entry| entry.at).max())
        .max();
    judge_clock(now, newest, env!("HOOKTAPE_BUILD_YEAR").parse().unwrap_or_default())
}

fn judge_clock(now: Timestamp, newest: Option<Timestamp>, built: i16) -> Finding {
    const CHECK: &str = "clock";
    const REPAIR: &str = "set the clock (`timedatectl set-ntp true`): signatures with a time in them depend on it";
    let shown = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    if now.to_zoned(TimeZone::UTC).year() < built {
        return Finding::problem(CHECK, format!("{shown} is before this program was built ({built})"), REPAIR);
    }
    match newest.filter(|&newest| newest > now) {
        Some(newest) => Finding::problem(CHECK, format!("{shown} is before the last recorded call ({newest})"), REPAIR),
        None => Finding::ok(CHECK, format!("{shown} is possible; it was not compared with a time server")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_with_colours_and_size() {
        let judge = |variables: &[(&str, &str)], size| {
            let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
            let finding = judge_terminal(variable, true, size);
            (finding.state, finding.says)
        };
        let xterm = ("TERM", "xterm-256color");
        let ok = |says: &str| (State::Ok, says.to_owned());
        assert_eq!(judge(&[xterm], Some((80, 24))), ok("xterm-256color, 256 colours, 80x24"));
        let truecolor = ("COLORTERM", "truecolor");
        assert_eq!(judge(&[xterm, truecolor], Some((40, 12))), ok("xterm-256color, 16 million colours, 40x12"));
        let none = judge(&[xterm, truecolor, ("NO_COLOR", "1")], Some((80, 24)));
        assert_eq!(none, ok("xterm-256color, no colours (NO_COLOR), 80x24"));
        assert_eq!(judge(&[("TERM", "linux"), ("NO_COLOR", "")], Some((80, 24))), ok("linux, 16 colours, 80x24"));
        for (term, size, state) in [
            ("dumb", Some((80, 24)), State::Problem),
            ("", Some((80, 24)), State::Problem),
            ("xterm", None, State::Warning),
            ("xterm", Some((0, 0)), State::Warning),
            ("xterm", Some((39, 12)), State::Warning),
            ("xterm", Some((40, 11)), State::Warning),
        ] {
            assert_eq!(judge(&[("TERM", term)], size).0, state, "{term} {size:?}");
        }
        let piped = judge_terminal(|_| Some("dumb".to_owned()), false, None);
        assert_eq!(piped.state, State::Warning);
    }

    #[test]
    fn a_clock_is_wrong_before_the_last_call_and_before_the_build() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-21T10:00:00Z");
        let state = |newest: Option<&str>, built| judge_clock(now, newest.map(at), built).state;
        assert_eq!(state(None, 2026), State::Ok);
        assert_eq!(state(None, 2027), State::Problem);
        assert_eq!(state(Some("2026-11-21T10:00:00Z"), 2025), State::Ok);
        assert_eq!(state(Some("2026-11-21T10:00:00.000001Z"), 2025), State::Problem);
        assert!(judge_clock(now, None, 2026).says.contains("not compared with a time server"));
    }
}
