//! Drafts of calls whose body is no JSON, at three sizes, and a value of such a body changed alone or in its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hooktape::call::{Call, Direction, Headers, Id, Request, Response};
use hooktape::recording::{Options, Recorder};
use insta::assert_snapshot;
use jiff::Timestamp;

use crate::support::{Ended, SIZES, Stage};

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=----x";
const PARTS_BODY: &str = "------x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nfirst line\r\nsecond line\r\n\
                          ------x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nZoë\r\n------x--\r\n";
/// A token of which nothing but the look matters.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSIsImV4cCI6MX0.c2ln";

fn call(method: &str, target: &str, content_type: &'static str, body: &[u8]) -> Call {
    let headers: Headers = [("Host", "localhost"), ("Content-Type", content_type)].into_iter().collect();
    let body = body.to_vec().into();
    Call {
        took: Duration::from_micros(1_843),
        response: Some(Response { status: 200, ..Response::default() }),
        ..Call::new(
            Id(uuid::Uuid::from_u128(7)),
            Direction::Received,
            Timestamp::from_second(1_700_000_000).unwrap(),
            Request { method: method.into(), target: target.into(), headers, body, ..Request::default() },
        )
    }
}

async fn recording(folder: &Path, call: Call) -> PathBuf {
    let path = folder.join("tape.jsonl");
    let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    recorder.record(call).await.unwrap();
    recorder.close().await;
    path
}

async fn typed(call: Call, script: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path(), call).await;
    Stage::size(100, 30).open(&path, script).await
}

#[tokio::test]
async fn each_variant_at_three_sizes() {
    let variants = [
        ("form", call("POST", "/hooks/form", FORM, b"text=Hi+there&text=%C3%A4&lines=a%0Ab")),
        ("query", call("GET", "/hooks/page?order=A-1042&name=Zo%C3%AB&executionId=exec_abc123xyz", "text/html", b"")),
        ("parts", call("POST", "/hooks/parts", PARTS, PARTS_BODY.as_bytes())),
        ("no_body", call("DELETE", "/hooks/webview/1", "text/html", b"")),
        ("bytes", call("POST", "/hooks/bytes", "application/octet-stream", b"\xff\xfe\x00A")),
        ("token", call("POST", "/hooks/token", "text/plain", TOKEN.as_bytes())),
    ];
    for (name, call) in variants {
        let folder = tempfile::tempdir().unwrap();
        let path = recording(folder.path(), call).await;
        for (width, height) in SIZES {
            let size = format!("{width}x{height}");
            let screen = async |keys: &str| Box::pin(Stage::size(width, height).open(&path, keys)).await.screen;
            assert_snapshot!(format!("shown_{name}_{size}"), screen("g2<enter>").await);
            assert_snapshot!(format!("draft_{name}_{size}"), screen("ge").await);
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_a_line_is_changed_in_its_place() {
    let parts = || call("POST", "/hooks/parts", PARTS, PARTS_BODY.as_bytes());
    let ended = typed(parts(), "g2<enter>jjjj=").await;
    assert!(ended.app.draft.is_some() && ended.screen.contains("this has several lines"), "{}", ended.screen);
    let ended = typed(parts(), "g2<enter>jjjj=X").await;
    assert!(ended.app.draft.unwrap().text().contains("\nXfirst line\nsecond"), "{}", ended.screen);
    let json = br#"{"a": 1, "inner": {"b": [1, 2], "c": null}, "z": 2}"#;
    let json = || call("POST", "/hooks/json", "application/json", json);
    let ended = typed(json(), "g2<enter>jj=").await;
    assert!(ended.screen.contains("this holds other values"), "{}", ended.screen);
    let ended = typed(json(), "g2<enter>jj=<end>X").await;
    let text = ended.app.draft.unwrap().text();
    assert!(text.lines().any(|line| line.contains("\"inner\"") && line.ends_with("{X")), "{text}");
}

#[tokio::test]
async fn what_cannot_be_changed_in_parts_says_what_else_there_is() {
    let token = || call("POST", "/hooks/token", "text/plain", TOKEN.as_bytes());
    let ended = typed(token(), "g2<enter>jj=").await;
    assert!(ended.screen.contains("hooktape keys jwt") && ended.app.draft.is_none(), "{}", ended.screen);
    let bytes = || call("POST", "/hooks/bytes", "application/octet-stream", b"\xff\xfe\x00A");
    let ended = typed(bytes(), "g2<enter>=").await;
    assert!(ended.screen.contains("there is no value at the cursor"), "{}", ended.screen);
}

#[tokio::test]
async fn a_line_keeps_its_indent_and_undo_takes_back_a_word() {
    let text = async |script: &str| {
        let ended = typed(call("POST", "/hooks/x", "application/json", br#"{"a":1}"#), script).await;
        ended.app.draft.unwrap().text()
    };
    assert_eq!(text("ge<down><end>,<enter>x y").await, "{\n  \"a\": 1,\n  x y\n}");
    for (undone, left) in [
        ("", "one two_2, ccx"),
        ("<ctrl-z>", "one two_2, "),
        ("<ctrl-z><ctrl-z>", "one two_2"),
        ("<ctrl-z><ctrl-z><ctrl-z>", "one "),
        ("<ctrl-z><ctrl-z><ctrl-z><ctrl-y><ctrl-y>", "one two_2, "),
        ("<backspace><backspace><ctrl-z>", "one two_2, ccx"),
        ("<left><left><left>Z<ctrl-z>", "one two_2, ccx"),
    ] {
        let typed = text(&format!("ge<esc>ione two_2, ccx{undone}")).await;
        assert_eq!(typed.split('{').next().unwrap(), left, "{undone}");
    }
    for (script, left) in [("gexx<esc>c", ""), ("gexx<esc>cnew", "new"), ("gexx<esc>c<ctrl-z>", "xx{\n  \"a\": 1\n}")] {
        assert_eq!(text(script).await, left, "{script}");
    }
}
