//! `hooktape jq`, which the screen starts for itself: a filter may take all memory, go too deep or never end, and must take
//! nobody with it.

use std::io::{BufRead as _, Read as _, Write as _};

use color_eyre::eyre;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::app::jq;
use crate::cli::Outcome;

/// The stack of a filter, in bytes: it goes as deep as the body does.
const STACK: usize = 64 << 20;

/// Most memory that a filter may take, in bytes.
const MOST_MEMORY: u64 = 2 << 30;

/// Seconds of computing that a filter may take, should whoever waits for it be gone.
const LONGEST: u64 = 30;

/// Prints what comes out, or why nothing does: then the outcome is no. Standard input is the filter's length in bytes, a line
/// end, the filter, which may hold what is nobody's business and so is no argument, and the body.
pub(super) fn run() -> eyre::Result<Outcome> {
    limit(Resource::As, MOST_MEMORY);
    limit(Resource::Cpu, LONGEST);
    // What is left of it when it is ended says nothing that anyone needs.
    limit(Resource::Core, 0);
    let mut input = std::io::stdin().lock();
    let mut length = String::new();
    input.read_line(&mut length)?;
    let mut filter = vec![0; length.trim_end().parse()?];
    input.read_exact(&mut filter)?;
    let filter = String::from_utf8(filter)?;
    let mut body = Vec::new();
    input.read_to_end(&mut body)?;
    let running = std::thread::Builder::new().stack_size(STACK).spawn(move || jq::run(&body, &filter))?;
    let result = running.join().map_err(|_| eyre::eyre!("the filter fell over"))?;
    let fine = result.is_ok();
    let (Ok(text) | Err(text)) = result;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(fine.into())
}

/// No more of that from now on. Where the system does not know such a limit, there is none.
fn limit(resource: Resource, most: u64) {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let most = Some(maximum.map_or(most, |maximum| maximum.min(most)));
    let _ = setrlimit(resource, Rlimit { current: most, maximum: most });
}
