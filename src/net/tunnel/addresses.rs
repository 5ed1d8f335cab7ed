//! Web addresses in a program's output.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::config::has_login;
use crate::net::is_ourselves;

/// How many addresses are kept: the newest.
const MOST: usize = 16;

/// The addresses that a program printed, but those of the listener itself.
#[derive(Debug)]
pub(super) struct Addresses {
    own: SocketAddr,
    found: Vec<String>,
}

impl Addresses {
    pub(super) fn new(own: SocketAddr) -> Self {
        Self { own, found: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The addresses, `https` ones first, else as they were printed.
    pub(super) fn all(&self) -> impl Iterator<Item = String> {
        let (safe, plain): (Vec<_>, Vec<_>) = self.found.iter().cloned().partition(|url| url.starts_with("https:"));
        safe.into_iter().chain(plain)
    }

    /// Takes the addresses of a line; whether there was one that is new.
    pub(super) fn read(&mut self, line: &str) -> bool {
        let mut new = false;
        for url in urls(line) {
            let Ok(parsed) = Url::parse(url) else { continue };
            // What it leads to is no way in. Programs name it too, by whatever address of this machine.
            let inside = parsed.port_or_known_default() == Some(self.own.port())
                && matches!(parsed.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
            // Nor is one with a password in it, which would be told and recorded.
            let other = parsed.query().is_some() || parsed.fragment().is_some() || has_login(&parsed);
            if inside || is_ourselves(&parsed, self.own) || other {
                continue;
            }
            let url = url.trim_end_matches('/').to_owned();
            if !self.found.contains(&url) {
                self.found.push(url);
                new = true;
            }
        }
        let surplus = self.found.len().saturating_sub(MOST);
        self.found.drain(..surplus);
        new
    }
}

/// Everything that looks like a web address.
fn urls(line: &str) -> impl Iterator<Item = &str> {
    let begins = |at: &usize| line[*at..].starts_with("https://") || line[*at..].starts_with("http://");
    let starts = line.match_indices("http").map(|(at, _)| at).filter(begins);
    starts.map(|at| {
        let outside = |char: char| char.is_whitespace() || char.is_control() || "\"'`<>|()[]{}\\,;".contains(char);
        let rest = &line[at..];
        // An IPv6 address stands in brackets of its own.
        let from = rest.find("://[").and_then(|from| (from < 6).then(|| rest.find(']'))).flatten().unwrap_or(0);
        let bracket = usize::from(from > 0);
        let end = rest[from + bracket..].find(outside).map_or(rest.len(), |end| from + bracket + end);
        rest[..end].trim_end_matches(['.', ':', '!', '?'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_found_in_what_tunnel_programs_print() {
        for (line, expected) in [
            (
                "2026-11-21T10:00:00Z INF |  https://a-b-c.trycloudflare.com                   |",
                "https://a-b-c.trycloudflare.com",
            ),
            (
                "t=2026 lvl=info msg=\"started tunnel\" addr=http://localhost:4747 url=https://a.ngrok.app",
                "https://a.ngrok.app",
            ),
            ("\u{1b}[1mForwarding HTTP traffic from \u{1b}[32mhttps://a.serveo.net\u{1b}[0m", "https://a.serveo.net"),
            ("abc.lhr.life tunneled with tls termination, https://abc.lhr.life", "https://abc.lhr.life"),
            ("https://host.tail1.ts.net/", "https://host.tail1.ts.net"),
            ("{\"url\":\"https://host.example/base\"}", "https://host.example/base"),
            ("at http://[2001:db8::1]:8080.", "http://[2001:db8::1]:8080"),
            (
                "http://127.0.0.1:4747 http://192.168.1.2:4747/ http://[::1]:4747 https://x.example/?q=1 https://u:p@x.example http://",
                "",
            ),
        ] {
            let mut addresses = Addresses::new("127.0.0.1:4747".parse().unwrap());
            assert_eq!(addresses.read(line), !expected.is_empty(), "{line}");
            assert_eq!(addresses.all().collect::<Vec<_>>().join(" "), expected, "{line}");
            assert!(!addresses.read(line), "again: {line}");
        }
    }

    #[test]
    fn the_newest_are_kept_and_safe_ones_come_first() {
        let mut addresses = Addresses::new("127.0.0.1:4747".parse().unwrap());
        (0..20).for_each(|n| assert!(addresses.read(&format!("http://a{n}.example https://b{n}.example"))));
        let all: Vec<_> = addresses.all().collect();
        assert_eq!((all.len(), all[0].as_str(), all[8].as_str()), (MOST, "https://b12.example", "http://a12.example"));
    }
}
