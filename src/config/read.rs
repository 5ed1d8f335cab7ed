//! From tables to [`Config`], section by section.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Number};
use toml::de::DeValue;

use super::compare::{compare, pointer};
use super::document::{Found, Source, Table, Value};
use super::secret::{LITERAL, expand, is_name};
use super::units::{exposure, parse_address, parse_duration, parse_size};
use super::{
    Certificate, Config, Environment, Error, Errors, Limit, Listen, OnFull, Record, Redact, Replies, Route, Screen,
    Secret, Secrets, Sources, Target, Wait, screen,
};

mod respond;
mod target;

pub use respond::{known, receiver};
use target::{header_value, headers_of};

/// The configuration that a text describes, shown as `file`; its relative paths start at `base`.
pub(super) fn config(file: Option<&Path>, text: &str, base: &Path, sources: &Sources) -> Result<Config, Errors> {
    let found = Found::default();
    let source = Source { file, text, found: &found };
    let Some(document) = source.parse() else { return found.or(Config::default()) };
    let top = Table::top(
        source,
        &document,
        &[
            "listen", "record", "redact", "secrets", "issuers", "route", "target", "wait", "queries", "reply",
            "screen", "keys", "compare",
        ],
    );
    let mut reader = Reader {
        base,
        environment: &sources.environment,
        secrets: Secrets::default(),
        targets: Vec::new(),
        replies: Vec::new(),
        secret_headers: Vec::new(),
        named: RefCell::default(),
        warnings: Vec::new(),
    };
    let listen_table = top.read("listen", |value| value.table(&LISTEN));
    let mut listen = listen_table.as_ref().map_or_else(Listen::default, listen);
    listen.tls = listen_table.as_ref().and_then(|table| table.read("tls", |value| reader.certificate(value))).flatten();
    listen.address = sources.listen.unwrap_or(listen.address);
    reader.warnings.extend(exposure(listen.address));
    let record = top.read("record", |value| reader.record(value)).unwrap_or_default();
    let mut redact = top.read("redact", redact).unwrap_or_default();
    // Before routes and targets, which refer to them.
    reader.secrets = Secrets(top.read("secrets", |value| reader.secrets(value)).unwrap_or_default());
    if let Err(message) = reader.assign(sources) {
        found.add(Error { file: None, line: 0, column: 0, key: Some("--secret".to_owned()), message });
    }
    let issuers = top.read("issuers", issuers).unwrap_or_default();
    let targets =
        top.tables("target", &["name", "url", "urls", "secret", "headers", "drop_headers", "tls", "guard", "timeout"]);
    reader.targets = unique(&targets, "name", |table| reader.target(table), |target| &target.name);
    reader.replies = reader.replies(source, &top.tables("reply", &respond::KEYS));
    let respond = listen_table.and_then(|table| table.read("respond", |value| reader.respond(value)));
    let routes = top.tables("route", &["path", "kind", "secret", "respond", "fail_on_error", "timeout"]);
    let routes = unique(&routes, "path", |table| reader.route(table), |route| &route.path);
    let waits = top.tables("wait", &["kind", "expires", "message", "variable"]);
    let waits = unique(&waits, "kind", wait, |wait| &wait.kind);
    let compare = top.read("compare", compare).unwrap_or_default();
    let queries = top.read("queries", queries).unwrap_or_default();
    let screen = top.read("screen", |value| value.table(&["theme", "colours", "slow"]));
    let screen = screen.map_or_else(Screen::default, |table| screen::screen(&table));
    let keys = top.read("keys", Value::any_table).map_or_else(Vec::new, |table| screen::keys(&table));
    let own = routes
        .iter()
        .flat_map(|route: &Route| &route.secrets)
        .chain(reader.targets.iter().flat_map(|target: &Target| &target.secrets));
    let secrets = reader.secrets.all().map(|(_, secret)| secret).chain(own);
    for warning in secrets.filter_map(Secret::warning) {
        if !reader.warnings.iter().any(|known| known == warning) {
            reader.warnings.push(warning.to_owned());
        }
    }
    let Reader { secrets, targets, replies, secret_headers, named, warnings, .. } = reader;
    // Recorded as they were sent, they must not leave with an export.
    redact.referenced = secret_headers;
    let respond = respond.unwrap_or_default();
    found.or(Config {
        file: None,
        listen,
        record,
        redact,
        secrets,
        named_secrets: named.into_inner(),
        issuers,
        routes,
        respond,
        replies,
        targets,
        waits,
        compare,
        queries,
        screen,
        keys,
        warnings,
    })
}

/// Reads a list of tables, no two of which may have the same `key`.
fn unique<T>(
    tables: &[Table<'_>],
    key: &str,
    mut read: impl FnMut(&Table<'_>) -> Option<T>,
    name: impl Fn(&T) -> &String,
) -> Vec<T> {
    let mut seen = HashSet::new();
    let mut items = Vec::new();
    for table in tables {
        let Some(item) = read(table) else { continue };
        if !seen.insert(name(&item).clone()) {
            table.must::<()>(key, |value| Err(value.error(format!("another one has this {key} already"))));
        }
        items.push(item);
    }
    items
}

const LISTEN: [&str; 7] = ["address", "max_body", "body_timeout", "trusted_proxies", "public_url", "respond", "tls"];

fn listen(table: &Table<'_>) -> Listen {
    let usual = Listen::default();
    let size = |value: &Value<'_>| match value.integer() {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => value.parse(parse_size),
    };
    let proxy = |text: &str| text.parse().map_err(|_| "a proxy is named by its IP address".to_owned());
    let proxies = table.get("trusted_proxies").map(|value| value.each(|item| item.parse(proxy)));
    Listen {
        address: table.read("address", |value| value.parse(parse_address)).unwrap_or(usual.address),
        max_body: table.read("max_body", size).unwrap_or(usual.max_body),
        body_timeout: table.read("body_timeout", |value| value.parse(parse_duration)).unwrap_or(usual.body_timeout),
        trusted_proxies: proxies.unwrap_or_default(),
        public_url: table.read("public_url", |value| value.parse(public_url)),
        ..usual
    }
}

/// The address without a `/` at its end: what follows is a call's own.
fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if super::has_login(&url) => {
            Err("this address is recorded with each call, and holds no user name or password: leave them out"
                .to_owned())
        }
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("this is an http or https address, as \"https://hooks.example.com\"".to_owned()),
    }
}

fn redact(value: &Value<'_>) -> Result<Redact, Error> {
    let table = value.table(&["defaults", "headers", "fields", "pointers", "patterns"])?;
    let list = |key, check: fn(&str) -> Result<(), String>| -> Vec<String> {
        let checked = |item: &Value<'_>| item.parse(|text| check(text).map(|()| text.to_owned()));
        table.get(key).map_or_else(Vec::new, |value| value.each(checked))
    };
    let named = |text: &str| {
        text.bytes()
            .any(|byte| byte.is_ascii_alphanumeric())
            .then_some(())
            .ok_or_else(|| "a name has letters or digits".to_owned())
    };
    let pattern = |text: &str| match regex::bytes::Regex::new(text) {
        Ok(regex) if regex.is_match(b"") => {
            Err("this matches where there is nothing: it would mask everything".to_owned())
        }
        Ok(_) => Ok(()),
        // The error's own rendering repeats the pattern over several lines; its last one says what is wrong.
        Err(error) => {
            let text = error.to_string();
            Err(format!(
                "this is no regular expression: {}",
                text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ")
            ))
        }
    };
    Ok(Redact {
        defaults: table.read("defaults", Value::bool).unwrap_or(true),
        headers: list("headers", named),
        fields: list("fields", named),
        pointers: list("pointers", |text: &str| pointer(text).map(drop)),
        patterns: list("patterns", pattern),
        ..Redact::default()
    })
}

fn wait(table: &Table<'_>) -> Option<Wait> {
    let text = |key| table.read(key, |value| value.string().map(ToOwned::to_owned));
    let wait = Wait {
        kind: text("kind").unwrap_or_default(),
        expires: table.read("expires", |value| value.parse(parse_duration)),
        message: text("message"),
        variable: text("variable"),
    };
    table.must("kind", |_| Ok(wait))
}

fn issuers(value: &Value<'_>) -> Result<IndexMap<String, Vec<String>>, Error> {
    let issuer = |item: &Value<'_>| Ok(item.string()?.to_owned());
    let table = value.any_table()?;
    let filed = |(name, _): (&str, Value<'_>)| {
        let names = table.read(name, |value| {
            if !is_name(name) {
                return Err(value.error("issuers are filed under PLATFORM or PLATFORM/SCHEME"));
            }
            Ok(value.each(issuer))
        });
        Some((name.to_owned(), names?))
    };
    Ok(table.entries().into_iter().filter_map(filed).collect())
}

/// Queries by name. Whether they are understood is for the query language to say.
fn queries(value: &Value<'_>) -> Result<IndexMap<String, String>, Error> {
    let good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    let table = value.any_table()?;
    let named = |(name, _): (&str, Value<'_>)| {
        let query = table.read(name, |value| {
            if name.is_empty() || !name.chars().all(good) {
                return Err(value.error("a query's name is made of letters, digits, `-` and `_`"));
            }
            Ok(value.string()?.to_owned())
        });
        Some((name.to_owned(), query?))
    };
    Ok(table.entries().into_iter().filter_map(named).collect())
}

/// One of a few words.
fn choice<T: Copy>(value: &Value<'_>, choices: [(&str, T); 2]) -> Result<T, Error> {
    let [(first, _), (second, _)] = choices;
    // What is no string is told the words too: in quotes it would still be none of them.
    let found = value.get().as_str().and_then(|text| choices.iter().find(|(word, _)| *word == text));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| value.error(format!("this is \"{first}\" or \"{second}\"")))
}

/// The secrets of a string or of a list of strings.
fn references(value: &Value<'_>, read: impl Fn(&str) -> Result<Vec<Secret>, String>) -> Result<Vec<Secret>, Error> {
    let mut secrets = Vec::new();
    if value.items().is_empty() {
        return Err(value.error("this list of secrets is empty"));
    }
    for item in value.items() {
        // A secret may look like a number, and is then still no business of this file.
        let text = item.string().map_err(|error| Error { message: LITERAL.to_owned(), ..error })?;
        secrets.extend(read(text).map_err(|message| item.error(message))?);
    }
    Ok(secrets)
}

struct Reader<'a> {
    base: &'a Path,
    environment: &'a Environment,
    secrets: Secrets,
    targets: Vec<Target>,
    replies: Vec<Arc<Replies>>,
    /// The names of those that targets get by reference.
    secret_headers: Vec<String>,
    /// The names of `[secrets]` that routes and targets refer to.
    named: RefCell<Vec<String>>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn certificate(&self, value: &Value<'_>) -> Result<Option<Certificate>, Error> {
        if let DeValue::Boolean(on) = value.get() {
            return Ok(on.then_some(Certificate::SelfSigned));
        }
        let table = value.table(&["cert", "key"])?;
        let path = |key| Ok(expand(table.need(key)?.string()?, self.base, self.environment));
        Ok(Some(Certificate::Own { certificate: path("cert")?, key: path("key")? }))
    }

    fn record(&self, value: &Value<'_>) -> Result<Record, Error> {
        let table = value.table(&["path", "fsync", "on_full", "redact", "rotate"])?;
        let full = |value: &Value<'_>| choice(value, [("refuse", OnFull::Refuse), ("answer", OnFull::Answer)]);
        let limits = table.get("rotate").map(|value| value.each(|item| item.parse(str::parse::<Limit>)));
        Ok(Record {
            path: table.read("path", |value| Ok(expand(value.string()?, self.base, self.environment))),
            fsync: table.read("fsync", Value::bool).unwrap_or_default(),
            on_full: table.read("on_full", full).unwrap_or_default(),
            redact: table.read("redact", Value::bool).unwrap_or_default(),
            rotate: limits.unwrap_or_default().into_iter().collect(),
        })
    }

    /// Also those that something is wrong with, so that who refers to them is not told the same.
    fn secrets(&self, value: &Value<'_>) -> Result<IndexMap<String, Vec<Secret>>, Error> {
        let table = value.any_table()?;
        let filed = |(name, _): (&str, Value<'_>)| {
            let secrets = table.read(name, |value| {
                if !is_name(name) {
                    return Err(value.error("a secret is filed under PLATFORM or PLATFORM/SCHEME"));
                }
                references(value, |reference| self.resolve(reference).map(|secret| vec![secret]))
            });
            (name.to_owned(), secrets.unwrap_or_default())
        };
        Ok(table.entries().into_iter().map(filed).collect())
    }

    /// Files the secrets of the flags, which win over the file's.
    fn assign(&mut self, sources: &Sources) -> Result<(), String> {
        let mut given = IndexMap::<_, Vec<_>>::new();
        for assignment in &sources.secrets {
            let secret = Secret::resolve(&assignment.reference, &sources.directory, self.environment)?;
            given.entry(assignment.name.clone()).or_default().push(secret);
        }
        self.secrets.0.extend(given);
        Ok(())
    }

    fn resolve(&self, reference: &str) -> Result<Secret, String> {
        Secret::resolve(reference, self.base, self.environment)
    }

    /// The secrets of a route or target: references, or names of `[secrets]`.
    fn own_secrets(&self, table: &Table<'_>) -> Vec<Secret> {
        let named = |text: &str| match self.secrets.0.get(text) {
            Some(shared) => {
                self.named.borrow_mut().push(text.to_owned());
                Ok(shared.clone())
            }
            None => self
                .resolve(text)
                .map(|secret| vec![secret])
                .map_err(|literal| format!("[secrets] has no such name, and {literal}")),
        };
        table.read("secret", |value| references(value, named)).unwrap_or_default()
    }

    fn route(&self, table: &Table<'_>) -> Option<Route> {
        let place = table.must("path", |value| value.parse(path));
        let route = Route {
            path: String::new(),
            kind: table.read("kind", |value| value.parse(kind)),
            secrets: self.own_secrets(table),
            respond: table.read("respond", |value| self.respond(value)),
            fail_on_error: table.read("fail_on_error", Value::bool),
            timeout: table.read("timeout", |value| value.parse(parse_duration)),
        };
        Some(Route { path: place?, ..route })
    }
}

fn kind(text: &str) -> Result<String, String> {
    if is_name(text) && text.contains('/') {
        return Ok(text.to_owned());
    }
    Err("a kind is written platform/kind, as \"moveo/pre_message\"".to_owned())
}

fn path(text: &str) -> Result<String, String> {
    let prefix = text.strip_suffix("/*").unwrap_or(text);
    let good = |char: char| char.is_ascii_graphic() && !matches!(char, '*' | '?' | '#');
    if text.starts_with('/') && prefix.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err("a path begins with `/`, may end in `/*` for all below it, and has no query".to_owned())
}

/// The JSON value that a TOML value is: dates become strings.
fn json(value: &Value<'_>) -> Result<serde_json::Value, Error> {
    Ok(match value.get() {
        DeValue::String(text) => (&**text).into(),
        DeValue::Boolean(bool) => (*bool).into(),
        DeValue::Datetime(datetime) => datetime.to_string().into(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| value.error("this number is too large: put the body in a file"))?
            .into(),
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            number.ok_or_else(|| value.error("JSON has no such number"))?.into()
        }
        DeValue::Array(_) => value.items().iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        DeValue::Table(_) => {
            let entries = value.any_table()?.entries();
            entries
                .into_iter()
                .map(|(key, value)| Ok((key.to_owned(), json(&value)?)))
                .collect::<Result<Map<_, _>, Error>>()?
                .into()
        }
    })
}
