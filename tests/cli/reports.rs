//! `replay --report`: what a build server, a program and people get of a replay, however it ends.

use serde_json::Value;

use crate::lane::{HOOKTAPE, Home};
use crate::replaying::{replay, replay_dialog};
use crate::support::{Endpoint, SAMPLE, SIGNED, run};

#[test]
fn reports_are_written_for_others() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let reports = ["--report", "junit=r.xml", "--report", "json=r.json", "--report", "html=r.html"];
    let ended =
        replay(&home, &endpoint, &[&["--expect", "/context/n<5", "--query", "kind:dialog"], &reports[..]].concat());
    assert_eq!(ended.code, 1);
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    let junit = read("r.xml");
    assert!(junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("/context/n&lt;5"), "{junit}");
    let json: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(
        (&json["schema"], &json["cases"][0]["status"], &json["title"]),
        (&1.into(), &200.into(), &"moveo.jsonl".into())
    );
    let html = read("r.html");
    assert!(html.contains("<!doctype html>") && html.contains("moveo/dialog") && !html.contains("<script"), "{html}");
    let stream = replay_dialog(&home, &endpoint, &["--report", "html=-"]);
    assert!(stream.code == 2 && stream.err.contains("name a file for the report, as in html=report"), "{}", stream.err);
    let nowhere = replay_dialog(&home, &endpoint, &["--report", "html=no/such/r.html"]);
    assert!(nowhere.code == 2 && nowhere.err.contains("cannot write the report no/such/r.html"), "{}", nowhere.err);
    std::fs::copy(SAMPLE, home.path("own.jsonl")).unwrap();
    let itself = run(&home, &["replay", "own.jsonl", "--to", &endpoint.url, "--report", "json=own.jsonl"]);
    assert!(itself.code == 2 && itself.err.contains("is the recording that is replayed"), "{}", itself.err);
    assert!(read("own.jsonl").starts_with("{\"hooktape\":1"));
    for (reports, said) in [
        (
            &["--record", "new.jsonl", "--report", "json=./new.jsonl"][..],
            "./new.jsonl is what the replay is recorded to",
        ),
        (&["--record", "sent.jsonl", "--report", "json=sent.jsonl"], "sent.jsonl is what the replay is recorded to"),
        (&["--report", "json=r.out", "--report", "junit=./r.out"], "./r.out has another report already"),
    ] {
        let ended = run(&home, &[&["replay", SAMPLE, "--to", &endpoint.url][..], reports].concat());
        assert!(ended.code == 2 && ended.err.contains(&format!("{said}: name another file")), "{}", ended.err);
        assert!(!home.path("new.jsonl").exists() && !home.path("r.out").exists());
        assert!(read("sent.jsonl").starts_with("{\"hooktape\":1"));
    }
    let before = read("r.json");
    let nothing = replay_dialog(&home, &endpoint, &["--report", "json=r.json", "--query", "kind:none"]);
    assert!(nothing.code == 2 && read("r.json") == before, "a report that comes to nothing replaces none");
    assert_eq!(endpoint.seen().len(), 1, "nothing is sent whose report cannot be written");
}

#[test]
fn a_report_takes_no_calls_with_it() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    std::fs::copy(SAMPLE, home.path("other.jsonl")).unwrap();
    let to = ["replay", SAMPLE, "--to", &endpoint.url, "--record", "rr.jsonl", "--rotate", "4KiB", "--report"];
    let other = run(&home, &[&to[..], &["json=other.jsonl"], &SIGNED].concat());
    assert!(other.code == 2 && other.err.contains("other.jsonl is a recording"), "{}", other.err);
    assert!(endpoint.seen().is_empty(), "nothing is sent whose report cannot be written");
    // What the replay itself sets aside, under a name that nobody has before it runs.
    let aside = run(&home, &[&to[..], &["json=rr-1.jsonl"], &SIGNED].concat());
    assert!(aside.code == 2 && aside.err.contains("rr-1.jsonl is a recording"), "{}", aside.err);
    for name in ["other.jsonl", "rr-1.jsonl"] {
        assert!(std::fs::read_to_string(home.path(name)).unwrap().starts_with("{\"hooktape\":1"), "{name}");
    }
}

#[test]
fn a_report_that_cannot_be_written_takes_nothing_with_it() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    for reports in [["junit=/dev/full", "json=r.json"], ["json=r.json", "junit=/dev/full"]] {
        let reports = reports.map(|report| ["--report", report]).concat();
        let ended = replay_dialog(&home, &endpoint, &reports);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains("\n1 fine, 0 failed\n"), "{}", ended.err);
        assert!(ended.err.contains("\nhooktape: cannot write the report: "), "{}", ended.err);
        assert!(home.path("r.json").exists());
        std::fs::remove_file(home.path("r.json")).unwrap();
    }
}

#[test]
fn a_replay_that_fails_half_way_has_its_report_too() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    let to = ["replay", SAMPLE, "--to", &endpoint.url, "--sign", "exact", "--record"];
    let reports = ["--report", "json=r.json", "--report", "junit=r.xml"];
    // A file system that takes no larger file is a disk that gets full.
    for (rest, script, code, said) in [
        (&["full.jsonl"][..], "ulimit -f 8; exec \"$0\" \"$@\"", 2, "full.jsonl is as large as a file may get here"),
        (&["sent.jsonl", "--repeat", "9"], "exec \"$0\" \"$@\" >/dev/full", 2, "could not be printed"),
    ] {
        let mut shell = home.command("sh", &["-c", script, HOOKTAPE]);
        let ended = shell.args(to).args(rest).args(reports).output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{err}");
        let report: Value = serde_json::from_str(&read("r.json")).unwrap();
        let shortfall = report["shortfall"].as_str().unwrap();
        assert!(shortfall.contains(" calls not sent, or not recorded: ") && shortfall.contains(said), "{shortfall}");
        assert!(!report["cases"].as_array().unwrap().is_empty() && report["summary"]["left"].as_u64() > Some(0));
        assert!(read("r.xml").contains("errors=\"1\"") && read("r.xml").contains(said), "{}", read("r.xml"));
        std::fs::remove_file(home.path("r.json")).unwrap();
    }
    // That nobody reads what is printed ends nothing.
    let mut shell = home.command("sh", &["-c", "\"$0\" \"$@\" | sh -c 'read first'", HOOKTAPE]);
    shell.args(to).args(["read.jsonl", "--repeat", "9"]).args(reports).output().unwrap();
    let report: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!((&report["shortfall"], &report["summary"]["left"]), (&Value::Null, &0.into()));
    let script = "\"$0\" \"$@\" --quiet --expect status=418 --report json=/dev/stdout | true; exit ${PIPESTATUS[0]}";
    let mut shell = home.command("bash", &["-c", script, HOOKTAPE]);
    let failed = shell.args(to).arg("piped.jsonl").output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{}", String::from_utf8_lossy(&failed.stderr));
    let none = ["none.jsonl", "--query", "kind:dialog", "--set", "/lang/x=1"];
    let none = run(&home, &[&to[..], &none, &reports].concat());
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(read("r.json").contains("\"shortfall\":\"none of these calls can be sent so: "), "{}", read("r.json"));
    assert!(read("r.json").contains("\"left\":0,\"fine\":0,\"failed\":1,"), "{}", read("r.json"));
}
