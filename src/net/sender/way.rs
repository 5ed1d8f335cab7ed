//! What carries a call: the caller's own connection, or a client that knows TLS and proxies.

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::{Sender, bare};
use crate::call::Request;
use crate::config::{Tls, is_loopback};
use crate::net::{IDLE, root, trust};
use crate::sync::lock;

/// Why a call without an `accept` cannot leave.
pub(super) const BETWEEN: &str = "the environment names a proxy for this address, and none is used for a call without an \
                       `accept` header: do not drop it, or name the host in NO_PROXY";

/// What tells one client from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    tls: Tls,
    /// For this machine: without a proxy.
    local: bool,
    /// For calls with another `host` than their URL's. HTTP/2 would have the URL's for it (RFC 9113, 8.3.1).
    renamed: bool,
}

/// What carries an exchange.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A connection of the caller's own.
    Wire,
    /// A client that adds no `accept` of its own.
    Bare(Box<bare::Connected>),
    /// The one that knows proxies.
    Client(reqwest::Client),
}

impl Sender {
    /// The client for such an endpoint, made when it is first needed: it reads all certificates that the system trusts.
    fn client(&self, which: Client) -> Result<reqwest::Client, String> {
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&which) {
            return Ok(client.clone());
        }
        let Client { tls, local, renamed } = &which;
        let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tcp_nodelay(true);
        builder = builder.pool_idle_timeout(IDLE);
        if *local {
            // No proxy of the environment should see calls to this machine.
            builder = builder.no_proxy();
        }
        if tls.any_certificate {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if !tls.any_certificate && !tls.authorities.is_empty() {
            let mut config = trust::config(tls)?;
            let protocols: &[&[u8]] = if *renamed { &[b"http/1.1"] } else { &[b"h2", b"http/1.1"] };
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            builder = builder.tls_backend_preconfigured(config);
        }
        if *renamed {
            builder = builder.http1_only();
        }
        let client = builder.build().map_err(|error| root(&error).to_string())?;
        clients.insert(which, client.clone());
        Ok(client)
    }

    /// What carries a request to `url`: the caller's own connection where it can.
    ///
    /// # Errors
    /// When nothing can: a sentence.
    pub(super) fn way(&self, request: &Request, headers: &http::HeaderMap, url: &Url, tls: Tls) -> Result<Way, String> {
        let proxy = intercept(&self.proxies, url);
        let proxied = proxy.is_some();
        if let Some(scheme) = proxy.as_ref().and_then(|proxy| proxy.uri().scheme_str())
            && !matches!(scheme, "http" | "https")
        {
            return Err(format!(
                "the environment names a {scheme} proxy for this address, and only http and https ones can be used: name \
                 another, or the host in NO_PROXY"
            ));
        }
        if url.scheme() == "http" && !proxied {
            return Ok(Way::Wire);
        }
        if !headers.contains_key(http::header::ACCEPT) {
            return if proxied {
                Err(BETWEEN.to_owned())
            } else {
                self.bare.of(&tls).map(|client| Way::Bare(client.into()))
            };
        }
        let renamed = request.headers.get("host") != Some(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        let client = self.client(Client { tls, local: is_loopback(url), renamed });
        client.map(Way::Client)
    }
}

/// The proxy that what goes to `url` goes through. No proxy of the environment should see calls to this machine.
pub(super) fn intercept(proxies: &Matcher, url: &Url) -> Option<Intercept> {
    let there = (!is_loopback(url)).then(|| url.as_str().parse().ok()).flatten()?;
    proxies.intercept(&there)
}

/// Host and port of that proxy.
pub(super) fn proxy(proxies: &Matcher, url: &Url) -> Option<String> {
    let proxy = intercept(proxies, url)?;
    let port = proxy.uri().port_u16().unwrap_or(if proxy.uri().scheme_str() == Some("https") { 443 } else { 80 });
    Some(format!("{}:{port}", proxy.uri().host().unwrap_or("?")))
}
