use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::call::Sig;
use crate::config::{Listen, Record, Replies, Reply, Respond, Route, Secret, Source};
use crate::net::testing::{Site, forwarding, responding, server, with_secret};
use crate::recording::Recorded;

const PUBLISHED: &str = r#"{"lang": "el", "channel":"web", "context": {"firstname": "John", "lastname": "Snow"}}"#;
const SIGNATURE: &str = "7b2e526f80d3ad094ee0a2ccc2501afdab7044f89839f9fcba9466d15a967774";

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn limits(max_body: usize, body_timeout: Duration) -> Config {
    Config { listen: Listen { max_body, body_timeout, ..Listen::default() }, ..Config::default() }
}

fn header_names(headers: &Headers) -> Vec<&str> {
    headers.iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn every_kind_is_answered_as_its_contract_wants() {
    let mut site = Site::new(with_secret()).await;
    let platforms = site.platforms.clone();
    let client = reqwest::Client::new();
    for kind in platforms.kinds() {
        let mut request = kind.sample();
        let secret = site.keyring.signing_for_ourselves(kind, &request).unwrap();
        request.origin = Some(site.url("").trim_end_matches('/').to_owned());
        kind.sign(&mut request, secret.as_ref(), Timestamp::now()).unwrap();
        if let Some(secret) = &secret {
            site.keyring.mark(&mut request, secret);
        }
        let method = request.method.parse().unwrap();
        let mut sending = client.request(method, site.url(&request.target)).body(request.body.clone());
        for (name, value) in request.headers.iter() {
            sending = sending.header(name, value.as_ref());
        }
        let answer = sending.send().await.unwrap();
        let call = site.next().await;
        let sig = if kind.scheme().is_some() { Sig::Valid } else { Sig::Unsigned };
        assert_eq!((call.kind.as_ref(), call.sig), (Some(&kind.name), Some(sig)));
        assert_eq!((&call.request.body, &call.conversation), (&request.body, &kind.read(&request).conversation));
        let response = call.response.clone().unwrap();
        assert_eq!((answer.status().as_u16(), response.status), (200, 200));
        assert_eq!(kind.check_response(&response), [], "{}", kind.name);
        assert_eq!(answer.bytes().await.unwrap(), response.body);
    }
}

#[rstest]
#[case(PUBLISHED, Sig::Valid)]
#[case(&PUBLISHED.replace("Snow", "snow"), Sig::Invalid)]
#[case(&format!("{PUBLISHED}\n"), Sig::Invalid)]
#[tokio::test]
async fn the_published_example_verifies_and_a_changed_byte_does_not(#[case] body: &str, #[case] expected: Sig) {
    let mut site = Site::new(with_secret()).await;
    let request = String::from_utf8(post("/hooks", body)).unwrap();
    site.raw(request.replace("Host: a", &format!("Host: a\r\nX-Moveo-Signature: {SIGNATURE}")).as_bytes()).await;
    let call = site.recorded().await;
    assert_eq!((call.sig, call.kind.as_deref()), (Some(expected), Some("moveo/dialog")));
}

#[tokio::test]
async fn what_comes_compressed_is_recognised_and_recorded_as_it_came() {
    let mut site = Site::new(with_secret()).await;
    let platforms = site.platforms.clone();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let mut request = kind.sample();
    let plain = request.body.clone();
    request.body = zstd::encode_all(&plain[..], 3).unwrap().into();
    // What is signed is what is sent.
    let secret = site.keyring.signing_for_ourselves(kind, &request).unwrap();
    kind.sign(&mut request, secret.as_ref(), Timestamp::now()).unwrap();
    let mut sending = reqwest::Client::new().post(site.url("/")).header("content-encoding", "zstd");
    for (name, value) in request.headers.iter() {
        sending = sending.header(name, value.as_ref());
    }
    sending.body(request.body.clone()).send().await.unwrap();
    let call = site.recorded().await;
    assert_eq!((call.kind.as_deref(), call.sig), (Some("moveo/dialog"), Some(Sig::Valid)));
    assert_eq!(call.conversation, kind.read(&kind.sample()).conversation);
    assert_eq!((&call.request.body, &call.request.readable().body), (&request.body, &plain));
    assert_eq!(
        (kind.check_request(&call.request), kind.read(&call.request).text),
        (vec![], kind.read(&kind.sample()).text)
    );
}

#[rstest]
#[case::alone("")]
#[case::after_another("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
#[case::after_chunks("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")]
#[tokio::test]
async fn a_length_beside_chunks_is_recorded_and_told(#[case] before: &str) {
    let mut site = Site::new(Config::default()).await;
    let chunks = format!("{:x}\r\n{PUBLISHED}\r\n0\r\n\r\n", PUBLISHED.len());
    let head =
        "POST /hooks HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\nTransfer-Encoding: chunked";
    let answer = site.raw(format!("{before}{head}\r\n\r\n{chunks}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    if !before.is_empty() {
        site.next().await;
    }
    let call = site.next().await;
    assert_eq!((call.request.headers.get("content-length"), &call.request.body[..]), (Some("4"), PUBLISHED.as_bytes()));
    let platforms = Platforms::builtin().unwrap();
    let found = platforms.kind("moveo/dialog").unwrap().check_request(&call.request);
    assert!(found.iter().any(|finding| finding.sentence.starts_with("Content-Length stands beside")), "{found:?}");
}

#[tokio::test]
async fn what_no_platform_claims_is_recorded_and_told_its_id() {
    let mut site = Site::new(Config::default()).await;
    let answer = site.raw(b"PATCH /a/b?c=%20&d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let call = site.recorded().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{{\"recorded\":true,\"id\":\"{}\"}}", call.id)), "{answer}");
    assert_eq!((call.kind, call.sig, call.error), (None, None, None));
    assert_eq!((call.request.method.as_str(), call.request.target.as_str()), ("PATCH", "/a/b?c=%20&d"));
}

#[rstest]
#[case::plain("GET / HTTP/1.1", None, 200)]
#[case::head("HEAD / HTTP/1.1", None, 200)]
#[case::of_a_route("GET / HTTP/1.1", Some(201), 201)]
#[case::no_content("GET / HTTP/1.1", Some(204), 204)]
#[case::not_modified("GET / HTTP/1.1", Some(304), 304)]
#[tokio::test]
async fn the_recorded_answer_is_what_the_caller_gets(
    #[case] line: &str,
    #[case] reply: Option<u16>,
    #[case] status: u16,
) {
    let mut config = Config::default();
    if let Some(status) = reply {
        let headers = vec![("X-A".to_owned(), "1".to_owned()), ("x-b".to_owned(), "2".to_owned())];
        let reply = Reply { status, headers, body: "hello".into() };
        let source = Source::Reply(Arc::new(Replies::always(reply)));
        let respond = Some(Respond { source, ..Respond::default() });
        config.routes.push(Route { path: "/".into(), respond, ..Route::default() });
    }
    let mut site = Site::new(config).await;
    let answer = site.raw(format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let response = site.recorded().await.response.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    assert!(lines.next().unwrap().starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    // `connection` answers the one in the request: it is of the connection, not of the call.
    let came: Headers = lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| *name != "connection")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(came, response.headers);
    assert_eq!((response.status, response.body), (status, Bytes::from(body.to_owned())));
}

#[rstest]
#[case::just_over(1001)]
#[case::several_times(5000)]
#[case::far_more_than_the_buffers(9_000_000)]
#[tokio::test]
async fn a_body_over_the_limit_gets_a_413_and_its_beginning_is_kept(#[case] size: usize) {
    let limit = (size / 9).max(1000);
    let mut site = Site::new(limits(limit, Duration::from_mins(1))).await;
    let body: String = (0..size).map(|index| char::from(b'a' + u8::try_from(index % 26).unwrap())).collect();
    let answer = site.raw(&post("/x", &body)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(&format!("the body is longer than the limit of {limit} bytes")), "{answer}");
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&body.as_bytes()[..limit], true));
    assert!(call.error.unwrap().contains("listen.max_body sets the limit"));
    assert_eq!(call.response.unwrap().status, 413);
}

#[tokio::test]
async fn a_body_of_the_limit_is_whole() {
    let mut site = Site::new(limits(10, Duration::from_mins(1))).await;
    assert!(site.raw(&post("/x", "0123456789")).await.starts_with("HTTP/1.1 200 "));
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut, call.error), (&b"0123456789"[..], false, None));
}

#[tokio::test]
async fn a_body_that_does_not_come_gets_a_408() {
    let mut site = Site::new(limits(1000, Duration::from_millis(50))).await;
    let answer = site.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not come whole within 50ms"), "{answer}");
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&b"half"[..], true));
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_is_recorded() {
    let mut site = Site::new(Config::default()).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    drop(stream);
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&b"half"[..], true));
    let error = call.error.unwrap();
    assert!(error.starts_with("the caller went away in the middle of the body: "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_many_threads_are_all_recorded_and_answered() {
    let mut site = Site::new(Config::default()).await;
    let answers = futures_util::future::join_all((0..20).map(|_| site.post("/", "", "many"))).await;
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200 ")));
    for _ in 0..20 {
        assert_eq!(site.next().await.request.body, "many");
    }
    site.stop();
    site.stopped().await;
    assert!(TcpStream::connect(site.address).await.is_err());
}

#[rstest]
#[case::goes(false)]
#[case::resets(true)]
#[tokio::test]
async fn a_caller_that_does_not_wait_for_its_answer_is_recorded(#[case] resets: bool) {
    let mut site = Site::new(Config::default()).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(&post("/", "all of it")).await.unwrap();
    if resets {
        stream.set_zero_linger().unwrap();
    }
    drop(stream);
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.error), (&b"all of it"[..], None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_is_recorded_though_its_caller_and_the_listener_go() {
    let (target, url) = server().await;
    let mut site = Site::new(responding(forwarding(&[&url]))).await;
    let mut caller = TcpStream::connect(site.address).await.unwrap();
    caller.write_all(&post("/", "mine")).await.unwrap();
    let (mut forwarded, _) = target.accept().await.unwrap();
    drop(caller);
    site.stop();
    while TcpStream::connect(site.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    forwarded.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    site.stopped().await;
    let call = tokio::time::timeout(Duration::from_secs(10), site.next()).await.expect("it is recorded");
    assert_eq!((&call.request.body[..], call.forwarded.is_some()), (&b"mine"[..], true));
}

#[tokio::test]
async fn a_stream_that_is_reset_in_the_middle_is_recorded() {
    let mut site = Site::new(Config::default()).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let get = || client.get(site.url("/")).send();
    get().await.unwrap();
    let (mut half, body) = http_body_util::channel::Channel::<Bytes>::new(1);
    half.send_data("half".into()).await.unwrap();
    let mut broken = Box::pin(client.post(site.url("/")).body(reqwest::Body::wrap(body)).send());
    assert!(futures_util::poll!(&mut broken).is_pending());
    // On the same connection, so when it is answered the other one has come as well.
    get().await.unwrap();
    drop(broken);
    for _ in 0..2 {
        assert_eq!(site.next().await.request.method, "GET");
    }
    let call = site.next().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&b"half"[..], true));
    assert!(call.error.as_ref().unwrap().starts_with("the caller went away in the middle of the body: "), "{call:?}");
}

#[tokio::test]
async fn chunks_that_are_none_are_not_taken_for_a_caller_that_went_away() {
    let mut site = Site::new(Config::default()).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = site.raw(format!("{head}3\r\nabc\r\nZZ\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("not framed as HTTP has it"), "{answer}");
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&b"abc"[..], true));
    assert!(call.error.as_ref().unwrap().starts_with("the body is not framed as HTTP has it: "), "{call:?}");
}

#[tokio::test]
async fn chunks_make_one_body() {
    let mut site = Site::new(Config::default()).await;
    site.raw(
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
          3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nX-Trailer: 1\r\n\r\n",
    )
    .await;
    let call = site.recorded().await;
    assert_eq!((call.request.body.as_ref(), call.request.cut), (&b"abcd"[..], false));
    assert_eq!(call.request.headers.get("transfer-encoding"), Some("chunked"));
    assert_eq!(call.request.peer, Some([127, 0, 0, 1].into()));
}

#[tokio::test]
async fn headers_are_kept_whatever_their_bytes_and_however_often() {
    let mut site = Site::new(Config::default()).await;
    site.raw(
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-Bytes: \xff\xe9\r\nX-A: 2\r\nx-a: 1\r\nConnection: close\r\n\r\n",
    )
    .await;
    let headers = site.recorded().await.request.headers;
    assert_eq!(headers.all("x-a").collect::<Vec<_>>(), ["1", "2", "1"]);
    assert_eq!(headers.all("x-bytes").collect::<Vec<_>>(), [&b"\xff\xe9"[..]]);
    assert_eq!(header_names(&headers).first(), Some(&"host"));
}

#[tokio::test]
async fn http_2_has_its_host_where_http_1_has_it() {
    let mut site = Site::new(Config::default()).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.post(site.url("/two?x")).header("x-a", "1").body("hello").send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_2, 200));
    let call = site.recorded().await;
    assert_eq!(call.request.headers.iter().next(), Some(("host", &Bytes::from(site.address.to_string()))));
    assert_eq!((call.request.target.as_str(), call.request.body.as_ref()), ("/two?x", &b"hello"[..]));
    assert_eq!(call.request.url(), site.url("/two?x"));
}

#[rstest]
#[case::absolute("GET http://elsewhere:1/a?b HTTP/1.1", "/a?b")]
#[case::no_path("GET http://elsewhere:1 HTTP/1.1", "/")]
#[case::asterisk("OPTIONS * HTTP/1.1", "*")]
#[case::as_written("GET //a/../b%2F?x=1&&x=%zz?y HTTP/1.1", "//a/../b%2F?x=1&&x=%zz?y")]
#[tokio::test]
async fn a_target_is_kept_as_path_and_query(#[case] line: &str, #[case] target: &str) {
    let mut site = Site::new(Config::default()).await;
    site.raw(format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await;
    assert_eq!(site.recorded().await.request.target, target);
}

#[tokio::test]
async fn a_route_has_its_own_kind_secret_and_reply() {
    let route = |path: &str, kind: Option<&str>, secret: Option<&str>, reply: Option<&str>| Route {
        path: path.into(),
        kind: kind.map(ToOwned::to_owned),
        secrets: secret.map(|secret| Secret::new("env:OWN", secret)).into_iter().collect(),
        respond: reply.map(|body| {
            let reply = Reply { status: 202, headers: Vec::new(), body: body.to_owned().into() };
            Respond { source: Source::Reply(Arc::new(Replies::always(reply))), ..Respond::default() }
        }),
        ..Route::default()
    };
    let config = Config {
        routes: vec![
            route("/own", Some("moveo/post_message"), Some("123456789"), None),
            route("/other", None, Some("987654321"), Some("fixed")),
            route("/all/*", Some("moveo/dialog"), None, Some("prefix")),
            route("/all/but", None, None, None),
        ],
        ..Config::default()
    };
    let mut site = Site::new(config).await;
    let client = reqwest::Client::new();
    for (path, body, kind, sig, status, answer) in [
        ("/own", PUBLISHED, Some("moveo/post_message"), Some(Sig::Valid), 200, None),
        ("/own?x=1", PUBLISHED, Some("moveo/post_message"), Some(Sig::Valid), 200, None),
        ("/other", PUBLISHED, Some("moveo/dialog"), Some(Sig::Invalid), 202, Some("fixed")),
        ("/all/", PUBLISHED, Some("moveo/dialog"), Some(Sig::NoSecret), 202, Some("prefix")),
        ("/all/of/it", "nothing", Some("moveo/dialog"), Some(Sig::NoSecret), 202, Some("prefix")),
        ("/all/but", "nothing", None, None, 200, None),
        ("/all", PUBLISHED, Some("moveo/dialog"), Some(Sig::NoSecret), 200, None),
    ] {
        let sent = client.post(site.url(path)).header("x-moveo-signature", SIGNATURE).body(body).send().await.unwrap();
        let call = site.next().await;
        assert_eq!((call.kind.as_deref(), call.sig, sent.status().as_u16()), (kind, sig, status), "{path}");
        let came = sent.text().await.unwrap();
        assert!(answer.is_none_or(|answer| answer == came), "{path}: {came}");
    }
}

#[rstest]
#[case(OnFull::Refuse, 503)]
#[case(OnFull::Answer, 200)]
#[tokio::test]
async fn what_cannot_be_recorded_is_answered_as_configured(#[case] on_full: OnFull, #[case] status: u16) {
    let config = Config { record: Record { on_full, ..Record::default() }, ..Config::default() };
    let mut site = Site::new(config).await;
    // Somebody puts another file in the recording's place: nothing can be written until it is gone.
    std::fs::remove_file(&site.path).unwrap();
    std::fs::write(&site.path, "mine\n").unwrap();
    let answer = site.raw(&post("/", "{}")).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(!answer.contains(site.path.to_str().unwrap()), "{answer}");
    assert!(matches!(site.events.recv().await, Some(Recorded::Failed { unrecorded: 1, .. })));
    std::fs::remove_file(&site.path).unwrap();
    assert!(site.raw(&post("/", "{}")).await.starts_with("HTTP/1.1 200 "));
    assert!(matches!(site.events.recv().await, Some(Recorded::Reopened { .. })));
    site.recorded().await;
}

#[tokio::test]
async fn a_stop_lets_calls_under_way_finish_and_takes_no_more() {
    let mut site = Site::new(Config::default()).await;
    let address = site.address;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n", "the call is under way");
    site.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"done").await.unwrap();
    answer.clear();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
    site.stopped().await;
    assert_eq!(site.recorded().await.request.body, "done");
}

#[tokio::test]
async fn what_has_not_come_whole_or_has_no_answer_at_the_end_is_recorded_as_it_is() {
    let (target, url) = server().await;
    let mut site = Site::new(responding(forwarding(&[&url]))).await;
    let mut half = TcpStream::connect(site.address).await.unwrap();
    half.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n").await.unwrap();
    half.read_exact(&mut [0; 25]).await.unwrap();
    half.write_all(b"half").await.unwrap();
    let mut whole = TcpStream::connect(site.address).await.unwrap();
    whole.write_all(&post("/", "whole")).await.unwrap();
    let _silent = target.accept().await.unwrap();
    // Nobody waits for the seconds of grace.
    tokio::time::pause();
    site.stop();
    site.stopped().await;
    let mut calls = [site.next().await, site.next().await];
    calls.sort_by_key(|call| call.request.body.len());
    let errors = calls.each_ref().map(|call| call.error.clone().unwrap_or_default());
    assert_eq!(
        calls.each_ref().map(|call| (&call.request.body[..], call.request.cut)),
        [(&b"half"[..], true), (b"whole", false)]
    );
    assert!(errors.iter().all(|error| error.starts_with("hooktape was stopped before the ")), "{errors:?}");
    assert!(calls[1].forwarded.is_some(), "it has left");
}

#[tokio::test]
async fn the_host_that_counts_comes_first_and_another_is_kept() {
    let mut site = Site::new(Config::default()).await;
    for (line, host, expected) in [
        ("http://seen.example/a?b", "other.example", vec!["seen.example", "other.example"]),
        ("http://seen.example/a?b", "Seen.example", vec!["Seen.example"]),
        ("/a?b", "other.example", vec!["other.example"]),
    ] {
        site.raw(format!("GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        let call = site.next().await;
        let hosts: Vec<_> = call.request.headers.all("host").map(|host| String::from_utf8_lossy(host)).collect();
        assert_eq!((&*call.request.target, hosts), ("/a?b", expected.into_iter().map(Into::into).collect()));
    }
}

#[test]
fn who_hung_up_got_no_answer_whatever_else_went_wrong() {
    for error in [None, Some("the target is down"), Some("the caller hung up while the call was held")] {
        let told = hung_up(error.map(ToOwned::to_owned), Duration::from_secs(1));
        assert!(told.starts_with(HUNG_UP) && error.is_none_or(|error| told.ends_with(error)), "{told}");
    }
}

#[tokio::test]
async fn a_taken_address_is_told_with_the_repair() {
    let site = Site::new(Config::default()).await;
    let error = bind(site.address).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{} is taken by another program", site.address)), "{error}");
    assert!(
        bind("192.0.2.1:1".parse().unwrap()).await.unwrap_err().to_string().starts_with("cannot listen on 192.0.2.1:1")
    );
}
