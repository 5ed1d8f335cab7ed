//! A tunnel: the user's own program (cloudflared, ngrok, tailscale, ssh) that gives the listener a public address.
//!
//! ```text
//!  "cloudflared tunnel --url {url}" --its output--> addresses --a call to each--> the one that brings it back to us
//!         ^                                                                             |
//!         +---- started again when it ends                     checked now and then <---+
//! ```
//!
//! What a program prints says little: most print addresses of their makers too. The public one is the one by which a call
//! reaches our own listener, which alone knows the answer ([`Reach`]).

mod addresses;
mod program;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture, join_all};
use reqwest::Client;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use self::addresses::Addresses;
use self::program::Program;
use crate::call::Request;
use crate::config::Listen;
use crate::net::{base_url, root};
use crate::sync::{read, write};
use crate::visible;

/// How long a call round the tunnel may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a tunnel at work is checked.
const CHECK: Duration = Duration::from_secs(15);
/// How long to wait before a check that failed is made again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a program that ended rests, the first time and at most.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Columns of the program's last words that are told.
const WORDS: usize = 160;

/// How the tunnel does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// The program runs, and no address is known to lead here yet: why, if one was tried.
    Starting(Option<String>),
    /// Calls to this address come to us.
    Up(String),
    /// Calls to this address came to us, and do so no more: why.
    Lost(String, String),
    /// The program ended: how, and when it is started again.
    Ended(String, Duration),
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(None) => f.write_str("the tunnel is starting"),
            Self::Starting(Some(why)) => write!(f, "the tunnel does not lead here yet: {why}"),
            Self::Up(url) => write!(f, "the tunnel is up: {url}"),
            Self::Lost(url, why) => write!(f, "the tunnel {url} does not lead here any more: {why}"),
            Self::Ended(how, rest) => write!(f, "the tunnel program {how}; it starts again in {rest:?}"),
        }
    }
}

/// The proof that an address leads to this listener: a path that nobody else knows, and an answer that is not in it.
#[derive(Debug)]
pub struct Reach {
    path: String,
    answer: String,
    public: RwLock<Option<String>>,
}

impl Default for Reach {
    fn default() -> Self {
        let path = format!("/.hooktape/{}", Uuid::new_v4().simple());
        Self { path, answer: Uuid::new_v4().simple().to_string(), public: RwLock::default() }
    }
}

impl Reach {
    /// What is answered to a call of `path`, which is then no call of a platform's and is not recorded.
    #[must_use]
    pub(super) fn answer(&self, path: &str) -> Option<&str> {
        path.ends_with(&self.path).then_some(&self.answer)
    }

    /// The tunnel's address, if `request` came by it: it names that host, or something on its way passed it on.
    #[must_use]
    pub(super) fn public(&self, request: &Request) -> Option<String> {
        let public = read(&self.public).clone()?;
        let passed_on =
            ["x-forwarded-for", "x-forwarded-host", "forwarded"].iter().any(|name| request.headers.has(name));
        let place = public.split_once("://").map_or("", |(_, rest)| rest).split('/').next();
        (passed_on || request.headers.get("host") == place).then_some(public)
    }

    fn set(&self, public: Option<String>) {
        *write(&self.public) = public;
    }
}

/// A tunnel program that is kept running.
#[derive(Debug)]
pub struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Learns how the tunnel does, each time that changes.
pub type Observer = Box<dyn Fn(Tunnel) + Send + Sync>;

impl Keeper {
    /// Starts `command` with the shell and keeps it running. `{port}` and `{url}` in it are the listener's. A configured
    /// public address is tried too: a tunnel with a name of its own does not print it.
    ///
    /// # Errors
    /// When the TLS library cannot start.
    pub fn start(
        listen: &Listen,
        command: &str,
        address: SocketAddr,
        reach: Arc<Reach>,
        observer: Observer,
    ) -> Result<Self, String> {
        let url = base_url(address);
        let command = command.replace("{port}", &address.port().to_string()).replace("{url}", &url);
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        // A connection of its own each time: an old one would say nothing of the address.
        let client = client.user_agent("hooktape").pool_max_idle_per_host(0).build();
        let client = client.map_err(|error| format!("the tunnel cannot be checked: {error}"))?;
        let (stop, stopped) = oneshot::channel();
        let known = listen.public_url.clone();
        let watch = Watch { command, known, address, client, reach, observer, last: None };
        Ok(Self { stop, task: tokio::spawn(watch.keep(stopped)) })
    }

    /// Ends the program, with all that it started.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

struct Watch {
    command: String,
    known: Option<String>,
    address: SocketAddr,
    client: Client,
    reach: Arc<Reach>,
    observer: Observer,
    last: Option<Tunnel>,
}

impl Watch {
    /// Starts the program again whenever it ends, later each time it did not do its work.
    async fn keep(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut rest = REST.0;
        loop {
            self.tell(Tunnel::Starting(None));
            let (how, worked) = match Program::start(&self.command) {
                Ok(program) => match self.run(program, &mut stopped).await {
                    Some(ended) => ended,
                    None => break,
                },
                Err(error) => (format!("cannot be started: {error}"), false),
            };
            if worked {
                rest = REST.0;
            }
            self.tell(Tunnel::Ended(how, rest));
            // Also when the other end is gone.
            if tokio::time::timeout(rest, &mut stopped).await.is_ok() {
                break;
            }
            rest = (rest * 2).min(REST.1);
        }
        self.reach.set(None);
    }

    /// One run of the program: how it ended, and whether it ever led here. None: it was to stop, and did.
    async fn run(&mut self, mut program: Program, stopped: &mut oneshot::Receiver<()>) -> Option<(String, bool)> {
        let mut addresses = Addresses::new(self.address);
        if let Some(url) = &self.known {
            addresses.read(url);
        }
        let mut up: Option<String> = None;
        let mut probe: Option<BoxFuture<'static, Result<String, String>>> = None;
        let mut next = Instant::now();
        let mut last_words = String::new();
        loop {
            let due = probe.is_none() && !addresses.is_empty();
            tokio::select! {
                _ = &mut *stopped => {
                    program.end().await;
                    return None;
                }
                line = program.line() => if let Some(line) = line {
                    if addresses.read(&line) && up.is_none() {
                        next = Instant::now();
                    }
                    last_words = line;
                } else {
                    let how = program.end().await;
                    let words = visible::line(last_words.trim());
                    let words = visible::truncate(&words, WORDS);
                    let said = if words.is_empty() { String::new() } else { format!(", its last words: {words}") };
                    return Some((format!("{how}{said}"), up.is_some()));
                },
                () = sleep_until(next), if due => {
                    let all = addresses.all().filter(|url| up.as_ref() != Some(url)).collect();
                    probe = Some(Box::pin(find(self.client.clone(), self.reach.clone(), up.clone(), all)));
                }
                Some(found) = OptionFuture::from(probe.as_mut()) => {
                    probe = None;
                    next = Instant::now() + if found.is_ok() { CHECK } else { AGAIN };
                    self.tell(match (found, &up) {
                        (Ok(url), _) => {
                            up = Some(url.clone());
                            Tunnel::Up(url)
                        }
                        (Err(why), Some(url)) => Tunnel::Lost(url.clone(), why),
                        (Err(why), None) => Tunnel::Starting(Some(why)),
                    });
                }
            }
        }
    }

    fn tell(&mut self, tunnel: Tunnel) {
        if self.last.as_ref() == Some(&tunnel) {
            return;
        }
        // One that is lost may be back at any time, and calls that come by it bear its address.
        self.reach.set(match &tunnel {
            Tunnel::Up(url) | Tunnel::Lost(url, _) => Some(url.clone()),
            _ => None,
        });
        self.last = Some(tunnel.clone());
        (self.observer)(tunnel);
    }
}

/// The address that worked, as long as it does; else the program may have got another meanwhile. Whose the others are that it
/// printed nobody knows, so they are called no more than is needed.
async fn find(client: Client, reach: Arc<Reach>, known: Option<String>, others: Vec<String>) -> Result<String, String> {
    let Some(known) = known else { return try_all(client, reach, others).await };
    match leads_here(&client, &reach, &known).await {
        Ok(()) => Ok(known),
        Err(why) => try_all(client, reach, others).await.map_err(|_| format!("{known}: {why}")),
    }
}

/// The first of the addresses that leads to us, or why the first one does not.
async fn try_all(client: Client, reach: Arc<Reach>, addresses: Vec<String>) -> Result<String, String> {
    let tried = join_all(addresses.iter().map(|url| leads_here(&client, &reach, url))).await;
    let mut why = None;
    for (url, tried) in addresses.iter().zip(tried) {
        match tried {
            Ok(()) => return Ok(url.clone()),
            Err(error) => why = why.or(Some(format!("{url}: {error}"))),
        }
    }
    Err(why.unwrap_or_default())
}

/// A call round the world.
async fn leads_here(client: &Client, reach: &Reach, url: &str) -> Result<(), String> {
    // ngrok and localtunnel put a page of their own before what a browser asks for; these ask them not to.
    let asked = client.get(format!("{url}{}", reach.path)).header("ngrok-skip-browser-warning", "1");
    let mut answer = asked.header("bypass-tunnel-reminder", "1").send().await.map_err(|error| cause(&error))?;
    let status = answer.status();
    let mut body = Vec::new();
    while body.len() <= reach.answer.len()
        && let Some(part) = answer.chunk().await.map_err(|error| cause(&error))?
    {
        body.extend_from_slice(&part);
    }
    if body == reach.answer.as_bytes() {
        return Ok(());
    }
    Err(format!("somebody else answers there ({})", status.as_u16()))
}

/// What is at the bottom of an error.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {PATIENCE:?}");
    }
    visible::line(&root(error).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::Backend;

    fn request(fields: &[(&'static str, &'static str)]) -> Request {
        Request { headers: fields.iter().copied().collect(), ..Request::default() }
    }

    #[test]
    fn a_call_by_the_tunnel_bears_its_address_and_one_to_the_listener_does_not() {
        let reach = Reach::default();
        assert_eq!(reach.public(&request(&[("host", "a.example")])), None);
        reach.set(Some("https://a.example/base".into()));
        for (fields, by_it) in [
            (&[("host", "a.example")][..], true),
            (&[("host", "localhost:4747"), ("x-forwarded-host", "a.example")], true),
            (&[("host", "localhost:4747")], false),
            (&[], false),
        ] {
            assert_eq!(reach.public(&request(fields)).is_some(), by_it, "{fields:?}");
        }
    }

    #[tokio::test]
    async fn an_address_that_works_is_the_only_one_that_is_called() {
        let reach = Arc::new(Reach::default());
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", reach.answer.len(), reach.answer);
        let answer: &'static str = Box::leak(answer.into_boxed_str());
        let (ours, mut other) = (Backend::new(answer).await, Backend::new(answer).await);
        let found = async |known: String| {
            let client = Client::builder().no_proxy().build().unwrap();
            find(client, reach.clone(), Some(known), vec![other.url("")]).await
        };
        assert_eq!(found(ours.url("")).await, Ok(ours.url("")));
        assert_eq!(found("http://127.0.0.1:1".into()).await, Ok(other.url("")));
        assert!(other.next().await.0.starts_with(&format!("GET {} ", reach.path)));
        assert!(futures_util::FutureExt::now_or_never(other.next()).is_none(), "once");
    }

    #[test]
    fn only_its_path_is_answered_and_the_answer_is_not_in_it() {
        let (one, other) = (Reach::default(), Reach::default());
        assert!(one.answer(&one.path).is_some_and(|answer| !one.path.contains(answer)));
        assert_eq!((one.answer(&other.path), one.answer("/.hooktape/")), (None, None));
    }
}
