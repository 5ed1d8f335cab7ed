//! Bodies that are too deep, too many, too large or no text at all: each is answered, stands in the recording byte for byte,
//! and takes a line of its own that a terminal can show.

use std::io::Read as _;

use crate::evil::acts;
use crate::lane::{HOOKTAPE, Home};
use crate::recorded::calls_in;

/// Columns of a line of `listen`, and room for letters of several bytes.
const LONGEST: usize = 4000;

/// Members of a Moveo message besides these, so that its pack reads on.
fn message(members: &str) -> Vec<u8> {
    let known = r#""channel":"web","session_id":"s","lang":"en","brain_id":"b","context":{}"#;
    format!("{{{known},{members}}}").into_bytes()
}

fn said(text: &str) -> Vec<u8> {
    message(&format!(r#""intents":[],"input":{{"text":"{text}"}}"#))
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = "content-type: application/json";
    let form = "content-type: application/x-www-form-urlencoded";
    let many = 8_000;
    let bomb = zstd::encode_all(std::io::repeat(b' ').take(64 << 20), 3).unwrap();
    vec![
        (json, vec![b'['; many]),
        (json, ["[".repeat(many), "]".repeat(many)].concat().into_bytes()),
        (json, ["{\"a\":".repeat(many), "1".into(), "}".repeat(many)].concat().into_bytes()),
        (json, message(&format!(r#""intents":[{}{}]"#, "[".repeat(many), "]".repeat(many)))),
        (json, message(&format!(r#""n":{}"#, "9".repeat(many)))),
        (json, message(r#""n":1e99999999999999999999,"m":-0.0e-99999999999999999999"#)),
        (json, message(&vec![r#""input":{"text":"a"}"#; 1000].join(","))),
        (json, message(&(0..many).map(|number| format!("\"{number}\":{number}")).collect::<Vec<_>>().join(","))),
        (json, said("\\ud800\\udc00\\ud800 \\u0000\\u001b[2J")),
        (json, said(&format!("a{}", "\u{301}".repeat(many)))),
        (json, said(&"👩\u{200d}".repeat(many))),
        (json, said(&"\u{202e}\u{1b}[2J".repeat(many))),
        (json, [&said("")[..], b"\xff\xfe\xed\xa0\x80"].concat()),
        (json, b"\xef\xbb\xbf{}".to_vec()),
        ("content-encoding: zstd\r\ncontent-type: application/json", bomb),
        (form, b"a=%ff&".repeat(many)),
        (form, format!("a{}=1", "[b]".repeat(many)).into_bytes()),
        ("content-type: multipart/form-data; boundary=X", b"--X\r\n".repeat(many)),
        ("content-type: multipart/form-data; boundary=", b"--\r\n".repeat(many)),
        ("content-type: text/plain; charset=utf-16", vec![0; many]),
    ]
}

#[test]
fn no_body_breaks_what_takes_it_in_or_what_shows_it() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    let mut caller = listener.call();
    for (number, (headers, body)) in bodies().into_iter().enumerate() {
        let status = caller.post("/hooks/moveo", &format!("{headers}\r\n"), &body).unwrap().0;
        assert_eq!(status, 200, "body {number}");
    }
    let ended = listener.end("TERM");
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), bodies().len()), "{}", ended.err);
    for line in ended.out.lines() {
        assert!(line.len() < LONGEST && !acts(line), "{} bytes: {:.200}", line.len(), line);
    }
    let calls = calls_in(home.path("tape.jsonl"));
    for (number, (call, (_, body))) in calls.into_iter().zip(bodies()).enumerate() {
        assert!(call.request.body == body, "body {number}");
        let id = call.id.to_string();
        for args in [&["show", "tape.jsonl", &id][..], &["show", "tape.jsonl", &id, "--pretty"]] {
            let shown = home.command(HOOKTAPE, args).output().unwrap();
            let text = String::from_utf8(shown.stdout).unwrap();
            assert!(shown.status.success() && !acts(&text), "body {number}: {:?}", shown.stderr);
        }
    }
}
