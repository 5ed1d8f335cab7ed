mod failures;
mod tls;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;
use crate::call::Sig;
use crate::config::{Certificate, Config, Listen, Secret, Secrets, Target};
use crate::net::outgoing::SignMode;
use crate::net::testing::{Site, platforms_with, read_message, server, with_secret};
use crate::signature::{Scheme, TokenAlgorithm, claim, keys};

const TIMEOUT: Duration = Duration::from_secs(20);

fn sender(site: &Site) -> Sender {
    Sender::new(site.platforms.clone(), site.keyring.clone())
}

fn outgoing(url: &str, request: Request) -> Outgoing {
    Outgoing {
        request,
        url: url.parse().unwrap(),
        kind: None,
        signing: Signing::Exact,
        secrets: Vec::new(),
        parent: None,
        conversation: None,
        timeout: TIMEOUT,
        tls: crate::config::Tls::default(),
        fault: None,
        avoid: None,
        virtual_host: None,
        dropped: Vec::new(),
        set: Vec::new(),
    }
}

fn request(method: &str, fields: &[(&str, &'static [u8])], body: &'static [u8]) -> Request {
    let headers = fields.iter().map(|(name, value)| (*name, Bytes::from_static(value))).collect();
    Request { method: method.into(), headers, body: body.into(), ..Request::default() }
}

#[tokio::test]
async fn a_calls_time_is_when_it_left_not_when_it_was_prepared() {
    let site = Site::new(Config::default()).await;
    let sender = sender(&site);
    let first = sender.prepare(outgoing(&site.url("/"), request("POST", &[], b"{}")));
    let again = first.clone();
    for prepared in [first, again] {
        let before = Timestamp::now();
        let call = sender.exchange(prepared, &mut Wire::default(), std::future::pending()).await;
        assert!(before <= call.at && call.at <= Timestamp::now(), "{before} {}", call.at);
    }
}

#[tokio::test]
async fn the_time_to_make_a_client_is_not_the_calls() {
    let site = Site::new(Config::default()).await;
    let sender = sender(&site);
    let url = format!("https://{}/", site.address);
    let ready = crate::net::testing::held(sender.clients.clone());
    let call = sender.prepare(outgoing(&url, request("POST", &[], b"{}")));
    let call = sender.exchange(call, &mut Wire::default(), std::future::pending()).await;
    let since = ready.join().unwrap().elapsed();
    assert!(call.took <= since, "{:?}, though it could leave only {since:?} ago", call.took);
}

/// An endpoint on a free port that reads a whole request, answers with these bytes and closes; gives what it read, head and body.
async fn endpoint(answer: &'static [u8]) -> (String, JoinHandle<(String, Vec<u8>)>) {
    let (socket, url) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = socket.accept().await.unwrap();
        let came = read_message(&mut stream).await.unwrap();
        stream.write_all(answer).await.unwrap();
        came
    });
    (url, serving)
}

#[rstest]
#[case::post("POST", b"{\"a\": 1e3,\r\n \"b\":\"\xc3\xa9\"}")]
#[case::not_text("POST", b"\x00\xff\xfe")]
#[case::empty("POST", b"")]
#[case::put_of_nothing("PUT", b"")]
#[case::get("GET", b"")]
#[case::delete("DELETE", b"")]
#[case::head("HEAD", b"")]
#[case::get_with_body("GET", b"x")]
#[case::own_method("PURGE", b"x")]
#[tokio::test]
async fn what_is_recorded_as_sent_is_what_arrives(
    #[case] method: &str,
    #[case] body: &'static [u8],
    #[values(false, true)] over_tls: bool,
) {
    let listen = Listen { tls: over_tls.then_some(Certificate::SelfSigned), ..Listen::default() };
    let mut site = Site::new(Config { listen, ..Config::default() }).await;
    let fields: &[(&str, &[u8])] = &[
        ("Host", b"of.the.original"),
        ("X-B", b"1"),
        ("X-A", b"\xff\xe9"),
        ("Connection", b"keep-alive, X-Hop"),
        ("X-Hop", b"1"),
        ("Keep-Alive", b"timeout=5"),
        ("Transfer-Encoding", b"chunked"),
        ("Content-Length", b"999"),
        ("Expect", b"100-continue"),
        ("Upgrade", b"h2c"),
        ("TE", b"trailers"),
        ("Accept-Encoding", b"gzip"),
        ("x-b", b"2"),
    ];
    let url = format!("http{}://{}/path//x?y=1&&z=%20", if over_tls { "s" } else { "" }, site.address);
    let any = Tls { any_certificate: true, ..Tls::default() };
    let sent = sender(&site).send(Outgoing { tls: any, ..outgoing(&url, request(method, fields, body)) }).await;
    let came = site.recorded().await;
    assert_eq!(sent.error, None);
    assert_eq!((&sent.request.method, &sent.request.target), (&came.request.method, &came.request.target));
    assert_eq!(sent.request.headers, came.request.headers);
    assert_eq!((&sent.request.body[..], &came.request.body[..]), (body, body));
    assert_eq!(sent.request.url(), url);
    assert_eq!(sent.response, came.response, "and what comes back is what was answered");
    let names: Vec<&str> = sent.request.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names[..5], ["host", "x-b", "x-b", "x-a", "accept"]);
    assert_eq!((names.len(), sent.request.headers.get("content-length")), (6, Some(&*body.len().to_string())));
}

#[test]
fn a_body_that_is_not_there_has_a_length_where_servers_expect_one() {
    let said = |method: &str, fields: &[(&str, &'static [u8])]| tells_its_length(&request(method, fields, b""));
    let length: (&str, &[u8]) = ("Content-Length", b"0");
    assert_eq!(
        ["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD"].map(|method| said(method, &[])),
        [true, true, true, false, false, false]
    );
    assert!(said("GET", &[length]));
}

#[rstest]
#[case::fresh(SignMode::Fresh, Sig::Valid)]
#[case::exact(SignMode::Exact, Sig::Invalid)]
#[tokio::test]
async fn a_changed_body_is_signed_anew_unless_it_is_to_stay(#[case] mode: SignMode, #[case] expected: Sig) {
    let mut site = Site::new(with_secret()).await;
    let platforms = site.platforms.clone();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let mut request = kind.sample();
    let secret = site.keyring.signing(kind, &request, &[]).unwrap();
    kind.sign(&mut request, secret.as_ref(), Timestamp::now()).unwrap();
    let before = request.headers.get("x-moveo-signature").unwrap().to_owned();
    request.body = [&request.body[..], b" "].concat().into();
    let target = Target::new("x", site.url(""));
    let outgoing = Outgoing::aim(request, Some(kind), &target, mode, &site.keyring, None).unwrap();
    let sent = sender(&site).send(outgoing).await;
    let came = site.recorded().await;
    assert_eq!((sent.sig, came.sig), (Some(expected), Some(expected)));
    assert_eq!(came.request.target, "/hooks/moveo/dialog");
    let signatures: Vec<_> = came.request.headers.all("x-moveo-signature").collect();
    assert_eq!(signatures.len(), 1);
    assert_eq!(signatures[0] == before.as_bytes(), mode == SignMode::Exact);
}

#[tokio::test]
async fn a_target_has_its_own_secret_and_headers() {
    let mut site = Site::new(with_secret()).await;
    let platforms = site.platforms.clone();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let mut target = Target::new("x", site.url("/{platform}/at{path}"));
    target.secrets = vec![Secret::new("env:OTHER", "other")];
    target.headers = vec![("Authorization".to_owned(), "Bearer x".to_owned())];
    let outgoing = Outgoing::aim(kind.sample(), Some(kind), &target, SignMode::Fresh, &site.keyring, None).unwrap();
    let sent = sender(&site).send(outgoing).await;
    let came = site.recorded().await;
    assert_eq!((sent.sig, came.sig), (Some(Sig::Valid), Some(Sig::Invalid)));
    assert_eq!(came.request.headers.get("authorization"), Some("Bearer x"));
    assert_eq!(came.request.target, "/moveo/at/hooks/moveo/dialog");
}

#[rstest]
#[case::dropped(true)]
#[case::what_is_not(false)]
#[tokio::test]
async fn a_header_that_is_dropped_does_not_leave(#[case] drops: bool) {
    let site = Site::new(with_secret()).await;
    let kind = site.platforms.kind("moveo/dialog").unwrap();
    let (url, serving) = endpoint(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let mut target = Target::new("x", &url);
    let names = ["Accept", "User-Agent", "accept-encoding", "X-Moveo-Signature", "Content-Type", "Host", "X-Own"];
    if drops {
        target.drop_headers = names.map(str::to_owned).to_vec();
        target.headers = vec![("x-own".to_owned(), "given".to_owned())];
    }
    let request = Request { body: "{}".into(), ..kind.sample() };
    let outgoing = Outgoing::aim(request, Some(kind), &target, SignMode::Fresh, &site.keyring, None).unwrap();
    let sent = sender(&site).send(outgoing).await;
    assert_eq!((sent.error.as_deref(), sent.status()), (None, Some(200)));
    assert_eq!(sent.sig, Some(if drops { Sig::Missing } else { Sig::Valid }));
    let came = serving.await.unwrap().0.to_lowercase();
    let came = |name: &str| came.contains(&format!("\r\n{name}: "));
    for name in ["accept", "user-agent", "x-moveo-signature", "content-type"] {
        assert_eq!((came(name), sent.request.headers.has(name)), (!drops, !drops), "{name}");
    }
    assert!(!came("accept-encoding") && came("host") && came("content-length"));
    assert_eq!(came("x-own"), drops);
}

#[test]
fn what_a_target_sets_leaves_whatever_the_calls_connection_names() {
    let platforms = std::sync::Arc::new(Platforms::builtin().unwrap());
    let keyring = std::sync::Arc::new(Keyring::new(Secrets::default()));
    let target =
        Target { headers: vec![("X-Env".to_owned(), "staging".to_owned())], ..Target::new("x", "http://127.0.0.1:1") };
    let came =
        request("POST", &[("Connection", b"close, x-env, X-Hop"), ("X-ENV", b"of then"), ("x-hop", b"1")], b"{}");
    let aimed = Outgoing::aim(came, None, &target, SignMode::Exact, &keyring, None).unwrap();
    let headers = Sender::new(platforms, keyring).prepare(aimed).request.headers;
    let left = ["x-env", "x-hop", "connection"].map(|name| headers.get(name));
    assert_eq!(left, [Some("staging"), None, None]);
}

#[tokio::test]
async fn a_body_that_was_not_waited_for_does_not_keep_the_next_call() {
    let (socket, url) = server().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = socket.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = [0; 1];
                stream.read_exact(&mut head).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                // The connection stays, and nothing more is read.
                std::future::pending::<()>().await;
            });
        }
    });
    let (platforms, keyring) = (Platforms::builtin().unwrap(), Keyring::new(Secrets::default()));
    let sender = Sender::new(platforms.into(), keyring.into());
    let long = Request { body: vec![b'a'; 16 << 20].into(), ..request("POST", &[], b"") };
    let slow = Outgoing { fault: Some(Fault::SlowBody(TIMEOUT)), ..outgoing(&url, request("POST", &[], b"slow")) };
    let mut wire = Wire::default();
    for sent in [slow, outgoing(&url, long), outgoing(&url, request("POST", &[], b"{}"))] {
        let call = sender.exchange(sender.prepare(sent), &mut wire, std::future::pending()).await;
        assert_eq!((call.error.as_deref(), call.status()), (None, Some(200)));
        assert!(call.took < TIMEOUT / 4, "{:?}", call.took);
    }
}

#[tokio::test]
async fn over_https_it_does_not_leave_either() {
    let listen = crate::config::Listen { tls: Some(crate::config::Certificate::SelfSigned), ..Default::default() };
    let mut site = Site::new(Config { listen, ..Config::default() }).await;
    let tls = crate::config::Tls { any_certificate: true, ..Default::default() };
    let url = format!("https://localhost:{}/x?y=1", site.address.port());
    let outgoing = outgoing(&url, request("POST", &[], b"{}"));
    let sent = sender(&site).send(Outgoing { tls, dropped: vec!["accept".to_owned()], ..outgoing }).await;
    let came = site.recorded().await;
    assert_eq!((sent.error, came.request.headers.has("accept")), (None, false));
    assert_eq!((&*came.request.target, &came.request.body[..]), ("/x?y=1", &b"{}"[..]));
    assert_eq!(sent.request.headers, came.request.headers);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let site = Site::new(Config::default()).await;
    let (url, serving) =
        endpoint(b"HTTP/1.1 302 Found\r\nLocation: /away\r\nContent-Encoding: gzip\r\nX-A: 1\r\nx-a: 2\r\n\r\nraw")
            .await;
    let call = sender(&site).send(outgoing(&url, request("POST", &[], b"x"))).await;
    serving.await.unwrap();
    let response = call.response.unwrap();
    assert_eq!((response.status, response.body), (302, Bytes::from_static(b"raw")));
    assert_eq!(response.headers.all("x-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(response.headers.get("location"), Some("/away"));
}

#[tokio::test]
async fn what_is_signed_anew_is_found_to_be_signed_so() {
    let site = Site::new(Config::default()).await;
    let sender = sender(&site);
    let mut seen = 0;
    for kind in site.platforms.kinds() {
        let sample = Request { target: format!("/{}", kind.sample().target.trim_start_matches('/')), ..kind.sample() };
        let Ok(secret) = site.keyring.signing_as_a_test(kind) else { continue };
        // What is a target's own is not sent itself there.
        if kind.scheme().is_some_and(Scheme::may_send_a_key) {
            continue;
        }
        let target = Target { secrets: secret.into_iter().collect(), ..Target::new("x", "http://127.0.0.1:1") };
        let aimed = Outgoing::aim(sample, Some(kind), &target, SignMode::Fresh, &site.keyring, None).unwrap();
        let own = aimed.secrets.clone();
        let prepared = sender.prepare(aimed);
        let verdict = site.keyring.judge(&site.platforms, &prepared.request, Some(kind), &own, Timestamp::now());
        assert_eq!(prepared.sig, Some(verdict.sig), "{}: {}", kind.name, verdict.reason);
        seen += usize::from(prepared.sig == Some(Sig::Valid));
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn what_is_delivered_is_recorded_as_a_repetition() {
    let mut site = Site::new(Config::default()).await;
    let parent = Id::fresh();
    let (url, _) = endpoint(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let outgoing = outgoing(&url, request("POST", &[], b"x")).repeating(Some(parent));
    let call = sender(&site).deliver(outgoing, &site.recorder).await.unwrap();
    assert_eq!(site.recorded().await, *call);
    assert_eq!((call.parent, call.direction, call.status()), (Some(parent), Direction::Sent, Some(204)));
}

#[tokio::test]
async fn without_a_secret_the_sentence_has_the_repair() {
    let site = Site::new(Config::default()).await;
    let kind = site.platforms.kind("moveo/dialog").unwrap();
    let aim = |target: &Target, listener| {
        Outgoing::aim(kind.sample(), Some(kind), target, SignMode::Fresh, &site.keyring, listener)
    };
    let mut target = Target::new("x", site.url(""));
    let error = aim(&target, None).unwrap_err();
    assert!(error.contains("--secret moveo=env:MOVEO_TOKEN") && error.contains("exact"), "{error}");
    assert!(matches!(aim(&target, Some(site.address)).unwrap().signing, Signing::Fresh(_)), "but for ourselves");
    target.secrets = vec![Secret::unresolved("env:X", "the variable X is not set")];
    let error = aim(&target, None).unwrap_err();
    assert!(error.contains("the variable X is not set"), "{error}");
}

#[tokio::test]
async fn a_token_is_minted_when_its_call_leaves_and_an_old_one_is_said_to_have_expired() {
    let pack = r#"
        [platform]
        name = "acme"
        title = "Acme"

        [signature.token]
        scheme = "jwt"
        header = "Authorization"
        prefix = "Bearer "
        algorithms = ["RS256"]
        required = ["sub", "exp"]
        lifetime = 4000

        [[kind]]
        name = "back"
        title = "Callback"
        recognise = { method = "POST", path = ["/back"] }
        signature = "token"
        caller = "browser"
        sample = "sample.json"
    "#;
    let key = Secret::new("file:private.pem", keys::new_rsa().unwrap().private_pem);
    let secrets = Secrets([("acme/token".to_owned(), vec![key.clone()])].into_iter().collect());
    let mut site = Site::with(Config { secrets, ..Config::default() }, platforms_with(pack, "{}")).await;
    let kind = site.platforms.kind("acme/back").unwrap();
    let now = Timestamp::now();
    let claims = serde_json::Map::from_iter([("sub".to_owned(), "u-1".into())]);
    let token = keys::mint(&key, &[TokenAlgorithm::Rs256], claims, 4000, now - Duration::from_secs(1804)).unwrap();
    let mut old = kind.sample();
    old.target = "/back".into();
    old.headers.set("authorization", format!("Bearer {token}"));
    let target = Target::new("us", site.url(""));
    let aim = |mode| Outgoing::aim(old.clone(), Some(kind), &target, mode, &site.keyring, None).unwrap();
    let (exact, fresh) = (aim(SignMode::Exact), aim(SignMode::Fresh));

    let verdict = exact.verdict(&site.platforms, &site.keyring, now).unwrap();
    assert_eq!(verdict.sig, Sig::Stale);
    assert!(verdict.reason.contains("it expired 30 minutes before the call"), "{}", verdict.reason);
    assert_eq!(fresh.verdict(&site.platforms, &site.keyring, now), None);

    let sender = sender(&site);
    assert_eq!(sender.send(exact).await.sig, Some(Sig::Stale));
    assert_eq!(site.next().await.sig, Some(Sig::Stale));
    let sent = sender.send(fresh).await;
    assert_eq!((sent.sig, claim(&sent.request, "sub").as_deref()), (Some(Sig::Valid), Some("u-1")));
    assert!(claim(&sent.request, "iat").unwrap().parse::<i64>().unwrap() >= now.as_second());
    assert_eq!(site.next().await.sig, Some(Sig::Valid));
}

#[tokio::test]
async fn a_wire_is_kept_and_a_closed_one_is_opened_again() {
    let site = Site::new(Config::default()).await;
    let (socket, url) = server().await;
    let serving = tokio::spawn(async move {
        // Two calls on the first connection, which is then closed between calls; one on the second.
        let mut counts = Vec::new();
        for calls in [2, 1] {
            let (mut stream, _) = socket.accept().await.unwrap();
            for _ in 0..calls {
                read_message(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
            counts.push(calls);
        }
        counts
    });
    let (sender, mut wire) = (sender(&site), Wire::default());
    for _ in 0..3 {
        let prepared = sender.prepare(outgoing(&url, request("POST", &[], b"x")));
        let call = sender.exchange(prepared, &mut wire, std::future::pending()).await;
        assert_eq!((call.error, call.response.map(|answer| answer.status)), (None, Some(200)));
    }
    assert_eq!(serving.await.unwrap(), [2, 1]);
}

#[rstest]
#[case::slow(Fault::SlowBody(Duration::from_millis(40)))]
#[case::cut(Fault::CutBody)]
#[tokio::test]
async fn a_body_may_come_slowly_or_not_to_its_end(#[case] fault: Fault) {
    let site = Site::new(Config::default()).await;
    let (socket, url) = server().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = socket.accept().await.unwrap();
        let mut came = Vec::new();
        let mut reads = 0;
        while !came.ends_with(b"0123456789") && stream.read_buf(&mut came).await.unwrap() > 0 {
            reads += 1;
        }
        // Nobody may be left to hear it.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        (String::from_utf8(came).unwrap(), reads)
    });
    let faulty = Outgoing { fault: Some(fault), ..outgoing(&url, request("POST", &[], b"0123456789")) };
    let call = sender(&site).send(faulty).await;
    let (came, reads) = serving.await.unwrap();
    assert!(came.contains("content-length: 10\r\n"), "{came}");
    let body = came.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(call.request.body, body.as_bytes(), "what is recorded is what left");
    if fault == Fault::CutBody {
        assert_eq!((body, call.request.cut, call.response), ("01234", true, None));
        assert!(call.error.unwrap().contains("cut on purpose"));
    } else {
        assert_eq!((body, call.request.cut, call.status()), ("0123456789", false, Some(200)));
        assert!(reads > 1, "it came in one piece");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_what_its_endpoint_finds() {
    let site = Site::new(with_secret()).await;
    let sender = sender(&site);
    let kind = site.platforms.kind("moveo/dialog").unwrap();
    let target = Target::new("x", site.url(""));
    let outgoing = Outgoing::aim(kind.sample(), Some(kind), &target, SignMode::Fresh, &site.keyring, None).unwrap();
    let prepare = |fault| sender.prepare(Outgoing { fault, ..outgoing.clone() });
    assert_eq!(prepare(None).sig, Some(Sig::Valid));
    for fault in [Fault::BadSignature, Fault::Tampered] {
        assert_eq!(prepare(Some(fault)).sig, Some(Sig::Invalid), "{fault}");
    }
    assert_eq!(prepare(Some(Fault::CutBody)).sig, Some(Sig::Malformed), "half of what was signed");
}

#[tokio::test]
async fn a_bad_signature_is_bad_for_our_own_listener_too() {
    // Without a configured secret that takes the test secret, and knows what is signed with it.
    let mut site = Site::new(Config::default()).await;
    let sender = sender(&site);
    let kind = site.platforms.kind("moveo/dialog").unwrap();
    let target = Target::new("x", site.url(""));
    let listener = Some(site.address);
    let aimed = Outgoing::aim(kind.sample(), Some(kind), &target, SignMode::Fresh, &site.keyring, listener).unwrap();
    for (fault, sig) in [(None, Sig::Valid), (Some(Fault::BadSignature), Sig::Invalid)] {
        let call = sender.send(Outgoing { fault, ..aimed.clone() }).await;
        assert_eq!(call.sig, Some(sig), "{fault:?}");
        assert_eq!(site.next().await.sig, Some(sig), "{fault:?}");
    }
}
