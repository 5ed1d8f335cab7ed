//! The terminal: taken at the start, given back at the end, on a panic, and while another program has it.

use std::fs::File;
use std::future::Future;
use std::io::{self, BufWriter, Stdout};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event as TerminalEvent,
    EventStream,
};
use crossterm::execute;
use crossterm::style::Print;
use futures_util::Stream;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::sync::Notify;

use crate::app::event::{Effect, Event, Notice};
use crate::tui::visit::Visits;
use crate::tui::{clipboard, editor, ground};

/// Where keys come from, and who else may have the terminal.
pub trait Console {
    /// The keys.
    type Keys: Stream<Item = io::Result<TerminalEvent>> + Unpin;

    /// Starts reading keys. What was read before is dropped first.
    fn keys(&mut self) -> Self::Keys;

    /// Asks the terminal for its background; whether an answer may come among the keys.
    fn ask_ground(&mut self) -> bool;

    /// Puts a text on the terminal's clipboard; says what was done.
    fn copy(&mut self, text: &str) -> Event;

    /// Takes the mouse, or gives it to the terminal, also for after [`Self::away`].
    fn mouse(&mut self, ours: bool);

    /// Gives the terminal away for an effect that needs it (an editor, the shell, another recording), and takes it back.
    fn away(&mut self, effect: &Effect) -> impl Future<Output = Option<Event>>;

    /// Waits until a panic has given the terminal back though the program goes on, and takes it again: nothing of what was
    /// drawn is there any more.
    fn retaken(&mut self) -> impl Future<Output = Event>;
}

/// The real terminal, for drawing. A frame leaves in one piece: standard output alone would cut it into kilobytes.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// More than most frames have, in bytes.
const A_FRAME: usize = 64 * 1024;

/// The real terminal. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Real {
    mouse: bool,
    visits: Visits,
    /// A panic has given the terminal back.
    lost: Arc<Notify>,
}

impl Real {
    /// Takes the terminal: raw mode, the alternate screen, the mouse, pasted text as one piece. A panic gives it back before its
    /// message is printed. `visits` says how other recordings are shown in it.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn take(visits: Visits) -> io::Result<(Self, Screen)> {
        drop(ratatui::try_init()?);
        let restore = std::panic::take_hook();
        let lost = Arc::new(Notify::new());
        let told = lost.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste);
            restore(panic);
            told.notify_one();
        }));
        execute!(io::stdout(), EnableBracketedPaste)?;
        take_mouse()?;
        let screen = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(A_FRAME, io::stdout())))?;
        Ok((Self { mouse: true, visits, lost }, screen))
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // A panic has given it back already; doing it twice would write over its message.
        if !std::thread::panicking() {
            give_back();
        }
    }
}

/// Gives the terminal back as it was. Whoever leaves cannot do more about it if that fails.
fn give_back() {
    let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste);
    let _ = ratatui::try_restore();
}

/// Asks for clicks, the wheel and dragging, but not for every move, which would wake us for nothing.
fn take_mouse() -> io::Result<()> {
    execute!(io::stdout(), EnableMouseCapture, Print("\x1b[?1003l\x1b[?1002h"))
}

fn take_back(mouse: bool) -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    execute!(io::stdout(), crossterm::terminal::EnterAlternateScreen, EnableBracketedPaste)?;
    // Whoever had the terminal may have left with the mouse.
    if mouse { take_mouse() } else { execute!(io::stdout(), DisableMouseCapture) }
}

/// Does something with the terminal that keys come from.
fn keyboard<T>(act: impl Fn(BorrowedFd<'_>) -> rustix::io::Result<T>) -> io::Result<T> {
    if let Ok(done) = act(io::stdin().as_fd()) {
        return Ok(done);
    }
    Ok(act(File::options().read(true).write(true).open("/dev/tty")?.as_fd())?)
}

impl Console for Real {
    type Keys = EventStream;

    fn keys(&mut self) -> EventStream {
        EventStream::new()
    }

    fn ask_ground(&mut self) -> bool {
        execute!(io::stdout(), Print(ground::QUESTION)).is_ok()
    }

    fn copy(&mut self, text: &str) -> Event {
        let notice = clipboard::copy(text, |text| execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text)));
        Event::Told(notice)
    }

    fn mouse(&mut self, ours: bool) {
        self.mouse = ours;
        // A terminal that does not take it goes on as it was.
        let _ = if ours { take_mouse() } else { execute!(io::stdout(), DisableMouseCapture) };
    }

    async fn retaken(&mut self) -> Event {
        self.lost.notified().await;
        let text = match take_back(self.mouse) {
            Ok(()) => "something in hooktape has failed: what it said is on the terminal when you leave".to_owned(),
            Err(error) => format!("the terminal did not come back: {error}"),
        };
        Event::Told(Notice::error(text))
    }

    async fn away(&mut self, effect: &Effect) -> Option<Event> {
        if let (Effect::Suspend, Some(notice)) = (effect, self.visits.no_shell()) {
            return Some(Event::Told(notice));
        }
        give_back();
        let modes = keyboard(|terminal| tcgetattr(terminal));
        let event = match effect {
            Effect::Visit { path, follow, to } => {
                self.visits.visit(path, *follow, to.as_deref()).await.map(Event::Told)
            }
            Effect::Edit { ticket, text, extension } => {
                Some(Event::Edited { ticket: *ticket, result: editor::edit(text, extension) })
            }
            Effect::Suspend => {
                // Returns when the shell continues us.
                signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
                    .err()
                    .map(|error| Event::Told(Notice::error(format!("cannot go to the background: {error}"))))
            }
            _ => None,
        };
        // One that was killed has left the terminal in its own modes, and ours would be taken from these. Those that the shell
        // leaves are the ones that its user wants.
        if let (Ok(modes), Effect::Visit { .. } | Effect::Edit { .. }) = (modes, effect) {
            let _ = keyboard(|terminal| tcsetattr(terminal, OptionalActions::Now, &modes));
        }
        match take_back(self.mouse) {
            Ok(()) => event,
            Err(error) => Some(Event::Told(Notice::error(format!("the terminal did not come back: {error}")))),
        }
    }
}
