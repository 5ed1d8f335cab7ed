//! `cargo bench`: hooktape against the least that could do its work, as ratios (the figures of this machine say little).
//!
//! ```text
//! cargo bench                                     everything, about five minutes (2 GB in target/tmp)
//! cargo bench -- capture | open | search | recognise | replay | diff | forward | screen   one part; replay wants wrk
//!   --calls 1000000                               the size of the recording that is opened and searched
//!   --rounds 9, --millis 1000                     how often; how long a round of capturing takes
//! ```
//!
//! Contestants take turns in every round, so that what else the machine does falls on all of them.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![expect(clippy::cast_precision_loss, reason = "numbers are counted to be divided")]

mod bare;
mod capture;
mod forwarding;
mod least;
mod load;
mod measure;
mod opening;
#[path = "../support/process.rs"]
mod process;
mod recognise;
mod replaying;
mod screen;
mod searching;
mod tape;

use std::path::Path;
use std::time::Duration;

use clap::Parser;

#[derive(Parser)]
struct Args {
    /// capture, open, search, recognise, replay, diff, forward, screen; all without one
    parts: Vec<String>,
    /// Calls in the recording
    #[arg(long, default_value_t = 1_000_000)]
    calls: u64,
    /// How often each contestant runs
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// How long calls are sent in a round
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Sends calls to one contestant alone, by its name, and prints nothing: for a profiler
    #[arg(long)]
    only: Option<String>,
    /// What Cargo says when it runs benchmarks; without it, it is testing
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((mode, rest)) if mode == "--load" => return load::main(rest),
        Some((mode, _)) if mode == "--sink" => return replaying::sink(),
        Some((mode, rest)) if mode == "--least" => return least::main(&rest[0], Path::new(&rest[1])),
        Some((mode, _)) if mode == "--bare" => return bare::main(),
        Some((mode, rest)) if mode == "--open" => return opening::main(Path::new(&rest[0])),
        _ => {}
    }
    let args = Args::parse();
    if !args.bench {
        println!("nothing to test here: cargo bench");
        return;
    }
    let wanted = |part: &str| args.parts.is_empty() || args.parts.iter().any(|wanted| wanted == part);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if wanted("capture") {
        capture::run(folder, args.rounds, Duration::from_millis(args.millis), args.only.as_deref());
    }
    if wanted("recognise") {
        recognise::run(folder, args.rounds, Duration::from_millis(args.millis));
    }
    if wanted("open") {
        opening::run(&tape::make(folder, args.calls), args.rounds);
    }
    if wanted("replay") {
        replaying::run(folder, args.rounds);
    }
    if wanted("diff") {
        replaying::diff(folder, args.rounds);
    }
    if wanted("forward") {
        forwarding::run(folder, args.rounds, Duration::from_millis(args.millis));
    }
    if wanted("screen") {
        screen::run(folder, &tape::make(folder, args.calls), args.rounds);
    }
    if wanted("search") {
        searching::run(&tape::make(folder, args.calls), args.rounds);
    }
}
