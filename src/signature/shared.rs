//! A secret that is sent as it is, which proves that the sender knows it and nothing about the call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use super::judge::fitting;
use super::{AtHand, Scheme, SignError, keys};
use crate::call::{Request, Sig};
use crate::config::Secret;

/// How a secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// As it is.
    Token,
    /// `user:password` in base64 (RFC 7617).
    Basic,
}

impl Shared {
    pub(super) fn describe(self, secret: &str) -> String {
        match self {
            Self::Token => format!("the {secret} itself"),
            Self::Basic => format!("the {secret}, written `user:password`, in base64 (RFC 7617)"),
        }
    }

    /// As it stands after the prefix.
    pub(super) fn write(self, secret: &[u8]) -> Result<String, SignError> {
        match self {
            Self::Token => String::from_utf8(secret.to_vec()).map_err(|_| SignError::Secret("it is not text".into())),
            Self::Basic if !secret.contains(&b':') => {
                Err(SignError::Secret("it is not of the form user:password".into()))
            }
            Self::Basic => Ok(STANDARD.encode(secret)),
        }
    }

    pub(super) fn fresh_secret(self, label: &str) -> Result<Secret, SignError> {
        let text = keys::random_text()?;
        Ok(match self {
            Self::Token => Secret::new(label, text),
            Self::Basic => Secret::new(label, format!("hooktape:{text}")),
        })
    }

    /// Whether `given`, without the prefix, is the secret; compares in constant time.
    fn fits(self, given: &[u8], secret: &[u8]) -> Result<bool, SignError> {
        match self {
            Self::Token => Ok(given.ct_eq(secret).into()),
            // Without the padding, for not every sender pads alike.
            Self::Basic => {
                let wanted = self.write(secret)?;
                let bare = |text: &[u8]| text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
                Ok(given[..bare(given)].ct_eq(&wanted.as_bytes()[..bare(wanted.as_bytes())]).into())
            }
        }
    }

    /// The verdict on `given`, the reason, and the label of the secret that fits.
    pub(super) fn judge(self, scheme: &Scheme, given: &[u8], secrets: &[&Secret]) -> (Sig, String, Option<String>) {
        let place = scheme.place();
        let Some(given) = strip(given, &scheme.prefix) else {
            return (Sig::Malformed, format!("{place} is malformed: it does not begin with `{}`", scheme.prefix), None);
        };
        let tried = match fitting(scheme, secrets, |bytes| self.fits(given, bytes)) {
            Ok(secret) => {
                let label = secret.label().to_owned();
                return (Sig::Valid, format!("bears {label}; that says nothing about the call itself"), Some(label));
            }
            Err(tried) => tried,
        };
        let more = tried.more();
        if tried.used.is_empty() {
            return (
                Sig::NoSecret,
                format!("there is no secret to compare {place} with{}{more}", scheme.unless_unread(&tried.unread)),
                None,
            );
        }
        (Sig::Invalid, format!("{place} is not the {} at hand ({}){more}", scheme.secret, tried.used.join(", ")), None)
    }
}

/// What follows the prefix. The name of an HTTP authentication scheme has no case (RFC 9110, 11.1).
fn strip<'a>(given: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (before, after) = given.split_at_checked(prefix.len())?;
    before.eq_ignore_ascii_case(prefix.as_bytes()).then_some(after)
}

/// Why a secret that was sent is not the one at hand.
pub(super) fn diagnose(
    scheme: &Scheme,
    shared: Shared,
    request: &Request,
    sig: Sig,
    AtHand { secrets, others, own }: AtHand<'_>,
) -> Vec<String> {
    let place = scheme.place();
    match sig {
        Sig::Valid | Sig::Unsigned | Sig::Stale => return Vec::new(),
        Sig::Missing => return vec![format!("Let the sender add {place}: {}.", scheme.describe())],
        Sig::NoSecret => return vec![format!("To have it compared, {}.", scheme.how_to_be_checked(secrets))],
        Sig::Malformed if scheme.repeated(request).is_some() => {
            return vec![format!("Let the sender, and every proxy on the way, send {place} once.")];
        }
        Sig::Malformed | Sig::Invalid => {}
    }
    let given = scheme.given(request).unwrap_or_default();
    let given: &[u8] = &given;
    let text = String::from_utf8_lossy(given);
    let fits = |given: &[u8], secret: &Secret| {
        let written = scheme.bytes(secret).and_then(|bytes| shared.write(bytes));
        written.is_ok_and(|wanted| bool::from(given.ct_eq(wanted.as_bytes())))
    };
    let Some(bare) = strip(given, &scheme.prefix) else {
        return vec![format!("Write {place} as the contract has it: {}.", scheme.describe())];
    };
    let bare = bare.trim_ascii();
    let unquoted = bare.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(bare);
    let mut found = Vec::new();
    for secret in secrets {
        let Ok(bytes) = scheme.bytes(secret) else { continue };
        if fits(unquoted, secret) {
            found.push(format!("{place} has white space or quotation marks around the secret: remove them."));
        } else if bytes.trim_ascii() != bytes && bytes.trim_ascii() == bare {
            let label = secret.label();
            found.push(format!("{label} has white space at its ends that the sender does not send: remove it."));
        } else if shared == Shared::Basic && bare.ct_eq(bytes).into() {
            found.push(format!("{place} has `user:password` as it is: send it in base64 (RFC 7617)."));
        }
    }
    for (name, secret) in others.iter().filter(|(_, secret)| fits(bare, secret)) {
        found.push(format!("It is {}, {}.", secret.label(), scheme.how_to_let_count(secret, name, own)));
    }
    if found.is_empty() {
        let length = text.len().saturating_sub(scheme.prefix.len());
        found.push(format!(
            "The sender sends another {} ({length} bytes long): compare what is set there with what is set here.",
            scheme.secret
        ));
    }
    found
}
