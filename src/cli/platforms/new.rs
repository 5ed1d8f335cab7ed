//! `hooktape platforms new NAME`: a pack to begin with, which is sound as it stands.

use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};

use crate::cli::{Context, Format, Outcome, print};
use crate::platform::{self, Platforms};

const PACK: &str = include_str!("new/pack.toml");
const SAMPLE: &str = "{\n  \"event\": \"order.created\",\n  \"customer\": \"c-42\",\n  \"message\": \"Hello!\"\n}\n";

/// Its arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What to call the platform: lower-case letters, digits, `_` and `-`
    name: String,
    /// The folder that the pack's folder is made in [default: platforms in the configuration directory, where it is read]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    platform::check_name(&args.name).map_err(|reason| eyre!(reason))?;
    if context.platforms.pack(&args.name).is_some() {
        return Err(eyre!("there is a platform {0} already: `hooktape platforms {0}` shows it", args.name));
    }
    let parent = match &args.into {
        Some(folder) => folder.clone(),
        None => crate::cli::context::config_dir()?.join("platforms"),
    };
    let folder = parent.join(&args.name);
    if folder.exists() {
        return Err(eyre!("{} is there already", folder.display()));
    }
    write(&folder, &args.name).wrap_err_with(|| format!("cannot write {}", folder.display()))?;
    let problems = Platforms::check(&folder);
    if let Some(problem) = problems.first() {
        return Err(eyre!("{problem}"));
    }
    let pack = folder.join("pack.toml");
    match context.format {
        Format::Json => print::out(&serde_json::json!({ "schema": 1, "pack": pack }).to_string())?,
        Format::Text => {
            print::out(&pack.display().to_string())?;
            print::note(&format!("edit it, then: hooktape platforms check {}", folder.display()));
        }
    }
    Ok(Outcome::Yes)
}

fn write(folder: &Path, name: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("samples"))?;
    std::fs::write(folder.join("samples/event.json"), SAMPLE)?;
    let variable = name.to_ascii_uppercase().replace('-', "_");
    std::fs::write(folder.join("pack.toml"), PACK.replace("NAME", name).replace("VARIABLE", &variable))
}
