//! What every command starts from: configuration, platforms, secrets, places.

mod check;

use std::ffi::{OsStr, OsString};
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use color_eyre::eyre::{self, WrapErr, eyre};
use directories::ProjectDirs;
use jiff::Timestamp;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::call::Call;
use crate::cli::{Common, Format, LaneArgs, RecordArgs, RespondArgs, print};
use crate::config::{
    Assignment, Certificate, Config, Forward, Rotation, Source, Sources, Target, instead, meant, parse_assignment,
    without_query,
};
use crate::net::avoid::Own;
use crate::net::listener::Lane;
use crate::net::placeholders;
use crate::net::presence::Presence;
use crate::net::sender::Sender;
use crate::net::template::Known;
use crate::net::tls::Identity;
use crate::platform::{Consequence, Endpoint, Finding, Keyring, Kind, Platforms};
use crate::recording::export::{Judgement, Reporter};
use crate::recording::{self, Observer, Opened, Options, Recorder, Redaction};
use crate::replay::variables::Variables;
use crate::signature::Verdict;

/// What every command starts from.
#[derive(Clone, Debug)]
pub struct Context {
    /// The configuration, with what the command line adds to it.
    pub config: Arc<Config>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// How results are printed.
    pub format: Format,
    /// Where the configuration's file may stand, the one that wins first.
    pub places: Vec<PathBuf>,
    /// What the command line said.
    given: (Common, Option<LaneArgs>),
    /// Made when it is first needed, and once: its patterns take milliseconds.
    redaction: OnceLock<Arc<Redaction>>,
}

/// Where a call departs from its contract.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// What was called, and by whom.
    pub request: Vec<Finding>,
    /// What was answered.
    pub response: Vec<Finding>,
    /// What the platform does with that.
    #[serde(skip)]
    pub consequence: Option<Consequence>,
}

impl Context {
    /// Reads the configuration and the packs.
    ///
    /// # Errors
    /// Where the configuration or a pack is wrong: file, line, key, and the repair.
    pub fn load(common: &Common, lane: Option<&LaneArgs>) -> eyre::Result<Self> {
        // Not parsed by clap, which would print what it refuses: that may be the secret itself.
        let secrets: Vec<Assignment> = common
            .secret
            .iter()
            .map(|text| parse_assignment(text))
            .collect::<Result<_, _>>()
            .map_err(|e| eyre!("--secret: {e}"))?;
        let sources = Sources {
            explicit: common.config.clone(),
            directory: std::env::current_dir().wrap_err("cannot tell which directory this is")?,
            fallback: config_dir().ok().map(|folder| folder.join("config.toml")),
            environment: std::env::vars_os().collect(),
            listen: lane.and_then(|lane| lane.listen),
            secrets,
        };
        let mut config = Config::load(&sources)?;
        if let Some(lane) = lane {
            respond(&mut config, &lane.respond)?;
            config.listen.tunnel.clone_from(&lane.tunnel);
            config.record.redact |= lane.record.redact;
            if lane.tls && config.listen.tls.is_none() {
                config.listen.tls = Some(Certificate::SelfSigned);
            }
        }
        for assignment in &sources.secrets {
            // In a file, a variable may be missing on some machines; who types one now means one that is there.
            let unread = config.secrets.0.get(&assignment.name).into_iter().flatten().find_map(|s| s.value().err());
            if let Some(why) = unread {
                return Err(eyre!("--secret {}={}: {why}", assignment.name, assignment.reference));
            }
        }
        let mut platforms = platforms()?;
        config.redact.carriers = platforms.carriers();
        check::check(&config, &sources.secrets, &mut platforms).map_err(|wrong| eyre!(wrong))?;
        let keyring = Arc::new(Keyring::new(config.secrets.clone()).knowing(&config.targets));
        Ok(Self {
            config: Arc::new(config),
            platforms: Arc::new(platforms),
            keyring,
            format: common.format,
            places: sources.places(),
            given: (common.clone(), lane.cloned()),
            redaction: OnceLock::new(),
        })
    }

    /// What another process of this program needs on its command line to know the same: none of it is a secret.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let (Common { config, secret, .. }, _) = &self.given;
        // One word each: a path may begin with a dash.
        let word = |flag: &str, value: &OsStr| {
            let mut word = OsString::from(flag);
            word.push(value);
            word
        };
        let config = config.iter().map(|path| word("--config=", path.as_os_str()));
        config.chain(secret.iter().map(|text| word("--secret=", text.as_ref()))).collect()
    }

    /// This context, where what is recorded and printed is masked if `redact` says so.
    #[must_use]
    pub fn masking(&self, redact: bool) -> Self {
        let mut config = (*self.config).clone();
        config.record.redact |= redact;
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// This context, where headers that are filled in from the environment count as secret, as those do that a target
    /// gets by reference.
    #[must_use]
    pub fn hiding<'a>(&self, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut config = (*self.config).clone();
        let asks = |value| std::str::from_utf8(value).is_ok_and(placeholders::ask_the_environment);
        let secret = headers.into_iter().filter(|(_, value)| asks(value));
        config.redact.referenced.extend(secret.map(|(name, _)| name.to_owned()));
        Self { config: Arc::new(config), redaction: OnceLock::new(), ..self.clone() }
    }

    /// What masks that which is printed; none: it is not masked.
    ///
    /// # Errors
    /// As [`Self::redaction`].
    pub fn mask(&self) -> eyre::Result<Option<Arc<Redaction>>> {
        self.config.record.redact.then(|| self.redaction()).transpose()
    }

    /// An address to be listed, without the secrets of its query: a platform's token, say.
    pub fn hushed_url(&self, url: &str) -> String {
        self.redaction().map_or_else(|_| without_query(url).to_owned(), |redaction| redaction.target(url))
    }

    /// This context, read again from its files and the arguments.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn again(&self) -> eyre::Result<Self> {
        Self::load(&self.given.0, self.given.1.as_ref())
    }

    /// Where calls are recorded when no flag says otherwise.
    ///
    /// # Errors
    /// When the system knows no place for recordings.
    pub fn place(&self) -> eyre::Result<PathBuf> {
        match &self.config.record.path {
            Some(path) => Ok(path.clone()),
            None => Ok(recording::default_path(&data_dir()?, Timestamp::now())),
        }
    }

    /// Where calls are recorded.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn recorded_to(&self, args: &RecordArgs) -> eyre::Result<PathBuf> {
        args.record.clone().map_or_else(|| self.place(), Ok)
    }

    /// Begins the recording, or goes on with one that is there.
    ///
    /// # Errors
    /// When the file cannot be had.
    pub fn record(&self, args: &RecordArgs, observer: Observer) -> eyre::Result<(Recorder, Opened)> {
        let path = self.recorded_to(args)?;
        let asked: Rotation = args.rotate.iter().copied().collect();
        let configured = self.config.record.rotate;
        let rotate = Rotation { size: asked.size.or(configured.size), age: asked.age.or(configured.age) };
        let options = Options { fsync: args.fsync || self.config.record.fsync, rotate };
        let (recorder, opened) = Recorder::open(&path, options, observer)?;
        let recorder = if args.redact || self.config.record.redact {
            recorder.redacting((*self.redaction()?).clone())
        } else {
            recorder
        };
        Ok((recorder, opened))
    }

    /// What is masked in calls that are shared.
    ///
    /// # Errors
    /// When a pattern of the configuration is none, which reading it has ruled out.
    pub fn redaction(&self) -> eyre::Result<Arc<Redaction>> {
        if let Some(made) = self.redaction.get() {
            return Ok(made.clone());
        }
        let made = Redaction::new(&self.config.redact).wrap_err("redact.patterns")?;
        Ok(self.redaction.get_or_init(|| Arc::new(made)).clone())
    }

    /// As [`Self::record`], for a command without a screen: what had to be mended is said at once.
    ///
    /// # Errors
    /// When the file cannot be had.
    pub fn recorder(&self, args: &RecordArgs, observer: Observer) -> eyre::Result<Recorder> {
        let (recorder, opened) = self.record(args, observer)?;
        for remark in opened.remarks() {
            print::note(&format!("hooktape: {}: {remark}", recorder.path().display()));
        }
        Ok(recorder)
    }

    /// The lane of a listener that records with `recorder`.
    ///
    /// # Errors
    /// When the certificate that is asked for cannot be had.
    pub fn lane(&self, recorder: Recorder) -> eyre::Result<Lane> {
        let lane = Lane::new(self.config.clone(), self.platforms.clone(), self.keyring.clone(), recorder);
        let variables = Variables::path(&data_dir()?);
        // Read anew each time: variables become known while calls come.
        let variable = move |name: &str| Some(Variables::load(&variables).ok()?.get(name)?.value.clone());
        let filled = self.config.redact.filled.clone();
        let environment = move |name: &str| filled.variable(name);
        lane.responders.know(Known { variable: Box::new(variable), environment: Box::new(environment) });
        let tls = self.config.listen.tls.as_ref();
        let tls =
            tls.map(|tls| Identity::new(tls, &data_dir()?.join("tls")).map_err(eyre::Report::from)).transpose()?;
        Ok(Lane { tls, ..lane })
    }

    /// Tells other processes of the listener at `address`, as long as what is given back lives. Where that cannot be said, they
    /// do not leave it alone.
    #[must_use]
    pub fn announce(&self, address: SocketAddr) -> Option<Arc<Presence>> {
        let own = Own { address, public: self.config.listen.public_url.clone() };
        Presence::announce(&data_dir().ok()?, &own).ok().map(Arc::new)
    }

    /// The HTTP client.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(self.platforms.clone(), self.keyring.clone())
    }

    /// The target of that name, or at that address, which is guarded where one that is goes to the same host; or a platform's
    /// own endpoint, which is guarded.
    ///
    /// # Errors
    /// When it is none: a sentence with the names there are.
    pub fn target(&self, to: &str) -> eyre::Result<Target> {
        if let Some(target) = self.config.target(to) {
            return Ok(target.clone());
        }
        if let Some(endpoint) = self.platforms.endpoints().find(|endpoint| endpoint.name == to) {
            return Ok(endpoint.target());
        }
        let known = self.config.targets.iter().cloned().chain(self.platforms.endpoints().map(Endpoint::target));
        let known: Vec<Target> = known.collect();
        Target::from_address(to).map(|target| target.guarded_with(&known)).map_err(|reason| {
            if to.contains(':') {
                // An address, and perhaps a password in it.
                return eyre!(reason);
            }
            let targets = self.config.targets.iter().map(|target| target.name.as_str());
            let names: Vec<&str> = targets.chain(self.platforms.endpoints().map(|place| place.name.as_str())).collect();
            let address = if meant(to, &names).is_some() { String::new() } else { format!("; {reason}") };
            eyre!("{to:?} is no target: {}{address}", instead(to, &names))
        })
    }

    /// Checks the signature of a recorded call as its listener would: the verdict, and sentences on why it is no better.
    /// None: it is of no kind, and bears no platform's signature.
    pub fn judge(&self, call: &Call, kind: Option<&Kind>) -> Option<(Verdict, Vec<String>)> {
        self.reporter(None).judge(call, kind).map(|Judgement { verdict, why }| (verdict, why))
    }

    /// Says of calls what is to be said.
    pub fn reporter(&self, redaction: Option<Arc<Redaction>>) -> Reporter {
        Reporter {
            config: self.config.clone(),
            platforms: self.platforms.clone(),
            keyring: self.keyring.clone(),
            redaction,
        }
    }

    /// Where a call departs from the contract of its kind.
    pub fn findings(&self, call: &Call, kind: &Kind) -> Findings {
        let mut request = kind.check_request(&call.request);
        let trusted = &self.config.listen.trusted_proxies;
        request.extend(self.platforms.check_caller(&call.request, kind, trusted));
        Findings {
            request,
            response: call.response.as_ref().map_or_else(Vec::new, |answer| kind.check_response(answer)),
            consequence: kind.consequence(call, &self.config),
        }
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// When no platform has it: a sentence with the one that was meant, or all.
    pub fn kind(&self, name: &str) -> eyre::Result<&Kind> {
        self.platforms.kind(name).ok_or_else(|| eyre!(no_kind(&self.platforms, name)))
    }
}

/// What the command line says of answering wins over the file's `[listen]`.
fn respond(config: &mut Config, args: &RespondArgs) -> eyre::Result<()> {
    if !args.forward.is_empty() {
        let targets = args.forward.iter().map(|text| config.receiver(text)).collect::<Result<_, _>>();
        let targets = targets.map_err(|error| eyre!("--forward: {error}"))?;
        config.respond.source = Source::Forward(Arc::new(Forward { targets, keep_host: false }));
    }
    if let Some(name) = &args.reply {
        config.respond.source = Source::Reply(config.reply(name).map_err(|error| eyre!("--reply {name}: {error}"))?);
    }
    // Who holds or breaks answers by hand means all of them.
    let own = config.routes.iter_mut().filter_map(|route| route.respond.as_mut());
    for respond in own.chain([&mut config.respond]) {
        respond.hold = args.hold.or(respond.hold);
        respond.fault = args.fault.or(respond.fault);
    }
    Ok(())
}

/// That no platform has a kind of that name, and which one was meant.
fn no_kind(platforms: &Platforms, name: &str) -> String {
    let names: Vec<&str> = platforms.kinds().map(|kind| kind.name.as_str()).collect();
    format!("no platform has a kind {name:?}: {}", instead(name, &names))
}

/// What is known of platforms: the built-in packs and the user's own.
///
/// # Errors
/// Where a pack is wrong.
pub fn platforms() -> eyre::Result<Platforms> {
    let mut platforms = Platforms::builtin()?;
    if let Some(packs) = config_dir().ok().map(|folder| folder.join("platforms")).filter(|packs| packs.is_dir()) {
        platforms.add_all(&packs)?;
    }
    Ok(platforms)
}

/// Where the configuration is, and packs of the user's own.
///
/// # Errors
/// When the system knows no such place.
pub fn config_dir() -> eyre::Result<PathBuf> {
    let project = project_dirs().ok_or_else(|| eyre!("cannot tell where configurations belong"))?;
    Ok(project.config_dir().to_owned())
}

/// Where recordings, fixtures and variables are kept when nobody says otherwise: `HOOKTAPE_DATA`, else by the system's custom.
///
/// # Errors
/// When the system knows no such place.
pub fn data_dir() -> eyre::Result<PathBuf> {
    std::env::var_os("HOOKTAPE_DATA")
        .map(PathBuf::from)
        .or_else(|| Some(project_dirs()?.data_dir().to_owned()))
        .ok_or_else(|| eyre!("there is no home directory to keep recordings in: --record PATH says where"))
}

/// This user's folders, by the system's custom; none without a home directory.
fn project_dirs() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "hooktape")
}

/// Resolves when the user or the system wants us to end.
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_signal() -> eyre::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// The one call of a recording whose id begins or ends with `part`.
///
/// # Errors
/// When there is none, or more than one.
pub fn find_call(file: &Path, part: &str) -> eyre::Result<Call> {
    crate::replay::call_of(&recording::Reader::open(file)?, part).map_err(|error| eyre!(error))
}
