//! Secrets by reference.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

/// The answer to a secret that stands where its reference should. It does not repeat what stood there.
pub(super) const LITERAL: &str = "a secret is never written here: put it in a variable and write \"env:MOVEO_TOKEN\", \
                                  or in a file and write \"file:moveo.token\"";

/// A longer file is no secret, but a slip of the path.
const LONGEST_FILE: u64 = 64 << 10;

/// The environment's variables. `Debug` shows their names only.
///
/// ```
/// let environment: hooktape::config::Environment = std::env::vars_os().collect();
/// ```
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A secret by reference: where it comes from and, once read, its bytes. `Debug` hides them.
#[derive(Clone)]
pub struct Secret {
    label: String,
    value: Result<Vec<u8>, String>,
    warning: Option<String>,
    schemes: Option<Vec<String>>,
}

impl PartialEq for Secret {
    /// What it may sign by does not make it another secret.
    fn eq(&self, other: &Self) -> bool {
        (&self.label, &self.value, &self.warning) == (&other.label, &other.value, &other.warning)
    }
}

impl Eq for Secret {}

impl Secret {
    /// `label` is the reference as the user wrote it (`env:MOVEO_TOKEN`).
    pub fn new(label: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { label: label.into(), value: Ok(value.into()), warning: None, schemes: None }
    }

    /// A secret that could not be read, and why: a sentence that goes on from nothing (`the variable X is not set`).
    #[cfg(test)]
    pub(crate) fn unresolved(label: impl Into<String>, why: impl Into<String>) -> Self {
        Self { label: label.into(), value: Err(why.into()), warning: None, schemes: None }
    }

    /// Reads the secret that `env:NAME` or `file:PATH` refers to. A path starts at `base`, or at the home directory if it
    /// begins with `~/`; one line end at the end of a file does not belong to the secret. What cannot be read gives an
    /// unresolved secret.
    ///
    /// # Errors
    /// Whatever is no reference may be the secret itself. The sentence shows the right way and does not repeat it.
    pub fn resolve(reference: &str, base: &Path, environment: &Environment) -> Result<Self, String> {
        let (value, warning) = match Reference::parse(reference)? {
            Reference::Variable(name) => (from_variable(name, environment), None),
            Reference::File(path) => from_file(path, base, environment),
        };
        Ok(Self { label: reference.to_owned(), value, warning, schemes: None })
    }

    /// The reference as the user wrote it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The bytes.
    ///
    /// # Errors
    /// Why they could not be read (`the variable MOVEO_TOKEN is not set`).
    pub fn value(&self) -> Result<&[u8], &str> {
        self.value.as_deref().map_err(String::as_str)
    }

    /// This secret for these schemes alone, by their full names (`vapi/hmac`): a key must not be sent where another
    /// takes a token.
    #[must_use]
    pub fn only_for(self, schemes: Vec<String>) -> Self {
        Self { schemes: Some(schemes), ..self }
    }

    /// Whether it may be used by the scheme of that full name.
    #[must_use]
    pub fn is_for(&self, scheme: &str) -> bool {
        self.schemes.as_ref().is_none_or(|schemes| schemes.iter().any(|name| name == scheme))
    }

    /// What is unsafe about where it is kept.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.label)
    }
}

/// `env:NAME` or `file:PATH`.
enum Reference<'a> {
    Variable(&'a str),
    File(&'a str),
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let variable = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        };
        match text.split_once(':') {
            Some(("env", name)) if variable(name) => Ok(Self::Variable(name)),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path)),
            _ => Err(LITERAL.to_owned()),
        }
    }
}

fn from_variable(name: &str, environment: &Environment) -> Result<Vec<u8>, String> {
    match environment.get(name) {
        None => Err(format!("the variable {name} is not set")),
        Some(value) if value.is_empty() => Err(format!("the variable {name} is empty")),
        Some(value) => Ok(value.as_encoded_bytes().to_owned()),
    }
}

/// The file's bytes, and a warning if others can read what only the owner should.
fn from_file(written: &str, base: &Path, environment: &Environment) -> (Result<Vec<u8>, String>, Option<String>) {
    let read = || -> io::Result<(Vec<u8>, bool)> {
        let file = File::open(expand(written, base, environment))?;
        let exposed = is_world_readable(&file)?;
        let mut bytes = Vec::new();
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok((bytes, exposed))
    };
    match read() {
        Err(error) => (Err(format!("the file {written} cannot be read: {error}")), None),
        Ok((bytes, _)) if bytes.len() as u64 > LONGEST_FILE => {
            (Err(format!("the file {written} is longer than {} KiB: no secret is", LONGEST_FILE >> 10)), None)
        }
        Ok((mut bytes, exposed)) => {
            if bytes.ends_with(b"\n") {
                bytes.pop();
                bytes.pop_if(|last| *last == b'\r');
            }
            if bytes.is_empty() {
                return (Err(format!("the file {written} is empty")), None);
            }
            let has = |label: &str| memchr::memmem::find(&bytes, label.as_bytes()).is_some();
            // Lines may stand before a certificate.
            let public =
                (has("-----BEGIN PUBLIC KEY-----") || has("-----BEGIN CERTIFICATE-----")) && !has("PRIVATE KEY");
            let warn = exposed && !public;
            let warning =
                warn.then(|| format!("every user of this machine can read the secret in {written}: chmod 600 it"));
            (Ok(bytes), warning)
        }
    }
}

/// A path of the configuration: `~/` is the home directory, any other relative path starts at `base`.
pub(super) fn expand(written: &str, base: &Path, environment: &Environment) -> PathBuf {
    match (written.strip_prefix("~/"), environment.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => base.join(written),
    }
}

#[cfg(unix)]
fn is_world_readable(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn is_world_readable(_file: &File) -> io::Result<bool> {
    Ok(false)
}

/// The secrets at hand, by `PLATFORM` or `PLATFORM/SCHEME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(pub IndexMap<String, Vec<Secret>>);

impl Secrets {
    /// Every secret with the name it is filed under.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().flat_map(|(name, secrets)| secrets.iter().map(move |secret| (name.as_str(), secret)))
    }
}

/// One `--secret NAME=REFERENCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// `PLATFORM` or `PLATFORM/SCHEME`.
    pub name: String,
    /// `env:NAME` or `file:PATH`.
    pub reference: String,
}

/// Reads `moveo=env:MOVEO_TOKEN`.
///
/// # Errors
/// A sentence that shows the right way and repeats nothing: whatever stands there may be the secret itself.
pub fn parse_assignment(text: &str) -> Result<Assignment, String> {
    const FORM: &str = "a secret is given as NAME=REFERENCE: \"moveo=env:MOVEO_TOKEN\" or \"moveo=file:moveo.token\"";
    let (name, reference) = text.split_once('=').filter(|(name, _)| is_name(name)).ok_or(FORM)?;
    Reference::parse(reference)?;
    Ok(Assignment { name: name.to_owned(), reference: reference.to_owned() })
}

/// Whether this is `PLATFORM` or `PLATFORM/SCHEME`.
pub(super) fn is_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.'))
    };
    text.split_once('/').map_or_else(|| word(text), |(platform, scheme)| word(platform) && word(scheme))
}
