//! `listen`, `demo`, and no command at all: calls in.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::lane::{HOOKTAPE, Home, Listener, TOKEN};
use crate::raw::raw;
use crate::support::{PUBLISHED, SIGNED, run, signature};

/// The example of Moveo's documentation, signed with the token 123456789.
const BODY: &str = r#"{"lang": "el", "channel":"web", "context": {"firstname": "John", "lastname": "Snow"}}"#;
const SIGNATURE: &str = "X-Moveo-Signature: 7b2e526f80d3ad094ee0a2ccc2501afdab7044f89839f9fcba9466d15a967774\r\n";

#[test]
fn the_published_call_is_authentic_and_one_byte_less_is_not() {
    let home = Home::new();
    std::fs::write(home.path("hooktape.toml"), "[[route]]\npath = \"/dialog\"\nkind = \"moveo/dialog\"\n").unwrap();
    let mut listener = home.listen(&[&PUBLISHED[..], &["--format", "json"]].concat());
    let mut caller = listener.call();
    assert_eq!(caller.post("/dialog", SIGNATURE, BODY.as_bytes()).unwrap().0, 200);
    let changed = BODY.replace("Snow", "snow");
    assert_eq!(caller.post("/dialog", SIGNATURE, changed.as_bytes()).unwrap().0, 200);
    let first: Value = serde_json::from_str(&listener.first).unwrap();
    assert_eq!(
        (&first["schema"], &first["event"], &first["recording"]),
        (&1.into(), &"listening".into(), &"tape.jsonl".into())
    );
    let ended = listener.end("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let calls: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sigs: Vec<&Value> = calls.iter().map(|call| &call["sig"]).collect();
    assert_eq!(sigs, ["valid", "invalid"]);
    assert!(ended.out.contains(&format!(",\"json\":{BODY}}}")), "the body stands there byte for byte");

    let args = [&["verify", "tape.jsonl"][..], &PUBLISHED].concat();
    let checked = run(&home, &args);
    assert_eq!(checked.code, 1);
    let second = checked.out.lines().nth(1).unwrap();
    assert!(second.contains(" invalid ") && second.contains("does not fit the body"), "{}", checked.out);
}

#[test]
fn a_call_that_nobody_knows_is_recorded_as_plain_http() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    let (status, answer) = listener.call().post("/any/where?x=1", "", b"\xff\x00 \x1b[2J").unwrap();
    assert_eq!(status, 200);
    assert!(String::from_utf8(answer).unwrap().starts_with(r#"{"recorded":true,"id":""#));
    let ended = listener.end("TERM");
    assert!(ended.out.contains("↓ POST /any/where?x=1 "), "{}", ended.out);
    assert_eq!(ended.err, "recording to tape.jsonl\n");
    let id = &ended.out[..8];
    assert!(run(&home, &["show", "tape.jsonl", id]).out.contains(r"\xff␀ ␛[2J"));
    let json = run(&home, &["show", "tape.jsonl", id, "--format", "json"]).json().remove(0);
    assert_eq!(json["request"]["base64"], "/wAgG1sySg==");
}

#[test]
fn what_is_no_request_is_told_and_recorded_masked_where_calls_are() {
    let home = Home::new();
    let mut listener = home.listen(&["--redact"]);
    raw(&listener.address, "POST /x?token=HUSH HTTP/1.1\r\nBad Header : x\r\nX-Key: HUSH\r\n\r\n");
    let ended = listener.end("TERM");
    let tape = std::fs::read_to_string(home.path("tape.jsonl")).unwrap();
    assert!(ended.err.contains("It began with: POST /x?token=[redacted]…"), "{}", ended.err);
    assert!(tape.contains(r#""text":"Bad Header : x\r\nX-Key: [redacted]\r\n\r\n""#), "{tape}");
    assert!(!ended.err.contains("HUSH") && !tape.contains("HUSH"), "{}{tape}", ended.err);
}

#[test]
fn without_a_terminal_no_command_means_listen() {
    let home = Home::new();
    let args = ["--listen", "127.0.0.1:0", "--record", "tape.jsonl"];
    let mut listener = Listener::start(home.command(HOOKTAPE, &args));
    assert_eq!(listener.call().post("/", "", b"{}").unwrap().0, 200);
    let ended = listener.end("TERM");
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 1));
    assert!(ended.err.contains("standard output is no terminal, so this is `hooktape listen`"), "{}", ended.err);
}

#[test]
fn a_recording_has_one_writer_and_a_port_one_listener() {
    let home = Home::new();
    let listener = home.listen(&[]);
    for args in [
        &["listen", "--listen", "127.0.0.1:0"][..],
        &["demo"],
        &["send", "moveo/dialog", "--to", ":1", "--sign", "exact"],
        &["replay", crate::support::SAMPLE, "--to", ":1", "--sign", "exact"],
    ] {
        let ended = run(&home, &[args, &["--record", "tape.jsonl"]].concat());
        assert_eq!((ended.code, &*ended.out), (2, ""), "{args:?}");
        let said = "hooktape: another hooktape records to tape.jsonl: stop that one first, or name another file";
        assert!(ended.err.starts_with(said), "{args:?}: {}", ended.err);
    }
    assert_eq!(run(&home, &["show", "tape.jsonl"]).code, 0, "reading needs no lock");
    let taken = run(&home, &["listen", "--listen", &listener.address]);
    assert_eq!(taken.code, 2);
    assert!(taken.err.contains("is taken by another program"), "{}", taken.err);
}

#[test]
fn every_command_that_records_mends_a_torn_recording_and_says_so() {
    let home = Home::new();
    assert_eq!(run(&home, &["demo", "--record", "tape.jsonl"]).code, 0);
    let calls = || run(&home, &["show", "tape.jsonl"]).out.lines().count();
    let demo = calls();
    for args in [&["demo"][..], &["send", "moveo/dialog", "--to", "127.0.0.1:1", "--sign", "exact"]] {
        let mut file = std::fs::OpenOptions::new().append(true).open(home.path("tape.jsonl")).unwrap();
        file.write_all(b"{\"id\":\"01").unwrap();
        let ended = run(&home, &[args, &["--record", "tape.jsonl"]].concat());
        let said = "tape.jsonl: the last line was not whole: its 9 bytes were cut off and are kept in tape.jsonl.torn";
        assert!(ended.err.contains(said), "{args:?}: {}", ended.err);
    }
    assert_eq!(std::fs::read_to_string(home.path("tape.jsonl.torn")).unwrap(), "{\"id\":\"01\n".repeat(2));
    assert_eq!(calls(), 2 * demo + 1);
}

#[test]
fn the_demo_shows_a_conversation_and_one_forgery() {
    let home = Home::new();
    let played = run(&home, &["demo", "--record", "tape.jsonl", "--format", "json"]);
    assert_eq!((played.code, &*played.err), (0, ""));
    let sigs: Vec<_> = played.json().iter().map(|call| call["sig"].clone()).collect();
    let (last, others) = sigs.split_last().unwrap();
    assert!(last == "invalid" && others.iter().all(|sig| sig == "valid" || sig == "unsigned"), "{sigs:?}");
    let text = run(&home, &["demo"]);
    assert_eq!((text.code, text.out.lines().count()), (0, sigs.len()));
    assert!(text.err.contains("look at it with: hooktape open "), "{}", text.err);
}

#[test]
fn the_demo_can_keep_to_one_platform() {
    let home = Home::new();
    for (platform, sigs) in [("jelou", "unsigned unsigned"), ("liveperson", "unsigned valid")] {
        let file = format!("{platform}.jsonl");
        let played = run(&home, &["demo", "--platform", platform, "--record", &file, "--format", "json"]);
        assert_eq!((played.code, &*played.err), (0, ""));
        let found: Vec<String> = played.json().iter().map(|call| call["sig"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found.join(" "), sigs);
        let kinds = run(&home, &["show", &file, "--query", &format!("-platform:{platform}")]);
        assert_eq!((kinds.code, &*kinds.out), (0, ""));
    }
    let unknown = run(&home, &["demo", "--platform", "jelu", "--record", "none.jsonl"]);
    assert_eq!((unknown.code, &*unknown.out), (2, ""));
    assert!(unknown.err.contains("did you mean \"jelou\"?") && !home.path("none.jsonl").exists(), "{}", unknown.err);
}

/// A listener whose recording may not grow beyond a few KiB: what a full disk is to it.
fn cramped(home: &Home, on_full: &str) -> Listener {
    let text =
        format!("[listen]\naddress = \"127.0.0.1:0\"\n[record]\npath = \"tape.jsonl\"\non_full = \"{on_full}\"\n");
    std::fs::write(home.path("hooktape.toml"), text).unwrap();
    let script = "ulimit -f 8; exec \"$0\" listen";
    Listener::start(home.command("sh", &["-c", script, HOOKTAPE]))
}

#[test]
fn a_full_recording_refuses_calls_or_counts_what_it_does_not_take() {
    let body = [b'x'; 1500];
    for (on_full, status) in [("refuse", 503), ("answer", 200)] {
        let home = Home::new();
        let mut listener = cramped(&home, on_full);
        let mut caller = listener.call();
        let answers: Vec<(u16, Vec<u8>)> = (0..12).map(|_| caller.post("/", "", &body).unwrap()).collect();
        assert_eq!((answers[0].0, answers[11].0), (200, status));
        let ended = listener.end("TERM");
        let recorded = run(&home, &["show", "tape.jsonl"]).out.lines().count();
        assert_eq!(ended.out.lines().count(), recorded);
        let lost = 12 - recorded;
        assert!(lost > 0 && ended.err.contains(&format!("{lost} calls are not in the recording: ")), "{}", ended.err);
        if on_full == "refuse" {
            assert_eq!(answers.iter().filter(|(status, _)| *status == 503).count(), lost);
            assert!(!String::from_utf8_lossy(&answers[11].1).contains("tape.jsonl"), "callers learn no file names");
        }
    }
}

#[test]
fn a_secret_is_nowhere_in_what_is_kept() {
    let home = Home::new();
    let mut listener = home.listen(&SIGNED);
    let header = format!("X-Moveo-Signature: {}\r\n", signature(TOKEN, BODY.as_bytes()));
    listener.call().post("/hooks/moveo/dialog", &header, BODY.as_bytes()).unwrap();
    listener.end("TERM");
    let recording = std::fs::read_to_string(home.path("tape.jsonl")).unwrap();
    assert!(recording.contains(BODY) && !recording.contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_taken_beside_plain_http_on_the_same_port() {
    let home = Home::new();
    let mut listener = home.listen(&["--tls"]);
    assert_eq!(listener.call().post("/plain", "", b"{}").unwrap().0, 200);
    let made = home.path("data/tls/certificate.pem");
    let trusted = reqwest::Certificate::from_pem(&std::fs::read(&made).unwrap()).unwrap();
    let client = || reqwest::Client::builder().no_proxy().tls_certs_only([trusted.clone()]);
    let url = format!("https://{}/hooks", listener.address);
    for (client, version) in [(client(), reqwest::Version::HTTP_2), (client().http1_only(), reqwest::Version::HTTP_11)]
    {
        let answer = client.build().unwrap().post(&url).body("{}").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }
    let ended = listener.end("TERM");
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 3), "{}", ended.out);
    assert!(ended.err.contains(&made.display().to_string()), "{}", ended.err);
    let key = std::fs::metadata(home.path("data/tls/key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_port_that_is_taken_leaves_no_empty_recording_behind() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    let address = listener.address.clone();
    for command in [&["listen"][..], &["webview", "open", "jelou"]] {
        let refused = run(&home, &[command, &["--listen", &address, "--record", "other.jsonl"]].concat());
        assert!(refused.code == 2 && refused.err.contains("is taken by another program"), "{}", refused.err);
        assert!(!home.path("other.jsonl").exists(), "{command:?}");
    }
    listener.end("TERM");
}
