//! `compact`, `recordings` and `prune`: what is kept, and what is not.

use crate::lane::Home;
use crate::support::{SAMPLE, run};

/// A home whose data directory holds the sample as `old.jsonl` and `new.jsonl`, the latter an hour younger.
fn home() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path("data/recordings")).unwrap();
    for (name, hours) in [("old", 49), ("new", 48)] {
        let path = home.path(&format!("data/recordings/{name}.jsonl"));
        std::fs::copy(SAMPLE, &path).unwrap();
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3600 + 60);
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    home
}

#[test]
fn compact_leaves_out_what_was_deleted() {
    let home = Home::new();
    let (tape, out) = (home.path("tape.jsonl"), home.path("out.jsonl"));
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    let second = sample.lines().nth(2).unwrap();
    let id = &second[7..43];
    std::fs::write(&tape, format!("{sample}{{\"delete\":\"{id}\",\"on\":true}}\n")).unwrap();
    let shown = run(&home, &["show", "tape.jsonl"]).out;
    assert_eq!(shown.lines().count(), 6, "a deleted call is not listed");
    assert_eq!(run(&home, &["show", "tape.jsonl", "--query", "deleted"]).out.lines().count(), 1);
    let said = run(&home, &["compact", "tape.jsonl", "--out", "out.jsonl", "--format", "json"]);
    assert_eq!((said.code, said.json()[0]["removed_calls"].as_u64()), (0, Some(1)), "{}", said.err);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), sample.replace(&format!("{second}\n"), ""));
    let said = run(&home, &["compact", "tape.jsonl"]);
    assert!(said.code == 0 && said.out.starts_with("1 deleted call left out: "), "{}", said.out);
    assert_eq!(std::fs::read(&tape).unwrap(), std::fs::read(&out).unwrap());
    let said = run(&home, &["compact", "tape.jsonl", "--out", "out.jsonl"]);
    assert!(said.code == 2 && said.err.contains("out.jsonl"), "{}", said.err);
}

#[test]
fn a_compressed_recording_is_listed_without_its_deleted_calls() {
    let home = home();
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    let id = &sample.lines().nth(2).unwrap()[7..43];
    let sample = format!("{sample}{{\"delete\":\"{id}\",\"on\":true}}\n");
    let packed = zstd::encode_all(sample.as_bytes(), 0).unwrap();
    std::fs::write(home.path("data/recordings/packed.jsonl.zst"), packed).unwrap();
    let listed = run(&home, &["recordings"]).out;
    let line = listed.lines().find(|line| line.ends_with("packed.jsonl.zst")).unwrap();
    assert!(line.contains("6 calls"), "{listed}");
    let ended = run(&home, &["prune", "--keep", "2", "--yes"]);
    assert!(ended.code == 0 && ended.err.starts_with("1 recording, "), "{}", ended.err);
}

#[test]
fn variables_of_deleted_calls_are_not_taken() {
    let home = Home::new();
    let sample = std::fs::read_to_string(SAMPLE).unwrap();
    let deletion = |line: &str| format!("{{\"delete\":\"{}\",\"on\":true}}\n", &line[7..43]);
    let deletions: String = sample.lines().skip(1).map(deletion).collect();
    std::fs::write(home.path("tape.jsonl"), sample + &deletions).unwrap();
    let register = |file: &str| run(&home, &["variables", "register", file]).err;
    assert_eq!(register("tape.jsonl"), "0 variables: \n");
    assert_ne!(register(SAMPLE), "0 variables: \n");
}

#[test]
fn a_variable_is_listed_as_it_was_written() {
    let home = Home::new();
    let tape = r#"{"hooktape":1,"created":"2026-11-21T10:02:11Z","by":"hooktape 0.1.0"}
{"id":"01930000-0000-7000-8000-000000000001","at":"2026-11-21T10:02:11Z","dir":"received","method":"POST","path":"/","status":200,"took_us":1,"size":2,"request":{"headers":[],"json":{}},"response":{"headers":[],"json":{"context":{"n":12345678901234567890123},"output":{"z":1.50}}}}
"#;
    std::fs::write(home.path("tape.jsonl"), tape).unwrap();
    assert_eq!(run(&home, &["variables", "register", "tape.jsonl"]).err, "2 variables: n, z\n");
    let listed = run(&home, &["variables", "--format", "json"]).out;
    assert!(listed.contains("\"value\":12345678901234567890123,") && listed.contains("\"value\":1.50,"), "{listed}");
}

#[test]
fn a_recording_in_use_is_left_alone() {
    let home = Home::new();
    let _listener = home.listen(&[]);
    let said = run(&home, &["compact", "tape.jsonl"]);
    assert!(said.code == 2 && said.err.contains("another hooktape records to"), "{}", said.err);
}

#[test]
fn recordings_are_listed_and_pruned_only_when_told() {
    let home = home();
    let listed = run(&home, &["recordings"]);
    let names: Vec<&str> = listed.out.lines().filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(names, ["new.jsonl", "old.jsonl"], "{}", listed.out);
    assert!(listed.out.contains("7 calls") && listed.out.contains("2d") && listed.err.starts_with("2 recordings, "));
    let json = run(&home, &["recordings", "--format", "json"]).json();
    assert_eq!((json.len(), json[0]["calls"].as_u64(), json[0]["in_use"].as_bool()), (2, Some(7), Some(false)));
    let left = || std::fs::read_dir(home.path("data/recordings")).unwrap().count();
    for (args, code, said) in [
        (&["--keep", "1", "--dry-run"][..], 0, "1 recording, "),
        (&["--keep", "1"], 2, "say --yes"),
        (&["--older-than", "3d", "--yes"], 0, "0 recordings, 0 bytes would be removed"),
        (&[], 2, "--keep"),
        (&["--larger-than", "none"], 2, "a size is written"),
    ] {
        let ended = run(&home, &[&["prune"], args].concat());
        assert!(ended.code == code && ended.err.contains(said), "{args:?}: {} {}", ended.code, ended.err);
        assert_eq!(left(), 2, "{args:?}");
    }
    let ended = run(&home, &["prune", "--older-than", "1d", "--keep", "1", "--yes"]);
    assert!(ended.code == 0 && ended.out.trim_end().ends_with("old.jsonl") && ended.err.ends_with(" removed\n"));
    assert_eq!((left(), home.path("data/recordings/new.jsonl").exists()), (1, true));
}

#[test]
fn what_became_of_each_is_told_to_programs() {
    let home = home();
    // What no file removal takes away stands where the old one's torn end would be.
    std::fs::create_dir(home.path("data/recordings/old.jsonl.torn")).unwrap();
    let said = run(&home, &["prune", "--older-than", "1d", "--yes", "--format", "json"]);
    let lines = said.json();
    assert_eq!((said.code, lines.len()), (2, 2), "{}", said.err);
    let old = lines.iter().find(|line| line["path"].as_str().unwrap().ends_with("old.jsonl")).unwrap();
    let new = lines.iter().find(|line| line["path"].as_str().unwrap().ends_with("new.jsonl")).unwrap();
    assert_eq!((&new["removed"], &new["error"]), (&true.into(), &serde_json::Value::Null));
    let why = old["error"].as_str().unwrap();
    assert!(old["removed"] == false && why.starts_with("cannot remove "), "{old}");
    assert_eq!(said.err.lines().last(), Some(&*format!("hooktape: {why}")), "the reason is said once");
}
