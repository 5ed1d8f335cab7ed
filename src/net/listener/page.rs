//! The stand-in webview page: what the listener answers where a platform opens a page and no route says otherwise.
//!
//! The page gets its callback ready and signed, because a private key has no place in a page. A configured key signs what
//! the platform would take, and who could ask for the page as he likes could have any user's token. So it signs only the
//! page that we have just handed out, at its very address, which names its conversation by a random word: what else a
//! request says of itself proves nothing behind a proxy or a tunnel that adds no word of its own. And only for a browser
//! that comes, as far as can be seen, from this machine, under a host that nobody else can point here (DNS rebinding). All
//! others get the signature of a test key, which only this listener takes: where a key is configured, from this machine only.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::{Headers, Request, Response};
use crate::config::Secret;
use crate::platform::{Keyring, Kind, PageCall, Platforms};

const PAGE: &str = include_str!("../../../assets/webview/page.html");

/// How long its signature is good, in milliseconds: filling in a form takes longer than the seconds a real one needs.
const LIFETIME: u64 = 10 * 60 * 1000;

/// The page for `open`, a call of `kind`; none where `kind` opens none. `ours`: its address is one that we handed out.
pub(super) fn page(
    platforms: &Platforms,
    keyring: &Keyring,
    kind: &Kind,
    open: &Request,
    ours: bool,
    at: Timestamp,
) -> Option<Response> {
    let mut callback = platforms.page_call(kind, open)?;
    let configured = if ours && open.is_from_here() {
        keyring.signing(callback.kind, &callback.request, &[]).ok().flatten()
    } else {
        None
    };
    let framed = configured.is_none();
    let mut signed = sign(keyring, &mut callback, configured, at);
    if framed && !keyring.takes_tests(callback.kind, open, &[]) {
        signed.push_str(" A key is configured, so this counts only on the machine that hooktape runs on, by no proxy.");
    }
    let platform = platforms.title_of(kind.platform());
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(open.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let findings: Vec<String> = kind.check_request(open).into_iter().map(|finding| finding.sentence).collect();
    let headers: Vec<(&str, String)> = callback
        .request
        .headers
        .iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned()))
        .collect();
    let body: Value = serde_json::from_slice(&callback.request.body).unwrap_or_default();
    let call = json!({
        "kind": kind.name,
        "title": kind.title,
        "platform": platform,
        "query": query,
        "findings": findings,
        "callback": {
            "kind": callback.kind.name,
            "method": callback.request.method,
            "path": callback.request.target,
            "headers": headers,
            "body": body,
            "signed": signed,
            "form": callback.form,
            "variables": variables(&callback),
        },
    });
    Some(respond(&call, framed))
}

/// Signs the callback, with what is configured or as a test; says in a sentence with what, or why not.
fn sign(keyring: &Keyring, callback: &mut PageCall<'_>, configured: Option<Secret>, at: Timestamp) -> String {
    let Some(scheme) = callback.kind.scheme() else {
        return "The platform's contract has no signature.".to_owned();
    };
    let secret = match configured.map_or_else(|| keyring.signing_as_a_test(callback.kind), |secret| Ok(Some(secret))) {
        Ok(secret) => secret,
        Err(reason) => return format!("Not signed: {reason}"),
    };
    if let Some(secret) = &secret {
        keyring.mark(&mut callback.request, secret);
    }
    let with = secret.as_ref().map(Secret::label).map_or_else(String::new, |label| format!(" with {label}"));
    match callback.kind.sign_lasting(&mut callback.request, secret.as_ref(), at, LIFETIME) {
        Ok(()) => format!("hooktape has signed it{with}: {}.", scheme.clone().lasting(LIFETIME).describe()),
        Err(error) => format!("Not signed: {error}"),
    }
}

/// What the form starts with: the variables of the kind's sample, as text.
fn variables(callback: &PageCall<'_>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let sample: Value = serde_json::from_slice(&callback.kind.sample().body).unwrap_or_default();
    match sample.pointer(&callback.form.variables) {
        Some(Value::Object(members)) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(|item| Some((text(item.get("name")?), text(item.get("value")?)))).collect()
        }
        _ => Vec::new(),
    }
}

/// The page. Some platforms show theirs in a frame of their own, so it may be `framed`, but not where a button pressed in
/// it would send what is signed with the user's key.
fn respond(call: &Value, framed: bool) -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    // Inside a script element, only `<` could end it.
    let call = call.to_string().replace('<', "\\u003c");
    let body = PAGE.replace("{{nonce}}", &nonce).replace("{{call}}", &call);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'{}",
        if framed { "" } else { "; frame-ancestors 'none'" }
    );
    let fixed = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];
    let mut headers: Headers = fixed.into_iter().collect();
    headers.push("content-security-policy", policy);
    Response { status: 200, headers, body: body.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;
    use crate::call::{Call, Sig};
    use crate::config::{Config, Secrets};
    use crate::net::testing::{Site, with_secret};
    use crate::platform::Severity;

    /// What the page at `target` has been given, asked for by `host`, and the answer's head.
    async fn given(site: &mut Site, host: &str, target: &str) -> (Value, String) {
        let origin = "Origin: https://elsewhere.example";
        let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{origin}\r\nConnection: close\r\n\r\n");
        let answer = site.raw(head.as_bytes()).await;
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        let call = page.split_once("id=\"call\">").unwrap().1.split_once("</script>").unwrap().0;
        assert_eq!(site.next().await.response.as_ref().unwrap().body, page.as_bytes());
        (serde_json::from_str(call).unwrap(), head.to_owned())
    }

    /// Calls back as the page does, with what was filled in.
    async fn call_back(site: &mut Site, host: &str, call: &Value, body: &Value) -> Arc<Call> {
        let back = &call["callback"];
        let fields = back["headers"].as_array().unwrap().iter();
        let text = |field: &Value| format!("{}: {}", field[0].as_str().unwrap(), field[1].as_str().unwrap());
        let fields: Vec<String> = fields.map(text).collect();
        let body = body.to_string();
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n\r\n{body}",
            back["method"].as_str().unwrap(),
            back["path"].as_str().unwrap(),
            body.len(),
            fields.join("\r\n")
        );
        site.raw(head.as_bytes()).await;
        site.next().await
    }

    #[rstest]
    #[case(
        "/form?mine=1&channel=web&integration_id=i/1&session_id=s&user_id=u&trigger_node_id=t",
        "moveo/webview_callback",
        Some(Sig::Valid)
    )]
    #[case("/pay?executionId=e", "jelou/webview_callback", Some(Sig::Unsigned))]
    #[case("/checkout?userId=u&convId=c&botId=b", "liveperson/webview", Some(Sig::Valid))]
    #[tokio::test]
    async fn the_page_of_every_platform_calls_back_properly(
        #[case] target: &str,
        #[case] kind: &str,
        #[case] sig: Option<Sig>,
        #[values("127.0.0.1:1", "tunnel.example")] host: &str,
    ) {
        let mut site = Site::new(with_secret()).await;
        let (call, head) = given(&mut site, host, target).await;
        assert!(head.starts_with("HTTP/1.1 200") && !head.contains("access-control"), "{head}");
        let body = call["callback"]["body"].clone();
        let back = call_back(&mut site, host, &call, &body).await;
        assert_eq!((back.kind.as_deref(), back.sig, back.status()), (Some(kind), sig, Some(200)));
        let findings = site.platforms.kind(kind).unwrap().check_request(&back.request);
        assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{findings:?}");
    }

    #[tokio::test]
    async fn a_configured_key_signs_only_the_page_that_was_handed_out_to_who_cannot_be_somebody_else() {
        let key = crate::signature::keys::new_rsa().unwrap().private_pem;
        let secrets = Secrets([("moveo/webview".to_owned(), vec![Secret::new("env:KEY", key)])].into_iter().collect());
        let mut site = Site::new(Config { secrets, ..Config::default() }).await;
        let target = |user| format!("/?integration_id=i&session_id=s&user_id={user}&trigger_node_id=t");
        let test = "hooktape's own test secret";
        let (call, _) = given(&mut site, "localhost:1", &target("u")).await;
        assert!(call["callback"]["signed"].as_str().unwrap().contains(test), "nobody has handed it out");
        site.responders.hand_out(target("u"));
        for (host, user, with) in
            [("localhost:1", "u", "env:KEY"), ("localhost:1", "victim", test), ("rebound.example", "u", test)]
        {
            let (call, head) = given(&mut site, host, &target(user)).await;
            let signed = call["callback"]["signed"].as_str().unwrap();
            assert!(signed.contains(with) && signed.contains("good for 10 min"), "{host} {user}: {signed}");
            assert_eq!(head.contains("frame-ancestors 'none'"), with == "env:KEY", "{head}");
        }
    }

    #[tokio::test]
    async fn beside_a_configured_key_a_strangers_page_signs_nothing_that_counts() {
        let key = crate::signature::keys::new_rsa().unwrap().public_pem;
        let secrets = Secrets([("moveo/webview".to_owned(), vec![Secret::new("env:KEY", key)])].into_iter().collect());
        let mut site = Site::new(Config { secrets, ..Config::default() }).await;
        let target = "/?integration_id=i&session_id=s&user_id=victim&trigger_node_id=t";
        for (host, sig, status) in [("evil.example", Sig::Invalid, 401), ("localhost:1", Sig::Valid, 200)] {
            let (call, _) = given(&mut site, host, target).await;
            let signed = call["callback"]["signed"].as_str().unwrap();
            assert_eq!(signed.contains("counts only on the machine"), status == 401, "{signed}");
            let body = call["callback"]["body"].clone();
            let back = call_back(&mut site, host, &call, &body).await;
            assert_eq!((back.sig, back.status()), (Some(sig), Some(status)), "{host}");
            let kind = site.platforms.kind("moveo/webview_callback");
            let verdict = site.keyring.judge(&site.platforms, &back.request, kind, &[], back.at);
            assert_eq!(verdict.reason.contains("only one that comes from this machine"), status == 401, "{verdict:?}");
            // Whoever reads the recording has another keyring.
            let other = Keyring::new(site.keyring.secrets.clone());
            let verdict = other.judge(&site.platforms, &back.request, kind, &[], back.at);
            assert_eq!(verdict.sig, Sig::Invalid);
            assert_eq!(verdict.reason.contains("only the program that made it"), status == 200, "{verdict:?}");
        }
    }

    #[tokio::test]
    async fn what_the_url_lacks_the_callback_lacks_and_is_refused_for() {
        let mut site = Site::new(Config::default()).await;
        let (call, _) = given(&mut site, "127.0.0.1", "/?integration_id=i&user_id=u&channel=web").await;
        assert!(call["findings"].to_string().contains("session_id"), "{call}");
        let body = call["callback"]["body"].clone();
        assert_eq!(body.get("trigger_node_id"), None);
        assert_eq!(call_back(&mut site, "127.0.0.1", &call, &body).await.status(), Some(401));
    }

    #[test]
    fn nothing_of_the_call_ends_the_script() {
        let page = respond(&json!({ "query": [["a", "</script><script>alert(1)</script>"]] }), true);
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(text.contains("\\u003c/script>"));
    }
}
