//! What only a real terminal shows: the binary in a pseudo-terminal, its screen read the way a terminal reads it.

use std::io::Write;
use std::time::Instant;

use portable_pty::{CommandBuilder, PtySize};

use crate::caller::Caller;
use crate::escapes::BARE;
use crate::evil::{EVIL, recording};
use crate::support::{Stage, repository};
use crate::terminal::{PATIENCE, Terminal, modes, program, signal};
use hooktape::net::sender::Sender;
use hooktape::recording::backlog::backlog;
use hooktape::tui::console::Real;
use hooktape::tui::tape::Tape;
use hooktape::tui::visit::Visits;
use hooktape::tui::world::World;
use jiff::Timestamp;

#[test]
fn starts_shows_the_way_and_leaves_the_terminal_as_it_was() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    assert!(terminal.parser.screen().alternate_screen());
    terminal.press("D");
    terminal.sees("✗ invalid");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn ctrl_c_leaves_too() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut terminal = Terminal::start();
        terminal.sees("Waiting for the first call");
        terminal.signal(signal);
        assert_eq!(terminal.end(), 0, "{signal}");
        assert!(terminal.restored(), "{signal}");
    }
}

#[test]
fn follows_the_size_of_the_terminal() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    terminal.parser.screen_mut().set_size(45.try_into().unwrap(), 160.try_into().unwrap());
    terminal.master.resize(PtySize { rows: 45, cols: 160, pixel_width: 0, pixel_height: 0 }).unwrap();
    terminal.wait("hints in the last of 45 rows", |terminal| {
        terminal.parser.screen().rows(0, 160).nth(44).is_some_and(|row| row.contains("help"))
    });
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn pasted_text_is_text_and_no_keys() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    terminal.press("D");
    terminal.sees("tampered");
    terminal.press("/");
    terminal.press("\x1b[200~kind:dialog\x1b[201~");
    terminal.sees("1 of 15");
    terminal.press("\x1b");
    terminal.wait("the list unfiltered", |terminal| !terminal.screen().contains("1 of 15"));
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_it_is_continued() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    terminal.press("\x1a");
    terminal.wait("the main screen", |terminal| !terminal.parser.screen().alternate_screen());
    let deadline = Instant::now() + PATIENCE;
    while terminal.state() != 'T' {
        assert!(Instant::now() < deadline, "it never stopped");
        std::thread::yield_now();
    }
    terminal.signal("CONT");
    terminal.wait("the screen again", |terminal| {
        terminal.parser.screen().alternate_screen() && terminal.screen().contains("Waiting for the first call")
    });
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn the_background_is_asked_for_and_the_answer_is_no_keys() {
    let mut terminal = Terminal::start();
    terminal.wait("the question", |terminal| terminal.wrote("\x1b]11;?\x1b\\"));
    terminal.press("?\x1b]11;rgb:ffff/ffff/ffff\x1b\\j");
    terminal.sees("Help");
    // The colour of keys in the light theme.
    terminal.wait("the light theme", |terminal| terminal.wrote("\x1b[38;5;30"));
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_changed_configuration_is_taken_over_and_a_wrong_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hooktape.toml");
    std::fs::write(&file, "[keys]\nlog = \"f6\"\n").unwrap();
    let mut command = program(env!("CARGO_BIN_EXE_hooktape"));
    command.args(["--listen", "127.0.0.1:0", "--record"]);
    command.arg(folder.path().join("pty.jsonl"));
    command.cwd(folder.path());
    let mut terminal = Terminal::run(command, folder);
    terminal.sees("Waiting for the first call");
    std::fs::write(&file, "[keys]\nlog = \"f6\"\nhelp = \"ctrl-g\"\n").unwrap();
    terminal.sees("ctrl-g");
    std::fs::write(&file, "[keys]\nlog = \"nonsense\"\n").unwrap();
    terminal.sees("stays as it was");
    terminal.press("\x07");
    terminal.sees("Help");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_configuration_that_is_made_after_the_start_is_taken_over() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    std::fs::write(terminal.folder.path().join("hooktape.toml"), "[keys]\nhelp = \"ctrl-g\"\n").unwrap();
    terminal.sees("ctrl-g");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

/// Set for the child of the test below.
const PANIC: &str = "HOOKTAPE_TEST_PANIC";

/// Not a test of its own: run by the next one, in a terminal.
#[test]
fn panics_where_it_is_told_to() {
    if std::env::var_os(PANIC).is_some() {
        let _taken = Real::take(Visits::default()).unwrap();
        panic!("told to");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let mut command = program(std::env::current_exe().unwrap());
    command.args(["--exact", "pty::panics_where_it_is_told_to", "--nocapture"]);
    command.env(PANIC, "1");
    let mut terminal = Terminal::run(command, tempfile::tempdir().unwrap());
    assert_ne!(terminal.end(), 0);
    assert!(terminal.restored());
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    let back = raw.rfind("\x1b[?1049l").unwrap();
    assert!(raw[back..].contains("told to"), "the message went to the screen that is gone:\n{raw}");
}

/// Not a test of its own: run by the next one, in a terminal.
#[tokio::test(flavor = "multi_thread")]
async fn goes_on_after_a_panic_elsewhere() {
    if std::env::var_os(PANIC).is_none() {
        return;
    }
    let setup = Stage::size(80, 24).setup(&repository("recordings/moveo.jsonl"), None);
    let (events, messages) = tokio::sync::mpsc::unbounded_channel();
    let sender = Sender::new(setup.platforms.clone(), setup.keyring.clone());
    let world = World::new(events, Tape::resting(setup.recording.clone(), backlog().0), sender, Vec::new());
    let (mut console, mut screen) = Real::take(Visits::default()).unwrap();
    let app = hooktape::app::App::new(setup, Timestamp::now());
    tokio::spawn(async { panic!("told to") });
    let run = hooktape::tui::run(&mut screen, &mut console, app, &world, messages, std::future::pending());
    Box::pin(run).await.unwrap();
    drop(console);
}

#[test]
fn a_panic_that_the_program_survives_leaves_the_screen_whole() {
    let mut command = program(std::env::current_exe().unwrap());
    command.args(["--exact", "pty::goes_on_after_a_panic_elsewhere", "--nocapture"]);
    command.env(PANIC, "1");
    let mut terminal = Terminal::run(command, tempfile::tempdir().unwrap());
    terminal.sees("has failed");
    assert!(terminal.parser.screen().alternate_screen());
    assert!(terminal.wrote("told to") && !terminal.screen().contains("told to"), "{}", terminal.screen());
    terminal.press("?");
    terminal.sees("Help");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    terminal.wait("its modes", |terminal| modes(&*terminal.master) == terminal.modes);
}

/// A terminal in which another recording is opened from the list of them, and the port of the listener behind it.
fn visiting() -> (Terminal, u16) {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("data/recordings");
    std::fs::create_dir_all(&recordings).unwrap();
    std::fs::copy(repository("recordings/moveo.jsonl"), recordings.join("other.jsonl")).unwrap();
    std::fs::write(folder.path().join("-own.toml"), "").unwrap();
    let mut command = program(env!("CARGO_BIN_EXE_hooktape"));
    command.args(["--config=-own.toml", "--redact", "--listen", "127.0.0.1:0", "--record", "pty.jsonl"]);
    command.cwd(folder.path());
    let mut terminal = Terminal::run(command, folder);
    let port = terminal.port();
    terminal.press("s");
    terminal.sees("other.jsonl");
    terminal.press("\r");
    terminal.sees("opened │ 7 calls");
    (terminal, port)
}

#[test]
fn a_recording_is_opened_from_the_list_while_the_listener_goes_on() {
    let (mut terminal, port) = visiting();
    let about = std::fs::read_to_string(format!("/proc/{}/cmdline", terminal.visitor())).unwrap();
    assert!(about.contains("\0--redact\0"), "{about}");
    assert_eq!(Caller::to(&format!("127.0.0.1:{port}")).post("/", "", b"meanwhile").unwrap().0, 200);
    terminal.press("q");
    terminal.wait("the list again", |terminal| {
        let screen = terminal.screen();
        screen.contains("other.jsonl") && screen.contains("│ 1 call │")
    });
    terminal.press("\x1b");
    terminal.wait("no list", |terminal| !terminal.screen().contains("other.jsonl"));
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn a_recording_whose_process_is_killed_leaves_the_terminal_as_it_was() {
    let (mut terminal, _) = visiting();
    signal(terminal.visitor(), "KILL");
    terminal.sees("cannot show");
    terminal.press("\x1b");
    terminal.wait("no list", |terminal| !terminal.screen().contains("opens"));
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn a_signal_ends_it_also_while_another_recording_is_open() {
    let (mut terminal, _) = visiting();
    terminal.signal("TERM");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.restored());
}

#[test]
fn no_colour_is_drawn_where_none_is_wanted() {
    for (value, coloured) in [("1", false), ("", true)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hooktape"));
        command.arg("open");
        command.arg(repository("recordings/moveo.jsonl"));
        command.cwd(folder.path());
        command.env("HOOKTAPE_DATA", folder.path().join("data"));
        command.env("NO_COLOR", value);
        let mut terminal = Terminal::run(command, folder);
        terminal.sees("opened │ 7 calls");
        terminal.press("q");
        assert_eq!(terminal.end(), 0);
        assert_eq!(terminal.wrote("\x1b[38;"), coloured, "NO_COLOR={value}");
    }
}

#[test]
fn what_another_process_records_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(repository("recordings/moveo.jsonl"), folder.path().join("tape.jsonl")).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hooktape"));
    command.args(["open", "--follow", "tape.jsonl"]);
    command.cwd(folder.path());
    command.env("HOOKTAPE_DATA", folder.path().join("data"));
    let mut demo = std::process::Command::new(env!("CARGO_BIN_EXE_hooktape"));
    demo.args(["demo", "--record", "tape.jsonl"]).current_dir(folder.path());
    demo.env("HOOKTAPE_DATA", folder.path().join("data"));
    let mut terminal = Terminal::run(command, folder);
    terminal.sees("│ 7 calls");
    assert!(demo.output().unwrap().status.success());
    terminal.wait("more calls", |terminal| {
        let screen = terminal.screen();
        screen.contains(" calls") && !screen.contains("│ 7 calls")
    });
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn nothing_of_a_call_reaches_the_terminal_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{EVIL}.jsonl");
    std::fs::create_dir_all(folder.path().join("data/recordings")).unwrap();
    for path in [folder.path().join(&name), folder.path().join("data/recordings").join(&name)] {
        std::fs::write(path, recording()).unwrap();
    }
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hooktape"));
    command.args(["open", &name]);
    command.cwd(folder.path());
    command.env("HOOKTAPE_DATA", folder.path().join("data"));
    let mut terminal = Terminal::run(command, folder);
    terminal.sees("opened");
    // Its tabs, a copy of its body, the log, the other recordings, and what is said in the end.
    for (keys, shown) in
        [("g1", "␛[2J"), ("2", "␛[2J"), ("3", "␛[2J"), ("4", "invalid"), ("5", "␛[2J"), ("yb", "handed 663 bytes")]
    {
        terminal.press(keys);
        terminal.sees(shown);
    }
    terminal.press("s");
    terminal.sees("KiB");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw);
    for part in ["]0;pwned\x07", "\x1b]0;", BARE, "\u{9b}", "\u{202e}", "\u{200b}", "\u{85}"] {
        assert!(!raw.contains(part), "{part:?} in {raw:?}");
    }
}

#[test]
fn a_terminal_that_goes_away_ends_it_without_a_crash() {
    let mut terminal = Terminal::start();
    terminal.sees("Waiting for the first call");
    let Terminal { mut child, master, mut keys, output, .. } = terminal;
    // The reader lets go of its handle when what the key makes the program write finds nobody to take it.
    drop(output);
    keys.write_all(b"?").unwrap();
    drop((keys, master));
    let status = child.wait().unwrap();
    // 2 when a frame could not be written before the signal came.
    assert!(status.signal().is_none() && [0, 2].contains(&status.exit_code()), "{status:?}");
}

#[test]
fn a_terminal_that_stands_still_holds_up_no_call_and_costs_no_memory() {
    const CALLS: usize = 800;
    let mut terminal = Terminal::start();
    let port = terminal.port();
    let mut caller = Caller::to(&format!("127.0.0.1:{port}"));
    let before = terminal.peak();
    // From here on nothing that it draws is taken.
    let body = format!("\"{}\"", "lorem ipsum ".repeat(200_000 / 12));
    for _ in 0..CALLS {
        assert_eq!(caller.post("/", "", body.as_bytes()).unwrap().0, 200);
    }
    // Of their 160 MB it has those that it keeps for the next look at them, and what waits on its two ways.
    let peak = terminal.peak();
    assert!(peak < before + 110, "{before} MB, then {peak} MB");
    terminal.sees(&format!("{CALLS} calls"));
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}
