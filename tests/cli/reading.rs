//! `show` and `verify`: what is in a recording.

use crate::lane::{Home, TOKEN};
use crate::support::{Endpoint, PUBLISHED, SAMPLE, SIGNED, run, signature};

/// The calls of the sample recording as their lines have them.
fn lines() -> Vec<String> {
    std::fs::read_to_string(SAMPLE).unwrap().lines().skip(1).map(ToOwned::to_owned).collect()
}

#[test]
fn show_lists_calls() {
    let listed = run(&Home::new(), &["show", SAMPLE]);
    assert_eq!((listed.code, &*listed.err), (0, ""));
    insta::assert_snapshot!("show", listed.out);
}

#[test]
fn show_gives_every_call_as_json_with_its_own_bytes() {
    let listed = run(&Home::new(), &["show", SAMPLE, "--format", "json"]);
    assert_eq!((listed.code, listed.json().len()), (0, lines().len()));
    for (shown, recorded) in listed.out.lines().zip(lines()) {
        let own = format!("{{\"schema\":1,{},", &recorded[1..recorded.len() - 1]);
        assert!(shown.starts_with(&own), "{shown}\n{recorded}");
    }
    assert_eq!(listed.json()[0]["text"], "Hi, when will my claim be paid?");
    assert_eq!(listed.json()[2]["summary"], "QQ123456C", "the agent's words, not the user's");
    assert!(listed.json()[2]["text"].is_null());
}

#[test]
fn what_the_platform_does_with_an_answer_is_told_by_the_routes_setting() {
    let home = Home::new();
    let tape = std::fs::read_to_string(SAMPLE).unwrap();
    std::fs::write(home.path("tape.jsonl"), tape.replace("\"status\":200", "\"status\":500")).unwrap();
    std::fs::write(home.path("late.jsonl"), tape.replace("\"took_us\":", "\"took_us\":9000")).unwrap();
    let failed = "the status is 500: the conversation is interrupted, for Fail on error is on";
    for (setting, recording, told) in [
        ("", SAMPLE, "the answer is taken"),
        (
            "",
            "tape.jsonl",
            "the status is 500: with Fail on error the conversation is interrupted; without it the agent",
        ),
        ("fail_on_error = true", "tape.jsonl", failed),
        (
            "fail_on_error = true\ntimeout = \"1s\"",
            "late.jsonl",
            "s, and the platform waits 1s: the conversation is interr",
        ),
    ] {
        std::fs::write(home.path("hooktape.toml"), format!("[[route]]\npath = \"/*\"\n{setting}\n")).unwrap();
        let shown = run(&home, &["show", recording, "3ef66deb"]);
        let flat = shown.out.replace("\n  ", " ");
        assert!(flat.contains("what the platform does: ") && flat.contains(told), "{setting}: {flat}");
        let shown = run(&home, &["show", recording, "3ef66deb", "--format", "json"]).json().remove(0);
        let words = [&shown["consequence"]["failed"], &shown["consequence"]["then"]];
        let words: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
        assert!(words.join(": ").contains(told), "{shown}");
        let report = run(&home, &["export", recording, "--as", "markdown", "--query", "kind:dialog"]);
        assert!(report.out.contains("\n- what the platform does: ") && report.out.contains(told), "{}", report.out);
    }
}

#[test]
fn show_finds_what_a_query_names() {
    let home = Home::new();
    let ids = |args: &[&str]| -> Vec<String> {
        let listed = run(&home, &[&["show", SAMPLE][..], args].concat());
        assert_eq!(listed.code, 0, "{}", listed.err);
        listed.out.lines().map(|line| line[..8].to_owned()).collect()
    };
    assert_eq!(ids(&["--query", "kind:dialog"]), ["3ef66deb"]);
    assert_eq!(ids(&["--query", "-sig:valid"]), ["a5159257"]);
    assert_eq!(ids(&["--query", "/value:QQ123456C"]), ["f40c3d3d"]);
    assert_eq!(ids(&["--limit", "2"]), ["22f7d7bb", "a5159257"]);
    assert_eq!(ids(&["--query", "kind:first_message", "--limit", "1"]), ["a5159257"]);
    assert!(ids(&["--query", "status:>=500"]).is_empty());
}

#[test]
fn a_query_that_is_not_understood_is_shown_where() {
    for (query, said) in [
        ("sig:valid  statsu:200", "did you mean \"status\"?"),
        ("kind:dialog status:many", "status:"),
        ("καλημέρα (a", "("),
    ] {
        for command in [&["show", SAMPLE][..], &["verify", SAMPLE], &["replay", SAMPLE, "--to", ":1"]] {
            let ended = run(&Home::new(), &[command, &["--query", query]].concat());
            assert_eq!((ended.code, &*ended.out), (2, ""));
            assert!(ended.err.contains(said) && ended.err.contains(&format!("\n  {query}\n")), "{}", ended.err);
            let caret = ended.err.lines().last().unwrap();
            assert!(caret.trim().bytes().all(|byte| byte == b'^') && caret.contains('^'), "{}", ended.err);
        }
    }
    let ended = run(&Home::new(), &["show", SAMPLE, "--query", "sig:valid  statsu:200"]);
    assert_eq!(ended.err.lines().last().unwrap().find('^'), Some(2 + "sig:valid  ".len()));
}

#[test]
fn show_prints_a_call() {
    let home = Home::new();
    let args = [&["show", SAMPLE, "a5159257"][..], &PUBLISHED].concat();
    let shown = run(&home, &args);
    assert_eq!((shown.code, &*shown.err), (0, ""));
    insta::assert_snapshot!("show_call", shown.out);

    let laid_out = run(&home, &[&args[..], &["--pretty"]].concat()).out;
    assert!(laid_out.contains("\n  \"input\": {\n    \"text\": \"Hi, when will my claim be paid?\""), "{laid_out}");

    let json = run(&home, &[&args[..], &["--format", "json"]].concat()).json();
    assert_eq!(json.len(), 1);
    assert_eq!((&json[0]["sig"], &json[0]["verdict"]["sig"]), (&"invalid".into(), &"invalid".into()));
    assert!(json[0]["verdict"]["why"][0].as_str().unwrap().contains("line end"), "{}", json[0]);
    assert!(json[0]["request"]["text"].as_str().unwrap().ends_with("}\n"));
    assert_eq!(json[0]["findings"]["response"], serde_json::json!([]));
}

#[test]
fn a_call_is_named_by_either_end_of_its_id() {
    let home = Home::new();
    for id in ["3ef66deb", "3EF66DEB", "66deb", "3ef6", &lines()[4][7..43]] {
        let shown = run(&home, &["show", SAMPLE, id]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains("\nmoveo/dialog\n"), "{id}");
    }
    let several = run(&home, &["show", SAMPLE, "01a1fe19"]);
    assert_eq!(several.code, 2);
    assert!(several.err.contains("could be 01a1fe19-8922-769e-ba75-00b51b1222fe or"), "{}", several.err);
    let none = run(&home, &["show", SAMPLE, "nope"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("has no call whose id begins or ends with \"nope\""), "{}", none.err);
}

#[test]
fn verify_checks_every_signature_again() {
    let home = Home::new();
    let args = [&["verify", SAMPLE][..], &PUBLISHED].concat();
    let checked = run(&home, &args);
    assert_eq!((checked.code, &*checked.err), (1, "7 signatures checked, 1 not valid\n"));
    insta::assert_snapshot!("verify", checked.out);

    let json = run(&home, &[&args[..], &["--format", "json"]].concat());
    let found: Vec<_> = json.json().iter().map(|value| value["sig"].as_str().unwrap().to_owned()).collect();
    assert_eq!((json.code, found.join(" ")), (1, "valid valid valid valid valid valid invalid".into()));
    assert_eq!(json.json()[0]["secret"], "env:PUBLISHED");

    let valid = run(&home, &[&args[..], &["--query", "sig:valid"]].concat());
    assert_eq!((valid.code, &*valid.err), (0, "6 signatures checked, 0 not valid\n"));
}

#[test]
fn a_signature_on_a_body_that_is_no_json_is_not_passed_over() {
    let home = Home::new();
    let body = r#"{"session_id":"s","input":{"te"#;
    let line = serde_json::json!({
        "id": "0193a5b0-0000-7000-8000-000000000001", "at": "2026-11-21T10:02:11Z", "dir": "received", "method": "POST",
        "path": "/hooks", "took_us": 1, "size": body.len(), "request": {
            "headers": [["X-Moveo-Signature", signature(TOKEN, body.as_bytes())]], "text": body,
        },
    });
    let head = r#"{"hooktape":1,"created":"2026-11-21T10:02:11Z","by":"x"}"#;
    std::fs::write(home.path("tape.jsonl"), format!("{head}\n{line}\n")).unwrap();
    let told = "it bears X-Moveo-Signature as calls of moveo do, but its body is not JSON: see line 1, column ";
    let checked = run(&home, &[&["verify", "tape.jsonl"][..], &SIGNED].concat());
    assert!(checked.out.contains(" valid     - ") && checked.out.contains(told), "{}", checked.out);
    let shown = run(&home, &[&["show", "tape.jsonl", "0193"][..], &SIGNED].concat()).out;
    assert!(shown.contains("no platform claims this call") && shown.contains(&format!("; {told}")), "{shown}");
}

#[test]
fn without_a_secret_the_verdict_of_that_time_is_told() {
    let shown = run(&Home::new(), &["show", SAMPLE, "1b1222fe"]).out;
    assert!(shown.contains("\nsignature no-secret: "), "{shown}");
    assert!(shown.contains("\n  it was valid when it was recorded, with the secrets at hand then\n"), "{shown}");
}

#[test]
fn a_recorded_webview_verifies_with_its_public_key_long_after_its_tokens_expired() {
    let home = Home::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");
    let key = format!("moveo/webview=file:{folder}/moveo-webview.public.pem");
    let recording = format!("{folder}/moveo-webview.jsonl");
    let checked = run(&home, &["verify", &recording, "--secret", &key, "--format", "json"]);
    let found: Vec<_> = checked.json().iter().map(|value| value["sig"].as_str().unwrap().to_owned()).collect();
    assert_eq!((checked.code, found.join(" ")), (0, "unsigned valid valid valid".into()));
    let told = |query: &str| {
        let checked = run(&home, &["verify", &recording, "--secret", &key, "--query", query]);
        (checked.code, checked.err)
    };
    assert_eq!(told(""), (0, "3 signatures checked, 0 not valid, 1 unsigned\n".into()));
    let none = "0 signatures checked, 0 not valid, 1 unsigned: none could be checked\n";
    assert_eq!(told("sig:unsigned"), (1, none.into()));
}

#[test]
fn verify_says_no_where_nothing_is_checked() {
    let home = Home::new();
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    std::fs::write(home.path("empty.jsonl"), sample.split_inclusive('\n').next().unwrap()).unwrap();
    let strange = |line: &str| {
        let is_it = line.contains("\"kind\":\"moveo/dialog\"");
        if is_it {
            line.replace("\"moveo/dialog\"", "null").replace("x-moveo-signature", "x-none")
        } else {
            line.to_owned()
        }
    };
    let strange: String = sample.split_inclusive('\n').map(strange).collect();
    std::fs::write(home.path("strange.jsonl"), strange).unwrap();
    for (args, said) in [
        (
            &[SAMPLE, "--query", "kind:dialg"][..],
            "0 signatures checked, 0 not valid: no call fits --query kind:dialg\n",
        ),
        (&["empty.jsonl"], "0 signatures checked, 0 not valid: none could be checked\n"),
        (
            &["strange.jsonl", "--query", "kind:none"],
            "0 signatures checked, 0 not valid, 1 not recognised: none could be checked\n",
        ),
    ] {
        for form in ["text", "json"] {
            let checked = run(&home, &[&["verify", "--format", form][..], args, &PUBLISHED].concat());
            assert_eq!((checked.code, &*checked.out, &*checked.err), (1, "", said));
        }
    }
    let told = run(&home, &[&["verify", "strange.jsonl", "--query", "-sig:invalid"][..], &PUBLISHED].concat());
    assert_eq!((told.code, &*told.err), (0, "5 signatures checked, 0 not valid, 1 not recognised\n"));
}

#[test]
fn verify_says_no_without_the_secret_or_with_another() {
    let home = Home::new();
    for (secret, sig) in [(None, "no-secret"), (Some("moveo=env:MOVEO_TOKEN"), "invalid")] {
        let more: Vec<&str> = secret.into_iter().flat_map(|secret| ["--secret", secret]).collect();
        let checked = run(&home, &[&["verify", SAMPLE, "--query", "kind:dialog"][..], &more].concat());
        assert_eq!(checked.code, 1);
        assert!(checked.out.contains(sig) && checked.out.contains("moveo/dialog"), "{}", checked.out);
        let none = "0 signatures checked, 0 not valid, ";
        assert_eq!(checked.err.starts_with(none), secret.is_none(), "{}", checked.err);
        assert_eq!(
            checked.err.contains("without a secret: none could be checked"),
            secret.is_none(),
            "{}",
            checked.err
        );
    }
}

#[test]
fn what_is_no_recording_is_trouble() {
    let home = Home::new();
    let piped = run(&home, &["show", "/dev/stdin"]);
    assert!(piped.code == 2 && piped.err.contains("write what it gives to a file first"), "{}", piped.err);
    std::fs::write(home.path("notes.txt"), "some notes\n").unwrap();
    std::fs::write(home.path("later.jsonl"), "{\"hooktape\":7}\n").unwrap();
    for (file, said) in [
        ("missing.jsonl", "cannot open missing.jsonl"),
        ("notes.txt", "notes.txt is not a recording"),
        ("later.jsonl", "newer than this hooktape reads"),
    ] {
        for command in [&["show", file][..], &["verify", file], &["replay", file, "--to", ":1"]] {
            let ended = run(&home, command);
            assert_eq!(ended.code, 2, "{command:?}");
            assert!(ended.err.contains(said), "{command:?}: {}", ended.err);
        }
    }
}

#[test]
fn a_damaged_line_is_told_and_hides_no_other() {
    let home = Home::new();
    let mut text = std::fs::read_to_string(SAMPLE).unwrap();
    let third = text.match_indices('\n').nth(2).unwrap().0 + 1;
    text.insert_str(third, "{\"id\":\"broken\n");
    std::fs::write(home.path("tape.jsonl"), text).unwrap();
    let listed = run(&home, &["show", "tape.jsonl"]);
    assert_eq!((listed.code, listed.out.lines().count()), (0, 7));
    assert!(listed.err.contains("line 4 (byte "), "{}", listed.err);
    let checked = run(&home, &[&["verify", "tape.jsonl", "--query", "sig:valid"][..], &PUBLISHED].concat());
    assert_eq!(checked.code, 1, "a line that cannot be read cannot be vouched for");
    let registered = run(&home, &["variables", "register", "tape.jsonl"]);
    assert!(registered.code == 1 && registered.err.contains("line 4 (byte "), "{}", registered.err);
    let compared = run(&home, &["diff", "tape.jsonl", "tape.jsonl"]);
    assert!(compared.code == 1 && compared.err.contains("7 alike, 0 different\n"), "{}", compared.err);
    let endpoint = Endpoint::new();
    let replay = [&["replay", "tape.jsonl", "--to", &endpoint.url][..], &SIGNED].concat();
    for (more, code) in [(&["--report", "junit=r.xml"][..], 1), (&["--dry-run"], 1), (&["3ef66deb"], 0)] {
        let ended = run(&home, &[&replay[..], more].concat());
        assert_eq!(ended.code, code, "{more:?}: {}", ended.err);
    }
    let report = std::fs::read_to_string(home.path("r.xml")).unwrap();
    assert!(report.contains("1 line of the recording cannot be read"), "{report}");
    assert_eq!(endpoint.seen().len(), 8);
}

#[test]
fn a_call_that_is_damaged_behind_its_head_hides_no_other() {
    let home = Home::new();
    let text = std::fs::read_to_string(SAMPLE).unwrap();
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines[2] = lines[2].replace(r#""response":{"headers":["#, r#""response":{"headers":[["#);
    std::fs::write(home.path("tape.jsonl"), lines.join("\n") + "\n").unwrap();
    let endpoint = Endpoint::new();
    let out = ["export", "tape.jsonl", "--as", "json", "--out", "out.jsonl"];
    let commands: [(&[&str], i32); 8] = [
        (&["show", "tape.jsonl"], 0),
        (&["show", "tape.jsonl", "--query", "body:session"], 0),
        (&["verify", "tape.jsonl"], 1),
        (&["verify", "tape.jsonl", "--query", "body:session"], 1),
        (&out, 1),
        (&["diff", "tape.jsonl", "tape.jsonl"], 1),
        (&["variables", "register", "tape.jsonl"], 1),
        (&["replay", "tape.jsonl", "--to", &endpoint.url, "--dry-run"], 1),
    ];
    for (command, code) in commands {
        let ended = run(&home, &[command, &PUBLISHED].concat());
        assert_eq!(ended.code, code, "{command:?}: {}", ended.err);
        assert!([&ended.err, &ended.out].iter().any(|told| told.contains("byte ")), "{command:?}: {}", ended.err);
    }
    assert_eq!(run(&home, &["show", "tape.jsonl"]).out.lines().count(), 6);
    assert_eq!(std::fs::read_to_string(home.path("out.jsonl")).unwrap().lines().count(), 6 + 1);
}

/// A recording of one flow that waited for a page: opened, called back twice, and then once more.
fn waited(home: &Home) -> Vec<serde_json::Value> {
    std::fs::write(home.path("hooktape.toml"), "[[wait]]\nkind = \"jelou/webview_open\"\nvariable = \"paid\"\n")
        .unwrap();
    let mut listener = home.listen(&[]);
    let mut caller = listener.call();
    caller.post("/v1/webview/callback", "", br#"{"executionId":"other","success":false}"#).unwrap();
    for success in [true, false] {
        let body = format!(r#"{{"executionId":"e-1","success":{success},"data":{{"sum": 1.0}}}}"#);
        caller.post("/v1/webview/callback", "", body.as_bytes()).unwrap();
    }
    caller.post("/v1/webview/callback", "", br#"{"executionId":"e-2"}"#).unwrap();
    listener.end("TERM");
    let listed = run(home, &["show", "tape.jsonl", "--format", "json"]).json();
    assert_eq!(listed.len(), 4);
    listed
}

#[test]
fn show_tells_how_a_wait_stands() {
    let home = Home::new();
    let listed = waited(&home);
    let stands = |call: &serde_json::Value| (call["wait"]["state"].clone(), call["wait"]["fate"].clone());
    let expected = [("error", "ended"), ("success", "ended"), ("success", "duplicate"), ("waiting", "refused")];
    let expected: Vec<_> = expected.iter().map(|(state, fate)| ((*state).into(), (*fate).into())).collect();
    assert_eq!(listed.iter().map(stands).collect::<Vec<_>>(), expected);
    let text = run(&home, &["show", "tape.jsonl"]).out;
    for (line, word) in text.lines().zip(["error", "success", "duplicate", "refused"]) {
        assert!(line.ends_with(word), "{line}");
    }
    let id = |call: usize| listed[call]["id"].as_str().unwrap().to_owned();
    let ended = run(&home, &["show", "tape.jsonl", &id(1)]).out;
    for said in [
        "\nwait success: Where flow blocking is enabled, the flow continues through the success output",
        "\n  data for paid {\"sum\": 1.0}\n",
        "\n  opened   not in this recording\n",
        " ended\n  callback ",
    ] {
        assert!(ended.contains(said), "{said}: {ended}");
    }
    let twice = run(&home, &["show", "tape.jsonl", &id(2)]).out;
    assert!(twice.contains("\nthis callback is duplicate: another callback had ended the wait\n"), "{twice}");
    let json = run(&home, &["show", "tape.jsonl", &id(2), "--format", "json"]).json().remove(0);
    let fates: Vec<&str> =
        json["wait"]["callbacks"].as_array().unwrap().iter().map(|call| call["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["ended", "duplicate"]);
}

#[test]
fn show_says_what_a_call_could_be_as_well() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    let body = br#"{"channel":"web","session_id":"s","context":{},"input":{"text":"hi"},"business_closed":false}"#;
    listener.call().post("/hooks", "", body).unwrap();
    let first = br#"{"channel":"web","session_id":"s","context":{"sys-user_message_counter":1},"input":{"text":"hi"},"business_closed":false}"#;
    listener.call().post("/hooks", "", first).unwrap();
    listener.end("TERM");
    let listed = run(&home, &["show", "tape.jsonl", "--format", "json"]).json();
    let shown = |call: usize| run(&home, &["show", "tape.jsonl", listed[call]["id"].as_str().unwrap()]).out;
    assert!(!shown(0).contains("could also be"), "{}", shown(0));
    assert!(shown(1).contains("\nmoveo/pre_message\ncould also be moveo/first_message\n"), "{}", shown(1));
    let id = listed[1]["id"].as_str().unwrap();
    let json = run(&home, &["show", "tape.jsonl", id, "--format", "json"]).json().remove(0);
    assert_eq!(json["could_be"], serde_json::json!(["moveo/first_message"]));
}

#[test]
fn open_needs_a_terminal() {
    let ended = run(&Home::new(), &["open", SAMPLE]);
    assert_eq!((ended.code, &*ended.out), (2, ""));
    assert!(ended.err.contains("standard output is no terminal: `hooktape show "), "{}", ended.err);
}

#[test]
fn a_saved_query_is_used_by_its_name() {
    let home = Home::new();
    std::fs::write(home.path("hooktape.toml"), "[queries]\nbroken = 'sig:invalid | status:>=500'\n").unwrap();
    let listed = run(&home, &["show", SAMPLE, "--query", "@broken kind:first_message"]);
    assert_eq!((listed.code, listed.out.lines().count()), (0, 1), "{}", listed.err);
    let ended = run(&home, &["show", SAMPLE, "--query", "@brocken"]);
    assert!(ended.code == 2 && ended.err.contains("did you mean \"broken\"?"), "{}", ended.err);
    std::fs::write(home.path("hooktape.toml"), "[queries]\nbroken = 'sig:bad'\n").unwrap();
    let ended = run(&home, &["show", SAMPLE]);
    assert!(ended.code == 2 && ended.err.contains("hooktape.toml: queries.broken: "), "{}", ended.err);
}
