//! What one tells a platform about one's endpoint, held against what the platform takes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{Finding, Severity};
use crate::call::Request;

/// `[webhook]` of a pack: the rules for the address and headers that one enters in the platform's settings.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Whether only public HTTPS addresses are taken.
    #[serde(default)]
    pub public_https: bool,
    /// How many custom headers there may be.
    pub max_custom_headers: Option<usize>,
    /// Headers that cannot be set: names, or beginnings followed by `*`.
    #[serde(default)]
    pub forbidden_headers: Vec<String>,
    /// Headers that an older document forbids.
    #[serde(default)]
    pub doubtful_headers: Vec<String>,
    /// Headers that the platform itself minds.
    #[serde(default)]
    pub known_headers: BTreeMap<String, Known>,
    /// The addresses that its calls come from.
    #[serde(default)]
    pub egress: Vec<IpAddr>,
    /// The document that says so.
    pub source: String,
}

/// A custom header that changes what the platform sends.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The value that does.
    pub value: String,
    /// What it does, as a sentence.
    pub meaning: String,
}

impl Advice {
    /// What is wrong with the address of an endpoint.
    #[must_use]
    pub fn url(&self, address: &str) -> Vec<Finding> {
        let url = match Url::parse(address) {
            Ok(url) => url,
            Err(error) => return vec![self.finding(Severity::Error, format!("{address:?} is no URL: {error}."))],
        };
        let mut findings = Vec::new();
        if self.public_https && url.scheme() != "https" {
            findings.push(self.finding(Severity::Error, "A URL that is not HTTPS is rejected in production.".into()));
        }
        let inside = match url.host() {
            Some(Host::Ipv4(ip)) => is_inside(ip.into()),
            Some(Host::Ipv6(ip)) => is_inside(ip.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
            }
            None => true,
        };
        if self.public_https && inside {
            let sentence = "A loopback or private address is rejected in production: use a tunnel or a public host.";
            findings.push(self.finding(Severity::Error, sentence.into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let sentence = "The URL holds a user name or password, which logs will show: use a custom header.";
            findings.push(self.finding(Severity::Warning, sentence.into()));
        }
        findings
    }

    /// What is to be said of a list of custom headers, each a name and its value.
    #[must_use]
    pub fn headers<'a>(&self, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Finding> {
        let headers: Vec<(&str, &str)> = headers.into_iter().collect();
        let mut findings = Vec::new();
        if let Some(most) = self.max_custom_headers.filter(|most| headers.len() > *most) {
            let sentence = format!("There are {} custom headers, at most {most} are allowed.", headers.len());
            findings.push(self.finding(Severity::Error, sentence));
        }
        findings.extend(headers.into_iter().filter_map(|(name, value)| self.header(name, value)));
        findings
    }

    fn header(&self, name: &str, value: &str) -> Option<Finding> {
        let listed = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, name));
        if listed(&self.forbidden_headers) {
            return Some(self.finding(Severity::Error, format!("{name} cannot be set as a custom header.")));
        }
        if listed(&self.doubtful_headers) {
            let sentence = format!("{name} is forbidden by an older document and not named by the current one.");
            return Some(self.finding(Severity::Warning, sentence));
        }
        let (_, known) = self.known_headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(if value == known.value {
            self.finding(Severity::Note, known.meaning.clone())
        } else {
            self.finding(Severity::Warning, format!("{name} is {value:?} and does nothing: {:?} does.", known.value))
        })
    }

    /// What is to be said of where a call of the platform's came from; its own addresses prove nothing, only its signature
    /// does. `trusted`: as of [`Request::caller`]. Nothing is said of a call from this machine or its network: that is a test,
    /// or came by a tunnel that is not trusted.
    #[must_use]
    pub fn caller(&self, request: &Request, trusted: &[IpAddr]) -> Option<Finding> {
        let caller = request.caller(trusted).filter(|caller| !is_inside(*caller))?;
        if self.egress.is_empty() || self.egress.contains(&caller) {
            return None;
        }
        let known: Vec<String> = self.egress.iter().map(ToString::to_string).collect();
        let sentence = format!("It came from {caller}, and the platform calls from {}.", known.join(", "));
        Some(self.finding(Severity::Warning, sentence))
    }

    fn finding(&self, severity: Severity, sentence: String) -> Finding {
        Finding { pointer: String::new(), severity, sentence, source: self.source.clone() }
    }
}

/// Loopback, private, link-local and their like.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn advice() -> Advice {
        toml::from_str(
            "public_https = true\nmax_custom_headers = 2\nforbidden_headers = ['Host', 'X-Forwarded-*']\n\
             doubtful_headers = ['Accept']\negress = ['18.192.167.150']\nsource = 'docs'\n\
             known_headers.X-History = { value = 'true', meaning = 'The history comes with it.' }",
        )
        .unwrap()
    }

    #[rstest]
    #[case("https://example.com/hooks", 0)]
    #[case("https://8.8.8.8/", 0)]
    #[case("http://example.com/hooks", 1)]
    #[case("https://localhost:3000/", 1)]
    #[case("https://box.local/", 1)]
    #[case("http://127.0.0.1:3000/", 2)]
    #[case("https://10.1.2.3/", 1)]
    #[case("https://172.16.0.1/", 1)]
    #[case("https://172.32.0.1/", 0)]
    #[case("https://169.254.1.1/", 1)]
    #[case("https://100.64.0.1/", 1)]
    #[case("https://[::1]/", 1)]
    #[case("https://[fd00::1]/", 1)]
    #[case("https://[::ffff:192.168.0.1]/", 1)]
    #[case("https://me:pw@example.com/", 1)]
    #[case("example.com", 1)]
    fn addresses_that_the_platform_rejects(#[case] url: &str, #[case] count: usize) {
        let findings = advice().url(url);
        assert_eq!(findings.len(), count, "{findings:?}");
    }

    #[test]
    fn custom_headers_are_counted_and_held_against_the_list() {
        let said = |headers: &[(&str, &str)]| {
            let findings = advice().headers(headers.iter().copied());
            findings.into_iter().map(|finding| finding.sentence).collect::<Vec<_>>()
        };
        assert_eq!(said(&[("X-Api-Key", "1"), ("X-Other", "")]), [""; 0]);
        assert_eq!(said(&[("host", "a")]), ["host cannot be set as a custom header."]);
        assert_eq!(said(&[("x-forwarded-for", "a")]), ["x-forwarded-for cannot be set as a custom header."]);
        assert!(said(&[("accept", "*/*")])[0].contains("older document"));
        assert_eq!(said(&[("a", ""), ("b", ""), ("c", "")]), ["There are 3 custom headers, at most 2 are allowed."]);
        assert_eq!(said(&[("x-history", "true")]), ["The history comes with it."]);
        assert_eq!(said(&[("X-History", "True")]), ["X-History is \"True\" and does nothing: \"true\" does."]);
    }

    #[test]
    fn a_stranger_is_named_and_a_neighbour_passed_over() {
        let tunnel = IpAddr::from([127, 0, 0, 1]);
        let said = |peer: &str, forwarded: &str| {
            let headers = [("x-forwarded-for", forwarded.to_owned())].into_iter().collect();
            let request = Request { peer: peer.parse().ok(), headers, ..Request::default() };
            advice().caller(&request, &[tunnel]).map(|finding| finding.sentence)
        };
        let stranger = Some("It came from 203.0.113.9, and the platform calls from 18.192.167.150.".to_owned());
        assert_eq!(said("203.0.113.9", "18.192.167.150"), stranger);
        assert_eq!(said("127.0.0.1", "203.0.113.9"), stranger);
        for (peer, forwarded) in [("18.192.167.150", ""), ("127.0.0.1", "18.192.167.150"), ("127.0.0.1", ""), ("", "")]
        {
            assert_eq!(said(peer, forwarded), None, "{peer} {forwarded}");
        }
    }
}
