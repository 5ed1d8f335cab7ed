//! `hooktape platforms [NAME]`, `hooktape platforms check PATH`: what is known of platforms; lint a pack.

use std::path::PathBuf;

use color_eyre::eyre::{self, eyre};
use serde_json::json;

use crate::cli::{Context, Format, Outcome, print};
use crate::config::closest;
use crate::platform::{Kind, Platforms};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// A platform or a kind, as in moveo or moveo/dialog
    name: Option<String>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Hold a pack against the test that the built-in ones pass
    Check {
        /// The pack's folder
        path: PathBuf,
    },
}

impl Args {
    /// Whether a pack is to be checked.
    pub(super) fn is_check(&self) -> bool {
        self.command.is_some()
    }
}

pub(super) fn check(args: &Args, format: Format) -> eyre::Result<Outcome> {
    let Some(Command::Check { path }) = &args.command else { return Ok(Outcome::Yes) };
    let problems = Platforms::check(path);
    for problem in &problems {
        match format {
            Format::Text => print::out(&visible::text(&problem.to_string()))?,
            Format::Json => {
                print::out(&json!({ "schema": 1, "file": problem.file, "message": problem.message }).to_string())?;
            }
        }
    }
    if format == Format::Text && problems.is_empty() {
        print::out(&format!("{} is fine", path.display()))?;
    }
    Ok(problems.is_empty().into())
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let platforms = &context.platforms;
    let wanted = args.name.as_deref();
    let kinds: Vec<&Kind> = platforms
        .kinds()
        .filter(|kind| wanted.is_none_or(|name| kind.name == name || kind.platform() == name))
        .collect();
    if kinds.is_empty() {
        let names: Vec<&str> = platforms.packs().map(|pack| pack.name.as_str()).collect();
        let wanted = wanted.unwrap_or_default();
        let kinds: Vec<&str> = platforms.kinds().map(|kind| kind.name.as_str()).collect();
        return Err(match closest(wanted, &[&names[..], &kinds].concat()) {
            Some(near) => eyre!("no platform or kind is called {wanted:?}: did you mean {near:?}?"),
            None => eyre!("no platform or kind is called {wanted:?}; there are {}", names.join(", ")),
        });
    }
    for kind in kinds {
        let about = kind.describe();
        if context.format == Format::Json {
            let value = json!({
                "schema": 1, "kind": about.name, "title": about.title, "fires": about.fires, "returns": about.returns,
                "failure": about.failure, "signed": about.signed, "source": about.source,
            });
            print::out(&value.to_string())?;
        } else if wanted.is_none() {
            print::out(&format!("{:24} {}", about.name, about.title))?;
        } else {
            print::out(&format!("{} · {}", about.name, about.title))?;
            let signed = about.signed.as_deref().unwrap_or("not signed");
            for (label, text) in [
                ("fires", about.fires.as_str()),
                ("returns", about.returns.as_str()),
                ("failure", about.failure.as_str()),
                ("signed", signed),
                ("source", about.source.as_str()),
            ] {
                if !text.is_empty() {
                    print::out(&format!("  {label:8} {text}"))?;
                }
            }
        }
    }
    Ok(Outcome::Yes)
}
