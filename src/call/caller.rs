//! Who sent a received call, and by which address, as far as that can be known.

use std::net::{IpAddr, SocketAddr};

use super::Request;

/// Header fields that a proxy or a tunnel adds.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

impl Request {
    /// Who called, as far as it can be known: the peer or, as long as that is one of `trusted`, whom it says in
    /// `X-Forwarded-For` that it forwards for. Anyone can write anything there, so nobody else is believed.
    #[must_use]
    pub fn caller(&self, trusted: &[IpAddr]) -> Option<IpAddr> {
        let mut caller = self.peer?.to_canonical();
        let fields: Vec<_> = self.headers.all("x-forwarded-for").map(|field| String::from_utf8_lossy(field)).collect();
        for hop in fields.iter().flat_map(|field| field.split(',')).rev() {
            let hop = hop.trim();
            // Some proxies write the port as well.
            let address = hop.parse().or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip()));
            match address {
                Ok(address) if trusted.contains(&caller) => caller = address.to_canonical(),
                _ => break,
            }
        }
        Some(caller)
    }

    /// What `trusted` proxies say of the address that a received request was called by: scheme and host, for
    /// [`Self::public`]. None where nobody who is trusted says anything; see [`Self::caller`].
    #[must_use]
    pub fn said_by_trusted(&self, trusted: &[IpAddr]) -> Option<String> {
        let peer = self.peer?.to_canonical();
        if !trusted.contains(&peer) {
            return None;
        }
        self.said_by_proxies()
    }

    /// As [`Self::said_by_trusted`], whoever says so: for a guess, never for trusting.
    #[must_use]
    pub fn said_by_proxies(&self) -> Option<String> {
        let said = |name: &str| {
            // Of several proxies the first was nearest to the caller.
            let value = self.headers.get(name)?.split(',').next()?.trim();
            (!value.is_empty()).then_some(value)
        };
        let (scheme, host) = (said("x-forwarded-proto"), said("x-forwarded-host"));
        if scheme.is_none() && host.is_none() {
            return None;
        }
        Some(format!("{}://{}", scheme.unwrap_or("http"), host.or_else(|| self.headers.get("host"))?))
    }

    /// Whether a program on this machine seems to have sent it, under a host that nobody else can point here (DNS
    /// rebinding). A proxy or a tunnel that adds no word of its own cannot be seen.
    #[must_use]
    pub fn is_from_here(&self) -> bool {
        self.peer.is_some_and(|peer| peer.to_canonical().is_loopback())
            && !FORWARDED.iter().any(|name| self.headers.has(name))
            && is_nobody_elses(self.headers.get("host").unwrap_or_default())
    }
}

/// Whether the host is `localhost` or an address.
fn is_nobody_elses(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost")
        || host.parse::<SocketAddr>().is_ok()
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::call::Headers;

    #[rstest]
    #[case("127.0.0.1:4747", true)]
    #[case("127.0.0.1", true)]
    #[case("[::1]:4747", true)]
    #[case("[::1]", true)]
    #[case("localhost:4747", true)]
    #[case("LOCALHOST", true)]
    #[case("192.168.1.20:4747", true)]
    #[case("evil.example", false)]
    #[case("evil.example:4747", false)]
    #[case("127.0.0.1.evil.example:4747", false)]
    #[case("localhost.evil.example", false)]
    #[case("", false)]
    fn only_addresses_and_localhost_are_nobody_elses(#[case] host: &str, #[case] expected: bool) {
        assert_eq!(is_nobody_elses(host), expected);
    }

    #[rstest]
    #[case(Some("127.0.0.1"), None, true)]
    #[case(Some("::1"), None, true)]
    #[case(Some("::ffff:127.0.0.1"), None, true)]
    #[case(Some("192.168.1.20"), None, false)]
    #[case(None, None, false)]
    #[case(Some("127.0.0.1"), Some("x-forwarded-for"), false)]
    #[case(Some("127.0.0.1"), Some("Forwarded"), false)]
    fn who_comes_from_elsewhere_is_not_from_here(
        #[case] peer: Option<&'static str>,
        #[case] forwarded: Option<&'static str>,
        #[case] expected: bool,
    ) {
        let mut headers: Headers = [("host", "127.0.0.1:4747")].into_iter().collect();
        if let Some(name) = forwarded {
            headers.push(name, "203.0.113.7");
        }
        let peer = peer.map(|peer| peer.parse().unwrap());
        assert_eq!(Request { peer, headers, ..Request::default() }.is_from_here(), expected);
    }

    #[test]
    fn a_caller_is_believed_only_through_trusted_proxies() {
        let request = |peer: &str, forwarded: &[&str]| Request {
            peer: peer.parse().ok(),
            headers: forwarded.iter().map(|field| ("X-Forwarded-For", (*field).to_owned())).collect(),
            ..Request::default()
        };
        let (tunnel, proxy) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 7]));
        for (peer, forwarded, trusted, caller) in [
            ("127.0.0.1", &["198.51.100.9"][..], &[][..], "127.0.0.1"),
            ("::ffff:127.0.0.1", &["198.51.100.9"], &[tunnel], "198.51.100.9"),
            ("127.0.0.1", &["6.6.6.6, 198.51.100.9"], &[tunnel], "198.51.100.9"),
            ("127.0.0.1", &["6.6.6.6, 198.51.100.9", "10.0.0.7"], &[tunnel, proxy], "198.51.100.9"),
            ("127.0.0.1", &["198.51.100.9:4711"], &[tunnel], "198.51.100.9"),
            ("127.0.0.1", &["6.6.6.6, unknown"], &[tunnel], "127.0.0.1"),
            ("203.0.113.1", &["18.192.167.150"], &[tunnel], "203.0.113.1"),
            ("127.0.0.1", &[], &[tunnel], "127.0.0.1"),
        ] {
            let found = request(peer, forwarded).caller(trusted);
            assert_eq!(found, caller.parse().ok(), "{peer} {forwarded:?}");
        }
        assert_eq!(request("", &["198.51.100.9"]).caller(&[tunnel]), None);
    }

    #[test]
    fn the_public_address_is_told_by_trusted_proxies_only() {
        let tunnel = IpAddr::from([127, 0, 0, 1]);
        let request = |fields: &[(&str, &str)]| Request {
            peer: Some(tunnel),
            target: "/x?y".into(),
            headers: fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            ..Request::default()
        };
        for (fields, told) in [
            (&[("host", "a.example"), ("x-forwarded-proto", "https")][..], Some("https://a.example")),
            (
                &[("host", "127.0.0.1:1"), ("x-forwarded-proto", "https, http"), ("x-forwarded-host", "a.example")],
                Some("https://a.example"),
            ),
            (&[("host", "a.example"), ("x-forwarded-host", "b.example:81")], Some("http://b.example:81")),
            (&[("host", "a.example")], None),
            (&[("x-forwarded-proto", "https")], None),
        ] {
            let mut request = request(fields);
            assert_eq!(request.said_by_trusted(&[]), None);
            request.public = request.said_by_trusted(&[tunnel]);
            assert_eq!(request.public.as_deref(), told);
            if let Some(told) = told {
                assert_eq!(request.url(), format!("{told}/x?y"));
            }
        }
    }
}
