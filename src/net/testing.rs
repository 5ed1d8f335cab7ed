//! A listener of its own for each test: a free port, a recording in a temporary folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::call::Call;
use crate::config::{Config, Secret, Secrets};
use crate::net::listener::{self, Lane};
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
        let lane = Lane {
            config: Arc::new(config),
            platforms: platforms.clone(),
            keyring: keyring.clone(),
            recorder: recorder.clone(),
        };
        let socket = listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(listener::serve(socket, Arc::new(lane), async move {
            let _ = stopped.await;
        }));
        Self { address, platforms, keyring, recorder, events, path, stop: Some(stop), serving, _folder: folder }
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
