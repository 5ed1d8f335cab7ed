//! `hooktape platforms [NAME]`, `platforms check PATH`, `platforms new NAME`, `platforms advise NAME`: what is known of
//! platforms; lint a pack, begin one, or lint what one tells a platform.

mod advise;
mod markdown;
mod new;
mod text;

use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, eyre};
use serde_json::{Map, Value, json};

use crate::cli::{Context, Format, Outcome, print};
use crate::config::{instead, meant};
use crate::platform::{self, Kind, Pack, Platforms};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
// Not by what the parser refuses: that would be `--format` before the command, too.
#[command(override_usage = "hooktape platforms [OPTIONS] [NAME]\n       hooktape platforms [OPTIONS] <COMMAND>")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// A platform or a kind, as in moveo or moveo/dialog
    name: Option<String>,
    /// One page on how every platform signs, instead
    #[arg(long = "as", value_name = "FORM", conflicts_with = "name")]
    page: Option<Page>,
}

/// The forms of the page.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Page {
    Markdown,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Hold a pack against the test that the built-in ones pass
    Check {
        /// The pack's folder
        path: PathBuf,
    },
    /// Begin a pack of your own
    New(new::Args),
    /// Hold what one tells a platform about one's endpoint against what it takes
    Advise(advise::Args),
}

impl Args {
    /// The pack that is to be checked.
    pub(super) fn checked(&self) -> Option<&Path> {
        match &self.command {
            Some(Command::Check { path }) => Some(path),
            _ => None,
        }
    }
}

pub(super) fn check(path: &Path, format: Format) -> eyre::Result<Outcome> {
    let problems = Platforms::check(path);
    for problem in &problems {
        match format {
            Format::Text => print::result(&visible::text(&problem.to_string()))?,
            Format::Json => {
                print::result(&json!({ "schema": 1, "file": problem.file, "message": problem.message }).to_string())?;
            }
        }
    }
    if format == Format::Text && problems.is_empty() {
        print::result(&format!("{} is fine", path.display()))?;
    }
    Ok(problems.is_empty().into())
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    match (&args.command, args.name.as_deref()) {
        (Some(Command::Advise(args)), _) => return advise::run(context, args),
        (Some(Command::Check { path }), _) => return check(path, context.format),
        (Some(Command::New(args)), _) => return new::run(context, args),
        (None, None) if args.page.is_some() => print::out(markdown::page(&context.platforms).trim_end())?,
        (None, None) => list(context)?,
        (None, Some(name)) => {
            let platforms = &context.platforms;
            if let Some(pack) = platforms.pack(name) {
                describe(context, pack, pack.kinds())?;
            } else if let Some(kind) = platforms.kinds().find(|kind| kind.name == name) {
                one(context, kind)?;
            } else {
                return Err(unknown(platforms, name));
            }
        }
    }
    Ok(Outcome::Yes)
}

/// That nothing is called `name`, and what was meant.
pub(super) fn unknown(platforms: &Platforms, name: &str) -> eyre::Report {
    let packs: Vec<&str> = platforms.packs().map(|pack| pack.name.as_str()).collect();
    let kinds: Vec<&str> = platforms.kinds().map(|kind| kind.name.as_str()).collect();
    // There are too many kinds to list them all.
    let known = meant(name, &[&packs[..], &kinds].concat()).unwrap_or_else(|| instead(name, &packs));
    eyre!("no platform or kind is called {name:?}: {known}")
}

/// Every platform with its kinds, a line each.
fn list(context: &Context) -> eyre::Result<()> {
    for pack in context.platforms.packs() {
        if context.format == Format::Json {
            describe(context, pack, pack.kinds())?;
            continue;
        }
        for kind in pack.kinds() {
            print::out(&format!("{:24} {}", visible::line(&kind.name), visible::line(&kind.title)))?;
        }
    }
    Ok(())
}

/// Everything that a pack knows.
fn describe<'a>(context: &Context, pack: &Pack, kinds: impl Iterator<Item = &'a Kind>) -> eyre::Result<()> {
    match context.format {
        Format::Json => print::out(&pack_json(pack).to_string())?,
        Format::Text => print::out(&text::heading(pack))?,
    }
    for kind in kinds {
        one(context, kind)?;
    }
    if context.format == Format::Text {
        print::out(text::rest(pack).trim_end())?;
    }
    Ok(())
}

fn one(context: &Context, kind: &Kind) -> eyre::Result<()> {
    match context.format {
        Format::Json => print::out(&kind_json(context, kind).to_string())?,
        Format::Text => print::out(&text::kind(context, kind))?,
    }
    Ok(())
}

fn pack_json(pack: &Pack) -> Value {
    let schemes: Vec<Value> = pack
        .schemes()
        .values()
        .map(|scheme| json!({ "name": scheme.name, "how": scheme.describe(), "source": scheme.source }))
        .collect();
    json!({
        "schema": 1, "platform": pack.name, "title": pack.title, "signatures": schemes, "endpoints": pack.endpoints,
        "tables": pack.tables, "webhook": pack.webhook,
    })
}

fn kind_json(context: &Context, kind: &Kind) -> Value {
    let about = kind.describe();
    let then: Map<String, Value> = then(context, kind).map(|(word, then)| (word.to_owned(), then.into())).collect();
    json!({
        "schema": 1, "kind": about.name, "title": about.title, "method": kind.method(), "fires": about.fires,
        "returns": about.returns, "failure": about.failure, "timeout_ms": about.timeout_ms, "instead": about.instead,
        "signed": about.signed, "source": about.source, "appends": kind.appends(), "fields": kind.fields(),
        "response_fields": kind.response_fields(), "error_fields": kind.error_fields(), "answers": kind.answers(), "closes": kind.closes(), "then": then,
    })
}

/// What the platform does as a wait that this kind begins stands.
fn then<'a>(context: &'a Context, kind: &Kind) -> impl Iterator<Item = (&'static str, &'a str)> {
    platform::Outcome::ALL
        .into_iter()
        .filter_map(|outcome| Some((outcome.word(), context.platforms.then(kind, outcome)?)))
}
