//! A named place to send to.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use indexmap::IndexMap;
use url::{Host, Url};

use super::{Secret, instead};

/// A named place to send to.
#[derive(Clone, PartialEq)]
pub struct Target {
    /// What `--to` calls it.
    pub name: String,
    /// Where calls go. `{kind}`, `{platform}`, `{name}` and `{path}` stand for what [`Target::url_for`] is given.
    pub url: String,
    /// Where calls of some kinds go instead: by `platform/kind`, or `platform` for all others of it.
    pub urls: IndexMap<String, String>,
    /// The kinds of calls that it takes; none: any.
    pub kinds: Vec<String>,
    /// The secrets to sign with; none: the platform's.
    pub secrets: Vec<Secret>,
    /// Headers that every call gets. References among their values are resolved: they may hold secrets.
    pub headers: Vec<(String, String)>,
    /// The names of those, had or not, whose values are references: no other target is to get them.
    pub referenced: Vec<String>,
    /// Headers that it should have and whose values cannot be had, and why: nothing is sent without them.
    pub lost_headers: Vec<(String, String)>,
    /// Headers that no call gets.
    pub drop_headers: Vec<String>,
    /// Whom it believes to be the endpoint, over https.
    pub tls: Tls,
    /// Whether to ask before sending, naming host and count.
    pub guard: bool,
    /// How long to wait for an answer: 30 s.
    pub timeout: Duration,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("urls", &self.urls)
            .field("kinds", &self.kinds)
            .field("secrets", &self.secrets)
            .field("headers", &headers)
            .field("referenced", &self.referenced)
            .field("lost_headers", &self.lost_headers)
            .field("drop_headers", &self.drop_headers)
            .field("tls", &self.tls)
            .field("guard", &self.guard)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Whom to believe over https, besides those whom the system believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// Whether any certificate will do: self-signed, expired, or another host's.
    pub any_certificate: bool,
    /// Further authorities: certificates in PEM, as a file has them.
    pub authorities: Vec<u8>,
}

impl Tls {
    /// The authorities of a file's bytes.
    ///
    /// # Errors
    /// When there are none: a sentence.
    pub fn read_authorities(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
        if bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Ok(bytes);
        }
        Err("this file has no certificate in PEM (`-----BEGIN CERTIFICATE-----`)".to_owned())
    }
}

/// How long to wait for an answer where nothing is said of it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

impl Target {
    /// A target with nothing but a name and a URL.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        let (name, url) = (name.into(), url.into());
        Self {
            name,
            url,
            urls: IndexMap::new(),
            kinds: Vec::new(),
            secrets: Vec::new(),
            headers: Vec::new(),
            referenced: Vec::new(),
            lost_headers: Vec::new(),
            drop_headers: Vec::new(),
            tls: Tls::default(),
            guard: false,
            timeout: TIMEOUT,
        }
    }

    /// The target that an address typed by hand means: a URL, `localhost:3000`, or `:3000` for this machine.
    ///
    /// # Errors
    /// A sentence: why nothing can be sent there.
    pub fn from_address(address: &str) -> Result<Self, String> {
        let url = match address.split_once("://") {
            Some(_) => address.to_owned(),
            None if address.starts_with(':') => format!("http://127.0.0.1{address}"),
            None if address.contains(':') => format!("http://{address}"),
            None => return Err(format!("{address:?} is no URL: write http://HOST:PORT/PATH")),
        };
        // An address with a password in it is not repeated.
        let shown = address.split('?').next().filter(|_| !address.contains('@'));
        check_url(&url).map_err(|message| match shown {
            Some(shown) => format!("{shown:?}: {message}"),
            None => message,
        })?;
        // What it is called is printed and told; its query may hold a token.
        let name = without_query(&url).to_owned();
        Ok(Self::new(name, url))
    }

    /// This target with a number behind its name where one of `others` has that name and goes elsewhere: typed
    /// addresses may differ in nothing but their queries, which no name tells.
    #[must_use]
    pub fn told_apart(self, others: &[Self]) -> Self {
        let is_free = |name: &String| others.iter().all(|other| other.name != *name || other.url == self.url);
        let numbered = (2..).map(|number| format!("{} ({number})", self.name));
        let name = std::iter::once(self.name.clone()).chain(numbered).find(is_free);
        Self { name: name.unwrap_or_else(|| self.name.clone()), ..self }
    }

    /// This target, guarded where a guarded one of `others` goes to the same host and port: what asks when it is named asks when
    /// its address is typed, too, however that is written.
    #[must_use]
    pub fn guarded_with(self, others: &[Self]) -> Self {
        let own = self.servers();
        let guarded = others.iter().filter(|other| other.guard).flat_map(Self::servers).any(|at| own.contains(&at));
        Self { guard: self.guard || guarded, ..self }
    }

    /// Every host and port that calls go to with it.
    fn servers(&self) -> Vec<Server> {
        let templates = std::iter::once(&self.url).chain(self.urls.values());
        // What stands for placeholders is mostly of the path.
        let urls = templates.filter_map(|template| Url::parse(&fill(template, Some("a/a"), "/").ok()?).ok());
        urls.map(|url| Server::of(&url)).collect()
    }

    /// Of one that is called by its address alone: the address as it is shown, and the number behind it. None: it has a name.
    pub fn address(&self) -> Option<(&str, &str)> {
        let address = without_query(&self.url);
        let number = self.name.strip_prefix(address)?;
        (number.is_empty() || number.starts_with(" (")).then_some((address, number))
    }

    /// Host and port, or what stands for them, as sentences name it.
    pub fn place(&self) -> &str {
        place(&self.url)
    }

    /// The hosts and ports that calls of these kinds go to, each once.
    pub fn places<'a>(&self, kinds: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
        let taken = kinds.filter(|kind| self.why_not(*kind).is_none());
        // The host may be another for each platform.
        distinct(taken.map(|kind| {
            let place = place(self.template(kind));
            fill(place, kind, "").unwrap_or_else(|_| place.to_owned())
        }))
    }

    /// The URLs that calls of these kinds go to, each once, before anything stands for their placeholders.
    pub fn templates<'a>(&self, kinds: impl Iterator<Item = Option<&'a str>>) -> Vec<&str> {
        distinct(kinds.filter(|kind| self.why_not(*kind).is_none()).map(|kind| self.template(kind)))
    }

    fn template(&self, kind: Option<&str>) -> &str {
        let platform = kind.and_then(|kind| kind.split_once('/')).map(|(platform, _)| platform);
        let own = kind.and_then(|kind| self.urls.get(kind)).or_else(|| self.urls.get(platform?));
        own.unwrap_or(&self.url)
    }

    /// The value that calls get for a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut own = self.headers.iter().rev();
        own.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// That a header of it cannot be had, if that is so: a sentence with the repair.
    pub fn lost(&self) -> Option<String> {
        let (name, why) = self.lost_headers.iter().find(|(name, _)| self.header(name).is_none())?;
        Some(format!(
            "target {} is to get the header {name}, and {why}: set it, or take it out of `headers`",
            self.name
        ))
    }

    /// Why it takes no call of `kind`, if it takes none: a sentence.
    pub fn why_not(&self, kind: Option<&str>) -> Option<String> {
        if self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.iter().any(|own| own == kind)) {
            return None;
        }
        let this = kind.map_or_else(|| "was not recognised".to_owned(), |kind| format!("is {kind}"));
        let takes = self.kinds.join(" and ");
        Some(format!("target {} takes {takes} only, and this call {this}: send it elsewhere", self.name))
    }

    /// Whether calls of `kind` go to `origin` with it: scheme, host and port, as in `http://127.0.0.1:3000`, however they are
    /// written.
    pub fn is_at(&self, origin: &str, kind: Option<&str>) -> bool {
        let url = self.url_for(kind, "/").ok().and_then(|url| Url::parse(&url).ok());
        url.zip(Url::parse(origin).ok()).is_some_and(|(url, origin)| url.origin() == origin.origin())
    }

    /// Whether a call of `kind` that went to this `path` at `origin` may have gone there with it.
    pub fn is_behind(&self, origin: &str, kind: Option<&str>, path: &str) -> bool {
        let its_path = |url: Url| match url.path().split_once(ANY) {
            Some((before, behind)) => path.strip_prefix(before).is_some_and(|rest| rest.ends_with(behind)),
            None => url.path() == path,
        };
        let url = self.url_for(kind, &format!("/{ANY}")).ok().and_then(|url| Url::parse(&url).ok());
        self.is_at(origin, kind) && url.is_some_and(its_path)
    }

    /// The URL for a call of `kind` (`moveo/pre_message`) that was recorded with the target `asked` (`/hooks/moveo?x=1`).
    /// A URL that ends with its host gets that path, and with the path the query goes behind its own; any other URL without
    /// placeholders is used as it is.
    ///
    /// # Errors
    /// A sentence: it takes no such call; the URL needs a kind and there is none, or none that belongs in a URL; or the call has no path: with `*`
    /// it asks a server about itself (RFC 9110, 9.3.7).
    pub fn url_for(&self, kind: Option<&str>, asked: &str) -> Result<String, String> {
        self.url_of(kind, asked, false)
    }

    /// As [`Self::url_for`], with the query of `asked` in any case: it is part of what was said, also where the path is
    /// not taken.
    ///
    /// # Errors
    /// As [`Target::url_for`].
    pub fn url_with_query(&self, kind: Option<&str>, asked: &str) -> Result<String, String> {
        self.url_of(kind, asked, true)
    }

    fn url_of(&self, kind: Option<&str>, asked: &str, always: bool) -> Result<String, String> {
        if asked == "*" {
            return Err(format!(
                "target {}: this call asks a server about itself (`OPTIONS *`), and no URL stands for that: ask there \
                 directly",
                self.name
            ));
        }
        if let Some(why) = self.why_not(kind) {
            return Err(why);
        }
        let url = self.template(kind);
        let bare = url.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#', '{']));
        let template = if bare { &format!("{url}{{path}}") } else { url };
        let (path, query) = asked.split_once('?').map_or((asked, None), |(path, query)| (path, Some(query)));
        let mut url = fill(template, kind, path).map_err(|message| format!("target {}: {message}", self.name))?;
        if let Some(query) = query.filter(|_| always || template.contains("{path}")) {
            join(&mut url, query);
        }
        Ok(url)
    }
}

/// Who answers at a URL, as far as the URL itself tells. Where two may be one they are taken for one.
#[derive(Debug, PartialEq)]
struct Server {
    /// None: this machine.
    host: Option<Host>,
    /// None: that of http or https. Behind both stands the same server.
    port: Option<u16>,
}

impl Server {
    fn of(url: &Url) -> Self {
        let host = match url.host().filter(|_| !is_loopback(url)) {
            // With a dot at its end it is the same name, said in full.
            Some(Host::Domain(name)) => Some(Host::Domain(name.strip_suffix('.').unwrap_or(name))),
            Some(Host::Ipv6(ip)) => Some(ip.to_ipv4_mapped().map_or(Host::Ipv6(ip), Host::Ipv4)),
            host => host,
        };
        Self { host: host.map(|host| host.to_owned()), port: url.port().filter(|port| ![80, 443].contains(port)) }
    }
}

/// Puts a query behind the one that a URL has, if any.
fn join(url: &mut String, query: &str) {
    // A fragment is for whoever shows a page: it is not sent.
    url.truncate(url.find('#').unwrap_or(url.len()));
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(query);
}

/// A query may hold a token.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// Host and port of a URL, or what stands for them.
fn place(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What is not of the path is part of the host.
    place.split("{path}").next().unwrap_or_default()
}

/// Each once, in order.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut seen, one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
        seen
    })
}

/// Whether a URL can be sent to, whatever stands for its placeholders.
pub(super) fn check_url(template: &str) -> Result<(), String> {
    let parse = |kind, path| -> Result<Url, String> {
        let url = Url::parse(&fill(template, Some(kind), path)?).map_err(|error| format!("this is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("a URL begins with http:// or https://".to_owned());
        }
        if has_login(&url) {
            return Err("a URL holds no user name or password: send them in a header, by reference".to_owned());
        }
        Ok(url)
    };
    // A recorded path must not decide where a call goes.
    let place = |url: &Url| (url.host().map(|host: Host<&str>| host.to_owned()), url.port());
    if place(&parse("a/a", "/a")?) != place(&parse("a/a", "/b")?) {
        return Err("`{path}` stands after host and port: \"http://127.0.0.1:3000{path}\"".to_owned());
    }
    Ok(())
}

/// Whether a call to `url` stays on this machine (RFC 6761, 6.3). One to no address in particular, as servers print it, does.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let here = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.to_canonical().is_unspecified();
    match url.host() {
        Some(Host::Ipv4(ip)) => here(ip.into()),
        Some(Host::Ipv6(ip)) => here(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Whether a user's name or password stands before the host.
pub fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Puts the values in for the placeholders.
fn fill(template: &str, kind: Option<&str>, path: &str) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or("a `{` in the URL is not closed")?;
        out.push_str(before);
        match name {
            "kind" => out.push_str(known(kind)?),
            "platform" => out.push_str(known(kind)?.split('/').next().unwrap_or_default()),
            "name" => out.push_str(known(kind)?.split('/').next_back().unwrap_or_default()),
            "path" => {
                // One slash between the two, so that the path cannot join the host.
                if !out.ends_with('/') {
                    out.push('/');
                }
                out.push_str(path.strip_prefix('/').unwrap_or(path));
            }
            _ => {
                let known = instead(&format!("{{{name}}}"), &["{kind}", "{platform}", "{name}", "{path}"]);
                return Err(format!("this placeholder is not known: {known}"));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// The kind, if it is one that cannot change what else the URL says.
fn known(kind: Option<&str>) -> Result<&str, String> {
    let kind = kind.ok_or("its URL needs the call's kind, and the call was not recognised")?;
    let word = |word: &str| word.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'));
    match kind.split_once('/') {
        Some((platform, name)) if word(platform) && word(name) => Ok(kind),
        _ => Err("its URL needs a kind, written platform/kind in letters, digits, `-` and `_`".to_owned()),
    }
}

/// A path that no call has, to see where in a URL its path stands.
const ANY: &str = "%00";

/// What is said of a header that cannot be dropped, if `name` is one: by host and length HTTP knows where a request goes and
/// ends.
///
/// # Errors
/// That sentence.
pub fn check_dropped(name: &str) -> Result<(), String> {
    let needed = ["host", "content-length"].iter().any(|needed| needed.eq_ignore_ascii_case(name));
    if needed { Err(format!("HTTP needs {name}: no call leaves without it")) } else { Ok(()) }
}

/// Headers that follow from a body and its connection (RFC 9110, 7.6.1): nobody sets them, and they are never copied from one
/// call to the next.
pub const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header of that name is one of [`FRAMING`].
#[must_use]
pub fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|own| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for (host, here) in [
            ("127.0.0.1", true),
            ("127.1.2.3:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]", true),
            ("LocalHost:80", true),
            ("shop.localhost", true),
            ("0.0.0.0", true),
            ("[::]:80", true),
            ("localhost.:80", true),
            ("shop.localhost.", true),
            ("192.168.0.1", false),
            ("localhost.example", false),
            ("notlocalhost", false),
        ] {
            assert_eq!(is_loopback(&format!("http://{host}/").parse().unwrap()), here, "{host}");
        }
    }
}
