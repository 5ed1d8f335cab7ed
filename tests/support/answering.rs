//! An endpoint that answers as it is told to.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::lane::caller::read_message;

/// A server that answers everything with this: the status and header fields, a line each, and the body.
pub fn answering(head: &str, body: impl Into<Vec<u8>>) -> String {
    let (listener, body) = (TcpListener::bind("127.0.0.1:0").unwrap(), body.into());
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let head = format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\n\r\n", head.replace('\n', "\r\n"));
    let answer = [head.as_bytes(), &body].concat();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (BufReader::new(stream.unwrap()), answer.clone());
            thread::spawn(
                move || {
                    while read_message(&mut stream).is_ok() && stream.get_mut().write_all(&answer).is_ok() {}
                },
            );
        }
    });
    url
}
