//! `hooktape fixtures`: named drafts, for `hooktape send fixture:NAME`.

use color_eyre::eyre::{self, eyre};
use serde_json::json;

use crate::cli::context::{Context, data_dir};
use crate::cli::draft::DraftArgs;
use crate::cli::{Format, Outcome, print};
use crate::recording::fixtures;
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do [default: list them].
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do with fixtures.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Keep a draft under a name; its `{{...}}` are filled in when it is sent, but for those that a recorded call came with
    Save {
        /// The name: letters, digits, `-`, `_` and `.`
        name: String,
        /// What.
        #[command(flatten)]
        draft: DraftArgs,
        /// In the place of the fixture that has the name already
        #[arg(long)]
        replace: bool,
    },
    /// Remove a fixture
    Remove {
        /// The name
        name: String,
    },
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let data = data_dir()?;
    match &args.command {
        Some(Command::Save { name, replace: false, .. }) if fixtures::exists(&data, name) => {
            return Err(eyre!("there is a fixture {name} already: --replace puts this one in its place"));
        }
        Some(Command::Save { name, draft, .. }) => {
            let call = draft.read(context)?.call(context);
            let path = fixtures::save(&data, name, &call).map_err(|error| eyre!(error))?;
            print::note(&format!("kept in {}", path.display()));
        }
        Some(Command::Remove { name }) => fixtures::remove(&data, name).map_err(|error| eyre!(error))?,
        None => {
            let mut whole = true;
            for (name, call) in fixtures::list(&data).map_err(|error| eyre!(error))? {
                match call {
                    Ok(call) => {
                        let (kind, size) = (call.kind.as_deref(), call.request.body.len());
                        print::out(&match context.format {
                            Format::Json => json!({
                                "schema": 1, "name": name, "kind": kind, "method": call.request.method,
                                "path": call.request.target, "size": size,
                            })
                            .to_string(),
                            Format::Text => format!("{name:20} {} ({size} bytes)", visible::line(kind.unwrap_or("-"))),
                        })?;
                    }
                    Err(error) => {
                        print::note(&format!("hooktape: {name}: {error}"));
                        whole = false;
                    }
                }
            }
            return Ok(whole.into());
        }
    }
    Ok(Outcome::Yes)
}
