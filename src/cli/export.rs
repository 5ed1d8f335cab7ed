//! `hooktape export FILE [ID]`: calls in the forms of others.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;

use crate::call::Call;
use crate::cli::context::{Context, find_call};
use crate::cli::damage::Damaged;
use crate::cli::show::{fits, parse_query};
use crate::cli::{Outcome, print};
use crate::recording::export::{ExportFile, Exporter, FileError, Format};
use crate::recording::{Position, Reader};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// The one call to export: its id, or as much of its beginning or end as it takes
    id: Option<String>,
    /// The form: har, curl, http, json, markdown, html
    #[arg(long = "as", value_name = "FORM")]
    form: Format,
    /// Which calls, as in `kind:dialog sig:invalid status:>=500`
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true, conflicts_with = "id")]
    query: Option<String>,
    /// The file to write, or (-) standard output [default: -]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Leave in what is secret or personal; else it is masked (`[redact]` says what)
    #[arg(long)]
    unredacted: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let query = parse_query(context, args.query.as_deref())?;
    // Whatever is wrong with the call or the recording, no file is made for it.
    let only = args.id.as_deref().map(|id| find_call(&args.file, id)).transpose()?;
    let reader = Reader::open(&args.file)?;
    let marks = reader.marks();
    let redaction = if args.unredacted { None } else { Some(context.redaction()?) };
    let reporter = context.reporter(redaction);
    let title = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let place = args.out.as_deref().filter(|path| path.as_os_str() != "-");
    let mut file = place.map(|path| ExportFile::begin(path, false)).transpose()?;
    let written = file.is_some();
    let out: Box<dyn Write + '_> = match &mut file {
        Some(file) => Box::new(file),
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    let mut exporter = Exporter::new(out, args.form, &title, Timestamp::now())?;
    let (mut count, mut damaged) = (0_u64, Damaged::default());
    let (mut progress, size) = (print::Progress::new(), reader.size()?);
    let ended = Arc::new(AtomicBool::new(false));
    if written {
        // Standard output has taken what it has taken.
        signal_hook::flag::register(signal_hook::consts::SIGINT, ended.clone())?;
    }
    // What goes wrong names the file that was asked for, not that which it is written to first.
    let named = |error: io::Error| match place {
        Some(path) => FileError::of(path, error).into(),
        None => eyre::Report::from(error),
    };
    let mut write = |call: Call| {
        count += 1;
        exporter.write(&reporter.report(call, &marks)).map_err(named)
    };
    if let Some(call) = only {
        write(call)?;
    } else {
        let mut entries = reader.entries(Position::default());
        for entry in &mut entries {
            if ended.load(Ordering::Relaxed) {
                progress.clear();
                return Err(eyre!("ended before its end: nothing was written"));
            }
            let Some(entry) = damaged.entry(entry) else { continue };
            progress.show(entry.place.offset, size);
            if damaged.passed_over(fits(&query, &entry, &reader, &marks))? == Some(true) {
                damaged.passed_over(reader.call(entry.place))?.map_or(Ok(()), &mut write)?;
            }
        }
        print::unfinished(&entries);
    }
    exporter.finish().map_err(named)?;
    progress.clear();
    if let (Some(out), Some(file)) = (place, file) {
        file.keep()?;
        let masked = if args.unredacted { "not masked: keep it to yourself" } else { "masked" };
        print::note(&format!("{} to {}, {masked}", visible::count(count, "call"), out.display()));
    }
    Ok(damaged.end().into())
}
