//! Callers who keep a connection for nothing, over loopback with the clock stopped: HTTP/2 in its frames (RFC 9113).

use std::sync::Arc;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::*;
use crate::config::{Config, Fault, Harm, Replies, Reply, Respond, Source};
use crate::net::testing::{Site, responding};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
/// No field and no body follows.
const ALL: u8 = 5;

/// `:method: GET`, `:scheme: http`, `:path: /` (RFC 7541, appendix A).
const GET: &[u8] = &[0x82, 0x86, 0x84];

/// The setting for the window that a stream begins with, and that for how many there may be.
const INITIAL_WINDOW: u8 = 4;
const MOST_STREAMS: u8 = 3;

/// A caller who speaks HTTP/2 and does nothing unasked but to answer pings.
struct Caller(TcpStream);

impl Caller {
    /// One who gives each stream such a window.
    async fn new(site: &Site, window: u32) -> Self {
        let mut caller = Self(TcpStream::connect(site.address).await.unwrap());
        caller.0.write_all(PREFACE).await.unwrap();
        let window = [&[0, INITIAL_WINDOW], &window.to_be_bytes()[..]].concat();
        caller.send(SETTINGS, 0, 0, &window).await;
        caller
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        // Who has been left may learn of it by that.
        let _ = self.0.write_all(&[&head, payload].concat()).await;
    }

    /// The next frame: its kind, flags, stream and payload; none at the end.
    async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        if kind == PING && flags & ACK == 0 {
            self.send(PING, ACK, 0, &payload).await;
        }
        Some((kind, flags, u32::from_be_bytes(stream), payload))
    }

    /// Answers pings to the end; the kinds of frames that came.
    async fn stay(&mut self) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let Some((kind, ..)) = self.next().await {
            kinds.push(kind);
        }
        kinds
    }
}

/// A listener that answers everything with a body of so many bytes.
async fn answering(size: usize, harm: Option<Harm>) -> Site {
    let reply = Reply { status: 200, headers: Vec::new(), body: vec![b'a'; size].into() };
    let source = Source::Reply(Arc::new(Replies::always(reply)));
    let fault = harm.map(|harm| Fault { harm: Some(harm), ..Fault::default() });
    Site::new(responding(Respond { source, fault, ..Respond::default() })).await
}

/// Whether that is about so many times the patience that callers have.
fn is_about(times: u32, time: Duration) -> bool {
    (HEAD * times..HEAD * (times + 1)).contains(&time)
}

#[rstest]
#[case::without_a_call(false)]
#[case::after_a_call(true)]
#[tokio::test(start_paused = true)]
async fn who_only_answers_pings_is_left(#[case] calls: bool) {
    let mut site = Site::new(Config::default()).await;
    let mut caller = Caller::new(&site, 65_535).await;
    if calls {
        caller.send(HEADERS, ALL, 1, GET).await;
        site.next().await;
    }
    let begun = Instant::now();
    let kinds = caller.stay().await;
    assert!(is_about(1, begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!((kinds.contains(&PING), kinds.contains(&GOAWAY)), (true, calls), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_its_time_is_answered() {
    let long = 10 * HEAD;
    let mut site = answering(10, Some(Harm::Slow(10 * long))).await;
    let mut caller = Caller::new(&site, 65_535).await;
    caller.send(HEADERS, ALL, 1, GET).await;
    site.next().await;
    let (begun, mut body) = (Instant::now(), 0);
    while let Some((kind, .., payload)) = caller.next().await {
        body += if kind == DATA { payload.len() } else { 0 };
    }
    assert_eq!(body, 10);
    assert!(begun.elapsed() > 10 * long && begun.elapsed() < 10 * long + 2 * HEAD, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_an_answer_is_left() {
    let mut site = answering(10, None).await;
    let mut caller = Caller::new(&site, 0).await;
    caller.send(HEADERS, ALL, 1, GET).await;
    site.next().await;
    let begun = Instant::now();
    caller.stay().await;
    // Once to be told, and once more to make an end.
    assert!(is_about(2, begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_takes_an_answer_bit_by_bit_gets_it() {
    const SIZE: usize = 10 * 64 * 1024;
    let mut site = answering(SIZE, None).await;
    let mut caller = Caller::new(&site, 0).await;
    caller.send(HEADERS, ALL, 1, GET).await;
    site.next().await;
    let (begun, mut body) = (Instant::now(), 0);
    while body < SIZE {
        tokio::time::sleep(HEAD / 2).await;
        for stream in [0, 1] {
            caller.send(WINDOW_UPDATE, 0, stream, &(64_u32 * 1024).to_be_bytes()).await;
        }
        let before = body;
        while body < SIZE && body < before + 64 * 1024 {
            let (kind, .., payload) = caller.next().await.unwrap();
            body += if kind == DATA { payload.len() } else { 0 };
        }
    }
    assert!(begun.elapsed() >= 4 * HEAD, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_is_left() {
    // More than the buffers of both sides take.
    let mut site = answering(16 << 20, None).await;
    let mut caller = TcpStream::connect(site.address).await.unwrap();
    caller.write_all(&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await.unwrap();
    site.next().await;
    assert!(!site.responders.under_way.is_empty());
    tokio::time::sleep(HEAD + HEAD / 2).await;
    assert!(site.responders.under_way.is_empty());
    assert!(site.events.try_recv().is_err(), "what it sent besides is no refused call");
}

#[rstest]
#[case::short(10)]
#[case::long(1 << 20)]
#[tokio::test]
async fn who_ends_its_own_side_gets_its_answer(#[case] size: usize) {
    let mut site = answering(size, None).await;
    let mut caller = TcpStream::connect(site.address).await.unwrap();
    caller.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    caller.shutdown().await.unwrap();
    let call = site.next().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut answer = Vec::new();
    caller.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.len() > size, "{}", answer.len());
    assert_eq!((call.status(), call.error.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn callers_are_told_how_many_streams_there_may_be() {
    let site = Site::new(Config::default()).await;
    let mut caller = Caller::new(&site, 65_535).await;
    let (kind, .., settings) = caller.next().await.unwrap();
    let settings: Vec<_> = settings.chunks(6).map(|setting| (setting[1], &setting[2..])).collect();
    assert_eq!(kind, SETTINGS);
    assert!(settings.contains(&(MOST_STREAMS, &STREAMS.to_be_bytes())), "{settings:?}");
}

#[tokio::test]
async fn calls_whose_streams_are_taken_back_are_no_more_than_streams() {
    let fault = Fault { delay: Duration::from_hours(1), ..Fault::default() };
    let source = Source::Reply(Arc::new(Replies::always(Reply { status: 200, headers: Vec::new(), body: "".into() })));
    let site = Site::new(responding(Respond { source, fault: Some(fault), ..Respond::default() })).await;
    let mut caller = Caller::new(&site, 65_535).await;
    for stream in (1..).step_by(2).take(4 * STREAMS as usize) {
        caller.send(HEADERS, ALL, stream, GET).await;
        // What answers it has come that far, too.
        caller.send(PING, 0, 0, &[0; 8]).await;
        while caller.next().await.unwrap().0 != PING {}
        caller.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]).await;
    }
    // And the connection itself.
    assert_eq!(site.responders.under_way.len(), STREAMS as usize + 1);
}

#[tokio::test]
async fn a_stop_answers_what_has_come_by_http_2() {
    let mut site = answering(10, Some(Harm::Slow(Duration::from_millis(200)))).await;
    let mut caller = Caller::new(&site, 65_535).await;
    caller.send(HEADERS, ALL, 1, GET).await;
    site.next().await;
    site.stop();
    let mut body = 0;
    while let Some((kind, .., payload)) = caller.next().await {
        body += if kind == DATA { payload.len() } else { 0 };
    }
    site.stopped().await;
    assert_eq!(body, 10);
}

#[tokio::test]
async fn a_long_head_comes_whole_over_http2() {
    const CONTINUATION: u8 = 9;
    const VALUE: usize = 40_000;
    let site = answering(0, None).await;
    let mut caller = Caller::new(&site, 1 << 16).await;
    // A field `x` as it is (RFC 7541, 6.2.2), with the length of its value in four bytes (5.1).
    let head = [GET, &[0, 1, b'x', 127, 0xc1, 0xb7, 2], &vec![b'a'; VALUE]].concat();
    let pieces: Vec<&[u8]> = head.chunks(16_384).collect();
    caller.send(HEADERS, 1, 1, pieces[0]).await;
    for (number, piece) in pieces.iter().enumerate().skip(1) {
        caller.send(CONTINUATION, if number + 1 == pieces.len() { 4 } else { 0 }, 1, piece).await;
    }
    let answer = loop {
        let (kind, _, _, payload) = caller.next().await.unwrap();
        if kind == HEADERS {
            break payload;
        }
    };
    // `:status: 200` (RFC 7541, appendix A).
    assert_eq!(answer[0], 0x88);
}
