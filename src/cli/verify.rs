//! `hooktape verify FILE`: check every signature again with the secrets at hand.

use std::fmt::Write as _;
use std::path::PathBuf;

use color_eyre::eyre;
use serde_json::json;

use crate::call::Sig;
use crate::cli::context::Context;
use crate::cli::damage::Damaged;
use crate::cli::show::{fits, parse_query};
use crate::cli::{Format, Outcome, print};
use crate::recording::{Position, Reader};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Which calls to check
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    query: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let query = parse_query(context, args.query.as_deref())?;
    let reader = Reader::open(&args.file)?;
    let marks = reader.marks();
    let (mut checked, mut wrong, mut damaged) = (0_u64, 0_u64, Damaged::default());
    let (mut calls, mut strange) = (0_u64, 0_u64);
    let (mut keyless, mut masked, mut unsigned) = (0_u64, 0_u64, 0_u64);
    let mut entries = reader.entries(Position::default());
    for entry in &mut entries {
        let Some(entry) = damaged.entry(entry) else { continue };
        if damaged.passed_over(fits(&query, &entry, &reader, &marks))? != Some(true) {
            continue;
        }
        calls += 1;
        let kind = context.platforms.kind(entry.kind.as_deref());
        let Some(call) = damaged.passed_over(reader.call(entry.place))? else { continue };
        let Some((verdict, why)) = context.judge(&call, kind) else {
            strange += 1;
            continue;
        };
        let name = kind.map(|kind| &*kind.name);
        match verdict.sig {
            _ if call.request.redacted => masked += 1,
            Sig::NoSecret => keyless += 1,
            Sig::Unsigned => unsigned += 1,
            sig => {
                checked += 1;
                wrong += u64::from(sig != Sig::Valid);
            }
        }
        let line = match context.format {
            Format::Json => json!({
                "schema": 1, "id": call.id, "kind": name, "sig": verdict.sig, "recorded_sig": call.sig,
                "redacted": call.request.redacted, "reason": verdict.reason, "why": why, "secret": verdict.secret,
            })
            .to_string(),
            Format::Text => {
                let id = print::short(call.id);
                let word = if call.request.redacted { "masked" } else { verdict.sig.word() };
                let mut text = format!("{id} {word:9} {:23} {}", name.unwrap_or("-"), visible::line(&verdict.reason));
                if let Some(sig) = call.sig.filter(|_| call.request.redacted) {
                    let _ = write!(text, "; it was {} when it was recorded", sig.word());
                }
                for sentence in &why {
                    text.push_str("\n    ");
                    text.push_str(&visible::line(sentence));
                }
                text
            }
        };
        print::result(&line)?;
    }
    print::unfinished(&entries);
    let whole = damaged.end();
    // Who checks a file wants to know that it was checked: a slip in a query is no success.
    let nothing = checked == 0;
    if nothing || context.format == Format::Text {
        let mut told = format!("{} checked, {wrong} not valid", visible::count(checked, "signature"));
        for (count, why) in
            [(keyless, "without a secret"), (masked, "masked"), (unsigned, "unsigned"), (strange, "not recognised")]
        {
            if count > 0 {
                let _ = write!(told, ", {count} {why}");
            }
        }
        match &args.query {
            _ if !nothing => {}
            Some(query) if calls == 0 => {
                let _ = write!(told, ": no call fits --query {query}");
            }
            _ => told.push_str(": none could be checked"),
        }
        print::note(&told);
    }
    Ok((wrong == 0 && keyless == 0 && masked == 0 && !nothing && whole).into())
}
