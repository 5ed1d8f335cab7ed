//! What it costs to capture a call: a server that only reads and answers, the same with a signature check, and
//! hooktape's listener, which recognises, judges and writes each call before it answers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use hooktape::config::{Config, Secret, Secrets};
use hooktape::net::listener::{self, Lane};
use hooktape::platform::{Keyring, Platforms};
use hooktape::recording::backlog::backlog;
use hooktape::recording::{Index, Options, Recorded, Recorder, View};
use tokio::net::TcpListener;

use crate::load::{self, Done};
use crate::measure::{self, Sample};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contestant {
    Bare,
    Hmac,
    Hooktape { fsync: bool },
}

const CONTESTANTS: [(&str, Contestant); 4] = [
    ("axum: reads and answers", Contestant::Bare),
    ("the same and HMAC", Contestant::Hmac),
    ("hooktape", Contestant::Hooktape { fsync: false }),
    ("hooktape --fsync", Contestant::Hooktape { fsync: true }),
];

/// Calls a second and CPU microseconds a call: of the server, and of the load.
#[derive(Clone, Debug, Default)]
struct Figures {
    rate: Sample,
    cpu: Sample,
    load: Sample,
}

/// Prints the figures for bodies of 2 and of 20 KB.
pub fn run(folder: &Path, rounds: usize, time: Duration, only: Option<&str>) {
    for (size, rate, cpu) in [(2_000, 0.60, Some(2.0)), (20_000, 0.30, None)] {
        let mut figures = vec![Figures::default(); CONTESTANTS.len()];
        measure::take_turns(rounds, CONTESTANTS.len(), |turn| {
            if only.is_some_and(|only| only != CONTESTANTS[turn].0) {
                return;
            }
            let done = round(CONTESTANTS[turn].1, folder, size, time);
            let figures = &mut figures[turn];
            figures.rate.push(done.calls / done.seconds);
            figures.cpu.push(done.server * 1e6 / done.calls);
            figures.load.push(done.load * 1e6 / done.calls);
        });
        if only.is_some() {
            continue;
        }
        println!("\nCapture: bodies of {size} bytes, {} connections, {rounds} rounds of {time:?}", load::CONNECTIONS);
        println!("  {:<26}{:<26}{:<26}of the load", "", "calls/s", "CPU us/call");
        for ((name, _), Figures { rate, cpu, load }) in CONTESTANTS.iter().zip(&figures) {
            println!("  {name:<26}{rate:<26}{cpu:<26}{load}");
        }
        let [bare, _, hooktape, synced] = &figures[..] else { return };
        measure::judge("hooktape's calls/s to bare axum's", &hooktape.rate.ratio(&bare.rate), rate, true);
        if let Some(target) = cpu {
            measure::judge("its CPU a call", &hooktape.cpu.ratio(&bare.cpu), target, false);
            measure::judge("its calls/s with --fsync", &synced.rate.ratio(&bare.rate), 0.45, true);
        }
    }
}

/// CPU microseconds that hooktape takes for a call with a body of `size` bytes.
pub fn cost(folder: &Path, size: usize, time: Duration) -> f64 {
    let done = round(Contestant::Hooktape { fsync: false }, folder, size, time);
    done.server * 1e6 / done.calls
}

/// One server from its start to its end.
fn round(contestant: Contestant, folder: &Path, size: usize, time: Duration) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = socket.local_addr().unwrap();
        match contestant {
            Contestant::Bare | Contestant::Hmac => {
                plain(socket, address, contestant == Contestant::Hmac, size, time).await
            }
            Contestant::Hooktape { fsync } => hooktape(socket, address, fsync, folder, size, time).await,
        }
    })
}

async fn plain(socket: TcpListener, address: SocketAddr, hmac: bool, size: usize, time: Duration) -> Done {
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        let valid = || headers.get("x-moveo-signature").is_some_and(|given| *given == load::signature(&body));
        if hmac && !valid() { (StatusCode::UNAUTHORIZED, "") } else { (StatusCode::OK, "{\"recorded\":true}") }
    };
    let app = axum::Router::new().fallback(answer);
    let socket = socket.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(socket, app).await });
    load::run(address, size, time).await
}

async fn hooktape(
    socket: TcpListener,
    address: SocketAddr,
    fsync: bool,
    folder: &Path,
    size: usize,
    time: Duration,
) -> Done {
    let path = folder.join("capture.jsonl");
    let (teller, told) = backlog();
    let observer = Box::new(move |event| teller.tell(event));
    let (recorder, _) = Recorder::open(&path, Options { fsync, ..Options::default() }, observer).unwrap();
    let secrets =
        Secrets([("moveo".to_owned(), vec![Secret::new("env:MOVEO_TOKEN", load::TOKEN)])].into_iter().collect());
    let config = Config { secrets: secrets.clone(), ..Config::default() };
    let lane = Lane::new(
        Arc::new(config),
        Arc::new(Platforms::builtin().unwrap()),
        Arc::new(Keyring::new(secrets)),
        recorder.clone(),
    );
    tokio::spawn(listener::serve(socket, Arc::new(lane), std::future::pending()));
    // What the program does with a recorded call when nobody looks at it.
    let mut told = told.of(&path);
    let indexing = tokio::spawn(async move {
        let mut index = Index::new();
        while let Some(event) = told.next().await {
            let Recorded::Call(call, place) = event else { panic!("{event:?}") };
            assert_eq!(call.sig.map(hooktape::call::Sig::word), Some("valid"));
            index.push(&View::of(&call, place));
        }
        index.len()
    });
    let done = load::run(address, size, time).await;
    recorder.close().await;
    assert!(indexing.await.unwrap() as f64 >= done.calls, "a call that was answered is not in the recording");
    std::fs::remove_file(path).unwrap();
    done
}
