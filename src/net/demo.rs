//! The built-in conversation: one signed call of every known kind, and one that was tampered with, so that a verdict
//! other than valid is seen as well.

use jiff::Timestamp;

use crate::net::outgoing::{Outgoing, Signing};
use crate::platform::{Keyring, Kind, Platforms};
use crate::signature::Scheme;

/// What to send to `base` (`http://127.0.0.1:4747`), in order: of every platform whose pack tells a conversation.
///
/// # Errors
/// When a sample cannot be addressed or signed: a sentence.
pub fn conversation(platforms: &Platforms, keyring: &Keyring, base: &str) -> Result<Vec<Outgoing>, String> {
    conversation_with(platforms, None, keyring, base)
}

/// As [`conversation`], with every call of the platform of that name instead.
///
/// # Errors
/// As [`conversation`].
pub fn conversation_with(
    platforms: &Platforms,
    platform: Option<&str>,
    keyring: &Keyring,
    base: &str,
) -> Result<Vec<Outgoing>, String> {
    let kinds = || {
        platforms.packs().flat_map(move |pack| match platform {
            Some(name) => pack.kinds().take(if pack.name == name { usize::MAX } else { 0 }).collect::<Vec<_>>(),
            None => pack.story().collect(),
        })
    };
    let mut calls: Vec<Outgoing> = kinds().map(|kind| signed(kind, keyring, base)).collect::<Result<_, _>>()?;
    // Of those whose body is signed: to another, a newline more makes no difference.
    if let Some(kind) = kinds().find(|kind| kind.scheme().is_some_and(Scheme::covers_the_body)) {
        calls.push(tampered(kind, keyring, base)?);
    }
    Ok(calls)
}

fn signed(kind: &Kind, keyring: &Keyring, base: &str) -> Result<Outgoing, String> {
    let mut request = kind.sample();
    let address = format!("{base}{}", request.target);
    let signing = match kind.scheme() {
        Some(_) => Signing::Fresh(keyring.signing_for_ourselves(kind, &request)?),
        None => Signing::Exact,
    };
    if let Signing::Fresh(Some(secret)) = &signing {
        keyring.mark(&mut request, secret);
    }
    Ok(Outgoing {
        url: address.parse().map_err(|error| format!("{address}: {error}"))?,
        request,
        kind: Some(kind.name.clone()),
        signing,
        secrets: Vec::new(),
        parent: None,
        conversation: None,
        timeout: std::time::Duration::from_secs(10),
        tls: crate::config::Tls::default(),
        fault: None,
        avoid: None,
        virtual_host: None,
        dropped: Vec::new(),
        set: Vec::new(),
    })
}

/// Signed, and then given a newline that the signature does not know of: what a middleware does that writes the body
/// anew.
fn tampered(kind: &Kind, keyring: &Keyring, base: &str) -> Result<Outgoing, String> {
    let mut call = signed(kind, keyring, base)?;
    if let (Some(scheme), Signing::Fresh(secret)) = (kind.scheme(), &call.signing) {
        crate::signature::sign(scheme, &mut call.request, secret.as_ref(), Timestamp::now())
            .map_err(|error| error.to_string())?;
    }
    let mut body = call.request.body.to_vec();
    body.push(b'\n');
    call.request.body = body.into();
    call.signing = Signing::Exact;
    Ok(call)
}
