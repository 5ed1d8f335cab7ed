//! The address that a caller called, as schemes sign it.

use crate::call::Request;

/// What a receiver may take for the address of `request`, as it is known first. `either_port`: senders are not of one mind on
/// whether a default port stands in it, so it is tried without any port and with the scheme's own as well.
pub(super) fn urls(request: &Request, either_port: bool) -> Vec<String> {
    let url = request.url();
    let mut urls = vec![url.clone()];
    if let (true, Some((scheme, authority, rest))) = (either_port, split(&url)) {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        let port = if scheme == "https" { 443 } else { 80 };
        for other in [format!("{scheme}://{host}{rest}"), format!("{scheme}://{host}:{port}{rest}")] {
            if !urls.contains(&other) {
                urls.push(other);
            }
        }
    }
    urls
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// Scheme, host or port.
    Origin,
    /// Path or query.
    Target,
}

/// Addresses that a sender may have signed instead.
pub(super) fn slips(request: &Request) -> Vec<(String, Slip)> {
    let url = request.url();
    let Some((scheme, authority, rest)) = split(&url) else { return Vec::new() };
    let other = if scheme == "https" { "http" } else { "https" };
    let host = request.headers.get("host").unwrap_or(authority);
    let mut slips: Vec<(String, Slip)> = Vec::new();
    let origins = [
        request.said_by_proxies().unwrap_or_default(),
        format!("{other}://{authority}"),
        format!("{scheme}://{host}"),
        format!("{other}://{host}"),
    ];
    for origin in origins.into_iter().filter(|origin| !origin.is_empty()) {
        let called = Request { origin: Some(origin), target: rest.to_owned(), ..Request::default() };
        slips.extend(urls(&called, true).into_iter().map(|url| (url, Slip::Origin)));
    }
    if let Some((path, _)) = url.split_once('?') {
        slips.push((path.to_owned(), Slip::Target));
    }
    if let Some(bare) = url.strip_suffix('/') {
        slips.push((bare.to_owned(), Slip::Target));
    } else {
        slips.push((format!("{url}/"), Slip::Target));
    }
    slips.push((decoded(&url), Slip::Target));
    slips
}

/// Scheme, host with port, and the rest.
pub(super) fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    Some((scheme, authority, rest))
}

/// The address with the escapes of reserved characters (RFC 3986, 2.2) after its host decoded, but for those that would
/// change where its query begins or ends: `#`, `&`, `=`, `+`.
pub(super) fn decoded(url: &str) -> String {
    const RESERVED: &[u8] = b":/?@!$'()*,;";
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        let escape = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        text.push_str(&rest[..at]);
        if let Some(byte) = escape.filter(|byte| RESERVED.contains(byte)) {
            text.push(char::from(byte));
            rest = &rest[at + 3..];
        } else {
            text.push('%');
            rest = &rest[at + 1..];
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(origin: &str, target: &str) -> Request {
        Request { origin: Some(origin.into()), target: target.into(), ..Request::default() }
    }

    #[test]
    fn a_port_may_be_there_or_not() {
        let https = at("https://a.example", "/x?y=1:2");
        assert_eq!(urls(&https, false), ["https://a.example/x?y=1:2"]);
        assert_eq!(urls(&https, true), ["https://a.example/x?y=1:2", "https://a.example:443/x?y=1:2"]);
        let port = at("http://[::1]:8080", "/");
        assert_eq!(urls(&port, true), ["http://[::1]:8080/", "http://[::1]/", "http://[::1]:80/"]);
    }

    #[test]
    fn reserved_characters_are_decoded_and_no_others() {
        assert_eq!(decoded("https://a.example/x?y=%3A%2f%40%2C%26%20%zz%3"), "https://a.example/x?y=:/@,%26%20%zz%3");
    }
}
