//! From tables to [`Config`], section by section.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;
use serde_json::{Map, Number};
use toml::de::DeValue;

use super::document::{Source, Table, Value};
use super::secret::{LITERAL, expand, is_name};
use super::target::check_url;
use super::units::{exposure, parse_address, parse_duration, parse_size};
use super::{
    Certificate, Config, Environment, Error, Limit, Listen, OnFull, Record, Redact, Replies, Route, Screen, Secret,
    Secrets, Sources, Target, Tls, Wait, screen,
};

mod respond;

pub use respond::{known, receiver};

/// The configuration that a text describes; its relative paths start at `base`.
pub(super) fn config(source: Source<'_>, base: &Path, sources: &Sources) -> Result<Config, Error> {
    let document = source.parse()?;
    let top = Table::top(
        source,
        &document,
        &[
            "listen", "record", "redact", "secrets", "issuers", "route", "target", "wait", "queries", "reply",
            "screen", "keys",
        ],
    )?;
    let mut reader = Reader {
        base,
        environment: &sources.environment,
        secrets: Secrets::default(),
        targets: Vec::new(),
        replies: Vec::new(),
        warnings: Vec::new(),
    };
    let listen_table = top.get("listen").map(|value| value.table(&LISTEN)).transpose()?;
    let mut listen = listen_table.as_ref().map_or_else(|| Ok(Listen::default()), listen)?;
    listen.tls =
        listen_table.as_ref().and_then(|t| t.get("tls")).map(|value| reader.certificate(&value)).transpose()?.flatten();
    listen.address = sources.listen.unwrap_or(listen.address);
    reader.warnings.extend(exposure(listen.address));
    let record = top.get("record").map_or_else(|| Ok(Record::default()), |value| reader.record(&value))?;
    let redact = top.get("redact").map_or_else(|| Ok(Redact::default()), |value| redact(&value))?;
    // Before routes and targets, which refer to them.
    reader.secrets = Secrets(top.get("secrets").map_or_else(|| Ok(IndexMap::new()), |value| reader.secrets(&value))?);
    reader.assign(sources).map_err(|message| Error {
        file: None,
        line: 0,
        column: 0,
        key: Some("--secret".to_owned()),
        message,
    })?;
    let issuers = top.get("issuers").map_or_else(|| Ok(IndexMap::new()), |value| issuers(&value))?;
    let targets =
        top.tables("target", &["name", "url", "urls", "secret", "headers", "drop_headers", "tls", "guard", "timeout"])?;
    reader.targets = unique(&targets, "name", |table| reader.target(table), |target| &target.name)?;
    reader.replies = reader.replies(&top.tables("reply", &respond::KEYS)?)?;
    let respond =
        listen_table.and_then(|table| table.get("respond")).map(|value| reader.respond(&value)).transpose()?;
    let routes = top.tables("route", &["path", "kind", "secret", "respond", "fail_on_error", "timeout"])?;
    let routes = unique(&routes, "path", |table| reader.route(table), |route| &route.path)?;
    let waits = top.tables("wait", &["kind", "expires", "message", "variable"])?;
    let waits = unique(&waits, "kind", wait, |wait| &wait.kind)?;
    let queries = top.get("queries").map_or_else(|| Ok(IndexMap::new()), |value| queries(&value))?;
    let screen = top.get("screen").map(|value| value.table(&["theme", "colours", "slow"])).transpose()?;
    let screen = screen.map_or_else(|| Ok(Screen::default()), |table| screen::screen(&table))?;
    let keys = top.get("keys").map(|value| value.any_table()).transpose()?;
    let keys = keys.map_or_else(|| Ok(Vec::new()), |table| screen::keys(&table))?;
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
    let Reader { secrets, targets, replies, warnings, .. } = reader;
    let respond = respond.unwrap_or_default();
    Ok(Config {
        file: None,
        listen,
        record,
        redact,
        secrets,
        issuers,
        routes,
        respond,
        replies,
        targets,
        waits,
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
    mut read: impl FnMut(&Table<'_>) -> Result<T, Error>,
    name: impl Fn(&T) -> &String,
) -> Result<Vec<T>, Error> {
    let mut seen = HashSet::new();
    tables
        .iter()
        .map(|table| {
            let item = read(table)?;
            if seen.insert(name(&item).clone()) {
                Ok(item)
            } else {
                Err(table.need(key)?.error(format!("another one has this {key} already")))
            }
        })
        .collect()
}

const LISTEN: [&str; 7] = ["address", "max_body", "body_timeout", "trusted_proxies", "public_url", "respond", "tls"];

fn listen(table: &Table<'_>) -> Result<Listen, Error> {
    let mut listen = Listen::default();
    if let Some(value) = table.get("address") {
        listen.address = value.parse(parse_address)?;
    }
    if let Some(value) = table.get("max_body") {
        listen.max_body = match value.integer() {
            Some(bytes) if bytes > 0 => bytes,
            _ => value.parse(parse_size)?,
        };
    }
    if let Some(value) = table.get("body_timeout") {
        listen.body_timeout = value.parse(parse_duration)?;
    }
    if let Some(value) = table.get("trusted_proxies") {
        let address = |text: &str| text.parse().map_err(|_| "a proxy is named by its IP address".to_owned());
        listen.trusted_proxies = value.items().iter().map(|item| item.parse(address)).collect::<Result<_, _>>()?;
    }
    if let Some(value) = table.get("public_url") {
        listen.public_url = Some(value.parse(public_url)?);
    }
    Ok(listen)
}

/// The address without a `/` at its end: what follows is a call's own.
fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("this is an http or https address, as \"https://hooks.example.com\"".to_owned()),
    }
}

fn redact(value: &Value<'_>) -> Result<Redact, Error> {
    let table = value.table(&["defaults", "headers", "fields", "pointers", "patterns"])?;
    let list = |key, check: fn(&str) -> Result<(), String>| -> Result<Vec<String>, Error> {
        let items = table.get(key).map(|value| value.items()).unwrap_or_default();
        items.iter().map(|item| item.parse(|text| check(text).map(|()| text.to_owned()))).collect()
    };
    let named = |text: &str| {
        text.bytes()
            .any(|byte| byte.is_ascii_alphanumeric())
            .then_some(())
            .ok_or_else(|| "a name has letters or digits".to_owned())
    };
    let pointer = |text: &str| {
        text.starts_with('/')
            .then_some(())
            .ok_or_else(|| "a JSON Pointer begins with `/`, as \"/context/user\"".to_owned())
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
        defaults: table.get("defaults").map_or(Ok(true), |value| value.bool())?,
        headers: list("headers", named)?,
        fields: list("fields", named)?,
        pointers: list("pointers", pointer)?,
        patterns: list("patterns", pattern)?,
    })
}

fn wait(table: &Table<'_>) -> Result<Wait, Error> {
    let text = |key| table.get(key).map(|value| value.string().map(ToOwned::to_owned)).transpose();
    Ok(Wait {
        kind: table.need("kind")?.string()?.to_owned(),
        expires: table.get("expires").map(|value| value.parse(parse_duration)).transpose()?,
        message: text("message")?,
        variable: text("variable")?,
    })
}

fn issuers(value: &Value<'_>) -> Result<IndexMap<String, Vec<String>>, Error> {
    let mut issuers = IndexMap::new();
    for (name, value) in value.any_table()?.entries() {
        if !is_name(name) {
            return Err(value.error("issuers are filed under PLATFORM or PLATFORM/SCHEME"));
        }
        let names: Result<Vec<String>, Error> =
            value.items().iter().map(|item| Ok(item.string()?.to_owned())).collect();
        issuers.insert(name.to_owned(), names?);
    }
    Ok(issuers)
}

/// Queries by name. Whether they are understood is for the query language to say.
fn queries(value: &Value<'_>) -> Result<IndexMap<String, String>, Error> {
    let mut queries = IndexMap::new();
    for (name, value) in value.any_table()?.entries() {
        let good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
        if name.is_empty() || !name.chars().all(good) {
            return Err(value.error("a query's name is made of letters, digits, `-` and `_`"));
        }
        queries.insert(name.to_owned(), value.string()?.to_owned());
    }
    Ok(queries)
}

/// One of a few words.
fn choice<T: Copy>(value: &Value<'_>, choices: [(&str, T); 2]) -> Result<T, Error> {
    let [(first, _), (second, _)] = choices;
    value.parse(|text| {
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| format!("this is \"{first}\" or \"{second}\""))
    })
}

/// The secrets of a string or of a list of strings.
fn references(value: &Value<'_>, read: impl Fn(&str) -> Result<Vec<Secret>, String>) -> Result<Vec<Secret>, Error> {
    let mut secrets = Vec::new();
    for item in value.items() {
        // A secret may look like a number, and is then still no business of this file.
        let text = item.string().map_err(|error| Error { message: LITERAL.to_owned(), ..error })?;
        secrets.extend(read(text).map_err(|message| item.error(message))?);
    }
    if secrets.is_empty() {
        return Err(value.error("this list of secrets is empty"));
    }
    Ok(secrets)
}

struct Reader<'a> {
    base: &'a Path,
    environment: &'a Environment,
    secrets: Secrets,
    targets: Vec<Target>,
    replies: Vec<Arc<Replies>>,
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
        let path = table.get("path").map(|value| value.string()).transpose()?;
        let on_full =
            table.get("on_full").map(|value| choice(&value, [("refuse", OnFull::Refuse), ("answer", OnFull::Answer)]));
        let limits = table.get("rotate").map_or_else(Vec::new, |value| value.items());
        Ok(Record {
            path: path.map(|path| expand(path, self.base, self.environment)),
            fsync: table.get("fsync").map_or(Ok(false), |value| value.bool())?,
            on_full: on_full.transpose()?.unwrap_or_default(),
            redact: table.get("redact").map_or(Ok(false), |value| value.bool())?,
            rotate: limits.iter().map(|value| value.parse(str::parse::<Limit>)).collect::<Result<_, _>>()?,
        })
    }

    fn secrets(&self, value: &Value<'_>) -> Result<IndexMap<String, Vec<Secret>>, Error> {
        let mut secrets = IndexMap::new();
        for (name, value) in value.any_table()?.entries() {
            if !is_name(name) {
                return Err(value.error("a secret is filed under PLATFORM or PLATFORM/SCHEME"));
            }
            secrets.insert(
                name.to_owned(),
                references(&value, |reference| self.resolve(reference).map(|secret| vec![secret]))?,
            );
        }
        Ok(secrets)
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
    fn own_secrets(&self, table: &Table<'_>) -> Result<Vec<Secret>, Error> {
        let Some(value) = table.get("secret") else { return Ok(Vec::new()) };
        references(&value, |text| match self.secrets.0.get(text) {
            Some(shared) => Ok(shared.clone()),
            None => self
                .resolve(text)
                .map(|secret| vec![secret])
                .map_err(|literal| format!("[secrets] has no such name, and {literal}")),
        })
    }

    fn route(&self, table: &Table<'_>) -> Result<Route, Error> {
        let kind = table.get("kind").map(|value| value.parse(kind)).transpose()?;
        let respond = table.get("respond").map(|value| self.respond(&value)).transpose()?;
        Ok(Route {
            path: table.need("path")?.parse(path)?,
            kind,
            secrets: self.own_secrets(table)?,
            respond,
            fail_on_error: table.get("fail_on_error").map(|value| value.bool()).transpose()?,
            timeout: table.get("timeout").map(|value| value.parse(parse_duration)).transpose()?,
        })
    }

    fn target(&mut self, table: &Table<'_>) -> Result<Target, Error> {
        let name = table.need("name")?.parse(target_name)?;
        let url = table.need("url")?;
        url.parse(check_url)?;
        let guard = table.get("guard").map(|value| choice(&value, [("confirm", true), ("none", false)])).transpose()?;
        let timeout = table.get("timeout").map(|value| value.parse(parse_duration)).transpose()?;
        Ok(Target {
            headers: self.target_headers(table, &name)?,
            name,
            url: url.string()?.to_owned(),
            urls: table.get("urls").map_or_else(|| Ok(IndexMap::new()), |value| urls(&value))?,
            secrets: self.own_secrets(table)?,
            drop_headers: table.get("drop_headers").map_or_else(|| Ok(Vec::new()), |value| names(&value))?,
            tls: table.get("tls").map_or_else(|| Ok(Tls::default()), |value| self.tls(&value))?,
            guard: guard.unwrap_or(false),
            timeout: timeout.unwrap_or(Duration::from_secs(30)),
        })
    }

    fn tls(&self, value: &Value<'_>) -> Result<Tls, Error> {
        let table = value.table(&["verify", "ca"])?;
        let authorities = table.get("ca").map(|value| {
            let path = expand(value.string()?, self.base, self.environment);
            std::fs::read(&path).map_err(|error| value.error(format!("this file cannot be read: {error}")))
        });
        Ok(Tls {
            any_certificate: !table.get("verify").map_or(Ok(true), |value| value.bool())?,
            authorities: authorities.transpose()?.unwrap_or_default(),
        })
    }

    /// Headers whose values may be references. One that cannot be resolved is left out with a warning.
    fn target_headers(&mut self, table: &Table<'_>, target: &str) -> Result<Vec<(String, String)>, Error> {
        let mut headers = Vec::new();
        for (name, value) in table.get("headers").map(|value| headers_of(&value)).transpose()?.into_iter().flatten() {
            let text = value.string()?;
            let credential =
                ["authorization", "proxy-authorization", "cookie"].iter().any(|known| name.eq_ignore_ascii_case(known));
            if !credential && !text.starts_with("env:") && !text.starts_with("file:") {
                headers.push((name, value.parse(header_value)?));
                continue;
            }
            let secret = self.resolve(text).map_err(|message| value.error(message))?;
            let resolved = secret.value().map_err(str::to_owned).and_then(|bytes| {
                let text = std::str::from_utf8(bytes).map_err(|_| format!("{text} is not text"))?;
                header_value(text)
            });
            self.warnings.extend(secret.warning().map(str::to_owned));
            match resolved {
                Ok(resolved) => headers.push((name, resolved)),
                Err(why) => self.warnings.push(format!("target {target} goes without its header {name}: {why}")),
            }
        }
        Ok(headers)
    }
}

/// The URLs of kinds, or of platforms.
fn urls(value: &Value<'_>) -> Result<IndexMap<String, String>, Error> {
    let mut urls = IndexMap::new();
    for (name, value) in value.any_table()?.entries() {
        if !is_name(name) {
            return Err(value.error("a URL is filed under a kind, as \"moveo/dialog\", or under its platform"));
        }
        value.parse(check_url)?;
        urls.insert(name.to_owned(), value.string()?.to_owned());
    }
    Ok(urls)
}

/// Names of headers.
fn names(value: &Value<'_>) -> Result<Vec<String>, Error> {
    let name = |text: &str| match HeaderName::from_bytes(text.as_bytes()) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("this is no header name".to_owned()),
    };
    value.items().iter().map(|item| item.parse(name)).collect()
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

fn target_name(text: &str) -> Result<String, String> {
    let good = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err("a name is made of letters, digits, `-`, `_` and `.`".to_owned())
}

/// Header names and values in order; a list of values is a field each.
fn headers_of<'a>(value: &Value<'a>) -> Result<Vec<(String, Value<'a>)>, Error> {
    let mut headers = Vec::new();
    for (name, value) in value.any_table()?.entries() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(value.error("this is no header name"));
        }
        if ["content-length", "transfer-encoding", "connection"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(value.error("this header follows from the body and the connection: leave it out"));
        }
        headers.extend(value.items().into_iter().map(|item| (name.to_owned(), item)));
    }
    Ok(headers)
}

fn header_value(text: &str) -> Result<String, String> {
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("a header value has no control characters or line ends".to_owned()),
    }
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
