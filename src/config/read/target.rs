//! Where calls are sent: `[[target]]`.

use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;

use super::super::Error;
use super::super::document::{Table, Value};
use super::super::secret::{expand, is_name};
use super::super::target::{TIMEOUT, Target, Tls, check_dropped, check_url, is_framing};
use super::super::units::parse_duration;
use super::{Reader, choice};

impl Reader<'_> {
    pub(super) fn target(&mut self, table: &Table<'_>) -> Option<Target> {
        let name = table.must("name", |value| value.parse(target_name));
        let url = table.must("url", |value| value.parse(|url| check_url(url).map(|()| url.to_owned())));
        let guard = |value: &Value<'_>| choice(value, [("confirm", true), ("none", false)]);
        let mut lost_headers = Vec::new();
        let before = self.secret_headers.len();
        let headers = self.target_headers(table, name.as_deref().unwrap_or_default(), &mut lost_headers);
        let target = Target {
            headers,
            referenced: self.secret_headers[before..].to_vec(),
            lost_headers,
            name: String::new(),
            // Where something is wrong with it, it is there for those that refer to it.
            url: url.unwrap_or_default(),
            urls: table.read("urls", urls).unwrap_or_default(),
            kinds: Vec::new(),
            secrets: self.own_secrets(table),
            drop_headers: table.read("drop_headers", |value| Ok(names(value))).unwrap_or_default(),
            tls: table.read("tls", |value| self.tls(value)).unwrap_or_default(),
            guard: table.read("guard", guard).unwrap_or(false),
            timeout: table.read("timeout", |value| value.parse(parse_duration)).unwrap_or(TIMEOUT),
        };
        Some(Target { name: name?, ..target })
    }

    fn tls(&self, value: &Value<'_>) -> Result<Tls, Error> {
        let table = value.table(&["verify", "ca"])?;
        let authorities = |value: &Value<'_>| {
            let path = expand(value.string()?, self.base, self.environment);
            let bytes = std::fs::read(&path).map_err(|error| format!("this file cannot be read: {error}"));
            bytes.and_then(Tls::read_authorities).map_err(|message| value.error(message))
        };
        Ok(Tls {
            any_certificate: !table.read("verify", Value::bool).unwrap_or(true),
            authorities: table.read("ca", authorities).unwrap_or_default(),
        })
    }

    /// Headers whose values may be references. One that cannot be resolved is `lost`, with a warning.
    fn target_headers(
        &mut self,
        table: &Table<'_>,
        target: &str,
        lost: &mut Vec<(String, String)>,
    ) -> Vec<(String, String)> {
        let given = table.read("headers", headers_of).unwrap_or_default();
        given
            .into_iter()
            .filter_map(|(name, value)| match self.header(&name, &value)? {
                Ok(text) => Some((name, text)),
                Err(why) => {
                    self.warnings.push(format!("target {target} has no value for its header {name}: {why}"));
                    lost.push((name, why));
                    None
                }
            })
            .collect()
    }

    /// A value, or why it cannot be had; none where it is wrong.
    fn header(&mut self, name: &str, value: &Value<'_>) -> Option<Result<String, String>> {
        let text = value.keep(value.string())?;
        let credential =
            ["authorization", "proxy-authorization", "cookie"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if !credential && !text.starts_with("env:") && !text.starts_with("file:") {
            return value.keep(value.parse(header_value)).map(Ok);
        }
        let secret = value.keep(self.resolve(text).map_err(|message| value.error(message)))?;
        self.secret_headers.push(name.to_owned());
        let resolved = secret.value().map_err(str::to_owned).and_then(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| format!("{text} is not text"))?;
            header_value(text)
        });
        self.warnings.extend(secret.warning().map(str::to_owned));
        Some(resolved)
    }
}

/// The URLs of kinds, or of platforms.
fn urls(value: &Value<'_>) -> Result<IndexMap<String, String>, Error> {
    let table = value.any_table()?;
    let filed = |(name, _): (&str, Value<'_>)| {
        let url = table.read(name, |value| {
            if !is_name(name) {
                return Err(value.error("a URL is filed under a kind, as \"moveo/dialog\", or under its platform"));
            }
            value.parse(|url| check_url(url).map(|()| url.to_owned()))
        });
        Some((name.to_owned(), url?))
    };
    Ok(table.entries().into_iter().filter_map(filed).collect())
}

/// Names of headers.
fn names(value: &Value<'_>) -> Vec<String> {
    let name = |text: &str| match HeaderName::from_bytes(text.as_bytes()) {
        Ok(_) => check_dropped(text).map(|()| text.to_owned()),
        Err(_) => Err("this is no header name".to_owned()),
    };
    value.each(|item| item.parse(name))
}

fn target_name(text: &str) -> Result<String, String> {
    let good = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err("a name is made of letters, digits, `-`, `_` and `.`".to_owned())
}

/// Header names and values in order; a list of values is a field each.
pub(super) fn headers_of<'a>(value: &Value<'a>) -> Result<Vec<(String, Value<'a>)>, Error> {
    let mut headers = Vec::new();
    for (name, value) in value.any_table()?.entries() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(value.error("this is no header name"));
        }
        if is_framing(name) {
            return Err(value.error("this header follows from the body and the connection: leave it out"));
        }
        headers.extend(value.items().into_iter().map(|item| (name.to_owned(), item)));
    }
    Ok(headers)
}

pub(super) fn header_value(text: &str) -> Result<String, String> {
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("a header value has no control characters or line ends".to_owned()),
    }
}
