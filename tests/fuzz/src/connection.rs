//! The wire: what a stranger sends on a connection of its own, to a listener that runs in this process.

use std::cell::RefCell;
use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hooktape::call::Call;
use hooktape::config::Config;
use hooktape::net::listener::{self, Lane};
use hooktape::recording::{Options, Recorded, Recorder};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::LANE;

/// Connections until the listener and its recording are made anew, lest that fill the disk.
const MOST: usize = 5000;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer is waited for that may not come before the caller's end: of who ends while it is answered, the end is held
/// back for a quarter of a second. Most answers take less, also in a build that is watched.
const MOMENT: Duration = Duration::from_millis(20);

/// A listener, and the calls that are in its recording.
struct Site {
    address: SocketAddr,
    calls: Receiver<Arc<Call>>,
    connections: usize,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

thread_local! {
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let (tell, calls) = channel();
        let observer = move |event| {
            if let Recorded::Call(call, _) = event {
                drop(tell.send(call));
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (stop, stopped) = oneshot::channel();
        let (address, serving) = runtime.block_on(async {
            let path = folder.path().join("tape.jsonl");
            let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(observer)).expect("a recording");
            let (platforms, keyring) = LANE.with(|lane| (lane.platforms.clone(), lane.keyring.clone()));
            let lane = Lane::new(Arc::new(Config::default()), platforms, keyring, recorder);
            let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
            let address = socket.local_addr().expect("an address");
            let serving = tokio::spawn(listener::serve(socket, Arc::new(lane), async move { drop(stopped.await) }));
            (address, serving)
        });
        Self { address, calls, connections: 0, runtime, stop, serving, _folder: folder }
    }

    fn end(self) {
        drop(self.stop);
        self.runtime.block_on(self.serving).expect("it ends");
    }

    /// What comes back for these bytes, until the listener closes the connection.
    fn answer(&self, data: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let (mut answer, mut beginning) = (Vec::new(), [0; 4096]);
        let exchanged = stream.write_all(data).and_then(|()| {
            stream.set_read_timeout(Some(MOMENT))?;
            let begun = stream.read(&mut beginning).or_else(|error| if waits(&error) { Ok(0) } else { Err(error) })?;
            answer.extend_from_slice(&beginning[..begun]);
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(&mut answer)
        });
        // A connection that is closed on bytes that nobody read is reset.
        assert!(!exchanged.is_err_and(|error| waits(&error)), "it is left open: {}", data.escape_ascii());
        answer
    }

    /// The next call that was answered so.
    fn answered(&self, status: u16) -> Arc<Call> {
        loop {
            let call = self.calls.recv_timeout(PATIENCE).expect("what was answered is recorded");
            if call.status() == Some(status) {
                return call;
            }
        }
    }
}

/// Bytes on a connection: it ends with them, and each answer but that to what is no request has its call.
pub fn connection(data: &[u8]) {
    SITE.with_borrow_mut(|slot| {
        if let Some(old) = slot.take_if(|site| site.connections >= MOST) {
            old.end();
        }
        let site = slot.get_or_insert_with(Site::new);
        site.connections += 1;
        // Of connections before, what was no request, or was answered to nobody.
        site.calls.try_iter().for_each(drop);
        let answer = site.answer(data);
        let mut rest = &*answer;
        while let Some((status, length, after)) = head(rest) {
            if status == 100 {
                rest = after;
                continue;
            }
            if matches!(status, 400 | 408 | 414 | 431 | 501) && after.is_empty() {
                break;
            }
            let bodiless = site.answered(status).request.method == "HEAD" || matches!(status, 204 | 304);
            rest = if bodiless { after } else { after.get(length..).unwrap_or_default() };
        }
    });
}

/// Whether nothing has come yet.
fn waits(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Status, length and what follows the head of an answer in HTTP/1.1.
fn head(answer: &[u8]) -> Option<(u16, usize, &[u8])> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    Some((status, length.unwrap_or_default(), &answer[end + 4..]))
}
