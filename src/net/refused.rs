//! What came on a connection and is no request, so that HTTP itself refused it before any route or responder saw it.
//!
//! ```text
//!  ␖␃␁...                      TLS on a plain port     told
//!  GET /x HTTP/1.1, a b: c     its request line reads  told, and recorded as far as it can be read
//! ```

mod read;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio_rustls::rustls::{self, AlertDescription};

use crate::call::{Request, Response};
use crate::net::root;
use crate::recording::Redaction;
use crate::visible;

/// What came, and why no call came of it. Its `Display` is the sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Who sent it.
    pub peer: IpAddr,
    /// What is wrong with it.
    pub why: Why,
    /// What came, from its first byte on.
    pub came: Bytes,
    /// What HTTP answered, if it did.
    pub answer: Bytes,
    /// From the first byte to the refusal.
    pub took: Duration,
    /// How many more there were like it since one was told last.
    pub more: u64,
}

/// Why something is no request: what is wrong, and the repair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A TLS handshake on a plain port.
    #[error(
        "speaks TLS to this port, which is plain HTTP: let the address it calls begin with http://, call through a tunnel \
         that ends the TLS, or take TLS here (--tls)"
    )]
    Tls,
    /// The header that a load balancer puts before the bytes it passes on.
    #[error("sends the header of the PROXY protocol before its request: switch that off at the load balancer")]
    Proxy,
    /// HTTP/2 was announced, and something else came.
    #[error("announced HTTP/2 and then broke it ({0}): let it speak HTTP/1.1, or mend its HTTP/2")]
    Http2(String),
    /// The target is longer than a request's may be (414).
    #[error("asked for a target of more than 65,534 bytes: send the data in the body instead of the query")]
    LongTarget,
    /// There are too many header fields, or they are too long (431).
    #[error(
        "sent more than 100 header fields or more than 400 KiB of them: send fewer, or look for a proxy that adds them"
    )]
    LongHead,
    /// Anything else that is not HTTP/1.1 (400).
    #[error("sent what is not HTTP/1.1 ({0}): mend its request line and headers (RFC 9112)")]
    Malformed(String),
    /// The connection ended within the head.
    #[error("went away in the middle of a request's head: look there for a crash or a time limit")]
    Left,
    /// The head took too long.
    #[error("did not send a whole request's head within {} seconds: look there for what holds it up", .0.as_secs())]
    Slow(Duration),
    /// TLS was wanted, and the caller does not trust who answers.
    #[error("does not trust the certificate ({alert}): have it trust {}", certificate.display())]
    Untrusted {
        /// What it says of it.
        alert: String,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// TLS was wanted, and did not come about.
    #[error("began TLS and failed ({0}): let it speak TLS 1.2 or 1.3, or plain HTTP to the same port")]
    Handshake(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(None))
    }
}

impl Refused {
    /// How many of the first bytes the sentence shows.
    pub(super) const SHOWN: usize = 60;

    /// The sentence for the user. Masked, it shows of a request its method and target, as its recorded call has them.
    #[must_use]
    pub fn told(&self, redaction: Option<&Redaction>) -> String {
        let Self { peer, why, came, more, .. } = self;
        let more = if *more > 0 { format!("{more} more like this: ") } else { String::new() };
        let began = &came[..came.len().min(Self::SHOWN)];
        let (began, whole) = match (redaction, redaction.and_then(|_| self.request())) {
            (None, _) => (visible::bytes(began).into_owned(), began.len() == came.len()),
            (Some(redaction), Some(Request { method, target, .. })) => {
                let line = format!("{method} {}", redaction.target(&target));
                let line = visible::line(&line);
                (visible::truncate(&line, Self::SHOWN).trim_end_matches('…').to_owned(), false)
            }
            (Some(redaction), None) => {
                let text = String::from_utf8_lossy(began);
                (visible::line(&redaction.beginning(&text)).into_owned(), began.len() == came.len())
            }
        };
        let dots = if whole { "" } else { "…" };
        let began = if came.is_empty() { String::new() } else { format!(". It began with: {began}{dots}") };
        format!("{more}{peer} {why}{began}")
    }

    /// The request, as far as it can be read; none where not even its request line can. What follows the last line that
    /// can be read is its body.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        let mut request = read::request(&self.came)?;
        request.peer = Some(self.peer);
        request.cut = true;
        Some(request)
    }

    /// What HTTP answered.
    #[must_use]
    pub fn response(&self) -> Option<Response> {
        read::response(&self.answer)
    }
}

impl Why {
    /// Why a connection ended with this error after `came`, to which `answer` was given; none where nobody is to know.
    pub(super) fn of(error: &(dyn Error + 'static), came: &[u8], answer: &[u8]) -> Option<Self> {
        const TLS: &[u8] = &[22, 3];
        const PROXY: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
        if came.is_empty() {
            return None;
        }
        let hyper: Option<&hyper::Error> = error.downcast_ref();
        // Where the answer could not leave whole, the error is another.
        Some(match read::response(answer).map(|response| response.status) {
            _ if came.starts_with(TLS) => Self::Tls,
            _ if PROXY.iter().any(|begin| came.starts_with(begin)) => Self::Proxy,
            _ if came.starts_with(b"PRI ") => Self::Http2(root(error).to_string()),
            Some(414) => Self::LongTarget,
            Some(431) if is_endless(came) => {
                Self::Malformed("its content-length is more than anyone can send".to_owned())
            }
            Some(431) => Self::LongHead,
            Some(_) => Self::Malformed(root(error).to_string()),
            None if hyper.is_some_and(hyper::Error::is_parse) => Self::Malformed(root(error).to_string()),
            None if hyper.is_some_and(hyper::Error::is_incomplete_message) => Self::Left,
            None => return None,
        })
    }

    /// Why a TLS handshake failed at the server that has this certificate.
    pub(super) fn of_handshake(error: &io::Error, certificate: &std::path::Path) -> Self {
        use AlertDescription::{BadCertificate, CertificateExpired, CertificateUnknown, UnknownCA};
        let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::AlertReceived(
                alert @ (BadCertificate | CertificateExpired | CertificateUnknown | UnknownCA),
            )) => Self::Untrusted { alert: format!("{alert:?}"), certificate: certificate.to_owned() },
            _ => Self::Handshake(error.to_string()),
        }
    }
}

/// Whether a request says that it has a body of more bytes than hyper counts, which it refuses as a head that is too long.
fn is_endless(came: &[u8]) -> bool {
    let request = read::request(came);
    let length = request.as_ref().and_then(|request| request.headers.get("content-length"));
    length.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length >= u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(why: Why, came: &[u8]) -> Refused {
        let came = Bytes::copy_from_slice(came);
        let peer = IpAddr::from([10, 0, 0, 7]);
        Refused { peer, why, came, answer: Bytes::new(), took: Duration::ZERO, more: 0 }
    }

    #[test]
    fn a_sentence_shows_the_first_bytes_and_no_control_character() {
        let told = refused(Why::Tls, b"\x16\x03\x01\x1b[2J\xff\n").to_string();
        assert!(told.starts_with("10.0.0.7 speaks TLS to this port"), "{told}");
        assert!(told.ends_with(". It began with: ␖␃␁␛[2J\\xff␊"), "{told}");
        let long = refused(Why::LongHead, &[b'a'; 100]);
        assert!(long.to_string().ends_with(&format!("{}…", "a".repeat(Refused::SHOWN))));
        let more = Refused { more: 3, ..refused(Why::Left, b"") }.to_string();
        assert!(more.starts_with("3 more like this: 10.0.0.7 went away"), "{more}");
        assert!(!more.contains("began with"), "{more}");
    }
}
