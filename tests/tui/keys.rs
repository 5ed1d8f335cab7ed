//! No sequence of keys on any recording breaks the program.

use crate::support::{Stage, repository};
use hooktape::app::action::TABLE;
use proptest::prelude::*;

/// Keys of the table, but for those that leave, and some that only type.
fn key() -> impl Strategy<Value = String> {
    let keys: Vec<String> = TABLE
        .iter()
        .flat_map(|entry| entry.keys)
        .filter(|key| !matches!(**key, "q" | "ctrl-c" | "D"))
        .map(|key| match *key {
            "<" => "<lt>".to_owned(),
            key if key.len() == 1 => key.to_owned(),
            key => format!("<{key}>"),
        })
        .chain(["x", "{", "\"", "é", "日", "<backspace>", "<delete>"].map(ToOwned::to_owned))
        .collect();
    proptest::sample::select(keys)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_panic(keys in prop::collection::vec(key(), 0..40), width in 1_u16..140, height in 1_u16..50) {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("copy.jsonl");
        std::fs::copy(repository("recordings/moveo.jsonl"), &recording).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(Stage::size(width, height).open(&recording, &keys.concat()));
    }
}

#[tokio::test]
async fn an_answer_of_the_terminal_that_comes_late_is_no_key_to_the_shell() {
    let answer = "<alt-]>11;rgb:ffff/ffff/ffff<alt-\\>";
    let unread = async |script: &str| {
        let stage = Stage::size(80, 24);
        stage.open(&repository("recordings/moveo.jsonl"), script).await.unread
    };
    assert_eq!(unread(&format!("q{answer}")).await, 0);
    assert_eq!(unread(&format!("{answer}qls")).await, 2, "what is typed ahead is left to the shell");
}
