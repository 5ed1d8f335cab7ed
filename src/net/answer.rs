//! What another server answers: all of it, or a sentence for why there is none.

use std::error::Error;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, timeout_at};

use super::collected::Collected;
use super::room::Taking;
use super::{fields, root, trust};
use crate::call::Response;

/// Longest body that is taken, in bytes: it is recorded, and so held as a whole.
const LONGEST: usize = 64 * 1024 * 1024;

/// How far an exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// There was no connection yet.
    Connecting,
    /// The answer's head was awaited.
    Waiting,
    /// It had come.
    Answering,
}

/// How far an exchange has come, for others to see while it goes on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    connected: AtomicBool,
    answering: AtomicBool,
}

impl Progress {
    /// There is a connection now, or may be one.
    pub(super) fn connected(&self) {
        self.connected.store(true, Relaxed);
    }

    fn answering(&self) {
        self.answering.store(true, Relaxed);
    }

    pub(super) fn stage(&self) -> Stage {
        match (self.connected.load(Relaxed), self.answering.load(Relaxed)) {
            (_, true) => Stage::Answering,
            (true, false) => Stage::Waiting,
            (false, false) => Stage::Connecting,
        }
    }
}

/// The whole answer of the server at `place`, whose head comes of `sending`; `progress` is that of the exchange.
///
/// # Errors
/// When it does not come within `patience`, is too long, or its connection ends: a sentence.
pub(super) async fn whole<B>(
    sending: impl Future<Output = Result<http::Response<B>, String>>,
    place: &str,
    patience: Duration,
    progress: &Progress,
) -> Result<Response, String>
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let end = Instant::now() + patience;
    let late = |_| late(place, patience, progress.stage(), "--timeout, or the target's `timeout`");
    let answer = timeout_at(end, sending).await.map_err(late)??;
    progress.answering();
    let (head, rest) = answer.into_parts();
    let body = timeout_at(end, body(rest, place, None)).await.map_err(late)??;
    Ok(Response { status: head.status.as_u16(), headers: fields(&head.headers), body })
}

/// The whole body of an answer, for which `room` is taken as it comes.
///
/// # Errors
/// When it is too long or its connection ends: a sentence.
pub(super) async fn body<B>(mut body: B, place: &str, mut room: Option<&mut Taking<'_>>) -> Result<Bytes, String>
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Collected::expecting(expected.min(LONGEST));
    while let Some(frame) = body.frame().await {
        // Where each one is there at once, neither the clock nor anybody else would ever have a turn.
        consume_budget().await;
        let frame = frame.map_err(|error| explain(&error, place, Stage::Answering))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > LONGEST {
            return Err(format!(
                "the answer of {place} is longer than the {LONGEST} bytes that are taken of one: ask it for less"
            ));
        }
        if let Some(room) = &mut room {
            room.make(whole.len() + data.len()).await;
        }
        whole.add(data);
    }
    Ok(whole.into_bytes())
}

/// A sentence for a server that took too long; `set` names what sets how long that is.
pub(super) fn late(place: &str, patience: Duration, stage: Stage, set: &str) -> String {
    match stage {
        Stage::Connecting => format!("no connection to {place} within {patience:?}: is it the right address, and up?"),
        Stage::Waiting => format!("{place} did not answer within {patience:?} ({set})"),
        Stage::Answering => format!("{place} did not finish its answer within {patience:?} ({set})"),
    }
}

/// How the standard library begins what it says of a name that has no address; the error has no kind of its own.
const NO_ADDRESS: &str = "failed to lookup address information";

/// A sentence for a failed exchange: what happened, with whom, and what to look at.
pub(super) fn explain(error: &(dyn Error + 'static), place: &str, stage: Stage) -> String {
    let cause = root(error);
    let kind = io_kind(error);
    let closed = cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
        || matches!(kind, Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe));
    match (kind, stage) {
        (Some(ErrorKind::ConnectionRefused), _) => {
            format!("nothing listens at {place} (connection refused): is the server running?")
        }
        (_, Stage::Answering) if closed => format!("{place} closed the connection in the middle of its answer"),
        _ if closed => format!("{place} closed the connection before it had answered"),
        (_, Stage::Connecting) if cause.to_string().starts_with(NO_ADDRESS) => {
            let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
            format!("no address is known for {host} ({cause}): is the name right, and is there a network?")
        }
        (_, Stage::Connecting) => match tls_words(&cause.to_string()) {
            Some(words) => format!("cannot connect to {place}: {words}"),
            None => format!("cannot connect to {place}: {cause}"),
        },
        _ => format!("no whole answer from {place}: {cause}"),
    }
}

/// What the TLS library puts before what is wrong with a certificate.
const CERTIFICATE: &str = "invalid peer certificate: ";
/// How to trust a certificate, or an authority's.
const TRUST: &str = "trust it, or its authority's, with --ca FILE, or `ca` in the target's `tls`";
/// How to do without.
const ANY: &str = "--insecure, or `verify = false` in the target's `tls`, takes any certificate";

/// What the TLS library says in names of its own, in words and with the repair.
fn tls_words(cause: &str) -> Option<String> {
    if let Some((_, wrong)) = cause.split_once(CERTIFICATE) {
        return Some(if wrong.contains(trust::AUTHORITY) {
            format!("its certificate says that it is an authority's, and is not trusted here: {TRUST}; {ANY}")
        } else if wrong.contains("UnknownIssuer") || wrong.contains("BadSignature") {
            // A bad signature is that of an authority with a trusted one's name, as of everyone's own `CN=localhost`.
            format!("no authority that is trusted here made its certificate ({wrong}): {TRUST}; {ANY}")
        } else {
            format!("its certificate will not do ({wrong}): {ANY}")
        });
    }
    let plain = cause.contains("InvalidContentType");
    plain.then(|| "it does not speak TLS: is it an http:// address?".to_owned())
}

/// What the system calls an error, if it is one of the system.
pub(super) fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let causes = std::iter::successors(Some(error), |error| (**error).source());
    causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind).last()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[tokio::test]
    async fn what_does_not_speak_tls_is_told_in_words() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let plain = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let said = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
            said.await.unwrap();
            stream
        };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (error, _stream) = tokio::join!(client.get(url).send(), plain);
        let said = explain(&error.unwrap_err(), "x:1", Stage::Connecting);
        assert_eq!(said, "cannot connect to x:1: it does not speak TLS: is it an http:// address?");
    }

    #[rstest]
    #[case("Other(OtherError(CaUsedAsEndEntity))", "says that it is an authority's", true)]
    #[case("UnknownIssuer", "no authority that is trusted here made its certificate (UnknownIssuer)", true)]
    #[case("BadSignature", "(BadSignature)", true)]
    #[case("certificate expired: it is 2026", "will not do (certificate expired: it is 2026)", false)]
    fn what_is_wrong_with_a_certificate_is_told_with_the_repair(
        #[case] wrong: &str,
        #[case] told: &str,
        #[case] ca: bool,
    ) {
        let words = tls_words(&format!("invalid peer certificate: {wrong}")).unwrap();
        assert!(words.contains(told) && words.contains("--insecure") && words.contains("`verify = false`"), "{words}");
        assert_eq!(words.contains("--ca FILE"), ca, "{words}");
        assert_eq!(tls_words("tls handshake eof"), None);
    }
}
