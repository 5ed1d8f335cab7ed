//! `hooktape jq`, which the screen starts for itself: a filter may take all memory, go too deep or never end, and must take
//! nobody with it.

use std::io::{Read as _, Write as _};

use color_eyre::eyre;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::app::jq;
use crate::cli::Outcome;

/// The stack of a filter, in bytes: it goes as deep as the body does.
const STACK: usize = 64 << 20;

/// Most memory that a filter may take, in bytes.
const MOST_MEMORY: u64 = 2 << 30;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The filter
    filter: String,
}

/// Prints what comes out, or why nothing does: then the outcome is no.
pub(super) fn run(args: &Args) -> eyre::Result<Outcome> {
    limit(Resource::As, MOST_MEMORY);
    // What is left of it when it is ended says nothing that anyone needs.
    limit(Resource::Core, 0);
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let filter = args.filter.clone();
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
