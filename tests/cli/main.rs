//! The command line as its users have it: text and JSON, exit codes, and what it says when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../support/answering.rs"]
mod answering;
mod comparing;
mod filter;
mod first_minutes;
mod keeping;
mod keys;
#[path = "../support/lane.rs"]
mod lane;
#[path = "../support/leaks.rs"]
mod leaks;
mod listening;
mod packed;
mod platforms;
#[path = "../support/raw.rs"]
mod raw;
mod reading;
#[path = "../support/recorded.rs"]
mod recorded;
mod replaying;
mod reports;
mod responding;
mod secrets;
mod sending;
mod settings;
mod sharing;
mod support;
mod targets;
mod tokens;
mod tunnel;
mod webview;

use std::fmt::Write as _;

use support::run;

/// Every page of the manual.
const PAGES: [&[&str]; 34] = [
    &[],
    &["listen"],
    &["open"],
    &["show"],
    &["verify"],
    &["compact"],
    &["recordings"],
    &["prune"],
    &["send"],
    &["replay"],
    &["diff"],
    &["fixtures"],
    &["fixtures", "save"],
    &["fixtures", "remove"],
    &["variables"],
    &["variables", "register"],
    &["variables", "remove"],
    &["export"],
    &["import"],
    &["demo"],
    &["keys"],
    &["keys", "new"],
    &["keys", "jwt"],
    &["webview"],
    &["webview", "open"],
    &["platforms"],
    &["platforms", "check"],
    &["platforms", "new"],
    &["platforms", "advise"],
    &["init"],
    &["doctor"],
    &["config"],
    &["config", "check"],
    &["completions"],
];

#[test]
fn help_of_every_command() {
    let home = lane::Home::new();
    let mut pages = String::new();
    for page in PAGES {
        let short = run(&home, &[page, &["-h"]].concat());
        assert_eq!((short.code, &*short.err), (0, ""));
        writeln!(pages, "=== hooktape {}\n\n{}", page.join(" "), short.out).unwrap();
    }
    insta::assert_snapshot!("help", pages);
}

#[test]
fn no_command_is_missing_from_the_help_test() {
    use clap::CommandFactory as _;
    fn count(command: &clap::Command) -> usize {
        1 + command.get_subcommands().filter(|command| !command.is_hide_set()).map(count).sum::<usize>()
    }
    assert_eq!(PAGES.len(), count(&hooktape::cli::Cli::command()));
}

#[test]
fn wrong_usage_is_trouble() {
    let home = lane::Home::new();
    for (args, said) in [
        (&["shwo"][..], "a similar subcommand exists: 'show'"),
        (&["show"], "<FILE>"),
        (&["listen", "--listen", "here"], "--listen"),
        (&["send", "moveo/dialog", "--to", ":1", "--set", "text=hi"], "is not of the form /pointer=value"),
        (&["send", "moveo/dialog", "--to", ":1", "--header", "x-y"], "is not of the form NAME: VALUE"),
        (&["replay", "tape.jsonl", "--to", ":1", "--rate", "0"], "is no rate"),
        (&["replay", "tape.jsonl", "--to", ":1", "--rate", "1", "--pace", "2x"], "cannot be used with"),
        (&["replay", "tape.jsonl", "--to", ":1", "--concurrency", "0"], "not in 1..=10000"),
        (&["replay", "tape.jsonl", "--to", ":1", "--expect", "status"], "status"),
        (&["replay", "tape.jsonl", "--to", ":1", "--report", "pdf=x"], "is no form of a report"),
        (&["replay", "tape.jsonl", "--to", ":1", "--report", "html"], "is not of the form FORM=FILE"),
        (&["replay", "tape.jsonl", "--to", ":1", "--slow-body=soon"], "a duration is written"),
        (&["replay", "tape.jsonl", "--to", ":1", "--ignore", "x"], "tape.jsonl"),
        (&["diff", "tape.jsonl"], "2 values required"),
        (&["fixtures", "save", "../x", "moveo/dialog"], "is no name of a fixture"),
        (&["variables", "remove", "none"], "no variable \"none\" is known"),
        (
            &["replay", "tape.jsonl", "--to", ":1", "--pace", "slow"],
            "is no pace: asap, original, a factor such as 2x, or a rate such as 5/s",
        ),
    ] {
        let ended = run(&home, args);
        assert_eq!((ended.code, &*ended.out), (2, ""), "{args:?}");
        assert!(ended.err.contains(said), "{args:?}: {}", ended.err);
    }
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let home = lane::Home::new();
    for args in [
        &["--help"][..],
        &["show", support::SAMPLE],
        &["show", support::SAMPLE, "1b1222fe"],
        &["replay", support::SAMPLE, "--to", ":1", "--dry-run", "--sign", "exact"],
        &["platforms"],
        &["platforms", "moveo/dialog", "--format", "json"],
        &["platforms", "moveo"],
        &["platforms", "advise", "moveo", "--url", "https://a.example/"],
        &["keys", "new", "--print"],
        &["config", "check"],
        &["doctor", "--listen", "127.0.0.1:0"],
        &["completions", "bash"],
        &["export", support::SAMPLE, "--as", "har"],
        &["export", support::SAMPLE, "--as", "html"],
        &["import", support::SAMPLE],
        &["demo"],
        &["listen", "--listen", "127.0.0.1:0"],
    ] {
        into_a_closed_pipe(&home, args, 0);
    }
}

/// Runs the program with an output that nobody reads: it ends with `code`, and says nothing of that.
fn into_a_closed_pipe(home: &lane::Home, args: &[&str], code: i32) {
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let ended = home.command(lane::HOOKTAPE, args).stdout(write).output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(code), "{args:?}: {err}");
    assert!(!err.contains("pipe") && !err.contains("panicked"), "{args:?}: {err}");
}

#[test]
fn a_closed_pipe_changes_no_answer() {
    let home = lane::Home::new();
    let endpoint = support::Endpoint::new();
    let replay = ["replay", support::SAMPLE, "--to", &endpoint.url, "--record", "tape.jsonl"];
    let token = std::fs::read_to_string(support::SAMPLE).unwrap().replacen("\"lang\":\"en\"", "\"lang\":\"el\"", 1);
    std::fs::write(home.path("other.jsonl"), token).unwrap();
    for (args, code) in [
        (&["verify", support::SAMPLE][..], 1),
        (&["verify", support::SAMPLE, "--query", "sig:valid", support::PUBLISHED[0], support::PUBLISHED[1]], 0),
        (&["diff", support::SAMPLE, support::SAMPLE], 0),
        (&["diff", support::SAMPLE, "other.jsonl"], 1),
        (&[&replay[..], &support::SIGNED].concat(), 0),
        (&[&replay[..], &support::PUBLISHED, &["--format", "json"]].concat(), 1),
        (&["webview", "open", "jelou", "--listen", "127.0.0.1:0"], 1),
    ] {
        into_a_closed_pipe(&home, args, code);
    }
    assert_eq!(endpoint.seen().len(), 14, "a replay goes on to its end");
    let sent = run(&home, &["show", "tape.jsonl", "--query", "dir:sent -status:none"]);
    assert_eq!(sent.out.lines().count(), 14);
}

#[test]
fn nobody_has_to_read_standard_error() {
    let home = lane::Home::new();
    for (args, code) in [
        (&["show", "missing.jsonl"][..], 2),
        (&["verify", support::SAMPLE], 1),
        (&["demo", "--record", "tape.jsonl"], 0),
        (&["replay", "tape.jsonl", "--to", ":1", "--sign", "exact"], 1),
    ] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let ended = home.command(lane::HOOKTAPE, args).stderr(write).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{args:?}");
    }
}
