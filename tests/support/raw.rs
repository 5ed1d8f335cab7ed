//! Bytes to a listener, and what comes back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// What comes back for these bytes until the listener closes the connection. Closed on bytes that nobody read it is reset, which
/// may overtake the answer.
pub fn raw(address: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answer = Vec::new();
    let _ = stream.write_all(bytes.as_ref()).and_then(|()| stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}
