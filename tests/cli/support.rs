//! A command that runs to its end, and an endpoint that calls can be sent to.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::answering::{message, serving};
use crate::lane::{HOOKTAPE, Home, TOKEN};

pub use crate::answering::answering;

/// A conversation through all kinds of call, signed with the token of Moveo's own examples; the last call is tampered with.
pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/moveo.jsonl");

/// Has the program take [`SAMPLE`] as authentic.
pub const PUBLISHED: [&str; 2] = ["--secret", "moveo=env:PUBLISHED"];

/// Has the program sign with [`TOKEN`].
pub const SIGNED: [&str; 2] = ["--secret", "moveo=env:MOVEO_TOKEN"];

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The JSON lines that it printed.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.out.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.inspect(|value: &Value| assert_eq!(value["schema"], 1, "{value}")).collect()
    }
}

/// Runs the program with `args`.
pub fn run(home: &Home, args: &[&str]) -> Ended {
    feed(home, args, b"")
}

/// Runs the program with `args` and `input`.
pub fn feed(home: &Home, args: &[&str], input: &[u8]) -> Ended {
    let mut command = Command::from_std(home.command(HOOKTAPE, args));
    let ended = command.write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(ended.stdout), text(ended.stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN), "the token was printed: {args:?}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "an escape was printed: {args:?}");
    Ended { code: ended.status.code().unwrap(), out, err }
}

/// What reached the endpoint: head and raw body.
pub type Seen = (String, Vec<u8>);

/// A server as a customer's: takes a call only if `X-Moveo-Signature` is the HMAC of the raw body with [`TOKEN`].
pub struct Endpoint {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    pub fn new() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        let url = serving(move |head, body| {
            let authentic = field(&head, "x-moveo-signature") == Some(&*signature(TOKEN, &body));
            all.lock().unwrap().push((head, body));
            let (status, answer) =
                if authentic { (200, r#"{"context":{}}"#) } else { (401, r#"{"error":"signature"}"#) };
            message(&format!("{status} -\ncontent-type: application/json"), answer.as_bytes())
        });
        Self { url, seen }
    }

    /// What came since this was asked last.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// A header field's value.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name)).map(|(_, value)| value)
}

/// HMAC-SHA256 in hex, worked out apart from the program.
pub fn signature(token: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
