//! HTTP by hand, over a plain connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A connection to a listener.
pub struct Caller(BufReader<TcpStream>);

impl Caller {
    /// A connection to an address.
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// POSTs `body` with some header lines and reads the whole answer: its status and body.
    pub fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let (head, body) = self.exchange(path, headers, body)?;
        Ok((head[9..12].parse().unwrap(), body))
    }

    /// The same, with the head of the answer.
    pub fn exchange(&mut self, path: &str, headers: &str, body: &[u8]) -> io::Result<(String, Vec<u8>)> {
        let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        self.0.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        read_message(&mut self.0)
    }
}

/// An HTTP/1.1 message with a length: its head (first line and fields), and its body.
pub fn read_message(from: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body)?;
    Ok((head, body))
}
