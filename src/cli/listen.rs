//! `hooktape listen`: the same listener without the TUI, one line a call.

use std::sync::Arc;

use color_eyre::eyre;
use serde_json::json;

use crate::cli::context::{Context, stop_signal};
use crate::cli::{Format, LaneArgs, Outcome, print};
use crate::net::{base_url, listener};
use crate::recording::Recorded;

pub(super) async fn run(context: &Context, args: &LaneArgs) -> eyre::Result<Outcome> {
    let (lines, mut printed) = tokio::sync::mpsc::unbounded_channel::<Recorded>();
    for sentence in context.config.warnings.iter().chain(&context.config.problems()) {
        print::note(&format!("hooktape: {sentence}"));
    }
    let recorder = context.recorder(&args.record, Box::new(move |event| drop(lines.send(event))))?;
    let socket = listener::bind(context.config.listen.address).await?;
    let address = socket.local_addr()?;
    // The URL comes first, so that a script that let us choose the port knows where to call.
    announce(context, &base_url(address), recorder.path())?;
    let lane = Arc::new(context.lane(recorder.clone()));
    let serving = listener::serve(socket, lane, stop_signal()?);
    let format = context.format;
    let platforms = context.platforms.clone();
    let printing = tokio::task::spawn_blocking(move || {
        // A reader that goes away ends the printing, not the listening.
        let mut read = true;
        while let Some(event) = printed.blocking_recv() {
            match event {
                Recorded::Call(call, _) if read => {
                    read = print::out(&print::call_line(&call, &platforms, format)).is_ok();
                }
                other => print::trouble(&other),
            }
        }
    });
    serving.await;
    recorder.close().await;
    printing.await?;
    Ok(Outcome::Yes)
}

/// Says where the listener is.
pub(super) fn announce(context: &Context, url: &str, recording: &std::path::Path) -> std::io::Result<()> {
    match context.format {
        Format::Text => {
            print::out(&format!("listening {url}"))?;
            print::note(&format!("recording to {}", recording.display()));
            Ok(())
        }
        Format::Json => {
            print::out(&json!({ "schema": 1, "event": "listening", "url": url, "recording": recording }).to_string())
        }
    }
}
