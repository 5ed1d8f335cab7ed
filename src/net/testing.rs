//! A listener of its own for each test: a free port, a recording in a temporary folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::call::Call;
use crate::config::{Config, Forward, Respond, Secret, Secrets, Source, Target};
use crate::net::listener::{self, Lane};
use crate::net::responder::Responders;
use crate::net::tls::Identity;
use crate::platform::{Keyring, Platforms};
use crate::recording::{Options, Position, Reader, Recorded, Recorder};

/// A listener, its recording, and what the recorder says.
pub struct Site {
    pub address: SocketAddr,
    pub platforms: Arc<Platforms>,
    pub keyring: Arc<Keyring>,
    pub recorder: Recorder,
    pub events: mpsc::UnboundedReceiver<Recorded>,
    pub path: PathBuf,
    pub responders: Arc<Responders>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

impl Site {
    /// A listener with this configuration.
    pub async fn new(config: Config) -> Self {
        Self::with(config, Platforms::builtin().unwrap()).await
    }

    /// A listener with this configuration that knows these platforms.
    pub async fn with(config: Config, platforms: Platforms) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let (tell, events) = mpsc::unbounded_channel();
        let observer = Box::new(move |event| drop(tell.send(event)));
        let (recorder, _) = Recorder::open(&path, Options::default(), observer).unwrap();
        let platforms = Arc::new(platforms);
        let keyring = Arc::new(Keyring::new(config.secrets.clone()));
        let tls = config.listen.tls.as_ref().map(|tls| Identity::new(tls, folder.path()).unwrap());
        let lane = Lane::new(Arc::new(config), platforms.clone(), keyring.clone(), recorder.clone());
        let lane = Lane { tls, ..lane };
        let responders = lane.responders.clone();
        let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(listener::serve(socket, Arc::new(lane), async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            platforms,
            keyring,
            recorder,
            events,
            path,
            responders,
            stop: Some(stop),
            serving,
            _folder: folder,
        }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next call that is recorded.
    pub async fn next(&mut self) -> Arc<Call> {
        match self.events.recv().await {
            Some(Recorded::Call(call, _)) => call,
            other => panic!("{other:?}"),
        }
    }

    /// The only call so far, as the file has it.
    pub async fn recorded(&mut self) -> Call {
        let call = self.next().await;
        let reader = Reader::open(&self.path).unwrap();
        let calls: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
        assert_eq!(calls.len(), 1);
        let stored = reader.call(calls[0].place).unwrap();
        assert_eq!(stored, *call);
        stored
    }

    /// What comes back for these bytes until the listener closes the connection.
    pub async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// What comes back for a POST of `body` with some header lines, until the listener closes the connection.
    pub async fn post(&self, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: hook.example\r\nConnection: close\r\n");
        self.raw(format!("{head}Content-Length: {length}\r\n{headers}\r\n{body}").as_bytes()).await
    }

    /// Tells the listener to stop.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Returns when the listener has stopped.
    pub async fn stopped(&mut self) {
        (&mut self.serving).await.unwrap();
    }
}

/// A configuration with the secret `123456789` for moveo, as in the published example.
pub fn with_secret() -> Config {
    let secret = Secret::new("env:MOVEO_TOKEN", "123456789");
    Config { secrets: Secrets([("moveo".to_owned(), vec![secret])].into_iter().collect()), ..Config::default() }
}

/// The built-in platforms and the one of this `pack.toml`, whose kinds all have `sample.json` for a sample.
pub fn platforms_with(pack: &str, sample: &str) -> Platforms {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pack.toml"), pack).unwrap();
    std::fs::write(dir.path().join("sample.json"), sample).unwrap();
    let mut platforms = Platforms::builtin().unwrap();
    platforms.add_dir(dir.path()).unwrap();
    platforms
}

/// A server as a developer's own: it keeps what it gets and answers the same to everything.
pub struct Backend {
    pub address: SocketAddr,
    seen: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Backend {
    /// A server that answers with these bytes.
    pub async fn new(answer: &'static str) -> Self {
        let (socket, _) = server().await;
        let address = socket.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    while let Some(message) = read_message(&mut stream).await {
                        let _ = tell.send(message);
                        if stream.write_all(answer.as_bytes()).await.is_err() || answer.is_empty() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request: its head and its body.
    pub async fn next(&mut self) -> (String, Vec<u8>) {
        self.seen.recv().await.unwrap()
    }
}

/// A server on a free port, and its URL: it takes connections and says nothing but what the test has it say.
pub async fn server() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// One HTTP/1.1 message with a length: its head and its body; none when there are no more.
pub async fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(head);
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut rest = vec![0; length.unwrap_or(0_usize).saturating_sub(body.len())];
    stream.read_exact(&mut rest).await.ok()?;
    Some((head, [body, rest].concat()))
}

/// A configuration in which everything is answered so.
pub fn responding(respond: Respond) -> Config {
    Config { respond, ..with_secret() }
}

/// Forwarding to these addresses.
pub fn forwarding(to: &[&str]) -> Respond {
    let targets = to.iter().map(|url| Target::from_address(url).unwrap()).collect();
    let forward = Forward { targets, keep_host: false };
    Respond { source: Source::Forward(Arc::new(forward)), ..Respond::default() }
}

/// Holds what makes something for a while, and gives when it let go of it. It holds it by the time that this returns.
pub(super) fn held<T: Send + 'static>(lock: Arc<Mutex<T>>) -> std::thread::JoinHandle<Instant> {
    let (tell, told) = std::sync::mpsc::channel();
    let holding = std::thread::spawn(move || {
        let _held = lock.lock().unwrap();
        tell.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        Instant::now()
    });
    told.recv().unwrap();
    holding
}
