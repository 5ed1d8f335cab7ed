//! Answers held against each other: of two targets, of two calls, of two recordings.

use serde_json::{Value, json};

use crate::lane::Home;
use crate::replaying::replay;
use crate::support::{Endpoint, SAMPLE, SIGNED, run};

/// A server that answers everything with 200 and this body.
pub fn answering(body: &'static str) -> String {
    crate::support::answering("200 OK\ncontent-type: application/json", body)
}

#[test]
fn two_targets_are_compared_field_by_field() {
    let home = Home::new();
    let a = answering(r#"{"context":{"at":1,"list":[1,2],"n":1.0}}"#);
    let b = answering(r#"{"context":{"n":1,"list":[2,1],"at":2}}"#);
    let compare = |args: &[&str]| {
        let usual = ["replay", SAMPLE, "--query", "kind:dialog", "--to", &a, "--against", &b, "--record", "sent.jsonl"];
        run(&home, &[&usual, &SIGNED[..], args].concat())
    };
    let found = compare(&[]);
    assert_eq!(found.code, 1);
    assert!(found.out.contains(" | 200 in ") && found.out.contains("\n     /context/at: 1 → 2\n"), "{}", found.out);
    assert!(found.out.contains("/context/list/0: 1 → 2") && !found.out.contains("/context/n"), "{}", found.out);
    assert_eq!(compare(&["--ignore", "/context/at", "--unordered"]).code, 0);
    let json = compare(&["--format", "json"]).json();
    assert_eq!(
        (&json[0]["against"]["status"], &json[0]["differences"][0]["place"]),
        (&200.into(), &"/context/at".into())
    );
    assert_eq!((&json[1]["event"], &json[1]["failed"]), (&"summary".into(), &1.into()));
    assert_eq!(run(&home, &["show", "sent.jsonl"]).out.lines().count(), 6, "both answers are recorded");
    std::fs::write(
        home.path("hooktape.toml"),
        format!("[[target]]\nname = \"b\"\nurl = \"{b}\"\nheaders = {{ X-Env = \"b\" }}\n"),
    )
    .unwrap();
    let usual =
        ["replay", SAMPLE, "--query", "kind:dialog", "--to", &a, "--against", "b", "--header", "Accept: text/x"];
    let other = run(&home, &[&usual, &SIGNED[..], &["--report", "json=r.json"]].concat());
    let changed = other.out.lines().next().unwrap().split_once("; changed ").unwrap().1;
    let (first, second) = changed.split_once(" | changed ").unwrap();
    assert!(first.contains("header:accept") && !first.contains("header:x-env"), "{changed}");
    assert!(second.contains("header:accept") && second.contains("header:x-env"), "{changed}");
    let report: Value = serde_json::from_slice(&std::fs::read(home.path("r.json")).unwrap()).unwrap();
    assert_eq!((&report["against"], &report["cases"][0]["against"]["status"]), (&json!(b), &200.into()));
}

#[test]
fn diff_tells_how_calls_and_recordings_differ() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    assert_eq!(replay(&home, &endpoint, &[]).code, 0);
    assert_eq!(run(&home, &["diff", SAMPLE, SAMPLE]).code, 0);
    let recordings = run(&home, &["diff", SAMPLE, "sent.jsonl", "--answers"]);
    assert_eq!(
        (recordings.code, recordings.err.lines().last()),
        (1, Some("4 alike, 3 different")),
        "{}",
        recordings.out
    );
    assert!(recordings.out.contains(" moveo/auth_validation\n  response "), "{}", recordings.out);
    let part = run(&home, &["diff", SAMPLE, "sent.jsonl", "--query", "kind:nothing | dir:sent"]);
    assert!(part.code == 1 && part.err.ends_with("7 only in sent.jsonl\n"), "{}", part.err);

    let none = run(&home, &["diff", SAMPLE, SAMPLE, "--query", "conv:zzz"]);
    assert!(none.code == 2 && none.err.contains("no call to compare"), "{}", none.err);

    let ids: Vec<String> =
        run(&home, &["show", SAMPLE, "--query", "kind:dialog | kind:post_message", "--format", "json"])
            .json()
            .into_iter()
            .map(|call| call["id"].as_str().unwrap().to_owned())
            .collect();
    let (dialog, post) = (format!("{SAMPLE}#{}", ids[0]), format!("{SAMPLE}#{}", &ids[1][20..]));
    let by_mark = run(&home, &["diff", &dialog, &post]);
    assert_eq!(by_mark.code, 1);
    assert!(by_mark.out.contains("request  /output: nothing → "), "{}", by_mark.out);
    for same in [&["diff", SAMPLE, &ids[0], &ids[1]][..], &["diff", SAMPLE, &ids[0], SAMPLE, &ids[1]]] {
        assert_eq!(run(&home, same).out, by_mark.out);
    }
    let json = run(&home, &["diff", &dialog, &dialog, "--format", "json"]).json();
    assert_eq!((&json[0]["kind"], &json[0]["differences"]), (&"moveo/dialog".into(), &json!([])));
    assert_eq!(json[0]["bytes_differ"], json!([]));

    // What is the same, but not byte for byte, is signed otherwise: to say no more than that nothing differs would mislead.
    let call = |file: &str, body: &str| {
        let line = r#"{"id":"0193a5b0-0000-7000-8000-000000000001","at":"2026-11-21T10:02:11Z","dir":"received","method":"POST","path":"/","took_us":1,"size":9,"request":{"headers":[],"text":BODY}}"#;
        let tape = "{\"hooktape\":1,\"created\":\"2026-11-21T10:02:11Z\",\"by\":\"x\"}\n".to_owned();
        std::fs::write(home.path(file), tape + &line.replace("BODY", body) + "\n").unwrap();
    };
    call("left.jsonl", r#""{\"a\":1}\n""#);
    call("right.jsonl", r#""{\"a\":1}""#);
    let spaced = run(&home, &["diff", "left.jsonl#0193", "right.jsonl#0193"]);
    assert_eq!((spaced.code, &*spaced.err), (0, "requests: the same, but not byte for byte\n"));
    let spaced = run(&home, &["diff", "left.jsonl#0193", "right.jsonl#0193", "--format", "json"]).json();
    assert_eq!(spaced[0]["bytes_differ"], json!(["request"]));
    let spaced = run(&home, &["diff", "left.jsonl", "right.jsonl"]);
    assert_eq!((spaced.code, &*spaced.err), (0, "1 alike (1 not byte for byte), 0 different\n"));
    call("long.jsonl", &format!("\"{}x\"", "=".repeat(2000)));
    call("other.jsonl", &format!("\"{}y\"", "=".repeat(2000)));
    let late = run(&home, &["diff", "long.jsonl", "other.jsonl"]).out;
    assert!(late.contains("=x → …=") && late.ends_with("=y\n"), "{late}");
    let mixed = run(&home, &["diff", &dialog, SAMPLE]);
    assert!(mixed.code == 2 && mixed.err.contains("a call is compared with a call"), "{}", mixed.err);
}
