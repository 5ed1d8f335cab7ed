//! The load: a process of its own, so that its CPU time is not counted with the listener's. One thread, plain sockets,
//! keep-alive without pipelining, the request made once; so a call costs it little more than two system calls.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

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

/// What one round came to.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub calls: f64,
    pub seconds: f64,
    /// The CPU seconds that the load itself took.
    pub cpu: f64,
}

/// Calls `address` for `time` from another process.
pub async fn run(address: SocketAddr, size: usize, time: Duration) -> Done {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--load", &address.to_string(), &size.to_string(), &time.as_millis().to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [calls, seconds, cpu] = numbers[..] else { panic!("{}", String::from_utf8_lossy(&output.stderr)) };
    Done { calls, seconds, cpu }
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
    let started = Instant::now();
    let until = started + Duration::from_millis(millis.parse().unwrap());
    let calls: usize = runtime.block_on(async {
        let calls = (0..CONNECTIONS).map(|_| call(address, &request, until));
        futures_util::future::try_join_all(calls).await.unwrap().into_iter().sum()
    });
    println!("{calls} {} {}", started.elapsed().as_secs_f64(), measure::cpu().as_secs_f64());
}

/// One connection: one call after the other.
async fn call(address: SocketAddr, request: &[u8], until: Instant) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
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
