//! `hooktape variables`: what endpoints returned under `context` and `output`, for drafts to use as `{{$name}}`.

use std::path::PathBuf;

use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::Id;
use crate::cli::context::{Context, data_dir, find_call};
use crate::cli::damage::Damaged;
use crate::cli::show::{fits, parse_query};
use crate::cli::{Format, Outcome, print};
use crate::recording::{Position, Reader};
use crate::replay::variables::Variables;
use crate::visible;

/// Columns of a value in the list.
const VALUE: usize = 48;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do [default: list them].
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do with variables.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Make known what the answers of a recording hold; what is secret or personal is left out
    Register {
        /// The recording
        file: PathBuf,
        /// Only this call: its id, or as much of its beginning or end as it takes
        id: Option<String>,
    },
    /// Forget variables
    Remove {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// A variable as JSON; its value as it was written.
#[derive(Serialize)]
struct Listed<'a> {
    schema: u32,
    name: &'a str,
    #[serde(rename = "type")]
    json_type: &'static str,
    place: &'a str,
    kind: Option<&'a str>,
    value: Option<&'a RawValue>,
    call: Id,
    at: Timestamp,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let path = Variables::path(&data_dir()?);
    match &args.command {
        Some(Command::Register { file, id }) => {
            let redaction = context.redaction()?;
            let (mut found, mut names, mut damaged) = (Variables::default(), Vec::new(), Damaged::default());
            if let Some(id) = id {
                names = found.register(&find_call(file, id)?, &redaction);
            } else {
                let reader = Reader::open(file)?;
                // Deleted calls are hidden from a query that asks for nothing.
                let (query, marks) = (parse_query(context, None)?, reader.marks());
                for entry in reader.entries(Position::default()) {
                    let Some(entry) = damaged.entry(entry) else { continue };
                    if damaged.passed_over(fits(&query, &entry, &reader, &marks))? == Some(true) {
                        let call = damaged.passed_over(reader.call(entry.place))?;
                        names.extend(call.into_iter().flat_map(|call| found.register(&call, &redaction)));
                    }
                }
            }
            names.sort_unstable();
            names.dedup();
            // A long recording keeps nobody waiting.
            let bring = |known: &mut Variables| {
                known.extend(found);
                Ok(())
            };
            Variables::update(&path, bring).map_err(|error| eyre!(error))?;
            print::note(&format!("{}: {}", visible::count(names.len(), "variable"), names.join(", ")));
            return Ok(damaged.end().into());
        }
        Some(Command::Remove { names }) => {
            let unknown = |name| format!("no variable {name:?} is known: `hooktape variables` lists them");
            let remove = |known: &mut Variables| {
                names.iter().try_for_each(|name| if known.remove(name) { Ok(()) } else { Err(unknown(name)) })
            };
            Variables::update(&path, remove).map_err(|error| eyre!(error))?;
        }
        None => {
            let known = Variables::load(&path).map_err(|error| eyre!(error))?;
            for (name, variable) in known.iter() {
                let (value, kind) = (&variable.value, variable.kind.as_deref());
                print::out(&match context.format {
                    Format::Json => serde_json::to_string(&Listed {
                        schema: 1,
                        name,
                        json_type: variable.json_type(),
                        place: &variable.place,
                        kind,
                        value: serde_json::from_str(value).ok(),
                        call: variable.call,
                        at: variable.at,
                    })?,
                    Format::Text => format!(
                        "{:20} {:8} {}  {} of {} {}",
                        visible::line(name),
                        variable.json_type(),
                        visible::truncate(&visible::line(value), VALUE),
                        visible::line(&variable.place),
                        visible::line(kind.unwrap_or("-")),
                        print::short(variable.call),
                    ),
                })?;
            }
        }
    }
    Ok(Outcome::Yes)
}
