//! The table as a pack writes it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::config::instead;
use crate::json;
use crate::signature::clock::{Clock, Stamp, Unit, Window};
use crate::signature::detached::{Algorithm, Detached, KeyForm};
use crate::signature::message::Message;
use crate::signature::shared::Shared;
use crate::signature::tag::Encoding;
use crate::signature::{Carrier, Method, Scheme, jwt};

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    scheme: Word,
    header: Option<String>,
    query: Option<String>,
    field: Option<String>,
    #[serde(default)]
    prefix: String,
    separator: Option<char>,
    #[serde(default)]
    beside: BTreeMap<String, String>,
    encoding: Option<Encoding>,
    message: Option<Message>,
    #[serde(default)]
    key: KeyForm,
    #[serde(default)]
    key_prefix: Vec<String>,
    timestamp: Option<Stamp>,
    unit: Option<Unit>,
    tolerance: Option<u32>,
    window: Option<Window>,
    #[serde(default)]
    either_port: bool,
    body_hash: Option<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    apart: bool,
    #[serde(default)]
    algorithms: Vec<jwt::Algorithm>,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default = "jwt::lifetime")]
    lifetime: u64,
    #[serde(default)]
    leeway: u64,
    #[serde(default)]
    subject: Vec<jwt::Place>,
    #[serde(default = "secret")]
    secret: String,
    #[serde(default = "example")]
    example: String,
    missing: Option<String>,
    #[serde(default)]
    source: String,
}

fn secret() -> String {
    "secret".into()
}

fn example() -> String {
    "env:WEBHOOK_SECRET".into()
}

/// What is said of a call without a signature where the pack says nothing of its own.
fn missing(optional: bool) -> String {
    let said = if optional {
        "the platform signs only where it is told to; where it is, something else made this call or a proxy dropped the header"
    } else {
        "the platform signs every call, so something else made this one or a proxy dropped the header"
    };
    said.into()
}

impl TryFrom<Written> for Scheme {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let (carrier, header) = match (written.header, written.query, written.field) {
            (Some(header), None, None) => (Carrier::Header, header),
            (None, Some(query), None) => (Carrier::Query, query),
            (None, None, Some(field)) => {
                json::check_pointer(&field).map_err(|why| format!("`field`: {why}"))?;
                (Carrier::Body, field)
            }
            (None, None, None) => {
                return Err("missing field `header`: where the signature stands (or `query`, or `field`)".into());
            }
            _ => return Err("a signature stands in one place: `header`, `query` or `field`".into()),
        };
        if written.separator.is_some_and(|separator| !separator.is_ascii()) {
            return Err("`separator` is one ASCII character".into());
        }
        let timed = written.timestamp.is_some();
        if !timed && (written.unit.is_some() || written.tolerance.is_some() || written.window.is_some()) {
            return Err("`unit`, `tolerance` and `window` are of a `timestamp`: say where it stands".into());
        }
        let clock = written.timestamp.map(|place| Clock {
            place,
            unit: written.unit.unwrap_or_default(),
            tolerance: written.tolerance,
            window: written.window.unwrap_or_default(),
        });
        let method = match written.scheme {
            Word::Detached(algorithm) => {
                let message = written.message.ok_or("missing field `message`: what is signed, such as {body}")?;
                if message.covers_the_time() && !timed {
                    return Err("{timestamp} is signed: say with `timestamp` where it stands".into());
                }
                Method::Detached(Detached {
                    algorithm,
                    encoding: written.encoding.ok_or("missing field `encoding`: hex or base64")?,
                    message,
                    key: written.key,
                    key_prefix: written.key_prefix,
                    clock,
                    either_port: written.either_port,
                    body_hash: written.body_hash,
                })
            }
            word if written.encoding.is_some() || written.message.is_some() || timed => {
                let what = if matches!(word, Word::Jwt) { "a token" } else { "a shared secret" };
                return Err(format!("{what} has neither `encoding` nor `message` nor `timestamp`"));
            }
            Word::Shared(shared) => Method::Shared(shared),
            Word::Jwt if written.algorithms.is_empty() => {
                return Err("missing field `algorithms`: those that a token may be signed with".into());
            }
            Word::Jwt if carrier != Carrier::Header => return Err("a JSON Web Token stands in a `header`".into()),
            Word::Jwt => Method::Jwt(jwt::Rules {
                algorithms: written.algorithms,
                issuers: written.issuers,
                required: written.required,
                lifetime: written.lifetime,
                leeway: written.leeway,
                subject: written.subject,
            }),
        };
        let Written { prefix, separator, beside, optional, apart, secret, example, missing, source, .. } = written;
        let (name, missing) = (String::new(), missing.unwrap_or_else(|| self::missing(optional)));
        Ok(Self {
            name,
            method,
            header,
            carrier,
            prefix,
            separator,
            beside,
            optional,
            apart,
            mixed: false,
            secret,
            example,
            missing,
            source,
        })
    }
}

/// The `scheme` key of a pack.
enum Word {
    Detached(Algorithm),
    Shared(Shared),
    Jwt,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.as_str() {
            "jwt" => return Ok(Self::Jwt),
            "token" => return Ok(Self::Shared(Shared::Token)),
            "basic" => return Ok(Self::Shared(Shared::Basic)),
            _ => {}
        }
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.word() == word).map(Self::Detached).ok_or_else(|| {
            let known: Vec<&str> =
                Algorithm::ALL.map(Algorithm::word).into_iter().chain(["token", "basic", "jwt"]).collect();
            D::Error::custom(format!("there is no scheme {word:?}: {}", instead(&word, &known)))
        })
    }
}
