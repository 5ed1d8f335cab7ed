//! The least that replaying can be: read a line, sign the body in it, send that over a connection of its own, write the
//! line. It knows nothing of the line, prepares and compares nothing, and keeps no order.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load;

/// Lines that are written together.
const TOGETHER: usize = 16;

/// What the threads share.
struct Work {
    address: SocketAddr,
    from: File,
    /// Where each line begins, and its length.
    lines: Vec<(u64, usize)>,
    next: AtomicUsize,
    to: Mutex<File>,
}

/// Sends each call of the recording at `path` and prints how many a second.
pub fn main(address: &str, path: &Path) {
    let text = std::fs::read(path).unwrap();
    let ends = memchr::memchr_iter(b'\n', &text).map(|end| end + 1);
    let mut start = 0;
    let lines =
        ends.map(|end| (std::mem::replace(&mut start, end), end)).map(|(start, end)| (start as u64, end - start));
    // The first one is the header.
    let lines: Vec<_> = lines.skip(1).collect();
    drop(text);
    let to = path.with_file_name("least.jsonl");
    let work = Work {
        address: address.parse().unwrap(),
        from: File::open(path).unwrap(),
        lines,
        next: AtomicUsize::new(0),
        to: File::create(&to).unwrap().into(),
    };
    let work = Arc::new(work);
    let begun = Instant::now();
    let threads = thread::available_parallelism().unwrap().get().min(2);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let written = Arc::default();
                runtime.block_on(async {
                    let one = |_| Arc::clone(&work).by_one(Arc::clone(&written));
                    let all: JoinSet<_> = (0..load::CONNECTIONS / threads).map(one).collect();
                    all.join_all().await.into_iter().for_each(Result::unwrap);
                });
            });
        }
    });
    println!("{}", work.lines.len() as f64 / begun.elapsed().as_secs_f64());
    std::fs::remove_file(to).unwrap();
}

impl Work {
    /// One connection: one call after the other.
    async fn by_one(self: Arc<Self>, written: Arc<Mutex<Vec<u8>>>) -> hyper::Result<()> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        while let Some(&(start, len)) = self.lines.get(self.next.fetch_add(1, Relaxed)) {
            let mut line = vec![0; len];
            self.from.read_exact_at(&mut line, start).unwrap();
            let line = Bytes::from(line);
            // Some 2,000 bytes of it, wherever the body begins.
            let body = line.slice(500..2_500);
            let request = hyper::Request::post("/")
                .header("host", "localhost")
                .header("content-type", "application/json")
                .header("x-moveo-signature", load::signature(&body))
                .body(Full::new(body))
                .unwrap();
            sender.ready().await?;
            sender.send_request(request).await?.into_body().collect().await?;
            let mut written = written.lock().unwrap();
            written.extend_from_slice(&line);
            if written.len() > TOGETHER * len {
                self.to.lock().unwrap().write_all(&std::mem::take(&mut *written)).unwrap();
            }
        }
        Ok(())
    }
}
