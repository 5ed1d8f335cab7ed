//! Keys of tokens: PEM read and made, and what they sign.
//!
//! ```text
//! PEM, or base64 of PEM (as PRIVATE_RSA_KEY wants it) --Key::read--> Key --verify, sign
//! new_rsa() --> KeyPair: both halves, both ways
//! ```

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicEncryptingKey, PublicKey};
use aws_lc_rs::signature as lc;
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::Sha256;

use super::jwt::{self, Algorithm};
use super::{SignError, pair, pem};
use crate::config::Secret;

/// A new key pair, written as the platforms' documents and sample code want it. `Debug` hides the private half.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// PKCS#8, as `openssl genrsa` writes it since version 3.
    pub private_pem: String,
    /// What one pastes into the platform's settings.
    pub public_pem: String,
    /// Base64 of the private PEM, on one line: an environment variable's value.
    pub private_base64: String,
    /// Base64 of the public PEM, on one line.
    pub public_base64: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public_base64)
    }
}

/// A fresh RSA key of 2048 bits. Takes some tenths of a second.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_rsa() -> Result<KeyPair, SignError> {
    let made = || {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let private: Pkcs8V1Der<'_> = pair.as_der()?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        Ok((pem::write("PRIVATE KEY", private.as_ref()), pem::write("PUBLIC KEY", public.as_ref())))
    };
    let (private_pem, public_pem) = made().map_err(no_randomness)?;
    Ok(KeyPair {
        private_base64: STANDARD.encode(&private_pem),
        public_base64: STANDARD.encode(&public_pem),
        private_pem,
        public_pem,
    })
}

/// A fresh P-256 key as PKCS#8 PEM.
pub(super) fn new_ec() -> Result<String, SignError> {
    let document = EcdsaKeyPair::generate_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    Ok(pem::write("PRIVATE KEY", document.map_err(no_randomness)?.as_ref()))
}

/// A fresh ed25519 key as PKCS#8 PEM.
pub(super) fn new_ed25519_pem() -> Result<String, SignError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    Ok(pem::write("PRIVATE KEY", document.map_err(no_randomness)?.as_ref()))
}

/// 256 random bits.
pub(super) fn random_bytes() -> Result<[u8; 32], SignError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(no_randomness)?;
    Ok(bytes)
}

/// 256 random bits in hex.
pub(super) fn random_text() -> Result<String, SignError> {
    random_bytes().map(|bytes| base16ct::lower::encode_string(&bytes))
}

pub(super) fn no_randomness(_: aws_lc_rs::error::Unspecified) -> SignError {
    SignError::Secret("the system could not make a key".into())
}

/// A token signed with the private key `secret` by the one of `algorithms` that the key is for. `claims` get `iat` and `exp`
/// as jsonwebtoken for Node.js counts them: whole seconds, the fraction of `lifetime` (milliseconds) cut off.
///
/// # Errors
/// When `secret` is no key that signs, or the lifetime is under a second: such a token has expired when it is made.
pub fn mint(
    secret: &Secret,
    algorithms: &[Algorithm],
    claims: Map<String, Value>,
    lifetime: u64,
    at: Timestamp,
) -> Result<String, SignError> {
    let key = Key::read(secret, algorithms)?;
    jwt::mint(&key, key.algorithm(), claims, lifetime, at)
}

/// The public half of the private key `secret` as PEM: what one pastes into the platform's settings. None where the key has
/// no halves (an HMAC's).
///
/// # Errors
/// When `secret` is no key for `algorithms`.
pub fn public_pem(secret: &Secret, algorithms: &[Algorithm]) -> Result<Option<String>, SignError> {
    let key = Key::read(secret, algorithms)?;
    let der: Result<PublicKeyX509Der<'_>, _> = match &key {
        Key::Rsa { pair: Some(pair), .. } => pair.public_key().as_der(),
        Key::Ec { pair: Some(pair), .. } => pair.public_key().as_der(),
        Key::Rsa { pair: None, .. } | Key::Ec { pair: None, .. } | Key::Text(_) => return Ok(None),
    };
    let der = der.map_err(|_| SignError::Secret(pem::damaged()))?;
    Ok(Some(pem::write("PUBLIC KEY", der.as_ref())))
}

/// A key that can be used.
pub(super) enum Key {
    Rsa {
        pair: Option<Box<RsaKeyPair>>,
        public: Vec<u8>,
    },
    Ec {
        pair: Option<Box<EcdsaKeyPair>>,
        public: Vec<u8>,
    },
    /// Of an HMAC.
    Text(Vec<u8>),
}

impl Key {
    /// Reads a key for one of `algorithms`.
    ///
    /// # Errors
    /// What is wrong with it, going on from `the key `.
    pub(super) fn read(secret: &Secret, algorithms: &[Algorithm]) -> Result<Self, SignError> {
        let bytes = secret.value().map_err(|reason| SignError::Secret(reason.to_owned()))?;
        Self::parse(bytes, algorithms).map_err(SignError::Secret)
    }

    pub(super) fn parse(bytes: &[u8], algorithms: &[Algorithm]) -> Result<Self, String> {
        if algorithms.iter().all(|algorithm| *algorithm == Algorithm::Hs256) {
            return match bytes {
                [] => Err("it is empty".into()),
                _ if pair::is_one(bytes) => Err(pair::no_shared_secret()),
                _ => Ok(Self::Text(bytes.to_vec())),
            };
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is binary: write it as PEM".to_owned())?;
        let (label, der) = pem::read(text)?;
        let key = match label.as_str() {
            "PRIVATE KEY" => Self::rsa(RsaKeyPair::from_pkcs8(&der)).or_else(|reason| {
                let pair = EcdsaKeyPair::from_pkcs8(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, &der);
                pair.map(Self::ec).map_err(|_| reason)
            }),
            "RSA PRIVATE KEY" => Self::rsa(RsaKeyPair::from_der(&der)),
            "EC PRIVATE KEY" => EcdsaKeyPair::from_private_key_der(&lc::ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                .map(Self::ec)
                .map_err(|_| pem::damaged()),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::public(der),
            "ENCRYPTED PRIVATE KEY" => Err("it is encrypted: `openssl pkey -in FILE -out PLAIN` decrypts it".into()),
            "CERTIFICATE" => pem::public_key_of(&der).and_then(Self::public),
            other => Err(format!("it is {other:?}: a PRIVATE KEY, RSA PRIVATE KEY or PUBLIC KEY is needed")),
        }?;
        if algorithms.iter().any(|algorithm| algorithm.takes(&key)) {
            return Ok(key);
        }
        let wanted: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.word()).collect();
        Err(format!("it is a key for {}, not for {}", key.algorithm().word(), wanted.join(" or ")))
    }

    fn rsa(pair: Result<RsaKeyPair, KeyRejected>) -> Result<Self, String> {
        let pair = pair.map_err(|error| if error.to_string() == "TooSmall" { too_small() } else { pem::damaged() })?;
        Ok(Self::Rsa { public: pair.public_key().as_ref().to_vec(), pair: Some(Box::new(pair)) })
    }

    fn ec(pair: EcdsaKeyPair) -> Self {
        Self::Ec { public: pair.public_key().as_ref().to_vec(), pair: Some(Box::new(pair)) }
    }

    fn public(der: Vec<u8>) -> Result<Self, String> {
        if let Ok(key) = PublicKey::from_der(&der) {
            // Only this sort of key minds the size.
            let spki: PublicKeyX509Der<'_> = key.as_der().map_err(|_| pem::damaged())?;
            PublicEncryptingKey::from_der(spki.as_ref()).map_err(|_| too_small())?;
            return Ok(Self::Rsa { pair: None, public: key.as_ref().to_vec() });
        }
        lc::ParsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, &der).map_err(|_| pem::damaged())?;
        Ok(Self::Ec { pair: None, public: der })
    }

    /// What the key is made for.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ec { .. } => Algorithm::Es256,
            Self::Text(_) => Algorithm::Hs256,
        }
    }

    /// Whether `signature` is the key's over `signed` by the algorithm of that name (`RS256`). No name but those of the
    /// key's own family fits, so a public key is never taken for the secret of an HMAC.
    pub(super) fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        let fits = |by: &'static dyn VerificationAlgorithm, public: &[u8]| {
            UnparsedPublicKey::new(by, public).verify(signed, signature).is_ok()
        };
        match (self, algorithm) {
            (Self::Rsa { public, .. }, "RS256") => fits(&lc::RSA_PKCS1_2048_8192_SHA256, public),
            (Self::Rsa { public, .. }, "RS384") => fits(&lc::RSA_PKCS1_2048_8192_SHA384, public),
            (Self::Rsa { public, .. }, "RS512") => fits(&lc::RSA_PKCS1_2048_8192_SHA512, public),
            (Self::Rsa { public, .. }, "PS256") => fits(&lc::RSA_PSS_2048_8192_SHA256, public),
            (Self::Rsa { public, .. }, "PS384") => fits(&lc::RSA_PSS_2048_8192_SHA384, public),
            (Self::Rsa { public, .. }, "PS512") => fits(&lc::RSA_PSS_2048_8192_SHA512, public),
            (Self::Ec { public, .. }, "ES256") => fits(&lc::ECDSA_P256_SHA256_FIXED, public),
            (Self::Text(key), "HS256") => hs256_fits(key, signed, signature),
            _ => false,
        }
    }

    /// The signature over `text`.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa { pair: None, .. } | Self::Ec { pair: None, .. } => {
                Err(SignError::Secret("it is a public key, which verifies; only the private key can sign".into()))
            }
            Self::Rsa { pair: Some(pair), .. } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&lc::RSA_PKCS1_SHA256, &random, text, &mut signature).map_err(no_randomness)?;
                Ok(signature)
            }
            Self::Ec { pair: Some(pair), .. } => Ok(pair.sign(&random, text).map_err(no_randomness)?.as_ref().to_vec()),
            Self::Text(key) => {
                let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize());
                Ok(mac.map_err(|_| SignError::Secret("it is no key for an HMAC".into()))?.into_bytes().to_vec())
            }
        }
    }
}

/// Whether `signature` is HMAC-SHA256 over `signed` with `key`; compares in constant time.
pub(super) fn hs256_fits(key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
}

fn too_small() -> String {
    "it is an RSA key of under 2048 bits, which RS256 needs at least (RFC 7518): `hooktape keys new` makes one".into()
}
