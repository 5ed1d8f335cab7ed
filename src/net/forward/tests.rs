use std::time::Duration;

use rstest::rstest;

use super::Forwarder;
use crate::call::{Direction, Request};
use crate::config::{Certificate, Config, Listen, Respond, Source, Target, Tls};
use crate::net::base_url;
use crate::net::responder::{Health, Told};
use crate::net::room::{Room, Taking};
use crate::net::testing::{Backend, Site, forwarding, responding, server};

const ANSWER: &str = "HTTP/1.1 201 Created\r\nX-Own: a\r\nSet-Cookie: b\r\nSet-Cookie: c\r\nConnection: x-hop\r\n\
                      X-Hop: 1\r\nContent-Length: 11\r\n\r\n{\"a\": 1.0}\n";

#[tokio::test]
async fn the_body_goes_through_byte_for_byte_and_the_real_answer_comes_back() {
    let mut backend = Backend::new(ANSWER).await;
    let mut site = Site::new(responding(forwarding(&[&backend.url("")]))).await;
    let body = "{\"n\": 1e3,  \"é\":\"\\u00e9\"}\r\n";
    let headers = "X-Moveo-Signature: abc\r\nKeep-Alive: 9\r\nConnection: x-mine\r\nX-Mine: 1\r\nAccept-Encoding: br\r\n\
                   X-Forwarded-For: 6.6.6.6\r\n";
    let answer = site.post("/a%20b/../c?x=%41", headers, body).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\n{\"a\": 1.0}\n") && answer.contains("set-cookie: b\r\nset-cookie: c\r\n"),
        "{answer}"
    );
    assert!(!answer.contains("x-hop"), "{answer}");
    let (head, came) = backend.next().await;
    assert_eq!(came, body.as_bytes());
    let head = head.to_lowercase();
    assert!(head.starts_with("post /a%20b/../c?x=%41 http/1.1\r\n"), "{head}");
    for field in [
        format!("host: {}\r\n", backend.address),
        "x-moveo-signature: abc\r\n".into(),
        "x-forwarded-host: hook.example\r\n".into(),
        "x-forwarded-for: 6.6.6.6, 127.0.0.1\r\n".into(),
        "via: 1.1 hooktape-".into(),
        format!("content-length: {}\r\n", body.len()),
    ] {
        assert!(head.contains(&field), "{field}: {head}");
    }
    for name in ["keep-alive:", "x-mine:", "accept-encoding:"] {
        assert!(!head.contains(name), "{name}: {head}");
    }
    let call = site.recorded().await;
    let forwarded = call.forwarded.clone().unwrap();
    assert_eq!(forwarded.to, backend.url("/a%20b/../c"));
    assert!(forwarded.connect_us.is_some() && forwarded.first_byte_us.unwrap() <= forwarded.total_us, "{forwarded:?}");
    assert_eq!((call.status(), call.request.body.as_ref(), call.error), (Some(201), body.as_bytes(), None));
}

#[tokio::test]
async fn a_call_without_a_body_says_so() {
    let mut backend = Backend::new(ANSWER).await;
    let mut site = Site::new(responding(forwarding(&[&backend.url("")]))).await;
    site.post("/x", "", "").await;
    assert!(backend.next().await.0.contains("content-length: 0\r\n"));
    site.next().await;
    site.raw(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(!backend.next().await.0.contains("content-length"));
}

#[rstest]
#[case::of_no_body("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", 304)]
#[case::another_protocol("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 502)]
#[tokio::test]
async fn what_is_recorded_of_an_odd_answer_is_what_the_caller_gets(#[case] odd: &'static str, #[case] status: u16) {
    let backend = Backend::new(odd).await;
    let mut site = Site::new(responding(forwarding(&[&backend.url("")]))).await;
    let answer = site.post("/", "", "{}").await;
    let response = site.recorded().await.response.unwrap();
    assert_eq!(response.status, status);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert_eq!(answer.contains("content-length: "), response.headers.has("content-length"), "{answer}");
}

#[tokio::test]
async fn a_connection_is_kept_and_its_time_told_once() {
    let backend = Backend::new(ANSWER).await;
    let mut site = Site::new(responding(forwarding(&[&backend.url("/own?a=1")]))).await;
    let mut connected = Vec::new();
    for _ in 0..2 {
        site.post("/x?b=2", "", "{}").await;
        connected.push(site.next().await.forwarded.as_ref().unwrap().connect_us.is_some());
    }
    assert_eq!(connected, [true, false]);
}

#[rstest]
#[case::of_its_own("/own", "/own?b=2")]
#[case::with_a_query("/own?a=1", "/own?a=1&b=2")]
#[case::of_the_caller("", "/x?b=2")]
#[case::below("/api{path}", "/api/x?b=2")]
#[case::below_with_a_query("/api{path}?a=1", "/api/x?a=1&b=2")]
#[tokio::test]
async fn a_target_gets_the_path_that_it_asks_for(#[case] path: &str, #[case] expected: &str) {
    let mut backend = Backend::new(ANSWER).await;
    let site = Site::new(responding(forwarding(&[&backend.url(path)]))).await;
    site.post("/x?b=2", "", "{}").await;
    assert!(backend.next().await.0.starts_with(&format!("POST {expected} HTTP/1.1\r\n")));
}

#[tokio::test]
async fn a_target_that_is_down_is_named_and_the_call_recorded() {
    let mut site = Site::new(responding(forwarding(&["http://127.0.0.1:1"]))).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    site.responders.observe(Box::new(move |event| drop(tell.send(event))), false);
    let answer = site.post("/", "", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("nothing listens at 127.0.0.1:1"), "{answer}");
    let call = site.recorded().await;
    assert_eq!((call.status(), call.request.body.as_ref()), (Some(502), &b"{}"[..]));
    assert!(call.error.unwrap().contains("is the server running?"));
    assert!(matches!(told.recv().await, Some(Told::Target(_, Health::Down(why))) if why.contains("127.0.0.1:1")));
    // Once it is known, nothing more is told; where it was out of use meanwhile, it is told anew.
    let slots = site.responders.slots();
    for told_again in [false, true] {
        if told_again {
            site.responders.set(Vec::new());
            site.responders.set(slots.clone());
        }
        site.post("/", "", "{}").await;
        assert_eq!(matches!(told.try_recv(), Ok(Told::Target(_, Health::Down(_)))), told_again);
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_made_for_its_target_learns_nothing_of_it() {
    let mut backend = Backend::new(ANSWER).await;
    let url = backend.url("/api/hook?code=KEY");
    let mut site = Site::new(responding(forwarding(&[&url]))).await;
    let answer = site.post(&format!("/f?{}", "a".repeat(65_500)), "", "").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("its recording says why"), "{answer}");
    let call = site.next().await;
    let error = call.error.clone().unwrap();
    assert!(error.starts_with("not forwarded: target ") && error.contains("longer than 65534 bytes"), "{error}");
    assert_eq!(call.forwarded.as_ref().unwrap().to, backend.url("/api/hook"));
    assert!(!answer.contains("KEY") && !format!("{:?}", call.response).contains("KEY") && !error.contains("KEY"));
    let respond = to(&url, |target| {
        target.lost_headers = vec![("Authorization".into(), "the environment has no OWN_KEY".into())];
    });
    let mut site = Site::new(responding(respond)).await;
    let answer = site.post("/", "Authorization: the-callers\r\n", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && !answer.contains("OWN_KEY"), "{answer}");
    assert!(
        site.next().await.error.as_ref().unwrap().contains("is to get the header Authorization, and the environment")
    );
    assert!(
        futures_util::FutureExt::now_or_never(backend.next()).is_none(),
        "nothing leaves without what it is to have"
    );
}

#[tokio::test]
async fn few_calls_go_on_without_their_callers() {
    let (socket, url) = server().await;
    let mut site = Site::new(responding(forwarding(&[&url]))).await;
    let mut reached = Vec::new();
    for _ in 0..66 {
        let mut caller = tokio::net::TcpStream::connect(site.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut caller, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
            .await
            .unwrap();
        reached.push(socket.accept().await.unwrap());
    }
    for _ in 0..2 {
        let call = site.next().await;
        assert!(call.error.as_ref().unwrap().starts_with("the caller hung up, and as 64 other"), "{:?}", call.error);
        assert_eq!(call.forwarded.as_ref().unwrap().to, format!("{url}/"));
    }
    assert!(site.events.try_recv().is_err(), "the others go on");
}

#[tokio::test]
async fn a_further_target_that_hangs_has_few_calls_and_what_it_has_at_the_end_is_recorded() {
    let (socket, url) = server().await;
    let first = Backend::new(ANSWER).await;
    let mut site = Site::new(responding(forwarding(&[&first.url(""), &url]))).await;
    for _ in 0..65 {
        assert!(site.post("/", "", "{}").await.starts_with("HTTP/1.1 201 "));
    }
    let more = loop {
        let call = site.next().await;
        if call.direction == Direction::Sent {
            break call.error.clone().unwrap();
        }
    };
    assert!(more.starts_with("not sent: 127.0.0.1:") && more.contains("has not answered 64 calls"), "{more}");
    let mut reached = Vec::new();
    for _ in 0..64 {
        reached.push(socket.accept().await.unwrap());
    }
    // Nobody waits for the seconds of grace.
    tokio::time::pause();
    site.stop();
    site.stopped().await;
    let calls = std::iter::from_fn(|| site.events.try_recv().ok());
    let calls = calls.filter_map(|event| match event {
        crate::recording::Recorded::Call(call, _) if call.direction == Direction::Sent => call.error.clone(),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), vec!["hooktape was stopped before the answer was ready"; 64]);
}

#[tokio::test]
async fn a_failure_that_says_nothing_of_the_target_leaves_what_is_known_of_it() {
    let to_each_kind = forwarding(&["http://127.0.0.1:1/{kind}"]);
    let site = Site::new(responding(to_each_kind)).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    site.responders.observe(Box::new(move |event| drop(tell.send(event))), false);
    assert!(site.post("/", "", "{}").await.starts_with("HTTP/1.1 502 "), "of no kind");
    assert!(told.try_recv().is_err());
    assert!(site.post("/hooks/moveo/dialog", "", "{}").await.starts_with("HTTP/1.1 502 "), "nobody listens");
    assert!(matches!(told.try_recv(), Ok(Told::Target(_, Health::Down(_)))));
    site.post("/", "", "{}").await;
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn a_target_that_says_nothing_or_goes_away_is_told_apart() {
    let (_socket, url) = server().await;
    let silent = to(&url, |target| target.timeout = Duration::from_millis(20));
    let mut site = Site::new(responding(silent)).await;
    let answer = site.post("/", "", "{}").await;
    assert!(
        answer.starts_with("HTTP/1.1 504 ") && answer.contains("hooktape forwarded this call, but 127"),
        "{answer}"
    );
    let told = |call: std::sync::Arc<crate::call::Call>| call.error.clone().unwrap();
    let place = url.trim_start_matches("http://");
    let expected = format!("forwarded, but {place} did not answer within 20ms (the target's `timeout`)");
    assert_eq!(told(site.next().await), expected);
    // It takes connections and says nothing, so that TLS does not come about.
    let unconnected = to(&url.replace("http:", "https:"), |target| target.timeout = Duration::from_millis(20));
    let mut site = Site::new(responding(unconnected)).await;
    assert!(site.post("/", "", "{}").await.starts_with("HTTP/1.1 504 "));
    let error = told(site.next().await);
    assert!(error.starts_with(&format!("not forwarded: no connection to {place} within 20ms: ")), "{error}");
    let leaving = Backend::new("").await;
    let site = Site::new(responding(forwarding(&[&leaving.url("")]))).await;
    let answer = site.post("/", "", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("before it had answered"), "{answer}");
    // No name has an empty part, so nobody outside is asked for it.
    let site = Site::new(responding(forwarding(&["http://no..name/"]))).await;
    let answer = site.post("/", "", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("no address is known for no..name ("), "{answer}");
}

#[tokio::test]
async fn a_target_is_sent_neither_what_it_drops_nor_what_it_replaces() {
    let mut backend = Backend::new(ANSWER).await;
    let respond = to(&backend.url(""), |target| {
        target.drop_headers = ["x-secret", "X-Forwarded-For"].map(Into::into).to_vec();
        target.headers = vec![("x-own".into(), "new".into())];
    });
    let site = Site::new(responding(respond)).await;
    site.post(
        "/",
        "Cookie: a=1\r\nCookie: b=2\r\nX-Secret: 1\r\nX-Own: old\r\nX-Kept: 1\r\nX-Forwarded-For: 6.6.6.6\r\n",
        "{}",
    )
    .await;
    let head = backend.next().await.0.to_lowercase();
    assert!(head.contains("x-own: new\r\n") && head.contains("x-kept: 1\r\n") && head.contains("via: "), "{head}");
    assert!(head.contains("cookie: a=1; b=2\r\n"), "{head}");
    assert!(!head.contains("x-secret") && !head.contains("x-forwarded-for") && !head.contains("old"), "{head}");
}

#[tokio::test]
async fn a_target_is_trusted_as_its_tls_options_say() {
    let listen = Listen { tls: Some(Certificate::SelfSigned), ..Listen::default() };
    let backend = Site::new(Config { listen, ..Config::default() }).await;
    let own = std::fs::read(backend.path.with_file_name("certificate.pem")).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    for (host, tls, status) in [
        ("localhost", Tls { authorities: own, ..Tls::default() }, "200"),
        ("127.0.0.1", Tls { any_certificate: true, ..Tls::default() }, "200"),
        ("localhost", Tls { authorities: stranger.into(), ..Tls::default() }, "502"),
        ("localhost", Tls::default(), "502"),
    ] {
        let url = format!("https://{host}:{}/", backend.address.port());
        let site = Site::new(responding(to(&url, |target| target.tls = tls.clone()))).await;
        let answer = site.post("/", "", "{}").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
}

#[tokio::test]
async fn the_time_to_make_a_client_is_not_the_targets() {
    let backend = Backend::new(ANSWER).await;
    let (forwarder, room) = (Forwarder::default(), Room::default());
    let target = Target::new("own", backend.url(""));
    let request = Request { method: "POST".into(), target: "/".into(), ..Request::default() };
    let ready = forwarder.prepare(&request, None, &target, false);
    let made = crate::net::testing::held(forwarder.clients.clone());
    let (answer, times) = forwarder.forward(ready, &target, &mut Taking::of(&room), std::future::pending()).await;
    let since = made.join().unwrap().elapsed();
    assert_eq!(answer.unwrap().status, 201);
    assert!(times.total_us <= u64::try_from(since.as_micros()).unwrap(), "{times:?}, {since:?}");
}

/// Forwarding to one target, after a change to it.
fn to(url: &str, change: impl FnOnce(&mut Target)) -> Respond {
    let mut respond = forwarding(&[url]);
    if let Source::Forward(forward) = &mut respond.source {
        change(&mut std::sync::Arc::make_mut(forward).targets[0]);
    }
    respond
}

#[tokio::test]
async fn what_comes_round_again_is_stopped() {
    let mut site = Site::new(responding(Respond::default())).await;
    let slots = site.responders.slots();
    let here = forwarding(&[&base_url(site.address)]);
    site.responders
        .set(slots.into_iter().map(|slot| crate::net::responder::Slot { respond: here.clone(), ..slot }).collect());
    let answer = site.post("/", "", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 508 ") && answer.contains("leads to this listener"), "{answer}");
    assert_eq!((site.next().await.status(), site.next().await.status()), (Some(508), Some(508)));
}

#[tokio::test]
async fn the_first_of_several_answers_and_the_others_are_calls_of_their_own() {
    let mut first = Backend::new(ANSWER).await;
    let mut second = Backend::new("HTTP/1.1 500 -\r\nContent-Length: 2\r\n\r\nno").await;
    let to = [first.url("/one"), second.url("/two?own=1")];
    let mut site = Site::new(responding(forwarding(&[&to[0], &to[1]]))).await;
    let answer = site.post("/x?q=1", "", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!((first.next().await.1, second.next().await.1), (b"{}".to_vec(), b"{}".to_vec()));
    let calls = [site.next().await, site.next().await];
    let received = calls.iter().find(|call| call.direction == Direction::Received).unwrap();
    let sent = calls.iter().find(|call| call.direction == Direction::Sent).unwrap();
    assert_eq!((sent.parent, sent.status()), (Some(received.id), Some(500)));
    assert_eq!(sent.request.url(), second.url("/two?own=1&q=1"));
    let host = format!("{}", second.address);
    assert_eq!(sent.request.headers.get("host"), Some(host.as_str()));
    assert_eq!(sent.request.headers.get("x-forwarded-host"), Some("hook.example"));
    assert!(sent.request.headers.has("via"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_recorded_so_of_each_target() {
    let backend = Backend::new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok, no chunk").await;
    let mut site = Site::new(responding(forwarding(&[&backend.url("/one"), &backend.url("/two")]))).await;
    assert!(site.post("/", "", "{}").await.starts_with("HTTP/1.1 502 "));
    for _ in 0..2 {
        let call = site.next().await;
        let forwarded = call.forwarded.as_ref().unwrap();
        assert!(forwarded.cut && forwarded.first_byte_us.is_some(), "{call:?}");
    }
}

#[rstest]
#[case::one("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n", Some("42"))]
#[case::twice("HTTP/1.1 200 OK\r\nContent-Length: 42\r\nContent-Length: 42\r\n\r\n", Some("42"))]
#[case::of_two_none_is_true("HTTP/1.1 200 OK\r\nContent-Length: 42\r\nContent-Length: 7\r\n\r\n", None)]
#[tokio::test]
async fn an_answer_to_head_keeps_the_length_that_it_tells(#[case] answered: &'static str, #[case] told: Option<&str>) {
    let backend = Backend::new(answered).await;
    let site = Site::new(responding(forwarding(&[&backend.url("")]))).await;
    let answer = site.raw(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let length = answer.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n") && length == told, "{answer}");
}
