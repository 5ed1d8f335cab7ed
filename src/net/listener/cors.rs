//! Calls across origins (Fetch standard, CORS): a page that is served elsewhere may call back only what says so.
//!
//! Platforms let any page call back, so the listener does, for the kinds of call that pages make and for those alone: what
//! a platform's servers send has no business in a browser.

use crate::call::{Request, Response};
use crate::platform::Kind;

/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";

/// The method that a browser asks about before it sends the call itself; none if this is no preflight.
pub(super) fn asked_method(request: &Request) -> Option<&str> {
    let asks = request.method == "OPTIONS" && request.headers.has("origin");
    request.headers.get("access-control-request-method").filter(|_| asks)
}

/// The answer to a preflight about calls of `kind`: they may bear the headers that its contract knows.
pub(super) fn preflight(request: &Request, kind: &Kind) -> Response {
    let mut answer = Response { status: 204, ..Response::default() };
    answer.headers.push("access-control-allow-methods", kind.method().to_owned());
    answer.headers.push("access-control-allow-headers", kind.header_names().join(", "));
    answer.headers.push("access-control-max-age", MAX_AGE);
    // A page from the internet that calls this machine asks for that too.
    if request.headers.get("access-control-request-private-network") == Some("true") {
        answer.headers.push("access-control-allow-private-network", "true");
    }
    answer
}

/// Lets the page that made `request` read the answer, unless the answer says itself who may.
pub(super) fn open(answer: &mut Response, request: &Request) {
    let Some(origin) = request.headers.get("origin") else { return };
    if !answer.headers.has("access-control-allow-origin") {
        answer.headers.push("access-control-allow-origin", origin.to_owned());
        answer.headers.push("vary", "origin");
    }
}

#[cfg(test)]
mod tests {
    use crate::call::{Call, Sig};
    use crate::config::{Config, Route};
    use crate::net::testing::{Site, platforms_with, with_secret};

    const PACK: &str = r#"
        [platform]
        name = "acme"
        title = "Acme"

        [signature.token]
        scheme = "hmac-sha256"
        header = "Authorization"
        encoding = "hex"
        message = "{body}"

        [[kind]]
        name = "back"
        title = "Callback"
        recognise = { method = "POST", path = ["/v1/back/{id}"], has = ["/run"] }
        caller = "browser"
        signature = "token"
        headers = [{ name = "X-Session", description = "The session." }, { name = "content-type", description = "" }]
        sample = "sample.json"
        answer = [{ when = { sig = ["missing"] }, status = 401, body = { error_code = "unauthorized" } }]
    "#;

    /// A listener that knows a platform whose pages call back.
    async fn site() -> Site {
        let platforms = platforms_with(PACK, r#"{"run":"1"}"#);
        let route = |path: &str, kind: &str| Route { path: path.into(), kind: Some(kind.into()), ..Route::default() };
        let routes = vec![route("/mine", "acme/back"), route("/hook", "moveo/dialog")];
        Site::with(Config { routes, ..with_secret() }, platforms).await
    }

    /// What a browser sends before a page at `https://shop.example` may call, and the answer's fields.
    async fn ask(site: &mut Site, path: &str, more: &str) -> (String, std::sync::Arc<Call>) {
        let head = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: https://shop.example\r\n\
             Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n{more}\r\n"
        );
        (site.raw(head.as_bytes()).await, site.next().await)
    }

    #[tokio::test]
    async fn a_preflight_for_a_callback_of_pages_is_granted_and_recorded() {
        let mut site = site().await;
        for path in ["/v1/back/7", "/hooks/acme/back?x=1", "/mine"] {
            let (answer, call) = ask(&mut site, path, "").await;
            assert!(answer.starts_with("HTTP/1.1 204 "), "{path}: {answer}");
            for field in [
                "access-control-allow-origin: https://shop.example\r\n",
                "access-control-allow-methods: POST\r\n",
                "access-control-allow-headers: Authorization, X-Session, content-type\r\n",
                "vary: origin\r\n",
            ] {
                assert!(answer.contains(field), "{field}: {answer}");
            }
            assert!(!answer.contains("private-network"));
            assert_eq!((call.kind.as_ref(), call.sig, call.status()), (None, None, Some(204)));
        }
        let (answer, _) = ask(&mut site, "/mine", "Access-Control-Request-Private-Network: true\r\n").await;
        assert!(answer.contains("access-control-allow-private-network: true"), "{answer}");
    }

    #[tokio::test]
    async fn the_pages_of_every_platform_may_send_what_they_send() {
        let mut site = Site::new(Config::default()).await;
        for (path, names) in [
            ("/v1/webview/1a234567", &["Authorization", "X-Moveo-Session-Id", "Content-Type"][..]),
            ("/v1/facebook/1a234567/webview", &["Authorization", "X-Moveo-Session-Id", "Content-Type"]),
            ("/v1/webview/callback", &["Content-Type"]),
            ("/thirdparty-services-0.1/webview", &["Authorization", "Content-Type"]),
            ("/hooks/jelou/webview_callback", &["Content-Type"]),
        ] {
            let (answer, _) = ask(&mut site, path, "").await;
            let allowed = answer.split("access-control-allow-headers: ").nth(1).unwrap().split("\r\n").next().unwrap();
            for name in names {
                assert!(allowed.split(", ").any(|allowed| allowed.eq_ignore_ascii_case(name)), "{path}: {allowed}");
            }
            assert_eq!(allowed.contains("Authorization"), names.contains(&"Authorization"), "{path}: {allowed}");
        }
    }

    #[tokio::test]
    async fn what_servers_call_is_closed_to_pages() {
        let mut site = site().await;
        for path in ["/hook", "/hooks/moveo/dialog", "/v1/back", "/v1/back/7/8", "/"] {
            let (answer, call) = ask(&mut site, path, "").await;
            assert!(!answer.contains("access-control-allow"), "{path}: {answer}");
            assert_eq!(call.kind, None);
        }
    }

    #[tokio::test]
    async fn a_page_may_read_the_answer_also_when_it_is_an_error() {
        let mut site = site().await;
        let call = |path: &str, origin: &str, body: &str| {
            let length = body.len();
            format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{origin}Content-Length: {length}\r\n\r\n{body}"
            )
        };
        let origin = "Origin: null\r\n";
        let answer = site.raw(call("/v1/back/7", origin, r#"{"run":"1"}"#).as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 401 ") && answer.contains("access-control-allow-origin: null\r\n"),
            "{answer}"
        );
        assert_eq!(site.next().await.sig, Some(Sig::Missing));
        // What was meant is known by its path, though its body is not what it should be.
        let answer = site.raw(call("/v1/back/7", origin, "{").as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 401 ") && answer.contains("access-control-allow-origin: null\r\n"),
            "{answer}"
        );
        assert_eq!(site.next().await.kind.as_deref(), Some("acme/back"));
        let answer = site.raw(call("/v1/back/7", "", r#"{"run":"1"}"#).as_bytes()).await;
        assert!(!answer.contains("access-control"), "{answer}");
        let answer = site.raw(call("/hook", origin, "{}").as_bytes()).await;
        assert!(!answer.contains("access-control"), "{answer}");
    }
}
