//! Whatever is pressed, at whatever size, on whatever recording: the screen stays, and so does the program.

use std::time::Duration;

use hooktape::app::action::TABLE;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::time::timeout;

use crate::support::{Stage, repository};

/// Every key that means something, and some to be typed; but no yes to the question before a real platform is called.
fn keys() -> Vec<String> {
    let bound = TABLE.iter().flat_map(|entry| entry.keys).copied();
    let typed = ["a", "0", "\"", "{", "}", ",", ":", ".", "é", "界", "\u{5d0}", "\u{1f469}\u{200d}\u{1f4bb}"];
    let moves = ["left", "right", "up", "down", "enter", "esc", "tab", "backspace", "delete", "home", "end", "ctrl-s"];
    let all = bound.chain(typed).chain(moves).filter(|key| !matches!(*key, "y" | "Y"));
    all.map(|key| match key {
        "<" => "<lt>".to_owned(),
        named if named.is_ascii() && named.len() > 1 => format!("<{named}>"),
        typed => typed.to_owned(),
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn no_keys_at_any_size_are_too_much(
        recording in select(&["moveo", "moveo-webview", "jelou", "liveperson"][..]),
        width in prop_oneof![1..20_u16, 20..100_u16, 100..300_u16],
        height in prop_oneof![1..10_u16, 10..40_u16, 40..80_u16],
        keys in vec(select(keys()), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            // What is marked is written.
            let path = folder.path().join("tape.jsonl");
            std::fs::copy(repository(&format!("recordings/{recording}.jsonl")), &path).unwrap();
            let stage = Stage { data: Some(folder.path().join("data")), ..Stage::size(width, height) };
            let script = keys.concat();
            let ended = Box::pin(stage.open(&path, &script));
            let ended = timeout(Duration::from_mins(1), ended).await.expect("it goes on after any key");
            assert!(!ended.screen.contains('\u{1b}'));
        });
    }
}
