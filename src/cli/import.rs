//! `hooktape import FILE|-`: calls from the forms of others, into a recording.

mod there;

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;

use self::there::There;
use crate::call::{Call, Sig};
use crate::cli::context::Context;
use crate::cli::{Format as Printed, Outcome, RecordArgs, print};
use crate::platform::own_secrets;
use crate::recording::export::Format;
use crate::recording::import::{self, ImportError, Imported};
use crate::recording::{Annotation, Recorded};
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
    let told = |error: &ImportError| eyre!("{}", visible::line(&format!("{name}, read as {from}: {error}")));
    let Imported { mut calls, mut said, skipped, more } =
        import::calls(&text, from, Timestamp::now()).map_err(|error| told(&error))?;
    if let Some(first) = skipped.first().filter(|_| calls.is_empty() && said.is_empty()) {
        return Err(told(first));
    }
    for call in &mut calls {
        judge(context, call);
    }
    // What could not be written is told in the end, with how much that is.
    let observer = |event| {
        if !matches!(event, Recorded::Failed { .. }) {
            print::trouble(&event);
        }
    };
    let recorder = context.recorder(&args.record, Box::new(observer))?;
    // What was imported before is not imported again, and what is there twice only once.
    let named = calls.iter().map(|call| call.id).chain(said.iter().map(|one| one.call));
    let there = There::read(recorder.path(), &named.map(import::name_of).collect())?;
    let found = calls.len();
    let aside = there.aside(calls.iter().map(|call| call.id));
    let aside = if aside.is_empty() { String::new() } else { format!(" (see {})", aside.join(", ")) };
    let mut known = HashSet::new();
    calls.retain(|call| !there.has(call.id) && known.insert(import::name_of(call.id)));
    let (refused, strayed) = there.choose(&mut said);
    let (new, mut taken, mut written, mut told) = (calls.len(), 0, Ok(()), Ok(()));
    // What is said of a call stands in its file, which may be set aside with the next call that is recorded.
    let (of_new, of_there): (Vec<Annotation>, Vec<Annotation>) = said.into_iter().partition(|one| !there.has(one.call));
    let mut of_new = of_new.into_iter().fold(HashMap::<u128, Vec<Annotation>>::new(), |mut all, one| {
        all.entry(import::name_of(one.call)).or_default().push(one);
        all
    });
    for annotation in of_there {
        if written.is_ok() {
            written = recorder.annotate(annotation).await.map(drop);
        }
    }
    for call in calls {
        if written.is_err() {
            break;
        }
        match recorder.record(call).await {
            Ok(call) => {
                taken += 1;
                for annotation in of_new.remove(&import::name_of(call.id)).unwrap_or_default() {
                    if written.is_ok() {
                        written = recorder.annotate(Annotation { call: call.id, ..annotation }).await.map(drop);
                    }
                }
                if told.is_ok() {
                    told = print::result(&print::call_line(&call, &context.platforms, context.format));
                }
            }
            Err(error) => written = Err(error),
        }
    }
    let path = recorder.path().to_owned();
    recorder.close().await;
    written.wrap_err_with(|| {
        format!("{taken} of {} imported: import again for the rest, once that is mended", visible::count(new, "call"))
    })?;
    for skipped in &skipped {
        print::note(&visible::line(&format!("hooktape: left out of {name}: {skipped}")));
    }
    if more > 0 {
        print::note(&visible::line(&format!("hooktape: left out of {name}: {} more", visible::count(more, "entry"))));
    }
    if context.format == Printed::Text {
        let calls = visible::count(new, "call");
        let again = if found > new { format!("; {} there already{aside}", found - new) } else { String::new() };
        print::note(&format!("{calls} from {from} to {}{again}", path.display()));
    }
    let alone: usize = of_new.values().map(Vec::len).sum();
    let reasons = [
        (refused, "the calls there have marks or notes of their own"),
        (strayed, "their calls are in files that were set aside: what is said of a call goes only into its own"),
        (alone, "their calls are not there"),
    ];
    for (number, why) in reasons.into_iter().filter(|(number, _)| *number > 0) {
        print::note(&format!("hooktape: {} not taken: {why}", visible::count(number, "remark")));
    }
    told?;
    Ok(skipped.is_empty().into())
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
    // A listener has nothing judged that was no request.
    if call.is_no_request() {
        return;
    }
    let routed = context.config.route(call.request.path()).and_then(|route| route.kind.as_deref());
    let known = context.platforms.kind(call.kind.as_deref().or(routed));
    let Some(kind) = known.or_else(|| context.platforms.recognise(&call.request).kind) else { return };
    if call.kind.is_none() {
        call.kind = Some(kind.name.clone());
    }
    if call.conversation.is_none() {
        call.conversation = kind.read(&call.request).conversation;
    }
    // Masked, it cannot be checked; and what was found at the time is more than what can be found now.
    if matches!(call.sig, None | Some(Sig::NoSecret)) && !call.request.redacted {
        let own = own_secrets(&context.config, call);
        call.sig = Some(context.keyring.sig(&context.platforms, &call.request, Some(kind), &own, call.at));
    }
}
