//! `hooktape send WHAT --to TARGET|URL`: make, sign and send one call.

use color_eyre::eyre::{self, eyre};

use crate::cli::context::{Context, data_dir};
use crate::cli::draft::DraftArgs;
use crate::cli::replay::args::{Sign, TargetArgs};
use crate::cli::{Outcome, RecordArgs, print};
use crate::net::outgoing::{Outgoing, SignMode};
use crate::replay::took;
use crate::replay::variables::Variables;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What.
    #[command(flatten)]
    draft: DraftArgs,
    /// Where to: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: String,
    /// The target's terms.
    #[command(flatten)]
    target: TargetArgs,
    /// Sign anew, or send the headers as they are
    #[arg(long, value_enum, default_value_t = Sign::Fresh)]
    sign: Sign,
    /// Make known as variables what the answer holds under `context` and `output`
    #[arg(long)]
    register: bool,
    /// Send to a guarded target without asking
    #[arg(long)]
    yes: bool,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let mut draft = args.draft.read(context)?;
    draft.fill()?;
    let target = args.target.apply(context.target(&args.to)?)?;
    if !args.yes {
        super::replay::confirm(&target, 1)?;
    }
    let mode = SignMode::from(args.sign);
    let kind = draft.kind.as_deref().and_then(|name| context.platforms.kind(name));
    let outgoing = Outgoing::aim(draft.request, kind, &target, mode, &context.keyring, None).map_err(|e| eyre!(e))?;
    let recorder = context.recorder(&args.record, Box::new(drop))?;
    let call = context.sender()?.send(outgoing.repeating(draft.parent)).await;
    let written = recorder.record(call.clone()).await;
    recorder.close().await;
    // As it is recorded: perhaps masked. Whether or not it could be: it has left, and what came back is to be seen.
    print::out(&print::sent(context, written.as_deref().unwrap_or(&call)))?;
    written?;
    if args.register {
        let path = Variables::path(&data_dir()?);
        let mut known = Variables::load(&path).map_err(|error| eyre!(error))?;
        let names = known.register(&call, &context.redaction()?);
        known.save(&path).map_err(|error| eyre!(error))?;
        print::note(&format!("{}: {}", print::count(names.len() as u64, "variable"), names.join(", ")));
    }
    Ok(took(&call).into())
}
