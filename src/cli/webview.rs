//! `hooktape webview open KIND`: stand in for a platform that opens a page and waits for the page to call back.
//!
//! ```text
//! the URL, as the platform builds it --> a browser --GET--> the page (one's own, or the listener's stand-in)
//!                                                             |
//! opened -> waiting -> success | error | expired <--callback--+    also late and duplicate ones
//! ```

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, eyre};
use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use url::Url;
use uuid::Uuid;

use crate::call::{Call, Direction, Id};
use crate::cli::context::{Context, stop_signal};
use crate::cli::lane::Bound;
use crate::cli::{Format, LaneArgs, Outcome, is_broken_pipe, listen, print, waits};
use crate::config::{is_loopback, parse_duration};
use crate::net::tunnel::Tunnel;
use crate::net::{base_url, is_ourselves};
use crate::platform::{self, Fate, Kind, Opening, Severity, Wait};
use crate::recording::Recorded;
use crate::recording::backlog::{Backlog, backlog};
use crate::signature;
use crate::{qr, visible};

/// What to do with a webview.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Open a page as its platform would, and wait for the page to call back
    ///
    /// Ends well when the page has called back with success: in time, signed as it must be, and keeping the contract.
    Open(Args),
}

/// The arguments of `webview open`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What is opened, as in `jelou/webview_open`; the platform's name will do
    kind: String,
    /// The page; its own query and fragment stay [default: the listener's stand-in page]
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// Set a parameter of the URL, as in `/session_id=1`; with no value: leave it out (repeatable)
    #[arg(long, value_name = "/NAME=VALUE", value_parser = parse_parameter)]
    set: Vec<(String, String)>,
    /// How long to wait for the callback, and before that for a tunnel's address
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    wait: Duration,
    /// The expiration time that is set at the platform, after which its flow goes on without the page [default: as
    /// configured under `[[wait]]`, else none]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    expires: Option<Duration>,
    /// How long to go on after a callback, for one that comes twice
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    linger: Duration,
    /// Print a QR code of the URL [default: on a terminal that has room for it]
    #[arg(long)]
    qr: bool,
    /// Where to listen and record.
    #[command(flatten)]
    pub(super) lane: LaneArgs,
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let form = "this is not of the form /NAME=VALUE, as in /session_id=1";
    let (name, value) = text.split_once('=').ok_or(form)?;
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() { Err(form.to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// The kind that opens a page; of a platform, its first.
fn kind<'a>(context: &'a Context, name: &str) -> eyre::Result<&'a Kind> {
    let openers = || context.platforms.kinds().filter(|kind| kind.opens_a_page());
    if let Some(kind) = openers().find(|kind| kind.platform() == name) {
        return Ok(kind);
    }
    let kind = context.kind(name)?;
    if kind.opens_a_page() {
        return Ok(kind);
    }
    let names: Vec<&str> = openers().map(|kind| kind.name.as_str()).collect();
    Err(eyre!("{} opens no page; those that do: {}", kind.name, names.join(", ")))
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    match open(context, args).await {
        // Nobody learns which page to open, so none calls back.
        Err(report) if is_broken_pipe(&report) => Ok(Outcome::No),
        ended => ended,
    }
}

async fn open(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let kind = kind(context, &args.kind)?;
    for sentence in context.config.warnings.iter().chain(&context.config.problems()) {
        print::note(&format!("hooktape: {sentence}"));
    }
    let bound = Bound::new(context).await?;
    let address = bound.address;
    let (teller, told) = backlog();
    let recorder = context.recorder(&args.lane.record, Box::new(move |event| teller.tell(event)))?;
    let told = told.of(recorder.path());
    let local = network_url(address);
    let name = Uuid::new_v4().to_string();
    let open = |base: &str| {
        let page = args.page.clone().unwrap_or_else(|| format!("{base}{}", kind.sample().path()));
        kind.open_page(&page, &name, &args.set).map_err(|error| eyre!(error))
    };
    // What is wrong with the page is said before anything begins.
    open(&local)?;
    listen::announce(context, &local, recorder.path())?;
    let lane = Arc::new(context.lane(recorder.clone())?);
    let responders = lane.responders.clone();
    listen::tell_what_answers(&responders, &*context.redaction()?);
    let (up, public) = watch::channel(None);
    let (format, mask) = (context.format, context.mask()?);
    let serving = bound.serve(context, lane, move |tunnel| {
        listen::of_tunnel(&tunnel, format, mask.as_deref()).print();
        if let Tunnel::Up(url) = tunnel {
            up.send_replace(Some(url));
        }
    })?;
    let concluded = match base(context, serving.has_a_tunnel().then_some(public), local, args.wait).await? {
        Some(base) => {
            let opening = open(&base)?;
            // One that was set by hand may be guessed.
            if opening.is_its_own {
                responders.hand_out(opening.request.target.clone());
            }
            Page { context, args, kind, opening: &opening, base: &base, address }.hand_over(told).await
        }
        None => Ok(Outcome::No),
    };
    serving.end().await?;
    recorder.close().await;
    concluded
}

/// The address that page and callback have the listener by; none if the wait for the tunnel's was ended, or took too long.
async fn base(
    context: &Context,
    tunnel: Option<watch::Receiver<Option<String>>>,
    local: String,
    patience: Duration,
) -> eyre::Result<Option<String>> {
    let Some(mut public) = tunnel else {
        return Ok(Some(context.config.listen.public_url.clone().unwrap_or(local)));
    };
    tokio::select! {
        url = public.wait_for(Option::is_some) => Ok(url?.clone()),
        () = stop_signal()? => Ok(None),
        () = tokio::time::sleep(patience) => {
            print::note("hooktape: the tunnel has no address, and the time to wait (--wait) is over: no page was opened");
            Ok(None)
        }
    }
}

/// The listener's address as another machine of the network has it, where it can be reached from there.
fn network_url(address: SocketAddr) -> String {
    let own = || {
        let socket = UdpSocket::bind((address.ip(), 0)).ok()?;
        // Sends nothing: it asks which way a packet would take. The address is one of documentation (RFC 5737, 3849).
        socket.connect(if address.is_ipv4() { "192.0.2.1:9" } else { "[2001:db8::1]:9" }).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let ip = if address.ip().is_unspecified() { own() } else { None };
    base_url(ip.map_or(address, |ip| SocketAddr::new(ip, address.port())))
}

/// A page that is ready to be opened.
#[derive(Clone, Copy)]
struct Page<'a> {
    context: &'a Context,
    args: &'a Args,
    kind: &'a Kind,
    opening: &'a Opening,
    /// The address that the page and its callback have the listener by.
    base: &'a str,
    /// The one that it has on this machine.
    address: SocketAddr,
}

impl Page<'_> {
    /// Hands the page out and follows what comes of it.
    async fn hand_over(&self, told: Backlog) -> eyre::Result<Outcome> {
        self.hand_out()?;
        let mut watch = Watch::new(self);
        watch.follow(told, self.args.wait, self.args.linger).await?;
        watch.conclude()
    }

    /// Shows the URL in every way that gets it into a browser.
    fn hand_out(&self) -> eyre::Result<()> {
        let Self { context, args, kind, opening, base, .. } = *self;
        let back = context.platforms.page_call(kind, &opening.request);
        let back = back.map(|call| (call.kind, call.request.method.clone(), format!("{base}{}", call.request.target)));
        let notes = self.advice(back.as_ref());
        let code = || qr::lines(&opening.url);
        if context.format == Format::Json {
            let callback = back.map(|(kind, method, url)| json!({ "kind": kind.name, "method": method, "url": url }));
            let value = json!({
                "schema": 1, "event": "page", "kind": kind.name, "url": opening.url, "conversation": opening.conversation,
                "callback": callback, "notes": notes, "qr": args.qr.then(code).flatten(),
            });
            print::out(&value.to_string())?;
            return Ok(());
        }
        print::out(&format!("open {}", visible::line(&opening.url)))?;
        let terminal = std::io::stdout().is_terminal();
        let code = if args.qr || terminal { code() } else { None };
        match code {
            Some(lines) if args.qr || fits(&lines) => print::out(&painted(&lines, terminal))?,
            None if args.qr => print::note("hooktape: the URL is too long for a QR code"),
            _ => {}
        }
        if terminal {
            execute!(std::io::stdout(), CopyToClipboard::to_clipboard_from(&opening.url))?;
            print::note("copied the URL to the clipboard, if the terminal allows that (OSC 52)");
        }
        for note in &notes {
            print::note(note);
        }
        print::note("waiting for the page to call back; ctrl-c ends that");
        Ok(())
    }

    /// What has to be so that page and listener find each other.
    fn advice(&self, back: Option<&(&Kind, String, String)>) -> Vec<String> {
        let Self { context, kind, opening, base, address: listener, .. } = *self;
        let platform = context.platforms.title_of(kind.platform());
        let twice = opening.twice.iter().map(|name| {
            format!("the page's URL has {name} of its own: the page reads the first, so the one of {platform} is lost")
        });
        let mut notes: Vec<String> = twice.collect();
        let Ok(page) = Url::parse(&opening.url) else { return notes };
        let here = is_ourselves(&page, listener) || Url::parse(base).is_ok_and(|base| base.origin() == page.origin());
        let Some((call, method, url)) = back.filter(|_| !here) else { return notes };
        let signed = if call.scheme().is_some() { ", signed as for the platform itself" } else { "" };
        notes.push(format!("the page has to call back {method} {url}, and not {platform}{signed}"));
        let public = base != network_url(listener);
        if !public && listener.ip().is_loopback() && (!is_loopback(&page) || page.scheme() == "https") {
            notes.push(format!(
                "that address is this machine's own: a browser elsewhere, or a server that calls for the page, needs a \
                 tunnel to {listener} (--tunnel \"CMD\") and its address for the callback"
            ));
        }
        if page.scheme() == "https" && !base.starts_with("https:") {
            notes.push(
                "the page is https and the listener http, which browsers allow to 127.0.0.1 only (Safari not even there): \
                 else use a tunnel with https"
                    .to_owned(),
            );
        }
        notes
    }
}

fn fits(lines: &[String]) -> bool {
    let wide = lines.first().map_or(0, |line| line.chars().count());
    crossterm::terminal::size().is_ok_and(|(columns, rows)| wide <= columns.into() && lines.len() < rows.into())
}

/// In white on black, whatever the terminal's colours are; without colour it is right on a dark one.
fn painted(lines: &[String], terminal: bool) -> String {
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let paint = |line: &String| if colour { format!("\x1b[97;40m{line}\x1b[0m") } else { line.clone() };
    lines.iter().map(paint).collect::<Vec<_>>().join("\n")
}

/// What has come of an opening so far.
struct Watch<'a> {
    context: &'a Context,
    kind: &'a Kind,
    limit: Option<Duration>,
    /// The flow waits from here on, whether or not the page is one that this listener serves.
    handed_out: Call,
    calls: Vec<Arc<Call>>,
    /// Whether a callback came that keeps the contract and ended the wait.
    good: bool,
    /// Whether a callback came at all.
    called_back: bool,
    expiry_told: bool,
}

impl<'a> Watch<'a> {
    fn new(page: &Page<'a>) -> Self {
        let Page { context, args, kind, opening, .. } = *page;
        let limit = args.expires.or_else(|| context.config.wait(&kind.name)?.expires);
        let handed_out = Call {
            kind: Some(kind.name.clone()),
            conversation: opening.conversation.clone(),
            ..Call::new(Id::fresh(), Direction::Sent, Timestamp::now(), opening.request.clone())
        };
        let calls = Vec::new();
        Self { context, kind, limit, handed_out, calls, good: false, called_back: false, expiry_told: false }
    }

    /// The wait as it stands at `now`.
    fn wait(&self, now: Timestamp) -> Option<Wait> {
        let calls = std::iter::once(&self.handed_out).chain(self.calls.iter().map(|call| &**call));
        self.context.platforms.waits(calls, |_| self.limit, now).into_iter().next()
    }

    /// Tells what comes, until there has been a callback and `linger` after it, or `patience` is over.
    async fn follow(&mut self, mut told: Backlog, patience: Duration, linger: Duration) -> eyre::Result<()> {
        let begun = Instant::now();
        let far = begun + Duration::from_hours(365 * 24);
        let mut end = begun.checked_add(patience).unwrap_or(far);
        let expiry = self.limit.and_then(|limit| begun.checked_add(limit)).unwrap_or(far);
        let mut stop = std::pin::pin!(stop_signal()?);
        loop {
            tokio::select! {
                event = told.next() => match event {
                    None => return Ok(()),
                    Some(Recorded::Call(call, _)) => {
                        let before = self.called_back;
                        self.take(&call)?;
                        if self.called_back && !before {
                            end = end.min(Instant::now() + linger);
                        }
                    }
                    Some(other) => print::trouble(&other),
                },
                () = sleep_until(expiry), if !self.expiry_told && self.limit.is_some() => self.expire()?,
                () = sleep_until(end) => return Ok(()),
                () = &mut stop => return Ok(()),
            }
        }
    }

    fn take(&mut self, call: &Arc<Call>) -> eyre::Result<()> {
        let opens = call.kind.as_ref() == Some(&self.kind.name);
        let known = self.context.platforms.kind(call.kind.as_deref());
        let closes = known.filter(|kind| kind.closes().as_ref() == Some(&self.kind.name));
        let ours = call.conversation.is_some() && call.conversation == self.handed_out.conversation;
        if ours && (opens || closes.is_some()) {
            self.calls.push(call.clone());
        }
        match closes {
            // Without a key it may be anybody's, and that is what is wrong with it.
            Some(kind) if ours || call.conversation.is_none() => {
                self.called_back = true;
                self.tell_callback(call, kind)
            }
            _ => self.tell(call, opens && ours),
        }
    }

    fn tell(&self, call: &Call, opened: bool) -> eyre::Result<()> {
        if self.context.format == Format::Json {
            let event = if opened { "opened" } else { "call" };
            print::result(&print::whole(call, &json!({ "event": event })))?;
            return Ok(());
        }
        print::result(&print::call_line(call, &self.context.platforms, Format::Text))?;
        if opened {
            print::result(&format!("opened, {}", self.standing(platform::Outcome::Waiting)))?;
        }
        Ok(())
    }

    fn tell_callback(&mut self, call: &Call, kind: &Kind) -> eyre::Result<()> {
        let wait = self.wait(call.at);
        let fate = wait.as_ref().and_then(|wait| wait.fate_of(call.id));
        let (mut verdict, mut why) =
            self.context.judge(call, Some(kind)).unwrap_or((signature::unsigned(), Vec::new()));
        if let Some(sig) = call.sig.filter(|_| call.request.redacted) {
            verdict.sig = sig;
            "parts of this call are masked; this was found before they were".clone_into(&mut verdict.reason);
            why.clear();
        }
        let findings = self.context.findings(call, kind);
        let authentic = !verdict.needs_explaining();
        let sound = findings.request.iter().all(|finding| finding.severity < Severity::Error);
        let outcome = wait.as_ref().map_or(platform::Outcome::Waiting, |wait| wait.outcome);
        let counts = matches!(fate, Some(Fate::Ended | Fate::Again));
        self.good |= counts && outcome == platform::Outcome::Success && authentic && sound;
        let data = wait.and_then(|wait| wait.data).filter(|_| fate == Some(Fate::Ended));
        if self.context.format == Format::Json {
            let value = json!({
                "event": "callback", "fate": fate.map(Fate::word), "state": outcome.word(),
                "verdict": print::verdict_json(&verdict, &why), "findings": findings,
            });
            print::result(&print::whole(call, &value))?;
            return Ok(());
        }
        let mut text = print::call_line(call, &self.context.platforms, Format::Text);
        text.push('\n');
        text.push_str(&print::verdict(&verdict, &why));
        text.push_str(&print::findings(&findings.request));
        if let Some(data) = data {
            let _ = writeln!(text, "{}", waits::brought(self.context, &self.kind.name, &data));
        }
        text.push_str(&match fate {
            Some(Fate::Ended) => self.standing(outcome),
            Some(fate) => print::fate(fate, call),
            None => "it names no conversation, so it ends no wait".to_owned(),
        });
        print::result(text.trim_end())?;
        Ok(())
    }

    fn expire(&mut self) -> eyre::Result<()> {
        self.expiry_told = true;
        let over = self.handed_out.at.checked_add(self.limit.unwrap_or_default()).unwrap_or(Timestamp::MAX);
        if self.wait(over.max(Timestamp::now())).is_none_or(|wait| wait.outcome != platform::Outcome::Expired) {
            return Ok(());
        }
        let expired = platform::Outcome::Expired;
        let line = match self.context.format {
            Format::Text => self.standing(expired),
            Format::Json => {
                let then = self.context.platforms.then(self.kind, expired);
                json!({ "schema": 1, "event": "expired", "at": over, "then": then }).to_string()
            }
        };
        print::result(&line)?;
        Ok(())
    }

    fn standing(&self, outcome: platform::Outcome) -> String {
        waits::standing(self.context, &self.kind.name, outcome)
    }

    /// The last word.
    fn conclude(&self) -> eyre::Result<Outcome> {
        let wait = self.wait(Timestamp::now());
        let outcome = wait.as_ref().map_or(platform::Outcome::Waiting, |wait| wait.outcome);
        if self.context.format == Format::Json {
            let then = self.context.platforms.then(self.kind, outcome);
            let value = json!({
                "schema": 1, "event": "ended", "state": outcome.word(), "called_back": self.called_back, "good": self.good,
                "then": then, "data": wait.and_then(|wait| wait.data),
            });
            print::result(&value.to_string())?;
        } else if !self.called_back {
            let opened = if self.calls.is_empty() {
                "nobody opened the page here, and nothing"
            } else {
                "the page was opened, and nothing"
            };
            print::note(&format!("{opened} called back"));
        }
        Ok(self.good.into())
    }
}
