//! `hooktape completions SHELL`.

use clap::CommandFactory;
use color_eyre::eyre;

use crate::cli::{Cli, Outcome};

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> eyre::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hooktape", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(Outcome::Yes)
}
