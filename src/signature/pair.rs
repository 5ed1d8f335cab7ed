//! Key pairs that sign a text: the platform signs with its private key, and whoever has the public one can check.

use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as lc;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::keys::{self, Key};
use super::{SignError, TokenAlgorithm, pem};

/// What a key pair is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    Ed25519,
    /// ECDSA with P-256 and SHA-256; signatures in DER.
    P256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rsa,
}

/// One half of a key pair, or both.
pub(super) enum Pair {
    Ed25519 { private: Option<Box<Ed25519KeyPair>>, public: Vec<u8> },
    P256 { private: Option<Box<EcdsaKeyPair>>, public: Vec<u8> },
    Rsa(Key),
}

impl Pair {
    /// Reads PEM, base64 of PEM or, as providers print public keys, base64 of the DER inside a PEM.
    pub(super) fn read(curve: Curve, bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is binary: write it as PEM".to_owned())?;
        if curve == Curve::Rsa {
            return Key::parse(bytes, &[TokenAlgorithm::Rs256]).map(Self::Rsa);
        }
        let (label, der) = pem::read(text).or_else(|reason| bare_der(text).ok_or(reason))?;
        let spki = if label == "CERTIFICATE" { pem::public_key_of(&der)? } else { der };
        match (curve, label.as_str()) {
            (Curve::Ed25519, "PRIVATE KEY") => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&spki).map(Self::ed25519).map_err(|_| pem::damaged())
            }
            (Curve::Ed25519, "PUBLIC KEY" | "CERTIFICATE") => {
                let key = ParsedPublicKey::new(&lc::ED25519, &spki).map_err(|_| pem::damaged())?;
                Ok(Self::Ed25519 { private: None, public: key.as_ref().to_vec() })
            }
            (_, "PRIVATE KEY") => EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_ASN1_SIGNING, &spki)
                .map(Self::p256)
                .map_err(|_| pem::damaged()),
            (_, "EC PRIVATE KEY") => EcdsaKeyPair::from_private_key_der(&lc::ECDSA_P256_SHA256_ASN1_SIGNING, &spki)
                .map(Self::p256)
                .map_err(|_| pem::damaged()),
            (_, "PUBLIC KEY" | "CERTIFICATE") => {
                ParsedPublicKey::new(&lc::ECDSA_P256_SHA256_ASN1, &spki).map_err(|_| pem::damaged())?;
                Ok(Self::P256 { private: None, public: spki })
            }
            (_, other) => Err(format!("it is {other:?}: a PRIVATE KEY, PUBLIC KEY or CERTIFICATE is needed")),
        }
    }

    /// Reads the bytes of an ed25519 key: 32 are a public one, 64 a seed and its public key.
    pub(super) fn raw_ed25519(bytes: &[u8]) -> Result<Self, String> {
        match bytes.split_at_checked(32) {
            Some((_, [])) => Ok(Self::Ed25519 { private: None, public: bytes.to_vec() }),
            Some((seed, public)) if public.len() == 32 => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public);
                pair.map(Self::ed25519).map_err(|_| "its two halves do not belong together".to_owned())
            }
            _ => Err(format!(
                "a public key has 32 bytes, a private one 64 (seed and public key); it has {}",
                bytes.len()
            )),
        }
    }

    fn ed25519(pair: Ed25519KeyPair) -> Self {
        Self::Ed25519 { public: pair.public_key().as_ref().to_vec(), private: Some(Box::new(pair)) }
    }

    fn p256(pair: EcdsaKeyPair) -> Self {
        Self::P256 { public: pair.public_key().as_ref().to_vec(), private: Some(Box::new(pair)) }
    }

    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Ed25519 { private: Some(pair), .. } => Ok(pair.sign(text).as_ref().to_vec()),
            Self::P256 { private: Some(pair), .. } => match pair.sign(&SystemRandom::new(), text) {
                Ok(signature) => Ok(signature.as_ref().to_vec()),
                Err(error) => Err(keys::no_randomness(error)),
            },
            Self::Rsa(key) => key.sign(text),
            Self::Ed25519 { private: None, .. } | Self::P256 { private: None, .. } => {
                Err(SignError::Secret("it is a public key, which verifies; only the private key can sign".into()))
            }
        }
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519 { public, .. } => {
                UnparsedPublicKey::new(&lc::ED25519, public).verify(text, signature).is_ok()
            }
            Self::P256 { public, .. } => {
                UnparsedPublicKey::new(&lc::ECDSA_P256_SHA256_ASN1, public).verify(text, signature).is_ok()
            }
            Self::Rsa(key) => key.verifies("RS256", text, signature),
        }
    }
}

/// What stands before the public and the private key of a pair: by the Standard Webhooks specification, and by OpenSSH, which has
/// the length of the word before it in the bytes of a key.
const PREFIXES: [&[u8]; 6] = [b"whpk_", b"whsk_", b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];

/// No public key is shorter in DER, in bytes: that is one of ed25519 (RFC 8410, 4).
const SHORTEST: usize = 44;

/// The object identifiers, in DER, by which a key says what it is of: RSA (RFC 3279, 2.3.1), a curve of NIST's or another
/// (RFC 5480, 2.1.1), ed25519 (RFC 8410, 3).
const OF_KEYS: [&[u8]; 3] =
    [b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x06\x03\x2b\x65\x70"];

/// Whether `text` is a key of a pair, as far as its form tells it: PEM or base64 of it, be it damaged; DER or base64 of it; or
/// with the prefix of such a key. Bytes alone, in hex or base64, may as well be a shared secret.
pub(super) fn is_one(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if is_prefixed(text) || pem::begins_in(text) {
        return true;
    }
    let is_bare = |bytes: &[u8]| is_der(bytes) || is_openssh(bytes) || pem::begins_in(bytes);
    // Most secrets are shorter, and this is asked of each with every call.
    text.len() >= SHORTEST && (is_der(text) || pem::loosely_decoded(text).is_some_and(|bytes| is_bare(&bytes)))
}

fn is_prefixed(text: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Whether bytes are a key as OpenSSH has it within its armour or behind the word for its kind.
fn is_openssh(bytes: &[u8]) -> bool {
    bytes.starts_with(b"openssh-key-v1\0") || bytes.get(4..).is_some_and(is_prefixed)
}

/// Whether bytes are a key in DER, be it cut, or a certificate of one: a sequence that has the name of a kind of keys in it, or
/// begins with a number, as all private keys and the public ones of RSA do (RFC 5958, 2; RFC 5915, 3; RFC 8017, A.1).
fn is_der(bytes: &[u8]) -> bool {
    let content = match bytes {
        // What is cut has less than it says: where that is said in one byte, chance would say as much.
        [0x30, length @ 0..=0x7f, content @ ..] if content.len() == usize::from(*length) => content,
        [0x30, 0x81, _, content @ ..] | [0x30, 0x82, _, _, content @ ..] => content,
        _ => &[],
    };
    content.first() == Some(&0x02)
        || (bytes.first() == Some(&0x30) && OF_KEYS.iter().any(|id| memmem::find(bytes, id).is_some()))
}

/// That a key of a pair is no shared secret: whoever has the public one could sign with it, or send it.
pub(super) fn no_shared_secret() -> String {
    "it is a key of a pair, and a public key is no secret: whoever has it could sign with it".into()
}

/// Seed and public key of a new ed25519 pair, 64 bytes.
pub(super) fn new_ed25519() -> Result<Vec<u8>, SignError> {
    let made = || {
        let pair = Ed25519KeyPair::generate()?;
        Ok::<_, aws_lc_rs::error::Unspecified>(
            [AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&pair.seed()?)?.as_ref(), pair.public_key().as_ref()]
                .concat(),
        )
    };
    made().map_err(keys::no_randomness)
}

fn bare_der(text: &str) -> Option<(String, Vec<u8>)> {
    let compact: String = text.split_whitespace().collect();
    let der = STANDARD.decode(compact).ok().filter(|der| der.first() == Some(&0x30))?;
    Some(("PUBLIC KEY".to_owned(), der))
}
