//! `hooktape import FILE|-`: calls from the forms of others, into a recording.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;

use crate::call::{Call, Id, Sig};
use crate::cli::context::Context;
use crate::cli::{Format as Printed, Outcome, RecordArgs, print};
use crate::recording::export::Format;
use crate::recording::import::{self, Imported};
use crate::recording::{Position, Reader};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to import, from a file or (-) from standard input
    file: PathBuf,
    /// The form it is in: har, curl, http, json [default: recognised]
    #[arg(long, value_name = "FORM")]
    from: Option<Format>,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let name = if args.file.as_os_str() == "-" { "standard input".into() } else { args.file.display().to_string() };
    let text = read(&args.file).wrap_err_with(|| format!("cannot read {name}"))?;
    let unknown = || {
        let forms = import::FORMATS.map(Format::word).join(", ");
        eyre!("{name}: this is none of {forms} that could be told by its beginning: --from says which it is")
    };
    let from = args.from.or_else(|| import::recognise(&text)).ok_or_else(unknown)?;
    let Imported { mut calls, mut said } = import::calls(&text, from, Timestamp::now())
        .map_err(|error| eyre!("{}", visible::line(&format!("{name}, read as {from}: {error}"))))?;
    for call in &mut calls {
        judge(context, call);
    }
    let recorder = context.recorder(&args.record, Box::new(|event| print::trouble(&event)))?;
    // What was imported before is not imported again.
    let known = ids(recorder.path())?;
    let found = calls.len();
    calls.retain(|call| !known.contains(&call.id));
    said.retain(|annotation| !known.contains(&annotation.call));
    let (new, mut written) = (calls.len(), Ok(()));
    for call in calls {
        match recorder.record(call).await {
            Ok(call) => print::out(&print::call_line(&call, &context.platforms, context.format))?,
            Err(error) => {
                written = Err(error);
                break;
            }
        }
    }
    for annotation in said {
        if written.is_ok() {
            written = recorder.annotate(annotation).await.map(drop);
        }
    }
    let path = recorder.path().to_owned();
    recorder.close().await;
    written?;
    if context.format == Printed::Text {
        let calls = visible::count(new, "call");
        let again = if found > new { format!("; {} there already", found - new) } else { String::new() };
        print::note(&format!("{calls} from {from} to {}{again}", path.display()));
    }
    Ok(Outcome::Yes)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    Ok(text)
}

/// What a listener would have found, as far as the form does not say it: kind, conversation, signature at that time.
fn judge(context: &Context, call: &mut Call) {
    let routed = context.config.route(call.request.path()).and_then(|route| route.kind.as_deref());
    let known = call.kind.as_deref().or(routed).and_then(|name| context.platforms.kind(name));
    let Some(kind) = known.or_else(|| context.platforms.recognise(&call.request).kind) else { return };
    if call.kind.is_none() {
        call.kind = Some(kind.name.clone());
    }
    if call.conversation.is_none() {
        call.conversation = kind.read(&call.request).conversation;
    }
    // Masked, it cannot be checked; and what was found at the time is more than what can be found now.
    if matches!(call.sig, None | Some(Sig::NoSecret)) && !call.request.redacted {
        call.sig = Some(context.judge(call, kind).0.sig);
    }
}

fn ids(path: &Path) -> eyre::Result<HashSet<Id>> {
    let reader = Reader::open(path)?;
    let entries = reader.entries(Position::default());
    Ok(entries.filter_map(|entry| Some(entry.ok()?.id)).collect())
}
