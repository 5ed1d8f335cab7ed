//! For whom a token was made: its `aud` (RFC 7519, 4.1.3).
//!
//! Some issuers sign the tokens of all their customers with the same keys, so that the signature alone does not say that a
//! token was meant for this endpoint. What an endpoint wants to be called is not known here, but its address is.

use serde_json::Value;
use url::Url;

use super::token::Token;
use crate::call::Request;
use crate::visible;

/// What a reason says of it after `signed with KEY`; empty where the token does not name anybody.
pub(super) fn words(token: &Token, request: &Request) -> String {
    let named: Vec<&str> = match token.claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return String::new(),
    };
    let quoted: Vec<String> = named.iter().map(|name| format!("{:?}", visible::quoted(name))).collect();
    let quoted = quoted.join(" or ");
    let quoted = visible::quoted(&quoted);
    let addresses: Vec<Url> = named.iter().filter_map(|name| Url::parse(name).ok()).filter(Url::has_host).collect();
    let Some(ours) = Url::parse(&request.url()).ok().filter(|_| !addresses.is_empty()) else {
        return format!(" for {quoted} (`aud`, which was compared with nothing)");
    };
    // Which scheme it was called by is known only with the public address.
    let scheme_is_known = request.origin.is_some() || request.public.is_some();
    let is_ours = |address: &Url| {
        let same_port = if scheme_is_known {
            address.scheme() == ours.scheme() && address.port_or_known_default() == ours.port_or_known_default()
        } else {
            address.port() == ours.port()
        };
        same_port && address.host() == ours.host() && bare(address.path()) == bare(ours.path())
    };
    if addresses.iter().any(is_ours) {
        return format!(" for {quoted} (`aud`), the address of this call");
    }
    format!(
        ", but for {quoted} (`aud`), which is not the address of this call: the token was made for another endpoint, or this \
         one is not known by its public address (`listen.public_url`)"
    )
}

fn bare(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}
