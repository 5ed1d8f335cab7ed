//! The real loop driven by key strings: a console that types a script, and a screen to read.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crossterm::event::{Event as TerminalEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures_util::Stream;
use hooktape::app::event::{Effect, Event, Notice};
use hooktape::app::{App, Colours, Setup, keys};
use hooktape::config::{Config, Secret, Secrets};
use hooktape::net::sender::Sender;
use hooktape::net::{base_url, demo, listener};
use hooktape::platform::{Keyring, Platforms};
use hooktape::recording::backlog::backlog;
use hooktape::recording::{Options, Recorder};
use hooktape::tui;
use hooktape::tui::console::Console;
use hooktape::tui::feed::feed;
use hooktape::tui::tape::Tape;
use hooktape::tui::world::{Content, World};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tempfile::TempDir;

/// The published verification token of Moveo's own examples.
const TOKEN: &str = "123456789";

/// What an editor outside makes of a text.
type Editor = fn(&str) -> Result<String, String>;

/// Something typed, and whether it does not wait.
type Typed = (TerminalEvent, bool);

/// Types a script, each key only once everything the one before it set going has come to rest; those of `<now x>` at once.
struct Script {
    keys: Arc<Mutex<VecDeque<Typed>>>,
    busy: Arc<AtomicUsize>,
    editor: Editor,
    mouse: bool,
    copied: Vec<String>,
    visited: Vec<(PathBuf, Option<String>)>,
}

struct Keys(Arc<Mutex<VecDeque<Typed>>>, Arc<AtomicUsize>);

impl Stream for Keys {
    type Item = io::Result<TerminalEvent>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let at_once = self.0.lock().unwrap().front().is_some_and(|(_, at_once)| *at_once);
        if self.1.load(Ordering::SeqCst) > 0 && !at_once {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0.lock().unwrap().pop_front().map(|(event, _)| Ok(event)))
    }
}

impl Console for Script {
    type Keys = Keys;

    fn keys(&mut self) -> Keys {
        Keys(self.keys.clone(), self.busy.clone())
    }

    fn ask_ground(&mut self) -> bool {
        true
    }

    fn copy(&mut self, text: &str) -> Event {
        self.copied.push(text.to_owned());
        Event::Told(Notice::info("copied"))
    }

    fn mouse(&mut self, ours: bool) {
        self.mouse = ours;
    }

    async fn retaken(&mut self) -> Event {
        std::future::pending().await
    }

    async fn away(&mut self, effect: &Effect) -> Option<Event> {
        match effect {
            Effect::Edit { ticket, text, .. } => Some(Event::Edited { ticket: *ticket, result: (self.editor)(text) }),
            Effect::Visit { path, to, .. } => {
                self.visited.push((path.clone(), to.clone()));
                None
            }
            _ => None,
        }
    }
}

/// How a run is set up.
pub struct Stage {
    pub width: u16,
    pub height: u16,
    pub config: Config,
    pub secrets: Secrets,
    pub editor: Editor,
    /// Shows what others go on to record.
    pub follow: bool,
    /// The data directory.
    pub data: Option<PathBuf>,
    /// The user's time zone.
    pub zone: TimeZone,
    /// Where files are written that are named without a directory.
    pub folder: TempDir,
}

/// What a run ended with.
pub struct Ended {
    pub app: App,
    pub screen: String,
    /// The screen with its colours.
    pub buffer: Buffer,
    /// The mouse was taken in the end.
    pub mouse: bool,
    /// What was put on the clipboard.
    pub copied: Vec<String>,
    /// Recordings that were opened from it.
    pub visited: Vec<(PathBuf, Option<String>)>,
    /// Keys that nobody read.
    pub unread: usize,
    /// Where files were written that were named without a directory.
    pub folder: TempDir,
}

impl Stage {
    /// A terminal of that size, with the secret that the sample recording was signed with.
    pub fn size(width: u16, height: u16) -> Self {
        let mut secrets = Secrets::default();
        secrets.0.insert("moveo".to_owned(), vec![Secret::new("env:MOVEO_TOKEN", TOKEN)]);
        Self {
            width,
            height,
            config: Config::default(),
            secrets,
            editor: |text| Ok(text.to_owned()),
            follow: false,
            data: None,
            zone: TimeZone::UTC,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn setup(&self, recording: &Path, listener: Option<SocketAddr>) -> Setup {
        Setup {
            config: Arc::new(self.config.clone()),
            platforms: Arc::new(Platforms::builtin().unwrap()),
            keyring: Arc::new(Keyring::new(self.secrets.clone())),
            recording: recording.to_owned(),
            listener,
            follow: self.follow,
            zone: self.zone.clone(),
            colours: Colours::Many,
            environment: std::collections::HashSet::default(),
            notices: Vec::new(),
            new_key: || "8563dcdf-6a2c-4f0e-9d7b-1f2e3a4b5c6d".to_owned(),
        }
    }

    /// The world with the places and the program of this test.
    fn furnished(&self, world: World, setup: &Setup) -> World {
        let mut world = world.keeping(self.data.clone()).telling(setup.config.redact.filled.clone());
        self.folder.path().clone_into(&mut world.folder);
        world.program = env!("CARGO_BIN_EXE_hooktape").into();
        world
    }

    /// Opens a recording and types `script`.
    pub async fn open(self, recording: &Path, script: &str) -> Ended {
        let setup = self.setup(recording, None);
        let (live, written) = backlog();
        let (events, messages) = tokio::sync::mpsc::unbounded_channel();
        let sender = Sender::new(setup.platforms.clone(), setup.keyring.clone());
        let world = World::new(events, Tape::resting(recording.to_owned(), live), sender, Vec::new());
        let world = self.furnished(world, &setup);
        tokio::spawn(feed(&world, None, self.follow.then_some(std::time::Duration::from_millis(1)), written));
        self.play(setup, world, messages, script).await
    }

    /// Listens on a free port, records to `recording`, and types `script` once `meanwhile`, which is told the address,
    /// is through.
    pub async fn listen<F: Future<Output = ()>>(
        self,
        recording: &Path,
        script: &str,
        meanwhile: impl FnOnce(String) -> F,
    ) -> Ended {
        let (live, written) = backlog();
        let (told, heard) = (live.clone(), Arc::new(AtomicUsize::new(0)));
        let count = heard.clone();
        let observer = Box::new(move |event| {
            count.fetch_add(1, Ordering::SeqCst);
            told.tell(event);
        });
        let (recorder, opened) = Recorder::open(recording, Options::default(), observer).unwrap();
        let socket = listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = socket.local_addr().unwrap();
        let setup = self.setup(recording, Some(address));
        let lane =
            listener::Lane::new(setup.config.clone(), setup.platforms.clone(), setup.keyring.clone(), recorder.clone());
        let responders = lane.responders.clone();
        tokio::spawn(listener::serve(socket, Arc::new(lane), std::future::pending()));
        let (events, mut messages) = tokio::sync::mpsc::unbounded_channel();
        let sender = Sender::new(setup.platforms.clone(), setup.keyring.clone());
        let calls = demo::conversation(&setup.platforms, &setup.keyring, &base_url(address)).unwrap();
        let world = World::new(events, Tape::running(recorder, live), sender, calls).answering(responders);
        let world = self.furnished(world, &setup);
        tokio::spawn(feed(&world, Some(opened.end), None, written));
        meanwhile(base_url(address)).await;
        // What was recorded meanwhile is on the screen before the first key.
        let (mut due, mut come) = (heard.load(Ordering::SeqCst), Vec::new());
        while due > 0 {
            let message = messages.recv().await.unwrap();
            due -= usize::from(matches!(message.content, Content::Event(Event::Recorded(_))));
            come.push(message);
        }
        for message in come {
            world.events.send(message).unwrap();
        }
        let ended = self.play(setup, world, messages, script).await;
        Ended { screen: ended.screen.replace(&address.to_string(), "127.0.0.1:4747"), ..ended }
    }

    async fn play(self, setup: Setup, world: World, messages: tui::world::Messages, script: &str) -> Ended {
        let mut terminal = Terminal::new(TestBackend::new(self.width, self.height)).unwrap();
        let keys = typed(script);
        let mut console = Script {
            keys: Arc::new(Mutex::new(keys)),
            busy: world.busy(),
            editor: self.editor,
            mouse: true,
            copied: Vec::new(),
            visited: Vec::new(),
        };
        let mut app = App::new(setup, Timestamp::now());
        // A script's keys are pressed faster than anyone's.
        app.answers.calm = std::time::Duration::ZERO;
        let run = Box::pin(tui::run(&mut terminal, &mut console, app, &world, messages, std::future::pending()));
        let app = run.await.unwrap();
        world.end().await;
        let buffer = terminal.backend().buffer().clone();
        let unread = console.keys.lock().unwrap().len();
        let screen = terminal.backend().to_string();
        let Script { mouse, copied, visited, .. } = console;
        Ended { app, screen, buffer, mouse, copied, visited, unread, folder: self.folder }
    }
}

/// A script of keys, in which `<now x>` presses x at once, and `<click X Y>`, `<drag X Y>`, `<wheel-up X Y>` and `<wheel-down X Y>` are the mouse's.
fn typed(script: &str) -> VecDeque<Typed> {
    let mut events = VecDeque::new();
    let mut rest = script;
    while !rest.is_empty() {
        if let Some((key, tail)) = rest.strip_prefix("<now ").and_then(|tail| tail.split_once('>')) {
            events.push_back((TerminalEvent::Key(keys::parse(key).unwrap()), true));
            rest = tail;
            continue;
        }
        let mouse = rest.strip_prefix('<').and_then(|tail| tail.split_once('>')).and_then(|(name, tail)| {
            let [what, x, y] = name.split(' ').collect::<Vec<_>>()[..] else { return None };
            let kind = match what {
                "click" => MouseEventKind::Down(MouseButton::Left),
                "drag" => MouseEventKind::Drag(MouseButton::Left),
                "wheel-up" => MouseEventKind::ScrollUp,
                _ => MouseEventKind::ScrollDown,
            };
            let (column, row) = (x.parse().unwrap(), y.parse().unwrap());
            Some((MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }, tail))
        });
        if let Some((event, tail)) = mouse {
            events.push_back((TerminalEvent::Mouse(event), false));
            rest = tail;
            continue;
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(end, _)| end);
        events.extend(keys::script(&rest[..end]).unwrap().into_iter().map(|key| (TerminalEvent::Key(key), false)));
        rest = &rest[end..];
    }
    events
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Terminals of little, usual and much room: columns and rows.
pub const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 45)];

/// What is drawn of an app whose world does nothing.
pub fn drawn(app: &mut App, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    for _ in 0..3 {
        app.settle();
        let mut regions = app.regions;
        terminal.draw(|frame| regions = hooktape::view::draw(app, frame)).unwrap();
        app.regions = regions;
    }
    terminal.backend().to_string()
}

/// A recording in `folder` that has the sample's calls so many times.
pub fn long(folder: &Path, times: usize) -> PathBuf {
    let sample = std::fs::read_to_string(repository("recordings/moveo.jsonl")).unwrap();
    let (header, calls) = sample.split_once('\n').unwrap();
    let path = folder.join("long.jsonl");
    std::fs::write(&path, format!("{header}\n{}", calls.repeat(times))).unwrap();
    path
}
