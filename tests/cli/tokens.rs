//! Secrets that cross the wire themselves: a platform's token in the address or a header, a password, a target's header.
//! A recording has them as they came, unless it is masked; nothing else has them, but for what shows a recorded call.

use std::fs;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::lane::{HOOKTAPE, Home, Listener};
use crate::leaks::{Needle, files_in, none_in};
use crate::support::Endpoint;

const IN_QUERY: &str = "rasa-token-vU3kq9ZxT2aB";
const IN_HEADER: &str = "telegram-token-8sLm4Wq0cD";
const PASSWORD: &str = "user-of-watsonx:pass-Yp7Rr2Nc5bHd";
const OF_TARGET: &str = "header-of-target-Qw8Zs5Lb1";

/// A platform's sample.
macro_rules! sample {
    ($path:literal) => {
        &include_bytes!(concat!("../../assets/platforms/", $path))[..]
    };
}

/// A home with these secrets, and what to look for.
struct House {
    home: Home,
    endpoint: Endpoint,
    needles: Vec<Needle>,
    redact: bool,
}

impl House {
    fn new(redact: bool) -> Self {
        let (home, endpoint) = (Home::new(), Endpoint::new());
        let config = format!(
            r#"
            [secrets]
            rasa = "env:IN_QUERY"
            telegram = "env:IN_HEADER"
            "watsonx/basic" = "env:PASSWORD"
            [record]
            redact = {redact}
            [[target]]
            name = "there"
            url = "{}"
            headers = {{ X-Api-Key = "env:OF_TARGET" }}
            "#,
            endpoint.url
        );
        fs::write(home.path("hooktape.toml"), config).unwrap();
        let needles =
            [("Rasa's", IN_QUERY), ("Telegram's", IN_HEADER), ("watsonx's", PASSWORD), ("the target's", OF_TARGET)];
        let needles = needles.into_iter().map(|(name, secret)| Needle::new(name, secret)).collect();
        Self { home, endpoint, needles, redact }
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.home.command(HOOKTAPE, args);
        command.envs([("IN_QUERY", IN_QUERY), ("IN_HEADER", IN_HEADER), ("PASSWORD", PASSWORD)]);
        command.envs([("OF_TARGET", OF_TARGET), ("RUST_LOG", "trace")]);
        command
    }

    /// Runs the program; what it says beside its output holds no secret.
    fn told(&self, args: &[&str], code: i32) -> Vec<u8> {
        let ended = self.command(args).stdin(Stdio::null()).output().unwrap();
        none_in(&self.needles, &ended.stderr, &format!("the errors of {args:?}"));
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&ended.stderr));
        ended.stdout
    }

    /// Its output holds none either.
    fn clean(&self, args: &[&str], code: i32) {
        none_in(&self.needles, &self.told(args, code), &format!("the output of {args:?}"));
    }

    /// Its output shows calls as they are recorded.
    fn as_recorded(&self, args: &[&str], code: i32) {
        self.held_as_recorded(&self.told(args, code), &format!("the output of {args:?}"));
    }

    /// What shows calls as they are recorded has secrets just where they are recorded with them: the search can find some.
    fn held_as_recorded(&self, bytes: &[u8], place: &str) {
        if self.redact {
            none_in(&self.needles, bytes, place);
        } else {
            let shown = String::from_utf8_lossy(bytes);
            let secrets = [IN_QUERY, IN_HEADER, &STANDARD.encode(IN_QUERY)];
            assert!(secrets.iter().any(|secret| shown.contains(secret)), "{place}: {shown}");
        }
    }

    /// Listens, and is called with the right secret, those of others, and none.
    fn listen(&self, format: &str) {
        let record = ["--record", "tape.jsonl", "--format", format];
        let command = self.command(&[&["listen", "--listen", "127.0.0.1:0"], &record[..]].concat());
        let mut listener = Listener::start(command);
        let mut caller = listener.call();
        for secret in [IN_QUERY, IN_HEADER, PASSWORD, ""] {
            let basic = STANDARD.encode(secret);
            for (path, header, body) in [
                (format!("/rasa?token={secret}"), String::new(), sample!("rasa/samples/action.json")),
                (
                    "/telegram".into(),
                    format!("x-telegram-bot-api-secret-token: {secret}\r\n"),
                    sample!("telegram/samples/update.json"),
                ),
                (
                    "/watsonx".into(),
                    format!("authorization: Basic {basic}\r\n"),
                    sample!("watsonx/samples/premessage.json"),
                ),
            ] {
                let header = format!("content-type: application/json\r\n{header}");
                let (head, answer) = caller.exchange(&path, &header, body).unwrap();
                none_in(&self.needles, &[head.as_bytes(), &answer].concat(), &format!("the reply to {path}"));
            }
        }
        let ended = listener.end("TERM");
        none_in(&self.needles, ended.err.as_bytes(), "what listen says");
        if format == "json" {
            self.held_as_recorded(ended.out.as_bytes(), "what listen prints");
        } else {
            assert_eq!(ended.out.lines().count(), 12, "{}", ended.out);
            none_in(&self.needles, ended.out.as_bytes(), "what listen prints");
        }
    }
}

#[test]
fn a_secret_that_crosses_the_wire_is_in_the_recording_alone() {
    look(false);
}

#[test]
fn a_secret_that_crosses_the_wire_is_nowhere_where_recordings_are_masked() {
    look(true);
}

fn look(redact: bool) {
    let house = House::new(redact);
    let home = &house.home;
    house.listen("text");
    house.listen("json");

    // What was said of them, at the time and now: each platform's own was good, however it is written.
    let calls = String::from_utf8(house.told(&["show", "tape.jsonl"], 0)).unwrap();
    none_in(&house.needles, calls.as_bytes(), "the list");
    assert_eq!(calls.lines().filter(|line| line.contains(" valid ")).count(), 6, "{calls}");
    let ids: Vec<&str> = calls.lines().map(|line| &line[..8]).collect();
    house.as_recorded(&["show", "tape.jsonl", ids[0]], 0);
    house.as_recorded(&["show", "tape.jsonl", ids[1], "--pretty"], 0);
    house.as_recorded(&["show", "tape.jsonl", ids[2]], 0);
    house.as_recorded(&["show", "tape.jsonl", "--format", "json"], 0);
    house.as_recorded(
        &["diff", &format!("tape.jsonl#{}", ids[0]), &format!("tape.jsonl#{}", ids[3])],
        i32::from(!redact),
    );
    house.clean(&["verify", "tape.jsonl"], 1);
    house.clean(&["verify", "tape.jsonl", "--format", "json"], 1);
    house.clean(&["variables", "register", "tape.jsonl"], 0);
    house.clean(&["config", "check", "--format", "json"], 0);
    house.clean(&["compact", "tape.jsonl", "--out", "compact.jsonl"], 0);
    house.clean(&["fixtures", "save", "one", &format!("tape.jsonl#{}", ids[0])], 0);
    house.clean(&["fixtures"], 0);

    // What leaves with them.
    let record = ["--to", "there", "--record", "sent.jsonl"];
    for kind in ["rasa/action", "telegram/update", "watsonx/premessage"] {
        house.clean(&[&["send", kind], &record[..]].concat(), 1);
    }
    house.as_recorded(&[&["send", "telegram/update", "--format", "json"], &record[..]].concat(), 1);
    let reports = ["--report", "junit=r.xml", "--report", "json=r.json", "--report", "html=r.html"];
    house.clean(&[&["replay", "tape.jsonl"], &record[..], &reports].concat(), 1);
    house.clean(&[&["replay", "tape.jsonl", "--against", &house.endpoint.url], &record[..]].concat(), 1);
    house.as_recorded(&[&["replay", "tape.jsonl", "--format", "json"], &record[..]].concat(), 1);
    let heads: String = house.endpoint.seen().into_iter().map(|(head, _)| head).collect();
    let basic = STANDARD.encode(PASSWORD);
    for sent in [IN_QUERY, IN_HEADER, &basic, OF_TARGET] {
        assert!(heads.contains(sent), "{sent} was not sent");
    }

    // What is handed on.
    for form in ["har", "curl", "http", "json", "markdown", "html"] {
        house.clean(&["export", "tape.jsonl", "--as", form, "--out", &format!("tape.{form}")], 0);
        house.clean(&["export", "sent.jsonl", "--as", form], 0);
        house.as_recorded(&["export", "tape.jsonl", "--as", form, "--unredacted"], 0);
    }
    house.clean(&["import", "tape.har", "--record", "imported.jsonl"], 0);

    let recorded = ["tape.jsonl", "sent.jsonl", "compact.jsonl", "one.jsonl"];
    let mut seen = 0;
    for path in files_in(&home.path(".")) {
        let (bytes, place) = (fs::read(&path).unwrap(), path.display().to_string());
        if recorded.iter().any(|name| path.ends_with(name)) {
            house.held_as_recorded(&bytes, &place);
            seen += 1;
        } else {
            none_in(&house.needles, &bytes, &place);
        }
    }
    assert_eq!(seen, recorded.len());
}
