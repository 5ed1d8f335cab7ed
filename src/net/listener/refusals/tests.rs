//! Raw bytes over loopback: what is no request is told once, with its repair, and recorded where its request line can be read.

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::*;
use crate::config::{Certificate, Config, Listen, Redact};
use crate::net::testing::Site;
use crate::recording::{Position, Reader, Redaction};

#[rstest]
#[case::query(b"GET /h?token=HUSH&x=1 HTTP/1.1\r\na b: c\r\n\r\n", ". It began with: GET /h?token=[redacted]&x=1…")]
#[case::head(b"GET /h HTTP/1.1\r\nAuthorization: Bearer HUSH\r\na b: c\r\n\r\n", ". It began with: GET /h…")]
#[case::no_request(b"{\"password\":\"HUSH\"}\r\n\r\n", ". It began with: {\"password\":\"[redacted]\"}␍␊␍␊")]
#[case::another_protocol(b"SSH-2.0-OpenSSH_9\r\n", ". It began with: SSH-2.0-OpenSSH_9␍␊")]
#[case::header_first(b"X-Key: HUSH\r\nSession: HUSH\r\n\r\n", "with: X-Key: [redacted]␍␊Session: [redacted]␍␊␍␊")]
#[tokio::test]
async fn what_is_told_is_masked_where_recordings_are(#[case] bytes: &[u8], #[case] shown: &str) {
    let (site, mut told) = listening(Config::default()).await;
    send(&site, bytes).await;
    let refused = told.recv().await.unwrap();
    let sentence = refused.told(Some(&Redaction::new(&Redact::default()).unwrap()));
    assert!(sentence.ends_with(shown) && !sentence.contains("HUSH"), "{sentence}");
}

/// A listener, and what it refuses.
async fn listening(config: Config) -> (Site, UnboundedReceiver<Refused>) {
    let site = Site::new(config).await;
    let (tell, told) = mpsc::unbounded_channel();
    let observer = move |told| match told {
        Told::Refused(refused) => drop(tell.send(*refused)),
        other => panic!("{other:?}"),
    };
    site.responders.observe(Box::new(observer), false);
    (site, told)
}

/// Sends these bytes and no more; gives what came back.
async fn send(site: &Site, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is closed on bytes that nobody read is reset, which may overtake the answer.
    if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
        let _ = stream.read_to_end(&mut answer).await;
    }
    answer
}

#[rstest]
#[case::tls(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "speaks TLS", "␖␃␁␂␀␁␀␁\\xfc␃␃")]
#[case::proxy(b"PROXY TCP4 198.51.100.9 10.0.0.1 5 80\r\nGET / HTTP/1.1\r\n\r\n", "PROXY protocol", "PROXY TCP4")]
#[case::http_2(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense and more of it", "announced HTTP/2", "PRI * HTTP/2.0␍␊")]
#[case::half_of_it(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "announced HTTP/2", "PRI * HTTP/2.0␍␊")]
#[case::another_protocol(b"SSH-2.0-OpenSSH_9\r\n", "not HTTP/1.1", "SSH-2.0-OpenSSH_9␍␊")]
#[case::json(b"{\"a\":1}\r\n\r\n", "not HTTP/1.1", "{\"a\":1}␍␊␍␊")]
#[case::left(b"GE", "went away", "GE")]
#[tokio::test]
async fn what_is_no_http_is_told_with_its_beginning(#[case] bytes: &[u8], #[case] why: &str, #[case] shown: &str) {
    let (site, mut told) = listening(Config::default()).await;
    send(&site, bytes).await;
    let refused = told.recv().await.unwrap();
    let sentence = refused.to_string();
    assert!(sentence.starts_with("127.0.0.1 ") && sentence.contains(why), "{sentence}");
    assert!(sentence.contains(&format!("It began with: {shown}")), "{sentence}");
    assert_eq!(call(&refused), None);
    assert_eq!(Reader::open(&site.path).unwrap().entries(Position::default()).count(), 0);
}

#[rstest]
#[case::target(b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Some(400), "/a b", "not HTTP/1.1")]
#[case::version(b"GET /a HTTP/9.9\r\nHost: a\r\n\r\n", Some(400), "/a", "not HTTP/1.1")]
#[case::header(b"GET /a HTTP/1.1\r\nHost: a\r\nX A: 1\r\n\r\n", Some(400), "/a", "not HTTP/1.1")]
#[case::length(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", Some(400), "/a", "content-length")]
#[case::endless(
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551614\r\n\r\n",
    Some(431),
    "/a",
    "content-length"
)]
#[case::left(b"GET /a HTTP/1.1\r\nHost: a\r\nX-", None, "/a", "went away")]
#[tokio::test]
async fn what_has_a_request_line_is_recorded_too(
    #[case] bytes: &[u8],
    #[case] status: Option<u16>,
    #[case] target: &str,
    #[case] why: &str,
) {
    let (mut site, mut told) = listening(Config::default()).await;
    let answer = send(&site, bytes).await;
    let recorded = site.recorded().await;
    assert_eq!((recorded.request.target.as_str(), recorded.status()), (target, status));
    assert_eq!((recorded.request.headers.get("host"), recorded.request.cut), (Some("a"), true));
    assert_eq!(recorded.request.peer, Some([127, 0, 0, 1].into()));
    let came = status.map(|status| format!("HTTP/1.1 {status} ")).unwrap_or_default();
    assert!(answer.starts_with(came.as_bytes()), "{}", String::from_utf8_lossy(&answer));
    assert!(recorded.error.unwrap().contains(why));
    assert!(told.recv().await.unwrap().to_string().contains(why));
}

#[rstest]
#[case::fields(format!("GET /a HTTP/1.1\r\n{}\r\n", "X-A: 1\r\n".repeat(101)), 431, 101)]
#[case::long_field(format!("GET /a HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "a".repeat(2_000_000)), 431, 1)]
#[case::target(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(66_000)), 414, 0)]
#[tokio::test]
async fn what_is_too_long_is_recorded_as_far_as_it_is_kept(
    #[case] request: String,
    #[case] status: u16,
    #[case] fields: usize,
) {
    let (mut site, mut told) = listening(Config::default()).await;
    send(&site, request.as_bytes()).await;
    let recorded = site.recorded().await;
    assert_eq!((recorded.status(), recorded.request.headers.iter().count()), (Some(status), fields));
    assert!(recorded.request.target.starts_with("/a"));
    let size = recorded.request.target.len() + recorded.request.body.len();
    assert!(size <= 64 * 1024, "{size}");
    let why = if status == 414 { Why::LongTarget } else { Why::LongHead };
    assert_eq!(told.recv().await.unwrap().why, why);
}

#[tokio::test]
async fn a_request_before_it_is_not_taken_for_it() {
    let (mut site, mut told) = listening(Config::default()).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(b"POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
    assert_eq!(site.next().await.request.target, "/good");
    let mut answer = vec![0; 1024];
    let _ = stream.read(&mut answer).await.unwrap();
    stream.write_all(b"GET /bad HTTP/1.1\r\nX A: 1\r\n\r\n").await.unwrap();
    let call = site.next().await;
    assert_eq!((call.request.target.as_str(), call.status()), ("/bad", Some(400)));
    assert!(told.recv().await.unwrap().came.starts_with(b"GET /bad"));
}

#[rstest]
#[case::alone("GET /good HTTP/1.1\r\nHost: a\r\n\r\n")]
#[case::with_a_body("POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")]
#[case::in_chunks(
    "POST /good HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n\r\n"
)]
#[tokio::test]
async fn what_comes_in_one_go_with_a_request_is_told_too(#[case] good: &str) {
    let (mut site, mut told) = listening(Config::default()).await;
    let answer = send(&site, format!("{good}\0 bad\r\n\r\n").as_bytes()).await;
    let refused = told.recv().await.unwrap();
    assert!(matches!(refused.why, Why::Malformed(_)) && refused.came.starts_with(b"\0 bad"), "{refused:?}");
    assert!(answer.ends_with(&refused.answer) && refused.answer.starts_with(b"HTTP/1.1 400 "), "{refused:?}");
    assert_eq!(site.next().await.request.target, "/good");
    for (next, status) in [("GET /bad HTTP/1.1\r\nX A: 1\r\n\r\n", Some(400)), ("GET /half HTTP/1.1\r\nX-A", None)] {
        send(&site, format!("{good}{good}{next}").as_bytes()).await;
        assert_eq!([site.next().await, site.next().await].map(|call| call.status()), [Some(200); 2]);
        let call = site.next().await;
        assert!(call.request.cut && next.contains(&call.request.target), "{call:?}");
        assert_eq!(call.status(), status);
    }
}

#[tokio::test]
async fn who_comes_and_goes_without_a_word_is_not_told() {
    let (mut site, mut told) = listening(Config::default()).await;
    drop(TcpStream::connect(site.address).await.unwrap());
    send(&site, b"").await;
    send(&site, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    site.next().await;
    site.stop();
    site.stopped().await;
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn what_was_kept_back_is_told_when_the_listener_ends() {
    let (mut site, mut told) = listening(Config::default()).await;
    for _ in 0..3 {
        send(&site, b"SSH-2.0-OpenSSH_9\r\n").await;
    }
    assert_eq!(told.recv().await.unwrap().more, 0);
    site.stop();
    site.stopped().await;
    assert_eq!(told.try_recv().unwrap().more, 2);
    assert!(told.try_recv().is_err());
}

#[rstest]
#[case::of_http_1(b"GET /slow HTTP/1.1\r\nHost:", Some("/slow"))]
#[case::that_may_become_http_2(b"PRI * HTTP/2.0", None)]
#[case::without_a_byte(b"", None)]
#[tokio::test(start_paused = true)]
async fn half_a_head_ends_in_time(#[case] bytes: &[u8], #[case] target: Option<&str>) {
    let (mut site, mut told) = listening(Config::default()).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    if bytes.is_empty() {
        assert!(told.try_recv().is_err());
        return;
    }
    assert!(told.recv().await.unwrap().to_string().contains("within 30 seconds"));
    if let Some(target) = target {
        assert_eq!(site.next().await.request.target, target);
    }
}

#[tokio::test]
async fn who_does_not_trust_the_certificate_is_told_with_its_file() {
    let listen = Listen { tls: Some(Certificate::SelfSigned), ..Listen::default() };
    let (site, mut told) = listening(Config { listen, ..Config::default() }).await;
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(format!("https://localhost:{}/", site.address.port())).send().await.is_err());
    let sentence = told.recv().await.unwrap().to_string();
    assert!(sentence.contains("does not trust the certificate (UnknownCA): have it trust /"), "{sentence}");
    send(&site, b"\x16\x03\x01\x00\x02no").await;
    let sentence = told.recv().await.unwrap().to_string();
    assert!(sentence.contains("began TLS and failed ("), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_told_now_and_then_with_its_count() {
    let (site, mut told) = listening(Config::default()).await;
    let lane = Lane::new(Arc::default(), site.platforms.clone(), site.keyring.clone(), site.recorder.clone());
    let lane = Lane { responders: site.responders.clone(), ..lane };
    let refusals = Arc::new(Refusals::new(Arc::new(lane)));
    let refuse = async |why, peer: u8| {
        let peer = [10, 0, 0, peer].into();
        let refused = Refused { peer, why, came: "x".into(), answer: "".into(), took: Duration::ZERO, more: 0 };
        refusals.clone().take(refused).await;
    };
    for peer in 1..=20 {
        refuse(Why::Tls, peer).await;
    }
    refuse(Why::Left, 30).await;
    let mut next = async || told.recv().await.map(|told| (told.why, told.peer.to_string(), told.more)).unwrap();
    assert_eq!(next().await, (Why::Tls, "10.0.0.1".into(), 0));
    assert_eq!(next().await, (Why::Left, "10.0.0.30".into(), 0), "another sort is told at once");
    assert_eq!(next().await, (Why::Tls, "10.0.0.20".into(), 19));
    refuse(Why::Tls, 40).await;
    assert_eq!(next().await, (Why::Tls, "10.0.0.40".into(), 1));
    tokio::time::sleep(2 * PAUSE).await;
    refuse(Why::Tls, 50).await;
    assert_eq!(next().await, (Why::Tls, "10.0.0.50".into(), 0), "the flood is over");
}
