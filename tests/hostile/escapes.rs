//! Nothing that a stranger wrote acts on the terminal that it is shown on.

use std::fs;

use crate::evil::{EVIL, acts, recording};
use crate::lane::{HOOKTAPE, Home};

#[test]
fn no_field_of_a_call_acts_on_the_terminal() {
    let home = Home::new();
    fs::write(home.path("tape.jsonl"), recording()).unwrap();
    let evil_name = format!("{EVIL}.jsonl");
    fs::write(home.path(&evil_name), recording()).unwrap();
    fs::create_dir_all(home.path("data/recordings")).unwrap();
    fs::write(home.path("data/recordings").join(&evil_name), recording()).unwrap();
    fs::create_dir(home.path(EVIL)).unwrap();
    fs::write(home.path(EVIL).join("pack.toml"), format!("[platform]\nname = {EVIL:?}\n[{EVIL}]\n")).unwrap();
    fs::write(home.path("evil.toml"), format!("[listen]\naddress = \"{EVIL}\"\n")).unwrap();
    fs::write(home.path("keys.toml"), "[[route]]\npath = \"/\"\n\"\\u001bx\" = 1\n").unwrap();
    // It may have come with somebody's project.
    let quoted = |text: String| serde_json::Value::from(text);
    let (tape, key) = (quoted(format!("{EVIL}.jsonl")), quoted(format!("file:{EVIL}.pem")));
    let paths = format!("[record]\npath = {tape}\n[secrets]\nmoveo = {key}\n");
    fs::write(home.path("paths.toml"), paths).unwrap();
    fs::write(home.path("evil.har"), "{\"log\":{\"entries\":[{\"request\":{\"url\":\"\\u001b[2J\"}}]}}").unwrap();
    fs::write(home.path("evil.http"), format!("POST http://a/{EVIL}\n{EVIL}: x\n\n")).unwrap();
    fs::write(home.path("evil.sh"), format!("curl --{EVIL} http://a\n")).unwrap();
    let one = "2ee86f0886e0";
    let mut shown = String::new();
    for args in [
        &["show", "tape.jsonl"][..],
        &["show", "tape.jsonl", one],
        &["show", "tape.jsonl", "2ee86f0886e1"],
        &["show", "tape.jsonl", "2ee86f0886e2", "--pretty"],
        &["show", &evil_name],
        &["show", EVIL],
        &["show", "tape.jsonl", EVIL],
        &["show", "tape.jsonl", "--query", EVIL],
        &["show", "tape.jsonl", "--query", &format!("kind:{EVIL} (")],
        &["verify", "tape.jsonl"],
        &["verify", &evil_name],
        &["diff", "tape.jsonl", &evil_name],
        &["diff", "tape.jsonl#2ee86f0886e0", "tape.jsonl#2ee86f0886e1"],
        &["recordings"],
        &["prune", "--older-than", "0s", "--dry-run"],
        &["replay", "tape.jsonl", "--to", "127.0.0.1:1", "--dry-run"],
        &["replay", "tape.jsonl", "--to", "127.0.0.1:1", "--sign", "exact", "--record", "sent.jsonl"],
        &["replay", "tape.jsonl", "--to", EVIL],
        &["send", EVIL, "--to", "127.0.0.1:1"],
        &["send", "moveo/dialog", "--to", "127.0.0.1:1", "--header", &format!("{EVIL}: x")],
        &["send", "moveo/dialog", "--to", "127.0.0.1:1", "--set", &format!("/{EVIL}={EVIL}"), "--dry-run"],
        &["send", "moveo/dialog", "--to", "127.0.0.1:1", "--data", EVIL],
        &["export", "tape.jsonl", "--as", "markdown"],
        &["export", "tape.jsonl", "--as", "html"],
        &["export", "tape.jsonl", "--as", EVIL],
        &["import", "evil.har"],
        &["import", "evil.http"],
        &["import", "evil.sh"],
        &["import", EVIL],
        &["platforms", EVIL],
        &["platforms", "check", EVIL],
        &["config", "check", "--config", "evil.toml"],
        &["config", "check", "--config", "keys.toml"],
        &["config", "check", "--config", "paths.toml"],
        &["config", "check", "--config", EVIL],
        &["config", "check", "--secret", &format!("{EVIL}=env:{EVIL}")],
        &["listen", "--listen", EVIL],
        &["doctor", "--config", "evil.toml", "--listen", "127.0.0.1:0"],
        &["fixtures", "save", EVIL, "moveo/dialog"],
        &["variables", "remove", EVIL],
        &["compact", &evil_name, "-o", "compact.jsonl"],
        &[EVIL],
    ] {
        let ended = home.command(HOOKTAPE, args).output().unwrap();
        for bytes in [ended.stdout, ended.stderr] {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!acts(&text), "{args:?}: {text:?}");
            shown.push_str(&text);
        }
    }
    // It was shown, and not left out.
    assert!(shown.matches("␛[2J␛]0;pwned␇").count() > 100, "{shown}");
}
