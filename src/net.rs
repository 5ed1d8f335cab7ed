//! The two wires: calls in and calls out.
//!
//! ```text
//!  platform --HTTP--> listener --Call--> Recorder --then--> the answer
//!  endpoint <--HTTP-- sender   --Call--> Recorder
//! ```
//!
//! Neither wire knows who looks at the calls: they end at the [`Recorder`](crate::recording::Recorder).

mod answer;
pub mod avoid;
mod bounded_read;
mod collected;
pub mod demo;
pub mod descriptors;
pub mod fault;
pub mod forward;
pub mod listener;
pub mod outgoing;
pub mod placeholders;
pub mod presence;
pub mod refused;
pub mod responder;
mod room;
pub mod sender;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
mod trust;
pub mod tunnel;
pub(crate) mod worker_pool;

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use url::{Host, Url};

use crate::call::{Headers, Request};
use crate::config::FRAMING;

/// How long a connection may have been idle to be used again. Servers end theirs after 2 s (gunicorn) or 5 s (Node); a call
/// that leaves just then is lost, and at an even pace that is each call.
const IDLE: Duration = Duration::from_secs(1);

/// Headers that belong to one connection, or that the sending side works out anew. They are never copied from one call to the
/// next.
pub fn hop_by_hop() -> impl Iterator<Item = &'static str> {
    FRAMING.into_iter().chain(["host"])
}

/// Whether a request that is passed on says how long its body is: one without a body does where it said so, or where its
/// method leads servers to expect one (RFC 9110, 8.6).
fn tells_its_length(request: &Request) -> bool {
    let expected = || matches!(&*request.method, "POST" | "PUT" | "PATCH");
    !request.body.is_empty() || request.headers.has("content-length") || expected()
}

/// The names of the fields that `Connection` names: those are of one connection, too.
fn named_in_connection(headers: &Headers) -> Vec<String> {
    let lists = headers.all("connection").map(|value| String::from_utf8_lossy(value));
    lists.flat_map(|list| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// What is at the bottom of an error: the layers above it say less.
pub(crate) fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    std::iter::successors(Some(error), |error| (**error).source()).last().unwrap_or(error)
}

/// The fields in order. Their values share one buffer: many small ones cost more than what is in them.
pub(crate) fn fields(fields: &http::HeaderMap) -> Headers {
    let mut values = BytesMut::with_capacity(fields.values().map(http::HeaderValue::len).sum());
    fields.values().for_each(|value| values.extend_from_slice(value.as_bytes()));
    let mut values = values.freeze();
    let own = |value: &http::HeaderValue, values: &mut Bytes| values.split_to(value.len());
    fields.iter().map(|(name, value)| (name.as_str(), own(value, &mut values))).collect()
}

/// Whether a call to `url` would come to the listener at `address`.
#[must_use]
pub fn is_ourselves(url: &Url, address: SocketAddr) -> bool {
    if url.port_or_known_default() != Some(address.port()) {
        return false;
    }
    let own = address.ip().to_canonical();
    let same = |ip: IpAddr| {
        let ip = ip.to_canonical();
        // A call to no address in particular goes to this machine.
        let here = ip.is_loopback() || ip.is_unspecified();
        ip == own || (here && (own.is_unspecified() || own.is_loopback()))
    };
    match url.host() {
        Some(Host::Ipv4(ip)) => same(ip.into()),
        Some(Host::Ipv6(ip)) => same(ip.into()),
        Some(Host::Domain(name)) => {
            name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
                && same(IpAddr::from([127, 0, 0, 1]))
        }
        None => false,
    }
}

/// `http://127.0.0.1:4747`, with a loopback address where the listener takes every interface.
#[must_use]
pub fn base_url(address: SocketAddr) -> String {
    let ip = if address.ip().is_unspecified() {
        if address.is_ipv6() { IpAddr::from(std::net::Ipv6Addr::LOCALHOST) } else { IpAddr::from([127, 0, 0, 1]) }
    } else {
        address.ip()
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_address_by_all_its_names() {
        let own: SocketAddr = "127.0.0.1:4747".parse().unwrap();
        for url in [
            "http://127.0.0.1:4747/x",
            "http://localhost:4747",
            "http://[::1]:4747/",
            "http://127.0.0.2:4747/",
            "http://0.0.0.0:4747/",
            "http://[::]:4747/",
            "http://[::ffff:127.0.0.1]:4747/",
        ] {
            assert!(is_ourselves(&url.parse().unwrap(), own), "{url}");
        }
        for url in ["http://127.0.0.1:4748/x", "http://example.com:4747", "https://localhost/"] {
            assert!(!is_ourselves(&url.parse().unwrap(), own), "{url}");
        }
        let elsewhere: SocketAddr = "192.0.2.7:4747".parse().unwrap();
        assert!(is_ourselves(&"http://[::ffff:192.0.2.7]:4747/".parse().unwrap(), elsewhere));
        assert!(!is_ourselves(&"http://0.0.0.0:4747/".parse().unwrap(), elsewhere));
        assert!(is_ourselves(&"http://localhost/".parse().unwrap(), "0.0.0.0:80".parse().unwrap()));
    }

    #[test]
    fn the_base_url_of_every_interface_is_a_loopback_one() {
        assert_eq!(base_url("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(base_url("[::]:81".parse().unwrap()), "http://[::1]:81");
    }
}
