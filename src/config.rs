//! `hooktape.toml`, the environment and the flags become plain data.
//!
//! ```text
//! --config FILE | ./hooktape.toml | CONFIG DIR/config.toml --document--> tables with places
//!                                                                            | read
//! --secret NAME=REFERENCE --------------------------------------> Config <---+--- env:NAME, file:PATH
//! ```
//!
//! Secrets stand in the configuration by reference only. A secret that cannot be read is no error here but a
//! [`Config::problems`] entry: capturing goes on without it. Nothing a user wrote as a value is repeated in an error, for
//! it may be a secret in the wrong place.

mod compare;
mod document;
mod error;
mod fault;
mod filled;
mod read;
mod respond;
mod rotation;
mod screen;
mod secret;
mod target;
mod units;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;

pub use compare::Compare;
pub use document::{closest, instead, meant};
pub use error::{Error, Errors};
pub use fault::{Fault, Harm, WORDS as FAULTS};
pub use filled::Filled;
pub use respond::{Case, Expected, Forward, Hold, Lookup, Replies, Respond, Source, Table, When};
pub use rotation::{Limit, Rotation};
pub use screen::{Binding, Colour, Part, Screen, Theme};
pub use secret::{Assignment, Environment, Secret, Secrets, parse_assignment};
pub use target::{FRAMING, Target, Tls, check_dropped, has_login, is_framing, is_loopback, without_query};
pub use units::{duration, exposure, parse_address, parse_duration, parse_size, size, written};

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file that `--config` names: it must be there.
    pub explicit: Option<PathBuf>,
    /// The working directory: its `hooktape.toml` is read if there is one, and relative paths of flags start here.
    pub directory: PathBuf,
    /// The configuration directory's `config.toml`, read if there is neither of the others.
    pub fallback: Option<PathBuf>,
    /// What `env:NAME` and `~/` refer to.
    pub environment: Environment,
    /// `--listen` or its variable, which win over the file.
    pub listen: Option<SocketAddr>,
    /// `--secret`, in order. The first of a name replaces what the file says of it, further ones join it.
    pub secrets: Vec<Assignment>,
}

impl Sources {
    /// Where the configuration's file may stand, the one that wins first.
    #[must_use]
    pub fn places(&self) -> Vec<PathBuf> {
        match &self.explicit {
            Some(explicit) => vec![self.directory.join(explicit)],
            None => std::iter::once(self.directory.join("hooktape.toml")).chain(self.fallback.clone()).collect(),
        }
    }
}

/// Everything that is configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// `[listen]`: where and how calls come in.
    pub listen: Listen,
    /// `[record]`: how calls are kept.
    pub record: Record,
    /// `[redact]`: what is masked in calls that are shared.
    pub redact: Redact,
    /// `[secrets]` and `--secret`.
    pub secrets: Secrets,
    /// Names of those that routes and targets refer to by name.
    pub named_secrets: Vec<String>,
    /// `[issuers]`: who issues tokens besides those that a platform knows, by PLATFORM or PLATFORM/SCHEME.
    pub issuers: IndexMap<String, Vec<String>>,
    /// `[[route]]`, in order.
    pub routes: Vec<Route>,
    /// What answers where no route says otherwise.
    pub respond: Respond,
    /// `[[reply]]`: replies by name, those that come with the program first.
    pub replies: Vec<Arc<Replies>>,
    /// `[[target]]`, in order.
    pub targets: Vec<Target>,
    /// `[[wait]]`, in order.
    pub waits: Vec<Wait>,
    /// `[compare]`: what is no difference between answers.
    pub compare: Compare,
    /// `[queries]`: queries by name, used as `@name`.
    pub queries: IndexMap<String, String>,
    /// `[screen]`: how the terminal program looks.
    pub screen: Screen,
    /// `[keys]`: what its keys mean, as far as they are other than it comes with.
    pub keys: Vec<Binding>,
    /// Sentences on what is allowed but should be known: an address the network can reach, a secret that all can read.
    pub warnings: Vec<String>,
}

/// Where and how calls come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// The address to listen on: 127.0.0.1:4747.
    pub address: SocketAddr,
    /// The longest body that is taken whole, in bytes: 10 MiB.
    pub max_body: usize,
    /// How long a body may take to come: 30 s.
    pub body_timeout: Duration,
    /// How calls may come over TLS; none: they cannot.
    pub tls: Option<Certificate>,
    /// Proxies and tunnels of one's own, which are believed whom they forward for (`X-Forwarded-For`): none.
    pub trusted_proxies: Vec<IpAddr>,
    /// The address by which platforms call, without the path: `https://hooks.example.com`. None: what a trusted proxy says
    /// (`X-Forwarded-Proto`, `X-Forwarded-Host`), else the `host` header. Some platforms sign it.
    pub public_url: Option<String>,
    /// The command that starts a tunnel; `{port}` and `{url}` in it are the listener's. From the command line only: a file that
    /// lies in the working directory must not start programs.
    pub tunnel: Option<String>,
}

/// Where the listener's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// It is made here.
    SelfSigned,
    /// One's own, in PEM files.
    Own {
        /// The certificate, with those that vouch for it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 4747)),
            max_body: 10 << 20,
            body_timeout: Duration::from_secs(30),
            tls: None,
            trusted_proxies: Vec::new(),
            public_url: None,
            tunnel: None,
        }
    }
}

/// How calls are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The file to write to; left out: one of its own for every run.
    pub path: Option<PathBuf>,
    /// Whether a call is on the disk, not only with the operating system, before it is answered.
    pub fsync: bool,
    /// What to do with a call that cannot be written.
    pub on_full: OnFull,
    /// Whether calls are masked as [`Redact`] says before they are written.
    pub redact: bool,
    /// When the file is set aside and another begun in its place.
    pub rotate: Rotation,
}

/// What is masked in calls that are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redact {
    /// Whether what is commonly secret or personal is masked besides what stands here: yes.
    pub defaults: bool,
    /// Names of headers; letters and digits count, and a `*` at either end stands for anything.
    pub headers: Vec<String>,
    /// Names of headers that targets get by reference: nobody has to name them here.
    pub referenced: Vec<String>,
    /// Names of JSON members, of parameters in queries and forms, of parts and of XML, wherever they stand; likewise.
    pub fields: Vec<String>,
    /// JSON Pointers (RFC 6901) into bodies; in an object or array, every value is masked.
    pub pointers: Vec<String>,
    /// Regular expressions (syntax of the crate `regex`); what matches anywhere is masked.
    pub patterns: Vec<String>,
    /// Where the platforms' calls carry tokens and signatures: of the defaults, and known with the packs.
    pub carriers: Carriers,
    /// What placeholders took from the environment, which nobody configures.
    pub filled: Filled,
}

/// Places of requests that say who sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriers {
    /// Names of headers.
    pub headers: Vec<String>,
    /// Names of parameters of the query.
    pub parameters: Vec<String>,
    /// JSON Pointers into the body.
    pub pointers: Vec<String>,
}

impl Default for Redact {
    fn default() -> Self {
        Self {
            defaults: true,
            headers: Vec::new(),
            referenced: Vec::new(),
            fields: Vec::new(),
            pointers: Vec::new(),
            patterns: Vec::new(),
            carriers: Carriers::default(),
            filled: Filled::default(),
        }
    }
}

/// What the listener does with a call that cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// It answers 503.
    #[default]
    Refuse,
    /// It answers as ever and counts the call as unrecorded.
    Answer,
}

/// A listener path with what is special about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// `/hooks/moveo`, or `/hooks/*` for every path that begins with `/hooks/`.
    pub path: String,
    /// `platform/kind`; left out: recognised.
    pub kind: Option<String>,
    /// The secrets to check with; none: the platform's.
    pub secrets: Vec<Secret>,
    /// What answers; left out: [`Config::respond`].
    pub respond: Option<Respond>,
    /// Whether a failure interrupts the conversation, as it is set at the platform; none: not known.
    pub fail_on_error: Option<bool>,
    /// How long the platform waits for an answer, as it is set there; none: what its documents say.
    pub timeout: Option<Duration>,
}

/// How a platform's flow waits for a page, as it is set there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The call that opens the page: `jelou/webview_open`.
    pub kind: String,
    /// The expiration time: after it the flow goes on without the page. None: it waits for ever.
    pub expires: Option<Duration>,
    /// What a user gets who writes meanwhile.
    pub message: Option<String>,
    /// The variable that keeps what the page brings.
    pub variable: Option<String>,
}

impl Route {
    /// How many bytes of `path` (without its query) the route names, if it is meant; an exact name counts one more.
    fn fit(&self, path: &str) -> Option<usize> {
        match self.path.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix).then_some(prefix.len()),
            None => (self.path == path).then_some(path.len() + 1),
        }
    }
}

/// A fixed answer.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// 200 to 599.
    pub status: u16,
    /// Names as written. `content-type` is there if it can be told from how the body is given.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Bytes,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {:?}, {:?})", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}

impl Config {
    /// Reads the configuration. Without any file this is the default one.
    ///
    /// # Errors
    /// A file that is missing or unreadable, or all that it says that cannot be meant, each with the place and a repair.
    pub fn load(sources: &Sources) -> Result<Self, Errors> {
        let Some((file, bytes)) = find_file(sources)? else {
            return read::config(None, "", &sources.directory, sources);
        };
        let shown = file.strip_prefix(&sources.directory).unwrap_or(&file);
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let valid = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let source = document::Source { file: Some(shown), text: valid, found: &document::Found::default() };
            source.error(valid.len(), None, "this is not UTF-8")
        })?;
        let base = file.parent().unwrap_or(Path::new(""));
        let mut config = read::config(Some(shown), text, base, sources)?;
        config.file = Some(file);
        Ok(config)
    }

    /// The route of a listener path (without its query): the exact one, else the longest prefix.
    pub fn route(&self, path: &str) -> Option<&Route> {
        let fitting = self.routes.iter().filter_map(|route| Some((route.fit(path)?, route)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, route)| route)
    }

    /// The secrets that stand in for the platform's: of a call of `kind` that was sent to `path` at `origin` those of the
    /// targets that it may have gone to, of one that came to us (no origin) those of the route that `path` takes.
    pub fn secrets_of(&self, origin: Option<&str>, path: &str, kind: Option<&str>) -> Vec<Secret> {
        let Some(origin) = origin else {
            return self.route(path).map_or_else(Vec::new, |route| route.secrets.clone());
        };
        let behind = self.targets.iter().filter(|target| target.is_behind(origin, kind, path));
        behind.flat_map(|target| target.secrets.clone()).collect()
    }

    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The target that calls are forwarded to: that of a name or an address.
    ///
    /// # Errors
    /// A sentence: why nothing can be forwarded there.
    pub fn receiver(&self, text: &str) -> Result<Target, String> {
        read::receiver(&self.targets, text)
    }

    /// The `[[reply]]` of a name.
    ///
    /// # Errors
    /// A sentence: which one was meant, or all there are.
    pub fn reply(&self, name: &str) -> Result<Arc<Replies>, String> {
        read::known(&self.replies, name)
    }

    /// How a flow waits for the page that a call of `kind` opens.
    pub fn wait(&self, kind: &str) -> Option<&Wait> {
        self.waits.iter().find(|wait| wait.kind == kind)
    }

    /// Every secret that could not be read, in a sentence with the place that refers to it.
    pub fn problems(&self) -> Vec<String> {
        let shared = self.secrets.all().map(|(name, secret)| (format!("secrets.{name}"), secret));
        let routes = self
            .routes
            .iter()
            .flat_map(|route| route.secrets.iter().map(|secret| (format!("route {}", route.path), secret)));
        let targets = self
            .targets
            .iter()
            .flat_map(|target| target.secrets.iter().map(|secret| (format!("target {}", target.name), secret)));
        let mut seen = HashSet::new();
        let all = shared.chain(routes).chain(targets);
        // A route that names a shared secret has the same trouble once more.
        all.filter_map(|(place, secret)| Some((place, secret.label(), secret.value().err()?)))
            .filter(|(_, label, _)| seen.insert(*label))
            .map(|(place, _, why)| format!("{place}: {why}"))
            .collect()
    }
}

/// The first file there is, with its bytes.
fn find_file(sources: &Sources) -> Result<Option<(PathBuf, Vec<u8>)>, Error> {
    let unreadable = |path: &Path, error: &std::io::Error| Error {
        file: Some(path.to_owned()),
        line: 0,
        column: 0,
        key: None,
        message: format!("cannot be read: {error}"),
    };
    for path in sources.places() {
        match std::fs::read(&path) {
            Ok(bytes) => return Ok(Some((path, bytes))),
            // Where a file stands for a folder on the way to it, it is no more there.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && sources.explicit.is_none() => {}
            Err(error) => return Err(unreadable(sources.explicit.as_ref().unwrap_or(&path), &error)),
        }
    }
    Ok(None)
}
