//! What it costs to forward a call: the time that hooktape adds between a caller and a server on the same machine, and, where
//! `mitmdump` is installed, the calls a second of both.

use std::net::{SocketAddr, TcpListener as Taken};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt as _;
use bytes::Bytes;
use hooktape::config::{Config, Forward, Respond, Secrets, Source, Target};
use hooktape::net::listener::{self, Lane};
use hooktape::platform::{Keyring, Platforms};
use hooktape::recording::{Options, Recorder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load;
use crate::measure::{self, Sample};

/// The size of a body, in bytes.
const SIZE: usize = 2_000;

/// Prints the figures.
pub fn run(folder: &Path, rounds: usize, time: Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server().await;
        let path = folder.join("forward.jsonl");
        let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(drop)).unwrap();
        let hooktape = hooktape(server, recorder.clone()).await;
        let (mut direct, mut added) = (Sample::default(), Sample::default());
        for _ in 0..rounds {
            let straight = median(server, time / 2).await;
            direct.push(straight);
            added.push(median(hooktape, time / 2).await - straight);
        }
        println!("\nForward: bodies of {SIZE} bytes, one call at a time, {rounds} rounds of {time:?}");
        println!("  a call straight to the server, ms  {direct}");
        println!("  what hooktape adds, ms             {added}");
        measure::judge("ms added at the median", &added, 0.5, false);
        compare(hooktape, server, rounds, time).await;
        recorder.close().await;
        std::fs::remove_file(path).unwrap();
    });
}

/// Calls a second through hooktape and through mitmproxy's reverse mode, in turns.
async fn compare(hooktape: SocketAddr, server: SocketAddr, rounds: usize, time: Duration) {
    let port = Taken::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("mitmdump");
    command.args(["--quiet", "--mode", &format!("reverse:http://{server}"), "--listen-port", &port.to_string()]);
    let Ok(mut mitmdump) = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn() else {
        println!("  (no mitmdump in PATH: pip install mitmproxy has the calls a second compared)");
        return;
    };
    let theirs = SocketAddr::from(([127, 0, 0, 1], port));
    while TcpStream::connect(theirs).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (mut ours, mut other) = (Sample::default(), Sample::default());
    for _ in 0..rounds {
        for (address, sample) in [(hooktape, &mut ours), (theirs, &mut other)] {
            let done = load::run(address, SIZE, time).await;
            sample.push(done.calls / done.seconds);
        }
    }
    mitmdump.kill().unwrap();
    mitmdump.wait().unwrap();
    println!("  calls/s of hooktape {ours}, of mitmdump {other}");
    measure::judge("hooktape's calls/s to mitmdump's", &ours.ratio(&other), 30.0, true);
}

/// A developer's own server, which only answers.
async fn server() -> SocketAddr {
    let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let app = axum::Router::new().fallback(|_: Bytes| async { "{\"context\":{}}" });
    let socket = socket.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(socket, app).await });
    address
}

/// A listener that forwards everything there.
async fn hooktape(server: SocketAddr, recorder: Recorder) -> SocketAddr {
    let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let forward = Forward { targets: vec![Target::new("server", format!("http://{server}"))], keep_host: false };
    let respond = Respond { source: Source::Forward(Arc::new(forward)), ..Respond::default() };
    let config = Config { respond, ..Config::default() };
    let platforms = Arc::new(Platforms::builtin().unwrap());
    let lane = Lane::new(Arc::new(config), platforms, Arc::new(Keyring::new(Secrets::default())), recorder);
    tokio::spawn(listener::serve(socket, Arc::new(lane), std::future::pending()));
    address
}

/// The median of one call after the other on one connection, in milliseconds.
async fn median(address: SocketAddr, time: Duration) -> f64 {
    let body = load::body(SIZE);
    let head = format!("POST /hooks/moveo HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; 4096];
    let mut times = Vec::new();
    let started = Instant::now();
    while started.elapsed() < time {
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        let mut filled = 0;
        while !answer[..filled].ends_with(b"{\"context\":{}}") {
            let count = stream.read(&mut answer[filled..]).await.unwrap();
            assert!(count > 0, "the connection ended");
            filled += count;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..filled]));
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
