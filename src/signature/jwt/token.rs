//! A token taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::time::{millis, relative};
use crate::signature::keys::Key;

/// Members of a token's header that name keys, which a receiver must not let a caller do.
const KEY_NAMES: [&str; 6] = ["kid", "jku", "jwk", "x5u", "x5c", "x5t"];

/// A token taken apart. Nothing is believed yet.
pub(super) struct Token {
    /// The header and the claims as they stand, which is what is signed.
    pub signed: String,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    pub signature: Vec<u8>,
    header_text: String,
    claims_text: String,
}

impl Token {
    /// Takes the compact form (RFC 7515, 7.1) apart; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err(match parts.len() {
                5 => "it has five parts: an encrypted token (JWE), not a signed one".into(),
                1 => "it is no token: it has no dots between header, claims and signature".into(),
                count => format!("it has {count} parts, a token has three: header, claims, signature"),
            });
        };
        let (header_text, header) = object(header, "header")?;
        let (claims_text, claims) = object(claims, "claims")?;
        Ok(Self {
            signed: text[..text.len() - signature.len() - 1].to_owned(),
            signature: decode(signature, "signature")?,
            header,
            claims,
            header_text,
            claims_text,
        })
    }

    /// The algorithm it says it is signed with.
    pub(super) fn algorithm(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether `key` made its signature, by the algorithm it says.
    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        key.verifies(self.algorithm(), self.signed.as_bytes(), &self.signature)
    }

    /// A claim's time in milliseconds since 1970.
    pub(super) fn time(&self, claim: &str) -> Option<i128> {
        millis(self.claims.get(claim)?.as_f64()?)
    }

    /// What it says, for people: header, claims, times beside the time of the call, and what is ignored.
    pub(super) fn notes(&self, at: Timestamp) -> Vec<(String, String)> {
        let mut notes = vec![
            ("token header".to_owned(), self.header_text.clone()),
            ("token claims".to_owned(), self.claims_text.clone()),
        ];
        for claim in ["iat", "nbf", "exp"] {
            notes.extend(self.time(claim).map(|time| (claim.to_owned(), relative(time, at))));
        }
        let ignored: Vec<&str> = KEY_NAMES.into_iter().filter(|name| self.header.contains_key(*name)).collect();
        if !ignored.is_empty() {
            let text = format!("{}: only configured keys count, whatever a token names", ignored.join(", "));
            notes.push(("ignored".to_owned(), text));
        }
        notes
    }
}

fn decode(part: &str, name: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|error| format!("its {name} is not base64url without padding: {error}"))
}

fn object(part: &str, name: &str) -> Result<(String, Map<String, Value>), String> {
    let text = String::from_utf8(decode(part, name)?).map_err(|_| format!("its {name} is not UTF-8"))?;
    let object = serde_json::from_str(&text).map_err(|_| format!("its {name} is no JSON object"))?;
    Ok((text, object))
}
