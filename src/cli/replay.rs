//! `hooktape replay FILE --to TARGET|URL`: send recorded calls again.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::ValueEnum;
use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;
use serde_json::json;

use crate::call::{Call, Direction};
use crate::cli::context::Context;
use crate::cli::show::{fits, parse_query};
use crate::cli::{Format, Outcome, RecordArgs, print};
use crate::config::{Secret, Target};
use crate::net::outgoing::{Outgoing, SignMode, Signing};
use crate::recording::{Place, Position, Reader};
use crate::replay::{self, Change, Pace, Plan, took};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags are bools")]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Where to: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: String,
    /// Which calls; without --sent, of those that were received
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    query: Option<String>,
    /// Calls that were sent from here count as well
    #[arg(long)]
    sent: bool,
    /// Sign anew at the moment of sending, or keep each signature exactly
    #[arg(long, value_enum, default_value_t = Sign::Fresh)]
    sign: Sign,
    /// Put a value into each payload, as in /input/text=hello (repeatable)
    #[arg(long, value_name = "/POINTER=VALUE")]
    set: Vec<Change>,
    /// When each leaves: asap, original, or a factor such as 2x
    #[arg(long, default_value = "asap")]
    pace: Pace,
    /// End with the first call that is not answered with 2xx
    #[arg(long)]
    stop_on_failure: bool,
    /// Say what would go where, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send to a guarded target without asking
    #[arg(long)]
    yes: bool,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
}

/// How calls are signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Sign {
    /// Anew, with the target's secret.
    Fresh,
    /// Header and bytes as they are.
    Exact,
}

impl From<Sign> for SignMode {
    fn from(sign: Sign) -> Self {
        match sign {
            Sign::Fresh => Self::Fresh,
            Sign::Exact => Self::Exact,
        }
    }
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let query = parse_query(context, args.query.as_deref())?;
    let reader = Reader::open(&args.file)?;
    let marks = reader.marks();
    let mut places: Vec<Place> = Vec::new();
    for entry in reader.entries(Position::default()) {
        match entry {
            Ok(entry) if entry.direction == Direction::Sent && !args.sent => {}
            Ok(entry) if fits(&query, &entry, &reader, &marks)? => places.push(entry.place),
            Ok(_) => {}
            Err(damage) => print::note(&format!("hooktape: {damage}")),
        }
    }
    let plan = Plan {
        target: context.target(&args.to)?,
        mode: args.sign.into(),
        changes: args.set.clone(),
        pace: args.pace,
        stop_on_failure: args.stop_on_failure,
    };
    let calls = places.iter().map(|place| reader.call(*place).map_err(|error| error.to_string()));
    let prepare = |call: &Call| {
        plan.outgoing(call, &context.platforms, &context.keyring, None).map_err(|error| format!("{}: {error}", call.id))
    };
    if args.dry_run {
        for call in calls {
            let call = call.map_err(|error| eyre!(error))?;
            print::out(&planned(context, &call, &prepare(&call).map_err(|error| eyre!(error))?))?;
        }
        return Ok(Outcome::Yes);
    }
    if places.is_empty() {
        let hint = if args.sent { "" } else { "; --sent takes those that were sent from here, too" };
        // Not a success: a slip in a query would else pass for a replay that went well.
        return Err(eyre!("no call to send{hint}"));
    }
    if !args.yes {
        confirm(&plan.target, places.len())?;
    }
    let recorder = context.recorder(&args.record, Box::new(|event| print::trouble(&event)))?;
    let sender = context.sender()?;
    let send = |outgoing: Outgoing| {
        let (sender, recorder) = (&sender, &recorder);
        async move { sender.deliver(outgoing, recorder).await.map_err(|error| error.to_string()) }
    };
    let mut broken = None;
    let report = |original: &Call, call: &std::sync::Arc<Call>| {
        if let Err(error) = print::out(&replayed(context, original, call)) {
            broken.get_or_insert(error);
        }
    };
    let result = replay::run(&plan, calls, prepare, send, report).await;
    recorder.close().await;
    if let Some(error) = broken {
        return Err(error.into());
    }
    let tally = result.map_err(|error| eyre!(error))?;
    if context.format == Format::Text {
        print::note(&format!("{} fine, {} failed", tally.fine, tally.failed));
    }
    Ok((tally.failed == 0).into())
}

/// What `--dry-run` says of a call.
fn planned(context: &Context, call: &Call, outgoing: &Outgoing) -> String {
    let verdict = outgoing.verdict(&context.platforms, &context.keyring, Timestamp::now());
    let found = verdict.as_ref().filter(|verdict| verdict.needs_explaining());
    let (sign, secret) = match &outgoing.signing {
        Signing::Exact => ("exact", None),
        Signing::Fresh(secret) => ("fresh", secret.as_ref().map(Secret::label)),
    };
    let signing = match (found, secret) {
        (Some(verdict), _) => format!("{sign}: {}, {}", verdict.sig.word(), verdict.reason),
        (None, Some(secret)) => format!("{sign} with {secret}"),
        (None, None) => sign.to_owned(),
    };
    match context.format {
        Format::Json => json!({
            "schema": 1, "id": call.id, "kind": call.kind, "method": outgoing.request.method,
            "url": outgoing.url.as_str(), "size": outgoing.request.body.len(), "sign": sign, "secret": secret,
            "sig": verdict.as_ref().map(|verdict| verdict.sig),
            "reason": found.map(|verdict| &verdict.reason),
        })
        .to_string(),
        Format::Text => format!(
            "{} {} {} {} ({} bytes, {})",
            print::short(call.id),
            visible::line(call.kind.as_deref().unwrap_or("-")),
            visible::line(&outgoing.request.method),
            visible::line(outgoing.url.as_str()),
            outgoing.request.body.len(),
            visible::line(&signing),
        ),
    }
}

/// What is said of a call that was sent again.
fn replayed(context: &Context, original: &Call, call: &Call) -> String {
    if context.format == Format::Json {
        return print::sent_json(context, call);
    }
    let answer = match (&call.error, call.status()) {
        (Some(error), _) => visible::line(error).into_owned(),
        (None, status) => format!("{} in {}", status.unwrap_or_default(), print::millis(call)),
    };
    format!(
        "{} {} {:22} {} {answer}",
        if took(call) { "ok  " } else { "FAIL" },
        print::short(original.id),
        visible::line(call.kind.as_deref().unwrap_or("-")),
        call.sig.map_or("", crate::call::Sig::word),
    )
}

/// Asks before `count` calls go to a guarded target.
///
/// # Errors
/// When the answer is not yes, or there is nobody to ask.
pub(super) fn confirm(target: &Target, count: usize) -> eyre::Result<()> {
    if !target.guard {
        return Ok(());
    }
    let calls = print::count(count as u64, "call");
    let question = format!("send {calls} to the guarded target {} at {}?", target.name, target.url);
    if !std::io::stdin().is_terminal() {
        return Err(eyre!("nobody can be asked: {question} --yes says so beforehand"));
    }
    write!(std::io::stderr(), "{} [y/N] ", visible::line(&question))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(eyre!("not sent")) }
}
