//! The shell around the app: the loop, the terminal, and the effects performed. The only place that waits.
//!
//! The loop is generic over the backend and over the [`Console`], which gives it keys and takes the terminal back and
//! forth, so that tests drive the real thing. It draws only when something changed, takes in everything that waits before
//! it draws, and sleeps when nothing happens. What comes by itself is drawn at most every 16 ms; what a key has changed does
//! not wait for that, so that a key is answered at once however many calls come.

pub mod clipboard;
pub mod console;
pub mod editor;
mod exports;
pub mod feed;
mod file_watcher;
mod filter;
pub mod follow;
pub mod ground;
mod keep;
pub mod lookout;
pub mod reload;
mod replays;
mod shelf;
pub mod tape;
pub mod visit;
pub mod world;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use futures_util::StreamExt;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::app::event::{Effect, Event};
use crate::app::{App, Leaving};
use crate::tui::console::Console;
use crate::tui::ground::Sifter;
use crate::tui::world::{Message, Messages, World};

/// Least time between two frames for what comes by itself.
const FRAME: Duration = Duration::from_millis(16);
/// Least time between two frames for keys: many that come at once are one frame.
const KEY_FRAME: Duration = Duration::from_millis(4);
/// How long the frame for a key waits for what that has asked for, say a body: most often both are one frame.
const PATIENCE: Duration = Duration::from_millis(3);
/// How long a time that runs down stays on the screen.
const TICK: Duration = Duration::from_secs(1);
/// Most messages taken in before the keys are asked again.
const BATCH: usize = 1024;
/// Most frames drawn in a row because the measures of one changed what the next has to show.
const SETTLING: usize = 4;

/// Runs the app until the user leaves, `stop` resolves, or the keys end and nothing is under way any more.
///
/// # Errors
/// When the terminal cannot be drawn to.
pub async fn run<B, C>(
    terminal: &mut Terminal<B>,
    console: &mut C,
    app: App,
    world: &World,
    mut messages: Messages,
    stop: impl Future<Output = ()>,
) -> Result<App, B::Error>
where
    B: Backend,
    C: Console,
{
    let mut stop = pin!(stop);
    let mut shell = Shell::new(terminal, console, app, world);
    loop {
        if shell.changed && Instant::now() >= shell.pace.due(world) {
            shell.frame()?;
        }
        if shell.app.leaving == Leaving::Yes {
            while !shell.take_answer().await.is_empty() {}
            return Ok(shell.app);
        }
        if shell.keys.is_none() && world.idle() && messages.is_empty() && !shell.changed {
            return Ok(shell.app);
        }
        let keys = &mut shell.keys;
        let key = async {
            match keys {
                Some(keys) => keys.next().await,
                None => std::future::pending().await,
            }
        };
        let effects = tokio::select! {
            biased;
            () = &mut stop => {
                shell.app.leaving = Leaving::Yes;
                shell.changed = true;
                Vec::new()
            }
            key = key => shell.pressed(key)?,
            Some(message) = messages.recv() => shell.told(message, &mut messages),
            () = sleep_until(shell.pace.due(world)), if shell.changed => continue,
            event = shell.console.retaken() => {
                blank(shell.terminal)?;
                shell.update(event)
            }
            () = sleep(TICK), if shell.app.ticks() => shell.update(Event::Tick),
        };
        let beat = world.beat();
        if beat != shell.app.answers.beat {
            shell.update(Event::Beat(beat));
        }
        shell.perform(effects).await?;
    }
}

/// The app, and what it has of the world outside.
struct Shell<'a, B: Backend, C: Console> {
    terminal: &'a mut Terminal<B>,
    console: &'a mut C,
    world: &'a World,
    app: App,
    /// None: there are no more.
    keys: Option<C::Keys>,
    sifter: Sifter,
    /// Until when the terminal may answer what it was asked.
    late: Instant,
    pace: Pace,
    /// Whether the screen is to be drawn anew.
    changed: bool,
}

impl<'a, B: Backend, C: Console> Shell<'a, B, C> {
    fn new(terminal: &'a mut Terminal<B>, console: &'a mut C, app: App, world: &'a World) -> Self {
        let keys = Some(console.keys());
        let sifter = Sifter::new(app.asks_ground() && console.ask_ground());
        let late = Instant::now() + ground::LATE;
        let pace = Pace::new(Instant::now());
        let mut shell = Self { terminal, console, world, app, keys, sifter, late, pace, changed: true };
        shell.update(Event::Beat(world.beat()));
        shell
    }

    /// Draws, and gets ready after it what the next key is likely to ask for.
    fn frame(&mut self) -> Result<(), B::Error> {
        draw(self.terminal, &mut self.app, self.world)?;
        self.changed = false;
        if self.pace.drawn(Instant::now()) {
            self.app.look_ahead().into_iter().for_each(|effect| self.world.perform(effect));
        }
        Ok(())
    }

    fn update(&mut self, event: Event) -> Vec<Effect> {
        self.changed = true;
        self.app.update(event, Timestamp::now())
    }

    /// What comes from the terminal; after an error, as after the end, nothing more does.
    fn pressed(&mut self, key: Option<io::Result<TerminalEvent>>) -> Result<Vec<Effect>, B::Error> {
        if !matches!(key, Some(Ok(_))) {
            self.keys = None;
        }
        self.pace.pressed(Instant::now());
        let event = key.and_then(Result::ok).and_then(translate);
        let measured = match event {
            Some(Event::Mouse(_)) => true,
            Some(Event::Key(_)) => self.app.walks(),
            _ => false,
        };
        if self.changed && measured {
            // What is pointed at, or walked to, is looked up in what was measured: that must not be older than the app.
            draw(self.terminal, &mut self.app, self.world)?;
        }
        self.changed = true;
        let events = match event {
            Some(Event::Key(key)) => self.sifter.sift(key),
            event => event.into_iter().collect(),
        };
        Ok(events.into_iter().flat_map(|event| self.app.update(event, Timestamp::now())).collect())
    }

    /// What comes from the world, with all that waits behind it.
    fn told(&mut self, message: Message, messages: &mut Messages) -> Vec<Effect> {
        let mut effects = Vec::new();
        let more = std::iter::from_fn(|| messages.try_recv().ok());
        for event in std::iter::once(message).chain(more).take(BATCH).filter_map(Message::event) {
            self.changed |= !event.is_ahead();
            effects.extend(self.app.update(event, Timestamp::now()));
        }
        effects
    }

    /// Performs `effects` and those of settling: what needs the terminal here, the rest in the world.
    async fn perform(&mut self, effects: Vec<Effect>) -> Result<(), B::Error> {
        let mut effects: VecDeque<Effect> = effects.into_iter().chain(self.app.settle()).collect();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Redraw => blank(self.terminal)?,
                Effect::Mouse(ours) => self.console.mouse(ours),
                Effect::Copy(text) => {
                    let event = self.console.copy(&text);
                    self.app.update(event, Timestamp::now());
                }
                Effect::Suspend | Effect::Edit { .. } | Effect::Visit { .. } => {
                    let typed = self.take_answer().await;
                    // Whoever reads keys must be gone before another program owns the terminal.
                    let listening = self.keys.take().is_some();
                    let event = self.console.away(&effect).await;
                    self.keys = listening.then(|| self.console.keys());
                    blank(self.terminal)?;
                    for event in event.into_iter().chain(typed) {
                        effects.extend(self.app.update(event, Timestamp::now()));
                    }
                }
                effect => self.world.perform(effect),
            }
        }
        Ok(())
    }

    /// Before another program has the terminal, to which the answer would be keys: waits until the terminal has answered what
    /// it was asked, or will not any more. Gives the keys that came instead.
    async fn take_answer(&mut self) -> Vec<Event> {
        let mut typed = Vec::new();
        let Some(keys) = &mut self.keys else { return typed };
        while self.sifter.is_open()
            && typed.is_empty()
            && let Ok(Some(Ok(event))) = timeout_at(self.late, keys.next()).await
        {
            if let Some(Event::Key(key)) = translate(event) {
                typed.extend(self.sifter.sift(key).into_iter().filter(|event| matches!(event, Event::Key(_))));
            }
        }
        typed
    }
}

/// When the next frame is due.
struct Pace {
    /// Not before, for what came by itself.
    next: Instant,
    /// Not before, for a key.
    next_for_a_key: Instant,
    /// A key was pressed since the last frame: at the latest it is drawn by then.
    pressed: Option<Instant>,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { next: now, next_for_a_key: now, pressed: None }
    }

    fn pressed(&mut self, now: Instant) {
        self.pressed.get_or_insert(now + PATIENCE);
    }

    fn due(&self, world: &World) -> Instant {
        let first = self.next.min(self.next_for_a_key);
        match self.pressed {
            None => self.next,
            Some(_) if world.idle() => first,
            Some(latest) => first.max(latest),
        }
    }

    /// A frame was drawn; whether it was for a key.
    fn drawn(&mut self, now: Instant) -> bool {
        self.next = now + FRAME;
        let for_a_key = self.pressed.take().is_some();
        if for_a_key {
            self.next_for_a_key = now + KEY_FRAME;
        }
        for_a_key
    }
}

/// Clears the screen and forgets what was on it. `Terminal::clear` would ask the terminal where its cursor is, and wait
/// for an answer that may never come.
fn blank<B: Backend>(terminal: &mut Terminal<B>) -> Result<(), B::Error> {
    terminal.backend_mut().clear()?;
    // Each swap empties the buffer that was not drawn to: after two, both are.
    terminal.swap_buffers();
    terminal.swap_buffers();
    Ok(())
}

/// Draws until what is shown and what was measured agree.
fn draw<B: Backend>(terminal: &mut Terminal<B>, app: &mut App, world: &World) -> Result<(), B::Error> {
    for _ in 0..SETTLING {
        app.settle().into_iter().for_each(|effect| world.perform(effect));
        let mut regions = app.regions;
        terminal.draw(|frame| regions = crate::view::draw(app, frame))?;
        if regions == app.regions {
            break;
        }
        let before = placed(app);
        app.regions = regions;
        app.settle().into_iter().for_each(|effect| world.perform(effect));
        if placed(app) == before {
            break;
        }
    }
    app.drawn();
    Ok(())
}

/// What the measures of a frame can change in the next: where panels begin, how wide text is that is wrapped, and whether
/// a dialog has more than it shows.
fn placed(app: &App) -> impl PartialEq + use<> {
    let widths = (app.regions.detail_width, app.regions.answer_width);
    let more = app.regions.dialog.has_more();
    (app.scroll, app.calls.top, app.draft.as_ref().map(|draft| draft.scroll), widths, more)
}

/// What the app calls it; nothing for what it does not care about.
fn translate(event: TerminalEvent) -> Option<Event> {
    match event {
        TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(key)),
        TerminalEvent::Mouse(mouse) => Some(Event::Mouse(mouse)),
        TerminalEvent::Paste(text) => Some(Event::Paste(text)),
        TerminalEvent::Resize(..) => Some(Event::Resized),
        _ => None,
    }
}
