//! `init` and `doctor`: what a newcomer runs first.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::lane::{HOOKTAPE, Home, TOKEN};
use crate::support::{Ended, feed, run};

const DOCTOR: [&str; 3] = ["doctor", "--listen", "127.0.0.1:0"];

/// The file with every key that is off switched on.
fn switched_on(text: &str) -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => key.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|line| on(line) + "\n").collect()
}

#[test]
fn what_init_writes_is_understood_with_and_without_every_key() {
    for (args, answers, held) in [
        (
            &["init", "--yes"][..],
            "",
            &["file ", "127.0.0.1:4747", "moveo = env:MOVEO_TOKEN", "local http://127.0.0.1:3000"][..],
        ),
        (&["init"], "\n\n\n\n", &["127.0.0.1:4747", "moveo = env:MOVEO_TOKEN", "local http://127.0.0.1:3000"]),
        (&["init"], "github\n[::1]:0\nPUBLISHED\nforward :8000\n", &["[::1]:0", "github = env:PUBLISHED", ":8000"]),
        (
            &["init"],
            "moveo, stripe\n5000\nnone\nfile:a \"key\"\nnone\n",
            &["127.0.0.1:5000", "stripe = file:a \"key\""],
        ),
    ] {
        let home = Home::new();
        fs::write(home.path("a \"key\""), "whsec_x\n").unwrap();
        fs::set_permissions(home.path("a \"key\""), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(home.path("customers.csv"), "id,name\n1,Jo\n").unwrap();
        let written = feed(&home, args, answers.as_bytes());
        assert_eq!(written.code, 0, "{answers}: {}", written.err);
        assert!(written.out.starts_with("hooktape.toml is written\nnext: "), "{}", written.out);
        let file = home.path("hooktape.toml");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let checked = run(&home, &["config", "check"]);
        assert_eq!((checked.code, &*checked.err), (0, ""), "{answers}");
        for words in held {
            assert!(checked.out.contains(words), "{words}: {}", checked.out);
        }
        let text = fs::read_to_string(&file).unwrap();
        let places = ["@ADDRESS@", "@FORWARD@", "@SECRETS@", "@KIND@", "@TARGET@"];
        assert!(!places.iter().any(|place| text.contains(place)), "{text}");
        assert_eq!(text.contains("\nrespond.forward"), answers.contains("forward"));
        // Only the secrets of the examples are missing then.
        fs::write(&file, switched_on(&text)).unwrap();
        let all = run(&home, &["config", "check", "--format", "json"]);
        assert_eq!(all.code, 1, "{answers}: {}", all.err);
        assert_eq!(
            (all.json()[0]["routes"].as_array().unwrap().len(), &all.json()[0]["warnings"]),
            (1, &serde_json::json!([]))
        );
    }
}

#[test]
fn init_never_takes_a_files_place() {
    let home = Home::new();
    fs::write(home.path("hooktape.toml"), "mine").unwrap();
    symlink("nowhere", home.path("link.toml")).unwrap();
    for (args, file) in [(&["init", "--yes"][..], "hooktape.toml"), (&["init", "--config", "link.toml"], "link.toml")] {
        let refused = run(&home, args);
        assert_eq!((refused.code, &*refused.out), (2, ""));
        assert!(refused.err.contains(&format!("{file} is there already")), "{}", refused.err);
    }
    assert_eq!(fs::read(home.path("hooktape.toml")).unwrap(), b"mine");
    let other = run(&home, &["init", "--yes", "--config", "other.toml", "--format", "json"]);
    assert_eq!((other.code, &other.json()[0]["file"]), (0, &"other.toml".into()), "{}", other.err);
    assert!(home.path("other.toml").exists());
}

#[test]
fn a_wrong_answer_writes_nothing() {
    let literal = format!("moveo\n\n{TOKEN}\n");
    for (answers, said) in [
        (&*literal, "a secret itself never goes into this file"),
        ("moevo\n", "did you mean \"moveo\"?"),
        (",\n", "name a platform"),
        ("\nhere\n", "an address is host and port"),
        ("\n\n\nftp://x\n", "nothing was written"),
        ("\n\n\n127.0.0.1:4747\n", "needs another port"),
        ("\n\n", "--yes takes every default"),
        ("", "--yes takes every default"),
    ] {
        let home = Home::new();
        let ended = feed(&home, &["init"], answers.as_bytes());
        assert_eq!((ended.code, &*ended.out), (2, ""), "{answers}");
        assert!(ended.err.contains(said), "{answers}: {}", ended.err);
        assert!(!home.path("hooktape.toml").exists());
    }
}

/// State, message and repair of each line of a check.
fn lines(ended: &Ended, check: &str) -> Vec<(String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |value: serde_json::Value| {
        (value["check"] == check).then(|| (text(&value["state"]), text(&value["message"]), text(&value["repair"])))
    };
    ended.json().into_iter().filter_map(of).collect()
}

fn examine(home: &Home, args: &[&str]) -> Ended {
    run(home, &[args, &["--format", "json"]].concat())
}

#[test]
fn doctor_finds_nothing_wrong_with_a_fresh_start() {
    let home = Home::new();
    run(&home, &["init", "--yes"]);
    let fine = run(&home, &DOCTOR);
    assert_eq!((fine.code, &*fine.err), (0, ""), "{}", fine.out);
    let checks: Vec<&str> = fine.out.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(checks, ["terminal", "port", "config", "secrets", "data", "disk", "clock"]);
    assert!(fine.out.contains("is not there yet") && fine.out.contains("not compared with a time server"));

    run(&home, &["demo"]);
    let data = &lines(&examine(&home, &DOCTOR), "data")[0];
    assert!(data.0 == "ok" && data.1.contains(": 1 recording, "), "{data:?}");
    fs::set_permissions(home.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
    let data = &lines(&examine(&home, &DOCTOR), "data")[0];
    assert!(data.0 == "warning" && data.2.starts_with("chmod 700 "), "{data:?}");
}

#[test]
fn doctor_names_each_problem_with_its_repair() {
    let home = Home::new();
    fs::write(home.path("key"), format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(home.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(
        home.path("hooktape.toml"),
        "[secrets]\nmoveo = [\"env:UNSET\", \"file:key\", \"env:MOVEO_TOKEN\", \"file:no\\u001bne\"]\n",
    )
    .unwrap();
    fs::write(home.path("data"), "a file").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["doctor", "--listen", &address];
    assert_eq!(run(&home, &args).code, 1);
    let ended = examine(&home, &args);
    assert_eq!(ended.code, 1);
    let secrets = lines(&ended, "secrets");
    let states: Vec<&str> = secrets.iter().map(|line| &*line.0).collect();
    assert_eq!(states, ["problem", "warning", "ok", "problem"], "{secrets:?}");
    assert!(secrets[0].2.starts_with("export UNSET=") && secrets[1].2 == "chmod 600 key", "{secrets:?}");
    assert!(secrets[3].1.contains("no␛ne"), "{secrets:?}");
    let port = &lines(&ended, "port")[0];
    assert!(port.0 == "problem" && port.1.contains("is taken") && port.2.contains("--listen"), "{port:?}");
    let data = &lines(&ended, "data")[0];
    assert!(data.0 == "problem" && data.2.contains("HOOKTAPE_DATA"), "{data:?}");
}

#[test]
fn doctor_works_where_the_configuration_does_not() {
    let home = Home::new();
    fs::write(home.path("hooktape.toml"), "[listen]\nadress = 1\n").unwrap();
    let ended = examine(&home, &DOCTOR);
    assert_eq!((ended.code, &*ended.err), (1, ""));
    let config = &lines(&ended, "config")[0];
    assert!(config.0 == "problem" && config.1.contains("hooktape.toml:2:1: listen.adress"), "{config:?}");
    assert_eq!(lines(&ended, "clock")[0].0, "ok");
}

#[test]
fn doctor_knows_a_clock_that_went_back() {
    let home = Home::new();
    run(&home, &["demo", "--record", "tape.jsonl"]);
    let text = fs::read_to_string(home.path("tape.jsonl")).unwrap();
    let (before, after) = text.split_once("\"at\":\"20").unwrap();
    fs::write(home.path("tape.jsonl"), format!("{before}\"at\":\"30{after}")).unwrap();
    let ended = examine(&home, &[&DOCTOR[..], &["--record", "tape.jsonl"]].concat());
    let clock = &lines(&ended, "clock")[0];
    assert!(ended.code == 1 && clock.0 == "problem" && clock.1.contains("before the last recorded call"), "{clock:?}");
}

#[test]
fn help_that_cannot_be_written_is_no_success() {
    let home = Home::new();
    for args in ["--help", "--version", "help send"] {
        let script = |to: &str| format!("\"$0\" {args} {to}");
        let full = home.command("sh", &["-c", &script(">/dev/full"), HOOKTAPE]).output().unwrap();
        let said = String::from_utf8(full.stderr).unwrap();
        assert_eq!(full.status.code(), Some(2), "{said}");
        assert!(said.starts_with("hooktape: No space left on device"), "{said}");
        let read = home.command("sh", &["-c", &script("| head -c 1"), HOOKTAPE]).output().unwrap();
        assert_eq!((read.stdout.len(), read.stderr.len()), (1, 0), "whoever has had enough is told nothing");
    }
}
