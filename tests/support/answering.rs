//! An endpoint that answers as it is told to.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::lane::caller::read_message;

/// A server that answers everything with this: the status and header fields, a line each, and the body.
pub fn answering(head: &str, body: impl AsRef<[u8]>) -> String {
    let answer = message(head, body.as_ref());
    serving(move |_, _| answer.clone())
}

/// A server that gives each request, by its head and body, the answer that `answer` makes.
pub fn serving(answer: impl Fn(String, Vec<u8>) -> Vec<u8> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (BufReader::new(stream.unwrap()), answer.clone());
            // A caller that leaves ends its connection.
            thread::spawn(move || {
                while let Ok((head, body)) = read_message(&mut stream)
                    && stream.get_mut().write_all(&answer(head, body)).is_ok()
                {}
            });
        }
    });
    url
}

/// An answer: the status and header fields, a line each, and the body.
pub fn message(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n\r\n", head.replace('\n', "\r\n"), body.len());
    [head.as_bytes(), body].concat()
}
