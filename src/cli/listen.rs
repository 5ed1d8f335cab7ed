//! `hooktape listen`: the same listener without the TUI, one line a call.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre;
use serde_json::json;

use crate::cli::context::{Context, stop_signal};
use crate::cli::{Format, LaneArgs, Outcome, print};
use crate::config::Respond;
use crate::net::listener::Lane;
use crate::net::responder::{Health, Responders, Told};
use crate::net::tls::Identity;
use crate::net::tunnel::{Keeper, Tunnel};
use crate::net::{base_url, listener};
use crate::recording::Recorded;

/// How often the targets that calls are forwarded to are looked at.
const WATCH: Duration = Duration::from_secs(5);

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
    let lane = Arc::new(context.lane(recorder.clone())?);
    let format = context.format;
    let tunnel = tunnel(context, address, &lane, move |tunnel| tell_of_tunnel(&tunnel, format))?;
    tell_of(&lane.responders);
    if let Some(identity) = &lane.tls {
        print::note(&with_tls(address, identity));
    }
    let watched = lane.responders.clone();
    let watching = tokio::spawn(async move { watched.watch(WATCH).await });
    let serving = listener::serve(socket, lane, stop_signal()?);
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
    watching.abort();
    if let Some(tunnel) = tunnel {
        tunnel.stop().await;
    }
    recorder.close().await;
    printing.await?;
    Ok(Outcome::Yes)
}

/// The tunnel, if one is configured.
pub(super) fn tunnel(
    context: &Context,
    address: SocketAddr,
    lane: &Lane,
    observer: impl Fn(Tunnel) + Send + Sync + 'static,
) -> eyre::Result<Option<Keeper>> {
    let listen = &context.config.listen;
    let Some(command) = &listen.tunnel else { return Ok(None) };
    let keeper = Keeper::start(listen, command, address, lane.reach.clone(), Box::new(observer));
    keeper.map(Some).map_err(|error| eyre::eyre!(error))
}

/// The public address is a result, all else a remark. Nobody reading the one is no reason to end.
pub(super) fn tell_of_tunnel(tunnel: &Tunnel, format: Format) {
    let _ = match (tunnel, format) {
        (Tunnel::Up(url), Format::Text) => print::out(&format!("public {url}")),
        (Tunnel::Up(url), Format::Json) => {
            print::out(&json!({ "schema": 1, "event": "public", "url": url }).to_string())
        }
        (tunnel, _) => {
            print::note(&format!("hooktape: {tunnel}"));
            Ok(())
        }
    };
}

/// Where TLS is spoken, and how to have its certificate trusted.
pub(super) fn with_tls(address: SocketAddr, identity: &Identity) -> String {
    let url = base_url(address).replacen("http", "https", 1);
    let file = identity.certificate.display();
    if identity.self_signed {
        format!(
            "also at {url}, with a certificate of its own: curl --cacert {file}, or NODE_EXTRA_CA_CERTS={file} node …"
        )
    } else {
        format!("also at {url}, with the certificate {file}")
    }
}

/// Says on standard error what answers, and what becomes of it.
fn tell_of(responders: &Responders) {
    for slot in responders.slots() {
        if slot.respond != Respond::default() {
            print::note(&format!("{} is answered with: {}", slot.whose, slot.respond));
        }
        if slot.respond.hold.is_some() {
            print::note(&format!(
                "hooktape: {}: holding a call needs the terminal program; here it is answered at once",
                slot.whose
            ));
        }
    }
    let observer = |told| match told {
        Told::Target(name, Health::Down(why)) => print::note(&format!("hooktape: target {name} is down: {why}")),
        Told::Target(name, Health::Up) => print::note(&format!("target {name} is up")),
        Told::Hit { whose, left: Some(0) } => print::note(&format!("{whose}: the fault is spent")),
        Told::Refused(refused) => print::note(&format!("hooktape: {refused}")),
        Told::Hit { .. } | Told::Held(_) | Told::Gone(..) => {}
    };
    responders.observe(Box::new(observer), false);
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
