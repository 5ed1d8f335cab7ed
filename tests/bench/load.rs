//! The load: a process of its own, so that its CPU time is not counted with the listener's. One thread, plain sockets,
//! keep-alive without pipelining, the request made once; so a call costs it little more than two system calls.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use memchr::memmem;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::measure;

/// What calls are signed with.
pub const TOKEN: &str = "123456789";

/// Connections at a time.
pub const CONNECTIONS: usize = 32;

/// A Moveo message of `size` bytes.
pub fn body(size: usize) -> String {
    let sample = include_str!("../../assets/platforms/moveo/samples/pre_message.json");
    let sample: serde_json::Value = serde_json::from_str(sample).unwrap();
    let body = sample.to_string().replacen("\"context\":{", "\"context\":{\"padding\":\"\",", 1);
    let padding = "lorem ipsum ".chars().cycle().take(size - body.len()).collect::<String>();
    body.replacen("\"padding\":\"", &format!("\"padding\":\"{padding}"), 1)
}

/// Lower-case hex of the body's HMAC-SHA256.
pub fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(body);
    base16ct::lower::encode_string(&mac.finalize().into_bytes())
}

/// How long calls are sent before any is counted.
const WARM_UP: Duration = Duration::from_millis(200);

/// What one round came to, once it was warm.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub calls: f64,
    pub seconds: f64,
    /// The CPU seconds that the load itself took.
    pub load: f64,
    /// Those that this process, the server, took meanwhile.
    pub server: f64,
}

/// Calls `address` for `time` from another process, which says when it is warm.
pub async fn run(address: SocketAddr, size: usize, time: Duration) -> Done {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--load", &address.to_string(), &size.to_string(), &time.as_millis().to_string()]);
    let run = move || {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "warm");
        let before = measure::cpu();
        let told = lines.next().unwrap().unwrap();
        let server = measure::cpu() - before;
        assert!(child.wait().unwrap().success());
        let numbers: Vec<f64> = told.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [calls, seconds, load] = numbers[..] else { panic!("{told}") };
        Done { calls, seconds, load, server }
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The other process: address, size of a body, milliseconds.
pub fn main(args: &[String]) {
    let [address, size, millis] = args else { panic!("--load ADDRESS SIZE MILLIS") };
    let address: SocketAddr = address.parse().unwrap();
    let body = body(size.parse().unwrap());
    let head = format!(
        "POST /hooks/moveo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nuser-agent: axios/1.7.9\r\n\
         x-moveo-session-id: 5f0c1f0e-8b1d-4a57-9d53-2c1f6b7de0a4\r\nx-moveo-signature: {}\r\ncontent-length: {}\r\n\r\n",
        signature(body.as_bytes()),
        body.len()
    );
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connections = (0..CONNECTIONS).map(|_| TcpStream::connect(address));
        let mut streams = try_join_all(connections).await.unwrap();
        send(&mut streams, &request, WARM_UP).await;
        println!("warm");
        let (started, before) = (Instant::now(), measure::cpu());
        let calls = send(&mut streams, &request, Duration::from_millis(millis.parse().unwrap())).await;
        println!("{calls} {} {}", started.elapsed().as_secs_f64(), measure::cpu() - before);
    });
}

/// Sends calls by all connections for `time`; how many.
async fn send(streams: &mut [TcpStream], request: &[u8], time: Duration) -> usize {
    let until = Instant::now() + time;
    let calls = streams.iter_mut().map(|stream| call(stream, request, until));
    try_join_all(calls).await.unwrap().into_iter().sum()
}

/// One connection: one call after the other.
async fn call(stream: &mut TcpStream, request: &[u8], until: Instant) -> io::Result<usize> {
    stream.set_nodelay(true)?;
    let mut answer = vec![0; 64 * 1024];
    let mut calls = 0;
    while Instant::now() < until {
        stream.write_all(request).await?;
        let mut filled = 0;
        let mut whole = usize::MAX;
        while filled < whole {
            match stream.read(&mut answer[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
            if let Some(head) = memmem::find(&answer[..filled], b"\r\n\r\n") {
                assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..filled]));
                whole = head + 4 + content_length(&answer[..head]);
            }
        }
        calls += 1;
    }
    Ok(calls)
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length: ";
    let from = memmem::find(head, NAME).unwrap() + NAME.len();
    head[from..].iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |n, digit| 10 * n + usize::from(digit - b'0'))
}
