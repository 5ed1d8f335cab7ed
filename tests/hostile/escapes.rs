//! Nothing that a stranger wrote acts on the terminal that it is shown on.

use std::fs;
use std::process::Stdio;

use serde_json::json;

use crate::answering::answering;
use crate::evil::{EVIL, acts, recording};
use crate::lane::{Caller, HOOKTAPE, Home, Listener};

/// How the beginning of [`EVIL`] is shown.
const SHOWN: &str = "␛[2J␛]0;pwned␇";

/// How it is shown between quotes.
const QUOTED: &str = r"\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}";

/// What is shown of it by the parser of the command line, which takes sequences of the terminal out.
const STRIPPED: &str = r"\u{9b}31m⟨U+202E⟩⟨U+200B⟩␍\u{85}é";

/// Like [`EVIL`], for where a header may stand, which has no other control characters.
const EVIL_FIELD: &str = "\u{9b}31m\u{9d}0;pwned\u{9c}\u{202e}\u{200b}\u{85}é";

/// How it is shown.
const FIELD: &str = r"\u{9b}31m\u{9d}0;pwned\u{9c}⟨U+202E⟩";

/// Signs Moveo's calls.
const SIGNED: [&str; 2] = ["--secret", "moveo=env:MOVEO_TOKEN"];

/// Runs the program: it ends with this code, shows that it came to its subject, and nothing that acts on a terminal.
fn told(home: &Home, args: &[&str], code: i32, shown: &str) -> String {
    let ended = home.command(HOOKTAPE, args).stdin(Stdio::null()).output().unwrap();
    let mut told = String::new();
    for bytes in [ended.stdout, ended.stderr] {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!acts(&text), "{args:?}: {text:?}");
        told.push_str(&text);
    }
    assert_eq!(ended.status.code(), Some(code), "{args:?}: {told}");
    assert!(told.contains(shown), "{args:?}: {told}");
    told
}

#[test]
fn no_field_of_a_call_acts_on_the_terminal() {
    let home = Home::new();
    fs::write(home.path("tape.jsonl"), recording()).unwrap();
    fs::write(home.path("other.jsonl"), recording().replace("\\u001b[2J", "\\u001b[3J")).unwrap();
    let evil_name = format!("{EVIL}.jsonl");
    fs::write(home.path(&evil_name), recording()).unwrap();
    fs::create_dir_all(home.path("data/recordings")).unwrap();
    fs::write(home.path("data/recordings").join(&evil_name), recording()).unwrap();
    // Between quotes, as TOML has it too.
    let escaped = json!(EVIL).to_string();
    fs::create_dir(home.path(EVIL)).unwrap();
    fs::write(home.path(EVIL).join("pack.toml"), format!("[platform]\nname = \"a\"\n[{escaped}]\n")).unwrap();
    fs::write(home.path("evil.toml"), format!("[[target]]\nname = \"a\"\nurl = {escaped}\n")).unwrap();
    fs::write(home.path("keys.toml"), format!("[[route]]\npath = \"/\"\n{escaped} = 1\n")).unwrap();
    // It may have come with somebody's project.
    let (tape, key) = (json!(format!("{EVIL}.jsonl")), json!(format!("file:{EVIL}.pem")));
    let paths = format!("[record]\npath = {tape}\n[secrets]\nmoveo = {key}\n");
    fs::write(home.path("paths.toml"), paths).unwrap();
    let har = json!({ "log": { "entries": [{ "request": { "method": "POST", "url": EVIL, "headers": [] } }] } });
    fs::write(home.path("evil.har"), har.to_string()).unwrap();
    fs::write(home.path("evil.http"), format!("POST http://a/{EVIL}\n{EVIL}: x\n\n")).unwrap();
    fs::write(home.path("evil.sh"), format!("curl --{EVIL} http://a\n")).unwrap();
    let (one, two) = ("tape.jsonl#2ee86f0886e0", "tape.jsonl#2ee86f0886e1");
    let to = ["--to", "127.0.0.1:1"];
    let (set, dry) = (format!("/{EVIL}={EVIL}"), ["--dry-run", SIGNED[0], SIGNED[1]]);
    let damaged = "control character (\\u0000-\\u001F) found while parsing a string";
    let mut all = String::new();
    for (args, code, shown) in [
        (&["show", "tape.jsonl"][..], 0, SHOWN),
        (&["show", "tape.jsonl", "2ee86f0886e0"], 0, SHOWN),
        (&["show", "tape.jsonl", "2ee86f0886e1"], 0, SHOWN),
        (&["show", "tape.jsonl", "2ee86f0886e2", "--pretty"], 0, r"␛[2J\xff\x9b␀\x85␊"),
        (&["show", &evil_name], 0, SHOWN),
        (&["show", EVIL], 2, SHOWN),
        (&["show", "tape.jsonl", EVIL], 2, QUOTED),
        (&["show", "tape.jsonl", "--query", EVIL], 0, SHOWN),
        (&["show", "tape.jsonl", "--query", &format!("kind:{EVIL} (")], 2, SHOWN),
        (&["verify", "tape.jsonl", SIGNED[0], SIGNED[1]], 1, damaged),
        (&["verify", &evil_name], 1, damaged),
        (&["diff", "tape.jsonl", "other.jsonl"], 1, "0 alike, 3 different"),
        (&["diff", "tape.jsonl", &evil_name], 1, SHOWN),
        (&["diff", one, two], 1, SHOWN),
        (&["recordings"], 0, SHOWN),
        (&["prune", "--larger-than", "1B", "--dry-run"], 0, SHOWN),
        (&["replay", "tape.jsonl", to[0], to[1], "--dry-run"], 1, SHOWN),
        (&["replay", "tape.jsonl", to[0], to[1], "--sign", "exact", "--record", "sent.jsonl"], 1, "0 fine, 3 failed"),
        (&["replay", "tape.jsonl", to[0], to[1], "--set", &set, dry[0], dry[1], dry[2]], 1, SHOWN),
        (&["replay", "tape.jsonl", "--to", EVIL], 2, QUOTED),
        (&["send", EVIL, to[0], to[1]], 2, QUOTED),
        (&["send", one, to[0], to[1], SIGNED[0], SIGNED[1]], 1, "cannot be sent over HTTP"),
        (&["send", &format!("tape.jsonl#{EVIL}"), to[0], to[1]], 2, QUOTED),
        (&["send", "moveo/dialog", to[0], to[1], "--header", &format!("{EVIL}: x")], 2, "no name of a header"),
        (
            &["send", "moveo/dialog", to[0], to[1], "--header", &format!("x: {EVIL}")],
            2,
            "the value of x cannot be sent",
        ),
        (&["send", "moveo/dialog", to[0], to[1], "--set", &set, SIGNED[0], SIGNED[1]], 1, "nothing listens"),
        (&["send", "moveo/dialog", to[0], to[1], "--set", &format!("/{EVIL}/a{set}")], 2, SHOWN),
        (&["send", "moveo/dialog", to[0], to[1], "--data", EVIL], 2, SHOWN),
        (&["export", "tape.jsonl", "--as", "markdown"], 1, SHOWN),
        (&["export", "tape.jsonl", "--as", "html"], 1, SHOWN),
        (&["export", "tape.jsonl", "--as", "har", "--out", &format!("{EVIL}.har")], 1, SHOWN),
        (&["export", "tape.jsonl", "--as", EVIL], 2, STRIPPED),
        (&["import", "evil.har"], 2, QUOTED),
        (&["import", "evil.http"], 2, r"/\u{1b}[2J\u{1b}]0;pwned\u{7}"),
        (&["import", "evil.sh"], 2, "--␛[2J␛]0"),
        (&["import", EVIL], 2, SHOWN),
        (&["platforms", EVIL], 2, QUOTED),
        (&["platforms", "check", EVIL], 1, SHOWN),
        (&["platforms", "new", EVIL], 2, QUOTED),
        (&["config", "check", "--config", "evil.toml"], 2, "this is no URL"),
        (&["config", "check", "--config", "keys.toml"], 2, QUOTED),
        (&["config", "check", "--config", "paths.toml"], 1, SHOWN),
        (&["config", "check", "--config", EVIL], 2, SHOWN),
        (&["config", "check", "--secret", &format!("{EVIL}=env:{EVIL}")], 2, "NAME=REFERENCE"),
        (&["listen", "--listen", EVIL], 2, STRIPPED),
        (&["doctor", "--config", "evil.toml", "--listen", "127.0.0.1:0"], 1, "this is no URL"),
        (&["fixtures", "save", EVIL, "moveo/dialog"], 2, QUOTED),
        (&["fixtures", "save", "one", two], 0, "kept in"),
        (&["fixtures"], 0, SHOWN),
        (&["variables", "register", "tape.jsonl"], 1, SHOWN),
        (&["variables"], 0, SHOWN),
        (&["variables", "remove", &format!("{EVIL}x")], 2, QUOTED),
        (&["compact", &evil_name, "--out", "compact.jsonl"], 0, "0 deleted calls left out"),
        (&["compact", &evil_name, "--out", EVIL], 2, SHOWN),
        (&["keys", "jwt", "--key", &format!("file:{EVIL}"), "--claim", "sub=a"], 2, SHOWN),
        (&["webview", "open", EVIL], 2, QUOTED),
        (&[EVIL], 2, STRIPPED),
    ] {
        all.push_str(&told(&home, args, code, shown));
    }
    // It was shown, and not left out.
    assert!(all.matches(SHOWN).count() > 200, "{all}");
}

#[test]
fn no_answer_of_an_endpoint_acts_on_the_terminal() {
    let home = Home::new();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/moveo.jsonl");
    let head = format!("418 {EVIL_FIELD}\nx-evil: {EVIL_FIELD}\nlocation: /{EVIL_FIELD}\ncontent-type: {EVIL_FIELD}");
    let text = answering(&head, EVIL);
    let context = json!({ "context": { EVIL: [EVIL, { EVIL: EVIL }] }, EVIL: EVIL, "responses": EVIL });
    let json = answering("200 OK\ncontent-type: application/json", context.to_string());
    let moved = answering(&format!("302 Found\nlocation: http://{EVIL_FIELD}/"), "");
    let broken = answering(&format!("200 OK\nx-evil: {EVIL}"), "");
    let send = |to: &str, more: &[&str], code: i32, shown: &str| {
        let args = ["send", "moveo/dialog", "--to", to, "--record", "sent.jsonl", SIGNED[0], SIGNED[1]];
        told(&home, &[&args, more].concat(), code, shown)
    };
    send(&text, &[], 1, SHOWN);
    send(&text, &["--expect", "header:x-evil=1"], 1, FIELD);
    send(&json, &[], 0, SHOWN);
    send(&json, &["--expect", "contract"], 1, SHOWN);
    send(&json, &["--expect", &format!("/context/{EVIL}/0=1")], 1, SHOWN);
    send(&json, &["--register"], 0, SHOWN);
    send(&moved, &[], 1, FIELD);
    send(&broken, &[], 1, "no whole answer");

    let replay = |to: &str, more: &[&str], code: i32, shown: &str| {
        let args = ["replay", sample, "--to", to, "--record", "replayed.jsonl", SIGNED[0], SIGNED[1]];
        told(&home, &[&args, more].concat(), code, shown)
    };
    let reports = ["--report", "junit=r.xml", "--report", "html=r.html"];
    replay(&text, &[&["--expect", "recorded"], &reports[..]].concat(), 1, FIELD);
    for report in ["r.xml", "r.html"] {
        let report = fs::read_to_string(home.path(report)).unwrap();
        assert!(report.contains("pwned") && !acts(&report), "{report}");
    }
    replay(&json, &["--expect", "recorded"], 1, SHOWN);
    replay(&json, &["--expect", "contract"], 1, QUOTED);
    replay(&text, &["--against", &json], 1, SHOWN);
    replay(&moved, &[], 1, "status 302");
    replay(&broken, &[], 1, "no whole answer");

    // A listener that passes calls on to one says as little.
    let args = ["listen", "--listen", "127.0.0.1:0", "--record", "passed.jsonl", "--forward"];
    for to in [&text, &broken] {
        let mut listener = Listener::start(home.command(HOOKTAPE, &[&args, &[&**to][..]].concat()));
        Caller::to(&listener.address).post("/", "", b"{}").unwrap();
        let ended = listener.end("TERM");
        assert!(!acts(&ended.out) && !acts(&ended.err), "{:?} {:?}", ended.out, ended.err);
    }

    for (tape, direction) in [("sent.jsonl", " ↑ "), ("replayed.jsonl", " ↑ "), ("passed.jsonl", " ↓ ")] {
        let list = told(&home, &["show", tape], 0, direction);
        for id in list.lines().filter_map(|line| line.get(..8)) {
            told(&home, &["show", tape, id], 0, "POST");
        }
    }
    let shown = told(&home, &["show", "sent.jsonl"], 0, "moveo/dialog");
    let ids: Vec<String> = shown.lines().map(|line| format!("sent.jsonl#{}", &line[..8])).collect();
    told(&home, &["show", "sent.jsonl", &ids[0][11..]], 0, FIELD);
    told(&home, &["diff", &ids[0], &ids[2], "--answers"], 1, SHOWN);
    told(&home, &["diff", sample, "replayed.jsonl"], 1, SHOWN);
}
