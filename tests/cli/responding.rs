//! What answers: flags, routes, one's own server.

use crate::lane::{Home, TOKEN};
use crate::support::{Endpoint, field, run, signature};

const BODY: &str = r#"{"session_id":"s","input":{"text":"hi"},"business_closed":false,"context":{}}"#;

#[test]
fn forward_passes_calls_on_and_says_how_long_that_took() {
    let home = Home::new();
    let endpoint = Endpoint::new();
    let mut listener = home.listen(&["--forward", &endpoint.url]);
    let signed = format!("X-Moveo-Signature: {}\r\n", signature(TOKEN, BODY.as_bytes()));
    let (status, answer) = listener.call().post("/hooks?x=1", &signed, BODY.as_bytes()).unwrap();
    assert_eq!((status, &answer[..]), (200, &br#"{"context":{}}"#[..]));
    let (head, body) = endpoint.seen().remove(0);
    assert_eq!(body, BODY.as_bytes());
    assert!(head.starts_with("POST /hooks?x=1 HTTP/1.1\r\n") && field(&head, "via").is_some(), "{head}");
    let ended = listener.end("TERM");
    assert!(ended.err.contains(&format!("everything else is answered with: → {}", endpoint.url)), "{}", ended.err);
    let shown = run(&home, &["show", "tape.jsonl", &ended.out[..8]]).out;
    assert!(shown.contains(&format!("\nforwarded to {}/hooks, connected after ", endpoint.url)), "{shown}");
    let json = run(&home, &["show", "tape.jsonl", &ended.out[..8], "--format", "json"]).json().remove(0);
    assert!(json["forwarded"]["total_us"].as_u64() >= json["forwarded"]["first_byte_us"].as_u64(), "{json}");
}

#[test]
fn of_a_call_that_could_not_be_forwarded_nothing_is_said_to_have_come_whole() {
    let home = Home::new();
    let mut listener = home.listen(&["--forward", "http://127.0.0.1:1"]);
    assert_eq!(listener.call().post("/hooks", "", BODY.as_bytes()).unwrap().0, 502);
    let ended = listener.end("TERM");
    let shown = run(&home, &["show", "tape.jsonl", &ended.out[..8]]).out;
    assert!(shown.contains("\nno answer from http://127.0.0.1:1/hooks, given up after "), "{shown}");
    assert!(!shown.contains("whole") && !shown.contains("forwarded to"), "{shown}");
}

#[test]
fn a_reply_by_name_a_fault_and_a_hold_that_needs_the_screen() {
    let home = Home::new();
    std::fs::write(home.path("crm.csv"), "ssn,name\n42,A\n").unwrap();
    std::fs::write(
        home.path("hooktape.toml"),
        "[[route]]\npath = \"/identify\"\nkind = \"moveo/auth_validation\"\n\
         respond = { reply = { use = \"moveo/identify\", table = \"crm.csv\" }, hold = true }\n\
         [listen]\nrespond.fault = \"status=503 next=1\"\n",
    )
    .unwrap();
    let mut listener = home.listen(&["--reply", "moveo/audit"]);
    let mut caller = listener.call();
    for (value, valid) in [("4-2", true), ("43", false)] {
        let (status, answer) = caller.post("/identify", "", format!(r#"{{"value":"{value}"}}"#).as_bytes()).unwrap();
        assert_eq!((status, String::from_utf8(answer).unwrap()), (200, format!(r#"{{"valid":{valid}}}"#)));
    }
    assert_eq!([caller.post("/", "", b"{}").unwrap().0, caller.post("/", "", b"{}").unwrap().0], [503, 200]);
    let ended = listener.end("TERM");
    for part in [
        "/identify is answered with: reply moveo/identify · held as long as the platform waits, else 25s\n",
        "hooktape: /identify: holding a call needs the terminal program; here it is answered at once\n",
        "everything else is answered with: reply moveo/audit · fault status=503 next=1\n",
        "everything else: the fault is spent\n",
    ] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
}

#[test]
fn what_cannot_answer_is_refused_at_the_start() {
    let home = Home::new();
    for (args, part) in [
        (&["--forward", "nowhere"][..], "--forward: \"nowhere\" is no URL"),
        (&["--reply", "moveo/audits"], "did you mean \"moveo/audit\"?"),
        (&["--fault", "explode"], "\"explode\" is no fault: known are \"status=503\", \"empty\""),
        (&["--forward", ":1", "--reply", "moveo/audit"], "cannot be used with"),
    ] {
        let ended = run(&home, &[&["listen", "--listen", "127.0.0.1:0"], args].concat());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?}");
        assert!(ended.err.contains(part), "{args:?}: {}", ended.err);
    }
    std::fs::write(home.path("hooktape.toml"), "[listen]\nrespond.reply = [{ when = { query = \"colour:red\" } }]\n")
        .unwrap();
    let ended = run(&home, &["listen"]);
    assert!(ended.code == 2 && ended.err.contains("listen.respond: when.query: "), "{}", ended.err);
}
