//! `hooktape demo`: a conversation of built-in signed traffic through the real listener.

use std::sync::Arc;

use color_eyre::eyre::{self, eyre};

use crate::cli::context::Context;
use crate::cli::{Format, Outcome, RecordArgs, print};
use crate::net::{base_url, demo, listener};
use crate::recording::Recorded;
use crate::recording::backlog::backlog;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only the calls of this platform, as in moveo
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let platform = args.platform.as_deref();
    if let Some(name) = platform.filter(|name| context.platforms.pack(name).is_none()) {
        return Err(super::platforms::unknown(&context.platforms, name));
    }
    let (teller, told) = backlog();
    let recorder = context.recorder(&args.record, Box::new(move |event| teller.tell(event)))?;
    let mut told = told.of(recorder.path());
    let path = recorder.path().to_owned();
    // Any free port will do: nobody else is to call it.
    let socket = listener::bind(([127, 0, 0, 1], 0).into()).await?;
    let base = base_url(socket.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let lane = Arc::new(context.lane(recorder.clone())?);
    let serving = tokio::spawn(listener::serve(socket, lane, async move {
        let _ = stopped.await;
    }));
    let sender = context.sender();
    let calls = demo::conversation_with(&context.platforms, platform, &context.keyring, &base);
    for outgoing in calls.map_err(|error| eyre!(error))? {
        let call = sender.send(outgoing).await;
        if let Some(error) = call.error {
            return Err(eyre!("the demo stopped: {error}"));
        }
    }
    let _ = stop.send(());
    serving.await?;
    recorder.close().await;
    while let Some(event) = told.next().await {
        match event {
            Recorded::Call(call, _) => print::out(&print::call_line(&call, &context.platforms, context.format))?,
            other => print::trouble(&other),
        }
    }
    if context.format == Format::Text {
        print::note(&format!("recorded to {0}\nlook at it with: hooktape open {0}", path.display()));
    }
    Ok(Outcome::Yes)
}
