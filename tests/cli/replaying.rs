//! What `replay` can do besides sending again: picking, pacing, faults, expectations; fixtures, variables.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::comparing::answering;
use crate::lane::{HOOKTAPE, Home, TOKEN};
use crate::recorded::calls_in;
use crate::support::{Ended, Endpoint, SAMPLE, SIGNED, field, run, signature};

/// Replays the calls of the sample that are authentic, signed anew.
pub fn replay(home: &Home, endpoint: &Endpoint, args: &[&str]) -> Ended {
    let usual = ["replay", SAMPLE, "--to", &endpoint.url, "--record", "sent.jsonl"];
    run(home, &[&usual, &SIGNED[..], args].concat())
}

/// The same of the sample's only dialog call.
pub fn replay_dialog(home: &Home, endpoint: &Endpoint, args: &[&str]) -> Ended {
    replay(home, endpoint, &[&["--query", "kind:dialog"], args].concat())
}

/// The paths that were called, in order.
fn paths(endpoint: &Endpoint) -> Vec<String> {
    let path = |head: String| head.split(' ').nth(1).unwrap().trim_start_matches("/hooks/moveo/").to_owned();
    endpoint.seen().into_iter().map(|(head, _)| path(head)).collect()
}

/// The sample's calls of one conversation, by kind.
const STORY: [&str; 7] =
    ["first_message", "pre_message", "auth_validation", "auth_pre_enter", "dialog", "post_message", "first_message"];

#[test]
fn calls_are_picked_by_id_mark_conversation_and_turn() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    std::fs::copy(SAMPLE, home.path("tape.jsonl")).unwrap();
    let ids: Vec<String> = run(&home, &["show", SAMPLE, "--format", "json"])
        .json()
        .into_iter()
        .map(|call| call["id"].as_str().unwrap().to_owned())
        .collect();
    let mut file = std::fs::OpenOptions::new().append(true).open(home.path("tape.jsonl")).unwrap();
    writeln!(file, "{{\"mark\":\"{}\",\"at\":\"2026-11-21T10:02:11Z\",\"on\":true}}", ids[2]).unwrap();
    let sent = |args: &[&str]| {
        let usual = ["replay", "tape.jsonl", "--to", &endpoint.url, "--record", "sent.jsonl"];
        let ended = run(&home, &[&usual, &SIGNED[..], args].concat());
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
        paths(&endpoint)
    };
    assert_eq!(sent(&[]), STORY);
    assert_eq!(sent(&[&ids[1][28..]]), STORY[1..2]);
    assert_eq!(sent(&["--marked"]), STORY[2..3]);
    assert_eq!(sent(&["--from", &ids[4]]), STORY[4..]);
    let talk = run(&home, &["show", SAMPLE, &ids[0], "--format", "json"]).json().remove(0);
    let talk = talk["conv"].as_str().unwrap();
    // As the conversation is shown: a turn is what the user said, and the calls that were made for it.
    assert_eq!(sent(&["--conversation", &talk[..8], "--turn", "2"]), STORY[1..]);
    assert_eq!(sent(&["--turn", "3"]), STORY[4..], "what the agent made of an answer is no turn");
    assert_eq!(sent(&["--turn", "3", "--query", "-kind:dialog"]), STORY[5..], "counted in all of it");
    let none = run(&home, &["replay", "tape.jsonl", "--to", &endpoint.url, "--turn", "6"]);
    assert!(none.code == 2 && none.err.contains("has 6 turns, the longest has 4"), "{}", none.err);
    assert_eq!(sent(&["--query", "kind:dialog", "--repeat", "3"]), ["dialog"; 3]);
    assert_eq!(
        run(&home, &["replay", "tape.jsonl", "--to", &endpoint.url, "--turn", "0"]).code,
        2,
        "they count from 1"
    );
    let marked = run(&home, &["replay", "tape.jsonl", "--to", &endpoint.url, "--marked", "--query", "kind:dialog"]);
    assert!(
        marked.code == 2 && marked.err.contains("no call to send: --query kind:dialog with --marked finds none"),
        "{}",
        marked.err
    );
    let none = run(&home, &["replay", "tape.jsonl", "zzz", "--to", &endpoint.url]);
    assert!(none.code == 2 && none.err.contains("\"zzz\""), "{}", none.err);
}

#[test]
fn order_is_kept_within_a_conversation_at_any_concurrency_and_rate() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let paced = replay(&home, &endpoint, &["--concurrency", "8", "--rate", "500"]);
    assert_eq!((paced.code, paths(&endpoint)), (0, STORY.map(str::to_owned).to_vec()));
    assert!(paced.err.contains("calls left later than due by p50 "), "{}", paced.err);
    let fast = replay(&home, &endpoint, &["--pace", "1000000x", "--quiet"]);
    assert_eq!((fast.code, &*fast.out, paths(&endpoint).len()), (0, "", 7));
}

#[test]
fn each_fault_arrives_as_what_it_is_and_is_labelled() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let of = |flags: &[&str]| {
        let ended = replay_dialog(&home, &endpoint, &[flags, &["--format", "json"]].concat());
        let lines = ended.json();
        let seen = endpoint.seen();
        assert_eq!(lines[0]["fine"], ended.code == 0, "{flags:?}");
        (ended.code, lines, seen)
    };
    let authentic = |seen: &(String, Vec<u8>)| field(&seen.0, "x-moveo-signature") == Some(&*signature(TOKEN, &seen.1));

    let (code, lines, seen) = of(&["--duplicate"]);
    assert_eq!(
        (code, seen.len(), lines[0]["fault"].clone(), &lines[1]["fault"]),
        (0, 2, Value::Null, &"duplicate".into())
    );
    assert_eq!((&seen[0].1, authentic(&seen[1])), (&seen[1].1, true));
    assert_eq!(field(&seen[0].0, "x-moveo-request-id"), field(&seen[1].0, "x-moveo-request-id"));

    let (code, lines, seen) = of(&["--bad-signature"]);
    assert_eq!((code, &lines[0]["fault"], &lines[0]["sig"]), (0, &"bad signature".into(), &"invalid".into()));
    assert!(!authentic(&seen[0]), "it was to be refused, and was");

    let (code, lines, seen) = of(&["--tampered"]);
    assert_eq!((code, &lines[0]["fault"]), (0, &"tampered body".into()));
    assert!(!authentic(&seen[0]) && serde_json::from_slice::<Value>(&seen[0].1).is_ok());

    for fault in ["--tampered", "--bad-signature"] {
        let (code, lines, seen) = of(&[fault, "--duplicate"]);
        let word = if fault == "--tampered" { "tampered body" } else { "bad signature" };
        let labels = [&lines[0]["fault"], &lines[1]["fault"]];
        assert_eq!((code, labels), (0, [&json!(word), &json!(format!("{word}, duplicate"))]), "both are refused");
        assert_eq!((seen.len(), &seen[0].1), (2, &seen[1].1));
    }

    let (code, lines, seen) = of(&["--stale"]);
    assert_eq!((code, &lines[0]["fault"]), (1, &"stale timestamp".into()), "this endpoint takes old calls");
    assert_eq!(lines[0]["unmet"][0]["expected"], "status=4xx");
    let body: Value = serde_json::from_slice(&seen[0].1).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let age = now - body["timestamp"].as_i64().unwrap();
    assert!(authentic(&seen[0]) && (3_500_000..3_700_000).contains(&age), "{age}");

    let (code, lines, seen) = of(&["--slow-body=200ms"]);
    assert_eq!((code, &lines[0]["fault"], authentic(&seen[0])), (0, &"slow body".into(), true));
    assert!(lines[0]["took_us"].as_u64().unwrap() > 100_000, "{}", lines[0]["took_us"]);

    let (code, lines, seen) = of(&["--cut-body"]);
    assert_eq!((code, &lines[0]["fault"], seen.len()), (0, &"cut body".into(), 0), "half a call is none");
    assert!(lines[0]["error"].as_str().unwrap().contains("cut on purpose"), "{}", lines[0]["error"]);

    let (code, lines, _) = of(&["--bad-signature", "--tampered"]);
    let faults: Vec<&Value> = lines.iter().map(|line| &line["fault"]).collect();
    assert_eq!((code, faults[..2].to_vec()), (0, vec![&json!("bad signature"), &json!("tampered body")]));
    let recording = std::fs::read_to_string(home.path("sent.jsonl")).unwrap();
    assert!(recording.contains("replayed with a fault: cut body"), "the recording has it as a note");
}

#[test]
fn late_calls_come_late_and_what_cannot_be_stale_is_left_out() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let late = replay(&home, &endpoint, &["--out-of-order"]);
    assert_eq!(late.code, 0, "{}", late.out);
    let labelled: Vec<bool> = late.out.lines().map(|line| line.contains("(out of order)")).collect();
    assert_eq!(labelled, [false, true, false, true, false, true, false]);
    let mut swapped = STORY;
    for first in [0, 2, 4] {
        swapped.swap(first, first + 1);
    }
    assert_eq!(paths(&endpoint), swapped);
    let stale = replay(&home, &endpoint, &["--stale", "--query", "kind:auth_validation"]);
    assert!(stale.out.starts_with("skip ") && stale.err.contains("1 skipped"), "{}", stale.out);
    assert!(stale.code == 1 && stale.err.contains("nothing was sent"), "{}", stale.err);
    let dry = replay(&home, &endpoint, &["--stale", "--query", "kind:auth_validation", "--dry-run"]);
    assert!(dry.code == 1 && dry.err.starts_with("0 calls would leave; "), "{}", dry.err);
    assert!(endpoint.seen().is_empty());
    let alone = replay_dialog(&home, &endpoint, &["--out-of-order"]);
    assert!(alone.code == 2 && alone.err.contains("could change places"), "{}", alone.err);
}

#[test]
fn answers_are_held_to_what_is_expected() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let expect = |what: &[&str]| {
        let flags: Vec<&str> = what.iter().flat_map(|what| ["--expect", what]).collect();
        replay_dialog(&home, &endpoint, &flags)
    };
    for fine in [&["status<400"][..], &["contract", "took<20s"], &["/context={}", "header:content-type*=json"]] {
        let ended = expect(fine);
        assert_eq!(ended.code, 0, "{fine:?}: {}", ended.out);
    }
    let unmet = expect(&["status=201", "/context/tier=gold"]);
    assert_eq!(unmet.code, 1);
    assert!(unmet.out.contains("\n     expected status=201: status 200\n"), "{}", unmet.out);
    assert!(unmet.out.contains("\n     expected /context/tier=gold: there is no such value\n"), "{}", unmet.out);
    let recorded = expect(&["recorded"]);
    assert_eq!(recorded.code, 1);
    assert!(recorded.out.contains("expected recorded: ") && recorded.out.contains(" → "), "{}", recorded.out);
    let ignored =
        replay_dialog(&home, &endpoint, &["--expect", "recorded", "--ignore", "/context", "--ignore", "/responses"]);
    assert_eq!(ignored.code, 0, "{}", ignored.out);
    let wrong = replay_dialog(&home, &endpoint, &["--ignore", "context"]);
    assert!(wrong.code == 2 && wrong.err.contains("--ignore: \"context\" is neither"), "{}", wrong.err);
}

#[test]
fn a_dry_run_names_modes_faults_and_changes() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let dry = replay_dialog(&home, &endpoint, &["--dry-run", "--stale", "--against", "http://127.0.0.1:1/b"]);
    assert_eq!((dry.code, dry.out.lines().count()), (0, 2), "{}", dry.err);
    let first = dry.out.lines().next().unwrap();
    assert!(
        first.contains("fresh with env:MOVEO_TOKEN, stale timestamp); changed ") && first.contains("/timestamp"),
        "{first}"
    );
    assert!(dry.out.lines().nth(1).unwrap().contains(" http://127.0.0.1:1/b "), "{}", dry.out);
    assert!(dry.err.starts_with("1 call would leave for each of "), "{}", dry.err);
    assert!(endpoint.seen().is_empty());
    let config = "[[target]]\nname = \"live\"\nurl = \"http://127.0.0.1:1/{name}\"\nguard = \"confirm\"\n";
    std::fs::write(home.path("hooktape.toml"), config).unwrap();
    let usual =
        ["replay", SAMPLE, "--to", "live", "--query", "kind:dialog", "--dry-run", "--duplicate", "--repeat", "3"];
    let dry = run(&home, &[&usual, &SIGNED[..]].concat());
    assert_eq!((dry.code, dry.out.lines().count()), (0, 2), "{}", dry.err);
    assert!(dry.out.lines().nth(1).unwrap().contains(", duplicate)"), "{}", dry.out);
    assert_eq!(
        dry.err,
        "6 calls (all of it 3 times) would leave for live at http://127.0.0.1:1/{name}; nothing was sent\n\
         live: guarded, so you will be asked first (--yes says so beforehand)\n"
    );
    let json = run(&home, &[&usual, &SIGNED[..], &["--format", "json"]].concat()).json();
    assert_eq!(
        json[2],
        json!({ "schema": 1, "event": "rehearsed", "total": 6, "targets": 1, "rounds": 3, "guarded": ["live"] })
    );
    // Where a target takes none of them, there is no address to name, and nobody will be asked.
    let none = run(&home, &["replay", SAMPLE, "--to", "moveo", "--query", "kind:dialog", "--dry-run"]);
    let refusal = "0 calls would leave; nothing was sent\nhooktape: none of these calls can be sent so: ";
    assert!(none.code == 2 && none.err.starts_with(refusal), "{}", none.err);
    let real = run(&home, &["replay", SAMPLE, "--to", "moveo", "--query", "kind:dialog"]);
    assert_eq!(real.code, none.code, "{}", real.err);
    let twins = [endpoint.url.clone() + "/ok?env=a", endpoint.url.clone() + "/ok?env=b"];
    let usual = ["replay", SAMPLE, "--to", &twins[0], "--against", &twins[1], "--query", "kind:dialog", "--dry-run"];
    let dry = run(&home, &[&usual, &SIGNED[..]].concat());
    let (first, second) = (endpoint.url.clone() + "/ok", endpoint.url.clone() + "/ok (2)");
    assert_eq!(dry.err, format!("1 call would leave for each of {first} and {second}; nothing was sent\n"));
}

#[test]
fn what_is_masked_or_cut_is_not_sent_for_what_came() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let tape = std::fs::read_to_string(SAMPLE).unwrap();
    let flagged = |flag: &str| tape.replace("\"request\":{", &format!("\"request\":{{\"{flag}\":true,"));
    let masked = flagged("redacted").replace("\"channel\":\"web\"", "\"channel\":\"[redacted]\"");
    std::fs::write(home.path("masked.jsonl"), masked).unwrap();
    let usual = ["replay", "masked.jsonl", "--query", "kind:dialog", "--to", &endpoint.url, "--record", "sent.jsonl"];
    let sent = run(&home, &[&usual, &SIGNED[..]].concat());
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert!(sent.out.contains("; masked when it was recorded: /channel"), "{}", sent.out);
    let dry = run(&home, &[&usual, &SIGNED[..], &["--dry-run"]].concat());
    assert!(dry.out.contains("; masked when it was recorded: /channel"), "{}", dry.out);
    assert_eq!(endpoint.seen().len(), 1);
    let exact = run(&home, &[&usual[..], &["--sign", "exact"]].concat());
    assert!(exact.code == 2 && exact.err.contains("masked when it was recorded"), "{}", exact.err);
    std::fs::write(home.path("masked.jsonl"), flagged("cut")).unwrap();
    let cut = run(&home, &[&usual, &SIGNED[..]].concat());
    assert!(cut.code == 2 && cut.err.contains("its body was cut when it was recorded"), "{}", cut.err);
    assert!(endpoint.seen().is_empty());
    let id = run(&home, &["show", "masked.jsonl", "--query", "kind:dialog", "--format", "json"]).json().remove(0);
    let call = format!("masked.jsonl#{}", id["id"].as_str().unwrap());
    let draft = run(&home, &[&["send", &call, "--to", &endpoint.url, "--header", "X-Mine: 1"], &SIGNED[..]].concat());
    assert!(draft.code == 0 && draft.err.contains("its body was cut when it was recorded"), "{}", draft.err);
    let changed = draft.out.lines().find(|line| line.starts_with("changed ")).unwrap();
    assert!(changed.contains("header:x-mine") && !changed.contains("/timestamp"), "{changed}");
}

#[test]
fn an_interrupt_ends_a_replay_with_what_it_has_done() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}", silent.local_addr().unwrap());
    let mut command: Command =
        home.command(HOOKTAPE, &["replay", SAMPLE, "--to", &to, "--record", "sent.jsonl", "--sign", "exact"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _): (TcpStream, _) = silent.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(
        out.contains("had not answered when hooktape was told to stop")
            && out.starts_with("end ")
            && out.lines().count() == 1,
        "{out}"
    );
    assert!(err.contains("0 fine, 0 failed, 1 not finished") && err.contains("end: 6 of 7 calls not sent"), "{err}");
    assert_eq!(calls_in(home.path("sent.jsonl")).len(), 1);
}

#[test]
fn what_left_before_an_interrupt_is_recorded() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}", silent.local_addr().unwrap());
    let args = ["send", "moveo/dialog", "--to", &to, "--sign", "exact", "--duplicate", "--record", "sent.jsonl"];
    let mut command: Command = home.command(HOOKTAPE, &args);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _): (TcpStream, _) = silent.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(out.contains("had not answered when hooktape was told to stop"), "{out}");
    assert!(err.contains("ended: 1 of 2 calls not sent"), "{err}");
    assert_eq!(calls_in(home.path("sent.jsonl")).len(), 1);
}

#[test]
fn a_fixture_is_filled_in_when_it_leaves() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let to = answering(r#"{"context":{"tier":"gold","password":"hunter2"},"output":{"score":1e1}}"#);
    let sent = run(&home, &[&["send", "moveo/dialog", "--to", &to, "--register"], &SIGNED[..]].concat());
    assert_eq!((sent.code, sent.err.lines().last()), (0, Some("2 variables: tier, score")));
    let listed = run(&home, &["variables", "--format", "json"]).json();
    let told: HashMap<&str, &Value> =
        listed.iter().map(|line| (line["name"].as_str().unwrap(), &line["value"])).collect();
    assert_eq!(told, [("tier", &json!("gold")), ("score", &json!(10.0))].into());
    assert!(
        run(&home, &["variables"])
            .out
            .starts_with("tier                 string   \"gold\"  /context/tier of moveo/dialog ")
    );
    let kept = std::fs::read_to_string(home.path("data/variables.json")).unwrap();
    assert!(!kept.contains("hunter2"));

    let payload = r#"{"channel":"web","lang":"en","at":{{now_ms}},"id":"{{uuid}}","tier":{{$tier}},"say":"{{env:PUBLISHED}} {{$score}} {{it}}"}"#;
    std::fs::write(home.path("payload.json"), payload).unwrap();
    let saved = run(
        &home,
        &["fixtures", "save", "hello", "moveo/dialog", "--data", "payload.json", "--header", "X-T: {{$tier}}"],
    );
    assert_eq!(saved.code, 0, "{}", saved.err);
    assert_eq!(run(&home, &["fixtures"]).out, format!("hello                moveo/dialog ({} bytes)\n", payload.len()));
    let args = ["send", "fixture:hello", "--to", &endpoint.url, "--record", "sent.jsonl"];
    assert_eq!(run(&home, &[&args[..], &SIGNED].concat()).code, 0);
    let (head, body) = endpoint.seen().remove(0);
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&value["tier"], &value["say"]), (&"gold".into(), &"123456789 1e1 {{it}}".into()));
    assert!(value["at"].is_i64() && value["id"].as_str().unwrap().len() == 36, "{value}");
    assert_eq!(field(&head, "x-t"), Some("gold"));

    assert_eq!(run(&home, &["variables", "remove", "tier"]).code, 0);
    let unknown = run(&home, &[&args[..], &SIGNED].concat());
    assert!(unknown.code == 2 && unknown.err.contains("{{$tier}}: no such variable"), "{}", unknown.err);
    let again = run(&home, &["variables", "register", "sent.jsonl"]);
    assert_eq!((again.code, &*again.err), (0, "0 variables: \n"), "that endpoint returned none");
    assert_eq!(run(&home, &["fixtures", "remove", "hello"]).code, 0);
    let gone = run(&home, &args);
    assert!(gone.code == 2 && gone.err.contains("no fixture is called \"hello\""), "{}", gone.err);
}

#[test]
fn a_recorded_call_is_sent_as_it_came_also_with_braces_in_it() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let payload = r#"{"channel":"web","lang":"en","say":"{{now_ms}} {{$none}} {{env:MOVEO_TOKEN}}"}"#;
    std::fs::write(home.path("payload.json"), payload).unwrap();
    assert_eq!(run(&home, &["fixtures", "save", "raw", "moveo/dialog", "--data", "payload.json"]).code, 0);
    let fixture = "data/fixtures/raw.jsonl";
    let id = run(&home, &["show", fixture, "--format", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let what = format!("{fixture}#{}", &id[28..]);
    let args = ["send", &what, "--to", &endpoint.url, "--record", "sent.jsonl"];
    assert_eq!(run(&home, &[&args[..], &SIGNED].concat()).code, 0);
    assert_eq!(endpoint.seen().remove(0).1, payload.as_bytes());

    // Kept as a fixture it stays so; what is put into it is filled in.
    let taken = run(&home, &["fixtures", "save", "raw", &what]);
    assert!(taken.code == 2 && taken.err.contains("--replace"), "{}", taken.err);
    assert_eq!(run(&home, &["fixtures", "save", "copy", &what]).code, 0);
    for what in ["fixture:copy", &what] {
        let args = ["send", what, "--to", &endpoint.url, "--set", "/at={{now_s}}", "--set", "/slip={{nows}}"];
        let sent = run(&home, &[&args[..], &["--header", "X-Id: {{uuid}}"], &SIGNED].concat());
        assert_eq!(
            (sent.code, sent.err.lines().next()),
            (0, Some("{{nows}} is sent as it stands: did you mean {{now_s}}?"))
        );
        let (head, body) = endpoint.seen().remove(0);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["say"], "{{now_ms}} {{$none}} {{env:MOVEO_TOKEN}}");
        assert!(value["at"].is_i64() && value["slip"] == "{{nows}}", "{value}");
        assert_eq!(field(&head, "x-id").map(str::len), Some(36));
    }
    assert_eq!(run(&home, &["fixtures", "save", "raw", &what, "--replace"]).code, 0);
    let sent = run(&home, &["show", "sent.jsonl", "--format", "json"]).json().remove(0);
    assert_eq!(sent["parent"], id);
}

#[test]
fn there_is_no_progress_bar_in_a_pipe() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let ended = replay(&home, &endpoint, &["--repeat", "20", "--concurrency", "2"]);
    assert!(!ended.err.contains('\r') && ended.err.contains("140 fine"), "{}", ended.err);
    assert_eq!(ended.out.lines().count(), 140);
}

#[test]
fn what_is_masked_in_the_recording_is_masked_in_what_is_printed() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let set = ["--set", "/context/access_token=\"hush-hush\"", "--format", "json"];
    let open = replay_dialog(&home, &endpoint, &set);
    assert!(open.out.contains("hush-hush"), "{}", open.out);
    for more in [&["--redact"][..], &["--redact", "--dry-run"]] {
        let masked = replay_dialog(&home, &endpoint, &[&set, more].concat());
        assert!(masked.out.contains("access_token") && !masked.out.contains("hush-hush"), "{}", masked.out);
    }
    assert!(endpoint.seen().iter().all(|(_, body)| String::from_utf8_lossy(body).contains("hush-hush")));
}

#[test]
fn a_target_that_is_down_is_told_once_a_call_and_counts() {
    let home = Home::new();
    let replay = |args: &[&str]| {
        let usual = ["replay", SAMPLE, "--to", "http://127.0.0.1:1", "--record", "sent.jsonl"];
        run(&home, &[&usual, args].concat())
    };
    let down = replay(&[&SIGNED[..], &["--query", "kind:dialog"]].concat());
    assert_eq!(down.out.matches("nothing listens at 127.0.0.1:1").count(), 1, "{}", down.out);
    assert!(
        down.out.contains(" valid · nothing listens") && down.out.contains("\n     expected status=2xx\n"),
        "{}",
        down.out
    );
    assert!(down.err.contains("0 fine, 1 failed"), "{}", down.err);
    // What cannot be sent counts as failed, though no other call could be sent either.
    let none = replay(&["--header", "X-Moveo-Signature: mine"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(
        none.err.contains("0 fine, 7 failed\n") && none.err.contains("none of these calls can be sent so: "),
        "{}",
        none.err
    );
}

#[test]
fn where_a_replay_is_recorded_is_told_where_nobody_named_a_place() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let to = ["--to", &endpoint.url];
    let told = run(&home, &[&["replay", SAMPLE, "--query", "kind:dialog"][..], &to, &SIGNED].concat());
    let place =
        told.err.lines().find_map(|line| line.strip_prefix("recorded to ")).unwrap_or_else(|| panic!("{}", told.err));
    let listed = run(&home, &["show", place]);
    assert!(listed.code == 0 && listed.out.contains(" moveo/dialog "), "{}{}", listed.out, listed.err);
    let told = run(&home, &[&["send", "moveo/dialog"][..], &to, &SIGNED].concat());
    assert!(told.err.contains("recorded to "), "{}", told.err);
}
