//! TLS for the listener: one's own certificate, or one that is made here and kept.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Certificate;

/// Names that a certificate made here is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why there is no TLS: a sentence that names the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no TLS: {0}")]
pub struct TlsError(String);

/// What answers TLS handshakes, with HTTP/2 and HTTP/1.1 (RFC 7301).
#[derive(Clone)]
pub struct Identity {
    pub(super) acceptor: TlsAcceptor,
    /// The certificate's file.
    pub certificate: PathBuf,
    /// It was made here: nobody trusts it yet.
    pub self_signed: bool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.certificate.display())
    }
}

impl Identity {
    /// The identity that `tls` asks for; one that is made here is kept in `folder`, and made once.
    ///
    /// # Errors
    /// When a file cannot be read, written, or is not what it should be.
    pub fn new(tls: &Certificate, folder: &Path) -> Result<Self, TlsError> {
        match tls {
            Certificate::Own { certificate, key } => Self::read(certificate, key, false),
            Certificate::SelfSigned => {
                let cannot = |error: std::io::Error| TlsError(format!("{}: {error}", folder.display()));
                crate::recording::make_private(folder).map_err(cannot)?;
                // Another process may be making one at the same time.
                let lock = fs::File::open(folder).map_err(cannot)?;
                lock.lock().map_err(cannot)?;
                let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
                for path in [&certificate, &key] {
                    // One that is there and cannot be read is trusted by somebody, and not to be replaced.
                    match fs::File::open(path) {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Err(TlsError(format!("{}: {error}", path.display())));
                        }
                        _ => {}
                    }
                }
                // What is half there, or does not belong together, was left by a crash.
                Self::read(&certificate, &key, true).or_else(|_| {
                    make(folder, &certificate, &key)?;
                    Self::read(&certificate, &key, true)
                })
            }
        }
    }

    fn read(certificate: &Path, key: &Path, self_signed: bool) -> Result<Self, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| TlsError(format!("{}: {error}", certificate.display())))?;
        let secret =
            PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError(format!("{}: {error}", key.display())))?;
        let wrong = |error| TlsError(format!("{} and {}: {error}", certificate.display(), key.display()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(wrong)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: certificate.to_owned(), self_signed })
    }
}

/// Makes a certificate for this machine. Only its owner may read the key.
fn make(folder: &Path, certificate: &Path, key: &Path) -> Result<(), TlsError> {
    let cannot = |path: &Path, error: &dyn fmt::Display| TlsError(format!("{}: {error}", path.display()));
    let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).map_err(|error| cannot(folder, &error))?;
    let write = |path: &Path, text: String, mode| {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
            file.persist(path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|error| cannot(path, &error))
    };
    write(key, made.signing_key.serialize_pem(), 0o600)?;
    write(certificate, made.cert.pem(), 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Listen};
    use crate::net::testing::Site;

    #[tokio::test]
    async fn http_2_and_1_come_by_tls_and_plain_calls_by_the_same_port() {
        let listen = Listen { tls: Some(Certificate::SelfSigned), ..Listen::default() };
        let mut site = Site::new(Config { listen, ..Config::default() }).await;
        let certificate = fs::read(site.path.with_file_name("certificate.pem")).unwrap();
        let trusted = reqwest::Certificate::from_pem(&certificate).unwrap();
        let url = format!("https://localhost:{}/", site.address.port());
        let client = || reqwest::Client::builder().no_proxy().tls_certs_only([trusted.clone()]);
        for (client, version) in [
            (client().build().unwrap(), http::Version::HTTP_2),
            (client().http1_only().build().unwrap(), http::Version::HTTP_11),
        ] {
            let answer = client.post(&url).body("{}").send().await.unwrap();
            assert_eq!((answer.version(), answer.status().as_u16()), (version, 200));
            assert_eq!(site.next().await.request.body, "{}");
        }
        assert!(site.post("/", "", "{}").await.starts_with("HTTP/1.1 200 "));
        let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
        assert!(stranger.get(&url).send().await.is_err(), "nobody else trusts it");
    }

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tls");
        let made = Identity::new(&Certificate::SelfSigned, &folder).unwrap();
        let first = fs::read(&made.certificate).unwrap();
        let bits = fs::metadata(folder.join("key.pem")).unwrap().permissions().mode();
        assert_eq!((bits & 0o777, made.self_signed), (0o600, true));
        Identity::new(&Certificate::SelfSigned, &folder).unwrap();
        assert_eq!(fs::read(&made.certificate).unwrap(), first);
        let another = home.path().join("another");
        Identity::new(&Certificate::SelfSigned, &another).unwrap();
        let key = folder.join("key.pem");
        for spoilt in [fs::read(another.join("key.pem")).unwrap(), b"-----BEG".to_vec()] {
            fs::write(&key, spoilt).unwrap();
            Identity::new(&Certificate::SelfSigned, &folder).expect("it is made anew");
        }
        assert_ne!(fs::read(&made.certificate).unwrap(), first);
        let own = Certificate::Own { certificate: made.certificate, key };
        assert!(!Identity::new(&own, home.path()).unwrap().self_signed);
        let none = Certificate::Own { certificate: home.path().join("none.pem"), key: folder.join("key.pem") };
        assert!(Identity::new(&none, home.path()).unwrap_err().to_string().contains("none.pem"));
    }
}
