//! `hooktape` and `hooktape open FILE`: the terminal program, with the listener or without.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use crate::app::event::{Event, Notice};
use crate::app::{App, Colours, Setup};
use crate::cli::context::{Context, data_dir, stop_signal};
use crate::cli::lane::Bound;
use crate::cli::listen::with_tls;
use crate::cli::{LaneArgs, Outcome};
use crate::net::{base_url, demo};
use crate::recording::Reader;
use crate::recording::backlog::backlog;
use crate::tui;
use crate::tui::console::Real;
use crate::tui::feed::feed;
use crate::tui::tape::Tape;
use crate::tui::visit::Visits;
use crate::tui::world::{Messages, World};
use crate::tui::{ground, lookout, reload};

/// How often a file is looked at that another process records to.
const FOLLOW: Duration = Duration::from_millis(200);

/// The arguments of `open`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Where replayed calls go: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: Option<String>,
    /// Show what another process goes on to record there
    #[arg(long)]
    follow: bool,
    /// Mask what is recorded of calls that are sent, as the hooktape that waits does
    #[arg(long, hide = true)]
    redact: bool,
    /// Another hooktape waits for the end of this one
    #[arg(long, hide = true)]
    within: bool,
}

pub(super) async fn listening(context: &Context, args: &LaneArgs, to: Option<&str>) -> eyre::Result<Outcome> {
    let (live, written) = backlog();
    let told = live.clone();
    let bound = Bound::new(context).await?;
    let address = bound.address;
    let (recorder, found) = context.record(&args.record, Box::new(move |event| told.tell(event)))?;
    let path = recorder.path().display();
    let notices: Vec<String> = found.remarks().iter().map(|remark| format!("{path}: {remark}")).collect();
    let lane = Arc::new(context.lane(recorder.clone())?);
    let mut app = start(context, recorder.path(), Some(address), &notices, to)?;
    if let Some(identity) = &lane.tls {
        app.tell(Notice::info(with_tls(address, identity)));
    }
    let calls = demo::conversation(&context.platforms, &context.keyring, &base_url(address)).map_err(|e| eyre!(e))?;
    let (events, messages) = unbounded_channel();
    let world = World::new(events, Tape::running(recorder.clone(), live), context.sender(), calls)
        .answering(lane.responders.clone())
        .keeping(data_dir().ok())
        .telling(context.config.redact.filled.clone());
    let told = world.events.clone();
    let of_tunnel = move |tunnel| drop(told.send(Event::Tunnel(tunnel).into()));
    tokio::spawn(feed(&world, Some(found.end), None, written));
    let serving = bound.serve(context, lane, of_tunnel)?;
    let visits = visits(context, false);
    let result = show(context, app, &world, messages, visits).await;
    serving.end().await?;
    world.end().await;
    result
}

pub(super) async fn opened(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    if !std::io::stdout().is_terminal() {
        let file = args.file.display();
        return Err(eyre!("standard output is no terminal: `hooktape show {file}` prints the calls"));
    }
    let packed = Reader::check(&args.file)?;
    if packed && args.follow {
        let file = args.file.display();
        return Err(eyre!("{file} is compressed, so nothing comes to it: open it without --follow"));
    }
    let (live, recorded) = backlog();
    let (events, messages) = unbounded_channel();
    let mut app = start(context, &args.file, None, &[], args.to.as_deref())?;
    app.setup.follow = args.follow;
    let masking = context.masking(args.redact);
    let masks = masking.mask()?.map(Arc::unwrap_or_clone);
    let tape = Tape::resting(args.file.clone(), live).redacting(masks);
    let world = World::new(events, tape, context.sender(), Vec::new())
        .keeping(data_dir().ok())
        .telling(context.config.redact.filled.clone());
    tokio::spawn(feed(&world, None, args.follow.then_some(FOLLOW), recorded));
    // Whoever follows it learns by that, and what was unpacked stays.
    let watching = (!args.follow && !packed).then(|| lookout::watch(world.tape.clone(), world.events.clone()));
    let result = show(context, app, &world, messages, visits(&masking, args.within)).await;
    if let Some(watching) = watching {
        watching.abort();
    }
    world.end().await;
    result
}

fn start(
    context: &Context,
    recording: &Path,
    listener: Option<SocketAddr>,
    notices: &[String],
    to: Option<&str>,
) -> eyre::Result<App> {
    let warnings = context.config.warnings.iter().chain(notices).cloned().chain(context.config.problems());
    let setup = Setup {
        config: context.config.clone(),
        platforms: context.platforms.clone(),
        keyring: context.keyring.clone(),
        recording: recording.to_owned(),
        listener,
        follow: false,
        zone: zone(),
        colours: colours(|name| std::env::var(name).ok()),
        environment: std::env::vars_os()
            .filter(|(_, value)| value.to_str().is_some())
            .filter_map(|(name, _)| name.into_string().ok())
            .collect(),
        notices: warnings.map(Notice::warning).collect(),
        new_key: || Uuid::new_v4().to_string(),
    };
    let mut app = App::new(setup, Timestamp::now());
    app.light = std::env::var("COLORFGBG").ok().as_deref().and_then(ground::hint);
    if let Some(to) = to {
        app.choose(context.target(to)?);
    }
    Ok(app)
}

/// The user's time zone. What the system keeps of it is read directly: to look it up by its name, all zones that there are
/// would be listed first.
pub(super) fn zone() -> TimeZone {
    let own = || match std::env::var_os("TZ") {
        None => TimeZone::tzif("local", &std::fs::read("/etc/localtime").ok()?).ok(),
        Some(_) => None,
    };
    own().unwrap_or_else(TimeZone::system)
}

/// How many colours the terminal has, as its variables say.
fn colours(variable: impl Fn(&str) -> Option<String>) -> Colours {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    if set("NO_COLOR").is_some() || term == "dumb" {
        return Colours::None;
    }
    let many = ["256color", "direct", "kitty", "ghostty", "alacritty", "wezterm", "foot"];
    if set("COLORTERM").is_some() || many.iter().any(|word| term.contains(word)) {
        return Colours::Many;
    }
    Colours::Sixteen
}

/// How other recordings are opened: what they record is masked where ours is.
fn visits(context: &Context, within: bool) -> Visits {
    Visits { arguments: context.arguments(), redact: context.config.record.redact, within }
}

/// Takes the terminal, runs the app in it, gives the terminal back.
async fn show(context: &Context, app: App, world: &World, messages: Messages, visits: Visits) -> eyre::Result<Outcome> {
    let stop = stop_signal()?;
    let again = context.clone();
    let load = move || again.again().map(|context| context.config).map_err(|error| format!("{error:#}"));
    let reload = reload::watch(context.places.clone(), world.events.clone(), load);
    let (mut console, mut terminal) = Real::take(visits).wrap_err("cannot take the terminal")?;
    let result = Box::pin(tui::run(&mut terminal, &mut console, app, world, messages, stop)).await;
    drop(console);
    reload.abort();
    if terminal.show_cursor().is_err() {
        // The terminal is gone. Dropping its handle would say so with `eprintln`, which panics for the same reason.
        std::mem::forget(terminal);
    }
    result?;
    Ok(Outcome::Yes)
}
