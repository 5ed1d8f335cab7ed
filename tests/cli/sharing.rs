//! `export`, `import` and masking: calls for others, and from others.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::lane::{HOOKTAPE, Home};
use crate::support::{PUBLISHED, SAMPLE, feed, run};

/// The call of [`SAMPLE`] that was tampered with.
const TAMPERED: &str = "a5159257";

fn exported(home: &Home, args: &[&str]) -> String {
    let ended = run(home, &[&["export", SAMPLE][..], args, &PUBLISHED].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.out
}

fn read(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(name)).unwrap()
}

/// The lines of a recording without its header.
fn calls(text: &str) -> Vec<&str> {
    text.lines().skip(1).collect()
}

#[test]
fn a_call_is_exported_for_people_and_programs() {
    let home = Home::new();
    for form in ["curl", "http", "markdown"] {
        insta::assert_snapshot!(form, exported(&home, &[TAMPERED, "--as", form]));
    }
    let har: Value = serde_json::from_str(&exported(&home, &["--as", "har"])).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 7);
    let page = exported(&home, &["--as", "html", "--query", "-kind:dialog"]);
    let unchecked = run(&home, &["export", SAMPLE, TAMPERED, "--as", "markdown"]).out;
    assert!(unchecked.contains("signature **invalid** when it was recorded"), "{unchecked}");
    assert!(page.starts_with("<!doctype html>") && page.matches("<details>").count() == 6, "{page}");
}

#[test]
fn what_is_exported_is_masked_unless_asked_otherwise() {
    let home = Home::new();
    let bare = std::fs::read_to_string(SAMPLE).unwrap();
    for secret in ["7cabf30adbe87afa", "QQ123456C", "Visitor 2020"] {
        assert!(bare.contains(secret), "{secret}");
        for form in ["har", "curl", "http", "json", "markdown", "html"] {
            assert!(!exported(&home, &["--as", form]).contains(secret), "{form}: {secret}");
        }
    }
    let own = exported(&home, &["--as", "json", "--unredacted"]);
    assert_eq!(calls(&own), calls(&bare));
}

#[test]
fn what_was_exported_is_imported_byte_for_byte() {
    let home = Home::new();
    let bare = std::fs::read_to_string(SAMPLE).unwrap();
    for form in ["har", "http", "json"] {
        let text = exported(&home, &["--as", form, "--unredacted"]);
        let tape = format!("{form}.jsonl");
        let imported = feed(&home, &["import", "-", "--record", &tape], text.as_bytes());
        assert_eq!(imported.code, 0, "{}", imported.err);
        assert!(imported.err.contains(&format!("7 calls from {form} to ")), "{}", imported.err);
        assert_eq!(calls(&read(&home, &tape)), calls(&bare), "{form}");
        let again = feed(&home, &["import", "-", "--record", &tape], text.as_bytes());
        assert!(again.err.contains("0 calls") && again.err.contains("7 there already"), "{}", again.err);
        assert_eq!(calls(&read(&home, &tape)).len(), 7);
    }
}

#[test]
fn all_is_imported_also_where_nobody_reads_the_list() {
    let home = Home::new();
    let text = exported(&home, &["--as", "json", "--unredacted"]);
    let mut command = home.command(HOOKTAPE, &["import", "-", "--record", "tape.jsonl"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && err.contains("7 calls from json to "), "{err}");
    assert_eq!(calls(&read(&home, "tape.jsonl")).len(), 7);
}

#[test]
fn an_imported_command_is_recognised_and_judged() {
    let home = Home::new();
    let text = exported(&home, &["--as", "curl", "--unredacted"]);
    let imported = feed(&home, &[&["import", "-", "--record", "tape.jsonl"][..], &PUBLISHED].concat(), text.as_bytes());
    assert_eq!(imported.code, 0, "{}", imported.err);
    let shown = run(&home, &["show", "tape.jsonl", "--format", "json"]).json();
    let kinds: Vec<_> = shown.iter().map(|call| (call["kind"].as_str(), call["sig"].as_str())).collect();
    assert_eq!(kinds.len(), 7);
    assert_eq!(kinds[0], (Some("moveo/first_message"), Some("valid")));
    assert_eq!(kinds[6], (Some("moveo/first_message"), Some("invalid")));
}

#[test]
fn what_was_refused_as_no_request_stays_of_no_kind() {
    let home = Home::new();
    let known = "\"kind\":\"moveo/first_message\",\"conv\":\"5f0c1f0e-8b1d-4a57-9d53-2c1f6b7de0a4\",\"sig\":\"valid\"";
    let unknown = "\"error\":\"refused as no request: it is not HTTP/1.1\",\"kind\":null,\"conv\":null,\"sig\":null";
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    let refused: Vec<&str> = sample.lines().take(2).collect();
    assert!(refused[1].contains(known));
    std::fs::write(home.path("refused.jsonl"), refused.join("\n").replace(known, unknown) + "\n").unwrap();
    let verified = run(&home, &[&["verify", "refused.jsonl"][..], &PUBLISHED].concat());
    assert!(
        !verified.out.contains("valid") && verified.err.contains("1 not recognised"),
        "{}{}",
        verified.out,
        verified.err
    );
    for form in ["har", "http", "json"] {
        let text = run(&home, &["export", "refused.jsonl", "--as", form, "--unredacted"]).out;
        let tape = format!("{form}.jsonl");
        let imported = feed(&home, &["import", "-", "--record", &tape], text.as_bytes());
        assert!(imported.err.contains("1 call from "), "{}", imported.err);
        assert!(read(&home, &tape).contains("\"kind\":null,\"conv\":null,\"sig\":null"), "{form}");
    }
}

#[test]
fn a_masked_call_says_that_it_cannot_be_checked() {
    let home = Home::new();
    exported(&home, &["--as", "json", "--out", "masked.jsonl"]);
    let verified = run(&home, &[&["verify", "masked.jsonl"][..], &PUBLISHED].concat());
    assert_eq!(verified.code, 1, "{}", verified.err);
    assert!(verified.out.contains("masked") && verified.out.contains("it was valid when it was recorded"));
    assert!(
        verified.err.contains("0 signatures checked, 0 not valid, 7 masked: none could be checked"),
        "{}",
        verified.err
    );
    let mut mixed = std::fs::read_to_string(SAMPLE).unwrap();
    mixed.push_str(std::fs::read_to_string(home.path("masked.jsonl")).unwrap().lines().nth(1).unwrap());
    std::fs::write(home.path("mixed.jsonl"), mixed).unwrap();
    let mixed = run(&home, &[&["verify", "mixed.jsonl", "--query", "sig:valid"][..], &PUBLISHED].concat());
    assert_eq!((mixed.code, &*mixed.err), (1, "6 signatures checked, 0 not valid, 1 masked\n"), "one is not checked");
    let shown = run(&home, &["show", "masked.jsonl", TAMPERED]).out;
    assert!(shown.contains("parts of this call are masked; its signature was invalid when it was recorded"), "{shown}");
}

#[test]
fn a_file_is_made_for_its_owner_and_never_overwritten() {
    let home = Home::new();
    let args = ["export", SAMPLE, "--as", "har", "--out", "out.har"];
    let first = run(&home, &args);
    assert_eq!((first.code, &*first.out), (0, ""));
    assert!(first.err.contains("7 calls to ") && first.err.contains(", masked"), "{}", first.err);
    assert_eq!(std::fs::metadata(home.path("out.har")).unwrap().permissions().mode() & 0o777, 0o600);
    let second = run(&home, &args);
    assert_eq!(second.code, 2);
    assert!(second.err.contains("is there already: remove it, or write to another"), "{}", second.err);
}

#[test]
fn what_cannot_be_imported_is_named_with_its_place() {
    let home = Home::new();
    for (text, said) in [
        ("curl http://h -d @body.json", "standard input, read as curl: line 1: a file is not read"),
        ("{\"log\":{\"entries\":[{}]}}", "read as har: entry 1, /log/entries/0/request/url: there is no such string"),
        ("hello", "this is none of har, curl, http, json that could be told by its beginning: --from says which it is"),
    ] {
        let ended = feed(&home, &["import", "-", "--record", "tape.jsonl"], text.as_bytes());
        assert_eq!((ended.code, &*ended.out), (2, ""));
        assert!(ended.err.contains(said), "{}", ended.err);
        assert!(!std::fs::exists(home.path("tape.jsonl")).unwrap(), "nothing is made for it");
    }
}

#[test]
fn calls_are_masked_before_they_are_written_when_asked() {
    let home = Home::new();
    std::fs::write(home.path("hooktape.toml"), "[redact]\nfields = [\"lang\"]\n").unwrap();
    let demo = run(&home, &["demo", "--redact", "--record", "tape.jsonl"]);
    assert_eq!(demo.code, 0, "{}", demo.err);
    let tape = read(&home, "tape.jsonl");
    assert!(
        tape.contains(r#""lang":"[redacted]""#) && tape.contains(r#"["x-moveo-signature","[redacted]"]"#),
        "{tape}"
    );
    assert!(tape.contains(r#""sig":"valid""#), "what was found at the time stays: {tape}");
}

#[test]
fn a_compressed_recording_opens() {
    let home = Home::new();
    let packed = zstd::encode_all(&std::fs::read(SAMPLE).unwrap()[..], 0).unwrap();
    std::fs::write(home.path("tape.jsonl.zst"), packed).unwrap();
    for command in [&["show"][..], &["verify"], &["export", "--as", "http"]] {
        let run_on = |file: &str| run(&home, &[command, &[file], &PUBLISHED].concat());
        let (plain, packed) = (run_on(SAMPLE), run_on("tape.jsonl.zst"));
        assert_eq!((packed.code, packed.out), (plain.code, plain.out), "{command:?}: {}", packed.err);
    }
}

#[test]
fn what_was_said_of_a_call_is_shown_and_travels_with_it() {
    let home = Home::new();
    let bare = std::fs::read_to_string(SAMPLE).unwrap();
    let id = bare.lines().find_map(|line| line.split('"').nth(3).filter(|id| id.ends_with(TAMPERED))).unwrap();
    let said = format!(
        "{{\"mark\":\"{id}\",\"colour\":\"red\"}}\n{{\"note\":\"{id}\",\"text\":\"ask \\u001b[31mtheir\\u001b team\"}}\n"
    );
    std::fs::write(home.path("marked.jsonl"), format!("{bare}{said}{{\"id\":\"0")).unwrap();
    let marked = home.path("marked.jsonl");
    let marked = marked.to_str().unwrap();
    let shown = run(&home, &["show", marked, TAMPERED]);
    assert!(shown.out.contains("\nmarked red\nnote: ask ␛[31mtheir␛ team\n"), "{}", shown.out);
    let listed = run(&home, &["show", marked, "--query", "marked"]);
    assert_eq!(listed.out.lines().count(), 1);
    assert!(listed.err.contains("the last line is not whole (8 bytes) and is passed over"), "{}", listed.err);
    for (form, file) in [("json", "again.jsonl"), ("har", "again.har")] {
        let (file, tape) = (home.path(file), home.path(&format!("{form}.jsonl")));
        let (file, tape) = (file.to_str().unwrap(), tape.to_str().unwrap());
        run(&home, &["export", marked, "--as", form, "--out", file, "--unredacted"]);
        assert_eq!(run(&home, &["import", file, "--record", tape]).code, 0);
        let shown = run(&home, &["show", tape, TAMPERED, "--format", "json"]).out;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["remarks"]["mark"]["colour"], "red", "{form}");
        assert_eq!(shown["remarks"]["note"], "ask \u{1b}[31mtheir\u{1b} team", "{form}");
    }
}

#[test]
fn what_was_said_of_a_call_is_imported_into_its_own_file() {
    let home = Home::new();
    let bare = std::fs::read_to_string(SAMPLE).unwrap();
    let ids: Vec<&str> = bare.lines().skip(1).map(|line| line.split('"').nth(3).unwrap()).collect();
    let said: Vec<_> = ids.iter().map(|id| format!("{{\"note\":\"{id}\",\"text\":\"of {id}\"}}\n")).collect();
    let said = said.concat();
    let of_none = "{\"note\":\"0199c82c-c000-7000-8000-000000000000\",\"text\":\"of none\"}\n";
    std::fs::write(home.path("noted.jsonl"), format!("{bare}{said}{of_none}")).unwrap();
    let imported = run(&home, &["import", "noted.jsonl", "--record", "in.jsonl", "--rotate", "2KiB"]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert!(imported.err.contains("1 remark not taken: their calls are not there"), "{}", imported.err);
    let mut seen = 0;
    let files = std::fs::read_dir(home.path("")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    for file in files.filter(|file| file.starts_with("in")) {
        let text = read(&home, &file);
        for id in ids.iter().filter(|id| text.contains(&format!("{{\"id\":\"{id}\""))) {
            assert!(text.contains(&format!("\"of {id}\"")), "{file}: {text}");
            seen += 1;
        }
    }
    assert_eq!(seen, ids.len());
    assert!(std::fs::exists(home.path("in-1.jsonl")).unwrap());
}

#[test]
fn what_was_set_aside_is_not_imported_again() {
    let home = Home::new();
    let import = |file: &str| {
        let ended = run(&home, &["import", file, "--record", "in.jsonl", "--rotate", "3KiB"]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.err
    };
    import(SAMPLE);
    assert!(home.path("in-1.jsonl").exists());
    let again = import(SAMPLE);
    assert!(again.contains("0 calls from json to in.jsonl; 7 there already (see in-1.jsonl"), "{again}");
    let packed = zstd::encode_all(&*std::fs::read(home.path("in-1.jsonl")).unwrap(), 0).unwrap();
    std::fs::write(home.path("in-1.jsonl.zst"), packed).unwrap();
    let plain = home.path("elsewhere.jsonl");
    std::fs::rename(home.path("in-1.jsonl"), &plain).unwrap();
    let again = import(SAMPLE);
    assert!(again.contains("0 calls from json to in.jsonl; 7 there already (see in-1.jsonl.zst"), "{again}");
    std::fs::rename(plain, home.path("in-1.jsonl")).unwrap();
    let shown = run(&home, &["show", "in-1.jsonl", "--format", "json"]).json();
    let id = shown[0]["id"].as_str().unwrap();
    let marked = format!("{}{{\"mark\":\"{id}\",\"on\":true}}\n", std::fs::read_to_string(SAMPLE).unwrap());
    std::fs::write(home.path("marked.jsonl"), &marked).unwrap();
    let told = import("marked.jsonl");
    assert!(told.contains("1 remark not taken: their calls are in files that were set aside"), "{told}");
}

#[test]
fn an_import_onto_a_full_disk_says_how_much_it_took_and_goes_on_later() {
    let home = Home::new();
    // A file system that takes no larger file is a disk that gets full.
    let mut shell = home.command("sh", &["-c", "ulimit -f 8; exec \"$0\" \"$@\"", HOOKTAPE]);
    let ended = shell.args(["import", SAMPLE, "--record", "in.jsonl"]).output().unwrap();
    let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    let taken = out.lines().count();
    assert_eq!(ended.status.code(), Some(2), "{err}");
    assert!(taken > 0 && err.contains(&format!("{taken} of 7 calls imported: import again for the rest")), "{err}");
    assert!(!err.contains("not in the recording"), "{err}");
    let again = run(&home, &["import", SAMPLE, "--record", "in.jsonl"]);
    assert!(again.code == 0 && again.err.contains(&format!("; {taken} there already")), "{}", again.err);
}
