//! `platforms`: everything that is known of them, and what one tells them.

use serde_json::Value;

use crate::lane::Home;
use crate::support::{Endpoint, field, run};

/// The tables of the platforms' documents; `tests/packs.rs` says how they are written down.
const DOCUMENTS: &str = include_str!("../packs/documents.md");

/// Platform, and the cells of a row.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut rows = Vec::new();
    for section in DOCUMENTS.split("\n## ").skip(1) {
        let platform = section.split_once(", ").unwrap().0;
        let cells = section.lines().filter_map(|line| line.strip_prefix("- "));
        rows.extend(cells.map(|row| (platform, row.split(" | ").collect())));
    }
    assert_eq!(rows.len(), DOCUMENTS.matches("\n- ").count());
    rows
}

/// What stands together in a line of JSON: the kind, a field, a row of a table, an endpoint, the rules for webhooks.
fn entries(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let all =
        |value: &Value, names: &[&str]| names.iter().map(|name| text(&value[*name])).collect::<Vec<_>>().join("\n");
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut entries = vec![all(value, &["kind", "title", "fires", "returns", "failure", "signed"])];
    for field in list("fields").iter().chain(&list("response_fields")).chain(&list("error_fields")) {
        let required = if field["required"] == true { "required" } else { "optional" };
        let place = text(&field["place"]).trim_start_matches('/').replace('/', ".");
        let rest = all(field, &["part", "json_type", "meaning"]);
        entries.push(format!("{}\n{place}\n{required}\n{rest}", text(&value["kind"])));
    }
    for table in list("tables") {
        let title = text(&table["title"]);
        entries.extend(table["rows"].as_array().unwrap().iter().map(|row| {
            let cells: Vec<String> = row.as_array().unwrap().iter().map(text).collect();
            format!("{title}\n{}", cells.join("\n"))
        }));
    }
    entries.extend(list("endpoints").iter().map(|endpoint| all(endpoint, &["title", "url"])));
    let webhook = &value["webhook"];
    entries.push(format!("at most {} custom headers\n{webhook}", webhook["max_custom_headers"]));
    entries
}

#[test]
fn every_row_of_every_documented_table_is_shown() {
    let home = Home::new();
    for platform in ["moveo", "jelou", "liveperson"] {
        let json = run(&home, &["platforms", platform, "--format", "json"]).json();
        let entries: Vec<String> = json.iter().flat_map(entries).collect();
        let text = run(&home, &["platforms", platform]).out;
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A pointer of the text has slashes where a document's table has dots.
        let flat = words(&text);
        let dotted = flat.replace('/', ".");
        let (mut count, mut lost) = (0, Vec::new());
        for (_, row) in rows().into_iter().filter(|(of, _)| *of == platform) {
            count += 1;
            let shown = |cell: &&str| flat.contains(&words(cell)) || dotted.contains(*cell);
            if !entries.iter().any(|entry| row.iter().all(|cell| entry.contains(cell))) || !row.iter().all(shown) {
                lost.push(row.join(" | "));
            }
        }
        assert!(
            count > 0 && lost.is_empty(),
            "{platform}: {} of {count} rows are lost:\n{}",
            lost.len(),
            lost.join("\n")
        );
    }
}

#[test]
fn what_is_known_fits_a_terminal() {
    for platform in ["moveo", "jelou", "liveperson"] {
        let known = run(&Home::new(), &["platforms", platform]);
        assert_eq!((known.code, &*known.err), (0, ""));
        let wide: Vec<&str> = known.out.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

#[test]
fn a_kind_is_told_with_its_fields_and_the_stand_ins_errors() {
    let home = Home::new();
    let kind = run(&home, &["platforms", "moveo/webview_callback"]);
    assert_eq!(kind.code, 0);
    insta::assert_snapshot!("platforms_kind", kind.out);
    let json = run(&home, &["platforms", "moveo/webview_callback", "--format", "json"]).json();
    assert_eq!((json.len(), json[0]["answers"].as_array().unwrap().len()), (1, 4));
    assert_eq!((&json[0]["answers"][2]["status"], &json[0]["method"]), (&400.into(), &"POST".into()));
    let jelou = run(&home, &["platforms", "jelou/webview_open", "--format", "json"]).json().remove(0);
    assert!(jelou["then"]["expired"].as_str().unwrap().contains("expiration output"));
    assert_eq!(jelou["appends"], serde_json::json!(["executionId"]));
    let first = run(&home, &["platforms", "moveo/first_message"]).out;
    assert!(first.contains("\n  instead    moveo/pre_message, where this one is not configured\n"), "{first}");
}

#[test]
fn what_one_tells_moveo_is_held_against_its_rules() {
    let home = Home::new();
    let many: Vec<String> = (0..11).map(|number| format!("X-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().flat_map(|header| ["--header", header]).collect();
    for (args, code, said) in [
        (&["--url", "https://hooks.example.com/moveo"][..], 0, "Moveo.AI takes that\n"),
        (&["--url", "http://hooks.example.com/"], 1, "not HTTPS"),
        (&["--url", "https://192.168.1.5/"], 1, "loopback or private address"),
        (&["--url", "hooks.example.com"], 1, "is no URL"),
        (&["--header", "X-Forwarded-For: 1.2.3.4"], 1, "X-Forwarded-For cannot be set"),
        (&["--header", "Connection: x", "--header", "TE: x"], 1, "Connection cannot be set"),
        (&["--header", "Content-Length: 3", "--url", "http://a.example/"], 1, "not HTTPS"),
        (&["--header", "Accept: */*"], 0, "older document"),
        (&["--header", "X-Moveo-Include-History: true"], 0, "Adds the conversation history"),
        (&["--header", "X-Moveo-Include-History: yes"], 0, "does nothing"),
        (&many, 1, "There are 11 custom headers, at most 10"),
        (&["--from", "18.192.167.150"], 0, "only the signature does"),
        (&["--from", "203.0.113.9"], 0, "warning  It came from 203.0.113.9"),
        (&["--from", "127.0.0.1", "--forwarded-for", "203.0.113.9"], 0, "trusted_proxies"),
    ] {
        let advised = run(&home, &[&["platforms", "advise", "moveo"], args].concat());
        assert_eq!((advised.code, &*advised.err), (code, ""), "{args:?}: {}", advised.out);
        assert!(advised.out.contains(said), "{args:?}: {}", advised.out);
    }
    std::fs::write(home.path("hooktape.toml"), "[listen]\ntrusted_proxies = [\"127.0.0.1\"]\n").unwrap();
    let through = ["--from", "127.0.0.1", "--forwarded-for", "203.0.113.9", "--format", "json"];
    let json = run(&home, &[&["platforms", "advise", "moveo"][..], &through].concat()).json().remove(0);
    assert_eq!((&json["fine"], &json["findings"][0]["severity"]), (&true.into(), &"warning".into()));
    assert!(json["findings"][0]["sentence"].as_str().unwrap().contains("203.0.113.9"));
    for forwarded in [&[][..], &["--forwarded-for", "unknown"]] {
        let said = run(&home, &[&["platforms", "advise", "moveo", "--from", "127.0.0.1"], forwarded].concat()).out;
        assert!(said.contains("names nobody else") && !said.contains("Name that under"), "{said}");
    }
    let inside = ["platforms", "advise", "moveo", "--from", "127.0.0.1", "--forwarded-for", "10.0.0.3"];
    let said = run(&home, &inside).out;
    assert!(said.contains("10.0.0.3, for whom 127.0.0.1 called, is of this machine or its network"), "{said}");

    for (args, said) in [
        (&["moveo"][..], "--url"),
        (&["jelou", "--url", "https://a.example/"], "jelou has no rules for webhooks; those that do: moveo"),
        (&["moevo", "--url", "https://a.example/"], "did you mean \"moveo\"?"),
        (&["moveo", "--header", "X-Key"], "is not of the form NAME: VALUE"),
    ] {
        let refused = run(&home, &[&["platforms", "advise"], args].concat());
        assert_eq!((refused.code, &*refused.out), (2, ""), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {}", refused.err);
    }
}

/// The page is made of the packs: `UPDATE_README=1` writes it anew.
#[test]
fn the_page_on_signatures_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/platforms/README.md");
    let page = run(&Home::new(), &["platforms", "--as", "markdown"]).out;
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(page == std::fs::read_to_string(path).unwrap(), "UPDATE_README=1 makes {path} anew");
    for row in ["| `v1,`", "`webhook`"] {
        assert!(page.contains(row.trim_start_matches("| ")), "{row}");
    }
}

#[test]
fn a_new_pack_is_sound_and_read_at_once() {
    let home = Home::new();
    let made = run(&home, &["platforms", "new", "acme"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let pack = made.out.trim().to_owned();
    assert!(pack.ends_with("hooktape/platforms/acme/pack.toml") && std::path::Path::new(&pack).is_file(), "{pack}");
    let folder = pack.strip_suffix("/pack.toml").unwrap();
    assert_eq!(run(&home, &["platforms", "check", folder]).code, 0);
    assert!(run(&home, &["platforms", "acme"]).out.contains("acme/event"));
    for (args, said) in [
        (&["platforms", "new", "acme"][..], "already"),
        (&["platforms", "new", "moveo"], "already"),
        (&["platforms", "new", "../x"], "a name has lower-case letters"),
        (&["platforms", "new", "other", "--into", "/proc/none"], "cannot write"),
    ] {
        let refused = run(&home, args);
        assert_eq!((refused.code, &*refused.out), (2, ""), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {}", refused.err);
    }
}

/// As a new user would: the guide's own words, and no Rust.
#[test]
fn the_guides_platform_signs_and_verifies() {
    let readme = include_str!("../../README.md");
    let guide = readme.split("<!-- pack -->").nth(1).unwrap().split("<!-- /pack -->").next().unwrap();
    let pack = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let sample = readme.split("`samples/event.json`: `").nth(1).unwrap().split('`').next().unwrap();
    let home = Home::new();
    let file = run(&home, &["platforms", "new", "acme"]).out.trim().to_owned();
    let folder = file.strip_suffix("/pack.toml").unwrap();
    std::fs::write(&file, pack).unwrap();
    std::fs::write(format!("{folder}/samples/event.json"), sample).unwrap();
    let checked = run(&home, &["platforms", "check", folder]);
    assert_eq!((checked.code, &*checked.err), (0, ""), "{}", checked.out);

    let endpoint = Endpoint::new();
    run(&home, &["send", "acme/order", "--to", &endpoint.url, "--secret", "acme=env:MOVEO_TOKEN"]);
    let (head, body) = endpoint.seen().remove(0);
    assert!(field(&head, "acme-sign").unwrap().starts_with("t="), "{head}");
    assert_eq!(String::from_utf8(body).unwrap(), r#"{"order":{"id":"o-1"}}"#);
    let mut listener = home.listen(&["--secret", "acme=env:MOVEO_TOKEN", "--format", "json"]);
    let to = format!("http://{}/hooks", listener.address);
    run(&home, &["send", "acme/order", "--to", &to, "--secret", "acme=env:MOVEO_TOKEN", "--record", "sent.jsonl"]);
    let _ = listener.end("TERM");
    let seen = run(&home, &["show", "tape.jsonl", "--format", "json"]).json();
    let summary = |name: &str| seen[0][name].as_str().unwrap_or_default().to_owned();
    assert_eq!((summary("kind"), summary("sig"), summary("conv")), ("acme/order".into(), "valid".into(), "o-1".into()));
}
