//! Whom a server that calls go to is believed to be.

use std::fmt::Display;
use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::config::Tls;

/// What the TLS library calls a server's certificate that says it is an authority's.
pub(super) const AUTHORITY: &str = "CaUsedAsEndEntity";

/// What believes the authorities of the system and those of `tls`, or everybody where it says so.
///
/// # Errors
/// When the system's certificates cannot be had, or those of `tls` are none: a sentence.
pub(in crate::net) fn config(tls: &Tls) -> Result<ClientConfig, String> {
    fn wrong(error: impl Display) -> String {
        format!("TLS cannot start: {error}")
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let believed = if tls.any_certificate {
        Believed::Anyone
    } else {
        let further: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&tls.authorities).collect();
        let further: Vec<CertificateDer<'static>> = further.map_err(wrong)?;
        let usual = Verifier::new_with_extra_roots(further.clone(), provider.clone()).map_err(wrong)?;
        Believed::Given { usual: Box::new(usual), further }
    };
    let verifier = Arc::new(Trust { believed, provider: provider.clone() });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(wrong)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Whose certificates are believed.
#[derive(Debug)]
enum Believed {
    /// Any.
    Anyone,
    /// Those of authorities, and a server's own if it is one of those that were given: `openssl req -x509` makes one that says
    /// it is an authority's, which is else not taken for a server's.
    Given { usual: Box<Verifier>, further: Vec<CertificateDer<'static>> },
}

/// Believes some certificates. That the server has the key of the one it shows is checked for all.
#[derive(Debug)]
struct Trust {
    believed: Believed,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Believed::Given { usual, further } = &self.believed else { return Ok(ServerCertVerified::assertion()) };
        let verified = usual.verify_server_cert(certificate, chain, name, ocsp, now);
        let Err(error) = verified else { return verified };
        // The library looks at the dates before it looks at whose certificate it is.
        if !is_authority(&error) || !further.contains(certificate) {
            return Err(error);
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a server's certificate was refused for it says that it is an authority's. The library has the error for itself.
fn is_authority(error: &Error) -> bool {
    error.to_string().contains(AUTHORITY)
}
