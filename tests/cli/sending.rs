//! `send` and `replay` against an endpoint that checks signatures as a customer's would.

use serde_json::{Value, json};

use crate::lane::{HOOKTAPE, Home, TOKEN};
use crate::recorded::calls_in;
use crate::support::{Ended, Endpoint, PUBLISHED, SAMPLE, SIGNED, answering, feed, field, run, signature};

/// Sends to a recording of its own.
fn send(home: &Home, endpoint: &Endpoint, args: &[&str]) -> Ended {
    run(home, &[&["send", "moveo/dialog", "--to", &endpoint.url, "--record", "sent.jsonl"], args].concat())
}

/// The calls of the sample recording, the tampered one left out.
fn replay(home: &Home, endpoint: &Endpoint, args: &[&str]) -> Ended {
    let usual = ["replay", SAMPLE, "--to", &endpoint.url, "--record", "sent.jsonl", "--query", "sig:valid"];
    run(home, &[&usual, args].concat())
}

fn bodies(endpoint: &Endpoint) -> Vec<Vec<u8>> {
    endpoint.seen().into_iter().map(|(_, body)| body).collect()
}

/// A JSON body without what every call has anew.
fn but_for_what_is_fresh(body: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(body).unwrap();
    for name in ["timestamp", "request_id"] {
        value.as_object_mut().unwrap().remove(name);
    }
    value
}

/// The bodies of the calls that [`replay`] sends.
fn sample_bodies() -> Vec<Vec<u8>> {
    calls_in(SAMPLE).into_iter().take(6).map(|call| call.request.body.to_vec()).collect()
}

#[test]
fn send_holds_the_answer_against_what_is_expected() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let expect = |args: &[&str]| send(&home, &endpoint, &[&SIGNED[..], args].concat());
    let met = expect(&["--expect", "contract", "--expect", "/context"]);
    assert_eq!(met.code, 0, "{}", met.out);
    let unmet = expect(&["--expect", "status=201", "--expect", "took<1h"]);
    assert_eq!(unmet.code, 1);
    assert!(unmet.out.ends_with("\nexpected status=201: status 200\n"), "{}", unmet.out);
    let nothing = expect(&["--expect", "recorded"]);
    assert!(nothing.code == 1 && nothing.out.contains("no answer was recorded"), "{}", nothing.out);
    let json = expect(&["--expect", "status=201", "--format", "json"]).json().remove(0);
    assert_eq!((&json["fine"], &json["unmet"][0]["found"]), (&false.into(), &"status 200".into()));
}

#[test]
fn a_header_in_the_place_of_a_new_signature_is_refused() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let header = ["--header", "X-Moveo-Signature: abc"];
    for refused in [
        send(&home, &endpoint, &[&SIGNED[..], &header].concat()),
        replay(&home, &endpoint, &[&SIGNED[..], &header].concat()),
    ] {
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(refused.err.contains("X-Moveo-Signature") && refused.err.contains("exact"), "{}", refused.err);
    }
    assert!(endpoint.seen().is_empty());
    let exact = send(&home, &endpoint, &[&header[..], &["--sign", "exact"]].concat());
    assert_eq!((exact.code, endpoint.seen().len()), (1, 1), "it leaves, and is refused: {}", exact.out);
}

#[test]
fn send_makes_faulty_deliveries_and_labels_them() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let faults = ["--bad-signature", "--tampered", "--slow-body=200ms"];
    let sent = send(&home, &endpoint, &[&SIGNED[..], &faults].concat());
    assert_eq!(sent.code, 0, "{}", sent.out);
    for label in ["bad signature", "tampered body", "slow body, answered "] {
        assert!(sent.out.contains(&format!("\nsent with a fault: {label}")), "{label}: {}", sent.out);
    }
    assert!(!sent.out.contains("2xx is expected"), "that it is refused is what is wanted: {}", sent.out);
    assert_eq!(endpoint.seen().len(), 3);
    let recording = std::fs::read_to_string(home.path("sent.jsonl")).unwrap();
    assert_eq!(recording.matches("sent with a fault: ").count(), 3);
    let json = send(&home, &endpoint, &[&SIGNED[..], &["--slow-body=50ms", "--format", "json"]].concat());
    assert_eq!(json.json()[0]["slow_us"], 50_000);
    let fast = send(&home, &endpoint, &[&SIGNED[..], &["--slow-body=1s", "--expect", "took<900ms"]].concat());
    assert_eq!(fast.code, 0, "what is slow on purpose is not the endpoint's: {}", fast.out);

    let twice = send(&home, &endpoint, &[&SIGNED[..], &["--duplicate"]].concat());
    assert!(twice.code == 0 && twice.out.contains("sent with a fault: duplicate"), "{}", twice.out);
    endpoint.seen();
    let both = send(&home, &endpoint, &[&SIGNED[..], &["--tampered", "--duplicate"]].concat());
    assert!(both.code == 0 && both.out.contains("sent with a fault: tampered body, duplicate"), "{}", both.out);
    let seen = endpoint.seen();
    assert!(seen.len() == 2 && seen[0] == seen[1], "byte for byte");
    let exact = send(&home, &endpoint, &[&SIGNED[..], &["--stale", "--sign", "exact"]].concat());
    assert!(exact.code == 2 && exact.err.contains("as old as it is"), "{}", exact.err);
}

#[test]
fn send_signs_a_sample_and_shows_the_answer() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let sent = send(&home, &endpoint, &SIGNED);
    assert_eq!((sent.code, &*sent.err), (0, ""));
    let url = format!("POST {}/hooks/moveo/dialog (signature valid)", endpoint.url);
    let lines: Vec<&str> = sent.out.lines().collect();
    assert_eq!(lines[0], url);
    assert!(lines[1].starts_with("200 in ") && lines[1].ends_with("s, 14 bytes"), "{}", lines[1]);
    assert_eq!(lines[2], r#"{"context":{}}"#);
    assert_eq!(endpoint.seen().len(), 1);

    let json = send(&home, &endpoint, &[&SIGNED[..], &["--format", "json"]].concat()).json().remove(0);
    assert_eq!((&json["dir"], &json["sig"], &json["status"]), (&"sent".into(), &"valid".into(), &200.into()));
    assert_eq!(json["response"]["json"], json!({ "context": {} }));
    assert_eq!(run(&home, &["show", "sent.jsonl"]).out.lines().count(), 2);
    let recording = std::fs::read_to_string(home.path("sent.jsonl")).unwrap();
    assert!(!recording.contains(TOKEN));
}

#[test]
fn send_changes_the_payload_and_the_headers() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let set = ["--set", "/input/text=γεια", "--set", "/context/tags=[1,2]", "--header", "X-Trace: 42"];
    assert_eq!(send(&home, &endpoint, &[&SIGNED[..], &set].concat()).code, 0);
    let (head, body) = endpoint.seen().remove(0);
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&value["input"]["text"], &value["context"]["tags"]), (&"γεια".into(), &json!([1, 2])));
    assert_eq!(field(&head, "x-trace"), Some("42"));

    let nowhere = send(&home, &endpoint, &[&SIGNED[..], &["--set", "/no/such/place=1"]].concat());
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("--set: ") && nowhere.err.contains("/no"), "{}", nowhere.err);
    assert!(endpoint.seen().is_empty());
}

#[test]
fn what_is_set_by_hand_leaves_so_also_where_it_would_be_renewed_or_left_behind() {
    let (home, endpoint, elsewhere) = (Home::new(), Endpoint::new(), Endpoint::new());
    let stale = ["--stale", "--set", "/timestamp=5", "--header", "X-Moveo-Request-Id: mine"];
    send(&home, &endpoint, &[&SIGNED[..], &stale].concat());
    let (head, body) = endpoint.seen().remove(0);
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&value["timestamp"], field(&head, "x-moveo-request-id")), (&5.into(), Some("mine")));

    let staging = format!(
        "[secrets]\nmoveo = \"env:MOVEO_TOKEN\"\n[[target]]\nname = \"staging\"\nurl = \"{}\"\nheaders = {{ X-Api-Key = \"file:key\" }}\n",
        endpoint.url
    );
    std::fs::write(home.path("hooktape.toml"), staging).unwrap();
    std::fs::write(home.path("key"), "of-staging").unwrap();
    let sent = run(&home, &["send", "moveo/dialog", "--to", "staging", "--record", "keyed.jsonl", "--format", "json"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert_eq!(field(&endpoint.seen().remove(0).0, "x-api-key"), Some("of-staging"));
    let again = format!("keyed.jsonl#{}", sent.json()[0]["id"].as_str().unwrap());
    for (header, leaves) in [(&[][..], None), (&["--header", "X-Api-Key: mine"], Some("mine"))] {
        let sent = run(&home, &[&["send", &again, "--to", &elsewhere.url], header].concat());
        assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
        assert_eq!(field(&elsewhere.seen().remove(0).0, "x-api-key"), leaves);
    }
}

#[test]
fn a_proxy_that_is_down_is_told_apart_from_its_target() {
    let home = Home::new();
    let args = ["send", "moveo/dialog", "--sign", "exact", "--to", "http://hooktape.invalid/"];
    let mut command = home.command(HOOKTAPE, &args);
    let ended = command.env("http_proxy", "http://me:secret@127.0.0.1:1").output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(told.contains("127.0.0.1:1, the proxy that the environment names for hooktape.invalid:80"), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn send_takes_a_payload_byte_for_byte() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let payload = "{ \"lang\":\"el\",\r\n\t\"n\": 1.0e2, \"n\": 12345678901234567890 }\n".as_bytes();
    let args = ["send", "moveo/dialog", "--to", &endpoint.url, "--data", "-"];
    let fresh = feed(&home, &[&args[..], &SIGNED].concat(), payload);
    assert_eq!(fresh.code, 0, "{}", fresh.out);
    std::fs::write(home.path("payload"), payload).unwrap();
    let header = format!("X-Moveo-Signature: {}", signature(TOKEN, payload));
    let exact = ["--data", "payload", "--sign", "exact", "--header", &header];
    assert_eq!(send(&home, &endpoint, &exact).code, 0);
    assert_eq!(bodies(&endpoint), [payload, payload]);

    let unsigned = send(&home, &endpoint, &["--sign", "exact"]);
    assert_eq!(unsigned.code, 1, "the endpoint refuses a call without a signature");
    assert!(unsigned.out.contains("(signature missing)") && unsigned.out.contains("\n401 in "), "{}", unsigned.out);
    let missing = send(&home, &endpoint, &["--data", "nothing.json"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("cannot read the payload from nothing.json"), "{}", missing.err);
}

#[test]
fn send_says_what_is_missing() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let secret = send(&home, &endpoint, &[]);
    assert_eq!((secret.code, &*secret.out), (2, ""));
    assert!(secret.err.contains("--secret moveo=env:MOVEO_TOKEN"), "{}", secret.err);
    let unknown = run(&home, &["send", "moveo/dialgo", "--to", &endpoint.url]);
    let said = "hooktape: no platform has a kind \"moveo/dialgo\": did you mean \"moveo/dialog\"?\n";
    assert_eq!((unknown.code, &*unknown.err), (2, said));
    assert!(endpoint.seen().is_empty());
    let closed = run(&home, &[&["send", "moveo/dialog", "--to", "127.0.0.1:1"][..], &SIGNED].concat());
    assert_eq!(closed.code, 1);
    assert!(closed.out.contains("nothing listens at 127.0.0.1:1"), "{}", closed.out);
}

#[test]
fn replay_signs_anew_or_keeps_what_it_has() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let fresh = replay(&home, &endpoint, &SIGNED);
    assert_eq!(fresh.code, 0);
    let said: Vec<&str> = fresh.err.lines().collect();
    let place = format!("6 calls to {}, fresh: signed anew, with new ids and times", endpoint.url);
    assert_eq!(said[..2], [&*place, "6 fine, 0 failed"]);
    assert!(said[2].starts_with("answers took p50 ") && said[3].contains(" calls a second in "), "{}", fresh.err);
    assert!(fresh.out.lines().all(|line| line.starts_with("ok   ") && line.contains(" 200 in ")), "{}", fresh.out);
    let (sent, recorded) = (bodies(&endpoint), sample_bodies());
    assert!(
        recorded
            .iter()
            .zip(&sent)
            .all(|(recorded, sent)| but_for_what_is_fresh(recorded) == but_for_what_is_fresh(sent))
    );
    assert!(fresh.out.lines().all(|line| line.contains("; changed ") && line.contains("header:x-moveo-request-id")));

    let exact = replay(&home, &endpoint, &[&SIGNED[..], &["--sign", "exact"]].concat());
    assert_eq!(exact.code, 1, "their token is another one");
    assert!(exact.err.contains("exact: signature and bytes as recorded\n0 fine, 6 failed\n"), "{}", exact.err);
    let failures: Vec<&str> = exact.out.lines().step_by(2).collect();
    assert!(failures.iter().all(|line| line.starts_with("FAIL ") && line.contains(" 401 in ")), "{}", exact.out);
    assert!(!exact.out.contains("changed"), "{}", exact.out);
    assert_eq!(bodies(&endpoint), sample_bodies());
}

#[test]
fn an_edited_call_is_taken_when_it_is_signed_anew() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let edit = ["--query", "kind:dialog", "--set", "/input/text=edited"];
    let usual = ["replay", SAMPLE, "--to", &endpoint.url, "--format", "json"];
    let fresh = run(&home, &[&usual[..], &edit, &SIGNED].concat());
    let json = fresh.json().remove(0);
    assert_eq!((fresh.code, &json["status"], &json["sig"]), (0, &200.into(), &"valid".into()));
    assert_eq!(json["request"]["json"]["input"]["text"], "edited");
    assert_eq!(json["parent"], run(&home, &["show", SAMPLE, "3ef66deb", "--format", "json"]).json()[0]["id"]);
    let exact = run(&home, &[&usual[..], &edit, &PUBLISHED, &["--sign", "exact"]].concat());
    assert_eq!((exact.code, &exact.json()[0]["status"], &exact.json()[0]["sig"]), (1, &401.into(), &"invalid".into()));
}

#[test]
fn a_dry_run_sends_nothing() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let planned = replay(&home, &endpoint, &[&SIGNED[..], &["--dry-run"]].concat());
    let said = format!("6 calls would leave for {}; nothing was sent\n", endpoint.url);
    assert_eq!((planned.code, planned.err, planned.out.lines().count()), (0, said, 6));
    let first = format!("1b1222fe moveo/first_message POST {}/hooks/moveo/first_message", endpoint.url);
    assert!(planned.out.starts_with(&first), "{}", planned.out);
    let json = replay(&home, &endpoint, &["--sign", "exact", "--dry-run", "--format", "json"]).json();
    assert_eq!((json.len(), &json[0]["sign"], &json[0]["size"]), (7, &"exact".into(), &586.into()));
    assert_eq!((&json[6]["event"], &json[6]["total"]), (&"rehearsed".into(), &6.into()));
    assert_eq!(json[0]["sig"], "no-secret");
    let spoilt =
        replay(&home, &endpoint, &[&PUBLISHED[..], &["--sign", "exact", "--dry-run", "--set", "/x=1"]].concat());
    assert!(spoilt.out.contains(", exact: invalid, X-Moveo-Signature does not fit the body"), "{}", spoilt.out);
    assert!(endpoint.seen().is_empty());
    assert!(!home.path("sent.jsonl").exists());
}

#[test]
fn stop_on_failure_stops_there() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let stopped = replay(&home, &endpoint, &["--sign", "exact", "--stop-on-failure"]);
    assert!(stopped.code == 1 && stopped.err.contains("\n0 fine, 1 failed\n"), "{}", stopped.err);
    assert!(stopped.err.contains("\nended at the first failure: 5 calls not sent\n"), "{}", stopped.err);
    assert_eq!(endpoint.seen().len(), 1);
}

#[test]
fn replay_sends_what_was_received_unless_told_otherwise() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    assert_eq!(replay(&home, &endpoint, &SIGNED).code, 0);
    endpoint.seen();
    let again = ["replay", "sent.jsonl", "--to", &endpoint.url, "--record", "again.jsonl"];
    let none = run(&home, &[&again[..], &SIGNED].concat());
    assert_eq!(
        (none.code, &*none.err),
        (2, "hooktape: no call to send; --sent takes those that were sent from here, too\n")
    );
    let all = run(&home, &[&again[..], &SIGNED, &["--sent"]].concat());
    assert_eq!((all.code, endpoint.seen().len()), (0, 6));
}

#[test]
fn a_guarded_target_wants_a_yes() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let text = format!("[[target]]\nname = \"staging\"\nurl = \"{}/\"\nguard = \"confirm\"\n", endpoint.url);
    std::fs::write(home.path("hooktape.toml"), text + "secret = \"env:MOVEO_TOKEN\"\n").unwrap();
    for command in [&["send", "moveo/dialog"][..], &["replay", SAMPLE, "--query", "kind:dialog"]] {
        let asked = run(&home, &[command, &["--to", "staging"]].concat());
        assert_eq!((asked.code, &*asked.out), (2, ""));
        let question = format!("send 1 call to the guarded target staging at {}/?", endpoint.url);
        assert!(asked.err.contains(&question) && asked.err.contains("--yes"), "{}", asked.err);
        assert!(endpoint.seen().is_empty());
        let told = run(&home, &[command, &["--to", "staging", "--yes"]].concat());
        assert_eq!((told.code, endpoint.seen().len()), (0, 1), "{}", told.err);
    }
    let near = run(&home, &["send", "moveo/dialog", "--to", "stagign"]);
    assert_eq!((near.code, &*near.err), (2, "hooktape: \"stagign\" is no target: did you mean \"staging\"?\n"));
    let far = run(&home, &["send", "moveo/dialog", "--to", "elsewhere"]);
    assert!(far.code == 2 && far.err.contains("known are \"staging\""), "{}", far.err);
}

#[test]
fn a_call_sent_with_its_targets_own_secret_verifies() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let config = format!(
        "secrets.moveo = \"env:PUBLISHED\"\n[[target]]\nname = \"staging\"\nurl = \"{}\"\nsecret = \"env:MOVEO_TOKEN\"\n",
        endpoint.url
    );
    std::fs::write(home.path("hooktape.toml"), config).unwrap();
    let sent = run(&home, &["send", "moveo/dialog", "--to", "staging", "--record", "sent.jsonl"]);
    assert_eq!((sent.code, &*sent.err), (0, ""));
    let verified = run(&home, &["verify", "sent.jsonl"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    assert!(verified.out.contains("env:MOVEO_TOKEN"), "{}", verified.out);
}

#[test]
fn what_is_masked_in_the_recording_is_masked_in_what_send_finds() {
    let home = Home::new();
    let [old, new] = ["OLDSECRET111", "NEWSECRET999"].map(|token| {
        answering("200 OK\ncontent-type: application/json", format!(r#"{{"access_token":"{token}","n":1}}"#))
    });
    let first = ["send", "moveo/dialog", "--to", &old, "--record", "tape.jsonl", "--format", "json"];
    let first = run(&home, &[&first[..], &SIGNED].concat());
    let what = format!("tape.jsonl#{}", first.json()[0]["id"].as_str().unwrap());
    let expect = ["--expect", "recorded", "--expect", "/access_token=none"];
    let args = [&["send", &what, "--to", &new, "--record", "sent.jsonl"][..], &SIGNED, &expect].concat();
    let open = run(&home, &args);
    assert!(open.code == 1 && open.out.contains("\"OLDSECRET111\" → \"NEWSECRET999\""), "{}", open.out);
    for more in [&["--redact"][..], &["--redact", "--format", "json"]] {
        let masked = run(&home, &[&args[..], more].concat());
        assert!(masked.code == 1 && masked.out.contains("/access_token"), "{}", masked.out);
        assert!(!masked.out.contains("SECRET"), "{}", masked.out);
    }
}

#[test]
fn a_rehearsed_send_says_what_would_go_where() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let send =
        |args: &[&str]| run(&home, &[&["send", "moveo/dialog", "--to", &endpoint.url][..], &SIGNED, args].concat());
    let planned = send(&["--dry-run", "--duplicate"]);
    assert_eq!((planned.code, planned.out.lines().count(), endpoint.seen().len()), (0, 2, 0), "{}", planned.err);
    assert!(planned.out.starts_with(&format!("moveo/dialog POST {}/", endpoint.url)), "{}", planned.out);
    assert!(planned.err.contains(&format!("2 calls would leave for {}", endpoint.url)), "{}", planned.err);
    let json = run(
        &home,
        &["send", &format!("{SAMPLE}#1b12"), "--to", ":1", "--sign", "exact", "--dry-run", "--format", "json"],
    );
    assert_eq!((json.code, &json.json()[0]["sign"]), (0, &"exact".into()));
    // Of a recording that somebody else has written.
    let tape = concat!(
        "{\"hooktape\":1}\n",
        r#"{"id":"0193a0a0-0000-7000-8000-000000000001","at":"2026-11-21T10:02:11Z","dir":"received","method":"POST","path":"/a","#,
        r#""request":{"headers":[["a b","c"]],"text":"x"}}"#,
        "\n"
    );
    std::fs::write(home.path("odd.jsonl"), tape).unwrap();
    let says = "the header \"a b\" cannot be sent over HTTP";
    for args in [&["send", "odd.jsonl#00000001"][..], &["replay", "odd.jsonl"]] {
        let args = [args, &["--to", &endpoint.url, "--sign", "exact", "--record", "odd-sent.jsonl"]].concat();
        let dry = run(&home, &[&args[..], &["--dry-run"]].concat());
        assert!(dry.code == 1 && dry.out.contains("cannot be sent: ") && dry.out.contains(says), "{dry:?}");
        let json = run(&home, &[&args[..], &["--dry-run", "--format", "json"]].concat());
        assert!(json.code == 1 && json.json()[0]["problem"] == says, "{json:?}");
        let wet = run(&home, &args);
        assert!(wet.code == 1 && wet.out.contains(says), "{wet:?}");
    }
    let set = send(&["--dry-run", "--set", "/channel=other", "--header", "x-mine: 1"]);
    assert!(
        set.out.contains("; changed ") && set.out.contains(" header:x-mine, ") && set.out.contains("/channel"),
        "{}",
        set.out
    );
    let typed = send(&["--data", r#"{"a":1}"#]);
    assert!(typed.code == 2 && typed.err.contains("pipe it in") && typed.err.contains("--data -"), "{}", typed.err);
}
