//! `hooktape compact FILE`: a recording without what was deleted.

use std::path::PathBuf;

use color_eyre::eyre;
use serde_json::json;

use crate::cli::{Context, Format, Outcome, print};
use crate::recording;
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Write the result there, and leave the recording as it is [default: it takes the recording's place]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let done = recording::compact(&args.file, args.out.as_deref())?;
    let path = args.out.as_ref().unwrap_or(&args.file);
    print::out(&match context.format {
        Format::Json => json!({
            "schema": 1, "path": path, "removed_calls": done.calls, "bytes_before": done.before, "bytes": done.after,
        })
        .to_string(),
        Format::Text => format!(
            "{} left out: {}, was {}",
            visible::count(done.calls, "deleted call"),
            visible::size(done.after),
            visible::size(done.before)
        ),
    })?;
    Ok(Outcome::Yes)
}
