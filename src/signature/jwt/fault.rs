//! What is wrong with a token besides its signature.

use jiff::Timestamp;
use serde_json::Value;

use super::Rules;
use super::time::span;
use super::token::Token;
use crate::call::Sig;
use crate::visible;

/// In milliseconds since 1970: the year 5138. Whoever writes milliseconds for seconds lies far beyond.
const NO_SECONDS: i128 = 100_000_000_000_000;

/// One thing that is wrong.
pub(super) struct Fault {
    /// What it makes of an authentic token.
    pub sig: Sig,
    /// In a reason, without capital and full stop.
    pub what: String,
    /// A sentence.
    pub repair: String,
}

impl Fault {
    fn invalid(what: impl Into<String>, repair: impl Into<String>) -> Self {
        Self { sig: Sig::Invalid, what: what.into(), repair: repair.into() }
    }

    fn stale(what: impl Into<String>, repair: impl Into<String>) -> Self {
        Self { sig: Sig::Stale, what: what.into(), repair: repair.into() }
    }

    /// What and repair as sentences.
    pub(super) fn sentence(&self) -> String {
        let mut what = self.what.clone();
        if let Some(first) = what.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{what}. {}", self.repair)
    }
}

/// What in the header makes the signature worthless.
pub(super) fn of_header(rules: &Rules, token: &Token) -> Option<Fault> {
    let wanted: Vec<&str> = rules.algorithms.iter().map(|algorithm| algorithm.word()).collect();
    let wanted = wanted.join(" or ");
    if let Some(names) = token.header.get("crit") {
        let what = format!("the token's header demands extensions that are not known here (`crit`: {names})");
        return Some(Fault::invalid(what, "Make the token without `crit`."));
    }
    match token.algorithm() {
        given if rules.algorithms.iter().any(|algorithm| algorithm.word() == given) => None,
        "" => Some(Fault::invalid(
            "the token's header does not say with which algorithm it is signed (`alg`)",
            format!("Let the signer say {wanted}."),
        )),
        given if given.eq_ignore_ascii_case("none") => Some(Fault::invalid(
            "the token is not signed at all (`alg` is none): anyone can make such a one",
            format!("Sign it with {wanted} and the private key, and never accept `none`."),
        )),
        given => Some(Fault::invalid(
            format!("the token's algorithm is {given}, {wanted} is expected"),
            format!("Pass `{{ algorithm: '{wanted}' }}` to the signer, and pin it where tokens are verified."),
        )),
    }
}

/// What is wrong with the claims of an authentic token at the time `at`.
pub(super) fn of_claims(rules: &Rules, token: &Token, at: Timestamp) -> Vec<Fault> {
    let mut faults: Vec<Fault> = rules.required.iter().filter_map(|name| required(rules, token, name)).collect();
    faults.extend(issuer(rules, token));
    faults.extend(times(rules, token, at));
    faults
}

fn required(rules: &Rules, token: &Token, name: &str) -> Option<Fault> {
    let fault = |what: String| {
        let repair = match name {
            "sub" => "Put the user's id there: it says for whom the token speaks.".to_owned(),
            "exp" => format!(
                "Let the signer add it (`expiresIn: '{}ms'`): without it a token that leaks is good for ever.",
                rules.lifetime
            ),
            "iss" => format!("Put {} there.", rules.issuers.join(" or ")),
            _ => "Let the signer add it.".to_owned(),
        };
        Some(Fault::invalid(what, repair))
    };
    match token.claims.get(name) {
        None | Some(Value::Null) => fault(format!("the token has no `{name}`")),
        Some(Value::String(text)) if text.is_empty() => fault(format!("the token's `{name}` is empty")),
        Some(value) if matches!(name, "sub" | "iss") && !value.is_string() => {
            fault(format!("the token's `{name}` is not a string"))
        }
        Some(_) => None,
    }
}

fn issuer(rules: &Rules, token: &Token) -> Option<Fault> {
    let given = token.claims.get("iss")?.as_str().filter(|given| !given.is_empty())?;
    if rules.issuers.is_empty() || rules.issuers.iter().any(|known| known == given) {
        return None;
    }
    let wanted = rules.issuers.join(" or ");
    let near = rules.issuers.iter().any(|known| {
        let bare = given.trim().trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
        bare.eq_ignore_ascii_case(known)
            || known.strip_prefix("www.").is_some_and(|known| known.eq_ignore_ascii_case(bare))
    });
    let near = if near { " Nearly right: it is compared as text, so write it exactly so." } else { "" };
    Some(Fault::invalid(
        format!("its issuer (`iss`) is {:?}, {wanted} is expected", visible::quoted(given)),
        format!("Put {wanted} there.{near} An issuer of your own is made known under [issuers] in hooktape.toml."),
    ))
}

fn times(rules: &Rules, token: &Token, at: Timestamp) -> Vec<Fault> {
    let mut faults = Vec::new();
    let now = i128::from(at.as_millisecond());
    let good_for = span(rules.lifetime.into());
    for claim in ["exp", "nbf", "iat"] {
        let Some(value) = token.claims.get(claim).filter(|value| !value.is_null()) else { continue };
        let Some(then) = token.time(claim) else {
            faults.push(Fault::invalid(
                format!("the token's `{claim}` is {}, which is no time", visible::quoted(&value.to_string())),
                "It is a number of seconds since 1970, without quotation marks.",
            ));
            continue;
        };
        let ahead = then - now;
        if then > NO_SECONDS {
            faults.push(Fault::invalid(
                format!("the token's `{claim}` is in milliseconds ({value}), so as seconds it lies millennia ahead"),
                "Divide by 1000: times in a token are seconds since 1970.",
            ));
        } else if claim == "exp" && ahead <= 0 {
            faults.push(Fault::stale(
                if ahead == 0 { "it expired at the moment of the call".into() } else { format!("it expired {} before the call", span(ahead)) },
                format!(
                    "A token of this kind is good for {good_for}: sign right before sending, not when the page is opened, \
                     and look at the signer's clock. A call that is sent again needs a fresh one."
                ),
            ));
        } else if claim != "exp" && ahead > i128::from(rules.leeway) {
            let what =
                if claim == "nbf" { "it is not valid yet: `nbf` is" } else { "it comes from the future: `iat` is" };
            let leeway = span(rules.leeway.into());
            faults.push(Fault::stale(
                format!("{what} {} after the call", span(ahead)),
                format!("The signer's clock is ahead by more than the {leeway} that are let pass: set it right."),
            ));
        }
    }
    faults
}
