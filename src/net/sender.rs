//! Calls out: signed at the moment of sending, sent byte for byte, recorded with what came back.
//!
//! ```text
//!  Outgoing --prepare--> Prepared --exchange--> Call --> Recorder
//!              sign                 Wire:    plain HTTP, on a connection that its owner may keep
//!                                   reqwest: TLS, proxies
//!                                   bare:    TLS, without an `accept`
//! ```

mod bare;
mod body;
mod way;
mod wire;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use url::Url;

use self::body::Outbound;
use self::way::{Client, Way, proxy};
pub use self::wire::Wire;
use self::wire::WireError;
use crate::call::{Call, Direction, Id, Request, Sig};
use crate::config::Tls;
use crate::net::answer::{self, Stage};
use crate::net::fault::{Fault, STALE};
use crate::net::outgoing::{Outgoing, Signing};
use crate::net::{fields, hop_by_hop, named_in_connection, tells_its_length};
use crate::platform::{Keyring, Kind, Platforms, Seen};
use crate::recording::{RecordError, Recorder};
use crate::signature::Method;
use crate::sync::lock;

/// The HTTP client.
#[derive(Clone, Debug)]
pub struct Sender {
    clients: Arc<Mutex<HashMap<Client, reqwest::Client>>>,
    bare: bare::Clients,
    platforms: Arc<Platforms>,
    keyring: Arc<Keyring>,
    /// The proxies that the environment names, as the client reads it.
    proxies: Arc<Matcher>,
    /// Of our own listeners, the one that a host and port turned out to stand for.
    resolved: Arc<Mutex<HashMap<String, SocketAddr>>>,
}

/// A request that is signed and addressed: what will leave, as it will leave.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What will leave. Of a body that is going to be cut this is all of it.
    pub request: Request,
    /// What an endpoint with the secret it is signed for will find.
    pub sig: Option<Sig>,
    /// Why it cannot be sent, if it cannot.
    pub problem: Option<String>,
    /// What is wrong with it on purpose.
    pub fault: Option<Fault>,
    ready: Ready,
    url: Url,
    kind: Option<String>,
    conversation: Option<String>,
    parent: Option<Id>,
    timeout: Duration,
}

/// A request as the client takes it.
#[derive(Clone, Debug)]
struct Ready {
    method: http::Method,
    headers: http::HeaderMap,
    way: Way,
}

impl Sender {
    /// A client that follows no redirect and decodes nothing.
    #[must_use]
    pub fn new(platforms: Arc<Platforms>, keyring: Arc<Keyring>) -> Self {
        let (clients, bare) = (Arc::default(), bare::Clients::default());
        let proxies = Arc::new(Matcher::from_system());
        Self { clients, bare, platforms, keyring, proxies, resolved: Arc::default() }
    }

    /// Sends, waits for the answer, records both, and gives the call back.
    ///
    /// # Errors
    /// When the call could not be recorded. That the endpoint could not be reached is no error: it is in the call.
    pub async fn deliver(&self, outgoing: Outgoing, recorder: &Recorder) -> Result<Arc<Call>, RecordError> {
        let call = self.send(outgoing).await;
        recorder.record(call).await
    }

    /// Sends and waits for the answer. What it came before leaves behind it.
    pub async fn send(&self, outgoing: Outgoing) -> Call {
        let loops = self.leads_to_ourselves(&outgoing, None).await;
        let mut prepared = self.prepare(outgoing);
        prepared.problem = loops.or(prepared.problem);
        let (mut wire, patience) = (Wire::default(), prepared.timeout);
        let call = self.exchange(prepared, &mut wire, std::future::pending()).await;
        tokio::spawn(wire.finish(patience));
        call
    }

    /// Why a request, or the one beside it, must not be sent, if it would come to a listener that gets nothing: a sentence with
    /// the repair.
    pub async fn leads_to_ourselves(&self, first: &Outgoing, second: Option<&Outgoing>) -> Option<String> {
        match (self.why_ours(first).await, second) {
            (None, Some(second)) => self.why_ours(second).await,
            (why, _) => why,
        }
    }

    /// The same of one. What its host stands for is asked once.
    async fn why_ours(&self, outgoing: &Outgoing) -> Option<String> {
        let Outgoing { avoid: Some(avoid), url, .. } = outgoing else { return None };
        let host = outgoing.host();
        if let Some(why) = avoid.why_not(host, url) {
            return Some(why);
        }
        if !avoid.concerns(url) {
            return None;
        }
        let known = lock(&self.resolved).get(host).copied();
        // The listener of then may have ended.
        let address = if let Some(address) = known.filter(|address| avoid.knows(*address)) {
            Some(address)
        } else {
            let address = avoid.resolved(url).await;
            // That it is not ours may have been a resolver's failure.
            if let Some(address) = address {
                lock(&self.resolved).insert(host.to_owned(), address);
            }
            address
        };
        address.map(|address| avoid.sentence(host, address))
    }

    /// Signs and addresses a request. Nothing leaves yet.
    #[must_use]
    pub fn prepare(&self, outgoing: Outgoing) -> Prepared {
        let Outgoing {
            mut request,
            url,
            virtual_host,
            kind,
            signing,
            secrets,
            parent,
            conversation,
            timeout,
            tls,
            fault,
            avoid: _,
            dropped,
            set,
        } = outgoing;
        address(&mut request, &url, virtual_host.as_deref(), &set);
        let known = self.platforms.kind(kind.as_deref());
        let at = Timestamp::now();
        let made = if fault == Some(Fault::Stale) { at - STALE } else { at };
        let signed = match (&signing, known) {
            (_, Some(kind)) if fault == Some(Fault::BadSignature) => {
                // Not with our test secret: our own listener takes that.
                let secret = if let Signing::Fresh(secret) = &signing { secret.as_ref() } else { None };
                self.keyring.sign_as_a_stranger(kind, &mut request, secret, &set, made)
            }
            (Signing::Fresh(secret), Some(kind)) => {
                kind.sign(&mut request, secret.as_ref(), made).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        };
        if let Some(fault) = fault {
            fault.spoil(known, &mut request);
            if request.headers.has("content-length") {
                request.headers.set("content-length", request.body.len().to_string());
            }
        }
        // By host and length HTTP knows where a request goes and ends.
        let framing = |name: &String| ["host", "content-length"].iter().any(|own| own.eq_ignore_ascii_case(name));
        let dropped: Vec<String> = dropped.into_iter().filter(|name| !framing(name)).collect();
        for name in &dropped {
            request.headers.remove(name);
        }
        // A signature may stand in the query.
        let mut url = url;
        if signed.is_ok() && url.query() != request.query() {
            url.set_query(request.query());
        }
        // What was just signed, and not spoiled, fits its signature; to check that would be to make it again.
        let signed_anew = |kind: &Kind| kind.schemes().all(|scheme| matches!(scheme.method, Method::Detached(_)));
        let sure = matches!(signing, Signing::Fresh(Some(_))) && signed.is_ok() && fault.is_none();
        let sure = sure && !request.cut && !request.redacted && dropped.is_empty();
        let ready = signed.and_then(|()| self.ready(&mut request, &url, tls));
        let own = match signing {
            Signing::Fresh(secret) => secret.into_iter().collect(),
            Signing::Exact => secrets,
        };
        // What the endpoint finds is found in what gets there.
        let half = (fault == Some(Fault::CutBody)).then(|| halved(request.clone()));
        let seen = half.as_ref().unwrap_or(&request);
        let found = |kind| self.keyring.sig(&self.platforms, seen, Some(kind), &own, at);
        let sig = known.map(|kind| if sure && signed_anew(kind) { Sig::Valid } else { found(kind) });
        let conversation = conversation.or_else(|| known?.conversation(&Seen::new(&request.readable())));
        let (ready, problem) = match ready {
            Ok(ready) => (ready, None),
            Err(reason) => (
                Ready { method: http::Method::default(), headers: http::HeaderMap::new(), way: Way::Wire },
                Some(reason),
            ),
        };
        Prepared { request, sig, problem, fault, ready, url, kind, conversation, parent, timeout }
    }

    /// The request as the client takes it: whatever is known to be in the way is found before anything is sent.
    ///
    /// # Errors
    /// When HTTP cannot carry it, or nothing carries it there: a sentence.
    fn ready(&self, request: &mut Request, url: &Url, tls: Tls) -> Result<Ready, String> {
        let headers = map(request)?;
        let method = http::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("{:?} is not an HTTP method", request.method))?;
        url.as_str().parse::<http::Uri>().map_err(|error| format!("HTTP does not take its address: {error}"))?;
        let way = self.way(request, &headers, url, tls)?;
        Ok(Ready { method, headers, way })
    }

    /// Sends what was prepared and waits for the answer. The `wire` is used where that can be: over plain HTTP, without a proxy.
    /// Whoever sends many calls keeps it from one to the next. When `given_up` comes first, the answer is not waited for.
    pub async fn exchange(&self, prepared: Prepared, wire: &mut Wire, given_up: impl Future<Output = ()>) -> Call {
        let Prepared { mut request, sig, problem, fault, ready, url, kind, conversation, parent, timeout } = prepared;
        let Ready { method, headers, way } = ready;
        let at = Timestamp::now();
        // A slow body is not the endpoint's fault.
        let patience = timeout + if let Some(Fault::SlowBody(over)) = fault { over } else { Duration::ZERO };
        let place = place(&url);
        let body = Outbound::new(request.body.clone(), fault);
        let begun = body.begun();
        let progress = answer::Progress::default();
        let started = Instant::now();
        let sending = async {
            if let Some(reason) = problem {
                return Err(format!("not sent: {reason}"));
            }
            match way {
                Way::Wire => {
                    if fault == Some(Fault::CutBody) {
                        // On a kept one nobody could tell that the endpoint has seen it.
                        wire.close();
                    }
                    let request = wire::request(method, &request.target, headers, body)
                        .map_err(|error| format!("not sent: {error}"))?;
                    let sending = over_wire(wire, request, &url, &place, &progress);
                    let answer = answer::whole(pin!(sending), &place, patience, &progress).await;
                    if answer.is_err() {
                        wire.close();
                    }
                    answer
                }
                Way::Bare(client) => {
                    // It does not say when there is a connection.
                    progress.connected();
                    let request = wire::request(method, &request.target, headers, body)
                        .map_err(|error| format!("not sent: {error}"))?;
                    let sending = bare::send(*client, request, &url, &place);
                    answer::whole(pin!(sending), &place, patience, &progress).await
                }
                Way::Client(client) => {
                    progress.connected();
                    // Without a fault it may be sent again where a kept connection turns out to be closed.
                    let body = match fault {
                        Some(Fault::SlowBody(_) | Fault::CutBody) => reqwest::Body::wrap(body),
                        _ => request.body.clone().into(),
                    };
                    let sending = client.request(method, url.clone()).headers(headers).body(body).send();
                    let sending = self.by_client(sending, &url, &place);
                    answer::whole(pin!(sending), &place, patience, &progress).await
                }
            }
        };
        let answer = tokio::select! {
            biased;
            answer = sending => answer,
            () = given_up => Err(match progress.stage() {
                Stage::Answering => format!("{place} had not finished its answer when hooktape was told to stop"),
                Stage::Waiting => format!("{place} had not answered when hooktape was told to stop"),
                Stage::Connecting => format!("there was no connection to {place} when hooktape was told to stop"),
            }),
        };
        let took = started.elapsed();
        if begun.is_some_and(|begun| begun.load(Relaxed)) {
            request = halved(request);
        }
        let (response, error) = match answer {
            Ok(response) => (Some(response), None),
            Err(reason) => (None, Some(reason)),
        };
        Call {
            id: Id::fresh(),
            at,
            direction: Direction::Sent,
            kind,
            conversation,
            sig,
            took,
            parent,
            error,
            forwarded: None,
            request,
            response,
        }
    }

    /// The head of the answer that a client gets.
    ///
    /// # Errors
    /// When nothing can be sent or nothing comes back: a sentence.
    async fn by_client(
        &self,
        sending: impl Future<Output = reqwest::Result<reqwest::Response>>,
        url: &Url,
        place: &str,
    ) -> Result<http::Response<reqwest::Body>, String> {
        sending.await.map(Into::into).map_err(|error| {
            if !error.is_connect() {
                return answer::explain(&error, place, Stage::Waiting);
            }
            let place = proxy(&self.proxies, url).map_or_else(
                || place.to_owned(),
                |proxy| format!("{proxy}, the proxy that the environment names for {place}"),
            );
            answer::explain(&error, &place, Stage::Connecting)
        })
    }
}

/// The exchange over the caller's own connection; tells once it is there.
async fn over_wire<'a>(
    wire: &'a mut Wire,
    request: http::Request<Outbound>,
    url: &Url,
    place: &str,
    progress: &answer::Progress,
) -> Result<http::Response<wire::Answer<'a>>, String> {
    wire.send(url, request, progress).await.map_err(|error| match error {
        WireError::Connect(error) => answer::explain(&*error, place, Stage::Connecting),
        WireError::Http(error) => answer::explain(&error, place, Stage::Waiting),
        WireError::Kept(error) => {
            let why = answer::explain(&error, place, Stage::Waiting);
            format!("{why}; the connection was kept from an earlier call, so it may not have seen this one")
        }
    })
}

/// What leaves of a request whose body is cut on purpose.
fn halved(mut request: Request) -> Request {
    if !request.body.is_empty() {
        request.body.truncate(body::kept(request.body.len()));
        request.cut = true;
    }
    request
}

/// Points `request` at `url`, as `host` if it has another name there, dropping what belonged to the connection that it came by.
/// What is `set` for it belongs to none.
fn address(request: &mut Request, url: &Url, host: Option<&str>, set: &[String]) {
    let (named, sized) = (named_in_connection(&request.headers), tells_its_length(request));
    hop_by_hop().for_each(|name| request.headers.remove(name));
    for name in named.iter().filter(|name| !set.iter().any(|set| set.eq_ignore_ascii_case(name))) {
        request.headers.remove(name);
    }
    // An answer in a content coding could not be read here as the contract wants it read.
    request.headers.remove("accept-encoding");
    let host = host.unwrap_or(&url[url::Position::BeforeHost..url::Position::AfterPort]);
    request.headers.0.insert(0, ("host".into(), Bytes::copy_from_slice(host.as_bytes())));
    if !request.headers.has("accept") {
        request.headers.push("accept", "*/*");
    }
    if sized {
        request.headers.push("content-length", request.body.len().to_string());
    }
    url[url::Position::BeforePath..url::Position::AfterQuery].clone_into(&mut request.target);
    request.origin = Some(url[..url::Position::BeforePath].to_owned());
    request.public = None;
    request.peer = None;
}

/// The header fields as the client takes them. It writes names in small letters and fields of one name together, so the
/// request gets them in that form too: what is recorded is what leaves.
fn map(request: &mut Request) -> Result<http::HeaderMap, String> {
    let mut map = http::HeaderMap::with_capacity(request.headers.0.len());
    let mut same = true;
    for (name, value) in &request.headers.0 {
        let field = http::HeaderName::from_bytes(name.as_bytes()).ok();
        let (Some(field), Ok(value)) = (field, http::HeaderValue::from_maybe_shared(value.clone())) else {
            return Err(format!("the header {name:?} cannot be sent over HTTP"));
        };
        same &= field.as_str() == name;
        same &= !map.append(field, value);
    }
    if !same {
        request.headers = fields(&map);
    }
    Ok(map)
}

fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or("?"), url.port_or_known_default().unwrap_or(0))
}

#[cfg(test)]
mod tests;
