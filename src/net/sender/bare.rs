//! A client over TLS that sends what it is given and adds nothing: the other one has an `accept` for every request without one.
//! It knows no proxy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::Uri;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use super::body::Outbound;
use crate::config::Tls;
use crate::net::answer::{self, Stage};
use crate::net::{IDLE, trust};
use crate::sync::lock;

/// The clients, one for each way to believe a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients(Arc<Mutex<HashMap<Tls, Connected>>>);

pub(super) type Connected = Client<HttpsConnector<HttpConnector>, Outbound>;

impl Clients {
    /// The one that believes a server as `tls` says.
    ///
    /// # Errors
    /// When what it believes cannot be read: a sentence.
    pub fn of(&self, tls: &Tls) -> Result<Connected, String> {
        let mut clients = lock(&self.0);
        if let Some(client) = clients.get(tls) {
            return Ok(client.clone());
        }
        let client = client(tls)?;
        clients.insert(tls.clone(), client.clone());
        Ok(client)
    }
}

/// Sends `request` to `url` and gives the head of the answer.
///
/// # Errors
/// When it cannot be sent or nothing comes back: a sentence.
pub(super) async fn send(
    client: Connected,
    mut request: http::Request<Outbound>,
    url: &Url,
    place: &str,
) -> Result<http::Response<Incoming>, String> {
    *request.uri_mut() = url.as_str().parse::<Uri>().map_err(|error| format!("not sent: {url}: {error}"))?;
    client.request(request).await.map_err(|error| {
        let stage = if error.is_connect() { Stage::Connecting } else { Stage::Waiting };
        answer::explain(&error, place, stage)
    })
}

fn client(tls: &Tls) -> Result<Connected, String> {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(trust::config(tls)?).https_only().enable_http1();
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    Ok(client.build(builder.wrap_connector(http)))
}
