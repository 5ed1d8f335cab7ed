//! `hooktape jq`, which the screen starts for itself: a filter may take all memory, go too deep or never end, and must take
//! nobody with it.

use std::io::{BufRead, Read as _, Write as _};

use color_eyre::eyre;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::Outcome;
use crate::jq;

/// The stack of a filter, in bytes: it goes as deep as the body does.
const STACK: usize = 64 << 20;

/// Most memory that a filter may take, in bytes.
const MOST_MEMORY: u64 = 2 << 30;

/// Seconds of computing that a filter may take, whoever waits for it.
const LONGEST: u64 = 30;

/// What a process ends with for which nobody waits any more.
const GONE: i32 = 2;

/// Prints what comes out, or why nothing does: then the outcome is no. Standard input is the lengths of the filter and of the body
/// in bytes, each with a line end, the filter, which may hold what is nobody's business and so is no argument, and the body. It
/// stays open as long as someone waits: its end is the end of the process.
pub(super) fn run() -> eyre::Result<Outcome> {
    limit(Resource::As, MOST_MEMORY);
    limit(Resource::Cpu, LONGEST);
    // What is left of it when it is ended says nothing that anyone needs.
    limit(Resource::Core, 0);
    let mut input = std::io::stdin().lock();
    let lengths = [length(&mut input)?, length(&mut input)?];
    let [filter, body] = lengths.map(|length| {
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes).map(|()| bytes)
    });
    let (filter, body) = (String::from_utf8(filter?)?, body?);
    drop(input);
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read(&mut [0]);
        std::process::exit(GONE);
    });
    let running = std::thread::Builder::new().stack_size(STACK).spawn(move || jq::run(&body, &filter))?;
    let result = running.join().map_err(|_| eyre::eyre!("the filter fell over"))?;
    let fine = result.is_ok();
    let (Ok(text) | Err(text)) = result;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(fine.into())
}

/// The next line, which is a length.
fn length(input: &mut impl BufRead) -> eyre::Result<usize> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end().parse()?)
}

/// No more of that from now on. Where the system does not know such a limit, there is none.
fn limit(resource: Resource, most: u64) {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let most = Some(maximum.map_or(most, |maximum| maximum.min(most)));
    let _ = setrlimit(resource, Rlimit { current: most, maximum: most });
}
