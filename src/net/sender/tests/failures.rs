//! What is said where nothing comes back, or nothing leaves.

use std::io::{Read as _, Write as _};

use super::*;
use crate::net::sender::way::{BETWEEN, intercept};

/// What is said of an endpoint.
async fn error_of(site: &Site, url: &str, timeout: Duration) -> String {
    let sender = sender(site);
    let call = sender.send(Outgoing { timeout, ..outgoing(url, request("POST", &[], b"x")) }).await;
    assert_eq!(call.response, None);
    call.error.unwrap()
}

#[tokio::test]
async fn a_failure_says_what_happened_with_whom() {
    let site = Site::new(Config::default()).await;
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let (closed, url) = server().await;
    drop(closed);
    assert_eq!(
        error_of(&site, &url, TIMEOUT).await,
        format!("nothing listens at {} (connection refused): is the server running?", address(&url))
    );

    let (_silent, url) = server().await;
    assert_eq!(
        error_of(&site, &url, Duration::from_millis(50)).await,
        format!("{} did not answer within 50ms (--timeout, or the target's `timeout`)", address(&url))
    );

    for (answer, when) in [
        (&b""[..], "before it had answered"),
        (b"HTTP/1.1 200 O", "before it had answered"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "in the middle of its answer"),
    ] {
        let (url, _) = endpoint(answer).await;
        let error = error_of(&site, &url, TIMEOUT).await;
        assert_eq!(error, format!("{} closed the connection {when}", address(&url)));
    }

    let (url, _) = endpoint(b"SSH-2.0-OpenSSH\r\n").await;
    let error = error_of(&site, &url, TIMEOUT).await;
    assert!(error.starts_with("no whole answer from 127.0.0.1:"), "{error}");

    let error = error_of(&site, "http://255.255.255.255:1/", TIMEOUT).await;
    assert!(error.starts_with("cannot connect to 255.255.255.255:1: "), "{error}");

    // No name has an empty part, so nobody outside is asked for it.
    let error = error_of(&site, "http://no..name/", TIMEOUT).await;
    assert!(error.starts_with("no address is known for no..name (") && error.ends_with("a network?"), "{error}");
}

#[tokio::test]
async fn a_reset_says_that_the_endpoint_closed() {
    let site = Site::new(Config::default()).await;
    let (socket, url) = server().await;
    let serving = tokio::spawn(async move {
        // Closed on bytes that nobody read, a connection is reset.
        let (stream, _) = socket.accept().await.unwrap();
        stream.readable().await.unwrap();
    });
    let error = error_of(&site, &url, TIMEOUT).await;
    serving.await.unwrap();
    let address = url.trim_start_matches("http://");
    assert_eq!(error, format!("{address} closed the connection before it had answered"));
}

#[tokio::test]
async fn an_answer_without_end_in_tiny_chunks_ends_with_the_timeout() {
    let site = Site::new(Config::default()).await;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // On a thread of its own: it has always more ready than is read.
    std::thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        let chunks = b"1\r\nx\r\n".repeat(10_000);
        // It ends at some time all the same, with other words.
        (0..1_000).take_while(|_| stream.write_all(&chunks).is_ok()).count();
    });
    assert_eq!(
        error_of(&site, &format!("http://{address}/"), Duration::from_millis(100)).await,
        format!("{address} did not finish its answer within 100ms (--timeout, or the target's `timeout`)")
    );
}

#[tokio::test]
async fn an_answer_that_is_ended_in_its_middle_had_begun() {
    let site = Site::new(Config::default()).await;
    let (socket, url) = server().await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = socket.accept().await.unwrap();
            read_message(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
            tell.send(stream).unwrap();
        }
    });
    let sender = sender(&site);
    let call = sender.prepare(outgoing(&url, request("POST", &[], b"x")));
    let ended = async {
        let _open = told.recv().await;
        // Its head is on the way: it is read before this is asked a second time.
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let call = sender.exchange(call, &mut Wire::default(), ended).await;
    let address = url.trim_start_matches("http://");
    let expected = format!("{address} had not finished its answer when hooktape was told to stop");
    assert_eq!((call.response, call.error), (None, Some(expected)));
}

#[rstest]
#[case::line_end("X-A", "a\nb", "not sent: the header \"X-A\" cannot be sent over HTTP")]
#[case::name("a b", "", "not sent: the header \"a b\" cannot be sent over HTTP")]
#[tokio::test]
async fn what_cannot_be_sent_is_not(#[case] name: &str, #[case] value: &'static str, #[case] expected: &str) {
    let site = Site::new(Config::default()).await;
    let request = request("GET", &[(name, value.as_bytes())], b"");
    let call = sender(&site).send(outgoing(&site.url("/"), request)).await;
    assert_eq!((call.error.as_deref(), call.response), (Some(expected), None));
    let call = sender(&site).send(outgoing(&site.url("/"), self::request("A B", &[], b""))).await;
    assert_eq!(call.error.as_deref(), Some("not sent: \"A B\" is not an HTTP method"));
}

#[tokio::test]
async fn what_http_refuses_is_known_before_anything_is_sent() {
    let site = Site::new(Config::default()).await;
    let sender = sender(&site);
    let problem = |call: Outgoing| sender.prepare(call).problem.unwrap_or_default();
    assert_eq!(problem(outgoing(&site.url("/"), request("POST", &[], b"x"))), "");
    assert_eq!(problem(outgoing(&site.url("/"), request("A B", &[], b"x"))), "\"A B\" is not an HTTP method");
    let socks = Sender { proxies: Arc::new(proxies("", "socks5://p:1", "")), ..sender.clone() };
    let why = socks.prepare(outgoing("https://a.example/", request("POST", &[], b"x"))).problem.unwrap();
    assert!(why.starts_with("the environment names a socks5 proxy for this address"), "{why}");
    let long = site.url(&format!("/{}", "a".repeat(70_000)));
    assert_eq!(problem(outgoing(&long, request("POST", &[], b"x"))), "HTTP does not take its address: uri too long");
    let tls = crate::config::Tls { any_certificate: false, authorities: b"-----BEGIN CERTIFICATE-----\nx".to_vec() };
    for headers in [&[("accept", &b"*/*"[..])][..], &[]] {
        let call = outgoing("https://127.0.0.1:1/", request("POST", headers, b"x"));
        let dropped = if headers.is_empty() { vec!["accept".to_owned()] } else { Vec::new() };
        let why = problem(Outgoing { tls: tls.clone(), dropped, ..call });
        assert!(!why.is_empty() && !why.contains("not sent"), "{why}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_not_the_endpoints_silence() {
    let site = Site::new(Config::default()).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let patience = Duration::from_millis(100);
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(patience, tokio::net::TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let sender = sender(&site);
    let call = Outgoing { timeout: patience, ..outgoing(&format!("http://{address}/"), request("POST", &[], b"x")) };
    let call = sender.exchange(sender.prepare(call), &mut Wire::default(), std::future::pending()).await;
    assert!(call.error.unwrap().starts_with(&format!("no connection to {address} within 100ms: ")));
}

fn proxies(http: &str, https: &str, no: &str) -> Matcher {
    Matcher::builder().http(http.to_owned()).https(https.to_owned()).no(no.to_owned()).build()
}

#[rstest]
#[case("", "", "", "http://a.example/", false)]
#[case("p:1", "", "", "http://a.example/", true)]
#[case("p:1", "", "", "https://a.example/", false)]
#[case("", "p:1", "", "https://a.example/", true)]
#[case("p:1", "", "", "http://127.0.0.1:4747/", false)]
#[case("p:1", "", "b.example, a.example", "http://x.a.example:8080/", false)]
#[case("p:1", "", "b.example", "http://a.example/", true)]
#[case("p:1", "", "10.0.0.0/8", "http://10.1.2.3/", false)]
#[case("p:1", "", "*", "http://a.example/", false)]
fn a_proxy_is_one_for_some_addresses(
    #[case] http: &str,
    #[case] https: &str,
    #[case] no: &str,
    #[case] url: &str,
    #[case] proxied: bool,
) {
    assert_eq!(intercept(&proxies(http, https, no), &url.parse().unwrap()).is_some(), proxied);
}

/// A call without an `accept`, and why there is no answer.
async fn without_accept(proxies: Matcher) -> String {
    let site = Site::new(Config::default()).await;
    let sender = Sender { proxies: Arc::new(proxies), ..sender(&site) };
    let dropped = vec!["accept".to_owned()];
    // No name has an empty part, so nobody outside is asked for it.
    let far = Outgoing { dropped, ..outgoing("http://no..name:1/", request("POST", &[], b"{}")) };
    sender.send(far).await.error.unwrap()
}

#[tokio::test]
async fn a_call_without_an_accept_leaves_where_no_proxy_stands_between() {
    assert_eq!(without_accept(proxies("p:1", "", "")).await, format!("not sent: {BETWEEN}"));
    for between in [proxies("", "p:1", ""), proxies("p:1", "", "no..name")] {
        let error = without_accept(between).await;
        assert!(error.contains("no..name") && !error.starts_with("not sent"), "{error}");
    }
}

#[tokio::test]
async fn a_body_is_cut_on_a_connection_of_its_own() {
    let site = Site::new(Config::default()).await;
    let (socket, url) = server().await;
    let serving = tokio::spawn(async move {
        let (mut first, _) = socket.accept().await.unwrap();
        read_message(&mut first).await;
        first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let (mut second, _) = socket.accept().await.unwrap();
        let mut came = Vec::new();
        while second.read_buf(&mut came).await.unwrap_or(0) > 0 {}
        came.ends_with(b"01234")
    });
    let (sender, mut wire) = (sender(&site), Wire::default());
    for fault in [None, Some(Fault::CutBody)] {
        let prepared = sender.prepare(Outgoing { fault, ..outgoing(&url, request("POST", &[], b"0123456789")) });
        let call = sender.exchange(prepared, &mut wire, std::future::pending()).await;
        assert!(!call.error.is_some_and(|error| error.contains("may not have seen")));
    }
    assert!(serving.await.unwrap());
}
