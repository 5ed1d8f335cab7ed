//! Listeners of our own that get nothing unless that was asked for: a call sent to one is recorded there, and could be sent
//! once more.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use url::{Host, Url};

use super::is_ourselves;

/// A listener of hooktape's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Where it listens.
    pub address: SocketAddr,
    /// By which address platforms call it, where that is known: `https://hooks.example.com`.
    pub public: Option<String>,
}

/// Listeners that get nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avoid {
    /// Which.
    pub listeners: Vec<Own>,
    /// How its user has calls sent there all the same: the end of a sentence.
    pub repair: String,
    /// Those of other processes, where they are known beside one's own and nothing said here has calls sent to them.
    pub others: Vec<Own>,
    /// The target that gets calls all the same, by its name: it was chosen for being one of them.
    pub spared: Option<String>,
}

/// How calls are sent to those all the same.
const TO_OTHERS: &str = "`hooktape send`, or `hooktape replay --to-listener`, sends there";

impl Avoid {
    /// Whether the target of that name is held against it.
    #[must_use]
    pub fn applies_to(&self, name: &str) -> bool {
        self.spared.as_deref() != Some(name)
    }

    /// Why nothing is sent to `url`, which is `name`'s, as far as the address itself says where it leads: a sentence with the
    /// repair.
    #[must_use]
    pub fn why_not(&self, name: &str, url: &Url) -> Option<String> {
        self.all().find(|own| own.is_at(url)).map(|own| self.sentence(name, own.address))
    }

    /// Which listener's address `url` stands for, if the system is asked: names of this machine, and all its addresses.
    pub async fn resolved(&self, url: &Url) -> Option<SocketAddr> {
        for own in self.all() {
            if leads_to(url, own.address).await {
                return Some(own.address);
            }
        }
        None
    }

    /// Whether [`Self::resolved`] has anything to ask of `url`.
    #[must_use]
    pub fn concerns(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        self.all().any(|own| port == Some(own.address.port()))
    }

    /// Whether the listener at `address` is among them.
    #[must_use]
    pub fn knows(&self, address: SocketAddr) -> bool {
        self.all().any(|own| own.address == address)
    }

    /// That `name` is the listener at `address`, and what can be done.
    #[must_use]
    pub fn sentence(&self, name: &str, address: SocketAddr) -> String {
        let is_other = |own: &Own| own.address == address;
        let repair = if self.others.iter().any(is_other) { TO_OTHERS } else { &self.repair };
        format!("{name} is hooktape's own listener ({address}): {repair}")
    }

    /// These listeners, and beside one's own those that run now.
    #[must_use]
    pub fn beside(&self, running: Vec<Own>) -> Self {
        let is_known = |own: &Own| self.listeners.iter().any(|known| known.address == own.address);
        Self { others: running.into_iter().filter(|own| !is_known(own)).collect(), ..self.clone() }
    }

    fn all(&self) -> impl Iterator<Item = &Own> {
        self.listeners.iter().chain(&self.others)
    }
}

impl Own {
    fn is_at(&self, url: &Url) -> bool {
        let public = self.public.as_deref().and_then(|public| Url::parse(public).ok());
        is_ourselves(url, self.address) || public.is_some_and(|public| is_below(url, &public))
    }
}

/// Whether `url` is `base` or a place below it.
fn is_below(url: &Url, base: &Url) -> bool {
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/'));
    url.origin() == base.origin() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a call to `url` comes to the listener at `address`, by whatever name or address of this machine.
async fn leads_to(url: &Url, address: SocketAddr) -> bool {
    let Some(port) = url.port_or_known_default().filter(|port| *port == address.port()) else { return false };
    let found: Vec<IpAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![ip.into()],
        Some(Host::Ipv6(ip)) => vec![ip.into()],
        // A name without an address leads nowhere; who calls it is told so.
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.map(|found| found.ip()).collect(),
            Err(_) => Vec::new(),
        },
        None => Vec::new(),
    };
    let own = address.ip().to_canonical();
    let same = |ip: IpAddr| {
        let ip = ip.to_canonical();
        ip == own
            || (ip.is_loopback() && (own.is_loopback() || own.is_unspecified()))
            || (own.is_unspecified() && is_of_this_machine(ip))
    };
    found.into_iter().any(same)
}

/// Only on an address of its own does a machine give out a port.
fn is_of_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::Request;
    use crate::config::{Config, Target};
    use crate::net::outgoing::{Outgoing, SignMode};
    use crate::net::sender::Sender;
    use crate::net::testing::Site;

    fn avoid(address: &str, public: Option<&str>) -> Avoid {
        let own = Own { address: address.parse().unwrap(), public: public.map(str::to_owned) };
        Avoid { listeners: vec![own], repair: "ask for it".to_owned(), others: Vec::new(), spared: None }
    }

    #[tokio::test]
    async fn a_listener_is_found_by_any_name_and_address_of_the_machine() {
        let name = gethostname();
        for (url, address, here) in [
            ("http://localhost:4747/x".to_owned(), "127.0.0.1:4747", true),
            ("http://127.0.0.1:4747/x".to_owned(), "0.0.0.0:4747", true),
            ("http://127.0.0.1:4748/x".to_owned(), "0.0.0.0:4747", false),
            ("http://192.0.2.250:4747/x".to_owned(), "127.0.0.1:4747", false),
            (format!("http://{name}:4747/x"), "0.0.0.0:4747", true),
        ] {
            let avoid = avoid(address, None);
            let why = avoid.resolved(&url.parse().unwrap()).await;
            assert_eq!(why.is_some(), here, "{url} {address} {why:?}");
        }
    }

    #[test]
    fn a_listener_of_another_process_has_its_own_repair() {
        let own = |address: &str, public: Option<&str>| Own {
            address: address.parse().unwrap(),
            public: public.map(str::to_owned),
        };
        let running = vec![own("127.0.0.1:4747", None), own("127.0.0.1:4748", Some("https://t.example.com"))];
        let avoid = avoid("127.0.0.1:4747", None).beside(running);
        assert_eq!(avoid.others.len(), 1, "one's own is no other");
        let why = |url: &str| avoid.why_not("x", &url.parse().unwrap()).unwrap();
        assert!(why("http://127.0.0.1:4747/").ends_with(": ask for it"));
        for url in ["http://127.0.0.1:4748/", "https://t.example.com/hooks"] {
            assert!(
                why(url)
                    .ends_with("(127.0.0.1:4748): `hooktape send`, or `hooktape replay --to-listener`, sends there")
            );
        }
        assert!(avoid.concerns(&"http://localhost:4748/".parse().unwrap()));
    }

    #[tokio::test]
    async fn nothing_leaves_for_a_listener_of_our_own() {
        let site = Site::new(Config::default()).await;
        let sender = Sender::new(site.platforms.clone(), site.keyring.clone());
        let aim = |url: &str, avoid| {
            let request = Request { method: "GET".into(), target: "/".into(), ..Request::default() };
            let target = Target::new("x", url);
            let aimed = Outgoing::aim(request, None, &target, SignMode::Exact, &site.keyring, None).unwrap();
            Outgoing { avoid, ..aimed }
        };
        let avoid = Arc::new(avoid(&format!("0.0.0.0:{}", site.address.port()), None));
        for url in [site.url("/x"), format!("http://localhost:{}/", site.address.port())] {
            let refused = sender.send(aim(&url, Some(avoid.clone()))).await;
            let why = refused.error.unwrap();
            assert!(why.starts_with("not sent: ") && why.contains("is hooktape's own listener"), "{why}");
            assert_eq!(sender.send(aim(&url, None)).await.error, None);
        }
        // Another listener has the port now.
        let next = |address: &str| Avoid {
            listeners: vec![Own { address: address.parse().unwrap(), public: None }],
            ..Avoid::clone(&avoid)
        };
        let port = site.address.port();
        let refused = sender
            .send(aim(&format!("http://localhost:{port}/"), Some(Arc::new(next(&format!("127.0.0.1:{port}"))))))
            .await;
        assert!(refused.error.unwrap().contains(&format!("(127.0.0.1:{port})")));
        let other = Site::new(Config::default()).await;
        assert_eq!(sender.send(aim(&other.url("/"), Some(avoid))).await.error, None);
    }

    /// Its host name, if that has an address; else one that always has.
    fn gethostname() -> String {
        use std::net::ToSocketAddrs as _;
        let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned();
        let known = !name.is_empty() && (name.as_str(), 1).to_socket_addrs().is_ok();
        if known { name } else { "localhost".to_owned() }
    }

    #[test]
    fn the_public_address_counts_with_all_that_is_below_it() {
        let avoid = avoid("127.0.0.1:4747", Some("https://hooks.example.com/in"));
        let why = |url: &str| avoid.why_not("x", &url.parse().unwrap());
        let sentence = "x is hooktape's own listener (127.0.0.1:4747): ask for it";
        assert_eq!(why("https://hooks.example.com/in/hooks/moveo?a=1").as_deref(), Some(sentence));
        assert!(why("https://hooks.example.com:443/in").is_some());
        for url in ["https://hooks.example.com/inside", "https://hooks.example.com/", "http://hooks.example.com/in"] {
            assert_eq!(why(url), None, "{url}");
        }
    }
}
