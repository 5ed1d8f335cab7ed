//! `hooktape listen`: the same listener without the TUI, one line a call.

use std::io::Write;
use std::sync::Arc;

use color_eyre::eyre;
use serde_json::json;

use crate::cli::context::{Context, stop_signal};
use crate::cli::{Format, LaneArgs, Outcome, print};
use crate::net::{base_url, listener};
use crate::recording::{Entry, Recorded};

pub(super) async fn run(context: &Context, args: &LaneArgs) -> eyre::Result<Outcome> {
    let (lines, mut printed) = tokio::sync::mpsc::unbounded_channel::<Recorded>();
    for sentence in context.config.warnings.iter().chain(&context.config.problems()) {
        eprintln!("hooktape: {}", crate::visible::line(sentence));
    }
    let (recorder, opened) = context.record(&args.record, Box::new(move |event| drop(lines.send(event))))?;
    if let Some(torn) = opened.torn {
        eprintln!("hooktape: {torn}");
    }
    let socket = listener::bind(context.config.listen.address).await?;
    let address = socket.local_addr()?;
    // The URL comes first, so that a script that let us choose the port knows where to call.
    announce(context, &base_url(address), recorder.path())?;
    let lane = Arc::new(context.lane(recorder.clone()));
    let serving = listener::serve(socket, lane, stop_signal()?);
    let format = context.format;
    let platforms = context.platforms.clone();
    let printing = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        while let Some(event) = printed.blocking_recv() {
            match event {
                Recorded::Call(call, place) => {
                    let entry = Entry::from_call(&call, place);
                    writeln!(out, "{}", print::call_line(&entry, Some(&call), &platforms, format))?;
                }
                Recorded::Failed { unrecorded, reason } => {
                    eprintln!("hooktape: {unrecorded} calls are not in the recording: {reason}");
                }
                Recorded::Reopened { reason, .. } => eprintln!("hooktape: {reason}"),
            }
            if printed.is_empty() {
                out.flush()?;
            }
        }
        Ok(())
    });
    serving.await;
    recorder.close().await;
    // A reader that went away ends the printing, not the listening; there is nothing left to print now.
    let _ = printing.await?;
    Ok(Outcome::Yes)
}

fn announce(context: &Context, url: &str, recording: &std::path::Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match context.format {
        Format::Text => {
            writeln!(out, "listening {url}")?;
            eprintln!("recording to {}", recording.display());
        }
        Format::Json => {
            let line = json!({ "schema": 1, "event": "listening", "url": url, "recording": recording });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
}
