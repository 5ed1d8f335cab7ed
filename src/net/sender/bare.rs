//! A client that sends what it is given and adds nothing: the other one has an `accept` for every request without one. It knows
//! no proxy.

use http::Uri;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::body::Outbound;
use crate::config::Tls;
use crate::net::answer::{self, Stage};
use crate::net::trust;

/// Sends `request` to `url`, whose server is believed as `tls` says, and gives the head of the answer.
///
/// # Errors
/// When it cannot be sent or nothing comes back: a sentence.
pub(super) async fn send(
    mut request: http::Request<Outbound>,
    url: &Url,
    place: &str,
    tls: &Tls,
) -> Result<http::Response<Incoming>, String> {
    let client = client(tls).map_err(|reason| format!("not sent: {reason}"))?;
    *request.uri_mut() = url.as_str().parse::<Uri>().map_err(|error| format!("not sent: {url}: {error}"))?;
    client.request(request).await.map_err(|error| {
        let stage = if error.is_connect() { Stage::Connecting } else { Stage::Waiting };
        answer::explain(&error, place, stage)
    })
}

/// It is rarely asked for, and so made for each call.
fn client(tls: &Tls) -> Result<Client<HttpsConnector<HttpConnector>, Outbound>, String> {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(trust::config(tls)?).https_or_http().enable_http1();
    Ok(Client::builder(TokioExecutor::new()).build(builder.wrap_connector(http)))
}
