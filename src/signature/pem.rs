//! PEM (RFC 7468), as people paste it: with other line ends, or as base64 of the whole for an environment variable.

use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, STANDARD};
use base64::{Engine as _, alphabet};
use memchr::memmem;

const BEGIN: &str = "-----BEGIN ";

/// Base64 of the first bytes of [`BEGIN`].
const BEGIN_CODED: &[u8] = b"LS0tLS1CRUdJTi";

/// Whether a block begins in `text`, or base64 of one, be it damaged.
pub(super) fn begins_in(text: &[u8]) -> bool {
    memmem::find(text, BEGIN.as_bytes()).or_else(|| memmem::find(text, BEGIN_CODED)).is_some()
}

/// What `text` is base64 of, in either alphabet, with its padding or without, in quotation marks, on several lines, be it cut.
pub(super) fn loosely_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let is_outside = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'=');
    let mut digits: Vec<u8> = text.iter().copied().filter(|byte| !is_outside(byte)).collect();
    // Of one digit too many nothing is known.
    digits.truncate(digits.len() - usize::from(digits.len() % 4 == 1));
    let engine = |alphabet| GeneralPurpose::new(alphabet, NO_PAD.with_decode_allow_trailing_bits(true));
    [&alphabet::STANDARD, &alphabet::URL_SAFE].into_iter().find_map(|alphabet| engine(alphabet).decode(&digits).ok())
}

/// The PEM that `text` is base64 of.
fn unwrapped(text: &str) -> Option<String> {
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok()?;
    String::from_utf8(bytes).ok().filter(|text| text.contains(BEGIN))
}

/// Label and bytes of the first block in `text`, which may be base64 as a whole; what is wrong with it otherwise.
pub(super) fn read(text: &str) -> Result<(String, Vec<u8>), String> {
    let text = text.trim();
    if text.starts_with(['"', '\'']) {
        return Err("it is in quotation marks: remove them".into());
    }
    let decoded;
    let text = if text.contains(BEGIN) {
        text
    } else {
        decoded =
            unwrapped(text).ok_or("it is neither PEM (`-----BEGIN ...`) nor base64 of PEM (`LS0tLS1CRUdJTi...`)")?;
        decoded.as_str()
    };
    let (label, rest) = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once("-----")).ok_or_else(damaged)?;
    let (body, _) = rest.split_once("-----END ").ok_or("its END line is missing: it was cut")?;
    if body.contains("\\n") {
        return Err("its line breaks are written out as `\\n`: put real ones there, or use base64 of the PEM".into());
    }
    let compact: String = body.split_whitespace().collect();
    Ok((label.to_owned(), STANDARD.decode(compact).map_err(|_| damaged())?))
}

/// The public key (SPKI) in an X.509 certificate. Nothing of the certificate is checked: whoever configures it trusts it.
pub(super) fn public_key_of(certificate: &[u8]) -> Result<Vec<u8>, String> {
    let der = rustls_pki_types::CertificateDer::from(certificate);
    let certificate =
        webpki::EndEntityCert::try_from(&der).map_err(|error| format!("it is no certificate: {error}"))?;
    Ok(certificate.subject_public_key_info().as_ref().to_vec())
}

/// What is wrong with a block whose bytes are no key.
pub(super) fn damaged() -> String {
    "it is damaged: what stands between its BEGIN and END is no such key".into()
}

/// The bytes as a block of 64 digits a line.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, digit) in base64.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(digit);
    }
    text + &format!("\n-----END {label}-----\n")
}
