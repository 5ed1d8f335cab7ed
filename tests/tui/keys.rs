//! No text names a key that means something else.

use crate::support::{Stage, repository};
use hooktape::app::action::{Action, TABLE};
use hooktape::app::{keymap, keys};
use hooktape::config::{Config, Sources, Target};

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

/// For each action of the table a key of its own that means nothing by default.
fn other_keys() -> Vec<String> {
    let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9').map(String::from);
    let named = (1..=12).map(|number| format!("f{number}")).chain(["insert", "delete", "up", "down"].map(String::from));
    let keys: Vec<String> = letters.chain(named).collect();
    let others = ["alt-", "ctrl-alt-"].into_iter().flat_map(|with| keys.iter().map(move |key| format!("{with}{key}")));
    let others: Vec<String> = others.filter(|key| keys::parse(key).is_some()).take(TABLE.len()).collect();
    assert_eq!(others.len(), TABLE.len());
    others
}

/// A configuration in which every action has another key.
fn rebound() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooktape.toml");
    let lines =
        TABLE.iter().zip(other_keys()).map(|(entry, key)| format!("{} = \"{key}\"\n", keymap::slug(entry.name)));
    std::fs::write(&path, format!("[keys]\n{}", lines.collect::<String>())).unwrap();
    let mut config = Config::load(&Sources { explicit: Some(path), ..Sources::default() }).unwrap();
    assert_eq!(config.keys.len(), TABLE.len());
    let guarded = Target::new("production", "https://hooks.example.com/moveo");
    config.targets.push(Target { guard: true, ..guarded });
    config
}

/// What on a screen may be taken for a key that is bound by default: a lone sign or the name of a key before a word.
fn default_keys(screen: &str) -> Vec<String> {
    let is_key = |word: &str| {
        let word = word.trim_start_matches('(');
        // These are words, or stand in JSON and before what changed.
        let other = ["a", "A", "up", "down", "left", "right", "home", "end", "{", "}", "[", "]", "-", "+", "="];
        let counts = word.starts_with(|c: char| c.is_ascii_digit());
        !counts && !other.contains(&word) && TABLE.iter().flat_map(|entry| entry.keys).any(|key| *key == word)
    };
    let mut found = Vec::new();
    for line in screen.lines() {
        let words: Vec<&str> = line.split([' ', '│', '"']).filter(|word| !word.is_empty()).collect();
        for (number, pair) in words.windows(2).enumerate() {
            let counted = number > 0 && words[number - 1].ends_with(|c: char| c.is_ascii_digit());
            let key = pair[0].trim_end_matches([':', ';', ',']);
            if !counted && pair[1].starts_with(|c: char| c.is_ascii_lowercase()) && is_key(key) {
                found.push(pair.join(" "));
            }
        }
    }
    found
}

#[tokio::test]
async fn no_text_names_a_key_that_means_nothing() {
    use Action as A;
    let keys: Vec<String> = other_keys().iter().map(|key| format!("<{key}>")).collect();
    let script = |actions: &[Action]| actions.iter().map(|action| keys[*action as usize].as_str()).collect();
    let opened: &[&[Action]] = &[
        &[],
        &[A::Open, A::Body],
        &[A::Open, A::Pretty],
        &[A::Help],
        &[A::Pretty, A::Follow, A::Log],
        &[A::Yank],
        &[A::Yank, A::CopyValue],
        &[A::Plots],
        &[A::Palette],
        &[A::Filter],
        &[A::Open, A::Filter],
        &[A::Open, A::Body, A::Jq],
        &[A::Top, A::Open, A::Body, A::Down, A::SetValue],
        &[A::Top, A::Open, A::Body, A::SetValue],
        &[A::Headers, A::SetValue],
        &[A::Note],
        &[A::Delete],
        &[A::Compare],
        &[A::Conversations],
        &[A::Conversation],
        &[A::Target],
        &[A::Target, A::Down, A::Open],
        &[A::Webview],
        &[A::Webview, A::Open],
        &[A::Recordings],
        &[A::Answers],
        &[A::Hold],
        &[A::Mouse],
        &[A::Replay],
        &[A::ReplayMany],
        &[A::ReplayMany, A::Begin],
        &[A::Test],
        &[A::Test, A::Target],
        &[A::Variables],
        &[A::Fixtures],
        &[A::Edit],
        &[A::Edit, A::LeaveTyping],
        &[A::Edit, A::LeaveTyping, A::SaveFixture],
        &[A::Edit, A::LeaveTyping, A::Variables],
        &[A::Edit, A::LeaveTyping, A::Send],
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut report = |actions: &[Action], screen: &str, base: &str| {
        // The call that shows beside a dialog may be cut in the middle of a word.
        let found = default_keys(screen).into_iter().filter(|found| actions.is_empty() || !base.contains(found));
        wrong.extend(
            found
                .filter(|found| found != "tab of" && !found.starts_with("tab alt-"))
                .map(|found| format!("{actions:?}: {found}")),
        );
    };
    let mut base = String::new();
    for actions in opened {
        let stage = Stage { config: rebound(), data: Some(folder.path().to_owned()), ..Stage::size(200, 60) };
        let recording = folder.path().join("opened.jsonl");
        std::fs::copy(repository("recordings/moveo.jsonl"), &recording).unwrap();
        let script: String = script(actions);
        let ended = Box::pin(stage.open(&recording, &script)).await;
        report(actions, &ended.screen, &base);
        if actions.is_empty() {
            base = ended.screen;
        }
    }
    let listening: &[&[Action]] = &[
        &[],
        &[A::Hold],
        &[A::Answers],
        &[A::Answers, A::Open],
        &[A::Answers, A::SetFault],
        &[A::Answers, A::Open, A::Down, A::Open],
        &[A::Answers, A::Open, A::Down, A::Down, A::Open],
        &[A::Webview, A::Open],
    ];
    for (number, actions) in listening.iter().enumerate() {
        let stage = Stage { config: rebound(), data: Some(folder.path().to_owned()), ..Stage::size(200, 60) };
        let script: String = script(actions);
        let ended = Box::pin(stage.listen(&folder.path().join(format!("{number}.jsonl")), &script, |_| async {})).await;
        report(actions, &ended.screen, "");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
