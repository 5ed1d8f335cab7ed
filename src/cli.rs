//! The command line: what the TUI does, without it.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 fine, 1 "no" (a signature that is not
//! valid, a replay that failed), 2 trouble.

mod arguments;
mod compact;
mod completions;
mod config;
mod context;
mod damage;
mod demo;
mod diff;
mod doctor;
mod draft;
mod export;
mod fixtures;
mod import;
mod init;
mod jq;
mod keys;
mod lane;
mod listen;
mod platforms;
mod print;
mod recordings;
mod replay;
mod screen;
mod send;
mod show;
mod start;
mod variables;
mod verify;
mod waits;
mod webview;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use color_eyre::eyre;

use crate::visible;

pub use self::context::Context;

/// Captures, verifies, shows, edits and replays the webhook calls of conversational-AI platforms.
///
/// Without a command: the terminal program, with its listener running.
#[derive(Debug, Parser)]
#[command(name = "hooktape", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
    /// Where the terminal program listens and records.
    #[command(flatten)]
    pub lane: LaneArgs,
    /// Where the terminal program sends: a target's name, or a URL.
    #[arg(long, value_name = "TARGET|URL")]
    pub to: Option<String>,
}

/// What help calls options of every command, which it would put among each command's own.
const EVERYWHERE: &str = "Options of every command";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The configuration file [default: hooktape.toml here, else config.toml in the configuration directory]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// A secret by reference: `moveo=env:MOVEO_TOKEN`, or moveo=file:PATH (repeatable)
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "NAME=REFERENCE")]
    pub secret: Vec<String>,
    /// How results are printed
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, with `schema: 1`.
    Json,
}

/// Options of commands that listen.
#[derive(Args, Clone, Debug)]
pub struct LaneArgs {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:4747]
    #[arg(long, value_name = "ADDR", env = "HOOKTAPE_LISTEN", value_parser = crate::config::parse_address)]
    pub listen: Option<SocketAddr>,
    /// Take TLS connections too, with a certificate made here unless `[listen] tls` names your own
    #[arg(long)]
    pub tls: bool,
    /// Start a tunnel program and find its public address: "cloudflared tunnel --url {url}"; {port} works too
    #[arg(long, value_name = "CMD")]
    pub tunnel: Option<String>,
    /// What answers.
    #[command(flatten)]
    pub respond: RespondArgs,
    /// Where to record.
    #[command(flatten)]
    pub record: RecordArgs,
}

/// What answers calls where no route says otherwise; holds and faults go for routes too.
#[derive(Args, Clone, Debug, Default)]
pub struct RespondArgs {
    /// Pass calls on to your own server and its answers back (repeatable: the first one answers)
    #[arg(long, value_name = "TARGET|URL", conflicts_with = "reply")]
    pub forward: Vec<String>,
    /// Answer with this reply: one that comes with hooktape, or of a `[[reply]]`
    #[arg(long, value_name = "NAME")]
    pub reply: Option<String>,
    /// Have each call wait for you in the terminal program, at most this long [default: as long as its platform waits for
    /// an answer, where that is known, else 25s]
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "platform",
          value_parser = crate::config::Hold::parse)]
    pub hold: Option<crate::config::Hold>,
    /// Break answers: status=503, empty, malformed, contradict, slow=5s, reset, delay=2s, jitter=500ms,
    /// probability=30%, next=3
    #[arg(long, value_name = "WORDS", value_parser = crate::config::Fault::parse)]
    pub fault: Option<crate::config::Fault>,
}

/// Options of commands that record.
#[derive(Args, Clone, Debug)]
pub struct RecordArgs {
    /// The file to record to [default: a new one in the data directory]
    #[arg(long, value_name = "PATH", env = "HOOKTAPE_RECORD")]
    pub record: Option<PathBuf>,
    /// Answer only when the call is on the disk, not just with the operating system
    #[arg(long)]
    pub fsync: bool,
    /// Set the file aside at a size (1GiB) or an age (24h) and begin another; both if given twice
    #[arg(long, value_name = "SIZE|AGE")]
    pub rotate: Vec<crate::config::Limit>,
    /// Mask what is secret or personal before a call is written (`[redact]` says what)
    #[arg(long)]
    pub redact: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Listen without the terminal program: one line a call
    Listen(LaneArgs),
    /// Open a recording in the terminal program, without a listener
    Open(screen::Args),
    /// List the calls of a recording, or print one
    Show(show::Args),
    /// Check every signature of a recording again, with the secrets at hand
    Verify(verify::Args),
    /// Make, sign and send one call
    Send(send::Args),
    /// Rewrite a recording without its deleted calls
    Compact(compact::Args),
    /// List the recordings of the data directory: size, calls, age
    Recordings,
    /// Remove old or large recordings of the data directory
    Prune(recordings::Args),
    /// Send recorded calls again
    Replay(Box<replay::Args>),
    /// Say how two calls or two recordings differ
    Diff(diff::Args),
    /// List, save and remove named drafts
    Fixtures(fixtures::Args),
    /// List, register and remove variables that endpoints returned
    Variables(variables::Args),
    /// Write calls as others read them: HAR, curl, .http, JSON, Markdown, HTML
    Export(export::Args),
    /// Record calls from HAR, curl commands, .http files, JSON lines
    Import(import::Args),
    /// Play a built-in conversation through the real listener
    Demo(demo::Args),
    /// Make key pairs and tokens
    #[command(subcommand)]
    Keys(keys::Command),
    /// Open a web page as a platform would, and see it call back
    #[command(subcommand)]
    Webview(webview::Command),
    /// What is known of platforms; lint a pack
    Platforms(platforms::Args),
    /// Write a commented hooktape.toml by asking four questions
    Init(init::Args),
    /// Check terminal, port, configuration, secrets, data directory, disk and clock
    Doctor(doctor::Args),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Put standard input through a jq filter, for the screen
    #[command(hide = true)]
    Jq,
}

/// How a command ended, when it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Yes,
    /// It ran, and the answer is no.
    No,
}

impl From<bool> for Outcome {
    fn from(fine: bool) -> Self {
        if fine { Self::Yes } else { Self::No }
    }
}

/// Parses the arguments, runs the command, gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = arguments::parse(std::env::args_os()).unwrap_or_else(|error| refuse(&error));
    // Only a second installation fails, and the first one serves as well.
    let _ = color_eyre::config::HookBuilder::default().display_env_section(false).install();
    // A recording that has grown as large as the system lets it is told like a full disk. Left alone, the signal that comes
    // with it (setrlimit(2)) would end us.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    match start::run(cli) {
        Ok(Outcome::Yes) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Err(report) if is_broken_pipe(&report) => ExitCode::SUCCESS,
        Err(report) => {
            print::note(&format!("hooktape: {}", sentence(&report)));
            ExitCode::from(2)
        }
    }
}

/// Says what is wrong with the arguments, or shows the help that they ask for. They may be names of files that somebody else
/// gave, and quoted they must not act on the terminal.
fn refuse(error: &clap::Error) -> ! {
    let text = error.to_string();
    if visible::text(&text) != text {
        print::note(text.trim_end());
    } else if let Err(error) = error.print().and_then(|()| std::io::stdout().flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        print::note(&format!("hooktape: {error}"));
        std::process::exit(2);
    }
    std::process::exit(error.exit_code());
}

/// The error and its causes in one line, without saying twice what a cause repeats.
fn sentence(report: &eyre::Report) -> String {
    let mut text = String::new();
    for cause in report.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

/// Whoever read our output has had enough: `hooktape show FILE | head`.
fn is_broken_pipe(report: &eyre::Report) -> bool {
    report
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
