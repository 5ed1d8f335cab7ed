//! Bodies that are compressed: they leave as they came, and are read, compared and changed by what they hold.

use crate::lane::Home;
use crate::support::{Endpoint, SIGNED, answering, field, run};

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

#[test]
fn an_answer_that_is_compressed_is_read_and_one_that_cannot_be_says_so() {
    let home = Home::new();
    let text = r#"{"context":{"tier":"gold","n":1}}"#;
    let sent = |url: &str, args: &[&str]| {
        run(&home, &[&["send", "moveo/dialog", "--to", url, "--record", "sent.jsonl"], &SIGNED[..], args].concat())
    };
    let open = answering("200 OK\ncontent-encoding: zstd", packed(text));
    let read = sent(&open, &["--register", "--expect", "/context/tier=gold", "--expect", "contract"]);
    assert_eq!((read.code, &*read.err), (0, "2 variables: tier, n\n"), "{}", read.out);
    assert!(read.out.contains(&format!(", unpacked:\n{text}\n")) || read.out.ends_with(text), "{}", read.out);
    let tape = ["replay", "sent.jsonl", "--sent", "--to"];
    let replay = |url: &str, expect: &str| run(&home, &[&tape[..], &[url, "--expect", expect], &SIGNED].concat());
    let other = answering("200 OK\ncontent-encoding: zstd", packed(&text.replace('1', "2")));
    assert_eq!(replay(&open, "recorded").code, 0);
    let differs = replay(&other, "recorded");
    assert!(differs.code == 1 && differs.out.contains("\n     /context/n: 1 → 2"), "{}", differs.out);
    let closed = answering("200 OK\ncontent-encoding: br", packed(text));
    let why = "br, not unpacked: hooktape cannot unpack that: gzip, deflate and zstd it can";
    let unread = sent(&closed, &["--expect", "/context/tier"]);
    assert!(unread.out.contains(&format!("\n{why}\n")), "{}", unread.out);
    assert!(unread.out.contains(&format!("expected /context/tier: the body is {why}")), "{}", unread.out);
}

#[test]
fn a_call_that_is_compressed_leaves_as_it_came_until_it_is_changed() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let bytes = packed(r#"{"channel":"web","lang":"en","say":"{{now}}"}"#);
    std::fs::write(home.path("body"), &bytes).unwrap();
    let came = |args: &[&str]| {
        let ended = run(&home, &[args, &["--to", &endpoint.url, "--record", "sent.jsonl"], &SIGNED[..]].concat());
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        let (head, body) = endpoint.seen().remove(0);
        (ended, field(&head, "content-encoding").map(str::to_owned), body)
    };
    let coding = Some("zstd".to_owned());
    let (_, first, body) = came(&["send", "moveo/dialog", "--data", "body", "--header", "content-encoding: zstd"]);
    assert_eq!((first, &body), (coding.clone(), &bytes));
    std::fs::copy(home.path("sent.jsonl"), home.path("tape.jsonl")).unwrap();
    let id = run(&home, &["show", "tape.jsonl", "--format", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let call = format!("tape.jsonl#{id}");
    for args in [&["replay", "tape.jsonl", "--sent"][..], &["send", &call], &["send", &call, "--data", "body"]] {
        let (_, packed, body) = came(args);
        assert_eq!((packed, body), (coding.clone(), bytes.clone()), "{args:?}");
    }
    let set = br#"{"channel":"web","lang":"de","say":"{{now}}"}"#;
    for args in [&["replay", "tape.jsonl", "--sent"][..], &["send", &call]] {
        let (ended, packed, body) = came(&[args, &["--set", "/lang=de"]].concat());
        assert_eq!((packed, &*body), (None, &set[..]), "{args:?}");
        let told = ["header:content-encoding", "its body came compressed (zstd): edited, it leaves unpacked"];
        assert!(told.iter().any(|told| (ended.out.clone() + &ended.err).contains(told)), "{}{}", ended.out, ended.err);
    }
    std::fs::write(home.path("plain"), "{}").unwrap();
    let (_, packed, body) = came(&["send", &call, "--data", "plain"]);
    assert_eq!((packed, &*body), (None, &b"{}"[..]));
}
