//! `hooktape listen`: the same listener without the TUI, one line a call.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use color_eyre::eyre;
use serde_json::json;
use tokio::runtime::Handle;

use crate::cli::context::{Context, stop_signal};
use crate::cli::lane::Bound;
use crate::cli::print::Said;
use crate::cli::{Format, LaneArgs, Outcome, print};
use crate::config::Respond;
use crate::net::base_url;
use crate::net::responder::{Health, Responders, Told};
use crate::net::tls::Identity;
use crate::net::tunnel::Tunnel;
use crate::recording::backlog::backlog;
use crate::recording::{Recorded, Redaction};

/// Most remarks that wait for somebody to read them; further ones are left out. None of them holds up a call.
const MOST_REMARKS: usize = 1000;

pub(super) async fn run(context: &Context, args: &LaneArgs) -> eyre::Result<Outcome> {
    let (teller, told) = backlog();
    for sentence in context.config.warnings.iter().chain(&context.config.problems()) {
        print::note(&format!("hooktape: {sentence}"));
    }
    let bound = Bound::new(context).await?;
    let address = bound.address;
    let recorder = context.recorder(&args.record, Box::new(move |event| teller.tell(event)))?;
    // The URL comes first, so that a script that let us choose the port knows where to call.
    announce(context, &base_url(address), recorder.path())?;
    let lane = Arc::new(context.lane(recorder.clone())?);
    let format = context.format;
    let (say, said) = sync_channel(MOST_REMARKS);
    let remarks = tokio::task::spawn_blocking(move || said.iter().map_while(|said| said).for_each(Said::print));
    let of_tunnel = {
        let (say, mask) = (say.clone(), context.mask()?);
        move |tunnel| drop(say.try_send(Some(of_tunnel(&tunnel, format, mask.as_deref()))))
    };
    tell_of(context, &lane.responders, say.clone())?;
    if let Some(identity) = &lane.tls {
        print::note(&with_tls(address, identity));
    }
    let stop = stop_signal()?;
    let serving = bound.serve(context, lane, of_tunnel)?;
    let (platforms, mut told) = (context.platforms.clone(), told.of(recorder.path()));
    let printing = tokio::task::spawn_blocking(move || {
        // A reader that goes away ends the printing, not the listening; one that reads nothing holds up nobody.
        let mut read = true;
        while let Some(event) = Handle::current().block_on(told.next()) {
            match event {
                Recorded::Call(call, _) if read => {
                    let text = print::call_line(&call, &platforms, format);
                    drop(call);
                    read = print::out(&text).is_ok();
                }
                other => print::trouble(&other),
            }
        }
    });
    stop.await;
    serving.end().await?;
    recorder.close().await;
    let printed = async {
        printing.await?;
        // Where there is no room for the end, nobody reads.
        if say.try_send(None).is_ok() {
            remarks.await?;
        }
        Ok::<_, eyre::Report>(())
    };
    tokio::select! {
        printed = printed => printed?,
        // Whoever reads slowly may have the rest of the lines; asked a second time, it ends without.
        () = stop_signal()? => {}
    }
    Ok(Outcome::Yes)
}

/// The public address is a result, all else a remark, in which the program's last words may be about its own token.
pub(super) fn of_tunnel(tunnel: &Tunnel, format: Format, mask: Option<&Redaction>) -> Said {
    match (tunnel, format) {
        (Tunnel::Up(url), Format::Text) => Said::Out(format!("public {url}")),
        (Tunnel::Up(url), Format::Json) => Said::Out(json!({ "schema": 1, "event": "public", "url": url }).to_string()),
        (tunnel, _) => {
            let text = tunnel.to_string();
            Said::Note(format!("hooktape: {}", mask.map_or(text.as_str().into(), |mask| mask.prose(&text))))
        }
    }
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

/// Says on standard error what answers, without the secrets of the addresses of targets.
pub(super) fn tell_what_answers(responders: &Responders, redaction: &Redaction) {
    for slot in responders.slots() {
        if slot.respond != Respond::default() {
            let told = format!("{} is answered with: {}", slot.whose, slot.respond);
            print::note(&redaction.text(&told));
        }
        if slot.respond.hold.is_some() {
            print::note(&format!(
                "hooktape: {}: holding a call needs the terminal program; here it is answered at once",
                slot.whose
            ));
        }
    }
}

/// The same, and what becomes of it.
fn tell_of(context: &Context, responders: &Responders, say: SyncSender<Option<Said>>) -> eyre::Result<()> {
    let (mask, redaction) = (context.mask()?, context.redaction()?);
    tell_what_answers(responders, &redaction);
    let observer = move |told| {
        let note = match told {
            Told::Target(name, Health::Down(why)) => {
                format!("hooktape: target {} is down: {why}", redaction.text(&name))
            }
            Told::Target(name, Health::Up) => format!("target {} is up", redaction.text(&name)),
            Told::Hit { whose, left: 0 } => format!("{whose}: the fault is spent"),
            Told::Deaf(why) => format!("hooktape: {why}"),
            Told::Refused(refused) => format!("hooktape: {}", refused.told(mask.as_deref())),
            Told::Hit { .. } | Told::Held(_) | Told::Gone(..) => return,
        };
        let _ = say.try_send(Some(Said::Note(note)));
    };
    responders.observe(Box::new(observer), false);
    Ok(())
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
