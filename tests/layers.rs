//! The rule of the house: a module uses only what stands above it. This reads every `crate::` path in `src` and fails on
//! an arrow that points up, or on an outside crate where it has no business.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the ground up; those on one line do not know each other.
const LAYERS: &[&[&str]] = &[
    &["sync"],
    &["call", "json", "visible", "qr", "config"],
    &["signature", "jq"],
    &["platform"],
    &["recording"],
    &["net"],
    &["replay"],
    &["app"],
    &["view"],
    &["tui"],
    &["cli"],
];

/// What a module must never name.
const NEVER: &[(&str, &[&str])] = &[
    ("app", &["tokio", "axum", "reqwest", "std::fs", "ratatui::"]),
    // Time and chance are given to it.
    ("app", &["Timestamp::now", "SystemTime", "Instant", "Id::fresh", "Uuid::"]),
    ("view", &["tokio", "std::fs", "axum", "reqwest", "Timestamp::now", "&mut App"]),
];

/// The files of a folder but for tests, which may look anywhere.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The source without its comments and its test modules: one in a file of its own is only named here.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut parts = text.split("#[cfg(test)]\nmod ");
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match part.split_once([';', '{']) {
            Some((name, rest)) if part[name.len()..].starts_with(';') => kept.push_str(rest),
            // It stands here, and nothing but tests stands behind it.
            _ => break,
        }
    }
    kept.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn code_behind_a_test_module_in_another_file_is_read() {
    let text = "use crate::a;\n#[cfg(test)]\nmod tests;\n// crate::b\nuse crate::c;\n#[cfg(test)]\nmod more {\nuse crate::d;\n}\n";
    assert_eq!(uses(&code(text)), ["a", "c"]);
}

/// The modules that `crate::a`, `crate::{a::b, c}` name.
fn uses(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => modules.push(std::mem::take(&mut name)),
                    _ if depth == 1 => name.push(character),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            modules.push(name);
        } else {
            modules.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    modules
        .into_iter()
        .map(|name| name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn no_arrow_points_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let own = layer(&module).unwrap_or_else(|| panic!("{module} stands in no layer: add it to LAYERS"));
        let code = code(&fs::read_to_string(&file).unwrap());
        for used in uses(&code) {
            arrows += 1;
            let below = layer(&used).is_some_and(|used| used < own);
            if used != module && !below {
                wrong.push(format!("{}: {module} uses {used}", relative.display()));
            }
        }
        for (_, words) in NEVER.iter().filter(|(name, _)| *name == module) {
            wrong.extend(
                words
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{}: {module} must not name {word}", relative.display())),
            );
        }
    }
    assert!(arrows > 50, "the reader of `crate::` paths found almost none: it is broken");
    assert!(wrong.is_empty(), "arrows that point up:\n{}", wrong.join("\n"));
}

#[test]
fn reads_single_and_grouped_paths() {
    assert_eq!(
        uses("use crate::call::Call; use crate::{json, config::{A, B}, net};"),
        ["call", "json", "config", "net"]
    );
}

#[test]
fn what_the_readme_says_of_contributing_is_there() {
    let readme = include_str!("../README.md");
    let (_, text) = readme.split_once("## Contributing").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = text.split('`').skip(1).step_by(2);
    let files: Vec<&str> =
        names.filter(|name| ["src/", "tests/", ".ci/"].iter().any(|folder| name.starts_with(folder))).collect();
    assert!(files.len() > 8, "{files:?}");
    let missing: Vec<_> = files.iter().filter(|file| !root.join(file).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
