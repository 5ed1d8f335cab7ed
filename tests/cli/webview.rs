//! `webview open`: the page as its platform opens it, and what comes of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::lane::{HOOKTAPE, Home};
use crate::raw::raw;
use crate::support::run;
use crate::tunnel::pipe;

/// A `webview open` that waits. Killed when a test drops it.
struct Waiting {
    child: Child,
    out: BufReader<ChildStdout>,
    /// `http://127.0.0.1:PORT`
    base: String,
    /// What it says of the page.
    page: Value,
}

impl Waiting {
    fn new(home: &Home, args: &[&str]) -> Self {
        let mut waiting = Self::listening(home, args);
        waiting.page = waiting.next();
        waiting
    }

    /// One that has said where it listens.
    fn listening(home: &Home, args: &[&str]) -> Self {
        let usual = ["webview", "open", "--listen", "127.0.0.1:0", "--record", "tape.jsonl", "--format", "json"];
        let mut command = home.command(HOOKTAPE, &[&usual, args].concat());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut waiting = Self { child, out, base: String::new(), page: Value::Null };
        let listening = waiting.next();
        waiting.base.push_str(listening["url"].as_str().unwrap());
        waiting
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn url(&self) -> &str {
        self.page["url"].as_str().unwrap()
    }

    fn request(&self, head: &str, body: &str) -> String {
        let host = self.base.strip_prefix("http://").unwrap();
        let fields = format!("host: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        raw(host, format!("{head}\r\n{fields}"))
    }

    /// Opens the stand-in page: what it has been given.
    fn open(&self) -> Value {
        self.open_at(self.url().strip_prefix(&self.base).unwrap())
    }

    fn open_at(&self, target: &str) -> Value {
        let page = self.request(&format!("GET {target} HTTP/1.1"), "");
        let call = page.split_once("id=\"call\">").unwrap().1.split_once("</script>").unwrap().0;
        serde_json::from_str(call).unwrap()
    }

    /// Calls back as the page does.
    fn call_back(&self, back: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = back["headers"].as_array().unwrap().iter();
        let fields: Vec<String> = fields.map(|field| format!("{}: {}", text(&field[0]), text(&field[1]))).collect();
        let head = format!("{} {} HTTP/1.1\r\n{}", text(&back["method"]), text(&back["path"]), fields.join("\r\n"));
        let answer = self.request(&head, &back["body"].to_string());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(self.page["callback"]["url"], json!(format!("{}{}", self.base, text(&back["path"]))));
    }

    fn post(&self, body: &Value) -> String {
        self.request("POST /v1/webview/callback HTTP/1.1\r\ncontent-type: application/json", &body.to_string())
    }

    /// Everything else that it says, and its exit code.
    fn end(mut self) -> (Vec<Value>, i32) {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        (out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), code)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Most have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn events(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value["event"].as_str().unwrap()).collect()
}

#[test]
fn the_stand_in_page_of_every_platform_calls_back_properly() {
    for kind in ["moveo", "jelou", "liveperson/webview_open"] {
        let home = Home::new();
        let waiting = Waiting::new(&home, &[kind, "--linger", "50ms"]);
        let given = waiting.open();
        waiting.call_back(&given["callback"]);
        let conversation = waiting.page["conversation"].clone();
        let (said, code) = waiting.end();
        assert_eq!((events(&said), code), (vec!["opened", "callback", "ended"], 0), "{kind}");
        assert_eq!((&said[0]["conv"], &said[1]["conv"]), (&conversation, &conversation));
        assert_eq!((&said[1]["fate"], &said[1]["state"]), (&json!("ended"), &json!("success")));
        assert!(matches!(said[1]["verdict"]["sig"].as_str().unwrap(), "valid" | "unsigned"));
        assert_eq!(said[2]["state"], "success");
        assert_eq!(run(&home, &["show", "tape.jsonl"]).out.lines().count(), 2);
    }
}

#[test]
fn a_callback_that_is_masked_as_it_is_recorded_has_been_seen_whole() {
    for kind in ["moveo", "jelou", "liveperson/webview_open"] {
        let home = Home::new();
        let waiting = Waiting::new(&home, &[kind, "--linger", "50ms", "--redact"]);
        let given = waiting.open();
        waiting.call_back(&given["callback"]);
        let (said, code) = waiting.end();
        assert_eq!((events(&said), code), (vec!["opened", "callback", "ended"], 0), "{kind}: {said:?}");
        assert_eq!(said[1]["verdict"]["sig"], said[1]["sig"], "{kind}");
        assert!(!said[1]["verdict"]["reason"].to_string().contains("Bearer"), "{kind}");
    }
    let home = Home::new();
    let waiting = Waiting::new(&home, &["moveo", "--set", "/session_id=s-1", "--linger", "50ms", "--redact"]);
    let head = "POST /v1/webview/i HTTP/1.1\r\nauthorization: Bearer x.y.z\r\nx-moveo-session-id: s-1";
    waiting.request(head, r#"{"trigger_node_id":"n"}"#);
    let (said, code) = waiting.end();
    assert_eq!((&said[0]["verdict"]["sig"], code), (&json!("malformed"), 1));
}

#[test]
fn the_users_key_signs_only_the_page_that_was_handed_out() {
    let home = Home::new();
    assert_eq!(run(&home, &["keys", "new"]).code, 0);
    let key = "file:keys/private.pem";
    let args = ["moveo", "--secret", &format!("moveo/webview={key}"), "--linger", "50ms"];
    let with = |call: &Value, label| assert!(call["callback"]["signed"].as_str().unwrap().contains(label), "{call}");
    let waiting = Waiting::new(&home, &args);
    let page = waiting.url().strip_prefix(&waiting.base).unwrap().to_owned();
    let (before, user) = page.split_once("&user_id=").unwrap();
    with(&waiting.open_at(&format!("{before}&user_id=victim-{user}")), "hooktape's own test secret");
    let given = waiting.open();
    with(&given, key);
    waiting.call_back(&given["callback"]);
    assert_eq!(waiting.end().1, 0);
    // What was set by hand can be guessed.
    let waiting = Waiting::new(&home, &[&args[..], &["--set", "/session_id=1"]].concat());
    with(&waiting.open(), "hooktape's own test secret");
}

#[test]
fn through_a_tunnel_page_and_callback_have_the_public_address() {
    let home = Home::new();
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let public = format!("http://{}", far.local_addr().unwrap());
    let command = format!("echo {public}; sleep 999");
    let mut waiting = Waiting::listening(&home, &["moveo", "--tunnel", &command, "--linger", "50ms"]);
    pipe(far, waiting.base.strip_prefix("http://").unwrap().to_owned());
    assert_eq!(waiting.next()["url"], json!(public));
    waiting.page = waiting.next();
    waiting.base = public;
    let given = waiting.open();
    waiting.call_back(&given["callback"]);
    let (said, code) = waiting.end();
    assert_eq!((events(&said), code), (vec!["opened", "callback", "ended"], 0));
}

#[test]
fn a_tunnel_that_never_comes_up_and_a_hold_are_told() {
    let open = ["webview", "open", "jelou", "--listen", "127.0.0.1:0", "--wait", "100ms", "--hold", "10s"];
    let ended = run(&Home::new(), &[&open[..], &["--tunnel", "sleep 999"]].concat());
    assert!(ended.code == 1 && !ended.out.contains("open "), "{}", ended.out);
    for said in
        ["the tunnel has no address, and the time to wait (--wait) is over", "holding a call needs the terminal"]
    {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
}

#[test]
fn a_callback_that_comes_twice_is_a_duplicate() {
    let home = Home::new();
    let mut waiting = Waiting::new(&home, &["jelou", "--set", "/executionId=e-1", "--linger", "10m"]);
    let body = |success: bool| json!({ "executionId": "e-1", "success": success, "data": { "paid": 1 } });
    for (success, fate) in [(true, "ended"), (true, "duplicate"), (false, "duplicate")] {
        waiting.post(&body(success));
        assert_eq!(waiting.next()["fate"], fate);
    }
    let id = waiting.child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    let (said, code) = waiting.end();
    assert_eq!(code, 0);
    let last = said.last().unwrap();
    assert_eq!((&last["state"], &last["data"]), (&json!("success"), &json!("{\"paid\":1}")));
    assert!(last["then"].as_str().unwrap().contains("success output"));
}

#[test]
fn a_callback_after_the_expiration_time_is_late() {
    let home = Home::new();
    let mut waiting =
        Waiting::new(&home, &["jelou", "--set", "executionId=e-1", "--expires", "50ms", "--linger", "50ms"]);
    let expired = waiting.next();
    assert_eq!(expired["event"], "expired");
    assert!(expired["then"].as_str().unwrap().contains("expiration output"), "{expired}");
    waiting.post(&json!({ "executionId": "e-1", "success": true }));
    let (said, code) = waiting.end();
    assert_eq!((&said[0]["fate"], &said[0]["state"], code), (&json!("late"), &json!("expired"), 1));
}

#[test]
fn a_callback_that_is_wrong_is_told_why() {
    let home = Home::new();
    let waiting = Waiting::new(&home, &["moveo", "--set", "/session_id=s-1", "--linger", "50ms"]);
    let head = "POST /v1/webview/i HTTP/1.1\r\nauthorization: Bearer x.y.z\r\nx-moveo-session-id: s-1";
    assert!(waiting.request(head, r#"{"trigger_node_id":"n"}"#).starts_with("HTTP/1.1 401"));
    let (said, code) = waiting.end();
    assert_eq!((events(&said), code), (vec!["callback", "ended"], 1));
    assert_eq!((&said[0]["fate"], &said[0]["verdict"]["sig"]), (&json!("refused"), &json!("malformed")));
    assert!(said[0]["verdict"]["why"][0].is_string());

    let waiting = Waiting::new(&home, &["moveo", "--linger", "50ms"]);
    waiting.request("POST /v1/webview/i HTTP/1.1", r#"{"trigger_node_id":"n"}"#);
    let (said, code) = waiting.end();
    assert_eq!((&said[0]["fate"], code), (&Value::Null, 1), "without the session it belongs to nothing");
    let findings = said[0]["findings"]["request"].to_string();
    assert!(findings.contains("X-Moveo-Session-Id is missing"), "{findings}");

    let waiting = Waiting::new(&home, &["jelou", "--set", "/executionId=e", "--linger", "50ms"]);
    waiting.post(&json!({ "executionId": "e", "success": false }));
    let (said, code) = waiting.end();
    assert_eq!((&said[0]["fate"], &said[0]["state"], code), (&json!("ended"), &json!("error"), 1));
}

#[test]
fn without_a_callback_the_answer_is_no() {
    let home = Home::new();
    let args = ["webview", "open", "jelou", "--listen", "127.0.0.1:0", "--wait", "50ms", "--qr"];
    let ended = run(&home, &args);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("nobody opened the page here, and nothing called back"), "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("listening http://127.0.0.1:"), "{}", ended.out);
    let base = lines[0].strip_prefix("listening ").unwrap();
    assert!(lines[1].starts_with(&format!("open {base}/hooks/jelou/webview_open?executionId=")), "{}", ended.out);
    assert!(lines[2].chars().all(|char| char == '█') && lines.len() > 15, "{}", ended.out);
}

#[test]
fn a_page_of_ones_own_learns_where_to_call_back() {
    let home = Home::new();
    let page = "https://shop.example/form?mine=1&lang=el#top";
    let args = ["webview", "open", "moveo", "--page", page, "--set", "/session_id=s", "--listen", "127.0.0.1:0"];
    let ended = run(&home, &[&args[..], &["--wait", "50ms", "--set", "/page_id=7"]].concat());
    let open = ended.out.lines().nth(1).unwrap();
    let url = "open https://shop.example/form?mine=1&lang=el&channel=web&integration_id=91c7d2e4-5a3b-4f68-b9d0-3e1c8f7a2b56\
               &lang=en&page_id=7&session_id=s&trigger_node_id=2b9e7c41-8d3f-4a60-95c2-6f1e0d8b7a39\
               &user_id=visitor-O44vJC-TuXiJXh8hkXvlZ#top";
    assert_eq!(open, url);
    let base = ended.out.lines().next().unwrap().strip_prefix("listening ").unwrap();
    for said in [
        &*format!(
            "has to call back POST {base}/v1/webview/91c7d2e4-5a3b-4f68-b9d0-3e1c8f7a2b56, and not Moveo.AI, signed"
        ),
        "needs a tunnel",
        "the page is https and the listener http",
        "has lang of its own",
    ] {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
}

#[test]
fn what_cannot_be_opened_is_refused() {
    let home = Home::new();
    let listen = ["--listen", "127.0.0.1:0"];
    for (args, said) in [
        (&["moveo/dialog"][..], "opens no page; those that do: moveo/webview_open, jelou/webview_open"),
        (&["jelou/webview_opne"], "did you mean \"jelou/webview_open\"?"),
        (&["jelou", "--page", "shop"], "is no URL"),
        (&["jelou", "--page", "ftp://shop.example/"], "is no web page"),
        (&["jelou", "--set", "executionId"], "is not of the form /NAME=VALUE"),
        (&["jelou", "--wait", "long"], "a duration is written"),
    ] {
        let refused = run(&home, &[&["webview", "open"], args, &listen].concat());
        assert_eq!((refused.code, &*refused.out), (2, ""), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {}", refused.err);
    }
}
