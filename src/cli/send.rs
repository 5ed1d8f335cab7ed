//! `hooktape send KIND --to TARGET|URL`: make, sign and send one call.

use std::io::Read as _;
use std::path::PathBuf;

use color_eyre::eyre::{self, WrapErr, eyre};

use crate::cli::context::Context;
use crate::cli::{Outcome, RecordArgs, print};
use crate::net::outgoing::{Outgoing, SignMode};
use crate::replay::{Change, change, took};

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The kind of call, as in moveo/dialog (`hooktape platforms` lists them)
    kind: String,
    /// Where to: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: String,
    /// The payload, from a file or (-) from standard input [default: the built-in sample]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Put a value into the payload, as in /input/text=hello (repeatable)
    #[arg(long, value_name = "/POINTER=VALUE")]
    set: Vec<Change>,
    /// Set a header (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = parse_header)]
    header: Vec<(String, String)>,
    /// Sign anew, or send the headers as they are
    #[arg(long, value_enum, default_value_t = super::replay::Sign::Fresh)]
    sign: super::replay::Sign,
    /// Send to a guarded target without asking
    #[arg(long)]
    yes: bool,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
}

pub(super) fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("{text:?} is not of the form NAME: VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let kind = context.kind(&args.kind)?;
    let mut request = kind.sample();
    if let Some(data) = &args.data {
        request.body = payload(data)?.into();
    }
    change(&mut request, &args.set).map_err(|error| eyre!("--set: {error}"))?;
    for (name, value) in &args.header {
        request.headers.set(name, value.clone());
    }
    let target = context.target(&args.to)?;
    if !args.yes {
        super::replay::confirm(&target, 1)?;
    }
    let mode = SignMode::from(args.sign);
    let outgoing = Outgoing::aim(request, Some(kind), &target, mode, &context.keyring, None).map_err(|e| eyre!(e))?;
    let recorder = context.recorder(&args.record, Box::new(drop))?;
    let call = context.sender()?.send(outgoing).await;
    // Whether or not it could be recorded: it has left, and what came back is to be seen.
    let written = recorder.record(call.clone()).await;
    recorder.close().await;
    print::out(&print::sent(context, &call))?;
    written?;
    Ok(took(&call).into())
}

fn payload(path: &std::path::Path) -> eyre::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).wrap_err("cannot read the payload from standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).wrap_err_with(|| format!("cannot read the payload from {}", path.display()))
}
