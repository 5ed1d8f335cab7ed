//! The README's tables and its picture are views of the program: here they are held against it.
//!
//! `UPDATE_README=1 cargo test --test tui readme` writes them anew.

use std::fmt::Write as _;

use hooktape::app::{action, keymap};
use hooktape::config::{Config, Sources};
use hooktape::recording;

use crate::support::{Stage, repository};

/// Holds the part of the README between `<!-- NAME -->` and `<!-- /NAME -->` against what it should be.
fn holds(name: &str, wanted: &str) {
    let path = repository("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = readme.split_once(&open).unwrap_or_else(|| panic!("README has no {open}"));
    let (part, after) = rest.split_once(&close).unwrap_or_else(|| panic!("README has no {close}"));
    if part == wanted {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, format!("{before}{open}{wanted}{close}{after}")).unwrap();
    } else {
        assert_eq!(part, wanted, "README's part {name} is not what the program says: write it with UPDATE_README=1");
    }
}

// One test: updating must not write the file from two threads at once.
#[tokio::test]
async fn tables_and_picture_are_the_programs_own() {
    holds("screen", &format!("```text\n{}```\n", picture().await));
    holds("keys", &keys());
    holds("query", &queries());
}

async fn picture() -> String {
    let screen = Stage::size(80, 24).open(&repository("recordings/moveo.jsonl"), "G4").await.screen;
    let lines = screen.lines().map(|line| line.trim_matches('"').trim_end());
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn keys() -> String {
    let mut text = String::new();
    let mut scope = None;
    for entry in action::TABLE {
        if scope.replace(entry.scope) != Some(entry.scope) {
            let _ = write!(text, "\n| {} | | |\n| --- | --- | --- |\n", entry.scope.title());
        }
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(text, "| {} | `{}` | {} |", keys.join(" "), keymap::slug(entry.name), entry.help);
    }
    text + "\n"
}

fn queries() -> String {
    let mut text = "\n| part | asks |\n| --- | --- |\n".to_owned();
    for key in &recording::KEYS {
        let _ = writeln!(text, "| `{}` | {} |", key.written(), key.meaning);
    }
    text + "| `/input/text:\"hi\"` | the value at that JSON Pointer, in either body; a number also within a bound: `/amount:>100`, `>=`, `<`, `<=` |\n\n"
}

#[test]
fn the_configurations_in_the_readme_are_understood() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    // The other ones are of packs.
    let understood = |heading: &str| {
        let (_, part) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
        let block = part.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooktape.toml");
        std::fs::write(&path, block).unwrap();
        // What it names besides.
        std::fs::write(folder.path().join("crm.csv"), "ssn,name\n42,A\n").unwrap();
        std::fs::write(folder.path().join("reply.json"), "{}").unwrap();
        Config::load(&Sources { explicit: Some(path), ..Sources::default() }).unwrap()
    };
    let config = understood("Configuration");
    assert_eq!(config.targets[0].name, "staging");
    assert_eq!(config.routes[0].path, "/hooks/moveo");
    let config = understood("Responders");
    let paths: Vec<&str> = config.routes.iter().map(|route| &*route.path).collect();
    assert_eq!(paths, ["/hooks/moveo", "/identify", "/chat"]);
    assert!(config.routes.iter().all(|route| route.respond.is_some()));
}
