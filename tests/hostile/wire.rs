//! Raw sockets: requests in shapes that two servers could read differently, and floods. Each is one call or none, and what
//! comes behind it on the connection is never taken for another.

use crate::lane::Home;
use crate::raw::raw;
use crate::recorded::calls_in;

/// What would be a second call if the first one's end were missed.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// A head with these lines, and what follows it.
fn post(lines: &str, rest: &str) -> Vec<u8> {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n{rest}").into_bytes()
}

fn with_smuggled(lines: &str, body: &str) -> Vec<u8> {
    post(&format!("{lines}\r\n"), &format!("{body}{SMUGGLED}"))
}

/// The statuses that come back until the listener closes the connection.
fn statuses(address: &str, request: &[u8]) -> Vec<String> {
    let answer = raw(address, request);
    answer.split("HTTP/1.1 ").skip(1).map(|rest| rest[..3].to_owned()).collect()
}

#[test]
fn no_request_hides_another() {
    let home = Home::new();
    let listener = home.listen(&[]);
    let flood = |count: usize| "X-A: 1\r\n".repeat(count);
    let long = "a".repeat(1_000_000);
    let close = "Connection: close\r\n";
    for (request, answered) in [
        // A length and chunks: the chunks count, and the connection ends with them (RFC 9112, 6.1).
        (with_smuggled("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG"), "200"),
        (with_smuggled("Transfer-Encoding: chunked\r\nContent-Length: 60", "0\r\n\r\n"), "200"),
        (with_smuggled("Content-Length: 5\r\nContent-Length: 6", "hello"), "400"),
        (with_smuggled("Content-Length: 5, 5", "hello"), "400"),
        (with_smuggled("Content-Length: +5", "hello"), "400"),
        (with_smuggled("Content-Length: -1", "hello"), "400"),
        (with_smuggled("Content-Length: 18446744073709551616", "hello"), "400"),
        (with_smuggled("Transfer-Encoding: xchunked", "0\r\n\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"), "400"),
        (with_smuggled("Transfer-Encoding : chunked", "0\r\n\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: \u{b}chunked", "0\r\n\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFF\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: chunked", "-1\r\n"), "400"),
        (with_smuggled("Transfer-Encoding: chunked", "1\nx\n0\n\n"), "400"),
        (with_smuggled("X-A: 1\r\n folded", ""), "400"),
        (with_smuggled("X-A: a\0b", ""), "400"),
        (with_smuggled("X A: a", ""), "400"),
        // Floods.
        (post(&format!("{close}{}", flood(98)), ""), "200"),
        (post(&format!("{close}{}", flood(99)), ""), "431"),
        (post(&format!("{close}X-A: {long}\r\n"), ""), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", &long[..100_000]).into_bytes(), "414"),
        (post("Transfer-Encoding: chunked\r\n", &format!("1;{long}\r\nx\r\n0\r\n\r\n")), "400"),
        // What is no HTTP, or not for us.
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "400"),
        (b"GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), "400"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_vec(), "501"),
    ] {
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        let statuses = statuses(&listener.address, &request);
        let overtaken = statuses.is_empty() && request.len() > 50_000;
        assert!(overtaken || statuses == [answered], "{shown:?}: {statuses:?}");
    }
    drop(listener);
    let calls = calls_in(home.path("tape.jsonl"));
    let targets: Vec<String> = calls.into_iter().map(|call| call.request.target).collect();
    assert!(targets.len() > 3 && !targets.iter().any(|target| target.contains("smuggled")), "{targets:?}");
}
